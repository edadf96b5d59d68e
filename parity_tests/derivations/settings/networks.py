"""Settings that are networks of dense layers: their symbols, and the formulas that hold in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from manual.architecture import Architecture, Dense
from manual.checks import check_data, check_parameters
from parity_tests.derivations.settings import spellings
from parity_tests.derivations.settings.draws import drawer
from parity_tests.derivations.settings.problems import NetworkProblem
from parity_tests.derivations.settings.setting import (
    COMMON_FUNCTIONS,
    FUNCTION,
    UNITS,
    Own,
    Setting,
    Symbol,
    Target,
    Values,
)
from parity_tests.derivations.settings.spellings import spelled

Ids = Mapping[str, tuple[str, ...]]

# Formulas of the notes: for hidden layers and, with _L, for the output.

SHALLOW_IDS: Ids = {
    "Z": ("F072",),
    "A": ("F072",),
    "A_L": ("F072",),
    "J": ("F198",),
    "dA_L": ("F172",),
    "dZ_L": ("F098",),
    "dW_L": ("F098",),
    "db_L": ("F098",),
    "dA": ("F170",),
    "dZ": ("F099",),
    "dW": ("F103",),
    "db": ("F103",),
    "W": ("F181",),
}
DEEP_IDS: Ids = {
    **SHALLOW_IDS,
    "Z": ("F151",),
    "A": ("F151",),
    "A_L": ("F151",),
    "J": ("F175", "F196"),
    "dZ_L": ("F098", "F175"),
    "dW_L": ("F168",),
    "db_L": ("F169",),
    "dZ": ("F164", "F171"),
    "dW": ("F168",),
    "db": ("F169",),
}
MULTILABEL_IDS: Ids = {**SHALLOW_IDS, "J": ("F175", "F196"), "dZ_L": ("F098", "F175")}
SOFTMAX_IDS: Ids = {**SHALLOW_IDS, "A_L": ("F247",), "J": ("F247",), "dA_L": ("F247",)}
REGRESSION_IDS: Ids = {**SHALLOW_IDS, **dict.fromkeys(("A_L", "J", "dA_L", "dZ_L"), ("F137",))}
PENALTY_ID, PENALTY_GRADIENT_ID = "F199", "F202"

COST_TEXT = {
    "sigmoid": "-(1/m) * sum of Y log {A} + (1 - Y) log(1 - {A})",
    "softmax": "-(1/m) * sum of Y log {A}",
    "identity": "1/(2*m) * sum of ({A} - Y)^2",
}


def network(
    name: str,
    summary: str,
    units: tuple[str, ...],
    sizes: tuple[tuple[int, ...], ...],
    ids: Ids,
    aliases: Mapping[str, str] = MappingProxyType({}),
) -> Setting:
    """A network with these units, the output's last; ``sizes`` are the choices of (n_x, n_1, ..., n_L, m)."""
    L = len(units)
    output = f"A{L}"
    functions = {f"g{l}": UNITS[unit].g for l, unit in enumerate(units, 1)}
    functions |= {f"g{l}_prime": UNITS[unit].g_prime for l, unit in enumerate(units, 1)}
    penalty = f"lambda/(2*m) * sum of the squares of {', '.join(f'W{l}' for l in range(1, L + 1))}"
    return Setting(
        name,
        summary,
        f"J = {COST_TEXT[units[-1]].format(A=output)}, over outputs and examples; with L2 also + {penalty}",
        _symbols(units),
        {**_forward(units, ids), "J": _cost(units, sizes, ids), **_backward(units, ids), **_updates(L, ids)},
        layer_families(L),
        {**_ALIASES, **dict.fromkeys(("yhat", "Yhat", "y_hat", "Y_hat", "AL", "A_L"), output), **aliases}
        | {"dAL": f"dA{L}", "dA_L": f"dA{L}", "dZL": f"dZ{L}", "dZ_L": f"dZ{L}"},
        drawer(name, units, sizes),
        {**COMMON_FUNCTIONS, **functions},
        own_network(units),
    )


def own_network(units: tuple[str, ...]) -> tuple[Own, ...]:
    """A person's X, Y and parameters in place of drawn ones; everything but the parameters is judged."""
    L = len(units)
    names = tuple(f"{letter}{l}" for l in range(1, L + 1) for letter in "Wb")

    def problem(values: Values) -> NetworkProblem:
        X, Y, params = values["X"], values["Y"], {name: values[name] for name in names}
        layers = tuple(Dense(params[f"W{l}"].shape[0], unit) for l, unit in enumerate(units, 1))
        architecture = Architecture(X.shape[0], layers)
        check_parameters(architecture, params)
        check_data(architecture, X, Y)
        return NetworkProblem(architecture, params, X, Y, values["lambda_"], values["alpha"])

    hidden = (*_numbered("Z", L), *_numbered("A", L), *_numbered("dA", L), *_numbered("dZ", L))
    return (Own(("X", "Y", *names), problem, (*hidden, "J", *(f"d{name}" for name in names), "dX")),)


_ALIASES = {"A0": "X", "dA0": "dX", "n_0": "n_x", "learning_rate": "alpha", "lambd": "lambda_"}


def layer_families(L: int) -> dict[str, tuple[str, ...]]:
    """The symbols of a network by what they are, from the input on."""
    families = {letter: _numbered(letter, L) for letter in ("W", "b", "Z", "dW", "db", "dZ")}
    families |= {"A": ("X", *_numbered("A", L)), "dA": ("dX", *_numbered("dA", L))}
    families |= {"g": _numbered("g", L), "g_prime": tuple(f"g{l}_prime" for l in range(1, L + 1))}
    return {**families, "n": ("n_x", *_numbered("n_", L), "m")}


def _numbered(letter: str, L: int) -> tuple[str, ...]:
    return tuple(f"{letter}{l}" for l in range(1, L + 1))


def _below(l: int) -> str:
    return f"A{l - 1}" if l > 1 else "X"


def _n(l: int) -> str:
    return f"n_{l}" if l else "n_x"


def _symbols(units: tuple[str, ...]) -> tuple[Symbol, ...]:
    L = len(units)
    found = [Symbol("m", "()", "number of examples"), Symbol("n_x", "()", "number of features")]
    found += [Symbol(_n(l), "()", f"number of units of layer {l}") for l in range(1, L + 1)]
    found += [
        Symbol("lambda_", "()", "strength of the L2 penalty, also written lambda"),
        Symbol("alpha", "()", "learning rate"),
        Symbol("X", "(n_x, m)", "inputs, an example a column"),
        Symbol("Y", f"({_n(L)}, m)", "what the outputs should be"),
    ]
    for l, unit in enumerate(units, 1):
        slope = "the diagonal of its Jacobian, a (1 - a)" if unit == "softmax" else "its derivative"
        found += [
            Symbol(f"W{l}", f"({_n(l)}, {_n(l - 1)})", f"weights of layer {l}"),
            Symbol(f"b{l}", f"({_n(l)}, 1)", f"biases of layer {l}"),
            Symbol(f"g{l}", FUNCTION, f"activation of layer {l}: {unit}"),
            Symbol(f"g{l}_prime", FUNCTION, f"{slope}, also written g{l}'"),
            Symbol(f"Z{l}", f"({_n(l)}, m)", f"linear part of layer {l}"),
            Symbol(f"A{l}", f"({_n(l)}, m)", f"output of layer {l}"),
        ]
    found.append(Symbol("J", "()", "cost"))
    for l in range(L, 0, -1):
        found += [
            Symbol(f"dA{l}", f"({_n(l)}, m)", f"derivative of L(i) in A{l}, no 1/m"),
            Symbol(f"dZ{l}", f"({_n(l)}, m)", f"derivative of L(i) in Z{l}, no 1/m"),
            Symbol(f"dW{l}", f"({_n(l)}, {_n(l - 1)})", f"derivative of J in W{l}"),
            Symbol(f"db{l}", f"({_n(l)}, 1)", f"derivative of J in b{l}"),
        ]
    return (*found, Symbol("dX", "(n_x, m)", "derivative of L(i) in X, no 1/m"))


def _forward(units: tuple[str, ...], ids: Ids) -> dict[str, Target]:
    found = {}
    for l, unit in enumerate(units, 1):
        Z = f"Z{l}"
        linear = spelled(spellings.LINEAR, W=f"W{l}", A_prev=_below(l), b=f"b{l}")
        found[Z] = Target(ids["Z"], linear, linear, "forward")
        output = (f"g{l}({Z})", *spellings.activation(unit, Z))
        found[f"A{l}"] = Target(ids["A_L" if l == len(units) else "A"], output, output, "forward")
    return found


def _cost(units: tuple[str, ...], sizes: tuple[tuple[int, ...], ...], ids: Ids) -> Target:
    L = len(units)
    templates = spellings.COST[units[-1]]
    if all(choice[-2] == 1 for choice in sizes):
        templates += spellings.COST_OF_ONE_OUTPUT[units[-1]]
    right = spelled(templates, A=f"A{L}", Y="Y", Z=f"Z{L}")
    return Target(ids["J"], right, with_penalty(right, _numbered("W", L)), "cost", (*ids["J"], PENALTY_ID))


def with_penalty(costs: tuple[str, ...], weights: tuple[str, ...]) -> tuple[str, ...]:
    """The costs with the L2 penalty on the weights, in several spellings."""
    penalties = (
        f"(lambda_/(2*m)) * {_sum('np.sum({W}**2)', weights)}",
        f"lambda_ / (2*m) * {_sum('np.sum(np.square({W}))', weights)}",
        " + ".join(f"(lambda_/(2*m)) * np.sum(np.power({W}, 2))" for W in weights),
        f"0.5 * lambda_ * {_sum('np.sum({W} * {W})', weights)} / m",
    )
    first, *others = costs
    return (*(f"{first} + {penalty}" for penalty in penalties), *(f"{cost} + {penalties[0]}" for cost in others))


def _sum(template: str, weights: tuple[str, ...]) -> str:
    """A term for every weight, in brackets where there are several."""
    terms = " + ".join(template.format(W=W) for W in weights)
    return terms if len(weights) == 1 else f"({terms})"


def _backward(units: tuple[str, ...], ids: Ids) -> dict[str, Target]:
    L = len(units)
    found = {}
    for l in range(L, 0, -1):
        last = "_L" if l == L else ""
        dA, dZ = _derivatives(l, units)
        found[f"dA{l}"] = Target(ids[f"dA{last}"], dA, dA, "derivative")
        found[f"dZ{l}"] = Target(ids[f"dZ{last}"], dZ, dZ, "derivative")
        found[f"dW{l}"] = weight_target(ids[f"dW{last}"], dZ=f"dZ{l}", A_prev=_below(l), W=f"W{l}")
        db = spelled(spellings.BIAS_GRADIENT, dZ=f"dZ{l}")
        found[f"db{l}"] = Target(ids[f"db{last}"], db, db, "gradient")
    dX = spelled(spellings.INPUT_GRADIENT, W="W1", dZ="dZ1")
    return {**found, "dX": Target(ids["dA"], dX, dX, "derivative")}


def weight_target(ids: tuple[str, ...], **symbols: str) -> Target:
    """The gradient in the weights, with and without the penalty."""
    plain, l2 = spelled(spellings.WEIGHT_GRADIENT, **symbols), spelled(spellings.WEIGHT_GRADIENT_L2, **symbols)
    return Target(ids, plain, l2, "gradient", (PENALTY_GRADIENT_ID,))


def _derivatives(l: int, units: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """dA and dZ of a layer."""
    L, unit = len(units), units[l - 1]
    here = {"A": f"A{l}", "Z": f"Z{l}", "dA": f"dA{l}", "Y": "Y"}
    slope = f"g{l}'(Z{l})"
    if l == L:
        dZ = spelled(spellings.OUTPUT_DZ[unit], **here)
        if unit != "softmax":
            dZ += (f"dA{l} * {slope}", f"np.multiply(dA{l}, {slope})")
        return spelled(spellings.COST_PRIME[unit], **here), dZ
    above = spelled(spellings.INPUT_GRADIENT, W=f"W{l + 1}", dZ=f"dZ{l + 1}")
    chained = (
        f"W{l + 1}.T @ dZ{l + 1} * {slope}",
        f"dA{l} * {slope}",
        f"np.dot(W{l + 1}.T, dZ{l + 1}) * {slope}",
        f"np.multiply(np.dot(W{l + 1}.T, dZ{l + 1}), {slope})",
        f"{slope} * (W{l + 1}.T @ dZ{l + 1})",
    )
    upstreams = (f"dA{l}", f"(W{l + 1}.T @ dZ{l + 1})")
    return above, (*chained, *spellings.slope_times(unit, upstreams, **here))


def _updates(L: int, ids: Ids) -> dict[str, Target]:
    found = {}
    for l in range(1, L + 1):
        W = spelled(spellings.UPDATE, W=f"W{l}", dW=f"dW{l}")
        decayed = f"(1 - alpha * lambda_ / m) * W{l} - alpha * (1/m) * dZ{l} @ {_below(l)}.T"
        found[f"W{l}"] = Target(ids["W"], W, (*W, decayed), "update")
        b = spelled(spellings.UPDATE, W=f"b{l}", dW=f"db{l}")
        found[f"b{l}"] = Target(ids["W"], b, b, "update")
    return found


SHALLOW = network(
    "shallow",
    "one hidden tanh layer, one sigmoid output, m examples",
    ("tanh", "sigmoid"),
    ((3, 5, 1, 7), (5, 3, 1, 11), (7, 11, 1, 5), (11, 7, 1, 13), (17, 13, 1, 3)),
    SHALLOW_IDS,
    {"n_h": "n_1"},
)

DEEP = network(
    "deep",
    "three layers: tanh, ReLU, several sigmoid outputs whose losses are summed",
    ("tanh", "relu", "sigmoid"),
    ((5, 7, 11, 3, 13), (11, 3, 7, 13, 5), (7, 5, 3, 11, 17), (13, 11, 5, 7, 3), (3, 13, 17, 5, 11)),
    DEEP_IDS,
)

ONE_HIDDEN = ((3, 5, 7, 11), (5, 7, 3, 13), (7, 11, 5, 17), (11, 3, 13, 19), (13, 17, 11, 23))
"""Choices of (n_x, n_1, n_2, m) with more examples than outputs."""

MULTILABEL = network(
    "multilabel",
    "one hidden tanh layer, several sigmoid outputs whose losses are summed",
    ("tanh", "sigmoid"),
    ONE_HIDDEN,
    MULTILABEL_IDS,
    {"n_h": "n_1"},
)

SOFTMAX = network(
    "softmax",
    "one hidden tanh layer, softmax over the classes, which are one-hot columns of Y",
    ("tanh", "softmax"),
    ONE_HIDDEN,
    SOFTMAX_IDS,
    {"n_h": "n_1"},
)

REGRESSION = network(
    "regression",
    "one hidden tanh layer, several outputs without activation, half the squared error",
    ("tanh", "identity"),
    ONE_HIDDEN,
    REGRESSION_IDS,
    {"n_h": "n_1"},
)


_MADE_OF: Mapping[str, tuple[tuple[tuple[int, ...], ...], Ids]] = {
    "shallow": (((3, 5, 1, 7),), SHALLOW_IDS),
    "deep": (((5, 7, 11, 3, 13),), DEEP_IDS),
    "multilabel": (ONE_HIDDEN, MULTILABEL_IDS),
    "softmax": (ONE_HIDDEN, SOFTMAX_IDS),
    "regression": (ONE_HIDDEN, REGRESSION_IDS),
}


def with_hidden(setting: Setting, hidden: tuple[str, ...]) -> Setting:
    """The same network with other hidden units: their formulas, and a person's own numbers, but the same draws."""
    sizes, ids = _MADE_OF[setting.name]
    output = next(unit for unit, each in UNITS.items() if each.g is setting.functions[f"g{len(hidden) + 1}"])
    units = (*hidden, output)
    first = "one hidden" if len(hidden) == 1 else f"{len(units)} layers:"
    summary = f"{first} {', '.join(hidden)} layer,{setting.summary.split('layer,', 1)[-1]}"
    if len(hidden) > 1:
        summary = f"{first} {', '.join(hidden)},{setting.summary.split(',')[-1].removeprefix(' ReLU')}"
    made = network(setting.name, summary, units, sizes, ids)
    return replace(
        setting,
        summary=summary,
        symbols=made.symbols,
        targets=made.targets,
        functions=made.functions,
        own=made.own,
    )
