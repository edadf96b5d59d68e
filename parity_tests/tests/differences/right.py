"""Right pairs: a random network by hand and in torch, in the dtypes and layouts in which people save arrays."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from manual import network
from manual.architecture import Architecture, BatchNorm, Dense, LayerNorm
from parity_tests.comparison.random_networks import draw
from parity_tests.tests.differences.pairs import Sides
from torch_ref import network as torch_network

NORMS = (BatchNorm, LayerNorm)

LOSSES = {
    "softmax": lambda out, Y: functional.cross_entropy(out, Y),
    "sigmoid": lambda out, Y: functional.binary_cross_entropy_with_logits(out, Y, reduction="sum") / len(Y),
    "identity": lambda out, Y: functional.mse_loss(out, Y, reduction="sum") / (2 * len(Y)),
}


def by_hand(begin: Any, dtype: Any) -> dict[str, Any]:
    """Every value of the network of manual, in the notes' layout."""
    net, params = begin.architecture, {name: value.astype(dtype) for name, value in begin.params.items()}
    X, Y = begin.X.astype(dtype), begin.Y.astype(dtype)
    passed = network.forward(net, params, X)
    back = network.backward(net, params, passed, Y)
    found: dict[str, Any] = {"X": X, "Y": Y, **params, **back.grads, "J": network.cost(net, params, passed, Y)}
    k = 0
    for l, layer, number in net.numbered():
        if number:
            k += 1
            found |= {f"Z{k}": passed.Z[l], f"dZ{k}": back.dZ[l]}
            if getattr(layer, "activation", "") not in ("identity", ""):
                found[f"A{k}"] = passed.A[l]
    return {name: value for name, value in found.items() if value is not None}


def torch_layout(name: str, value: Any) -> Any:
    """An array of the notes as torch has it."""
    base = name.removeprefix("d")
    if base.startswith("b"):
        return value.ravel()
    if base.startswith("W"):
        return value.transpose(3, 2, 0, 1) if value.ndim == 4 else value
    return value.transpose(0, 3, 1, 2) if np.ndim(value) == 4 else np.transpose(value)


def shortened(value: Any, bits: int) -> Any:
    """Rounded to so many bits, in float32."""
    mantissa, exponent = np.frexp(np.asarray(value, np.float64))
    return np.ldexp(np.round(np.ldexp(mantissa, bits)), exponent - bits).astype(np.float32)


def weights_and_biases(seed: int) -> Any:
    """A random network without norms, whose gamma and beta people do not number among W and b."""
    drawn = (draw(number)[1] for number in itertools.count(seed, 100_000))
    return next(each for each in drawn if not any(isinstance(one, NORMS) for one in each.architecture.layers))


def right_pair(seed: int) -> Sides:
    """Mine in float64 or float32, theirs in one of these, or rounded to bfloat16 or float16; as dumps or a module."""
    rng = np.random.default_rng((seed, 1))
    begin = weights_and_biases(seed)
    kinds: tuple[Any, ...] = (np.float64, np.float64, np.float32)
    mine = by_hand(begin, kinds[rng.integers(3)])
    logits = Architecture(
        begin.architecture.inputs, (*begin.architecture.layers[:-1], Dense(begin.architecture.outputs, "identity"))
    )
    module = torch_network.module_with(logits, begin.params).eval()
    X = torch_layout("X", begin.X)
    Y = torch_layout("Y", begin.Y)
    loss = LOSSES[begin.architecture.output_unit]
    flat = any(type(layer).__name__ == "Flatten" for layer in logits.layers)
    if rng.random() < 0.4:
        left = ("W", "dW") if flat else ()  # their columns are in another order on either side
        names = [name for name in mine if name.rstrip("0123456789") not in left and name != "X"]
        return Sides({name: mine[name] for name in names}, None, module, X, Y, loss)
    theirs = by_hand(begin, kinds[rng.integers(3)])
    if rng.random() < 0.5:  # torch's numbers, not those by hand in another dtype
        loss(module(torch.from_numpy(X.copy())), torch.from_numpy(Y.copy())).backward()  # type: ignore[no-untyped-call]
        theirs |= torch_network.export_grads(module)
    if rng.random() < 0.5:
        theirs = {name: torch_layout(name, value) for name, value in theirs.items()}
    if rng.random() < 0.25:
        bits = int(rng.choice([8, 11]))
        theirs = {name: shortened(value, bits) for name, value in theirs.items()}
    return Sides(mine, theirs)
