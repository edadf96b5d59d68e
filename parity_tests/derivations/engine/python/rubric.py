"""A teacher's file as the measure of others: how its functions are called, and which cost its gradients follow."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.convention import ratio_of, same_factor
from parity_tests.derivations.engine.events import GIVEN, Key
from parity_tests.derivations.engine.findings import Trial
from parity_tests.derivations.engine.python.statements import runs_by_itself
from parity_tests.derivations.engine.truths import Cost, Truths
from parity_tests.derivations.verdicts import Judged

KINDS = (
    (re.compile(r"^the squared error"), "the squared error"),
    (re.compile(r"^the cross-entropy of"), "the cross-entropy of every output"),
    (re.compile(r"^(the cross-entropy -sum|-sum log)"), "the cross-entropy over the classes"),
)
"""Usual costs by how they are called, and what they are whatever the values are called."""

GRADIENTS = re.compile(
    r"\b(d_?[A-Z]\w*|d_?[a-z]\w?\d*|grads?\w*|delta\w*|\w+_grads?|nabla\w*)(\[[^\]]*\])? ?[-+*/@]?= "
)
"""Names of gradients, where they are assigned."""

MOST = 12
"""How many usual costs are compared with a written one."""


class Rubric(NamedTuple):
    """What is taken from a file: its name, the lines of its call, "" where it only runs by itself, its functions and
    classes as they are written, and the kinds of its cost, none for an unusual one.
    """

    source: str = ""
    call: str = ""
    definitions: dict[str, str] = {}  # noqa: RUF012  (never changed)
    kinds: tuple[str, ...] = ()


def kind_of(text: str) -> str:
    """A usual cost without the names of its values: ``the squared error, with a penalty``."""
    name = next((kind for pattern, kind in KINDS if pattern.search(text)), text)
    return f"{name}, with a penalty" if " with the penalty " in text else name


def implied_in(judged: Judged) -> str:
    """The usual cost that was taken to be meant, "" for a written one."""
    return judged.cost.text.partition(" taken to be ")[2].partition(";")[0]


def kinds_of(trial: Trial, cost: Cost, usual: list[Cost]) -> tuple[str, ...]:
    """The kinds of a written cost: of the usual ones, those whose derivatives are the same multiple of its own."""
    if cost.of is not None:
        return (kind_of(cost.text),)
    truths = Truths(*trial, cost)
    found = []
    for other in usual[:MOST]:
        kind = kind_of(other.text)
        if kind not in found and _alike(trial, truths, Truths(*trial, other)):
            found.append(kind)
    return tuple(found)


def unlike(trial: Trial, cost: Cost, other: Cost) -> bool:
    """Whether no array that a program begins with has a multiple of the other's derivative."""
    first, second = Truths(*trial, cost), Truths(*trial, other)
    both = [key for key in _begins(trial) if key in first.by_key and key in second.by_key]
    both = [key for key in both if np.size(first.by_key[key].gradient) > 1]
    return all(ratio_of(first.by_key[key].gradient, second.by_key[key].gradient) is None for key in both)


def _begins(trial: Trial) -> Mapping[Key, str]:
    """The places of the values that a source begins with, and their names."""
    return trial.probe.places or {event.key: event.name for event in trial.run.events if event.role == GIVEN}


def _alike(trial: Trial, first: Truths, second: Truths) -> bool:
    """Whether all values that a source begins with, but labels, have one multiple of the other's derivatives."""
    begins = [key for key, name in _begins(trial).items() if not symbols.is_label(symbols.base_of(name))]
    begins = [key for key in begins if key in first.by_key or key in second.by_key]
    if not begins or any(key not in first.by_key or key not in second.by_key for key in begins):
        return False
    ratios = [ratio_of(first.by_key[key].gradient, second.by_key[key].gradient) for key in begins]
    known = [each for each in ratios if each is not None]
    return len(known) == len(ratios) and all(same_factor(each, known[0]) for each in known)


def own_run(text: str) -> str:
    """What a file does by itself, as lines of a call; "" for a script that has no functions of its own."""
    tree = ast.parse(text)
    if not definitions(text):
        return ""
    lines = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom) or _is_text(node):
            continue
        guarded = isinstance(node, ast.If) and runs_by_itself(node, tree)
        lines += [ast.unparse(each) for each in (node.body if guarded and isinstance(node, ast.If) else [node])]
    return "\n".join(lines)


def definitions(text: str) -> dict[str, str]:
    """The functions and classes of a file, as they are written."""
    tree = ast.parse(text)
    return {node.name: ast.unparse(node) for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def defined_alone(text: str) -> str:
    """A file without what it does by itself, line by line: statements that call its own functions, and loops."""
    tree = ast.parse(text)
    rows = text.splitlines()
    own = set(definitions(text))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom):
            continue
        if runs_by_itself(node, tree) or own & set(_names(node)):
            first, last = node.lineno, node.end_lineno or node.lineno
            rows[first - 1 : last] = [""] * (last - first + 1)
    return "\n".join(rows) + "\n"


def call_for(rubric: Rubric, text: str) -> tuple[str, str]:
    """The lines that call a file as the reference is called, and what it lacks for that: one of the two is "".

    Functions that it lacks are the reference's, but those that compute gradients.
    """
    own = definitions(text)
    needed = dict.fromkeys(name for name in _names(ast.parse(rubric.call)) if name in rubric.definitions)
    lines: list[str] = []
    todo = list(needed)
    while todo:
        name = todo.pop()
        if name in own:
            continue
        given = rubric.definitions[name]
        if GRADIENTS.search(given):
            return "", name
        own[name] = given
        lines.append(given)
        todo += [each for each in _names(ast.parse(given)) if each in rubric.definitions]
    return "\n".join([*reversed(lines), rubric.call]), ""


def _names(tree: ast.AST) -> Iterator[str]:
    return (node.id for node in ast.walk(tree) if isinstance(node, ast.Name))


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
