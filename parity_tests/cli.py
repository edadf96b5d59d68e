"""``python -m parity_tests``: one parser, and a module for each subcommand; without a subcommand it compares."""

from __future__ import annotations

from collections.abc import Sequence

from manual.shared.cli import run_commands

PROGRAM = "python -m parity_tests"

COMMANDS: dict[str, str] = {
    "compare": "every formula and every model, by hand against torch (this runs without a subcommand too)",
    "verify": "is a derivation right? - the mistake named and the formula repaired",
    "serve": "the same on a page of this machine, judged as you type",
    "diff": "my numbers and theirs: the first array that differs, its cause, and what follows from it",
    "notes": "the errata of the notes: every one of their 266 formulas and claims, executed",
    "seeds": "the false-alarm run: right code, many seeds",
    "faults": "plant every mistake of the table and see it caught",
    "conventions": "how to translate between the notes and PyTorch, and what goes wrong without",
    "index": "from a formula of the notes to its line, its code by hand and in torch, and its cases",
    "report": "a site: every formula, its code, its measured error, and the pictures",
    "bench": "time the training step against torch, its matrix products and the loops",
}
"""Subcommands, each in the module ``parity_tests.commands.<name>``, imported only when it is called."""

EXAMPLES = f"""\
  {PROGRAM}                        the whole comparison
  {PROGRAM} -k wide/digits         one model on one dataset
  {PROGRAM} compare --help         the flags of the comparison
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments, run the command, return its exit code."""
    return run_commands(
        PROGRAM,
        "Proves the formulas written by hand equal to PyTorch's.",
        EXAMPLES,
        "parity_tests.commands",
        COMMANDS,
        argv,
        default="compare",
    )
