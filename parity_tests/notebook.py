"""IPython and Jupyter: the cell magic ``%%verify``, and progress bars."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from parity_tests.derivations.verdicts import Judged

ARGUMENTS = """%%verify [--setting NAME] [--call CALL] [--strict]

Judge the cell, line by line: its own forward pass, or formulas in a setting. The variables and functions of the
notebook are there. The cell is run on copies of them: nothing in the notebook changes, and it stays as it is."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(f"{message}; expected {ARGUMENTS.splitlines()[0]}")


def verify_magic(shell: Any) -> Callable[[str, str], Judged]:
    """The magic of a shell."""

    def verify(line: str, cell: str) -> Judged:
        from IPython.core.error import UsageError  # it is there: the shell is IPython's

        try:
            options = _options(line)
            return verify_cell(cell, shell.user_ns, options.setting, options.call, strict=options.strict)
        except ValueError as error:
            problem = str(error)
        raise UsageError(problem)

    verify.__doc__ = ARGUMENTS
    return verify


def _options(line: str) -> argparse.Namespace:
    parser = _Parser(prog="%%verify", add_help=False)
    parser.add_argument("--setting")
    parser.add_argument("--call", default="")
    parser.add_argument("--strict", action="store_true")
    return parser.parse_args(shlex.split(line))


def verify_cell(
    cell: str, names: Mapping[str, Any], setting: str | None = None, call: str = "", *, strict: bool = False
) -> Judged:
    """Judge the text of a cell among the names of its notebook; without a forward pass, as formulas in a setting.

    Raises ValueError where nothing of it can be judged.
    """
    from parity_tests.derivations.engine.python.surroundings import piece_of
    from parity_tests.derivations.own.objects import verify_piece
    from parity_tests.derivations.verify import verify

    rows = ["" if row.lstrip().startswith(("%", "!")) else row for row in cell.splitlines()]
    text = "\n".join(rows) + "\n"
    judged = None
    try:
        compile(text, "the cell", "exec")
        if setting is None:
            judged = verify_piece(piece_of("the cell", text, names, call=call), call, strict=strict)
    except SyntaxError:
        pass  # formulas as in notes, such as g1'(Z1)
    return judged if judged is not None else verify(text, setting, strict=strict)


def bar_in_notebook(title: str) -> Callable[[int, int], None] | None:
    """A progress bar below the running cell of a notebook, None elsewhere: it is told how many of how many are done."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython
    from IPython.display import HTML, display

    if not hasattr(get_ipython(), "kernel"):
        return None
    shown: list[Any] = []

    def tell(done: int, total: int) -> None:
        bar = HTML(f'{escape(title)} <progress value="{done}" max="{total}"></progress> {done} of {total}')
        if shown:
            shown[0].update(bar)
        else:
            shown.append(display(bar, display_id=True))

    return tell
