"""Right formulas of every setting as people write them: none of them may ever be called wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from parity_tests.derivations.settings import SETTINGS
from parity_tests.derivations.settings.setting import derivation_of
from parity_tests.derivations.settings.volumes import CORNERS, over_windows
from parity_tests.tests.derivations import spellings
from parity_tests.tests.derivations.spellings import activation, slope_times, spelled

Rights = dict[str, tuple[str, ...]]


class Right(NamedTuple):
    """A right formula of a setting."""

    setting: str
    symbol: str
    l2: bool
    text: str


def every_right_formula() -> list[Right]:
    """Those of every setting, with the penalty and without it."""
    return [
        Right(setting.name, symbol, l2, derivation_of(symbol, right))
        for setting in SETTINGS.values()
        for symbol in setting.targets
        for l2 in (False, True)
        for right in rights_of(setting.name, symbol, l2)
    ]


def rights_of(name: str, symbol: str, l2: bool) -> tuple[str, ...]:
    """The right sides that hold for a symbol, the setting's own first."""
    target = SETTINGS[name].targets[symbol]
    plain = _TABLE.get(name, {}).get(symbol, ())
    penalised = _PENALISED.get(name, {}).get(symbol, plain)
    return tuple(dict.fromkeys((target.formula(l2), *(penalised if l2 else plain))))


def is_penalised(right: Right) -> bool:
    """Whether the penalty plays a part for the symbol of a formula."""
    target = SETTINGS[right.setting].targets[right.symbol]
    return target.right != target.right_l2 or right.symbol in _PENALISED.get(right.setting, {})


def _network(units: tuple[str, ...], one_output: bool) -> tuple[Rights, Rights]:
    L = len(units)
    found: Rights = {}
    l2: Rights = {}
    cost = spellings.COST[units[-1]] + (spellings.COST_OF_ONE_OUTPUT[units[-1]] if one_output else ())
    found["J"] = spelled(cost, A=f"A{L}", Y="Y", Z=f"Z{L}")
    l2["J"] = with_penalty(found["J"], tuple(f"W{l}" for l in range(1, L + 1)))
    for l, unit in enumerate(units, 1):
        below, slope = f"A{l - 1}" if l > 1 else "X", f"g{l}'(Z{l})"
        here = {"A": f"A{l}", "Z": f"Z{l}", "dA": f"dA{l}", "Y": "Y", "dZ": f"dZ{l}", "A_prev": below, "W": f"W{l}"}
        found[f"Z{l}"] = spelled(spellings.LINEAR, **here, b=f"b{l}")
        found[f"A{l}"] = (f"g{l}(Z{l})", *activation(unit, f"Z{l}"))
        found[f"dW{l}"], l2[f"dW{l}"] = _weights(**here)
        found[f"db{l}"] = spelled(spellings.BIAS_GRADIENT, **here)
        for letter in "Wb":
            found[f"{letter}{l}"] = spelled(spellings.UPDATE, W=f"{letter}{l}", dW=f"d{letter}{l}")
        l2[f"W{l}"] = (*found[f"W{l}"], f"(1 - alpha * lambda_ / m) * W{l} - alpha * (1/m) * dZ{l} @ {below}.T")
        if l == L:
            found[f"dA{l}"] = spelled(spellings.COST_PRIME[unit], **here)
            through = (f"dA{l} * {slope}", f"np.multiply(dA{l}, {slope})") if unit != "softmax" else ()
            found[f"dZ{l}"] = (*spelled(spellings.OUTPUT_DZ[unit], **here), *through)
            continue
        W, dZ = f"W{l + 1}", f"dZ{l + 1}"
        found[f"dA{l}"] = spelled(spellings.INPUT_GRADIENT, W=W, dZ=dZ)
        chained = (
            f"{W}.T @ {dZ} * {slope}", f"dA{l} * {slope}", f"np.dot({W}.T, {dZ}) * {slope}",
            f"np.multiply(np.dot({W}.T, {dZ}), {slope})", f"{slope} * ({W}.T @ {dZ})",
        )  # fmt: skip
        found[f"dZ{l}"] = (*chained, *slope_times(unit, (f"dA{l}", f"({W}.T @ {dZ})"), **here))
    return {**found, "dX": spelled(spellings.INPUT_GRADIENT, W="W1", dZ="dZ1")}, l2


def _weights(**symbols: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return spelled(spellings.WEIGHT_GRADIENT, **symbols), spelled(spellings.WEIGHT_GRADIENT_L2, **symbols)


def with_penalty(costs: tuple[str, ...], weights: tuple[str, ...]) -> tuple[str, ...]:
    """The costs with the L2 penalty on the weights, in several spellings."""
    penalties = (
        f"(lambda_/(2*m)) * {_sum('np.sum({W}**2)', weights)}",
        f"lambda_ / (2*m) * {_sum('np.sum(np.square({W}))', weights)}",
        " + ".join(f"(lambda_/(2*m)) * np.sum(np.power({W}, 2))" for W in weights),
        f"0.5 * lambda_ * {_sum('np.sum({W} * {W})', weights)} / m",
    )
    first, *others = costs
    return (*(f"{first} + {penalty}" for penalty in penalties), *(f"{cost} + {penalties[0]}" for cost in others))


def _sum(template: str, weights: tuple[str, ...]) -> str:
    """A term for every weight, in brackets where there are several."""
    terms = " + ".join(template.format(W=W) for W in weights)
    return terms if len(weights) == 1 else f"({terms})"


def _chunk(rights: Rights) -> Rights:
    """The shallow network's under the names of a chunk."""
    names = {"X": "X_t", "Y": "Y_t", "m": "chunk_size", "J": "J_t", "dX": "dX_t"}
    pattern = re.compile(rf"\b({'|'.join(names)})\b")
    return {
        names.get(symbol, symbol): tuple(pattern.sub(lambda found: names[found[0]], each) for each in rights[symbol])
        for symbol in rights
    }


_NETWORKS: Mapping[str, tuple[Rights, Rights]] = {
    "shallow": _network(("tanh", "sigmoid"), one_output=True),
    "deep": _network(("tanh", "relu", "sigmoid"), one_output=False),
    "multilabel": _network(("tanh", "sigmoid"), one_output=False),
    "softmax": _network(("tanh", "softmax"), one_output=False),
    "regression": _network(("tanh", "identity"), one_output=False),
}

_HERE = {"Z": "Z", "A": "A", "Y": "Y", "dA": "dA", "A_prev": "A_prev", "W": "W", "b": "b", "dZ": "dZ"}
_COSTS = spelled(spellings.COST["sigmoid"] + spellings.COST_OF_ONE_OUTPUT["sigmoid"], **_HERE)
_DZ = (*spellings.OUTPUT_DZ["sigmoid"], "{dA} * sigmoid'({Z})")
_DW = (
    "(1/m) * X @ dZ.T", "1/m * np.dot(X, dZ.T)", "np.dot(X, dZ.T) / m", "X @ dZ.T / m",
    "np.mean(X * dZ, axis=1, keepdims=True)", "(1/m) * np.sum(X * dZ, axis=1, keepdims=True)",
)  # fmt: skip
_UPDATE = {name: spelled(spellings.UPDATE, W=name, dW=f"d{name}") for name in ("w", "b", "w1", "w2", "W")}
_A = "sigmoid(w.T @ X + b)"
_LOOP_COSTS = spelled(spellings.COST["sigmoid"], Z="(w.T @ X + b)", A=_A, Y="Y")
_LOOP_DW = (f"(1/m) * X @ ({_A} - Y).T", f"np.dot(X, ({_A} - Y).T) / m")
_ENTRIES = {f"dw{j + 1}": (f"(1/m) * np.sum(X[{j}, :] * ({_A} - Y))", f"np.mean(X[{j}] * ({_A} - Y))") for j in (0, 1)}
_NODE = {"Z": "z", "A": "a", "Y": "y", "dA": "da"}


def _decayed(dw: str) -> str:
    """The update of w with the penalty's part written as weight decay."""
    return f"(1 - alpha * lambda_ / m) * w - alpha * {dw}"


def _activation(unit: str) -> Rights:
    named, *spelled_out = activation(unit, "z")
    through = ("da * g'", "np.multiply(da, g')", *slope_times(unit, ("da",), Z="z", A="a"))
    return {
        "a": (*spelled_out, named), "g_prime": spelled(spellings.SLOPE[unit], Z="z", A="a"), "dz": through
    }  # fmt: skip


def _cost(unit: str) -> Rights:
    slope = () if unit == "softmax" else (f"dA * {unit}'(Z)",)
    return {
        "J": spelled(spellings.COST[unit], **_HERE),
        "dA": spelled(spellings.COST_PRIME[unit], **_HERE),
        "dZ": (*spelled(spellings.OUTPUT_DZ[unit], **_HERE), *slope),
    }


# windows

_WINDOWS = (
    "A_prev_pad[i, vert_start:vert_end, horiz_start:horiz_end, :]",
    "A_prev_pad[i, h*stride:h*stride+f, w*stride:w*stride+f]",
)
_CONV_DW = over_windows(f"dW[..., c] += (1/m) * {_WINDOWS[1]} * dZ[i, h, w, c]", before=("dW = np.zeros_like(W)",))
_CONV_ROWS = "(im2col(A_prev, f, stride, pad).T @ dZ.reshape(-1, n_C)).reshape(f, f, n_C_prev, n_C) / m"
_CONV_DA = (
    "dA_prev = np.zeros((m, n_H_prev, n_W_prev, n_C_prev))\ndA_prev_pad = zero_pad(dA_prev, pad)\nfor i in range(m):\n"
    "    da_prev_pad = dA_prev_pad[i]\n"
    "    for h in range(n_H):\n        for w in range(n_W):\n            for c in range(n_C):\n"
    + "".join(f"{' ' * 16}{line}\n" for line in CORNERS)
    + f"{' ' * 16}da_prev_pad[vert_start:vert_end, horiz_start:horiz_end, :] += W[..., c] * dZ[i, h, w, c]\n"
    "    dA_prev[i, :, :, :] = da_prev_pad[pad:pad+n_H_prev, pad:pad+n_W_prev, :]",
    "col2im(dZ.reshape(-1, n_C) @ W.reshape(-1, n_C).T, n_H_prev, n_W_prev, f, stride, pad)",
)
_CONV_DB = (
    "np.sum(dZ, axis=(0, 1, 2), keepdims=True) / m",
    "1/m * dZ.sum(axis=(0, 1, 2)).reshape(1, 1, 1, n_C)",
    over_windows("db[:, :, :, c] += dZ[i, h, w, c]", before=("db = np.zeros((1, 1, 1, n_C))",), after=("db /= m",)),
    over_windows("db[..., c] += dZ[i, h, w, c] / m", before=("db = np.zeros_like(b)",)),
)
_CONV_Z = (
    over_windows(
        *CORNERS,
        f"a_slice = {_WINDOWS[0]}",
        "Z[i, h, w, c] = np.sum(a_slice * W[:, :, :, c]) + b[0, 0, 0, c]",
        before=("Z = np.zeros((m, n_H, n_W, n_C))",),
    ),
    over_windows(
        f"Z[i, h, w, c] = np.sum(np.multiply({_WINDOWS[1]}, W[..., c])) + np.sum(b[..., c])",
        before=("Z = np.zeros((m, n_H, n_W, n_C))",),
    ),
    "(im2col(A_prev, f, stride, pad) @ W.reshape(-1, n_C)).reshape(m, n_H, n_W, n_C) + b",
)
_CELLS = "[i, vert_start:vert_end, horiz_start:horiz_end, c]"
_WRITTEN_OUT = "[i, h*stride:h*stride+f, w*stride:w*stride+f, c]"
_START = ("dA_prev = np.zeros_like(A_prev)",)
_MASKED = over_windows(
    f"a = A_prev{_WRITTEN_OUT}", f"dA_prev{_WRITTEN_OUT} += (a == np.max(a)) * dA[i, h, w, c]",
    before=("dA_prev = np.zeros((m, n_H_prev, n_W_prev, n_C))",),
)  # fmt: skip
_SHARED = (
    over_windows(
        *CORNERS, "average = dA[i, h, w, c] / f**2", f"dA_prev{_CELLS} += np.ones((f, f)) * average", before=_START
    ),
    over_windows(f"dA_prev{_WRITTEN_OUT} += (1/(f*f)) * dA[i, h, w, c]", before=_START),
)


def _pooled(value: str) -> tuple[str, ...]:
    start = ("A = np.zeros((m, n_H, n_W, n_C))",)
    a_slice = f"a_slice = A_prev{_CELLS}"
    return (
        over_windows(*CORNERS, a_slice, f"A[i, h, w, c] = {value.format('a_slice')}", before=start),
        over_windows(f"A[i, h, w, c] = {value.format(f'A_prev{_WRITTEN_OUT}')}", before=start),
    )


# labels, the softmax's Jacobian, a layer entry by entry

_SUBTRACTED = "dscores = probs\ndscores[range(m), y] -= 1\n"
_SHIFTED = "scores - np.max(scores, axis=1, keepdims=True)"
_LABELS_DW = """\
dW = np.zeros((n_x, n_C))
for j in range(n_x):
    for k in range(n_C):
        for i in range(m):
            dW[j, k] += X[i, j] * dscores[i, k]"""
_JACOBIAN = """\
jacobian = np.zeros((n, n))
for i in range(n):
    for j in range(n):
        jacobian[i, j] = a[i] * ((i == j) - a[j])"""
_JACOBIAN_DZ = """\
dZ = np.zeros((n, m))
for e in range(m):
    for i in range(n):
        for j in range(n):
            dZ[i, e] += dA[j, e] * A[j, e] * ((i == j) - A[i, e])"""
_LAYER_DW = """\
dW = np.zeros((n, n_prev))
for i in range(n):
    for j in range(n_prev):
        for e in range(m):
            dW[i, j] += dA[i, e] * g'(Z[i, e]) * A_prev[j, e]
dW /= m"""
_LAYER_DA = """\
dA_prev = np.zeros((n_prev, m))
for i in range(n_prev):
    for j in range(m):
        for c in range(n):
            dA_prev[i, j] += dA[c, j] * g'(Z[c, j]) * W[c, i]"""
_LAYER_DB = """\
db = np.zeros((n, 1))
for i in range(n):
    for e in range(m):
        db[i, 0] += dZ[i, e] / m"""
_WEIGHTS = _weights(**_HERE)
_STEPS = "{name} = {start}\n{name} = {name} / keep_prob"
_V = (
    "(1 - {beta}) * dW + {beta} * v", "np.multiply({beta}, v) + (1 - {beta}) * dW", "v + (1 - {beta}) * (dW - v)",
)  # fmt: skip
_S = tuple(f"beta2 * s + (1 - beta2) * {square}" for square in ("np.square(dW)", "np.power(dW, 2)", "dW * dW"))


def _corrected(name: str, beta: str) -> tuple[str, ...]:
    return f"np.divide({name}, 1 - {beta}**t)", f"{name} / (1 - np.power({beta}, t))"


def _size(n: str) -> tuple[str, ...]:
    span = f"({n} + 2*pad - f)"
    return (
        f"int({span} / stride) + 1", f"np.floor({span} / stride + 1)", f"int({span} / stride + 1)",
        f"1 + np.floor((2*pad + {n} - f) / stride)",
    )  # fmt: skip


_TABLE: dict[str, Rights] = {
    **{name: plain for name, (plain, _) in _NETWORKS.items()},
    "minibatch": _chunk(_NETWORKS["shallow"][0]),
    "logistic": {
        "Z": ("w.T @ X + b", "np.dot(w.T, X) + b", "np.matmul(w.T, X) + b", "(X.T @ w).T + b"),
        "A": activation("sigmoid", "Z"),
        "J": _COSTS,
        "dA": spelled(spellings.COST_PRIME["sigmoid"], **_HERE),
        "dZ": spelled(_DZ, **_HERE),
        "dw": _DW,
        "db": ("(1/m) * np.sum(dZ)", "np.sum(dZ) / m", "np.mean(dZ)", "1/m * dZ.sum()"),
        **_UPDATE,
    },
    "logistic-loop": {
        "J": _LOOP_COSTS,
        "dw": _LOOP_DW,
        "db": (f"np.mean({_A} - Y)",),
        **{name: (*sums, f"dw[{j}, 0]") for j, (name, sums) in enumerate(_ENTRIES.items())},
        **_UPDATE,
    },
    "logistic-one": {
        "z": ("w1 * x1 + w2 * x2 + b", "(w.T @ x)[0, 0] + b", "np.dot(w[:, 0], x[:, 0]) + b"),
        "a": activation("sigmoid", "z"),
        "L": (
            "-y * np.log(a) - (1 - y) * np.log(1 - a)", "np.log1p(np.exp(z)) - y * z",
            "np.where(y == 1, -np.log(a), -np.log(1 - a))",
        ),
        "da": spelled(spellings.COST_PRIME["sigmoid"], **_NODE),
        "dz": spelled(_DZ, **_NODE),
        **{f"d{w}": (f"dz * {x}", f"{x} * (a - y)") for w, x in (("w", "x"), ("w1", "x1"), ("w2", "x2"))},
        "db": ("a - y", "da * a * (1 - a)"),
        **_UPDATE,
    },
    "layer": {
        "Z": spelled(spellings.LINEAR, **_HERE),
        "A": activation("tanh", "Z"),
        "dA": spelled(spellings.INPUT_GRADIENT, W="W_next", dZ="dZ_next"),
        "dZ": (
            "np.multiply(dA, g'(Z))", "W_next.T @ dZ_next * g'(Z)", "np.dot(W_next.T, dZ_next) * g'(Z)",
            *slope_times("tanh", ("dA", "(W_next.T @ dZ_next)"), **_HERE),
        ),
        "dW": (*_WEIGHTS[0], _LAYER_DW),
        "db": (*spelled(spellings.BIAS_GRADIENT, **_HERE), _LAYER_DB),
        "dA_prev": (*spelled(spellings.INPUT_GRADIENT, **_HERE), _LAYER_DA),
        **_UPDATE,
    },
    "convolution": {"Z": _CONV_Z, "dW": (_CONV_DW, _CONV_ROWS), "db": _CONV_DB, "dA_prev": _CONV_DA, **_UPDATE},
    "max-pool": {"A": (*_pooled("np.max({})"), "max_pool(A_prev, f, stride)"), "dA_prev": (_MASKED,)},
    "average-pool": {
        "A": (*_pooled("np.mean({})"), *_pooled("np.sum({}) / (f * f)"), "average_pool(A_prev, f, stride)"),
        "dA_prev": _SHARED,
    },
    "flatten": {
        "A_flat": ("np.reshape(A, (m, n_H*n_W*n_C)).T", "A.reshape(m, n_H*n_W*n_C).T"),
        "dA": ("np.reshape(dA_flat.T, (m, n_H, n_W, n_C))",),
    },
    "sizes": {
        "n_H": _size("n_H_prev"),
        "n_W": _size("n_W_prev"),
        "same_pad": ("0.5 * (f - 1)",),
        "conv_parameters": ("f * f * n_C_prev * n_C + n_C", "(f**2 * n_C_prev + 1) * n_C"),
        "conv_weights": ("f**2 * n_C_prev * n_C",),
        "dense_parameters": ("n * n_prev + n",),
        "dense_weights": ("n_prev * n",),
    },
    "initialization": {
        "he": ("(2/n_prev)**0.5", "np.sqrt(2) / np.sqrt(n_prev)"),
        "xavier": ("(2/(n_prev + n))**0.5",),
        "lecun": ("np.sqrt(1/n_prev)", "n_prev**-0.5"),
        "small": ("1/100",),
    },
    "softmax-jacobian": {
        "A": ("np.exp(Z) / np.sum(np.exp(Z), axis=0)",),
        "jacobian": ("np.eye(n) * a - np.outer(a, a)", _JACOBIAN),
        "dz": ("jacobian.T @ da", "a * (da - np.sum(a * da))"),
        "dZ": ("A * dA - A * np.sum(A * dA, axis=0)", _JACOBIAN_DZ),
    },
    "labels": {
        "scores": ("np.dot(X, W) + b", "X.dot(W) + b"),
        "probs": ("softmax(scores.T).T", f"e = np.exp({_SHIFTED})\nprobs = e / np.sum(e, axis=1, keepdims=True)"),
        "loss": (
            "np.mean(-np.log(probs[np.arange(m), y]))",
            "correct = -np.log(probs[range(m), y])\nloss = (1/m) * np.sum(correct)",
            "loss = 0\nfor i in range(m):\n    loss -= np.log(probs[i, y[i]])\nloss /= m",
        ),
        "dscores": (
            f"{_SUBTRACTED}dscores = dscores / m", "(probs - np.eye(n_C)[y]) / m",
            "dscores = (1/m) * probs\ndscores[np.arange(m), y] -= 1/m",
        ),
        "dW": ("np.dot(X.T, dscores)", "X.T.dot(dscores)", _LABELS_DW),
        "db": ("dscores.sum(axis=0)",),
    },
    "dropout": {
        "D": ("np.where(U < keep_prob, 1, 0)", "keep_prob > U"),
        "A_drop": ("np.multiply(A, D) / keep_prob", "(1/keep_prob) * A * D", "A * (D / keep_prob)"),
        "A": ("np.multiply(A, D) / keep_prob", _STEPS.format(name="A", start="A * D")),
        "dA": (
            "dA * D / keep_prob", "np.multiply(dA_drop, D) / keep_prob", _STEPS.format(name="dA", start="dA * D"),
            "(1/keep_prob) * dA_drop * D",
        ),
    },
    "momentum": {
        "v": spelled(_V, beta="beta"), "W": ("W - v * alpha", "W + -alpha * v")
    },
    "rmsprop": {
        "s": _S,
        "W": (
            "W - alpha * (dW / (np.sqrt(s) + epsilon))", "W - alpha * np.divide(dW, (np.sqrt(s) + epsilon))",
            "W - alpha * dW / (s**0.5 + epsilon)",
        ),
    },
    "adam": {
        "v": spelled(_V, beta="beta1"),
        "s": _S,
        "v_corrected": _corrected("v", "beta1"),
        "s_corrected": _corrected("s", "beta2"),
        "W": (
            "W - alpha * (v_corrected / (np.sqrt(s_corrected) + epsilon))",
            "W - alpha * np.divide(v_corrected, np.sqrt(s_corrected) + epsilon)",
            "W - alpha * v_corrected / (epsilon + s_corrected**0.5)",
            "W - alpha * (v / (1 - beta1**t)) / (np.sqrt(s / (1 - beta2**t)) + epsilon)",
        ),
    },
    **{unit: _activation(unit) for unit in ("sigmoid", "tanh", "relu", "leaky_relu")},
    "binary_cross_entropy": _cost("sigmoid"),
    "cross_entropy": _cost("softmax"),
    "squared_error": _cost("identity"),
}  # fmt: skip

_PENALISED: dict[str, Rights] = {
    **{name: penalised for name, (_, penalised) in _NETWORKS.items()},
    "minibatch": _chunk(_NETWORKS["shallow"][1]),
    "logistic": {
        "J": with_penalty(_COSTS, ("w",)),
        "dw": (
            *(f"{dw} + (lambda_/m) * w" for dw in _DW), "(X @ dZ.T + lambda_ * w) / m",
            "(1/m) * (np.dot(X, dZ.T) + lambda_ * w)",
        ),
        "w": (*_UPDATE["w"], _decayed("(1/m) * X @ dZ.T")),
    },
    "logistic-loop": {
        "J": with_penalty(_LOOP_COSTS, ("w",)),
        "dw": tuple(f"{dw} + (lambda_/m) * w" for dw in _LOOP_DW),
        **{
            name: (*(f"{total} + (lambda_/m) * w[{j}, 0]" for total in sums), f"dw[{j}, 0]")
            for j, (name, sums) in enumerate(_ENTRIES.items())
        },
        "w": (*_UPDATE["w"], _decayed(_LOOP_DW[0])),
    },
    "layer": {
        "dW": (*_WEIGHTS[1], f"{_LAYER_DW}\ndW += (lambda_/m) * W"),
        "W": (*_UPDATE["W"], "(1 - alpha * lambda_ / m) * W - alpha * (1/m) * dZ @ A_prev.T"),
    },
    "convolution": {"dW": (f"{_CONV_DW}\ndW += (lambda_/m) * W", f"{_CONV_ROWS} + (lambda_/m) * W")},
}  # fmt: skip
