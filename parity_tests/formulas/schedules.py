"""Learning-rate schedules and gradient clipping: what happens to a step besides the optimiser's rule."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

import manual.clipping as clipping_by_hand
import torch_ref.clipping as torch_clipping
from manual.notation import Array
from manual.schedules import SCHEDULES
from parity_tests.formulas.case import N_1, N_X, Case, Inputs, normal
from parity_tests.judging import bounds, update_bounds
from torch_ref.schedules import SCHEDULES as TORCH_SCHEDULES

EPOCHS = 40


class Pair(NamedTuple):
    """The gradients of one layer."""

    dW: Any
    db: Any


def _schedule(name: str, formulas: str, factors: Callable[[int], float], **settings: float) -> Case:
    """The rate of a drawn epoch, to which torch's schedulers come epoch by epoch, through so many factors."""

    def by_torch(learning_rate: float, epoch: int) -> float:
        rule = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=learning_rate)
        scheduler = TORCH_SCHEDULES[name](rule, **settings)
        for _ in range(epoch):
            rule.step()
            scheduler.step()
        return float(rule.param_groups[0]["lr"])

    return Case(
        f"schedules.{name}",
        formulas,
        inputs=lambda rng: {"learning_rate": float(rng.uniform(0.01, 1.0)), "epoch": int(rng.integers(2, 30))},
        manual=lambda learning_rate, epoch: SCHEDULES[name](learning_rate, epoch, **settings),
        loop=None,
        reference=by_torch,
        bounds={"rate": lambda u, at: update_bounds.schedule(u, at.rate, factors(at.epoch))},
    )


def _cosine_factors(epoch: int) -> float:
    """Torch multiplies by (1 + cos x_k) / (1 + cos x_{k-1}) from epoch to epoch: x is rounded three times and is at
    most pi, so the sum is off by 10 u and a few, and small where x nears pi.
    """
    return sum(2 + 12 / (1 + math.cos(math.pi * k / EPOCHS)) for k in range(epoch + 1))


def _gradients(limit: float) -> Callable[[np.random.Generator], Inputs]:
    """Gradients of a length around 0.004: so short that the 1e-6 that torch adds to it would show."""
    return lambda rng: {"dW": 1e-3 * normal(rng, N_1, N_X), "db": 1e-3 * normal(rng, N_1, 1), "limit": limit}


def _norm(dW: Array, db: Array) -> Any:
    return np.sqrt(np.sum(np.square(dW)) + np.sum(np.square(db)))


def _by_hand(clip: Callable[..., clipping_by_hand.Clipped]) -> Callable[..., Pair]:
    return lambda dW, db, limit: Pair(*clip({"dW1": dW, "db1": db}, limit).grads.values())


def _norm_by_hand(norm: Callable[..., float]) -> Callable[..., Any]:
    return lambda dW, db, limit: np.asarray(norm({"dW1": dW, "db1": db}), dW.dtype)


def clipped_by_torch(dW: Tensor, db: Tensor, limit: float) -> Pair:
    """The gradients of a module, clipped by torch_ref."""
    module = module_with_gradients(dW, db)
    torch_clipping.clip_by_norm(module, limit)
    return Pair(*(value.grad for value in module))


def clipped_as_torch_does(dW: Tensor, db: Tensor, limit: float) -> Pair:
    """The gradients of a module, clipped by torch with the limit for max_norm: a planted fault, slightly too short."""
    module = module_with_gradients(dW, db)
    torch.nn.utils.clip_grad_norm_(module.parameters(), limit)
    return Pair(*(value.grad for value in module))


def module_with_gradients(*grads: Tensor) -> nn.ParameterList:
    """A module whose parameters have these gradients."""
    module = nn.ParameterList([torch.zeros_like(gradient) for gradient in grads])
    for value, gradient in zip(module, grads, strict=True):
        value.grad = gradient.clone()
    return module


def _clipped_bound(name: str) -> Callable[[float, Any], Any]:
    """A gradient times limit / norm: the norm's error, the quotient, the product, and torch's way around its 1e-6."""

    def bound(u: float, at: Any) -> Any:
        terms = at.dW.size + at.db.size
        return at.limit / _norm(at.dW, at.db) * bounds.rounded(u, getattr(at, name), terms + 12)

    return bound


CASES = (
    _schedule("constant", "F251", lambda epoch: 1),
    _schedule("exponential", "F259", lambda epoch: epoch + 2, decay=0.9),
    _schedule("inverse_time", "F265", lambda epoch: 4, decay=0.2),
    _schedule("staircase", "F265", lambda epoch: epoch + 2, decay=0.5, every=4),
    _schedule("cosine", "F265", _cosine_factors, epochs=EPOCHS),
    Case(
        "clipping.gradient_norm",
        "F206",
        inputs=_gradients(1.0),
        manual=_norm_by_hand(clipping_by_hand.gradient_norm),
        loop=_norm_by_hand(clipping_by_hand.gradient_norm_loop),
        reference=lambda dW, db, limit: torch_clipping.gradient_norm(module_with_gradients(dW, db)),
        bounds={"norm": lambda u, at: bounds.rounded(u, at.norm, at.dW.size + at.db.size + 6)},
    ),
    Case(
        "clipping.clip_by_norm",
        "F206 F253",
        inputs=_gradients(3e-4),
        manual=_by_hand(clipping_by_hand.clip_by_norm),
        loop=_by_hand(clipping_by_hand.clip_by_norm_loop),
        reference=clipped_by_torch,
        bounds={"dW": _clipped_bound("dW"), "db": _clipped_bound("db")},
    ),
    Case(
        "clipping.within_the_limit",
        "F206 F253",
        inputs=_gradients(1.0),
        manual=_by_hand(clipping_by_hand.clip_by_norm),
        loop=_by_hand(clipping_by_hand.clip_by_norm_loop),
        reference=clipped_by_torch,
        bounds={"dW": lambda u, at: bounds.exact(u, at.dW), "db": lambda u, at: bounds.exact(u, at.db)},
    ),
)
