"""A person's own numbers in every setting that takes them: what follows from what, and the causes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from parity_tests.derivations.data import verify_numbers
from parity_tests.derivations.settings import SETTINGS, setting_named
from parity_tests.derivations.verdicts import HOLDS, WRONG
from parity_tests.derivations.verify import verify

Numbers = dict[str, Any]
WAYS = [(name, place) for name, setting in SETTINGS.items() for place in range(len(setting.own))]


def numbers(name: str, place: int = 0, l2: bool = True) -> Numbers:
    """Right numbers of a person: what a way needs and what it judges, off a probe."""
    setting = setting_named(name)
    way, probe = setting.own[place], setting.probe(4, l2)
    extra = ["lambda_"] if "lambda_" in probe.environment else []
    given: Numbers = {each: np.array(probe.environment[each]) for each in (*way.needed, *extra)}
    return given | {each: np.array(probe.by_numpy[each]) for each in way.judged}


@pytest.mark.parametrize(("name", "place"), WAYS, ids=[f"{name}/{place}" for name, place in WAYS])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_right_numbers_hold(name: str, place: int, dtype: type) -> None:
    given: Numbers = {each: np.asarray(value, dtype) for each, value in numbers(name, place).items()}
    l2 = "lambda_" in given
    verdicts = verify_numbers(given, setting_named(name), l2=l2)
    assert {verdict.target for verdict in verdicts} == set(setting_named(name).own[place].judged)
    assert {verdict.verdict for verdict in verdicts} == {HOLDS}


@pytest.mark.parametrize(
    ("setting", "place", "target", "spoil", "cause"),
    [
        ("logistic", 0, "dw", lambda n: n["dw"] * n["X"].shape[1], "missing-1/m"),
        ("logistic", 0, "dZ", lambda n: n["Y"] - n["A"], "sign"),
        ("logistic", 0, "dw", lambda n: n["dw"] - n["lambda_"] / n["X"].shape[1] * n["w"], "l2-missing"),
        ("logistic", 0, "Z", lambda n: n["Z"] - n["b"], "bias-missing"),
        ("layer", 0, "dZ", lambda n: n["dA"], "gprime-missing"),
        ("layer", 0, "db", lambda n: n["db"] * n["A_prev"].shape[1], "missing-1/m"),
        ("layer", 1, "dW", lambda n: n["dW"] * n["A_prev"].shape[1], "missing-1/m"),
        ("layer", 1, "db", lambda n: n["db"][:, 0], "keepdims-missing"),
        ("layer", 1, "dA_prev", lambda n: -n["dA_prev"], "sign"),
    ],
)
def test_wrong_numbers_name_the_mistake(
    setting: str, place: int, target: str, spoil: Callable[[Numbers], Any], cause: str
) -> None:
    given = numbers(setting, place)
    given[target] = spoil(given)
    verdicts = {verdict.target: verdict for verdict in verify_numbers(given, setting_named(setting), l2=True)}
    assert (verdicts[target].verdict, verdicts[target].cause) == (WRONG, cause)
    assert {verdict.verdict for name, verdict in verdicts.items() if name != target} == {HOLDS}
    assert verify(verdicts[target].repaired, setting, l2=True).lines[0].verdict == HOLDS


def test_a_layer_without_what_stands_above_it_follows_from_its_dZ() -> None:
    given = numbers("layer", 1) | {"A": np.zeros((2, 2))}  # any activation: A is not judged
    assert [verdict.target for verdict in verify_numbers(given, setting_named("layer"))] == ["Z", "dW", "db", "dA_prev"]


def test_numbers_that_do_not_fit_are_refused() -> None:
    layer, given = setting_named("layer"), numbers("layer", 1)
    with pytest.raises(ValueError, match=r"W has shape \(5, 2\), expected \(n, n_prev\), with n_prev = 13"):
        verify_numbers({**given, "W": np.ones((5, 2))}, layer)
    with pytest.raises(ValueError, match=r"b has shape \(7,\), expected \(n, 1\), with n = 7"):
        verify_numbers({**given, "b": given["b"][:, 0]}, layer)
    with pytest.raises(ValueError, match=r"lacks W_next, dZ_next: .*, or from A_prev, W, b, dZ"):
        verify_numbers({name: value for name, value in given.items() if name != "dZ"}, layer)
    with pytest.raises(ValueError, match=r"--data does not work with setting tanh, expected one of logistic, shallow"):
        verify_numbers(given, setting_named("tanh"))
    with pytest.raises(ValueError, match=r"lambda_ has shape \(2,\), expected a number"):
        verify_numbers({**given, "lambda_": np.ones(2)}, layer, l2=True)
    with pytest.raises(ValueError, match="the file holds nothing to judge, expected one or more of Z, dW"):
        verify_numbers({name: given[name] for name in ("A_prev", "W", "b", "dZ")}, layer)
    logistic = setting_named("logistic")
    with pytest.raises(ValueError, match=r"the file lacks w, b: setting logistic follows from X, Y, w, b"):
        verify_numbers({"X": np.ones((3, 2)), "Y": np.ones((1, 2))}, logistic)
    numbers_of = numbers("logistic")
    assert {each.verdict for each in verify_numbers({**numbers_of, "b": numbers_of["b"].reshape(1, 1)}, logistic)} <= {
        HOLDS,
        WRONG,  # J and dw carry a penalty here
    }
