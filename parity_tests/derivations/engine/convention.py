"""Constant factors, in the text's own sizes: gradients may carry m, 1/m, a 2 or a minus sign and still be right."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.events import NAMED, Run
from parity_tests.derivations.engine.probes import Probe
from parity_tests.derivations.engine.shapes.sizes import without_ones

SAME = 1e-7
MOST_LIKELY_SIZES = range(3, 10_000)


def same_factor(a: float, b: float) -> bool:
    """Whether two factors are equal to rounding."""
    return bool(abs(a - b) <= SAME * abs(b))


def sizes_of(probe: Probe, run: Run) -> dict[str, int]:
    """The sizes by the names that the text has for them, the batch first; an unnamed one as ``X.shape[0]``.

    An unnamed one of 2 that is not the batch is left out: a factor of 2 is that of a square.
    """
    sizes = {name: size for name, size in probe.sizes.items() if size > 1}
    for event in run.events:
        if event.role == NAMED and not event.missing and _is_a_size(event.value):
            sizes.setdefault(symbols.written(event.name), int(event.value))
    for name, value in probe.given.items():
        for axis, size in enumerate(np.shape(value)):
            if (size > 2 or (size > 1 and size == probe.batch)) and size not in sizes.values():
                sizes[f"{symbols.written(name)}.shape[{axis}]"] = size
    return dict(sorted(sizes.items(), key=lambda each: each[1] != probe.batch))


def _is_a_size(value: Any) -> bool:
    """Whether a number is whole, and neither too small nor too large to count something."""
    number = np.asarray(value)
    is_whole = number.ndim == 0 and number.dtype.kind in "iuf" and float(number).is_integer()
    return is_whole and int(number) in MOST_LIKELY_SIZES


def in_words(factor: float, sizes: dict[str, int]) -> str | None:
    """``N``, ``1/m``, ``-2``, ``2/m``: a product of a sign, 1, 2 or 1/2 and sizes; None for any other number."""
    words, usual = _usual_factors(tuple(sizes.items()))
    found = np.flatnonzero(np.abs(abs(factor) - usual) <= SAME * usual)
    return ("-" if factor < 0 else "") + words[found[0]] if found.size else None


@lru_cache(maxsize=64)
def _usual_factors(sizes: tuple[tuple[str, int], ...]) -> tuple[list[str], Any]:
    """The factors that people use, in words and as numbers, the simplest first; asked for at every value of a run."""
    counts = [("1", 1.0), *((name, float(count)) for name, count in sizes)]
    counts += [(f"{a} * {b}", float(m * n)) for (a, m), (b, n) in combinations(sizes, 2)]
    found: list[tuple[str, float]] = []
    for name, count in counts:
        below = f"({name})" if "*" in name else name
        for number, mark in ((1.0, ""), (2.0, "2"), (0.5, "1/2")):
            if name == "1":
                found.append((mark or "1", number))
                continue
            found.append((f"{mark} * {name}" if mark else name, number * count))
            found.append((f"1/(2 * {name})" if mark == "1/2" else f"{mark or 1}/{below}", number / count))
    return [words for words, _ in found], np.array([number for _, number in found])


def is_a_count(factor: float, sizes: dict[str, int]) -> bool:
    """Whether a factor is 1, a size or one over a size: all that a mean may be about where the slope of J is given."""
    return any(same_factor(factor, each) or same_factor(factor, 1 / each) for each in (1, *sizes.values()))


def on_other_sizes(factor: float, sizes: dict[str, int], others: dict[str, int]) -> float:
    """The same factor in words, on another probe: m is another number there."""
    for names in ((), *((name,) for name in sizes), *combinations(sizes, 2)):
        count = float(np.prod([sizes[name] for name in names]))
        new = float(np.prod([others.get(name, 1) for name in names]))
        for number in (1.0, 2.0, 0.5):
            if same_factor(abs(factor), number * count):
                return float(np.sign(factor)) * number * new
            if same_factor(abs(factor), number / count):
                return float(np.sign(factor)) * number / new
    return factor


def times(factor: float, sizes: dict[str, int]) -> str:
    """``N * ``, or nothing for 1: what stands before dJ/d(...)."""
    word = in_words(factor, sizes) or f"{factor:.4g}"
    return "" if word == "1" else f"{word} * "


def candidates(factors: list[tuple[str, float]], sizes: dict[str, int]) -> list[float]:
    """The usual factors that parameters' gradients carry, 1 first, then those that most parameters share."""
    votes: list[tuple[float, set[str]]] = []
    for name, factor in factors:
        for known, names in votes:
            if same_factor(factor, known):
                names.add(name)
                break
        else:
            votes.append((factor, {name}))
    votes.sort(key=lambda each: -len(each[1]))
    usual = [factor for factor, _ in votes if in_words(factor, sizes) is not None]
    return [1.0] + [factor for factor in usual if not same_factor(factor, 1.0)]


def same_shape(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether two shapes are the same to every use that NumPy makes of them."""
    return a == b or bool(a and b and without_ones(a) == without_ones(b))


def ratio_of(value: Any, truth: Any, tolerance: float = 1e-9) -> float | None:
    """The quotient value / truth, where that is one number over all entries; None otherwise."""
    if not same_shape(np.shape(value), np.shape(truth)) or not np.size(truth) or not np.all(np.isfinite(value)):
        return None
    v, t = np.ravel(value), np.ravel(truth)
    place = int(np.argmax(np.abs(t)))
    if abs(t[place]) < 1e-13 or abs(v[place]) < 1e-13:
        return None
    ratio = float(v[place] / t[place])
    return ratio if np.max(np.abs(v / ratio - t)) <= tolerance * abs(t[place]) else None
