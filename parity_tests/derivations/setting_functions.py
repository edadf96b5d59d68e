"""A person's functions that are judged on the probes of a setting: convolution, pooling, dropout, optimisers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.agreement import DOUBLE
from parity_tests.derivations.data import judge_numbers
from parity_tests.derivations.returned import Returned
from parity_tests.derivations.settings import Probe, setting_named
from parity_tests.derivations.verdicts import HOLDS, UNKNOWN, WRONG, Verdict

PROBES = 3


class Signature(NamedTuple):
    """A function: its arguments with their symbols in the setting, its outputs, and the settings it is tried in.

    A setting's own arguments come behind the others.
    """

    arguments: Mapping[str, str]
    outputs: tuple[str, ...]
    settings: Mapping[str, Mapping[str, Any]]


class Trial(NamedTuple):
    """One call of a function: what goes in, and the probe that says what must come out."""

    inputs: dict[str, Any]
    setting: str
    probe: Probe


def _same(*names: str, **others: str) -> dict[str, str]:
    return {**{name: name for name in names}, **others}


_POOLED: dict[str, dict[str, Any]] = {"max-pool": {"mode": "max"}, "average-pool": {"mode": "average"}}
_RATE = {"learning_rate": "alpha"}
_ADAM = Signature(
    {**_same("W", "dW", "v", "s", "t"), **_RATE, **_same("beta1", "beta2", "epsilon")}, ("W", "v", "s"), {"adam": {}}
)

SIGNATURES: dict[str, Signature] = {
    "zero_pad": Signature({"A": "A_prev", "pad": "pad"}, ("A_prev_pad",), {"convolution": {}}),
    "conv_forward": Signature(_same("A_prev", "W", "b", "stride", "pad"), ("Z",), {"convolution": {}}),
    "conv_backward": Signature(
        _same("dZ", "A_prev", "W", "stride", "pad"), ("dA_prev", "dW", "db"), {"convolution": {}}
    ),
    "flatten": Signature({"A": "A"}, ("A_flat",), {"flatten": {}}),
    "pool_forward": Signature(_same("A_prev", size="f", stride="stride"), ("A",), _POOLED),
    "pool_backward": Signature(_same("dA", "A_prev", size="f", stride="stride"), ("dA_prev",), _POOLED),
    "dropout_forward": Signature(_same("A", mask="D", keep_prob="keep_prob"), ("A_drop",), {"dropout": {}}),
    "dropout_backward": Signature({"dA": "dA_drop", "mask": "D", "keep_prob": "keep_prob"}, ("dA",), {"dropout": {}}),
    "momentum_update": Signature({**_same("W", "dW", "v"), **_RATE, "beta": "beta"}, ("W", "v"), {"momentum": {}}),
    "rmsprop_update": Signature(
        {**_same("W", "dW", "s"), **_RATE, **_same("beta2", "epsilon")}, ("W", "s"), {"rmsprop": {}}
    ),
    "adam_update": _ADAM,
    "adam": _ADAM,
}
"""Functions by name, as ``manual`` has them; adam is the short name of its update."""


def trials(name: str, seed: int) -> list[Trial]:
    """The calls of a function, every setting on several probes."""
    found = []
    for setting, extra in SIGNATURES[name].settings.items():
        small = setting_named(setting).small_probe()  # first: a mistake that shows on it is named more quickly
        for probe in filter(None, [small, *(setting_named(setting).probe(seed + number) for number in range(PROBES))]):
            inputs = {argument: probe.environment[symbol] for argument, symbol in SIGNATURES[name].arguments.items()}
            if "mask" in inputs:  # a mask is an argument here, not what follows from its numbers
                inputs["mask"] = probe.by_numpy["D"]
            found.append(Trial({**inputs, **extra}, setting, probe))
    return found


def judge_trials(name: str, calls: Sequence[Trial], answers: Sequence[Returned]) -> list[Verdict]:
    """A verdict for every output in every setting: of the first call that is not right, or of the last."""
    verdicts: dict[tuple[str, str], Verdict] = {}
    outputs = SIGNATURES[name].outputs
    for call, answer in zip(calls, answers, strict=True):
        mode = f" ({call.inputs['mode']})" if "mode" in call.inputs else ""
        for place, output in enumerate(outputs):
            known = verdicts.get((call.setting, output))
            if known is not None and known.verdict != HOLDS:
                continue
            target = f"{name}{mode}" if len(outputs) == 1 else f"{name}{mode}: {output}"
            verdicts[call.setting, output] = _judged(target, output, call, answer, place, len(outputs))
    return list(verdicts.values())


def _judged(target: str, output: str, call: Trial, answer: Returned, place: int, count: int) -> Verdict:
    setting = setting_named(call.setting)
    if answer.problem or place >= len(answer.outputs):
        shown = answer.problem or f"returned {len(answer.outputs)} values, expected {count}"
        ids, shape = setting.targets[output].formula_ids, np.shape(call.probe.by_numpy[output])
        return Verdict(
            target, 0, target, WRONG, UNKNOWN, (), "", ids, np.inf, np.nan, np.inf, (), shape, f"{target} {shown}"
        )
    verdict = judge_numbers(setting, output, answer.outputs[place], call.probe, False, DOUBLE)
    before = target if count == 1 else target.removesuffix(f": {output}")
    message = f"{target} holds." if verdict.verdict == HOLDS else f"{before}: {verdict.message}"
    return verdict._replace(target=target, text=target, message=message)
