"""What a convention is: where the notes and PyTorch differ, how to translate, and what goes wrong without."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity_tests.formulas.case import Bound, Case, Inputs

DTYPES = ("float64", "float32")


@dataclass(frozen=True)
class Convention:
    """One difference between the notes and PyTorch, with the code that shows it.

    ``notes``, ``torch`` and ``translation`` are what a person reads. ``inputs``, ``manual`` and ``bounds`` are those of
    a case; ``exact`` is the case's reference: PyTorch, translated. ``naive`` holds PyTorch as one writes it without the
    translation, by what one does: each runs without complaint, gives the right shape, and is wrong. ``model`` says
    what stands in for hardware or processes that the check does without; it is empty where nothing does.
    """

    id: str
    topic: str
    notes: str
    torch: str
    translation: str
    formulas: str
    inputs: Callable[[np.random.Generator], Inputs]
    manual: Callable[..., Any]
    exact: Callable[..., Any]
    naive: Mapping[str, Callable[..., Any]]
    bounds: Mapping[str, Bound]
    dtypes: tuple[str, ...] = DTYPES
    model: str = ""

    def case(self, reference: Callable[..., Any]) -> Case:
        """The comparison of the notes' side with one of the PyTorch sides."""
        return Case(
            f"conventions.{self.id}",
            self.formulas,
            inputs=self.inputs,
            manual=self.manual,
            loop=None,
            reference=reference,
            bounds=self.bounds,
        )
