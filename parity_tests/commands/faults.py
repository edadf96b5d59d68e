"""``python -m parity_tests faults``: plant every mistake of the table and see it caught."""

from __future__ import annotations

import argparse

import numpy as np

from manual.shared.cli import GOOD, MISMATCH, UsageError, console, output_flags, plain_table
from parity_tests.comparison.faults import FAULTS, FaultResult, healthy, run_fault

EPILOG = """examples:
  python -m parity_tests faults               every planted fault, in both dtypes
  python -m parity_tests faults -k lambda     those with lambda in their name
  python -m parity_tests faults --json

exit code: 0 every fault caught, 1 one survived, 2 bad usage
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.epilog = EPILOG
    parser.add_argument("-k", dest="text", metavar="TEXT", default="", help="only faults whose name contains TEXT")
    output_flags(parser, "a table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Plant, compare, print."""
    chosen = [fault for fault in FAULTS if args.text in fault.id]
    if not chosen:
        raise UsageError(f"-k is {args.text!r}, expected part of a fault's name: no fault has it")
    dtypes = (np.float64, np.float32)
    sick = [each for dtype in dtypes for each in healthy(dtype)]
    runs = (run_fault(fault, dtype) for fault in chosen for dtype in dtypes)
    outcomes = args.work.gather("planted faults", runs, len(chosen) * len(dtypes))
    survived = [outcome for outcome in outcomes if not outcome.caught]
    if args.json:
        args.work.json([_as_json(outcome) for outcome in outcomes])
    else:
        table = plain_table(
            "Planted faults: what must fail, and what did",
            ["fault", "planted in", "dtype", "fails at", "first failure"],
        )
        for outcome in survived if args.quiet else outcomes:
            table.add_row(
                outcome.fault.id,
                outcome.fault.target,
                outcome.dtype,
                ", ".join(sorted(outcome.failed)) or "nothing",
                outcome.detail,
                "[green]caught[/]" if outcome.caught else "[bold red]SURVIVED[/]",
            )
        out = console()
        if table.row_count:
            out.print(table)
        out.print(f"{len(outcomes) - len(survived)} of {len(outcomes)} caught where they were planted, and only there.")
        if sick:
            out.print(f"Without any fault {len(sick)} lines fail: the faults prove nothing.", style="bold red")
    return MISMATCH if survived or sick else GOOD


def _as_json(outcome: FaultResult) -> dict[str, object]:
    return {
        "fault": outcome.fault.id,
        "target": outcome.fault.target,
        "dtype": outcome.dtype,
        "expected": sorted(outcome.fault.caught),
        "failed": sorted(outcome.failed),
        "caught": outcome.caught,
        "detail": outcome.detail,
    }
