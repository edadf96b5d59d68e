"""Products of vectors and matrices, broadcasting, and how examples are laid out."""

from __future__ import annotations

import numpy as np

import manual.vectorization as by_hand
import torch_ref.vectorization as torch_side
from parity_tests.formulas.case import N_1, N_X, Case, normal
from parity_tests.formulas.formula import MATRIX, Code, Formula, Sharp, Words, code, probe, refusal
from parity_tests.judging import bounds


def _broadcast(name: str, formulas: str, A: list[list[float]], b: list[list[float]]) -> Case:
    """One of N0's sums, with the numbers of the notes."""
    return Case(
        f"vectorization.broadcast_{name}",
        formulas,
        inputs=lambda rng: {"A": np.array(A), "b": np.array(b)},
        manual=by_hand.broadcast_add,
        loop=by_hand.broadcast_add_loop,
        reference=torch_side.broadcast_add,
        bounds={"sum": lambda u, at: bounds.exact(u, at.sum)},
    )


B, W, X = np.zeros((4, 1)), np.ones((4, 2)), np.ones((2, 3))
"""Arrays to be refused."""


FORMULAS = (
    Formula(
        (code(by_hand, torch_side, "linear_unit", "F034 F035 F036"),),
        Words(
            "One unit as one product",
            r"z = w^{T} x + b = \sum_{j=1}^{n_x} w_j x_j + b",
            "The loop over the features adds up products of entries with the same index. Written as a row times a "
            "column it is one call, which runs in compiled code over contiguous memory.",
            "transpose-missing",
            "(n, 1) times (n, 1) raises; with flat arrays np.dot works, and hides that a transpose is due.",
            see="F041 F042",
        ),
        cases=(
            probe(
                lambda rng: {"w": normal(rng, N_1, 1), "x": normal(rng, N_1, 1), "b": float(rng.standard_normal())},
                {
                    "z": lambda u, at: bounds.gamma(N_1 + 2, u) * (float(np.sum(np.abs(at.w * at.x))) + abs(at.b)),
                },
            ),
        ),
        refusals=(
            refusal("x has shape (4, 1), expected (2, 1): x is a column as long as w", X[:, :1], W[:, :1], 0.0),
            refusal("w has shape (2, 3), expected (2, 1): w is a column", X, X, 0.0),
            refusal(f"w has shape (3,), {MATRIX}: w is a column", X[0], X[0], 0.0),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "matrix_vector", "F037 F038 F083"),),
        Words(
            "A matrix times a vector",
            r"u = A v, \qquad u_i = \sum_{j} A_{ij} v_j",
            "Row $i$ of $A$ against $v$ gives entry $i$. The inner sizes must agree, the outer ones are left: $(m, "
            "n)(n, p)$ gives $(m, p)$.",
            "star-for-matmul",
            "A * v broadcasts: the shape is that of A, and nothing was summed.",
            see="F039 F040",
        ),
        cases=(
            probe(
                lambda rng: {"A": normal(rng, N_1, N_X), "v": normal(rng, N_X, 1)},
                {"u": lambda u, at: bounds.product(u, at.A, at.v)},
                formulas="F037 F083",
            ),
        ),
        sharp=(Sharp(0.2, "of one entry", lambda rng: {"A": normal(rng, 5, 1), "v": normal(rng, 1, 1)}),),
        refusals=(
            refusal("v has shape (4, 1), expected (2, 1): v is a column with an entry per column of A", W, B),
            refusal(f"A has shape (2,), {MATRIX}: A is a matrix", W[0], B),
        ),
        uncompared={"F038": "a slip in code"},
    ),
    Formula(
        (code(by_hand, torch_side, "column_percentages", "F057 F058 F059"),),
        Words(
            "Sums along an axis: percentages by columns",
            r"P_{ij} = 100 \cdot \frac{A_{ij}}{\sum_k A_{kj}}",
            "axis=0 adds down the columns and leaves one number for each. As a row of shape $(1, n)$ it divides every "
            "row of $A$; reshape, or keepdims=True, makes sure that it is one.",
            "db-wrong-axis",
            "axis=1 adds along the rows: where A is square, the shapes fit and every number is wrong.",
        ),
        cases=(
            probe(
                lambda rng: {"A": rng.uniform(0.5, 140.0, (3, 4))},
                {"percentages": lambda u, at: bounds.rounded(u, at.percentages, 5)},
            ),
        ),
        sharp=(Sharp(0.1),),
        refusals=(refusal(f"A has shape (2,), {MATRIX}: A is a matrix", W[0]),),
    ),
    Formula(
        (code(by_hand, torch_side, "broadcast_add", "F060 F061 F062"),),
        Words(
            "Broadcasting",
            r"(A + b)_{ij} = A_{ij} + b_{ij}, \qquad \text{an axis of length 1 is repeated}",
            "A number, a row or a column is stretched along the axes in which it has length 1, and only along those.",
            "keepdims-missing",
            "A flat (n,) counts as a row: added to an (n, 1) column it gives an (n, n) matrix, silently.",
            shapes="A is (r, c); b is a number, (1, c), (r, 1) or (r, c); the result (r, c).",
        ),
        cases=(
            _broadcast("number", "F060", [[1.0], [2.0], [3.0], [4.0]], [[100.0]]),
            _broadcast("row", "F061", [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [[100.0, 200.0, 300.0]]),
            _broadcast("column", "F062", [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [[100.0], [200.0]]),
        ),
        refusals=(
            refusal("b has shape (1, 4), expected (4, 2) with any side 1: only such sides repeat", W, B.T),
            refusal("b has shape (3, 2), expected (4, 2) with any side 1: only such sides repeat", W, np.ones((3, 2))),
            refusal(f"b has shape (1,), {MATRIX}: b is a matrix, a row, a column or a number", W, B[0]),
            refusal(f"A has shape (2,), {MATRIX}: A is a matrix", W[0], B),
        ),
    ),
    Formula(
        (Code("notation", "F044 F045 F156"),),
        Words(
            "Examples are columns",
            r"X = \bigl[x^{(1)} \; x^{(2)} \; \cdots \; x^{(m)}\bigr] \in \mathbb{R}^{n_x \times m}, \qquad Y \in "
            r"\mathbb{R}^{n_L \times m}",
            "One column for each example, so that a layer is $W A + b$ with no transpose, and sums over examples run "
            "along axis 1. PyTorch has its examples in rows: its arrays are the transposes of these.",
            "transpose-extra",
            "With m = n_x, or on square data, nothing raises: the network learns features as if they were examples.",
            see="F046",
            lacks="A convention, which every function keeps: it computes nothing.",
        ),
        uncompared={"F044 F045 F156": "a convention of symbols and shapes, which every case keeps"},
    ),
)
