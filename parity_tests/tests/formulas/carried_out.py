"""Formulas carried out by Python and NumPy themselves: values that verify did not compute, to hold it against."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity_tests.derivations.language.nodes import Program
from parity_tests.derivations.language.printer import to_text
from parity_tests.derivations.settings import SETTINGS
from parity_tests.derivations.settings.setting import probe_of


class _NumPy:
    """NumPy, and the one function of the language that it lacks."""

    int = staticmethod(np.trunc)

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def value(program: Program, setting: str, symbol: str, l2: bool, seed: int) -> tuple[Any, list[Any]]:
    """The value of a formula on the numbers of a seed, None where it has none, and what both referees say."""
    chosen = SETTINGS[setting]
    probe = probe_of(chosen, seed, l2)
    names = {
        name: np.array(each) if isinstance(each, np.ndarray) else each
        for name, each in chosen.environment(probe, symbol).items()
    }
    names |= {name: names[name].astype(np.intp) for name in ("y",) if setting.startswith("labels") and name in names}
    try:
        with np.errstate(all="ignore"):
            exec(compile(to_text(program), "formula", "exec"), {"np": _NumPy(), "range": range}, names)
        found = np.asarray(names[symbol], np.float64)
    except Exception:  # whatever a wrong formula may raise
        return None, [referee[symbol] for referee in probe.truths]
    return found, [referee[symbol] for referee in probe.truths]


def far(program: Program, setting: str, symbol: str, l2: bool, seeds: range) -> float:
    """How far a formula is from what the referees say, relative to the largest entry: the most over the seeds."""
    worst = 0.0
    for seed in seeds:
        found, truths = value(program, setting, symbol, l2, seed)
        for truth in truths:
            if found is None or (found.shape != np.shape(truth) and (np.size(truth) > 1 or found.size != 1)):
                return np.inf
            with np.errstate(all="ignore"):
                error = np.max(np.abs(np.reshape(found, np.shape(truth)) - truth), initial=0.0)
            worst = max(worst, float(np.nan_to_num(error / np.max(np.abs(truth)), nan=np.inf)))
    return worst
