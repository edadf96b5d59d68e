"""The rule of an optimiser, in a text or a program: the lines that make a step out of a gradient, by their setting.

J says nothing of the states that momentum, RMSprop and Adam keep. So the statements of a block that lead from a
gradient to a step are taken out, in the names of the optimiser's setting, and judged there; their verdicts come back
in the writer's names.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import NamedTuple

from parity_tests.derivations.changes import change_of
from parity_tests.derivations.engine import symbols
from parity_tests.derivations.language.front import plain_line
from parity_tests.derivations.setting_lines import judge_in
from parity_tests.derivations.settings import setting_named
from parity_tests.derivations.verdicts import (
    HOLDS,
    NOT_JUDGED,
    NOTES_CONVENTION,
    WRONG,
    Judged,
    Verdict,
    in_order,
    summarised,
)

IN_A_PROGRAM = ("adam", "rmsprop")
"""The rules that are looked for in a program: its momentum is judged by the step that it takes."""

_RATES = re.compile(r"^(alpha|lr|eta|rate|learning_rate|step_size|gamma)\w*$", re.I)
_SMALL = re.compile(r"^(eps|epsilon)\w*$", re.I)
_STEPS = re.compile(r"^(t|step|n_?iter|i|k)$")
_SHARES = re.compile(r"^(beta|b|rho|mu|momentum|decay|gamma)\w{0,2}$", re.I)
_SECOND = re.compile(r"2$|^(rho|decay)")
_WORD = re.compile(r"[^\W\d]\w*")


class Line(NamedTuple):
    """A statement in plain names: ``self.m[k]`` and ``grads["W"]`` are m and W."""

    number: int
    text: str
    target: str
    value: ast.expr
    reads: set[str]


class Rule(NamedTuple):
    """The lines of a step, the setting that they belong to, and its names for the plain ones and for the writer's."""

    lines: tuple[Line, ...]
    setting: str
    names: Mapping[str, str]
    written: Mapping[str, str]

    @property
    def numbers(self) -> set[int]:
        """Where the lines stand."""
        return {each.number for each in self.lines}

    @property
    def text(self) -> str:
        """The lines in the setting's names, each where it stood."""
        rows = {each.number: _renamed(each.text, self.names) for each in self.lines}
        return "\n".join(rows.get(line, "") for line in range(1, max(rows) + 1))


def with_rules(
    judged: Judged,
    tree: ast.Module,
    code: Sequence[str],
    rows: Sequence[str],
    seed: int,
    *,
    strict: bool = False,
    in_a_program: bool = False,
    alone: bool = False,
) -> Judged:
    """The verdicts with those on the rules of optimisers, where their steps are not judged otherwise.

    With ``alone`` nothing else of a program is judged. ``code`` are the lines that the tree was read from, ``rows``
    those that were written.
    """
    lines, conventions = list(judged.lines), [judged.convention] * bool(judged.convention)
    undecided = {each.line for each in lines if each.verdict in (NOT_JUDGED, WRONG)}
    for rule in rules_in(tree, code):
        if not (alone or undecided & rule.numbers) or (in_a_program and rule.setting not in IN_A_PROGRAM):
            continue
        found = judge_in(rule.text, setting_named(rule.setting), seed=seed, strict=strict)
        slips = [each for each in found.lines if each.verdict == WRONG]
        flagged = any(each.verdict == WRONG for each in lines if each.line in rule.numbers)
        if in_a_program and any(_may_be_meant(each, rule, flagged=flagged) for each in slips):
            continue
        if not _is_that_optimiser(found, rule):
            continue
        lines = [each for each in lines if each.line not in rule.numbers]
        lines += [_in_the_writers_names(each, rule, rows) for each in found.lines]
        if found.convention not in ("", NOTES_CONVENTION, *conventions):
            conventions.append(found.convention)
    ordered = in_order(lines)
    summary = summarised(ordered, judged.summary.helpers)
    return judged._replace(convention="; ".join(conventions), lines=ordered, summary=summary)


def _is_that_optimiser(found: Judged, rule: Rule) -> bool:
    """Whether all lines hold, or all but one, whose mistake has one name and a repair in the writer's own names.

    There are more optimisers than settings: what differs by more than a slip is another one.
    """
    wrong = [each for each in found.lines if each.verdict != HOLDS]
    if not wrong:
        return bool(found.summary.judged)
    (first, *others), known = wrong, {*rule.names.values(), "np", "sqrt", "square"}
    repaired = set(_WORD.findall(first.repaired))
    slip = first.verdict == WRONG and first.causes == (first.cause,) and " + " not in first.cause
    return slip and not others and found.summary.judged > 1 and bool(repaired) and repaired <= known


def _may_be_meant(slip: Verdict, rule: Rule, *, flagged: bool) -> bool:
    """Whether a slip may be a rule near to it: epsilon under the root, a decay beside the step, a step uphill."""
    decays = slip.cause == "extra-term" and slip.line == max(rule.numbers)
    return decays or slip.cause == "epsilon-inside-root" or (slip.cause == "sign" and not flagged)


def rules_in(tree: ast.Module, code: Sequence[str]) -> Iterator[Rule]:
    """The rules of known kinds in the blocks of a text or a program."""
    for node in ast.walk(tree):
        blocks = [block for _, block in ast.iter_fields(node) if isinstance(block, list)]
        for block in (each for each in blocks if each and isinstance(each[0], ast.stmt)):
            for place in range(len(block)):
                rule = _rule(block[: place + 1], code)
                if rule is not None:
                    yield rule


def _rule(block: list[ast.stmt], code: Sequence[str]) -> Rule | None:
    """The rule that ends with a step; None where it is no rule of a known kind, or its gradient is not clear."""
    if not _is_assignment(block[-1]):
        return None
    plain: dict[str, str] = {}
    lines = [_plain(each, code, plain) for each in block if _is_assignment(each)]
    last = lines[-1]
    parameter, used, wanted = last.target, [last], set(last.reads)
    if parameter not in wanted:
        return None
    meant = {name for each in lines for name in each.reads if parameter in symbols.meant_by(name, {parameter})}
    named = set(meant)
    for each in reversed(lines[:-1]):
        if each.target in wanted - named - {parameter}:
            used.insert(0, each)
            wanted |= each.reads
            if each.target in each.reads:  # a state: what goes into it is the gradient, whatever its name
                named |= {name for name in each.reads - {each.target} if not _is_a_number(name)}
    states = [each for each in used[:-1] if each.target in each.reads]
    made = {each.target for each in used}
    sources = [each.reads - made for each in (states if len(states) > 1 else [*states, last])]
    common = reduce(set.intersection, sources) if states else set()
    gradients = [each for each in common if not _is_a_number(each)] or [each for each in meant if each in wanted]
    names = _names_of(used, parameter, gradients[0]) if states and len(gradients) == 1 else None
    if names is None:
        return None
    kept = set(names.values())
    kind = "adam" if {"v", "s"} <= kept else "rmsprop" if "s" in kept else "momentum"
    if kind == "momentum":
        names = {old: "beta" if new == "beta1" else new for old, new in names.items()}
    return Rule(tuple(used), kind, names, {names[new]: old for old, new in plain.items() if new in names})


def _is_assignment(statement: ast.stmt) -> bool:
    """Whether a statement gives one name, attribute or entry a value, in place or not, on a line of its own."""
    match statement:
        case ast.Assign(targets=[target]) | ast.AugAssign(target=target):
            known = isinstance(target, ast.Name | ast.Attribute | ast.Subscript)
            return known and statement.lineno == statement.end_lineno
    return False


def _plain(statement: ast.stmt, code: Sequence[str], names: dict[str, str]) -> Line:
    """A statement in plain names, which are added to those that are known by what they stand for."""
    row, end = code[statement.lineno - 1].encode(), statement.end_col_offset
    for each in sorted(_references(statement), key=lambda each: -each.col_offset):
        name = _plain_name(each, names).encode()
        row = row[: each.col_offset] + name + row[each.end_col_offset :]
        end = (end or 0) + len(name) - ((each.end_col_offset or 0) - each.col_offset)
    text = row[statement.col_offset : end].decode()
    made = ast.parse(text).body[0]
    assert isinstance(made, ast.Assign | ast.AugAssign)
    target = made.targets[0] if isinstance(made, ast.Assign) else made.target
    reads = {ast.unparse(each) for each in _references(made.value)} - {"np"}
    in_place = {ast.unparse(target)} if isinstance(made, ast.AugAssign) else set()
    return Line(statement.lineno, text, ast.unparse(target), made.value, reads | in_place)


def _references(node: ast.AST) -> Iterator[ast.expr]:
    """The names, attributes and entries of a statement, each as a whole; what is called is none of them."""
    match node:
        case ast.Name() | ast.Attribute() | ast.Subscript():
            yield node
        case ast.Call():
            yield from (found for each in node.args for found in _references(each))
        case _:
            yield from (found for each in ast.iter_child_nodes(node) for found in _references(each))


def _plain_name(node: ast.expr, names: dict[str, str]) -> str:
    """The name for an attribute or an entry: its last word, with a mark where that is another one's."""
    text, root = ast.unparse(node), node
    while isinstance(root, ast.Subscript):
        root = root.value
    name = root.attr if isinstance(root, ast.Attribute) else root.id if isinstance(root, ast.Name) else "entry"
    if text not in names:
        while name in names.values():
            name += "_"
        names[text] = name
    return names[text]


def _is_a_number(name: str) -> bool:
    """Whether a name is that of a rate, of a share, of epsilon, or counts the steps."""
    return any(known.match(name) for known in (_RATES, _SMALL, _STEPS, _SHARES))


def _names_of(lines: Sequence[Line], parameter: str, gradient: str) -> dict[str, str] | None:
    """The setting's names for the writer's; None where two would be one."""
    *before, last = lines
    names, rooted = {parameter: "W", gradient: "dW"}, set(_under_roots(last.value))
    kept = [each.target for each in before if each.target in each.reads]
    made = {each.target: each.reads & set(kept) for each in before if each.target not in kept}
    for name in kept:
        of_squares = name in rooted or any(name in of and other in rooted for other, of in made.items())
        names[name] = "s" if of_squares else "v"
    small = set(_beside_roots(last.value))
    names |= {name: f"{names[next(iter(of))]}_corrected" for name, of in made.items() if len(of) == 1}
    for name in sorted({name for each in lines for name in each.reads} - names.keys()):
        usual = [("alpha", _RATES), ("epsilon", _SMALL), ("t", _STEPS)]
        new = "epsilon" if name in small else next((word for word, pattern in usual if pattern.match(name)), "")
        names[name] = new or ("beta2" if _SECOND.search(name) and "s" in names.values() else "beta1")
    return names if len(set(names.values())) == len(names) else None


def _under_roots(value: ast.expr) -> Iterator[str]:
    """The names that a step takes the root of."""
    for node in ast.walk(value):
        match node:
            case ast.Call(func=ast.Attribute(attr="sqrt") | ast.Name(id="sqrt"), args=[inner]):
                yield from (each.id for each in ast.walk(inner) if isinstance(each, ast.Name))


def _beside_roots(value: ast.expr) -> Iterator[str]:
    """The names that are added to a root, whatever they are called: ``np.sqrt(s) + e``."""
    sums = (each for each in ast.walk(value) if isinstance(each, ast.BinOp) and isinstance(each.op, ast.Add))
    for one, other in (pair for each in sums for pair in ((each.left, each.right), (each.right, each.left))):
        if isinstance(one, ast.Name) and isinstance(other, ast.Call) and ast.unparse(other.func).endswith("sqrt"):
            yield one.id


def _renamed(text: str, names: Mapping[str, str]) -> str:
    return _WORD.sub(lambda match: names.get(match[0], match[0]), text)


def _in_the_writers_names(verdict: Verdict, rule: Rule, rows: Sequence[str]) -> Verdict:
    def written(text: str) -> str:
        return _renamed(text, rule.written)

    def comment(row: str) -> str:
        return row[len(plain_line(row).code.rstrip()) :]

    target = written(verdict.target)
    by_the_rule = f"{target} holds, by the rule of {rule.setting}."
    return verdict._replace(
        target=target,
        text=rows[verdict.line - 1].strip(),
        repaired=written(verdict.repaired),
        message=by_the_rule if verdict.verdict == HOLDS else written(verdict.message),
        diff=tuple(
            change_of(rows, each.line, f"{written(each.new[0]).rstrip()}{comment(rows[each.line - 1])}")
            for each in verdict.diff
            if len(each.old) == len(each.new) == 1
        ),
    )
