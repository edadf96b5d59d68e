"""The rules of steps that no setting has, judged by numbers: a line is wrong where one change makes the steps right."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import numpy as np

from parity_tests.derivations.changes import change_of
from parity_tests.derivations.engine.python.exchanged import target_of
from parity_tests.derivations.engine.python.program import PythonProgram
from parity_tests.derivations.engine.python.slips_of_rounds import slips_of_rounds
from parity_tests.derivations.engine.python.step_edits import StepEdit
from parity_tests.derivations.engine.python.step_trials import Trials
from parity_tests.derivations.verdicts import HOLDS, NOT_JUDGED, WRONG, Judged, Verdict, in_order, summarised, teach

RULE_NOT_JUDGED = "the rule of this step is not judged, only the gradient that goes in"


def with_rules_by_number(judged: Judged, text: str, call: str, seed: int, cost: str = "") -> Judged:
    """The verdicts with those on the rules of steps that no setting has; nothing else is changed.

    ``cost`` is J where it was said.
    """
    open_lines = {each.line for each in judged.lines if each.verdict == NOT_JUDGED and each.message == RULE_NOT_JUDGED}
    wrong = {each.line for each in judged.lines if each.verdict == WRONG}
    trials = Trials.of(text, call, seed, cost)
    if trials is None or not (wrong <= trials.lines or trials.gradients_hold()):
        return judged
    bad = trials.bad()
    edits = list(slips_of_rounds(trials))
    if bad and trials.has_a_schedule():
        return judged
    if bad and trials.keep_a_state() and (edit := trials.repair()) is not None:
        edits.append(edit)
    elif bad and not edits:
        return judged
    found = [_verdict(each, trials.program, text.splitlines()) for each in edits]
    taken = {each.line for each in found} | (wrong if found else set())
    lines = [each for each in judged.lines if each.line not in taken] + found
    if not wrong or found:
        lines = [_by_the_rule(each, trials) if each.line in open_lines else each for each in lines]
    ordered = in_order(lines)
    return judged._replace(lines=ordered, summary=summarised(ordered, judged.summary.helpers))


def _by_the_rule(verdict: Verdict, trials: Trials) -> Verdict:
    """A step whose rule is not judged otherwise holds."""
    if verdict.verdict != NOT_JUDGED:
        return verdict
    return verdict._replace(verdict=HOLDS, message=f"{verdict.target} holds, by the rule of {trials.rule}.")


def _verdict(edit: StepEdit, program: PythonProgram, rows: Sequence[str]) -> Verdict:
    """The verdict on a statement that has a mistake."""
    line = edit.statement.lineno
    spelled = program.spelled(edit.statement, [edit.new], line)
    repaired = spelled.text if spelled is not None else ast.unparse(edit.new)
    target, taught = ast.unparse(target_of(edit.statement)), teach(edit.cause)
    message = f"{taught[0].upper()}{taught[1:]}. With\n    {repaired}\nthe steps are those of a known rule."
    diff = () if spelled is None else (change_of(rows, line, spelled.text, spelled.rows),)
    return Verdict(
        target, line, rows[line - 1].strip(), WRONG, edit.cause, (edit.cause,), repaired, (),
        np.inf, np.nan, np.inf, (), (), message, diff=diff,
    )  # fmt: skip
