"""Snap and compare: torch runs the whole network; at every node its value is compared with NumPy's, then replaced.

Forward, a hook on every layer of the module compares what the layer gave and hands NumPy's value on; backward, the
derivative that autograd brings is compared and NumPy's handed on. So the wiring is torch's, the tolerance covers one
operation, and no error grows over layers or steps. A node that autograd never reaches is a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from manual import network as by_hand
from manual.layers import Norm, Weighted
from manual.normalization import Statistics
from manual.notation import Array, Gradients
from parity_tests.comparison.models import ModelCase, Start, about, every_step
from parity_tests.comparison.snap_updates import Updates
from parity_tests.formulas.layer_bounds import PLAIN, WEIGHTED, of_running_statistics
from parity_tests.judging import bounds
from parity_tests.judging.judge import NEAR_OVERFLOW, Ledger, Result, Where
from torch_ref import costs as torch_costs
from torch_ref import network as torch_side
from torch_ref.devices import array, tensor
from torch_ref.layout import from_rows, to_rows
from torch_ref.network import Network


class Snap(torch.autograd.Function):
    """Replaces a value by NumPy's on the way forward and, through ``on_gradient``, its derivative on the way back."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, replacement: Tensor, on_gradient: Callable[[Tensor], Tensor]) -> Tensor:
        """The replacement, in a tensor of its own."""
        ctx.on_gradient = on_gradient
        return replacement.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """Whatever ``on_gradient`` makes of the derivative."""
        return ctx.on_gradient(gradients[0]), None, None


class Step:
    """One forward and backward pass of both sides; what is compared goes into the ledger."""

    def __init__(self, case: ModelCase, here: Start, module: Network, ledger: Ledger, device: str) -> None:
        """Compute the by-hand side; ``run`` lets torch follow."""
        self.case, self.here, self.module, self.ledger, self.device = case, here, module, ledger, device
        self.about = about(case)
        architecture, params, X, Y, masks = here
        self.m = Y.shape[1]
        self.L = len(architecture.layers)
        self.passed = by_hand.forward(architecture, params, X, masks)
        self.J = by_hand.cost(architecture, params, self.passed, Y, case.lambda_)
        self.back = by_hand.backward(architecture, params, self.passed, Y, case.lambda_)
        self.wide = _Wide()
        self.u, self.products = self.units()
        self.tiny = bounds.smallest_normal(ledger.computed)
        self.channels = [torch_side.channels(architecture, l) for l in range(self.L + 1)]
        self.bounds = [None, *(self._backward_bounds(l, k) for l, _, k in architecture.numbered())]
        self.units_gave: dict[int, Any] = {}  # A[l] of torch's activations, which its derivatives are made of
        self.reached: set[tuple[str, int]] = set()

    def units(self) -> tuple[float, float]:
        """Unit roundoff of what is done entry by entry, and of sums of products."""
        u = bounds.unit_roundoff(self.here.X.dtype)
        return u, u

    def tensor(self, value: Any) -> Tensor:
        """NumPy's value as torch goes on with it."""
        return tensor(value, self.device)

    def precision(self) -> AbstractContextManager[Any]:
        """How torch computes while it runs forward."""
        return nullcontext()

    def where(self, quantity: str, layer: int | None) -> Where:
        """What a line of this case is about."""
        return _where(self.about, quantity, layer)

    def compare(self, quantity: str, layer: int | None, got: Any, reference: Any, bound: Any) -> None:
        """Put one array into the ledger, with one operation's bound."""
        where = self.where(quantity, layer)
        self.ledger.add(where, got, reference, bound, lambda: self._computed_from(quantity, layer))

    def _computed_from(self, quantity: str, layer: int | None) -> list[Array]:
        """What goes into a quantity, beside the parameters."""
        A, Z, dA, dZ = self.passed.A, self.passed.Z, self.back.dA, self.back.dZ
        l = self.L if layer is None else layer
        above = min(l + 1, self.L)
        squared = self._squared(above if quantity == "dA" else l)
        of: dict[str, tuple[Array | None, ...]] = {
            "Z": (A[l - 1],),
            "A": (A[l - 1], Z[l]),
            "dZ": (A[l], Z[l], dA[l] if l < self.L else None),
            "dA": (A[l], dA[above] if l < self.L else None, dZ[above] if l < self.L else None),
            "dW": (A[l - 1], dZ[l]),
            "db": (dZ[l],),
        }
        found = of.get(quantity, (Z[l],))
        return [value for value in (*self.here.params.values(), *found, squared) if value is not None]

    def _squared(self, l: int) -> Array | None:
        """What a norm squares, with infinity in place of what may overflow; None for another layer."""
        if not isinstance(self.here.architecture.layers[l - 1], Norm):
            return None
        A_prev = self.passed.A[l - 1]
        largest = NEAR_OVERFLOW * np.sqrt(np.finfo(self.ledger.computed).max)
        small = np.abs(A_prev) < largest
        return A_prev if small.all() else np.where(small, A_prev, np.inf)

    def run(self) -> None:
        """Torch's forward, cost and backward under the hooks; then the gradients of the parameters."""
        X = self.tensor(self.here.X).requires_grad_()
        Y = self.tensor(self.here.Y)
        snapped = Snap.apply(X, X.detach(), self._on_dA(0))  # type: ignore[no-untyped-call]
        with self._hooks(), self.precision():
            passed = torch_side.forward(self.module, snapped, self.here.masks)
        J = torch_side.cost(self.module, passed, Y, self.case.lambda_)
        self._remembered()
        self._cost(J)
        grads = torch_side.backward(self.module, J)
        self._output_dA(Y)
        self._gradients(grads)
        nodes = {("dZ", l) for l, _, k in self.here.architecture.numbered() if k} | {("dA", l) for l in range(self.L)}
        for quantity, l in sorted(nodes - self.reached):
            self.ledger.fail(self.where(quantity, l), "autograd never reached this node")

    @contextmanager
    def _hooks(self) -> Iterator[None]:
        """Hooks on every module of the network, in place for one forward pass."""
        handles = []
        for l, quantity, layer in self.module.nodes():
            handles.append(layer.register_forward_hook(self._on_Z(l) if quantity == "Z" else self._on_A(l)))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _on_Z(self, l: int) -> Callable[..., Tensor]:
        def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
            layer, W, b = self._weighted(l)
            given = self._statistics(l)
            bound = WEIGHTED[type(layer)].forward(self._u(layer), layer, self.wide(self.passed.A[l - 1]), W, b, given)
            return self._snap("Z", l, self.passed.Z[l], output, bound, self._on_dZ(l))

        return hook

    def _on_A(self, l: int) -> Callable[..., Tensor]:
        def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
            layer = self.here.architecture.layers[l - 1]
            reference = self.wide(array(from_rows(output, self.channels[l])))
            if isinstance(layer, Weighted):
                self.units_gave[l] = reference
                bound = bounds.output(self.u, reference, self.wide(self.passed.Z[l]), layer.activation)
            else:
                bound = PLAIN[type(layer)].forward(self.u, layer, reference, self.wide(self.passed.A[l - 1]))
            return self._snap("A", l, self.passed.A[l], output, bound, self._on_dA(l))

        return hook

    def _snap(
        self, quantity: str, l: int, value: Any, output: Tensor, bound: Any, on_gradient: Callable[[Tensor], Tensor]
    ) -> Tensor:
        self.compare(quantity, l, value, array(from_rows(output, self.channels[l])), bound)
        rows = to_rows(self.tensor(value), self.channels[l])
        replaced: Tensor = Snap.apply(output, rows, on_gradient)  # type: ignore[no-untyped-call]
        return replaced

    def _on_dZ(self, l: int) -> Callable[[Tensor], Tensor]:
        def on_gradient(gradient: Tensor) -> Tensor:
            self.reached.add(("dZ", l))
            dZ = self.back.dZ[l]
            reference = array(from_rows(gradient, self.channels[l])) * self.m
            wide = self.wide(reference)
            unit, A = self.here.architecture.activations[l], self.units_gave[l]
            assert dZ is not None
            assert unit is not None
            if l == self.L:
                bound = bounds.output_dZ(self.u, wide, A, self.wide(self.passed.Z[l]), unit)
            else:
                bound = bounds.hidden_dZ(self.u, wide, self.wide(self.back.dA[l]), A, unit, self.tiny)
            self.compare("dZ", l, dZ, reference, bound)
            return to_rows(self.tensor(dZ / self.m), self.channels[l])

        return on_gradient

    def _on_dA(self, l: int) -> Callable[[Tensor], Tensor]:
        def on_gradient(gradient: Tensor) -> Tensor:
            self.reached.add(("dA", l))
            dA = self.back.dA[l]
            # X comes in the notes' layout already; the module's nodes are in torch's
            reference = array(gradient if l == 0 else from_rows(gradient, self.channels[l])) * self.m
            self.compare("dA", l, dA, reference, self._dA_bound(l, self.wide(reference)))
            assert dA is not None
            replacement = self.tensor(dA / self.m)
            return replacement if l == 0 else to_rows(replacement, self.channels[l])

        return on_gradient

    def _weighted(self, l: int) -> tuple[Any, Any, Any]:
        """Layer l with its W and b in float64."""
        _, layer, k = self.here.architecture.numbered()[l - 1]
        return layer, self.wide(self.here.params[f"W{k}"]), self.wide(self.here.params[f"b{k}"])

    def _backward_bounds(self, l: int, k: int) -> tuple[Any, Any, Any] | None:
        """Bounds of dA[l-1], dW and db of a layer with parameters."""
        if not k:
            return None
        layer, W, _ = self._weighted(l)
        dZ, A_prev = bounds.divided(self.wide(self.back.dZ[l]), self.m, self.tiny), self.wide(self.passed.A[l - 1])
        given = self._statistics(l)
        return WEIGHTED[type(layer)].backward(self._u(layer), layer, dZ, A_prev, W, self.case.lambda_, given)

    def _u(self, layer: Weighted) -> float:
        """The unit roundoff of a layer: norms have no products that a shorter format rounds."""
        return self.u if isinstance(layer, Norm) else self.products

    def _statistics(self, l: int) -> Statistics | None:
        """The running statistics that layer l was given, in float64."""
        given = self.passed.masks[l]
        return Statistics(*(self.wide(value) for value in given)) if isinstance(given, Statistics) else None

    def _dA_bound(self, l: int, reference: Any) -> Any:
        """What may separate two dA[l], which layer l + 1 hands down, and every skip that adds A[l]."""
        layers, of_layer = self.here.architecture.layers, self.bounds[l + 1]
        by_skip = [self.wide(self.back.dA[place]) for place, each in enumerate(layers, 1) if each.source == l]
        above = sum(np.abs(each) for each in by_skip)
        if of_layer is not None:
            bound = of_layer[0]
        else:
            dA, A = self.wide(self.back.dA[l + 1]), self.wide(self.passed.A[l])
            below = reference if not by_skip else np.abs(reference) + above
            bound = PLAIN[type(layers[l])].backward(self.u, layers[l], below, dA, A)
        if by_skip:  # two roundings of what each brings, 1/m in and out, and one of every sum
            bound = bound + bounds.gamma(2 + 2 * len(by_skip), self.u) * (np.abs(reference) + 2 * above)
        return bound

    def _remembered(self) -> None:
        """The running statistics after the batch, where the network is in training."""
        net, params = self.here.architecture, self.here.params
        if self.here.masks is None or not net.remembering:
            return
        ours, theirs = by_hand.remembered(net, params, self.passed), torch_side.export_params(self.module)
        for l, k in net.remembering:
            names = f"mean{k}", f"variance{k}"
            before = Statistics(*(self.wide(params[name]) for name in names))
            A_prev = self.wide(self.passed.A[l - 1])
            allowed = of_running_statistics(self.u, net.layers[l - 1], A_prev, before)
            for part, name, bound in zip(Statistics._fields, names, allowed, strict=True):
                self.compare(f"running {part}", l, ours[name], theirs[name], bound)

    def _cost(self, J: Tensor) -> None:
        weights = sum(self.here.params[name].size for name in self.here.architecture.weights)
        reference = array(J)
        bound = bounds.cost_from_logits(
            self.u,
            self.wide(reference),
            self.wide(self.passed.Z[self.L]),
            self.here.architecture.output_unit,
            weights if self.case.lambda_ else 0,
        )
        self.compare("J with L2" if self.case.lambda_ else "J", None, self.J, reference, bound)

    def _output_dA(self, Y: Tensor) -> None:
        """The cost's derivative in A_L, on a graph of its own: the cost itself runs from Z_L."""
        unit = self.here.architecture.output_unit
        A_L = self.passed.A[self.L]
        if unit == "sigmoid" and not np.all((A_L >= 0) & (A_L <= 1)):  # torch's loss refuses it, NaN too
            self.compare("dA", self.L, self.back.dA[self.L], np.full_like(A_L, np.nan), np.nan)
            return
        reference = array(torch_costs.OUTPUT_COSTS[unit].prime(self.tensor(A_L), Y))
        bound = bounds.output_dA(self.u, self.wide(reference), self.wide(A_L), unit)
        self.compare("dA", self.L, self.back.dA[self.L], reference, bound)

    def _gradients(self, grads: dict[str, Array]) -> None:
        for l, _, k in self.here.architecture.numbered():
            of_layer = self.bounds[l]
            if of_layer is not None:
                self.compare("dW", l, self.back.grads[f"dW{k}"], grads[f"dW{k}"], of_layer[1])
                self.compare("db", l, self.back.grads[f"db{k}"], grads[f"db{k}"], of_layer[2])


@cache
def _where(about: Where, quantity: str, layer: int | None) -> Where:
    return about._replace(quantity=quantity, layer=layer)


class _Wide:
    """Float64 copies of arrays, each made once per step."""

    def __init__(self) -> None:
        self._copies: dict[int, tuple[Any, Any]] = {}

    def __call__(self, value: Any) -> Any:
        if value.dtype == np.float64:
            return value
        kept = self._copies.get(id(value))
        if kept is None:
            kept = self._copies[id(value)] = (value, value.astype(np.float64))
        return kept[1]


def longest_sum(begin: Start) -> int:
    """The most terms that one entry of any node adds up: features, examples, or the positions of all examples."""
    volumes = [shape[0] * shape[1] for shape in begin.architecture.shapes if len(shape) == 3]
    return max(*(int(n) for n in begin.X.shape), int(begin.Y.shape[1]) * max(volumes, default=1))


DEAD = "batch norm takes away what a bias below it adds: there is rounding to compare, and no derivative"
"""The reason of a db that cannot be told."""


def explained(lines: list[Result], begin: Start) -> list[Result]:
    """The lines, with the reason why nothing can be told of a bias directly below a batch norm in training."""
    if begin.masks is None:
        return lines
    net = begin.architecture
    dead = {l - 1 for l, _ in net.remembering if net.activations[l - 1] == "identity"}
    return [
        line._replace(reason=DEAD) if line.quantity == "db" and line.layer in dead and line.cannot_tell else line
        for line in lines
    ]


def run_once(case: ModelCase, begin: Start, device: str = "cpu") -> list[Result]:
    """One forward and backward pass of both sides from the same parameters, without an update."""
    module = torch_side.module_with(begin.architecture, begin.params, device=device)
    ledger = Ledger(begin.X.dtype, longest_sum(begin))
    Step(case, begin, module, ledger, device).run()
    return explained(ledger.results(), begin)


def run_steps(case: ModelCase, begin: Start, steps: int, seed: int = 0, device: str = "cpu") -> list[Result]:
    """``steps`` steps of training, both sides starting each from the same parameters and the same optimiser's state.

    ``seed`` draws mini-batches and dropout masks, where the case has them.
    """
    return explained(judged_steps(case, begin, steps, seed, device).results(), begin)


def judged_steps(case: ModelCase, begin: Start, steps: int, seed: int = 0, device: str = "cpu") -> Ledger:
    """The ledger of run_steps, which has every step by itself."""
    params = begin.params
    module = torch_side.module_with(begin.architecture, params, device=device)
    ledger = Ledger(begin.X.dtype, longest_sum(begin))
    updates = Updates(case, begin, module, ledger)
    for number, seen in enumerate(islice(every_step(case, begin, seed), steps)):
        here = seen._replace(params=params)
        torch_side.load_params(module, params)
        if number % case.every == 0:
            step = Step(case, here, module, ledger, device)
            step.run()
            torch_side.load_params(module, params)  # batch norm has moved its running statistics
            passed, grads = step.passed, step.back.grads
        else:
            passed, grads = passes(case, here)
        kept = params if here.masks is None else {**params, **by_hand.remembered(begin.architecture, params, passed)}
        params = {**kept, **updates.step({name: params[name] for name in begin.architecture.learned}, grads)}
    return ledger


def passes(case: ModelCase, here: Start) -> tuple[by_hand.ForwardPass, Gradients]:
    """One forward and backward pass by hand, and the gradients of the parameters."""
    architecture, params, X, Y, masks = here
    passed = by_hand.forward(architecture, params, X, masks)
    return passed, by_hand.backward(architecture, params, passed, Y, case.lambda_, only_grads=True).grads
