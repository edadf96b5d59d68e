"""The words and numbers of a verdict on a derivation."""

from __future__ import annotations

import numpy as np
import pytest

from parity_tests.derivations.agreement import Agreement
from parity_tests.derivations.mistakes.causes import CAUSES
from parity_tests.derivations.verdicts import (
    CANNOT_TELL,
    HOLDS,
    NOT_JUDGED,
    WRONG,
    Cost,
    Judged,
    Summary,
    Verdict,
    explain,
    in_order,
    not_judged,
    summarised,
    teach,
    times,
)
from parity_tests.derivations.verify import verify

LINE = Verdict("dW1", 3, "dW1 = X", WRONG, "", (), "", ("F098",), 2.0, 4.0, 0.5, (2, 3), (2, 3), "why")


def test_the_numbers_of_a_wrong_line_belong_together() -> None:
    (line,) = verify("dW1 = 3 * dZ1 @ X.T", "shallow").lines
    assert line.verdict == WRONG
    assert line.error > 1e7 * line.bound > 0
    assert line.ratio == line.error / line.bound
    (right,) = verify("dW1 = (1/m) * dZ1 @ X.T", "shallow").lines
    assert (right.verdict, right.ratio) == (HOLDS, right.error / right.bound)
    assert right.bound == pytest.approx(line.bound)


def test_json_has_none_for_what_it_lacks() -> None:
    assert LINE.as_json()["ratio"] == 0.5
    data = LINE._replace(error=np.inf, bound=np.nan, ratio=np.inf).as_json()
    assert (data["error"], data["bound"], data["ratio"], data["target"]) == (None, None, None, "dW1")
    lacking = not_judged("dZ1", 4, "dZ1 = ...", "nothing to judge it by")
    assert (lacking.verdict, lacking.message, lacking.line, lacking.target) == (
        NOT_JUDGED, "nothing to judge it by", 4, "dZ1",
    )  # fmt: skip
    assert (lacking.text, lacking.cause, lacking.causes, lacking.repaired) == ("dZ1 = ...", "", (), "")
    assert {lacking.as_json()[name] for name in ("error", "bound", "ratio")} == {None}
    assert (lacking.formula_ids, lacking.shape_got, lacking.shape_expected) == ((), (), ())


def test_everything_is_counted() -> None:
    verdicts = [HOLDS] * 4 + [WRONG] * 3 + [CANNOT_TELL] * 2 + [NOT_JUDGED]
    summary = summarised((LINE._replace(verdict=each) for each in verdicts), 5)
    assert summary == Summary(9, 4, 3, 2, 1, 5)
    assert summary.sentence == "9 judged: 4 hold, 3 wrong, 2 cannot be told"
    assert summarised([LINE._replace(verdict=HOLDS)]).sentence == "1 judged: 1 holds"
    assert summarised([]) == Summary(0, 0, 0, 0, 0, 0)
    assert summarised([]).sentence == "0 judged"


def test_lines_stand_in_order() -> None:
    lines = [LINE._replace(line=n, target=t) for n, t in ((2, "b"), (1, "c"), (2, "a"))]
    assert [each.target for each in in_order(lines)] == ["c", "b", "a"]


def test_a_derivation_as_json_is_plain_data() -> None:
    judged = Judged("text", Cost("J = 1", 2), "c", "l", ("r",), (LINE,), Summary(1, 0, 1, 0, 0))
    data = judged.as_json()
    assert data["cost"] == {"text": "J = 1", "line": 2, "implied": (), "cell": 0}
    assert data["lines"] == [LINE.as_json()]
    assert data["summary"]["wrong"] == 1
    assert (data["source"], data["convention"], data["layout"], data["referees"]) == ("text", "c", "l", ("r",))


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (-1.0, "the negative of what it should be"),
        (7.0, "m = 7 times too large"),
        (1 / 7, "m = 7 times too small"),
        (49.0, "m squared = 49 times too large"),
        (1 / 49, "m squared = 49 times too small"),
        (-7.0, "of the other sign and m = 7 times too large"),
        (-1 / 3, "of the other sign and n = 3 times too small"),
        (9.0, "n squared = 9 times too large"),
        (2.5, "2.5 times too large"),
        (0.4, "2.5 times too small"),
        (-2.5, "of the other sign and 2.5 times too large"),
        (7.00001, "7.00001 times too large"),
        (7 * (1 + 2e-9), "7 times too large"),
        (7 * (1 + 5e-10), "m = 7 times too large"),
        ((1 + 2e-9) / 49, "49 times too small"),
        ((1 + 5e-10) / 49, "m squared = 49 times too small"),
        (-1 - 2e-9, "of the other sign and 1 times too large"),
        (-1 + 5e-10, "the negative of what it should be"),
        (2.0, "k = 2 times too large"),
        (0.25, "k squared = 4 times too small"),
        (1.5, "1.5 times too large"),
        (0.9999999, "1 times too small"),
        (1.0, "1 times too small"),
    ],
)
def test_a_ratio_in_words(ratio: float, words: str) -> None:
    assert times(ratio, {"one": 1, "k": 2, "n": 3, "m": 7}) == words


RIGHT = Agreement(1.0, 1e-3, (1, 2), 5.0, 4.0, (2, 3), (2, 3), None)


@pytest.mark.parametrize(
    ("agreement", "words"),
    [
        (None, "a problem"),
        (RIGHT._replace(shape_got=(3, 2)), "has shape (3, 2), expected (2, 3)"),
        (RIGHT._replace(ratio=7.0), "is m = 7 times too large everywhere"),
        (RIGHT._replace(got=0.0, error=np.inf), "is zero"),
        (RIGHT._replace(got=0.0), "is 0 at [1, 2], expected 4"),
        (RIGHT._replace(got=1.0, error=np.inf), "is 1 at [1, 2], expected 4"),
        (RIGHT, "is 5 at [1, 2], expected 4"),
        (RIGHT._replace(worst_index=(), got=1.23456789), "is 1.23457, expected 4"),
        (RIGHT._replace(expected=1.23456789), "is 5 at [1, 2], expected 1.23457"),
    ],
)
def test_what_the_numbers_show(agreement: Agreement | None, words: str) -> None:
    assert explain(agreement, "a problem", {"m": 7}) == words


def test_causes_are_taught_in_their_own_words() -> None:
    first, second = list(CAUSES)[:2]
    assert teach(first) == CAUSES[first]
    assert teach(f"{first} + {second}") == f"{CAUSES[first]} and {CAUSES[second]}"
    assert teach("no such cause") == "no such cause"
