"""Mistakes planted in the right texts: one line of the backward pass changed as people change it, with its cause."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from parity_tests.tests.derivations.engine_texts import all_texts


class Mistake(NamedTuple):
    """A text with a mistake in a line; ``put_aside`` is a third that nothing was tuned on."""

    name: str
    text: str
    line: int
    causes: frozenset[str]
    put_aside: bool


Change = Callable[[str], "str | None"]


def _sub(pattern: str, by: str) -> Change:
    def change(row: str) -> str | None:
        left, equals, right = row.partition("= ")
        new = re.sub(pattern, by, right, count=1)
        return None if new == right else left + equals + new

    return change


CHANGES: tuple[tuple[str, str, Change], ...] = (
    ("average-dropped", "missing-1/m missing-factor gprime-missing", _sub(r" / (m|N|X\.shape\[0\])$", "")),
    ("average-dropped-in-front", "missing-1/m missing-factor", _sub(r"^\(?1\.? / (m|N)\)? \* ", "")),
    ("average-twice", "double-1/m wrong-divisor extra-factor", _sub(r" / (m|N)$", r" / \1 / \1")),
    ("sign", "sign wrong-operator", _sub(r"(\w+) - (Y|y|target)\b", r"\2 - \1")),
    ("sign-in-sum", "sign wrong-operator", _sub(r" \+ ", " - ")),
    ("one-plus", "sign wrong-operator", _sub(r"\(1 - ", "(1 + ")),
    ("slope-dropped", "gprime-missing missing-factor", _sub(r" \* \((1 - \w+\*\*2|\w+ > 0)\)$", "")),
    ("slope-dropped-sigmoid", "gprime-missing missing-factor", _sub(r" \* (\w+) \* \(1 - \1\)$", "")),
    ("half-slope", "gprime-missing missing-factor wrong-function", _sub(r" \* (\w+) \* \(1 - \1\)$", r" * (1 - \1)")),
    ("square-dropped", "square-missing wrong-number gprime-at-a", _sub(r"\*\*2", "")),
    ("wrong-layer", "wrong-layer wrong-symbol", _sub(r"\b(A|W)2\b", r"\g<1>3")),
    ("wrong-layer-below", "wrong-layer wrong-symbol", _sub(r"\b(A|W|a|h)2\b", r"\g<1>1")),
    ("transpose-dropped", "transpose-missing operand-order", _sub(r"\.T\b", "")),
    ("axis", "wrong-axis db-wrong-axis db-summed-over-all", _sub(r"axis=0", "axis=1")),
    ("axis-of-columns", "wrong-axis db-wrong-axis db-summed-over-all", _sub(r"axis=1", "axis=0")),
    ("summed-over-all", "db-summed-over-all wrong-axis", _sub(r", axis=[01](, keepdims=True)?\)", ")")),
    ("keepdims-dropped", "keepdims-missing", _sub(r", keepdims=True", "")),
    ("mean-for-sum", "db-mean-for-sum double-1/m wrong-function", _sub(r"np\.sum\(", "np.mean(")),
    ("penalty-dropped", "l2-missing missing-term", _sub(r" \+ [\w/* ]*(reg|lambda|lam)[\w/* ]* \* W\d?$", "")),
    ("penalty-doubled", "l2-factor-2 wrong-number", _sub(r" \+ (reg|lambda|lambda/m) \* W", r" + 2 * \1 * W")),
    ("factor", "extra-factor wrong-number missing-factor", _sub(r"^(.*)$", r"2 * (\1)")),
    ("product", "star-for-matmul operand-order", _sub(r" @ ", " * ")),
    ("slope-at-z", "wrong-symbol wrong-layer gprime-at-a", _sub(r"\(1 - A(\d)\*\*2\)", r"(1 - Z\1**2)")),
    ("layer-above", "wrong-layer wrong-symbol", _sub(r"\b(A|Z|a|activations)\[([lki]) ?- ?1\]", r"\1[\2]")),
    ("layer-below", "wrong-layer wrong-symbol", _sub(r"\b(A|Z|W|b|activations|weights)\[([lki])\]", r"\1[\2-1]")),
    ("term-dropped", "missing-term", _sub(r" \+ [\w.() @,]+$", "")),
)  # fmt: skip
"""What people get wrong: a name, the causes that are a right answer, and the change of the line."""

CONVENTIONS = frozenset(("average-dropped", "average-dropped-in-front", "average-twice", "sign", "factor"))
"""In the first line of the backward pass these change all gradients by one factor, which is a convention."""

_BACKWARD = re.compile(
    r"^\s*((d(?!ata)[A-Za-z]\w*|grad_\w|nabla_\w)(\[.*?\])?|d|delta\w*|grad_\w+|grads\[.*?\]|l\d_delta)"
    r" [-+*/]?= (?!\[|np\.zeros|\{)"
)


def _changed(name: str, text: str) -> Iterator[Mistake]:
    rows = text.splitlines()
    first = next((number for number, row in enumerate(rows) if _BACKWARD.match(row)), -1)
    for number, row in enumerate(rows):
        if not _BACKWARD.match(row):
            continue
        for kind, causes, change in CHANGES:
            new = change(row)
            if new is None or (number == first and kind in CONVENTIONS):
                continue
            wrong = "\n".join([*rows[:number], new, *rows[number + 1 :]])
            title = f"{name}:{number + 1}:{kind}"
            yield Mistake(title, wrong, number + 1, frozenset(causes.split()), zlib.crc32(title.encode()) % 3 == 0)


def mistakes(most: int = 240) -> list[Mistake]:
    """A sample of all of them that has every text and every kind."""
    found = [mistake for name, text in all_texts().items() for mistake in _changed(name, text)]
    return sorted(found, key=lambda each: zlib.crc32(each.name[::-1].encode()))[:most]
