"""The modules as a program under test sees them: NumPy that makes arrays of the kind in use, ``math`` that takes them.

Plots are left out: matplotlib is a module that does nothing.
"""

from __future__ import annotations

import builtins
import copy
import importlib
import math
import random
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from parity_tests.derivations.engine import words
from parity_tests.derivations.engine.numbers import step, tape
from parity_tests.derivations.engine.numbers.kinds import Kind, is_array
from parity_tests.derivations.engine.numbers.step import Step
from parity_tests.derivations.engine.numbers.tape import Tape
from parity_tests.derivations.engine.python import drawn, frames
from parity_tests.derivations.engine.python.composed import OF_NUMPY, OF_SCIPY, composed
from parity_tests.derivations.engine.python.frames import Frame

CREATING = frozenset(
    (
        "zeros", "ones", "empty", "full", "eye", "identity", "linspace", "arange", "zeros_like", "ones_like",
        "empty_like", "full_like", "loadtxt", "genfromtxt", "load", "meshgrid", "diag", "fromiter", "frombuffer",
    )
)  # fmt: skip
ARRAYS = frozenset(("array", "asarray", "asanyarray", "ascontiguousarray", "asfarray"))
FLOATS = frozenset(("float64", "float32", "float16", "double", "longdouble", "float_"))
SILENT = frozenset(
    ("matplotlib", "seaborn", "plotly", "tqdm", "pylab", "IPython", "ipywidgets", "imageio", "tensorboardX")
)

TABLES = frozenset(("read_csv", "read_table", "read_excel"))
"""Functions of pandas that read a table."""

LIBRARY = "sklearn"
"""What data are loaded and prepared with."""

LOADED: dict[str, Any] = {}
"""Its data sets that were asked for: each run reads them anew."""

READING = frozenset(("loadtxt", "genfromtxt"))
"""Functions that read a table, in whose place numbers are drawn where its file is missing."""

SEED = 7919


class Modules:
    """The modules of one run: what they create is of one kind, and their generators begin in a state of ``seed``."""

    def __init__(self, kind: Kind, seed: int, text: str = "") -> None:
        """``text`` is the program: data that are not there are made up in the sizes that it has."""
        self.kind, self.seed, self.text = kind, seed, text
        self.numpy = _Numpy(kind, seed, text)
        self.replaced: Mapping[str, types.ModuleType] = {
            "numpy": self.numpy,
            "numpy.random": self.numpy.random,
            "numpy.linalg": self.numpy.linalg,
            "numpy.lib.stride_tricks": self.numpy.lib.stride_tricks,
            "math": _Math("math"),
            "random": _Python(seed),
            "gzip": _Zipped(self.opened),
        }

    def load(
        self, name: str, globals_: Any = None, locals_: Any = None, fromlist: Any = (), level: int = 0
    ) -> types.ModuleType:
        """``__import__`` for the program."""
        if level == 0:
            if name.split(".")[0] in SILENT:
                return Silent(name)
            if name in self.replaced:
                return self.replaced[name] if fromlist or "." not in name else self.replaced[name.split(".")[0]]
            if name.split(".")[0] == "numpy":
                return importlib.import_module(name) if fromlist else self.numpy
            if name == "pandas":
                return _Pandas(self)
            if name.split(".")[0] == "scipy":
                return _Scipy(importlib.import_module(name if fromlist else "scipy"))
        try:
            found = builtins.__import__(name, globals_, locals_, fromlist, level)
            return Library(found, self.kind) if level == 0 and name.split(".")[0] == LIBRARY else found  # type: ignore[return-value]
        except ModuleNotFoundError as error:
            if level or error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise  # of a module that is there, and lacks another itself
            return Absent(name if fromlist else name.split(".")[0], str(error), self.numpy.of_absent)

    def opened(self, file: Any, mode: str = "r", *rest: Any, **settings: Any) -> Any:
        """``open``, which gives what stands for a file that is not there, and keeps its name."""
        try:
            return open(file, mode, *rest, **settings)
        except FileNotFoundError:
            made = drawn.file(str(file), mode, self.seed, self.text)
            if made is None:
                raise
            self.numpy.absent.append(str(file))
            return made

    def frame(self, path: Any) -> Frame:
        """What stands for a table of pandas that is not there."""
        self.numpy.absent.append(str(path))
        table = drawn.table(None, self.seed, str(path), self.text)
        label = 0 if drawn.of_digits(str(path), self.text) else table.shape[1] - 1
        return Frame(table, [f"column {place}" for place in range(table.shape[1])], self.kind.make, label)

    def moved(self, seed: Any) -> Any:
        """A seed of the program, moved with the run's."""
        return seed + SEED * self.seed if isinstance(seed, int) else seed

    def start(self) -> None:
        """Put the global generators into their first state."""
        torch.default_generator.manual_seed(1234 + SEED * self.seed)
        np.random.seed(1234 + SEED * self.seed)  # noqa: NPY002  (the program draws from it)
        random.seed(1234 + SEED * self.seed)


class _Numpy(types.ModuleType):
    """NumPy; what it creates out of nothing is of the kind in use."""

    def __init__(self, kind: Kind, seed: int, text: str) -> None:
        super().__init__("numpy")
        self.kind, self.text = kind, text
        self.random = _Random(kind, seed)
        self.linalg = _Nested(kind, np.linalg)
        self.lib = types.SimpleNamespace(stride_tricks=_Nested(kind, np.lib.stride_tricks))
        self.c_, self.r_ = _Columns(kind), _Rows(kind)
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


class _Scipy(types.ModuleType):
    """``scipy`` and its modules, whose functions of arrays take those of every kind, as far as they are known."""

    def __init__(self, module: types.ModuleType) -> None:
        super().__init__(module.__name__)
        self.module = module

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.module, name)
        if isinstance(found, types.ModuleType):
            return _Scipy(found)
        return composed(OF_SCIPY, name, found) if name in OF_SCIPY else found


class Library:
    """A part of a library that knows float64 alone: it takes plain numbers, and what it gives is of the kind in use."""

    def __init__(self, part: Any, kind: Kind) -> None:
        vars(self).update(part=part, kind=kind)

    def __getattr__(self, name: str) -> Any:
        return self._given(getattr(self.part, name))

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.part, name, _bare_all(value))

    def __call__(self, *arguments: Any, **settings: Any) -> Any:
        if getattr(self.part, "__module__", "").startswith("sklearn.datasets"):
            key = repr((self.part, arguments, settings))
            if key not in LOADED:
                LOADED[key] = self.part(*arguments, **settings)
            return self._given(copy.deepcopy(LOADED[key]))
        return self._given(self.part(*_bare_all(arguments), **_bare_all(settings)))

    def __mro_entries__(self, bases: Any) -> tuple[Any, ...]:
        return (self.part,)

    def _given(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(self._given, value))
        of_class = value.__name__ if isinstance(value, types.ModuleType) else getattr(value, "__module__", None) or ""
        if of_class.partition(".")[0] in (LIBRARY, "scipy") and not isinstance(value, dict):
            return Library(value, self.kind)
        return self.kind.make(value)


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


class _Python(types.ModuleType):
    """``random``: a seed of the program is moved with the run's."""

    def __init__(self, shift: int) -> None:
        super().__init__("random")
        self.shift = shift

    def __getattr__(self, name: str) -> Any:
        if name == "seed":
            return lambda seed=None, *_: random.seed((seed if isinstance(seed, int) else 0) + SEED * self.shift)
        return getattr(random, name)


class _Zipped(types.ModuleType):
    """``gzip``, whose ``open`` gives what stands for a file that is not there."""

    def __init__(self, opened: Callable[..., Any]) -> None:
        super().__init__("gzip")
        self.opened = opened

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module("gzip"), name)

    def open(self, file: Any, mode: str = "rb", *rest: Any, **settings: Any) -> Any:
        """A file that is there, unpacked, or another in its place."""
        try:
            return self.__getattr__("open")(file, mode, *rest, **settings)
        except FileNotFoundError:
            return self.opened(file, mode if "t" in mode or "b" in mode else f"{mode}b")


class _Pandas(types.ModuleType):
    """``pandas``, if it is there; a table is drawn where its file is not."""

    def __init__(self, modules: Modules) -> None:
        super().__init__("pandas")
        self.modules = modules

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            function = getattr(importlib.import_module("pandas"), name)
        except ModuleNotFoundError as error:
            function = Absent(f"pandas.{name}", str(error), self.modules.numpy.of_absent)
        if name == "get_dummies":
            return lambda column, *rest, **settings: (
                frames.one_hot(column) if isinstance(column, Frame) else function(column, *rest, **settings)
            )
        return (lambda *rest, **settings: self._read(function, rest, settings)) if name in TABLES else function

    def _read(self, function: Any, rest: Any, settings: dict[str, Any]) -> Any:
        path = rest[0] if rest else settings.get("filepath_or_buffer")
        try:
            return function(*rest, **settings)
        except (FileNotFoundError, ModuleNotFoundError):
            return self.modules.frame(path)


class _Math(types.ModuleType):
    """``math``, whose functions take arrays of one entry too."""

    def __getattr__(self, name: str) -> Any:
        function = getattr(math, name)
        if not callable(function):
            return function

        def call(*arguments: Any) -> Any:
            if not any(is_array(each) for each in arguments):
                return function(*arguments)
            other = {"pow": "power", "fabs": "absolute", "asin": "arcsin", "acos": "arccos", "atan": "arctan"}
            return getattr(np, other.get(name, name))(*arguments)

        return call


class Silent(types.ModuleType):
    """A module that does nothing: what it is called on comes back where that can be gone through."""

    __path__ = ()  # type: ignore[assignment]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Silent(name)

    def __call__(self, *arguments: Any, **_: Any) -> Any:
        return arguments[0] if arguments and hasattr(arguments[0], "__iter__") else self

    def __iter__(self) -> Any:
        return iter((Silent("figure"), Silent("axes")))

    def __getitem__(self, place: Any) -> Any:
        return self

    def __setitem__(self, place: Any, value: Any) -> None:
        pass

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class Absent(types.ModuleType):
    """A module that is not there, as those that load data: what a program defines beside it can be judged.

    It can be imported and handed on; whatever is done with what it has raises ModuleNotFoundError.
    """

    __path__ = ()  # type: ignore[assignment]
    __all__ = ()

    def __init__(self, name: str, why: str, known: Callable[[str], Any]) -> None:
        """``known`` gives what stands for a function of that path, None where nothing does."""
        super().__init__(name)
        self.why, self.known = why, known

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        path = f"{self.__name__}.{name}"
        return self.known(path) or Absent(path, self.why, self.known)

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise ModuleNotFoundError(self.why)

    __call__ = __iter__ = __getitem__ = __enter__ = __exit__ = __mro_entries__ = _refuse


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


class _Columns:
    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def __getitem__(self, parts: Any) -> Any:
        if not _holds(parts):
            return self.kind.make(np.c_[parts])
        listed = [each if np.ndim(each) else np.reshape(each, (1,)) for each in parts]
        return np.concatenate([each.reshape(-1, 1) if np.ndim(each) == 1 else each for each in listed], axis=-1)


class _Rows:
    def __init__(self, kind: Kind) -> None:
        self.kind = kind

    def __getitem__(self, parts: Any) -> Any:
        if not _holds(parts):
            return self.kind.make(np.r_[parts])
        return np.concatenate([each if np.ndim(each) else np.reshape(each, (1,)) for each in parts], axis=0)


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
    if isinstance(value, _FloatType) or value in _SHORT_TYPES:
        return np.float64
    return value


class _ShortTypes:
    def __contains__(self, value: Any) -> bool:
        if isinstance(value, str):
            return value in ("float", "float32", "float64", "float16", "f4", "f8")
        return isinstance(value, np.dtype) and value.kind == "f"


_SHORT_TYPES = _ShortTypes()


def _holds(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(_holds(each) for each in value)
    return isinstance(value, Step | Tape)


def _drawing(function: Callable[..., Any], kind: Kind) -> Callable[..., Any]:
    def call(*arguments: Any, **settings: Any) -> Any:
        plain = [_bare(each) for each in arguments]
        result = function(*plain, **{name: _bare(value) for name, value in settings.items()})
        if function.__name__ == "shuffle" and arguments and isinstance(arguments[0], Tape | Step):
            arguments[0][...] = kind.make(plain[0])
        return kind.make(result)

    return call


def _bare(value: Any) -> Any:
    return tape.plain(step.real(value))


def _bare_all(value: Any) -> Any:
    """The plain numbers of lists, tuples and dicts, and the parts of a library as they are."""
    if type(value) in (list, tuple):
        return type(value)(map(_bare_all, value))
    if isinstance(value, dict):
        return {name: _bare_all(each) for name, each in value.items()}
    return value.part if isinstance(value, Library) else _bare(value)


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


def product(first: Any, second: Any) -> Any:
    """``first.dot(second)``, by NumPy's function where an array stands on either side."""
    return np.dot(first, second) if is_array(first) or is_array(second) else first.dot(second)


def floated(value: Any = 0.0) -> Any:
    """``float``: an array of one entry keeps its derivative."""
    return value.reshape(()) if is_array(value) and value.dtype.kind in "fc" else float(value)
