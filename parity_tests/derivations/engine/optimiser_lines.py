"""The optimiser's lines of a text with a network of its own: judged as momentum, RMSprop or Adam by their setting.

J says nothing of the states that they keep. So the lines that make a step out of a gradient are taken out of the text,
in the setting's names, judged there, and their verdicts come back in the writer's names.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from parity_tests.derivations.changes import Change
from parity_tests.derivations.engine import symbols
from parity_tests.derivations.language.front import Source, plain_name
from parity_tests.derivations.setting_lines import judge_in
from parity_tests.derivations.settings import setting_named
from parity_tests.derivations.verdicts import (
    HOLDS,
    NOTES_CONVENTION,
    WRONG,
    Judged,
    Verdict,
    in_order,
    summarised,
)

RATES = re.compile(r"^(alpha|lr|eta|rate|learning_rate|step_size|gamma)\w*$", re.I)
SMALL = re.compile(r"^(eps|epsilon)\w*$", re.I)
STEPS = re.compile(r"^(t|step|n_?iter|i|k)$")
SECOND = re.compile(r"2$|^(rho|decay)")
_WORD = re.compile(r"[^\W\d][\w]*'?")


class Step(NamedTuple):
    """The lines that take one parameter's step, the setting that they belong to, and its names for the writer's."""

    lines: tuple[int, ...]
    setting: str
    names: Mapping[str, str]


def with_optimisers(judged: Judged, source: Source, seed: int, *, strict: bool) -> Judged:
    """The verdicts with those on steps that depend on a state, each by the setting of its optimiser."""
    lines, conventions = list(judged.lines), [judged.convention] * bool(judged.convention)
    for step in steps_in(source, judged):
        rows = [source.rows[line - 1] if line in step.lines else "" for line in range(1, max(step.lines) + 1)]
        renamed = "\n".join(_renamed(row, step.names) for row in rows)
        found = judge_in(renamed, setting_named(step.setting), seed=seed, strict=strict)
        if not is_that_optimiser(found, step):
            continue
        back = {new: old for old, new in step.names.items()}
        lines = [each for each in lines if each.line not in step.lines]
        lines += [_in_the_writers_names(each, back, source) for each in found.lines]
        if found.convention not in ("", NOTES_CONVENTION, *conventions):
            conventions.append(found.convention)
    ordered = in_order(lines)
    summary = summarised(ordered, judged.summary.helpers)
    return judged._replace(convention="; ".join(conventions), lines=ordered, summary=summary)


def is_that_optimiser(found: Judged, step: Step) -> bool:
    """Whether all lines hold, or all but one, whose mistake has one name and a repair in the writer's own names.

    There are more optimisers than settings: what differs by more than a slip is another one.
    """
    wrong = [each for each in found.lines if each.verdict != HOLDS]
    if not wrong:
        return bool(found.summary.judged)
    (first, *others), known = wrong, {*step.names.values(), "np", "sqrt", "square"}
    repaired = set(_WORD.findall(first.repaired))
    slip = first.verdict == WRONG and first.causes == (first.cause,) and " + " not in first.cause
    return slip and not others and found.summary.judged > 1 and bool(repaired) and repaired <= known


def steps_in(source: Source, judged: Judged) -> Iterator[Step]:
    """The steps of parameters in a text that are computed from a state that earlier lines update."""
    statements = [
        each for each in source.tree.body if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name)
    ]
    settled = {each.line for each in judged.lines if each.verdict in (HOLDS, WRONG)}
    for place, last in enumerate(statements):
        parameter = _target(last)
        if parameter not in _reads(last):
            continue
        gradient, used, wanted = "", [last], _reads(last) - {parameter}
        for each in reversed(statements[:place]):
            name = _target(each)
            if name not in wanted:
                continue
            if parameter in symbols.meant_by(name, {parameter}):
                gradient = name
                continue
            if _is_of_a_network(each):
                used = []
                break
            used.append(each)
            wanted |= _reads(each)
        names = names_of(used[::-1], parameter, gradient) if gradient and len(used) > 1 else None
        if names is not None and settled:
            kind = kind_of_step(names)
            if kind == "momentum":
                names = {old: "beta" if new == "beta1" else new for old, new in names.items()}
            yield Step(tuple(each.lineno for each in used), kind, names)


def kind_of_step(names: Mapping[str, str]) -> str:
    """The setting of a step by the states that it has."""
    return "adam" if {"v", "s"} <= set(names.values()) else "rmsprop" if "s" in names.values() else "momentum"


def names_of(statements: list[ast.Assign], parameter: str, gradient: str) -> dict[str, str] | None:
    """The setting's names for the writer's; None where two would be one, or nothing is kept."""
    names, rooted = {parameter: "W", gradient: "dW"}, set(_under_roots(statements[-1]))
    kept = [_target(each) for each in statements[:-1] if _target(each) in _reads(each)]
    made = {_target(each): _reads(each) & set(kept) for each in statements[:-1] if _target(each) not in kept}
    for name in kept:
        of_squares = name in rooted or any(name in of and other in rooted for other, of in made.items())
        names[name] = "s" if of_squares else "v"
    small = {each.id for each in _beside_roots(statements[-1])}
    names |= {name: f"{names[next(iter(of))]}_corrected" for name, of in made.items() if len(of) == 1}
    for name in sorted({name for each in statements for name in _reads(each)} - names.keys() - {"np"}):
        usual = [("alpha", RATES), ("epsilon", SMALL), ("t", STEPS)]
        new = next((word for word, pattern in usual if pattern.match(name)), "")
        new = "epsilon" if name in small else new
        names[name] = new or ("beta2" if SECOND.search(name) and "s" in names.values() else "beta1")
    return names if kept and len(set(names.values())) == len(names) else None


def _under_roots(statement: ast.Assign) -> Iterator[str]:
    """The names that a step takes the root of."""
    for node in ast.walk(statement.value):
        match node:
            case ast.Call(func=ast.Attribute(attr="sqrt") | ast.Name(id="sqrt"), args=[inner]):
                yield from (each.id for each in ast.walk(inner) if isinstance(each, ast.Name))


def _beside_roots(statement: ast.Assign) -> Iterator[ast.Name]:
    """The names that are added to a root, whatever they are called: ``np.sqrt(s) + e``."""
    sums = (each for each in ast.walk(statement.value) if isinstance(each, ast.BinOp) and isinstance(each.op, ast.Add))
    for one, other in (pair for each in sums for pair in ((each.left, each.right), (each.right, each.left))):
        if isinstance(one, ast.Name) and isinstance(other, ast.Call) and ast.unparse(other.func).endswith("sqrt"):
            yield one


def _target(statement: ast.Assign) -> str:
    return ast.unparse(statement.targets[0])


def _reads(statement: ast.Assign) -> set[str]:
    called = {id(each.func) for each in ast.walk(statement.value) if isinstance(each, ast.Call)}
    names = (each for each in ast.walk(statement.value) if isinstance(each, ast.Name) and id(each) not in called)
    return {each.id for each in names} - {"np"}


def _is_of_a_network(statement: ast.Assign) -> bool:
    """Whether a line multiplies matrices: no optimiser does."""
    return any(isinstance(each, ast.MatMult) for each in ast.walk(statement)) or ".dot" in ast.unparse(statement)


def _renamed(row: str, names: Mapping[str, str]) -> str:
    """A row with other names, its comment left out."""
    code = row.partition("#")[0]
    return _WORD.sub(lambda match: names.get(plain_name(match[0]), match[0]), code)


def _in_the_writers_names(verdict: Verdict, back: Mapping[str, str], source: Source) -> Verdict:
    row = source.rows[verdict.line - 1]
    comment = row[len(row.partition("#")[0].rstrip()) :]
    diff = tuple(Change(each.line, (row,), tuple(f"{_renamed(new, back).rstrip()}{comment}" for new in each.new))
                 for each in verdict.diff if len(each.old) == 1)  # fmt: skip
    names, text = (
        _WORD.sub(lambda match: back.get(match[0], match[0]), each) for each in (verdict.target, verdict.message)
    )
    repaired = _renamed(verdict.repaired, back)
    return verdict._replace(target=names, text=row.strip(), repaired=repaired, message=text, diff=diff)
