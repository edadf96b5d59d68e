"""What a person's function gave."""

from __future__ import annotations

from typing import Any, NamedTuple


class Returned(NamedTuple):
    """What a function gave on a probe: its outputs in order, or the sentence of its exception."""

    outputs: list[Any]
    problem: str
