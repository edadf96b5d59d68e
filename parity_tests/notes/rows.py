"""All rows, chapter by chapter."""

from __future__ import annotations

from parity_tests.notes import (
    activations,
    convolution,
    costs,
    deep_backward,
    deep_forward,
    initialization,
    logistic,
    minibatch,
    recipe,
    shallow_backward,
    shallow_forward,
    theory,
    vectorization,
)
from parity_tests.notes.row import Row

ROWS: tuple[Row, ...] = (
    *logistic.ROWS,
    *vectorization.ROWS,
    *shallow_forward.ROWS,
    *shallow_backward.ROWS,
    *activations.ROWS,
    *initialization.ROWS,
    *deep_forward.ROWS,
    *deep_backward.ROWS,
    *theory.ROWS,
    *costs.ROWS,
    *minibatch.ROWS,
    *convolution.ROWS,
    *recipe.ROWS,
)
"""One for every formula of the notes, F001 first."""
