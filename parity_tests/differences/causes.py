"""Why two sets of numbers differ: the roots, each with its cause, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from manual.notation import Array
from parity_tests.differences.hypotheses import Explained, close, explain
from parity_tests.differences.judged import DIFFERS, FORMATS, Entry, Format, Root, bounds_of, format_of, in_layout_of
from parity_tests.differences.names import GIVEN, GRADIENT, LAYOUTS, marked
from parity_tests.differences.patterns import Known, pattern_of
from parity_tests.differences.rebuilt import rebuilt
from parity_tests.differences.trace import Arrays, Trace
from parity_tests.differences.variants import Cause

PLAINLY = 16
"""So many bounds apart, two arrays show how they differ."""

MOST_ROOTS = 4

NAMES = ("mine", "theirs")


class Sides(NamedTuple):
    """What the two sides are called, the one that is explained first, and what is known beside their arrays."""

    one: str = "mine"
    other: str = "theirs"
    m: int | None = None
    numbers: Mapping[str, float] = {}


def roots_by_trace(trace: Trace, entries: Sequence[Entry], keys: Mapping[str, str], sides: Sides) -> list[Root]:
    """The roots among what differs, each with the change of the module that gives it, or how the arrays differ."""
    base = trace.base
    got = {keys[each.name]: each.got for each in entries}
    bounds = {keys[each.name]: each.bound for each in entries}
    names = {key: name for name, key in keys.items()}
    differ = [keys[each.name] for each in entries if each.verdict == DIFFERS]
    wrong = [name for name in differ if not close(got[name], base[name], bounds[name])]
    put: Arrays = {}
    roots: list[Root] = []
    while wrong and len(roots) < MOST_ROOTS:
        first, explained = wrong[0], frozenset[str]()
        for turned in _layouts(got, wrong, first):
            if found := explain(trace, base, turned, set(wrong), first, bounds, sides.numbers, put):
                got = turned
                break
        if found:
            cause, explained = _one_of(found, sides), found[0].names
        else:
            known = {names.get(key, key): value for key, value in base.items()}
            cause = pattern_cause(names[first], got[first], base[first], bounds[first], known, sides)
        put |= {name: got[name] for name in {first, *explained} if got[name].shape == base[name].shape}
        base = trace.run(put=put)
        explained |= {name for name in wrong if close(got[name], base[name], bounds[name])}
        roots.append(_root(names[first], cause, [names[each] for each in wrong[1:] if each in explained]))
        wrong = [each for each in wrong[1:] if each not in explained]
        if got[first].shape != base[first].shape:
            break  # what lies behind it cannot be computed
    return roots


def _layouts(got: Arrays, wrong: Sequence[str], first: str) -> Iterator[Arrays]:
    """The arrays, and in the other layouts that their shapes allow, where none agrees that would show which."""
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


def _one_of(found: Sequence[Explained], sides: Sides) -> Cause:
    """The cause; where nothing tells several apart, all of them."""
    causes = list({each.cause.id: each.cause for each in reversed(found)}.values())[::-1][:3]
    texts = [each.text.format(one=sides.one, base=sides.other) for each in causes]
    return Cause(" or ".join(each.id for each in causes), "; or ".join(texts), causes[0].row)


def pattern_cause(
    name: str, got: Array, expected: Array, bound: float, arrays: Mapping[str, Array], sides: Sides
) -> Cause:
    """How two arrays differ, where no change of a module is known that does it."""
    one, other, m, numbers = sides
    limit = np.full(expected.shape, bound)
    if got.shape == expected.shape and float(np.max(np.abs(got - expected))) < PLAINLY * bound:
        if _rounded_to_ten_bits(got, expected):
            words = "they differ by rounding to about 10 bits, both ways, as TF32 products do"
            return Cause("tf32", f"{words}: torch.backends.cudnn.allow_tf32 = False", "devices.tf32")
        return Cause("unknown", "they differ by little more than rounding: a small constant, or a shorter format?")
    parameter = arrays.get(name.removeprefix("d").removesuffix("_new"))
    if name.endswith("_new") and parameter is not None and parameter.shape == got.shape == expected.shape:
        steps = got - parameter, expected - parameter
        if text := pattern_of(*steps, limit, Known(m, numbers=numbers)).text:
            epoch = ": the rate of another epoch, a schedule that is off by one?" if "gamma" in text else ""
            return Cause("pattern", f"the step, {one} against {other}: {text}{epoch}")
    known = {key: value for key, value in arrays.items() if key != name and np.ndim(value)}
    if text := pattern_of(got, expected, limit, Known(m, parameter, known, numbers)).text:
        return Cause("pattern", f"{one} against {other}: {text}")
    if got.shape != expected.shape:
        return Cause("shape", f"{one} has shape {got.shape}, {other} {expected.shape}")
    return Cause("unknown", "no known mistake or convention gives these numbers")


def _rounded_to_ten_bits(got: Array, expected: Array) -> bool:
    """Whether arrays in float32 differ by so much, both ways, large entries and small ones alike."""
    if min(format_of(got), format_of(expected)).unit < FORMATS[2].unit or got.size < 16:
        return False
    error, size = got - expected, float(np.max(np.abs(expected)))
    both_ways = abs(int(np.sign(error).sum())) <= 4 * np.sqrt(error.size)
    alike = abs(float(np.corrcoef(np.ravel(error), np.ravel(expected))[0, 1])) < 4 / np.sqrt(error.size)
    return bool(2.0**-14 < float(np.max(np.abs(error))) / size < 2.0**-8 and both_ways and alike)


def roots_by_patterns(entries: Sequence[Entry], sides: Sides) -> list[Root]:
    """The first that differs, by its pattern; what differs in the same way is said to follow."""
    arrays = {each.name: each.expected for each in entries}
    first, *rest = [each for each in entries if each.verdict == DIFFERS]
    cause, *others = (pattern_cause(e.name, e.got, e.expected, e.bound, arrays, sides) for e in (first, *rest))
    same = [e.name for e, other in zip(rest, others, strict=True) if other == cause and cause.id != "unknown"]
    if cause.text.endswith("times everywhere") and (
        why := _one_factor([e for e in entries if e.stage == GRADIENT], sides)
    ):
        cause = cause._replace(text=f"{cause.text}: {why}")
    return [_root(first.name, cause, same)]


def _one_factor(gradients: Sequence[Entry], sides: Sides) -> str:
    """What gives all gradients of the parameters one factor: a mean over the outputs, a half, or turns that add up."""
    sizes = {float(np.vdot(each.got, each.expected) / np.vdot(each.expected, each.expected)) for each in gradients}
    c = min(sizes, default=0.0)
    if len(gradients) < 2 or c <= 0 or not np.allclose([*sizes], c, rtol=1e-3):
        return ""
    more, less, factor = (sides.one, sides.other, c) if c > 1 else (sides.other, sides.one, 1 / c)
    biases = [each.expected.size for each in gradients if each.name.startswith("db") and each.expected.ndim]
    n = biases[0] if biases else 1  # gradients are in order from the last layer down
    ways = [(float(k), f"{more} is accumulated over {k} turns, without zero_grad()") for k in range(2, 11)]
    ways.append((2.0, f"{less} has the half of the squares"))
    if n > 1:
        ways += [
            (float(n), f"{less} is a mean over the n_L = {n} outputs too (reduction='mean')"),
            (
                n / 2,
                f"{less} is a mean over the n_L = {n} outputs too (nn.MSELoss), {more} has the half of the squares",
            ),
        ]
    return ", or ".join(text for value, text in ways if np.isclose(value, factor, rtol=1e-3))


def roots_by_rebuilding(
    entries: Sequence[Entry],
    kind: Format,
    numbers: Mapping[str, float],
    called: tuple[str, str],
    given: Mapping[str, Array],
) -> list[Root]:
    """The roots by a network of the given parameters that computes one of the sides, where there is one.

    What is ``given`` may stand in one of the sides alone. Where gradients of neither side are plain, both may be
    explained: one clips by the norm, the other by value.
    """
    first = next(each for each in entries if each.verdict == DIFFERS)
    if first.stage == GIVEN:
        return []
    for trace in rebuilt({**given, **{each.name: each.expected for each in entries}}):
        keys, mine, theirs = _in_trace(trace, entries)
        if first.name not in keys:
            return []
        bounds = bounds_of(trace, kind)
        mine, theirs = (_by_m(side, trace, bounds) for side in (mine, theirs))
        shared = [each._replace(bound=bounds[keys[each.name]]) for each in entries if each.name in keys]
        m, at = len(trace.X), keys[first.name]

        def roots(
            side: Arrays, sides: Sides, trace: Trace = trace, shared: list[Entry] = shared, keys: dict[str, str] = keys
        ) -> list[Root]:
            return roots_by_trace(trace, [each._replace(got=side[keys[each.name]]) for each in shared], keys, sides)

        right = {
            id(side): {n for n, v in side.items() if close(v, trace.base[n], bounds[n])} for side in (mine, theirs)
        }
        ways = [(theirs, mine, *called), (mine, theirs, *called[::-1])]
        for side, others, one, other in sorted(ways, key=lambda way: -len(right[id(way[0])])):
            if at in right[id(side)]:
                plain = roots(side, Sides(other, "plain gradients", m, numbers))
                return [*roots(others, Sides(one, other, m, numbers)), *plain]
        wrong = {keys[each.name] for each in shared if each.verdict == DIFFERS}
        if first.stage == GRADIENT and len(right[id(theirs)]) >= len(keys) - len(wrong):
            both = [explain(trace, trace.base, side, wrong, at, bounds, numbers, {}) for side in (mine, theirs)]
            if all(both):
                cause, second = (_one_of(f, Sides(who, "plain gradients")) for f, who in zip(both, called, strict=True))
                ids, text = f"{cause.id} against {second.id}", f"{cause.text}; {second.text}"
                explained = both[0][0].names & both[1][0].names
                follows = [each.name for each in shared if keys[each.name] in explained and each.name != first.name]
                return [Root(first.name, ids, text, cause.row, tuple(follows))]
    return []


def _by_m(side: Arrays, trace: Trace, bounds: Mapping[str, float]) -> Arrays:
    """A side whose dZ and dA are per example, as the network's are: divided by m, where more of them agree then."""
    m = len(trace.X)
    deltas = [n for n in side if n.startswith("d ") and n[2:] not in dict(trace.module.named_parameters())]
    plain, divided = (sum(close(side[n] / by, trace.base[n], bounds[n]) for n in deltas) for by in (1, m))
    return {**side, **{n: side[n] / m for n in deltas}} if divided > plain else side


def _in_trace(trace: Trace, entries: Sequence[Entry]) -> tuple[dict[str, str], Arrays, Arrays]:
    """For entries that the network has: its key by name, and both sides in its layout."""
    values = reversed([(key, value) for key, value in trace.values.items() if key in trace.base])
    aliases = {marked(value.stage, alias): key for key, value in values for alias in value.aliases}
    shared = [each for each in entries if each.name in aliases]
    keys = {each.name: aliases[each.name] for each in shared}
    like = [trace.base[keys[each.name]] for each in shared]
    sides = []
    for side in ("got", "expected"):
        laid = in_layout_of([getattr(each, side) for each in shared], like, [each.name for each in shared])
        sides.append({keys[e.name]: value for e, (value, _) in zip(shared, laid, strict=True)})
    return keys, sides[0], sides[1]
