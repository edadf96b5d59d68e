"""The truths of dropout, optimisers, sizes and labels by torch. Imported when they are first asked for."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from manual.notation import Array
from torch_ref.devices import array, tensor
from torch_ref.gradients import gradient

Arrays = dict[str, Any]


def dropout(A: Array, U: Array, dA_drop: Array, keep_prob: float) -> Arrays:
    """The mask, what is left of A, and the derivative through it."""
    D = (tensor(U) < keep_prob).to(torch.float64)

    def left(at: Tensor) -> Tensor:
        return (at * D).div(keep_prob)

    found = left(tensor(A))
    through = gradient(left, tensor(A), tensor(dA_drop))
    return {"D": array(D), "A_drop": array(found), "A": array(found), "dA": array(through)}


def step(rule: str, W: Array, gradients: Array, alpha: float, beta1: float, beta2: float, epsilon: float) -> Arrays:
    """The averages after torch's own steps 1 to t, and W after step t, which finds it as it was given."""
    grads = [tensor(dW) for dW in gradients]
    if rule == "adam":
        return _adam(tensor(W), grads, alpha, beta1, beta2, epsilon)
    average, at = torch.zeros_like(grads[0]), tensor(W)
    if rule == "momentum":
        for dW in grads:
            at = tensor(W)
            torch._fused_sgd_(
                [at], [dW], [average], lr=alpha, momentum=beta1, dampening=beta1, weight_decay=0.0, nesterov=False,
                maximize=False, is_first_step=False,
            )  # fmt: skip
        return {"v": array(average), "W": array(at)}
    for dW in grads:
        average.mul_(beta2).addcmul_(dW, dW, value=1 - beta2)
    return {"s": array(average), "W": array(at.addcdiv(grads[-1], average.sqrt().add(epsilon), value=-alpha))}


def _adam(W: Tensor, grads: list[Tensor], alpha: float, beta1: float, beta2: float, epsilon: float) -> Arrays:
    """The kernel that torch.optim.Adam(fused=True) steps by: to import torch.optim takes longer than all that verify
    does. Corrected averages are weighted means, whose weights are normalised.
    """
    v, s, count, at = torch.zeros_like(W), torch.zeros_like(W), torch.zeros(()), W
    for dW in grads:
        at, count = W.clone(), count + 1
        torch._fused_adam_(
            [at], [dW], [v], [s], [], [count], lr=alpha, beta1=beta1, beta2=beta2, weight_decay=0.0, eps=epsilon,
            amsgrad=False, maximize=False,
        )  # fmt: skip
    past = torch.stack(grads)
    corrected = {"v_corrected": _mean(past, beta1), "s_corrected": _mean(past.square(), beta2)}
    return {name: array(value) for name, value in {"v": v, "s": s, "W": at, **corrected}.items()}


def _mean(past: Tensor, beta: float) -> Tensor:
    """The mean over the steps with weights that fall by beta from each to the one before."""
    weights = torch.tensor(beta, dtype=past.dtype) ** torch.arange(len(past) - 1, -1, -1)
    mean: Tensor = torch.tensordot(weights / weights.sum(), past, dims=1)
    return mean
