"""Layers as words: what is typed becomes layers, what layers say of themselves can be typed, the rest is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manual.layer_words import MOST_LAYERS, layers_from, with_dropout
from manual.layers import HIDDEN_UNITS, Add, BatchNorm, Conv, Dense, Dropout, Flatten, Layer, LayerNorm, Pool, Unit

COUNTS = st.integers(1, 999)
PADS = st.one_of(
    st.integers(0, 5), st.tuples(st.integers(0, 5), st.integers(0, 5)).filter(lambda pad: pad[0] != pad[1])
)
SIDES = st.one_of(COUNTS, st.tuples(COUNTS, COUNTS).filter(lambda size: size[0] != size[1]))
SHARES = st.one_of(st.just(0.1), st.just(1e-5), st.floats(0, 1, exclude_min=True))
LAYERS: st.SearchStrategy[Layer] = st.one_of(
    st.builds(Dense, COUNTS, st.sampled_from(HIDDEN_UNITS)),
    st.builds(Conv, COUNTS, SIDES, stride=COUNTS, pad=PADS, activation=st.sampled_from(HIDDEN_UNITS)),
    st.builds(Conv, COUNTS, st.sampled_from((1, 3, 5)), pad=st.just("same"), activation=st.sampled_from(HIDDEN_UNITS)),
    st.builds(Pool, COUNTS, COUNTS, st.sampled_from(("max", "average"))),
    st.just(Flatten()),
    st.builds(Dropout, st.floats(0, 1, exclude_min=True)),
    st.builds(BatchNorm, st.sampled_from(HIDDEN_UNITS), momentum=SHARES, epsilon=SHARES),
    st.builds(LayerNorm, st.sampled_from(HIDDEN_UNITS), epsilon=SHARES),
    st.builds(Add, st.integers(0, 99)),
)


@given(st.lists(LAYERS), st.sampled_from(("sigmoid", "softmax", "identity")), st.sampled_from((" ", " - ", "\n")))
def test_what_layers_say_of_themselves_makes_the_same_layers(hidden: list[Layer], unit: str, between: str) -> None:
    layers = (*hidden, Dense(3, unit))
    assert layers_from(between.join(layer.describe() for layer in layers), unit) == layers


def test_units_may_be_left_out() -> None:
    assert layers_from("conv8x3 pool2-flatten dense5 tanh dropout.5 dense10", "softmax") == (
        Conv(8, 3, activation="relu"),
        Pool(2, 2),
        Flatten(),
        Dense(5, "tanh"),
        Dropout(0.5),
        Dense(10, "softmax"),
    )
    assert layers_from("pool2 relu dense4 identity relu batchnorm add2 tanh dense1", "sigmoid") == (
        Pool(2, 2),
        Unit("relu"),
        Dense(4, "identity"),
        Unit("relu"),
        BatchNorm(),
        Add(2),
        Unit("tanh"),
        Dense(1, "sigmoid"),
    )
    assert layers_from("dense1", "sigmoid") == (Dense(1, "sigmoid"),)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "layers has 0 words, expected 1 to 1000, such as conv8x3 pool2 flatten dense10"),
        (" ".join(["flatten"] * (MOST_LAYERS + 1)), "layers has 1001 words, expected 1 to 1000"),
        ("dens64", "word 1 of layers is 'dens64', expected dense64, conv8x3, "),
        ("relu dense4", "word 1 of layers is 'relu', expected dense64"),
        ("dense4 pool", "word 2 of layers is 'pool', expected dense64"),
        ("dense٣", "word 1 of layers is 'dense٣', expected"),
        ("dense9999999999", "word 1 of layers is 'dense9999999999', expected"),
        ("x" * 10**6, f"word 1 of layers is '{'x' * 39}, expected"),
        ("dense0", "word 1 of layers, dense0: units is 0, expected a whole number of at least 1"),
        ("flatten conv8x3s0", "word 2 of layers, conv8x3s0: stride is 0, expected"),
        ("conv8x4same", "word 1 of layers, conv8x4same: "),
        ("dropout0", "word 1 of layers, dropout0: keep_prob is 0.0, expected a number in (0, 1]"),
        ("dropout80", "word 1 of layers, dropout80: keep_prob is 80.0, expected a number in (0, 1]"),
        ("dense4 batchnorm0 dense2", "word 2 of layers, batchnorm0: momentum is 0.0, expected a number in (0, 1]"),
        ("layernormeps0 dense2", "word 1 of layers, layernormeps0: epsilon is 0.0, expected a finite number above 0"),
        ("pool2 softmax dense2", "activation is 'softmax', expected one of sigmoid"),
        ("dense4 relu tanh dense2", "tanh stands after relu, expected one unit for each layer"),
        ("dense4 relu", "the last layer has relu, expected softmax: the data decides the output unit"),
        ("conv8x3 softmax", "activation is 'softmax', expected one of sigmoid"),
    ],
)
def test_what_is_no_layer_gets_one_plain_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        layers_from(text, "softmax")
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("dense5 dense4 dense3", "dense5 relu dropout0.8 dense4 relu dropout0.8 dense3 softmax"),
        ("conv2x3 flatten dense3", "conv2x3 relu flatten dropout0.8 dense3 softmax"),
        ("dense3", "dense3 softmax"),
    ],
)
def test_dropout_comes_after_hidden_dense_layers_or_below_the_last(words: str, expected: str) -> None:
    layers = with_dropout(layers_from(words, "softmax"), 0.8)
    assert " ".join(layer.describe() for layer in layers) == expected


def test_a_keep_prob_from_numpy_reads_the_same() -> None:
    assert Dropout(np.float64(0.1)).describe() == "dropout0.1"
    assert Dropout(1).describe() == "dropout1"
    assert Dropout(1e-5).describe() == "dropout0.00001"
