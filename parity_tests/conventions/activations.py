"""Derivatives where there is none: ReLU and leaky ReLU at zero."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from manual import activations
from parity_tests.conventions.convention import Convention
from parity_tests.formulas.case import N_1, Inputs, M, normal
from parity_tests.judging import bounds
from torch_ref.gradients import derivative


def _with_zeros(rng: np.random.Generator) -> Inputs:
    Z = normal(rng, N_1, M)
    Z[:, ::2] = 0
    return {"Z": Z}


def _maximum(slope: float, Z: Tensor) -> Tensor:
    return torch.maximum(slope * Z, Z)


RELU, CLAMP = derivative(functional.relu), derivative(lambda Z: Z.clamp(min=0))
RELU_MAXIMUM, LEAKY_MAXIMUM = (derivative(partial(_maximum, slope)) for slope in (0.0, activations.LEAKY_SLOPE))
LEAKY = derivative(functional.leaky_relu)
EXACT = {"slope": lambda u, at: bounds.exact(u, at.slope)}


def _at_zero(prime: Any, value: float) -> Any:
    return lambda Z: prime(Z, at_zero=value)


CONVENTIONS = (
    Convention(
        "activations.relu_at_zero",
        "ReLU'(0)",
        notes="0, 1 or undefined; here 0",
        torch="relu 0, clamp 1, maximum 0.5",
        translation="F.relu",
        formulas="F130 F132",
        inputs=_with_zeros,
        manual=activations.relu_prime,
        exact=RELU,
        naive={"clamp(min=0)": CLAMP, "maximum(0, z)": RELU_MAXIMUM},
        bounds=EXACT,
    ),
    Convention(
        "activations.relu_at_zero_one",
        "ReLU'(0), the fourth note's choice",
        notes="1: relu_prime(Z, at_zero=1)",
        torch="clamp gives 1",
        translation="Z.clamp(min=0)",
        formulas="F132",
        inputs=_with_zeros,
        manual=_at_zero(activations.relu_prime, 1.0),
        exact=CLAMP,
        naive={"relu": RELU},
        bounds=EXACT,
    ),
    Convention(
        "activations.leaky_at_zero",
        "leaky ReLU'(0)",
        notes="1 or undefined; here the slope",
        torch="the slope, 0.01; maximum 0.505",
        translation="F.leaky_relu",
        formulas="F133 F134",
        inputs=_with_zeros,
        manual=activations.leaky_relu_prime,
        exact=LEAKY,
        naive={"maximum(0.01 z, z)": LEAKY_MAXIMUM},
        bounds=EXACT,
    ),
    Convention(
        "activations.leaky_at_zero_one",
        "leaky ReLU'(0), the fourth note's choice",
        notes="1: leaky_relu_prime(Z, at_zero=1)",
        torch="no function has it",
        translation="torch.where(Z >= 0, Z, 0.01 Z)",
        formulas="F134",
        inputs=_with_zeros,
        manual=_at_zero(activations.leaky_relu_prime, 1.0),
        exact=derivative(lambda Z: torch.where(Z >= 0, Z, activations.LEAKY_SLOPE * Z)),
        naive={"F.leaky_relu": LEAKY},
        bounds=EXACT,
    ),
    Convention(
        "activations.leaky_slope",
        "slope of the leaky ReLU",
        notes="0.01, and once 0.001",
        torch="negative_slope=0.01",
        translation="F.leaky_relu as it is",
        formulas="F133 F135",
        inputs=lambda rng: {"Z": -np.abs(normal(rng, N_1, M))},
        manual=activations.leaky_relu,
        exact=functional.leaky_relu,
        naive={"negative_slope=0.001": lambda Z: functional.leaky_relu(Z, 0.001)},
        bounds={"A": lambda u, at: bounds.rounded(u, at.A, 2)},
    ),
)
