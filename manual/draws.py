"""Everything random, as plain arrays, so that both packages start alike. The caller gives the generator."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from manual import initialization
from manual.architecture import Architecture
from manual.dropout import check_keep_prob
from manual.layers import Dropout
from manual.notation import Array, Parameters, check_count

SCALES: dict[str, Callable[[int, int], float]] = {
    "zeros": lambda n_prev, n: initialization.zeros(),
    "constant": lambda n_prev, n: initialization.constant(),
    "small": lambda n_prev, n: initialization.small(),
    "lecun": lambda n_prev, n: initialization.lecun(n_prev),
    "xavier": initialization.xavier,
    "he": lambda n_prev, n: initialization.he(n_prev),
}
"""Scale of the weights by scheme, as a function of fan-in and fan-out."""


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Fan-in and fan-out of W: n_prev and n of a dense layer; f_H f_W n_C_prev and f_H f_W n_C of a convolution.

    Notes: F147. As torch counts them for its filters.
    """
    if len(shape) == 2:
        n, n_prev = shape
        return n_prev, n
    f_H, f_W, n_C_prev, n_C = shape
    return f_H * f_W * n_C_prev, f_H * f_W * n_C


def initial_parameters(
    architecture: Architecture, scheme: str, rng: np.random.Generator, dtype: type = np.float64
) -> Parameters:
    """Weights drawn from a normal distribution times the scheme's scale (constant: the scale itself); biases zero.
    Norms start as the plain normalisation: gamma 1 and beta 0, running mean 0 and variance 1.

    Drawn in float64 and then cast, so that both dtypes start from the same draw.

    Raises ValueError for an unknown scheme.

    Notes: F143, F144, F147.
    """
    if scheme not in SCALES:
        raise ValueError(f"scheme is {scheme!r}, expected one of {', '.join(SCALES)}")
    params: Parameters = {}
    for name, shape in architecture.parameter_shapes.items():
        value: Array = np.full(shape, float(name.startswith(("W", "variance"))))
        if name in architecture.weights:
            scale = SCALES[scheme](*fans(shape))
            value = np.full(shape, scale) if scheme == "constant" else scale * rng.standard_normal(shape)
        params[name] = value.astype(dtype)
    return params


def dropout_mask(shape: tuple[int, ...], keep_prob: float, rng: np.random.Generator, dtype: type = np.float64) -> Array:
    """A mask for dropout: every entry is 1 with probability keep_prob, else 0.

    Drawn in float64 and then cast, so that both dtypes get the same mask.

    Raises ValueError unless keep_prob lies in (0, 1].

    Notes: F254.
    """
    check_keep_prob(keep_prob)
    return (rng.random(shape) < keep_prob).astype(dtype)


def dropout_masks(
    architecture: Architecture, m: int, rng: np.random.Generator, dtype: type = np.float64
) -> list[Array]:
    """A mask for every dropout layer, of the shape of its A for m examples, in the layers' order.

    Notes: F254.
    """
    return [
        dropout_mask(architecture.batch_shape(l, m), layer.keep_prob, rng, dtype)
        for l, layer in enumerate(architecture.layers, start=1)
        if isinstance(layer, Dropout)
    ]


def shuffled(m: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """A permutation of the numbers 0 to m - 1 of the examples: an epoch cuts its mini-batches from X[:, permutation].

    Raises ValueError unless there is an example.

    Notes: F208, F215.
    """
    check_count("m", m, 1, "the number of examples")
    return rng.permutation(m)
