"""A process that has a runner imported, and forks one for every file: the import, of torch say, is paid once.

``prepared.py RUNNER`` is started with a socket as its standard input, from which it takes another socket for every
file: on this the fork reads what it is to do, and answers. It ends when nobody is left who could ask. In Linux alone.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

from parity_tests.apart import supervisor, worker

POSSIBLE = sys.platform == "linux"

ATTEMPTS = 2
"""A file may end the process that forks, with which its own answer is lost; then it is started anew for the next."""

_lock = threading.Lock()
started: dict[tuple[str, str], socket.socket] = {}
"""Where a process is asked, by its runner and its search path; they may be handed to other processes, to ask there."""


class Request(NamedTuple):
    """What is to be run: the worker's words, within which limits, in which folder, and with what environment."""

    words: list[str]
    limits: dict[str, Any]
    folder: str
    environment: dict[str, str]

    @property
    def place(self) -> str:
        """The folder that may be written to."""
        return self.words[0]

    @property
    def runner(self) -> str:
        """The module whose ``main`` runs the file."""
        return self.words[2]


def said(request: Request, patience: float) -> bytes:
    """What the supervisor says of a request: the group of the worker, and how that ended.

    Everything that the request started has ended then, or ``patience`` seconds are over.
    """
    for _ in range(ATTEMPTS):
        ours, theirs = socket.socketpair()
        with ours:
            with theirs:
                _hand_over(theirs, request)
            if heard := _asked(ours, request, patience):
                return heard
    return b""


def _hand_over(channel: socket.socket, request: Request) -> None:
    """Give the socket to the process that has the runner, which is started where there is none, or was ended."""
    for _ in range(ATTEMPTS):
        asked = start(request.runner, request.environment)
        try:
            socket.send_fds(asked, [b"\n"], [channel.fileno()])
            return
        except OSError:  # it was ended
            with _lock:
                started.pop(_kind(request.runner, request.environment), asked).close()


def _kind(runner: str, environment: Mapping[str, str]) -> tuple[str, str]:
    return runner, environment["PYTHONPATH"]


def start(runner: str, environment: Mapping[str, str]) -> socket.socket:
    """Where the process that has the runner is asked; it is started where there is none."""
    with _lock:
        kind = _kind(runner, environment)
        if kind not in started:
            started[kind] = _started(runner, environment)
        return started[kind]


def _started(runner: str, environment: Mapping[str, str]) -> socket.socket:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    nowhere = subprocess.DEVNULL
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-P", "-B", "-m", __name__, runner],
            cwd=os.sep,
            env=environment,
            stdin=theirs.fileno(),
            stdout=nowhere,
            stderr=nowhere,
            start_new_session=True,
        )
    atexit.register(_end, ours, process, os.getpid())
    return ours


def _end(ours: socket.socket, process: subprocess.Popen[bytes], starter: int) -> None:
    """End it with the process that started it, whoever else could ask."""
    if os.getpid() == starter:
        with contextlib.suppress(OSError):  # ended before
            ours.shutdown(socket.SHUT_RDWR)
        process.wait()
    ours.close()


def _asked(channel: socket.socket, request: Request, patience: float) -> bytes:
    """Say the request and hear the answer to its end; who is interrupted has everything ended, and waits for that."""
    channel.settimeout(patience)
    try:
        with contextlib.suppress(OSError):  # nobody there
            channel.sendall(json.dumps(request).encode() + b"\n")
        return _heard(channel)
    finally:
        with contextlib.suppress(OSError):
            channel.shutdown(socket.SHUT_WR)
            _heard(channel)


def _heard(channel: socket.socket) -> bytes:
    heard = b""
    with contextlib.suppress(OSError):  # too late, or the other side was ended
        while part := channel.recv(2**16):
            heard += part
    return heard


def main(runner: str) -> None:
    """Fork for everyone who asks."""
    with contextlib.suppress(Exception):  # whoever runs it says what is wrong
        importlib.import_module(runner)
    gc.freeze()
    questions = socket.socket(fileno=os.dup(0))
    while True:
        message, channels, *_ = socket.recv_fds(questions, 1, 1)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not message:
            return
        for channel in channels:
            if not os.fork():
                supervise(channel)
            os.close(channel)


def supervise(channel: int) -> NoReturn:
    """In a fork: run the file within limits, as the supervisor does for a command."""
    os.setsid()
    for stream in (0, 1):
        os.dup2(channel, stream)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    with open(0, encoding="utf-8", closefd=False) as words:
        request = Request(*json.loads(words.readline()))
    ended = supervisor.main(request.limits, request.place, lambda: Fork(request))
    os.write(1, json.dumps(ended).encode())
    os._exit(0)


class Fork:
    """A process that runs the file, of a group of its own; it has of ``subprocess.Popen`` what the supervisor needs."""

    def __init__(self, request: Request) -> None:
        self.pid = os.fork()
        self._code: int | None = None
        if not self.pid:
            _work(request)
        self._end = os.pidfd_open(self.pid)

    def poll(self) -> int | None:
        with contextlib.suppress(ChildProcessError):  # asked for before, as one of all descendants
            if self._code is None and (ended := os.waitpid(self.pid, os.WNOHANG))[0]:
                self._code = os.waitstatus_to_exitcode(ended[1])
        return self._code

    def wait(self, timeout: float = 0.0) -> int | None:
        select.select([self._end], [], [], timeout)
        return self.poll()


def _work(request: Request) -> NoReturn:
    """Be the worker: nothing of the process that forked it can be reached but what is imported."""
    try:
        os.setpgid(0, 0)
        os.write(1, b"%d\n" % os.getpid())  # before the file can end whoever would say it
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        os.close(nowhere)
        os.chdir(request.folder)
        os.environ.clear()
        os.environ.update(request.environment)
        tempfile.tempdir = None  # the one of the environment
        worker.main(*request.words)
    finally:
        os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1])
