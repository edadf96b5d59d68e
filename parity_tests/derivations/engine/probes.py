"""What a text is tried on: the axes of its free names are decided, and numbers are drawn for them.

Sizes are distinct primes that change with the probe, so that nothing holds by the luck of two equal sizes.
"""

from __future__ import annotations

import ast
import itertools
import math
import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.events import Key
from parity_tests.derivations.engine.roles import NO_ROLES, Roles, roles_of
from parity_tests.derivations.engine.shapes.reading import BACKWARD_CLASH, Reading
from parity_tests.derivations.engine.shapes.sizes import Shape, Size, declarations
from parity_tests.derivations.engine.shapes.values import LIKE, Ranks

VOLUME = 4
"""The axes of what is summed over several, the third or a later one among them: examples, height, width, channels."""

PRIMES = (5, 3, 7, 11, 13, 17, 19, 23, 29, 31)
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
    derived: frozenset[str]
    """The free names in which the text takes a derivative."""
    roles: Roles
    one_output: bool = False
    """Whether each example is taken to have one output, where it may have several."""


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


def find_layout(tree: ast.Module, rows: tuple[str, ...]) -> Layout:
    """The reading of the text in which most lines fit."""
    declared, derived, roles = declarations(rows), _derived(tree), roles_of(tree)
    best: Layout | None = None
    walked: list[dict[str, Any]] = []
    for ranks in _assumptions(tree, roles):
        if any(all(ranks(name) == axes for name, axes in asked.items()) for asked in walked):
            continue  # the walk would be the same
        walked.append({})
        reading = Reading(tree, _noting(ranks, walked[-1]), declared, roles)
        layout = _layout(reading, reading.clashes + _unlikely(reading), derived)
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


def _derived(tree: ast.Module) -> frozenset[str]:
    """The names of which another name of the text says that it is the derivative in them."""
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    assigned = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    return frozenset(base for name in assigned for base in symbols.meant_by(name, read) if base != name)


def _under_roots(tree: ast.Module) -> set[str]:
    """The names that the text only takes the root of: numbers that are not below 0."""
    under: list[str] = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="sqrt") | ast.Name(id="sqrt"), args=[ast.Name(id=name)]):
                under.append(name)
            case ast.BinOp(left=ast.Name(id=name), op=ast.Pow(), right=ast.Constant(value=0.5)):
                under.append(name)
    every = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    return {name for name in under if under.count(name) == every.count(name)}


def _indices(tree: ast.Module) -> set[str]:
    """The names that stand alone between brackets."""
    subscripts = (node.slice for node in ast.walk(tree) if isinstance(node, ast.Subscript))
    return {each.id for each in subscripts if isinstance(each, ast.Name)}


def _counted_through(tree: ast.Module) -> set[str]:
    """The names that loops take one entry of in each turn: ``x[t]``."""
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For) and isinstance(node.target, ast.Name)]
    return {
        each.value.id
        for loop in loops
        for each in ast.walk(loop)
        if isinstance(each, ast.Subscript)
        and isinstance(each.value, ast.Name)
        and isinstance(each.slice, ast.Name)
        and ast.unparse(loop.target) == each.slice.id
    }


def _axes_by_use(tree: ast.Module) -> dict[str, int]:
    """How many axes names have by what is done with them: ``b[:, None]``, ``np.outer(d, v)``, a rule of einsum."""
    found: dict[str, int] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Tuple(elts=sizes)], value=ast.Attribute(ast.Name(id=name), "shape")):
                found |= {name: len(sizes)}
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Tuple(elts=[_, _, _, *_] as places)):
                plain = not any(ast.unparse(each) in ("...", "None", "np.newaxis") for each in places)
                found |= {name: len(places)} if plain else {}
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Tuple(elts=[first, second])):
                kinds = {ast.unparse(first), ast.unparse(second)}
                found |= {name: 1} if kinds <= {":", "None", "np.newaxis"} and len(kinds) == 2 else {}
            case ast.Call(func=ast.Attribute(attr="outer"), args=[*factors]):
                found |= {each.id: 1 for each in factors if isinstance(each, ast.Name)}
            case ast.Call(func=ast.Attribute(attr="einsum"), args=[ast.Constant(value=str() as rule), *factors]):
                parts = rule.replace(" ", "").partition("->")[0].split(",")
                pairs = zip(factors, parts, strict=False)
                found |= {each.id: len(part) for each, part in pairs if isinstance(each, ast.Name) and "." not in part}
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name)), keywords=[ast.keyword("axis", ast.Tuple(axes)), *_]
            ):
                over = [each.value for each in axes if isinstance(each, ast.Constant) and isinstance(each.value, int)]
                found |= {name: max(VOLUME, max(over) + 1)} if max(over, default=0) > 1 else {}
    return found


def _assumptions(tree: ast.Module, roles: Roles) -> Iterator[Ranks]:
    """The axes that free names may have, the usual ones first."""
    numbers, indices, known = _under_roots(tree), _indices(tree), _axes_by_use(tree)
    turned = _counted_through(tree)
    single = len(roles.weights) < 2
    small = {name for name in roles.weights if len(name) == 1 and name.islower()}
    one_bias = _added_to(tree, small)
    one_output = len(roles.weights) == 1 and all(symbols.stem_of(name).islower() for name in roles.weights)
    for turns, vectors, labels, biases, places, scale in itertools.product(
        (False, True) if turned else (False,),
        ("matrix", "flat", "column"),
        ("flat", "matrix", "column") if one_output else ("matrix", "flat", "column"),
        ("flat", "row", "column", "number", "each") if one_bias else ("flat", "row", "column", "number"),
        (1, 2, 0) if indices else (1,),
        ("", "number", "flat", "like") if roles.entrywise else ("",),
    ):
        for weights in ("flat", "matrix") if vectors == "matrix" else ("flat",):

            def ranks(
                name: str,
                v: str = vectors,
                y: str = labels,
                b: str = biases,
                w: str = weights,
                i: int = places,
                s: str = scale or biases,
                turns: bool = turns,
            ) -> Any:
                symbol = symbols.stem_of(name)
                if name in turned and turns:
                    return (None,) * 3
                if roles.is_label(name):
                    of = v if v != "matrix" else y
                    return (None, None) if of == "matrix" else AXES[of]
                if name in indices:
                    return (None,) * i
                if name in known:
                    return (None,) * known[name]
                if v == "column" and roles.is_data(name):
                    return AXES["column"]
                if name in numbers or roles.is_number(name):
                    return None
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

            yield ranks


def _added_to(tree: ast.Module, weights: set[str]) -> set[str]:
    """The names that are added to a product with one of the weights."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.BinOp(op=ast.Add(), left=product, right=ast.Name(id=bias)):
                names = {each.id for each in ast.walk(product) if isinstance(each, ast.Name)}
                found |= {bias} if names & weights else set()
    return found


def _sizes_in(reading: Reading, name: str) -> tuple[Size, ...]:
    return tuple(reading.sizes.find(each) for each in reading.shapes[name])


def _roles(reading: Reading) -> tuple[set[Size], set[Size]]:
    """The sizes of the data, and those of the parameters."""
    roles = reading.roles
    data: set[Size] = set()
    parameters: set[Size] = set()
    for name in reading.free:
        if reading.is_claim(name):
            continue  # what comes from above has the sizes of a value that is there
        of_data = roles.is_data(name) or roles.is_label(name) or name in reading.labels or name in roles.loose
        of_data = of_data or _is_of_each_example(reading, name)
        (data if of_data else parameters).update(_sizes_in(reading, name))
    return data - {1}, parameters - {1}


def _is_of_each_example(reading: Reading, name: str) -> bool:
    """Whether a factor beside weights that is called neither bias nor gain is a matrix: it comes with the examples."""
    factor = bool(reading.roles.weights) and name in reading.roles.entrywise - reading.roles.offsets
    named = symbols.BIASES.match(symbols.stem_of(name)) is not None
    return factor and not named and sum(size != 1 for size in _sizes_in(reading, name)) > 1


def _unlikely(reading: Reading) -> int:
    """Clashes of another kind: a bias as long as the batch, labels that are not."""
    roles = reading.roles
    data, parameters = _roles(reading)
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
    if data and matrices and not data - matrices and any(len(_sizes_in(reading, name)) > 1 for name in reading.free):
        two = [n for n in reading.free if roles.is_data(n) and sum(each != 1 for each in _sizes_in(reading, n)) > 1]
        count += 2 * BACKWARD_CLASH if two else 0
    return count


def _layout(reading: Reading, clashes: int, derived: frozenset[str]) -> Layout:
    data, parameters = _roles(reading)
    batches = [size for size in data if size not in parameters]
    roles = reading.roles
    first = next((name for name in reading.free if roles.is_data(name) and len(_sizes_in(reading, name)) > 1), None)
    batch: Size | None = None
    if batches:
        own = [size for size in (_sizes_in(reading, first) if first else ()) if size in batches]
        batch = own[0] if own else sorted(batches, key=str)[0]
    shapes = {name: _sizes_in(reading, name) for name in reading.free}
    counts = {name: reading.sizes.find(name) for name in reading.counts if name in reading.free}
    labels = {name: reading.sizes.find(size) for name, size in reading.labels.items() if name in reading.free}
    for name in reading.free:
        if shapes.get(name) == () and name not in counts and symbols.COUNTS.match(symbols.stem_of(name)):
            counts[name] = batch if batch is not None else 1
    sums = {reading.sizes.find(name): reading.sizes.parts(name) for name in reading.sizes.sums}
    find = reading.sizes.find
    products = {find(name): tuple(map(find, parts)) for name, parts in reading.sizes.products.items()}
    said = _described(shapes, first, batch, labels)
    free = derived & frozenset(reading.free)
    return Layout(shapes, labels, counts, batch, clashes, said, sums, products, free, roles)


def _described(shapes: dict[str, Shape], first: str | None, batch: Size | None, labels: dict[str, Size]) -> str:
    """The layout in words: rows or columns, and who holds labels."""
    said = []
    if first is not None and batch in shapes.get(first, ()):
        where = "rows" if shapes[first][0] == batch else "columns"
        said.append(f"examples are {where}")
    elif batch is None:
        said.append("one example")
    if labels:
        said.append(
            f"{' and '.join(labels)} holds labels" if len(labels) == 1 else f"{' and '.join(labels)} hold labels"
        )
    return ", ".join(said)


def draw(layout: Layout, seed: int, whole_labels: frozenset[str] = frozenset()) -> Probe:
    """One set of values; labels in ``whole_labels`` are 0 or 1."""
    draws = np.random.default_rng([20, seed])
    order = list(PRIMES)
    if seed:
        order = [order[(place + seed) % 6] for place in range(6)] + order[6:]
    sizes: dict[Size, int] = {}

    def number(size: Size) -> int:
        if isinstance(size, int):
            return size
        if size in layout.sums and size not in layout.sums[size]:
            return sum(number(part) for part in layout.sums[size])
        if size in layout.products and size not in layout.products[size]:
            return math.prod(number(part) for part in layout.products[size])
        if size not in sizes:
            sizes[size] = order[len(sizes) % len(order)]
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
        elif shape == () and not layout.roles.is_bias(name):
            given[name] = 3 if symbol in ("t", "T", "L", "K") else float(np.round(draws.uniform(0.15, 0.85), 3))
        elif layout.roles.is_label(name):
            given[name] = draws.uniform(0.1, 0.9, extents)
        elif re.match(r"^(mask|drop|D\d$|keep|u\d$)", symbol):
            given[name] = (draws.random(extents) < 0.7) * 1.0
        else:
            given[name] = np.asarray((0.9 if layout.roles.is_data(name) else 0.55) * draws.standard_normal(extents))
    batch = None if layout.batch is None else number(layout.batch)
    named = {str(size): count for size, count in sizes.items() if not str(size).startswith("?")}
    named |= {name: given[name] for name in layout.counts}
    return Probe(given, named, batch, roles=layout.roles)


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


def normalised(probe: Probe, name: str, axis: int, *, one_hot: bool = False) -> Probe:
    """The probe with targets that add up to 1 along an axis, as those of a softmax do; one of them 1, the others 0."""
    value = probe.given[name]
    if one_hot:
        value = (value == value.max(axis=axis, keepdims=True)) * 1.0
    return probe._replace(given={**probe.given, name: value / value.sum(axis=axis, keepdims=True)})
