"""The rule of an optimiser in a program: the lines that make a step out of a gradient, judged as those of a text.

J says nothing of moving averages. So the statements of a block that lead from a gradient to a step are taken out of
the program, in the names of the optimiser's setting, and judged there.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator, Mapping
from functools import reduce
from typing import NamedTuple

from parity_tests.derivations.changes import change_of
from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.optimiser_lines import (
    RATES,
    SMALL,
    STEPS,
    Step,
    is_that_optimiser,
    kind_of_step,
    names_of,
)
from parity_tests.derivations.text_lines import judge_lines
from parity_tests.derivations.verdicts import HOLDS, NOT_JUDGED, WRONG, Judged, Verdict, in_order, summarised

NUMBERS = re.compile(r"^(beta|b|rho|mu|momentum|decay|gamma)\w{0,2}$", re.I)
KINDS = ("adam", "rmsprop")
_WORD = re.compile(r"[^\W\d]\w*")


class _Rule(NamedTuple):
    """The statements by their lines, in plain names, and the step that they make; what the writer calls each name."""

    rows: Mapping[int, str]
    step: Step
    written: Mapping[str, str]


def with_rules(judged: Judged, text: str, seed: int) -> Judged:
    """The verdicts with those on the rules of Adam and RMSprop, where their steps are not judged otherwise."""
    lines, rows = list(judged.lines), text.splitlines()
    open_lines = {each.line for each in lines if each.verdict in (NOT_JUDGED, WRONG)}
    for rule in _rules(ast.parse(text), open_lines):
        found = judge_lines(_text(rule), rule.step.setting, seed=seed)
        slipped = [each for each in found.lines if each.verdict == WRONG]
        if any(_is_a_variant(each, rule) for each in slipped):
            continue
        flagged = any(each.verdict == WRONG for each in lines if each.line in rule.rows)
        if not is_that_optimiser(found, rule.step) or (slipped and slipped[0].cause == "sign" and not flagged):
            continue  # uphill, where that is meant
        lines = [each for each in lines if each.line not in rule.rows]
        lines += [_in_the_writers_words(each, rule, rows) for each in found.lines]
    if lines == list(judged.lines):
        return judged
    ordered = in_order(lines)
    return judged._replace(lines=ordered, summary=summarised(ordered, judged.summary.helpers))


def _rules(tree: ast.Module, lines: set[int]) -> Iterator[_Rule]:
    """The rules of which some line is one of these."""
    for node in ast.walk(tree):
        blocks = [block for _, block in ast.iter_fields(node) if isinstance(block, list)]
        for block in (each for each in blocks if each and isinstance(each[0], ast.stmt)):
            for place, last in enumerate(block):
                made = _assigned(last)
                rule = None if made is None else _rule(block[:place], made)
                if rule is not None and lines & rule.rows.keys():
                    yield rule


def _assigned(statement: ast.stmt) -> ast.Assign | None:
    """An assignment of one value, in place or not, on a line of its own."""
    if statement.lineno != statement.end_lineno:
        return None
    if isinstance(statement, ast.AugAssign):
        read = copy.copy(statement.target)
        read.ctx = ast.Load()
        value = ast.BinOp(read, statement.op, statement.value)
        return ast.copy_location(ast.Assign([statement.target], value), statement)
    if not isinstance(statement, ast.Assign) or len(statement.targets) > 1:
        return None
    return statement if isinstance(statement.targets[0], ast.Name | ast.Attribute | ast.Subscript) else None


def _rule(before: list[ast.stmt], last: ast.Assign) -> _Rule | None:
    """The rule that ends with a step; None where it is no rule of a known kind, or its gradient is not clear."""
    plain = _PlainNames()
    statements = [plain.of(each) for each in (*map(_assigned, before), last) if each is not None]
    parameter, used, wanted = _target(statements[-1]), [statements[-1]], _reads(statements[-1])
    if parameter not in wanted:
        return None
    named = {name for each in statements for name in _reads(each) if parameter in symbols.meant_by(name, {parameter})}
    for each in reversed(statements[:-1]):
        target, reads = _target(each), _reads(each)
        if target in wanted - named - {parameter}:
            used.insert(0, each)
            wanted |= reads
            if target in reads:  # a state: what goes into it is the gradient, whatever its name
                named |= {name for name in reads - {target} if not _is_a_number(name)}
    states = [each for each in used[:-1] if _target(each) in _reads(each)]
    made = {_target(each) for each in used}
    sources = [_reads(each) - made for each in (states if len(states) > 1 else [*states, used[-1]])]
    common = reduce(set.intersection, sources) if states else set()
    free = [each for each in common if not _is_a_number(each)]
    names = names_of(used, parameter, free[0]) if len(free) == 1 else None
    if names is None or (kind := kind_of_step(names)) not in KINDS:
        return None
    rows = {each.lineno: ast.unparse(_Renamed(names).visit(copy.deepcopy(each))) for each in used}
    return _Rule(
        rows, Step(tuple(rows), kind, names), {names[new]: old for old, new in plain.names.items() if new in names}
    )


def _is_a_variant(slip: Verdict, rule: _Rule) -> bool:
    """Whether what is no line of the rule is one of a rule near to it: epsilon under the root, or a decay beside."""
    decays = slip.cause == "extra-term" and slip.line == max(rule.rows)
    return decays or slip.cause == "epsilon-inside-root"


def _is_a_number(name: str) -> bool:
    """Whether a name is that of a rate, of a share, of epsilon, or counts the steps."""
    return any(known.match(name) for known in (RATES, SMALL, STEPS, NUMBERS))


def _text(rule: _Rule) -> str:
    return "\n".join(rule.rows.get(line, "") for line in range(1, max(rule.rows) + 1))


def _in_the_writers_words(verdict: Verdict, rule: _Rule, rows: list[str]) -> Verdict:
    def written(text: str) -> str:
        return _WORD.sub(lambda match: rule.written.get(match[0], match[0]), text)

    row, repaired = rows[verdict.line - 1], written(verdict.repaired)
    diff = (change_of(rows, verdict.line, repaired, 1),) if repaired else ()
    if verdict.verdict == HOLDS:
        message = f"{written(verdict.target)} holds, by the rule of {rule.step.setting}."
    else:
        message = written(verdict.message)
    return verdict._replace(
        target=written(verdict.target), text=row.strip(), repaired=repaired, message=message, diff=diff
    )


class _PlainNames(ast.NodeTransformer):
    """``self.m[k]`` and ``grads["W"]`` as the plain names m and W."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def of(self, statement: ast.Assign) -> ast.Assign:
        """A statement in plain names."""
        new = self.visit(copy.deepcopy(statement))
        assert isinstance(new, ast.Assign)
        return ast.copy_location(new, statement)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.args = [self.visit(each) for each in node.args]
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._plain(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        return self._plain(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        return self._plain(node)

    def _plain(self, node: ast.Name | ast.Attribute | ast.Subscript) -> ast.AST:
        text = ast.unparse(node)
        root: ast.expr = node
        while isinstance(root, ast.Subscript):
            root = root.value
        name = root.attr if isinstance(root, ast.Attribute) else ast.unparse(root)
        while self.names.get(text, "") != name and name in self.names.values():
            if text in self.names:
                name = self.names[text]
                break
            name += "_"
        self.names[text] = name
        return ast.copy_location(ast.Name(name, node.ctx), node)


class _Renamed(ast.NodeTransformer):
    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = self.names.get(node.id, node.id)
        return node


def _target(statement: ast.Assign) -> str:
    return ast.unparse(statement.targets[0])


def _reads(statement: ast.Assign) -> set[str]:
    called = {id(each.func) for each in ast.walk(statement.value) if isinstance(each, ast.Call)}
    roots = {id(node.value) for node in ast.walk(statement.value) if isinstance(node, ast.Attribute)}
    names = (each for each in ast.walk(statement.value) if isinstance(each, ast.Name))
    return {each.id for each in names if id(each) not in called | roots}
