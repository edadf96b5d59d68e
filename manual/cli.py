"""What the command lines share: subcommands, plain sentences for bad usage, the toy data, and tables."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

GOOD, MISMATCH, USAGE = 0, 1, 2
"""Exit codes."""


class UsageError(ValueError):
    """Something a person asked for that cannot be had; its text is one plain sentence."""


def run_commands(
    program: str,
    description: str,
    examples: str,
    package: str,
    commands: Mapping[str, str],
    argv: Sequence[str] | None = None,
    *,
    default: str | None = None,
) -> int:
    """Parse the arguments, run the subcommand, return its exit code.

    ``commands`` gives a line of help for each subcommand; the module ``<package>.<name>``, imported only when it is
    called, has ``configure(parser)``, which sets ``run``. ``default`` is the subcommand of a line that names none.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if default and (not words or (words[0].startswith("-") and words[0] not in ("-h", "--help"))):
        words.insert(0, default)
    parser = argparse.ArgumentParser(
        prog=program,
        description=description,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parsers = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, help_text in commands.items():
        command = parsers.add_parser(name, help=help_text, formatter_class=argparse.RawDescriptionHelpFormatter)
        if words and name == words[0]:
            importlib.import_module(f"{package}.{name}").configure(command)
    args = parser.parse_args(words)
    return guarded(program, lambda: args.run(args))


def guarded(program: str, run: Callable[[], int]) -> int:
    """``run``'s exit code; bad usage becomes one sentence on stderr and exit code 2, Ctrl-C becomes 130."""
    try:
        return run()
    except UsageError as error:
        complain(program, str(error))
        return USAGE
    except KeyboardInterrupt:
        complain(program, "interrupted")
        return 130
    except BrokenPipeError:
        sys.stderr.close()  # the reader of a pipe has gone: nobody is left to tell
        return GOOD


def complain(program: str, sentence: str) -> None:
    """Say on stderr what is wrong."""
    print(f"{program}: {sentence}", file=sys.stderr, flush=True)


def door(check: Callable[..., object], *args: object, **options: object) -> object:
    """Call a function that checks what a person gave; its ValueError becomes a UsageError."""
    try:
        return check(*args, **options)
    except ValueError as error:
        raise UsageError(str(error)) from error


def toy_datasets() -> ModuleType:
    """The package ``datasets`` of this project, which shares its name with a well-known one.

    Raises UsageError where it is missing or another one is found first.
    """
    advice = "run from the root of the clone, where this project's datasets/ lies"
    try:
        module = importlib.import_module("datasets")
    except ModuleNotFoundError as error:
        raise UsageError(f"the package datasets was not found: {advice}") from error
    if not hasattr(module, "NAMES"):
        raise UsageError(f"another package named datasets was found at {module.__file__}: {advice}")
    return module


def console(*, stderr: bool = False) -> Console:
    """A console that keeps tables whole in a pipe or a file, where there is no terminal to fit."""
    made = Console(stderr=stderr, highlight=False)
    if not made.is_terminal:
        made = Console(stderr=stderr, highlight=False, width=160, no_color=True)
    return made


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """A progress bar on stderr, where that is a terminal; yields ``advance(done=None, of=None)``."""
    errors = console(stderr=True)
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task(title, total=total)

        def advance(done: int | None = None, of: int | None = None) -> None:
            if done is None:
                bar.advance(task)
            else:
                bar.update(task, completed=done, total=of)

        yield advance


def plain_table(title: str, words: Sequence[str], numbers: Sequence[str] = (), *, verdict: bool = True) -> Table:
    """A table with columns of words, then of numbers, then a verdict."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for name in words:
        table.add_column(name)
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    if verdict:
        table.add_column("verdict", no_wrap=True)
    return table


def default_jobs() -> int:
    """Two processes, where there are two cores."""
    return min(2, os.cpu_count() or 1)
