"""Notes whose examples are an index, with vectors of features: x_i'b, w^T phi_n, and matrices of them."""

from __future__ import annotations

import pytest

from parity_tests.derivations.latex.answers import verify_latex
from parity_tests.derivations.verdicts import DOUBTFUL, HOLDS, NO_CLAIM, NOT_JUDGED, WRONG
from parity_tests.tests.slices import sliced

LOGIT = r"""
$$\eta_i = x_i'\beta$$ $$\pi_i = \Lambda(\eta_i)$$ $$\Lambda(z) = \frac{1}{1 + e^{-z}}$$
$$\ell(\beta) = \sum_{i=1}^n \{y_i \log \pi_i + (1 - y_i) \log(1 - \pi_i)\}$$
$$R(\beta) = (y - X\beta)'(y - X\beta) + \lambda \beta'\beta$$
$$\frac{\partial \ell}{\partial \eta_i} = y_i - \pi_i$$
$$\frac{\partial R}{\partial \beta} = -2 X'(y - X\beta) + 2\lambda\beta$$
"""
FEATURES = r"""
$$y_n = w^T \phi_n$$ $$E(w) = \frac12 \sum_{n=1}^N (t_n - w^T\phi_n)^2$$ $$E(w) = \frac12 \|t - \Phi w\|^2$$
$$\nabla E(w) = -\sum_{n=1}^N (t_n - w^T\phi_n) \phi_n$$ $$\nabla E(w) = \Phi^T(\Phi w - t)$$
"""


@pytest.mark.parametrize(
    ("note", "right", "wrong", "cause"),
    sliced([
        (LOGIT, r"s(\beta) = \frac{\partial \ell}{\partial \beta} = \sum_{i=1}^n (y_i - \pi_i) x_i",
         r"\frac{\partial \ell}{\partial \beta} = \sum_{i=1}^n (\pi_i - y_i) x_i", "sign"),
        (LOGIT, r"\Lambda'(z) = \Lambda(z) [1 - \Lambda(z)]", r"\Lambda'(z) = \Lambda(z) [1 + \Lambda(z)]", "sign"),
        (LOGIT, r"\frac{\partial \ell}{\partial \beta} = X'(y - \pi)",
         r"\frac{\partial \ell}{\partial \beta} = X'(\pi - y)", "sign"),
        (LOGIT, r"\frac{\partial R}{\partial \beta} = -2 X'(y - X\beta) + 2\lambda\beta",
         r"\frac{\partial R}{\partial \beta} = -2 X'(y - X\beta) + \lambda\beta", "l2-factor-2"),
        (LOGIT, r"\frac{\partial \pi_i}{\partial \eta_i} = \pi_i (1 - \pi_i)",
         r"\frac{\partial \pi_i}{\partial \eta_i} = \eta_i (1 - \eta_i)", "wrong-symbol"),
        (FEATURES, r"\nabla E(w) = \Phi^T \Phi w - \Phi^T t", r"\nabla E(w) = \Phi (\Phi w - t)", "transpose-missing"),
    ], 6),
)  # fmt: skip
def test_an_index_may_be_that_of_an_example(note: str, right: str, wrong: str, cause: str) -> None:
    rows = verify_latex(f"{note}$${right}$$").lines
    assert rows[-1].verdict == HOLDS
    assert not {each.verdict for each in rows} & {WRONG, DOUBTFUL}
    last = verify_latex(f"{note}$${wrong}$$").lines[-1]
    assert (last.verdict, last.cause) == (WRONG, cause)
    index = "n" if note is FEATURES else "i"
    assert "_{t}" not in last.repaired
    assert (f"_{{{index}}}" in last.repaired) == ("_" + index in wrong)


def test_a_step_of_newton_is_not_judged_by_what_its_parameters_were() -> None:
    row = verify_latex(rf"{LOGIT}$$\beta \leftarrow \beta + (X'X)^{{-1}} X'(y - \pi)$$").lines[-1]
    assert row.verdict in (NO_CLAIM, NOT_JUDGED)


ATTENTION = r"""
$$S = Q K^T$$ $$A_{ij} = \frac{\exp(S_{ij})}{\sum_k \exp(S_{ik})}$$ $$O = A V$$
$$\frac{\partial L}{\partial A} = \frac{\partial L}{\partial O} V^T$$
$$\frac{\partial L}{\partial V} = A^T \frac{\partial L}{\partial O}$$
"""
DENSE = r"""
$$u = x W_1 + b_1, \quad h = \max(0, u), \quad y = h W_2 + b_2$$ $$g = \partial L / \partial y$$
$$\frac{\partial L}{\partial h} = g W_2^T$$ $$\frac{\partial L}{\partial W_2} = h^T g$$
"""


@pytest.mark.parametrize(
    ("note", "right", "wrong", "cause"),
    [
        (ATTENTION, r"\frac{\partial A_{ij}}{\partial S_{ik}} = A_{ij} (\delta_{jk} - A_{ik})",
         r"\frac{\partial A_{ij}}{\partial S_{ik}} = A_{ij} (1 - A_{ik})", "softmax-elementwise"),
        (DENSE, r"\frac{\partial L}{\partial u} = (g W_2^T) \odot 1[u > 0]",
         r"\frac{\partial L}{\partial u} = (g W_2^T) \odot u", "g-for-gprime"),
    ],
)  # fmt: skip
def test_slopes_that_are_left_out(note: str, right: str, wrong: str, cause: str) -> None:
    rows = verify_latex(f"{note}$${right}$$").lines
    assert rows[-1].verdict == HOLDS
    assert WRONG not in {each.verdict for each in rows}
    last = verify_latex(f"{note}$${wrong}$$").lines[-1]
    assert (last.verdict, last.cause) == (WRONG, cause)


UNITS = r"""
$$a_j = \sum_i w_{ji}^{(1)} x_i + b_j^{(1)}$$ $$z_j = \tanh(a_j)$$ $$y_k = \sum_j w_{kj}^{(2)} z_j + b_k^{(2)}$$
$$E = \frac12 \sum_k (y_k - t_k)^2$$ $$\delta_k = y_k - t_k$$
$$\frac{\partial E}{\partial w_{ji}^{(1)}} = \delta_j x_i$$
"""


@pytest.mark.parametrize(
    ("wrong", "cause", "repaired"),
    [
        (r"\delta_j = (1 - a_j^2) \sum_k w_{kj}^{(2)} \delta_k", "wrong-symbol", "1 - z_{j}^{2}"),
        (r"\frac{\partial E}{\partial w_{kj}^{(2)}} = \delta_j z_k", "index-order", r"\delta_{k} z_{j}"),
    ],
)
def test_a_repair_keeps_powers_and_moves_layers_with_their_index(wrong: str, cause: str, repaired: str) -> None:
    last = verify_latex(f"{UNITS}$${wrong}$$").lines[-1]
    assert (last.verdict, last.cause) == (WRONG, cause)
    assert repaired in last.repaired


def test_a_function_of_the_note_is_none_that_has_another_letter_elsewhere() -> None:
    text = r"""$$\sigma(z) = \frac{1}{1 + e^{-z}}$$ $$h^{(l)} = f(a^{(l)})$$ $$a^{(l)} = W^{(l)} h^{(l-1)}$$
    $$\zeta(z) = \log(1 + e^z)$$ $$\zeta'(z) = \sigma(z)$$"""
    assert not {each.verdict for each in verify_latex(text).lines} & {WRONG, DOUBTFUL}
