"""Small changes to a formula, each labelled with the mistake that it undoes and the mistake that it would make.

A repair tries them on the writer's formula until the referees accept one; to recognise bare numbers they are tried on
the right formula instead. Costs rank what people are likely to have meant: the search prefers the cheapest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain

from parity_tests.derivations.language import nodes
from parity_tests.derivations.language.nodes import (
    Assign,
    Binary,
    Call,
    Expression,
    Name,
    Node,
    Path,
    Program,
    Transpose,
    Unary,
)
from parity_tests.derivations.mistakes.context import Context, Edit, has_other_term, is_bias, of_bias, terms, values
from parity_tests.derivations.mistakes.node_rules import RULES
from parity_tests.derivations.mistakes.program_rules import PROGRAM_RULES
from parity_tests.derivations.mistakes.shape_rules import labelled
from parity_tests.derivations.mistakes.term_rules import TERM_RULES
from parity_tests.derivations.mistakes.training_rules import training_programs


def edits(node: Node, context: Context) -> Iterator[Edit]:
    """Every single change of a formula or of a program; each changed formula once, at its lowest cost first."""
    seen: set[Node] = {node}
    found = chain(_everywhere(node, context), _at_terms(node, context), _of_programs(node, context))
    for edit in sorted(found, key=lambda edit: edit.cost):
        if edit.node not in seen:
            seen.add(edit.node)
            yield _renamed(edit, context)


def _of_programs(node: Node, context: Context) -> Iterator[Edit]:
    if isinstance(node, Program):
        for rule in (*PROGRAM_RULES, training_programs, labelled):
            yield from rule(node, context)


FACTORS = frozenset(("extra-factor", "missing-factor", "wrong-divisor", "wrong-number", "wrong-function"))
"""Mistakes in a factor that have no name by themselves."""

OF_PENALTIES = {"missing-1/m": "l2-not-over-m", "double-1/m": "l2-averaged-again"}
"""What a mistake in the average is called inside of a penalty."""

WRONG_AXIS = dict.fromkeys(("db-wrong-axis", "db-summed-over-all"), "wrong-axis")
"""What a wrong axis is called outside of a bias's gradient."""

RENAMED: dict[str, Callable[[str], str]] = {
    **dict.fromkeys(("forward", "cost", "function", "derivative"), lambda cause: WRONG_AXIS.get(cause, cause)),
    "scale": lambda cause: "init-scale",
    "dropout": lambda cause: "dropout-not-rescaled" if cause == "wrong-operator" else cause,
    "pool": lambda cause: "pool-spread" if cause in FACTORS else cause,
}
"""What a mistake is called where the target's kind gives it a name of its own."""


def _renamed(edit: Edit, context: Context) -> Edit:
    name = RENAMED.get(context.kind)
    return edit if name is None else edit._replace(undoes=name(edit.undoes), makes=name(edit.makes))


def _everywhere(node: Node, context: Context) -> Iterator[Edit]:
    for path, here in nodes.walk(node):
        if _is_target(node, path) or not isinstance(here, Expression):
            continue
        below_transpose = bool(path) and isinstance(nodes.at(node, path[:-1]), Transpose)
        indexed = bool(path) and path[-1] == 0 and isinstance(nodes.at(node, path[:-1]), nodes.Index)
        in_sum = bool(path) and isinstance(nodes.at(node, path[:-1]), Call)
        in_penalty = _in_penalty(node, path)
        for rule in RULES:
            for new, undoes, makes, cost in rule(here, context):
                if (below_transpose or indexed) and isinstance(new, Transpose):
                    continue  # A.T.T, and A.T[j, i] for A[i, j]
                if in_penalty and undoes == "wrong-number":
                    undoes = makes = "l2-factor-2"
                if in_sum and isinstance(new, Transpose):
                    cost += 0.5  # it would only undo a wrong axis
                yield Edit(nodes.replace(node, path, new), undoes, makes, cost)


def _in_penalty(root: Node, path: Path) -> bool:
    """Whether the place belongs to a term with lambda."""
    for place in range(len(path), -1, -1):
        here = nodes.at(root, path[:place])
        if isinstance(here, Expression) and "lambda_" in nodes.names(here):
            return not has_other_term(here)
    return False


def _at_terms(node: Node, context: Context) -> Iterator[Edit]:
    if isinstance(node, Program) and any(_builds_up(each) for each in node.statements):
        average = Assign(Name(context.target), "/=", Name(context.batch))
        yield Edit(replace(node, statements=(*node.statements, average)), "missing-1/m", "double-1/m", 0.8)
    for path, here in terms(node):
        names = OF_PENALTIES if _in_penalty(node, path) else {}
        for rule in TERM_RULES:
            for new, undoes, makes, cost in rule(here, context):
                yield Edit(nodes.replace(node, path, new), names.get(undoes, undoes), names.get(makes, makes), cost)
    for path, here in values(node):
        if isinstance(here, Binary) and here.operator in "+-":
            yield from _dropped_terms(node, path, here, context)


def _builds_up(statement: nodes.Statement) -> bool:
    """Whether a statement is a loop, or adds to what is there."""
    return isinstance(statement, nodes.For) or statement.operator != "=" or isinstance(statement.target, nodes.Index)


def _is_target(root: Node, path: Path) -> bool:
    """Whether the path leads into the left side of an assignment."""
    return any(isinstance(nodes.at(root, path[:place]), Assign) and path[place] == 0 for place in range(len(path)))


def _dropped_terms(node: Node, path: Path, here: Binary, context: Context) -> Iterator[Edit]:
    """A sum without one of its terms."""
    behind = Unary(here.right) if here.operator == "-" else here.right
    for kept, term in ((behind, here.left), (here.left, here.right)):
        if "lambda_" in nodes.names(term):
            undoes = "l2-on-bias" if of_bias(context) else "l2-extra"
            makes = "l2-missing"
        else:
            undoes, makes = "extra-term", "bias-missing" if is_bias(term) else "missing-term"
        yield Edit(nodes.replace(node, path, kept), undoes, makes, 1.3)
