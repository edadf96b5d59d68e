"""Derivatives in the numbers of a setting: of the cost by name, of one value in another by the complex step."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

import numpy as np

from parity_tests.derivations.latex.evaluation import STEP, At
from parity_tests.derivations.latex.quantities import Quantities
from parity_tests.derivations.latex.symbols import ACTIVATION, COSTS, LOGISTIC, MEANINGS, NETWORK, UNITS, shown
from parity_tests.derivations.latex.tree import Call, Derivative, NotReadError, Symbol, Transposed


class Derivatives(Quantities):
    """Reads derivatives."""

    def derivative(self, node: Derivative, at: At) -> Any:
        try:
            name = self.derivative_name(node)
        except NotReadError:
            if not (self.entries or self.scalars):
                raise
            return self.of_a_value(node, at)
        by = node.by.operand if isinstance(node.by, Transposed) else node.by
        assert isinstance(by, Symbol)
        of = node.of.function if isinstance(node.of, Call) else node.of
        if match := re.fullmatch(r"(g\d|sigmoid)_prime\((\w+)\)", name):
            return self.environment[f"{match[1]}_prime"](self.entry(match[2], by, at))
        if self.scalars and self.example is not None and getattr(of, "base", "J") != "J" and by.base[0] in "Wbw":
            return self.of_one_example(name.removeprefix("d"))
        return self.named(name, by, at)

    def derivative_name(self, node: Derivative) -> str:
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

    def of_one_example(self, name: str) -> Any:
        """The derivative of an example's loss in a parameter, where every layer has one unit."""
        self.met = True
        layer = next(each for each in self.layers if name in each)
        slope = self.environment[f"d{layer[0]}"].ravel()[self.example]
        below = 1 if name[0] == "b" else self.environment[layer[4]].ravel()[self.example]
        return np.full((1, 1), slope * below)

    def of_a_value(self, node: Derivative, at: At) -> Any:
        """The derivative of an entry of a value in an entry of what it depends on, by the complex step."""
        of, by = node.of.function if isinstance(node.of, Call) else node.of, node.by
        if not isinstance(of, Symbol) or not isinstance(by, Symbol):
            raise NotReadError("a derivative of nothing that has a name")
        value, name = self.name_of(of), self.name_of(by)
        array = self.environment[name]
        where = self.position(name, array, by, at)
        if (value, name, where) not in self.derivatives:
            given = np.array(array, complex)
            given[where] += 1j * STEP
            found = self.forward({name: given}, value)
            if found is None:
                raise NotReadError(f"a derivative of {value} in {name}")
            self.derivatives[value, name, where] = found.imag / STEP
        whole = self.derivatives[value, name, where]
        return whole[tuple(slice(x, x + 1) for x in self.position(value, whole, of, at))]

    def position(self, name: str, array: Any, node: Symbol, at: At) -> tuple[int, ...]:
        """Where the entry of a symbol stands; an axis of one entry needs no index."""
        given = {axis: letter for letter, axis in self.places(name, node)} if not self.scalars else {}
        found = []
        for axis, size in enumerate(np.shape(array)):
            if axis in given and size > 1:
                found.append(self.index(given[axis], at))
            elif size == 1:
                found.append(0)
            elif self.example is not None and axis == 1 - self.axis_of_units:
                found.append(self.example)
                self.met = True
            else:
                raise NotReadError(f"{shown(node)} without an index")
            if found[-1] >= size:
                self.misfit, found[-1] = True, 0
        return tuple(found)

    def forward(self, given: dict[str, Any], value: str) -> Any:
        """A value where something below it is another; None where that is no part of it."""
        at = {**self.environment, **given}
        if value in given:
            return given[value]
        changed, rows = False, self.frame.convention.rows
        turned = not rows if self.frame.family == LOGISTIC else self.frame.convention.turned
        for Z, A, W, b, below, unit in self.layers:
            if Z not in given and (changed or {W, b, below} & set(given)):
                weights = at[W].T if turned else at[W]
                at[Z] = (at[below] @ weights if rows else weights @ at[below]) + at[b]
                changed = True
            changed = changed or Z in given
            if value == Z:
                return at[Z] if changed else None
            if changed and A not in given:  # a softmax takes its classes along the first axis
                at[A] = at[unit](at[Z].T).T if rows else at[unit](at[Z])
            if value == A:
                return at[A] if changed else None
            changed = changed or A in given
        return None

    @cached_property
    def layers(self) -> list[tuple[str, str, str, str, str, str]]:
        """The names of each layer, from the inputs on."""
        if self.frame.family == LOGISTIC:
            return [("Z", "A", "w", "b", "X", "sigmoid")]
        below = ["X", *(f"A{layer}" for layer in range(1, self.frame.depth))]
        return [
            (f"Z{layer}", f"A{layer}", f"W{layer}", f"b{layer}", below[layer - 1], f"g{layer}")
            for layer in range(1, self.frame.depth + 1)
        ]
