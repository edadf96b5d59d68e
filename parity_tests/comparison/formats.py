"""Shorter formats: every layer of torch in float32 with TF32 or bfloat16 products, against float64 by hand.

Each bound is that of the format: sums of products get the roundings of their factors and results, what is done entry
by entry those of float32. So a difference beyond what float32 allows is put down to the format, or it is a mistake.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from manual.layers import Add
from parity_tests.comparison.models import ModelCase, Start
from parity_tests.comparison.snap import Step, longest_sum
from parity_tests.judging import bounds
from parity_tests.judging.bounds import Format
from parity_tests.judging.judge import CANNOT_TELL, FAILS, Ledger, Result
from torch_ref import network as torch_side
from torch_ref.hardware import Hardware, products


class Short(NamedTuple):
    """A format: its unit roundoff, how often a sum of products is rounded to it, and how torch is told."""

    u: float
    roundings: int
    hardware: Hardware


FORMATS: dict[str, Short] = {
    "tf32": Short(2.0**-10, 2, Hardware(tf32=True)),
    "bf16": Short(float(torch.finfo(torch.bfloat16).eps) / 2, 4, Hardware(amp=True)),
}
"""TF32 has 11 bits of the two factors alone: tensor cores may cut the others off, which loses twice what rounding does.
bfloat16 has 8 and rounds both, the product, and its sum with the bias."""

THE_FORMAT = "the format: float32 would allow less"
"""The reason of a line that holds in its format, and would not in float32."""

NOT_ROUNDED = "nothing of this model was rounded to the format: it holds in float32 too"
"""The reason of a line that says nothing of its format."""

U32 = bounds.unit_roundoff(np.dtype(np.float32))


class ShortStep(Step):
    """A step in which torch computes in a shorter format and NumPy in float64."""

    def __init__(
        self, case: ModelCase, here: Start, module: torch_side.Network, ledger: Ledger, device: str, short: Short
    ) -> None:
        """See Step; the start is in float64."""
        self.short = short
        super().__init__(case, here, module, ledger, device)

    def units(self) -> tuple[float, float]:
        """Entry by entry float32: what comes in is rounded too, and an exponential carries that as |Z| u.

        Tensor cores cut off what they add up in float32, which loses twice what rounding does.
        """
        largest = max(float(np.max(np.abs(Z))) for Z in self.passed.Z if Z is not None)
        return (2 + largest) * U32, Format(2 * U32, self.short.u + 2 * U32, self.short.roundings)

    def tensor(self, value: Any) -> Tensor:
        """In float32."""
        return super().tensor(value).float()

    def precision(self) -> AbstractContextManager[Any]:
        """The forward pass, whose formats the backward pass follows."""
        return _precision(self.short, self.device)

    def compare(self, quantity: str, layer: int | None, got: Any, reference: Any, bound: Any) -> None:
        """In float64; what torch was given was rounded to float32: Z - Y, L and the sum of a skip show it most."""
        wide = np.asarray(reference, np.float64)
        bound = bound + 2 * U32 * np.abs(wide)
        Z_L, dZ_L = self.passed.Z[-1], self.back.dZ[-1]
        assert Z_L is not None
        assert dZ_L is not None
        if quantity == "dZ" and layer == self.L:
            bound = bound + 2 * U32 * np.abs(Z_L)
        elif (
            quantity == "A" and layer is not None and isinstance(skip := self.here.architecture.layers[layer - 1], Add)
        ):
            bound = bound + 2 * U32 * (np.abs(self.passed.A[layer - 1]) + np.abs(self.passed.A[skip.source]))
        elif layer is None:
            bound = bound + 2 * U32 * np.sum(np.abs(dZ_L * Z_L)) / self.m
        super().compare(quantity, layer, got, wide, bound)

    def _output_dA(self, Y: Tensor) -> None:
        """Nothing: the pass runs from Z_L, and in float32 1 - A says little of an A near 1."""


def _precision(short: Short, device: str) -> AbstractContextManager[Any]:
    """Where torch's products are in the format, as far as that is said for a block and not for all."""
    return torch.autocast(torch.device(device).type, torch.bfloat16) if short.hardware.amp else nullcontext()


def check_rounds(name: str, device: str) -> None:
    """ValueError where products on the device are not rounded to the format: it would be judged by float32's errors."""
    short = FORMATS[name]
    factors = torch.full((64, 64), 1 + short.u / 4, device=device)  # float32 has this number, the format has not
    with products(short.hardware.tf32), _precision(short, device), torch.no_grad():
        matrix = factors @ torch.eye(64, device=device)
        volume = functional.conv2d(factors[None, None], torch.ones(1, 1, 1, 1, device=device))[0, 0]
    if torch.equal(matrix.float(), factors) and torch.equal(volume.float(), factors):
        rule = "expected a device that does, such as a GPU with tensor cores"
        raise ValueError(f"precision is {name}, and no product on {device} is rounded to it, {rule}")


def rounded(lines: list[Result]) -> list[Result]:
    """The lines of one model, of which none can be told where float32 itself allows the errors of all."""
    if any(line.reason == THE_FORMAT or line.verdict == FAILS for line in lines):
        return lines
    return [line._replace(verdict=CANNOT_TELL, cannot_tell=line.arrays, reason=NOT_ROUNDED) for line in lines]


def run_short(case: ModelCase, begin: Start, name: str, device: str = "cpu") -> list[Result]:
    """One forward and backward pass of a model whose start is in float64, in the format of that name.

    A line whose error float32 itself would not allow says that the format is its reason.
    """
    short = FORMATS[name]
    with products(short.hardware.tf32):
        found, in_float32 = (_run(case, begin, name, device, format_) for format_ in (short, short._replace(u=0.0)))
    return [
        line._replace(reason=THE_FORMAT) if line.verdict != FAILS and plain.verdict == FAILS else line
        for line, plain in zip(found, in_float32, strict=True)
    ]


def _run(case: ModelCase, begin: Start, name: str, device: str, short: Short) -> list[Result]:
    """The pass, under the bounds of a format."""
    module = torch_side.build(begin.architecture, device=device, dtype=torch.float32)
    ledger = Ledger(begin.X.dtype, longest_sum(begin), np.float32, name)
    ShortStep(case, begin, torch_side.load_params(module, begin.params), ledger, device, short).run()
    return ledger.results()
