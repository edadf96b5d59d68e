"""``python -m parity_tests interruptions``: kill training runs at random moments, resume them, compare the ends.

A run that was killed again and again must end with the parameters of one that was not, to the last bit, and every file
it leaves must be readable at every moment.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np

from manual.cli import GOOD, MISMATCH, UsageError, console, output_flags, plain_table
from manual.files import CHECKPOINT, load, load_checkpoint

EPILOG = """examples:
  python -m parity_tests interruptions               50 kills of each package's run
  python -m parity_tests interruptions --kills 5 --package manual

exit code: 0 the ends are the same, 1 they are not or a file was unreadable, 2 bad usage
"""

PACKAGES = ("manual", "torch_ref")

WORDS = (
    *("--hidden", "24", "--keep-prob", "0.7", "--lambda", "0.02", "--clip", "5"),
    *("--decay", "exponential", "--batch-size", "16", "--seed", "4", "--quiet"),
)
"""A run with everything that a checkpoint must hold: Adam's state, masks, a decaying rate, shuffled batches."""


class Ending(NamedTuple):
    """What came of a run that was killed: how often, in how many starts, and whether it ended as it should."""

    package: str
    kills: int
    starts: int
    epochs: int
    unreadable: int
    identical: bool


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.epilog = EPILOG
    parser.add_argument("--kills", type=int, default=50, help="of each package's run; default: 50")
    parser.add_argument("--package", choices=PACKAGES, help="only this one; default: both")
    parser.add_argument("--epochs", type=int, default=400, help="of the run; default: 400")
    parser.add_argument("--seed", type=int, default=0, help="of the moments; default: 0")
    output_flags(parser, "a table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run undisturbed, run with kills, compare."""
    for name, value, least in (("kills", args.kills, 1), ("epochs", args.epochs, 1), ("seed", args.seed, 0)):
        if value < least:
            raise UsageError(f"{name} is {value}, expected {least} or more")
    rng = np.random.default_rng(args.seed)
    packages = (args.package,) if args.package else PACKAGES
    endings: list[Ending] = []
    with (
        args.work.until_stopped(lambda: f"after {len(endings)} of {len(packages)} packages" if endings else ""),
        args.work.bar("kills", args.kills * len(packages)) as advance,
    ):
        for package in packages:
            endings.append(ending(package, args.kills, args.epochs, rng, advance))
    bad = [each for each in endings if each.unreadable or not each.identical]
    if args.json:
        args.work.json([each._asdict() for each in endings])
    else:
        table = plain_table("Runs killed and resumed", ["package"], ["kills", "starts", "epochs", "unreadable files"])
        for each in bad if args.quiet else endings:
            verdict = "[green]identical[/]" if each.identical else "[bold red]DIFFERENT[/]"
            counts = (each.kills, each.starts, each.epochs, each.unreadable)
            table.add_row(each.package, *(str(count) for count in counts), verdict)
        out = console()
        if table.row_count:
            out.print(table)
        kills = sum(each.kills for each in endings)
        out.print(f"{kills} kills: {len(endings) - len(bad)} of {len(endings)} runs ended as if there had been none.")
    return MISMATCH if bad else GOOD


def ending(
    package: str, kills: int, epochs: int, rng: np.random.Generator, advance: Callable[[], None] = lambda: None
) -> Ending:
    """One undisturbed run, and one that is killed so often and resumed each time."""
    with tempfile.TemporaryDirectory() as folder:
        whole, broken, kept = (Path(folder) / name for name in ("whole.safetensors", "broken.safetensors", "kept"))
        with _started(_command(package, epochs, whole, Path(folder) / "undisturbed")) as undisturbed:
            alive = _first_epoch(undisturbed, Path(folder) / "undisturbed" / CHECKPOINT, None)
            _check_ended(package, undisturbed)
        share = (time.perf_counter() - alive) / kills
        done, starts, unreadable = 0, 0, 0
        while not broken.exists():
            starts += 1
            before = _stamp(kept / CHECKPOINT)
            with _started(_command(package, epochs, broken, kept, resume=before is not None)) as process:
                if done < kills:
                    _wait(process, kept / CHECKPOINT, before, share, rng)
                    if process.poll() is None:
                        process.kill()
                        process.wait()
                        done += 1
                        advance()
                if process.wait() != -signal.SIGKILL:
                    _check_ended(package, process)
            unreadable += not _readable(kept)
        return Ending(package, done, starts, epochs, unreadable, _same(whole, broken))


@contextmanager
def _started(words: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """The process, without its report; it ends with the block at the latest, and hears no Ctrl-C."""
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, process_group=0)
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
    _first_epoch(process, path, before)
    time.sleep(rng.uniform(0, 1.5) * share)


def _first_epoch(process: subprocess.Popen[bytes], path: Path, before: int | None) -> float:
    """When the process wrote its first checkpoint, or ended."""
    while process.poll() is None and _stamp(path) == before:
        time.sleep(0.002)
    return time.perf_counter()


def _stamp(path: Path) -> int | None:
    """Which file this is; None where there is none."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


def _check_ended(package: str, process: subprocess.Popen[bytes]) -> None:
    """UsageError unless the process ends well."""
    code = process.wait()
    if code:
        raise UsageError(f"{package} ended with exit code {code}, expected 0: see its message above")


def _command(package: str, epochs: int, save: Path, kept: Path, *, resume: bool = False) -> list[str]:
    words = [sys.executable, "-m", package, "train", *WORDS, "--epochs", str(epochs), "--save", str(save)]
    if package == "torch_ref":
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
