"""What a person gives to check_gradient: one array or several, a function of them, a gradient of the same structure.

Everything is copied, so that neither the function under test nor the check can change the caller's arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from manual.notation import Array

Vector = NDArray[np.float64]


class Arguments(NamedTuple):
    """The point x: how it is passed on, what its arrays are called, their shapes, and all entries in one vector.

    ``form`` is "one" for f(x), "several" for f(*x) and "named" for f(**x); ``places`` says where each array lies.
    """

    form: str
    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    point: Vector
    places: tuple[slice, ...]

    def call(self, function: Callable[..., Any], vector: Array) -> Any:
        """The function at a vector, float64 or complex128; a number goes in as a NumPy number."""
        arrays = [vector[place].reshape(shape)[()] for place, shape in zip(self.places, self.shapes, strict=True)]
        if self.form == "named":
            return function(**dict(zip(self.names, arrays, strict=True)))
        return function(*arrays)


def read_point(x: Any) -> Arguments:
    """The point x as Arguments; ValueError, in one sentence, for anything but finite real arrays with entries."""
    if isinstance(x, Mapping):
        form, values = "named", list(x.values())
        for name in x:
            if not (isinstance(name, str) and name.isidentifier()):
                raise ValueError(f"x has the key {name!r}, expected the name of an argument: f is called as f(**x)")
        names = tuple(x)
    elif isinstance(x, (tuple, list)):
        if isinstance(x, list) and not all(isinstance(value, np.ndarray) for value in x):
            raise ValueError(
                "x is a list of something else than arrays, expected an array, a list or tuple of arrays, or a dict: "
                "np.array(x) is one array, tuple(x) several arguments"
            )
        form, values, names = "several", list(x), tuple(f"x[{place}]" for place in range(len(x)))
    else:
        form, values, names = "one", [x], ("x",)
    if not values:
        raise ValueError(f"x is an empty {type(x).__name__}, expected at least one array: there is nothing to check")
    arrays = [_real(name, value) for name, value in zip(names, values, strict=True)]
    for name, array in zip(names, arrays, strict=True):
        if array.size == 0:
            raise ValueError(f"{name} has shape {array.shape}, expected at least one entry: there is nothing to check")
        if not np.isfinite(array).all():
            place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
            raise ValueError(
                f"{name} has {array[place]} at {place}, expected finite numbers: no derivative exists there"
            )
    point = np.concatenate([array.astype(np.float64).ravel() for array in arrays])
    ends = [0, *accumulate(array.size for array in arrays)]
    places = tuple(slice(start, end) for start, end in pairwise(ends))
    return Arguments(form, names, tuple(array.shape for array in arrays), point, places)


def read_gradient(gradient: Any, x: Arguments) -> list[Array]:
    """The gradient's arrays, in the order of x; a callable is called as f is.

    Raises ValueError where the structure is not x's or an array holds no real numbers. Shapes are not looked at.
    """
    value = x.call(gradient, x.point.copy()) if callable(gradient) else gradient
    if x.form == "one":
        if isinstance(value, Mapping):
            raise ValueError(f"gradient is a {type(value).__name__}, expected an array: x is one array")
        return [_real("gradient", value)]
    if x.form == "several":
        if not isinstance(value, (tuple, list)) or len(value) != len(x.names):
            got = f"{len(value)} arrays" if isinstance(value, (tuple, list)) else f"one {type(value).__name__}"
            raise ValueError(f"gradient has {got}, expected a tuple of {len(x.names)}: one array for each array of x")
        return _in_order({f"gradient[{place}]": each for place, each in enumerate(value)})
    if not isinstance(value, Mapping):
        raise ValueError(f"gradient is a {type(value).__name__}, expected a dict: x is a dict of {_listed(x.names)}")
    return _in_order({f"gradient[{key!r}]": value[key] for key in _keys(value, x.names)})


def _in_order(values: Mapping[str, Any]) -> list[Array]:
    return [_real(name, value) for name, value in values.items()]


def _keys(gradient: Mapping[Any, Any], names: Sequence[str]) -> list[str]:
    """The gradient's keys in the order of x: its names, or the names with a d before them."""
    for keys in (list(names), [f"d{name}" for name in names]):
        if set(gradient) == set(keys):
            return keys
    prefix = "d" if not set(gradient) & set(names) and any(f"d{name}" in gradient for name in names) else ""
    keys = [prefix + name for name in names]
    missing = [key for key in keys if key not in gradient]
    if missing:
        raise ValueError(
            f"gradient lacks {_listed(missing)}, expected {_listed(keys)}: every array of x has its gradient"
        )
    extra = [key for key in gradient if key not in keys]
    raise ValueError(f"gradient also has {_listed(extra)}, expected {_listed(keys)}: x has no such array")


def _listed(names: Sequence[Any]) -> str:
    return ", ".join(repr(name) for name in names)


def _real(name: str, value: Any) -> Array:
    """A copy as an array of real numbers, float32 kept, everything else float64; or ValueError."""
    try:
        array = np.array(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ValueError(f"{name} is no array ({error}), expected real numbers in one rectangular shape") from None
    if array.dtype.kind == "c":
        raise ValueError(f"{name} is {array.dtype}, expected real numbers: f is a function of real arrays")
    if array.dtype.kind not in "iuf":
        kind = type(value).__name__ if array.ndim == 0 else f"an array of dtype {array.dtype}"
        raise ValueError(f"{name} is {kind}, expected real numbers: float64, float32 or integers")
    if array.dtype == np.float16:
        raise ValueError(f"{name} is float16, expected float64, float32 or integers: three digits prove nothing")
    return array if array.dtype == np.float32 else array.astype(np.float64)
