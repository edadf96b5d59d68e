"""A sentence for everything that is no data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import datasets
from datasets.dataset import Array
from datasets.prepare import from_arrays
from parity_tests.tests.datasets.dataset_checks import numbered

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
