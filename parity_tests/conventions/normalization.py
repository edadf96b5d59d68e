"""What batch norm averages, remembers and adds: the usual reasons why two of them differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from parity_tests.conventions.convention import Convention
from parity_tests.formulas import CASES
from torch_ref import normalization as torch_side


def _of_case(name: str) -> dict[str, Any]:
    """The parts that a convention shares with a case."""
    case = next(case for case in CASES if case.id == f"normalization.{name}")
    return {
        "formulas": "",
        "inputs": case.inputs,
        "manual": case.manual,
        "exact": case.reference,
        "bounds": case.bounds,
    }


def _written_out(correction: int, axis: int = 1, inside: float = 1.0, beside: float = 0.0) -> Callable[..., Tensor]:
    """Batch norm of columns as one writes it with torch.var; epsilon in the root, or beside it."""

    def norm(A: Tensor, gamma: Tensor, beta: Tensor, layout: str, epsilon: float) -> Tensor:
        variance, mean = torch.var_mean(A, dim=axis, correction=correction, keepdim=True)
        return gamma * (A - mean) / (torch.sqrt(variance + inside * epsilon) + beside * epsilon) + beta

    return norm


def _biased(A: Tensor, mean: Tensor, variance: Tensor, layout: str, momentum: float) -> torch_side.Statistics:
    """Running statistics that remember the variance which the batch was divided by."""
    new = torch.var(A, dim=1, correction=0, keepdim=True)
    right = torch_side.running_statistics(A, mean, variance, layout, momentum)
    return right._replace(variance=(1 - momentum) * variance + momentum * new)


def _of_the_past(A: Tensor, mean: Tensor, variance: Tensor, layout: str, momentum: float) -> torch_side.Statistics:
    return torch_side.running_statistics(A, mean, variance, layout, 1 - momentum)


def _still_training(A: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, epsilon: float) -> Tensor:
    return torch_side.batch_norm_forward(A, gamma, beta, "columns", epsilon)


def _share_by_share(A: Tensor, gamma: Tensor, beta: Tensor, layout: str, epsilon: float) -> Tensor:
    """Two processes, each with half of the batch and its own statistics."""
    shares = A.tensor_split(2, dim=1)
    return torch.cat([torch_side.batch_norm_forward(each, gamma, beta, layout, epsilon) for each in shares], dim=1)


def _cell_by_cell(A: Tensor, gamma: Tensor, beta: Tensor, layout: str, epsilon: float) -> Tensor:
    """Batch norm of the flattened volumes: every cell has a mean of its own."""
    flat = functional.batch_norm(A.flatten(1), None, None, training=True, eps=epsilon)
    return gamma * flat.reshape(A.shape) + beta


CONVENTIONS = (
    Convention(
        "normalization.variance",
        "variance of a batch",
        notes="sigma^2 = (1/N) sum (a - mu)^2",
        torch="F.batch_norm the same; torch.var divides by N - 1",
        translation="torch.var(correction=0), as np.var has it",
        naive={"torch.var as it is": _written_out(correction=1)},
        **_of_case("batch_norm_forward_columns"),
    ),
    Convention(
        "normalization.epsilon",
        "epsilon of batch norm",
        notes="sqrt(sigma^2 + epsilon)",
        torch="the same, 1e-5 by default (TensorFlow 1e-3)",
        translation="eps = epsilon",
        naive={"sqrt(sigma^2) + epsilon": _written_out(correction=0, inside=0.0, beside=1.0)},
        **_of_case("batch_norm_forward_columns"),
    ),
    Convention(
        "normalization.axis",
        "batch norm of volumes",
        notes="one mean for each channel, over examples and places",
        torch="BatchNorm2d the same, channels on the second axis",
        translation="permute(0, 3, 1, 2), axis=(0, 1, 2) in NumPy",
        naive={"BatchNorm1d of the flattened volumes": _cell_by_cell},
        **_of_case("batch_norm_forward_volumes"),
    ),
    Convention(
        "normalization.running_variance",
        "running variance",
        notes="the moving average of sigma^2 N / (N - 1)",
        torch="the same: biased in the batch, unbiased in running_var",
        translation="sigma^2 N / (N - 1) into the average",
        naive={"sigma^2 into the average": _biased},
        **_of_case("running_statistics_columns"),
    ),
    Convention(
        "normalization.momentum",
        "momentum of batch norm",
        notes="the weight of the new batch, 0.1",
        torch="the same; TensorFlow's is the weight of the past, 0.99",
        translation="momentum = 1 - that of TensorFlow",
        naive={"the momentum of TensorFlow as it is": _of_the_past},
        **_of_case("running_statistics_columns"),
    ),
    Convention(
        "normalization.mode",
        "batch norm in use",
        notes="the running statistics",
        torch="the same after module.eval()",
        translation="module.eval() before predicting",
        naive={"the module still in training": _still_training},
        **_of_case("batch_norm_predict_columns"),
    ),
    Convention(
        "normalization.processes",
        "batch norm in several processes",
        notes="the statistics of the whole batch",
        torch="DistributedDataParallel: those of each process's share; the running ones are rank 0's",
        translation="nn.SyncBatchNorm.convert_sync_batchnorm(module), on CUDA alone",
        naive={"each share by itself": _share_by_share},
        **_of_case("batch_norm_forward_columns"),
    ),
    Convention(
        "normalization.layer",
        "layer norm of columns",
        notes="mean and variance of a column, over the features",
        torch="over the last axis of examples in rows",
        translation="F.layer_norm(A.T, ...).T",
        naive={
            "over the batch": _written_out(correction=0),
            "torch.std as it is, epsilon beside it": _written_out(correction=1, axis=0, inside=0.0, beside=1.0),
        },
        **_of_case("layer_norm_forward_columns"),
    ),
)
