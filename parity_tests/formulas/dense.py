"""A dense layer and its derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import manual.dense as by_hand
import torch_ref.dense as torch_side
from manual.costs import l2_penalty
from manual.notation import Array
from parity_tests.formulas.case import LAMBDA, N_1, N_X, Case, Derivative, Inputs, M, normal
from parity_tests.formulas.formula import EXAMPLES, MATRIX, Formula, Sharp, Words, code, probe, refusal
from parity_tests.formulas.planting import fault, instead, largest_moved, one_nan, other_dtype, result
from parity_tests.judging.bounds import Bound, Magnitudes, gamma


def Z_bound(u: float, A_prev: Magnitudes, W: Magnitudes, b: Magnitudes) -> Bound:
    """Z = W A_prev + b: n_prev products and the bias."""
    return gamma(A_prev.shape[0] + 2, u) * (np.abs(W) @ np.abs(A_prev) + np.abs(b))


def dW_bound(u: float, dZ: Magnitudes, A_prev: Magnitudes, W: Magnitudes, lambda_: float = 0.0) -> Bound:
    """dW = (1/m) (dZ A_prev^T + lambda W): m products, the division and the penalty."""
    m = dZ.shape[1]
    return gamma(m + 4, u) * (np.abs(dZ) @ np.abs(A_prev).T + lambda_ * np.abs(W)) / m


def db_bound(u: float, dZ: Magnitudes) -> Bound:
    """db = (1/m) sum dZ: m terms and the division."""
    m = dZ.shape[1]
    return gamma(m + 4, u) * np.sum(np.abs(dZ), axis=1, keepdims=True) / m


def dA_prev_bound(u: float, dZ: Magnitudes, W: Magnitudes) -> Bound:
    """dA_prev = W^T dZ: n products; 1/m goes in and comes out."""
    return gamma(W.shape[0] + 3, u) * (np.abs(W).T @ np.abs(dZ))


# pragma: no mutate start, for what follows is drawn and planted: the bounds above judge


def _layer(rng: np.random.Generator, m: int = M, dZ: float = 1, A_prev: float = 1, W: float = 1) -> Inputs:
    """The arrays of a layer, each of its own magnitude."""
    return {
        "dZ": dZ * normal(rng, N_1, m),
        "A_prev": A_prev * normal(rng, N_X, m),
        "W": W * normal(rng, N_1, N_X),
        "lambda_": LAMBDA,
    }


def _one_input(rng: np.random.Generator, A_prev: float = 1, b: float = 1) -> Inputs:
    """A forward pass over one unit, which nothing sums, with A_prev and b of their own magnitudes."""
    return {"A_prev": A_prev * normal(rng, 1, M), "W": normal(rng, N_1, 1), "b": b * normal(rng, N_1, 1)}


def _summed(dZ: Array, A_prev: Array, W: Array, lambda_: float) -> Any:
    """The summed loss whose derivative by Z is dZ."""
    return np.sum(dZ * by_hand.linear_forward(A_prev, W, np.zeros((N_1, 1))))


def _regularised(dZ: Array, A_prev: Array, W: Array, lambda_: float) -> Any:
    """The regularised cost whose derivative by Z is dZ/m."""
    return _summed(dZ, A_prev, W, lambda_) / M + l2_penalty([W], lambda_, M)


def _square_transposed(value: Array, *args: Any) -> Array:
    """Transposed where the shape does not tell."""
    return value.T if value.shape[0] == value.shape[1] else value


def _of_another_layer(right: Callable[..., Any]) -> Callable[..., Any]:
    """W of the layer above, where it has the same shape."""
    above: dict[tuple[int, ...], Array] = {}

    def planted(dZ: Array, W: Array) -> Any:
        chosen = above.get(W.shape, W)
        above[W.shape] = W
        return right(dZ, chosen)

    return planted


def _updated_before_use(right: Callable[..., Any]) -> Callable[..., Any]:
    """W moved in place as soon as dW is known, so that W^T dZ takes the new W."""

    def planted(dZ: Array, A_prev: Array, W: Array, lambda_: float = 0.0) -> Any:
        dW = right(dZ, A_prev, W, lambda_)
        W -= np.asarray(0.1, W.dtype) * dW
        return dW

    return planted


A, W, B = np.full((2, 3), 0.5), np.ones((4, 2)), np.zeros((4, 1))
"""A layer of 4 units over 2, for 3 examples, to be refused in parts."""

COLUMNS, ROWS = (f"W is (n_l, n_prev), one {each}" for each in ("column per unit of A_prev", "row per row of dZ"))

FORMULAS = (
    Formula(
        (code(by_hand, torch_side, "linear_forward", "F047 F068 F072 F151 F153 F154"),),
        Words(
            "The linear part of a layer",
            r"Z^{[l]} = W^{[l]} A^{[l-1]} + b^{[l]}",
            "Unit $j$ computes $w_j^{T} a + b_j$. Put the rows $w_j^{T}$ one below the other, and the examples side by "
            "side: entry $(j, i)$ of the product is unit $j$ on example $i$. $b$ is a column, added to each of them.",
            "operand-order", "The inner sizes clash, unless the layer is square: then everything runs, and is wrong.",
            see="F067 F069 F073 F074 F076 F077 F078 F080 F081 F082 F085 F086 F087 F088 F152 F155 F157 F159 F160 F161",
            quantities="Z",
        ),
        cases=(
            probe(
                lambda rng: {"A_prev": normal(rng, N_X, M), "W": normal(rng, N_1, N_X), "b": normal(rng, N_1, 1)},
                {"Z": lambda u, at: Z_bound(u, at.A_prev, at.W, at.b)},
                formulas="F047 F068 F072 F151",
            ),
        ),
        sharp=(
            Sharp(0.1, "b alone", lambda rng: _one_input(rng, A_prev=1e-4)),
            Sharp(0.1, "W A alone", lambda rng: _one_input(rng, b=1e-4)),
        ),
        faults=(
            fault("b forgotten in Z", result(lambda Z, A, W, b: Z - b), "Z"),
            fault("one entry of Z moved", result(largest_moved), "Z"),
            fault("a case that compares nothing", instead({}), "", at="bounds"),
            fault("a loop that does nothing", result(lambda Z, *a: 0 * Z), "Z", at="loop"),
        ),
        refusals=(
            refusal(f"W has shape (2, 4), expected (2, 2): {COLUMNS}", A, W.T, B),
            refusal("b has shape (3, 1), expected (4, 1): b is (n_l, 1), one bias per row of W", A, W, B[:3]),
            refusal("b has shape (4,), expected (4, 1): b is (n_l, 1), one bias per row of W", A, W, B[:, 0]),
            refusal(f"A_prev has shape (2, 0), {EXAMPLES}", A[:, :0], W, B),
            refusal(f"A_prev has shape (3,), {EXAMPLES}", A[0], W, B),
            refusal(f"W has shape (2,), {MATRIX}: W is (n_l, n_prev)", A, W[0], B),
        ),
        uncompared={"F153 F154": "a convention of symbols and shapes, which every case keeps"},
    ),
    Formula(
        (code(by_hand, torch_side, "weight_gradient", "F053 F098 F103 F168 F201 F202"),),
        Words(
            "Gradient of the weights",
            r"dW^{[l]} = \frac{1}{m}\, dZ^{[l]} A^{[l-1]\,T} + \frac{\lambda}{m} W^{[l]}",
            "Weight $w_{jk}$ enters only $z_j$, and there with the factor $a_k$. Example $i$ therefore adds "
            "$dz_j^{(i)} a_k^{(i)}$. Summed over the examples, that is row $j$ of $dZ$ against row $k$ of $A$: the "
            "product $dZ\\, A^{T}$. The mean in $J$ gives $1/m$; the penalty $\\frac{\\lambda}{2m} w_{jk}^{2}$ adds "
            "$\\frac{\\lambda}{m} w_{jk}$.",
            "missing-1/m", "dW is m times too large everywhere. Training may even look faster; only numbers beside "
            "numbers show it, or a learning rate that stops working when m changes.",
            see="F097 F100 F104 F108 F109 F112 F113 F114 F115 F119 F118 F166 F174 F179", quantities="dW",
        ),
        cases=(
            probe(
                _layer,
                {"dW": lambda u, at: dW_bound(u, at.dZ, at.A_prev, at.W, at.lambda_)},
                {"dW": Derivative(of=_regularised, wrt="W")},
            ),
        ),
        sharp=(
            Sharp(0.1, "of one example", lambda rng: _layer(rng, m=1, W=1e-4)),
            Sharp(0.1, "the penalty alone", lambda rng: _layer(rng, m=3, dZ=1e-4, A_prev=1e-4)),
        ),
        faults=(
            fault("sign of dW", result(lambda dW, *a: -dW), "dW"),
            fault("1/m lost in dW", result(lambda dW, dZ, *a: dW * M), "dW"),
            fault("second 1/m in dW", result(lambda dW, *a: dW / M), "dW"),
            fault("dW transposed", result(lambda dW, *a: dW.T), "dW", at="manual"),
            fault("dW of square layers transposed", result(_square_transposed), "dW"),
            fault("dW in the other dtype", result(other_dtype), "dW"),
            fault("lambda not over m", result(lambda dW, dZ, A, W, l: dW + (l - l / M) * W), "dW"),
            fault("lambda halved in dW", result(lambda dW, dZ, A, W, l: dW - l / (2 * M) * W), "dW"),
            fault("lambda doubled in dW", result(lambda dW, dZ, A, W, l: dW + l / M * W), "dW"),
            fault("lambda missing in dW", result(lambda dW, dZ, A, W, l: dW - l / M * W), "dW"),
            fault("lambda over m twice", result(lambda dW, dZ, A, W, l: dW + (l / M**2 - l / M) * W), "dW"),
            fault("W updated before its use", _updated_before_use, "dA"),
            fault("zeros for dW", result(lambda dW, *a: 0 * dW), "dW"),
            fault("NaN in dW", result(one_nan), "dW"),
            fault("one entry of dW moved", result(largest_moved), "dW"),
            fault("a referee of the wrong shape", instead(lambda dZ, *a: dZ), "dW", at="reference"),
        ),
        refusals=(
            refusal(
                "dZ has shape (4, 2), expected (4, 3): dZ is (n_l, m), one row per row of W and one column per example",
                W, A, W,
            ),
            refusal(f"W has shape (4, 2), expected (4, 1): {COLUMNS}", np.ones((4, 3)), A[:1], W),
            refusal(f"A_prev has shape (3,), {EXAMPLES}", np.ones((4, 3)), A[0], W),
            refusal(f"W has shape (2,), {MATRIX}: W is (n_l, n_prev)", np.ones((4, 3)), A, W[0]),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "bias_gradient", "F051 F098 F103 F169"),),
        Words(
            "Gradient of the biases",
            r"db^{[l]} = \frac{1}{m} \sum_{i=1}^{m} dz^{[l](i)}",
            "$b_j$ is added to $z_j$ of every example, so all of them have a say: the sum runs over the examples, "
            "along axis 1, and one number is left for each unit. keepdims=True keeps the column.",
            "db-summed-over-all", "All entries of db are equal: the sum ran over the units too.",
            see="F101 F102 F105 F107 F111 F167 F177", quantities="db",
        ),
        cases=(
            probe(
                lambda rng: {"dZ": normal(rng, N_1, M)},
                {"db": lambda u, at: db_bound(u, at.dZ)},
                formulas="F051 F098 F169",
            ),
            Case(
                "dense.bias_gradient_of_layer",
                "F169",
                inputs=lambda rng: {"b": normal(rng, N_1, 1), **_layer(rng)},
                manual=lambda b, dZ, A_prev, W, lambda_: by_hand.bias_gradient(dZ),
                loop=lambda b, dZ, A_prev, W, lambda_: by_hand.bias_gradient_loop(dZ),
                reference=lambda b, dZ, A_prev, W, lambda_: torch_side.linear_backward(dZ, A_prev, W, lambda_).db,
                bounds={"db": lambda u, at: db_bound(u, at.dZ)},
                derivatives={"db": Derivative(
                    of=lambda b, dZ, A_prev, W, lambda_: np.sum(dZ * by_hand.linear_forward(A_prev, W, b)) / M, wrt="b",
                )},
            ),
        ),
        sharp=(Sharp(0.1, "of three examples", lambda rng: {"dZ": normal(rng, 5, 3)}),),
        faults=(
            fault("sign of db", result(lambda db, *a: -db), "db"),
            fault("1/m lost in db", result(lambda db, dZ: db * M), "db"),
            fault("second 1/m in db", result(lambda db, *a: db / M), "db"),
            fault("db summed over the units", instead(lambda dZ: np.sum(dZ, axis=0, keepdims=True).T / M), "db"),
            fault("db summed over everything", result(lambda db, dZ: np.full_like(db, dZ.sum() / M)), "db"),
            fault("db without keepdims", result(lambda db, *a: db[:, 0]), "db"),
            fault("db not summed", instead(lambda dZ: dZ / M), "db"),
            fault("db flat, right numbers", result(lambda db, *a: db.ravel()), "db", at="manual"),
            fault("lambda on b in db", result(lambda db, b, *a: db + a[-1] / M * b), "db",
                  at="case:dense.bias_gradient_of_layer manual"),
            fault("one entry of db moved", result(largest_moved), "db"),
        ),
        refusals=(refusal(f"dZ has shape (3,), {EXAMPLES}", np.ones(3)),),
    ),
    Formula(
        (code(by_hand, torch_side, "input_gradient", "F099 F170 F190"),),
        Words(
            "What a layer hands down",
            r"dA^{[l-1]} = W^{[l]\,T} dZ^{[l]}, \qquad dZ^{[l-1]} = dA^{[l-1]} * g^{[l-1]\prime}(Z^{[l-1]})",
            "$a_k$ reaches the loss through every unit above: $da_k = \\sum_j w_{jk}\\, dz_j$. That is column $k$ of "
            "$W$ against $dz$, hence the transpose. Per example, so without $1/m$. The activation's slope then "
            "multiplies entry by entry.",
            "gprime-missing",
            "dZ of every hidden layer is too large where units are saturated; the output layer is right.",
            see="F093 F106 F116 F117 F178", quantities="dA",
        ),
        cases=(
            probe(
                lambda rng: {"dZ": normal(rng, N_1, M), "W": normal(rng, N_1, N_X)},
                {"dA_prev": lambda u, at: dA_prev_bound(u, at.dZ, at.W)},
            ),
        ),
        sharp=(Sharp(0.1, "of one unit", lambda rng: {"dZ": normal(rng, 1, 7), "W": normal(rng, 1, 3)}),),
        faults=(
            fault("1/m in dA_prev", result(lambda dA, *a: dA / M), "dA"),
            fault("W for W^T in dA_prev", lambda f: lambda dZ, W: f(dZ, _square_transposed(W)), "dA"),
            fault("W of the wrong layer", _of_another_layer, "dA"),
            fault("NaN in dA_prev", result(one_nan), "dA"),
            fault("one entry of dA_prev moved", result(largest_moved), "dA"),
        ),
        refusals=(
            refusal(f"W has shape (4, 2), expected (3, 2): {ROWS}", np.ones((3, 3)), W),
            refusal(f"dZ has shape (3,), {EXAMPLES}", np.ones(3), W),
            refusal(f"W has shape (2,), {MATRIX}: W is (n_l, n_prev)", np.ones((4, 3)), W[0]),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "linear_backward", "F163 F168 F169 F170"),),
        Words(
            "A layer backward",
            r"dZ^{[l]} \;\mapsto\; \bigl(dA^{[l-1]}, dW^{[l]}, db^{[l]}\bigr)",
            "The three derivatives of $Z = W A + b$ under one $dZ$. They need $A^{[l-1]}$ and $W^{[l]}$ from the "
            "forward pass, which is why it keeps them.",
            "wrong-layer",
            "A[l] in place of A[l-1] in dW: the shapes clash, unless neighbouring layers are equally wide.",
            shapes="dZ is (n, m), dA_prev (n_prev, m), dW (n, n_prev), db (n, 1).",
        ),
        cases=(
            probe(
                _layer,
                {
                    "dA_prev": lambda u, at: dA_prev_bound(u, at.dZ, at.W),
                    "dW": lambda u, at: dW_bound(u, at.dZ, at.A_prev, at.W, at.lambda_),
                    "db": lambda u, at: db_bound(u, at.dZ),
                },
                {"dA_prev": Derivative(of=_summed, wrt="A_prev"), "dW": Derivative(of=_regularised, wrt="W")},
            ),
        ),
        refusals=(refusal(f"W has shape (4, 2), expected (3, 2): {ROWS}", np.ones((3, 3)), A, W),),
    ),
)  # fmt: skip
# pragma: no mutate end
