"""The server: the engine's own answers, nothing executed, nobody else answered, nothing left when it ends."""

from __future__ import annotations

import http.client
import importlib.util
import io
import os
import re
import socket
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manual.shared.cli import GOOD, USAGE
from parity_tests import cli
from parity_tests.derivations.own.answers import Answer
from parity_tests.derivations.own.flags import Flags
from parity_tests.derivations.verdicts import HOLDS, WRONG
from parity_tests.derivations.verify import verify
from parity_tests.serve import given as giving
from parity_tests.serve import work
from parity_tests.serve.examples import EXAMPLES, Example
from parity_tests.serve.given import Given, answered, read
from parity_tests.tests.serve.served import Served, file, served
from parity_tests.tests.slices import sliced

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

WRONG_LINE = {"text": "dW1 = dZ1 @ X.T", "setting": "shallow"}
SLEEPS = file("slow.py", "import time\nwhile True: time.sleep(1)\n")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("served")) as running:
        yield running


@pytest.mark.slow
def test_it_says_what_verify_says(server: Served) -> None:
    status, answer = server.ask(WRONG_LINE)
    assert status == 200
    expected = Answer("derivation.txt", verify(WRONG_LINE["text"], WRONG_LINE["setting"]))
    (line,), (same,) = answer["lines"], expected.as_json()["lines"]
    assert {name: line[name] for name in same} == {
        name: list(value) if isinstance(value, tuple) else value for name, value in same.items()
    }
    assert (line["cause"], line["repaired"]) == ("missing-1/m", "dW1 = (1/m) * dZ1 @ X.T")
    assert answer["closing"] == "1 judged: 1 wrong; not judged: none."
    assert line["formula"].startswith("<svg role=")


class Evil:
    """Unpickled, it makes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return os.mkdir, (str(self.mark),)


def npz(**arrays: Any) -> bytes:
    data = io.BytesIO()
    np.savez(data, **arrays)
    return data.getvalue()


def bomb() -> bytes:
    """A small file whose array has 8 GB."""
    data, head = io.BytesIO(), io.BytesIO()
    shape = {"descr": "<f8", "fortran_order": False, "shape": (40_000, 25_000)}
    np.lib.format.write_array_header_1_0(head, shape)
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("X.npy", head.getvalue() + bytes(2**20))
    return data.getvalue()


HOSTILE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "an import": (lambda mark: {"text": f'__import__("os").mkdir("{mark}")'}, "two underscores"),
    "a file": (lambda mark: {"text": f'J = open("{mark}", "w")\ndJ = J'}, "0 judged; not judged: 2"),
    "classes": (lambda _: {"text": "dW1 = ().__class__.__bases__[0].__subclasses__()"}, "two underscores"),
    "a huge number": (lambda _: {"text": "dW1 = 9**9**9**9**9 * dZ1 @ X.T", "setting": "shallow"}, "1 judged: 1 wrong"),
    "much nesting": (lambda _: {"text": f"dW1 = {'(' * 50_000}dZ1{')' * 50_000}"}, "at most 20,000 are read"),
    "an endless loop": (
        lambda _: {"text": "for i in range(10**12):\n    dW1 = dZ1 @ X.T\n"}, "0 judged|took more than 20 seconds",
    ),
    "markup": (
        lambda _: {"text": "dW1 = dZ1 @ X.T # <img src=x onerror=alert(1)>", "setting": "shallow"}, "1 judged: 1 wrong",
    ),
    "a command in LaTeX": (lambda _: {"text": r"$$dZ = \input{/etc/passwd}$$"}, "not judged: 1"),
    "a pickle": (
        lambda mark: file("a.npz", npz(X=np.array([Evil(mark)], dtype=object)), setting="shallow"), "or pickled",
    ),
    "a bomb": (lambda _: file("a.npz", bomb(), setting="shallow"), "claims shape"),
    "a notebook of nothing": (lambda _: file("a.ipynb", "{not json"), "no notebook"),
    "a program that writes": (lambda mark: file("a.py", f"open({str(mark)!r}, 'w')"), "files are only read here"),
    "a path": (lambda mark: {"name": f"../../..{mark}.txt", "text": "dW1 = dZ1", "setting": "shallow"}, "1 judged"),
}  # fmt: skip
"""A request, of what must never come to be, and what is said."""


@pytest.mark.parametrize("hostile", sliced(HOSTILE, 24))
def test_what_is_hostile_gets_a_sentence_and_does_nothing(hostile: str, server: Served, tmp_path: Path) -> None:
    mark = tmp_path / "made"
    request, says = HOSTILE[hostile]
    status, answer = server.ask(request(mark))
    assert status == 200
    assert re.search(says, answer["problem"] or answer["closing"])
    assert "Traceback" not in str(answer)
    assert not list(tmp_path.iterdir())


def test_another_program_that_is_dropped_cannot_end_the_server(server: Served) -> None:
    status, answer = server.ask(file("a.py", "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n"))
    assert (status, answer["lines"]) == (200, [])
    assert server.ask(WRONG_LINE)[0] == 200


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({"Host": "evil.example"}, 403, "the host is 'evil.example'"),
        ({"Origin": "http://evil.example"}, 403, "the origin is 'http://evil.example'"),
        ({"Origin": "null"}, 403, "the origin is 'null'"),
        ({"Origin": ""}, 403, "the origin is missing"),
        ({"Sec-Fetch-Site": "cross-site"}, 403, "another site asked"),
        ({"X-Key": "guessed"}, 403, "the key is missing or wrong"),
        ({"X-Key": ""}, 403, "the key is missing or wrong"),
        ({"Content-Type": "text/plain"}, 415, "the content is text/plain"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415, "expected application/json"),
        ({"Transfer-Encoding": "chunked"}, 411, "the length is missing"),
        ({"Content-Length": "99999999"}, 413, "the request has 99999999 bytes"),
    ],
)
def test_nobody_else_is_answered(change: dict[str, str], status: int, says: str, server: Served) -> None:
    got, answer = server.ask(WRONG_LINE, **change)
    assert got == status
    assert says in answer["problem"]


def test_the_page_needs_its_key_and_no_method_but_its_own(server: Served) -> None:
    assert server.send("GET", "/")[0] == 403
    assert server.send("GET", server.path, Host="evil.example")[0] == 403
    status, page = server.send("GET", server.path)
    assert (status, "Is my derivation right?" in page) == (200, True)
    assert server.send("GET", "/../work.py")[0] == 404
    assert server.send("OPTIONS", "/judge", **server.headers)[0] == 501
    assert server.send("POST", "/other", "{}", **server.headers)[0] == 404


def test_every_answer_forbids_what_the_page_does_not_need(server: Served) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 10) as asked:
        asked.sendall(f"GET /script.js HTTP/1.0\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
        head = asked.makefile("rb").read().partition(b"\r\n\r\n")[0].decode()
    assert "Content-Security-Policy: default-src 'none'; script-src 'self';" in head
    assert "X-Content-Type-Options: nosniff" in head
    assert "Access-Control" not in head


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([], "the request is a list, expected an object"),
        ({}, "no text and no content, or both"),
        ({"text": "x", "content": "eA=="}, "no text and no content, or both"),
        ({"text": 3}, "the request has text, expected one of name, text"),
        ({"text": "x", "seed": 3}, "the request has seed, expected one of"),
        ({"text": "x", "net": ["4-5-3"]}, "the request has net, expected one of"),
        ({"text": "x", "setting": "nowhere"}, "setting is 'nowhere'"),
        ({"name": "a.sh", "text": "x"}, "the file is 'a.sh', expected one that ends with .txt"),
        ({"name": "a.npz", "content": "no base64!"}, "the file cannot be read"),
        ({"text": "\ud800"}, "the file cannot be read"),
    ],
)
def test_a_request_that_is_none_is_refused(data: Any, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        read(data)


@pytest.mark.parametrize(
    ("data", "says"),
    sliced(
        [
            ({"text": "dW2 = dZ2 @ A1.T / m", "net": "4-5-3 relu,softmax"}, "1 judged: 1 holds"),
            ({"text": "dW2 = dZ2 @ A1.T", "net": "4-5-3 relu,softmax", "l2": "reg/2*W^2"}, "1 judged: 1 wrong"),
            ({"text": "dW1 = dZ1 @ X.T", "net": "", "setting": "shallow", "l2": False}, "1 judged: 1 wrong"),
            (
                {"name": "n.md", "text": r"$$dZ^{[1]} = W^{[2]T} dZ^{[2]} * (1 - H^2)$$", "let": "H=A1"},
                "1 judged: 1 holds",
            ),
            ({"text": "x = 3", "call": "f()"}, "--call belongs to programs"),
            ({"text": "x = 3", "let": "H=A1"}, "--let belongs to notes"),
            ({"name": "a.npz", "content": "eA==", "net": "4-5-3"}, "--net says nothing about numbers"),
            (
                {"text": "dW1 = X", "net": "4-5-3 relu,softmax", "l2": True},
                "--l2 without a formula belongs to settings",
            ),
        ],
        6,
    ),
)
def test_a_request_has_the_flags_of_verify(data: dict[str, Any], says: str, tmp_path: Path) -> None:
    found = answered(read(data), tmp_path)
    assert (found.get("closing") or found["problem"]).startswith(says)


def test_a_name_stays_in_its_folder() -> None:
    assert read({"name": "../../etc/my net.txt", "text": "x"}).name == "my net.txt"
    assert read({"name": "C:\\notes\\a.md", "text": "x"}).name == "a.md"
    assert read({"name": "..\0.txt", "text": "x"}).name == "file.txt"


@pytest.mark.slow
@LINUX
def test_a_slow_request_blocks_no_other_and_ctrl_c_leaves_no_process(tmp_path: Path) -> None:
    with served(tmp_path) as running:
        slow: list[Any] = []

        def ask() -> None:
            with suppress(ConnectionError, http.client.HTTPException):  # ended with the server
                slow.append(running.ask(SLEEPS))

        asking = threading.Thread(target=ask)
        asking.start()
        _until(running.runs_a_file)
        assert running.ask(WRONG_LINE)[1]["closing"] == "1 judged: 1 wrong; not judged: none."
        assert not slow
        assert running.runs_a_file()
        assert running.end() == (GOOD, "Ctrl-C ends it.\n")
        _until(lambda: not running.left())
        asking.join(10)
    assert [each for each in tmp_path.iterdir() if "serve" in each.name] == []


@LINUX
def test_who_hangs_up_is_worked_for_no_longer(server: Served) -> None:
    body = str(SLEEPS).replace("'", '"').encode()
    head = "".join(f"{name}: {value}\r\n" for name, value in server.headers.items())
    with socket.create_connection(("127.0.0.1", server.port), 10) as asked:
        host = f"Host: 127.0.0.1:{server.port}\r\nContent-Length: {len(body)}\r\n"
        asked.sendall(f"POST /judge HTTP/1.0\r\n{host}{head}\r\n".encode() + body)
        _until(server.runs_a_file)
    _until(lambda: not server.runs_a_file())


def _until(done: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.slow
def test_an_answer_has_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving, "SECONDS", 0.0)
    monkeypatch.setattr(work, "LOOK", 0.0)  # before the answer can be there
    with pytest.raises(work.EndedError, match="derivation took more than 0 seconds and was ended"):
        work.Processes().answer(Given("derivation", b"dW1 = dZ1", Flags("shallow")))


def test_too_many_at_a_time_are_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "MOST", 1)
    monkeypatch.setattr(work, "PATIENCE", 0.01)
    processes = work.Processes()
    processes._turns.acquire()
    with pytest.raises(work.BusyError, match="1 requests are worked on already"):
        processes.answer(Given("derivation.txt", b"dW1 = dZ1"))


@pytest.mark.parametrize("example", sliced(EXAMPLES, 6), ids=lambda each: each.title)
def test_examples_are_judged_whole_and_one_holds(example: Example, tmp_path: Path) -> None:
    flags = Flags(example.setting or None, example.l2)
    found = answered(Given("derivation.txt", example.text.encode(), flags), tmp_path)
    verdicts = [line["verdict"] for line in found["lines"]]
    assert set(verdicts) <= {HOLDS, WRONG, "no claim"}
    assert (WRONG in verdicts) == (example.title != "The same, right")
    assert all(line["repaired"] for line in found["lines"] if line["verdict"] == WRONG)


def test_a_graph_has_the_values_and_the_derivatives_of_the_text(tmp_path: Path) -> None:
    text = "Z = W @ X + b\nA = 1 / (1 + np.exp(-Z))\nJ = np.sum((A - Y)**2) / 2\ndA = A - Y\n"
    nodes = {node["name"]: node for node in answered(Given("derivation.txt", text.encode()), tmp_path)["graph"]}
    assert {name: (node["from"], node["rank"]) for name, node in nodes.items()} == {
        "W": ([], 0), "X": ([], 0), "b": ([], 0), "Z": (["W", "X", "b"], 1), "A": (["Z"], 2), "Y": ([], 2),
        "J": (["A", "Y"], 3),
    }  # fmt: skip
    A, Y = nodes["A"], nodes["Y"]
    assert A["value"] == pytest.approx(1 / (1 + np.exp(-nodes["Z"]["value"])))
    assert A["slope"] == pytest.approx(A["value"] - Y["value"]) == pytest.approx(-Y["slope"])
    assert nodes["Z"]["slope"] == pytest.approx(A["slope"] * A["value"] * (1 - A["value"]))
    assert (nodes["J"]["shape"], nodes["J"]["slope"]) == ([], 1)


@pytest.mark.parametrize(
    ("name", "text", "setting"),
    [
        ("derivation.txt", "dW1 = dZ1 @ X.T", "shallow"),
        ("derivation.txt", "dW1 = dZ1 @ X.T", ""),
        ("notes.md", "$$dZ^{[2]} = A^{[2]} - Y$$", ""),
    ],
)
def test_what_has_no_forward_pass_has_no_graph(name: str, text: str, setting: str, tmp_path: Path) -> None:
    assert answered(Given(name, text.encode(), Flags(setting or None)), tmp_path)["graph"] == []


def test_numbers_need_a_setting_and_formulas_are_optional(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = answered(Given("run.npz", npz(X=np.ones((2, 3)))), tmp_path)
    assert found["problem"] == "expected a setting with numbers: it says what J is"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    found = answered(Given("derivation.txt", b"dW1 = dZ1 @ X.T", Flags("shallow")), tmp_path)
    assert (found["lines"][0]["verdict"], found["lines"][0]["formula"]) == (WRONG, "")


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_a_port_that_is_none(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serve", "--port", port, "--no-browser"]) == USAGE
    assert f"port is {port}, expected 0 to 65535" in capsys.readouterr().err


def test_a_port_that_is_taken(server: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serve", "--port", str(server.port), "--no-browser"]) == USAGE
    assert f"port is {server.port}, expected a free one" in capsys.readouterr().err
