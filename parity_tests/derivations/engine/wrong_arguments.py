"""A wrong argument in a call: the function is right, and what it is given is not.

A mistake that is found inside of a function may as well be one of its call. Where another name of the caller's in
place of one argument makes all right, that is what was meant.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator

from parity_tests.derivations.engine.edits.trees import replaced
from parity_tests.derivations.engine.findings import Finding, Reading, fits
from parity_tests.derivations.engine.forward_slips import Slip, verdict_on
from parity_tests.derivations.verdicts import WRONG, Judged, in_order, summarised

MOST_TRIED = 20
"""How many other arguments are tried."""

OF_ARGUMENTS = frozenset(("gprime-at-a", "wrong-symbol", "wrong-layer"))
"""What a mistake in a call may be called, where it was found inside of the function."""

Simple = ast.Assign | ast.AugAssign | ast.Return | ast.Expr


Pasted = Callable[[int, str, int], Reading]


def by_an_argument(
    reading: Reading,
    finding: Finding,
    judged: Judged,
    pasted: Pasted,
    seed: int,
    judge: Callable[[Reading], Judged | None],
) -> Judged | None:
    """The verdicts where another argument in one call makes all right, as ``judge`` says: no function is wrong then."""
    if not finding.wrong or not finding.truths.program.repeats:
        return None
    for slip in _meant(finding, judged, pasted, seed):
        other = judge(pasted(slip.line, slip.text, slip.rows))
        if other is not None and not other.summary.wrong and 2 * other.summary.judged > judged.summary.judged:
            lines = in_order([verdict_on(slip, reading), *(each for each in other.lines if each.line != slip.line)])
            return judged._replace(lines=lines, summary=summarised(lines, other.summary.helpers))
    return None


def _meant(finding: Finding, judged: Judged, pasted: Pasted, seed: int) -> Iterator[Slip]:
    """The calls of a function with a wrong line, with another argument with which all gradients follow J."""
    program = finding.truths.program
    wrong = {line.line for line in judged.lines if line.verdict == WRONG}
    functions = [each for each in ast.walk(program.tree) if isinstance(each, ast.FunctionDef)]
    called = {each.name for each in functions if any(each.lineno < line <= (each.end_lineno or 0) for line in wrong)}
    causes = {line.cause for line in judged.lines if line.verdict == WRONG} & OF_ARGUMENTS
    cause = next(iter(causes)) if len(causes) == 1 else "wrong-symbol"
    tried = 0
    for statement, around in _statements(program.tree):
        for call in _calls(statement, called):
            for new in _others(call, around):
                changed = copy.copy(statement)
                changed.value = replaced(statement.value, call, new)  # type: ignore[arg-type]
                spelled = program.spelled(statement, [changed], statement.lineno)
                if spelled is None or tried >= MOST_TRIED:
                    continue
                tried += 1
                other = pasted(statement.lineno, spelled.text, spelled.rows)
                trial = other.trial(seed)
                ended = len(trial.run.problems) > len(finding.trial.run.problems)
                if not ended and any(fits(trial, each) for each in other.written(trial)[:1]):
                    yield Slip(statement.lineno, spelled.text, spelled.rows, cause)


def _statements(tree: ast.Module) -> Iterator[tuple[Simple, ast.AST]]:
    """The simple statements of a program, each with the function that it stands in, or the whole."""
    inside: set[int] = set()
    for scope in (*(each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)), tree):
        for node in ast.walk(scope):
            if isinstance(node, Simple) and node.value is not None and id(node) not in inside:
                inside.add(id(node))
                yield node, scope


def _calls(statement: Simple, names: set[str]) -> Iterator[ast.Call]:
    """The calls of some functions in a statement."""
    for node in ast.walk(statement.value) if statement.value is not None else ():
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in names:
            yield node


def _others(call: ast.Call, around: ast.AST) -> Iterator[ast.Call]:
    """The call with one argument exchanged for another name of its function, the likeliest first."""
    functions = {id(each.func) for each in ast.walk(around) if isinstance(each, ast.Call)}
    named = (each for each in ast.walk(around) if isinstance(each, ast.Name) and id(each) not in functions)
    names = list(dict.fromkeys(each.id for each in named if each.id not in ("np", "self")))
    own = {ast.unparse(each) for each in call.args}
    found: list[tuple[int, ast.Call]] = []
    for place, argument in enumerate(call.args):
        roots = {each.id for each in ast.walk(argument) if isinstance(each, ast.Name)}
        for name in names:
            if name in own or isinstance(argument, ast.Constant):
                continue
            arguments = [*call.args[:place], ast.Name(name, ast.Load()), *call.args[place + 1 :]]
            alike = sum(_alike(name, root) for root in roots)
            found.append((-alike, ast.copy_location(ast.Call(call.func, arguments, call.keywords), call)))
    for _, each in sorted(found, key=lambda pair: pair[0]):
        yield each


def _alike(name: str, other: str) -> int:
    """How alike two names are: the same letter, or the same number behind it."""
    same_number = name[-1:].isdigit() and name[-1:] == other[-1:]
    return 2 * (name[:1].lower() == other[:1].lower()) + 2 * same_number + (len(name) == len(other))
