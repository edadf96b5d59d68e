"""The axes of a text's free names: the assumption about them under which most lines fit."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.axes_by_use import (
    added_to,
    axes_by_use,
    counted_through,
    derived,
    indices,
    numbers_by_use,
    summed_along,
    sums_of_all,
)
from parity_tests.derivations.engine.name_uses import COST
from parity_tests.derivations.engine.roles import Roles, roles_of
from parity_tests.derivations.engine.shapes.reading import BACKWARD_CLASH, Reading
from parity_tests.derivations.engine.shapes.sizes import Shape, Size, declarations
from parity_tests.derivations.engine.shapes.values import LIKE, Ranks, is_shape

AXES: dict[str, tuple[int | None, ...] | None] = {
    "flat": (None,),
    "row": (1, None),
    "column": (None, 1),
    "number": None,
    "like": (LIKE, LIKE),
}


class Layout(NamedTuple):
    """What the text says of its free names: shapes in sizes, labels with their number of classes, and the batch."""

    shapes: dict[str, Shape]
    labels: dict[str, Size]
    counts: dict[str, Size]
    batch: Size | None
    clashes: int
    said: str
    sums: dict[Size, Shape]
    products: dict[Size, Shape]
    """The sizes that are sums of others, and those that are products."""
    quotients: dict[Size, tuple[Shape, Size]]
    """The sizes that are sums of others divided by one and rounded down."""
    windows: frozenset[Size]
    """The sizes that are smaller than others: those of windows."""
    derived: frozenset[str]
    """The free names in which the text takes a derivative."""
    roles: Roles
    masks: frozenset[str] = frozenset()
    """The free names that are taken to hold 0 and 1."""
    one_output: bool = False
    """Whether each example is taken to have one output, where it may have several."""


def find_layout(tree: ast.Module, rows: tuple[str, ...]) -> Layout:
    """The reading of the text in which most lines fit."""
    declared, free, roles = declarations(rows), derived(tree), roles_of(tree)
    best: Layout | None = None
    walked: list[dict[str, Any]] = []
    for ranks, unlikely in _assumptions(tree, roles):
        if any(all(ranks(name) == axes for name, axes in asked.items()) for asked in walked):
            continue  # the walk would be the same
        walked.append({})
        reading = Reading(tree, _noting(ranks, walked[-1]), declared, roles)
        layout = _layout(reading, reading.clashes + unlikely + _unlikely(reading, free), free)
        if best is None or layout.clashes < best.clashes:
            best = layout
        if layout.clashes == 0:
            break
    assert best is not None
    return best


def _noting(ranks: Ranks, asked: dict[str, Any]) -> Ranks:
    """The same axes; ``asked`` keeps those of every name that a walk asks for."""

    def noted(name: str) -> Any:
        asked[name] = axes = ranks(name)
        return axes

    return noted


def _assumptions(tree: ast.Module, roles: Roles) -> Iterator[tuple[Ranks, int]]:
    """The axes that free names may have, the usual ones first, and what they count against a reading."""
    numbers, places_of, known = numbers_by_use(tree), indices(tree), axes_by_use(tree)
    turned, summed = counted_through(tree), sums_of_all(tree) & roles.entrywise
    single = len(roles.weights) < 2
    small = {name for name in roles.weights if len(name) == 1 and name.islower()} | _last_vector(roles.weights)
    # derivatives that are sums along one axis of what is scaled show that scales are like it
    scaled = roles.entrywise & {name for name, axis in summed_along(tree).items() if axis is not None}
    one_bias = added_to(tree, small | {name for name in roles.weights if known.get(name) == (None,)})
    one_output = len(roles.weights) == 1 and all(symbols.stem_of(name).islower() for name in roles.weights)
    for alone, turns, vectors, labels, biases, places, scale in itertools.product(
        (False, True) if summed else (False,),
        (False, True) if turned else (False,),
        ("matrix", "flat", "column"),
        ("flat", "matrix", "column", "number") if one_output else ("matrix", "flat", "column", "number"),
        ("flat", "row", "column", "each", "number") if one_bias else ("flat", "row", "column", "number"),
        (1, 2, 0, *(sorted(places_of) if len(places_of) > 1 else ())) if places_of else (1,),  # or one alone is a place
        ("", "number", "flat", "like") if roles.entrywise else ("",),
    ):
        for weights in ("flat", "matrix") if vectors == "matrix" else ("flat",):

            def ranks(
                name: str,
                v: str = vectors,
                y: str = labels,
                b: str = biases,
                w: str = weights,
                i: int | str = places,
                s: str = scale or biases,
                turns: bool = turns,
                alone: bool = alone,
            ) -> Any:
                symbol = symbols.stem_of(name)
                if name in numbers or (name in summed and alone):
                    return None
                if name in turned and turns:
                    return (None,) * 3
                if roles.is_label(name) and not (y == "number" and name in places_of):
                    of = v if v != "matrix" and y != "number" else y
                    return (None, None) if of == "matrix" else AXES[of]
                if name in places_of:
                    return (None,) * (i if isinstance(i, int) else name != i)
                if name in known:
                    return known[name]
                if v == "column" and roles.is_data(name):
                    return AXES["column"]
                if roles.is_number(name):
                    return None
                if s == "like" and scaled and name in roles.entrywise:
                    return AXES[s]
                if name in roles.offsets or (symbols.BIASES.match(symbol) and roles.is_bias(name)):
                    return AXES[("number" if name in one_bias else "flat") if b == "each" else b]
                if name in roles.entrywise:
                    return AXES["flat" if s == "each" else s]
                if name in roles.loose:
                    return AXES["like"]
                one = (symbol in ("w", "theta", "weights", "beta") and symbol == symbols.base_of(name)) or (
                    name in small or (single and name in roles.weights and symbol.islower())
                )
                if one:
                    return AXES["flat"] if w == "flat" and v == "matrix" else (None, None) if v == "matrix" else (None,)
                low = re.match(r"^[a-z]", symbol) and symbol[0] != "w" and name not in roles.weights
                if v == "flat" and (roles.is_data(name) or low):
                    return (None,)
                return (None, None)

            yield ranks, BACKWARD_CLASH * len(summed) * alone


def _last_vector(weights: Collection[str]) -> set[str]:
    """The weights of the last layer, where they are a small letter beside the capital ones of others: w2 beside W1."""
    numbered = {name: match for name in weights if (match := re.fullmatch(r"([A-Za-z])_?(\d)", name))}
    large = {match[1].lower() for match in numbered.values() if match[1].isupper()}
    last = max((match[2] for match in numbered.values()), default="")
    return {name for name, match in numbered.items() if match[2] == last and match[1] in large}


def _sizes_in(reading: Reading, name: str) -> tuple[Size, ...]:
    return tuple(reading.sizes.find(each) for each in reading.shapes[name])


def _roles(reading: Reading, derived: frozenset[str]) -> tuple[set[Size], set[Size]]:
    """The sizes of the data, and those of the parameters."""
    roles = reading.roles
    picked = {size for name in reading.labels if name in reading.free for size in _sizes_in(reading, name)}
    data: set[Size] = set()
    parameters: set[Size] = set()
    for name in reading.free:
        if reading.is_claim(name):
            continue  # what comes from above has the sizes of a value that is there
        sizes = _sizes_in(reading, name)
        of_data = roles.is_data(name) or roles.is_label(name) or name in reading.labels
        of_data = of_data or name in roles.loose - derived or _is_of_each_example(reading, name)
        of_data = of_data or (name not in derived and bool(sizes) and picked.issuperset(sizes))
        (data if of_data else parameters).update(sizes)
    return data - {1}, parameters - {1}


def _is_of_each_example(reading: Reading, name: str) -> bool:
    """Whether a factor beside weights that is called neither bias nor gain is a matrix: it comes with the examples."""
    factor = bool(reading.roles.weights) and name in reading.roles.entrywise - reading.roles.offsets
    named = symbols.BIASES.match(symbols.stem_of(name)) is not None
    return factor and not named and sum(size != 1 for size in _sizes_in(reading, name)) > 1


def _unlikely(reading: Reading, derived: frozenset[str]) -> int:
    """Clashes of another kind: a bias as long as the batch, labels that are not."""
    roles = reading.roles
    data, parameters = _roles(reading, derived)
    matrices: set[Size] = set()
    count = 0
    for name in reading.free:
        other = roles.is_bias(name) or roles.is_data(name) or roles.is_label(name) or name in reading.labels
        if not other and name not in roles.loose and not reading.is_claim(name):
            matrices.update(_sizes_in(reading, name))
    examples = {size for name in reading.free if roles.is_data(name) for size in _sizes_in(reading, name)}
    examples -= {1, *parameters}
    for name in reading.free:
        sizes = [size for size in _sizes_in(reading, name) if size != 1]
        if roles.is_label(name) and sizes and examples and not set(sizes) & examples:
            count += BACKWARD_CLASH  # labels are as many as the examples
        if roles.is_bias(name) and matrices and not set(sizes) <= matrices and not _is_of_each_example(reading, name):
            count += 3 * BACKWARD_CLASH
        if roles.is_label(name) and data and sizes and not set(sizes) & (data | matrices):
            count += BACKWARD_CLASH
    if any(
        symbols.stem_of(name)[0].isupper() or name in reading.measured
        for name in reading.free
        if reading.shapes[name][1:] == (1,) and roles.is_data(name)
    ):
        count += 3 * BACKWARD_CLASH  # a single example is written small, and nobody asks how many there are
    learned = [reading.shapes[name] for name in reading.free if name in roles.entrywise | roles.offsets]
    if not roles.weights and learned:
        wide = [name for name in reading.free if roles.is_data(name) and len(_sizes_in(reading, name)) > 1]
        if not any(learned):
            count += 3 * BACKWARD_CLASH * len(wide)  # where all that is learned are numbers, an example is a number
        elif not data - parameters:
            count += BACKWARD_CLASH  # as many parameters as numbers in the data
    if data and not data - parameters and any(symbols.COUNTS.match(symbols.stem_of(name)) for name in reading.free):
        count += 3 * BACKWARD_CLASH  # a text that divides by m has several examples
    numbers = [name for name in reading.free if name in roles.offsets and not reading.shapes[name]]
    if any(
        len(reading.shapes[name]) == 2 and 1 not in reading.shapes[name]
        for name in reading.free
        if roles.is_weight(name)
    ):
        count += BACKWARD_CLASH * len(numbers)  # one bias for several outputs
    written = [value for name, value in reading.names.items() if COST.match(name) and is_shape(value)]
    if written and not any(set(map(reading.sizes.find, value)) <= {1} for value in written):
        count += BACKWARD_CLASH  # a cost is one number
    if data and matrices and not data - matrices and any(len(_sizes_in(reading, name)) > 1 for name in reading.free):
        two = [n for n in reading.free if roles.is_data(n) and sum(each != 1 for each in _sizes_in(reading, n)) > 1]
        count += 2 * BACKWARD_CLASH if two else 0
    return count


def _layout(reading: Reading, clashes: int, derived: frozenset[str]) -> Layout:
    data, parameters = _roles(reading, derived)
    batches = [size for size in data if size not in parameters]
    roles = reading.roles
    first = next((name for name in reading.free if roles.is_data(name) and len(_sizes_in(reading, name)) > 1), None)
    batch: Size | None = None
    if batches:
        own = [size for size in (_sizes_in(reading, first) if first else ()) if size in batches]
        of_labels = {size for name in reading.free if roles.is_label(name) for size in _sizes_in(reading, name)}
        batch = own[0] if own else min(batches, key=lambda size: (size not in of_labels, str(size)))
    shapes = {name: _sizes_in(reading, name) for name in reading.free}
    counts = {name: reading.sizes.find(name) for name in reading.counts if name in reading.free}
    labels = {name: reading.sizes.find(size) for name, size in reading.labels.items() if name in reading.free}
    outputs = {size for name in reading.free if roles.is_label(name) for size in shapes[name]} | set(labels.values())
    outputs -= {1, batch}
    for name in reading.free:
        if shapes.get(name) == () and name not in counts.keys() | labels.keys():
            symbol = symbols.stem_of(name)
            if symbols.CLASSES.match(symbol) and len(outputs) == 1:
                counts |= dict.fromkeys([name], *outputs)
            elif symbols.COUNTS.match(symbol):
                counts[name] = batch if batch is not None else 1
    sums = {reading.sizes.find(name): reading.sizes.parts(name) for name in reading.sizes.sums}
    find = reading.sizes.find
    products = {find(name): tuple(map(find, parts)) for name, parts in reading.sizes.products.items()}
    quotients = {
        find(name): (tuple(map(find, parts)), find(by)) for name, (parts, by) in reading.sizes.quotients.items()
    }
    windows = frozenset(map(find, reading.sizes.windows))
    said = _described(shapes, first, batch, labels)
    free = derived & frozenset(reading.free)
    return Layout(shapes, labels, counts, batch, clashes, said, sums, products, quotients, windows, free, roles)


def _described(shapes: dict[str, Shape], first: str | None, batch: Size | None, labels: dict[str, Size]) -> str:
    """The layout in words: rows or columns, and what holds labels."""
    said = []
    if first is not None and batch in shapes.get(first, ()):
        where = "rows" if shapes[first][0] == batch else "columns"
        said.append(f"examples are {where}")
    elif batch is None:
        said.append("one example")
    if labels:
        *others, last = labels
        said.append(f"labels in {', '.join(others)} and {last}" if others else f"labels in {last}")
    return ", ".join(said)
