"""The three kinds of numbers in one table: how each is made from float64, and how it is read back."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from parity_tests.derivations.engine.numbers import step, tape
from parity_tests.derivations.engine.numbers.step import Step
from parity_tests.derivations.engine.numbers.tape import Tape
from parity_tests.derivations.engine.numbers.tensor import Tensor

ARRAYS = (np.ndarray, Tape)
NUMBERS = (*ARRAYS, int, float, np.number)
FLOATS = (np.ndarray, np.floating)
FLOAT64 = np.dtype(np.float64)
"""Asked of every value of every run: a tuple takes a quarter of the time of a union that is made anew each time."""


class Kind(NamedTuple):
    """``make`` turns an array of float64 into this kind; what is of the kind already stays as it is."""

    name: str
    make: Callable[[Any], Any]


def _is_float(value: Any) -> bool:
    return isinstance(value, FLOATS) and not isinstance(value, Step) and value.dtype.kind == "f"


def _plain(value: Any) -> Any:
    return np.asarray(value) if _is_float(value) else of_torch(value)


def _step(value: Any) -> Any:
    return Step(value) if _is_float(value) else of_torch(value)


def _tape(value: Any) -> Any:
    if _is_float(value):
        return Tape(torch.as_tensor(np.array(value, np.float64)))
    return of_torch(value)


def of_torch(value: Any) -> Any:
    """A tensor of torch's as the engine sees it; other values stay as they are."""
    if not isinstance(value, torch.Tensor) or not value.is_floating_point():
        return value
    made = Tensor(value.detach().double())
    made.requires_grad = value.requires_grad
    return made


PLAIN = Kind("float64", _plain)
STEP = Kind("complex step", _step)
TAPE = Kind("autograd", _tape)
KINDS = (PLAIN, STEP, TAPE)


def is_array(value: Any) -> bool:
    """Whether a value is an array of any kind."""
    return isinstance(value, ARRAYS)


def is_number(value: Any) -> bool:
    """Whether a value is an array, or a single number that is no truth value."""
    return isinstance(value, NUMBERS) and not isinstance(value, bool)


def is_function(value: Any) -> bool:
    """Whether a value is a function or a class; an object that can be called, as a layer, is none: it has a state."""
    return callable(value) and not isinstance(type(value).__call__, types.FunctionType)


def plain(value: Any) -> Any:
    """The real values, as a copy of their own."""
    if type(value) is np.ndarray and value.dtype is FLOAT64:
        return value.copy()
    value = tape.plain(step.real(value))
    return np.array(value, np.float64) if is_number(value) and np.asarray(value).dtype.kind in "fiub" else value


def put(value: Any, numbers: Any) -> Any:
    """Writes numbers of the same kind into an array in place, so that other names of the array see them."""
    if isinstance(value, Tape):
        value.tensor = tape.as_tensor(numbers)
    else:
        value[...] = numbers
    return value


def like(value: Any, numbers: Any, kind: Kind) -> Any:
    """Numbers as the kind of number that a value is."""
    return Tensor(tape.as_tensor(numbers)) if isinstance(value, Tensor) else kind.make(numbers)


def owner(array: Any) -> Any:
    """The array whose memory an array is a view of; its own where it is none."""
    while isinstance(array.base, ARRAYS):
        array = array.base
    return array
