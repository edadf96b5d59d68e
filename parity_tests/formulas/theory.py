"""The claims about networks: linear layers collapse, how far apart units and activations are, and parity."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from torch import Tensor

import manual.theory as by_hand
import torch_ref.theory as torch_side
from manual import dense, network
from manual.notation import Array
from parity_tests.formulas.case import N_1, N_2, N_X, Case, Inputs, M, normal
from parity_tests.formulas.dense import Z_bound
from parity_tests.judging import bounds
from torch_ref import dense as torch_dense
from torch_ref import network as torch_network
from torch_ref.devices import array

BITS = 5
"""Bits of the parity probes: odd, so that the tree hands a bit on; every one of the 2^5 inputs is tried."""


def _two_layers(rng: np.random.Generator) -> Inputs:
    return {
        "W1": normal(rng, N_1, N_X),
        "b1": normal(rng, N_1, 1),
        "W2": normal(rng, N_2, N_1),
        "b2": normal(rng, N_2, 1),
    }


def _collapsed_forward(W1: Array, b1: Array, W2: Array, b2: Array, X: Array) -> Array:
    """The collapsed layer."""
    W, b = by_hand.collapse(W1, b1, W2, b2)
    return dense.linear_forward(X, W, b)


def _composed_loop(W1: Array, b1: Array, W2: Array, b2: Array, X: Array) -> Array:
    """One layer after the other."""
    return dense.linear_forward_loop(dense.linear_forward_loop(X, W1, b1), W2, b2)


def _composed(W1: Tensor, b1: Tensor, W2: Tensor, b2: Tensor, X: Tensor) -> Tensor:
    """One layer after the other."""
    return torch_dense.linear_forward(torch_dense.linear_forward(X, W1, b1), W2, b2)


def _parity(name: str, build: Callable[[int], by_hand.HandSet]) -> Case:
    """A network with hand-set weights on every input: by hand, against XOR bit by bit, and as a torch module."""
    architecture, params = build(BITS)

    def forward(X: Array) -> Array:
        return network.forward(architecture, {key: value.astype(X.dtype) for key, value in params.items()}, X).A[-1]

    def module(X: Tensor) -> Tensor:
        in_dtype = {key: value.astype(array(X).dtype) for key, value in params.items()}
        made = torch_network.module_with(architecture, in_dtype, device=str(X.device))
        return torch_network.forward(made, X).A[-1]

    return Case(
        f"theory.parity_{name}",
        "F191 F192",
        inputs=lambda rng: {"X": by_hand.all_inputs(BITS)},
        manual=forward,
        loop=by_hand.parity_loop,
        reference=module,
        bounds={"A": lambda u, at: bounds.exact(u, at.A)},
    )


CASES = (
    Case(
        "theory.collapse",
        "F136",
        inputs=_two_layers,
        manual=by_hand.collapse,
        loop=by_hand.collapse_loop,
        reference=torch_side.collapse,
        bounds={
            "W": lambda u, at: bounds.product(u, at.W2, at.W1),
            "b": lambda u, at: Z_bound(u, at.b1, at.W2, at.b2),
        },
    ),
    Case(
        "theory.collapsed_forward",
        "F136",
        inputs=lambda rng: {**_two_layers(rng), "X": normal(rng, N_X, M)},
        manual=_collapsed_forward,
        loop=_composed_loop,
        reference=_composed,
        bounds={"Z": lambda u, at: bounds.two_linear_layers(u, at.X, at.W1, at.b1, at.W2, at.b2)},
    ),
    Case(
        "theory.unit_distance",
        "F143 F144",
        inputs=lambda rng: {"W": normal(rng, N_1, N_X)},
        manual=by_hand.unit_distance,
        loop=by_hand.unit_distance_loop,
        reference=torch_side.unit_distance,
        bounds={"distance": lambda u, at: bounds.distance(u, at.distance, N_X)},
    ),
    Case(
        "theory.spread",
        "F147",
        inputs=lambda rng: {"A": np.tanh(normal(rng, N_1, M))},
        manual=by_hand.spread,
        loop=by_hand.spread_loop,
        reference=torch_side.spread,
        bounds={"spread": lambda u, at: bounds.spread(u, at.A)},
    ),
    Case(
        "theory.parity",
        "F191",
        inputs=lambda rng: {"X": by_hand.all_inputs(BITS)},
        manual=by_hand.parity,
        loop=by_hand.parity_loop,
        reference=torch_side.parity,
        bounds={"parity": lambda u, at: bounds.exact(u, at.parity)},
    ),
    _parity("tree", by_hand.parity_tree),
    _parity("minterms", by_hand.parity_minterms),
    _parity("sawtooth", by_hand.parity_sawtooth),
)
