"""Losses, attention, channels first: defaults, numbers far apart, kinks, mixed dtypes, edges, refusals."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from manual import attention, channels_first, losses

RNG = np.random.default_rng(3)
Z, LABELS = RNG.standard_normal((4, 5)), [0, 3, 1, 1, 2]
ONES = np.ones((4, 1)), np.ones((1, 5))
A = RNG.standard_normal((2, 3, 5, 4))
FILTERS, BIASES = RNG.standard_normal((2, 3, 3, 2)), RNG.standard_normal(2)
X, W = RNG.standard_normal((2, 3, 4)), RNG.standard_normal((4, 4))


def both(function: Callable[..., Any], module: Any) -> list[Callable[..., Any]]:
    """A formula and its loop form."""
    return [function, getattr(module, f"{function.__name__}_loop")]


@pytest.mark.parametrize(
    ("module", "function", "given", "default"),
    [
        (losses, losses.label_cross_entropy, (Z, LABELS, *ONES), (0.0,)),
        (losses, losses.label_cross_entropy_prime, (Z, LABELS, *ONES), (0.0,)),
        (losses, losses.huber, (3 * Z, Z[::-1]), (1.0,)),
        (losses, losses.huber_prime, (3 * Z, Z[::-1]), (1.0,)),
        (losses, losses.hinge, (Z, LABELS), (1.0,)),
        (losses, losses.hinge_prime, (Z, LABELS), (1.0,)),
        (channels_first, channels_first.im2col, (A, 3, 2), (1, 0)),
        (channels_first, channels_first.col2im, (channels_first.im2col(A, 3, 2), A.shape, 3, 2), (1, 0)),
        (channels_first, channels_first.conv_first_forward, (A, FILTERS, BIASES), (1, 0)),
        (channels_first, channels_first.conv_first_backward, (np.ones((2, 2, 3, 3)), A, FILTERS), (1, 0)),
        (channels_first, channels_first.padded_pool_forward, (A, 2, 1, 1), ("max",)),
        (channels_first, channels_first.padded_pool_backward, (np.ones((2, 3, 6, 5)), A, 2, 1, 1), ("max",)),
    ],
    ids=lambda each: getattr(each, "__name__", None) if callable(each) else None,
)
def test_what_is_left_out_has_its_usual_value(module: Any, function: Any, given: Any, default: Any) -> None:
    expected = function(*given, *default)
    for version in both(function, module):
        found = version(*given)
        for one, other in zip(found, expected, strict=True) if isinstance(found, tuple) else [(found, expected)]:
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


def test_softmax_and_its_logarithm_know_rows_and_columns_that_are_far_apart() -> None:
    S = np.array([[2000.0, 1999.0], [-3000.0, -3001.0], [0.0, -1.0]])
    share = 1 / (1 + np.exp(-1))
    np.testing.assert_allclose(attention.softmax_rows(S), [[share, 1 - share]] * 3, rtol=1e-12)
    np.testing.assert_allclose(attention.softmax_rows(S[0]), [share, 1 - share], rtol=1e-12)
    np.testing.assert_allclose(np.exp(losses.log_softmax(S.T)), [[share] * 3, [1 - share] * 3], rtol=1e-12)


@pytest.mark.parametrize("prime", both(losses.hinge_prime, losses))
def test_at_the_margin_itself_the_hinge_pulls_nowhere(prime: Callable[..., Any]) -> None:
    assert prime(np.array([[2.0], [1.0], [0.0]]), [0]).tolist() == [[0], [0], [0]]
    assert prime(np.array([[2.0], [1.5], [0.0]]), [0]).tolist() == [[-1], [1], [0]]


@pytest.mark.parametrize(("a", "pull"), [(0.0, 0.0), (1.0, 1.0), (-1.0, -1.0), (3.0, 1.0), (-3.0, -1.0)])
def test_huber_at_its_corners(a: float, pull: float) -> None:
    for prime in both(losses.huber_prime, losses):
        assert prime(np.array([[a]]), np.zeros((1, 1))).item() == pull
    for J in both(losses.huber, losses):
        assert J(np.array([[a]]), np.zeros((1, 1))) == (a * a / 2 if abs(a) <= 1 else abs(a) - 0.5)
        step = J(np.array([[a + 1e-30j]]), np.zeros((1, 1)))
        assert step.imag / 1e-30 == pytest.approx(pull)


def test_all_of_the_smoothing_makes_all_classes_alike() -> None:
    dZ = losses.label_cross_entropy_prime(Z, LABELS, *ONES, 1.0)
    np.testing.assert_allclose(dZ, np.exp(losses.log_softmax(Z)) - 0.25, rtol=1e-12)


@pytest.mark.parametrize(
    ("function", "given"),
    [
        (losses.label_cross_entropy, (Z, LABELS, *ONES)),
        (losses.softmax_squared_error, (Z, Z[::-1])),
        (losses.huber, (Z, Z[::-1])),
    ],
    ids=lambda each: getattr(each, "__name__", None) if callable(each) else None,
)
def test_a_loop_has_the_widest_dtype_of_what_it_is_given(function: Any, given: Any) -> None:
    """As the vectorised form has: one array in float64 is enough."""
    single = [each.astype(np.float32) if isinstance(each, np.ndarray) else each for each in given]
    loop = both(function, losses)[1]
    assert loop(*single).dtype == function(*single).dtype == np.float32
    for place, each in enumerate(given):
        if isinstance(each, np.ndarray):
            mixed = [*single[:place], each, *single[place + 1 :]]
            assert loop(*mixed).dtype == function(*mixed).dtype == np.float64


def test_attention_in_loops_has_the_widest_dtype() -> None:
    Q, K, V, dA = (RNG.standard_normal(shape) for shape in ((3, 4), (5, 4), (5, 2), (3, 2)))
    narrow = [each.astype(np.float32) for each in (dA, Q, K, V)]
    loop = attention.attention_backward_loop
    assert {each.dtype for each in loop(*narrow)} == {np.dtype(np.float32)}
    assert loop(narrow[0], narrow[1], K, narrow[3]).dQ.dtype == np.float64
    assert loop(narrow[0], Q, *narrow[2:]).dK.dtype == np.float64


@pytest.mark.parametrize(("stride", "pad"), [(1, 1), (2, 1), (1, 0), (2, 2)])
@pytest.mark.parametrize("sides", [(5, 4), (4, 5), (5, 5), (1, 1)])
def test_windows_that_end_with_the_border(sides: tuple[int, int], stride: int, pad: int) -> None:
    A = RNG.standard_normal((1, 1, *sides))
    f = min(3, min(sides) + 2 * pad)
    cols, loop = both(channels_first.im2col, channels_first)
    np.testing.assert_array_equal(loop(A, f, f, stride, pad), cols(A, f, f, stride, pad))
    back, loop = both(channels_first.col2im, channels_first)
    dcols = RNG.standard_normal(cols(A, f, f, stride, pad).shape)
    np.testing.assert_allclose(loop(dcols, A.shape, f, f, stride, pad), back(dcols, A.shape, f, f, stride, pad))


def test_a_filter_of_one_cell_and_one_channel() -> None:
    A, W = RNG.standard_normal((1, 1, 3, 3)), np.full((1, 1, 1, 1), 2.0)
    np.testing.assert_allclose(channels_first.conv_first_forward(A, W, np.zeros(1)), 2 * A)
    found = attention.heads_forward(X[:1, :1], W[0, 0] * np.eye(4), np.eye(4), np.eye(4), np.eye(4), 1)
    np.testing.assert_allclose(found, X[:1, :1])


@pytest.mark.parametrize(("size", "pad", "most"), [(2, 1, 1), (3, 1, 1), (5, 2, 2), (4, 2, 2), (6, 3, 3)])
def test_the_border_of_a_pool_is_at_most_half_its_window(size: int, pad: int, most: int) -> None:
    A = RNG.standard_normal((1, 2, 6, 6))
    for given in (0, pad):
        assert np.isfinite(channels_first.padded_pool_forward(A, size, 1, given)).all()
    for given in (-1, most + 1):
        with pytest.raises(ValueError, match=f"pad is {given}, expected 0 to {most}: no window lies in the border"):
            channels_first.padded_pool_forward(A, size, 1, given)


def test_an_empty_row_of_a_mask_is_named_and_an_empty_column_is_none() -> None:
    Q, K = RNG.standard_normal((3, 4)), RNG.standard_normal((5, 4))
    mask = np.ones((3, 5), bool)
    mask[:, 2] = False
    np.testing.assert_allclose(
        attention.attention_forward(Q, K, K, mask),
        attention.attention_forward(Q, np.delete(K, 2, 0), np.delete(K, 2, 0)),
    )
    mask[1] = False
    with pytest.raises(ValueError, match="row 1 of mask is empty"):
        attention.attention_forward(Q, K, K, mask)


@pytest.mark.parametrize("name", ["W_Q", "W_K", "W_V", "W_O"])
def test_each_weight_of_the_heads_is_looked_at(name: str) -> None:
    W_Q, W_K, W_V, W_O = (W[:, :3] if each == name else W for each in ("W_Q", "W_K", "W_V", "W_O"))
    says = f"{name} has shape (4, 3), expected (4, 4): as many rows and columns as X has features"
    with pytest.raises(ValueError, match=re.escape(says)):
        attention.heads_forward(X, W_Q, W_K, W_V, W_O, 2)
    with pytest.raises(ValueError, match=re.escape(says)):
        attention.heads_backward(X, X, W_Q, W_K, W_V, W_O, 2)


@pytest.mark.parametrize(
    ("refused", "says"),
    [
        (lambda: attention.softmax_rows(np.array(3.0)), "S has shape (), expected rows"),
        (lambda: attention.attention_forward(Z, Z[0], Z), "Q has shape (4, 5), K (5,), expected (..., T, d)"),
        (lambda: attention.attention_forward(Z[:0], Z, Z), "Q has shape (0, 5), K (4, 5), expected (..., T, d)"),
        (
            lambda: attention.heads_forward(X, W, W, W, W, 0),
            "heads is 0, expected a whole number of at least 1: at least one looks",
        ),
        (lambda: attention.heads_forward(X[:0], W, W, W, W, 2), "X has shape (0, 3, 4), expected (m, T, d) with no"),
        (lambda: channels_first.im2col(A[:0], 2, 2), "A has shape (0, 3, 5, 4), expected (m, n_C, n_H, n_W) with no"),
        (lambda: channels_first.conv_first_forward(A, FILTERS[0], BIASES), "W has shape (3, 3, 2), A_prev (2, 3, 5"),
        (lambda: channels_first.conv_first_forward(A, FILTERS[:0], BIASES), "W has shape (0, 3, 3, 2), A_prev (2, 3"),
        (lambda: channels_first.conv_first_forward(A[0], FILTERS, BIASES), "W has shape (2, 3, 3, 2), A_prev (3, 5,"),
        (lambda: channels_first.conv_first_forward(A[:, :2], FILTERS, BIASES), "(2, 2, 5, 4), expected (n_C, n_C_p"),
        (lambda: losses.hinge(Z[0], LABELS), "Z has shape (5,), expected"),
    ],
)
def test_what_is_none_is_refused(refused: Callable[[], Any], says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        refused()
