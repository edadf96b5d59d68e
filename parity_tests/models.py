"""Which networks are compared, and on which data."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from manual.architecture import Architecture, model_for
from manual.checks import Masks, parts
from manual.draws import initial_parameters
from manual.notation import Array, Parameters
from parity_tests.cases.case import LAMBDA
from parity_tests.formulas import generator


class Free(NamedTuple):
    """A free run: the steps that each side takes alone, on how many examples at most; it is repeated six times."""

    steps: int
    examples: int


FREE, FREE_ON_IMAGES = Free(100, 100), Free(10, 40)


class ModelCase(NamedTuple):
    """One model on one dataset with one lambda: what starts it, and how many steps it runs."""

    model: str
    dataset: str
    lambda_: float
    learning_rate: float
    steps: int
    examples: int | None = None
    free: Free = FREE

    @property
    def id(self) -> str:
        """Such as ``shallow/moons/lambda=0.7``."""
        return f"{self.model}/{self.dataset}/lambda={self.lambda_:g}"


STEPS, STEPS_ON_DIGITS, STEPS_ON_IMAGES = 100, 10, 3
"""Steps from common parameters: every step compares every quantity of every layer."""

EXAMPLES_OF_IMAGES = 100
"""Examples that the convolutional networks run on: bounds of convolutions are convolutions in float64."""

PAIRS: tuple[tuple[str, str, float], ...] = (
    ("logistic", "breast_cancer", 0.5),
    ("shallow", "moons", 0.5),
    ("shallow", "multilabel", 0.5),
    ("deep", "breast_cancer", 0.1),
    ("deep6", "circles", 0.5),
    ("softmax", "iris", 0.3),
    ("softmax", "digits", 0.3),
    ("wide", "wine", 0.1),
    ("wide", "digits", 0.1),
    ("regression", "diabetes", 0.1),
    ("regression", "linnerud", 0.05),
)
"""Model, dataset and learning rate."""

PAIRS_OF_IMAGES: tuple[tuple[str, str, float], ...] = (
    ("convnet", "digits", 0.1),
    ("strided", "digits", 0.1),
    ("lenet5", "digits28", 0.1),
)
"""The convolutional models."""

MODEL_CASES: tuple[ModelCase, ...] = (
    *(
        ModelCase(name, dataset, lambda_, rate, STEPS_ON_DIGITS if dataset == "digits" else STEPS)
        for name, dataset, rate in PAIRS
        for lambda_ in (0.0, LAMBDA)
    ),
    *(
        ModelCase(name, dataset, lambda_, rate, STEPS_ON_IMAGES, EXAMPLES_OF_IMAGES, FREE_ON_IMAGES)
        for name, dataset, rate in PAIRS_OF_IMAGES
        for lambda_ in (0.0, LAMBDA)
    ),
)


class Start(NamedTuple):
    """Everything both sides start from."""

    architecture: Architecture
    params: Parameters
    X: Array
    Y: Array
    masks: Masks = None


def start(case: ModelCase, data: Any, dtype: Any, seed: int) -> Start:
    """Architecture, initial parameters and training data of a case, in its dtype.

    ``data`` is a Dataset. Biases are drawn too, so that a lost bias cannot hide behind a zero.
    """
    architecture = model_for(case.model, data)
    X_train, Y_train, *_ = parts(architecture, data)
    rng = generator(case.id, seed)
    params = initial_parameters(architecture, "xavier", rng)
    for name in params:
        if name.startswith("b"):
            params[name] = 0.1 * rng.standard_normal(params[name].shape)
    X, Y = X_train.astype(dtype), Y_train.astype(dtype)
    if case.examples is not None:
        X, Y = first_examples(X, Y, case.examples)
    return Start(architecture, {name: np.asarray(value, dtype) for name, value in params.items()}, X, Y)


def first_examples(X: Array, Y: Array, count: int) -> tuple[Array, Array]:
    """At most ``count`` examples: columns of X, or volumes."""
    return X[:, :count] if X.ndim == 2 else X[:count], Y[:, :count]
