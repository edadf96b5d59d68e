"""Writes that are cut short leave what was there before."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from manual import files
from parity_tests.tests.training.saved_networks import WIDE, check_same, checkpoint, drawn

ROOT = Path(__file__).parents[3]


def full_disk(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_last_checkpoint_alone(
    step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.save_checkpoint(tmp_path, checkpoint(1))
    with monkeypatch.context() as patched:
        patched.setattr(f"manual.files.os.{step}", full_disk)
        sentence = r"checkpoint\.safetensors cannot be written: No space left on device; what was there before stays$"
        with pytest.raises(OSError, match=sentence) as caught:
            files.save_checkpoint(tmp_path, checkpoint(2))
    assert "[Errno" not in str(caught.value)
    assert [entry.name for entry in tmp_path.iterdir()] == [files.CHECKPOINT]
    check_same(checkpoint(1), files.load_checkpoint(tmp_path))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_a_write_that_runs_out_of_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open

    def on_full_disk(path: Path, mode: str = "r") -> Any:
        if mode != "xb":
            return opened(path, mode)
        path.symlink_to("/dev/full")
        return opened(path, "wb")

    monkeypatch.setattr(Path, "open", on_full_disk)
    with pytest.raises(OSError, match=r"net cannot be written: No space left on device; what was there before stays$"):
        files.save(tmp_path / "net", drawn(), WIDE)
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("manual.files.os.fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        files.save(tmp_path / "net", drawn(), WIDE)
    assert list(tmp_path.iterdir()) == []


def test_the_new_file_is_on_the_disk_before_it_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = []
    flushed, renamed = os.fsync, os.replace

    def fsync(number: int) -> None:
        flushed(number)
        done.append(("fsync", os.fstat(number).st_size))

    def replace(aside: Path, path: Path) -> None:
        done.append(("replace", aside.stat().st_size))
        assert aside.parent == path.parent
        renamed(aside, path)

    monkeypatch.setattr("manual.files.os.fsync", fsync)
    monkeypatch.setattr("manual.files.os.replace", replace)
    files.save(tmp_path / "net", drawn(), WIDE)
    size = (tmp_path / "net").stat().st_size
    assert done == [("fsync", size), ("replace", size)]


def test_leftovers_of_a_killed_run_go_at_the_next_save(tmp_path: Path) -> None:
    ours, theirs = tmp_path / f".{files.CHECKPOINT}.0123.partial", tmp_path / ".net.0123.partial"
    for leftover in (ours, theirs):
        leftover.write_bytes(b"half")
    files.save_checkpoint(tmp_path, checkpoint())
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [theirs.name, files.CHECKPOINT]


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    (tmp_path / "directory").mkdir()
    with pytest.raises(OSError, match=r"none.net cannot be written: No such file or directory; .*$"):
        files.save(tmp_path / "none" / "net", drawn(), WIDE)
    with pytest.raises(OSError, match=r"directory is no file, expected a name to write to$"):
        files.save(tmp_path / "directory", drawn(), WIDE)
    with pytest.raises(OSError, match=r"file cannot be made a directory: File exists$"):
        files.save_checkpoint(tmp_path / "file", checkpoint())
    assert (tmp_path / "file").read_text() == "here"
    assert list((tmp_path / "directory").iterdir()) == []


KILLED = """
import os, signal, sys, time
import numpy as np
from manual import files
from parity_tests.tests.training.saved_networks import check_same, checkpoint

def save_for_ever(epoch):
    while True:
        epoch += 1
        files.save_checkpoint(sys.argv[1], checkpoint(epoch))

def written():
    found = os.stat(os.path.join(sys.argv[1], files.CHECKPOINT))
    return found.st_ino, found.st_mtime_ns

rng = np.random.default_rng(0)
epoch = 1
files.save_checkpoint(sys.argv[1], checkpoint(epoch))
for _ in range(40):
    before = written()
    run = os.fork()
    if run == 0:
        save_for_ever(epoch)
    while written() == before:
        assert os.waitpid(run, os.WNOHANG) == (0, 0)
        time.sleep(0.001)
    time.sleep(rng.uniform(0, 0.02))
    os.kill(run, signal.SIGKILL)
    os.waitpid(run, 0)
    found = files.load_checkpoint(sys.argv[1])
    assert found.progress["epoch"] > epoch, (found.progress["epoch"], epoch)
    epoch = found.progress["epoch"]
    check_same(checkpoint(epoch), found)
    assert len(os.listdir(sys.argv[1])) <= 2, os.listdir(sys.argv[1])
files.save_checkpoint(sys.argv[1], checkpoint(epoch))
print(epoch, *os.listdir(sys.argv[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the saving process is forked")
def test_killed_while_saving_there_is_always_a_whole_checkpoint(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    epoch, *names = done.stdout.split()
    assert int(epoch) > 40
    assert names == [files.CHECKPOINT]


def test_a_directory_is_kept_to_one_process_until_it_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from manual import files\n"
        "with files.exclusive(sys.argv[1]): print(flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, tmp_path], cwd=ROOT, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        try:
            with pytest.raises(ValueError, match=r"is in use by another run, expected one run at a time$"):
                files.exclusive(tmp_path).__enter__()
        finally:
            holder.kill()
    with files.exclusive(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []
