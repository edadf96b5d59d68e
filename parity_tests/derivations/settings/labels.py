"""Softmax regression on labels, examples in rows: the true class of example i is y[i]."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from manual.activations import softmax
from manual.notation import Array, Scalar
from parity_tests.derivations.settings.draws import sizes_of
from parity_tests.derivations.settings.setting import (
    COMMON_FUNCTIONS,
    Kind,
    Own,
    Setting,
    Symbol,
    Target,
    Values,
    generator,
)
from parity_tests.judging.complex_step import complex_step

SIZES = ((7, 3, 5), (11, 5, 3), (13, 7, 11), (17, 11, 13), (19, 13, 7))
"""Choices of (m, n_x, n_C)."""


@dataclass(frozen=True, eq=False)
class LabelProblem:
    """Examples in rows, their labels, and the parameters of the scores."""

    X: Array
    W: Array
    b: Array
    y: Array

    def given(self) -> Values:
        """Sizes, data and parameters."""
        (m, n_x), n_C = self.X.shape, self.W.shape[1]
        return {"m": m, "n_x": n_x, "n_C": n_C, **vars(self)}

    def by_numpy(self, l2: bool) -> Values:
        """Forward by the formulas, backward by the complex step."""
        scores = self._scores(self.W, self.b)
        return {
            "scores": scores,
            "probs": softmax(scores.T).T,
            "loss": self._loss(scores),
            "dscores": complex_step(self._loss, scores),
            "dW": complex_step(lambda at: self._loss(self._scores(at, self.b)), self.W),
            "db": complex_step(lambda at: self._loss(self._scores(self.W, at)), self.b),
        }

    def by_torch(self, l2: bool) -> Values:
        """Torch's linear layer, its cross-entropy of labels, and autograd."""
        from parity_tests.derivations.settings import torch_side

        return torch_side.labels(**vars(self))

    def _scores(self, W: Array, b: Array) -> Array:
        return self.X @ W + b

    def _loss(self, scores: Array) -> Scalar:
        true = np.eye(scores.shape[1])[self.y.astype(np.intp)]
        return -np.sum(true * np.log(softmax(scores.T).T)) / len(scores)


def _draw(seed: int) -> LabelProblem:
    rng = generator("labels", seed)
    m, n_x, n_C = sizes_of(SIZES, seed)
    y = rng.permutation(np.arange(m) % n_C).astype(np.float64)
    X, W = rng.standard_normal((m, n_x)), rng.standard_normal((n_x, n_C)) / n_x**0.5
    return LabelProblem(X, W, 0.4 * rng.standard_normal(n_C), y)


def _own(values: Values) -> LabelProblem:
    y, n_C = values["y"], values["W"].shape[1]
    if not np.isin(y, np.arange(n_C)).all():
        raise ValueError(f"y holds what is no label, expected whole numbers from 0 to {n_C - 1}")
    return LabelProblem(values["X"], values["W"], values["b"], y)


def _target(ids: str, right: tuple[str, ...], kind: Kind) -> Target:
    return Target((ids,), right, right, kind)


_PROBS = "np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)"
_SHIFTED = "scores - np.max(scores, axis=1, keepdims=True)"
_SUBTRACTED = "dscores = probs\ndscores[range(m), y] -= 1\n"
_LOOP = """\
dW = np.zeros((n_x, n_C))
for j in range(n_x):
    for k in range(n_C):
        for i in range(m):
            dW[j, k] += X[i, j] * dscores[i, k]"""

LABELS = Setting(
    "labels",
    "softmax regression on labels, an example a row: probs[range(m), y] are those of the true classes",
    "loss = -(1/m) * sum of log probs[i, y[i]]; dscores, dW and db are derivatives of the loss and carry its 1/m; "
    "L2 plays no part",
    (
        Symbol("m", "()", "number of examples, also N"),
        Symbol("n_x", "()", "number of features, also D"),
        Symbol("n_C", "()", "number of classes, also C"),
        Symbol("X", "(m, n_x)", "inputs, an example a row"),
        Symbol("W", "(n_x, n_C)", "weights"),
        Symbol("b", "(n_C)", "biases"),
        Symbol("y", "(m)", "labels, 0 to n_C - 1"),
        Symbol("scores", "(m, n_C)", "X @ W + b"),
        Symbol("probs", "(m, n_C)", "softmax of every row of the scores"),
        Symbol("loss", "()", "cost"),
        Symbol("dscores", "(m, n_C)", "derivative of the loss in the scores, with the 1/m"),
        Symbol("dW", "(n_x, n_C)", "derivative of the loss in W"),
        Symbol("db", "(n_C)", "derivative of the loss in b"),
    ),
    {
        "scores": _target("F047", ("X @ W + b", "np.dot(X, W) + b", "X.dot(W) + b"), "forward"),
        "probs": _target(
            "F247",
            (_PROBS, "softmax(scores.T).T", f"e = np.exp({_SHIFTED})\nprobs = e / np.sum(e, axis=1, keepdims=True)"),
            "forward",
        ),
        "loss": _target(
            "F247",
            (
                "-np.sum(np.log(probs[range(m), y])) / m",
                "np.mean(-np.log(probs[np.arange(m), y]))",
                "correct = -np.log(probs[range(m), y])\nloss = (1/m) * np.sum(correct)",
                "loss = 0\nfor i in range(m):\n    loss -= np.log(probs[i, y[i]])\nloss /= m",
            ),
            "cost",
        ),
        "dscores": _target(
            "F098",
            (
                f"{_SUBTRACTED}dscores /= m",
                f"{_SUBTRACTED}dscores = dscores / m",
                "(probs - np.eye(n_C)[y]) / m",
                "dscores = (1/m) * probs\ndscores[np.arange(m), y] -= 1/m",
            ),
            "gradient",
        ),
        "dW": _target("F053", ("X.T @ dscores", "np.dot(X.T, dscores)", "X.T.dot(dscores)", _LOOP), "gradient"),
        "db": _target("F051", ("np.sum(dscores, axis=0)", "dscores.sum(axis=0)"), "gradient"),
    },
    {"n": ("m", "n_x", "n_C")},
    {"N": "m", "D": "n_x", "C": "n_C", "num_examples": "m", "p": "probs"},
    _draw,
    COMMON_FUNCTIONS,
    (Own(("X", "W", "b", "y"), _own, ("scores", "probs", "loss", "dscores", "dW", "db")),),
)
