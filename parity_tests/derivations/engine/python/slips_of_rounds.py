"""Mistakes that show in the second round alone: gradients that are added to those before, and a look the wrong way."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from parity_tests.derivations.engine.events import Key
from parity_tests.derivations.engine.python.step_edits import StepEdit, Update
from parity_tests.derivations.engine.python.step_trials import Parameter, Trials

ACCUMULATED, SIGN = "gradients-accumulated", "sign"


def slips_of_rounds(trials: Trials) -> Iterator[StepEdit]:
    """The statements that are wrong in the second round, each with what belongs in its place."""
    yield from _accumulated(trials)
    yield from _looks_back(trials)


def _accumulated(trials: Trials) -> Iterator[StepEdit]:
    """Statements that add a gradient to that of the round before: ``dW += x.T @ dz`` where nothing sets dW to 0."""
    seen: set[int] = set()
    for parameter in trials.parameters:
        first, second = parameter.gradients
        statement = trials.sites[first[0]].statement
        if not isinstance(statement, ast.AugAssign) or id(statement) in seen or not _goes_on(trials, parameter):
            continue
        seen.add(id(statement))
        new = ast.copy_location(ast.Assign([_stored(statement.target)], statement.value), statement)
        changed = trials.program.replaced(statement, [new])
        values = {} if changed is None else trials.values_of(changed, {})
        same = all(key in values and np.allclose(values[key], trials.plain[key]) for key in (first,))
        yield StepEdit(statement, new if same and second in values else statement, ACCUMULATED, 1.0)


def _stored(target: ast.expr) -> ast.expr:
    stored = copy.copy(target)
    stored.ctx = ast.Store()  # type: ignore[attr-defined]
    return stored


def _goes_on(trials: Trials, parameter: Parameter) -> bool:
    """Whether the gradient of the second round has that of the first in it, the parameters being as they were."""
    first, second = parameter.gradients
    frozen = {each.steps[0]: trials.plain[each.first] for each in trials.parameters}
    moved = trials.plain[first] + trials.given[first]
    one, two = (trials.values_of(trials.program, {**frozen, first: each}) for each in (trials.plain[first], moved))
    if second not in one or second not in two:
        return False
    return bool(np.allclose(two[second] - one[second], trials.given[first], 1e-7))


def _looks_back(trials: Trials) -> Iterator[StepEdit]:
    """A look ahead along a velocity that goes the other way: ``W - mu * v`` where v is what is added to W."""
    seen: set[int] = set()
    for parameter in trials.parameters:
        for key in trials.values:
            share = _share_ahead(parameter, key, trials.values)
            statement = trials.sites[key[0]].statement if share else None
            ahead = share < 0 and any(abs(share + each) < 1e-9 for each in trials.numbers)
            if not ahead or not isinstance(statement, ast.Assign) or id(statement) in seen:
                continue
            for new in _turned_over(statement):
                changed = trials.program.replaced(statement, [new])
                values = {} if changed is None else trials.values_of(changed, trials.given)
                if key in values and abs(_share_ahead(parameter, key, values) + share) < 1e-9:
                    seen.add(id(statement))
                    yield StepEdit(statement, new, SIGN, 1.0)
                    break


def _share_ahead(parameter: Parameter, key: Key, values: Mapping[Key, Any]) -> float:
    """How much of its last step a value of the second round lies ahead of a parameter; 0 where it does not."""
    here, old, now = values[key], values.get(parameter.first), values.get(parameter.steps[0])
    if old is None or now is None or np.size(here) < 2 or not here.shape == now.shape == old.shape:
        return 0.0
    step, off = now - old, here - now
    share = float(np.sum(step * off) / np.sum(step * step)) if np.any(step) else 0.0
    near = abs(share) > 1e-6 and abs(share) < 1 - 1e-6 and np.allclose(off, share * step, 1e-7, 1e-12)
    return share if near else 0.0


def _turned_over(statement: ast.Assign) -> Iterator[Update]:
    """The statement with one sum as a difference, or the other way round."""
    for number, node in enumerate(ast.walk(statement.value)):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
            changed = copy.deepcopy(statement)
            there = next(each for n, each in enumerate(ast.walk(changed.value)) if n == number)
            assert isinstance(there, ast.BinOp)
            there.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
            yield changed
