"""Is this gradient right? A check for any scalar NumPy function of one or several arrays.

The package's attribute ``check_gradient`` is the function; this module has another name on purpose.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from parity_tests.differences.patterns import Known
from parity_tests.gradients import derivatives
from parity_tests.gradients.input import known_arrays, read_gradient, read_point
from parity_tests.gradients.referee import check_by_referee
from parity_tests.gradients.value import read_value
from parity_tests.gradients.verdict import ArrayCheck, GradientCheck

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
    read_value(f, arguments)
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
            checks.append(check_by_referee(f, arguments, number, got, known, np.random.default_rng((seed, number))))
    return GradientCheck(tuple(checks), arguments.notes + claimed.notes)


def assert_gradient(f: Callable[..., Any], gradient: Any, x: Any, *, m: int | None = None, seed: int = 0) -> None:
    """Raise AssertionError, with the report as its text, unless the gradient holds. Arguments as for check_gradient.

    A gradient that cannot be told does not hold: an assertion that saw nothing must not pass.
    """
    check = check_gradient(f, gradient, x, m=m, seed=seed)
    if not check:
        raise AssertionError(str(check))
