"""Identities between formulas of numbers: derivatives of what is written out, and what is the same for every number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from parity_tests.derivations.latex.rewritten import symbol_latex
from parity_tests.derivations.latex.style import Style
from parity_tests.derivations.latex.tree import (
    Call,
    Derivative,
    Negative,
    Node,
    Norm,
    NotReadError,
    Number,
    Operation,
    Power,
    Sum,
    Symbol,
    Transposed,
    symbols_of,
    walk,
)

DRAWS = 4
_STEP = 1e-30
_FAR = 40.0


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


_FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "log": np.log, "exp": np.exp, "sqrt": np.sqrt, "tanh": np.tanh, "\\sigma": _sigmoid, "sigmoid": _sigmoid,
    "g": np.sin, "f": np.sin, "\\phi": np.sin, "h": np.sin,
}  # fmt: skip
"""Functions of a number; a letter that may be any function is one of which no formula is special."""


def identical(left: Node, right: Node, style: Style) -> float | None:
    """The factor by which two formulas of numbers differ: 1 where they are the same, 0 where there is none.

    None where they are no formulas of numbers alone.
    """
    ratios = []
    for seed in range(DRAWS):
        drawn = _Numbers(np.random.default_rng(seed), style)
        try:
            with np.errstate(all="ignore"):
                a, b = drawn.value(left), drawn.value(right)
        except (NotReadError, RecursionError):
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


class _Numbers:
    """Every letter is a number between 0 and 1."""

    def __init__(self, rng: np.random.Generator, style: Style) -> None:
        self.rng, self.style = rng, style
        self.drawn: dict[str, Any] = {}

    def value(self, node: Node) -> Any:
        match node:
            case Number():
                return complex(float(node.text))
            case Symbol():
                return self.symbol(node)
            case Negative():
                return -self.value(node.operand)
            case Transposed():
                return self.value(node.operand)
            case Norm():
                return np.sqrt(self.value(node.operand) ** 2)
            case Operation():
                a, b = self.value(node.left), self.value(node.right)
                return (
                    a + b if node.sign == "+" else a - b if node.sign == "-" else a / b if node.sign == "/" else a * b
                )
            case Power(base=Norm() as norm):
                return self.value(norm.operand) ** self.value(node.exponent)
            case Power():
                is_e = isinstance(node.base, Symbol) and node.base.base == "e"
                return np.exp(self.value(node.exponent)) if is_e else self.value(node.base) ** self.value(node.exponent)
            case Sum():
                return self.value(node.body)
            case Call():
                return self.call(node)
            case Derivative():
                return self.derivative(node)
        raise NotReadError("no formula of numbers")

    def symbol(self, node: Symbol) -> Any:
        power = self.style.power_of(node)
        if power:
            return self.symbol(replace(node, bare="")) ** (
                float(power) if power.isdigit() else self.symbol(Symbol(power))
            )
        if node.base == "e" and not node.subscripts:
            return complex(np.e)
        if node.base == "\\ones":
            return 1 + 0j
        if node.primes or node.base in ("\\mathbb", "True", "\\delta"):
            raise NotReadError("no number")
        key = symbol_latex(node)
        if key not in self.drawn:
            self.drawn[key] = complex(self.rng.uniform(0.1, 0.9))
        return self.drawn[key]

    def call(self, node: Call) -> Any:
        name, primes = node.function.base, node.function.primes
        if name == "limit":
            by, to = node.keywords["by"], node.keywords["to"]
            self.drawn[by] = complex({"\\infty": _FAR, "+\\infty": _FAR, "-\\infty": -_FAR}.get(to, 0.0))
            return self.value(node.arguments[0])
        if name in ("max", "indicator") and len(node.arguments) == 2:
            a, b = (self.value(each) for each in node.arguments)
            below = a.real < b.real
            if name == "max":
                return b if below else a
            return complex(below if node.keywords["sign"] in ("<", "\\le") else not below)
        plain = not node.function.subscripts and not node.function.layer
        if name not in _FUNCTIONS or len(node.arguments) != 1 or primes > 1 or not plain:
            raise NotReadError("another function")
        inner = self.value(node.arguments[0])
        if primes and inner.imag:
            raise NotReadError("a derivative of a derivative")
        return complex(_FUNCTIONS[name](inner + 1j * _STEP).imag / _STEP) if primes else _FUNCTIONS[name](inner)

    def derivative(self, node: Derivative) -> Any:
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
        before = self.symbol(by)
        if before.imag:
            raise NotReadError("a derivative of a derivative")
        self.drawn[key] = before + 1j * _STEP
        found = self.value(of).imag / _STEP
        self.drawn[key] = before
        return complex(found)
