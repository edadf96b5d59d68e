"""Modules with a forward of their own: torch.fx says what they call and add, and every node is compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from parity_tests import compare
from torch_ref.reading import read


class Residual(nn.Module):
    """Two blocks with a skip; the first with the unit behind the sum, the second with it in front."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.BatchNorm2d(3)
        self.stem = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1, bias=False), self.first, nn.ReLU())
        self.conv = nn.Conv2d(3, 3, 3, padding="same")
        self.norm = nn.LayerNorm((3, 4, 6))
        self.head = nn.Linear(18, 5)
        self.inner = nn.Linear(5, 5)
        self.out = nn.Linear(5, 3)

    def forward(self, images: Tensor) -> Tensor:
        """As people write it."""
        A = self.stem(images)
        A = torch.relu(A + self.norm(self.conv(A)))
        A = functional.max_pool2d(A, 2)
        Z = self.head(A.view(A.size(0), -1))
        Z += self.inner(functional.dropout(functional.leaky_relu(Z), 0.3, self.training))
        found: Tensor = self.out(torch.tanh(Z))
        return found


X = np.random.default_rng(0).standard_normal((7, 2, 4, 6))
Y = np.arange(7) % 3


@pytest.mark.parametrize("training", [True, False])
def test_a_module_with_skips_is_read_and_compared_at_every_node(training: bool) -> None:
    torch.manual_seed(0)
    module = Residual().train(training)
    with torch.no_grad():
        for value in (*module.first.parameters(), module.first.running_var):
            value.uniform_(0.5, 1.5)  # type: ignore[union-attr]  # they are tracked
    before = {name: value.clone() for name, value in module.state_dict().items()}
    reading = read(module, X.shape[1:])
    assert reading.training is training
    assert [layer.describe() for layer in reading.architecture.layers] == [
        "conv3x3p1 identity", "batchnorm relu", "conv3x3same identity", "layernorm identity", "add2", "relu", "pool2",
        "flatten", "dense5 identity", "leaky_relu", "dropout0.7", "dense5 identity", "add9", "tanh", "dense3 identity",
    ]  # fmt: skip
    found = {(each.quantity, each.layer): each for each in compare(module=module, X=X, Y=Y)}
    dead = {("db", 1)} if training else set()  # a batch norm takes away what a bias below it adds
    assert {place for place, each in found.items() if each.verdict != "holds"} == dead
    assert {("Z", 2), ("A", 5), ("A", 6), ("dA", 2), ("dA", 9), ("dW", 4), ("J with L2", None)} <= found.keys()
    assert (("running variance", 2) in found) is training
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])


def test_the_module_itself_answers_as_its_reading_does() -> None:
    from manual import network

    module = Residual().double().eval()
    reading = read(module, X.shape[1:])
    passed = network.forward(reading.architecture, reading.params, np.moveaxis(X, 1, -1))
    np.testing.assert_allclose(passed.A[-1].T, module(torch.from_numpy(X)).detach(), rtol=0, atol=1e-12)


class Calls(nn.Module):
    """A forward that is given."""

    def __init__(self, forward: Any) -> None:
        super().__init__()
        self.one, self.two, self.four = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 1)
        self.relu, self.called = nn.ReLU(inplace=True), forward

    def forward(self, rows: Tensor) -> Tensor:
        """What was given."""
        found: Tensor = self.called(self, rows)
        return found


def two_inputs(self: Any, rows: Tensor) -> Any:
    return self.four(self.one(rows) + self.two(rows))


@pytest.mark.parametrize(
    ("forward", "sentence"),
    [
        (
            two_inputs,
            "layer two (Linear) takes what layer 0 gives, expected that of layer 1, the last before it: a path",
        ),
        (lambda self, rows: self.four(2 + self.one(rows)), "add in forward adds a number or a multiple, expected the"),
        (lambda self, rows: self.four(torch.add(self.one(rows), rows, alpha=2)), "add in forward adds a number or a m"),
        (lambda self, rows: self.four(rows * self.one(rows)), "mul in forward is not known, expected torch's layers"),
        (lambda self, rows: self.four(rows) if rows.sum() > 0 else rows, "the module (Calls) cannot be followed by"),
        (lambda self, rows: (self.four(rows), rows), "forward returns something else than its last layer gives"),
        (lambda self, rows: self.four(rows.tanh(1)), "tanh in forward has arguments that its layer does not"),
    ],
)
def test_what_is_no_sequence_with_skips_is_named(forward: Any, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        read(Calls(forward), (4,))
    assert str(caught.value).startswith(sentence)


def test_a_unit_in_place_may_not_change_what_is_added_further_up() -> None:
    def harmless(self: Any, rows: Tensor) -> Any:
        return self.four(self.two(self.relu(self.one(rows))) + rows)

    def changed(self: Any, rows: Tensor) -> Any:
        Z = self.one(rows)
        return self.four(self.two(self.relu(Z)) + Z)

    assert [layer.describe() for layer in read(Calls(harmless), (4,)).architecture.layers][-2] == "add0"
    with pytest.raises(ValueError, match=r"layer relu \(ReLU\) works in place, expected a copy"):
        read(Calls(changed), (4,))


def test_hooks_of_the_module_itself_are_refused() -> None:
    module = Residual()
    module.register_forward_hook(lambda *_: None)
    with pytest.raises(ValueError, match=r"the module has hooks, expected none"):
        read(module, X.shape[1:])
