"""The settings in which the formulas of a note are judged, by what the note takes for granted."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from parity_tests.derivations.latex.tree import NotReadError
from parity_tests.derivations.settings import Setting
from parity_tests.derivations.settings.networks import DEEP_IDS, REGRESSION_IDS, SOFTMAX_IDS, network_text
from parity_tests.derivations.settings.reference import reference

CROSS_ENTROPY, SOFTMAX = "cross-entropy", "softmax with cross-entropy"
SQUARED, SQUARED_LINEAR = "half the squared error of a sigmoid", "half the squared error of a linear output"
TWICE, TWICE_LINEAR = "the squared error of a sigmoid, without 1/2", "the squared error of a linear output, without 1/2"
COSTS = {
    CROSS_ENTROPY: ("sigmoid", "sigmoid"),
    SOFTMAX: ("softmax", "softmax"),
    SQUARED: ("sigmoid", "squared sigmoid"),
    SQUARED_LINEAR: ("identity", "identity"),
    TWICE: ("sigmoid", "squared sigmoid, no half"),
    TWICE_LINEAR: ("identity", "squared, no half"),
}
"""Unit of the output, and the cost of the networks' texts."""


def costs_named(text: str) -> tuple[str, ...]:
    """The costs that a flag allows; ValueError for another word."""
    words = text.replace("-", "_").split(",")
    if not text:
        return ()
    half = "half" in words
    named = {
        "cross_entropy": (CROSS_ENTROPY, SOFTMAX), "softmax": (SOFTMAX,),
        "squared_error": (SQUARED, SQUARED_LINEAR) if half else (SQUARED, SQUARED_LINEAR, TWICE, TWICE_LINEAR),
    }  # fmt: skip
    if words[0] not in named:
        raise ValueError(f"cost is {text!r}, expected one of {', '.join(named)}")
    return named[words[0]]


MOST_LAYERS = 5
_SIZES = {  # falling: on few units no ReLU is near its kink, nor always on or off
    1: "3 7 5 | 5 3 7 | 7 5 4",
    2: "3 5 4 7 | 5 7 3 4 | 4 3 7 5",
    3: "7 5 4 3 8 | 8 5 3 4 7 | 8 6 5 3 7",
    4: "3 5 7 4 6 8 | 5 7 4 3 8 6 | 7 3 5 4 6 8",
    5: "3 5 7 4 6 8 9 | 5 7 4 3 8 9 6 | 7 3 5 4 6 8 9",
}


class Convention(NamedTuple):
    """What a section takes for granted.

    ``rows``: an example is a row; ``turned``: weights are (units below, units) with examples in columns, or (units,
    units below) in rows; ``one``: formulas are those of one example; ``single``: there is one output; ``above``: layers
    are numbered from the inputs, so that z2 = W1 a1 + b1; ``unbiased``: there are no biases; ``undivided``: the penalty
    is lambda/2 times the squares, without 1/m; ``decays``: an update adds the derivative of the penalty itself.
    """

    rows: bool = False
    turned: bool = False
    one: bool = False
    cost: str = CROSS_ENTROPY
    hidden: str = "tanh"
    single: bool = False
    total: bool = False
    l2: bool = False
    above: bool = False
    unbiased: bool = False
    undivided: bool = False
    decays: bool = False

    @property
    def setting(self) -> Convention:
        """What of it makes another setting, and no other reading."""
        return self._replace(above=False, undivided=False, decays=False)

    def against(self, other: Convention) -> str:
        """How it differs from another, in words."""
        parts = []
        if self.one != other.one:
            parts.append("for one example" if self.one else "for m examples")
        if self.rows != other.rows:
            parts.append("with examples in rows" if self.rows else "with examples in columns")
        if self.turned != other.turned:
            into = self.rows != self.turned
            parts.append(f"where weights have the shape (units{' below, units' if into else ', units below'})")
        if self.cost != other.cost:
            parts.append(f"for {self.cost}")
        if self.hidden != other.hidden:
            parts.append(f"for {self.hidden} units")
        if self.single != other.single and self.single:
            parts.append("for one output")
        if self.total != other.total:
            parts.append("where dZ and dA are derivatives of J itself" if self.total else "where dZ is per example")
        if self.l2 != other.l2:
            parts.append("where J has the L2 penalty" if self.l2 else "where J has no L2 penalty")
        if self.unbiased != other.unbiased:
            parts.append("where there are no biases" if self.unbiased else "where there are biases")
        if self.undivided != other.undivided:
            parts.append(f"where the penalty is {'not ' if self.undivided else ''}divided by m")
        if self.decays != other.decays:
            parts.append(f"where dW is {'without' if self.decays else 'with'} the penalty")
        if self.above != other.above:
            shifted = "weights have the number of the layer below"
            parts.append(f"where {shifted}" if self.above else "where weights have the number of their own layer")
        return " and ".join(parts)

    @property
    def words(self) -> str:
        """All of it, in words."""
        where = "examples in rows" if self.rows else "examples in columns"
        return f"{'one example' if self.one else 'm examples'}, {where}, {self.cost}"


@lru_cache(maxsize=256)
def network_setting(layers: int, convention: Convention) -> Setting:
    """The dense network of so many layers in a convention; NotReadError for a softmax of one output."""
    plain = convention.setting._replace(hidden="tanh" if layers == 1 else convention.hidden)
    if plain != convention:  # what plays no part makes no other setting
        return network_setting(layers, plain)
    unit, cost = COSTS[convention.cost]
    if unit == "softmax" and convention.single:
        raise NotReadError("a softmax with one output")
    if layers > 2 and convention.single and convention.hidden == cost.partition(" ")[2].partition(",")[0] == "sigmoid":
        raise NotReadError("sigmoids upon sigmoids, whose gradients vanish")
    units = (*(convention.hidden,) * (layers - 1), unit)
    ids = SOFTMAX_IDS if unit == "softmax" else DEEP_IDS if cost == "sigmoid" else REGRESSION_IDS
    sizes = _SIZES[layers]
    if convention.one:
        sizes = re.sub(r"\d+(?= \||$)", "1", sizes)
    if convention.single:
        sizes = re.sub(r"\d+( \d+)(?= \||$)", r"1\1", sizes)
    summary = f"{layers} layers, {convention.words}"
    text = network_text("note", summary, units, sizes, ids, "", cost, rows=convention.rows, turned=convention.turned)
    return _made(text, convention)


@lru_cache(maxsize=64)
def scalar_setting(layers: int, convention: Convention) -> Setting:
    """The network whose layers have one unit each."""
    hidden = "tanh" if "relu" in convention.hidden else convention.hidden  # a lone ReLU may be dead
    plain = Convention(one=convention.one, cost=convention.cost, hidden=hidden, total=convention.total)
    unit, cost = COSTS[convention.cost if convention.cost != SOFTMAX else CROSS_ENTROPY]
    units = (*(hidden,) * (layers - 1), unit)
    sizes = " ".join(["1"] * (layers + 1))
    sizes = f"{sizes} 1" if convention.one else f"{sizes} 5"
    return _made(network_text("note", "one unit a layer", units, sizes, DEEP_IDS, "", cost), plain)


_LOGISTIC = """\
note: logistic regression, {words}
cost: J = -(1/m) * sum of Y log A + (1 - Y) log(1 - A), with A = sigmoid(Z); with L2 also + lambda/(2*m) * sum of the \
squares of w
sizes: n_x m = {sizes}
per example: m
also: learning_rate = alpha
X {X} ~ normal  # inputs
Y {Y} ~ binary{suffix}  # labels, 0 or 1
w (n_x, 1) ~ normal / n_x**0.5  # weights
w1 () := w[0, 0]  # first weight
w2 () := w[1, 0]  # second weight
b () ~ normal * 0.4  # bias
Z {Y} = {Z} + b  # F047; linear part
A {Y} = sigmoid(Z)  # F048; outputs
J = {J}  # F008 F198; cost
    l2: + (lambda_/(2*m)) * np.sum(w**2)  # F008 F199
dA = {dA}  # F010 F011
dZ = {dZ}  # F050
dw = (1/m) * {dw}  # F053
    l2: + (lambda_/m) * w  # F202
db = (1/m) * np.sum(dZ)  # F051
dw1 = {dw1}  # F016 F018 {{dw[0, 0]}}; derivative in the first weight
dw2 = {dw2}  # F016 F018 {{dw[1, 0]}}; derivative in the second weight
w = w - alpha * dw  # F029
b = b - alpha * db  # F029
w1 = w1 - alpha * dw1  # F029
w2 = w2 - alpha * dw2  # F029
"""


@lru_cache(maxsize=64)
def logistic_setting(convention: Convention) -> Setting:
    """Logistic regression in a convention, with its first two weights."""
    plain = convention.setting._replace(hidden="tanh", single=False, turned=False)
    if plain != convention:
        return logistic_setting(plain)
    rows, one = convention.rows, convention.one
    from parity_tests.derivations.settings.networks import COSTS as FORMULAS

    of = FORMULAS[COSTS[convention.cost][1] if convention.cost in (SQUARED, TWICE) else "sigmoid"]
    first, second = ("X[:, 0:1]", "X[:, 1:2]") if rows else ("X[0:1]", "X[1:2]")
    text = _LOGISTIC.format(
        words=convention.words,
        sizes="3 1 | 5 1 | 7 1" if one else "3 7 | 5 11 | 7 5",
        X="(m, n_x)" if rows else "(n_x, m)",
        Y="(m, 1)" if rows else "(1, m)",
        suffix="_rows" if rows else "",
        Z="X @ w" if rows else "w.T @ X",
        J=of.J.format(A="A"),
        dA=of.dA.format(A="A"),
        dZ=of.dZ.format(A="A"),
        dw="X.T @ dZ" if rows else "X @ dZ.T",
        dw1=f"(1/m) * np.sum({first} * dZ)",
        dw2=f"(1/m) * np.sum({second} * dZ)",
    )
    return _made(text, convention)


def _made(text: str, convention: Convention) -> Setting:
    """The setting of a text; of one example the labels are shares, so that no term of the cost is 0."""
    text = re.sub(r"(normal|shares)_rows", r"\1", text)
    if not convention.l2:
        text = re.sub(r"(?m)^    l2: .*\n", "", text).replace("; with L2 also ", "; L2 plays no part; ", 1)
    if convention.total:
        text = re.sub(r"(?m)^(d[Ww]\d* = |db\d* = )\(1/m\) \* ", r"\1", text).replace("per example: m\n", "")
        text = re.sub(r"(?m)^(d[AZ]\d* = )(.*?)(  #)", _over_m, text)
    if convention.one:
        text = re.sub(r"~ binary(_rows)?", "~ shares", text)
    made = read = replace(reference(text), further=frozenset())  # notes are judged on small numbers alone
    if convention.unbiased:
        made = replace(read, draw=lambda numbers: read.draw(numbers).unbiased())
    if not convention.one:
        return made
    symbols = tuple(each._replace(shape=re.sub(r"\bm\b", "1", each.shape)) for each in made.symbols)
    return replace(made, symbols=symbols)


def _over_m(row: re.Match[str]) -> str:
    """A derivative of the output layer, divided by the number of examples."""
    return f"{row[1]}({row[2]}) / m{row[3]}" if re.search(r"\bY\b", row[2]) else row[0]
