"""The ``predict`` command that both packages share: what a trained network says of a file's examples. No formula."""

from __future__ import annotations

import argparse
import csv
import io
import math
import os
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np

from manual.architecture import Architecture
from manual.files import Saved, load, load_about, replace_file
from manual.notation import Array, Parameters
from manual.shared.cli import GOOD, UsageError, door, output_flags, toy_datasets
from manual.shared.settings import score_of

AT_ONCE = 1000
"""Examples that go through the network together."""

HALF = 0.5
"""A label is there, and a class the second of two, where its probability is above this."""

Answer: TypeAlias = Callable[[Array], Array]
"""X, as the network takes it, to A[L]."""


def configure(parser: argparse.ArgumentParser, program: str) -> None:
    """Give the parser its flags."""
    parser.description = (
        "Says what a trained network answers for the examples of a file: classes, labels or values.\n"
        "The columns of a .csv are found by their names, in any order. A target column is left aside, and scored."
    )
    parser.epilog = f"""examples:
  {program} train --data patients.csv --target outcome --save patients.safetensors
  {program} predict patients.safetensors new.csv
  {program} predict patients.safetensors new.csv --probabilities --out predicted.csv
  {program} predict mnist.safetensors mnist.npz             its test part, with the accuracy
  {program} predict mnist.safetensors X.npy --target Y.npy --quiet

exit code: 0 good, 2 bad usage
"""
    parser.add_argument("model", metavar="MODEL.safetensors", help="what train --save wrote, in either package")
    parser.add_argument("data", metavar="DATA", help="a .csv with a header, a .npz with X, or a .npy")
    target = "the target, where it is called otherwise than in training: a column, or several; an array; a .npy"
    parser.add_argument("--target", metavar="NAME", help=target)
    parser.add_argument("--probabilities", action="store_true", help="those of all classes, or labels, too")
    parser.add_argument("--out", metavar="FILE.csv", help="write the predictions there instead")
    output_flags(parser, "the table")


def run(args: argparse.Namespace, answers: Callable[[Architecture, Parameters], Answer]) -> int:
    """Read the network and the examples, predict, print."""
    saved = cast(Saved, door(load, args.model))
    datasets = toy_datasets()
    preparation = _preparation(args, saved, datasets)
    if args.out:
        _check_place(args)
    examples: Any = door(datasets.examples_from, args.data, preparation, args.target)
    A_L = cast(Array, door(_outputs, saved, answers(saved.architecture, saved.params), examples, preparation))
    found = _predicted(A_L, preparation)
    score = _score(found, examples.Y, preparation)
    if args.json:
        args.work.json(_as_json(args, found, examples, preparation, score))
    _write(args, _table(found, examples, preparation, args.probabilities, exact=bool(args.out)))
    if not args.json:
        print(_closing(score, examples))
        if args.out:
            print(f"predictions written to {args.out}")
    return GOOD


class Predicted(NamedTuple):
    """What a network answers: the numbers of classes, labels of 0 and 1, or values; and its probabilities."""

    answers: Array  # (m,) of classes, (n_L, m) of labels and values
    probabilities: Array  # (number of classes or labels, m); none for values
    digits: int  # that a number has


class Score(NamedTuple):
    """How good the answers are, by the targets that were there."""

    name: str
    value: float
    unknown: int  # examples of a class that the network does not know


def _preparation(args: argparse.Namespace, saved: Saved, datasets: Any) -> Any:
    """What was done to the data that the network was trained on.

    Raises UsageError where the file does not say it, or says it of another network.
    """
    about = cast("dict[str, str]", door(load_about, args.model))
    if not about.get("preparation"):
        rule = "expected a file that train --save wrote: it says which features, scales and classes there were"
        raise UsageError(f"{args.model} has parameters alone, {rule}")
    found: Any = door(datasets.Preparation.from_json, about["preparation"])
    net = saved.architecture
    inputs = found.image_shape if isinstance(net.inputs, tuple) else len(found.feature_names)
    outputs = 1 if found.task == "binary" else len(found.target_names)
    if (inputs, outputs) != (net.inputs, net.outputs):
        here = f"the network of {args.model} has inputs {net.inputs} and {net.outputs} outputs"
        raise UsageError(f"{here}, expected {inputs} and {outputs}, as its data had")
    if args.probabilities and found.task == "regression":
        raise UsageError("--probabilities is given, expected classes or labels: a regression answers with values")
    return found


def _check_place(args: argparse.Namespace) -> None:
    """UsageError unless the predictions can be written to a file of their own."""
    folder = os.path.dirname(os.path.abspath(args.out))
    if not args.out.lower().endswith(".csv"):
        raise UsageError(f"out is {args.out!r:.80}, expected a name that ends in .csv")
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK):
        raise UsageError(f"out is {args.out!r:.80}, expected a folder that can be written to")
    if os.path.exists(args.out) and os.path.exists(args.data) and os.path.samefile(args.out, args.data):
        raise UsageError(f"out is {args.out!r:.80}, expected another file than the data")


def _outputs(saved: Saved, answer: Answer, examples: Any, preparation: Any) -> Array:
    """A[L] of all examples, (n_L, m), some at a time.

    Raises ValueError for an answer that is not finite.
    """
    dtype, shape = saved.params["W1"].dtype, saved.architecture.inputs
    parts = []
    with np.errstate(over="ignore", invalid="ignore"):
        for X in examples.scaled(preparation, dtype, AT_ONCE):
            parts.append(answer(X.T.reshape(-1, *shape) if isinstance(shape, tuple) else X))
    A_L = np.concatenate(parts, axis=1)
    good = np.isfinite(A_L).all(axis=0)
    if not good.all():
        where = f"{examples.place} {examples.places[int(np.argmin(good))]}"
        raise ValueError(f"the answer for {where} is not finite, expected examples on the scale of the training")
    return A_L


def _predicted(A_L: Array, preparation: Any) -> Predicted:
    """The answers that A[L] stands for."""
    digits = 9 if A_L.dtype == np.float32 else 17
    if preparation.task == "regression":
        return Predicted(preparation.values(A_L), A_L[:0], digits)
    if preparation.task == "multilabel":
        return Predicted((A_L > HALF).astype(int), A_L, digits)
    if preparation.task == "binary":
        return Predicted((A_L[0] > HALF).astype(int), np.concatenate([1 - A_L, A_L]), digits)
    return Predicted(A_L.argmax(axis=0), A_L, digits)


def _score(found: Predicted, Y: Array | None, preparation: Any) -> Score | None:
    """Accuracy, or R2 of a regression; None without targets."""
    if Y is None:
        return None
    if preparation.labels:
        return Score("accuracy", float(np.mean(found.answers == Y)), int(np.sum(Y == -1)))
    if preparation.task == "multilabel":
        return Score("accuracy", float(np.mean(found.answers == Y.T)), 0)
    return Score("R2", score_of("identity", found.answers, Y.T), 0)


def _columns(found: Predicted, preparation: Any) -> tuple[list[str], list[list[Any]]]:
    """The answers by the names of their columns: a class by its name, labels as 0 and 1, values."""
    if preparation.labels:
        names = preparation.target_names
        return [(*preparation.targets, "class")[0]], [[names[k] for k in found.answers.tolist()]]
    return list(preparation.target_names), _rounded(found.answers, found.digits)


def _rounded(values: Array, digits: int) -> list[list[Any]]:
    """Numbers with so many digits; whole ones as they are."""
    if values.dtype.kind == "i":
        return cast("list[list[Any]]", values.tolist())
    return [[float(f"{value:.{digits}g}") for value in row] for row in values.tolist()]


def _table(
    found: Predicted, examples: Any, preparation: Any, probabilities: bool, *, exact: bool
) -> tuple[list[str], list[list[str]]]:
    """Names and columns, as text: every digit where ``exact``, else as many as a person reads."""
    names, columns = _columns(found, preparation)
    if probabilities:
        names += [f"p({name})" for name in preparation.target_names]
        columns += _rounded(found.probabilities, found.digits if exact else 4)
    shown = repr if exact else "{:.6g}".format
    text = [[shown(value) if isinstance(value, float) else str(value) for value in column] for column in columns]
    return [examples.place, *names], [[str(place) for place in examples.places], *text]


def _write(args: argparse.Namespace, table: tuple[list[str], list[list[str]]]) -> None:
    """The table, into the file that was asked for, or on stdout in columns.

    Raises UsageError where the file cannot be written.
    """
    names, columns = table
    if args.out:
        text = io.StringIO(newline="")
        csv.writer(text).writerows([names, *zip(*columns, strict=True)])
        replace_file(Path(args.out), text.getvalue().encode())
    elif not (args.json or args.quiet):
        widths = [max(map(len, chain([name], column))) for name, column in zip(names, columns, strict=True)]
        for row in chain([names], zip(*columns, strict=True)):
            print(_line(row, widths))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Cells below each other, the first one to the right."""
    first, *rest = (f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
    return "  ".join([f"{first.strip():>{widths[0]}}", *rest]).rstrip()


def _closing(score: Score | None, examples: Any) -> str:
    """What was predicted, and how well."""
    m = len(examples.X)
    counted = f"{m} example{'s' if m > 1 else ''}"
    if score is None:
        return f"{counted}; no score: {examples.remark}" if examples.remark else counted
    unknown = f", {score.unknown} of a class that the network does not know" if score.unknown else ""
    return f"{score.name} {score.value:.4f} on {counted}{unknown}"


def _as_json(
    args: argparse.Namespace, found: Predicted, examples: Any, preparation: Any, score: Score | None
) -> dict[str, Any]:
    """Plain data; a number that JSON lacks becomes None."""
    names, columns = _columns(found, preparation)
    answers = (
        columns[0] if len(names) == 1 else [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    )
    predictions = [
        {examples.place: place, "predicted": answer} for place, answer in zip(examples.places, answers, strict=True)
    ]
    if args.probabilities:
        rows = zip(*_rounded(found.probabilities, found.digits), strict=True)
        for prediction, row in zip(predictions, rows, strict=True):
            prediction["probabilities"] = dict(zip(preparation.target_names, row, strict=True))
    told = None
    if score is not None:
        told = {
            **score._asdict(),
            "value": score.value if math.isfinite(score.value) else None,
            "examples": len(examples.X),
        }
    return {
        "model": args.model,
        "data": args.data,
        "task": preparation.task,
        "predictions": predictions,
        "score": told,
        "remark": examples.remark,
    }
