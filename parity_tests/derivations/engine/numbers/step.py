"""``Step``: complex arrays that follow the code of real ones, so that a complex step passes through it.

A program that is run on ``x + i h d`` with a tiny h leaves h times its derivative along d in the imaginary part of its
result, without any difference being taken. Every branch (a comparison, a maximum, a sign) looks at the real part, and
outside the domain of a real function the result is nan, as it is for real numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from parity_tests.derivations.engine.numbers.errors import NotFollowed

BRANCHING = frozenset(
    (
        "greater", "greater_equal", "less", "less_equal", "equal", "not_equal", "sign", "floor", "ceil", "rint",
        "trunc", "isnan", "isfinite", "isinf", "logical_and", "logical_or", "logical_not", "logical_xor",
        "floor_divide", "signbit",
    )
)  # fmt: skip
"""Ufuncs that look at the real part alone: their derivative is zero wherever it exists."""

ANALYTIC = frozenset(
    (
        "add", "subtract", "multiply", "divide", "negative", "positive", "exp", "exp2", "expm1", "sin", "cos", "tan",
        "sinh", "cosh", "tanh", "arctan", "arcsinh", "square", "reciprocal", "matmul",
    )
)  # fmt: skip
"""Ufuncs whose complex function continues the real one everywhere."""

DOMAINS: dict[str, Callable[[Any], Any]] = {
    "log": lambda x: x >= 0,
    "log2": lambda x: x >= 0,
    "log10": lambda x: x >= 0,
    "log1p": lambda x: x >= -1,
    "sqrt": lambda x: x >= 0,
    "arcsin": lambda x: np.abs(x) <= 1,
    "arccos": lambda x: np.abs(x) <= 1,
    "arctanh": lambda x: np.abs(x) <= 1,
    "arccosh": lambda x: x >= 1,
}
"""Ufuncs that are real on a part of the line alone."""


class Step(np.ndarray[Any, np.dtype[Any]]):
    """A complex array whose real part is the value and whose imaginary part is the step."""

    def __new__(cls, value: Any) -> Step:
        return np.array(strip(value), np.complex128).view(cls)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **settings: Any) -> Any:
        """The ufunc on complex numbers, by one of the rules above."""
        name = ufunc.__name__
        if "where" in settings:
            settings["where"] = real(settings["where"])
        if name in BRANCHING:
            result = getattr(ufunc, method)(*(real(each) for each in inputs), **settings)
        elif method == "reduce" and name in ("maximum", "minimum"):
            result = extreme(inputs[0], name, **settings)
        elif method == "at":
            ufunc.at(strip(inputs[0]), *(_index(inputs[1]), *(strip(each) for each in inputs[2:])))
            return None
        elif name in ANALYTIC:
            result = getattr(ufunc, method)(*(strip(each) for each in inputs), **settings)
        elif method == "__call__" and name in DOMAINS:
            result = _on_domain(ufunc, strip(inputs[0]))
        elif method == "__call__" and name in RULES:
            result = RULES[name](*(strip(each) for each in inputs))
        else:
            raise NotFollowed(f"np.{name}")
        if out is not None:
            strip(out[0])[...] = strip(result)
            return out[0]
        return wrap(result)

    def __array_function__(self, function: Any, types: Any, arguments: Any, settings: Any) -> Any:
        """The function by its rule here, or NumPy's own where it only moves, adds and multiplies entries."""
        name = function.__name__
        if name in FUNCTIONS:
            return FUNCTIONS[name](*arguments, **settings)
        if name not in LINEAR:
            raise NotFollowed(f"np.{name}")
        return wrap(function(*strip(arguments), **{key: strip(value) for key, value in settings.items()}))

    def __getitem__(self, index: Any) -> Any:
        return wrap(self.view(np.ndarray)[_index(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        self.view(np.ndarray)[_index(index)] = strip(value)

    def __float__(self) -> float:
        return float(real(self).reshape(()))

    def __int__(self) -> int:
        return int(real(self).reshape(()))

    def __index__(self) -> int:
        return int(real(self).reshape(()))

    def __format__(self, form: str) -> str:
        return format(float(self), form) if self.size == 1 else str(real(self))

    def __str__(self) -> str:
        return str(real(self))

    __repr__ = __str__

    def __round__(self, places: int = 0) -> float:
        return round(float(self), places)

    def __bool__(self) -> bool:
        return bool(real(self))

    def astype(self, dtype: Any, *_: Any, **__: Any) -> Any:
        """A copy; a step stays one as long as the new type can hold a fraction."""
        return Step(self) if np.dtype(dtype).kind in "fc" else real(self).astype(dtype)

    def item(self, *place: Any) -> Any:
        """The entry, still with its step."""
        return wrap(np.asarray(self.view(np.ndarray).item(*place)))

    def tolist(self) -> Any:
        """The real parts as lists."""
        return real(self).tolist()

    def max(  # type: ignore[override]
        self, axis: Any = None, out: Any = None, keepdims: bool = False, **_: Any
    ) -> Any:
        """The largest entry by its real part."""
        return extreme(self, "maximum", axis, keepdims)

    def min(  # type: ignore[override]
        self, axis: Any = None, out: Any = None, keepdims: bool = False, **_: Any
    ) -> Any:
        """The smallest entry by its real part."""
        return extreme(self, "minimum", axis, keepdims)

    def argmax(self, axis: Any = None, out: Any = None, **_: Any) -> Any:
        """Where the largest entry is."""
        return np.argmax(real(self), axis=axis)

    def argmin(self, axis: Any = None, out: Any = None, **_: Any) -> Any:
        """Where the smallest entry is."""
        return np.argmin(real(self), axis=axis)

    def mean(  # type: ignore[override]
        self, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, **_: Any
    ) -> Any:
        """The mean."""
        return mean(self, axis, keepdims=keepdims)

    def var(  # type: ignore[override]
        self, axis: Any = None, dtype: Any = None, out: Any = None, ddof: int = 0, keepdims: bool = False, **_: Any
    ) -> Any:
        """The variance, without the absolute values that complex numbers would get."""
        return variance(self, axis, ddof=ddof, keepdims=keepdims)

    def std(  # type: ignore[override]
        self, axis: Any = None, dtype: Any = None, out: Any = None, ddof: int = 0, keepdims: bool = False, **_: Any
    ) -> Any:
        """The standard deviation."""
        return np.sqrt(variance(self, axis, ddof=ddof, keepdims=keepdims))

    def clip(  # type: ignore[override]
        self, low: Any = None, high: Any = None, out: Any = None, **bounds: Any
    ) -> Any:
        """The entries between two bounds."""
        return clip(self, low, high, **bounds)

    def dot(self, other: Any, out: Any = None) -> Any:
        """The matrix product."""
        return np.dot(self, other)


def real(value: Any) -> Any:
    """The real part as float64; what is no ``Step`` stays as it is."""
    return np.real(value.view(np.ndarray)) if isinstance(value, Step) else value


def strip(value: Any) -> Any:
    """The bare complex array, in lists and tuples too."""
    if isinstance(value, Step):
        return value.view(np.ndarray)
    if isinstance(value, list | tuple):
        return type(value)(strip(each) for each in value)
    return value


def wrap(result: Any) -> Any:
    """A complex result as a ``Step`` again, in lists and tuples too."""
    if isinstance(result, list | tuple):
        return type(result)(wrap(each) for each in result)
    if isinstance(result, np.ndarray | np.generic) and result.dtype.kind == "c":
        return np.asarray(result).view(Step)
    return result


def _index(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(_index(each) for each in index)
    return real(index).astype(np.intp) if isinstance(index, Step) else index


def _on_domain(ufunc: Any, x: Any) -> Any:
    inside = DOMAINS[ufunc.__name__](np.real(x))
    return np.where(inside, ufunc(np.where(inside, x, 1.0)), np.nan)


def _larger(a: Any, b: Any) -> Any:
    return np.where(np.real(a) >= np.real(b), a, b)


def _smaller(a: Any, b: Any) -> Any:
    return np.where(np.real(a) <= np.real(b), a, b)


def _other(a: Any, b: Any) -> Any:
    """What is not the larger; of equals one is either."""
    return np.where(np.real(a) >= np.real(b), b, a)


def _absolute(a: Any) -> Any:
    return np.where(np.real(a) >= 0, a, np.negative(a))


def _power(base: Any, exponent: Any) -> Any:
    """base**exponent; a whole exponent is multiplied out, any other needs a base that is not negative."""
    if np.isrealobj(exponent) or not np.any(np.imag(exponent)):
        whole = np.real(exponent)
        if np.all(whole == np.round(whole)) and np.all(np.abs(whole) < 64):
            return np.power(np.asarray(base, np.complex128), np.asarray(whole, np.int64))
    inside = np.real(base) >= 0
    return np.where(inside, np.power(np.where(inside, base, 1.0), exponent), np.nan)


RULES: dict[str, Callable[..., Any]] = {
    "maximum": _larger,
    "fmax": _larger,
    "minimum": _smaller,
    "fmin": _smaller,
    "absolute": _absolute,
    "fabs": _absolute,
    "power": _power,
    "float_power": _power,
    "conjugate": lambda a: a,
    "logaddexp": lambda a, b: _larger(a, b) + np.log1p(np.exp(_other(a, b) - _larger(a, b))),
    "heaviside": lambda a, b: np.heaviside(np.real(a), np.real(b)),
    "remainder": lambda a, b: a - b * np.floor_divide(np.real(a), np.real(b)),
}
"""Ufuncs with a rule of their own."""


def extreme(a: Any, name: str, axis: Any = None, keepdims: bool = False, **_: Any) -> Any:
    """The largest (smallest) entries by their real parts, the first of equal ones."""
    a = np.asarray(strip(a))
    pick = np.argmax if name == "maximum" else np.argmin
    if axis is None:
        result = a.reshape(-1)[pick(np.real(a))]
        return wrap(np.reshape(result, (1,) * a.ndim if keepdims is True else ()))
    axes = tuple(each % a.ndim for each in (axis if isinstance(axis, tuple) else (axis,)))
    for each in axes:
        place = np.expand_dims(pick(np.real(a), axis=each), each)
        a = np.take_along_axis(a, place, each)
    return wrap(a if keepdims is True else np.squeeze(a, axes))


def mean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, **_: Any) -> Any:
    """Sum / count."""
    total = np.sum(a, axis=axis, keepdims=keepdims is True)
    return total / (np.size(a) / max(1, np.size(total)))


def variance(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: int = 0, keepdims: bool = False, **_: Any
) -> Any:
    """Sum of squared deviations / (count - ddof)."""
    centred = a - mean(a, axis, keepdims=True)
    total = np.sum(centred * centred, axis=axis, keepdims=keepdims is True)
    return total / (np.size(a) / max(1, np.size(total)) - ddof)


def clip(a: Any, low: Any = None, high: Any = None, out: Any = None, **bounds: Any) -> Any:
    """The entries between two bounds, of which either may be absent."""
    low, high = bounds.get("a_min", bounds.get("min", low)), bounds.get("a_max", bounds.get("max", high))
    a = a if low is None else np.maximum(a, low)
    return a if high is None else np.minimum(a, high)


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A002  (NumPy's name)
    """The Euclidean (Frobenius) norm; other orders are not followed."""
    if ord not in (None, 2, "fro") or (ord == 2 and axis is None and np.ndim(x) > 1):
        raise NotFollowed(f"np.linalg.norm of order {ord}")
    return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))


def _where(condition: Any, *choices: Any) -> Any:
    condition = np.asarray(real(condition)) != 0
    return wrap(np.where(condition, *strip(choices))) if choices else np.where(condition)


def _by_real(name: str) -> Callable[..., Any]:
    """A function that looks at values and hands back places, counts or truth."""

    def function(*arguments: Any, **settings: Any) -> Any:
        return getattr(np, name)(*(real(each) for each in arguments), **settings)

    return function


def _average(a: Any, axis: Any = None, weights: Any = None, **settings: Any) -> Any:
    if weights is None:
        return mean(a, axis, **settings)
    return np.sum(a * weights, axis=axis) / np.sum(weights * np.ones(np.shape(a)), axis=axis)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "amax": lambda a, axis=None, out=None, keepdims=False, **_: extreme(a, "maximum", axis, keepdims),
    "max": lambda a, axis=None, out=None, keepdims=False, **_: extreme(a, "maximum", axis, keepdims),
    "amin": lambda a, axis=None, out=None, keepdims=False, **_: extreme(a, "minimum", axis, keepdims),
    "min": lambda a, axis=None, out=None, keepdims=False, **_: extreme(a, "minimum", axis, keepdims),
    "where": _where,
    "norm": norm,
    "clip": clip,
    "mean": mean,
    "average": _average,
    "var": variance,
    "std": lambda a, *rest, **settings: np.sqrt(variance(a, *rest, **settings)),
    "zeros_like": lambda a, *_, **__: Step(np.zeros(np.shape(a))),
    "ones_like": lambda a, *_, **__: Step(np.ones(np.shape(a))),
    "empty_like": lambda a, *_, **__: Step(np.zeros(np.shape(a))),
    "full_like": lambda a, value, *_, **__: Step(np.full(np.shape(a), real(value))),
    **{name: _by_real(name) for name in ("argmax", "argmin", "argsort", "any", "all", "count_nonzero", "nonzero")},
    **{name: _by_real(name) for name in ("array_equal", "allclose", "isclose", "round", "around", "shape", "ndim")},
    "size": _by_real("size"),
}
"""Functions with a rule of their own."""

LINEAR = frozenset(
    (
        "sum", "prod", "cumsum", "cumprod", "dot", "inner", "outer", "tensordot", "einsum", "trace", "diag",
        "diagonal", "diagflat", "kron", "reshape", "ravel", "transpose", "swapaxes", "moveaxis", "squeeze",
        "expand_dims", "concatenate", "stack", "hstack", "vstack", "column_stack", "split", "array_split", "hsplit",
        "vsplit", "repeat", "tile", "broadcast_to", "flip", "fliplr", "flipud", "rot90", "roll", "pad", "copy",
        "tril", "triu", "append", "take", "take_along_axis", "atleast_1d", "atleast_2d", "multi_dot", "delete",
        "insert", "vdot", "diff",
    )
)  # fmt: skip
"""Functions that NumPy computes rightly on complex numbers."""
