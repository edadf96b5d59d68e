"""The coarse search: all draws together end where each ends alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from manual.architecture import Add, Architecture, BatchNorm, Conv, Dense, Dropout, Flatten, LayerNorm, Pool
from manual.shared.recipe_runs import train
from manual.shared.search_ranges import COARSE
from manual.shared.settings import Examples, Settings, start
from parity_tests.comparison.free_runs import REPEATS, judge_by_spread, moved
from parity_tests.tests.slices import sliced
from torch_ref.__main__ import main
from torch_ref.recipe import backend
from torch_ref.search import Draw, Plan, Trial, draws, exploded, search

COLUMNS = Architecture(6, (Dense(9, "relu"), Dropout(0.8), Dense(3, "softmax")))
VOLUMES = Architecture((6, 6, 2), (Conv(3, 3, activation="tanh"), Pool(2, 2), Flatten(), Dense(1, "sigmoid")))
NORMS = Architecture(
    6, (Dense(5, "identity"), BatchNorm("relu"), Dense(5, "identity"), LayerNorm(), Add(2), Dense(3, "softmax"))
)
POINTS = [Draw(3e-3, 1e-2), Draw(1e-2, 0.0), Draw(3e-2, 2.0)]


def examples(net: Architecture, m: int, seed: int) -> Examples:
    """Normal inputs and drawn classes."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, max(2, net.outputs), m)
    Y = np.eye(net.outputs)[:, classes] if net.outputs > 1 else classes[None].astype(np.float64)
    return Examples(rng.standard_normal(net.batch_shape(0, m)), Y)


def by_point(trials: list[Trial]) -> dict[Draw, Trial]:
    """Trials by what was drawn."""
    return {Draw(trial.learning_rate, trial.reg): trial for trial in trials}


def again(run: Callable[[], None]) -> Callable[[], None]:
    """What a graph does, without one."""
    run()
    return run


MARKS: tuple[Any, ...] = ((), pytest.mark.slow, pytest.mark.slow, ())
TOGETHER = [
    pytest.param(net, optimizer, (None, again)[(i + j) % 2], id=f"{name}-{optimizer}", marks=MARKS[j])
    for i, (name, net) in enumerate({"columns": COLUMNS, "volumes": VOLUMES, "norms": NORMS}.items())
    for j, optimizer in enumerate(("gradient_descent", "momentum", "rmsprop", "adam"))
]
"""Every network with every optimiser, one eager and the other recorded."""


@pytest.mark.parametrize(("net", "optimizer", "capture"), sliced(TOGETHER, 6))
def test_together_is_as_one_by_one(
    net: Architecture, optimizer: str, capture: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch_ref.search.capture_on", lambda device: capture)
    data, validation = examples(net, 34, 0), examples(net, 11, 1)  # the last batch is short
    plan = Plan(epochs=3, batch_size=10, optimizer=optimizer, seed=5)
    found = by_point(search(net, data, validation, POINTS, plan))
    assert found.keys() == set(POINTS)
    rng = np.random.default_rng(0)
    for point, trial in found.items():
        settings = plan.settings(point)
        alone = train(backend(), net, data, settings, point.reg)
        drawn, _ = start(net, settings, np.float64)
        starts = [moved(drawn, rng) for _ in range(REPEATS)]
        repeats = [train(backend(), net, data, settings, point.reg, params=params).params for params in starts]
        judged = judge_by_spread(alone.params, trial.params, repeats, np.float64)
        assert not any(judgement.fails for judgement in judged.values())
        other = trial.params["W1"] * (1 + 1e-9)
        assert judge_by_spread({"W1": alone.params["W1"]}, {"W1": other}, repeats, np.float64)["W1"].fails


def test_a_plan_says_how_every_draw_is_trained() -> None:
    plan = Plan(epochs=3, batch_size=7, decay=0.8, optimizer="momentum", initialization="xavier", seed=5)
    assert plan.settings(Draw(0.1, 0.25)) == Settings(
        optimizer="momentum",
        learning_rate=0.1,
        epochs=3,
        batch_size=7,
        lambda_=0.25 * 7,
        decay="exponential",
        decay_options={"decay": 0.8},
        initialization="xavier",
        seed=5,
    )


def test_the_validation_part_is_judged_without_dropout_and_penalty() -> None:
    from torch_ref.training import Learner

    data, validation = examples(COLUMNS, 40, 0), examples(COLUMNS, 11, 1)
    plan = Plan(epochs=1, batch_size=10)
    for trial in search(COLUMNS, data, validation, POINTS, plan):
        learner = Learner(COLUMNS, data, plan.settings(POINTS[0]))
        learner.restore(trial.params, None, 0)
        cost, A_L = learner.evaluate(*validation)
        assert trial.cost == pytest.approx(cost, rel=1e-13)
        assert trial.score == np.mean(A_L.argmax(axis=0) == validation.Y.argmax(axis=0))


def test_an_explosion_disturbs_no_other_draw() -> None:
    data, validation = examples(COLUMNS, 40, 0), examples(COLUMNS, 11, 1)
    plan = Plan(epochs=8, batch_size=10, optimizer="gradient_descent")
    quiet, wild = Draw(1e-2, 1e-3), Draw(1.0, 1e5)
    trials = search(COLUMNS, data, validation, [wild, quiet], plan)
    assert [trial.exploded for trial in trials] == [False, True]
    (alone,) = search(COLUMNS, data, validation, [quiet], plan)
    for name, value in alone.params.items():
        np.testing.assert_allclose(trials[0].params[name], value, rtol=1e-12)


def test_a_short_last_batch_is_no_explosion() -> None:
    data, validation = examples(COLUMNS, 23, 0), examples(COLUMNS, 11, 1)
    (trial,) = search(COLUMNS, data, validation, [Draw(1e-6, 1e4)], Plan(epochs=2, batch_size=20))
    assert not trial.exploded


def test_what_an_explosion_is() -> None:
    calm = np.linspace(1, 0.5, 60)
    costs = np.stack([calm, calm + 2.5 * (np.arange(60) == 7), np.linspace(1, 5, 60), np.full(60, np.nan)], axis=1)
    assert exploded(costs).tolist() == [False, False, True, True]
    assert exploded(costs[:3]).tolist() == [False, False, False, True]


def test_draws_are_uniform_in_their_logarithms() -> None:
    points = draws(4000, np.random.default_rng(0))
    for values, (low, high) in zip(
        ([point.reg for point in points], [point.learning_rate for point in points]), COARSE, strict=True
    ):
        assert low <= min(np.log10(values)) < max(np.log10(values)) <= high
        exponents = (np.log10(values) - low) / (high - low)
        # the mean of n uniform numbers has deviation 1/sqrt(12 n): five of them
        assert abs(exponents.mean() - 0.5) < 5 / np.sqrt(12 * 4000)
        np.testing.assert_allclose(np.quantile(exponents, [0.1, 0.9]), [0.1, 0.9], atol=5 * 0.3 / np.sqrt(4000))
    assert draws(3, np.random.default_rng(1)) == draws(3, np.random.default_rng(1))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"epochs": 0}, "epochs is 0, expected a whole number of at least 1"),
        ({"batch_size": 0}, "batch_size is 0, expected a whole number of at least 1"),
        ({"decay": 1.5}, r"decay is 1\.5, expected a number in \(0, 1\]"),
        ({"optimizer": "sgd"}, "optimizer is 'sgd', expected one of gradient_descent"),
        ({"optimizer": "adamw"}, "optimizer is 'adamw', expected one of gradient_descent"),
    ],
)
def test_plans_out_of_range_are_refused(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Plan(**wrong)


def test_searches_without_draws_or_data_are_refused() -> None:
    data = examples(COLUMNS, 20, 0)
    with pytest.raises(ValueError, match="points is empty, expected at least 1 draw"):
        search(COLUMNS, data, data, [])
    with pytest.raises(ValueError, match="draws is 0, expected at least 1"):
        draws(0, np.random.default_rng(0))
    with pytest.raises(ValueError, match="X has shape"):
        search(VOLUMES, data, data, POINTS)


WORDS = ["search", "--device", "cpu", "--hidden", "16", "--epochs", "1"]


def test_the_table_shows_the_best(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WORDS, "--draws", "12", "--top", "3"]) == 0
    shown = capsys.readouterr().out
    assert "digits: 64 - dense16 relu - dropout0.8 - dense10 softmax" in shown
    assert "The best of 12 draws after 1 epochs" in shown
    assert "a finer search: learning rate" in shown
    assert sum("e-0" in line for line in shown.splitlines()) == 3 + 1


def test_too_little_memory_is_said_with_fewer_draws(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr("torch_ref.commands.search.search", full)
    assert main([*WORDS, "--draws", "8"]) == 2
    expected = (
        "draws is 8, expected fewer, such as --draws 4, or a smaller --batch-size: the memory of cpu is too small"
    )
    assert expected in capsys.readouterr().err


def test_json_has_all_draws(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WORDS, "--draws", "7", "--dataset", "diabetes", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert len(report["draws"]) == 7
    assert report["draws"][0].keys() == {"learning_rate", "reg", "cost", "score", "exploded"}
    scores = [draw["score"] for draw in report["draws"] if not draw["exploded"]]
    assert scores == sorted(scores, reverse=True)
    low, high = report["finer"]["reg"]
    assert 10.0 ** COARSE[0].low <= low < high <= 10.0 ** COARSE[0].high


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--draws", "0"], "draws is 0, expected at least 1"),
        (["--seed", "-1"], "seed is -1 and top is 10, expected at least 0 and at least 1"),
        (["--device", "tpu"], "device is 'tpu', expected one of"),
        (["--decay", "2"], "decay is 2.0, expected a number in (0, 1]"),
        (["--dataset", "nist"], "dataset is 'nist', expected one of"),
    ],
)
def test_bad_usage_gets_one_sentence(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*WORDS, *words]) == 2
    complaint = capsys.readouterr().err
    assert sentence in complaint
    assert len(complaint.splitlines()) == 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device")
@pytest.mark.parametrize("net", [COLUMNS, VOLUMES], ids=["columns", "volumes"])
def test_on_a_gpu_the_draws_end_as_on_the_cpu(net: Architecture) -> None:
    data, validation = examples(net, 40, 0), examples(net, 11, 1)
    plan = Plan(epochs=3, batch_size=15)
    here, there = (by_point(search(net, data, validation, POINTS, plan, device=where)) for where in ("cpu", "cuda"))
    for point, trial in here.items():
        for name, value in trial.params.items():
            np.testing.assert_allclose(there[point].params[name], value, rtol=0, atol=1e-9)
