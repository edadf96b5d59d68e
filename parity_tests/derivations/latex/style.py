"""How a section writes layers, examples and units, read off its symbols."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from parity_tests.derivations.latex.tree import Symbol

BRACKETS, ROUND, BARE, BELOW, NONE = "[l]", "(l)", "^l", "_l", "none"
LAYER = re.compile(r"(?:[lLkKih]|\d)(?:[-+]\d)?")
_LAYER_ALONE = re.compile(r"[lL](?:[-+]\d)?|\d(?:[-+]1)?")
WEIGHTS = ("W", "w", "b", "B", "dW", "dw", "db", "dB", "\\theta", "\\Theta", "\\omega")
VALUES = ("Z", "z", "A", "a", "dZ", "dz", "dA", "da", "h", "H", "\\delta", "\\Delta")


class Style(NamedTuple):
    """Where the layer stands; ``letters`` stand for a layer, ``deepest`` is the highest number of one."""

    layers: str = NONE
    deepest: int = 0
    letters: frozenset[str] = frozenset()

    def layer_of(self, symbol: Symbol) -> str:
        """The layer of a symbol as it is written, "" where there is none."""
        if symbol.layer:
            return symbol.layer
        if self.layers == ROUND and LAYER.fullmatch(symbol.round):
            return symbol.round
        if self.layers == BARE and _LAYER_ALONE.fullmatch(symbol.bare):
            return symbol.bare
        if self.layers == BELOW and symbol.subscripts and _LAYER_ALONE.fullmatch(symbol.subscripts[0]):
            return symbol.subscripts[0]
        if symbol.bare in ("l", "L") or re.fullmatch(r"[lL][-+]1", symbol.bare):
            return symbol.bare
        return ""

    def example_of(self, symbol: Symbol) -> str:
        """The example that a symbol belongs to."""
        return "" if self.layers == ROUND and LAYER.fullmatch(symbol.round) and symbol.round != "i" else symbol.round

    def indices_of(self, symbol: Symbol) -> tuple[str, ...]:
        """The units of a symbol: its subscripts without the layer."""
        below = symbol.subscripts
        if self.layers == BELOW and not symbol.layer and below and _LAYER_ALONE.fullmatch(below[0]):
            below = below[1:]
        return below

    def power_of(self, symbol: Symbol) -> str:
        """The exponent that stands above a symbol where it is no layer."""
        if not symbol.bare or self.layer_of(symbol) == symbol.bare:
            return ""
        return symbol.bare


def own_style(symbols: list[Symbol], style: Style) -> Style:
    """The style of a formula that writes layers otherwise than its section."""
    if style.layers != BRACKETS or any(each.layer for each in symbols):
        return style
    if any(each.subscripts and re.fullmatch(r"L(-1)?", each.subscripts[0]) for each in symbols):
        return style._replace(layers=BELOW)
    own = style_of(symbols)
    return own._replace(deepest=style.deepest) if own.layers == ROUND else style


def style_of(symbols: Iterable[Symbol]) -> Style:
    """The style in which most symbols of a section are written."""
    found = [each for each in symbols if each.base in (*WEIGHTS, *VALUES)]
    weights = [each for each in found if each.base in WEIGHTS]
    squares = {each.bare for each in found if each.bare} == {"2"} and not any(
        each.bare and each.base not in WEIGHTS for each in found
    )
    votes: Counter[str] = Counter()
    for each in found:
        is_weight = each.base in WEIGHTS
        if each.layer:
            votes[BRACKETS] += 3
        elif LAYER.fullmatch(each.round) and (each.round[0] in "lL" or (is_weight and each.round != "i")):
            votes[ROUND] += 3
        elif re.match(r"[lL]", each.bare) or (
            each.bare.isdigit() and (is_weight or each.base == "\\delta") and not squares
        ):
            votes[BARE] += 2
    if not votes:
        lowered = [each for each in weights if len(each.subscripts) == 1 and _LAYER_ALONE.fullmatch(each.subscripts[0])]
        others = [each for each in found if each.base in VALUES and each.subscripts and each not in lowered]
        numbered = [each for each in others if _LAYER_ALONE.fullmatch(each.subscripts[0])]
        matrices = [each for each in lowered if each.base in ("W", "B", "dW", "dB", "\\Theta")]
        if lowered and (numbered or matrices):
            votes[BELOW] += 1
    layers = votes.most_common(1)[0][0] if votes else NONE
    style = Style(layers)
    written = [style.layer_of(each) for each in found]
    numbers = [int(each) for each in written if each.isdigit()]
    letters = frozenset(each[0] for each in written if each and each[0].isalpha())
    return Style(layers, max((each for each in numbers if each < 9), default=0), letters)
