"""In which setting, and in which convention, a derivation is read: where most of it holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from parity_tests.derivations.language import nodes
from parity_tests.derivations.language.errors import BudgetSpent, DerivationError
from parity_tests.derivations.language.functions import FUNCTION_NAMES
from parity_tests.derivations.language.nodes import Program
from parity_tests.derivations.settings import SETTINGS, Setting
from parity_tests.derivations.settings.readings import Reading, readings_of
from parity_tests.derivations.verdicts import HOLDS, NOT_JUDGED, WRONG, Verdict

LEAST = 2
"""How many lines a derivation must have to be read in a convention: one line alone may be a mistake."""

Standing = Callable[[Setting], Sequence[Verdict]]
"""The verdicts on all lines in a setting, without a diagnosis; raises DerivationError where it cannot be read so."""


class Choice(NamedTuple):
    """A setting, and the convention that it is read in, None for the notes' own."""

    setting: Setting
    reading: Reading | None = None


def choose(
    settings: Iterable[Setting],
    standing: Standing,
    glance: Standing,
    names: frozenset[str],
    *,
    strict: bool = False,
    partly: bool = False,
) -> Choice:
    """The first of the settings in which everything holds; else the convention in which most does; else the first.

    Conventions are tried at a ``glance``. ``names`` are those that the derivation has; ``strict`` knows the notes'
    conventions alone. Of a derivation that is known ``partly``, for not every line can be read, or in other
    conventions alone, the setting with the fewest wrong lines stands in the first's place.

    Raises DerivationError where a derivation cannot be read in the first setting, and StopIteration where there is
    none.
    """
    rest = iter(settings)
    first = next(rest)
    try:
        found = [(first, standing(first))]
    except BudgetSpent:
        return _named(first)
    if not left(found[0][1]):
        return _named(first)
    for setting in rest:
        lines = _tried(setting, glance)
        if lines is not None and not left(lines):
            return _named(setting)
        if lines is not None:
            found.append((setting, lines))
    if partly or first not in SETTINGS.values():
        found.sort(key=lambda each: sum(line.verdict == WRONG for line in each[1]))
    best, least, unjudged = _named(found[0][0]), left(found[0][1]), silent(found[0][1])
    for setting, before in found if not strict else ():
        for reading in readings_of(setting) if len(before) >= LEAST else ():
            if not may_speak_for(reading, names):
                continue
            lines = _tried(reading.setting, glance)
            if lines is None or (silent(lines), left(lines)) >= (unjudged, least):
                continue
            if speaks_for(reading, before, lines):
                best, least, unjudged = Choice(reading.setting, reading), left(lines), silent(lines)
    return best


def _named(setting: Setting) -> Choice:
    """A setting with its convention, if it is one of those that are read in another."""
    if setting in SETTINGS.values():
        return Choice(setting)
    readings = (reading for each in SETTINGS.values() for reading in readings_of(each))
    return Choice(setting, next((reading for reading in readings if reading.setting is setting), None))


def left(lines: Sequence[Verdict]) -> int:
    """How many lines do not hold."""
    return sum(line.verdict != HOLDS for line in lines)


def silent(lines: Sequence[Verdict]) -> int:
    """How many lines are not judged."""
    return sum(line.verdict == NOT_JUDGED for line in lines)


def may_speak_for(reading: Reading, names: frozenset[str]) -> bool:
    """Whether a derivation has the symbols, and lacks the names, that a convention goes by."""
    symbols = {reading.setting.aliases.get(name, name) for name in names}
    if reading.absent:
        kinds = {target.kind for name, target in reading.setting.targets.items() if name in symbols}
        return not names & reading.absent and "gradient" in kinds
    return symbols >= reading.telling if reading.whole else bool(symbols & reading.telling)


def speaks_for(reading: Reading, before: Sequence[Verdict], lines: Sequence[Verdict]) -> bool:
    """Whether a derivation keeps to a convention, and not by chance of a single mistake.

    Of a rule as a whole everything holds; or it alone knows every name, and only the step is wrong.
    """
    if reading.whole:
        others = [line for line in lines if _assigned(reading, [line]) != {"W"}]
        return not left(lines) or (silent(lines) < silent(before) and len(others) >= LEAST and not left(others))
    held = {(line.line, line.target) for line in before if line.verdict == HOLDS}
    won = [line for line in lines if line.verdict == HOLDS and (line.line, line.target) not in held]
    return len(won) >= reading.least and bool(_assigned(reading, won) & reading.telling)


def _assigned(reading: Reading, lines: Sequence[Verdict]) -> set[str]:
    return {reading.setting.aliases.get(line.target, line.target) for line in lines}


def _tried(setting: Setting, standing: Standing) -> Sequence[Verdict] | None:
    try:
        return standing(setting)
    except DerivationError:
        return None


def fitting(program: Program, l2: bool = False, changed: frozenset[str] = frozenset()) -> Iterator[Setting]:
    """The settings that know every name of a derivation and can judge a line of it; where there is none, those in
    another convention. With ``l2`` only those whose J can have the penalty, where there is one. Names in ``changed``
    have a value from lines that were not read.
    """
    assigned, found = set(nodes.targets(program)), False
    settings = [each for each in SETTINGS.values() if each.penalised or not l2]
    without = [each for each in SETTINGS.values() if each not in settings]
    for among in (settings, without):
        for setting in among if not found else ():
            if assigned & (set(setting.targets) | set(setting.aliases)) and unknown_names(program, setting) <= changed:
                found = True
                yield setting
    for setting in SETTINGS.values() if not found else ():
        for reading in readings_of(setting):
            if assigned & set(reading.setting.targets) and unknown_names(program, reading.setting) <= changed:
                yield reading.setting


def unknown_names(program: Program, setting: Setting) -> frozenset[str]:
    """The names that a derivation uses, does not assign, and the setting lacks."""
    own = {*nodes.targets(program), *(here.variable for _, here in nodes.walk(program) if isinstance(here, nodes.For))}
    used = (nodes.names(program) | nodes.functions(program)) - own
    return used - _known(setting) - set(setting.targets) - FUNCTION_NAMES


@cache
def _known(setting: Setting) -> frozenset[str]:
    """The names that have a value in a setting."""
    return frozenset({*setting.functions, *(symbol.name for symbol in setting.symbols), *setting.aliases})


def nearest_setting(program: Program) -> tuple[Setting, frozenset[str]]:
    """The setting that lacks the fewest names of a derivation, what it assigns included, and these names."""
    lacks = {
        name: unknown_names(program, each) | (set(nodes.targets(program)) - set(each.targets) - set(each.aliases))
        for name, each in SETTINGS.items()
    }
    name = min(lacks, key=lambda each: len(lacks[each]))
    return SETTINGS[name], lacks[name]
