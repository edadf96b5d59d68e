"""What verify says of a formula, worked out once for all tests that ask."""

from __future__ import annotations

from functools import cache

from parity_tests.derivations.verify import verify

remembered = cache(verify)
"""verify, for formulas that several tests put to it: it takes its time over a wrong one."""
