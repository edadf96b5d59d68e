"""What Ctrl-C and SIGTERM do to a command: they end it in order, with what is done so far, and never with a traceback.

While a command works, a signal raises KeyboardInterrupt, and ``cli.Work`` keeps what was done until then. Before that
nothing has been done, and after it all is said but for cleaning up: then a signal ends the process at once.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

INTERRUPTED, TERMINATED, PIPE_CLOSED = 130, 143, 141
"""Exit codes, as a shell gives them: 128 and the number of the signal."""

ECHO = 1.0
"""Seconds in which no second signal is heard, by no process that is started then either: torchrun passes on what a
terminal has sent to all, and joblib calls other programs to end its processes."""

UNHEARD = 0.05
"""Seconds after which a signal is sent again that came where Python drops exceptions."""


class Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a command as Ctrl-C does."""


def exit_code(error: KeyboardInterrupt) -> int:
    """The exit code of a command that this ended."""
    return TERMINATED if isinstance(error, Terminated) else INTERRUPTED


class Signals:
    """The signals of a process that a command has to itself."""

    def __init__(self, program: str) -> None:
        """Take them: until ``working``, they end the process at once."""
        self.program, self.listening, self.code = program, False, 0
        atexit.register(self._leave)  # before the packages register theirs: the first one is called last
        self._take(self._heard)
        self._report, sys.unraisablehook = sys.unraisablehook, self._dropped

    @contextmanager
    def working(self) -> Iterator[None]:
        """Within it, the first signal is raised as KeyboardInterrupt."""
        self.listening = True
        try:
            yield
        finally:
            self.listening = False

    def _leave(self) -> None:
        """End with ``code``, unless there are processes to put away: after torch, Python's own end takes a second."""
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0)  # in Python's own end nobody hears it any more
        if self.code and not multiprocessing.active_children():
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(self.code)

    def _take(self, handler: Any) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, handler)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        if not self.listening:
            for process in multiprocessing.active_children():
                process.kill()
            os.write(2, f"{self.program}: interrupted\n".encode())
            os._exit(128 + number)
        self.listening = False
        if hasattr(signal, "setitimer"):
            self._take(signal.SIG_IGN)
            signal.signal(signal.SIGALRM, lambda *_: self._take(self._heard))
            signal.setitimer(signal.ITIMER_REAL, ECHO)
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated

    def _dropped(self, unraisable: Any) -> None:
        """A signal that came inside a callback, where Python would report the exception and go on: once more."""
        if not isinstance(unraisable.exc_value, KeyboardInterrupt):
            self._report(unraisable)
            return
        self.listening = True
        self._take(self._heard)
        number = signal.SIGTERM if isinstance(unraisable.exc_value, Terminated) else signal.SIGINT
        again = threading.Timer(UNHEARD, os.kill, (os.getpid(), number))
        again.daemon = True
        again.start()


@contextmanager
def unheard() -> Iterator[None]:
    """Processes that are started within it never hear Ctrl-C, which a terminal sends to all: their parent ends them."""
    if threading.current_thread() is not threading.main_thread():
        yield  # a library's caller has the signals
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
