"""How time and memory grow with what is given: each task at one size and at four times that size."""

from __future__ import annotations

import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

TIMES = 4
"""How many times larger the second size is: growth in proportion takes four times as long, a square sixteen times."""

BAR = 1.25
"""The most that the exponent may be: log of the ratio of times, or of memory, over log of the ratio of sizes."""


Work: TypeAlias = Callable[[int], Callable[[], object]]
"""Makes, of a size, a function that does the work."""


class GrowthSize(NamedTuple):
    """A task by its name in GROWING, and how large it is."""

    task: str
    n: int

    def __str__(self) -> str:
        """Such as ``layers of a training: 8``."""
        return f"{self.task}: {self.n}"


class Growing(NamedTuple):
    """The smaller size, and what makes the work of a size."""

    least: int
    work: Work


def _training(units: Callable[[int], tuple[int, ...]], m: Callable[[int], int]) -> Work:
    """Five epochs of Adam of a network with these units, all examples in a batch."""

    def work(n: int) -> Callable[[], object]:
        from manual.architecture import Architecture, Dense
        from manual.shared.settings import Settings
        from manual.training import fit

        first, *hidden, last = units(n)
        net = Architecture(first, (*(Dense(each, "tanh") for each in hidden), Dense(last, "softmax")))
        rng, examples = np.random.default_rng(0), m(n)
        X, Y = rng.standard_normal((first, examples)), np.eye(last)[:, rng.integers(0, last, examples)]
        return lambda: fit(net, X, Y, Settings(epochs=5, batch_size=examples))

    return work


def _table(shape: Callable[[int], tuple[int, int]]) -> Work:
    """A CSV of such a shape, read and prepared."""

    def work(n: int) -> Callable[[], object]:
        from manual.shared.cli import toy_datasets

        X = np.random.default_rng(0).standard_normal(shape(n))
        head = ",".join([*(f"x{column}" for column in range(X.shape[1])), "y"])
        rows = (",".join([*(f"{value:.4f}" for value in row), str(i % 2)]) for i, row in enumerate(X))
        read = toy_datasets().from_file
        folder = tempfile.TemporaryDirectory(prefix="growth-")
        path = Path(folder.name, "table.csv")
        path.write_text("\n".join([head, *rows]), encoding="utf-8")
        return lambda: read(path, target="y") if folder.name else None  # the folder lasts as long as this does

    return work


def _derivation(*, wrong: bool) -> Work:
    """A text of n layers, forward and backward, judged; perhaps with one wrong line near its input."""

    def work(n: int) -> Callable[[], object]:
        from parity_tests.derivations.verify import verify

        text = derivation(n, wrong=wrong)
        return lambda: verify(text)

    return work


def derivation(layers: int, *, wrong: bool) -> str:
    """A network of tanh layers under a sigmoid; where ``wrong``, dZ1 lacks the square of tanh's derivative."""
    rows = []
    for layer in range(1, layers + 1):
        rows.append(f"Z{layer} = W{layer} @ {f'A{layer - 1}' if layer > 1 else 'X'} + b{layer}")
        rows.append(f"A{layer} = {f'np.tanh(Z{layer})' if layer < layers else f'1 / (1 + np.exp(-Z{layer}))'}")
    rows.append(f"J = -np.sum(Y * np.log(A{layers}) + (1 - Y) * np.log(1 - A{layers})) / m")
    rows.append(f"dZ{layers} = A{layers} - Y")
    for layer in range(layers, 0, -1):
        below = layer - 1
        rows.append(f"dW{layer} = dZ{layer} @ {f'A{below}' if below else 'X'}.T / m")
        rows.append(f"db{layer} = np.sum(dZ{layer}, axis=1, keepdims=True) / m")
        if below:
            square = "" if wrong and below == 1 else "**2"
            rows.append(f"dZ{below} = W{layer}.T @ dZ{layer} * (1 - A{below}{square})")
    return "\n".join(rows)


def _module(n: int) -> Callable[[], object]:
    """A module of n layers, compared with the formulas."""
    import torch

    from parity_tests import compare

    torch.manual_seed(0)
    layers = [layer for _ in range(n) for layer in (torch.nn.Linear(8, 8), torch.nn.Tanh())]
    module = torch.nn.Sequential(*layers, torch.nn.Linear(8, 3)).double()
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((20, 8)), np.eye(3)[rng.integers(0, 3, 20)]
    return lambda: compare(module=module, X=X, Y=Y)


GROWING: dict[str, Growing] = {
    "examples of a training": Growing(2000, _training(lambda n: (64, 64, 10), lambda n: n)),
    "features of a training": Growing(200, _training(lambda n: (n, 64, 10), lambda n: 500)),
    "classes of a training": Growing(64, _training(lambda n: (64, 64, n), lambda n: 500)),
    "layers of a training": Growing(8, _training(lambda n: (64, *(64,) * n, 10), lambda n: 200)),
    "examples of a CSV": Growing(2000, _table(lambda n: (n, 20))),
    "features of a CSV": Growing(500, _table(lambda n: (200, n))),
    "layers of a compared module": Growing(8, _module),
    "layers of a right text": Growing(4, _derivation(wrong=False)),
    "layers of a text with a mistake": Growing(4, _derivation(wrong=True)),
}
"""What grows, by what it is the number of."""


def draw_growth(size: GrowthSize, dtype: str) -> Callable[[], object]:
    """The work of a size; every task has the dtype of its own."""
    del dtype
    return GROWING[size.task].work(size.n)


def peak(work: Callable[[], object]) -> Callable[[], int]:
    """The most memory that the work takes at a time beyond what was there, in bytes."""

    def measured() -> int:
        work()  # what is kept for later calls is there already
        tracemalloc.start()
        try:
            work()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    return measured


TASKS: dict[str, Callable[[Any], Callable[[], object]]] = {"work": lambda work: work, "peak": peak}
"""What can be timed, and what can be asked once."""
