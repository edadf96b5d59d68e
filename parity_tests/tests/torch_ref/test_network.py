"""Modules of standard layers: parameters and gradients cross in the notes' layout, both ways; devices are checked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from manual import network as by_hand
from manual.architecture import IMAGE_MODELS, MODELS, Architecture, Conv, Dense, Dropout, Flatten, Pool, model
from manual.draws import initial_parameters
from torch_ref import network
from torch_ref.devices import device_named


def made(name: str, dtype: Any = np.float64) -> tuple[Any, dict[str, Any], network.Network]:
    """An architecture, parameters and the module that holds them."""
    net = model(name, (12, 13, 2) if name in IMAGE_MODELS else 3, 2)
    rng = np.random.default_rng(0)
    params = {
        key: np.abs(value + rng.standard_normal(value.shape)).astype(dtype)
        if key.startswith("variance")
        else (value + rng.standard_normal(value.shape)).astype(dtype)
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
    X = np.random.default_rng(1).standard_normal(net.batch_shape(0, 11))
    np.testing.assert_allclose(network.predict(module, X), by_hand.predict(net, params, X), atol=1e-13)


@pytest.mark.parametrize("name", ["logistic", "softmax"])
def test_a_tie_is_decided_as_by_hand(name: str) -> None:
    net, params, _ = made(name)
    ties = {key: 0 * value for key, value in params.items()}
    X = np.ones(net.batch_shape(0, 2))
    np.testing.assert_array_equal(
        network.predict(network.module_with(net, ties), X), by_hand.predict(net, ties, X), strict=True
    )


def test_a_prediction_drops_nothing() -> None:
    params, X, _ = masked()
    module = network.module_with(MASKED, params).train()
    np.testing.assert_array_equal(network.predict(module, X), by_hand.predict(MASKED, params, X))


def test_the_module_is_made_of_standard_layers_and_takes_rows() -> None:
    _, _, module = made("deep6")
    assert {type(layer) for layer in module} == {nn.Linear, nn.Tanh, nn.ReLU, nn.LeakyReLU, nn.Sigmoid, nn.Identity}
    assert module(torch.zeros(5, 3, dtype=torch.float64)).shape == (5, 2)


def test_convolutions_pooling_flattening_and_dropout_are_standard_layers_too() -> None:
    net = model("lenet5", (28, 28, 1), 10)
    module = network.build(net)
    kinds = {type(layer) for layer in module}
    assert kinds == {nn.Conv2d, nn.Tanh, nn.AvgPool2d, nn.Flatten, nn.Linear, nn.Softmax}
    assert module(torch.zeros(3, 1, 28, 28, dtype=torch.float64)).shape == (3, 10)
    assert sum(parameter.numel() for parameter in module.parameters()) == 61706


MASKED = Architecture(
    (4, 5, 2),
    (
        Conv(3, 2, activation="tanh"),
        Dropout(0.8),
        Pool(2, 1),
        Flatten(),
        Dropout(0.5),
        Dense(7, "relu"),
        Dropout(0.9),
        Dense(2, "softmax"),
    ),
)
"""Dropout on volumes, on flattened volumes and on columns."""


def masked() -> tuple[dict[str, Any], Any, list[Any]]:
    """Parameters, inputs and masks."""
    rng = np.random.default_rng(2)
    params = initial_parameters(MASKED, "he", rng)
    masks = [(rng.random(MASKED.batch_shape(l, 11)) < 0.6).astype(np.float64) for l in (2, 5, 7)]
    return params, rng.standard_normal(MASKED.batch_shape(0, 11)), masks


def test_masks_drop_the_same_units_on_both_sides() -> None:
    params, X, masks = masked()
    module = network.module_with(MASKED, params)
    with torch.no_grad():
        theirs = network.forward(module, torch.from_numpy(X), masks)
    ours = by_hand.forward(MASKED, params, X, masks)
    for one, other in zip(ours.A, theirs.A, strict=True):
        np.testing.assert_allclose(other.numpy(), one, rtol=0, atol=1e-14)
    dropped = ours.A[5] == 0
    np.testing.assert_array_equal(dropped | (ours.A[4] == 0), (masks[1] == 0) | (ours.A[4] == 0))
    with torch.no_grad():
        whole = network.forward(module, torch.from_numpy(X))
    np.testing.assert_allclose(whole.A[-1].numpy(), by_hand.forward(MASKED, params, X).A[-1], rtol=0, atol=1e-14)


def test_without_a_mask_a_module_in_training_drops_as_torch_does() -> None:
    params, X, _ = masked()
    module = network.module_with(MASKED, params).train()
    torch.manual_seed(0)
    one, other = (module(torch.from_numpy(X).permute(0, 3, 1, 2)) for _ in range(2))
    assert not torch.equal(one, other)
    module.eval()
    assert torch.equal(*(module(torch.from_numpy(X).permute(0, 3, 1, 2)) for _ in range(2)))


@pytest.mark.parametrize(
    ("masks", "sentence"),
    [
        ([np.ones((3, 11))], r"masks has 1 entries, expected 3: one for every dropout layer"),
        ([np.ones((11, 3, 4, 3))] * 3, r"the mask of layer 5 has shape \(11, 3, 4, 3\), expected \(18, 11\)"),
    ],
)
def test_masks_that_do_not_fit_are_refused_by_both_sides(masks: Any, sentence: str) -> None:
    params, X, _ = masked()
    with pytest.raises(ValueError, match=sentence):
        by_hand.forward(MASKED, params, X, masks)
    with pytest.raises(ValueError, match=sentence):
        network.forward(network.module_with(MASKED, params), torch.from_numpy(X), masks)


def test_what_does_not_fit_is_refused() -> None:
    net, params, module = made("shallow")
    with pytest.raises(ValueError, match=r"params has \['W1'\], expected \['W1', 'W2', 'b1', 'b2'\]"):
        network.load_params(module, {"W1": params["W1"]})
    with pytest.raises(ValueError, match=r"W1 has shape \(3, 4\), expected \(4, 3\)"):
        network.load_params(module, {**params, "W1": params["W1"].T})
    with pytest.raises(ValueError, match=r"W1 has shape \(3, 4\), expected \(4, 3\)"):
        network.module_with(net, {**params, "W1": params["W1"].T})
    with pytest.raises(ValueError, match=r"W1 has no gradient, expected one: call backward first"):
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
