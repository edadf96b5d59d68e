"""Calls the functions of a person's file, in a process of its own: see parity_tests.apart."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np

from parity_tests.apart.worker import imported, sentence

Values = dict[str, Any]
"""Values by symbol."""

ROWS, CHANNELS_FIRST = "rows", "channels first"
"""Layouts beside the notes': examples in rows, and volumes (m, n_C, n_H, n_W) with filters (n_C, n_C_prev, f, f)."""

LARGEST = 10_000_000
"""The most entries of an array that is handed back."""

FORWARD = "forward"
"""The name of what the forward pass returned, where it is asked for."""

CACHE = frozenset({"cache", "caches", "linearcache", "activationcache", "currentcache", "memory", "stored"})
"""Parameters that stand for what the forward pass kept."""


def main(path: str, request: str, numbers: str, answer: str) -> dict[str, Any]:
    """Call every requested function that the file has, on each probe and in every way that fits its parameters.

    By function and task: for each probe what it returned, as names and arrays in the answer's file, or the sentence of
    its exception; or why it could not be called.
    """
    module = imported(path)
    tasks = json.loads(Path(request).read_text(encoding="utf-8"))
    arrays: dict[str, Any] = {}
    found: dict[str, list[dict[str, Any]]] = {}
    with np.load(numbers, allow_pickle=False) as stored:
        values = {key: stored[key].item() if stored[key].ndim == 0 else stored[key] for key in stored.files}
    for name, asked in tasks.items():
        function = getattr(module, name, None)
        if not callable(function) or isinstance(function, type):
            continue
        found[name] = []
        for place, task in enumerate(asked):
            trials = []
            for number in range(task["trials"]):
                start = f"{name}/{place}/{number}/"
                here = {key.removeprefix(start): value for key, value in values.items() if key.startswith(start)}
                here |= {name: here[name].tolist() for name in task["lists"] if name in here}
                calls: list[dict[str, Any]] = []
                for layout in task["layouts"]:
                    said = attempt(module, function, task, arranged(here, layout), path)
                    for leaf, value in enumerate(said.pop("values")):
                        arrays[f"{start}{len(calls)}/{leaf}"] = value
                    calls.append(said)
                trials.append(calls)
            found[name].append({"trials": trials, "signature": signature_of(name, function)})
    np.savez(answer, allow_pickle=False, **arrays)
    return {"functions": found}


def arranged(values: Values, layout: str) -> Values:
    """The values in another layout: every matrix turned over, or every volume and filter with its channels first."""
    if layout == ROWS:
        return {name: value.T.copy() if np.ndim(value) == 2 else value for name, value in values.items()}
    if layout == CHANNELS_FIRST:
        return {name: channels_first(name, value) if np.ndim(value) == 4 else value for name, value in values.items()}
    return values


def channels_first(name: str, value: Any) -> Any:
    """A volume, the filters or the biases of a convolution with the channels first."""
    if name == "b":
        return value.ravel()
    return np.transpose(value, (3, 2, 0, 1) if name == "W" else (0, 3, 1, 2)).copy()


def attempt(module: Any, function: Any, task: Mapping[str, Any], values: Values, path: str) -> dict[str, Any]:
    """The first way of calling the function that raises nothing: what it returned, and the symbols it was given.

    Else the sentence of the first way's exception, or the reason why no way fits.
    """
    problem, fits = "", False
    for cache, forward in ((None, ()), *caches(module, task, values)):
        bound = bind(function, task, values, cache)
        if bound is None:
            continue
        fits = True
        arguments, keywords, given = bound
        try:
            leaves = list(flattened(function(*deepcopy(arguments), **deepcopy(keywords))))
            leaves += [(FORWARD, value) for value in forward] if task.get("with_forward") else []
            names, numbers = [name for name, _ in leaves], [as_array(value) for _, value in leaves]
            return {"names": names, "values": numbers, "given": given, "problem": "", "fits": True}
        except BaseException as error:
            problem = problem or sentence(error, path)
    return {"names": [], "values": [], "given": [], "problem": problem, "fits": fits}


def caches(module: Any, task: Mapping[str, Any], values: Values) -> Iterator[tuple[Any, Sequence[Any]]]:
    """What the forward pass may have kept, and what it returned beside: the file's own, else what people keep."""
    anything = {**task, "optional": task["order"]}  # what the backward pass needs is not what the forward pass does
    for name in task["forwards"]:
        forward: Any = getattr(module, name, None)
        bound = bind(forward, anything, values, None) if callable(forward) else None
        if bound is None:
            continue
        try:
            returned = forward(*deepcopy(bound[0]), **deepcopy(bound[1]))
        except BaseException:
            continue
        if isinstance(returned, tuple) and len(returned) > 1:
            yield returned[-1], [value for _, value in flattened(returned[:-1])]
    for template in task["caches"]:
        yield filled(template, task, values), ()


def filled(template: Any, task: Mapping[str, Any], values: Values) -> Any:
    """A cache by its template: a symbol, a bundle's name, a list for a tuple, or a dict."""
    if isinstance(template, list):
        return tuple(filled(each, task, values) for each in template)
    if isinstance(template, dict):
        return {key: filled(each, task, values) for key, each in template.items()}
    if template in task["bundles"]:
        return {key: values[symbol] for key, symbol in task["bundles"][template].items()}
    return values[template]


def bind(
    function: Any, task: Mapping[str, Any], values: Values, cache: Any
) -> tuple[list[Any], Values, list[str]] | None:
    """The arguments of a call, by the parameters' names or else by their order, and the symbols that were given.

    None where there is no way: a parameter that is not known, a cache that is not there, or a symbol that the result
    depends on and no parameter takes.
    """
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None
    if any(each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD) for each in parameters):
        parameters = [each for each in parameters if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]
    arguments: list[Any] = []
    keywords: Values = {}
    given: list[str] = []
    held: set[str] = set()  # what is given inside of dicts
    for each in parameters:
        name = normal(each.name)
        symbol = task["names"].get(each.name) or task["names"].get(name)
        if name in CACHE and task["caches"]:
            if cache is None:
                return None
            value: Any = cache
        elif name in task["bundles"]:
            value = filled(name, task, values)
            held |= {name, *task["bundles"][name].values()}
        elif symbol in values:
            value = values[symbol]
            given.append(symbol)
        elif each.default is not each.empty:
            continue
        else:
            return in_order(parameters, task, values) if cache is None else None
        if each.kind == each.KEYWORD_ONLY or keywords or len(arguments) != parameters.index(each):
            keywords[each.name] = value
        else:
            arguments.append(value)
    required = {symbol for symbol in task["order"] if symbol not in task["optional"]}
    return (arguments, keywords, given) if cache is not None or required <= {*given, *held} else None


def in_order(
    parameters: Sequence[inspect.Parameter], task: Mapping[str, Any], values: Values
) -> tuple[list[Any], Values, list[str]] | None:
    """The arguments in the public function's order, where there are as many without a default as it needs or takes, and
    no name says otherwise.
    """
    needed = [each for each in parameters if each.default is each.empty]
    order = task["order"]
    required = [symbol for symbol in order if symbol not in task["optional"]]
    given = order[: len(needed)]
    if any(each.kind == each.KEYWORD_ONLY for each in needed) or len(needed) > len(order) or set(required) - set(given):
        return None
    if any(normal(each.name) in CACHE or normal(each.name) in task["bundles"] for each in needed):
        return None
    meant = [task["names"].get(each.name) or task["names"].get(normal(each.name)) for each in needed]
    if any(symbol not in (None, place) for symbol, place in zip(meant, given, strict=True)):
        return None  # another order, of which only some names are known
    return [filled(symbol, task, values) for symbol in given], {}, list(given)


def flattened(value: Any) -> Iterator[tuple[str, Any]]:
    """The arrays and numbers in what a function returned, with the keys of dicts; what it cached is left out."""
    fields = getattr(value, "_fields", None)
    if isinstance(value, dict):
        yield from ((str(key), each) for key, each in value.items() if is_number(each))
    elif fields is not None:
        yield from ((name, each) for name, each in zip(fields, value, strict=True) if is_number(each))
    elif isinstance(value, tuple | list) and not is_number(value):
        for each in value:
            if isinstance(each, dict):
                yield from flattened(each)
            elif is_number(each) and not isinstance(each, tuple):
                yield "", each
    else:
        yield "", value


def is_number(value: Any) -> bool:
    """Whether a value is an array, a number, or a list that NumPy makes one of."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(each, int | float | list) for each in value)
    return not isinstance(value, dict | tuple | str | bytes | type(None)) and hasattr(np.asarray(value), "dtype")


def as_array(value: Any) -> Any:
    """The value as an array of numbers; TypeError for anything else."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"returned {array.dtype}, expected numbers")
    if array.size > LARGEST:
        raise TypeError(f"returned an array of shape {array.shape}")
    return array


def normal(name: str) -> str:
    """A parameter's name without case and underscores."""
    return name.replace("_", "").lower()


def signature_of(name: str, function: Callable[..., Any]) -> str:
    """How a function is called, as it is written in the file."""
    try:
        return f"{name}{inspect.signature(function)}"
    except (TypeError, ValueError):
        return name
