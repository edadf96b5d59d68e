"""Calls the functions of a person's file, in a process of its own: see parity_tests.apart."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from parity_tests.apart.worker import imported, sentence


def main(path: str, request: str, answer: str) -> dict[str, Any]:
    """Call every requested function that the file has, on each probe.

    By function: how many outputs each probe gave, or the sentence of the exception and its line.
    """
    module = imported(path)
    calls: dict[str, dict[int, dict[str, Any]]] = {}
    with np.load(request, allow_pickle=False) as stored:
        for key in stored.files:
            name, number, argument = key.split("/")
            value = stored[key]
            calls.setdefault(name, {}).setdefault(int(number), {})[argument] = value[()] if value.ndim == 0 else value
    arrays: dict[str, Any] = {}
    functions: dict[str, list[dict[str, Any]]] = {}
    for name, probes in calls.items():
        function = getattr(module, name, None)
        if not callable(function):
            continue
        functions[name] = []
        for number, arguments in sorted(probes.items()):
            try:
                outputs = as_arrays(called(function, arguments))
            except BaseException as error:
                functions[name].append({"outputs": 0, "problem": sentence(error, path)})
                continue
            arrays |= {f"{name}/{number}/{place}": value for place, value in enumerate(outputs)}
            functions[name].append({"outputs": len(outputs), "problem": ""})
    np.savez(answer, allow_pickle=False, **arrays)
    return {"functions": functions}


def called(function: Any, arguments: dict[str, Any]) -> Any:
    """The function's value: its arguments by name where it has these names, else in their order."""
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return function(*arguments.values())
    return function(**arguments) if arguments.keys() <= parameters.keys() else function(*arguments.values())


def as_arrays(value: Any) -> list[Any]:
    """The outputs in order: of a tuple, a list, a dict's values, or the one value."""
    if isinstance(value, dict):
        value = tuple(value.values())
    outputs = list(value) if isinstance(value, tuple | list) else [value]
    arrays = [np.asarray(each) for each in outputs]
    for array in arrays:
        if array.dtype.kind not in "fiub":
            raise TypeError(f"returned {array.dtype}, expected numbers")
    return arrays
