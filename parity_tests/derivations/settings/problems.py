"""The numbers of a setting, and what follows from them: forward, then derivatives by the complex step, or by torch.

A derivative is taken as its definition says: the rest of the computation, from the node to J, is a function of the
node's value. So no rule of backpropagation is used to judge backpropagation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from manual.architecture import Architecture
from manual.costs import OUTPUT_COSTS, l2_penalty
from manual.dense import linear_forward
from manual.network import forward
from manual.notation import Array, Gradients, Parameters, Scalar
from manual.optimizers import GradientDescent
from parity_tests.derivations.settings.setting import UNITS, Values
from parity_tests.judging.complex_step import complex_step


@dataclass(frozen=True, eq=False)
class NetworkProblem:
    """A network with data: X, Y, W1, b1, ..., and J over the m columns of X."""

    architecture: Architecture
    params: Parameters
    X: Array
    Y: Array
    lambda_: float
    alpha: float

    def given(self) -> Values:
        """Sizes, data, parameters and the two numbers of the update."""
        n_x, *units = (shape[0] for shape in self.architecture.shapes)
        sizes = {"m": self.X.shape[1], "n_x": n_x, **{f"n_{l}": n for l, n in enumerate(units, start=1)}}
        return {**sizes, "X": self.X, "Y": self.Y, **self.params, "lambda_": self.lambda_, "alpha": self.alpha}

    def by_numpy(self, l2: bool) -> Values:
        """Forward by the formulas; every derivative by the complex step of the rest of the network."""
        m, L = self.X.shape[1], len(self.architecture.layers)
        passed = forward(self.architecture, self.params, self.X)
        found: Values = {"J": self._cost(passed.A[L]) + self._penalty(self.params, l2)}
        found["dX"] = m * complex_step(partial(self._from_A, 0), self.X)
        grads: Gradients = {}
        for l in range(1, L + 1):
            A_prev, A, Z = passed.A[l - 1], passed.A[l], passed.Z[l]
            assert Z is not None
            found |= {f"Z{l}": Z, f"A{l}": A}
            found[f"dZ{l}"] = m * complex_step(partial(self._from_Z, l), Z)
            found[f"dA{l}"] = m * complex_step(partial(self._from_A, l), A)
            for name in (f"W{l}", f"b{l}"):
                grads[f"d{name}"] = complex_step(partial(self._from_parameter, l, A_prev, name, l2), self.params[name])
        rule = GradientDescent(self.alpha)
        updated, _ = rule.step(self.params, grads, rule.init(self.params))
        return {**found, **grads, **updated}

    def by_torch(self, l2: bool) -> Values:
        """Forward by torch's modules, every derivative by autograd."""
        from parity_tests.derivations.settings import torch_side

        lambda_ = self.lambda_ if l2 else 0.0
        return torch_side.network(self.architecture, self.params, self.X, self.Y, lambda_, self.alpha)

    def _from_parameter(self, l: int, A_prev: Array, name: str, l2: bool, at: Array) -> Scalar:
        """J as a function of W[l] or b[l]."""
        params = {**self.params, name: at}
        return self._from_Z(l, linear_forward(A_prev, params[f"W{l}"], params[f"b{l}"])) + self._penalty(params, l2)

    def _from_Z(self, l: int, Z: Array) -> Scalar:
        """The cost as a function of Z[l]."""
        return self._from_A(l, UNITS[str(self.architecture.activations[l])].g(Z))

    def _from_A(self, l: int, A: Array) -> Scalar:
        """The cost as a function of A[l]."""
        if l == len(self.architecture.layers):
            return self._cost(A)
        return self._from_Z(l + 1, linear_forward(A, self.params[f"W{l + 1}"], self.params[f"b{l + 1}"]))

    def _cost(self, A_L: Array) -> Scalar:
        return OUTPUT_COSTS[self.architecture.output_unit].from_A(A_L, self.Y)

    def _penalty(self, params: Parameters, l2: bool) -> Scalar:
        weights = [value for name, value in params.items() if name.startswith("W")]
        return l2_penalty(weights, self.lambda_, self.X.shape[1]) if l2 else 0.0


View = Mapping[str, tuple[str, Callable[[Any], Any]]]
"""Name in the setting to the name in the network, and how its value looks there."""


@dataclass(frozen=True, eq=False)
class ViewedProblem:
    """A network's problem under other names and shapes, as logistic regression has them.

    ``extra`` are symbols that the network lacks. Where ``penalised`` is false, there is no J that L2 could enter.
    """

    network: NetworkProblem
    view: View
    extra: Mapping[str, Any] = field(default_factory=dict)
    penalised: bool = True

    def given(self) -> Values:
        """The symbols that were drawn, under their names here."""
        return {**self._seen(self.network.given()), **self.extra}

    def by_numpy(self, l2: bool) -> Values:
        """The network's, under their names here."""
        return self._seen(self.network.by_numpy(l2 and self.penalised))

    def by_torch(self, l2: bool) -> Values:
        """The network's, under their names here."""
        return self._seen(self.network.by_torch(l2 and self.penalised))

    def _seen(self, values: Values) -> Values:
        return {name: look(values[there]) for name, (there, look) in self.view.items() if there in values}


@dataclass(frozen=True, eq=False)
class LayerProblem:
    """A dense tanh layer under a next layer whose dZ comes from above.

    The derivatives per example are those of sum(dZ_next * Z_next), whose derivative in Z_next is dZ_next; dW and db
    are those of its average over the examples, with the penalty on W.
    """

    A_prev: Array
    W: Array
    b: Array
    W_next: Array
    dZ_next: Array
    lambda_: float
    alpha: float

    def given(self) -> Values:
        """Sizes, the layer's input and parameters, and what comes from above."""
        n, n_prev = self.W.shape
        sizes = {"m": self.A_prev.shape[1], "n_prev": n_prev, "n": n, "n_next": self.W_next.shape[0]}
        return {**sizes, **vars(self)}

    def by_numpy(self, l2: bool) -> Values:
        """Forward by the formulas; every derivative by the complex step of the rest of the computation."""
        m = self.A_prev.shape[1]
        Z = linear_forward(self.A_prev, self.W, self.b)
        A = np.tanh(Z)

        def of_W(at: Array) -> Scalar:
            penalty = l2_penalty([at], self.lambda_, m) if l2 else 0.0
            return self._from_Z(linear_forward(self.A_prev, at, self.b)) / m + penalty

        found = {
            "Z": Z,
            "A": A,
            "dA": complex_step(self._from_A, A),
            "dZ": complex_step(self._from_Z, Z),
            "dA_prev": complex_step(lambda at: self._from_Z(linear_forward(at, self.W, self.b)), self.A_prev),
            "dW": complex_step(of_W, self.W),
            "db": complex_step(lambda at: self._from_Z(linear_forward(self.A_prev, self.W, at)) / m, self.b),
        }
        return {**found, "W": self.W - self.alpha * found["dW"], "b": self.b - self.alpha * found["db"]}

    def by_torch(self, l2: bool) -> Values:
        """Forward by torch's operations, every derivative by autograd."""
        from parity_tests.derivations.settings import torch_side

        return torch_side.layer(**{**vars(self), "lambda_": self.lambda_ if l2 else 0.0})

    def _from_Z(self, Z: Array) -> Scalar:
        return self._from_A(np.tanh(Z))

    def _from_A(self, A: Array) -> Scalar:
        return np.sum(self.dZ_next * (self.W_next @ A))


@dataclass(frozen=True, eq=False)
class LinearProblem:
    """The linear part of a dense layer with whatever activation: dZ, the derivative of L(i) in Z, is given."""

    A_prev: Array
    W: Array
    b: Array
    dZ: Array
    lambda_: float
    alpha: float

    def given(self) -> Values:
        """Sizes, the layer's input and parameters, and dZ."""
        (n, n_prev), m = self.W.shape, self.A_prev.shape[1]
        return {"m": m, "n_prev": n_prev, "n": n, **vars(self)}

    def by_numpy(self, l2: bool) -> Values:
        """Forward by the formula; derivatives by the complex step of sum(dZ * Z)."""
        m = self.A_prev.shape[1]

        def of_W(at: Array) -> Scalar:
            return self._from(self.A_prev, at, self.b) / m + (l2_penalty([at], self.lambda_, m) if l2 else 0.0)

        return {
            "Z": linear_forward(self.A_prev, self.W, self.b),
            "dA_prev": complex_step(lambda at: self._from(at, self.W, self.b), self.A_prev),
            "dW": complex_step(of_W, self.W),
            "db": complex_step(lambda at: self._from(self.A_prev, self.W, at) / m, self.b),
        }

    def by_torch(self, l2: bool) -> Values:
        """Forward by torch's operation, derivatives by autograd."""
        from parity_tests.derivations.settings import torch_side

        return torch_side.linear(self.A_prev, self.W, self.b, self.dZ, self.lambda_ if l2 else 0.0)

    def _from(self, A_prev: Array, W: Array, b: Array) -> Scalar:
        return np.sum(self.dZ * linear_forward(A_prev, W, b))
