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

from parity_tests.derivations.engine.numbers.kinds import Kind, is_array
from parity_tests.derivations.engine.python import drawn, frames
from parity_tests.derivations.engine.python.composed import OF_SCIPY, composed
from parity_tests.derivations.engine.python.frames import Frame
from parity_tests.derivations.engine.python.minimisers import MINIMISERS
from parity_tests.derivations.engine.python.numpy_module import SEED, Numpy, bare

SILENT = frozenset(
    ("matplotlib", "seaborn", "plotly", "tqdm", "pylab", "IPython", "ipywidgets", "imageio", "tensorboardX")
)

TABLES = frozenset(("read_csv", "read_table", "read_excel"))
"""Functions of pandas that read a table."""

LIBRARY = "sklearn"
"""What data are loaded and prepared with."""

LOADED: dict[str, Any] = {}
"""Its data sets that were asked for: each run reads them anew."""


class Modules:
    """The modules of one run: what they create is of one kind, and their generators begin in a state of ``seed``."""

    def __init__(self, kind: Kind, seed: int, text: str = "") -> None:
        """``text`` is the program: data that are not there are made up in the sizes that it has."""
        self.kind, self.seed, self.text = kind, seed, text
        self.numpy = Numpy(kind, seed, text)
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


class _Scipy(types.ModuleType):
    """``scipy`` and its modules, whose functions of arrays take those of every kind, as far as they are known."""

    def __init__(self, module: types.ModuleType) -> None:
        super().__init__(module.__name__)
        self.module = module

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.module, name)
        if isinstance(found, types.ModuleType):
            return _Scipy(found)
        if self.module.__name__ == "scipy.optimize" and name in MINIMISERS:
            return MINIMISERS[name]
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


def _bare_all(value: Any) -> Any:
    """The plain numbers of lists, tuples and dicts, and the parts of a library as they are."""
    if type(value) in (list, tuple):
        return type(value)(map(_bare_all, value))
    if isinstance(value, dict):
        return {name: _bare_all(each) for name, each in value.items()}
    return value.part if isinstance(value, Library) else bare(value)


def product(first: Any, second: Any) -> Any:
    """``first.dot(second)``, by NumPy's function where an array stands on either side."""
    return np.dot(first, second) if is_array(first) or is_array(second) else first.dot(second)


def floated(value: Any = 0.0) -> Any:
    """``float``: an array of one entry keeps its derivative."""
    return value.reshape(()) if is_array(value) and value.dtype.kind in "fc" else float(value)
