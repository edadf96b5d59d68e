"""The README's table of the comparison; those of the evidence stand in ``parity_tests.report.evidence``."""

from __future__ import annotations

import math
from collections.abc import Sequence

from parity_tests.comparison.tables import summary, worst_of
from parity_tests.judging.judge import FAILS, HOLDS, Result
from parity_tests.report.evidence import Table


def parity_table(results: Sequence[Result]) -> str:
    """A line for each model, and a sentence about all lines of the comparison."""
    models = dict.fromkeys(result.model for result in results if result.model)
    head = ("model", "data", "arrays", "dW differs by less than", "its error / bound", "of everything", "verdict")
    counts = summary(results)
    formulas = len({result.case for result in results if not result.model})
    return (
        Table("", head, [_model_row(model, results) for model in models], words=2).markdown()
        + f"\nWith {formulas} cases of single formulas, and the free runs, {counts['arrays']:,} arrays in float64: "
        f"{counts[FAILS]} fail, and about {counts['arrays that cannot be told']} cannot be told.\n"
    )


def _model_row(model: str, results: Sequence[Result]) -> list[str]:
    """The worst of a model over all its data, penalties and optimisers; dW's error as the power of ten above it."""
    of_model = [result for result in results if result.model == model and result.basis == "derived"]
    dW = [result for result in of_model if result.quantity == "dW"]
    worst, error = worst_of(of_model), max(result.error for result in dW)
    return [
        model,
        ", ".join(dict.fromkeys(result.dataset for result in of_model)),
        f"{sum(result.arrays for result in of_model):,}",
        f"1e{math.floor(math.log10(error)) + 1}" if error else "0",
        f"{max(result.ratio for result in dW):.2f}",
        f"{worst.ratio:.2f}",
        FAILS if worst.verdict == FAILS else HOLDS,
    ]
