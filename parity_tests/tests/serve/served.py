"""A server in a process of its own, and how it is asked."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from parity_tests import cli

ROOT = Path(cli.__file__).parents[1]
ENDS = 20
"""Seconds that it may take to end."""


class Served(NamedTuple):
    """A running server: its process, the page's address, and the folder in which its temporary files are."""

    process: subprocess.Popen[str]
    address: str
    folder: Path

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.address.split(":")[2].split("/")[0])

    @property
    def path(self) -> str:
        """The page's address without the server."""
        return self.address.removeprefix(f"http://127.0.0.1:{self.port}")

    @property
    def headers(self) -> dict[str, str]:
        """What the page sends."""
        origin = f"http://127.0.0.1:{self.port}"
        return {"Content-Type": "application/json", "X-Key": self.address.split("key=")[1], "Origin": origin}

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """The status, and the answer; a header that is "" is left out."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            sent = {name: value for name, value in headers.items() if value}
            connection.request(method, path, body, sent)
            reply = connection.getresponse()
            text = reply.read().decode()
            is_data = reply.headers["Content-Type"].startswith("application/json")
            return reply.status, json.loads(text) if is_data else text
        finally:
            connection.close()

    def ask(self, data: Any, **headers: str) -> tuple[int, Any]:
        """What it answers to the page."""
        return self.send("POST", "/judge", json.dumps(data), **{**self.headers, **headers})

    def end(self) -> tuple[int, str]:
        """Ctrl-C, which a terminal sends to all of its processes: the exit code, and what was printed."""
        os.killpg(self.process.pid, signal.SIGINT)
        assert self.process.stdout is not None
        return self.process.wait(ENDS), self.process.stdout.read()

    def left(self) -> list[Path]:
        """Where those processes run that have its folder for their temporary files: it, and those that it started."""
        mark = f"TMPDIR={self.folder}".encode()
        found = []
        for process in Path("/proc").iterdir():
            try:
                if process.name.isdigit() and mark in (process / "environ").read_bytes():
                    found.append((process / "cwd").readlink())
            except OSError:  # it has just ended
                continue
        return found

    def runs_a_file(self) -> bool:
        """Whether a file that was given is run: where it lies, in a folder of its request."""
        return any(each.parent == self.folder for each in self.left())


def file(name: str, content: bytes | str, **more: Any) -> dict[str, Any]:
    """A dropped file."""
    data = content.encode() if isinstance(content, str) else content
    return {"name": name, "content": base64.b64encode(data).decode(), **more}


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    """A server at a free port, ended at the end."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
    process = subprocess.Popen(
        [sys.executable, "-m", "parity_tests", "serve", "--port", "0", "--no-browser"],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    with process, process.stdout:
        try:
            yield Served(process, process.stdout.readline().strip(), folder)
        finally:
            process.kill()
