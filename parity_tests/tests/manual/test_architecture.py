"""Layers and architectures: their words, the sizes they give, and what they refuse; the doors for images and masks."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from manual import network
from manual.architecture import MODELS, Add, Architecture, Conv, Dense, Dropout, Flatten, Pool, model, model_for
from manual.checks import check_data, parts
from manual.draws import initial_parameters
from manual.layers import HIDDEN_UNITS

AT_LEAST_ONE = "expected a whole number of at least 1"
ONE_FILTER = f"{AT_LEAST_ONE}: a layer has at least one filter"
ONE_CELL = f"{AT_LEAST_ONE}: the filter has at least one cell"
WINDOW_OF_ONE = f"{AT_LEAST_ONE}: a window has at least one cell"
FURTHER_ON = f"{AT_LEAST_ONE}: the next window starts at least one cell further on"
OUTPUT = Dense(2, "softmax")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Dense(64, "relu"), "dense64 relu"),
        (lambda: Conv(1, 1, activation="relu"), "conv1x1 relu"),
        (lambda: Conv(16, 3, pad="same", activation="identity"), "conv16x3same identity"),
        (lambda: Conv(12, 3, stride=2, pad=1, activation="tanh"), "conv12x3s2p1 tanh"),
        (lambda: Conv(5, (2, 3), pad=(1, 1), activation="relu"), "conv5x2x3p1 relu"),
        (lambda: Conv(5, (4, 4), pad=(0, 2), activation="sigmoid"), "conv5x4p0x2 sigmoid"),
        (lambda: Conv(5, (4, 4), pad=(2, 0), activation="leaky_relu"), "conv5x4p2x0 leaky_relu"),
        (lambda: Pool(1, 1), "pool1"),
        (lambda: Pool(2, 2, "max"), "pool2"),
        (lambda: Pool(3, 2, "average"), "avgpool3s2"),
        (lambda: Pool(3, 1), "pool3s1"),
        (lambda: Flatten(), "flatten"),
        (lambda: Dropout(0.8), "dropout0.8"),
        (lambda: Dropout(1), "dropout1"),
    ],
)
def test_a_layer_says_what_it_is(make: Callable[[], Any], words: str) -> None:
    assert make().describe() == words


def test_an_architecture_says_what_it_is() -> None:
    assert Architecture([3, 4, 2], [Flatten(), OUTPUT]) == Architecture((3, 4, 2), (Flatten(), OUTPUT))  # type: ignore[arg-type]
    net = model("lenet5", [28, 28, 1], 10)
    assert net.describe() == (
        "28x28x1 - conv6x5p2 tanh - avgpool2 - conv16x5 tanh - avgpool2 - flatten - "
        "dense120 tanh - dense84 tanh - dense10 softmax"
    )
    assert model("convnet", (8, 8, 1), 10, hidden=(7, 5)).shapes == (
        *((8, 8, 1), (8, 8, 16), (8, 8, 32), (4, 4, 32), (512,)),
        *((7,), (5,), (10,)),
    )


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: Conv(0, 3, activation="relu"), f"filters is 0, {ONE_FILTER}"),
    (lambda: Conv(2, 0, activation="relu"), f"size is 0, {ONE_CELL}"),
    (lambda: Conv(2, (3, 0), activation="relu"), f"size is 0, {ONE_CELL}"),
    (
        lambda: Conv(2, (3, 3, 3), activation="relu"),  # type: ignore[arg-type]
        "size is (3, 3, 3), expected f or (f_H, f_W): a filter has two sides",
    ),
    (lambda: Conv(2, 3, stride=0, activation="relu"), f"stride is 0, {FURTHER_ON}"),
    (
        lambda: Conv(2, 3, pad=-1, activation="relu"),
        "pad is -1, expected a whole number of at least 0: padding adds cells, it removes none",
    ),
    (
        lambda: Conv(2, 3, stride=2, pad="same", activation="relu"),
        "stride is 2, expected 1: SAME padding keeps the size only at stride 1",
    ),
    (
        lambda: Conv(2, 3, activation="softmax"),
        f"activation is 'softmax', expected one of {', '.join(HIDDEN_UNITS)}",
    ),
    (lambda: Pool(0, 1), f"size is 0, {WINDOW_OF_ONE}"),
    (lambda: Pool(2, 0), f"stride is 0, {FURTHER_ON}"),
    (lambda: Pool(2, 2, "sum"), "mode is 'sum', expected 'max' or 'average': no other pooling is defined"),
    (lambda: Dropout(0), "keep_prob is 0, expected a number in (0, 1]: the probability to keep a unit"),
    (lambda: Dropout("half"), "keep_prob is 'half', expected a number in (0, 1]: the probability to keep a unit"),  # type: ignore[arg-type]
    (lambda: Dropout(1.5), "keep_prob is 1.5, expected a number in (0, 1]: the probability to keep a unit"),
    (
        lambda: Dense(3, "tanh").output_shape((4, 4, 1)),
        "the input has shape (4, 4, 1), expected (n,): put Flatten() before a dense layer",
    ),
    (
        lambda: Flatten().output_shape((4,)),
        "the input has shape (4,), expected (n_H, n_W, n_C): this layer takes volumes",
    ),
    (
        lambda: Architecture((4, 4), (Flatten(), OUTPUT)),  # type: ignore[arg-type]
        "inputs is (4, 4), expected n_x or (n_H, n_W, n_C): columns or volumes",
    ),
    (
        lambda: Architecture((4, 4, 1), (Flatten(),)),
        "the last layer is Flatten, expected Dense: its unit decides the cost",
    ),
    (
        lambda: Architecture((4, 4, 1), (Pool(2, 2), Pool(3, 1), Flatten(), OUTPUT)),
        "layer 2, pool3s1, does not fit its input of shape (2, 2, 1): f is 3, "
        "expected at most n + 2 pad = 2: the filter must fit into the padded input",
    ),
    (lambda: model("strided", 64, 10), "inputs is 64, expected (n_H, n_W, n_C): strided takes images"),
]


@pytest.mark.parametrize(("call", "sentence"), REFUSED, ids=[re.sub(r"\W+", "-", words) for _, words in REFUSED])
def test_what_cannot_be_is_refused_in_one_sentence(call: Callable[[], Any], sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        call()
    assert str(caught.value) == sentence


# --- a data set, as columns and as images

rng = np.random.default_rng(0)
IMAGES = SimpleNamespace(
    name="stripes",
    image_shape=(3, 4, 2),
    images_train=rng.standard_normal((5, 3, 4, 2)),
    images_test=rng.standard_normal((2, 3, 4, 2)),
    X_train=rng.standard_normal((24, 5)),
    X_test=rng.standard_normal((24, 2)),
    Y_train=np.eye(2)[:, [0, 1, 1, 0, 1]],
    Y_test=np.eye(2),
)
SMALL = Architecture((3, 4, 2), (Conv(2, 2, activation="tanh"), Flatten(), Dropout(0.5), OUTPUT))


def test_a_model_takes_the_images_of_a_data_set_or_its_columns() -> None:
    data = SimpleNamespace(**{**vars(IMAGES), "image_shape": (8, 9, 2)})
    assert model_for("strided", data).shapes[0] == (8, 9, 2)
    assert model_for("strided", data).outputs == 2
    assert model_for("wide", data, (3,)).shapes == ((24,), (3,), (2,))
    assert model_for("convnet", data, (3,)).shapes[-2:] == ((3,), (2,))
    with pytest.raises(ValueError) as caught:
        model_for("convnet", SimpleNamespace(**{**vars(IMAGES), "image_shape": None}))
    assert str(caught.value) == (
        "stripes has no images, expected (n_H, n_W, n_C) for each example: convnet takes images"
    )


def test_the_parts_of_a_data_set_come_in_the_layout_that_the_network_takes() -> None:
    as_volumes = parts(SMALL, IMAGES)
    as_columns = parts(Architecture(24, (OUTPUT,)), IMAGES)
    assert as_volumes.X_train is IMAGES.images_train
    assert as_volumes.X_test is IMAGES.images_test
    assert as_columns.X_train is IMAGES.X_train
    assert as_columns.X_test is IMAGES.X_test
    for found in (as_volumes, as_columns):
        assert found.Y_train is IMAGES.Y_train
        assert found.Y_test is IMAGES.Y_test


@pytest.mark.parametrize(
    ("name", "place", "sentence"),
    [
        ("images_train", (4, 1, 2, 0), "X is nan at example 4, cell (1, 2, 0), expected a finite number"),
        ("images_test", (1, 0, 3, 1), "X is nan at example 1, cell (0, 3, 1), expected a finite number"),
        ("Y_test", (1, 0), "Y is nan at row 1, example 0, expected a finite number"),
    ],
)
def test_a_bad_part_is_named(name: str, place: tuple[int, ...], sentence: str) -> None:
    spoilt = getattr(IMAGES, name).copy()
    spoilt[place] = np.nan
    with pytest.raises(ValueError) as caught:
        parts(SMALL, SimpleNamespace(**{**vars(IMAGES), name: spoilt}))
    assert str(caught.value) == sentence


PARAMS = initial_parameters(SMALL, "xavier", np.random.default_rng(0))
MASK = np.ones((12, 5))


@pytest.mark.parametrize(
    ("changed", "X", "masks", "sentence"),
    [
        (
            {"W1": np.ones((2, 2, 2))},
            IMAGES.images_train,
            None,
            "W1 has shape (2, 2, 2), expected (2, 2, 2, 2): W is (f, f, n_C_prev, n_C), b (1, 1, 1, n_C)",
        ),
        (
            {"W2": np.ones((12, 2))},
            IMAGES.images_train,
            None,
            "W2 has shape (12, 2), expected (2, 12): W is (n_l, n_prev) and b is (n_l, 1)",
        ),
        (
            {},
            IMAGES.X_train,
            None,
            "X has shape (24, 5), expected (m, n_H, n_W, n_C) with no side of length 0: "
            "examples come first and channels last",
        ),
        (
            {},
            IMAGES.images_train[:, :2],
            None,
            "X has shape (5, 2, 4, 2), expected (5, 3, 4, 2): the network takes volumes of (3, 4, 2)",
        ),
        ({}, IMAGES.images_train, [MASK] * 2, "masks has 2 entries, expected 1: one for every dropout layer"),
        ({}, IMAGES.images_train, [MASK.T], "the mask of layer 3 has shape (5, 12), expected (12, 5): that of A[3]"),
        ({}, IMAGES.images_train, [None], "the mask of layer 3 has none, expected (12, 5): that of A[3]"),
    ],
)
def test_what_does_not_fit_a_network_over_volumes_is_refused(
    changed: dict[str, Any], X: Any, masks: Any, sentence: str
) -> None:
    with pytest.raises(ValueError) as caught:
        network.forward(SMALL, {**PARAMS, **changed}, X, masks)
    assert str(caught.value) == sentence


class InAFile:
    """Examples that are no array; they were checked when their file was opened."""

    shape, ndim, dtype = (3, 2), 2, np.dtype(np.float64)


def test_the_targets_of_examples_in_a_file_are_checked_all_the_same() -> None:
    net = Architecture(3, (Dense(1, "identity"),))
    Y = np.array([[0.0, np.nan]])
    with pytest.raises(ValueError, match=r"^Y is nan at row 0, example 1, expected a finite number$"):
        check_data(net, InAFile(), Y)  # type: ignore[arg-type]
    check_data(net, InAFile(), np.zeros((1, 2)))  # type: ignore[arg-type]


def test_images_that_fit_pass_the_door() -> None:
    check_data(SMALL, IMAGES.images_train, IMAGES.Y_train)
    assert network.forward(SMALL, PARAMS, IMAGES.images_train, [MASK]).A[-1].shape == (2, 5)


@pytest.mark.parametrize(
    ("layers", "problem"),
    [
        ((Dense(4, "relu"), Add(2)), "add2, does not fit its input of shape (4,): the source is 2, expected a layer "
         "below 2: a skip adds an earlier A"),
        ((Dense(4, "relu"), Dense(5, "relu"), Add(1)), "add1, does not fit its input of shape (5,): A[1] has shape "
         "(4,), expected (5,): the two that are added have one shape"),
    ],
)  # fmt: skip
def test_a_skip_adds_an_earlier_value_of_its_shape(layers: tuple[Any, ...], problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        Architecture(3, (*layers, OUTPUT))
    assert Architecture(3, (Dense(4, "relu"), Dense(4, "relu"), Add(1), OUTPUT)).outputs == 2


@pytest.mark.parametrize(
    ("name", "hidden", "words"),
    [
        ("wide_norm", (5, 4), "dense5 identity, batchnorm relu, dense4 identity, batchnorm relu, dense2 softmax"),
        ("wide_norm", (), "dense2 softmax"),
        ("wide_residual", (5, 5, 5), "dense5 relu, dense5 identity, layernorm identity, add1, relu, dense5 identity, "
         "layernorm identity, add5, relu, dense2 softmax"),
        ("wide_residual", (6,), "dense6 relu, dense2 softmax"),
        ("wide_residual", (), "dense2 softmax"),
    ],
)  # fmt: skip
def test_hidden_layers_of_norms_and_skips_are_those_that_are_asked_for(
    name: str, hidden: tuple[int, ...], words: str
) -> None:
    assert ", ".join(layer.describe() for layer in MODELS[name](3, 2, hidden).layers) == words
