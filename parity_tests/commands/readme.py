"""``python -m parity_tests readme``: write what the README shows anew, from runs and from measured.json."""

from __future__ import annotations

import argparse
from collections.abc import Generator, Iterable

from manual.shared.cli import GOOD, UsageError, console, quiet_flag
from parity_tests.tests.chores.readme import update
from parity_tests.tests.chores.readme_sections import SECTIONS

EPILOG = """examples:
  python -m parity_tests readme                      every section between markers
  python -m parity_tests readme --only conventions

exit code: 0 good, 2 bad usage
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.epilog = EPILOG
    parser.add_argument("--only", choices=list(SECTIONS), help="one section; default: all of them")
    quiet_flag(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the sections and put them between their markers."""
    chosen = [args.only] if args.only else list(SECTIONS)
    written = args.work.gather("sections", _write(chosen), len(chosen))
    if not args.quiet:
        console().print(f"written: {', '.join(written)}")
    return GOOD


def _write(names: Iterable[str]) -> Generator[str, None, None]:
    for name in names:
        if not update(name, SECTIONS[name]()):
            raise UsageError(f"the README has no markers named {name}, expected them once: nothing was written there")
        yield name
