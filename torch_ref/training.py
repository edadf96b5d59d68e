"""Training with torch: the same batches and masks as by hand, torch's optimisers. Counterpart of manual.training."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from manual.architecture import Architecture
from manual.checks import check_data
from manual.learning import Epoch, Examples, Explosion, Run, Settings, batches, check_dtype, named, run, start, take
from torch_ref import network
from torch_ref.clipping import clip_by_norm, gradient_norm
from torch_ref.costs import OUTPUT_COSTS, l2_penalty
from torch_ref.devices import DTYPES, array, device_named, shared
from torch_ref.layout import to_rows
from torch_ref.optimizers import OPTIMIZERS, parts
from torch_ref.schedules import SCHEDULES

__all__ = ["Epoch", "Examples", "Explosion", "Hardware", "Learner", "Run", "Settings", "fit"]

CHUNK = 1000
"""Examples that are evaluated at a time."""

LOOK_EVERY_ON_A_DEVICE = 20
"""Steps between two looks at the costs of a device, each of which waits for it."""


@dataclass(frozen=True)
class Hardware:
    """Where torch computes, and how.

    ``amp`` runs the forward pass in bfloat16 (autocast), and takes float32 alone; ``tf32`` lets CUDA round the factors
    of float32 products to 10 bits; ``compile`` hands the module to torch.compile; ``deterministic`` refuses
    operations whose results vary.
    """

    device: str = "cpu"
    amp: bool = False
    tf32: bool = False
    compile: bool = False
    deterministic: bool = False

    def set_up(self) -> torch.device:
        """Set torch's global switches and name the device.

        Raises ValueError for an unknown or absent device.
        """
        precision = "tf32" if self.tf32 else "ieee"
        torch.backends.cuda.matmul.fp32_precision = precision
        torch.backends.cudnn.conv.fp32_precision = precision  # type: ignore[attr-defined]
        torch.use_deterministic_algorithms(self.deterministic)
        return device_named(self.device)


class Outcome(NamedTuple):
    """What a step leaves to look at, on the device."""

    J: Tensor
    Z_L: Tensor


class Learner:
    """A module, its data on the device, and its optimiser. See manual.learning.Learner."""

    def __init__(
        self, architecture: Architecture, data: Examples, settings: Settings, hardware: Hardware | None = None
    ) -> None:
        """Move the data to the device; ``restore`` gives the parameters.

        Raises ValueError for an unknown optimiser, schedule or device, or settings that they do not take.
        """
        self.architecture, self.settings, self.hardware = architecture, settings, hardware or Hardware()
        self.device = self.hardware.set_up()
        self.look_every = 1 if self.device.type == "cpu" else LOOK_EVERY_ON_A_DEVICE
        self.dtype = DTYPES[check_dtype(data.X.dtype)]
        if self.hardware.amp and self.dtype != torch.float32:
            raise ValueError(f"X has dtype {data.X.dtype}, expected float32: amp leaves other dtypes as they are")
        self.X = self._rows(data.X) if isinstance(data.X, np.ndarray) else data.X
        self.Y = shared(np.ascontiguousarray(data.Y.T)).to(self.device, self.dtype)
        self.module = network.build(architecture, device=str(self.device), dtype=self.dtype)
        self.runs: Callable[[Tensor], Tensor] = nn.Sequential(
            *list(self.module)[:-1]
        )  # to Z[L]: the loss holds the unit
        if self.hardware.compile:
            self.runs = torch.compile(self.runs)
        self.make = named(OPTIMIZERS, "optimizer", settings.optimizer, settings.optimizer_options)
        self.make_schedule = named(SCHEDULES, "decay", settings.decay, settings.decay_options)
        self._made()

    def _made(self) -> None:
        """A fresh optimiser and schedule."""
        self.rule = self.make(self.module, self.settings.learning_rate)
        self.first_rate = self.rule.param_groups[0]["lr"]
        self.schedule = self.make_schedule(self.rule)

    def _rows(self, X: NDArray[Any]) -> Tensor:
        """Examples in torch's layout, on the device."""
        return to_rows(shared(np.asarray(X))).contiguous().to(self.device, self.dtype)

    def restore(self, params: network.Arrays, state: Mapping[str, NDArray[Any]] | None, epochs: int) -> None:
        """Take on parameters and, where given, the optimiser's state after so many epochs."""
        network.load_params(self.module, params)
        self._made()
        if state is not None:
            self._check_state(state)
            self.rule.load_state_dict({**self.rule.state_dict(), "state": unflattened(state)})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the steps of these epochs were made before
            self.begin_epoch(epochs)

    def _check_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """ValueError for the state of another optimiser or another network."""
        names = list(parts(self.rule).values())
        counted = [] if isinstance(self.rule, torch.optim.SGD) else ["step"]
        expected = {
            f"{number}.{name}": () if name == "step" else tuple(parameter.shape)
            for number, parameter in enumerate(self.module.parameters())
            for name in (names + counted if names else [])
        }
        if state.keys() != expected.keys():
            raise ValueError(
                f"the state has {sorted(state)}, expected {sorted(expected)}: another optimiser's, or network's"
            )
        for name, shape in expected.items():
            if state[name].shape != shape:
                raise ValueError(f"{name} of the state has shape {state[name].shape}, expected {shape}")

    def begin_epoch(self, epoch: int) -> float:
        """The schedule's learning rate, in the notes' terms."""
        while self.schedule.last_epoch < epoch:
            self.schedule.step()
        factor = self.rule.param_groups[0]["lr"] / self.first_rate
        return float(self.settings.learning_rate * factor)

    def _autocast(self) -> AbstractContextManager[Any]:
        return torch.autocast(self.device.type, torch.bfloat16) if self.hardware.amp else nullcontext()

    def _batch(self, batch: NDArray[np.intp]) -> tuple[Tensor, Tensor]:
        """These examples in rows, on the device."""
        chosen = torch.from_numpy(batch).to(self.device)
        if isinstance(self.X, Tensor):
            return self.X.index_select(0, chosen), self.Y.index_select(0, chosen)
        return self._rows(take(self.X, batch)), self.Y.index_select(0, chosen)

    def _cost(self, Z_L: Tensor, Y: Tensor, lambda_: float, m: int) -> Tensor:
        """The regularised cost from the last Z, in rows."""
        J = OUTPUT_COSTS[self.architecture.output_unit].from_Z(Z_L.to(self.dtype).T, Y.T)
        if lambda_:
            J = J + l2_penalty([layer.weight for _, _, layer, _ in self.module.weighted()], lambda_, m)
        return J

    def step(self, batch: NDArray[np.intp], masks: Sequence[NDArray[Any] | None] | None) -> Outcome:
        """Forward, cost, autograd, clipping, update."""
        X, Y = self._batch(batch)
        network.set_masks(self.module, masks, len(batch))
        self.rule.zero_grad(set_to_none=True)
        with self._autocast():
            Z_L = self.runs(X)
        J = self._cost(Z_L, Y, self.settings.lambda_, len(batch))
        J.backward()  # type: ignore[no-untyped-call]
        if self.settings.clip is not None:
            clip_by_norm(self.module, self.settings.clip)
        self.rule.step()
        return Outcome(J.detach(), Z_L.detach())

    def look(self, outcome: Outcome) -> tuple[float, NDArray[Any]]:
        """The cost as a float, and A[L]."""
        return float(outcome.J), self._answers(outcome.Z_L)

    def _answers(self, Z_L: Tensor) -> NDArray[Any]:
        """A[L] in the notes' layout."""
        return array(self.module[-1](Z_L.to(self.dtype)).T)

    def gradient_norm(self) -> float:
        """Of the last step, after clipping."""
        return gradient_norm(self.module)

    @torch.no_grad()
    def evaluate(self, X: Any, Y: NDArray[Any], penalty_m: int | None = None) -> tuple[float, NDArray[Any]]:
        """Cost and answers, CHUNK examples at a time."""
        total, answers, m = 0.0, [], Y.shape[1]
        self.module.eval()
        for chunk in batches(m, CHUNK, None):
            rows = self._rows(take(X, chunk))
            targets = torch.from_numpy(take(Y, chunk).T.copy()).to(self.device, self.dtype)
            with self._autocast():
                Z_L = self.runs(rows)
            total += len(chunk) * float(self._cost(Z_L, targets, 0.0, 1))
            answers.append(self._answers(Z_L))
        if penalty_m is not None:
            weights = [layer.weight for _, _, layer, _ in self.module.weighted()]
            total += m * float(l2_penalty(weights, self.settings.lambda_, penalty_m))
        return total / m, np.concatenate(answers, axis=1)

    def params(self) -> network.Arrays:
        """A copy of the parameters in the notes' layout."""
        return network.export_params(self.module)

    def state(self) -> dict[str, NDArray[Any]]:
        """torch.optim's state, in torch's layout: 0.exp_avg, 0.exp_avg_sq, 0.step and so on."""
        return flattened(self.rule.state_dict()["state"])


def flattened(state: Mapping[int, Mapping[str, Any]]) -> dict[str, NDArray[Any]]:
    """torch.optim's state as arrays by name; what is None is left out."""
    return {
        f"{number}.{name}": array(value).copy()
        for number, parts in state.items()
        for name, value in parts.items()
        if isinstance(value, Tensor)
    }


def unflattened(arrays: Mapping[str, NDArray[Any]]) -> dict[int, dict[str, Tensor]]:
    """The way back."""
    found: dict[int, dict[str, Tensor]] = {}
    for name, value in arrays.items():
        number, _, part = name.partition(".")
        found.setdefault(int(number), {})[part] = torch.from_numpy(value.copy())
    return found


def fit(
    architecture: Architecture,
    X: Any,
    Y: NDArray[Any],
    settings: Settings | None = None,
    *,
    params: network.Arrays | None = None,
    validation: Examples | None = None,
    resume: Run | None = None,
    on_epoch: Callable[[Run], None] | None = None,
    on_step: Callable[[int, int], None] | None = None,
    hardware: Hardware | None = None,
) -> Run:
    """Train the network on X and Y, as manual.training.fit does: the same weights, batches and masks from one seed.

    ``hardware`` says where and how; the arguments and the result are NumPy arrays in the notes' layout.

    Raises ValueError for data, parameters, settings or a device that do not fit.
    """
    settings = settings or Settings()
    for part in (Examples(X, Y), *([validation] if validation else [])):
        check_data(architecture, part.X, part.Y)
    learner = Learner(architecture, Examples(X, Y), settings, hardware)
    drawn, rng = start(architecture, settings, X.dtype, params)
    learner.restore(drawn, None, 0)
    return run(
        learner, architecture, Examples(X, Y), settings, rng,
        validation=validation, resume=resume, on_epoch=on_epoch, on_step=on_step,
    )  # fmt: skip
