"""Training with torch: the same batches and masks as by hand, torch's optimisers. Counterpart of manual.training."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from manual.architecture import Architecture
from manual.checks import check_batches, check_data, check_weights
from manual.shared.loop import run
from manual.shared.settings import (
    Data,
    Epoch,
    Examples,
    Explosion,
    Run,
    Settings,
    WeightedExamples,
    batches,
    check_dtype,
    named,
    start,
    take,
)
from torch_ref import network
from torch_ref.clipping import gradient_norm, shortened
from torch_ref.costs import OUTPUT_COSTS, relative_weights
from torch_ref.devices import DTYPES, array, shared
from torch_ref.distributed import ALONE, World, part_of_masks, start_of_run
from torch_ref.graph import Capture, Queued, Steps, capture_on, load, tensors
from torch_ref.hardware import Hardware, operations
from torch_ref.optimizers import OPTIMIZERS, parts
from torch_ref.rows import Rows
from torch_ref.schedules import SCHEDULES

__all__ = ["Epoch", "Examples", "Explosion", "Hardware", "Learner", "Run", "Settings", "fit"]

CHUNK = 1000
"""Examples that are evaluated at a time."""

LOOK_EVERY_ON_A_DEVICE = 32
"""Steps between two looks at the costs of a device, each of which waits for it; a graph has so many at most."""


class StepResult(NamedTuple):
    """What a step leaves to look at, on the device."""

    J: Tensor
    Z_L: Tensor


class Learner:
    """A module, its data on the device, and its optimiser. See manual.shared.settings.Learner."""

    def __init__(
        self,
        architecture: Architecture,
        data: Data,
        settings: Settings,
        hardware: Hardware | None = None,
        world: World = ALONE,
    ) -> None:
        """Move the data to the device; ``restore`` gives the parameters. Of every batch, ``world`` gives the share.

        Raises ValueError for an unknown optimiser, schedule or device, or settings that they do not take.
        """
        self.architecture, self.settings, self.hardware = architecture, settings, hardware or Hardware()
        if data.weights is not None and self.hardware.graph == "on":
            raise ValueError("graph is on and the examples have weights, expected none: the steps of a graph have none")
        self.device, self.world = self.hardware.set_up(), world
        self.look_every = 1 if self.device.type == "cpu" else LOOK_EVERY_ON_A_DEVICE
        self.dtype = DTYPES[check_dtype(data.X.dtype)]
        if self.hardware.amp and self.dtype != torch.float32:
            raise ValueError(f"X has dtype {data.X.dtype}, expected float32: amp leaves other dtypes as they are")
        self.rows = Rows(data.X, self.device, self.dtype)
        self.Y = shared(np.ascontiguousarray(data.Y.T)).to(self.device, self.dtype)
        self.weights = None if data.weights is None else shared(data.weights).to(self.device, self.dtype)
        self.module = network.build(architecture, device=str(self.device), dtype=self.dtype)
        to_Z_L: Callable[[Tensor], Tensor] = network.Logits(self.module)
        self.runs = torch.compile(to_Z_L) if self.hardware.compile else to_Z_L
        self.trains = world.wrapped(self.runs, self.device)
        self.make = named(OPTIMIZERS, "optimizer", settings.optimizer, settings.optimizer_options)
        self.make_schedule = named(SCHEDULES, "decay", settings.decay, settings.decay_options)
        self._made()
        self.steps: Steps | None = None
        dampened = self.hardware.graph == "auto" and self.rule.defaults.get("dampening")
        if (capture := capture_on(self.device)) and not dampened and data.weights is None:
            step = operations(architecture, min(settings.batch_size, len(self.Y)))
            if self.hardware.captures(self.device, self.dtype, world.size, step, settings.epochs):
                self.queue_steps(capture)
        if world.size > 1:
            self._warmed()

    def queue_steps(self, capture: Capture) -> None:
        """From here on steps are queued, and made in graphs."""
        self.look_every = LOOK_EVERY_ON_A_DEVICE
        rule = self.make(self.module, self.settings.learning_rate)
        self.steps = Steps(self.module, rule, self._batch, self._recorded, self.settings.clip, capture)

    def _warmed(self) -> None:
        """One pass that leaves no trace: after its first, DistributedDataParallel orders its sums anew, for good.

        So a run that goes on adds up in the order of one that was never stopped.
        """
        self.module.eval()  # one example has no statistics
        self.trains(self._batch(np.arange(1))[0]).sum().backward()  # type: ignore[no-untyped-call]
        self.module.zero_grad(set_to_none=True)

    def _made(self) -> None:
        """A fresh optimiser and schedule."""
        self.rule = self.make(self.module, self.settings.learning_rate)
        self.first_rate = self.rule.param_groups[0]["lr"]
        self.schedule = self.make_schedule(self.rule)

    def restore(self, params: network.Arrays, state: Mapping[str, NDArray[Any]] | None, epochs: int) -> None:
        """Take on parameters and, where given, the optimiser's state after so many epochs."""
        self._settle()
        network.load_params(self.module, params)
        self._made()
        if state is not None:
            self._check_state(state)
            self.rule.load_state_dict({**self.rule.state_dict(), "state": unflattened(state)})
        if self.steps is not None:
            load(self.steps.rule, state or {})
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
        self._settle()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the epochs' steps were made by an earlier run, or in graphs
            while self.schedule.last_epoch < epoch:
                self.schedule.step()
        rate = self.rule.param_groups[0]["lr"]
        if self.steps is not None:
            self.steps.rate.fill_(rate)
        factor = rate / self.first_rate
        return float(self.settings.learning_rate * factor)

    def _autocast(self) -> AbstractContextManager[Any]:
        return torch.autocast(self.device.type, torch.bfloat16) if self.hardware.amp else nullcontext()

    def _batch(self, batch: NDArray[np.intp]) -> tuple[Tensor, Tensor]:
        """These examples in rows, on the device."""
        return self.rows.take(batch), self.Y.index_select(0, torch.from_numpy(batch).to(self.device))

    def _cost(
        self, Z_L: Tensor, Y: Tensor, lambda_: float, m: int, share: float = 1.0, weights: Tensor | None = None
    ) -> Tensor:
        """The regularised cost from the last Z, in rows; ``share`` is what the mean of these losses counts."""
        # a share without examples has no mean, and still takes part in the average of the gradients
        from_Z = OUTPUT_COSTS[self.architecture.output_unit].from_Z
        J = from_Z(Z_L.to(self.dtype).T, Y.T, weights) if len(Y) else Z_L.sum()
        if share != 1:
            J = share * J
        return J + network.penalty(self.module, lambda_, m) if lambda_ else J

    def step(self, batch: NDArray[np.intp], masks: Sequence[NDArray[Any] | None] | None) -> StepResult | Queued:
        """Forward, cost, autograd, clipping, update; or its place in the queue."""
        if self.steps is not None:
            return self.steps.add(batch, masks)
        m, part = len(batch), self.world.part(len(batch))
        X, Y = self._batch(batch[part])
        network.set_masks(self.module, part_of_masks(masks, part), len(Y))
        weights, lambda_ = weighed(
            None if self.weights is None else self.weights[:, torch.from_numpy(batch)], self.settings.lambda_
        )
        J, Z_L = self._eager(X, Y, m, lambda_, None if weights is None else weights[:, part])
        if self.settings.clip is not None:
            shortened(self.module, self.settings.clip)
        self.rule.step()
        for buffer in self.module.buffers() if self.world.size > 1 else ():  # each has its own share's statistics
            self.world.leaders(buffer)
        return StepResult(self.world.mean(J), self.world.gathered(Z_L, m))

    def _eager(self, X: Tensor, Y: Tensor, m: int, lambda_: float, weights: Tensor | None) -> tuple[Tensor, Tensor]:
        """Cost and Z[L] of this share of m examples; the gradients are left in the parameters."""
        self.rule.zero_grad(set_to_none=True)
        with self._autocast():
            Z_L = self.trains(X)
        J = self._cost(Z_L, Y, lambda_, m, self.world.weight(m), weights)
        J.backward()  # type: ignore[no-untyped-call]
        return J.detach(), Z_L.detach()

    def _recorded(self, X: Tensor, Y: Tensor) -> tuple[Tensor, Tensor]:
        """Cost and Z[L] of a batch, as a graph has them."""
        with self._autocast():
            Z_L = self.runs(X)
        return self._cost(Z_L, Y, self.settings.lambda_, len(Y)), Z_L

    def _settle(self) -> None:
        """Make the steps that are queued."""
        if self.steps is not None:
            self.steps.make()

    def look(self, outcome: StepResult | Queued) -> tuple[float, NDArray[Any]]:
        """The cost as a float, and A[L]."""
        if isinstance(outcome, Queued):
            self._settle()
            return outcome.seen
        return float(outcome.J), self._answers(outcome.Z_L)

    def _answers(self, Z_L: Tensor) -> NDArray[Any]:
        """A[L] in the notes' layout."""
        return array(self.module[-1](Z_L.to(self.dtype)).T)

    def gradient_norm(self) -> float:
        """Of the last step, after clipping."""
        self._settle()
        return gradient_norm(self.module)

    @torch.no_grad()
    def evaluate(
        self, X: Any, Y: NDArray[Any], penalty_m: int | None = None, weights: NDArray[Any] | None = None
    ) -> tuple[float, NDArray[Any]]:
        """Cost and answers, CHUNK examples at a time; of several processes, all get what the first one computed."""
        self._settle()
        total, answers, m = 0.0, [], Y.shape[1]
        self.module.eval()
        given = None if weights is None else shared(weights).to(self.device, self.dtype)
        s, lambda_ = weighed(given, self.settings.lambda_)
        for chunk in batches(m, CHUNK, None):
            rows = self.rows.moved(take(X, chunk))
            targets = torch.from_numpy(take(Y, chunk).T.copy()).to(self.device, self.dtype)
            with self._autocast():
                Z_L = self.runs(rows)
            s_part = None if s is None else s[:, torch.from_numpy(chunk)]
            total += len(chunk) * float(self._cost(Z_L, targets, 0.0, 1, weights=s_part))
            answers.append(self._answers(Z_L))
        if penalty_m is not None:
            total += m * float(network.penalty(self.module, lambda_, penalty_m))
        mean = torch.tensor([total / m], dtype=torch.float64, device=self.device)
        A_L = torch.from_numpy(np.concatenate(answers, axis=1)).to(self.device)
        return float(self.world.leaders(mean)), array(self.world.leaders(A_L))

    def params(self) -> network.Arrays:
        """A copy of the parameters in the notes' layout."""
        self._settle()
        return network.export_params(self.module)

    def state(self) -> dict[str, NDArray[Any]]:
        """torch.optim's state, in torch's layout: 0.exp_avg, 0.exp_avg_sq, 0.step and so on."""
        self._settle()
        rule = self.rule if self.steps is None else self.steps.rule
        return {name: array(value).copy() for name, value in tensors(rule).items()}


def weighed(weights: Tensor | None, lambda_: float) -> tuple[Tensor | None, float]:
    """Weights of mean 1, and the lambda that cost and gradients divide by m where they mean the sum of the weights."""
    if weights is None:
        return None, lambda_
    return relative_weights(weights), lambda_ / float(weights.mean())


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
    weights: NDArray[Any] | None = None,
    params: network.Arrays | None = None,
    validation: Data | None = None,
    resume: Run | None = None,
    on_epoch: Callable[[Run], None] | None = None,
    on_step: Callable[[int, int], None] | None = None,
    hardware: Hardware | None = None,
    world: World = ALONE,
) -> Run:
    """Train the network on X and Y, as manual.training.fit does: the same weights, batches and masks from one seed.

    ``hardware`` says where and how, ``world`` which processes share the work; the arguments and the result are NumPy
    arrays in the notes' layout.

    Raises ValueError for data, parameters, settings or a device that do not fit.
    """
    settings = settings or Settings()
    data = Examples(X, Y) if weights is None else WeightedExamples(X, Y, weights)
    for part in (data, *([validation] if validation else [])):
        check_data(architecture, part.X, part.Y)
        check_weights(part.weights, part.Y.shape[1])
    check_batches(architecture, Y.shape[1], settings.batch_size, world.size)
    if world.size > 1:
        world.check_alike(start_of_run(data, architecture, settings, hardware or Hardware(), params, resume))
    learner = Learner(architecture, data, settings, hardware, world)
    drawn, rng = start(architecture, settings, X.dtype, params)
    learner.restore(drawn, None, 0)
    return run(
        learner, architecture, data, settings, rng,
        validation=validation, resume=resume, on_epoch=on_epoch, on_step=on_step,
    )  # fmt: skip
