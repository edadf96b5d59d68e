"""``python -m torch_ref``: one parser, and a module for each subcommand."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from manual.shared.cli import run_commands

PROGRAM = "python -m torch_ref"

COMMANDS: dict[str, str] = {
    "train": "train a network on a data set or on your own file, on a CPU or a GPU",
    "predict": "what a trained network says of the examples of a file",
    "recipe": "the eight steps in which a network is set up, each judged",
    "search": "the coarse search for learning rate and regularisation, all draws trained together",
}
"""Subcommands, each in the module ``torch_ref.commands.<name>``, imported only when it is called."""

EXAMPLES = f"""\
  {PROGRAM} train                              digits, two hidden layers of 64
  {PROGRAM} train --model convnet --device cuda
  {PROGRAM} predict net.safetensors new.csv    what a trained network says of other examples
  {PROGRAM} recipe                             eight steps, from the first loss to a search
  {PROGRAM} search                             100 draws of learning rate and regularisation
  {PROGRAM} train --help                       all flags
"""


def main(argv: Sequence[str] | None = None, program: str = PROGRAM) -> int:
    """Parse the arguments, run the command, return its exit code."""
    rank = os.environ.get("RANK", "0")
    program = program if rank == "0" else f"{program}, rank {rank}"
    return run_commands(program, "The same networks in PyTorch.", EXAMPLES, "torch_ref.commands", COMMANDS, argv)


if __name__ == "__main__":
    sys.exit(main())
