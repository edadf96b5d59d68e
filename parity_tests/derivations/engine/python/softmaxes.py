"""A softmax along the wrong axis: its values add up to 1 over the examples, not over the classes."""

from __future__ import annotations

import ast
import copy
import re
from typing import NamedTuple

import numpy as np

from parity_tests.derivations.changes import change_of, put_in
from parity_tests.derivations.engine.events import NAMED, RETURNED, Event
from parity_tests.derivations.engine.findings import Trial
from parity_tests.derivations.engine.python.spelling import spelled
from parity_tests.derivations.verdicts import CALL, WRONG, Verdict

SUMS = ("sum", "np.sum", "numpy.sum")


class Righted(NamedTuple):
    """The text with the sum over the right axis, and the verdict on the line as it is."""

    text: str
    verdict: Verdict


def over_the_examples(trial: Trial) -> list[tuple[Event, int]]:
    """The values that add up to 1 along the axis of the examples alone, and the axis of the classes."""
    batch = trial.probe.batch
    found = []
    for event in trial.run.events:
        if event.role not in (NAMED, RETURNED) or event.missing or np.ndim(event.value) != 2 or event.line >= CALL:
            continue
        if event.shape.count(batch) != 1 or min(event.shape) < 2 or np.any(event.value <= 0):
            continue
        axis = event.shape.index(batch)
        sums = (np.allclose(np.sum(event.value, axis=each), 1) for each in (axis, 1 - axis))
        if next(sums) and not next(sums):
            found.append((event, 1 - axis))
    return found


def with_its_axis(text: str, event: Event, axis: int) -> Righted | None:
    """The text with the sum that a statement divides by taken along an axis; None where it divides by none."""
    rows, statement = text.splitlines(), event.statement
    if statement is None:
        return None
    new = copy.deepcopy(statement)
    for node in ast.walk(new):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and (inside := _summed(node.right)):
            node.right = ast.parse(f"np.sum({inside}, axis={axis}, keepdims=True)", mode="eval").body
            written = spelled(rows, statement, ast.fix_missing_locations(new), 0)
            if written is None:
                return None
            change = change_of(rows, event.line, written.text, written.rows)
            what = event.name.rpartition("#")[2] or "what it returns"
            message = (
                f"{what} adds up to 1 over the examples: the sum has to run over the classes, axis {axis}. With\n"
                f"    {written.text}\nit holds, and so do the gradients."
            )
            verdict = Verdict(
                what, event.line, rows[event.line - 1].strip(), WRONG, "wrong-axis", ("wrong-axis",), written.text, (),
                np.inf, np.nan, np.inf, event.shape, event.shape, message,
                diff=(change,),
            )  # fmt: skip
            return Righted("\n".join(put_in(rows, [change])) + "\n", verdict)
    return None


def with_shares(call: str, axis: int) -> str:
    """The call with labels that add up to 1 along an axis."""
    rows = []
    for row in call.splitlines():
        rows.append(row)
        if match := re.match(r"(\w+) = np\.random\.uniform\(", row):
            rows.append(f"{match[1]} /= np.sum({match[1]}, axis={axis}, keepdims=True)")
    return "\n".join(rows)


def _summed(node: ast.expr) -> str:
    """What a sum is of, "" for what is no sum."""
    if not isinstance(node, ast.Call):
        return ""
    if ast.unparse(node.func) in SUMS and node.args:
        return ast.unparse(node.args[0])
    return ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) and node.func.attr == "sum" else ""
