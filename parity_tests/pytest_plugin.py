"""A pytest fixture for a person's own tests; switch it on with ``pytest_plugins = ["parity_tests.pytest_plugin"]``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def verify_derivation() -> Callable[..., None]:
    """A function that judges a derivation and fails the test where a line does not hold, with the cause and the repair.

    A line that was not judged fails it too, with the reason. It takes what ``parity_tests.verify`` takes::

        def test_my_gradients(verify_derivation):
            verify_derivation("dW1 = (1/m) * dZ1 @ X.T", "shallow")
    """

    def check(derivation: str, setting: str | None = None, **options: Any) -> None:
        from parity_tests.derivations.verdicts import HOLDS
        from parity_tests.derivations.verify import verify

        wrong = [line for line in verify(derivation, setting, **options).lines if line.verdict != HOLDS]
        if wrong:
            pytest.fail("\n".join(f"{line.place}: {line.message}" for line in wrong), pytrace=False)

    return check
