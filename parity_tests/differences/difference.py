"""Mine against theirs: every array that both have, in order, the first that differs, its cause, and what follows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from manual.notation import Array
from parity_tests.differences.hypotheses import Explained, close, explain
from parity_tests.differences.names import (
    FORWARD,
    GIVEN,
    GRADIENT,
    LAYOUTS,
    NUMBERS,
    STAGES,
    STEP,
    Name,
    arranged,
    fold,
    known_numbers,
    numbered,
    one_hot,
    read_name,
)
from parity_tests.differences.patterns import Known, pattern_of
from parity_tests.differences.rebuilt import rebuilt
from parity_tests.differences.trace import Arrays, Trace
from parity_tests.differences.variants import Cause

AGREES, DIFFERS, CANNOT_TELL = "agrees", "differs", "cannot tell"

TINY = {2.0**-53: 2.0**-1022, 2.0**-24: 2.0**-126, 2.0**-11: 2.0**-14, 2.0**-8: 2.0**-126}
"""The smallest number that has all its digits, by the unit roundoff of the format."""

NEAR_OVERFLOW = {2.0**-53: 2.0**1010, 2.0**-24: 2.0**116, 2.0**-11: 2.0**9, 2.0**-8: 2.0**116}
"""From here on one way of writing a formula may overflow, and another not."""

SHORT = {2.0**-53: 2**13, 2.0**-24: 2**11, 2.0**-11: 2**6, 2.0**-8: 2**4}
"""Roundings of the largest entry that two right computations may lie apart, by the unit roundoff of the coarser."""

SHORT_UNIT = 2.0**-20
"""A coarser format than this is a short one."""

RUNS, SPREADS, ROUNDED = 4, 4, 8
"""Runs of the module with every value rounded otherwise, by so many roundings; so many spreads may lie between two."""

LEAST_SEEN = 0.2
"""Where rounding could hide this share of an array, nothing can be told."""

PLAINLY = 16
"""So many bounds apart, two arrays show how they differ."""

MOST_ROOTS = 4

TARGETS = ("Y", "y", "labels", "targets")
"""What may be class numbers on one side and one-hot on the other."""


class Entry(NamedTuple):
    """One array of both sides: ``name`` as the notes have it, the keys on either side, its stage, and the verdict.

    ``got`` is mine in the layout of ``expected``, which is theirs; ``note`` says what was turned for that.
    """

    name: str
    mine: str
    theirs: str
    stage: str
    got: Array
    expected: Array
    verdict: str
    error: float
    bound: float
    worst_index: tuple[int, ...]
    note: str

    @property
    def ratio(self) -> float:
        """Error / bound."""
        return self.error / self.bound if self.bound else np.inf if self.error else 0.0


class Root(NamedTuple):
    """A quantity that differs for a reason of its own, the reason, and the quantities that follow from it."""

    name: str
    cause: str
    text: str
    row: str
    follows: tuple[str, ...]


class Difference(NamedTuple):
    """What came of two sets of numbers. True where all that both have agrees, and nothing was left out.

    ``conventions`` say under which convention arrays agree that are not the same numbers.
    """

    entries: tuple[Entry, ...]
    roots: tuple[Root, ...]
    mine_alone: tuple[str, ...]
    theirs_alone: tuple[str, ...]
    not_compared: tuple[str, ...]
    conventions: tuple[Root, ...] = ()

    @property
    def verdict(self) -> str:
        """The worst of the verdicts."""
        found = {entry.verdict for entry in self.entries}
        return DIFFERS if DIFFERS in found else AGREES if found == {AGREES} else CANNOT_TELL

    @property
    def exit_code(self) -> int:
        """0 all agrees, 1 something differs, 3 nothing differs, and something of mine was not compared."""
        left = self.mine_alone or self.not_compared or self.verdict == CANNOT_TELL
        return 1 if self.verdict == DIFFERS else 3 if left else 0

    def __bool__(self) -> bool:
        """Whether all agrees."""
        return self.exit_code == 0

    def __str__(self) -> str:
        """The roots in order, then the counts."""
        lines = []
        for place, root in enumerate(self.roots):
            entry = next(each for each in self.entries if each.name == root.name)
            lines.append(f"{'first' if not place else 'then'}: {entry.name} {_numbers(entry)}")
            lines.append(f"    {root.text}{f' (conventions: {root.row})' if root.row else ''}")
            if root.follows:
                lines.append(f"    what follows from it: {', '.join(root.follows)}")
        said = {name for root in self.roots for name in (root.name, *root.follows)}
        rest = [each.name for each in self.entries if each.verdict == DIFFERS and each.name not in said]
        if rest:
            lines.append(f"also different, and behind it: {', '.join(rest)}")
        counts = {v: sum(each.verdict == v for each in self.entries) for v in (AGREES, DIFFERS, CANNOT_TELL)}
        for each in self.conventions:
            lines.append(f"right under a convention (conventions: {each.row}): {each.text}; so {', '.join((each.name, *each.follows))}")
        told = ", ".join(f"{count} {'differ' if v == DIFFERS else 'agree' if v == AGREES else v}" for v, count in counts.items())
        lines.append(f"{len(self.entries)} arrays compared: {told}")
        for words, names in (
            ("mine alone", self.mine_alone),
            ("theirs alone", self.theirs_alone),
            ("not compared", self.not_compared),
        ):
            if names:
                lines.append(f"{words}, {len(names)}: {', '.join(names[:8])}{', ...' if names[8:] else ''}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        entries = [
            {
                **{name: getattr(each, name) for name in ("name", "mine", "theirs", "stage", "verdict", "note")},
                **{n: v if np.isfinite(v := getattr(each, n)) else None for n in ("error", "bound", "ratio")},
                "shape": each.expected.shape,
                "worst_index": each.worst_index,
            }
            for each in self.entries
        ]
        names = ("mine_alone", "theirs_alone", "not_compared", "verdict")
        roots = {n: [each._asdict() for each in getattr(self, n)] for n in ("roots", "conventions")}
        return {"entries": entries, **roots, **{n: getattr(self, n) for n in names}}


class Quantity(NamedTuple):
    """An array of one side: its key there, what it is of, in which of its names, and its place in the order."""

    key: str
    stage: str
    names: tuple[str, ...]
    value: Array
    order: tuple[Any, ...]
    show: str


def diff(
    mine: Mapping[str, Any],
    theirs: Mapping[str, Any],
    names: Mapping[str, str] | None = None,
) -> Difference:
    """Compare two sets of arrays by name: forward values, gradients, and the parameters after a step, in this order.

    ``names`` gives their name for a name of mine where they do not match by themselves: W1, conv1.weight and weights1
    are the same, dW1, W1_grad, grad_W1 and fc1.weight.grad, and W1_new; layouts are recognised. Bounds come from the
    shortest format of what differs: float64, float32, float16, bfloat16, also where it is stored in a longer one.

    Raises ValueError where no array of one has a counterpart in the other.
    """
    ours, bad = _arrays(mine)
    others, worse = _arrays(theirs)
    found = _matched(_read(ours), _read(others), names or {})
    if not found.pairs:
        raise ValueError(f"no name of mine ({_some(ours)}) matches one of theirs ({_some(others)}), expected --map or names")
    unit = _unit([(a.value, b.value) for a, b in found.pairs])
    numbers = known_numbers(mine, theirs)
    m = int(numbers["m"]) if "m" in numbers else _examples({b.show: b.value for _, b in found.pairs})
    entries, conventions = _per_example(_entries(found.pairs, unit, {}, m), m)
    roots: list[Root] = []
    if any(each.verdict == DIFFERS for each in entries):
        roots = _by_rebuilding(entries, unit, numbers) or _by_patterns(entries, numbers, m)
    return Difference(tuple(entries), tuple(roots), found.mine, found.theirs, (*bad, *worse), conventions)


def diff_module(mine: Mapping[str, Any], trace: Trace, names: Mapping[str, str] | None = None) -> Difference:
    """Compare a person's arrays with what a module computes, its gradients, and one step of its optimiser.

    Raises ValueError where no array has a name of the module's.
    """
    ours, bad = _arrays(mine)
    quantities = [
        Quantity(key, v.stage, tuple(_marked(v.stage, a) for a in v.aliases), trace.base[key], (n,), _marked(v.stage, v.aliases[0]))
        for n, (key, v) in enumerate(trace.values.items())
        if key in trace.base
    ]
    found = _matched(_read(ours), quantities, names or {})
    if not found.pairs:
        have = _some([each.show for each in quantities])
        raise ValueError(f"no name of mine ({_some(ours)}) is one of the module's ({have}), expected names")
    unit = _unit([(a.value, b.value) for a, b in found.pairs])
    numbers, m = known_numbers(mine), len(trace.X)
    entries, conventions = _per_example(_entries(found.pairs, unit, spreads(trace, unit), m), m)
    roots = _by_trace(trace, trace.base, entries, unit, numbers, "mine", "theirs", found.keys)
    return Difference(tuple(entries), tuple(roots), found.mine, (), tuple(bad), conventions)


# --- reading and matching


def _arrays(given: Mapping[str, Any]) -> tuple[dict[str, Array], list[str]]:
    """Real arrays in their dtypes, and the names of what is none."""
    found, bad = {}, []
    for name, value in given.items():
        if hasattr(value, "detach"):
            value = value.detach().cpu()
            value = value.float() if str(value.dtype) == "torch.bfloat16" else value
        array = np.asarray(value)
        if array.dtype.kind not in "fiub" or array.size == 0:
            bad.append(name)
        elif name not in NUMBERS or array.size > 1:
            found[name] = array
    return found, bad


def _read(arrays: Mapping[str, Array]) -> list[Quantity]:
    """A dump's arrays with what their names say, in the order forward, gradients, step."""
    plain = [name for name in arrays if read_name(name, ()).stage == FORWARD]
    marks = [read_name(name, plain) for name in arrays]
    symbols = numbered([*dict.fromkeys(each.base for each in marks)])
    found = []
    for place, (key, name) in enumerate(zip(arrays, marks, strict=True)):
        base = symbols.get(name.base, name.base)
        stage = GIVEN if name.stage == FORWARD and base.rstrip("0123456789_") in ("W", "w", "b", "X", "Y", "A_prev") else name.stage
        shown = _marked(stage, base)
        aliases = tuple(dict.fromkeys((shown, _marked(stage, name.base))))
        found.append(Quantity(key, stage, aliases, arrays[key], _order(Name(stage, base), place), shown))
    return sorted(found, key=lambda each: each.order)


def _marked(stage: str, base: str) -> str:
    return f"d{base}" if stage == GRADIENT else f"{base}_new" if stage == STEP else base


def _order(name: Name, place: int) -> tuple[Any, ...]:
    """Forward by layer, Z before A, J last; gradients from the last layer down; the step by layer."""
    letters, digits = name.base.rstrip("0123456789"), name.base[len(name.base.rstrip("0123456789")) :]
    layer = int(digits) if digits else 0
    stage = STAGES.index(name.stage)
    if name.stage == GRADIENT:
        kinds = {"A": 0, "Z": 1, "W": 2, "b": 3}
        known = letters in kinds and digits
        return stage, -layer if known else 0 if letters != "Z" else -1, kinds.get(letters, 4), place
    kinds = {"X": 0, "W": 1, "b": 2, "Z": 3, "A": 4}
    return stage, name.base in ("J", "loss", "cost"), 0 if digits or letters in kinds else 1, layer, kinds.get(letters, 5), place


class Matched(NamedTuple):
    """Pairs in order, what either side has alone, and the key of the module's for each name shown."""

    pairs: list[tuple[Quantity, Quantity]]
    mine: tuple[str, ...]
    theirs: tuple[str, ...]
    keys: dict[str, str]


def _matched(ours: Sequence[Quantity], others: Sequence[Quantity], names: Mapping[str, str]) -> Matched:
    """Whose is whose: by what is said, by the same name, then by one that differs in case and underscores."""
    by_key = {each.key: each for each in others}
    exact: dict[str, Quantity] = {}
    folded: dict[tuple[str, str], Quantity] = {}
    for each in others:
        for name in each.names:
            exact.setdefault(name, each)
            folded.setdefault((_kind(each.stage), fold(name)), each)
    found: dict[str, tuple[Quantity, Quantity]] = {}
    for key, other in names.items():
        if key not in {each.key for each in ours} or (other not in by_key and other not in exact):
            raise ValueError(f"{key}={other} names no array of both sides")
    for one in ours:
        if one.key in names:
            other: Quantity | None = by_key.get(names[one.key]) or exact[names[one.key]]
        else:
            other = next((exact[name] for name in one.names if name in exact), None)
            other = other or next((folded[k] for name in one.names if (k := (_kind(one.stage), fold(name))) in folded), None)
        if other is not None and other.key not in found:
            found[other.key] = (one, other)
    pairs = sorted(found.values(), key=lambda pair: pair[1].order)
    taken = {one.key for one, _ in pairs}
    alone = tuple(each.key for each in ours if each.key not in taken)
    return Matched(pairs, alone, tuple(e.key for e in others if e.key not in found), {o.show: o.key for _, o in pairs})


def _kind(stage: str) -> str:
    return FORWARD if stage == GIVEN else stage


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:6]) + (", ..." if listed[6:] else "")


# --- verdicts


def format_of(array: Array) -> float:
    """The unit roundoff of the shortest format that holds all entries; whole numbers tell nothing."""
    values = np.ravel(array)
    values = values[np.isfinite(values) & ((values != np.round(values)) | (np.abs(values) >= 2**12))].astype(np.float64)
    stored = float(np.finfo(array.dtype).eps) / 2 if array.dtype.kind == "f" else 2.0**-53
    if values.size < 4:
        return stored
    mantissa = np.ldexp(np.abs(np.frexp(values)[0]), 8)
    formats = ((0, 2.0**-8), (3, 2.0**-11), (16, 2.0**-24))
    return next((unit for bits, unit in formats if not np.ldexp(mantissa, bits).__mod__(1).any()), 2.0**-53)


def _unit(pairs: Iterable[tuple[Array, Array]]) -> float:
    """The unit roundoff of the coarsest format among arrays that differ in any bit; small arrays count together."""
    apart = [pair for pair in pairs if pair[0].shape != pair[1].shape or not np.array_equal(*pair)]
    units = [format_of(each) for pair in apart for each in pair]
    for side in zip(*apart, strict=True):
        small = [np.ravel(each) for each in side if each.size < 8 and each.dtype.kind == "f"]
        units += [format_of(np.concatenate(small))] if small else []
    return max(units, default=2.0**-53)


def in_layout_of(values: Sequence[Array], like: Sequence[Array], groups: Sequence[Any]) -> list[tuple[Array, str]]:
    """Arrays in the layout of others, with a note where they were turned; of a group, all in the same order of axes.

    The order that fits most shapes is taken, then the one under which most agree.
    """
    chosen: dict[Any, tuple[int, ...]] = {}
    for group in dict.fromkeys(groups):
        members = [(v, o) for v, o, g in zip(values, like, groups, strict=True) if g == group and v.ndim == o.ndim]
        axes = LAYOUTS.get(group[1], ())
        scores = []
        for each in axes:
            turned = [(arranged(v, o.shape, each), o) for v, o in members]
            fits = sum(t is not None for t, _ in turned)
            near = sum(t is not None and bool(np.allclose(t, o, rtol=0.02, atol=0.02 * np.max(np.abs(o), initial=0))) for t, o in turned)
            scores.append((fits, near))
        if axes:
            chosen[group] = axes[max(range(len(axes)), key=lambda n: (*scores[n], -n))]
    found = []
    for value, other, group in zip(values, like, groups, strict=True):
        axes = chosen.get(group, ())
        turned = arranged(value, other.shape, axes if value.ndim == other.ndim == len(axes) else None)
        note = ""
        if turned is None and group[0] == "targets" and (labels := one_hot(value, other)) is not None:
            turned, note = labels, "labels read as one-hot"
        elif turned is not None and len(axes) == value.ndim and axes != tuple(range(value.ndim)):
            note = "read transposed" if value.ndim == 2 else f"axes read in the order {axes}"
        if turned is None:
            turned, note = value, ""
        found.append((turned.astype(np.float64), note))
    return found


def _reach(quantities: Sequence[Quantity], values: Sequence[Array]) -> float:
    """The largest number of the forward pass, 1 at least: A - Y is rounded as numbers of that size are."""
    sizes = [np.max(np.abs(v), initial=0.0) for q, v in zip(quantities, values, strict=True) if q.stage in (GIVEN, FORWARD)]
    return float(max([1.0, *(size for size in sizes if np.isfinite(size))]))


def _entries(
    pairs: Sequence[tuple[Quantity, Quantity]], unit: float, spread: Mapping[str, float], m: int | None
) -> list[Entry]:
    """The verdicts. A label is turned to the one-hot of the other side, whichever side has it.

    Beside rounding of their own size, gradients are rounded as A - Y is, and J as logits are.
    """
    values, like = [], []
    for one, other in pairs:
        hot = one_hot(other.value, one.value) if other.show in TARGETS else None
        values.append(one.value)
        like.append(other.value if hot is None else hot)
    laid = in_layout_of(values, like, [_group(o.show, o.value.ndim) for _, o in pairs])
    reach = _reach([other for _, other in pairs], like)
    tiny = 2**10 * reach * TINY[unit]
    entries, lost = [], False
    for (one, other), (got, note), expected in zip(pairs, laid, like, strict=True):
        expected = expected.astype(np.float64)
        size = float(np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected)))
        beside = (16 if unit < SHORT_UNIT else 4) * unit * reach**2
        if other.stage == GRADIENT and not _is_delta(other.show):
            beside /= m or 1
        if other.key in spread:
            bound = 64 * unit * size + SPREADS * spread[other.key] + tiny + beside * (other.show == "J")
        else:
            bound = SHORT[unit] * unit * size + tiny + beside * (other.stage == GRADIENT or other.show == "J")
        base = Entry(other.show, one.key, other.key, other.stage, got, expected, DIFFERS, np.inf, bound, (), note)
        if got.shape != expected.shape:
            entries.append(base._replace(note=f"shape {one.value.shape}, theirs {other.value.shape}"))
            continue
        with np.errstate(all="ignore"):
            error = np.where(got == expected, 0.0, np.abs(got - expected))
        error = np.where(np.isnan(got) & np.isnan(expected), 0.0, np.where(np.isnan(error), np.inf, error))
        worst = np.unravel_index(int(error.argmax()), error.shape)
        most = float(error[worst])
        told = CANNOT_TELL if most and (bound > LEAST_SEEN * size or not np.isfinite(bound)) else AGREES
        lost = lost or bool(np.isinf(most) and (reach**2 >= NEAR_OVERFLOW[unit] or _overflows(got, expected, unit)))
        if lost and most > bound:
            told, most = CANNOT_TELL, bound
        verdict = DIFFERS if most > bound else told if np.isfinite(expected).all() else CANNOT_TELL
        entries.append(base._replace(verdict=verdict, error=most, worst_index=tuple(int(i) for i in worst)))
    return entries


def _is_delta(name: str) -> bool:
    """Whether a gradient is that of a value, and not of a parameter."""
    return name[:2] in ("dZ", "dA", "dX", "dP")


def _overflows(got: Array, expected: Array, unit: float) -> bool:
    """Whether one side is infinite, or no number, where the other is beyond or near what the format holds."""
    odd = ~(np.isfinite(got) & np.isfinite(expected))
    with np.errstate(all="ignore"):
        size = np.fmax(*(np.where(np.isfinite(each), np.abs(each), np.nan) for each in (got, expected)))
    return bool((size[odd] >= NEAR_OVERFLOW[unit]).all())


def _per_example(entries: list[Entry], m: int | None) -> tuple[list[Entry], tuple[Root, ...]]:
    """Where every dZ and dA is m or 1/m times the other side's, and gradients of parameters agree: a convention."""
    gradients = [each for each in entries if each.stage == GRADIENT]
    deltas, parameters = ([e for e in gradients if _is_delta(e.name) == kind] for kind in (True, False))
    if not m or m < 2 or not deltas or all(each.verdict == AGREES for each in deltas):
        return entries, ()
    if not parameters or any(each.verdict == DIFFERS for each in parameters):
        return entries, ()
    for factor, one, other in ((m, "mine", "theirs"), (1 / m, "theirs", "mine")):
        if all(close(e.got, factor * e.expected, max(factor, 1) * e.bound) for e in deltas):
            text = f"{one} has dZ and dA per example, without the 1/m (m = {m}) that {other} carries, as Z.grad does"
            names = [each.name for each in deltas]
            right = {e.name: e._replace(got=e.got / factor, verdict=AGREES, error=0.0, note=f"{one} is m times {other}") for e in deltas}
            return [right.get(e.name, e) for e in entries], (Root(names[0], "per-example", text, "layout.dZ", tuple(names[1:])),)
    return entries, ()


def _group(name: str, ndim: int) -> tuple[str, int]:
    """The arrays that have one layout."""
    base = name.removeprefix("d").removesuffix("_new")
    weight = base.rstrip("0123456789") in ("W", "w") or base.endswith("weight")
    return "targets" if base in TARGETS else "weights" if weight else "values", ndim


def spreads(trace: Trace, unit: float) -> dict[str, float]:
    """How far each quantity moves where every value is rounded otherwise."""
    spread = dict.fromkeys(trace.base, 0.0)
    for seed in range(RUNS):
        moved = trace.run(unit=ROUNDED * unit, seed=seed)
        for name, value in moved.items():
            spread[name] = max(spread[name], float(np.max(np.abs(value - trace.base[name]), initial=0.0)))
    return spread


# --- causes


def _by_trace(
    trace: Trace,
    base: Arrays,
    entries: Sequence[Entry],
    unit: float,
    numbers: Mapping[str, float],
    one: str,
    other: str,
    keys: Mapping[str, str],
) -> list[Root]:
    """The roots among what differs, each with the known change of the module that gives it, or how the arrays differ."""
    got = {keys[each.name]: each.got for each in entries}
    bounds = {keys[each.name]: each.bound for each in entries}
    names = {key: name for name, key in keys.items()}
    differ = [keys[each.name] for each in entries if each.verdict == DIFFERS]
    wrong = [name for name in differ if not close(got[name], base[name], bounds[name])]
    put: Arrays = {}
    roots: list[Root] = []
    while wrong and len(roots) < MOST_ROOTS:
        first = wrong[0]
        found = []
        for turned in _layouts(got, wrong, first):
            if found := explain(trace, base, turned, set(wrong), first, bounds, numbers, put):
                got = turned
                break
        if found:
            cause = _one_of(found, one, other)
            explained = found[0].names - {first}
            put |= {name: got[name] for name in found[0].names if got[name].shape == base[name].shape}
        else:
            cause = _pattern(names[first], got[first], base[first], bounds[first], numbers, one, other, len(trace.X), base, names)
            if got[first].shape != base[first].shape:
                roots.append(_root(names[first], cause, []))
                break
            put[first] = got[first]
            explained = frozenset()
        base = trace.run(put=put)
        explained |= {name for name in wrong if name != first and close(got[name], base[name], bounds[name])}
        roots.append(_root(names[first], cause, [names[each] for each in wrong if each in explained]))
        wrong = [each for each in wrong if each != first and each not in explained]
    return roots


def _layouts(got: Arrays, wrong: Sequence[str], first: str) -> Iterator[Arrays]:
    """The arrays, and in the other layouts that their shapes allow, where none agrees that would show which is right."""
    yield got
    like = [name for name in got if got[name].ndim == got[first].ndim and name not in ("X", "Y") and "." not in name]
    if got[first].ndim != 4 or any(name not in wrong for name in like):
        return
    for axes in LAYOUTS[4][1:3]:
        turned = {name: got[name].transpose(axes) for name in like}
        if all(value.shape == got[name].shape for name, value in turned.items()):
            yield {**got, **turned}


def _root(name: str, cause: Cause, follows: Iterable[str]) -> Root:
    return Root(name, cause.id, cause.text, cause.row, tuple(follows))


def _one_of(found: Sequence[Explained], one: str, other: str) -> Cause:
    """The cause; where nothing tells several apart, all of them."""
    by_id = {each.cause.id: each.cause for each in reversed(found)}
    causes = [each for each in dict.fromkeys(e.cause.id for e in found)]
    texts = [by_id[each].text.format(one=one, base=other) for each in causes[:3]]
    return Cause(" or ".join(causes[:3]), "; or ".join(texts), by_id[causes[0]].row)


def _pattern(
    name: str,
    got: Array,
    expected: Array,
    bound: float,
    numbers: Mapping[str, float],
    one: str,
    other: str,
    m: int | None,
    arrays: Mapping[str, Array],
    names: Mapping[str, str],
) -> Cause:
    """How two arrays differ, where no change of a module is known that does it."""
    if got.shape == expected.shape and float(np.max(np.abs(got - expected))) < PLAINLY * bound:
        if rounded := _rounding(got, expected):
            return Cause("tf32", rounded, "devices.tf32")
        return Cause("unknown", "they differ by little more than rounding: a constant, or a shorter format, on one side?")
    known = {names.get(key, key): value for key, value in arrays.items() if names.get(key, key) != name and np.ndim(value)}
    base = name.removeprefix("d").removesuffix("_new")
    parameter = known.get(base)
    if name.endswith("_new") and parameter is not None and parameter.shape == got.shape == expected.shape:
        found = pattern_of(got - parameter, expected - parameter, np.full(expected.shape, bound), Known(m, None, {}, numbers))
        if found.text:
            return Cause("pattern", f"the step of {base}, {one} against {other}: {found.text}{_epoch(found.text)}")
    found = pattern_of(got, expected, np.full(expected.shape, bound), Known(m, parameter, known, numbers))
    if found.text:
        return Cause("pattern", f"{one} against {other}: {found.text}")
    if got.shape != expected.shape:
        return Cause("shape", f"{one} has shape {got.shape}, {other} {expected.shape}")
    return Cause("unknown", "no known mistake or convention gives these numbers")


def _epoch(text: str) -> str:
    return ": the rate of another epoch, a schedule that is off by one?" if "gamma" in text else ""


def _rounding(got: Array, expected: Array) -> str:
    """Whether two arrays in float32 differ as rounding to about 10 bits does: by so much, both ways, large and small alike."""
    if max(format_of(got), format_of(expected)) < 2.0**-24 or got.size < 16:
        return ""
    error, size = got - expected, float(np.max(np.abs(expected)))
    both_ways = abs(int(np.sign(error).sum())) <= 4 * np.sqrt(error.size)
    alike = abs(float(np.corrcoef(np.ravel(error), np.ravel(expected))[0, 1])) < 4 / np.sqrt(error.size)
    if 2.0**-14 < float(np.max(np.abs(error))) / size < 2.0**-8 and both_ways and alike:
        return (
            "they differ by rounding to about 10 bits, both ways, as TF32 products do: "
            "torch.backends.cudnn.allow_tf32 = False"
        )
    return ""


def _by_patterns(entries: Sequence[Entry], numbers: Mapping[str, float], m: int | None) -> list[Root]:
    """The first that differs, by its pattern; what differs in the same way is said to follow."""
    arrays = {each.name: each.expected for each in entries}
    wrong = [each for each in entries if each.verdict == DIFFERS]
    causes = [
        _pattern(e.name, e.got, e.expected, e.bound, numbers, "mine", "theirs", m, arrays, {}) for e in wrong
    ]
    same = [e.name for e, cause in zip(wrong[1:], causes[1:], strict=True) if cause.text == causes[0].text != ""]
    return [_root(wrong[0].name, causes[0], same if causes[0].id != "unknown" else [])]


def _examples(arrays: Mapping[str, Array]) -> int | None:
    """m, where X and a parameter show which axis has the examples."""
    X, W = arrays.get("X"), arrays.get("W1", arrays.get("W"))
    if X is None or X.ndim != 2:
        return None if X is None else len(X)
    if W is None or W.ndim != 2:
        return None
    return int(X.shape[1] if X.shape[0] in W.shape else X.shape[0])


def _by_rebuilding(entries: Sequence[Entry], unit: float, numbers: Mapping[str, float]) -> list[Root]:
    """The roots by a network of the given parameters that computes one of the sides, where there is one."""
    first = next(each for each in entries if each.verdict == DIFFERS)
    if first.stage == GIVEN:
        return []
    for trace in rebuilt(entries):
        keys, mine, theirs = _in_trace(trace, entries)
        if first.name not in keys:
            return []
        bounds = _bounds(trace, unit)
        mine, theirs = (_by_m(side, trace, bounds) for side in (mine, theirs))
        shared = [each for each in entries if each.name in keys]
        tried = []
        for side, others, one, other in ((theirs, mine, "mine", "theirs"), (mine, theirs, "theirs", "mine")):
            right = {n for n, v in side.items() if close(v, trace.base[n], bounds[n])}
            tried.append((len(right), keys[first.name] in right, others, one, other))
        for _, holds, others, one, other in sorted(tried, key=lambda each: -each[0]):
            if holds:
                roots = []
                for values, who, base in ((others, one, other), (theirs if others is mine else mine, other, "plain gradients")):
                    chosen = [e._replace(got=values[keys[e.name]], bound=bounds[keys[e.name]]) for e in shared]
                    roots += _by_trace(trace, trace.base, chosen, unit, numbers, who, base, keys)
                return roots
        wrong = {keys[each.name] for each in shared if each.verdict == DIFFERS}
        if first.stage == GRADIENT and tried[0][0] >= len(keys) - len(wrong):
            both = [explain(trace, trace.base, side, wrong, keys[first.name], bounds, numbers, {}) for side in (mine, theirs)]
            if all(both):
                causes = [_one_of(found, who, "plain gradients") for found, who in zip(both, ("mine", "theirs"), strict=True)]
                follows = [e.name for e in shared if keys[e.name] in both[0][0].names & both[1][0].names and e is not first]
                text = "; ".join(each.text for each in causes)
                return [Root(first.name, " against ".join(dict.fromkeys(e.id for e in causes)), text, causes[0].row, tuple(follows))]
    return []


def _bounds(trace: Trace, unit: float) -> dict[str, float]:
    """What rounding may do to each quantity of a network."""
    tiny = float(np.finfo(float).tiny)
    return {
        name: 64 * unit * float(np.max(np.abs(trace.base[name]), initial=0.0)) + SPREADS * spread + tiny
        for name, spread in spreads(trace, unit).items()
    }


def _by_m(side: Arrays, trace: Trace, bounds: Mapping[str, float]) -> Arrays:
    """A side whose dZ and dA are per example, as the network's are: divided by m, where more of them agree then."""
    m = len(trace.X)
    deltas = [n for n in side if n.startswith("d ") and n[2:] not in dict(trace.module.named_parameters())]
    plain, divided = (
        sum(close(side[n] / by, trace.base[n], bounds[n]) for n in deltas) for by in (1, m)
    )
    return {**side, **{n: side[n] / m for n in deltas}} if divided > plain else side


def _in_trace(trace: Trace, entries: Sequence[Entry]) -> tuple[dict[str, str], Arrays, Arrays]:
    """For entries that the network has: its key by name, and both sides in its layout."""
    aliases = {
        _marked(value.stage, alias): key for key, value in reversed(list(trace.values.items())) for alias in value.aliases
        if key in trace.base
    }  # fmt: skip
    shared = [each for each in entries if each.name in aliases]
    keys = {each.name: aliases[each.name] for each in shared}
    like = [trace.base[keys[each.name]] for each in shared]
    groups = [_group(each.name, o.ndim) for each, o in zip(shared, like, strict=True)]
    sides = []
    for side in ("got", "expected"):
        laid = in_layout_of([getattr(each, side) for each in shared], like, groups)
        sides.append({keys[e.name]: value for e, (value, _) in zip(shared, laid, strict=True)})
    return keys, sides[0], sides[1]


def _numbers(entry: Entry) -> str:
    """The numbers of a root, in words."""
    if entry.note.startswith("shape"):
        return f"differs: {entry.note}"
    where = f" at {list(entry.worst_index)}" if entry.worst_index else ""
    a, b = entry.got[entry.worst_index], entry.expected[entry.worst_index]
    return f"differs{where}: mine {a:.6g}, theirs {b:.6g}, error / bound {entry.ratio:.2g}"
