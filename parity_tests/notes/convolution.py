"""Convolutions and parameter counts: F219 to F243."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from manual.activations import relu
from manual.conv import conv_forward, zero_pad
from manual.shapes import conv_output_size, conv_parameter_count, dense_parameter_count, same_padding
from parity_tests.notes.check_kinds import At, count, same, shaped
from parity_tests.notes.row import AMBIGUOUS, CONVENTION, HOLDS, MISPRINT, WRONG, Row
from torch_ref.conv import conv_forward as conv_by_torch

M, N_H, N_W, CHANNELS, FILTERS, F = 2, 7, 5, 3, 4, 3


def volumes(at: At) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A batch of images, filters and biases, examples first and channels last."""
    draw = at.rng.standard_normal
    return draw((M, N_H, N_W, CHANNELS)), draw((F, F, CHANNELS, FILTERS)), draw((1, 1, 1, FILTERS))


def on_volumes(pair: Callable[..., tuple[Any, Any]]) -> Callable[[At], tuple[Any, Any]]:
    """A pair of values, as a function of the images, filters and biases."""
    return lambda at: pair(*volumes(at))


def by_torch(A: np.ndarray, W: np.ndarray, b: np.ndarray, *, stride: int = 1, pad: int = 0) -> np.ndarray:
    """Torch's conv2d, in the notes' layout."""
    return conv_by_torch(*(torch.from_numpy(value) for value in (A, W, b)), stride=stride, pad=pad).numpy()


def side(n: int, f: int, pad: int = 0, stride: int = 1) -> int:
    """The side of what torch's conv2d gives for an image of side n."""
    image = torch.zeros(1, 1, n, n)
    return int(torch.nn.functional.conv2d(image, torch.zeros(1, 1, f, f), stride=stride, padding=pad).shape[-1])


def depth(filters: int) -> int:
    """The depth of what comes out of that many filters on three channels."""
    return int(torch.nn.Conv2d(3, filters, 3, device="meta")(torch.zeros(1, 3, 6, 6, device="meta")).shape[1])


def grid() -> list[tuple[int, int, int, int]]:
    """Sides n, filters f, paddings p and strides s that fit."""
    choices = np.ndindex(8, 5, 3, 4)
    return [(n + 1, f + 1, p, s + 1) for n, f, p, s in choices if f + 1 <= n + 1 + 2 * p]


def unlike_torch(rounded: bool) -> int:
    """How many sides of the grid (n + 2p - f)/s + 1 gets wrong, with or without the floor."""

    def formula(n: int, f: int, p: int, s: int) -> float:
        return conv_output_size(n, f, pad=p, stride=s) if rounded else abs((n + 2 * p - f) / s + 1)

    return sum(formula(*each) != side(*each) for each in grid())


def linear_count(inputs: int, units: int, *, bias: bool = True) -> int:
    """Parameters of torch's Linear, which never come into memory."""
    return sum(value.numel() for value in torch.nn.Linear(inputs, units, bias=bias, device="meta").parameters())


def conv_count(f: int, channels: int, filters: int) -> int:
    """Parameters of torch's Conv2d."""
    return sum(value.numel() for value in torch.nn.Conv2d(channels, filters, f, device="meta").parameters())


ROWS = (
    Row(
        "F219", "N4 L361-371", "output size, no padding", "n x n * f x f -> (n - f + 1)^2: 6 and 3 give 4 x 4", HOLDS,
        (count("6 and 3", lambda: (side(6, 3), 4)), count("n - f + 1", lambda: (side(11, 5), 11 - 5 + 1))),
        (count("n - f", lambda: (side(6, 3), 6 - 3)),),
    ),
    Row(
        "F220", "N4 L375-391", "output size with padding", "padding p: n + 2p = 8; output n + 2p - f + 1 = 6", HOLDS,
        (shaped("padded 8 x 8", "", lambda at: (zero_pad(np.ones((1, 6, 6, 1)), 1)[0, :, :, 0], (8, 8))),
         count("6, 3 and p = 1", lambda: (side(6, 3, pad=1), 6))),
        (count("n + p - f + 1", lambda: (side(6, 3, pad=1), 6 + 1 - 3 + 1)),),
    ),
    Row(
        "F221", "N4 L393-403", "SAME padding", "SAME: p = (f - 1)/2", CONVENTION,
        (count("odd f, stride 1: the side stays", lambda: (
            tuple(side(10, f, pad=same_padding(f)) for f in (1, 3, 5, 7, 9)), (10,) * 5)),),
        (count("f = 4 with p = 1", lambda: (side(10, 4, pad=1), 10)),
         count("stride 2", lambda: (side(6, 3, pad=same_padding(3), stride=2), 6))),
        "for odd f and stride 1",
    ),
    Row(
        "F222", "N4 L401", "filters are odd", "f is usually odd", HOLDS,
        (count("an odd f has a whole p", lambda: (tuple(map(same_padding, (1, 3, 5, 7))), (0, 1, 2, 3))),),
        (count("so has 4", lambda: (same_padding(4), 3 / 2), cause="ValueError"),),
    ),
    Row(
        "F223", "N4 L407-409, 433, 457-459", "output size with stride", "|(n + 2p - f)/s + 1|", MISPRINT,
        (count("with a floor, sides unlike torch's", lambda: (unlike_torch(rounded=True), 0)),),
        (count("with a magnitude, sides unlike torch's", lambda: (unlike_torch(rounded=False), 0)),),
        "floor((n + 2p - f)/s + 1)", "floor",
    ),
    Row(
        "F224", "N4 L407", "stride is a step", "the stride is the number of cells which are jumped over", AMBIGUOUS,
        (count("stride 2: windows start at 0, 2, 4", lambda: (
            conv_output_size(7, 3, stride=2), len(range(0, 7 - 3 + 1, 2)))),),
        (count("two cells are skipped: they start at 0, 3", lambda: (
            conv_output_size(7, 3, stride=2), len(range(0, 7 - 3 + 1, 3)))),),
        "the step from window to window: s - 1 cells are skipped", "two-readings",
    ),
    Row(
        "F225", "N4 L369", "cross-correlation", "convolution: A * B = C", CONVENTION,
        (same("computed without turning the filter, as torch does", "",
            on_volumes(lambda A, W, b: (conv_forward(A, W, b), by_torch(A, W, b)))),),
        (same("a true convolution, with the filter turned", "",
            on_volumes(lambda A, W, b: (conv_forward(A, W[::-1, ::-1].copy(), b), by_torch(A, W, b)))),),
        "a cross-correlation: the filter is not turned",
    ),
    Row(
        "F226", "N4 L413, 423", "filters are as deep as the input",
        "n_c must be equal in the input and in the filter, f x f x n_c", HOLDS,
        (shaped("3 and 3", "", lambda at: (conv_forward(*volumes(at)), (M, N_H - F + 1, N_W - F + 1, FILTERS))),),
        (shaped("3 and 2", "", on_volumes(lambda A, W, b: (
            conv_forward(A, W[:, :, :2], b), (M, N_H - F + 1, N_W - F + 1, FILTERS))), cause="ValueError"),),
    ),
    Row(
        "F227", "N4 L417-419", "one output channel for each filter", "input n x n x n_c, n_c' filters", HOLDS,
        (count("4 filters on 3 channels", lambda: (depth(4), 4)),),
        (count("as many as channels", lambda: (depth(4), 3)),),
    ),
    Row(
        "F228", "N4 L421", "number of filters against depth",
        "n_c is simply the number of filters, also called the depth", WRONG,
        (count("2 filters on n_c = 3 channels: n_c' = 2", lambda: (depth(2), 2)),),
        (count("n_c = 3 is the number of filters", lambda: (depth(2), 3)),),
        "n_c' is the number of filters, n_c the depth of the input", "name-clash",
    ),
    Row(
        "F229", "N4 L427", "output channels, no padding", "p = 0, s = 1: (n - f + 1) x (n - f + 1) x n_c", WRONG,
        (count("6 x 6 x 3, 2 filters: 4 x 4 x 2", lambda: ((side(6, 3), side(6, 3), depth(2)), (4, 4, 2))),),
        (count("4 x 4 x n_c", lambda: ((side(6, 3), side(6, 3), depth(2)), (4, 4, 3))),),
        "(n - f + 1) x (n - f + 1) x n_c'", "wrong-symbol",
    ),
    Row(
        "F230", "N4 L429-431", "output channels with padding", "p = 1, s = 1: (n + 2p - f + 1)^2 x n_c'", HOLDS,
        (count("7 x 7 x 3, 5 filters: 7 x 7 x 5", lambda: ((side(7, 3, pad=1), depth(5)), (7, 5))),),
        (count("(n - f + 1)^2 x n_c'", lambda: ((side(7, 3, pad=1), depth(5)), (5, 5))),),
    ),
    Row(
        "F231", "N4 L433", "output channels with stride", "p = 1, s = 2: floor((n + 2p - f)/s + 1)^2 x n_c'", HOLDS,
        (count("7 x 7 x 3, 5 filters: 4 x 4 x 5", lambda: ((side(7, 3, 1, 2), depth(5)), (4, 5))),
         count("8 x 8: 4 x 4, rounded down", lambda: (side(8, 3, 1, 2), 4))),
        (count("8 x 8: 5 x 5, rounded up", lambda: (side(8, 3, 1, 2), 5)),),
    ),
    Row(
        "F232", "N4 L437-441", "symbols of a convolutional layer",
        "f[l], p[l], s[l]; n_c[l] is the number of filters", HOLDS,
        (count("n_c[l] = 4 filters on n_c[l-1] = 3", lambda: (
            conv_count(F, CHANNELS, FILTERS), (F * F * CHANNELS + 1) * FILTERS)),),
        (count("n_c[l] = n_c[l-1]", lambda: (conv_count(F, CHANNELS, FILTERS), (F * F * CHANNELS + 1) * CHANNELS)),),
    ),
    Row(
        "F233", "N4 L443", "volume of a filter", "a filter is f[l] x f[l] x n_c[l-1]", HOLDS,
        (shaped("f x f x n_c[l-1]", "", on_volumes(lambda A, W, b: (
            conv_forward(A, np.ones((F, F, CHANNELS, FILTERS)), b), (M, N_H - F + 1, N_W - F + 1, FILTERS)))),),
        (shaped("f x f x n_c[l]", "", on_volumes(lambda A, W, b: (
            conv_forward(A, np.ones((F, F, FILTERS, FILTERS)), b), (M, N_H - F + 1, N_W - F + 1, FILTERS))),
            cause="ValueError"),),
    ),
    Row(
        "F234", "N4 L445", "a convolutional layer", "a[l] = g(a[l-1] * W[l] + b) = ReLU(Z[l]), n_H x n_W x n_c", HOLDS,
        (same("by hand and by torch", "", on_volumes(lambda A, W, b: (
            relu(conv_forward(A, W, b, pad=1)), np.maximum(by_torch(A, W, b, pad=1), 0)))),),
        (same("the bias after ReLU", "",
            on_volumes(lambda A, W, b: (relu(conv_forward(A, W, 0 * b)) + b, np.maximum(by_torch(A, W, b), 0)))),),
    ),
    Row(
        "F235", "N4 L447", "shape of A", "A[l] is m x n_H x n_W x n_c", CONVENTION,
        (shaped("examples first, channels last", "", lambda at: (
            conv_forward(*volumes(at), pad=1), (M, N_H, N_W, FILTERS))),),
        (shaped("channels second, as in PyTorch", "", lambda at: (
            conv_forward(*volumes(at), pad=1), (M, FILTERS, N_H, N_W))),),
        "unlike dense layers, where examples are columns; PyTorch: permute(0, 3, 1, 2)",
    ),
    Row(
        "F236", "N4 L449-451", "sizes in and out",
        "in n_H[l-1] x n_W[l-1] x n_c[l-1], out n_H[l] x n_W[l] x n_c[l]", HOLDS,
        (shaped("7 x 5 x 3 with stride 2: 3 x 2 x 4", "", lambda at: (
            conv_forward(*volumes(at), stride=2)[0], (3, 2, FILTERS))),),
        (shaped("n_W before n_H", "", lambda at: (conv_forward(*volumes(at), stride=2)[0], (2, 3, FILTERS))),),
    ),
    Row(
        "F237", "N4 L453", "shape of the filters", "W[l] is f x f x n_c[l-1] x n_c[l]", CONVENTION,
        (same("permuted by (3, 2, 0, 1) it is torch's", "", on_volumes(lambda A, W, b: (
            conv_forward(A, W, b), by_torch(A, W, b)))),),
        (same("it is in torch's order already", "", on_volumes(lambda A, W, b: (
            conv_forward(A, W.transpose(3, 2, 0, 1), b), by_torch(A, W, b))), cause="ValueError"),),
        "PyTorch: (n_c[l], n_c[l-1], f, f), permute(3, 2, 0, 1)",
    ),
    Row(
        "F238", "N4 L455", "shape of the biases", "n_c[l] is the dimension of the bias", HOLDS,
        (count("4 biases for 4 filters", lambda: (conv_count(1, 3, 4) - 3 * 4, 4)),),
        (count("one for each channel of the input", lambda: (conv_count(1, 3, 4) - 3 * 4, 3)),),
    ),
    Row(
        "F239", "N4 L457-459", "height and width of the output",
        "n_H[l] = |(n_H[l-1] + 2p - f)/s + 1|, n_W alike", CONVENTION,
        (count("11 x 8, f = 3, p = 1, s = 2: 6 x 4", lambda: ((side(11, 3, 1, 2), side(8, 3, 1, 2)), (6, 4))),),
        (count("without the floor: 6 x 4.5", lambda: (
            (side(11, 3, 1, 2), side(8, 3, 1, 2)), (6, (8 + 2 - 3) / 2 + 1))),),
        "with a floor",
    ),
    Row(
        "F240", "N4 L461-465", "parameters of a dense layer on an image",
        "a 1000 x 1000 x 3 image and 1000 units: w[1] is (1000, 3000000), 3 billion", HOLDS,
        (count("by hand and by torch", lambda: (
            (dense_parameter_count(3_000_000, 1000, bias=False), linear_count(3_000_000, 1000, bias=False)),
            (3_000_000_000, 3_000_000_000))),),
        (count("with biases", lambda: (dense_parameter_count(3_000_000, 1000), 3_000_000_000)),),
        "weights only",
    ),
    Row(
        "F241", "N4 L467-479", "parameters of a dense layer", "((n m c) + 1) l parameters", HOLDS,
        (count("28 x 20 x 3 pixels, 7 neurons", lambda: (linear_count(28 * 20 * 3, 7), (28 * 20 * 3 + 1) * 7)),),
        (count("one bias for all", lambda: (linear_count(28 * 20 * 3, 7), 28 * 20 * 3 * 7 + 1)),),
    ),
    Row(
        "F242", "N4 L481-491", "parameters of a dense layer, an example", "300 x 300 RGB, 100 neurons: 27000100", HOLDS,
        (count("by hand and by torch", lambda: (
            (dense_parameter_count(300 * 300 * 3, 100), linear_count(270_000, 100)), (27_000_100, 27_000_100))),),
        (count("27000000, without biases", lambda: (linear_count(270_000, 100), 27_000_000)),),
    ),
    Row(
        "F243", "N4 L493", "parameters of a convolution",
        "parameters of a convolutional layer with f filters: a question without an answer", AMBIGUOUS,
        (count("(f_H f_W c + 1) for each filter: 7600 for 100 of 5 x 5 x 3", lambda: (
            (conv_parameter_count(5, 3, 100), conv_count(5, 3, 100)), (7600, 7600))),),
        (count("as many as for a dense layer on 300 x 300 pixels", lambda: (conv_count(5, 3, 100), 27_000_100)),),
        "(f_H f_W c + 1) times the number of filters, whatever the size of the image", "unfinished",
    ),
)  # fmt: skip
"""Rows of the errata."""
