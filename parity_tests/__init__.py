"""The only package that sees both sides: cases, referees, bounds and the comparison.

The public functions are imported when they are first used: torch takes seconds to import.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from parity_tests.comparison.run import compare
    from parity_tests.derivations.own.watch import watch
    from parity_tests.derivations.verdicts import Judged, Verdict
    from parity_tests.derivations.verify import verify
    from parity_tests.differences.difference import Difference, diff
    from parity_tests.gradients.check import assert_gradient, check_gradient
    from parity_tests.gradients.verdict import ArrayCheck, GradientCheck
    from parity_tests.judging.judge import Result

__all__ = [
    "ArrayCheck",
    "Difference",
    "GradientCheck",
    "Judged",
    "Result",
    "Verdict",
    "assert_gradient",
    "check_gradient",
    "compare",
    "diff",
    "verify",
    "watch",
]

_HOMES = {
    "diff": "parity_tests.differences.difference",
    "Difference": "parity_tests.differences.difference",
    "compare": "parity_tests.comparison.run",
    "Result": "parity_tests.judging.judge",
    "verify": "parity_tests.derivations.verify",
    "watch": "parity_tests.derivations.own.watch",
    "Judged": "parity_tests.derivations.verdicts",
    "Verdict": "parity_tests.derivations.verdicts",
    "check_gradient": "parity_tests.gradients.check",
    "assert_gradient": "parity_tests.gradients.check",
    "GradientCheck": "parity_tests.gradients.verdict",
    "ArrayCheck": "parity_tests.gradients.verdict",
}


def __getattr__(name: str) -> Any:
    """The public name, from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """The public names, for tab completion."""
    return list(__all__)


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext parity_tests``: cells that begin with ``%%verify`` are judged."""
    from parity_tests.notebook import verify_magic

    shell.register_magic_function(verify_magic(shell), "cell", "verify")
