"""The computational graph of a network as plain text or data, forward and backward: ``python -m manual graph``.

Logistic regression is drawn on one example with the value and the derivative of every node, as the notes draw it; every
other model layer by layer, with the shape and the norm of each array and of its gradient.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from manual import logistic_regression, network
from manual.architecture import Architecture
from manual.costs import l2_penalty
from manual.layers import Norm, Weighted
from manual.logistic_regression import OneExample
from manual.notation import Array, Parameters, Scalar

SCHEME = "xavier"
"""The draw of the weights that the graph shows."""

FEATURES_SHOWN = 8
"""Features of an example that are drawn one by one; the others share a line."""


class Subject(NamedTuple):
    """What the graph is of: a network, its parameters, and one training example or, if None, all ``available``."""

    architecture: Architecture
    params: Parameters
    X: Array
    Y: Array
    lambda_: float
    example: int | None
    available: int


class Graph(NamedTuple):
    """x, w, b -> z -> a -> L of one example, the derivatives of L, and the cost J of that example with its dw."""

    x: Array
    w: Array
    b: float
    y: float
    lambda_: float
    nodes: OneExample
    J: Scalar
    dw: Array

    @classmethod
    def of(cls, subject: Subject) -> Graph:
        """Forward and backward through the graph; with one example m is 1, in the penalty too."""
        w, b = subject.params["W1"].T, float(subject.params["b1"][0, 0])
        x, y, lambda_ = subject.X, float(subject.Y[0, 0]), subject.lambda_
        nodes = logistic_regression.one_example(w, b, x, y)
        J = nodes.L + l2_penalty([w], lambda_, 1)
        return cls(x, w, b, y, lambda_, nodes, J, nodes.dw + lambda_ * w)

    def lines(self) -> list[str]:
        """The drawing: inputs on the left, the loss on the right, arrows there and back."""
        at, n_x = self.nodes, self.x.shape[0]
        shown = range(1, min(n_x, FEATURES_SHOWN) + 1)
        penalty = " + lambda w{j}" if self.lambda_ else ""
        inputs = [f"x{j} = {_number(self.x[j - 1, 0])}  w{j} = {_number(self.w[j - 1, 0])}" for j in shown]
        back = [f"dw{j} = x{j} dz{penalty.format(j=j)} = {_number(self.dw[j - 1, 0])}" for j in shown]
        if n_x > FEATURES_SHOWN:
            first, rest = FEATURES_SHOWN + 1, slice(FEATURES_SHOWN, None)
            inputs.append(f"w{first} x{first} + .. + w{n_x} x{n_x} = {np.sum(self.w[rest] * self.x[rest]):.5g}")
            back.append(f"dw{first}..dw{n_x}: norm {np.linalg.norm(self.dw[rest]):.5g}")
        inputs.append(f"b = {_number(self.b)}")
        back.append(f"db = dz = {_number(at.db)}")
        width = max(len(line) for line in (*inputs, *back))
        forward_nodes = [("z = w^T x + b", at.z), ("a = sigmoid(z)", at.a), ("L(a, y)", at.L)]
        backward_nodes = [("dz = a - y", at.dz), ("da = -y/a + (1-y)/(1-a)", at.da), ("L", None)]
        cost = f"J = L + (lambda/2m) sum w^2 = {self.J:.5g} with m = 1"
        return [
            f"y = {self.y:g}, L(a, y) = -(y log a + (1-y) log(1-a))",
            "",
            "forward",
            "",
            *_joined(inputs, width, " --+", "--> ", " ---> ", forward_nodes),
            *(["", cost] if self.lambda_ else []),
            "",
            f"backward: derivatives of {'J' if self.lambda_ else 'L'}",
            "",
            *_joined(back, width, " <-+", "--- ", " <--- ", backward_nodes),
        ]

    def as_json(self) -> dict[str, Any]:
        """Plain data, every entry of x, w and dw included; dw is the derivative of J."""
        nodes = {name: _finite(getattr(self.nodes, name)) for name in ("z", "a", "L", "da", "dz", "db")}
        columns = {name: getattr(self, name)[:, 0].tolist() for name in ("x", "w", "dw")}
        return {**columns, "b": self.b, "y": self.y, **nodes, "J": _finite(self.J)}


class Layers(NamedTuple):
    """Every array of a network's forward and backward pass, layer by layer."""

    architecture: Architecture
    params: Parameters
    forward: network.ForwardPass
    backward: network.Backward
    J: Scalar

    @classmethod
    def of(cls, subject: Subject) -> Layers:
        """Forward and backward through the network."""
        net, params, X, Y, lambda_, *_ = subject
        passed = network.forward(net, params, X)
        back = network.backward(net, params, passed, Y, lambda_)
        return cls(net, params, passed, back, network.cost(net, params, passed, Y, lambda_))

    def arrays(self) -> list[dict[str, Array]]:
        """The arrays of the layers 0..L by name."""
        found: list[dict[str, Any]] = [{"A": self.forward.A[0], "dA": self.backward.dA[0]}]
        for l, _, k in self.architecture.numbered():
            A, dA = {"A": self.forward.A[l]}, {"dA": self.backward.dA[l]}
            if k:
                ahead = {"W": self.params[f"W{k}"], "b": self.params[f"b{k}"], "Z": self.forward.Z[l]}
                grads = {"dW": self.backward.grads[f"dW{k}"], "db": self.backward.grads[f"db{k}"]}
                found.append({**ahead, **A, **grads, "dZ": self.backward.dZ[l], **dA})
            else:
                found.append({**A, **dA})
        return found

    def lines(self) -> list[str]:
        """The drawing: forward down the left side, backward up the right."""
        arrays, L = self.arrays(), len(self.architecture.layers)
        drawn = [
            _pair(f"{'forward':<12}{'shape':<13}{'norm':<9}", f"{'backward':<12}{'shape':<13}norm"),
            _pair(_node("A[0] = X", arrays[0]["A"]), _node("dA[0]", arrays[0]["dA"])),
        ]
        for l, layer, k in self.architecture.numbered():
            at = arrays[l]
            if isinstance(layer, Weighted):
                g = layer.activation
                back = f"A[{l}] - Y" if l == L else f"dA[{l}] * {g}'(Z[{l}])"
                drawn += [
                    _pair(_node(f"  | W{k}", at["W"]), _node(f"  ^ dW{k}", at["dW"])),
                    _pair(_node(f"  v b{k}", at["b"]), _node(f"  | db{k}", at["db"])),
                    _pair(_node(f"Z[{l}]", at["Z"]), _node(f"dZ[{l}]", at["dZ"])),
                    _pair(f"  | A[{l}] = {g}(Z[{l}])", f"  ^ dZ[{l}] = {back}"),
                    _pair("  v", "  |"),
                ]
            elif layer.source is not None:
                drawn += [_pair(f"  | + A[{layer.source}]", f"  ^ to dA[{layer.source}] too"), _pair("  v", "  |")]
            else:
                drawn += [_pair(f"  | {layer.describe()}", "  ^"), _pair("  v", "  |")]
            drawn.append(_pair(_node(f"A[{l}]", at["A"]), _node(f"dA[{l}]", at["dA"])))
        return [
            *drawn,
            _pair("  v", "  ^"),
            f"J = {self.J:.5g}",
            "",
            "forward:  Z[l] = W A[l-1] + b, or W laid on every window of A[l-1]",
            *(["norms:    Z[l] = W * (A[l-1] - mean) / sqrt(variance + epsilon) + b"] if self._has_norms() else []),
            "backward: dA[l-1] = W^T dZ[l], dW = (1/m) dZ[l] A[l-1]^T + (lambda/m) W, db = (1/m) sum dZ[l]",
            "norm: root of the sum of squares; dA and dZ are per example, without 1/m",
        ]

    def _has_norms(self) -> bool:
        return any(isinstance(layer, Norm) for layer in self.architecture.layers)

    def as_json(self) -> dict[str, Any]:
        """Shape and norm of every array, by layer."""
        units = [None, *(getattr(layer, "activation", None) for layer in self.architecture.layers)]
        return {
            "J": _finite(self.J),
            "layers": [
                {
                    "layer": l,
                    "activation": unit,
                    **{
                        name: {"shape": list(array.shape), "norm": _finite(np.linalg.norm(array))}
                        for name, array in at.items()
                    },
                }
                for l, (unit, at) in enumerate(zip(units, self.arrays(), strict=True))
            ],
        }


def _joined(
    rows: list[str], width: int, bracket: str, stem: str, arrow: str, nodes: Iterable[tuple[str, Scalar]]
) -> list[str]:
    """Rows gathered by a bracket, from whose middle a chain of nodes leads on, with their values below."""
    names, values = "", ""
    for label, value in nodes:
        link = arrow if names else stem
        below = "" if value is None else f"{' ' * (label.find('=') if '=' in label else 0)}= {value:.5g}"
        column = max(len(label), len(below))
        names += link + label.ljust(column)
        values += " " * len(link) + below.ljust(column)
    middle = (len(rows) - 1) // 2
    tails = {middle: names, middle + 1: values}
    return [f"  {row:<{width}}{bracket}{tails.get(place, '')}".rstrip() for place, row in enumerate(rows)]


def _node(name: str, array: Array) -> str:
    return f"{name:<12}{array.shape!s:<13}{np.linalg.norm(array):<9.4g}"


def _pair(left: str, right: str) -> str:
    return f"  {left:<42}{right}".rstrip()


def _number(value: float) -> str:
    """Five significant digits, in a column."""
    return f"{value:< 11.5g}"


def _finite(value: Scalar) -> float | None:
    """A Python number; None for one that JSON lacks."""
    return float(value) if np.isfinite(value) else None
