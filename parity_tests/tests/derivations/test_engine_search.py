"""What a search for mistakes may spend, which claims a value mends, and the factors that a value may carry."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from parity_tests.derivations.engine import search as module
from parity_tests.derivations.engine.claims import INNER, PARAMETER, UPDATE, VALUE, Claim
from parity_tests.derivations.engine.events import NAMED, Event, Run
from parity_tests.derivations.engine.failing import State
from parity_tests.derivations.engine.search import MOST_EVENTS, MOST_TRIALS, Search
from parity_tests.derivations.engine.truths import Truth

GRADIENT = np.array([1.0, -2.0])


def claim(number: int, kind: str = INNER, factor: float | None = 1.0, old: Any = None) -> Claim:
    """A claim at the place and line of that number."""
    event = Event((number, 0), number, f"v{number}", NAMED, np.zeros(2), None, None)
    before = None if old is None else event._replace(value=old)
    return Claim(event, Truth(event, GRADIENT), factor, kind, (), before)


def state(*failing: Claim, claims: tuple[Claim, ...] = (), problems: Any = ()) -> State:
    """What fails, among some claims."""
    return State(Run((), problems), [*claims, *failing], list(failing), [])


def search(factor: float = 1.0, batch: int | None = 5, *, repeats: bool = False, maximised: bool = False) -> Search:
    """A search in a text of such a batch."""
    program = SimpleNamespace(repeats=repeats)
    truths = SimpleNamespace(program=program, probe=SimpleNamespace(batch=batch), maximised=maximised)
    found = object.__new__(Search)
    found.claims, found.factor = SimpleNamespace(truths=truths, replays=7), factor  # type: ignore[assignment]
    found.trials, found.begun, found.after = 0, 7, None
    found.failures = SimpleNamespace(rate=None, state=lambda overrides: overrides["after"])  # type: ignore[assignment]
    return found


@pytest.fixture(autouse=True)
def _of_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_maximised", lambda truths: truths.maximised)


def test_it_is_over_once_all_trials_or_all_values_are_spent() -> None:
    found = search()
    assert found.spent == 0
    for trials, replays, spent in ((MOST_TRIALS, 7, 1), (0, 7 + MOST_EVENTS, 1), (MOST_TRIALS // 2, 8, 0.5)):
        found.trials, found.claims.replays = trials, replays
        assert found.spent == spent
        assert not found.is_over
    found.trials = MOST_TRIALS + 1
    assert found.is_over


def test_what_is_mended_is_what_fails_no_longer_and_what_breaks_is_said() -> None:
    found = search()
    found.failures.rate = -0.1
    one, two, three = map(claim, (1, 2, 3))
    after: Any = state(two, claims=(one,))
    assert found.mended(state(one, two), {"after": after}) == ({(1, 0)}, False)  # type: ignore[dict-item]
    assert (found.trials, found.after, found.failures.rate) == (1, after, -0.1)
    assert found.mended(state(one), {"after": state(three)}) == ({(1, 0)}, True)  # type: ignore[dict-item]
    assert found.trials == 2


def test_the_rate_is_that_of_the_state_whose_mistakes_are_looked_for() -> None:
    found = search()

    def moved(overrides: Any) -> Any:
        found.failures.rate = -9.0
        return overrides["after"]

    found.failures = SimpleNamespace(rate=-0.5, state=moved)  # type: ignore[assignment]
    found.mended(state(), {"after": state()})  # type: ignore[dict-item]
    assert found.failures.rate == -0.5


@pytest.mark.parametrize(
    ("repeats", "before", "after", "broken"),
    [(True, (), ((1, "no"),), True), (True, ((1, "no"),), ((1, "no"),), False), (False, (), ((1, "no"),), False),
     (True, (), (), False)],
)  # fmt: skip
def test_a_program_that_ends_early_is_broken(repeats: bool, before: Any, after: Any, broken: bool) -> None:
    found, ended = search(repeats=repeats), {"after": state(problems=after)}
    mended = set() if broken else {(1, 0)}
    assert found.mended(state(claim(1), problems=before), ended) == (mended, broken)  # type: ignore[arg-type]


def test_a_claim_is_exact_where_it_was_a_multiple_with_the_last_values() -> None:
    found = search()
    assert not found.is_exact(claim(1))
    found.after = state(claims=(claim(1, factor=2.0), claim(2, factor=None)))
    assert found.is_exact(claim(1, factor=None))
    assert not found.is_exact(claim(2))
    assert not found.is_exact(claim(3))


def test_lines_are_those_that_come_right_with_another() -> None:
    assert Search.lines(state(claim(4), claim(3), claim(2)), {(4, 0), (2, 0)}, 2) == (4,)
    assert Search.lines(state(claim(4), claim(3), claim(2)), {(4, 0), (3, 0)}, 2) == (3, 4)


def test_what_belongs_in_a_place() -> None:
    found = search(3.0)
    assert np.array_equal(found.expected(claim(1)), 3 * GRADIENT)
    found.failures.rate = -0.5
    old = np.array([4.0, 4.0])
    assert np.array_equal(found.expected(claim(1, UPDATE, None, old)), [3.5, 5.0])


@pytest.mark.parametrize(
    ("factor", "common", "maximised", "rate"),
    [(0.3, -0.5, False, -0.3), (-0.3, -0.5, False, -0.5), (None, -0.5, False, -0.5), (-0.3, 0.5, True, 0.3),
     (None, None, False, -0.1), (None, None, True, 0.1), (0.0, -0.5, False, -0.5), (0.0, 0.5, True, 0.5)],
)  # fmt: skip
def test_a_step_has_its_own_rate_where_it_goes_the_wrong_way(
    factor: float | None, common: float | None, maximised: bool, rate: float
) -> None:
    found = search(3.0, maximised=maximised)
    found.failures.rate = common
    assert found.rate(claim(1, UPDATE, factor)) == rate == found.wanted(claim(1, UPDATE, factor))
    assert found.wanted(claim(1, PARAMETER, factor)) == 3.0


def test_the_factors_of_neighbours_come_before_the_usual_ones() -> None:
    known = (claim(1, INNER, 7.0), claim(2, VALUE, 7.0 + 1e-9), claim(3, PARAMETER, 11.0), claim(4, INNER, None))
    assert search(2.0).scales(state(claims=known), claim(5)) == [7.0, 2.0, 10.0, 0.4, -2.0]
    assert search(2.0, None).scales(state(), claim(5)) == [2.0, -2.0]
    many = tuple(claim(number, VALUE, float(number)) for number in range(3, 9))
    assert search().scales(state(claims=many), claim(1)) == [3.0, 4.0, 5.0, 6.0, 7.0, -1.0]


def test_a_search_begins_with_nothing_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "Failures", lambda *told: told)
    claims: Any = SimpleNamespace(replays=3)
    repairs: Any = len
    more: Any = max
    found = Search(claims, 2.0, repairs, more)
    assert (found.claims, found.factor, found.repairs) == (claims, 2.0, repairs)
    told: Any = found.failures
    assert told == (claims, 2.0, more)
    assert (found.trials, found.after, found.begun, found.spent) == (0, None, 3, 0)
