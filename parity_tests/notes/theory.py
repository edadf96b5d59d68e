"""What the notes claim about depth, and about hyper-parameters: F191 to F195."""

from __future__ import annotations

import numpy as np

from manual import network
from manual.architecture import Architecture
from manual.optimizers import GradientDescent
from manual.theory import (
    all_inputs,
    minterm_count,
    parity,
    parity_minterms,
    parity_sawtooth,
    parity_tree,
    tree_depth,
    tree_units,
    xor_count,
)
from parity_tests.notes.check_kinds import count
from parity_tests.notes.row import AMBIGUOUS, CONVENTION, HOLDS, Row

BITS = (2, 4, 8, 16)


def mistakes(build: str, n: int = 8) -> int:
    """On how many of the 2^n inputs a network with hand-set weights gives another parity."""
    made = {"tree": parity_tree, "minterms": parity_minterms, "sawtooth": parity_sawtooth}[build](n)
    X = all_inputs(n)
    return int(np.sum(network.forward(made.architecture, made.params, X).A[-1] != parity(X)))


def hidden_layers(architecture: Architecture) -> int:
    """Layers before the output."""
    return len(architecture.layers) - 1


ROWS = (
    Row(
        "F191", "N0 L542-549", "parity: deep trees, wide layers",
        "x_1 XOR ... XOR x_n: depth O(log n), or one hidden layer of about 2^n units", CONVENTION,
        (
            count("2^(n-1) minterms, for n = 2, 4, 8, 16", lambda: (
                tuple(map(minterm_count, BITS)), (2, 8, 128, 32768))),
            count("a tree of n - 1 XORs", lambda: (tuple(map(xor_count, BITS)), (1, 3, 7, 15))),
            count("of depth log2 n", lambda: (tuple(map(tree_depth, BITS)), (1, 2, 3, 4))),
            count("the minterms compute parity", lambda: (mistakes("minterms"), 0)),
            count("so does the tree", lambda: (mistakes("tree"), 0)),
        ),
        (
            count("2^n minterms", lambda: (minterm_count(8), 2**8)),
            count("any one hidden layer needs 2^(n-1) units: n that count are not enough", lambda: (
                mistakes("sawtooth") > 0, True)),
        ),
        "for AND, OR and NOT: 2^(n-1) minterms; n neurons that count do it in one layer",
    ),
    Row(
        "F192", "N0 L540", "depth can save units",
        "some functions need exponentially more hidden units if layers are limited", CONVENTION,
        (count("parity of 16 bits: 32768 units in one layer of minterms, 30 in a tree",
               lambda: ((minterm_count(16), tree_units(16)), (32768, 30))),),
        (count("the tree needs as many", lambda: (tree_units(16), minterm_count(16))),),
        "for a suitable class of units",
    ),
    Row("F193", "N0 L536-538", "deep nets compose features",
        "deep networks compose features: edges, parts, faces; sounds", AMBIGUOUS,
        unchecked="needs images and a judgement of what a unit sees"),
    Row(
        "F194", "N0 L571-583", "parameters and hyper-parameters",
        "parameters W, b; hyper-parameters alpha, iterations, L, n[l], the activations", HOLDS,
        (
            count("training changes W and b", lambda: (
                tuple(sorted(parity_tree(2).architecture.parameter_shapes)), ("W1", "W2", "b1", "b2"))),
            count("L is the architecture's, alpha the rule's", lambda: (
                (hidden_layers(parity_tree(4).architecture), GradientDescent(0.1).learning_rate), (2, 0.1))),
        ),
        (count("the number of layers is a parameter", lambda: (
            "L" in parity_tree(2).architecture.parameter_shapes, True)),),
    ),
    Row("F195", "N0 L585-588", "tuning is empirical",
        "choosing hyper-parameters is empirical, and differs between industries", HOLDS,
        unchecked="advice"),
)  # fmt: skip
"""Rows of the errata."""
