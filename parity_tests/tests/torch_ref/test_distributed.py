"""Several processes: gradients and parameters as in one process and by hand; lost processes; resuming."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manual import network as by_hand
from manual.draws import initial_parameters
from manual.files import CHECKPOINT, load
from manual.shared.cli import USAGE
from manual.shared.settings import Examples, start
from manual.training import fit as fit_by_hand
from parity_tests.comparison.free_runs import REPEATS, judge_by_spread, moved
from parity_tests.formulas.dense import Z_bound, dA_prev_bound
from parity_tests.judging import bounds
from parity_tests.judging.judge import judge
from parity_tests.tests.slices import sliced
from parity_tests.tests.torch_ref.distributed_worker import (
    DROPPED,
    FIFTY,
    LAMBDA,
    NET,
    NORMED,
    SECONDS,
    SIZES,
    STEPS,
    VOLUMES,
    WEIGHTS,
    WORLDS,
    Uneven,
    all_worlds,
    as_torchrun_starts_it,
    examples,
    fitted,
    gradients,
    in_processes,
    normed,
    parameters,
    said,
    whole_gradients,
    whole_numbers,
)
from torch_ref.__main__ import main as by_torch
from torch_ref.distributed import ALONE, SAMPLED, World, data_checksum, part_of_masks

ROOT = Path(__file__).parents[3]


def torchrun(processes: int, *words: str) -> list[str]:
    """The command of a job, without its program's name."""
    return [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", *words]


def environment() -> dict[str, str]:
    """One thread for each process, and this tree before any other."""
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], list[list[str]], dict[int, Any]]:
    """What the worker's processes found, and what came of their meetings."""
    folder = tmp_path_factory.mktemp("job")
    assert in_processes(4, all_worlds, folder) == [0] * 4
    with np.load(folder / "found.npz", allow_pickle=False) as stored:
        found = {name: stored[name] for name in stored.files}
    last = {size: dict(np.load(folder / f"last of {size}.npz", allow_pickle=False)) for size in SIZES[1:]}
    return found, [json.loads((folder / f"meetings{rank}.json").read_text()) for rank in range(4)], last


def of_world(found: dict[str, Any], *place: str) -> dict[str, Any]:
    """The arrays of one world by name."""
    start = "/".join(place) + "/"
    return {name.removeprefix(start): value for name, value in found.items() if name.startswith(start)}


def present(value: Any) -> Any:
    """The array of a layer; nothing stands in for the input's Z."""
    return np.zeros(()) if value is None else value


def propagated(m: int, size: int) -> dict[str, Any]:
    """How far the gradients of NET may be off on one side: every operation's bound, carried through what follows.

    First order in u, with a hundredth more for the rest. |tanh'| <= 1; softmax carries E as A (E + sum A E). Each
    gradient adds m products, and of several processes the weights and the processes' shares.
    """
    u, params = bounds.unit_roundoff(np.dtype(np.float64)), parameters()
    X, Y = examples(m)
    passed = by_hand.forward(NET, params, X)
    back = by_hand.backward(NET, params, passed, Y, LAMBDA)
    A, Z, dA, dZ = ([present(value) for value in values] for values in (passed.A, passed.Z, back.dA, back.dZ))
    W2 = np.abs(params["W2"])
    E_A1 = Z_bound(u, X, params["W1"], params["b1"]) + bounds.activation(u, A[1], "tanh")
    E_Z2 = Z_bound(u, A[1], params["W2"], params["b2"]) + W2 @ E_A1
    carried = A[2] * (E_Z2 + np.sum(A[2] * E_Z2, axis=0, keepdims=True))
    E_dZ2 = bounds.output_dZ(u, dZ[2], A[2], Z[2], "softmax") + carried
    E_dA1 = dA_prev_bound(u, dZ[2], params["W2"]) + W2.T @ E_dZ2
    E_dZ1 = bounds.hidden_dZ(u, dZ[1], dA[1], A[1], "tanh") + 2 * np.abs(dA[1] * A[1]) * E_A1 + E_dA1
    sums, found = bounds.gamma(m + 4 + size + 4, u), {}
    for k, A_prev, E_A_prev, dZ_k, E_dZ in ((1, X, 0 * X, dZ[1], E_dZ1), (2, A[1], E_A1, dZ[2], E_dZ2)):
        size_of = np.abs(dZ_k) @ np.abs(A_prev).T + LAMBDA * np.abs(params[f"W{k}"])
        carried = E_dZ @ np.abs(A_prev).T + np.abs(dZ_k) @ E_A_prev.T
        found[f"dW{k}"] = 1.01 * (sums * size_of + carried) / m
        found[f"db{k}"] = 1.01 * np.sum(sums * np.abs(dZ_k) + E_dZ, axis=1, keepdims=True) / m
    return found


def misses(got: dict[str, Any], m: int, size: int) -> list[str]:
    """The gradients that are not those of the whole batch by hand."""
    X, Y = examples(m)
    passed = by_hand.forward(NET, parameters(), X)
    reference = by_hand.backward(NET, parameters(), passed, Y, LAMBDA).grads
    allowed = propagated(m, size)
    judged = {name: judge(got[name], reference[name], 2 * allowed[name], np.float64) for name in reference}
    assert not any(judgement.untold for judgement in judged.values())
    return [name for name, judgement in judged.items() if judgement.fails]


@pytest.mark.parametrize("m", sliced(STEPS, 6))
@pytest.mark.parametrize("name", ["as even as can be", "uneven"])
@pytest.mark.parametrize("size", SIZES)
def test_gradients_are_those_of_the_whole_batch(job: Any, size: int, name: str, m: int) -> None:
    got = gradients(ALONE, m) if size == 1 else of_world(job[0], str(size), name, str(m))
    assert misses(got, m, size) == []
    alone = gradients(ALONE, m)
    np.testing.assert_allclose(got["J"], alone["J"], rtol=1e-14)
    np.testing.assert_allclose(got["A_L"], alone["A_L"], rtol=1e-14)


@pytest.mark.parametrize("size", SIZES[1:])
def test_a_mean_of_means_is_found_out(job: Any, size: int) -> None:
    got = of_world(job[0], str(size), "mean of means", "13")
    assert misses(got, 13, size) == ["dW2", "db2", "dW1", "db1"]
    got = of_world(job[0], str(size), "mean of means", "volumes 13")
    assert whole_misses(got, 13) == ["dW2", "db2", "dW1", "db1"]


@pytest.mark.parametrize("size", SIZES)
def test_batch_norm_takes_the_statistics_of_each_share_and_remembers_those_of_the_first(job: Any, size: int) -> None:
    got = normed(ALONE, 13) if size == 1 else of_world(job[0], str(size), "norms")
    params = initial_parameters(NORMED, "xavier", np.random.default_rng(0))
    X, Y = examples(13)
    total: dict[str, Any] = {}
    for rank, part in enumerate(World(0, size).parts(13)):
        passed = by_hand.forward(NORMED, params, X[:, part], [])
        if rank == 0:
            total |= by_hand.remembered(NORMED, params, passed)
        share = (part.stop - part.start) / 13
        for name, value in by_hand.backward(NORMED, params, passed, Y[:, part]).grads.items():
            penalty = LAMBDA / 13 * params[name[1:]] if name[1:] in NORMED.weights and rank == 0 else 0
            total[name] = total.get(name, 0) + share * value + penalty
    for name, value in got.items():
        np.testing.assert_allclose(value, total[name], rtol=0, atol=1e-14, err_msg=name)
    if size > 1:
        assert np.abs(got["dW1"] - normed(ALONE, 13)["dW1"]).max() > 1e-3
        assert sorted(job[2][size]) == sorted(got)
        for name in ("mean2", "variance2"):
            np.testing.assert_array_equal(job[2][size][name], got[name])


def whole_misses(got: dict[str, Any], m: int) -> list[str]:
    """The gradients of VOLUMES that are not those of the whole batch by hand.

    Forward all numbers are whole, so all sides have the same; backward every entry is a sum of products, each rounded
    on its way as often as the sums are long that it went through. With magnitudes for numbers, the backward pass itself
    gives the sum of the magnitudes of these products.
    """
    params, (X, Y), masks = whole_numbers(m)
    passed = by_hand.forward(VOLUMES, params, X, masks)
    reference = by_hand.backward(VOLUMES, params, passed, Y, LAMBDA).grads
    apart = np.abs(passed.A[-1] - Y)
    outer = passed._replace(A=(np.abs(X), *passed.A[1:-1], Y + apart))
    magnitudes = by_hand.backward(
        VOLUMES, {name: np.abs(value) for name, value in params.items()}, outer, Y, LAMBDA
    ).grads
    longest = [m * 6 * 5, 2 * 2, VOLUMES.outputs, 4]  # dW of the filters, a pool's windows, W2^T dZ, the processes
    roundings = bounds.gamma(sum(longest) + 12, bounds.unit_roundoff(np.dtype(np.float64)))
    judged = {
        name: judge(got[name], reference[name], 2 * roundings * magnitudes[name], np.float64) for name in reference
    }
    assert not any(judgement.untold for judgement in judged.values())
    return [name for name, judgement in judged.items() if judgement.fails]


@pytest.mark.parametrize("m", STEPS)
@pytest.mark.parametrize("name", ["as even as can be", "uneven"])
@pytest.mark.parametrize("size", SIZES)
def test_gradients_of_convolutions_and_masks_are_those_of_the_whole_batch(
    job: Any, size: int, name: str, m: int
) -> None:
    got = whole_gradients(ALONE, m) if size == 1 else of_world(job[0], str(size), name, f"volumes {m}")
    assert whole_misses(got, m) == []


@pytest.fixture(scope="module")
def fifty() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Parameters by hand after 50 steps, and those of runs from starts moved by one rounding."""
    X, Y = examples(37)
    rng = np.random.default_rng(0)
    first = fit_by_hand(DROPPED, X, Y, FIFTY, weights=WEIGHTS)
    assert first.history[-1].step == 50
    drawn, _ = start(DROPPED, FIFTY, np.float64)
    repeats = [
        fit_by_hand(DROPPED, X, Y, FIFTY, weights=WEIGHTS, params=moved(drawn, rng)).params for _ in range(REPEATS)
    ]
    return first.params, repeats


@pytest.mark.parametrize("name", list(WORLDS))
@pytest.mark.parametrize("size", SIZES)
def test_fifty_steps_end_where_those_by_hand_end(job: Any, fifty: Any, size: int, name: str) -> None:
    got = fitted(ALONE) if size == 1 else of_world(job[0], str(size), name, "fit")
    judged = judge_by_spread(fifty[0], got, fifty[1], np.float64)
    assert judged.keys() == {"W1", "b1", "W2", "b2"}
    wrong = size > 1 and name == "mean of means"
    assert {judgement.fails for judgement in judged.values()} == {wrong}


@pytest.mark.parametrize("size", SIZES[1:])
def test_a_run_gone_on_with_ends_as_if_undisturbed_to_the_last_bit(job: Any, size: int) -> None:
    whole = of_world(job[0], str(size), "as even as can be", "fit")
    again = of_world(job[0], str(size), "interrupted", "fit")
    assert again.keys() == whole.keys()
    for name, value in whole.items():
        np.testing.assert_array_equal(again[name], value)


def test_processes_that_would_do_different_things_do_not_start(job: Any) -> None:
    rule = "expected 3 as in rank 0: all start with the same data and flags"
    assert job[1] == [["alike", f"epochs is 4 in rank 2, {rule}"]] * 4


@pytest.mark.parametrize("kind", [World, Uneven])
@pytest.mark.parametrize("m", [1, 2, 12, 13, 1000])
@pytest.mark.parametrize("size", SIZES)
def test_no_example_is_left_out_or_comes_twice(size: int, m: int, kind: type[World]) -> None:
    parts = kind(0, size).parts(m)
    assert len(parts) == size
    assert [example for part in parts for example in range(m)[part]] == list(range(m))
    assert sum(kind(rank, size).weight(m) for rank in range(size)) == pytest.approx(size)
    if kind is World:
        lengths = [part.stop - part.start for part in parts]
        assert max(lengths) - min(lengths) <= 1


def test_masks_are_shared_like_the_examples() -> None:
    columns, volumes = np.arange(12).reshape(3, 4), np.arange(24).reshape(4, 2, 3, 1)
    taken = part_of_masks([columns, None, volumes], slice(1, 3))
    assert taken is not None
    np.testing.assert_array_equal(taken[0], columns[:, 1:3])
    assert taken[1] is None
    np.testing.assert_array_equal(taken[2], volumes[1:3])
    assert part_of_masks(None, slice(0, 1)) is None


WORDS = ["train", "--device", "cpu", "--dtype", "float64", "--hidden", "8", "--lambda", "0.1", "--batch-size", "75"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are found through /proc")
def test_a_lost_process_ends_the_job_and_another_number_goes_on(tmp_path: Path) -> None:
    kept, whole, again = tmp_path / "kept", tmp_path / "whole.safetensors", tmp_path / "again.safetensors"
    words = [*WORDS, "--epochs", "30"]
    assert by_torch([*words, "--quiet", "--save", str(whole)]) == 0
    running = subprocess.Popen(
        torchrun(2, "-m", "torch_ref", *words, "--json", "--checkpoint", str(kept)),
        cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + SECONDS
        while not (kept / CHECKPOINT).exists() and time.monotonic() < deadline and running.poll() is None:
            time.sleep(0.01)
        os.kill(worker(running.pid, rank=1), signal.SIGKILL)
        out, err = running.communicate(timeout=SECONDS)
    finally:
        running.kill()
    assert running.returncode != 0
    assert f"--checkpoint {kept} --resume goes on after its last epoch, with any number of processes" in err
    assert "exitcode  : -9" in err  # torchrun's record of rank 1
    epochs = [json.loads(line)["epoch"] for line in out.splitlines() if '"epoch"' in line]
    assert epochs == list(range(1, len(epochs) + 1))
    assert 1 <= len(epochs) < 30
    assert by_torch([*words, "--quiet", "--checkpoint", str(kept), "--resume", "--save", str(again)]) == 0
    one, other = load(whole).params, load(again).params
    for name, value in one.items():
        np.testing.assert_allclose(other[name], value, rtol=0, atol=1e-10 * np.abs(value).max())


def worker(launcher: int, rank: int) -> int:
    """The process of this rank that torchrun started."""
    for child in Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split():
        if f"RANK={rank}\0".encode() in b"\0" + Path(f"/proc/{child}/environ").read_bytes():
            return int(child)
    raise AssertionError(f"no process of rank {rank}")


def test_bad_usage_is_said_by_every_rank(tmp_path: Path) -> None:
    words = [*WORDS, "--epochs", "0"]
    assert in_processes(2, as_torchrun_starts_it, tmp_path, words) == [USAGE, USAGE]
    sentence = "epochs is 0, expected a whole number of at least 1: a run has at least one\n"
    for rank, name in enumerate(("python -m torch_ref", "python -m torch_ref, rank 1")):
        out, err = (path.read_text() for path in said(tmp_path, rank))
        assert (out, err) == ("", f"{name}: {sentence}")


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
