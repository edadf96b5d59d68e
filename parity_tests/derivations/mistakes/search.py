"""The search for the mistake in a line: what it may know, and what is said of what it finds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from parity_tests.derivations.language import nodes
from parity_tests.derivations.language.budget import Budget, Effort
from parity_tests.derivations.language.errors import EvaluationError
from parity_tests.derivations.language.evaluate import run
from parity_tests.derivations.language.nodes import Node, Program
from parity_tests.derivations.language.printer import to_text
from parity_tests.derivations.lines import (
    Line,
)
from parity_tests.derivations.mistakes.context import Context
from parity_tests.derivations.mistakes.diagnosis import LONGEST, Diagnosis
from parity_tests.derivations.settings import Setting
from parity_tests.derivations.settings.volumes import VOLUME_FUNCTIONS
from parity_tests.derivations.verdicts import (
    AMBIGUOUS,
    UNKNOWN,
    WRONG,
    Verdict,
    teach,
)


def why_unknown(line: Line, effort: Effort) -> str:
    """Why there is no repair, in a sentence."""
    if nodes.size(line.program) > LONGEST:
        return "what computes it is too long for its mistake to be searched for."
    if effort.spent:
        return "its mistake is unknown: the search, which is for all lines together, ended before it was found."
    return "no small change of this line makes it right, so the mistake is unknown."


def diagnosed(base: Verdict, diagnosis: Diagnosis | None, line: Line, shown: str, unknown: str) -> Verdict:
    """The verdict with its cause and repair, and the sentence that says both, or else ``unknown``."""
    ids = f" ({', '.join(base.formula_ids)})" if base.formula_ids else ""
    saw = shown if np.isnan(base.bound) else f"{line.target} {shown}"
    if diagnosis is None:
        message = f"{saw}: {unknown}"
        return base._replace(verdict=WRONG, cause=UNKNOWN, message=message)
    repaired = to_text(diagnosis.repaired, as_written=True)
    cause = " + ".join(diagnosis.causes)
    shown_repair = _changed_lines(to_text(line.program, as_written=True), repaired)
    if diagnosis.alternatives:
        causes = (cause, *(" + ".join(each) for each in diagnosis.alternatives))
        listed = "; or ".join(teach(each) for each in causes)
        message = f"{saw}: ambiguous, {listed}. For one, {shown_repair} holds{ids}."
        return base._replace(verdict=WRONG, cause=AMBIGUOUS, causes=causes, repaired=repaired, message=message)
    message = f"{saw}: {teach(cause)}. {shown_repair} holds{ids}."
    return base._replace(verdict=WRONG, cause=cause, causes=(cause,), repaired=repaired, message=message)


def _changed_lines(before: str, after: str) -> str:
    """The repaired formula; of a program only the lines that changed."""
    rows = after.splitlines()
    if len(rows) == 1:
        return after
    old = before.splitlines()
    new = [row.strip() for row in rows if row not in old]
    left_out = [row.strip() for row in old if row not in rows]
    return f"With {' and '.join(new)} it" if new else f"Without {' and '.join(left_out)} it"


def evaluator(target: str, environments: list[dict[str, Any]]) -> Any:
    """The value of the target under a changed program, None where it cannot be computed."""

    def evaluate(node: Node, number: int, budget: Budget) -> Any:
        assert isinstance(node, Program)
        try:
            return run(node, environments[number], budget=budget).get(target)
        except EvaluationError:
            return None

    return evaluate


def context_of(setting: Setting, symbol: str, written: str, environment: Mapping[str, Any]) -> Context:
    """What the search for edits may know."""
    arrays = {name for name, value in environment.items() if isinstance(value, np.ndarray | np.floating | float)}
    hidden = {name for name in arrays if name in setting.aliases}
    return Context(
        target=symbol,
        kind=setting.targets[symbol].kind,
        layers=setting.layers,
        arrays=frozenset(arrays - hidden - {symbol, written}),
        sizes=frozenset(counts(environment)) - setting.aliases.keys(),
        counts=frozenset(counts(environment)),
        functions=frozenset(name for name, value in environment.items() if callable(value)) - VOLUME_FUNCTIONS.keys(),
        batch="chunk_size" if "chunk_size" in environment else "m",
        rank=next(len(each.shape.split(",")) for each in setting.symbols if each.name == symbol),
    )


def counts(environment: Mapping[str, Any]) -> dict[str, int]:
    """The sizes among the symbols: m first."""
    sizes = {name: int(value) for name, value in environment.items() if isinstance(value, int | np.integer)}
    return dict(sorted(sizes.items(), key=lambda item: (item[0] not in ("m", "chunk_size"), item[0])))


def weights_of(setting: Setting, symbol: str, environment: Mapping[str, Any]) -> Any:
    """The weights that a penalty on this gradient would be a multiple of."""
    return environment.get(symbol.removeprefix("d")) if symbol.startswith("d") else None
