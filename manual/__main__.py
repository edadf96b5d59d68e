"""``python -m manual``: one parser, and a module for each subcommand."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from manual.shared.cli import run_commands

PROGRAM = "python -m manual"

COMMANDS: dict[str, str] = {
    "graph": "the computational graph of a model, forward and backward, with values and shapes",
    "train": "train a network on a data set or on your own file",
    "predict": "what a trained network says of the examples of a file",
    "recipe": "the eight steps in which a network is set up, each judged",
    "shapes": "the dimension table of a model: windows, volumes, parameters, multiply-adds",
}
"""Subcommands, each in the module ``manual.commands.<name>``, imported only when it is called."""

EXAMPLES = f"""\
  {PROGRAM} graph                              logistic regression on one example
  {PROGRAM} graph --model deep                 the layers of a deep network, with shapes
  {PROGRAM} train                              digits, two hidden layers of 64
  {PROGRAM} predict net.safetensors new.csv    what a trained network says of other examples
  {PROGRAM} recipe                             eight steps, from the first loss to a search
  {PROGRAM} shapes --model lenet5              the sizes and parameters of every layer
  {PROGRAM} graph --help                       the flags of the graph
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments, run the command, return its exit code."""
    return run_commands(PROGRAM, "Neural networks by hand, in NumPy.", EXAMPLES, "manual.commands", COMMANDS, argv)


if __name__ == "__main__":
    sys.exit(main())
