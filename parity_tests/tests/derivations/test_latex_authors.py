"""Formulas of statisticians, of time, attention and matrix calculus, each right and with a mistake."""

from __future__ import annotations

import pytest

from parity_tests.derivations.latex.answers import verify_latex
from parity_tests.derivations.verdicts import DOUBTFUL, HOLDS, NO_CLAIM, NOT_JUDGED, WRONG, Verdict

LOGISTIC = r"""Let
$$\pi_i = \Pr(y_i = 1 \mid x_i) = \frac{1}{1 + e^{-\beta^\top x_i}}$$
$$\ell(\beta) = \sum_{i=1}^n \left[ y_i \log \pi_i + (1-y_i) \log (1-\pi_i) \right]$$
$$\frac{\partial \ell}{\partial \beta} = \sum_{i=1}^n (y_i - \pi_i) x_i$$
$$\frac{\partial \pi_i}{\partial \beta} = \pi_i (1-\pi_i) x_i$$
$$\nabla_\beta \ell = X^\top (y - \pi)$$
$$\eta = X \beta$$
"""
RECURRENT = r"""$$a_t = W h_{t-1} + U x_t + b$$ $$h_t = \tanh(a_t)$$ $$o_t = V h_t + c$$
$$\hat{y}_t = \mathrm{softmax}(o_t)$$
$$L = \sum_{t=1}^T L_t = -\sum_{t=1}^T y_t^\top \log \hat{y}_t$$
$$\frac{\partial L}{\partial o_t} = \hat{y}_t - y_t$$
$$\frac{\partial L}{\partial b} = \sum_{t=1}^T \frac{\partial L}{\partial a_t}$$
"""
ATTENTION = r"""$$S = \frac{Q K^\top}{\sqrt{d_k}}$$ $$A = \mathrm{softmax}(S)$$ $$O = A V$$
$$dV = A^\top dO$$ $$dA = dO\, V^\top$$
"""
SCORES = r"""The rows of $X$ are examples.
$$Z_1 = X W_1 + b_1$$ $$H = \max(0, Z_1)$$ $$S = H W_2 + b_2$$
$$P_{ik} = \frac{e^{S_{ik}}}{\sum_{j} e^{S_{ij}}}$$
$$L = -\frac{1}{N} \sum_{i=1}^{N} \log P_{i, y_i} + \frac{\lambda}{2} \left( \|W_1\|_F^2 + \|W_2\|_F^2 \right)$$
$$dS = \frac{1}{N} (P - Y)$$ $$dW_2 = H^T dS + \lambda W_2$$
$$dZ_1 = (dS W_2^T) \odot \mathbb{1}(Z_1 > 0)$$
"""
FITTED = r"""$$Y = XW + \mathbf{1} b^\top$$ $$f = \frac12 \|Y - T\|_F^2$$ $$\frac{\partial f}{\partial Y} = Y - T$$
"""
BOLD = r"""$$a^{(k)} = b^{(k)} + W^{(k)} h^{(k-1)}$$ $$h^{(k)} = f(a^{(k)})$$
$$\nabla_{h^{(k-1)}} J = W^{(k)\top} \nabla_{a^{(k)}} J$$ $$\nabla_{b^{(k)}} J = \nabla_{a^{(k)}} J$$
"""

KINDS = [
    (LOGISTIC, r"\log \frac{\pi_i}{1 - \pi_i} = \beta^\top x_i",
     r"\log \frac{1 - \pi_i}{\pi_i} = \beta^\top x_i", "sign"),
    (LOGISTIC, r"\frac{\partial \ell}{\partial \beta_j} = \sum_{i=1}^n (y_i - \pi_i) x_{ij}",
     r"\frac{\partial \ell}{\partial \beta_j} = \sum_{i=1}^n (\pi_i - y_i) x_{ij}", "sign"),
    (LOGISTIC, r"\frac{\partial \ell}{\partial \beta} = X^\top (y - \pi)",
     r"\frac{\partial \ell}{\partial \beta} = X (y - \pi)", "transpose-missing"),
    (LOGISTIC,
     r"\frac{\partial^2 \ell}{\partial \beta \partial \beta^\top} = -\sum_{i=1}^n \pi_i (1 - \pi_i) x_i x_i^\top",
     r"\frac{\partial^2 \ell}{\partial \beta \partial \beta^\top} = \sum_{i=1}^n \pi_i (1 - \pi_i) x_i x_i^\top",
     "sign"),
    (LOGISTIC,
     r"\frac{\partial^2 \ell}{\partial \beta_j \partial \beta_k} = -\sum_{i=1}^n \pi_i (1 - \pi_i) x_{ij} x_{ik}",
     r"\frac{\partial^2 \ell}{\partial \beta_j \partial \beta_k} = -\sum_{i=1}^n \pi_i x_{ij} x_{ik}", ""),
    (LOGISTIC, r"\nabla_\beta^2 \ell = -X^\top \mathrm{diag}(\pi_i (1 - \pi_i)) X",
     r"\nabla_\beta^2 \ell = X^\top \mathrm{diag}(\pi_i (1 - \pi_i)) X", "sign"),
    (RECURRENT, r"\frac{\partial L}{\partial W} = \sum_{t=1}^T \frac{\partial L}{\partial a_t} h_{t-1}^\top",
     r"\frac{\partial L}{\partial W} = \sum_{t=1}^T \frac{\partial L}{\partial a_t} h_t^\top", "wrong-step"),
    (RECURRENT,
     r"\frac{\partial L}{\partial h_t} = W^\top \frac{\partial L}{\partial a_{t+1}}"
     r" + V^\top \frac{\partial L}{\partial o_t}",
     r"\frac{\partial L}{\partial h_t} = W^\top \frac{\partial L}{\partial a_{t+1}}", "missing-term"),
    (RECURRENT, r"\frac{\partial h_t}{\partial h_{t-1}} = \mathrm{diag}(1 - h_t^2) W",
     r"\frac{\partial h_t}{\partial h_{t-1}} = \mathrm{diag}(1 - h_t) W", "square-missing"),
    (ATTENTION, r"dK = \frac{1}{\sqrt{d_k}} dS^\top Q", r"dK = \frac{1}{\sqrt{d_k}} dS\, Q", "transpose-missing"),
    (ATTENTION, r"dQ = \frac{1}{\sqrt{d_k}} dS\, K", r"dQ = dS\, K", "missing-factor"),
    (ATTENTION, r"dS = A \odot (dA - \mathrm{rowsum}(dA \odot A))",
     r"dS = A \odot (dA + \mathrm{rowsum}(dA \odot A))", "sign"),
    (SCORES, r"dW_1 = X^T dZ_1 + \lambda W_1", r"dW_1 = X^T dZ_1", "l2-missing"),
    (SCORES, r"\frac{\partial L}{\partial S_{ik}} = \frac{1}{N} (P_{ik} - \mathbb{1}(y_i = k))",
     r"\frac{\partial L}{\partial S_{ik}} = \frac{1}{N} (P_{ik} + \mathbb{1}(y_i = k))", "sign"),
    (FITTED, r"\mathrm{d} f = \operatorname{tr}((Y-T)^\top \mathrm{d} Y)", "", ""),
    (FITTED, r"\mathrm{d} Y = X \, \mathrm{d} W", "", ""),
    (BOLD, r"\nabla_{a^{(k)}} J = \nabla_{h^{(k)}} J \odot f'(a^{(k)})",
     r"\nabla_{a^{(k)}} J = \nabla_{h^{(k)}} J \odot f'(h^{(k)})", "wrong-symbol"),
    (r"$\zeta(x) = \log(1+\exp(x))$", r"\frac{d}{dx}\zeta(x) = \sigma(x)",
     r"\frac{d}{dx}\zeta(x) = \sigma(x)(1-\sigma(x))",
     "extra-factor"),
    ("", r"\text{softmax}(z)_i = \frac{e^{z_i}}{\sum_j e^{z_j}}",
     r"\text{softmax}(z)_i = \frac{e^{z_i}}{\sum_j e^{z_i}}",
     "index-order"),
    ("", r"\sigma(x)_i = \frac{e^{x_i}}{\sum_{j=1}^C e^{x_j}}",
     r"\sigma(x)_i = \frac{e^{x_i}}{\sum_{j=1}^C e^x_j}", "misprint"),
]  # fmt: skip


def _last(text: str, claim: str) -> Verdict:
    return verify_latex(f"{text}\n$${claim}$$").lines[-1]


@pytest.mark.parametrize(("before", "right", "mistaken", "cause"), KINDS)
def test_a_right_formula_holds_and_a_mistaken_one_is_wrong(before: str, right: str, mistaken: str, cause: str) -> None:
    assert _last(before, right).verdict == HOLDS
    if mistaken:
        found = _last(before, mistaken)
        assert (found.verdict, found.cause) == (WRONG, cause) if cause else found.verdict in (WRONG, DOUBTFUL)


@pytest.mark.parametrize("text", [LOGISTIC, RECURRENT, ATTENTION, SCORES, FITTED, BOLD])
def test_what_stands_before_is_right(text: str) -> None:
    assert {each.verdict for each in verify_latex(text).lines} <= {HOLDS, NO_CLAIM}


def test_a_likelihood_is_read_as_a_product() -> None:
    said = _last(LOGISTIC, r"L(\beta) = \prod_{i=1}^n \pi_i^{y_i} (1-\pi_i)^{1-y_i}")
    assert said.verdict == NO_CLAIM


def test_a_penalty_of_the_cost_that_no_derivative_has_is_a_doubt() -> None:
    cost = r"$$J = \frac{1}{2m} \sum_{i=1}^{m} (w^T x^{(i)} - y^{(i)})^2 + \frac{\lambda}{2m} \|w\|^2$$"
    claim = r"dw = \frac{1}{m} X dZ^T"
    assert _last(cost, claim).verdict == DOUBTFUL
    assert (
        verify_latex(f"{cost}$${claim}$$\n$$w := w - \\alpha (dw + \\frac{{\\lambda}}{{m}} w)$$").lines[1].verdict
        == HOLDS
    )


def test_formulas_that_hold_in_two_layouts_are_a_doubt() -> None:
    text = r"$$\frac{\partial L}{\partial X} = W^T \cdot \frac{\partial L}{\partial Y}$$"
    other = r"\frac{\partial L}{\partial W} = X^T \cdot \frac{\partial L}{\partial Y}"
    found = verify_latex(f"{text}\n\n$${other}$$").lines
    assert {each.verdict for each in found} == {DOUBTFUL}
    assert "with examples in" in found[0].message


@pytest.mark.parametrize(
    "claim", [r"\frac{\partial \|A x - b\|^2}{\partial x} = 2 A^T (A x - b)", r"X^T X \theta = X^T y"]
)
def test_a_derivative_of_a_norm_is_read_and_an_equation_at_an_optimum_is_no_mistake(claim: str) -> None:
    found = _last(r"$$f(w) = \frac{1}{2} \|w\|^2$$", claim)
    assert found.verdict in (HOLDS, NO_CLAIM, NOT_JUDGED)


def test_a_probability_on_a_left_side_is_read_as_no_activation() -> None:
    claim = r"p(y = k \mid x; \theta) = \frac{\exp(\theta_k^\top x)}{\sum_j \exp(\theta_j^\top x)}"
    assert _last("", claim).verdict in (NO_CLAIM, NOT_JUDGED)
