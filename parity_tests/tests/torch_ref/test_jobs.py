"""How a process of several starts and ends: its place, its device, what it says, and whom it misses."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import numpy as np
import pytest
import torch

from manual.shared.cli import UsageError
from manual.shared.learning import Examples
from parity_tests.tests.chores import interruptions
from torch_ref import distributed, jobs
from torch_ref.__main__ import main as by_torch
from torch_ref.distributed import SAMPLED, NotStartedError, World, data_checksum
from torch_ref.jobs import Ends, ToldToEnd, told_to_end
from torch_ref.places import Place, own_device, place_in_job

HERE = Place(0, 2, 0, 2)

HashStore: Any = torch.distributed.HashStore  # type: ignore[attr-defined]
"""The words of processes, kept in this one."""

WORDS = ["train", "--device", "cpu", "--epochs", "1", "--quiet"]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The first of two processes, started by hand; a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    values = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(distributed, "TIMEOUT", timedelta(seconds=1))
    monkeypatch.setenv("TORCH_CPP_LOG_LEVEL", "ERROR")
    return values


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """SIGTERM does afterwards what it did before."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("rank", ["0", "1"])
def test_a_process_that_waits_for_nobody_gives_up(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], rank: str
) -> None:
    monkeypatch.setenv("RANK", rank)
    assert by_torch(WORDS) == 2
    place = f"127.0.0.1:{environment['MASTER_PORT']} within 1 seconds"
    assert f"process {rank} of 2 is alone, expected all of them at {place}" in capsys.readouterr().err


def test_a_port_in_use(environment: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", int(environment["MASTER_PORT"])))
        taken.listen()
        assert by_torch(WORDS) == 2
    expected = f"MASTER_PORT is {environment['MASTER_PORT']}, expected a free port: another program uses it"
    assert expected in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RANK", "", "WORLD_SIZE is '2' without RANK, expected all of RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT"),
        ("RANK", "first", "RANK is 'first', expected a whole number"),
        ("RANK", "2", "RANK is 2, expected less than WORLD_SIZE, which is 2"),
        ("WORLD_SIZE", "two", "WORLD_SIZE is 'two', expected a whole number"),
        ("MASTER_PORT", "-1", "MASTER_PORT is '-1', expected a whole number"),
    ],
)
def test_a_place_that_the_environment_does_not_say(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    name: str,
    value: str,
    said: str,
) -> None:
    monkeypatch.setenv(name, value)
    assert by_torch(WORDS) == 2
    assert said in capsys.readouterr().err


def test_a_process_started_by_hand_is_alone_on_its_machine_or_all_are_here(environment: dict[str, str]) -> None:
    assert place_in_job() == Place(0, 2, 0, 2)


def test_each_process_takes_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[torch.device] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    places = [Place(rank, 8, rank % 4, 4) for rank in range(8)]
    found = [own_device("auto", place) for place in places]
    assert found == chosen == 2 * [torch.device("cuda", number) for number in range(4)]
    assert own_device("cuda:3", Place(1, 2, 0, 1)) == torch.device("cuda:3")


@pytest.mark.parametrize(
    ("device", "said"),
    [
        ("cuda", "device is 'cuda' with 2 processes on this machine, expected at most 1: a GPU for each"),
        ("cuda:0", "device is 'cuda:0' with 2 processes on this machine, expected cpu, or cuda: a GPU for each"),
        ("mps", "device is 'mps' with 2 processes on this machine, expected cpu, or cuda: a GPU for each"),
        ("cuda:7", "finds 1 CUDA devices"),
    ],
)
def test_devices_that_processes_cannot_share(monkeypatch: pytest.MonkeyPatch, device: str, said: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    with pytest.raises(UsageError, match=said):
        own_device(device, HERE)


def test_what_is_the_same_for_all_is_said_once() -> None:
    store, heard = HashStore(), list[str]()
    ends = [Ends(store, Place(rank, 3, rank, 3), heard.append) for rank in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda each: each.say("wrong"), ends))
    assert heard == ["wrong"]
    ends[1].say("something else")
    assert heard == ["wrong", "something else"]


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        ({1}, ["process 1 of 4 is lost or silent, so the job ends: go on"]),
        ({0, 2}, ["processes 0, 2 of 4 are lost or silent, so the job ends: go on"]),
        (set(), ["torn, so the job ends: go on"]),
    ],
)
def test_those_that_are_left_name_the_lost(monkeypatch: pytest.MonkeyPatch, lost: set[int], said: list[str]) -> None:
    monkeypatch.setattr(jobs, "GRACE", timedelta(seconds=1 if lost else 9))
    monkeypatch.setattr(jobs, "leave_group", Barrier(4 - len(lost)).wait)  # none is late because it began late
    store, heard = HashStore(), list[str]()
    left = [Ends(store, Place(rank, 4, rank, 4), heard.append) for rank in range(4) if rank not in lost]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda each: each.lost("torn", "go on"), left))
    assert heard == said


def test_those_that_are_left_are_silent_where_one_has_said_why() -> None:
    store, heard = HashStore(), list[str]()
    ends = [Ends(store, Place(rank, 2, rank, 2), heard.append) for rank in range(2)]
    ends[1].say("no memory")
    ends[0].lost("torn", "go on")
    assert heard == ["no memory"]


def test_without_a_store_each_speaks_for_itself() -> None:
    class Gone:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError("Connection reset by peer")

    heard: list[str] = []
    Ends(Gone(), HERE, heard.append).lost("torn", "go on")
    assert heard == ["torn, so the job ends: go on"]


def test_a_process_that_cannot_start_keeps_nobody_waiting() -> None:
    store = HashStore()
    World(1, 2, store=store).answer("")
    with pytest.raises(NotStartedError):
        World(0, 2, store=store).meet({"epochs": 3})


def test_a_process_that_does_not_come_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "TIMEOUT", timedelta(seconds=0.1))
    with pytest.raises(RuntimeError, match="process 1") as raised:
        World(0, 2, store=HashStore()).meet({"epochs": 3})
    assert jobs.lost(raised.value)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RuntimeError("[gloo/transport/tcp/pair.cc:534] Connection closed by peer [127.0.0.1]:2"), True),
        (torch.distributed.DistBackendError("a remote process exited"), True),
        (RuntimeError("DistributedDataParallel: a parameter was not used"), False),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
    ],
)
def test_a_mistake_is_no_loss(error: RuntimeError, expected: bool) -> None:
    assert jobs.lost(error) == expected


def test_sigterm_ends_a_process_once() -> None:
    with told_to_end() as orphaned:
        with pytest.raises(ToldToEnd):
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert not orphaned.is_set()


def test_sigterm_does_not_disturb_the_end() -> None:
    with told_to_end() as orphaned:
        assert jobs._outcome(lambda: 3, orphaned) == (3, "")
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0)  # where a signal would be heard


def test_a_process_ends_when_torchrun_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    parents = iter([7])
    monkeypatch.setattr(os, "getppid", lambda: next(parents, 1))
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "a job")
    with told_to_end() as orphaned, pytest.raises(ToldToEnd):
        time.sleep(5)
    assert orphaned.is_set()


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


class Kept:
    """Examples that stay elsewhere: they are taken, never had as a whole."""

    def __init__(self, X: Any) -> None:
        self.X = X

    def take(self, batch: Any) -> Any:
        """The examples of these numbers."""
        assert len(batch) <= SAMPLED
        return self.X[:, batch]


@pytest.mark.parametrize("kept", [Kept, lambda X: X])
@pytest.mark.parametrize("m", [5, 3 * SAMPLED])
def test_data_of_another_checksum_are_others(kept: Any, m: int) -> None:
    X, Y = np.arange(2.0 * m).reshape(2, m), np.ones((1, m))
    found = data_checksum(Examples(kept(X), Y))
    assert found == data_checksum(Examples(kept(X.copy()), Y.copy()))
    for example in (0, m - 1):
        other = X.copy()
        other[1, example] += 1
        assert data_checksum(Examples(kept(other), Y)) != found
    labels = Y.copy()
    labels[0, m // 2] = 0  # of Y every one counts
    assert data_checksum(Examples(kept(X), labels)) != found
    between = np.arange(m) % (m - 1) > 0  # all but the first and the last
    assert data_checksum(Examples(kept(X + between), Y)) != found
