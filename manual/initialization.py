"""Scales of the initial weights: the standard deviation of the draws. Biases start at zero.

n_prev is the number of inputs of a unit (fan-in), n the number of units of the layer (fan-out).
"""

from __future__ import annotations

import math


def zeros() -> float:
    """All weights zero: units stay identical, and ReLU and tanh layers never move.

    Notes: F143.
    """
    return 0.0


def constant(value: float = 0.5) -> float:
    """All weights one number, not a draw: the units of a layer stay identical.

    Notes: F143.
    """
    return value


def small() -> float:
    """0.01: breaks the symmetry, and is enough for shallow networks.

    Notes: F144, F145, F147.
    """
    return 0.01


def lecun(n_prev: int) -> float:
    """1/sqrt(n_prev): keeps the variance of linear units from layer to layer.

    Notes: F147. LeCun, Bottou, Orr and Mueller, Efficient BackProp, 1998.
    """
    return 1 / math.sqrt(n_prev)


def xavier(n_prev: int, n: int) -> float:
    """sqrt(2 / (n_prev + n)): a compromise between the variances forward and backward, for tanh and sigmoid.

    Notes: F147. Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, 2010.
    """
    return math.sqrt(2 / (n_prev + n))


def he(n_prev: int) -> float:
    """sqrt(2 / n_prev): makes up for the half that ReLU sets to zero.

    Notes: F147. He, Zhang, Ren and Sun, Delving Deep into Rectifiers, 2015.
    """
    return math.sqrt(2 / n_prev)
