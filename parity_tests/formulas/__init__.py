"""Every case of a formula, chapter by chapter."""

from __future__ import annotations

from collections import Counter

from parity_tests.formulas import (
    activations,
    conv,
    costs,
    dense,
    dropout,
    initialization,
    jacobians,
    logistic_regression,
    optimizers,
    pooling,
    schedules,
    theory,
    vectorization,
)
from parity_tests.formulas.case import Case
from parity_tests.formulas.formula import Formula

FORMULAS: tuple[Formula, ...] = (*dense.FORMULAS,)
"""The record of every formula."""

CASES: tuple[Case, ...] = (
    *vectorization.CASES,
    *activations.CASES,
    *costs.CASES,
    *logistic_regression.CASES,
    *(case for formula in FORMULAS for case in formula.cases),
    *initialization.CASES,
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
