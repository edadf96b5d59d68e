"""A repair in the writer's own notation: letters, layers and examples as the note has them."""

from __future__ import annotations

import ast
import re

from parity_tests.derivations.latex.printer import latex
from parity_tests.derivations.latex.rewritten import latex_of
from parity_tests.derivations.latex.style import BARE, BELOW, BRACKETS, ROUND
from parity_tests.derivations.latex.symbols import COSTS, MEANINGS, SIZE, Frame
from parity_tests.derivations.latex.tree import Call, Derivative, Node, NotReadError, Symbol, symbols_of, walk


def in_the_writers_letters(line: str, frame: Frame, target: Node, right: Node | None = None) -> str:
    """A line of the language as LaTeX, in the letters of a claim; the line itself where it has no formula.

    Where the claim has partial fractions, derivatives are such.
    """
    known = symbols_of((target, right))
    of = next((each.of for each in walk((target, right)) if isinstance(each, Derivative) and _is_cost(each.of)), None)
    if frame.convention.undivided:
        divided = "(lambda_ / m)"
        if line.count("lambda_") != line.count(divided):
            return ""
        line = line.replace(divided, "lambda_")
    line = re.sub(r"(\w)'", r"\1_prime", line)
    try:
        tree = ast.parse(line)
        used = {each.id for each in ast.walk(tree) if isinstance(each, ast.Name)}
        text = latex(line, {name: _symbol(name, frame, known, of) for name in used - {"np"}})
        _, equals, rest = text.partition(" = ")
        return (
            f"{latex_of(target)} = {rest}"
            if (equals and frame.family == SIZE) or isinstance(target, Derivative | Call)
            else text
        )
    except (SyntaxError, IndexError, KeyError):
        return line


def _is_cost(node: Node | None) -> bool:
    symbol = node.function if isinstance(node, Call) else node
    return isinstance(symbol, Symbol) and symbol.base in COSTS


def _symbol(name: str, frame: Frame, known: list[Symbol], of: Node | None = None) -> str:
    """A symbol of the setting as the writer has it in the line, or would have it."""
    for each in known[frame.family == SIZE :]:
        try:
            if frame.family == SIZE and frame.name_of(each) == name:
                return latex_of(each)
            if frame.name_of(each) == name and not each.primes:
                return _written(each, _layer_text(name, frame))
        except NotReadError:
            continue
    by = name.removeprefix("d")
    if of is not None and by != name and not (by[0] == "Z" and any(each.base == "\\delta" for each in known)):
        return rf"\frac{{\partial {latex_of(of)}}}{{\partial {_symbol(by, frame, known)}}}"
    match = re.fullmatch(r"(d?[A-Za-z]+?|g)(\d)(_prime)?", name)
    if match is None:
        return _plain(name, known)
    meaning, _, prime = match.groups()
    if meaning == "g":
        base = next((each.base for each in known if each.base in ("\\sigma", "g", "f", "\\phi")), "g")
        return f"{base}'" if prime else base
    base = next((each.letter for each in known if MEANINGS.get(each.base) == meaning), "")
    base = base or _by_kin(meaning, known)
    return _written(Symbol(base), _layer_text(name, frame), frame.style.layers)


def _plain(name: str, known: list[Symbol]) -> str:
    base = next((each.letter for each in known if MEANINGS.get(each.base) == name), "")
    return base or {"alpha": "\\alpha", "lambda_": "\\lambda", "g_prime": "g'"}.get(name, name.replace("_", "\\_"))


def _by_kin(meaning: str, known: list[Symbol]) -> str:
    """Small letters where the others are small."""
    small = any(each.base in ("z", "a", "dz", "da", "\\delta") for each in known)
    large = any(each.base in ("Z", "A", "dZ", "dA", "X") for each in known)
    if meaning == "dZ" and any(each.base == "\\delta" for each in known):
        return "\\delta"
    return meaning.lower() if small and not large and meaning[-1] not in "WB" else meaning


def _layer_text(name: str, frame: Frame) -> str:
    """The layer of a name in the writer's letters: l - 1 for 1 where l stands for 2."""
    match = re.search(r"(\d)(?:_prime)?$", name)
    if not match:
        return ""
    number = int(match[1]) + (frame.convention.above and bool(re.match(r"d?[AZ]", name)))
    letters = sorted(frame.letters.items(), key=lambda each: each[0] == "L")
    for letter, value in letters:
        if value == number:
            return letter
    for letter, value in letters:
        if abs(value - number) == 1:
            return f"{letter}{'+' if number > value else '-'}1"
    return str(number) if frame.depth > 1 else ""


def _written(symbol: Symbol, layer: str, layers: str = "") -> str:
    """A symbol with its marks."""
    style = layers or (BRACKETS if symbol.layer else ROUND if symbol.round and symbol.round != "i" else "")
    base = f"\\hat{{{symbol.letter}}}" if "hat" in symbol.accents else symbol.letter
    indices = [each for each in symbol.subscripts if each != layer and not (symbol.implied and each == "dW")]
    below = f"_{{{''.join(indices)}}}" if indices else ""
    above = f"^{{({symbol.round})}}" if symbol.round and style != ROUND else ""
    layer = "" if symbol.implied else layer
    if style == BRACKETS and layer:
        above = f"^{{[{layer}]{f'({symbol.round})' if symbol.round else ''}}}"
    elif style == ROUND and layer:
        above = f"^{{({layer})}}"
    elif layer and (style == BARE or symbol.bare):
        above = f"^{{{layer}}}"
    elif (layer and style == BELOW) or (layer and layer in symbol.subscripts):
        below = f"_{{{layer}}}"
    return f"{base}{below}{above}"
