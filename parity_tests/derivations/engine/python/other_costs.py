"""Other costs than the one that a source computes: its own functions, usual ones, one that its gradients follow."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.findings import Reading, Trial, fits
from parity_tests.derivations.engine.judged import judge_reading
from parity_tests.derivations.engine.python.rubric import kind_of, kinds_of, unlike
from parity_tests.derivations.engine.python.ways import has_gradients
from parity_tests.derivations.engine.truths import Cost
from parity_tests.derivations.verdicts import CALL, UNKNOWN, WRONG, Judged, Verdict, in_order, summarised
from parity_tests.derivations.verdicts import Cost as CostText

OF_COSTS = re.compile(r"loss|cost|entropy|mse|error|objective|nll|criterion|energy|likelihood|log_?lik", re.I)
OF_CLASSES = re.compile(r"^(fn|forward|loss|cost|compute|calculate|calc|value|__call__)$")
NO_COSTS = re.compile(r"grad|deriv|prime|delta|back|_d$|^d_", re.I)


def own_costs(tree: ast.Module, reached: Collection[str], names: tuple[str, str]) -> list[str]:
    """Formulas that call each cost of a file that was not ``reached``, with the ``names`` of output and labels."""
    found = []
    for called, node, method in _functions(tree):
        listed = [each.arg for each in node.args.args][method:]
        needed = listed[: len(listed) - len(node.args.defaults)]
        if len(needed) != 2 or node.name in reached or NO_COSTS.search(f"{called}"):
            continue
        turned = symbols.is_label(needed[0]) and not symbols.is_label(needed[1])
        found.append(f"{called}({', '.join(reversed(names) if turned else names)})")
    return found


def of_the_same_arguments(tree: ast.Module, reached: Collection[str]) -> list[str]:
    """Formulas that call each cost of a file that was not ``reached`` on what a function of gradients takes as well.

    The file says by the names what the cost is of: ``self.loss(X, T)`` beside ``def grad(self, X, T)``.
    """
    functions = [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)]
    others = [{one.arg for one in each.args.args} for each in functions if has_gradients(each)]
    found = []
    for called, node, method in _functions(tree):
        listed = [each.arg for each in node.args.args][method:]
        needed = listed[: len(listed) - len(node.args.defaults)]
        of_state = method and len(needed) == 1 and symbols.is_label(needed[0])  # the output is the object's
        if (len(needed) < 2 and not of_state) or node.name in reached or NO_COSTS.search(called):
            continue
        if any(each.issuperset(needed) for each in others):
            found.append(f"{called}({', '.join(needed)})")
    return found


def with_its_arguments(name: str, tree: ast.Module) -> str:
    """The formula that calls a file's own function on what its arguments are called; "" where it has none."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return f"{name}({', '.join(each.arg for each in node.args.args)})"
    return ""


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef, bool]]:
    """The functions that are costs by their names, how each is called, and whether its first argument is an object."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and OF_COSTS.search(node.name):
            yield node.name, node, False
        if not isinstance(node, ast.ClassDef):
            continue
        for each in node.body:
            if not isinstance(each, ast.FunctionDef):
                continue
            static = any(isinstance(one, ast.Name) and one.id == "staticmethod" for one in each.decorator_list)
            if OF_COSTS.search(node.name) and OF_CLASSES.match(each.name):
                yield f"{node.name}{'' if static else '()'}.{each.name}", each, not static
            elif OF_COSTS.search(each.name):
                yield f"{node.name if static else 'self'}.{each.name}", each, not static


def alternatives(trial: Trial, usual: list[Cost], chosen: Cost, *, averaged: bool) -> list[tuple[str, str]]:
    """What J could be as well, with the same output and labels: in words, and as a formula."""
    same = [each for each in usual if each.formula and all(each.names) and each.names == chosen.names]
    over_classes = [each for each in same if each.text.startswith("the cross-entropy -")]
    found = [
        (each.text, each.formula)
        for each in same
        if each.text != chosen.text and not (over_classes and each.text.startswith("the cross-entropy of"))
    ]
    labels = [value for name, value in trial.probe.given.items() if symbols.written(name) == chosen.names[1]]
    shape = np.shape(labels[0]) if labels else ()
    if averaged and trial.probe.batch in shape and trial.probe.batch != 1:
        axis = shape.index(trial.probe.batch)
        found.append(("the average over the examples", f"{chosen.formula} / {chosen.names[1]}.shape[{axis}]"))
    return found


def by_the_cost_that_is_followed(
    reading: Reading, usual: Sequence[Cost], by_kind: Callable[[str], Reading], seed: int, *, strict: bool
) -> Judged | None:
    """The verdicts where the written cost is none of the usual ones, and all gradients are those of such a one.

    ``by_kind`` is the same source with a usual cost of some kind in place of its own.
    """
    trial = reading.trial(seed)
    written = reading.written(trial)[0]
    if written.line >= CALL or kinds_of(trial, written, list(usual)):
        return None
    followed = next((each for each in usual if fits(trial, each)), None)
    if followed is None or not unlike(trial, written, followed):
        return None
    found = judge_reading(by_kind(kind_of(followed.text)), seed, strict=strict)
    if found is None or not found.summary.judged or found.summary.holds < found.summary.judged:
        return None
    message = f"the gradients, which all hold for {followed.text}, are not those of this cost."
    verdict = Verdict(
        "J", written.line, reading.text(written.line), WRONG, UNKNOWN, (), "", (), np.inf, np.nan, np.inf,
        (), (), message,
    )  # fmt: skip
    lines = in_order([verdict, *(each for each in found.lines if each.line != written.line)])
    cost = CostText(f"J is {followed.text}, which the gradients follow; the written cost is another one")
    return found._replace(cost=cost, lines=lines, summary=summarised(lines, found.summary.helpers))
