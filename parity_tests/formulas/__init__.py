"""Every case of a formula, chapter by chapter."""

from __future__ import annotations

from collections import Counter

from parity_tests.formulas import (
    activations,
    conv,
    costs,
    dense,
    dropout,
    jacobians,
    logistic_regression,
    optimizers,
    pooling,
    schedules,
    theory,
    vectorization,
)
from parity_tests.formulas.case import Case

CASES: tuple[Case, ...] = (
    *vectorization.CASES,
    *activations.CASES,
    *costs.CASES,
    *logistic_regression.CASES,
    *dense.CASES,
    *conv.CASES,
    *pooling.CASES,
    *dropout.CASES,
    *optimizers.CASES,
    *schedules.CASES,
    *jacobians.CASES,
    *theory.CASES,
)

_repeated = [name for name, count in Counter(case.id for case in CASES).items() if count > 1]
if _repeated:
    raise ValueError(f"case ids {_repeated} stand more than once, expected each once")
