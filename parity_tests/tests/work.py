"""How much is done, counted in calls of functions: a test of it has the same answer on every machine."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def at_most(calls: int) -> Iterator[None]:
    """Fail where the work inside calls functions, of Python or of C, more often than this."""
    count = 0

    def counted(frame: object, event: str, argument: object) -> Any:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        yield
    finally:
        sys.setprofile(before)
    assert count <= calls, f"{count:,} calls, expected at most {calls:,}"
