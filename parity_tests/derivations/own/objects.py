"""A person's own functions and objects, judged in the process that they live in: they are run there, as they are."""

from __future__ import annotations

import contextlib
import inspect
import random
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from parity_tests.derivations.engine.python.judged import judge_program
from parity_tests.derivations.engine.python.surroundings import Piece, names_of, piece_of, source_of
from parity_tests.derivations.verdicts import (
    CANNOT_TELL,
    HOLDS,
    UNKNOWN,
    WRONG,
    Cost,
    Judged,
    Verdict,
    summarised,
)
from parity_tests.gradients.check import check_gradient
from parity_tests.gradients.verdict import ArrayCheck
from parity_tests.judging import judge

VERDICTS = {judge.HOLDS: HOLDS, judge.FAILS: WRONG, judge.CANNOT_TELL: CANNOT_TELL}

MISSING = "expected a forward and a backward pass, or x, where to call them, or call, how"


def verify_objects(
    objects: Sequence[Any], x: Any = None, *, call: str = "", seed: int = 0, strict: bool = False
) -> Judged:
    """Judge functions: a forward and its backward pass, one that returns (J, gradients), or an object with methods.

    Their source is read, so that lines, causes and repairs are named, and what they call is read with them. They are
    called as ``call`` says, in the names that they see themselves, or on arguments ``x`` (by name in a dict, or in
    order), or else on arrays whose sizes are found by trying. Without a source, of a function in C or one that was
    typed into a prompt, only the numbers are judged: the first is J, the other its gradient, and ``x`` is needed.

    They run in this process and are trusted, unlike files: nothing limits them but eight seconds a run.

    Raises ValueError, in one sentence, where nothing of them can be judged.
    """
    named = {_name_of(each, place): each for place, each in enumerate(objects)}
    title = ", ".join(named)
    if any(_is_function(each) and source_of(_plain(each)) is None for each in objects):
        return _by_numbers(objects, title, x, seed)
    names: dict[str, Any] = {}
    for each in objects:
        names = {**names_of(_plain(each)), **names}
    names |= named | _arguments(objects[0], x)
    if call:
        own = {name: value for name, value in named.items() if name.isidentifier()}
    else:
        own = {**named, **_arguments(objects[0], x)}
    own = {name: value for name, value in own.items() if not isinstance(value, types.MethodType)}
    bound = next((each.__self__ for each in objects if isinstance(each, types.MethodType)), None)
    if bound is not None:
        own["net"] = bound
    file = next((source.file for each in objects if (source := source_of(_plain(each))) is not None), "")
    pair = tuple(named) if all(isinstance(each, types.FunctionType) for each in objects) else ()
    judged = verify_piece(piece_of(title, "", names, file, own, call), call, seed=seed, strict=strict, pair=pair)
    if judged is None:
        raise ValueError(f"nothing of {title} could be judged: {MISSING}")
    return judged


def verify_piece(
    piece: Piece, call: str = "", *, seed: int = 0, strict: bool = False, pair: tuple[str, ...] = ()
) -> Judged | None:
    """Judge code among the variables around it, which stay as they are; None where nothing of it could be judged."""
    with _generators_kept():
        judged = judge_program(piece.name, piece.text, call, seed, strict=strict, around=piece.around, pair=pair)
    if judged is None or not piece.note:
        return judged
    return judged._replace(notes=(*judged.notes, piece.note))


@contextlib.contextmanager
def _generators_kept() -> Iterator[None]:
    """The global generators of random numbers go on as if nothing had been run."""
    state, other = np.random.get_state(), random.getstate()  # noqa: NPY002  (the caller's own)
    third = torch.get_rng_state()
    try:
        yield
    finally:
        torch.set_rng_state(third)
        np.random.set_state(state)  # noqa: NPY002
        random.setstate(other)


def _is_function(value: Any) -> bool:
    """Whether a value is called itself, and not by its methods."""
    return inspect.isroutine(value) or not (isinstance(value, type) or source_of(type(value)) is not None)


def _plain(value: Any) -> Any:
    """The function or class whose source is read."""
    if isinstance(value, types.MethodType):
        return value.__func__
    return value if inspect.isroutine(value) or isinstance(value, type) else type(value)


def _name_of(value: Any, place: int) -> str:
    name = getattr(value, "__name__", "")
    if isinstance(value, types.FunctionType | type):
        source = source_of(value)
        return name if source is None or name.isidentifier() else source.text.split("=")[0].strip()
    return name or ("net" if place == 0 else f"object{place}")


def _arguments(function: Any, x: Any) -> dict[str, Any]:
    """The arguments by their names."""
    if x is None or isinstance(x, Mapping):
        return dict(x or {})
    values = list(x) if isinstance(x, tuple | list) else [x]
    return dict(zip(inspect.signature(function).parameters, values, strict=False))


def _by_numbers(objects: Sequence[Any], title: str, x: Any, seed: int) -> Judged:
    """The verdict on numbers alone, by a referee that needs no source."""
    if x is None:
        raise ValueError(f"the source of {title} cannot be read, expected x, where to call it: an array, tuple or dict")
    f, gradient = _cost_and_gradient(objects, x)
    check = check_gradient(f, gradient, x, seed=seed)
    methods = tuple(dict.fromkeys(each.method for each in check.arrays))
    lines = tuple(_verdict(each) for each in check.arrays)
    notes = "".join(f"; {note}" for note in check.notes)
    layout = f"no source of {title} could be read, so that the numbers alone are judged{notes}"
    return Judged(
        title, Cost(f"J is what {title.split(',')[0]} returns"), "", layout, methods, lines, summarised(lines)
    )


def _cost_and_gradient(objects: Sequence[Any], x: Any) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """J and its gradient as functions; what is returned in order belongs to the names of ``x`` in theirs."""
    first, last = objects[0], objects[-1]

    def cost(*arguments: Any, **named: Any) -> Any:
        return first(*arguments, **named) if len(objects) > 1 else first(*arguments, **named)[0]

    def gradient(*arguments: Any, **named: Any) -> Any:
        found = last(*arguments, **named)
        if len(objects) == 1:
            found = found[1] if len(found) == 2 else tuple(found[1:])
        if isinstance(x, Mapping) and not isinstance(found, Mapping):
            found = dict(zip(x, found if isinstance(found, tuple | list) else (found,), strict=False))
        return found

    return cost, gradient


def _verdict(check: ArrayCheck) -> Verdict:
    verdict = VERDICTS[check.verdict]
    name = f"d{check.name}"
    cause = UNKNOWN if verdict == WRONG else ""
    return Verdict(
        name, 0, name, verdict, cause, (), "", (), check.error, check.bound, check.ratio, check.shape, check.shape,
        f"{name} holds." if verdict == HOLDS else f"{check}.",
    )  # fmt: skip
