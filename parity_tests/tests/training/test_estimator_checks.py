"""scikit-learn's own checks of estimators, every one that applies; none is expected to fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from sklearn.utils.estimator_checks import parametrize_with_checks

from manual import estimators as by_hand
from torch_ref import estimators as by_torch

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SMALL: dict[str, Any] = {"hidden_layer_sizes": (10,), "max_iter": 30, "learning_rate_init": 0.03}
"""The checks look at scores too, after a fit that need not be long."""


@pytest.mark.slow
@parametrize_with_checks(  # type: ignore[untyped-decorator]  # scikit-learn has no types
    [
        by_hand.NetworkClassifier(**SMALL),
        by_hand.NetworkRegressor(**SMALL),
        by_torch.NetworkClassifier(**SMALL),
        by_torch.NetworkRegressor(**SMALL),
    ]
)
def test_estimator_passes_the_check(estimator: Any, check: Callable[[Any], None]) -> None:
    torch.set_num_threads(1)
    check(estimator)
