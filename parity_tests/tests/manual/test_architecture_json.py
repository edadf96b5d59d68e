"""Architectures as JSON: the round trip, and a sentence for every text that is none."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manual.architecture import Architecture, Conv, Dense, Dropout, Flatten, Layer, Pool
from manual.architecture_json import from_json, to_json
from manual.layers import HIDDEN_UNITS, OUTPUT_UNITS


def layers() -> st.SearchStrategy[Architecture]:
    """Networks of every kind of layer, on volumes and on columns."""
    size, unit = st.integers(1, 3), st.sampled_from(HIDDEN_UNITS)
    sides = st.one_of(size, st.tuples(size, size))
    pads = st.one_of(st.integers(0, 2), st.tuples(st.integers(0, 2), st.integers(0, 2)))
    conv = st.one_of(
        st.builds(Conv, size, sides, stride=size, pad=pads, activation=unit),
        st.builds(Conv, size, st.sampled_from([1, 3, (3, 1)]), pad=st.just("same"), activation=unit),
    )
    pool = st.builds(Pool, size, size, st.sampled_from(["max", "average"]))
    dropout = st.builds(Dropout, st.floats(0, 1, exclude_min=True))
    volumes: st.SearchStrategy[list[Layer]] = st.lists(st.one_of(conv, pool, dropout), max_size=2)
    dense: st.SearchStrategy[list[Layer]] = st.lists(st.one_of(st.builds(Dense, size, unit), dropout), max_size=3)
    last = st.builds(Dense, size, st.sampled_from(OUTPUT_UNITS))
    on_images = st.builds(
        lambda below, above, top: Architecture((30, 29, 2), (*below, Flatten(), *above, top)), volumes, dense, last
    )
    return st.one_of(on_images, st.builds(lambda n, above, top: Architecture(n, (*above, top)), size, dense, last))


@given(architecture=layers())
@settings(max_examples=200, deadline=None)
def test_every_architecture_is_the_same_after_json(architecture: Architecture) -> None:
    text = to_json(architecture)
    assert "\n" not in text
    again = from_json(text)
    assert again == architecture
    assert again.describe() == architecture.describe()
    assert again.parameter_shapes == architecture.parameter_shapes


def test_numbers_of_numpy_are_written_too() -> None:
    sizes = np.array([5, 3])
    net = Architecture(int(sizes[0]), (Dropout(np.float32(0.75)), Dense(sizes[1], "softmax")))  # type: ignore[arg-type]
    assert from_json(to_json(net)) == net


def described(*layers: Any, inputs: Any = 4) -> str:
    return json.dumps({"inputs": inputs, "layers": [*layers, {"kind": "dense", "units": 1, "activation": "sigmoid"}]})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"the architecture is no JSON: .*"),
        ("[" * 100_000, r"the architecture is no JSON: .*"),
        ("[1]", r"the architecture is \[1\], expected an object with inputs and layers"),
        ('{"inputs": 3}', r"the architecture is .*, expected an object with inputs and layers"),
        ('{"inputs": 3, "layers": {}}', r"layers is \{\}, expected a list: .*"),
        ('{"inputs": 3, "layers": []}', r"Architecture has no layers, .*"),
        (
            described(3),
            r"layer 1 is 3, expected a kind: one of dense, conv, .*, layernorm, add, unit",
        ),
        (described({"kind": "lstm", "units": 3}), r"layer 1 is \{'kind': 'lstm', 'units': 3\}, expected a kind: .*"),
        (described({"kind": ["dense"]}), r"layer 1 is .*, expected a kind: .*"),
        (described({"kind": "dense", "units": 3}), r"layer 1 is .*, expected units, activation for this kind"),
        (described({"kind": "flatten", "units": 3}), r"layer 1 is .*, expected nothing else for this kind"),
        (described({"kind": "dense", "units": 0, "activation": "relu"}), r"layer 1: units is 0, expected .*"),
        (described({"kind": "dense", "units": "3", "activation": "relu"}), r"layer 1: units is '3', expected .*"),
        (described({"kind": "dense", "units": 3, "activation": "gelu"}), r"layer 1: activation is 'gelu', .*"),
        (described({"kind": "dropout", "keep_prob": 1.5}), r"layer 1: keep_prob is 1\.5, expected .*"),
        (described({"kind": "dropout", "keep_prob": "half"}), r"layer 1: keep_prob is 'half', expected .*"),
        (
            described({"kind": "conv", "filters": 1, "size": [3, 3, 3], "activation": "relu"}, inputs=[8, 8, 1]),
            r"layer 1: size is \(3, 3, 3\), expected f or \(f_H, f_W\): a filter has two sides",
        ),
        (described(inputs=[8, 8]), r"inputs is \(8, 8\), expected n_x or \(n_H, n_W, n_C\): .*"),
        (described(inputs="four"), r"inputs is 'four', expected a whole number of at least 1: .*"),
        (described(inputs=None), r"inputs is None, expected a whole number of at least 1: .*"),
        (described({"kind": "flatten"}), r"layer 1.* does not fit its input of shape \(4,\): .*"),
    ],
)
def test_what_is_no_architecture_gets_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=rf"^{sentence}$"):
        from_json(text)
