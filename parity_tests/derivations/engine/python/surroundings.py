"""What stands around a piece of code: the variables that it reads, and the source of the functions that it calls."""

from __future__ import annotations

import ast
import copy
import linecache
import symtable
import sysconfig
import textwrap
import types
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.engine.numbers.kinds import Kind, is_array
from parity_tests.derivations.engine.python.modules import Modules

DEEPEST = 3
"""How deep arrays are looked for in lists, dicts and objects."""

MOST_INSIDE = 100
"""How many entries of a list or dict are looked at for objects."""

MOST_COPIED = 5_000_000
"""Entries of the largest array that is copied."""

STANDARD = tuple(sysconfig.get_paths()[each] for each in ("stdlib", "platstdlib"))
INSTALLED = {"site-packages", "dist-packages"}
"""Folders of libraries."""

FIXED = (
    bool, int, float, complex, str, bytes, np.generic, np.ufunc, np.dtype, type(None), type, types.FunctionType,
    types.BuiltinFunctionType,
)  # fmt: skip
"""What needs no copy."""


class Source(NamedTuple):
    """A function or class as it was written: its file or cell, its first line there, its text, and itself."""

    file: str
    line: int
    text: str
    value: Any


class Around(NamedTuple):
    """The variables that a piece of code reads, and the functions and classes that it needs, in their order."""

    values: Mapping[str, Any] = types.MappingProxyType({})
    defined: Mapping[str, Any] = types.MappingProxyType({})

    def ordered(self, body: Iterable[ast.stmt]) -> list[ast.stmt]:
        """The statements of a program: first the functions and classes, then each variable by its name."""
        rest = list(body)
        first = {name: each for each in rest if (name := _defines(each)) in self.defined}
        rest = [each for each in rest if each not in first.values()]
        texts = [f"{text} = {text}" for name, value in self.values.items() for text in _places(name, value)]
        bound = ast.parse("\n".join(["__ready__()", *texts])).body
        for node in (each for statement in bound for each in ast.walk(statement)):
            if hasattr(node, "lineno"):
                node.lineno = node.end_lineno = 0  # type: ignore[attr-defined]
        return [*(first[name] for name in self.defined), *bound, *rest]

    def enter(self, space: dict[str, Any], kind: Kind, modules: Modules) -> None:
        """Put the variables into the names of one run: copies, their arrays of the kind in use."""

        def ready() -> None:
            """The variables once more, now that the functions and classes are those of the program."""
            new = {id(value): space[name] for name, value in self.defined.items()}
            space.update(_Copies(kind, modules, new).of_names(self.values))

        space.update(_Copies(kind, modules, {}).of_names(self.values))
        space["__ready__"] = ready

    def kept(self) -> Around:
        """The same with the values as they are now, whatever happens to them."""
        return self._replace(values=_Copies(Kind("as it is", lambda value: value), None, {}).of_names(self.values))


class Piece(NamedTuple):
    """Code to judge, with the functions that it needs: those of its own file at their lines, others behind it."""

    name: str
    text: str
    around: Around
    note: str = ""
    """Whose lines stand behind the code."""


def piece_of(
    name: str, text: str, names: Mapping[str, Any], file: str = "", own: Mapping[str, Any] = types.MappingProxyType({}),
    call: str = "",
) -> Piece:  # fmt: skip
    """Code of ``file``, a file or cell, among the names that are known there.

    ``own`` are functions, classes and objects that are wanted beside what the code and the ``call`` read. Raises
    ValueError where two different functions or classes have one name.
    """
    finder = _Finder()
    mine = {each for node in ast.parse(text).body if (each := _defines(node))}
    for each, value in own.items():
        finder.add(each, value)
    finder.add_names(text, names, mine)
    finder.add_names(call, names, mine)
    rows = dict(enumerate(text.splitlines(), 1))
    elsewhere: list[str] = []
    others = []
    for source in finder.sources.values():
        if source.file == file:
            rows |= dict(enumerate(source.text.splitlines(), source.line))
        else:
            elsewhere += [*[""][: bool(rows or elsewhere)], *source.text.splitlines()]
            others.append(_defines(ast.parse(source.text).body[0]))
    whole = [rows.get(line, "") for line in range(1, max(rows, default=0) + 1)]
    defined = {each: source.value for each, source in finder.sources.items()}
    note = f"Lines from {len(whole) + 2} on are those of {', '.join(others)}." if others and whole else ""
    return Piece(name, "\n".join([*whole, *elsewhere, ""]), Around(finder.values, defined), note)


class _Finder:
    """Collects what a piece of code needs, and what that needs."""

    def __init__(self) -> None:
        self.sources: dict[str, Source] = {}
        self.values: dict[str, Any] = {}
        self.seen: dict[str, Any] = {}
        self.attributes: set[str] = set()

    def add_names(self, text: str, names: Mapping[str, Any], mine: Iterable[str] = ()) -> None:
        """Everything that a text reads, apart from what it defines itself."""
        self.attributes |= {node.attr for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Attribute)}
        for name in dict.fromkeys(_free_names(symtable.symtable(text, "", "exec"))):
            if name in names and name not in mine:
                self.add(name, names[name])

    def add(self, name: str, value: Any) -> None:
        """A name and what it stands for."""
        if name in self.seen:
            if self.seen[name] is not value and isinstance(value, types.FunctionType | type):
                raise ValueError(f"two different functions or classes are called {name}, expected one of each name")
            return
        self.seen[name] = value
        source = source_of(value)
        if source is None or _defines(ast.parse(source.text).body[0]) != name:
            self.values[name] = value
            self.add_object(value)
            return
        self.add_names(source.text, names_of(value), (name,))
        self.sources[name] = source

    def add_object(self, value: Any, depth: int = 0) -> None:
        """The functions and classes that are found in an object, or that it is of."""
        if isinstance(value, types.MethodType):
            value = value.__self__
        if isinstance(value, types.FunctionType | type):
            source = source_of(value)
            name = "" if source is None else _defines(ast.parse(source.text).body[0])
            if name:
                self.add(name, value)
            return
        if depth > DEEPEST or is_array(value) or isinstance(value, FIXED):
            return
        inside: list[Any] = []
        if isinstance(value, types.ModuleType):
            if _is_own(getattr(value, "__file__", None) or ""):
                inside = [each for name, each in vars(value).items() if name in self.attributes]
        elif isinstance(value, dict):
            inside = list(value.values())
        elif isinstance(value, list | tuple):
            inside = list(value)
        elif hasattr(value, "__dict__"):
            inside = [*reversed(type(value).__mro__), *vars(value).values()]
        for each in inside[:MOST_INSIDE]:
            self.add_object(each, depth + 1)


def _free_names(table: symtable.SymbolTable) -> Iterator[str]:
    """The names that a text looks for outside of its functions."""
    for symbol in table.get_symbols():
        if table.get_type() == "module" or symbol.is_global():
            yield symbol.get_name()
    for each in table.get_children():
        yield from _free_names(each)


def _is_own(file: str) -> bool:
    """Whether a file is a person's own, and of no library."""
    return bool(file) and not file.startswith(STANDARD) and not INSTALLED & set(Path(file).parts)


def names_of(value: Any) -> dict[str, Any]:
    """The names that a function or class sees."""
    function = _function_in(value)
    if function is None:
        return {}
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    closed = {name: cell.cell_contents for name, cell in cells if name != "__class__"}
    return {**function.__globals__, **closed}


def _function_in(value: Any) -> types.FunctionType | None:
    """The function itself, or of a class its first method."""
    if isinstance(value, types.FunctionType):
        return value
    if not isinstance(value, type):
        return None
    for each in vars(value).values():
        inner = each.__func__ if isinstance(each, classmethod | staticmethod) else each
        if isinstance(inner, types.FunctionType) and inner.__qualname__.startswith(f"{value.__qualname__}."):
            return inner
    return None


def source_of(value: Any) -> Source | None:
    """The source of a person's own function or class, None where there is none."""
    function = _function_in(value)
    if function is None or not _is_own(function.__code__.co_filename):
        return None
    file, place = function.__code__.co_filename, function.__code__.co_firstlineno
    rows = linecache.getlines(file, function.__globals__)
    try:
        tree = ast.parse("".join(rows))
    except (SyntaxError, ValueError):
        return None
    name = value.__name__ if isinstance(value, type) else function.__name__
    found: ast.stmt | None = None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Assign):
            here = _defines(node)
            same = here == name or (here and name == "<lambda>" and isinstance(node, ast.Assign))
            if same and first_line(node) <= place <= (node.end_lineno or 0):
                found = node
    if found is None:
        return None
    first = first_line(found)
    return Source(file, first, textwrap.dedent("".join(rows[first - 1 : found.end_lineno])), value)


def first_line(node: ast.stmt) -> int:
    """The first line of a statement, with its decorators."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(each.lineno for each in decorators)])


def _defines(node: ast.AST) -> str:
    """The name of the function or class that a statement defines, "" for another statement."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return node.name
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""


def _places(name: str, value: Any, depth: int = 0) -> Iterator[str]:
    """The names under which a variable holds arrays and numbers."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if is_array(value) or number or isinstance(value, list | dict):
        yield name
    if depth == DEEPEST or is_array(value) or isinstance(value, (types.ModuleType, *FIXED)):
        return
    if isinstance(value, dict):
        inside = [(f"{name}[{key!r}]", each) for key, each in value.items() if isinstance(key, str | int)]
    elif isinstance(value, list | tuple):
        inside = [(f"{name}[{place}]", each) for place, each in enumerate(value)]
    else:
        attributes = getattr(value, "__dict__", {})
        for key, each in attributes.items():
            if key.isidentifier():
                yield from _places(f"{name}.{key}", each, depth + 1)
        return
    for text, each in inside[:MOST_INSIDE]:  # what is no object is seen with the whole
        if hasattr(each, "__dict__") and not is_array(each):
            yield from _places(text, each, depth + 1)


class _Copies:
    """Copies of variables for one run: what is one object stays one, its arrays are of the kind in use.

    ``new`` are the functions and classes of the program, by the ids of those that they stand for; so do ``modules``
    stand for NumPy and others.
    """

    def __init__(self, kind: Kind, modules: Modules | None, new: Mapping[int, Any]) -> None:
        self.kind, self.modules, self.new = kind, modules, new
        self.made: dict[int, Any] = {}

    def of_names(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The copies, by the same names."""
        return {name: self.of(value) for name, value in values.items()}

    def of(self, value: Any) -> Any:
        """The copy of a value."""
        if id(value) in self.new:
            return self.new[id(value)]
        if isinstance(value, FIXED):
            name = getattr(value, "__name__", "")
            known = self.modules is not None and name and getattr(np, name, None) is value
            return getattr(self.modules.numpy, name) if known else value  # type: ignore[union-attr]
        if id(value) not in self.made:
            self._make(value)
        return self.made[id(value)]

    def _make(self, value: Any) -> None:
        made, place = self.made, id(value)
        made[place] = value
        if isinstance(value, types.ModuleType):
            made[place] = self._module(value)
        elif isinstance(value, types.MethodType):
            made[place] = getattr(self.of(value.__self__), value.__name__)
        elif is_array(value):
            made[place] = self.kind.make(value.copy() if value.size <= MOST_COPIED else _unwritable(value))
        elif type(value) is dict:
            made[place] = {}
            made[place].update({key: self.of(each) for key, each in value.items()})
        elif type(value) is list:
            made[place] = []
            made[place].extend(self.of(each) for each in value)
        elif isinstance(value, tuple):
            entries = [self.of(each) for each in value]
            made[place] = type(value)(*entries) if hasattr(value, "_fields") else tuple(entries)
        elif hasattr(value, "__dict__"):
            self._object(value)
        else:
            try:
                made[place] = copy.deepcopy(value)  # a generator of numbers
            except Exception:
                made[place] = value

    def _object(self, value: Any) -> None:
        try:
            new = copy.copy(value)
            self.made[id(value)] = new
            vars(new).update({name: self.of(each) for name, each in vars(value).items()})
            kind = self.new.get(id(type(value)))
            if kind is not None:
                new.__class__ = kind
        except Exception:
            self.made[id(value)] = value

    def _module(self, module: types.ModuleType) -> types.ModuleType:
        if self.modules is None:
            return module
        if not _is_own(getattr(module, "__file__", None) or ""):
            return self.modules.load(module.__name__, fromlist=("",))
        new = types.ModuleType(module.__name__)
        vars(new).update({name: self.new.get(id(each), each) for name, each in vars(module).items()})
        return new


def _unwritable(value: Any) -> Any:
    """A view of an array that is too large to be copied for each run."""
    view = value.view()
    view.flags.writeable = False
    return view
