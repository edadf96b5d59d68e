"""The recipe: N3's numbers, both packages alike, and the parts of its search."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from datasets import load
from manual.architecture import Architecture, Dense, Dropout
from manual.checks import parts
from manual.recipe.run import Plan, steps
from manual.recipe.run import backend as manual_backend
from manual.recipe.search import Searched, Trial, chance_of, finer
from manual.recipe.steps import overfitting, small_parameters, turned_up
from manual.shared.recipe_runs import Backend, cost, slopes, train
from manual.shared.search_ranges import COARSE, FINE, Range, range_of
from manual.shared.settings import Examples, Settings, held_back
from parity_tests.tests.recipe.recipe_subject import BACKENDS, SHORT, digits, silent, taken
from torch_ref.recipe import backend as torch_backend

# N3's own numbers


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_first_losses_of_the_notes(backend: Backend) -> None:
    """2.3026 without regularisation, and 3.0685974 with reg 1e3, on 3072-50-10 and 0.0001 times a normal draw."""
    net = Architecture(3072, (Dense(50, "relu"), Dense(10, "softmax")))
    rng = np.random.default_rng(0)
    data = Examples(rng.standard_normal((3072, 60)), np.eye(10)[:, np.arange(60) % 10])
    params = small_parameters(net, 0)
    assert cost(backend, net, params, data, 0.0) == pytest.approx(math.log(10), abs=1e-4)
    # sum W^2 of n draws is 1e-8 (n, give or take sqrt(2 n)); the notes' own draw lies within four of these deviations
    n = 50 * 3072 + 50 * 10
    raised, deviation = 0.5 * 1e3 * 1e-8 * n, 0.5 * 1e3 * 1e-8 * math.sqrt(2 * n)
    found = cost(backend, net, params, data, 1e3)
    assert found == pytest.approx(math.log(10) + raised, abs=4 * deviation)
    assert pytest.approx(math.log(10) + raised, abs=4 * deviation) == 3.0685974
    assert f"{math.log(10) + raised:.2f}" == "3.07"


@pytest.mark.parametrize("backend", BACKENDS)
def test_reg_is_lambda_over_the_m_of_each_batch(backend: Backend) -> None:
    """With no data term a step of gradient descent shrinks W by 1 - alpha reg on full and short batches alike."""
    net = Architecture(3, (Dense(2, "identity"),))
    data = Examples(np.zeros((3, 7)), np.zeros((2, 7)))
    params = {"W1": np.arange(6.0).reshape(2, 3), "b1": np.zeros((2, 1))}
    settings = Settings(optimizer="gradient_descent", learning_rate=0.1, epochs=1, batch_size=4, shuffle=False)
    done = train(backend, net, data, settings, 0.5, params=params)
    np.testing.assert_allclose(done.params["W1"], params["W1"] * 0.95**2, rtol=1e-14)


def test_the_ranges_of_the_notes() -> None:
    assert Plan().coarse == COARSE == (Range(-5, 5), Range(-6, -3))
    assert (Range(-4, 0), Range(-4, -3)) == FINE
    assert (Plan().draws, Plan().epochs, Plan().batch(5000), Plan().batch(300)) == (100, 5, 100, 30)
    found, said = range_of("lr-range", (-3, -6))
    assert found == Range(-6, -3)
    assert said == "lr-range -3 to -6 is upside down: read as 10^uniform(-6, -3)"
    assert range_of("lr-range", (-6, -3)) == (Range(-6, -3), "")
    drawn = np.log10(found.distribution().rvs(3000, random_state=np.random.default_rng(0)))
    assert np.histogram(drawn, [-6, -5, -4, -3])[0] / 3000 == pytest.approx(1 / 3, abs=4 * math.sqrt(2 / 9 / 3000))


# right networks


@pytest.mark.parametrize(
    ("dataset", "name", "hidden"),
    [
        ("digits", "wide", (32,)),
        ("moons", "deep", (8, 8)),
        ("diabetes", "regression", (8,)),
        ("digits", "convnet", (8,)),
    ],
)
@pytest.mark.parametrize("backend", BACKENDS)
def test_slopes_of_right_gradients(backend: Backend, dataset: str, name: str, hidden: tuple[int, ...]) -> None:
    from manual.architecture import model_for
    from manual.draws import initial_parameters

    data = load(dataset)
    net = model_for(name, data, hidden)
    X, Y = parts(net, data)[:2]
    some = Examples(X[:, :40] if X.ndim == 2 else X[:40], Y[:, :40])
    params = initial_parameters(net, "he", np.random.default_rng(1))
    for reg in (0.0, 10.0):
        found = slopes(backend, net, params, some, reg)
        assert found.keys() == params.keys()
        assert all(abs(ratio - 1) < 1e-4 for ratio in found.values()), found


def test_nothing_fails_on_right_code() -> None:
    found = taken(digits(), replace(SHORT, draws=12, epochs=4, train_epochs=20, coarse=(Range(-5, 0), Range(-4, -2))))
    assert list(found) == ["1", "2", "3", "4", "5", "6", "7", "8A", "8B", "9"]
    assert {step.verdict for step in found.values()} == {"good"}
    assert found["4"].numbers["small"] == pytest.approx(math.log(10), abs=1e-4)
    assert found["5"].numbers["costs"]["its own weights"][1] > 1e4
    assert found["6"].numbers["score"] == 1
    assert found["6"].numbers["cost"] < 0.001
    verdicts = [row["verdict"] for row in found["7"].numbers["rates"]]
    assert (verdicts[0], verdicts[-1]) == ("too small", "explodes")
    assert "learns" in verdicts
    assert found["9"].numbers["test_score"] > 0.9


@pytest.mark.slow
def test_both_packages_see_the_same() -> None:
    plan = replace(SHORT, draws=3)
    both = [list(steps(backend, digits((16,)), plan, silent)) for backend in (manual_backend(), torch_backend())]
    for one, other in zip(*both, strict=True):
        assert (one.number, one.verdict, one.causes) == (other.number, other.verdict, other.causes)
    for number in (3, 4):  # first loss, regularisation: float64
        one, other = (found[number].numbers for found in both)
        assert json.dumps(one, sort_keys=True) != ""
        for name in one.keys() - {"slopes", "costs", "rises"}:
            assert other[name] == pytest.approx(one[name], rel=1e-12)
    one, other = (found[6].numbers["rates"] for found in both)
    # the scan's last cost is an explosion's, which roundings reach too
    assert [row["cost"] for row in one[:-1]] == pytest.approx([row["cost"] for row in other[:-1]], rel=1e-3)


def test_dropout_is_left_out_of_the_small_piece() -> None:
    subject = digits()
    net = Architecture(64, (Dense(32, "relu"), Dropout(0.3), Dense(10, "softmax")))
    settings = Settings(learning_rate=0.003, epochs=300, batch_size=20)
    assert overfitting(manual_backend(), net, Examples(*subject.parts[:2]), settings).verdict == "good"


# the search's parts


def test_fine_ranges_surround_the_best_coarse_draws() -> None:
    good = [Trial(10.0**-4.5, 10.0**power, 0.9 - power / 100, 1.0, False) for power in (0, 1, 2)]
    poor = [Trial(1e-6, 1e4, 0.1, 9.0, False)] * 20 + [Trial(1e-3, 1e5, -math.inf, 9.0, True)] * 7
    coarse = Searched(*COARSE, [*good, *poor])
    reg, rate = finer(coarse, 0.01)
    assert (reg.low, reg.high) == pytest.approx((-0.5, 2.5))
    assert (rate.low, rate.high) == pytest.approx((-5.0, -4.0))
    at_edge = Searched(*COARSE, [each._replace(learning_rate=0.0009) for each in good] + poor)
    assert finer(at_edge, 0.01)[1].high == pytest.approx(-2)
    assert finer(coarse, 0.01, chance=0.95)[1].high == pytest.approx(-2)
    assert finer(at_edge)[1].high == pytest.approx(math.log10(0.0009) + 0.5)


def test_what_needs_no_learning() -> None:
    Y = np.eye(10)[:, np.arange(200) % 10]
    assert chance_of("softmax", Y) == pytest.approx(0.1 + 4 * math.sqrt(0.09 / 200))
    assert chance_of("sigmoid", np.array([[0.0] * 90 + [1.0] * 10])) == 0.999
    assert chance_of("sigmoid", np.array([[0.0, 1.0] * 50] * 4)) == pytest.approx(0.5 + 4 * 0.5 / 20)
    assert chance_of("identity", Y) == 0.05


def test_examples_held_back() -> None:
    data = Examples(np.arange(20.0).reshape(2, 10), np.arange(10.0).reshape(1, 10))
    first, last = held_back(data, 0.2)
    np.testing.assert_array_equal(first.Y[0], np.arange(8))
    np.testing.assert_array_equal(last.X, data.X[:, 8:])
    with pytest.raises(ValueError, match="the training part has 1 example, expected at least 2"):
        held_back(Examples(data.X[:, :1], data.Y[:, :1]), 0.2)


def test_regularisation_of_zero_weights_has_nothing_to_say() -> None:
    subject = digits()
    net = subject.architecture
    zeros = {name: np.zeros(shape) for name, shape in net.parameter_shapes.items()}
    X, Y = (value[:, :50].astype(np.float64) for value in subject.parts[:2])
    assert turned_up(manual_backend(), net, zeros, Examples(X, Y), 0).verdict == "good"
