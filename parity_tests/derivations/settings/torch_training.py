"""The truths of optimisers by torch. Imported when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.optim.adam import adam
from torch.optim.sgd import sgd

from manual.notation import Array
from torch_ref.devices import array, tensor

Arrays = dict[str, Any]


def step(rule: str, W: Array, gradients: Array, alpha: float, beta1: float, beta2: float, epsilon: float) -> Arrays:
    """The averages after torch's own steps 1 to t, and W after step t, which finds it as it was given."""
    grads = [tensor(dW) for dW in gradients]
    if rule == "adam":
        return _adam(tensor(W), grads, alpha, beta1, beta2, epsilon)
    average, at = torch.zeros_like(grads[0]), tensor(W)
    if rule == "momentum":
        for dW in grads:
            at = tensor(W)
            sgd(
                [at], [dW], [average], lr=alpha, momentum=beta1, dampening=beta1, weight_decay=0.0, nesterov=False,
                maximize=False, foreach=False, fused=True,
            )  # fmt: skip
        return {"v": array(average), "W": array(at)}
    for dW in grads:
        average.mul_(beta2).addcmul_(dW, dW, value=1 - beta2)
    return {"s": array(average), "W": array(at.addcdiv(grads[-1], average.sqrt().add(epsilon), value=-alpha))}


def _adam(W: Tensor, grads: list[Tensor], alpha: float, beta1: float, beta2: float, epsilon: float) -> Arrays:
    """The function that torch.optim.Adam(fused=True) steps by: to make an optimiser takes longer than all that verify
    does. Corrected averages are weighted means, whose weights are normalised.
    """
    v, s, count, at = torch.zeros_like(W), torch.zeros_like(W), torch.zeros(()), W
    for dW in grads:
        at = W.clone()
        adam(
            [at], [dW], [v], [s], [], [count], lr=alpha, beta1=beta1, beta2=beta2, weight_decay=0.0, eps=epsilon,
            amsgrad=False, maximize=False, foreach=False, fused=True,
        )  # fmt: skip
    past = torch.stack(grads)
    corrected = {"v_corrected": _mean(past, beta1), "s_corrected": _mean(past.square(), beta2)}
    return {name: array(value) for name, value in {"v": v, "s": s, "W": at, **corrected}.items()}


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
    v, s = _averages(decayed)
    corrected = {
        "v_corrected": array(v.div(1 - at["beta1"] ** at["t"])),
        "s_corrected": array(s.div(1 - at["beta2"] ** at["t"])),
    }
    return {**_adamw(decayed, after=False, rate=True), **corrected}


def _adamw(at: Arrays, *, after: bool, rate: bool) -> Arrays:
    """The weights shrink before the step, as torch.optim.AdamW does it, or after it; by the rate, or not."""
    v, s = _averages(at)
    corrected, root = v.div(1 - at["beta1"] ** at["t"]), s.div(1 - at["beta2"] ** at["t"]).sqrt()
    kept = 1 - (at["alpha"] if rate else 1) * at["lambda_"]
    W = tensor(at["W"]).mul(1 if after else kept)
    W = W.addcdiv(corrected, root.add(at["epsilon"]), value=-at["alpha"])
    return {"v": array(v), "s": array(s), "W": array(W.mul(kept if after else 1))}


RULES: dict[str, Callable[[Arrays], Arrays]] = {
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
"""Steps in other conventions, from what the notes' rule left."""


def _mean(past: Tensor, beta: float) -> Tensor:
    """The mean over the steps with weights that fall by beta from each to the one before."""
    weights = torch.tensor(beta, dtype=past.dtype) ** torch.arange(len(past) - 1, -1, -1)
    mean: Tensor = torch.tensordot(weights / weights.sum(), past, dims=1)
    return mean
