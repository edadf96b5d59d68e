"""What the loop of training is given and leaves: settings, examples, a learner, a run. It holds no formula.

The loop itself is in manual.shared.loop.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from numbers import Real
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from manual.architecture import Architecture
from manual.checks import check_parameters
from manual.draws import initial_parameters, shuffled
from manual.notation import Array, Parameters, check_count

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

    def evaluate(
        self, X: Any, Y: Array, penalty_m: int | None = None, weights: Array | None = None
    ) -> tuple[float, Array]:
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


def weights_of(weights: Array | None, batch: NDArray[np.intp]) -> Array | None:
    """The weights of these examples, where there are any."""
    return None if weights is None else take(weights, batch)


def score_of(unit: str, A_L: Array, Y: Array, weights: Array | None = None) -> float:
    """Accuracy of the answers, or R2 of a regression (the mean over outputs).

    A class is right or wrong; of several labels each counts. An example counts by its weight.
    """
    s = 1.0 if weights is None else weights / weights.mean()
    if unit == "softmax":
        return float(np.mean(s * (A_L.argmax(axis=0) == Y.argmax(axis=0))))
    if unit == "sigmoid":
        return float(np.mean(s * ((A_L > 0.5) == (Y > 0.5))))
    spread = np.sum(s * np.square(Y - (s * Y).mean(axis=1, keepdims=True)), axis=1)
    missed = np.sum(s * np.square(Y - A_L), axis=1)
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

    @property
    def weights(self) -> None:
        """All count alike."""


class WeightedExamples(NamedTuple):
    """The same, and a weight for each example, (1, m)."""

    X: Any
    Y: Array
    weights: Array


Data: TypeAlias = Examples | WeightedExamples
"""Examples with or without weights."""


Held = TypeVar("Held", Examples, WeightedExamples)


def held_back(data: Held, share: float) -> tuple[Held, Held]:
    """The examples to train on, and the last ones, such a share of them, to look at; with their weights.

    Raises ValueError where none would be left to train on.
    """
    m = data.Y.shape[1]
    held = max(1, round(share * m))
    if held >= m:
        raise ValueError(f"the training part has {m} example, expected at least 2: some are held back")
    first, last = np.arange(m - held), np.arange(m - held, m)
    # what is held elsewhere stays there: only its first examples are taken
    X = take(data.X, first) if isinstance(data.X, np.ndarray) else data.X
    train = type(data)(X, *(each[:, : m - held] for each in data[1:]))
    return train, type(data)(take(data.X, last), *(each[:, m - held :] for each in data[1:]))
