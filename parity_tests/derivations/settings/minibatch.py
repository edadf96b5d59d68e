"""The shallow network on one chunk of the examples: every 1/m is 1/chunk_size."""

from __future__ import annotations

import re
from collections.abc import Mapping

from parity_tests.derivations.settings.draws import network_problem
from parity_tests.derivations.settings.networks import SHALLOW
from parity_tests.derivations.settings.problems import View, ViewedProblem
from parity_tests.derivations.settings.setting import Problem, Setting, Symbol, Target

SIZES = ((3, 5, 1, 7), (5, 3, 1, 11), (7, 11, 1, 13), (11, 7, 1, 17), (13, 17, 1, 3))
"""Choices of (n_x, n_1, n_2, chunk_size)."""

WHOLE = (89, 97, 101, 103, 107)
"""Sizes of the whole set."""

NAMES: Mapping[str, str] = {"X": "X_t", "Y": "Y_t", "m": "chunk_size", "J": "J_t", "dX": "dX_t"}
"""Name in the shallow network to name here."""

IDS: Mapping[str, tuple[str, ...]] = {"J": ("F210",), **dict.fromkeys(("W1", "b1", "W2", "b2"), ("F214",))}
IDS_L2: Mapping[str, tuple[str, ...]] = {"J": ("F211", "F212"), "dW1": ("F202", "F212"), "dW2": ("F202", "F212")}
"""Formulas of the notes, where they are not those of the shallow network."""


def renamed(text: str) -> str:
    """The text with the names of this setting."""
    return re.sub(rf"\b({'|'.join(NAMES)})\b", lambda match: NAMES[match.group()], text)


def _target(name: str, target: Target) -> Target:
    right, right_l2 = (tuple(renamed(text) for text in texts) for texts in (target.right, target.right_l2))
    ids, ids_l2 = IDS.get(name, target.formula_ids), IDS_L2.get(name, target.formula_ids_l2)
    return Target(ids, right, right_l2, target.kind, ids_l2)


def _symbol(symbol: Symbol) -> Symbol:
    if symbol.name == "m":
        return Symbol("chunk_size", "()", "number of examples in the chunk")
    return Symbol(*(renamed(text) for text in symbol))


def _renamed_name(name: str) -> str:
    return NAMES.get(name, name)


def draw(seed: int) -> Problem:
    """A chunk, and the size of the set it is from."""
    network = network_problem("minibatch", ("tanh", "sigmoid"), SIZES, seed)
    values = (*network.given(), *SHALLOW.targets)
    view: View = {_renamed_name(name): (name, lambda value: value) for name in values}
    return ViewedProblem(network, view, {"m": WHOLE[seed % len(WHOLE)]})


MINIBATCH = Setting(
    "minibatch",
    "the shallow network on chunk t of the m examples",
    renamed(SHALLOW.cost),
    (Symbol("m", "()", "number of examples of the whole set"), *map(_symbol, SHALLOW.symbols)),
    {_renamed_name(name): _target(name, target) for name, target in SHALLOW.targets.items()},
    {
        family: (*map(_renamed_name, members), *(("m",) if family == "n" else ()))
        for family, members in SHALLOW.layers.items()
    },
    {
        **{alias: _renamed_name(name) for alias, name in SHALLOW.aliases.items()},
        "batch_size": "chunk_size",
        "m_t": "chunk_size",
    },
    draw,
    SHALLOW.functions,
)
