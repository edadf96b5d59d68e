"""How a file without a main block can be called: its functions and classes, on arrays whose sizes are found by trying.

Every axis of an argument begins with a size of its own. The functions are run; where two sizes meet that have to be
equal, they are one from then on, and it is run again.
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.events import GIVEN, NAMED, Event, Run
from parity_tests.derivations.engine.python.arguments import ASSUMED, NUMBERS, Caller
from parity_tests.derivations.engine.python.program import PythonProgram
from parity_tests.derivations.engine.python.ranks import choices
from parity_tests.derivations.engine.python.sized import MET, READ, SIZED
from parity_tests.derivations.engine.python.surroundings import Around
from parity_tests.derivations.engine.python.ways import UPSTREAM, alone, builders
from parity_tests.derivations.verdicts import CALL

MOST_TRIES = 40


FOR_TESTS = re.compile(r"mode|phase|test|eval|infer|predict|val", re.I)
"""Arguments and words that switch between training and the use of a network."""


class Tried(NamedTuple):
    """The lines of a call, why it ended early, "" where it runs to its end, and the choice that differs from the last.

    A choice is a word in place of the one that an argument has where it is not given: ``unit='sigmoid'``. An exact way
    calls a function as the gradient of another one.
    """

    call: str
    problem: str
    choice: str = ""
    exact: bool = False


def calls(
    text: str,
    around: Around | None = None,
    pair: tuple[str, ...] = (),
    settled: Collection[str] = (),
    *,
    in_torch: bool = False,
) -> Iterator[Tried]:
    """The ways to call what a file defines, the likeliest first, with sizes that fit as far as they can be found.

    ``around`` are variables that the file finds there: they are arguments under their own names. With a ``pair`` of
    names, forward and backward, or one function that does both, these alone are called. Functions of gradients that
    are ``settled`` when their turn comes are left out. With ``in_torch`` the arguments are torch's tensors.
    """
    tree = ast.parse(text)
    seen = set()
    words = _choices(tree)
    sized = _sized(text, around, in_torch)
    for way in builders(tree, around, pair):
        if way.function in settled:
            continue
        best = _likeliest(tree, way.build, around, sized, in_torch=in_torch)
        if best is None or best.call in seen:
            continue
        seen.add(best.call)
        yield best
        for name, word in words if not best.problem else ():
            other = _likeliest(tree, way.build, around, sized, (name, word), in_torch=in_torch)
            if other is not None and not other.problem and other.call not in seen:
                seen.add(other.call)
                yield other._replace(choice=f"{name}={word!r}")


SizedRun = Callable[[str], tuple[Run, tuple[tuple[int, int], ...]]]
"""What a call does with arrays that say which sizes do not fit: the sizes that met, or how far each axis was read."""


def _sized(text: str, around: Around | None, in_torch: bool = False) -> SizedRun:
    """The runs of a file, each once: what is assumed of one argument says nothing where there is none such."""

    @cache
    def run(call: str) -> tuple[Run, tuple[tuple[int, int], ...]]:
        if in_torch:
            found = PythonProgram(text, call, 0, around, in_torch=True).run({})
            return found, _said_by_torch(found.problems[0][1]) if found.problems else ()
        MET.clear()
        READ.clear()
        found = PythonProgram(text, call, 0, around).run({}, SIZED)
        return found, tuple(MET if found.problems else READ.items())

    return run


def _said_by_torch(problem: str) -> tuple[tuple[int, int], ...]:
    """The sizes that do not fit, by torch's own sentence."""
    match = re.search(r"tensor a \((\d+)\) must match the size of tensor b \((\d+)\)", problem)
    match = match or re.search(r"mat1 and mat2 shapes cannot be multiplied \(\d+x(\d+) and (\d+)x\d+\)", problem)
    match = match or re.search(r"shape mismatch: indexing tensors .* with shapes \[(\d+)\], \[(\d+)\]", problem)
    return ((int(match[1]), int(match[2])),) if match else ()


def _likeliest(
    tree: ast.Module,
    build: Any,
    around: Around | None,
    sized: SizedRun,
    choice: tuple[str, str] = ("", ""),
    *,
    in_torch: bool = False,
) -> Tried | None:
    """A call under the assumption in which it fits best."""
    found: list[tuple[tuple[int, int], Tried]] = []
    for several in (ASSUMED, [NUMBERS]):
        every = (_fitted(build, Caller(tree, each, choice, in_torch=in_torch), around, sized) for each in several)
        found += [each for each in every if each is not None]
        if any(not each[1].problem for each in found):
            break
    return max(found, key=lambda each: (not each[1].problem, each[0]))[1] if found else None


def _choices(tree: ast.Module) -> list[tuple[str, str]]:
    """The words that arguments are compared with, but those that they are where nothing is given.

    Passes that are not for training have no backward pass.
    """
    found: dict[tuple[str, str], None] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            listed = [*node.args.posonlyargs, *node.args.args]
            for each, default in zip(reversed(listed), reversed(node.args.defaults), strict=False):
                if isinstance(default, ast.Constant) and isinstance(default.value, str):
                    found |= {
                        (each.arg, word): None
                        for word in choices(each.arg, tree)
                        if word != default.value and not FOR_TESTS.search(each.arg + word)
                    }
    return list(found)


def template(text: str) -> Tried | None:
    """A call of the longest function, to be completed, where nothing says which are forward and backward passes."""
    tree = ast.parse(text)
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.args.args]
    if not functions:
        return None
    longest = max(functions, key=lambda node: (node.end_lineno or 0) - node.lineno)
    found = _fitted(lambda caller: alone(caller, longest), Caller(tree, ASSUMED[0]), None, _sized(text, None))
    return None if found is None else found[1]


def _fitted(build: Any, caller: Caller, around: Around | None, sized: SizedRun) -> tuple[tuple[int, int], Tried] | None:
    """A call with sizes that fit as far as they can be found, None where it cannot be built.

    It comes with how many gradients have the shape of what they belong to, and with how many different sizes there
    are: the assumption in which most do is the likeliest.
    """
    caller.known |= {symbols.plain_symbol(name): name for name in (around.values if around is not None else ())}
    if not build(caller):
        return None
    call = problem = ""
    for _ in range(MOST_TRIES):
        call = caller.text()
        run, met = sized(call)
        problem = run.problems[0][1] if run.problems else ""
        if not problem and (caller.share(run) or caller.count(run) or any(caller.shorten(*each) for each in met)):
            continue
        if not problem:
            shapes = {name: tuple(shape) for name, shape in caller.arrays.items() if not symbols.is_label(name)}
            like = {event.name for event in run.events for name in _meant(event, shapes) if event.shape == shapes[name]}
            sizes = {size for shape in caller.arrays.values() for size in shape} - {1}
            shapes |= {event.name: event.shape for event in run.events if _is_everywhere(event)}
            new, count = _named(call, caller.returned, run.events, shapes)
            return (len(like) + count, len(sizes)), Tried(new, "", exact=caller.exact)
        short = re.search(
            r"index (\d+) is out of bounds for (?:axis|dimension) \d+ with size (\d+)", run.problems[0][1]
        )
        if met:
            if not caller.merge(*met[0]):
                break
        elif short is None or not caller.lengthen(int(short[2])):
            break
    return (0, 0), Tried(call, problem)


def _is_everywhere(event: Event) -> bool:
    """Whether an array is a variable outside of functions."""
    known = event.role in (NAMED, GIVEN) and event.name.isidentifier() and not event.function and event.line < CALL
    return known and not event.missing and len(event.shape) > 0 and not symbols.is_label(event.name)


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
        known = isinstance(each, ast.Name) and (symbols.meant_by(each.id, shapes) or not UPSTREAM.match(each.id))
        like = [name for name, other in shapes.items() if other == shape and not known]
        names.append(f"d{like[0]}" if len(like) == 1 else "_")
    mine = [name for name in names if name != "_"]
    if not mine or len(set(mine)) < len(mine):
        return call, 0
    return "\n".join([*before, f"{', '.join(names)} = {rest}"]), len(mine)


def flag(call: str) -> str:
    """``--call`` with the lines of a call, as a shell takes it."""
    return f"--call {quoted('; '.join(call.splitlines()))}"


def quoted(text: str) -> str:
    """A text as a shell takes it."""
    return shlex.quote(text) if set(text) & set('"$`\\!') else f'"{text}"'
