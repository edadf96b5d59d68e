"""How a process of several starts and ends: its device, whom it does not find, and what outlives its job."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch

from manual.shared.cli import UsageError
from parity_tests.tests.chores import interruptions
from parity_tests.tests.slices import sliced
from torch_ref import jobs
from torch_ref.__main__ import main as by_torch
from torch_ref.jobs import device_of_rank

JOB = {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
"""Of two processes the second; the first is not there."""


@pytest.mark.parametrize(
    ("changed", "said"),
    sliced(
        [
            ({}, "rank 1: the processes do not find each other: "),
            ({"MASTER_PORT": "port"}, "invalid literal for int"),
            ({"MASTER_ADDR": None}, "MASTER_ADDR expected, but not set"),
        ],
        3,
    ),
)
def test_a_process_that_does_not_find_the_others_says_so(
    changed: dict[str, str | None], said: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(jobs, "TIMEOUT", timedelta(seconds=1))
    for name, value in {**JOB, **changed}.items():
        monkeypatch.delenv(name, raising=False)
        if value is not None:
            monkeypatch.setenv(name, value)
    assert by_torch(["train", "--device", "cpu", "--epochs", "1", "--quiet"]) == 2
    assert said in capfd.readouterr().err


@pytest.mark.parametrize("words", [["search"], ["recipe"], ["predict", "net.safetensors", "new.csv"]])
def test_commands_that_share_no_work_refuse(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert by_torch(words) == 2
    assert f"{words[0]} was started in 2 processes, expected one: train alone shares" in capsys.readouterr().err


def local(monkeypatch: pytest.MonkeyPatch, rank: int, size: int) -> None:
    """What torchrun says to each process of a machine."""
    for name, value in (("RANK", rank), ("WORLD_SIZE", size), ("LOCAL_RANK", rank % 4), ("LOCAL_WORLD_SIZE", 4)):
        monkeypatch.setenv(name, str(value))


def test_each_process_takes_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    found = []
    for rank in range(8):
        local(monkeypatch, rank, 8)
        found.append(device_of_rank("auto"))
    assert found == chosen == 2 * [torch.device("cuda", number) for number in range(4)]
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "1")
    assert device_of_rank("cuda:3") == torch.device("cuda:3")


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("cuda", "device is 'cuda' with 4 processes on this machine, expected at most 1: a GPU for each"),
        ("cuda:0", "device is 'cuda:0' with 4 processes on this machine, expected cpu, or cuda: a GPU for each"),
        ("mps", "device is 'mps' with 4 processes on this machine, expected cpu, or cuda: a GPU for each"),
        ("cuda:7", "finds 1 CUDA devices"),
    ],
)
def test_devices_that_processes_cannot_share(monkeypatch: pytest.MonkeyPatch, device: str, said: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    local(monkeypatch, 0, 4)
    with pytest.raises(UsageError, match=said):
        device_of_rank(device)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's")
def test_a_process_ends_when_torchrun_is_gone() -> None:
    """torchrun's part is played by a shell that is killed."""
    child = "import os, time; from torch_ref import jobs; os.environ['TORCHELASTIC_RUN_ID'] = 'a job'\n"
    child += "jobs.device_of_rank = lambda name: print(os.getpid(), flush=True) or time.sleep(60)\n"
    words = f"{sys.executable} -c \"{child}with jobs.job('cpu'): pass\" & wait"
    with subprocess.Popen(["sh", "-c", words], stdout=subprocess.PIPE, text=True) as shell:
        assert shell.stdout is not None
        number = int(shell.stdout.readline())
        shell.kill()
        until = time.monotonic() + 30
        while interruptions.alive(number) and time.monotonic() < until:
            time.sleep(0.02)
        assert not interruptions.alive(number)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found through /proc")
@pytest.mark.parametrize(("waits", "left"), [("wait", 0), ("exec sleep 60", 2)])
def test_processes_that_a_killed_job_leaves_behind_are_counted_and_ended(
    monkeypatch: pytest.MonkeyPatch, waits: str, left: int
) -> None:
    """A job whose processes outlive it, killed itself; and one that ends when its processes do, which are killed."""

    class Chosen:
        def integers(self, count: int) -> int:
            assert count == 4  # the job, either process, both
            return 0 if left else 3

    monkeypatch.setattr(interruptions, "LIMIT", 0.5)
    with subprocess.Popen(["sh", "-c", f"sleep 60 & sleep 60 & {waits}"]) as job:
        while len(interruptions.children(job.pid)) < 2:
            time.sleep(0.01)
        own = interruptions.children(job.pid)
        rng: Any = Chosen()
        assert interruptions.killed(job, rng) == left
    assert not any(interruptions.alive(child) for child in own)
    assert interruptions.alive(os.getpid())
    assert interruptions.Ending("processes", 1, 2, 3, 0, left, identical=True).good == (left == 0)


def test_torchrun_never_reads_half_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(data: Any, file: Any) -> None:
        file.write(json.dumps(data)[:20])
        raise KeyboardInterrupt

    place = tmp_path / "error.json"
    monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", str(place))
    with monkeypatch.context() as broken:
        broken.setattr(json, "dump", interrupted)
        with pytest.raises(KeyboardInterrupt):
            jobs.WholeRecords().record_exception(ValueError("lost"))
    assert not place.exists()
    monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", str(place))
    jobs.WholeRecords().record_exception(ValueError("lost"))
    assert json.loads(place.read_text())["message"]["message"] == "ValueError: lost"
    assert os.environ["TORCHELASTIC_ERROR_FILE"] == str(place)
    monkeypatch.delenv("TORCHELASTIC_ERROR_FILE")
    jobs.WholeRecords().record_exception(ValueError("started by hand"))
