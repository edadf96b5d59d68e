"""What the README's sections between markers are made from: runs of what they show, or figures that are kept."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from io import StringIO

from rich.console import Console

from manual.shared.cli import default_jobs
from parity_tests.comparison.run import compare
from parity_tests.derivations.own.printed import show
from parity_tests.derivations.verify import verify
from parity_tests.measured import measured
from parity_tests.report.evidence import ratios_table
from parity_tests.tests.chores.readme_tables import parity_table

WIDTH = 100
"""Of the answers: what a page shows without scrolling."""

AVERAGE = "dW1 = dZ1 @ X.T"


def answered(derivation: str, setting: str) -> str:
    """A derivation as the command line takes it, and what it answers."""
    answer = Console(file=StringIO(), width=1000, highlight=False)
    show(verify(derivation, setting), answer)
    lines = answer.file.getvalue().splitlines()  # type: ignore[attr-defined]
    wrapped = [part for line in lines for part in _wrapped(line)]
    command = f'python -m parity_tests verify "{derivation}" --setting {setting}'
    return _block("sh", command) + _block("text", "\n".join(wrapped))


def _wrapped(line: str) -> Sequence[str]:
    """A line in several where it is long, what it says of a formula kept under it."""
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(
        line, WIDTH, subsequent_indent=indent or "    ", break_long_words=False, break_on_hyphens=False
    )


def _block(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```\n"


SECTIONS: dict[str, Callable[[], str]] = {
    "caught": lambda: answered(AVERAGE, "shallow"),
    "parity": lambda: parity_table(compare(jobs=default_jobs())),
    "ratios": lambda: ratios_table(measured("bench")).markdown(),
}
"""By the name between the markers. The whole comparison takes a minute, everything else seconds."""
