"""A process apart for every request: it has a time and memory limit, and ends with whoever asked."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from parity_tests.apart import prepare, prepared
from parity_tests.derivations.own.flags import Flags
from parity_tests.derivations.own.program_file import RUNNER
from parity_tests.serve.given import Given, answered

MOST = 4
"""Requests that are worked on at a time."""

PATIENCE = 10.0
"""Seconds that a request waits for its turn."""

MEMORY = 6 * 2**30
"""Bytes that a process may use."""

LOOK = 0.2
"""Seconds between two looks whether whoever asked is still there."""

GRACE = 3.0
"""Seconds that a process has to end what it started."""

PRELOADED = [
    "torch",
    "numpy.random",
    "parity_tests.derivations.own.answers",
    "parity_tests.derivations.text_lines",
    "parity_tests.derivations.engine.judged",
    "parity_tests.derivations.engine.texts",
    "parity_tests.derivations.engine.costs",
    "parity_tests.derivations.settings.problem",
    "parity_tests.derivations.settings.by_torch",
    "parity_tests.derivations.latex.answers",
    "parity_tests.serve.graph",
    "parity_tests.report.mathematics",
]
"""What a process needs, imported once for all that follow; what is not there is left out."""


class BusyError(Exception):
    """Too much is asked at a time."""


class EndedError(Exception):
    """The process gave no answer; the text says why."""


class Processes:
    """Starts the processes, and ends those that are left."""

    def __init__(self) -> None:
        forks = "forkserver" in multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("forkserver" if forks else "spawn")
        if forks:
            context.set_forkserver_preload(PRELOADED)
        self._context: Any = context
        self._turns = threading.BoundedSemaphore(MOST)
        self._lock = threading.Lock()
        self._running: set[Any] = set()
        self._closed = False

    def answer(self, given: Given, gone: Callable[[], bool] = lambda: False) -> dict[str, Any]:
        """The answer on what is given.

        Raises BusyError where no turn comes, and EndedError where there is no answer: it took too long, used too
        much memory, or whoever asked is ``gone``.
        """
        if not self._turns.acquire(timeout=PATIENCE):
            raise BusyError(f"{MOST} requests are worked on already")
        try:
            with tempfile.TemporaryDirectory(prefix="serve-", ignore_cleanup_errors=True) as folder:
                return self._answer(given, folder, gone)
        finally:
            self._turns.release()

    def _answer(self, given: Given, folder: str, gone: Callable[[], bool]) -> dict[str, Any]:
        ours, theirs = self._context.Pipe(duplex=False)
        told = (theirs, folder, given, dict(prepared.started))
        process = self._context.Process(target=_work, args=told, daemon=True)
        with self._lock:
            if self._closed:
                raise EndedError("the server ends")
            process.start()
            self._running.add(process)
        theirs.close()
        try:
            end = time.monotonic() + given.seconds
            while not ours.poll(LOOK):
                if gone():
                    raise EndedError("nobody waits for the answer")
                if time.monotonic() > end:
                    raise EndedError(f"{given.name} took more than {given.seconds:g} seconds and was ended")
            found: dict[str, Any] = json.loads(ours.recv_bytes())
            return found
        except EOFError:
            raise EndedError(f"{given.name} ended the process that judged it") from None
        finally:
            with self._lock:
                self._running.discard(process)
            ours.close()
            _end(process)

    def warm(self) -> None:
        """Import what the processes need, before anything is asked."""
        prepare(RUNNER)
        with suppress(BusyError, EndedError):
            self.answer(Given("derivation.txt", b"dW1 = (1/m) * dZ1 @ X.T", Flags("shallow")))

    def close(self) -> None:
        """End every process; nothing more is begun."""
        with self._lock:
            self._closed = True
            left = list(self._running)
        for process in left:
            with suppress(ValueError):
                process.terminate()
        for process in left:
            with suppress(ValueError):
                _end(process)


def _end(process: Any) -> None:
    """Give the process time to end what it started, then end it."""
    process.terminate()
    process.join(GRACE)
    if process.is_alive():
        process.kill()
        process.join()


def _work(answers: Connection, folder: str, given: Given, started: dict[tuple[str, str], socket.socket]) -> None:
    """What the process does: judge, answer in JSON. Programs are run by the processes that the server started."""
    prepared.started.update(started)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's, which ends this process
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what runs programs apart ends them then
    threading.Thread(target=_with_the_server, daemon=True).start()
    _limited()
    tempfile.tempdir = folder
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    try:
        found = answered(given, Path(folder))
    except MemoryError:
        found = {"source": given.name, "problem": f"{given.name} needs too much memory", "lines": []}
    answers.send_bytes(json.dumps(found, allow_nan=False).encode())


def _with_the_server() -> None:
    """End this process when the one that started it is gone, however that ended."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _limited() -> None:
    """Limit the memory of this process, where the system can."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
