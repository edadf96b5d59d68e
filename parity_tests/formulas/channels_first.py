"""Windows as columns, and convolution and padded pooling with channels first."""

from __future__ import annotations

from typing import Any

import numpy as np

import manual.channels_first as by_hand
import torch_ref.channels_first as torch_side
from parity_tests.formulas.case import N_2, N_X, Case, Inputs, normal
from parity_tests.formulas.formula import Formula, Sharp, Words, code, probe, pulled_back, refusal
from parity_tests.formulas.planting import fault, instead, largest_moved, result
from parity_tests.judging.bounds import Bound, gamma
from torch_ref.devices import array, tensor


def _abs(value: Any) -> Any:
    return tensor(np.abs(value))


def col2im_bound(u: float, at: Any) -> Bound:
    """As many terms in a cell as windows hold it, at most the cells of a window."""
    size = array(torch_side.col2im(_abs(at.dcols), at.A.shape, at.f_H, at.f_W, at.stride, at.pad))
    return gamma(at.f_H * at.f_W, u) * size


def conv_first_bound(u: float, at: Any) -> Bound:
    """Products over the cells of a window and its channels, and the bias."""
    size = array(torch_side.conv_first_forward(_abs(at.A_prev), _abs(at.W), _abs(at.b), at.stride, at.pad))
    return gamma(at.W[0].size + 2, u) * size


def conv_first_backward_bounds(u: float, at: Any) -> tuple[Bound, Bound, Bound]:
    """Sums over filters and the taps that see a cell; over examples and windows; 1/m in and out."""
    size = torch_side.conv_first_backward(_abs(at.dZ), _abs(at.A_prev), _abs(at.W), at.stride, at.pad)
    taps, windows = at.W.size // at.W.shape[1], at.dZ.size // at.dZ.shape[1]
    terms = taps + 3, windows + 4, windows + 4
    dA, dW, db = (gamma(k, u) * array(each) for k, each in zip(terms, size, strict=True))
    return dA, dW, db


def padded_pool_backward_bound(u: float, at: Any) -> Bound:
    """A quotient, and a sum over the windows that hold a cell, whose terms may cancel."""
    size = array(torch_side.padded_pool_backward(_abs(at.dA), tensor(at.A_prev), at.size, at.stride, at.pad, at.mode))
    return gamma(at.size**2 + 2, u) * size


# pragma: no mutate start, for what follows is drawn and planted: the bounds above judge


SIDES = {"f_H": 2, "f_W": 3, "stride": 2, "pad": 1}
SHAPE = N_2, N_X, 5, 7


def _filters(rng: np.random.Generator, upstream: bool = False) -> Inputs:
    dZ = {"dZ": normal(rng, N_2, 2, 3, 4)} if upstream else {}
    return {
        **dZ,
        "A_prev": normal(rng, *SHAPE),
        "W": normal(rng, 2, N_X, 3, 2),
        "b": normal(rng, 2),
        "stride": 2,
        "pad": 1,
    }


def _without_b(backward: Any) -> Any:
    return lambda dZ, A_prev, W, b, stride, pad: backward(dZ, A_prev, W, stride, pad)


def _pooled(rng: np.random.Generator, mode: str, upstream: bool = False) -> Inputs:
    dA = {"dA": normal(rng, N_2, N_X, 3, 4)} if upstream else {}
    return {**dA, "A_prev": normal(rng, *SHAPE) - 1, "size": 3, "stride": 2, "pad": 1, "mode": mode}


def _pool_case(mode: str) -> Case:
    return probe(
        lambda rng: _pooled(rng, mode),
        {"A": lambda u, at: (at.mode == "average") * gamma(at.size**2 + 1, u) * array(
            torch_side.padded_pool_forward(_abs(at.A_prev), at.size, at.stride, at.pad, "average"))},
        id=f"channels_first.padded_pool_forward_{mode}",
    )  # fmt: skip


def _pool_backward_case(mode: str) -> Case:
    return probe(
        lambda rng: _pooled(rng, mode, upstream=True),
        {"dA_prev": padded_pool_backward_bound},
        pulled_back(by_hand.padded_pool_forward, "dA", "A_prev", per_example=1),
        id=f"channels_first.padded_pool_backward_{mode}",
        stays_real={"A_prev": "the derivative depends on its order alone"},
    )  # fmt: skip


def _overwritten(dcols: Any, A: Any, f_H: int, f_W: int, stride: int, pad: int) -> Any:
    """The last window that holds a cell, in place of their sum."""
    m, n_C, n_H, n_W = A.shape
    rows, columns = (n_H + 2 * pad - f_H) // stride + 1, (n_W + 2 * pad - f_W) // stride + 1
    padded = np.zeros((m, n_C, n_H + 2 * pad, n_W + 2 * pad), dcols.dtype)
    parts = dcols.reshape(m, n_C, f_H, f_W, rows, columns)
    for j, k, cells in by_hand._taps(f_H, f_W, stride, rows, columns):
        padded[cells] = parts[:, :, j, k]
    return padded[:, :, pad : pad + n_H, pad : pad + n_W]


A, W, B = np.ones((2, 3, 5, 7)), np.ones((4, 3, 2, 2)), np.ones(4)
"""Volumes and filters to be refused in parts."""

FIRST = "expected (m, n_C, n_H, n_W) with no side of length 0: channels first"
DEEP = (
    "W has shape (4, 2, 2, 2), A_prev (2, 3, 5, 7), expected (n_C, n_C_prev, f_H, f_W) and (m, n_C_prev, ...): a "
    "filter "
    "is as deep as its input"
)

FORMULAS = (
    Formula(
        (code(by_hand, torch_side, "im2col"),),
        Words(
            "Windows as columns",
            r"x_{(c f_H + j) f_W + k,\; h n_W + w} = a_{c,\; s h + j - p,\; s w + k - p}",
            "A convolution is a product of a filter with every window. Write each window as a column, and all of "
            "them are "
            "one product of matrices. Nothing is computed, only copied, as often as windows overlap.",
            "A column runs over the channels last, the rows of the filters over the channels first.",
            "The product runs and is wrong: the order within a column must be that of a filter's row.",
        ),
        cases=(
            probe(lambda rng: {"A": normal(rng, *SHAPE), **SIDES}, {"columns": lambda u, at: 0 * at.columns},
                  id="channels_first.im2col"),
        ),
        faults=(
            fault("channels last in a column",
                  result(lambda x, *a: x.reshape(N_2, N_X, 6, -1).swapaxes(1, 2).reshape(x.shape)), "columns",
                  at="manual"),
            fault("windows column by column",
                  result(lambda x, *a: x.reshape(N_2, -1, 3, 4).swapaxes(2, 3).reshape(x.shape)), "columns",
                  at="manual"),
        ),
        refusals=(refusal(f"A has shape (3, 5, 7), {FIRST}", A[0], 2, 2),),
    ),
    Formula(
        (code(by_hand, torch_side, "col2im"),),
        Words(
            "Columns back to volumes",
            r"da_{c, y, x} = \sum dx_{(c f_H + j) f_W + k,\; h n_W + w} \qquad \text{over all } s h + j - p = y, \; "
            r"s w + k - p = x",
            "Each cell was copied into every window that holds it, so the derivatives of the copies add up. The "
            "border is "
            "no part of the input.",
            "pool-overwrites",
            "Right as long as windows do not overlap.",
            shapes="dcols is (m, n_C f_H f_W, rows columns), the result (m, n_C, n_H, n_W).",
        ),
        cases=(
            Case(
                "channels_first.col2im",
                "",
                inputs=lambda rng: {"dcols": normal(rng, N_2, 6 * N_X, 12), "A": normal(rng, *SHAPE), **SIDES},
                manual=lambda dcols, A, *sides: by_hand.col2im(dcols, A.shape, *sides),
                loop=lambda dcols, A, *sides: by_hand.col2im_loop(dcols, A.shape, *sides),
                reference=lambda dcols, A, *sides: torch_side.col2im(dcols, tuple(A.shape), *sides),
                bounds={"dA": col2im_bound},
                derivatives=pulled_back(by_hand.im2col, "dcols", "A", per_example=1),
                stays_real={"A": "its shape alone is used"},
            ),
        ),
        sharp=(Sharp(0.02),),
        faults=(fault("the last window alone", instead(_overwritten), "dA", at="manual"),),
        refusals=(
            refusal("dcols has shape (2, 3), expected (2, 12, 24): a column for each window",
                    np.ones((2, 3)), A.shape, 2, 2),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "conv_first_forward"),),
        Words(
            "Convolution, channels first",
            r"Z_i = W_{rows}\, \mathrm{im2col}(A_i) + b, \qquad W_{rows}: (n_C, n_C^{prev} f_H f_W)",
            "The same convolution as with channels last; axes come in torch's order. A filter flattened is a row, a "
            "window "
            "flattened a column.",
            "The result is reshaped to (m, n_H, n_W, n_C).",
            "Values are right and lie in wrong places.",
        ),
        cases=(probe(_filters, {"Z": conv_first_bound}),),
        sharp=(Sharp(0.02),),
        faults=(
            fault("filters of channels first flipped",
                  lambda f: lambda A, W, *a: f(A, W[:, :, ::-1, ::-1], *a), "Z", at="manual"),
            fault("b of channels first forgotten", lambda f: lambda A, W, b, *a: f(A, W, 0 * b, *a), "Z", at="manual"),
        ),
        refusals=(
            refusal(DEEP, A, W[:, :2], B),
            refusal("b has shape (1, 4), expected (4,): one bias for each filter", A, W, B[None]),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "conv_first_backward"),),
        Words(
            "Convolution backward, channels first",
            r"dA^{prev} = \mathrm{col2im}(W_{rows}^{T} dZ), \qquad dW_{rows} = \frac{1}{m} \sum_{i} dZ_i\, "
            r"\mathrm{im2col}(A_i)^{T}, \qquad db = \frac{1}{m} \sum dZ",
            "The dense layer's derivatives on columns of windows; col2im then takes the columns apart.",
            "db is summed over the examples alone, or dZ is flattened with its channels first.",
            "db has a shape of its own for every place, or dW mixes examples with filters.",
        ),
        cases=(
            Case(
                "channels_first.conv_first_backward",
                "",
                inputs=lambda rng: _filters(rng, upstream=True),
                manual=_without_b(by_hand.conv_first_backward),
                loop=_without_b(by_hand.conv_first_backward_loop),
                reference=_without_b(torch_side.conv_first_backward),
                bounds={
                    "dA_prev": lambda u, at: conv_first_backward_bounds(u, at)[0],
                    "dW": lambda u, at: conv_first_backward_bounds(u, at)[1],
                    "db": lambda u, at: conv_first_backward_bounds(u, at)[2],
                },
                derivatives=pulled_back(by_hand.conv_first_forward, "dZ", "A_prev W b", per_example=1, m=N_2),
                stays_real={"b": "the derivatives do not depend on it"},
            ),
        ),
        sharp=(Sharp(0.02),),
        faults=(
            fault("1/m lost, channels first", result(lambda g, *a: g._replace(dW=N_2 * g.dW)), "dW", at="manual"),
            fault("one entry of dA_prev moved, channels first", result(
                lambda g, *a: g._replace(dA_prev=largest_moved(g.dA_prev))), "dA_prev", at="manual"),
        ),
        refusals=(
            refusal("dZ has shape (2, 3, 5, 7), expected (2, 4, 4, 6): dZ has the shape of Z", A, A, W),
            refusal(DEEP, A, A, W[:, :2]),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "padded_pool_forward"),),
        Words(
            "Pooling with a border",
            r"a_{c, h, w} = \max_{j, k} a^{prev}_{c,\; s h + j - p,\; s w + k - p}, \qquad \text{or} \qquad a_{c, h, "
            r"w} = "
            r"\frac{1}{f^{2}} \sum_{j, k} a^{prev}_{c,\; s h + j - p,\; s w + k - p}",
            r"A border of a maximum is $-\infty$: it never wins. That of an average is 0 and counts, so that values "
            r"at the "
            "edge shrink; torch can leave it out by count_include_pad=False.",
            "The maximum is taken over a border of zeros.",
            "0 wins wherever all of a window is below 0; after ReLU it makes no difference.",
        ),
        cases=(_pool_case("max"), _pool_case("average")),
        faults=(
            fault("a border of zeros under a maximum", lambda f: lambda *a: np.maximum(f(*a), 0), "A", at="manual"),
            fault("the border not counted", instead(lambda A, size, stride, pad, mode: (
                by_hand.padded_pool_forward(A, size, stride, pad, mode)
                / by_hand.padded_pool_forward(np.ones_like(A), size, stride, pad, mode))), "A",
                at="case:channels_first.padded_pool_forward_average manual"),
        ),
        refusals=(refusal("pad is 2, expected 0 to 1: no window lies in the border alone", A, 3, 2, 2),),
    ),
    Formula(
        (code(by_hand, torch_side, "padded_pool_backward"),),
        Words(
            "Pooling with a border, backward",
            r"da^{prev} = \mathrm{crop} \bigl( \mathrm{pool}^{\prime}(\mathrm{pad}(a^{prev}))\, da \bigr)",
            "Backward as without a border, on the padded volume; then the border is cut off, with what an average "
            "handed "
            "to it.",
            "The share of an average is divided by the cells inside.",
            "Edges get too much: what the border received is lost, not spread.",
        ),
        cases=(_pool_backward_case("max"), _pool_backward_case("average")),
        faults=(
            fault("shares of the border spread", result(lambda dA, up, *a: dA * up.sum() / dA.sum()), "dA_prev",
                  at="case:channels_first.padded_pool_backward_average manual"),
        ),
        refusals=(refusal("pad is 2, expected 0 to 1: no window lies in the border alone", A, A, 3, 2, 2),),
    ),
)  # fmt: skip
# pragma: no mutate end
