"""Which probability dropout is given, and who draws the mask."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from manual.dropout import dropout_forward
from manual.notation import Array
from parity_tests.conventions.convention import Convention
from parity_tests.formulas.case import Inputs, normal
from parity_tests.judging import bounds
from torch_ref.devices import array, tensor

KEEP_PROB = 0.8
UNITS, EXAMPLES = 11, 13


def _probe(rng: np.random.Generator) -> Inputs:
    return {"A": normal(rng, UNITS, EXAMPLES), "seed": int(rng.integers(2**31))}


def _dropped(A: Tensor, seed: int, p: float = 1 - KEEP_PROB) -> Tensor:
    """F.dropout, which draws its mask from torch's own generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return functional.dropout(A, p)


def _by_hand(A: Array, seed: int) -> Array:
    """The mask that F.dropout draws, read off ones."""
    mask = array(_dropped(tensor(np.ones_like(A)), seed)) != 0
    return dropout_forward(A, mask, KEEP_PROB)


def _other_mask(A: Tensor, seed: int) -> Tensor:
    return _dropped(A, seed + 1)


CONVENTIONS = (
    Convention(
        "dropout.probability",
        "dropout",
        notes="keep_prob, the probability to keep; the mask is an argument",
        torch="p, the probability to drop; the mask is drawn within",
        translation="p = 1 - keep_prob, and one mask for both: F.dropout of ones shows it",
        formulas="F254",
        inputs=_probe,
        manual=_by_hand,
        exact=_dropped,
        naive={
            "p = keep_prob": lambda A, seed: _dropped(A, seed, KEEP_PROB),
            "a mask on either side": _other_mask,
        },
        bounds={"dropped": lambda u, at: bounds.rounded(u, at.dropped, 3)},
    ),
)
