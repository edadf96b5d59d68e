"""A network of dense layers from the parameters of a dump, to try causes on: its units and cost are what fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from manual.notation import Array
from parity_tests.differences.trace import Trace

if TYPE_CHECKING:
    pass

UNITS: tuple[Callable[[], nn.Module], ...] = (nn.Tanh, nn.ReLU, nn.Sigmoid, nn.LeakyReLU)
Loss = Callable[[Any, Tensor], Tensor]


def _half(out: Any, Y: Tensor) -> Tensor:
    return F.mse_loss(out, Y, reduction="sum") / (2 * len(Y))


def _sigmoid(out: Any, Y: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(out, Y, reduction="sum") / len(Y)


def _softmax(out: Any, Y: Tensor) -> Tensor:
    return F.cross_entropy(out, Y)


def rebuilt(given: Mapping[str, Array]) -> Iterator[Trace]:
    """Networks of the given X, Y, W1, b1, ...: for every unit and every cost that the targets allow, one."""
    layers = [name for name in (f"W{l}" for l in range(1, 50)) if name in given and given[name].ndim == 2]
    if "X" not in given or not layers or layers != [f"W{l}" for l in range(1, len(layers) + 1)]:
        return
    weights = [given[name] for name in layers]
    if any(above.shape[1] != below.shape[0] for below, above in pairwise(weights)):
        weights = [W.T for W in weights]
    if any(above.shape[1] != below.shape[0] for below, above in pairwise(weights)):
        return
    X = given["X"]
    if X.ndim != 2 or weights[0].shape[1] not in X.shape:
        return
    X = X if X.shape[1] == weights[0].shape[1] else X.T
    Y = _targets(given.get("Y"), len(X), weights[-1].shape[0])
    biases = [np.ravel(given.get(f"b{l}", np.zeros(len(W)))) for l, W in enumerate(weights, 1)]
    if any(len(b) != len(W) for b, W in zip(biases, weights, strict=True)):
        return
    for unit, loss in product(UNITS if len(weights) > 1 else UNITS[:1], _losses(Y)):
        yield Trace(_network(weights, biases, unit), X, Y, loss)


def _network(weights: Sequence[Array], biases: Sequence[Array], unit: Callable[[], nn.Module]) -> nn.Sequential:
    parts: list[nn.Module] = []
    for W, b in zip(weights, biases, strict=True):
        layer = nn.Linear(W.shape[1], W.shape[0], dtype=torch.float64)
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(W.copy()))
            layer.bias.copy_(torch.from_numpy(b.copy()))
        parts += [layer, unit()]
    return nn.Sequential(*parts[:-1])


def _targets(Y: Array | None, m: int, n: int) -> Any:
    """The targets in rows."""
    if Y is None:
        return None
    rows = Y.reshape(-1, 1) if Y.ndim == 1 else Y if Y.shape == (m, n) else Y.T
    if rows.shape == (m, 1) and n > 1 and (rows == np.round(rows)).all():
        return np.eye(n)[np.clip(rows[:, 0].astype(int), 0, n - 1)]
    return rows if rows.shape == (m, n) else None


def _losses(Y: Array | None) -> tuple[Loss | None, ...]:
    """The costs that the targets allow, the likeliest first."""
    if Y is None:
        return (None,)
    binary = bool(np.isin(Y, (0, 1)).all())
    if not binary:
        return (_half,)
    return (_softmax, _sigmoid, _half) if Y.shape[1] > 1 and (Y.sum(axis=1) == 1).all() else (_sigmoid, _half)
