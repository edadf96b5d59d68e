"""``python -m parity_tests report``: every formula, its code, its error and the pictures, as one page."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path

from manual.files import replace_file
from manual.shared.cli import GOOD, MISMATCH, UsageError, console, default_jobs, folder_at, quiet_flag
from parity_tests.judging.judge import FAILS

EPILOG = """examples:
  python -m parity_tests report --html page.html
  python -m parity_tests report --html page.html --pictures pictures    the pictures as PNG too
  python -m parity_tests report --evidence       mistakes that are named, mutants, speed: as Markdown, without the page

The page is one file that loads nothing from anywhere. Its packages are the extra "page":
  pip install -e ".[page]"

exit code: 0 everything within its bound, 1 something is not, 2 bad usage
"""

PACKAGES = ("matplotlib", "jinja2", "ziamath", "pygments")
"""What the page is made with."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.epilog = EPILOG
    parser.add_argument("--html", metavar="FILE", help="where the page goes")
    parser.add_argument("--evidence", action="store_true", help="print what shows that the project can be trusted")
    parser.add_argument("--pictures", metavar="DIR", help="a folder for the pictures as PNG")
    parser.add_argument("--seed", type=int, default=0, help="of probes, splits and initial weights; default: 0")
    parser.add_argument("--jobs", type=int, default=default_jobs(), help="processes that share the work")
    quiet_flag(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the page, write it, and say by the exit code whether everything in it holds."""
    for name, value, least in (("seed", args.seed, 0), ("jobs", args.jobs, 1)):
        if value < least:
            raise UsageError(f"{name} is {value}, expected {least} or more")
    if args.evidence:
        from parity_tests.report.evidence import evidence

        print(evidence(), end="")
        return GOOD
    if args.html is None:
        raise UsageError("--html is missing, expected a file for the page, or --evidence")
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(f'{", ".join(missing)} not found: the page needs the extra "page", pip install -e ".[page]"')
    target = Path(args.html)
    if not target.parent.is_dir():
        raise UsageError(f"--html is {args.html}, expected a file in a folder that exists")
    folder = None if args.pictures is None else folder_at("--pictures", args.pictures)
    from parity_tests.report.make import make, pieces

    parts, count = pieces(args.seed, args.jobs, folder)
    done = args.work.gather(f"pieces; {target} is not written", parts, count)
    if args.work.stopped:
        return GOOD
    made = make(done, args.seed, folder)
    replace_file(target, made.html.encode())
    fails = sum(line.verdict == FAILS for line in made.results)
    size = len(made.html.encode()) / 1e6
    console().print(f"{target}: {size:.1f} MB, {len(made.results)} lines compared, {fails} fail.", soft_wrap=True)
    return MISMATCH if fails else GOOD
