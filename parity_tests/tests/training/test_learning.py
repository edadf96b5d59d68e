"""The loop of training, driven by learners that follow a script: early stopping, explosion, history, progress."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manual.architecture import Architecture, Dense
from manual.shared.loop import generator_from, run
from manual.shared.settings import (
    COSTS_SEEN,
    FIRST_EXAMPLES,
    Examples,
    Explosion,
    Run,
    Settings,
    batches,
    held_back,
    score_of,
    start,
    take,
)
from manual.training import minibatches

ONE = Architecture(1, (Dense(1, "sigmoid"),))


class Scripted:
    """A learner whose costs and validation scores, in tenths, are written down; W1 counts its steps."""

    def __init__(self, costs: Sequence[float], scores: Sequence[int] = (), first: float = 1.0, look_every: int = 1):
        self.costs, self.scores, self.first, self.look_every = costs, list(scores), first, look_every
        self.steps, self.rates = 0, [0.5]
        self.batches: list[list[int]] = []
        self.first_evaluated: list[tuple[list[float], int]] = []

    def restore(self, params: Any, state: Any, epochs: int) -> None:
        """Go on from so many steps."""
        self.steps = int(params["W1"].item())

    def begin_epoch(self, epoch: int) -> float:
        """The next rate that is written down; the last one stays."""
        return self.rates[min(epoch, len(self.rates) - 1)]

    def step(self, batch: Any, masks: Any) -> tuple[float, int]:
        """The next cost."""
        self.steps += 1
        self.batches.append(batch.tolist())
        return self.costs[self.steps - 1], len(batch)

    def look(self, outcome: tuple[float, int]) -> tuple[float, Any]:
        """The cost, and answers that are all right."""
        return outcome[0], np.zeros((1, outcome[1]))

    def gradient_norm(self) -> float:
        """As long as there are steps."""
        return float(self.steps)

    def evaluate(self, X: Any, Y: Any, penalty_m: int | None = None, weights: Any = None) -> tuple[float, Any]:
        """The first cost; on a validation part as many right answers as are written down."""
        if penalty_m is not None:
            self.first_evaluated.append((X[0].tolist(), penalty_m))
            return self.first, None
        return 0.25, np.arange(10.0)[None] >= self.scores.pop(0)

    def params(self) -> dict[str, Any]:
        """The number of steps."""
        return {"W1": np.full((1, 1), float(self.steps)), "b1": np.zeros((1, 1))}

    def state(self) -> dict[str, Any]:
        """Nothing."""
        return {}


TEN = Examples(np.zeros((1, 10)), np.zeros((1, 10)))


def play(learner: Scripted, m: int = 3, **options: Any) -> Run:
    """Run the loop over m examples, one a batch, as the script has it."""
    more = {name: options.pop(name) for name in ("validation", "resume", "on_epoch", "on_step") if name in options}
    settings = Settings(**{"epochs": 10, "batch_size": 1, **options})
    data = Examples(np.zeros((1, m)), np.zeros((1, m)))
    return run(learner, ONE, data, settings, np.random.default_rng(0), **more)


def steps_of(found: Run) -> float:
    """What W1 says."""
    return float(found.params["W1"].item())


@pytest.mark.parametrize(
    ("scores", "options", "stopped", "epochs", "best"),
    [
        ([5, 7, 7, 6], {"patience": 2}, "early", 4, 2),
        ([5, 7, 7, 8, 8, 8], {"patience": 2}, "early", 6, 4),
        ([5, 6, 6, 8], {"patience": 2, "tol": 0.15}, "early", 3, 2),
        ([5, 6, 8, 7, 7], {"patience": 2, "tol": 0.15}, "early", 5, 3),
        ([5, 7, 7], {"patience": 2, "epochs": 3}, "", 3, 2),
        ([5, 7, 6], {"epochs": 3}, "", 3, 3),
    ],
)
def test_early_stopping_waits_for_the_validation_score_and_goes_back_to_the_best(
    scores: list[int], options: dict[str, Any], stopped: str, epochs: int, best: int
) -> None:
    found = play(Scripted([1.0] * 30, scores), validation=TEN, **options)
    assert (found.stopped, len(found.history), steps_of(found)) == (stopped, epochs, 3 * best)
    assert [epoch.validation_score for epoch in found.history] == [score / 10 for score in scores[:epochs]]
    assert {epoch.validation_cost for epoch in found.history} == {0.25}


def test_without_a_validation_part_the_cost_decides_and_the_last_parameters_stay() -> None:
    costs = [1.0, 0.8, 0.9, 0.79995, 0.85]
    found = play(Scripted(costs), m=1, patience=3)
    assert (found.stopped, len(found.history), steps_of(found)) == ("early", 5, 5)
    assert [epoch.cost for epoch in found.history] == costs
    assert {(epoch.validation_cost, epoch.validation_score) for epoch in found.history} == {(None, None)}


def test_a_score_that_is_not_a_number_is_waited_for_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("manual.shared.loop.score_of", lambda *_: math.nan)
    found = play(Scripted([1.0] * 30, [5] * 10), validation=TEN, patience=2)
    assert (found.stopped, len(found.history), steps_of(found)) == ("early", 2, 6)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("look_every", [1, 2, 4])
def test_a_cost_that_is_not_finite_stops_the_run_at_its_step(bad: float, look_every: int) -> None:
    found = play(Scripted([1.0] * 6 + [bad] + [1.0] * 23, look_every=look_every))
    assert found.stopped == "exploded"
    assert found.explosion is not None
    assert (found.explosion.epoch, found.explosion.step) == (3, 7)
    assert [epoch.epoch for epoch in found.history] == [1, 2, 3]
    assert f"the cost is {bad:.4g} at step 7 (epoch 3), expected a finite cost" in found.explosion.sentence()


def test_a_cost_that_rises_stops_the_run_once_its_mean_is_three_times_the_first() -> None:
    found = play(Scripted([1.0] * 20 + [10.0] * 20), m=40, epochs=1)
    # of the last 20 costs, 4 tens give a mean of 2.8, and 5 one of 3.25
    assert found.explosion == Explosion(1, 25, 3.25, 1.0)
    assert found.explosion.sentence() == (
        "the cost rose to 3.25 at step 25 (epoch 1), expected a finite cost of at most 3 times its first value 1: "
        "a smaller learning rate usually helps"
    )
    assert (found.stopped, len(found.history), found.history[0].step) == ("exploded", 1, 25)


@pytest.mark.parametrize("unlucky", [1, 5, 20, 39])
def test_one_unlucky_batch_is_no_explosion(unlucky: int) -> None:
    costs = [1.0] * 40
    costs[unlucky - 1] = 40.0 if unlucky == 1 else 30.0
    assert play(Scripted(costs), m=40, epochs=1).stopped == ""


def test_a_run_that_goes_on_remembers_the_costs_that_it_saw() -> None:
    costs, saw = [1.0] * 17 + [10.0] * 13, list[Run]()
    # of 20 costs, 5 tens are too many; of the 2 after the second epoch, one would be
    whole = play(Scripted(costs), m=10, epochs=3, on_epoch=saw.append)
    assert whole.explosion == Explosion(3, 22, 3.25, 1.0)
    assert play(Scripted(costs), m=10, epochs=3, resume=saw[1]).explosion == whole.explosion


def test_an_exploded_run_does_not_go_back_to_the_best() -> None:
    found = play(Scripted([1.0] * 6 + [math.nan], [5, 7, 7]), validation=TEN, patience=5)
    assert (found.stopped, steps_of(found)) == ("exploded", 7)
    assert found.best is not None
    assert found.best["W1"].item() == 6


def test_a_short_batch_counts_less_in_the_cost_of_the_epoch() -> None:
    found = play(Scripted([1.0, 2.0, 3.0]), m=5, epochs=1, batch_size=2)
    assert found.history[0].cost == pytest.approx((2 * 1 + 2 * 2 + 1 * 3) / 5, rel=1e-15)


def test_a_full_batch_that_rises_stops_in_its_second_epoch() -> None:
    found = play(Scripted([1.0, 9.0, 9.0]), m=1)
    assert found.explosion == Explosion(2, 2, 5.0, 1.0)


def test_the_first_step_counts_as_the_first_cost_where_dropout_made_it_larger() -> None:
    assert play(Scripted([1.0] * 30, first=0.01)).stopped == ""
    found = play(Scripted([1.0] + [4.0] * 40, first=0.01), m=1, epochs=40)
    assert found.explosion is not None
    assert found.explosion.first == 1.0


def test_an_exploded_run_keeps_its_last_parameters_and_what_ended_stays_ended() -> None:
    saw: list[Run] = []
    costs = [1.0, 0.5, math.nan, 1.0]
    found = play(Scripted(costs), m=1, patience=5, on_epoch=saw.append)
    assert (found.stopped, steps_of(found), len(saw)) == ("exploded", 3, 3)
    again = play(Scripted(costs), m=1, patience=5, resume=saw[-1])
    assert (again.stopped, again.explosion, len(again.history)) == ("exploded", found.explosion, 3)

    early: list[Run] = []
    found = play(Scripted([1.0] * 9), m=1, patience=2, on_epoch=early.append)
    assert (found.stopped, steps_of(found)) == ("early", 3)
    again = play(Scripted([1.0] * 9), m=1, patience=2, resume=early[-1])
    assert (again.stopped, steps_of(again), again.history) == ("early", 3, found.history)
    longer = play(Scripted([1.0] * 9), m=1, patience=4, resume=early[-1])
    assert (longer.stopped, len(longer.history)) == ("early", 5)


def test_what_the_run_hands_out_stays_as_it_was() -> None:
    saw: list[Run] = []
    heard: list[tuple[int, int]] = []
    play(Scripted([1.0] * 12), epochs=4, on_epoch=saw.append, on_step=lambda *at: heard.append(at))
    assert [len(each.history) for each in saw] == [len(each.progress["history"]) for each in saw] == [1, 2, 3, 4]
    assert [steps_of(each) for each in saw] == [3, 6, 9, 12]
    assert heard == [(step, 12) for step in range(1, 13)]
    assert [epoch.gradient_norm for epoch in saw[-1].history] == [3, 6, 9, 12]
    assert json.loads(json.dumps(saw[-1].progress))["epoch"] == 4


def test_a_learning_rate_that_ends_is_refused() -> None:
    learner = Scripted([1.0] * 9)
    learner.rates = [0.5, 0.0]
    with pytest.raises(ValueError, match=r"^the learning rate of epoch 2 is 0.0, expected one above 0$"):
        play(learner)


def test_batches_come_in_a_new_order_every_epoch_or_as_they_are() -> None:
    shuffled, as_they_are = Scripted([1.0] * 8), Scripted([1.0] * 8)
    play(shuffled, m=40, epochs=2, batch_size=10)
    play(as_they_are, m=40, epochs=2, batch_size=10, shuffle=False)
    rng, orders = np.random.default_rng(0), []
    for _ in range(2):
        orders += [batch.tolist() for batch in batches(40, 10, rng)]
    assert shuffled.batches == orders
    assert orders[:4] != orders[4:]
    assert as_they_are.batches == [list(range(begin, begin + 10)) for begin in (0, 10, 20, 30)] * 2


@pytest.mark.parametrize(("m", "size", "m_of_the_penalty"), [(1200, 400, 400), (30, 400, 30)])
def test_the_first_cost_is_that_of_the_first_examples_with_the_penalty_of_a_batch(
    m: int, size: int, m_of_the_penalty: int
) -> None:
    learner = Scripted([1.0] * 9)
    data = Examples(np.arange(m)[None] + 0.0, np.zeros((1, m)))
    run(learner, ONE, data, Settings(epochs=2, batch_size=size), np.random.default_rng(0))
    assert learner.first_evaluated == [(list(range(min(m, FIRST_EXAMPLES))), m_of_the_penalty)]


@pytest.mark.parametrize("ndim", [2, 4])
@pytest.mark.parametrize(("m", "share", "held"), [(20, 0.1, 2), (27, 0.1, 3), (23, 0.1, 2), (4, 0.1, 1), (2, 0.5, 1)])
def test_the_last_examples_are_held_back_with_their_targets(ndim: int, m: int, share: float, held: int) -> None:
    Y = np.arange(m)[None] + 0.0
    X = -Y if ndim == 2 else -Y.reshape(m, 1, 1, 1)
    first, last = held_back(Examples(X, Y), share)
    assert first.Y.tolist() == [list(range(m - held))]
    assert last.Y.tolist() == [list(range(m - held, m))]
    for part in (first, last):
        assert (part.X.ravel() == -part.Y.ravel()).all()
        assert part.X.ndim == ndim
    with pytest.raises(ValueError, match="the training part has 1 example, expected at least 2: some are held back"):
        held_back(Examples(take(X, np.arange(1)), Y[:, :1]), share)


def test_given_parameters_change_nothing_that_is_drawn_after_them_and_take_the_dtype_of_the_data() -> None:
    drawn, rng = start(ONE, Settings(seed=4), np.float32)
    given = {name: value + np.float64(1) for name, value in drawn.items()}
    params, same = start(ONE, Settings(seed=4), np.float32, given)
    assert {value.dtype for value in params.values()} == {np.dtype(np.float32)}
    assert all((params[name] == given[name]).all() for name in given)
    assert same.bit_generator.state == rng.bit_generator.state
    assert same.bit_generator.state != np.random.default_rng(4).bit_generator.state


@given(st.integers(1, 40), st.integers(1, 50), st.integers(0, 9), st.sampled_from((2, 4)))
def test_every_epoch_takes_every_example_once_and_its_target_with_it(m: int, size: int, seed: int, ndim: int) -> None:
    Y = np.arange(m)[None] + 0.0
    X = np.concatenate([Y, -Y]) if ndim == 2 else np.arange(m).reshape(m, 1, 1, 1) * np.ones((1, 3, 2, 2))
    found = list(minibatches(X, Y, size, np.random.default_rng(seed)))
    counts = [part.Y.shape[1] for part in found]
    assert counts == [size] * (m // size) + [m % size] * (m % size > 0)
    assert sorted(np.concatenate([part.Y[0] for part in found])) == list(range(m))
    for part in found:
        if ndim == 2:
            assert (np.concatenate([part.Y, -part.Y]) == part.X).all()
        else:
            assert (part.Y[0][:, None, None, None] == part.X).all()
            assert part.X.shape == (part.Y.shape[1], 3, 2, 2)
    again = minibatches(X, Y, size, np.random.default_rng(seed))
    assert all((one.Y == other.Y).all() for one, other in zip(found, again, strict=True))
    assert [list(batch) for batch in batches(m, size, None)] == [
        list(range(begin, min(begin + size, m))) for begin in range(0, m, size)
    ]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: list(batches(3, 0, None)), "size is 0, expected at least 1 example in a batch"),
        (
            lambda: list(minibatches(np.ones((2, 3)), np.ones((1, 4)), 2, np.random.default_rng(0))),
            "Y has shape (1, 4), expected 3 columns: one for each example of X",
        ),
        (lambda: Settings(epochs=0), "epochs is 0, expected a whole number of at least 1: a run has at least one"),
        (lambda: Settings(epochs=2.5), "epochs is 2.5, expected a whole number"),  # type: ignore[arg-type]
        (lambda: Settings(batch_size=0), "batch_size is 0, expected a whole number of at least 1"),
        (lambda: Settings(seed=-1), "seed is -1, expected a whole number of at least 0"),
        (lambda: Settings(learning_rate=0), "learning_rate is 0, expected a finite number above 0"),
        (lambda: Settings(learning_rate=math.nan), "learning_rate is nan, expected a finite number above 0"),
        (lambda: Settings(learning_rate="fast"), "learning_rate is 'fast', expected a finite"),  # type: ignore[arg-type]
        (lambda: Settings(lambda_=-1), "lambda is -1, expected a finite number of at least 0"),
        (lambda: Settings(tol=math.inf), "tol is inf, expected a finite number of at least 0"),
        (lambda: Settings(clip=0), "clip is 0, expected a number above 0: the longest gradient"),
        (lambda: Settings(patience=0), "patience is 0, expected at least 1 epoch"),
        (lambda: generator_from({"bit_generator": "MT19937"}), "the generator is 'MT19937', expected 'PCG64'"),
    ],
)
def test_bad_settings_get_one_plain_sentence(call: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value).startswith(sentence)


def test_score_of() -> None:
    A = np.array([[0.6, 0.2, 0.5], [0.3, 0.7, 0.5], [0.1, 0.1, 0.0]])
    assert score_of("softmax", A, np.eye(3)) == pytest.approx(2 / 3)
    assert score_of("sigmoid", A, np.eye(3)) == pytest.approx(8 / 9)  # every label counts; 1/2 is no
    Y = np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 9.0]])
    assert score_of("identity", Y, Y) == 1
    assert score_of("identity", Y + np.array([[1], [0]]), Y) == pytest.approx((1 - 3 / 2 + 1) / 2)
    times = np.array([1, 0, 2])
    for unit, targets in (("softmax", np.eye(3)), ("sigmoid", np.eye(3)), ("identity", Y)):
        answers = A[: len(targets)]
        repeated = score_of(unit, np.repeat(answers, times, axis=1), np.repeat(targets, times, axis=1))
        assert score_of(unit, answers, targets, 3.0 * times[None]) == pytest.approx(repeated)
    assert score_of("identity", np.ones((1, 3)), np.zeros((1, 3))) == -math.inf
    assert math.isnan(score_of("identity", np.zeros((1, 3)), np.zeros((1, 3))))
    assert COSTS_SEEN == 20
