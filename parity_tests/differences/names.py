"""Whose array is whose: the names that people give, and the layouts in which they keep arrays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np

from manual.notation import Array
from parity_tests.gradients.input import AFTER, BEFORE

GIVEN, FORWARD, GRADIENT, STEP = "given", "forward", "gradient", "step"
STAGES = (GIVEN, FORWARD, GRADIENT, STEP)

NEW = re.compile(r"(?P<base>.+?)[_.](new|next|after|updated|step)|(new|next|updated)[_.](?P<behind>.+)", re.IGNORECASE)
SPELLED = ((re.compile(r"weights?_?(\d+)"), r"W\1"), (re.compile(r"bias(?:es)?_?(\d+)"), r"b\1"))
PLAIN = re.compile(r"[A-Za-z]\d*(_(prev|flat|next|norm|hat|out))?|X|J")
NUMBERS = (
    "m lr alpha learning_rate gamma momentum beta beta1 beta2 rho eps epsilon lambda_ lambda reg weight_decay keep_prob p "
    "max_norm clip clip_value epoch t step stride pad padding f slope negative_slope"
).split()
"""Numbers that people save beside arrays."""

LAYOUTS: dict[int, tuple[tuple[int, ...], ...]] = {
    2: ((0, 1), (1, 0)),
    3: ((0, 1, 2), (1, 0, 2), (0, 2, 1)),
    4: ((0, 1, 2, 3), (0, 3, 1, 2), (0, 2, 3, 1), (3, 2, 0, 1), (2, 3, 1, 0)),
}
"""The orders of axes that are layouts: rows or columns, channels first or last, filters as the notes or torch have them."""


class Name(NamedTuple):
    """What a name says: the stage, and the parameter or value that it is about."""

    stage: str
    base: str


def read_name(name: str, known: Iterable[str]) -> Name:
    """A person's name, where ``known`` are the names of parameters and values themselves.

    A mark of a gradient or of a step counts where what is left is known, or looks like a symbol.
    """
    names = set(known)
    for pattern, symbol in SPELLED:
        name = pattern.sub(symbol, name)
    if name in names:
        return Name(FORWARD, name)
    if found := NEW.fullmatch(name):
        return Name(STEP, found["base"] or found["behind"])
    for length in range(1, len(name)):
        before, after = name[:length], name[length:]
        if BEFORE.fullmatch(before) and (after in names or PLAIN.fullmatch(after)):
            return Name(GRADIENT, after)
        if AFTER.fullmatch(after) and (before in names or PLAIN.fullmatch(before)):
            return Name(GRADIENT, before)
        if after in (".grad", "_grad", ".gradient") and len(before) > 1:
            return Name(GRADIENT, before)
    return Name(FORWARD, name)


def numbered(names: Sequence[str]) -> dict[str, str]:
    """Torch's names of parameters as the notes': of the k-th layer with a weight, W and b; others stay as they are."""
    layers: dict[str, str] = {}
    found = {}
    for name in names:
        layer, _, kind = name.rpartition(".")
        if kind in ("weight", "bias") and layer:
            number = layers.setdefault(layer, str(len(layers) + 1))
            found[name] = f"{'W' if kind == 'weight' else 'b'}{number}"
    return found


def fold(name: str) -> str:
    """A name for comparison where letters' case is all that differs."""
    return name.casefold().replace("_", "")


def arranged(array: Array, shape: tuple[int, ...], axes: tuple[int, ...] | None = None) -> Array | None:
    """The array in another layout, where that has the shape: axes in another order, or a bias of one row or column.

    Without ``axes`` the first layout that fits is taken.
    """
    if axes is not None and array.ndim == len(axes):
        turned = array.transpose(axes)
        return turned if turned.shape == shape else None
    if array.shape == shape:
        return array
    if array.size == int(np.prod(shape)) and _is_flat(array.shape) and _is_flat(shape):
        return array.reshape(shape)
    fits = (array.transpose(each) for each in LAYOUTS.get(array.ndim, ()))
    return next((each for each in fits if each.shape == shape), None)


def _is_flat(shape: tuple[int, ...]) -> bool:
    return sum(size != 1 for size in shape) <= 1


def one_hot(labels: Array, like: Array) -> Array | None:
    """Labels as the one-hot rows or columns of another array; None where they are none."""
    if labels.ndim != 1 or like.ndim != 2 or labels.dtype.kind == "f" and (labels != np.round(labels)).any():
        return None
    for rows in (True, False):
        m, n = like.shape if rows else like.shape[::-1]
        if m == labels.size and labels.size and 0 <= labels.min() and labels.max() < n:
            found = np.eye(n)[labels.astype(int)]
            return found if rows else found.T
    return None


def orders(ndim: int) -> Iterable[tuple[int, ...]]:
    """Every order of the axes."""
    return permutations(range(ndim)) if ndim <= 4 else ()


def known_numbers(*sides: Mapping[str, Any]) -> dict[str, float]:
    """The numbers that either side names."""
    found = {}
    for side in sides:
        for name, value in side.items():
            if name in NUMBERS and np.size(value) == 1:
                found[name] = float(np.ravel(value)[0])
    return found
