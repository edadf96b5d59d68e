"""What a repair may bring in, in the writer's own notation: letters, layers and examples as the note has them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from parity_tests.derivations.latex.claims import Claim
from parity_tests.derivations.latex.repairs import Known
from parity_tests.derivations.latex.style import BARE, BELOW, BRACKETS, ROUND
from parity_tests.derivations.latex.symbols import ACTIVATION, COSTS, MEANINGS, NETWORK, SIZE, STEP, Frame
from parity_tests.derivations.latex.tree import (
    Call,
    Derivative,
    Node,
    NotReadError,
    Number,
    Operation,
    Symbol,
    symbols_of,
    walk,
)


def known_to(frame: Frame, claim: Claim, symbols: Sequence[Symbol]) -> Known:
    """The quantities of a setting that may be missing in a claim, as its writer would have them."""
    names = [name for name in frame.shapes if re.fullmatch(r"d?[AZWbXYwv]\d?|J|z|a|s", name)]
    written = _written(frame, claim, symbols)
    made = [(name, node) for name in names if (node := node_of(name, frame, claim, written)) is not None]
    symbols = tuple(node for _, node in made if isinstance(node, Symbol))
    derivatives = tuple(node for _, node in made if isinstance(node, Derivative))
    z = {name: node for name, node in made if name.lstrip("d")[0] in "Zz" and name[0] != "d"}
    known = symbols_of((claim.target, claim.right))
    g = next((each.base for each in known if each.base in ("\\sigma", "g", "f", "\\phi")), "g")
    slopes = tuple(Call(Symbol(g, primes=1), (node,)) for name, node in z.items() if isinstance(node, Symbol))
    count = next((each for each in known if each.base in ("m", "n", "N", "M") and not each.subscripts), Symbol("m"))
    scalars: tuple[Node, ...] = ()
    if frame.family == ACTIVATION:
        return Known()
    if frame.family not in (SIZE, STEP):
        scalars = (Operation("/", Number("1"), replace(count, primes=0)),)
    return Known(scalars, slopes, (), symbols + derivatives)


def _written(frame: Frame, claim: Claim, symbols: Sequence[Symbol] = ()) -> dict[str, Symbol]:
    """The symbols that quantities of the setting have: those of the claim, then those with its indices."""
    known = symbols_of((claim.target, claim.right))
    letters = {index for each in known for index in each.subscripts}
    found: dict[str, Symbol] = {}
    for each in (*known, *sorted(symbols, key=lambda each: not letters & set(each.subscripts))):
        with suppress(NotReadError):
            if not each.primes and not frame.style.power_of(each) and (name := frame.name_of(each)) not in found:
                indices = len(frame.style.indices_of(each)) if each not in known else 0
                found[name] = replace(each, subscripts=each.subscripts[: len(each.subscripts) - indices])
    return found


def node_of(name: str, frame: Frame, claim: Claim, written: Mapping[str, Symbol] | None = None) -> Node | None:
    """A quantity of the setting as the writer has it in a claim, or would have it; derivatives as partial fractions
    where the claim has such.
    """
    parts = claim.target, claim.right
    known = symbols_of(parts)
    written = _written(frame, claim) if written is None else written
    if name in written:
        return written[name]
    of = next((each.of for each in walk(parts) if isinstance(each, Derivative) and _is_cost(each.of)), None)
    by = name.removeprefix("d")
    if of is not None and by != name and not (by[0] == "Z" and any(each.base == "\\delta" for each in known)):
        inner = node_of(by, frame, claim, written)
        return None if inner is None else Derivative(of, inner)
    match = re.fullmatch(r"(d?[A-Za-z]+?|g)(\d?)", name)
    if match is None:
        return None
    meaning, layer = match.groups()
    base = next((each.letter for each in known if MEANINGS.get(each.base) == meaning), "") or _by_kin(meaning, known)
    return _marked(Symbol(base), layer and _layer_text(int(layer), meaning, frame), frame)


def _is_cost(node: Node | None) -> bool:
    symbol = node.function if isinstance(node, Call) else node
    return isinstance(symbol, Symbol) and symbol.base in COSTS


def _by_kin(meaning: str, known: list[Symbol]) -> str:
    """Small letters where the others are small."""
    small = any(each.base in ("z", "a", "dz", "da", "\\delta") for each in known)
    large = any(each.base in ("Z", "A", "dZ", "dA", "X") for each in known)
    if meaning == "dZ" and any(each.base == "\\delta" for each in known):
        return "\\delta"
    return meaning.lower() if small and not large and meaning[-1] not in "WB" else meaning


def _layer_text(number: int, meaning: str, frame: Frame) -> str:
    """A layer in the writer's letters: l - 1 for 1 where l stands for 2."""
    number += frame.convention.above and meaning[-1] in "AZ"
    letters = sorted(frame.letters.items(), key=lambda each: each[0] == "L")
    for letter, value in letters:
        if value == number:
            return letter
    for letter, value in letters:
        if abs(value - number) == 1:
            return f"{letter}{'+' if number > value else '-'}1"
    return str(number) if frame.depth > 1 else ""


def _marked(symbol: Symbol, layer: str, frame: Frame) -> Symbol:
    """A symbol with its layer where the section writes it."""
    layers = frame.style.layers
    if not layer or frame.family != NETWORK:
        return symbol
    if layers == BELOW:
        return replace(symbol, subscripts=(layer,))
    mark = {BRACKETS: "layer", ROUND: "round", BARE: "bare"}.get(layers, "")
    return replace(symbol, **{mark: layer}) if mark else symbol  # type: ignore[arg-type]


def left_sides(frame: Frame, claim: Claim, own: str) -> Iterator[tuple[str, Node]]:
    """The other quantities of a setting that have a formula, in the writer's letters."""
    for name, each in frame.setting.targets.items():
        if name != own and each.kind != "update":
            node = node_of(name, frame, claim)
            yield name, node if node is not None else Symbol(name)
