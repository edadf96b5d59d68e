"""The eight steps of N3, one after the other, as both packages take them. No formula.

Notes: F244-F266.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from manual import network
from manual.architecture import Architecture
from manual.notation import Array, Parameters
from manual.recipe.search import Trial, chance_of, chosen, finer, scan, search, searched
from manual.recipe.steps import (
    OVERFIT_EPOCHS,
    RATES,
    SEEN,
    SMALL_PIECE,
    Step,
    architecture,
    first_loss,
    initialization,
    overfitting,
    preprocessing,
    turned_up,
)
from manual.shared.recipe_runs import Backend, first_examples, without_dropout
from manual.shared.search_ranges import COARSE, Range
from manual.shared.settings import Examples, Settings, held_back, start
from manual.shared.train_flags import Subject
from manual.training import Learner

VALIDATION = 0.2
"""The part of the training examples that draws are scored on."""

STEPS_OF_AN_EPOCH = 10
"""Steps that an epoch of the search has at least, where the batch size is left open."""

BATCH = 100
"""N3's batch size (F260)."""

Progress = Callable[[str, int], AbstractContextManager[Callable[[], None]]]
"""Shows how far a long step is, from its title and its number of parts."""


@dataclass(frozen=True)
class Plan:
    """What the recipe is made with: N3's numbers by default (F255-F262).

    ``fine`` None derives the ranges of reg and learning rate from the coarse search. ``learning_rate`` is that of the
    small piece, by optimiser where it is None; ``batch_size`` None is 100, or less for ten steps in an epoch.
    """

    optimizer: str = "adam"
    initialization: str = "he"
    learning_rate: float | None = None
    batch_size: int | None = None
    draws: int = 100
    epochs: int = 5
    train_epochs: int = 60
    coarse: tuple[Range, Range] = COARSE
    fine: tuple[Range, Range] | None = None
    jobs: int = 1
    seed: int = 0

    def batch(self, m: int) -> int:
        """The batch size for m examples."""
        return self.batch_size or max(1, min(BATCH, m // STEPS_OF_AN_EPOCH))


class Marks(NamedTuple):
    """How scores are called, and the one that needs no learning."""

    name: str
    chance: float


def steps(backend: Backend, subject: Subject, plan: Plan, progress: Progress) -> Iterator[Step]:
    """The steps as they are done.

    Raises ValueError for data or settings that do not fit, before the first step that needs them.

    Notes: F244-F266.
    """
    net, bare = subject.architecture, without_dropout(subject.architecture)
    X, Y, X_test, Y_test = subject.parts
    data = Examples(X, Y)
    exact = first_examples(data, SEEN, np.float64)
    params, _ = start(bare, Settings(initialization=plan.initialization, seed=plan.seed), np.float64)
    common = Settings(optimizer=plan.optimizer, initialization=plan.initialization, seed=plan.seed)
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite fails its step
        yield preprocessing(subject)
        yield architecture(subject)
        yield initialization(backend, bare, params, exact, plan.initialization)
        yield first_loss(backend, bare, params, exact, plan.seed)
        yield turned_up(backend, bare, params, exact, plan.seed)
    rate = plan.learning_rate or RATES[plan.optimizer]
    with progress("a small piece", 1) as advance:
        small = replace(common, learning_rate=rate, epochs=OVERFIT_EPOCHS, batch_size=SMALL_PIECE)
        step = overfitting(backend, net, data, small)
        advance()
    yield step
    parts = held_back(data, VALIDATION)
    size = plan.batch(parts[0].Y.shape[1])
    marks = Marks("R2" if net.output_unit == "identity" else "accuracy", chance_of(net.output_unit, parts[1].Y))
    short = replace(common, epochs=plan.epochs, batch_size=size, decay="exponential", decay_options={"decay": 0.9})
    with progress("learning rates", 13) as advance:
        step = scan(backend, net, data, short, advance)
    yield step
    scanned = step.numbers["best"]
    rng = np.random.default_rng(plan.seed)
    with progress("coarse search", plan.draws) as advance:
        coarse = search(backend, net, parts, short, plan.coarse, plan.draws, plan.jobs, rng, advance)
    yield searched("8A", "coarse search", coarse, marks.chance, marks.name, scanned=scanned)
    ranges = plan.fine or finer(coarse, scanned, marks.chance)
    with progress("fine search", plan.draws) as advance:
        fine = search(backend, net, parts, short, ranges, plan.draws, plan.jobs, rng, advance)
    yield searched("8B", "fine search", fine, marks.chance, marks.name, before=coarse.trials[0].score)
    best: Trial = max(coarse.trials + fine.trials, key=lambda each: (each.score, -each.cost))
    decay = {"epochs": plan.train_epochs}
    long = replace(common, epochs=plan.train_epochs, batch_size=size, decay="cosine", decay_options=decay)
    with progress("the chosen net", 1) as advance:
        step = chosen(backend, net, data, Examples(X_test, Y_test), long, best, marks.chance, marks.name)
        advance()
    yield step


def backend(where: str = "NumPy") -> Backend:
    """The package by hand, as the recipe runs it."""
    return Backend("python -m manual", Learner, activations, where)


def activations(architecture: Architecture, params: Parameters, X: Array) -> Sequence[Array]:
    """A[0] = X to A[L]."""
    return network.forward(architecture, params, X).A
