"""How much a training step has to compute, from the sizes of its layers."""

from __future__ import annotations

from math import prod

from manual.architecture import Architecture
from manual.layers import Conv, Dense


def operations(architecture: Architecture, m: int) -> int:
    """Floating point operations of the products of a forward and backward pass over m examples.

    A product of matrices (p, q) (q, r) has p q r multiplications and as many additions. A layer has three: Z, dW and
    dA_prev, which has the size of the other two; nobody asks for the derivative in X.
    """
    total, first = 0, True
    for layer, before, after in zip(architecture.layers, architecture.shapes, architecture.shapes[1:], strict=False):
        if isinstance(layer, Dense | Conv):
            window = prod(layer.sides) * before[2] if isinstance(layer, Conv) else before[0]
            total += (2 if first else 3) * 2 * window * prod(after) * m
            first = False
    return total
