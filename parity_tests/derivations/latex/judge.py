"""Claims in the settings of the engine: the frames in which one can be read, and whether it holds there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.agreement import agrees
from parity_tests.derivations.latex.claims import Claim
from parity_tests.derivations.latex.frames import default_layer, frames
from parity_tests.derivations.latex.kinds import has_labels
from parity_tests.derivations.latex.references import Convention, scalar_setting
from parity_tests.derivations.latex.style import Style
from parity_tests.derivations.latex.symbols import (
    LOGISTIC,
    NETWORK,
    RATES,
    STEP,
    Frame,
)
from parity_tests.derivations.latex.targets import has_penalty, target_of, with_letters
from parity_tests.derivations.latex.tree import (
    SHIFTED,
    Call,
    Cases,
    Derivative,
    Matrix,
    Node,
    NotReadError,
    Sum,
    Symbol,
    symbols_of,
    walk,
)
from parity_tests.derivations.latex.usual import Usual

FEW = 2
"""Probes on which a claim is tried, and values of an index on its left side."""

SAME = "two names for one thing"
COLUMNS = "its columns"
TWO_RATES = "two letters that may be the rate"
"""Why a claim has no formula: of X = [x^(1) ... x^(m)] too."""


class Meant(NamedTuple):
    """A claim in a frame: the setting's name of what is claimed, "" where both sides are compared entry by entry.

    With ``scalars`` every layer has one unit. ``first``: whether it agrees on the first numbers, once that was tried.
    """

    target: str
    claim: Claim
    frame: Frame
    penalised: bool = False
    scalars: bool = False
    first: bool | None = None

    def but(self, **changes: Any) -> Meant:
        """The same with other parts."""
        return self._replace(first=None, **changes)

    def tried(self) -> Meant:
        """The same, tried on the first numbers; NotReadError where it cannot be read."""
        return self._replace(first=self.agrees(0))

    def numbers(self, seed: int) -> Usual:
        """What computes its formulas."""
        entries = not self.target and not self.scalars
        return Usual(self.frame, seed, self.target, penalised=self.penalised, entries=entries, scalars=self.scalars)

    def agrees(self, seed: int, *, read: bool = False) -> bool:
        """Whether it holds on the numbers of a seed; NotReadError where it cannot be read, unless it was ``read``."""
        compare = agreement if self.target else agreement_of_entries
        numbers = self.numbers(seed)
        numbers.known_to_be_read = read
        return compare(numbers, self.claim)


def agreement(numbers: Usual, claim: Claim) -> bool:
    """Whether the right side of a claim is what its left side is, at a few values of the left side's indices."""
    numbers.measure((claim.target, claim.right))
    inner = claim.target.by if isinstance(claim.target, Derivative) else claim.target
    letters = [] if not isinstance(inner, Symbol) else [
        each for each, _ in _places(numbers, inner) if each in numbers.sizes and each.isalpha()
    ]  # fmt: skip
    equal = True
    numbers.unit = letters[0] if len(letters) == 1 else ""
    for values in product(*(range(min(FEW, numbers.sizes[each])) for each in letters)):
        at = dict(zip(letters, values, strict=True))
        try:
            with np.errstate(all="ignore"):
                found = numbers.value(claim.right, at)
                truths = numbers.truths(claim.target, at)
                equal = equal and not numbers.misfit and all(_agrees(numbers, found, each, bool(at)) for each in truths)
        except NotReadError:
            raise
        except ValueError:  # sizes that do not fit
            equal = False
    return equal


def _places(numbers: Usual, node: Symbol) -> list[tuple[str, int]]:
    units = numbers.units_of(node)
    return [(each, axis) for each, axis in numbers.places(numbers.target, node) if each in units]


def _agrees(numbers: Usual, found: Any, truth: Any, indexed: bool) -> bool:
    """Whether a value is what it should be; biases may stand in a column, and entries of one index lie either way."""
    if numbers.target == "J" and found.size > 1:
        found = found.sum(keepdims=True)
    either = indexed or (numbers.target.startswith("db") and numbers.frame.convention.rows)
    if either and np.shape(found) != np.shape(truth) and np.ndim(truth) == 2:
        found = found.T
    return agrees(found, truth)


def meant(claim: Claim, frame: Frame) -> Meant:
    """A claim in a frame; NotReadError where it cannot be read there."""
    claim = with_letters(claim, frame.style)
    if (
        frame.family != STEP
        and len({each.base for each in symbols_of((claim.target, claim.right)) if each.base in RATES}) > 1
    ):
        raise NotReadError(TWO_RATES)
    frame = frame.with_layer(default_layer(claim, frame))
    target = target_of(claim.target, frame)
    if isinstance(claim.right, Matrix) and _holds_columns(claim, target, frame):
        raise NotReadError(COLUMNS)
    if target not in frame.setting.targets:
        raise NotReadError(f"{target} is given, and has no formula")
    named = claim.target.function if isinstance(claim.target, Call) else claim.target
    penalised = target == "J" and frame.convention.l2 and isinstance(named, Symbol) and bool(named.subscripts)
    found = Meant(target, claim, frame, penalised or (target[0] in "Ww" and has_penalty(claim)))
    if is_the_same(claim.right, found):
        raise NotReadError(SAME)
    return found.tried()


def _holds_columns(claim: Claim, target: str, frame: Frame) -> bool:
    """Whether a matrix has the entries, or the examples, of what stands on the left."""
    numbers = Usual(frame)
    return np.array_equal(numbers.value(claim.right, {}), np.asarray(numbers.environment.get(target)))


def is_the_same(right: Node, meant: Meant) -> bool:
    """Whether a formula is what is claimed by another name."""
    if isinstance(right, Call):
        slope = right.function.primes and meant.target == "g_prime" and len(right.arguments) == 1
        return bool(slope) and isinstance(right.arguments[0], Symbol)
    if not isinstance(right, Symbol | Derivative):
        return False
    with suppress(NotReadError):
        if isinstance(right, Derivative):
            return meant.numbers(0).derivative_name(right) == meant.target
        name, output = meant.frame.name_of(right), f"A{meant.frame.depth}"
        if meant.target == output and isinstance(meant.claim.target, Symbol) and meant.claim.target.accents:
            return name[:1] == "A" and bool(meant.frame.letters)  # what the last layer gives has the name of a label
        return name in (meant.target, "J") and not right.primes and not meant.penalised
    return False


def in_the_first_layer(claim: Claim, style: Style, convention: Convention, let: Mapping[str, str]) -> Meant | None:
    """A claim about layer l for l = 1, None where it is about none."""
    for frame in frames(claim, style, convention, let):
        if frame.family == NETWORK and frame.letters:
            try:
                return meant(claim, replace(frame, letters=dict.fromkeys(frame.letters, 1)))
            except NotReadError:
                return None
    return None


def holds(each: Meant) -> bool:
    """Whether a claim holds in its frame."""
    try:
        first = each.agrees(0, read=True) if each.first is None else each.first
        return first and all(each.agrees(seed, read=True) for seed in range(1, FEW if each.target else 1))
    except NotReadError:
        return False


def first_meant(claim: Claim, style: Style, convention: Convention, let: Mapping[str, str]) -> list[Meant]:
    """A claim in every frame in which it can be read, where there is none entry by entry.

    Raises NotReadError with the reason of the likeliest frame where it can be read in none.
    """
    found: list[Meant] = []
    reason = ""
    for frame in frames(claim, style, convention, let):
        try:
            found.append(meant(claim, frame))
        except NotReadError as error:
            if str(error) in (SAME, COLUMNS, TWO_RATES):
                raise
            reason = reason or str(error)
        except RecursionError:
            reason = reason or "it is too deep"
    found = found or by_entries(claim, style, convention, let)
    if not found:
        raise NotReadError(reason or "its layers are more than are judged")
    return found


def agreement_of_entries(numbers: Usual, claim: Claim) -> bool:
    """Whether two formulas are equal at every index; NotReadError where one cannot be read."""
    left, right = claim.target, claim.right
    numbers.measure((left, right))
    if 1 in numbers.sizes.values():
        raise NotReadError("an index of one entry")
    bound = {index for each in walk((left, right)) if isinstance(each, Sum) for index in each.index}
    own = {part for each in symbols_of(left)
           for part in (*numbers.units_of(each), numbers.frame.style.example_of(each))}  # fmt: skip
    free = [letter for letter in numbers.sizes if letter not in bound or letter in own]
    equal = True
    most = FEW if not has_labels(claim) else max(numbers.sizes.values(), default=FEW)  # most labels are 0
    for values in product(*(range(min(most, numbers.sizes[letter])) for letter in free)):
        at, numbers.misfit = dict(zip(free, values, strict=True)), False
        try:
            with np.errstate(all="ignore"):
                a, b = numbers.value(left, at), numbers.value(right, at)
        except NotReadError:
            raise
        except ValueError:  # sizes that do not fit
            numbers.misfit = True
        if numbers.misfit:
            equal = False
            continue
        if not a.size == b.size == 1:
            raise NotReadError("entries without an index")
        equal = equal and bool(np.all(abs(a - b) <= 1e-9 * max(1, abs(a), abs(b))))
    return equal


def by_entries(claim: Claim, style: Style, convention: Convention, let: Mapping[str, str]) -> list[Meant]:
    """A claim whose sides are compared entry by entry; where none can be read, with layers of one unit each."""
    claim = with_letters(claim, style)
    found, units = list[Meant](), list[Meant]()
    for frame in _tried(frames(claim, style, convention, let)):
        if frame.family not in (NETWORK, LOGISTIC) or (_is_entrywise(claim) and frame.family == LOGISTIC):
            continue  # of one output
        frame = frame.with_layer(default_layer(claim, frame))
        tried = [(found, Meant("", claim, frame))]
        if frame.family == NETWORK and _in_names(claim, style):
            sums = claim.many >= 9 or any(isinstance(each, Sum) for each in walk((claim.target, claim.right)))
            single = convention._replace(rows=False, turned=False, one=convention.one or not sums)
            lone = replace(frame, setting=scalar_setting(frame.depth, single), convention=single)
            tried.append((units, Meant("", claim, lone, scalars=True)))
        for into, each in tried:
            with suppress(NotReadError):
                into.append(each.tried())
    return found or units


def _in_names(claim: Claim, style: Style) -> bool:
    """Whether derivatives stand in a claim, and no symbol has two indices."""
    parts = (claim.target, claim.right)
    return (
        not _is_entrywise(claim)
        and any(isinstance(each, Derivative) for each in walk(parts))
        and not any(SHIFTED.fullmatch(index) for each in symbols_of(parts) for index in each.subscripts)
        and not any(
            len([index for index in style.indices_of(each) if len(index) == 1]) > 1 for each in symbols_of(parts)
        )
    )


def _is_entrywise(claim: Claim) -> bool:
    """Whether a claim tells entries with equal indices from others."""
    return any(
        isinstance(each, Cases) or (isinstance(each, Symbol) and each.base == "\\delta" and len(each.subscripts) == 2)
        for each in walk((claim.target, claim.right))
    )


def _tried(found: Iterator[Frame]) -> Iterator[Frame]:
    """The frames up to one that does not exist."""
    with suppress(NotReadError):
        yield from found
