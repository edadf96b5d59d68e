"""What is true where there is no J, by torch: steps of optimisers, sizes and scales. Imported when first asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.optim.adam import adam
from torch.optim.adamw import adamw
from torch.optim.rmsprop import rmsprop
from torch.optim.sgd import sgd

from torch_ref import initialization
from torch_ref.devices import array, tensor
from torch_ref.shapes import conv_output_size, conv_parameter_count, dense_parameter_count

Arrays = dict[str, Any]


def _sgd(at: Arrays, *, dampened: bool = False, nesterov: bool = False, of_rate: bool = False) -> Arrays:
    """torch's momentum, whose buffer is v, or v / -alpha where v is a step, which is ``of_rate``."""
    unit = -at["alpha"] if of_rate else 1.0
    W, buffer = tensor(at["W"]), tensor(at["v"]).div(unit)
    sgd(
        [W], [tensor(at["dW"])], [buffer], lr=at["alpha"], momentum=at["beta"],
        dampening=at["beta"] if dampened else 0.0, weight_decay=0.0, nesterov=nesterov, maximize=False,
        foreach=False, fused=True,
    )  # fmt: skip
    return {"v": array(buffer.mul(unit)), "W": array(W)}


def _rmsprop(at: Arrays, *, inside: bool = False) -> Arrays:
    """torch's RMSprop; with epsilon ``inside`` the root it is in the average already."""
    W, more = tensor(at["W"]), at["epsilon"] if inside else 0.0
    s = tensor(at["s"]).add(more / at["beta2"])
    rmsprop(
        [W], [tensor(at["dW"])], [s], [], [], [torch.tensor(0.0)], foreach=False, lr=at["alpha"], alpha=at["beta2"],
        eps=0.0 if inside else at["epsilon"], weight_decay=0.0, momentum=0.0, centered=False,
    )  # fmt: skip
    return {"s": array(s.sub(more)), "W": array(W)}


def _adam(at: Arrays, rule: Callable[..., None] = adam, *, decay: float = 0.0, epsilon: float | None = None) -> Arrays:
    """The functions that torch.optim.Adam(fused=True) and AdamW step by: to make an optimiser takes longer than all
    that verify does.
    """
    W, v, s, count = tensor(at["W"]), tensor(at["v"]), tensor(at["s"]), torch.tensor(at["t"] - 1.0)
    rule(
        [W], [tensor(at["dW"])], [v], [s], [], [count], lr=at["alpha"], beta1=at["beta1"], beta2=at["beta2"],
        weight_decay=decay, eps=at["epsilon"] if epsilon is None else epsilon, amsgrad=False, maximize=False,
        foreach=False, fused=True,
    )  # fmt: skip
    return {"v": array(v), "s": array(s), "W": array(W)}


def _epsilon_uncorrected(at: Arrays) -> Arrays:
    return _adam(at, epsilon=at["epsilon"] / (1 - at["beta2"] ** at["t"]) ** 0.5)


def _adamw(at: Arrays, *, after: bool, rate: bool) -> Arrays:
    """The weights shrink before the step, as torch.optim.AdamW does it, or after it; by the rate, or not."""
    decay = at["lambda_"] if rate else at["lambda_"] / at["alpha"]
    if not after:
        return _adam(at, adamw, decay=decay)
    found = _adam(at)
    return {**found, "W": found["W"] * (1 - at["alpha"] * decay)}


def _scales(at: Arrays) -> Arrays:
    """The scales of torch.nn.init, and 0.01 times its standard normal draws."""
    drawn, standard = (
        nn.init.normal_(torch.empty(1, dtype=torch.float64), std=std, generator=torch.Generator().manual_seed(0))
        for std in (0.01, 1.0)
    )
    found = {
        "he": initialization.he(at["n_prev"]),
        "xavier": initialization.xavier(at["n_prev"], at["n"]),
        "lecun": initialization.lecun(at["n_prev"]),
        "small": (drawn / standard)[0],
    }
    return {name: array(value) for name, value in found.items()}


def _sizes(at: Arrays) -> Arrays:
    """Shapes and parameters of layers without numbers in them."""
    f, channels, how = at["f"], (at["n_C_prev"], at["n_C"]), {"pad": at["pad"], "stride": at["stride"]}
    units = at["n_prev"], at["n"]
    found = {
        "n_H": conv_output_size(at["n_H_prev"], f, **how),
        "n_W": conv_output_size(at["n_W_prev"], f, **how),
        "same_pad": _same_pad(f),
        "conv_parameters": conv_parameter_count(f, *channels),
        "conv_weights": conv_parameter_count(f, *channels, bias=False),
        "dense_parameters": dense_parameter_count(*units),
        "dense_weights": dense_parameter_count(*units, bias=False),
    }
    return {name: float(value) for name, value in found.items()}


def _same_pad(f: int) -> int:
    """The rows of zeros that torch puts above: those that the first cell of a filter sees."""
    first = torch.zeros(1, 1, f, f)
    first[..., 0, 0] = 1
    seen = functional.conv2d(torch.ones(1, 1, f, f), first, padding="same")
    return int((seen[0, 0, :, -1] == 0).sum())


def step(rule: str, at: Arrays) -> Arrays:
    """What a rule returns; of Adam's states also those without their bias towards 0."""
    found = RULES[rule](at)
    if "t" in at and "W" in found:
        found |= {f"{each}_corrected": array(tensor(found[each]).div(1 - at[f"beta{place}"] ** at["t"]))
                  for place, each in enumerate("vs", 1)}  # fmt: skip
    return found


RULES: dict[str, Callable[[Arrays], Arrays]] = {
    "sizes": _sizes,
    "scales": _scales,
    "momentum": partial(_sgd, dampened=True),
    "rmsprop": _rmsprop,
    "adam": _adam,
    "classical": partial(_sgd, of_rate=True),
    "torch": _sgd,
    "nesterov": partial(_sgd, nesterov=True, of_rate=True),
    "torch-nesterov": partial(_sgd, nesterov=True),
    "epsilon-inside": partial(_rmsprop, inside=True),
    "epsilon-uncorrected": _epsilon_uncorrected,
    "adam-l2": lambda at: _adam(at, decay=at["lambda_"]),
    "adamw": partial(_adamw, after=False, rate=True),
    "adamw-after": partial(_adamw, after=True, rate=True),
    "adamw-no-rate": partial(_adamw, after=False, rate=False),
    "adamw-no-rate-after": partial(_adamw, after=True, rate=False),
}
"""The notes' rules, and those of other conventions."""
