"""What verify says of a formula, worked out once for all tests that ask; and of numbers, in a file like a person's."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from parity_tests.derivations.own.data import verify_data
from parity_tests.derivations.verdicts import Verdict
from parity_tests.derivations.verify import verify

remembered = cache(verify)
"""verify, for formulas that several tests put to it: it takes its time over a wrong one."""


def verdicts_on(given: Mapping[str, Any], setting: str, *, l2: bool = False) -> tuple[Verdict, ...]:
    """The verdicts on arrays, by name, as on those of a person's file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.npz")
        np.savez(path, allow_pickle=False, **given)
        return verify_data(path, setting, l2=l2).lines
