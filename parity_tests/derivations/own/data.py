"""A person's own numbers: data and parameters say what everything else must be, and the rest is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from parity_tests.derivations.agreement import PLAIN, ROUNDINGS, Agreement, compare
from parity_tests.derivations.language.budget import Budget
from parity_tests.derivations.language.errors import EvaluationError
from parity_tests.derivations.language.evaluate import run
from parity_tests.derivations.language.nodes import Program
from parity_tests.derivations.language.printer import to_text
from parity_tests.derivations.language.syntax import parse
from parity_tests.derivations.mistakes.diagnosis import Case, recognise
from parity_tests.derivations.mistakes.search import context_of, counts, weights_of
from parity_tests.derivations.own.dumps import (
    LAYOUTS,
    Layout,
    finite_only,
    hidden_units,
    in_columns,
    numbers_only,
    read,
    roundoff,
    shows_units,
    units_of,
    with_other_units,
)
from parity_tests.derivations.settings import SETTINGS, Probe, Setting, setting_named
from parity_tests.derivations.settings.networks import with_hidden
from parity_tests.derivations.settings.setting import (
    UNITS,
    Own,
    Values,
    cost_text,
    derivation_of,
    layout_text,
)
from parity_tests.derivations.verdicts import (
    AMBIGUOUS,
    CANNOT_TELL,
    HOLDS,
    NOTES_CONVENTION,
    REFEREES,
    UNKNOWN,
    WRONG,
    Cost,
    Judged,
    Verdict,
    explain,
    not_judged,
    summarised,
    teach,
)

if TYPE_CHECKING:
    from parity_tests.derivations.settings.problem import TextProblem
from parity_tests.judging.bounds import unit_roundoff
from parity_tests.judging.judge import SEEN

RUNS = 5
"""Runs from moved data and parameters, whose spread says what rounding does."""

ROUNDED, SPREADS = 64, 16
"""Right numbers lie within so many roundings of the largest entry and so many times the spread of the runs."""

PLAINLY = 16
"""So many times the bound, a number is wrong; what lies between cannot be told."""

LEAST_SEEN = {unit_roundoff(dtype): share for dtype, share in SEEN.items()}
"""What must be seen, as a share of the largest entry, by the unit roundoff of the numbers."""


class Examined(NamedTuple):
    """The verdicts on a person's arrays, the setting with their hidden units, and how the arrays were read."""

    rows: list[Verdict]
    setting: Setting
    layout: Layout
    convention: str


def verify_data(path: Path, setting: str | None, *, l2: bool = False) -> Judged:
    """Judge the arrays of a .npz file; nothing in it is unpickled.

    The file holds what everything else follows from, as X, Y and every W and b (and lambda_ with ``l2``); every other
    symbol of the setting that it holds is judged; other arrays are "not judged".

    Raises ValueError for a file that is not a .npz of plain arrays, and where arrays are missing or do not fit.
    """
    if setting is None:
        raise ValueError("expected --setting with --data: it says what J is")
    chosen, given = setting_named(setting), read(path)
    found = examine(given, chosen, l2=l2)
    known = {verdict.target for verdict in found.rows} | {symbol.name for symbol in chosen.symbols}
    left = [name for name in given if chosen.aliases.get(name, name) not in known]
    why = f"is not judged: it is no symbol of setting {chosen.name}."
    rows = (*found.rows, *(not_judged(name, 0, name, f"{name} {why}") for name in left))
    layout = layout_text(found.setting, named=True)
    if units_of(chosen) != units_of(found.setting):
        evidence = "Z and A" if shows_units(chosen, given) else "derivatives"
        layout += f"; hidden units {', '.join(units_of(found.setting)[:-1])}, recognised from your {evidence}"
    if found.layout.text:
        layout += f"; {found.layout.text}"
    return Judged(
        path.name, Cost(cost_text(chosen, l2)), found.convention, layout, REFEREES, rows, summarised(rows)
    )  # fmt: skip


def examine(given: Mapping[str, Any], setting: Setting, *, l2: bool = False) -> Examined:
    """Judge a person's arrays, by name, in the layout that fits; where several do, in the one in which most hold.

    Where no Z or A says what the hidden units are, they are those under which most derivatives hold.
    """
    values = {setting.aliases.get(name, name): np.asarray(value) for name, value in given.items()}
    numbers_only(values)
    own_way(setting, values, l2)
    found: list[Examined] = []
    refused: list[ValueError] = []
    for layout in LAYOUTS:
        try:
            found.append(_examine_columns(in_columns(values, setting, layout), setting, layout, l2, causes=False))
        except ValueError as error:
            refused.append(error)
            continue
        if all(row.verdict == HOLDS for row in found[-1].rows):
            return found[-1]
    if not found:
        raise refused[0]
    best = max(found, key=_held)
    columns = in_columns(values, setting, best.layout)
    if not shows_units(setting, columns):
        others = [_examine_columns(columns, each, best.layout, l2, causes=False) for each in with_other_units(setting)]
        best = max(best, *others, key=_held) if others else best
    return _examine_columns(columns, best.setting, best.layout, l2, causes=True)


def _held(examined: Examined) -> int:
    return sum(row.verdict == HOLDS for row in examined.rows)


def _examine_columns(values: dict[str, Any], setting: Setting, layout: Layout, l2: bool, *, causes: bool) -> Examined:
    """The verdicts on arrays that are in columns by now; with ``causes`` the mistakes are looked for, which is slow."""
    way = own_way(setting, values, l2)
    shapes = {symbol.name: symbol.shape for symbol in setting.symbols}
    check_sizes({name: shapes[name] for name in way.needed}, values)
    finite_only((*way.needed, *(name for name in ("lambda_", "alpha") if name in values)), values)
    hidden = hidden_units(setting, values)
    if hidden != units_of(setting)[:-1]:
        setting = with_hidden(setting, hidden)
        way = own_way(setting, values, l2)
    way, other = _without_tanh(setting, way, values)
    judged = [name for name in values if name in way.judged]
    if not judged:
        raise ValueError(f"the file holds nothing to judge, expected one or more of {', '.join(way.judged)}")
    own = own_setting(setting, way, values)
    probe, unit = own.probe(0, l2), roundoff(values)
    spread = _spread(setting, way, values, l2, unit)
    agreements = {name: _compare(values[name], name, probe, spread, unit) for name in judged}
    factors = common_factors(agreements, {name: shapes[name] for name in judged}, counts(probe.environment))
    rows = [
        _verdict_on(own, name, values[name], probe, l2, unit, agreement, factors, causes=causes)
        for name, agreement in agreements.items()
    ]
    if causes:
        theirs = {name: values[name] for name in way.needed} | {name: probe.by_torch[name] for name in judged}
        rows = _with_causes_by_numbers(rows, {**values}, theirs)
    return Examined(rows + other, setting, layout, factors.text or NOTES_CONVENTION)


def _with_causes_by_numbers(rows: list[Verdict], mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[Verdict]:
    """What a row of ``conventions`` explains is said to be right under it; so is what no formula's mistake explains."""
    if all(row.verdict != WRONG for row in rows):
        return rows
    from parity_tests.differences.difference import diff  # it brings torch, which right numbers do not need

    found = {}
    for root in diff(mine, theirs, called=("yours", "the right one")).roots:
        if root.cause not in ("unknown", "shape"):
            found.update(dict.fromkeys((root.name, *root.follows), root))
    named = []
    for row in rows:
        named.append(row)
        if row.target in found and row.verdict == WRONG and (found[row.target].row or row.cause == UNKNOWN):
            root = found[row.target]
            where = f"right under the row {root.row} of conventions: " if root.row else ""
            saw, holds = row.message.split(":")[0], f" {row.repaired} holds." if row.repaired else ""
            message = f"{saw}: {where}{root.text}.{holds}"
            named[-1] = row._replace(cause=root.cause, causes=(root.cause,), message=message)
    return named


def _without_tanh(setting: Setting, way: Own, values: Mapping[str, Any]) -> tuple[Own, list[Verdict]]:
    """For one layer, whose unit is tanh: the way that needs no unit, where Z and A show another unit."""
    A, Z = values.get("A"), values.get("Z")
    tanh = setting.functions.get("g") is UNITS["tanh"].g
    if not tanh or A is None or Z is None or "A" not in way.judged or A.shape != Z.shape:
        return way, []
    near = [name for name, unit in UNITS.items() if np.allclose(A, unit.g(Z.astype(np.float64)), rtol=1e-4, atol=1e-6)]
    if not near or "tanh" in near:
        return way, []
    why = f"the unit of setting {setting.name} is tanh, and A is {near[0]} of Z"
    others = [each for each in setting.own if "A" not in each.judged and all(name in values for name in each.needed)]
    if not others:
        raise ValueError(f"{why}, expected dZ too: what lies below follows from it whatever the unit is")
    left = [name for name in ("A", "dA", "dZ") if name in values]
    return others[0], [not_judged(name, 0, name, f"{name} is not judged: {why}.") for name in left]


def _spread(setting: Setting, way: Own, values: Mapping[str, Any], l2: bool, unit: float) -> dict[str, float]:
    """How far each quantity moves where data, parameters and every value behind them move by a unit of roundoff.

    At most over the runs; infinite where a run gives what is no number.
    """
    rng, dtype = np.random.default_rng(0), np.float32 if unit > unit_roundoff(np.float64) else np.float64
    whole = {name for name in way.needed if np.array_equal(values[name], np.round(values[name]))}  # labels, strides
    first = _own_problem(setting, way, values).by_torch(l2)
    spread = dict.fromkeys(way.judged, 0.0)
    for _ in range(RUNS):
        near = {
            name: values[name].astype(np.float64)
            * (1 + (name not in whole) * unit * rng.uniform(-1, 1, values[name].shape))
            for name in way.needed
        }
        run = _own_problem(setting, way, {**values, **near}).rounded(l2, dtype, rng)
        for name in way.judged:
            with np.errstate(invalid="ignore"):
                moved = float(np.max(np.abs(np.subtract(run[name], first[name])), initial=0.0))
            spread[name] = max(spread[name], np.inf if np.isnan(moved) else moved)
    return spread


def _compare(value: Any, name: str, probe: Probe, spread: Mapping[str, float], unit: float) -> Agreement:
    """The worse of the comparisons with both truths."""
    found = []
    for truth in (referee[name] for referee in probe.truths):
        near, agreement = ROUNDED * unit * float(np.max(np.abs(truth), initial=0.0)), compare(value, truth, unit)
        bound = near + SPREADS * spread[name]
        found.append(agreement._replace(bound=bound if np.isfinite(bound) or agreement.error > near else near))
    return max(found, key=lambda each: (not each.same_shape, each.error))


class Factors(NamedTuple):
    """Constant factors of derivatives per example and of gradients of parameters under which all of them hold."""

    deltas: float = 1.0
    gradients: float = 1.0
    text: str = ""

    def of(self, name: str, agreement: Agreement) -> bool:
        """Whether a derivative holds under them."""
        return bool(self.text) and name.startswith("d") and agreement.ratio is not None


def common_factors(agreements: Mapping[str, Agreement], shapes: Mapping[str, str], sizes: Values) -> Factors:
    """The one convention under which all derivatives hold, where it is not the notes'.

    All gradients of parameters have one factor c, at least two of them unless c is 1, and all derivatives per example
    c or c/m: a sum for an average, a sign for those who descend by adding, 2 for a cost without its half.
    """
    per_example = {name for name in agreements if name[:2] in ("dA", "dZ", "dX")}
    groups: tuple[list[float | None], list[float | None]] = ([], [])
    for name, agreement in agreements.items():
        if name.startswith("d"):
            factor = 1.0 if agreement.holds else agreement.ratio
            groups[name not in per_example].append(factor)
        elif not agreement.holds and name != "J":
            return Factors()
    deltas, gradients = groups
    d, c = (_one(group) for group in groups)
    m = float(sizes.get("m", 1))
    if d is None or c is None or not gradients or (_near(c, 1) and _near(d, 1)):
        return Factors()
    allowed = (1, -1, m, -m, 2, 0.5, *(float(size) for name, size in sizes.items() if name.startswith("n_")))
    if not any(_near(c, each) for each in allowed) or (len(gradients) < 2 and not _near(c, 1)):
        return Factors()
    if deltas and not (_near(d, c) or _near(d * m, c)):
        return Factors()
    said = []
    if not _near(c, 1):
        said.append(f"every gradient of a parameter is {_factor_in_words(c, m)} the notes'")
    if deltas and not _near(d, 1):
        said.append(f"every dA and dZ is {_factor_in_words(d, m)} the notes'")
    return Factors(d, c, f"consistent: {' and '.join(said)}")


def _one(group: list[float | None]) -> float | None:
    """The one factor of a group; 1 for an empty one, None where there is none."""
    first = group[0] if group else 1.0
    return first if first is not None and all(each is not None and _near(each, first) for each in group) else None


def _near(one: float, other: float) -> bool:
    return bool(np.isclose(one, other, rtol=1e-4, atol=0))


def _factor_in_words(factor: float, m: float) -> str:
    sign = "-" if factor < 0 else ""
    if _near(abs(factor), m):
        return f"{sign}m = {factor:.6g} times"
    if _near(abs(factor) * m, 1):
        return f"{sign}1/m = {sign}1/{m:.6g} times"
    return f"{factor:.6g} times"


def own_way(setting: Setting, values: Mapping[str, Any], l2: bool) -> Own:
    """The first of the setting's ways whose symbols are all there, with ``lambda_`` where J has the penalty."""
    if not setting.own:
        names = ", ".join(name for name, each in SETTINGS.items() if each.own)
        raise ValueError(f"--data does not work with setting {setting.name}, expected one of {names}")
    number = ("lambda_",) if l2 else ()
    for way in setting.own:
        if all(name in values for name in (*way.needed, *number)):
            return way
    needed = (*setting.own[0].needed, *number)
    missing = [name for name in needed if name not in values]
    others = "".join(f", or from {', '.join(way.needed)}" for way in setting.own[1:])
    raise ValueError(
        f"the file lacks {', '.join(missing)}: setting {setting.name} follows from {', '.join(needed)}{others}"
    )


def own_setting(setting: Setting, way: Own, values: Mapping[str, Any]) -> Setting:
    """The setting with the person's data and parameters in place of drawn ones."""
    own = _own_problem(setting, way, values)
    targets = {name: target for name, target in setting.targets.items() if name in way.judged}
    drawn = setting.draw
    return replace(setting, draw=lambda numbers: drawn(numbers) if isinstance(numbers, str) else own, targets=targets)


def _own_problem(setting: Setting, way: Own, values: Mapping[str, Any]) -> TextProblem:
    drawn = _drawn(setting)
    shapes = {symbol.name: symbol.shape for symbol in setting.symbols}
    check_sizes({name: shapes[name] for name in way.needed}, values)
    numbers = {name: values.get(name, drawn[name]) for name in ("lambda_", "alpha") if name in drawn}
    for name, value in numbers.items():
        if np.size(value) != 1:
            raise ValueError(f"{name} has shape {np.shape(value)}, expected a number")
    return way.problem(
        {name: values[name].astype(np.float64) for name in way.needed}
        | {name: float(np.ravel(value)[0]) for name, value in numbers.items()}
    )


@lru_cache(maxsize=16)
def _drawn(setting: Setting) -> Mapping[str, Any]:
    """What stands for numbers that a person does not give; a network whose ReLUs are on and off is slow to draw."""
    return setting.draw(0).given()


def check_sizes(shapes: Mapping[str, str], values: Mapping[str, Any]) -> None:
    """Whether the arrays have as many axes as the setting lists, and the same size wherever a size has the same name.

    A number may come as an array of one entry.
    """
    sizes: dict[str, int] = {}
    for name, shape in shapes.items():
        symbols = [each.strip() for each in shape.strip("()").split(",") if each.strip()]
        got = np.shape(values[name])
        if not symbols and np.size(values[name]) == 1:
            continue
        pairs = zip(symbols, got, strict=False)
        expected = tuple(int(each) if each.isdigit() else sizes.get(each, size) for each, size in pairs)
        if len(symbols) != len(got) or got != expected:
            known = f", with {', '.join(f'{n} = {sizes[n]}' for n in symbols if n in sizes)}"
            raise ValueError(f"{name} has shape {got}, expected {shape}{known if len(known) > 7 else ''}")
        sizes |= {each: size for each, size in zip(symbols, got, strict=True) if not each.isdigit()}


def judge_numbers(
    setting: Setting, name: str, value: Any, probe: Probe, l2: bool, unit: float, *, causes: bool = True
) -> Verdict:
    """One array of a probe, small and well conditioned, against the truths; with ``causes`` why it is wrong."""
    agreements = [compare(value, referee[name], unit) for referee in probe.truths]
    worse = next((each for each in agreements if not each.holds), agreements[0])
    return _verdict_on(setting, name, value, probe, l2, unit, worse, Factors(), PLAIN / ROUNDINGS, causes=causes)


def _verdict_on(
    setting: Setting,
    name: str,
    value: Any,
    probe: Probe,
    l2: bool,
    unit: float,
    agreement: Agreement,
    factors: Factors,
    plainly: float = PLAINLY,
    *,
    causes: bool = True,
) -> Verdict:
    """The verdict on one array; with ``causes`` a wrong one is held against the mistakes that could have made it."""
    ratio = agreement.error / agreement.bound if agreement.bound else 0.0 if agreement.error == 0 else np.inf
    base = Verdict(
        name, 0, name, HOLDS, "", (), "", setting.targets[name].formula_ids, agreement.error, agreement.bound,
        ratio, agreement.shape_got, agreement.shape_expected, f"{name} holds.",
    )  # fmt: skip
    if agreement.holds:
        largest = float(np.max(np.abs(probe.by_numpy[name]), initial=0.0))
        if agreement.error > ROUNDED * unit * largest and 2 * agreement.bound > LEAST_SEEN[unit] * largest:
            told = f"{name} agrees, but rounding could hide a change of {LEAST_SEEN[unit]:.0e}: this cannot be told."
            return base._replace(verdict=CANNOT_TELL, message=told)
        return base
    if agreement.same_shape and not np.isfinite(probe.by_torch[name]).all():
        told = f"the true {name} is not finite on these numbers: this cannot be told."
        return base._replace(verdict=CANNOT_TELL, message=told)
    if factors.of(name, agreement):
        return base._replace(message=f"{name} holds: {factors.text}.")
    if agreement.same_shape and agreement.error <= plainly * agreement.bound:
        told = f"{name} is off by more than rounding and by less than a wrong formula: this cannot be told."
        return base._replace(verdict=CANNOT_TELL, message=told)
    if not causes:
        return base._replace(verdict=WRONG)
    saw = f"{name} {explain(agreement, '', counts(probe.environment))}"
    return name_the_cause(base, saw, setting, probe, value, l2, unit)


def name_the_cause(
    base: Verdict, saw: str, setting: Setting, probe: Probe, value: Any, l2: bool, unit: float
) -> Verdict:
    """The mistake that turns a right formula into these numbers, if a small one does."""
    name = base.target
    target = setting.targets[name]
    ids = f" ({', '.join(target.formula_ids)})" if target.formula_ids else ""

    def evaluate(node: Any, number: int, budget: Budget) -> Any:
        try:
            return run(node, environment, budget=budget).get(name)
        except EvaluationError:
            return None

    right = target.formula(l2)
    program: Program = parse(derivation_of(name, right))
    environment = setting.environment(probe, name)
    context = context_of(setting, name, name, environment)
    case = Case(program, context, evaluate, [], weights_of(setting, name, environment), unit)
    found = recognise(case, [np.asarray(value, np.float64)])
    repaired = to_text(program, as_written=True)
    holds = f"This holds{ids}:\n{repaired}" if "\n" in repaired else f"{repaired} holds{ids}."
    if found is None:
        message = f"{saw}: no known mistake gives these numbers, so it is unknown. {holds}"
        return base._replace(verdict=WRONG, cause=UNKNOWN, repaired=repaired, message=message)
    cause = " + ".join(found.causes)
    if found.alternatives:
        causes = (cause, *(" + ".join(each) for each in found.alternatives))
        listed = "; or ".join(teach(each) for each in causes)
        message = f"{saw}: ambiguous, {listed}. {holds}"
        return base._replace(verdict=WRONG, cause=AMBIGUOUS, causes=causes, repaired=repaired, message=message)
    message = f"{saw}: {teach(cause)}. {holds}"
    return base._replace(verdict=WRONG, cause=cause, causes=(cause,), repaired=repaired, message=message)
