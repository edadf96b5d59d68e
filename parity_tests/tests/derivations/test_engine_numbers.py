"""Two kinds of numbers that share nothing agree on random programs; a wrong rule in either is seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from parity_tests.derivations.engine.numbers import step, tape
from parity_tests.derivations.engine.numbers.errors import NotFollowed
from parity_tests.derivations.engine.numbers.kinds import KINDS, STEP, TAPE, Kind, plain
from parity_tests.derivations.engine.numbers.tape import Tape
from parity_tests.derivations.engine.probes import Probe
from parity_tests.derivations.engine.program import TextProgram
from parity_tests.derivations.engine.truths import Cost, Truths
from parity_tests.derivations.language.front import read
from parity_tests.derivations.settings import setting_named
from parity_tests.derivations.verdicts import CANNOT_TELL, WRONG
from parity_tests.derivations.verify import verify
from parity_tests.tests.derivations.engine_texts import all_texts
from parity_tests.tests.derivations.verdicts import of_text
from parity_tests.tests.random_arrays import random_program
from parity_tests.tests.slices import sliced

LARGEST = 1e4
"""Values of random programs that are compared: beyond, cancellation says more than the rules do."""

SATURATED = 4 * np.finfo(np.float64).eps
"""What rounding leaves of the slope of a tanh near 1: autograd's 1 - tanh^2 takes it from the rounded value."""


SATURATED_PROGRAMS = (10478, 11796)
"""Random programs in which a tanh is so near 1 that its slope has few digits left."""


def truths_of(text: str, seed: int) -> Truths:
    program = TextProgram(read(text))
    draws = np.random.default_rng(seed)
    probe = Probe({"A": draws.standard_normal((3, 4)), "B": draws.standard_normal((3, 4))}, {}, None)
    run = program.run(probe.given)
    assert run.problems == (), text
    key = next(event.key for event in reversed(run.events) if event.name == "J")
    return Truths(program, probe, run, Cost(key, "J", 0))


def through(text: str, seed: int, name: str) -> Any:
    """dJ in A or B where every tanh lets all through."""
    open_ = text.replace("np.tanh(", "(")
    return next((each.gradient for each in truths_of(open_, seed).by_key.values() if each.event.name == name), 0.0)


def compare_entries(seed: int) -> int:
    """Compares dJ/dA and dJ/dB of one random program entry by entry.

    The number of entries; a program that J hardly feels, or whose values come near overflow, has none.
    """
    text = random_program(np.random.default_rng(seed))
    truths = truths_of(text, seed)
    entries = 0
    if any(np.max(np.abs(event.value), initial=0.0) > LARGEST for event in truths.run.events):
        return 0
    assert truths.problem == "", text
    for truth in truths.by_key.values():
        if truth.event.name not in ("A", "B"):
            continue
        found = np.zeros((3, 4))
        for place in np.ndindex(3, 4):
            direction = np.zeros((3, 4))
            direction[place] = 1.0
            found[place] = truths.slope(truth.event.key, direction)
            entries += 1
        rounding = 1e-12 * np.abs(truth.gradient).max() + SATURATED * np.abs(through(text, seed, truth.event.name))
        np.testing.assert_array_less(np.abs(found - truth.gradient), 1e-10 * np.abs(found) + rounding + 1e-300, text)
    return entries


@pytest.mark.slow
def test_random_programs_have_the_same_derivatives_in_both_kinds() -> None:
    assert sum(compare_entries(seed) for seed in (*range(40), *SATURATED_PROGRAMS)) > 600


@pytest.mark.bars
def test_twenty_thousand_random_programs_have_the_same_derivatives_in_both_kinds() -> None:
    assert sum(compare_entries(seed) for seed in range(100, 20_100)) > 350_000


@pytest.mark.parametrize(
    ("formula", "slope"),
    [
        ("np.logaddexp(A, B)", lambda a: 0.5),
        ("np.logaddexp(0, -A)", lambda a: -1 / (1 + np.exp(a))),
        ("np.log1p(np.exp(-np.abs(A))) + np.maximum(A, 0)", lambda a: 1 / (1 + np.exp(-a))),
        ("A * np.abs(A)", lambda a: 2 * np.abs(a)),
        ("np.power(A, 2)", lambda a: 2 * a),
        ("np.remainder(A + 0.5, 4)", lambda a: 1.0),
        ("np.remainder(7, A + 3.4)", lambda a: -(7 // (a + 3.4))),
    ],
)
@pytest.mark.parametrize("value", [0.0, 1.0, -1.0])
def test_smooth_functions_of_kinked_parts_have_their_slope_at_ties_too(formula: str, slope: Any, value: float) -> None:
    program = TextProgram(read(f"J = np.sum({formula})"))
    probe = Probe({"A": np.full((3, 4), value), "B": np.full((3, 4), value)}, {}, None)
    run = program.run(probe.given)
    truths = Truths(program, probe, run, Cost(run.events[-1].key, "J", 0))
    (truth,) = [each for each in (truths.by_key | truths.vanishing).values() if each.event.name == "A"]
    direction = np.random.default_rng(0).standard_normal((3, 4))
    np.testing.assert_allclose(truth.gradient, slope(value), rtol=1e-12)
    np.testing.assert_allclose(truths.slope(truth.event.key, direction), np.sum(slope(value) * direction), rtol=1e-12)


class WrongTanh(torch.autograd.Function):
    """The right value, the slope of another function."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return torch.tanh(x)

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        return upstream * (1 - torch.tanh(x))


def wrong_step_tanh(x: Any) -> Any:
    return np.where(True, np.tanh(np.real(x)) + 1j * np.imag(x) * (1 - np.tanh(np.real(x))), 0)


def wrong_write(self: Any, index: Any, value: Any) -> None:
    self.view(np.ndarray)[index] = step.real(value)


@pytest.mark.parametrize("name", sliced(["columns-course", "dropout"], 2))
@pytest.mark.parametrize("kind", ["autograd's tanh", "the step's tanh", "autograd's maximum", "the step's maximum"])
def test_a_wrong_rule_is_a_disagreement_and_never_the_writers_mistake(
    name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    match kind:
        case "autograd's tanh":
            monkeypatch.setitem(tape.UFUNCS, "tanh", WrongTanh.apply)
        case "the step's tanh":
            monkeypatch.setattr(step, "ANALYTIC", step.ANALYTIC - {"tanh"})
            monkeypatch.setitem(step.RULES, "tanh", wrong_step_tanh)
        case "autograd's maximum":
            monkeypatch.setitem(tape.UFUNCS, "maximum", lambda a, b: torch.maximum(a, b) + 0.5 * (b - b.detach()))
        case _:
            monkeypatch.setitem(step.RULES, "maximum", lambda a, b: np.maximum(np.real(a), np.real(b)) + 0j)
    text = all_texts()[name]
    affected = ("tanh" in kind) == ("np.tanh" in text)
    judged = of_text(text)
    assert judged.summary.wrong == 0
    assert (judged.summary.cannot_tell > 0) == affected
    right = "the complex step" if kind.startswith("autograd") else "autograd"
    untold = [line.message for line in judged.lines if line.verdict == CANNOT_TELL]
    assert all(f"Central differences agree with {right}" in message for message in untold)


@pytest.mark.parametrize("kind", sliced(["autograd", "the step"], 2))
def test_a_wrong_rule_never_makes_a_line_of_a_setting_wrong(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In fresh probes, for the module's own were found by right rules."""
    if kind == "autograd":
        monkeypatch.setitem(tape.UFUNCS, "tanh", WrongTanh.apply)
    else:
        monkeypatch.setattr(step, "ANALYTIC", step.ANALYTIC - {"tanh"})
        monkeypatch.setitem(step.RULES, "tanh", wrong_step_tanh)
    for text in ("dZ1 = W2.T @ dZ2 * (1 - A1**2)", "dZ1 = W2.T @ dZ2 * A1"):
        (line,) = verify(text, replace(setting_named("shallow"))).lines
        assert line.verdict == CANNOT_TELL
        assert "the referees differ on dZ1" in line.message


def test_a_write_that_loses_its_step_is_a_disagreement(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "H = X @ W\nC = np.zeros(H.shape)\nC[:, 0] = H[:, 0] ** 2\nJ = np.sum(C)\ndW = X.T @ (2 * H)\ndW[:, 1:] = 0"
    right = of_text(text)
    assert right.summary.holds == 1
    monkeypatch.setattr(step.Step, "__setitem__", wrong_write)
    judged = of_text(text)
    assert [line.verdict for line in judged.lines] == [CANNOT_TELL]


def test_a_sum_over_the_wrong_axis_is_a_disagreement(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = lambda a, axis=None, **_: Tape(tape.as_tensor(a).sum() if axis is None else tape.as_tensor(a).sum(1 - axis))  # noqa: E731
    monkeypatch.setitem(tape.FUNCTIONS, "sum", wrong)
    judged = of_text(all_texts()["rows-labels-l2"])
    assert WRONG not in {line.verdict for line in judged.lines}
    assert judged.summary.cannot_tell > 0


@pytest.mark.parametrize("kind", [STEP, TAPE], ids=lambda kind: kind.name)
def test_what_has_no_rule_is_refused_by_name(kind: Kind) -> None:
    x = kind.make(np.ones((2, 2)))
    for call in (lambda: np.linalg.inv(x), lambda: np.fft.fft(x), lambda: np.linalg.norm(x, 1), lambda: np.hypot(x, x)):
        with pytest.raises(NotFollowed, match="is not known to the referees"):
            call()


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_kind_computes_what_float64_computes(kind: Kind) -> None:
    values = np.random.default_rng(4).standard_normal((3, 4))
    x = kind.make(values.copy())
    for name in ("sum", "mean", "std", "var", "max", "min", "prod"):
        for axis in (None, 0, 1):
            np.testing.assert_allclose(plain(getattr(np, name)(x, axis=axis)), getattr(np, name)(values, axis=axis))
            np.testing.assert_allclose(plain(getattr(x, name)(axis=axis)), getattr(values, name)(axis=axis))
    np.testing.assert_array_equal(np.argmax(x, axis=1), np.argmax(values, axis=1))
    assert (x > 0).dtype == bool
    x[x > 0] = 0
    np.testing.assert_array_equal(plain(x), np.where(values > 0, 0, values))


def test_outside_its_domain_a_step_is_nan_as_a_real_number_is() -> None:
    x = STEP.make(np.array([-0.5, 0.5]))
    with np.errstate(invalid="ignore"):
        for function in (np.log, np.sqrt, np.log2, lambda each: each**0.5):
            assert np.isnan(plain(function(x))).tolist() == [True, False]
