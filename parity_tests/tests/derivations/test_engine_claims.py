"""What assignments claim to be: derivatives by name and by value, steps of parameters, and what depends on what."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from parity_tests.derivations.engine.claims import (
    INNER,
    PARAMETER,
    UPDATE,
    VALUE,
    Claim,
    Claims,
    holds_with,
    is_parameter,
)
from parity_tests.derivations.engine.events import ENTRY, GIVEN, NAMED, PART, Event, Missing, Run
from parity_tests.derivations.engine.numbers.kinds import PLAIN
from parity_tests.derivations.engine.probes import Probe
from parity_tests.derivations.engine.replay import Round
from parity_tests.derivations.engine.truths import Truth

G_W, G_Z, G_Z2 = np.array([[1.0, 2.0, 4.0]]), np.array([[3.0, -1.0]]), np.array([[5.0, 2.0], [1.0, 3.0]])
OLD_W: Any = np.ones((1, 3))
GIVENS: dict[str, Any] = {"W1": OLD_W, "X": np.ones((3, 2)), "m": 2, "lr": 0.5}
MISSING = Missing("why")
COST = (50, 0)


def event(number: int, name: str, value: Any, role: str = NAMED) -> Event:
    """An assignment."""
    return Event((number, 0), number, name, role, value, None, None)


W1, Z1, Z1_AGAIN, RATE, X = (
    event(-1, "W1", OLD_W, GIVEN),
    event(1, "Z1", np.ones((1, 2))),
    event(2, "Z1", np.ones((2, 2))),
    event(-4, "lr", np.float64(0.5), GIVEN),
    event(-2, "X", GIVENS["X"], GIVEN),
)
OF_W1 = Truth(W1, G_W)
TRUTHS = (
    Truth(X, np.full((3, 2), 9.0)),
    OF_W1,
    Truth(Z1, G_Z),
    Truth(Z1_AGAIN, G_Z2),
    Truth(RATE, np.array(7.0)),
)


def claims_of(*events: Event, moved: Any = None, steps: Any = None, after: Any = None) -> Claims:
    """The claims of a text with W1, Z1 (twice) and lr on the way to J; ``moved`` is what the program leaves later.

    ``steps`` are the places of known steps, ``after`` that behind which the round of training begins.
    """
    calls: list[Any] = []

    def replay(given: Any, kind: Any, hook: Any) -> Run:
        calls.append((given, kind, hook))
        return Run(tuple(moved or ()), ())

    truths = SimpleNamespace(
        program=SimpleNamespace(run=replay),
        probe=Probe(GIVENS, {}, None, None if steps is None else {}, steps or {}),
        round=Round(after),
        run=Run((*(truth.event for truth in TRUTHS), *events), ()),
        cost=SimpleNamespace(key=COST),
        by_key={truth.event.key: truth for truth in TRUTHS},
        named=lambda: list(TRUTHS),
        distinct=lambda: [OF_W1, TRUTHS[3], TRUTHS[2], TRUTHS[4]],
        calls=calls,
    )
    return Claims(truths)  # type: ignore[arg-type]


def found(*events: Event, overrides: Any = None, **more: Any) -> list[Any]:
    """The claims in short: number of the line, name and place of the truth, factor, kind."""
    claims = claims_of(*events, **more)
    return [
        (each.event.line, each.parameter, each.truth.event.line, each.factor, each.kind)
        for each in claims.of(claims.truths.run, overrides or {})
    ]


def test_names_mean_derivatives() -> None:
    names = ("dW1", "W1_delta", "Z1_Delta", "dZ1", "dlr", "other", "W1", "dX", "")
    claims = claims_of(*(event(10 + n, name, 1.0) for n, name in enumerate(names)))
    assert claims.parameters == {"W1"}
    assert claims.names == {"W1", "Z1", "lr", "X"}
    assert claims.meant == {
        **dict.fromkeys(("dW1", "W1_delta"), ("W1",)),
        **dict.fromkeys(("Z1_Delta", "other", "W1", "Z1", "lr", "X"), ()),
        "dZ1": ("Z1",),
        "dlr": ("lr",),
        "dX": ("X",),
    }
    assert {shape: [truth.event.line for truth in truths] for shape, truths in claims.by_shape.items()} == {
        (1, 3): [-1],
        (2, 2): [2],
        (1, 2): [1],
        (): [-4],
    }


@pytest.mark.parametrize(
    ("events", "claimed"),
    [
        # of a parameter the last value under the name counts
        ([event(10, "dW1", 2 * G_W)], [(10, "W1", -1, 2, PARAMETER)]),
        (
            [event(10, "dW1", 2 * G_W), event(11, "dW1", G_W + 1)],
            [(10, "W1", -1, 2, VALUE), (11, "W1", -1, None, PARAMETER)],
        ),
        ([event(10, "dW1", G_W + 1), event(11, "dW1", 3 * G_W, ENTRY)], [(11, "W1", -1, 3, PARAMETER)]),
        ([event(10, "dW1", MISSING)], [(10, "W1", -1, None, PARAMETER)]),
        # of a value on the way each that is a derivative, the last of its truths first
        ([event(10, "dZ1", -G_Z)], [(10, "Z1", 1, -1, INNER)]),
        ([event(10, "dZ1", G_Z2), event(11, "dZ1", 2 * G_Z)], [(10, "Z1", 2, 1, INNER), (11, "Z1", 1, 2, INNER)]),
        ([event(10, "dZ1", G_Z), event(11, "dZ1", G_Z + 1)], [(10, "Z1", 1, 1, INNER)]),  # it goes on to another value
        ([event(10, "dZ1", G_Z), event(11, "dZ1", MISSING)], [(10, "Z1", 1, 1, INNER)]),
        ([event(10, "dZ1", G_Z), event(11, "dZ1", G_W)], [(10, "Z1", 1, 1, INNER), (11, "W1", -1, 1, VALUE)]),
        ([event(10, "dZ1", G_Z + 1)], [(10, "Z1", 1, None, INNER)]),
        ([event(10, "dZ1", G_Z2 + 1)], [(10, "Z1", 2, None, INNER)]),
        ([event(10, "dZ1", G_Z + 1), event(11, "dZ1", G_Z)], [(11, "Z1", 1, 1, INNER)]),
        ([event(10, "dZ1", G_W[0])], [(10, "Z1", 2, None, INNER)]),
        ([event(10, "dlr", np.array(14.0))], [(10, "lr", -4, 2, INNER)]),
        # without such a name, by the value
        ([event(10, "T", -2 * G_W)], [(10, "W1", -1, -2, VALUE)]),
        ([event(10, "T", 4 * G_Z, ENTRY)], [(10, "Z1", 1, 4, VALUE)]),
        ([event(10, "T", G_W, PART), event(11, "", G_W), event(12, "T", MISSING)], []),
        ([event(10, "T", 0 * G_W), event(11, "T", np.array(7.0)), event(12, "T", G_W.T), event(13, "T", G_W + 1)], []),
        ([event(50, "T", G_W)], []),  # J itself
        # a parameter takes a step
        ([event(10, "W1", OLD_W - 0.5 * G_W)], [(10, "W1", -1, -0.5, UPDATE)]),
        ([event(10, "W1", OLD_W + 1.0)], [(10, "W1", -1, None, UPDATE)]),
        ([event(10, "W1", np.ones(3))], [(10, "W1", -1, None, UPDATE)]),
        (
            [event(10, "W1", MISSING), event(11, "W1", OLD_W - G_W)],
            [(10, "W1", -1, None, UPDATE), (11, "W1", -1, -1, UPDATE)],
        ),
        (
            [event(10, "W1", OLD_W - G_W), event(11, "W1", OLD_W - 3 * G_W)],
            [(10, "W1", -1, -1, UPDATE), (11, "W1", -1, -2, UPDATE)],
        ),
    ],
)  # fmt: skip
def test_what_assignments_claim(events: list[Event], claimed: list[Any]) -> None:
    assert found(*events) == claimed


def test_what_was_put_in_place_of_a_value_is_no_claim() -> None:
    events = [event(10, "dW1", 2 * G_W), event(11, "T", G_Z)]
    assert found(*events, overrides={(11, 0): 1.0}) == [(10, "W1", -1, 2, PARAMETER)]
    assert found(*events, overrides={(10, 0): 1.0}) == [(11, "Z1", 1, 1, VALUE)]


def test_a_claim_of_several_truths_keeps_the_others() -> None:
    claims = claims_of(event(10, "dZ1", G_W))
    (claim,) = claims.of(claims.truths.run, {})
    assert [truth.event.line for truth in claim.others] == [1, 2]
    (claim,) = claims_of(event(10, "dZ1", G_Z)).of(Run((event(10, "dZ1", G_Z),), ()), {})
    assert claim.others == ()


def test_a_step_may_be_rounded_more_coarsely() -> None:
    for far, factor in ((0.9e-7, -4.0), (1.1e-7, None)):
        step = -4 * G_W + [[4 * 4 * far, 0, 0]]
        claims = claims_of()
        (claim,) = claims.of(Run((event(9, "W1", 0 * G_W, GIVEN), event(10, "W1", step)), ()), {})
        assert (claim.factor, claim.kind) == (factor, UPDATE)


def test_a_parameter_without_a_value_before_takes_no_step() -> None:
    claims = claims_of()
    assert claims.of(Run((event(10, "W1", G_W),), ()), {}) == []
    claims.named = [truth for truth in claims.named if truth.event.role != GIVEN]
    assert claims.of(Run((event(10, "W1", G_W), event(11, "W1", G_W)), ()), {}) == []


def test_steps_at_known_places() -> None:
    step, other = event(10, "layer.W", OLD_W - 3 * G_W), event(11, "W1", OLD_W - G_W)
    assert found(step, other, steps={step.key: W1.key}) == [(10, "W1", -1, -3, UPDATE)]
    claims = claims_of(step, steps={step.key: W1.key})
    (claim,) = claims.of(claims.truths.run, {})
    assert claim.old == W1
    assert found(step, steps={step.key: (77, 0)}) == []
    assert found(step._replace(value=4 * G_W), steps={(12, 0): W1.key}) == [(10, "W1", -1, 4, VALUE)]


@pytest.mark.parametrize(
    ("new", "old", "factor"), [(MISSING, OLD_W[0, :1], None), (OLD_W[0, :1], MISSING, None), (OLD_W, OLD_W[0], None)]
)
def test_a_step_between_values_that_are_not_there(new: Any, old: Any, factor: float | None) -> None:
    before = event(9, "W1", old)
    assert Claims._step(event(10, "W1", new), before, OF_W1) == Claim(
        event(10, "W1", new), OF_W1, None, UPDATE, (), before
    )


def test_only_the_round_of_the_forward_pass_is_looked_at() -> None:
    events = (event(10, "dW1", 2 * G_W), event(11, "dZ1", G_Z))
    assert found(*events, after=(10, 0)) == [(11, "Z1", 1, 1, INNER)]


def test_a_name_whose_symbol_is_not_there_claims_nothing() -> None:
    claims = claims_of(event(10, "dZ1", G_Z + 1))
    claims.named = [truth for truth in claims.named if truth.event.name != "Z1"]
    assert claims.of(claims.truths.run, {}) == []


# --- replaying


def test_values_are_put_behind_places() -> None:
    claims = claims_of()
    calls = claims.truths.calls  # type: ignore[attr-defined]
    assert claims.replayed({}) is claims.truths.run
    assert calls == []
    claims.replayed({(3, 0): 5})
    ((given, kind, hook),) = calls
    assert (given, kind) == (GIVENS, PLAIN)
    assert (hook((3, 0), "old"), hook((3, 0), "old").dtype) == (5, np.float64)
    assert hook((4, 0), "old") == "old"


def test_claims_that_change_with_another_depend_on_it() -> None:
    a, b, c, d, e, f = (event(number, "T", np.array([1.0, 2.0])) for number in range(10, 16))
    moved = [
        a._replace(value=np.array([0.0, 0.0])),
        b,
        c._replace(value=np.array([1.0, 3.0])),
        d._replace(value=np.ones((1, 2)) * [1.0, 2.0]),
        e._replace(value=MISSING),
    ]
    claims = claims_of(moved=moved)
    given = [Claim(each, OF_W1, 1.0, VALUE) for each in (a, b, c, d, e, f)]
    assert [claim.event.line for claim in claims.dependents(claims.truths.run, a, given, {(99, 0): 4.0})] == [
        12,
        13,
        14,
        15,
    ]
    ((_, _, hook),) = claims.truths.calls  # type: ignore[attr-defined]
    np.testing.assert_allclose(hook((10, 0), None), [1.37 + 0.011, 2 * 1.37 + 0.011], rtol=1e-15)
    assert hook((99, 0), None) == 4
    gone = [Claim(each._replace(value=MISSING), OF_W1, None, VALUE) for each in (a, c)]
    assert claims_of(moved=[a, c]).dependents(claims.truths.run, b, [*gone, given[1]], {}) == gone
    first = gone[0].event
    assert claims.dependents(claims.truths.run, first, [*gone, given[1]], {}) == gone[1:]


@pytest.mark.parametrize(
    ("name", "value", "learned"),
    [
        ("W1", np.ones((2, 3)), True),
        ("b", 0.5, True),
        ("params['w']", 0.5, True),
        ("lr", 0.5, False),
        ("params['lr']", 0.5, False),
        ("lr", np.ones(2), True),
        ("X", np.ones((2, 3)), False),
        ("y", np.ones(3), False),
        ("b", 3, False),
    ],
)
def test_what_a_network_learns(name: str, value: Any, learned: bool) -> None:
    assert is_parameter(name, value) is learned


@pytest.mark.parametrize(("own", "factor", "holds"), [(2.0, 2.0, True), (2.0, -2.0, False), (None, 2.0, False)])
def test_a_claim_holds_with_a_factor(own: float | None, factor: float, holds: bool) -> None:
    assert holds_with(Claim(W1, OF_W1, own, VALUE), factor) is holds
