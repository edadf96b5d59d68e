"""A person's own functions, named like the public ones of ``manual``: run apart, judged like any case.

The file is run in a process of its own, for at most SECONDS; arrays go in and come back as plain .npz files.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

import manual
from manual import activations, costs, dense, logistic_regression
from parity_tests import bounds
from parity_tests.apart import Limits, run_apart
from parity_tests.cases import CASES
from parity_tests.cases.case import Case
from parity_tests.derivations.agreement import DOUBLE, compare
from parity_tests.derivations.data import name_the_cause
from parity_tests.derivations.not_looked_at import binds, not_looked_at
from parity_tests.derivations.returned import Returned
from parity_tests.derivations.setting_functions import SIGNATURES, judge_trials, trials
from parity_tests.derivations.settings import Probe, setting_named
from parity_tests.derivations.verdicts import (
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
    summarised,
)
from parity_tests.formulas import generator, magnitudes, reference_outputs
from parity_tests.judge import judge

SECONDS = 20
PROBES = 3
CHAPTERS = (activations, costs, dense, logistic_regression)
RUNNER = "parity_tests.derivations.functions_runner"

EACH = "J = what the docstring of each public function says"
LAYOUT = "examples in columns, volumes (m, n_H, n_W, n_C); the functions named like the public ones are called"

SETTING_OF: dict[str, tuple[str, dict[str, str], str]] = {
    "linear_forward": ("layer", {}, ""),
    "weight_gradient": ("layer", {}, ""),
    "bias_gradient": ("layer", {}, ""),
    "input_gradient": ("layer", {}, ""),
    "linear_backward": ("layer", {}, ""),
    **{
        f"{unit}{form}": (unit, {"Z": "z"}, target)
        for unit in ("sigmoid", "tanh", "relu", "leaky_relu")
        for form, target in (("", "a"), ("_prime", "g_prime"))
    },
    **{
        f"{cost}{form}": (cost, {}, target)
        for cost in ("binary_cross_entropy", "cross_entropy", "squared_error")
        for form, target in (("", "J"), ("_prime", "dA"))
    },
}
"""Where a function's mistakes are looked for: a setting, other names for its arguments, and the target, "" for the
output's own name."""


def public_cases() -> dict[str, Case]:
    """The cases of public functions, by the function's name."""
    found: dict[str, Case] = {}
    for case in CASES:
        chapter, _, name = case.id.partition(".")
        module = next((each for each in CHAPTERS if each.__name__ == f"{manual.__name__}.{chapter}"), None)
        if module is not None and getattr(module, name, None) is case.manual:
            found[name] = case
    return found


def verify_functions(path: Path, *, seed: int = 0) -> Judged:
    """Judge every function of a .py file that is named like a public one.

    The others, and gradients computed outside of functions, are "not judged". A file without a public name is not run.

    Raises ValueError where the file cannot be run, or has neither functions nor gradients.
    """
    source = path.read_text(encoding="utf-8", errors="replace")
    cases = public_cases()
    known = (*cases, *SIGNATURES)
    found = _judge_known(path, cases, seed) if binds(source, known) else {}
    left, helpers = not_looked_at(source, found)
    if not found and not left:
        raise ValueError(f"{path.name} has no function to judge, expected one or more of {', '.join(known)}")
    rows = (*(verdict for verdicts in found.values() for verdict in verdicts), *left)
    return Judged(path.name, Cost(EACH), NOTES_CONVENTION, LAYOUT, REFEREES, rows, summarised(rows, helpers))


def _judge_known(path: Path, cases: dict[str, Case], seed: int) -> dict[str, list[Verdict]]:
    """The verdicts on the functions with a public name, by this name."""
    probes = {
        name: [case.inputs(generator(case.id, seed + number)) for number in range(PROBES)]
        for name, case in cases.items()
    }
    calls = {name: trials(name, seed) for name in SIGNATURES}
    returned = _run(path, probes | {name: [call.inputs for call in each] for name, each in calls.items()})
    return {
        name: _judge(name, cases[name], probes[name], answers)
        if name in cases
        else judge_trials(name, calls[name], answers)
        for name, answers in returned.items()
    }


def _run(path: Path, probes: dict[str, list[dict[str, Any]]]) -> dict[str, list[Returned]]:
    """Run the person's file apart: by function, what it returned on every probe."""
    with tempfile.TemporaryDirectory() as folder:
        request, answer = Path(folder, "request.npz"), Path(folder, "answer.npz")
        arrays = {
            f"{name}/{number}/{argument}": np.asarray(value)
            for name, inputs in probes.items()
            for number, each in enumerate(inputs)
            for argument, value in each.items()
        }
        np.savez(request, allow_pickle=False, **arrays)
        heard = run_apart(path, RUNNER, [str(request), str(answer)], Limits(SECONDS), Path(folder))
        with np.load(answer, allow_pickle=False) as stored:
            return {
                name: [
                    Returned([stored[f"{name}/{number}/{place}"] for place in range(said["outputs"])], said["problem"])
                    for number, said in enumerate(answers)
                ]
                for name, answers in heard["functions"].items()
            }


def _judge(name: str, case: Case, probes: list[dict[str, Any]], answers: list[Returned]) -> list[Verdict]:
    """A verdict for every output of a function: on the first probe where it is not right, or on the last."""
    verdicts: dict[str, Verdict] = {}
    for inputs, answer in zip(probes, answers, strict=True):
        reference = reference_outputs(case, inputs)
        at = magnitudes(inputs, reference)
        for place, (output, bound) in enumerate(case.bounds.items()):
            if output in verdicts and verdicts[output].verdict != HOLDS:
                continue
            target = name if len(case.bounds) == 1 else f"{name}: {output}"
            base = Verdict(target, 0, target, HOLDS, "", (), "", tuple(case.formulas.split()), 0.0, 0.0, 0.0, (),
                           np.shape(reference[output]), f"{target} holds.")  # fmt: skip
            if answer.problem or place >= len(answer.outputs):
                shown = answer.problem or f"returned {len(answer.outputs)} values, expected {len(case.bounds)}"
                verdicts[output] = base._replace(
                    verdict=WRONG, cause=UNKNOWN, error=np.inf, bound=np.nan, ratio=np.inf, message=f"{name} {shown}"
                )
                continue
            verdicts[output] = _output(base, name, output, inputs, reference, answer.outputs[place], bound, at)
    return list(verdicts.values())


def _output(
    base: Verdict,
    name: str,
    output: str,
    inputs: dict[str, Any],
    reference: dict[str, Any],
    value: Any,
    bound: Any,
    at: SimpleNamespace,
) -> Verdict:
    """One output under its derived bound; a wrong one is held against the known mistakes."""
    expected = np.asarray(reference[output])
    count = max(np.size(each) for each in inputs.values())
    floor = bounds.underflow(np.dtype(np.float64), count)
    tolerance = 2 * np.asarray(bound(DOUBLE, at), np.float64) + floor
    judgement = judge(np.asarray(value, np.float64), expected, tolerance, np.float64, floor)
    base = base._replace(error=judgement.error, bound=judgement.bound, ratio=judgement.ratio, shape_got=np.shape(value))
    if not judgement.fails:
        return base._replace(verdict=CANNOT_TELL if judgement.untold else HOLDS)
    sizes = {"m": inputs["dZ" if "dZ" in inputs else next(iter(inputs))].shape[-1]}
    saw = f"{base.target} {explain(compare(value, expected), '', sizes)}"
    where = SETTING_OF.get(name)
    if where is None:
        return base._replace(verdict=WRONG, cause=UNKNOWN, message=f"{saw}: the mistake is unknown.")
    setting_name, renamed, target = where
    setting = setting_named(setting_name)
    symbol = target or output
    own = {renamed.get(key, key): each for key, each in inputs.items()}
    environment = {**setting.functions, **own, **sizes, symbol: expected}
    if symbol in ("g_prime", "a"):
        environment.setdefault("a", setting.probe(0).environment[setting_name](own["z"]))
    l2 = bool(own.get("lambda_"))
    probe = Probe(environment, {symbol: expected}, lambda: {symbol: expected})
    found = name_the_cause(base._replace(target=symbol), saw, setting, probe, value, l2, DOUBLE)
    return found._replace(target=base.target)
