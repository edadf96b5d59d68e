"""Logistic regression: one example, all in a loop, all at once. It is the network of one unit under other names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from parity_tests.derivations.settings import spellings
from parity_tests.derivations.settings.draws import network_problem
from parity_tests.derivations.settings.networks import PENALTY_GRADIENT_ID, PENALTY_ID, own_network, with_penalty
from parity_tests.derivations.settings.problems import NetworkProblem, View, ViewedProblem
from parity_tests.derivations.settings.setting import COMMON_FUNCTIONS, Kind, Own, Setting, Symbol, Target, Values
from parity_tests.derivations.settings.spellings import spelled

SIZES = ((3, 1, 7), (5, 1, 11), (7, 1, 5), (11, 1, 13), (13, 1, 3))
"""Choices of (n_x, n_1, m)."""


def _same(value: Any) -> Any:
    return value


def _column(value: Any) -> Any:
    return value.T


def _entry(place: int) -> Callable[[Any], float]:
    """One entry, as a number."""
    return lambda value: float(np.ravel(value)[place])


VIEW: View = {
    **{name: (name, _same) for name in ("m", "n_x", "lambda_", "alpha", "X", "Y", "J")},
    "w": ("W1", _column),
    "b": ("b1", _entry(0)),
    "Z": ("Z1", _same),
    "A": ("A1", _same),
    "dA": ("dA1", _same),
    "dZ": ("dZ1", _same),
    "dw": ("dW1", _column),
    "db": ("db1", _entry(0)),
}
"""w is a column and b a number here; in the network W1 is a row and b1 an array."""


def _network(seed: int) -> NetworkProblem:
    return network_problem("logistic", ("sigmoid",), SIZES, seed)


def _own(values: Values) -> ViewedProblem:
    """A person's data and parameters: the network of one unit that they are."""
    (network,) = own_network(("sigmoid",))
    params = {"W1": values["w"].T, "b1": np.reshape(values["b"], (1, 1))}
    made = network.problem({**{name: values[name] for name in ("X", "Y", "lambda_", "alpha")}, **params})
    assert isinstance(made, NetworkProblem)
    return ViewedProblem(made, VIEW)


def _one_example(seed: int) -> ViewedProblem:
    """Two features, as the notes draw the graph; the label changes from seed to seed."""
    network = network_problem("logistic-one", ("sigmoid",), ((2, 1, 1),), seed)
    return ViewedProblem(replace(network, Y=np.array([[seed % 2.0]])), ONE_VIEW, penalised=False)


def _target(ids: str, right: tuple[str, ...], kind: Kind, right_l2: tuple[str, ...] = (), ids_l2: str = "") -> Target:
    return Target(tuple(ids.split()), right, right_l2 or right, kind, tuple(ids_l2.split()))


SIZE_SYMBOLS = (
    Symbol("m", "()", "number of examples"),
    Symbol("n_x", "()", "number of features"),
    Symbol("lambda_", "()", "strength of the L2 penalty, also written lambda"),
    Symbol("alpha", "()", "learning rate"),
)
DATA_SYMBOLS = (
    Symbol("X", "(n_x, m)", "inputs, an example a column"),
    Symbol("Y", "(1, m)", "labels, 0 or 1"),
    Symbol("w", "(n_x, 1)", "weights"),
    Symbol("b", "()", "bias"),
)
GRADIENT_SYMBOLS = (
    Symbol("J", "()", "cost"),
    Symbol("dw", "(n_x, 1)", "derivative of J in w"),
    Symbol("db", "()", "derivative of J in b"),
)

COST_TEXT = (
    "J = -(1/m) * sum of Y log A + (1 - Y) log(1 - A), with A = sigmoid(w.T @ X + b); "
    "with L2 also + lambda/(2*m) * sum of the squares of w"
)
ALIASES = {"learning_rate": "alpha", "lambd": "lambda_"}
PREDICTIONS = ("yhat", "Yhat", "y_hat", "Y_hat")


def _decayed(dw: str) -> str:
    """The update of w with the penalty's part written as weight decay."""
    return f"(1 - alpha * lambda_ / m) * w - alpha * {dw}"


_UPDATE_W = spelled(spellings.UPDATE, W="w", dW="dw")
_UPDATE_B = _target("F029", spelled(spellings.UPDATE, W="b", dW="db"), "update")

# All examples at once.

_HERE = {"Z": "Z", "A": "A", "Y": "Y", "dA": "dA"}
_COSTS = spelled(spellings.COST["sigmoid"] + spellings.COST_OF_ONE_OUTPUT["sigmoid"], **_HERE)
_LINEAR = ("w.T @ X + b", "np.dot(w.T, X) + b", "np.matmul(w.T, X) + b", "(X.T @ w).T + b")
_DW = (
    "(1/m) * X @ dZ.T",
    "1/m * np.dot(X, dZ.T)",
    "np.dot(X, dZ.T) / m",
    "X @ dZ.T / m",
    "np.mean(X * dZ, axis=1, keepdims=True)",
    "(1/m) * np.sum(X * dZ, axis=1, keepdims=True)",
)
_DW_L2 = (
    *(f"{dw} + (lambda_/m) * w" for dw in _DW),
    "(X @ dZ.T + lambda_ * w) / m",
    "(1/m) * (np.dot(X, dZ.T) + lambda_ * w)",
)
_DB = ("(1/m) * np.sum(dZ)", "np.sum(dZ) / m", "np.mean(dZ)", "1/m * dZ.sum()")
_DZ = (*spellings.OUTPUT_DZ["sigmoid"], "{dA} * sigmoid'({Z})")

LOGISTIC = Setting(
    "logistic",
    "logistic regression over all m examples at once",
    COST_TEXT,
    (
        *SIZE_SYMBOLS,
        *DATA_SYMBOLS,
        Symbol("Z", "(1, m)", "linear part"),
        Symbol("A", "(1, m)", "outputs"),
        Symbol("dA", "(1, m)", "derivative of L(i) in A, no 1/m"),
        Symbol("dZ", "(1, m)", "derivative of L(i) in Z, no 1/m"),
        *GRADIENT_SYMBOLS,
    ),
    {
        "Z": _target("F047", _LINEAR, "forward"),
        "A": _target("F048", spellings.activation("sigmoid", "Z"), "forward"),
        "J": _target("F008 F198", _COSTS, "cost", with_penalty(_COSTS, ("w",)), f"F008 {PENALTY_ID}"),
        "dA": _target("F010 F011", spelled(spellings.COST_PRIME["sigmoid"], **_HERE), "derivative"),
        "dZ": _target("F050", spelled(_DZ, **_HERE), "derivative"),
        "dw": _target("F053", _DW, "gradient", _DW_L2, PENALTY_GRADIENT_ID),
        "db": _target("F051", _DB, "gradient"),
        "w": _target("F029", _UPDATE_W, "update", (*_UPDATE_W, _decayed("(1/m) * X @ dZ.T"))),
        "b": _UPDATE_B,
    },
    {"A": ("X", "A"), "Z": ("Z",), "dA": ("dA",), "dZ": ("dZ",), "W": ("w",), "dW": ("dw",), "n": ("n_x", "m")},
    {**ALIASES, **dict.fromkeys(PREDICTIONS, "A")},
    lambda seed: ViewedProblem(_network(seed), VIEW),
    COMMON_FUNCTIONS,
    (Own(("X", "Y", "w", "b"), _own, ("Z", "A", "J", "dA", "dZ", "dw", "db")),),
)

# The same sums over the examples and features, one after the other.

LOOP_VIEW: View = {
    **{name: VIEW[name] for name in ("m", "n_x", "lambda_", "alpha", "X", "Y", "w", "b", "J", "dw", "db")},
    "dw1": ("dW1", _entry(0)),
    "dw2": ("dW1", _entry(1)),
}

_A = "sigmoid(w.T @ X + b)"
_LOOP_COSTS = spelled(spellings.COST["sigmoid"], Z="(w.T @ X + b)", A=_A, Y="Y")
_LOOP_DW = (f"(1/m) * X @ ({_A} - Y).T", f"np.dot(X, ({_A} - Y).T) / m")
_LOOP_DB = (f"(1/m) * np.sum({_A} - Y)", f"np.mean({_A} - Y)")


def _loop_entry(j: int) -> Target:
    """The gradient in one weight."""
    sums = (f"(1/m) * np.sum(X[{j}, :] * ({_A} - Y))", f"np.mean(X[{j}] * ({_A} - Y))")
    penalised = tuple(f"{total} + (lambda_/m) * w[{j}, 0]" for total in sums)
    return _target(
        "F018 F024 F026", (*sums, f"dw[{j}, 0]"), "gradient", (*penalised, f"dw[{j}, 0]"), PENALTY_GRADIENT_ID
    )


LOGISTIC_LOOP = Setting(
    "logistic-loop",
    "logistic regression in loops over the m examples and the n_x features; J, dw and db add up",
    COST_TEXT,
    (
        *SIZE_SYMBOLS,
        *DATA_SYMBOLS,
        *GRADIENT_SYMBOLS,
        Symbol("dw1", "()", "derivative of J in the first weight"),
        Symbol("dw2", "()", "derivative of J in the second weight"),
    ),
    {
        "J": _target("F022 F026", _LOOP_COSTS, "cost", with_penalty(_LOOP_COSTS, ("w",)), f"F022 F026 {PENALTY_ID}"),
        "dw": _target(
            "F024 F026", _LOOP_DW, "gradient", tuple(f"{dw} + (lambda_/m) * w" for dw in _LOOP_DW), PENALTY_GRADIENT_ID
        ),
        "db": _target("F024 F026", _LOOP_DB, "gradient"),
        "dw1": _loop_entry(0),
        "dw2": _loop_entry(1),
        "w": _target("F029", _UPDATE_W, "update", (*_UPDATE_W, _decayed(_LOOP_DW[0]))),
        "b": _UPDATE_B,
    },
    {"W": ("w",), "dW": ("dw",), "dw": ("dw1", "dw2"), "n": ("n_x", "m")},
    ALIASES,
    lambda seed: ViewedProblem(_network(seed), LOOP_VIEW),
    COMMON_FUNCTIONS,
)

# The graph of one example.

ONE_VIEW: View = {
    "n_x": ("n_x", _same),
    "alpha": ("alpha", _same),
    "x": ("X", _same),
    "x1": ("X", _entry(0)),
    "x2": ("X", _entry(1)),
    "y": ("Y", _entry(0)),
    "w": ("W1", _column),
    "w1": ("W1", _entry(0)),
    "w2": ("W1", _entry(1)),
    "b": ("b1", _entry(0)),
    "z": ("Z1", _entry(0)),
    "a": ("A1", _entry(0)),
    "L": ("J", _same),
    "da": ("dA1", _entry(0)),
    "dz": ("dZ1", _entry(0)),
    "dw": ("dW1", _column),
    "dw1": ("dW1", _entry(0)),
    "dw2": ("dW1", _entry(1)),
    "db": ("db1", _entry(0)),
}

_NODE = {"Z": "z", "A": "a", "Y": "y", "dA": "da"}
_LOSSES = (
    "-({Y} * np.log({A}) + (1 - {Y}) * np.log(1 - {A}))",
    "-{Y} * np.log({A}) - (1 - {Y}) * np.log(1 - {A})",
    "np.log1p(np.exp({Z})) - {Y} * {Z}",
    "np.where({Y} == 1, -np.log({A}), -np.log(1 - {A}))",
)
_SUMS = (
    "w1 * x1 + w2 * x2 + b",
    "np.sum(w * x) + b",
    "(w.T @ x)[0, 0] + b",
    "np.dot(w[:, 0], x[:, 0]) + b",
)


def _product(dw: str, x: str) -> Target:
    """The derivative of L in a weight."""
    return _target("F016" if dw != "dw" else "F016 F096", (f"{x} * dz", f"dz * {x}", f"{x} * (a - y)"), "gradient")


def _step(w: str) -> Target:
    """A weight after a step."""
    return _target("F029", spelled(spellings.UPDATE, W=w, dW=f"d{w}"), "update")


LOGISTIC_ONE = Setting(
    "logistic-one",
    "logistic regression on one example with two features: x, w, b -> z -> a -> L",
    "L = -(y log a + (1 - y) log(1 - a)), with a = sigmoid(z); L2 plays no part in the loss of one example",
    (
        Symbol("n_x", "()", "number of features: 2"),
        Symbol("alpha", "()", "learning rate"),
        Symbol("x", "(n_x, 1)", "the example"),
        Symbol("x1", "()", "first feature"),
        Symbol("x2", "()", "second feature"),
        Symbol("y", "()", "label, 0 or 1"),
        Symbol("w", "(n_x, 1)", "weights"),
        Symbol("w1", "()", "first weight"),
        Symbol("w2", "()", "second weight"),
        Symbol("b", "()", "bias"),
        Symbol("z", "()", "linear part"),
        Symbol("a", "()", "output"),
        Symbol("L", "()", "loss"),
        Symbol("da", "()", "derivative of L in a"),
        Symbol("dz", "()", "derivative of L in z"),
        Symbol("dw", "(n_x, 1)", "derivative of L in w"),
        Symbol("dw1", "()", "derivative of L in w1"),
        Symbol("dw2", "()", "derivative of L in w2"),
        Symbol("db", "()", "derivative of L in b"),
    ),
    {
        "z": _target("F001 F028", _SUMS, "forward"),
        "a": _target("F003", spellings.activation("sigmoid", "z"), "forward"),
        "L": _target("F005", spelled(_LOSSES, **_NODE), "cost"),
        "da": _target("F010", spelled(spellings.COST_PRIME["sigmoid"], **_NODE), "derivative"),
        "dz": _target("F014", spelled(_DZ, **_NODE), "derivative"),
        "dw": _product("dw", "x"),
        "dw1": _product("dw1", "x1"),
        "dw2": _product("dw2", "x2"),
        "db": _target("F017", ("dz", "a - y", "da * a * (1 - a)"), "gradient"),
        "w": _step("w"),
        "w1": _step("w1"),
        "w2": _step("w2"),
        "b": _UPDATE_B,
    },
    {"x": ("x1", "x2"), "w": ("w1", "w2"), "dw": ("dw1", "dw2")},
    {"learning_rate": "alpha", **dict.fromkeys(("yhat", "y_hat"), "a")},
    _one_example,
    COMMON_FUNCTIONS,
)
