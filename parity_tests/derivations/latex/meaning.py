"""What a formula says: from its tree to a formula of the language, in a setting."""

from __future__ import annotations

import ast
import re
from copy import deepcopy
from dataclasses import fields, replace

from parity_tests.derivations.latex import references, values
from parity_tests.derivations.latex.functions import Functions
from parity_tests.derivations.latex.symbols import (
    ACTIVATION,
    LARGE,
    LOGISTIC,
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


class Reader(Functions):
    """Reads the formulas of one claim in a frame."""

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

    def operation(self, node: Operation) -> Value:
        if node.sign in ("+", "-"):
            node = replace(node, left=_one(node.left), right=_one(node.right))
        if self.frame.convention.rows and isinstance(node.right, Transposed) and _is_bias(node.right.operand):
            node = replace(node, right=node.right.operand)  # 1 b^T, with b as a column
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
        if "@" in inner.text and ONE not in inner.axes and isinstance(node.exponent, Negative):
            raise NotReadError("the inverse of a matrix")
        tree = values.operation("**", inner.tree, exponent.tree)
        return Value(tree, inner.axes, entries=inner.entries)

    def sum(self, node: Sum) -> Value:
        node = _of_numbered_examples(node)
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
        before = self.summed_examples, self.summing
        self.summed_examples, self.summing = node.index, True
        inner = self.read(node.body)
        self.summed_examples, self.summing = before
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


def _is_bias(node: Node) -> bool:
    return isinstance(node, Symbol) and node.base in ("b", "B")


def _of_numbered_examples(node: Sum) -> Sum:
    """A sum over i with x_ij in it, with the number of the example above the letters: x_j^(i)."""
    inside = symbols_of(node.body)
    if not any(
        each.base in ("x", "X") and len(each.subscripts) == 2 and node.index in each.subscripts for each in inside
    ):
        return node
    node = deepcopy(node)
    for each in symbols_of(node.body):
        if node.index in each.subscripts and each.base in (
            *"xXyYtT",
            "a",
            "A",
            "p",
            "P",
            "\\delta",
            "z",
            "Z",
            "h",
            "H",
        ):
            each.subscripts, each.round = tuple(x for x in each.subscripts if x != node.index), node.index
    return node
