"""The value of f at x, for check_gradient: read once, or refused in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from parity_tests.gradients import derivatives
from parity_tests.gradients.input import Arguments


def read_value(f: Callable[..., Any], x: Arguments) -> None:
    """ValueError unless f(x) is a finite real number in float64, the same one whenever f is called."""
    try:
        value = x.call(f, x.point.copy())
    except IndexError as error:
        if not x.notes:
            raise
        whole = ", ".join(note.split()[0] for note in x.notes)
        raise ValueError(
            f"f raises IndexError ({error}) for {whole} in float64, expected a function of real numbers: keep integers "
            "out of x, as in lambda W: f(W, labels)"
        ) from error
    first = _number(value)
    beside = [_value_beside(f, x, seed) for seed in range(4)]
    again = _number(x.call(f, x.point.copy()))
    if first != again:
        raise ValueError(f"f(x) is {first!r}, then {again!r}, expected one value: fix the seed inside f")
    values = {first, *(each for each in beside if np.isfinite(each))}
    if len(values) > 2 and all(_bits(each) <= 24 for each in values) and any(_bits(each) > 20 for each in values):
        raise ValueError(
            "f(x) is a float64 with the digits of a float32, expected float64 throughout: f computes in float32, so "
            "take the float32 out of f and of the arrays that it uses"
        )


def _number(value: Any) -> float:
    """The value of f; ValueError, saying what to pass, unless it is a finite real number in float64."""
    if isinstance(value, (tuple, list)):
        raise ValueError(
            f"f(x) is a {type(value).__name__} of {len(value)}, expected a number: pass lambda *x: f(*x)[0], if the "
            "number comes first"
        )
    if isinstance(value, Mapping):
        raise ValueError(
            f"f(x) is a dict of {', '.join(map(repr, value))}, expected a number: pass lambda *x: f(*x)[...], with the "
            "key of the number"
        )
    shape, dtype = np.shape(value), np.asarray(value).dtype
    if shape != ():
        raise ValueError(f"f(x) has shape {shape}, expected a number, shape (): a gradient belongs to a scalar")
    if dtype.kind not in "biuf":
        got = "complex" if dtype.kind == "c" else type(value).__name__
        raise ValueError(f"f(x) is {got}, expected a real number: a gradient belongs to a real scalar")
    if dtype in (np.float32, np.float16):
        raise ValueError(
            f"f(x) is {dtype}, expected float64, in which x is passed: take the {dtype} out of f and of the arrays "
            "that it uses"
        )
    if not np.isfinite(value):
        raise ValueError(f"f(x) is {value}, expected a finite number: no derivative exists at x")
    return float(value)


def _bits(value: float) -> int:
    """How many binary digits a number has, from its first 1 to its last."""
    return len(f"{abs(value).as_integer_ratio()[0]:b}".rstrip("0"))


def _value_beside(f: Callable[..., Any], x: Arguments, seed: int) -> float:
    """The value of f at a point near x, its entries up to a hundredth, or four times, larger or smaller."""
    spread = 4.0 if seed % 2 else 1.01
    moved = x.point * spread ** np.random.default_rng(seed).uniform(-1, 1, x.point.shape)
    with derivatives.quiet():
        return derivatives.real_value(lambda point: x.call(f, point), moved)
