"""A dense layer, its derivatives, and the scales of its initial weights."""

from __future__ import annotations

from typing import Any

import numpy as np

import manual.dense as by_hand
import torch_ref.dense as torch_side
from manual import initialization
from manual.costs import l2_penalty
from manual.notation import Array
from parity_tests.formulas.case import LAMBDA, N_1, N_X, Case, Derivative, Inputs, M, normal
from parity_tests.judging import bounds
from torch_ref import initialization as torch_initialization


def _layer(rng: np.random.Generator) -> Inputs:
    return {
        "dZ": normal(rng, N_1, M),
        "A_prev": normal(rng, N_X, M),
        "W": normal(rng, N_1, N_X),
        "lambda_": LAMBDA,
    }


def _summed(dZ: Array, A_prev: Array, W: Array, lambda_: float) -> Any:
    """The summed loss whose derivative by Z is dZ."""
    return np.sum(dZ * by_hand.linear_forward(A_prev, W, np.zeros((N_1, 1))))


def _regularised(dZ: Array, A_prev: Array, W: Array, lambda_: float) -> Any:
    """The regularised cost whose derivative by Z is dZ/m."""
    return _summed(dZ, A_prev, W, lambda_) / M + l2_penalty([W], lambda_, M)


def _scale(name: str, *sizes: str) -> Case:
    """The standard deviation of initial weights, from the layer's sizes."""
    return Case(
        f"initialization.{name}",
        "F147",
        inputs=lambda rng: {size: int(rng.integers(16, 200)) for size in sizes},
        manual=getattr(initialization, name),
        loop=None,
        reference=getattr(torch_initialization, name),
        bounds={"scale": lambda u, at: bounds.rounded(u, at.scale, 6)},
    )


W_BOUND = {"dW": lambda u, at: bounds.weight_gradient(u, at.dZ, at.A_prev, at.W, at.lambda_)}
B_BOUND = {"db": lambda u, at: bounds.bias_gradient(u, at.dZ)}
A_BOUND = {"dA_prev": lambda u, at: bounds.input_gradient(u, at.dZ, at.W)}

CASES = (
    Case(
        "dense.linear_forward",
        "F047 F068 F072 F151",
        inputs=lambda rng: {"A_prev": normal(rng, N_X, M), "W": normal(rng, N_1, N_X), "b": normal(rng, N_1, 1)},
        manual=by_hand.linear_forward,
        loop=by_hand.linear_forward_loop,
        reference=torch_side.linear_forward,
        bounds={"Z": lambda u, at: bounds.linear_forward(u, at.A_prev, at.W, at.b)},
    ),
    Case(
        "dense.weight_gradient",
        "F053 F098 F103 F168 F201 F202",
        inputs=_layer,
        manual=by_hand.weight_gradient,
        loop=by_hand.weight_gradient_loop,
        reference=torch_side.weight_gradient,
        bounds=W_BOUND,
        derivatives={"dW": Derivative(of=_regularised, wrt="W")},
    ),
    Case(
        "dense.bias_gradient",
        "F051 F098 F169",
        inputs=lambda rng: {"dZ": normal(rng, N_1, M)},
        manual=by_hand.bias_gradient,
        loop=by_hand.bias_gradient_loop,
        reference=torch_side.bias_gradient,
        bounds=B_BOUND,
    ),
    Case(
        "dense.input_gradient",
        "F099 F170 F190",
        inputs=lambda rng: {"dZ": normal(rng, N_1, M), "W": normal(rng, N_1, N_X)},
        manual=by_hand.input_gradient,
        loop=by_hand.input_gradient_loop,
        reference=torch_side.input_gradient,
        bounds=A_BOUND,
    ),
    Case(
        "dense.linear_backward",
        "F163 F168 F169 F170",
        inputs=_layer,
        manual=by_hand.linear_backward,
        loop=by_hand.linear_backward_loop,
        reference=torch_side.linear_backward,
        bounds={**A_BOUND, **W_BOUND, **B_BOUND},
        derivatives={
            "dA_prev": Derivative(of=_summed, wrt="A_prev"),
            "dW": Derivative(of=_regularised, wrt="W"),
        },
    ),
    Case(
        "dense.bias_gradient_of_layer",
        "F169",
        inputs=lambda rng: {"b": normal(rng, N_1, 1), **_layer(rng)},
        manual=lambda b, dZ, A_prev, W, lambda_: by_hand.bias_gradient(dZ),
        loop=lambda b, dZ, A_prev, W, lambda_: by_hand.bias_gradient_loop(dZ),
        reference=lambda b, dZ, A_prev, W, lambda_: torch_side.linear_backward(dZ, A_prev, W, lambda_).db,
        bounds=B_BOUND,
        derivatives={
            "db": Derivative(
                of=lambda b, dZ, A_prev, W, lambda_: np.sum(dZ * by_hand.linear_forward(A_prev, W, b)) / M, wrt="b"
            )
        },
    ),
    _scale("lecun", "n_prev"),
    _scale("xavier", "n_prev", "n"),
    _scale("he", "n_prev"),
)
