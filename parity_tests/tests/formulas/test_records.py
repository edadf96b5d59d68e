"""Every record of a formula: its versions agree, its bounds are sharp, its faults are caught, bad input is refused.

A bound is held against the error of float32 beside the same formula in float64, whose own roundings are nothing beside
it: one side's error against one side's bound. No right computation may go beyond it, and one that is ten times wider,
or lacks a term, is noticed.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest

from parity_tests.comparison.faults import FAULTS, healthy, run_fault
from parity_tests.formulas import CASES, FORMULAS, conv, dense, dropout, norm_bounds, pooling, theory, update_bounds
from parity_tests.formulas.case import Case
from parity_tests.formulas.formula import Formula, Sharp
from parity_tests.formulas.planting import Fault
from parity_tests.formulas.run import cast, generator, magnitudes, outputs_of, run_case
from parity_tests.judging import bounds
from parity_tests.judging.judge import HOLDS, judge

DTYPES: list[Any] = [np.float64, np.float32]


EACH_CASE = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)


@EACH_CASE
def test_formula_holds(case: Case) -> None:
    for dtype, seed in product(DTYPES, range(5)):
        results = run_case(case, dtype, seed)
        assert {result.quantity for result in results} == set(case.bounds)
        assert [result for result in results if result.verdict != HOLDS] == []


@pytest.mark.parametrize(("name", "seed"), [("losses.log_softmax_backward", 129)])
def test_seeds_that_went_beyond_a_bound_before_it_held_for_the_loop_too(name: str, seed: int) -> None:
    case = next(case for case in CASES if case.id == name)
    assert {result.verdict for result in run_case(case, np.float32, seed)} == {HOLDS}


@EACH_CASE
def test_formula_leaves_its_arguments_alone_and_keeps_their_dtype_and_one_complex_makes_both_forms_alike(
    case: Case,
) -> None:
    inputs = case.inputs(generator(case.id, 0))
    given = {name: value for name, value in inputs.items() if isinstance(value, np.ndarray)}
    for dtype, version in product(DTYPES, (case.manual, case.loop)):
        arrays = {name: value.astype(dtype) for name, value in given.items()}
        for value in arrays.values():
            value.setflags(write=False)
        if version is not None:
            found = version(*{**inputs, **arrays}.values())  # writing to an argument would raise
            assert not arrays or set(dtypes(found)) == {np.dtype(dtype)}
    for name, value in given.items():
        if case.loop is not None and name not in case.stays_real:
            moved = {**inputs, name: value.astype(np.complex128)}
            assert dtypes(case.loop(*moved.values())) == dtypes(case.manual(*moved.values())), name


def dtypes(found: Any) -> list[np.dtype[Any]]:
    """The dtype of a result, or of each field of a bundle."""
    return [np.asarray(value).dtype for value in (found if isinstance(found, tuple) else (found,))]


@pytest.mark.parametrize(
    "formula", [formula for formula in FORMULAS if formula.refusals], ids=lambda formula: formula.id
)
def test_bad_arguments_get_one_plain_sentence(formula: Formula) -> None:
    for refusal in formula.refusals:
        assert refusal.of is not None
        with pytest.raises(ValueError) as caught:
            refusal.of(*refusal.arguments)
        assert str(caught.value) == refusal.sentence


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_fault_is_caught_where_it_was_planted(fault: Fault) -> None:
    for dtype in DTYPES:
        assert run_fault(fault, dtype).failed == fault.caught, dtype


def test_nothing_fails_without_a_fault() -> None:
    for dtype, seed in product(DTYPES, range(5)):
        assert healthy(dtype, seed) == []


U32 = bounds.unit_roundoff(np.float32)

NUMBERS = ("schedules.", "initialization.")
"""Cases of Python floats, which float32 does not reach: both versions beside each other in float64."""

LONG_SUMS = (
    "attention.heads_backward",
    "conv.conv_backward",
    "schedules.cosine",
    "costs.binary_cross_entropy_from_logits_saturated",
)

NEAR = ("logistic_regression.one_example",)
"""Cases with bounds of their own that are sharp: ten times wider, they would still pass as ordinary ones."""

ROUNDED_NOWHERE = (
    "costs.frobenius_norm",
    "initialization.xavier",
    "losses.hinge_prime",
    "pooling.pool_",
    "schedules.constant",
    "schedules.staircase",
)
"""Cases with configurations of which some are computed exactly: whole numbers, halves, a window for every cell."""


def one_side(case: Case, seeds: int) -> dict[str, float]:
    """By output: the worst error / bound of either version."""
    case = replace(case, loop=None)
    worst = dict.fromkeys(case.bounds, 0.0)
    for seed in range(seeds):
        probe = cast(case.inputs(generator(case.id, seed)), np.float32)
        wide = cast(probe, np.float64)
        truth = outputs_of(case, wide, np.float64)["manual"]
        at = magnitudes(wide, truth)
        for outputs in outputs_of(case, probe, np.float32).values():
            for name, bound in case.bounds.items():
                error = np.abs(outputs[name].astype(np.float64) - truth[name])
                with np.errstate(all="ignore"):
                    ratio = np.where(error == 0, 0.0, error / np.asarray(bound(U32, at)))
                worst[name] = max(worst[name], float(np.max(ratio)))
    return worst


def both_sides(case: Case, seeds: int) -> dict[str, float]:
    """The same of the difference between the two versions, in float64."""
    found = [result for seed in range(seeds) for result in run_case(case, np.float64, seed)]
    return {name: max(line.ratio for line in found if line.quantity == name) for name in case.bounds}


def is_exact(case: Case) -> bool:
    """Whether every bound of the case is zero everywhere."""
    probe = case.inputs(generator(case.id, 0))
    by_hand = replace(case, reference=lambda *_: case.manual(*probe.values()), loop=None)  # torch is not needed here
    at = magnitudes(probe, outputs_of(by_hand, probe, np.float64)["manual"])
    return not any(np.any(bound(U32, at)) for bound in case.bounds.values())


SEEDS = 20
"""Of the slice that runs always; the whole takes ten times as many."""


def check_ordinary(case: Case, seeds: int) -> None:
    """The worst errors of an ordinary case are below its bounds, and near enough to them to be seen."""
    errors = both_sides if case.id.startswith(NUMBERS) else one_side
    worst = errors(case, seeds)
    assert max(worst.values()) <= 1, case.id
    if max(worst.values()) > 0 or not case.id.startswith(ROUNDED_NOWHERE):
        least = 0.002 if case.id.startswith(LONG_SUMS) else 0.05 if case.id.startswith(NEAR) else 0.02
        assert min(worst.values()) >= least, case.id


def check_sharp(case: Case, least: float, seeds: int) -> None:
    """The worst errors of a sharp case: ten times wider, or half as narrow again as it could be, its bound is seen."""
    for name, ratio in one_side(case, seeds).items():
        assert least <= ratio <= 1, f"{case.id}, {name}"
        assert ratio < 10 * least, f"{case.id}, {name}: ten times wider, this bound would pass: raise the least"


def sharp_case(formula: Formula, sharp: Sharp) -> Case:
    """The case of a sharp probe."""
    case = sharp.of if isinstance(sharp.of, Case) else BY_ID[sharp.of or formula.cases[0].id]
    return replace(
        case,
        id=f"{case.id}, {sharp.name}" if sharp.name else case.id,
        inputs=sharp.inputs or case.inputs,
        bounds=sharp.bounds or case.bounds,
        loop=None,
    )


BY_ID = {case.id: case for case in CASES}
SHARP = [(sharp_case(formula, sharp), sharp.least) for formula in FORMULAS for sharp in formula.sharp]
ROUNDED = [case for case in CASES if not is_exact(case)]


@pytest.mark.parametrize("case", ROUNDED, ids=lambda case: case.id)
def test_errors_come_near_the_bound_and_stay_below_it(case: Case) -> None:
    check_ordinary(case, SEEDS)


@pytest.mark.parametrize(("case", "least"), SHARP, ids=lambda value: getattr(value, "id", str(value)))
def test_a_bound_ten_times_wider_is_noticed_and_an_error_just_above_it(case: Case, least: float) -> None:
    check_sharp(case, least, SEEDS)
    check_edge(case)


@pytest.mark.bars
def test_on_two_hundred_seeds() -> None:
    for case in ROUNDED:
        check_ordinary(case, 10 * SEEDS)
    for case, least in SHARP:
        check_sharp(case, least, 10 * SEEDS)


def check_edge(case: Case) -> None:
    """An error just above the bound fails, and one just below it does not."""
    u = 2.0**-40  # so that a hundredth of a bound is still a difference in float64
    wide = case.inputs(generator(case.id, 0))
    truth = outputs_of(case, wide, np.float64)["manual"]
    for name, bound in case.bounds.items():
        right = truth[name].astype(np.float64)
        allowed = np.broadcast_to(np.asarray(bound(u, magnitudes(wide, truth)), np.float64), right.shape)
        place = np.unravel_index(int(np.argmax(allowed)), right.shape)
        for factor, fails in ((0.98, False), (1.02, True)):
            moved = right.copy()
            moved[place] += factor * 2 * allowed[place]
            judgement = judge(moved, right, 2 * allowed, np.float64)
            assert judgement.fails == fails
            assert not fails or np.unravel_index(judgement.worst, judgement.shape) == place


BOUNDS: list[Callable[..., Any]] = [
    function
    for module in (bounds, conv, dense, dropout, norm_bounds, pooling, theory, update_bounds)
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if function.__module__ == module.__name__
    and not name.startswith(("_", "x_"))  # x_: what mutmut adds
    and function.__annotations__.get("return") in ("Bound", "tuple[Bound, Bound]", "tuple[Bound, Bound, Bound]")
    and name != "exact"
]
"""All but the one that is zero; schedules are numbers of Python, of which float32 knows nothing."""


@cache
def evaluated(number: int) -> tuple[Any, ...]:
    """The magnitudes of a sharp case's first probe."""
    case, _ = SHARP[number]
    wide = case.inputs(generator(case.id, 0))
    return case, magnitudes(wide, outputs_of(case, wide, np.float64)["manual"])


@pytest.mark.parametrize("function", BOUNDS, ids=lambda function: function.__name__)
def test_every_bound_has_a_sharp_case_in_which_it_is_the_whole(
    function: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def values() -> list[Any]:
        found = (evaluated(number) for number in range(len(SHARP)))
        return [bound(U32, at) for case, at in found for bound in case.bounds.values()]

    def wider(*arguments: Any, **options: Any) -> Any:
        value = function(*arguments, **options)
        return tuple(10 * part for part in value) if isinstance(value, tuple) else 10 * value

    before = values()
    for module in [each for name, each in sys.modules.items() if name.startswith("parity_tests.")]:
        if vars(module).get(function.__name__) is function:  # where it is defined, and where it is imported
            monkeypatch.setattr(module, function.__name__, wider)
    assert any(np.allclose(now, 10 * old, rtol=1e-9, atol=0) for now, old in zip(values(), before, strict=True))
