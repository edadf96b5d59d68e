"""Files that a person may give: whatever they do, one sentence or an answer, and nothing is left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from parity_tests.apart import MIB, Limits, prepared, run_apart, supervisor
from parity_tests.apart.run import ROOT
from parity_tests.apart.supervisor import Process
from parity_tests.cli import main
from parity_tests.tests.slices import sliced

SUBJECT = "parity_tests.tests.derivations.apart_subject"
QUICK = Limits(seconds=10, memory=256 * MIB, file=MIB, processes=8)

HOSTILE = {
    "loops for ever": ("while True:\n    pass\n", "ran for more than 0.4 seconds and was ended"),
    "sleeps": ("import time\ntime.sleep(100)\n", "ran for more than 0.4 seconds and was ended"),
    "leaves by os._exit": ("import os\nos._exit(0)\n", "could not be run: exit code 0 in place of an answer"),
    "leaves by sys.exit": ("import sys\nsys.exit()\n", "raised SystemExit in line 2: it ends itself"),
    "kills itself": ("import os\nos.kill(os.getpid(), 9)\n", "could not be run: ended by SIGKILL"),
    "kills its group": ("import os\nos.killpg(0, 9)\n", "could not be run: ended by SIGKILL"),
    "kills its parent": ("import os, time\nos.kill(os.getppid(), 9)\ntime.sleep(100)\n", "ended by SIGKILL"),
    "crashes": ("import ctypes\nctypes.string_at(0)\n", "could not be run: ended by SIGSEGV"),
    "is no Python": ("def broken(:\n", "raised SyntaxError in line 1: invalid syntax"),
    "has null bytes": ("x = 1\0\n", "raised SyntaxError: source code string cannot contain null bytes"),
    "is not UTF-8": ("x = '\udcff'\n", "raised SyntaxError"),
    "imports what is missing": ("\nimport nowhere_at_all\n", "in line 2: No module named 'nowhere_at_all'"),
    "recurses": ("def f():\n    f()\nf()\n", "raised RecursionError in line 2: maximum recursion depth exceeded"),
    "asks": ("input('name? ')\n", "raised EOFError in line 1: nobody is there to answer input()"),
    "is interrupted": ("raise KeyboardInterrupt\n", "raised KeyboardInterrupt in line 1"),
    "raises what cannot be printed": (
        "class Mute(Exception):\n    def __str__(self):\n        raise self\nraise Mute\n",
        "raised Mute in line 4: it has no words",
    ),
    "raises a book": ("raise ValueError('x' * 10**6)\n", "raised ValueError in line 1: xxx"),
    "eats memory": ("x = []\nwhile True:\n    x.append(bytearray(10**7))\n", "it may not use so much memory"),
    "eats memory in children": (
        "import os, time\nfor _ in range(4):\n    if not os.fork():\n        x = bytearray(10**8)\n"
        "        time.sleep(100)\ntime.sleep(100)\n",
        "used more than 0.25 GB of memory and was ended",
    ),
    "forks again and again": (
        "import os, time\nfor _ in range(30):\n    if not os.fork():\n        os.setsid()\n        time.sleep(5)\n"
        "        os._exit(0)\n",
        "in line 3: it would start more than 8 processes",
    ),
    "starts what forks": (
        "import subprocess\nsubprocess.run(['sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9; do sleep 100 & done; wait'])\n",
        "started more than 8 processes and was ended",
    ),
    "reaches the network": (
        "import socket\nsocket.create_connection(('127.0.0.1', 9))\n",
        "in line 2: it would reach the network, which is off here",
    ),
    "writes": ("open('mine.txt', 'w')\n", "in line 1: it would change mine.txt: files are only read here"),
    "writes by number": ("import os\nos.open('mine.txt', os.O_CREAT)\n", "it would change mine.txt"),
    "removes itself": ("import os\nos.remove(__file__)\n", "it would change subject.py"),
    "makes a folder": ("import pathlib\npathlib.Path('new').mkdir()\n", "it would change new"),
    "renames itself": ("import os\nos.rename(__file__, 'other.py')\n", "it would change subject.py"),
    "removes its folder": ("import shutil, os\nshutil.rmtree(os.getcwd())\n", "files are only read here"),
    "fills the disk": (
        "import tempfile\nfile = tempfile.TemporaryFile()\nwhile True:\n    file.write(bytes(10**6))\n",
        "raised OSError in line 4: [Errno 27] File too large",
    ),
    "returns no JSON": ("def answer():\n    return {1, 2}\n", "raised TypeError: Object of type set is not JSON"),
}
"""What a file does: the file, and the sentence."""

RIGHT = {
    "prints much": "import sys\nfor _ in range(200):\n    print('x' * 10**6)\n    sys.stderr.write('y' * 10**6)\n",
    "has a thread that goes on": ("import threading, time\nthreading.Thread(target=time.sleep, args=(100,)).start()\n"),
    "leaves a child": "import subprocess\nsubprocess.Popen(['sleep', '100'])\n",
    "leaves a child in a session of its own": (
        "import subprocess\nsubprocess.Popen(['sleep', '100'], start_new_session=True, env={})\n"
    ),
    "leaves an orphan": (
        "import os, time\nif not os.fork():\n    os.setsid()\n    if not os.fork():\n        time.sleep(100)\n"
        "    os._exit(0)\n"
    ),
    "forks, and both go on": "import os\nos.fork()\n",
    "uses a pool": "import multiprocessing\nwith multiprocessing.get_context('fork').Pool(2) as pool:\n"
    "    assert pool.map(abs, [-1, 2]) == [1, 2]\n",
    "has temporary files": (
        "import tempfile\nwith tempfile.TemporaryDirectory() as folder:\n    open(folder + '/a', 'w').close()\n"
        "kept = tempfile.mkdtemp()\nopen(kept + '/b', 'w').write('b')\n"
    ),
    "looks at its arguments": "import sys\nassert sys.argv == [__file__]\n",
    "has a dataclass": (
        "from __future__ import annotations\nimport dataclasses\n@dataclasses.dataclass\nclass Net:\n    n: int\n"
    ),
    "reads itself, and nothing else": "import os\nopen(__file__).read()\nopen(os.devnull, 'w').write('x')\n",
}
"""Files that are right, whatever else they do: an answer."""


@pytest.fixture
def subject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of a file to run, with a folder for temporary files beside its own."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder / "subject.py"


def nothing_is_left(subject: Path) -> None:
    """No process that has to do with the file's folder, no temporary file, and the file as it was."""
    assert [each.name for each in subject.parent.iterdir()] == [subject.name]
    assert list(Path(tempfile.gettempdir()).iterdir()) == []
    assert processes_in(subject.parent) == []


def processes_in(folder: Path) -> list[str]:
    """The processes whose working folder this is; one that has been ended has no command line any more."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(each / "cwd") == str(folder):
                found += [text] if (text := (each / "cmdline").read_text()) else []
        except OSError:  # it has ended
            continue
    return found


@pytest.mark.parametrize("kind", sliced(HOSTILE, 6))
def test_a_hostile_file_gets_one_sentence_and_leaves_nothing(kind: str, subject: Path) -> None:
    text, sentence = HOSTILE[kind]
    subject.write_text(text, errors="surrogateescape")
    limits = QUICK._replace(seconds=0.4) if "0.4 seconds" in sentence else QUICK
    with pytest.raises(ValueError) as refusal:
        run_apart(subject, SUBJECT, (), limits)
    assert str(refusal.value).startswith("subject.py ")
    assert sentence in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 400
    nothing_is_left(subject)


def test_no_time_passes_while_others_have_the_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([0.0, 10.0, 20.0, 30.0, 31.0, 24.0 * supervisor.LATEST, 24.0 * supervisor.LATEST + 0.1])
    monkeypatch.setattr(time, "monotonic", lambda: next(now))
    clock = supervisor.Clock()
    clock.tick({1: Process(0, 2.0, True), 2: Process(0, 1.0, False)})
    assert clock.seconds == 3.0  # of ten: others had the processor
    clock.tick({1: Process(0, 2.0, False)})
    assert clock.seconds == 13.0  # it sleeps; what the other did is no longer counted
    clock.tick({1: Process(0, 40.0, True)})
    assert clock.seconds == 23.0  # two threads at once take no longer than the clock
    clock.tick({})
    assert clock.seconds == 24.0
    assert clock.is_over(23.9)
    assert not clock.is_over(24.0)
    clock.tick({1: Process(0, 0.0, True)})
    assert clock.seconds == 24.0
    assert not clock.is_over(24.0)
    clock.tick({1: Process(0, 0.0, True)})
    assert clock.seconds == 24.0
    assert clock.is_over(24.0)  # the others have had too much


@pytest.mark.parametrize("kind", RIGHT)
def test_a_right_file_is_answered_and_leaves_nothing(kind: str, subject: Path) -> None:
    subject.write_text(f"{RIGHT[kind]}\ndef answer(word):\n    return [1.5, word]\n")
    assert run_apart(subject, SUBJECT, ("two",), QUICK) == {"value": [1.5, "two"]}
    nothing_is_left(subject)


@pytest.mark.parametrize("kind", ["loops for ever", "leaves by sys.exit", "kills its parent", "starts what forks"])
def test_a_hostile_file_ends_alike_where_nothing_can_be_forked(
    kind: str, subject: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "POSSIBLE", False)
    test_a_hostile_file_gets_one_sentence_and_leaves_nothing(kind, subject)


@pytest.mark.parametrize("kind", ["leaves an orphan", "prints much", "looks at its arguments"])
def test_a_right_file_is_answered_alike_where_nothing_can_be_forked(
    kind: str, subject: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "POSSIBLE", False)
    test_a_right_file_is_answered_and_leaves_nothing(kind, subject)


@pytest.mark.skipif(not prepared.POSSIBLE, reason="nothing is forked here")
def test_files_share_an_import_and_nothing_else(subject: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subject.write_text(
        "import os, json, tempfile\n"
        "def answer():\n"
        "    assert os.environ['GIVEN'] == 'first' or 'ONCE' not in os.environ\n"
        "    found = [getattr(json, 'left', 0), os.environ['GIVEN'], os.getcwd(), tempfile.gettempdir()]\n"
        "    json.left = os.environ['GIVEN'] = 'over'\n"
        "    grandparent = open(f'/proc/{os.getppid()}/stat').read().rpartition(')')[2].split()[1]\n"
        "    return [*found, grandparent]\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(subject.parent))  # a process of its own, started with both
    monkeypatch.setenv("ONCE", "there when it was started")
    monkeypatch.setenv("GIVEN", "first")
    first = run_apart(subject, SUBJECT, (), QUICK)["value"]
    monkeypatch.setenv("GIVEN", "second")
    monkeypatch.delenv("ONCE")
    second = run_apart(subject, SUBJECT, (), QUICK)["value"]
    assert first[:3] == [0, "first", str(subject.parent)]
    assert second[:3] == [0, "second", str(subject.parent)]
    assert first[3] != second[3]
    assert first[4] == second[4]
    nothing_is_left(subject)


def test_sets_of_words_have_the_same_order_every_time(subject: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subject.write_text("def answer():\n    return list({'some', 'words', 'in', 'no', 'order', 'at', 'all'})\n")
    monkeypatch.setattr(prepared, "POSSIBLE", False)  # each time a process of its own
    found = set()
    for seed in ("1", "2"):
        monkeypatch.setenv("PYTHONHASHSEED", seed)
        found.add(tuple(run_apart(subject, SUBJECT, (), QUICK)["value"]))
    assert len(found) == 1


@pytest.mark.parametrize("possible", [False, prepared.POSSIBLE])
def test_a_search_path_is_meant_from_where_it_is_called(
    possible: bool, subject: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "found_here.py").write_text("value = 7\n")
    subject.write_text("import found_here\ndef answer():\n    return found_here.value\n")
    monkeypatch.setattr(prepared, "POSSIBLE", possible)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", "mine")
    assert run_apart(subject, SUBJECT, (), QUICK) == {"value": 7}


@pytest.mark.skipif(not prepared.POSSIBLE, reason="nothing is forked here")
def test_what_a_file_ends_is_there_for_the_next(subject: Path) -> None:
    ends = "import os\nos.kill(int(open(f'/proc/{os.getppid()}/stat').read().rpartition(')')[2].split()[1]), 9)\n"
    for _ in range(2):
        subject.write_text(f"{ends}def answer():\n    return 1\n")
        assert run_apart(subject, SUBJECT, (), QUICK) == {"value": 1}
        subject.write_text("def answer():\n    return 2\n")
        assert run_apart(subject, SUBJECT, (), QUICK) == {"value": 2}


@pytest.mark.skipif(not prepared.POSSIBLE, reason="nothing is forked here")
def test_a_file_that_ends_its_parents_group_ends_nothing_of_others(subject: Path) -> None:
    asks = (
        "import os\ndef answer():\n    return open(f'/proc/{os.getppid()}/stat').read().rpartition(')')[2].split()[1]\n"
    )
    subject.write_text(asks)
    before = run_apart(subject, SUBJECT, (), QUICK)
    subject.write_text("import os, time\nos.killpg(os.getpgid(os.getppid()), 9)\ntime.sleep(100)\n")
    with pytest.raises(ValueError, match="ended by SIGKILL"):
        run_apart(subject, SUBJECT, (), QUICK)
    subject.write_text(asks)
    assert run_apart(subject, SUBJECT, (), QUICK) == before


SAID = """
import os, sys
from parity_tests.apart.prepared import Fork, Request
Fork(Request(["nowhere", "8", "no_runner", "no_file"], {}, sys.argv[1], dict(os.environ)))
os.kill(os.getpid(), 9)
"""
"""A supervisor that is ended before it can say anything."""


@pytest.mark.skipif(not prepared.POSSIBLE, reason="forks")
def test_the_worker_says_its_group_before_the_file_can_end_whoever_started_it(tmp_path: Path) -> None:
    words = [sys.executable, "-c", SAID, str(tmp_path)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == -signal.SIGKILL
    assert int(done.stdout) > 1


def test_a_file_sees_its_siblings_and_hands_over_what_is_large(subject: Path, tmp_path: Path) -> None:
    (subject.parent / "sibling.py").write_text("half = 0.5\n")
    subject.write_text(
        "import sibling\ndef answer(place):\n    open(place, 'w').write('large')\n    return sibling.half\n"
    )
    handed = tmp_path / "handed"
    handed.mkdir()
    assert run_apart(subject, SUBJECT, (str(handed / "over.txt"),), QUICK, handed) == {"value": 0.5}
    assert (handed / "over.txt").read_text() == "large"
    assert sorted(each.name for each in subject.parent.iterdir()) == ["sibling.py", "subject.py"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_whoever_calls_is_ended_in_the_middle(how: signal.Signals, subject: Path) -> None:
    subject.write_text("import subprocess\nsubprocess.run(['sleep', '100'])\n")
    code = f"""\
import pathlib, tempfile
from parity_tests.apart import run_apart
tempfile.tempdir = {tempfile.gettempdir()!r}
run_apart(pathlib.Path({str(subject)!r}), {SUBJECT!r})
"""
    caller = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)
    wait_until(lambda: any(each.startswith("sleep") for each in processes_in(subject.parent)))
    caller.send_signal(how)
    assert caller.wait(20) != 0
    wait_until(lambda: not processes_in(subject.parent) and not list(Path(tempfile.gettempdir()).iterdir()))
    nothing_is_left(subject)


def wait_until(what: object) -> None:
    """Until it is so; a minute is for ever."""
    assert callable(what)
    for _ in range(3000):
        if what():
            return
        time.sleep(0.02)
    raise AssertionError("it never came to be")


@pytest.mark.parametrize("words", [["verify", "--help"], ["compare", "--help"]])
def test_help_says_that_a_file_is_run_with_the_rights_of_whoever_calls(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(words)
    assert "with the rights of whoever calls" in capsys.readouterr().out


@pytest.mark.skipif(not prepared.POSSIBLE, reason="nothing is forked here")
def test_who_was_ended_between_two_questions_is_started_anew(subject: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first question may still be taken by a process that ends, so that only the second one is refused."""
    subject.write_text("def answer():\n    return 3\n")
    send, refused = socket.send_fds, list[socket.socket]()

    def lost_then_refused(asked: socket.socket, *what: Any) -> int:
        refused.append(asked)
        if len(refused) == 1:
            return 1  # taken, and never answered
        if len(refused) == 2:
            raise BrokenPipeError
        return send(asked, *what)

    monkeypatch.setattr(socket, "send_fds", lost_then_refused)
    assert run_apart(subject, SUBJECT, (), QUICK) == {"value": 3}
