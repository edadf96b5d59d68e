"""What is true where there is no J, by torch: steps of optimisers, sizes and scales. Imported when first asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.adam import adam
from torch.optim.sgd import sgd

from torch_ref import initialization
from torch_ref.devices import array, tensor
from torch_ref.shapes import conv_output_size, conv_parameter_count, dense_parameter_count

Arrays = dict[str, Any]


def _momentum(at: Arrays) -> Arrays:
    W, v = tensor(at["W"]), tensor(at["v"])
    sgd(
        [W], [tensor(at["dW"])], [v], lr=at["alpha"], momentum=at["beta"], dampening=at["beta"], weight_decay=0.0,
        nesterov=False, maximize=False, foreach=False, fused=True,
    )  # fmt: skip
    return {"v": array(v), "W": array(W)}


def _rmsprop(at: Arrays) -> Arrays:
    dW = tensor(at["dW"])
    s = tensor(at["s"]).lerp(dW.square(), 1 - at["beta2"])
    return {"s": array(s), "W": array(tensor(at["W"]).addcdiv(dW, s.sqrt().add(at["epsilon"]), value=-at["alpha"]))}


def _adam(at: Arrays) -> Arrays:
    """The function that torch.optim.Adam(fused=True) steps by: to make an optimiser takes longer than all that verify
    does.
    """
    W, v, s, count = tensor(at["W"]), tensor(at["v"]), tensor(at["s"]), torch.tensor(at["t"] - 1.0)
    adam(
        [W], [tensor(at["dW"])], [v], [s], [], [count], lr=at["alpha"], beta1=at["beta1"], beta2=at["beta2"],
        weight_decay=0.0, eps=at["epsilon"], amsgrad=False, maximize=False, foreach=False, fused=True,
    )  # fmt: skip
    return {"v": array(v), "s": array(s), "W": array(W)}


def _velocity(at: Arrays, *, factor: float) -> Tensor:
    """beta times the last velocity, plus a factor times the gradient."""
    return tensor(at["v"]).mul(at["beta"]).add(tensor(at["dW"]), alpha=factor)


def _averages(at: Arrays) -> tuple[Tensor, Tensor]:
    """The averages of the gradients and of their squares, after this step."""
    dW = tensor(at["dW"])
    return tensor(at["v"]).lerp(dW, 1 - at["beta1"]), tensor(at["s"]).lerp(dW.square(), 1 - at["beta2"])


def _classical(at: Arrays) -> Arrays:
    v = _velocity(at, factor=-at["alpha"])
    return {"v": array(v), "W": array(tensor(at["W"]).add(v))}


def _torch(at: Arrays) -> Arrays:
    v = _velocity(at, factor=1.0)
    return {"v": array(v), "W": array(tensor(at["W"]).sub(v, alpha=at["alpha"]))}


def _nesterov(at: Arrays) -> Arrays:
    """As Sutskever writes it: the step of torch's, whose buffer is v / -alpha."""
    buffer = tensor(at["v"]).div(-at["alpha"])
    W = _torch_nesterov({**at, "v": array(buffer)})["W"]
    return {"v": array(_velocity(at, factor=-at["alpha"])), "W": W}


def _torch_nesterov(at: Arrays) -> Arrays:
    v = _velocity(at, factor=1.0)
    direction = tensor(at["dW"]).add(v, alpha=at["beta"])
    return {"v": array(v), "W": array(tensor(at["W"]).sub(direction, alpha=at["alpha"]))}


def _epsilon_inside(at: Arrays) -> Arrays:
    dW = tensor(at["dW"])
    s = tensor(at["s"]).lerp(dW.square(), 1 - at["beta2"])
    return {"s": array(s), "W": array(tensor(at["W"]).addcdiv(dW, s.add(at["epsilon"]).sqrt(), value=-at["alpha"]))}


def _epsilon_uncorrected(at: Arrays) -> Arrays:
    v, s = _averages(at)
    rate = at["alpha"] * (1 - at["beta2"] ** at["t"]) ** 0.5 / (1 - at["beta1"] ** at["t"])
    W = tensor(at["W"]).addcdiv(v, s.sqrt().add(at["epsilon"]), value=-rate)
    return {"v": array(v), "s": array(s), "W": array(W)}


def _adam_l2(at: Arrays) -> Arrays:
    """The gradient of the regularised cost, as torch.optim.Adam takes it; nothing shrinks beside the step."""
    decayed = {**at, "dW": array(tensor(at["dW"]).add(tensor(at["W"]), alpha=at["lambda_"])), "lambda_": 0.0}
    return _adamw(decayed, after=False, rate=True)


def _adamw(at: Arrays, *, after: bool, rate: bool) -> Arrays:
    """The weights shrink before the step, as torch.optim.AdamW does it, or after it; by the rate, or not."""
    v, s = _averages(at)
    corrected, root = v.div(1 - at["beta1"] ** at["t"]), s.div(1 - at["beta2"] ** at["t"]).sqrt()
    kept = 1 - (at["alpha"] if rate else 1) * at["lambda_"]
    W = tensor(at["W"]).mul(1 if after else kept)
    W = W.addcdiv(corrected, root.add(at["epsilon"]), value=-at["alpha"])
    return {"v": array(v), "s": array(s), "W": array(W.mul(kept if after else 1))}


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
    "momentum": _momentum,
    "rmsprop": _rmsprop,
    "adam": _adam,
    "classical": _classical,
    "torch": _torch,
    "nesterov": _nesterov,
    "torch-nesterov": _torch_nesterov,
    "epsilon-inside": _epsilon_inside,
    "epsilon-uncorrected": _epsilon_uncorrected,
    "adam-l2": _adam_l2,
    "adamw": partial(_adamw, after=False, rate=True),
    "adamw-after": partial(_adamw, after=True, rate=True),
    "adamw-no-rate": partial(_adamw, after=False, rate=False),
    "adamw-no-rate-after": partial(_adamw, after=True, rate=False),
}
"""The notes' rules, and those of other conventions."""
