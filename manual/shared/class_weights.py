"""Weights of examples by their classes, for both packages' estimators and commands."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manual.notation import Array

BALANCED = "balanced"


def by_class(
    given: Mapping[Any, Any] | str, classes: Sequence[Any], codes: NDArray[np.integer[Any]], weights: Array
) -> Array:
    """The weights of the examples, times those of their classes.

    Parameters
    ----------
    given : mapping or "balanced"
        A weight by class, in which 1 is left out; or sum w / (n sum_k w) of n classes that occur, with the sums over
        all examples and over those of class k, so that all classes count alike.
    classes : sequence
        The classes.
    codes : array of shape (m,), int
        The place of each example's class among them.
    weights : array of shape (m,)
        The weights w.

    Returns
    -------
    array of shape (m,)

    Raises
    ------
    ValueError
        For anything else, for a class that is none of them, and for a weight that is not finite and above 0.

    """
    if isinstance(given, Mapping):
        numbers = (isinstance(value, Real) and 0 < float(value) < math.inf for value in given.values())
        if not (set(given) <= set(classes) and all(numbers)):
            known = f"finite numbers above 0 by classes among {list(classes)}"
            raise ValueError(f"class_weight is {dict(given)}, expected {known}")
        of_examples: Array = np.array([given.get(each, 1.0) for each in classes])[codes]
    elif isinstance(given, str) and given == BALANCED:
        totals = np.bincount(codes, weights)
        of_examples = weights.sum() / (np.count_nonzero(totals) * totals[codes])
    else:
        raise ValueError(f"class_weight is {given!r}, expected 'balanced', a dict of weights by class, or None")
    return weights * of_examples


def weights_named(text: str) -> Mapping[str, float] | str:
    """The weights that a flag names: ``balanced``, or classes with their weights, such as ``ill=3,well=1``.

    Raises ValueError for anything else.
    """
    if text == BALANCED:
        return text
    rows = [each.rpartition("=") for each in text.split(",")]
    try:
        found = {name.strip(): float(number) for name, _, number in rows}
    except ValueError:
        found = {}
    if len(found) < len(rows) or "" in found:
        rule = "balanced, or a weight for each class that counts otherwise, such as ill=3,well=1"
        raise ValueError(f"class-weight is {text!r:.80}, expected {rule}")
    return found
