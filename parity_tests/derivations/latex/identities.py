"""Identities between formulas of numbers: derivatives of what is written out, and what is the same for every number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from parity_tests.derivations.latex.claims import Claim
from parity_tests.derivations.latex.evaluation import FUNCTIONS, STEP, At, Evaluation, combined, softmax
from parity_tests.derivations.latex.own_forward import Forward
from parity_tests.derivations.latex.own_shapes import ONE, Shapes
from parity_tests.derivations.latex.own_values import Values
from parity_tests.derivations.latex.rewritten import symbol_latex
from parity_tests.derivations.latex.style import Style
from parity_tests.derivations.latex.tree import (
    Call,
    Derivative,
    Entry,
    Node,
    Norm,
    NotReadError,
    Number,
    Operation,
    Power,
    Sum,
    Symbol,
    Transposed,
    mapped,
    symbols_of,
    walk,
)

DRAWS = 4
_FAR = {"\\infty": 40.0, "+\\infty": 40.0, "-\\infty": -40.0}
_FUNCTIONS: Mapping[str, Any] = {
    **{name: FUNCTIONS[name] for name in ("log", "exp", "sqrt", "tanh", "sigmoid")}, "\\sigma": FUNCTIONS["sigmoid"],
    **dict.fromkeys(("g", "f", "\\phi", "h"), np.sin),
}  # fmt: skip
"""Functions of a number; a letter that may be any function is one of which no formula is special."""


def identical(left: Node, right: Node, style: Style) -> float | None:
    """The factor by which two formulas of numbers differ: 1 where they are the same, 0 where there is none.

    None where they are no formulas of numbers alone, or of matrices.
    """
    if names_matrices((left, right)):
        return _of_matrices(left, right)
    ratios, index = [], index_of_entry(left)
    for seed in range(DRAWS):
        drawn = (_Entries if index else _Numbers)(np.random.default_rng(seed), style)
        try:
            with np.errstate(all="ignore"):
                a, b = (complex(drawn.value(each, {index: seed} if index else {}).item()) for each in (left, right))
        except (NotReadError, RecursionError, ZeroDivisionError):
            return None
        if not np.isfinite([a, b]).all():
            return None
        slack = (
            1e-6
            if any(isinstance(each, Call) and each.function.base == "limit" for each in walk((left, right)))
            else 1e-10
        )
        ratios.append(1.0 if abs(a - b) <= slack * max(1, abs(a), abs(b)) else float((a / b).real) if b else 0.0)
    first = ratios[0]
    return first if np.allclose(ratios, first, rtol=1e-9) else 0.0


def index_of_entry(node: Node) -> str:
    """The index of what is an entry of a softmax, or of another function of a vector; "" for anything else."""
    if isinstance(node, Entry) and isinstance(node.operand, Call) and len(node.subscripts) == 1:
        return node.subscripts[0]
    of = node.arguments[0] if isinstance(node, Call) and node.function.base in ("softmax", "Softmax") else None
    return of.subscripts[0] if isinstance(of, Symbol) and len(of.subscripts) == 1 else ""


def inlined(node: Node, functions: Mapping[str, Claim]) -> Node:
    """A formula with the formulas of a note's own functions, and the derivatives of these, for their letters."""

    def body(letter: str, argument: Node) -> Node:
        by = symbols_of(functions[letter].target)[-1]
        return mapped(functions[letter].right, lambda each: argument if each == by else each)

    def changed(each: Node) -> Node:
        if isinstance(each, Derivative) and isinstance(each.of, Symbol) and each.of.base in functions:
            return Derivative(body(each.of.base, each.by), each.by)
        if not (isinstance(each, Call) and each.function.base in functions and len(each.arguments) == 1):
            return each
        whole = body(each.function.base, each.arguments[0])
        if each.function.primes == 1 and isinstance(each.arguments[0], Symbol):
            return Derivative(whole, each.arguments[0])
        return each if each.function.primes else whole

    return mapped(node, changed) if functions else node


def names_matrices(node: object) -> bool:
    """Whether letters stand for matrices: something is transposed, or a trace."""
    return any(isinstance(each, Transposed) or (isinstance(each, Call) and each.function.base == "tr")
               for each in walk(node))  # fmt: skip


def _of_matrices(left: Node, right: Node) -> float | None:
    forward = Forward({}, {}, {}, frozenset(), {}, {})
    shapes, none = Shapes(forward, rows=False, numerator=False), frozenset[str]()
    try:
        first, second = (shapes.infer(each, none, {}) for each in (left, right))
        for a, b in zip(first, second, strict=True):
            shapes.same(a, b)
        if any(each.base.isupper() and ONE in shapes.resolved(shape) for each, shape in shapes.of.items()):
            return None  # matrices that would have to be vectors
        ratios = []
        for seed in range(DRAWS):
            values = Values(forward, shapes, seed=seed)
            a, b = (values.value(each, {}) for each in (left, right))
            ratios += [ratio for ratio in (1.0, -1.0, 0.0) if not ratio or np.allclose(a, ratio * b, rtol=1e-9)][:1]
    except (ValueError, KeyError, IndexError, RecursionError):
        return None
    return ratios[0] if len(set(ratios)) == 1 else 0.0


class _Numbers(Evaluation):
    """Every letter is a number between 0 and 1."""

    def __init__(self, rng: np.random.Generator, style: Style) -> None:
        super().__init__()
        self.rng, self.style = rng, style
        self.drawn: dict[str, Any] = {}

    def other(self, node: Node, at: At) -> Any:
        raise NotReadError("no formula of numbers")

    def summed(self, node: Sum, at: At) -> Any:
        return self.value(node.body, at)

    def squares(self, node: Norm, at: At) -> Any:
        return self.value(node.operand, at) ** 2

    def operation(self, node: Operation, at: At) -> Any:
        return combined(node.sign, self.value(node.left, at), self.value(node.right, at))

    def symbol(self, node: Symbol, at: At) -> Any:
        if power := self.style.power_of(node):
            return self.value(Power(replace(node, bare=""), Number(power) if power.isdigit() else Symbol(power)), at)
        if (node.base == "e" and not node.subscripts) or node.base == "\\ones":
            return np.full((1, 1), np.e + 0j if node.base == "e" else 1 + 0j)
        if node.primes or node.base in ("\\mathbb", "True", "\\delta"):
            raise NotReadError("no number")
        key = symbol_latex(node)
        if key not in self.drawn:
            self.drawn[key] = np.full((1, 1), complex(self.rng.uniform(0.1, 0.9)))
        return self.drawn[key]

    def call(self, node: Call, at: At) -> Any:
        if node.function.base == "limit":
            self.drawn[node.keywords["by"]] = np.full((1, 1), complex(_FAR.get(node.keywords["to"], 0.0)))
            return self.value(node.arguments[0], at)
        plain = not node.function.subscripts and not node.function.layer
        if node.function.base not in ("max", "indicator") and not (
            plain and node.function.base in _FUNCTIONS and node.function.primes < 2
        ):
            raise NotReadError("another function")
        return super().call(node, at)

    def function(self, function: Symbol, inner: Any) -> Any:
        return _FUNCTIONS[function.base](inner)

    def derivative(self, node: Derivative, at: At) -> Any:
        """By the complex step; of what is written out alone."""
        of, by = node.of, node.by
        if of is None or not isinstance(by, Symbol) or isinstance(of, Symbol):
            raise NotReadError("a derivative of nothing that is written out")
        if isinstance(of, Call) and not of.arguments:
            raise NotReadError("a derivative of nothing that is written out")
        key = symbol_latex(by)
        if key not in {symbol_latex(replace(each, bare="") if self.style.power_of(each) else each)
                       for each in symbols_of(of)}:  # fmt: skip
            raise NotReadError("a derivative in what does not stand there")
        before = self.symbol(by, at)
        if np.any(before.imag):
            raise NotReadError("a derivative of a derivative")
        self.drawn[key] = before + 1j * STEP
        found = self.value(of, at).imag / STEP
        self.drawn[key] = before
        return found + 0j


class _Entries(_Numbers):
    """Letters with an index are the entries of vectors, of which sums run over all."""

    def vector(self, node: Symbol) -> Any:
        key = symbol_latex(replace(node, subscripts=()))
        if key not in self.drawn:
            self.drawn[key] = self.rng.uniform(0.1, 0.9, (DRAWS, 1)) + 0j
        return self.drawn[key]

    def symbol(self, node: Symbol, at: At) -> Any:
        if node.base == "e" and node.subscripts:
            raise NotReadError("an exponent without its index")
        if len(node.subscripts) == 1 and node.subscripts[0] in at:
            return self.vector(node)[at[node.subscripts[0]]].reshape(1, 1)
        return super().symbol(node, at)

    def summed(self, node: Sum, at: At) -> Any:
        return sum(self.value(node.body, {**at, node.index: place}) for place in range(DRAWS))

    def other(self, node: Node, at: At) -> Any:
        if isinstance(node, Entry) and isinstance(node.operand, Call):
            return self.call(node.operand, {**at, "": at[node.subscripts[0]]})
        return super().other(node, at)

    def call(self, node: Call, at: At) -> Any:
        of, softmaxes = node.arguments[0], ("softmax", "Softmax", "\\sigma") if "" in at else ("softmax", "Softmax")
        if node.function.base not in softmaxes or not isinstance(of, Symbol):
            return super().call(node, at)
        place = at.get("", at.get("".join(of.subscripts), 0))
        return softmax(self.vector(of))[place].reshape(1, 1)
