"""What the symbols of a formula are in a setting: arrays, their entries, and derivatives by name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from parity_tests.derivations.latex.cursor import GENERIC
from parity_tests.derivations.latex.evaluation import At, Evaluation
from parity_tests.derivations.latex.symbols import (
    ACTIVATION,
    COSTS,
    LOGISTIC,
    MEANINGS,
    NETWORK,
    SIZE,
    Frame,
    shown,
)
from parity_tests.derivations.latex.symbols import STEP as STEP_OF_TRAINING
from parity_tests.derivations.latex.tree import (
    Derivative,
    Node,
    NotReadError,
    Number,
    Power,
    Symbol,
    Transposed,
    symbols_of,
)
from parity_tests.derivations.settings.setting import Probe, probe_of

WORDS = ("prev", "next", "pred", "in", "out", "reg", "x")
"""Subscripts that are no indices."""


class Quantities(Evaluation):
    """Reads symbols in a frame, on the numbers of a seed; ``target`` is what is claimed.

    With ``scalars`` every layer has one unit, and there is one example: then indices say nothing, and products of
    derivatives in names may be taken in any order. With ``entries`` two indices may stand on a value, and values be
    differentiated.
    """

    spends = 60_000

    def __init__(
        self, frame: Frame, seed: int = 0, target: str = "", *, penalised: bool = False, entries: bool = False,
        scalars: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if (entries or scalars) and frame.family not in (NETWORK, LOGISTIC):
            raise NotReadError("entries of something else than a network")
        self.frame, self.seed, self.target, self.penalised = frame, seed, target, penalised
        self.entries, self.scalars = entries, scalars
        self.misfit = False
        """Whether sizes did not fit somewhere."""
        self.known_to_be_read = False
        """Whether a formula is known to be read: then nothing is computed behind sizes that do not fit."""
        self.example: int | None = None
        self.unit = ""
        """The index of the unit that a formula is about."""
        self.summing, self.met = "", False
        """The index of the sum over examples in which something stands, and whether anything there has an example."""
        self.sizes: dict[str, int] = {}
        self.derivatives: dict[tuple[str, str, tuple[int, ...]], Any] = {}

    @cached_property
    def probe(self) -> Probe:
        """The numbers, with the truths."""
        convention, setting = self.frame.convention, self.frame.setting
        try:
            return probe_of(setting, self.seed, convention.l2 and setting.penalised)
        except RuntimeError as error:  # no numbers on which no ReLU is near its kink
            raise NotReadError(str(error)) from error

    @cached_property
    def environment(self) -> Mapping[str, Any]:
        """The numbers."""
        known = self.target in self.frame.setting.targets
        return self.frame.setting.environment(self.probe, self.target) if known else self.probe.environment

    @property
    def m(self) -> int:
        """How many examples there are, 0 for one."""
        count = self.environment.get("m", 0) if not self.scalars else 0
        return int(count) if count > 1 else 0

    @property
    def axis_of_units(self) -> int:
        return int(self.frame.convention.rows)

    @property
    def output(self) -> str:
        return f"A{self.frame.depth}" if self.frame.family == NETWORK else "A"

    def name_of(self, node: Symbol) -> str:
        return self.frame.name_of(node)

    def units_of(self, node: Symbol) -> list[str]:
        """The indices of a symbol below it."""
        if self.frame.family in (STEP_OF_TRAINING, SIZE):
            return []
        found = [each for each in self.frame.style.indices_of(node) if each not in WORDS]
        return list(found[0]) if len(found) == 1 and re.fullmatch("[a-z]{2}", found[0]) else found

    def is_kronecker(self, node: Symbol) -> bool:
        """Whether a delta is 1 where its indices are equal, and else 0."""
        return (self.entries and node.base == "\\delta" and not self.frame.style.layer_of(node)
                and len(self.units_of(node)) == 2)  # fmt: skip

    def measure(self, node: object) -> None:
        """Note how far the indices in a formula run."""
        for each in symbols_of(node) if not self.scalars else ():
            if (each.subscripts or each.round) and not self.is_kronecker(each):
                try:
                    array = self.environment.get(name := self.name_of(each))
                    if isinstance(array, np.ndarray) and array.ndim == 2:
                        places = [place for place in self.places(name, each) if re.fullmatch("[a-z]", place[0])]
                        self.sizes = {**{index: array.shape[axis] for index, axis in places}, **self.sizes}
                except NotReadError:
                    continue

    def places(self, name: str, node: Symbol) -> list[tuple[str, int]]:
        """The indices of a symbol, each with the axis along which it runs."""
        units, example = self.units_of(node), self.frame.style.example_of(node)
        kind, column = name.removeprefix("d")[:1], name in ("w", "dw")
        if len(units) == 1 and units[0] == self.summing and kind not in "Ww":
            units, example = [], units[0]
        if name in ("w1", "w2", "dw1", "dw2", "J"):
            return []
        if any(not re.fullmatch(r"[a-z]|\d|[yY]_.*", each) for each in units):
            raise NotReadError(f"the entry {', '.join(units)} of {name}")
        if kind == "W" or column:
            if len(units) > (1 if column else 2):
                raise NotReadError(f"{len(units)} indices on {shown(node)}")
            if len(units) == 1 and not column:  # the weights of one unit
                rows, turned = self.frame.convention.rows, self.frame.convention.turned
                return [(units[0], int(rows != turned))]
            return list(zip(units, (0, 1), strict=False))
        if len(units) == 2 and self.entries:
            return list(zip(units, (0, 1), strict=True))
        if len(units) > 1:
            raise NotReadError(f"{len(units)} indices on {name}")
        unit, kept = self.axis_of_units, bool(example) and (self.entries or not example.isdigit())
        return [*((each, unit) for each in units), *([(example, 1 - unit)] if kept else [])]

    def symbol(self, node: Symbol, at: At) -> Any:
        if power := self.frame.style.power_of(node):
            return self.power(Power(replace(node, bare=""), Symbol(power) if power.isalpha() else Number(power)), at)
        if node.base == "e" and not node.subscripts:
            return np.full((1, 1), np.e)
        if self.is_kronecker(node):
            first, second = (self.index(each, at) for each in self.units_of(node))
            return np.full((1, 1), float(first == second))
        if node.base == "\\ones":
            return np.ones((1 if self.scalars else self.m or 1, 1))
        if node.base in COSTS and self.penalised and not node.subscripts and self.frame.family in (NETWORK, LOGISTIC):
            return self.loss(node)
        if node.base in ("\\mathbb", "True"):
            raise NotReadError("a set")
        if node.primes and self.frame.family != ACTIVATION:
            return self.slope_of_layer(node, at)
        name = self.name_of(node)
        if name not in self.frame.shapes:
            raise NotReadError(f"{shown(node)} is a function")
        found = self.named(name, node, at)
        return found / self.environment["m"] if name == "lambda_" and self.frame.convention.undivided else found

    def named(self, name: str, node: Symbol, at: At) -> Any:
        """A quantity of the setting, or its entry; in an update that adds the penalty dW is without it."""
        whole, W = self.entry(name, node, at), name.removeprefix("d")
        if self.penalised and self.frame.convention.decays and name[:2] in ("dW", "dw") and self.target == W:
            return whole - self.environment["lambda_"] / self.environment["m"] * self.entry(W, node, at)
        return whole

    def slope_of_layer(self, node: Symbol, at: At) -> Any:
        """``a'^{(l)}``, which is g'(z) of its layer."""
        if self.frame.family != NETWORK or (MEANINGS.get(node.base) != "A" and node.base not in GENERIC):
            raise NotReadError(f"{shown(node)} with a prime")
        layer = self.frame.layer_of(node) or self.frame.default
        Z = self.entry(f"Z{layer}", replace(node, primes=0), at)
        return self.environment[f"g{layer}_prime"](Z)

    def entry(self, name: str, node: Symbol, at: At, array: Any = None) -> Any:
        """The part of a quantity that the indices of a symbol, and the example of a sum, name."""
        found = np.asarray(self.environment[name] if array is None else array)
        if found.ndim < 2 or found.shape == (1, 1):
            self.met = self.met or found.ndim == 2
            return found.reshape(1, 1) if found.size == 1 else found.reshape(-1, 1)
        if self.scalars:
            return self.at_example(found)
        places, whole = [], self.places(name, node)
        if self.unit and not whole and name[0] == "b":
            whole = [(self.unit, self.axis_of_units)]  # of the unit that the formula is about
        for letter, axis in whole:
            place = self.place(letter, at)
            if place is not None:
                if place >= found.shape[axis]:
                    self.misfit, place = True, 0
                found = np.take(found, [place], axis)
                places.append(axis)
        if name.removeprefix("d")[:1] == "W" and len(whole) == 1 and len(places) == 1 and places[0] == 0:
            found = found.T  # the weights of one unit are a column
        self.met = self.met or (not self.is_parameter(name) and bool(self.summing) and 1 - self.axis_of_units in places)
        if not (self.is_parameter(name) or 1 - self.axis_of_units in places):
            found = self.at_example(found)
        if self.entries and found.size > 1:
            raise NotReadError(f"{shown(node)} without an index")
        return found

    @staticmethod
    def is_parameter(name: str) -> bool:
        return name.removeprefix("d")[:1] in ("W", "b", "w")

    def place(self, letter: str, at: At) -> int | None:
        """Where an index points; None for the example of a whole formula, which may be any."""
        if letter in at:
            return at[letter]
        if letter.isdigit():
            return int(letter) - 1
        if match := re.fullmatch(r"[yY]_\{?\(?(\w)\)?\}?", letter):  # the class of an example
            Y, example = self.environment["Y"], self.index(match[1], at)
            return int(np.argmax(Y[example] if self.frame.convention.rows else Y[:, example]))
        return None

    def index(self, letter: str, at: At) -> int:
        place = self.place(letter, at)
        if place is None:
            raise NotReadError(f"the index {letter}")
        return place

    def at_example(self, array: Any) -> Any:
        """What belongs to the example of a sum, where something stands in one."""
        axis = 1 - self.axis_of_units
        if self.example is None or array.ndim < 2 or array.shape[axis] != int(self.environment["m"]):
            return array
        self.met = True
        return np.take(array, [self.example], axis)

    def loss(self, function: Symbol) -> Any:
        """The cost."""
        raise NotImplementedError

    def truths(self, target: Node, at: At) -> list[Any]:
        """What is claimed, by both referees."""
        inner = target.by if isinstance(target, Derivative) else target
        inner = inner.operand if isinstance(inner, Transposed) else inner
        found = [referee[self.target] for referee in self.probe.truths]
        plain = isinstance(inner, Symbol) and inner.base not in COSTS and self.target in self.frame.shapes
        return [self.entry(self.target, inner, at, array=each) if plain and isinstance(inner, Symbol) else each
                for each in found]  # fmt: skip
