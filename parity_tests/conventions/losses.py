"""What torch's losses divide by, and what they call alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from manual import costs
from manual.notation import Array
from parity_tests.conventions.convention import Convention
from parity_tests.formulas import CASES
from parity_tests.formulas.case import N_1, M, normal, one_hot
from parity_tests.formulas.losses import DELTA, SMOOTHING, _log_softmax
from parity_tests.judging.running import Running, running_bounds


def _of_case(name: str) -> dict[str, Any]:
    """The parts that a convention shares with a case."""
    case = next(case for case in CASES if case.id == f"losses.{name}")
    return {
        "formulas": "",
        "inputs": case.inputs,
        "manual": case.manual,
        "exact": case.reference,
        "bounds": case.bounds,
    }


def _mean(Z: Tensor, y: Sequence[int], w: Tensor, s: Tensor, smoothing: float) -> Tensor:
    """The weighted mean of torch, sample weights within."""
    losses = functional.cross_entropy(Z.T, torch.tensor(y), w.flatten(), reduction="none", label_smoothing=smoothing)
    return (s.flatten() * losses).sum() / (s.flatten() * w.flatten()[torch.tensor(y)]).sum()


def _by_relative_weights(Z: Array, Y: Array, w: Array) -> Any:
    """The notes' side: an example has the weight of its class, as a multiple of the mean."""
    return costs.cross_entropy_from_logits(Z, Y, costs.relative_weights(w.T @ Y))


def _weighted_mean(Z: Running, Y: Running, w: Running) -> Running:
    s = w.T @ Y
    J: Running = ((s * Y * -_log_softmax(Z)).sum() / s.sum())[0, 0]
    return J


def _over_m(Z: Tensor, Y: Tensor, w: Tensor) -> Tensor:
    return functional.cross_entropy(Z.T, Y.argmax(dim=0), w.flatten(), reduction="none").mean()


def _over_the_others(Z: Tensor, y: Sequence[int], w: Tensor, s: Tensor, smoothing: float) -> Tensor:
    """Smoothing that leaves the right class 1 - smoothing."""
    rows = functional.one_hot(torch.tensor(y), len(Z)).to(Z)
    q = (1 - smoothing) * rows + smoothing / (len(Z) - 1) * (1 - rows)
    return -(s.T * w.T * q * functional.log_softmax(Z.T, dim=1)).sum() / Z.shape[1]


def _smooth_l1(A: Tensor, Y: Tensor, delta: float) -> Tensor:
    return functional.smooth_l1_loss(A, Y, reduction="sum", beta=delta) / A.shape[1]


def _margin_loss(Z: Tensor, y: Sequence[int], margin: float) -> Tensor:
    return functional.multi_margin_loss(Z.T, torch.tensor(y), margin=margin)


CONVENTIONS = (
    Convention(
        "losses.weights",
        "class weights",
        notes="(1/m) sum s w_y L",
        torch="reduction='mean' divides by the sum of the weights",
        translation="reduction='none', times s, summed, over m",
        naive={"the weighted mean": _mean},
        **_of_case("label_cross_entropy"),
    ),
    Convention(
        "losses.weighted_mean",
        "the mean under class weights",
        notes="(1/m) sum s L, where s is relative_weights(w_y): m w_y / sum w_y",
        torch="CrossEntropyLoss(weight = w): sum w_y L / sum w_y; scikit-learn's sample_weight likewise",
        translation="CrossEntropyLoss(weight = w) as it is; the penalty is divided by 2 sum w_y too",
        formulas="",
        inputs=lambda rng: {"Z": normal(rng, N_1, M), "Y": one_hot(rng, N_1, M), "w": rng.uniform(0.5, 2.0, (N_1, 1))},
        manual=_by_relative_weights,
        exact=lambda Z, Y, w: functional.cross_entropy(Z.T, Y.argmax(dim=0), w.flatten()),
        naive={"the weighted losses' mean": _over_m},
        bounds=running_bounds(_weighted_mean, "J", "Z Y w"),
    ),
    Convention(
        "losses.smoothing",
        "label smoothing",
        notes="smoothing / n for every class, the right one too",
        torch="the same; some papers share it among the others",
        translation=f"label_smoothing = smoothing (from a share of the others: times n / (n - 1)), here {SMOOTHING}",
        naive={"shared among the others": _over_the_others},
        **_of_case("label_cross_entropy"),
    ),
    Convention(
        "losses.huber",
        "Huber's loss",
        notes="d^2 / 2, then a line with slope delta",
        torch="F.huber_loss(delta) the same; F.smooth_l1_loss(beta) divides by beta",
        translation=f"F.huber_loss(delta), or delta F.smooth_l1_loss(beta = delta), here {DELTA}",
        naive={"F.smooth_l1_loss(beta = delta)": _smooth_l1},
        **_of_case("huber"),
    ),
    Convention(
        "losses.hinge",
        "hinge of several classes",
        notes="the sum over the wrong classes",
        torch="F.multi_margin_loss divides by the number of classes",
        translation="n F.multi_margin_loss",
        naive={"F.multi_margin_loss as it is": _margin_loss},
        **_of_case("hinge"),
    ),
)
