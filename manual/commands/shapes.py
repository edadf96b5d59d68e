"""``python -m manual shapes``: the dimension table of a model."""

from __future__ import annotations

import argparse
from typing import cast

from manual.architecture import IMAGE_MODELS, MODELS, Architecture, model
from manual.shapes import table
from manual.shared.cli import GOOD, UsageError, console, door, output_flags, plain_table

EPILOG = """examples:
  python -m manual shapes --model lenet5
  python -m manual shapes --model convnet --inputs 32x32x3 --outputs 100 --hidden 128
  python -m manual shapes --model softmax --inputs 270000 --outputs 100     27,000,100 parameters, as in the notes

exit code: 0 good, 2 bad usage
"""

INPUTS = {**dict.fromkeys(IMAGE_MODELS, "8x8x1"), "lenet5": "28x28x1"}
"""Images that the models were made for; other models take the 64 pixels of a digit."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.description = "Prints every layer's window, volume, parameters and multiply-adds for one example."
    parser.epilog = EPILOG
    parser.add_argument("--model", default="lenet5", metavar="NAME", help=f"{', '.join(MODELS)}; default: lenet5")
    parser.add_argument("--inputs", metavar="SIZES", help="features, such as 64, or an image, such as 28x28x1")
    parser.add_argument("--outputs", type=int, default=10, metavar="N", help="default: 10")
    parser.add_argument("--hidden", type=int, nargs="*", metavar="UNITS", help="sizes of the hidden dense layers")
    output_flags(parser, "a table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Build the model and print its table."""
    hidden = None if args.hidden is None else tuple(args.hidden)
    inputs = sizes(args.inputs or INPUTS.get(args.model, "64"))
    net = cast(Architecture, door(model, args.model, inputs, args.outputs, hidden))
    rows = table(net)
    total, work = sum(row.parameters for row in rows), sum(row.multiply_adds for row in rows)
    if args.json:
        layers = [row._asdict() for row in rows]
        args.work.json({"model": args.model, "layers": layers, "parameters": total, "multiply_adds": work})
        return GOOD
    title = f"{args.model}: sizes for one example"
    words, numbers = (
        ["layer", "kind"],
        ["f", "p", "s", "n_C", "filter", "activation", "W", "b", "parameters", "mult-adds"],
    )
    shown = plain_table(title, words, numbers, verdict=False)
    for row in rows:
        shown.add_row(
            str(row.layer),
            row.kind,
            *(
                _sizes(value)
                for value in (row.f, row.p, row.s, row.n_C, row.filter_volume, row.activation, row.W, row.b)
            ),
            f"{row.parameters:,}",
            f"{row.multiply_adds:,}",
        )
    out = console()
    if not args.quiet:
        out.print(shown)
    out.print(f"{total:,} parameters; {work:,} multiply-adds for one example")
    return GOOD


def sizes(text: str) -> int | tuple[int, ...]:
    """A number of features, or the sides of an image.

    Raises UsageError for anything else.
    """
    parts = text.split("x")
    if not all(part.isdecimal() and part.isascii() for part in parts) or len(parts) not in (1, 3):
        raise UsageError(f"inputs is {text!r:.40}, expected features, such as 64, or an image, such as 28x28x1")
    numbers = tuple(int(part) for part in parts)
    return numbers if len(numbers) == 3 else numbers[0]


def _sizes(value: int | tuple[int, ...] | None) -> str:
    """5x5x6, or nothing."""
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    return str(value[0]) if len(value) == 2 and value[0] == value[1] and value[0] < 10 else "x".join(map(str, value))
