"""How people write a formula: right sides that are equal, the notes' own first, with places for the symbols."""

from __future__ import annotations

ACTIVATION: dict[str, tuple[str, ...]] = {
    "sigmoid": ("1 / (1 + np.exp(-{Z}))", "np.exp({Z}) / (1 + np.exp({Z}))"),
    "tanh": ("(np.exp({Z}) - np.exp(-{Z})) / (np.exp({Z}) + np.exp(-{Z}))", "2 * sigmoid(2 * {Z}) - 1"),
    "relu": ("np.maximum(0, {Z})", "np.maximum({Z}, 0)", "{Z} * ({Z} > 0)", "np.where({Z} > 0, {Z}, 0)"),
    "leaky_relu": (
        "np.maximum(0.01 * {Z}, {Z})",
        "np.where({Z} > 0, {Z}, 0.01 * {Z})",
        "{Z} * ({Z} > 0) + 0.01 * {Z} * ({Z} <= 0)",
    ),
    "identity": ("{Z}",),
    "softmax": (
        "np.exp({Z}) / np.sum(np.exp({Z}), axis=0, keepdims=True)",
        "np.exp({Z}) / np.sum(np.exp({Z}), axis=0)",
        "np.exp({Z} - np.max({Z}, axis=0, keepdims=True)) "
        "/ np.sum(np.exp({Z} - np.max({Z}, axis=0, keepdims=True)), axis=0, keepdims=True)",
    ),
}
"""A from Z, spelled out; beside it stands the function's name."""

SLOPE: dict[str, tuple[str, ...]] = {
    "sigmoid": (
        "{A} * (1 - {A})",
        "{A} - {A}**2",
        "sigmoid({Z}) * (1 - sigmoid({Z}))",
        "sigmoid'({Z})",
        "np.exp(-{Z}) / (1 + np.exp(-{Z}))**2",
        "np.exp({Z}) / (np.exp({Z}) + 1)**2",
    ),
    "tanh": (
        "1 - {A}**2",
        "1 - np.power({A}, 2)",
        "1 - np.square({A})",
        "1 - np.tanh({Z})**2",
        "(1 - {A}) * (1 + {A})",
        "tanh'({Z})",
    ),
    "relu": ("{Z} > 0", "{A} > 0", "np.where({Z} > 0, 1, 0)", "{Z} >= 0", "relu'({Z})"),
    "leaky_relu": (
        "np.where({Z} > 0, 1, 0.01)",
        "({Z} > 0) + 0.01 * ({Z} <= 0)",
        "0.01 + 0.99 * ({Z} > 0)",
        "leaky_relu'({Z})",
    ),
    "identity": ("np.ones_like({Z})", "identity'({Z})"),
}
"""g'(Z), from Z or A; the softmax has none that acts entry by entry."""

COST: dict[str, tuple[str, ...]] = {
    "sigmoid": (
        "-(1/m) * np.sum({Y} * np.log({A}) + (1 - {Y}) * np.log(1 - {A}))",
        "-np.sum({Y} * np.log({A}) + (1 - {Y}) * np.log(1 - {A})) / m",
        "-1/m * np.sum(np.multiply(np.log({A}), {Y}) + np.multiply(np.log(1 - {A}), 1 - {Y}))",
        "(1/m) * np.sum(-{Y} * np.log({A}) - (1 - {Y}) * np.log(1 - {A}))",
        "(1/m) * np.sum(np.log1p(np.exp({Z})) - {Y} * {Z})",
        "(1/m) * np.sum(np.maximum({Z}, 0) - {Y} * {Z} + np.log1p(np.exp(-np.abs({Z}))))",
    ),
    "softmax": (
        "-(1/m) * np.sum({Y} * np.log({A}))",
        "-np.sum({Y} * np.log({A})) / m",
        "-1/m * np.sum(np.multiply({Y}, np.log({A})))",
        "-np.mean(np.sum({Y} * np.log({A}), axis=0))",
        "(1/m) * np.sum({Y} * (np.log(np.sum(np.exp({Z}), axis=0, keepdims=True)) - {Z}))",
    ),
    "identity": (
        "(1/(2*m)) * np.sum(({A} - {Y})**2)",
        "1/(2*m) * np.sum(np.square({A} - {Y}))",
        "np.sum(({A} - {Y})**2) / (2*m)",
        "0.5 * np.sum(np.power({Y} - {A}, 2)) / m",
        "(1/m) * np.sum(({A} - {Y})**2 / 2)",
    ),
}
"""J without a penalty, by the output unit."""

COST_OF_ONE_OUTPUT: dict[str, tuple[str, ...]] = {
    "sigmoid": ("-np.mean({Y} * np.log({A}) + (1 - {Y}) * np.log(1 - {A}))",),
}
"""J of a network with one output unit, where the mean over all entries is the mean over the examples."""

COST_PRIME: dict[str, tuple[str, ...]] = {
    "sigmoid": (
        "-{Y} / {A} + (1 - {Y}) / (1 - {A})",
        "-(np.divide({Y}, {A}) - np.divide(1 - {Y}, 1 - {A}))",
        "({A} - {Y}) / ({A} * (1 - {A}))",
        "({A} - {Y}) / ({A} - {A}**2)",
        "-{Y} / {A} + ({Y} - 1) / ({A} - 1)",
    ),
    "softmax": ("-{Y} / {A}", "-np.divide({Y}, {A})"),
    "identity": ("{A} - {Y}", "-({Y} - {A})"),
}
"""dA of the output, per example."""

OUTPUT_DZ: dict[str, tuple[str, ...]] = {
    "sigmoid": (
        "{A} - {Y}",
        "-({Y} - {A})",
        "{dA} * {A} * (1 - {A})",
        "{dA} * ({A} - {A}**2)",
        "sigmoid({Z}) - {Y}",
    ),
    "softmax": (
        "{A} - {Y}",
        "-({Y} - {A})",
        "{A} * ({dA} - np.sum({A} * {dA}, axis=0, keepdims=True))",
        "{A} * np.sum({Y}, axis=0, keepdims=True) - {Y}",
        "softmax({Z}) - {Y}",
    ),
    "identity": ("{A} - {Y}", "{dA}", "{Z} - {Y}"),
}
"""dZ of the output, per example."""

LINEAR = (
    "{W} @ {A_prev} + {b}",
    "np.dot({W}, {A_prev}) + {b}",
    "np.matmul({W}, {A_prev}) + {b}",
    "{b} + {W} @ {A_prev}",
)
"""Z of a dense layer."""

INPUT_GRADIENT = ("{W}.T @ {dZ}", "np.dot({W}.T, {dZ})", "({dZ}.T @ {W}).T")
"""dA of the layer below."""

WEIGHT_GRADIENT = (
    "(1/m) * {dZ} @ {A_prev}.T",
    "1/m * np.dot({dZ}, {A_prev}.T)",
    "np.dot({dZ}, {A_prev}.T) / m",
    "{dZ} @ {A_prev}.T / m",
    "(1/m) * np.matmul({dZ}, {A_prev}.T)",
    "({dZ} / m) @ {A_prev}.T",
    "(1/m) * ({A_prev} @ {dZ}.T).T",
)
"""dW without a penalty."""

WEIGHT_GRADIENT_L2 = (
    "(1/m) * {dZ} @ {A_prev}.T + (lambda_/m) * {W}",
    "1/m * np.dot({dZ}, {A_prev}.T) + lambda_/m * {W}",
    "np.dot({dZ}, {A_prev}.T) / m + lambda_ * {W} / m",
    "({dZ} @ {A_prev}.T + lambda_ * {W}) / m",
    "(1/m) * ({dZ} @ {A_prev}.T + lambda_ * {W})",
    "(1/m) * ({A_prev} @ {dZ}.T).T + (1/m) * lambda_ * {W}",
)
"""dW with the penalty."""

BIAS_GRADIENT = (
    "(1/m) * np.sum({dZ}, axis=1, keepdims=True)",
    "np.mean({dZ}, axis=1, keepdims=True)",
    "np.sum({dZ}, axis=1, keepdims=True) / m",
    "1/m * {dZ}.sum(axis=1, keepdims=True)",
    "{dZ} @ np.ones((m, 1)) / m",
)
"""db."""

UPDATE = ("{W} - alpha * {dW}", "{W} - {dW} * alpha", "{W} + -alpha * {dW}")
"""A parameter after a step."""


def spelled(templates: tuple[str, ...], **symbols: str) -> tuple[str, ...]:
    """The right sides with symbols in their places."""
    return tuple(template.format(**symbols) for template in templates)


def activation(unit: str, Z: str) -> tuple[str, ...]:
    """A from Z, by the function's name and spelled out."""
    named = "np.tanh" if unit == "tanh" else unit
    return (f"{named}({Z})", *spelled(ACTIVATION[unit], Z=Z))


def slope_times(unit: str, upstreams: tuple[str, ...], **symbols: str) -> tuple[str, ...]:
    """dZ: each of the upstream derivatives times each spelling of g'(Z)."""
    slopes = (f"({slope})" for slope in spelled(SLOPE[unit], **symbols))
    return tuple(f"{upstream} * {slope}" for slope in slopes for upstream in upstreams)
