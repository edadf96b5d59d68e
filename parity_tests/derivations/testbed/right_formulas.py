"""The false-alarm run of verify: every right formula of every setting, on many seeds. None may be called wrong."""

from __future__ import annotations

import argparse
from typing import NamedTuple

import joblib
import torch

from manual.shared.cli import GOOD, MISMATCH, console, default_jobs
from manual.shared.sharing import in_processes
from parity_tests.derivations.agreement import agrees
from parity_tests.derivations.language.evaluate import run
from parity_tests.derivations.language.nodes import Program
from parity_tests.derivations.language.syntax import parse
from parity_tests.derivations.settings import SETTINGS, setting_named
from parity_tests.derivations.settings.setting import derivation_of

BATCH = 50
"""Seeds that one piece of work runs."""


class Alarm(NamedTuple):
    """A right formula that was called wrong."""

    setting: str
    formula: str
    l2: bool
    seed: int


def right_formulas(name: str, l2: bool) -> list[tuple[str, Program]]:
    """Every formula of a setting that holds, by target."""
    targets = setting_named(name).targets
    return [
        (symbol, parse(derivation_of(symbol, right))) for symbol, what in targets.items() for right in what.rights(l2)
    ]


def alarms(name: str, l2: bool, seeds: range) -> tuple[int, list[Alarm]]:
    """How many judgements were made, and the false alarms among them."""
    torch.set_num_threads(1)
    setting, formulas = setting_named(name), right_formulas(name, l2)
    found = []
    for seed in seeds:
        probe = setting.probe(seed, l2)
        for symbol, program in formulas:
            value = run(program, setting.environment(probe, symbol))[symbol]
            if not all(agrees(value, referee[symbol]) for referee in probe.truths):
                found.append(Alarm(name, f"{symbol} = {program.statements[0]}", l2, seed))
    return len(formulas) * len(seeds), found


def show_alarms(args: argparse.Namespace) -> int:
    """Run ``--false-alarms`` seeds of every setting, print the counts; exit code 1 where there is a false alarm."""
    count = args.false_alarms
    work = [
        (name, l2, range(first, min(first + BATCH, count)))
        for name in SETTINGS
        for l2 in ((False, True) if SETTINGS[name].penalised else (False,))
        for first in range(0, count, BATCH)
    ]
    runs = in_processes((joblib.delayed(alarms)(*piece) for piece in work), default_jobs())
    parts = args.work.gather("batches of right formulas", runs, len(work))
    judged, found = sum(some for some, _ in parts), [alarm for _, some in parts for alarm in some]
    if args.json:
        args.work.json({"judgements": judged, "false alarms": [alarm._asdict() for alarm in found]})
        return MISMATCH if found else GOOD
    out = console()
    for alarm in found:
        out.print(f"false alarm: {alarm.setting}, seed {alarm.seed}, l2 {alarm.l2}: {alarm.formula}", style="bold red")
    out.print(f"{judged} judgements of right formulas: {len(found)} false alarms.")
    return MISMATCH if found else GOOD
