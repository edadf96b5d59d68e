"""Small numbers that keep a logarithm finite, as in log(a + 1e-7): J has them, and a gradient by hand has not."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from parity_tests.derivations.changes import Change
from parity_tests.derivations.verdicts import Judged

SMALL = 1e-3
EPSILONS = re.compile(r"^(eps|epsilon|tiny|ε)\w*$", re.I)
LOGARITHM = re.compile(r"^(log|ln)\w*$")
LEFT_OUT = "The small number that is added inside the logarithm of J is left out: the gradients are those without it."


def judged_without_guards(judge: Callable[[str], Judged | None], text: str) -> Judged | None:
    """What is said of a text, or of it without such numbers, if less is wrong then or more of that is mended."""
    judged, bare = judge(text), without_guards(text)
    if bare == text or judged is None or not judged.summary.wrong:
        return judged
    other = judge(bare)
    if other is None or not other.summary.judged or _rest(other) >= _rest(judged):
        return judged
    rows = text.split("\n")
    kept = [line._replace(diff=_of(line.diff, rows)) for line in other.lines]
    cost = other.cost
    if 0 < cost.line <= len(rows):
        cost = cost._replace(text=cost.text.replace(_formula(bare.split("\n"), cost.line), _formula(rows, cost.line)))
    return other._replace(source=judged.source, cost=cost, lines=tuple(kept), notes=(*other.notes, LEFT_OUT))


def _formula(rows: list[str], line: int) -> str:
    """What stands behind the equals sign of a line."""
    return rows[line - 1].partition("=")[2].strip()


def _of(diff: tuple[Change, ...], rows: list[str]) -> tuple[Change, ...]:
    """A repair where its rows are those of the text; none where they lack a small number."""
    return diff if all(tuple(rows[each.line - 1 :][: len(each.old)]) == each.old for each in diff) else ()


def _rest(judged: Judged) -> tuple[int, int]:
    """How much is wrong, and how many of the mistakes have no repair."""
    return judged.summary.wrong, judged.summary.wrong - sum(bool(line.repaired) for line in judged.lines)


def without_guards(text: str) -> str:
    """The text with 0 in place of small numbers that are added in the argument of a logarithm; itself where none is."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text
    rows = [row.encode() for row in text.split("\n")]
    for node in _guards(tree):
        row, start, end = node.lineno - 1, node.col_offset, node.end_col_offset or 0
        if node.end_lineno == node.lineno:
            rows[row] = rows[row][:start] + b"0".ljust(end - start) + rows[row][end:]
    return b"\n".join(rows).decode()


def _guards(tree: ast.Module) -> Iterator[ast.expr]:
    """What is added inside of logarithms and is small, by its value or by its name."""
    known = _small_names(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if not LOGARITHM.match(name):
            continue
        inner = node.args[0] if node.args else function.value if isinstance(function, ast.Attribute) else None
        if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Add):
            yield from (each for each in (inner.left, inner.right) if _is_small(each) or _name(each) in known)


def _small_names(tree: ast.Module) -> set[str]:
    """The names that are given small numbers and nothing else, or are called epsilon and given nothing."""
    given: dict[str, list[ast.expr | None]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                given.setdefault(_name(target), []).append(node.value)
        elif isinstance(node, ast.arguments):
            listed = [*node.posonlyargs, *node.args]
            defaults = [*[None] * (len(listed) - len(node.defaults)), *node.defaults, *node.kw_defaults]
            for argument, default in zip((*listed, *node.kwonlyargs), defaults, strict=True):
                given.setdefault(argument.arg, []).append(default)
        elif isinstance(node, ast.Name | ast.Attribute) and EPSILONS.match(_name(node)):
            given.setdefault(_name(node), [])
    return {name for name, values in given.items() if name and all(map(_is_small, values))}


def _is_small(node: ast.expr | None) -> bool:
    value = node.value if isinstance(node, ast.Constant) else None
    return isinstance(value, float) and 0 < value <= SMALL


def _name(node: ast.AST) -> str:
    """The name of a variable or of an attribute."""
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
