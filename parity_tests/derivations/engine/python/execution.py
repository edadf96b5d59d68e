"""An instrumented program is run among the modules of one kind; why it ended early is said, its output thrown away."""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import traceback
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.engine.numbers.kinds import Kind, is_array, is_number
from parity_tests.derivations.engine.numbers.tensor import Tensor
from parity_tests.derivations.engine.python.modules import Modules, Silent, floated, product
from parity_tests.derivations.engine.python.recorder import Halted
from parity_tests.derivations.engine.python.surroundings import Around
from parity_tests.derivations.engine.python.torch_source import float64
from parity_tests.derivations.verdicts import CALL

FILE = "<the file>"
IN_NOTEBOOKS: dict[str, Any] = {"display": lambda *_, **__: None, "get_ipython": lambda: Silent("IPython")}
"""What IPython adds to the names of Python."""


class InOrder(set[Any]):
    """A set whose elements come in the order in which they were put in: by their addresses each run has another."""

    def __init__(self, elements: Iterable[Any] = ()) -> None:
        super().__init__()
        self.places: dict[Any, None] = {}
        self.update(elements)

    def __iter__(self) -> Iterator[Any]:
        return iter([each for each in self.places if each in self])

    def add(self, element: Any) -> None:
        super().add(element)
        self.places[element] = None

    def update(self, *others: Iterable[Any]) -> None:
        for other in others:
            for each in other:
                self.add(each)


class Ended(NamedTuple):
    """Why a run ended before its end, "" where it did not, and the line outside of functions where it did."""

    problem: str = ""
    line: int = 0
    absent: tuple[str, ...] = ()
    """The files that are not there, and in whose place something was made up."""


def execute(
    code: Any,
    functions: Mapping[str, Any],
    kind: Kind,
    seed: int,
    around: Around | None,
    *,
    called: bool,
    text: str = "",
) -> Ended:
    """Run the code with the ``functions`` that it was given; a program that is ``called`` finds NumPy as ``np``.

    ``text`` is how it was written: data that are made up fit the sizes in it.
    """
    modules = Modules(kind, seed, text)
    modules.start()
    Tensor.wanting.clear()
    space: dict[str, Any] = {
        "__name__": "__main__",
        "__file__": FILE,
        "__builtins__": {
            **vars(builtins),
            "__import__": modules.load,
            "input": _no_input,
            "open": modules.opened,
            "set": InOrder,
            **IN_NOTEBOOKS,
        },
        "__float__": floated,
        "__dot__": product,
        "__seed__": modules.moved,
        **functions,
    }
    if called:
        space["np"] = modules.numpy
    if around is not None:
        around.enter(space, kind, modules)
    try:
        with _quiet(), float64():
            exec(code, space)
    except (Halted, SystemExit):
        pass
    except Exception as error:
        return _sentence(error)._replace(absent=tuple(dict.fromkeys(modules.numpy.absent)))
    return Ended(absent=tuple(dict.fromkeys(modules.numpy.absent)))


def _sentence(error: BaseException) -> Ended:
    lines = [frame.lineno or 0 for frame in traceback.extract_tb(error.__traceback__) if frame.filename == FILE]
    own = [line for line in lines if line <= CALL]
    place = f" in line {own[-1]}" if own else ""
    words = str(error).splitlines()
    return Ended(f"{type(error).__name__}{place}: {words[0] if words else ''}"[:300], lines[0] if lines else 0)


def value_behind(statements: Sequence[ast.stmt], names: Mapping[str, Any], target: str) -> Any:
    """What ``target`` is after some statements, None where one of them fails; what ``names`` holds stays."""
    space = {**names}
    if len(statements) > 1:  # the second may change in place what the first made another name of
        space = {name: value.copy() if is_array(value) else value for name, value in names.items()}
    elif is_array(space.get(target)):
        space[target] = space[target].copy()
    module = ast.Module([ast.fix_missing_locations(each) for each in statements], [])
    try:
        with _quiet():
            exec(compile(module, FILE, "exec"), space)
    except Exception:
        return None
    value = space.get(target)
    return value if is_number(value) else None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with (
        np.errstate(all="ignore"),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield


def _no_input(*_: Any) -> str:
    raise EOFError("nobody is there to answer input()")
