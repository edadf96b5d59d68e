"""What a formula says: from its tree to a formula of the language, in a setting."""

from __future__ import annotations

import ast
import re
from dataclasses import fields, replace

from parity_tests.derivations.latex import references, values
from parity_tests.derivations.latex.parser import GENERIC
from parity_tests.derivations.latex.patterns import pattern_of
from parity_tests.derivations.latex.symbols import (
    ACTIVATION,
    COSTS,
    LARGE,
    LOGISTIC,
    MEANINGS,
    NETWORK,
    STEP,
    UNITS,
    Frame,
    shown,
)
from parity_tests.derivations.latex.tree import (
    Bars,
    Call,
    Cases,
    Derivative,
    Entry,
    Floor,
    Matrix,
    Negative,
    Node,
    Norm,
    NotReadError,
    Number,
    Operation,
    Power,
    Slope,
    Sum,
    Symbol,
    Transposed,
    factors,
    symbols_of,
    with_parts,
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


_WORDS = ("prev", "next", "pred", "in", "out", "reg", "x")
"""Subscripts that are no indices."""


class Reader:
    """Reads the formulas of one claim in a frame; ``sizes`` are those of the indices, ``target`` what is claimed."""

    def __init__(self, frame: Frame, target: str = "", *, penalised: bool = False) -> None:
        self.frame, self.target, self.penalised = frame, target, penalised
        self.sizes: dict[str, str] = {}
        self.layer_now: dict[str, int] = {}

    def read(self, node: Node) -> Value:
        """The formula that a tree stands for; NotReadError where it has none here."""
        match node:
            case Number():
                return value(node.text.lstrip("0") or "0" if "." not in node.text else node.text)
            case Symbol():
                return self.symbol(node)
            case Negative():
                return values.negative(self.read(node.operand))
            case Transposed():
                return self.transpose(node.operand)
            case Operation():
                return self.operation(node)
            case Power():
                return self.power(node)
            case Call():
                return self.call(node)
            case Slope():
                return self.slope(node)
            case Sum():
                return self.sum(node)
            case Derivative():
                return self.derivative_value(node)
            case Cases():
                return self.cases(node)
            case Norm() | Bars():
                raise NotReadError("a norm")
            case Entry() if node.subscripts == (self.summed_examples,):
                return self.read(node.operand)
            case Entry():
                raise NotReadError("an entry of a formula")
            case Floor():
                return values.elementwise("np.floor", self.read(node.operand))
            case Matrix():
                return self.matrix(node)
        raise NotReadError(f"a {type(node).__name__.lower()} of symbols")

    def transpose(self, node: Node) -> Value:
        return values.transposed(self.read(node))

    # symbols

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
        indices = self.indices_of(node, name)
        return self.entry(name, indices) if indices else value(name, axes)

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
        if len(found) == 1 and (found[0] == self.summed_examples or (found[0] in ("i", "k", "n") and self.averaging)):
            return ()
        return tuple(each for each in found if each not in _WORDS)

    summed_examples = ""
    averaging = False

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
                if self.sizes.setdefault(index, axes[place]) != axes[place]:
                    self.mixed = True
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

    mixed = False

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

    # operations

    def operation(self, node: Operation) -> Value:
        if node.sign in ("+", "-"):
            node = replace(node, left=_one(node.left), right=_one(node.right))
        if node.sign in ("+", "-", "/"):
            return values.added(node.sign, self.read(node.left), self.read(node.right))
        shifted = self.of_several_layers(node)
        if shifted is not None:
            return shifted
        left, right = self.read(node.left), self.read(node.right)
        if values.goes_together(left, right):
            return values.times(left, right, node.sign)
        first, *others = factors(node)
        whole = self.read(first[1])
        fit = True
        for sign, each in others:
            after = self.read(each)
            fit = fit and values.goes_together(whole, after)
            whole = values.times(whole, after, sign)
        return whole if fit else values.times(left, right, node.sign)

    def of_several_layers(self, node: Operation) -> Value | None:
        r"""``\Sigma'(z) W^T \delta``: a diagonal matrix before a product."""
        if isinstance(node.left, Call) and node.left.function.base == "\\Sigma" and node.left.function.primes:
            slope = self.call(replace(node.left, function=replace(node.left.function, base="\\sigma")))
            return values.times(slope, self.read(node.right), "*")
        return None

    def power(self, node: Power) -> Value:
        base = node.base
        if isinstance(base, Symbol) and base.base == "e" and not base.subscripts:
            return values.elementwise("np.exp", self.read(node.exponent))
        if isinstance(base, Norm):
            return self.squared_norm(base, node.exponent)
        inner = values.settled(self.read(base))
        exponent = self.read(node.exponent)
        tree = values.operation("**", inner.tree, exponent.tree)
        return Value(tree, inner.axes, entries=inner.entries)

    def squared_norm(self, node: Norm, exponent: Node) -> Value:
        """The sum of the squares, of every example where there are several."""
        if not (isinstance(exponent, Number) and exponent.text == "2"):
            raise NotReadError("a norm that is not squared")
        inner = self.read(node.operand)
        squares = values.operation("**", inner.tree, ast.Constant(2))
        if EXAMPLES in inner.axes:
            units = 1 - inner.axes.index(EXAMPLES)
            axes = tuple(ONE if place == units else each for place, each in enumerate(inner.axes))
            return Value(called("np.sum", squares, axis=units, keepdims=True), axes)
        return Value(called("np.sum", squares))

    # functions

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

    # derivatives

    def derivative_value(self, node: Derivative) -> Value:
        name = self.derivative(node)
        axes = self.frame.shapes.get(name) or self.frame.shapes.get(name.partition("(")[2].rstrip(")"), ())
        indices = self.indices_of(node.by, name) if isinstance(node.by, Symbol) else ()
        return self.entry(name, indices) if indices and name in self.frame.shapes else value(name, axes)

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

    # sums

    def sum(self, node: Sum) -> Value:
        index, upper = node.index, node.upper
        if index.startswith("axis") or (node.lower and "axis" in node.index + node.lower):
            axis = re.sub(r"\D", "", index + node.lower) or "1"
            return self._reduced("sum", self.read(node.body), {"axis": axis, "keepdims": "True"})
        if index in ("l",) or (upper == "L" and index == "k"):
            return self.over_layers(node)
        if self._over_examples(node):
            return self.over_examples(node)
        inner = self.read(node.body)
        if not index:
            raise NotReadError("a sum without an index")
        return values.summed_over(index, inner)

    def _over_examples(self, node: Sum) -> bool:
        """Whether the index of a sum counts examples."""
        index, upper = node.index, node.upper
        found = symbols_of(node.body)
        if index and any(each.round == index or (each.layer == index and each.base in ("y", "Y")) for each in found):
            return True
        carried = index and any(index in self.frame.style.indices_of(each) for each in found)
        if upper in ("m", "M", "N") or (upper == "n" and not carried):
            return not carried or all(len(self.frame.style.indices_of(each)) < 2 for each in found)
        if index in ("i", "n") and self.target.startswith("db"):
            carriers = [each for each in found if index in self.frame.style.indices_of(each)]
            return all(each.base in LARGE and len(self.frame.style.indices_of(each)) == 1 for each in carriers)
        return not carried and index in ("", "i", "x", "n")

    def over_examples(self, node: Sum) -> Value:
        if self.frame.convention.one:
            raise NotReadError("a sum over examples where there is one")
        before = self.summed_examples, self.averaging
        self.summed_examples = node.index
        inner = self.read(node.body)
        self.summed_examples, self.averaging = before
        if self.target == "J" or (inner.axes and self.frame.family == LOGISTIC and self.target == "db"):
            inner = values.settled(inner)
            return Value(called("np.sum", inner.tree), (), summed=True)
        if not inner.axes and not inner.factors:
            raise NotReadError("a sum over examples of a number")
        total = values.summed_over(EXAMPLES, inner)
        return replace(total, summed=True)

    def over_layers(self, node: Sum) -> Value:
        frame, whole = self.frame, None
        for layer in range(1, frame.depth + 1):
            self.frame = replace(frame, letters={**frame.letters, node.index: layer})
            self.sizes = {}
            part = values.settled(self.read(node.body))
            part = part if self.target != "J" else Value(called("np.sum", part.tree))
            whole = part if whole is None else values.added("+", whole, part)
        self.frame = frame
        assert whole is not None
        return whole

    # cases

    def cases(self, node: Cases) -> Value:
        """Values by the sign of z, or by the label."""
        if self.frame.family != ACTIVATION:
            return self.by_label(node)
        axes = self.frame.shapes["z"]
        whole: ast.expr | None = None
        for row, condition in reversed(node.rows):
            match = re.search(r"[zxt] (<|>|\\le|\\ge|\\neq|=+) 0", condition.replace("\\text", ""))
            if row is None or (match and match[1].startswith("=")):
                continue
            found = self.read(row)
            if match is None or match[1] == "\\neq":
                whole = found.tree
                continue
            sign = match[1].replace("\\le", "<=").replace("\\ge", ">=")
            test = ast.parse(f"z {sign} 0", mode="eval").body
            whole = called("np.where", test, found.tree, whole or ast.Constant(0))
        if whole is None:
            raise NotReadError("cases without a value")
        return Value(whole, axes)

    def by_label(self, node: Cases) -> Value:
        """What holds for y = 1 and what for y = 0: the terms of one sum."""
        found: dict[str, Value] = {}
        for row, condition in node.rows:
            match = re.search(r"y (?:\^ [^ ]+ )?= ([01])", condition)
            if row is None or match is None:
                raise NotReadError("cases")
            found[match[1]] = values.settled(self.read(with_label(row, match[1])))
        if set(found) != {"0", "1"} or self.frame.convention.cost == references.SOFTMAX:
            raise NotReadError("cases")
        Y = value("Y", self.frame.shapes["Y"])
        label = replace(Y, tree=values.operation("-", ast.Constant(1), Y.tree))
        return values.added("+", values.times(Y, found["1"], "*"), values.times(label, found["0"], "*"))


def with_label(node: Node, label: str) -> Node:
    """A formula with a number in the place of the label."""
    if isinstance(node, Symbol):
        return Number(label) if node.base in ("y", "Y") and not node.accents else node
    changed = {each.name: getattr(node, each.name) for each in fields(node)}
    for name, part in changed.items():
        if isinstance(part, Node):
            changed[name] = with_label(part, label)
        elif isinstance(part, tuple):
            changed[name] = tuple(with_label(each, label) if isinstance(each, Node) else each for each in part)
    return with_parts(node, changed)


def _one(node: Node) -> Node:
    """A bold 1 beside a plus or minus is the number."""
    return Number("1") if isinstance(node, Symbol) and node.base == "\\ones" else node
