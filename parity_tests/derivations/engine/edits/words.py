"""What an edit may write: the names and sizes of the place where a line stands, and what its forward pass says."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from parity_tests.derivations.engine.edits.slopes import Factor


class Edit(NamedTuple):
    """Statements in place of the one that was written; ``cause`` is the mistake that they undo."""

    statements: list[ast.stmt]
    cause: str
    cost: float


class Vocabulary(NamedTuple):
    """What a wrong line may lack, the likeliest first."""

    factors: tuple[Factor, ...] = ()
    terms: tuple[ast.expr, ...] = ()
    applied: Mapping[str, tuple[ast.expr, ...]] = {}
    """The calls of functions on names."""

    beside: Mapping[str, frozenset[str]] = {}
    """The names that a name is computed from, or that are computed from it."""

    functions: tuple[ast.expr, ...] = ()
    """The functions of NumPy of one argument that the forward pass applies to anything."""

    shares: tuple[tuple[str, int], ...] = ()
    """Arrays that add up to 1 along an axis: a softmax."""

    normalised: tuple[tuple[str, int], ...] = ()
    """Arrays with mean 0 along an axis: a normalisation."""

    numbers: tuple[float, ...] = ()
    """The numbers with a point that the program writes: slopes, shares."""

    scaled: tuple[tuple[str, int], ...] = ()
    """Arrays that are scaled along an axis, as by a norm."""

    picked: tuple[ast.expr, ...] = ()
    """Where the forward pass reads the entries of the true classes: ``range(N), y``."""

    unread: frozenset[str] = frozenset()
    """Names that a function or the program binds and never reads: what was to be used."""

    orders: tuple[tuple[int, ...], ...] = ()
    """The orders of axes that the program transposes to, and their inverses."""

    but_biases: tuple[ast.expr, ...] = ()
    """Where the program reads all but the first entries: ``1:`` of ``theta[1:]``."""


class Words(NamedTuple):
    """What an edit may write: values by name, the count of examples, sizes in the text's own words, and the target."""

    names: Mapping[str, Any]
    batch: str | None
    counts: tuple[str, ...]
    target: str
    shape: tuple[int, ...]
    of_bias: bool
    size: int = 0
    rates: tuple[str, ...] = ()
    """The count of examples as a number, and single numbers by name that are no counts."""

    is_step: bool = False
    forward: Vocabulary = Vocabulary()
    value: Callable[[ast.expr], Any] = lambda node: None
    """What a formula is, where the statement stands."""

    def counts_examples(self, count: str) -> bool:
        """Whether a size is the number of examples, under any of its names."""
        known = self.names.get(count)
        return (
            count == self.batch
            or count.startswith("len(")
            or (isinstance(known, int | float) and 0 < self.size == known)
        )

    def shape_of(self, name: str) -> tuple[int, ...]:
        """The shape of an array; that of a number for anything else."""
        return getattr(self.names.get(name), "shape", ())

    def like(self, shape: tuple[int, ...]) -> list[str]:
        """The arrays of a shape."""
        return [name for name, value in self.names.items() if isinstance(value, np.ndarray) and value.shape == shape]
