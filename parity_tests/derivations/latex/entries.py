"""Formulas entry by entry: indices, sums over them, Kronecker's delta, and derivatives of one value in another."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from parity_tests.derivations.latex.cursor import GENERIC
from parity_tests.derivations.latex.symbols import COSTS, LOGISTIC, NETWORK, UNITS, Frame, shown
from parity_tests.derivations.latex.tree import (
    Call,
    Cases,
    Derivative,
    Negative,
    Node,
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
from parity_tests.derivations.settings.setting import probe_of

_READ = (Number, Symbol, Negative, Operation, Power, Transposed, Call, Sum, Cases, Derivative)
WORDS = ("prev", "next", "pred", "in", "out", "reg")
FEW = 2
"""Values of an index that are tried on the left side."""

MOST = 30_000
"""Entries that one claim may read."""

_STEP = 1e-30
_FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {
    "log": np.log, "exp": np.exp, "sqrt": np.sqrt, "tanh": np.tanh, "abs": np.abs,
}  # fmt: skip


class MisfitError(ValueError):
    """An index runs farther than what it stands on."""


class Entries:
    """Computes entries of formulas in a frame, on the numbers of a seed.

    With ``scalars`` every layer has one unit, and there is one example: then indices say nothing, and products of
    derivatives in names may be taken in any order.
    """

    def __init__(self, frame: Frame, seed: int = 0, *, scalars: bool = False) -> None:
        if frame.family not in (NETWORK, LOGISTIC):
            raise NotReadError("entries of something else than a network")
        self.frame, self.scalars, self.left = frame, scalars, MOST
        self.example: int | None = None
        self.seed = seed
        self.sizes: dict[str, int] = {}
        self.derivatives: dict[tuple[str, str, tuple[int, ...]], Any] = {}

    @cached_property
    def environment(self) -> Mapping[str, Any]:
        """The numbers."""
        try:
            return probe_of(self.frame.setting, self.seed, self.frame.convention.l2).environment
        except RuntimeError as error:  # no numbers on which no ReLU is near its kink
            raise NotReadError(str(error)) from error

    def check(self, node: Node) -> None:
        """Raise NotReadError for what has no entries, before any number is drawn."""
        functions = {id(each.function) for each in walk(node) if isinstance(each, Call)}
        for each in walk(node):
            if isinstance(each, Symbol):
                if id(each) not in functions and not self.is_kronecker(each) and each.base not in ("e", *COSTS):
                    self.frame.name_of(each)
            elif isinstance(each, Transposed) and not self.scalars:
                raise NotReadError("a transpose among entries")
            elif not isinstance(each, _READ):
                raise NotReadError(f"a {type(each).__name__.lower()} among entries")

    def agree(self, left: Node, right: Node) -> bool:
        """Whether two formulas are equal at every index; NotReadError where one cannot be read."""
        self.check(left)
        self.check(right)
        for each in symbols_of((left, right)):
            self.measured(each)
        bound = {index for each in walk((left, right)) if isinstance(each, Sum) for index in _letters(each)}
        free = [letter for letter in self.sizes if letter not in bound or letter in self.letters_of(left)]
        ranges = [range(min(FEW, self.sizes[letter])) for letter in free]
        equal = True
        for values in product(*ranges):
            at = dict(zip(free, values, strict=True))
            try:
                with np.errstate(all="ignore"):
                    a, b = self.value(left, at), self.value(right, at)
            except MisfitError:
                equal = False
                continue
            equal = equal and bool(abs(a - b) <= 1e-9 * max(1, abs(a), abs(b)))
        return equal

    def letters_of(self, node: Node) -> set[str]:
        """The indices that stand on the symbols of a formula."""
        found = symbols_of(node)
        return {part for each in found for part in (*self.units_of(each), self.frame.style.example_of(each)) if part}

    def units_of(self, node: Symbol) -> list[str]:
        """The indices of a symbol below it."""
        found = [each for each in self.frame.style.indices_of(node) if each not in WORDS]
        return list(found[0]) if len(found) == 1 and re.fullmatch("[a-z]{2}", found[0]) else found

    def measured(self, node: Symbol) -> None:
        """Note how far the indices of a symbol run."""
        if self.scalars or self.is_kronecker(node):
            return
        try:
            array, places = self.environment.get(self.frame.name_of(node)), zip(*self.places(node), strict=True)
        except NotReadError:
            return
        if isinstance(array, np.ndarray) and array.ndim == 2:
            self.sizes = {**{index: array.shape[axis] for index, axis in places if index.islower()}, **self.sizes}

    def is_kronecker(self, node: Symbol) -> bool:
        """Whether a delta is 1 where its indices are equal, and else 0."""
        return node.base == "\\delta" and not self.frame.style.layer_of(node) and len(self.units_of(node)) == 2

    def places(self, node: Symbol) -> tuple[list[str], list[int]]:
        """The indices of a symbol, and the axes along which they run."""
        name, rows = self.frame.name_of(node), self.frame.convention.rows
        units, example = self.units_of(node), self.frame.style.example_of(node)
        kind = name.removeprefix("d")[:1]
        if len(units) > (1 if name in ("w", "dw") else 2):
            raise NotReadError(f"{len(units)} indices on {shown(node)}")
        if kind == "W":
            return units, [0, 1][: len(units)]
        if name in ("w", "dw"):
            return units, [0][: len(units)]
        unit, along = (1, 0) if rows else (0, 1)
        if len(units) == 2:
            return units, [0, 1]
        return [*units, *([example] if example else [])], [*([unit] if units else []), *([along] if example else [])]

    def value(self, node: Node, at: Mapping[str, int]) -> Any:
        """The number that a formula is at some indices."""
        match node:
            case Number():
                return float(node.text)
            case Symbol():
                return self.symbol(node, at)
            case Negative():
                return -self.value(node.operand, at)
            case Operation():
                return self.operation(node.sign, self.value(node.left, at), self.value(node.right, at))
            case Power():
                return self.power(node, at)
            case Transposed() if self.scalars:
                return self.value(node.operand, at)
            case Call():
                return self.call(node, at)
            case Sum():
                return self.summed(node, _letters(node), at)
            case Cases():
                return self.value(chosen(node, at), at)
            case Derivative():
                return self.derivative(node, at)
        raise NotReadError(f"a {type(node).__name__.lower()} among entries")

    @staticmethod
    def operation(sign: str, a: Any, b: Any) -> Any:
        return a + b if sign == "+" else a - b if sign == "-" else a / b if sign == "/" else a * b

    def power(self, node: Power, at: Mapping[str, int]) -> Any:
        exponent = self.value(node.exponent, at)
        is_e = isinstance(node.base, Symbol) and node.base.base == "e"
        return np.exp(exponent) if is_e else self.value(node.base, at) ** exponent

    def symbol(self, node: Symbol, at: Mapping[str, int]) -> Any:
        power = self.frame.style.power_of(node)
        if power:
            base = self.symbol(Symbol(node.base, node.layer, node.round, "", node.subscripts, node.accents), at)
            return base ** (float(power) if power.isdigit() else self.symbol(Symbol(power), at))
        if self.is_kronecker(node):
            first, second = (self.index(each, at) for each in self.units_of(node))
            return float(first == second)
        name = self.frame.name_of(node)
        if node.primes or name not in self.environment:
            raise NotReadError(f"{shown(node)} with a prime")
        return self.entry(self.environment[name], node, at)

    def entry(self, array: Any, node: Symbol, at: Mapping[str, int]) -> Any:
        """The entry of an array that a symbol names."""
        if not isinstance(array, np.ndarray):
            return array
        if array.size == 1:
            return array.item()
        return array[self.position(array, node, at)]

    def position(self, array: Any, node: Symbol, at: Mapping[str, int]) -> tuple[int, ...]:
        """Where the entry of a symbol stands; an axis of one entry needs no index."""
        self.left -= 1
        if self.left < 0:
            raise NotReadError("its sums have too many terms")
        given = dict(zip(*self.places(node)[::-1], strict=True)) if not self.scalars else {}
        found = []
        for axis, size in enumerate(array.shape):
            if axis in given:
                found.append(self.label(given[axis], at) if "_" in given[axis] else self.index(given[axis], at))
            elif size == 1:
                found.append(0)
            elif self.example is not None and axis == int(not self.frame.convention.rows):
                found.append(self.example)
            else:
                raise NotReadError(f"{shown(node)} without an index")
            if found[-1] >= size:
                raise MisfitError
        return tuple(found)

    def index(self, letter: str, at: Mapping[str, int]) -> int:
        if letter.isdigit():
            return int(letter) - 1
        if letter not in at:
            raise NotReadError(f"the index {letter}")
        return at[letter]

    def label(self, index: str, at: Mapping[str, int]) -> int:
        """The class of an example, as in ``P_{i, y_i}``."""
        match = re.fullmatch(r"[yY]_\{?\(?(\w)\)?\}?", index)
        if match is None:
            raise NotReadError(f"the index {index}")
        Y, example = self.environment["Y"], self.index(match[1], at)
        return int(np.argmax(Y[example] if self.frame.convention.rows else Y[:, example]))

    def call(self, node: Call, at: Mapping[str, int]) -> Any:
        name = node.function.base
        if name in ("max", "indicator"):
            first, second = (self.value(each, at) for each in node.arguments)
            sign = node.keywords.get("sign", "")
            return (
                max(first, second) if not sign else float(first < second if sign in ("<", "\\le") else first > second)
            )
        if len(node.arguments) != 1 or (name not in GENERIC and name not in (*UNITS, *_FUNCTIONS)):
            raise NotReadError(f"{name} of {len(node.arguments)} arguments")
        if name in _FUNCTIONS and not node.function.primes:
            return _FUNCTIONS[name](self.value(node.arguments[0], at))
        inner = node.arguments[0]
        layer = self.frame.layer_of(node.function)
        layers = [self.frame.layer_of(each) for each in symbols_of(inner)]
        layer = layer or next((each for each in layers if each), None) or self.frame.default
        unit = f"g{layer}" if self.frame.family == NETWORK else "sigmoid"
        function = self.environment.get(unit + ("_prime" if node.function.primes else ""))
        if function is None or (unit.startswith("g") and self.frame.unit_of(int(layer or 0)) == "softmax"):
            raise NotReadError(f"the function {shown(node.function)}")
        return function(np.full((1, 1), self.value(inner, at))).item()

    def summed(self, node: Sum, letters: list[str], at: Mapping[str, int]) -> Any:
        if not letters:
            return self.value(node.body, at)
        first, *rest = letters
        if self.of_examples(node, first):
            before, total = self.example, 0.0
            for example in range(int(self.environment["m"])):
                self.example = example
                total = total + self.summed(node, rest, {**at, first: example})
            self.example = before
            return total
        size = 1 if self.scalars else self.sizes.get(first)
        if size is None:
            raise NotReadError(f"a sum over {first or 'nothing'}")
        return sum(self.summed(node, rest, {**at, first: number}) for number in range(size))

    def of_examples(self, node: Sum, letter: str) -> bool:
        """Whether an index counts examples."""
        found = symbols_of(node.body)
        if any(self.frame.style.example_of(each) == letter for each in found):
            return True
        units = {part for each in found for part in self.units_of(each)}
        return node.upper in ("m", "M", "N", "n") and letter not in units

    def derivative(self, node: Derivative, at: Mapping[str, int]) -> Any:
        of = node.of.function if isinstance(node.of, Call) else node.of
        by = node.by
        if not isinstance(of, Symbol) or not isinstance(by, Symbol):
            raise NotReadError("a derivative of nothing that has a name")
        name = self.frame.name_of(by)
        if of.base in COSTS:
            if f"d{name}" not in self.environment:
                raise NotReadError(f"a derivative of the cost in {shown(by)}")
            if self.example is not None and of.base != "J" and name[0] in "Wbw":
                return self.of_one_example(name)
            return self.entry(self.environment[f"d{name}"], by, at)
        value = self.frame.name_of(of)
        array = self.environment[name]
        where = self.position(array, by, at)
        key = value, name, where[: np.ndim(array)]
        if key not in self.derivatives:
            self.derivatives[key] = self.changed(value, name, where[: np.ndim(array)])
        return self.entry(self.derivatives[key], of, at)

    def of_one_example(self, name: str) -> Any:
        """The derivative of an example's loss in a parameter, where every layer has one unit."""
        if not self.scalars:
            raise NotReadError("a derivative of an example's loss in a parameter")
        layer = next(each for each in self.layers if name in each)
        slope = self.environment[f"d{layer[0]}"].ravel()[self.example]
        return slope * (1 if name[0] == "b" else self.environment[layer[4]].ravel()[self.example])

    def changed(self, value: str, name: str, where: tuple[int, ...]) -> Any:
        """The derivative of every entry of a value in one entry of what it depends on, by the complex step."""
        given = {name: np.array(self.environment[name], complex)}
        given[name][where] += 1j * _STEP
        found = self.forward(given, value)
        if found is None:
            raise NotReadError(f"a derivative of {value} in {name}")
        return found.imag / _STEP

    def forward(self, given: dict[str, Any], value: str) -> Any:
        """A value where something below it is another; None where that is no part of it."""
        at = {**self.environment, **given}
        if value in given:
            return given[value]
        changed = False
        for Z, A, W, b, below, unit in self.layers:
            if Z not in given and (changed or {W, b, below} & set(given)):
                weights = at[W].T if self.turned else at[W]
                at[Z] = (at[below] @ weights if self.frame.convention.rows else weights @ at[below]) + at[b]
                changed = True
            elif Z in given:
                changed = True
            if value == Z:
                return at[Z] if changed else None
            if changed and A not in given:
                rows = self.frame.convention.rows  # a softmax takes its classes along the first axis
                at[A] = at[unit](at[Z].T).T if rows else at[unit](at[Z])
            if value == A:
                return at[A] if changed else None
            changed = changed or A in given
        return None

    @property
    def turned(self) -> bool:
        """Whether weights stand the other way round than in W A, or A W."""
        convention = self.frame.convention
        return not convention.rows if self.frame.family == LOGISTIC else convention.turned

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


def _letters(node: Sum) -> list[str]:
    """The indices of a sum."""
    return [each for each in re.split(r"[,\s]", node.index) if each] if node.index else [""]


def chosen(node: Cases, at: Mapping[str, int]) -> Node:
    """The row whose condition on the indices is met; NotReadError for another condition."""
    for row, condition in node.rows:
        match = re.search(r"([a-z]) (=|\\neq|\\ne) ([a-z])(?: |$)", condition)
        if match is None and re.search(r"else|other|sonst|sinon", condition.replace(" ", "")):
            met = True
        elif match is None or not {match[1], match[3]} <= set(at):
            raise NotReadError("cases")
        else:
            met = (at[match[1]] == at[match[3]]) == (match[2] == "=")
        if met:
            if row is None:
                raise NotReadError("cases without a value")
            return row
    raise NotReadError("cases")
