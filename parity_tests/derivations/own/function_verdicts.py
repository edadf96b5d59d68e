"""What is said of a function that was called: a verdict for every value that its task wants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.agreement import DOUBLE, agrees, as_number
from parity_tests.derivations.own.calls import Answer, Call, Request
from parity_tests.derivations.own.data import judge_numbers
from parity_tests.derivations.own.functions_runner import CHANNELS_FIRST, ROWS, normal
from parity_tests.derivations.own.tasks import ALTERNATIVES, STEPS_BEFORE, Output, Task
from parity_tests.derivations.settings import Probe, Setting
from parity_tests.derivations.settings.setting import Tied, probe_of, tied_probe_of
from parity_tests.derivations.verdicts import (
    HOLDS,
    NOT_JUDGED,
    WITH_A_BORDER,
    WRONG,
    Verdict,
    not_judged,
    teach,
)

PROBES = 3

AVERAGED = "It holds where dZ carries the 1/m, as the derivative of J: dW and db then lack it."
IN_LAYOUT = {
    "": "",
    ROWS: "It holds where examples are rows.",
    CHANNELS_FIRST: "It holds where channels come first: (m, n_C, n_H, n_W).",
}


class Trial(NamedTuple):
    """A probe, with the penalty in J and without it; and the way of breaking ties, where it has them."""

    plain: Probe
    penalised: Probe
    tied: Tied | None = None

    def probe(self, call: Call) -> Probe:
        """The probe whose J is that of the call."""
        return self.penalised if "lambda_" in call.given else self.plain


@cache
def trials(setting: Setting, seed: int) -> tuple[Trial, ...]:
    """The probes that a function is called on: a small one first, on which a mistake is named quickly, ties last."""
    tied, small = tied_probe_of(setting), [probe_of(setting, "small", l2=False)] if "small" in setting.further else []
    found = [Trial(each, each) for each in small]
    for number in range(PROBES):
        plain = probe_of(setting, seed + number, l2=False)
        found.append(Trial(plain, probe_of(setting, seed + number, l2=True) if setting.penalised else plain))
    return (*found, Trial(tied.probe, tied.probe, tied)) if tied is not None else tuple(found)


def request(task: Task, setting: Setting, seed: int) -> Request:
    """How the function of a task is to be called."""
    return Request(task.request(), [values_of(task, trial.plain) for trial in trials(setting, seed)])


def values_of(task: Task, probe: Probe) -> dict[str, Any]:
    """What a function may be given."""
    known = {**probe.by_numpy, **probe.environment, **task.fixed}
    if "D" in probe.by_numpy:
        known["D"] = probe.by_numpy["D"]
    if "t" in known:
        known[STEPS_BEFORE] = known["t"] - 1
    named = {*task.order, *task.names.values(), *(each for held in task.bundles.values() for each in held.values())}
    named |= set(_symbols(task.caches))
    return {symbol: known[symbol] for symbol in named if symbol in known and not callable(known[symbol])}


def _symbols(template: Any) -> Iterator[str]:
    """The symbols in the templates of a cache."""
    if isinstance(template, str):
        yield template
    else:
        for each in template:
            yield from _symbols(each)


def judged(
    name: str,
    task: Task,
    setting: Setting,
    probes: Sequence[Trial],
    answer: Answer,
    *,
    counts_from_the_end: bool = False,
    causes: bool = True,
) -> list[Verdict]:
    """A verdict for every output: of the first call that is not right, or that it holds; why it is not judged.

    The task's layouts are tried in turn until one is right; what is wrong in the nearest is held against the mistakes
    that could have made it, with ``causes``. A function that ``counts_from_the_end`` has a slice pad:-pad, which is at
    fault where the function raises without a border.
    """
    signature, calls = answer
    label = f"{name} ({', '.join(task.fixed.values())})" if task.fixed else name
    best: list[Verdict] = []
    chosen = 0
    for way in range(len(calls[0])):
        layout = task.layouts[way]
        verdicts = _in_one_way(label, task, setting, probes, [each[way] for each in calls], signature, layout)
        right = all(verdict.verdict == HOLDS for verdict in verdicts)
        if right or not best or (_nothing(best) and not _nothing(verdicts) and _nearer(verdicts)):
            best, chosen = verdicts, way
        if right:
            break
    if causes and any(verdict.verdict == WRONG for verdict in best):
        calls_of_it = [each[chosen] for each in calls]
        best = _in_one_way(label, task, setting, probes, calls_of_it, signature, task.layouts[chosen], causes=True)
    if counts_from_the_end:
        return _without_a_border(label, task, best, probes, [each[chosen] for each in calls])
    return best


def _without_a_border(
    label: str, task: Task, found: list[Verdict], probes: Sequence[Trial], calls: Sequence[Call]
) -> list[Verdict]:
    """The verdicts where the function raises for pad = 0 alone: what the slice pad:-pad gives is wrong."""
    raised = [(trial, call) for trial, call in zip(probes, calls, strict=True) if call.problem]
    if not raised or any(trial.plain.environment.get("pad") for trial, _ in raised):
        return found
    cropped = "dA_prev" if len(task.outputs) > 1 else task.outputs[0].symbol
    return [
        _empty(each, output, f"has no value with pad = 0 (it {raised[0][1].problem})")
        if output.symbol == cropped and each.verdict == HOLDS
        else each
        for output, each in zip(task.outputs, found, strict=True)
    ]


def _nothing(verdicts: Sequence[Verdict]) -> bool:
    return all(verdict.verdict == NOT_JUDGED for verdict in verdicts)


def _nearer(verdicts: Sequence[Verdict]) -> bool:
    """Whether another layout is what was meant: something holds in it."""
    return any(verdict.verdict == HOLDS for verdict in verdicts)


def _in_one_way(
    label: str,
    task: Task,
    setting: Setting,
    probes: Sequence[Trial],
    calls: Sequence[Call],
    signature: str,
    layout: str,
    *,
    causes: bool = False,
) -> list[Verdict]:
    called = [(trial, call) for trial, call in zip(probes, calls, strict=True) if not call.problem and call.fits]
    outputs = task.outputs
    if not any(trial.tied is None for trial, _ in called):
        return [_not_called(label, task, calls, signature)]
    raised = [(trial, call) for trial, call in zip(probes, calls, strict=True) if call.problem]
    note = _raised(raised, called)
    found = []
    for place, output in enumerate(outputs):
        target = label if len(outputs) == 1 else f"{label}: {output.label}"
        verdict = None
        ties = ""
        for trial, call in called:
            value = matched(task, output, place, call, trial, layout)
            if trial.tied is not None:
                ties = trial.tied.sentence(output.symbol, value)
                continue
            if value is None:
                said = f"{label} returned {len(call.values)} values, expected {len(outputs)}"
                verdict = not_judged(target, 0, target, f"{target} is not judged: {said}; {expected(task, label)}.")
                break
            probe = trial.probe(call)
            if not np.size(value) and probe.environment.get("pad") == 0 and verdict is not None:
                verdict = _empty(verdict, output, f"has shape {np.shape(value)} with pad = 0", np.shape(value))
                break
            l2 = "lambda_" in call.given
            verdict = judge_numbers(setting, output.symbol, value, probe, l2, DOUBLE, causes=causes)
            if verdict.verdict != HOLDS:
                break
        assert verdict is not None
        if verdict.verdict == HOLDS:
            verdict = verdict._replace(
                message=" ".join(filter(None, [f"{target} holds.", ties, IN_LAYOUT[layout], note]))
            )
        elif verdict.verdict != NOT_JUDGED:
            verdict = verdict._replace(message=f"{label}: {verdict.message}")
        found.append(verdict._replace(target=target, text=target))
    return _averaged(task, called, found, layout)


def _empty(verdict: Verdict, output: Output, saw: str, shape: tuple[int, ...] = ()) -> Verdict:
    """The verdict on what held with a border, and is empty without one."""
    cause = "pad-zero-slice"
    message = f"{output.label} {saw}: {teach(cause)}. {WITH_A_BORDER}"
    return verdict._replace(verdict=WRONG, cause=cause, causes=(cause,), shape_got=shape, message=message)


def matched(task: Task, output: Output, place: int, call: Call, trial: Trial, layout: str) -> Any:
    """The value that stands for an output: under its name, at its place, or else wherever the right one is.

    None where nothing stands for it.
    """
    truth = trial.probe(call).by_numpy[output.symbol]
    seen = [_as_in_notes(value, truth, output.symbol, layout) for value in call.values]
    before = [each for each in task.outputs[:place] if each.key == output.key]
    named = [value for name, value in zip(call.names, seen, strict=True) if _names(name, output)]
    if named:
        return named[min(len(before), len(named) - 1)]
    bare = [value for name, value in zip(call.names, seen, strict=True) if not name]
    if not bare:
        return seen[0] if len(seen) == len(task.outputs) == 1 else None
    right = next((value for value in bare if agrees(as_number(value, truth), truth)), None)
    if right is not None:
        return right
    unnamed = [each for each in task.outputs if not any(_names(name, each) for name in call.names)]
    position = unnamed.index(output)
    return bare[position] if position < len(bare) else None


def _names(key: str, output: Output) -> bool:
    """Whether a dict's key is an output's: dW for dW, and dW1 too where there is one layer."""
    bare = normal(key)
    return bool(key) and (bare == output.key or bare.rstrip("0123456789") == output.key)


def _as_in_notes(value: Any, truth: Any, symbol: str, layout: str) -> Any:
    """A value of another layout in the notes'; a flat bias is a column, or the last axis."""
    if layout and np.ndim(value) == 1 and np.size(value) == np.size(truth) and symbol in ("b", "db"):
        return np.reshape(value, np.shape(truth))
    if layout == ROWS:
        if np.ndim(value) == 1 and np.shape(truth) == (np.size(value), 1):
            return np.reshape(value, np.shape(truth))
        return np.transpose(value) if np.ndim(value) == 2 else value
    if layout == CHANNELS_FIRST and np.ndim(value) == 4:
        return np.transpose(value, (2, 3, 1, 0) if symbol in ("W", "dW") else (0, 2, 3, 1))
    return value


def _averaged(task: Task, called: Sequence[tuple[Trial, Call]], found: list[Verdict], layout: str) -> list[Verdict]:
    """The verdicts under the other convention, where every gradient lacks the 1/m and all else holds."""
    lacking = [place for place, output in enumerate(task.outputs) if output.symbol in task.average]
    others = [verdict for place, verdict in enumerate(found) if place not in lacking]
    if len(lacking) < 2 or not others or any(each.verdict != HOLDS for each in others):
        return found
    if any(found[place].verdict != WRONG for place in lacking):
        return found
    for trial, call in called:
        for place in lacking:
            truth = trial.plain.by_numpy[task.outputs[place].symbol]
            value = matched(task, task.outputs[place], place, call, trial, layout)
            if value is None or not agrees(np.asarray(value) / trial.plain.environment["m"], truth):
                return found
    return [
        each._replace(verdict=HOLDS, cause="", causes=(), repaired="", message=f"{each.target} holds. {AVERAGED}")
        if place in lacking
        else each
        for place, each in enumerate(found)
    ]


def _raised(raised: Sequence[tuple[Trial, Call]], called: Sequence[tuple[Trial, Call]]) -> str:
    """What is said of the probes on which a function raised, where it returned on others."""
    if not raised or not called:
        return ""
    trial, call = raised[0]
    pads = {each.plain.environment.get("pad") for each, _ in called}
    pad = trial.plain.environment.get("pad")
    where = f"With pad = {pad}" if pad is not None and pad not in pads else "On other sizes"
    return f"{where} it {call.problem}."


def _not_called(label: str, task: Task, calls: Sequence[Call], signature: str) -> Verdict:
    """Why a function is not judged, with what it is called like."""
    problem = next((call.problem for call in calls if call.problem), "")
    why = f"it {problem}" if problem else f"no way of calling {signature} is known"
    return not_judged(label, 0, label, f"{label} is not judged: {why}; {expected(task, label)}.")


def expected(task: Task, label: str) -> str:
    """The signatures that are known."""
    name = label.split(" ")[0]
    sizes = {symbol for held in task.bundles.values() for symbol in held.values()}
    forms = [f"{name}({', '.join(task.order)})"]
    if task.caches:
        forms.append(f"{name}({task.order[0]}, cache)")
    elif task.bundles and sizes <= set(task.order):
        plain = [symbol for symbol in task.order if symbol not in sizes]
        forms.append(f"{name}({', '.join(plain)}, {next(iter(task.bundles))})")
    elif task.bundles:
        forms = [f"{name}({', '.join([*_first_names(task), *task.order])})"]
    returned = ", ".join(output.label for output in task.outputs)
    return f"expected {' or '.join(forms)}, returning {returned}"


def _first_names(task: Task) -> list[str]:
    """The bundles, each under its first name."""
    held: dict[tuple[tuple[str, str], ...], str] = {}
    for name, symbols in task.bundles.items():
        held.setdefault((*symbols.items(), *((name, "") for _ in range(len(name) == 1))), name)
    return [name for name in held.values() if name not in task.order]


def together(name: str, verdicts: list[list[Verdict]]) -> list[Verdict]:
    """The verdicts of a function's tasks: all of them, or of alternatives the first that holds."""
    if name in ALTERNATIVES:
        return next((each for each in verdicts if all(one.verdict == HOLDS for one in each)), verdicts[0])
    judged = [each for each in verdicts if not _nothing(each)]
    return [verdict for each in (judged or verdicts[:1]) for verdict in each]
