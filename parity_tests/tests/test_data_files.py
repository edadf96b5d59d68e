"""Data of one's own: .csv, .npz, memory maps, and MNIST from a cache; a sentence for every file that is no data."""

from __future__ import annotations

import pickle
import tracemalloc
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest

import datasets
from datasets import Dataset, lazy, own_file
from datasets.dataset import Array
from datasets.lazy import LazyColumns, LazyImages
from datasets.prepare import from_arrays
from datasets.targets import infer_task
from manual.architecture import model
from manual.checks import parts
from manual.learning import take


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def check_same(one: Dataset, other: Dataset) -> None:
    for a, b in zip(one, other, strict=True):
        if isinstance(a, np.ndarray):
            np.testing.assert_array_equal(a, b)
            assert isinstance(b, np.ndarray)
            assert a.dtype == b.dtype
            assert a.flags.c_contiguous
        else:
            assert a == b


# .csv


def csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    path.write_text("\n".join(",".join(map(str, row)) for row in [header, *rows]) + "\n")
    return path


def table(m: int = 20) -> tuple[Array, list[list[object]]]:
    """X of two features, and rows with every kind of target: price, count, kind, colour, left, right."""
    X = rng().normal(size=(m, 2))
    rows = [
        [x1, x2, x1 - x2, i % 7, i % 2, "red" if i % 3 else "blue", i % 2, i % 3 % 2] for i, (x1, x2) in enumerate(X)
    ]
    return X, rows


HEADER = ["width", "height", "price", "count", "kind", "colour", "left", "right"]


def columns_of(path: Path, keep: Sequence[str]) -> Path:
    """A .csv of the table with these columns only."""
    _, rows = table()
    places = [HEADER.index(name) for name in keep]
    return csv(path, keep, [[row[j] for j in places] for row in rows])


@pytest.mark.parametrize(
    ("targets", "given", "task", "names"),
    [
        ("price", None, "regression", ("price",)),
        ("price", "regression", "regression", ("price",)),
        ("count", None, "multiclass", tuple("0123456")),
        ("count", "regression", "regression", ("count",)),
        ("kind", None, "binary", ("0", "1")),
        ("colour", None, "binary", ("blue", "red")),
        ("colour", "multiclass", "multiclass", ("blue", "red")),
        ("left,right", None, "multilabel", ("left", "right")),
        ("price, count", None, "regression", ("price", "count")),
        (("count", "left"), None, "regression", ("count", "left")),
    ],
)
def test_a_table_is_its_columns(
    targets: str | tuple[str, ...], given: str | None, task: str, names: tuple[str, ...], tmp_path: Path
) -> None:
    listed = [name.strip() for name in targets.split(",")] if isinstance(targets, str) else list(targets)
    path = columns_of(tmp_path / "mine.csv", [listed[0], "width", *listed[1:], "height"])
    found = datasets.from_file(path, target=targets, task=given, seed=3, test_size=0.4, dtype="float32")
    X, rows = table()
    Y = np.array([[row[HEADER.index(name)] for name in listed] for row in rows])
    Y = Y[:, 0] if len(listed) == 1 else Y
    expected = from_arrays(
        "mine",
        task,
        X,
        Y,
        seed=3,
        test_size=0.4,
        dtype="float32",
        feature_names=("width", "height"),
        target_names=names,
    )
    assert (found.task, found.target_names) == (task, names)
    check_same(found, expected)


def test_a_column_whose_name_has_a_comma(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('x,"size, in m",y\n' + "".join(f'{i},"{i * 0.5}",{i}.5\n' for i in range(6)))
    data = datasets.from_file(tmp_path / "a.csv", target="size, in m")
    assert data.target_names == ("size, in m",)
    assert data.feature_names == ("x", "y")


def test_files_of_spreadsheets(tmp_path: Path) -> None:
    lines = ["﻿x , label", *(f' {i}.5 ,"{"no" if i % 2 else "yes"}"' for i in range(6)), "", ""]
    (tmp_path / "a.CSV").write_text("\r\n".join(lines), encoding="utf-8")
    data = datasets.from_file(tmp_path / "a.CSV", target="label")
    assert (data.feature_names, data.target_names, data.X_train.shape) == (("x",), ("no", "yes"), (1, 4))


GOOD_ROWS = "".join(f"{i},{i * i},{i % 2}\n" for i in range(6))
GOOD_TABLE = "a,b,y\n" + GOOD_ROWS
BAD_TABLES: dict[str, tuple[str, dict[str, Any], str]] = {
    "empty": ("", {}, "it is empty, expected a header and at least 2 examples"),
    "blank": ("\n\n", {}, "it is empty, expected a header and at least 2 examples"),
    "header alone": ("a,b,y\n", {}, "it has a header and no examples, expected at least 2"),
    "one example": ("a,b,y\n1,2,3\n", {}, "X has m = 1, expected at least 2 examples: one to train, one to test"),
    "one column": ("y\n1\n2\n", {}, "it has one column, 'y', expected a target and a feature, separated by commas"),
    "semicolons": ("a;b;y\n1;2;3\n", {}, "it has one column, 'a;b;y', expected .* separated by commas"),
    "no target": (GOOD_TABLE, {"target": None}, "target is None, expected the name of a column: a, b, y"),
    "another target": (GOOD_TABLE, {"target": "z"}, "target is 'z', expected the name of a column: a, b, y"),
    "one of two targets": (
        GOOD_TABLE,
        {"target": "y,z"},
        "target is 'z', expected the name of a column: .*",
    ),
    "a target twice": (GOOD_TABLE, {"target": "y,y"}, "target is .*, expected every column once"),
    "targets alone": ("a,y\n1,2\n", {"target": "a,y"}, "target is 'a,y', expected fewer than all columns: .*"),
    "no name": (",b,y\n" + GOOD_ROWS, {}, "column 1 has no name in row 1, expected one for each of 3 columns"),
    "a name twice": ("a,a,y\n" + GOOD_ROWS, {}, "two columns are named 'a' in row 1, expected a name of its own .*"),
    "text": (GOOD_TABLE + "7,many,1\n", {}, "it has 'many' at row 8, column 'b', expected a number"),
    "empty cell": (
        GOOD_TABLE + ",7,1\n",
        {},
        "it has an empty cell at row 8, column 'a', expected a number",
    ),
    "NaN": ("a,b,y\n1,nan,0\n" + GOOD_ROWS, {}, "it has nan at row 2, column 'b', expected a finite number"),
    "infinity": ("a,b,y\n\n1,-1e999,0\n" + GOOD_ROWS, {}, "it has -inf at row 3, column 'b', expected .*"),
    "short row": (GOOD_TABLE + "7,1\n", {}, "row 8 has 2 cells, expected 3 as in the header, row 1"),
    "long row": ("a,b,y\n1,2,3,4\n", {}, "row 2 has 4 cells, expected 3 as in the header, row 1"),
    "empty target": (
        GOOD_TABLE + "7,1, \n",
        {},
        "it has an empty cell at row 8, column 'y', expected a target for every example",
    ),
    "text among the targets": (
        GOOD_TABLE + "7,1,many\n",
        {},
        "it has 'many' at row 8, column 'y', expected a number as in other rows, or task multiclass",
    ),
    "text for a regression": (
        "a,b,y\n1,2,low\n1,2,high\n",
        {"task": "regression"},
        "it has 'low' at row 2, column 'y', expected a number",
    ),
    "NaN target": ("a,b,y\n1,2,3.5\n1,2,nan\n", {}, "it has nan at row 3, column 'y', expected a finite number"),
    "two targets of text": (
        "a,b,y\n1,low,1\n2,high,1\n",
        {"target": "b,y"},
        "target column 'b' holds text, expected numbers where there are several targets",
    ),
    "lone class": (
        GOOD_TABLE + "7,1,2\n",
        {"test_size": 0.5},
        r"Y has one example of class 2, expected two, one for each part, or task regression for values: "
        r"it stands at row 8, column 'y'",
    ),
    "lone class of text": (
        "a,b,y\n1,1,yes\n2,2,yes\n\n3,3,perhaps\n4,4,no\n5,5,no\n6,6,no\n",
        {"test_size": 0.5},
        r"Y has one example of class perhaps, expected two, one for each part: it stands at row 5, column 'y'",
    ),
    "one class": ("a,b,y\n1,2,0\n1,2,0\n", {}, "Y has the one class 0, expected at least two for task multiclass"),
    "unknown task": (GOOD_TABLE, {"task": "ranking"}, "task is 'ranking', expected one of binary, .*"),
    "dtype": (GOOD_TABLE, {"dtype": "int8"}, "dtype is 'int8', expected float32 or float64"),
    "long cell": ("a,b,y\n1," + "x" * 200_000 + ",0\n", {}, "it cannot be read as comma-separated values: field .*"),
}


@pytest.mark.parametrize(("text", "options", "sentence"), BAD_TABLES.values(), ids=BAD_TABLES.keys())
def test_a_bad_table_gets_one_sentence(text: str, options: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(text)
    with pytest.raises(ValueError, match=rf"^mine\.csv: {sentence}$") as caught:
        datasets.from_file(tmp_path / "mine.csv", **{"target": "y", **options})
    assert len(str(caught.value)) < 200


def test_no_text(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_bytes(b"a,y\n\xff\xfe,1\n")
    with pytest.raises(ValueError, match=r"^mine\.csv: it is no text in UTF-8, expected comma-separated values$"):
        datasets.from_file(tmp_path / "mine.csv", target="y")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("none.csv", r".*none\.csv is not there, expected a file"),
        ("none.xlsx", r"none\.xlsx ends in '\.xlsx', expected \.csv, \.npz, \.npy"),
        ("none", r"none ends in '', expected \.csv, \.npz, \.npy"),
        ("", r".* ends in '.*', expected \.csv, \.npz, \.npy"),
    ],
)
def test_no_file(name: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"^{sentence}$"):
        datasets.from_file(tmp_path / name)


@pytest.mark.parametrize(
    ("Y", "task"),
    [
        ([0, 1, 1], "binary"),
        ([3, 1, 2], "multiclass"),
        ([True, False], "binary"),
        (["a", "b", "c"], "multiclass"),
        (np.array(["a", "b"], object), "binary"),
        (np.array(["a", 1], object), "multiclass"),
        ([[0], [1]], "binary"),
        ([0.0, 1.0], "regression"),
        ([[0.0, 1.0]], "regression"),
        ([[0, 1], [1, 1]], "multilabel"),
        ([[0, 1], [1, 2]], "regression"),
        ([0, 0], "multiclass"),
        (np.array([1, 2], np.uint8), "binary"),
        ([["a", "b"], ["a", "a"]], "regression"),
        (np.zeros((2, 1, 1), int), "regression"),
        (np.zeros(2, "i4,f4"), "multiclass"),
        (np.array([1j, 2j]), "multiclass"),
    ],
)
def test_the_task_that_targets_look_like(Y: Any, task: str) -> None:
    assert infer_task(Y) == task


# .npz


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


def npz(path: Path, **arrays: Any) -> bytes:
    np.savez(path, **arrays)
    return path.read_bytes()


LISTS = np.array([[1], [2, 3]], object)


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


# .npy


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


# MNIST and Fashion-MNIST


class Bunch:
    """What fetch_openml returns, as far as it is used; a class that only the last example of a part has is enough."""

    def __init__(self, m: int) -> None:
        self.data = rng().integers(0, 256, (m, 784)).astype(np.int64)
        self.target = np.array([str(i % 10) for i in range(m)], object)


@pytest.mark.parametrize(("name", "data_id", "third"), [("mnist", 554, "2"), ("fashion_mnist", 40996, "pullover")])
def test_images_from_openml(
    name: str, data_id: int, third: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = []

    def fetch_openml(**options: object) -> Bunch:
        asked.append(options)
        return Bunch(120)

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fetch_openml)
    monkeypatch.setattr("datasets.openml.TEST", 30)
    data = datasets.load(name, seed=5, test_size=0.9, dtype="float32", data_home=tmp_path)
    assert (data.name, data.task, data.image_shape, data.target_names[2]) == (name, "multiclass", (28, 28, 1), third)
    assert (data.images_train.shape, data.images_test.shape) == ((90, 28, 28, 1), (30, 28, 28, 1))
    assert len(data.target_names) == 10
    np.testing.assert_array_equal(data.Y_train.argmax(axis=0), np.arange(90) % 10)
    np.testing.assert_array_equal(data.Y_test.argmax(axis=0), np.arange(90, 120) % 10)
    raw = Bunch(120).data[90:].T
    assert np.corrcoef(raw.ravel(), data.X_test.ravel())[0, 1] > 1 - 1e-6
    (options,) = asked
    assert (options["data_id"], options["as_frame"], options["data_home"]) == (data_id, False, tmp_path)
    assert options["parser"] in ("pandas", "liac-arff")


def test_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch_openml(**_: object) -> None:
        warnings.warn("A network error occurred. Retrying...", stacklevel=1)
        raise URLError("[Errno -3] Temporary failure in name resolution")

    monkeypatch.setattr("sklearn.datasets.fetch_openml", fetch_openml)
    sentence = (
        r"^mnist is not in scikit-learn's cache \(data_home, or SCIKIT_LEARN_DATA\) and cannot be fetched from "
        r"openml\.org: <urlopen error .*$"
    )
    with pytest.raises(ValueError, match=sentence):
        datasets.load("mnist")
