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

from parity_tests.judging.complex_step import STEP, complex_step

Vector = NDArray[np.float64]
Function = Callable[[Any], Any]

SAMPLES, COEFFICIENTS = 12, 4

QUANTILE = 31.97
"""Student's t with 12 - 4 degrees of freedom leaves 1e-9 beyond it, on both sides together."""

SPACING, NARROW_SPACING = 2.0**-20, 2.0**-36
"""How far the samples lie from x, relative to it: (2^-20)^4, what a cubic leaves over, is far below rounding."""

SPACINGS = tuple(SPACING * 4.0**k for k in range(3))
"""Three distances whose samples, from 1 to 1.7 times as far, lie apart: a kink is among those of one at most."""

STEPS: Vector = np.power(4.0, -np.arange(1, 14))
"""Steps of a difference over the length of an entry: 1/4 to 1.5e-8, powers of two, so that x + h is mostly exact."""

LARGEST_STEP, SMALLEST_STEP = 2.0**40, 2.0**-44
"""How far steps reach at most, over the length of an entry: further out nothing new is seen, nor is it further in."""

SHORTEST = -1000  # the exponent of the least length, whose reciprocal is finite
HALVINGS = 30  # of the distance between a step at which f stands still and one at which it moves
COLUMNS = 6  # of Ridders' tableau; the sixth is of order h^12
EXTRAPOLATION = 1.2  # the product of (16^j + 1)/(16^j - 1): what extrapolation does to rounding at most

_NODES = 1 + np.arange(SAMPLES) / 16  # on one side of x, where a kink at x is not crossed; dyadic: x + h is exact
_CUBICS = np.linalg.qr(np.vander(_NODES - 1.5, COEFFICIENTS))[0]


class Estimate(NamedTuple):
    """Derivatives, the bounds within which a gradient agrees with them, and the wider ones beyond which it is wrong.

    ``hidden`` are the entries of which the rounding of f hides too much for a gradient to hold.
    """

    value: Vector
    agrees: Vector
    wrong: Vector
    hidden: NDArray[np.bool_]


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


def scales(point: Vector, least: float = 2.0**-10) -> Vector:
    """A length for each entry of one array: a power of two near |x|, ``least`` of the largest; 1 if all are zero.

    Zeros get the largest length, or with a ``least`` that is not 0 that part of it.
    """
    largest = np.max(np.abs(point))
    if largest == 0:
        return np.ones_like(point)
    sizes = np.where(point == 0, (least or 1) * largest, np.maximum(np.abs(point), least * largest))
    lengths: Vector = 2.0 ** np.maximum(np.ceil(np.log2(sizes)), SHORTEST)
    return lengths


def steps_between(longest: float, shortest: float, most: float = LARGEST_STEP) -> Vector:
    """STEPS, and as many longer and shorter powers of 4 as it takes to reach from ``longest`` to ``shortest``."""
    up = np.ceil(np.log2(np.clip(longest / STEPS[0], 1, most)) / 2)
    down = np.ceil(np.log2(np.clip(STEPS[-1] / max(shortest, SMALLEST_STEP), 1, None)) / 2)
    steps: Vector = STEPS[0] * np.power(4.0, np.arange(up, -STEPS.size - down, -1))
    return steps


def random_direction(lengths: Vector, rng: np.random.Generator) -> Vector:
    """Each length times a number of 20 bits between 1/2 and 1, either sign: no two entries move alike."""
    direction: Vector = lengths * rng.integers(2**19, 2**20, lengths.shape) * rng.choice([-1, 1], lengths.shape)
    return direction / 2**20


def dyadic_direction(lengths: Vector, rng: np.random.Generator) -> Vector:
    """Each length, a power of two, times one of +-4/8, ..., +-7/8: small steps along it are exact; ties may stay."""
    direction: Vector = lengths * rng.integers(4, 8, lengths.shape) * rng.choice([-0.125, 0.125], lengths.shape)
    return direction


def noise(values: NDArray[Any]) -> Vector:
    """Standard deviation of the rounding in samples (SAMPLES, ...) of smooth functions at the nodes."""
    moved = values - values[:1]
    rest = moved - _CUBICS @ (_CUBICS.T @ moved)
    deviation: Vector = np.sqrt(np.sum(np.square(rest), axis=0) / (SAMPLES - COEFFICIENTS))
    return deviation


def value_rounding(f: Function, point: Vector, direction: Vector, spacings: tuple[float, ...] = (SPACING,)) -> float:
    """How far rounding may move f near a point: the measured noise, and two units of roundoff of f itself.

    The smallest noise counts, of the two sides of x and of all the spacings: a kink close to x, which is no rounding,
    lies on one side alone, and between the samples of one spacing.
    """
    found = [np.inf]
    for h in np.outer(spacings, (1, -1)).ravel():
        values = np.array([real_value(f, point + h * node * direction) for node in _NODES])
        if np.isfinite(values).all():
            found.append(float(QUANTILE * noise(values) + 2**-52 * abs(values[0])))
    return min(found)


def gradient_rounding(f: Function, point: Vector, spacing: float, rng: np.random.Generator) -> Vector:
    """Noise of the complex step's gradient near a point: both of its parts are made to round anew in each sample.

    x moves along a line, so that f rounds anew; the step h is multiplied by a random c, so that the derivatives, which
    travel in the imaginary part as multiples of h, round anew even where they do not depend on x.
    """
    direction = dyadic_direction(np.where(point == 0, 0.0, scales(point, least=0.0)), rng)
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


def ridders(plus: Vector, minus: Vector, rounding: float, steps: Vector = STEPS) -> tuple[float, float]:
    """The derivative from values at steps, and its bound: what extrapolation changed last, and rounding over the step.

    Of each step that ends a row of the tableau, the best entry is taken. A row is dropped where the plain difference of
    a shorter step contradicts it: steps across a kink, or over many waves, may agree with each other, but shorter ones
    move away from them. The best row that is left gives the value; its distance from the second best is added to the
    bound. Infinite where too few values exist.
    """
    plain = column = (plus - minus) / (2 * steps)
    rounded = EXTRAPOLATION * (rounding + 2**-51 * np.maximum(np.abs(plus), np.abs(minus))) / steps
    value, error = np.full(steps.size, np.nan), np.full(steps.size, np.inf)
    for j in range(1, COLUMNS + 1):
        power = 16.0**j
        longer = (power * column[1:] - column[:-1]) / (power - 1)
        change = np.maximum(np.abs(longer - column[1:]), np.abs(longer - column[:-1])) + rounded[j:]
        better = change < error[j:]  # False for NaN
        value[j:], error[j:] = np.where(better, longer, value[j:]), np.where(better, change, error[j:])
        column = longer
    doubt = np.append(np.inf, np.abs(np.diff(plain)) / 4)  # a smooth f leaves 1/15 of the last change
    for row in range(steps.size):
        if (np.abs(value[row] - plain[row + 1 :]) > error[row] + doubt[row] + rounded[row + 1 :]).any():
            error[row] = np.inf
    first, second = np.argsort(error)[:2]
    if not np.isfinite(error[second]):
        return np.nan, np.inf
    return float(value[first]), float(error[first] + abs(value[first] - value[second]))


class Difference(NamedTuple):
    """A derivative by differences, its bound, and whether f stands still at the shortest steps."""

    value: float
    bound: float
    still: bool


def difference(f: Function, point: Vector, direction: Vector, rounding: float, steps: Vector = STEPS) -> Difference:
    """The derivative along a direction by central differences; with no bound where f moves at no step at all.

    Where it stands still at the shortest steps and moves at others, rounding is no smaller than its first movement.
    """
    plus, minus = sides(f, point, direction, steps)
    moved = np.abs(np.stack([plus, minus]) - real_value(f, point))
    still = bool((moved[:, -1] == 0).all())
    if not (moved > 0).any():
        return Difference(0.0, np.inf, still)
    if still and (start := threshold(f, point, direction)):
        rounding = max(rounding, start.movement)
    return Difference(*ridders(plus, minus, rounding, steps), still)


def silence(f: Function, point: Vector, direction: Vector) -> float:
    """The bound of a derivative along a direction in which f does not move at all next to x; infinite if unknown.

    Either f never moves, or it begins to at some distance. Its smallest movement there, which is that of the rounding
    of f, over that distance is what the derivative may be without being seen. That is little where f begins to move at
    once, behind a kink, as a ReLU does; it is as much as f moves further out where rounding swallowed a smooth f.
    """
    start = threshold(f, point, direction)
    if start is None:
        return 0.0
    bound = 2 * start.movement / start.distance if start.distance else np.inf
    return bound if bound < 1e-6 * start.slope else np.inf


class Threshold(NamedTuple):
    """Up to which distance f stands still, how little it moves just behind that, and its slope further out."""

    distance: float
    movement: float
    slope: float


def threshold(f: Function, point: Vector, direction: Vector) -> Threshold | None:
    """Where f begins to move along a direction, to either side; None if nowhere.

    Along a direction that is shorter than 1 it is looked for up to a distance of 1, where squares do not underflow.
    """
    middle = real_value(f, point)
    furthest = max(LARGEST_STEP, 1 / (STEPS[0] * float(np.max(np.abs(direction)))))

    def movement(h: float) -> float:
        return float(np.nanmax(np.abs([0, *(real_value(f, point + s * h * direction) - middle for s in (1, -1))])))

    steps = steps_between(furthest, SMALLEST_STEP, furthest)[::-1]
    outside = next((float(h) for h in steps if movement(h)), None)
    if outside is None:
        return None
    inside, further = (outside / 4 if outside > steps[0] else 0.0), 4 * outside
    for _ in range(HALVINGS):
        between = (inside + outside) / 2
        if movement(between):
            outside = between
        else:
            inside = between
    return Threshold(inside, movement(outside), movement(further) / further)


def slope(f: Function, point: Vector, direction: Vector) -> float:
    """The derivative along a direction by the complex step."""
    return float(complex_step(lambda t: complex_value(f, point + t * direction), np.zeros(())))
