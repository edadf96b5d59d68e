"""Notes whose letters are their own: words, gates, steps of time, matrices, functions, and what a section has shown."""

from __future__ import annotations

import pytest

from parity_tests.derivations.latex.answers import verify_latex
from parity_tests.derivations.verdicts import DOUBTFUL, HOLDS, NO_CLAIM, NOT_JUDGED, WRONG, Verdict
from parity_tests.tests.slices import sliced

GATES = r"""
$$f_t = \sigma(W_f [h_{t-1}, x_t] + b_f)$$ $$i_t = \sigma(W_i [h_{t-1}, x_t] + b_i)$$
$$\tilde c_t = \tanh(W_c [h_{t-1}, x_t] + b_c)$$ $$o_t = \sigma(W_o [h_{t-1}, x_t] + b_o)$$
$$c_t = f_t \odot c_{t-1} + i_t \odot \tilde c_t$$ $$h_t = o_t \odot \tanh(c_t)$$
$$do_t = dh_t \odot \tanh(c_t)$$ $$di_t = dc_t \odot \tilde c_t$$
"""
WORDS = r"""
$$net_{h1} = w_1 i_1 + w_2 i_2 + b_1$$ $$out_{h1} = \frac{1}{1 + e^{-net_{h1}}}$$
$$net_{o1} = w_5 out_{h1} + b_2$$ $$out_{o1} = \frac{1}{1 + e^{-net_{o1}}}$$
$$E = \frac{1}{2} (target_{o1} - out_{o1})^2$$
$$\frac{\partial out_{o1}}{\partial net_{o1}} = out_{o1} (1 - out_{o1})$$
$$\frac{\partial net_{o1}}{\partial w_5} = out_{h1}$$
"""
UNROLLED = r"""
$$a_t = W h_{t-1} + U x_t + b$$ $$h_t = \tanh(a_t)$$ $$o_t = V h_t + c$$ $$\hat y_t = \mathrm{softmax}(o_t)$$
$$L = \sum_{t=1}^{T} L_t, \qquad L_t = -\sum_k y_{t,k} \log \hat y_{t,k}$$
$$\frac{\partial L}{\partial c} = \sum_t \frac{\partial L}{\partial o_t}$$
"""
BISHOP = r"""
$$a_j = \sum_{i=1}^{D} w_{ji}^{(1)} x_i + w_{j0}^{(1)}$$ $$z_j = \tanh(a_j)$$
$$y_k = \sum_{j=1}^{M} w_{kj}^{(2)} z_j + w_{k0}^{(2)}$$ $$E_n = \frac{1}{2} \sum_{k=1}^{K} (y_k - t_k)^2$$
"""
SOFTMAX = r"""
$$p = \mathrm{softmax}(z)$$ $$L = -\sum_i y_i \log p_i$$ $$\frac{\partial L}{\partial p_i} = -\frac{y_i}{p_i}$$
$$\frac{\partial p_i}{\partial z_j} = p_i (\delta_{ij} - p_j)$$
"""
ROWS = r"""
$$H = \max(0, X W_1 + b_1)$$ $$S = H W_2 + b_2$$ $$P_{ij} = \frac{e^{S_{ij}}}{\sum_k e^{S_{ik}}}$$
$$L = -\frac{1}{N} \sum_{i=1}^N \sum_{j=1}^C Y_{ij} \log P_{ij}$$
"""
OF_THE_COST = r"""
$$\frac{\partial L}{\partial W_2} = H^\top \frac{\partial L}{\partial S}$$
$$\frac{\partial L}{\partial b_2} = \mathbf{1}^\top \frac{\partial L}{\partial S}$$
$$\frac{\partial L}{\partial H} = \frac{\partial L}{\partial S} W_2^\top$$
"""
OF_AN_EXAMPLE = r"""
$$\frac{\partial L}{\partial W_2} = \frac{1}{N} H^\top \frac{\partial L}{\partial S}$$
$$\frac{\partial L}{\partial b_2} = \frac{1}{N} \mathbf{1}^\top \frac{\partial L}{\partial S}$$
"""
SQUARES = r"$$f(w) = \frac{1}{2} \| Xw - y \|^2 + \frac{\lambda}{2} \| w \|^2$$"
COURSE = r"""
$$Z^{[l]} = W^{[l]} A^{[l-1]} + b^{[l]}$$ $$A^{[l]} = g^{[l]}(Z^{[l]})$$ $$dZ^{[L]} = A^{[L]} - Y$$
"""


def last(text: str) -> Verdict:
    """The verdict on the last line."""
    return verify_latex(text).lines[-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "right", "mistake", "cause"),
    [
        (GATES, r"df_t = dc_t \odot c_{t-1}", r"df_t = dc_t \odot i_t", "wrong-symbol"),
        (
            WORDS,
            r"\frac{\partial E}{\partial out_{o1}} = -(target_{o1} - out_{o1})",
            r"\frac{\partial E}{\partial out_{o1}} = target_{o1} - out_{o1}",
            "sign",
        ),
        (
            UNROLLED,
            r"\frac{\partial L}{\partial h_T} = V^\top \frac{\partial L}{\partial o_T}",
            r"\frac{\partial L}{\partial h_T} = V \frac{\partial L}{\partial o_T}",
            "transpose-missing",
        ),
        (BISHOP, r"\delta_k = y_k - t_k", r"\delta_k = t_k - y_k", "sign"),
        (
            SOFTMAX,
            r"\frac{\partial p}{\partial z} = \mathrm{diag}(p) - p p^\top",
            r"\frac{\partial p}{\partial z} = \mathrm{diag}(p) + p p^\top",
            "sign",
        ),
        (
            ROWS + OF_THE_COST,
            r"\frac{\partial L}{\partial S} = \frac{1}{N} (P - Y)",
            r"\frac{\partial L}{\partial S} = P - Y",
            "missing-1/m",
        ),
        (
            SQUARES,
            r"\nabla f(w) = X^\top (Xw - y) + \lambda w",
            r"\nabla f(w) = X (Xw - y) + \lambda w",
            "transpose-missing",
        ),
        ("", r"(AB)^\top = B^\top A^\top", r"(AB)^\top = A^\top B^\top", "operand-order"),
        (
            "",
            r"\frac{\partial}{\partial x} x^\top A x = (A + A^\top) x",
            r"\frac{\partial}{\partial x} x^\top A x = (A - A^\top) x",
            "sign",
        ),
        (
            COURSE,
            r"dW^{[2]} = 1/m dZ^{[2]} A^{[1]T}",
            r"dW^{[2]} = 1/m dZ^{[2]} A^{[1]}",
            "transpose-missing",
        ),
        (
            "",
            r"dz^{[1]} = W^{[2]T} dz^{[2]} * g'(z^{[1]})",
            r"dz^{[1]} = W^{[2]T} dz^{[2]} * g(z^{[1]})",
            "g-for-gprime",
        ),
        (
            r"$$\frac{da}{dz} = a (1 - a)$$",
            r"\frac{dL}{dw_1} = \frac{1}{m} \sum_{i=1}^{m} (a - y) x_1",
            r"\frac{dL}{dw_1} = \frac{1}{m} \sum_{i=1}^{m} (y - a) x_1",
            "sign",
        ),
    ],
    ids=["gates", "words", "the last step", "linear outputs", "a Jacobian", "a written cost", "an objective",
         "transposes", "a quadratic form", "slashes", "any layout", "a weight"],
)  # fmt: skip
def test_mistakes_in_letters_of_a_note_are_found(before: str, right: str, mistake: str, cause: str) -> None:
    assert last(f"{before}\n$${right}$$").verdict == HOLDS
    found = last(f"{before}\n$${mistake}$$")
    assert (found.verdict, found.cause) == (WRONG, cause)
    assert last(f"{before}\n$${found.repaired}$$").verdict == HOLDS


@pytest.mark.parametrize(
    "text",
    sliced(
        [
            SOFTMAX + r" for $i \neq j$: $$\frac{\partial p_i}{\partial z_j} = -p_i p_j$$",
            "$$\\frac{\\partial L}{\\partial S} = P - Y$$\n".join((ROWS, OF_AN_EXAMPLE)),
            r"$$\mathrm{tr}(AB) = \mathrm{tr}(BA)$$ $$\|A\|_F^2 = \mathrm{tr}(A^\top A)$$",
            r"$$\frac{\partial}{\partial A} \mathrm{tr}(A^\top B) = B$$",
            r"$$1 - \sigma(x) = \sigma(-x)$$",
        ],
        5,
    ),
    ids=["other indices", "derivatives of an example", "traces", "of a trace", "two calls"],
)
def test_right_lines_hold(text: str) -> None:
    assert {line.verdict for line in verify_latex(text).lines} - {NO_CLAIM} == {HOLDS}


@pytest.mark.parametrize(
    ("text", "verdict"),
    sliced(
        [
            (SOFTMAX + "for $i = j$:\n" + r"$$\frac{\partial p_i}{\partial z_i} = p_i - 1$$", DOUBTFUL),
            (SOFTMAX + r"$$\frac{\partial p_i}{\partial z_j} = -p_i p_j$$", DOUBTFUL),
            (r"$$\mathrm{vec}(A X B) = (B^\top \otimes A) \mathrm{vec}(X)$$", NOT_JUDGED),
            (r"$$A^\top A = A A^\top$$", NO_CLAIM),
            (GATES + r"$$dc_t \leftarrow dc_t + dh_t \odot o_t \odot (1 - \tanh^2(c_t))$$", NO_CLAIM),
            (COURSE + r"$$k = 1, 2, \dots, l$$", NO_CLAIM),
            (r"$$\hat{y} = h^{(l)}$$", NO_CLAIM),
            (
                r"$$\theta_t = \theta_{t-1} - \frac{\eta}{\sqrt{G_t} + \epsilon} g_t$$ $$G_t = G_{t-1} + g_t^2$$",
                NO_CLAIM,
            ),
            ("$$Z = " + "W " * 500 + "$$", NOT_JUDGED),
            ("$$Z = " + r"\sum_i " * 50 + "x_i$$", NOT_JUDGED),
        ],
        6,
    ),
    ids=[
        "another value",
        "equal indices",
        "stacked columns",
        "normal matrices",
        "what is added",
        "a range",
        "a name",
        "sums of squares",
        "too many factors",
        "too many sums",
    ],
)
def test_what_is_no_mistake_of_a_kind_is_not_called_one(text: str, verdict: str) -> None:
    assert last(text).verdict == verdict


@pytest.mark.slow
def test_a_penalty_that_leaves_out_the_last_layer_is_found() -> None:
    cost = (
        r"$$J = -\frac{1}{m} \sum_{i=1}^m \left(y^{(i)} \log a^{[L](i)} + (1-y^{(i)}) \log(1-a^{[L](i)})\right) "
        r"+ \frac{\lambda}{2m} \sum_{l=1}^{LAST} \|W^{[l]}\|_F^2$$"
    )
    assert last(COURSE + cost.replace("LAST", "L")).verdict == HOLDS
    found = last(COURSE + cost.replace("LAST", "L-1"))
    assert (found.verdict, found.cause) == (WRONG, "wrong-layer")


def test_of_too_many_claims_the_rest_is_said_not_to_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parity_tests.derivations.latex.answers.MOST_CLAIMS", 2)
    found = verify_latex(COURSE + "\n$x$").lines
    assert [line.verdict for line in found] == [HOLDS, HOLDS, NOT_JUDGED, NO_CLAIM]
