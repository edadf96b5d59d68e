"""A torch module of the user's against ``manual``: read back, its parameters copied, every layer compared.

The data are as torch takes them: X has an example in every row, (m, n), or images (m, n_C, n_H, n_W); Y has class
numbers (m,), or a row of targets for every example.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor, nn

from manual.architecture_json import from_json
from manual.checks import check_data
from manual.draws import dropout_masks
from manual.notation import Array
from parity_tests.apart import GIB, Limits, run_apart
from parity_tests.comparison.models import ModelCase, Start
from parity_tests.comparison.snap import run_once
from parity_tests.derivations.own.dumps import read as read_npz
from parity_tests.formulas.case import LAMBDA
from parity_tests.formulas.run import generator
from parity_tests.judging.judge import Result
from torch_ref.devices import array
from torch_ref.reading import Reading, read

SECONDS = 60
"""How long a person's file may run; importing torch is part of it."""

MEMORY = 8 * GIB
"""What it may use: a module can be large."""

RUNNER = "parity_tests.comparison.module_runner"


class Own(NamedTuple):
    """A module that was read, with its data in the notes' layout, in float64."""

    name: str
    data: str
    reading: Reading
    X: Array
    Y: Array

    def describe(self) -> str:
        """What was read, in sentences."""
        net = self.reading.architecture
        output = f"; it ends in logits, and Y looks like {net.output_unit}" if self.reading.logits else ""
        about = f"{self.name}: {net.describe()}{output}, {self.Y.shape[1]} examples"
        return "\n".join([about, *self.reading.remarks])


def own_module(module: nn.Module, X: Any, Y: Any, output: str | None = None) -> Own:
    """A module and its data. ``output`` is the output unit where the module ends in logits; default: what Y looks like.

    Raises ValueError for a module that cannot be read, and for data that do not fit.
    """
    if not isinstance(module, nn.Module):
        raise ValueError(f"module is {type(module).__name__}, expected an nn.Module")
    X, Y = _numbers("X", X), _numbers("Y", Y)
    return _fitted("module", "X, Y", read(module, _shape(X)), X, Y, output)


def own_file(where: str, data: Path, output: str | None = None) -> Own:
    """The module that ``FILE.py:NAME`` names, and the X and Y of a .npz. The file is run, apart and for SECONDS.

    Raises ValueError for files that cannot be used, and as own_module does.
    """
    path, name = Path(where.rpartition(":")[0]), where.rpartition(":")[2]
    if path.suffix != ".py" or not name.isidentifier():
        raise ValueError(f"module is {where!r:.80}, expected FILE.py:NAME: the file and the module's name in it")
    for file in (path, data):
        if not file.is_file():
            raise ValueError(f"{file} is not there, expected a file")
    given = {key.upper(): value for key, value in read_npz(data).items()}
    if not {"X", "Y"} <= given.keys():
        raise ValueError(f"{data.name} has {', '.join(given) or 'nothing'}, expected X and Y")
    X, Y = _numbers("X", given["X"]), _numbers("Y", given["Y"])
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "answer.npz")
        shape = ",".join(str(size) for size in _shape(X))
        described = run_apart(
            path, RUNNER, [name, shape, str(answer)], Limits(SECONDS, memory=MEMORY, file=MEMORY), Path(folder)
        )
        params = read_npz(answer)
    architecture = from_json(described["architecture"])
    reading = Reading(architecture, params, described["logits"], described["training"], tuple(described["remarks"]))
    return _fitted(f"{path.name}:{name}", data.name, reading, X, Y, output)


def compare_own(own: Own, dtypes: Sequence[str], device: str = "cpu", seed: int = 0) -> list[Result]:
    """Forward, cost without and with L2, and backward, compared at every node, for each dtype.

    Where the module is in training and has dropout, masks are drawn from the seed and both sides get them.
    """
    net, params = own.reading.architecture, own.reading.params
    results: list[Result] = []
    for dtype in dtypes:
        kind = np.dtype(dtype).type
        rng = generator(own.name, seed)
        masks = dropout_masks(net, own.Y.shape[1], rng, kind) if own.reading.training else None
        cast = {name: value.astype(kind) for name, value in params.items()}
        begin = Start(net, cast, own.X.astype(kind), own.Y.astype(kind), masks)
        for lambda_ in (0.0, LAMBDA):
            results += run_once(ModelCase(own.name, own.data, lambda_, 0.0, 1), begin, device)
    return results


def _numbers(name: str, value: Any) -> Array:
    """A person's array or tensor in float64."""
    found = array(value) if isinstance(value, Tensor) else np.asarray(value)
    if found.dtype.kind not in "fiub":
        raise ValueError(f"{name} has dtype {found.dtype}, expected real numbers")
    if found.ndim == 0 or found.size == 0:
        raise ValueError(f"{name} has shape {found.shape}, expected an example in every row")
    return found.astype(np.float64)


def _shape(X: Array) -> tuple[int, ...]:
    """The shape of one example as the module sees it: (n,), (n_C, n_H, n_W), or what nn.Flatten makes a column of."""
    return X.shape[1:] if X.ndim in (2, 4) else (int(np.prod(X.shape[1:])),)


def _fitted(name: str, data: str, reading: Reading, X: Array, Y: Array, output: str | None) -> Own:
    """Everything in the notes' layout, checked."""
    if len(X) != len(Y):
        raise ValueError(f"X has {len(X)} rows and Y {len(Y)}, expected one of each for every example")
    net = reading.architecture
    if output is not None or reading.logits:
        reading = reading.with_output(output or unit_for(Y, net.outputs))
        net = reading.architecture
    X = np.moveaxis(X, 1, -1) if X.ndim == 4 else X.reshape(len(X), -1).T
    X, Y = np.ascontiguousarray(X), targets(Y, net.output_unit, net.outputs)
    check_data(net, X, Y)
    return Own(name, data, reading, X, Y)


def unit_for(Y: Array, outputs: int) -> str:
    """The output unit whose targets look like Y: class numbers and one-hot rows are softmax's, other 0 and 1 sigmoid's.

    Anything else is a regression: identity.
    """
    labels = bool(np.isin(Y, (0, 1)).all())
    if outputs > 1 and Y.ndim == 1:
        return "softmax"
    if labels and outputs > 1 and (Y.sum(axis=1) == 1).all():
        return "softmax"
    return "sigmoid" if labels else "identity"


def targets(Y: Array, unit: str, outputs: int) -> Array:
    """Y as (n_L, m); class numbers become one-hot columns.

    Raises ValueError for numbers that are no classes, and for another number of targets than outputs.
    """
    rows = Y.reshape(len(Y), -1)
    if unit == "softmax" and rows.shape[1] == 1 and outputs > 1:
        wrong = (rows != np.floor(rows)) | (rows < 0) | (rows >= outputs)
        if wrong.any():
            example = int(np.argmax(wrong))
            raise ValueError(f"Y is {rows[example, 0]} at example {example}, expected a class from 0 to {outputs - 1}")
        return np.eye(outputs)[:, rows[:, 0].astype(np.intp)]
    if rows.shape[1] != outputs:
        raise ValueError(f"Y has {rows.shape[1]} targets in a row, expected {outputs}: the module has so many outputs")
    return np.ascontiguousarray(rows.T)
