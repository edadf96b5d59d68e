"""``python -m parity_tests``: one parser, one subcommand per door; without a subcommand it compares."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from manual.cli import guarded

PROGRAM = "python -m parity_tests"

COMMANDS: dict[str, str] = {
    "compare": "every formula and every model, by hand against torch (this runs without a subcommand too)",
    "seeds": "the false-alarm run: right code, many seeds",
    "faults": "plant every mistake of the table and see it caught",
}
"""Subcommands, each in the module ``parity_tests.commands.<name>``, imported only when it is called."""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments, run the command, return its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or (words[0].startswith("-") and words[0] not in ("-h", "--help")):
        words.insert(0, "compare")
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Proves the formulas written by hand equal to PyTorch's.",
        epilog="examples:\n"
        f"  {PROGRAM}                        the whole comparison\n"
        f"  {PROGRAM} -k wide/digits         one model on one dataset\n"
        f"  {PROGRAM} compare --help         the flags of the comparison\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parsers = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, help_text in COMMANDS.items():
        command = parsers.add_parser(name, help=help_text, formatter_class=argparse.RawDescriptionHelpFormatter)
        if name == words[0]:
            importlib.import_module(f"parity_tests.commands.{name}").configure(command)
    args = parser.parse_args(words)
    return guarded(PROGRAM, lambda: args.run(args))
