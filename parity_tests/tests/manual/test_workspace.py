"""The training step in memory that is used again gives the numbers of the formulas one by one, to the last bit."""

from __future__ import annotations

import platform
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manual import dense, network, training
from manual.activations import ACTIVATIONS
from manual.architecture import Architecture, Dense, Dropout
from manual.costs import OUTPUT_COSTS, relative_weights
from manual.draws import initial_parameters
from manual.notation import Array
from manual.optimizers import OPTIMIZERS
from manual.shared.settings import Run, Settings
from manual.workspace import Workspace, takes

ROOT = Path(__file__).parents[3]

N_X = 5


def targets(unit: str, n: int, m: int, rng: np.random.Generator) -> Array:
    """Targets of m examples that suit an output unit, in rows."""
    if unit == "softmax":
        return np.eye(n)[rng.integers(0, n, m)]
    return rng.integers(0, 2, (m, n)) if unit == "sigmoid" else rng.standard_normal((m, n))


def network_of(unit: str, output: str, hidden: tuple[int, ...]) -> Architecture:
    return Architecture(N_X, (*(Dense(n, unit) for n in hidden), Dense(3, output)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("output", OUTPUT_COSTS)
@pytest.mark.parametrize("unit", ACTIVATIONS)
def test_a_step_is_that_of_the_formulas(unit: str, output: str, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    for hidden, m, lambda_ in product([(), (7,), (40, 13)], [1, 6, 150], [0.0, 0.7]):
        architecture = network_of(unit, output, hidden)
        params = initial_parameters(architecture, "he", rng, dtype)
        grads = {"d" + name: np.empty_like(value) for name, value in params.items()}
        workspace = Workspace(architecture, params, grads, m, lambda_)
        for _ in range(2):  # the second finds the first one's numbers in its arrays
            for value in params.values():
                value += rng.standard_normal(value.shape).astype(dtype) / 5
            X, Y = (rows.astype(dtype).T for rows in (rng.standard_normal((m, N_X)), targets(output, 3, m, rng)))
            workspace.X[...], workspace.Y[...] = X, Y
            passed = network.forward(architecture, params, X)
            s = relative_weights(rng.uniform(0.1, 3, (1, m)))
            for weights, of_step in ((None, lambda_), (s, 1.3 * lambda_), (s.astype(dtype), lambda_)):
                J, A_L = workspace.step(weights, of_step)
                assert network.cost(architecture, params, passed, Y, of_step, weights=weights) == J, (
                    hidden,
                    m,
                    lambda_,
                )
                assert J.dtype == dtype
                assert np.array_equal(A_L, passed.A[-1])
                given = architecture, params, passed, Y, of_step
                expected = network.backward(*given, weights=weights, only_grads=True).grads
                for name, gradient in expected.items():
                    assert np.array_equal(grads[name], gradient), (name, hidden, m, lambda_)


@pytest.mark.parametrize("output", OUTPUT_COSTS)
def test_what_a_step_returns_stays_as_it_is(output: str) -> None:
    rng = np.random.default_rng(0)
    architecture = network_of("relu", output, (4,))
    params = initial_parameters(architecture, "he", rng)
    workspace = Workspace(architecture, params, {"d" + name: value.copy() for name, value in params.items()}, 6, 0.0)
    workspace.X[...], workspace.Y[...] = rng.standard_normal((N_X, 6)), targets(output, 3, 6, rng).T
    first = workspace.step()
    J, A_L = float(first.J), first.A_L.copy()
    workspace.X[...] += 1
    assert not np.array_equal(workspace.step().A_L, A_L)
    assert float(first.J) == J
    assert np.array_equal(first.A_L, A_L)


def test_networks_of_dense_layers_alone_are_taken() -> None:
    assert takes(network_of("tanh", "softmax", (4,)))
    assert not takes(Architecture(N_X, (Dense(4, "relu"), Dropout(0.8), Dense(3, "softmax"))))


def trained(optimizer: str, Y_dtype: Any = np.float32) -> Run:
    """A short run with everything that a step may do; the last batch is short."""
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((N_X, 50)).astype(np.float32), targets("softmax", 3, 50, rng).T.astype(Y_dtype)
    settings = Settings(optimizer, 0.05, epochs=3, batch_size=16, lambda_=0.7, clip=0.5, decay="inverse_time")
    return training.fit(network_of("relu", "softmax", (9, 6)), X, Y, settings)


EXCHANGED: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "a formula": lambda patch: patch.setattr(dense, "weight_gradient", partial(dense.weight_gradient, lambda_=9.0)),
    "a unit": lambda patch: patch.setitem(ACTIVATIONS, "relu", ACTIVATIONS["relu"]._replace(g_prime=np.ones_like)),
    "a cost": lambda patch: patch.setitem(OUTPUT_COSTS, "softmax", OUTPUT_COSTS["softmax"]._replace(prime=np.divide)),
    "a penalty": lambda patch: patch.setattr(network, "l2_penalty", lambda weights, lambda_, m: 0.0),
}


@pytest.mark.parametrize("name", EXCHANGED)
def test_a_formula_that_is_exchanged_is_what_runs(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net = network_of("relu", "softmax", (9, 6))
    assert takes(net)
    with monkeypatch.context() as patch:
        EXCHANGED[name](patch)
        assert not takes(net)
    assert takes(net)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_run_in_a_workspace_is_that_of_the_formulas(optimizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = trained(optimizer)
    assert all(np.array_equal(trained(optimizer, int).params[name], value) for name, value in fast.params.items())
    monkeypatch.setattr(training, "takes", lambda architecture: False)
    monkeypatch.delattr(training, "Workspace")
    plain = trained(optimizer)
    for ours, theirs in ((fast.params, plain.params), (fast.state, plain.state)):
        assert ours.keys() == theirs.keys()
        assert all(np.array_equal(ours[name], theirs[name]) for name in ours)
    assert [epoch._replace(seconds=0) for epoch in fast.history] == [
        epoch._replace(seconds=0) for epoch in plain.history
    ]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_move_in_place_is_the_update(optimizer: str, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    rule: Any = OPTIMIZERS[optimizer](0.1)
    W = rng.standard_normal(9).astype(dtype)
    parts = [np.zeros_like(W) for _ in rule.state_type._fields[:-1]]
    for t in (1, 2, 3):
        dW = rng.standard_normal(9).astype(dtype)
        expected = [value.copy() for value in rule.update(W, dW, *parts, t)]
        before = dW.copy()
        rule.move(W, dW, parts, t)
        assert all(np.array_equal(now, then) for now, then in zip((W, *parts), expected, strict=True))
        assert np.array_equal(dW, before)


FAULTS_OF_PAGES = """
import resource
import numpy as np
from manual.shared.memory import prepare_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        [np.ones(2**18) for _ in range(6)]  # 2 MiB each
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print(faults())
prepare_memory()
faults()
print(faults())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_freed_memory_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "GLIBC_TUNABLES"):
        monkeypatch.delenv(name, raising=False)
    done = subprocess.run([sys.executable, "-c", FAULTS_OF_PAGES], cwd=ROOT, capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    assert after < before / 10


FAULTS_OF_A_PRODUCT = """
import resource
import numpy as np
from manual.shared.memory import prepare_memory

A, B, Z = np.ones((8, 256)), np.ones((256, 2048)), np.ones((8, 2048))
{prepared}
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
np.matmul(A, B, out=Z)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_products_find_their_memory() -> None:
    texts = [FAULTS_OF_A_PRODUCT.format(prepared=prepared) for prepared in ("", "prepare_memory()")]
    done = [subprocess.run([sys.executable, "-c", text], cwd=ROOT, capture_output=True, check=True) for text in texts]
    without, prepared = (int(each.stdout) for each in done)
    assert prepared < without / 10
