"""The tree of a formula as LaTeX again, and the formulas that are one change away from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from itertools import combinations

from parity_tests.derivations.latex.tree import (
    PARTS,
    SHIFTED,
    Bars,
    Call,
    Cases,
    Derivative,
    Entry,
    Floor,
    Negative,
    Node,
    Norm,
    Number,
    Operation,
    Power,
    Slope,
    Sum,
    Symbol,
    Transposed,
    symbols_of,
    walk,
    with_parts,
)

_SIGNS = {"+": " + ", "-": " - ", "": " ", ".": r" \cdot ", "x": r" \times ", "*": r" \odot "}
_WORDS = {"log", "exp", "tanh", "max"}
_SHORT = 40
"""Nodes of a formula that is not long."""


def latex_of(node: Node) -> str:
    """A tree as LaTeX."""
    match node:
        case Number():
            return node.text
        case Symbol():
            return symbol_latex(node)
        case Negative():
            return f"-{_bracketed(node.operand, '+-')}"
        case Operation(sign="/"):
            return rf"\frac{{{latex_of(node.left)}}}{{{latex_of(node.right)}}}"
        case Operation():
            sums = node.sign in ("+", "-")
            left = latex_of(node.left) if sums else _bracketed(node.left, "+-")
            return f"{left}{_SIGNS[node.sign]}{_bracketed(node.right, '+-' if not sums or node.sign == '-' else '')}"
        case Power():
            base = _bracketed(node.base, "+-/.x*")
            base = f"({base})" if isinstance(node.base, Symbol) and "^" in base else base
            return f"{base}^{{{latex_of(node.exponent)}}}"
        case Transposed():
            inside = latex_of(node.operand)
            if isinstance(node.operand, Symbol) and inside.endswith("]}"):
                return f"{inside[:-1]} T}}"
            return f"{inside}^T" if isinstance(node.operand, Symbol) and "^" not in inside else f"({inside})^T"
        case Call(function=Symbol(base="indicator")):
            sign = f" {node.keywords['sign']} "
            return rf"\mathbb{{1}}[{sign.join(map(latex_of, node.arguments))}]"
        case Call(keywords={"product": _}, arguments=(Sum(body=Call(arguments=(body,))) as inner,)):
            return latex_of(replace(inner, body=body)).replace(r"\sum", r"\prod", 1)
        case Call(function=Symbol(base="sqrt")):
            return rf"\sqrt{{{latex_of(node.arguments[0])}}}"
        case Call():
            inside = ", ".join(map(latex_of, node.arguments)) or node.keywords.get("of", "")
            name = symbol_latex(node.function)
            return f"\\{name}({inside})" if name in _WORDS else f"{name}({inside})"
        case Slope():
            return f"[{latex_of(node.operand)}]'"
        case Sum():
            below = f"{node.index}={node.lower}" if node.lower else node.index
            above = f"^{{{node.upper}}}" if node.upper else ""
            return rf"\sum_{{{below}}}{above} {_bracketed(node.body, '+-')}"
        case Derivative(of=Derivative(of=of, by=by)):
            above = "" if of is None else f" {latex_of(of)}"
            last = latex_of(Transposed(node.by) if by == node.by and not symbols_of(by)[0].subscripts else node.by)
            return rf"\frac{{\partial^2{above}}}{{\partial {latex_of(by)} \partial {last}}}"
        case Derivative():
            above = latex_of(node.of) if node.of is not None else ""
            return rf"\frac{{\partial {above}}}{{\partial {latex_of(node.by)}}}"
        case Cases():
            rows = r" \\ ".join(f"{latex_of(row) if row else ''} & {condition}" for row, condition in node.rows)
            return rf"\begin{{cases}} {rows} \end{{cases}}"
        case Norm():
            return rf"\|{latex_of(node.operand)}\|"
        case Bars():
            return f"|{latex_of(node.operand)}|"
        case Floor():
            return rf"\left\lfloor {latex_of(node.operand)} \right\rfloor"
        case Entry():
            return f"({latex_of(node.operand)})_{{{_joined(node.subscripts)}}}"
    return r"\ldots"


def _bracketed(node: Node, signs: str) -> str:
    text = latex_of(node)
    inner = isinstance(node, Operation) and (node.sign or ".") in signs
    return f"({text})" if inner or (isinstance(node, Negative) and signs) else text


def _joined(subscripts: tuple[str, ...]) -> str:
    """Indices side by side, as in jk; words and sums among them apart, as in H,prev."""
    return ("," if max(map(len, subscripts)) > 1 else "").join(subscripts)


def symbol_latex(symbol: Symbol) -> str:
    """A symbol with its marks."""
    base = symbol.letter
    for accent in symbol.accents & {"hat", "bar", "tilde"}:
        base = f"\\{accent}{{{base}}}"
    named = symbol.implied and symbol.subscripts == ("dW",)  # what an optimizer's state is the average of
    below = f"_{{{_joined(symbol.subscripts)}}}" if symbol.subscripts and not named else ""
    above = (
        (f"[{symbol.layer}]" if symbol.layer and not symbol.implied else "")
        + (f"({symbol.round})" if symbol.round else "")
        + symbol.bare
    )
    primes = "'" * symbol.primes
    if above and primes:
        return f"{base}{below}^{{{above}{primes}}}"
    return f"{base}{primes}{below}" + (f"^{{{above}}}" if above else "")


def rewritings(node: Node, target: Node | None = None) -> Iterator[tuple[str, Node]]:
    """The formulas that are one change away, with the mistake that the change mends.

    Indices may be any that stand in the formula or in its ``target``.
    """
    for here, put in places(node):
        if isinstance(here, Symbol):
            for cause, other in _other_symbols(here):
                yield cause, put(other)
        elif isinstance(here, Sum) and re.match("[lL]", here.index):
            for moved in _neighbours(here.upper):
                yield "wrong-layer", put(replace(here, upper=moved))
            for inner, deeper in places(here.body):  # one layer's in each of the terms
                if isinstance(inner, Symbol) and inner.layer.isdigit():
                    yield "wrong-layer", put(replace(here, body=deeper(replace(inner, layer=here.index))))
        elif isinstance(here, Call) and here.function.base not in ("log", "exp", "max", "sqrt"):
            primes = 1 - here.function.primes
            changed = replace(here, function=replace(here.function, primes=primes))
            yield "g-for-gprime" if primes else "gprime-for-g", put(changed)
    for here, put in places(node):
        if isinstance(here, Operation) and here.sign in ("+", "-"):
            yield "sign", put(replace(here, sign="-" if here.sign == "+" else "+"))
        elif isinstance(here, Negative):
            yield "sign", put(here.operand)
        elif isinstance(here, Operation) and here.sign != "/":
            yield "extra-factor", put(here.left)
            yield "extra-factor", put(here.right)
    yield "sign", Negative(node)
    yield from (("index-order", other) for other in _other_indices(node, target))


def _other_indices(node: Node, target: Node | None) -> Iterator[Node]:
    """The formulas in which two index letters are exchanged, and those in which one symbol has another of them."""
    found = {index for each in symbols_of((node, target)) for index in each.subscripts}
    found |= {each.index for each in walk(node) if isinstance(each, Sum)}
    letters = sorted(index for index in found if re.fullmatch("[a-z]", index))
    for first, second in combinations(letters, 2):
        yield _exchanged(node, {first: second, second: first})
    for here, put in places(node):
        for place, index in enumerate(here.subscripts if isinstance(here, Symbol) else ()):
            for letter in letters if index in letters else ():
                if letter != index:
                    below = (*here.subscripts[:place], letter, *here.subscripts[place + 1 :])  # type: ignore[union-attr]
                    yield put(with_parts(here, {"subscripts": below}))


def _exchanged(node: Node, letters: Mapping[str, str]) -> Node:
    """A copy of a tree with other index letters; layers that are told by them change with them."""
    node = deepcopy(node)
    layers: dict[tuple[str, ...], str] = {
        each.subscripts: each.layer for each in symbols_of(node) if each.implied and len(each.subscripts) == 1
    }
    for each in symbols_of(node):
        each.subscripts = tuple(letters.get(index, index) for index in each.subscripts)
        each.layer = layers.get(each.subscripts, each.layer) if each.implied else each.layer
    return node


def _other_symbols(here: Symbol) -> Iterator[tuple[str, Node]]:
    words, indices = here.subscripts[:-2], here.subscripts[-2:]
    if len(indices) == 2 and indices[0] != indices[1]:
        yield "index-order", replace(here, subscripts=(*words, *indices[::-1]))
    if any(map(SHIFTED.fullmatch, here.subscripts)):  # turned round, x_{i-k+1} for x_{i+k-1}
        turned = {"+": "-", "-": "+"}
        yield "index", replace(here, subscripts=tuple(
            "".join(turned.get(each, each) for each in part) if SHIFTED.fullmatch(part) else part
            for part in here.subscripts))  # fmt: skip
    if here.subscripts and re.match("[lL]", here.subscripts[0]):
        for moved in _neighbours(here.subscripts[0]):
            yield "wrong-layer", replace(here, subscripts=(moved, *here.subscripts[1:]))
    for mark in ("layer", "round", "bare"):
        for moved in _neighbours(getattr(here, mark)):
            yield "wrong-layer", with_parts(here, {mark: moved})


def _neighbours(layer: str) -> Iterator[str]:
    """The layers above and below one that is written as l, l - 1 or 2."""
    match = re.fullmatch(r"([lLk])(?:([-+])(\d))?|(\d)", layer)
    if match is None:
        return
    here = int(match[4]) if match[4] else int(f"{match[2] or '+'}{match[3] or 0}")
    for moved in (here + 1, here - 1):
        if match[4]:
            yield str(moved)
        else:
            yield f"{match[1]}{moved:+d}" if moved else match[1]


def affordable(node: Node, most: int) -> int:
    """How many changes of a formula are tried: fewer of a long one, each of which takes longer."""
    return most * _SHORT // max(_SHORT, sum(1 for _ in walk(node)))


def places(node: Node) -> Iterator[tuple[Node, Callable[[Node], Node]]]:
    """Every node of a tree with the way to put another into its place."""
    yield node, lambda other: other
    for name in PARTS[type(node)]:
        if name != "function":
            for inner, put in _parts(getattr(node, name)):
                for here, deeper in places(inner):
                    yield (
                        here,
                        lambda other, name=name, put=put, deeper=deeper: with_parts(  # type: ignore[misc]
                            node, {name: put(deeper(other))}
                        ),
                    )


def _parts(part: object) -> Iterator[tuple[Node, Callable[[Node], object]]]:
    """The nodes of a field, which may stand in rows, with the way to put another there."""
    if isinstance(part, Node):
        yield part, lambda other: other
    elif isinstance(part, tuple):
        for place, inner in enumerate(part):
            for node, put in _parts(inner):
                yield node, lambda other, place=place, put=put: (*part[:place], put(other), *part[place + 1 :])  # type: ignore[misc]
