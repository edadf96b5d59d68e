"""Free runs: what their spread allows, and what a kink that one side alone crosses excuses and what not."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from manual import dense
from manual import training as by_hand
from manual.architecture import Architecture, Conv, Dense, Dropout, Flatten, Pool
from manual.draws import initial_parameters
from parity_tests.comparison import free_runs
from parity_tests.comparison.free_runs import (
    ALLOWANCE,
    REPEATS,
    Before,
    _ByHand,
    _ByTorch,
    _cells,
    _excused,
    _first_kink,
    _judged,
    _judged_rates,
    _path,
    judge_by_spread,
    moved,
    run_free,
    settings_of,
)
from parity_tests.comparison.models import Free, ModelCase, Start
from parity_tests.formulas.run import generator
from parity_tests.judging.bounds import unit_roundoff
from parity_tests.judging.judge import CANNOT_TELL, FAILS, HOLDS, Judgement
from torch_ref import training as by_torch
from torch_ref.training import Hardware

TWO_STEPS = ModelCase(
    "kink", "probe", 0.0, 0.5, 2, free=Free(2, 2), optimizer="gradient_descent", batch_size=1, decay="inverse_time"
)

FEATURES = 3000
"""So many products in a sum that two orders of adding them lie several units in the last place apart."""


def starts_at_a_kink() -> Iterator[Start]:
    """Two examples, of which one moves the first hidden unit, and only if its Z is above zero.

    The unit's bias is the negative of what lies between NumPy's sum and torch's, so far from both that a start moved by
    one unit in the last place does not cross it.
    """
    net = Architecture(FEATURES, (Dense(2, "relu"), Dense(1, "sigmoid")))
    for seed in range(300):
        rng = np.random.default_rng(seed)
        x = rng.uniform(0.5, 1.5, (FEATURES, 1)).astype(np.float32)
        W1 = np.vstack([rng.uniform(0.5, 1.5, FEATURES), 1e-4 * rng.standard_normal(FEATURES)]).astype(np.float32)
        zero = np.zeros((2, 1), np.float32)
        mine = dense.linear_forward(x, W1, zero)[0, 0]
        theirs = functional.linear(torch.from_numpy(x.T), torch.from_numpy(W1), torch.zeros(2))[0, 0].numpy()
        if abs(mine - theirs) >= 6 * np.spacing(mine):
            b1 = np.array([[-(mine + theirs) / 2], [0.5]], np.float32)
            W2, b2 = np.array([[1.0, 0.5]], np.float32), np.zeros((1, 1), np.float32)
            yield Start(
                net,
                {"W1": W1, "b1": b1, "W2": W2, "b2": b2},
                np.hstack([x, -x]),
                np.array([[0.0, 1.0]], np.float32),
            )


def free(begin: Start, kink: int = 1) -> list[Any]:
    """The lines about parameters, in an order of the examples that comes to the kink in that step."""
    for seed in range(20):
        found = [line for line in run_free(TWO_STEPS, begin, 2, seed) if line.basis == "measured"]
        if not any("kink at" in line.reason for line in found) or any(f"step {kink};" in line.reason for line in found):
            return found
    return []


@pytest.fixture(scope="module")
def at_a_kink() -> Start:
    """A start whose free run really crosses a kink on one side alone."""
    for begin in starts_at_a_kink():
        if any("kink" in line.reason for line in free(begin)):
            return begin
    pytest.fail("in 300 draws no sum of 3000 products lay 6 units in the last place apart")


@pytest.mark.parametrize("kink", [0, 1])
def test_a_run_that_crosses_a_kink_on_one_side_alone_cannot_be_told(at_a_kink: Start, kink: int) -> None:
    found = {(line.quantity, line.layer): line for line in free(at_a_kink, kink)}
    assert list(found) == [(f"{name} after 2 free steps", layer) for layer in (1, 2) for name in "Wb"]
    first = found["W after 2 free steps", 1]
    assert (first.verdict, first.cannot_tell) == (CANNOT_TELL, 1)
    reason = f"a unit or a maximum took the other side of its kink at step {kink}; up to there the two sides agree"
    assert first.reason == reason
    assert {line.verdict for line in found.values()} <= {HOLDS, CANNOT_TELL}


def test_examples_beyond_those_of_a_free_run_make_no_difference(at_a_kink: Start) -> None:
    X, Y = at_a_kink.X, at_a_kink.Y
    longer = at_a_kink._replace(X=np.hstack([X, X[:, :1]]), Y=np.hstack([Y, Y[:, :1]]))
    assert free(longer) == free(at_a_kink)


def test_a_mistake_before_the_kink_still_fails(at_a_kink: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    right = dense.bias_gradient
    monkeypatch.setattr(dense, "bias_gradient", lambda dZ: 1.01 * right(dZ))
    assert FAILS in {line.verdict for line in free(at_a_kink)}


def test_a_mistake_in_what_comes_to_the_kink_still_fails(at_a_kink: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    right = dense.linear_forward
    monkeypatch.setattr(dense, "linear_forward", lambda A_prev, W, b: right(A_prev, W, b) - 1e-2 * np.abs(b))
    assert FAILS in {line.verdict for line in free(at_a_kink, 0)}


@pytest.mark.parametrize("decay", ["constant", "inverse_time"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_both_sides_start_from_the_same_and_five_runs_by_hand_beside_it(
    dtype: Any, decay: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
    sides: dict[str, Any] = {"hand": by_hand.fit, "torch": by_torch.fit}

    def noting(side: str) -> Any:
        def fit(*given: Any, **options: Any) -> Any:
            fits.append((side, given, options))
            return sides[side](*given, **options)

        return fit

    monkeypatch.setattr(by_hand, "fit", noting("hand"))
    monkeypatch.setattr(by_torch, "fit", noting("torch"))
    rng = np.random.default_rng(0)
    net = Architecture(3, (Dense(4, "tanh"), Dense(1, "sigmoid")))
    params = {name: value.astype(dtype) for name, value in initial_parameters(net, "xavier", rng).items()}
    X, Y = rng.standard_normal((3, 9)).astype(dtype), rng.integers(0, 2, (1, 9)).astype(dtype)
    case = TWO_STEPS._replace(batch_size=2, decay=decay, free=Free(5, 6))
    found = run_free(case, Start(net, params, X, Y), 5, 3)
    assert [side for side, *_ in fits] == ["hand"] * 6 + ["torch"]
    drawn = generator("kink/probe/gradient_descent/lambda=0/free", 3)
    starts = [params, *(moved(params, drawn) for _ in range(5)), params]
    for (_, given, options), begin in zip(fits, starts, strict=True):
        assert given[0] is net
        np.testing.assert_array_equal(given[1], X[:, :6])
        np.testing.assert_array_equal(given[2], Y[:, :6])
        assert given[3] == settings_of(case, 6, 5, 3)
        assert all(np.array_equal(options["params"][name], value) for name, value in begin.items())
    assert fits[-1][2]["hardware"].device == "cpu"
    rates = [line for line in found if line.quantity == "learning rate"]
    assert [(line.verdict, line.basis, line.shape) for line in rates] == [(HOLDS, "derived", (2,))] * (
        decay != "constant"
    )
    others = [line for line in found if line not in rates]
    assert [(line.quantity, line.layer) for line in others] == [
        (f"{name} after 6 free steps", layer) for layer in (1, 2) for name in "Wb"
    ]
    assert {(line.verdict, line.basis, line.dtype) for line in others} == {(HOLDS, "measured", np.dtype(dtype).name)}


def test_a_free_run_computes_on_the_device_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    right = by_torch.fit

    def fit(*given: Any, hardware: Any, **options: Any) -> Any:
        asked.append(hardware.device)
        return right(*given, **options)

    monkeypatch.setattr(by_torch, "fit", fit)
    net = Architecture(1, (Dense(1, "sigmoid"),))
    ones = np.ones((1, 2))
    run_free(TWO_STEPS, Start(net, {"W1": ones[:, :1], "b1": ones[:, :1]}, ones, ones), 2, 0, "there")
    assert asked == ["there"]


NUMBERS = np.array([[4.0, -8.0]])


@pytest.mark.parametrize(
    ("error", "spread", "verdict"),
    [
        (0.99, 0.1, HOLDS),
        (1.01, 0.1, FAILS),
        (79 * 2.0**-53, 0.0, HOLDS),  # ten units of roundoff of the largest entry, however alike the repeated runs are
        (88 * 2.0**-53, 0.0, FAILS),
    ],
)
def test_ten_times_the_spread_is_allowed(error: float, spread: float, verdict: str) -> None:
    repeats = [
        {"W1": NUMBERS},
        {"W1": NUMBERS + np.array([[0, spread]])},
        {"W1": NUMBERS - np.array([[spread / 2, 0]])},
    ]
    got = {"W1": NUMBERS, "b1": NUMBERS}
    repeats = [{**run, "b1": NUMBERS} for run in repeats]
    judged = judge_by_spread(got, {"W1": NUMBERS + np.array([[error, 0]]), "b1": NUMBERS}, repeats, np.float64)
    assert judged["W1"].fails == (verdict == FAILS)
    assert judged["W1"].bound == pytest.approx(10 * max(spread, 8 * 2.0**-53))
    assert (judged["b1"].fails, judged["b1"].error, judged["b1"].bound) == (False, 0, 80 * 2.0**-53)
    assert (REPEATS, ALLOWANCE) == (5, 10)


def test_the_first_run_by_hand_is_the_one_that_is_judged() -> None:
    ours = [{"W1": NUMBERS}, {"W1": NUMBERS + 1e-3}]
    assert not _judged(ours, {"W1": NUMBERS - 9e-3})["W1"].fails
    assert _judged(ours[::-1], {"W1": NUMBERS - 9.5e-3})["W1"].fails


def test_however_wide_the_spread_two_runs_that_agree_hold() -> None:
    judged = judge_by_spread({"W1": NUMBERS}, {"W1": NUMBERS}, [{"W1": 2 * NUMBERS}], np.float64)["W1"]
    assert (judged.fails, judged.untold) == (False, False)
    judged = judge_by_spread({"W1": NUMBERS}, {"W1": NUMBERS + 1e-3}, [{"W1": 2 * NUMBERS}], np.float64)["W1"]
    assert (judged.fails, judged.untold) == (False, True)


def test_a_start_is_moved_by_one_unit_in_the_last_place_up_or_down() -> None:
    params = {"W1": np.linspace(1, 9, 40, dtype=np.float32).reshape(8, 5), "b1": np.full((3, 1), -2.0)}
    changed = moved(params, np.random.default_rng(0))
    assert {name: value.dtype for name, value in changed.items()} == {"W1": np.float32, "b1": np.float64}
    for name, value in params.items():
        up, down = np.nextafter(value, np.inf), np.nextafter(value, -np.inf)
        assert np.all((changed[name] == up) | (changed[name] == down))
    assert 5 < np.sum(changed["W1"] > params["W1"]) < 35
    alike = np.ones((8, 5))
    assert 5 < np.sum(moved({"W1": alike}, np.random.default_rng(0))["W1"] > alike) < 35


@pytest.mark.parametrize(
    ("batch_size", "m", "steps", "expected"),
    [(None, 50, 7, (50, 7, False)), (8, 50, 7, (8, 1, True)), (8, 50, 8, (8, 2, True)), (10, 50, 5, (10, 1, True))],
)
def test_both_sides_train_to_the_end_of_an_epoch(
    batch_size: int | None, m: int, steps: int, expected: tuple[int, int, bool]
) -> None:
    case = ModelCase("wide", "digits", 0.7, 0.25, 9, optimizer="adam", batch_size=batch_size, decay="cosine")
    settings = settings_of(case, m, steps, 3)
    assert (settings.batch_size, settings.epochs, settings.shuffle) == expected
    assert (settings.optimizer, settings.learning_rate, settings.lambda_) == ("adam", 0.25, 0.7)
    assert (settings.decay, settings.seed) == ("cosine", 3)


def with_rates(*rates: float) -> Any:
    """A run of which only the learning rates matter."""
    return SimpleNamespace(history=[SimpleNamespace(learning_rate=rate) for rate in rates])


def test_learning_rates_are_judged_epoch_by_epoch() -> None:
    u = unit_roundoff(np.float64)
    right = _judged_rates(with_rates(0.5, 0.25, 0.125), with_rates(0.5, 0.25, 0.125))
    assert (right.fails, right.untold, right.shape) == (False, False, (3,))
    for units, fails in ((10, False), (14, True)):  # of the third: two sides, three factors, two roundings each
        judged = _judged_rates(with_rates(0.5, 0.25, 0.125 * (1 + units * u)), with_rates(0.5, 0.25, 0.125))
        assert judged.fails == fails
        assert judged.worst == 2


def test_the_cell_of_a_maximum_is_found_in_every_window() -> None:
    rows = torch.zeros(1, 1, 4, 5)
    rows[0, 0, 1, 0] = rows[0, 0, 0, 3] = 1
    assert _cells(rows, 2, 3).tolist() == [[[[5, 3]]]]
    assert _cells(rows, 2, 2).tolist() == [[[[5, 3], [10, 12]]]]
    assert isinstance(_cells(rows, 2, 2), np.ndarray)


EVERY_KIND = Architecture(
    (6, 6, 2),
    (
        Conv(3, 3, activation="relu"),
        Pool(2, 1, "max"),
        Conv(2, 2, activation="tanh"),
        Flatten(),
        Dropout(0.7),
        Dense(3, "leaky_relu"),
        Dense(2, "sigmoid"),
    ),
)


def paths() -> tuple[list[Before], list[Before], Start, list[dict[str, Any]]]:
    """Both sides' ways through two epochs of two batches, and the parameters by hand after every step."""
    rng = np.random.default_rng(0)
    params = initial_parameters(EVERY_KIND, "he", rng)
    X, Y = rng.standard_normal((5, 6, 6, 2)), rng.integers(0, 2, (2, 5)) * 1.0
    begin = Start(EVERY_KIND, params, X, Y)
    settings = settings_of(ModelCase("every", "kind", 0.7, 0.5, 4, batch_size=3), 5, 4, 0)
    learner = _ByHand(begin, settings)
    mine = _path(learner, begin, settings, params)
    theirs = _path(_ByTorch(begin, settings, "cpu"), begin, settings, params)
    return mine, theirs, begin, [learner.params()]


def test_both_sides_record_parameters_and_kinks_before_every_step() -> None:
    mine, theirs, begin, (last,) = paths()
    assert len(mine) == len(theirs) == 4
    for name, value in begin.params.items():
        np.testing.assert_array_equal(mine[0].params[name], value)
        np.testing.assert_array_equal(theirs[0].params[name], value)
        for one, other in zip(mine, theirs, strict=True):
            np.testing.assert_allclose(one.params[name], other.params[name], rtol=1e-9, atol=1e-12)
        assert len({before.params[name].tobytes() for before in mine}) == 4
        assert not np.array_equal(mine[-1].params[name], last[name])
    # of the first convolution, the pooling, and the leaky ReLU; tanh and the output have no kinks
    shapes = [[kinks.shape for kinks in before.kinks] for before in mine]
    assert shapes == [[(n, 3, 4, 4), (n, 3, 3, 3), (n, 3)] for n in (3, 2, 3, 2)]
    assert shapes == [[kinks.shape for kinks in before.kinks] for before in theirs]
    for one, other in zip(mine, theirs, strict=True):
        assert list(one.seen()) == list(other.seen()) == [*begin.params, "node 0", "node 1", "node 2"]
        for name, value in one.seen().items():
            np.testing.assert_allclose(value, other.seen()[name], rtol=1e-9, atol=1e-12)
        np.testing.assert_array_equal(one.kinks[0], one.values[0] > 0)
        np.testing.assert_array_equal(one.kinks[1], _cells(torch.from_numpy(one.values[1]), 2, 1))
    assert _first_kink(mine, theirs) is None
    for before in mine:
        assert {kinks.dtype.kind for kinks in before.kinks} == {"b", "i"}
        assert 0 < before.kinks[0].mean() < 1


def test_on_the_kink_itself_both_sides_are_below_it() -> None:
    net = Architecture(1, (Dense(2, "relu"), Dense(1, "sigmoid")))
    params = {name: np.zeros(shape) for name, shape in net.parameter_shapes.items()}
    begin = Start(net, params, np.ones((1, 1)), np.ones((1, 1)))
    settings = settings_of(TWO_STEPS, 1, 1, 0)
    for learner in (_ByHand(begin, settings), _ByTorch(begin, settings, "cpu")):
        (before,) = _path(learner, begin, settings, params)
        assert before.kinks[0].tolist() == [[False, False]]


def test_the_path_of_torch_is_walked_on_the_device_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def hardware(device: str) -> Hardware:
        asked.append(device)
        return Hardware("cpu")

    monkeypatch.setattr(free_runs, "Hardware", hardware)
    net = Architecture(1, (Dense(1, "sigmoid"),))
    begin = Start(net, {}, np.ones((1, 2)), np.ones((1, 2)))
    assert _ByTorch(begin, settings_of(TWO_STEPS, 2, 2, 0), "there").hardware.device == "cpu"
    assert asked == ["there"]


def before(*kinks: list[bool]) -> Before:
    """A step of which only the kinks matter."""
    return Before({}, [], [np.array(each) for each in kinks])


def test_the_first_kink_is_where_anything_differs() -> None:
    alike = before([True, False], [False])
    first, second = before([True, True], [False]), before([True, False], [True])
    assert _first_kink([alike, alike], [alike, alike]) is None
    assert _first_kink([alike, second, first], [alike, alike, alike]) == 1
    assert _first_kink([first], [alike]) == 0
    assert _first_kink([alike, first, alike], [alike, alike]) == 1
    assert _first_kink([alike, alike, first], [alike, alike]) is None


def judgement(fails: bool) -> Judgement:
    """One that fails, or holds."""
    return Judgement((1,), 2.0 if fails else 0.5, 1.0, 0.5, 0, fails, False)


@pytest.mark.parametrize(
    ("kink", "off", "off_Z", "excused"),
    [(None, 0, 0, False), (0, 0, 0, True), (1, 0, 0, True), (2, 0, 0, True), (1, 0.1, 0, False), (1, 0, 0.1, False)],
)
def test_a_kink_excuses_only_where_the_two_sides_agree_before_it(
    monkeypatch: pytest.MonkeyPatch, kink: int | None, off: float, off_Z: float, excused: bool
) -> None:
    judged = {"W1": judgement(True), "b1": judgement(False)}
    ours = [Before({"W1": np.full((1, 1), 1.0 + step)}, [np.ones(1)], []) for step in range(2)]
    theirs = [Before({"W1": np.full((1, 1), 1.0 + min(step, 1) + off)}, [np.ones(1) + off_Z], []) for step in range(3)]

    class Torch:
        def __init__(self, *about: Any) -> None:
            pass

    class Hand(Torch):
        pass

    walked: list[list[Before]] = []

    def path(learner: Any, *about: Any) -> list[Before]:
        if not isinstance(learner, Hand):
            return theirs
        walked.append(list(ours))
        return walked[-1]

    monkeypatch.setattr(free_runs, "_path", path)
    monkeypatch.setattr(free_runs, "_ByTorch", Torch)
    monkeypatch.setattr(free_runs, "_ByHand", Hand)
    monkeypatch.setattr(free_runs, "_first_kink", lambda mine, others: kink if mine is walked[0] else None)
    begin = Start(EVERY_KIND, {}, np.zeros((1, 1)), np.zeros((1, 1)))
    found = _excused(judged, begin, None, [{}, {}], "cpu")  # type: ignore[arg-type]
    assert found["b1"] == judged["b1"]
    if excused:
        reason = f"a unit or a maximum took the other side of its kink at step {kink}; up to there the two sides agree"
        assert found["W1"] == judged["W1"]._replace(fails=False, untold=True, reason=reason)
    else:
        assert found == judged
