"""Data sets by name: shapes, split, scaling, seeds and the pictures they hold."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import DTypeLike

import datasets
from datasets import catalogue, generated
from datasets.prepare import from_arrays
from parity_tests.tests.datasets.dataset_checks import check_same, parts

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


def test_loading_gives_arrays_of_its_own() -> None:
    before = datasets.load("iris")
    spoilt = datasets.load("iris")
    for part in parts(spoilt):
        part[...] = -7
    check_same(before, datasets.load("iris"))


def test_flower_has_eight_petals_in_two_colours() -> None:
    raw = generated.flower(0)
    radius, angle = np.hypot(*raw.X.T), np.arctan2(*raw.X.T[::-1]) % (2 * np.pi)
    assert 3.5 < radius.max() < 5
    petal = (angle // (np.pi / 4)).astype(int)
    share = [raw.Y[(petal == k) & (radius > 1)].mean() for k in range(8)]
    assert [round(s) for s in share] == [0, 1, 0, 1, 1, 0, 1, 0]
    assert np.abs(np.array(share) - 0.5).min() > 0.3


POINTS: dict[str, list[tuple[float, float]]] = {
    "moons": [(-0.494262, 0.947070), (0.028071, 0.255467), (-1.068629, 0.231996)],
    "circles": [(-0.537529, -0.806413), (0.381887, 0.346930), (0.558372, -0.861243)],
    "blobs": [(0.726144, 4.074667), (3.555756, -1.665085), (4.035115, -5.186743)],
    "multilabel": [(3, 1), (4, 3), (3, 3)],
    "flower": [(-0.072082, -0.000906), (0.240733, 0.010340), (-0.230695, -0.006621)],
}
"""The points 0, 199 and 399 of seed 0: noise, centers and distances decide every digit."""


@pytest.mark.parametrize("name", GENERATED)
def test_generated_points_are_those_they_have_always_been(name: str) -> None:
    X = catalogue.LOADERS[name](0).X
    np.testing.assert_allclose(X[[0, 199, 399], :2], POINTS[name], atol=1e-6)


def test_blobs_lie_around_their_centers() -> None:
    raw = generated.blobs(0)
    for label, center in enumerate([(-3, -2), (3, -2), (0, 3)]):
        cloud = raw.X[np.asarray(raw.Y) == label]
        np.testing.assert_allclose(cloud.mean(axis=0), center, atol=0.3)
        np.testing.assert_allclose(cloud.std(axis=0), 1.2, atol=0.2)


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
