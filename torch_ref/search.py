"""The coarse search for learning rate and regularisation: all draws trained together, as one stack of networks.

torch.func stacks the parameters of all networks and runs them at once; small networks leave a processor idle one by
one. Every network starts from the same weights and sees the same batches and masks, as torch_ref.training.fit would
give them from the same seed.

Notes: F255-F261.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap

from manual.architecture import Architecture
from manual.checks import check_batches, check_data
from manual.draws import dropout_masks
from manual.shared.search_ranges import COARSE
from manual.shared.settings import COSTS_SEEN, EXPLODED, Examples, Settings, batches, named, score_of, start
from torch_ref import network
from torch_ref.costs import OUTPUT_COSTS, l2_penalty
from torch_ref.devices import DTYPES, array, device_named
from torch_ref.graph import Capture, Recorded, capturable, capture_on, tensors
from torch_ref.layers import MaskedDropout
from torch_ref.layout import to_rows
from torch_ref.network import Arrays, Network
from torch_ref.optimizers import OPTIMIZERS

Stack: TypeAlias = dict[str, Tensor]
"""A parameter of all networks by torch's name for it, the networks along the first axis."""


class Draw(NamedTuple):
    """A point of the search."""

    learning_rate: float
    reg: float


SEARCHED = {name: rule for name, rule in OPTIMIZERS.items() if name != "adamw"}
"""Rules whose direction does not depend on the parameters: many networks share one."""


@dataclass(frozen=True)
class Plan:
    """How every draw is trained: the notes' 5 epochs, batches of 100, and a rate that falls to 0.9 of it every epoch.

    Raises ValueError for a setting out of range.
    """

    epochs: int = 5
    batch_size: int = 100
    decay: float = 0.9
    optimizer: str = "adam"
    initialization: str = "he"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the numbers."""
        self.settings(Draw(1.0, 0.0))
        named(SEARCHED, "optimizer", self.optimizer, {})
        if not 0 < self.decay <= 1:
            raise ValueError(f"decay is {self.decay}, expected a number in (0, 1]: the part that an epoch leaves")

    def settings(self, draw: Draw) -> Settings:
        """What the loop of training takes for one draw; lambda = reg m is that of a whole batch."""
        return Settings(
            optimizer=self.optimizer,
            learning_rate=draw.learning_rate,
            epochs=self.epochs,
            batch_size=self.batch_size,
            lambda_=draw.reg * self.batch_size,
            decay="exponential",
            decay_options={"decay": self.decay},
            initialization=self.initialization,
            seed=self.seed,
        )


class Trial(NamedTuple):
    """What came of a draw: cost and score on the validation part, without the penalty, and the parameters."""

    learning_rate: float
    reg: float
    cost: float
    score: float
    exploded: bool
    params: Arrays


def draws(count: int, rng: np.random.Generator) -> list[Draw]:
    """Learning rates and regularisations from the notes' coarse ranges, uniform in their logarithms.

    Raises ValueError for a count below 1.

    Notes: F255, F256, F257, F258.
    """
    if count < 1:
        raise ValueError(f"draws is {count}, expected at least 1")
    reg_range, rate_range = COARSE
    rates, regs = (found.distribution().rvs(count, random_state=rng) for found in (rate_range, reg_range))
    return [Draw(float(rate), float(reg)) for rate, reg in zip(rates, regs, strict=True)]


def search(
    architecture: Architecture,
    data: Examples,
    validation: Examples,
    points: Sequence[Draw],
    plan: Plan | None = None,
    *,
    device: str = "cpu",
    on_step: Callable[[int, int], None] | None = None,
) -> list[Trial]:
    """Train a network for every draw, all together, and try each on the validation part. The best come first.

    X and Y are as for torch_ref.training.fit. A draw whose cost explodes is marked; it disturbs no other.

    Raises ValueError for data that do not fit, an unknown or absent device, or no draws.

    Notes: F255-F261.
    """
    plan = plan or Plan()
    for part in (data, validation):
        check_data(architecture, *part)
    check_batches(architecture, data.Y.shape[1], plan.batch_size)
    if not points:
        raise ValueError("points is empty, expected at least 1 draw")
    place, dtype = device_named(device), DTYPES[np.dtype(data.X.dtype)]
    drawn, rng = start(architecture, plan.settings(points[0]), data.X.dtype)
    stack = _Stack(architecture, drawn, points, plan, place, dtype, capture_on(place))
    X, Y = _rows(data.X, place), _rows(data.Y, place)
    m = len(Y)
    costs, steps = [], plan.epochs * -(-m // plan.batch_size)
    for epoch in range(plan.epochs):
        order = list(batches(m, plan.batch_size, rng))
        chosen = torch.from_numpy(np.concatenate(order)).to(place)
        factor = torch.full((), plan.decay**epoch, dtype=dtype, device=place)
        for batch in torch.split(chosen, plan.batch_size):
            masks = dropout_masks(architecture, len(batch), rng)
            costs.append(stack.step(X.index_select(0, batch), Y.index_select(0, batch), masks, factor))
            if on_step:
                on_step(len(costs), steps)
    blown = exploded(array(torch.stack(costs)))
    losses, answers = stack.tried(_rows(validation.X, place), _rows(validation.Y, place))
    trials = [
        Trial(*point, float(cost), score_of(architecture.output_unit, A_L.T, validation.Y), bool(burst), params)
        for point, cost, A_L, burst, params in zip(points, losses, answers, blown, stack.params(), strict=True)
    ]
    return sorted(trials, key=lambda trial: (trial.exploded, -np.nan_to_num(trial.score, nan=-np.inf)))


def exploded(costs: NDArray[Any]) -> NDArray[np.bool_]:
    """Which columns of (steps, draws) are not finite, or have a mean of the last COSTS_SEEN costs above EXPLODED times
    the first.

    Notes: F253.
    """
    seen = min(COSTS_SEEN, len(costs))
    with np.errstate(invalid="ignore", over="ignore"):
        means = np.lib.stride_tricks.sliding_window_view(costs, seen, axis=0).mean(axis=-1)
        found: NDArray[np.bool_] = ~np.isfinite(costs).all(axis=0) | (means > EXPLODED * costs[0]).any(axis=0)
    return found


def _rows(value: NDArray[Any], place: torch.device) -> Tensor:
    """Examples in torch's layout, on the device."""
    return to_rows(torch.from_numpy(np.ascontiguousarray(value))).contiguous().to(place)


class _Stack:
    """Networks of one architecture, their parameters stacked, with an optimiser for all of them."""

    def __init__(
        self,
        architecture: Architecture,
        params: Arrays,
        points: Sequence[Draw],
        plan: Plan,
        place: torch.device,
        dtype: torch.dtype,
        capture: Capture | None,
    ) -> None:
        """All start from the same parameters; with ``capture`` their steps are recorded."""
        self.unit, self.dtype = architecture.output_unit, dtype
        self.module: Network = network.load_params(network.build(architecture, device=str(place), dtype=dtype), params)
        self.logits = network.Logits(self.module)
        stacked, remembered = stack_module_state([self.logits] * len(points))
        self.stack: Stack = {name: value.detach() for name, value in stacked.items()}
        self.remembered: Stack = dict(remembered)  # running statistics, which a forward pass in training moves
        names = {id(value): name for name, value in self.logits.named_parameters()}
        self.weights = [names[id(slot.tensor)] for slot in self.module.slots if slot.name in architecture.weights]
        rates, regs = (torch.tensor(values, dtype=dtype, device=place) for values in zip(*points, strict=True))
        self.rates, self.regs = rates, regs
        # an optimiser's step is its rate times a direction that does not depend on the parameters: so one rule with
        # the rate 1, on parameters that are zero before every step, gives the directions of all networks
        self.directions = nn.ParameterList([torch.zeros_like(value) for value in self.stack.values()])
        self.rule = SEARCHED[plan.optimizer](self.directions, 1.0)
        self.capture = capture
        if capture:
            capturable(self.rule)
        self.dropouts = [layer for layer in self.module if isinstance(layer, MaskedDropout)]
        self.recorded: dict[int, Recorded] = {}
        self.gradients = vmap(grad_and_value(self._cost), in_dims=(0, 0, 0, None, None))

    def _cost(self, params: Stack, remembered: Stack, reg: Tensor, X: Tensor, Y: Tensor) -> Tensor:
        """(1/m) sum L + (1/2) reg sum W^2 of one network."""
        Z_L: Tensor = functional_call(self.logits, (params, remembered), (X,))
        weights = [params[name] for name in self.weights]
        return OUTPUT_COSTS[self.unit].from_Z(Z_L.T, Y.T) + reg * l2_penalty(weights, 1.0, 1)

    def step(self, X: Tensor, Y: Tensor, masks: Any, factor: Tensor) -> Tensor:
        """One step of all networks; their costs."""
        network.set_masks(self.module, masks, len(Y))
        inputs = (X, Y, factor, *(layer.mask for layer in self.dropouts if layer.mask is not None))
        if self.capture is None:
            return self._step(*inputs)
        if len(Y) not in self.recorded:
            changes = [*self.stack.values(), *self.remembered.values(), *self.directions, *tensors(self.rule).values()]
            self.recorded[len(Y)] = Recorded(self._step, inputs, changes, self.capture)
        found: Tensor = self.recorded[len(Y)](*inputs).clone()
        return found

    def _step(self, X: Tensor, Y: Tensor, factor: Tensor, *masks: Tensor) -> Tensor:
        """The same, as a function of tensors."""
        for layer, mask in zip(self.dropouts, masks, strict=False):
            layer.mask = mask
        grads, costs = self.gradients(self.stack, self.remembered, self.regs, X, Y)
        for direction, name in zip(self.directions, self.stack, strict=True):
            direction.grad = grads[name]
        self.rule.step()
        with torch.no_grad():
            for direction, value in zip(self.directions, self.stack.values(), strict=True):
                value += (factor * self.rates).reshape(-1, *[1] * (value.ndim - 1)) * direction
                direction.zero_()
        found: Tensor = costs.detach()
        return found

    @torch.no_grad()
    def tried(self, X: Tensor, Y: Tensor) -> tuple[NDArray[Any], NDArray[Any]]:
        """Cost without the penalty, and A[L] in rows, of every network."""
        self.module.eval()

        def one(params: Stack, remembered: Stack) -> tuple[Tensor, Tensor]:
            Z_L = functional_call(self.logits, (params, remembered), (X,))
            return OUTPUT_COSTS[self.unit].from_Z(Z_L.T, Y.T), self.module[-1](Z_L)

        costs, answers = vmap(one)(self.stack, self.remembered)
        return array(costs), array(answers)

    def params(self) -> list[Arrays]:
        """The parameters of every network in the notes' layout."""
        kept = {name: value.cpu() for name, value in {**self.stack, **self.remembered}.items()}
        module, found = network.Logits(copy.deepcopy(self.module).cpu()), []
        for number in range(len(self.rates)):
            module.load_state_dict({name: value[number] for name, value in kept.items()})
            found.append(network.export_params(module.network))
        return found
