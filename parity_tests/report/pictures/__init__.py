"""The pictures by name: functions of a seed that draw, and say what is seen.

Those of whole models' errors are drawn from what the run measured: ``errors.errors``.
"""

from __future__ import annotations

from collections.abc import Callable

from parity_tests.report.pictures import filters, formulas, graph, searches, training
from parity_tests.report.pictures.style import Drawn

PICTURES: dict[str, Callable[[int], Drawn]] = {
    "searches": searches.searches,
    "boundaries": training.boundaries,
    "costs": training.costs,
    "filters": filters.filters,
    "rates": searches.rates,
    "graph": graph.graph,
    "loops": formulas.loops,
    "activations": formulas.activations,
    "spreads": formulas.spreads,
}
"""Those that take longest come first."""
