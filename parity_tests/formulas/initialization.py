"""The scales of initial weights."""

from __future__ import annotations

from manual import initialization
from parity_tests.formulas.case import Case
from parity_tests.judging import bounds
from torch_ref import initialization as torch_initialization


def _scale(name: str, *sizes: str) -> Case:
    """The standard deviation of initial weights, from the layer's sizes."""
    return Case(
        f"initialization.{name}",
        "F147",
        inputs=lambda rng: {size: int(rng.integers(16, 200)) for size in sizes},
        manual=getattr(initialization, name),
        loop=None,
        reference=getattr(torch_initialization, name),
        bounds={"scale": lambda u, at: bounds.rounded(u, at.scale, 6)},
    )


CASES = (
    _scale("lecun", "n_prev"),
    _scale("xavier", "n_prev", "n"),
    _scale("he", "n_prev"),
)
