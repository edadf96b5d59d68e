"""Data of one's own in a pair of .npy files, held or mapped, and a sentence for every pair that does not do."""

from __future__ import annotations

import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import datasets
from datasets import lazy, own_file
from datasets.dataset import Array
from datasets.lazy import LazyColumns, LazyImages
from datasets.prepare import from_arrays
from manual.architecture import model
from manual.checks import parts
from manual.shared.settings import take
from parity_tests.tests.datasets.dataset_checks import LISTS, check_same, npz, rng


def pair(folder: Path, X: Array, Y: Array, y: str = "Y.npy") -> Path:
    np.save(folder / "X.npy", X)
    np.save(folder / y, Y)
    return folder / "X.npy"


@pytest.mark.parametrize("y", ["Y.npy", "y.npy", "labels.npy"])
def test_a_pair_of_files(y: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    X, Y = rng().normal(size=(20, 4)), np.arange(20) % 2
    path = pair(tmp_path, X, Y, y)
    expected = from_arrays("X", "binary", X, Y, seed=1)
    named = [y, str(tmp_path / y)] + ([None] if y != "labels.npy" else [])
    for target in named:
        check_same(datasets.from_file(path, target=target, seed=1), expected)
    monkeypatch.chdir(tmp_path)
    check_same(datasets.from_file("X.npy", target=y, seed=1), expected)


@pytest.fixture
def nothing_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every .npy stays in its file, and is read a few rows at a time."""
    monkeypatch.setattr(own_file, "HELD", 0)
    monkeypatch.setattr(lazy, "CHUNK", 8 * 24 * 7)


@pytest.mark.usefixtures("nothing_is_held")
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("shape", [(24,), (4, 6), (2, 3, 4)], ids=["rows", "grey", "coloured"])
def test_a_map_gives_what_the_arrays_hold(shape: tuple[int, ...], dtype: Any, tmp_path: Path) -> None:
    X = rng().normal(3, 2, size=(50, *shape))
    X.reshape(50, -1)[:, 5] = 0.3  # a constant feature becomes 0
    Y = np.arange(50) % 3
    path = pair(tmp_path, X, Y)
    data = datasets.from_file(path, seed=4, test_size=0.3, dtype=dtype)
    image_shape = None if len(shape) == 1 else (*shape, 1)[:3]
    held = from_arrays(
        "X", "multiclass", X.reshape(50, -1), Y, image_shape=image_shape, seed=4, test_size=0.3, dtype=dtype
    )
    assert data[:2] == held[:2]
    assert data[6:] == held[6:]
    np.testing.assert_array_equal(data.Y_train, held.Y_train)
    np.testing.assert_array_equal(data.Y_test, held.Y_test)
    # the mean of 50 values of size 3 in two orders: 50 units of 3, over a deviation of 2; then two roundings of 5
    tolerance = 50 * 3 / 2 * float(np.finfo(np.float64).eps) + 5 * float(np.finfo(dtype).eps)
    mapped: Any
    for mapped, whole in ((data.X_train, held.X_train), (data.X_test, held.X_test)):
        assert isinstance(mapped, LazyColumns)
        assert (mapped.shape, mapped.ndim, mapped.dtype, len(mapped)) == (whole.shape, 2, whole.dtype, len(whole))
        some = np.array([3, 0, 3, -1])
        for found, expected in (
            (mapped.take(some), whole[:, some]),
            (mapped.take(some, axis=1), whole[:, some]),
            (np.take(mapped, some, axis=1), whole[:, some]),
            (mapped[:, some], whole[:, some]),
            (mapped[:, 4:9], whole[:, 4:9]),
            (mapped[:, whole[0] > 0], whole[:, whole[0] > 0]),
            (mapped[:, :0], whole[:, :0]),
            (take(mapped, some), whole[:, some]),
        ):
            assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
            assert type(found) is np.ndarray
            assert found.flags.c_contiguous
            np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)
        np.testing.assert_array_equal(mapped[:, :], mapped.take(np.arange(whole.shape[1])))
    if image_shape:
        for mapped, whole in ((data.images_train, held.images_train), (data.images_test, held.images_test)):
            assert isinstance(mapped, LazyImages)
            assert (mapped.shape, mapped.ndim, mapped.dtype, len(mapped)) == (whole.shape, 4, whole.dtype, len(whole))
            for found in (mapped[some], mapped.take(some), np.take(mapped, some, axis=0), take(mapped, some)):
                np.testing.assert_allclose(found, whole[some], rtol=0, atol=tolerance)
            np.testing.assert_allclose(mapped[4:9], whole[4:9], rtol=0, atol=tolerance)


@pytest.mark.usefixtures("nothing_is_held")
def test_the_whole_of_a_map_is_not_had_by_mistake(tmp_path: Path) -> None:
    data = datasets.from_file(pair(tmp_path, rng().normal(size=(50, 4, 3)), np.arange(50) % 2))
    X, volumes = data.X_train, data.images_train
    assert repr(X) == "LazyColumns(shape=(12, 40), dtype=float64)"
    assert repr(volumes) == "LazyImages(shape=(40, 4, 3, 1), dtype=float64)"
    for whole in (X, volumes):
        with pytest.raises(TypeError, match=r"^X is read from its file as it is needed: take examples, .*$"):
            np.asarray(whole)
        with pytest.raises(TypeError, match=r"take examples"):
            np.isfinite(whole)
    for key in (3, slice(0, 3), (0, slice(None)), (slice(None),), (slice(1, 2), slice(None))):
        with pytest.raises(IndexError, match=r"expected \[:, examples\]: whole columns$"):
            X[key]
    for wrong in (lambda: X[:, 3], lambda: volumes[3], lambda: X.take(3), lambda: X.take([[1]])):
        with pytest.raises(IndexError, match=r"expected a slice or a list of numbers$"):
            wrong()
    for wrong in (lambda: X.take([1], axis=0), lambda: volumes.take([1], axis=1)):
        with pytest.raises(IndexError, match=r"expected [01]: examples are taken, not features$"):
            wrong()
    with pytest.raises(ValueError, match=r"^mode is 'clip', expected 'raise' and no out: .*$"):
        X.take([1], axis=1, mode="clip")
    with pytest.raises(ValueError, match=r"expected 'raise' and no out"):
        X.take([1], axis=1, out=np.zeros((12, 1)))
    with pytest.raises(IndexError):
        X.take([40])


@pytest.mark.usefixtures("nothing_is_held")
def test_a_map_passes_the_door_of_a_network(tmp_path: Path) -> None:
    data = datasets.from_file(pair(tmp_path, rng().normal(size=(50, 8, 8)), np.arange(50) % 3))
    assert parts(model("wide", 64, 3), data).X_train.shape == (64, 40)
    assert parts(model("convnet", (8, 8, 1), 3), data).X_train.shape == (40, 8, 8, 1)
    with pytest.raises(ValueError, match=r"X has shape \(64, 40\), expected \(63, 40\)"):
        parts(model("wide", 63, 3), data)
    spoilt = data.Y_train.copy()
    spoilt[1, 7] = 0.5
    with pytest.raises(ValueError, match=r"Y is 0\.5 at row 1, example 7, expected 0 or 1"):
        parts(model("wide", 64, 3), data._replace(Y_train=spoilt))


@pytest.mark.usefixtures("nothing_is_held")
def test_a_regression_from_a_map(tmp_path: Path) -> None:
    X, Y = rng().normal(size=(50, 3)), rng().normal(size=(50, 2))
    data = datasets.from_file(pair(tmp_path, X, Y))
    held = from_arrays("X", "regression", X, Y)
    assert data.task == "regression"
    np.testing.assert_array_equal(data.Y_train, held.Y_train)


@pytest.mark.slow
def test_a_map_is_never_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    m, n_x = 40_000, 100
    stored = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.float32, (m, n_x))  # 16 MB
    stored[:] = rng().standard_normal((m, n_x), dtype=np.float32)
    stored.flush()
    np.save(tmp_path / "Y.npy", np.arange(m) % 2)
    monkeypatch.setattr(own_file, "HELD", 2**20)
    monkeypatch.setattr(lazy, "CHUNK", 2**18)
    datasets.from_file(pair(tmp_path / "..", np.eye(4), np.arange(4) % 2))  # imports
    tracemalloc.start()
    data = datasets.from_file(tmp_path / "X.npy", dtype="float32")
    for start in range(0, 32_000, 1000):
        assert data.X_train[:, start : start + 1000].shape == (n_x, 1000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # labels, one-hot columns and the numbers of the examples are held: some 8 numbers an example, of its 100
    assert peak < 8 * m * n_x / 3


@pytest.mark.parametrize("held", [0, 2**28], ids=["mapped", "held"])
@pytest.mark.parametrize(
    ("X", "Y", "sentence"),
    [
        (np.zeros(3), np.zeros(3), r"X has shape \(3,\), expected \(m, n_x\): .*"),
        (np.zeros((3, 2, 2, 2, 2)), np.zeros(3), r"X has shape \(3, 2, 2, 2, 2\), expected \(m, n_x\): .*"),
        (np.zeros((1, 2)), np.zeros(1), r"X has m = 1, expected at least 2 examples: .*"),
        (np.zeros((0, 2)), np.zeros(0), r"X has m = 0, expected at least 2 examples: .*"),
        (np.zeros((0, 2, 2)), np.zeros(0), r"X has m = 0, expected at least 2 examples: .*"),
        (np.zeros((3, 0, 2)), np.zeros(3), r"X has shape \(3, 0\), expected \(m, n_x\): .*"),
        (np.zeros((3, 0)), np.zeros(3), r"X has shape \(3, 0\), expected \(m, n_x\): .*"),
        (np.zeros((3, 2)), np.zeros(4), r"Y has 4 examples, expected 3 as in X: .*"),
        (np.full((9, 2), "a"), np.zeros(9), r"X holds values of dtype <U1, expected real numbers"),
        (np.array([[1.0, 2.0]] * 8 + [[1.0, np.nan]]), np.zeros(9), r"X has nan at row 8, column 1 \(from 0\), .*"),
        (
            np.array([[1.0, 2.0], [1.0, 1e300]] + [[1.0, 2.0]] * 7),
            np.arange(9.0),
            r"X reaches 1e\+300, expected numbers that .*",
        ),
        (np.zeros((9, 2)), np.array([1, 1, 0, 0, 0, 0, 1, 1, 2]), r"Y has one example of class 2, expected two, .*"),
    ],
)
def test_a_pair_that_does_not_do(
    held: int, X: Array, Y: Array, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_file, "HELD", held)
    monkeypatch.setattr(lazy, "CHUNK", 32)
    path = pair(tmp_path, X, Y)
    with pytest.raises(ValueError, match=rf"^X\.npy: {sentence}$"):
        datasets.from_file(path, test_size=0.6, dtype="float32")


@pytest.mark.usefixtures("nothing_is_held")
def test_what_overflows_is_the_difference_from_the_mean(tmp_path: Path) -> None:
    """A feature far from 0 is scaled all the same, but what lies on the other side of it is not."""
    X, Y = np.full((10, 2), 3e38), np.arange(10) % 2
    data = datasets.from_file(pair(tmp_path, X, Y), dtype="float32", test_size=0.6)
    assert not take(data.X_train, np.arange(4)).any()
    X = np.where(np.arange(10)[:, None] == 3, 2e38, np.full((10, 2), -2e38))
    with pytest.raises(ValueError, match=r"X.npy: X reaches 2e\+38, expected numbers that float32 holds when scaled$"):
        datasets.from_file(pair(tmp_path, X, Y), dtype="float32", test_size=0.6)


def test_a_npy_that_is_none(tmp_path: Path) -> None:
    path = pair(tmp_path, np.zeros((30, 2)), np.arange(30))
    whole = path.read_bytes()
    np.save(tmp_path / "objects.npy", LISTS)
    objects = (tmp_path / "objects.npy").read_bytes()
    spoilt = (whole.replace(b"}", b"("), whole.replace(b"(30, 2)", b"(30, x)"), whole.replace(b"(30, 2)", b"(9**99,)"))
    archive = npz(tmp_path / "a.npz", X=1)
    for content in (b"", whole[:-1], whole[:20], pickle.dumps([1]), b"text", objects, archive, *spoilt):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"^X\.npy: X\.npy is no \.npy of a plain array.*$"):
            datasets.from_file(path)
    path.write_bytes(whole)
    (tmp_path / "Y.npy").write_bytes(objects)
    with pytest.raises(ValueError, match=r"^X\.npy: Y\.npy is no \.npy of a plain array.*$"):
        datasets.from_file(path)


def test_no_targets_beside_it(tmp_path: Path) -> None:
    np.save(tmp_path / "X.npy", np.zeros((3, 2)))
    with pytest.raises(ValueError, match=r"^X\.npy: target is None, expected Y\.npy or y\.npy beside it, .*$"):
        datasets.from_file(tmp_path / "X.npy")
    for target in ("none.npy", "X.npy"):
        with pytest.raises(ValueError, match=rf"^X\.npy: target is '{target}', expected a \.npy file, .*$"):
            datasets.from_file(tmp_path / "X.npy", target=target)
