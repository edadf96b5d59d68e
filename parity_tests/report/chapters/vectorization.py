"""Vectorisation and broadcasting: F034 to F062."""

from __future__ import annotations

from parity_tests.report.chapters.formula import Formula

FORMULAS = (
    Formula(
        "vectorization.linear_unit",
        "One unit as one product",
        r"z = w^{T} x + b = \sum_{j=1}^{n_x} w_j x_j + b",
        "The loop over the features adds up products of entries with the same index. Written as a row times a column "
        "it "
        "is one call, which runs in compiled code over contiguous memory.",
        "transpose-missing", "(n, 1) times (n, 1) raises; with flat arrays np.dot works, and hides that a transpose "
        "is due.",
        see="F041 F042",
    ),
    Formula(
        "vectorization.matrix_vector",
        "A matrix times a vector",
        r"u = A v, \qquad u_i = \sum_{j} A_{ij} v_j",
        "Row $i$ of $A$ against $v$ gives entry $i$. The inner sizes must agree, the outer ones are left: "
        "$(m, n)(n, p)$ gives $(m, p)$.",
        "star-for-matmul", "A * v broadcasts: the shape is that of A, and nothing was summed.",
        see="F039 F040",
    ),
    Formula(
        "vectorization.column_percentages",
        "Sums along an axis: percentages by columns",
        r"P_{ij} = 100 \cdot \frac{A_{ij}}{\sum_k A_{kj}}",
        "axis=0 adds down the columns and leaves one number for each. As a row of shape $(1, n)$ it divides every row "
        "of "
        "$A$; reshape, or keepdims=True, makes sure that it is one.",
        "db-wrong-axis", "axis=1 adds along the rows: where A is square, the shapes fit and every number is wrong.",
    ),
    Formula(
        "vectorization.broadcast_add",
        "Broadcasting",
        r"(A + b)_{ij} = A_{ij} + b_{ij}, \qquad \text{an axis of length 1 is repeated}",
        "A number, a row or a column is stretched along the axes in which it has length 1, and only along those.",
        "keepdims-missing", "A flat (n,) counts as a row: added to an (n, 1) column it gives an (n, n) matrix, "
        "silently.",
        cases="vectorization.broadcast_*",
        shapes="A is (r, c); b is a number, (1, c), (r, 1) or (r, c); the result (r, c).",
    ),
    Formula(
        "notation",
        "Examples are columns",
        r"X = \bigl[x^{(1)} \; x^{(2)} \; \cdots \; x^{(m)}\bigr] \in \mathbb{R}^{n_x \times m}, \qquad "
        r"Y \in \mathbb{R}^{n_L \times m}",
        "One column for each example, so that a layer is $W A + b$ with no transpose, and sums over examples run along "
        "axis 1. PyTorch has its examples in rows: its arrays are the transposes of these.",
        "transpose-extra", "With m = n_x, or on square data, nothing raises: the network learns features as if they "
        "were "
        "examples.",
        see="F046",
        lacks="A convention, which every function keeps: it computes nothing.",
    ),
)  # fmt: skip
