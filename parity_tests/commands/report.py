"""``python -m parity_tests report``: every formula, its code, its error and the pictures, as a site."""

from __future__ import annotations

import argparse
import importlib.util

from manual.files import replace_file
from manual.shared.cli import GOOD, MISMATCH, UsageError, console, default_jobs, folder_at, quiet_flag
from parity_tests.judging.judge import FAILS

EPILOG = """examples:
  python -m parity_tests report --site site
  python -m parity_tests report --site site --pictures pictures    the pictures as PNG too
  python -m parity_tests report --evidence       mistakes that are named, mutants, speed: as Markdown, without the site

The site begins with index.html and loads nothing from anywhere else. Its packages are the extra "page":
  pip install -e ".[page]"

exit code: 0 everything within its bound, 1 something is not, 2 bad usage
"""

PACKAGES = ("matplotlib", "jinja2", "ziamath", "pygments")
"""What the pages are made with."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.epilog = EPILOG
    parser.add_argument("--site", metavar="DIR", help="the folder for the pages")
    parser.add_argument("--evidence", action="store_true", help="print what shows that the project can be trusted")
    parser.add_argument("--pictures", metavar="DIR", help="a folder for the pictures as PNG")
    parser.add_argument("--seed", type=int, default=0, help="of probes, splits and initial weights; default: 0")
    parser.add_argument("--jobs", type=int, default=default_jobs(), help="processes that share the work")
    quiet_flag(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the site, write it, and say by the exit code whether everything in it holds."""
    for name, value, least in (("seed", args.seed, 0), ("jobs", args.jobs, 1)):
        if value < least:
            raise UsageError(f"{name} is {value}, expected {least} or more")
    if args.evidence:
        from parity_tests.report.evidence import evidence

        with args.work.bar("the formulas of the test-bed"):
            text = evidence()
        print(text, end="")
        return GOOD
    if args.site is None:
        raise UsageError("--site is missing, expected a folder for the pages, or --evidence")
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(f'{", ".join(missing)} not found: the site needs the extra "page", pip install -e ".[page]"')
    target = folder_at("--site", args.site)
    folder = None if args.pictures is None else folder_at("--pictures", args.pictures)
    from parity_tests.report.make import make, pieces

    parts, count = pieces(args.seed, args.jobs, folder)
    done = args.work.gather(f"pieces; nothing is written into {target}", parts, count)
    if args.work.stopped:
        return GOOD
    with args.work.bar("the pages"):
        made = make(done, args.seed)
    for name, text in made.files.items():
        replace_file(target / name, text.encode())
    fails = sum(line.verdict == FAILS for line in made.results)
    pages = [len(text.encode()) for name, text in made.files.items() if name.endswith(".html")]
    largest = f"{len(pages)} pages, the largest {max(pages) / 1e6:.2f} MB"
    console().print(f"{target}: {largest}, {len(made.results)} lines compared, {fails} fail.", soft_wrap=True)
    return MISMATCH if fails else GOOD
