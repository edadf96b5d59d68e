"""``python -m parity_tests browse``: the page in a headless Chromium, and what is wrong with it there."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from manual.shared.cli import GOOD, MISMATCH, UsageError, console, door, folder_at, output_flags, plain_table
from parity_tests.notes.rows import ROWS

if TYPE_CHECKING:
    from parity_tests.report.browse.checks import Check, Seen

EPILOG = """examples:
  python -m parity_tests report --html page.html
  python -m parity_tests browse page.html
  python -m parity_tests browse page.html --screenshots shots    every chapter in four views, as PNG
  python -m parity_tests browse page.html --axe axe.min.js       with another axe-core than the extra's

Chromium and its driver come from the system: apt install chromium chromium-driver. Selenium and axe-core are the extra
"browser":
  pip install -e ".[page,browser]"

exit code: 0 nothing is wrong, 1 something is, 2 bad usage
"""

MOST = 20
"""Problems of one check that are printed."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.epilog = EPILOG
    parser.add_argument("page", metavar="FILE", help="the page that report made")
    parser.add_argument("-k", dest="text", metavar="TEXT", default="", help="only checks whose name contains TEXT")
    parser.add_argument("--axe", metavar="FILE", help="axe.min.js; default: that of the extra browser")
    parser.add_argument("--screenshots", metavar="DIR", help="a folder for pictures of every chapter in every view")
    output_flags(parser, "a table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Open the page, make the checks, print what they saw."""
    if importlib.util.find_spec("selenium") is None:
        raise UsageError('selenium not found: the checks need the extra "browser", pip install -e ".[browser]"')
    from parity_tests.report.browse import checks
    from parity_tests.report.browse.browser import browser, paths

    page = _file("page", args.page)
    axe = checks.bundled_axe() if args.axe is None else _file("--axe", args.axe)
    if axe is None:
        raise UsageError('axe-core not found: it is in the extra "browser", or name its axe.min.js by --axe')
    chosen = [check for check in checks.CHECKS if args.text in check.name]
    if not chosen:
        raise UsageError(f"-k is {args.text!r}, expected part of {', '.join(check.name for check in checks.CHECKS)}")
    folder = None if args.screenshots is None else folder_at("--screenshots", args.screenshots)
    door(paths)
    taken = 0
    with browser() as opened:
        version = opened.version()
        asked = checks.Asked(page, [row.id for row in ROWS], axe)
        found = args.work.gather("checks of the page", checks.looked(opened, asked, chosen), len(chosen))
        if folder is not None and not args.work.stopped:
            taken = checks.pictures(opened, folder)
    wrong = sum(len(seen.problems) for _, seen in found)
    if args.json:
        told = [{"check": check.name, "rule": check.rule, **seen._asdict()} for check, seen in found]
        args.work.json({"chromium": version, "checks": told, "problems": wrong})
    else:
        shown = [each for each in found if each[1].problems] if args.quiet else found
        _print(f"{page.name} in Chromium {version}", shown)
        if folder is not None:
            console().print(f"{taken} pictures in {folder}", soft_wrap=True)
    return MISMATCH if wrong else GOOD


def _print(title: str, found: Sequence[tuple[Check, Seen]]) -> None:
    """A table of the checks, then what is wrong."""
    table = plain_table(title, ["check", "what must hold", "seen"])
    for check, seen in found:
        table.add_row(
            check.name, check.rule, seen.figures, "[bold red]fails[/]" if seen.problems else "[green]holds[/]"
        )
    out = console()
    if table.row_count:
        out.print(table)
    for check, seen in found:
        for problem in seen.problems[:MOST]:
            out.print(f"{check.name}: {problem}", markup=False, soft_wrap=True)
        if len(seen.problems) > MOST:
            out.print(f"{check.name}: {len(seen.problems) - MOST} more")


def _file(name: str, given: str) -> Path:
    path = Path(given)
    if not path.is_file():
        raise UsageError(f"{name} is {given}, expected a file that exists")
    return path
