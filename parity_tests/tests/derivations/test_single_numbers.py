"""Networks whose weights are single numbers, with the chain rule written out factor by factor."""

from __future__ import annotations

import pytest

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.verdicts import HOLDS
from parity_tests.tests.derivations.verdicts import of_program, wrong_in

NEURONS = """\
import numpy as np

def squash(t):
    return 1 / (1 + np.exp(-t))

def squash_deriv(t):
    s = squash(t)
    return s * (1 - s)

def mse(y_true, y_pred):
    return ((y_true - y_pred) ** 2).mean()

class TwoNeurons:
    def __init__(self):
        self.w1, self.w2, self.w3, self.w4 = np.random.normal(size=4)
        self.v1 = np.random.normal()
        self.v2 = np.random.normal()
        self.c = np.random.normal()

    def train(self, data, answers, rate=0.1):
        for x, y_true in zip(data, answers):
            s1 = self.w1 * x[0] + self.w2 * x[1]
            h1 = squash(s1)
            s2 = self.w3 * x[0] + self.w4 * x[1]
            h2 = squash(s2)
            s3 = self.v1 * h1 + self.v2 * h2 + self.c
            y_pred = squash(s3)
            d_L_d_ypred = -2 * (y_true - y_pred)
            d_ypred_d_h1 = self.v1 * squash_deriv(s3)
            d_ypred_d_h2 = self.v2 * squash_deriv(s3)
            self.w1 -= rate * d_L_d_ypred * d_ypred_d_h1 * x[0] * squash_deriv(s1)
            self.w2 -= rate * d_L_d_ypred * d_ypred_d_h1 * x[1] * squash_deriv(s1)
            self.w3 -= rate * d_L_d_ypred * d_ypred_d_h2 * x[0] * squash_deriv(s2)
            self.w4 -= rate * d_L_d_ypred * d_ypred_d_h2 * x[1] * squash_deriv(s2)
            self.v1 -= rate * d_L_d_ypred * h1 * squash_deriv(s3)
            self.v2 -= rate * d_L_d_ypred * h2 * squash_deriv(s3)
            self.c -= rate * d_L_d_ypred * squash_deriv(s3)

np.random.seed(5)
data = np.array([[-2, -1], [2.5, 0.6], [1.7, 0.4], [-1.5, -0.6]])
TwoNeurons().train(data, np.array([1, 0, 0, 1]))
"""


@pytest.mark.slow
def test_steps_of_single_numbers_hold_for_the_cost_that_the_file_defines() -> None:
    judged = of_program(NEURONS)
    assert judged.cost.text == "J is mse(y_true, y_pred)"
    assert [line.verdict for line in judged.lines] == [HOLDS] * 7


@pytest.mark.slow
@pytest.mark.parametrize(
    ("right", "wrong", "cause"),
    [
        ("d_ypred_d_h2 = self.v2 *", "d_ypred_d_h2 = self.v1 *", "wrong-layer"),
        ("self.v2 -= rate", "self.v2 += rate", "sign"),
        ("d_ypred_d_h1 * x[1]", "d_ypred_d_h2 * x[1]", "wrong-layer"),
    ],
)
def test_a_factor_that_is_wrong_is_named_at_its_line(right: str, wrong: str, cause: str) -> None:
    assert right in NEURONS
    text = NEURONS.replace(right, wrong)
    (line,) = wrong_in(of_program(text))
    assert wrong in text.splitlines()[line.line - 1]
    assert line.causes == (cause,)
    assert right in line.repaired


@pytest.mark.parametrize("name", ["d_L_d_ypred", "dloss_dpred", "dL_dW1", "partial_E_partial_w", "dJdW"])
def test_a_derivative_of_the_cost_is_no_cost(name: str) -> None:
    assert not symbols.is_cost(name)


@pytest.mark.parametrize("name", ["loss", "J", "d_loss", "total_cost", "L", "err", "discriminator_d_loss"])
def test_costs_are_known_by_their_names(name: str) -> None:
    assert symbols.is_cost(name)
