"""Volumes as columns for a dense layer, and the Jacobian of the softmax: settings about which entry goes where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from manual.activations import softmax
from manual.conv import flatten
from manual.notation import Array
from parity_tests.derivations.settings.draws import sizes_of
from parity_tests.derivations.settings.setting import (
    COMMON_FUNCTIONS,
    Kind,
    Own,
    Setting,
    Symbol,
    Target,
    Values,
    generator,
)
from parity_tests.judging.complex_step import complex_step


def _target(ids: str, kind: Kind, *right: str) -> Target:
    return Target(tuple(ids.split()), right, right, kind)


@dataclass(frozen=True, eq=False)
class FlattenProblem:
    """Volumes, and the derivative in their columns."""

    A: Array
    dA_flat: Array

    def given(self) -> Values:
        """Sizes, the volumes, and what comes from above."""
        return {**dict(zip(("m", "n_H", "n_W", "n_C"), self.A.shape, strict=True)), **vars(self)}

    def by_numpy(self, l2: bool) -> Values:
        """The columns, and the complex step of sum(dA_flat * A_flat)."""
        return {"A_flat": flatten(self.A), "dA": complex_step(lambda at: np.sum(self.dA_flat * flatten(at)), self.A)}

    def by_torch(self, l2: bool) -> Values:
        """Torch's nn.Flatten on channels last, and autograd."""
        from parity_tests.derivations.settings import torch_side

        return torch_side.flattening(self.A, self.dA_flat)


VOLUMES = ((7, 3, 5, 11), (5, 7, 3, 13), (11, 5, 7, 3), (3, 4, 6, 5), (4, 6, 8, 7))
"""Choices of (m, n_H, n_W, n_C)."""


def _draw_flatten(seed: int) -> FlattenProblem:
    rng = generator("flatten", seed)
    m, n_H, n_W, n_C = sizes_of(VOLUMES, seed)
    return FlattenProblem(rng.standard_normal((m, n_H, n_W, n_C)), rng.standard_normal((n_H * n_W * n_C, m)))


FLATTEN = Setting(
    "flatten",
    "volumes as the columns of a dense layer's input, channels last",
    "dA is the derivative of L(i) in A, whose derivative in A_flat is dA_flat; L2 plays no part",
    (
        Symbol("m", "()", "number of examples"),
        Symbol("n_H", "()", "height"),
        Symbol("n_W", "()", "width"),
        Symbol("n_C", "()", "number of channels"),
        Symbol("A", "(m, n_H, n_W, n_C)", "volumes"),
        Symbol("A_flat", "(n_H*n_W*n_C, m)", "a column for each example"),
        Symbol("dA_flat", "(n_H*n_W*n_C, m)", "derivative of L(i) in A_flat"),
        Symbol("dA", "(m, n_H, n_W, n_C)", "derivative of L(i) in A"),
    ),
    {
        "A_flat": _target(
            "F235", "forward", "A.reshape(m, -1).T", "np.reshape(A, (m, n_H*n_W*n_C)).T", "A.reshape(m, n_H*n_W*n_C).T"
        ),
        "dA": _target(
            "F235", "derivative", "dA_flat.T.reshape(m, n_H, n_W, n_C)", "np.reshape(dA_flat.T, (m, n_H, n_W, n_C))"
        ),
    },
    {"n": ("m", "n_H", "n_W", "n_C")},
    {},
    _draw_flatten,
    COMMON_FUNCTIONS,
    (Own(("A", "dA_flat"), lambda values: FlattenProblem(**values), ("A_flat", "dA")),),
)


@dataclass(frozen=True, eq=False)
class JacobianProblem:
    """Inputs of a softmax, a column for each example, and the derivative in its outputs."""

    Z: Array
    dA: Array

    def given(self) -> Values:
        """Sizes, the columns, and the first of them by itself."""
        n, m = self.Z.shape
        A = softmax(self.Z)
        return {"n": n, "m": m, "Z": self.Z, "dA": self.dA, "z": self.Z[:, 0], "a": A[:, 0], "da": self.dA[:, 0]}

    def by_numpy(self, l2: bool) -> Values:
        """The softmax, its complex step, and that of sum(dA * A)."""
        z = self.Z[:, 0]
        return {
            "A": softmax(self.Z),
            "jacobian": complex_step(_softmax_of_column, z),
            "dz": complex_step(lambda at: np.sum(self.dA[:, 0] * _softmax_of_column(at)), z),
            "dZ": complex_step(lambda at: np.sum(self.dA * softmax(at)), self.Z),
        }

    def by_torch(self, l2: bool) -> Values:
        """Torch's softmax and autograd."""
        from parity_tests.derivations.settings import torch_side

        return torch_side.softmax_jacobian(self.Z, self.dA)


def _softmax_of_column(z: Array) -> Array:
    a: Array = softmax(z.reshape(-1, 1))[:, 0]
    return a


def _draw_jacobian(seed: int) -> JacobianProblem:
    rng = generator("softmax-jacobian", seed)
    shape = sizes_of(((3, 7), (5, 11), (7, 5), (11, 3), (13, 17)), seed)
    return JacobianProblem(rng.standard_normal(shape), rng.standard_normal(shape))


_BY_ENTRY = """\
jacobian = np.zeros((n, n))
for i in range(n):
    for j in range(n):
        jacobian[i, j] = a[i] * ((i == j) - a[j])"""
_BY_SUM = """\
dZ = np.zeros((n, m))
for e in range(m):
    for i in range(n):
        for j in range(n):
            dZ[i, e] += dA[j, e] * A[j, e] * ((i == j) - A[i, e])"""

SOFTMAX_JACOBIAN = Setting(
    "softmax-jacobian",
    "the derivative of the softmax: every output depends on every input of its column",
    "A = softmax(Z), column by column; z, a, da, dz are the first column; jacobian[i, j] is the derivative of a[i] in "
    "z[j]; dZ is the derivative of L(i) where dA is that in A; L2 plays no part",
    (
        Symbol("n", "()", "number of classes"),
        Symbol("m", "()", "number of examples"),
        Symbol("Z", "(n, m)", "inputs of the softmax"),
        Symbol("A", "(n, m)", "its outputs"),
        Symbol("dA", "(n, m)", "derivative of L(i) in A"),
        Symbol("dZ", "(n, m)", "derivative of L(i) in Z"),
        Symbol("z", "(n)", "first column of Z"),
        Symbol("a", "(n)", "first column of A"),
        Symbol("da", "(n)", "first column of dA"),
        Symbol("jacobian", "(n, n)", "derivative of a[i] in z[j], at [i, j]"),
        Symbol("dz", "(n)", "first column of dZ"),
    ),
    {
        "A": _target(
            "F247", "function", "np.exp(Z) / np.sum(np.exp(Z), axis=0, keepdims=True)",
            "np.exp(Z) / np.sum(np.exp(Z), axis=0)",
        ),
        "jacobian": _target(
            "F184", "function", "np.diag(a) - np.outer(a, a)", "np.eye(n) * a - np.outer(a, a)", _BY_ENTRY
        ),
        "dz": _target("F184", "derivative", "jacobian @ da", "jacobian.T @ da", "a * (da - np.sum(a * da))"),
        "dZ": _target(
            "F184", "derivative", "A * (dA - np.sum(A * dA, axis=0, keepdims=True))",
            "A * dA - A * np.sum(A * dA, axis=0)", _BY_SUM,
        ),
    },
    {"n": ("n", "m")},
    {"da_dz": "jacobian"},
    _draw_jacobian,
    COMMON_FUNCTIONS,
    (Own(("Z", "dA"), lambda values: JacobianProblem(**values), ("A", "dZ")),),
)  # fmt: skip
