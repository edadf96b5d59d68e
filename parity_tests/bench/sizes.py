"""What is timed: steps of networks, convolutions and whole trainings, their data, and the ratios they are held to.

Every worker process imports this module, so it imports neither torch nor anything built on it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from manual import network
from manual.architecture import Architecture, Dense
from manual.draws import initial_parameters
from manual.notation import Array, Parameters
from manual.shapes import conv_output_size
from manual.shared.cli import toy_datasets
from manual.shared.settings import Settings

LAMBDA, LEARNING_RATE = 0.7, 0.1

MARGIN = 1e-4
"""No unit's Z starts closer to its kink: rounding cannot put the two sides on different sides of it."""


class Size(NamedTuple):
    """Units of every layer, the input first, and the number of examples."""

    units: tuple[int, ...]
    m: int

    def __str__(self) -> str:
        """Such as ``64-128-10; 1438``."""
        return f"{'-'.join(str(n) for n in self.units)}; {self.m}"


class Bar(NamedTuple):
    """The most that a step by hand may take, in one thread, in units of torch's step and of its matrix products."""

    torch: float
    products: float | None = None


SIZES: dict[Size, Bar] = {
    Size((2, 4, 1), 400): Bar(0.35),
    Size((64, 64, 10), 64): Bar(0.4),
    Size((64, 128, 10), 1438): Bar(0.8),
    Size((784, 512, 256, 10), 256): Bar(0.95, products=1.25),
}

JAX_BAR = 1.3
"""The most that a step by hand may take, in one thread, in units of JAX's jitted step."""

SHARED_SIZES: dict[Size, float] = {Size((784, 512, 256, 10), 2048): 1.3}
"""Networks whose steps two processes share, and the most that such a step may take in units of two threads' step."""

LOOPS: dict[str, tuple[int, ...]] = {"propagate": (10, 1), "weight_gradient": (10, 5)}
"""Formulas whose loop is timed against the vectorised form, with the units of the layer that they act on."""

LOOP_EXAMPLES = (10, 100, 1000)

LOOP_CASES = ("logistic_regression.propagate", "dense.weight_gradient")
"""The cases that hold each of LOOPS against its loop."""


class Data(NamedTuple):
    """Everything that both sides start from."""

    architecture: Architecture
    params: Parameters
    X: Array
    Y: Array


def draw(size: Size, dtype: Any) -> Data:
    """Network, parameters and random data of a size: ReLU, then a sigmoid for one output and a softmax for several.

    The draws are the same in every process. Examples that bring a hidden unit close to its kink are left out.
    """
    n_x, *hidden, n_L = size.units
    output = Dense(n_L, "sigmoid" if n_L == 1 else "softmax")
    architecture = Architecture(n_x, (*(Dense(n, "relu") for n in hidden), output))
    rng = np.random.default_rng(0)
    params = initial_parameters(architecture, "he", rng)
    for name in params:
        if name.startswith("b"):
            params[name] = 0.1 * rng.standard_normal(params[name].shape)
    X = rng.standard_normal((n_x, size.m + size.m // 4 + 8))
    near = np.zeros(X.shape[1], bool)
    for Z in network.forward(architecture, params, X).Z[1:-1]:
        near |= (np.abs(Z) < MARGIN).any(axis=0)  # type: ignore[arg-type]
    X = X[:, ~near][:, : size.m]
    Y = rng.integers(0, 2, (1, size.m)) if n_L == 1 else np.eye(n_L)[:, rng.integers(0, n_L, size.m)]
    cast = {name: value.astype(dtype) for name, value in params.items()}
    return Data(architecture, cast, np.array(X, dtype, order="C"), np.array(Y, dtype, order="C"))


LARGEST = 3
"""The largest whole number that is drawn. No sum over these sizes reaches 2^24, so float32 too holds all of them."""


class ConvSize(NamedTuple):
    """Examples, sides of the input and channels; filters, their sides, padding and stride."""

    m: int
    n: int
    n_C_prev: int
    n_C: int
    f: int
    p: int
    s: int

    def __str__(self) -> str:
        """Such as ``64, 8, 1, 16, 3, 1, 1``."""
        return ", ".join(str(number) for number in self)

    @property
    def n_out(self) -> int:
        """Side of the output."""
        return conv_output_size(self.n, self.f, pad=self.p, stride=self.s)

    @property
    def unrolled(self) -> int:
        """Entries of the matrix whose rows are all windows of all examples."""
        return self.m * self.n_out**2 * self.f**2 * self.n_C_prev


CONV_SIZES = (
    ConvSize(64, 8, 1, 16, 3, 1, 1),
    ConvSize(64, 8, 16, 32, 3, 1, 1),
    ConvSize(256, 28, 1, 32, 5, 2, 1),
    ConvSize(128, 14, 32, 64, 3, 1, 1),
    ConvSize(64, 32, 64, 64, 3, 1, 1),
    ConvSize(64, 32, 64, 128, 3, 1, 2),
)

MEAN_BARS = {"float32": 0.95, "float64": 0.5}
"""The most that the geometric mean of by hand / torch may be over CONV_SIZES, in one thread."""

WORST_BAR = 1.6
"""The most that any one of them may be."""

MEMORY_SIZES = tuple(sorted(CONV_SIZES, key=lambda size: size.unrolled)[-3:])
"""The sizes whose memory is measured: the three largest."""

WORKSPACE_BAR = 0.1
"""The most memory that a pass may take beyond its outputs, in units of the unrolled matrix."""


class ConvData(NamedTuple):
    """Everything that both sides start from."""

    size: ConvSize
    dZ: Array
    A_prev: Array
    W: Array
    b: Array


def draw_volumes(size: ConvSize, dtype: Any) -> ConvData:
    """Whole numbers from -3 to 3, the same in every process.

    Every product and every sum of them is exact, in whatever order it is taken, and so is the division by m, a power
    of 2: the two sides must agree to the last bit.
    """
    rng = np.random.default_rng(0)
    shapes = (
        (size.m, size.n_out, size.n_out, size.n_C),
        (size.m, size.n, size.n, size.n_C_prev),
        (size.f, size.f, size.n_C_prev, size.n_C),
        (1, 1, 1, size.n_C),
    )
    return ConvData(size, *(rng.integers(-LARGEST, LARGEST + 1, shape).astype(dtype) for shape in shapes))


EPOCHS = 20


class FitSize(NamedTuple):
    """Units of the hidden layers and examples in a batch."""

    hidden: tuple[int, ...]
    batch_size: int

    def __str__(self) -> str:
        """Such as ``128, 64; 200``."""
        return f"{', '.join(str(n) for n in self.hidden)}; {self.batch_size}"


class FitBar(NamedTuple):
    """The most that a training by hand may take, in units of scikit-learn's and of torch's."""

    sklearn: float
    torch: float


FIT_SIZES: dict[FitSize, FitBar] = {
    FitSize((64,), 64): FitBar(0.6, 0.5),
    FitSize((64,), 200): FitBar(0.6, 0.5),
    FitSize((128, 64), 64): FitBar(0.6, 0.6),
    FitSize((128, 64), 200): FitBar(0.6, 0.6),
    FitSize((512, 256), 64): FitBar(0.85, 1.0),
    FitSize((512, 256), 200): FitBar(0.85, 1.0),
}


class FitData(NamedTuple):
    """Network, settings and the training part of digits."""

    size: FitSize
    architecture: Architecture
    settings: Settings
    X: Array
    Y: Array


def draw_digits(size: FitSize, dtype: Any) -> FitData:
    """ReLU layers under a softmax; no penalty, no dropout, no decay: what scikit-learn's network does too."""
    data = toy_datasets().load("digits", dtype=dtype)
    layers = (*(Dense(n, "relu") for n in size.hidden), Dense(data.Y_train.shape[0], "softmax"))
    settings = Settings(optimizer="adam", learning_rate=0.001, epochs=EPOCHS, batch_size=size.batch_size)
    return FitData(size, Architecture(data.X_train.shape[0], layers), settings, data.X_train, data.Y_train)
