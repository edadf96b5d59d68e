"""The complex step: derivatives of any complex-safe NumPy function, exact to rounding.

f(x + i h) = f(x) + i h f'(x) + O(h^2), so Im f(x + i h) / h is f'(x): nothing is subtracted, nothing cancels, and with
h = 1e-30 the O(h^2) term is far below rounding (Squire and Trapp, Using complex variables to estimate derivatives of
real functions, SIAM Review 40, 1998).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

STEP = 1e-30


def complex_step(function: Callable[[NDArray[Any]], Any], at: NDArray[Any]) -> NDArray[np.float64]:
    """Jacobian of ``function`` at a point: entry [..., i, j] is the derivative of its value [...] by at[i, j].

    ``function`` maps an array to a number or an array and must be complex-safe; ``at`` is taken in float64.
    """
    point = np.asarray(at, np.complex128)
    columns = []
    for index in np.ndindex(point.shape):
        moved = point.copy()
        moved[index] += 1j * STEP
        columns.append(np.imag(function(moved)) / STEP)
    shape = np.shape(columns[0])
    jacobian: NDArray[np.float64] = np.stack(columns, axis=-1).reshape(shape + point.shape)
    return jacobian
