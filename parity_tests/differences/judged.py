"""Two arrays that should be equal: in one layout, and within what rounding does, or not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from manual.notation import Array
from parity_tests.differences.hypotheses import close
from parity_tests.differences.names import FORWARD, GIVEN, GRADIENT, LAYOUTS, TARGETS, Quantity, arranged, one_hot
from parity_tests.differences.trace import Trace

AGREES, DIFFERS, CANNOT_TELL = "agrees", "differs", "cannot tell"


class Format(NamedTuple):
    """What rounding does in a format: its unit roundoff, its digits, the smallest normal number, what is near overflow.

    Two right computations lie ``roundings`` of the largest entry apart at most, and ``beside`` of numbers of size one.
    """

    unit: float
    bits: int
    tiny: float
    near_overflow: float
    roundings: int
    beside: int


FORMATS = (
    Format(2.0**-8, 8, 2.0**-126, 2.0**116, 2**4, 4),
    Format(2.0**-11, 11, 2.0**-14, 2.0**9, 2**6, 4),
    Format(2.0**-24, 24, 2.0**-126, 2.0**116, 2**11, 16),
    Format(2.0**-53, 53, 2.0**-1022, 2.0**1010, 2**13, 16),
)
"""bfloat16, float16, float32, float64."""

TELLING, PLAIN_BITS = 3, 4
"""So many different digits show in which format they were: of numbers of more bits than 0.5 and the like have."""

RUNS, SPREADS, ROUNDED = 4, 4, 8
"""Runs of the module with every value rounded otherwise, by so many roundings; so many spreads may lie between two."""

LEAST_SEEN = 0.2
"""Where rounding could hide this share of an array, nothing can be told."""


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


def format_of(*arrays: Array) -> Format:
    """The shortest format that holds all entries, even if stored in a longer one; small whole numbers tell nothing."""
    digits = _digits(*arrays)
    if digits.size < TELLING:
        stored = [np.finfo(each.dtype).eps / 2 for each in arrays if each.dtype.kind == "f"]
        return next((each for each in FORMATS if each.unit <= max(stored, default=0.0)), FORMATS[-1])
    return next(each for each in FORMATS if not (np.ldexp(digits, each.bits) % 1).any())


def _digits(*arrays: Array) -> Any:
    """The different mantissas of numbers that are not whole, or are large, without the plainest, such as 0.5."""
    values = np.concatenate([np.ravel(each).astype(np.float64) for each in arrays])
    values = values[np.isfinite(values) & ((values != np.round(values)) | (np.abs(values) >= 2**12))]
    digits = np.unique(np.abs(np.frexp(values)[0]))
    return digits[np.ldexp(digits, PLAIN_BITS) % 1 != 0]


def format_of_pairs(pairs: Iterable[tuple[Array, Array]]) -> Format:
    """The shortest format of what differs in any bit; of a side, arrays with few different digits count together."""
    pairs = list(pairs)
    apart = [pair for pair in pairs if pair[0].shape != pair[1].shape or not np.array_equal(*pair)] or pairs
    found = [FORMATS[-1]]
    for side in zip(*apart, strict=True):
        telling = [_digits(each).size >= TELLING for each in side]
        found += [format_of(each) for each, tells in zip(side, telling, strict=True) if tells]
        few = [each for each, tells in zip(side, telling, strict=True) if not tells]
        found += [format_of(*few)] if few else []
    return max(found)


def in_layout_of(values: Sequence[Array], like: Sequence[Array], names: Sequence[str]) -> list[tuple[Array, str]]:
    """Arrays in the layout of others, with a note where they were turned; weights, values and targets have one each.

    The order of axes that fits most shapes is taken, then the one under which most agree.
    """
    groups = [_group(name, other.ndim) for name, other in zip(names, like, strict=True)]
    chosen: dict[tuple[str, int], tuple[int, ...]] = {}
    for group in dict.fromkeys(groups):
        members = [(v, o) for v, o, g in zip(values, like, groups, strict=True) if g == group and v.ndim == o.ndim]

        def fits(axes: tuple[int, ...], members: list[tuple[Array, Array]] = members) -> tuple[int, int]:
            turned = [(t, o) for v, o in members if (t := arranged(v, o.shape, axes)) is not None]
            return len(turned), sum(
                bool(np.allclose(t, o, 0.02, 0.02 * np.max(np.abs(o), initial=0))) for t, o in turned
            )

        if layouts := LAYOUTS.get(group[1], ()):
            chosen[group] = max(layouts, key=fits)  # the first of equals: as they are
    found = []
    for value, other, group in zip(values, like, groups, strict=True):
        order = chosen.get(group, ()) if value.ndim == other.ndim else ()
        turned = arranged(value, other.shape, order or None)
        if turned is None and order and group[0] == "values":  # a side may have rows here and columns there
            fitting = [each for each in LAYOUTS[group[1]] if arranged(value, other.shape, each) is not None]
            order = fitting[0] if fitting else order
            turned = arranged(value, other.shape, order)
        note = ""
        if turned is None and group[0] == "targets" and (turned := one_hot(value, other)) is not None:
            note = "labels read as one-hot"
        elif turned is not None and order != tuple(range(len(order))):
            note = "read transposed" if value.ndim == 2 else f"axes read in the order {order}"
        found.append(((value if turned is None else turned).astype(np.float64), note))
    return found


def _group(name: str, ndim: int) -> tuple[str, int]:
    """The arrays that have one layout."""
    base = name.removeprefix("d").removesuffix("_new")
    weight = base.rstrip("0123456789") in ("W", "w") or base.endswith("weight")
    return "targets" if base in TARGETS else "weights" if weight else "values", ndim


def entries_of(
    pairs: Sequence[tuple[Quantity, Quantity]], kind: Format, m: int | None, spread: Mapping[str, float] | None = None
) -> list[Entry]:
    """The verdicts; ``spread`` is how far rounding moves what a module computes.

    A - Y is rounded as the largest numbers of the forward pass are, and so are its gradients, and J.
    """
    hot = [one_hot(other.value, one.value) if other.show in TARGETS else None for one, other in pairs]
    like = [other.value if labels is None else labels for (_, other), labels in zip(pairs, hot, strict=True)]
    laid = in_layout_of([one.value for one, _ in pairs], like, [other.show for _, other in pairs])
    forward = [v for (_, other), v in zip(pairs, like, strict=True) if other.stage in (GIVEN, FORWARD)]
    reach = max([1.0, *(float(size) for v in forward if np.isfinite(size := np.max(np.abs(v), initial=0.0)))])
    entries, lost = [], False
    for (one, other), (got, note), expected in zip(pairs, laid, like, strict=True):
        expected = expected.astype(np.float64)
        size = float(np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected)))
        of_A_Y = kind.beside * reach**2 / ((m or 1) if other.stage == GRADIENT and not is_delta(other.show) else 1)
        if spread is None:
            roundings = kind.roundings * size + of_A_Y * (other.stage == GRADIENT or other.show == "J")
        else:
            roundings = 64 * size + of_A_Y * (other.show == "J")
        bound = kind.unit * roundings + 2**10 * reach * kind.tiny + SPREADS * (spread or {}).get(other.key, 0.0)
        entry = Entry(other.show, one.key, other.key, other.stage, got, expected, DIFFERS, np.inf, bound, (), note)
        if got.shape != expected.shape:
            entries.append(entry._replace(note=f"shape {one.value.shape}, theirs {other.value.shape}"))
            continue
        error = _errors(got, expected)
        worst = np.unravel_index(int(error.argmax()), error.shape)
        most = float(error[worst])
        lost = lost or bool(np.isinf(most) and (reach**2 >= kind.near_overflow or _overflows(got, expected, kind)))
        hidden = most > 0 and not bound <= LEAST_SEEN * size
        untold = hidden or not np.isfinite(expected).all()
        verdict = (CANNOT_TELL if lost else DIFFERS) if most > bound else CANNOT_TELL if untold else AGREES
        entries.append(entry._replace(verdict=verdict, error=most, worst_index=tuple(int(i) for i in worst)))
    return entries


def _errors(got: Array, expected: Array) -> Array:
    """Entry by entry; equal ones have none, nor have two NaNs, and one NaN is infinitely off."""
    with np.errstate(all="ignore"):
        error = np.where(got == expected, 0.0, np.abs(got - expected))
    return np.where(np.isnan(got) & np.isnan(expected), 0.0, np.where(np.isnan(error), np.inf, error))


def is_delta(name: str) -> bool:
    """Whether a gradient is that of a value, and not of a parameter."""
    return name[:2] in ("dZ", "dA", "dX", "dP")


def _overflows(got: Array, expected: Array, kind: Format) -> bool:
    """Whether one side is infinite, or no number, where the other is beyond or near what the format holds."""
    odd = ~(np.isfinite(got) & np.isfinite(expected))
    with np.errstate(all="ignore"):
        size = np.fmax(*(np.where(np.isfinite(each), np.abs(each), np.nan) for each in (got, expected)))
    return bool((size[odd] >= kind.near_overflow).all())


def per_example(entries: list[Entry], m: int | None) -> tuple[list[Entry], tuple[Root, ...]]:
    """Where every dZ and dA is m or 1/m times the other side's, and gradients of parameters agree: a convention."""
    deltas = [each for each in entries if each.stage == GRADIENT and is_delta(each.name)]
    parameters = [each for each in entries if each.stage == GRADIENT and not is_delta(each.name)]
    if not m or m < 2 or not parameters or any(each.verdict == DIFFERS for each in parameters):
        return entries, ()
    for factor, one, other in ((m, "mine", "theirs"), (1 / m, "theirs", "mine")):
        off = [each for each in deltas if each.verdict == DIFFERS]
        if off and all(close(each.got, factor * each.expected, max(factor, 1) * each.bound) for each in deltas):
            right = {}
            for each in deltas:
                told = CANNOT_TELL if each.bound > LEAST_SEEN * np.max(np.abs(each.expected), initial=0.0) else AGREES
                right[each.name] = each._replace(
                    got=each.got / factor, verdict=told, error=0.0, note=f"{one} is m times {other}"
                )
            text = f"{one} has dZ and dA per example, without the 1/m (m = {m}) that {other} carries, as Z.grad does"
            root = Root(deltas[0].name, "per-example", text, "layout.dZ", tuple(each.name for each in deltas[1:]))
            return [right.get(each.name, each) for each in entries], (root,)
    return entries, ()


def spreads(trace: Trace, kind: Format) -> dict[str, float]:
    """How far each quantity moves where every value is rounded otherwise."""
    spread = dict.fromkeys(trace.base, 0.0)
    for seed in range(RUNS):
        moved = trace.run(unit=ROUNDED * kind.unit, seed=seed)
        for name, value in moved.items():
            spread[name] = max(spread[name], float(np.max(np.abs(value - trace.base[name]), initial=0.0)))
    return spread


def bounds_of(trace: Trace, kind: Format) -> dict[str, float]:
    """What rounding may do to each quantity of a network."""
    sizes = {name: float(np.max(np.abs(value), initial=0.0)) for name, value in trace.base.items()}
    moved = spreads(trace, kind)
    return {n: 64 * kind.unit * size + SPREADS * moved[n] + kind.tiny for n, size in sizes.items()}
