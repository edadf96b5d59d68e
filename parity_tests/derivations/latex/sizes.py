"""Shapes that a note states: below braces, behind a colon, or in sets such as R^{n x m}."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from parity_tests.derivations.latex.claims import Claim, Shape
from parity_tests.derivations.latex.conventions import LAYOUTS, Taken
from parity_tests.derivations.latex.frames import default_layer, frames
from parity_tests.derivations.latex.rewritten import latex_of
from parity_tests.derivations.latex.style import Style
from parity_tests.derivations.latex.symbols import NETWORK, SMALL, Frame
from parity_tests.derivations.latex.tree import Node, NotReadError, Number, Symbol, Transposed
from parity_tests.derivations.verdicts import DOUBTFUL, HOLDS, NO_CLAIM, WRONG, Verdict, not_judged

_COUNTED = re.compile(r"(?:n|\\eta)(?:_(?:h|\{h\}))?(?:\^\{?|_\{?)[\[(]?(?P<layer>[lL1-9](?:[-+]1)?|0)[\])]?\}?")
_NAMED = {"n_x": 0, "n_{x}": 0, "n_y": -1, "n_{y}": -1, "D": 0, "K": -1, "C": -1}
"""Sizes of the inputs and of the outputs."""


class Sizes(NamedTuple):
    """The axes that are written, and those that there are."""

    written: tuple[str, ...]
    true: tuple[str, ...]

    @property
    def agree(self) -> bool:
        """Whether they are the same."""
        return self.written == self.true


def judged(shape: Shape, style: Style, taken: Taken) -> Verdict | None:
    """The verdict on a shape; no claim where one of its letters is no known size, None in an equation."""
    base = not_judged("", shape.line, shape.text, "a shape")._replace(verdict=NO_CLAIM, cell=shape.cell)
    here = taken.convention._replace(one=False)
    found = list(_read(shape, style, here))
    if not found:
        return None if shape.below else base
    name = latex_of(shape.of)
    if any(each.agree for each, _ in found):
        return base._replace(verdict=HOLDS, message=f"The shape of {name} is right.")
    sizes, frame = found[0]
    is_bias = isinstance(shape.of, Symbol) and shape.of.base in "bB" and sizes.written[0] == sizes.true[0]
    if is_bias and sizes.written[1] == "m":
        return base._replace(verdict=DOUBTFUL, message=f"The shape of {name} holds where it is spread over m examples.")
    others = [here._replace(rows=rows, turned=turned) for rows, turned in LAYOUTS]
    words = next((
        each.against(here) for each in others if any(found.agree for found, _ in _read(shape, style, each))
    ), "")  # fmt: skip
    if words and "layout" not in taken.settled:
        return base._replace(verdict=DOUBTFUL, message=f"The shape of {name} holds {words}.")
    repaired = rf"({', '.join(_latex(each, frame) for each in sizes.true)})"
    message = f"{name} has another shape. With\n    {repaired}\nit holds."
    return base._replace(verdict=WRONG, cause="shape", causes=("shape",), repaired=repaired, message=message)


def _read(shape: Shape, style: Style, convention: object) -> Iterator[tuple[Sizes, Frame]]:
    """What is written and what there is, in the networks in which both can be told."""
    turned = isinstance(shape.of, Transposed)
    symbol: Node = shape.of.operand if isinstance(shape.of, Transposed) else shape.of
    layer = next((match[0] for match in map(_COUNTED.fullmatch, shape.sizes) if match), "")
    claim = Claim(symbol, Number("1"), "", "", 0, 0, 0, 0, 9, ())
    if not isinstance(symbol, Symbol) or "prev" in symbol.subscripts:
        return
    if layer and not style.layer_of(symbol) and symbol.base not in "xXyY":
        return
    try:
        for frame in frames(claim, style, convention, {}):  # type: ignore[arg-type]
            frame = frame.with_layer(default_layer(claim, frame))
            if frame.family == NETWORK:
                axes = frame.shapes.get(frame.name_of(symbol), ())
                written = tuple(_axis(each, frame) for each in shape.sizes)
                if len(axes) == len(written):
                    may_be_one = {f"n_{frame.depth}", "m" if symbol.round or symbol.base in SMALL else ""}
                    true = tuple(
                        "1" if text == "1" and axis in may_be_one else axis
                        for axis, text in zip(axes[::-1] if turned else axes, written, strict=True)
                    )
                    yield Sizes(written, true), frame
    except NotReadError:
        return


def _axis(text: str, frame: Frame) -> str:
    """The setting's name of a size; NotReadError for a letter that may be any."""
    if text in ("1", "m", "M", "N"):
        return text if text == "1" else "m"
    match = _COUNTED.fullmatch(text)
    if match is None and text not in _NAMED:
        raise NotReadError(f"the size {text}")
    number = frame.number_of(match["layer"]) if match else _NAMED[text] % (frame.depth + 1)
    return f"n_{number}" if number else "n_x"


def _latex(axis: str, frame: Frame) -> str:
    """A size in the letters of the layers."""
    number = axis.removeprefix("n_")
    for letter, layer in frame.letters.items():
        if number.isdigit() and abs(int(number) - layer) < 2:
            away = int(number) - layer
            return f"n^{{[{letter}{f'{away:+d}' if away else ''}]}}"
    return "n_x" if axis == "n_x" else f"n^{{[{number}]}}" if axis.startswith("n_") else axis
