"""The loop that both packages train with: epochs, batches, early stopping, explosion, history. It holds no formula.

A ``Learner`` is one package's network with its data and its optimiser. The loop draws: initial weights, then for every
epoch the order of the examples, then for every batch its dropout masks, all from one generator. So two packages that
start from one seed see the same weights, batches and masks.
"""

from __future__ import annotations

import inspect
import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from numbers import Real
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from manual.architecture import Architecture
from manual.checks import check_parameters
from manual.draws import dropout_masks, initial_parameters, shuffled
from manual.notation import Array, Parameters
from manual.shapes import check_count

EXPLODED = 3.0
"""A cost above so many times its first value has exploded (F253)."""

COSTS_SEEN = 20
"""Batches over whose mean cost explosion is judged: one batch alone may be unlucky."""

FIRST_EXAMPLES = 1000
"""Examples that the first cost is taken over, at most."""


@dataclass(frozen=True)
class Settings:
    """What a run is made with, beside the architecture and the data.

    ``decay`` is a learning-rate schedule by name, with its own settings in ``decay_options``; ``clip`` the longest
    gradient of all parameters; ``patience`` the epochs in a row, each not better than the best before it by ``tol``,
    after which a run stops: in the validation score or, without a validation part, in the cost.

    Raises ValueError for a setting out of range.
    """

    optimizer: str = "adam"
    learning_rate: float = 0.001
    epochs: int = 20
    batch_size: int = 64
    lambda_: float = 0.0
    decay: str = "constant"
    decay_options: Mapping[str, float] = field(default_factory=dict)
    optimizer_options: Mapping[str, float] = field(default_factory=dict)
    clip: float | None = None
    patience: int | None = None
    tol: float = 1e-4
    initialization: str = "he"
    shuffle: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the numbers; names are checked by the tables that hold them."""
        check_count("epochs", self.epochs, 1, "a run has at least one")
        check_count("batch_size", self.batch_size, 1, "a batch holds at least one example")
        check_count("seed", self.seed, 0, "a seed is no negative number")
        _check("learning_rate", self.learning_rate, lambda value: 0 < value < math.inf, "a finite number above 0")
        _check("lambda", self.lambda_, lambda value: 0 <= value < math.inf, "a finite number of at least 0")
        _check("tol", self.tol, lambda value: 0 <= value < math.inf, "a finite number of at least 0")
        if self.clip is not None:
            _check("clip", self.clip, lambda value: value > 0, "a number above 0: the longest gradient")
        if self.patience is not None:
            _check("patience", self.patience, lambda value: value >= 1, "at least 1 epoch")

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            **asdict(self),
            "decay_options": dict(self.decay_options),
            "optimizer_options": dict(self.optimizer_options),
        }


def _check(name: str, value: Any, holds: Callable[[Any], bool], expected: str) -> None:
    if not isinstance(value, Real) or not holds(value):
        raise ValueError(f"{name} is {value!r}, expected {expected}")


class Epoch(NamedTuple):
    """A line of the history. Cost and score are those of the batches as they were trained on, dropout and L2 included;
    those of the validation part are without.

    ``epoch`` and ``step`` count what is done; ``gradient_norm`` is that of the epoch's last step, after clipping.
    """

    epoch: int
    step: int
    cost: float
    score: float
    validation_cost: float | None
    validation_score: float | None
    learning_rate: float
    gradient_norm: float
    seconds: float


class Explosion(NamedTuple):
    """Where and why a run was stopped: steps are counted from 1, the epoch too."""

    epoch: int
    step: int
    cost: float
    first: float

    def sentence(self) -> str:
        """What happened, and what usually helps."""
        what = f"is {self.cost:.4g}" if not math.isfinite(self.cost) else f"rose to {self.cost:.4g}"
        limit = f"{EXPLODED:g} times its first value {self.first:.4g}"
        return (
            f"the cost {what} at step {self.step} (epoch {self.epoch}), expected a finite cost of at most {limit}: "
            "a smaller learning rate usually helps"
        )


class Run(NamedTuple):
    """What a run leaves: parameters, history, the optimiser's state.

    With patience and a validation part, the parameters are those of the best validation score; else the last.

    ``stopped`` is "" for all epochs run, "early", or "exploded"; ``explosion`` says more. ``progress`` is what a
    checkpoint needs beside the arrays; ``best`` are the parameters that early stopping would go back to.
    """

    architecture: Architecture
    params: Parameters
    history: list[Epoch]
    state: dict[str, Array]
    stopped: str
    explosion: Explosion | None
    progress: dict[str, Any]
    best: Parameters | None = None


class Learner(Protocol):
    """One package's network with training data and optimiser, as the loop drives it."""

    look_every: int
    """Steps after which the loop looks at the outcomes: 1, or more where looking makes a device wait."""

    def restore(self, params: Parameters, state: Mapping[str, Array] | None, epochs: int) -> None:
        """Take on parameters and, where given, the optimiser's state after so many epochs."""

    def begin_epoch(self, epoch: int) -> float:
        """Set the learning rate of the epoch, 0 for the first, and return it."""

    def step(self, batch: NDArray[np.intp], masks: Sequence[Array | None] | None) -> Any:
        """Forward, cost, backward, update on these examples; the outcome is for ``look``."""

    def look(self, outcome: Any) -> tuple[float, Array]:
        """The regularised cost of a step and its A[L]."""

    def gradient_norm(self) -> float:
        """Of the last step."""

    def evaluate(self, X: Any, Y: Array, penalty_m: int | None = None) -> tuple[float, Array]:
        """Cost and A[L] with the parameters as they are, nothing dropped; with ``penalty_m``, L2 over so many."""

    def params(self) -> Parameters:
        """The parameters in the notes' layout, as arrays of their own."""

    def state(self) -> dict[str, Array]:
        """The optimiser's state, as arrays of their own."""


def batches(m: int, size: int, rng: np.random.Generator | None) -> Iterator[NDArray[np.intp]]:
    """The numbers of the examples, batch by batch, the last one short: in an order drawn, or without rng as they come.

    Raises ValueError for a size below 1.

    Notes: F208, F209, F215.
    """
    if size < 1:
        raise ValueError(f"size is {size}, expected at least 1 example in a batch")
    order = np.arange(m) if rng is None else shuffled(m, rng)
    for start in range(0, m, size):
        yield order[start : start + size]


def take(X: Any, batch: NDArray[np.intp]) -> Array:
    """These examples: columns of (n, m), volumes of (m, n_H, n_W, n_C).

    X is an array, or stands in for one that is read as it is needed: it has shape, dtype and ndim, and take(indices)
    gives the examples of these numbers as an array.
    """
    if not isinstance(X, np.ndarray):
        return X.take(batch)  # type: ignore[no-any-return]  # held elsewhere: it gives the examples itself
    return X.take(batch, axis=1 if X.ndim == 2 else 0)


def score_of(unit: str, A_L: Array, Y: Array) -> float:
    """Accuracy of the answers, or R2 of a regression (the mean over outputs).

    A class is right or wrong; of several labels each counts.
    """
    if unit == "softmax":
        return float(np.mean(A_L.argmax(axis=0) == Y.argmax(axis=0)))
    if unit == "sigmoid":
        return float(np.mean((A_L > 0.5) == (Y > 0.5)))
    spread = np.sum(np.square(Y - Y.mean(axis=1, keepdims=True)), axis=1)
    missed = np.sum(np.square(Y - A_L), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.mean(1 - missed / spread))


def named(
    table: Mapping[str, Callable[..., Any]], what: str, name: str, options: Mapping[str, float]
) -> Callable[..., Any]:
    """The entry of that name with these options, which are its arguments that have a default.

    Raises ValueError where there is none, or where it does not take such an option.
    """
    if name not in table:
        raise ValueError(f"{what} is {name!r:.40}, expected one of {', '.join(table)}")
    arguments = inspect.signature(table[name]).parameters.values()
    known = [argument.name for argument in arguments if argument.default is not argument.empty]
    for option in options:
        if option not in known:
            raise ValueError(f"{name} has no option {option!r:.40}, expected {' or '.join(known) or 'none'}")
    return partial(table[name], **options)


def check_dtype(dtype: Any) -> np.dtype[Any]:
    """The dtype of X; ValueError for one that no network is trained in."""
    found: np.dtype[Any] = np.dtype(dtype)
    if found not in (np.float32, np.float64):
        raise ValueError(f"X has dtype {found}, expected float32 or float64: that of the computation")
    return found


def start(
    architecture: Architecture, settings: Settings, dtype: Any, params: Parameters | None = None
) -> tuple[Parameters, np.random.Generator]:
    """Initial parameters, drawn unless they are given, and the generator that goes on to draw the batches.

    Raises ValueError for a dtype that no network is trained in, or parameters that do not fit.
    """
    check_dtype(dtype)
    rng = np.random.default_rng(settings.seed)
    drawn = initial_parameters(architecture, settings.initialization, rng, dtype)
    if params is not None:
        check_parameters(architecture, params)
        drawn = {name: np.asarray(value, dtype) for name, value in params.items()}
    return drawn, rng


class Examples(NamedTuple):
    """Inputs as the network takes them, and targets (n_L, m)."""

    X: Any
    Y: Array


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
    data: Examples,
    settings: Settings,
    rng: np.random.Generator,
    *,
    validation: Examples | None = None,
    resume: Run | None = None,
    on_epoch: Callable[[Run], None] | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> Run:
    """Train until all epochs are run, the patience is over, or the cost explodes.

    ``resume`` is a run to go on with, as ``on_epoch`` saw it after an epoch; ``on_step`` hears the number of steps done
    of all. Without ``resume`` the learner holds its first parameters already.

    Raises ValueError where the parameters or the generator to resume with do not fit.
    """
    at, best = _Progress(), None
    if resume is not None:
        check_parameters(architecture, resume.params)
        if resume.params["W1"].dtype != data.X.dtype:
            raise ValueError(f"the run to resume is in {resume.params['W1'].dtype}, expected {data.X.dtype}: that of X")
        at, best, rng = _Progress.from_json(resume.progress), resume.best, generator_from(resume.progress["generator"])
        learner.restore(resume.params, resume.state or None, at.epoch)
    m, unit = data.Y.shape[1], architecture.output_unit
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
            at.first = learner.evaluate(take(data.X, some), take(data.Y, some), min(m, settings.batch_size))[0]
        while at.epoch < settings.epochs and not at.stopped(settings):
            begun = time.perf_counter()
            rate = learner.begin_epoch(at.epoch)
            if not 0 < rate < math.inf:
                raise ValueError(f"the learning rate of epoch {at.epoch + 1} is {rate}, expected one above 0")
            watch = _Watch(learner, data.Y, unit, at)
            for batch in batches(m, settings.batch_size, rng if settings.shuffle else None):
                masks = dropout_masks(architecture, len(batch), rng) if architecture.masked_layers() else None
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


def _checked(learner: Learner, validation: Examples | None, unit: str) -> tuple[float, float] | tuple[None, None]:
    """Cost and score on the validation part, where there is one."""
    if validation is None:
        return None, None
    cost, A_L = learner.evaluate(*validation)
    return cost, score_of(unit, A_L, validation.Y)


class _Watch:
    """Looks at the outcomes of an epoch's steps, as often as the learner allows."""

    def __init__(self, learner: Learner, Y: Array, unit: str, at: _Progress) -> None:
        self.learner, self.unit, self.at = learner, unit, at
        self.Y = np.ascontiguousarray(Y.T)  # examples lie one after the other: the answers are gathered fast
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
        sizes = [len(batch) for batch, _ in self.seen]
        A_L = np.concatenate([A.T for _, A in self.seen]).T
        Y = self.Y.take(np.concatenate([batch for batch, _ in self.seen]), axis=0).T
        return float(np.average(self.costs, weights=sizes)), score_of(self.unit, A_L, Y)

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
