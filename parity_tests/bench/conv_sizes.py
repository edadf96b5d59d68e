"""The convolutions that are timed, the numbers they are laid on, and the ratios and the memory they are held to.

Both worker processes import this module, so it imports neither torch nor anything built on it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from manual.notation import Array
from manual.shapes import conv_output_size

LARGEST = 3
"""The largest whole number that is drawn. No sum over these sizes reaches 2^24, so float32 too holds all of them."""


class ConvSize(NamedTuple):
    """Examples, sides of the input and channels; filters, their sides, padding and stride."""

    m: int
    n: int
    n_C_prev: int
    n_C: int
    f: int
    p: int
    s: int

    def __str__(self) -> str:
        """Such as ``64, 8, 1, 16, 3, 1, 1``."""
        return ", ".join(str(number) for number in self)

    @property
    def n_out(self) -> int:
        """Side of the output."""
        return conv_output_size(self.n, self.f, pad=self.p, stride=self.s)

    @property
    def unrolled(self) -> int:
        """Entries of the matrix whose rows are all windows of all examples."""
        return self.m * self.n_out**2 * self.f**2 * self.n_C_prev


CONV_SIZES = (
    ConvSize(64, 8, 1, 16, 3, 1, 1),
    ConvSize(64, 8, 16, 32, 3, 1, 1),
    ConvSize(256, 28, 1, 32, 5, 2, 1),
    ConvSize(128, 14, 32, 64, 3, 1, 1),
    ConvSize(64, 32, 64, 64, 3, 1, 1),
    ConvSize(64, 32, 64, 128, 3, 1, 2),
)

MEAN_BARS = {"float32": 1.15, "float64": 0.85}
"""The most that the geometric mean of by hand / torch may be over CONV_SIZES, in one thread."""

WORST_BAR = 1.6
"""The most that any one of them may be."""

MEMORY_SIZES = tuple(sorted(CONV_SIZES, key=lambda size: size.unrolled)[-3:])
"""The sizes whose memory is measured: the three largest."""

WORKSPACE_BAR = 0.1
"""The most memory that a pass may take beyond its outputs, in units of the unrolled matrix."""


class ConvData(NamedTuple):
    """Everything that both sides start from."""

    size: ConvSize
    dZ: Array
    A_prev: Array
    W: Array
    b: Array


def draw_volumes(size: ConvSize, dtype: Any) -> ConvData:
    """Whole numbers from -3 to 3, the same in every process.

    Every product and every sum of them is exact, in whatever order it is taken, and so is the division by m, a power
    of 2: the two sides must agree to the last bit.
    """
    rng = np.random.default_rng(0)
    shapes = (
        (size.m, size.n_out, size.n_out, size.n_C),
        (size.m, size.n, size.n, size.n_C_prev),
        (size.f, size.f, size.n_C_prev, size.n_C),
        (1, 1, 1, size.n_C),
    )
    return ConvData(size, *(rng.integers(-LARGEST, LARGEST + 1, shape).astype(dtype) for shape in shapes))
