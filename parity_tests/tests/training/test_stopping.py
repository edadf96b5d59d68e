"""What every command does alike: Ctrl-C leaves what is done, --quiet says little, a pipe gets plain text."""

from __future__ import annotations

import argparse
import importlib
import io
import json
import os
import re
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from manual import __main__ as manual_main
from manual.files import load_about, load_checkpoint
from manual.shared.cli import Terminated, Work, console, guarded
from parity_tests import cli as parity_main
from parity_tests.tests.slices import sliced
from torch_ref import __main__ as torch_main

ROOT = Path(__file__).parents[3]

MAINS: dict[str, Callable[[list[str]], int]] = {
    "manual": manual_main.main,
    "torch_ref": torch_main.main,
    "parity_tests": parity_main.main,
}

ALL_COMMANDS = [
    *(("manual", name) for name in manual_main.COMMANDS),
    *(("torch_ref", name) for name in torch_main.COMMANDS),
    *(("parity_tests", name) for name in parity_main.COMMANDS),
]

WITHOUT_JSON = {("parity_tests", "report"), ("parity_tests", "serve")}
"""Commands that print no data: one writes files, one serves a page."""

QUICK = [
    ("manual", ["shapes"], "parameters"),
    ("manual", ["graph"], "J = "),
    ("manual", ["train", "--epochs", "2", "--hidden", "8"], "test: "),
    ("torch_ref", ["search", "--draws", "2", "--epochs", "1", "--dataset", "wine"], "draws exploded"),
    ("parity_tests", ["-k", "costs.l2", "--jobs", "1"], "0 fail"),
    ("parity_tests", ["verify", "dW1 = (1/m) * dZ1 @ X.T", "--setting", "shallow"], "1 judged: 1 holds"),
    ("parity_tests", ["faults", "-k", "sign of db"], "2 of 2 caught"),
    ("parity_tests", ["conventions", "-k", "average_padding"], "every translation is exact"),
    ("parity_tests", ["index", "-k", "F098"], "1 formulas"),
    ("parity_tests", ["notes", "-k", "F001", "--jobs", "1"], "0 rows are refuted"),
    ("parity_tests", ["seeds", "--count", "1", "-k", "costs.l2", "--jobs", "1"], "0 false alarms"),
]
"""Commands that take a moment, and part of their closing line."""

NAMES = [f"{package} {words[0]}" for package, words, _ in QUICK]


@pytest.mark.parametrize(("package", "name"), ALL_COMMANDS, ids=[" ".join(each) for each in ALL_COMMANDS])
def test_every_command_has_the_same_flags_of_output(package: str, name: str) -> None:
    parser = argparse.ArgumentParser()
    importlib.import_module(f"{package}.commands.{name}").configure(parser)
    help_of = {flag: action.help or "" for action in parser._actions for flag in action.option_strings}
    assert help_of["--quiet"] == "print what fails and the closing line alone"
    if (package, name) not in WITHOUT_JSON:
        assert help_of["--json"].startswith("print JSON instead of ")


@pytest.mark.parametrize(("package", "words", "closing"), QUICK, ids=NAMES)
def test_quiet_prints_the_closing_line_alone(
    package: str, words: list[str], closing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert MAINS[package]([*words, "--quiet"]) == 0
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert closing in lines[-1]
    assert len(lines) <= 2  # some close with two
    assert shown.err == ""


@pytest.mark.parametrize(("package", "words"), [each[:2] for each in QUICK], ids=NAMES)
def test_a_pipe_gets_plain_text(package: str, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert MAINS[package](words) == 0
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) > 1
    assert not set("\x1b\r─━│┃…") & set(shown.out)
    assert shown.err == ""  # no bar either
    assert MAINS[package]([*words, "--json", "--quiet"]) == 0
    data = capsys.readouterr().out
    for text in data.splitlines() if words[0] == "train" else [data]:
        json.loads(text)


class Screen(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_no_color_is_respected_on_a_terminal(no_color: str, coloured: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("NO_COLOR", no_color), ("TERM", "xterm-256color"), ("COLUMNS", "60")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    out, errors = Screen(), Screen()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", errors)
    assert manual_main.main(["shapes"]) == 0
    assert ("\x1b[" in out.getvalue()) is coloured
    assert "…" not in out.getvalue()  # 60 columns are too few for the table, and nothing of it is cut
    assert "avgpool2" in out.getvalue()
    assert manual_main.main(["train", "--epochs", "1", "--hidden", "8"]) == 0
    assert ("\x1b[1;" in errors.getvalue() or "\x1b[3" in errors.getvalue()) is coloured
    assert "\x1b[2K" in errors.getvalue()  # the bar, which is drawn in any case


@pytest.mark.parametrize("flags", [[], ["--quiet"]])
def test_a_terminal_sees_that_a_derivation_is_judged(flags: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    errors = Screen()
    monkeypatch.setattr(sys, "stderr", errors)
    assert parity_main.main(["verify", "dW1 = (1/m) * dZ1 @ X.T", "--setting", "shallow", *flags]) == 0
    assert ("judging" in errors.getvalue()) is (not flags)


def test_long_lines_stay_whole_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    console().print("word " * 100)
    assert capsys.readouterr().out.count("\n") == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_command_without_a_traceback(number: signal.Signals, code: int) -> None:
    line = f"import os, sys; from manual.shared import cli; cli.execute = lambda _: os.kill(os.getpid(), {number:d})"
    line += "; sys.argv = ['', 'shapes']; from manual.__main__ import main; sys.exit(main())"
    done = subprocess.run([sys.executable, "-c", line], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "python -m manual: interrupted\n")


def ended_after(count: int, error: type[KeyboardInterrupt] = KeyboardInterrupt) -> Generator[int, None, None]:
    """Numbers, until somebody presses Ctrl-C."""
    yield from range(count)
    raise error


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt, 130), (Terminated, 143)])
def test_parts_that_are_done_are_kept(
    error: type[KeyboardInterrupt], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    work = Work()

    def run() -> int:
        assert work.gather("parts", ended_after(3, error), 7) == [0, 1, 2]
        work.json({"found": 3}, indent=None)
        work.json([1], indent=None)
        return 0

    assert guarded("program", run, work) == code
    shown = capsys.readouterr()
    assert shown.err == "program: stopped after 3 of 7 parts\n"
    mapping, sequence = shown.out.splitlines()
    assert json.loads(mapping) == {"found": 3, "stopped": "after 3 of 7 parts"}
    assert json.loads(sequence) == [1, {"stopped": "after 3 of 7 parts"}]


def test_where_nothing_is_done_the_command_ends(capsys: pytest.CaptureFixture[str]) -> None:
    work = Work()
    assert guarded("program", lambda: len(work.gather("parts", ended_after(0), 7)), work) == 130
    assert capsys.readouterr().err == "program: interrupted\n"
    assert work.stopped == ""


def test_work_that_is_not_stopped_is_not_marked(capsys: pytest.CaptureFixture[str]) -> None:
    work = Work()
    assert work.gather("parts", (each for each in range(3)), 3) == [0, 1, 2]
    work.json({"found": 3}, indent=None)
    assert json.loads(capsys.readouterr().out) == {"found": 3}


class Stop(NamedTuple):
    """A command, what in it is interrupted at which call, and what it then says."""

    package: str
    words: tuple[str, ...]
    target: str
    call: int
    says: str


STOPS = {
    "compare": Stop(
        "parity_tests", ("-k", "logistic/", "--jobs", "1"), "parity_tests.comparison.run.run_unit", 2, "after 1 of "
    ),
    "train": Stop(
        "manual", ("train", "--epochs", "9", "--hidden", "8"), "manual.training.Learner.begin_epoch", 4, "after 2 of 9"
    ),
    "recipe": Stop(
        "manual", ("recipe", "--draws", "1"), "manual.recipe.run.first_loss", 1, "after step 3, initialisation"
    ),
}


@pytest.mark.parametrize("as_json", sliced([False, True], 2), ids=["table", "json"])
@pytest.mark.parametrize("name", STOPS)
def test_ctrl_c_leaves_what_is_done(
    name: str, as_json: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    package, words, target, call, says = STOPS[name]
    calls = interrupted(monkeypatch, target, call)
    assert MAINS[package]([*words, *(["--json"] if as_json else [])]) == 130
    assert next(calls) >= call
    shown = capsys.readouterr()
    assert f"python -m {package}: stopped {says}" in shown.err
    assert shown.err.count("\n") == 1
    if as_json:
        data = json.loads(shown.out.splitlines()[-1] if name == "train" else shown.out)
        mark = data[-1]["stopped"] if isinstance(data, list) else data["stopped"]
        assert mark.startswith(says)
    else:
        assert len(shown.out.splitlines()) > 1


def interrupted(monkeypatch: pytest.MonkeyPatch, target: str, call: int) -> Iterator[int]:
    """Ctrl-C at so manieth call of a function; yields how often it was called."""
    place, _, name = target.rpartition(".")
    owner = monkeypatch_owner(place)
    right, count = getattr(owner, name), 0

    def once(*args: Any, **options: Any) -> Any:
        nonlocal count
        count += 1
        if count == call:
            raise KeyboardInterrupt
        return right(*args, **options)

    monkeypatch.setattr(owner, name, once)

    def counted() -> Iterator[int]:
        yield count

    return counted()


def monkeypatch_owner(place: str) -> Any:
    """A module, or a class in one."""
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError:
        module, _, name = place.rpartition(".")
        return getattr(importlib.import_module(module), name)


def test_a_training_that_was_stopped_keeps_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, saved = tmp_path / "kept", tmp_path / "net.safetensors"
    words = ["train", "--epochs", "5", "--hidden", "8", "--quiet", "--checkpoint", str(kept), "--save", str(saved)]
    with monkeypatch.context() as at:
        interrupted(at, "manual.training.Learner.begin_epoch", 4)
        assert manual_main.main(words) == 130
    says = f"after 2 of 5 epochs; --checkpoint {kept} --resume goes on"
    assert capsys.readouterr().err == f"python -m manual: stopped {says}\n"
    found = load_checkpoint(kept)
    assert found is not None
    assert found.progress["run"]["epoch"] == 2
    assert load_about(saved)["stopped"] == says
    assert manual_main.main([*words, "--resume"]) == 0
    assert "stopped" not in load_about(saved)


WITH_PROCESSES = {
    "forked": (["parity_tests", "-k", "shallow/", "--dtype", "both", "--jobs", "2"], rb"[1-4]/8"),
    "joblib": (["parity_tests", "seeds", "--count", "400", "-k", "dense", "--jobs", "2"], rb"[4-9]/"),
}
"""Commands whose work is shared by processes, and what their bar shows when some of it is done, but far from all."""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("name", WITH_PROCESSES)
def test_a_real_ctrl_c_ends_all_processes(name: str) -> None:
    import pty

    words, seen = WITH_PROCESSES[name]
    terminal, inside = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=ROOT,
        env=environment,
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
    )
    os.close(inside)
    text, pressed = b"", False
    until = time.monotonic() + 90
    while time.monotonic() < until:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                text += os.read(terminal, 65536)
            except OSError:  # the last one has closed it
                break
        if re.search(seen, text) and not pressed:
            pressed = True
            os.killpg(process.pid, signal.SIGINT)  # to all processes, as a terminal does
    os.close(terminal)
    try:
        assert process.wait(10) == 130
        assert b"stopped after" in text
        assert b"Traceback" not in text
        until = time.monotonic() + 2  # joblib's own keeper of files ends when it sees that its parent has
        while members(process.pid) and time.monotonic() < until:
            time.sleep(0.02)
        assert not members(process.pid)
    finally:
        for member in members(process.pid):
            os.kill(member, signal.SIGKILL)


def members(session: int) -> list[int]:
    """The processes of a session that are alive."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, _, _, its_session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(its_session) == session and state != "Z":
            found.append(int(folder.name))
    return found


PRINTS = """
import sys
from manual.shared import cli
sys.exit(cli.guarded("program", lambda: print("line\\n" * {lines}) or 1, cli.Work()))
"""
"""A command that prints, and whose exit code is 1."""

FULL = "[Errno 28] No space left on device\n"

BUFFERED = {**os.environ, "PYTHONUNBUFFERED": ""}
"""As a shell has it: of what is not buffered, argparse drops the errors."""


def run_printing(command: str, redirected: str) -> subprocess.CompletedProcess[str]:
    """The command, from a shell."""
    return subprocess.run(
        ["sh", "-c", f"{command} {redirected}"], cwd=ROOT, env=BUFFERED, capture_output=True, text=True
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
@pytest.mark.parametrize(
    ("lines", "redirected", "code", "said"),
    [
        (3, "> /dev/full", 2, f"program: {FULL}"),
        (30_000, "> /dev/full", 2, f"program: {FULL}"),
        (3, "> /dev/full 2> /dev/full", 2, ""),
        (3, "> /dev/null", 1, ""),
    ],
)
def test_output_that_cannot_be_written(lines: int, redirected: str, code: int, said: str) -> None:
    done = run_printing(shlex.join([sys.executable, "-c", PRINTS.format(lines=lines)]), redirected)
    assert (done.returncode, done.stderr) == (code, said)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
@pytest.mark.parametrize(
    ("words", "redirected", "code", "said"),
    sliced(
        [
            ("shapes", ">&-", 0, ""),
            ("shapes", "2>&-", 0, ""),
            ("shapes", "<&- >&- 2>&-", 0, ""),
            ("--help", "> /dev/full", 2, f"python -m manual: {FULL}"),
        ],
        4,
    ),
)
def test_streams_that_are_closed_or_full(words: str, redirected: str, code: int, said: str) -> None:
    done = run_printing(f"{shlex.quote(sys.executable)} -m manual {words}", redirected)
    assert (done.returncode, done.stderr) == (code, said)


@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_what_a_command_starts_has_streams_too(closed: str, tmp_path: Path) -> None:
    code = (
        "import subprocess, sys\nfrom manual.shared import cli\n"
        "sys.modules['c.d'] = type(sys)('c.d')\n"
        "child = \"import sys; sys.stdout.write('x'); sys.stderr.write('y')\"\n"
        "run = lambda args: subprocess.run([sys.executable, '-c', child]).returncode\n"
        "sys.modules['c.d'].configure = lambda parser: (cli.quiet_flag(parser), parser.set_defaults(run=run))\n"
        "sys.argv = ['c', 'd']\nsys.exit(cli.run_commands('c', '', '', 'c', {'d': ''}))"
    )
    assert run_printing(shlex.join([sys.executable, "-c", code]), closed).returncode == 0


@pytest.mark.parametrize(
    "words", sliced(["shapes", "shapes --json", "train --epochs 2 --json", "--help", "shapes --help"], 5)
)
def test_a_reader_that_has_gone_is_no_mismatch(words: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        command = [sys.executable, "-m", "manual", *words.split()]
        done = subprocess.run(command, cwd=ROOT, env=BUFFERED, stdout=pipe, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (141, "")
