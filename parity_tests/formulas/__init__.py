"""The record of every formula, chapter by chapter."""

from __future__ import annotations

from collections import Counter

from parity_tests.formulas import (
    activations,
    attention,
    channels_first,
    clipping,
    conv,
    costs,
    dense,
    dropout,
    framework_updates,
    initialization,
    jacobians,
    logistic_regression,
    losses,
    network,
    normalization,
    pooling,
    recipe,
    schedules,
    sequences,
    shapes,
    theory,
    training,
    updates,
    vectorization,
)
from parity_tests.formulas.case import Case
from parity_tests.formulas.formula import Formula

FORMULAS: tuple[Formula, ...] = (
    *vectorization.FORMULAS,
    *activations.FORMULAS,
    *costs.FORMULAS,
    *logistic_regression.FORMULAS,
    *dense.FORMULAS,
    *initialization.FORMULAS,
    *conv.FORMULAS,
    *shapes.FORMULAS,
    *pooling.FORMULAS,
    *dropout.FORMULAS,
    *losses.FORMULAS,
    *normalization.FORMULAS,
    *sequences.FORMULAS,
    *attention.FORMULAS,
    *channels_first.FORMULAS,
    *network.FORMULAS,
    *training.FORMULAS,
    *updates.FORMULAS,
    *framework_updates.FORMULAS,
    *schedules.FORMULAS,
    *clipping.FORMULAS,
    *jacobians.FORMULAS,
    *theory.FORMULAS,
    *recipe.FORMULAS,
)

CASES: tuple[Case, ...] = tuple(case for formula in FORMULAS for case in formula.cases)

for _kind, _ids in {
    "formula": [formula.id for formula in FORMULAS],
    "case": [case.id for case in CASES],
    "fault": [fault.id for formula in FORMULAS for fault in formula.faults],
}.items():
    if _repeated := [id_ for id_, count in Counter(_ids).items() if count > 1]:
        raise ValueError(f"{_kind} ids {_repeated} stand more than once, expected each once")
