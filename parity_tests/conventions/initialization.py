"""Initial weights: the defaults of torch's layers are neither He's nor Xavier's."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from manual import dense, initialization
from parity_tests.conventions.convention import Convention
from parity_tests.formulas.case import N_1, N_X, Inputs, M, normal
from parity_tests.formulas.dense import Z_bound
from parity_tests.judging import bounds

SEED = 0
UNITS, FAN_IN = 23, 31


def _layer(W: Tensor, *, seed: int = SEED) -> torch.nn.Linear:
    """nn.Linear of W's sizes as torch initialises it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return torch.nn.Linear(W.shape[1], W.shape[0], dtype=W.dtype)


def _copied(X: Tensor, W: Tensor, b: Tensor) -> Tensor:
    layer = _layer(W)
    layer.load_state_dict({"weight": W, "bias": b.flatten()})
    return _forward(layer, X)


def _forward(layer: torch.nn.Linear, X: Tensor) -> Tensor:
    Z: Tensor = layer(X.T).T
    return Z.detach()


def _filled(fill: Any) -> Any:
    """Weights that a function of torch.nn.init draws, from the seed of the standard draws."""

    def draw(standard: Tensor) -> Tensor:
        W = torch.empty_like(standard)
        fill(W, generator=torch.Generator().manual_seed(SEED))
        return W

    return draw


def _standard(rng: np.random.Generator) -> Inputs:
    """Torch's own standard normal draws, which its schemes scale."""
    drawn = torch.empty(UNITS, FAN_IN, dtype=torch.float64)
    return {"standard": torch.nn.init.normal_(drawn, generator=torch.Generator().manual_seed(SEED)).numpy()}


SCALED = {"W": lambda u, at: bounds.rounded(u, at.W, 4)}
"""A product with the scale, which is a root of a quotient."""


def _he(W: Tensor, generator: torch.Generator) -> Tensor:
    return torch.nn.init.kaiming_normal_(W, nonlinearity="relu", generator=generator)


def _lecun(W: Tensor, generator: torch.Generator) -> Tensor:
    return torch.nn.init.kaiming_normal_(W, nonlinearity="linear", generator=generator)


CONVENTIONS = (
    Convention(
        "initialization.copied",
        "initial parameters",
        notes="weights small and random, b = 0",
        torch="nn.Linear draws W and b from U(-1/sqrt(n), 1/sqrt(n)), neither He's nor Xavier's",
        translation="draw once, and copy into both: load_state_dict",
        formulas="F144 F147",
        inputs=lambda rng: {
            "X": normal(rng, N_X, M),
            "W": initialization.he(N_X) * normal(rng, N_1, N_X),
            "b": np.zeros((N_1, 1)),
        },
        manual=dense.linear_forward,
        exact=_copied,
        naive={"torch's default": lambda X, W, b: _forward(_layer(W), X)},
        bounds={"Z": lambda u, at: Z_bound(u, at.X, at.W, at.b)},
    ),
    Convention(
        "initialization.he",
        "He's scale",
        notes="sqrt(2/n_prev), for ReLU",
        torch="kaiming_normal_(nonlinearity='relu')",
        translation="the same scale",
        formulas="F147",
        inputs=_standard,
        manual=lambda standard: initialization.he(FAN_IN) * standard,
        exact=_filled(_he),
        naive={"nonlinearity='linear', which is LeCun's": _filled(_lecun)},
        bounds=SCALED,
        dtypes=("float64",),
    ),
    Convention(
        "initialization.xavier",
        "Xavier's scale",
        notes="sqrt(2/(n_prev + n)), for tanh",
        torch="xavier_normal_, whose gain is 1 unless given",
        translation="the same scale, gain=1",
        formulas="F147",
        inputs=_standard,
        manual=lambda standard: initialization.xavier(FAN_IN, UNITS) * standard,
        exact=_filled(torch.nn.init.xavier_normal_),
        naive={
            "gain=calculate_gain('tanh'), 5/3": _filled(
                lambda W, generator: torch.nn.init.xavier_normal_(
                    W, torch.nn.init.calculate_gain("tanh"), generator=generator
                )
            )
        },
        bounds=SCALED,
        dtypes=("float64",),
    ),
)
