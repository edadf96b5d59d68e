"""Layers as people type them: ``conv8x3 relu pool2 flatten dense10``. The words are those of ``Layer.describe``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from manual.layers import HIDDEN_UNITS, LAYERS, Dense, Dropout, Layer, Weighted

MOST_LAYERS = 1000

UNITS = (*HIDDEN_UNITS, "softmax")

WORDS = f"{', '.join(kind.words for kind in LAYERS)}, and after dense or conv one of {', '.join(HIDDEN_UNITS)}"
"""What a word may be."""


def layers_from(text: str, output_unit: str) -> tuple[Layer, ...]:
    """The layers that a text names, in order; the last one gets the output unit.

    Raises ValueError for a word that is no layer and no unit, a unit that no dense layer or convolution stands before,
    one after the last layer that is not the output unit, or for nothing at all.
    """
    layers: list[Layer] = []
    words = text.replace("-", " ").split()
    if not 0 < len(words) <= MOST_LAYERS:
        raise ValueError(
            f"layers has {len(words)} words, expected 1 to {MOST_LAYERS}, such as conv8x3 pool2 flatten dense10"
        )
    for place, word in enumerate(words, start=1):
        if word not in UNITS or not layers:
            layers.append(_layer(word, place))
        elif words[place - 2] in UNITS:
            raise ValueError(f"{word} stands after {words[place - 2]}, expected one unit for each layer")
        else:
            layers[-1] = _with_unit(layers[-1], word)
    last = layers[-1]
    if isinstance(last, Dense):
        named = words[-1] if not words[-1].startswith("dense") else output_unit
        if named != output_unit:
            raise ValueError(f"the last layer has {named}, expected {output_unit}: the data decides the output unit")
        layers[-1] = Dense(last.units, output_unit)
    return tuple(layers)


def _layer(word: str, place: int) -> Layer:
    for kind in LAYERS:
        match = re.fullmatch(kind.pattern, word, re.ASCII)
        if match:
            try:
                return kind.from_word(*match.groups())
            except ValueError as error:
                raise ValueError(f"word {place} of layers, {word}: {error}") from None
    raise ValueError(f"word {place} of layers is {word!r:.40}, expected {WORDS}")


def _with_unit(layer: Layer, unit: str) -> Layer:
    """The layer with another unit."""
    if isinstance(layer, Weighted):
        return layer.with_unit(unit)
    raise ValueError(f"{unit} stands after {layer.describe()}, expected it after a dense layer or a convolution")


def with_dropout(layers: Sequence[Layer], keep_prob: float) -> tuple[Layer, ...]:
    """Dropout after every hidden dense layer, or below the last layer where none is hidden; a single layer has none."""
    hidden = {l for l, layer in enumerate(layers[:-1]) if isinstance(layer, Dense)} or {len(layers) - 2}
    found: list[Layer] = []
    for l, layer in enumerate(layers):
        found += [layer, Dropout(keep_prob)] if l in hidden else [layer]
    return tuple(found)
