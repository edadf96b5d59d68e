"""Functions of NumPy and SciPy that the kinds of numbers do not know, by those that they know.

They take arrays of one kind each; arrays of float64 go to the library's own function.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from parity_tests.derivations.engine.numbers.errors import NotFollowed
from parity_tests.derivations.engine.numbers.kinds import is_array, plain
from parity_tests.derivations.engine.numbers.step import Step, real
from parity_tests.derivations.engine.numbers.tape import Tape, as_tensor


def _moving(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that only moves entries: it says where the number of each entry comes to stand."""

    def call(a: Any, *rest: Any, **settings: Any) -> Any:
        numbers = np.arange(np.size(a)).reshape(np.shape(a))
        return a.reshape(-1)[np.array(function(numbers, *rest, **settings))]

    return call


def _nan_to_num(x: Any, copy: bool = True, nan: float = 0.0, **bounds: Any) -> Any:
    values = np.asarray(plain(x))
    return np.where(np.isfinite(values), x, np.nan_to_num(values, nan=nan, **bounds))


def _applied_along(function: Callable[..., Any], axis: int, a: Any, *rest: Any, **settings: Any) -> Any:
    last = np.moveaxis(a, axis, -1)
    places = list(np.ndindex(*np.shape(last)[:-1]))
    parts = [function(last[place], *rest, **settings) for place in places]
    whole = np.stack(parts).reshape(*np.shape(last)[:-1], *np.shape(parts[0]))
    return np.moveaxis(whole, -1, axis) if np.ndim(parts[0]) else whole


def _select(conditions: Sequence[Any], choices: Sequence[Any], default: Any = 0) -> Any:
    result = default
    for condition, choice in zip(reversed(conditions), reversed(choices), strict=True):
        result = np.where(condition, choice, result)
    return result


def _piecewise(x: Any, conditions: Sequence[Any], functions: Sequence[Any], *rest: Any) -> Any:
    choices = [each(x, *rest) if callable(each) else each for each in functions]
    default = choices[len(conditions)] if len(choices) > len(conditions) else 0.0
    chosen = _select([plain(each).astype(bool) for each in conditions][::-1], choices[: len(conditions)][::-1], default)
    return np.where(np.ones(np.shape(x), bool), chosen, x)


def _average(a: Any, axis: int | None = None, weights: Any = None, **_: Any) -> Any:
    if weights is None:
        return np.mean(a, axis=axis)
    if axis is not None and np.ndim(weights) == 1:
        weights = np.reshape(weights, [-1 if place == axis % np.ndim(a) else 1 for place in range(np.ndim(a))])
    return np.sum(a * weights, axis=axis) / np.sum(weights * np.ones(np.shape(a)), axis=axis)


def _inserted(a: Any, place: int, values: Any, axis: int | None = None) -> Any:
    if not isinstance(place, int):
        raise NotFollowed("np.insert at several places")
    a, axis = (a.reshape(-1), 0) if axis is None else (a, axis % np.ndim(a))
    shape = [1 if each == axis else size for each, size in enumerate(np.shape(a))]
    between = a[(slice(0, 1),) * np.ndim(a)] * 0.0 + np.reshape(values, np.shape(values) or (1,) * np.ndim(a))
    between = np.broadcast_to(between.reshape(shape) if np.size(between) == math.prod(shape) else between, shape)
    before, after = (
        a[tuple(slice(None) if each != axis else part for each in range(np.ndim(a)))]
        for part in (slice(None, place), slice(place, None))
    )
    return np.concatenate([before, between, after], axis=axis)


def _sorted(a: Any, axis: int = -1, **_: Any) -> Any:
    return _taken_along(a, np.argsort(np.asarray(plain(a)), axis=axis), axis)


def _taken_along(a: Any, places: Any, axis: int) -> Any:
    return a[_along(a, places, axis)]


def _put_along(a: Any, places: Any, values: Any, axis: int) -> None:
    a[_along(a, places, axis)] = values


def _along(a: Any, places: Any, axis: int) -> tuple[Any, ...]:
    """The index of some places along an axis, one for each place of the others."""
    others = np.ogrid[tuple(slice(size) for size in np.shape(a))]
    return tuple(np.asarray(places) if each == axis % np.ndim(a) else one for each, one in enumerate(others))


def _diff(a: Any, n: int = 1, axis: int = -1) -> Any:
    for _ in range(n):
        moved = np.moveaxis(a, axis, 0)
        a = np.moveaxis(moved[1:] - moved[:-1], 0, axis)
    return a


def _block(parts: Any) -> Any:
    if not isinstance(parts, list):
        return parts
    depth, inner = 0, parts[0]
    while isinstance(inner, list):
        inner, depth = inner[0], depth + 1
    return np.concatenate([_block(each) for each in parts], axis=-1 - depth)


def _bincount(places: Any, weights: Any = None, minlength: int = 0) -> Any:
    count = max(minlength, int(np.max(places)) + 1)
    return np.stack([np.sum(weights * (np.asarray(places) == each)) for each in range(count)])


def _dstack(parts: Sequence[Any]) -> Any:
    whole = [np.atleast_2d(each) for each in parts]
    return np.concatenate([each.reshape(*np.shape(each), 1) if each.ndim < 3 else each for each in whole], axis=2)


def _strided(a: Any, shape: Any = None, strides: Any = None, **_: Any) -> Any:
    """The entries that NumPy finds there; those of a tape lie one behind the other, as its ``strides`` say."""
    if isinstance(a, np.ndarray):
        return np.lib.stride_tricks.as_strided(a, shape, strides, subok=True).copy()
    numbers = np.arange(np.size(a)).reshape(np.shape(a))
    return a.reshape(-1)[np.array(np.lib.stride_tricks.as_strided(numbers, shape, strides))]


def _convolved(a: Any, b: Any, mode: str = "full", *, late: int = 0, **settings: Any) -> Any:
    """The sum over all shifts, of the axes of ``a``; mode "same" is as large as ``a``.

    Where it does not lie in the middle of the whole, it begins one entry ``late``.
    """
    if settings.get("boundary", "fill") != "fill" or settings.get("fillvalue", 0):
        raise NotFollowed("a convolution beyond the border")
    small = np.shape(b)
    whole = np.pad(a, [(size - 1, size - 1) for size in small])
    sizes = [size + other - 1 for size, other in zip(np.shape(a), small, strict=True)]
    total: Any = 0.0
    for place in itertools.product(*map(range, small)):
        window = tuple(slice(start, start + size) for start, size in zip(place, sizes, strict=True))
        total = total + whole[window] * b[tuple(size - 1 - each for size, each in zip(small, place, strict=True))]
    if mode == "full":
        return total
    if mode == "same":
        first = [(size - own + late) // 2 for size, own in zip(sizes, np.shape(a), strict=True)]
        lengths = list(np.shape(a))
    else:
        first = [min(size, other) - 1 for size, other in zip(np.shape(a), small, strict=True)]
        lengths = [abs(size - other) + 1 for size, other in zip(np.shape(a), small, strict=True)]
    return total[tuple(slice(start, start + length) for start, length in zip(first, lengths, strict=True))]


def _correlated(a: Any, b: Any, mode: str = "full", **settings: Any) -> Any:
    return _convolved(a, b[(slice(None, None, -1),) * np.ndim(b)], mode, **settings)


def _numpys(function: Callable[..., Any], default: str) -> Callable[..., Any]:
    """NumPy's convolution, whose mode "same" is as large as the larger of both."""

    def call(a: Any, v: Any, mode: str = default) -> Any:
        if mode == "same" and np.size(v) > np.size(a):
            raise NotFollowed("mode same with a larger filter")
        return function(a, v, mode)

    return call


def _expit(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _softmax(x: Any, axis: Any = None) -> Any:
    powers = np.exp(x - np.max(np.asarray(plain(x)), axis=axis, keepdims=True))
    return powers / np.sum(powers, axis=axis, keepdims=True)


def _logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, **_: Any) -> Any:
    largest = np.max(np.asarray(plain(a)), axis=axis, keepdims=True)
    powers = np.exp(a - largest) * (1.0 if b is None else b)
    found = np.log(np.sum(powers, axis=axis, keepdims=True)) + largest
    return found if keepdims else np.squeeze(found, axis=axis)


def _log_softmax(x: Any, axis: Any = None) -> Any:
    return x - _logsumexp(x, axis=axis, keepdims=True)


def _erf(x: Any) -> Any:
    """A complex step along the derivative 2/sqrt(pi) exp(-x^2)."""
    if isinstance(x, Tape):
        return type(x)(torch.erf(x.tensor))
    values = np.asarray(real(x))
    slopes = 2 / np.sqrt(np.pi) * np.exp(-values * values)
    return Step(torch.erf(torch.as_tensor(values)).numpy()) + slopes * (x - values)


def _inverse(a: Any) -> Any:
    if isinstance(a, Tape):
        return type(a)(torch.linalg.inv(a.tensor))
    return np.linalg.inv(np.asarray(a)).view(Step)


def _solved(a: Any, b: Any) -> Any:
    if isinstance(a, Tape) or isinstance(b, Tape):
        return Tape(torch.linalg.solve(as_tensor(a), as_tensor(b)))
    return np.linalg.solve(np.asarray(a), np.asarray(b)).view(Step)


OF_NUMPY: dict[str, Callable[..., Any]] = {
    "nan_to_num": _nan_to_num, "apply_along_axis": _applied_along, "select": _select, "piecewise": _piecewise,
    "average": _average, "insert": _inserted, "sort": _sorted, "take_along_axis": _taken_along,
    "put_along_axis": _put_along, "diff": _diff, "block": _block, "dstack": _dstack, "bincount": _bincount,
    "ptp": lambda a, axis=None: np.max(a, axis=axis) - np.min(a, axis=axis),
    "nansum": lambda a, **settings: np.sum(_nan_to_num(a), **settings),
    "rollaxis": _moving(np.rollaxis),
    "convolve": _numpys(_convolved, "full"), "correlate": _numpys(_correlated, "valid"),
    "multi_dot": lambda parts, **_: functools.reduce(np.dot, parts), "inv": _inverse, "solve": _solved,
    "sliding_window_view": _moving(np.lib.stride_tricks.sliding_window_view), "as_strided": _strided,
}  # fmt: skip
"""Functions of NumPy, of numpy.linalg and of numpy.lib.stride_tricks."""

OF_SCIPY: dict[str, Callable[..., Any]] = {
    "expit": _expit, "softmax": _softmax, "log_softmax": _log_softmax, "logsumexp": _logsumexp, "erf": _erf,
    "logit": lambda x: np.log(x / (1 - x)), "log_expit": lambda x: np.log(_expit(x)),
    "xlogy": lambda x, y: x * np.log(y), "xlog1py": lambda x, y: x * np.log1p(y),
    "convolve2d": _convolved, "correlate2d": functools.partial(_correlated, late=1),
    "convolve": _convolved, "correlate": _correlated, "fftconvolve": _convolved,
}  # fmt: skip
"""Functions of scipy.special and of scipy.signal."""


PARTLY = frozenset(("piecewise",))
"""Functions of which NumPy's calls a program's functions on a part of the entries."""


def composed(known: dict[str, Callable[..., Any]], name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A library's function, or where it is given arrays that are not of float64, the one of that name."""

    def call(*arguments: Any, **settings: Any) -> Any:
        of_kind = name in PARTLY or any(map(_of_kind, (*arguments, *settings.values())))
        return (known[name] if of_kind else function)(*arguments, **settings)

    return call


def _of_kind(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_of_kind, value))
    return is_array(value) and isinstance(value, Step | Tape)
