"""Momentum, RMSprop and Adam: one step of one parameter, at step t, from the state that the steps before left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Literal, TypeAlias

import numpy as np

from manual.notation import Array
from parity_tests.derivations.settings.reference import reference
from parity_tests.derivations.settings.setting import Setting, Values, generator

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
    t, shape = STEPS[seed % len(STEPS)] if rule == "adam" else 3, SIZES[seed % len(SIZES)]
    return StepProblem(
        rule,
        rng.standard_normal(shape),
        rng.standard_normal((t, *shape)),
        float(rng.uniform(0.27, 0.36)),
        float(rng.uniform(0.86, 0.92)),
        float(rng.uniform(0.95, 0.98)),
        float(rng.uniform(0.02, 0.05)),
    )


_TEXT = """\
{name}: {summary}
cost: there is no J: {cost}; L2 plays no part
also: {also}
n  # number of rows of W
n_prev  # number of columns of W
{numbers}
W (n, n_prev)  # parameter before the step, and after W = ... the one after it
dW (n, n_prev)  # gradient of this step
{rule}
"""
_NUMBERS = {
    "t": "number of this step, counted from 1",
    "alpha": "learning rate",
    "beta": "decay of the average of the gradients",
    "beta1": "decay of the average of the gradients",
    "beta2": "decay of the average of their squares",
    "epsilon": "small number that is added to the root",
}
_V_ROW = (
    "v (n, n_prev) = {beta} * v + (1 - {beta}) * dW  # {ids} [state]; average of the gradients: "
    "before v = ... the one that the last step left"
)
_S_ROW = (
    "s (n, n_prev) = beta2 * s + (1 - beta2) * dW**2  # {ids} [state]; average of their squares: "
    "before s = ... the one that the last step left"
)


def _setting(rule: Rule, summary: str, cost: str, numbers: str, also: str, *rows: str) -> Setting:
    drawn = "\n".join(f"{name} ~ rate  # {_NUMBERS[name]}" for name in f"alpha {numbers}".split())
    text = _TEXT.format(name=rule, summary=summary, cost=cost, also=also, numbers=drawn, rule="\n".join(rows))
    return replace(reference(text), draw=partial(_draw, rule))


MOMENTUM = _setting(
    "momentum",
    "one step of gradient descent with momentum; v is the average of the gradients",
    "v = beta v + (1 - beta) dW, and W steps along v",
    "beta",
    "learning_rate = alpha, v_dW = v, VdW = v",
    _V_ROW.format(beta="beta", ids="F263"),
    "W = W - alpha * v  # F263 [update] after v",
)
RMSPROP = _setting(
    "rmsprop",
    "one step of RMSprop; s is the average of the squared gradients",
    "s = beta2 s + (1 - beta2) dW^2, and W steps along dW over the root of s, plus epsilon",
    "beta2 epsilon",
    "learning_rate = alpha, s_dW = s, SdW = s, beta_2 = beta2, eps = epsilon",
    _S_ROW.format(ids="F264"),
    "W = W - alpha * dW / (np.sqrt(s) + epsilon)  # F264 [update] after s",
)
ADAM = _setting(
    "adam",
    "step t of Adam: momentum and RMSprop, each corrected for its bias towards 0",
    "v and s are the averages of the gradients and of their squares, v_corrected and s_corrected those over "
    "1 - beta1^t and 1 - beta2^t, and W steps along v_corrected over the root of s_corrected, plus epsilon",
    "t beta1 beta2 epsilon",
    "learning_rate = alpha, v_dW = v, s_dW = s, VdW = v, SdW = s, beta_1 = beta1, beta_2 = beta2, eps = epsilon, "
    "v_hat = v_corrected, s_hat = s_corrected",
    _V_ROW.format(beta="beta1", ids="F266"),
    _S_ROW.format(ids="F266"),
    "v_corrected (n, n_prev) = v / (1 - beta1**t)  # F266 [function] after v; v without its bias towards 0, also v_hat",
    "s_corrected (n, n_prev) = s / (1 - beta2**t)  # F266 [function] after s; s without its bias towards 0, also s_hat",
    "W = W - alpha * v_corrected / (np.sqrt(s_corrected) + epsilon)  # F266 [update] after v s",
)
OPTIMISERS = (MOMENTUM, RMSPROP, ADAM)
