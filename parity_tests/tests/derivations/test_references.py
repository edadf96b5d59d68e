"""What the reference texts compute is what torch's own layers compute: a wrong text would be a wrong truth."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from manual.architecture import Architecture, Dense
from parity_tests.derivations.settings import setting_named
from parity_tests.derivations.settings.reference import reference
from parity_tests.derivations.verdicts import HOLDS, WRONG
from parity_tests.derivations.verify import verify
from parity_tests.tests.slices import sliced
from torch_ref import network as torch_network
from torch_ref.activations import ACTIVATIONS, softmax
from torch_ref.conv import conv_backward, conv_forward, flatten, flatten_backward, zero_pad
from torch_ref.costs import OUTPUT_COSTS, output_dZ
from torch_ref.dense import linear_backward, linear_forward
from torch_ref.dropout import dropout_backward, dropout_forward
from torch_ref.gradients import gradient
from torch_ref.pooling import pool_backward, pool_forward

At = Any


def network(*units: str, x: str = "X", y: str = "Y", J: str = "J") -> Callable[[At, float], dict[str, Any]]:
    """J, the gradients of the parameters and the outputs of torch's network."""

    def found(at: At, lambda_: float) -> dict[str, Any]:
        names = [f"{letter}{l}" for l in range(1, len(units) + 1) for letter in "Wb"]
        params = {name: getattr(at, name).numpy() for name in names}
        layers = [Dense(params[f"W{l}"].shape[0], unit) for l, unit in enumerate(units, 1)]
        module = torch_network.module_with(Architecture(params["W1"].shape[1], tuple(layers)), params)
        passed = torch_network.forward(module, getattr(at, x))
        cost = torch_network.cost(module, passed, getattr(at, y), lambda_)
        return {J: cost.detach(), **torch_network.backward(module, cost)}

    return found


def logistic(at: At, lambda_: float) -> dict[str, Any]:
    names = {"X": at.X, "Y": at.Y, "W1": at.w.T, "b1": at.b.reshape(1, 1)}
    found = network("sigmoid")(SimpleNamespace(**names), lambda_)
    return {"J": found["J"], "dw": found["dW1"].T, "db": found["db1"].reshape(())}


def layer(at: At, lambda_: float) -> dict[str, Any]:
    Z = linear_forward(at.A_prev, at.W, at.b)
    dA = at.W_next.T @ at.dZ_next
    dZ = dA * ACTIVATIONS["tanh"].g_prime(Z)
    return {"Z": Z, "A": torch.tanh(Z), "dA": dA, "dZ": dZ, **linear_backward(dZ, at.A_prev, at.W, lambda_)._asdict()}


def convolution(at: At, lambda_: float) -> dict[str, Any]:
    how = {"stride": int(at.stride), "pad": int(at.pad)}
    back = conv_backward(at.dZ, at.A_prev, at.W, **how, lambda_=lambda_)._asdict()
    return {"A_prev_pad": zero_pad(at.A_prev, how["pad"]), "Z": conv_forward(at.A_prev, at.W, at.b, **how), **back}


def pooling(mode: str) -> Callable[[At, float], dict[str, Any]]:
    return lambda at, _: {
        "A": pool_forward(at.A_prev, int(at.f), int(at.stride), mode=mode),
        "dA_prev": pool_backward(at.dA, at.A_prev, int(at.f), int(at.stride), mode=mode),
    }


def labels(at: At, _: float) -> dict[str, Any]:
    W, b = at.W.clone().requires_grad_(), at.b.clone().requires_grad_()
    loss = functional.cross_entropy(functional.linear(at.X, W.T, b), at.y.long())
    dW, db = torch.autograd.grad(loss, (W, b))
    return {"loss": loss.detach(), "dW": dW, "db": db}


def jacobian(at: At, _: float) -> dict[str, Any]:
    whole: Any = torch.autograd.functional.jacobian(softmax, at.Z[:, :1])  # type: ignore[no-untyped-call]
    return {"A": softmax(at.Z), "jacobian": whole[:, 0, :, 0], "dZ": gradient(softmax, at.Z, at.dA)}


def activation(unit: str) -> Callable[[At, float], dict[str, Any]]:
    g, g_prime = ACTIVATIONS[unit]
    return lambda at, _: {"a": g(at.z), "g_prime": g_prime(at.z), "dz": gradient(g, at.z, at.da)}


def cost(unit: str) -> Callable[[At, float], dict[str, Any]]:
    output = OUTPUT_COSTS[unit]
    return lambda at, _: {
        "J": output.from_A(at.A, at.Y), "dA": output.prime(at.A, at.Y), "dZ": output_dZ(unit, at.Z, at.Y)
    }  # fmt: skip


BY_TORCH: dict[str, Callable[[At, float], dict[str, Any]]] = {
    "logistic": logistic,
    "logistic-loop": logistic,
    "shallow": network("tanh", "sigmoid"),
    "deep": network("tanh", "relu", "sigmoid"),
    "multilabel": network("tanh", "sigmoid"),
    "softmax": network("tanh", "softmax"),
    "regression": network("tanh", "identity"),
    "minibatch": network("tanh", "sigmoid", x="X_t", y="Y_t", J="J_t"),
    "layer": layer,
    "convolution": convolution,
    "max-pool": pooling("max"),
    "average-pool": pooling("average"),
    "flatten": lambda at, _: {"A_flat": flatten(at.A), "dA": flatten_backward(at.dA_flat, at.A.shape)},
    "labels": labels,
    "softmax-jacobian": jacobian,
    "dropout": lambda at, _: {
        "A_drop": dropout_forward(at.A, at.D, float(at.keep_prob)),
        "dA": dropout_backward(at.dA_drop, at.D, float(at.keep_prob)),
    },
    **{unit: activation(unit) for unit in ("sigmoid", "tanh", "relu", "leaky_relu")},
    "binary_cross_entropy": cost("sigmoid"),
    "cross_entropy": cost("softmax"),
    "squared_error": cost("identity"),
}


@pytest.mark.parametrize("name", sliced(BY_TORCH, 6))
@pytest.mark.parametrize("l2", [False, True])
def test_a_text_computes_what_torchs_layers_do(name: str, l2: bool) -> None:
    setting = setting_named(name)
    for seed in range(2):
        probe = setting.probe(seed, l2)
        values = {each: torch.as_tensor(np.array(v)) for each, v in probe.environment.items() if not callable(v)}
        found = BY_TORCH[name](SimpleNamespace(**values), float(values["lambda_"]) if setting.penalised and l2 else 0.0)
        for symbol, value in found.items():
            np.testing.assert_allclose(
                np.asarray(value), probe.by_torch[symbol], rtol=1e-10, atol=1e-12, err_msg=symbol
            )


ASKED: tuple[tuple[str, str, str, str], ...] = (
    ("relu-hidden", "dZ1 = W2.T @ dZ2 * (Z1 > 0)", "dZ1 = W2.T @ dZ2 * (1 - A1**2)", ""),
    ("sigmoid-hidden", "dZ1 = np.dot(W2.T, dZ2) * A1 * (1 - A1)", "dZ1 = np.dot(W2.T, dZ2) * A1", "g-for-gprime"),
    ("sigmoid-squared-error", "dZ2 = (A2 - Y) * A2 * (1 - A2)", "dZ2 = A2 - Y", "gprime-missing"),
    ("softmax-squared-error", "dZ2 = A2 * (dA2 - np.sum(dA2 * A2, axis=0))", "dZ2 = dA2 * A2 * (1 - A2)", ""),
    ("four-layers", "dW4 = dZ4 @ A3.T / m", "dW4 = dZ4 @ A3.T", "missing-1/m"),
    ("rows", "dW1 = X.T @ dZ1 / m", "dW1 = X.T @ dZ1", "missing-1/m"),
    ("labels-hidden", "dW1 = X.T @ dZ1 + reg * W1", "dW1 = X.T @ dZ1 + 2 * reg * W1", ""),
    ("logistic-ones", "grad = X.T @ (h - y) / m", "grad = X.T @ (y - h) / m", "sign"),
    ("dropout-network", "dA1 = (W2.T @ dZ2) * D1 / keep_prob", "dA1 = (W2.T @ dZ2) / keep_prob", ""),
    ("log-softmax", "dZ = np.exp(logP) - Y", "dZ = logP - Y", ""),
)


@pytest.mark.parametrize(("name", "right", "wrong", "cause"), sliced(ASKED, 6), ids=[each[0] for each in ASKED])
def test_the_forms_that_people_ask_for(name: str, right: str, wrong: str, cause: str) -> None:
    (held,) = verify(right).lines  # whatever setting is chosen, a right line is never called wrong
    assert held.verdict == HOLDS
    (named,) = verify(right, name).lines
    assert named.verdict == HOLDS
    (found,) = verify(wrong, name).lines
    assert found.verdict == WRONG
    assert not cause or found.cause == cause


def test_a_line_that_no_text_is_is_refused() -> None:
    with pytest.raises(ValueError, match=r"odd: 'X \?\? Y' is no line of a reference text"):
        reference("odd: a text\ncost: J = X\nX ?? Y")
