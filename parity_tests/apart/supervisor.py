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
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

CHECK = 0.05
"""Seconds between two looks at the descendants."""

LATEST = 5
"""So many times its seconds a file may take while others have the processors."""

PR_SET_CHILD_SUBREAPER = 36


class Process(NamedTuple):
    """What a process has: bytes of memory, seconds of processor time with its ended children, and whether it works."""

    memory: int
    worked: float
    works: bool


class Clock:
    """The seconds that a file has had: those that it worked, and those that it waited of its own accord.

    None pass while it waits for a processor: what ends a file is the same on a busy machine as on a quiet one.
    """

    def __init__(self) -> None:
        self.seconds, self.worked = 0.0, 0.0
        self.begun = self.at = time.monotonic()

    def tick(self, family: Mapping[int, Process]) -> None:
        """Add what has passed since the last time."""
        now, worked = time.monotonic(), sum(each.worked for each in family.values())
        passed = now - self.at
        works = any(each.works for each in family.values())
        self.seconds += min(passed, max(0.0, worked - self.worked)) if works else passed
        self.at, self.worked = now, worked

    def is_over(self, seconds: float) -> bool:
        """Whether the file has had so many seconds, or others too many times as many."""
        return self.seconds > seconds or self.at - self.begun > LATEST * seconds


def main(limits: dict[str, Any], folder: str, start: Callable[[], Any]) -> dict[str, Any]:
    """Watch what ``start`` starts, a ``subprocess.Popen`` or what can be asked and awaited like it, within limits.

    The number of its group, for whoever started this process, should the file end it, is printed by ``start``: before
    the file can do anything where that is possible.
    """
    adopt_orphans()
    restrict(limits)
    clock = Clock()
    worker = start()
    why, alone = "", False
    while not why and not alone and worker.poll() is None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.wait(CHECK)
        why, alone = broken(limits, clock), orphaned()
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


def broken(limits: dict[str, Any], clock: Clock) -> str:
    """The limit that is broken, "" where none is."""
    family = descendants()
    clock.tick(family)
    if clock.is_over(limits["seconds"]):
        return "seconds"
    if len(family) - 1 > limits["processes"]:  # the worker itself was not started by the file
        return "processes"
    return "memory" if sum(each.memory for each in family.values()) > limits["memory"] else ""


def orphaned() -> bool:
    """Whether whoever started this process is gone: nothing is ever written to the pipe, so it can only be closed."""
    with contextlib.suppress(OSError):  # Windows, whose pipes cannot be asked
        return bool(select.select([sys.stdin], [], [], 0)[0])
    return False


def descendants() -> dict[int, Process]:
    """The living descendants of this process, with their resident memory; none without ``/proc``."""
    if not os.path.isdir("/proc"):
        return {}
    children: dict[int, list[int]] = {}
    living: dict[int, Process] = {}
    page, second = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")
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
            worked = sum(map(int, rest[9:13])) / second
            living[int(name)] = Process(int(rest[19]) * page, worked, state in (b"R", b"D"))
    family, todo = {}, [os.getpid()]
    while todo:
        for child in children.get(todo.pop(), []):
            todo.append(child)
            if child in living:
                family[child] = living[child]
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
