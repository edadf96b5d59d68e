"""Programs whose data are not there: tables of pandas, text, packed images and pickles are made up."""

from __future__ import annotations

import pytest

from parity_tests.derivations.engine.python.judged import judge_program
from parity_tests.derivations.verdicts import WRONG
from parity_tests.tests.slices import sliced

TABLE = """\
import numpy as np
import pandas as pd
df = pd.read_csv("patients.csv").dropna()
y = (df["diagnosis"] == "M").astype(int).values.reshape(-1, 1)
X = df.drop(["id", "diagnosis"], axis=1)
X = ((X - X.mean()) / X.std()).to_numpy()
"""
COLUMNS = """\
import numpy as np
import pandas as pd
df = pd.read_csv("houses.csv")
X = df[["rooms", "area", "age"]].values
y = df[["price"]].values
"""
DIGITS = """\
import numpy as np
import pandas as pd
data = np.array(pd.read_csv("train.csv"))
np.random.shuffle(data)
data = data[1000:].T
X = (data[1:784] / 255.0).T[:, ::28]
y = data[:1].T == 9
"""
PACKED = """\
import gzip, struct
import numpy as np
with gzip.open("train-images-idx3-ubyte.gz", "rb") as f:
    _, count, height, width = struct.unpack(">IIII", f.read(16))
    X = np.frombuffer(f.read(), dtype=np.uint8).reshape(count, height * width) / 255.0
with gzip.open("train-labels-idx1-ubyte.gz") as f:
    f.read(8)
    y = np.frombuffer(f.read(), dtype=np.uint8).reshape(-1, 1) > 4
"""
PICKLED = """\
import pickle
import numpy as np
with open("cifar-10-batches-py/data_batch_1", "rb") as f:
    batch = pickle.load(f, encoding="latin1")
X = batch["data"][:, ::64] / 255.0
y = np.array(batch["labels"])[:, None] > 4
"""
LINES = """\
import numpy as np
X, y = [], []
for line in open("mnist_train_100.csv").readlines():
    values = line.split(",")
    X.append(np.asarray(values[1:], dtype=float)[::28] / 255)
    y.append([int(values[0]) > 4])
X, y = np.array(X), np.array(y)
"""
TRAINING = """
m = len(X)
W = np.zeros((X.shape[1], 1))
b = 0.0
for epoch in range(100):
    p = 1 / (1 + np.exp(-(X @ W + b)))
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    dW = X.T @ (p - y) / m
    db = np.mean(p - y)
    W = W - 0.1 * dW
    b = b - 0.1 * db
"""


@pytest.mark.parametrize("loading", sliced([TABLE, COLUMNS, DIGITS, PACKED, PICKLED, LINES], 6))
def test_what_is_not_there_is_made_up(loading: str) -> None:
    """The network behind it is judged, and it is said that its data are none."""
    judged = judge_program("net.py", loading + TRAINING)
    assert judged is not None
    assert judged.summary.holds == judged.summary.judged == 4
    assert "made-up data stand in for" in judged.layout


def test_a_mistake_behind_a_table() -> None:
    """A whole network stands behind the table, whatever its columns are called."""
    judged = judge_program("net.py", TABLE + TRAINING.replace("(p - y) / m", "p / m"))
    assert judged is not None
    assert [each.text.strip() for each in judged.lines if each.verdict == WRONG] == ["dW = X.T @ p / m"]
