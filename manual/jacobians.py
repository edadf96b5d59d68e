"""N3's derivation index by index: the Jacobians of a layer, and the sums that contract them.

The derivative of entry (k, e) by entry (i, j) stands at [k, e, i, j]; delta is 1 where its two indices agree, else 0.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from manual.notation import Array, check_examples, check_matrix, check_shape


def dZ_dW(A_prev: Array, n: int) -> Array:
    """How Z = W A_prev + b moves with W: dz_ke/dw_ij = delta_ki a_prev_je.

    A_prev is (n_prev, m), n the number of units; the result (n, m, n, n_prev).

    Raises ValueError unless A_prev is a matrix.

    Notes: F183 (where the notes swap the indices of A_prev).
    """
    check_examples("A_prev", A_prev)
    dZ_by_dW: Array = np.einsum("ki,je->keij", np.eye(n, dtype=A_prev.dtype), A_prev)
    return dZ_by_dW


def dA_dZ(Z: Array, g_prime: Callable[[Array], Array]) -> Array:
    """How A = g(Z) moves with Z, entry by entry: da_ke/dz_ij = g'(z_ke) delta_ki delta_ej.

    Z is (n, m), the result (n, m, n, m).

    Raises ValueError unless Z is a matrix.

    Notes: F184.
    """
    n, m = check_examples("Z", Z)
    dA_by_dZ: Array = np.einsum("ke,ki,ej->keij", g_prime(Z), np.eye(n, dtype=Z.dtype), np.eye(m, dtype=Z.dtype))
    return dA_by_dZ


def dZ_dA_prev(W: Array, m: int) -> Array:
    """How Z = W A_prev + b moves with A_prev: dz_ke/da_prev_ij = w_ki delta_ej.

    W is (n, n_prev), m the number of examples; the result (n, m, n_prev, m).

    Raises ValueError unless W is a matrix.

    Notes: F188.
    """
    check_matrix("W", W, "W is (n_l, n_prev)")
    dZ_by_dA_prev: Array = np.einsum("ki,ej->keij", W, np.eye(m, dtype=W.dtype))
    return dZ_by_dA_prev


def dA_dW(Z: Array, A_prev: Array, g_prime: Callable[[Array], Array]) -> Array:
    """The chain through Z: da_ke/dw_ij = sum_cf da_ke/dz_cf dz_cf/dw_ij = g'(z_ke) a_prev_je delta_ki.

    Z is (n, m), A_prev (n_prev, m), the result (n, m, n, n_prev).

    Raises ValueError unless Z and A_prev have the same number of columns.

    Notes: F185.
    """
    _check_pair(Z, A_prev)
    dA_by_dW: Array = np.einsum("kecf,cfij->keij", dA_dZ(Z, g_prime), dZ_dW(A_prev, Z.shape[0]))
    return dA_by_dW


def weight_gradient_by_index(dA: Array, Z: Array, A_prev: Array, g_prime: Callable[[Array], Array]) -> Array:
    """Contraction to the weights: dL/dw_ij = sum_ke da_ke da_ke/dw_ij = sum_e da_ie g'(z_ie) a_prev_je.

    dA and Z are (n, m), A_prev (n_prev, m); the result (n, n_prev) is the derivative of the summed loss, without 1/m.

    Raises ValueError where the shapes do not fit.

    Notes: F186, F187.
    """
    _check_pair(Z, A_prev)
    check_shape("dA", dA, Z.shape, "dA has the shape of Z")
    dW: Array = np.einsum("ke,keij->ij", dA, dA_dW(Z, A_prev, g_prime))
    return dW


def input_gradient_by_index(dA: Array, Z: Array, W: Array, g_prime: Callable[[Array], Array]) -> Array:
    """Contraction to the input: dL/da_prev_ij = sum_cf da_cf da_cf/da_prev_ij = sum_c da_cj g'(z_cj) w_ci.

    dA and Z are (n, m), W (n, n_prev), the result (n_prev, m).

    Raises ValueError where the shapes do not fit.

    Notes: F189, F190.
    """
    n, m = check_examples("Z", Z)
    check_shape("dA", dA, Z.shape, "dA has the shape of Z")
    _, n_prev = check_matrix("W", W, "W is (n_l, n_prev)")
    check_shape("W", W, (n, n_prev), "W is (n_l, n_prev), one row per row of Z")
    dA_prev: Array = np.einsum("ke,kecf,cfij->ij", dA, dA_dZ(Z, g_prime), dZ_dA_prev(W, m))
    return dA_prev


def _check_pair(Z: Array, A_prev: Array) -> None:
    """ValueError unless Z and A_prev are matrices over the same examples."""
    _, m = check_examples("Z", Z)
    n_prev, _ = check_examples("A_prev", A_prev)
    check_shape("A_prev", A_prev, (n_prev, m), "A_prev is (n_prev, m), one column per example of Z")
