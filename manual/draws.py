"""Everything random, as plain arrays, so that both packages start alike. The caller gives the generator."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from manual import initialization
from manual.architecture import Architecture
from manual.notation import Array, Parameters

SCALES: dict[str, Callable[[int, int], float]] = {
    "zeros": lambda n_prev, n: initialization.zeros(),
    "constant": lambda n_prev, n: initialization.constant(),
    "small": lambda n_prev, n: initialization.small(),
    "lecun": lambda n_prev, n: initialization.lecun(n_prev),
    "xavier": initialization.xavier,
    "he": lambda n_prev, n: initialization.he(n_prev),
}
"""Scale of the weights by scheme, as a function of fan-in and fan-out."""


def initial_parameters(
    architecture: Architecture, scheme: str, rng: np.random.Generator, dtype: type = np.float64
) -> Parameters:
    """Weights drawn from a normal distribution times the scheme's scale (constant: the scale itself); biases zero.

    Drawn in float64 and then cast, so that both dtypes start from the same draw.

    Raises ValueError for an unknown scheme.

    Notes: F143, F144, F147.
    """
    if scheme not in SCALES:
        raise ValueError(f"scheme is {scheme!r}, expected one of {', '.join(SCALES)}")
    params: Parameters = {}
    for k, shape in architecture.parameter_shapes().items():
        scale = SCALES[scheme](shape.W[1], shape.W[0])
        W: Array = np.full(shape.W, scale) if scheme == "constant" else scale * rng.standard_normal(shape.W)
        params[f"W{k}"] = W.astype(dtype)
        params[f"b{k}"] = np.zeros(shape.b, dtype)
    return params
