"""Steps 7 and 8 of the recipe of N3: the scan of learning rates, the coarse and the fine search, the chosen net.

No formula: all of it is runs of the shared loop.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from manual.architecture import Architecture
from manual.recipe.steps import Check, Step, judged
from manual.shared.cli import in_processes
from manual.shared.recipe_runs import Backend, first_examples, train
from manual.shared.search_ranges import Range
from manual.shared.settings import Examples, Settings, score_of

SCANNED = 2000
"""Examples that the scan trains on, at most."""

SCAN_STEPS = 40
"""Steps with each learning rate, at least: explosion is judged over 20."""

EXPONENTS = range(-6, 7)
"""The scan's learning rates in powers of ten; the first that explodes ends it."""

MOVED = 0.1
"""A cost that falls by less than this part of its first value has not moved."""

KEPT = 0.1
"""The part of the coarse draws that the fine ranges are derived from."""

WIDENED = 0.5
"""Decades by which the fine ranges reach beyond the best coarse draws."""

ABOVE_CHANCE = 4
"""Standard deviations by which the best draw must beat the most frequent class."""

Advance = Callable[[], None]


class Trial(NamedTuple):
    """A draw and what came of it; the score is that of the validation part."""

    learning_rate: float
    reg: float
    score: float
    cost: float
    exploded: bool


class Searched(NamedTuple):
    """A search: its ranges, its trials, the best first."""

    reg: Range
    learning_rate: Range
    trials: list[Trial]


def scan(backend: Backend, net: Architecture, data: Examples, settings: Settings, advance: Advance) -> Step:
    """Step 7: a learning rate so small that the cost barely moves, one that explodes, and those between that learn.

    Notes: F251, F252, F253.
    """
    some = first_examples(data, SCANNED)
    steps = -(-some.Y.shape[1] // settings.batch_size)
    settings = replace(settings, epochs=max(2, -(-SCAN_STEPS // steps)), decay="constant", decay_options={})
    says, numbers = [], []
    for exponent in EXPONENTS:
        rate = 10.0**exponent
        done = train(backend, net, some, replace(settings, learning_rate=rate), 0.0)
        advance()
        first = done.progress["first"]
        last = done.explosion.cost if done.explosion else done.history[-1].cost
        fell = first - last
        verdict = "learns" if fell > MOVED * first else "too small" if abs(fell) <= MOVED * first else "too high"
        if done.explosion is not None:
            verdict = "explodes"
        numbers.append({"learning_rate": rate, "first": first, "cost": last, "verdict": verdict})
        says.append(f"learning rate {rate:g}: {verdict}, cost {first:.4f} -> {last:.4g}")
        if done.explosion is not None:
            break
    verdicts = [row["verdict"] for row in numbers]
    learns = [row for row in numbers if row["verdict"] == "learns"]
    best = min(learns, key=lambda row: row["cost"])["learning_rate"] if learns else None
    if learns:
        says.append(f"lowest cost after {settings.epochs} epochs of {settings.optimizer}: learning rate {best:g}")
    checks = [
        Check(
            bool(learns),
            "every rate that moves the cost explodes: inputs not normalised, weights too large"
            if verdicts[0] == "explodes" or "too high" in verdicts
            else "no rate moves the cost: units that are all alike, a gradient that vanishes, or labels of no use",
        ),
        Check(verdicts[0] == "too small", "even the smallest rate is not too small: inputs may be large", doubt=True),
        Check(verdicts[-1] == "explodes", "no rate explodes: the cost may not depend on the weights", doubt=True),
    ]
    return judged("7", "learning rates", says, checks, {"rates": numbers, "best": best})


def trial(
    backend: Backend,
    net: Architecture,
    train_part: Examples,
    validation: Examples,
    settings: Settings,
    learning_rate: float,
    reg: float,
) -> Trial:
    """One draw: a short run, and its score on the validation part."""
    settings = replace(settings, learning_rate=learning_rate)
    done = train(backend, net, train_part, settings, reg, validation=validation)
    last, exploded = done.history[-1], done.explosion is not None
    score = last.validation_score
    usable = not exploded and score is not None and math.isfinite(score)
    return Trial(learning_rate, reg, score if usable and score is not None else -math.inf, last.cost, exploded)


def search(
    backend: Backend,
    net: Architecture,
    parts: tuple[Examples, Examples],
    settings: Settings,
    ranges: tuple[Range, Range],
    draws: int,
    jobs: int,
    rng: np.random.Generator,
    advance: Advance,
) -> Searched:
    """So many draws of reg and learning rate, each trained for a few epochs: parts are to train and to validate.

    Notes: F255-F261.
    """
    from joblib import delayed

    reg, rate = (found.distribution().rvs(draws, random_state=rng) for found in ranges)
    calls = (
        delayed(trial)(backend, net, *parts, settings, float(rate_), float(reg_))
        for rate_, reg_ in zip(rate, reg, strict=True)
    )
    trials = []
    for found in in_processes(calls, jobs):
        trials.append(found)
        advance()
    return Searched(*ranges, sorted(trials, key=lambda each: (-each.score, each.cost)))


def finer(coarse: Searched, scanned: float | None = None, chance: float = -math.inf) -> tuple[Range, Range]:
    """Ranges of reg and learning rate around the best tenth of the coarse draws, half a decade wider on every side.

    Where the best learning rate lies at the upper edge of its range, or no draw beats ``chance``, the new range reaches
    to the one that did best in the scan: "by now rough idea of lr".

    Notes: F261, F262.
    """
    usable = [each for each in coarse.trials if not each.exploded] or coarse.trials
    best = usable[: max(3, round(KEPT * len(coarse.trials)))]
    reg, rate = (_around([math.log10(each[place]) for each in best]) for place in (1, 0))
    if scanned is not None and (at_upper_edge(coarse) or coarse.trials[0].score <= chance):
        rate = rate._replace(high=max(rate.high, math.log10(scanned)))
    return reg, rate


def _around(exponents: list[float]) -> Range:
    return Range(min(exponents) - WIDENED, max(exponents) + WIDENED)


def at_upper_edge(found: Searched) -> bool:
    """Whether the best learning rate lies in the last tenth of its range."""
    low, high = found.learning_rate
    return not found.trials[0].exploded and math.log10(found.trials[0].learning_rate) > high - 0.1 * (high - low)


def searched(
    number: str,
    title: str,
    found: Searched,
    chance: float,
    score: str,
    *,
    scanned: float | None = None,
    before: float | None = None,
) -> Step:
    """Step 8: what the draws show.

    ``chance`` is a score that needs no learning; ``scanned`` the learning rate that did best in the scan: draws below
    it that learn nothing are no more than doubtful; ``before`` is the best score of the coarse search.

    Notes: F255-F262.
    """
    trials, best = found.trials, found.trials[0]
    exploded = sum(each.exploded for each in trials)
    below = scanned is not None and math.log10(scanned) > found.learning_rate.high
    says = [
        f"{len(trials)} draws, reg = {found.reg}, learning rate = {found.learning_rate}; {exploded} exploded",
        *(
            f"{score} {each.score:.4f} on the validation part: learning rate {each.learning_rate:.3g}, "
            f"reg {each.reg:.3g}, cost {each.cost:.4f}"
            for each in trials[:5]
            if not each.exploded
        ),
    ]
    if at_upper_edge(found):
        says.append("the best learning rate lies at the upper edge of its range: larger ones may be better still")
    checks = [
        Check(
            exploded < len(trials),
            "every draw exploded: learning rates too high, inputs not normalised, or weights too large",
        ),
        Check(
            exploded == len(trials) or best.score > chance,
            f"no draw beats {chance:.4f}, which needs no learning: "
            + (
                f"the range ends below {scanned:g}, the rate that did best in the scan"
                if below
                else "labels that do not belong to their inputs (shuffled?), learning rates too low, or too few epochs"
            ),
            doubt=below,
        ),
        Check(
            before is None or best.score >= before - 0.02,
            "finer ranges found nothing as good: the coarse best was luck, more draws help",
            doubt=True,
        ),
    ]
    numbers = {
        "reg": list(found.reg),
        "learning_rate": list(found.learning_rate),
        "draws": len(trials),
        "exploded": exploded,
        "chance": chance,
        "best": [each._asdict() for each in trials[:5]],
    }
    return judged(number, title, says, checks, numbers)


def chance_of(unit: str, Y: np.ndarray) -> float:
    """A score that a network beats only by learning: the most frequent answer's, and four deviations; R2 of 0.05."""
    if unit == "identity":
        return 0.05
    share = Y.mean(axis=1)
    frequent = float(share.max() if unit == "softmax" else np.maximum(share, 1 - share).mean())
    answers = Y.shape[1] if unit == "softmax" else Y.size
    return min(frequent + ABOVE_CHANCE * math.sqrt(frequent * (1 - frequent) / answers), 0.999)


def chosen(
    backend: Backend,
    net: Architecture,
    data: Examples,
    test: Examples,
    settings: Settings,
    best: Trial,
    chance: float,
    score: str,
) -> Step:
    """The best draw, trained on all training examples for longer and tested."""
    settings = replace(settings, learning_rate=best.learning_rate)
    done = train(backend, net, data, settings, best.reg)
    learner = backend.learner(net, test, settings)
    learner.restore(done.params, None, 0)
    with np.errstate(over="ignore", invalid="ignore"):
        cost, A_L = learner.evaluate(*test)
    reached, last = score_of(net.output_unit, A_L, test.Y), done.history[-1]
    says = (
        f"learning rate {best.learning_rate:.3g}, reg {best.reg:.3g}, {len(done.history)} epochs of "
        f"{settings.optimizer}, {settings.decay} decay: training {score} {last.score:.4f}",
        f"test: cost {cost:.4f}, {score} {reached:.4f} on {test.Y.shape[1]} examples",
    )
    checks = [
        Check(done.explosion is None, done.explosion.sentence() if done.explosion else ""),
        Check(
            done.explosion is not None or reached > chance,
            "the chosen net answers no better than without learning: the causes are those of the step that failed",
        ),
        Check(
            last.score - reached < 0.1,
            "far better on the training part than on the test part: more regularisation, dropout, or more data",
            doubt=True,
        ),
    ]
    numbers = {**best._asdict(), "train_score": last.score, "test_cost": cost, "test_score": reached}
    return judged("9", "the chosen net", says, checks, numbers)
