"""Mini-batches: F206 to F218."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from manual.costs import binary_cross_entropy, l2_penalty
from parity_tests.notes import snippets
from parity_tests.notes.check_kinds import At, Value, count, experiment, formula, same, shaped, snippet
from parity_tests.notes.descent import chunks
from parity_tests.notes.row import CONVENTION, HOLDS, MISPRINT, WRONG, Row
from parity_tests.notes.training import chunked_progress

NET, WHOLE = "minibatch", "shallow"
COST = "-(1/{0}) * np.sum(Y_t*np.log(A2) + (1 - Y_t)*np.log(1 - A2))"
PENALTY = "(lambda/(2*chunk_size)) * (np.sum({0}**2) + np.sum({1}**2))"


def averaged(at: At, sizes: list[int], weighted: bool) -> Value:
    """The mean over chunks of the gradients dW2 of each, weighted by their sizes or not."""
    edges = np.cumsum([0, *sizes])
    gradients, weights = [], []
    for begin, end in pairwise(edges):
        gradients.append(at.dZ2[:, begin:end] @ at.A1[:, begin:end].T / (end - begin))
        weights.append((end - begin) / at.m if weighted else 1 / len(sizes))
    return sum(weight * gradient for weight, gradient in zip(weights, gradients, strict=True))


ROWS = (
    Row(
        "F206", "N4 L331", "Frobenius norm",
        "the Frobenius norm: each element squared, added up, and the square root", HOLDS,
        (same("np.linalg.norm", WHOLE, lambda at: (np.sqrt(np.sum(np.square(at.W1))), np.linalg.norm(at.W1))),),
        (same("the largest singular value", WHOLE, lambda at: (np.linalg.norm(at.W1, 2), np.linalg.norm(at.W1))),),
    ),
    Row(
        "F207", "N4 L335-336", "Frobenius norm of an example",
        "A = [[1, 2, 1], [-1, 2, -3], [0, 1, -2]]: ||A||_F^2 = 25", HOLDS,
        (snippet(snippets.frobenius_square, 25),),
        (snippet(snippets.frobenius_square, 5),),
    ),
    Row(
        "F208", "N4 L338-342", "mini-batches of an epoch",
        "X in 5000 chunks X{t}; for t = 1..5000 forward, cost, backward, update", HOLDS,
        (count("5000 chunks of 1000 are 5000000 examples", lambda: (len(chunks(5_000_000, 1000)), 5000)),
         count("105 examples in chunks of 10: the last has 5", lambda: (chunks(105, 10)[-1], 5))),
        (count("105 examples are 10 chunks of 10", lambda: (len(chunks(105, 10)), 10)),),
    ),
    Row(
        "F209", "N4 L344", "shapes in a mini-batch", "Z[1] (n x m) = W X{t} (n_0 x chunksize) + b (n x m)", WRONG,
        (shaped("Z1 is (n, chunk size)", NET, lambda at: (at.W1 @ at.X_t + at.b1, (at.n_1, at.chunk_size))),),
        (shaped("Z1 is (n, m)", NET, lambda at: (at.W1 @ at.X_t + at.b1, (at.n_1, at.m))),),
        "n x chunk size; b is n x 1", "shape",
    ),
    Row(
        "F210", "N4 L344", "cost of a mini-batch", "J = 1/1000 sum_(i=1..l) L(yhat(i), y(i))", MISPRINT,
        (formula(f"J_t = {COST.format('chunk_size')}", NET),),
        (same("a sum over the first L = 2 examples", NET, lambda at: (
            binary_cross_entropy(at.A2[:, :2], at.Y_t[:, :2]) * 2 / at.chunk_size, at.J_t)),
         formula(f"J_t = {COST.format('m')}", NET, cause="wrong-divisor")),
        "J{t}, and the sum runs to the chunk size, 1000", "index",
    ),
    Row(
        "F211", "N4 L344", "penalty of a mini-batch, index", "lambda/(2 1000) sum_l ||W[2]||_F^2", MISPRINT,
        (formula(f"J_t = {COST.format('chunk_size')} + {PENALTY.format('W1', 'W2')}", NET, l2=True),),
        (formula(f"J_t = {COST.format('chunk_size')} + {PENALTY.format('W2', 'W2')}", NET, l2=True,
            cause="wrong-layer"),),
        "||W[l]||_F^2",
    ),
    Row(
        "F212", "N4 L344", "penalty of a mini-batch, scale",
        "the penalty of a chunk is over 2 times the chunk size", CONVENTION,
        (formula("dW1 = (1/chunk_size) * dZ1 @ X_t.T + (lambda/chunk_size) * W1", NET, l2=True),
         same("6 chunks: 6 times the whole set's", WHOLE, lambda at: (
             l2_penalty((at.W1, at.W2), at.lambda_, 10), 6 * l2_penalty((at.W1, at.W2), at.lambda_, 60)))),
        (formula("dW1 = (1/chunk_size) * dZ1 @ X_t.T + (lambda/m) * W1", NET, l2=True),
         same("the mean over 6 chunks is the whole set's", WHOLE, lambda at: (
             l2_penalty((at.W1, at.W2), at.lambda_, 10), l2_penalty((at.W1, at.W2), at.lambda_, 60)))),
        "as in the course; the objective is then not the whole set's: T chunks penalise T times as much",
    ),
    Row(
        "F213", "N4 L346", "gradient of a mini-batch", "backprop of J{t} on (X{t}, Y{t})", HOLDS,
        (formula("dZ2 = A2 - Y_t\ndW2 = (1/chunk_size) * dZ2 @ A1.T", NET),
         same("weighted by their sizes, the chunks' gradients are the whole set's", WHOLE,
              lambda at: (averaged(at, [1, at.m - 1], True), at.dW2))),
        (formula("dW2 = (1/m) * dZ2 @ A1.T", NET, cause="wrong-divisor"),
         same("their plain mean is, for chunks of any size", WHOLE,
              lambda at: (averaged(at, [1, at.m - 1], False), at.dW2))),
    ),
    Row(
        "F214", "N4 L348", "an update for each mini-batch",
        "W[l] := W[l] - alpha dW[l], b[l] := b[l] - alpha db[l], for every chunk", HOLDS,
        (formula("W1 = W1 - alpha * dW1\nb1 = b1 - alpha * db1", NET),),
        (formula("W1 = W1 + alpha * dW1", NET, cause="sign"),),
    ),
    Row(
        "F215", "N4 L351", "an epoch is one pass",
        "an epoch is a pass over the training set; without chunks it is one step", HOLDS,
        (count("one chunk of all: one step", lambda: (len(chunks(5000, 5000)), 1)),),
        (count("a step per example", lambda: (len(chunks(5000, 5000)), 5000)),),
    ),
    Row(
        "F216", "N4 L351", "steps in an epoch",
        "in batch gradient descent an epoch is chunk-size gradient descent steps", WRONG,
        (count("5000 chunks of 1000: 5000 steps", lambda: (len(chunks(5_000_000, 1000)), 5000)),
         count("105 in chunks of 10: 11 steps", lambda: (len(chunks(105, 10)), 11))),
        (count("as many steps as the chunk size", lambda: (len(chunks(5_000_000, 1000)), 1000)),
         count("105 in chunks of 10: 10 steps", lambda: (len(chunks(105, 10)), 10))),
        "in mini-batch gradient descent as many steps as chunks, ceil(m / chunk size)", "wrong-count",
    ),
    Row(
        "F217", "N4 L353", "epochs until it converges",
        "in practice all this is inside another loop until it converges", HOLDS,
        (experiment("J falls from epoch to epoch", chunked_progress, lambda run: run.chunked < 0.85 * run.first_epoch,
                    "J {first_epoch:.3f} after an epoch, {chunked:.3f} after five"),),
        (experiment("one epoch is enough", chunked_progress, lambda run: run.first_epoch < 1.1 * run.chunked,
                    "J {first_epoch:.3f} after an epoch, {chunked:.3f} after five"),),
    ),
    Row(
        "F218", "N4 L355", "mini-batches progress faster",
        "with a large training set mini-batches run much faster", CONVENTION,
        (experiment("they make more progress in an epoch", chunked_progress, lambda run: run.chunked < 0.8 * run.whole,
                    "J {chunked:.3f} after five epochs in chunks of 50, {whole:.3f} without"),),
        (experiment("an epoch is as good without chunks", chunked_progress, lambda run: run.whole < 1.1 * run.chunked,
                    "J {whole:.3f} without chunks, {chunked:.3f} with"),),
        "faster progress; an epoch itself takes longer",
    ),
)  # fmt: skip
"""Rows of the errata."""
