"""Shapes of parts of arrays and of arrays put together: indices, ranges, splits, concatenation, other axes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from parity_tests.derivations.engine.shapes.sizes import Clash, Shape, Size
from parity_tests.derivations.engine.shapes.values import MOST_PARTS, Each, Several, Turn, Unknown, Values, is_shape


class Parts(Values):
    """What indices take from arrays, and how arrays are put together."""

    def indexed(self, node: ast.Subscript) -> Any:
        """``x[i, :, None]``: whole numbers take an axis away, labels and ranges take it as it is."""
        base = self.of(node.value)
        if isinstance(base, dict):
            return base.get(ast.unparse(node.slice))
        if isinstance(base, Each):
            return base if isinstance(node.slice, ast.Slice) else base.entry
        if isinstance(base, Several):
            try:
                return base.parts[int(ast.literal_eval(node.slice))]
            except (ValueError, TypeError):
                return None
        sizes = list(self.shape(base))
        count = self.entries.get(node.value.id, 0) if isinstance(node.value, ast.Name) else 0
        if count > 1:
            sizes[0] = self.sizes.equal(sizes[0], count)
        items = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
        result: list[Size] = []
        fancy: Size | None = None
        for item in items:
            if ast.unparse(item) in ("None", "np.newaxis", "numpy.newaxis"):
                result.append(1)
                continue
            if isinstance(item, ast.Constant) and item.value is Ellipsis:
                return None
            axis = sizes.pop(0)
            if isinstance(item, ast.Slice):
                result.append(self.cut(axis, item))
                self.fit(axis, item.lower, result[-1])
                continue
            value = self.of(item)
            if isinstance(item, ast.Compare):
                return None
            if isinstance(value, Turn) and value.size is not None:
                known = isinstance(value.size, int) and isinstance(self.sizes.find(axis), int)
                axis = axis if known else self.sizes.equal(value.size, axis)
            if is_shape(value) and len(value) == 1:
                if isinstance(item, ast.Name):
                    self.pick(item.id, axis)
                elif isinstance(item, ast.Call):
                    value = (self.sizes.equal(value[0], axis),)
                if fancy is None:
                    result.append(value[0])
                    fancy = value[0]
                else:
                    self.sizes.equal(fancy, value[0])
            elif is_shape(value) and len(value) > 1:
                if len(items) > 1:
                    raise Clash("a matrix as an index")
                if not isinstance(item, ast.Name) or item.id not in self.free:
                    raise Unknown
                self.pick(item.id, axis)  # a row of a table for each entry, such as that of a word
                result.extend(value)
            elif value == () and (name := _place_of(item)) in self.free:
                self.pick(name, axis)  # one place
        return tuple(result) + tuple(sizes)

    def pick(self, places: str, axis: Size) -> None:
        """Places that are taken from two axes are places on both: these are equally long."""
        self.labels[places] = self.sizes.equal(self.labels.get(places, axis), axis)

    def cut(self, axis: Size, item: ast.Slice) -> Size:
        """How long ``a:b`` of an axis is: an axis that is cut at a size is that size and the rest."""
        if item.lower is None and item.upper is None and item.step is None:
            return axis
        if item.step is not None:
            return self.sizes.new()
        if item.lower is not None and item.upper is not None:
            length = self.beyond(item.lower, item.upper)
            if length is not None:
                return length
        start = () if item.lower is None else self.extent(item.lower)
        if start is None:
            return self.sizes.new()
        if item.upper is not None:
            stop = self.extent(item.upper)
            between = None if stop is None else _without(stop, start)
            if stop is not None and item.lower is None:
                self.sizes.without(axis, stop)
            return self.sizes.new() if between is None else self.sizes.total(between)
        return self.sizes.without(axis, start)

    def fit(self, axis: Size, start: ast.expr | None, window: Size) -> None:
        """Where a window goes along an axis by single places, the last of them ends where the axis does."""
        turn = self.names.get(start.id) if isinstance(start, ast.Name) else None
        if isinstance(turn, Turn) and turn.size is not None:
            whole = self.sizes.less((*self.sizes.parts(turn.size), *self.sizes.parts(window)), (1,))
            if whole is not None:
                self.sizes.equal(axis, whole)

    def beyond(self, start: ast.expr, stop: ast.expr) -> Size | None:
        """How far ``j + n - k`` lies behind ``j``, by what of the one stands in the other; None where it does not."""
        if isinstance(stop, ast.Name):
            stop = self.written.get(stop.id, stop)
        terms = list(_terms(stop))
        texts = [ast.unparse(each) for _, each in terms]
        if ast.unparse(start) not in texts or len(terms) < 2:
            return None
        del terms[texts.index(ast.unparse(start))]
        whole, taken = ([self.extent(each) for sign, each in terms if sign == wanted] for wanted in (1, -1))
        if None in whole or None in taken:
            return None
        own, others = (tuple(part for each in parts if each is not None for part in each) for parts in (whole, taken))
        return self.sizes.less(own, others)

    def extent(self, node: ast.expr) -> Shape | None:
        """The sizes that add up to a whole number: H and H for ``2 * H``; None where that is not known."""
        match node:
            case ast.Constant(value=int() as value):
                return (value,) if value else ()
            case (
                ast.BinOp(op=ast.Mult(), left=ast.Constant(value=int() as times), right=one)
                | ast.BinOp(op=ast.Mult(), left=one, right=ast.Constant(value=int() as times))
            ):
                part = self.extent(one)
                return None if part is None or not 0 < times <= MOST_PARTS else part * times
            case ast.BinOp(op=ast.Add()):
                first, second = self.extent(node.left), self.extent(node.right)
                return None if first is None or second is None else first + second
            case ast.Name() | ast.Subscript() | ast.BinOp(op=ast.Sub() | ast.FloorDiv() | ast.Div()) | ast.Call():
                size = self.known_size(node)
                return None if size is None else self.sizes.parts(size)
        return None

    def padded(self, shape: Shape, widths: ast.expr) -> Any:
        """A border on both sides of each axis: of one width, of two for all axes, or of two for each."""
        pairs = [list(each.elts) if isinstance(each, ast.Tuple | ast.List) else [each] for each in _elements(widths)]
        if all(len(each) == 1 for each in pairs):
            pairs = [[each for pair in pairs for each in pair]]
        pairs *= len(shape) if len(pairs) == 1 else 1
        if len(pairs) != len(shape):
            raise Clash("borders of another number of axes")
        result: list[Size] = []
        for size, pair in zip(shape, pairs, strict=True):
            borders = [self.extent(each) for each in (pair * 2)[:2]]
            parts = [part for border in borders if border is not None for part in border]
            self.sizes.windows.update(each for each in parts if isinstance(each, str))
            result.append(self.sizes.new() if None in borders else self.sizes.total((size, *parts)))
        return tuple(result)

    def joined(self, arrays: ast.expr, axis: int, *, stacked: bool = False) -> Any:
        """Arrays one behind the other: their sizes along the axis add up, the others are equal."""
        value = self.of(arrays)
        if not isinstance(value, Several) or not value.parts:
            return None
        shapes = [self.shape(each) for each in value.parts]
        if any(len(each) != len(shapes[0]) for each in shapes):
            raise Clash("arrays of different numbers of axes behind one another")
        if stacked:
            for each in shapes[1:]:
                self.sizes.match(shapes[0], each)
            place = axis % (len(shapes[0]) + 1)
            return (*shapes[0][:place], len(shapes), *shapes[0][place:])
        place = axis % len(shapes[0])
        for each in shapes[1:]:
            self.sizes.match(shapes[0][:place] + shapes[0][place + 1 :], each[:place] + each[place + 1 :])
        return (*shapes[0][:place], self.sizes.total(tuple(each[place] for each in shapes)), *shapes[0][place + 1 :])

    def split(self, array: ast.expr, count: ast.expr, axis: int) -> Any:
        """``np.split(a, 4, axis=1)``: parts of one size."""
        shape = self.shape(self.of(array))
        if not isinstance(count, ast.Constant) or not isinstance(count.value, int) or not 0 < count.value <= MOST_PARTS:
            return None
        place = axis % len(shape)
        own = self.sizes.parts(shape[place])
        part = own[0] if len(own) == count.value else self.sizes.new()
        self.sizes.equal(shape[place], self.sizes.total((part,) * count.value))
        return Several(((*shape[:place], part, *shape[place + 1 :]),) * count.value)

    def behind_one_another(self, name: str, arguments: list[ast.expr], settings: dict[str, ast.expr]) -> Any:
        """``np.concatenate`` and its like."""
        axis = axis_of(settings, arguments[1:])
        value = self.of(arguments[0])
        if axis is None or not isinstance(value, Several) or any(each is None for each in value.parts):
            return None
        axes = [len(self.shape(each)) for each in value.parts]
        if (name == "hstack" and axes[0] > 1) or (name == "column_stack" and axes == [2] * len(axes)):
            axis = 1
        elif name == "column_stack" and set(axes) == {1, 2}:
            columns = [(*self.shape(each), 1)[:2] for each in value.parts]
            for each in columns[1:]:
                self.sizes.equal(columns[0][0], each[0])
            return (columns[0][0], self.sizes.total(tuple(each[1] for each in columns)))
        elif name == "column_stack" or (name == "vstack" and axes[0] < 2):
            if axes != [1] * len(axes):
                return None
            return self.joined(arguments[0], 1 if name == "column_stack" else 0, stacked=True)
        return self.joined(arguments[0], axis, stacked=name == "stack")

    def reshaped(self, base: Any, sizes: list[ast.expr]) -> Any:
        """A shape written out, in which one -1 is the rest."""
        if is_shape(base) and not any(ast.unparse(each) == "-1" for each in sizes):
            self.sizes.regroup(base, tuple(map(self.size, sizes)))
        rest = [place for place, each in enumerate(sizes) if ast.unparse(each) == "-1"]
        result = [self.sizes.new() if place in rest else self.size(each) for place, each in enumerate(sizes)]
        if rest and is_shape(base):
            others = tuple(each for place, each in enumerate(result) if place not in rest)
            result[rest[0]] = self.sizes.quotient(base, others)
        return tuple(result)


def _terms(node: ast.expr, sign: int = 1) -> Iterator[tuple[int, ast.expr]]:
    """The terms of a sum, each with its sign."""
    match node:
        case ast.BinOp(op=ast.Add() | ast.Sub() as op):
            yield from _terms(node.left, sign)
            yield from _terms(node.right, -sign if isinstance(op, ast.Sub) else sign)
        case _:
            yield sign, node


def _elements(node: ast.expr) -> list[ast.expr]:
    """The parts of a tuple or list; the formula itself, where it is none."""
    return list(node.elts) if isinstance(node, ast.Tuple | ast.List) else [node]


def _place_of(item: ast.expr) -> str:
    """The name that holds a place, or places one of which is taken: ``y`` of ``S[i, y[i]]``."""
    while isinstance(item, ast.Subscript):
        item = item.value
    return item.id if isinstance(item, ast.Name) else ""


def _without(sizes: Shape, taken: Shape) -> Shape | None:
    """What is left of sizes that add up when those in front are taken away; None where they are others."""
    return sizes[len(taken) :] if sizes[: len(taken)] == taken else None


def axis_of(settings: dict[str, ast.expr], arguments: list[ast.expr]) -> int | None:
    """The axis that a call names, 0 without one, None where it is not known."""
    node = settings.get("axis", arguments[0] if arguments else ast.Constant(0))
    try:
        axis = ast.literal_eval(node)
    except ValueError:
        return None
    return axis if isinstance(axis, int) else None
