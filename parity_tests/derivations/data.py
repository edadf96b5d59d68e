"""A person's own numbers: X, Y and the parameters say what everything else must be, and the rest is judged."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from manual.architecture import Architecture
from manual.checks import check_data, check_parameters
from manual.notation import Array
from parity_tests.derivations.agreement import compare
from parity_tests.derivations.diagnosis import Case, recognise
from parity_tests.derivations.errors import EvaluationError
from parity_tests.derivations.evaluate import run
from parity_tests.derivations.nodes import Program
from parity_tests.derivations.printer import to_text
from parity_tests.derivations.settings import Probe, Setting, setting_named
from parity_tests.derivations.settings.problems import NetworkProblem
from parity_tests.derivations.syntax import parse
from parity_tests.derivations.verdicts import AMBIGUOUS, CANNOT_TELL, HOLDS, UNKNOWN, WRONG, Verdict, explain, teach
from parity_tests.derivations.verify import context_of, counts, weights_of

PARAMETERS_FIRST = "Wb"


def verify_data(path: Path, setting: str | None, *, l2: bool = False) -> list[Verdict]:
    """Judge the arrays of a .npz file; nothing in it is unpickled.

    The file holds X, Y and every W and b of the setting (and lambda_ with ``l2``); every other symbol of the setting
    that it holds is judged.

    Raises ValueError for a file that is not a .npz of plain arrays, and where arrays are missing or do not fit.
    """
    if setting is None:
        raise ValueError("expected --setting with --data: it says what J is")
    return verify_numbers(read(path), setting_named(setting), l2=l2)


def read(path: Path) -> dict[str, Array]:
    """The arrays of a .npz file."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        raise ValueError(f"{path.name} is not a .npz of plain arrays: {str(error).splitlines()[0]}") from error


def verify_numbers(given: Mapping[str, Any], setting: Setting, *, l2: bool = False) -> list[Verdict]:
    """Judge a person's arrays, by name."""
    values = {setting.aliases.get(name, name): np.asarray(value) for name, value in given.items()}
    for name, value in values.items():
        if value.dtype.kind not in "fiub":
            raise ValueError(f"{name} has dtype {value.dtype}, expected numbers")
    own = own_setting(setting, values, l2)
    probe = own.probe(0, l2)
    inputs = {"X", "Y", "w", "b", "m", "lambda_"} | {name for name in values if name[0] in PARAMETERS_FIRST}
    judged = [name for name in values if name in setting.targets and name not in inputs]
    if not judged:
        raise ValueError(f"the file holds nothing to judge, expected one or more of {', '.join(setting.targets)}")
    singles = [value.dtype == np.float32 for value in values.values() if value.dtype.kind == "f"]
    unit = float(np.finfo(np.float32 if any(singles) else np.float64).eps) / 2
    return [judge_numbers(own, name, values[name], probe, l2, unit) for name in judged]


def own_setting(setting: Setting, values: Mapping[str, Any], l2: bool) -> Setting:
    """The setting with the person's data and parameters in place of drawn ones."""
    drawn = setting.draw(0)
    if not isinstance(drawn, NetworkProblem):
        raise ValueError(
            f"--data works with the settings that are networks, and {setting.name} is not: try shallow or deep"
        )
    needed = ["X", "Y", *drawn.params, *(["lambda_"] if l2 else [])]
    missing = [name for name in needed if name not in values]
    if missing:
        raise ValueError(
            f"the file lacks {', '.join(missing)}: setting {setting.name} follows from {', '.join(needed)}"
        )
    for name in needed[:-1] if l2 else needed:
        if values[name].ndim != 2:
            raise ValueError(f"{name} has shape {values[name].shape}, expected a matrix")
    params = {name: values[name].astype(np.float64) for name in drawn.params}
    X, Y = values["X"].astype(np.float64), values["Y"].astype(np.float64)
    layers = tuple(replace(layer, units=params[f"W{k}"].shape[0]) for _, layer, k in drawn.architecture.numbered())
    architecture = Architecture(X.shape[0], layers)
    check_parameters(architecture, params)
    check_data(architecture, X, Y)
    lambda_ = float(values.get("lambda_", drawn.lambda_))
    own = replace(drawn, architecture=architecture, params=params, X=X, Y=Y, lambda_=lambda_)
    return replace(setting, draw=lambda seed: own)


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

    def evaluate(node: Any, number: int) -> Any:
        try:
            return run(node, probe.environment).get(name)
        except EvaluationError:
            return None

    right = target.rights(l2)[0]
    program: Program = parse(f"{name} = {right}")
    context = context_of(setting, name, name, probe.environment)
    case = Case(program, context, evaluate, [], weights_of(setting, name, probe.environment), unit)
    found = recognise(case, [np.asarray(value, np.float64)])
    repaired = to_text(program, as_written=True)
    if found is None:
        message = f"{saw}: no known mistake gives these numbers, so it is unknown. {repaired} holds{ids}."
        return base._replace(verdict=WRONG, cause=UNKNOWN, repaired=repaired, message=message)
    cause = " + ".join(found.causes)
    if found.alternatives:
        causes = (cause, *(" + ".join(each) for each in found.alternatives))
        listed = "; or ".join(teach(each) for each in causes)
        message = f"{saw}: ambiguous, {listed}. {repaired} holds{ids}."
        return base._replace(verdict=WRONG, cause=AMBIGUOUS, causes=causes, repaired=repaired, message=message)
    message = f"{saw}: {teach(cause)}. {repaired} holds{ids}."
    return base._replace(verdict=WRONG, cause=cause, causes=(cause,), repaired=repaired, message=message)
