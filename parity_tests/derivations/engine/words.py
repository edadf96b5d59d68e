"""The words of the language: NumPy's functions, methods and constants that a text may use, and no others."""

from __future__ import annotations

import ast
import inspect
import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from parity_tests.derivations.engine.numbers import step, tape
from parity_tests.derivations.engine.numbers.kinds import Kind, is_array
from parity_tests.derivations.engine.numbers.step import Step
from parity_tests.derivations.engine.numbers.tape import Tape
from parity_tests.derivations.engine.operators import Refusal

MOST_ENTRIES = 1_000_000

MODULES = frozenset(("np", "numpy", "math", "torch"))
NESTED = frozenset(("linalg", "random"))

PROTOCOL = (
    frozenset(step.FUNCTIONS)
    | step.LINEAR
    | step.ANALYTIC
    | step.BRANCHING
    | frozenset(step.DOMAINS)
    | frozenset(step.RULES)
)
"""Functions that the kinds of numbers answer for by themselves."""

JOINS = frozenset(("concatenate", "stack", "hstack", "vstack", "column_stack", "einsum", "multi_dot"))
"""Functions that take a list of arrays as it is."""

GROWING = frozenset(("repeat", "tile", "pad", "diag", "diagflat", "broadcast_to", "full_like"))
"""Functions whose result is as large as a number says."""

OTHER_NAMES = {
    "abs": "absolute", "pow": "power", "true_divide": "divide", "max": "max", "concat": "concatenate",
    "nansum": "sum", "mod": "remainder", "mm": "matmul", "clamp": "clip", "bitwise_and": "logical_and",
}  # fmt: skip

CREATE: dict[str, Callable[..., Any]] = {
    "zeros": np.zeros, "ones": np.ones, "empty": np.zeros, "full": np.full, "eye": np.eye, "identity": np.identity,
    "linspace": np.linspace, "arange": np.arange, "meshgrid": np.meshgrid, "indices": np.indices, "ix_": np.ix_,
    "unravel_index": np.unravel_index, "ndindex": np.ndindex,
}  # fmt: skip
"""Functions that make arrays out of sizes and whole numbers."""

CONSTANTS: dict[str, Any] = {
    "pi": math.pi, "e": math.e, "inf": math.inf, "newaxis": None, "nan": math.nan,
    "float64": float, "float32": float, "float16": float, "double": float, "longdouble": float, "float_": float,
    "int64": int, "int32": int, "int_": int, "intp": int, "int8": int, "uint8": int, "bool_": bool, "bool": bool,
}  # fmt: skip
"""Words that are no functions; a type of number stands for float64, int64 or bool."""

METHODS = frozenset(
    (
        "sum", "mean", "prod", "var", "std", "max", "min", "argmax", "argmin", "clip", "dot", "squeeze", "repeat",
        "swapaxes", "cumsum", "trace", "diagonal", "any", "all", "round", "take", "argsort", "nonzero", "copy",
        "astype", "item", "tolist", "fill", "reshape", "ravel", "flatten", "transpose", "conj",
    )
)  # fmt: skip
ATTRIBUTES = frozenset(("T", "shape", "ndim", "size", "dtype"))
CONTAINER_METHODS: dict[type[Any], frozenset[str]] = {
    list: frozenset(("append", "insert", "pop", "reverse", "copy", "index", "extend")),
    dict: frozenset(("keys", "values", "items", "get", "copy", "update")),
}


def numpy_word(name: str, kind: Kind, draws: np.random.Generator) -> Any:
    """What ``np.name`` stands for; KeyError where the language has no such word."""
    if name in CONSTANTS:
        return CONSTANTS[name]
    if name in ("array", "asarray", "asanyarray", "ascontiguousarray", "tensor"):
        return lambda value, *rest, **settings: array(value, kind, *rest, **settings)
    name = OTHER_NAMES.get(name, name)
    if name in ("vectorize", "apply_along_axis", "select"):
        return _mapped(name, kind)
    if name in CREATE:
        return _created(CREATE[name], kind)
    if name in PROTOCOL:
        function = getattr(np, name, None) or getattr(np.linalg, name)
        return _called(function, name, kind)
    raise KeyError(name)


def _mapped(name: str, kind: Kind) -> Callable[..., Any]:
    """NumPy's functions that call a function of the text for each entry or row, or choose among arrays."""

    def vectorize(function: Callable[..., Any], **_: Any) -> Callable[..., Any]:
        def each_entry(*arrays: Any) -> Any:
            rows = np.broadcast_shapes(*(np.shape(each) for each in arrays))
            flat = [
                np.broadcast_to(each, rows).ravel() if np.ndim(each) else [each] * math.prod(rows) for each in arrays
            ]
            return stacked([function(*entries) for entries in zip(*flat, strict=True)], kind).reshape(rows)

        return each_entry

    def apply_along_axis(function: Callable[..., Any], axis: int, array: Any) -> Any:
        if np.ndim(array) != 2:
            raise ValueError("apply_along_axis is known for matrices")
        rows = array if axis in (1, -1) else array.T
        result = stacked([function(row) for row in rows], kind)
        return result if axis in (1, -1) or np.ndim(result) < 2 else result.T

    def select(conditions: list[Any], choices: list[Any], default: Any = 0.0) -> Any:
        for condition, choice in zip(reversed(conditions), reversed(choices), strict=True):
            default = np.where(condition, choice, default)
        return default

    known: dict[str, Callable[..., Any]] = {
        "vectorize": vectorize, "apply_along_axis": apply_along_axis, "select": select
    }  # fmt: skip
    return known[name]


UFUNC_METHODS = {
    ("add", "reduce"): "sum", ("multiply", "reduce"): "prod", ("maximum", "reduce"): "max",
    ("minimum", "reduce"): "min", ("multiply", "outer"): "outer",
}  # fmt: skip
"""Methods of ufuncs, by the function that they are; a reduction is over the first axis where none is named."""


def ufunc_method(name: str, kind: Kind, draws: np.random.Generator) -> Any:
    """What ``np.add.reduce`` stands for."""
    ufunc, _, method = name.partition(".")
    function = numpy_word(UFUNC_METHODS[ufunc, method], kind, draws)
    if method == "outer":
        return function
    return lambda array, axis=0, **settings: function(array, axis=axis, **settings)


JOINING = {"c_": "column_stack", "r_": "concatenate"}
"""What ``np.c_[a, b]`` and ``np.r_[a, b]`` do with arrays."""


def is_numpy_code(tree: ast.AST) -> bool:
    """Whether a text names NumPy, so that its ``sum`` is Python's own."""
    return any(isinstance(node, ast.Name) and node.id in MODULES for node in ast.walk(tree))


def random_word(name: str, kind: Kind, draws: np.random.Generator) -> Any:
    """What ``np.random.name`` stands for: drawn by a generator that begins each run in the same state."""
    sized: dict[str, Callable[..., Any]] = {
        "rand": lambda *sizes: draws.random(_checked(sizes)),
        "randn": lambda *sizes: draws.standard_normal(_checked(sizes)),
        "random": lambda size=None: draws.random(_checked(size)),
        "random_sample": lambda size=None: draws.random(_checked(size)),
        "normal": lambda loc=0.0, scale=1.0, size=None: draws.normal(float(loc), float(scale), _checked(size)),
        "standard_normal": lambda size=None: draws.standard_normal(_checked(size)),
        "uniform": lambda low=0.0, high=1.0, size=None: draws.uniform(float(low), float(high), _checked(size)),
        "randint": lambda low, high=None, size=None: draws.integers(low, high, _checked(size)),
        "binomial": lambda n, p, size=None: draws.binomial(n, float(p), _checked(size)),
        "permutation": lambda n: draws.permutation(n),
        "seed": lambda seed=0: None,
    }
    function = sized[name]
    return lambda *arguments, **settings: kind.make(function(*arguments, **settings))


def array(value: Any, kind: Kind, *rest: Any, dtype: Any = None, copy: Any = True, **settings: Any) -> Any:
    """``np.array``: a copy of its own, of the kind of numbers in use."""
    dtype = rest[0] if rest else dtype
    if isinstance(value, list | tuple):
        value = stacked(value, kind)
    elif is_array(value):
        value = value.copy() if copy in (True, None) else value
    else:
        value = np.array(value)
    return kind.make(value) if dtype is None else kind.make(value.astype(dtype))


def stacked(values: Any, kind: Kind) -> Any:
    """A list of numbers or arrays as one array that keeps their derivatives."""
    parts = [stacked(each, kind) if isinstance(each, list | tuple) else each for each in values]
    if any(isinstance(each, Step) for each in parts):
        return Step(np.array([step.strip(each) for each in parts]))
    if any(isinstance(each, Tape) for each in parts):
        return Tape(tape.as_tensor(parts))
    return kind.make(np.array(parts))


def _holds_numbers(value: Any) -> bool:
    return isinstance(value, list | tuple) and any(
        isinstance(each, Step | Tape) or _holds_numbers(each) for each in value
    )


def _called(function: Callable[..., Any], name: str, kind: Kind) -> Callable[..., Any]:
    """A function of NumPy whose lists are stacked first, since NumPy itself would drop their derivatives."""

    def call(*arguments: Any, **settings: Any) -> Any:
        refuse_an_output(function, arguments)
        if name not in JOINS:
            arguments = tuple(stacked(each, kind) if _holds_numbers(each) else each for each in arguments)
        if name in GROWING:
            _checked([each for each in (*arguments, *settings.values()) if isinstance(each, int)] or 1)
        for each in ("dtype", "order", "casting", "copy"):
            settings.pop(each, None)
        if "dim" in settings:
            settings["axis"] = settings.pop("dim")
        return kind.make(function(*arguments, **settings))

    return call


def refuse_an_output(function: Callable[..., Any], arguments: Sequence[Any]) -> None:
    """Refuses an argument into which NumPy would write: ``np.abs(A, B)`` reads A and overwrites B."""
    own = isinstance(function, np.ufunc) or getattr(function, "__module__", "") == "numpy"
    place = _output_place(function) if own else None
    if place is not None and len(arguments) > place and arguments[place] is not None:
        name = f"np.{function.__name__}"
        raise Refusal(f"argument {place + 1} of {name} is where NumPy writes the result: write C = {name}(...)")


@cache
def _output_place(function: Callable[..., Any]) -> int | None:
    """The place of ``out`` among the arguments of one of NumPy's functions, None where it has none."""
    if isinstance(function, np.ufunc):
        return function.nin
    try:
        listed = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    names = [each.name for each in listed if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    return names.index("out") if "out" in names else None


def _checked(sizes: Any) -> Any:
    """The sizes of an array to be made, refused where it would be very large."""
    entries = math.prod(int(each) for each in np.atleast_1d(sizes)) if sizes not in (None, ()) else 1
    if entries > MOST_ENTRIES:
        raise ValueError(f"an array of {entries:,} entries is too large: at most {MOST_ENTRIES:,}")
    return sizes


def _created(function: Callable[..., Any], kind: Kind) -> Callable[..., Any]:
    def call(*arguments: Any, **settings: Any) -> Any:
        for each in arguments:
            if isinstance(each, int | tuple | list) and not isinstance(each, bool):
                _checked((each, each) if function in (np.eye, np.identity) else each)
        return kind.make(function(*arguments, **settings))

    return call


def builtins(kind: Kind) -> dict[str, Callable[..., Any]]:
    """Python's own functions that the language has."""
    return {
        "range": range, "len": len, "zip": zip, "enumerate": enumerate, "reversed": reversed, "list": list,
        "tuple": tuple, "dict": dict, "sorted": sorted, "abs": np.absolute, "sum": _sum,
        "max": _extreme(max, np.max, np.maximum), "min": _extreme(min, np.min, np.minimum),
        "print": lambda *_, **__: None, "str": lambda *_: "", "round": lambda x, *_: x,
        "float": lambda x=0.0: x.item() if is_array(x) else float(x), "int": lambda x=0: _whole(x), "bool": bool,
        "pow": lambda a, b: a**b, "slice": slice, "isinstance": lambda *_: True,
    }  # fmt: skip


def _whole(value: Any) -> Any:
    return value.astype(int) if is_array(value) and np.ndim(value) else int(value)


def _sum(values: Any, start: Any = 0, **settings: Any) -> Any:
    if settings:  # NumPy's, as in sum(dZ, axis=1)
        return np.sum(values, **settings)
    for each in values:
        start = start + each
    return start


def _extreme(
    own: Callable[..., Any], of_array: Callable[..., Any], entrywise: Callable[..., Any]
) -> Callable[..., Any]:
    def call(*arguments: Any, **settings: Any) -> Any:
        if len(arguments) == 1 and is_array(arguments[0]):
            return of_array(arguments[0], **settings)
        if len(arguments) == 2 and any(map(np.ndim, arguments)):  # max(0, Z), entry by entry
            return entrywise(*arguments)
        return own(*arguments, **settings)

    return call


def total(values: Any, *rest: Any, **settings: Any) -> Any:
    """The sum of all entries, as ``sum(Y * log(A))`` means it where a text is no NumPy code."""
    return np.sum(values, **settings) if is_array(values) and not rest else _sum(values, *rest, **settings)


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def _relu(x: Any) -> Any:
    return np.maximum(x, 0)


def _leaky(x: Any, slope: float = 0.01) -> Any:
    return np.where(x > 0, x, x * slope)


SIGMOID_NAMES = ("sigmoid", "sigma", "logistic", "expit", "sigm", "_sigmoid")
FUNCTIONS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(SIGMOID_NAMES, _sigmoid),
    "tanh": np.tanh,
    **dict.fromkeys(("relu", "ReLU", "_relu"), _relu),
    **dict.fromkeys(("leaky_relu", "lrelu", "leakyrelu"), _leaky),
    "softplus": lambda x: np.log(1 + np.exp(x)),
    "exp": np.exp, "log": np.log, "ln": np.log, "sqrt": np.sqrt, "dot": np.dot, "maximum": np.maximum,
    "square": np.square, "mean": np.mean, "matmul": np.matmul, "outer": np.outer,
    "norm": lambda x: np.sqrt(np.sum(x * x)),
    "where": np.where, "linear": lambda x: x, "identity": lambda x: x,
}  # fmt: skip
"""Functions that a text may use without defining them."""

SLOPES: dict[str, Callable[..., Any]] = {
    "sigmoid": lambda x: _sigmoid(x) * (1 - _sigmoid(x)),
    "tanh": lambda x: 1 - np.tanh(x) ** 2,
    "relu": lambda x: (x > 0) * 1.0,
    "leaky": lambda x: np.where(x > 0, 1.0, 0.01),
}


def free_function(name: str) -> Callable[..., Any] | None:
    """A function by its name alone: the usual ones, their derivatives, and g1, g2 of the notes as tanh."""
    if name in FUNCTIONS:
        return FUNCTIONS[name]
    base = name.lower().strip("_")
    for mark in ("_prime", "_derivative", "_deriv", "_grad", "_gradient", "prime", "derivative", "_der", "_backward"):
        if base.endswith(mark) or base.startswith((f"d_{mark}", "d_")):
            base = base.removesuffix(mark).removeprefix("d_")
            slope = {"sigma": "sigmoid", "leaky_relu": "leaky", "lrelu": "leaky"}.get(base, base)
            if slope in SLOPES:
                return SLOPES[slope]
            return SLOPES["tanh"] if is_unit(base) else None
    return np.tanh if is_unit(base) else None


def is_unit(name: str) -> bool:
    """g, g1, f, f2, phi, act: an activation that is named and not defined."""
    return name.rstrip("0123456789_") in ("g", "f", "phi", "act", "activation", "h_act")
