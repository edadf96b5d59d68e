"""A job of several processes: how it starts, which of them speaks, and how it ends.

torchrun starts them, or whatever else sets RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT. They leave words for each
other in torch's store, so that what is wrong is said once, by one of them, also where they can no longer compute
together. None goes on when another is lost, when it is told to end, or when torchrun is gone.
"""

from __future__ import annotations

import gc
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import torch
from torch import distributed

from manual.shared.cli import USAGE, UsageError, complain
from manual.shared.stopping import INTERRUPTED, TERMINATED
from torch_ref import distributed as shares
from torch_ref.distributed import NotStartedError, World, wait_for
from torch_ref.places import BACKENDS, Place, open_store, own_device, place_in_job

GRACE = timedelta(seconds=3)
"""How long processes are given to say how they ended."""

REPORT = timedelta(hours=1)
"""How long the first process is given to report, which it does alone: a large test part takes long."""

KILLED_AFTER = 30.0
"""Seconds after which a process that was told to end, and cannot hear it, is killed; those of torchrun."""

SAID, ENDED = "said", "ended"
"""How a process ended: it has said why, or has heard it from others."""


class ToldToEnd(BaseException):
    """Raised in a process that is told to end."""


def together(device: str, train: Callable[[World, torch.device], int], say: Callable[[str], None], advice: str) -> int:
    """``train`` in the world of these processes, on this one's device; its exit code.

    What goes wrong is handed to ``say``, by one process if it is the same for all; ``advice`` is how to go on after
    a loss.

    Raises UsageError where the environment does not say which process this is.
    """
    place = place_in_job()
    ends = Ends(open_store(place), place, say)
    with told_to_end() as orphaned:
        try:
            code, cause = _outcome(lambda: ends.of(device, train), orphaned)
            if cause and not (orphaned.is_set() and place.local_rank):  # one on each machine says that torchrun is gone
                ends.lost(cause, advice)
            return code
        except KeyboardInterrupt:
            ends.say("interrupted")
            return INTERRUPTED
        finally:
            ends.close()


def refused(program: str, command: str) -> int:
    """Say, in one of these processes, that the command is for one; the exit code.

    Raises UsageError where the environment does not say which process this is.
    """

    def refuse(world: World, _: torch.device) -> int:
        raise UsageError(f"{command} was started in {world.size} processes, expected one: train alone shares its work")

    return together("cpu", refuse, partial(complain, program), "")


def _outcome(work: Callable[[], int], orphaned: threading.Event) -> tuple[int, str]:
    """The exit code of the work and, where it could not be done, the cause, as far as this process knows it.

    With the exception goes what its frames held: the network and, with it, the connections to the other processes.
    """
    try:
        try:
            return work(), ""
        except RuntimeError as error:
            if not lost(error):
                raise
            return USAGE, "the processes have lost each other"
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
    except ToldToEnd:
        return (USAGE, "torchrun is gone") if orphaned.is_set() else (TERMINATED, "told to end (SIGTERM)")


@dataclass
class Ends:
    """The beginning and the ends of this process of a job."""

    store: Any
    place: Place
    speak: Callable[[str], None]

    def of(self, device: str, train: Callable[[World, torch.device], int]) -> int:
        """Meet, train, and stay until the first process has reported: torchrun ends them all when one ends badly."""
        rank, size, *_ = self.place
        world = World(rank, size, store=self.store)
        try:
            chosen = own_device(device, self.place)
            _meet(world, {"device": chosen.type})
            distributed.init_process_group(
                BACKENDS[chosen.type],
                store=self.store,
                rank=rank,
                world_size=size,
                timeout=shares.TIMEOUT,
            )
            code = train(world, chosen)
            if rank:
                wait_for(self.store, [_end_of(0)], REPORT)
        except UsageError as error:
            self.say(str(error))
            with suppress(RuntimeError):
                world.answer("")  # to those that wait for this process
            return USAGE
        except NotStartedError:
            return USAGE
        return code

    def say(self, sentence: str) -> None:
        """Speak, unless another process says the same: then wait until it has, lest torchrun ends it before."""
        with suppress(RuntimeError):  # without the store there is nobody to ask
            if self.store.add(f"speakers of: {sentence}", 1) > 1:
                wait_for(self.store, [f"was said: {sentence}"], GRACE)
                return
        self.speak(sentence)
        with suppress(RuntimeError):
            self.store.set(f"was said: {sentence}", "")
            self.store.set(_end_of(self.place.rank), SAID)

    def lost(self, cause: str, advice: str) -> None:
        """Say which processes are lost, or the cause where none is, unless one has said why it ended."""
        leave_group()  # the others see that, whatever they wait for
        ends = self._ends()
        if SAID in ends.values():
            return
        silent = [str(rank) for rank in range(self.place.size) if rank not in ends]
        if ends and silent:
            verb = "process {} of {} is lost or silent" if len(silent) == 1 else "processes {} of {} are lost or silent"
            cause = verb.format(", ".join(silent), self.place.size)
        self.say(f"{cause}, so the job ends: {advice}")

    def _ends(self) -> dict[int, str]:
        """How the processes ended, those that told it in time; none where the store is gone."""
        found: dict[int, str] = {}
        with suppress(RuntimeError):
            self._told(ENDED)
            end = time.monotonic() + GRACE.total_seconds()
            while len(found) < self.place.size and time.monotonic() < end and SAID not in found.values():
                ranks = [rank for rank in range(self.place.size) if self.store.check([_end_of(rank)])]
                found = {rank: self.store.get(_end_of(rank)).decode() for rank in ranks}
                time.sleep(0.02)
        return found

    def _told(self, how: str) -> None:
        """Tell the others how this process ended, unless it has."""
        if not self.store.check([_end_of(self.place.rank)]):
            self.store.set(_end_of(self.place.rank), how)

    def close(self) -> None:
        """Leave; the first process, which holds the store where torchrun does not, leaves last."""
        with suppress(RuntimeError):
            self._told(ENDED)
            self.store.add("left", 1)
        leave_group()
        if self.place.rank == 0 and not distributed.is_torchelastic_launched():
            end = time.monotonic() + GRACE.total_seconds()
            with suppress(RuntimeError):
                while self.store.add("left", 0) < self.place.size and time.monotonic() < end:
                    time.sleep(0.01)


def leave_group() -> None:
    """Close the connections to the other processes, where there are any."""
    gc.collect()  # a network that is no longer used still holds them
    if distributed.is_initialized():
        distributed.destroy_process_group()


def _end_of(rank: int) -> str:
    return f"end of process {rank}"


def _meet(world: World, about: dict[str, Any]) -> None:
    try:
        world.meet(about)
    except ValueError as error:
        raise UsageError(str(error)) from error


@contextmanager
def told_to_end() -> Iterator[threading.Event]:
    """Where SIGTERM raises ToldToEnd, as the end of torchrun does; yields whether it was the latter.

    Only the first one does, and none afterwards: what is left is to say why, and to end with an exit code of one's own.
    """
    orphaned, over = threading.Event(), threading.Event()

    def raise_once(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise ToldToEnd

    def watch(parent: int) -> None:
        while not over.wait(0.5) and os.getppid() == parent:
            pass
        if over.is_set():
            return
        orphaned.set()
        os.kill(os.getpid(), signal.SIGTERM)
        if not over.wait(KILLED_AFTER):
            os.kill(os.getpid(), signal.SIGKILL)

    signal.signal(signal.SIGTERM, raise_once)
    if distributed.is_torchelastic_launched():
        threading.Thread(target=watch, args=(os.getppid(),), daemon=True).start()
    try:
        yield orphaned
    finally:
        over.set()
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


def lost(error: RuntimeError) -> bool:
    """Whether this is what torch raises where another process is gone or silent."""
    words = ("gloo", "NCCL", "Connection", "Timed out", "timed out")
    return isinstance(error, distributed.DistError) or any(word in str(error) for word in words)
