"""How large a volume or a layer is: output sizes, padding, parameter counts; and the sizes of a whole network.

Notes: F219, F220, F221, F223, F240, F241, F242, F243.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple, TypeAlias

from manual.notation import check_count

Pad: TypeAlias = int | tuple[int, int] | Literal["same"]
"""Rows and columns of zeros on every side: one number, (vertical, horizontal), or "same"."""


def conv_output_size(n: int, f: int, *, pad: int = 0, stride: int = 1) -> int:
    """Number of places where a window of length f fits along a padded side of length n.

    floor((n + 2p - f) / s + 1)

    n = side of the input, f = side of the window, p = ``pad`` zeros on each end, s = ``stride``, the step
    from one window to the next. Pooling windows follow the same formula with p = 0.

    Raises ValueError unless n, f, s >= 1, p >= 0 and the window fits.

    Notes: F219, F220, F223, F224, F230, F231, F239. The bars printed in F223 are a floor.
    """
    check_count("n", n, 1, "the input has at least one cell")
    check_count("f", f, 1, "the filter has at least one cell")
    check_count("pad", pad, 0, "padding adds cells, it removes none")
    check_count("stride", stride, 1, "the next window starts at least one cell further on")
    if f > n + 2 * pad:
        raise ValueError(
            f"f is {f}, expected at most n + 2 pad = {n + 2 * pad}: the filter must fit into the padded input"
        )
    return (n + 2 * pad - f) // stride + 1


def same_padding(f: int) -> int:
    """Padding under which the output of a stride-1 convolution is as large as its input.

    p = (f - 1) / 2

    f = side of the filter.

    Raises ValueError unless f is odd: half a cell cannot be added.

    Notes: F221, F222. Differs from torch in refusing an even f, where torch pads one side more.
    """
    check_count("f", f, 1, "the filter has at least one cell")
    if f % 2 == 0:
        raise ValueError(f"f is {f}, expected an odd number: SAME padding is p = (f - 1) / 2")
    return (f - 1) // 2


def pad_pair(pad: Pad, f_H: int, f_W: int, stride: int = 1) -> tuple[int, int]:
    """The vertical and the horizontal padding that ``pad`` stands for.

    (p, p), (p_H, p_W), or for "same" ((f_H - 1) / 2, (f_W - 1) / 2)

    f_H, f_W = sides of the filter, s = ``stride``.

    Raises ValueError for a negative padding, and for "same" with an even filter or a stride above 1.

    Notes: F220, F221.
    """
    if isinstance(pad, str):
        if pad != "same":
            raise ValueError(f'pad is {pad!r}, expected a number, a pair or "same": no other name has a meaning')
        if stride != 1:
            raise ValueError(f"stride is {stride}, expected 1: SAME padding keeps the size only at stride 1")
        return same_padding(f_H), same_padding(f_W)
    pair = tuple(pad) if isinstance(pad, tuple | list) else (pad, pad)
    if len(pair) != 2:
        raise ValueError(f"pad is {pad!r}, expected two numbers: a pair is (vertical, horizontal)")
    rule = "padding adds cells, it removes none"
    return check_count("pad", pair[0], 0, rule), check_count("pad", pair[1], 0, rule)


def dense_parameter_count(inputs: int, units: int, *, bias: bool = True) -> int:
    """Number of parameters of a dense layer.

    (n_prev + 1) n_l, and n_prev n_l without biases

    n_prev = ``inputs`` (for an image n m c, every pixel of every channel), n_l = ``units``.

    Notes: F240, F241, F242.
    """
    check_count("inputs", inputs, 1, "a layer has at least one input")
    check_count("units", units, 1, "a layer has at least one unit")
    return (inputs + bias) * units


def conv_parameter_count(f: int | tuple[int, int], channels: int, filters: int, *, bias: bool = True) -> int:
    """Number of parameters of a convolutional layer, whatever the size of its input.

    (f_H f_W n_C_prev + 1) n_C, and f_H f_W n_C_prev n_C without biases

    f = side of the filter, or (f_H, f_W); n_C_prev = ``channels``, n_C = ``filters``.

    Notes: F233, F237, F238, F243. The notes end with the question of F243; this is its answer.
    """
    f_H, f_W = f if isinstance(f, tuple) else (f, f)
    check_count("f", min(f_H, f_W), 1, "the filter has at least one cell")
    check_count("channels", channels, 1, "a filter has the depth of its input")
    check_count("filters", filters, 1, "a layer has at least one filter")
    return (f_H * f_W * channels + bias) * filters


class Dimensions(NamedTuple):
    """One layer's row; shapes leave the examples out, None stands for what the layer lacks.

    f, p and s are those of a convolution or a pooling, n_C the number of its filters or channels; ``filter_volume`` is
    f f n_C_prev; ``activation`` is n_l or n_H n_W n_C; ``multiply_adds`` counts the products for one example:
    n_prev n_l of a dense layer, (n_H n_W) (f f n_C_prev n_C) of a convolution, none of a norm.
    """

    layer: int
    kind: str
    f: tuple[int, int] | None
    p: tuple[int, int] | None
    s: int | None
    n_C: int | None
    filter_volume: tuple[int, ...] | None
    activation: tuple[int, ...]
    W: tuple[int, ...] | None
    b: tuple[int, ...] | None
    parameters: int
    multiply_adds: int


def table(architecture: Any) -> list[Dimensions]:
    """The dimension table: window, volume, parameters and multiply-adds of every layer, the input first, as layer 0.

    ``architecture`` is an Architecture, which is itself built on the sizes above.

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
                multiply_adds=_count(W) * math.prod(after[:-1]) if f"W{k}" in architecture.weights else 0,
            )
        )
    return rows


def _count(shape: tuple[int, ...] | None) -> int:
    return 0 if shape is None else math.prod(shape)
