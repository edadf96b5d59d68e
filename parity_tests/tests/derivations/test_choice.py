"""In which setting and in which convention a derivation is read."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from parity_tests.derivations import choice
from parity_tests.derivations.choice import Choice, choose
from parity_tests.derivations.language.errors import BudgetSpent, DerivationError
from parity_tests.derivations.language.syntax import parse
from parity_tests.derivations.settings.readings import Reading
from parity_tests.derivations.verdicts import HOLDS, NOT_JUDGED, WRONG, Verdict

CANNOT = "cannot be judged"


def setting(name: str, **kinds: str) -> Any:
    """A setting with targets of these kinds; V is another name of W."""
    return SimpleNamespace(
        name=name,
        aliases={"V": "W"},
        targets={s: SimpleNamespace(kind=k) for s, k in kinds.items()},
        penalised=True,
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


def test_a_convention_that_judges_more_lines_goes_before_one_that_judges_fewer(readings: Any) -> None:
    rule, other = reading(setting("rule"), whole=True), reading(setting("other"), least=1)
    readings["A"] = [other, rule]
    unknown = lines(NOT_JUDGED, HOLDS, HOLDS)
    table = Table(A=unknown, rule=lines(WRONG, HOLDS, HOLDS), other=unknown)
    assert choose((A,), table, table, frozenset("W")) == Choice(rule.setting, rule)
    assert choose((A,), table, table, frozenset("W"), strict=True) == Choice(A)
    table.verdicts["other"] = lines(HOLDS, HOLDS, HOLDS)  # judges as much, and more holds
    assert choose((A,), table, table, frozenset("W")) == Choice(other.setting, other)


def test_a_setting_that_is_one_in_a_convention_is_named_with_it(readings: Any) -> None:
    other, convention = reading(setting("other")), reading(READ)
    readings["B"] = [other, convention]
    table = Table(READ=GOOD, A=BAD, X=BAD)
    assert choose((READ,), table, table, frozenset()) == Choice(READ, convention)
    assert choose((A, READ), table, table, frozenset()) == Choice(READ, convention)
    table.verdicts["READ"] = BudgetSpent("spent")
    assert choose((READ,), table, table, frozenset()) == Choice(READ, convention)
    table.verdicts |= {"other": WORSE, "READ": BAD}  # of two, the one in which more holds
    assert choose((other.setting, READ), table, table, frozenset()) == Choice(READ, convention)
    table.verdicts |= {"B": WORSE}  # the notes' own are taken in their order
    assert choose((B, A), table, table, frozenset()) == Choice(B)
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
        (reading(A, whole=True), lines(NOT_JUDGED, HOLDS, HOLDS), lines(WRONG, HOLDS, HOLDS), True),  # its step alone
        (reading(A, whole=True), lines(NOT_JUDGED, HOLDS), lines(WRONG, HOLDS), False),
        (reading(A, whole=True), lines(NOT_JUDGED, HOLDS, HOLDS), lines(WRONG, WRONG, HOLDS), False),
        (reading(A, whole=True), lines(WRONG, HOLDS, HOLDS), lines(WRONG, HOLDS, HOLDS), False),
    ],
)
def test_a_convention_speaks_for_a_derivation(convention: Reading, before: Any, after: Any, speaks: bool) -> None:
    assert choice.speaks_for(convention, before, after) is speaks


def test_another_name_of_what_a_convention_goes_by_speaks_for_it() -> None:
    renamed = [line._replace(target={"W": "V"}.get(line.target, line.target)) for line in GOOD]
    assert choice.speaks_for(reading(A), WORSE, renamed)
    moved = [line._replace(line=line.line + 7) for line in GOOD]
    assert choice.speaks_for(reading(A, least=2), GOOD, moved)  # held, but in other lines


# --- settings that know the names


def program(text: str) -> Any:
    """A derivation."""
    return parse(text)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, readings: dict[str, list[Reading]]) -> dict[str, list[Reading]]:
    """Of A the names X and Y are known; of B X, Y and g; of C all of these."""
    names = {"A": "X Y", "B": "X Y g", "C": "X Y g p", "READ": "X U"}

    def known_in(setting: Any) -> frozenset[str]:
        return frozenset(names[setting.name].split())

    monkeypatch.setattr(choice, "_known", known_in)
    monkeypatch.setattr(choice, "SETTINGS", {name: JUDGING[name] for name in "ABC"})
    readings["B"] = [reading(JUDGING["READ"])]
    return readings


TARGETS = {"A": "Z W", "B": "Z W R", "C": "S", "READ": "Z"}
JUDGING = {name: setting(name, **dict.fromkeys(targets.split(), "value")) for name, targets in TARGETS.items()}


@pytest.mark.parametrize(
    ("text", "changed", "found"),
    [
        ("Z = X + Y", "", "A B"),
        ("V = X", "", "A B C"),  # another name of W
        ("Z = g(X)", "", "B"),
        ("Z = U", "", "READ"),  # in another convention alone
        ("Z = U + q", "", ""),
        ("Z = U + q", "q", "READ"),
        ("Z = X * q", "q", "A B"),
        ("S = U", "", ""),
        ("q = X\nZ = q", "", "A B"),
        ("Q = X", "", ""),
    ],
)
def test_the_settings_that_know_all_names(text: str, changed: str, found: str, known: Any) -> None:
    settings = choice.fitting(program(text), changed=frozenset(changed.split()))
    assert [each.name for each in settings] == found.split()


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("Z = X + q", "q"),
        ("Z = np.tanh(X) + f(W)", "f"),
        ("Z = X * p", "p"),
        ("for i in range(k):\n    A[i] = X", "k"),
        ("q = X\nZ = q + r", "r"),
    ],
)
def test_names_that_a_setting_lacks(text: str, unknown: str, known: Any) -> None:
    assert choice.unknown_names(program(text), JUDGING["A"]) == frozenset(unknown.split())


def test_penalties_and_names_are_looked_for_without_being_named(known: Any) -> None:
    assert choice.unknown_names(program("Z = p"), JUDGING["A"]) == {"p"}
    assert [each.name for each in choice.fitting(program("Z = p"))] == []


@pytest.mark.parametrize(
    ("text", "name", "lacks"),
    [
        ("Z = X", "A", ""),
        ("R = X + g(q)", "B", "q"),
        ("S = p + q", "C", "q"),
        ("V = q", "A", "q"),
        ("Q = X", "A", "Q"),
    ],
)
def test_the_nearest_setting_lacks_the_fewest_names(text: str, name: str, lacks: str, known: Any) -> None:
    setting, names = choice.nearest_setting(program(text))
    assert (setting.name, names) == (name, frozenset(lacks.split()))


def test_with_the_penalty_only_settings_that_have_one_are_tried() -> None:
    text = program("dW1 = (1/m) * dZ1 @ X.T")
    assert any(not each.penalised for each in choice.fitting(text))
    assert all(each.penalised for each in choice.fitting(text, l2=True))
    assert [each.name for each in choice.fitting(program("dA = dZ * A"), l2=True)]
