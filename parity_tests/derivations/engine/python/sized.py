"""Arrays that say which two of their sizes do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np

from parity_tests.derivations.engine.numbers.kinds import Kind

MET: list[tuple[int, int]] = []
"""The sizes that met last."""


READ: dict[int, int] = {}
"""How many places of an axis were read one by one, by its size."""


class UnequalError(ValueError):
    """Two sizes that meet have to be equal."""


class Sized(np.ndarray[Any, np.dtype[Any]]):
    """An array that says which two sizes do not fit."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> Any:
        plain = [np.asarray(each) for each in inputs]
        if method == "__call__" and len(plain) == 2:
            _check(plain[0].shape, plain[1].shape, ufunc is np.matmul)
        out = settings.pop("out", None)
        if out is not None:
            settings["out"] = tuple(np.asarray(each) for each in out)
        result = getattr(ufunc, method)(*plain, **settings)
        return out[0] if out is not None else _sized(result)

    def __array_function__(self, function: Any, types: Any, arguments: Any, settings: Any) -> Any:
        if function is np.dot:
            _check(np.shape(arguments[0]), np.shape(arguments[1]), True)
        return _sized(function(*_bare(arguments), **{name: _bare(value) for name, value in settings.items()}))

    def __getitem__(self, index: Any) -> Any:
        _check_places(index)
        for size, place in zip(self.shape, index if isinstance(index, tuple) else (index,), strict=False):
            if isinstance(place, int | np.integer):
                READ[size] = max(READ.get(size, 0), int(place) + 1)
        return _sized(self.view(np.ndarray)[_bare(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        _check_places(index)
        _check(np.shape(self.view(np.ndarray)[_bare(index)]), np.shape(value), False)
        self.view(np.ndarray)[_bare(index)] = _bare(value)


def _check_places(index: Any) -> None:
    """Lists of rows and of columns go together entry by entry."""
    lengths = [np.shape(each)[0] for each in index if np.ndim(each) == 1] if isinstance(index, tuple) else []
    if len(lengths) == 2:
        _check((lengths[0],), (lengths[1],), False)


def _bare(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_bare(each) for each in value)
    return np.asarray(value) if isinstance(value, Sized) else value


def _sized(value: Any) -> Any:
    return value.view(Sized) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value


SIZED = Kind(
    "sizes",
    lambda value: np.asarray(value).view(Sized) if getattr(getattr(value, "dtype", None), "kind", "") == "f" else value,
)


def _check(first: tuple[int, ...], second: tuple[int, ...], product: bool) -> None:
    if product and first and second:
        pairs = [(first[-1], second[-2 if len(second) > 1 else 0])]
    else:
        pairs = [(a, b) for a, b in zip(reversed(first), reversed(second), strict=False) if 1 not in (a, b)]
    for a, b in pairs:
        if a != b:
            MET[:] = [(a, b)]
            raise UnequalError(f"{a} and {b}")
