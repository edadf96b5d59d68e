"""The words and numbers of a verdict on a derivation."""

from __future__ import annotations

import numpy as np
import pytest

from parity_tests import html
from parity_tests.derivations.agreement import Agreement
from parity_tests.derivations.mistakes.causes import CAUSES
from parity_tests.derivations.verdicts import (
    CALL,
    CANNOT_TELL,
    DOUBTFUL,
    HOLDS,
    NO_CLAIM,
    NOT_JUDGED,
    NOTES_CONVENTION,
    WRONG,
    Cost,
    Judged,
    Summary,
    Verdict,
    against,
    closing,
    explain,
    in_order,
    located,
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
    notes = summarised(LINE._replace(verdict=each) for each in [DOUBTFUL] * 2 + [NO_CLAIM] * 3 + [NOT_JUDGED])
    assert notes == Summary(2, 0, 0, 0, 1, 0, 2, 3)
    assert notes.sentence == "2 judged: 2 doubtful"
    assert summarised([]) == Summary(0, 0, 0, 0, 0, 0)
    assert summarised([]).sentence == "0 judged"


def test_lines_stand_in_order() -> None:
    lines = [LINE._replace(line=n, target=t) for n, t in ((2, "b"), (1, "c"), (2, "a"))]
    assert [each.target for each in in_order(lines)] == ["c", "b", "a"]


def test_a_derivation_as_json_is_plain_data() -> None:
    judged = Judged("text", Cost("J = 1", 2), "c", "l", ("r",), (LINE,), Summary(1, 0, 1, 0, 0))
    data = judged.as_json()
    assert data["cost"] == {"text": "J = 1", "line": 2, "implied": (), "cell": 0, "otherwise": ""}
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
        (RIGHT._replace(ratio=7.0, worst_index=()), "is 5, expected 4"),
        (RIGHT._replace(ratio=7.0, worst_index=(0,), shape_got=(1,), shape_expected=(1,)), "is 5 at [0], expected 4"),
        (
            RIGHT._replace(ratio=7.0, worst_index=(1,), shape_got=(2,), shape_expected=(2,)),
            "is m = 7 times too large everywhere",
        ),
        *(
            (
                RIGHT._replace(ratio=ratio),
                f"is {times(ratio, {'m': 7})} everywhere" if usual else "is 5 at [1, 2], expected 4",
            )
            for ratio, usual in (
                (10.0, True),
                (11.0, False),
                (1.0, True),
                (1 / 7, True),
                (-1 / 49, True),
                (49.0, True),
                (0.4, False),
                (14.0, False),
                (343.0, False),
                (7 * (1 + 2e-9), False),
                (7 * (1 + 5e-10), True),
                (2.5, False),
            )
        ),
    ],
)
def test_what_the_numbers_show(agreement: Agreement | None, words: str) -> None:
    assert explain(agreement, "a problem", {"m": 7}) == words


def test_a_size_of_two_is_usual_and_one_of_one_is_none() -> None:
    many = RIGHT._replace(ratio=256.0)
    assert explain(many, "", {"k": 16, "n": 1}) == "is k squared = 256 times too large everywhere"
    assert explain(many, "", {"k": 2, "n": 1}) == "is 5 at [1, 2], expected 4"
    assert explain(RIGHT._replace(ratio=16.0), "", {"k": 16}) == "is k = 16 times too large everywhere"


JUDGED = Judged(
    "text", Cost("J = a = b, as line 3 says", 3), "that of line 7", "as in lines 3, 12", ("one", "two"),
    (LINE, LINE._replace(line=12, verdict=HOLDS, message="as lines 3, 12 say, not online 3")),
    Summary(2, 1, 1, 0, 0), ("a note",),
)  # fmt: skip


def test_what_it_is_judged_against_and_what_is_said_of_each_line() -> None:
    rows = [
        "J is a = b, as line 3 says.",
        "As in lines 3, 12. Referees: one and two.",
        "Convention: that of line 7.",
        "a note",
        "line 3: dW1 = X  wrong",
        "    why",
        "line 12: dW1 = X  holds",
        "2 judged: 1 holds, 1 wrong; not judged: none.",
    ]
    assert str(JUDGED).splitlines() == rows
    assert repr(JUDGED) == str(JUDGED)
    for convention in ("", NOTES_CONVENTION):
        assert against(JUDGED._replace(convention=convention)) == [*rows[:2], "a note"]
    assert against(JUDGED._replace(layout="", convention="", notes=(), cost=Cost("there is no J"))) == [
        "there is no J."
    ]
    assert against(JUDGED._replace(layout="", convention="", notes=(), cost=Cost("the J = 1"))) == ["the J = 1."]
    assert against(JUDGED._replace(layout="", convention="", notes=(), cost=Cost(""))) == []


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (LINE._replace(cause="sign"), ["line 3: dW1 = X  wrong [sign]", "    why"]),
        (LINE._replace(cause="ambiguous", causes=("a", "b")), ["line 3: dW1 = X  wrong [a, b]", "    why"]),
        (LINE._replace(message="one\ntwo", cell=2), ["cell 2, line 3: dW1 = X  wrong", "    one", "    two"]),
        (LINE._replace(text="", line=0, verdict=NOT_JUDGED), ["dW1  not judged", "    why"]),
        (LINE._replace(verdict=HOLDS, line=CALL + 1), ["the call: dW1 = X  holds"]),
        (
            LINE._replace(verdict=HOLDS, message="dW1 holds. It is right if it rains."),
            ["line 3: dW1 = X  holds", "    It is right if it rains."],
        ),
        (LINE._replace(verdict=HOLDS, message="dW1 holds. Ties: both."), ["line 3: dW1 = X  holds"]),
        (LINE._replace(verdict=HOLDS, cell=-2), ["Markdown cell 2, line 3: dW1 = X  holds"]),
        (LINE._replace(verdict=HOLDS, line=CALL), [f"line {CALL}: dW1 = X  holds"]),
    ],
)
def test_a_line_with_its_place_its_cause_and_what_to_do(line: Verdict, shown: list[str]) -> None:
    assert str(line).splitlines() == shown


def test_the_counts_name_what_was_not_judged() -> None:
    left = (LINE._replace(verdict=NOT_JUDGED), LINE._replace(verdict=NOT_JUDGED, line=0), LINE)
    judged = JUDGED._replace(lines=left, summary=Summary(1, 0, 1, 0, 2, 1))
    assert closing(judged) == "1 judged: 1 wrong; not judged: 2 (line 3, dW1); 1 helper."
    assert closing(JUDGED._replace(summary=Summary(1, 0, 1, 0, 0, 2))).endswith("not judged: none; 2 helpers.")
    none = closing(JUDGED._replace(summary=Summary(1, 0, 1, 0, 0, no_claims=4)))
    assert none == "1 judged: 1 wrong; not judged: none; 4 that claim nothing."
    other = Cost("", otherwise="the squared error")
    assert closing(judged._replace(cost=other)).endswith(
        "2 (line 3, dW1) and whether J is the squared error; 1 helper."
    )
    assert closing(JUDGED._replace(cost=other)).endswith("; not judged: whether J is the squared error.")


def test_a_notebook_shows_a_row_for_each_line() -> None:
    mended = "is 3 times. With\n    dW1 = Y\nit holds."
    lines = (
        LINE._replace(message=mended, repaired="dW1 = Y", text="dW1 = a < b", cause="ambiguous", causes=("one", "two")),
        LINE._replace(message=mended, repaired="dW1 = Y", text="dW1 = a < b", cause="ambiguous", causes=("one", "two")),
        LINE._replace(verdict=HOLDS, line=4, message="dW1 holds, as m times it; J holds, too"),
        LINE._replace(verdict=HOLDS, line=5, message="dW1 holds. It is right if it rains."),
        LINE._replace(verdict=NOT_JUDGED, line=0, text="", target="b<1", cause="sign", message="holds, no"),
    )
    sure = (html.mark(WRONG, "one, two"), html.code("dW1 = Y"), "is 3 times.")
    rows = [
        (WRONG, ("line 3", html.code("dW1 = a < b"), *sure)),
        (HOLDS, ("line 4", html.code("dW1 = X"), html.mark(HOLDS), html.code(""), "as m times it; J holds, too")),
        (HOLDS, ("line 5", html.code("dW1 = X"), html.mark(HOLDS), html.code(""), "It is right if it rains.")),
        (NOT_JUDGED, ("", html.code("b<1"), html.mark(NOT_JUDGED, "sign"), html.code(""), "holds, no")),
    ]
    heads = ("line", "as it is written", "verdict", "what holds", "why")
    judged = JUDGED._replace(lines=lines)
    said = [*against(judged), closing(judged)]
    assert judged._repr_html_() == html.table(heads, rows, 5, said)


def test_lines_are_named_where_they_stand() -> None:
    assert located(JUDGED) == JUDGED
    moved = located(JUDGED, lambda line: (line // 10, line % 10) if line else (0, 0))
    assert moved.cost == Cost("J = a = b, as line 3 says", 3)
    assert [(each.cell, each.line, each.message) for each in moved.lines] == [
        (0, 3, "why"),
        (1, 2, "as line 3; cell 1, line 2 say, not online 3"),
    ]
    assert (moved.layout, moved.convention) == ("as in line 3; cell 1, line 2", "that of line 7")
    called = located(JUDGED, lambda line: (0, CALL + line))
    assert (called.layout, called.cost.line, called.cost.text) == ("as in the call", 0, "J = a = b, as the call says")
    last = located(JUDGED, lambda line: (0, CALL))
    assert (last.convention, last.cost.line) == (f"that of line {CALL}", CALL)
    assert last.layout == f"as in lines {CALL}, {CALL}"
    cells = located(JUDGED, lambda line: (2, line))
    assert (cells.cost.cell, cells.cost.line, cells.convention) == (2, 3, "that of cell 2, line 7")


def test_causes_are_taught_in_their_own_words() -> None:
    first, second = list(CAUSES)[:2]
    assert teach(first) == CAUSES[first]
    assert teach(f"{first} + {second}") == f"{CAUSES[first]} and {CAUSES[second]}"
    assert teach("no such cause") == "no such cause"
