"""Which number of a text is J: one of a usual name, the one that is told, or the one of which nothing is computed."""

from __future__ import annotations

from pathlib import Path

import pytest

from parity_tests.console import main
from parity_tests.derivations.engine.texts import verify_text
from parity_tests.derivations.verdicts import WRONG
from parity_tests.derivations.verify import verify
from parity_tests.tests.slices import sliced

LOGISTIC = """\
z = X @ w + b
p = 1 / (1 + np.exp(-z))
{}
delta = (p - y) / len(X)
gw = X.T @ delta
gb = np.sum(delta)
"""
CROSS_ENTROPY = "f = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))"
SQUARES = "f = np.mean((p - y) ** 2)"


def _wrong(text: str, **told: str) -> tuple[str, list[int]]:
    judged = verify_text(text, **told)  # type: ignore[arg-type]
    assert judged is not None
    return judged.cost.text, [line.line for line in judged.lines if line.verdict == WRONG]


@pytest.mark.parametrize("name", sliced(["f", "objective_value", "val", "q"], 4))
def test_a_number_of_which_nothing_is_computed_is_j(name: str) -> None:
    text = LOGISTIC.format(CROSS_ENTROPY.replace("f", name, 1))
    assert _wrong(text) == (CROSS_ENTROPY.replace("f =", f"{name} ="), [])
    assert _wrong(text.replace("X.T @ delta", "X.T @ delta / len(X)"))[1] == [5]


@pytest.mark.parametrize(
    "row", ["s = np.mean(p - y)", "err = p - y\ns = np.sum(err) / len(X)", f"{CROSS_ENTROPY}\nq = np.sum(p * p)", ""]
)
def test_of_several_such_numbers_or_of_a_sum_of_what_goes_on_none_is(row: str) -> None:
    text = LOGISTIC.format(row).replace("(p - y) /", "err /" if "err" in row else "(p - y) /")
    cost, wrong = _wrong(text)
    assert cost.startswith("J is not written down; taken to be the cross-entropy of p and y")
    assert not wrong


def test_a_guess_gives_way_to_a_usual_cost_that_all_gradients_follow() -> None:
    cost, wrong = _wrong(LOGISTIC.format(SQUARES))
    assert "taken to be the cross-entropy of p and y" in cost
    assert not wrong


@pytest.mark.slow
def test_the_name_that_is_told_is_that_of_j(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = LOGISTIC.format(f"loss = np.sum(w * w)\n{SQUARES}")
    assert _wrong(text, cost="f")[0] == SQUARES
    assert _wrong(text, cost="f")[1]
    file = tmp_path / "mine.txt"
    file.write_text(text)
    assert verify(file, cost="f").cost.text == verify(text, cost="f").cost.text == SQUARES
    for source in (str(file), text):
        assert main(["verify", source, "--cost", "f"]) == 1
        assert SQUARES.replace("=", "is") in capsys.readouterr().out


@pytest.mark.parametrize(
    ("cost", "told", "message"),
    [
        ("p", {}, "cost is 'p', expected the name of a single number that the text computes"),
        ("n", {}, "cost is 'n', and no line is a derivative of it"),
        ("f", {"setting": "logistic"}, "the name of J in a text with a forward pass: expected no setting with it"),
        ("f", {"l2": True}, "the name of J in a text with a forward pass: expected no setting with it"),
    ],
)
def test_a_name_that_says_nothing_is_refused(cost: str, told: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        verify(LOGISTIC.format(f"{SQUARES}\nn = 2 * len(X)"), cost=cost, **told)  # type: ignore[arg-type]
