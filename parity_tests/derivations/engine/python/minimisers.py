"""Functions of scipy.optimize that call what they minimise once, where it begins: only its gradient is judged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


class Result(dict[str, Any]):
    """What a minimiser returns, by attribute or by key."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


def _called(function: Any, gradient: Any, begin: Any, given: Any) -> tuple[Any, Any, Any]:
    """Where it begins, the value there and the gradient, None where there is no function of it.

    With ``gradient`` True or None the function may return both.
    """
    start = np.ravel(np.array(begin) if isinstance(begin, list | tuple) else begin)
    given = given if isinstance(given, tuple) else (given,)
    found = function(start, *given)
    if callable(gradient):
        return start, found, gradient(start, *given)
    return (start, *found) if isinstance(found, tuple) else (start, found, None)


def _minimize(fun: Any, x0: Any, args: Any = (), method: Any = None, jac: Any = None, **_: Any) -> Result:
    x, value, slope = _called(fun, jac, x0, args)
    return Result(x=x, fun=value, jac=slope, success=True, status=0, message="", nit=0, nfev=1, njev=1)


def _fmin(func: Any, x0: Any, fprime: Any = None, args: Any = (), **_: Any) -> Any:
    return _called(func, fprime, x0, args)[0]


def _fmin_tnc(func: Any, x0: Any, fprime: Any = None, args: Any = (), **_: Any) -> tuple[Any, int, int]:
    return _called(func, fprime, x0, args)[0], 1, 0


def _fmin_l_bfgs_b(func: Any, x0: Any, fprime: Any = None, args: Any = (), **_: Any) -> tuple[Any, Any, dict[str, Any]]:
    x, value, slope = _called(func, fprime, x0, args)
    return x, value, {"grad": slope, "warnflag": 0, "nit": 0}


MINIMISERS: dict[str, Callable[..., Any]] = {
    "minimize": _minimize, "fmin_cg": _fmin, "fmin_bfgs": _fmin, "fmin_ncg": _fmin,
    "fmin_tnc": _fmin_tnc, "fmin_l_bfgs_b": _fmin_l_bfgs_b,
}  # fmt: skip
"""Those that take a gradient, by their names."""
