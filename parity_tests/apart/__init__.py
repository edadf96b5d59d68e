"""Files of people's Python, run in a process of their own, within limits, with nothing left behind.

``run`` (what is called: the limits, and the answer) - ``prepared`` (the process that has the runner imported, and forks
the next two) - ``supervisor`` (the process that starts the worker, watches it, and ends it with all its descendants) -
``worker`` (the process that runs the file).
"""

from __future__ import annotations

from parity_tests.apart.run import GIB, MIB, Limits, prepare, run_apart

__all__ = ["GIB", "MIB", "Limits", "prepare", "run_apart"]
