"""Networks of dense layers as reference texts: written out for their units, in the names of the notes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from parity_tests.derivations.settings.reference import reference
from parity_tests.derivations.settings.setting import UNITS, Setting

Ids = Mapping[str, str]

SHALLOW_IDS: Ids = {
    "Z": "F072", "A": "F072", "A_L": "F072", "J": "F198", "J_l2": "F198 F199", "dA_L": "F172", "dZ_L": "F098",
    "dW_L": "F098", "db_L": "F098", "dA": "F170", "dZ": "F099", "dW": "F103", "db": "F103", "W": "F181",
    "dW_l2": "F202",
}  # fmt: skip
"""Formulas of the notes: for hidden layers and, with _L, for the output; with _l2 where J has the penalty."""

_SUMMED = {"J": "F175 F196", "J_l2": "F175 F196 F199", "dZ_L": "F098 F175"}
DEEP_IDS: Ids = {
    **SHALLOW_IDS, **_SUMMED, **dict.fromkeys(("Z", "A", "A_L"), "F151"), "dZ": "F164 F171",
    **dict.fromkeys(("dW_L", "dW"), "F168"), **dict.fromkeys(("db_L", "db"), "F169"),
}  # fmt: skip
SOFTMAX_IDS: Ids = {**SHALLOW_IDS, **dict.fromkeys(("A_L", "J", "dA_L"), "F247"), "J_l2": "F247 F199"}
REGRESSION_IDS: Ids = {
    **SHALLOW_IDS, **dict.fromkeys(("A_L", "J", "dA_L", "dZ_L"), "F137"), "J_l2": "F137 F199"
}  # fmt: skip
MINIBATCH_IDS: Ids = {**SHALLOW_IDS, "J": "F210", "J_l2": "F211 F212", "W": "F214", "dW_l2": "F202 F212"}


class Cost(NamedTuple):
    """J in words and as a formula of A, dA per example, how Y is drawn, dZ; J and dA of Z, which do not overflow."""

    words: str
    J: str
    dA: str
    labels: str
    dZ: str = "{A} - Y"
    J_of_Z: str = ""
    dA_of_Z: str = ""


BINARY_OF_Z = (
    "np.sum(Y * np.logaddexp(0, -{Z}) + (1 - Y) * np.logaddexp(0, {Z})) / m",
    "(1 - Y) * (1 + np.exp({Z})) - Y * (1 + np.exp(-{Z}))",
)
_SQUARED = ("1/(2*m) * sum of ({A} - Y)^2", "(1/(2*m)) * np.sum(({A} - Y)**2)", "{A} - Y")
_NO_HALF = ("1/m * sum of ({A} - Y)^2", "(1/m) * np.sum(({A} - Y)**2)", "2 * ({A} - Y)")
_SHIFTED = "({Z} - np.max({Z}, axis=0, keepdims=True))"
COSTS = {
    "sigmoid": Cost("-(1/m) * sum of Y log {A} + (1 - Y) log(1 - {A})",
                    "-(1/m) * np.sum(Y * np.log({A}) + (1 - Y) * np.log(1 - {A}))",
                    "-Y / {A} + (1 - Y) / (1 - {A})", "binary", "{A} - Y", *BINARY_OF_Z),
    "softmax": Cost("-(1/m) * sum of Y log {A}", "-(1/m) * np.sum(Y * np.log({A}))", "-Y / {A}", "one_hot", "{A} - Y",
                    f"np.sum(Y * (np.log(np.sum(np.exp{_SHIFTED}, axis=0, keepdims=True)) - {_SHIFTED})) / m",
                    "-Y / {A}"),
    "identity": Cost(*_SQUARED, "normal"),
    "squared sigmoid": Cost(*_SQUARED, "binary", "({A} - Y) * {A} * (1 - {A})"),
    "squared sigmoid, no half": Cost(*_NO_HALF, "binary", "2 * ({A} - Y) * {A} * (1 - {A})"),
    "squared, no half": Cost(*_NO_HALF, "normal", "2 * ({A} - Y)"),
    "squared softmax": Cost(*_SQUARED, "one_hot", "{A} * (d{A} - np.sum({A} * d{A}, axis=0, keepdims=True))"),
}  # fmt: skip
"""By the output unit, and by another cost with it."""


def network_text(
    name: str,
    summary: str,
    units: tuple[str, ...],
    sizes: str,
    ids: Ids,
    also: str = "",
    cost: str = "",
    *,
    rows: bool = False,
    turned: bool = False,
) -> str:
    """The text of a network with these units, the output's last; ``sizes`` are choices of n_x, n_1, ..., n_L and m.

    With ``rows`` an example is a row, and weights are (units below, units); where they are ``turned``, the other way
    round.
    """
    over, under = ("W{}.T", "W{}") if turned else ("W{}", "W{}.T")  # on the way up, and on the way down
    layers = range(1, len(units) + 1)
    L, J = len(units), COSTS[cost or units[-1]]
    A, Z, squares = f"A{L}", f"Z{L}", " + ".join(f"np.sum(W{l}**2)" for l in layers)
    n, below = ["n_x", *(f"n_{l}" for l in layers)], ["X", *(f"A{l}" for l in layers)]
    squares = f"({squares})" if L > 1 else squares
    output = ", ".join(f"{alias} = {A}" for alias in ("yhat", "Yhat", "y_hat", "Y_hat", "AL", "A_L"))
    lines = [
        f"{name}: {summary}",
        f"cost: J = {J.words.format(A=A)}, over outputs and examples; with L2 also + lambda/(2*m) * sum of the squares "
        f"of {', '.join(f'W{l}' for l in layers)}",
        f"sizes: {' '.join(n)} m = {sizes}",
        *([f"wide: {' '.join(WIDE[: len(n) + 1])}"] if "1" in sizes.split() else []),
        "per example: m",
        f"also: A0 = X, dA0 = dX, n_0 = n_x, learning_rate = alpha, lambd = lambda_, {output}{also}, "
        f"dAL = dA{L}, dA_L = dA{L}, dZL = dZ{L}, dZ_L = dZ{L}",
        "" if rows else f"own: X Y {' '.join(f'W{l} b{l}' for l in layers)}",
        f"X {_turned('n_x', 'm', rows)} ~ normal  # inputs, an example a {'row' if rows else 'column'}",
        f"Y {_turned(n[L], 'm', rows)} ~ {J.labels}{'_rows' if rows else ''}  # what the outputs should be",
    ]
    for l, unit in enumerate(units, 1):
        lines += [
            f"W{l} {_turned(n[l], n[l - 1], rows != turned)} ~ normal / {n[l - 1]}**0.5  # weights of layer {l}",
            f"b{l} {_turned(n[l], '1', rows)} ~ normal * 0.4  # biases of layer {l}",
            f"g{l} function ~ {unit}  # activation of layer {l}: {unit}",
            f"Z{l} {_turned(n[l], 'm', rows)} = {_product(over.format(l), below[l - 1], rows)} + b{l}  # {ids['Z']}; "
            f"linear part of layer {l}",
            f"A{l} {_turned(n[l], 'm', rows)} = {_unit(l, unit, rows)}  # {ids['A_L' if l == L else 'A']}; "
            f"output of layer {l}",
        ]
    lines += [
        f"J = {J.J.format(A=A)}  # {ids['J']} {_own(J.J_of_Z, Z, A)}; cost",
        f"    l2: + (lambda_/(2*m)) * {squares}  # {ids['J_l2']}",
    ]
    for l in reversed(layers):
        at = "_L" if l == L else ""
        dA = J.dA.format(A=A) if at else _product(under.format(l + 1), f"dZ{l + 1}", rows)
        dZ = J.dZ.format(A=A) if at else f"{dA} * g{l}'(Z{l})"
        on_own = _own(J.dA_of_Z, Z, A) if at else ""
        lines += [
            f"dA{l} = {dA}  # {ids['dA' + at]} {on_own}",
            f"dZ{l} = {dZ}  # {ids['dZ' + at]}",
            f"dW{l} = (1/m) * {_outer(f'dZ{l}', below[l - 1], rows, turned)}  # {ids['dW' + at]}",
            f"    l2: + (lambda_/m) * W{l}  # {ids['dW_l2']}",
            f"db{l} = (1/m) * np.sum(dZ{l}, axis={int(not rows)}, keepdims=True)  # {ids['db' + at]}",
        ]
    lines.append(f"dX = {_product(under.format(1), 'dZ1', rows)}  # {ids['dA']}")
    lines += [f"{p}{l} = {p}{l} - alpha * d{p}{l}  # {ids['W']}" for l in layers for p in "Wb"]
    return "\n".join(lines)


def _turned(first: str, second: str, rows: bool) -> str:
    """A shape, of what is transposed where an example is a row."""
    return f"({second}, {first})" if rows else f"({first}, {second})"


def _unit(layer: int, unit: str, rows: bool) -> str:
    """A unit of a layer; the softmax takes its classes along the first axis."""
    return f"g{layer}(Z{layer}.T).T" if rows and unit == "softmax" else f"g{layer}(Z{layer})"


def _product(first: str, second: str, rows: bool) -> str:
    """``W @ A``, which is ``A @ W`` where an example is a row."""
    return f"{second} @ {first}" if rows else f"{first} @ {second}"


def _outer(dZ: str, below: str, rows: bool, turned: bool) -> str:
    """``dZ @ A.T`` for weights (units, units below) of examples in columns."""
    first, second = (below, dZ) if rows != turned else (dZ, below)
    return f"{first}.T @ {second}" if rows else f"{first} @ {second}.T"


def _own(formula: str, Z: str, A: str) -> str:
    """How a reference text says that a formula is for a person's own numbers."""
    return f"own {{{formula.format(Z=Z, A=A)}}}" if formula else ""


def network(*told: Any, **how: Any) -> Setting:
    """The setting of such a network."""
    return reference(network_text(*told, **how))


WIDE = ("11", "5", "7", "3", "13", "17")
"""Sizes of a network where the others have a single output."""

SHALLOW_SIZES = "3 5 1 7 | 5 3 1 11 | 7 11 1 5 | 11 7 1 13 | 17 13 1 3"
DEEP_SIZES = "5 7 11 3 13 | 11 3 7 13 5 | 7 5 3 11 17 | 13 11 5 7 3 | 3 13 17 5 11"
ONE_HIDDEN = "3 5 7 11 | 5 7 3 13 | 7 11 5 17 | 11 3 13 19 | 13 17 11 23"
HIDDEN = ", n_h = n_1"

SHALLOW = network(
    "shallow", "one hidden tanh layer, one sigmoid output, m examples", ("tanh", "sigmoid"), SHALLOW_SIZES,
    SHALLOW_IDS, HIDDEN,
)  # fmt: skip
DEEP = network(
    "deep", "three layers: tanh, ReLU, several sigmoid outputs whose losses are summed", ("tanh", "relu", "sigmoid"),
    DEEP_SIZES, DEEP_IDS,
)  # fmt: skip
MULTILABEL = network(
    "multilabel", "one hidden tanh layer, several sigmoid outputs whose losses are summed", ("tanh", "sigmoid"),
    ONE_HIDDEN, {**SHALLOW_IDS, **_SUMMED}, HIDDEN,
)  # fmt: skip
SOFTMAX = network(
    "softmax", "one hidden tanh layer, softmax over the classes, which are one-hot columns of Y", ("tanh", "softmax"),
    ONE_HIDDEN, SOFTMAX_IDS, HIDDEN,
)  # fmt: skip
REGRESSION = network(
    "regression", "one hidden tanh layer, several outputs without activation, half the squared error",
    ("tanh", "identity"), ONE_HIDDEN, REGRESSION_IDS, HIDDEN,
)  # fmt: skip
NETWORKS = (SHALLOW, DEEP, MULTILABEL, SOFTMAX, REGRESSION)


def _minibatch() -> Setting:
    """The shallow network under the names of a chunk; m is the size of the whole set."""
    sizes = "3 5 1 7 89 | 5 3 1 11 97 | 7 11 1 13 101 | 11 7 1 17 103 | 13 17 1 3 107"
    also = f"{HIDDEN}, batch_size = m, m_t = m"
    names = {"X": "X_t", "Y": "Y_t", "m": "chunk_size", "J": "J_t", "dX": "dX_t"}
    text = network_text("minibatch", "", ("tanh", "sigmoid"), sizes, MINIBATCH_IDS, also)
    text = re.sub(rf"\b({'|'.join(names)})\b", lambda found: names[found[0]], text)
    text = text.replace(": ", ": the shallow network on chunk t of the m examples", 1)
    text = text.replace("chunk_size = ", "chunk_size m = ", 1)
    text = re.sub(r"^wide: .*", r"\g<0> 89", text, flags=re.MULTILINE)
    rows = [row for row in text.splitlines() if not row.startswith("own:")]
    return reference("\n".join([*rows, "m  # number of examples of the whole set"]))


MINIBATCH = _minibatch()


_THROUGH: Ids = {**REGRESSION_IDS, "dZ_L": "F164 F171"}
OTHER_NETWORKS = (
    network(
        "relu-hidden", "one hidden ReLU layer, one sigmoid output, m examples", ("relu", "sigmoid"), SHALLOW_SIZES,
        SHALLOW_IDS, HIDDEN,
    ),
    network(
        "sigmoid-hidden", "one hidden sigmoid layer, one sigmoid output, m examples", ("sigmoid", "sigmoid"),
        SHALLOW_SIZES, SHALLOW_IDS, HIDDEN,
    ),
    network(
        "sigmoid-squared-error", "one hidden sigmoid layer, several sigmoid outputs, half the squared error",
        ("sigmoid", "sigmoid"), ONE_HIDDEN, _THROUGH, HIDDEN, "squared sigmoid",
    ),
    network(
        "softmax-squared-error", "one hidden tanh layer, softmax over the classes, half the squared error",
        ("tanh", "softmax"), ONE_HIDDEN, {**_THROUGH, "A_L": "F247", "dZ_L": "F184"}, HIDDEN, "squared softmax",
    ),
    network(
        "four-layers", "four layers: three of tanh, one sigmoid output, m examples",
        ("tanh", "tanh", "tanh", "sigmoid"),
        "3 11 7 13 1 17 | 5 13 11 7 1 19 | 7 17 13 11 1 23 | 11 7 5 3 1 13 | 13 5 3 17 1 11", DEEP_IDS,
    ),
)  # fmt: skip
"""What the notes do not write out: their formulas with other units, another cost, more layers."""


def with_hidden(setting: Setting, hidden: tuple[str, ...]) -> Setting:
    """The same network with other hidden units: their formulas, and a person's own numbers, but the same draws."""
    output = next(unit for unit, each in UNITS.items() if each.g is setting.functions[f"g{len(hidden) + 1}"])
    units = (*hidden, output)
    first = "one hidden" if len(hidden) == 1 else f"{len(units)} layers:"
    summary = f"{first} {', '.join(hidden)} layer,{setting.summary.split('layer,', 1)[-1]}"
    if len(hidden) > 1:
        summary = f"{first} {', '.join(hidden)},{setting.summary.split(',')[-1].removeprefix(' ReLU')}"
    sizes, ids = (DEEP_SIZES, DEEP_IDS) if len(hidden) > 1 else (ONE_HIDDEN, SHALLOW_IDS)
    made = network(setting.name, summary, units, sizes, ids, HIDDEN if len(hidden) == 1 else "")
    formula_ids = {name: (target.formula_ids, target.formula_ids_l2) for name, target in setting.targets.items()}
    targets = {
        name: target._replace(formula_ids=formula_ids[name][0], formula_ids_l2=formula_ids[name][1])
        for name, target in made.targets.items()
    }
    return replace(made, draw=setting.draw, targets=targets)
