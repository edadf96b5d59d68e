"""``python -m parity_tests conventions``: how to translate between the notes and PyTorch, each translation executed."""

from __future__ import annotations

import argparse

from manual.shared.cli import GOOD, MISMATCH, UsageError, console, output_flags
from parity_tests.comparison.tables import describe
from parity_tests.conventions import CONVENTIONS
from parity_tests.conventions.check import check_all
from parity_tests.conventions.table import terminal_table

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
    output_flags(parser, "a table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Translate both ways, print, and say by the exit code whether the map is right."""
    chosen = [convention for convention in CONVENTIONS if args.text in convention.id]
    if not chosen:
        raise UsageError(f"-k is {args.text!r}, expected part of a convention's id, such as pooling: none has it")
    count = sum(len(convention.dtypes) for convention in chosen)
    outcomes = args.work.gather("checks of conventions", check_all(chosen), count)
    wrong = [outcome for outcome in outcomes if not (outcome.exact and outcome.telling)]
    if args.json:
        args.work.json([outcome.as_json() for outcome in outcomes])
        return MISMATCH if wrong else GOOD
    out = console()
    if not args.quiet:
        out.print(terminal_table(outcomes))
    for outcome in wrong:
        for result in outcome.results if not outcome.exact else []:
            out.print(describe(result), style="bold red", markup=False)
    checked = list({outcome.convention.id: outcome.convention for outcome in outcomes}.values())
    for convention in checked:
        if convention.model and not args.quiet:
            out.print(f"{convention.id} is a model, {convention.model}.", markup=False)
    naive = sum(len(convention.naive) for convention in checked)
    if not wrong:
        out.print(f"{len(checked)} conventions: every translation is exact, and each of {naive} naive ones is off.")
    else:
        out.print(f"{len(wrong)} of {len(outcomes)} lines are wrong.", style="bold red")
    return MISMATCH if wrong else GOOD
