"""Starts a command, watches it, and ends it with all its descendants: LIMITS FOLDER COMMAND... Standard library alone.

Prints the number of the command's process group, and a line of JSON: the exit code, and which limit was broken. It
ends as soon as the command does, or a limit is broken, or whoever started it is gone: then it removes the folder too.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

CHECK = 0.05
"""Seconds between two looks at the descendants."""

PR_SET_CHILD_SUBREAPER = 36


def main(limits: dict[str, Any], folder: str, start: Callable[[], Any]) -> dict[str, Any]:
    """Watch what ``start`` starts, a ``subprocess.Popen`` or what can be asked and awaited like it, within limits.

    The number of its group, for whoever started this process, should the file end it, is printed by ``start``: before
    the file can do anything where that is possible.
    """
    adopt_orphans()
    restrict(limits)
    deadline = time.monotonic() + limits["seconds"]
    worker = start()
    why, alone = "", False
    while not why and not alone and worker.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.wait(CHECK)
        why, alone = broken(limits, deadline), orphaned()
    code = worker.poll()
    end_group(worker.pid)
    end_descendants()
    if alone:
        import shutil

        shutil.rmtree(folder, ignore_errors=True)
    worker.wait()
    return {"code": code, "why": why if code is None else ""}


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, in Linux: none escapes, whatever its session."""
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def restrict(limits: dict[str, Any]) -> None:
    """Set the limits that the system keeps, for this process and its descendants."""
    with contextlib.suppress(ImportError):
        import resource

        wanted = {
            resource.RLIMIT_DATA: limits["memory"],
            resource.RLIMIT_FSIZE: limits["file"],
            resource.RLIMIT_CORE: 0,
        }
        for kind, most in wanted.items():
            _, hard = resource.getrlimit(kind)
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(kind, (most, most))


def broken(limits: dict[str, Any], deadline: float) -> str:
    """The limit that is broken, "" where none is."""
    if time.monotonic() > deadline:
        return "seconds"
    family = descendants()
    if len(family) - 1 > limits["processes"]:  # the worker itself was not started by the file
        return "processes"
    return "memory" if sum(family.values()) > limits["memory"] else ""


def orphaned() -> bool:
    """Whether whoever started this process is gone: nothing is ever written to the pipe, so it can only be closed."""
    with contextlib.suppress(OSError):  # Windows, whose pipes cannot be asked
        return bool(select.select([sys.stdin], [], [], 0)[0])
    return False


def descendants() -> dict[int, int]:
    """The living descendants of this process, each with its resident memory in bytes; none without ``/proc``."""
    if not os.path.isdir("/proc"):
        return {}
    children: dict[int, list[int]] = {}
    memory: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                state, parent, *rest = file.read().rpartition(b")")[2].split()
        except (OSError, ValueError):  # it has just ended
            continue
        children.setdefault(int(parent), []).append(int(name))
        if state not in (b"Z", b"X"):
            memory[int(name)] = int(rest[19]) * os.sysconf("SC_PAGE_SIZE")
    family, todo = {}, [os.getpid()]
    while todo:
        for child in children.get(todo.pop(), []):
            todo.append(child)
            if child in memory:
                family[child] = memory[child]
    return family


def end_group(leader: int) -> None:
    """End a process and its group, all at once: what forks without end does not fork in between."""
    with contextlib.suppress(OSError, AttributeError):
        os.killpg(leader, signal.SIGKILL)


def end_descendants() -> None:
    """End them until none is left.

    What forks, or loses its parent, while it is looked for may be missed then, but it is or becomes a child of this
    process: only when the system knows of no child is nothing left.
    """
    while True:
        for process in descendants():
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.001)


def command(words: list[str]) -> subprocess.Popen[bytes]:
    """Start the command, with a group of its own, which is printed, and nobody who listens."""
    quiet = subprocess.DEVNULL
    worker = subprocess.Popen(words, stdin=quiet, stdout=quiet, stderr=quiet, process_group=0)
    print(worker.pid, flush=True)
    return worker


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]), sys.argv[2], lambda: command(sys.argv[3:]))))
