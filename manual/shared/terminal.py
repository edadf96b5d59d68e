"""How the commands print: in colours on a terminal, as plain text in a pipe or a file, tables never cut."""

from __future__ import annotations

import os
from typing import Any

from rich.box import Box
from rich.console import Console
from rich.table import Table

UNFOLDED = 100_000
"""Columns of a pipe or a file: no line of text is folded there."""

WIDEST = 120
"""Columns that a table takes there at most: longer cells wrap."""

PLAIN = Box("    \n    \n -- \n" + "    \n" * 5, ascii=True)
"""A line below the head, in characters that every file takes."""


class Terminal(Console):
    """A console on which a table that is wider than the terminal keeps all its columns."""

    def __init__(self, *, stderr: bool = False) -> None:
        """Of stdout or stderr: without colours where NO_COLOR is set, and as plain text where there is no terminal."""
        super().__init__(stderr=stderr, highlight=False)
        if not self.is_terminal:
            super().__init__(stderr=stderr, highlight=False, width=UNFOLDED, color_system=None)
        elif os.environ.get("NO_COLOR"):  # where rich alone would still make text bold
            super().__init__(stderr=stderr, highlight=False, color_system=None)

    def on_broken_pipe(self) -> None:
        """Where the reader has gone, the command ends; rich would end it with exit code 1."""
        raise

    def print(self, *objects: Any, **options: Any) -> None:
        """Print; the terminal folds the lines of a table that is too wide."""
        for table in objects:
            if isinstance(table, Table) and self.is_terminal:
                whole = self.options.update(width=UNFOLDED)
                self.width = max(self.width, table.__rich_measure__(self, whole).minimum)
            elif isinstance(table, Table):
                table.box = PLAIN
                if self.measure(table).maximum > WIDEST:
                    table.width = WIDEST
                    for place, column in enumerate(table.columns):
                        column.no_wrap, column.overflow = place == 0, "fold"  # a row's own name stays whole
        super().print(*objects, **options)
