"""``python -m parity_tests mutants``: what ``mutmut run`` found, module by module."""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
from collections.abc import Callable
from datetime import date

import numpy as np

from manual.shared.cli import GOOD, MISMATCH, UsageError, console, output_flags, plain_table
from parity_tests.measured import found, save
from parity_tests.tests.chores.mutants import RESULTS, as_json, summarise

EPILOG = """examples:
  OMP_NUM_THREADS=1 python -m mutmut run --max-children 1      make the mutants and run their tests: half an hour
  python -m parity_tests mutants                               then this: the figure per module
  python -m parity_tests mutants --save                        keep it in parity_tests/measured.json, beside the figures
                                                               of the modules that are not in mutants/

exit code: 0 every survivor is listed as equivalent, 1 one is not, 2 bad usage
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.epilog = EPILOG
    parser.add_argument("--save", action="store_true", help="keep the figures in parity_tests/measured.json")
    output_flags(parser, "a table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read, match, print."""
    if not RESULTS.exists():
        raise UsageError(f"{RESULTS} is missing, expected the results of mutmut: see --help")
    try:
        scores, unlisted, unmatched = summarise(RESULTS, _diff())
    except ValueError as error:
        raise UsageError(str(error)) from error
    values = as_json(scores, _environment())
    if args.save and not unlisted:
        before = found("mutation")
        save("mutation", as_json(scores, values["environment"], before and before["modules"]))
    if args.json:
        args.work.json({**values, "unlisted": [each._asdict() for each in unlisted]})
        return MISMATCH if unlisted else GOOD
    table = plain_table(
        "Mutants of the formulas and of what judges them",
        ["module"],
        ["mutants", "killed", "equivalent", "score"],
        verdict=False,
    )
    for module, (mutants, killed, equivalent) in scores.items():
        score = f"{100 * killed / (mutants - equivalent):.1f}%"
        table.add_row(module, str(mutants), str(killed), str(equivalent), score)
    out = console()
    if not args.quiet:
        out.print(table)
    for each in unlisted:
        out.print(f"survived: {each.function}: {each.original}  ->  {each.mutated}", style="bold red", markup=False)
    for entry in unmatched:
        out.print(f"no such survivor: {entry.function}: {entry.original}  ->  {entry.mutated}", markup=False)
    total, killed = sum(score.mutants for score in scores.values()), sum(score.killed for score in scores.values())
    out.print(f"{killed} of {total} mutants killed, {total - killed - len(unlisted)} equivalent, {len(unlisted)} left.")
    return MISMATCH if unlisted else GOOD


def _diff() -> Callable[[str], str]:
    """Mutmut's own function from a mutant's name to its diff."""
    try:
        from mutmut.mutation.diff_apply import get_diff_for_mutant
    except ModuleNotFoundError as error:
        raise UsageError("mutmut is not installed, expected the extra test: pip install -e .[test]") from error
    return get_diff_for_mutant


def _environment() -> dict[str, str]:
    """The day, and the versions that decide which mutants there are and how they fare."""
    return {
        "date": date.today().isoformat(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "mutmut": importlib.metadata.version("mutmut"),
    }
