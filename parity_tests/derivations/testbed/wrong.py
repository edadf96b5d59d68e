"""A wrong formula of the test-bed."""

from __future__ import annotations

from typing import NamedTuple


class Wrong(NamedTuple):
    """A wrong formula, the setting it belongs to, whether J has the penalty, and the mistake."""

    setting: str
    formula: str
    cause: str
    l2: bool = False
