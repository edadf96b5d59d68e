"""Logistic regression: one example, all in a loop, all at once. It is the network of one unit under other names."""

from __future__ import annotations

from typing import Any

from parity_tests.derivations.settings import spellings
from parity_tests.derivations.settings.draws import network_problem
from parity_tests.derivations.settings.networks import PENALTY_GRADIENT_ID, PENALTY_ID, with_penalty
from parity_tests.derivations.settings.problems import NetworkProblem, View, ViewedProblem
from parity_tests.derivations.settings.setting import COMMON_FUNCTIONS, Setting, Symbol, Target
from parity_tests.derivations.settings.spellings import spelled

SIZES = ((3, 1, 7), (5, 1, 11), (7, 1, 5), (11, 1, 3), (5, 1, 13))
"""Choices of (n_x, n_1, m)."""


def _same(value: Any) -> Any:
    return value


def _column(value: Any) -> Any:
    return value.T


def _number(value: Any) -> Any:
    return float(value[0, 0])


VIEW: View = {
    **{name: (name, _same) for name in ("m", "n_x", "lambda_", "alpha", "X", "Y", "J")},
    "w": ("W1", _column),
    "b": ("b1", _number),
    "Z": ("Z1", _same),
    "A": ("A1", _same),
    "dA": ("dA1", _same),
    "dZ": ("dZ1", _same),
    "dw": ("dW1", _column),
    "db": ("db1", _number),
}
"""w is a column and b a number here; in the network W1 is a row and b1 an array."""


def _network(seed: int) -> NetworkProblem:
    return network_problem("logistic", ("sigmoid",), SIZES, seed)


SYMBOLS = (
    Symbol("m", "()", "number of examples"),
    Symbol("n_x", "()", "number of features"),
    Symbol("lambda_", "()", "strength of the L2 penalty, also written lambda"),
    Symbol("alpha", "()", "learning rate"),
    Symbol("X", "(n_x, m)", "inputs, an example a column"),
    Symbol("Y", "(1, m)", "labels, 0 or 1"),
    Symbol("w", "(n_x, 1)", "weights"),
    Symbol("b", "()", "bias"),
    Symbol("J", "()", "cost"),
    Symbol("dw", "(n_x, 1)", "derivative of J in w"),
    Symbol("db", "()", "derivative of J in b"),
)
EACH = (
    Symbol("Z", "(1, m)", "linear part"),
    Symbol("A", "(1, m)", "outputs"),
    Symbol("dA", "(1, m)", "derivative of L(i) in A, no 1/m"),
    Symbol("dZ", "(1, m)", "derivative of L(i) in Z, no 1/m"),
)

COST_TEXT = (
    "J = -(1/m) * sum of Y log A + (1 - Y) log(1 - A), with A = sigmoid(w.T @ X + b); "
    "with L2 also + lambda/(2m) * sum of the squares of w"
)

ALIASES = {"n": "n_x", "learning_rate": "alpha", "lambd": "lambda_"}


def _plain(ids: str, right: tuple[str, ...], kind: Any) -> Target:
    return Target(tuple(ids.split()), right, right, kind)


_HERE = {"Z": "Z", "A": "A", "Y": "Y", "dA": "dA", "dZ": "dZ"}
_COSTS = spelled(spellings.COST["sigmoid"] + spellings.COST_OF_ONE_OUTPUT["sigmoid"], **_HERE)
_DW = (
    "(1/m) * X @ dZ.T",
    "1/m * np.dot(X, dZ.T)",
    "np.dot(X, dZ.T) / m",
    "X @ dZ.T / m",
    "np.mean(X * dZ, axis=1, keepdims=True)",
    "(1/m) * np.sum(X * dZ, axis=1, keepdims=True)",
)

LOGISTIC = Setting(
    "logistic",
    "logistic regression over all m examples at once",
    COST_TEXT,
    (*SYMBOLS[:-3], *EACH, *SYMBOLS[-3:]),
    {
        "Z": _plain(
            "F047", ("w.T @ X + b", "np.dot(w.T, X) + b", "np.matmul(w.T, X) + b", "(X.T @ w).T + b"), "forward"
        ),
        "A": _plain("F048", spelled(spellings.ACTIVATION["sigmoid"], **_HERE), "forward"),
        "J": Target(("F008", "F198"), _COSTS, with_penalty(_COSTS, ("w",)), "cost", ("F008", PENALTY_ID)),
        "dA": _plain("F010 F011", spelled(spellings.COST_PRIME["sigmoid"], **_HERE), "derivative"),
        "dZ": _plain("F050", spelled((*spellings.OUTPUT_DZ["sigmoid"], "{dA} * sigmoid'({Z})"), **_HERE), "derivative"),
        "dw": Target(
            ("F053",),
            _DW,
            (
                *(f"{dw} + (lambda_/m) * w" for dw in _DW),
                "(X @ dZ.T + lambda_ * w) / m",
                "(1/m) * (np.dot(X, dZ.T) + lambda_ * w)",
            ),
            "gradient",
            (PENALTY_GRADIENT_ID,),
        ),
        "db": _plain("F051", ("(1/m) * np.sum(dZ)", "np.sum(dZ) / m", "np.mean(dZ)", "1/m * dZ.sum()"), "gradient"),
        "w": Target(
            ("F029",),
            spelled(spellings.UPDATE, W="w", dW="dw"),
            (*spelled(spellings.UPDATE, W="w", dW="dw"), "(1 - alpha * lambda_ / m) * w - alpha * (1/m) * X @ dZ.T"),
            "update",
        ),
        "b": _plain("F029", spelled(spellings.UPDATE, W="b", dW="db"), "update"),
    },
    {"A": ("X", "A"), "Z": ("Z",), "dA": ("dA",), "dZ": ("dZ",), "W": ("w",), "dW": ("dw",), "n": ("n_x", "m")},
    {**ALIASES, **dict.fromkeys(("yhat", "Yhat", "y_hat", "Y_hat"), "A")},
    lambda seed: ViewedProblem(_network(seed), VIEW, {}),
    COMMON_FUNCTIONS,
)
