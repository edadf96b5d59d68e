"""What test_apart runs in the worker: the file, and its function ``answer``."""

from __future__ import annotations

from typing import Any

from parity_tests.apart.worker import imported


def main(path: str, *words: str) -> dict[str, Any]:
    """The value of ``answer``, where the file has it."""
    answer = getattr(imported(path), "answer", None)
    return {"value": answer(*words) if answer else None}
