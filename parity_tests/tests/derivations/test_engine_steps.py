"""Steps: whether J is to become large, which way a step goes, what it is made of, and what scales it."""

from __future__ import annotations

import ast
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from parity_tests.derivations.engine.claims import PARAMETER, UPDATE, Claim, Claims, mark_of
from parity_tests.derivations.engine.events import RETURNED, Event, Key, Missing
from parity_tests.derivations.engine.probes import Probe
from parity_tests.derivations.engine.program import TextProgram
from parity_tests.derivations.engine.roles import Roles
from parity_tests.derivations.engine.steps import (
    Made,
    Sources,
    added_name,
    direction,
    from_rest,
    gradients_of,
    is_clipped,
    is_maximised,
    rates_in,
)
from parity_tests.derivations.engine.truths import Cost, Truths
from parity_tests.derivations.language.front import read

GIVEN: dict[str, Any] = {
    "w": np.array([0.5, -0.25]), "b": np.array([0.3, 0.7]), "x": np.array([1.0, 3.0]), "p": np.array([0.2, 0.6]),
    "q": np.array([1.5, 2.5]), "y": np.array([1.0, 0.0]), "v": np.array([0.4, -0.6]), "m": 2, "lr": 0.5,
}  # fmt: skip
MISSING = Missing("why")


def truths_of(text: str, name: str = "J", said: str = "J", states: str = "") -> Truths:
    """The truths of a text whose cost is the last value of a name."""
    program = TextProgram(read(text))
    run = program.run(GIVEN)
    key = next(event.key for event in reversed(run.events) if event.name == name)
    probe = Probe(GIVEN, {}, None, roles=Roles(states=frozenset(states.split())))
    return Truths(program, probe, run, Cost(key, said, 0))


# --- uphill or downhill


@pytest.mark.parametrize(
    ("said", "maximised"),
    [
        ("log_likelihood", True), ("ll", True), ("loglik", True), ("log_p", True), ("Reward", True), ("elbo", True),
        ("neg_log_likelihood", False), ("minus_reward", False), ("nll_likelihood", False), ("fell", False),
    ],
)  # fmt: skip
def test_a_name_says_whether_j_is_to_become_large(said: str, maximised: bool) -> None:
    assert is_maximised(truths_of("J = np.sum(x)", said=said)) is maximised


@pytest.mark.parametrize(
    ("text", "maximised"),
    [
        ("J = np.sum(np.log(p))", True),
        ("J = -np.sum(np.log(p))", False),
        ("J = np.sum(y * np.log(p) + (1 - y) * np.log(1 - p)) / m", True),
        ("J = np.sum(y * np.log(p) - (1 - y) * np.log(1 - p)) / m", False),
        ("J = -1 * np.sum(np.log(p))", False),
        ("J = -1.0 / m * np.sum(np.log(p))", False),
        ("J = -(1 / m) * -np.sum(np.log(p))", True),
        ("J = np.sum(np.log(p)) / -m", False),
        ("J = np.sum(np.log(p)) * (-1 * m)", False),
        ("J = 0 - np.sum(np.log(p))", False),
        ("J = 1 * np.sum(np.log(p)) - 3", True),
        ("J = np.sum(np.log(q))", False),  # no probabilities
        ("J = np.sum(np.log(p)) + np.sum(np.log(q))", False),
        ("J = np.sum(p**2)", False),
    ],
)  # fmt: skip
def test_logarithms_of_probabilities_that_are_added_up_are_climbed(text: str, maximised: bool) -> None:
    assert is_maximised(truths_of(text)) is maximised


@pytest.mark.parametrize("name", ["loss", "total_cost", "Err", "nll", "energy", "risk"])
def test_a_loss_is_not_climbed(name: str) -> None:
    assert not is_maximised(truths_of(f"{name} = np.sum(np.log(p))", name))


def test_a_cost_that_is_nowhere_is_not_climbed() -> None:
    truths = truths_of("J = np.sum(np.log(p))")
    truths.cost = truths.cost._replace(key=(99, 99))
    assert not is_maximised(truths)


def test_of_a_function_what_it_returns_as_a_number_counts() -> None:
    node = ast.parse("np.sum(np.log(p))", mode="eval").body
    call = ast.parse("J = score(p)").body[0]
    here = Event((1, 0), 1, "J", "named", np.float64(-3.0), call, None)
    log = Event((2, 0), 1, "", "part", np.array([-1.0, -2.0]), None, node.args[0])  # type: ignore[attr-defined]
    back = Event((3, 0), 1, "", RETURNED, np.float64(-3.0), None, node, "score")
    for more, maximised in (
        ((back,), True),
        ((back._replace(value=np.ones(2)),), False),
        ((back._replace(value=MISSING),), False),
        ((back._replace(role="part"),), False),
        ((back._replace(function="other"),), False),
        ((log._replace(value=MISSING), back), True),
        ((log._replace(value=np.array([-1.0, 0.0])), back), False),
    ):
        run = SimpleNamespace(events=(here, log, *more))
        truths: Any = SimpleNamespace(cost=Cost((1, 0), "J", 0), run=run)
        assert is_maximised(truths) is maximised
        in_a_loss = SimpleNamespace(events=(here._replace(function="the_loss"), log, *more))
        assert not is_maximised(SimpleNamespace(cost=truths.cost, run=in_a_loss))  # type: ignore[arg-type]


def claims_of(text: str, states: str = "") -> tuple[Claims, dict[str, Claim]]:
    """The claims of a text, and of these the last of each name."""
    claims = Claims(truths_of(text, states=states))
    return claims, {claim.event.name: claim for claim in claims.of(claims.truths.run, {})}


TEXT = "z = w * x + b\nJ = np.sum(z**2)\ndz = 2 * z\ndw = dz * x\ndb = dz\n"


@pytest.mark.parametrize(
    ("step", "sign"),
    [("w - lr * dw", -1), ("w + lr * dw", 1), ("w - lr * dw / (1 + dw**2)", -1), ("w + 0.1 * db", 1), ("w * 1", 0)],
)
def test_which_way_a_step_goes(step: str, sign: int) -> None:
    claim = claims_of(f"{TEXT}w = {step}")[1]["w"]
    assert direction(claim) == sign


def test_a_step_that_is_not_there_goes_nowhere() -> None:
    claim = claims_of(f"{TEXT}w = w - 0.1 * db")[1]["w"]
    assert claim.factor is None
    assert claim.old is not None
    assert direction(claim) == -1
    for other in (
        claim._replace(old=None),
        claim._replace(old=claim.old._replace(value=MISSING)),
        claim._replace(event=claim.event._replace(value=MISSING)),
        claim._replace(event=claim.event._replace(value=np.ones((1, 2)))),
    ):
        assert direction(other) == 0
    column = claim._replace(truth=claim.truth._replace(gradient=claim.truth.gradient[:, None]))
    assert direction(column) == -1


STATEFUL = f"{TEXT}v = 0.9 * v + 0.1 * dw\n"


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        (f"{STATEFUL}w = w - lr * v", -1),
        (f"{STATEFUL}w = w + lr * v", 1),
        (f"{TEXT}w = w - lr * v", 0),  # the state is 0
        (f"{TEXT.replace('+ b', '+ v')}w = w - lr * dw", 0),  # J depends on it
    ],
)
def test_the_first_step_of_an_optimiser(text: str, sign: int) -> None:
    claims, found = claims_of(text, states="v")
    assert from_rest(claims, found["w"], {}) == sign


def test_from_rest_with_values_that_were_put_right() -> None:
    claims, found = claims_of(f"{STATEFUL}w = w - lr * v", states="v")
    (key,) = [event.key for event in claims.truths.run.events if event.name == "dw"]
    assert from_rest(claims, found["w"], {key: -claims.truths.by_key[-1, 0].gradient}) == 1
    assert from_rest(claims, found["w"]._replace(old=None), {}) == 0
    gone = found["w"].event._replace(key=(99, 0))
    assert from_rest(claims, found["w"]._replace(event=gone), {}) == 0
    assert from_rest(claims, found["w"]._replace(old=gone), {}) == 0
    column = found["w"].truth.gradient[:, None]
    assert from_rest(claims, found["w"]._replace(truth=found["w"].truth._replace(gradient=column)), {}) == -1


@pytest.mark.parametrize(
    ("value", "clipped"),
    [
        ([1.0, -1.0, 0.5], True),
        ([1.0, -1.0, 0.6], False),
        ([1.0, 1.0, 0.5], False),
        ([2.0, -3.0, 0.5], False),  # nothing is cut
        ([0.5, -0.5, 0.5], True),
        ([1.0, -1.0], False),
        ([1.0, -1.0, 0.5 * (1 + 2e-9)], False),
        ([1.0, -1.0, 0.5 * (1 + 0.5e-9)], True),
        ([3.0 / (1 + 0.5e-9), -3.0 / (1 + 0.5e-9), 0.5], False),
    ],
)
def test_entries_that_are_cut_off_at_a_bound(value: list[float], clipped: bool) -> None:
    assert is_clipped(np.array(value), np.array([2.0, -3.0, 0.5])) is clipped
    assert not is_clipped(np.ones(0), np.ones(0))


@pytest.mark.parametrize(
    ("step", "rates"),
    [
        ("W = W - lr * dW", {"lr"}),
        ("W -= 0.1 * dW", {"0.1"}),
        ("W = W - self.lr * dW / 2", {"self.lr"}),
        ("W = W - opts['alpha'] * dW * eta", {"opts['alpha']", "eta"}),
        ("W = W - step(dW, axis=0.5) * 0.2", {"step", "0.2"}),
        ("W = W - dW * m", set()),
        ("W = W - params['W'][0.25] * b[k_eta]", {"0.25", "b[k_eta]", "k_eta"}),
    ],
)
def test_the_rates_of_a_step(step: str, rates: set[str]) -> None:
    assert rates_in(ast.parse(step).body[0]) == rates
    assert rates_in(None) == frozenset()


@pytest.mark.parametrize(
    ("step", "name"),
    [("W += v", "v"), ("W -= self.v", "self.v"), ("W += v['W']", "v['W']"), ("W += 2 * v", ""), ("W = v", "")],
)
def test_the_name_that_a_step_adds(step: str, name: str) -> None:
    assert added_name(ast.parse(step).body[0]) == name
    assert added_name(None) == ""


# --- what a step is made of


def key_of(claims: Claims, name: str) -> Key:
    """The place of the last value of a name."""
    return [event.key for event in claims.truths.run.events if event.name == name][-1]


def made(text: str, states: str = "", **right: Any) -> Made | None:
    """What the step of w is made of, with other values in the place of some names."""
    claims, found = claims_of(text, states)
    overrides = {key_of(claims, name): value for name, value in right.items()}
    run = claims.replayed(overrides)
    places = gradients_of(claims, run, claims.of(run, overrides), overrides.keys())
    return Sources(claims, {found["w"].event.key}, places, overrides).of(found["w"])


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (f"{TEXT}w = w - lr * dw", Made(True, False, False, False)),
        (f"{TEXT}w = w - lr * db", Made(False, True, False, False)),
        (f"{TEXT}w = w - lr * (dw + db)", Made(True, True, False, False)),
        (f"{TEXT}w = w - lr * (2 * z * x)", Made(True, False, False, False)),  # inside of a formula
        (f"{TEXT}w = w - lr * z", Made(False, True, False, False)),  # half of db
        (f"{TEXT}w = w - lr * v", Made(False, False, True, False)),
        (f"{STATEFUL}w = w - lr * v", Made(True, False, True, False)),
        (f"{TEXT}w = w - lr * dw * x", Made(True, False, False, True)),
        (f"{TEXT}w = w - lr * x", Made(False, False, False, True)),
        (f"{TEXT}w = w - 0 * dw", Made(False, False, False, False)),
        (f"{TEXT}w = x * 1.5", Made(False, False, False, True)),
    ],
)
def test_what_a_step_is_made_of(text: str, parts: Made) -> None:
    assert made(text) == parts


def test_what_was_put_right_is_a_part_of_a_step() -> None:
    text = f"{TEXT.replace('dw = dz * x', 'dw = dz + x')}w = w - lr * dw"
    claims, _ = claims_of(text)
    right = claims.truths.by_key[-1, 0].gradient
    assert made(text) == Made(True, False, False, False)  # by its name
    assert made(text, dw=right) == Made(True, False, False, False)
    assert made(text, dw=right + 1) == Made(False, False, False, True)


def test_a_step_that_autograd_cannot_follow() -> None:
    claims, found = claims_of(f"{TEXT}w = w - lr * dw")
    gone = found["w"]._replace(event=found["w"].event._replace(key=(99, 0)))
    sources = Sources(claims, {found["w"].event.key}, {}, {})
    assert sources.of(gone) is None
    assert sources.of(found["w"]) is not None


def test_the_places_of_gradients() -> None:
    claims, found = claims_of(f"{TEXT}h = 3 * z * x\nw = w - lr * dw")
    run = claims.truths.run
    places = gradients_of(claims, run, list(found.values()))
    of_w, of_b = (mark_of(claims.truths.by_key[-1 - n, 0]) for n in (0, 1))
    assert {name: places.get(key_of(claims, name)) for name in ("dw", "db", "dz", "h", "w", "z")} == {
        "dw": of_w, "db": of_b, "dz": of_b, "h": of_w, "w": None, "z": None,
    }  # fmt: skip
    assert found["dw"].kind == PARAMETER
    assert found["w"].kind == UPDATE
    parts = {event.key for event in run.events if event.role == "part"}
    assert len(parts & places.keys()) >= 2
    few = gradients_of(claims, run, [])
    assert few.keys() == parts & places.keys()
    key = key_of(claims, "h")
    assert gradients_of(claims, run, [], {key})[key] == of_w
