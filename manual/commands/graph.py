"""``python -m manual graph``: the computational graph, forward and backward."""

from __future__ import annotations

import argparse
import math
from typing import Any, cast

import numpy as np

from manual import network
from manual.architecture import MODELS, Architecture, Dense, model_for
from manual.checks import Parts, parts
from manual.draws import initial_parameters
from manual.graph import SCHEME, Graph, Layers, Subject
from manual.shared.cli import GOOD, UsageError, door, output_flags, toy_datasets

EPILOG = """examples:
  python -m manual graph                               logistic regression on example 0 of breast_cancer
  python -m manual graph --dataset moons --example 7   two features, as in the notes
  python -m manual graph --model deep                  a deep network on all training examples
  python -m manual graph --model wide --dataset digits --hidden 30 20 --example 3
  python -m manual graph --json > graph.json

exit code: 0 good, 2 bad usage
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the graph."""
    parser.description = "Draws the computational graph of a model with its initial weights, forward and backward."
    parser.epilog = EPILOG
    parser.add_argument("--model", default="logistic", metavar="NAME", help=f"{', '.join(MODELS)}; default: logistic")
    parser.add_argument("--dataset", default="breast_cancer", metavar="NAME", help="default: breast_cancer")
    parser.add_argument(
        "--example",
        type=int,
        metavar="N",
        help="a training example, counted from 0; default: 0 for logistic regression, all of them for other models",
    )
    parser.add_argument("--hidden", type=int, nargs="*", metavar="UNITS", help="sizes of the hidden layers")
    parser.add_argument("--lambda", dest="lambda_", type=float, default=0.0, help="of the L2 penalty; default: 0")
    parser.add_argument("--seed", type=int, default=0, help="of the split and the initial weights; default: 0")
    output_flags(parser, "a drawing")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compute the graph and draw it."""
    subject = _subject(args)
    net, example = subject.architecture, subject.example
    graph: Graph | Layers
    if net.layers == (Dense(1, "sigmoid"),):
        graph = Graph.of(subject)
    else:
        graph = Layers.of(subject)
    if args.json:
        about = {
            "model": args.model,
            "dataset": args.dataset,
            "example": example,
            "m": subject.Y.shape[1],
            "seed": args.seed,
            "lambda": args.lambda_,
            "sizes": net.describe(),
        }
        args.work.json({**about, **graph.as_json()})
        return GOOD
    if args.quiet:
        print(f"J = {graph.J:.5g}")
        return GOOD
    which = f"all {subject.available} training examples"
    if example is not None:
        which = f"training example {example} of {subject.available}"
    title = f"{args.model} on {args.dataset}, {which}"
    start = f"initial weights: {SCHEME}, seed {args.seed}; biases 0; lambda = {args.lambda_:g}"
    print("\n".join([title, net.describe(), start, "", *graph.lines()]))
    return GOOD


def _subject(args: argparse.Namespace) -> Subject:
    """What the flags ask for.

    Raises UsageError where it cannot be had.
    """
    if not (math.isfinite(args.lambda_) and args.lambda_ >= 0):
        raise UsageError(f"lambda is {args.lambda_}, expected a finite number of at least 0")
    data: Any = door(toy_datasets().load, args.dataset, seed=args.seed)
    hidden = None if args.hidden is None else tuple(args.hidden)
    net = cast(Architecture, door(model_for, args.model, data, hidden))
    X, Y, *_ = cast(Parts, door(parts, net, data))
    available, example = Y.shape[1], args.example
    if example is None and net.layers == (Dense(1, "sigmoid"),):
        example = 0
    if example is not None:
        if not 0 <= example < available:
            raise UsageError(
                f"example is {example}, expected 0 to {available - 1}: {args.dataset} has {available} training examples"
            )
        X, Y = network.example(X, example), Y[:, example : example + 1]
    params = initial_parameters(net, SCHEME, np.random.default_rng(args.seed))
    return Subject(net, params, X, Y, args.lambda_, example, available)
