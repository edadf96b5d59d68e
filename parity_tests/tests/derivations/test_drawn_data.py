"""Programs that load the images everybody loads, where neither they nor their package are there."""

from __future__ import annotations

import numpy as np
import pytest

from parity_tests.derivations.engine.python import drawn
from parity_tests.derivations.verdicts import HOLDS
from parity_tests.tests.derivations.verdicts import of_program, wrong_in
from parity_tests.tests.slices import sliced

IMAGES = """\
import numpy as np
from keras.datasets import mnist
from keras.utils import to_categorical

(train_X, train_y), (test_X, test_y) = mnist.load_data()
X = train_X.reshape(-1, 784).astype("float32").T / 255.
Y = to_categorical(train_y).T
m = X.shape[1]
W1 = np.random.randn(8, 784) * np.sqrt(2 / 784)
b1 = np.zeros((8, 1))
W2 = np.random.randn(10, 8) * np.sqrt(2 / 8)
b2 = np.zeros((10, 1))
for i in range(100):
    Z1 = W1 @ X + b1
    A1 = np.maximum(0, Z1)
    Z2 = W2 @ A1 + b2
    E = np.exp(Z2 - Z2.max(axis=0))
    A2 = E / E.sum(axis=0)
    loss = -np.sum(Y * np.log(A2 + 1e-8)) / m
    dZ2 = A2 - Y
    dW2 = dZ2 @ A1.T / m
    db2 = dZ2.sum(axis=1, keepdims=True) / m
    dZ1 = W2.T @ dZ2 * (A1 > 0)
    dW1 = dZ1 @ X.T / m
    db1 = dZ1.sum(axis=1, keepdims=True) / m
    W1 -= 0.1 * dW1; b1 -= 0.1 * db1; W2 -= 0.1 * dW2; b2 -= 0.1 * db2
"""


@pytest.mark.slow
def test_the_package_of_the_digits_gives_each_part_alone() -> None:
    loads = "train_X, train_y, test_y = mnist.train_images(), mnist.train_labels(), mnist.test_labels()"
    text = IMAGES.replace("from keras.datasets import mnist", "import mnist")
    text = text.replace("(train_X, train_y), (test_X, test_y) = mnist.load_data()", loads)
    judged = of_program(text)
    assert {line.verdict for line in judged.lines} == {HOLDS}
    assert "stand in for mnist.train_images() and mnist.train_labels() and mnist.test_labels()" in judged.layout


@pytest.mark.parametrize("package", sliced(["keras", "tensorflow.keras"], 2))
def test_made_up_images_stand_in_and_that_is_said(package: str) -> None:
    judged = of_program(IMAGES.replace("keras", package))
    assert {line.verdict for line in judged.lines} == {HOLDS}
    assert "made-up data stand in for mnist.load_data(), which is not there" in judged.layout
    assert judged.cost.text == "loss = -np.sum(Y * np.log(A2 + 1e-8)) / m"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "cause"), [("dZ1.sum(axis=1) / m", "keepdims"), ("dZ1.sum(axis=1, keepdims=True)", "1/m")]
)
def test_a_mistake_behind_them_is_the_one_report(wrong: str, cause: str) -> None:
    """A column that is flat ends the program in its step: nothing that comes behind it is called wrong."""
    (line,) = wrong_in(of_program(IMAGES.replace("db1 = dZ1.sum(axis=1, keepdims=True) / m", f"db1 = {wrong}")))
    assert line.target == "db1"
    assert cause in line.cause


def test_every_class_is_in_each_part_and_another_seed_draws_others() -> None:
    for name, shape in drawn.IMAGES.items():
        (images, labels), (_, others) = drawn.images(name, 0)
        assert images.shape == (drawn.COUNT, *shape)
        assert set(labels) == set(others) == set(range(drawn.CLASSES))
        assert not np.array_equal(images, drawn.images(name, 1)[0][0])


def test_to_categorical_has_a_column_for_each_class() -> None:
    assert np.array_equal(drawn.one_hot([[0, 2]]), [[[1, 0, 0], [0, 0, 1]]])
    assert drawn.one_hot(np.array([1]), num_classes=4).tolist() == [[0, 1, 0, 0]]


@pytest.mark.parametrize("words", ["'float32'", "dtype='float32'", '"f4"', "np.float32"])
def test_numbers_made_short_by_a_word_are_numbers_like_any(words: str) -> None:
    text = f"""\
import numpy as np
X = np.random.rand(8, 4).astype({words})
y = np.random.rand(8, 1).astype({words})
W = np.random.randn(4, 1)
for i in range(10):
    p = X @ W
    loss = np.mean((p - y)**2)
    dW = 2 * X.T @ (p - y) / 8
    W -= 0.1 * dW
"""
    judged = of_program(text)
    assert [line.verdict for line in judged.lines] == [HOLDS, HOLDS]


PREPARED = """\
import numpy as np
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

iris = load_iris()
kinds = np.array(["setosa", "other"])
X = StandardScaler().fit_transform(iris.data[:100])
X, X_test, y, y_test = train_test_split(X, iris.target[:100], test_size=0.5)

class Neuron:
    def __init__(self, size):
        self.w = np.zeros(size)
        self.b = 0.0

    def forward(self, X):
        self.p = 1 / (1 + np.exp(-(X @ self.w + self.b)))

    def loss(self, y):
        return -np.mean(y * np.log(self.p) + (1 - y) * np.log(1 - self.p)) + 0.05 * np.sum(self.w**2)

    def backward(self, X, y):
        dz = (self.p - y) / len(y)
        return X.T @ dz + 0.1 * self.w, np.sum(dz)

neuron = Neuron(4)
for epoch in range(10):
    neuron.forward(X)
    dw, db = neuron.backward(X, y)
    neuron.w -= 0.5 * dw
    neuron.b -= 0.5 * db
print(neuron.loss(y))
"""


@pytest.mark.parametrize(("old", "new", "wrong"), sliced([("", "", 0), ("0.1 * self.w", "0.2 * self.w", 1)], 2))
def test_data_of_a_library_and_a_cost_behind_the_training(old: str, new: str, wrong: int) -> None:
    """The library takes and gives plain numbers; J is the object's own ``loss(y)``, though it is called last."""
    judged = of_program(PREPARED.replace(old, new) if old else PREPARED)
    assert judged.cost.text == "J is self.loss(y)"
    assert {line.line for line in wrong_in(judged)} == ({24} if wrong else set())
    assert judged.summary.holds >= 4
