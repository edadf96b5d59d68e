"""Shallow networks, backward: F093 to F121."""

from __future__ import annotations

import numpy as np

from manual import jacobians
from manual.activations import tanh, tanh_prime
from parity_tests.notes import snippets
from parity_tests.notes.check_kinds import At, Value, experiment, formula, same, shaped, snippet
from parity_tests.notes.row import CONVENTION, HOLDS, MISPRINT, WRONG, Row
from parity_tests.notes.training import without_average

NET, WIDE = "shallow", "multilabel"


def slope(at: At) -> Value:
    """g'(Z1)."""
    return tanh_prime(at.Z1)


def one_example(at: At) -> dict[str, Value]:
    """The gradients of the first example alone, as N1 lists them."""
    x, a1, dz2 = at.X[:, :1], at.A1[:, :1], at.A2[:, :1] - at.Y[:, :1]
    dz1 = at.W2.T @ dz2 * slope(at)[:, :1]
    return {"dz2": dz2, "dW2": dz2 @ a1.T, "dz1": dz1, "dW1": dz1 @ x.T}


def summed_over_examples(at: At) -> Value:
    """The average over the examples of dW1 of one example."""
    total = np.zeros_like(at.W1)
    for i in range(at.m):
        total += (at.W2.T @ (at.A2 - at.Y)[:, i : i + 1] * slope(at)[:, i : i + 1]) @ at.X[:, i : i + 1].T
    return total / at.m


def unit_row(at: At, j: int) -> Value:
    """N3's sum for row j of dW1: (a2 - y) w_j g'(z_j) x, averaged."""
    return np.sum((at.A2 - at.Y) * at.W2[0, j] * slope(at)[j] * at.X, axis=1) / at.m


def columns_of_units(at: At) -> Value:
    """N3's matrix for the first example: columns x w_k g'(z_k)."""
    return at.X[:, :1] @ (at.W2.T * slope(at)[:, :1]).T


ROWS = (
    Row(
        "F093", "N0 L399", "chain rule through the hidden layer", "dL/dz[2] = dL/dz[1] dz[2]/da[1] da[1]/dz[1]", WRONG,
        (formula("dZ1 = W2.T @ dZ2 * g1'(Z1)", NET),),
        (same("dL/dz[2] from dL/dz[1]", NET,
            lambda at: (np.sum(at.W2.T * slope(at) * at.dZ1, axis=0, keepdims=True), at.dZ2)),),
        "dL/dz[1] = dL/dz[2] dz[2]/da[1] da[1]/dz[1]", "left-side",
    ),
    Row(
        "F094", "N1 L126", "dL/dz = dL/da da/dz", "dz/dz = dz/da da/dz", MISPRINT,
        (formula("dz = da * g'", "sigmoid"),),
        (same("dL/dz = 1, as dz/dz is", "sigmoid", lambda at: (np.ones_like(at.z), at.dz)),),
        "dL/dz = dL/da da/dz", "misprint",
    ),
    Row(
        "F095", "N1 L124, 128; N2 L128, 150", "dz = da g'(z)", "dz = da g'(z), entry by entry", HOLDS,
        (formula("dz = da * g'", "sigmoid"), formula("dz = da * g'", "tanh")),
        (formula("dZ1 = dA1 @ g1'(Z1)", NET, cause="star-for-matmul"),),
    ),
    Row(
        "F096", "N1 L142-152; N0 L446-457", "backward pass, one example",
        "one example: dz[2] = a[2] - y, dW[2] = dz[2] a[1]^T, dz[1] = W[2]^T dz[2] * g'(z[1]), dW[1] = dz[1] x^T",
        HOLDS,
        (
            same("averaged over the examples they are dW1", NET, lambda at: (summed_over_examples(at), at.dW1)),
            same("dz[1] is a column of dZ1", NET, lambda at: (one_example(at)["dz1"], at.dZ1[:, :1])),
        ),
        (same("one example's dW1 is that of all", NET, lambda at: (one_example(at)["dW1"], at.dW1)),),
    ),
    Row(
        "F097", "N0 L451", "dW^[2] for one example", "dw[2] = a[1]^T dz[2]", WRONG,
        (formula("dW2 = 1/m * dZ2 @ A1.T", WIDE), snippet(snippets.outer_product, [[2, 4, 6, 8], [3, 6, 9, 12]])),
        (formula("dW2 = 1/m * A1.T @ dZ2", WIDE, cause="operand-order"),
         snippet(snippets.outer_product_swapped, [[2, 4, 6, 8], [3, 6, 9, 12]], cause="ValueError")),
        "dw[2] = dz[2] a[1]^T",
    ),
    Row(
        "F098", "N0 L427-431; N1 L154-158; N3 L228-232; N2 L105", "output layer: dZ, dW, db",
        "dZ[2] = A[2] - Y; dW[2] = 1/m dZ[2] A[1]^T; db[2] = 1/m np.sum(dZ[2], axis=1, keepdims=True)", HOLDS,
        (formula("dZ2 = A2 - Y\ndW2 = 1/m * dZ2 @ A1.T\ndb2 = 1/m * np.sum(dZ2, axis=1, keepdims=True)", NET),
         formula("dZ2 = A2 - Y\ndW2 = 1/m * dZ2 @ A1.T\ndb2 = 1/m * np.sum(dZ2, axis=1, keepdims=True)", WIDE)),
        (formula("dZ2 = Y - A2", NET, cause="sign"), formula("dW2 = dZ2 @ A1.T", NET, cause="missing-1/m")),
    ),
    Row(
        "F099", "N0 L433; N1 L160; N3 L234", "dZ^[1] = W^[2]T dZ^[2] * g'(Z^[1])",
        "dZ[1] = W[2]^T dZ[2] * g[1]'(Z[1])", HOLDS,
        (formula("dZ1 = W2.T @ dZ2 * g1'(Z1)", NET),),
        (formula("dZ1 = W2.T @ dZ2", NET, cause="gprime-missing"),
         formula("dZ1 = W2.T @ dZ2 * g1'(A1)", NET, cause="gprime-at-a")),
    ),
    Row(
        "F100", "N0 L435; N3 L236", "dW^[1], 1/m missing", "dW[1] = dZ[1] X^T, in the block for m examples", WRONG,
        (formula("dW1 = 1/m * dZ1 @ X.T", NET),),
        (
            formula("dW1 = dZ1 @ X.T", NET, cause="missing-1/m"),
            experiment("the mistake shows in training: J stays above the right one's", without_average,
                       lambda run: run.written > run.right, "J {written:.4f} as written, {right:.4f} with 1/m"),
        ),
        "dW[1] = 1/m dZ[1] X^T",
    ),
    Row(
        "F101", "N0 L437", "db^[1], 1/m missing", "db[1] = np.sum(dZ[1], axis=1, keepdims=True)", WRONG,
        (formula("db1 = 1/m * np.sum(dZ1, axis=1, keepdims=True)", NET),),
        (formula("db1 = np.sum(dZ1, axis=1, keepdims=True)", NET, cause="missing-1/m"),),
        "db[1] = 1/m np.sum(dZ[1], axis=1, keepdims=True)",
    ),
    Row(
        "F102", "N3 L238", "db^[1], sum missing", "db[1] = dz[1], in the block for m examples", WRONG,
        (formula("db1 = 1/m * np.sum(dZ1, axis=1, keepdims=True)", NET),),
        (formula("db1 = dZ1", NET, cause="db-not-summed + missing-1/m"),
         shaped("b - alpha dz stays (n_1, 1)", NET, lambda at: (at.b1 - at.alpha * at.dZ1, (at.n_1, 1)))),
        "db[1] = 1/M sum_i dz[1](i)",
    ),
    Row(
        "F103", "N1 L163-165", "dW^[1] and db^[1] with 1/m",
        "dW[1] = 1/m dZ[1] X^T, db[1] = 1/m np.sum(dZ[1], axis=1, keepdims=True)", HOLDS,
        (formula("dW1 = 1/m * dZ1 @ X.T\ndb1 = 1/m * np.sum(dZ1, axis=1, keepdims=True)", NET),),
        (formula("db1 = 1/m * np.sum(dZ1, axis=1)", NET, cause="keepdims-missing"),),
    ),
    Row(
        "F104", "N3 L236", "shape of dW^[1]", "dw[1] is (n_x x I) = (I x m)(n_x x m)^T", WRONG,
        (shaped("(I x n_x)", NET, lambda at: (at.dZ1 @ at.X.T, (at.n_1, at.n_x))),),
        (shaped("(n_x x I)", NET, lambda at: (at.dZ1 @ at.X.T, (at.n_x, at.n_1))),),
        "(I x n_x)", "shape",
    ),
    Row(
        "F105", "N3 L232", "db^[2] is a mean over columns", "db[2] = 1/M sum_i dz[2]", HOLDS,
        (formula("db2 = 1/m * np.sum(dZ2, axis=1, keepdims=True)", WIDE),),
        (formula("db2 = 1/m * np.sum(dZ2)", WIDE, cause="db-summed-over-all"),),
    ),
    Row(
        "F106", "N1 L117", "dz^[1], indices misprinted",
        "dz(1) = W(1)^T dz(2) x g(1)(z(1)), W^T is (n(1), m)", MISPRINT,
        (formula("dZ1 = W2.T @ dZ2 * g1'(Z1)", WIDE),),
        (formula("dZ1 = W1.T @ dZ2 * g1(Z1)", WIDE, cause="wrong-layer + g-for-gprime"),
         formula("dZ1 = W2.T @ dZ2 * g1(Z1)", WIDE, cause="g-for-gprime")),
        "dZ[1] = W[2]^T dZ[2] * g[1]'(Z[1])", "wrong-layer + g-for-gprime",
    ),
    Row(
        "F107", "N1 L119", "db in NumPy, misprinted", "db = 1/n np-sum(dz, out=1, keepdims=True)", MISPRINT,
        (formula("db1 = 1/m * np.sum(dZ1, axis=1, keepdims=True)", NET), snippet(snippets.bias_sum, [[2.0], [5.0]])),
        (snippet(snippets.bias_sum_as_written, [[2.0], [5.0]], cause="TypeError"),),
        "db[1] = 1/m np.sum(dZ[1], axis=1, keepdims=True)", "code",
    ),
    Row(
        "F108", "N2 L107", "dW^[2], layers mixed up", "dW[2] = dz[1] x_1(i) + dz[1] x_2(i)", WRONG,
        (formula("dW2 = 1/m * dZ2 @ A1.T", NET),),
        (shaped("dz[1] x_1 + dz[1] x_2 is as dW[2]", NET,
                lambda at: (at.dZ1[:, :1] * at.X[0, 0] + at.dZ1[:, :1] * at.X[1, 0], (1, at.n_1))),
         formula("dW2 = dZ1 @ X.T", NET)),
        "dW[2] = 1/m sum_i dz[2](i) a[1](i)^T", "wrong-layer",
    ),
    Row(
        "F109", "N2 L128-130, 150-152", "dz^[2] and dW^[2] mixed up",
        "dz = dL/da da/dz = (a - y) A[1]; = (a - y) W A[1]", WRONG,
        (formula("dZ2 = A2 - Y\ndW2 = 1/m * (A2 - Y) @ A1.T", NET),),
        (formula("dZ2 = (A2 - Y) * A1", NET, cause="extra-factor"),
         formula("dZ2 = (A2 - Y) * (W2 @ A1)", NET, cause="extra-factor")),
        "dz = a - y; dW[2] = 1/m (a - y) A[1]^T",
    ),
    Row(
        "F110", "N2 L142", "dW^[2] under another name", "dz[2] = (A[2] - Y)/n A[1]^T", MISPRINT,
        (formula("dW2 = (A2 - Y) / m @ A1.T", NET),),
        (formula("dZ2 = (A2 - Y) / m @ A1.T", NET),),
        "dW[2] = (A[2] - Y)/m A[1]^T", "left-side",
    ),
    Row(
        "F111", "N2 L144", "db^[2], n for m", "db[2] = 1/n np.sum(dz[2], axis=1, keepdims=True)", CONVENTION,
        (formula("db2 = 1/m * np.sum(A2 - Y, axis=1, keepdims=True)", NET),),
        (formula("db2 = 1/m * np.sum((A2 - Y)/m, axis=1, keepdims=True)", NET, cause="double-1/m"),),
        "n is m, and dz[2] has no 1/m of its own yet",
    ),
    Row(
        "F112", "N2 L146", "dW^[1] as a chain, order lost",
        "dL/dW[1] = dz[2] W[2]^T g'(Z[1]) X^T, as a chain without dz[2]/da[1]", WRONG,
        (formula("dW1 = 1/m * (W2.T @ dZ2 * g1'(Z1)) @ X.T", NET),),
        (same("the chain as matrix products", NET, lambda at: (at.dZ2 @ at.W2.T @ slope(at) @ at.X.T / at.m, at.dW1),
              cause="ValueError"),),
        "dW[1] = 1/m (W[2]^T dZ[2] * g'(Z[1])) X^T", "operand-order",
    ),
    Row(
        "F113", "N2 L156", "dW^[1] under the name of dW^[2]",
        "dL/dW[2] = ... dz[1]/dW[1], with W[2]^T g[1](z[1]) X = A[2]", WRONG,
        (formula("dW1 = 1/m * (W2.T @ dZ2 * g1'(Z1)) @ X.T", NET),),
        (shaped("dz[1]/dW[1] ends in something like W[2]", NET, lambda at: (at.dZ1 @ at.X.T, at.W2.shape)),
         same("W[2]^T g(z[1]) X = A[2]", NET, lambda at: (at.W2 @ at.A1 @ at.X.T, at.A2)),
         formula("dW1 = 1/m * (W2.T @ dZ2 * g1(Z1)) @ X.T", NET, cause="g-for-gprime")),
        "dL/dW[1] = (W[2]^T dz[2] * g'(z[1])) X^T", "left-side",
    ),
    Row(
        "F114", "N2 L172", "dW^[1], transpose missing", "dL/dW[1] = ... W[2]^T g'(z[1]) X = A[2]", MISPRINT,
        (formula("dW1 = 1/m * (W2.T @ dZ2 * g1'(Z1)) @ X.T", NET),),
        (formula("dW1 = 1/m * (W2.T @ dZ2 * g1'(Z1)) @ X", NET, cause="transpose-missing"),),
        "dL/dW[1] = (W[2]^T dz[2] * g'(z[1])) X^T, and no A[2]",
    ),
    Row(
        "F115", "N2 L154", "dZ/dW as a quotient", "dZ/dW = A[1] W[1] / W[2]", WRONG,
        (same("dZ_ke/dW_kj = A_prev[j, e]", NET,
              lambda at: (np.einsum("ki,je->keij", np.eye(at.n_2), at.A1), jacobians.dZ_dW(at.A1, at.n_2))),),
        (same("A[1] W[1] / W[2]", NET, lambda at: (at.A1 @ at.W1 / at.W2, at.A1), cause="ValueError"),),
        "dZ[2]_ke/dW[2]_kj = A[1]_je", "wrong-symbol",
    ),
    Row(
        "F116", "N2 L178", "dz^[1] needs W^T", "dz_1[2] = W[2] dz[1], (n2, n1)(n2, 1) -> (n2, 1)", WRONG,
        (formula("dZ1 = W2.T @ dZ2 * g1'(Z1)", WIDE),),
        (formula("dZ2 = W2 @ dZ1", WIDE),
         shaped("(n2, n1)(n2, 1)", WIDE, lambda at: (at.W2 @ at.dZ2[:, :1], (at.n_2, 1)), cause="ValueError")),
        "dz[1] = W[2]^T dz[2] * g'(z[1]): (n1, n2)(n2, 1) -> (n1, 1)", "left-side",
    ),
    Row(
        "F117", "N2 L180", "dz = g'(z) * dz, layer missing",
        "dz_1[2] = [g'(z_j[1])] * [dz_j[1]], 'elementwise' with the shapes (n2, n1)(n2, 1)", WRONG,
        (formula("dZ1 = dA1 * g1'(Z1)", WIDE),),
        (formula("dZ2 = g1'(Z1) * dZ1", WIDE),),
        "dz[1] = g'(z[1]) * da[1], both (n1, 1)", "left-side",
    ),
    Row(
        "F118", "N3 L245-249", "dJ/dw_j by units",
        "dJ/dw_j(1) = 1/M sum_i (a(2) - y) [w_j(2) g'(z_j(1))] x", CONVENTION,
        (same("it is row j of dW1", NET, lambda at: (unit_row(at, 1), at.dW1[1])),),
        (same("it is the row of another unit", NET, lambda at: (unit_row(at, 1), at.dW1[0])),),
        "(1) and (2) are layers here; g'_i, z_i mean unit j", "name-clash",
    ),
    Row(
        "F119", "N3 L251", "dW^[1] by entries, transposed", "dW(1) = [x_1 w_1(2) g'_1 ... x_1 w_n(2) g'_n; ...]", WRONG,
        (same("transposed, times (a - y): dW1 of one example", NET,
              lambda at: (columns_of_units(at).T * at.dZ2[0, 0], one_example(at)["dW1"])),),
        (shaped("it has the shape of W1", NET, lambda at: (columns_of_units(at), (at.n_1, at.n_x))),
         same("transposed, it is dW1 of one example", NET,
             lambda at: (columns_of_units(at).T, one_example(at)["dW1"]))),
        "its transpose, times (a - y), averaged over the examples", "transpose-missing + missing-factor",
    ),
    Row(
        "F120", "N0 L439-444; N1 L130", "graph forward and backward",
        "X -> z[1] -> a[1] = sigma(z[1]) -> z[2] -> a[2] = sigma(z[2]) -> L", HOLDS,
        (same("the graph, with tanh below", NET, lambda at: (1 / (1 + np.exp(-(at.W2 @ tanh(at.Z1) + at.b2))), at.A2)),
         formula("dZ1 = dA1 * g1'(Z1)\ndA1 = W2.T @ dZ2\ndZ2 = dA2 * g2'(Z2)", NET)),
        (formula("dZ1 = dA2 * g1'(Z1)", NET),),
    ),
    Row(
        "F121", "N0 L421; N4 L269", "* works entry by entry", "* multiplies entry by entry", HOLDS,
        (formula("dZ1 = W2.T @ dZ2 * g1'(Z1)", NET),),
        (formula("dW2 = 1/m * dZ2 * A1.T", NET, cause="star-for-matmul"),),
    ),
)  # fmt: skip
"""Rows of the errata."""
