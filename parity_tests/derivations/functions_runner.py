"""Runs a person's file in a process of its own: FILE.py REQUEST.npz ANSWER.npz. Imports nothing of this project.

Prints one line of JSON: by function, how many outputs each probe gave, or the sentence of the exception and its line.
"""

from __future__ import annotations

import contextlib
import importlib.util
import inspect
import io
import json
import sys
import traceback
from pathlib import Path
from typing import Any

import numpy as np


def main(path: str, request: str, answer: str) -> dict[str, Any]:
    """Call every requested function that the file has."""
    sys.path.insert(0, str(Path(path).parent))
    spec = importlib.util.spec_from_file_location("given", path)
    if spec is None or spec.loader is None:
        return {"problem": "it is not a Python file"}
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        return {"problem": sentence(error, path)}
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


def sentence(error: BaseException, path: str) -> str:
    """The exception in one line, with the line of the person's file where it came from."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    if isinstance(error, SyntaxError):
        lines = [error.lineno]
    place = f" in line {lines[-1]}" if lines else ""
    text = str(error).splitlines()[0] if str(error) else ""
    return f"raised {type(error).__name__}{place}: {text}"


if __name__ == "__main__":
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):  # what the person's file prints is not the report
        report = main(*sys.argv[1:])
    print(json.dumps(report))
