"""Claims in the settings of the engine: the frames in which one can be read, and whether it holds there."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from functools import lru_cache, partial
from typing import NamedTuple

from parity_tests.derivations.language.errors import DerivationError
from parity_tests.derivations.latex import values
from parity_tests.derivations.latex.claims import Claim
from parity_tests.derivations.latex.entries import Entries
from parity_tests.derivations.latex.frames import default_layer, frames
from parity_tests.derivations.latex.meaning import Reader
from parity_tests.derivations.latex.references import (
    Convention,
    scalar_setting,
)
from parity_tests.derivations.latex.style import Style
from parity_tests.derivations.latex.symbols import (
    ACTIVATION,
    COSTS,
    LOGISTIC,
    MEANINGS,
    NETWORK,
    RATES,
    SIZE,
    STEP,
    Frame,
)
from parity_tests.derivations.latex.tree import (
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
from parity_tests.derivations.settings import Setting
from parity_tests.derivations.text_lines import lines_in
from parity_tests.derivations.verdicts import HOLDS, NOT_JUDGED, Verdict

FEW = 2
"""Probes on which a convention is tried."""

STEPS = 40_000
"""What the search for one mistake may do: single changes of a formula, and the likeliest pairs."""


class Meant(NamedTuple):
    """A claim as a line of the language in a frame."""

    target: str
    text: str
    frame: Frame

    @property
    def line(self) -> str:
        """The line."""
        return f"{self.target} = {self.text}"

    @property
    def penalised(self) -> bool:
        """Whether the L2 penalty belongs to J."""
        return self.frame.convention.l2 and self.frame.setting.penalised


def meant(claim: Claim, frame: Frame) -> Meant:
    """A claim in a frame; NotReadError where it cannot be read there."""
    claim = with_letters(claim, frame.style)
    if (
        frame.family != STEP
        and len({each.base for each in symbols_of((claim.target, claim.right)) if each.base in RATES}) > 1
    ):
        raise NotReadError("two letters that may be the rate")
    frame = frame.with_layer(default_layer(claim, frame))
    target, indices = target_of(claim.target, frame)
    if isinstance(claim.right, Matrix) and values.settled(Reader(frame, target).read(claim.right)).text == target:
        raise NotReadError(COLUMNS)
    if target not in frame.setting.targets:
        raise NotReadError(f"{target} is given, and has no formula")
    named = claim.target.function if isinstance(claim.target, Call) else claim.target
    penalised = target == "J" and frame.convention.l2 and isinstance(named, Symbol) and bool(named.subscripts)
    penalised = penalised or (target[0] in "Ww" and has_penalty(claim))
    reader = Reader(frame, target, penalised=penalised)
    if indices:  # the indices of the left side say how far they run
        reader.entry(target, indices)
    found = values.settled(reader.read(claim.right))
    axes = frame.shapes.get(target, ())
    if indices:
        wanted = reader.entry(target, indices).axes
        if found.axes == wanted[::-1] != wanted:
            found = values.transposed(found)
    if target.startswith("db") and frame.convention.rows and found.axes == axes[::-1]:
        found = values.transposed(found)  # biases as a column
    if target == "J" and not isinstance(claim.right, Symbol):
        if (any(axis != values.ONE for axis in found.axes) and frame.convention.one) or found.axes:
            found = values.Value(values.called("np.sum", found.tree))
    elif target == "db" and frame.family == LOGISTIC and found.axes and all(a == values.ONE for a in found.axes):
        found = values.Value(values.called("np.sum", found.tree))
    text = ast.unparse(ast.fix_missing_locations(found.tree))
    if text == target or text in ("J",):
        raise NotReadError(SAME)
    return Meant(target, text, frame)


def has_penalty(claim: Claim) -> bool:
    """Whether the factor of a penalty stands in a claim."""
    return any(each.base == "\\lambda" for each in symbols_of((claim.target, claim.right)))


def with_letters(claim: Claim, style: Style) -> Claim:
    """z_1 = ... of the first unit as what it says of every unit: numbers of units become letters, and a_in and
    delta_out are entries.
    """
    inner = claim.target.by if isinstance(claim.target, Derivative) else claim.target
    if not isinstance(inner, Symbol):
        return claim
    found = symbols_of((claim.target, claim.right))
    if any({"in", "out"} & set(each.subscripts) for each in found):
        claim = claim._replace(target=deepcopy(claim.target), right=deepcopy(claim.right))
        for each in symbols_of((claim.target, claim.right)):
            if MEANINGS.get(each.base) in ("W", "dW") and not each.subscripts:
                each.subscripts = ("j", "k")
            elif each.subscripts in (("in",), ("out",)):
                each.subscripts += ("k",) if each.subscripts == ("in",) else ("j",)
        return claim
    numbers = [each for each in style.indices_of(inner) if each.isdigit()]
    if not numbers or not style.layer_of(inner):
        return claim
    letters = dict(zip(numbers, "pqrs", strict=False))
    claim = claim._replace(target=deepcopy(claim.target), right=deepcopy(claim.right))
    for each in symbols_of((claim.target, claim.right)):
        below = style.indices_of(each)
        kept = each.subscripts[: len(each.subscripts) - len(below)]
        each.subscripts = (*kept, *(letters.get(index, index) for index in below))
    return claim


SAME = "two names for one thing"
COLUMNS = "its columns"
"""Why a claim has no formula: of X = [x^(1) ... x^(m)] too."""


def target_of(node: Node, frame: Frame) -> tuple[str, tuple[str, ...]]:
    """The setting's name of what is claimed, with its indices."""
    reader = Reader(frame)
    if frame.family == SIZE:
        return "n_H", ()
    if isinstance(node, Symbol):
        name = frame.name_of(node)
        return name, reader.indices_of(node, name)
    if isinstance(node, Derivative):
        name = reader.derivative(node)
        by = node.by
        indices = reader.indices_of(by, name) if isinstance(by, Symbol) and name in frame.shapes else ()
        return name, indices
    if isinstance(node, Call):
        if node.function.base in COSTS and not node.function.primes:
            return "J", ()
        if frame.family in (NETWORK, LOGISTIC) and node.function.base in ("h", "f") and not node.function.primes:
            return reader.read(node).text, ()  # h(x) is the output
        if frame.family == ACTIVATION:
            if reader.read(node.arguments[0]).text != "z":
                raise NotReadError("an activation of something else than z")
            return ("g_prime" if node.function.primes else "a"), ()
    raise NotReadError("the left side is no quantity that is computed")


def in_the_first_layer(claim: Claim, style: Style, convention: Convention, let: Mapping[str, str]) -> Meant | None:
    """A claim about layer l for l = 1, None where it is about none."""
    for frame in frames(claim, style, convention, let):
        if frame.family == NETWORK and frame.letters:
            try:
                return meant(claim, replace(frame, letters=dict.fromkeys(frame.letters, 1)))
            except NotReadError:
                return None
    return None


def stands(each: Meant) -> Verdict | None:
    """The verdict on a claim without a search for its mistake; None where nothing can be said."""
    return _stands(each.frame.setting, each.line, each.penalised)


@lru_cache(maxsize=4096)
def _stands(setting: Setting, line: str, penalised: bool) -> Verdict | None:
    try:
        for most in range(1, FEW + 1):
            rows, _ = lines_in(setting, line, penalised, seed=0, diagnose=False, most=most)
            if not any(each.verdict == HOLDS for each in rows):
                break
    except (DerivationError, RuntimeError):  # no numbers on which no ReLU is near its kink
        return None
    return next((each for each in rows if each.verdict != NOT_JUDGED), None)


@lru_cache(maxsize=1024)
def _diagnosed(setting: Setting, line: str, penalised: bool) -> Verdict | None:
    try:
        rows, _ = lines_in(setting, line, penalised, seed=0, diagnose=True, steps=STEPS)
    except (DerivationError, RuntimeError):
        return None
    return next((each for each in rows if each.verdict != NOT_JUDGED), None)


def diagnosed(each: Meant) -> Verdict | None:
    """The verdict with the mistake, where one is found."""
    return _diagnosed(each.frame.setting, each.line, each.penalised)


def holds(each: Meant) -> bool:
    """Whether a claim holds in its frame."""
    found = stands(each)
    return found is not None and found.verdict == HOLDS


def first_meant(claim: Claim, style: Style, convention: Convention, let: Mapping[str, str]) -> list[Meant]:
    """A claim in every frame in which it can be read.

    Raises NotReadError with the reason of the likeliest frame where it can be read in none.
    """
    found: list[Meant] = []
    reason = ""
    for frame in frames(claim, style, convention, let):
        try:
            found.append(meant(claim, frame))
        except NotReadError as error:
            if str(error) in (SAME, COLUMNS):
                raise
            reason = reason or str(error)
        except RecursionError:
            reason = reason or "it is too deep"
    if not found:
        raise NotReadError(reason or "its layers are more than are judged")
    return found


def by_entries(claim: Claim, style: Style, convention: Convention, let: Mapping[str, str]) -> list[Entries]:
    """Ways to compare the sides of a claim entry by entry; where none can read it, of layers of one unit each."""
    claim = with_letters(claim, style)
    found, units = list[Entries](), list[Entries]()
    entrywise = _is_entrywise(claim)
    for frame in _tried(frames(claim, style, convention, let)):
        if entrywise and frame.family == LOGISTIC:
            continue  # of one output
        frame = frame.with_layer(default_layer(claim, frame))
        makers: list[tuple[list[Entries], Callable[[], Entries]]] = [(found, partial(Entries, frame))]
        if frame.family == NETWORK and _in_names(claim, style):
            sums = claim.many >= 9 or any(isinstance(each, Sum) for each in walk((claim.target, claim.right)))
            single = convention._replace(rows=False, turned=False, one=convention.one or not sums)
            lone = replace(frame, setting=scalar_setting(frame.depth, single), convention=single)
            makers.append((units, partial(Entries, lone, scalars=True)))
        for into, make in makers:
            try:
                made = make()
                made.agree(claim.target, claim.right)
                into.append(made)
            except NotReadError:
                continue
    return found or units


def _in_names(claim: Claim, style: Style) -> bool:
    """Whether derivatives stand in a claim, and no symbol has two indices."""
    parts = (claim.target, claim.right)
    return (
        not _is_entrywise(claim)
        and any(isinstance(each, Derivative) for each in walk(parts))
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


def entries_agree(claim: Claim, style: Style, convention: Convention, let: Mapping[str, str]) -> bool | None:
    """Whether the sides of a claim are equal entry by entry; None where they cannot be compared so."""
    plain = with_letters(claim, style)
    ways = by_entries(claim, style, convention, let)
    return any(each.agree(plain.target, plain.right) for each in ways) if ways else None
