"""Modules of standard layers: parameters and gradients cross in the notes' layout, both ways; devices are checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from manual import network as by_hand
from manual.architecture import MODELS, model
from manual.draws import initial_parameters
from torch_ref import network
from torch_ref.devices import device_named


def made(name: str, dtype: Any = np.float64) -> tuple[Any, dict[str, Any], network.Network]:
    """An architecture, parameters and the module that holds them."""
    net = model(name, 3, 2)
    rng = np.random.default_rng(0)
    params = {
        key: (value + rng.standard_normal(value.shape)).astype(dtype)
        for key, value in initial_parameters(net, "he", rng).items()
    }
    return net, params, network.module_with(net, params)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", list(MODELS))
def test_parameters_come_back_as_they_went_in(name: str, dtype: Any) -> None:
    _, params, module = made(name, dtype)
    back = network.export_params(module)
    assert back.keys() == params.keys()
    for key, value in params.items():
        assert back[key].dtype == dtype
        np.testing.assert_array_equal(back[key], value)
    back["W1"][:] = 0
    assert network.export_params(module)["W1"].any()


def test_gradients_come_back_as_they_went_in() -> None:
    _, params, module = made("deep")
    grads = {"d" + key: 2 * value for key, value in params.items()}
    back = network.export_grads(network.load_grads(module, grads))
    assert back.keys() == grads.keys()
    for key, value in grads.items():
        np.testing.assert_array_equal(back[key], value)


@pytest.mark.parametrize("name", list(MODELS))
def test_predictions_agree_with_those_by_hand(name: str) -> None:
    net, params, module = made(name)
    X = np.random.default_rng(1).standard_normal((3, 11))
    np.testing.assert_allclose(network.predict(module, X), by_hand.predict(net, params, X), atol=1e-13)


def test_the_module_is_made_of_standard_layers_and_takes_rows() -> None:
    _, _, module = made("deep6")
    assert {type(layer) for layer in module} == {nn.Linear, nn.Tanh, nn.ReLU, nn.LeakyReLU, nn.Sigmoid, nn.Identity}
    assert module(torch.zeros(5, 3, dtype=torch.float64)).shape == (5, 2)


def test_what_does_not_fit_is_refused() -> None:
    net, params, module = made("shallow")
    with pytest.raises(ValueError, match=r"params has \['W1'\], expected \['W1', 'W2', 'b1', 'b2'\]"):
        network.load_params(module, {"W1": params["W1"]})
    with pytest.raises(ValueError, match=r"W1 and b1 have shapes \(3, 4\) and \(4, 1\), expected \(4, 3\)"):
        network.load_params(module, {**params, "W1": params["W1"].T})
    with pytest.raises(ValueError, match=r"W1 has shape \(3, 4\), expected \(4, 3\)"):
        network.module_with(net, {**params, "W1": params["W1"].T})
    with pytest.raises(ValueError, match=r"layer 1 has no gradient, expected one: call backward first"):
        network.export_grads(module)


def test_devices_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert device_named("cpu") == torch.device("cpu")
    for name in ("tpu", "cuda:x", "", "cuda:"):
        with pytest.raises(ValueError, match=rf"device is '{name}', expected one of auto, cpu, cuda, mps, or cuda:N"):
            device_named(name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device_named("auto") == torch.device("cpu")
    with pytest.raises(ValueError, match=r"device is 'cuda', but this torch .* finds 0 CUDA devices"):
        device_named("cuda")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(ValueError, match=r"device is 'mps', but this torch .* finds no Metal device"):
        device_named("mps")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert device_named("auto") == torch.device("cuda")
    assert device_named("cuda:1") == torch.device("cuda:1")
    with pytest.raises(ValueError, match=r"device is 'cuda:2', but this torch .* finds 2 CUDA devices"):
        device_named("cuda:2")
