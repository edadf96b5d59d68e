"""Training with both packages: the same history and parameters, resumed bit for bit, and what it refuses."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from itertools import cycle
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch

from manual import training as by_hand
from manual.architecture import Architecture, Conv, Dense, Dropout, Flatten, Pool
from manual.optimizers import OPTIMIZERS
from manual.schedules import SCHEDULES
from manual.shared.settings import Examples, Run, Settings, WeightedExamples
from parity_tests.tests.slices import sliced
from torch_ref import training as by_torch
from torch_ref.training import Hardware

PACKAGES = [by_hand, by_torch]
EACH_PACKAGE = pytest.mark.parametrize("package", PACKAGES, ids=["manual", "torch_ref"])
EACH_OPTIMIZER = pytest.mark.parametrize("optimizer", list(OPTIMIZERS))

DENSE = Architecture(4, (Dense(6, "tanh"), Dropout(0.7), Dense(5, "sigmoid"), Dropout(0.8), Dense(3, "softmax")))
CONV = Architecture(
    (5, 6, 2),
    (
        Conv(3, 2, activation="tanh"),
        Dropout(0.9),
        Pool(2, 2, "average"),
        Flatten(),
        Dropout(0.8),
        Dense(4, "tanh"),
        Dense(3, "softmax"),
    ),
)
EACH_NETWORK = pytest.mark.parametrize("net", [DENSE, CONV], ids=["dense", "conv"])
M = 23


def examples(net: Architecture, m: int = M, dtype: Any = np.float64, seed: int = 0) -> Examples:
    """Inputs, and targets that the output unit can have."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal(net.batch_shape(0, m)).astype(dtype)
    if net.output_unit == "identity":
        return Examples(X, rng.standard_normal((net.outputs, m)).astype(dtype))
    return Examples(X, np.eye(net.outputs, dtype=dtype)[:, rng.integers(0, net.outputs, m)])


SETTINGS = Settings(
    learning_rate=0.01, epochs=4, batch_size=5, lambda_=0.7, decay="exponential", clip=0.5, patience=9, seed=3
)


def history(run: Run) -> list[Any]:
    """The lines of the history without their times."""
    return [epoch._replace(seconds=0.0) for epoch in run.history]


@EACH_NETWORK
@EACH_OPTIMIZER
@pytest.mark.parametrize("dtype", sliced([np.float64, np.float32], 2), ids=["float64", "float32"])
def test_both_packages_agree_to_rounding(net: Architecture, optimizer: str, dtype: Any) -> None:
    settings = replace(SETTINGS, optimizer=optimizer, patience=None)
    X, Y = examples(net, dtype=dtype)
    validation = examples(net, 11, dtype, seed=1)
    ours, theirs = (package.fit(net, X, Y, settings, validation=validation) for package in PACKAGES)
    units = 2e4 * float(
        np.finfo(dtype).eps
    )  # 20 smooth steps: rounding grows a little, a slip shows in the third digit
    np.testing.assert_allclose(
        np.array(history(ours), float), np.array(history(theirs), float), rtol=units, atol=units / 10
    )
    assert ours.params.keys() == theirs.params.keys()
    for name, value in ours.params.items():
        assert value.dtype == theirs.params[name].dtype == dtype
        np.testing.assert_allclose(value, theirs.params[name], rtol=units, atol=units / 10)
    rates = [epoch.learning_rate for epoch in ours.history]
    np.testing.assert_allclose(rates, [0.01, 0.009, 0.0081, 0.00729], rtol=1e-14)
    assert [epoch.step for epoch in ours.history] == [5, 10, 15, 20]
    assert all(epoch.gradient_norm <= 0.5 * (1 + units) for epoch in ours.history)


def stored(run: Run) -> Run:
    """The run as a checkpoint keeps it: arrays of its own, and JSON."""
    kept = {name: value.copy() for name, value in run.params.items()}
    return run._replace(params=kept, progress=json.loads(json.dumps(run.progress)))


@EACH_PACKAGE
@pytest.mark.parametrize(("optimizer", "decay"), sliced(list(zip(OPTIMIZERS, cycle(SCHEDULES))), 6))
def test_a_run_resumed_after_any_epoch_ends_in_the_same_bits(package: ModuleType, optimizer: str, decay: str) -> None:
    X, Y = examples(DENSE)
    settings = replace(SETTINGS, optimizer=optimizer, decay=decay)
    validation = examples(DENSE, 11, seed=1)
    saw: list[Run] = []
    whole = package.fit(DENSE, X, Y, settings, validation=validation, on_epoch=lambda run: saw.append(stored(run)))
    assert len(saw) == 4
    for run in saw:
        again = package.fit(DENSE, X, Y, settings, validation=validation, resume=run)
        assert history(again) == history(whole)
        for one, other in ((again.params, whole.params), (again.state, whole.state), (again.best, whole.best)):
            assert one is not None
            assert one.keys() == other.keys()
            assert all((one[name] == other[name]).all() for name in one)
        assert again.progress["generator"] == whole.progress["generator"]


@EACH_PACKAGE
def test_one_seed_gives_one_run_and_another_seed_another(package: ModuleType) -> None:
    X, Y = examples(CONV)
    one, same, other = (package.fit(CONV, X, Y, replace(SETTINGS, seed=seed)) for seed in (1, 1, 2))
    assert history(one) == history(same) != history(other)
    assert (one.params["W1"] != other.params["W1"]).all()


class Lazy:
    """Examples that are read as they are taken."""

    def __init__(self, X: Any) -> None:
        self.kept, self.shape, self.dtype, self.ndim = X, X.shape, X.dtype, X.ndim

    def take(self, indices: Any) -> Any:
        """The examples of these numbers."""
        return self.kept[:, indices] if self.ndim == 2 else self.kept[indices]


@EACH_PACKAGE
@EACH_NETWORK
def test_examples_may_be_held_elsewhere(package: ModuleType, net: Architecture) -> None:
    X, Y = examples(net)
    validation = examples(net, 7)
    held = package.fit(net, Lazy(X), Y, SETTINGS, validation=validation._replace(X=Lazy(validation.X)))
    whole = package.fit(net, X, Y, SETTINGS, validation=validation)
    np.testing.assert_allclose(np.array(history(held), float), np.array(history(whole), float), rtol=1e-12)
    with pytest.raises(ValueError, match=r"Y has shape \(3, 22\), expected \(3, 23\)"):
        package.fit(net, Lazy(X), Y[:, 1:], SETTINGS)


@EACH_PACKAGE
@EACH_NETWORK
def test_evaluation_in_chunks_is_evaluation_at_once(
    monkeypatch: pytest.MonkeyPatch, package: ModuleType, net: Architecture
) -> None:
    data = examples(net)
    learner = package.Learner(net, data, SETTINGS)
    learner.restore(package.fit(net, *data, SETTINGS).params, None, 0)
    cost, A_L = learner.evaluate(*data)
    with_penalty, _ = learner.evaluate(*data, M)
    weights = [value for name, value in learner.params().items() if name[0] == "W"]
    penalty = 0.7 / (2 * M) * sum(float(np.sum(np.square(W))) for W in weights)
    assert with_penalty == pytest.approx(cost + penalty, rel=1e-12)
    assert cost == pytest.approx(float(-np.sum(data.Y * np.log(A_L)) / M), rel=1e-12)
    monkeypatch.setattr(package, "CHUNK", 7)
    in_chunks, answers = learner.evaluate(*data)
    assert in_chunks == pytest.approx(cost, rel=1e-12)
    np.testing.assert_allclose(answers, A_L, rtol=1e-12)
    w = np.random.default_rng(0).uniform(0.5, 2.0, (1, M))
    weighted, _ = learner.evaluate(*data, weights=w)
    assert weighted == pytest.approx(np.average(-np.sum(data.Y * np.log(A_L), axis=0), weights=w[0]), rel=1e-12)
    with_penalty, _ = learner.evaluate(*data, 5, w)
    assert with_penalty == pytest.approx(weighted + penalty * M / (5 * w.mean()), rel=1e-12)


@EACH_PACKAGE
@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
def test_an_explosion_stops_without_a_warning_and_keeps_the_history(package: ModuleType, dtype: Any) -> None:
    net = Architecture(4, (Dense(5, "relu"), Dense(2, "identity")))
    X, Y = examples(net, dtype=dtype)
    run = package.fit(net, X, Y, Settings(optimizer="gradient_descent", learning_rate=1e6, epochs=30, batch_size=5))
    assert run.stopped == "exploded"
    assert run.explosion is not None
    assert run.history[-1].step == run.explosion.step
    assert f"at step {run.explosion.step} (epoch {run.explosion.epoch})" in run.explosion.sentence()


@EACH_PACKAGE
def test_given_parameters_are_where_a_run_starts_and_stay_as_they_are(package: ModuleType) -> None:
    X, Y = examples(DENSE)
    params = package.fit(DENSE, X, Y, SETTINGS).params
    for value in (*params.values(), X, Y):
        value.setflags(write=False)
    run = package.fit(DENSE, X, Y, replace(SETTINGS, learning_rate=1e-12, epochs=1), params=params)
    for name, value in run.params.items():
        np.testing.assert_allclose(value, params[name], rtol=0, atol=1e-10)
        assert not np.shares_memory(value, params[name])


@EACH_PACKAGE
def test_a_learner_that_is_restored_keeps_nothing_of_what_it_did(package: ModuleType) -> None:
    data = examples(DENSE)
    learner, params = package.Learner(DENSE, data, SETTINGS), package.fit(DENSE, *data, SETTINGS).params
    ends = []
    for _ in range(2):
        learner.restore(params, None, 0)
        assert learner.begin_epoch(0) == SETTINGS.learning_rate
        learner.step(np.arange(5), [np.ones((6, 5)), np.ones((5, 5))])
        ends.append(learner.params() | learner.state())
        learner.begin_epoch(3)
        learner.step(np.arange(5, 10), [np.ones((6, 5)), np.ones((5, 5))])
    one, other = ends
    assert one.keys() == other.keys()
    assert all((one[name] == other[name]).all() for name in one)


@EACH_PACKAGE
def test_what_a_learner_hands_out_is_no_longer_its_own(package: ModuleType) -> None:
    data, settings = examples(DENSE), replace(SETTINGS, decay="constant")
    learner = package.Learner(DENSE, data, settings)
    learner.restore(package.fit(DENSE, *data, settings).params, None, 0)
    learner.step(np.arange(5), [np.ones((6, 5)), np.ones((5, 5))])
    before = {name: value.copy() for name, value in (learner.params() | learner.state()).items()}
    for value in (*learner.params().values(), *learner.state().values()):
        value[...] = -1.0
    after = learner.params() | learner.state()
    assert after.keys() == before.keys()
    assert all((after[name] == before[name]).all() for name in before)


def resumed(package: ModuleType, **changes: Any) -> Callable[[], Run]:
    """A run that goes on from a changed run of the dense network."""
    X, Y = examples(DENSE)
    settings = replace(SETTINGS, epochs=1)
    return lambda: package.fit(DENSE, X, Y, SETTINGS, resume=package.fit(DENSE, X, Y, settings)._replace(**changes))


def of_float32(package: ModuleType) -> Run:
    """A run in float32."""
    return package.fit(DENSE, *examples(DENSE, dtype=np.float32), SETTINGS)  # type: ignore[no-any-return]


X, Y = examples(DENSE)

REFUSED: list[tuple[Callable[[ModuleType], Any], str]] = [
    (lambda p: p.fit(DENSE, X.astype(int), Y), "X has dtype int64, expected float32 or float64"),
    (lambda p: p.fit(DENSE, X.astype(np.float16), Y), "X has dtype float16, expected float32 or float64"),
    (lambda p: p.fit(DENSE, X[:3], Y), "X has shape (3, 23), expected (4, 23): the network takes 4 features"),
    (lambda p: p.fit(DENSE, X * np.nan, Y), "X is nan at row 0, example 0, expected a finite number"),
    (lambda p: p.fit(DENSE, X, Y, validation=Examples(X, 2 * Y)), "Y is 2.0 at row"),
    (lambda p: p.fit(DENSE, X, Y, weights=np.ones(23)), "weights has shape (23,), expected (1, 23): one for each"),
    (lambda p: p.fit(DENSE, X, Y, weights=Y[:1]), "the weight of example 1 is 0.0, expected a finite number above 0"),
    (
        lambda p: p.fit(DENSE, X, Y, validation=WeightedExamples(X, Y, np.full((1, 23), np.inf))),
        "the weight of example 0 is inf, expected a finite number above 0",
    ),
    (lambda p: p.fit(DENSE, X, Y, params={}), "params has [], expected ['W1', "),
    (lambda p: p.fit(DENSE, X, Y, Settings(initialization="best")), "scheme is 'best', expected one of zeros"),
    (
        lambda p: p.fit(DENSE, X, Y, Settings(optimizer="sgd")),
        "optimizer is 'sgd', expected one of gradient_descent, momentum, rmsprop, adam, "
        "classical_momentum, nesterov, adamw",
    ),
    (
        lambda p: p.fit(DENSE, X, Y, Settings(optimizer_options={"beta": 0.9})),
        "adam has no option 'beta', expected beta1 or beta2 or epsilon",
    ),
    (
        lambda p: p.fit(DENSE, X, Y, Settings(optimizer="gradient_descent", optimizer_options={"beta": 0.9})),
        "gradient_descent has no option 'beta', expected none",
    ),
    (
        lambda p: p.fit(DENSE, X, Y, Settings(decay="linear")),
        "decay is 'linear', expected one of constant, exponential, inverse_time, staircase, cosine",
    ),
    (
        lambda p: p.fit(DENSE, X, Y, Settings(decay="staircase", decay_options={"step": 3})),
        "staircase has no option 'step', expected decay or every",
    ),
    (
        lambda p: resumed(p, state={"v": np.ones(3)})(),
        "the state has ['v'], expected ['",
    ),
    (lambda p: resumed(p, params={"W1": X})(), "params has ['W1'], expected ['W1', "),
    (
        lambda p: p.fit(DENSE, X, Y, SETTINGS, resume=of_float32(p)),
        "the run to resume is in float32, expected float64: that of X",
    ),
]


@EACH_PACKAGE
@pytest.mark.parametrize(("call", "sentence"), REFUSED, ids=[sentence[:40] for _, sentence in REFUSED])
def test_what_does_not_fit_gets_one_plain_sentence(
    package: ModuleType, call: Callable[[ModuleType], Any], sentence: str
) -> None:
    with pytest.raises(ValueError) as caught:
        call(package)
    assert str(caught.value).startswith(sentence)


@EACH_PACKAGE
def test_a_state_of_another_network_is_refused(package: ModuleType) -> None:
    other = Architecture(4, (Dense(7, "tanh"), Dropout(0.7), Dense(5, "sigmoid"), Dropout(0.8), Dense(3, "softmax")))
    state = package.fit(other, X, Y, SETTINGS).state
    with pytest.raises(ValueError, match=r"of the state has shape \(\d+(, 4)?,?\), expected"):
        resumed(package, state=state)()


def test_a_schedule_that_ends_before_the_run_is_refused_at_once() -> None:
    settings = Settings(epochs=101, decay="cosine")
    with pytest.raises(ValueError, match=r"^epoch is 100, expected less than epochs = 100: there the rate is 0$"):
        by_hand.fit(DENSE, X, Y, settings, on_epoch=lambda run: pytest.fail("an epoch was trained"))


@pytest.mark.parametrize(
    ("hardware", "sentence"),
    [
        (Hardware("tpu"), "device is 'tpu', expected one of auto, cpu, cuda, mps, or cuda:N"),
        (Hardware("cuda:99"), "device is 'cuda:99', but this torch"),
        (Hardware("cuda", graph="on"), "graph is on and the examples have weights, expected none: the steps of a"),
        (Hardware(amp=True), "X has dtype float64, expected float32: amp leaves other dtypes as they are"),
    ],
)
def test_hardware_that_is_not_there_or_of_no_use_is_refused(hardware: Hardware, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        by_torch.fit(DENSE, X, Y, SETTINGS, weights=np.ones((1, 23)), hardware=hardware)
    assert str(caught.value).startswith(sentence)


def test_amp_rounds_and_deterministic_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    data = examples(DENSE, dtype=np.float32)
    plain, rounded, careful = (
        by_torch.fit(DENSE, *data, SETTINGS, hardware=Hardware(**how))  # type: ignore[arg-type]
        for how in ({}, {"amp": True}, {"deterministic": True})
    )
    assert torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(False)
    assert os.environ.pop("CUBLAS_WORKSPACE_CONFIG") == ":4096:8"  # or torch refuses products on CUDA
    assert history(plain) == history(careful) != history(rounded)
    np.testing.assert_allclose(plain.history[-1].cost, rounded.history[-1].cost, rtol=2**-7)
    assert rounded.params["W1"].dtype == np.float32
