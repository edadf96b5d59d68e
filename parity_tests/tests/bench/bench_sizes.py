"""Sizes that the tests of the bench share: the smallest that is timed, and some that are not."""

from __future__ import annotations

from parity_tests.bench.sizes import CONV_SIZES, SIZES, ConvSize, Size

SMALL = next(iter(SIZES))
SEVERAL = Size((3, 5, 7, 2), 11)
CONVOLUTIONS = (CONV_SIZES[0], ConvSize(4, 7, 3, 5, 3, 1, 2))
"""Small ones, the second with a stride and a remainder."""
