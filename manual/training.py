"""Training by hand: mini-batches, epochs, the optimisers of the notes.

Notes: F206-F218, F253, F259.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manual import network
from manual.architecture import Architecture
from manual.checks import check_batches, check_data, check_weights
from manual.clipping import clip_by_norm, gradient_norm
from manual.costs import relative_weights
from manual.notation import Array, Gradients, Parameters
from manual.optimizers import OPTIMIZERS, Optimizer
from manual.schedules import SCHEDULES
from manual.shared.loop import run
from manual.shared.settings import (
    Data,
    Epoch,
    Examples,
    Explosion,
    Run,
    Settings,
    WeightedExamples,
    batches,
    named,
    start,
    take,
    weights_of,
)
from manual.workspace import StepResult, Workspace, takes

__all__ = ["Epoch", "Examples", "Explosion", "Learner", "Run", "Settings", "fit", "minibatches"]

CHUNK = 1000
"""Examples that are evaluated at a time."""


def minibatches(X: Array, Y: Array, size: int, rng: np.random.Generator) -> Iterator[Examples]:
    """The examples in a drawn order, ``size`` at a time, the last batch short.

    X is (n_x, m) or (m, n_H, n_W, n_C), Y (n_L, m); X{t} and Y{t} are new arrays of the same layout.

    Raises ValueError for a size below 1 or numbers of examples that differ.

    Notes: F208, F209, F210, F215.
    """
    m = X.shape[1] if X.ndim == 2 else X.shape[0]
    if Y.shape[1] != m:
        raise ValueError(f"Y has shape {Y.shape}, expected {m} columns: one for each example of X")
    for batch in batches(m, size, rng):
        yield Examples(take(X, batch), take(Y, batch))


class Learner:
    """The network by hand, as the loop drives it. See manual.shared.settings.Learner."""

    look_every = 1

    def __init__(self, architecture: Architecture, data: Data, settings: Settings) -> None:
        """Start without parameters: ``restore`` gives them.

        Raises ValueError for an unknown optimiser or schedule, or settings that they do not take.
        """
        self.architecture, self.settings = architecture, settings
        self.X, self.Y, self.weights = in_rows(data.X), in_rows(data.Y), data.weights
        self._dense = takes(architecture)
        make = named(OPTIMIZERS, "optimizer", settings.optimizer, settings.optimizer_options)
        self.rule: Optimizer = make(settings.learning_rate)
        self.schedule = named(SCHEDULES, "decay", settings.decay, settings.decay_options)
        self.begin_epoch(settings.epochs - 1)  # refuses a schedule that ends before the run does
        self._vector, self._gradient = np.empty(0), np.empty(0)
        self._params: Parameters = {}
        self._grads: Gradients = {}
        self._state: Any = None
        self._workspaces: dict[int, Workspace] = {}

    def restore(self, params: Parameters, state: Mapping[str, Array] | None, epochs: int) -> None:
        """Take on parameters and, where given, the optimiser's state."""
        self._vector = joined(self.architecture, params)
        self._gradient = np.empty_like(self._vector)
        self._params = {**params, **split(self.architecture, self._vector)}
        self._grads = split(self.architecture, self._gradient, "d")
        self._workspaces = {}
        fresh = self.rule.init({"W": self._vector})
        self._state = fresh if state is None else unflattened(fresh, state)

    def begin_epoch(self, epoch: int) -> float:
        """The schedule's learning rate."""
        rate: float = self.schedule(self.settings.learning_rate, epoch)
        if rate != self.rule.learning_rate:
            self.rule = replace(self.rule, learning_rate=rate)
        return rate

    def step(self, batch: NDArray[np.intp], masks: Sequence[Array | None] | None) -> StepResult:
        """Forward, cost, backward, clipping, update: parameters, gradients and state stay where they lie."""
        outcome = self._in_workspace(batch) if self._dense else self._by_network(batch, masks)
        if self.settings.clip is not None:
            for name, clipped in clip_by_norm(self._grads, self.settings.clip)[0].items():
                self._grads[name][...] = clipped
        *parts, t = self._state
        self.rule.move(self._vector, self._gradient, [part["dW"] for part in parts], t + 1)
        self._state = self._state._replace(t=t + 1)
        return outcome

    def _by_network(self, batch: NDArray[np.intp], masks: Sequence[Array | None] | None) -> StepResult:
        """Cost, answers and gradients by the formulas one by one."""
        X, Y = columns(self.X, batch), columns(self.Y, batch)
        weights, lambda_ = weighed(weights_of(self.weights, batch), self.settings.lambda_)
        passed = network.forward(self.architecture, self._params, X, masks)
        J = network.cost(self.architecture, self._params, passed, Y, lambda_, weights=weights)
        back = network.backward(self.architecture, self._params, passed, Y, lambda_, weights=weights, only_grads=True)
        for name, gradient in back.grads.items():
            self._grads[name][...] = gradient
        self._params |= network.remembered(self.architecture, self._params, passed)
        return StepResult(J, passed.A[-1])

    def _in_workspace(self, batch: NDArray[np.intp]) -> StepResult:
        """The same of a network of dense layers, in memory that is used again: once for full batches and the last."""
        m = len(batch)
        if m not in self._workspaces:
            lambda_ = self.settings.lambda_
            self._workspaces[m] = Workspace(self.architecture, self._params, self._grads, m, lambda_)
        workspace = self._workspaces[m]
        gather(self.X, batch, workspace.X)
        gather(self.Y, batch, workspace.Y)
        return workspace.step(*weighed(weights_of(self.weights, batch), self.settings.lambda_))

    def look(self, outcome: StepResult) -> tuple[float, Array]:
        """The cost as a float, and A[L]."""
        return float(outcome.J), outcome.A_L

    def gradient_norm(self) -> float:
        """Of the last step, after clipping."""
        return gradient_norm({"dW": self._gradient})

    def evaluate(
        self, X: Any, Y: Array, penalty_m: int | None = None, weights: Array | None = None
    ) -> tuple[float, Array]:
        """Cost and answers, CHUNK examples at a time."""
        total, answers, m = 0.0, [], Y.shape[1]
        weights, lambda_ = weighed(weights, self.settings.lambda_)
        for chunk in batches(m, CHUNK, None):
            passed = network.forward(self.architecture, self._params, take(X, chunk))
            of_chunk = take(Y, chunk), 0.0, weights_of(weights, chunk)
            total += len(chunk) * float(network.cost(self.architecture, self._params, passed, *of_chunk))
            answers.append(passed.A[-1])
        if penalty_m is not None:
            total += m * float(network.penalty(self.architecture, self._params, lambda_, penalty_m))
        return total / m, np.concatenate(answers, axis=1)

    def params(self) -> Parameters:
        """A copy of the parameters."""
        return {name: value.copy() for name, value in self._params.items()}

    def state(self) -> dict[str, Array]:
        """The optimiser's state, all parameters in one vector: v.dW, s.dW, t."""
        return flattened(self._state)


def weighed(weights: Array | None, lambda_: float) -> tuple[Array | None, float]:
    """Weights of mean 1, and the lambda that cost and gradients divide by m where they mean the sum of the weights."""
    if weights is None:
        return None, lambda_
    return relative_weights(weights), lambda_ / float(weights.mean())


def in_rows(X: Any) -> Any:
    """The array with its examples one after the other in memory: a batch is copied in long stretches."""
    return np.ascontiguousarray(X.T) if isinstance(X, np.ndarray) and X.ndim == 2 else X


def columns(X: Any, batch: NDArray[np.intp]) -> Array:
    """These examples of what in_rows gave, in the notes' layout."""
    return X.take(batch, axis=0).T if isinstance(X, np.ndarray) and X.ndim == 2 else take(X, batch)


def gather(X: Any, batch: NDArray[np.intp], into: Array) -> None:
    """Write these examples of what in_rows gave into an array in the notes' layout, one example after the other."""
    if isinstance(X, np.ndarray) and X.dtype == into.dtype:
        X.take(batch, axis=0, out=into.T, mode="clip")  # any other mode copies once more
    else:
        into[...] = columns(X, batch)


def joined(architecture: Architecture, arrays: Parameters) -> Array:
    """All that is learned of the parameters, as one vector.

    An optimiser does the same to every number: so one step of a small network is a dozen NumPy calls, not a dozen for
    every parameter.
    """
    return np.concatenate([arrays[name].ravel() for name in architecture.learned])


def split(architecture: Architecture, vector: Array, prefix: str = "") -> Parameters:
    """The parameters, or with the prefix d the gradients, that a vector joins: views of it."""
    params, start = {}, 0
    for name in architecture.learned:
        shape = architecture.parameter_shapes[name]
        end = start + math.prod(shape)
        params[prefix + name] = vector[start:end].reshape(shape)
        start = end
    return params


def flattened(state: Any) -> dict[str, Array]:
    """An optimiser's state as arrays by name: the parts of v and s, and t."""
    found: dict[str, Array] = {}
    for part, value in state._asdict().items():
        if isinstance(value, dict):
            found |= {f"{part}.{name}": array.copy() for name, array in value.items()}
        else:
            found[part] = np.array(value)
    return found


def unflattened(fresh: Any, arrays: Mapping[str, Array]) -> Any:
    """The way back, into a state of the same optimiser.

    Raises ValueError for arrays of another optimiser or another network.
    """
    expected = flattened(fresh)
    if arrays.keys() != expected.keys():
        raise ValueError(
            f"the state has {sorted(arrays)}, expected {sorted(expected)}: another optimiser's, or network's"
        )
    for name, value in expected.items():
        if arrays[name].shape != value.shape:
            raise ValueError(f"{name} of the state has shape {arrays[name].shape}, expected {value.shape}")
    parts: dict[str, Any] = {}
    for part, value in fresh._asdict().items():
        if isinstance(value, dict):
            parts[part] = {name: arrays[f"{part}.{name}"].copy() for name in value}
        else:
            parts[part] = int(arrays[part])
    return type(fresh)(**parts)


def fit(
    architecture: Architecture,
    X: Any,
    Y: Array,
    settings: Settings | None = None,
    *,
    weights: Array | None = None,
    params: Parameters | None = None,
    validation: Data | None = None,
    resume: Run | None = None,
    on_epoch: Callable[[Run], None] | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> Run:
    """Train the network on X and Y.

    X is (n_x, m) or (m, n_H, n_W, n_C), Y (n_L, m), in the dtype of the computation. ``params`` are the parameters to
    start from, drawn by default; ``validation`` is what early stopping looks at; ``resume`` a run to go on with.
    ``weights`` w of the examples are (1, m): the cost of a batch is (sum w L + lambda/2 sum W^2) / sum w.

    Raises ValueError for data, parameters or settings that do not fit.

    Notes: F181, F206-F218, F253, F258, F259.
    """
    settings = settings or Settings()
    data = Examples(X, Y) if weights is None else WeightedExamples(X, Y, weights)
    for part in (data, *([validation] if validation else [])):
        check_data(architecture, part.X, part.Y)
        check_weights(part.weights, part.Y.shape[1])
    check_batches(architecture, Y.shape[1], settings.batch_size)
    learner = Learner(architecture, data, settings)
    drawn, rng = start(architecture, settings, X.dtype, params)
    learner.restore(drawn, None, 0)
    return run(
        learner, architecture, data, settings, rng,
        validation=validation, resume=resume, on_epoch=on_epoch, on_step=on_step,
    )  # fmt: skip
