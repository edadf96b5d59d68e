"""A person's own numbers: data and parameters say what everything else must be, and the rest is judged."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from manual.notation import Array
from parity_tests.derivations.agreement import compare
from parity_tests.derivations.budget import Budget
from parity_tests.derivations.diagnosis import Case, recognise
from parity_tests.derivations.errors import EvaluationError
from parity_tests.derivations.evaluate import run
from parity_tests.derivations.nodes import Program
from parity_tests.derivations.printer import to_text
from parity_tests.derivations.settings import SETTINGS, Probe, Setting, setting_named
from parity_tests.derivations.settings.setting import Own, derivation_of
from parity_tests.derivations.syntax import parse
from parity_tests.derivations.verdicts import (
    AMBIGUOUS,
    CANNOT_TELL,
    HOLDS,
    NOTES_CONVENTION,
    REFEREES,
    UNKNOWN,
    WRONG,
    Cost,
    Judged,
    Verdict,
    explain,
    not_judged,
    summarised,
    teach,
)
from parity_tests.derivations.verify import context_of, cost_text, counts, layout_text, weights_of


def verify_data(path: Path, setting: str | None, *, l2: bool = False) -> Judged:
    """Judge the arrays of a .npz file; nothing in it is unpickled.

    The file holds what everything else follows from, as X, Y and every W and b (and lambda_ with ``l2``); every other
    symbol of the setting that it holds is judged; other arrays are "not judged".

    Raises ValueError for a file that is not a .npz of plain arrays, and where arrays are missing or do not fit.
    """
    if setting is None:
        raise ValueError("expected --setting with --data: it says what J is")
    chosen, given = setting_named(setting), read(path)
    found = verify_numbers(given, chosen, l2=l2)
    known = {verdict.target for verdict in found} | {symbol.name for symbol in chosen.symbols}
    left = [name for name in given if chosen.aliases.get(name, name) not in known]
    why = f"is not judged: it is no symbol of setting {chosen.name}."
    rows = (*found, *(not_judged(name, 0, name, f"{name} {why}") for name in left))
    return Judged(
        path.name, Cost(cost_text(chosen, l2)), NOTES_CONVENTION, layout_text(chosen, named=True), REFEREES, rows,
        summarised(rows),
    )  # fmt: skip


def read(path: Path) -> dict[str, Array]:
    """The arrays of a .npz file."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        what = "it is something else, or pickled" if "pickle" in str(error) else str(error).splitlines()[0]
        raise ValueError(f"{path.name} is not a .npz of plain arrays: {what}") from error


def verify_numbers(given: Mapping[str, Any], setting: Setting, *, l2: bool = False) -> list[Verdict]:
    """Judge a person's arrays, by name."""
    values = {setting.aliases.get(name, name): np.asarray(value) for name, value in given.items()}
    for name, value in values.items():
        if value.dtype.kind not in "fiub":
            raise ValueError(f"{name} has dtype {value.dtype}, expected numbers")
    way = own_way(setting, values, l2)
    own = own_setting(setting, way, values)
    judged = [name for name in values if name in way.judged]
    if not judged:
        raise ValueError(f"the file holds nothing to judge, expected one or more of {', '.join(way.judged)}")
    probe = own.probe(0, l2)
    singles = [value.dtype == np.float32 for value in values.values() if value.dtype.kind == "f"]
    unit = float(np.finfo(np.float32 if any(singles) else np.float64).eps) / 2
    return [judge_numbers(own, name, values[name], probe, l2, unit) for name in judged]


def own_way(setting: Setting, values: Mapping[str, Any], l2: bool) -> Own:
    """The first of the setting's ways whose symbols are all there, with ``lambda_`` where J has the penalty."""
    if not setting.own:
        names = ", ".join(name for name, each in SETTINGS.items() if each.own)
        raise ValueError(f"--data does not work with setting {setting.name}, expected one of {names}")
    number = ("lambda_",) if l2 else ()
    for way in setting.own:
        if all(name in values for name in (*way.needed, *number)):
            return way
    needed = (*setting.own[0].needed, *number)
    missing = [name for name in needed if name not in values]
    others = "".join(f", or from {', '.join(way.needed)}" for way in setting.own[1:])
    raise ValueError(
        f"the file lacks {', '.join(missing)}: setting {setting.name} follows from {', '.join(needed)}{others}"
    )


def own_setting(setting: Setting, way: Own, values: Mapping[str, Any]) -> Setting:
    """The setting with the person's data and parameters in place of drawn ones."""
    drawn = setting.draw(0).given()
    shapes = {symbol.name: symbol.shape for symbol in setting.symbols}
    check_sizes({name: shapes[name] for name in way.needed}, values)
    numbers = {name: values.get(name, drawn[name]) for name in ("lambda_", "alpha") if name in drawn}
    for name, value in numbers.items():
        if np.size(value) != 1:
            raise ValueError(f"{name} has shape {np.shape(value)}, expected a number")
    own = way.problem(
        {name: values[name].astype(np.float64) for name in way.needed}
        | {name: float(np.ravel(value)[0]) for name, value in numbers.items()}
    )
    targets = {name: target for name, target in setting.targets.items() if name in way.judged}
    return replace(setting, draw=lambda seed: own, targets=targets)


def check_sizes(shapes: Mapping[str, str], values: Mapping[str, Any]) -> None:
    """Whether the arrays have as many axes as the setting lists, and the same size wherever a size has the same name.

    A number may come as an array of one entry.
    """
    sizes: dict[str, int] = {}
    for name, shape in shapes.items():
        symbols = [each.strip() for each in shape.strip("()").split(",") if each.strip()]
        got = np.shape(values[name])
        if not symbols and np.size(values[name]) == 1:
            continue
        pairs = zip(symbols, got, strict=False)
        expected = tuple(int(each) if each.isdigit() else sizes.get(each, size) for each, size in pairs)
        if len(symbols) != len(got) or got != expected:
            known = f", with {', '.join(f'{n} = {sizes[n]}' for n in symbols if n in sizes)}"
            raise ValueError(f"{name} has shape {got}, expected {shape}{known if len(known) > 7 else ''}")
        sizes |= {each: size for each, size in zip(symbols, got, strict=True) if not each.isdigit()}


def judge_numbers(setting: Setting, name: str, value: Any, probe: Probe, l2: bool, unit: float) -> Verdict:
    """One array against the truth; a wrong one is held against the mistakes that could have made it."""
    target = setting.targets[name]
    truths = [referee[name] for referee in probe.truths]
    agreement = next((each for each in (compare(value, truth, unit) for truth in truths) if not each.holds), None)
    shown = compare(value, truths[0], unit) if agreement is None else agreement
    base = Verdict(
        name, 0, name, HOLDS, "", (), "", target.formula_ids, shown.error, shown.bound,
        shown.error / shown.bound if shown.bound else 0.0, shown.shape_got, shown.shape_expected, f"{name} holds.",
    )  # fmt: skip
    if agreement is None:
        return base
    if not agreement.wrong:
        told = f"{name} is off by more than rounding and by less than a wrong formula: this cannot be told."
        return base._replace(verdict=CANNOT_TELL, message=told)
    saw = f"{name} {explain(agreement, '', counts(probe.environment))}"
    return name_the_cause(base, saw, setting, probe, value, l2, unit)


def name_the_cause(
    base: Verdict, saw: str, setting: Setting, probe: Probe, value: Any, l2: bool, unit: float
) -> Verdict:
    """The mistake that turns a right formula into these numbers, if a small one does."""
    name = base.target
    target = setting.targets[name]
    ids = f" ({', '.join(target.formula_ids)})" if target.formula_ids else ""

    def evaluate(node: Any, number: int, budget: Budget) -> Any:
        try:
            return run(node, environment, budget=budget).get(name)
        except EvaluationError:
            return None

    right = target.rights(l2)[0]
    program: Program = parse(derivation_of(name, right))
    environment = setting.environment(probe, name)
    context = context_of(setting, name, name, environment)
    case = Case(program, context, evaluate, [], weights_of(setting, name, environment), unit)
    found = recognise(case, [np.asarray(value, np.float64)])
    repaired = to_text(program, as_written=True)
    holds = f"This holds{ids}:\n{repaired}" if "\n" in repaired else f"{repaired} holds{ids}."
    if found is None:
        message = f"{saw}: no known mistake gives these numbers, so it is unknown. {holds}"
        return base._replace(verdict=WRONG, cause=UNKNOWN, repaired=repaired, message=message)
    cause = " + ".join(found.causes)
    if found.alternatives:
        causes = (cause, *(" + ".join(each) for each in found.alternatives))
        listed = "; or ".join(teach(each) for each in causes)
        message = f"{saw}: ambiguous, {listed}. {holds}"
        return base._replace(verdict=WRONG, cause=AMBIGUOUS, causes=causes, repaired=repaired, message=message)
    message = f"{saw}: {teach(cause)}. {holds}"
    return base._replace(verdict=WRONG, cause=cause, causes=(cause,), repaired=repaired, message=message)
