"""How a file without a main block can be called: its functions and classes, on arrays whose sizes are found by trying.

Every axis of an argument begins with a size of its own. The functions are run; where two sizes meet that have to be
equal, they are one from then on, and it is run again.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.events import NAMED, Event
from parity_tests.derivations.engine.python.arguments import ASSUMED, Caller, Shapes
from parity_tests.derivations.engine.python.program import PythonProgram
from parity_tests.derivations.engine.python.sized import MET, SIZED
from parity_tests.derivations.engine.python.surroundings import Around
from parity_tests.derivations.engine.python.ways import alone, builders
from parity_tests.derivations.verdicts import CALL

MOST_TRIES = 40


class Tried(NamedTuple):
    """The lines of a call, and why it ended early, "" where it runs to its end."""

    call: str
    problem: str


def calls(text: str, around: Around | None = None, pair: tuple[str, ...] = ()) -> Iterator[Tried]:
    """The ways to call what a file defines, the likeliest first, with sizes that fit as far as they can be found.

    ``around`` are variables that the file finds there: they are arguments under their own names. With a ``pair`` of
    names, forward and backward, or one function that does both, these alone are called.
    """
    tree = ast.parse(text)
    seen = set()
    for build in builders(tree, around, pair):
        every = (_fitted(text, tree, build, assumed, around) for assumed in ASSUMED)
        found = [each for each in every if each is not None]
        if found:
            _, best = max(found, key=lambda each: (not each[1].problem, each[0]))
            if best.call not in seen:
                seen.add(best.call)
                yield best


def template(text: str) -> Tried | None:
    """A call of the longest function, to be completed, where nothing says which are forward and backward passes."""
    tree = ast.parse(text)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.args.args]
    if not functions:
        return None
    longest = max(functions, key=lambda node: (node.end_lineno or 0) - node.lineno)
    found = _fitted(text, tree, lambda caller: alone(caller, longest), ASSUMED[0], None)
    return None if found is None else found[1]


def _fitted(
    text: str, tree: ast.Module, build: Any, assumed: Shapes, around: Around | None
) -> tuple[tuple[int, int], Tried] | None:
    """A call with sizes that fit as far as they can be found, None where it cannot be built.

    It comes with how many gradients have the shape of what they belong to, and with how many different sizes there
    are: the assumption in which most do is the likeliest.
    """
    caller = Caller(tree, assumed)
    caller.known |= {symbols.plain_symbol(name): name for name in (around.values if around is not None else ())}
    if not build(caller):
        return None
    call = problem = ""
    for _ in range(MOST_TRIES):
        call = caller.text()
        MET.clear()
        run = PythonProgram(text, call, 0, around).run({}, SIZED)
        problem = run.problems[0][1] if run.problems else ""
        if not problem and caller.share(run):
            continue
        if not problem:
            shapes = {name: tuple(shape) for name, shape in caller.arrays.items() if not symbols.is_label(name)}
            like = {event.name for event in run.events for name in _meant(event, shapes) if event.shape == shapes[name]}
            sizes = {size for shape in caller.arrays.values() for size in shape} - {1}
            new, count = _named(call, caller.returned, run.events, shapes)
            return (len(like) + count, len(sizes)), Tried(new, "")
        short = re.search(r"index (\d+) is out of bounds for axis \d+ with size (\d+)", run.problems[0][1])
        if MET:
            if not caller.merge(*MET[0]):
                break
        elif short is None or not caller.lengthen(int(short[2])):
            break
    return (0, 0), Tried(call, problem)


def _meant(event: Event, shapes: Mapping[str, tuple[int, ...]]) -> tuple[str, ...]:
    return symbols.meant_by(event.name, shapes) if event.role == NAMED and not event.missing else ()


def _named(
    call: str, returned: list[ast.expr], events: Iterable[Event], shapes: Mapping[str, tuple[int, ...]]
) -> tuple[str, int]:
    """The call with a name for each gradient that is returned without one: that of the argument of its shape."""
    *before, last = call.splitlines()
    target, _, rest = last.partition(" = ")
    found = {event.name: event.shape for event in events if event.line >= CALL}
    names = []
    for place, each in enumerate(returned):
        shape = found.get(f"{target}[{place}]")
        like = [name for name, other in shapes.items() if other == shape and not isinstance(each, ast.Name)]
        names.append(f"d{like[0]}" if len(like) == 1 else "_")
    mine = [name for name in names if name != "_"]
    if not mine or len(set(mine)) < len(mine):
        return call, 0
    return "\n".join([*before, f"{', '.join(names)} = {rest}"]), len(mine)
