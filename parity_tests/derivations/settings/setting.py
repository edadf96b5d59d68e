"""What a setting is: what J is, which symbols exist, which of them have a formula, and their true values."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

import numpy as np

from manual import activations
from manual.notation import Array
from parity_tests.derivations.agreement import agrees

if TYPE_CHECKING:
    from parity_tests.derivations.settings.problem import TextProblem

Values: TypeAlias = dict[str, Any]
"""Arrays and numbers by name."""

Kind: TypeAlias = Literal[
    "forward",
    "cost",
    "derivative",
    "gradient",
    "update",
    "function",
    "scale",
    "state",
    "dropout",
    "pool",
    "count",
    "given",
]

Numbers: TypeAlias = int | Literal["small", "wide"]
"""Which numbers a setting draws: those of a seed; small ones, where a search for a mistake takes long on those; wide
ones, of which no size is 1 where one of those is: a repair is to hold on them, too."""

STATE: Kind = "state"
"""The kind of what an optimiser keeps from step to step."""

STATES: tuple[Kind, ...] = ("update", STATE, "dropout")
"""The kinds whose formula may read the old value under the same name."""

FUNCTION = "function"
"""Stands in the place of a shape where a symbol is a function."""


class Symbol(NamedTuple):
    """A name that exists in a setting; ``shape`` is ``(n_1, m)``, ``()`` for a number, or ``function``."""

    name: str
    shape: str
    meaning: str


class Target(NamedTuple):
    """A symbol that a derivation may give, and a right side that holds for it.

    A right side is a formula, or a whole derivation of several lines that ends with the symbol. ``right_l2`` holds
    where J carries the L2 penalty, and equals ``right`` where the penalty plays no part. ``after`` are states of an
    optimiser that are already new where this symbol is computed.
    """

    formula_ids: tuple[str, ...]
    right: str
    right_l2: str
    kind: Kind
    formula_ids_l2: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    def formula(self, l2: bool) -> str:
        """The right side with or without the penalty."""
        return self.right_l2 if l2 else self.right

    def ids(self, l2: bool) -> tuple[str, ...]:
        """The formulas of the notes that say so."""
        return (self.formula_ids_l2 or self.formula_ids) if l2 else self.formula_ids


def derivation_of(symbol: str, right: str) -> str:
    """The text of a right side as a derivation of ``symbol``."""
    return right if "\n" in right else f"{symbol} = {right}"


class Truths(Mapping[str, Any]):
    """The truths of some symbols, each found when it is first asked for."""

    def __init__(self, names: Iterable[str], find: Callable[[str], Any]) -> None:
        self._names, self._find = tuple(names), cache(find)

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        return self._find(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


@dataclass(frozen=True, eq=False)
class Probe:
    """One set of numbers for a setting: every symbol with its true value, and the truth for every target.

    ``environment`` also holds the functions and the aliases. Where a target is an update, the environment has the
    old value and the truth is the new one. Arrays are float64 and cannot be written to.
    """

    environment: Values
    by_torch: Mapping[str, Any]
    by_numpy: Mapping[str, Any]

    @property
    def truths(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """The truths by torch, and by NumPy and the complex step."""
        return self.by_torch, self.by_numpy


Answers: TypeAlias = Mapping[str, Mapping[str, Any]]
"""By target, where there is more than one answer: the answers by what each does."""


class Tied(NamedTuple):
    """A probe with ties, and what each way of breaking them gives."""

    probe: Probe
    answers: Answers

    def sentence(self, symbol: str, value: Any) -> str:
        """Which of the answers a value is, as a sentence; "" for a target that has but one."""
        answers = self.answers.get(symbol, {})
        if not answers:
            return ""
        here = next(
            (does for does, answer in answers.items() if value is not None and agrees(value, answer)), "neither"
        )
        return f"Ties: {', or '.join(answers)}; both are used (here: {here})."


class Own(NamedTuple):
    """How a setting takes a person's own numbers.

    ``needed`` are the symbols that say what all else must be; ``problem`` makes the setting's problem of them (and of
    ``lambda_`` and ``alpha``); ``judged`` are the targets that follow.
    """

    needed: tuple[str, ...]
    problem: Callable[[Values], TextProblem]
    judged: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Setting:
    """What J is, which symbols exist, and which formulas hold.

    ``layers`` are families of names that people mix up; ``aliases`` are other names for a symbol. ``draw`` makes
    the numbers of a seed, or of one of the ``further`` sizes, ``functions`` are the functions that formulas may call
    beside the language's own, ``own`` the ways to judge a person's numbers, the one that judges most first. ``tied``
    are numbers that have ties, with the answers to them.
    """

    name: str
    summary: str
    cost: str
    symbols: tuple[Symbol, ...]
    targets: Mapping[str, Target]
    layers: Mapping[str, tuple[str, ...]]
    aliases: Mapping[str, str]
    draw: Callable[[Numbers], TextProblem]
    functions: Mapping[str, Callable[..., Any]]
    own: tuple[Own, ...] = ()
    further: frozenset[str] = frozenset()
    tied: Callable[[], tuple[TextProblem, Answers]] | None = None

    def probe(self, numbers: Numbers, l2: bool = False) -> Probe:
        """The numbers of a seed or of other sizes, with the truth for every target; ``l2`` puts the penalty into J.

        Sizes are above 2, distinct, and change with the seed, so that no formula holds by the luck of a size.
        ``lambda_`` is not 0 without the penalty either: a formula that has it where J has none is wrong.
        """
        return self._probe(self.draw(numbers), l2)

    def tied_probe(self) -> Tied | None:
        """Numbers with ties, where there is more than one answer to them."""
        if self.tied is None:
            return None
        problem, answers = self.tied()
        return Tied(self._probe(problem, l2=False), answers)

    def _probe(self, problem: TextProblem, l2: bool) -> Probe:
        by_torch, by_numpy, given = problem.by_torch(l2), problem.by_numpy(l2), problem.given()
        found = {name: _constant(by_torch[name]) for name in by_torch}
        environment = {**self.functions, **found, **{name: _constant(value) for name, value in given.items()}}
        environment |= {alias: environment[name] for alias, name in self.aliases.items() if name in environment}
        found = {name: found[name] for name in self.targets}
        return Probe(environment, found, Truths(self.targets, lambda name: _constant(by_numpy[name])))

    def environment(self, probe: Probe, symbol: str) -> Values:
        """What a formula for ``symbol`` sees: the probe's values, with the new ones of what is updated before it."""
        after = self.targets[symbol].after
        meant = {alias: name for alias, name in self.aliases.items() if name in after}
        new = {name: probe.by_torch[symbol] for name, symbol in {**{each: each for each in after}, **meant}.items()}
        return {**probe.environment, **new}

    @property
    def penalised(self) -> bool:
        """Whether the penalty plays a part."""
        return any(target.right_l2 != target.right for target in self.targets.values())

    def protected(self) -> frozenset[str]:
        """The names that a derivation cannot assign: whatever is not a target."""
        known = {*self.functions, *(symbol.name for symbol in self.symbols)} - set(self.targets)
        return frozenset(known | {alias for alias, name in self.aliases.items() if name not in self.targets})


class Row(NamedTuple):
    """A symbol in the listing of a setting."""

    name: str
    shape: str
    meaning: str
    assignable: bool


def listing(setting: Setting) -> list[Row]:
    """The symbols of a setting, and which of them a derivation may assign."""
    return [Row(*symbol, symbol.name in setting.targets) for symbol in setting.symbols]


@lru_cache(maxsize=512)
def probe_of(setting: Setting, numbers: Numbers, l2: bool) -> Probe:
    """A probe of a setting, made once."""
    return setting.probe(numbers, l2)


@lru_cache(maxsize=64)
def tied_probe_of(setting: Setting) -> Tied | None:
    """The probe with ties, made once."""
    return setting.tied_probe()


def cost_text(setting: Setting, l2: bool) -> str:
    """J of a setting, with the penalty or without it."""
    plain, *penalty = setting.cost.split("; with L2 also ")
    plain = plain.removesuffix("; L2 plays no part")
    return f"{plain}; also {penalty[0]}" if penalty and l2 else plain


def layout_text(setting: Setting, *, named: bool) -> str:
    """What the network is, where the examples are, and how that became known."""
    shapes = [symbol.shape.strip("()").split(",") for symbol in setting.symbols]
    axes = [[axis.strip() for axis in shape] for shape in shapes if len(shape) > 1]
    first, last = (sum(axis[place] in ("m", "chunk_size") for axis in axes) for place in (0, -1))
    where = "" if first == last else "; examples in columns" if last > first else "; examples first"
    how = "as named" if named else "chosen, not named: it knows every name"
    return f"{setting.summary}{where} (setting {setting.name}, {how})"


def generator(name: str, seed: int) -> np.random.Generator:
    """The setting's own stream."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def _constant(value: Any) -> Any:
    """The value in float64, an array that cannot be written to; sizes and Python's numbers stay as they are."""
    if isinstance(value, int | float):
        return value
    array = np.array(value, np.float64)
    array.setflags(write=False)
    return array[()]


def softmax_prime(Z: Array) -> Array:
    """The diagonal of the softmax's Jacobian, a (1 - a): what is left of it where outputs are taken one by one."""
    A = activations.softmax(Z)
    slope: Array = A * (1 - A)
    return slope


UNITS: dict[str, activations.Activation] = {
    **activations.ACTIVATIONS,
    "softmax": activations.Activation(activations.softmax, softmax_prime),
}
"""The activations, and the softmax."""

COMMON_FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: unit.g for name, unit in UNITS.items()},
    **{f"{name}_prime": unit.g_prime for name, unit in UNITS.items()},
    "sigma": activations.sigmoid,
    "sigma_prime": activations.sigmoid_prime,
}
"""Functions that every setting knows by name; a Greek sigma is the sigmoid."""
