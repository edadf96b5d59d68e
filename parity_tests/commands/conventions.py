"""``python -m parity_tests conventions``: how to translate between the notes and PyTorch, each translation executed."""

from __future__ import annotations

import argparse
import json
import sys

from manual.cli import GOOD, MISMATCH, UsageError, console
from parity_tests.conventions import CONVENTIONS
from parity_tests.conventions.check import check_all
from parity_tests.conventions.table import terminal_table
from parity_tests.tables import describe

EPILOG = """examples:
  python -m parity_tests conventions              every convention, in both dtypes
  python -m parity_tests conventions -k pooling   those with pooling in their id
  python -m parity_tests conventions --json

"Off by" is the largest difference that the naive translation makes, in percent of the largest exact value.

exit code: 0 every translation exact and every naive one different, 1 one is not, 2 bad usage
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.epilog = EPILOG
    parser.add_argument("-k", dest="text", metavar="TEXT", default="", help="only conventions whose id contains TEXT")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Translate both ways, print, and say by the exit code whether the map is right."""
    chosen = [convention for convention in CONVENTIONS if args.text in convention.id]
    if not chosen:
        raise UsageError(f"-k is {args.text!r}, expected part of a convention's id, such as pooling: none has it")
    outcomes = check_all(chosen)
    wrong = [outcome for outcome in outcomes if not (outcome.exact and outcome.telling)]
    if args.json:
        json.dump([outcome.as_json() for outcome in outcomes], sys.stdout, indent=1)
        print()
        return MISMATCH if wrong else GOOD
    out = console()
    out.print(terminal_table(outcomes))
    for outcome in wrong:
        for result in outcome.results if not outcome.exact else []:
            out.print(describe(result), style="bold red", markup=False)
    for convention in chosen:
        if convention.model:
            out.print(f"{convention.id} is a model, {convention.model}.", markup=False)
    naive = sum(len(convention.naive) for convention in chosen)
    if not wrong:
        out.print(f"{len(chosen)} conventions: every translation is exact, and each of {naive} naive ones is off.")
    else:
        out.print(f"{len(wrong)} of {len(outcomes)} lines are wrong.", style="bold red")
    return MISMATCH if wrong else GOOD
