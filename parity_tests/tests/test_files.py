"""Parameters and checkpoints on disk: the round trip, what is refused, and writes that are cut short."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from manual import files
from manual.architecture import MODELS, Architecture, model
from manual.draws import initial_parameters
from manual.notation import Parameters

ROOT = Path(__file__).parents[2]
WIDE = model("wide", 5, 3, (4, 3))
IMAGES = ("convnet", "strided", "lenet5")


def drawn(architecture: Architecture, seed: int = 0, dtype: type = np.float64) -> Parameters:
    params = initial_parameters(architecture, "he", np.random.default_rng(seed), dtype)
    return {name: value + dtype(0.1) for name, value in params.items()}


def check_equal(one: Parameters, other: Parameters) -> None:
    assert list(one) == list(other) or sorted(one) == sorted(other)
    for name, value in one.items():
        assert other[name].dtype == value.dtype
        assert other[name].shape == value.shape
        assert other[name].tobytes() == value.tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("name", MODELS)
def test_every_model_comes_back_as_it_was(name: str, dtype: type, tmp_path: Path) -> None:
    architecture = model(name, (28, 28, 1) if name in IMAGES else 7, 2)
    params = drawn(architecture, dtype=dtype)
    files.save(tmp_path / "net.safetensors", params, architecture)
    saved = files.load(tmp_path / "net.safetensors")
    assert saved.architecture == architecture
    check_equal(params, saved.params)
    assert [entry.name for entry in tmp_path.iterdir()] == ["net.safetensors"]
