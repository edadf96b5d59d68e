"""Vectorisation and broadcasting: F034 to F062."""

from __future__ import annotations

import numpy as np

from manual import vectorization
from parity_tests.notes import snippets
from parity_tests.notes.check_kinds import experiment, formula, same, shaped, snippet
from parity_tests.notes.descent import loop_times, torch_trajectory
from parity_tests.notes.row import CONVENTION, HOLDS, MISPRINT, WRONG, Row

ALL = "logistic"
EXPONENTIALS = np.array([[1.0], [np.e], [np.e**2]])

ROWS = (
    Row(
        "F034", "N0 L87; N4 L3-5", "x and w are columns of n_x entries",
        "X, w in R^(n x 1); x, w in R^(n_x), b in R", CONVENTION,
        (shaped("w and a column of X are (n_x, 1)", ALL, lambda at: (at.w + at.X[:, :1], (at.n_x, 1))),),
        (shaped("X is (n_x, 1)", ALL, lambda at: (at.X, (at.n_x, 1))),),
        "one example is x; X holds all of them",
    ),
    Row(
        "F035", "N0 L91-97", "loop over the features of one unit",
        "z = 0; for i in range(n_x): z += w[i] * x[i]; z += b", HOLDS,
        (formula("z = 0\nfor i in range(n_x):\n    z += w[i, 0] * x[i, 0]\nz += b", "logistic-one"),),
        (same("z = w[i] * x[i]: the last product is kept", "logistic-one",
              lambda at: (at.w[-1, 0] * at.x[-1, 0] + at.b, at.z)),),
    ),
    Row(
        "F036", "N0 L121-125", "one unit as one product", "w^T x + b is np.dot(w, x) + b", CONVENTION,
        (
            formula("z = np.dot(w.T, x) + b", "logistic-one"),
            same("flat arrays need no transpose", "logistic-one",
                 lambda at: (np.dot(at.w[:, 0], at.x[:, 0]) + at.b, at.z)),
        ),
        (formula("z = np.dot(w, x) + b", "logistic-one", cause="transpose-missing"),),
        "for columns (n_x, 1): np.dot(w.T, x) + b; as written for flat arrays alone",
    ),
    Row(
        "F037", "N0 L101-111", "matrix times vector as two loops", "u = A v: u_i = sum_j A_ij v_j, in two loops", HOLDS,
        (same("the loops give A v", "shallow", lambda at: (vectorization.matrix_vector_loop(at.W1, at.X[:, :1]),
                                                           at.W1 @ at.X[:, :1])),),
        (same("A^T v: sum_i A_ij v_i", "shallow", lambda at: (at.W1.T @ at.X[:, :1], at.W1 @ at.X[:, :1])),),
    ),
    Row(
        "F038", "N0 L105, 115, 473", "np.zeros takes a tuple", "u = np.zeros(n, 1)", WRONG,
        (snippet(snippets.zeros, np.zeros((4, 1))),),
        (snippet(snippets.zeros_as_written, np.zeros((4, 1)), cause="TypeError"),),
        "u = np.zeros((n, 1)): the shape is one argument", "code",
    ),
    Row(
        "F039", "N0 L113-117, 150-154", "functions entry by entry",
        "u = np.exp(v); np.log(v); np.abs(v), entry by entry", HOLDS,
        (
            same("np.exp in one call and in a loop", "",
                 lambda at: (np.exp(np.arange(3.0).reshape(3, 1)), EXPONENTIALS)),
            same("np.log undoes it", "", lambda at: (np.log(EXPONENTIALS), np.arange(3.0).reshape(3, 1))),
        ),
        (same("np.exp is a power of 2", "", lambda at: (np.exp2(np.arange(3.0).reshape(3, 1)), EXPONENTIALS)),),
    ),
    Row(
        "F040", "N0 L156", "np.maximum, not max", "max(v, 0), among NumPy's functions of every entry", WRONG,
        (snippet(snippets.maximum, [0.0, 0.5, 2.0]),),
        (
            snippet(snippets.maximum_as_written, [0.0, 0.5, 2.0], cause="ValueError"),
            snippet(snippets.maximum_of_axis, [0.0, 0.5, 2.0]),
        ),
        "np.maximum(v, 0); np.max(v, 0) is the largest entry", "code",
    ),
    Row(
        "F041", "N0 L99, 127-135", "loops are slow",
        "loops are slow; CPU and GPU do many entries in one instruction", HOLDS,
        (experiment("np.dot is at least 5 times as fast", loop_times, lambda run: run.loop > 5 * run.vectorised,
                    "20000 products: {loop:.2g} s in a loop, {vectorised:.2g} s in np.dot"),),
        (experiment("the loop is as fast", loop_times, lambda run: run.loop < 2 * run.vectorised,
                    "20000 products: {loop:.2g} s in a loop, {vectorised:.2g} s in np.dot"),),
    ),
    Row(
        "F042", "N0 L139-146", "avoid loops where possible", "avoid a for loop whenever necessary", MISPRINT,
        truth="whenever possible", cause="misprint", unchecked="advice",
    ),
    Row(
        "F043", "N0 L158-169", "dw as one column", "dw = np.zeros((n_x, 1)); dw += x(i) dz(i); dw = dw/m", HOLDS,
        (formula("dw = np.zeros((n_x, 1))\nfor i in range(m):\n    dz = sigmoid(w.T @ X[:, i:i+1] + b) - Y[:, i:i+1]\n"
                 "    dw += X[:, i:i+1] * dz\ndw = dw / m", "logistic-loop"),),
        (same("dw = x(i) dz(i): the last example is kept", ALL,
              lambda at: (at.X[:, -1:] * at.dZ[:, -1:] / at.m, at.dw)),),
    ),
    Row(
        "F044", "N0 L183-187; N1 L60; N3 L97, 103; N4 L55, 110", "examples are the columns of X",
        "X = [x(1) ... x(m)] in R^(n_x x m)", CONVENTION,
        (shaped("the examples are columns", ALL, lambda at: (np.hstack([at.X[:, i:i + 1] for i in range(at.m)]),
                                                             (at.n_x, at.m))),),
        (shaped("the examples are rows, as in PyTorch", ALL, lambda at: (at.X, (at.m, at.n_x))),),
        "examples are columns; PyTorch has them as rows",
    ),
    Row(
        "F045", "N3 L99-103; N0 L210; N4 L132", "targets are a row Y",
        "Y = [y(1) ... y(m)] in R^(1 x m), y in {0, 1}", HOLDS,
        (
            shaped("Y is (1, m)", ALL, lambda at: (at.Y, (1, at.m))),
            same("Y (1 - Y) = 0", ALL, lambda at: (at.Y * (1 - at.Y), np.zeros((1, at.m)))),
        ),
        (shaped("Y is (m, 1)", ALL, lambda at: (at.Y, (at.m, 1))),),
    ),
    Row(
        "F046", "N4 L57", "examples are numbered 1 to m", "i in [1, m], a part of N+", HOLDS,
        (same("the sum over i = 1..m", ALL,
              lambda at: (sum(at.dZ[0, i - 1] for i in range(1, at.m + 1)) / at.m, at.db)),),
        (same("the sum over range(1, m)", ALL,
              lambda at: (sum(at.dZ[0, i - 1] for i in range(1, at.m)) / at.m, at.db)),),
    ),
    Row(
        "F047", "N0 L198-202; N3 L172; N4 L116-120", "Z = w^T X + b for all examples",
        "Z = w^T X + [b ... b] = np.dot(w.T, X) + b, (1 x m)", HOLDS,
        (formula("Z = np.dot(w.T, X) + b", ALL), formula("Z = w.T @ X + b * np.ones((1, m))", ALL)),
        (formula("Z = np.dot(w, X) + b", ALL, cause="transpose-missing"),),
    ),
    Row(
        "F048", "N0 L189-196; N3 L174; N4 L122-131", "A = sigma(Z) for all examples",
        "A = [a(1) ... a(m)] = sigma(Z)", HOLDS,
        (formula("A = sigma(Z)", ALL), formula("A = 1/(1 + np.exp(-Z))", ALL)),
        (formula("A = sigma(A)", ALL),),
    ),
    Row(
        "F049", "N0 L208", "A ends with example m", "A = [a(1) ... a(n)]", MISPRINT,
        (shaped("A = [a(1) ... a(m)]", ALL, lambda at: (at.A, (1, at.m))),),
        (shaped("A = [a(1) ... a(n)]", ALL, lambda at: (at.A, (1, at.n_x)), cause=""),),
        "A = [a(1) ... a(m)]", "index",
    ),
    Row(
        "F050", "N0 L204-212; N3 L177; N4 L148", "dZ = A - Y", "dZ = A - Y, (1 x m)", CONVENTION,
        (formula("dZ = A - Y", ALL),),
        (formula("dZ = (A - Y) / m", ALL, cause="double-1/m"),),
        "per example: dZ is the derivative of L(i); that of J is dZ/m",
    ),
    Row(
        "F051", "N0 L214-216; N4 L134, 153", "db = (1/m) sum dZ", "db = 1/m sum dz(i) = 1/m np.sum(dZ)", HOLDS,
        (formula("db = 1/m * np.sum(dZ)", ALL),),
        (formula("db = np.sum(dZ)", ALL, cause="missing-1/m"),),
    ),
    Row(
        "F052", "N3 L182", "db must be summed", "dB = 1/M dz -> (1, 1)", WRONG,
        (formula("db = 1/m * np.sum(dZ)", ALL),),
        (formula("db = 1/m * dZ", ALL, cause="db-not-summed"),
         shaped("1/M dz is (1, 1)", ALL, lambda at: (at.dZ / at.m, (1, 1)))),
        "db = 1/M sum_i dz(i)",
    ),
    Row(
        "F053", "N0 L218-222; N3 L179; N4 L150", "dw = (1/m) X dZ^T", "dw = 1/m X dZ^T", HOLDS,
        (formula("dw = 1/m * X @ dZ.T", ALL), formula("dw = 1/m * np.dot(X, dZ.T)", ALL)),
        (formula("dw = 1/m * X @ dZ", ALL, cause="transpose-missing"),),
    ),
    Row(
        "F054", "N3 L179", "shape of dw", "dW is (n_x x m) = (n_x x m)(1 x m)^T", WRONG,
        (shaped("dW is (n_x x 1)", ALL, lambda at: (at.X @ at.dZ.T / at.m, (at.n_x, 1))),),
        (shaped("dW is (n_x x m)", ALL, lambda at: (at.X @ at.dZ.T / at.m, (at.n_x, at.m))),),
        "(n_x x 1) = (n_x x m)(1 x m)^T", "shape",
    ),
    Row(
        "F055", "N4 L136", "dw, 1/m missing in between",
        "dw = 1/m [...][...] = [x(1) dz(1) + ... + x(m) dz(m)] = 1/m X dz^T", WRONG,
        (formula("dw = 1/m * np.sum(X * dZ, axis=1, keepdims=True)", ALL),),
        (formula("dw = np.sum(X * dZ, axis=1, keepdims=True)", ALL, cause="missing-1/m"),),
        "dw = 1/m [x(1) dz(1) + ... + x(m) dz(m)]",
    ),
    Row(
        "F056", "N0 L224-246; N4 L138-157", "gradient descent without inner loops",
        "for 1000 iterations: Z, A, dZ, dw, db, then w and b", HOLDS,
        (same("100 steps, beside torch.optim.SGD", "", lambda at: torch_trajectory(at.rng, 0.1)),),
        (same("100 steps with half the learning rate", "", lambda at: torch_trajectory(at.rng, 0.05)),),
    ),
    Row(
        "F057", "N0 L250-253", "sums along an axis",
        "A.sum(axis=0) sums down the columns, axis=1 along the rows", HOLDS,
        (snippet(snippets.sum_of_columns, [5, 7, 9]), snippet(snippets.sum_of_rows, [6, 15])),
        (snippet(snippets.sum_of_columns, [6, 15]),),
    ),
    Row(
        "F058", "N0 L255", "percentages by columns", "percentage = 100 * A / cal.reshape(1, 4)", HOLDS,
        (snippet(snippets.percentages, [100.0] * 4),),
        (snippet(snippets.percentages_of_rows, [100.0] * 4, cause="ValueError"),),
    ),
    Row(
        "F059", "N0 L258-260", "reshape costs nothing",
        "reshape is cheap to call, and says which shape is meant", HOLDS,
        (snippet(snippets.reshape_is_a_view, True),),
        (snippet(snippets.copy_is_a_view, True),),
    ),
    Row(
        "F060", "N0 L262", "column plus number", "[1, 2, 3, 4]^T + 100 = [101, 102, 103, 104]^T", HOLDS,
        (snippet(snippets.column_and_number, [[101], [102], [103], [104]]),),
        (snippet(snippets.column_and_number, [[101], [2], [3], [4]]),),
    ),
    Row(
        "F061", "N0 L264", "matrix plus row", "(2, 3) + (1, 3): [[101, 202, 303], [104, 205, 306]]", HOLDS,
        (snippet(snippets.matrix_and_row, [[101, 202, 303], [104, 205, 306]]),),
        (snippet(snippets.matrix_and_row, [[101, 102, 103], [204, 205, 206]]),),
    ),
    Row(
        "F062", "N0 L266", "matrix plus column", "(2, 3) + (2, 1): [[101, 102, 103], [204, 205, 206]]", HOLDS,
        (snippet(snippets.matrix_and_column, [[101, 102, 103], [204, 205, 206]]),),
        (snippet(snippets.matrix_and_column, [[101, 202, 303], [104, 205, 306]]),
         snippet(snippets.matrix_and_flat_column, [[101, 102, 103], [204, 205, 206]], cause="ValueError")),
    ),
)  # fmt: skip
"""Rows of the errata."""
