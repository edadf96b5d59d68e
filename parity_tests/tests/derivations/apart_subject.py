"""What test_apart runs in the worker: the file, and its function ``answer``."""

from __future__ import annotations

import tempfile
from typing import Any

from parity_tests.apart.worker import imported

tempfile.gettempdir()  # which is remembered, as by a library that asks on import


def main(path: str, *words: str) -> dict[str, Any]:
    """The value of ``answer``, where the file has it."""
    answer = getattr(imported(path), "answer", None)
    return {"value": answer(*words) if answer else None}
