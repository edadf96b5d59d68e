"""Convolutions with all their indices: sums of indices, and quantities that have more than two."""

from __future__ import annotations

import pytest

from parity_tests.derivations.latex.answers import verify_latex
from parity_tests.derivations.verdicts import DOUBTFUL, HOLDS, NOT_JUDGED, WRONG
from parity_tests.tests.slices import sliced

PLANE = r"""
$$z_{i,j} = \sum_{k=0}^{K-1} \sum_{l=0}^{K-1} w_{k,l} x_{i+k,j+l} + b$$ $$a_{i,j} = \sigma(z_{i,j})$$
$$\delta_{i,j} = \frac{\partial L}{\partial z_{i,j}}$$
$$\delta_{i,j} = \frac{\partial L}{\partial a_{i,j}} \sigma'(z_{i,j})$$
$$\frac{\partial L}{\partial b} = \sum_i \sum_j \delta_{i,j}$$
"""
CHANNELS = rf"""{PLANE}
# Channels
$$z_{{d,i,j}} = \sum_c \sum_k \sum_l w_{{d,c,k,l}} x_{{c,i+k,j+l}} + b_d$$
$$\frac{{\partial L}}{{\partial b_d}} = \sum_{{i,j}} \delta_{{d,i,j}}$$
"""
FROM_ONE = r"""
$$z_i = \sum_{k=1}^K w_k x_{i+k-1} + b$$ $$a_i = \tanh(z_i)$$ $$\delta_i = \frac{\partial L}{\partial z_i}$$
$$\delta_i = \frac{\partial L}{\partial a_i} (1 - a_i^2)$$ $$\frac{\partial L}{\partial b} = \sum_i \delta_i$$
"""


@pytest.mark.parametrize(
    ("note", "left", "right", "wrong"),
    sliced([
        (PLANE, r"w_{k,l}", r"\sum_i \sum_j \delta_{i,j} x_{i+k,j+l}", r"\sum_i \sum_j \delta_{i,j} x_{i-k,j-l}"),
        (PLANE, r"x_{i,j}", r"\sum_k \sum_l \delta_{i-k,j-l} w_{k,l}", r"\sum_k \sum_l \delta_{i+k,j+l} w_{k,l}"),
        (CHANNELS, r"w_{d,c,k,l}", r"\sum_{i,j} \delta_{d,i,j} x_{c,i+k,j+l}", ""),
        (CHANNELS, r"x_{c,i,j}", r"\sum_d \sum_k \sum_l \delta_{d,i-k,j-l} w_{d,c,k,l}",
         r"\sum_d \sum_k \sum_l \delta_{d,i+k,j+l} w_{d,c,k,l}"),
        (FROM_ONE, r"x_i", r"\sum_k \delta_{i-k+1} w_k", r"\sum_k \delta_{i+k-1} w_k"),
    ], 5),
)  # fmt: skip
def test_indices_that_are_sums(note: str, left: str, right: str, wrong: str) -> None:
    rows = verify_latex(rf"{note}$$\frac{{\partial L}}{{\partial {left}}} = {right}$$").lines
    assert rows[-1].verdict == HOLDS
    assert not {each.verdict for each in rows if "partial" in each.text} & {WRONG, DOUBTFUL, NOT_JUDGED}
    if wrong:
        last = verify_latex(rf"{note}$$\frac{{\partial L}}{{\partial {left}}} = {wrong}$$").lines[-1]
        assert last.verdict in (WRONG, DOUBTFUL)
        assert (last.cause in ("index", "wrong-layer")) == (last.verdict == WRONG)


def test_a_cost_that_derivatives_follow_may_be_a_sum() -> None:
    text = r"""$$a_n = w^T \phi_n$$ $$y_n = \sigma(a_n)$$
    $$E(w) = -\sum_{n=1}^N \{t_n \ln y_n + (1 - t_n) \ln(1 - y_n)\}$$ $$\frac{\partial E}{\partial a_n} = y_n - t_n$$
    $$\nabla E(w) = \sum_{n=1}^N (y_n - t_n) \phi_n$$"""
    rows = verify_latex(text).lines
    assert WRONG not in {each.verdict for each in rows}
    assert rows[-1].verdict == HOLDS
