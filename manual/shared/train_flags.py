"""What the flags of ``train`` ask for: data, network, settings. Bad usage is one plain sentence. No formula is here."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from typing import Any, NamedTuple, cast

import numpy as np

from manual.architecture import MODELS, Architecture, Dense, Layer, model_for
from manual.checks import Parts, parts
from manual.layer_words import layers_from, with_dropout
from manual.notation import Array
from manual.shared.class_weights import by_class, weights_named
from manual.shared.cli import UsageError, door, output_flags, toy_datasets
from manual.shared.settings import Data, Examples, Settings, WeightedExamples

OUTPUT_UNITS = {"binary": "sigmoid", "multilabel": "sigmoid", "multiclass": "softmax", "regression": "identity"}
"""The output unit that a task asks for."""

DECAYS = ("constant", "exponential", "inverse_time", "staircase", "cosine")


class Subject(NamedTuple):
    """What is trained: the data by name, its parts as the network takes them, and the network.

    ``preparation`` is JSON: what was done to the data, for ``predict``.
    """

    name: str
    task: str
    target_names: tuple[str, ...]
    parts: Parts
    architecture: Architecture
    preparation: str = ""


def epilog(program: str, more: str = "") -> str:
    """Examples for --help."""
    return f"""examples:
  {program} train                                     digits, two hidden layers of 64
  {program} train --model convnet                     a convolutional network on the same images
  {program} train --dataset moons --hidden 16,16 --epochs 100 --lambda 0.01
  {program} train --dataset digits --layers "conv8x3 pool2 flatten dense32 tanh dense10"
  {program} train --data patients.csv --target outcome --hidden 32 --patience 10
  {program} train --data mnist.npz --checkpoint run1 --save mnist.safetensors
  {program} train --data mnist.npz --checkpoint run1 --resume
  {program} train --data patients.csv --target outcome --save patients.safetensors
  {program} predict patients.safetensors new.csv      what the trained network says of other examples
{more}
exit code: 0 good, 1 the cost exploded (the history is kept), 2 bad usage
"""


class Flag(NamedTuple):
    """A flag and what argparse is told of it; ``text`` ends with the default, where there is one."""

    name: str
    text: str
    options: dict[str, Any]


def flag(name: str, text: str, **options: Any) -> Flag:
    """A row of the table."""
    return Flag(name, text, options)


FLAGS: dict[str, tuple[Flag, ...]] = {
    "data": (
        flag("--dataset", "a set by name, such as digits, moons, mnist; default: digits", metavar="NAME"),
        flag("--data", "your own .csv, .npz or .npy instead", metavar="FILE"),
        flag(
            "--target",
            "the target column of a .csv, several with commas between; the array of an .npz; the file of an .npy",
            metavar="NAME",
        ),
        flag("--task", "what the targets are; default: what they look like", choices=tuple(OUTPUT_UNITS)),
    ),
    "network": (
        flag("--model", f"{', '.join(MODELS)}; default: two hidden layers of 64", metavar="NAME"),
        flag("--hidden", "hidden dense layers, such as 64,64", metavar="SIZES"),
        flag("--layers", 'all layers, such as "conv8x3 pool2 flatten dense10"', metavar="WORDS"),
        flag(
            "--keep-prob",
            "of the dropout after hidden dense layers, 1 for none; default: 0.8, with --layers 1",
            type=float,
            metavar="P",
        ),
    ),
    "training": (
        flag(
            "--optimizer",
            "gradient_descent, momentum, rmsprop, adam, classical_momentum, nesterov, adamw; default: adam",
            default="adam",
            metavar="NAME",
        ),
        flag("--learning-rate", "default: 0.003", type=float, default=0.003, metavar="ALPHA"),
        flag(
            "--decay",
            f"of the learning rate: a number such as 0.9 for each epoch, or {', '.join(DECAYS)}; default: cosine",
            default="cosine",
            metavar="NAME",
        ),
        flag("--epochs", "default: 40", type=int, default=40),
        flag("--batch-size", "default: 32", type=int, default=32, metavar="M"),
        flag(
            "--lambda",
            "of the L2 penalty, divided by each batch's m; default: 0",
            dest="lambda_",
            type=float,
            default=0.0,
        ),
        flag(
            "--class-weight",
            "balanced, or weights by class such as ill=3,well=1: an example counts by its class; default: all alike",
            metavar="WEIGHTS",
        ),
        flag("--clip", "shorten longer gradients to this", type=float, metavar="NORM"),
        flag(
            "--patience",
            "stop after so many epochs without a better score on a tenth of the training part, and go back to the best",
            type=int,
            metavar="EPOCHS",
        ),
        flag("--seed", "of all that is drawn: split, weights, batches, masks; default: 0", type=int, default=0),
        flag("--dtype", "default: float32", choices=("float32", "float64"), default="float32"),
    ),
    "files": (
        flag("--checkpoint", "keep all that a run needs to go on, after every epoch", metavar="DIR"),
        flag("--resume", "go on from the checkpoint, bit for bit", action="store_true"),
        flag("--save", "write the parameters to a .safetensors file", metavar="FILE"),
    ),
}
"""The flags that both packages take, by the group that --help shows them in."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the parser the flags."""
    add_groups(parser, *FLAGS)
    output_flags(parser, "the history and the report, a line each")


def add_groups(parser: argparse.ArgumentParser, *titles: str, without: Collection[str] = ()) -> None:
    """Give the parser the groups of these titles, some flags left out."""
    for title in titles:
        group = parser.add_argument_group(title)
        add_flags(group, *(each.name for each in FLAGS[title] if each.name not in without))


def add_flags(group: argparse._ArgumentGroup, *names: str) -> None:
    """Give a group the flags of these names, which mean there what they mean to ``train``."""
    rows = {each.name: each for flags in FLAGS.values() for each in flags}
    for name in names:
        group.add_argument(name, help=rows[name].text, **rows[name].options)


def subject_of(args: argparse.Namespace) -> Subject:
    """Data and network that the flags ask for.

    Raises UsageError where they cannot be had.
    """
    datasets = toy_datasets()
    if args.data and args.dataset:
        raise UsageError("--data and --dataset are both given, expected one of them")
    if args.data:
        how = {"target": args.target, "task": args.task, "seed": args.seed, "dtype": args.dtype}
        data: Any = door(datasets.from_file, args.data, **how)
    else:
        if args.target or args.task:
            raise UsageError("--target and --task go with --data: a set by name has its own")
        data = door(datasets.load, args.dataset or "digits", seed=args.seed, dtype=args.dtype)
    net = cast(Architecture, door(_architecture, args, data))
    fitting = cast(Parts, door(parts, net, data))
    return Subject(data.name, data.task, data.target_names, fitting, net, data.preparation.to_json())


def training_data(args: argparse.Namespace, subject: Subject) -> Data:
    """The training part, with weights where ``--class-weight`` gives its classes any.

    Raises UsageError for weights that are none, or where an example has no class.
    """
    X, Y = subject.parts[:2]
    if args.class_weight is None:
        return Examples(X, Y)
    if subject.task not in ("binary", "multiclass"):
        raise UsageError(
            f"--class-weight is given and the task is {subject.task}, expected classes: binary, multiclass"
        )
    given = door(weights_named, args.class_weight)
    codes = Y[0].astype(int) if subject.task == "binary" else Y.argmax(axis=0)
    weights = cast(Array, door(by_class, given, subject.target_names, codes, np.ones(Y.shape[1])))
    return WeightedExamples(X, Y, weights.astype(Y.dtype)[None, :])


def _architecture(args: argparse.Namespace, data: Any) -> Architecture:
    """The network, with its dropout.

    Raises ValueError where flags contradict each other, or layers do not fit.
    """
    unit, outputs = OUTPUT_UNITS[data.task], data.Y_train.shape[0]
    hidden = None if args.hidden is None else sizes_of(args.hidden)
    if args.layers is not None:
        if args.model or hidden is not None:
            raise ValueError("--layers is given beside --model or --hidden, expected it alone: it names every layer")
        layers = layers_from(args.layers, unit)
        volumes = not isinstance(layers[0], Dense) and data.image_shape is not None
        net = Architecture(data.image_shape if volumes else data.X_train.shape[0], layers)
    elif args.model:
        net = model_for(args.model, data, hidden)
        # the task decides the output unit, whatever the model has
        net = Architecture(net.inputs, (*net.layers[:-1], Dense(outputs, unit)))
    else:
        layers = tuple(Dense(n, "relu") for n in (hidden if hidden is not None else (64, 64)))
        net = Architecture(data.X_train.shape[0], (*layers, Dense(outputs, unit)))
    if net.output_unit != unit or net.outputs != outputs:
        raise ValueError(
            f"the network ends in {net.outputs} {net.output_unit} units, expected {outputs} {unit}: "
            f"{data.name} is {data.task} with {outputs} outputs"
        )
    keep_prob = args.keep_prob if args.keep_prob is not None else 0.8 if args.layers is None else 1.0
    return _dropped(net, keep_prob, explicit=args.keep_prob is not None)


def _dropped(net: Architecture, keep_prob: float, *, explicit: bool) -> Architecture:
    """The network with dropout after its hidden dense layers."""
    layers: tuple[Layer, ...] = net.layers
    if keep_prob == 1 or (len(layers) == 1 and not explicit):
        return net
    if len(layers) == 1:
        raise ValueError("keep-prob is given, expected a network with a hidden layer: dropout comes after one")
    return Architecture(net.inputs, with_dropout(layers, keep_prob))


def sizes_of(text: str) -> tuple[int, ...]:
    """``64,64`` as numbers; nothing for no hidden layer.

    Raises ValueError for anything else.
    """
    words = [word for word in text.replace(",", " ").split() if word]
    if not all(word.isascii() and word.isdecimal() and len(word) < 10 for word in words):
        raise ValueError(f"hidden is {text!r:.40}, expected numbers of units with commas between, such as 64,64")
    return tuple(int(word) for word in words)


def settings_of(args: argparse.Namespace) -> Settings:
    """What the flags say of the run.

    Raises UsageError for a number out of range.
    """
    decay, options = _decay(args.decay, args.epochs)
    settings = door(
        Settings,
        optimizer=args.optimizer,
        learning_rate=args.learning_rate,
        epochs=args.epochs,
        batch_size=args.batch_size,
        lambda_=args.lambda_,
        decay=decay,
        decay_options=options,
        clip=args.clip,
        patience=args.patience,
        seed=args.seed,
    )
    return cast(Settings, settings)


def _decay(text: str, epochs: int) -> tuple[str, dict[str, float]]:
    """The schedule that ``--decay`` names, and its settings.

    Raises UsageError for a number outside (0, 1] or an unknown name.
    """
    if text in DECAYS:
        return text, {"epochs": epochs} if text == "cosine" else {}
    try:
        factor = float(text)
    except ValueError:
        known = ", ".join(DECAYS)
        raise UsageError(f"decay is {text!r:.40}, expected a number such as 0.9, or one of {known}") from None
    if not 0 < factor <= 1:
        raise UsageError(f"decay is {text}, expected a number in (0, 1]: the part of the rate that an epoch leaves")
    return "exponential", {"decay": factor}
