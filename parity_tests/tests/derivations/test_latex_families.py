"""Notes of several families: where layers stand, which letters are used; formulas by entries, in names, of numbers."""

from __future__ import annotations

import re

import pytest

from parity_tests.derivations.latex.answers import verify_latex
from parity_tests.derivations.verdicts import DOUBTFUL, HOLDS, NO_CLAIM, NOT_JUDGED, WRONG
from parity_tests.tests.slices import sliced

UFLDL = r"""
$$z^{(2)} = W^{(1)} x + b^{(1)}$$ $$z^{(3)} = W^{(2)} a^{(2)} + b^{(2)}$$ $$J = \frac{1}{2} \| a^{(3)} - y \|^2$$
"""
BELOW = r"""
$$h = \tanh(W_1 x + b_1)$$ $$\hat{y} = \operatorname{softmax}(W_2 h + b_2)$$ $$L = -\sum_k y_k \log \hat{y}_k$$
"""
ROWS = r"""
$$H = \max(0, X W_1 + b_1)$$ $$S = H W_2 + b_2$$ $$P_{ij} = \frac{e^{S_{ij}}}{\sum_k e^{S_{ik}}}$$
$$dS = \frac{1}{N} (P - Y)$$
"""
SOFTMAX_OF_M = r"""
$$Z_1 = W_1 X + b_1, \quad A_1 = \mathrm{ReLU}(Z_1)$$ $$Z_2 = W_2 A_1 + b_2, \quad A_2 = \mathrm{softmax}(Z_2)$$
$$\frac{\partial J}{\partial Z_2} = \frac{1}{m} (A_2 - Y)$$
"""
HIDDEN = r"""
$$z = W^{(1)} x, \quad h = \phi(z), \quad o = W^{(2)} h$$ $$L = \frac{1}{2} \|o - y\|^2$$
"""
NIELSEN = r"""
$$z^l_j = \sum_k w^l_{jk} a^{l-1}_k + b^l_j, \quad a^l = \sigma(z^l)$$ $$C = \frac{1}{2} \|a^L - y\|^2$$
"""
COLUMNS = r"""
$$Z^{[1]} = W^{[1]} X + b^{[1]}$$
$$J = -\frac1m \sum_{i=1}^m [y^{(i)} \log a^{[2](i)} + (1 - y^{(i)}) \log (1 - a^{[2](i)})]$$
$$dW^{[1]} = \frac1m dZ^{[1]} X^T$$
"""
BISHOP = r"""
$$a_j = \sum_i w_{ji} x_i + b_j, \quad z_j = h(a_j)$$ $$a_k = \sum_j w_{kj} z_j + b_k, \quad y_k = a_k$$
$$E_n = \frac{1}{2} \sum_k (y_k - t_k)^2$$ $$\delta_k = y_k - t_k$$
"""
LOOP = r"""$$J += -[y^{(i)} \log a^{(i)} + (1 - y^{(i)}) \log (1 - a^{(i)})]$$
$$dw_1 += x_1^{(i)} dz^{(i)}$$ $$dw_1 = dw_1 / m$$"""
RIDGE = r"""
$$J(w) = \frac{1}{2n} \|Xw - y\|^2$$ $$\frac{\partial J}{\partial w_j} = \frac1n \sum_{i=1}^n (\hat y_i - y_i) x_{ij}$$
$$\nabla J_\lambda(w) = \frac1n X^\top (Xw - y) + \lambda w$$
"""
DEUTSCH = r"""
$$Z_1 = X W_1 + \mathbf{1} b_1^T, \quad A_1 = \tanh(Z_1), \quad Z_2 = A_1 W_2 + \mathbf{1} b_2^T$$
$$E = \frac{1}{2N} \|Z_2 - Y\|_F^2$$
"""
ONE_PARTIAL = r"""
$$\frac{\partial J}{\partial z^{[2](i)}} = \frac{1}{m} (a^{[2](i)} - y^{(i)})$$ $$dZ^{[2]} = A^{[2]} - Y$$
$$dW^{[2]} = \frac{1}{m} dZ^{[2]} A^{[1]T}$$ $$db^{[2]} = \frac{1}{m} \sum_{i=1}^m dZ^{[2](i)}$$
"""
INDICES = r"""
$$a_j = \sum_i w^{(1)}_{ji} x_i + w^{(1)}_{j0}, \quad z_j = \tanh(a_j)$$
$$a_k = \sum_j w^{(2)}_{kj} z_j + w^{(2)}_{k0}, \quad y_k = a_k$$ $$E_n = \frac12 \sum_k (y_k - t_k)^2$$
"""
ADAM = r"""
$$m_t = \beta_1 m_{t-1} + (1 - \beta_1) g_t, \quad \hat m_t = \frac{m_t}{1 - \beta_1^t}$$
"""
LETTERS = r"""
$$o = W h + c, \quad p = \mathrm{softmax}(o)$$ $$u = V x + d, \quad h = \mathrm{ReLU}(u)$$
"""
GIVEN = r"$$Y = X W^\top + b$$ $$\frac{\partial L}{\partial X} = \frac{\partial L}{\partial Y} W$$"
SIZE = r"""$$n_W = \left\lfloor \frac{n_W^{[l-1]} + 2p - f}{s} \right\rfloor + 1$$"""
THETA = r"$$\nabla_\theta J = \frac{1}{m} X^T (h - y)$$"


def chain(*pairs: str) -> str:
    """Derivatives side by side: ``L/a2 a2/z2``, layers in brackets."""
    names = [[re.sub(r"(\d)", r"^{[\1]}", each) for each in pair.split("/")] for pair in pairs]
    return " ".join(rf"\frac{{\partial {of}}}{{\partial {by}}}" for of, by in names)


def matrix(text: str) -> str:
    """A matrix whose entries stand between spaces and whose rows end with semicolons."""
    rows = r" \\ ".join(" & ".join(row.split()) for row in text.split(";"))
    return rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}"


RIGHT = [
    (UFLDL, r"\delta^{(2)} = ((W^{(2)})^T \delta^{(3)}) \bullet f'(z^{(2)})"),
    (UFLDL, r"\frac{\partial}{\partial b^{(l)}_i} J(W, b; x, y) = \delta^{(l+1)}_i"),
    (UFLDL, r"\nabla_{W^{(l)}} J = \delta^{(l+1)} (a^{(l)})^T"),
    (UFLDL, r"h_{W,b}(x) = a^{(3)} = f(z^{(3)})"),
    (UFLDL, r"J(W, b) = \frac1m \sum_{i=1}^m J(W, b; x^{(i)}, y^{(i)})"),
    (BELOW, r"\frac{\partial L}{\partial W_2} = (\hat{y} - y) h^\top"),
    (BELOW, r"\frac{\partial L}{\partial W_1} = \left( W_2^\top (\hat{y} - y) \odot (1 - h^2) \right) x^\top"),
    (ROWS, r"dW_2 = H^T dS"),
    (ROWS, r"db_2 = \sum_i dS_i"),
    (ROWS, r"dW_1 = X^T (dH \odot 1[H > 0])"),
    (ROWS, r"L = -\frac{1}{N} \sum_i \log P_{i, y_i}"),
    (SOFTMAX_OF_M, r"\frac{\partial J}{\partial b_2} = \sum_{i=1}^m \left(\frac{\partial J}{\partial Z_2}\right)_i"),
    (SOFTMAX_OF_M, r"J = -\frac{1}{m} \sum_{i=1}^m \sum_{k=1}^K y_k^{(i)} \log a_k^{(i)}"),
    (HIDDEN, r"\frac{\partial L}{\partial W^{(2)}} = \frac{\partial L}{\partial o} h^\top"),
    (HIDDEN, r"\frac{\partial L}{\partial h} = {W^{(2)}}^\top \frac{\partial L}{\partial o}"),
    (NIELSEN, r"\frac{\partial z^{l+1}_k}{\partial z^l_j} = w^{l+1}_{kj} \sigma'(z^l_j)"),
    (NIELSEN, r"\delta^l_j = \sum_k \frac{\partial C}{\partial z^{l+1}_k} \frac{\partial z^{l+1}_k}{\partial z^l_j}"),
    (NIELSEN, r"\frac{\partial z^l_k}{\partial w^l_{ij}} = \delta_{ki} a^{l-1}_j"),
    (NIELSEN, r"\frac{\partial z^l_k}{\partial w^l_{ij}} = \begin{cases} a^{l-1}_j & k=i \\ 0 & k \neq i \end{cases}"),
    (COLUMNS, r"Y = [y^{(1)}, y^{(2)}, \ldots, y^{(m)}]"),
    (COLUMNS, r"Z^{[1]} = \begin{bmatrix} z^{[1](1)} & z^{[1](2)} & \cdots & z^{[1](m)} \end{bmatrix}"),
    (COLUMNS, r"db^{[1]} = \frac{1}{m} (dz^{[1](1)} + dz^{[1](2)} + \cdots + dz^{[1](m)})"),
    ("", r"dw = \frac{1}{m} [x^{(1)} dz^{(1)} + \dots + x^{(m)} dz^{(m)}]"),
    ("", r"dw = \frac{1}{m} " + matrix(r"x^{(1)} \dots x^{(m)}") + r" " + matrix(r"dz^{(1)}; \vdots; dz^{(m)}")),
    (COLUMNS, r"z_1^{[2]} = w_{11}^{[2]} a_1^{[1]} + \dots + w_{1n}^{[2]} a_n^{[1]} + b_1^{[2]}"),
    (COLUMNS, r"z^{[1]} = " + matrix(r"w_{11} \dots w_{1n}; \vdots  \vdots; w_{k1} \dots w_{kn}") + r" x + b^{[1]}"),
    (COLUMNS, f"{chain('L/W1')} = {chain('L/a2', 'a2/z2', 'z2/a1', 'a1/z1', 'z1/W1')}"),
    (COLUMNS, r"\frac{\partial}{\partial w_1} J = \frac{1}{m} \sum_i^m \frac{\partial}{\partial w_1} L(a^{(i)}, y)"),
    (COLUMNS, r"L = \begin{cases} -\log \hat y & \text{if } y = 1 \\ -\log(1 - \hat y) & \text{if } y = 0 \end{cases}"),
    (COLUMNS, r"w^{[1]} \to w^{[1]} - \eta \, dw^{[1]}"),
    (THETA, r"h_\theta(x) = \frac{1}{1 + e^{-\theta^T x}}"),
    (THETA, r"J_{reg}(\theta) = J(\theta) + \frac{\lambda}{2m} \sum_{j=1}^n \theta_j^2"),
    (BISHOP, r"\delta_j = h'(a_j) \sum_k w_{kj} \delta_k"),
    (BISHOP, r"\frac{\partial E_n}{\partial w_{kj}} = \delta_k z_j"),
    (BELOW, r"\ell = -\sum_k y_k \log \hat{y}_k"),
    (ROWS, r"db_2 = \text{np.sum}(dS, \text{axis}=0)"),
    (LOOP, r"dw_1 = \frac{\partial J}{\partial w_1}"),
    (COLUMNS, r"W^{[2]} \in \mathbb{R}^{n^{[2]} \times n^{[1]}}"),
    ("", r"\begin{cases} \sigma(z) \to 1, \text{ when } z \to \infty \\ z \to -\infty: \sigma(z) \to 0 \end{cases}"),
    ("", matrix(r"W_{11} W_{12} \dots W_{1n_x}; W_{n1} W_{n2} \dots W_{nn_x}")),
    ("", r"\sigma'(z) = \frac{d}{dz} \frac{1}{1 + e^{-z}} = \sigma(z) (1 - \sigma(z))"),
    ("", r"\frac{d}{dz} \log \sigma(z) = 1 - \sigma(z)"),
    ("", r"\frac{d}{dW} (\frac{\lambda}{2m} W^2) = \frac{\lambda}{m} W"),
    ("", r"1 - \sigma(z) = \sigma(-z)"),
    ("", r"\lim_{z \to -\infty} \sigma(z) = 0"),
    ("", matrix(r"1 2; 3 4") + r" " + matrix(r"5; 6") + r" = " + matrix(r"17; 39")),
    ("", r"\begin{bmatrix} 1 \\ 2 \end{bmatrix} + 100 = \begin{bmatrix} 101 \\ 102 \end{bmatrix}"),
    (r"$$A = \begin{pmatrix} 3 & 4 \\ 0 & 0 \end{pmatrix}$$", r"\|A\|_F^2 = (\sqrt{3^2 + 4^2})^2 = 25"),
    ("", r"\log 10 = 2.3026"),
    (RIDGE, r"J_\lambda(w) = \frac{1}{2n} \|Xw - y\|^2 + \frac{\lambda}{2} \|w\|^2"),
    (RIDGE, r"w \leftarrow (1 - \alpha \lambda) w - \frac{\alpha}{n} X^T (Xw - y)"),
    (ROWS, r"W_1 \leftarrow W_1 - \eta (\frac{\partial L}{\partial W_1} + \frac{\lambda}{m} W_1)"),
    (ROWS, r"dZ_1 = dH \odot \mathbb{1}[H > 0]"),
    (DEUTSCH, r"\frac{\partial E}{\partial b_2} = \frac1N (Z_2 - Y)^T \mathbf{1}"),
    (INDICES, r"\delta_j = (1 - z_j^2) \sum_k w^{(2)}_{kj} \delta_k"),
    (NIELSEN, r"w^l \to w^l - \frac{\eta}{m} \sum_x \delta^{x,l} (a^{x,l-1})^T"),
    (ADAM, r"v_t = \beta_2 v_{t-1} + (1 - \beta_2) g_t^2"),
    (ADAM, r"\theta_t = \theta_{t-1} - \alpha \hat m_t / (\sqrt{\hat v_t} + \epsilon)"),
    (LETTERS, r"\frac{\partial L}{\partial V} = \frac{\partial L}{\partial u} x^\top"),
    (LETTERS, r"\frac{\partial L}{\partial h} = W^\top (p - y)"),
    (GIVEN, r"W \in \mathbb{R}^{K \times D}"),
    (SIZE, r"H_{out} = \lfloor \frac{H_{in} + 2P - K}{S} \rfloor + 1"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "claim"), sliced(RIGHT, 24))
def test_right_formulas_hold(before: str, claim: str) -> None:
    judged = verify_latex(f"{before}\n$${claim}$$")
    assert judged.lines[-1].verdict == HOLDS, judged.lines[-1]
    assert {each.verdict for each in judged.lines} <= {HOLDS, NO_CLAIM}


LOGISTIC = r"$z = w^T x + b$, $a = \sigma(z)$, $L = -y \log a - (1-y) \log(1-a)$"

WRONG_ONES = [
    (UFLDL, r"\delta^{(2)} = ((W^{(2)})^T \delta^{(3)}) \bullet f(z^{(2)})", "g-for-gprime"),
    (UFLDL, r"\nabla_{W^{(l)}} J = \delta^{(l)} (a^{(l)})^T", "wrong-layer"),
    (BELOW, r"\frac{\partial L}{\partial W_2} = h^\top (\hat{y} - y)", "operand-order"),
    (BELOW, r"\frac{\partial L}{\partial W_1} = (W_2^\top (\hat{y} - y) \odot (1 - h)) x^\top", "square-missing"),
    (ROWS, r"dW_2 = dS^T H", "operand-order"),
    (ROWS, r"dH = dS W_2", "transpose-missing"),
    (NIELSEN, r"\frac{\partial z^{l+1}_k}{\partial z^l_j} = w^{l+1}_{jk} \sigma'(z^l_j)", "index-order"),
    (SOFTMAX_OF_M, r"\frac{\partial J}{\partial A_1} = W_1^T \frac{\partial J}{\partial Z_2}", "wrong-layer"),
    (HIDDEN, r"\frac{\partial L}{\partial h} = W^{(2)} \frac{\partial L}{\partial o}", "transpose-missing"),
    (NIELSEN, r"\delta^l_j = \sum_k w^{l+1}_{jk} \delta^{l+1}_k \sigma'(z^l_j)", "index-order"),
    ("", r"db^{[l]} = dz^{[l]} \cdot a^{[l-1]}", "extra-factor"),
    (COLUMNS, r"db^{[1]} = dz^{[1](1)} + dz^{[1](2)} + \cdots + dz^{[1](m)}", "missing-1/m"),
    (COLUMNS, f"{chain('L/z2')} = {chain('L/z1', 'z2/a1', 'a1/z1')}", "left-side"),
    (COLUMNS, f"{chain('L/W1')} = {chain('L/z2', 'a1/z1', 'z1/W1')}", "missing-factor"),
    (COLUMNS, r"\frac{\partial z^{[2]}}{\partial W^{[2]}} = a^{[2]}", "wrong-layer"),
    (COLUMNS, r"L = \begin{cases} -\log \hat y & y = 1 \\ \log(1 - \hat y) & y = 0 \end{cases}", "sign"),
    (BISHOP, r"\delta_j = h'(a_j) \sum_k w_{jk} \delta_k", "index-order"),
    (BISHOP, r"\delta_k = t_k - y_k", "sign"),
    (COLUMNS, r"W^{[2]} \in \mathbb{R}^{n^{[1]} \times n^{[2]}}", "shape"),
    (COLUMNS, r"J = \frac{1}{m} \sum_{i=1}^m L(\hat{y}^{[i]}, y^{[i]})", "misprint"),
    (COLUMNS, r"-\frac{1}{m} \sum_{i=1}^m y^{(i)} \log a^{(i)} = -np.sum(np.multiply(np.log(A), Y))", "missing-1/m"),
    (COLUMNS, f"{chain('L/W1')} = {chain('L/a2', 'a2/z2', 'a1/z1', 'z1/W1')} X^T", "missing-factor"),
    (COLUMNS, f"{chain('L/W2')} = {chain('L/a2', 'a2/z2', 'z2/a1', 'a1/z1', 'z1/W1')} X", "left-side"),
    (NIELSEN, r"\frac{\partial z^l_j}{\partial w^l_{jk}} = a^{l-1}_j", "index-order"),
    (LOOP, r"dw^{(i)} += x^{(i)} dz^{(i)}", "index"),
    ("", r"\begin{cases} z \to \infty, g(z) \to 1 \\ z\to -\infty, g(z) \to 0 \\ z = 0, g(z) = \frac{1}{4} \end{cases}",
     "gprime-for-g"),
    ("", matrix(r"W_{11} W_{21} \dots W_{1n}; W_{21} W_{22} \dots W_{2n}"), "index"),
    ("", r"\mathrm{ReLU}(z) = \begin{cases} 0 & z < 0 \\ 1 & z > 0 \end{cases}", "gprime-for-g"),
    (THETA, r"J_{reg} = J + \frac{\lambda}{m} \|\theta\|^2", "l2-factor-2"),
    ("", r"\frac{d}{dz} \log (1 - \sigma(z)) = \sigma(z)", "sign"),
    ("", r"5 \cdot 3 + 5 + 1 \cdot 5 + 1 = 27", "wrong-number"),
    ("", matrix(r"1 2; 3 4") + r" + " + matrix(r"10 20") + r" = " + matrix(r"11 22; 13 26"), "wrong-number"),
    ("", r"\begin{bmatrix} 1 & 2 \end{bmatrix} \begin{bmatrix} 3 & 4 & 5 \end{bmatrix} = 11", "wrong-number"),
    (ROWS, r"dZ_1 = dH \odot \mathbb{1}[H < 0]", "wrong-operator"),
    (DEUTSCH, r"\frac{\partial E}{\partial W_2} = \frac1N (Z_2 - Y) A_1^T", "operand-order"),
    (ONE_PARTIAL, r"dW^{[1]} = dZ^{[1]} X^T", "missing-1/m"),
    (INDICES, r"\delta_j = (1 - z_j) \sum_k w^{(2)}_{kj} \delta_k", "square-missing"),
    (ADAM, r"v_t = \beta_2 v_{t-1} + (1 - \beta_2) g_t", "square-missing"),
    (SIZE, r"n_H = \left\lfloor \frac{n_H^{[l-1]} + p - f}{s} \right\rfloor + 1", "padding-once"),
    (SIZE, r"W_2 = (W_1 - F + 2P) / S", "missing-term"),
    (LETTERS, r"\frac{\partial L}{\partial V} = \frac{\partial L}{\partial h} x^\top", "gprime-missing"),
    (GIVEN, r"\frac{\partial L}{\partial X} = \frac{\partial L}{\partial Y} W^\top", "transpose-extra"),
    ("", r"\tanh(x) = 2 \sigma(x) - 1", "missing-factor"),
    ("", r"\frac{d}{dz} \sigma(z) = \frac{e^{-z}}{1 + e^{-z}}", "square-missing"),
    ("", r"\tanh(z) = \frac{e^z + e^{-z}}{e^z - e^{-z}}", "wrong-operator"),
]  # fmt: skip


@pytest.mark.parametrize(
    "factor", [r"x\, dz / 2", r"2 x\, dz", r"x\, 2 dz", r"\frac{1}{2} x\, dz", r"\frac{x\, dz}{3}"]
)
def test_a_number_too_many_is_left_out(factor: str) -> None:
    judged = verify_latex(f"{LOGISTIC}\n$$dw = {factor}$$").lines[-1]
    assert (judged.verdict, judged.cause, judged.repaired) == (WRONG, "extra-factor", "dw = x dz")


@pytest.mark.parametrize(("before", "claim", "cause"), sliced(WRONG_ONES, 12))
def test_mistakes_are_named(before: str, claim: str, cause: str) -> None:
    judged = verify_latex(f"{before}\n$${claim}$$").lines[-1]
    assert (judged.verdict, judged.cause) == (WRONG, cause), judged
    if judged.repaired and cause != "shape":  # what is offered holds where it is put
        assert verify_latex(f"{before}\n$${judged.repaired}$$").lines[-1].verdict == HOLDS, judged


@pytest.mark.parametrize(
    ("claim", "repaired"),
    [
        (
            r"\frac{\partial C}{\partial w^l} = \delta^l a^{l-1}",
            r"\frac{\partial C}{\partial w^{l}} = \delta^{l} (a^{l-1})^T",
        ),
        (
            r"\frac{\partial C}{\partial z^l} = w^{l+1} \frac{\partial C}{\partial z^{l+1}} \odot \sigma'(z^l)",
            r"\frac{\partial C}{\partial z^{l}} = (w^{l+1})^T \frac{\partial C}{\partial z^{l+1}} \odot \sigma'(z^{l})",
        ),
    ],
)
def test_a_repair_has_the_partial_fractions_of_the_note(claim: str, repaired: str) -> None:
    judged = verify_latex(f"{NIELSEN}\n$${claim}$$").lines[-1]
    assert (judged.verdict, judged.repaired) == (WRONG, repaired)
    assert verify_latex(f"{NIELSEN}\n$${repaired}$$").lines[-1].verdict == HOLDS


@pytest.mark.parametrize(
    ("claim", "kept"),
    [
        (r"n_H = \left\lfloor \frac{n_{H,prev} + p - f}{s} \right\rfloor + 1", "n_{H,prev}"),
        (r"n_H = \left\lfloor \frac{n_{Hprev} + p - f}{s} \right\rfloor + 1", "n_{Hprev}"),
    ],
)
def test_a_repair_has_the_commas_of_words_below(claim: str, kept: str) -> None:
    judged = verify_latex(f"$${claim}$$").lines[-1]
    assert judged.verdict == WRONG
    assert f"{kept} + 2 p - f" in judged.repaired


@pytest.mark.parametrize(
    ("before", "claim", "said"),
    sliced(
        [
            ("", r"v_t = \gamma v_{t-1} + \eta \nabla_\theta J(\theta)", "classical momentum"),
            ("", r"\theta_{t+1} = \theta_t - v_t", "classical momentum"),
            ("", r"v_{t+1} = \beta v_t + g_t", "torch's momentum"),
            (SIZE, r"W_2 = (W_1 - F + 2P)/S + 1", "stride leaves no remainder"),
            (SIZE, r"n_{out} = n_{in} - f + 1", "stride is 1 and holds without padding"),
            (ROWS, r"W_1 \leftarrow W_1 - \eta (dW_1 + \lambda W_1)", ""),
            (
                ONE_PARTIAL,
                r"\frac{\partial J}{\partial z^{[2](i)}} = \frac{1}{m} (a^{[2](i)} - y^{(i)})",
                "derivatives of J",
            ),
            (r"$$h_t = \tanh(U x_t + V h_{t-1} + b)$$", r"\frac{\partial L}{\partial h} = W^\top (p - y)", "letters"),
            ("", r"w^* = (X^T X)^{-1} X^T y", "inverse of a matrix"),
            ("", r"dS = P \odot (dP - (dP \odot P) \mathbf 1 \mathbf 1^\top)", ""),
        ],
        6,
    ),
)
def test_other_conventions_are_no_mistakes(before: str, claim: str, said: str) -> None:
    judged = verify_latex(f"{before}\n$${claim}$$").lines[-1]
    assert judged.verdict in (HOLDS, DOUBTFUL, NOT_JUDGED)
    assert said in judged.message


def test_a_definition_of_the_note_outweighs_a_formula_of_another_section() -> None:
    text = (
        DEUTSCH
        + r"# Back"
        + "\n"
        + r"$$\frac{\partial E}{\partial Z_1} = \frac{\partial E}{\partial A_1} \odot A_1 \odot (1 - A_1)$$"
    )
    assert verify_latex(text).lines[-1].verdict != HOLDS


ELSEWHERE = r"""
# Forward
$$z^l = w^l a^{l-1} + b^l$$ $$a^l = \sigma(z^l)$$ $$C = \frac12 \|a^L - y\|^2$$
# Back
"""


@pytest.mark.parametrize(
    ("forward", "claim", "verdict"),
    [
        (ELSEWHERE, r"\delta^l = (w^{l+1} \delta^{l+1}) \odot \sigma'(z^l)", WRONG),
        (ELSEWHERE, r"\delta^l = ((w^{l+1})^T \delta^{l+1}) \odot \sigma'(z^l)", HOLDS),
        (ELSEWHERE.replace("w^l a", "(w^l)^T a"), r"\delta^l = (w^{l+1} \delta^{l+1}) \odot \sigma'(z^l)", HOLDS),
        (
            ELSEWHERE + r"$$z^l = (w^l)^T a^{l-1} + b^l$$",
            r"\delta^l = (w^{l+1} \delta^{l+1}) \odot \sigma'(z^l)",
            HOLDS,
        ),
    ],
)
def test_weights_lie_and_are_numbered_as_in_the_forward_pass_of_another_section(
    forward: str, claim: str, verdict: str
) -> None:
    assert verify_latex(f"{forward}\n$${claim}$$").lines[-1].verdict == verdict


def test_a_sum_that_begins_with_0_is_right() -> None:
    judged = verify_latex("$$J = 0$$ $$db = 0$$\n$$db += dz^{(i)}$$\n$$db /= m$$")
    assert [each.verdict for each in judged.lines] == [NO_CLAIM, HOLDS, HOLDS, HOLDS]


def test_an_equation_that_holds_for_some_numbers_is_no_claim() -> None:
    assert verify_latex("$$1 - x = 2 x$$").lines[-1].verdict == NO_CLAIM


def test_numbers_of_letters_that_were_set_before_are_no_proof() -> None:
    assert verify_latex("$n = 6$ and $f = 3$, thus $n - f + 1 = 4 + 1$").lines[-1].verdict == DOUBTFUL


def test_an_ellipsis_without_a_pattern_is_not_read() -> None:
    judged = verify_latex(COLUMNS + r"$$db^{[1]} = dz^{[1](1)} + dz^{[2](3)} + \cdots + dz^{[1](m)}$$").lines[-1]
    assert "terms follow no pattern" in judged.message
