"""Momentum, RMSprop and Adam: one step of one parameter, at step t, from the state that the steps before left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from manual.notation import Array
from parity_tests.derivations.settings.draws import learning_rate, sizes_of
from parity_tests.derivations.settings.setting import (
    COMMON_FUNCTIONS,
    STATE,
    Kind,
    Setting,
    Symbol,
    Target,
    Values,
    generator,
)

Rule: TypeAlias = Literal["momentum", "rmsprop", "adam"]

SIZES = ((7, 5), (5, 11), (11, 7), (13, 17), (17, 13))
"""Choices of the shape of W."""

STEPS = (3, 1, 2)
"""t by seed: a bias correction without its power is right at t = 1 alone."""


@dataclass(frozen=True, eq=False)
class StepProblem:
    """A parameter, the gradients of steps 1 to t, and the rule's numbers; ``epsilon`` is not too small to be seen."""

    rule: Rule
    W: Array
    gradients: Array
    alpha: float
    beta1: float
    beta2: float
    epsilon: float

    @property
    def t(self) -> int:
        """The number of the step."""
        return len(self.gradients)

    def given(self) -> Values:
        """The parameter, its gradient, the state before the step, and the rule's numbers under the rule's names."""
        averages = self._averages(self.t - 1)
        found: Values = {"W": self.W, "dW": self.gradients[-1], "alpha": self.alpha, **averages}
        n, n_prev = self.W.shape
        if self.rule == "momentum":
            return {**found, "n": n, "n_prev": n_prev, "beta": self.beta1}
        numbers = {"n": n, "n_prev": n_prev, "beta2": self.beta2, "epsilon": self.epsilon}
        return {**found, **numbers, **({"beta1": self.beta1, "t": self.t} if self.rule == "adam" else {})}

    def by_numpy(self, l2: bool) -> Values:
        """The averages by their sums over the steps, then the step."""
        now = self._averages(self.t)
        if self.rule == "momentum":
            return {**now, "W": self.W - self.alpha * now["v"]}
        if self.rule == "rmsprop":
            return {**now, "W": self.W - self.alpha * self.gradients[-1] / (np.sqrt(now["s"]) + self.epsilon)}
        v_corrected, s_corrected = now["v"] / (1 - self.beta1**self.t), now["s"] / (1 - self.beta2**self.t)
        W = self.W - self.alpha * v_corrected / (np.sqrt(s_corrected) + self.epsilon)
        return {**now, "v_corrected": v_corrected, "s_corrected": s_corrected, "W": W}

    def by_torch(self, l2: bool) -> Values:
        """Torch's operations for averages, and its Adam."""
        from parity_tests.derivations.settings import torch_training

        return torch_training.step(self.rule, self.W, self.gradients, self.alpha, self.beta1, self.beta2, self.epsilon)

    def _averages(self, t: int) -> Values:
        """The decaying averages after t steps: (1 - beta) times the sum of beta^(t - k) times what step k gave."""
        past = self.gradients[:t]

        def average(beta: float, terms: Array) -> Array:
            weights = (1 - beta) * beta ** np.arange(t - 1, -1, -1.0)
            total: Array = np.tensordot(weights, terms, axes=1)
            return total

        found: Values = {}
        if self.rule != "rmsprop":
            found["v"] = average(self.beta1, past)
        if self.rule != "momentum":
            found["s"] = average(self.beta2, past**2)
        return found


def _draw(rule: Rule, seed: int) -> StepProblem:
    rng = generator(rule, seed)
    t, shape = STEPS[seed % len(STEPS)] if rule == "adam" else 3, sizes_of(SIZES, seed)
    return StepProblem(
        rule,
        rng.standard_normal(shape),
        rng.standard_normal((t, *shape)),
        learning_rate(rng),
        float(rng.uniform(0.86, 0.92)),
        float(rng.uniform(0.95, 0.98)),
        float(rng.uniform(0.02, 0.05)),
    )


AVERAGE = {
    "v": (
        "{beta} * v + (1 - {beta}) * dW",
        "(1 - {beta}) * dW + {beta} * v",
        "np.multiply({beta}, v) + (1 - {beta}) * dW",
        "v + (1 - {beta}) * (dW - v)",
    ),
    "s": (
        "{beta} * s + (1 - {beta}) * dW**2",
        "{beta} * s + (1 - {beta}) * np.square(dW)",
        "{beta} * s + (1 - {beta}) * np.power(dW, 2)",
        "{beta} * s + (1 - {beta}) * dW * dW",
    ),
}
"""The decaying averages of the gradient and of its square."""

_CORRECTED = ("{name} / (1 - {beta}**t)", "np.divide({name}, 1 - {beta}**t)", "{name} / (1 - np.power({beta}, t))")


def _target(ids: str, right: tuple[str, ...], kind: Kind, after: tuple[str, ...] = ()) -> Target:
    return Target(tuple(ids.split()), right, right, kind, (), after)


def _state(name: str, beta: str, ids: str) -> Target:
    return _target(ids, tuple(each.format(beta=beta) for each in AVERAGE[name]), STATE)


_SYMBOLS = {
    "n": Symbol("n", "()", "number of rows of W"),
    "n_prev": Symbol("n_prev", "()", "number of columns of W"),
    "t": Symbol("t", "()", "number of this step, counted from 1"),
    "alpha": Symbol("alpha", "()", "learning rate"),
    "beta": Symbol("beta", "()", "decay of the average of the gradients"),
    "beta1": Symbol("beta1", "()", "decay of the average of the gradients"),
    "beta2": Symbol("beta2", "()", "decay of the average of their squares"),
    "epsilon": Symbol("epsilon", "()", "small number that is added to the root"),
    "W": Symbol("W", "(n, n_prev)", "parameter before the step, and after W = ... the one after it"),
    "dW": Symbol("dW", "(n, n_prev)", "gradient of this step"),
    "v": Symbol("v", "(n, n_prev)", "average of the gradients: before v = ... the one that the last step left"),
    "s": Symbol("s", "(n, n_prev)", "average of their squares: before s = ... the one that the last step left"),
    "v_corrected": Symbol("v_corrected", "(n, n_prev)", "v without its bias towards 0, also v_hat"),
    "s_corrected": Symbol("s_corrected", "(n, n_prev)", "s without its bias towards 0, also s_hat"),
}
_ALIASES = {
    "learning_rate": "alpha",
    "v_dW": "v",
    "s_dW": "s",
    "VdW": "v",
    "SdW": "s",
    "beta_1": "beta1",
    "beta_2": "beta2",
    "eps": "epsilon",
    "v_hat": "v_corrected",
    "s_hat": "s_corrected",
}


def _setting(rule: Rule, summary: str, cost: str, names: str, targets: Mapping[str, Target]) -> Setting:
    symbols = tuple(_SYMBOLS[name] for name in f"n n_prev alpha {names} W dW".split()) + tuple(
        _SYMBOLS[name] for name in targets if name != "W"
    )
    known = {symbol.name for symbol in symbols}
    return Setting(
        rule,
        summary,
        f"there is no J: {cost}; L2 plays no part",
        symbols,
        targets,
        {"n": ("n", "n_prev")},
        {alias: name for alias, name in _ALIASES.items() if name in known},
        lambda seed: _draw(rule, seed),
        COMMON_FUNCTIONS,
    )


_DIVIDED = "(np.sqrt({s}) + epsilon)"

MOMENTUM = _setting(
    "momentum",
    "one step of gradient descent with momentum; v is the average of the gradients",
    "v = beta v + (1 - beta) dW, and W steps along v",
    "beta",
    {
        "v": _state("v", "beta", "F263"),
        "W": _target("F263", ("W - alpha * v", "W - v * alpha", "W + -alpha * v"), "update", ("v",)),
    },
)
RMSPROP = _setting(
    "rmsprop",
    "one step of RMSprop; s is the average of the squared gradients",
    "s = beta2 s + (1 - beta2) dW^2, and W steps along dW over the root of s, plus epsilon",
    "beta2 epsilon",
    {
        "s": _state("s", "beta2", "F264"),
        "W": _target(
            "F264",
            (
                f"W - alpha * dW / {_DIVIDED.format(s='s')}",
                f"W - alpha * (dW / {_DIVIDED.format(s='s')})",
                f"W - alpha * np.divide(dW, {_DIVIDED.format(s='s')})",
                "W - alpha * dW / (s**0.5 + epsilon)",
            ),
            "update",
            ("s",),
        ),
    },
)
_W_CORRECTED = (
    f"W - alpha * v_corrected / {_DIVIDED.format(s='s_corrected')}",
    f"W - alpha * (v_corrected / {_DIVIDED.format(s='s_corrected')})",
    "W - alpha * np.divide(v_corrected, np.sqrt(s_corrected) + epsilon)",
    "W - alpha * v_corrected / (epsilon + s_corrected**0.5)",
    "W - alpha * (v / (1 - beta1**t)) / (np.sqrt(s / (1 - beta2**t)) + epsilon)",
)
ADAM = _setting(
    "adam",
    "step t of Adam: momentum and RMSprop, each corrected for its bias towards 0",
    "v and s are the averages of the gradients and of their squares, v_corrected and s_corrected those over "
    "1 - beta1^t and 1 - beta2^t, and W steps along v_corrected over the root of s_corrected, plus epsilon",
    "t beta1 beta2 epsilon",
    {
        "v": _state("v", "beta1", "F266"),
        "s": _state("s", "beta2", "F266"),
        "v_corrected": _target(
            "F266", tuple(each.format(name="v", beta="beta1") for each in _CORRECTED), "function", ("v",)
        ),
        "s_corrected": _target(
            "F266", tuple(each.format(name="s", beta="beta2") for each in _CORRECTED), "function", ("s",)
        ),
        "W": _target("F266", _W_CORRECTED, "update", ("v", "s")),
    },
)
OPTIMISERS = (MOMENTUM, RMSPROP, ADAM)
