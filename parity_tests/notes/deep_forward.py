"""Deep networks, forward: F148 to F162."""

from __future__ import annotations

import numpy as np

from manual.activations import tanh
from manual.architecture import model
from parity_tests.notes.check_kinds import At, Value, count, formula, same, shaped
from parity_tests.notes.row import AMBIGUOUS, CONVENTION, HOLDS, MISPRINT, WRONG, Row

NET, LAYER = "deep", "layer"
EXAMPLE = model("deep", 3, 1)
WEIGHTS = tuple(shape for name, shape in EXAMPLE.parameter_shapes.items() if name.startswith("W"))
FORWARD = "Z1 = W1 @ X + b1\nA1 = g1(Z1)\nZ2 = W2 @ A1 + b2\nA2 = g2(Z2)\nZ3 = W3 @ A2 + b3\nA3 = g3(Z3)"


def unit_by_unit(at: At) -> Value:
    """a_j = g(w_j^T a_prev + b_j), one unit after the other."""
    return np.vstack([tanh(at.W[j : j + 1] @ at.A_prev + at.b[j, 0]) for j in range(at.n)])


ROWS = (
    Row(
        "F148", "N0 L488-492", "sizes of a deep net", "L = 4; n[1] = 5, n[2] = 5, n[3] = 3, n[4] = 1", HOLDS,
        (count("W has the shapes (5, 3), (5, 5), (3, 5), (1, 3)", lambda: (WEIGHTS, ((5, 3), (5, 5), (3, 5), (1, 3)))),
         count("72 parameters", lambda: (sum(int(np.prod(shape)) for shape in EXAMPLE.parameter_shapes.values()), 72))),
        (count("W is (n_(l-1), n_l)", lambda: (WEIGHTS, ((3, 5), (5, 5), (5, 3), (3, 1)))),),
    ),
    Row(
        "F149", "N0 L500", "n^[0] is n_x", "n[2] = n_x = 3", MISPRINT,
        (count("n[0] = n_x = 3", lambda: (EXAMPLE.inputs, 3)),),
        (count("n[2] = 3", lambda: (EXAMPLE.parameter_shapes["W2"][0], 3)),),
        "n[0] = n_x = 3", "index",
    ),
    Row(
        "F150", "N0 L490-498; N2 L56; N4 L108", "symbols of layer l",
        "n[L] units, a[L] = g[L](z[L]), W[L] weights for z[L]", HOLDS,
        (shaped("W2 is for Z2: (n_2, n_1)", NET, lambda at: (at.W2, (at.n_2, at.n_1))), formula("A2 = g2(Z2)", NET)),
        (formula("A2 = g2(Z1)", NET, cause="wrong-layer"),),
        "for every layer l; N0 prints L",
    ),
    Row(
        "F151", "N0 L504; N3 L259-261; N4 L190, 198-202, 221-229, 263", "forward pass of layer l",
        "Z[l] = W[l] A[l-1] + b[l], A[l] = g[l](Z[l])", HOLDS,
        (formula(FORWARD, NET), formula("Z = W @ A_prev + b\nA = g(Z)", LAYER)),
        (formula("Z2 = W2 @ X + b2", NET, cause="wrong-layer"),),
    ),
    Row(
        "F152", "N2 L54", "forward pass of layer l, W of the wrong layer", "z[l] = W[l-1] A[l-1] + b[l]", WRONG,
        (formula("Z2 = W2 @ A1 + b2", NET),),
        (formula("Z2 = W1 @ A1 + b2", NET, cause="wrong-layer"),),
        "z[l] = W[l] A[l-1] + b[l]; the shapes ticked beside it are W[l]'s",
    ),
    Row(
        "F153", "N0 L506, 532; N3 L263; N4 L112, 188", "shapes of W and b",
        "W, dW are (n_l, n_(l-1)); b, db are (n_l, 1)", HOLDS,
        (shaped("dW", LAYER, lambda at: (at.dZ @ at.A_prev.T, (at.n, at.n_prev))),
         shaped("db", LAYER, lambda at: (np.sum(at.dZ, axis=1, keepdims=True), (at.n, 1)))),
        (shaped("dW is (n_(l-1), n_l)", LAYER, lambda at: (at.dZ @ at.A_prev.T, (at.n_prev, at.n))),),
    ),
    Row(
        "F154", "N0 L528-530", "shapes of one layer", "(3, 1) = (3, 2)(2, 1) + (3, 1), for W[l] X + b[l]", HOLDS,
        (shaped("(3, 2)(2, 1) + (3, 1)", "",
            lambda at: (np.ones((3, 2)) @ np.ones((2, 1)) + np.ones((3, 1)), (3, 1))),),
        (shaped("(3, 2)(3, 1) + (3, 1)", "",
            lambda at: (np.ones((3, 2)) @ np.ones((3, 1)), (3, 1)), cause="ValueError"),),
        "l = 1",
    ),
    Row(
        "F155", "N4 L169", "W is shared by the examples",
        "W[l] is n[l] x n[l], the weights in layer l for a training example", MISPRINT,
        (shaped("W is (n_l, n_(l-1))", LAYER, lambda at: (at.W @ at.A_prev, (at.n, at.m))),),
        (shaped("W is (n_l, n_l)", LAYER,
            lambda at: (np.ones((at.n, at.n)) @ at.A_prev, (at.n, at.m)), cause="ValueError"),),
        "n[l] x n[l-1], shared by all examples", "shape",
    ),
    Row(
        "F156", "N0 L508-512; N4 L229", "shapes of z and Z",
        "z and a have the same dimension; vectorised (n[l], 1)", CONVENTION,
        (shaped("Z is (n_l, m)", LAYER,
            lambda at: (at.Z, (at.n, at.m))), shaped("so is A", LAYER, lambda at: (at.A, at.Z.shape))),
        (shaped("Z is (n_l, 1)", LAYER, lambda at: (at.Z, (at.n, 1))),),
        "(n_l, 1) for one example, (n_l, m) vectorised",
    ),
    Row(
        "F157", "N0 L514-519", "shapes of Z = W X + b",
        "z[l] = W[l] X + b[l] is (n_l, m), from (n_l, n_(l-1)) and (n_l, m)", WRONG,
        (shaped("(n_l, n_(l-1))(n_(l-1), m)", LAYER, lambda at: (at.W @ at.A_prev, (at.n, at.m))),),
        (shaped("(n_l, n_(l-1))(n_l, m)", LAYER, lambda at: (at.W @ at.A, (at.n, at.m)), cause="ValueError"),),
        "the third is (n_(l-1), m): A[l-1], which is X for l = 1", "shape",
    ),
    Row(
        "F158", "N3 L265", "shape of A", "A is (n(L), n(L-1))", WRONG,
        (shaped("A is (n_l, m)", LAYER, lambda at: (at.A, (at.n, at.m))),),
        (shaped("A is (n_l, n_(l-1))", LAYER, lambda at: (at.A, (at.n, at.n_prev))),),
        "A is (n[l], m)", "shape",
    ),
    Row(
        "F159", "N4 L229, 263, 344", "b is broadcast over the examples", "b[l] is n_h x m", CONVENTION,
        (shaped("b (n_l, 1) fits any number of examples", LAYER,
            lambda at: (at.W @ at.A_prev[:, :2] + at.b, (at.n, 2))),),
        (shaped("b (n_l, m) does too", LAYER, lambda at: (at.W @ at.A_prev[:, :2] + np.ones((at.n, at.m)), (at.n, 2)),
                cause="ValueError"),),
        "the parameter is (n_l, 1); broadcasting makes it (n_l, m)",
    ),
    Row(
        "F160", "N4 L114, 172-176, 184, 192", "w_j is a column",
        "w_j[l] is 1 x n[l-1]; (w_j[l])^T is 1 x n[l-1]", AMBIGUOUS,
        (shaped("w_j^T, a row of W, is (1, n_(l-1))", LAYER, lambda at: (at.W[:1], (1, at.n_prev))),),
        (shaped("w_j, its transpose, is too", LAYER, lambda at: (at.W[:1].T, (1, at.n_prev))),),
        "w_j is a column, w_j^T the row of W", "shape",
    ),
    Row(
        "F161", "N4 L178, 186, 192-196", "one unit of layer l",
        "a_j[l] = sigma((w_j[l])^T a[l-1] + b_j[l]); b[l] = [b_1[1] ...]", CONVENTION,
        (same("unit by unit", LAYER, lambda at: (unit_by_unit(at), at.A)),),
        (formula("Z2 = W2 @ A1 + b1", NET, cause="wrong-layer"),),
        "b[l] = [b_1[l] ...]",
    ),
    Row(
        "F162", "N0 L521-524; N4 L225", "the loop over the layers stays",
        "a loop over the layers is fine, and cannot be avoided", HOLDS,
        (formula("Z3 = W3 @ g2(W2 @ g1(W1 @ X + b1) + b2) + b3", NET),),
        (same("all layers in one product", NET, lambda at: (at.W3 @ at.W2 @ at.W1 @ at.X + at.b3, at.Z3)),),
    ),
)  # fmt: skip
"""Rows of the errata."""
