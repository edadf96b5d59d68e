"""Reasons and shapes that many records share."""

from __future__ import annotations

ENTRYWISE = "It acts entry by entry: what a loop would do to each number is the formula itself."
COUNTED = "Whole numbers from whole numbers, once for each layer: there is nothing to make faster."
ONE_NUMBER = "One number from another: there is nothing to loop over."
BY_INDEX = "Its indices are the loops: every entry of the result is written out for its own."
"""Why a formula has no loop form."""

SAME_SHAPE = "The result has the shape of Z: (n, m), or (m, n_H, n_W, n_C) in a convolution."
