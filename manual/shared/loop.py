"""The loop that both packages train with: epochs, batches, early stopping, explosion, history. It holds no formula.

A ``Learner`` is one package's network with its data and its optimiser. All that is drawn comes from one generator:
initial weights (manual.shared.settings.start), then for every epoch the order of the examples, then for every batch its
dropout masks. So two packages that start from one seed see the same weights, batches and masks.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manual.architecture import Architecture
from manual.checks import check_parameters
from manual.draws import dropout_masks
from manual.notation import Array
from manual.shared.memory import prepare_memory
from manual.shared.settings import (
    COSTS_SEEN,
    EXPLODED,
    FIRST_EXAMPLES,
    Data,
    Epoch,
    Explosion,
    Learner,
    Run,
    Settings,
    batches,
    score_of,
    take,
    weights_of,
)


@dataclass
class _Progress:
    """Where a run is, beside parameters and optimiser."""

    epoch: int = 0
    step: int = 0
    first: float = math.nan
    best: float = -math.inf
    waited: int = 0
    explosion: Explosion | None = None
    history: list[Epoch] = field(default_factory=list)
    seen: deque[float] = field(default_factory=lambda: deque(maxlen=COSTS_SEEN))

    def as_json(self, rng: np.random.Generator) -> dict[str, Any]:
        """Plain data, with the generator's state."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "first": self.first,
            "best": self.best,
            "waited": self.waited,
            "explosion": None if self.explosion is None else list(self.explosion),
            "history": [list(epoch) for epoch in self.history],
            "seen": list(self.seen),
            "generator": rng.bit_generator.state,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> _Progress:
        """The way back."""
        return cls(
            **{name: data[name] for name in ("epoch", "step", "first", "best", "waited")},
            explosion=None if data["explosion"] is None else Explosion(*data["explosion"]),
            history=[Epoch(*values) for values in data["history"]],
            seen=deque(data["seen"], maxlen=COSTS_SEEN),
        )

    def stopped(self, settings: Settings) -> str:
        """Why the run ends here: "exploded", "early", or "" where nothing but the number of epochs ends it."""
        if self.explosion is not None:
            return "exploded"
        return "early" if settings.patience is not None and self.waited >= settings.patience else ""

    def improved(self, epoch: Epoch, settings: Settings) -> bool:
        """Whether this epoch is the best so far; less than tol better than the best counts as waiting."""
        reached = -epoch.cost if epoch.validation_score is None else epoch.validation_score
        self.waited = 0 if reached >= self.best + settings.tol else self.waited + 1  # NaN is no improvement
        better = reached > self.best
        self.best = max(self.best, reached)
        return better


def generator_from(state: Mapping[str, Any]) -> np.random.Generator:
    """A generator that goes on where another one was.

    Raises ValueError for the state of another kind of generator.
    """
    rng = np.random.default_rng()
    expected = type(rng.bit_generator).__name__
    if state.get("bit_generator") != expected:
        raise ValueError(f"the generator is {state.get('bit_generator')!r}, expected {expected!r}")
    rng.bit_generator.state = dict(state)
    return rng


def run(
    learner: Learner,
    architecture: Architecture,
    data: Data,
    settings: Settings,
    rng: np.random.Generator,
    *,
    validation: Data | None = None,
    resume: Run | None = None,
    on_epoch: Callable[[Run], None] | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> Run:
    """Train until all epochs are run, the patience is over, or the cost explodes.

    ``resume`` is a run to go on with, as ``on_epoch`` saw it after an epoch; ``on_step`` is called with the number of
    steps done and of all. Without ``resume`` the learner holds its first parameters already.

    Raises ValueError where the parameters or the generator to resume with do not fit.
    """
    prepare_memory()
    at, best = _Progress(), None
    if resume is not None:
        check_parameters(architecture, resume.params)
        if resume.params["W1"].dtype != data.X.dtype:
            raise ValueError(f"the run to resume is in {resume.params['W1'].dtype}, expected {data.X.dtype}: that of X")
        at, best, rng = _Progress.from_json(resume.progress), resume.best, generator_from(resume.progress["generator"])
        learner.restore(resume.params, resume.state or None, at.epoch)
    m, unit = data.Y.shape[1], architecture.output_unit
    Y_rows = np.ascontiguousarray(data.Y.T)  # examples lie one after the other: the answers are gathered fast
    steps = settings.epochs * -(-m // settings.batch_size)

    def so_far() -> Run:
        stopped, progress = at.stopped(settings), at.as_json(rng)
        return Run(
            architecture, learner.params(), list(at.history), learner.state(), stopped, at.explosion, progress, best
        )

    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # numbers out of hand are an explosion
        if math.isnan(at.first):
            some = np.arange(min(m, FIRST_EXAMPLES))
            # the penalty of a batch is divided by the batch's m: so is the first cost, which batches are held against
            X, Y, weights = take(data.X, some), take(data.Y, some), weights_of(data.weights, some)
            at.first = learner.evaluate(X, Y, min(m, settings.batch_size), weights)[0]
        while at.epoch < settings.epochs and not at.stopped(settings):
            begun = time.perf_counter()
            rate = learner.begin_epoch(at.epoch)
            if not 0 < rate < math.inf:
                raise ValueError(f"the learning rate of epoch {at.epoch + 1} is {rate}, expected one above 0")
            watch = _Watch(learner, Y_rows, data.weights, unit, at)
            for batch in batches(m, settings.batch_size, rng if settings.shuffle else None):
                masks = dropout_masks(architecture, len(batch), rng)
                watch.add(batch, learner.step(batch, masks))
                if on_step:
                    on_step(at.step, steps)
                if at.explosion:
                    break
            cost, score = watch.means()
            checked = _checked(learner, validation, unit)
            at.epoch += 1
            seconds = time.perf_counter() - begun
            norm = learner.gradient_norm()
            epoch = Epoch(at.epoch, at.step, cost, score, checked[0], checked[1], rate, norm, seconds)
            at.history.append(epoch)
            better = settings.patience is not None and not at.explosion and at.improved(epoch, settings)
            if better and validation is not None:
                best = learner.params()
            if on_epoch:
                on_epoch(so_far())
    found = so_far()
    return found._replace(params=best) if best is not None and not at.explosion else found


def _checked(learner: Learner, validation: Data | None, unit: str) -> tuple[float, float] | tuple[None, None]:
    """Cost and score on the validation part, where there is one."""
    if validation is None:
        return None, None
    cost, A_L = learner.evaluate(validation.X, validation.Y, weights=validation.weights)
    return cost, score_of(unit, A_L, validation.Y, validation.weights)


class _Watch:
    """Looks at the outcomes of an epoch's steps, as often as the learner allows."""

    def __init__(self, learner: Learner, Y_rows: Array, weights: Array | None, unit: str, at: _Progress) -> None:
        self.learner, self.Y_rows, self.weights, self.unit, self.at = learner, Y_rows, weights, unit, at
        self.pending: list[tuple[NDArray[np.intp], Any]] = []
        self.costs: list[float] = []
        self.seen: list[tuple[NDArray[np.intp], Array]] = []

    def add(self, batch: NDArray[np.intp], outcome: Any) -> None:
        """An outcome, to be looked at in its turn."""
        self.pending.append((batch, outcome))
        if len(self.pending) >= self.learner.look_every:
            self._look()

    def means(self) -> tuple[float, float]:
        """Mean cost of the batches, by their sizes, and the score of all their answers."""
        self._look()
        numbers, answers = zip(*self.seen, strict=True)
        sizes, order = [len(batch) for batch in numbers], np.concatenate(numbers)
        A_L = np.concatenate([A.T for A in answers]).T if len(answers) > 1 else answers[0]
        Y = self.Y_rows.take(order, axis=0).T
        cost = sum(size * cost for size, cost in zip(sizes, self.costs, strict=True)) / sum(sizes)
        return cost, score_of(self.unit, A_L, Y, weights_of(self.weights, order))

    def _look(self) -> None:
        for batch, outcome in self.pending:
            cost, A_L = self.learner.look(outcome)
            self.at.step += 1
            if self.at.step == 1:
                self.at.first = max(self.at.first, cost)  # dropout alone may raise the cost of given parameters
            self.costs.append(cost)
            self.seen.append((batch, A_L))
            self.at.seen.append(cost)
            self.at.explosion = self.at.explosion or self._exploded(cost)
        self.pending.clear()

    def _exploded(self, cost: float) -> Explosion | None:
        at = self.at
        mean = sum(at.seen) / len(at.seen)
        enough = len(at.seen) == COSTS_SEEN or at.epoch > 0
        if math.isfinite(cost) and not (enough and mean > EXPLODED * at.first):
            return None
        return Explosion(at.epoch + 1, at.step, cost if not math.isfinite(cost) else mean, at.first)
