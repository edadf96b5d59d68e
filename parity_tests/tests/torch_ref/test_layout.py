"""Volumes and filters reach torch's operations contiguous, forward and backward, whichever way they come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from manual.architecture import Architecture, Conv, Dense, Flatten, Pool
from manual.shared.settings import Settings
from parity_tests import compare
from torch_ref import layout, network, training
from torch_ref.conv import conv_backward

DRAW = np.random.default_rng(0).standard_normal


@pytest.mark.parametrize(
    ("to_torch", "from_torch", "order"),
    [
        (layout.to_rows, layout.from_rows, (0, 3, 1, 2)),
        (layout.filters_to_torch, layout.filters_from_torch, (3, 2, 0, 1)),
    ],
)
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (2, 3, 4, 1), (1, 1, 4, 5), (2, 1, 1, 1)])
def test_what_torch_gets_is_contiguous_both_ways(
    to_torch: Callable[[Tensor], Tensor],
    from_torch: Callable[[Tensor], Tensor],
    order: tuple[int, ...],
    shape: tuple[int, ...],
) -> None:
    value, upstream = (torch.from_numpy(DRAW(shape)) for _ in range(2))
    moved = to_torch(value.requires_grad_())
    assert torch.equal(moved, value.permute(order))
    seen: list[Tensor] = []
    moved.register_hook(seen.append)  # type: ignore[no-untyped-call]
    back = from_torch(moved)
    assert torch.equal(back, value)
    back.backward(upstream)  # type: ignore[no-untyped-call]
    assert torch.equal(seen[0], upstream.permute(order))
    assert value.grad is not None
    assert torch.equal(value.grad, upstream)
    for tensor in (moved, seen[0]):  # strides of a side of 1 say nothing, and torch's kernels still read them
        assert tensor.stride() == torch.empty(tensor.shape).stride()


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Convolution and pooling that take nothing but contiguous tensors; the list names what was run."""
    ran: list[str] = []

    def contiguous(name: str, *tensors: Any) -> None:
        for tensor in tensors:
            if isinstance(tensor, Tensor):
                assert tensor.stride() == torch.empty(tensor.shape).stride(), (name, tensor.shape, tensor.stride())

    def checked(name: str) -> Callable[..., Tensor]:
        right = getattr(functional, name)

        def run(*inputs: Any, **options: Any) -> Tensor:
            contiguous(name, *inputs)
            ran.append(name)
            result: Tensor = right(*inputs, **options)
            if result.requires_grad:

                def back(gradient: Tensor) -> None:
                    contiguous(f"{name} backward", gradient)
                    ran.append(f"{name} backward")

                result.register_hook(back)  # type: ignore[no-untyped-call]
            return result

        return run

    for name in ("conv2d", "max_pool2d", "avg_pool2d"):
        monkeypatch.setattr(functional, name, checked(name))
    return ran


NET = Architecture(
    (7, 6, 2),
    (
        Conv(1, 3, activation="relu"),
        Pool(2, 1, "max"),
        Conv(3, 1, stride=2, activation="tanh"),
        Pool(1, 1, "average"),
        Flatten(),
        Dense(2, "softmax"),
    ),
)
"""One filter over several channels, and one cell that strides over two."""


def test_a_module_that_is_compared(strict: list[str]) -> None:
    units = (
        nn.Conv2d(2, 1, 3),
        nn.ReLU(),
        nn.MaxPool2d(2, 1),
        nn.Conv2d(1, 3, 1, stride=2),
        nn.Tanh(),
        nn.AvgPool2d(1),
    )
    module = nn.Sequential(*units, nn.Flatten(), nn.Linear(12, 1), nn.Sigmoid())
    X, Y = DRAW((17, 2, 7, 6)), np.arange(17) % 2
    assert {result.verdict for result in compare(module=module, X=X, Y=Y, dtype="both")} == {"holds"}
    assert set(strict) >= {name + back for name in ("conv2d", "max_pool2d", "avg_pool2d") for back in ("", " backward")}


def test_what_trains_and_predicts(strict: list[str]) -> None:
    X, Y = DRAW((17, 7, 6, 2)), np.eye(2)[:, np.arange(17) % 2]
    run = training.fit(NET, X, Y, Settings(epochs=2, batch_size=5))
    assert network.predict(network.module_with(NET, run.params), X).shape == (2, 17)
    assert "conv2d backward" in strict


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(3, 3, 2, 1), (1, 1, 1, 1), (1, 1, 4, 3), (2, 1, 1, 3)])
@pytest.mark.parametrize("stride", [1, 2])
def test_the_formulas_by_torch(strict: list[str], dtype: torch.dtype, shape: tuple[int, ...], stride: int) -> None:
    A_prev, W = torch.from_numpy(DRAW((5, 7, 6, shape[2]))).to(dtype), torch.from_numpy(DRAW(shape)).to(dtype)
    n_H, n_W = ((n - f) // stride + 1 for n, f in zip(A_prev.shape[1:3], shape[:2], strict=True))
    dZ = torch.ones(5, n_H, n_W, shape[3], dtype=dtype)
    assert conv_backward(dZ, A_prev, W, stride=stride).dW.shape == shape
    assert "conv2d backward" in strict
