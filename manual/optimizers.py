"""Optimisers: ``init`` makes a state, ``step`` returns new parameters and a new state. Nothing is stored on objects.

So the learning rate may change on the way: ``dataclasses.replace(rule, learning_rate=...)`` goes on from the same
state. The formulas are in ``manual.updates``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, ClassVar, Generic, NamedTuple, TypeAlias, TypeVar, cast

import numpy as np

from manual.notation import Array, Gradients, Parameters
from manual.updates import (
    AdamUpdate,
    MomentumUpdate,
    RMSpropUpdate,
    adam_update,
    adamw_update,
    classical_momentum_update,
    gradient_descent_update,
    momentum_update,
    nesterov_update,
    rmsprop_update,
)


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


State = TypeVar("State", GradientDescentState, MomentumState, RMSpropState, AdamState)


@dataclass(frozen=True)
class Rule(Generic[State]):
    """What the rules share: settings are checked, a state begins with zeros, every parameter is updated.

    ``update`` takes a parameter, its gradient, its parts of the state and the number t of the step; it gives the
    parameter and the parts after it.
    """

    learning_rate: float
    state_type: ClassVar[Any]
    update: ClassVar[Callable[..., tuple[Array, ...]]]

    def __post_init__(self) -> None:
        """Check the settings."""
        _check_settings(self)

    def init(self, params: Parameters) -> State:
        """The state before the first step: zeros for every parameter, keyed as the gradients are."""
        parts = self.state_type._fields[:-1]
        zeros = ({"d" + name: np.zeros_like(W) for name, W in params.items()} for _ in parts)
        return cast(State, self.state_type(*zeros, t=0))

    def step(self, params: Parameters, grads: Gradients, state: State) -> tuple[Parameters, State]:
        """One step: new parameters and state; the arguments stay as they are.

        Raises ValueError unless every parameter has a gradient, and an array in each part of the state, of its shape.
        """
        *parts, t = cast(Any, state)
        check_gradients(params, grads)
        check_state(params, **dict(zip(self.state_type._fields, parts, strict=False)))
        moved: Parameters = {}
        after: list[Gradients] = [{} for _ in parts]
        for name, W in params.items():
            d = "d" + name
            moved[name], *updated = self.update(W, grads[d], *(part[d] for part in parts), t + 1)
            for part, value in zip(after, updated, strict=True):
                part[d] = value
        return moved, cast(State, self.state_type(*after, t=t + 1))

    def move(self, W: Array, dW: Array, parts: Sequence[Array], t: int) -> None:
        """``update`` in place: a parameter and its parts of the state become what they are after step t."""
        for array, value in zip((W, *parts), self.update(W, dW, *parts, t), strict=True):
            array[...] = value


@dataclass(frozen=True)
class GradientDescent(Rule[GradientDescentState]):
    """Gradient descent: W := W - alpha dW, b := b - alpha db. See gradient_descent_update.

    Raises ValueError for a learning rate that is not finite and above 0.

    Notes: F029, F056, F091, F181.
    """

    state_type: ClassVar = GradientDescentState

    def update(self, W: Array, dW: Array, t: int) -> tuple[Array]:
        """One parameter, moved; there is nothing to remember."""
        return (gradient_descent_update(W, dW, self.learning_rate),)


@dataclass(frozen=True)
class Momentum(Rule[MomentumState]):
    """Gradient descent with momentum: W := W - alpha v. See momentum_update.

    Raises ValueError for a learning rate that is not finite and above 0, or a beta outside [0, 1).

    Notes: F263.
    """

    beta: float = 0.9
    state_type: ClassVar = MomentumState

    def update(self, W: Array, dW: Array, v: Array, t: int) -> MomentumUpdate:
        """One parameter, and its velocity."""
        return momentum_update(W, dW, v, self.learning_rate, self.beta)


@dataclass(frozen=True)
class RMSprop(Rule[RMSpropState]):
    """Gradient descent over the root mean square: W := W - alpha dW / (sqrt(s) + epsilon). See rmsprop_update.

    Raises ValueError for a learning rate or an epsilon that is not finite and above 0, or a beta2 outside [0, 1).

    Notes: F264.
    """

    beta2: float = 0.999
    epsilon: float = 1e-8
    state_type: ClassVar = RMSpropState

    def update(self, W: Array, dW: Array, s: Array, t: int) -> RMSpropUpdate:
        """One parameter, and the mean square of its gradients."""
        return rmsprop_update(W, dW, s, self.learning_rate, self.beta2, self.epsilon)


@dataclass(frozen=True)
class Adam(Rule[AdamState]):
    """Momentum over the root mean square, both bias-corrected: W := W - alpha v_hat / (sqrt(s_hat) + epsilon).

    See adam_update.

    Raises ValueError for a learning rate or an epsilon that is not finite and above 0, or a beta outside [0, 1).

    Notes: F266.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    state_type: ClassVar = AdamState

    def update(self, W: Array, dW: Array, v: Array, s: Array, t: int) -> AdamUpdate:
        """One parameter, its velocity, and the mean square of its gradients."""
        return adam_update(W, dW, v, s, t, self.learning_rate, self.beta1, self.beta2, self.epsilon)

    def move(self, W: Array, dW: Array, parts: Sequence[Array], t: int) -> None:
        """``update`` in place, without arrays between."""
        v, s = parts
        rate, out = self.learning_rate, AdamUpdate(W, v, s)
        adam_update(W, dW, v, s, t, rate, self.beta1, self.beta2, self.epsilon, out=out)


@dataclass(frozen=True)
class ClassicalMomentum(Rule[MomentumState]):
    """Momentum as torch has it, without the notes' factor 1 - beta. See classical_momentum_update.

    Raises ValueError for a learning rate that is not finite and above 0, or a beta or dampening outside [0, 1).
    """

    beta: float = 0.9
    dampening: float = 0.0
    state_type: ClassVar = MomentumState

    def update(self, W: Array, dW: Array, v: Array, t: int) -> MomentumUpdate:
        """One parameter, and its velocity."""
        return classical_momentum_update(W, dW, v, t, self.learning_rate, self.beta, self.dampening)


@dataclass(frozen=True)
class Nesterov(Rule[MomentumState]):
    """Nesterov's momentum as torch has it. See nesterov_update.

    Raises ValueError for a learning rate that is not finite and above 0, or a beta outside [0, 1).
    """

    beta: float = 0.9
    state_type: ClassVar = MomentumState

    def update(self, W: Array, dW: Array, v: Array, t: int) -> MomentumUpdate:
        """One parameter, and its velocity."""
        return nesterov_update(W, dW, v, self.learning_rate, self.beta)


@dataclass(frozen=True)
class AdamW(Rule[AdamState]):
    """Adam with decoupled weight decay, of every parameter, biases too. See adamw_update.

    Raises ValueError for a learning rate or an epsilon that is not finite and above 0, a beta outside [0, 1), or a
    weight decay that is not finite or below 0.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.01
    state_type: ClassVar = AdamState

    def update(self, W: Array, dW: Array, v: Array, s: Array, t: int) -> AdamUpdate:
        """One parameter, its velocity, and the mean square of its gradients."""
        return adamw_update(W, dW, v, s, t, *vars(self).values())


Optimizer: TypeAlias = GradientDescent | Momentum | RMSprop | Adam | ClassicalMomentum | Nesterov | AdamW
"""A rule; the state that its ``init`` makes belongs to its own ``step`` alone."""

NOTES: dict[str, Callable[..., Optimizer]] = {
    "gradient_descent": GradientDescent,
    "momentum": Momentum,
    "rmsprop": RMSprop,
    "adam": Adam,
}
"""The notes' own rules."""

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {
    **NOTES,
    "classical_momentum": ClassicalMomentum,
    "nesterov": Nesterov,
    "adamw": AdamW,
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


def _above_zero(value: float) -> bool:
    return 0 < value < math.inf


def _not_below_zero(value: float) -> bool:
    return 0 <= value < math.inf


def _below_one(value: float) -> bool:
    return 0 <= value < 1


SETTINGS: dict[str, tuple[Callable[[float], bool], str]] = {
    "learning_rate": (_above_zero, "a finite number above 0: the length of a step"),
    "beta": (_below_one, "a number in [0, 1): the weight of the past"),
    "beta1": (_below_one, "a number in [0, 1): the weight of the past in v"),
    "beta2": (_below_one, "a number in [0, 1): the weight of the past in s"),
    "dampening": (_below_one, "a number in [0, 1): what a gradient loses in v"),
    "weight_decay": (_not_below_zero, "a finite number of at least 0: the share of W that a step takes off"),
    "epsilon": (_above_zero, "a finite number above 0: it keeps the quotient finite"),
}
"""What every setting of a rule must be."""


def _check_settings(rule: Rule[Any]) -> None:
    """ValueError for a setting out of range. Settings become Python floats, which leave an array's dtype alone."""
    for name, value in vars(rule).items():
        holds, expected = SETTINGS[name]
        if not isinstance(value, Real) or not holds(float(value)):
            raise ValueError(f"{name} is {value!r}, expected {expected}")
        object.__setattr__(rule, name, float(value))
