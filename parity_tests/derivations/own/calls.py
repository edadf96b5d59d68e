"""Functions of a person's file, called apart: arrays go in and come back as plain .npz files."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from parity_tests.apart import Limits, run_apart

SECONDS = 20
RUNNER = "parity_tests.derivations.own.functions_runner"


class Request(NamedTuple):
    """What the process that calls a function must know, and the symbols' values, once for every call."""

    fields: dict[str, Any]
    values: Sequence[Mapping[str, Any]]


class Call(NamedTuple):
    """What one call gave: the values by their names in the file, and the symbols it was given, or why it gave none."""

    names: list[str]
    values: list[Any]
    given: list[str]
    problem: str
    fits: bool


class Answer(NamedTuple):
    """What a function is called like in its file, and its calls: a list for each set of values, an entry a layout."""

    signature: str
    calls: list[list[Call]]


def called(path: Path, requests: Mapping[str, Sequence[Request]]) -> dict[str, list[Answer]]:
    """The answers of those functions that the file has, one for each request.

    The file runs in a process of its own, for at most SECONDS. Raises ValueError where it cannot be run.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        request, numbers, answer = (Path(folder, name) for name in ("request.json", "numbers.npz", "answer.npz"))
        fields = {
            name: [{**each.fields, "trials": len(each.values)} for each in several]
            for name, several in requests.items()
        }
        request.write_text(json.dumps(fields), encoding="utf-8")
        np.savez(numbers, allow_pickle=False, **_inputs(requests))
        said = run_apart(path, RUNNER, [str(request), str(numbers), str(answer)], Limits(SECONDS), Path(folder))
        with np.load(answer, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
    return {
        name: [
            Answer(each["signature"], _calls(arrays, f"{name}/{place}/", each["trials"]))
            for place, each in enumerate(several)
        ]
        for name, several in said["functions"].items()
    }


def _inputs(requests: Mapping[str, Sequence[Request]]) -> dict[str, Any]:
    """The values of every call, by function, request, call and symbol."""
    return {
        f"{name}/{place}/{number}/{symbol}": np.asarray(value)
        for name, several in requests.items()
        for place, request in enumerate(several)
        for number, values in enumerate(request.values)
        for symbol, value in values.items()
    }


def _calls(arrays: Mapping[str, Any], start: str, trials: Sequence[Any]) -> list[list[Call]]:
    return [
        [
            Call(
                each["names"],
                [arrays[f"{start}{number}/{way}/{leaf}"] for leaf in range(len(each["names"]))],
                each["given"],
                each["problem"],
                each["fits"],
            )
            for way, each in enumerate(ways)
        ]
        for number, ways in enumerate(trials)
    ]
