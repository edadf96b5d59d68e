"""Free runs: each side trains alone, and the parameters at the end are compared.

Rounding grows over the steps of a free run in a way that no useful worst-case bound covers, so these lines are judged
by sensitivity: the by-hand run is repeated from five starts moved by one unit in the last place, and the two sides
may differ by ten times the spread that this causes. Such lines say "measured", not "derived".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
from torch import Tensor, nn
from torch.nn import functional

from manual import network
from manual import training as by_hand
from manual.layers import Pool, Unit, Weighted
from manual.notation import Parameters
from manual.shared.loop import run as train
from manual.shared.settings import Examples, Run, Settings
from manual.shared.settings import start as draw
from parity_tests.comparison.models import ModelCase, Start, about, first_examples
from parity_tests.formulas.run import generator
from parity_tests.formulas.schedules import schedule_bound
from parity_tests.judging import bounds
from parity_tests.judging.judge import Judgement, Ledger, Result, judge
from torch_ref import training as by_torch
from torch_ref.devices import array, tensor
from torch_ref.layout import to_rows
from torch_ref.training import Hardware

REPEATS = 5
ALLOWANCE = 10

KINKED = ("relu", "leaky_relu")
"""Units whose slope jumps where Z is 0."""


def run_free(case: ModelCase, begin: Start, steps: int, seed: int, device: str = "cpu") -> list[Result]:
    """Parameters and learning rates of both packages' ``fit``, each alone from the same start and the same draws.

    It takes as many examples as the case says, and the steps up to the end of an epoch. Where a unit with a kink (ReLU)
    ends up on the other side of it, or a window finds its maximum in another cell, one rounding changes a whole
    gradient, and the spread of five runs says nothing. Such a line cannot be told, provided that up to that kink the
    two sides agree; otherwise it fails.
    """
    X, Y = first_examples(begin.X, begin.Y, case.free.examples)
    begin = begin._replace(X=X, Y=Y)
    settings = settings_of(case, Y.shape[1], steps, seed)
    rng = generator(case.id + "/free", seed)
    starts = [begin.params, *(moved(begin.params, rng) for _ in range(REPEATS))]
    runs = [by_hand.fit(begin.architecture, X, Y, settings, params=params) for params in starts]
    reference = by_torch.fit(begin.architecture, X, Y, settings, params=begin.params, hardware=Hardware(device))
    judged = _judged([run.params for run in runs], reference.params)
    if any(judgement.fails for judgement in judged.values()):
        judged = _excused(judged, begin, settings, starts, device)
    ledger = Ledger(begin.X.dtype, 1)
    layers = {k: l for l, _, k in begin.architecture.numbered()}
    for name, judgement in judged.items():
        letter = name.rstrip("0123456789")
        quantity = f"{letter} after {runs[0].history[-1].step} free steps"
        where = about(case)._replace(quantity=quantity, layer=layers[int(name[len(letter) :])], basis="measured")
        ledger.add_judged(where, judgement)
    if case.decay != "constant":
        where = about(case)._replace(quantity="learning rate")
        ledger.add_judged(where, _judged_rates(runs[0], reference))
    return ledger.results()


def settings_of(case: ModelCase, m: int, steps: int, seed: int) -> Settings:
    """What both sides train a case with: so many steps on m examples, up to the end of an epoch."""
    size = case.batch_size or m
    return Settings(
        optimizer=case.optimizer,
        learning_rate=case.learning_rate,
        epochs=-(-steps // -(-m // size)),
        batch_size=size,
        lambda_=case.lambda_,
        decay=case.decay,
        shuffle=case.batch_size is not None,
        seed=seed,
    )


def _judged(ours: Sequence[Parameters], reference: Parameters) -> dict[str, Judgement]:
    """Every parameter of the first run by hand, judged by the spread of the others."""
    return judge_by_spread(ours[0], reference, ours[1:], ours[0]["W1"].dtype)


def judge_by_spread(
    got: Parameters, reference: Parameters, repeats: Sequence[Parameters], dtype: Any
) -> dict[str, Judgement]:
    """Every parameter at the end of a run, which may differ by ALLOWANCE times the spread of the repeated runs."""
    judged = {}
    for name, value in got.items():
        spread = max(float(np.max(np.abs(run[name] - value))) for run in repeats)
        least = bounds.unit_roundoff(dtype) * float(np.max(np.abs(value)))
        allowed = np.float64(ALLOWANCE * max(spread, least))
        judged[name] = judge(value, reference[name], allowed, dtype, by_error=True)
    return judged


def _judged_rates(ours: Run, reference: Run) -> Judgement:
    """The learning rates of all epochs: by hand a power, in torch a product from epoch to epoch."""
    rates, of_torch = ([epoch.learning_rate for epoch in run.history] for run in (ours, reference))
    u = bounds.unit_roundoff(np.float64)
    allowed = [2 * schedule_bound(u, rate, 1 + epoch) for epoch, rate in enumerate(of_torch)]
    return judge(np.array(rates), np.array(of_torch), np.array(allowed), np.float64)


def moved(params: Parameters, rng: np.random.Generator) -> Parameters:
    """Every entry moved to the next number of its dtype, up or down."""
    return {
        name: np.nextafter(value, rng.choice([-np.inf, np.inf], value.shape).astype(value.dtype))
        for name, value in params.items()
    }


class Before(NamedTuple):
    """Parameters before a step, what came to its kinks, and which way they went.

    Of a unit with a kink ``values`` are Z and ``kinks`` where it is above zero; of a maximum the numbers of which it is
    taken, and the cell that has it.
    """

    params: Parameters
    values: list[Any]
    kinks: list[Any]

    def seen(self) -> Parameters:
        """Parameters and values by name."""
        return {**self.params, **{f"node {place}": value for place, value in enumerate(self.values)}}


def _cells(rows: Tensor, size: Any, stride: Any) -> Any:
    """The cell in which every window finds its maximum."""
    return array(functional.max_pool2d(rows, size, stride, return_indices=True)[1])


class _ByHand(by_hand.Learner):
    """The learner by hand, with its path from step to step."""

    def __init__(self, begin: Start, settings: Settings) -> None:
        super().__init__(begin.architecture, Examples(begin.X, begin.Y), settings)
        self.path: list[Before] = []

    def step(self, batch: Any, masks: Any) -> Any:
        """A step, its kinks seen before."""
        params, X = self.params(), by_hand.columns(self.X, batch)
        passed = network.forward(self.architecture, params, X, masks)
        before = Before(params, [], [])
        for layer, Z, A_prev in zip(self.architecture.layers, passed.Z[1:], passed.A, strict=False):
            if isinstance(layer, Weighted | Unit) and layer.activation in KINKED:
                before.values.append(to_rows(tensor(A_prev if Z is None else Z)).numpy())
                before.kinks.append(before.values[-1] > 0)
            elif isinstance(layer, Pool) and layer.mode == "max":
                rows = to_rows(tensor(A_prev))
                before.values.append(rows.numpy())
                before.kinks.append(_cells(rows, layer.size, layer.stride))
        self.path.append(before)
        return super().step(batch, masks)


class _ByTorch(by_torch.Learner):
    """The learner with torch, with its path from step to step."""

    def __init__(self, begin: Start, settings: Settings, device: str) -> None:
        super().__init__(begin.architecture, Examples(begin.X, begin.Y), settings, Hardware(device))
        self.path: list[Before] = []
        self.before = Before({}, [], [])
        for l, quantity, layer in self.module.nodes():
            kinked = self.architecture.activations[l] in KINKED
            if isinstance(layer, nn.MaxPool2d) or (quantity == "Z" and kinked):
                layer.register_forward_hook(self._see)
            elif kinked and isinstance(self.architecture.layers[l - 1], Unit):
                layer.register_forward_pre_hook(self._see_below)

    def _see(self, layer: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
        if isinstance(layer, nn.MaxPool2d):
            self.before.values.append(array(inputs[0]))
            self.before.kinks.append(_cells(inputs[0], cast(int, layer.kernel_size), cast(int, layer.stride)))
        else:
            self.before.values.append(array(output).copy())
            self.before.kinks.append(self.before.values[-1] > 0)

    def _see_below(self, layer: nn.Module, inputs: tuple[Tensor]) -> None:
        self._see(layer, inputs, inputs[0])

    def step(self, batch: Any, masks: Any) -> Any:
        """A step, its kinks seen on the way."""
        self.before = Before(self.params(), [], [])
        outcome = super().step(batch, masks)
        self.path.append(self.before)
        return outcome


def _path(learner: _ByHand | _ByTorch, begin: Start, settings: Settings, params: Parameters) -> list[Before]:
    """What the learner has before every step, on the way that ``fit`` takes from these parameters."""
    drawn, rng = draw(begin.architecture, settings, begin.X.dtype, params)
    learner.restore(drawn, None, 0)
    train(learner, begin.architecture, Examples(begin.X, begin.Y), settings, rng)
    return learner.path


def _excused(
    judged: dict[str, Judgement], begin: Start, settings: Settings, starts: Sequence[Parameters], device: str
) -> dict[str, Judgement]:
    """Failures that cannot be told after all: a kink was crossed, and up to it, Z included, the two sides agree."""
    reference = _path(_ByTorch(begin, settings, device), begin, settings, begin.params)
    paths = [_path(_ByHand(begin, settings), begin, settings, params) for params in starts]
    kink = _first_kink(paths[0], reference)
    if kink is None:
        return judged
    early = _judged([path[min(kink, len(path) - 1)].seen() for path in paths], reference[kink].seen())
    if any(judgement.fails for judgement in early.values()):
        return judged
    reason = f"a unit or a maximum took the other side of its kink at step {kink}; up to there the two sides agree"
    return {
        name: judgement._replace(fails=False, untold=True, reason=reason) if judgement.fails else judgement
        for name, judgement in judged.items()
    }


def _first_kink(ours: Sequence[Before], reference: Sequence[Before]) -> int | None:
    """The first step at which anything went one way by hand and another with torch."""
    for step, (mine, theirs) in enumerate(zip(ours, reference, strict=False)):
        if any((one != other).any() for one, other in zip(mine.kinks, theirs.kinks, strict=True)):
            return step
    return None
