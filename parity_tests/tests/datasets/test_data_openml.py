"""MNIST and Fashion-MNIST come from scikit-learn's cache, or with one sentence not at all."""

from __future__ import annotations

import warnings
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest

import datasets
from parity_tests.tests.datasets.dataset_checks import rng


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
