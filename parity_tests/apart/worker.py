"""Runs a person's file by a runner, and writes what its ``main`` returns: FOLDER PROCESSES RUNNER PATH WORDS...

Standard library alone. The process ends at once when the answer is written: threads that still run do not keep it.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import mmap
import os
import stat
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

EXPLAINED: tuple[tuple[type[BaseException], str], ...] = (
    (SystemExit, "it ends itself"),
    (MemoryError, "it may not use so much memory: a network of fewer examples or units is judged alike"),
    (EOFError, "nobody is there to answer input()"),
)
"""Exceptions whose own words do not say what happened."""

LONGEST = 300
"""Characters of an exception's text."""

CHANGES = {
    f"os.{name}" for name in ("chmod", "chown", "link", "mkdir", "remove", "rename", "rmdir", "symlink", "utime")
}
"""Audit events of changes to files; the last argument is a folder, opened before, that paths are relative to."""

REACHES = {"socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind"}
LOOKS_UP = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
"""Audit events of the network; sockets between processes have a path for an address, or none."""

STARTS = {"os.fork", "os.forkpty", "os.posix_spawn", "os.system", "subprocess.Popen"}
"""Audit events of new processes."""

WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC


def main(folder: str, processes: str, runner: str, path: str, *words: str) -> None:
    """Run the runner's ``main`` and write its answer, or the sentence of its exception."""
    write, replace, leave, process = Path.write_text, os.replace, os._exit, os.getpid()  # before the file changes them
    report = importlib.import_module(runner).main
    sys.argv = [path]
    forbid_writing(folder)
    forbid_network()
    limit_processes(int(processes))
    try:
        text = json.dumps(report(path, *words))
    except BaseException as error:
        text = json.dumps({"problem": sentence(error, path)})
    if os.getpid() == process:  # not a fork of it that went on
        write(Path(folder, "answer.part"), text, encoding="utf-8")
        replace(Path(folder, "answer.part"), Path(folder, "answer.json"))
    leave(0)


def forbid_writing(folder: str) -> None:
    """From now on a file outside the folder can be read, and not be written, made, renamed or removed."""
    allowed = os.path.realpath(folder)

    def outside(path: Any) -> bool:
        if not isinstance(path, str | bytes | os.PathLike):
            return False
        name = os.path.abspath(os.fsdecode(path))
        device = os.path.exists(name) and stat.S_ISCHR(os.stat(name).st_mode)
        return not (device or name == allowed or name.startswith(allowed + os.sep))

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        paths: tuple[Any, ...] = ()
        if event == "open":
            path, mode, flags = arguments
            writes = any(sign in mode for sign in "wax+") if isinstance(mode, str) else bool(flags & WRITING)
            paths = (path,) if writes else ()
        elif event in CHANGES:
            paths = () if isinstance(arguments[-1], int) and arguments[-1] >= 0 else arguments
        elif event in ("os.truncate", "shutil.rmtree"):
            paths = arguments
        for path in filter(outside, paths):
            raise PermissionError(f"it would change {os.path.basename(os.fsdecode(path))}: files are only read here")

    sys.addaudithook(watch)


def forbid_network() -> None:
    """From now on Python connects to nothing, and looks nothing up."""

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if event in LOOKS_UP or (event in REACHES and isinstance(arguments[-1], tuple)):
            raise PermissionError("it would reach the network, which is off here")

    sys.addaudithook(watch)


def limit_processes(most: int) -> None:
    """From now on this process and its forks start so many processes in all."""
    started = mmap.mmap(-1, 8)  # shared among forks

    def count(event: str, arguments: tuple[Any, ...]) -> None:
        if event in STARTS:
            total = int.from_bytes(started[:8], "little") + 1
            if total > most:
                raise PermissionError(f"it would start more than {most} processes")
            started[:8] = total.to_bytes(8, "little")

    sys.addaudithook(count)


def imported(path: str) -> ModuleType:
    """The file as a module; its siblings can be imported."""
    sys.path.insert(0, str(Path(path).parent))
    stem = Path(path).stem
    name = stem if stem not in sys.modules else "given"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("it is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look there
    spec.loader.exec_module(module)
    return module


def sentence(error: BaseException, path: str) -> str:
    """The exception in one line, with the line of the person's file where it came from."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    if isinstance(error, SyntaxError) and error.filename == path:
        lines = [error.lineno]
    place = f" in line {lines[-1]}" if lines and lines[-1] else ""
    words = _words(error)
    return f"raised {type(error).__name__}{place}{words and f': {words}'}"[:LONGEST]


def _words(error: BaseException) -> str:
    """The exception's first line, or what it means."""
    for kind, meaning in EXPLAINED:
        if isinstance(error, kind):
            return meaning
    speak: Callable[[Any], str] = str
    try:
        return next(iter(speak(error).splitlines()), "")
    except Exception:
        return "it has no words"


if __name__ == "__main__":
    main(*sys.argv[1:])
