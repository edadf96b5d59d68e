"""Optimisers: ``init`` makes a state, ``step`` returns new parameters and a new state. Nothing is stored on objects.

So the learning rate may change on the way: ``dataclasses.replace(rule, learning_rate=...)`` goes on from the same
state. The formulas are in ``manual.updates``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import NamedTuple, TypeAlias

import numpy as np

from manual.notation import Gradients, Parameters
from manual.updates import adam_update, gradient_descent_update, momentum_update, rmsprop_update


class GradientDescentState(NamedTuple):
    """Gradient descent remembers the number of steps t and nothing else."""

    t: int


class MomentumState(NamedTuple):
    """The velocity v of every parameter, keyed as the gradients are, and the number of steps t."""

    v: Gradients
    t: int


class RMSpropState(NamedTuple):
    """The mean square s of every gradient, keyed as the gradients are, and the number of steps t."""

    s: Gradients
    t: int


class AdamState(NamedTuple):
    """Velocity v and mean square s, both uncorrected and keyed as the gradients are, and the number of steps t."""

    v: Gradients
    s: Gradients
    t: int


@dataclass(frozen=True)
class GradientDescent:
    """Gradient descent: W := W - alpha dW, b := b - alpha db. See gradient_descent_update.

    Raises ValueError for a learning rate that is not finite and above 0.

    Notes: F029, F056, F091, F181.
    """

    learning_rate: float

    def __post_init__(self) -> None:
        """Check the settings."""
        _check_settings(self)

    def init(self, params: Parameters) -> GradientDescentState:
        """The state before the first step."""
        return GradientDescentState(t=0)

    def step(
        self, params: Parameters, grads: Gradients, state: GradientDescentState
    ) -> tuple[Parameters, GradientDescentState]:
        """One step: new parameters and state; the arguments stay as they are.

        Raises ValueError unless every parameter has a gradient of its shape.
        """
        check_gradients(params, grads)
        moved = {name: gradient_descent_update(W, grads["d" + name], self.learning_rate) for name, W in params.items()}
        return moved, GradientDescentState(state.t + 1)


@dataclass(frozen=True)
class Momentum:
    """Gradient descent with momentum: W := W - alpha v. See momentum_update.

    Raises ValueError for a learning rate that is not finite and above 0, or a beta outside [0, 1).

    Notes: F263.
    """

    learning_rate: float
    beta: float = 0.9

    def __post_init__(self) -> None:
        """Check the settings."""
        _check_settings(self)

    def init(self, params: Parameters) -> MomentumState:
        """The state before the first step: no velocity."""
        return MomentumState(v=_zeros(params), t=0)

    def step(self, params: Parameters, grads: Gradients, state: MomentumState) -> tuple[Parameters, MomentumState]:
        """One step: new parameters and state; the arguments stay as they are.

        Raises ValueError unless every parameter has a gradient and a velocity of its shape.
        """
        check_gradients(params, grads)
        check_state(params, v=state.v)
        moved, v = {}, {}
        for name, W in params.items():
            d = "d" + name
            moved[name], v[d] = momentum_update(W, grads[d], state.v[d], self.learning_rate, self.beta)
        return moved, MomentumState(v, state.t + 1)


@dataclass(frozen=True)
class RMSprop:
    """Gradient descent over the root mean square: W := W - alpha dW / (sqrt(s) + epsilon). See rmsprop_update.

    Raises ValueError for a learning rate or an epsilon that is not finite and above 0, or a beta2 outside [0, 1).

    Notes: F264.
    """

    learning_rate: float
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        """Check the settings."""
        _check_settings(self)

    def init(self, params: Parameters) -> RMSpropState:
        """The state before the first step: no mean squares."""
        return RMSpropState(s=_zeros(params), t=0)

    def step(self, params: Parameters, grads: Gradients, state: RMSpropState) -> tuple[Parameters, RMSpropState]:
        """One step: new parameters and state; the arguments stay as they are.

        Raises ValueError unless every parameter has a gradient and a mean square of its shape.
        """
        check_gradients(params, grads)
        check_state(params, s=state.s)
        moved, s = {}, {}
        for name, W in params.items():
            d = "d" + name
            moved[name], s[d] = rmsprop_update(W, grads[d], state.s[d], self.learning_rate, self.beta2, self.epsilon)
        return moved, RMSpropState(s, state.t + 1)


@dataclass(frozen=True)
class Adam:
    """Momentum over the root mean square, both bias-corrected: W := W - alpha v_hat / (sqrt(s_hat) + epsilon).

    See adam_update.

    Raises ValueError for a learning rate or an epsilon that is not finite and above 0, or a beta outside [0, 1).

    Notes: F266.
    """

    learning_rate: float
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        """Check the settings."""
        _check_settings(self)

    def init(self, params: Parameters) -> AdamState:
        """The state before the first step: no velocity, no mean squares."""
        return AdamState(v=_zeros(params), s=_zeros(params), t=0)

    def step(self, params: Parameters, grads: Gradients, state: AdamState) -> tuple[Parameters, AdamState]:
        """One step: new parameters and state; the arguments stay as they are.

        Raises ValueError unless every parameter has a gradient, a velocity and a mean square of its shape.
        """
        check_gradients(params, grads)
        check_state(params, v=state.v, s=state.s)
        t = state.t + 1
        settings = (t, self.learning_rate, self.beta1, self.beta2, self.epsilon)
        moved, v, s = {}, {}, {}
        for name, W in params.items():
            d = "d" + name
            moved[name], v[d], s[d] = adam_update(W, grads[d], state.v[d], state.s[d], *settings)
        return moved, AdamState(v, s, t)


Optimizer: TypeAlias = GradientDescent | Momentum | RMSprop | Adam
"""A rule; the state that its ``init`` makes belongs to its own ``step`` alone."""

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    "gradient_descent": GradientDescent,
    "momentum": Momentum,
    "rmsprop": RMSprop,
    "adam": Adam,
}
"""Rules by name, as functions of the learning rate and their own settings."""


def check_gradients(params: Parameters, grads: Gradients) -> None:
    """ValueError unless there is one gradient of the same shape for every parameter."""
    for name, value in params.items():
        gradient = grads.get("d" + name)
        if gradient is None or gradient.shape != value.shape:
            got = "none" if gradient is None else f"shape {gradient.shape}"
            raise ValueError(f"the gradient d{name} has {got}, expected shape {value.shape}: a gradient per parameter")


def check_state(params: Parameters, **state: Gradients) -> None:
    """ValueError unless every part of the state has one array for every parameter."""
    expected = {"d" + name for name in params}
    for name, arrays in state.items():
        if arrays.keys() != expected:
            raise ValueError(
                f"{name} has {sorted(arrays)}, expected {sorted(expected)}: init makes it from the parameters"
            )


def _zeros(params: Parameters) -> Gradients:
    """Zeros for every parameter, keyed as the gradients are."""
    return {"d" + name: np.zeros_like(W) for name, W in params.items()}


def _above_zero(value: float) -> bool:
    return 0 < value < math.inf


def _below_one(value: float) -> bool:
    return 0 <= value < 1


SETTINGS: dict[str, tuple[Callable[[float], bool], str]] = {
    "learning_rate": (_above_zero, "a finite number above 0: the length of a step"),
    "beta": (_below_one, "a number in [0, 1): the weight of the past"),
    "beta1": (_below_one, "a number in [0, 1): the weight of the past in v"),
    "beta2": (_below_one, "a number in [0, 1): the weight of the past in s"),
    "epsilon": (_above_zero, "a finite number above 0: it keeps the quotient finite"),
}
"""What every setting of a rule must be."""


def _check_settings(rule: Optimizer) -> None:
    """ValueError for a setting out of range. Settings become Python floats, which leave an array's dtype alone."""
    for name, value in vars(rule).items():
        holds, expected = SETTINGS[name]
        if not isinstance(value, Real) or not holds(float(value)):
            raise ValueError(f"{name} is {value!r}, expected {expected}")
        object.__setattr__(rule, name, float(value))
