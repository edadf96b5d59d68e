"""``python -m parity_tests bench``: the training step against torch's, its matrix products, and loops."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from rich.console import Console

from manual.cli import GOOD, MISMATCH, UsageError, console, plain_table, progress
from parity_tests.bench.agreement import disagreements
from parity_tests.bench.measure import FULL, QUICK, check, measure
from parity_tests.bench.readme import bench_tables, products
from parity_tests.judge import Result
from parity_tests.measured import save
from parity_tests.readme import update
from parity_tests.tables import describe

EPILOG = """examples:
  python -m parity_tests bench                every size, one thread and two: two minutes
  python -m parity_tests bench --quick        the smallest size alone, to see that it runs
  python -m parity_tests bench --save         keep the figures in parity_tests/measured.json and in the README

Each side runs in a process of its own; the processes are timed in turn, and ratios are ratios of medians.

exit code: 0 measured, 1 the two sides disagree and nothing was timed, 2 bad usage
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.epilog = EPILOG
    parser.add_argument("--save", action="store_true", help="keep the figures, and print them in the README")
    parser.add_argument("--quick", action="store_true", help="the smallest size and few rounds")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare, measure, print."""
    if args.save and args.quick:
        raise UsageError("--save and --quick were given, expected one of them: a quick run is too short to keep")
    plan = QUICK if args.quick else FULL
    failed = disagreements(check(plan))
    if failed:
        _refuse(failed, as_json=args.json)
        return MISMATCH
    with progress("timing", plan.pieces) as advance:
        values = measure(plan, advance)
    if args.save:
        save("bench", values)
        if not update("bench", bench_tables(values)):
            console(stderr=True).print("There is no README with markers here: only measured.json was written.")
    if args.json:
        json.dump(values, sys.stdout, indent=1)
        print()
    else:
        _show(values, console())
    return GOOD


def _refuse(failed: list[Result], *, as_json: bool) -> None:
    """Say what disagrees and that nothing was timed."""
    if as_json:
        json.dump({"disagreements": [result.as_json() for result in failed]}, sys.stdout, indent=1)
        print()
        return
    out = console()
    for result in failed:
        out.print(describe(result), style="bold red")
    out.print("The two sides disagree, so nothing was timed.", style="bold red")


def _show(values: dict[str, Any], out: Console) -> None:
    """The tables in the terminal."""
    table = plain_table(
        "A training step, microseconds: by hand, in torch, and its bare matrix products",
        ["size; m", "dtype", "threads"],
        ["by hand", "torch", "products", "by hand/torch", "quartiles", "at most", "by hand/products"],
    )
    for line in values["steps"]:
        table.add_row(
            line["size"],
            line["dtype"],
            str(line["threads"]),
            *(f"{line[name]:.0f}" for name in ("manual_us", "torch_us", "products_us")),
            f"{line['manual/torch']:.2f}",
            "{:.2f} to {:.2f}".format(*line["quartiles"]),
            "" if line["bar"] is None else str(line["bar"]),
            products(line),
            _verdict(line),
        )
    out.print(table)
    loops = plain_table(
        "Loops against vectorised forms, microseconds",
        ["formula", "m"],
        ["loop", "vectorised", "loop/vectorised"],
        verdict=False,
    )
    for line in values["loops"]:
        numbers = (line["loop_us"], line["vectorised_us"], line["loop/vectorised"])
        loops.add_row(line["formula"], str(line["m"]), *(f"{number:.0f}" for number in numbers))
    out.print(loops)
    about = values["environment"]
    out.print(
        f"{about['processor']}, {about['cores']} cores; Python {about['python']}, NumPy {about['numpy']}, "
        f"PyTorch {about['torch']}; {values['rounds']} rounds; load average before {about['load']}."
    )


def _verdict(line: dict[str, Any]) -> str:
    """Whether the bars are met, where the line has any."""
    bars = [("manual/torch", line["bar"]), ("manual/products", line["products_bar"])]
    if line["bar"] is None:
        return ""
    above = any(bar is not None and line[name] > bar for name, bar in bars)
    return "[yellow]above[/]" if above else "[green]within[/]"
