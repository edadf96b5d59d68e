"""The dimension table of an architecture: what every layer's window, volume, parameters and work come to.

Notes: F232, F233, F235-F243.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from manual.architecture import Architecture
from manual.layers import Shape


class Dimensions(NamedTuple):
    """One layer's row; shapes leave the examples out, None stands for what the layer lacks.

    f, p and s are those of a convolution or a pooling, n_C the number of its filters or channels; ``filter_volume`` is
    f f n_C_prev; ``activation`` is n_l or n_H n_W n_C; ``multiply_adds`` counts the products for one example:
    n_prev n_l of a dense layer, (n_H n_W) (f f n_C_prev n_C) of a convolution.
    """

    layer: int
    kind: str
    f: tuple[int, int] | None
    p: tuple[int, int] | None
    s: int | None
    n_C: int | None
    filter_volume: Shape | None
    activation: Shape
    W: Shape | None
    b: Shape | None
    parameters: int
    multiply_adds: int


def table(architecture: Architecture) -> list[Dimensions]:
    """The sizes of every layer, the input first, as layer 0.

    Notes: F232, F233, F235, F236, F237, F238, F239, F240, F241, F242, F243.
    """
    rows = [Dimensions(0, "input", None, None, None, None, None, architecture.shapes[0], None, None, 0, 0)]
    for l, layer, k in architecture.numbered():
        W, b = (architecture.parameter_shapes[f"{letter}{k}"] if k else None for letter in "Wb")
        after = architecture.shapes[l]
        f, p, s = layer.window or (None, None, None)
        rows.append(
            Dimensions(
                layer=l,
                kind=layer.describe(),
                f=f,
                p=p,
                s=s,
                n_C=after[2] if f else None,
                filter_volume=W[:3] if W is not None and f else None,
                activation=after,
                W=W,
                b=b,
                parameters=_count(W) + _count(b),
                multiply_adds=_count(W) * math.prod(after[:-1]),
            )
        )
    return rows


def _count(shape: Shape | None) -> int:
    return 0 if shape is None else math.prod(shape)
