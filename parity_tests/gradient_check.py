"""Is this gradient right? A check for any scalar NumPy function of one or several arrays.

The package's attribute ``check_gradient`` is the function; this module has another name on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manual.notation import Array
from parity_tests import derivatives
from parity_tests.bounds import unit_roundoff
from parity_tests.derivatives import QUANTILE, Estimate, Function, Vector
from parity_tests.gradient_input import Arguments, read_gradient, read_point
from parity_tests.gradient_verdict import (
    COMPLEX_STEP,
    DIFFERENCES,
    ArrayCheck,
    GradientCheck,
    hides,
    judge_array,
    smallest,
)
from parity_tests.judge import FAILS
from parity_tests.referees import complex_step

__all__ = ["ArrayCheck", "GradientCheck", "assert_gradient", "check_gradient"]


def check_gradient(
    f: Callable[..., Any], gradient: Any, x: Any, *, m: int | None = None, seed: int = 0
) -> GradientCheck:
    """Check a gradient against the function that it claims to differentiate, entry by entry.

    g_j = df/dx_j is taken by the complex step, Im f(x + i h e_j) / h, or where the code of f is not analytic, by
    extrapolated central differences. Each array of x is judged by itself. An entry fails where |got - g_j| > bound_j.
    Where none fails, the array cannot be told if f has a kink at an entry, or if the bounds could hide a change of 1e-9
    of the array's largest entry (1e-6 with differences): values that small are not judged.

    Parameters
    ----------
    f : callable
        Any NumPy function that returns one real number, the same one for the same arguments.
    gradient : array, number, tuple, dict or callable
        The gradient of f at x, in the structure of x; or a function that returns it and is called as f is. A dict may
        have the names of x or, as gradients are called in the notes, those with a d before them: dW for W.
    x : array, number, tuple, list or dict
        Where to check. One array: f(x) is called; a tuple or list of arrays: f(*x); a dict: f(**x), so that a function
        of one dict is passed as ``lambda **params: f(params)``. Integers and float32 are taken in float64. The arrays
        are copied: nobody changes the caller's.
    m : int, optional
        The number of examples: a gradient that is m or 1/m times too large is then described so.
    seed : int
        Of the random directions and roundings.

    Returns
    -------
    GradientCheck
        One ArrayCheck for each array of x. It is true where all of them hold, and printed as a short report.

    Raises
    ------
    ValueError
        In one sentence, for an x that is not made of finite real numbers, an f that returns anything but a finite real
        number or changes its mind, and a gradient of another structure.

    Notes
    -----
    *Complex step.* Its truncation error is of order h^2 = 1e-60, so the bounds are about rounding alone. Within

        4 u |g_j| + t sqrt(2) s_j

    an entry agrees: 4 u |g_j| are the roundings that every entry has (step, scaling and result, on either side), s_j is
    the standard deviation of the rounding in g_j as 12 samples at a relative distance of 2^-20 show it
    (``derivatives.gradient_rounding``), sqrt(2) stands for two sides that round independently, and t = 31.97 is the
    quantile of Student's t with 8 degrees of freedom that leaves 1e-9. (Where a sample crosses a kink, s_j is too
    large; s_j from samples at 2^-36 then decides what agrees, never what fails.)

    An entry is wrong beyond that plus 4 u. The gradient under test may have rounded numbers of size one, as a - y does
    where the value is tiny; that is rounding, though the referee does not share it. Between the two bounds nothing can
    be told, except where all entries are a transpose or a simple multiple (2, m, -1, 1/3) of the right ones: rounding
    does not multiply by two, so that is wrong however small the values are.

    A gradient in float32 gets 2^29 times as much, and must show a change of a half rather than of 1e-9.

    *When it is not taken.* Where f raises or returns a real number for a complex argument, or discards the imaginary
    part; where, along two random directions in an array, it disagrees with the central difference beyond the bound of
    the latter (np.abs, .real, conjugates); or where the central difference at the worst entry takes the side of the
    gradient under test. This is decided for each array, and the result names the reason.

    *Central differences.* Ridders' extrapolation of steps from 1/4 to 1.5e-8 of |x|. The bound is the last change of
    the extrapolation, the distance of its two best rows, and the rounding of f (measured as above, once for f) over the
    step; an entry is wrong beyond that plus 4 u. What shorter steps contradict is dropped: it reached across a kink.
    Where f does not move at all next to x but does further out, nothing can be told: it may be a staircase of rounding.

    *Kinks.* The one-sided slopes are compared at several steps, first along two random directions in each array, then,
    where these show something, entry by entry. A kink in one entry that is lost in the rounding of f is not seen; nor,
    by differences, are kinks that lie within a millionth of x on both sides of it told from rounding.

    The work is 13 complex evaluations of f for each entry of x; with differences, 26 real ones.

    Examples
    --------
    >>> import numpy as np
    >>> from parity_tests import check_gradient
    >>> x = np.array(2.0)
    >>> print(check_gradient(lambda x: x**3, 6 * x**2, x))  # doctest: +ELLIPSIS
    The gradient fails.
      x fails (complex step): 2 times everywhere; 1 of 1 wrong, got 24, expected 12; error / bound ...
    """
    if m is not None and (not isinstance(m, (int, np.integer)) or isinstance(m, bool) or m < 1):
        raise ValueError(f"m is {m!r}, expected a whole number of at least 1: it is the number of examples")
    arguments = read_point(x)
    _read_value(f, arguments)
    claimed = read_gradient(gradient, arguments)
    with derivatives.quiet():
        checks = [
            _check_array(f, arguments, number, got, m, np.random.default_rng((seed, number)))
            for number, got in enumerate(claimed)
        ]
    return GradientCheck(tuple(checks))


def assert_gradient(f: Callable[..., Any], gradient: Any, x: Any, *, m: int | None = None, seed: int = 0) -> None:
    """Raise AssertionError, with the report as its text, unless the gradient holds. Arguments as for check_gradient.

    A gradient that cannot be told does not hold: an assertion that saw nothing must not pass.
    """
    check = check_gradient(f, gradient, x, m=m, seed=seed)
    if not check:
        raise AssertionError(str(check))


def _part(f: Callable[..., Any], x: Arguments, place: slice) -> Function:
    """The function f of the entries of one array; the other arrays stay where they are."""

    def part(entries: Array) -> Any:
        vector = x.point.astype(entries.dtype)
        vector[place] = entries
        return x.call(f, vector)

    return part


def _axes(lengths: Vector) -> Iterator[Vector]:
    """The direction of one entry after the other."""
    for entry, length in enumerate(lengths):
        direction = np.zeros_like(lengths)
        direction[entry] = length
        yield direction


def _read_value(f: Callable[..., Any], x: Arguments) -> None:
    """ValueError unless f(x) is a finite real number, twice the same."""
    values = []
    for _ in range(2):
        value = x.call(f, x.point.copy())
        shape, kind = np.shape(value), np.asarray(value).dtype.kind
        if shape != ():
            raise ValueError(f"f(x) has shape {shape}, expected a number, shape (): a gradient belongs to a scalar")
        if kind not in "biuf":
            got = "complex" if kind == "c" else type(value).__name__
            raise ValueError(f"f(x) is {got}, expected a real number: a gradient belongs to a real scalar")
        if not np.isfinite(value):
            raise ValueError(f"f(x) is {value}, expected a finite number: no derivative exists at x")
        values.append(float(value))
    if values[0] != values[1]:
        raise ValueError(f"f(x) is {values[0]!r}, then {values[1]!r}, expected one value: fix the seed inside f")


def _check_array(
    f: Callable[..., Any], x: Arguments, number: int, got: Array, m: int | None, rng: np.random.Generator
) -> ArrayCheck:
    """The verdict on one array: by the complex step if f allows it, by differences if not."""
    name, shape, place = x.names[number], x.shapes[number], x.places[number]
    part, point = _part(f, x, place), x.point[place]
    lengths = derivatives.scales(point)
    rounding = derivatives.value_rounding(part, point, derivatives.random_direction(lengths, rng))
    kinks = _kinks(part, point, lengths, rounding, rng).reshape(shape)
    why = _why_differences(part, point, lengths, rounding, rng)
    if not why:
        estimate = _by_complex_step(part, point, got.dtype, rng)
        check = judge_array(name, COMPLEX_STEP, got, estimate, kinks, m, "")
        if check.verdict != FAILS or not _difference_agrees(part, point, lengths, rounding, check):
            return check
        why = f"is differentiated in another way by the complex step than by a difference at {check.worst_index}"
    estimate = _by_differences(part, point, lengths, rounding, got.dtype)
    return judge_array(name, DIFFERENCES, got, estimate, kinks, m, why)


def _kinks(f: Function, point: Vector, lengths: Vector, rounding: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """The entries in which f has no derivative at the point."""
    middle = derivatives.real_value(f, point)

    def kinked(direction: Vector) -> bool:
        return derivatives.has_kink(*derivatives.sides(f, point, direction, derivatives.KINK_STEPS), middle, rounding)

    if not any(kinked(derivatives.random_direction(lengths, rng)) for _ in range(2)):
        return np.zeros(point.shape, bool)
    return np.array([kinked(direction) for direction in _axes(lengths)])


def _why_differences(f: Function, point: Vector, lengths: Vector, rounding: float, rng: np.random.Generator) -> str:
    """Why the complex step cannot be the referee, in words after "f"; empty where it can."""
    problem = derivatives.complex_problem(f, point, lengths)
    if problem:
        return problem
    for _ in range(2):
        beside = point + 2.0**-10 * derivatives.random_direction(lengths, rng)  # off the kinks that x may lie on
        if np.isnan(derivatives.real_value(f, beside)):
            beside = point
        if derivatives.distrust(f, beside, derivatives.random_direction(lengths, rng), rounding):
            return "is not analytic: the complex step and a difference along a random direction disagree"
    return ""


def _by_complex_step(f: Function, point: Vector, dtype: Any, rng: np.random.Generator) -> Estimate:
    """The gradient by the complex step, with its bounds."""
    value = complex_step(lambda z: derivatives.complex_value(f, z), point)
    u = unit_roundoff(dtype)
    plain = 4 * u * np.abs(value) + smallest(dtype)

    def bound(spacing: float) -> Vector:
        measured: Vector = derivatives.gradient_rounding(f, point, spacing, rng)
        limit: Vector = plain + QUANTILE * np.sqrt(2) * u / unit_roundoff(np.float64) * measured
        return limit

    sure = wide = bound(derivatives.SPACING)
    if hides(wide, value, COMPLEX_STEP, dtype).any():
        sure = np.minimum(wide, bound(derivatives.NARROW_SPACING))
    return Estimate(value, sure, wide + 4 * u)


def _by_differences(f: Function, point: Vector, lengths: Vector, rounding: float, dtype: Any) -> Estimate:
    """The gradient by central differences, with its bounds."""
    u = unit_roundoff(dtype)
    value, bound = np.empty_like(point), np.empty_like(point)
    for entry, direction in enumerate(_axes(lengths)):
        plus, minus = derivatives.sides(f, point, direction, derivatives.STEPS)
        slope, error = derivatives.ridders(plus, minus, rounding)
        on_a_step = slope == 0 and (plus != minus).any()  # f moves further out: it may be a staircase of rounding
        value[entry], bound[entry] = slope / lengths[entry], np.inf if on_a_step else error / lengths[entry]
    own = 4 * u * np.abs(value) + u / unit_roundoff(np.float64) * rounding / lengths  # of the gradient under test
    bound += own + smallest(dtype)
    return Estimate(value, bound, bound + 4 * u)


def _difference_agrees(f: Function, point: Vector, lengths: Vector, rounding: float, check: ArrayCheck) -> bool:
    """Whether the central difference at the worst entry is with the gradient under test, and against the referee."""
    if not np.isfinite([check.got, check.expected]).all():
        return False
    entry = int(np.ravel_multi_index(check.worst_index, check.shape)) if check.shape else 0
    direction = next(islice(_axes(lengths), entry, None))
    value, bound = derivatives.ridders(*derivatives.sides(f, point, direction, derivatives.STEPS), rounding)
    value, bound = value / lengths[entry], bound / lengths[entry]
    return bool(abs(check.got - value) <= bound < abs(check.expected - value))
