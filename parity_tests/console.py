"""``derivation-parity``, which an installation brings along: the commands of the three packages, in any folder."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import manual.__main__ as by_hand
import torch_ref.__main__ as in_torch
from manual.shared.cli import run_commands
from parity_tests.cli import COMMANDS

PROGRAM = "derivation-parity"
TORCH = "torch"

EXAMPLES = f"""\
  {PROGRAM} verify "dW1 = dZ1 @ X.T" --setting shallow
  {PROGRAM} verify my_network.py               what your own program computes
  {PROGRAM} compare                            every formula by hand against torch
  {PROGRAM} train                              digits, two hidden layers of 64, by hand
  {PROGRAM} torch train --device cuda          the same in PyTorch: {", ".join(in_torch.COMMANDS)}
  {PROGRAM} verify --help                      the flags of verify
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments, run the command, return its exit code; ``torch`` begins the commands of ``torch_ref``."""
    words = sys.argv[1:] if argv is None else list(argv)
    if words[:1] == [TORCH]:
        sys.argv[1:] = words[1:]
        return in_torch.main(None if argv is None else words[1:], f"{PROGRAM} {TORCH}")
    packages = dict.fromkeys(COMMANDS, "parity_tests.commands") | dict.fromkeys(by_hand.COMMANDS, "manual.commands")
    commands = COMMANDS | by_hand.COMMANDS | {TORCH: "train, predict, recipe and search in PyTorch, on a CPU or a GPU"}
    description = "Neural networks by hand and in PyTorch: is a derivation right, do the two agree, train either."
    return run_commands(PROGRAM, description, EXAMPLES, packages, commands, argv, default="compare")
