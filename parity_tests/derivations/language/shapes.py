"""The shape that an operation gives, or one sentence with the two sizes that do not fit."""

from __future__ import annotations

from typing import TypeAlias

from parity_tests.derivations.language.errors import EvaluationError
from parity_tests.derivations.language.nodes import Binary, Call, Node
from parity_tests.derivations.language.printer import to_text

ShapeOf: TypeAlias = tuple[int, ...]


def short(node: Node, limit: int = 60) -> str:
    """The node as it was written, cut where it is long."""
    text = to_text(node, as_written=True)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."


def broadcast(node: Node, sign: str, shapes: tuple[ShapeOf, ...]) -> ShapeOf:
    """The shape of an entry-by-entry operation; ``sign`` stands between the shapes in the sentence."""
    result = shapes[0]
    for shape in shapes[1:]:
        if shape == result or not shape:
            continue
        longer, other = (result, shape) if len(result) >= len(shape) else (shape, result)
        joined = list(longer)
        for axis in range(1, len(other) + 1):
            first, second = longer[-axis], other[-axis]
            if first == second or second == 1:
                continue
            if first != 1:
                pair = (first, second) if longer is result else (second, first)
                raise _unfit(node, sign, shapes, f"sizes {pair[0]} and {pair[1]} differ and neither is 1")
            joined[-axis] = second
        result = tuple(joined)
    return result


def product_shape(node: Node, left: ShapeOf, right: ShapeOf) -> tuple[ShapeOf, int]:
    """The shape of a matrix product and the number of terms in each of its entries."""
    sign = "@" if not isinstance(node, Call) else ","
    if not left or not right:
        operand = (node.right if left else node.left) if isinstance(node, Binary) else node
        raise _unfit(node, sign, (left, right), f"{short(operand)} is one number, no matrix: write *")
    inner, rows = right[-2 if len(right) > 1 else 0], right[-1:] if len(right) > 1 else ()
    if left[-1] != inner:
        raise _unfit(node, sign, (left, right), f"inner sizes {left[-1]} and {inner} differ")
    if isinstance(node, Call):  # np.dot: every row of the left with every column of the right
        return (*left[:-1], *right[:-2], *rows), inner
    batch = broadcast(node, sign, (left[:-2], right[:-2]))
    return (*batch, *left[-2:-1], *rows), inner


def _unfit(node: Node, sign: str, shapes: tuple[ShapeOf, ...], reason: str) -> EvaluationError:
    between = ", " if sign == "," else f" {sign} "
    return EvaluationError(f"{short(node)}: {between.join(map(str, shapes))}: {reason}")
