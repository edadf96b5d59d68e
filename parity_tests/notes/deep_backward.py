"""Deep networks, backward: F163 to F190."""

from __future__ import annotations

import numpy as np

from manual import jacobians
from manual.activations import tanh, tanh_prime
from manual.dense import linear_backward
from parity_tests.notes.check_kinds import At, Value, formula, same, shaped
from parity_tests.notes.row import CONVENTION, HOLDS, MISPRINT, WRONG, Row

NET, LAYER = "deep", "layer"
DEEP = "\n".join(
    (
        "dZ3 = A3 - Y", "dW3 = 1/m * dZ3 @ A2.T", "db3 = 1/m * np.sum(dZ3, axis=1, keepdims=True)",
        "dA2 = W3.T @ dZ3", "dZ2 = dA2 * g2'(Z2)",
        "dW2 = 1/m * dZ2 @ A1.T", "db2 = 1/m * np.sum(dZ2, axis=1, keepdims=True)",
        "dA1 = W2.T @ dZ2", "dZ1 = dA1 * g1'(Z1)",
        "dW1 = 1/m * dZ1 @ X.T", "db1 = 1/m * np.sum(dZ1, axis=1, keepdims=True)",
    )
)  # fmt: skip


def jacobian(at: At, indices: str) -> Value:
    """dZ_ke/dW_ij = A_prev[.., ..] delta_ki, with A_prev indexed as the letters say."""
    return np.einsum(f"ki,{indices}->keij", np.eye(at.n), at.A_prev)


def slope_jacobian(at: At, result: str) -> Value:
    """dA_ke/dW_ij = g'(z_ke) A_prev[.., ..] delta_ki, by that rule of indices."""
    return np.einsum(result, tanh_prime(at.Z), at.A_prev, np.eye(at.n))


def summed(at: At, last: int) -> Value:
    """dL/dw_ij = sum_e dL/dA_ie g'(z_ie) A_prev[j, e] with e from 1 to ``last``."""
    examples = range(last)
    return (at.dA * tanh_prime(at.Z)).take(examples, axis=1) @ at.A_prev.take(examples, axis=1).T


ROWS = (
    Row(
        "F163", "N0 L551-559", "what a backward step needs",
        "backward: takes da[l] and the cache z[l], gives da[l-1], dw[l], db[l]", CONVENTION,
        (same("with W and A_prev in the cache too", LAYER,
              lambda at: (linear_backward(at.dA * tanh_prime(at.Z), at.A_prev, at.W).dA_prev, at.dA_prev)),),
        (same("from da and z alone: da[l-1] = da[l] * g'(z)", LAYER,
            lambda at: (at.dA * tanh_prime(at.Z), at.dA_prev)),),
        "the cache also holds A[l-1] and W[l]",
    ),
    Row(
        "F164", "N0 L567; N2 L192; N3 L284, 297, 314", "dZ = dA * g'(Z)", "dZ[l] = dA[l] * g[l]'(Z[l])", HOLDS,
        (formula("dZ = dA * g'(Z)", LAYER), formula("dZ2 = dA2 * g2'(Z2)", NET)),
        (formula("dZ = dA * g'(A)", LAYER, cause="gprime-at-a"),),
    ),
    Row(
        "F165", "N3 L269", "dZ = dA * g(Z), prime lost", "dz(L) = dA(L) * g(L)(z(L))", MISPRINT,
        (formula("dZ = dA * g'(Z)", LAYER),),
        (formula("dZ = dA * g(Z)", LAYER, cause="g-for-gprime"),),
        "dz(L) = dA(L) * g(L)'(z(L))",
    ),
    Row(
        "F166", "N0 L567", "dW for one example", "dw[l] = dz[l] a[l-1]", WRONG,
        (formula("dW = 1/m * dZ @ A_prev.T", LAYER),),
        (formula("dW = 1/m * dZ @ A_prev", LAYER, cause="transpose-missing"),
         shaped("(n, 1)(n_prev, 1) for one example", LAYER,
             lambda at: (at.dZ[:, :1] @ at.A_prev[:, :1], (at.n, at.n_prev)),
                cause="ValueError")),
        "dw[l] = dz[l] a[l-1]^T",
    ),
    Row(
        "F167", "N0 L567", "db for one example", "db[l] = dz[l]", CONVENTION,
        (same("the average over examples of dz is db", LAYER, lambda at: (
            sum(at.dZ[:, i : i + 1] for i in range(at.m)) / at.m, at.db)),),
        (formula("db = dZ", LAYER),),
        "for one example",
    ),
    Row(
        "F168", "N2 L194; N3 L273, 298, 316; N4 L281", "dW = (1/m) dZ A_prev^T", "dW[l] = 1/m dZ[l] A[l-1]^T", HOLDS,
        (formula("dW = 1/m * dZ @ A_prev.T", LAYER), formula("dW2 = 1/m * dZ2 @ A1.T", NET)),
        (formula("dW = dZ @ A_prev.T", LAYER,
            cause="missing-1/m"), formula("dW2 = 1/m * dZ2 @ A2.T", NET, cause="wrong-layer")),
    ),
    Row(
        "F169", "N2 L196; N3 L275, 289, 299, 320", "db = (1/m) sum dZ", "db[l] = 1/m sum_i dZ[l](i)", HOLDS,
        (formula("db = 1/m * np.sum(dZ, axis=1, keepdims=True)", LAYER),),
        (formula("db = 1/m * np.sum(dZ, axis=0, keepdims=True)", LAYER, cause="db-wrong-axis"),
         formula("db = 1/m * np.sum(dZ)", LAYER, cause="db-summed-over-all")),
    ),
    Row(
        "F170", "N0 L567; N2 L198; N3 L271, 291, 302, 323", "dA_prev = W^T dZ", "dA[l-1] = W[l]^T dZ[l]", HOLDS,
        (formula("dA_prev = W.T @ dZ", LAYER), formula("dX = W1.T @ dZ1", NET)),
        (formula("dA_prev = W @ dZ", LAYER, cause="transpose-missing"),),
    ),
    Row(
        "F171", "N0 L569", "dZ from the next layer", "dz[l] = W[l+1]^T dz[l+1] * g'(z[l])", HOLDS,
        (formula("dZ = W_next.T @ dZ_next * g'(Z)", LAYER), formula("dZ1 = W2.T @ dZ2 * g1'(Z1)", NET)),
        (formula("dZ = W_next.T @ dZ_next", LAYER, cause="gprime-missing"),),
    ),
    Row(
        "F172", "N3 L316", "the recursion starts at dA^[L]",
        "dA[L] = -y/A + (1 - y)/(1 - A) starts the recursion", CONVENTION,
        (formula("dA3 = -Y/A3 + (1 - Y)/(1 - A3)", NET),),
        (formula("dA3 = (-Y/A3 + (1 - Y)/(1 - A3)) / m", NET, cause="double-1/m"),),
        "per example, without 1/m",
    ),
    Row(
        "F173", "N3 L277-323", "diagram of six layers",
        "six layers forward and backward, every index printed CLS or CLS-1", MISPRINT,
        (formula(DEEP, NET),),
        (formula("dA2 = W2.T @ dZ2", NET, cause="wrong-layer"),),
        "[1], [l], [L], and [l-1]", "index",
    ),
    Row(
        "F174", "N3 L287", "dW of the first layer", "dW_CLS = 1/M dz_CLS A_CLS^T, in the first block", MISPRINT,
        (formula("dW1 = 1/m * dZ1 @ A0.T", NET),),
        (formula("dW1 = 1/m * dZ1 @ A1.T", NET, cause="wrong-layer"),),
        "dW[1] = 1/M dZ[1] A[0]^T",
    ),
    Row(
        "F175", "N4 L267-271", "shape of Y", "Y has the dimensions of the last layer, n[L] x m", HOLDS,
        (formula("dZ3 = A3 - Y", NET), shaped("Y", NET, lambda at: (at.Y, (at.n_3, at.m)))),
        (shaped("one row for all outputs", NET, lambda at: (at.Y, (1, at.m))),
         formula("J = -np.mean(Y*np.log(A3) + (1 - Y)*np.log(1 - A3))", NET)),
    ),
    Row(
        "F176", "N4 L273", "dZ^[L] and dW^[L] fused", "dZ[L] (n[L] x n[L-1]) = A[L] A[L-1]^T", MISPRINT,
        (formula("dZ3 = A3 - Y\ndW3 = 1/m * dZ3 @ A2.T", NET),),
        (formula("dZ3 = A3 @ A2.T", NET),),
        "dZ[L] = A[L] - Y; dW[L] = 1/m dZ[L] A[L-1]^T: two lines in one", "misprint",
    ),
    Row(
        "F177", "N4 L275", "shape of db^[L]", "db[L] (n[L] x m)? = 1/m np.sum(dZ[L], axis=1, keepdims=True)", WRONG,
        (shaped("db is (n_L, 1)", NET, lambda at: (np.sum(at.dZ3, axis=1, keepdims=True) / at.m, (at.n_3, 1))),),
        (shaped("db is (n_L, m)", NET, lambda at: (np.sum(at.dZ3, axis=1, keepdims=True) / at.m, (at.n_3, at.m))),),
        "(n[L], 1)", "shape",
    ),
    Row(
        "F178", "N4 L277", "dZ^[L-1], g' missing", "dZ[L-1] (n[L-1] x m)? = dZ[L] (n[L-1] x n[L]) dZ[L]", WRONG,
        (formula("dZ2 = W3.T @ dZ3 * g2'(Z2)", NET),),
        (same("dZ[L]^T dZ[L]", NET, lambda at: (at.dZ3.T @ at.dZ3, at.dZ2)),
         formula("dZ2 = W3.T @ dZ3", NET, cause="gprime-missing")),
        "dZ[L-1] = W[L]^T dZ[L] * g[L-1]'(Z[L-1]); the shape is right", "wrong-symbol + gprime-missing",
    ),
    Row(
        "F179", "N4 L279", "dW^[L-1] under another name", "dZ[L-1] = 1/m dZ[L-1] A[L-2]^T", MISPRINT,
        (formula("dW2 = 1/m * dZ2 @ A1.T", NET),),
        (shaped("1/m dZ[L-1] A[L-2]^T is as dZ[L-1]", NET, lambda at: (at.dZ2 @ at.A1.T / at.m, (at.n_2, at.m))),),
        "dW[L-1] = 1/m dZ[L-1] A[L-2]^T", "left-side",
    ),
    Row(
        "F180", "N4 L284", "W and b are updated", "W[l] and h[l] are updated", MISPRINT,
        (formula("W = W - alpha * dW\nb = b - alpha * db", LAYER),),
        (formula("b = b - alpha * dA", LAYER, cause="wrong-symbol"),),
        "W[l] and b[l]: nothing else is a parameter", "misprint",
    ),
    Row(
        "F181", "N0 L563; N4 L286", "updates of layer l",
        "W[l] := W[l] - alpha dW[l], b[l] := b[l] - alpha db[l]", HOLDS,
        (formula("W = W - alpha * dW\nb = b - alpha * db", LAYER), formula("W2 = W2 - alpha * dW2", NET)),
        (formula("W = W + alpha * dW", LAYER, cause="sign"),),
    ),
    Row(
        "F182", "N3 L327-329", "Z = W A_prev, bias left out",
        "A, z are (n_A, m), z = W A_prev, W is (n_A, n_x)", CONVENTION,
        (formula("Z = W @ A_prev + b", LAYER), same("without b", LAYER, lambda at: (at.W @ at.A_prev, at.Z - at.b))),
        (formula("Z = W @ A_prev", LAYER, cause="bias-missing"),),
        "with b left out",
    ),
    Row(
        "F183", "N3 L331", "Jacobian dZ/dW", "dz_ke/dw_ij = 0 for k != i, A_prev[e, j] for k = i", WRONG,
        (same("A_prev[j, e] delta_ki", LAYER, lambda at: (jacobian(at, "je"), jacobians.dZ_dW(at.A_prev, at.n))),),
        (shaped("A_prev[e, j] delta_ki, for z (n, m) and w (n, n_prev)", LAYER,
                lambda at: (jacobian(at, "ej"), (at.n, at.m, at.n, at.n_prev))),),
        "A_prev[j, e] for k = i", "index",
    ),
    Row(
        "F184", "N3 L331", "Jacobian dA/dZ", "dA_ke/dz_ij = g'(z_ke) delta_ki delta_ej", HOLDS,
        (same("the whole Jacobian", LAYER, lambda at: (
            np.einsum("ke,ki,ej->keij", tanh_prime(at.Z), np.eye(at.n), np.eye(at.m)),
            jacobians.dA_dZ(at.Z, tanh_prime))),),
        (same("g for g'", LAYER, lambda at: (
            np.einsum("ke,ki,ej->keij", tanh(at.Z), np.eye(at.n), np.eye(at.m)), jacobians.dA_dZ(at.Z, tanh_prime))),),
    ),
    Row(
        "F185", "N3 L333", "Jacobian dA/dW",
        "dA_ke/dw_ij = sum_k sum_f g'(z_ke) delta_ke delta_ef A_prev[f, j] delta_ki = g'(z_ke) A_prev[e, j] delta_ki",
        WRONG,
        (same("g'(z_ke) A_prev[j, e] delta_ki", LAYER, lambda at: (
            slope_jacobian(at, "ke,je,ki->keij"), jacobians.dA_dW(at.Z, at.A_prev, tanh_prime))),),
        (same("delta_ke: a unit is an example", LAYER, lambda at: (
            np.einsum("ke,ke,je,ki->keij", tanh_prime(at.Z), np.eye(at.n, at.m), at.A_prev, np.eye(at.n)),
            jacobians.dA_dW(at.Z, at.A_prev, tanh_prime))),
         shaped("A_prev[e, j]", LAYER, lambda at: (slope_jacobian(at, "ke,ej,ki->keij"), (at.n, at.m, at.n, at.n_prev)),
                cause="ValueError")),
        "a sum over c, with delta_kc delta_ef; g'(z_ke) A_prev[j, e] delta_ki", "index",
    ),
    Row(
        "F186", "N3 L335", "dL/dW, the sum over examples",
        "dL/dw_ij = sum_e dL/dA_ie g'(z_ie) A_ej, written out up to the term n_A", WRONG,
        (same("up to e = m", LAYER, lambda at: (summed(at, at.m) / at.m, at.dW)),),
        (same("up to e = n_A", LAYER, lambda at: (summed(at, at.n) / at.m, at.dW)),),
        "the last term is e = m", "index",
    ),
    Row(
        "F187", "N3 L339", "dW without 1/m", "dW = (dA g'(z))_i A_prev^T, without 1/m", CONVENTION,
        (formula("dW = (dA/m * g'(Z)) @ A_prev.T", LAYER),),
        (formula("dW = (dA * g'(Z)) @ A_prev.T", LAYER, cause="missing-1/m"),),
        "right where dA is the derivative of J, with 1/m inside; it is not at L316",
    ),
    Row(
        "F188", "N3 L343", "Jacobian dZ/dA_prev",
        "dL/dA_prev[i, j] = W_ki delta_lj; dA_xc/dA_prev[i, j] = g'(z_xc) W_ki delta_lj", MISPRINT,
        (same("dz_kl/dA_prev[i, j] = W_ki delta_lj", LAYER, lambda at: (
            np.einsum("ki,lj->klij", at.W, np.eye(at.m)), jacobians.dZ_dA_prev(at.W, at.m))),),
        (shaped("dL/dA_prev[i, j] has the indices k, l too", LAYER, lambda at: (
            np.einsum("ki,lj->klij", at.W, np.eye(at.m)), at.A_prev.shape)),),
        "the left side is dz_kl/dA_prev[i, j]; then W_xi", "left-side",
    ),
    Row(
        "F189", "N3 L345", "dL/dA_prev entry by entry",
        "dL/dA_prev[i, j] = sum_c sum_f dL/dA_cf g(z_cf) W_ki delta_fj = sum_c dL/dA_cj g'(z_cj) W_ki", WRONG,
        (same("sum_c dL/dA_cj g'(z_cj) W_ci", LAYER, lambda at: (
            np.einsum("cj,cj,ci->ij", at.dA, tanh_prime(at.Z), at.W), at.dA_prev)),),
        (formula("dA_prev = W.T @ (dA * g(Z))", LAYER, cause="g-for-gprime"),
         same("W_ki with one k", LAYER, lambda at: (
             np.einsum("cj,cj,i->ij", at.dA, tanh_prime(at.Z), at.W[0]), at.dA_prev))),
        "sum_c dL/dA_cj g'(z_cj) W_ci",
    ),
    Row(
        "F190", "N3 L349", "dA_prev = W^T (dA * g'(Z))", "dA_prev = W^T (dA * g'(z))", HOLDS,
        (formula("dA_prev = W.T @ (dA * g'(Z))", LAYER),),
        (formula("dA_prev = W.T @ dA", LAYER, cause="gprime-missing"),),
    ),
)  # fmt: skip
"""Rows of the errata."""
