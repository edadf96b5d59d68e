"""Networks and checkpoints to save, and what must come back: for the tests of files."""

from __future__ import annotations

from typing import Any

import numpy as np
from safetensors import numpy as safetensors_numpy

from manual.architecture import Architecture, model
from manual.architecture_json import to_json
from manual.draws import initial_parameters
from manual.files import Checkpoint
from manual.notation import Array, Parameters

WIDE = model("wide", 5, 3, (4, 3))


def drawn(architecture: Architecture = WIDE, seed: int = 0, dtype: Any = np.float64) -> Parameters:
    """Parameters none of which is zero."""
    params = initial_parameters(architecture, "he", np.random.default_rng(seed), dtype)
    return {name: value + dtype(0.1) for name, value in params.items()}


def check_equal(one: dict[str, Array], other: dict[str, Array]) -> None:
    """The same names in the same order, dtypes, shapes and bits."""
    assert list(one) == list(other)
    for name, value in one.items():
        assert (other[name].dtype, other[name].shape) == (value.dtype, value.shape)
        assert other[name].tobytes() == value.tobytes()


def stored(tensors: dict[str, Array], metadata: dict[str, str] | None = None) -> bytes:
    """A .safetensors file by hand."""
    return safetensors_numpy.save(tensors, {"architecture": to_json(WIDE)} if metadata is None else metadata)


def without(name: str) -> Parameters:
    """The parameters but for one array."""
    return {key: value for key, value in drawn().items() if key != name}


def changed(name: str, value: Any) -> Parameters:
    """The parameters with another array, or one more."""
    return {**drawn(), name: value}


def checkpoint(epoch: int = 3) -> Checkpoint:
    """Everything that a run may hold."""
    params = drawn(seed=epoch, dtype=np.float32)
    rng = np.random.default_rng(epoch)
    rng.standard_normal(7)
    state = {"t": np.array(epoch), "v.dW2": params["W2"].T, "v.dW10": np.zeros((0, 2)), "alive": np.array([True])}
    progress = {
        "epoch": epoch,
        "rng": rng.bit_generator.state,
        "history": {"cost": [0.1, 1 / 3, 5e-324, float("inf"), float("nan")], "nothing": None},
        "settings": {"hidden": [4, 3], "name": "Größe", "resume": True},
    }
    return Checkpoint(WIDE, params, state, progress)


def check_same(one: Checkpoint, other: Checkpoint | None) -> None:
    """The same network, state and progress."""
    assert other is not None
    assert one.architecture == other.architecture
    check_equal(one.params, other.params)
    check_equal(one.state, other.state)
    assert repr(one.progress) == repr(other.progress)  # so that nan is nan
