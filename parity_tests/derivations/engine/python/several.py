"""The verdicts of several ways to call one file, as one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import cache

from parity_tests.derivations.engine.findings import fits, hits_of
from parity_tests.derivations.engine.python.aim import Aim
from parity_tests.derivations.engine.python.calls import Tried, flag
from parity_tests.derivations.engine.python.forward_passes import SLOPES, backward_pass, forward_calls
from parity_tests.derivations.engine.python.reading import PythonReading
from parity_tests.derivations.engine.python.rubric import implied_in, kind_of
from parity_tests.derivations.engine.python.said_cost import RefusedError
from parity_tests.derivations.verdicts import CALL, NOT_JUDGED, WRONG, Judged, in_order, not_judged, summarised

MOST_CALLS = 12
LEAST_HITS = 2
"""How many gradients follow a forward pass that is not the writer's, for the others to be wrong."""

IS_PAIR = re.compile(r"back\w*\([^\n]*\Z")
"""A call whose last line is a backward pass: a file may have several."""


def first_judged(
    text: str, ways: Iterable[Tried], aim: Aim, *, guessed: bool = False, settled: set[str] | None = None
) -> tuple[Judged | None, str]:
    """The verdicts on the first way to call a program in which something is judged, and that way.

    Ways to call functions that it does not reach are judged as well. What is chosen by a word is judged for each word.
    Functions with judged lines are added to ``settled``. Raises RefusedError where the cost is in no way the program's.
    """
    settled = set() if settled is None else settled
    found: Judged | None = None
    first = ""
    refused: list[RefusedError] = []
    tried, latest = 0, False
    made: set[str] = set()
    done: set[frozenset[str]] = set()
    for way in ways:
        if way.choice and not latest:
            continue
        if not way.choice:
            latest = False
            another = IS_PAIR.search(way.call) and _called(way.call) not in done
            if found is not None and not (another or _is_left(found, way.call)):
                continue
            tried += 1
            if tried > MOST_CALLS:
                break
        same = aim if found is None or not way.choice else aim._replace(kinds=_implied(found))
        same = same._replace(strict=aim.strict or way.exact)
        try:
            judged = same.judge(text, way.call)
        except RefusedError as error:
            refused.append(error)
            continue
        if judged is None or not judged.summary.judged:
            continue
        call = with_equal_sizes(way.call, judged) if guessed else way.call
        if call != way.call:
            again = same.judge(text, call)
            if again is not None and again.summary.wrong < judged.summary.wrong:
                judged, way = again, way._replace(call=call)
        made |= _made_in(way.call) if guessed else set()
        if guessed and aim.around is None and found is None:
            judged = judged._replace(notes=(f"Called with {flag(way.call)}.", *judged.notes))
        latest = True
        done.add(_called(way.call))
        found, first = (together(found, judged, way.choice), first) if found is not None else (judged, way.call)
        settled |= _with_verdicts(text, found)
    if found is None and refused:
        raise refused[0]
    return found and _without_growing(found, made), first


def with_backward_pass(text: str, found: Judged | None, aim: Aim) -> Judged | None:
    """The verdicts, and those on a backward pass that was not reached, behind the forward pass that fits it best.

    That is not the writer's. So where anything is wrong behind it, what has a slope of a unit in it is not judged, and
    unless several gradients hold, nothing is.
    """
    alone = backward_pass(ast.parse(text))
    left = [] if found is None else [line.line for line in found.lines if line.verdict == NOT_JUDGED]
    if alone is None or (found is not None and alone.lineno not in left):
        return found
    call, hits, all_fit = best_forward_call(text)
    if not call:
        return found
    judged = aim.judge(text, call) if all_fit or hits >= LEAST_HITS else None
    if judged is not None and not judged.summary.judged:
        return found
    if judged is not None and judged.summary.wrong:
        judged = _without_slopes(judged, text)
    if judged is None or (not all_fit and not judged.summary.wrong):
        note = f"{alone.name} is judged behind a forward pass, such as that in {flag(call)}."
        return found and found._replace(notes=(*found.notes, note))
    judged = judged._replace(
        notes=(f"Called with {flag(call)}: the forward pass in it is not the file's.", *judged.notes)
    )
    return judged if found is None else together(found, judged, "")._replace(notes=(*found.notes, *judged.notes))


def _without_slopes(judged: Judged, text: str) -> Judged:
    """The verdicts; where a line with a unit's slope is wrong, it may be right behind another forward pass.

    The names of the file's own functions are no slopes: what is in them is judged at their own lines.
    """
    own = "|".join(node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef))
    lines = []
    for line in judged.lines:
        written = re.sub(rf"\b({own})\b", "", line.text)
        if line.verdict == WRONG and line.line < CALL and any(each.search(written) for each in SLOPES.values()):
            reason = "it is wrong behind the forward pass of this call, whose units may not be yours: say --call"
            line = not_judged(line.target, line.line, line.text, reason)
        lines.append(line)
    return judged._replace(lines=tuple(lines), summary=summarised(lines, judged.summary.helpers))


def _with_verdicts(text: str, found: Judged) -> set[str]:
    """The functions outside of classes in which a line is judged."""
    rows = {line.line for line in found.lines if line.verdict != NOT_JUDGED}
    functions = (node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef))
    return {node.name for node in functions if rows.intersection(range(node.lineno, (node.end_lineno or 0) + 1))}


def _implied(found: Judged) -> tuple[str, ...]:
    """The kind of a cost that is not written down."""
    text = implied_in(found)
    return (kind_of(text),) if text else ()


def _called(call: str) -> frozenset[str]:
    """The functions and classes that a call calls, those of modules aside."""
    calls = (ast.unparse(node.func) for node in ast.walk(ast.parse(call)) if isinstance(node, ast.Call))
    return frozenset(name for name in calls if not name.startswith("np."))


def _is_left(found: Judged, call: str) -> bool:
    """Whether the function that the last line of a call calls was not reached by what has been judged."""
    last = ast.parse(call).body[-1]
    names = [ast.unparse(each.func).rpartition(".")[2] for each in ast.walk(last) if isinstance(each, ast.Call)]
    rows = [line.text for line in found.lines if line.verdict == NOT_JUDGED]
    return bool(names) and any(re.match(rf"def {re.escape(names[0])}\b", row) for row in rows)


def together(first: Judged, second: Judged, choice: str) -> Judged:
    """The verdicts of two calls of one file: a line that both judge as the first does, and what neither judged.

    What is wrong with the ``choice`` of the second alone is wrong, and what neither judged is left.
    """
    here, there = ({line.line for line in each.lines if line.verdict != NOT_JUDGED} for each in (first, second))
    left = {line.line for line in first.lines} & {line.line for line in second.lines} - here - there
    failed = {line.line for line in first.lines if line.verdict == WRONG}
    new = [
        line._replace(message=f"With {choice}, {line.message}") if choice and line.verdict == WRONG else line
        for line in second.lines
        if line.verdict != NOT_JUDGED
        and (line.line not in here or (choice and line.verdict == WRONG and line.line not in failed))
    ]
    known = {line.line for line in new}
    lines = [
        line for line in first.lines if (line.verdict != NOT_JUDGED or line.line in left) and line.line not in known
    ]
    ordered = in_order([*lines, *new])
    layout = first.layout if choice else f"{first.layout}; {second.layout}"
    conventions = dict.fromkeys(each.convention for each in (first, second) if each.convention)
    summary = summarised(ordered, first.summary.helpers)
    return first._replace(layout=layout, convention="; ".join(conventions), lines=ordered, summary=summary)


def with_equal_sizes(call: str, judged: Judged) -> str:
    """The call with two sizes made one where a gradient has the one for the other: in the program they never met."""
    for line in judged.lines:
        if line.verdict == WRONG and len(line.shape_got) == len(line.shape_expected):
            for got, expected in zip(line.shape_got, line.shape_expected, strict=True):
                if expected == 1:  # one example at a time
                    call = re.sub(rf"\b{got}\b", "1", call)
                elif got not in (1, expected):
                    call = re.sub(rf"\b{expected}\b", str(got), call)
    return call


def _made_in(call: str) -> set[str]:
    """The names to which a call gives values."""
    names = (each for each in ast.walk(ast.parse(call)) if isinstance(each, ast.Name))
    return {each.id for each in names if isinstance(each.ctx, ast.Store)}


def _without_growing(judged: Judged, made: set[str]) -> Judged:
    """The verdicts but those on arguments that take a step to another shape: their own may have been guessed wrong."""
    lines = []
    for line in judged.lines:
        if line.verdict == WRONG and line.target in made and line.shape_got != line.shape_expected:
            reason = f"its shape is {line.shape_expected} in this call, and {line.shape_got} after the step: say --call"
            line = not_judged(line.target, line.line, line.text, reason)
        lines.append(line)
    return judged._replace(lines=tuple(lines), summary=summarised(lines, judged.summary.helpers))


@cache
def best_forward_call(text: str) -> tuple[str, int, bool]:
    """The call of a backward pass that stands alone behind the forward pass that most of its gradients follow.

    It is said how many do, and whether all do. A forward pass with equal sizes is taken where the others end early.
    """
    best, most, all_fit = "", 0, False
    for call in forward_calls(ast.parse(text)):
        reading = PythonReading("", text, call)
        if reading.problem:
            continue
        trial = reading.trial(0)
        found = [(hits_of(trial, cost), cost) for cost in reading.usual(trial)]
        hits, cost = max(found, key=lambda each: each[0], default=(0, None))
        if hits > most and cost is not None:
            best, most, all_fit = call, hits, fits(trial, cost)
    return best, most, all_fit
