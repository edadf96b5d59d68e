"""What the functions of a formula are in a setting: activations, costs, and those of NumPy."""

from __future__ import annotations

import ast
import re
from dataclasses import replace

from parity_tests.derivations.latex import references, values
from parity_tests.derivations.latex.cursor import GENERIC
from parity_tests.derivations.latex.quantities import Quantities
from parity_tests.derivations.latex.symbols import (
    COSTS,
    LOGISTIC,
    NETWORK,
    UNITS,
    shown,
)
from parity_tests.derivations.latex.tree import (
    Call,
    Node,
    Norm,
    NotReadError,
    Number,
    Slope,
    Symbol,
)
from parity_tests.derivations.latex.values import EXAMPLES, ONE, Value, called, value

LOSSES = {
    references.CROSS_ENTROPY: "-(Y * np.log({A}) + (1 - Y) * np.log(1 - {A}))",
    references.SOFTMAX: "-(Y * np.log({A}))",
    references.SQUARED: "({A} - Y)**2 / 2",
    references.SQUARED_LINEAR: "({A} - Y)**2 / 2",
    references.TWICE: "({A} - Y)**2",
    references.TWICE_LINEAR: "({A} - Y)**2",
}
"""The loss of one example, before it is summed over the outputs."""

_ENTRYWISE = {"log": "np.log", "exp": "np.exp", "sqrt": "np.sqrt", "abs": "np.abs"}

_NUMPY = {"exp", "log", "sqrt", "abs", "tanh", "square", "maximum"}


class Functions(Quantities):
    """Reads calls."""

    def call(self, node: Call) -> Value:
        base = node.function.base
        if node.function.bare.isdigit() and self.frame.style.power_of(node.function):
            inner = self.call(replace(node, function=replace(node.function, bare="")))
            return self._raised(inner, node.function.bare)
        if base in COSTS and not node.arguments and not node.function.primes:
            return self.loss(node.function)
        if base.startswith("np.") or base in ("sum", "mean"):
            return self.numpy(base.removeprefix("np."), node)
        if base in _ENTRYWISE:
            return values.elementwise(_ENTRYWISE[base], self.read(node.arguments[0]))
        if base == "probability":
            raise NotReadError("a probability")
        if base == "indicator":
            return self.indicator(node)
        if base == "max" and len(node.arguments) == 2:
            first, second = map(self.read, node.arguments)
            return values.elementwise("np.maximum", first, second)
        if base == "diag":
            raise NotReadError("a diagonal matrix")
        if len(node.arguments) != 1:
            raise NotReadError(f"{base} of {len(node.arguments)} arguments")
        return self.activated(node)

    def indicator(self, node: Call) -> Value:
        """1 where a comparison holds, else 0."""
        left, right = (values.settled(self.read(each)) for each in node.arguments)
        sign = {"<": ast.Lt(), ">": ast.Gt(), "\\le": ast.LtE(), "\\ge": ast.GtE()}[node.keywords["sign"]]
        axes = max(left.axes, right.axes, key=len)
        return Value(ast.Compare(left.tree, [sign], [right.tree]), axes, entries=left.entries or right.entries)

    def _raised(self, inner: Value, power: str) -> Value:
        return Value(values.operation("**", inner.tree, ast.Constant(int(power))), inner.axes, entries=inner.entries)

    def squared_norm(self, node: Norm, exponent: Node) -> Value:
        """The sum of the squares, of every example where there are several."""
        if not (isinstance(exponent, Number) and exponent.text == "2"):
            raise NotReadError("a norm that is not squared")
        inner = self.read(node.operand)
        squares = values.operation("**", inner.tree, ast.Constant(2))
        if EXAMPLES in inner.axes and (self.target != "J" or self.summing):
            units = 1 - inner.axes.index(EXAMPLES)
            axes = tuple(ONE if place == units else each for place, each in enumerate(inner.axes))
            return Value(called("np.sum", squares, axis=units, keepdims=True), axes)
        return Value(called("np.sum", squares))

    def loss(self, function: Symbol) -> Value:
        """J, or L(a, y) of the examples where J is what is claimed."""
        frame = self.frame
        if frame.family not in (NETWORK, LOGISTIC):
            raise NotReadError(f"{shown(function)} has no meaning here")
        if self.target == "J" and frame.convention.l2 and not function.subscripts and self.penalised:
            return value(frame.setting.targets["J"].right)  # what the penalty is added to
        if self.target == "J" and function.base != "J":
            A = f"A{frame.depth}" if frame.family == NETWORK else "A"
            return value(LOSSES[frame.convention.cost].format(A=A), frame.shapes[A])
        return value("J")

    def numpy(self, name: str, node: Call) -> Value:
        if len(node.arguments) == 2 and name in ("multiply", "divide", "dot", "matmul", "power", "add", "subtract"):
            first, second = map(self.read, node.arguments)
            if name in ("dot", "matmul"):
                return values.times(first, second, ".")
            if name == "multiply":
                return values.times(first, second, "*")
            if name == "power":
                return Value(values.operation("**", first.tree, second.tree), first.axes)
            return values.added({"divide": "/", "add": "+", "subtract": "-"}[name], first, second)
        if len(node.arguments) != 1:
            raise NotReadError(f"np.{name} of {len(node.arguments)} arguments")
        inner = self.read(node.arguments[0])
        if name in ("sum", "mean"):
            return self._reduced(name, inner, node.keywords)
        if name in _NUMPY and len(node.arguments) == 1:
            return values.elementwise(f"np.{name}", inner)
        raise NotReadError(f"np.{name}")

    def _reduced(self, name: str, inner: Value, keywords: dict[str, str]) -> Value:
        if "out" in keywords:
            raise NotReadError("out= in a sum")
        if "axis" not in keywords:
            return Value(called(f"np.{name}", inner.tree), (), summed=True)
        axis = int(re.sub(r"\D", "", keywords["axis"]) or 0)
        keep = keywords.get("keepdims", "").lower() in ("true", "ture")
        keep = keep or (self.frame.convention.rows and axis == 0)  # a flat array is added as a row
        axes = tuple(ONE if place == axis else each for place, each in enumerate(inner.axes))
        axes = axes if keep else tuple(each for place, each in enumerate(inner.axes) if place != axis)
        tree = called(f"np.{name}", inner.tree, axis=axis, **({"keepdims": True} if keep else {}))
        return Value(tree, axes, summed=True)

    def activated(self, node: Call) -> Value:
        """An activation of a layer, or its derivative."""
        function, frame = node.function, self.frame
        if function.base not in GENERIC and function.base not in UNITS:
            raise NotReadError(f"the function {shown(function)}")
        inner = values.settled(self.read(node.arguments[0]))
        if inner.text.startswith("X") and frame.family in (NETWORK, LOGISTIC):
            if function.base not in ("h", "f") or function.primes:
                raise NotReadError(f"{shown(function)} of the inputs")
            A = f"A{frame.depth}" if frame.family == NETWORK else "A"  # h(x) is the output
            return replace(value(A, frame.shapes[A]), entries=inner.entries)
        if frame.family == NETWORK:
            layer = frame.layer_of(function) or self._layer_in(inner) or frame.default
            name = f"g{layer}"
            if name not in frame.setting.functions:
                raise NotReadError(f"an activation of layer {layer}")
            unit, own = UNITS.get(function.base, ""), frame.unit_of(layer)
            if unit and self.target != f"A{layer}" and unit != own and {unit, own} != {"leaky_relu", "relu"}:
                name = unit
            name += "_prime" if function.primes else ""
            if frame.convention.rows and unit == "softmax":
                turned = ast.Attribute(called(name, ast.Attribute(inner.tree, "T")), "T")
                return Value(turned, inner.axes, entries=inner.entries)
        elif frame.family == LOGISTIC:
            name = "sigmoid_prime" if function.primes else "sigmoid"
        else:
            return self._own_activation(function, inner)
        return Value(called(name, inner.tree), inner.axes, entries=inner.entries)

    def _own_activation(self, function: Symbol, inner: Value) -> Value:
        """The activation that a setting is about, or another one of it."""
        setting = self.frame.setting.name
        unit = UNITS.get(function.base, setting)
        if function.base == "\\sigma" and setting == "tanh" and inner.text != "z":
            unit = "sigmoid"
        if unit != setting or inner.text != "z":
            known = {"tanh": "np.tanh"}.get(unit, unit)
            if known not in self.frame.setting.functions and known != "np.tanh":
                raise NotReadError(f"the function {shown(function)}")
            return Value(called(f"{known}_prime" if function.primes else known, inner.tree), inner.axes)
        if function.primes:
            return value("g_prime", inner.axes)
        return value({"tanh": "np.tanh(z)"}.get(setting, f"{setting}(z)") if self.target == "a" else "a", inner.axes)

    @staticmethod
    def _layer_in(inner: Value) -> int | None:
        layers = {int(each) for each in re.findall(r"\b[ZAa](\d)\b", inner.text)}
        return layers.pop() if len(layers) == 1 else None

    def slope(self, node: Slope) -> Value:
        """``[g(Z)]'``: the derivative of the activation that stands in the brackets."""
        if isinstance(node.operand, Call):
            return self.call(replace(node.operand, function=replace(node.operand.function, primes=1)))
        raise NotReadError("a prime behind a bracket")
