"""Steps 1 to 6 of the recipe of N3: what an expert looks at before any search. Each says what it saw, and judges it.

No formula: costs, gradients and activations come from the package that is looked at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from manual.architecture import Architecture
from manual.draws import initial_parameters
from manual.notation import Array, Parameters
from manual.shared.recipe_runs import Backend, cost, first_examples, slopes, train, without_dropout
from manual.shared.settings import Examples, Settings
from manual.shared.train_flags import OUTPUT_UNITS, Subject

GOOD, DOUBTFUL, FAILS = "good", "doubtful", "fails"

SEEN = 1000
"""Examples that the first steps look at, at most."""

SMALL_PIECE, OVERFIT_EPOCHS = 20, 500
"""Examples of the piece that is overfitted, and epochs of one batch each."""

REG = 1e3
"""Regularisation turned up."""

SLOPE = 0.01
"""How far from 1 a slope over its gradient may lie: kinks of ReLU that are crossed move it by less."""

RATES = {
    "gradient_descent": 0.1, "momentum": 0.1, "rmsprop": 0.0005, "adam": 0.003,
    "classical_momentum": 0.01, "nesterov": 0.01, "adamw": 0.003,
}  # fmt: skip
"""The learning rate that overfits the small piece, by optimiser."""


class Undecided(NamedTuple):
    """A network that favours no answer: its cost in words and from Y, and how many times that a first cost may be."""

    words: str
    cost: Callable[[Array], float]
    most: float


UNDECIDED = {
    "softmax": Undecided("ln C", lambda Y: math.log(Y.shape[0]), 3),
    "sigmoid": Undecided("ln 2 for each output", lambda Y: Y.shape[0] * math.log(2), 3),
    # he's outputs spread as far as the targets, and more: squares grow faster than logarithms
    "identity": Undecided("half the mean of y^2", lambda Y: float(np.sum(np.square(Y)) / (2 * Y.shape[1])), 10),
}
"""By output unit."""


class Check(NamedTuple):
    """Something that should hold, and what usually keeps it from holding; ``doubt``: it may be as wanted."""

    holds: bool
    cause: str
    doubt: bool = False


class Step(NamedTuple):
    """A step of the recipe as it went: what was seen, as lines and as numbers, the verdict, and usual causes."""

    number: str
    title: str
    verdict: str
    says: tuple[str, ...]
    causes: tuple[str, ...]
    numbers: dict[str, Any]


def judged(number: str, title: str, says: Sequence[str], checks: Sequence[Check], numbers: dict[str, Any]) -> Step:
    """The step with its verdict: fails where a check fails, doubtful where there is a doubt."""
    broken = [check for check in checks if not check.holds]
    verdict = GOOD if not broken else DOUBTFUL if all(check.doubt for check in broken) else FAILS
    return Step(number, title, verdict, tuple(says), tuple(check.cause for check in broken), numbers)


def preprocessing(subject: Subject) -> Step:
    """Step 1: inputs of mean 0 and deviation 1.

    Notes: F244, F245.
    """
    X = first_examples(Examples(*subject.parts[:2]), SEEN, np.float64).X
    features = X if X.ndim == 2 else X.reshape(len(X), -1).T
    features = features[np.any(features != 0, axis=1)]  # a constant feature was made 0
    mean, deviation = float(features.mean()), float(features.std())
    means, deviations = np.abs(features.mean(axis=1)).max(), features.std(axis=1).max()
    m, m_test = subject.parts.Y_train.shape[1], subject.parts.Y_test.shape[1]
    says = (
        f"{subject.name} ({subject.task}): {m} training and {m_test} test examples, {len(features)} features that vary",
        f"mean {mean:.3g}, deviation {deviation:.3g}; of one feature at most {means:.3g} and {deviations:.3g}",
    )
    normal = abs(mean) < 0.2 and 0.5 < deviation < 2 and max(means, deviations) < 10  # strokes on blank images: 6
    cause = (
        "the inputs are not normalised: subtract the training part's mean and divide by its deviation, feature by "
        "feature, or for images all pixels by the same two numbers"
    )
    numbers = {"mean": mean, "deviation": deviation, "largest_mean": float(means), "largest_deviation": deviations}
    return judged("1", "preprocess", says, [Check(normal, cause)], numbers)


def architecture(subject: Subject) -> Step:
    """Step 2: a network whose output unit suits the task.

    Notes: F246.
    """
    net, m = subject.architecture, subject.parts.Y_train.shape[1]
    count = sum(math.prod(shape) for shape in net.parameter_shapes.values())
    unit = OUTPUT_UNITS[subject.task]
    checks = [
        Check(net.output_unit == unit, f"the output unit is {net.output_unit}: a {subject.task} task wants {unit}"),
        Check(count < 1000 * m, "far more parameters than examples: a smaller network, or regularisation", doubt=True),
    ]
    says = (f"{net.describe()}: {count} parameters, {count / m:.2g} for each training example",)
    return judged("2", "architecture", says, checks, {"layers": net.describe(), "parameters": count})


def initialization(backend: Backend, net: Architecture, params: Parameters, data: Examples, scheme: str) -> Step:
    """Step 3: units that differ, activations that neither vanish nor grow from layer to layer.

    Notes: F143, F144, F147, F246.
    """
    weights = {name: value for name, value in params.items() if name.startswith("W")}
    alike = [name for name, W in weights.items() if _units_alike(W)]
    spreads = [float(np.std(A)) for A in backend.activations(net, params, data.X)]
    hidden = np.array(spreads[1:-1]) / (spreads[0] or 1.0)
    deviations = {name: float(np.std(W)) for name, W in weights.items()}
    says = (
        f"{scheme}: deviation of " + ", ".join(f"{name} {value:.3g}" for name, value in deviations.items()),
        "deviation of A[0], A[1], ...: " + ", ".join(f"{spread:.3g}" for spread in spreads),
    )
    checks = [
        Check(
            not alike,
            f"the units of {', '.join(alike)} are alike and stay alike: the weights are zero or all one number, "
            "expected draws (he for ReLU, xavier for tanh)",
        ),
        Check(
            bool(alike) or bool(np.all((hidden > 0.01) & (hidden < 100))),
            "activations vanish or grow from layer to layer: the scale of the weights does not suit the depth",
            doubt=True,
        ),
    ]
    return judged("3", "initialisation", says, checks, {"weights": deviations, "activations": spreads})


def _units_alike(W: Array) -> bool:
    """Whether all units of a layer, more than one, have the same weights."""
    units = W if W.ndim == 2 else W.reshape(-1, W.shape[-1]).T
    return len(units) > 1 and bool(np.all(units == units[0]))


def small_parameters(net: Architecture, seed: int) -> Parameters:
    """N3's first weights, 0.0001 times a normal draw: a network that favours no answer."""
    drawn = initial_parameters(net, "small", np.random.default_rng(seed), np.float64)
    return {name: 0.01 * value for name, value in drawn.items()}


def first_loss(backend: Backend, net: Architecture, params: Parameters, data: Examples, seed: int) -> Step:
    """Step 4: without regularisation, the cost of a network that knows nothing, and a gradient that is the cost's.

    N3 does not ask for the slope; without it a missing g' goes unseen.

    Notes: F247, F248.
    """
    words, expected, most = UNDECIDED[net.output_unit]
    wanted = expected(data.Y)
    small = cost(backend, net, small_parameters(net, seed), data, 0.0)
    own = cost(backend, net, params, data, 0.0)
    found = slopes(backend, net, params, data, 0.0)
    says = (
        f"{small:.4f} with weights of 0.0001, expected {wanted:.4f} = {words}; {own:.4f} with its own weights",
        _slopes_said(found),
    )
    wrong = ", ".join(f"{name} ({ratio:.3g})" for name, ratio in _off(found).items())
    checks = [
        Check(
            abs(small - wanted) <= 0.01 * wanted,
            "the cost is not that of a network that favours no answer: another base of the logarithm, a sum in place "
            "of the mean, a lost minus sign, targets that are not one-hot, or inputs that are not normalised",
        ),
        Check(
            own <= most * wanted,
            "the first cost is far too high: weights too large, or inputs not normalised",
        ),
        Check(
            not wrong,
            f"the gradient of {wrong} is not the cost's: a missing g'(Z), a lost 1/m, a wrong sign or transpose; "
            "python -m parity_tests verify names the mistake",
        ),
    ]
    numbers = {"small": small, "expected": wanted, "own": own, "slopes": found}
    return judged("4", "first loss", says, checks, numbers)


def turned_up(backend: Backend, net: Architecture, params: Parameters, data: Examples, seed: int) -> Step:
    """Step 5: with regularisation the cost rises, by 1/2 reg sum W^2, and its gradient with it.

    Notes: F249.
    """
    both = {"weights of 0.0001": small_parameters(net, seed), "its own weights": params}
    costs = {name: [cost(backend, net, values, data, reg) for reg in (0.0, REG)] for name, values in both.items()}
    # 1/2 reg sum W^2
    rises = {
        name: REG / 2 * sum(float(np.sum(np.square(W))) for key, W in values.items() if key.startswith("W"))
        for name, values in both.items()
    }
    found = slopes(backend, net, params, data, REG)
    says = (
        *(
            f"reg = {REG:g}, {name}: {low:.4f} rises to {high:.6g}, expected {low + rises[name]:.6g}"
            for name, (low, high) in costs.items()
        ),
        _slopes_said(found),
    )
    falls = any(high < low for low, high in costs.values())
    exact = all(abs(high - low - rises[name]) <= 1e-6 * high for name, (low, high) in costs.items())
    checks = [
        Check(not falls, "the cost falls as regularisation grows: lambda has the wrong sign"),
        Check(falls or exact, "the cost does not rise by 1/2 reg sum W^2: lambda's 1/2 or 1/m, or a penalty on b"),
        Check(
            not _off(found),
            f"the gradient of {', '.join(_off(found))} is not that of the regularised cost: the term lambda/m W has "
            "the wrong sign or factor, or is missing, on one of the two sides",
        ),
    ]
    numbers = {"costs": costs, "rises": rises, "slopes": found}
    return judged("5", "regularisation turned up", says, checks, numbers)


def _off(found: dict[str, float]) -> dict[str, float]:
    """The slopes that are not their gradients'."""
    return {name: ratio for name, ratio in found.items() if not abs(ratio - 1) <= SLOPE}


def _slopes_said(found: dict[str, float]) -> str:
    """The worst of the slopes in a line."""
    if not found:
        return "no parameter has a gradient that moves the cost"
    name, ratio = max(found.items(), key=lambda each: abs(each[1] - 1))
    return f"slope of the cost along the gradient, over what the gradient says: {ratio:.6f} ({name}, the worst)"


def overfitting(backend: Backend, net: Architecture, data: Examples, settings: Settings) -> Step:
    """Step 6: a small piece of the data, no regularisation: cost about 0, every answer right.

    Notes: F250.
    """
    net = without_dropout(net)
    piece = first_examples(data, SMALL_PIECE)
    done = train(backend, net, piece, settings, 0.0)
    first, last = done.progress["first"], done.history[-1]
    classes = net.output_unit != "identity"
    name = "accuracy" if classes else "R2"
    m = piece.Y.shape[1]
    says = (
        f"{m} examples, {settings.optimizer} with learning rate {settings.learning_rate:g}: cost {first:.4f} -> "
        f"{last.cost:.3g}, {name} {last.score:.2%} after {last.step} steps",
    )
    exploded = done.explosion is not None
    reached = not exploded and last.cost < 0.01 * first and (last.score == 1 if classes else last.score > 0.97)
    checks = [
        Check(not exploded, done.explosion.sentence() if done.explosion else ""),
        Check(
            exploded or reached,
            "the small piece is not overfitted: units that are all alike, a wrong gradient, a learning rate too small, "
            "dropout or regularisation that is still on, or a network too small",
        ),
    ]
    numbers = {"first": first, "cost": last.cost, "score": last.score, "steps": last.step, "exploded": exploded}
    return judged("6", "a small piece overfitted", says, checks, numbers)
