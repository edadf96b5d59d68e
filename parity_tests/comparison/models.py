"""Which networks are compared, and on which data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from manual.architecture import Architecture, model_for
from manual.checks import Masks, parts
from manual.draws import dropout_masks, initial_parameters
from manual.layer_words import with_dropout
from manual.notation import Array, Parameters
from manual.training import minibatches
from parity_tests.formulas.case import LAMBDA
from parity_tests.formulas.run import generator
from parity_tests.judging.judge import Where


class Free(NamedTuple):
    """A free run: the steps that each side takes alone, on how many examples at most; it is repeated six times.

    It ends with an epoch: where the steps do not fill the last one, it takes a few more.
    """

    steps: int
    examples: int


FREE, FREE_ON_IMAGES = Free(100, 100), Free(10, 40)


class ModelCase(NamedTuple):
    """One model on one dataset with one lambda: what starts it, how it is trained, and how many steps it runs.

    Without ``batch_size`` every step takes all examples. ``keep_prob`` below 1 puts dropout behind the hidden dense
    layers. The layers are compared ``every`` so many steps, the updates in every step; ``decay`` is for free runs.
    """

    model: str
    dataset: str
    lambda_: float
    learning_rate: float
    steps: int
    examples: int | None = None
    free: Free = FREE
    optimizer: str = "gradient_descent"
    batch_size: int | None = None
    keep_prob: float = 1.0
    every: int = 1
    decay: str = "constant"

    @property
    def id(self) -> str:
        """Such as ``shallow/moons/lambda=0.7``, or ``wide/digits/adam/dropout/lambda=0.7`` on mini-batches."""
        optimizer = [] if self.batch_size is None else [self.optimizer]
        dropout = ["dropout"] if self.keep_prob < 1 else []
        return "/".join([self.model, self.dataset, *optimizer, *dropout, f"lambda={self.lambda_:g}"])


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
    ("wide_norm", "digits", 0.1),
    ("wide_residual", "wine", 0.1),
    ("regression", "diabetes", 0.1),
    ("regression", "linnerud", 0.05),
)
"""Model, dataset and learning rate."""

PAIRS_OF_IMAGES: tuple[tuple[str, str, float], ...] = (
    ("convnet", "digits", 0.1),
    ("convnet_norm", "digits", 0.1),
    ("convnet_residual", "digits", 0.1),
    ("strided", "digits", 0.1),
    ("lenet5", "digits28", 0.1),
)
"""The convolutional models."""

TRAINED: tuple[tuple[str, float], ...] = (
    ("gradient_descent", 0.1),
    ("momentum", 0.1),
    ("rmsprop", 0.001),
    ("adam", 0.003),
)
"""Optimiser and learning rate of the cases on mini-batches."""


def trained(model: str, batch_size: int, every: int, examples: int | None, free: Free) -> tuple[ModelCase, ...]:
    """A model on digits as it is trained: every optimiser, mini-batches, dropout, L2, decay."""
    return tuple(
        ModelCase(
            model, "digits", LAMBDA, rate, STEPS, examples, free, optimizer, batch_size,
            keep_prob=0.8, every=every, decay="exponential",
        )
        for optimizer, rate in TRAINED
    )  # fmt: skip


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
    *trained("wide", batch_size=64, every=1, examples=None, free=FREE._replace(examples=120)),
    *trained("convnet", batch_size=12, every=5, examples=EXAMPLES_OF_IMAGES, free=Free(40, 44)),
)


def about(case: ModelCase) -> Where:
    """What the lines of a case are about."""
    return Where(case.id, "", model=case.model, dataset=case.dataset)


class Start(NamedTuple):
    """Everything both sides start from."""

    architecture: Architecture
    params: Parameters
    X: Array
    Y: Array
    masks: Masks = None


def start(case: ModelCase, data: Any, dtype: Any, seed: int) -> Start:
    """Architecture, initial parameters and training data of a case, in its dtype.

    ``data`` is a Dataset. Biases are drawn too, so that a lost bias cannot hide behind a zero, and so are gamma and the
    running statistics of norms. Without dropout the network is in training.
    """
    architecture = model_for(case.model, data)
    if case.keep_prob < 1:
        architecture = Architecture(architecture.inputs, with_dropout(architecture.layers, case.keep_prob))
    X_train, Y_train, *_ = parts(architecture, data)
    rng = generator(case.id, seed)
    params = initial_parameters(architecture, "xavier", rng)
    for name in params:
        if name not in architecture.weights:
            params[name] = params[name] + 0.1 * rng.standard_normal(params[name].shape)
    X, Y = X_train.astype(dtype), Y_train.astype(dtype)
    if case.examples is not None:
        X, Y = first_examples(X, Y, case.examples)
    masks: Masks = None if architecture.masked_layers() else []
    return Start(architecture, {name: np.asarray(value, dtype) for name, value in params.items()}, X, Y, masks)


def every_step(case: ModelCase, begin: Start, seed: int) -> Iterator[Start]:
    """What each step starts from but for the parameters, without end: all examples, or a mini-batch and its masks."""
    while case.batch_size is None:
        yield begin
    rng = generator(case.id + "/batches", seed)
    while True:
        for X, Y in minibatches(begin.X, begin.Y, case.batch_size, rng):
            masks = dropout_masks(begin.architecture, Y.shape[1], rng)
            yield begin._replace(X=X, Y=Y, masks=masks)


def first_examples(X: Array, Y: Array, count: int) -> tuple[Array, Array]:
    """At most ``count`` examples: columns of X, or volumes."""
    return X[:, :count] if X.ndim == 2 else X[:count], Y[:, :count]
