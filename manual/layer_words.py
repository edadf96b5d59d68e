"""Layers as people type them: ``conv8x3 relu pool2 flatten dense10``. The words are those of ``Layer.describe``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from manual.layers import HIDDEN_UNITS, LAYERS, Add, Dense, Dropout, Layer, Norm, Unit, Weighted

MOST_LAYERS = 1000

UNITS = (*HIDDEN_UNITS, "softmax")

WORDS = f"{', '.join(kind.words for kind in LAYERS if kind is not Unit)}, and after a layer one of {Unit.words}"
"""What a word may be."""


def layers_from(text: str, output_unit: str) -> tuple[Layer, ...]:
    """The layers that a text names, in order; the last one gets the output unit.

    A unit belongs to the layer before it where that has one, and is a layer of its own behind pooling or a skip.

    Raises ValueError for a word that is no layer and no unit, a unit behind another one, one after the last layer that
    is not the output unit, or for nothing at all.
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
        elif words[place - 2] not in UNITS and isinstance(layers[-1], Weighted):
            layers[-1] = layers[-1].with_unit(word)
        elif words[place - 2] in UNITS and words[place - 2] != "identity":
            raise ValueError(f"{word} stands after {words[place - 2]}, expected one unit for each layer")
        else:
            layers.append(Unit(word))
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
        if match and kind is not Unit:
            try:
                return kind.from_word(*match.groups())
            except ValueError as error:
                raise ValueError(f"word {place} of layers, {word}: {error}") from None
    raise ValueError(f"word {place} of layers is {word!r:.40}, expected {WORDS}")


def with_dropout(layers: Sequence[Layer], keep_prob: float) -> tuple[Layer, ...]:
    """Dropout after every hidden dense layer with its norm, skip and unit, or below the last where none is hidden.

    A single layer has none.
    """
    behind = set()
    for l, layer in enumerate(layers[:-1]):
        if isinstance(layer, Dense):
            while isinstance(layers[l + 1], Norm | Add | Unit):
                l += 1
            behind.add(l)
    found: list[tuple[int, Layer]] = []
    for l, layer in enumerate(layers):
        found += [(l + 1, layer), (0, Dropout(keep_prob))] if l in (behind or {len(layers) - 2}) else [(l + 1, layer)]
    return renumbered(found)


def renumbered(layers: Sequence[tuple[int, Layer]]) -> tuple[Layer, ...]:
    """Layers of a network with others between them, or some left out, so that every skip finds its source again.

    Each comes with the number it had, 0 for a new one; the source of a skip that is gone is the layer below it.
    """

    def now(source: int) -> int:
        return max((new for new, (old, _) in enumerate(layers, start=1) if 0 < old <= source), default=0)

    return tuple(replace(each, source=now(each.source)) if isinstance(each, Add) else each for _, each in layers)
