"""Derivatives of a scalar function of one vector, each with what rounding and truncation may have done to it.

Two ways: the complex step, exact to rounding where the function is analytic in its code, and central differences,
extrapolated (Ridders, Accurate computation of F'(x) and F'(x) F''(x), Advances in Engineering Software 4, 1982), for
any function. Rounding is measured: a smooth function that is sampled very close to x is a cubic to far below rounding,
so what a cubic does not fit is rounding (Moré and Wild, Estimating computational noise, SIAM Journal on Scientific
Computing 33, 2011).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from parity_tests.referees import STEP, complex_step

Vector = NDArray[np.float64]
Function = Callable[[Any], Any]

SAMPLES, COEFFICIENTS = 12, 4

QUANTILE = 31.97
"""Student's t with 12 - 4 degrees of freedom leaves 1e-9 beyond it, on both sides together."""

SPACING, NARROW_SPACING = 2.0**-20, 2.0**-36
"""How far the samples lie from x, relative to it: (2^-20)^4, what a cubic leaves over, is far below rounding."""

STEPS: Vector = np.power(4.0, -np.arange(1, 14))  # 1/4 to 1.5e-8: each a power of two, so that x + h is mostly exact
KINK_STEPS: Vector = STEPS[4::2]  # 2^-10, 2^-14, 2^-18, 2^-22, 2^-26
COLUMNS = 6  # of Ridders' tableau; the sixth is of order h^12
EXTRAPOLATION = 1.2  # the product of (16^j + 1)/(16^j - 1): what extrapolation does to rounding at most

_NODES = 1 + np.arange(SAMPLES) / (SAMPLES - 1)  # on one side of x, where a kink at x itself is not crossed
_CUBICS = np.linalg.qr(np.vander(_NODES - 1.5, COEFFICIENTS))[0]


class Estimate(NamedTuple):
    """Derivatives, the bounds within which a gradient agrees with them, and the wider ones beyond which it is wrong."""

    value: Vector
    agrees: Vector
    wrong: Vector


@contextmanager
def quiet() -> Iterator[None]:
    """No warning leaves: next to x, and at complex x, a function is asked for what it was not written for."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def real_value(f: Function, at: Vector) -> float:
    """The value of f; NaN where f raises, or returns what is no finite real number."""
    try:
        value = float(f(at))
    except Exception:  # another person's code may refuse an argument in any way
        return np.nan
    return value if np.isfinite(value) else np.nan


def complex_value(f: Function, at: Any) -> complex:
    """The value of f at a complex vector; NaN where f raises."""
    try:
        return complex(f(at))
    except Exception:
        return complex(np.nan, np.nan)


def complex_problem(f: Function, at: Vector, direction: Vector) -> str:
    """Why the complex step cannot be taken, in words after "f"; empty where it can, as far as types tell."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            value = f(at + 1j * STEP * direction)
    except np.exceptions.ComplexWarning:
        return "discards the imaginary part of a complex argument"
    except Exception as error:
        return f"raises {type(error).__name__} for a complex argument"
    if not np.iscomplexobj(value):
        return "returns a real number for a complex argument"
    return "" if np.isfinite(np.imag(value)) else "returns no finite number for a complex argument"


def scales(point: Vector) -> Vector:
    """A length for each entry of one array: a power of two near |x|, at least 2^-10 of the largest; 1 for zeros."""
    largest = np.max(np.abs(point))
    if largest == 0:
        return np.ones_like(point)
    lengths: Vector = 2.0 ** np.ceil(np.log2(np.maximum(np.abs(point), 2.0**-10 * largest)))
    return lengths


def random_direction(lengths: Vector, rng: np.random.Generator) -> Vector:
    """Each length times one of +-4/8, ..., +-7/8: dyadic, so that small steps along it are exact."""
    direction: Vector = lengths * rng.integers(4, 8, lengths.shape) * rng.choice([-0.125, 0.125], lengths.shape)
    return direction


def noise(values: NDArray[Any]) -> Vector:
    """Standard deviation of the rounding in samples (SAMPLES, ...) of smooth functions at the nodes."""
    moved = values - values[:1]
    rest = moved - _CUBICS @ (_CUBICS.T @ moved)
    deviation: Vector = np.sqrt(np.sum(np.square(rest), axis=0) / (SAMPLES - COEFFICIENTS))
    return deviation


def value_rounding(f: Function, point: Vector, direction: Vector) -> float:
    """How far rounding may move f near a point: the measured noise, and two units of roundoff of f itself.

    The smaller noise of the two sides of x counts: a kink close to x, which is no rounding, lies on one of them.
    """
    found = [np.inf]
    for sign in (1, -1):
        values = np.array([real_value(f, point + sign * SPACING * node * direction) for node in _NODES])
        if np.isfinite(values).all():
            found.append(float(QUANTILE * noise(values) + 2**-52 * abs(values[0])))
    return min(found)


def gradient_rounding(f: Function, point: Vector, spacing: float, rng: np.random.Generator) -> Vector:
    """Noise of the complex step's gradient near a point: both of its parts are made to round anew in each sample.

    x moves along a line, so that f rounds anew; the step h is multiplied by a random c, so that the derivatives, which
    travel in the imaginary part as multiples of h, round anew even where they do not depend on x.
    """
    direction = random_direction(np.abs(point), rng)
    origin = np.zeros_like(point)
    for sign in (1, -1):
        samples = []
        for node in _NODES:
            place, c = point + sign * spacing * node * direction, rng.uniform(1, 2)
            samples.append(complex_step(_moved(f, place, c), origin) / c)
        deviation = noise(np.stack(samples))
        if np.isfinite(deviation).all():
            return deviation
    return np.where(np.isnan(deviation), np.inf, deviation)


def _moved(f: Function, place: Vector, c: float) -> Callable[[Any], complex]:
    return lambda t: complex_value(f, place + c * t)


def sides(f: Function, point: Vector, direction: Vector, steps: Vector) -> tuple[Vector, Vector]:
    """The values of f on both sides of a point, step by step."""
    plus = [real_value(f, point + h * direction) for h in steps]
    minus = [real_value(f, point - h * direction) for h in steps]
    return np.array(plus), np.array(minus)


def ridders(plus: Vector, minus: Vector, rounding: float) -> tuple[float, float]:
    """The derivative from values at STEPS, and its bound: what extrapolation changed last, and rounding over the step.

    Of each step that ends a row of the tableau, the best entry is taken. A row is dropped where the plain difference of
    a shorter step contradicts it: steps across a kink may agree with each other, shorter ones do not reach it. The best
    row that is left gives the value; its distance from the second best is added to the bound. Infinite where too few
    values exist.
    """
    plain = column = (plus - minus) / (2 * STEPS)
    rounded = EXTRAPOLATION * (rounding + 2**-51 * np.maximum(np.abs(plus), np.abs(minus))) / STEPS
    value, error = np.full(STEPS.size, np.nan), np.full(STEPS.size, np.inf)
    for j in range(1, COLUMNS + 1):
        power = 16.0**j
        longer = (power * column[1:] - column[:-1]) / (power - 1)
        change = np.maximum(np.abs(longer - column[1:]), np.abs(longer - column[:-1])) + rounded[j:]
        better = change < error[j:]  # False for NaN
        value[j:], error[j:] = np.where(better, longer, value[j:]), np.where(better, change, error[j:])
        column = longer
    doubt = np.append(np.inf, np.abs(np.diff(plain)) / 4) + rounded  # a smooth f leaves 1/15 of the last change
    for row in range(STEPS.size):
        if (np.abs(value[row] - plain[row + 1 :]) > error[row] + doubt[row + 1 :]).any():
            error[row] = np.inf
    first, second = np.argsort(error)[:2]
    if not np.isfinite(error[second]):
        return np.nan, np.inf
    return float(value[first]), float(error[first] + abs(value[first] - value[second]))


def has_kink(plus: Vector, minus: Vector, middle: float, rounding: float) -> bool:
    """Whether the one-sided slopes at x, from values at KINK_STEPS, differ by more than curvature and rounding explain.

    The difference of the slopes is J + a h + b h^3 + ..., with J = 0 unless x is a kink: two neighbouring steps cancel
    a h, three b h^3 as well, which must change little. The finest J that rounding leaves visible counts if rounding
    hides it at every finer step: a kink beside x is not one at x. Values that do not exist next to x make x an edge,
    which counts as a kink.
    """
    if not np.isfinite([plus[-1], minus[-1]]).all():
        return True
    gap = (plus - 2 * middle + minus) / KINK_STEPS
    unsure = 4 * (rounding + 2**-52 * np.maximum(np.abs(plus), np.abs(minus))) / KINK_STEPS
    linear, blur = (16 * gap[1:] - gap[:-1]) / 15, (16 * unsure[1:] + unsure[:-1]) / 15
    jump, blur = (4096 * linear[1:] - linear[:-1]) / 4095, (4096 * blur[1:] + blur[:-1]) / 4095
    steady = np.abs(jump - linear[1:]) <= blur + np.abs(jump) / 4
    steady[-1] = True  # a kink as close as the finest steps cannot be told from one at x
    seen = np.flatnonzero((np.abs(jump) > blur) & steady)
    if not seen.size:
        return False
    finest = int(seen[-1])
    return bool((blur[finest + 1 :] >= 0.75 * abs(jump[finest])).all())


def distrust(f: Function, point: Vector, direction: Vector, rounding: float) -> bool:
    """Whether the complex step along a direction lies outside the bound of the central difference."""
    value, bound = ridders(*sides(f, point, direction, STEPS), rounding)
    step = float(complex_step(lambda t: complex_value(f, point + t * direction), np.zeros(())))
    return bool(np.isfinite(bound) and not abs(step - value) <= bound)
