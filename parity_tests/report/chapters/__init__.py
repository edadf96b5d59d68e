"""Every chapter of the page, in the notes' order."""

from __future__ import annotations

from parity_tests import notes
from parity_tests.notes import rows as _rows  # noqa: F401  # imports every chapter of the notes
from parity_tests.report.chapters import (
    activations,
    backward,
    convolution,
    costs,
    forward,
    initialization,
    logistic,
    recipe,
    vectorization,
)
from parity_tests.report.chapters.formula import Chapter, Formula

__all__ = ["CHAPTERS", "Chapter", "Formula"]

CHAPTERS: tuple[Chapter, ...] = (
    Chapter("logistic", "Logistic regression", logistic.FORMULAS, notes.logistic.ROWS, ("graph",)),
    Chapter(
        "vectorization", "Vectorisation and broadcasting", vectorization.FORMULAS, notes.vectorization.ROWS, ("loops",)
    ),
    Chapter("shallow-forward", "Shallow networks, forward", forward.SHALLOW, notes.shallow_forward.ROWS),
    Chapter(
        "shallow-backward", "Shallow networks, backward", backward.SHALLOW, notes.shallow_backward.ROWS, ("boundaries",)
    ),
    Chapter("activations", "Activations", activations.FORMULAS, notes.activations.ROWS, ("activations",)),
    Chapter("initialization", "Initial weights", initialization.FORMULAS, notes.initialization.ROWS, ("spreads",)),
    Chapter("deep-forward", "Deep networks, forward", forward.DEEP, notes.deep_forward.ROWS),
    Chapter("deep-backward", "Deep networks, backward", backward.DEEP, notes.deep_backward.ROWS),
    Chapter("theory", "What depth is good for", initialization.THEORY, notes.theory.ROWS),
    Chapter("costs", "The cost and its penalty", costs.FORMULAS, notes.costs.ROWS, ("costs",)),
    Chapter("minibatch", "Mini-batches and training", costs.MINIBATCH, notes.minibatch.ROWS),
    Chapter("convolution", "Convolutions", convolution.FORMULAS, notes.convolution.ROWS, ("filters",)),
    Chapter("recipe", "The recipe, search and optimisers", recipe.FORMULAS, notes.recipe.ROWS, ("rates", "searches")),
)
"""One for every chapter of the errata."""
