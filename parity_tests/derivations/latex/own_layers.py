"""Layers that are letters, in a note's own forward pass: what is said of layer l is said of each of a few."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from parity_tests.derivations.latex.claims import Claim
from parity_tests.derivations.latex.style import BARE, BELOW, ROUND, Style
from parity_tests.derivations.latex.tree import (
    PARTS,
    Node,
    NotReadError,
    Operation,
    Sum,
    Symbol,
    mapped,
    symbols_of,
    with_parts,
)

DEPTH, MIDDLE = 4, 2
"""The layers there are, and the one that l is where a claim is judged: its neighbours are neither 0 nor L."""

_LAYER = re.compile(r"([lLk])(?:([-+])(\d))?")
_NUMBER = re.compile(r"\d")


def layer_letters(claim: Claim, style: Style) -> set[str]:
    """The letters of layers in a claim, L among them."""
    found = (_LAYER.fullmatch(style.layer_of(each)) for each in symbols_of((claim.target, claim.right)))
    return {match[1] for match in found if match}


def in_the_middle(claim: Claim, style: Style) -> Claim:
    """A claim of l as one of layer 2; layers always stand in brackets behind it."""
    return _at(claim, style, MIDDLE)


def in_every_layer(claim: Claim, style: Style) -> Iterator[Claim]:
    """What a claim says of each layer that its left side may have; itself where that has no letter but L."""
    target = claim.target
    layer = _LAYER.fullmatch(style.layer_of(target)) if isinstance(target, Symbol) else None
    if layer is None or layer[1] == "L":
        yield in_the_middle(claim, style)
        return
    for number in range(DEPTH + 1):
        try:
            made = _at(claim, style, number)
        except NotReadError:
            continue
        if isinstance(made.target, Symbol) and 1 <= int(made.target.layer) <= DEPTH:
            yield made


def _at(claim: Claim, style: Style, number: int) -> Claim:
    at = {"l": number, "k": number, "L": DEPTH}
    return claim._replace(target=_numbered(claim.target, style, at), right=_numbered(claim.right, style, at))


def _numbered(node: Node, style: Style, at: Mapping[str, int]) -> Node:
    """A formula with numbers for the letters of layers; a sum over layers is written out."""
    if isinstance(node, Symbol):
        return _symbol(node, style, at)
    if isinstance(node, Sum) and any(style.layer_of(each)[:1] == node.index for each in symbols_of(node.body)):
        first, last = (_end(end, usual) for end, usual in ((node.lower, 1), (node.upper, DEPTH)))
        terms = [_numbered(node.body, style, {**at, node.index: number}) for number in range(first, last + 1)]
        if not terms:
            raise NotReadError("a sum over no layer")
        whole = terms[0]
        for each in terms[1:]:
            whole = Operation("+", whole, each)
        return whole

    def deeper(part: object) -> object:
        if isinstance(part, tuple):
            return tuple(map(deeper, part))
        return _numbered(part, style, at) if isinstance(part, Node) else part

    return with_parts(node, {name: deeper(getattr(node, name)) for name in PARTS[type(node)]})


def _end(text: str, usual: int) -> int:
    match = re.fullmatch(r"(\d|L)?([-+]\d)?", text)
    if match is None:
        raise NotReadError(f"a sum over the layers up to {text}")
    return (int(match[1]) if (match[1] or "L") != "L" else usual if not match[1] else DEPTH) + int(match[2] or 0)


def _symbol(symbol: Symbol, style: Style, at: Mapping[str, int]) -> Symbol:
    written = style.layer_of(symbol)
    match = _LAYER.fullmatch(written)
    if match is None and not _NUMBER.fullmatch(written):
        return symbol
    number = at[match[1]] + int(f"{match[2]}{match[3]}" if match[2] else 0) if match else int(written)
    if number < 0:
        raise NotReadError("a layer below the inputs")
    place = _place(symbol, written)
    below = symbol.subscripts[1:] if place == BELOW else symbol.subscripts
    bare, round_ = ("" if place == BARE else symbol.bare), ("" if place == ROUND else symbol.round)
    return replace(symbol, layer=str(number), bare=bare, round=round_, subscripts=below)


def _place(symbol: Symbol, written: str) -> str:
    """Where a symbol has its layer, "" for brackets."""
    if symbol.layer:
        return ""
    return ROUND if symbol.round == written else BARE if symbol.bare == written else BELOW


def in_letters(node: Node, letters: set[str], style: Style) -> Node:
    """A formula with the letters of a claim, and its way of writing them, for the numbers of layers."""

    def changed(each: Node) -> Node:
        if not isinstance(each, Symbol) or not _NUMBER.fullmatch(each.layer):
            return each
        layer = _text(int(each.layer), letters)
        if style.layers == BELOW:
            return replace(each, layer="", subscripts=(layer, *each.subscripts))
        mark = {ROUND: "round", BARE: "bare"}.get(style.layers, "layer")
        return with_parts(each, {"layer": "", mark: layer})

    return mapped(node, changed)


def _text(number: int, letters: set[str]) -> str:
    for letter in sorted(letters, key=lambda each: each == "L"):
        away = number - (DEPTH if letter == "L" else MIDDLE)
        if abs(away) < 2:
            return f"{letter}{away:+d}" if away else letter
    return str(number)
