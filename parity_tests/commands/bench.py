"""``python -m parity_tests bench``: the training step against torch's, its matrix products, loops, convolutions."""

from __future__ import annotations

import argparse
import shutil

from manual.shared.cli import GOOD, MISMATCH, UsageError, console, door, output_flags
from parity_tests.bench.device import check_device, device_plan, measure_device, of_device
from parity_tests.bench.measure import FULL, PARTS, QUICK, by_part, check, environment, measure, peers
from parity_tests.bench.same_results import disagreements
from parity_tests.bench.tables import show
from parity_tests.comparison.tables import describe
from parity_tests.judging.judge import Result
from torch_ref.devices import device_named

EPILOG = """examples:
  python -m parity_tests bench                every size, one thread and two: some ten minutes
  python -m parity_tests bench --quick        the smallest size alone, to see that it runs
  python -m parity_tests bench --only conv    the convolutions alone: their time and their memory
  python -m parity_tests bench --only processes   a step shared by two processes, beside one with two threads
  python -m parity_tests bench --only growth  how time and memory grow with examples, features, classes, layers
  python -m parity_tests bench --jax ~/jax/bin/python   the steps beside JAX too, which that Python has
  python -m parity_tests bench --device cuda  what a GPU gains: graphs, all draws together, wide layers in bfloat16

Each side runs in a process of its own; the processes are timed in turn, and ratios are ratios of medians.

exit code: 0 measured, 1 the two sides disagree and nothing was timed, 2 bad usage
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.epilog = EPILOG
    parser.add_argument("--quick", action="store_true", help="the smallest size and few rounds")
    parser.add_argument(
        "--only", choices=PARTS, help="a part: steps, loops, convolutions, whole trainings, processes or growth"
    )
    device = "measure torch_ref on a GPU instead; on cpu, small sizes without bars, to see that it runs"
    parser.add_argument("--device", metavar="NAME", help=device)
    parser.add_argument("--jax", metavar="PYTHON", help="a Python that has JAX, to put it beside the steps")
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
    why: list[str] = []
    if args.jax is not None and shutil.which(args.jax) is None:
        raise UsageError(f"--jax is {args.jax}, expected a Python that has JAX: there is no such command")
    if plan.sizes and not args.quick:
        there, why = peers(args.jax)
        plan = plan._replace(**there)
    checks = args.work.gather("checks; nothing is measured yet", check(plan), plan.checks)
    if args.work.stopped:
        return GOOD
    failed = disagreements([result for part in checks for result in part]) if plan.checks else []
    if failed:
        _refuse(args, failed)
        return MISMATCH
    about = environment()  # with the load that is there before
    values = by_part(plan, args.work.gather("measurements", measure(plan), plan.pieces), about)
    if args.json:
        args.work.json(values)
    else:
        show(values, console(), quiet=args.quiet)
        for reason in why:
            console().print(f"Left out: {reason}.")
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
        show(values, console(), quiet=args.quiet)
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
