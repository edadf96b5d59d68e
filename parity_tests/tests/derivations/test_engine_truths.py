"""The truths of a cost: by autograd, confirmed by the complex step, and silent where the two differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch

from parity_tests.derivations.engine.events import BOUND, ENTRY, GIVEN, NAMED, PART, RETURNED, Event, Key, Missing, Run
from parity_tests.derivations.engine.formulas import Hook
from parity_tests.derivations.engine.numbers.kinds import PLAIN, STEP, TAPE, Kind
from parity_tests.derivations.engine.numbers.tensor import Tensor
from parity_tests.derivations.engine.probes import Probe
from parity_tests.derivations.engine.program import TextProgram
from parity_tests.derivations.engine.replay import Round
from parity_tests.derivations.engine.truths import AGREE, AGREE_DIFFERENCES, ZERO, Cost, Truth, Truths
from parity_tests.derivations.language.front import read

GIVENS = {"a": np.array([1.0, 2.0]), "b": np.array([3.0, 5.0]), "n": 2}


class Altered(TextProgram):
    """A program whose runs of some kind have other values at some names."""

    def __init__(self, text: str) -> None:
        super().__init__(read(text))
        self.other: dict[tuple[Kind, str], Any] = {}
        self.calls: list[Any] = []

    def run(
        self,
        given: Mapping[str, Any],
        kind: Kind = PLAIN,
        hook: Hook | None = None,
        until: Key | None = None,
        keep: bool = True,
        capture: Any = None,
    ) -> Run:
        """The run, altered."""
        self.calls.append((kind, until, keep))
        run = super().run(given, kind, hook, until, keep, capture)
        return run._replace(
            events=tuple(
                event._replace(value=self.other[kind, event.name]) if (kind, event.name) in self.other else event
                for event in run.events
            )
        )


def truths_of(text: str, of: Any = None, cost: str = "J", **other: Any) -> Truths:
    """The truths of a text; ``other`` are values of the tape's run that differ from NumPy's."""
    program = Altered(text)
    run = program.run(GIVENS)
    program.other = {(TAPE, name): value for name, value in other.items()}
    key = next(event.key for event in reversed(run.events) if event.name == cost)
    return Truths(program, Probe(GIVENS, {}, None), run, Cost(key, "J", 0, of))


def named(truths: Truths) -> dict[str, Any]:
    """The gradients of values that have a name."""
    return {truth.event.name: np.asarray(truth.gradient).tolist() for truth in truths.named()}


def test_truths_are_derivatives_of_all_values_on_the_way() -> None:
    truths = truths_of("z = a * b\nc = b + 1\nw = 0 * a\nJ = np.sum(z**2) + 0 * np.sum(w)\nd = J * 2")
    assert (truths.problem, truths.differs) == ("", False)
    assert named(truths) == {"a": [18, 100], "b": [6, 40], "z": [6, 20]}
    assert [truth.event.role for truth in truths.named()][:2] == [GIVEN, GIVEN]
    parts = [truth.event for truth in truths.by_key.values() if truth.event.role == PART]
    assert parts
    assert all(truths.by_key[event.key].event == event for event in parts)
    keys = [event.key for event in truths.run.events]
    assert list(truths.by_key) == sorted(truths.by_key, key=keys.index)
    assert truths.cost.key not in truths.by_key
    assert truths.round == Round()
    assert truths.program.calls[1:] == [(TAPE, truths.cost.key, True)]  # type: ignore[attr-defined]


def test_a_derivative_that_is_tiny_is_none() -> None:
    assert named(truths_of("J = np.sum(a * 1.1e-14) + np.sum(b * 0.9e-14)")) == {"a": [1.1e-14, 1.1e-14]}
    truths = truths_of("z = a[2:]\nJ = np.sum(a * 1e-14) + np.sum(b) + np.sum(z)")
    assert named(truths) == {"b": [1, 1]}
    assert {"a", "z"} <= {truth.event.name for truth in truths.vanishing.values()}


def test_a_cost_that_is_not_written_down() -> None:
    def half_of_squares(z: Any, given: Any) -> Any:
        return np.sum(z * given["a"]) / given["n"]

    truths = truths_of("z = a * b\nc = z + 1", half_of_squares, "z")
    assert named(truths) == {"a": [3, 10], "b": [0.5, 2], "z": [0.5, 1]}
    for truth in truths.named():
        assert truths.confirmed(truth)


def test_a_cost_that_depends_on_nothing() -> None:
    for truths in (truths_of("z = a + b\nJ = 3.0"), truths_of("J = np.sum(a)", lambda J, given: 3.0)):
        assert (truths.problem, truths.differs) == ("J does not depend on any value of the text", False)
        assert truths.by_key == {}
    gone = truths_of("J = np.sum(a)")
    with np.errstate(all="ignore"):
        infinite = truths_of("J = np.sum(a / (a - 1))")
    assert (infinite.problem, infinite.differs) == ("J is not finite on the values that are tried", True)
    assert infinite.by_key == {}
    nowhere = Truths(gone.program, gone.probe, gone.run, gone.cost._replace(key=(99, 99)))
    assert (nowhere.problem, nowhere.by_key) == (truths.problem, {})


@pytest.mark.parametrize(
    ("value", "differs"),
    [
        (np.array([3.0, 10.0]), False),
        (np.array([3 + 2.9e-9, 10.0]), False),
        (np.array([3.0, 10 + 1.1e-8]), True),
        (np.array([[3.0, 10.0]]), True),
        (np.array([3.0, np.nan]), True),
        (Missing("not followed"), False),
        (None, False),
    ],
)
def test_other_values_than_numpys_are_no_evidence(value: Any, differs: bool) -> None:
    truths = truths_of("z = a * b\ny = z + 1\nJ = np.sum(z)", z=value)
    assert truths.differs is differs
    assert truths.problem == ("autograd's values are not those that NumPy computes here" if differs else "")
    assert bool(truths.by_key) is not differs


def test_values_that_are_compared_within_their_roundings() -> None:
    text = "e = 0 * a\nz = a * b\nJ = np.sum(z) + np.sum(e)"
    assert not truths_of(text, e=np.array([0.9e-12, 0.0])).differs
    assert truths_of(text, e=np.array([1.1e-12, 0.0])).differs
    assert not truths_of("y = a * np.nan\nJ = np.sum(a)", y=np.full(2, np.nan)).differs
    assert truths_of("y = a + b[7]\nz = a\nJ = np.sum(z)", z=np.zeros(2)).differs  # behind one that is missing
    assert not truths_of("y = a + b[7]\nz = a\nJ = np.sum(z)", y=np.zeros(2)).differs


# --- the second referee


@pytest.mark.parametrize(
    ("place", "direction", "slope"),
    [("a", [1.0, 0.0], 18.0), ("a", [0.0, -2.0], -200.0), ("z", [1.0, 1.0], 26.0), ("b", [1.0, 1.0], 46.0)],
)
def test_slopes_by_the_complex_step(place: str, direction: list[float], slope: float) -> None:
    truths = truths_of("z = a * b\nJ = np.sum(z**2)")
    key = next(event.key for event in truths.run.events if event.name == place)
    assert truths.slope(key, np.array(direction)) == pytest.approx(slope, rel=1e-14)
    assert truths.program.calls[-1] == (STEP, truths.cost.key, False)  # type: ignore[attr-defined]
    truths.cost = truths.cost._replace(of=lambda J, given: np.sum(given["a"]) * J)
    more = {"a": 3 * slope + 109 * sum(direction), "z": 3 * slope, "b": 3 * slope}[place]
    assert truths.slope(key, np.array(direction)) == pytest.approx(more, rel=1e-14)


def test_where_there_is_no_slope() -> None:
    truths = truths_of("z = a * b\nJ = np.sum(z)")
    key = truths.run.events[0].key
    truths.cost = truths.cost._replace(of=lambda J, given: 3.0)
    assert np.isnan(truths.slope(key, np.ones(2)))
    values = iter((1.0, 1 + 2e-9, 1.0, 1 + 0.5e-9))
    for slope in (np.nan, 8.0):
        truths.cost = truths.cost._replace(of=lambda J, given: J * next(values))
        np.testing.assert_allclose(truths.slope(key, np.ones(2)), slope, rtol=1e-8)
    truths.cost = truths.cost._replace(key=(99, 99), of=None)
    assert np.isnan(truths.slope(key, np.ones(2)))


@pytest.mark.parametrize(("off", "sure"), [(0.99 * AGREE, True), (1.01 * AGREE, False), (np.nan, False)])
def test_a_truth_is_confirmed_along_a_direction(off: float, sure: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    truths = truths_of("z = a * b\nJ = np.sum(z**2)")
    calls: list[Any] = []

    def slope(key: Any, direction: Any) -> Any:
        calls.append((key, direction))
        terms = truths.by_key[key].gradient * direction
        return np.sum(terms) + off * np.sum(np.abs(terms))

    monkeypatch.setattr(truths, "slope", slope)
    for truth in truths.named():
        assert truths.confirmed(truth) is truths.confirmed(truth) is truths.sure[truth.event.key] is sure
    assert [key for key, _ in calls] == [truth.event.key for truth in truths.named()]
    directions = [direction.tolist() for _, direction in calls]
    assert all(np.shape(direction) == (2,) for direction in directions)
    assert len({str(direction) for direction in directions}) == 3
    again = truths_of("z = a * b\nJ = np.sum(z**2)")
    monkeypatch.setattr(again, "slope", slope)
    again.confirmed(again.named()[0])
    assert calls[-1][1].tolist() == directions[0]


@pytest.mark.parametrize(("off", "sure"), [(0.99, True), (-1.01, False)])
def test_that_j_does_not_change_is_confirmed_by_what_the_direction_allows(
    off: float, sure: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    truths = truths_of("z = 0 * a\nJ = np.sum(z) + np.sum(b)")
    (truth,) = [each for each in truths.vanishing.values() if each.event.name == "a"]
    monkeypatch.setattr(truths, "slope", lambda key, direction: off * ZERO * np.sum(np.abs(direction)))
    assert truths.confirmed(truth) is sure


# --- where numbers are torch's


X, Z, COST = (1, 0), (2, 0), (3, 0)
AT = np.array([0.3, 0.8])


class OfTorch:
    """A program whose numbers are torch's: J is a function of z = 2 x."""

    def __init__(self, of: Callable[[torch.Tensor], torch.Tensor]) -> None:
        self.of, self.runs, self.asked = of, 0, []  # type: ignore[var-annotated]

    def run(self, given: Any, kind: Kind, hook: Hook, until: Any = None, keep: bool = True) -> Run:
        """The run: its events are what NumPy would compute."""
        self.runs += 1
        x = hook(X, Tensor(torch.tensor(AT)))
        z = hook(Z, Tensor(x.tensor * 2))
        hook(COST, Tensor(self.of(z.tensor)))
        values = {X: AT, Z: 2 * AT, COST: self.of(torch.tensor(2 * AT)).numpy()}
        return Run(tuple(Event(key, 0, "", NAMED, value, None, None) for key, value in values.items()), ())

    def round_of(self, keys: Any) -> Round:
        """The only round there is."""
        self.asked.append(list(keys))
        return Round()


def of_torch(of: Callable[[torch.Tensor], torch.Tensor]) -> tuple[OfTorch, Truths]:
    """Such a program with its truths; the runs are counted from here on."""
    program: Any = OfTorch(of)
    truths = Truths(program, Probe({}, {}, None), program.run({}, PLAIN, lambda key, value: value), Cost(COST, "J", 0))
    assert program.asked == [list(truths.by_key)]
    program.runs = 0
    return program, truths


def test_slopes_of_torchs_numbers_are_differences() -> None:
    program, truths = of_torch(lambda z: torch.sum(z**4))
    assert not truths.by_differences
    direction = np.array([1.0, -2.0])
    for key, slope in ((X, 4 * 16 * AT**3), (Z, 4 * 8 * AT**3)):
        program.runs = 0
        for _ in range(2):
            assert truths.slope(key, direction) == pytest.approx(np.sum(slope * direction), rel=1e-9)
            assert truths.by_differences is True
        assert program.runs == 8 + (key == X)  # once the complex step was tried
    assert all(truths.confirmed(truth) for truth in truths.by_key.values())
    truths.cost = truths.cost._replace(key=(99, 99))
    assert np.isnan(truths.slope(X, direction))


@pytest.mark.parametrize(
    ("of", "off", "runs"),
    [
        (lambda z: torch.sum(z**2), 0.0, 4),
        (lambda z: torch.sum(z**2), 0.9e-7, 4),
        (lambda z: torch.sum(z**2), 1.1e-7, 12),
        (lambda z: torch.sum(torch.sin(300 * z)), 0.0, 8),
        (lambda z: 0 * torch.sum(z), 0.0, 4),
    ],
)
def test_the_nearest_of_three_differences_is_taken(of: Any, off: float, runs: int) -> None:
    program, truths = of_torch(of)
    truth = truths.by_key.get(Z) or truths.vanishing[Z]
    right, terms = np.sum(truth.gradient), np.sum(np.abs(truth.gradient))
    if Z in truths.by_key:
        truths.by_key[Z] = truth._replace(gradient=truth.gradient + off * terms / 2)
    truths.by_differences = True
    assert abs(truths.slope(Z, np.ones(2)) - right) <= 1e-7 * terms
    assert program.runs == runs


@pytest.mark.parametrize(("scale", "size"), [(1.0, "terms"), (1e-4, "J")])
@pytest.mark.parametrize(("off", "sure"), [(0.99, True), (1.01, False)])
def test_what_differences_may_be_off(
    scale: float, size: str, off: float, sure: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, truths = of_torch(lambda z: 3 * scale * torch.sum(z) - (10.0 if size == "J" else 6.6))
    truths.by_differences = True
    truth = truths.by_key[Z]

    def slope(key: Any, direction: Any) -> Any:
        terms = truth.gradient * direction
        allowed = {"terms": np.sum(np.abs(terms)), "J": abs(float(truths.run.events[-1].value))}
        assert allowed[size] == max(allowed.values())
        return np.sum(terms) + off * AGREE_DIFFERENCES * allowed[size]

    monkeypatch.setattr(truths, "slope", slope)
    assert truths.confirmed(truth) is sure


def test_central_differences_are_the_third_referee(monkeypatch: pytest.MonkeyPatch) -> None:
    truths = truths_of("z = a * b\nJ = np.sum(z) * n")
    assert truths.by_central_differences((-1, 0), np.array([1.0, 3.0])) == pytest.approx(2 * (3 + 15), rel=1e-8)
    assert truths.by_central_differences((-3, 0), 1.0) == pytest.approx(13, rel=1e-8)
    truths.cost = truths.cost._replace(key=(99, 99))
    assert np.isnan(truths.by_central_differences((-1, 0), np.ones(2)))
    moved: list[Any] = []

    def cost(kind: Kind, changes: dict[Any, Any]) -> Any:
        ((key, change),) = changes.items()
        moved.append((kind, key, np.asarray(change).tolist()))
        return 7 * change + 100

    monkeypatch.setattr(truths, "_cost_with", cost)
    for direction, size in (([0.5, 0.25], 1e-5), ([-4.0, 2.0], 0.25e-5), ([], 1e-5)):
        moved.clear()
        assert truths.by_central_differences(X, np.array(direction)) == pytest.approx(7 * sum(direction), rel=1e-6)
        assert moved == [(PLAIN, X, [sign * size * each for each in direction]) for sign in (1, -1)]


@pytest.mark.parametrize(
    ("slope", "third", "near"),
    [
        (2.0, 1.0, "autograd"),
        (2.0, 2 + 1.9e-6, "the complex step"),
        (2.0, 2 + 2.1e-6, ""),
        (1.0, 1.0, ""),
        (2.0, 3.0, ""),
    ],
)
def test_where_two_referees_differ_the_third_is_asked(
    slope: float, third: float, near: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    truths = truths_of("z = a * b\nJ = np.sum(z)")
    truth = truths.named()[0]
    asked: list[Any] = []

    def share(key: Any, direction: Any) -> Any:
        asked.append(key)
        return np.sum(truth.gradient * direction)

    monkeypatch.setattr(truths, "slope", lambda key, direction: slope * share(key, direction))
    monkeypatch.setattr(truths, "by_central_differences", lambda key, direction: third * share(key, direction))
    other = {"autograd": "the complex step", "the complex step": "autograd"}.get(near)
    said = f" Central differences agree with {near}, so {other} is wrong here." if near else ""
    assert truths.dispute(truth, "dW") == f"the referees differ on dW: this cannot be told.{said}"
    assert asked == [truth.event.key] * 2


def test_one_truth_for_each_gradient() -> None:
    truths = truths_of("J = np.sum(a)")
    one, other = np.ones(2), np.ones((1, 2))

    def truth(number: int, name: str, role: str, gradient: Any) -> Truth:
        return Truth(Event((number, 0), number, name, role, one, None, None), gradient)

    roles = (PART, RETURNED, BOUND, ENTRY, GIVEN, NAMED)
    for role in roles[1:]:
        given = [truth(number, "z", each, one) for number, each in enumerate(roles[: roles.index(role) + 1])]
        truths.by_key = {each.event.key: each for each in given}
        assert [each.event.role for each in truths.distinct()] == [role]
    given = [
        truth(1, "", PART, one),
        truth(2, "", PART, other),
        truth(3, "z", NAMED, one),
        truth(4, "", NAMED, one * 2),
        truth(5, "x", NAMED, one + 0.4e-10),
    ]
    truths.by_key = {each.event.key: each for each in given}
    assert [each.event.line for each in truths.distinct()] == [3, 4, 2]
    assert [each.event.line for each in truths.named()] == [3, 5]
    truths.by_key[(5, 0)] = truth(5, "x", NAMED, one + 0.6e-10)
    assert [each.event.line for each in truths.distinct()] == [3, 4, 5, 2]


def test_free_names_may_have_places_of_their_own() -> None:
    truths = truths_of("J = np.sum(a * b)")
    assert truths.free_keys() == {(-1, 0): "a", (-2, 0): "b", (-3, 0): "n"}
    truths.probe = truths.probe._replace(places={(7, 1): "a"})
    assert truths.free_keys() == {(7, 1): "a"}
