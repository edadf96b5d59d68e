"""Claims of the notes about networks, made to be checked: linear layers collapse, equal units stay equal, small
initial weights starve a deep network, and parity wants depth.

The networks for parity have hand-set weights. Weights, inputs and every value between are small whole numbers, so that
their outputs are exact in float32 and float64.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from manual.architecture import Architecture, Dense
from manual.network import forward
from manual.notation import Array, Parameters, Scalar, check_examples, check_matrix, check_shape

MOST_BITS = 20
"""Largest n for which all 2^n inputs, or their minterms, are written out."""


class Collapsed(NamedTuple):
    """The one layer that stands for two: W (n_2, n_x) and b (n_2, 1)."""

    W: Array
    b: Array


def collapse_loop(W1: Array, b1: Array, W2: Array, b2: Array) -> Collapsed:
    """Entry by entry: w_ij = sum_k w2_ik w1_kj and b_i = sum_k w2_ik b1_k + b2_i. See collapse."""
    n_1, n_x = W1.shape
    n_2 = W2.shape[0]
    W = np.zeros((n_2, n_x), np.result_type(W1, W2))
    b = np.zeros((n_2, 1), np.result_type(W2, b1, b2))
    for i in range(n_2):
        for k in range(n_1):
            for j in range(n_x):
                W[i, j] += W2[i, k] * W1[k, j]
            b[i, 0] += W2[i, k] * b1[k, 0]
        b[i, 0] += b2[i, 0]
    return Collapsed(W, b)


def collapse(W1: Array, b1: Array, W2: Array, b2: Array) -> Collapsed:
    """Two linear layers are one: W2 (W1 x + b1) + b2 = W x + b with W = W2 W1 and b = W2 b1 + b2.

    So hidden layers with the identity for activation add nothing, and under a sigmoid output they are logistic
    regression.

    W1 is (n_1, n_x), b1 (n_1, 1), W2 (n_2, n_1), b2 (n_2, 1).

    Raises ValueError where the shapes do not fit.

    Notes: F136.
    """
    n_1, _ = check_matrix("W1", W1, "W1 is (n_1, n_x)")
    n_2, _ = check_matrix("W2", W2, "W2 is (n_2, n_1)")
    check_shape("W2", W2, (n_2, n_1), "W2 is (n_2, n_1), one column per row of W1")
    check_shape("b1", b1, (n_1, 1), "b1 is (n_1, 1), one bias per row of W1")
    check_shape("b2", b2, (n_2, 1), "b2 is (n_2, 1), one bias per row of W2")
    return Collapsed(W2 @ W1, W2 @ b1 + b2)


def unit_distance_loop(W: Array) -> Scalar:
    """Pair by pair and weight by weight: d_jk^2 = sum_i (w_ji - w_ki)^2. See unit_distance."""
    n, n_prev = W.shape
    largest = W.dtype.type(0)
    for j in range(n):
        for k in range(j):
            squares = W.dtype.type(0)
            for i in range(n_prev):
                squares += (W[j, i] - W[k, i]) ** 2
            largest = max(largest, squares)
    return np.sqrt(largest)


def unit_distance(W: Array) -> Scalar:
    """How far apart the units of a layer are: the largest distance between two rows, max_jk ||w_j - w_k||.

    It is 0 where all units compute the same, as they do from all-zero or constant initial weights for as long as one
    trains; the gradient of such a layer is at distance 0 too. Random initial weights break the symmetry.

    W (or dW) is (n, n_prev). A layer of one unit is at distance 0.

    Raises ValueError unless W is a matrix.

    Notes: F143, F144.
    """
    check_matrix("W", W, "W is (n_l, n_prev)")
    return np.sqrt(max(np.sum(np.square(W - w), axis=1).max() for w in W))


def spread_loop(A: Array) -> Scalar:
    """Entry by entry: the mean first, then the mean of the squared deviations. See spread."""
    n, m = A.shape
    total = A.dtype.type(0)
    for j in range(n):
        for i in range(m):
            total += A[j, i]
    mean = total / (n * m)
    squares = A.dtype.type(0)
    for j in range(n):
        for i in range(m):
            squares += (A[j, i] - mean) ** 2
    return np.sqrt(squares / (n * m))


def spread(A: Array) -> Scalar:
    """Standard deviation of a layer's activations, over its units and examples.

    sqrt((1/nm) sum_ji (a_ji - mean)^2).

    A is (n, m).

    Raises ValueError unless A is a matrix.

    Notes: F147.
    """
    check_examples("A", A)
    return np.sqrt(np.mean(np.square(A - np.mean(A))))


def layer_spreads(architecture: Architecture, params: Parameters, X: Array) -> Array:
    """The spread of A[l] for l = 0..L: what the initial weights leave of the input's spread, layer by layer.

    A deep tanh network with weights of scale 0.01 loses all of it, as each layer multiplies the spread by about
    0.01 sqrt(n_prev); with 1/sqrt(n_prev) it keeps a good part; with large weights tanh saturates: its slopes vanish.

    X is (n_x, m), the result (L + 1,).

    Raises ValueError where X or the parameters do not fit the architecture.

    Notes: F146, F147.
    """
    return np.array([spread(A) for A in forward(architecture, params, X).A])


class HandSet(NamedTuple):
    """A network whose weights were set by hand, in float64."""

    architecture: Architecture
    params: Parameters


def all_inputs(n: int) -> Array:
    """Every input of n bits, one per column: (n, 2^n) of 0 and 1 in float64, counting up with the first bit highest.

    Raises ValueError unless n is from 1 to 20.
    """
    _check_bits(n, MOST_BITS)
    columns = np.arange(2**n)
    return np.array([columns >> (n - 1 - j) & 1 for j in range(n)], np.float64)


def parity_loop(X: Array) -> Array:
    """Bit after bit: p XOR x_j = p + x_j - 2 p x_j. See parity."""
    p = X[:1]
    for j in range(1, X.shape[0]):
        p = p + X[j : j + 1] - 2 * p * X[j : j + 1]
    return p


def parity(X: Array) -> Array:
    """x_1 XOR x_2 XOR ... XOR x_n, which is 1 where an odd number of bits is: (sum_j x_j) mod 2.

    X is (n, m) of 0 and 1, the result (1, m).

    Raises ValueError unless X is a matrix.

    Notes: F191.
    """
    check_examples("X", X)
    odd: Array = np.mod(np.sum(X, axis=0, keepdims=True), 2)
    return odd


def xor_count(n: int) -> int:
    """XORs of two bits in a tree over n bits: n - 1, since each takes two bits and leaves one.

    Notes: F191.
    """
    _check_bits(n)
    return n - 1


def tree_depth(n: int) -> int:
    """Levels of a tree over n bits, which are the hidden layers of parity_tree: ceil(log2 n).

    That is the number of binary digits of n - 1.

    Notes: F191.
    """
    _check_bits(n)
    return (n - 1).bit_length()


def tree_units(n: int) -> int:
    """Hidden units of parity_tree: two per XOR, and one for each bit that a level with an odd count hands on.

    2 (n - 1) + the number of zeros among the binary digits of n - 1.

    Notes: F191.
    """
    return 2 * xor_count(n) + tree_depth(n) - (n - 1).bit_count()


def minterm_count(n: int) -> int:
    """Hidden units of parity_minterms: 2^(n-1), half of all inputs.

    Notes: F191.
    """
    _check_bits(n)
    return 1 << (n - 1)


def parity_tree(n: int) -> HandSet:
    """Parity of n bits by a tree of XORs: ceil(log2 n) hidden layers of ReLU, two units for each XOR.

    p XOR q = relu(p + q) - 2 relu(p + q - 1). A level computes the two units of each pair of bits; the next level's
    weights, or the identity output's, take their difference. A bit without a partner is handed on by one ReLU.

    Raises ValueError unless n is at least 1.

    Notes: F191, F192.
    """
    _check_bits(n)
    params: Parameters = {}
    layers: list[Dense] = []
    bits, read = n, np.eye(n)  # read: the current bits from the layer below
    while bits > 1:
        W = _per_pair([[1, 1], [1, 1]], bits) @ read
        b = np.zeros((W.shape[0], 1))
        b[1::2] = -1
        layers.append(Dense(W.shape[0], "relu"))
        params |= {f"W{len(layers)}": W, f"b{len(layers)}": b}
        read = _per_pair([[1, -2]], bits)
        bits = read.shape[0]
    layers.append(Dense(1, "identity"))
    params |= {f"W{len(layers)}": read, f"b{len(layers)}": np.zeros((1, 1))}
    return HandSet(Architecture(n, tuple(layers)), params)


def parity_minterms(n: int) -> HandSet:
    """Parity of n bits by one hidden layer of minterms: a ReLU for each of the 2^(n-1) inputs v of odd parity.

    relu(sum_j (2 v_j - 1) x_j + 1 - sum_j v_j) = relu(1 - |x - v|) is 1 for x = v and 0 for every other x, where |.|
    counts the bits that differ; the output adds the units up.

    Raises ValueError unless n is from 1 to 20.

    Notes: F191, F192.
    """
    inputs = all_inputs(n)
    V = inputs[:, parity(inputs)[0] == 1].T  # (2^(n-1), n)
    return _one_hidden_layer(2 * V - 1, 1 - V.sum(axis=1, keepdims=True), np.ones((1, len(V))))


def parity_sawtooth(n: int) -> HandSet:
    """Parity of n bits by one hidden layer of n units that all see the sum s of the bits.

    relu(s) - 2 relu(s - 1) + 2 relu(s - 2) - ... rises from 0 to 1, falls back to 0, and so on. It shows where the
    notes' claim ends: one layer needs 2^(n-1) units if they are minterms, ANDs of the bits, but a neuron can count.

    Raises ValueError unless n is at least 1.

    Notes: F191.
    """
    _check_bits(n)
    k = np.arange(n, dtype=np.float64)
    W2 = 2 * (-1) ** k
    W2[0] = 1
    return _one_hidden_layer(np.ones((n, n)), -k.reshape(n, 1), W2.reshape(1, n))


def _one_hidden_layer(W1: Array, b1: Array, W2: Array) -> HandSet:
    """ReLU units under one identity output without bias."""
    n_1, n = W1.shape
    architecture = Architecture(n, (Dense(n_1, "relu"), Dense(1, "identity")))
    return HandSet(architecture, {"W1": W1, "b1": b1, "W2": W2, "b2": np.zeros((1, 1))})


def _per_pair(block: list[list[int]], bits: int) -> Array:
    """The block on the diagonal once for each pair of bits, and a 1 for the bit that an odd count leaves over."""
    pairs, over = divmod(bits, 2)
    diagonal: Array = np.pad(np.kron(np.eye(pairs), block), (0, over))
    if over:
        diagonal[-1, -1] = 1
    return diagonal


def _check_bits(n: int, most: int | None = None) -> None:
    """ValueError unless n is a number of bits."""
    expected = "at least 1" if most is None else f"from 1 to {most}"
    if n < 1 or (most is not None and n > most):
        raise ValueError(f"n is {n}, expected {expected}: the number of bits")
