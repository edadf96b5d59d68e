"""A network with dropout, settings that leave nothing out, and forty examples."""

from __future__ import annotations

from typing import Any

import numpy as np

from manual.architecture import Architecture, Dense, Dropout
from manual.shared.settings import Examples, Settings

NET = Architecture(5, (Dense(7, "tanh"), Dropout(0.8), Dense(3, "softmax")))
SETTINGS = Settings("momentum", 0.1, batch_size=9, lambda_=0.7, clip=0.3, epochs=3)


def examples(dtype: Any = np.float64) -> Examples:
    """40 of them."""
    rng = np.random.default_rng(0)
    return Examples(rng.standard_normal((5, 40)).astype(dtype), np.eye(3, dtype=dtype)[:, rng.integers(0, 3, 40)])
