"""Whose array is whose: the names that people give, and the layouts in which they keep arrays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
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
    "m", "lr", "alpha", "learning_rate", "gamma", "momentum", "beta", "beta1", "beta2", "rho", "eps", "epsilon",
    "lambda_", "lambda", "reg", "weight_decay", "keep_prob", "max_norm", "clip", "clip_value", "epoch", "t", "step",
    "stride", "pad", "padding", "f", "slope", "negative_slope",
)  # fmt: skip
"""Numbers that people save beside arrays."""

TARGETS = ("Y", "y", "labels", "targets")
"""What may be class numbers on one side and one-hot on the other."""

GIVEN_AS = {
    "X": ("x", "inputs", "X_train", "x_train"),
    "Y": (*TARGETS[1:], "T", "t", "target", "y_true", "Y_train", "y_train"),
}
"""What else people call the examples and their targets."""

LAYOUTS: dict[int, tuple[tuple[int, ...], ...]] = {
    2: ((0, 1), (1, 0)),
    3: ((0, 1, 2), (1, 0, 2), (0, 2, 1)),
    4: ((0, 1, 2, 3), (0, 3, 1, 2), (0, 2, 3, 1), (3, 2, 0, 1), (2, 3, 1, 0)),
}
"""Orders of axes that are layouts: rows or columns, channels first or last, filters as the notes or torch have them."""


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


def arranged(array: Array, shape: tuple[int, ...], axes: tuple[int, ...] | None = None) -> Any:
    """The array in another layout, where that has the shape: axes in another order, or a bias of one row or column.

    Without ``axes`` the first layout that fits is taken.
    """
    if axes is not None and array.ndim == len(axes):
        turned: Array = array.transpose(axes)
        return turned if turned.shape == shape else None
    if array.shape == shape:
        return array
    if array.size == int(np.prod(shape)) and _is_flat(array.shape) and _is_flat(shape):
        return array.reshape(shape)
    fits = (array.transpose(each) for each in LAYOUTS.get(array.ndim, ()))
    return next((each for each in fits if each.shape == shape), None)


def _is_flat(shape: tuple[int, ...]) -> bool:
    return sum(size != 1 for size in shape) <= 1


def one_hot(labels: Array, like: Array) -> Any:
    """Labels as the one-hot rows or columns of another array; None where they are none."""
    if labels.ndim != 1 or like.ndim != 2 or (labels.dtype.kind == "f" and (labels != np.round(labels)).any()):
        return None
    for rows in (True, False):
        m, n = like.shape if rows else like.shape[::-1]
        if m == labels.size and labels.size and labels.min() >= 0 and labels.max() < n:
            found = np.eye(n)[labels.astype(int)]
            return found if rows else found.T
    return None


def known_numbers(*sides: Mapping[str, Any]) -> dict[str, float]:
    """The numbers that either side names."""
    found = {}
    for side in sides:
        for name, value in side.items():
            if name in NUMBERS and np.size(value) == 1:
                found[name] = float(np.ravel(value)[0])
    return found


class Quantity(NamedTuple):
    """An array of one side: its key there, what it is of, in which of its names, and its place in the order."""

    key: str
    stage: str
    names: tuple[str, ...]
    value: Array
    order: tuple[Any, ...]
    show: str


def real_arrays(given: Mapping[str, Any]) -> tuple[dict[str, Array], list[str]]:
    """Real arrays in their dtypes, and the names of what is none."""
    found, bad = {}, []
    for name, value in given.items():
        if hasattr(value, "detach"):
            value = value.detach().cpu()
            value = value.float() if str(value.dtype) == "torch.bfloat16" else value
        array = np.asarray(value)
        if array.dtype.kind not in "fiub" or array.size == 0:
            bad.append(name)
        elif name not in NUMBERS or array.size > 1:
            found[name] = array
    return found, bad


def read_quantities(arrays: Mapping[str, Array]) -> list[Quantity]:
    """A dump's arrays with what their names say, in the order forward, gradients, step."""
    plain = [name for name in arrays if read_name(name, ()).stage == FORWARD]
    marks = [read_name(name, plain) for name in arrays]
    symbols = numbered([*dict.fromkeys(each.base for each in marks)])
    for symbol, others in GIVEN_AS.items():
        other = next((name for name in others if name in arrays), None)
        symbols |= {other: symbol} if other and symbol not in arrays else {}
    found = []
    for place, (key, name) in enumerate(zip(arrays, marks, strict=True)):
        base = symbols.get(name.base, name.base)
        given = name.stage == FORWARD and base.rstrip("0123456789") in ("W", "w", "b", "X", "Y", "A_prev")
        stage = GIVEN if given else name.stage
        shown = marked(stage, base)
        aliases = tuple(dict.fromkeys((shown, marked(stage, name.base))))
        found.append(Quantity(key, stage, aliases, arrays[key], _order(Name(stage, base), place), shown))
    return sorted(found, key=lambda each: each.order)


def marked(stage: str, base: str) -> str:
    """The notes' name of a quantity: dW1 of a gradient, W1_new after a step."""
    return f"d{base}" if stage == GRADIENT else f"{base}_new" if stage == STEP else base


def _order(name: Name, place: int) -> tuple[Any, ...]:
    """Forward by layer, Z before A, J last; gradients from the last layer down; the step by layer."""
    letters, digits = name.base.rstrip("0123456789"), name.base[len(name.base.rstrip("0123456789")) :]
    layer = int(digits) if digits else 0
    stage = STAGES.index(name.stage)
    if name.stage == GRADIENT:
        kinds = {"A": 0, "Z": 1, "W": 2, "b": 3}
        known = letters in kinds and digits
        return stage, -layer if known else 0 if letters != "Z" else -1, kinds.get(letters, 4), place
    kinds = {"X": 0, "W": 1, "b": 2, "Z": 3, "A": 4}
    unknown = not digits and letters not in kinds
    return stage, name.base in ("J", "loss", "cost"), unknown, layer, kinds.get(letters, 5), place


class Matched(NamedTuple):
    """Pairs in order, what either side has alone, and the key of the module's for each name shown."""

    pairs: list[tuple[Quantity, Quantity]]
    mine: tuple[str, ...]
    theirs: tuple[str, ...]
    keys: dict[str, str]


def matched(ours: Sequence[Quantity], others: Sequence[Quantity], names: Mapping[str, str]) -> Matched:
    """Whose is whose: by what is said, by the same name, then by one that differs in case and underscores."""
    by_key = {each.key: each for each in others}
    exact: dict[str, Quantity] = {}
    folded: dict[tuple[str, str], Quantity] = {}
    for each in others:
        for name in each.names:
            exact.setdefault(name, each)
            folded.setdefault((_kind(each.stage), fold(name)), each)
    for key, name in names.items():
        if key not in {each.key for each in ours} or (name not in by_key and name not in exact):
            raise ValueError(f"{key}={name} names no array of both sides")
    found: dict[str, tuple[Quantity, Quantity]] = {}
    for one in ours:
        said = names.get(one.key)
        alike = [(_kind(one.stage), fold(name)) for name in one.names]
        choices = [by_key.get(said), exact.get(said)] if said else [*map(exact.get, one.names), *map(folded.get, alike)]
        other = next((each for each in choices if each is not None), None)
        if other is not None and other.key not in found:
            found[other.key] = (one, other)
    pairs = sorted(found.values(), key=lambda pair: pair[1].order)
    taken = {one.key for one, _ in pairs}
    alone = tuple(each.key for each in ours if each.key not in taken)
    return Matched(pairs, alone, tuple(e.key for e in others if e.key not in found), {o.show: o.key for _, o in pairs})


def _kind(stage: str) -> str:
    return FORWARD if stage == GIVEN else stage


def some(names: Iterable[str]) -> str:
    """The first of some names."""
    listed = list(names)
    return ", ".join(listed[:6]) + (", ..." if listed[6:] else "")


def examples_of(arrays: Mapping[str, Array]) -> int | None:
    """m, where X and a parameter show which axis has the examples."""
    X, W = arrays.get("X"), arrays.get("W1", arrays.get("W"))
    if X is None or X.ndim != 2:
        return None if X is None else len(X)
    if W is None or W.ndim != 2:
        return None
    return int(X.shape[1] if X.shape[0] in W.shape else X.shape[0])
