"""The networks in torch behind scikit-learn's face. Counterpart of manual.estimators, with ``device`` beside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from manual.architecture import Architecture
from manual.shared.estimator_base import NetworkEstimator
from manual.shared.estimator_targets import ClassifierBase, RegressorBase
from manual.shared.settings import Data, Run, Settings
from torch_ref import network, training
from torch_ref.devices import array, tensor
from torch_ref.training import Hardware

__all__ = ["NetworkClassifier", "NetworkRegressor"]


@dataclass(eq=False, repr=False)
class OnDevice(NetworkEstimator):
    """PyTorch on a device: cpu, cuda, cuda:1, mps, or auto for the best at hand."""

    device: str = "cpu"

    def _train(self, architecture: Architecture, data: Data, settings: Settings, **how: Any) -> Run:
        writable = np.require(data.X, requirements="W")  # torch shares memory, and warns where it cannot write
        how = {**how, "weights": data.weights, "hardware": Hardware(device=self.device)}
        return training.fit(architecture, writable, data.Y, settings, **how)

    @torch.no_grad()
    def _answers(self, architecture: Architecture, params: network.Arrays, X: NDArray[Any]) -> NDArray[Any]:
        device = Hardware(device=self.device).set_up()
        module = network.module_with(architecture, params, device=str(device))
        return array(network.forward(module, tensor(X, device)).A[-1])


@dataclass(eq=False, repr=False)
class NetworkClassifier(ClassifierBase, OnDevice):
    """A network in torch for two classes, several classes or several labels. See manual.estimators."""


class NetworkRegressor(RegressorBase, OnDevice):
    """A network in torch for one target or several. See manual.estimators."""
