"""Reference texts: a setting is its declarations, its forward pass, its cost and one right backward pass.

    linear: a linear layer whose dZ comes from above            the name, and what it is
    cost: dA_prev is the derivative of L(i), ...                J in words
    sizes: n_prev n m = 3 5 7 | 5 3 11                          their values on the probes
    W (n, n_prev) ~ normal / n_prev**0.5   # weights            what is drawn
    z (n) := Z[:, 0]                       # first column       what follows from it
    g function ~ tanh                      # activation: tanh
    Z (n, m) = W @ A_prev + b              # F151; linear part  the forward pass, up to the cost
    cost = np.sum(dZ * Z) / m              # a cost that is no symbol; else J, L or loss
    dW = (1/m) * dZ @ A_prev.T             # F168               the backward pass
        l2: + (lambda_/m) * W              # F202               what the penalty adds

``per example: m`` makes derivatives those of L(i), m times those of J. The truth of ``dW`` is that of J in W; of what
has no such base it is the value of the formula, or of what stands in braces (``# {dw[0, 0]}``). ``[function]`` names
the kind of a symbol. ``own {...}`` is how the same is computed on a person's own numbers, where the formula itself is
not finite. ``NAME:`` begins a right side of several lines. ``torch: adam v = m`` names the
function of torch's whose v the text's m is; ``small: 3 2`` and ``wide: 3 5`` are further sizes, for a quick search and
where no size is 1; ``own: A_prev W b -> Z dW; cost = ...`` says what
a person's own numbers are judged from, ``also: s = stride`` gives other names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast, get_args

from parity_tests.derivations.settings.setting import (
    COMMON_FUNCTIONS,
    FUNCTION,
    UNITS,
    Kind,
    Numbers,
    Own,
    Setting,
    Symbol,
    Target,
    Values,
)
from parity_tests.derivations.settings.statements import Given, Reference, Statement

if TYPE_CHECKING:
    from parity_tests.derivations.settings.problem import TextProblem

_KEY = re.compile(r"(cost|sizes|small|wide|also|own|torch|per example): (.*)")
_SHAPE = r"(?: (\([^)=]*\)|function))?"
_GIVEN = re.compile(rf"(\w+){_SHAPE}(?: ~ (.+?))?(?: := (.+))?")
_STATEMENT = re.compile(rf"(\w+){_SHAPE}(?: = (.+)|:)")
_NOTE = re.compile(
    r"(?P<ids>(?:F\d{3} ?)*)(?:\[(?P<kind>\w+)\] ?)?(?:\{(?P<truth>[^{}]*)\} ?)?(?:own \{(?P<own>[^{}]*)\} ?)?"
    r"(?:after (?P<after>[\w ]+))?(?:; )?(?P<meaning>.*)"
)
_COSTS = ("J", "J_t", "L", "loss")
_NUMBERS = {"lambda_": "strength of the L2 penalty, also written lambda", "alpha": "learning rate"}
_SIZES = {
    r"m": "number of examples",
    r"n_x": "number of features",
    r"n_(\d)": r"number of units of layer \1",
    r"n_C": "number of classes",
    r"n_L": "number of outputs",
    r"n": "number of units",
}
"""What sizes are of which a text says nothing."""
_NO_FAMILY = ("stride", "pad", "t")


def _draw(text: Reference, stream: str, numbers: Numbers) -> TextProblem:
    """The numbers of a seed, or of further sizes."""
    from parity_tests.derivations.settings import problem  # torch and the engine only where they are used

    if isinstance(numbers, str):
        return problem.drawn(text, text.further[numbers], 0, text.name)
    return problem.drawn(text, text.sizes[numbers % len(text.sizes)], numbers, stream or text.name)


def _own(text: Reference, needed: Sequence[str], judged: Sequence[str], cost: str, values: Values) -> TextProblem:
    """A person's numbers in place of drawn ones; what they give is not computed."""
    from parity_tests.derivations.settings import problem

    forward = tuple(each.on_own() for each in text.forward if each.name not in needed)
    if cost:
        forward = (*(each for each in forward if each.kind == "forward"), _penalised(cost, text.forward[-1]))
    backward = tuple(each.on_own() for each in text.backward if not cost or each.name in judged)
    return problem.own(replace(text, forward=forward, backward=backward), values)


def _penalised(cost: str, before: Statement) -> Statement:
    """Another cost, with the penalty of the one before."""
    return Statement("cost", cost, f"{cost} {before.penalty}".rstrip(), "cost")


def reference(text: str, functions: Mapping[str, Callable[..., Any]] | None = None, *, stream: str = "") -> Setting:
    """The setting of a text; ``functions`` are those it may call beside the usual, ``stream`` names its draws."""
    read = _Reader(text)
    text_of = read.reference()
    return Setting(
        read.name,
        read.summary,
        read.keys["cost"],
        tuple(read.symbols.values()),
        read.targets,
        families(read.symbols.values(), read.given),
        read.aliases,
        partial(_draw, text_of, stream),
        {**COMMON_FUNCTIONS, **(functions or {}), **_activations(text_of.units)},
        tuple(read.own(line, text_of) for line in read.owns),
        frozenset(text_of.further),
    )


def _activations(units: Mapping[str, str]) -> dict[str, Callable[..., Any]]:
    """The functions g and g_prime of a text."""
    found = {name: UNITS[unit].g for name, unit in units.items()}
    return {**found, **{f"{name}_prime": UNITS[unit].g_prime for name, unit in units.items()}}


class _Reader:
    """Goes through a text line by line."""

    def __init__(self, text: str) -> None:
        first, *rows = (row for row in text.splitlines() if row.strip())
        self.name, self.summary = first.split(": ", 1)
        self.keys: dict[str, str] = {}
        self.owns: list[str] = []
        self.aliases: dict[str, str] = {}
        self.symbols: dict[str, Symbol] = {}
        self.given: list[Given] = []
        self.units: dict[str, str] = {}
        self.statements: list[Statement] = []
        self.targets: dict[str, Target] = {}
        for row in rows:
            self._row(row)
        used = " ".join(each.right_l2 for each in self.statements)
        for name, draw in (("lambda_", "penalty"), ("alpha", "rate")):
            if name not in self.symbols and re.search(rf"\b{name}\b", used):
                self._declared(name, None, draw, None, "")

    def _row(self, row: str) -> None:
        code, _, note = (part.rstrip() for part in row.partition(" # "))
        code, note = code.rstrip(), note.strip()
        if code.startswith("    "):
            self._continued(code[4:], note)
        elif found := _KEY.fullmatch(code):
            key, value = found.groups()
            if key == "own":
                self.owns.append(value)
            elif key == "also":
                self.aliases |= dict(re.findall(r"(\w+) = (\w+)", value))
            else:
                self.keys[key] = value
            for name in value.partition(" = ")[0].split() if key == "sizes" else ():
                self._declared(name, None, None, None, "")
        elif found := _STATEMENT.fullmatch(code):
            name, shape, right = found.groups()
            self._statement(name, shape, right, note)
        elif found := _GIVEN.fullmatch(code):
            name, shape, draw, formula = found.groups()
            self._declared(name, shape, draw, formula, note)
        else:
            raise ValueError(f"{self.name}: {row!r} is no line of a reference text")

    def _declared(self, name: str, shape: str | None, draw: str | None, formula: str | None, note: str) -> None:
        if shape == FUNCTION:
            self.symbols[name] = Symbol(name, FUNCTION, note)
            if draw:
                self.units[name] = draw
                slope = "the diagonal of its Jacobian, a (1 - a)" if draw == "softmax" else "its derivative"
                self.symbols[f"{name}_prime"] = Symbol(f"{name}_prime", FUNCTION, f"{slope}, also written {name}'")
            return
        if not name.startswith("_"):
            self.symbols[name] = Symbol(name, shape or "()", note or _NUMBERS.get(name, "") or _meaning(name))
        if draw or formula or name not in [each.name for each in self.given]:
            self.given.append(Given(name, shape, draw or "", formula or ""))

    def _statement(self, name: str, shape: str | None, right: str | None, note: str) -> None:
        found = _NOTE.fullmatch(note)
        assert found is not None
        kind = cast(Kind, found["kind"] or self._kind(name))
        assert kind in get_args(Kind), kind
        self.statements.append(
            Statement(name, right or "", right or "", kind, found["truth"] or "", found["own"] or "")
        )
        if kind == "given":
            self.symbols[name] = Symbol(name, shape or "()", found["meaning"])
        if name == "cost" or kind == "given":
            return
        ids = tuple(found["ids"].split())
        after = tuple((found["after"] or "").split())
        self.targets[name] = Target(ids, right or "", right or "", kind, (), after)
        base = self.symbols.get(_base(name, self.symbols))
        meaning = found["meaning"]
        if not meaning and base is not None:
            cost = next(each.name for each in self.statements if each.kind == "cost").replace("cost", "J")
            batch = self.keys.get("per example", "m")
            per_example = f"derivative of L(i) in {base.name}, no 1/{batch}"
            meaning = per_example if kind == "derivative" else f"derivative of {cost} in {base.name}"
        if name not in self.symbols:
            self.symbols[name] = Symbol(name, shape or (base.shape if base and name != "J" else "()"), meaning)

    def _continued(self, code: str, note: str) -> None:
        """A line of the right side above, or what the penalty adds to it."""
        last = self.statements[-1]
        target = self.targets.get(last.name)
        ids = target.formula_ids_l2 if target else ()
        if code.startswith("l2: "):
            added = code.removeprefix("l2: ")
            last = last._replace(right_l2=f"{last.right}\n{added}" if "\n" in last.right else f"{last.right} {added}")
            ids = tuple(note.split())
        else:
            right = f"{last.right}\n{code}".lstrip("\n")
            last = last._replace(right=right, right_l2=right)
        self.statements[-1] = last
        if target:
            self.targets[last.name] = target._replace(right=last.right, right_l2=last.right_l2, formula_ids_l2=ids)

    def _kind(self, name: str) -> Kind:
        if name in _COSTS or name == "cost":
            return "cost"
        if not any(each.kind == "cost" for each in self.statements):
            return "forward"
        if name in self.symbols:
            return "update"
        return "derivative" if re.match(r"d[AZXaz]", name) else "gradient"

    def reference(self) -> Reference:
        """What is needed to draw and compute."""
        names, _, choices = self.keys.get("sizes", "").partition(" = ")
        sizes = tuple(tuple(map(int, each.split())) for each in choices.split("|"))
        costs = [place for place, each in enumerate(self.statements) if each.kind == "cost"]
        split = costs[0] + 1 if costs else 0
        return Reference(
            self.name, tuple(names.split()), sizes, tuple(self.given), tuple(self.statements[:split]),
            tuple(self.statements[split:]), self.units, self.keys.get("per example", ""), self.keys.get("torch", ""),
            {key: tuple(map(int, self.keys[key].split())) for key in ("small", "wide") if key in self.keys},
        )  # fmt: skip

    def own(self, line: str, text: Reference) -> Own:
        """A way to judge a person's numbers."""
        way, _, cost = line.partition("; cost = ")
        needed, _, judged = (part.split() for part in way.partition(" -> "))
        left = ("update", "function", "dropout")
        others = [name for name, each in self.targets.items() if each.kind not in left and name not in needed]
        return Own(tuple(needed), partial(_own, text, needed, judged, cost), tuple(judged or others))


def _meaning(size: str) -> str:
    """What a size is, by its name."""
    return next((found.expand(words) for each, words in _SIZES.items() if (found := re.fullmatch(each, size))), "")


def _base(name: str, symbols: Mapping[str, Symbol]) -> str:
    """What ``dW1`` is the derivative in; "" for what is no derivative."""
    base = name.removeprefix("d")
    return base if base != name and base in symbols else ""


_PLACE = {"_prev": -1.0, "_next": 1.0}


def families(symbols: Iterable[Symbol], given: Iterable[Given]) -> dict[str, tuple[str, ...]]:
    """The names that people mix up: those that differ by the layer alone, from the input on, and sizes."""
    numbers = {each.name for each in given if each.shape is None}
    drawn = {each.name for each in given if each.draw and each.shape is None}
    found: dict[str, list[tuple[float, str]]] = {}
    for symbol in symbols:
        name = symbol.name
        if name in drawn or name in _NO_FAMILY or name in _COSTS:
            continue
        ends = re.search(r"(_prev|_next|_t)?(\d*)(_prime)?$", name)
        assert ends is not None
        stem = {"X": "A", "dX": "dA"}.get(name[: ends.start()], name[: ends.start()]) + (ends[3] or "")
        place = float(ends[2] or 0) + _PLACE.get(ends[1] or "", 0.0)
        found.setdefault("n" if name in numbers else stem, []).append((place if name not in numbers else 0.0, name))
    return {stem: tuple(name for _, name in sorted(each, key=lambda pair: pair[0])) for stem, each in found.items()}
