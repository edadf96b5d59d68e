"""What assignments claim to be: derivatives by name and by value, steps of parameters, and what depends on what."""

from __future__ import annotations

import ast
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from parity_tests.derivations.engine.claims import (
    INNER,
    PARAMETER,
    UPDATE,
    VALUE,
    Claim,
    Claims,
    holds_with,
)
from parity_tests.derivations.engine.events import BOUND, ENTRY, GIVEN, NAMED, PART, RETURNED, Event, Missing, Run
from parity_tests.derivations.engine.numbers.kinds import PLAIN
from parity_tests.derivations.engine.numbers.tape import Tape
from parity_tests.derivations.engine.probes import Probe
from parity_tests.derivations.engine.program import TextProgram
from parity_tests.derivations.engine.replay import Round
from parity_tests.derivations.engine.roles import NO_ROLES, Roles, is_parameter
from parity_tests.derivations.engine.truths import ZERO, Truth
from parity_tests.derivations.engine.vanishing import claims_of_zero
from parity_tests.derivations.language.front import read

G_W, G_Z, G_Z2 = np.array([[1.0, 2.0, 4.0]]), np.array([[3.0, -1.0]]), np.array([[5.0, 2.0], [1.0, 3.0]])
OLD_W: Any = np.ones((1, 3))
GIVENS: dict[str, Any] = {"W1": OLD_W, "X": np.ones((3, 2)), "m": 2, "lr": 0.5}
MISSING = Missing("why")
COST = (50, 0)


def event(number: int, name: str, value: Any, role: str = NAMED) -> Event:
    """An assignment."""
    return Event((number, 0), number, name, role, value, None, None)


def stated(text: str, number: int, name: str, value: Any, role: str = BOUND, count: int = 0) -> Event:
    """A value that a statement gives a name, at a place that is reached for the ``count``-th time."""
    return event(number, name, value, role)._replace(statement=ast.parse(text).body[0], key=(number, count))


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


def claims_of(
    *events: Event,
    moved: Any = None,
    steps: Any = None,
    after: Any = None,
    more: tuple[Truth, ...] = (),
    zero: tuple[Truth, ...] = (),
    given: Any = None,
    roles: Roles = NO_ROLES,
    places: Any = None,
    partial: tuple[Any, ...] = (),
    text: str = "",
) -> Claims:
    """The claims of a text with W1, Z1 (twice) and lr on the way to J; ``moved`` is what the program leaves later.

    ``steps`` are the places of known steps, ``after`` that behind which the round of training begins. ``more`` are
    truths before the others, ``zero`` those of what J does not change with, and ``given`` other values of free
    names. ``places`` are those of the free names; ``partial`` are the places of truths in an argument alone.
    """
    calls: list[Any] = []
    if steps is not None and places is None:
        places = {}

    def replay(given: Any, kind: Any, hook: Any) -> Run:
        calls.append((given, kind, hook))
        return Run(tuple(moved or ()), ())

    truths = SimpleNamespace(
        program=SimpleNamespace(run=replay, tree=ast.parse(text)),
        probe=Probe({**GIVENS, **(given or {})}, {}, None, places, steps or {}, roles),
        round=Round(after),
        run=Run((*(truth.event for truth in (*TRUTHS, *zero)), *events), ()),
        cost=SimpleNamespace(key=COST, is_old=False, foreign=frozenset()),
        stepped=[],
        by_key={truth.event.key: truth for truth in TRUTHS},
        vanishing={truth.event.key: truth for truth in zero},
        partial=frozenset(partial),
        undone={},
        sums_examples=False,
        named=lambda: [*more, *TRUTHS],
        distinct=lambda: [*more, OF_W1, TRUTHS[3], TRUTHS[2], TRUTHS[4]],
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
    names = ("dW1", "W1_delta", "Z1_Delta", "Z1_delta", "delta_Z1", "dZ1", "dlr", "other", "W1", "dX", "")
    claims = claims_of(*(event(10 + n, name, 1.0) for n, name in enumerate(names)))
    assert claims.parameters == {"W1"}
    assert claims.names == {"W1", "Z1", "lr", "X"}
    assert claims.meant == {
        **dict.fromkeys(("dW1", "W1_delta"), ("W1",)),
        **dict.fromkeys(("Z1_Delta", "Z1_delta", "delta_Z1", "other", "W1", "Z1", "lr", "X"), ()),
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
        ([event(10, "T", G_W), event(11, "S", 2 * G_W)], [(10, "W1", -1, 1, VALUE), (11, "W1", -1, 2, VALUE)]),
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


def test_what_is_returned_claims_something_where_places_are_known() -> None:
    events = event(10, "", 2 * G_W, RETURNED), event(11, "T", G_W, PART)
    assert found(*events) == []
    assert found(*events, steps={}) == [(10, "W1", -1, 2, VALUE)]


def test_a_label_is_no_truth_that_a_value_is_held_against_and_the_others_are() -> None:
    y = Truth(event(-5, "y", np.ones((1, 3)), GIVEN), G_W * 3)
    assert found(event(10, "T", 2 * G_W), more=(y,)) == [(10, "W1", -1, 2, VALUE)]


def test_a_copy_of_a_forward_value_is_no_claim_though_it_is_a_derivative() -> None:
    H = Truth(event(5, "H", np.full((1, 2), 7.0)), np.full((1, 2), 2.0))
    values = event(10, "T", np.ones((1, 2))), event(11, "S", np.full((1, 2), 4.0))  # Z1 is 1 everywhere
    assert found(*values, more=(H,)) == [(11, "H", 5, 2, VALUE)]


def test_what_is_learned_is_told_by_its_value_and_its_gradient() -> None:
    rates = np.array([0.5, 0.25])
    assert claims_of(given={"lr": rates}).parameters == {"W1", "lr"}
    assert claims_of(given={"W1": 3}).parameters == set()
    H = Truth(event(5, "H", np.full((1, 3), 7.0)), 2 * G_W + 1)  # as many entries as W1
    assert found(event(10, "dH", 2 * G_W + 1), more=(H,)) == [(10, "H", 5, 1, INNER)]
    H = H._replace(gradient=G_W + 1e-12)  # that of W1, up to rounding
    assert found(event(10, "dH", H.gradient), more=(H,)) == [(10, "H", 5, 1, PARAMETER)]
    for gradient, kind in ((G_W + 3e-11, PARAMETER), (G_W + 0.3, INNER), (G_W.T, INNER)):
        H = H._replace(gradient=gradient)
        assert found(event(10, "dH", gradient), more=(H,)) == [(10, "H", 5, 1, kind)]
    assert claims_of(roles=Roles(states=frozenset(("W1",)))).parameters == set()


# --- arguments, labels, and entries in another order


@pytest.mark.parametrize(
    ("value", "claimed"),
    [
        (G_Z, []),  # what came in was what it says, and may go on to another value
        (MISSING, [(11, "Z1", 1, None, INNER)]),
        (G_W, [(11, "Z1", 1, None, INNER)]),
    ],
)
def test_an_argument_may_be_what_its_name_says(value: Any, claimed: list[Any]) -> None:
    assert found(event(10, "dZ1", value, BOUND), event(11, "dZ1", G_Z + 1)) == claimed


@pytest.mark.parametrize(
    ("gradient", "value", "claimed"),
    [
        (3 * G_W, 6 * G_W, (10, "W1", -1, 6, INNER)),  # what the label is compared with is meant
        (np.ones((1, 5)), 2 * np.ones((1, 5)), (10, "y", -5, 2, INNER)),
        (np.ones((1, 5)), np.arange(5.0)[None], (10, "y", -5, None, INNER)),
        (np.ones((1, 3)), 2 * G_W, (10, "y", -5, None, INNER)),
        (-2 * G_Z, G_Z + 1, (10, "Z1", 1, None, INNER)),
        (np.ones((1, 2)), G_Z + 1, (10, "y", -5, None, INNER)),
    ],
)
def test_the_derivative_in_a_label_is_that_in_what_it_is_compared_with(gradient: Any, value: Any, claimed: Any) -> None:
    y = Truth(event(-5, "y", np.ones(np.shape(gradient)), GIVEN), gradient)
    claims = claims_of(event(10, "dy", value), more=(y,))
    (claim,) = claims.of(claims.truths.run, {})
    assert claim.event == event(10, "dy", value)
    assert (10, claim.parameter, claim.truth.event.line, claim.factor, claim.kind) == claimed
    assert claim.others == (() if claim.factor else (claim.truth,))


@pytest.mark.parametrize(
    ("gradient", "name", "value", "claimed"),
    [
        (np.arange(1.0, 5)[:, None], "dZ1", 2, (10, "H", 5, 2, VALUE)),
        (np.arange(1.0, 5)[:, None], "dZ1", [[1.0], [1.0], [1.0], [2.0]], (10, "Z1", 2, None, INNER)),
        (np.arange(1.0, 4)[:, None], "dZ1", 2, (10, "Z1", 2, None, INNER)),
        (np.arange(1.0, 4)[:, None], "dW1", 2, (10, "W1", -1, None, PARAMETER)),
        (np.array([[9.0, 1.0], [1.0, 1.0]]), "dZ1", 2, (10, "Z1", 2, None, INNER)),
        (G_Z[0], "dZ1", 1, (10, "Z1", 1, 1, INNER)),
    ],
)
def test_a_derivative_in_another_order_is_one_of_another_value(
    gradient: Any, name: str, value: Any, claimed: Any
) -> None:
    H = Truth(event(5, "H", np.full(np.shape(gradient), 7.0)), gradient)
    numbers = value * gradient if isinstance(value, int) else np.array(value)
    assert found(event(10, name, numbers), more=(H,)) == [claimed]


def test_a_value_of_the_forward_pass_claims_nothing_unless_it_is_undone() -> None:
    claims = claims_of(event(10, "dW1", 2 * G_W))
    claims.truths.by_key[10, 0] = OF_W1
    assert claims.of(claims.truths.run, {}) == []
    claims.truths.undone[10, 0] = (9, 0)
    claims.of_the_text = None  # kept for a text that stays as it is
    assert len(claims.of(claims.truths.run, {})) == 1


G_H = np.array([[2.0, 3.0, 7.0]])
H = Truth(event(20, "H", np.full((1, 3), 7.0))._replace(function="norm_forward"), G_H)


def test_no_derivative_is_known_before_the_value_that_it_is_in() -> None:
    value = event(10, "T", 2 * G_H)
    assert found(value, H.event, more=(H,)) == []
    assert found(H.event, value, more=(H,)) == [(10, "H", 20, 2, VALUE)]


def test_few_truths_are_left_to_look_at_closely() -> None:
    claims = claims_of(more=(H,))

    def along(value: Any) -> list[str]:
        return [truth.event.name for truth in claims._along(value)]

    assert along(-2 * G_W) == along(1e200 * G_W) == ["W1"]
    assert along(G_H) == ["H"]
    assert along(G_W - G_H) == []
    assert along(0 * G_W) == along(np.full((1, 3), np.inf)) == ["H", "W1"]  # they have no direction
    assert along(G_Z + 1) == ["Z1"]  # one truth is looked at anyway


def test_of_several_numbers_what_a_call_got_is_meant_least() -> None:
    number, again = (Truth(event(line, "b", np.array(0.1)), np.array(float(line))) for line in (5, 6))
    of_b = (number, again)
    assert found(event(10, "db", np.array(3.0)), more=of_b) == [(10, "b", 6, 0.5, INNER)]
    assert found(event(10, "db", np.array(3.0)), more=of_b, places={(5, 0): "b"}) == [(10, "b", 5, 0.6, INNER)]
    arrays = tuple(each._replace(gradient=each.gradient * np.ones(2)) for each in of_b)
    assert found(event(10, "db", np.full(2, 3.0)), more=arrays, places={(5, 0): "b"}) == [(10, "b", 6, 0.5, INNER)]


def test_an_argument_may_be_a_number() -> None:
    number = Truth(event(5, "b", np.array(0.1)), np.array(4.0))
    events = event(10, "dlr", np.array(14.0), BOUND), event(11, "dlr", G_W + 1), event(12, "T", 2 * G_W)
    assert found(*events, more=(number, H)) == [(12, "W1", -1, 2, VALUE)]


@pytest.mark.parametrize(
    ("events", "claimed"),
    [
        ([stated("for i in s: pass", 10, "dW1", 2 * G_W, GIVEN)], [(10, "W1", -1, 2, PARAMETER)]),
        ([event(10, "dW1", 2 * G_W, GIVEN)], []),  # a free name
        ([stated("dW1 = 0", 10, "dW1", 0 * G_W, GIVEN)], []),  # a beginning
        ([stated("dW1 = a", 10, "dW1", MISSING, GIVEN)], []),
        ([stated("T = a", 10, "T", 2 * G_W, GIVEN)], []),
        ([stated("dW1 = a", 10, "dW1", 2 * G_W, PART)], []),
    ],
)
def test_what_depends_on_nothing_may_be_a_derivative_by_its_name(events: list[Event], claimed: list[Any]) -> None:
    assert found(*events, places={}) == claimed
    assert found(*events) == []


# --- functions


@pytest.mark.parametrize(
    ("function", "is_its_own"),
    [("norm_backward", True), ("BackProp_Norm", True), ("dense_backward", False), ("norm_forward", False)],
)
def test_the_derivative_in_an_argument_is_for_the_backward_pass_of_its_own_function(
    function: str, is_its_own: bool
) -> None:
    again = Truth(event(21, "H", np.ones(5)), np.ones(5))

    def inside(*events: Event) -> list[Any]:
        return found(*(each._replace(function=function) for each in events), more=(again, H), partial=((20, 0),))

    assert inside(event(30, "dH", 2 * G_H)) == [(30, "H", 20, 2, INNER) if is_its_own else (30, "H", 21, None, INNER)]
    came_in = inside(event(30, "dH", G_H, BOUND), event(31, "dH", G_Z + 1))
    assert came_in == ([] if is_its_own else [(31, "H", 21, None, INNER)])


TWO_LAYERS = """\
class Norm:
    def forward(self, x):
        self.x = x
class Dense:
    def backward(self, dy):
        return dy
"""


@pytest.mark.parametrize(
    ("statement", "function", "home"),
    [
        (ast.Pass(lineno=1), "forward", ("Norm", "")),
        (ast.Pass(lineno=3), "norm_bwd", ("Norm", "norm")),
        (ast.Pass(lineno=4), "Backward_Norm", ("Dense", "norm")),
        (ast.Pass(lineno=7), "norm", ("", "norm")),
        (ast.Pass(), "norm_grad_of", ("", "norm__of")),
        (None, "_norm_vjp_", ("", "norm")),
    ],
)
def test_a_value_stands_in_a_class_and_in_one_pass_of_a_function(
    statement: Any, function: str, home: tuple[str, str]
) -> None:
    assert claims_of(text=TWO_LAYERS)._home(W1._replace(statement=statement, function=function)) == home


@pytest.mark.parametrize(
    ("one", "is_claimed"),
    [
        (stated("dZ1 = dH", 30, "dZ1", 2 * G_H), True),
        (stated("dZ1 = dW1", 30, "dZ1", 2 * G_W), False),  # no derivative in an argument alone
        (stated("dZ1 = a", 30, "dZ1", G_W + 1), False),
        (stated("dZ1 = a", 30, "dZ1", MISSING), False),
        (stated("for dZ1 in s: pass", 30, "dZ1", 2 * G_H), False),
        (stated("T = dH", 30, "T", 2 * G_H), False),
    ],
)
def test_the_derivative_in_one_use_of_a_value_is_not_that_in_all(one: Event, is_claimed: bool) -> None:
    more: dict[str, Any] = {"more": (H,), "partial": (H.event.key,)}
    own = [(29, "lr", -4, 2, INNER)]
    events = event(29, "dlr", np.array(14.0)), one
    assert found(*events, **more) == own + [(30, "Z1", 2, None, INNER)] * is_claimed
    assert found(*events, **more, overrides={one.key: 1.0}) == own


PARTS = [stated("f()", 10, f"{call}#dW1", part, NAMED, call - 1) for call, part in ((1, G_W - 1), (2, 0 * G_W + 1))]
OF_PARTS = [(10, "W1", -1, None, PARAMETER)] * 2
SUM = event(20, "dW1", G_W)
OF_SUM = (20, "W1", -1, 1, PARAMETER)


@pytest.mark.parametrize(
    ("events", "claimed"),
    [
        ([*PARTS, SUM], [OF_SUM]),
        ([*PARTS], OF_PARTS),
        ([SUM, *PARTS], [OF_SUM, *OF_PARTS]),
        ([PARTS[0], SUM], [OF_PARTS[0], OF_SUM]),  # called once
        ([*PARTS, event(20, "T", G_W)], [*OF_PARTS, (20, "W1", -1, 1, VALUE)]),
        ([*PARTS, event(20, "dZ1", G_Z)], [*OF_PARTS, (20, "Z1", 1, 1, INNER)]),
        ([each._replace(role=ENTRY) for each in PARTS] + [SUM], [*OF_PARTS, OF_SUM]),  # built up where they stand
        ([each._replace(name="W1_grad") for each in PARTS] + [SUM], [OF_PARTS[0], OF_SUM]),  # a loop
        # the last part under the name of the sum claims it
        ([event(9, "dZ1", G_Z), *PARTS, stated("dW1 = f()", 20, "dW1", G_W)], [(9, "Z1", 1, 1, INNER), OF_SUM]),
        ([*PARTS, stated("W1_grad = f()", 19, "W1_grad", G_W), stated("dW1 = f()", 20, "dW1", G_W)], [OF_SUM]),
        ([*PARTS, stated("dW1 = f()", 19, "dW1", G_W), event(20, "W1_grad", G_W)], [OF_SUM]),
        ([*PARTS, stated("f()", 20, "dW1", G_W)], OF_PARTS),
    ],
)  # fmt: skip
def test_a_function_that_is_called_several_times_gives_parts_of_a_sum(events: list[Event], claimed: list[Any]) -> None:
    assert found(*events) == claimed


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every value is computed from Z1."""
    monkeypatch.setattr(Claims, "leads_to", lambda _claims, key, _overrides: {key, Z1.key})


OF_b1, OF_c1 = (
    Truth(event(line, name, np.full(2, 7.0), GIVEN), np.array([5.0, line])) for line, name in ((-5, "b1"), (-6, "c1"))
)
OF_W1_AND_b1 = [(10, "W1", -1, 1, PARAMETER), (30, "W1", -1, 1, VALUE), (30, "b1", -5, None, PARAMETER)]


def returned(text: str, *values: Any, calls: int = 1) -> list[Event]:
    """What a function returns, each time that it is called."""
    first, *_ = events = [stated(f"return {text}", 30, "", each, RETURNED, n) for n, each in enumerate(values * calls)]
    return [each._replace(statement=first.statement) for each in events]


@pytest.mark.usefixtures("followed")
@pytest.mark.parametrize(
    ("events", "claimed"),
    [
        ([event(10, "dW1", G_W), *returned("dW1, s", G_W, np.ones(2))], OF_W1_AND_b1),
        (returned("f(x), s", G_W, np.ones(2)), OF_W1_AND_b1[1:]),
        ([event(10, "dW1", G_W + 1), *returned("dW1, s", G_W + 1, np.ones(2))],
         [(10, "W1", -1, None, PARAMETER), OF_W1_AND_b1[2]]),
        # no gradient is returned beside it, or that of this parameter is there
        ([event(10, "dW1", G_W), *returned("a, s", G_W + 1, np.ones(2))], OF_W1_AND_b1[:1]),
        (returned("f(x), s", G_Z, np.ones(2)), [(30, "Z1", 1, 1, VALUE)]),
        ([event(10, "db1", 2 * OF_b1.gradient), *returned("db1, s", G_Z, np.ones(2))],
         [(10, "b1", -5, 2, PARAMETER), (30, "Z1", 1, 1, VALUE)]),
        # of another shape, missing, a copy, several calls, no tuple
        (returned("f(x), s", G_W, np.ones(5)), OF_W1_AND_b1[1:2]),
        (returned("f(x), s", G_W, MISSING), OF_W1_AND_b1[1:2]),
        (returned("f(x), s", G_W, OF_b1.event.value), OF_W1_AND_b1[1:2]),
        (returned("f(x), s", G_W, np.ones(2), calls=2), OF_W1_AND_b1[1:2] * 2),
        ([*returned("f(x)", G_W), stated("return s", 31, "", np.ones(2), RETURNED)], OF_W1_AND_b1[1:2]),
        (returned("s", np.ones(2)), []),
    ],
)  # fmt: skip
def test_what_is_returned_beside_gradients_is_one(events: list[Event], claimed: list[Any]) -> None:
    more: dict[str, Any] = {"more": (OF_b1,), "given": {"b1": np.ones(2)}}
    assert found(*events, **more, places={}) == claimed
    assert not [each for each in found(*events, **more) if each[0] == 30]


@pytest.mark.usefixtures("followed")
def test_what_is_returned_beside_a_gradient_may_be_that_of_any_of_several_parameters() -> None:
    events = returned("f(x), s", G_W, np.ones(2))
    of_w1, of_b1 = OF_W1_AND_b1[1:]
    for gradient, claimed in ((OF_c1.gradient, [of_w1]), (OF_b1.gradient, [of_w1, of_b1])):
        both = (OF_b1, OF_c1._replace(gradient=gradient))
        assert found(*events, more=both, given={"b1": np.ones(2), "c1": np.ones(2)}, places={}) == claimed
    of_inner = OF_c1._replace(event=OF_c1.event._replace(name="h"))
    assert found(*events, more=(of_inner,), places={}) == [of_w1]  # of what is no parameter
    number = OF_b1._replace(gradient=np.array([5.0]))
    assert found(*returned("f(x), s", G_W, np.ones(1)), more=(number,), given={"b1": 0.5}, places={}) == [of_w1]


@pytest.mark.parametrize("reached", [None, {(30, 1)}, {(30, 1), W1.key}])
def test_what_follows_from_no_value_on_the_way_is_no_gradient(reached: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Claims, "leads_to", lambda *_: reached)
    more: dict[str, Any] = {"more": (OF_b1,), "given": {"b1": np.ones(2)}, "places": {W1.key: "W1"}}
    assert found(*returned("f(x), s", G_W, np.ones(2)), **more) == OF_W1_AND_b1[1:2]


def test_the_claims_of_a_text_are_looked_for_once_and_those_with_other_values_again() -> None:
    claims = claims_of(event(10, "dW1", 2 * G_W))
    first = claims.of(claims.truths.run, {})
    first.clear()  # the caller's own
    claims.truths.run.events[-1].value[:] = 0.0
    (kept,) = claims.of(claims.truths.run, {})
    assert kept.factor == 2
    assert claims.of(claims.truths.run, {(10, 0): G_W}) == []
    again = Run(claims.truths.run.events, ())
    assert [each.factor for each in claims.of(again, {})] != [2]


@pytest.mark.usefixtures("followed")
def test_what_examples_give_one_by_one_claims_nothing_beside_gradients() -> None:
    events = returned("f(x), s", G_W, np.ones(2))
    known = claims_of(*events, more=(OF_b1,), given={"b1": np.ones(2)}, places={})
    known.truths.sums_examples = True  # type: ignore[misc]
    assert len(known.of(known.truths.run, {})) == 1


@pytest.mark.usefixtures("followed")
def test_what_is_put_in_place_of_a_returned_value_is_no_claim() -> None:
    events = returned("f(x), s", G_W, np.ones(2))
    known = claims_of(*events, more=(OF_b1,), given={"b1": np.ones(2)}, places={})
    (_, beside) = known.of(known.truths.run, {})
    assert beside.others == (OF_b1,)
    assert known.of(known.truths.run, {(30, 1): 1.0})[1:] == []
    known.truths.by_key[30, 1] = OF_b1
    known.of_the_text = None
    assert known.of(known.truths.run, {})[1:] == []


# --- what J does not change with


DEAD = Truth(event(3, "D", np.ones((1, 2))), np.zeros((1, 2)))
EMPTY = Truth(event(4, "E", np.ones((1, 0))), np.zeros((1, 0)))
DEAD_b = Truth(event(-5, "b", np.ones((2, 1)), GIVEN), np.zeros((2, 1)))


def zeros(*events: Event, zero: tuple[Truth, ...] = (DEAD, DEAD_b, EMPTY), **more: Any) -> list[Any]:
    """The claims about what J does not change with: line, name of the truth, factor and kind."""
    known = claims_of(*events, zero=zero, **more)
    claims = claims_of_zero(known, known.truths.run)
    assert all(claim.truth in zero for claim in claims)
    return [(each.event.line, each.parameter, each.factor, each.kind) for each in claims]


@pytest.mark.parametrize(
    ("events", "claimed"),
    [
        ([event(10, "dD", np.zeros((1, 2)))], [(10, "D", 1, INNER)]),
        ([event(10, "dD", np.full((1, 2), 1e-3))], [(10, "D", None, INNER)]),
        ([event(10, "dD", np.full((1, 2), 0.9 * ZERO))], [(10, "D", 1, INNER)]),
        ([event(10, "dD", np.array([[0.0, -1.1 * ZERO]]))], [(10, "D", None, INNER)]),
        ([event(10, "dD", np.full((1, 2), ZERO))], [(10, "D", 1, INNER)]),
        ([event(10, "dE", np.zeros((1, 0)))], [(10, "E", 1, INNER)]),
        ([event(10, "dD", np.zeros((2, 1)))], [(10, "D", None, INNER)]),
        ([event(10, "dD", np.ones((1, 2))), event(11, "dD", np.zeros((1, 2)))], [(11, "D", 1, INNER)]),
        ([event(10, "dD", MISSING), event(11, "db", np.zeros((2, 1)))], [(11, "b", 1, INNER)]),
        ([event(10, "", np.zeros((1, 2))), event(11, "T", np.zeros((1, 2)))], []),
        # of what is on the way a delta says nothing, of a parameter it does
        ([event(10, "D_delta", np.zeros((1, 2))), event(11, "b_delta", np.zeros((2, 1)))], [(11, "b", 1, INNER)]),
        ([event(10, "D_Delta", np.zeros((1, 2)))], []),
        # steps
        ([event(10, "b", np.ones((2, 1)))], [(10, "b", 1, UPDATE)]),
        ([event(10, "b", np.ones((2, 1)) + 0.5)], [(10, "b", None, UPDATE)]),
        ([event(10, "b", np.ones((2, 1)) + 0.5), event(11, "b", np.ones((2, 1)) + 0.5)], [(11, "b", 1, UPDATE)]),
        ([event(10, "b", np.ones(2))], []),
        ([event(10, "b", MISSING), event(11, "b", np.ones((2, 1)))], []),
        ([event(10, "dW1", np.zeros((1, 3)))], []),
    ],
)  # fmt: skip
def test_what_j_does_not_change_with_has_the_derivative_zero(events: list[Event], claimed: list[Any]) -> None:
    assert zeros(*events) == claimed


def test_of_what_else_there_are_truths_nothing_is_said_to_be_zero() -> None:
    again = DEAD._replace(event=DEAD.event._replace(name="Z1"))
    part = DEAD._replace(event=DEAD.event._replace(role=PART))
    assert zeros(event(10, "dZ1", np.zeros((1, 2))), zero=(again,)) == []
    assert zeros(event(10, "dD", np.zeros((1, 2))), zero=(part,)) == []
    assert zeros(event(10, "dD", np.zeros((1, 2))), after=(10, 0)) == []
    named = Truth(event(4, "dD", np.zeros((1, 2))), np.zeros((1, 2)))
    assert zeros(zero=(DEAD, named)) == []
    like_z1 = DEAD._replace(event=DEAD.event._replace(name="Z_1"))
    assert zeros(event(10, "dZ1", np.zeros((1, 2))), zero=(like_z1,)) == []
    known = claims_of(event(10, "dD", np.zeros((1, 2))), zero=(DEAD,))
    known.truths.by_key[10, 0] = OF_W1
    assert claims_of_zero(known, known.truths.run) == []


def test_what_calls_give_is_a_part_of_a_sum_that_is_zero() -> None:
    """A bias that two branches share does not change their difference: what each branch gives is not zero."""
    parts = [event(10, "1#db", np.ones((2, 1))), event(11, "2#db", -np.ones((2, 1)))]
    assert zeros(*parts, event(12, "db", np.zeros((2, 1)))) == [(12, "b", 1, INNER)]
    assert zeros(*parts, event(12, "db", np.ones((2, 1)))) == [(12, "b", None, INNER)]
    assert len(zeros(*parts)) == 2


def test_where_places_of_steps_are_known_only_they_are_steps() -> None:
    step = event(10, "b", np.ones((2, 1)))
    assert zeros(step, steps={step.key: DEAD_b.event.key}) == [(10, "b", 1, UPDATE)]
    assert zeros(step, steps={}) == []


def leading_to(text: str, name: str, overrides: Any = None) -> set[str] | None:
    """The names of the values that the last value of a name is computed from."""
    program = TextProgram(read(text))
    given = {"a": np.array([1.0, 2.0]), "b": np.array([3.0, 5.0])}
    run = program.run(given)
    claims = claims_of()
    claims.truths.program, claims.truths.probe = program, Probe(given, {}, None)
    keys = {event.name: event.key for event in run.events if event.name}
    reached = claims.leads_to(keys[name], {keys[each]: value for each, value in (overrides or {}).items()})
    return None if reached is None else {each for each, key in keys.items() if key in reached}


def test_what_a_value_is_computed_from() -> None:
    text = "z = a * 2\ny = b + 1\nx = z * y\nw = x + z\nv = w"
    assert leading_to(text, "z") == {"a", "z"}
    assert leading_to(text, "y") == {"b", "y"}
    assert leading_to(text, "w") == {"a", "b", "z", "y", "x", "w"}
    assert leading_to(text, "x", {"z": np.ones(2)}) == {"b", "z", "y", "x"}  # what is put in its place begins anew
    text = "z = a * 2\nx = z @ b\nw = x * 1"
    assert leading_to(text, "w", {"z": np.array([1, 1])}) == {"b", "z", "x", "w"}
    assert leading_to("z = a * 2\nz += b", "z") == {"a", "b", "z"}
    assert leading_to("k = 3.0\nz = a * k", "k") is None
    assert leading_to("z = np.array([1.0, 2.0])", "z") is None


@pytest.mark.parametrize("begins_anew", [True, False])
def test_a_step_leads_back_to_what_it_was_computed_from(begins_anew: bool) -> None:
    def run(given: Any, kind: Any, hook: Any, until: Any, keep: Any) -> None:
        old = hook((1, 0), Tape(torch.ones(2, dtype=torch.float64)))
        new = Tape(torch.ones(2, dtype=torch.float64))
        new.before = old.tensor * 2 if begins_anew else None
        hook((2, 0), new)

    claims = claims_of()
    claims.truths.program = SimpleNamespace(run=run)
    assert claims.leads_to((2, 0), {}) == ({(1, 0), (2, 0)} if begins_anew else None)


def test_what_was_put_in_place_of_a_value_is_no_claim() -> None:
    events = [event(10, "dW1", 2 * G_W), event(11, "T", G_Z)]
    assert found(*events, overrides={(11, 0): 1.0}) == [(10, "W1", -1, 2, PARAMETER)]
    assert found(*events, overrides={(10, 0): 1.0}) == [(11, "Z1", 1, 1, VALUE)]


def test_a_claim_of_several_truths_keeps_the_others() -> None:
    claims = claims_of(event(10, "dZ1", G_W))
    (claim,) = claims.of(claims.truths.run, {})
    assert [truth.event.line for truth in claim.others] == [1, 2]
    claims = claims_of()
    for own in (event(10, "dZ1", G_Z), event(10, "W1", OLD_W - G_W)):
        (claim,) = claims.of(Run((*(truth.event for truth in TRUTHS), own), ()), {})
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
    ("new", "old", "factor"),
    [
        (MISSING, OLD_W[0, :1], None),
        (OLD_W[0, :1], MISSING, None),
        (MISSING, np.array(1.0), None),
        (OLD_W, OLD_W[0], None),
    ],
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
    assert claims.replays == 0
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


def test_what_changes_with_a_value_is_found_once_where_nothing_of_it_is_put_right() -> None:
    a, b = (event(number, "T", np.array([1.0, 2.0])) for number in (10, 11))
    claims = claims_of(moved=[a._replace(value=np.zeros(2)), b._replace(value=np.zeros(2))])
    calls = claims.truths.calls  # type: ignore[attr-defined]
    given = [Claim(each, OF_W1, 1.0, VALUE) for each in (a, b)]
    rows: list[tuple[dict[Any, Any], int]] = [
        ({(99, 0): 4.0}, 1),
        ({(99, 0): 4.0}, 1),
        ({(99, 0): 4.0, (98, 0): 1.0}, 1),
        ({(99, 0): 4.0, (11, 0): 1.0}, 2),
        ({}, 3),
        ({(97, 0): 4.0}, 3),
    ]
    for overrides, replays in rows:
        assert claims.dependents(claims.truths.run, a, given, overrides) == given[1:]
        assert (len(calls), claims.replays) == (replays, 2 * replays)
    assert claims.dependents(claims.truths.run, b, given, {}) == given[:1]
    assert len(calls) == 4


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
        ("b", np.array([1, 2]), False),
    ],
)
def test_what_a_network_learns(name: str, value: Any, learned: bool) -> None:
    assert is_parameter(name, value) is learned


@pytest.mark.parametrize(("own", "factor", "holds"), [(2.0, 2.0, True), (2.0, -2.0, False), (None, 2.0, False)])
def test_a_claim_holds_with_a_factor(own: float | None, factor: float, holds: bool) -> None:
    assert holds_with(Claim(W1, OF_W1, own, VALUE), factor) is holds


@pytest.mark.parametrize("name", ["grad", "gradient", "dJ", "nabla"])
def test_a_gradient_of_nothing_is_that_of_the_only_parameter(name: str) -> None:
    assert claims_of(event(10, name, 2 * G_W)).meant[name] == ("W1",)
    early = event(9, name, np.ones(2))
    assert claims_of(early, event(10, name, 2 * G_W)).meant[name] == ("W1",)  # what it is in the end counts


@pytest.mark.parametrize(
    "events",
    [
        [event(10, "grad", np.ones(2))],
        [event(10, "grad", MISSING)],
        [event(10, "grad", G_W), event(11, "dW1", G_W)],
        [event(10, "grad", G_W), event(11, "nabla", G_W)],
        [event(10, "grad", G_W), event(11, "nabla", np.ones(2))],
        [event(10, "graded", G_W)],
    ],
)
def test_where_another_may_be_meant_nothing_is(events: list[Event]) -> None:
    assert claims_of(*events).meant.get("grad", ()) == ()


def test_of_several_parameters_that_of_its_shape_is_meant_and_in_a_program_none() -> None:
    several = (OF_b1,)
    assert claims_of(event(10, "grad", G_W), more=several, given={"b1": np.ones(2)}).meant["grad"] == ("W1",)
    assert claims_of(event(10, "grad", G_W), more=several, given={"b1": np.ones(G_W.shape)}).meant["grad"] == ()
    assert claims_of(event(10, "grad", G_W), places={}).meant["grad"] == ()


def local(slope: Any, text: str = "A = Z1 ** 3", **changes: Any) -> bool:
    """Whether a value that is named after A = Z1^3 is its slope in Z1."""
    A = stated(text, 3, "A", Z1.value**3, NAMED)._replace(**changes)
    claims = claims_of(more=(Truth(A, np.full((1, 2), 5.0)),))
    found = [Truth(Z1, np.full((1, 2), 3.0)), Truth(event(2, "Z2", slope), slope)]
    claims.slopes = SimpleNamespace(of=lambda base: found if base is A else [])  # type: ignore[assignment]
    return claims.is_local(Claim(event(10, "dA", slope), Truth(A, np.full((1, 2), 5.0)), None, INNER))


def test_the_slope_of_a_unit_is_no_derivative_of_the_cost() -> None:
    slope = np.full((1, 2), 3.0)
    assert local(slope)
    assert local(slope * (1 + 1e-13))
    assert not local(slope * (1 + 1e-6))
    assert not local(-slope)
    assert not local(np.array([[3.0, 4.0]]))
    assert not local(np.float64(3.0))
    assert not local(MISSING)
    assert not local(slope, "A = Z2 ** 3")
    assert not local(slope, statement=None)
