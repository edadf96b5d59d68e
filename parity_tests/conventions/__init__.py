"""The convention map: every difference between the notes and PyTorch, chapter by chapter, each executed."""

from __future__ import annotations

from parity_tests.conventions import (
    activations,
    convolution,
    costs,
    devices,
    dropout,
    initialization,
    l2,
    layout,
    losses,
    normalization,
    optimizers,
    pooling,
    sequences,
)
from parity_tests.conventions.convention import Convention

CONVENTIONS: tuple[Convention, ...] = (
    *layout.CONVENTIONS,
    *costs.CONVENTIONS,
    *l2.CONVENTIONS,
    *optimizers.CONVENTIONS,
    *dropout.CONVENTIONS,
    *activations.CONVENTIONS,
    *convolution.CONVENTIONS,
    *pooling.CONVENTIONS,
    *normalization.CONVENTIONS,
    *sequences.CONVENTIONS,
    *losses.CONVENTIONS,
    *initialization.CONVENTIONS,
    *devices.CONVENTIONS,
)
