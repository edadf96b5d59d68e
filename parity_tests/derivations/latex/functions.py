"""What the functions of a formula are in a setting: activations, costs, and those of NumPy."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from parity_tests.derivations.latex.cursor import GENERIC
from parity_tests.derivations.latex.derivatives import Derivatives
from parity_tests.derivations.latex.evaluation import At, total
from parity_tests.derivations.latex.references import CROSS_ENTROPY, SOFTMAX, SQUARED, SQUARED_LINEAR
from parity_tests.derivations.latex.symbols import ACTIVATION, COSTS, LOGISTIC, NETWORK, UNITS, shown
from parity_tests.derivations.latex.tree import Call, NotReadError, Symbol, symbols_of

_LOSSES: Mapping[str, Callable[[Any, Any], Any]] = {
    CROSS_ENTROPY: lambda A, Y: -(Y * np.log(A) + (1 - Y) * np.log(1 - A)),
    SOFTMAX: lambda A, Y: -(Y * np.log(A)),
    SQUARED: lambda A, Y: (A - Y) ** 2 / 2,
    SQUARED_LINEAR: lambda A, Y: (A - Y) ** 2 / 2,
}
"""The loss of one example, before it is summed over the outputs; another is the squared error."""

_ENTRYWISE: Mapping[str, Any] = {"log": np.log, "exp": np.exp, "sqrt": np.sqrt, "abs": np.abs, "tanh": np.tanh,
                                 "square": np.square}  # fmt: skip
_OF_TWO = {"multiply": "*", "divide": "/", "add": "+", "subtract": "-"}


class Functions(Derivatives):
    """Reads calls."""

    def call(self, node: Call, at: At) -> Any:
        base, count = node.function.base, len(node.arguments)
        if node.function.bare.isdigit() and self.frame.style.power_of(node.function):
            return self.call(replace(node, function=replace(node.function, bare="")), at) ** int(node.function.bare)
        if base in COSTS and not count and not node.function.primes:
            return self.loss(node.function)
        name = base.removeprefix("np.")
        if (base.startswith("np.") or base in ("sum", "mean")) and count == 1:
            inner = self.value(node.arguments[0], at)
            if name in ("sum", "mean"):
                if "out" in node.keywords:
                    raise NotReadError("out= in a sum")
                axis = node.keywords.get("axis")
                return self.reduced(name, inner, None if axis is None else re.sub(r"\D", "", axis) or "0")
            if name in _ENTRYWISE:
                return _ENTRYWISE[name](inner)
        if base.startswith("np."):
            return self.numpy(name, [self.value(each, at) for each in node.arguments])
        if base in ("probability", "diag"):
            raise NotReadError("a probability" if base == "probability" else "a diagonal matrix")
        if base in ("max", "indicator"):
            return super().call(node, at)
        if count != 1:
            raise NotReadError(f"{base} of {count} arguments")
        if base in ("log", "exp", "sqrt", "abs"):
            return _ENTRYWISE[base](self.value(node.arguments[0], at))
        return self.activated(node, at)

    def numpy(self, name: str, inner: list[Any]) -> Any:
        if len(inner) == 2 and name in ("dot", "matmul"):
            return self.product(".", *inner)
        if len(inner) == 2 and name == "maximum":
            return np.maximum(*inner)
        if len(inner) == 2 and name == "power":
            return inner[0] ** inner[1]
        if len(inner) == 2 and name in _OF_TWO:
            return self.entrywise(_OF_TWO[name], *inner)
        raise NotReadError(f"np.{name}" if len(inner) == 1 else f"np.{name} of {len(inner)} arguments")

    @staticmethod
    def reduced(name: str, inner: Any, axis: str | None) -> Any:
        return getattr(np, name)(inner, axis=None if axis is None else int(axis) % 2, keepdims=True)

    def loss(self, function: Symbol) -> Any:
        """J, or L(a, y) of the examples where J is what is claimed."""
        frame, at = self.frame, self.environment
        if frame.family not in (NETWORK, LOGISTIC):
            raise NotReadError(f"{shown(function)} has no meaning here")
        losses = _LOSSES.get(frame.convention.cost, lambda A, Y: (A - Y) ** 2)
        each = losses(at[f"A{frame.depth}" if frame.family == NETWORK else "A"], at["Y"])
        if self.target == "J" and frame.convention.l2 and not function.subscripts and self.penalised:
            return total(each) / at["m"]  # what the penalty is added to
        if self.target == "J" and (function.base != "J" or self.summing):
            return self.at_example(each)
        return self.entry("J", Symbol("J"), {})

    def activated(self, node: Call, at: At) -> Any:
        """An activation of a layer, or its derivative."""
        function, frame, argument = node.function, self.frame, node.arguments[0]
        if function.base not in GENERIC and function.base not in UNITS:
            raise NotReadError(f"the function {shown(function)}")
        names = [self.name_of(each) for each in symbols_of(argument)]
        if frame.family in (NETWORK, LOGISTIC) and isinstance(argument, Symbol) and names[0] == "X":
            if function.base not in ("h", "f") or function.primes:
                raise NotReadError(f"{shown(function)} of the inputs")
            return self.named(self.output, argument, at)  # h(x) is the output
        inner = self.value(argument, at)
        if frame.family == ACTIVATION:
            return self.own_activation(function, inner, is_z=isinstance(argument, Symbol) and names[0] == "z")
        name = "sigmoid"
        if frame.family == NETWORK:
            layers = {int(match[1]) for each in names if (match := re.fullmatch(r"[ZAa](\d)", each))}
            layer = frame.layer_of(function) or (layers.pop() if len(layers) == 1 else None) or frame.default
            name = f"g{layer}"
            if name not in self.environment:
                raise NotReadError(f"an activation of layer {layer}")
            unit, own = UNITS.get(function.base, ""), frame.unit_of(layer)
            if unit and self.target != f"A{layer}" and unit != own and {unit, own} != {"leaky_relu", "relu"}:
                name = unit
            if "softmax" in (unit or own, own if name == f"g{layer}" else "") and (
                self.axis_of_units < 2 and (inner.shape[self.axis_of_units] == 1 and not self.scalars)
            ):
                raise NotReadError(f"the function {shown(function)} of an entry")
        called = self.environment.get(name + ("_prime" if function.primes else ""))
        if called is None:
            raise NotReadError(f"the function {shown(function)}")
        return called(inner.T).T if frame.convention.rows and not self.scalars else called(inner)

    def own_activation(self, function: Symbol, inner: Any, *, is_z: bool) -> Any:
        """The activation that a setting is about, or another one of it."""
        setting = self.frame.setting.name
        unit = UNITS.get(function.base, setting)
        if function.base == "\\sigma" and setting == "tanh" and not is_z:
            unit = "sigmoid"
        if function.primes and unit == setting and is_z:
            return self.entry("g_prime", Symbol("z"), {})
        name = unit + ("_prime" if function.primes else "")
        if name not in self.environment and name != "tanh":
            raise NotReadError(f"the function {shown(function)}")
        return self.environment.get(name, np.tanh)(inner)

    def entrywise(self, sign: str, a: Any, b: Any) -> Any:
        """Two operands, entry by entry."""
        raise NotImplementedError

    def product(self, sign: str, a: Any, b: Any) -> Any:
        """A product of matrices or of entries."""
        raise NotImplementedError
