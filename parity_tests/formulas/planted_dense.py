"""Mistakes to plant: in the formulas of dense layers, and in any array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from manual.architecture import Architecture
from manual.notation import Array
from parity_tests.formulas.case import LAMBDA, M

Change: TypeAlias = Callable[[Any], Any]
"""Takes what is right and returns what is planted in its place."""


def result(alter: Callable[..., Any]) -> Change:
    """A fault in the result: ``alter`` receives it, then the arguments of the call."""

    def change(right: Callable[..., Any]) -> Callable[..., Any]:
        def planted(*args: Any, **options: Any) -> Any:
            return alter(right(*args, **options), *args)

        return planted

    return change


def instead(formula: Any) -> Change:
    """A fault in the formula: this one stands in its place."""
    return lambda right: formula


def largest_moved(value: Any, *args: Any) -> Any:
    """The largest entry moved by 1e-9 of itself in float64, by as many units of roundoff in float32."""
    value = np.array(value)
    place = np.unravel_index(int(np.argmax(np.abs(value))), value.shape)
    value[place] *= 1 + 1.1e-9 * float(np.finfo(value.dtype).eps) / 2**-52
    return value if value.ndim else value[()]


def one_nan(value: Any, *args: Any) -> Any:
    """NaN in the first entry."""
    value = value.copy()
    value.flat[0] = np.nan
    return value


def other_dtype(value: Any, *args: Any) -> Any:
    """The same numbers in the other dtype."""
    return value.astype(np.float32 if value.dtype == np.float64 else np.float64)


def square_transposed(value: Array, *args: Any) -> Array:
    """Transposed where the shape does not tell."""
    return value.T if value.shape[0] == value.shape[1] else value


def of_another_layer(right: Callable[..., Any]) -> Callable[..., Any]:
    """W of the layer above, where it has the same shape."""
    above: dict[tuple[int, ...], Array] = {}

    def planted(dZ: Array, W: Array) -> Any:
        chosen = above.get(W.shape, W)
        above[W.shape] = W
        return right(dZ, chosen)

    return planted


def updated_before_use(right: Callable[..., Any]) -> Callable[..., Any]:
    """W moved in place as soon as dW is known, so that W^T dZ takes the new W."""

    def planted(dZ: Array, A_prev: Array, W: Array, lambda_: float = 0.0) -> Any:
        dW = right(dZ, A_prev, W, lambda_)
        W -= np.asarray(0.1, W.dtype) * dW
        return dW

    return planted


def layers_swapped(right: Callable[..., Any]) -> Callable[..., Any]:
    """Layers 2 and 3, which have one shape, in the wrong order."""

    def planted(architecture: Architecture, params: dict[str, Array], X: Array, masks: Any = None) -> Any:
        return right(architecture, {**params, "W2": params["W3"], "W3": params["W2"]}, X, masks)

    return planted


def biases_penalised(J: Any, architecture: Any, params: dict[str, Array], *rest: Any) -> Any:
    """lambda/(2m) sum b^2 on top of the cost."""
    return J + LAMBDA / (2 * M) * sum(np.sum(value**2) for name, value in params.items() if name[0] == "b")
