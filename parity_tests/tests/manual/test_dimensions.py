"""The dimension table: sizes and counts of every model against torch's, and the notes' own numbers."""

from __future__ import annotations

import json
import math

import pytest
import torch
from torch import nn

from manual.__main__ import main
from manual.architecture import IMAGE_MODELS, MODELS, Architecture, Conv, Dense, Dropout, Flatten, Pool, model
from manual.shapes import table
from torch_ref import network
from torch_ref.shapes import parameter_count


def made(name: str) -> Architecture:
    """A model on images of two channels, or on seven features."""
    return model(name, (28, 30, 2) if name in IMAGE_MODELS else 7, 3)


@pytest.mark.parametrize("name", list(MODELS))
def test_volumes_and_parameters_are_those_of_torch(name: str) -> None:
    net = made(name)
    rows = table(net)
    module = network.build(net)
    assert sum(row.parameters for row in rows) == parameter_count(module)
    passed = network.forward(module, torch.zeros(net.batch_shape(0, 1), dtype=torch.float64))
    for row, A in zip(rows, passed.A, strict=True):
        assert math.prod(row.activation) == A.numel()
    weighted = [row for row in rows if row.W is not None]
    owners = [slot.owner for slot in module.slots if slot.letter == "W"]
    for row, layer in zip(weighted, owners, strict=True):
        assert math.prod(row.W or ()) == layer.weight.numel()
        assert row.parameters == sum(parameter.numel() for parameter in layer.parameters())


def multiply_adds(module: nn.Module, inputs: torch.Tensor) -> int:
    """Torch's own count of a forward pass: two operations for each multiply-add."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        module(inputs)
    return int(counter.get_total_flops()) // 2


@pytest.mark.parametrize("name", list(MODELS))
def test_multiply_adds_are_those_that_torch_counts(name: str) -> None:
    net = made(name)
    shape = net.shape_of_input
    inputs = torch.zeros((1, shape[2], *shape[:2]) if len(shape) == 3 else (1, *shape), dtype=torch.float64)
    assert sum(row.multiply_adds for row in table(net)) == multiply_adds(network.build(net).eval(), inputs)


def test_the_numbers_of_the_notes() -> None:
    def output(n: int, f: int, **how: int) -> tuple[int, ...]:
        layers = (Conv(2, f, activation="relu", **how), Flatten(), Dense(1, "sigmoid"))
        return table(Architecture((n, n, 3), layers))[1].activation

    assert output(6, 3) == (4, 4, 2)
    assert output(6, 3, pad=1) == (6, 6, 2)
    assert output(7, 3, pad=1, stride=2) == (4, 4, 2)
    (_, row) = table(Architecture(300 * 300 * 3, (Dense(100, "softmax"),)))
    assert row.parameters == 27_000_100
    (_, row) = table(Architecture(1000 * 1000 * 3, (Dense(1000, "softmax"),)))
    assert math.prod(row.W or ()) == 3_000_000_000
    assert sum(row.parameters for row in table(model("lenet5", (28, 28, 1), 10))) == 61_706


def test_every_column_of_every_kind_of_layer() -> None:
    layers = (
        Conv(5, (2, 3), stride=2, pad=(1, 0), activation="relu"),
        Pool(3, 2, "average"),
        Dropout(0.5),
        Flatten(),
        Dense(7, "tanh"),
        Dense(2, "sigmoid"),
    )
    rows = [tuple(row) for row in table(Architecture((9, 11, 3), layers))]
    none = (None, None, None)
    assert rows == [
        (0, "input", *none, None, None, (9, 11, 3), None, None, 0, 0),
        (1, "conv5x2x3s2p1x0 relu", (2, 3), (1, 0), 2, 5, (2, 3, 3), (5, 5, 5), (2, 3, 3, 5), (1, 1, 1, 5), 95, 2250),
        (2, "avgpool3s2", (3, 3), (0, 0), 2, 5, None, (2, 2, 5), None, None, 0, 0),
        (3, "dropout0.5", *none, None, None, (2, 2, 5), None, None, 0, 0),
        (4, "flatten", *none, None, None, (20,), None, None, 0, 0),
        (5, "dense7 tanh", *none, None, None, (7,), (7, 20), (7, 1), 147, 140),
        (6, "dense2 sigmoid", *none, None, None, (2,), (2, 7), (2, 1), 16, 14),
    ]


def test_the_command_prints_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shapes", "--model", "lenet5"]) == 0
    shown = capsys.readouterr().out
    for text in ("5x5x6x16", "10x10x16", "240,000", "61,706 parameters; 416,520 multiply-adds for one example"):
        assert text in shown
    assert main(["shapes", "--model", "wide", "--inputs", "7", "--outputs", "3", "--hidden", "5", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["model"], report["parameters"], report["multiply_adds"]) == ("wide", 58, 50)
    assert [layer["activation"] for layer in report["layers"]] == [[7], [5], [3]]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--inputs", "6xx1"], "inputs is '6xx1', expected features, such as 64, or an image, such as 28x28x1"),
        (["--inputs", "-3"], "inputs is '-3', expected features"),
        (["--inputs", "28"], "inputs is 28, expected (n_H, n_W, n_C): lenet5 takes images"),
        (["--inputs", "6x6x1"], "layer 3, conv16x5 tanh, does not fit its input of shape (3, 3, 6): f is 5"),
        (["--model", "wide", "--inputs", "8x8x1"], "layer 1, dense64 relu, does not fit its input of shape (8, 8, 1)"),
        (["--model", "vgg"], "model is 'vgg', expected one of logistic"),
        (["--outputs", "0"], "units is 0, expected a whole number of at least 1"),
    ],
)
def test_bad_usage_gets_one_sentence(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["shapes", *words]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: Architecture((5, 5), (Dense(1, "sigmoid"),)),  # type: ignore[arg-type]
            "inputs is (5, 5), expected n_x or (n_H, n_W, n_C)",
        ),
        (
            lambda: Architecture(5, (Pool(2, 2), Dense(1, "sigmoid"))),
            "layer 1, pool2, does not fit its input",
        ),
        (lambda: Architecture((5, 5, 1), (Flatten(),)), "the last layer is Flatten, expected Dense"),
        (
            lambda: Architecture((5, 5, 1), (Pool(6, 2), Flatten(), Dense(1, "sigmoid"))),
            "layer 1, pool6s2, does",
        ),
        (lambda: Conv(0, 3, activation="relu"), "filters is 0, expected a whole number of at least 1"),
        (lambda: Conv(2, 0, activation="relu"), "size is 0, expected a whole number of at least 1"),
        (lambda: Conv(2, 3, stride=0, activation="relu"), "stride is 0, expected a whole number of at least 1"),
        (lambda: Conv(2, 3, pad=-1, activation="relu"), "pad is -1, expected a whole number of at least 0"),
        (lambda: Conv(2, 4, pad="same", activation="relu"), "f is 4, expected an odd number"),
        (lambda: Conv(2, 3, pad="same", stride=2, activation="relu"), "stride is 2, expected 1"),
        (lambda: Conv(2, 3, activation="softmax"), "activation is 'softmax', expected one of sigmoid"),
        (lambda: Pool(0, 2), "size is 0, expected a whole number of at least 1"),
        (lambda: Pool(2, 0), "stride is 0, expected a whole number of at least 1"),
        (lambda: Pool(2, 2, "median"), "mode is 'median', expected 'max' or 'average'"),
        (lambda: Dropout(0.0), "keep_prob is 0.0, expected a number"),
        (lambda: Dropout(1.5), "keep_prob is 1.5, expected a number"),
    ],
)
def test_what_cannot_be_a_network_is_refused(make: object, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        make()  # type: ignore[operator]
    assert sentence in str(caught.value)
