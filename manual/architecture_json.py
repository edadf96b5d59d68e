"""An architecture as JSON and back: what a file says of the network whose parameters it holds.

``{"inputs": 64, "layers": [{"kind": "dense", "units": 10, "activation": "softmax"}]}``. What is read goes through the
constructors, so that nothing comes out of a file that could not be written in Python.
"""

from __future__ import annotations

import dataclasses
import json
import reprlib
from typing import Any

from manual.architecture import Architecture
from manual.layers import LAYERS, Layer

KINDS: dict[str, type[Any]] = {kind.__name__.lower(): kind for kind in LAYERS}
"""The layers by the word that stands for each."""


def to_json(architecture: Architecture) -> str:
    """The architecture as one line of JSON; from_json gives an equal one back."""
    layers = [{"kind": type(layer).__name__.lower(), **_fields(layer)} for layer in architecture.layers]
    return json.dumps({"inputs": architecture.inputs, "layers": layers}, default=_plain)


def from_json(text: str) -> Architecture:
    """The architecture that a line of JSON describes.

    Raises ValueError, in one sentence, for text that is no JSON, a kind of layer that does not exist, settings that the
    layer does not have, and whatever the constructors refuse.
    """
    try:
        described = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the architecture is no JSON: {error}") from None
    if not isinstance(described, dict) or described.keys() != {"inputs", "layers"}:
        raise ValueError(f"the architecture is {_short(described)}, expected an object with inputs and layers")
    if not isinstance(described["layers"], list):
        raise ValueError(f"layers is {_short(described['layers'])}, expected a list: one entry for every layer")
    layers = tuple(_layer(l, fields) for l, fields in enumerate(described["layers"], start=1))
    return Architecture(_hashable(described["inputs"]), layers)


def _fields(layer: Layer) -> dict[str, Any]:
    """The settings of a layer by name."""
    fields = dataclasses.fields(layer)  # type: ignore[arg-type]  # every layer is a dataclass
    return {field.name: getattr(layer, field.name) for field in fields}


def _plain(value: Any) -> Any:
    """A NumPy number as Python's, which JSON can write."""
    return value.item()


def _layer(l: int, described: Any) -> Layer:
    """Layer l; ValueError for a description that is none."""
    if not isinstance(described, dict) or described.get("kind") not in list(KINDS):
        raise ValueError(f"layer {l} is {_short(described)}, expected a kind: one of {', '.join(KINDS)}")
    settings = {name: _hashable(value) for name, value in described.items() if name != "kind"}
    try:
        layer: Layer = KINDS[described["kind"]](**settings)
        return layer
    except TypeError:
        expected = ", ".join(field.name for field in dataclasses.fields(KINDS[described["kind"]])) or "nothing else"
        raise ValueError(f"layer {l} is {_short(described)}, expected {expected} for this kind") from None
    except ValueError as error:
        raise ValueError(f"layer {l}: {error}") from None


def _hashable(value: Any) -> Any:
    """JSON has no tuples, and a layer no lists."""
    return tuple(value) if isinstance(value, list) else value


def _short(value: object) -> str:
    """A value cut to a line."""
    return reprlib.repr(value)
