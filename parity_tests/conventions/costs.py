"""What a loss is summed over, what it is divided by, and what becomes of certain answers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.special import expit
from torch import Tensor
from torch.nn import functional

from manual import activations, costs
from parity_tests.conventions.convention import Convention
from parity_tests.formulas.case import N_1, Inputs, M, binary, normal, one_hot, probabilities
from parity_tests.judging import bounds
from torch_ref.gradients import gradient


def _certain(rng: np.random.Generator) -> Inputs:
    """Logits of which some are so large that a = 0 or 1, the answers right and wrong."""
    Z, Y = normal(rng, 1, M), binary(rng, 1, M)
    Z[0, :4] = 800, -800, 800, -800
    Y[0, :4] = 0, 1, 1, 0
    return {"Z": Z, "Y": Y}


def _logits(Z: Tensor, Y: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(Z, Y, reduction="sum")


def _after_sigmoid(Z: Tensor, Y: Tensor) -> Tensor:
    return functional.binary_cross_entropy(torch.sigmoid(Z), Y, reduction="sum")


def _gradient(loss: Callable[[Tensor, Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda Z, Y: gradient(lambda at: loss(at, Y), Z)


CONVENTIONS = (
    Convention(
        "costs.several_outputs",
        "several sigmoid outputs",
        notes="summed over the outputs, divided by m",
        torch="reduction='mean' divides by n_L too",
        translation="reduction='sum', divided by m",
        formulas="F008 F175",
        inputs=lambda rng: {"A": probabilities(rng, N_1, M), "Y": binary(rng, N_1, M)},
        manual=costs.binary_cross_entropy,
        exact=lambda A, Y: functional.binary_cross_entropy(A, Y, reduction="sum") / M,
        naive={"reduction='mean'": functional.binary_cross_entropy},
        bounds={"J": lambda u, at: bounds.cost_from_A(u, at.J, at.A, "sigmoid")},
    ),
    Convention(
        "costs.squared_error",
        "squared error",
        notes="half of it, summed over the outputs, divided by m",
        torch="MSELoss has no half, and divides by n_L too",
        translation="reduction='sum', divided by 2 m",
        formulas="F137",
        inputs=lambda rng: {"A": normal(rng, N_1, M), "Y": normal(rng, N_1, M)},
        manual=costs.squared_error,
        exact=lambda A, Y: functional.mse_loss(A, Y, reduction="sum") / (2 * M),
        naive={"reduction='mean'": functional.mse_loss},
        bounds={"J": lambda u, at: bounds.cost_from_A(u, at.J, at.A, "identity")},
    ),
    Convention(
        "costs.softmax",
        "softmax and its cost",
        notes="softmax gives A, the cost is -(1/m) sum y log a",
        torch="F.cross_entropy takes logits and applies its own softmax",
        translation="F.cross_entropy(Z.T, Y.T)",
        formulas="F247",
        inputs=lambda rng: {"Z": normal(rng, N_1, M), "Y": one_hot(rng, N_1, M)},
        manual=costs.cross_entropy_from_logits,
        exact=lambda Z, Y: functional.cross_entropy(Z.T, Y.T),
        naive={"A for Z: a softmax of a softmax": lambda Z, Y: functional.cross_entropy(Z.softmax(dim=0).T, Y.T)},
        bounds={"J": lambda u, at: bounds.cost_from_logits(u, at.J, at.Z, "softmax")},
    ),
    Convention(
        "costs.classes",
        "classes",
        notes="in rows of Z and Y, examples in columns",
        torch="along dimension 1",
        translation="F.cross_entropy(Z.T, Y.T)",
        formulas="F044 F247",
        inputs=lambda rng: {"Z": normal(rng, N_1, N_1), "Y": one_hot(rng, N_1, N_1)},
        manual=costs.cross_entropy_from_logits,
        exact=lambda Z, Y: functional.cross_entropy(Z.T, Y.T),
        naive={"Z and Y as they are": functional.cross_entropy},
        bounds={"J": lambda u, at: bounds.cost_from_logits(u, at.J, at.Z, "softmax")},
    ),
    Convention(
        "costs.certain_answers",
        "cost where a is 0 or 1",
        notes="as printed, log 0: nan or inf; on Z, finite",
        torch="binary_cross_entropy clamps the logarithm at -100",
        translation="binary_cross_entropy_with_logits on Z",
        formulas="F005 F198",
        inputs=_certain,
        manual=costs.binary_cross_entropy_from_logits,
        exact=lambda Z, Y: _logits(Z, Y) / M,
        naive={"binary_cross_entropy(sigmoid(Z))": lambda Z, Y: _after_sigmoid(Z, Y) / M},
        bounds={"J": lambda u, at: bounds.cost_from_logits(u, at.J, at.Z, "sigmoid")},
    ),
    Convention(
        "costs.certain_gradient",
        "dZ where a is 0 or 1",
        notes="dZ = A - Y, finite everywhere",
        torch="autograd through the clamp and the sigmoid gives 0",
        translation="autograd of binary_cross_entropy_with_logits",
        formulas="F010 F014",
        inputs=_certain,
        manual=lambda Z, Y: costs.output_dZ(activations.sigmoid(Z), Y),
        exact=lambda Z, Y: gradient(lambda at: _logits(at, Y), Z),
        naive={
            "autograd of binary_cross_entropy(sigmoid(Z))": lambda Z, Y: gradient(lambda at: _after_sigmoid(at, Y), Z)
        },
        bounds={"dZ": lambda u, at: bounds.output_dZ(u, at.dZ, expit(at.Z), at.Z, "sigmoid")},
    ),
)
