"""What a person gives to check_gradient: one array or several, a function of them, a gradient of the same structure.

Everything is copied, so that neither the function under test nor the check can change the caller's arrays.
"""

from __future__ import annotations

import inspect
import re
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
    notes: tuple[str, ...]

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
    whole = [name for name, value in zip(names, values, strict=True) if np.asarray(value).dtype.kind in "iu"]
    notes = tuple(f"{name} holds integers: f got it as float64." for name in whole)
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
    return Arguments(form, names, tuple(array.shape for array in arrays), point, places, notes)


class Gradient(NamedTuple):
    """The gradient's arrays in the order of x, and what is said of those that belong to none."""

    arrays: list[Array]
    notes: tuple[str, ...] = ()


def read_gradient(gradient: Any, x: Arguments) -> Gradient:
    """The gradient's arrays, in the order of x; a callable is called as f is.

    Raises ValueError where the structure is not x's or an array holds no real numbers. Shapes are not looked at.
    """
    value = x.call(gradient, x.point.copy()) if callable(gradient) else gradient
    if x.form == "one":
        if isinstance(value, Mapping):
            raise ValueError(f"gradient is a {type(value).__name__}, expected an array: x is one array")
        return Gradient([_real("gradient", value)])
    if x.form == "several":
        if not isinstance(value, (tuple, list)) or len(value) != len(x.names):
            got = f"{len(value)} arrays" if isinstance(value, (tuple, list)) else f"one {type(value).__name__}"
            raise ValueError(f"gradient has {got}, expected a tuple of {len(x.names)}: one array for each array of x")
        return Gradient([_real(f"gradient[{place}]", each) for place, each in enumerate(value)])
    if not isinstance(value, Mapping):
        raise ValueError(f"gradient is a {type(value).__name__}, expected a dict: x is a dict of {_listed(x.names)}")
    keys = match_keys(value, x.names)
    extra = [key for key in value if key not in keys]
    notes = (f"The gradient's {_listed(extra)} {'belong' if extra[1:] else 'belongs'} to no array of x: ignored.",)
    return Gradient([_real(f"gradient[{key!r}]", value[key]) for key in keys], notes if extra else ())


BEFORE = re.compile(
    r"(d|g|del|delta|partial|∂|∇|nabla|grads?|gradients?)_?(of_|wrt_)?|[d∂]([a-z]|loss|cost)_?[d∂]_?", re.IGNORECASE
)
AFTER = re.compile(r"[_.]?(g|d|grads?|gradients?)", re.IGNORECASE)
"""What people put before or behind the name of a parameter to name its gradient: dW1, dL_dW1, grad_W1, W1_grad."""


def match_keys(gradient: Mapping[Any, Any], names: Sequence[str]) -> list[str]:
    """The gradient's keys in the order of x: names with the mark of a gradient, or else the names themselves.

    Raises ValueError where one lacks its gradient, or has two.
    """
    keys = []
    for name in names:
        marked = [key for key in gradient if isinstance(key, str) and _names_gradient(key, name)]
        marked = [f"d{name}"] if f"d{name}" in marked else marked
        if len(marked) > 1:
            raise ValueError(f"gradient has {_listed(marked)}, expected one of them: each may be that of {name}")
        keys += marked or [name]
    missing = [key for key in keys if key not in gradient]
    if missing:
        marks = [f"d{name}" for name in names] if keys != list(names) or any(f"d{n}" in gradient for n in names) else []
        listed = [key if key in gradient or not marks else f"d{key}" for key in keys]
        raise ValueError(
            f"gradient lacks {_listed([key for key in listed if key not in gradient])}, expected {_listed(listed)}: "
            "every array of x has its gradient"
        )
    return keys


def _names_gradient(key: str, name: str) -> bool:
    """Whether a key is a name with the mark of a gradient before or behind it."""
    if key.endswith(name) and BEFORE.fullmatch(key[: -len(name)]):
        return True
    return key.startswith(name) and AFTER.fullmatch(key[len(name) :]) is not None


def known_arrays(f: Callable[..., Any]) -> dict[str, Array]:
    """The arrays of real numbers that a function written in Python reads from around it, by name."""
    try:
        around = inspect.getclosurevars(f)
    except TypeError:  # built in, or an object
        return {}
    found = {**around.globals, **around.nonlocals}
    return {
        name: value.astype(np.float64)
        for name, value in found.items()
        if isinstance(value, np.ndarray) and value.dtype.kind in "iuf"
    }


def _listed(names: Sequence[Any]) -> str:
    return ", ".join(repr(name) for name in names)


def _real(name: str, value: Any) -> Array:
    """A copy as an array of real numbers, float32 kept, everything else float64; or ValueError."""
    if isinstance(value, np.matrix):
        raise ValueError(
            f"{name} is a np.matrix, expected an array: pass np.asarray({name}), and @ for the matrix product in f"
        )
    if isinstance(value, np.ma.MaskedArray):
        raise ValueError(f"{name} is a masked array, expected an array without gaps: pass {name}.filled(...)")
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
