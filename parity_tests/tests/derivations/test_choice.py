"""In which setting and in which convention a derivation is read."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from parity_tests.derivations import choice
from parity_tests.derivations.choice import Choice, choose
from parity_tests.derivations.language.errors import BudgetSpent, DerivationError
from parity_tests.derivations.settings.readings import Reading
from parity_tests.derivations.verdicts import HOLDS, WRONG, Verdict

CANNOT = "cannot be judged"


def setting(name: str, **kinds: str) -> Any:
    """A setting with targets of these kinds; V is another name of W."""
    return SimpleNamespace(
        name=name, aliases={"V": "W"}, targets={s: SimpleNamespace(kind=k) for s, k in kinds.items()}
    )


A, B, C = setting("A"), setting("B"), setting("C")


def lines(*verdicts: str) -> list[Verdict]:
    """One line after the other: W = ... in the first, X1, X2, ... in the others."""
    return [
        Verdict("W" if n == 0 else f"X{n}", n, "", verdict, "", (), "", (), 0.0, 0.0, 0.0, (), (), "")
        for n, verdict in enumerate(verdicts)
    ]


def reading(of: Any, telling: str = "W", **more: Any) -> Reading:
    """A convention that goes by W."""
    return Reading("words", "row", of, frozenset(telling.split()), **more)


class Table:
    """The verdicts by setting; an exception in their place is raised."""

    def __init__(self, **verdicts: Any) -> None:
        self.verdicts, self.calls = verdicts, []  # type: ignore[var-annotated]

    def __call__(self, setting: Any) -> Any:
        self.calls.append(setting.name)
        found = self.verdicts[setting.name]
        if isinstance(found, Exception):
            raise found
        return found


GOOD, BAD, WORSE = lines(HOLDS, HOLDS), lines(HOLDS, WRONG), lines(WRONG, WRONG)
UNREAD = DerivationError("unreadable")
READ = setting("READ")


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Reading]]:
    """Conventions by the name of the setting that they belong to; A, B and C are the notes' own settings."""
    found: dict[str, list[Reading]] = {}
    monkeypatch.setattr(choice, "SETTINGS", {each.name: each for each in (A, B, C)})
    monkeypatch.setattr(choice, "readings_of", lambda setting: found.get(setting.name, []))
    return found


@pytest.mark.parametrize(
    ("first", "others", "chosen", "tried"),
    [
        (GOOD, {}, A, []),
        (BudgetSpent("spent"), {}, A, []),
        (BAD, {"B": GOOD}, B, ["B"]),
        (BAD, {"B": UNREAD, "C": GOOD}, C, ["B", "C"]),
        (WORSE, {"B": BAD, "C": BAD}, A, ["B", "C"]),
        (lines(HOLDS, CANNOT), {"B": GOOD}, B, ["B"]),
    ],
)
def test_the_first_setting_in_which_all_holds(
    first: Any, others: Any, chosen: Any, tried: list[str], readings: Any
) -> None:
    standing, glance = Table(A=first), Table(**others)
    assert choose((A, B, C), standing, glance, frozenset("W")) == Choice(chosen)
    assert (standing.calls, glance.calls) == (["A"], tried)


def test_where_no_setting_can_be_chosen() -> None:
    with pytest.raises(DerivationError):
        choose((A, B), Table(A=UNREAD), Table(), frozenset())
    with pytest.raises(StopIteration):
        choose((), Table(), Table(), frozenset())


@pytest.mark.parametrize(
    ("verdicts", "chosen"),
    [
        ({"A": WORSE, "B": BAD, "C": BAD}, B),
        ({"A": BAD, "B": BAD, "C": WORSE}, A),
        ({"A": BAD, "B": lines(HOLDS, CANNOT), "C": UNREAD}, B),  # what cannot be judged is not wrong
    ],
)
def test_what_is_known_partly_is_read_with_the_fewest_wrong_lines(verdicts: Any, chosen: Any, readings: Any) -> None:
    assert choose((A, B, C), Table(**verdicts), Table(**verdicts), frozenset("W"), partly=True).setting is chosen


@pytest.mark.parametrize(
    ("first", "read", "names", "options", "found"),
    [
        (WORSE, GOOD, "W", {}, True),
        (WORSE, GOOD, "V", {}, True),  # another name of W
        (WORSE, GOOD, "U", {}, False),
        (WORSE, GOOD, "W", {"strict": True}, False),
        (lines(WRONG), lines(HOLDS), "W", {}, False),  # one line alone may be a mistake
        (BAD, lines(WRONG, HOLDS), "W", {}, False),
        (WORSE, UNREAD, "W", {}, False),
    ],
)
def test_a_convention_in_which_more_holds(
    first: Any, read: Any, names: str, options: Any, found: bool, readings: Any
) -> None:
    convention = reading(READ, least=1)
    readings["A"] = [convention]
    chosen = choose((A,), Table(A=first), Table(READ=read), frozenset([names]), **options)
    assert chosen == (Choice(READ, convention) if found else Choice(A))


def test_of_several_conventions_the_one_with_the_most_counts(readings: Any) -> None:
    one, two, three = (reading(setting(name), least=1) for name in ("one", "two", "three"))
    readings["A"], readings["B"] = [one], [two, three]
    worst = lines(WRONG, WRONG, WRONG)
    table = Table(A=worst, B=worst, one=lines(HOLDS, WRONG, WRONG), two=lines(HOLDS, HOLDS, WRONG), three=worst)
    assert choose((A, B), table, table, frozenset("W")) == Choice(two.setting, two)
    table.verdicts["three"] = lines(HOLDS, HOLDS, WRONG)  # the first of equals
    assert choose((A, B), table, table, frozenset("W")) == Choice(two.setting, two)
    table.verdicts["two"] = UNREAD
    assert choose((A, B), table, table, frozenset("W")) == Choice(three.setting, three)
    readings["B"].insert(0, reading(setting("other"), "U"))  # one that cannot speak for it ends nothing
    assert choose((A, B), table, table, frozenset("W")) == Choice(three.setting, three)


def test_a_setting_that_is_one_in_a_convention_is_named_with_it(readings: Any) -> None:
    other, convention = reading(setting("other")), reading(READ)
    readings["B"] = [other, convention]
    table = Table(READ=GOOD, A=BAD, X=BAD)
    assert choose((READ,), table, table, frozenset()) == Choice(READ, convention)
    assert choose((A, READ), table, table, frozenset()) == Choice(READ, convention)
    table.verdicts["READ"] = BudgetSpent("spent")
    assert choose((READ,), table, table, frozenset()) == Choice(READ, convention)
    alone = setting("X")
    assert choose((alone,), table, table, frozenset()) == Choice(alone)


@pytest.mark.parametrize(
    ("convention", "names", "may"),
    [
        (reading(A, "W U"), "W", True),
        (reading(A, "W U"), "V", True),
        (reading(A, "W U"), "T", False),
        (reading(A, "W U", whole=True), "W", False),
        (reading(A, "W U", whole=True), "U W", True),
        (reading(A, "W U", whole=True), "U V T", True),
        (reading(setting("D", dW="gradient"), absent=frozenset("m")), "dW", True),
        (reading(setting("D", dW="gradient"), absent=frozenset("m")), "dW m", False),
        (reading(setting("D", dW="gradient", Z="value"), absent=frozenset("m")), "Z", False),
    ],
)
def test_which_names_a_convention_goes_by(convention: Reading, names: str, may: bool) -> None:
    assert choice.may_speak_for(convention, frozenset(names.split())) is may


@pytest.mark.parametrize(
    ("convention", "before", "after", "speaks"),
    [
        (reading(A, least=1), WORSE, lines(HOLDS, WRONG), True),
        (reading(A, least=2), WORSE, lines(HOLDS, WRONG), False),
        (reading(A, least=2), WORSE, GOOD, True),
        (reading(A, least=1), WORSE, lines(WRONG, HOLDS), False),  # W does not hold there
        (reading(A, least=1), lines(HOLDS, WRONG), GOOD, False),  # W held before
        (reading(A, "X1", least=1), lines(HOLDS, WRONG), GOOD, True),
        (reading(A, "X1", least=2), lines(HOLDS, WRONG), GOOD, False),
        (reading(A, whole=True), WORSE, GOOD, True),
        (reading(A, whole=True, least=1), WORSE, lines(HOLDS, WRONG), False),
    ],
)
def test_a_convention_speaks_for_a_derivation(convention: Reading, before: Any, after: Any, speaks: bool) -> None:
    assert choice.speaks_for(convention, before, after) is speaks


def test_another_name_of_what_a_convention_goes_by_speaks_for_it() -> None:
    renamed = [line._replace(target={"W": "V"}.get(line.target, line.target)) for line in GOOD]
    assert choice.speaks_for(reading(A), WORSE, renamed)
    moved = [line._replace(line=line.line + 7) for line in GOOD]
    assert choice.speaks_for(reading(A, least=2), GOOD, moved)  # held, but in other lines
