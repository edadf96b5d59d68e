"""What a text is tried on: numbers are drawn for its free names, whose axes a layout says.

Sizes are distinct primes that change with the probe, so that nothing holds by the luck of two equal sizes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.axes_by_use import VOLUME
from parity_tests.derivations.engine.events import Key
from parity_tests.derivations.engine.layouts import Layout
from parity_tests.derivations.engine.roles import NO_ROLES, Roles
from parity_tests.derivations.engine.shapes.sizes import Size

WINDOWS = (2, 3, 4)
FEW = (3, 2, 4, 5, 7, 6, 8, 9)
"""Sizes of volumes, whose entries are looped over one by one."""

PRIMES = (5, 3, 7, 11, 13, 17, 19, 23, 29, 31)


RATES = re.compile(r"^(lr|alpha|eta|learning_rate|step_size|rate|gamma|decay)(_\w+|\d)?$", re.I)


class Probe(NamedTuple):
    """Values for the free names, and the sizes by name.

    ``places`` are those of the free names, None where they come first and in their order; ``steps`` are the places
    where a parameter takes a step, with that of its old value, where they are known.
    """

    given: dict[str, Any]
    sizes: dict[str, int]
    batch: int | None
    places: Mapping[Key, str] | None = None
    steps: Mapping[Key, Key] = MappingProxyType({})
    roles: Roles = NO_ROLES


def draw(layout: Layout, seed: int, whole_labels: frozenset[str] = frozenset()) -> Probe:
    """One set of values; labels in ``whole_labels`` are 0 or 1."""
    draws = np.random.default_rng([20, seed])
    loops = any(len(shape) >= VOLUME for shape in layout.shapes.values())
    order = list(FEW if loops else PRIMES)
    if seed:
        order = [order[(place + seed) % 6] for place in range(6)] + order[6:]
    sizes: dict[Size, int] = {}
    windows = [WINDOWS[(place + seed) % len(WINDOWS)] for place in range(len(WINDOWS))]

    def number(size: Size) -> int:
        if isinstance(size, int):
            return size
        if size in layout.sums and size not in layout.sums[size]:
            return sum(number(part) for part in layout.sums[size])
        if size in layout.products and size not in layout.products[size]:
            return math.prod(number(part) for part in layout.products[size])
        if size in layout.quotients and size not in layout.quotients[size][0]:
            parts, by = layout.quotients[size]
            return max(sum(number(part) for part in parts) // number(by), 1)
        if size not in sizes and size in layout.windows:
            sizes[size] = windows[len(layout.windows & sizes.keys()) % len(windows)]
        elif size not in sizes:
            sizes[size] = order[len(sizes.keys() - layout.windows) % len(order)]
        return sizes[size]

    given: dict[str, Any] = {}
    for name, shape in layout.shapes.items():
        symbol = symbols.stem_of(name)
        extents = tuple(number(each) for each in shape)
        if name in layout.counts:
            given[name] = number(layout.counts[name])
        elif name in layout.labels:
            classes = number(layout.labels[name])
            given[name] = draws.permutation(np.arange(int(np.prod(extents))) % classes).reshape(extents)
        elif name in whole_labels:
            given[name] = (draws.random(extents) < 0.5) * 1.0
        elif shape == () and name in layout.derived:
            given[name] = np.asarray(draws.uniform(0.15, 0.85))
        elif shape == () and not layout.roles.is_bias(name) and name not in layout.roles.labels:
            drawn = draws.uniform(0.15, 0.85)
            if RATES.match(symbol):  # the steps of single numbers are compared between probes
                drawn = np.random.default_rng(list(symbol.encode())).uniform(0.15, 0.85)
            given[name] = 3 if symbol in ("t", "T", "L", "K") else float(np.round(drawn, 3))
        elif layout.roles.is_label(name):
            given[name] = draws.uniform(0.1, 0.9, extents)
        elif name in layout.masks or re.match(r"^(mask|drop|D\d$|keep|u\d$)", symbol):
            given[name] = (draws.random(extents) < 0.7) * 1.0
        else:
            given[name] = np.asarray((0.9 if layout.roles.is_data(name) else 0.55) * draws.standard_normal(extents))
    batch = None if layout.batch is None else number(layout.batch)
    named = {str(size): count for size, count in sizes.items() if not str(size).startswith("?")}
    named |= {name: given[name] for name in layout.counts}
    return Probe(given, named, batch, roles=layout.roles)


WEIGHED = re.compile(r"^(w|weight|scale|coef|gain|alpha|sample)|noise|eps", re.I)
"""What multiplies entry by entry and is no mask."""


def with_masks(layout: Layout) -> Layout:
    """The layout where what only multiplies other values entry by entry holds 0 and 1; the same without such."""
    masks = sorted(name for name in layout.roles.factors if layout.shapes.get(name) and not WEIGHED.search(name))
    if not masks:
        return layout
    holds = "holds" if len(masks) == 1 else "hold"
    said = ", ".join(filter(None, [layout.said, f"{' and '.join(masks)} {holds} 0 and 1"]))
    return layout._replace(masks=frozenset(masks), said=said)


def one_output(layout: Layout) -> Layout:
    """The layout where each example has one output; the same where it has one, or classes."""
    labels = [shape for name, shape in layout.shapes.items() if layout.roles.is_label(name) and layout.batch in shape]
    others = {size for shape in labels for size in shape if size not in (1, layout.batch)}
    if len(others) != 1 or layout.labels:
        return layout
    shapes = {name: tuple(1 if each in others else each for each in shape) for name, shape in layout.shapes.items()}
    return layout._replace(shapes=shapes, said=f"{layout.said}, one output", one_output=True)


def doubled(layout: Layout, probe: Probe) -> Probe | None:
    """The probe with every example twice, None where examples are not told apart."""
    batch = layout.batch
    if batch is None or any(batch in parts for parts in (*layout.sums.values(), *layout.products.values())):
        return None
    given = dict(probe.given)
    for name, shape in layout.shapes.items():
        for axis in [axis for axis, size in enumerate(shape) if size == batch]:
            given[name] = np.concatenate([given[name], given[name]], axis)
    given |= {name: 2 * given[name] for name, size in layout.counts.items() if size == batch}
    return probe._replace(given=given)


def scaled(probe: Probe, by: float) -> Probe:
    """The probe with smaller or larger parameters, behind which other units are saturated or cut off."""
    roles = probe.roles
    given = {
        name: by * value if np.ndim(value) and np.any(value < 0) and not roles.is_data(name) else value
        for name, value in probe.given.items()
    }
    return probe._replace(given=given)


def normalised(probe: Probe, name: str, axis: int, *, one_hot: bool = False) -> Probe:
    """The probe with targets that add up to 1 along an axis, as those of a softmax do; one of them 1, the others 0."""
    value = probe.given[name]
    if one_hot:
        value = (value == value.max(axis=axis, keepdims=True)) * 1.0
    return probe._replace(given={**probe.given, name: value / value.sum(axis=axis, keepdims=True)})
