"""NumPy as a program under test sees it: what it creates, reads and draws is of the kind in use."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import numpy as np

from parity_tests.derivations.engine import words
from parity_tests.derivations.engine.numbers import step, tape
from parity_tests.derivations.engine.numbers.kinds import Kind, is_array
from parity_tests.derivations.engine.numbers.step import Step
from parity_tests.derivations.engine.numbers.tape import Tape
from parity_tests.derivations.engine.python import drawn
from parity_tests.derivations.engine.python.composed import OF_NUMPY, composed

CREATING = frozenset(
    (
        "zeros", "ones", "empty", "full", "eye", "identity", "linspace", "arange", "zeros_like", "ones_like",
        "empty_like", "full_like", "loadtxt", "genfromtxt", "load", "meshgrid", "diag", "fromiter", "frombuffer",
    )
)  # fmt: skip

ARRAYS = frozenset(("array", "asarray", "asanyarray", "ascontiguousarray", "asfarray"))

FLOATS = frozenset(("float64", "float32", "float16", "double", "longdouble", "float_"))

READING = frozenset(("loadtxt", "genfromtxt"))
"""Functions that read a table, in whose place numbers are drawn where its file is missing."""

SEED = 7919


class Numpy(types.ModuleType):
    """NumPy; what it creates out of nothing is of the kind in use."""

    def __init__(self, kind: Kind, seed: int, text: str) -> None:
        super().__init__("numpy")
        self.kind, self.text = kind, text
        self.random = _Random(kind, seed)
        self.linalg = _Nested(kind, np.linalg)
        self.lib = types.SimpleNamespace(stride_tricks=_Nested(kind, np.lib.stride_tricks))
        self.c_, self.r_ = _Joined(kind, columns=True), _Joined(kind, columns=False)
        self.absent: list[str] = []
        """The files that were to be read and are not there."""
        self.ndarray = _Arrays
        self.__version__ = np.__version__

    def __getattr__(self, name: str) -> Any:
        found = self.__dict__[name] = self._found(name)
        return found

    def _found(self, name: str) -> Any:
        function = getattr(np, name)
        if name in FLOATS:
            return _FloatType(function)
        if name in ARRAYS:
            return lambda value, *rest, **settings: self._array(name, value, rest, settings)
        if name in READING:
            return lambda *arguments, **settings: self._read(function, arguments, settings)
        if name in CREATING:
            return lambda *arguments, **settings: self._created(function, arguments, settings)
        if name == "vectorize":
            return lambda each, *_, **__: _by_entry(each, self.kind)
        if name in OF_NUMPY:
            return composed(OF_NUMPY, name, function)
        if isinstance(function, np.ufunc) or not callable(function) or isinstance(function, type):
            return function
        return _stacking(function, name, self.kind)

    def _created(self, function: Callable[..., Any], arguments: Any, settings: dict[str, Any]) -> Any:
        return _made(function(*_types(arguments), **_plain_type(settings)), self.kind)

    def _read(self, function: Callable[..., Any], arguments: Any, settings: dict[str, Any]) -> Any:
        """The table of a file; where that is missing, drawn numbers, in the last column 0 and 1 in turn."""
        try:
            return self._created(function, arguments, settings)
        except FileNotFoundError:
            path = str(arguments[0] if arguments else settings.get("fname"))
            self.absent.append(path)
        table = drawn.table(settings.get("usecols"), self.random.shift, path, self.text)
        return self.kind.make(table.T if settings.get("unpack") else np.squeeze(table))

    def of_absent(self, path: str) -> Any:
        """What stands for a function of a missing package: that of images, or one-hot labels; None for any other."""
        *_, home, name = ["", *path.split(".")]
        if name == "to_categorical":
            return lambda *arguments, **settings: self._created(drawn.one_hot, arguments, settings)
        if home not in drawn.IMAGES or name not in ("load_data", *drawn.PARTS):
            return None
        self.absent.append(f"{home}.{name}()")
        parts = [(self.kind.make(images), labels) for images, labels in drawn.images(home, self.random.shift)]
        if name == "load_data":
            return lambda *_, **__: tuple(parts)
        part, of = drawn.PARTS[name]
        return lambda *_, **__: parts[part][of]

    def _array(self, name: str, value: Any, rest: Any, settings: dict[str, Any]) -> Any:
        settings = _plain_type(settings)
        rest = _types(rest)
        if not _holds(value):
            return self.kind.make(getattr(np, name)(value, *rest, **settings))
        dtype = rest[0] if rest else settings.get("dtype")
        least = settings.get("ndmin", 0)
        if is_array(value) and (name == "array") == (settings.get("copy", True) is not False):
            value = value.copy() if name == "array" else value
        result = words.array(value, self.kind, dtype=dtype, copy=False)
        return result.reshape((1,) * max(0, least - np.ndim(result)) + np.shape(result))


class _Nested(types.ModuleType):
    def __init__(self, kind: Kind, module: types.ModuleType) -> None:
        super().__init__(module.__name__)
        self.kind, self.module = kind, module

    def __getattr__(self, name: str) -> Any:
        function = getattr(self.module, name)
        if name in OF_NUMPY:
            return composed(OF_NUMPY, name, function)
        return _stacking(function, name, self.kind) if callable(function) else function


class _Random(types.ModuleType):
    """``numpy.random``, whose generators without a seed of their own begin in the same state in each run."""

    def __init__(self, kind: Kind, seed: int) -> None:
        super().__init__("numpy.random")
        self.kind, self.shift = kind, seed

    def __getattr__(self, name: str) -> Any:
        if name == "seed":
            return self._seed
        if name in ("default_rng", "RandomState"):
            make = getattr(np.random, name)
            return lambda seed=None: _Generator(make(self._moved(seed)), self.kind)
        function = getattr(np.random, name)
        return _drawing(function, self.kind) if callable(function) and not isinstance(function, type) else function

    def _seed(self, seed: Any = None) -> None:
        first = seed if isinstance(seed, int) else 0
        np.random.seed((first + SEED * self.shift) % 2**32)  # noqa: NPY002  (the program draws from it)

    def _moved(self, seed: Any) -> Any:
        first = seed if isinstance(seed, int) else 12345
        return (first + SEED * self.shift) % 2**32


class _Generator:
    def __init__(self, generator: Any, kind: Kind) -> None:
        self.generator, self.kind = generator, kind

    def __getattr__(self, name: str) -> Any:
        function = getattr(self.generator, name)
        return _drawing(function, self.kind) if callable(function) else function


class _ArrayType(type):
    def __instancecheck__(cls, value: Any) -> bool:
        return is_array(value)


class _Arrays(metaclass=_ArrayType):
    """``np.ndarray`` for ``isinstance``."""


class _FloatType:
    """``np.float64``: a function that lets the kinds of numbers through, and a dtype."""

    def __init__(self, function: Any) -> None:
        self.function, self.dtype = function, np.dtype(np.float64)

    def __call__(self, value: Any = 0.0) -> Any:
        return value if is_array(value) and value.dtype.kind in "fc" else np.float64(value)


class _Joined:
    """``np.c_``, or ``np.r_``, whose parts may hold numbers of the kind in use."""

    def __init__(self, kind: Kind, *, columns: bool) -> None:
        self.kind, self.columns = kind, columns

    def __getitem__(self, parts: Any) -> Any:
        if not _holds(parts):
            return self.kind.make((np.c_ if self.columns else np.r_)[parts])
        listed = [each if np.ndim(each) else np.reshape(each, (1,)) for each in parts]
        if not self.columns:
            return np.concatenate(listed, axis=0)
        return np.concatenate([each.reshape(-1, 1) if np.ndim(each) == 1 else each for each in listed], axis=-1)


def _made(value: Any, kind: Kind) -> Any:
    if isinstance(value, list | tuple):
        return type(value)(_made(each, kind) for each in value)
    return kind.make(value)


def _types(arguments: Any) -> tuple[Any, ...]:
    return tuple(_type(each) for each in arguments)


def _plain_type(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: _type(value) for name, value in settings.items()}


def _type(value: Any) -> Any:
    """A type of number as NumPy knows it: all that hold fractions are float64 here."""
    if isinstance(value, str):
        return np.float64 if value in ("float", "float32", "float64", "float16", "f4", "f8") else value
    fractions = isinstance(value, _FloatType) or (isinstance(value, np.dtype) and value.kind == "f")
    return np.float64 if fractions else value


def _holds(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_holds(each) for each in value)
    return isinstance(value, Step | Tape)


def _drawing(function: Callable[..., Any], kind: Kind) -> Callable[..., Any]:
    def call(*arguments: Any, **settings: Any) -> Any:
        plain = [bare(each) for each in arguments]
        result = function(*plain, **{name: bare(value) for name, value in settings.items()})
        if function.__name__ == "shuffle" and arguments and isinstance(arguments[0], Tape | Step):
            arguments[0][...] = kind.make(plain[0])
        return kind.make(result)

    return call


def bare(value: Any) -> Any:
    return tape.plain(step.real(value))


def _stacking(function: Callable[..., Any], name: str, kind: Kind) -> Callable[..., Any]:
    """A function of NumPy whose lists are stacked first, since NumPy itself would drop their derivatives."""

    def call(*arguments: Any, **settings: Any) -> Any:
        if name not in words.JOINS and any(isinstance(each, list | tuple) and _holds(each) for each in arguments):
            arguments = tuple(
                words.stacked(each, kind) if isinstance(each, list | tuple) and _holds(each) else each
                for each in arguments
            )
        return _made(function(*_types(arguments), **_plain_type(settings)), kind)

    return call


def _by_entry(function: Callable[..., Any], kind: Kind) -> Callable[..., Any]:
    def call(values: Any, *rest: Any) -> Any:
        flat = [function(each, *rest) for each in np.ravel(values)]
        return words.stacked(flat, kind).reshape(np.shape(values))

    return call
