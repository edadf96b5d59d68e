"""What normalisation takes where nothing is said: columns, epsilon inside the root, a tenth of the new batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from manual import normalization

A, COLUMN = np.arange(12.0).reshape(3, 4) ** 1.5, np.array([[2.0], [0.5], [-1.0]])
EPSILON, MOMENTUM = 1e-5, 0.1
UNSAID: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
    "batch_norm_forward": ((A, COLUMN, COLUMN), ("columns", EPSILON)),
    "batch_norm_backward": ((A, A, COLUMN), ("columns", EPSILON)),
    "running_statistics": ((A, COLUMN, COLUMN), ("columns", MOMENTUM)),
    "batch_norm_predict": ((A, COLUMN, COLUMN, COLUMN, COLUMN**2), (EPSILON,)),
    "batch_norm_predict_backward": ((A, A, COLUMN, COLUMN, COLUMN**2), ("columns", EPSILON)),
    "layer_norm_forward": ((A, COLUMN, COLUMN), ("columns", EPSILON)),
    "layer_norm_backward": ((A, A, COLUMN), ("columns", EPSILON)),
}


def parts(found: Any) -> tuple[Any, ...]:
    """The fields of a bundle, or the one array."""
    return found if isinstance(found, tuple) else (found,)


@pytest.mark.parametrize("name", [name + loop for name in UNSAID for loop in ("", "_loop")])
def test_what_is_not_said(name: str) -> None:
    arrays, said = UNSAID[name.removesuffix("_loop")]
    function: Callable[..., Any] = getattr(normalization, name)
    for one, other in zip(parts(function(*arrays)), parts(function(*arrays, *said)), strict=True):
        np.testing.assert_array_equal(one, other)
