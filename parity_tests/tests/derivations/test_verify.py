"""Is a derivation right? - verdicts, causes and repairs, on formulas, whole derivations, functions and data."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manual import architecture, draws, network
from parity_tests import verify
from parity_tests.cli import main
from parity_tests.derivations.language.printer import to_text
from parity_tests.derivations.language.syntax import parse
from parity_tests.derivations.mistakes.causes import CAUSES
from parity_tests.derivations.mistakes.edits import edits
from parity_tests.derivations.mistakes.search import context_of
from parity_tests.derivations.settings import SETTINGS, setting_named
from parity_tests.derivations.settings.setting import derivation_of
from parity_tests.derivations.testbed import matrix
from parity_tests.derivations.testbed.dense import TESTBED
from parity_tests.derivations.testbed.matrix import (
    Outcome,
    figures,
    outcomes,
    same,
)
from parity_tests.derivations.testbed.wrong import Wrong
from parity_tests.derivations.verdicts import HOLDS, WRONG, times
from parity_tests.tests.chores.derivations import LISTED, MOST_AMBIGUOUS, TOP, mutated, show_alarms
from parity_tests.tests.derivations.right_formulas import rights_of
from parity_tests.tests.derivations.verdicts import remembered, verdicts_on
from parity_tests.tests.slices import sliced

pytest_plugins = ["pytester"]

DERIVATION = """\
# two layers, five mistakes
Z1 = W1 @ X + b1
A1 = np.tanh(Z1)
Z2 = W2 @ A1 + b2
A2 = sigmoid(Z2)
J = (1/m) * np.sum(Y*np.log(A2) + (1-Y)*np.log(1-A2))
dZ2 = A2 - Y
dW2 = dZ2 @ A1.T
db2 = (1/m) * np.sum(dZ2, axis=1, keepdims=True)
slope = 1 - A1**2
dA1 = W2.T @ dZ2
dZ1 = W2.T @ dZ2
dZ1 = dA1 * slope
dW1 = dZ1 @ X
db1 = np.sum(dZ1)
"""

LOOP = """\
J = 0
dw = np.zeros((n_x, 1))
for i = 1 to m:
    z = np.sum(w * X[:, i:i+1]) + b
    a = σ(z)
    J += Y[0, i]*np.log(a) + (1 - Y[0, i])*np.log(1 - a)
    for j in range(n_x):
        dw[j, 0] += X[j, i] * (a - Y[0, i])
J /= m
dw /= m
"""


@pytest.mark.parametrize(
    "wrong", sliced(TESTBED, 24), ids=[f"{wrong.setting}: {wrong.formula.splitlines()[-1]}" for wrong in TESTBED]
)
def test_the_mistake_is_named_or_listed_and_the_repair_holds(wrong: Wrong) -> None:
    verdict = remembered(wrong.formula, wrong.setting, l2=wrong.l2).lines[-1]
    assert verdict.verdict == WRONG
    assert Outcome(wrong, verdict).listed
    assert len(verdict.causes) <= 3
    assert all(part in CAUSES for cause in verdict.causes for part in cause.split(" + "))
    repaired = remembered(verdict.repaired, wrong.setting, l2=wrong.l2).lines
    assert [each.verdict for each in repaired if each.target == verdict.target] == [HOLDS]


def test_the_test_bed_is_as_large_as_it_says() -> None:
    assert len(TESTBED) >= 250
    assert sum(" + " in wrong.cause for wrong in TESTBED) >= 10


@pytest.mark.parametrize("every", [12, pytest.param(1, marks=pytest.mark.slow)])
def test_the_test_bed_meets_the_bars(every: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "verify", remembered)
    shares = figures(list(outcomes(TESTBED[::every])))
    assert shares["top cause right"] >= TOP
    assert shares["right or listed"] >= LISTED
    assert shares["ambiguous"] <= MOST_AMBIGUOUS
    assert shares["called right"] == 0


def test_mutations_make_wrong_formulas_in_every_setting() -> None:
    made = list(mutated())
    assert len(made) >= 300
    assert {wrong.setting for wrong in made} >= {"logistic", "shallow", "deep", "multilabel", "softmax", "regression"}


@pytest.mark.parametrize("name", sliced(SETTINGS, 4))
@pytest.mark.parametrize("l2", sliced([True, False], 8))
def test_right_formulas_are_never_called_wrong(name: str, l2: bool) -> None:
    setting = setting_named(name)
    for target in setting.targets:
        for right in rights_of(name, target, l2):
            found = verify(derivation_of(target, right), setting, l2=l2).lines
            assert {verdict.verdict for verdict in found if verdict.target == target} == {HOLDS}


@pytest.mark.slow
def test_the_false_alarm_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert show_alarms(seeds=1)
    assert " 0 false alarms" in capsys.readouterr().out


def test_one_mistake_does_not_spoil_the_next_line() -> None:
    verdicts = {(verdict.line, verdict.target): verdict for verdict in verify(DERIVATION, "shallow").lines}
    causes = {place: verdict.cause for place, verdict in verdicts.items() if verdict.verdict != HOLDS}
    assert {place: same(cause, expected) for (place, cause), expected in zip(causes.items(), (
        "sign", "missing-1/m", "gprime-missing", "transpose-missing + missing-1/m", "db-summed-over-all + missing-1/m"
    ), strict=True)} == dict.fromkeys(causes, True)  # fmt: skip
    assert verdicts[13, "dZ1"].verdict == HOLDS
    assert verdicts[8, "dW2"].message == (
        "dW2 is m = 7 times too large everywhere: the average over the examples is missing. "
        "dW2 = (1/m) * dZ2 @ A1.T holds (F098)."
    )
    assert verdicts[12, "dZ1"].repaired == "dZ1 = W2.T @ dZ2 * g1'(Z1)"


def test_chain_uses_the_writers_own_values() -> None:
    text = "dZ2 = (A2 - Y) / m\ndW2 = (1/m) * dZ2 @ A1.T"
    assert [verdict.verdict for verdict in verify(text, "shallow").lines] == [WRONG, HOLDS]
    assert [verdict.verdict for verdict in verify(text, "shallow", chain=True).lines] == [WRONG, WRONG]


def test_loops_are_judged_by_what_they_add_up_to() -> None:
    verdicts = {verdict.target: verdict for verdict in verify(LOOP, "logistic-loop").lines}
    assert verdicts["dw"].verdict == HOLDS
    assert (verdicts["J"].verdict, verdicts["J"].cause) == (WRONG, "sign")
    (without,) = (each for each in verify(LOOP.replace("dw /= m\n", ""), "logistic-loop").lines if each.target == "dw")
    assert without.cause == "missing-1/m"
    assert "With dw /= m it holds" in without.message


def test_the_setting_is_found_from_the_names() -> None:
    assert verify("dZ3 = A3 - Y").lines[0].verdict == HOLDS
    assert verify("dw = (1/m) * X @ dZ.T").lines[0].verdict == HOLDS
    with_name, without = (verify("dZ3 = A3 - Y", name).layout for name in ("deep", None))
    assert with_name.endswith("(setting deep, as named)")
    assert without.endswith("(setting deep, chosen, not named: it knows every name)")


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(ValueError, match=r"setting is 'shalow', expected one of .*did you mean"):
        verify("dZ2 = A2 - Y", "shalow")
    with pytest.raises(ValueError, match="line 1, column 12"):
        verify("dW1 = dZ1 @@ X.T", "shallow")
    with pytest.raises(ValueError, match="X has a meaning here and cannot be assigned"):
        verify("X = X + 1", "shallow")
    given, rest = verify("X = X + 1\ndZ2 = A2 - Y", "shallow").lines
    assert (given.target, given.verdict, rest.verdict) == ("X", "not judged", HOLDS)
    assert "X has a meaning here and cannot be assigned" in given.message


def test_a_formula_that_no_small_change_mends_is_unknown() -> None:
    (verdict,) = verify("dW1 = np.outer(np.exp(b1), np.ones((n_x, 1))) * 17", "shallow").lines
    assert (verdict.verdict, verdict.cause, verdict.repaired) == (WRONG, "unknown", "")


def test_a_penalty_where_there_is_none_points_to_the_flag() -> None:
    (verdict,) = verify("dW1 = (1/m) * dZ1 @ X.T + (lambda/m) * W1", "shallow").lines
    assert verdict.cause == "l2-extra"
    assert "--l2" in verdict.message
    assert verify("dW1 = (1/m) * dZ1 @ X.T + (lambda/m) * W1", "shallow", l2=True).lines[0].verdict == HOLDS


def test_the_ratio_is_said_in_words() -> None:
    assert times(7.0, {"m": 7}) == "m = 7 times too large"
    assert times(1 / 7, {"m": 7}) == "m = 7 times too small"
    assert times(49.0, {"m": 7}) == "m squared = 49 times too large"
    assert times(-1.0, {"m": 7}) == "the negative of what it should be"
    assert times(-7.0, {"m": 7}) == "of the other sign and m = 7 times too large"
    assert times(0.25, {"m": 7}) == "4 times too small"


@pytest.mark.parametrize(
    "every", [24, pytest.param(4, marks=pytest.mark.slow), pytest.param(1, marks=pytest.mark.bars)]
)
def test_every_edit_parses_and_every_cause_is_in_the_vocabulary(every: int) -> None:
    read = cache(parse)  # many edits are the same text
    for setting in list(SETTINGS.values())[::every]:
        environment = setting.probe(0, True).environment
        for target, what in setting.targets.items():
            program = parse(derivation_of(target, what.formula(True)))
            for edit in edits(program, context_of(setting, target, target, environment)):
                assert read(to_text(edit.node, as_written=True)) == edit.node
                assert {*edit.undoes.split(" + "), edit.makes} <= set(CAUSES)


def own_numbers() -> dict[str, Any]:
    """What a person's own two-layer network gives, all of it right."""
    rng = np.random.default_rng(3)
    net = architecture.model("shallow", 3, 1, (5,))
    params = draws.initial_parameters(net, "xavier", rng)
    X, Y = rng.standard_normal((3, 11)), (np.arange(11) % 2).reshape(1, 11).astype(float)
    passed = network.forward(net, params, X)
    back = network.backward(net, params, passed, Y, 0.7)
    names = {"X": X, "Y": Y, "lambda_": 0.7, **params, **back.grads, "J": network.cost(net, params, passed, Y, 0.7)}
    for l in (1, 2):
        names |= {f"Z{l}": passed.Z[l], f"A{l}": passed.A[l], f"dZ{l}": back.dZ[l], f"dA{l}": back.dA[l]}
    return names


def test_own_numbers_that_are_right_hold() -> None:
    for dtype in (np.float64, np.float32):
        given = {name: np.asarray(value, dtype) for name, value in own_numbers().items()}
        verdicts = verdicts_on(given, "shallow", l2=True)
        assert {verdict.target for verdict in verdicts} == set(given) - {"X", "Y", "lambda_", "W1", "b1", "W2", "b2"}
        assert {verdict.verdict for verdict in verdicts} == {HOLDS}


@pytest.mark.parametrize(
    ("name", "spoil", "cause"),
    sliced(
        [
            ("dW1", lambda n: n["dW1"] * 11, "missing-1/m"),
            ("dW1", lambda n: n["dW1"] - 0.7 / 11 * n["W1"], "l2-missing"),
            ("dW2", lambda n: n["dW2"] + (0.7 - 0.7 / 11) * n["W2"], "l2-not-over-m"),
            ("dZ1", lambda n: n["dA1"], "gprime-missing"),
            ("dZ1", lambda n: n["dA1"] * n["A1"], "g-for-gprime"),
            ("dZ2", lambda n: n["Y"] - n["A2"], "sign"),
            ("db1", lambda n: n["db1"][:, 0], "keepdims-missing"),
            ("dW1", lambda n: n["dW1"] + np.eye(5, 3), "unknown"),
        ],
        2,
    ),
)
def test_own_numbers_that_are_wrong_name_the_mistake(name: str, spoil: Any, cause: str) -> None:
    given = own_numbers()
    given[name] = spoil(given)
    (verdict,) = (each for each in verdicts_on(given, "shallow", l2=True) if each.target == name)
    assert (verdict.verdict, verdict.cause) == (WRONG, cause)
    assert verify(verdict.repaired, "shallow", l2=True).lines[0].verdict == HOLDS


@pytest.mark.slow
def test_files_of_numbers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = tmp_path / "run.npz"
    np.savez(good, **own_numbers())
    assert main(["verify", "--data", str(good), "--setting", "shallow"]) == 1  # its J and dW carry a penalty
    assert "l2-extra" in capsys.readouterr().out

    def refused(words: list[str], sentence: str) -> None:
        assert main(["verify", *words]) == 2
        shown = capsys.readouterr().err
        assert sentence in shown
        assert shown.count("\n") == 1

    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, X=np.array([{"a": 1}], dtype=object))
    refused(
        ["--data", str(pickled), "--setting", "shallow"],
        "pickled.npz is not a .npz of plain arrays: it is something else, or pickled",
    )
    cut = tmp_path / "cut.npz"
    cut.write_bytes(good.read_bytes()[:100])
    refused(["--data", str(cut), "--setting", "shallow"], "cut.npz is not a .npz of plain arrays")
    few = tmp_path / "few.npz"
    np.savez(few, X=np.ones((3, 2)), dW1=np.ones((2, 2)))
    refused(["--data", str(few), "--setting", "shallow"], "the file lacks Y, W1, b1, W2, b2")
    refused(["--data", str(good)], "expected --setting with --data")
    refused(["--data", str(tmp_path / "none.npz"), "--setting", "shallow"], "none.npz was not found")
    refused([], "expected a formula, files or folders, or --data with a .npz file: one of them")
    refused(["dZ2 = A2 - Y", "--setting", "nowhere"], "setting is 'nowhere', expected one of")
    refused(["dZ2 = A2 - Y", "--seed", "-1"], "seed is -1, expected 0 or more")


FUNCTIONS = """\
import numpy as np
print("hello from the file")
def weight_gradient(dZ, A_prev, W, lambda_=0.0):
    return dZ @ A_prev.T / A_prev.shape[1] + lambda_ * W
def bias_gradient(dZ):
    return np.mean(dZ, axis=1, keepdims=True)
def sigmoid_prime(Z):
    a = 1 / (1 + np.exp(-Z))
    return a
def linear_forward(A_prev, W, b):
    return W @ A_prev + c
def linear_backward(dZ, A_prev, W, lambda_=0.0):
    m = dZ.shape[1]
    return W.T @ dZ, dZ @ A_prev.T + lambda_ / m * W, np.sum(dZ, axis=1) / m
"""


@pytest.mark.slow
def test_own_functions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "my_backprop.py"
    path.write_text(FUNCTIONS)
    assert main(["verify", str(path), "--json"]) == 1
    found = {each["target"]: each for each in json.loads(capsys.readouterr().out)["lines"]}
    assert {name: each["cause"] for name, each in found.items()} == {
        "linear_forward": "",
        "weight_gradient": "l2-not-over-m",
        "bias_gradient": "",
        "sigmoid_prime": "g-for-gprime",
        "linear_backward: dA_prev": "",
        "linear_backward: dW": "missing-1/m",
        "linear_backward: db": "keepdims-missing",
    }
    assert found["linear_forward"]["verdict"] == "not judged"
    assert "it raised NameError in line 11" in found["linear_forward"]["message"]


ENDLESS = "sigmoid = 1\nwhile True:\n    pass\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    sliced(
        [
            ("nothing = 1\n", "mine.py is not judged: no gradient of a cost was found: say J with --cost"),
            ("def broken(:\n", "mine.py is no Python: line 1: invalid syntax"),
            ("from manual.activations import *\nraise SystemExit(3)\n", "could not be run: raised SystemExit"),
            ("from os import *\n_exit(7)\n", "could not be run: exit code 7"),
            (ENDLESS, "ran for more than 0.5 seconds and was ended"),
        ],
        5,
    ),
)
def test_files_that_cannot_be_run(
    text: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if text == ENDLESS:
        monkeypatch.setattr("parity_tests.derivations.own.calls.SECONDS", 0.5)
    path = tmp_path / "mine.py"
    path.write_text(text)
    assert main(["verify", str(path)]) == 2
    shown = capsys.readouterr().err
    assert sentence in shown
    assert shown.count("\n") == 1


def test_the_command_prints_and_exits_by_the_verdict(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "dW1 = (1/m) * dZ1 @ X.T", "--setting", "shallow"]) == 0
    assert "1 judged: 1 holds; not judged: none." in capsys.readouterr().out
    file = tmp_path / "derivation.txt"
    file.write_text(DERIVATION)
    assert main(["verify", str(file), "--setting", "shallow"]) == 1
    shown = capsys.readouterr().out
    assert "line 8: dW2 = dZ2 @ A1.T  wrong [missing-1/m]" in shown
    assert "\x1b" not in shown
    assert main(["verify", str(file), "--setting", "shallow", "--json"]) == 1
    fields = "target line verdict cause causes repaired formula_ids error bound ratio shape_got shape_expected"
    assert all(set(fields.split()) <= set(each) for each in json.loads(capsys.readouterr().out)["lines"])
    assert main(["verify", "--settings", "--setting", "deep"]) == 0
    assert "dZ3" in capsys.readouterr().out


def test_every_setting_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    main(["verify", "--settings"])
    shown = capsys.readouterr().out
    assert all(name in shown for name in SETTINGS)


@pytest.mark.parametrize(
    "text",
    [
        "dW1 = __import__('os').system('ls')",
        "dW1 = dZ1.__class__",
        "dW1 = eval('1')",
        "dW1 = 9**9**9**9",
        "dW1 = " + "(" * 5000 + "1" + ")" * 5000,
        "dW1 = " + "1+" * 500_000 + "1",
        "dW1 = dZ1 @ \u0425.T",
        "np = 3\ndW1 = dZ1",
    ],
    ids=["import", "dunder", "eval", "power", "nesting", "length", "look-alike", "shadow"],
)
def test_hostile_text_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", text, "--setting", "shallow"]) in (1, 2)
    shown = capsys.readouterr()
    assert "Traceback" not in shown.out + shown.err
    assert shown.err or "wrong" in shown.out
