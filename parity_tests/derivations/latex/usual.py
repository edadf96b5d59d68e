"""Formulas in the numbers of a setting: what letters usually mean, with their entries, sums and functions."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from parity_tests.derivations.latex.evaluation import At, MisfitError, combined, total
from parity_tests.derivations.latex.functions import Functions
from parity_tests.derivations.latex.patterns import pattern_of
from parity_tests.derivations.latex.references import SOFTMAX
from parity_tests.derivations.latex.symbols import ACTIVATION, LARGE, Frame
from parity_tests.derivations.latex.tree import (
    Call,
    Cases,
    Derivative,
    Entry,
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
    mapped,
    symbols_of,
    walk,
)


class Usual(Functions):
    """Computes the formulas of one claim in a frame, on the numbers of a seed."""

    def other(self, node: Node, at: At) -> Any:
        match node:
            case Slope():
                if isinstance(node.operand, Call):
                    return self.call(
                        replace(node.operand, function=replace(node.operand.function, primes=1)), at
                    )  # fmt: skip
                raise NotReadError("a prime behind a bracket")
            case Entry() if node.subscripts == (self.summing,):
                return self.value(node.operand, at)
            case Entry():
                raise NotReadError("an entry of a formula")
            case Matrix():
                return self.matrix(node, at)
        raise NotReadError("a norm" if isinstance(node, Norm) else f"a {type(node).__name__.lower()} of symbols")

    def operation(self, node: Operation, at: At) -> Any:
        left, right, sign = node.left, node.right, node.sign
        rows = self.frame.convention.rows
        if sign in ("+", "-"):
            left, right = _one(left), _one(right)
        if rows and isinstance(right, Transposed) and _is_bias(right.operand):
            right = right.operand  # 1 b^T, with b as a column
        if isinstance(left, Call) and left.function.base == "\\Sigma" and left.function.primes:  # a diagonal matrix
            left, sign = replace(left, function=replace(left.function, base="\\sigma")), "*"
        a, b = self.value(left, at), self.value(right, at)
        if sign in ("+", "-", "/"):
            return self.entrywise(sign, a, b)
        return self.product(sign, a, b, numbers=self.is_number(left, a) or self.is_number(right, b))

    def entrywise(self, sign: str, a: Any, b: Any) -> Any:
        return combined(sign, a, b) if _fits(a, b) else self.misfitting(a)

    def is_number(self, node: Node, value: Any) -> bool:
        """Whether a factor is a number: where there is one output, one entry is still a matrix."""
        lone = isinstance(node, Symbol | Derivative | Transposed) and self.frame.convention.single
        return value.size == 1 and not (lone and any(self.is_array(each) for each in symbols_of(node)))

    def is_array(self, node: Symbol) -> bool:
        with suppress(NotReadError):
            return not self.units_of(node) and len(self.frame.shapes.get(self.name_of(node), ())) == 2
        return False

    def misfitting(self, value: Any) -> Any:
        """What stands for an operation on sizes that do not fit: the rest of the formula is still to be read."""
        self.misfit = True
        if self.known_to_be_read:
            raise MisfitError
        return value

    def product(self, sign: str, a: Any, b: Any, *, numbers: bool = False) -> Any:
        """A product: of matrices where their sizes say so, else entry by entry; a row times a column is no such one."""
        if self.scalars or numbers:
            return a * b
        inner, alike = a.shape[1] == b.shape[0], _fits(a, b) and np.broadcast(a, b).shape in (a.shape, b.shape)
        if not sign and self.m not in {*a.shape} & {*b.shape}:  # side by side: nothing is spread over a matrix
            alike = a.shape == b.shape
        matrices = not alike if sign == "*" else inner or not alike
        if (matrices and not inner) or not (matrices or _fits(a, b)):
            return self.misfitting(a)
        return a @ b if matrices else a * b

    def power(self, node: Power, at: At) -> Any:
        turned = any(isinstance(each, Transposed) for each in walk(node.base))
        if turned and isinstance(node.exponent, Negative) and self.value(node.base, at).size > 1:
            raise NotReadError("the inverse of a matrix")
        return super().power(node, at)

    def squares(self, node: Norm, at: At) -> Any:
        """The sum of the squares, of every example where there are several."""
        inner = self.value(node.operand, at)
        if self.m in inner.shape and self.target != "J":
            return np.sum(inner**2, axis=self.axis_of_units, keepdims=True)
        return total(inner**2)

    def summed(self, node: Sum, at: At) -> Any:
        node = _of_numbered_examples(node)
        if "axis" in node.index + node.lower:
            return self.reduced("sum", self.value(node.body, at), re.sub(r"\D", "", node.index + node.lower) or "1")
        if node.index == "l" or (node.upper == "L" and node.index == "k"):
            return self.over_layers(node, at)
        return self.over([each for each in re.split(r"[,\s]", node.index) if each] or [""], node, at)

    def over(self, letters: list[str], node: Sum, at: At) -> Any:
        """The sum over some indices."""
        if not letters:
            return self.value(node.body, at)
        first, *rest = letters
        self.measure(node.body)
        if self.over_examples(first, node):
            return self.of_examples(first, rest, node, at)
        size = 1 if self.scalars else self.sizes.get(first)
        if size is None:
            raise NotReadError(f"a sum over {first}" if first else "a sum without an index")
        parts = [self.over(rest, node, {**at, first: number}) for number in range(size)]
        return sum(parts[1:], parts[0])

    def over_examples(self, index: str, node: Sum) -> bool:
        """Whether an index counts examples."""
        upper, found, units = node.upper, symbols_of(node.body), self.units_of
        if index and any(self.frame.style.example_of(each) == index or each.round == index
                         or (each.layer == index and each.base in ("y", "Y")) for each in found):  # fmt: skip
            return True
        carriers = [each for each in found if index and index in units(each)]
        if upper in ("m", "M", "N") or (upper == "n" and not carriers):
            return not carriers or all(len(units(each)) < 2 for each in found)
        if index in ("i", "n") and self.target.startswith("db"):
            return all(each.base in LARGE and len(units(each)) == 1 for each in carriers)
        return not carriers and index in ("", "i", "x", "n")

    def of_examples(self, index: str, rest: list[str], node: Sum, at: At) -> Any:
        if (self.frame.convention.one and not self.scalars) or "m" not in self.environment:
            raise NotReadError("a sum over examples where there is one")
        before = self.example, self.summing, self.met
        self.summing, self.met, parts = index, False, []
        for example in range(int(self.environment["m"])):
            self.example = example
            part = self.over(rest, node, {**at, index: example})
            parts.append(total(part) if self.target == "J" else part)
        met, (self.example, self.summing, self.met) = self.met, before
        if not met:
            raise NotReadError("a sum over examples of a number")
        return sum(parts[1:], parts[0])

    def over_layers(self, node: Sum, at: At) -> Any:
        frame, whole = self.frame, None
        first, last = _layers_between(node, frame)
        for layer in range(first, last + 1):
            self.frame, self.sizes = replace(frame, letters={**frame.letters, node.index: layer}), {}
            self.measure(node.body)
            part = self.value(node.body, at)
            part = total(part) if self.target == "J" else part
            whole = part if whole is None else whole + part
        self.frame = frame
        return whole

    def cases(self, node: Cases, at: At) -> Any:
        """Values by the sign of z, by the label, or by indices."""
        if self.frame.family != ACTIVATION:
            return self.by_label(node, at)
        whole = None
        z = self.environment["z"]
        for row, condition in reversed(node.rows):
            match = re.search(r"[zxt] (<|>|\\le|\\ge|\\neq|=+) 0", condition.replace("\\text", ""))
            if row is None or (match and match[1].startswith("=")):
                continue
            found = self.value(row, at)
            if match is not None and match[1] != "\\neq":
                test = z < 0 if match[1] in ("<", "\\le") else z > 0
                found = np.where(test, found, 0.0 if whole is None else whole)
            whole = found
        if whole is None:
            raise NotReadError("cases without a value")
        return whole

    def by_label(self, node: Cases, at: At) -> Any:
        """What holds for y = 1 and what for y = 0: the terms of one sum."""
        found: dict[str, Any] = {}
        for row, condition in node.rows:
            match = re.search(r"y (?:\^ [^ ]+ )?= ([01])", condition)
            if row is None or match is None:
                return super().cases(node, at)
            found[match[1]] = self.value(with_label(row, match[1]), at)
        if set(found) != {"0", "1"} or self.frame.convention.cost == SOFTMAX:
            raise NotReadError("cases")
        Y = self.at_example(self.environment["Y"])
        shares = [self.entrywise("*", y, part) for y, part in ((Y, found["1"]), (1 - Y, found["0"]))]
        return self.entrywise("+", *shares)

    def matrix(self, node: Matrix, at: At) -> Any:
        """A matrix whose columns, rows or entries follow a pattern."""
        entry, row, column, of_examples = pattern_of(node)
        if of_examples or not (row or column):  # [x^(1) ... x^(m)] is X, and [b ... b] is b
            found = self.value(entry, at)
            across = not self.frame.convention.rows
            return found.T if of_examples and across != bool(column) and self.m in found.shape else found
        before, self.sizes = self.sizes, {}
        self.measure(entry)
        counts = [range(self.sizes.get(each, 0)) if each else range(1) for each in (row, column)]
        self.sizes = before
        if not all(counts):
            raise NotReadError("a matrix whose entries are not known")
        made = [[self.value(entry, {**at, row: i, column: j}) for j in counts[1]] for i in counts[0]]
        return np.block(made)


def with_label(node: Node, label: str) -> Node:
    """A formula with a number in the place of the label."""
    return mapped(node, lambda each: Number(label) if isinstance(each, Symbol) and each.base in ("y", "Y")
                  and not each.accents else each)  # fmt: skip


def _fits(a: Any, b: Any) -> bool:
    """Whether two arrays can be combined entry by entry."""
    return all(x == y or 1 in (x, y) for x, y in zip(a.shape, b.shape, strict=True))


def _one(node: Node) -> Node:
    """A bold 1 beside a plus or minus is the number."""
    return Number("1") if isinstance(node, Symbol) and node.base == "\\ones" else node


def _is_bias(node: Node) -> bool:
    return isinstance(node, Symbol) and node.base in ("b", "B")


def _layers_between(node: Sum, frame: Frame) -> tuple[int, int]:
    """The first and the last layer of a sum over layers: all, unless numbers or L say others."""
    layers = frame.depth + frame.convention.above
    match = re.fullmatch(r"(\d+|L)([-+]\d)?", node.upper)
    if match is None or (match[1] == "L" and "L" not in {*frame.letters, *frame.style.letters}):
        return 1, frame.depth  # L may count the inputs
    last = (layers if match[1] == "L" else int(match[1])) + int(match[2] or 0)
    first = int(node.lower) if node.lower.isdigit() else 1
    if last < first:
        raise NotReadError(f"a sum over the layers {first} to {last}")
    return first, last


def _of_numbered_examples(node: Sum) -> Sum:
    """A sum over i with x_ij in it, with the number of the example above the letters: x_j^(i)."""
    values = (*"xXyYtTaApPzZhH", "\\delta")

    def moved(each: Node) -> Node:
        if isinstance(each, Symbol) and node.index in each.subscripts and each.base in values:
            return replace(each, subscripts=tuple(x for x in each.subscripts if x != node.index), round=node.index)
        return each

    inside = symbols_of(node.body)
    numbered = any(each.base in ("x", "X") and len(each.subscripts) == 2 and node.index in each.subscripts
                   for each in inside)  # fmt: skip
    return replace(node, body=mapped(node.body, moved)) if numbered else node
