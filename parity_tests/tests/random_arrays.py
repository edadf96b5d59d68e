"""Random programs on arrays: a few dozen operations of NumPy, chosen so that each has a value and a derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

ENTRYWISE = (
    "np.tanh({0})", "np.exp(-np.square({0}))", "np.sin({0})", "np.maximum({0}, 0.1)", "np.minimum({0}, {1})",
    "np.abs({0})", "np.where({0} > 0, {0}, 0.3 * {1})", "1 / (1 + np.exp(-{0}))", "np.clip({0}, -0.7, 0.8)",
    "np.log(1.5 + np.square({0}))", "np.sqrt(0.2 + np.square({0}))", "({0}) ** 3", "({0} - {1})", "({0} * {1})",
    "({0} / (2.0 + np.square({1})))", "np.power(np.abs({0}) + 0.5, 1.7)", "np.log1p(np.exp({0}))", "np.cosh({0})",
    "np.arctan({0})", "np.maximum({0}, {1})", "(({0} > {1}) * {0})", "np.logaddexp({0}, {1})", "{0}.clip(-0.5, 0.5)",
)  # fmt: skip
"""Operations that keep the shape (3, 4)."""

THROUGH = (
    "{0} - {0}.mean(axis=0)", "{0} - np.max({0}, axis=1, keepdims=True)", "{0} / (1 + np.sum({0} ** 2))",
    "{0} / np.sqrt(np.var({0}, axis=0) + 0.1)", "np.sum({0}, axis=1, keepdims=True) * {1}", "{0} @ {1}.T @ {0}",
    "np.dot({0}, {1}.T).dot({1})", "np.exp({0}) / np.exp({0}).sum(axis=1, keepdims=True)", "np.flip({0}, 1)",
    "np.outer({0}[:, 0], {1}[1])", "np.einsum('ij,kj->ik', {0}, {1}) @ {1}", "np.roll({0}, 1, axis=0)",
    "np.concatenate([{0}[:1], {1}[1:]], axis=0)", "{0}.reshape(4, 3).T", "np.swapaxes({0}.T, 0, 1)",
    "np.stack([{0}[:, i] for i in range(4)], axis=1)", "{0} * np.linalg.norm({1})", "np.cumsum({0}, axis=1)",
    "np.repeat({0}[:, :1], 4, axis=1)", "np.pad({0}, 1)[1:-1, 1:-1]", "{0} * np.std({1}, axis=0)",
    "np.array([[np.sum({0}), 1.0, 2.0, 3.0]]) * {1}", "{0}[::-1]", "np.rot90(np.rot90({0}))", "{0}[[2, 0, 1]]",
    "np.tensordot({0}, {1}, axes=([1], [1])) @ {0}", "{0} * np.prod(1 + 0.1 * {1}, axis=0)",
    "np.trace({0} @ {1}.T) * {1}", "{0}[np.arange(3), [1, 0, 2]][:, None] * {1}",
    "np.diag({0}[:, 0]) @ {1}", "np.tril({0})", "{0} * {1}.max()",
    "np.average({0}, axis=0, weights=np.abs({1}) + 1) * {1}", "np.vstack([{0}[:2], {1}[:1]])", "{0} * {1}.min(axis=0)",
)  # fmt: skip
"""Operations that mix entries and come back to the shape (3, 4)."""

STATEMENTS = (
    "{t} = {0}.copy()\n{t}[{1} > 0] = 0.2", "{t} = {0} * 1\n{t}[1, :] += {1}[0]", "{t} = {0} * 1\n{t} *= {1}",
    "{t} = {0} * 1\n{t}[:, 2] = {1}[:, 0] ** 2",
    "{t} = np.zeros((3, 4))\nfor i in range(3):\n    {t}[i] = {0}[i] * {1}[-i]",
    "{t} = {0} * 1\n{t} -= {1} / 3", "{t} = np.zeros_like({0})\nnp.add.at({t}, [0, 0, 2], {1})",
    "{t} = {0} * 1\n{t}[range(3), [3, 1, 0]] -= {1}[:, 1]",
)  # fmt: skip
"""Statements that write into an array."""


def random_program(draws: np.random.Generator, length: int = 5) -> str:
    """A program that turns A and B into a number J."""
    names, lines = ["A", "B"], []
    for number in range(length):
        target = f"t{number}"
        first, second = (names[place] for place in draws.integers(0, len(names), 2))
        kind = draws.integers(0, 8)
        if kind == 0:
            lines.append(
                str(draws.choice(STATEMENTS)).replace("{t}", target).replace("{0}", first).replace("{1}", second)
            )
        else:
            table: Any = ENTRYWISE if kind < 4 else THROUGH
            lines.append(f"{target} = {str(draws.choice(table)).replace('{0}', first).replace('{1}', second)}")
        names.append(target)
    lines.append(f"J = np.sum(np.tanh({names[-1]})) + np.mean({names[-2]} * {names[-1]})")
    return "\n".join(lines)
