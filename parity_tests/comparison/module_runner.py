"""Reads a torch module of a person's file, in a process of its own: see parity_tests.apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import nn

from manual.architecture_json import to_json
from parity_tests.apart.worker import imported
from torch_ref.reading import read


def main(path: str, name: str, shape: str, answer: str) -> dict[str, Any]:
    """Run the file, take the module by its name, or what a function of that name gives, and read it.

    The architecture and what else was read, or a sentence; the parameters go into the answer.
    """
    found = getattr(imported(path), name, None)
    if callable(found) and not isinstance(found, nn.Module):
        found = found()
    if not isinstance(found, nn.Module):
        return {"problem": f"{name} is {type(found).__name__}, expected an nn.Module, or a function that gives one"}
    try:
        reading = read(found, [int(size) for size in shape.split(",")])
    except ValueError as error:
        return {"problem": f"{name} cannot be read: {error}"}
    np.savez(answer, allow_pickle=False, **reading.params)
    return {**reading._asdict(), "architecture": to_json(reading.architecture), "params": None}
