"""``Tensor``: torch's own tensors in a program that is written in torch, kept in a place that the engine can see.

Every function and method of torch is torch's own. What is written in place gives the place a new tensor, so that what
was computed before keeps its derivative; ``backward`` fills ``grad`` as in torch.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import torch

from parity_tests.derivations.engine.numbers.tape import Tape, is_basic, places


class Tensor(Tape):
    """A tensor of float64 that behaves as torch's does."""

    wanting: ClassVar[list[Tensor]] = []
    """The tensors of this run that get a ``grad``."""

    def __init__(self, tensor: torch.Tensor, base: Tape | None = None, index: Any = None) -> None:
        super().__init__(tensor, base, index)
        self.grad: Tensor | None = None

    @classmethod
    def __torch_function__(cls, function: Callable[..., Any], _: Any, arguments: Any = (), named: Any = None) -> Any:
        """What torch calls for its functions where one of the arguments is of this class."""
        name = getattr(function, "__name__", "")
        plain = [bare(each) for each in arguments]
        settings = {key: bare(value) for key, value in (named or {}).items()}
        if (name in IN_PLACE or _ends_in_place(name)) and isinstance(arguments[0], Tensor):
            new = arguments[0].tensor.clone()
            function(new, *plain[1:], **settings)
            arguments[0].tensor = new
            return arguments[0]
        return wrapped(function(*plain, **settings))

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        function = getattr(torch.Tensor, name)
        if not callable(function):
            return wrapped(getattr(self.tensor, name))
        return lambda *arguments, **named: Tensor.__torch_function__(function, (), (self, *arguments), named)

    def __getitem__(self, index: Any) -> Tensor:
        return Tensor(self.own, self, places(index)) if is_basic(index) else Tensor(self.tensor[bare(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        new = self.tensor.clone()
        new[bare(index)] = bare(value)
        self.tensor = new

    @property
    def T(self) -> Tensor:
        """The axes in reverse order."""
        return Tensor(self.tensor.permute(*reversed(range(self.ndim))))

    @property
    def size(self) -> Any:
        """The number of entries; called, as torch does, the sizes of the axes."""
        return _Size(self.tensor)

    @property
    def requires_grad(self) -> bool:
        """Whether ``backward`` fills ``grad``."""
        return any(each is self for each in Tensor.wanting)

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if wanted:
            self.retain_grad()

    def requires_grad_(self, wanted: bool = True) -> Tensor:
        """The same, as a method."""
        self.requires_grad = wanted
        return self

    def retain_grad(self) -> None:
        """Let ``backward`` fill ``grad``."""
        if not self.requires_grad:
            Tensor.wanting.append(self)
        if not self.tensor.requires_grad:
            self.tensor = self.tensor.detach().clone().requires_grad_()

    def backward(self, *_: Any, **__: Any) -> None:
        """Fill the ``grad`` of each tensor that wants one."""
        if not self.tensor.requires_grad:
            return
        wanting = list(Tensor.wanting)
        tensors = [each.tensor for each in wanting]
        found = torch.autograd.grad(self.tensor.sum(), tensors, retain_graph=True, allow_unused=True)
        for each, slope in zip(wanting, found, strict=True):
            if slope is not None:
                each.grad = Tensor(slope if each.grad is None else each.grad.tensor + slope)

    def copy(self, *_: Any) -> Tensor:
        """A copy."""
        return Tensor(self.tensor.clone())

    def item(self, *_: Any) -> Tensor:
        """The entry."""
        return Tensor(self.tensor.reshape(()))

    def numpy(self) -> Any:
        """The values."""
        return np.asarray(self)

    def new(self, *arguments: Any) -> Any:
        """A tensor out of nothing."""
        return wrapped(torch.zeros(*arguments))


class _Size(int):
    def __new__(cls, tensor: torch.Tensor) -> _Size:
        made = super().__new__(cls, tensor.numel())
        made.sizes = tensor.size  # type: ignore[attr-defined]
        return made

    def __call__(self, *axis: Any) -> Any:
        return self.sizes(*axis)  # type: ignore[attr-defined]


def wrapped(value: Any) -> Any:
    """Tensors of fractions as ``Tensor``, in what torch returns; places and truth values stay torch's."""
    if isinstance(value, torch.Tensor):
        return Tensor(value) if value.is_floating_point() else value
    if isinstance(value, list):
        return [wrapped(each) for each in value]
    if isinstance(value, tuple) and not isinstance(value, torch.Size):
        entries = [wrapped(each) for each in value]
        names = getattr(type(value), "__match_args__", ())
        return namedtuple(type(value).__name__, names)(*entries) if names else tuple(entries)
    return value


def bare(value: Any) -> Any:
    """Torch's own tensors in what a function of torch is given."""
    if isinstance(value, Tape):
        return value.tensor
    if isinstance(value, list):
        return [bare(each) for each in value]
    if isinstance(value, tuple) and not isinstance(value, torch.Size):
        return tuple(bare(each) for each in value)
    if isinstance(value, range):
        return list(value)
    return torch.float64 if isinstance(value, np.dtype) else value


def _ends_in_place(name: str) -> bool:
    return name.endswith("_") and not name.endswith("__")


OPERATORS = (
    "add", "radd", "sub", "rsub", "mul", "rmul", "truediv", "rtruediv", "pow", "rpow", "matmul", "rmatmul", "neg",
    "pos", "abs", "eq", "ne", "lt", "le", "gt", "ge", "floordiv", "rfloordiv", "mod",
)  # fmt: skip
IN_PLACE = frozenset(("__iadd__", "__isub__", "__imul__", "__itruediv__", "__ipow__", "__setitem__"))


def _operator(name: str) -> Callable[..., Any]:
    function = getattr(torch.Tensor, name)
    return lambda self, *others: Tensor.__torch_function__(function, (), (self, *others))


for _name in (*(f"__{each}__" for each in OPERATORS), *(IN_PLACE - {"__setitem__"})):
    setattr(Tensor, _name, _operator(_name))
for _name in ("reshape", "ravel", "flatten", "transpose"):
    setattr(Tensor, _name, _operator(_name))
