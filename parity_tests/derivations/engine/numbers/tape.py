"""``Tape``: arrays that live in torch and remember how they were made, so that autograd passes through NumPy's code.

They answer to NumPy's two protocols: ``np.exp(t)``, ``t @ W`` and ``np.sum(t, axis=0)`` become the torch operation of
the table below. Writing into a tape gives it a new tensor, so that what was computed before keeps its derivative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from parity_tests.derivations.engine.numbers.errors import NotFollowed
from parity_tests.derivations.engine.numbers.step import BRANCHING


class Tape(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of float64 on torch's tape."""

    __array_priority__ = 1000

    def __init__(self, tensor: torch.Tensor, base: Tape | None = None, index: Any = None) -> None:
        self.own = tensor
        self.base, self.index = base, index
        self.before: torch.Tensor | None = None
        """What a parameter's new value was computed from, where it begins anew."""

    @property
    def tensor(self) -> torch.Tensor:
        """The values; those of a view are read from the array that it is a part of."""
        return self.own if self.base is None else self.base.tensor[self.index]

    @tensor.setter
    def tensor(self, new: torch.Tensor) -> None:
        if self.base is None:
            self.own = new
            return
        whole = self.base.tensor.clone()
        whole[self.index] = new
        self.base.tensor = whole

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the axes."""
        return tuple(self.tensor.shape)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.tensor.dim()

    @property
    def size(self) -> int:
        """The number of entries."""
        return self.tensor.numel()

    @property
    def dtype(self) -> np.dtype[Any]:
        """Always float64."""
        return np.dtype(np.float64)

    @property
    def strides(self) -> tuple[int, ...]:
        """How far the next entry along each axis is, in bytes, where all lie one behind the other."""
        return np.empty(self.shape).strides

    @property
    def T(self) -> Tape:
        """The axes in reverse order."""
        return Tape(self.tensor.permute(*reversed(range(self.ndim))))

    def __len__(self) -> int:
        return int(self.tensor.shape[0])

    def __iter__(self) -> Iterator[Tape]:
        return (self[place] for place in range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        value = self.tensor.detach().numpy().copy()
        return value if dtype is None else value.astype(dtype)

    def __getitem__(self, index: Any) -> Tape:
        if is_basic(index):
            return Tape(self.own, self, places(index))
        tensor, index = _turned(self.tensor, index)
        return Tape(tensor[index])

    def __setitem__(self, index: Any, value: Any) -> None:
        new = self.tensor.clone()
        new[places(index)] = as_tensor(value)
        self.tensor = new

    def __float__(self) -> float:
        return float(self.tensor.detach())

    def __int__(self) -> int:
        return int(self.tensor.detach())

    def __index__(self) -> int:
        return int(self.tensor.detach())

    def __format__(self, form: str) -> str:
        return format(float(self), form) if self.size == 1 else str(np.asarray(self))

    def __str__(self) -> str:
        return str(np.asarray(self))

    __repr__ = __str__

    def __round__(self, places: int = 0) -> float:
        return round(float(self), places)

    def __bool__(self) -> bool:
        return bool(self.tensor.detach())

    def astype(self, dtype: Any, *_: Any, **__: Any) -> Any:
        """A copy; it stays on the tape as long as the new type can hold a fraction."""
        return Tape(self.tensor.clone()) if np.dtype(dtype).kind in "fc" else np.asarray(self).astype(dtype)

    def copy(self, *_: Any) -> Tape:
        """A copy."""
        return Tape(self.tensor.clone())

    def item(self, *place: int) -> Tape:
        """The entry, still on the tape."""
        return self.ravel()[place[0]] if place else Tape(self.tensor.reshape(()))

    def tolist(self) -> Any:
        """The values as lists."""
        return np.asarray(self).tolist()

    def fill(self, value: Any) -> None:
        """Every entry becomes the value."""
        self.tensor = as_tensor(value).expand(self.shape).clone()

    def reshape(self, *sizes: Any, **_: Any) -> Tape:
        """The entries in rows of other lengths."""
        listed = sizes[0] if len(sizes) == 1 and isinstance(sizes[0], tuple | list) else sizes
        return Tape(self.tensor.reshape(tuple(int(each) for each in listed)))

    def ravel(self, *_: Any) -> Tape:
        """The entries in one row."""
        return Tape(self.tensor.reshape(-1))

    flatten = ravel

    def transpose(self, *axes: Any) -> Tape:
        """The axes in another order."""
        order = axes[0] if len(axes) == 1 and isinstance(axes[0], tuple | list) else axes
        return Tape(self.tensor.permute(*order)) if order and order[0] is not None else self.T

    def __getattr__(self, name: str) -> Any:
        if name not in METHODS:
            raise AttributeError(name)
        function = getattr(np, name)
        return lambda *arguments, **settings: function(self, *arguments, **settings)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **settings: Any) -> Any:
        """The ufunc by torch; what only looks at values is left to NumPy."""
        name = ufunc.__name__
        if name in BRANCHING:
            return getattr(ufunc, method)(*(plain(each) for each in inputs), **settings)
        if settings.get("where") is not None or method not in ("__call__", "reduce", "at", "outer"):
            raise NotFollowed(f"np.{name}.{method}")
        if method == "reduce":
            if name not in REDUCTIONS:
                raise NotFollowed(f"np.{name}.reduce")
            return FUNCTIONS[REDUCTIONS[name]](inputs[0], **{"axis": 0, **settings})
        if name not in UFUNCS or (method == "at" and name != "add"):
            raise NotFollowed(f"np.{name}")
        if method == "at":
            array, index, values = inputs
            where = torch.arange(array.size).reshape(array.shape)[places(index)]  # slices beside lists of places too
            flat = array.tensor.reshape(-1)
            added = as_tensor(values).expand(where.shape).reshape(-1)
            array.tensor = flat.index_put((where.reshape(-1),), added, accumulate=True).reshape(array.shape)
            return None
        tensors = [as_tensor(each) for each in inputs]
        if method == "outer":
            tensors[0] = tensors[0].reshape(*tensors[0].shape, *(1,) * tensors[1].dim())
        result = Tape(UFUNCS[name](*tensors))
        if out is not None:
            out[0].tensor = result.tensor.expand(out[0].shape)
            return out[0]
        return result

    def __array_function__(self, function: Any, types: Any, arguments: Any, settings: Any) -> Any:
        """The function by torch."""
        name = function.__name__
        if name in SIZES and len(arguments) == 1:
            return getattr(arguments[0], name)
        if name in LOOKS:
            return function(*(plain(each) for each in arguments), **settings)
        if name not in FUNCTIONS:
            raise NotFollowed(f"np.{name}")
        return FUNCTIONS[name](*arguments, **settings)


def as_tensor(value: Any) -> torch.Tensor:
    """A tensor of float64; lists of tapes are stacked."""
    if isinstance(value, Tape):
        return value.tensor
    if isinstance(value, torch.Tensor):
        return value.double()
    if isinstance(value, list | tuple):
        return torch.stack([as_tensor(each) for each in value])
    return torch.as_tensor(np.array(value, np.float64))


def plain(value: Any) -> Any:
    """The values as float64; what is no ``Tape`` stays as it is."""
    return np.asarray(value) if isinstance(value, Tape) else value


def is_basic(index: Any) -> bool:
    """Whether NumPy answers an index with a view."""
    items = index if isinstance(index, tuple) else (index,)
    return all(
        each is None
        or each is Ellipsis
        or (isinstance(each, slice) and (each.step or 1) > 0)
        or (isinstance(each, int | np.integer) and not isinstance(each, bool))
        for each in items
    )


def _turned(tensor: torch.Tensor, index: Any) -> tuple[torch.Tensor, Any]:
    """A slice with a negative step, which torch lacks, as a flipped axis."""
    items = list(index) if isinstance(index, tuple) else [index]
    if any(isinstance(each, slice) and (each.step or 1) < 0 for each in items):
        kept = [np.arange(size) for size in tensor.shape]
        for axis, each in enumerate(items):
            if not isinstance(each, slice):
                raise NotFollowed("a slice with a negative step beside an index")
            kept[axis] = kept[axis][each]
        for axis, rows in enumerate(kept):
            tensor = tensor.index_select(axis, torch.as_tensor(rows.copy()))
        return tensor, ()
    return tensor, places(index)


def places(index: Any) -> Any:
    """An index of NumPy's as torch takes it."""
    if isinstance(index, tuple):
        return tuple(places(each) for each in index)
    if isinstance(index, range):
        index = list(index)
    if isinstance(index, list | np.ndarray | Tape):
        index = np.asarray(index)
        return torch.as_tensor(index if index.dtype.kind == "b" else index.astype(np.int64))
    return int(index) if isinstance(index, np.integer) else index


def _tensordot(a: Any, b: Any, axes: Any = 2) -> Tape:
    """Sums over pairs of axes, given as a count, or as one or several axes of each side."""
    if not isinstance(axes, int):
        axes = [[int(each)] if np.ndim(each) == 0 else [int(one) for one in each] for each in axes]
    return Tape(torch.tensordot(as_tensor(a), as_tensor(b), axes))


def _pick(a: torch.Tensor, b: torch.Tensor, first: torch.Tensor) -> torch.Tensor:
    return torch.where(first, a, b)


UFUNCS: dict[str, Callable[..., torch.Tensor]] = {
    "add": torch.add, "subtract": torch.subtract, "multiply": torch.multiply, "divide": torch.divide,
    "matmul": torch.matmul, "negative": torch.neg, "positive": torch.clone, "exp": torch.exp, "exp2": torch.exp2,
    "expm1": torch.expm1, "log": torch.log, "log2": torch.log2, "log10": torch.log10, "log1p": torch.log1p,
    "sqrt": torch.sqrt, "square": torch.square, "power": torch.pow, "float_power": torch.pow,
    "reciprocal": torch.reciprocal, "sin": torch.sin, "cos": torch.cos, "tan": torch.tan, "sinh": torch.sinh,
    "cosh": torch.cosh, "tanh": torch.tanh, "arcsin": torch.asin, "arccos": torch.acos, "arctan": torch.atan,
    "arcsinh": torch.asinh, "arccosh": torch.acosh, "arctanh": torch.atanh, "conjugate": torch.clone,
    "maximum": lambda a, b: _pick(a, b, a >= b), "fmax": lambda a, b: _pick(a, b, a >= b),
    "minimum": lambda a, b: _pick(a, b, a <= b), "fmin": lambda a, b: _pick(a, b, a <= b),
    "absolute": lambda a: _pick(a, -a, a >= 0), "fabs": lambda a: _pick(a, -a, a >= 0),
    "logaddexp": torch.logaddexp, "heaviside": lambda a, b: torch.heaviside(a.detach(), b.detach().expand_as(a)),
    "remainder": torch.remainder,
}  # fmt: skip
"""Each ufunc that has a derivative, by torch."""

REDUCTIONS = {"add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min"}


def _axes(tensor: torch.Tensor, axis: Any) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(tensor.dim()))
    return tuple(axis) if isinstance(axis, tuple | list) else (int(axis),)


def _sum(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **_: Any) -> Tape:
    tensor = as_tensor(a)
    return Tape(tensor.sum(_axes(tensor, axis), keepdim=keepdims is True) if tensor.dim() else tensor)


def _mean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **_: Any) -> Tape:
    tensor = as_tensor(a)
    return Tape(tensor.mean(_axes(tensor, axis), keepdim=keepdims is True) if tensor.dim() else tensor)


def _prod(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: Any = False, **_: Any) -> Tape:
    tensor = as_tensor(a)
    return Tape(tensor.prod() if axis is None else tensor.prod(int(axis), keepdim=keepdims is True))


def _variance(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: int = 0, keepdims: Any = False, **_: Any
) -> Tape:
    tensor = as_tensor(a)
    return Tape(tensor.var(_axes(tensor, axis), correction=ddof, keepdim=keepdims is True))


def _extreme(which: str) -> Callable[..., Tape]:
    """The largest (smallest) entries, the first of equal ones."""

    def function(a: Any, axis: Any = None, out: Any = None, keepdims: Any = False, **_: Any) -> Tape:
        tensor = as_tensor(a)
        values = tensor.detach().numpy()
        pick = np.argmax if which == "max" else np.argmin
        if axis is None:
            result = tensor.reshape(-1)[int(pick(values))]
            return Tape(result.reshape((1,) * tensor.dim()) if keepdims is True else result)
        axes = [each % tensor.dim() for each in _axes(tensor, axis)]
        for each in axes:
            place = torch.as_tensor(np.expand_dims(pick(tensor.detach().numpy(), axis=each), each))
            tensor = torch.take_along_dim(tensor, place, each)
        if keepdims is not True:
            for each in sorted(axes, reverse=True):
                tensor = tensor.squeeze(each)
        return Tape(tensor)

    return function


def _dot(a: Any, b: Any, out: Any = None) -> Tape:
    a, b = as_tensor(a), as_tensor(b)
    if a.dim() == 0 or b.dim() == 0:
        return Tape(a * b)
    return Tape(torch.tensordot(a, b, dims=([-1], [-2 if b.dim() > 1 else 0])))


def _where(condition: Any, *choices: Any) -> Any:
    condition = np.asarray(plain(condition)) != 0
    if not choices:
        return np.where(condition)
    first, second = choices
    return Tape(torch.where(torch.as_tensor(condition), as_tensor(first), as_tensor(second)))


def _clip(a: Any, low: Any = None, high: Any = None, out: Any = None, **bounds: Any) -> Any:
    low, high = bounds.get("a_min", bounds.get("min", low)), bounds.get("a_max", bounds.get("max", high))
    a = a if low is None else np.maximum(a, low)
    return a if high is None else np.minimum(a, high)


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A002  (NumPy's name)
    if ord not in (None, 2, "fro") or (ord == 2 and axis is None and np.ndim(x) > 1):
        raise NotFollowed(f"np.linalg.norm of order {ord}")
    return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))


def _average(a: Any, axis: Any = None, weights: Any = None, **settings: Any) -> Any:
    if weights is None:
        return _mean(a, axis, **settings)
    return np.sum(a * weights, axis=axis) / np.sum(weights * np.ones(np.shape(a)), axis=axis)


def _cumsum(a: Any, axis: Any = None, **_: Any) -> Tape:
    tensor = as_tensor(a)
    return Tape(tensor.reshape(-1).cumsum(0) if axis is None else tensor.cumsum(axis))


def _append(a: Any, b: Any, axis: Any = None) -> Tape:
    parts = _tensors((a, b))
    return Tape(torch.cat([each.reshape(-1) for each in parts], 0) if axis is None else torch.cat(parts, axis))


def _like(fill: float) -> Callable[..., Tape]:
    return lambda a, *_, **__: Tape(torch.full(np.shape(a), fill, dtype=torch.float64))


def _tensors(parts: Any) -> list[torch.Tensor]:
    return [as_tensor(each) for each in parts]


def _split(a: Any, parts: Any, axis: int = 0) -> list[Tape]:
    places = parts if isinstance(parts, int) else [int(each) for each in parts]
    return [Tape(each) for each in torch.tensor_split(as_tensor(a), places, axis)]


def _pad(a: Any, width: Any, mode: str = "constant", constant_values: Any = 0, **_: Any) -> Tape:
    fills = np.unique(constant_values)
    if mode != "constant" or fills.size != 1:
        raise NotFollowed(f"np.pad in mode {mode}")
    tensor = as_tensor(a)
    widths = np.broadcast_to(np.asarray(width), (tensor.dim(), 2))[::-1].reshape(-1)
    return Tape(torch.nn.functional.pad(tensor, [int(each) for each in widths], value=float(fills[0])))


def _places(name: str) -> Callable[..., Tape]:
    """A function that only moves entries: NumPy says which entry comes to which place, torch takes them."""

    def function(a: Any, *rest: Any, **settings: Any) -> Any:
        tensor = as_tensor(a)
        numbers = np.arange(tensor.numel()).reshape(tuple(tensor.shape))
        moved = getattr(np, name)(numbers, *rest, **settings)
        return Tape(tensor.reshape(-1)[torch.as_tensor(np.array(moved))])

    return function


MOVES = (
    "reshape", "ravel", "transpose", "swapaxes", "moveaxis", "squeeze", "expand_dims", "repeat", "tile", "diagonal",
    "broadcast_to", "flip", "fliplr", "flipud", "rot90", "roll", "take", "atleast_1d", "atleast_2d", "delete",
)  # fmt: skip
"""Functions that only move entries."""

FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _places(name) for name in MOVES},
    "sum": _sum, "mean": _mean, "prod": _prod, "average": _average, "var": _variance,
    "std": lambda *arguments, **settings: np.sqrt(_variance(*arguments, **settings)),
    "max": _extreme("max"), "amax": _extreme("max"), "min": _extreme("min"), "amin": _extreme("min"),
    "cumsum": _cumsum,
    "dot": _dot, "inner": lambda a, b: Tape(torch.inner(as_tensor(a), as_tensor(b))),
    "vdot": lambda a, b: _dot(a.reshape(-1), b.reshape(-1)),
    "outer": lambda a, b, out=None: Tape(torch.outer(as_tensor(a).reshape(-1), as_tensor(b).reshape(-1))),
    "tensordot": _tensordot,
    "einsum": lambda rule, *parts, **_: Tape(torch.einsum(rule, *_tensors(parts))),
    "kron": lambda a, b: Tape(torch.kron(as_tensor(a), as_tensor(b))),
    "trace": lambda a, **_: Tape(torch.trace(as_tensor(a))),
    "diag": lambda a, k=0: Tape(torch.diag(as_tensor(a), k)),
    "diagflat": lambda a, k=0: Tape(torch.diagflat(as_tensor(a), k)),
    "tril": lambda a, k=0: Tape(torch.tril(as_tensor(a), k)), "triu": lambda a, k=0: Tape(torch.triu(as_tensor(a), k)),
    "concatenate": lambda parts, axis=0, **_: Tape(torch.cat(_tensors(parts), axis)),
    "stack": lambda parts, axis=0, **_: Tape(torch.stack(_tensors(parts), axis)),
    "hstack": lambda parts, **_: Tape(torch.hstack(_tensors(parts))),
    "vstack": lambda parts, **_: Tape(torch.vstack(_tensors(parts))),
    "column_stack": lambda parts: Tape(torch.column_stack(_tensors(parts))),
    "append": _append,
    "split": _split, "array_split": _split, "hsplit": lambda a, parts: _split(a, parts, 1), "vsplit": _split,
    "where": _where, "clip": _clip, "norm": _norm, "pad": _pad, "copy": lambda a, **_: a.copy(),
    "zeros_like": _like(0.0), "ones_like": _like(1.0), "empty_like": _like(0.0),
    "full_like": lambda a, value, *_, **__: _like(float(value))(a),
}  # fmt: skip
"""Each function that has a derivative, by torch."""

SIZES = frozenset(("shape", "ndim", "size"))
"""Functions that are attributes of arrays, too."""

LOOKS = frozenset(
    (
        "argmax", "argmin", "argsort", "any", "all", "count_nonzero", "nonzero", "array_equal", "allclose", "isclose",
        "round", "around", "shape", "ndim", "size",
    )
)  # fmt: skip
"""Functions that look at values and hand back places, counts or truth."""

METHODS = frozenset(
    (
        "sum", "mean", "prod", "var", "std", "max", "min", "argmax", "argmin", "clip", "dot", "squeeze", "repeat",
        "swapaxes", "cumsum", "trace", "diagonal", "any", "all", "round", "take", "argsort", "nonzero",
    )
)  # fmt: skip
"""Methods that are the function of that name."""
