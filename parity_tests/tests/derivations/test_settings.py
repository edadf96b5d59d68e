"""Both referees of every setting agree; every symbol is where and in the shape it is listed."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity_tests.derivations.language.errors import DerivationSyntaxError
from parity_tests.derivations.language.evaluate import evaluate, run
from parity_tests.derivations.language.syntax import parse
from parity_tests.derivations.settings import SETTINGS, Probe, listing, setting_named
from parity_tests.derivations.settings.setting import probe_of
from parity_tests.tests.derivations.formula import parse_expression
from parity_tests.tests.slices import sliced

ROOT = Path(__file__).parents[3]
SEEDS = range(5)
"""Every seed draws other sizes and other numbers."""
TOLERANCE = 1e-12

EVERY = [(name, l2) for name in SETTINGS for l2 in (False, True)]
IDS = [f"{name}{'/l2' * l2}" for name, l2 in EVERY]


def probe(name: str, seed: int, l2: bool) -> Probe:
    return probe_of(SETTINGS[name], seed, l2)


def relative(got: Any, expected: Any) -> float:
    """The largest error over the largest entry; infinite where the shapes differ."""
    if np.shape(got) != np.shape(expected):
        return float("inf")
    return float(np.max(np.abs(got - expected)) / np.max(np.abs(expected)))


@pytest.mark.parametrize(("name", "l2"), EVERY, ids=IDS)
def test_the_referees_agree_on_every_target(name: str, l2: bool) -> None:
    """On one seed: on the others every right formula is held against both, in test_verify."""
    by_torch, by_numpy = probe(name, SEEDS[0], l2).truths
    assert by_torch.keys() == by_numpy.keys() == SETTINGS[name].targets.keys()
    for target, truth in by_torch.items():
        assert relative(by_numpy[target], truth) < TOLERANCE, target


@pytest.mark.parametrize(("name", "l2"), sliced(EVERY, 8), ids=IDS)
def test_every_symbol_is_there_in_the_shape_it_is_listed_in(name: str, l2: bool) -> None:
    setting = SETTINGS[name]
    for seed in SEEDS:
        here = probe(name, seed, l2).environment
        for symbol in setting.symbols:
            value = here[symbol.name]
            if symbol.shape == "function":
                assert callable(value)
                continue
            items = [item.strip() for item in symbol.shape.strip("()").split(",") if item.strip()]
            shape = tuple(int(evaluate(parse_expression(item), here)) for item in items)
            assert np.shape(value) == shape, symbol
        for alias, meant in setting.aliases.items():
            assert here[alias] is here[meant]


@pytest.mark.parametrize(("name", "l2"), sliced(EVERY, 6), ids=IDS)
def test_sizes_are_primes_and_no_truth_is_trivial(name: str, l2: bool) -> None:
    """That they are distinct and change is in test_probes; primes are no products of each other either."""
    for seed in SEEDS:
        here = probe(name, seed, l2)
        symbols = {symbol.name for symbol in SETTINGS[name].symbols}
        if name != "flatten" and not {"m", "stride"} <= symbols:  # sizes of windows follow from each other
            values = [here.environment[symbol] for symbol in symbols - {"stride", "pad"}]
            sizes = [value for value in values if isinstance(value, int)]
            assert all(size % divisor for size in sizes for divisor in range(2, size))
        for target, truth in here.by_numpy.items():
            assert np.isfinite(truth).all()
            assert np.max(np.abs(truth)) > 1e-3, target


EQUAL = {
    "dropout": {("dA_drop", "dA")},
    "logistic-one": {("dz", "db")},
    "regression": {("Z2", "A2"), ("dA2", "dZ2")},
    "squared_error": {("Z", "A"), ("dA", "dZ")},
}
"""Symbols that are equal because the notes say so."""


@pytest.mark.parametrize(("name", "l2"), EVERY, ids=IDS)
def test_no_two_symbols_are_equal_by_accident(name: str, l2: bool) -> None:
    symbols = [symbol.name for symbol in SETTINGS[name].symbols if symbol.shape != "function"]
    for seed in SEEDS:
        here = probe(name, seed, l2).environment
        if name == "logistic-one" and here["y"] == 0:  # dz = a - y is a here; every other seed has y = 1
            continue
        if name == "adam" and here["t"] == 1:  # the corrected averages are the gradient and its square
            continue
        for first, second in combinations(symbols, 2):
            one, other = here[first], here[second]
            if "stride" in symbols and isinstance(one, int):  # test_probes says which of these differ
                continue
            if here.get("pad") == 0 and (first, second) == ("A_prev", "A_prev_pad"):
                continue
            if np.shape(one) == np.shape(other):
                same = np.max(np.abs(one - other)) < 1e-4 * np.max(np.abs(one))
                assert same == ((first, second) in EQUAL.get(name, set())), (first, second, seed)


LOOP = """
J = 0
db = 0
dw = np.zeros((n_x, 1))
dw1 = 0
dw2 = 0
for i = 1 to m:
    z = b
    for j in range(n_x):
        z += w[j, 0] * X[j, i]
    a = sigmoid(z)
    J += -(Y[0, i] * np.log(a) + (1 - Y[0, i]) * np.log(1 - a))
    dz = a - Y[0, i]
    dw1 += X[0, i] * dz
    dw2 += X[1, i] * dz
    for j in range(n_x):
        dw[j, 0] += X[j, i] * dz
    db += dz
J /= m
dw /= m
dw1 /= m
dw2 /= m
db /= m
b = b - alpha * db
"""
PENALISED = """
J += (lambda_/(2*m)) * np.sum(w**2)
dw += (lambda_/m) * w
dw1 += (lambda_/m) * w[0, 0]
dw2 += (lambda_/m) * w[1, 0]
"""


@pytest.mark.parametrize("l2", [False, True])
def test_the_loops_of_the_notes_give_the_truths_of_the_loop_setting(l2: bool) -> None:
    setting = SETTINGS["logistic-loop"]
    program = parse(f"{LOOP}{PENALISED * l2}w = w - alpha * dw", protected=setting.protected())
    for seed in SEEDS:
        here = probe(setting.name, seed, l2)
        found = run(program, here.environment)
        for target, truth in here.by_torch.items():
            assert relative(found[target], truth) < TOLERANCE, (target, seed)


@pytest.mark.parametrize("name", SETTINGS)
def test_what_is_no_target_cannot_be_assigned_and_the_tables_name_only_what_is_there(name: str) -> None:
    setting = SETTINGS[name]
    protected = setting.protected()
    for symbol in setting.symbols:
        assert (symbol.name in protected) == (symbol.name not in setting.targets)
    for target in setting.targets:
        parse(f"{target} = 1", protected=protected)
    for refused in ("sigmoid", "sigmoid'", *(row.name for row in listing(setting) if not row.assignable)):
        with pytest.raises(DerivationSyntaxError, match="has a meaning here"):
            parse(f"{refused} = 1", protected=protected)
    assert {row.name for row in listing(setting) if row.assignable} == set(setting.targets)
    symbols = {symbol.name for symbol in setting.symbols}
    assert len(symbols) == len(setting.symbols)
    assert set(setting.targets) <= symbols
    assert {member for family in setting.layers.values() for member in family} <= symbols
    assert set(setting.aliases.values()) <= symbols
    assert not set(setting.aliases) & symbols
    for formulas, l2 in product(setting.targets.values(), (False, True)):
        assert formulas.formula(l2)
        assert formulas.ids(l2)
        assert all(re.fullmatch(r"F\d{3}", formula_id) for formula_id in formulas.ids(l2))


def test_a_probe_is_the_same_every_time_and_cannot_be_written_to() -> None:
    first, second = (setting_named("shallow").probe(3) for _ in range(2))
    for name, value in first.environment.items():
        if not callable(value):
            np.testing.assert_array_equal(value, second.environment[name])
    with pytest.raises(ValueError, match="read-only"):
        first.environment["W1"][0, 0] = 0.0
    with pytest.raises(ValueError, match="read-only"):
        first.truths[0]["dW1"][0, 0] = 0.0


def test_an_unknown_setting_is_refused_with_the_near_names() -> None:
    with pytest.raises(ValueError, match=r"setting is 'shalow', expected one of .*; did you mean shallow\?"):
        setting_named("shalow")


def test_torch_is_not_imported_before_numbers_are_drawn() -> None:
    code = """
import sys
from parity_tests.derivations.settings import SETTINGS, listing
shown = [listing(setting) for setting in SETTINGS.values()]
assert "torch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
