"""Gradient clipping."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

import manual.clipping as by_hand
import torch_ref.clipping as torch_side
from manual.notation import Array
from parity_tests.formulas.case import N_1, N_X, Case, Inputs, normal
from parity_tests.formulas.formula import Formula, Words, code, refusal
from parity_tests.formulas.planting import fault, instead, result
from parity_tests.judging import bounds


class Pair(NamedTuple):
    """The gradients of one layer."""

    dW: Any
    db: Any


def _gradients(limit: float) -> Callable[[np.random.Generator], Inputs]:
    """Gradients of a length around 0.004: so short that the 1e-6 that torch adds to it would show."""
    return lambda rng: {"dW": 1e-3 * normal(rng, N_1, N_X), "db": 1e-3 * normal(rng, N_1, 1), "limit": limit}


def _norm(dW: Array, db: Array) -> Any:
    return np.sqrt(np.sum(np.square(dW)) + np.sum(np.square(db)))


def _by_hand(clip: Callable[..., by_hand.Clipped]) -> Callable[..., Pair]:
    return lambda dW, db, limit: Pair(*clip({"dW1": dW, "db1": db}, limit).grads.values())


def _norm_by_hand(norm: Callable[..., float]) -> Callable[..., Any]:
    return lambda dW, db, limit: np.asarray(norm({"dW1": dW, "db1": db}), dW.dtype)


def _clipped_by_torch(dW: Tensor, db: Tensor, limit: float) -> Pair:
    """The gradients of a module, clipped by torch_ref."""
    module = module_with_gradients(dW, db)
    torch_side.clip_by_norm(module, limit)
    return Pair(*(value.grad for value in module))


def _clipped_as_torch_does(dW: Tensor, db: Tensor, limit: float) -> Pair:
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


OF_THE_NORM = dict.fromkeys(("dW", "db"), "a norm is a real number")

FORMULAS = (
    Formula(
        (code(by_hand, torch_side, "gradient_norm", "F206"),),
        Words(
            "The length of a gradient",
            r"\left\| \nabla J \right\| = \sqrt{\sum_{l} \left\| dW^{[l]} \right\|_F^{2} + \left\| db^{[l]} "
            r"\right\|^{2}}",
            "All gradients as one vector: the root of the sum of all squares. Clipping shortens the vector where it "
            "is longer than a limit, and keeps its direction.",
            "Each layer is clipped by itself.",
            "The direction of the step changes: only the common factor keeps it.",
            shapes="Gradients of any shapes; their length is one number.",
        ),
        cases=(
            Case(
                "clipping.gradient_norm",
                "F206",
                inputs=_gradients(1.0),
                manual=_norm_by_hand(by_hand.gradient_norm),
                loop=_norm_by_hand(by_hand.gradient_norm_loop),
                reference=lambda dW, db, limit: torch_side.gradient_norm(module_with_gradients(dW, db)),
                bounds={"norm": lambda u, at: bounds.rounded(u, at.norm, at.dW.size + at.db.size + 6)},
                stays_real=OF_THE_NORM,
            ),
            Case(
                "clipping.clip_by_norm",
                "F206 F253",
                inputs=_gradients(3e-4),
                manual=_by_hand(by_hand.clip_by_norm),
                loop=_by_hand(by_hand.clip_by_norm_loop),
                reference=_clipped_by_torch,
                bounds={"dW": _clipped_bound("dW"), "db": _clipped_bound("db")},
                stays_real=OF_THE_NORM,
            ),
            Case(
                "clipping.within_the_limit",
                "F206 F253",
                inputs=_gradients(1.0),
                manual=_by_hand(by_hand.clip_by_norm),
                loop=_by_hand(by_hand.clip_by_norm_loop),
                reference=_clipped_by_torch,
                bounds={"dW": lambda u, at: bounds.exact(u, at.dW), "db": lambda u, at: bounds.exact(u, at.db)},
                stays_real=OF_THE_NORM,
            ),
        ),
        faults=(
            fault(
                "torch's 1e-6 left in",
                instead(_clipped_as_torch_does),
                "dW",
                "db",
                at="case:clipping.clip_by_norm reference",
            ),
            fault(
                "clipped array by array",
                instead(lambda dW, db, limit: Pair(*(g * limit / np.linalg.norm(g) for g in (dW, db)))),
                "dW",
                "db",
                at="case:clipping.clip_by_norm manual",
            ),
            fault(
                "clipped below the limit",
                result(lambda pair, *a: Pair(0.5 * pair.dW, 0.5 * pair.db)),
                "dW",
                "db",
                at="case:clipping.within_the_limit manual",
            ),
        ),
        refusals=(
            *(
                refusal(
                    f"limit is {limit}, expected a number above 0: the longest that the gradients may be",
                    {"dW1": np.ones((4, 2))},
                    limit,
                    of=by_hand.clip_by_norm,
                )
                for limit in (0.0, float("nan"))
            ),
        ),
    ),
)
