"""Mistakes to plant in whole networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from manual.architecture import Architecture
from manual.notation import Array
from parity_tests.formulas.case import LAMBDA, M


def layers_swapped(right: Callable[..., Any]) -> Callable[..., Any]:
    """Layers 2 and 3, which have one shape, in the wrong order."""

    def planted(architecture: Architecture, params: dict[str, Array], X: Array, masks: Any = None) -> Any:
        return right(architecture, {**params, "W2": params["W3"], "W3": params["W2"]}, X, masks)

    return planted


def biases_penalised(J: Any, architecture: Any, params: dict[str, Array], *rest: Any) -> Any:
    """lambda/(2m) sum b^2 on top of the cost."""
    return J + LAMBDA / (2 * M) * sum(np.sum(value**2) for name, value in params.items() if name[0] == "b")
