"""How the cases of formulas are run: every version against the vectorised form, each with its share of the bound."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
import pytest
import torch

from parity_tests.formulas import run as formulas
from parity_tests.formulas.case import Case, Derivative
from parity_tests.formulas.run import cast, generator, magnitudes, outputs_of, reference_outputs, run_case
from parity_tests.judging.bounds import underflow
from parity_tests.judging.judge import CANNOT_TELL, FAILS, HOLDS, Result

BOUND = 1e-12


class Pair(NamedTuple):
    """Two outputs."""

    twice: Any
    square: Any


def moved(by: float) -> Any:
    """Both outputs, the second off by so much."""
    return lambda X: Pair(2 * X, X * X + by)


RIGHT = Case(
    "formulas.pair",
    "",
    inputs=lambda rng: {"X": rng.uniform(1, 2, (3, 2))},
    manual=moved(0),
    loop=moved(0),
    reference=moved(0),
    bounds={"twice": lambda u, at: BOUND * (at.X > 0), "square": lambda u, at: BOUND * (at.X > 0)},
    derivatives={"twice": Derivative(of=lambda X: np.sum(X * X), wrt="X")},
)


def lines(case: Case, dtype: Any = np.float64) -> dict[tuple[str, str], Result]:
    """What comes out, by output and pair."""
    return {(line.quantity, line.pair): line for line in run_case(case, dtype, 0)}


def test_every_output_is_compared_with_every_version() -> None:
    found = lines(RIGHT)
    assert list(found) == [
        ("twice", "manual/torch"),
        ("square", "manual/torch"),
        ("twice", "manual/loop"),
        ("square", "manual/loop"),
        ("twice", "manual/complex step"),
    ]
    assert {line.verdict for line in found.values()} == {HOLDS}
    assert {(line.case, line.shape, line.dtype) for line in found.values()} == {("formulas.pair", (3, 2), "float64")}
    assert {(line.verdict, line.dtype) for line in lines(RIGHT, np.float32).values()} == {(HOLDS, "float32")}
    without = lines(replace(RIGHT, loop=None, derivatives={}))
    assert list(without) == [("twice", "manual/torch"), ("square", "manual/torch")]


@pytest.mark.parametrize(("field", "pair"), [("reference", "manual/torch"), ("loop", "manual/loop")])
def test_a_version_has_twice_the_bound_of_one_side(field: str, pair: str) -> None:
    floor = underflow(np.dtype(np.float64), 6)
    for factor, verdict in ((0.99, HOLDS), (1.01, FAILS)):
        found = lines(replace(RIGHT, **{field: moved(factor * 2 * BOUND)}))
        assert found["square", pair].verdict == verdict
        assert found["square", pair].bound == pytest.approx(2 * BOUND + floor, rel=1e-15)
        assert {line.verdict for key, line in found.items() if key != ("square", pair)} == {HOLDS}


def test_the_complex_step_has_three_times_the_bound() -> None:
    for factor, verdict in ((0.99, HOLDS), (1.01, FAILS)):
        tilted = 2 * 3 * BOUND * factor
        off = Derivative(of=lambda X, by=tilted: np.sum(X * X) + by * np.sum(X), wrt="X")
        found = lines(replace(RIGHT, derivatives={"twice": off}))
        assert found["twice", "manual/complex step"].verdict == verdict


def test_underflow_is_allowed_for_as_many_terms_as_the_largest_input_has_entries() -> None:
    exact = replace(RIGHT, bounds={name: lambda u, at: np.zeros((3, 2)) for name in RIGHT.bounds}, derivatives={})
    assert lines(exact)["square", "manual/torch"].bound == underflow(np.dtype(np.float64), 6)
    two = replace(
        exact,
        inputs=lambda rng: {"X": np.ones((3, 2)), "longer": np.ones(7), "count": 100},
        manual=lambda X, longer, count: Pair(2 * X, X * X),
        loop=None,
        reference=lambda X, longer, count: Pair(2 * X, X * X),
    )
    assert lines(two)["square", "manual/torch"].bound == underflow(np.dtype(np.float64), 7)


@pytest.mark.parametrize(
    ("field", "pairs"),
    [
        ("manual", {"manual/torch", "manual/loop"}),
        ("reference", {"manual/torch"}),
        ("loop", {"manual/loop"}),
    ],
)
def test_an_output_that_a_version_lacks_fails(field: str, pairs: set[str]) -> None:
    class Half(NamedTuple):
        twice: Any

    half: dict[str, Any] = {field: lambda X: Half(2 * X)}
    found = lines(replace(RIGHT, **half))
    missing = {key for key, line in found.items() if line.verdict == FAILS}
    assert missing == {("square", pair) for pair in pairs}
    assert {found[key].reason for key in missing} == {"square is missing"}


def test_beside_an_output_that_is_missing_the_others_are_compared() -> None:
    class Half(NamedTuple):
        square: Any

    found = lines(replace(RIGHT, reference=lambda X: Half(X * X + 1), derivatives={}))
    assert found["twice", "manual/torch"].reason == "twice is missing"
    assert found["square", "manual/torch"].error == pytest.approx(1)
    assert found["square", "manual/torch"].reason == ""


def test_a_case_that_compares_nothing_fails() -> None:
    found = run_case(replace(RIGHT, bounds={}, derivatives={}), np.float64, 0)
    assert [(line.case, line.quantity, line.pair, line.verdict, line.reason) for line in found] == [
        ("formulas.pair", "", "", FAILS, "the case compares nothing")
    ]


def test_a_single_value_is_the_first_output_alone() -> None:
    found = lines(replace(RIGHT, reference=lambda X: 2 * X))
    assert found["twice", "manual/torch"].verdict == HOLDS
    assert found["square", "manual/torch"].reason == "square is missing"


def test_numbers_of_python_take_the_dtype_and_those_of_numpy_keep_theirs() -> None:
    number = replace(
        RIGHT,
        inputs=lambda rng: {"X": np.ones((1, 1))},
        manual=lambda X: 0.1,
        loop=lambda X: 0.1,
        reference=lambda X: 0.1,
        bounds={"twice": lambda u, at: BOUND},
        derivatives={"twice": Derivative(of=lambda X: np.float64(np.float32(0.1)) * np.sum(X), wrt="X")},
    )
    found = lines(number, np.float32)
    assert {pair: line.verdict for (_, pair), line in found.items()} == {
        "manual/torch": HOLDS,
        "manual/loop": HOLDS,
        "manual/complex step": HOLDS,
    }
    assert {line.shape for line in found.values()} == {()}
    wide = lines(replace(number, manual=lambda X: np.float64(0.1)), np.float32)
    assert {line.reason for line in wide.values()} == {"dtype float64, expected float32"}


def test_a_derivative_keeps_its_shape_where_the_output_has_one() -> None:
    column = replace(
        RIGHT,
        inputs=lambda rng: {"X": np.ones((1, 1))},
        bounds={name: lambda u, at: np.full((1, 1), u) for name in RIGHT.bounds},
    )
    line = lines(column)["twice", "manual/complex step"]
    assert (line.verdict, line.shape) == (HOLDS, (1, 1))
    number = replace(RIGHT, manual=lambda X: 2.0, bounds={"twice": lambda u, at: u}, loop=None)
    assert lines(number)["twice", "manual/complex step"].reason == "shape (), expected (3, 2)"


def test_versions_get_the_same_inputs_and_torch_tensors() -> None:
    seen: list[Any] = []

    def noting(X: Any, n: int) -> Any:
        seen.append((type(X), X.dtype, type(n)))
        return Pair(2 * X, X * X)

    case = replace(RIGHT, manual=noting, loop=noting, reference=noting)
    found = outputs_of(case, {"X": np.ones((3, 2), np.float32), "n": 4}, np.float32)
    assert list(found) == ["manual", "torch", "loop"]
    assert seen == [(np.ndarray, np.float32, int), (torch.Tensor, torch.float32, int), (np.ndarray, np.float32, int)]
    assert reference_outputs(RIGHT, {"X": np.full((1, 1), 3.0)}) == {"twice": 6, "square": 9}


def test_torch_computes_on_the_device_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def noting(value: Any, device: str) -> torch.Tensor:
        asked.append(device)
        return torch.from_numpy(value)

    monkeypatch.setattr(formulas, "tensor", noting)
    run_case(RIGHT, np.float64, 0, "cuda:1")
    run_case(RIGHT, np.float64, 0)
    outputs_of(RIGHT, {"X": np.ones((3, 2))}, np.float64)
    reference_outputs(RIGHT, {"X": np.ones((3, 2))})
    assert asked == ["cuda:1", "cpu", "cpu", "cpu"]


def test_a_case_has_a_stream_of_its_own() -> None:
    draw = generator("formulas.pair", 3).standard_normal()
    assert draw == np.random.default_rng([3, crc32(b"formulas.pair")]).standard_normal()
    assert draw != generator("formulas.pair", 4).standard_normal() != generator("formulas.other", 4).standard_normal()


def test_magnitudes_are_in_float64_and_an_input_goes_before_an_output_of_its_name() -> None:
    at = magnitudes({"W": np.full(2, 3, np.float32), "m": 7}, {"W": np.zeros(2), "dW": np.full(2, 5, np.float32)})
    assert (at.W.tolist(), at.W.dtype, at.m, at.dW.tolist(), at.dW.dtype) == ([3, 3], float, 7, [5, 5], float)
    assert cast({"W": np.zeros(2), "m": 7}, np.float32)["W"].dtype == np.float32


def test_a_bound_that_hides_everything_cannot_be_told() -> None:
    wide = replace(RIGHT, bounds={name: lambda u, at: np.ones((3, 2)) for name in RIGHT.bounds})
    assert {line.verdict for line in lines(wide).values()} == {CANNOT_TELL}
