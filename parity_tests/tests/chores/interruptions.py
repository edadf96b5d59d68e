"""Kill training runs at random moments, resume them, compare the ends.

``python -m parity_tests.tests.chores.interruptions [RUN ...] [--kills N]``. A run that was killed again and again must
end with the parameters of one that was not, to the last bit, and every file it leaves must be readable at every moment.
Of two processes under torchrun one is killed, or the other, or both, or torchrun itself; whichever it was, all of them
must end. Exit code 1 where one of this is not so.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from manual.files import CHECKPOINT, load, load_checkpoint

TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")

RUNS: dict[str, tuple[str, ...]] = {
    "manual": ("-m", "manual"),
    "torch_ref": ("-m", "torch_ref"),
    "processes": (*TORCHRUN, "-m", "torch_ref"),
}
"""Runs that are killed, and what starts them: each package alone, and two processes of torch_ref."""

LIMIT = 120.0
"""Seconds after which a job of which a process was killed is taken to hang; it takes some."""

WORDS = (
    *("--hidden", "24", "--keep-prob", "0.7", "--lambda", "0.02", "--clip", "5"),
    *("--decay", "exponential", "--batch-size", "16", "--seed", "4", "--quiet"),
)
"""A run with everything that a checkpoint must hold: Adam's state, masks, a decaying rate, shuffled batches."""


ERRORS = "errors.txt"


class Ending(NamedTuple):
    """What came of a run that was killed: how often, in how many starts, and whether it ended as it should.

    ``left_behind`` counts processes that did not end with their job.
    """

    run: str
    kills: int
    starts: int
    epochs: int
    unreadable: int
    left_behind: int
    identical: bool

    @property
    def good(self) -> bool:
        """Whether nothing was lost, and nothing is left."""
        return self.identical and not self.unreadable and not self.left_behind


def ending(name: str, kills: int, epochs: int, rng: np.random.Generator) -> Ending:
    """One undisturbed run, and one that is killed so often and resumed each time."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        whole, broken, kept = (folder / each for each in ("whole.safetensors", "broken.safetensors", "kept"))
        with _started(_command(name, epochs, whole, folder / "undisturbed"), folder) as undisturbed:
            begun = _changed(undisturbed, folder / "undisturbed" / CHECKPOINT, None)
            share = (_changed(undisturbed, whole, None) - begun) / kills
            _check_ended(name, undisturbed, folder)
        done, starts, unreadable, left_behind = 0, 0, 0, 0
        while not broken.exists():
            starts += 1
            before = _stamp(kept / CHECKPOINT)
            with _started(_command(name, epochs, broken, kept, resume=before is not None), folder) as process:
                if done < kills:
                    _wait(process, kept / CHECKPOINT, before, share, rng)
                if done < kills and process.poll() is None:
                    left_behind += killed(process, rng)
                    done += 1
                else:
                    _check_ended(name, process, folder)
            unreadable += not _readable(kept)
        return Ending(name, done, starts, epochs, unreadable, left_behind, _same(whole, broken))


def killed(process: subprocess.Popen[bytes], rng: np.random.Generator) -> int:
    """Kill a run: of one with processes of its own one of them, all, or itself. How many were left after that."""
    own = children(process.pid)
    choices = [[process.pid], *([child] for child in own), *([own] if len(own) > 1 else [])]
    for target in choices[rng.integers(len(choices))]:
        _kill(target)
    end = time.monotonic() + LIMIT
    while (process.poll() is None or any(alive(child) for child in own)) and time.monotonic() < end:
        time.sleep(0.02)
    left = [child for child in own if alive(child)]
    for each in left:
        _kill(each)
        while alive(each):
            time.sleep(0.01)
    if process.poll() is None:
        process.kill()
        process.wait()
        left.append(process.pid)
    return len(left)


def _kill(number: int) -> None:
    """A process that may have ended by now."""
    with suppress(ProcessLookupError):
        os.kill(number, signal.SIGKILL)


def children(number: int) -> list[int]:
    """The processes that a process started; none where /proc is not there to tell."""
    try:
        return [int(child) for child in Path(f"/proc/{number}/task/{number}/children").read_text().split()]
    except FileNotFoundError:
        return []


def alive(number: int) -> bool:
    """Whether there is such a process; one that has ended and is not yet asked for its exit code is none."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@contextmanager
def _started(words: list[str], folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The process, without its report, its stderr in a file; it ends with the block at the latest."""
    with (folder / ERRORS).open("wb") as errors:
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=errors, process_group=0)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _wait(
    process: subprocess.Popen[bytes], path: Path, before: int | None, share: float, rng: np.random.Generator
) -> None:
    """Until a moment to kill at: now and then while it starts, mostly between two epochs' checkpoints or within one."""
    if before is not None and rng.random() < 0.1:
        time.sleep(rng.uniform(0, 0.5))
        return
    _changed(process, path, before)
    time.sleep(rng.uniform(0, 1.5) * share)


def _changed(process: subprocess.Popen[bytes], path: Path, before: int | None) -> float:
    """When the process wrote the file anew, or ended."""
    while process.poll() is None and _stamp(path) == before:
        time.sleep(0.002)
    return time.perf_counter()


def _stamp(path: Path) -> int | None:
    """Which file this is; None where there is none."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _check_ended(name: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    """RuntimeError unless the process ends well."""
    if code := process.wait():
        errors = (folder / ERRORS).read_text(errors="replace").strip()
        raise RuntimeError(f"{name} ended with exit code {code}, expected 0; it said: {errors:.2000}")


def _command(name: str, epochs: int, save: Path, kept: Path, *, resume: bool = False) -> list[str]:
    words = [sys.executable, *RUNS[name], "train", *WORDS, "--epochs", str(epochs), "--save", str(save)]
    if name != "manual":
        words += ["--device", "cpu"]
    words += ["--checkpoint", str(kept)]
    return [*words, "--resume"] if resume else words


def _readable(kept: Path) -> bool:
    """Whether the checkpoint is one, or there is none yet."""
    try:
        load_checkpoint(kept)
    except ValueError:
        return False
    return True


def _same(one: Path, other: Path) -> bool:
    """Whether two files hold the same parameters to the last bit."""
    a, b = load(one).params, load(other).params
    return a.keys() == b.keys() and all(a[name].tobytes() == b[name].tobytes() for name in a)


def main(argv: Sequence[str] | None = None) -> int:
    """Run undisturbed, run with kills, compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="*", choices=RUNS, metavar="RUN", help=", ".join(RUNS))
    parser.add_argument("--kills", type=int, default=50, help="of each run; default: 50")
    parser.add_argument("--epochs", type=int, default=400, help="of the run; default: 400")
    parser.add_argument("--seed", type=int, default=0, help="of the moments; default: 0")
    args = parser.parse_args(argv)
    rng, good = np.random.default_rng(args.seed), True
    for name in args.runs or RUNS:
        found = ending(name, args.kills, args.epochs, rng)
        print(found)
        good = good and found.good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
