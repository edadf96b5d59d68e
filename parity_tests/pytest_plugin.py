"""A pytest fixture for tests of your own derivations; pytest finds it where this package is installed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def verify_derivation() -> Callable[..., None]:
    """A function that judges a derivation and fails the test where a line does not hold, with the cause and the repair.

    A line that was not judged fails it too, with the reason. It takes what ``parity_tests.verify`` takes: a text, a
    file by its name or path, or functions::

        def test_my_gradients(verify_derivation):
            verify_derivation("dW1 = (1/m) * dZ1 @ X.T", "shallow")
            verify_derivation("my_network.py")
            verify_derivation(forward, backward)
    """

    def check(derivation: Any, setting: Any = None, **options: Any) -> None:
        __tracebackhide__ = True
        problem = _problem(derivation, setting, options)
        if problem:
            pytest.fail(problem)

    return check


def _problem(derivation: Any, setting: Any, options: dict[str, Any]) -> str:
    """What does not hold, in words; "" where everything does."""
    from parity_tests.derivations.verdicts import HOLDS, closing  # torch only where it is used
    from parity_tests.derivations.verify import verify

    try:
        judged = verify(derivation, setting, **options)
    except (ValueError, OSError) as error:
        return str(error)
    rows = [str(line) for line in judged.lines if line.verdict != HOLDS]
    return "\n".join([*rows, closing(judged)]) if rows else ""
