"""The numbers of a reference text and what follows from them: the engine runs the text's forward pass.

Derivatives are autograd's, from one run on torch's tape, and are confirmed by the complex step when they are used:
along a random direction, and entry by entry where the two differ.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from manual.notation import Array
from parity_tests.derivations.engine import words
from parity_tests.derivations.engine.events import ENTRY, GIVEN, NAMED
from parity_tests.derivations.engine.probes import Probe
from parity_tests.derivations.engine.program import TextProgram, evaluate
from parity_tests.derivations.engine.truths import Cost, Truth
from parity_tests.derivations.engine.truths import Truths as EngineTruths
from parity_tests.derivations.language import nodes
from parity_tests.derivations.language.evaluate import run
from parity_tests.derivations.language.front import read
from parity_tests.derivations.language.syntax import parse
from parity_tests.derivations.settings.setting import COMMON_FUNCTIONS, STATE, UNITS, Truths, Values, generator
from parity_tests.derivations.settings.statements import Reference
from parity_tests.derivations.settings.volumes import VOLUME_FUNCTIONS

FAR_FROM_KINK = 0.01
"""The smallest |z| that a ReLU sees."""

MOST_DRAWS = 1000
"""How often numbers are drawn for a probe."""

FAR_FROM_ZERO = 0.005
"""What a gradient, and a parameter after its step, is not smaller than."""


def _softmax(Z: Any) -> Any:
    """Columns that add up to 1."""
    e = np.exp(Z - np.max(Z, axis=0, keepdims=True))
    return e / np.sum(e, axis=0, keepdims=True)


FUNCTIONS: dict[str, Callable[..., Any]] = {**words.FUNCTIONS, "softmax": _softmax, **VOLUME_FUNCTIONS}
"""What a text may call, on any kind of numbers."""


def _alternating(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Values on both sides of zero and not near it."""
    sizes = 0.1 + np.abs(rng.standard_normal(shape))
    signs = np.broadcast_to(1.0 - 2.0 * (np.arange(shape[1]) % 2), shape)
    values: Array = sizes * rng.permuted(signs, axis=1)
    return values


def _binary(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """0 or 1, with both in every row."""
    n, m = shape
    return np.stack([rng.permutation(np.arange(m) % 2) for _ in range(n)]).astype(np.float64)


def _one_hot(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """One-hot columns with every class."""
    n, m = shape
    return np.eye(n)[:, rng.permutation(np.arange(m) % n)]


def _between(low: float, high: float) -> Callable[[np.random.Generator, tuple[int, ...]], float]:
    return lambda rng, shape: float(rng.uniform(low, high))


DRAWS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], Any]] = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "squares": lambda rng, shape: rng.standard_normal(shape) ** 2,
    "alternating": _alternating,
    "binary": _binary,
    "one_hot": _one_hot,
    "binary_rows": lambda rng, shape: _binary(rng, shape[::-1]).T,
    "one_hot_rows": lambda rng, shape: _one_hot(rng, shape[::-1]).T,
    "ones_first": lambda rng, shape: np.column_stack([np.ones(shape[0]), rng.standard_normal(shape)[:, 1:]]),
    "shares": lambda rng, shape: rng.permuted(np.linspace(0.02, 0.98, int(np.prod(shape)))).reshape(shape),
    "penalty": _between(0.63, 0.79),
    "rate": _between(0.27, 0.36),
    "keep": _between(0.55, 0.75),
}
"""How symbols are drawn: a penalty is no multiple of 1/m, some of shares are kept by a mask and some are not."""


def drawn(text: Reference, sizes: Sequence[int], seed: int, stream: str) -> TextProblem:
    """Numbers for a text: the first of its stream on which no ReLU is near its kink and no gradient vanishes."""
    rng = generator(stream, seed)
    for _ in range(MOST_DRAWS):
        values: Values = dict(zip(text.names, sizes, strict=True))
        for each in sorted(text.given, key=lambda given: given.draw in ("penalty", "rate")):
            if each.draw:
                values[each.name] = _draw(each.draw, rng, _shape(each.shape or "()", values), values)
            elif each.formula:
                values[each.name] = _formula(each.formula, {**values, "seed": seed})
        problem = TextProblem(text, values)
        if problem.is_generic:
            return problem
    raise RuntimeError(f"{text.name} has no generic numbers in {MOST_DRAWS} draws")


def _draw(how: str, rng: np.random.Generator, shape: tuple[int, ...], values: Values) -> Any:
    if found := re.fullmatch(r"([\d.]+)\.\.([\d.]+)", how):
        return float(rng.uniform(float(found[1]), float(found[2])))
    if how.startswith("classes of "):
        return rng.permutation(np.arange(shape[0]) % values[how.removeprefix("classes of ")])
    word, _, factor = how.partition(" ")
    value = DRAWS[word](rng, shape)
    value = value * _formula(f"1 {factor}", values) if factor else value
    return value if shape else float(value)


def own(text: Reference, values: Values) -> TextProblem:
    """A person's numbers; sizes are those of the arrays.

    Raises ValueError for a size that is no whole number, and for an array whose shape does not follow from the others.
    """
    found: Values = {}
    for each in text.given:
        if each.name in values and each.shape:
            names = [axis.strip() for axis in each.shape.strip("()").split(",") if axis.strip()]
            found |= dict(zip(names, np.shape(values[each.name]), strict=False))
    found = {name: size for name, size in found.items() if name in text.names}
    found |= {name: _whole(name, value) if name in text.names else value for name, value in values.items()}
    for each in text.given:
        if each.formula and each.name not in found:
            value = _formula(each.formula, found)
            if value is not None:
                found[each.name] = value
    for each in (each for each in text.given if each.name in values and each.shape not in (None, "()")):
        shape, expected = np.shape(values[each.name]), _shape(each.shape or "", found)
        if shape != expected:
            raise ValueError(f"{each.name} has shape {shape}, expected {each.shape}, here {expected}")
    return TextProblem(text, found)


def _whole(name: str, value: Any) -> int:
    """A size that a person gave."""
    number = float(np.ravel(value)[0])
    least = int(name != "pad")
    if not number.is_integer() or number < least:
        raise ValueError(f"{name} is {number:g}, expected a whole number from {least} on")
    return int(number)


def _shape(shape: str, sizes: Values) -> tuple[int, ...]:
    """A shape in numbers."""
    return tuple(int(_formula(axis.strip(), sizes)) for axis in shape.strip("()").split(",") if axis.strip())


def _formula(text: str, values: Mapping[str, Any]) -> Any:
    return evaluate(_tree(text), values)


@lru_cache(maxsize=1024)
def _tree(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


@lru_cache(maxsize=256)
def _program(text: str) -> TextProgram:
    return TextProgram(read(text))


_parsed = lru_cache(maxsize=1024)(parse)


@dataclass(frozen=True, eq=False)
class TextProblem:
    """Numbers for the given symbols of a text."""

    text: Reference
    values: Values
    factors: Mapping[str, float] = field(default_factory=dict)
    """By which values are multiplied before anyone sees them."""

    def scaled(self, factors: Mapping[str, float]) -> TextProblem:
        """The same numbers in another convention."""
        return replace(
            self, factors={**factors, **{name: by * factors.get(name, 1) for name, by in self.factors.items()}}
        )

    def unbiased(self) -> TextProblem:
        """The same numbers in a model whose biases are 0."""
        zeros = {name: 0 * value for name, value in self.values.items() if re.fullmatch(r"b\d*", name)}
        return replace(self, values={**self.values, **zeros})

    def _seen(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        if not self.factors:
            return values
        return Truths(values, lambda name: values[name] * self.factors.get(name, 1))

    def given(self) -> Values:
        """The symbols that were drawn, and those of the forward pass that no derivation gives."""
        others = [each.name for each in self.text.forward if each.kind == "given"]
        drawn = {name: value for name, value in self.values.items() if not name.startswith("_")}
        return dict(self._seen({**drawn, **{name: self._plain.by_torch[name] for name in others}}))

    def by_torch(self, l2: bool) -> Mapping[str, Any]:
        """The truth of every statement, derivatives by autograd."""
        return self._seen((self._penalised if l2 else self._plain).by_torch)

    def by_numpy(self, l2: bool) -> Mapping[str, Any]:
        """The same, derivatives confirmed by the complex step."""
        return self._seen((self._penalised if l2 else self._plain).by_numpy)

    @cached_property
    def _plain(self) -> _Found:
        return _Found(self.text, self.values, l2=False)

    @cached_property
    def _penalised(self) -> _Found:
        return _Found(self.text, self.values, l2=True)

    def rounded(self, l2: bool, dtype: Any, rng: np.random.Generator) -> Values:
        """What the text's own formulas make of the numbers where every value is rounded to a format, a unit off.

        A slope is off by a unit of 1, as 1 - a^2 is. What takes loops is that of autograd.
        """
        found, unit, tiny = {**self.values}, float(np.finfo(dtype).eps) / 2, float(np.finfo(dtype).tiny)

        def off(value: Any, share: float = 0.0) -> Any:
            size = (np.abs(value) + share) * unit + tiny
            return np.asarray(value + size * rng.uniform(-1, 1, np.shape(value)), dtype).astype(np.float64)

        def slope(g_prime: Callable[..., Any]) -> Callable[..., Any]:
            return lambda Z: off(g_prime(Z), 1.0)

        functions = {**COMMON_FUNCTIONS, **VOLUME_FUNCTIONS}
        for name, each in self.text.units.items():
            functions |= {name: UNITS[each].g, f"{name}_prime": slope(UNITS[each].g_prime)}
        with np.errstate(all="ignore"):
            for statement in (*self.text.forward, *self.text.backward):
                name = statement.name
                if statement.kind == "update":
                    continue
                if "for " in statement.text(l2):
                    found[name] = self.by_torch(l2)[name]
                else:
                    found[name] = off(run(parse(statement.text(l2)), {**functions, **found})[name])
        return found

    @property
    def is_generic(self) -> bool:
        """Whether no ReLU is near its kink or always on or off, and no gradient vanishes, with L2 or without."""
        for each in self.text.forward:
            name, _, inner = each.right.rstrip(")").partition("(")
            if self.text.units.get(name) in ("relu", "leaky_relu"):
                Z = self.by_torch(l2=False)[inner]
                on, axis = Z > 0, 1 if min(np.shape(Z)) > 1 else None
                if np.min(np.abs(Z)) < FAR_FROM_KINK or on.all(axis=axis).any() or not on.any(axis=axis).all():
                    return False
        changed = [each.name for each in self.text.backward if each.kind in ("gradient", "update")]
        both = {False, any(each.right != each.right_l2 for each in (*self.text.forward, *self.text.backward))}
        sizes = (np.max(np.abs(self.by_torch(l2)[name])) for l2 in sorted(both) for name in changed)
        return all(size > FAR_FROM_ZERO for size in sizes)


class _Found:
    """What follows from given values: one run of the forward pass on plain numbers, and one on torch's tape."""

    def __init__(self, text: Reference, values: Values, *, l2: bool) -> None:
        self.text, self.values, self.l2 = text, values, l2
        self.functions = {name: FUNCTIONS[unit] for name, unit in text.units.items()}
        program = _program("\n".join(each.computed(l2) for each in text.forward))
        single = {each.name for each in text.given if each.shape == "()"}
        inputs = {name: np.array(value, np.float64) if name in single else value for name, value in values.items()}
        given = {**inputs, **FUNCTIONS, **self.functions}
        done = program.run(given)
        for _, problem in done.problems:
            raise ValueError(f"{problem} (setting {text.name})")
        self.events = {event.name: event for event in done.events if event.role in (GIVEN, NAMED, ENTRY)}
        self.done = program, given, done
        self.statements = {each.name: each for each in (*text.forward, *text.backward) if each.name != "cost"}
        self.known = {**COMMON_FUNCTIONS, **{name: UNITS[unit].g for name, unit in text.units.items()}, **values}
        self.by_torch = Truths(self.statements, self._by_torch)
        self.by_numpy = Truths(self.statements, self._by_numpy)

    @cached_property
    def truths(self) -> EngineTruths:
        """dJ in every value of the run."""
        program, given, done = self.done
        cost = self.events[self.text.forward[-1].name]
        return EngineTruths(program, Probe(given, {}, None), done, Cost(cost.key, cost.name, cost.line))

    @cached_property
    def _stepped(self) -> Mapping[str, Any]:
        """What torch's own function makes of the numbers, where there is no J."""
        from parity_tests.derivations.settings import by_torch

        rule, _, names = self.text.torch.partition(" ")
        own = dict(re.findall(r"(\w+) = (\w+)", names))
        values = {**self.values, **{theirs: self.values[ours] for theirs, ours in own.items() if ours in self.values}}
        found = by_torch.step(rule, values)
        return {own.get(name, name): value for name, value in found.items()}

    def _by_torch(self, name: str) -> Any:
        if self.text.torch:
            return self._stepped[name]
        return self._truth(name, self._autograd, self.by_torch)

    def _by_numpy(self, name: str) -> Any:
        return self._truth(name, self._complex_step, self.by_numpy)

    def _truth(self, name: str, gradient: Callable[[str], Any], others: Mapping[str, Any]) -> Any:
        """The value of a statement of the forward pass; a derivative; or what a formula makes of these."""
        statement = self.statements[name]
        if statement in self.text.forward:
            return self.events[name].value
        base = name.removeprefix("d")
        if not statement.truth and base != name and base in self.events:
            scale = self.values[self.text.batch] if self.text.batch and statement.kind == "derivative" else 1
            return gradient(base) * scale
        program = _parsed(f"{name} = {statement.truth}" if statement.truth else statement.text(self.l2))
        read_here = nodes.names(program)
        before = list(self.statements)[: list(self.statements).index(name)]
        new = {each for each in before if self.statements[each].kind == STATE}  # of all else the old value counts
        old = self.values.keys() - new
        known = {**self.known, **{each: others[each] for each in read_here & self.statements.keys() - old - {name}}}
        known |= {each: gradient(each[1:]) for each in read_here if each.startswith("d_")}
        known |= {each: self.values[each] for each in read_here & old}
        return run(program, known)[name]

    def _autograd(self, base: str) -> Any:
        """dJ in a value, 0 where J does not depend on it; not a number where nothing can be said."""
        if self.truths.differs:
            return np.full(np.shape(self.events[base].value), np.nan)
        truth = self._gradient(base)
        return np.zeros(np.shape(self.events[base].value)) if truth is None else truth.gradient

    def _complex_step(self, base: str) -> Any:
        """The same where the complex step confirms it, else its own."""
        truth = self._gradient(base)
        if truth is None or self.truths.confirmed(truth):
            return self._autograd(base)
        found = np.zeros(np.shape(truth.gradient))
        for place in np.ndindex(found.shape):
            direction = np.zeros(found.shape)
            direction[place] = 1.0
            found[place] = self.truths.slope(truth.event.key, direction)
        return found

    def _gradient(self, base: str) -> Truth | None:
        key = self.events[base].key
        return self.truths.by_key.get(key) or self.truths.vanishing.get(key)
