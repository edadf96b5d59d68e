"""Claims judged by a note's own forward pass: attention, batch norm, recurrent networks, letters of the note's own."""

from __future__ import annotations

import pytest

from parity_tests.derivations.latex.answers import verify_latex
from parity_tests.derivations.latex.claims import Claim
from parity_tests.derivations.latex.collector import claims_of
from parity_tests.derivations.latex.documents import note_of
from parity_tests.derivations.latex.evidence import evidenced
from parity_tests.derivations.latex.judge import first_meant
from parity_tests.derivations.latex.own import Own, OwnForward
from parity_tests.derivations.latex.references import Convention
from parity_tests.derivations.latex.tree import NotReadError
from parity_tests.derivations.verdicts import DOUBTFUL, HOLDS, NO_CLAIM, NOT_JUDGED, WRONG, not_judged
from parity_tests.tests.slices import sliced

ATTENTION = r"""
$$Q = X W^Q, \quad K = X W^K, \quad V = X W^V$$ $$S = \frac{Q K^T}{\sqrt{d_k}}$$ $$A = \mathrm{softmax}(S)$$ $$O = A V$$
$$\frac{\partial L}{\partial A} = \frac{\partial L}{\partial O} V^T$$
$$\frac{\partial L}{\partial W^Q} = X^T \frac{\partial L}{\partial Q}$$
"""
BATCH_NORM = r"""
$$\mu_B = \frac{1}{m} \sum_{i=1}^m x_i$$ $$\sigma_B^2 = \frac{1}{m} \sum_{i=1}^m (x_i - \mu_B)^2$$
$$\hat x_i = \frac{x_i - \mu_B}{\sqrt{\sigma_B^2 + \epsilon}}$$ $$y_i = \gamma \hat x_i + \beta$$
$$\frac{\partial \ell}{\partial \hat x_i} = \frac{\partial \ell}{\partial y_i} \gamma$$
$$\frac{\partial \ell}{\partial \beta} = \sum_{i=1}^m \frac{\partial \ell}{\partial y_i}$$
"""
RECURRENT = r"""
$$h_t = \tanh(W_{xh} x_t + W_{hh} h_{t-1} + b_h)$$ $$y_t = W_{hy} h_t + b_y$$
$$\frac{\partial L}{\partial W_{hy}} = \sum_t \frac{\partial L}{\partial y_t} h_t^T$$
$$\frac{\partial L}{\partial b_y} = \sum_t \frac{\partial L}{\partial y_t}$$
"""
LETTERS = r"""
$$z = W x + b_1, \quad h = \mathrm{ReLU}(z), \quad \theta = U h + b_2$$
$$\hat y = \mathrm{softmax}(\theta)$$ $$J = CE(y, \hat y)$$
"""
SOFTMAX = r"$$s = \mathrm{softmax}(z)$$"
LEAST_SQUARES = r"$$J(\theta) = \frac12 (X \theta - y)^T (X \theta - y)$$"


def judged(text: str) -> Own | None:
    """What the forward pass of a note says of its last formula."""
    found, _ = claims_of(note_of([(0, text)]))
    return OwnForward(found).judged(len(found) - 1)


@pytest.mark.parametrize(
    ("before", "right", "mistake", "cause"),
    sliced(
        [
            (
                ATTENTION,
                r"\frac{\partial L}{\partial V} = A^T \frac{\partial L}{\partial O}",
                r"\frac{\partial L}{\partial V} = A \frac{\partial L}{\partial O}",
                "transpose-missing",
            ),
            (
                ATTENTION,
                r"\frac{\partial L}{\partial Q} = \frac{1}{\sqrt{d_k}} \frac{\partial L}{\partial S} K",
                r"\frac{\partial L}{\partial Q} = \frac{\partial L}{\partial S} K",
                "missing-factor",
            ),
            (
                BATCH_NORM,
                r"\frac{\partial \ell}{\partial \gamma} = \sum_{i=1}^m \frac{\partial \ell}{\partial y_i} \hat x_i",
                r"\frac{\partial \ell}{\partial \gamma} = \sum_{i=1}^m \frac{\partial \ell}{\partial y_i} x_i",
                "wrong-layer",
            ),
            (
                RECURRENT,
                r"dz_t = (1 - h_t^2) \odot dh_t",
                r"dz_t = (1 - h_t) \odot dh_t",
                "square-missing",
            ),
            (
                RECURRENT + r"$$dz_t = (1 - h_t^2) \odot dh_t$$",
                r"dW_{hh} = \sum_t dz_t h_{t-1}^T",
                r"dW_{hh} = \sum_t dz_t h_t^T",
                "wrong-step",
            ),
            (
                LETTERS,
                r"\frac{\partial J}{\partial \theta} = \hat y - y",
                r"\frac{\partial J}{\partial \theta} = y - \hat y",
                "sign",
            ),
            (
                LETTERS,
                r"\frac{\partial J}{\partial U} = (\hat y - y) h^T",
                r"\frac{\partial J}{\partial U} = (\hat y - y) h",
                "transpose-missing",
            ),
            (
                r"$$u = V x + d, \quad h = \mathrm{ReLU}(u), \quad o = W h + c$$"
                r"$$\frac{\partial L}{\partial h} = W^T \frac{\partial L}{\partial o}$$"
                r"$$\frac{\partial L}{\partial c} = \frac{\partial L}{\partial o}$$",
                r"\frac{\partial L}{\partial V} = "
                r"\left(\frac{\partial L}{\partial h} \odot \mathrm{ReLU}'(u)\right) x^T",
                r"\frac{\partial L}{\partial V} = \frac{\partial L}{\partial h} x^T",
                "gprime-missing",
            ),
            (
                r"$$h = E x, \quad r = D h$$ $$J = \|r - x\|^2$$",
                r"\frac{\partial J}{\partial h} = D^T \frac{\partial J}{\partial r}",
                r"\frac{\partial J}{\partial h} = D \frac{\partial J}{\partial r}",
                "transpose-missing",
            ),
            (
                r"$$c_t = f_t \odot c_{t-1}$$ $$h_t = o_t \odot \tanh(c_t)$$ $$y_t = V h_t + b$$"
                r"$$\frac{\partial L}{\partial V} = \sum_t \frac{\partial L}{\partial y_t} h_t^T$$"
                r"$$\frac{\partial L}{\partial b} = \sum_t \frac{\partial L}{\partial y_t}$$",
                r"\frac{\partial L}{\partial o_t} = \frac{\partial L}{\partial h_t} \odot \tanh(c_t)",
                r"\frac{\partial L}{\partial o_t} = \frac{\partial L}{\partial h_t} \odot c_t",
                "activation-missing",
            ),
            (
                r"$$u = A x$$ $$\ell = \frac12 \|u - y\|^2$$",
                r"\frac{\partial \ell}{\partial u} = u - y",
                r"\frac{\partial \ell}{\partial u} = y - u",
                "sign",
            ),
            (
                r"$$Z_{ij} = \sum_k W_{ik} X_{kj}$$ $$L = \frac12 \sum_{ij} (Z_{ij} - Y_{ij})^2$$"
                r"$$\frac{\partial L}{\partial Z_{ij}} = Z_{ij} - Y_{ij}$$",
                r"\frac{\partial L}{\partial X_{kj}} = \sum_i W_{ik} (Z_{ij} - Y_{ij})",
                r"\frac{\partial L}{\partial X_{kj}} = \sum_i W_{ki} (Z_{ij} - Y_{ij})",
                "index-order",
            ),
            (
                LEAST_SQUARES,
                r"\nabla_\theta J = X^T X \theta - X^T y",
                r"\nabla_\theta J = X^T X \theta - X y",
                "transpose-missing",
            ),
        ],
        6,
    ),
)
def test_the_notes_own_forward_pass(before: str, right: str, mistake: str, cause: str) -> None:
    assert judged(f"{before}$${right}$$") == Own(holds=True)
    found = judged(f"{before}$${mistake}$$")
    assert found is not None
    assert found.cause == cause


JACOBIAN = r"\frac{\partial s_i}{\partial z_j} = "


@pytest.mark.parametrize(
    ("claim", "holds"),
    [
        (JACOBIAN + r"s_i (\delta_{ij} - s_j)", True),
        (JACOBIAN + r"s_i (\delta_{ij} + s_j)", False),
        (JACOBIAN + r"\begin{cases} s_i (1 - s_i) & i = j \\ -s_i s_j & i \neq j \end{cases}", True),
        (JACOBIAN + r"\begin{cases} s_i (1 - s_i) & i = j \\ s_i s_j & i \neq j \end{cases}", False),
        (r"\frac{\partial s}{\partial z} = \mathrm{diag}(s) - s s^T", True),
        (r"\frac{\partial L}{\partial z_i} = s_i (g_i - \sum_j g_j s_j)", None),
        (r"$g = \frac{\partial L}{\partial s}$$ $$\frac{\partial L}{\partial z_i} = s_i (g_i - \sum_j g_j s_j)", True),
    ],
)
def test_the_jacobian_of_softmax(claim: str, holds: bool | None) -> None:
    found = judged(f"{SOFTMAX}$${claim}$$".replace("$$$", "$$"))
    assert (found and found.holds) == holds


def test_what_a_note_defines_is_no_claim() -> None:
    rows = verify_latex(r"$$\theta = U h$$ $$s = V \theta$$ $$\frac{\partial L}{\partial \theta} = V^T g$$").lines
    assert rows[0].verdict == NO_CLAIM


NUMBERED_DELTAS = r"""
$$z_1 = x W_1 + b_1$$ $$h = \text{sigmoid}(z_1)$$ $$z_2 = h W_2 + b_2$$ $$\hat{y} = \text{softmax}(z_2)$$
$$J = -\sum_i y_i \log(\hat{y}_i)$$ $$\delta_1 = \frac{\partial J}{\partial z_2} = \hat{y} - y$$
"""


@pytest.mark.parametrize(
    ("claim", "verdict"),
    sliced(
        [
            (r"\delta_2 = \frac{\partial J}{\partial h}", NO_CLAIM),
            (r"\delta_2 = \frac{\partial J}{\partial h} = \delta_1 W_2^T", HOLDS),
            (r"\delta_2 = \frac{\partial J}{\partial h} = \delta_1 W_2", WRONG),
            (r"\frac{\partial J}{\partial W_2} = h^T \delta_1", HOLDS),
            (r"\frac{\partial J}{\partial W_2} = \delta_1^T h", WRONG),
        ],
        5,
    ),
)
def test_the_number_of_a_delta_that_is_said_to_be_a_derivative_may_be_any(claim: str, verdict: str) -> None:
    rows = verify_latex(f"{NUMBERED_DELTAS}$${claim}$$").lines
    assert rows[-1].verdict == verdict
    assert verdict == WRONG or WRONG not in {each.verdict for each in rows}


def test_two_rates_are_not_one() -> None:
    found, styles = claims_of(note_of([(0, r"$$w = w - \epsilon (\alpha w + \nabla_w J(w))$$")]))
    assert isinstance(found[0], Claim)
    with pytest.raises(NotReadError, match="two letters that may be the rate"):
        first_meant(found[0], styles[0], Convention(), {})


@pytest.mark.parametrize(
    ("forward", "repaired", "verdict"),
    [
        (HOLDS, "", WRONG),
        (HOLDS, "dw = x (dz)^T", WRONG),
        (HOLDS, "dw = A dz", DOUBTFUL),
        (NOT_JUDGED, "", DOUBTFUL),
        (DOUBTFUL, "", DOUBTFUL),
    ],
)
def test_a_mistake_needs_the_letters_and_a_forward_pass_of_the_note(forward: str, repaired: str, verdict: str) -> None:
    found, _ = claims_of(note_of([(0, r"$$z = w x + b$$ $$dw = x dz$$")]))
    claims = [each for each in found if isinstance(each, Claim)]
    rows = [not_judged("", 1, "", "")._replace(verdict=each, repaired=repaired) for each in (forward, WRONG)]
    assert evidenced(claims, rows, [None, None])[1].verdict == verdict


@pytest.mark.parametrize(
    ("cost", "holds"), [(r"L = \sum_{t=1}^T L_t, \quad L_t = -y_t^T \log p_t", True), (r"L_t = -y_t^T \log p_t", None)]
)
def test_labels_need_the_formula_of_their_cost(cost: str, holds: bool | None) -> None:
    forward = r"$$h_t = \tanh(U x_t + W h_{t-1})$$ $$o_t = V h_t$$ $$p_t = \mathrm{softmax}(o_t)$$"
    found = judged(rf"{forward} $${cost}$$ $$\frac{{\partial L}}{{\partial V}} = \sum_t (p_t - y_t) h_t^T$$")
    assert (found and found.holds) == holds
