"""Shallow networks, forward: notation, shapes, cost and updates, F063 to F092."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from manual.activations import sigmoid, tanh
from manual.architecture import model
from parity_tests.notes.check_kinds import At, Value, count, formula, same, shaped
from parity_tests.notes.row import AMBIGUOUS, CONVENTION, HOLDS, MISPRINT, WRONG, Row

NET, WIDE = "shallow", "multilabel"

FORWARD = "Z1 = W1 @ X + b1\nA1 = tanh(Z1)\nZ2 = W2 @ A1 + b2\nA2 = sigma(Z2)"


def by_example(at: At) -> Value:
    """A2, example by example."""
    columns = []
    for i in range(at.m):
        z1 = at.W1 @ at.X[:, i : i + 1] + at.b1
        columns.append(sigmoid(at.W2 @ tanh(z1) + at.b2))
    return np.hstack(columns)


def unit_by_unit(at: At) -> Value:
    """Z1, unit by unit: z_j = w_j^T X + b_j with w_j a column."""
    return np.vstack([at.W1[j : j + 1].T.T @ at.X + at.b1[j, 0] for j in range(at.n_1)])


class Mixed(NamedTuple):
    """A square matrix W, the one of N2 whose first row is from its transpose, and a column."""

    W: np.ndarray
    written: np.ndarray
    a: np.ndarray


def mixed(at: At) -> Mixed:
    """W, the mixture, and a."""
    W = at.rng.standard_normal((4, 4))
    return Mixed(W, np.vstack([W.T[:1], W[1:]]), at.rng.standard_normal((4, 1)))


def times_a(at: At, choose: Callable[[Mixed], tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Two matrices times a."""
    found = mixed(at)
    return tuple(matrix @ found.a for matrix in choose(found))


ROWS = (
    Row(
        "F063", "N0 L274; N4 L167", "the input is no layer",
        "input, hidden and output layer are a 2 layer NN: the input does not count", CONVENTION,
        (count("W1, b1, W2, b2: two layers", lambda: (len(model("shallow", 3, 1).parameter_shapes) // 2, 2)),),
        (count("with the input three", lambda: (len(model("shallow", 3, 1).parameter_shapes) // 2, 3)),),
        "layers are counted by their parameters",
    ),
    Row(
        "F064", "N0 L284-285, 323; N4 L180, 190", "A^[0] = X", "a[0] = x, A[0] = X, a[0](i) = x(i)", HOLDS,
        (formula("Z1 = W1 @ A0 + b1", NET),),
        (formula("Z1 = W1 @ A1 + b1", NET, cause="wrong-layer"),),
    ),
    Row("F065", "N0 L282", "hidden units are not observed",
        "the values of a hidden layer are not in the training set", HOLDS, unchecked="a definition"),
    Row(
        "F066", "N0 L293-297; N1 L13-15; N4 L204", "layer, example, unit: indices",
        "a[l](i)_j: layer [l], example (i), node j; x(i) -> a[2](i) = yhat(i)", HOLDS,
        (same("column i of A2 is the output for x(i)", NET, lambda at: (by_example(at), at.A2)),),
        (same("column i of A2 is the output for x(i + 1)", NET,
            lambda at: (np.roll(by_example(at), 1, axis=1), at.A2)),),
    ),
    Row(
        "F067", "N0 L289-291; N2 L31", "one hidden unit", "z1[1] = w1 x + b[1]", MISPRINT,
        (same("z1 = w1^T x + b1", NET, lambda at: (at.W1[:1].T.T @ at.X[:, :1] + at.b1[0, 0], at.Z1[:1, :1])),),
        (same("w1 x, both columns", NET,
            lambda at: (at.W1[:1].T @ at.X[:, :1] + at.b1, at.Z1[:1, :1]), cause="ValueError"),),
        "z1[1] = w1[1]^T x + b1[1]", "transpose-missing",
    ),
    Row(
        "F068", "N0 L301-303; N1 L32; N2 L35", "Z^[1] = W^[1] x + b^[1]",
        "z[1] = W[1] x + b[1], the rows of W[1] are w_j^T", HOLDS,
        (formula("Z1 = W1 @ X + b1", NET), same("a stack of w_j^T", NET, lambda at: (unit_by_unit(at), at.Z1))),
        (formula("Z1 = W1.T @ X + b1", NET, cause="transpose-extra"),),
    ),
    Row(
        "F069", "N1 L34", "shape of W^[1]", "the shapes (4, 1) = (4, 2)(3, 1) + (4, 1)", MISPRINT,
        (shaped("(4, 3)(3, 1) is (4, 1)", "", lambda at: (np.ones((4, 3)) @ np.ones((3, 1)), (4, 1))),),
        (shaped("(4, 2)(3, 1) is (4, 1)", "",
            lambda at: (np.ones((4, 2)) @ np.ones((3, 1)), (4, 1)), cause="ValueError"),),
        "W[1] is (4, 3)", "shape",
    ),
    Row(
        "F070", "N0 L276-280; N1 L40-46", "the output unit of a shallow net",
        "z[2] = W[2] a[1] + b[2], (1, 1) = (1, 4)(4, 1) + (1, 1); a[2] = sigma(z[2])", HOLDS,
        (
            formula("Z2 = W2 @ A1 + b2\nA2 = sigma(Z2)", NET),
            shaped("(1, 4)(4, 1) + (1, 1) is (1, 1)", "", lambda at: (np.ones((1, 4)) @ np.ones((4, 1)) + 1, (1, 1))),
        ),
        (formula("Z2 = W2 @ X + b2", NET, cause="wrong-layer"),),
    ),
    Row(
        "F071", "N0 L299; N1 L50-58, 87-95; N4 L208-223", "forward pass, example by example",
        "for i = 1 to m: z[1](i), a[1](i), z[2](i), a[2](i)", HOLDS,
        (same("the loop gives A2", NET, lambda at: (by_example(at), at.A2)),),
        (same("the loop leaves out the bias b1", NET,
            lambda at: (sigmoid(at.W2 @ tanh(at.W1 @ at.X) + at.b2), at.A2)),),
    ),
    Row(
        "F072", "N0 L307-325; N1 L64-75, 97-103; N2 L96-102, 134-140; N3 L222-226", "forward pass of a shallow net",
        "Z[1] = W[1] X + b[1], A[1] = g(Z[1]), Z[2] = W[2] A[1] + b[2], A[2] = sigma(Z[2])", HOLDS,
        (formula(FORWARD, NET), formula(FORWARD, WIDE)),
        (formula("A2 = sigma(Z1)", NET, cause="wrong-layer"),),
    ),
    Row(
        "F073", "N0 L307, 313, 315; N1 L73-75; N2 L132", "brackets lost in indices",
        "z^1, a^1, A^1 for the first example", MISPRINT,
        truth="z[1](1), a[1](1)", cause="misprint", unchecked="brackets that a scan lost",
    ),
    Row(
        "F074", "N0 L321", "layer index of the forward pass", "Z[i] = W[i] A[i-1] + b[i]", CONVENTION,
        (formula("Z2 = W2 @ A1 + b2", NET),),
        (formula("Z2 = W2 @ A2 + b2", NET, cause="wrong-layer"),),
        "the index is the layer l, not an example",
    ),
    Row(
        "F075", "N0 L315", "rows are units, columns examples", "rows of A are hidden units, columns examples", HOLDS,
        (shaped("A1 is (n_1, m)", NET, lambda at: (at.A1, (at.n_1, at.m))),),
        (shaped("A1 is (m, n_1)", NET, lambda at: (at.A1, (at.m, at.n_1))),),
    ),
    Row(
        "F076", "N2 L5, 11, 15-19, 162; N3 L172", "W or W^T, by how units are stacked", "Z = W^T X + b", CONVENTION,
        (same("W^T X for W = [w_1 ... w_n], units as columns", NET, lambda at: (at.W1.T.T @ at.X + at.b1, at.Z1)),),
        (formula("Z1 = W1.T @ X + b1", NET, cause="transpose-extra"),),
        "W^T X where the columns of W are units, W X where its rows are",
    ),
    Row(
        "F077", "N2 L25", "W's rows are units", "W x with rows [W_j1 ... W_jn_x], W is (n[1] x n_x)", HOLDS,
        (shaped("W1 is (n_1, n_x)", NET, lambda at: (at.W1, (at.n_1, at.n_x))), formula("Z1 = W1 @ X + b1", NET)),
        (shaped("W1 is (n_x, n_1)", NET, lambda at: (at.W1, (at.n_x, at.n_1))),),
    ),
    Row(
        "F078", "N2 L7, 11-13, 21-23", "g for all units of a layer",
        "A[1] = a(Z_1[1]); a_k(Z_k[1]); X_[0] -> A_[1]", CONVENTION,
        (same("a_k(Z_k) stacked is g(Z)", NET,
            lambda at: (np.vstack([tanh(at.Z1[k]) for k in range(at.n_1)]), at.A1)),),
        (same("a(Z_1), the first unit's, is all of A1", NET, lambda at: (tanh(at.Z1[:1]), at.A1)),),
        "A[1] = g[1](Z[1]), for all units; a is the function and its value here", "name-clash",
    ),
    Row(
        "F079", "N2 L124", "gradient in the inputs", "dL/dx(i), nothing more", AMBIGUOUS,
        (formula("dX = W1.T @ dZ1", NET),),
        (formula("dX = W2.T @ dZ2", NET),),
        "dL/dx(i) = W[1]^T dz[1](i)", "unfinished",
    ),
    Row(
        "F080", "N2 L27, 29, 37, 52", "sizes of the layers",
        "n_n[1] = n[0]; n_x = 3; (3, 1)(n[0], 1); [n_x, 1; n[1], 1]", AMBIGUOUS,
        (shaped("x is (n_x, 1)", NET, lambda at: (at.X[:, :1], (at.n_x, 1))),
         shaped("z[1] is (n[1], 1)", NET, lambda at: (at.Z1[:, :1], (at.n_1, 1)))),
        (shaped("n[1] = n[0]", NET, lambda at: (at.Z1[:, :1], (at.n_x, 1))),),
        "n_x = n[0] = 3; x is (n[0], 1), z[1] is (n[1], 1)", "two-readings",
    ),
    Row(
        "F081", "N2 L33", "number of hidden units", "z_(n+1)[1] = w_(n+1)[1] x + b_(n+1)[1]", MISPRINT,
        (same("the last unit is unit n[1], the row at n[1] - 1", NET,
              lambda at: (at.W1[at.n_1 - 1] @ at.X + at.b1[at.n_1 - 1], at.Z1[-1])),),
        (same("there is a unit n[1] + 1", NET, lambda at: (at.W1[at.n_1] @ at.X + at.b1[at.n_1], at.Z1[-1]),
              cause="IndexError"),),
        "j runs to n[1], and w_j^T x", "index",
    ),
    Row(
        "F082", "N2 L43-45", "shape of b", "b = [b_1[1] ... b_n_x[1]], a column and then a row", WRONG,
        (shaped("b of n[1] entries fits", NET, lambda at: (at.W1 @ at.X + np.ones((at.n_1, 1)), (at.n_1, at.m))),),
        (shaped("b of n_x entries fits", NET,
            lambda at: (at.W1 @ at.X + np.ones((at.n_x, 1)), (at.n_1, at.m)), cause="ValueError"),),
        "b[1] has n[1] entries, in a column", "shape",
    ),
    Row(
        "F083", "N2 L41", "shape of a matrix product", "(m, n)(n, p) -> (m, p)", HOLDS,
        (shaped("(2, 3)(3, 5) is (2, 5)", "", lambda at: (np.ones((2, 3)) @ np.ones((3, 5)), (2, 5))),),
        (shaped("(2, 3)(5, 3) is (2, 5)", "",
            lambda at: (np.ones((2, 3)) @ np.ones((5, 3)), (2, 5)), cause="ValueError"),),
    ),
    Row(
        "F084", "N2 L109-116, 168", "a 3-4-1 network", "n[0] = 3, n[1] = 4, n[2] = 1; x = (x, y, z)", HOLDS,
        (count("21 parameters", lambda: (
            sum(int(np.prod(shape)) for shape in model("shallow", 3, 1).parameter_shapes.values()), 21)),),
        (count("16, without biases", lambda: (
            sum(int(np.prod(shape)) for shape in model("shallow", 3, 1).parameter_shapes.values()), 16)),),
    ),
    Row(
        "F085", "N2 L158-160", "second layer as sums, bias left out",
        "Z_1[2] = sum_k W_1k[2] a_k[1], and as a matrix", CONVENTION,
        (formula("Z2 = W2 @ A1 + b2", NET), same("the sum, and the bias", NET, lambda at: (
            np.sum(at.W2[0][:, None] * at.A1, axis=0, keepdims=True) + at.b2, at.Z2))),
        (formula("Z2 = W2 @ A1", NET, cause="bias-missing"),),
        "with b_1[2] added", "bias-missing",
    ),
    Row(
        "F086", "N2 L164", "W mixed from both conventions",
        "W^T A + b with the first row W_11, W_21, ..., W_1n and the others W_21, W_22, ...", WRONG,
        (same("the columns of W as rows give W^T a", "",
              lambda at: times_a(at, lambda of: (np.vstack([of.W[:, j] for j in range(4)]), of.W.T))),),
        (same("the mixed matrix gives W^T a", "", lambda at: times_a(at, lambda of: (of.written, of.W.T))),
         same("the mixed matrix gives W a", "", lambda at: times_a(at, lambda of: (of.written, of.W)))),
        "the rows of W, or the rows of W^T, not some of each", "index",
    ),
    Row(
        "F087", "N2 L176", "shapes of the second layer", "W_11[2] is (n2, n1), a_1[1] is (n2, 1)", WRONG,
        (shaped("W2 is (n_2, n_1)", WIDE, lambda at: (at.W2, (at.n_2, at.n_1))),
         shaped("a[1] is (n_1, 1)", WIDE, lambda at: (at.A1[:, :1], (at.n_1, 1)))),
        (shaped("a[1] is (n_2, 1)", WIDE, lambda at: (at.A1[:, :1], (at.n_2, 1))),),
        "W[2] is (n2, n1), a[1] (n1, 1), z[2] (n2, 1); W_11 and a_1 are numbers", "shape",
    ),
    Row(
        "F088", "N3 L211-220", "hidden layer, unit by unit",
        "n[1] = I, n[2] = 1; z_i[1] = w_i^T x + b: (1 x m) = (n_x x 1)^T(n_x x m) + (1 x m)", HOLDS,
        (same("I of them stacked", NET, lambda at: (unit_by_unit(at), at.Z1)),
         shaped("one is (1, m)", NET, lambda at: (at.W1[:1].T.T @ at.X + at.b1[0, 0], (1, at.m)))),
        (same("one b for all units", NET, lambda at: (at.W1 @ at.X + at.b1[0, 0], at.Z1)),),
        "with a b_i for every unit",
    ),
    Row(
        "F089", "N3 L222-234", "shapes of a shallow net",
        "A[1] (I x m); z[2] (1 x I)(I x m); dz[2] (1 x m); dw[2] (1 x I); dz[1] (I x m)", HOLDS,
        (
            shaped("A1", NET,
                lambda at: (at.A1, (at.n_1, at.m))), shaped("Z2", NET, lambda at: (at.W2 @ at.A1, (1, at.m))),
            shaped("dZ2", NET, lambda at: (at.A2 - at.Y, (1, at.m))),
            shaped("dW2", NET, lambda at: (at.dZ2 @ at.A1.T, (1, at.n_1))),
            shaped("dZ1", NET, lambda at: (at.W2.T @ at.dZ2, (at.n_1, at.m))),
        ),
        (shaped("dW2 is (I, 1)", NET, lambda at: (at.dZ2 @ at.A1.T, (at.n_1, 1))),),
    ),
    Row(
        "F090", "N0 L403; N1 L168", "cost of a shallow net", "J = 1/m sum L(yhat[i], y[i]); N1: yhat_i", MISPRINT,
        (formula("J = -1/m * np.sum(Y*np.log(A2) + (1 - Y)*np.log(1 - A2))", NET),),
        (same("a sum over layers 1, 2", NET, lambda at: (
            -np.sum(at.Y[:, :2] * np.log(at.A2[:, :2]) + (1 - at.Y[:, :2]) * np.log(1 - at.A2[:, :2])) / 2, at.J)),),
        "J = 1/m sum L(yhat(i), y(i)): round brackets are examples", "misprint",
    ),
    Row(
        "F091", "N0 L405-423", "repeat until it converges",
        "repeat: yhat; dw, db; w := w - alpha dw, b := b - alpha db; until converging", HOLDS,
        (formula("W1 = W1 - alpha * dW1\nb1 = b1 - alpha * db1\nW2 = W2 - alpha * dW2\nb2 = b2 - alpha * db2", NET),),
        (formula("W1 = W1 - dW1", NET, cause="learning-rate-missing"),),
    ),
    Row(
        "F092", "N1 L111", "update, misprinted", "W^(t+1) := W^(t,1) - alpha L W^(t,1)", MISPRINT,
        (formula("W1 := W1 - alpha * dW1", NET),),
        (formula("W1 := W1 - alpha * J * W1", NET),),
        "W[1] := W[1] - alpha dW[1]", "misprint",
    ),
)  # fmt: skip
"""Rows of the errata."""
