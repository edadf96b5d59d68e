"""What every layer of a network says of itself: its word, its shapes, its forward and its backward pass.

A shape leaves the examples out: (n,) for columns of n features, (n_H, n_W, n_C) for volumes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple, TypeAlias

from manual.normalization import Statistics
from manual.notation import Array

Shape: TypeAlias = tuple[int, ...]
"""(n,) or (n_H, n_W, n_C)."""

NUMBER = r"(\d{1,9})"
"""A count in a word."""


class Window(NamedTuple):
    """What a convolution or a pooling lays on its input: its sides f, the padding p and the stride s."""

    f: tuple[int, int]
    p: tuple[int, int]
    s: int


class LayerBase(ABC):
    """What every layer says of itself.

    ``words`` are examples of what people type for it, ``pattern`` is a regular expression for all of them, and
    ``from_word`` makes the layer from its groups. A ``masked`` layer takes a mask in training. One that acts
    ``entry_by_entry`` leaves every feature in its place. ``source`` is the layer whose A a skip adds.
    """

    has_parameters: ClassVar[bool] = False
    masked: ClassVar[bool] = False
    entry_by_entry: ClassVar[bool] = False
    source: int | None = None
    words: ClassVar[str]
    pattern: ClassVar[str]

    @classmethod
    @abstractmethod
    def from_word(cls, *groups: Any) -> Layer:
        """The layer that a word stands for; hidden units are ReLU where none is named."""

    @abstractmethod
    def describe(self) -> str:
        """The word for this layer, and its unit."""

    @abstractmethod
    def output_shape(self, shape: Shape) -> Shape:
        """The shape of its output; ValueError for an input that does not fit."""

    @property
    def window(self) -> Window | None:
        """The window that it lays on its input, if any."""
        return None


class Weighted(LayerBase):
    """A layer with parameters and a unit: Z from A_prev, W and b, then A = g(Z).

    ``penalised`` says whether W is drawn at the start and counts in the L2 penalty; the gamma of a norm starts as 1 and
    does not. A layer that ``remembers`` has running statistics, which training moves and the layer is given in use.
    """

    has_parameters = True
    penalised: ClassVar[bool] = True
    remembers: ClassVar[bool] = False
    activation: str

    @abstractmethod
    def parameter_shapes(self, shape: Shape) -> Mapping[str, Shape]:
        """The shapes of W and b, and of mean and variance in a layer that remembers, for an input of this shape."""

    @abstractmethod
    def forward(self, A_prev: Array, W: Array, b: Array, given: Statistics | None = None) -> Array:
        """Z; ``given`` are the running statistics, in use."""

    @abstractmethod
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
        """(dA_prev, dW, db); dA_prev is None where no ``input_gradient`` is asked for."""

    def with_unit(self, unit: str) -> Weighted:
        """The same layer with another unit."""
        return replace(self, activation=unit)  # type: ignore[type-var]  # every layer is a dataclass


class Plain(LayerBase):
    """A layer without parameters: A from A_prev at once.

    What it is ``given`` beside is dropout's mask, None where nothing is dropped, or the A of the source of a skip.
    """

    @abstractmethod
    def forward(self, A_prev: Array, given: Array | None) -> Array:
        """A."""

    @abstractmethod
    def backward(self, dA: Array, A_prev: Array, given: Array | None) -> Array:
        """The derivative in A_prev, per example."""


Layer: TypeAlias = Weighted | Plain


def check_unit(activation: str, known: tuple[str, ...]) -> None:
    """ValueError unless it is one of these."""
    if activation not in known:
        raise ValueError(f"activation is {activation!r}, expected one of {', '.join(known)}")
