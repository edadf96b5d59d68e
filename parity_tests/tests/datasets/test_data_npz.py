"""Data of one's own in an .npz: named arrays, a division of its own, and a sentence for every file that is none."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import datasets
from datasets.dataset import Array
from datasets.prepare import from_arrays
from parity_tests.tests.datasets.dataset_checks import LISTS, check_same, npz, rng


def images(m: int) -> Array:
    return rng().integers(0, 256, (m, 6, 5)).astype(np.uint8)


def mnist(path: Path) -> dict[str, Array]:
    """A small file laid out as mnist.npz."""
    arrays = {
        "x_train": images(30),
        "y_train": (np.arange(30) % 3).astype(np.uint8),
        "x_test": images(40)[30:],
        "y_test": np.full(10, 3, np.uint8),  # a class that only the test part has
    }
    np.savez(path, **arrays)  # type: ignore[arg-type]  # of NumPy's allow_pickle
    return arrays


def test_mnist_keeps_its_own_division(tmp_path: Path) -> None:
    arrays = mnist(tmp_path / "mnist.npz")
    data = datasets.from_file(tmp_path / "mnist.npz", test_size=0.5, seed=7)
    assert (data.name, data.task, data.image_shape) == ("mnist", "multiclass", (6, 5, 1))
    assert data.target_names == ("0", "1", "2", "3")
    mean, deviation = arrays["x_train"].mean(), arrays["x_train"].std()
    np.testing.assert_allclose(data.images_train[..., 0], (arrays["x_train"] - mean) / deviation, atol=1e-14)
    np.testing.assert_allclose(data.images_test[..., 0], (arrays["x_test"] - mean) / deviation, atol=1e-14)
    np.testing.assert_array_equal(data.Y_train.argmax(axis=0), arrays["y_train"])
    np.testing.assert_array_equal(data.Y_test.argmax(axis=0), arrays["y_test"])
    assert data.X_train.flags.c_contiguous


@pytest.mark.parametrize("names", [("X", "Y"), ("x", "y"), ("X", "y")])
def test_named_arrays(names: tuple[str, str], tmp_path: Path) -> None:
    X, Y = rng().normal(size=(20, 4)), np.arange(20) % 3
    arrays: dict[str, Any] = dict(zip(names, (X, Y), strict=True))
    np.savez_compressed(tmp_path / "own.npz", **arrays)
    found = datasets.from_file(tmp_path / "own.npz", seed=2, test_size=0.3)
    check_same(found, from_arrays("own", "multiclass", X, Y, seed=2, test_size=0.3))


def test_coloured_images_and_another_name_for_the_targets(tmp_path: Path) -> None:
    X, labels = rng().normal(size=(20, 4, 3, 2)), np.arange(20) / 2
    np.savez(tmp_path / "own.npz", X=X, Labels=labels)
    found = datasets.from_file(tmp_path / "own.npz", target="labels")
    check_same(found, from_arrays("own", "regression", X.reshape(20, -1), labels, image_shape=(4, 3, 2)))


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"X": np.zeros((3, 2))}, r"it has no y beside X, expected x and y or x_train, y_train, x_test, y_test"),
        ({}, r"it has no x, y beside nothing, expected .*"),
        ({"x_train": np.zeros((3, 2))}, r"it has no y_train, x_test, y_test beside x_train, expected .*"),
        ({"X": LISTS, "y": np.zeros(2)}, r"it is no \.npz of plain arrays: Object arrays cannot be loaded .*"),
        ({"X": np.zeros((3, 2)), "y": LISTS}, r"it is no \.npz of plain arrays: Object arrays cannot be loaded .*"),
        ({"X": np.zeros(3), "y": np.zeros(3)}, r"X has shape \(3,\), expected \(m, n_x\): .*"),
        ({"X": np.full((3, 2), np.nan), "y": np.zeros(3)}, r"X has nan at row 0, column 0 \(from 0\), expected .*"),
        ({"X": np.zeros((3, 2)), "y": np.zeros(4)}, r"Y has 4 examples, expected 3 as in X: .*"),
        (
            {"x_train": np.zeros((3, 2)), "y_train": [0, 1, 0], "x_test": np.zeros((2, 3)), "y_test": [0, 1]},
            r"X has 3 features in the test part, expected 2 as in training",
        ),
        (
            {"x_train": np.zeros((3, 2)), "y_train": [0, 1, 0], "x_test": np.zeros((2, 2)), "y_test": [0]},
            r"Y of the test part has shape \(1,\), expected a target for each of 2",
        ),
        (
            {"x_train": np.zeros((3, 2)), "y_train": [0, 1, 0], "x_test": np.zeros((2, 2)), "y_test": np.eye(2)},
            r"Y of the test part has shape \(2, 2\), expected a target for each of 2",
        ),
        (
            {"x_train": np.zeros((3, 2)), "y_train": [0, 1, 0], "x_test": np.zeros((0, 2)), "y_test": []},
            r"X has m = 0 in the test part, expected at least 1 example",
        ),
        (
            {"x_train": np.zeros((3, 2)), "y_train": [0, 1, 0], "x_test": np.full((1, 2), np.inf), "y_test": [0]},
            r"X of the test part has inf at row 0, column 0 \(from 0\), expected finite numbers",
        ),
    ],
)
def test_an_npz_that_does_not_do(arrays: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "own.npz", **arrays)
    with pytest.raises(ValueError, match=rf"^own\.npz: {sentence}$"):
        datasets.from_file(tmp_path / "own.npz")


def test_an_npz_that_is_none(tmp_path: Path) -> None:
    whole = npz(tmp_path / "own.npz", X=np.zeros((30, 2)), y=np.arange(30))
    np.save(tmp_path / "X.npy", np.zeros((3, 2)))
    spoilt = bytearray(whole)
    spoilt[100] ^= 255  # in the data: the checksum differs
    for content in (
        b"", whole[:-30], whole[:200], bytes(spoilt), b"X,y\n1,2\n",
        pickle.dumps({"X": [1]}), (tmp_path / "X.npy").read_bytes(),
    ):  # fmt: skip
        (tmp_path / "own.npz").write_bytes(content)
        with pytest.raises(ValueError, match=r"^own\.npz: it is no \.npz of plain arrays: .*$"):
            datasets.from_file(tmp_path / "own.npz")
