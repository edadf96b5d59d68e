"""A Python file in, a verdict on each of its lines out: all of it in the process that runs the file."""

from __future__ import annotations

import ast
import itertools
import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

from parity_tests.derivations.engine.optimiser_rules import with_rules
from parity_tests.derivations.engine.python.aim import Aim
from parity_tests.derivations.engine.python.calls import Tried, calls, flag, template
from parity_tests.derivations.engine.python.other_costs import with_its_arguments
from parity_tests.derivations.engine.python.program import PythonProgram
from parity_tests.derivations.engine.python.reading import ENDED, MADE_UP, PythonReading
from parity_tests.derivations.engine.python.rubric import (
    Rubric,
    call_for,
    defined_alone,
    definitions,
    kind_of,
    kinds_of,
    own_run,
)
from parity_tests.derivations.engine.python.rules_by_number import with_rules_by_number
from parity_tests.derivations.engine.python.said_cost import RefusedError
from parity_tests.derivations.engine.python.several import (
    MOST_CALLS,
    best_forward_call,
    first_judged,
    with_backward_pass,
)
from parity_tests.derivations.engine.python.siblings import Joined, joined
from parity_tests.derivations.engine.python.statements import call_in, is_program, one_a_line
from parity_tests.derivations.engine.python.surroundings import Around
from parity_tests.derivations.engine.python.torch_source import uses_torch
from parity_tests.derivations.engine.python.ways import pairs
from parity_tests.derivations.own.not_looked_at import functions_of, not_looked_at
from parity_tests.derivations.own.notebook import Notebook, read_notebook
from parity_tests.derivations.verdicts import (
    CALL,
    HOLDS,
    NOT_JUDGED,
    UNKNOWN,
    WRONG,
    Judged,
    in_order,
    located,
    summarised,
)
from parity_tests.derivations.verdicts import Cost as CostText

SHAPES = re.compile(r"ValueError.*(could not be broadcast together|not aligned|mismatch in its core dimension)")
"""What NumPy says of arrays that do not fit."""

MOST_FAILURES = 12
"""Cells of a notebook, or statements of a file, that may fail before the rest is not run any more."""


def judge_program(
    name: str,
    text: str,
    call: str = "",
    seed: int = 0,
    *,
    strict: bool = False,
    cost: str = "",
    grads: str = "",
    around: Around | None = None,
    pair: tuple[str, ...] = (),
    rubric: Rubric | None = None,
) -> Judged | None:
    """Judge a program, and what it is called with; None where nothing of it could be judged.

    Without a call, a file that only defines functions and classes is called in the ways that fit, or a ``pair`` of
    functions, forward and backward, alone; so is a file of which nothing could be judged as it runs by itself.
    ``cost`` is the name of the value or function that J is, or a formula; ``grads`` are names for what the call
    returns. ``around`` are the variables and functions that the program finds there. With a ``rubric`` a program is
    called as the reference is, if it has its functions, and J is of the reference's kind, if it has its values.

    Raises RefusedError where the cost is not in the program, or a call returns nothing that can have names.
    """
    call = one_a_line(call) or call_in(text)
    aim = Aim(name, seed, strict, cost, around, rubric)
    found: Judged | None = None
    if uses_torch(ast.parse(text)):
        by_torch = aim._replace(in_torch=True)
        found, _ = first_judged(text, [Tried(named(call, grads), "")], by_torch)
        if found is None and not call:
            settled: set[str] = set()
            tried = (each for each in calls(text, around, pair, settled, in_torch=True) if not each.problem)
            ways = (each._replace(call=named(each.call, grads)) for each in tried)
            found, _ = first_judged(text, ways, by_torch, guessed=True, settled=settled)
        if found is not None:
            return located(_without_call(found._replace(referees=("torch's autograd", "central differences"))))
    notes: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    if rubric is not None and rubric.call and not call:
        way, lacks = call_for(rubric, text)
        found = first_judged(defined_alone(text), [Tried(way, "")], aim)[0] if way else None
        why = f"it has no {lacks}" if lacks else "nothing of it could be judged so"
        notes = (f"Called as {rubric.source} is." if found else f"Not called as {rubric.source} is: {why}.",)
    if found is None and (call or (is_program(text) and not pair)):
        found, _ = first_judged(text, [Tried(named(call, grads), "")], aim)
    if found is not None and not call and around is None:
        found = _ended_by_shapes(found)
    if found is None and not call:
        text, failed = (text, ()) if around is not None else without_failing(text)
        settled = set()
        tried = (each for each in calls(text, around, pair, settled) if not each.problem)
        ways = (each._replace(call=named(each.call, grads)) for each in tried)
        found, _ = first_judged(text, ways, aim, guessed=True, settled=settled)
        if not is_program(text) and not pair and around is None:
            found = with_backward_pass(text, found, aim)
    if found is None and (formula := with_its_arguments(cost, ast.parse(text))):
        told = {"strict": strict, "cost": formula, "grads": grads, "around": around, "pair": pair, "rubric": rubric}
        return judge_program(name, text, call, seed, **told)  # type: ignore[arg-type]
    if found is None and cost.isidentifier():
        raise RefusedError(f"cost is {cost!r}, and no gradient of a number of that name was found")
    if found is None:
        return _by_rules_alone(name, text, seed)
    found, rows = found._replace(notes=(*notes, *found.notes, *failed)), text.splitlines()
    found = with_rules(found, ast.parse(text), rows, rows, seed, in_a_program=True)
    if around is None and is_program(text) and not pair:
        found = with_rules_by_number(found, text, one_a_line(call), seed, cost)
    return located(_without_call(found))


def _by_rules_alone(name: str, text: str, seed: int) -> Judged | None:
    """The verdicts on the rules of optimisers in a file of which nothing else can be judged; None without such.

    The other functions are not judged, and it is said what would have to be known.
    """
    rows = text.splitlines()
    nothing = Judged(name, CostText(""), "", "", ("the rule of the optimiser",), (), summarised((), 0))
    found = with_rules(nothing, ast.parse(text), rows, rows, seed, in_a_program=True, alone=True)
    if not found.lines:
        return None
    lines = {each.line for each in found.lines}
    functions = {name: range(node.lineno, (node.end_lineno or 0) + 1) for name, node in functions_of(ast.parse(text))}
    judged = {name for name, inside in functions.items() if lines.intersection(inside)}
    made = {f"{name.rpartition('.')[0]}.__init__" for name in judged}
    left, helpers = not_looked_at(text, judged | (made & functions.keys()))
    how = how_to_call(text) if left else ""
    ordered = in_order([*found.lines, *left])
    notes = (f"{how[0].upper()}{how[1:]}.",) if how else ()
    return located(found._replace(lines=ordered, summary=summarised(ordered, helpers), notes=notes))


def _ended_by_shapes(judged: Judged) -> Judged:
    """The verdicts; a line behind J at which NumPy itself ends a program on its own data is wrong."""
    if MADE_UP in judged.layout:
        return judged
    lines = tuple(
        each._replace(verdict=WRONG, cause=UNKNOWN, error=np.inf, ratio=np.inf)
        if each.verdict == NOT_JUDGED and each.message.startswith(ENDED) and SHAPES.search(each.message)
        else each
        for each in judged.lines
    )
    return judged._replace(lines=lines, summary=summarised(lines, judged.summary.helpers))


def without_failing(text: str) -> tuple[str, tuple[str, ...]]:
    """A file without the statements that fail before anything is called, as those that load data, and what is said.

    The other lines stay where they are.
    """
    said: list[str] = []
    for _ in range(MOST_FAILURES):
        program = PythonProgram(text, "0")
        program.begin()
        failing = (node for node in ast.parse(text).body if node.lineno <= program.ended <= (node.end_lineno or 0))
        node = next(failing, None) if program.problem else None
        if node is None:
            break
        rows = text.splitlines()
        rows[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or 0) - node.lineno + 1)
        text = "\n".join([*rows, ""])
        why = program.problem.replace(f" in line {node.lineno}", "", 1)
        said.append(f"Line {node.lineno} is passed over, which ends with {why}.")
    return text, tuple(said)


def reference(name: str, text: str, seed: int = 0) -> Rubric:
    """What a teacher's file gives to judge others by.

    Raises RefusedError where it does not hold itself.
    """
    judged = judge_program(name, text, seed=seed)
    wrong = [] if judged is None else [line for line in judged.lines if line.verdict not in (HOLDS, NOT_JUDGED)]
    if judged is None or not judged.summary.judged:
        raise RefusedError("as the reference it must hold, and nothing of it could be judged")
    if wrong:
        raise RefusedError(f"as the reference it must hold, and {wrong[0].place} does not: {wrong[0].text}")
    call = call_in(text)
    if not call and not is_program(text):
        ways = (each for each in calls(text) if not each.problem)
        call = first_judged(text, ways, Aim(name, seed, False), guessed=True)[1]
    reading = PythonReading(name, text, call)
    trial = reading.trial(seed)
    usual = reading.usual(trial)
    written = reading.written(trial)
    meant = [each for each in usual if each.text in judged.cost.implied]
    kinds = (
        kinds_of(trial, written[0], usual) if written else tuple(dict.fromkeys(kind_of(each.text) for each in meant))
    )
    return Rubric(name, call or own_run(text), definitions(text), kinds)


def _without_call(judged: Judged) -> Judged:
    """The verdicts; where something is wrong, what the call returns is no answer beside it."""
    if not any(line.verdict == WRONG and line.line < CALL for line in judged.lines):
        return judged
    lines = tuple(line for line in judged.lines if line.line < CALL or line.verdict != HOLDS)
    return judged._replace(lines=lines, summary=summarised(lines, judged.summary.helpers))


def how_to_call(text: str, call: str = "") -> str:
    """What to say where nothing of a program was judged: a call to complete, or that J is to be said; "" for none."""
    whole = text
    try:
        text, _ = without_failing(text)
        ways = calls(text, in_torch=uses_torch(ast.parse(text)))
        tried = [] if call or call_in(text) else list(itertools.islice(ways, MOST_CALLS))
        other = template(text) if not (tried or call or is_program(text)) else None
        tried += [] if other is None else [other]
        program = PythonProgram(whole, call or call_in(text))
    except (SyntaxError, ValueError):
        return ""
    if not call and not call_in(text) and not is_program(text) and (alone := best_forward_call(text)[0]):
        return f"no forward pass is called: with one in the call it is judged, such as {flag(alone)}"
    program.begin()
    problem = next((why for _, why in program.run({}).problems), program.problem)  # NumPy's words before torch's
    ended = f" (it ended early: {problem})" if program.problem and (call or is_program(text)) else ""
    runs = [each for each in tried if not each.problem]
    if tried and not runs:
        return f"say how it is called, such as {flag(tried[0].call)} (which ends with {tried[0].problem}){ended}"
    if runs:
        found = f"called with {flag(runs[0].call)}, no gradient of a cost was found"
        return f"{found}: say J with --cost, or call it otherwise{ended}"
    if ended:
        return f"say how it is called, with --call{ended}"
    return "no gradient of a cost was found: say J with --cost" if call or is_program(text) else ""


def named(call: str, grads: str) -> str:
    """The call with names for what its last line returns: the elements of a tuple or list, or the values of a dict."""
    if not grads or not call:
        return call
    last = ast.parse(call).body[-1]
    if not isinstance(last, ast.Assign | ast.Expr):
        raise RefusedError(
            f"grads are names for what the last line of the call returns, and that is {ast.unparse(last)}"
        )
    *before, _ = call.splitlines()
    given = ast.unparse(last.value)
    names = grads.split(",")
    if len(names) == 1:
        return "\n".join([*before, f"{names[0]} = {given}"])
    values = f"{', '.join(names)} = returned.values() if isinstance(returned, dict) else returned"
    return "\n".join([*before, f"returned = {given}", values])


def judge_notebook(
    name: str,
    notebook: Notebook,
    call: str = "",
    seed: int = 0,
    *,
    strict: bool = False,
    cost: str = "",
    grads: str = "",
    rubric: Rubric | None = None,
) -> Judged:
    """Judge a notebook's cells as one program; a cell that fails is named, and the rest goes on without it."""
    for _ in range(MOST_FAILURES):
        program = PythonProgram(
            notebook.text, call or call_in(notebook.text), seed, in_torch=uses_torch(ast.parse(notebook.text))
        )
        program.begin()
        shorter = notebook.without(program.ended, program.problem) if program.problem else None
        if shorter is None:
            break
        notebook = shorter
    judged = judge_program(name, notebook.text, call, seed, strict=strict, cost=cost, grads=grads, rubric=rubric)
    if judged is None:
        lines, helpers = not_looked_at(notebook.text, ())
        how = how_to_call(notebook.text, call)
        notes = (f"{how[0].upper()}{how[1:]}.",) if how else ()
        judged = Judged(name, CostText(""), "", "", (), tuple(lines), summarised(lines, helpers), notes)
    return notebook.located(judged)


def _functions(text: str) -> list[str]:
    return [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]


def main(
    path: str, call: str, seed: str, strict: str, cost: str, grads: str, rubric: str, backward: str = ""
) -> dict[str, Any]:
    """The verdicts as plain data; where nothing could be judged None, and what to do. See parity_tests.apart.

    ``rubric`` is one as JSON, "" for none, or "reference" for a file that is to become one. With ``backward`` that
    function alone is judged, behind its forward pass.
    """
    file = Path(path)
    sys.path.insert(0, str(file.parent))  # its siblings can be imported
    try:
        call = one_a_line(call)
        notebook = read_notebook(file) if file.suffix == ".ipynb" else None
        text = notebook.text if notebook is not None else file.read_text(encoding="utf-8", errors="replace")
        if rubric == "reference":
            return {"rubric": reference(file.name, text, int(seed))._asdict()}
        told: dict[str, Any] = {"strict": bool(strict), "cost": cost, "grads": grads}
        told["rubric"] = Rubric(**json.loads(rubric)) if rubric else None
        if notebook is not None:
            judged: Judged | None = judge_notebook(file.name, notebook, call, int(seed), **told)
        else:
            pair = next((each for each in pairs(_functions(text)) if each[1] == backward), ())
            if backward and not pair:
                return {"judged": None, "how": ""}
            files = joined(file, text) if not pair else Joined(text)
            judged = judge_program(file.name, files.text, call, int(seed), **told, pair=pair)
            judged = files.located(judged) if judged is not None else None
    except RefusedError as error:
        return {"refused": str(error)}
    if judged is None:
        return {"judged": None, "how": files.said(how_to_call(files.text, call))}
    fields = judged._asdict()
    lines, cost_, summary = ([line._asdict() for line in judged.lines], judged.cost._asdict(), judged.summary._asdict())
    return {"judged": {**fields, "lines": lines, "cost": cost_, "summary": summary}}
