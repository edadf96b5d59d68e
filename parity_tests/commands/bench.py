"""``python -m parity_tests bench``: the training step against torch's, its matrix products, loops, convolutions."""

from __future__ import annotations

import argparse
from typing import Any

from rich.console import Console
from rich.table import Table

from manual.shared.cli import GOOD, MISMATCH, UsageError, console, door, output_flags, plain_table
from parity_tests.bench.agreement import disagreements
from parity_tests.bench.device import check_device, device_plan, measure_device, of_device
from parity_tests.bench.device_tables import show_device
from parity_tests.bench.lines import CONV_HEAD, FIT_HEAD, SHARED_HEAD, conv_means, products
from parity_tests.bench.measure import FULL, PARTS, QUICK, by_part, check, environment, measure
from parity_tests.comparison.tables import describe
from parity_tests.judging.judge import Result
from torch_ref.devices import device_named

EPILOG = """examples:
  python -m parity_tests bench                every size, one thread and two: six minutes
  python -m parity_tests bench --quick        the smallest size alone, to see that it runs
  python -m parity_tests bench --only conv    the convolutions alone: their time and their memory
  python -m parity_tests bench --only processes   a step shared by two processes, beside one with two threads
  python -m parity_tests bench --device cuda  what a GPU gains: graphs, all draws together, wide layers in bfloat16

Each side runs in a process of its own; the processes are timed in turn, and ratios are ratios of medians.

exit code: 0 measured, 1 the two sides disagree and nothing was timed, 2 bad usage
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.epilog = EPILOG
    parser.add_argument("--quick", action="store_true", help="the smallest size and few rounds")
    parser.add_argument(
        "--only", choices=PARTS, help="a part: steps, loops, convolutions, whole trainings or processes"
    )
    device = "measure torch_ref on a GPU instead; on cpu, small sizes without bars, to see that it runs"
    parser.add_argument("--device", metavar="NAME", help=device)
    output_flags(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare, measure, print."""
    if args.device is not None:
        return _run_device(args)
    if args.quick and args.only == "processes":
        raise UsageError("--quick and --only processes were given, expected one of them: processes start slowly")
    plan = QUICK if args.quick else FULL
    if args.only:
        plan = plan.only(args.only)
    checks = args.work.gather("checks; nothing is measured yet", check(plan), plan.checks)
    if args.work.stopped:
        return GOOD
    failed = disagreements([result for part in checks for result in part])
    if failed:
        _refuse(args, failed)
        return MISMATCH
    about = environment()  # with the load that is there before
    values = by_part(plan, args.work.gather("measurements", measure(plan), plan.pieces), about)
    if args.json:
        args.work.json(values)
    else:
        _show(values, console(), quiet=args.quiet)
    return GOOD


def _run_device(args: argparse.Namespace) -> int:
    """Compare, measure and print what a device does."""
    if args.only:
        raise UsageError("--only and --device were given, expected one of them: a device has parts of its own")
    device = str(door(device_named, args.device))
    plan = device_plan(device, quick=args.quick)
    with args.work.bar("checks"):
        failed = disagreements(check_device(plan))
    if failed:
        _refuse(args, failed)
        return MISMATCH
    values = of_device(plan, args.work.gather("measurements", measure_device(plan), len(plan.sizes)))
    if args.json:
        args.work.json(values)
    else:
        show_device(values, console(), quiet=args.quiet)
    return GOOD


def _refuse(args: argparse.Namespace, failed: list[Result]) -> None:
    """Say what disagrees and that nothing was timed."""
    if args.json:
        args.work.json({"disagreements": [result.as_json() for result in failed]})
        return
    out = console()
    for result in failed:
        out.print(describe(result), style="bold red")
    out.print("The two sides disagree, so nothing was timed.", style="bold red")


def _show(values: dict[str, Any], out: Console, *, quiet: bool) -> None:
    """The tables in the terminal, those that have lines, and what was measured with."""
    tables = {
        "steps": _step_table,
        "loops": _loop_table,
        "convolutions": _conv_table,
        "workspace": _workspace_table,
        "fits": _fit_table,
        "processes": _process_table,
    }
    for name, table in tables.items():
        if values[name] and not quiet:
            out.print(table(values[name]))
    about = values["environment"]
    out.print(
        f"{about['processor']}, {about['cores']} cores; Python {about['python']}, NumPy {about['numpy']}, "
        f"PyTorch {about['torch']}; {values['rounds']} rounds, {values['conv_rounds']} of convolutions, "
        f"{values['fit_rounds']} of trainings, {values['shared_rounds']} of processes; "
        f"load average before {about['load']}."
    )


def _step_table(lines: list[dict[str, Any]]) -> Table:
    table = plain_table(
        "A training step, microseconds: by hand, in torch, and its bare matrix products",
        ["size; m", "dtype", "threads"],
        ["by hand", "torch", "products", "by hand/torch", "quartiles", "at most", "by hand/products"],
    )
    for line in lines:
        table.add_row(
            line["size"],
            line["dtype"],
            str(line["threads"]),
            *(f"{line[name]:.0f}" for name in ("manual_us", "torch_us", "products_us")),
            f"{line['manual/torch']:.2f}",
            "{:.2f} to {:.2f}".format(*line["quartiles"]),
            "" if line["bar"] is None else str(line["bar"]),
            products(line),
            _verdict((line["manual/torch"], line["bar"]), (line["manual/products"], line["products_bar"])),
        )
    return table


def _loop_table(lines: list[dict[str, Any]]) -> Table:
    table = plain_table(
        "Loops against vectorised forms, microseconds",
        ["formula", "m"],
        ["loop", "vectorised", "loop/vectorised"],
        verdict=False,
    )
    for line in lines:
        numbers = (line["loop_us"], line["vectorised_us"], line["loop/vectorised"])
        table.add_row(line["formula"], str(line["m"]), *(f"{number:.0f}" for number in numbers))
    return table


def _conv_table(lines: list[dict[str, Any]]) -> Table:
    table = plain_table(
        "A convolution, forward and backward, microseconds: by hand and in torch",
        [CONV_HEAD, "dtype", "threads"],
        ["by hand", "torch", "by hand/torch", "quartiles", "at most"],
    )
    for line in lines:
        table.add_row(
            line["size"],
            line["dtype"],
            str(line["threads"]),
            *(f"{line[name]:.0f}" for name in ("manual_us", "torch_us")),
            f"{line['manual/torch']:.2f}",
            "{:.2f} to {:.2f}".format(*line["quartiles"]),
            "" if line["bar"] is None else str(line["bar"]),
            _verdict((line["manual/torch"], line["bar"])),
        )
    for mean in conv_means(lines):
        bar = "" if mean.bar is None else str(mean.bar)
        label = "geometric mean", mean.dtype, str(mean.threads), "", "", f"{mean.ratio:.2f}", "", bar
        table.add_row(*label, _verdict((mean.ratio, mean.bar)))
    return table


def _workspace_table(lines: list[dict[str, Any]]) -> Table:
    table = plain_table(
        "Memory of a convolution by hand beyond its outputs, MiB: the larger of forward and backward",
        [CONV_HEAD, "dtype"],
        ["workspace", "all windows unrolled", "workspace/unrolled", "at most"],
    )
    for line in lines:
        table.add_row(
            line["size"],
            line["dtype"],
            *(f"{line[name] / 2**20:.1f}" for name in ("workspace_bytes", "unrolled_bytes")),
            f"{line['workspace/unrolled']:.3f}",
            str(line["bar"]),
            _verdict((line["workspace/unrolled"], line["bar"])),
        )
    return table


def _fit_table(lines: list[dict[str, Any]]) -> Table:
    table = plain_table(
        "A training, milliseconds: by hand, in torch and in scikit-learn",
        [FIT_HEAD, "dtype"],
        ["by hand", "torch", "sklearn", "by hand/torch", "at most", "by hand/sklearn", "at most"],
    )
    for line in lines:
        table.add_row(
            line["size"],
            line["dtype"],
            *(f"{line[f'{side}_us'] / 1000:.0f}" for side in ("manual", "torch", "sklearn")),
            f"{line['manual/torch']:.2f}",
            str(line["bar"]),
            f"{line['manual/sklearn']:.2f}",
            str(line["sklearn_bar"]),
            _verdict((line["manual/torch"], line["bar"]), (line["manual/sklearn"], line["sklearn_bar"])),
        )
    return table


def _process_table(lines: list[dict[str, Any]]) -> Table:
    table = plain_table(
        "A training step shared by two processes, beside one process with two threads, milliseconds",
        [SHARED_HEAD, "dtype"],
        ["two processes", "two threads", "processes/threads", "quartiles", "at most", "load average"],
    )
    for line in lines:
        table.add_row(
            line["size"],
            line["dtype"],
            *(f"{line[f'{side}_us'] / 1000:.1f}" for side in ("processes", "threads")),
            f"{line['processes/threads']:.2f}",
            "{:.2f} to {:.2f}".format(*line["quartiles"]),
            str(line["bar"]),
            line["load"],
            _verdict((line["processes/threads"], line["bar"])),
        )
    return table


def _verdict(*measured: tuple[float, float | None]) -> str:
    """Whether the figures keep to their bars, where they have any."""
    bars = [figure <= bar for figure, bar in measured if bar is not None]
    if not bars:
        return ""
    return "[green]within[/]" if all(bars) else "[yellow]above[/]"
