"""The recipe flags every sabotage where an expert would see it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from manual import activations, costs, dense, initialization, network
from manual.architecture import Architecture, Dense, model
from manual.checks import Parts
from manual.shared.cli import console
from manual.shared.recipe_cli import show_step
from manual.shared.search_ranges import Range
from parity_tests.tests.recipe.recipe_subject import SHORT, digits, failing, taken


def test_zero_initialisation_is_flagged_at_initialisation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(initialization, "he", lambda n_prev: 0.0)
    found = taken(digits(), until="7")
    assert failing(found)[0] == "3"
    assert "W1, W2, W3 are alike" in found["3"].causes[0]
    assert "6" in failing(found)
    assert "no rate moves the cost" in found["7"].causes[0]


def test_a_constant_start_is_flagged_at_initialisation() -> None:
    assert failing(taken(digits(), replace(SHORT, initialization="constant"), until="3")) == ["3"]


@pytest.mark.parametrize("unit", ["relu", "tanh", "sigmoid", "leaky_relu"])
def test_a_missing_g_prime_is_flagged_at_the_first_loss(monkeypatch: pytest.MonkeyPatch, unit: str) -> None:
    ones = activations.ACTIVATIONS[unit]._replace(g_prime=np.ones_like)
    monkeypatch.setitem(activations.ACTIVATIONS, unit, ones)
    net = Architecture(64, (Dense(32, unit), Dense(10, "softmax")))
    found = taken(digits()._replace(architecture=net), until="4")
    assert failing(found) == ["4"]
    assert "a missing g'(Z)" in found["4"].causes[0]
    assert "W1" in found["4"].causes[0]
    assert "W2" not in found["4"].causes[0]


WITHOUT_G_PRIME = """\
 4  first loss: fails
    2.3026 with weights of 0.0001, expected 2.3026 = ln C; 3.0819 with its own weights
    slope of the cost along the gradient, over what the gradient says: 0.295277 (W1, the worst)
    why: the gradient of W1 (0.295), b1 (0.301), W2 (0.61), b2 (0.614) is not the cost's: a missing g'(Z), a lost 1/m,
    a wrong sign or transpose; python -m parity_tests verify names the mistake
"""


def test_what_is_shown_of_a_missing_g_prime(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    relu = activations.ACTIVATIONS["relu"]._replace(g_prime=np.ones_like)
    monkeypatch.setitem(activations.ACTIVATIONS, "relu", relu)
    found = taken(digits((64, 64)), until="4")
    assert failing(found) == ["4"]
    show_step(console(), found["4"])
    assert capsys.readouterr().out.split() == WITHOUT_G_PRIME.split()


SIGNS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "cost": lambda patch: patch.setattr(network, "l2_penalty", lambda W, lambda_, m: -costs.l2_penalty(W, lambda_, m)),
    "gradient": lambda patch: patch.setattr(
        dense, "weight_gradient", lambda dZ, A, W, lambda_=0.0, right=dense.weight_gradient: right(dZ, A, W, -lambda_)
    ),
}


@pytest.mark.parametrize("sides", [("cost",), ("gradient",), ("cost", "gradient")], ids="+".join)
def test_lambda_with_the_wrong_sign_is_flagged_as_regularisation_is_turned_up(
    monkeypatch: pytest.MonkeyPatch, sides: tuple[str, ...]
) -> None:
    for side in sides:
        SIGNS[side](monkeypatch)
    found = taken(digits(), until="5")
    assert failing(found) == ["5"]
    causes = " ".join(found["5"].causes)
    assert ("lambda has the wrong sign" in causes) == ("cost" in sides)
    assert ("the term lambda/m W has the wrong sign" in causes) == (len(sides) == 1)


@pytest.mark.parametrize("factor", [2.0, 0.5, 1 / 7])
def test_a_penalty_of_another_size_is_flagged(monkeypatch: pytest.MonkeyPatch, factor: float) -> None:
    monkeypatch.setattr(network, "l2_penalty", lambda W, lambda_, m: costs.l2_penalty(W, factor * lambda_, m))
    found = taken(digits(), until="5")
    assert failing(found) == ["5"]
    assert "does not rise by 1/2 reg sum W^2" in found["5"].causes[0]


@pytest.mark.slow
def test_shuffled_labels_are_flagged_at_the_search() -> None:
    subject = digits()
    order = np.random.default_rng(0).permutation(subject.parts.Y_train.shape[1])
    mixed = subject._replace(parts=subject.parts._replace(Y_train=subject.parts.Y_train[:, order]))
    # with learning rates at which right labels are learnt, so that only the labels are to blame
    plan = replace(SHORT, draws=12, coarse=(Range(-5, 0), Range(-4, -2)))
    found = taken(mixed, plan)
    assert failing(found) == ["8A", "8B", "9"]
    assert "labels that do not belong to their inputs" in found["8A"].causes[0]
    assert failing(taken(subject, plan, until="8A")) == []


def test_shuffled_labels_are_flagged_in_the_ranges_of_the_notes() -> None:
    """Rates below the scan's best may be to blame for the coarse draws, but not for the fine ones, which reach it."""
    subject = digits()
    order = np.random.default_rng(0).permutation(subject.parts.Y_train.shape[1])
    mixed = subject._replace(parts=subject.parts._replace(Y_train=subject.parts.Y_train[:, order]))
    found = taken(mixed)
    assert found["8A"].verdict == "doubtful"
    assert "the range ends below" in found["8A"].causes[0]
    assert failing(found) == ["8B", "9"]


@pytest.mark.parametrize("scale", [20.0, 1000.0])
def test_unscaled_inputs_are_flagged_at_preprocessing(scale: float) -> None:
    subject = digits()
    X, Y, X_test, Y_test = subject.parts
    raw = subject._replace(parts=Parts(scale * (X + 1), Y, scale * (X_test + 1), Y_test))
    found = taken(raw, until="4")
    assert failing(found)[0] == "1"
    assert "not normalised" in found["1"].causes[0]
    assert "4" in failing(found)


def test_one_unscaled_feature_is_flagged_at_preprocessing() -> None:
    subject = digits()
    X = subject.parts.X_train.copy()
    X[7] = 40 * X[7] + 300
    assert failing(taken(subject._replace(parts=subject.parts._replace(X_train=X)), until="1")) == ["1"]


def test_a_huge_learning_rate_is_flagged_at_the_small_piece() -> None:
    found = taken(digits(), replace(SHORT, learning_rate=1e3, optimizer="gradient_descent"), until="6")
    assert failing(found) == ["6"]
    assert "a smaller learning rate usually helps" in found["6"].causes[0]


def test_huge_learning_rates_are_flagged_at_the_search() -> None:
    found = taken(digits(), replace(SHORT, coarse=(Range(-5, -4), Range(3, 6))), until="8A")
    assert failing(found) == ["8A"]
    assert found["8A"].causes == (
        "every draw exploded: learning rates too high, inputs not normalised, or weights too large",
    )


def test_a_cost_to_another_base_is_flagged_at_the_first_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    right = costs.OUTPUT_COSTS["softmax"]
    base_2 = right._replace(from_Z=lambda Z, Y: right.from_Z(Z, Y) / math.log(2))
    monkeypatch.setitem(costs.OUTPUT_COSTS, "softmax", base_2)
    found = taken(digits(), until="4")
    assert failing(found) == ["4"]
    assert "another base of the logarithm" in found["4"].causes[0]


def test_a_deep_network_of_small_weights_is_doubtful() -> None:
    net = model("wide", 64, 10, (32,) * 4)
    found = taken(digits()._replace(architecture=net), replace(SHORT, initialization="small"), until="3")
    assert found["3"].verdict == "doubtful"
    assert "vanish or grow" in found["3"].causes[0]
