"""What the symbols of a formula are in a setting: arrays, their entries, and derivatives by name."""

from __future__ import annotations

import re
from dataclasses import replace

from parity_tests.derivations.latex import values
from parity_tests.derivations.latex.cursor import GENERIC
from parity_tests.derivations.latex.patterns import pattern_of
from parity_tests.derivations.latex.symbols import (
    ACTIVATION,
    COSTS,
    LOGISTIC,
    MEANINGS,
    NETWORK,
    SIZE,
    STEP,
    UNITS,
    Frame,
    shown,
)
from parity_tests.derivations.latex.tree import (
    Call,
    Derivative,
    Matrix,
    Node,
    NotReadError,
    Number,
    Power,
    Symbol,
    Transposed,
)
from parity_tests.derivations.latex.values import EXAMPLES, ONE, Value, value

_WORDS = ("prev", "next", "pred", "in", "out", "reg", "x")
"""Subscripts that are no indices."""


class Quantities:
    """Reads symbols in a frame; ``sizes`` are those of the indices, ``target`` what is claimed."""

    summed_examples = ""
    summing = False
    """Whether what is read stands in a sum over the examples, and the index of that sum."""

    def __init__(self, frame: Frame, target: str = "", *, penalised: bool = False) -> None:
        self.frame, self.target, self.penalised = frame, target, penalised
        self.sizes: dict[str, str] = {}

    def symbol(self, node: Symbol) -> Value:
        power = self.frame.style.power_of(node)
        if power:
            plain = replace(node, bare="")
            return self.power(Power(plain, Symbol(power) if power.isalpha() else Number(power)))
        if node.base == "e" and not node.subscripts:
            return value("np.exp(1)")
        if node.base == "\\ones":
            return value("np.ones((m, 1))", ("1" if self.frame.convention.one else EXAMPLES, ONE))
        if node.base in COSTS and self.penalised and not node.subscripts and self.frame.family in (NETWORK, LOGISTIC):
            return self.loss(node)
        if node.base in ("\\mathbb", "True"):
            raise NotReadError("a set")
        if node.primes and self.frame.family != ACTIVATION:
            return self.slope_of_layer(node)
        name = self.frame.name_of(node)
        axes = self.frame.shapes.get(name)
        if axes is None:
            raise NotReadError(f"{shown(node)} is a function")
        if name == "lambda_" and self.frame.convention.undivided:
            return value("(lambda_/m)")
        return self.quantity(name, axes, () if self.frame.family == SIZE else self.indices_of(node, name))

    def quantity(self, name: str, axes: tuple[str, ...], indices: tuple[str, ...]) -> Value:
        """A symbol of the setting, or its entry; in an update that adds the penalty dW is without it."""
        whole = self.entry(name, indices) if indices else value(name, axes)
        W = name.removeprefix("d")
        if self.penalised and self.frame.convention.decays and name[:2] in ("dW", "dw") and self.target == W:
            penalty = values.times(value("(lambda_/m)"), self.entry(W, indices) if indices else value(W, axes), "*")
            return values.added("-", whole, penalty)
        return whole

    def slope_of_layer(self, node: Symbol) -> Value:
        """``a'^{(l)}``, which is g'(z) of its layer."""
        if self.frame.family != NETWORK or (MEANINGS.get(node.base) != "A" and node.base not in GENERIC):
            raise NotReadError(f"{shown(node)} with a prime")
        layer = self.frame.layer_of(node) or self.frame.default
        return value(f"g{layer}_prime(Z{layer})", self.frame.shapes[f"Z{layer}"])

    def indices_of(self, node: Symbol, name: str) -> tuple[str, ...]:
        """The units of a symbol that have a meaning as indices."""
        found = self.frame.style.indices_of(node)
        if name in ("w1", "w2", "dw1", "dw2", "J") or self.frame.family == STEP:
            return ()
        if len(found) == 1 and found[0] == self.summed_examples:
            return ()
        return tuple(each for each in found if each not in _WORDS)

    def entry(self, name: str, indices: tuple[str, ...]) -> Value:
        """An entry of an array: its axes bear the names of the indices."""
        frame = self.frame
        axes = frame.shapes[name]
        if len(axes) < 2 or any(not re.fullmatch(r"[a-z]|[1-9]", each) for each in indices):
            raise NotReadError(f"the entry {', '.join(indices)} of {name}")
        is_weight = name[0] == "W" or name.startswith("dW")
        if frame.family == LOGISTIC and name in ("w", "dw"):
            is_weight = False
        if len(indices) == 1 and is_weight:
            return self.weights_of(name, indices[0])
        places: tuple[int, ...] = (0, 1)
        if len(indices) == 1:
            places = (1,) if frame.convention.rows and name not in ("w", "dw") else (0,)
        elif not is_weight:
            raise NotReadError(f"{len(indices)} indices on {name}")
        text, own = name, list(axes)
        for index, place in zip(indices, places, strict=True):
            if index.isdigit():
                at = f"{int(index) - 1}:{index}"
                text = f"{text}[{at}]" if place == 0 else f"{text}[:, {at}]"
                own[place] = ONE
            else:
                self.sizes.setdefault(index, axes[place])
                own[place] = index
        return replace(value(text, own), entries=True)

    def weights_of(self, name: str, unit: str) -> Value:
        """The weights of one unit, as a column."""
        axes = self.frame.shapes[name]
        place = 1 if self.frame.convention.rows != self.frame.convention.turned else 0
        if unit.isdigit():
            raise NotReadError(f"the weights of unit {unit}")
        self.sizes.setdefault(unit, axes[place])
        own = tuple(unit if at == place else axis for at, axis in enumerate(axes))
        whole = replace(value(name, own), entries=True)
        return whole if place else values.transposed(whole)

    def matrix(self, node: Matrix) -> Value:
        """A matrix whose columns, rows or entries follow a pattern."""
        entry, row, column, of_examples = pattern_of(node)
        before, self.sizes = self.sizes, {}
        found = values.settled(self.read(entry))
        sizes, self.sizes = self.sizes, before
        if len(found.axes) < 2:
            return found
        if of_examples or not (row or column):  # [x^(1) ... x^(m)] is X, and [b ... b] is b
            across = EXAMPLES in found.axes and found.axes[0] == EXAMPLES
            return values.transposed(found) if of_examples and across == bool(column) else found
        if (row and column and found.axes != (row, column)) or (not row and found.axes[0] == column):
            found = values.transposed(found)
        if not column and found.axes[-1] == row:
            found = values.transposed(found)
        axes = tuple(sizes.get(axis, axis) for axis in found.axes)
        return replace(found, axes=axes, entries=False)

    def derivative_value(self, node: Derivative) -> Value:
        name = self.derivative(node)
        axes = self.frame.shapes.get(name) or self.frame.shapes.get(name.partition("(")[2].rstrip(")"), ())
        indices = self.indices_of(node.by, name) if isinstance(node.by, Symbol) else ()
        return self.quantity(name, axes, indices if name in self.frame.shapes else ())

    def derivative(self, node: Derivative) -> str:
        """The name of a derivative: dW2 for that of the cost in W2, g_prime for that of an activation."""
        of, by, frame = node.of, node.by, self.frame
        while isinstance(of, Call):
            of = of.function
        if isinstance(by, Transposed):
            by = by.operand
        if not isinstance(of, Symbol) or not isinstance(by, Symbol):
            raise NotReadError("a derivative of nothing that has a name")
        if of.base in COSTS and MEANINGS.get(of.base) is None:
            name = frame.name_of(by)
            name = name.replace("Y", f"Z{frame.depth}" if frame.family == NETWORK else "Z")  # of a layer Y = XW + B
            if f"d{name}" not in frame.shapes:
                raise NotReadError(f"a derivative of the cost in {shown(by)}")
            return f"d{name}"
        own = of.base == frame.setting.name or (of.base not in UNITS and frame.family == ACTIVATION)
        if own and frame.name_of(by) == "z" and (of.base in UNITS or frame.name_of(of) == "a"):
            return "g_prime"
        if frame.family == NETWORK:
            z, a = frame.name_of(by), frame.name_of(of)
            if z[0] == "Z" and a == f"A{z[1:]}" and not by.subscripts:
                return f"g{z[1:]}_prime({z})"
        if frame.family == LOGISTIC and frame.name_of(by) == "Z" and frame.name_of(of) == "A":
            return "sigmoid_prime(Z)"
        raise NotReadError("a derivative of one value in another: a chain rule in names")

    def read(self, node: Node) -> Value:
        """The formula that a tree stands for; NotReadError where it has none here."""
        raise NotImplementedError

    def power(self, node: Power) -> Value:
        """A power."""
        raise NotImplementedError

    def loss(self, function: Symbol) -> Value:
        """The cost."""
        raise NotImplementedError
