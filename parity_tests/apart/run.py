"""Run a person's .py file apart: within limits, its runner's answer read back, every process and temporary file gone.

The file runs with the rights of whoever calls. What is limited is what a mistake does: time, memory, processes, and
files, of which it may write none; and the network is off for what Python itself does.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from parity_tests.apart import prepared
from parity_tests.apart.supervisor import LATEST, end_group

ROOT = Path(__file__).parents[2]
SUPERVISOR = Path(__file__).with_name("supervisor.py")

MIB, GIB = 2**20, 2**30

GRACE = 30
"""Seconds that the supervisor has to end everything and say so."""

ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""A machine of many cores would reserve memory for as many threads, which small arrays do not need."""


class Limits(NamedTuple):
    """What a file may use: seconds, bytes of memory, bytes in a file, and processes that it starts.

    Seconds count while the file works or sleeps, not while it waits for a processor (``supervisor.Clock``). Memory is
    limited for each process by the system, and for all of them together by the supervisor; so are processes. Systems
    without ``/proc`` or resource limits limit less; time is limited everywhere.
    """

    seconds: float = 20.0
    memory: int = 2 * GIB
    file: int = 256 * MIB
    processes: int = 64


def run_apart(
    path: Path, runner: str, words: Sequence[str] = (), limits: Limits | None = None, folder: Path | None = None
) -> dict[str, Any]:
    """What ``main(path, *words)`` of the module ``runner`` returns in a process of its own: plain data, as JSON.

    ``main`` runs the file (``worker.imported`` does) beside its siblings. What is printed is dropped, and whatever
    the file started, processes and threads, ends with it. ``folder`` is where arrays may be handed over: the one
    place that the process may write to, and a temporary one where none is given.

    Raises ValueError, one sentence, where the file breaks a limit, ends itself, or cannot be run, which ``main`` says
    by an exception or under the key "problem".
    """
    limits = limits or Limits()
    with _scratch(folder) as place:
        answer = place / "answer.json"
        ended = _ended([str(place), str(limits.processes), runner, str(path.resolve()), *words], limits)
        if ended["why"]:
            raise ValueError(f"{path.name} {_limit(ended['why'], limits)} and was ended")
        if not answer.is_file():
            raise ValueError(f"{path.name} could not be run: {_exit(ended['code'])}")
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    if "problem" in found:
        raise ValueError(f"{path.name} could not be run: {found['problem']}")
    return found


def prepare(runner: str) -> None:
    """Start the process that has the runner imported, for the files to come."""
    if prepared.POSSIBLE:
        prepared.start(runner, _environment(tempfile.gettempdir()))


def _environment(place: str) -> dict[str, str]:
    """What a file runs with: its temporary files are in the place, and sets of words have the same order every time."""
    given = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
    search = os.pathsep.join([str(ROOT), *map(os.path.abspath, given)])  # it starts in another folder
    threads = {name: os.environ.get(name, "1") for name in ONE_THREAD}
    more = {"PYTHONPATH": search, "PYTHONDONTWRITEBYTECODE": "1", "MPLBACKEND": "Agg", "TMPDIR": place}
    return {**os.environ, **threads, **more, "PYTHONHASHSEED": "0"}


@contextlib.contextmanager
def _scratch(folder: Path | None) -> Iterator[Path]:
    """The folder that was given, or one that is removed again whatever the file did to it."""
    if folder is not None:
        yield folder.resolve()
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as made:
        yield Path(made).resolve()


def _ended(words: list[str], limits: Limits) -> dict[str, Any]:
    """How the worker ended that was started with the words: its exit code, and which limit it broke.

    Its descendants have ended too.
    """
    place, _, _, path, *_ = words
    request = prepared.Request(words, limits._asdict(), str(Path(path).parent), _environment(place))
    said = prepared.said if prepared.POSSIBLE else _said
    group, report, *_ = [*said(request, LATEST * limits.seconds + GRACE).splitlines(), b"", b""]
    if group and not report:  # the file ended the supervisor
        _end_worker(int(group))
    ended: dict[str, Any] = json.loads(report or b'{"why": "", "code": -9}')
    return ended


def _end_worker(group: int) -> None:
    """End the group of a worker that is no child of this process, and wait for it where the system can, in Linux."""
    try:
        ended = os.pidfd_open(group)
    except (OSError, AttributeError):
        end_group(group)
        return
    with open(ended):
        end_group(group)
        select.select([ended], [], [], GRACE)


def _said(request: prepared.Request, patience: float) -> bytes:
    """What the supervisor says of the worker, both started anew: where no prepared process can be forked."""
    worker = [sys.executable, "-P", "-B", "-m", "parity_tests.apart.worker", *request.words]
    supervisor = subprocess.Popen(
        [sys.executable, "-I", "-S", str(SUPERVISOR), json.dumps(request.limits), request.place, *worker],
        cwd=request.folder,
        env=request.environment,
        stdin=subprocess.PIPE,  # it ends when this process does
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert supervisor.stdin is not None
    assert supervisor.stdout is not None
    try:
        supervisor.wait(patience)
    except subprocess.TimeoutExpired:
        supervisor.kill()
    finally:
        supervisor.stdin.close()  # the supervisor notices, and ends everything
        with contextlib.suppress(subprocess.TimeoutExpired):
            supervisor.wait(GRACE)
        supervisor.kill()
        with supervisor.stdout as stdout:
            said = stdout.read()
    return said


def _limit(why: str, limits: Limits) -> str:
    """The limit that was broken, in words."""
    return {
        "seconds": f"ran for more than {limits.seconds:g} seconds",
        "memory": f"used more than {limits.memory / GIB:.3g} GB of memory",
        "processes": f"started more than {limits.processes} processes",
    }[why]


def _exit(code: int) -> str:
    """The exit code of a process that gave no answer, in words."""
    if code >= 0:
        return f"exit code {code} in place of an answer"
    try:
        return f"ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"ended by signal {-code}"
