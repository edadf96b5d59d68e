"""Several networks of one architecture, trained at once from starts of their own.

Their examples lie side by side, so that units, pooling, dropout and the optimiser take them all in one call; a layer
with parameters takes each network's own part. Every network comes out as it would alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from manual import network, training
from manual.architecture import Architecture
from manual.layers import Layer, Shape, Weighted
from manual.notation import Array, Parameters
from manual.shared.loop import run
from manual.shared.settings import Examples, Settings
from manual.shared.settings import start as draw


def fit_all(
    architecture: Architecture, X: Array, Y: Array, settings: Settings, starts: Sequence[Parameters]
) -> list[Parameters]:
    """The parameters that ``manual.training.fit`` ends with from every start; all see the same batches and masks."""
    data = Examples(X, Y)
    learner = _Learner(architecture, data, settings, len(starts))
    _, rng = draw(architecture, settings, X.dtype, starts[0])
    learner.restore({name: np.stack([params[name] for params in starts]) for name in starts[0]}, None, 0)
    ends = run(learner, architecture, data, settings, rng).params
    return [{name: value[number] for name, value in ends.items()} for number in range(len(starts))]


class Stacked(Weighted):
    """The layers of so many networks, with W and b one behind the other: the examples of each are its own."""

    def __init__(self, layer: Weighted, networks: int) -> None:
        self.layer, self.networks, self.activation = layer, networks, layer.activation

    @classmethod
    def from_word(cls, *groups: Any) -> Stacked:
        """There is no word for it."""
        raise NotImplementedError

    def describe(self) -> str:
        """Such as ``5 of dense64 relu``."""
        return f"{self.networks} of {self.layer.describe()}"

    def output_shape(self, shape: Shape) -> Shape:
        """That of one of them."""
        return self.layer.output_shape(shape)

    def parameter_shapes(self, shape: Shape) -> tuple[Shape, Shape]:
        """W and b of one, behind the number of networks."""
        W, b = self.layer.parameter_shapes(shape)
        return (self.networks, *W), (self.networks, *b)

    def forward(self, A_prev: Array, W: Array, b: Array) -> Array:
        """Z of each, side by side."""
        parts = zip(self._parts(A_prev), W, b, strict=True)
        return side_by_side([self.layer.forward(*part) for part in parts])

    def backward(
        self, dZ: Array, A_prev: Array, W: Array, lambda_: float, *, input_gradient: bool
    ) -> tuple[Array | None, Array, Array]:
        """The derivatives of each: dA_prev side by side, dW and db one behind the other."""
        parts = zip(self._parts(dZ), self._parts(A_prev), W, strict=True)
        found = [self.layer.backward(*part, lambda_, input_gradient=input_gradient) for part in parts]
        dA_prev, dW, db = zip(*found, strict=True)
        return side_by_side(dA_prev) if input_gradient else None, np.stack(dW), np.stack(db)

    def _parts(self, value: Array) -> list[Array]:
        m = value.shape[_axis(value)] // self.networks
        slices = [slice(place, place + m) for place in range(0, m * self.networks, m)]
        return [value[:, part] for part in slices] if value.ndim == 2 else [value[part] for part in slices]


def side_by_side(values: Sequence[Array]) -> Array:
    """The examples of several arrays in one: columns, or volumes."""
    return np.concatenate(values, axis=_axis(values[0]))


def _axis(value: Array) -> int:
    return 1 if value.ndim == 2 else 0


class _Learner(training.Learner):
    """The learner by hand for several networks: every batch is taken once for each; the loop looks at the first's A[L].

    J is the mean of theirs.
    """

    def __init__(self, architecture: Architecture, data: Examples, settings: Settings, networks: int) -> None:
        layers: list[Layer] = [
            Stacked(layer, networks) if isinstance(layer, Weighted) else layer for layer in architecture.layers
        ]
        super().__init__(Architecture(architecture.inputs, tuple(layers)), data, settings)
        self.networks = networks

    def step(self, batch: Any, masks: Any) -> training.StepResult:
        """One step of every network."""
        repeated = None if masks is None else [side_by_side([mask] * self.networks) for mask in masks]
        J, A_L = super().step(np.tile(batch, self.networks), repeated)
        return training.StepResult(J, A_L[:, : len(batch)])

    def evaluate(self, X: Any, Y: Array, penalty_m: int | None = None) -> tuple[float, Array]:
        """The mean cost, and the answers of the first."""
        X, Y = (side_by_side([value] * self.networks) for value in (X, Y))
        passed = network.forward(self.architecture, self._params, X)
        J = network.cost(self.architecture, self._params, passed, Y)
        if penalty_m is not None:
            J += network.penalty(self.architecture, self._params, self.settings.lambda_, penalty_m * self.networks)
        return float(J), passed.A[-1][:, : Y.shape[1] // self.networks]
