"""Sizes that are not known yet, and what makes two of them equal."""

from __future__ import annotations

import math
import re
from typing import TypeAlias

Size: TypeAlias = "int | str"
"""A number, or the name of an unknown one."""
Shape: TypeAlias = "tuple[Size, ...]"


class Clash(Exception):  # noqa: N818  (the name says it)
    """Two sizes that cannot be equal."""


class Sizes:
    """A union-find over sizes: each unknown one stands for the same number everywhere."""

    def __init__(self) -> None:
        self.same_as: dict[str, Size] = {}
        self.sums: dict[str, Shape] = {}
        self.products: dict[str, Shape] = {}
        """The unknown sizes that are sums of others, and those that are products."""
        self.quotients: dict[str, tuple[Shape, Size]] = {}
        """The unknown sizes that are a sum of others divided by one and rounded down."""
        self.windows: set[Size] = set()
        """The sizes that are taken away from others, or divide them: those of windows, and how far these move."""
        self.made = 0

    def new(self) -> str:
        """A size that nothing is known of."""
        self.made += 1
        return f"?{self.made}"

    def find(self, size: Size) -> Size:
        """What a size stands for by now."""
        while isinstance(size, str) and size in self.same_as:
            size = self.same_as[size]
        return size

    def parts(self, size: Size, of: tuple[Size, ...] = ()) -> Shape:
        """The sizes that add up to one; itself, where it is no sum, or a part of itself."""
        size = self.find(size)
        for name, parts in self.sums.items():
            if self.find(name) == size and size not in of:
                return tuple(each for part in parts for each in self.parts(part, (*of, size)))
        return (size,)

    def total(self, parts: Shape) -> Size:
        """The size that others add up to."""
        parts = tuple(each for part in parts for each in self.parts(part) if each != 0)
        if len(parts) == 1:
            return parts[0]
        known = [part for part in parts if isinstance(part, int)]
        if len(known) == len(parts):
            return sum(known)
        for name, others in self.sums.items():
            if sorted(map(str, map(self.find, others))) == sorted(map(str, parts)):
                return self.find(name)
        new = self.new()
        self.sums[new] = parts
        return new

    def quotient(self, sizes: Shape, others: Shape) -> Size:
        """How many entries there are for each of some axes: what their product lacks of that of all."""
        names = [self.find(size) for size in sizes]
        divisor = 1
        for size in map(self.find, others):
            if size in names:
                names.remove(size)
            elif isinstance(size, int):
                divisor *= size
            else:
                return self.new()
        whole = math.prod(size for size in names if isinstance(size, int))
        left = tuple(size for size in names if isinstance(size, str))
        if whole % divisor:
            return self.new()
        return self.product_of((*left, whole // divisor) if whole > divisor or not left else left)

    def regroup(self, sizes: Shape, others: Shape) -> None:
        """Two shapes have equally many entries: what is known of one says what the other's last unknown size is."""
        first, second = ([self.find(size) for size in shape] for shape in (sizes, others))
        for size in [each for each in first if isinstance(each, str)]:
            if size in second:
                first.remove(size)
                second.remove(size)
        names = [each for each in first if isinstance(each, str)]
        entries = math.prod(each for each in second if isinstance(each, int))
        own = math.prod(each for each in first if isinstance(each, int))
        if len(names) == 1 and entries % own == 0 and all(isinstance(each, int) for each in second):
            self.equal(names[0], entries // own)

    def product_of(self, parts: Shape) -> Size:
        """The size that is a product of others."""
        if len(parts) == 1:
            return parts[0]
        for name, others in self.products.items():
            if sorted(map(str, map(self.find, others))) == sorted(map(str, parts)):
                return self.find(name)
        new = self.new()
        self.products[new] = parts
        return new

    def without(self, size: Size, taken: Shape) -> Size:
        """What is left of a size behind others; one of which nothing is known is their sum with a new one."""
        parts = self.parts(size)
        if len(parts) == 1 and isinstance(parts[0], int) and all(isinstance(each, int) for each in taken):
            return parts[0] - sum(each for each in taken if isinstance(each, int))
        for left in (parts, parts[::-1]):
            if left[: len(taken)] == taken:
                return self.total(left[len(taken) :])
        while parts and taken and parts[0] == taken[0]:
            parts, taken = parts[1:], taken[1:]
        if len(parts) != 1 or not isinstance(parts[0], str) or parts[0] in taken:
            return self.new()
        new = self.new()
        self.sums[parts[0]] = (*taken, new)
        return new

    def less(self, whole: Shape, taken: Shape) -> Size | None:
        """What is left of sizes that add up when others are taken away, of which one has to be the larger.

        None where each of them is known to be something else.
        """
        left, missing = list(whole), []
        for size in taken:
            if size in left:
                left.remove(size)
            else:
                missing.append(size)
        known = sum(each for each in left if isinstance(each, int))
        known -= sum(each for each in missing if isinstance(each, int))
        names = [each for each in left if isinstance(each, str)]
        parts: list[Size] = [each for each in missing if isinstance(each, str)]
        self.windows.update(parts)
        parts += [-known] if known < 0 else []
        if parts:
            free = next((each for each in names if each not in self.products and each not in parts), None)
            if free is None:
                return None
            rest = self.new()
            self.sums[free] = (*parts, rest)
            names[names.index(free)] = rest
        return self.total((*names, max(known, 0)))

    def divided(self, whole: Shape, by: Size) -> Size:
        """How often a size fits into others that add up: a factor, where nothing is known of them."""
        if isinstance(by, int) and all(isinstance(each, int) for each in whole):
            return sum(each for each in whole if isinstance(each, int)) // by
        self.windows.add(by)
        for name, known in self.quotients.items():
            if known == (whole, by):
                return self.find(name)
        first, new = whole[0], self.new()
        factors = self.products.get(first) if isinstance(first, str) and len(whole) == 1 else None
        if factors is not None and by in factors:
            return self.quotient(factors, (by,))
        if isinstance(first, str) and len(whole) == 1 and factors is None:
            self.products[first] = (new, by)
        else:
            self.quotients[new] = (whole, by)
        return new

    def equal(self, a: Size, b: Size) -> Size:
        """Makes two sizes one; Clash where both are numbers and differ. An unknown size is never 1."""
        a, b = self.find(a), self.find(b)
        if a == b:
            return a
        if isinstance(a, int) and isinstance(b, int):
            raise Clash(f"{a} and {b}")
        if 1 in (a, b):
            raise Clash("1 and a size that is never 1")
        if isinstance(a, int) or (isinstance(b, str) and b.startswith("?")):
            a, b = b, a
        assert isinstance(a, str)
        self.same_as[a] = b
        return b

    def together(self, first: Shape, second: Shape) -> Shape:
        """The shape of an entrywise operation: a 1 gives way, and unknown sizes are taken to be equal."""
        axes = max(len(first), len(second))
        result = []
        for a, b in zip((1,) * (axes - len(first)) + first, (1,) * (axes - len(second)) + second, strict=True):
            a, b = self.find(a), self.find(b)
            result.append(b if a == 1 else a if b == 1 else self.equal(a, b))
        return tuple(result)

    def product(self, first: Shape, second: Shape) -> Shape:
        """The shape of ``first @ second``."""
        if not first or not second:
            raise Clash("a number in a matrix product")
        self.equal(first[-1], second[-2 if len(second) > 1 else 0])
        stack = self.together(first[:-2], second[:-2])
        return stack + first[-2:-1] + (second[-1:] if len(second) > 1 else ())

    def match(self, first: Shape, second: Shape) -> None:
        """Makes two whole shapes equal."""
        if len(first) != len(second):
            raise Clash(f"{len(first)} and {len(second)} axes")
        for a, b in zip(first, second, strict=True):
            self.equal(a, b)


def without_ones(shape: Shape) -> Shape:
    """A shape without the ones in front, which make no difference to any use that NumPy makes of an array."""
    place = next((place for place, size in enumerate(shape) if size != 1), max(0, len(shape) - 1))
    return shape[place:]


_DECLARED = re.compile(r"#\s*([A-Za-z_][\w.]*(?:\[['\"]?\w+['\"]?\])?)\s*:\s*\(([^()]*)\)")


def declarations(rows: tuple[str, ...]) -> dict[str, Shape]:
    """What comments say: ``# X: (N, D)`` and ``# b: (H,)``."""
    found: dict[str, Shape] = {}
    for row in rows:
        for match in _DECLARED.finditer(row):
            sizes = [each.strip() for each in match[2].split(",") if each.strip()]
            if all(re.fullmatch(r"\w+", each) for each in sizes):
                found[match[1]] = tuple(int(each) if each.isdigit() else each for each in sizes)
    return found
