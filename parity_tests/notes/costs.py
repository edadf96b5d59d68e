"""The cost, and the L2 penalty: F196 to F205."""

from __future__ import annotations

import numpy as np

from manual.costs import l2_penalty, l2_penalty_loop
from parity_tests.notes import snippets
from parity_tests.notes.check_kinds import experiment, formula, same, snippet
from parity_tests.notes.recipe_runs import cranked_up
from parity_tests.notes.row import AMBIGUOUS, CONVENTION, HOLDS, WRONG, Row
from parity_tests.notes.training import shrinking

NET, DEEP = "shallow", "deep"
COST = "-(1/m) * np.sum(Y*np.log(A2) + (1 - Y)*np.log(1 - A2))"
PENALTY = "(np.sum(np.square(W1)) + np.sum(np.square(W2)))"

ROWS = (
    Row(
        "F196", "N4 L259", "cost of a deep net", "J = -1/m sum(y log a[l](i) + (1 - y) log(1 - a[l](i)))", CONVENTION,
        (formula("J = -(1/m) * np.sum(Y*np.log(A3) + (1 - Y)*np.log(1 - A3))", DEEP),),
        (same("with the hidden layer 2", DEEP, lambda at: (
            -np.sum(at.Y * np.log(at.A2) + (1 - at.Y) * np.log(1 - at.A2)) / at.m, at.J), cause="ValueError"),),
        "with a[L](i), the output",
    ),
    Row(
        "F197", "N4 L259", "the cost in NumPy, 1/m missing",
        "-1/m sum y log a = -np.sum(np.multiply(np.log(A), Y))", WRONG,
        (formula("J = -1/m * np.sum(np.multiply(np.log(A), Y))", "cross_entropy"),),
        (formula("J = -np.sum(np.multiply(np.log(A), Y))", "cross_entropy", cause="missing-1/m"),),
        "-1/m * np.sum(np.multiply(np.log(A), Y))",
    ),
    Row(
        "F198", "N4 L259", "the cost in NumPy",
        "J = -1/m * np.sum(np.multiply(np.log(A2), Y) + np.multiply(np.log(1 - A2), 1 - Y))", HOLDS,
        (formula("J = -1/m * np.sum(np.multiply(np.log(A2), Y) + np.multiply(np.log(1 - A2), 1 - Y))", NET),),
        (formula("J = 1/m * np.sum(np.multiply(np.log(A2), Y) + np.multiply(np.log(1 - A2), 1 - Y))", NET,
            cause="sign"),),
    ),
    Row(
        "F199", "N4 L292-294", "L2 penalty", "J_reg = J + lambda/(2m) sum_l sum_k sum_j (W_kj[l])^2", HOLDS,
        (formula(f"J = {COST} + (lambda/(2*m)) * {PENALTY}", NET, l2=True),
         same("the triple loop", NET, lambda at: (
             l2_penalty_loop((at.W1, at.W2), at.lambda_, at.m), l2_penalty((at.W1, at.W2), at.lambda_, at.m)))),
        (formula(f"J = {COST} + (lambda/m) * {PENALTY}", NET, l2=True),
         formula(f"J = {COST} + (lambda/(2*m)) * ({PENALTY} + np.sum(np.square(b1)))", NET, l2=True)),
    ),
    Row(
        "F200", "N4 L296-304", "L2 penalty in NumPy",
        "cost += np.sum(np.square(\"W\" + str(l))), then lambda/(2m) * cost", WRONG,
        (snippet(snippets.square_sum, 91),),
        (snippet(snippets.square_sum_as_written, 91, cause="TypeError"),),
        "np.square(parameters[\"W\" + str(l)])", "code",
    ),
    Row(
        "F201", "N4 L306", "derivative of the penalty", "d/dW lambda/(2m) W^2 = lambda/m W", HOLDS,
        (same("by the complex step, along W", NET, lambda at: (
            np.imag(l2_penalty((at.W1 + 1e-30j * at.W1,), at.lambda_, at.m)) / 1e-30,
            np.sum(at.lambda_ / at.m * at.W1 * at.W1))),),
        (formula("dW1 = (1/m) * dZ1 @ X.T + (lambda/(2*m)) * W1", NET, l2=True, cause="l2-factor-2"),),
    ),
    Row(
        "F202", "N4 L308-314", "dW with the penalty", "dW[L] = 1/m dZ[L] A[L-1]^T + lambda/m W[L]", HOLDS,
        (formula("dW3 = (1/m) * dZ3 @ A2.T + (lambda/m) * W3", DEEP, l2=True),),
        (formula("dW3 = (1/m) * dZ3 @ A2.T + lambda * W3", DEEP, l2=True, cause="l2-not-over-m"),
         formula("dW3 = (1/m) * dZ3 @ A2.T", DEEP, l2=True, cause="l2-missing"),
         formula("db3 = (1/m) * np.sum(dZ3, axis=1, keepdims=True) + (lambda/m) * b3", DEEP, l2=True,
             cause="l2-on-bias")),
    ),
    Row(
        "F203", "N4 L318", "small weights, smoother models",
        "small weights are a smoother model: the output changes more slowly with the input", HOLDS,
        (experiment("the steepest slope of the logit falls with lambda", shrinking,
                    lambda run: run.slope_0 > 1.3 * run.slope_1 > 1.7 * run.slope_10,
                    "the steepest slope is {slope_0:.1f}, {slope_1:.1f}, {slope_10:.2f} for lambda = 0, 1, 10"),),
        (experiment("lambda does not matter", shrinking, lambda run: run.slope_10 > 0.9 * run.slope_0,
                    "the steepest slope is {slope_0:.1f} for lambda = 0, {slope_10:.2f} for 10"),),
    ),
    Row(
        "F204", "N4 L322-327", "weight decay",
        "the cost and the gradients gain terms; the weights are pushed to smaller values", HOLDS,
        (formula("W1 = (1 - alpha*lambda/m) * W1 - alpha * (1/m) * dZ1 @ X.T", NET, l2=True),
         experiment("the squared weights fall with lambda", shrinking,
                    lambda run: run.squares_0 > 1.5 * run.squares_1 > 2.2 * run.squares_10,
                    "sum W^2 is {squares_0:.1f}, {squares_1:.1f}, {squares_10:.2f} for lambda = 0, 1, 10")),
        (formula("W1 = (1 - lambda/m) * W1 - alpha * (1/m) * dZ1 @ X.T", NET, l2=True),
         experiment("lambda does not matter", shrinking, lambda run: run.squares_10 > 0.9 * run.squares_0,
                    "sum W^2 is {squares_0:.1f} for lambda = 0, {squares_10:.2f} for 10")),
    ),
    Row(
        "F205", "N3 L5, 17, 27, 33, 52", "reg of the training recipe", "reg, in the recipe", AMBIGUOUS,
        (experiment("1/2 reg sum W^2 with reg = 1e3 adds about 0.77 to the loss", cranked_up,
                    lambda run: abs(run.half - 0.770) < 0.03, "reg = 1e3 adds {half:.4f}"),),
        (experiment("lambda/(2m) sum W^2 with lambda = 1e3 does", cranked_up,
                    lambda run: abs(run.over_m - 0.770) < 0.03, "lambda = 1e3 adds {over_m:.2g}"),),
        "1/2 reg sum W^2, without 1/m: reg = lambda/m", "two-readings",
    ),
)  # fmt: skip
"""Rows of the errata."""
