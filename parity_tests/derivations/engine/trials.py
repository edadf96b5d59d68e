"""Values that tell right lines from wrong ones: no saturated units, no roots of less than 0, both sides of a hinge."""

from __future__ import annotations

import ast
import re
from typing import Any

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.events import PART, Event, Run
from parity_tests.derivations.engine.findings import Trial
from parity_tests.derivations.engine.probes import Probe, scaled
from parity_tests.derivations.engine.program import TextProgram

MARGINS = re.compile(r"^(margin|thresh|gap|slack)\w*$")
WIDER = (2.0, 4.0, 0.5, 0.25, 0.1, 16.0, 8.0)
SMALLER, LARGER = 0.3, (3.0, 8.0, -1.0)
MOST_SHRUNK = 3
NEAR_ONE, NEAR_ZERO = 1e-3, 1e-12


def telling_trial(program: TextProgram, probe: Probe) -> Trial:
    """A text on values that are near to the drawn ones.

    None is below 0 where roots or logarithms of them do not exist; some lie within a margin, and others do not.
    """
    run = program.run(probe.given)
    smaller = probe
    for _ in range(MOST_SHRUNK if _saturated(run) else 0):
        smaller = scaled(smaller, SMALLER)
        of_smaller = program.run(smaller.given)
        if not _saturated(of_smaller):  # else what is near to 1 is a slope, and all below it would vanish
            probe, run = smaller, of_smaller
            break
    for names in [] if _finite(run) else [probe.roles.states, *([name] for name in probe.given), probe.given]:
        above = {name: _above_zero(value) if name in names else value for name, value in probe.given.items()}
        again = program.run(above)
        if _finite(again):
            probe, run = probe._replace(given=above), again
            break
    margins = [name for name in probe.given if MARGINS.match(symbols.stem_of(name))]
    for wide in WIDER if margins and not _is_mixed(run) else ():
        given = {**probe.given, **{name: wide * probe.given[name] for name in margins}}
        again = program.run(given)
        if _is_mixed(again) or (wide == WIDER[-1] and _is_mixed(again, open_alone=True)):
            return Trial(program, probe._replace(given=given), again)
    trial = Trial(program, probe, run)
    others = [scaled(probe, larger) for larger in LARGER] if not margins and not _is_mixed(run) else []
    larger = [Trial(program, each, again) for each in others if _finite(again := program.run(each.given))]
    mixed = [each for each in larger if _is_mixed(each.run)]
    opened = [each for each in (trial, *larger) if _is_mixed(each.run, open_alone=True)]
    return (mixed or opened or [trial])[0]


def _saturated(run: Run) -> bool:
    """Whether some probability is so near to 0 or 1 that its logarithm says nothing of the others."""
    finite = _finite(run)

    def is_near(value: Any) -> bool:
        if not isinstance(value, np.ndarray) or value.dtype.kind != "f" or value.size < 2:
            return False
        if not (np.all(value >= 0) and np.all(value <= 1)):
            return False
        near = ((value < 1) & (1 - value < NEAR_ONE)) | ((value > 0) & (value < NEAR_ZERO))
        return bool(np.any(near) or (not finite and np.any(value == 1) and np.any(value < 1)))

    return any(is_near(event.value) for event in run.events)


def _finite(run: Run) -> bool:
    """Whether no value of a run is infinite, or no number."""
    arrays = (each.value for each in run.events if isinstance(each.value, np.ndarray | np.generic))
    return all(bool(np.all(np.isfinite(each))) for each in arrays)


def _is_mixed(run: Run, *, open_alone: bool = False) -> bool:
    """Whether each hinge is 0 for some examples, and for others not; or for none, if ``open_alone`` will do.

    Of one number it is enough that it is not 0: else nothing that goes through it has a derivative.
    """

    def is_hinge(event: Event) -> bool:
        node = event.node if event.role == PART else getattr(event.statement, "value", None)
        return isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("maximum", "relu", "clip"))

    hinges = [event.value != 0 for event in run.events if np.size(event.value) and is_hinge(event)]
    return all(np.any(each) and (open_alone or each.size == 1 or not np.all(each)) for each in map(np.asarray, hinges))


def _above_zero(value: Any) -> Any:
    return np.abs(value) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value
