"""Is this gradient right? A check for any scalar NumPy function of one or several arrays.

The package's attribute ``check_gradient`` is the function; this module has another name on purpose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from manual.notation import Array
from parity_tests import derivatives
from parity_tests.bounds import unit_roundoff
from parity_tests.derivatives import QUANTILE, Estimate, Function, Vector
from parity_tests.gradient_input import Arguments, known_arrays, read_gradient, read_point
from parity_tests.gradient_patterns import Known
from parity_tests.gradient_verdict import (
    COMPLEX_STEP,
    DIFFERENCES,
    ArrayCheck,
    GradientCheck,
    Mask,
    hides,
    judge_array,
    smallest,
)
from parity_tests.judge import FAILS
from parity_tests.referees import complex_step

COARSE = 1e-3
"""By differences, a derivative is judged where it is known to this share of itself."""

__all__ = ["ArrayCheck", "GradientCheck", "assert_gradient", "check_gradient"]


def check_gradient(
    f: Callable[..., Any], gradient: Any, x: Any, *, m: int | None = None, seed: int = 0
) -> GradientCheck:
    """Check a gradient against the function that it claims to differentiate, entry by entry.

    g_j = df/dx_j is taken by the complex step, Im f(x + i h e_j) / h, or where the code of f is not analytic, by
    extrapolated central differences. Each array of x is judged by itself. An entry fails where |got - g_j| > bound_j.
    Where none fails, the array cannot be told if f has a kink at an entry, if the bounds could hide a change of 1e-9 of
    the array's largest entry (1e-6 with differences, 1e-3 in float32), or if the rounding of f hides an entry.

    Parameters
    ----------
    f : callable
        Any NumPy function that returns one real number, the same one for the same arguments.
    gradient : array, number, tuple, dict or callable
        The gradient of f at x, in the structure of x; or a function that returns it and is called as f is. A dict may
        have the names of x or, as people call gradients, those with a mark: dW, d_W, W_grad, grad_W, dL_dW for W. What
        belongs to no array of x is ignored, and the result says so.
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
        number in float64 or changes its mind, and a gradient of another structure.

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

    A gradient in float32 gets 2^29 times as much.

    *When it is not taken.* Where f raises or returns a real number for a complex argument, or discards the imaginary
    part; where it disagrees with the central difference beyond the bound of the latter, along random directions in an
    array or in an entry by itself (np.abs, .real, conjugates); or where the central difference at the worst entry takes
    the side of the gradient under test. This is decided for each array, and the result names the reason. An entry is
    looked at by itself where 64 bounds of the directions are more than its derivative; if it moves f less than rounding
    does, it is looked at further out, where it moves f visibly.

    *Central differences.* Ridders' extrapolation of steps from 1/4 to 1.5e-8 of |x|, and where these do not give a
    thousandth of the derivative, on to 1 and to a millionth of a small entry. The bound is the last change of the
    extrapolation, the distance of its two best rows, and the rounding of f (measured as above, once for f) over the
    step; an entry is wrong beyond that plus 4 u. What shorter steps contradict is dropped: it reached across a kink, or
    over many waves. An entry of which less than a thousandth is known does not hold. Where f stands still next to x,
    its derivative is 0 if f begins to move at once, behind a kink, or never; else it may be a staircase of rounding,
    and nothing can be told.

    *Kinks.* The one-sided slopes are compared at several steps, first along two random directions in each array, then,
    where these show something, entry by entry. A kink in one entry that is lost in the rounding of f is not seen; nor,
    by differences, are kinks that lie within a millionth of x on both sides of it told from rounding.

    The work is 13 complex evaluations of f for each entry of x, or 26 real ones with differences, and more for entries
    that are hard to see.

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
    arrays = {f"the gradient of {name}": array for name, array in zip(arguments.names, claimed.arrays, strict=True)}
    arrays |= known_arrays(f)
    with derivatives.quiet():
        checks = []
        for number, got in enumerate(claimed.arrays):
            name, shape = arguments.names[number], arguments.shapes[number]
            parameter = arguments.point[arguments.places[number]].reshape(shape)
            others = {other: array for other, array in arrays.items() if other != f"the gradient of {name}"}
            known = Known(m, parameter, others)
            checks.append(_check_array(f, arguments, number, got, known, np.random.default_rng((seed, number))))
    return GradientCheck(tuple(checks), arguments.notes + claimed.notes)


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
    """How many binary digits a number has."""
    mantissa = int(abs(np.frexp(value)[0]) * 2**53)
    return mantissa.bit_length() - (mantissa & -mantissa).bit_length() + 1 if mantissa else 0


def _value_beside(f: Callable[..., Any], x: Arguments, seed: int) -> float:
    """The value of f at a point near x, its entries up to a hundredth, or four times, larger or smaller."""
    spread = 4.0 if seed % 2 else 1.01
    moved = x.point * spread ** np.random.default_rng(seed).uniform(-1, 1, x.point.shape)
    with derivatives.quiet():
        return derivatives.real_value(lambda point: x.call(f, point), moved)


class _Part(NamedTuple):
    """One array of x: f as a function of its entries, with what rounding does to f there, and what it does to f along a
    random direction, where x + h is rounded too.
    """

    f: Function
    point: Vector
    lengths: Vector
    rounding: float
    along: float
    steps: Vector


def _part_at(f: Function, point: Vector, rng: np.random.Generator) -> _Part:
    """Lengths, rounding and steps at a point.

    Rounding is measured over distances of a millionth relative to x and, where that shows none and x is tiny, relative
    to 1: as long as 1 + x^2 is 1, f stands still next to x, and nothing shows how it is rounded. Of a large x it is a
    millionth of 1, as far as x + h is exact.
    """
    lengths = derivatives.scales(point)
    largest = float(np.max(lengths))
    near, further = lengths / np.clip(largest, 1.0, 2.0**24), lengths / largest

    def rounding(direction_of: Callable[[Vector, np.random.Generator], Vector]) -> float:
        found = derivatives.value_rounding(f, point, direction_of(near, rng))
        if largest < 1 and found <= 2**-51 * abs(derivatives.real_value(f, point)):
            beyond = derivatives.value_rounding(f, point, direction_of(further, rng))
            return max(found, beyond) if np.isfinite(beyond) else found
        return found

    exact = rounding(derivatives.dyadic_direction)
    along = max(exact, rounding(derivatives.random_direction))
    steps = derivatives.steps_between(derivatives.STEPS[0] / largest, derivatives.STEPS[-1] / largest)
    return _Part(f, point, lengths, exact, along, steps)


def _check_array(
    f: Callable[..., Any], x: Arguments, number: int, got: Array, known: Known, rng: np.random.Generator
) -> ArrayCheck:
    """The verdict on one array: by the complex step if f allows it, by differences if not."""
    name, shape, place = x.names[number], x.shapes[number], x.places[number]
    part = _part_at(_part(f, x, place), x.point[place], rng)
    kinks = _kinks(part, rng)
    trust = _trust(part, bool(kinks.any()), rng)
    why, shaped = trust.why_not, kinks.reshape(shape)
    if not why:
        estimate = _by_complex_step(part, got.dtype, rng)
        checked = _entries(part, estimate, kinks, trust)
        if checked.differs < 0:
            check = judge_array(name, COMPLEX_STEP, got, estimate._replace(hidden=checked.hidden), shaped, known, "")
            if check.verdict != FAILS or not _difference_agrees(part, check):
                return check
            where = str(check.worst_index)
        else:
            where = str(tuple(int(i) for i in np.unravel_index(checked.differs, shape)))
        why = f"is differentiated in another way by the complex step than by a difference at {where}"
    return judge_array(name, DIFFERENCES, got, _by_differences(part, got.dtype), shaped, known, why)


def _kinks(part: _Part, rng: np.random.Generator) -> Mask:
    """The entries in which f has no derivative at the point; all where it has none along a direction alone."""
    middle, steps = derivatives.real_value(part.f, part.point), part.steps[:3:-2][::-1]

    def kinked(direction: Vector, rounding: float) -> bool:
        return derivatives.has_kink(*derivatives.sides(part.f, part.point, direction, steps), middle, rounding, steps)

    if not any(kinked(derivatives.random_direction(part.lengths, rng), part.along) for _ in range(2)):
        return np.zeros(part.point.shape, bool)
    found = np.array([kinked(direction, part.rounding) for direction in _axes(part.lengths)])
    return found if found.any() else ~found


class _Trust(NamedTuple):
    """Why the complex step cannot be the referee, in words after "f", or empty; and then how far differences leave it
    unconfirmed, entry by entry.
    """

    why_not: str
    unconfirmed: Vector


def _trust(part: _Part, kinked: bool, rng: np.random.Generator) -> _Trust:
    """Hold the complex step against differences, along random directions.

    A direction sees an error in any entry unless it is less than the bound of the difference: 64 times that, over the
    length of an entry, is what stays unconfirmed there.
    """
    f, point = part.f, part.point
    unconfirmed = np.full(point.shape, np.inf)
    problem = derivatives.complex_problem(f, point, part.lengths)
    if problem:
        return _Trust(problem, unconfirmed)
    own = derivatives.scales(point, least=0.0)
    for lengths in [part.lengths] * 2 + [own] * bool((own < part.lengths).any()):
        beside = point + 2.0**-10 * derivatives.random_direction(lengths, rng) if kinked else point
        if np.isnan(derivatives.real_value(f, beside)):
            beside = point
        direction = derivatives.random_direction(lengths, rng)
        value, bound, _ = derivatives.difference(f, beside, direction, part.along, part.steps)
        step = derivatives.slope(f, beside, direction)
        if np.isfinite(bound) and not abs(step - value) <= bound:
            return _Trust(
                "is not analytic: the complex step and a difference along a random direction disagree", unconfirmed
            )
        unconfirmed = np.minimum(unconfirmed, 64 * bound / lengths)
    return _Trust("", unconfirmed)


class _Checked(NamedTuple):
    """What differences say of the entries that directions leave unconfirmed: the first at which the complex step
    differs (-1 if none), and those of which nothing can be known.
    """

    differs: int
    hidden: Mask


def _entries(part: _Part, estimate: Estimate, kinks: Mask, trust: _Trust) -> _Checked:
    """Confirm by themselves the entries that are too small beside others to be seen along a direction."""
    hidden = np.zeros(part.point.shape, bool)
    for entry in np.flatnonzero(~kinks & ~(np.abs(estimate.value) >= trust.unconfirmed)):
        step, axis = estimate.value[entry], np.zeros_like(part.point)
        axis[entry] = part.lengths[entry]
        kinks[entry] = _kink_further_out(part, axis)
        value, bound, sees = _slope(part, int(entry))
        if np.isfinite(bound) and abs(step - value) > bound:
            return _Checked(int(entry), hidden)
        if not sees and not kinks[entry]:
            agrees = _agrees_elsewhere(part, axis)
            if agrees is False:
                return _Checked(int(entry), hidden)
            hidden[entry] = agrees is None
    return _Checked(-1, hidden)


def _kink_further_out(part: _Part, axis: Vector) -> bool:
    """Whether one entry has a kink that shorter steps lose in the rounding of f."""
    steps = part.steps[::-2][::-1]
    values = derivatives.sides(part.f, part.point, axis, steps)
    return derivatives.has_kink(*values, derivatives.real_value(part.f, part.point), part.rounding, steps)


def _agrees_elsewhere(part: _Part, axis: Vector) -> bool | None:
    """Whether the complex step and differences agree along an axis, so far from x that f has clearly moved there.

    None where that is nowhere.
    """
    f, middle, seen = part.f, derivatives.real_value(part.f, part.point), 0
    for h in derivatives.steps_between(derivatives.LARGEST_STEP, 1.0)[::-1]:
        there = part.point + h * axis
        if h >= 1 and abs(derivatives.real_value(f, there) - middle) > 1e6 * part.rounding and seen < 3:
            seen += 1
            rounding = max(part.rounding, derivatives.value_rounding(f, there, h * axis))
            value, bound, _ = derivatives.difference(f, there, h * axis, rounding)
            step = derivatives.slope(f, there, h * axis)
            if np.isfinite(bound) and bound <= 1e-3 * max(abs(value), abs(step)):
                return bool(abs(step - value) <= bound)
    return None


def _by_complex_step(part: _Part, dtype: Any, rng: np.random.Generator) -> Estimate:
    """The gradient by the complex step, with its bounds."""
    value = complex_step(lambda z: derivatives.complex_value(part.f, z), part.point)
    u = unit_roundoff(dtype)
    plain = 4 * u * np.abs(value) + smallest(dtype)

    def bound(spacing: float) -> Vector:
        measured: Vector = derivatives.gradient_rounding(part.f, part.point, spacing, rng)
        limit: Vector = plain + QUANTILE * np.sqrt(2) * u / unit_roundoff(np.float64) * measured
        return limit

    sure = wide = bound(derivatives.SPACING)
    if hides(wide, value, COMPLEX_STEP, dtype).any():
        sure = np.minimum(wide, bound(derivatives.NARROW_SPACING))
    return Estimate(value, sure, wide + 4 * u, np.zeros(value.shape, bool))


def _slope(part: _Part, entry: int) -> tuple[float, float, bool]:
    """The derivative by one entry from differences, its bound, and whether a mistake in this entry would be seen.

    Where the usual steps do not give a thousandth of the derivative, they go on: up to a distance of 1, and down to
    1.5e-8 of the entry itself, or of 1.
    """
    length, size = part.lengths[entry], abs(part.point[entry]) or part.lengths[entry]
    axis = np.zeros_like(part.point)
    axis[entry] = length
    found = derivatives.difference(part.f, part.point, axis, part.rounding)
    if not found.bound <= COARSE * abs(found.value):
        steps = derivatives.steps_between(
            derivatives.STEPS[0] / length, derivatives.STEPS[-1] * min(size, 1.0) / length
        )
        again = derivatives.difference(part.f, part.point, axis, part.rounding, steps)
        found = again if again.bound < found.bound else found
    sees = found.bound <= COARSE * abs(found.value)
    if found.still and not sees:
        bound = derivatives.silence(part.f, part.point, axis)
        return 0.0, bound / length, bool(np.isfinite(bound))
    return found.value / length, found.bound / length, sees


def _by_differences(part: _Part, dtype: Any) -> Estimate:
    """The gradient by central differences, with its bounds."""
    u = unit_roundoff(dtype)
    slopes = [_slope(part, entry) for entry in range(part.point.size)]
    value, bound = np.array([each[:2] for each in slopes]).T
    own = 4 * u * np.abs(value) + u / unit_roundoff(np.float64) * part.rounding / part.lengths
    bound = bound + own + smallest(dtype)  # of the gradient under test
    return Estimate(value, bound, bound + 4 * u, ~np.array([sees for *_, sees in slopes]))


def _difference_agrees(part: _Part, check: ArrayCheck) -> bool:
    """Whether the central difference at the worst entry is with the gradient under test, and against the referee."""
    if not np.isfinite([check.got, check.expected]).all():
        return False
    entry = int(np.ravel_multi_index(check.worst_index, check.shape)) if check.shape else 0
    value, bound, _ = _slope(part, entry)
    return bool(abs(check.got - value) <= bound < abs(check.expected - value))
