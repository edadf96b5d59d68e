"""The tree of a formula as LaTeX again, and the formulas that are one change away from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, replace

from parity_tests.derivations.latex.tree import (
    Bars,
    Call,
    Derivative,
    Entry,
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
    with_parts,
)

_SIGNS = {"+": " + ", "-": " - ", "": " ", ".": r" \cdot ", "x": r" \times ", "*": r" \odot "}
_WORDS = {"log", "exp", "tanh", "max"}


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
            return f"{_bracketed(node.base, '+-/.x*')}^{{{latex_of(node.exponent)}}}"
        case Transposed():
            return f"({latex_of(node.operand)})^T"
        case Call():
            inside = ", ".join(map(latex_of, node.arguments))
            name = symbol_latex(node.function)
            return f"\\{name}({inside})" if name in _WORDS else f"{name}({inside})"
        case Slope():
            return f"[{latex_of(node.operand)}]'"
        case Sum():
            below = f"{node.index}={node.lower}" if node.lower else node.index
            above = f"^{{{node.upper}}}" if node.upper else ""
            return rf"\sum_{{{below}}}{above} {_bracketed(node.body, '+-')}"
        case Derivative():
            of = latex_of(node.of) if node.of is not None else ""
            return rf"\frac{{\partial {of}}}{{\partial {latex_of(node.by)}}}"
        case Norm():
            return rf"\|{latex_of(node.operand)}\|"
        case Bars():
            return f"|{latex_of(node.operand)}|"
        case Entry():
            return f"({latex_of(node.operand)})_{{{''.join(node.subscripts)}}}"
    return r"\ldots"


def _bracketed(node: Node, signs: str) -> str:
    text = latex_of(node)
    inner = isinstance(node, Operation) and (node.sign or ".") in signs
    return f"({text})" if inner or (isinstance(node, Negative) and signs) else text


def symbol_latex(symbol: Symbol) -> str:
    """A symbol with its marks."""
    base = symbol.base
    for accent in symbol.accents & {"hat", "bar", "tilde"}:
        base = f"\\{accent}{{{base}}}"
    below = f"_{{{''.join(symbol.subscripts)}}}" if symbol.subscripts else ""
    above = (f"[{symbol.layer}]" if symbol.layer else "") + (f"({symbol.round})" if symbol.round else "") + symbol.bare
    primes = "'" * symbol.primes
    if above and primes:
        return f"{base}{below}^{{{above}{primes}}}"
    return f"{base}{primes}{below}" + (f"^{{{above}}}" if above else "")


def rewritings(node: Node) -> Iterator[tuple[str, Node]]:
    """The formulas that are one change away, with the mistake that the change mends."""
    for here, put in _places(node):
        if isinstance(here, Symbol):
            for cause, other in _other_symbols(here):
                yield cause, put(other)
        elif isinstance(here, Call) and here.function.base not in ("log", "exp", "max", "sqrt"):
            primes = 1 - here.function.primes
            changed = replace(here, function=replace(here.function, primes=primes))
            yield "g-for-gprime" if primes else "gprime-for-g", put(changed)
    for here, put in _places(node):
        if isinstance(here, Operation) and here.sign in ("+", "-"):
            yield "sign", put(replace(here, sign="-" if here.sign == "+" else "+"))
        elif isinstance(here, Negative):
            yield "sign", put(here.operand)
        elif isinstance(here, Operation) and here.sign != "/":
            yield "extra-factor", put(here.left)
            yield "extra-factor", put(here.right)
    yield "sign", Negative(node)


def _other_symbols(here: Symbol) -> Iterator[tuple[str, Symbol]]:
    words, indices = here.subscripts[:-2], here.subscripts[-2:]
    if len(indices) == 2 and indices[0] != indices[1]:
        yield "index-order", replace(here, subscripts=(*words, *indices[::-1]))
    for moved in _neighbours(here.layer):
        yield "wrong-layer", replace(here, layer=moved)
    for moved in _neighbours(here.round):
        yield "wrong-layer", replace(here, round=moved)
    for moved in _neighbours(here.bare):
        yield "wrong-layer", replace(here, bare=moved)


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


def _places(node: Node) -> Iterator[tuple[Node, _Put]]:
    """Every node of a tree with the way to put another into its place."""
    yield node, _Put(())
    for each in fields(node):
        part = getattr(node, each.name)
        parts = part if isinstance(part, tuple) else (part,)
        for number, inner in enumerate(parts):
            if isinstance(inner, Node) and each.name != "function":
                step = (node, each.name, number if isinstance(part, tuple) else -1)
                for place, put in _places(inner):
                    yield place, _Put((step, *put.steps))


class _Put:
    """Puts a node into a place of a tree."""

    def __init__(self, steps: tuple[tuple[Node, str, int], ...]) -> None:
        self.steps = steps

    def __call__(self, other: Node) -> Node:
        for node, name, number in reversed(self.steps):
            whole = getattr(node, name)
            part = (*whole[:number], other, *whole[number + 1 :]) if number >= 0 else other
            other = with_parts(node, {name: part})
        return other
