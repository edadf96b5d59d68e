"""Batch norm and layer norm as layers: gamma stands in W's place and beta in b's. Their formulas: normalization."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from decimal import Decimal
from typing import ClassVar

from manual import normalization
from manual.activations import ACTIVATIONS
from manual.layer_base import Shape, Weighted, check_unit
from manual.normalization import EPSILON, MOMENTUM, Statistics
from manual.notation import Array

UNIT_INTERVAL = r"(\d?\.?\d{1,400})"
"""A number such as 0.1 in a word."""


def _layout(A: Array) -> str:
    """The layout of a network's values."""
    return "volumes" if A.ndim == 4 else "columns"


class Norm(Weighted):
    """What both norms share. Without a named unit there is none: A = Z."""

    penalised = False
    entry_by_entry = True
    word: ClassVar[str]
    epsilon: float

    def __post_init__(self) -> None:
        """ValueError unless epsilon is above 0 and the activation known."""
        if not 0 < self.epsilon < math.inf:
            raise ValueError(f"epsilon is {self.epsilon!r}, expected a finite number above 0: it keeps the root from 0")
        check_unit(self.activation, tuple(ACTIVATIONS))

    def describe(self) -> str:
        """Such as ``batchnorm relu``; epsilon is named where it is not 1e-05."""
        epsilon = "" if self.epsilon == EPSILON else f"eps{_decimal(self.epsilon)}"
        return f"{self.word}{epsilon} {self.activation}"

    def output_shape(self, shape: Shape) -> Shape:
        """That of the input."""
        return shape


@dataclass(frozen=True)
class BatchNorm(Norm):
    """Batch norm: Z = gamma * (A_prev - mu) / sqrt(sigma^2 + epsilon) + beta, feature by feature or channel by channel.

    In training mu and sigma^2 are the batch's own; in use they are the running averages, in which a new batch weighs
    ``momentum``. See normalization.batch_norm_forward.
    """

    word = "batchnorm"
    words = "batchnorm, batchnorm0.01, batchnormeps0.001"
    pattern = rf"batchnorm{UNIT_INTERVAL}?(?:eps{UNIT_INTERVAL})?"
    remembers = True

    activation: str = "identity"
    _: KW_ONLY
    momentum: float = MOMENTUM
    epsilon: float = EPSILON

    def __post_init__(self) -> None:
        """ValueError for a momentum outside of (0, 1], and as Norm does."""
        super().__post_init__()
        if not 0 < self.momentum <= 1:
            raise ValueError(f"momentum is {self.momentum!r}, expected a number in (0, 1]: the weight of a new batch")

    @classmethod
    def from_word(cls, momentum: str | None, epsilon: str | None) -> BatchNorm:
        """From its momentum and its epsilon."""
        return cls(momentum=float(momentum or MOMENTUM), epsilon=float(epsilon or EPSILON))

    def describe(self) -> str:
        """Such as ``batchnorm relu`` or ``batchnorm0.01 relu``: momentum is named where it is not 0.1."""
        momentum = "" if self.momentum == MOMENTUM else _decimal(self.momentum)
        return super().describe().replace(self.word, self.word + momentum)

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        """One of each for a feature, (n, 1), or for a channel, (1, 1, 1, n_C)."""
        one_each = (shape[0], 1) if len(shape) == 1 else (1, 1, 1, shape[-1])
        return dict.fromkeys(("W", "b", "mean", "variance"), one_each)

    def forward(self, A_prev: Array, W: Array, b: Array, given: Statistics | None = None) -> Array:
        """In training, or in use with the running statistics."""
        if given is None:
            return normalization.batch_norm_forward(A_prev, W, b, _layout(A_prev), self.epsilon)
        return normalization.batch_norm_predict(A_prev, W, b, *given, self.epsilon)

    def backward(
        self,
        dZ: Array,
        A_prev: Array,
        W: Array,
        lambda_: float,
        given: Statistics | None = None,
        *,
        input_gradient: bool,
    ) -> tuple[Array | None, Array, Array]:
        """Through the batch's statistics, or past the running ones, which are constants."""
        if given is None:
            return normalization.batch_norm_backward(dZ, A_prev, W, _layout(A_prev), self.epsilon)
        return normalization.batch_norm_predict_backward(dZ, A_prev, W, *given, _layout(A_prev), self.epsilon)

    def remembered(self, A_prev: Array, before: Statistics) -> Statistics:
        """The running statistics after a batch."""
        return normalization.running_statistics(A_prev, *before, _layout(A_prev), self.momentum)


@dataclass(frozen=True)
class LayerNorm(Norm):
    """Layer norm: the same over all features of one example, in training and in use. See layer_norm_forward."""

    word = "layernorm"
    words = "layernorm"
    pattern = rf"layernorm(?:eps{UNIT_INTERVAL})?"

    activation: str = "identity"
    _: KW_ONLY
    epsilon: float = EPSILON

    @classmethod
    def from_word(cls, epsilon: str | None) -> LayerNorm:
        """From its epsilon."""
        return cls(epsilon=float(epsilon or EPSILON))

    def parameter_shapes(self, shape: Shape) -> dict[str, Shape]:
        """One of each for every feature of an example: (n, 1) or (1, n_H, n_W, n_C)."""
        return dict.fromkeys(("W", "b"), (shape[0], 1) if len(shape) == 1 else (1, *shape))

    def forward(self, A_prev: Array, W: Array, b: Array, given: Statistics | None = None) -> Array:
        """Every example by itself."""
        return normalization.layer_norm_forward(A_prev, W, b, _layout(A_prev), self.epsilon)

    def backward(
        self,
        dZ: Array,
        A_prev: Array,
        W: Array,
        lambda_: float,
        given: Statistics | None = None,
        *,
        input_gradient: bool,
    ) -> tuple[Array | None, Array, Array]:
        """The three derivatives of Z."""
        return normalization.layer_norm_backward(dZ, A_prev, W, _layout(A_prev), self.epsilon)


def _decimal(value: float) -> str:
    """In as many digits as it has."""
    return f"{Decimal(str(float(value))).normalize():f}"
