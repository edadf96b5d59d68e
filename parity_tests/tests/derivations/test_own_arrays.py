"""Arrays of one's own: split, scaled and named."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import ArrayLike

from datasets.prepare import from_arrays
from parity_tests.tests.datasets.dataset_checks import numbered, parts, rows_of


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


def test_float32_has_its_own_range() -> None:
    X = np.zeros((10, 1))
    X[0], X[2] = 1.0, 1e40
    wide = from_arrays("own", "regression", X, np.arange(10))
    assert wide.X_test.max() > 1e39  # example 2 is in the test part, out of sight of the scaling
    sentence = r"^X reaches 1e\+40, expected numbers that float32 holds when scaled$"
    with pytest.raises(ValueError, match=sentence):
        from_arrays("own", "regression", X, np.arange(10), dtype=np.float32)


def test_whole_numbers_beyond_64_bits_are_classes_of_their_own() -> None:
    labels = [10**30 + i % 3 for i in range(12)]
    data = from_arrays("mine", "multiclass", np.arange(12.0)[:, np.newaxis], labels)
    assert data.target_names == tuple(str(10**30 + k) for k in range(3))
