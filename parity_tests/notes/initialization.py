"""Initial weights: F143 to F147."""

from __future__ import annotations

from parity_tests.notes import snippets
from parity_tests.notes.check_kinds import experiment, formula, snippet
from parity_tests.notes.initial_weights import deep_start, equal_start, scales, small_start, zero_start
from parity_tests.notes.row import AMBIGUOUS, CONVENTION, HOLDS, Row

ROWS = (
    Row(
        "F143", "N0 L461-468; N1 L170-172", "equal weights stay equal",
        "zero or equal weights: dw = [u v; u v], all units are as one neuron", CONVENTION,
        (
            experiment("equal units stay equal, to rounding", equal_start, lambda run: run.distance < 1e-10,
                       "after 500 steps the units are {distance:.1e} apart"),
            experiment("they are one unit with the sum of their output weights", equal_start,
                       lambda run: run.output < 1e-10, "the outputs differ by {output:.1e}"),
            experiment("with all weights zero, tanh and ReLU never move one", zero_start,
                       lambda run: run.tanh == 0 and run.relu == 0,
                       "the largest weight after 200 steps is {tanh} and {relu}"),
        ),
        (
            experiment("random units are equal too", equal_start, lambda run: run.random_distance < 1e-10,
                       "after 500 steps random units are {random_distance:.2f} apart"),
            experiment("random units are one unit too", equal_start, lambda run: run.random_output < 1e-10,
                       "the outputs differ by {random_output:.2f}"),
            experiment("with all weights zero, sigmoid never moves either", zero_start, lambda run: run.sigmoid == 0,
                       "the largest weight after 200 steps is {sigmoid:.2f}"),
        ),
        "for equal weights; with all of them zero tanh and ReLU layers do not even move",
    ),
    Row(
        "F144", "N0 L473", "small random weights, zero biases",
        "W1 = np.random.randn(2, 2) * 0.01; b1 = np.zeros(2, 1): no symmetry", CONVENTION,
        (
            formula("small = 0.01", "initialization"),
            snippet(snippets.zeros, [[0.0]] * 4),
            experiment("small random weights train", small_start, lambda run: run.small < 0.7 * run.first,
                       "J from {first:.3f} to {small:.3f}"),
        ),
        (
            snippet(snippets.zeros_as_written, [[0.0]] * 4, cause="TypeError"),
            experiment("zero weights do too", small_start, lambda run: run.zero < 0.7 * run.first,
                       "J from {first:.3f} to {zero:.3f}"),
        ),
        "b1 = np.zeros((2, 1)); biases may be zero",
    ),
    Row(
        "F145", "N0 L473", "randn, not rand", "W2 = ... rand ... (1, 2)", AMBIGUOUS,
        (snippet(snippets.random_scale, True),),
        (snippet(snippets.uniform_scale, True),),
        "np.random.randn(1, 2) * 0.01; rand would give positive weights only", "two-readings",
    ),
    Row(
        "F146", "N0 L477-482; N1 L180", "small weights keep g' large",
        "initialise small: too big makes learning slow; very small makes the derivative larger", CONVENTION,
        (
            experiment("the smaller the weights, the larger g'(Z)", scales,
                lambda run: run.slope_small > 5 * run.slope_large,
                       "mean slope {slope_small:.3f} with scale 0.01, {slope_large:.3f} with 100"),
            experiment("too big is slow", scales, lambda run: run.J_large > 2 * run.J_one,
                       "J {J_large:.2f} from scale 100, {J_one:.3f} from 1"),
        ),
        (
            experiment("the smaller the weights, the larger dW1", scales, lambda run: run.dW1_small > run.dW1_one,
                       "||dW1|| {dW1_small:.3f} with scale 0.01, {dW1_one:.3f} with 1"),
        ),
        "small weights make g'(Z) larger, not the gradient of the cost",
    ),
    Row(
        "F147", "N0 L475-476; N3 L13, 83", "deep nets need another scale",
        "0.01 works for shallow networks; deep ones need another mechanism", HOLDS,
        (
            formula("lecun = 1/np.sqrt(n_prev)\nhe = np.sqrt(2/n_prev)", "initialization"),
            experiment("1/sqrt(n) trains nine tanh layers", deep_start, lambda run: run.lecun < 0.5 * run.first,
                       "J {lecun:.3f} with 1/sqrt(n), {small:.4f} with 0.01; the last spread {spread:.1e}"),
        ),
        (
            formula("lecun = np.sqrt(2/n_prev)", "initialization", cause="init-scale"),
            experiment("0.01 does too", deep_start, lambda run: run.small < 0.95 * run.first,
                       "J stays {small:.4f}; the spread of the last hidden layer is {spread:.1e}"),
        ),
    ),
)  # fmt: skip
"""Rows of the errata."""
