"""A note's own forward pass: what its equations define, under whatever letters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from parity_tests.derivations.latex.claims import Claim
from parity_tests.derivations.latex.cursor import GENERIC, split
from parity_tests.derivations.latex.own_examples import vectors_in
from parity_tests.derivations.latex.parser import parsed
from parity_tests.derivations.latex.repairs import Known, quantities_in, scalars_in
from parity_tests.derivations.latex.symbols import COSTS, UNITS
from parity_tests.derivations.latex.tokens import tokens_of
from parity_tests.derivations.latex.tree import (
    SHIFTED,
    Call,
    Derivative,
    Negative,
    Node,
    NotReadError,
    Number,
    Operation,
    Power,
    Sum,
    Symbol,
    mapped,
    symbols_of,
    walk,
)

INDICES = frozenset("ijklmnpqrsuv")
COUNTED = frozenset(["m", "n", "N", "M", "T", "d"])
"""Letters that are numbers where nothing is said of them."""

SCALARS = frozenset(
    ("\\alpha", "\\beta", "\\gamma", "\\epsilon", "\\eta", "\\lambda", "\\mu", "\\rho", "\\sigma", "\\zeta")
)
_STEP = re.compile(r"t([-+]\d)?")


MOST_NAMES = 50_000
"""How many symbols are remembered."""

HIDDEN = "before "
"""The letter of what stands in an activation and has none, with that of the activation."""


class Key(NamedTuple):
    """A quantity: its letter with all marks but indices and the step of time."""

    base: str
    marks: tuple[str, ...] = ()
    accents: frozenset[str] = frozenset()


class Name(NamedTuple):
    """A quantity as it stands in a formula; ``step`` is how far from t it is, None where it has no time."""

    key: Key
    indices: tuple[str, ...]
    step: int | None
    power: str


class Definition(NamedTuple):
    """That a quantity is computed by a formula; ``letters`` are the indices in it."""

    name: Name
    right: Node
    letters: frozenset[str]
    place: int
    section: int
    symbol: Symbol


def with_labels(node: Node) -> Node:
    """A copy in which W^Q is one letter, not a power, costs have their arguments, and sums one index each."""

    def changed(each: Node) -> Node:
        if isinstance(each, Power) and isinstance(each.base, Symbol) and isinstance(each.exponent, Symbol):
            label = each.exponent
            if re.fullmatch("[A-SU-Z]", label.base) and not label.subscripts and each.base.base != "e":
                return replace(each.base, bare=label.base)
        if isinstance(each, Sum) and re.fullmatch("[a-z](,[a-z])+", each.index):
            first, _, others = each.index.partition(",")
            return replace(each, index=first, body=changed(replace(each, index=others)))
        if isinstance(each, Call) and each.function.base == "log" and (found := _at_label(each)) is not None:
            return found
        if isinstance(each, Symbol) and each.written == "\\ell":
            return replace(each, base="l", written="")
        if isinstance(each, Call) and is_cost(each) and each.keywords.get("of"):
            with suppress(NotReadError):  # what a cost depends on
                return replace(
                    each, arguments=tuple(map(parsed, split(tokens_of(each.keywords["of"]), (",", ";", "|"))))
                )
        return each

    return mapped(node, changed)


def _at_label(node: Node) -> Node | None:
    """A logarithm at the label of an example, as log P_{i, y_i}, as a sum over all labels; None for another one."""
    letters = {part for each in symbols_of(node) for part in each.subscripts}
    labels = {match[1]: part for part in letters if (match := re.fullmatch(r"[yY]_\{?\(?([a-z])\)?\}?", part))}
    if len(labels) != 1:
        return None
    (example, label), letter = next(iter(labels.items())), next(each for each in "kqrs" if each not in letters)

    def changed(each: Node) -> Node:
        if not isinstance(each, Symbol):
            return each
        return replace(each, subscripts=tuple(letter if part == label else part for part in each.subscripts))

    return Sum(letter, "", "", Operation("", Symbol("Y", subscripts=(example, letter)), mapped(node, changed)))


def with_differentials(node: Node, quantities: Set[str]) -> Node:
    """A copy in which a d before one of some letters is that of its derivative."""

    def changed(each: Node) -> Node:
        of = each.right if isinstance(each, Operation) and not each.sign else None
        if isinstance(each, Operation) and isinstance(of, Symbol) and len(of.base) == 1 and of.base in quantities:
            made = replace(of, base=f"d{of.base}")
            if each.left == Symbol("d"):
                return made
            if isinstance(each.left, Operation) and not each.left.sign and each.left.right == Symbol("d"):
                return replace(each.left, right=made)
        return each

    return mapped(node, changed)


def letters_of(target: Node | None, right: Node, steps: Iterable[str] = ()) -> frozenset[str]:
    """The letters that are indices in an equation: those of its sums, and those on both of its sides."""
    bound = {letter for each in walk((target, right)) if isinstance(each, Sum)
             for letter in re.findall("[a-z]", each.index.partition("\\ne")[0])}  # fmt: skip
    sides = [{letter for each in symbols_of(side) for part in each.subscripts for letter in _letters(part)}
             for side in (target, right)]  # fmt: skip
    wide = {part for each in symbols_of((target, right)) if len(each.subscripts) > 2 for part in each.subscripts}
    return frozenset((bound | (sides[0] & sides[1])) & (INDICES | wide) - set(steps))


def _letters(part: str) -> list[str]:
    """The letters of an index: one, or two of which it is the sum or the difference."""
    return [match[1], match[3]] if (match := SHIFTED.fullmatch(part)) else [part]


def name_of(symbol: Symbol, letters: frozenset[str], raised: frozenset[tuple[str, ...]] = frozenset()) -> Name:
    """The quantity that a symbol is; NotReadError for a layer or an example that is a letter."""
    marks, indices, step = list[str](), list[str](), None
    for part in symbol.subscripts:
        if match := _STEP.fullmatch(part):
            step = int(match[1] or 0)
        elif letters.issuperset(_letters(part)):
            indices.append(part)
        else:
            marks.append(part)
    power = ""
    for bracket, mark in (("[", symbol.layer), ("(", symbol.round), ("^", symbol.bare)):
        if match := _STEP.fullmatch(mark):
            step = int(match[1] or 0)
        elif re.fullmatch(r"[a-z]([-+]\d)?|L([-+]\d)?", mark):
            raise NotReadError("a layer or an example that is a letter")
        elif bracket == "^" and mark.isdigit() and (symbol.base, *marks) not in raised:
            power = mark
        elif mark:
            marks.append(bracket + mark)
    if step is not None:
        marks.append("t")  # L is another quantity than L_t
    return Name(Key(symbol.base, tuple(marks), symbol.accents), tuple(indices), step, power)


def is_cost(node: Node | None) -> bool:
    """Whether what is differentiated is a cost by its letter."""
    symbol = node.function if isinstance(node, Call) else node
    return isinstance(symbol, Symbol) and symbol.base in COSTS and not symbol.primes


def is_hidden(symbol: Symbol) -> bool:
    """Whether a quantity has no letter in the note."""
    return symbol.base.startswith(HIDDEN)


def differential(symbol: Symbol) -> Symbol | None:
    """The quantity of which dW is the derivative; None for a letter that is no differential."""
    return replace(symbol, base=symbol.base[1:]) if re.fullmatch(r"d[A-Za-z]", symbol.base) else None


def is_function(claim: Claim) -> str:
    """The letter of a function whose formula a claim is, as g(z) = ..., "" for another claim."""
    target = claim.target
    if not (isinstance(target, Call) and len(target.arguments) == 1) or target.function.primes:
        return ""
    by = target.arguments[0]
    called = {id(each.function) for each in walk(claim.right) if isinstance(each, Call)}
    used = {each.base for each in symbols_of(claim.right) if id(each) not in called} - {"e"}
    plain = isinstance(by, Symbol) and not by.subscripts and target.function.base not in (*COSTS, *UNITS)
    return target.function.base if plain and used == {by.base} else ""  # type: ignore[union-attr]


class Forward(NamedTuple):
    """The definitions that count at a place of a note."""

    definitions: Mapping[Key, Definition]
    functions: Mapping[str, Claim]
    ranks: Mapping[Key, int]
    raised: frozenset[tuple[str, ...]]
    seen: dict[int, tuple[Definition, tuple[Name, ...]]]
    """The quantities in the formula of each definition, once they were asked for."""
    names: dict[tuple[int, frozenset[str]], tuple[Symbol, Name]]
    """What symbols are, by their identity."""
    vectors: frozenset[str] = frozenset()
    """Letters that are no numbers, whatever they usually are."""
    first: int = 0
    """The number of the first entry, where indices are added."""

    def name(self, symbol: Symbol, letters: frozenset[str]) -> Name:
        key = id(symbol), letters
        if key not in self.names:
            if len(self.names) > MOST_NAMES:
                self.names.clear()
            self.names[key] = symbol, name_of(symbol, letters, self.raised)
        return self.names[key][1]

    @property
    def mending(self) -> Known:
        """What a repair may bring in."""
        kept = list(self.definitions.values())
        calls = [(each.symbol if each.right is node else None, node, slope) for each in kept
                 for node in walk(each.right) if isinstance(node, Call) and (slope := _slope(node))]  # fmt: skip
        slopes = [each for _, call, each in calls if call.function.base not in ("log", "exp", "sqrt")]
        quantities = quantities_in([each.symbol for each in kept], [each.right for each in kept])
        shown = tuple(each for each in quantities if not is_hidden(each))
        return Known(tuple(scalars_in([each.right for each in kept])), tuple(slopes), tuple(calls), shown)

    def names_in(self, node: object, letters: frozenset[str]) -> Iterator[Name]:
        """The quantities in a formula."""
        functions = {id(each.function) for each in walk(node) if isinstance(each, Call)}
        for each in symbols_of(node):
            if id(each) not in functions and not is_kronecker(each, letters):
                yield self.name(each, letters)

    def parts(self, definition: Definition) -> tuple[Name, ...]:
        """The quantities in the formula of a definition."""
        if id(definition) not in self.seen:
            found = tuple(self.names_in(definition.right, definition.letters))
            self.seen[id(definition)] = definition, found
        return self.seen[id(definition)][1]

    def below(self, key: Key) -> set[Key]:
        """All that a quantity is computed from, with itself."""
        found, open_ = set[Key](), [key]
        while open_:
            here = open_.pop()
            if here not in found:
                found.add(here)
                if definition := self.definitions.get(here):
                    open_ += [each.key for each in self.parts(definition)]
        return found

    def known(self) -> set[Key]:
        """Every quantity that is computed or given."""
        return {each for key in self.definitions for each in self.below(key)}

    def ends(self) -> list[Key]:
        """What is computed and used by nothing, unless in the next step of time."""
        kept = [each for each in self.definitions.values() if not is_cost(each.symbol) and each.place >= 0
                and not any(isinstance(part, Derivative) for part in walk(each.right))]  # fmt: skip
        used = {
            name.key
            for each in kept
            for name in self.parts(each)
            if name.key != each.name.key and name.step in (None, 0)
        }
        return [each.name.key for each in kept if each.name.key not in used]


def _slope(call: Call) -> Node | None:
    """The derivative of a function of one number; None for what is none."""
    if call.function.base == "max" and Number("0") in call.arguments:
        return Call(
            Symbol("indicator"), tuple(sorted(call.arguments, key=lambda each: each == Number("0"))), {"sign": ">"}
        )
    single = len(call.arguments) == 1 and call.function.base not in ("sum", "diag", "tr")
    return Call(replace(call.function, primes=1), call.arguments) if single else None


def is_kronecker(symbol: Symbol, letters: frozenset[str]) -> bool:
    """Whether a symbol is 1 where its two indices are equal, else 0."""
    alone = symbol.base in ("\\delta", "I") and not symbol.accents
    return alone and len(symbol.subscripts) == 2 and set(symbol.subscripts) <= letters


@dataclass
class Book:
    """The definitions of a whole note, in their order; claims of one chain have the same number in ``chains``.

    ``every``: what claims about layers say of each of them.
    """

    claims: Sequence[Claim]
    chains: Sequence[int]
    every: Mapping[int, Sequence[Claim]] = field(default_factory=dict)
    definitions: list[Definition] = field(default_factory=list)
    ranks: dict[int, dict[Key, int]] = field(default_factory=dict)
    """How many indices quantities have, by section."""
    raised: frozenset[tuple[str, ...]] = frozenset()
    seen: dict[int, tuple[Definition, tuple[Name, ...]]] = field(default_factory=dict)
    names: dict[tuple[int, frozenset[str]], tuple[Symbol, Name]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        targets = [each.target for each in self.claims if isinstance(each.target, Symbol)]
        targets += [each.by for claim in self.claims for each in walk(claim.target) if isinstance(each, Derivative)
                    and isinstance(each.by, Symbol)]  # fmt: skip
        self.vectors = vectors_in(self.claims)
        below = [part for each in symbols_of(tuple((claim.target, claim.right) for claim in self.claims))
                 for part in each.subscripts]  # fmt: skip
        self.first = int(
            any((match := SHIFTED.fullmatch(part)) and match[2] + str(match[4]) == "+-1" for part in below)
        )
        self.raised = frozenset((each.base, *each.subscripts) for each in targets if each.bare == "2")
        self.steps = {each.base for each in targets if any(_STEP.fullmatch(part) for part in each.subscripts)}
        for claim in self.claims:
            for each in self.every.get(claim.place, (claim,)):
                with suppress(NotReadError):
                    self.add(each)

    def stack(self, letter: str, rows: Node) -> None:
        """Keep what puts the examples into the rows of a matrix, unless its letter has a formula."""
        key, symbol = Key(letter), Symbol(letter)
        if all(each.name.key != key for each in self.definitions):
            self.definitions.insert(0, Definition(Name(key, (), None, ""), rows, frozenset(), -1, -1, symbol))

    def letters(self, claim: Claim) -> frozenset[str]:
        """The indices in a claim."""
        return letters_of(claim.target, claim.right, self.steps)

    def add(self, claim: Claim) -> None:
        """Keep what a claim defines."""
        letters = self.letters(claim)
        functions = {id(each.function) for each in walk((claim.target, claim.right)) if isinstance(each, Call)}
        for each in symbols_of((claim.target, claim.right)):
            if id(each) not in functions and not is_kronecker(each, letters):
                name = name_of(each, letters, self.raised)
                here = self.ranks.setdefault(claim.section, {})
                here[name.key] = max(here.get(name.key, 0), len(name.indices))
        target = claim.target.function if is_cost(claim.target) and isinstance(claim.target, Call) else claim.target
        if not isinstance(target, Symbol) or target.primes or claim.adds or claim.averages:
            return
        symbol, name = target, name_of(target, letters, self.raised)
        if symbol == Symbol(symbol.base) and symbol.base in INDICES and isinstance(claim.right, Symbol | Number):
            return  # i = j, l = 1
        again = any(
            each.key == name.key and (each.step is None or each.step >= 0)
            for symbol in symbols_of(claim.right) if symbol.base == target.base
            for each in [name_of(symbol, letters, self.raised)]
        )  # fmt: skip
        given = isinstance(claim.right, Derivative)
        if again or name.step not in (0, None) or ((target.base == "\\delta" or differential(target)) and not given):
            return
        old = next((each for each in self.definitions[::-1] if each.name.key == name.key), None)
        if old is not None and isinstance(old.right, Derivative) and not given:
            return  # a formula for what was said to be a derivative
        if old is None or old.section != claim.section or self.claims[old.place].right != claim.right:
            if old is not None and self.chains[old.place] == self.chains[claim.place]:  # further on in a chain
                middle = old.right
                if (parts := _named(middle, claim.right)) is not None:
                    self.definitions.remove(old)
                    self.add_named(*parts, claim, letters)
                elif not isinstance(middle, Symbol):
                    return
                else:
                    symbol, name = middle, name_of(middle, letters, self.raised)
                if any(each.name.key == name.key for each in self.definitions):
                    return
            self.definitions += _with_hidden(Definition(name, claim.right, letters, claim.place, claim.section, symbol))

    def add_named(self, term: Symbol | None, formula: Node, claim: Claim, letters: frozenset[str]) -> None:
        """Keep what a chain says of the terms of a sum, as of the L_t of sum L_t."""
        if term is not None:
            name = name_of(term, letters, self.raised)
            self.definitions.append(Definition(name, formula, letters, claim.place, claim.section, term))

    @cached_property
    def told(self) -> dict[Key, Definition]:
        """What was said to be a derivative in a letter with the same indices."""
        return {
            each.name.key: each for each in self.definitions
            if isinstance(each.right, Derivative)
            and getattr(each.right.by, "subscripts", None) == each.symbol.subscripts
        }  # fmt: skip

    @property
    def derivatives(self) -> set[str]:
        """The names that were said to stand for derivatives."""
        return {repr(each.symbol) for each in self.definitions if isinstance(each.right, Derivative)}

    def ranks_at(self, section: int) -> dict[Key, int]:
        """How many indices quantities have in a section, or else where they have most."""
        found: dict[Key, int] = {}
        for ranks in self.ranks.values():
            found |= {key: max(rank, found.get(key, 0)) for key, rank in ranks.items()}
        return found | self.ranks.get(section, {})

    def at(self, place: int, section: int) -> Forward:
        """The definitions that count at a place: the last ones before it, in its section or else anywhere."""
        found: dict[Key, Definition] = {}
        for each in sorted(
            self.definitions, key=lambda each: (each.place <= place, each.section == section, each.place)
        ):
            if each.place <= place or (each.section == section and each.name.key not in found):
                found[each.name.key] = each
        functions = {letter: each for each in self.claims if (letter := is_function(each))}
        return Forward(
            found, functions, self.ranks_at(section), self.raised, self.seen, self.names, self.vectors, self.first
        )


def _named(middle: Node, right: Node) -> tuple[Symbol | None, Node] | None:
    """Whether a formula in a chain only names what the next one computes, as a probability or a sum of losses.

    With the term of a sum and its formula, where both are sums over the same index.
    """
    calls = [each for each in walk(middle) if isinstance(each, Call)]
    losses = isinstance(middle, Sum) and isinstance(middle.body, Symbol) and is_cost(middle.body)
    if not losses and not any(each.function.base == "probability" or is_cost(each) for each in calls):
        return None
    sums = [each.operand if isinstance(each, Negative) else each for each in (middle, right)]
    if all(isinstance(each, Sum) for each in sums) and sums[0].index == sums[1].index:  # type: ignore[union-attr]
        term, body = sums[0].body, sums[1].body  # type: ignore[union-attr]
        if isinstance(term, Symbol) and isinstance(middle, Sum):
            return term, Negative(body) if isinstance(right, Negative) else body
    return None, right


def _with_hidden(each: Definition) -> list[Definition]:
    """A definition; of h = f(W x + b) also one of what stands in f, which has no letter."""
    right = each.right
    if not (isinstance(right, Call) and len(right.arguments) == 1 and right.function.base in (*GENERIC, *UNITS)):
        return [each]
    if isinstance(right.arguments[0], Symbol | Call) or right.function.primes:
        return [each]
    inner = replace(each.symbol, base=f"{HIDDEN}{each.symbol.base}", accents=frozenset())
    hidden = each._replace(name=name_of(inner, each.letters), right=right.arguments[0], symbol=inner)
    return [hidden, each._replace(right=replace(right, arguments=(inner,)))]
