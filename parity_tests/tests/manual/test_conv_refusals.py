"""Convolutions, sizes and reshapes refuse bad arguments in one sentence."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from manual.conv import conv_backward, conv_forward, flatten, flatten_backward, zero_pad
from manual.shapes import conv_output_size, conv_parameter_count, dense_parameter_count, same_padding
from parity_tests.tests.manual.conv_probes import Configuration, make_probe

GOOD = make_probe(Configuration(2, (6, 5), 3, 4, (3, 3)))


def refuse(name: str, got: str, expected: str, rule: str) -> str:
    """The one sentence that an error says."""
    return "^" + re.escape(f"{name} {got}, expected {expected}: {rule}") + "$"


REFUSALS: dict[str, tuple[Callable[..., object], str]] = {
    "filter-too-large": (
        lambda f, _: f(GOOD.A_prev[:, :, :2], GOOD.W, GOOD.b),
        refuse("f", "is 3", "at most n + 2 pad = 2", "the filter must fit into the padded input"),
    ),
    "channels": (
        lambda f, _: f(GOOD.A_prev[..., :2], GOOD.W, GOOD.b),
        refuse("W", "has shape (3, 3, 3, 4)", "(f_H, f_W, 2, n_C)", "a filter is as deep as its input"),
    ),
    "rank-of-A": (
        lambda f, _: f(GOOD.A_prev[0], GOOD.W, GOOD.b),
        "^A_prev has shape .6, 5, 3., expected .m, n_H, n_W, n_C. .*: examples come first and channels last$",
    ),
    "no-example": (
        lambda f, _: f(GOOD.A_prev[:0], GOOD.W, GOOD.b),
        "^A_prev has shape .0, 6, 5, 3., expected .* no side of length 0: examples come first and channels last$",
    ),
    "rank-of-W": (
        lambda f, _: f(GOOD.A_prev, GOOD.W[0], GOOD.b),
        refuse("W", "has shape (3, 3, 4)", "(f_H, f_W, 3, n_C)", "a filter is as deep as its input"),
    ),
    "no-filter": (
        lambda f, _: f(GOOD.A_prev, GOOD.W[..., :0], GOOD.b),
        refuse("W", "has shape (3, 3, 3, 0)", "(f_H, f_W, 3, n_C)", "a filter is as deep as its input"),
    ),
    "bias": (
        lambda f, _: f(GOOD.A_prev, GOOD.W, GOOD.b.reshape(-1)),
        refuse("b", "has shape (4,)", "(1, 1, 1, 4)", "b is (1, 1, 1, n_C), one bias for each filter"),
    ),
    "upstream": (
        lambda _, g: g(GOOD.dZ[:, 1:], GOOD.A_prev, GOOD.W),
        refuse("dZ", "has shape (2, 3, 3, 4)", "(2, 4, 3, 4)", "dZ has the shape of Z"),
    ),
    "upstream-without-channels": (
        lambda _, g: g(GOOD.dZ[..., :1], GOOD.A_prev, GOOD.W),
        refuse("dZ", "has shape (2, 4, 3, 1)", "(2, 4, 3, 4)", "dZ has the shape of Z"),
    ),
    "stride-0": (
        lambda f, _: f(GOOD.A_prev, GOOD.W, GOOD.b, stride=0),
        "^stride is 0, expected a whole number of at least 1: the next window starts at least one cell further on$",
    ),
    "stride-fraction": (
        lambda f, _: f(GOOD.A_prev, GOOD.W, GOOD.b, stride=1.5),
        "^stride is 1.5, expected a whole number of at least 1: ",
    ),
    "pad-negative": (
        lambda f, _: f(GOOD.A_prev, GOOD.W, GOOD.b, pad=-1),
        "^pad is -1, expected a whole number of at least 0: padding adds cells, it removes none$",
    ),
    "pad-pair-negative": (
        lambda f, _: f(GOOD.A_prev, GOOD.W, GOOD.b, pad=(0, -2)),
        "^pad is -2, expected a whole number of at least 0: padding adds cells, it removes none$",
    ),
    "pad-triple": (
        lambda f, _: f(GOOD.A_prev, GOOD.W, GOOD.b, pad=(0, 1, 2)),
        refuse("pad", "is (0, 1, 2)", "two numbers", "a pair is (vertical, horizontal)"),
    ),
    "pad-name": (
        lambda f, _: f(GOOD.A_prev, GOOD.W, GOOD.b, pad="valid"),
        refuse("pad", "is 'valid'", 'a number, a pair or "same"', "no other name has a meaning"),
    ),
    "same-even": (
        lambda f, _: f(GOOD.A_prev, GOOD.W[:2], GOOD.b, pad="same"),
        refuse("f", "is 2", "an odd number", "SAME padding is p = (f - 1) / 2"),
    ),
    "same-stride": (
        lambda f, _: f(GOOD.A_prev, GOOD.W, GOOD.b, pad="same", stride=2),
        refuse("stride", "is 2", "1", "SAME padding keeps the size only at stride 1"),
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_bad_arguments_are_refused_in_one_sentence(name: str) -> None:
    call, sentence = REFUSALS[name]
    with pytest.raises(ValueError, match=sentence):
        call(conv_forward, conv_backward)


@pytest.mark.parametrize(
    "name", ["filter-too-large", "channels", "stride-0", "pad-negative", "same-even", "same-stride"]
)
def test_the_backward_pass_refuses_the_same(name: str) -> None:
    call, sentence = REFUSALS[name]
    with pytest.raises(ValueError, match=sentence):
        call(lambda A_prev, W, _, **how: conv_backward(GOOD.dZ, A_prev, W, **how), conv_backward)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: conv_output_size(0, 3), "^n is 0, expected a whole number of at least 1: the input has"),
        (lambda: conv_output_size(5, 0), "^f is 0, expected a whole number of at least 1: the filter has"),
        (lambda: conv_output_size(5, 3, pad=-1), "^pad is -1, expected a whole number of at least 0: padding adds"),
        (lambda: conv_output_size(5, 3, stride=0), "^stride is 0, expected a whole number of at least 1: the next"),
        (lambda: conv_output_size(3, 6, pad=1), re.escape("f is 6, expected at most n + 2 pad = 5: the filter must")),
        (lambda: same_padding(4), re.escape("f is 4, expected an odd number: SAME padding is p = (f - 1) / 2")),
        (lambda: same_padding(0), "^f is 0, expected a whole number of at least 1: the filter has at least one cell$"),
        (
            lambda: dense_parameter_count(0, 3),
            "^inputs is 0, expected a whole number of at least 1: a layer has at least one input$",
        ),
        (
            lambda: dense_parameter_count(3, 0),
            "^units is 0, expected a whole number of at least 1: a layer has at least one unit$",
        ),
        (
            lambda: conv_parameter_count((3, 0), 3, 1),
            "^f is 0, expected a whole number of at least 1: the filter has at least one cell$",
        ),
        (
            lambda: conv_parameter_count(3, 0, 1),
            "^channels is 0, expected a whole number of at least 1: a filter has the depth of its input$",
        ),
        (
            lambda: conv_parameter_count(3, 3, 0),
            "^filters is 0, expected a whole number of at least 1: a layer has at least one filter$",
        ),
        (lambda: zero_pad(GOOD.A_prev, -1), "^pad is -1, expected a whole number of at least 0: padding adds cells"),
        (lambda: zero_pad(GOOD.A_prev[0], 1), "^A has shape .6, 5, 3., expected .m, n_H, n_W, n_C. "),
        (lambda: zero_pad(GOOD.A_prev, "same"), "^pad is 'same', expected a number or a pair: without a filter"),
        (lambda: flatten(GOOD.A_prev[0]), "^A has shape .6, 5, 3., expected .m, n_H, n_W, n_C. "),
        (
            lambda: flatten_backward(np.zeros((2, 90)), (2, 6, 5, 3)),
            "^dA has shape .2, 90., expected .90, 2.: one column for each example, ",
        ),
    ],
)
def test_sizes_and_reshapes_refuse_in_one_sentence(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        call()
