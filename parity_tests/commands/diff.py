"""``python -m parity_tests diff``: my numbers and theirs differ: where first, and why?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import cast

from manual.shared.cli import UsageError, console, door, output_flags, plain_table
from parity_tests.derivations.own.dumps import read_dump
from parity_tests.differences.difference import Difference, diff
from parity_tests.differences.judged import AGREES, DIFFERS

EPILOG = """examples:
  python -m parity_tests diff mine.npz theirs.npz
  python -m parity_tests diff mine.npz theirs.safetensors --map hidden=Z1 --map Wout=fc3.weight
  python -m parity_tests diff mine theirs --json         two folders of .npy files

Arrays are matched by name: W1, weights1 and fc1.weight; dW1, W1_grad, grad_W1, dL_dW1 and fc1.weight.grad; W1_new
after a step. Rows or columns, channels first or last, and either layout of filters are recognised. Numbers beside them
help to find a cause: lr, m, keep_prob, beta1, gamma, max_norm, lambda_. Nothing is unpickled.

Printed are, in the order forward, gradients, step: the first that differs, its cause where one gives every entry to
rounding, and what follows from it. Bounds are those of the shorter format: float64, float32, float16, bfloat16.

exit code: 0 all agrees, 1 something differs, 2 bad usage, 3 nothing differs, and something of mine was not compared
"""

MARKS = {AGREES: "[green]agrees[/]", DIFFERS: "[bold red]differs[/]"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.epilog = EPILOG
    where = ".npz, .safetensors, or a folder of .npy files"
    parser.add_argument("mine", type=Path, help=where)
    parser.add_argument("theirs", type=Path, help=where)
    parser.add_argument(
        "--map", dest="names", action="append", default=[], metavar="MINE=THEIRS", help="names that belong together"
    )
    output_flags(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare, print, and say by the exit code what came of it."""
    names = {}
    for each in args.names:
        mine, equals, theirs = each.partition("=")
        if not (mine and equals and theirs):
            raise UsageError(f"--map is {each!r}, expected MINE=THEIRS")
        names[mine] = theirs
    with args.work.bar("comparing"):
        found = cast(Difference, door(lambda: diff(read_dump(args.mine), read_dump(args.theirs), names)))
    if args.json:
        args.work.json(found.as_json())
        return found.exit_code
    shown = [each for each in found.entries if each.verdict != AGREES or not args.quiet]
    if shown:
        table = plain_table("", ("array", "mine", "theirs", "shape", "layout"), ("error", "bound", "error / bound"))
        for each in shown:
            words = (each.name, each.mine, each.theirs, str(each.expected.shape), each.note)
            numbers = (f"{value:.2g}" for value in (each.error, each.bound, each.ratio))
            table.add_row(*words, *numbers, MARKS.get(each.verdict, each.verdict))
        console().print(table)
    console().print(str(found), markup=False, soft_wrap=True)
    return found.exit_code
