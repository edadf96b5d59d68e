"""Twenty-five scalar functions with their right gradients, at any scale: for the bars of check_gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from manual import conv, pooling
from manual.notation import Array

RNG = np.random.default_rng(25)
A, B, C = RNG.normal(size=(4, 6)), RNG.normal(size=(3, 4)), RNG.normal(size=6)
ONE_HOT = np.eye(3)[RNG.integers(0, 3, 5)].T
FEATURES = RNG.normal(size=(2, 5))
FILTER, UPSTREAM = RNG.normal(size=(2, 2, 1, 2)), RNG.normal(size=(1, 2, 2, 2))


class Subject(NamedTuple):
    """A function of one array of a shape, and its gradient; ``positive`` where x must be."""

    name: str
    f: Callable[[Any], Any]
    gradient: Callable[[Any], Any]
    shape: tuple[int, ...] = (6,)
    positive: bool = False


def softmax(z: Any) -> Any:
    """Of columns; the shift is a constant."""
    e = np.exp(z - z.real.max(axis=0, keepdims=True))
    return e / e.sum(axis=0, keepdims=True)


def log_sum_exp(z: Any) -> Any:
    """Of columns."""
    top = z.real.max(axis=0, keepdims=True)
    return top[0] + np.log(np.exp(z - top).sum(axis=0))


def relu_net(x: Any) -> Any:
    """Two layers without biases."""
    return np.sum(B @ np.maximum(A @ x, 0))


def relu_net_gradient(x: Array) -> Array:
    """The chain rule."""
    gradient: Array = A.T @ ((A @ x > 0) * B.sum(axis=0))
    return gradient


def tanh_net(x: Any) -> Any:
    """Two layers, squared."""
    return np.sum((B @ np.tanh(A @ x) - 1) ** 2)


def tanh_net_gradient(x: Array) -> Array:
    """The chain rule."""
    hidden = np.tanh(A @ x)
    gradient: Array = A.T @ ((1 - hidden**2) * (2 * B.T @ (B @ hidden - 1)))
    return gradient


def normalised(x: Any) -> Any:
    """Batch norm without epsilon, weighted."""
    moved = x - x.mean()
    return np.sum(C * moved / np.sqrt(np.mean(moved**2)))


def normalised_gradient(x: Array) -> Array:
    """As the notes on batch norm have it."""
    moved = x - x.mean()
    deviation = np.sqrt(np.mean(moved**2))
    hat = moved / deviation
    gradient: Array = (C - C.mean() - hat * np.mean(C * hat)) / deviation
    return gradient


def one_hot_of(index: int, size: int) -> Array:
    """The derivative of the entry at an index."""
    entry: Array = np.eye(size)[index]
    return entry


def max_pool(x: Any) -> Any:
    """The greatest of pairs, weighted."""
    return np.sum(C[:3] * x.reshape(3, 2).max(axis=1))


def max_pool_gradient(x: Array) -> Array:
    """To the first greatest."""
    pairs = x.reshape(3, 2)
    gradient: Array = (C[:3, None] * np.eye(2)[pairs.argmax(axis=1)]).ravel()
    return gradient


SUBJECTS = (
    Subject("sum", np.sum, np.ones_like),
    Subject("sum of squares", lambda x: np.sum(x**2), lambda x: 2 * x),
    Subject("sum of cubes", lambda x: np.sum(x**3), lambda x: 3 * x**2),
    Subject("norm", lambda x: np.sqrt(np.sum(x**2)), lambda x: x / np.sqrt(np.sum(x**2))),
    Subject("norm by NumPy", np.linalg.norm, lambda x: x / np.linalg.norm(x)),
    Subject("absolute values", lambda x: np.sum(np.abs(x)), np.sign),
    Subject("log of a sum of squares", lambda x: np.log(1 + np.sum(x**2)), lambda x: 2 * x / (1 + np.sum(x**2))),
    Subject("log-sum-exp", log_sum_exp, softmax),
    Subject(
        "softmax cross-entropy",
        lambda z: np.mean(log_sum_exp(z) - np.sum(ONE_HOT * z, axis=0)),
        lambda z: (softmax(z) - ONE_HOT) / 5,
        (3, 5),
    ),
    Subject(
        "softmax regression",
        lambda W: np.mean(log_sum_exp(W @ FEATURES) - np.sum(ONE_HOT * (W @ FEATURES), axis=0)),
        lambda W: (softmax(W @ FEATURES) - ONE_HOT) @ FEATURES.T / 5,
        (3, 2),
    ),
    Subject(
        "logistic",
        lambda x: np.sum(np.maximum(x, 0) + np.log1p(np.exp(-np.maximum(x, -x)))),
        lambda x: 0.5 * (1 + np.tanh(x / 2)),
    ),
    Subject("squared error", lambda x: np.mean((A @ x - 1) ** 2) / 2, lambda x: A.T @ (A @ x - 1) / 4),
    Subject("quadratic form", lambda x: np.sum((A @ x) ** 2), lambda x: 2 * A.T @ (A @ x)),
    Subject(
        "convolution",
        lambda X: np.sum(UPSTREAM * conv.conv_forward(X, FILTER, np.zeros((1, 1, 1, 2)))),
        lambda X: conv.conv_backward(UPSTREAM, X, FILTER)[0],
        (1, 3, 3, 1),
    ),
    Subject("max-pool", max_pool, max_pool_gradient),
    Subject(
        "average pool",
        lambda X: np.sum(pooling.pool_forward(X, 2, 2, mode="average") ** 2),
        lambda X: pooling.pool_backward(2 * pooling.pool_forward(X, 2, 2, mode="average"), X, 2, 2, mode="average"),
        (1, 4, 4, 1),
    ),
    Subject("ReLU net", relu_net, relu_net_gradient),
    Subject("tanh net", tanh_net, tanh_net_gradient),
    Subject("batch norm", normalised, normalised_gradient),
    Subject("square roots", lambda x: np.sum(np.sqrt(x)), lambda x: 0.5 / np.sqrt(x), positive=True),
    Subject("logarithms", lambda x: np.sum(C * np.log(x)), lambda x: C / x, positive=True),
    Subject("exponentials", lambda x: np.sum(np.exp(-x)), lambda x: -np.exp(-x), positive=True),
    Subject("sines", lambda x: np.sum(C * np.sin(x)), lambda x: C * np.cos(x)),
    Subject("greatest", np.max, lambda x: one_hot_of(int(np.argmax(x)), 6)),
    Subject("a penalty that is not analytic", lambda x: np.sum(x * np.abs(x) + C * x), lambda x: 2 * np.abs(x) + C),
)

SCALES = (1e-9, 1e-6, 1e-3, 1.0, 1e3, 1e8)
"""Of x."""


def drawn(subject: Subject, scale: float, dtype: Any, rng: np.random.Generator) -> Array:
    """An x of a scale; every fourth has entries of other scales too."""
    x = scale * rng.normal(size=subject.shape)
    if rng.random() < 0.25:
        x *= 10.0 ** rng.integers(-4, 5, subject.shape)
    return (np.abs(x) if subject.positive else x).astype(dtype)


def spoiled(right: Array, rng: np.random.Generator) -> Array:
    """A wrong gradient: a factor, a sign, one entry off by a thousandth or more, zeros, or entries exchanged."""
    wrong, place = right.copy(), np.unravel_index(int(np.abs(right).argmax()), right.shape)
    kind = rng.integers(6)
    if kind == 0:
        wrong *= rng.choice([2, 0.5, -1, 1 / 7, 1.01])
    elif kind == 1:
        wrong[:] = 0
    elif kind == 2:
        wrong[place] *= 1 + rng.choice([-1, 1]) * 10.0 ** rng.uniform(-3, 0)
    elif kind == 3:
        wrong[place] = 0
    elif kind == 4:
        wrong += 10.0 ** rng.uniform(-3, 0) * np.abs(right).max()
    else:
        other = rng.choice(np.flatnonzero(right))
        wrong.flat[other] *= -1
    return wrong


class Tally(NamedTuple):
    """What came of right and wrong gradients: verdicts counted, and the false ones."""

    right: dict[str, int]
    wrong: dict[str, int]
    false: list[str]


def tally(seeds: range, check: Callable[..., Any]) -> Tally:
    """A right and a wrong gradient of one function for each seed, in float64 and float32 in turn."""
    counts: Tally = Tally({}, {}, [])
    for seed in seeds:
        rng = np.random.default_rng(seed)
        subject, scale = SUBJECTS[seed % len(SUBJECTS)], SCALES[seed // len(SUBJECTS) % len(SCALES)]
        x = drawn(subject, scale, (np.float64, np.float32)[seed // 150 % 2], rng)
        exact = x.astype(np.float64)
        with np.errstate(all="ignore"):
            right = np.asarray(subject.gradient(exact))
        wrap: Any = float if rng.random() < 0.25 else lambda value: value

        def f(x: Any, subject: Subject = subject, wrap: Any = wrap) -> Any:
            return wrap(subject.f(x))

        if not right.any() or not np.isfinite(subject.f(exact)):
            continue
        for claimed, found, bad in ((right, counts.right, "fails"), (spoiled(right, rng), counts.wrong, "holds")):
            verdict = check(f, claimed, x, seed=seed).verdict
            found[verdict] = found.get(verdict, 0) + 1
            if verdict == bad:
                counts.false.append(f"seed {seed}: {subject.name} at {scale:g}: {check(f, claimed, x, seed=seed)}")
    return counts
