"""What letters stand for by the note's own forward pass: where h = f(a) and a = W h + b, a is what others call z."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from parity_tests.derivations.latex.claims import Claim
from parity_tests.derivations.latex.cursor import GENERIC
from parity_tests.derivations.latex.style import Style
from parity_tests.derivations.latex.symbols import MEANINGS, UNITS
from parity_tests.derivations.latex.tree import (
    Call,
    Derivative,
    Node,
    Operation,
    Sum,
    Symbol,
    Transposed,
    factors,
    symbols_of,
    walk,
)


def settle(claims: Sequence[Claim], styles: Sequence[Style]) -> None:
    """Give the letters of a note their usual names, and units that are told apart by their index alone their layers.

    The letters that were written stay with the symbols, for repairs.
    """
    symbols = list({id(each): each for claim in claims for each in symbols_of((claim.target, claim.right))}.values())
    _drop_steps(claims)
    for section in {each.section for each in claims}:
        _name_parameters([each for each in claims if each.section == section])
    for each in symbols:
        if MEANINGS.get(each.base) == "W" and (unit := re.fullmatch("([a-z])0", "".join(each.subscripts))):
            each.base, each.subscripts = "b", (unit[1],)  # the weight of a constant input
    _rename(symbols, _usual(claims))
    if not any(each.layer or each.bare or (MEANINGS.get(each.base) == "W" and each.round) for each in symbols):
        _add_layers(symbols, _layers(claims))
    _add_shown_layers(claims, styles)


def _usual(claims: Iterable[Claim]) -> dict[str, str]:
    """The usual letters for those that the forward pass gives another role."""
    before, behind = set[str](), set[str]()
    for claim in claims:
        target, right = claim.target, claim.right
        if not isinstance(target, Symbol) or target.primes:
            continue
        if isinstance(right, Call) and (right.function.base in GENERIC or right.function.base in UNITS):
            inner = right.arguments[0] if len(right.arguments) == 1 else None
            if isinstance(inner, Symbol) and not right.function.primes and inner.base != target.base:
                before.add(inner.base)
                behind |= set() if target.accents else {target.base}
    found = {}
    for letter in before - behind:
        if MEANINGS.get(letter) == "A":
            found[letter] = "Z" if letter.isupper() else "z"
    if found:
        taken = {letter for letter in behind if MEANINGS.get(letter) == "Z"}
        found |= {letter: "A" if letter.isupper() else "a" for letter in taken}
        found |= {"y": "a"} if "y" in behind | _outputs(claims, set(found)) else {}
    return found


def _outputs(claims: Iterable[Claim], before: set[str]) -> set[str]:
    """The letters of linear outputs: set equal to what stands before an activation, or weighed sums beside labels t."""
    labels = any(each.base == "t" for claim in claims for each in symbols_of((claim.target, claim.right)))
    return {
        claim.target.base for claim in claims
        if isinstance(claim.target, Symbol) and not claim.target.accents and (
            (isinstance(claim.right, Symbol) and claim.right.base in before)
            or (labels and any(MEANINGS.get(each.base) == "W" for each in symbols_of(claim.right))))
    }  # fmt: skip


def _rename(symbols: Iterable[Symbol], usual: dict[str, str]) -> None:
    differentials = {f"d{letter}": f"d{other}" for letter, other in usual.items()}
    for each in symbols:
        other = (usual | differentials).get(each.base)
        if other:
            each.written, each.base = each.base, other


def _layers(claims: Iterable[Claim]) -> dict[str, int]:
    """The layers of index letters, from a_j = sum_i w_ji x_i and a_k = sum_j w_kj z_j; none where there is one."""
    above: dict[str, str] = {}
    for claim in claims:
        target = claim.target
        sums = [each for each in walk(claim.right) if isinstance(each, Sum)]
        if not (isinstance(target, Symbol) and MEANINGS.get(target.base) == "Z" and len(target.subscripts) == 1):
            continue
        for each in sums:
            if any((target.subscripts[0], each.index) == weight.subscripts for weight in _weights(each.body)):
                above[each.index] = target.subscripts[0]
    lowest = next((letter for letter in above if letter not in above.values()), "")
    found = [lowest]
    while found[-1] in above and len(found) <= len(above):
        found.append(above[found[-1]])
    return {letter: number for number, letter in enumerate(found)} if len(found) > 2 else {}


def _weights(node: Node) -> list[Symbol]:
    return [each for each in symbols_of(node) if MEANINGS.get(each.base) == "W"]


def _add_layers(symbols: Iterable[Symbol], layers: dict[str, int]) -> None:
    """The layer of a weight is that of the higher of its units."""
    for each in symbols:
        found = [layers[index] for index in each.subscripts if index in layers]
        if found and MEANINGS.get(each.base, "X") not in ("X", "Y"):
            each.layer, each.implied = str(max(found)), True


def _add_shown_layers(claims: Sequence[Claim], styles: Sequence[Style]) -> None:
    """The layers of values that are written without: those of the weights in their formula, by letter or by index."""
    found: dict[str, set[str]] = {}
    bare: list[Symbol] = []
    for claim in claims:
        style = styles[claim.section]
        for each in symbols_of((claim.target, claim.right)):
            if MEANINGS.get(each.base, "")[-1:] in ("Z", "A") and each.base not in ("y", "Y"):
                found.setdefault(each.base.removeprefix("d"), set()).update(filter(None, [style.layer_of(each)]))
                bare += [] if style.layer_of(each) else [each]
        target = claim.target
        layers = {style.layer_of(each) for each in _weights(claim.right)}
        if isinstance(target, Symbol) and MEANINGS.get(target.base) in ("Z", "A") and not style.layer_of(target):
            for key in (target.base, *(f"_{index}" for index in target.subscripts)):
                found.setdefault(key, set()).update(layers)
    for each in bare:
        keys = [*(f"_{index}" for index in each.subscripts), each.base.removeprefix("d")]
        layer = next((min(found[key]) for key in keys if len(found.get(key, ())) == 1), "")
        if layer.isdigit():
            each.layer, each.implied = layer, True


_STATES = {
    "v": "v",
    "V": "v",
    "s": "s",
    "S": "s",
    "r": "s",
    "m": "v",
    "M": "v",
    "\\theta": "\\theta",
    "w": "w",
    "W": "W",
}
"""Letters that an optimizer changes from step to step; m is Adam's average of the gradients, v that of the squares."""


def _drop_steps(claims: Sequence[Claim]) -> None:
    """Take the number of the step from the letters of optimizers, as in v_t = beta v_{t-1} + (1 - beta) g_t."""
    numbered: dict[int, list[Symbol]] = {}
    for claim in claims:
        here = [each for each in symbols_of((claim.target, claim.right)) if each.subscripts and is_step(each)]
        numbered.setdefault(claim.section, []).extend({id(each): each for each in here}.values())
    for found in numbered.values():
        steps = {each.subscripts[-1] for each in found if each.base in _STATES}
        of_the_paper = any(each.base in "mM" for each in found)
        sums = {each.base for each in found if each.base in "gG" and each.subscripts[-1] != "t"}  # as Adagrad's G
        for each in (each for each in found if len(steps) > 1 and each.base not in sums):
            step = f"_{{{each.subscripts[-1]}}}" if len(each.subscripts) == 1 else ""
            each.written, each.subscripts = each.letter + step, each.subscripts[:-1]
            if each.base in ("g", "G"):
                each.base = "dW"
            elif each.base in _STATES:
                state = "s" if of_the_paper and each.base in "vV" else _STATES[each.base]
                each.base, each.implied = state, True
                each.subscripts = ("dW",) if state in "vs" else each.subscripts


def is_step(symbol: Symbol) -> bool:
    """Whether a symbol has the number of a step below it."""
    return bool(re.fullmatch(r"t(?:[-+]1)?", symbol.subscripts[-1] if symbol.subscripts else ""))


def _name_parameters(claims: Sequence[Claim]) -> None:
    """Give the parameters of a section their usual letters by its forward pass, where layers are told by letters alone.

    In u = V x + d, h = f(u), o = W h + c are two layers. A letter Y whose derivative is given is no label.
    """
    symbols = list({id(each): each for claim in claims for each in symbols_of((claim.target, claim.right))}.values())
    if any(each.layer or each.bare or each.round for each in symbols):
        return
    given = {each.by.base for claim in claims for each in walk((claim.target, claim.right))
             if isinstance(each, Derivative) and isinstance(each.by, Symbol)}  # fmt: skip
    affine: list[tuple[str, str, str, str]] = []
    above: dict[str, str] = {}
    for claim in claims:
        target, right = claim.target, claim.right
        if not isinstance(target, Symbol) or target.subscripts or target.accents:
            continue
        if isinstance(right, Call) and len(right.arguments) == 1 and isinstance(right.arguments[0], Symbol):
            above[target.base] = right.arguments[0].base
        parts = _affine(right)
        if parts and (MEANINGS.get(target.base) == "Z" or (target.base == "Y" and "Y" in given)):
            affine.append((target.base, *parts))
    if len({each[1] for each in affine}) < len(affine):
        return
    produced = {each[0]: each[2] for each in affine}
    usual: dict[str, tuple[str, str]] = {}
    for of, W, value, b in affine:
        layer = 1
        while len(affine) > 1 and above.get(value) in produced and layer <= len(affine):
            layer, value = layer + 1, produced[above[value]]
        number = str(layer) if len(affine) > 1 else ""
        usual |= {W: ("W", number), b: ("b", number), of: ("Z" if of == "Y" else of, number)}
    usual |= {letter: (letter, usual[z][1]) for letter, z in above.items() if z in usual and letter not in usual}
    for each in symbols:
        base = each.base if each.base in usual else each.base.removeprefix("d")
        if base in usual and not each.subscripts[2:] and not each.accents:
            name, number = usual[base]
            if name != base:
                each.written, each.base = each.letter, each.base.replace(base, name)
            each.layer, each.implied = number, bool(number)


def _affine(node: Node) -> tuple[str, str, str] | None:
    """The letters of W x + b or X W + b, None for another formula."""
    if not (isinstance(node, Operation) and node.sign == "+" and isinstance(node.right, Symbol)):
        return None
    found = [each.operand if isinstance(each, Transposed) else each for _, each in factors(node.left)]
    if len(found) != 2 or not all(isinstance(each, Symbol) and not each.subscripts for each in (*found, node.right)):
        return None
    first, second = (each.base for each in found if isinstance(each, Symbol))
    values = [MEANINGS.get(each) in ("X", "A") for each in (first, second)]
    if values == [True, False]:
        first, second = second, first
    return (first, second, node.right.base) if any(values) and not all(values) else None
