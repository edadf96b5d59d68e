"""What the steps of the recipe run: costs, slopes and short trainings of a package's network. No formula.

``reg`` is that of N3, whose penalty is 1/2 reg sum W^2: lambda = reg m, with the m of each batch (F249).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from manual.architecture import Architecture
from manual.layer_words import renumbered
from manual.notation import Array, Parameters
from manual.shared.loop import run
from manual.shared.settings import Examples, Learner, Run, Settings, start, take

REACH = 1e-6
"""The part of the cost by which a slope's two points differ from the middle, at most."""

FARTHEST = 1e-4
"""How far a slope's two points lie from the middle, at most."""

VISIBLE = 1e-9
"""The part of the cost that a slope must change to be seen among roundings."""


class Backend(NamedTuple):
    """What a package brings: its learner, its A[l] for l = 0..L as arrays, its name and what it computes on.

    ``jobs`` is the largest number of processes that it may be run in.
    """

    program: str
    learner: Callable[[Architecture, Examples, Settings], Any]
    activations: Callable[[Architecture, Parameters, Array], Sequence[Array]]
    where: str
    jobs: int | None = None


class ByReg:
    """A learner whose penalty is 1/2 reg sum W^2 on every batch, the short last one too. Otherwise as it was."""

    def __init__(self, learner: Any, settings: Settings, reg: float) -> None:
        self.learner, self.settings, self.reg = learner, settings, reg

    def __getattr__(self, name: str) -> Any:
        return getattr(self.learner, name)

    def step(self, batch: NDArray[np.intp], masks: Sequence[Array | None] | None) -> Any:
        """The learner's step with lambda = reg m."""
        self.learner.settings = replace(self.settings, lambda_=self.reg * len(batch))
        return self.learner.step(batch, masks)


def train(
    backend: Backend,
    net: Architecture,
    data: Examples,
    settings: Settings,
    reg: float,
    *,
    params: Parameters | None = None,
    validation: Examples | None = None,
) -> Run:
    """A run of the shared loop whose penalty is 1/2 reg sum W^2."""
    m = data.Y.shape[1]
    settings = replace(settings, lambda_=reg * min(m, settings.batch_size))
    learner = backend.learner(net, data, settings)
    drawn, rng = start(net, settings, data.X.dtype, params)
    learner.restore(drawn, None, 0)
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is an explosion, and is said
        return run(cast(Learner, ByReg(learner, settings, reg)), net, data, settings, rng, validation=validation)


def cost(backend: Backend, net: Architecture, params: Parameters, data: Examples, reg: float) -> float:
    """The regularised cost of these parameters."""
    m = data.Y.shape[1]
    learner = backend.learner(net, data, Settings(lambda_=reg * m))
    learner.restore(params, None, 0)
    with np.errstate(over="ignore", invalid="ignore"):
        return float(learner.evaluate(*data, m)[0])


def slopes(backend: Backend, net: Architecture, params: Parameters, data: Examples, reg: float) -> dict[str, float]:
    """For every parameter: how fast the cost rises along its gradient, over how fast the gradient says it does.

    1 where the gradient is the cost's. The gradient is read off one step of gradient descent with learning rate 1; the
    rise is a central difference. Parameters whose gradient moves the cost too little to be seen are left out.

    Data and parameters are float64: in float32 the difference is lost among roundings.
    """
    m = data.Y.shape[1]
    settings = Settings(optimizer="gradient_descent", learning_rate=1.0, batch_size=m, lambda_=reg * m)
    learner = backend.learner(net, data, settings)

    def at(values: Parameters) -> float:
        learner.restore(values, None, 0)
        return float(learner.evaluate(*data, m)[0])

    middle = at(params)
    learner.begin_epoch(0)
    learner.step(np.arange(m), None)
    moved = learner.params()
    found = {}
    for name, value in params.items():
        gradient = value - moved[name]
        squared = float(np.sum(np.square(gradient)))
        if not (np.isfinite(squared) and squared > 0):
            continue
        step = min(REACH * abs(middle) / squared, FARTHEST / squared**0.5)
        if step * squared < VISIBLE * abs(middle):
            continue
        up, down = (at({**params, name: value + side * step * gradient}) for side in (1, -1))
        found[name] = (up - down) / (2 * step * squared)
    return found


def without_dropout(net: Architecture) -> Architecture:
    """The network with nothing dropped: what the first steps look at."""
    kept = [(l, layer) for l, layer in enumerate(net.layers, start=1) if not layer.masked]
    return Architecture(net.inputs, renumbered(kept))


def first_examples(data: Examples, count: int, dtype: Any = None) -> Examples:
    """The first examples, at most so many, in the dtype."""
    some = np.arange(min(count, data.Y.shape[1]))
    X, Y = take(data.X, some), take(data.Y, some)
    return Examples(X, Y) if dtype is None else Examples(X.astype(dtype), Y.astype(dtype))
