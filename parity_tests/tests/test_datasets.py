"""Data sets: shapes, split, scaling, seeds, own arrays, and a sentence for everything that is no data."""

from __future__ import annotations

import doctest
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, DTypeLike

import datasets
from datasets import Dataset, catalogue, generated
from datasets.dataset import Array
from datasets.prepare import from_arrays

# name: task, n_x, n_L, m_train, m_test, number of target names
SHAPES = {
    "breast_cancer": ("binary", 30, 1, 455, 114, 2),
    "iris": ("multiclass", 4, 3, 120, 30, 3),
    "wine": ("multiclass", 13, 3, 142, 36, 3),
    "digits": ("multiclass", 64, 10, 1437, 360, 10),
    "digits28": ("multiclass", 784, 10, 1437, 360, 10),
    "diabetes": ("regression", 10, 1, 353, 89, 1),
    "linnerud": ("regression", 3, 3, 16, 4, 3),
    "moons": ("binary", 2, 1, 320, 80, 2),
    "circles": ("binary", 2, 1, 320, 80, 2),
    "blobs": ("multiclass", 2, 3, 320, 80, 3),
    "multilabel": ("multilabel", 20, 5, 320, 80, 5),
    "flower": ("binary", 2, 1, 320, 80, 2),
}
FETCHED = ("mnist", "fashion_mnist")
FLAT = tuple(name for name in SHAPES if not name.startswith("digits"))
REGRESSION = ("diabetes", "linnerud")
GENERATED = ("moons", "circles", "blobs", "multilabel", "flower")
DTYPES = (np.float32, np.float64)


def parts(data: Dataset) -> tuple[Array, ...]:
    return data.X_train, data.Y_train, data.X_test, data.Y_test


def numbered(m: int) -> Array:
    """Examples whose first feature is their own number, so that the split can be read off the result."""
    X = np.random.default_rng(0).normal(5, 3, (m, 3))
    X[:, 0] = np.arange(m)
    return X


def rows_of(data: Dataset, m: int) -> tuple[Array, Array]:
    """The row numbers of both parts: scaling keeps the order of the first feature."""
    first = np.concatenate([data.X_train[0], data.X_test[0]])
    rows = np.empty(m, dtype=int)
    rows[np.argsort(first)] = np.arange(m)
    m_train = data.X_train.shape[1]
    return rows[:m_train], rows[m_train:]


def check_same(one: Dataset, other: Dataset) -> None:
    for a, b in zip(parts(one), parts(other), strict=True):
        np.testing.assert_array_equal(a, b)


def test_names_are_those_of_the_table() -> None:
    assert [*SHAPES, *FETCHED] == list(datasets.NAMES)
    assert isinstance(datasets.NAMES, tuple)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES, ids=["float32", "float64"])
def test_shapes_dtype_and_layout(name: str, dtype: DTypeLike) -> None:
    task, n_x, n_L, m_train, m_test, n_names = SHAPES[name]
    data = datasets.load(name, dtype=dtype)
    assert (data.name, data.task) == (name, task)
    assert [part.shape for part in parts(data)] == [
        (n_x, m_train),
        (n_L, m_train),
        (n_x, m_test),
        (n_L, m_test),
    ]
    assert all(part.dtype == dtype and part.flags.c_contiguous for part in parts(data))
    assert len(data.feature_names) == n_x
    assert len(data.target_names) == n_names
    assert {type(one) for one in data.feature_names + data.target_names} == {str}


def test_names_are_those_of_scikit_learn() -> None:
    assert datasets.load("breast_cancer").target_names == ("malignant", "benign")
    assert datasets.load("linnerud").feature_names == ("Chins", "Situps", "Jumps")


def test_test_size_is_passed_on() -> None:
    assert datasets.load("iris", test_size=0.5).X_test.shape == (4, 75)


@pytest.mark.parametrize("name", SHAPES)
def test_float32_is_float64_rounded(name: str) -> None:
    wide, narrow = datasets.load(name), datasets.load(name, dtype="float32")
    for a, b in zip(parts(wide), parts(narrow), strict=True):
        np.testing.assert_array_equal(a.astype(np.float32), b)


@pytest.mark.parametrize("name", FLAT)
def test_scaled_by_the_training_part_alone(name: str) -> None:
    data = datasets.load(name)
    np.testing.assert_allclose(data.X_train.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(data.X_train.std(axis=1), 1, rtol=1e-12)
    # Had the test part been scaled by itself, these would be 0 and 1 too.
    assert np.abs(data.X_test.mean(axis=1)).max() > 0.01
    assert np.abs(data.X_test.std(axis=1) - 1).max() > 0.01


@pytest.mark.parametrize("name", REGRESSION)
def test_regression_target_scaled_by_the_training_part_alone(name: str) -> None:
    data = datasets.load(name)
    np.testing.assert_allclose(data.Y_train.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(data.Y_train.std(axis=1), 1, rtol=1e-12)
    assert (np.abs(data.Y_test.mean(axis=1)) > 1e-6).all()


def test_images_have_one_mean_and_one_deviation() -> None:
    data = datasets.load("digits")
    assert data.X_train.mean() == pytest.approx(0, abs=1e-12)
    assert data.X_train.std() == pytest.approx(1)
    assert abs(data.X_test.mean()) > 1e-6
    # 17 levels of grey stay 17 levels, evenly spaced, in both parts; pixel by pixel there would be hundreds.
    levels = np.unique(np.concatenate([data.X_train, data.X_test], axis=1).round(9))
    assert len(levels) == 17
    np.testing.assert_allclose(np.diff(levels), np.diff(levels).mean(), rtol=1e-6)


def test_images_undo_the_flattening_channels_last() -> None:
    images = np.random.default_rng(0).normal(size=(10, 2, 3, 4))
    images[:, 0, 0, 0] = 100 + np.arange(10)  # a number to know each example by
    X = images.reshape(10, -1)
    data = from_arrays("own", "regression", X, np.arange(10), image_shape=(2, 3, 4), test_size=0.3)
    assert data.images_train.shape == (7, 2, 3, 4)
    assert data.images_test.shape == (3, 2, 3, 4)
    assert np.shares_memory(data.images_train, data.X_train)
    corner = np.concatenate([data.images_train, data.images_test])[:, 0, 0, 0]
    train, test = np.split(np.argsort(np.argsort(corner)), [7])
    mean, deviation = images[train].mean(), images[train].std()
    np.testing.assert_allclose(data.images_train, (images[train] - mean) / deviation)
    np.testing.assert_allclose(data.images_test, (images[test] - mean) / deviation)


def test_digits28_are_the_digits_on_a_blank_border() -> None:
    small, large = datasets.load("digits"), datasets.load("digits28")
    np.testing.assert_array_equal(small.Y_train, large.Y_train)
    assert large.images_train.shape == (1437, 28, 28, 1)
    middle = large.images_train[:, 10:18, 10:18]
    assert np.corrcoef(middle.ravel(), small.images_train.ravel())[0, 1] > 1 - 1e-12
    border = np.ones((28, 28), bool)
    border[10:18, 10:18] = False
    assert np.ptp(large.images_train[:, border]) == 0 < np.ptp(middle)


def test_digits_look_like_digits() -> None:
    data = datasets.load("digits")
    assert data.image_shape == (8, 8, 1)
    np.testing.assert_array_equal(data.images_test[5, :, :, 0].ravel(), data.X_test[:, 5])
    zero = data.images_train[data.Y_train[0] == 1].mean(axis=0)[..., 0]
    assert zero[3:5, 3:5].max() < zero[3:5, [2, 5]].min()  # the hole of a nought


@pytest.mark.parametrize("part", ["images_train", "images_test"])
def test_no_images_where_there_are_none(part: str) -> None:
    sentence = r"^iris has no image_shape, expected \(n_H, n_W, n_C\): it holds no images$"
    with pytest.raises(ValueError, match=sentence):
        getattr(datasets.load("iris"), part)


@pytest.mark.parametrize("name", SHAPES)
def test_targets_are_of_their_task(name: str) -> None:
    data = datasets.load(name)
    Y = np.concatenate([data.Y_train, data.Y_test], axis=1)
    if data.task != "regression":
        assert set(np.unique(Y)) == {0.0, 1.0}
    if data.task == "multiclass":
        np.testing.assert_array_equal(Y.sum(axis=0), 1)
        assert (Y.sum(axis=1) > 1).all()


@pytest.mark.parametrize("name", SHAPES)
def test_same_seed_same_data_other_seed_other_data(name: str) -> None:
    check_same(datasets.load(name, seed=3), datasets.load(name, seed=3))
    assert not np.array_equal(datasets.load(name, seed=3).X_train, datasets.load(name, seed=4).X_train)
    assert not np.array_equal(datasets.load(name).Y_test, datasets.load(name, seed=4).Y_test)


@pytest.mark.parametrize("name", GENERATED)
def test_generated_points_follow_the_seed(name: str) -> None:
    loader = catalogue.LOADERS[name]
    assert loader(0).X.shape[0] == 400
    np.testing.assert_array_equal(loader(5).X, loader(5).X)
    # Sorted, because the order of the points is seeded too.
    assert not np.allclose(np.sort(loader(5).X, axis=0), np.sort(loader(6).X, axis=0))


@pytest.mark.parametrize(
    ("name", "counts"),
    [("iris", [10, 10, 10]), ("moons", [40, 40]), ("flower", [40, 40]), ("breast_cancer", [42, 72])],
)
@pytest.mark.parametrize("seed", range(3))
def test_classes_are_stratified(name: str, counts: list[int], seed: int) -> None:
    Y = datasets.load(name, seed=seed).Y_test
    found = Y.sum(axis=1) if len(Y) > 1 else [(Y == 0).sum(), (Y == 1).sum()]
    assert list(found) == counts


@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "regression"])
@pytest.mark.parametrize(("m", "test_size", "m_test"), [(40, 0.2, 8), (41, 0.25, 11), (7, 0.5, 4)])
def test_own_arrays_come_back_split_and_scaled(task: str, m: int, test_size: float, m_test: int) -> None:
    X = numbered(m)
    rng = np.random.default_rng(1)
    Y = {
        "binary": np.arange(m) % 2,
        "multiclass": np.arange(m) % 3,
        "multilabel": rng.integers(0, 2, (m, 4)),
        "regression": rng.normal(size=(m, 2)),
    }[task]
    data = from_arrays("own", task, X, Y, test_size=test_size, seed=2)
    train, test = rows_of(data, m)
    assert len(test) == m_test
    assert sorted([*train, *test]) == list(range(m))
    assert list(train) != sorted(train)
    mean, deviation = X[train].mean(axis=0), X[train].std(axis=0)
    np.testing.assert_allclose(data.X_train, ((X[train] - mean) / deviation).T, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(data.X_test, ((X[test] - mean) / deviation).T, rtol=1e-9, atol=1e-12)
    expected = Y
    if task == "binary":
        expected = Y[:, np.newaxis]
    elif task == "multiclass":
        expected = np.eye(3)[Y]
    elif task == "regression":
        expected = (Y - Y[train].mean(axis=0)) / Y[train].std(axis=0)
    np.testing.assert_allclose(data.Y_train, expected[train].T, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(data.Y_test, expected[test].T, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("task", "Y", "names"),
    [
        ("binary", [-1, 1] * 5, ("-1", "1")),
        ("binary", [1.0, 0.0] * 5, ("0", "1")),
        ("binary", [True, False] * 5, ("False", "True")),
        ("binary", np.array(["no", "yes"] * 5, dtype=object), ("no", "yes")),
        ("binary", np.array(["no", "yes"] * 5, dtype=np.dtypes.StringDType()), ("no", "yes")),
        ("binary", np.array([[3], [7]] * 5), ("3", "7")),
        ("multiclass", ["b", "a"] * 5, ("a", "b")),
        ("multiclass", [20, 3, 20, 3, 100] * 2, ("3", "20", "100")),
        ("multilabel", np.eye(10)[:, :2], ("y1", "y2")),
        ("multilabel", np.eye(10, dtype=bool)[:, 0], ("y1",)),
        ("regression", np.arange(10), ("y1",)),
        ("regression", np.eye(10)[:, :3], ("y1", "y2", "y3")),
    ],
)
def test_names_that_nobody_gave(task: str, Y: ArrayLike, names: tuple[str, ...]) -> None:
    X = numbered(10)
    data = from_arrays("own", task, X, Y)
    assert data.feature_names == ("x1", "x2", "x3")
    assert data.target_names == names
    # The row of Y is 1 where the label is the name of the row.
    rows = np.concatenate(rows_of(data, 10))
    if task in ("binary", "multiclass"):
        labels = [str(int(y)) if isinstance(y, float) else str(y) for y in np.ravel(Y).tolist()]
        one_hot = np.array(labels)[rows] == np.array(names)[:, np.newaxis]
        expected = one_hot[1:] if task == "binary" else one_hot
        np.testing.assert_array_equal(np.concatenate([data.Y_train, data.Y_test], axis=1), expected)


def test_names_that_were_given() -> None:
    data = from_arrays(
        "own",
        "binary",
        numbered(10),
        [0, 1] * 5,
        feature_names=["a", "b", "c"],
        target_names=["no", "yes"],
    )
    assert data.name == "own"
    assert data.feature_names == ("a", "b", "c")
    assert data.target_names == ("no", "yes")
    assert data.image_shape is None


@pytest.mark.parametrize("task", ["binary", "multilabel", "regression"])
def test_arrays_that_came_stay_as_they_are(task: str) -> None:
    X, Y = numbered(10), np.arange(10.0) % 2
    X_before, Y_before = X.copy(), Y.copy()
    data = from_arrays("own", task, X, Y)
    for part in parts(data):
        assert not np.shares_memory(part, X)
        assert not np.shares_memory(part, Y)
        part[...] = -7
    np.testing.assert_array_equal(X, X_before)
    np.testing.assert_array_equal(Y, Y_before)


def test_loading_gives_arrays_of_its_own() -> None:
    before = datasets.load("iris")
    spoilt = datasets.load("iris")
    for part in parts(spoilt):
        part[...] = -7
    check_same(before, datasets.load("iris"))


def test_constant_feature_becomes_zero() -> None:
    X = numbered(10)
    X[:, 1] = 0.1
    data = from_arrays("own", "regression", X, np.arange(10))
    np.testing.assert_allclose(data.X_train[1], 0, atol=1e-15)
    np.testing.assert_allclose(data.X_test[1], 0, atol=1e-15)


@pytest.mark.parametrize("seed", range(5))
def test_too_few_examples_to_stratify_are_split_all_the_same(seed: int) -> None:
    xor = from_arrays("xor", "binary", [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], seed=seed)
    assert [part.shape for part in parts(xor)] == [(2, 3), (1, 3), (2, 1), (1, 1)]
    three = from_arrays("three", "multiclass", numbered(3), ["a", "b", "c"], seed=seed)
    assert three.Y_train.shape == (3, 2)  # the class that went to the test part keeps its row
    assert three.Y_test.shape == (3, 1)


def test_two_examples_are_enough() -> None:
    data = from_arrays("two", "regression", [[1.0], [2.0]], [3.0, 4.0])
    assert [part.shape for part in parts(data)] == [(1, 1)] * 4


def test_flower_has_eight_petals_in_two_colours() -> None:
    raw = generated.flower(0)
    radius, angle = np.hypot(*raw.X.T), np.arctan2(*raw.X.T[::-1]) % (2 * np.pi)
    assert 3.5 < radius.max() < 5
    petal = (angle // (np.pi / 4)).astype(int)
    share = [raw.Y[(petal == k) & (radius > 1)].mean() for k in range(8)]
    assert [round(s) for s in share] == [0, 1, 0, 1, 1, 0, 1, 0]
    assert np.abs(np.array(share) - 0.5).min() > 0.3


X_GOOD = numbered(10)
LABELS = np.arange(10) % 2


def with_entry(array: Array, row: int, column: int, value: float) -> Array:
    changed = np.array(array, dtype=float)
    changed[row, column] = value
    return changed


def own(task: str = "binary", X: Any = X_GOOD, Y: Any = LABELS, **keywords: Any) -> Callable[[], object]:
    return lambda: from_arrays("own", task, X, Y, **keywords)


BAD_INPUT: dict[str, tuple[Callable[[], object], str]] = {
    "unknown name": (
        lambda: datasets.load("mnits"),
        r"dataset is 'mnits', expected one of breast_cancer, iris, .*, flower, mnist, fashion_mnist",
    ),
    "name no string": (
        lambda: datasets.load(["iris"]),  # type: ignore[arg-type]
        r"dataset is \['iris'\], expected one of .*",
    ),
    "long name": (lambda: datasets.load("x" * 500), r"dataset is 'x+\.\.\.x+', expected one of .*"),
    "unknown task": (
        own("ranking"),
        r"task is 'ranking', expected one of binary, multiclass, multilabel, regression",
    ),
    "dtype float16": (
        lambda: datasets.load("iris", dtype=np.float16),
        r"dtype is <class 'numpy\.float16'>, expected float32 or float64",
    ),
    "dtype complex128": (own(dtype="complex128"), r"dtype is 'complex128', expected float32 or float64"),
    "dtype unknown": (own(dtype="float33"), r"dtype is 'float33', expected float32 or float64"),
    "dtype None": (own(dtype=None), r"dtype is None, expected float32 or float64"),
    "seed negative": (
        lambda: datasets.load("moons", seed=-1),
        r"seed is -1, expected a whole number from 0 to 2\*\*32 - 1",
    ),
    "seed broken": (own(seed=0.5), r"seed is 0\.5, expected a whole number from 0 to 2\*\*32 - 1"),
    "test_size 0": (own(test_size=0), r"test_size is 0, expected a fraction above 0 and below 1"),
    "test_size 1": (own(test_size=1.0), r"test_size is 1\.0, expected a fraction above 0 and below 1"),
    "test_size NaN": (own(test_size=np.nan), r"test_size is nan, expected a fraction above 0 and below 1"),
    "test_size text": (own(test_size="a"), r"test_size is 'a', expected a fraction above 0 and below 1"),
    "test_size takes all": (
        own(test_size=0.95),
        r"test_size is 0\.95, expected one that leaves some of 10 to train",
    ),
    "X vector": (own(X=np.arange(10)), r"X has shape \(10,\), expected \(m, n_x\): one example a row, .*"),
    "X images": (own(X=np.zeros((10, 2, 2, 1))), r"X has shape \(10, 2, 2, 1\), expected \(m, n_x\): .*"),
    "X no features": (own(X=np.zeros((10, 0))), r"X has shape \(10, 0\), expected .* at least one feature"),
    "X ragged": (own(X=[[1, 2], [3]]), r"X is a list that is no array, expected rows of one length"),
    "X text": (own(X=np.full((10, 3), "1")), r"X holds values of dtype <U1, expected real numbers"),
    "X objects": (
        own(X=np.full((10, 3), "a", object)),
        r"X holds values of dtype object, expected real numbers",
    ),
    "X complex": (own(X=X_GOOD + 0j), r"X holds values of dtype complex128, expected real numbers"),
    "X beyond float64": (
        own(X=np.full((10, 3), np.finfo(np.longdouble).max)),
        r"X has inf at row 0, column 0 \(from 0\), expected finite numbers",
    ),
    "X NaN": (
        own(X=with_entry(with_entry(X_GOOD, 7, 0, np.nan), 4, 2, np.nan)),
        r"X has nan at row 4, column 2 \(from 0\), expected finite numbers",
    ),
    "X infinity": (
        own(X=with_entry(X_GOOD, 0, 1, -np.inf)),
        r"X has -inf at row 0, column 1 \(from 0\), expected finite numbers",
    ),
    "X too large": (
        own(X=with_entry(with_entry(X_GOOD, 3, 1, -1e200), 4, 1, 1e200)),
        r"X reaches 1e\+200, expected numbers that float64 holds when scaled",
    ),
    "m = 0": (own(X=np.zeros((0, 3)), Y=[]), r"X has m = 0, expected at least 2 examples: .*"),
    "m = 1": (own(X=np.zeros((1, 3)), Y=[0]), r"X has m = 1, expected at least 2 examples: .*"),
    "Y short": (own(Y=LABELS[:9]), r"Y has 9 examples, expected 10 as in X: one target an example"),
    "Y a number": (
        own("regression", Y=3.0),
        r"Y has shape \(\), expected \(m, n_L\) for task regression: .*",
    ),
    "Y no outputs": (
        own("regression", Y=np.zeros((10, 0))),
        r"Y has shape \(10, 0\), expected \(m, n_L\) .*",
    ),
    "Y one-hot": (
        own("multiclass", Y=np.eye(10)),
        r"Y has shape \(10, 10\), expected \(m,\) for task multiclass: one label .*, not one-hot rows",
    ),
    "Y ragged": (own("regression", Y=[[1], [1, 2]]), r"Y is a list that is no array, .*"),
    "Y text": (own("regression", Y=["a"] * 10), r"Y holds values of dtype <U1, expected real numbers"),
    "Y bytes": (own(Y=[b"a", b"b"] * 5), r"Y holds values of dtype \|S1, expected whole numbers or strings"),
    "label None": (own(Y=[None, 1] * 5), r"Y has nan at row 0, column 0 \(from 0\), expected finite numbers"),
    "label infinite": (
        own(Y=[0, np.inf] * 5),
        r"Y has inf at row 1, column 0 \(from 0\), expected finite numbers",
    ),
    "label mixed": (
        own(Y=np.array(["a", 1] * 5, object)),
        r"Y holds values of dtype object, expected whole numbers or strings",
    ),
    "label broken": (
        own(Y=[0.0, 1.0, 0.5, 1.0, 0.0] * 2),
        r"Y has 0\.5 at row 2, column 0 \(from 0\), expected whole numbers or strings for task binary",
    ),
    "target NaN": (
        own("regression", Y=with_entry(np.ones((10, 2)), 6, 1, np.nan)),
        r"Y has nan at row 6, column 1 \(from 0\), expected finite numbers",
    ),
    "target too large": (
        own("regression", Y=[-1e200, 1e200] * 5),
        r"Y reaches 1e\+200, expected numbers that float64 holds when scaled",
    ),
    "multilabel NaN": (
        own("multilabel", Y=with_entry(np.ones((10, 2)), 6, 1, np.nan)),
        r"Y has nan at row 6, column 1 \(from 0\), expected 0 or 1 for task multilabel",
    ),
    "multilabel 2": (
        own("multilabel", Y=with_entry(np.ones((10, 2)), 6, 1, 2)),
        r"Y has 2\.0 at row 6, column 1 \(from 0\), expected 0 or 1 for task multilabel",
    ),
    "one class": (own(Y=np.zeros(10, int)), r"Y has the one class 0, expected at least two for task binary"),
    "three classes": (
        own(Y=np.arange(10) % 3),
        r"Y has 3 classes \(0, 1, 2\), expected two for task binary",
    ),
    "lone class": (
        own("multiclass", Y=["a"] * 5 + ["b"] + ["c"] * 4, test_size=0.4),
        r"Y has one example of class b, expected two, one for each part",
    ),
    "image_shape pair": (
        own(image_shape=(1, 3)),
        r"image_shape is \(1, 3\), expected \(n_H, n_W, n_C\): three whole numbers",
    ),
    "image_shape broken": (
        own(image_shape=(1.0, 3, 1)),
        r"image_shape is \(1\.0, 3, 1\), expected \(n_H, n_W, n_C\): three whole numbers",
    ),
    "image_shape product": (
        own(image_shape=(2, 2, 1)),
        r"image_shape is \(2, 2, 1\), expected \(n_H, n_W, n_C\), all positive, with product n_x = 3",
    ),
    "image_shape negative": (own(image_shape=(-1, -3, 1)), r"image_shape is \(-1, -3, 1\), .* n_x = 3"),
    "feature_names short": (
        own(feature_names=["a", "b"]),
        r"feature_names is \['a', 'b'\], expected a sequence of 3 names",
    ),
    "feature_names number": (own(feature_names=3), r"feature_names is 3, expected a sequence of 3 names"),
    "feature_names text": (
        own(feature_names="abc"),
        r"feature_names is 'abc', expected a sequence of 3 names",
    ),
    "feature_names array": (
        own(feature_names=np.array([["a"] * 20] * 5)),
        r"feature_names is array\(.*\.\.\..*, expected a sequence of 3 names",
    ),
    "target_names long": (
        own(target_names=["a" * 50] * 50),
        r"target_names is \['a.*, \.\.\.\], expected a sequence of 2 names",
    ),
    "target_names short": (
        own(target_names=["a"]),
        r"target_names is \['a'\], expected a sequence of 2 names",
    ),
}


@pytest.mark.parametrize(("call", "sentence"), BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_gets_one_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ValueError, match=rf"^{sentence}$") as caught:
        call()
    assert len(str(caught.value)) <= 180
    assert "\n" not in str(caught.value)


def test_float32_has_its_own_range() -> None:
    X = np.zeros((10, 1))
    X[0], X[2] = 1.0, 1e40
    wide = from_arrays("own", "regression", X, np.arange(10))
    assert wide.X_test.max() > 1e39  # example 2 is in the test part, out of sight of the scaling
    sentence = r"^X reaches 1e\+40, expected numbers that float32 holds when scaled$"
    with pytest.raises(ValueError, match=sentence):
        from_arrays("own", "regression", X, np.arange(10), dtype=np.float32)


def test_import_is_cheap_and_stands_alone() -> None:
    code = "import sys, datasets; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    root = Path(datasets.__file__).parents[1]
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    loaded = run.stdout.split()
    assert "numpy" in loaded
    assert not {"sklearn", "scipy", "torch", "manual", "torch_ref", "parity_tests"} & set(loaded)


def test_the_printed_example_runs() -> None:
    found = doctest.testmod(catalogue)
    assert found.attempted == 2
    assert found.failed == 0
