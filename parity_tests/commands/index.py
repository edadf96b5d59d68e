"""``python -m parity_tests index``: where a formula of the notes stands, and where its code is."""

from __future__ import annotations

import argparse
from itertools import zip_longest

from rich.markup import escape
from rich.table import Table

from manual.shared.cli import GOOD, MISMATCH, UsageError, console, output_flags, plain_table
from parity_tests.formulas.formula import Code
from parity_tests.formulas.index import Entry, entries, problems

EPILOG = """examples:
  python -m parity_tests index                  every formula of the notes
  python -m parity_tests index -k F098          one of them
  python -m parity_tests index -k dense         those with dense in their text, code or cases
  python -m parity_tests index --json

N0 to N4 are the five notes, L435 is line 435. A formula without code is a misprint, a mistake or a claim of the notes.

exit code: 0 every link is in order, 1 one is not, 2 bad usage
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.epilog = EPILOG
    parser.add_argument("-k", dest="text", metavar="TEXT", default="", help="only formulas whose line contains TEXT")
    output_flags(parser, "a table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read the links, print them, and say by the exit code whether they are in order."""
    chosen = [entry for entry in entries() if args.text in _searched(entry)]
    if not chosen:
        raise UsageError(
            f"-k is {args.text!r}, expected part of an id, a text, a function or a case: no formula has it"
        )
    wrong = problems()
    if args.json:
        args.work.json({"formulas": [entry.as_json() for entry in chosen], "problems": wrong})
        return MISMATCH if wrong else GOOD
    out = console()
    if not args.quiet:
        out.print(_table(chosen))
    for sentence in wrong:
        out.print(sentence, style="bold red", markup=False)
    coded = sum(bool(entry.code) for entry in chosen)
    out.print(f"{len(chosen)} formulas, {coded} with code, {sum(bool(entry.cases) for entry in chosen)} with cases.")
    return MISMATCH if wrong else GOOD


def _searched(entry: Entry) -> str:
    """All that -k looks at."""
    code = [name for each in entry.code for name in (each.name, each.in_loops, each.in_torch)]
    return "\n".join((entry.id, entry.source, entry.text, *code, *entry.cases))


def _table(chosen: list[Entry]) -> Table:
    table = plain_table(
        "The formulas of the notes and their code. A loop form is called like its formula, with _loop behind;\n"
        "torch's function is in the module of torch_ref that is called like the one by hand.",
        ["id", "note and line", "what", "by hand", "loop", "torch_ref", "cases"],
        verdict=False,
    )
    for column in table.columns:
        column.overflow = "fold"
        column.no_wrap = column.header in ("id", "by hand", "loop", "torch_ref")
    for entry in chosen:
        first = (entry.id, entry.source, entry.text)
        code = [_links(each) for each in entry.code]
        for cells, links, case in zip_longest([first], code, entry.cases):
            table.add_row(*map(escape, (*(cells or [""] * 3), *(links or [""] * 3), case or "")))
    return table


def _links(code: Code) -> tuple[str, str, str]:
    """The code's name, and what its counterparts add to it."""
    other = "same name" if code.in_torch == code.name else code.in_torch.rpartition(".")[2]
    return code.name, code.in_loops.removeprefix(code.name), other
