"""Products of vectors and matrices, and the four broadcasting examples of N0."""

from __future__ import annotations

import numpy as np

import manual.vectorization as by_hand
import torch_ref.vectorization as torch_side
from parity_tests.formulas.case import N_1, N_X, Case, normal
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


CASES = (
    Case(
        "vectorization.linear_unit",
        "F034 F035 F036",
        inputs=lambda rng: {"w": normal(rng, N_1, 1), "x": normal(rng, N_1, 1), "b": float(rng.standard_normal())},
        manual=by_hand.linear_unit,
        loop=by_hand.linear_unit_loop,
        reference=torch_side.linear_unit,
        bounds={
            "z": lambda u, at: bounds.gamma(N_1 + 2, u) * (float(np.sum(np.abs(at.w * at.x))) + abs(at.b)),
        },
    ),
    Case(
        "vectorization.matrix_vector",
        "F037 F083",
        inputs=lambda rng: {"A": normal(rng, N_1, N_X), "v": normal(rng, N_X, 1)},
        manual=by_hand.matrix_vector,
        loop=by_hand.matrix_vector_loop,
        reference=torch_side.matrix_vector,
        bounds={"u": lambda u, at: bounds.product(u, at.A, at.v)},
    ),
    Case(
        "vectorization.column_percentages",
        "F057 F058 F059",
        inputs=lambda rng: {"A": rng.uniform(0.5, 140.0, (3, 4))},
        manual=by_hand.column_percentages,
        loop=by_hand.column_percentages_loop,
        reference=torch_side.column_percentages,
        bounds={"percentages": lambda u, at: bounds.rounded(u, at.percentages, 5)},
    ),
    _broadcast("number", "F060", [[1.0], [2.0], [3.0], [4.0]], [[100.0]]),
    _broadcast("row", "F061", [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [[100.0, 200.0, 300.0]]),
    _broadcast("column", "F062", [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [[100.0], [200.0]]),
)
