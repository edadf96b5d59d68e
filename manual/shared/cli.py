"""What the command lines share: subcommands, plain sentences for bad usage, the toy data, and tables."""

from __future__ import annotations

import argparse
import difflib
import importlib
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

GOOD, MISMATCH, USAGE = 0, 1, 2
INTERRUPTED, TERMINATED, PIPE_CLOSED = 130, 143, 141
"""Exit codes; of a command that was ended from outside as a shell gives them: 128 and the number of the signal."""

Part = TypeVar("Part")


class UsageError(ValueError):
    """Something a person asked for that cannot be had; its text is one plain sentence."""


class Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a command as Ctrl-C does."""


def exit_code(error: KeyboardInterrupt) -> int:
    """The exit code of a command that this ended."""
    return TERMINATED if isinstance(error, Terminated) else INTERRUPTED


class Work:
    """What the commands share while they run; ``stopped`` says how far the work was when a signal ended it."""

    def __init__(self, *, quiet: bool = False) -> None:
        """``quiet`` leaves out the bars; ``silent`` is one of several processes that do the same, and not the first."""
        self.quiet, self.silent = quiet, False
        self.stopped, self.code = "", 0

    def json(self, data: Mapping[str, Any] | Sequence[Any], indent: int | None = 1) -> None:
        """Print plain data as JSON; of work that was stopped it says so, under "stopped" or as the last of a list."""
        if self.stopped:
            mark = {"stopped": self.stopped}
            data = {**data, **mark} if isinstance(data, Mapping) else [*data, mark]
        json.dump(data, sys.stdout, indent=indent)
        print()

    @contextmanager
    def bar(self, title: str, total: int | None = None) -> Iterator[Callable[..., None]]:
        """``progress``, or none of it."""
        with progress(title, total, shown=not self.quiet) as advance:
            yield advance

    @contextmanager
    def until_stopped(self, how_far: Callable[[], str]) -> Iterator[None]:
        """Ctrl-C ends the block and nothing else: the command goes on with what there is. ``how_far`` is asked then.

        Where it says "", nothing is done yet, and Ctrl-C ends the command.
        """
        try:
            yield
        except KeyboardInterrupt as error:
            self.stopped, self.code = how_far(), exit_code(error)
            if not self.stopped:
                raise

    def gather(self, title: str, parts: Generator[Part, None, None], total: int) -> list[Part]:
        """All parts, behind a bar; or those that there are when Ctrl-C ends it. ``title`` says what is counted."""
        found: list[Part] = []
        with (
            self.until_stopped(lambda: f"after {len(found)} of {total} {title}" if found else ""),
            self.bar(title, total) as advance,
            closing(parts),
        ):
            for part in parts:
                found.append(part)
                advance()
        return found


def run_commands(
    program: str,
    description: str,
    examples: str,
    package: str | Mapping[str, str],
    commands: Mapping[str, str],
    argv: Sequence[str] | None = None,
    *,
    default: str | None = None,
) -> int:
    """Parse the arguments, run the subcommand, return its exit code.

    ``commands`` gives a line of help for each subcommand; the module ``<package>.<name>``, imported only when it is
    called, has ``configure(parser)``, which sets ``run``. ``package`` may differ from command to command. ``default``
    is the subcommand of a line that names none.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if default and (not words or (words[0].startswith("-") and words[0] not in ("-h", "--help"))):
        words.insert(0, default)
    if argv is None:  # arguments that are given come from another program, which has the signals and the streams
        signal.signal(signal.SIGTERM, _terminate)
        for number, name in enumerate(("stdout", "stderr"), 1):
            if getattr(sys, name) is None:  # closed from the beginning; the processes that are started need it too
                os.dup2(os.open(os.devnull, os.O_WRONLY), number)
                os.set_inheritable(number, True)
                setattr(sys, name, open(number, "w", closefd=False))  # noqa: SIM115
    work = Work()

    def run() -> int:
        parser = argparse.ArgumentParser(
            prog=program,
            description=description,
            epilog=f"examples:\n{examples}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        parsers = parser.add_subparsers(dest="command", required=True, metavar="command")
        flags: list[str] = []
        for name, help_text in commands.items():
            command = parsers.add_parser(name, help=help_text, formatter_class=argparse.RawDescriptionHelpFormatter)
            if words and name == words[0]:
                home = package if isinstance(package, str) else package[name]
                importlib.import_module(f"{home}.{name}").configure(command)
                flags = re.findall(r"--?[\w-]+", command.format_usage())
        if words and not words[0].startswith("-") and words[0] not in commands:
            raise UsageError(_unknown("command", words[0], list(commands)))
        args, unknown = parser.parse_known_args(words)
        if unknown:
            if not unknown[0].startswith("-"):
                flag = next((each for each in ("--data", "-k") if each in flags), "")
                told = f": it is given with {flag} {unknown[0]}" if flag else ""
                raise UsageError(f"{unknown[0]} is one argument too many for {words[0]}{told}")
            raise UsageError(_unknown("flag", unknown[0], flags))
        work.quiet, args.work = args.quiet, work
        return execute(args)

    return guarded(program, run, work)


def _unknown(what: str, given: str, known: Sequence[str]) -> str:
    """The sentence on a word that is mistyped, with the nearest that is known."""
    near = difflib.get_close_matches(given.partition("=")[0], known, 1)
    return f"{given} is no {what}, expected one of {', '.join(known)}" + (f": did you mean {near[0]}?" if near else "")


def execute(args: argparse.Namespace) -> int:
    """Run the command that was parsed."""
    code: int = args.run(args)
    return code


def _terminate(*_: object) -> None:
    raise Terminated


def output_flags(parser: argparse._ActionsContainer, instead: str = "tables") -> None:
    """The flags that every command has, ``instead`` of what JSON is printed."""
    parser.add_argument("--json", action="store_true", help=f"print JSON instead of {instead}")
    quiet_flag(parser)


def quiet_flag(parser: argparse._ActionsContainer) -> None:
    """--quiet alone, for a command whose output is no data."""
    parser.add_argument("--quiet", action="store_true", help="print what fails and the closing line alone")


def guarded(program: str, run: Callable[[], int], work: Work) -> int:
    """``run``'s exit code; bad usage becomes one sentence on stderr and exit code 2, Ctrl-C 130 and SIGTERM 143.

    Where the reader of a pipe has gone, nobody is left to tell: 141, as SIGPIPE would have it. Where the output or a
    file cannot be written, as on a full disk, that is said, and the exit code is 2.
    """
    try:
        try:
            code = run()
        finally:
            sys.stdout.flush()
        if work.stopped:
            _say(work, program, f"stopped {work.stopped}")
            return work.code
        return code
    except UsageError as error:
        complain(program, str(error))
        return USAGE
    except KeyboardInterrupt as error:
        _say(work, program, "; ".join(["interrupted", *getattr(error, "__notes__", ())]))
        return exit_code(error)
    except BrokenPipeError:
        _discard(sys.stdout)
        return PIPE_CLOSED
    except OSError as error:
        _discard(sys.stdout)
        complain(program, str(error))
        return USAGE


def _discard(stream: TextIO) -> None:
    """Send what is left in the stream's buffer nowhere: Python would try to write it at its end."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _say(work: Work, program: str, sentence: str) -> None:
    """How a command ended."""
    if not work.silent:
        complain(program, sentence)


def complain(program: str, sentence: str) -> None:
    """Say on stderr what is wrong, where that can be written."""
    try:
        print(f"{program}: {sentence}", file=sys.stderr, flush=True)
    except OSError:
        _discard(sys.stderr)


def door(check: Callable[..., object], *args: object, **options: object) -> object:
    """Call a function that checks what a person gave; its ValueError becomes a UsageError."""
    try:
        return check(*args, **options)
    except ValueError as error:
        raise UsageError(str(error)) from error


def folder_at(flag: str, given: str) -> Path:
    """A folder that a person names, made where it is not there.

    Raises UsageError where it cannot be made.
    """
    try:
        Path(given).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{flag} is {given}, expected a folder: {error.strerror}") from error
    return Path(given)


def toy_datasets() -> ModuleType:
    """The data of this project: ``derivation_datasets`` where it is installed, ``datasets`` in a clone.

    Raises UsageError where another package named datasets is found first, or none.
    """
    place = ""
    for name in ("derivation_datasets", "datasets"):
        with suppress(ModuleNotFoundError):
            module = importlib.import_module(name)
            if hasattr(module, "NAMES"):
                return module
            place = str(module.__file__ or next(iter(module.__path__), ""))
    found = f"another package named datasets was found at {place}" if place else "the package datasets was not found"
    raise UsageError(f"{found}: run from the root of the clone, where this project's datasets/ lies")


def console(*, stderr: bool = False) -> Console:
    """A console: in colours on a terminal, unless NO_COLOR is set; plain text in a pipe or a file, no line folded."""
    from manual.shared.terminal import Terminal

    return Terminal(stderr=stderr)


@contextmanager
def progress(title: str, total: int | None = None, *, shown: bool = True) -> Iterator[Callable[..., None]]:
    """A progress bar on stderr, where that is a terminal; yields ``advance(done=None, of=None)``."""
    errors = console(stderr=True)
    if not (shown and errors.is_terminal):
        yield lambda *_, **__: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task(title, total=total)

        def advance(done: int | None = None, of: int | None = None) -> None:
            if done is None:
                bar.advance(task)
            else:
                bar.update(task, completed=done, total=of)

        yield advance


def plain_table(title: str, words: Sequence[str], numbers: Sequence[str] = (), *, verdict: bool = True) -> Table:
    """A table with columns of words, then of numbers, then a verdict."""
    from rich import box
    from rich.table import Table

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


def in_processes(calls: Iterable[Any], jobs: int) -> Generator[Any, None, None]:
    """The results of joblib's ``delayed`` calls as they come, in order; the processes end with the generator."""
    from multiprocessing import resource_tracker

    from joblib import Parallel

    resource_tracker.ensure_running()  # begun later, it would unblock interrupts
    with _interrupts_held_back():
        results = Parallel(n_jobs=jobs, return_as="generator")(calls)
    yield from results


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Ctrl-C arrives when this ends; a process that begins meanwhile never gets it: what began it ends it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
