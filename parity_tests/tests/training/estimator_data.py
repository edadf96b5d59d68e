"""Small data of every kind, and what a fit leaves as arrays by name: for the tests of the estimators."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_linnerud, load_wine
from sklearn.preprocessing import StandardScaler

from manual import estimators as by_hand
from manual.architecture import Architecture, Conv, Dense, Dropout, Flatten, Pool
from manual.notation import Array, Parameters
from torch_ref import estimators as by_torch

SIDES = [by_hand, by_torch]
TOO_SMALL = 1e-300
"""A learning rate that moves no weight: what a fit leaves are its initial weights."""


def scaled(X: Any, dtype: Any = np.float64) -> Array:
    """Features of mean 0 and variance 1."""
    found: Array = StandardScaler().fit_transform(X).astype(dtype)
    return found


def two() -> tuple[Array, Array]:
    X, y = load_breast_cancer(return_X_y=True)
    return scaled(X[:60, :7]), y[:60]


def several() -> tuple[Array, Array]:
    X, y = load_wine(return_X_y=True)
    return scaled(X[::3, :7]), np.array(["a", "b", "c"])[y[::3]]


def labels() -> tuple[Array, Array]:
    X, _ = several()
    return X, (X[:, :3] + X[:, 3:6] > 0).astype(int)


def number() -> tuple[Array, Array]:
    X, y = load_diabetes(return_X_y=True)
    return scaled(X[:60]), scaled(y[:60, None]).ravel()


def numbers() -> tuple[Array, Array]:
    X, y = load_linnerud(return_X_y=True)
    return scaled(X), scaled(y)


VOLUMES = Architecture(
    (8, 8, 1),
    (Conv(3, 3, activation="relu"), Pool(2, 2), Flatten(), Dropout(0.8), Dense(6, "tanh"), Dense(10, "softmax")),
)


def digits() -> tuple[Array, Array]:
    """Without pixels of exactly 0, where windows have ties and ReLU its kink."""
    X, y = load_digits(return_X_y=True)
    return X[:80] / 16 + 0.1 * np.random.default_rng(0).random((80, 64)), y[:80]


def learned(model: Any, since: int = 0) -> Parameters:
    """What a fit leaves, as arrays by name."""
    found = {f"W{i}": np.asarray(W) for i, W in enumerate(model.coefs_)}
    found |= {f"b{i}": np.asarray(b) for i, b in enumerate(model.intercepts_)}
    return {**found, "loss": np.array(model.loss_curve_[since:])}


def weights(model: Any) -> Parameters:
    """The weights and biases alone."""
    return {name: value for name, value in learned(model).items() if name != "loss"}
