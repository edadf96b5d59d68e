"""Where a program computes no cost: the file's own functions that are costs, and formulas to say another one by."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.findings import Trial
from parity_tests.derivations.engine.truths import Cost

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
    same = [each for each in usual if each.formula and each.names == chosen.names]
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
