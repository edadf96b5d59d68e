"""One turn of a torch module, call by call: every value, the cost, every gradient, and one step of an optimiser.

The module runs as it is, in float64: torch hands each of its calls to a TorchFunctionMode, whoever makes it, so that
functions and operators of a subclass are seen like layers. A call can be replaced, and a value or a gradient put in.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.special import expit, softmax
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from manual.notation import Array

Arrays = dict[str, Array]

UNIT_CALLS = ("relu", "leaky_relu", "sigmoid", "tanh", "gelu", "elu", "silu", "softplus", "softmax", "log_softmax")
LOSS_CALLS = ("cross_entropy", "nll_loss", "mse_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits")
NORMS = ("batch_norm", "layer_norm")
POOLS = ("max_pool2d", "avg_pool2d")

ARGUMENTS: dict[str, tuple[str, ...]] = {
    "linear": ("input", "weight", "bias"),
    "conv2d": ("input", "weight", "bias", "stride", "padding", "dilation", "groups"),
    "max_pool2d": ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices"),
    "avg_pool2d": ("input", "kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"),
    "batch_norm": ("input", "running_mean", "running_var", "weight", "bias", "training", "momentum", "eps"),
    "layer_norm": ("input", "normalized_shape", "weight", "bias", "eps"),
    "softmax": ("input", "dim"),
    "log_softmax": ("input", "dim"),
    "leaky_relu": ("input", "negative_slope"),
    "elu": ("input", "alpha"),
    "dropout": ("input", "p", "training"),
    **dict.fromkeys(LOSS_CALLS, ("input", "target", "weight")),
}
"""The names of a call's arguments, in order; a unit has its input alone."""

ORDERS = ("flatten", "view", "reshape")
PATHS = ("add", "cat")
NAMES = {"add_": "add", "concat": "cat", "concatenate": "cat", "__add__": "add", "__iadd__": "add"}
SEEN = (*ARGUMENTS, *UNIT_CALLS, *ORDERS, *PATHS)


class Call(NamedTuple):
    """A call: what it is, with its arguments by name; those of flatten, add and the like are ``rest``, as given.

    ``times`` counts earlier calls with the same parameters; of a loss, J is ``share`` times what it gives.
    """

    op: str
    given: dict[str, Any]
    function: Callable[..., Any]
    rest: tuple[Any, ...] = ()
    times: int = 0
    share: float = 1.0

    def run(self, **changes: Any) -> Any:
        """What it gives with other arguments."""
        if self.op in ORDERS or self.op in PATHS:
            return self.function(*self.rest, **{**self.given, **changes})
        return self.function(**{**self.given, **changes})

    @property
    def x(self) -> Tensor:
        """What comes in."""
        value: Tensor = self.given["input"] if "input" in self.given else self.rest[0]
        return value


Patch = Callable[[Call], Any]
"""What stands in place of a call."""


class Value(NamedTuple):
    """A quantity of the turn: the names that people give it, its stage, and what sort of array it is."""

    aliases: tuple[str, ...]
    stage: str
    sort: str = "value"


class Site(NamedTuple):
    """Where a call stands: its number, its kind, the module that makes it, the name of its value."""

    number: int
    op: str
    path: str
    name: str


class _Watch(TorchFunctionMode):
    """Every call in order; patches by its number; noise as rounding in each."""

    def __init__(
        self, patches: Mapping[int, Patch], unit: float, seed: int, put: Mapping[int, Tensor], share: float
    ) -> None:
        super().__init__()
        self.patches, self.put, self.unit, self.share = patches, put, unit, share
        self.rng = torch.Generator().manual_seed(seed)
        self.found: list[tuple[Call, str, Any]] = []
        self.path: list[str] = []
        self.uses: dict[int, int] = {}

    def noise(self, like: Tensor) -> Tensor:
        """Random numbers from -1 to 1."""
        return 2 * torch.rand(like.shape, generator=self.rng, dtype=like.dtype) - 1

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        op = getattr(func, "__name__", "")
        op = NAMES.get(op, op)
        first = args[0] if args else kwargs.get("input")
        floating = isinstance(first, (list, tuple)) or (isinstance(first, Tensor) and first.is_floating_point())
        if op not in SEEN or not floating:
            return func(*args, **kwargs)
        if op in ORDERS or op in PATHS:
            call = Call(op, kwargs, torch.add if op == "add" else func, tuple(args))
        else:
            names = ARGUMENTS.get(op, ("input",))
            given = dict(zip(names, args, strict=False)) | kwargs
            given = {name: each for name, each in given.items() if name not in ("inplace", "_stacklevel")}
            weight = given.get("weight")
            times = self.uses.get(id(weight), 0) if isinstance(weight, Tensor) else 0
            self.uses[id(weight)] = times + 1
            call = Call(
                op,
                given,
                getattr(F, op) if op not in ("sigmoid", "tanh") else getattr(torch, op),
                (),
                times,
                self.share,
            )
        number = len(self.found)
        out = self.patches[number](call) if number in self.patches else call.run()
        if number in self.put:
            out = self.put[number] + (out - out.detach())  # the gradient goes on as before
        if self.unit and isinstance(out, Tensor):
            if op in ("sigmoid", "tanh"):  # the slope is made of A: 1 - A^2 is rounded as numbers of size one are
                out = out + self.unit * self.noise(out) * out.detach().abs() * (call.x - call.x.detach())
            out = out + self.unit * self.noise(out) * _magnitude(call, out)
        self.found.append((call, self.path[-1] if self.path else "", out))
        return out


def _magnitude(call: Call, out: Tensor) -> Tensor:
    """What is rounded: of sums of products the magnitudes that are added, so that a unit at its kink may turn."""
    if call.op not in ("linear", "conv2d"):
        return out.detach()
    b = call.given.get("bias")
    terms = {"input": call.x.abs(), "weight": call.given["weight"].abs(), "bias": None if b is None else b.abs()}
    sizes: Tensor = call.run(**terms)
    return sizes.detach()


class Trace:
    """A module with its data, cost and optimiser, run as often as it takes; nothing of the person's is changed."""

    def __init__(
        self,
        module: nn.Module,
        X: Any,
        Y: Any = None,
        loss: Callable[[Any, Any], Tensor] | None = None,
        optimizer: torch.optim.Optimizer | None = None,
    ) -> None:
        """Raises ValueError, in one sentence, where the module or the cost cannot run on the data."""
        self.module, self.optimizer = copy.deepcopy((module, optimizer))
        self.module.double()
        if self.optimizer is not None:
            self.optimizer.load_state_dict(self.optimizer.state_dict())  # its state in float64 too
        self.X, self.Y, self.loss = _tensor(X), None if Y is None else _tensor(Y), loss
        self.values: dict[str, Value] = {}
        self.sites: list[Site] = []
        self.calls: list[Call] = []
        self.weights: dict[int, str] = {}
        self.share = 1.0
        self.notes: tuple[str, ...] = ()
        try:
            self.base = self.run()
        except (RuntimeError, TypeError, IndexError, AttributeError) as error:
            raise ValueError(f"the module does not run on X and Y: {str(error).splitlines()[0]}") from error

    def run(
        self,
        patches: Mapping[int, Patch] | None = None,
        *,
        put: Mapping[str, Array] | None = None,
        unit: float = 0.0,
        seed: int = 0,
        step: bool = True,
    ) -> Arrays:
        """All values by name, in order; ``put`` are those that stand in place of the module's own.

        ``unit`` moves what every call gives by so many parts of itself at most, as rounding does.
        """
        put = put or {}
        places = {site.name: site.number for site in self.sites}
        given = {places[name]: torch.from_numpy(value) for name, value in put.items() if name in places}
        state = {n: v.detach().clone().requires_grad_(v.is_floating_point()) for n, v in self.module.named_parameters()}
        buffers = {n: v.detach().clone() for n, v in self.module.named_buffers()}
        watch = _Watch(patches or {}, unit, seed, given, self.share)
        x = self.X.clone().requires_grad_(self.X.is_floating_point())
        begin = x * (1 + unit * watch.noise(x)) if x.is_floating_point() else x
        moved = {name: value * (1 + unit * watch.noise(value)) if unit else value for name, value in state.items()}
        with torch.random.fork_rng(devices=[]), self._paths(watch.path), watch:
            torch.manual_seed(0)
            out = torch.func.functional_call(self.module, {**moved, **buffers}, (begin,))
            cost = self.loss(out, self.Y) if self.loss is not None else None
        if not self.values:
            self.calls = [call for call, *_ in watch.found]
            self._name(watch.found, state, buffers, cost)
            losses = [out for call, _, out in watch.found if call.op in LOSS_CALLS]
            if len(losses) == 1 and cost is not None and losses[0].ndim == 0 and losses[0] != 0:
                self.share = float(cost.detach() / losses[0].detach())
                self.calls = [call._replace(share=self.share) for call in self.calls]
        found: Arrays = {"X": _array(self.X)} | ({} if self.Y is None else {"Y": _array(self.Y)})
        found |= {name: _array(value) for name, value in state.items()}
        forward = {site.name: watch.found[site.number][2] for site in self.sites}
        found |= {name: _array(value) for name, value in forward.items()}
        self._beside(found)
        found |= {name: _array(value) for name, value in buffers.items() if value.is_floating_point()}
        if cost is not None:
            found["J"] = _array(cost)
            found |= self._gradients(cost, forward, {"X": x, **state}, put, unit, watch.noise)
            if self.optimizer is not None and step:
                found |= self.stepped(found)
        return {name: found[name] for name in self.values if name in found}

    def _gradients(
        self,
        cost: Tensor,
        forward: Mapping[str, Any],
        leaves: Mapping[str, Tensor],
        put: Mapping[str, Array],
        unit: float,
        noise: Callable[[Tensor], Tensor],
    ) -> Arrays:
        """Of every value and parameter; rounded by so much, of the last value as A - Y is."""
        wanted = {
            name: value
            for name, value in {**forward, **leaves}.items()
            if isinstance(value, Tensor) and value.requires_grad and f"d {name}" in self.values
        }
        for name in wanted if unit else ():
            beside = unit / len(self.X) if name == self.sites[-2 if len(self.sites) > 1 else -1].name else 0.0
            wanted[name].register_hook(lambda g, beside=beside: g + (unit * g.abs() + beside) * noise(g))  # type: ignore[no-untyped-call]
        for name in wanted:
            if f"d {name}" in put and name in forward:
                mine = torch.from_numpy(put[f"d {name}"])
                wanted[name].register_hook(lambda _, mine=mine: mine)  # type: ignore[no-untyped-call]
        grads = torch.autograd.grad(cost, list(wanted.values()), allow_unused=True)
        found = {f"d {n}": _array(g) for n, g in zip(wanted, grads, strict=True) if g is not None}
        return found | {name: value for name, value in put.items() if name in found and name[2:] in leaves}

    def moved(self, params: Mapping[str, Array]) -> Trace:
        """The same with other parameters."""
        other = copy.copy(self)
        other.module = copy.deepcopy(self.module)
        with torch.no_grad():
            for name, value in other.module.named_parameters():
                value.copy_(torch.from_numpy(params.get(name, value.detach().numpy())))
        return other

    def stepped(self, found: Mapping[str, Array]) -> Arrays:
        """The parameters after one step of a copy of the optimiser from these gradients."""
        module, optimizer = copy.deepcopy((self.module, self.optimizer))
        assert optimizer is not None
        for name, value in module.named_parameters():
            value.grad = torch.from_numpy(found[f"d {name}"]).clone() if f"d {name}" in found else None
        optimizer.step()
        return {f"new {name}": _array(value) for name, value in module.named_parameters()}

    def _beside(self, found: Arrays) -> None:
        """The probabilities that the cost makes of logits: the A of the last layer."""
        last = self.sites[-1].op if self.sites else ""
        if "A last" in self.values:
            Z = found[self.values["A last"].sort]
            found["A last"] = softmax(Z, axis=1) if last == "cross_entropy" else expit(Z)

    @contextmanager
    def _paths(self, path: list[str]) -> Iterator[None]:
        """Which module is running, while it runs."""
        hooks = []
        for name, module in self.module.named_modules():
            if name:
                hooks.append(module.register_forward_pre_hook(lambda *_, name=name: path.append(name)))
                hooks.append(module.register_forward_hook(lambda *_: (path.pop(), None)[1]))
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def _name(self, found: list[Any], state: Mapping[str, Tensor], buffers: Mapping[str, Tensor], cost: Any) -> None:
        """Name every value as people do: Z1 and A1 of the first layer with parameters, else by its module or kind."""
        owner = {id(value): name for name, value in state.items()}
        counts: dict[str, int] = {}
        totals: dict[str, int] = {}
        for call, _, _ in found:
            totals[call.op] = totals.get(call.op, 0) + 1
        forward: dict[str, Value] = {"X": Value(("X", "x", "A0", "input"), "forward")}
        of_calls: list[tuple[str, list[str]]] = []
        params: dict[str, Value] = {}
        layers, norms, calls, bare, last = 0, 0, 0, False, ""
        for number, (call, path, _) in enumerate(found):
            op = call.op
            counts[op] = counts.get(op, 0) + 1
            if op in LOSS_CALLS:
                self.sites.append(Site(number, op, path, f"cost {number}"))
                continue
            kind = {"batch_norm": "bn", "layer_norm": "ln", "max_pool2d": "maxpool", "avg_pool2d": "avgpool"}.get(
                op, op
            )
            plain = [path] * (bool(path) and "\0" not in path) + [f"{kind}{counts[op]}"]
            plain += [kind] * (totals[op] == 1)
            own = [owner[id(each)] for each in call.given.values() if id(each) in owner]
            if op in ("linear", "conv2d"):
                calls += 1
                plain, bare = [f"Z{calls}", *(["Z"] if calls == 1 else []), *plain], True
                weight = owner.get(id(call.given["weight"]))
                if weight is not None:
                    self.weights[number] = weight
                if call.times == 0:
                    layers += 1
                    params |= {n: _parameter(n, layers, call.given.get("weight") is state[n]) for n in own}
            elif op in NORMS:
                norms += 1
                params |= {n: _scale(n, norms, call.given.get("weight") is state[n]) for n in own}
                mine = [n for n in buffers if path and n.rpartition(".")[0] == path]
                forward |= {n: Value((n, *_numbered(n.rpartition(".")[2], norms)), "buffer") for n in mine}
            elif op in UNIT_CALLS and bare and calls:
                plain, bare = [f"A{calls}", *(["A"] if calls == 1 else []), *plain], False
            elif op in POOLS:
                pools = counts.get("max_pool2d", 0) + counts.get("avg_pool2d", 0)
                plain += [f"pool{pools}", f"P{pools}"]
            name = plain[0]
            while name in forward:
                name += "'"
            forward[name] = Value(tuple(plain), "forward")
            self.sites.append(Site(number, op, path, name))
            of_calls.append((name, [n for n in own if call.times == 0]))
            last = name
        if self.sites and self.sites[-1].op in ("cross_entropy", "binary_cross_entropy_with_logits") and bare:
            forward["A last"] = Value((f"A{calls}", *(["A"] if calls == 1 else [])), "forward", sort=last)
        params |= {name: Value((name,), "given") for name in state if name not in params}
        self.values = {"X": forward.pop("X"), **params}
        if self.Y is not None:
            self.values["Y"] = Value(("Y", "y", "labels", "targets"), "given")
        self.values |= {name: value for name, value in forward.items() if value.stage == "forward"}
        self.values |= {n: v._replace(stage="forward") for n, v in forward.items() if v.stage == "buffer"}
        if cost is None:
            return
        self.values["J"] = Value(("J", "loss", "cost", "L"), "forward", "number")
        for name, own in reversed(of_calls):
            for each in (name, *own):
                self.values[f"d {each}"] = self.values[each]._replace(stage="gradient")
        self.values["d X"] = self.values["X"]._replace(stage="gradient")
        if self.optimizer is not None:
            self.values |= {f"new {name}": self.values[name]._replace(stage="step") for name in state}


def _numbered(name: str, number: int) -> tuple[str, ...]:
    return (f"{name}{number}", *([name] if number == 1 else []))


def _parameter(name: str, layer: int, weight: bool) -> Value:
    sort = "weight" if weight else "bias"
    return Value(
        (*_numbered("W" if weight else "b", layer), name, *(("w",) if weight and layer == 1 else ())), "given", sort
    )


def _scale(name: str, number: int, weight: bool) -> Value:
    return Value((name, *_numbered("gamma" if weight else "beta", number)), "given", "bias")


def _tensor(value: Any) -> Tensor:
    """A person's data as torch takes them: real numbers in float64, whole ones as classes."""
    found = value.detach().cpu() if isinstance(value, Tensor) else torch.from_numpy(np.ascontiguousarray(value))
    return found.double() if found.is_floating_point() else found.long()


def _array(value: Any) -> Array:
    """A value in float64."""
    return np.array(value.detach().numpy(), np.float64)
