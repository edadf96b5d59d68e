"""Pairs "mine and torch's" that differ by one planted mistake or convention, as people meet them.

Each builds the arrays that a person would save. ``says`` is what the cause must say; every third pair is held out: no
rule was made with it in view.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from manual import activations, conv

T = torch.from_numpy


class Sides(NamedTuple):
    """Two dumps; or a person's arrays and a module with its data, and what else torch is given."""

    mine: dict[str, Any]
    theirs: dict[str, Any] | None = None
    module: nn.Module | None = None
    X: Any = None
    Y: Any = None
    loss: Any = None
    optimizer: torch.optim.Optimizer | None = None


class Pair(NamedTuple):
    """A pair: ``first`` is the first quantity that must be said to differ, ``says`` a regular expression."""

    id: str
    first: str
    says: str
    make: Callable[[np.random.Generator], Sides]


PAIRS: list[Pair] = []


def pair(first: str, says: str) -> Callable[[Callable[..., Sides]], Callable[..., Sides]]:
    """Put a function among the pairs."""

    def add(make: Callable[..., Sides]) -> Callable[..., Sides]:
        PAIRS.append(Pair(make.__name__, first, says, make))
        return make

    return add


def numbers(value: Any) -> Any:
    """A tensor as an array."""
    return value.detach().numpy().copy()


def mlp(rng: np.random.Generator, *sizes: int, unit: Callable[[], nn.Module] = nn.Tanh) -> Any:
    """A network in float64 with drawn parameters."""
    parts: list[nn.Module] = []
    for below, above in pairwise(sizes):
        parts += [nn.Linear(below, above), unit()]
    return drawn(nn.Sequential(*parts[:-1]), rng)


def drawn(net: Any, rng: np.random.Generator) -> Any:
    """The module in float64, every parameter drawn."""
    net = net.double()
    with torch.no_grad():
        for value in net.parameters():
            value.copy_(T(rng.standard_normal(value.shape) * 0.6 + 0.1))
    return net


def by_hand(X: Any, Y: Any, net: nn.Sequential, output: Callable[[Any], Any] = activations.identity) -> dict[str, Any]:
    """Forward and backward of a tanh network in the notes' layout: dZ = A - Y, dW and db with 1/m."""
    linear = [each for each in net if isinstance(each, nn.Linear)]
    found: dict[str, Any] = {"X": X, "Y": Y}
    A, m = X, X.shape[1]
    for l, each in enumerate(linear, 1):
        W, b = numbers(each.weight), numbers(each.bias)[:, None]
        Z = W @ A + b
        A = output(Z) if l == len(linear) else np.tanh(Z)
        found |= {f"W{l}": W, f"b{l}": b, f"Z{l}": Z, f"A{l}": A}
    dZ = A - Y
    for l in range(len(linear), 0, -1):
        below = found[f"A{l - 1}"] if l > 1 else X
        found |= {f"dZ{l}": dZ, f"dW{l}": dZ @ below.T / m, f"db{l}": dZ.sum(axis=1, keepdims=True) / m}
        if l > 1:
            dA = found[f"W{l}"].T @ dZ
            dZ = dA * (1 - below**2)
            found[f"dA{l - 1}"] = dA
    return found


def only(found: dict[str, Any], *kinds: str) -> dict[str, Any]:
    """The arrays of these kinds: W for W1, W2; dW for dW1, dW2."""
    return {name: value for name, value in found.items() if name.rstrip("0123456789") in kinds}


def torch_dump(net: nn.Module, **more: Any) -> dict[str, Any]:
    """Parameters and gradients under torch's names, in torch's layout."""
    found = {name: numbers(value) for name, value in net.named_parameters()}
    found |= {f"{name}.grad": numbers(v.grad) for name, v in net.named_parameters() if v.grad is not None}
    return found | more


def classes(rng: np.random.Generator, m: int, n: int) -> Any:
    """Labels in which every class occurs."""
    return np.concatenate([np.arange(n), rng.integers(0, n, m - n)])


def grads(net: nn.Module, X: Any, Y: Any, loss: Callable[[Tensor, Tensor], Tensor]) -> dict[str, Any]:
    """torch's gradients of a copy."""
    one = copy.deepcopy(net)
    loss(one(T(X)), T(Y)).backward()  # type: ignore[no-untyped-call]
    return {name: numbers(value.grad) for name, value in one.named_parameters()}


def params(net: nn.Module) -> dict[str, Any]:
    """Parameters as arrays."""
    return {name: numbers(value) for name, value in net.named_parameters()}


# --- costs


@pair("dW2", r"MSELoss|n_L.*half|half.*n_L")
def mse_mean(rng: np.random.Generator) -> Sides:
    X, Y, net = rng.standard_normal((7, 4)), rng.standard_normal((7, 3)), mlp(rng, 4, 5, 3)
    nn.MSELoss()(net(T(X)), T(Y)).backward()
    mine = only(by_hand(X.T, Y.T, net), "X", "Y", "W", "b", "Z", "dW", "db")
    return Sides(mine, torch_dump(net, X=X, Y=Y))


@pair("dW2", r"n_L")
def bce_mean(rng: np.random.Generator) -> Sides:
    X, Y, net = rng.standard_normal((7, 4)), rng.integers(0, 2, (7, 3)).astype(float), mlp(rng, 4, 5, 3)
    nn.BCEWithLogitsLoss()(net(T(X)), T(Y)).backward()
    mine = only(by_hand(X.T, Y.T, net, activations.sigmoid), "X", "Y", "W", "b", "dW", "db")
    return Sides(mine, torch_dump(net, X=X, Y=Y))


@pair("J", r"softmax.*(twice|of a softmax)|(twice|double).*softmax")
def double_softmax(rng: np.random.Generator) -> Sides:
    net = drawn(nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3), nn.Softmax(dim=1)), rng)
    X, y = rng.standard_normal((7, 4)), classes(rng, 7, 3)
    mine = by_hand(X.T, np.eye(3)[y].T, net, activations.softmax)
    mine["J"] = -np.mean(np.log(mine["A2"][y, np.arange(7)]))
    return Sides(only(mine, "A", "J", "dW", "db"), None, net, X, y, nn.CrossEntropyLoss())


@pair("dW2", r"zero_grad|accumulate")
def zero_grad(rng: np.random.Generator) -> Sides:
    X, y, net = rng.standard_normal((7, 4)), classes(rng, 7, 3), mlp(rng, 4, 5, 3)
    step = torch.optim.SGD(net.parameters(), lr=0.1)
    for turn in range(2):
        if turn:
            step.step()
        nn.CrossEntropyLoss()(net(T(X)), T(y)).backward()
    mine = by_hand(X.T, np.eye(3)[y].T, net, activations.softmax)
    return Sides(only(mine, "X", "Y", "W", "b", "dW", "db"), torch_dump(net, X=X, Y=y, lr=0.1))


# --- layouts


def volumes(rng: np.random.Generator) -> tuple[Any, Any, Any, Any]:
    """A_prev, W, b in the notes' layout, and a convolution of torch with them."""
    A, W, b = rng.standard_normal((4, 6, 5, 2)), rng.standard_normal((3, 3, 2, 3)), rng.standard_normal((1, 1, 1, 3))
    layer = nn.Conv2d(2, 3, 3, stride=2, padding=1).double()
    with torch.no_grad():
        layer.weight.copy_(T(W).permute(3, 2, 0, 1))
        layer.bias.copy_(T(b.ravel()))  # type: ignore[union-attr]
    return A, W, b, layer


@pair("dW", r"permute|reshape")
def filters_reshape(rng: np.random.Generator) -> Sides:
    A, W, b, layer = volumes(rng)
    Z = conv.conv_forward(A, W, b, stride=2, pad=1)
    dZ = rng.standard_normal(Z.shape)
    layer(T(A.transpose(0, 3, 1, 2).copy())).backward(T(dZ.transpose(0, 3, 1, 2).copy()))
    _, dW, db = conv.conv_backward(dZ, A, W, stride=2, pad=1)
    theirs = {"W": W, "Z": Z, "dW": numbers(layer.weight.grad).reshape(W.shape) / 4}
    return Sides({"A_prev": A, "W": W, "b": b, "Z": Z, "dW": dW, "db": db}, theirs | {"db": db.ravel()})


@pair("W1", r"transpose")
def square_transposed(rng: np.random.Generator) -> Sides:
    X, Y, net = rng.standard_normal((7, 4)), rng.standard_normal((7, 3)), mlp(rng, 4, 4, 3)
    mine = only(by_hand(X.T, Y.T, net), "X", "W", "Z", "A")
    with torch.no_grad():
        net[0].weight.copy_(net[0].weight.T.clone())
    A1 = torch.tanh(net[0](T(X)))
    return Sides(mine, {**params(net), "X": X, "A1": numbers(A1), "Z2": numbers(net[2](A1))})


@pair("Z1", r"bias")
def bias_forgotten(rng: np.random.Generator) -> Sides:
    A, W, b, layer = volumes(rng)
    net, X = nn.Sequential(layer, nn.ReLU()), A.transpose(0, 3, 1, 2).copy()
    Z = conv.conv_forward(A, W, 0 * b, stride=2, pad=1)
    return Sides({"W1": W, "b1": b, "Z1": Z, "A1": np.maximum(Z, 0)}, None, net, X)


@pair("b1_new", r"bias.*(decay|penal)|(decay|penal).*bias")
def decay_on_biases(rng: np.random.Generator) -> Sides:
    X, y, net = rng.standard_normal((7, 4)), classes(rng, 7, 3), mlp(rng, 4, 5, 3)
    mine = by_hand(X.T, np.eye(3)[y].T, net, activations.softmax)
    for name in ("W1", "b1", "W2", "b2"):
        gradient = mine[f"d{name}"] + (0.3 * mine[name] if name[0] == "W" else 0)
        mine[f"{name}_new"] = mine[name] - 0.1 * gradient
    step = torch.optim.SGD(net.parameters(), lr=0.1, weight_decay=0.3)
    return Sides(mine, None, net, X, y, nn.CrossEntropyLoss(), step)


class Flat(nn.Module):
    """A convolution, flattened, and a dense layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc = nn.Conv2d(2, 3, 3), nn.Linear(3 * 4 * 3, 5)

    def forward(self, x: Tensor) -> Any:
        """Torch's order: channels first."""
        return self.fc(functional.relu(self.conv(x)).flatten(1))


@pair("Z2", r"flatten|order.*channels")
def flatten_order(rng: np.random.Generator) -> Sides:
    net, X = drawn(Flat(), rng), rng.standard_normal((7, 2, 6, 5))
    W1, b1, W2, b2 = params(net).values()
    A1 = np.maximum(conv.conv_forward(X.transpose(0, 2, 3, 1), W1.transpose(2, 3, 1, 0), b1.reshape(1, 1, 1, 3)), 0)
    return Sides({"A1": A1, "W2": W2, "Z2": W2 @ A1.reshape(7, -1).T + b2[:, None]}, None, net, X)


@pair("dZ2", r"1/m|m = 7|per example")
def m_in_dZ(rng: np.random.Generator) -> Sides:
    X, y, net = rng.standard_normal((7, 4)), classes(rng, 7, 3), mlp(rng, 4, 5, 3)
    mine = by_hand(X.T, np.eye(3)[y].T, net, activations.softmax)
    Z1 = net[0](T(X))
    Z2 = net[2](torch.tanh(Z1))
    Z1.retain_grad(), Z2.retain_grad()
    nn.CrossEntropyLoss()(Z2, T(y)).backward()
    theirs = torch_dump(net, X=X, Z1=numbers(Z1), Z2=numbers(Z2), dZ1=numbers(Z1.grad), dZ2=numbers(Z2.grad))
    return Sides(only(mine, "X", "Y", "W", "b", "Z", "dZ", "dW", "db"), theirs)


# --- pooling, normalisation


@pair("dX", r"ties|every maximum")
def ties(rng: np.random.Generator) -> Sides:
    X = np.maximum(rng.standard_normal((3, 2, 6, 6)), 0)
    X[:, :, :2, :2] = 0  # a window that ties for certain
    net = drawn(nn.Sequential(nn.MaxPool2d(2), nn.Flatten(), nn.Linear(18, 3)), rng)
    y = classes(rng, 3, 3)
    P = functional.max_pool2d(T(X), 2).requires_grad_()
    functional.cross_entropy(net[1:](P), T(y)).backward()  # type: ignore[no-untyped-call]
    rows = X.transpose(0, 2, 3, 1)
    top = np.repeat(np.repeat(numbers(P).transpose(0, 2, 3, 1), 2, 1), 2, 2)
    dP = np.repeat(np.repeat(numbers(P.grad).transpose(0, 2, 3, 1), 2, 1), 2, 2)
    return Sides({"X": rows, "dX": (rows == top) * dP}, None, net, X, y, nn.CrossEntropyLoss())


def normalised(rng: np.random.Generator, eps: float = 1e-5) -> tuple[Any, Any, Any, dict[str, Any]]:
    """A network with batch norm, its data, and its parameters by hand."""
    net = drawn(nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5, eps=eps), nn.ReLU(), nn.Linear(5, 3)), rng)
    X = rng.standard_normal((7, 4))
    own = params(net)
    return net, X, X @ own["0.weight"].T + own["0.bias"], own


def scaled(own: dict[str, Any], hat: Any) -> Any:
    """gamma times what is normalised, plus beta."""
    return own["1.weight"] * hat + own["1.bias"]


@pair("1", r"ddof|m - 1|unbiased")
def ddof(rng: np.random.Generator) -> Sides:
    net, X, Z, own = normalised(rng)
    hat = (Z - Z.mean(0)) / np.sqrt(Z.var(0, ddof=1) + 1e-5)
    return Sides({"Z1": Z, "bn1": scaled(own, hat)}, None, net, X)


@pair("1", r"eps.*root|root.*eps")
def eps_outside(rng: np.random.Generator) -> Sides:
    net, X, Z, own = normalised(rng)
    hat = (Z - Z.mean(0)) / (Z.std(0) + 1e-5)
    return Sides({"Z1": Z, "bn1": scaled(own, hat)}, None, net, X)


@pair("1.running_var", r"unbiased|m - 1|ddof")
def running_var(rng: np.random.Generator) -> Sides:
    net, X, Z, own = normalised(rng)
    hat = (Z - Z.mean(0)) / np.sqrt(Z.var(0) + 1e-5)
    mine = {"Z1": Z, "bn1": scaled(own, hat), "running_mean": 0.1 * Z.mean(0), "running_var": 0.9 + 0.1 * Z.var(0)}
    return Sides(mine, None, net, X)


@pair("1", r"eval|running")
def eval_mode(rng: np.random.Generator) -> Sides:
    net, X, Z, own = normalised(rng)
    net(T(X)), net.eval()
    hat = (Z - Z.mean(0)) / np.sqrt(Z.var(0) + 1e-5)
    return Sides({"Z1": Z, "bn1": scaled(own, hat)}, None, net, X)


@pair("A2", r"softmax.*(axis|dim|examples)|(axis|dim).*softmax")
def softmax_axis(rng: np.random.Generator) -> Sides:
    net = drawn(nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3), nn.Softmax(dim=1)), rng)
    X = rng.standard_normal((7, 4))
    Z2 = numbers(net[:3](T(X)))
    A2 = np.exp(Z2) / np.exp(Z2).sum(axis=0)
    return Sides({"Z2": Z2, "A2": A2}, None, net, X)


# --- steps


def stepping(rng: np.random.Generator) -> tuple[Any, Any, Any, dict[str, Any]]:
    """A network, its data, and what is right by hand."""
    X, y, net = rng.standard_normal((7, 4)), classes(rng, 7, 3), mlp(rng, 4, 5, 3)
    return net, X, y, by_hand(X.T, np.eye(3)[y].T, net, activations.softmax)


NAMES = ("W1", "b1", "W2", "b2")


def after_two(
    rng: np.random.Generator, optimizer: Callable[..., Any], rule: Callable[[Any, Any, Any], Any], **options: Any
) -> Sides:
    """torch's optimiser has made one step; ``rule`` makes the second by hand from W and both gradients."""
    net, X, y, first = stepping(rng)
    step = optimizer(net.parameters(), **options)
    nn.CrossEntropyLoss()(net(T(X)), T(y)).backward()
    step.step(), step.zero_grad()
    mine = by_hand(X.T, np.eye(3)[y].T, net, activations.softmax)
    mine |= {f"{n}_new": rule(mine[n], first[f"d{n}"], mine[f"d{n}"]) for n in NAMES}
    return Sides(mine, None, net, X, y, nn.CrossEntropyLoss(), step)


@pair("W1_new", r"1 - (beta|momentum)|notes' momentum|average")
def momentum_scale(rng: np.random.Generator) -> Sides:
    def rule(W: Any, g1: Any, g2: Any) -> Any:
        return W - 0.1 * (0.9 * 0.1 * g1 + 0.1 * g2)

    return after_two(rng, torch.optim.SGD, rule, lr=0.1, momentum=0.9)


@pair("W1_new", r"AdamW|decoupled|beside the step")
def adamw(rng: np.random.Generator) -> Sides:
    net, X, y, mine = stepping(rng)
    for n in NAMES:
        g = mine[f"d{n}"] + 0.2 * mine[n]
        mine[f"{n}_new"] = mine[n] - 0.01 * g / (np.abs(g) + 1e-8)
    step = torch.optim.AdamW(net.parameters(), lr=0.01, weight_decay=0.2)
    return Sides(mine, None, net, X, y, nn.CrossEntropyLoss(), step)


@pair("W1_new", r"[Nn]esterov")
def nesterov(rng: np.random.Generator) -> Sides:
    def rule(W: Any, g1: Any, g2: Any) -> Any:
        return W - 0.1 * (0.9 * g1 + g2)

    return after_two(rng, torch.optim.SGD, rule, lr=0.1, momentum=0.9, nesterov=True)


@pair("A1", r"keep_prob")
def dropout_scale(rng: np.random.Generator) -> Sides:
    X, W1, b1 = rng.standard_normal((4, 7)), rng.standard_normal((5, 4)), rng.standard_normal((5, 1))
    D1 = (rng.random((5, 7)) < 0.8).astype(float)
    Z1 = W1 @ X + b1
    mine = {"X": X, "W1": W1, "b1": b1, "Z1": Z1, "D1": D1, "keep_prob": 0.8, "A1": np.tanh(Z1) * D1}
    return Sides(mine, {**mine, "A1": numbers(torch.tanh(T(Z1)) * T(D1) / 0.8)})


# --- more costs


@pair("J", r"label.smoothing|smooth")
def smoothing(rng: np.random.Generator) -> Sides:
    net, X, y, mine = stepping(rng)
    soft = np.where(np.eye(3)[y].T > 0, 1 - 0.1, 0.1 / 2)
    mine["J"] = -np.sum(soft * np.log(mine["A2"])) / 7
    return Sides(only(mine, "Z", "J"), None, net, X, y, nn.CrossEntropyLoss(label_smoothing=0.1))


@pair("J", r"ignore")
def ignore_index(rng: np.random.Generator) -> Sides:
    net, X, y, mine = stepping(rng)
    y[4:6] = -100
    seen = y >= 0
    mine["J"] = -np.sum(np.log(mine["A2"][y[seen], np.flatnonzero(seen)])) / 7
    return Sides(only(mine, "Z", "J"), None, net, X, y, nn.CrossEntropyLoss())


@pair("Z1", r"pad.*(above|left|side)|(above|left|side).*pad")
def same_even(rng: np.random.Generator) -> Sides:
    net, X = drawn(nn.Sequential(nn.Conv2d(2, 3, 2, padding="same"), nn.ReLU()), rng), rng.standard_normal((4, 2, 6, 5))
    W, b = params(net).values()
    padded = np.pad(X, ((0, 0), (0, 0), (1, 0), (1, 0)))
    return Sides({"Z1": numbers(functional.conv2d(T(padded), T(W), T(b)))}, None, net, X)


@pair("Z1", r"flip|turned over")
def flipped(rng: np.random.Generator) -> Sides:
    A, W, b, layer = volumes(rng)
    Z = conv.conv_forward(A, W[::-1, ::-1], b, stride=2, pad=1)
    return Sides({"W1": W, "Z1": Z}, None, nn.Sequential(layer, nn.ReLU()), A.transpose(0, 3, 1, 2).copy())


@pair("Z1", r"stride")
def stride_off(rng: np.random.Generator) -> Sides:
    A, W, b, layer = volumes(rng)
    Z = conv.conv_forward(A, W, b, stride=1, pad=1)[:, :3, :3]
    return Sides({"W1": W, "Z1": Z}, None, nn.Sequential(layer, nn.ReLU()), A.transpose(0, 3, 1, 2).copy())


@pair("X", r"(flip|revers|back to front).*")
def channel_order(rng: np.random.Generator) -> Sides:
    net, X = drawn(nn.Sequential(nn.Conv2d(3, 2, 3), nn.ReLU()), rng), rng.standard_normal((4, 3, 6, 5))
    mine = {"X": X[:, ::-1].copy(), "Z1": numbers(net[0](T(X[:, ::-1].copy())))}
    return Sides(mine, None, net, X)


@pair("W1_new", r"schedule|rate|epoch|gamma")
def schedule(rng: np.random.Generator) -> Sides:
    _, _, _, mine = stepping(rng)
    lr, epoch = 0.1, 3
    theirs = only(mine, "W", "b", "dW", "db") | {"lr": lr, "gamma": 0.9, "epoch": epoch}
    theirs |= {f"{n}_new": mine[n] - lr * 0.9**epoch * mine[f"d{n}"] for n in NAMES}
    own = {f"{n}_new": mine[n] - lr * 0.9 ** (epoch + 1) * mine[f"d{n}"] for n in NAMES}
    return Sides(theirs | own, theirs)


class Shared(nn.Module):
    """One layer, used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.fc, self.out = nn.Linear(5, 5), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Any:
        """The same weights above each other."""
        return self.out(torch.tanh(self.fc(torch.tanh(self.fc(x)))))


@pair("dW1", r"shared|twice|use")
def weight_sharing(rng: np.random.Generator) -> Sides:
    net, X, y = drawn(Shared(), rng), rng.standard_normal((7, 5)), classes(rng, 7, 3)
    one = copy.deepcopy(net)
    below = torch.tanh(one.fc(T(X))).detach()
    functional.cross_entropy(one.out(torch.tanh(one.fc(below))), T(y)).backward()  # type: ignore[no-untyped-call]
    mine = {"dW2": numbers(one.out.weight.grad), "dW1": numbers(one.fc.weight.grad), "db1": numbers(one.fc.bias.grad)}
    return Sides(mine, None, net, X, y, nn.CrossEntropyLoss())


@pair("dW2", r"clip")
def clipping(rng: np.random.Generator) -> Sides:
    net, X, y, mine = stepping(rng)
    nn.CrossEntropyLoss()(net(T(X)), T(y)).backward()
    nn.utils.clip_grad_norm_(net.parameters(), 0.2)
    own = only(mine, "X", "Y", "W", "b") | {
        name: np.clip(value, -0.2, 0.2) for name, value in only(mine, "dW", "db").items()
    }
    return Sides(own, torch_dump(net, X=X, Y=y, max_norm=0.2))


@pair("dW2", r"1/m|average|m = 7")
def sum_for_mean(rng: np.random.Generator) -> Sides:
    net, X, y, mine = stepping(rng)
    own = {name: 7 * value for name, value in only(mine, "dW", "db").items()}
    return Sides(only(mine, "Z") | own, None, net, X, y, nn.CrossEntropyLoss())


@pair("W1_new", r"correction")
def no_correction(rng: np.random.Generator) -> Sides:
    net, X, y, mine = stepping(rng)
    for n in NAMES:
        g = mine[f"d{n}"]
        mine[f"{n}_new"] = mine[n] - 0.01 * 0.1 * g / (np.sqrt(0.001 * g**2) + 1e-8)
    return Sides(mine, None, net, X, y, nn.CrossEntropyLoss(), torch.optim.Adam(net.parameters(), lr=0.01))


@pair("W1_new", r"eps")
def adam_eps(rng: np.random.Generator) -> Sides:
    net, X, y, mine = stepping(rng)
    for n in NAMES:
        g = mine[f"d{n}"]
        mine[f"{n}_new"] = mine[n] - 0.01 * g / np.sqrt(g**2 + 1e-8)
    return Sides(mine, None, net, X, y, nn.CrossEntropyLoss(), torch.optim.Adam(net.parameters(), lr=0.01))


@pair("W1_new", r"beta.*(swap|exchang|place)|(swap|exchang).*beta")
def betas_swapped(rng: np.random.Generator) -> Sides:
    def rule(W: Any, g1: Any, g2: Any) -> Any:
        v, s = (0.1 * 0.9 * 0 + 0.001 * (0.999 * g1 + g2)), 0.1 * (0.9 * g1**2 + g2**2)
        return W - 0.01 * (v / (1 - 0.999**2)) / (np.sqrt(s / (1 - 0.9**2)) + 1e-8)

    return after_two(rng, torch.optim.Adam, rule, lr=0.01)


# --- layers


@pair("0", r"pad")
def include_pad(rng: np.random.Generator) -> Sides:
    net, X = nn.Sequential(nn.AvgPool2d(3, 2, padding=1)), rng.standard_normal((3, 2, 7, 5))
    mine = functional.avg_pool2d(T(X), 3, 2, padding=1, count_include_pad=False)
    return Sides({"avgpool": numbers(mine)}, None, net, X)


@pair("A1", r"slope")
def leaky_slope(rng: np.random.Generator) -> Sides:
    net, X = mlp(rng, 4, 5, 3, unit=lambda: nn.LeakyReLU(0.2)), rng.standard_normal((7, 4))
    Z1 = numbers(net[0](T(X))).T
    A1 = np.where(Z1 > 0, Z1, 0.01 * Z1)
    W2, b2 = params(net)["2.weight"], params(net)["2.bias"][:, None]
    return Sides({"Z1": Z1, "A1": A1, "Z2": W2 @ A1 + b2}, None, net, X)


@pair("1", r"(over|axis|axes).*(example|batch)|(example|batch).*(axis|axes)")
def layer_norm_axes(rng: np.random.Generator) -> Sides:
    net, X = drawn(nn.Sequential(nn.Linear(4, 5), nn.LayerNorm(5), nn.Linear(5, 3)), rng), rng.standard_normal((7, 4))
    Z, own = numbers(net[0](T(X))), params(net)
    hat = (Z - Z.mean(0)) / np.sqrt(Z.var(0) + 1e-5)
    return Sides({"Z1": Z, "ln1": own["1.weight"] * hat + own["1.bias"]}, None, net, X)


class Residual(nn.Module):
    """A block with a path around it."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2, self.out = nn.Linear(5, 5), nn.Linear(5, 5), nn.Linear(5, 3)

    def forward(self, x: Tensor) -> Any:
        """out(h + fc2(relu(h))) with h = fc1(x)."""
        h = self.fc1(x)
        return self.out(h + self.fc2(functional.relu(h)))


@pair("dZ1", r"skip|path")
def skip_missing(rng: np.random.Generator) -> Sides:
    net, X, y = drawn(Residual(), rng), rng.standard_normal((7, 5)), classes(rng, 7, 3)
    h = net.fc1(T(X))
    h.retain_grad()
    second = net.fc2(functional.relu(h))
    top = h.detach() + second
    second.retain_grad()
    functional.cross_entropy(net.out(top), T(y)).backward()  # type: ignore[no-untyped-call]
    mine = {"Z1": numbers(h), "Z2": numbers(second), "dZ2": numbers(second.grad), "dZ1": numbers(h.grad)}
    net.zero_grad()
    return Sides(mine, None, net, X, y, nn.CrossEntropyLoss())


@pair("dA_prev", r"outside|zero")
def return_in_loop(rng: np.random.Generator) -> Sides:
    A, W, _, layer = volumes(rng)
    x = T(A.transpose(0, 3, 1, 2).copy()).requires_grad_()
    Z = layer(x)
    dZ = rng.standard_normal(Z.shape)
    Z.backward(T(dZ))
    right = numbers(x.grad)
    first = np.zeros_like(right)
    first[0, :, :2, :2] = np.einsum("k,kcij->cij", dZ[0, :, 0, 0], W.transpose(3, 2, 0, 1))[:, 1:, 1:]
    return Sides({"dA_prev": first.transpose(0, 2, 3, 1)}, {"dA_prev": right})


@pair("dZ1", r"1\.weight|gamma|factor.*(column|unit|axis)")
def gamma_missing(rng: np.random.Generator) -> Sides:
    net, X, Z, own = normalised(rng)
    y = classes(rng, 7, 3)
    z = T(Z).requires_grad_()
    functional.cross_entropy(copy.deepcopy(net)[1:](z), T(y)).backward()  # type: ignore[no-untyped-call]
    mine = {"Z1": Z, "dZ1": numbers(z.grad) / own["1.weight"]}
    return Sides(mine, None, net, X, y, nn.CrossEntropyLoss())


def tf32(value: Any) -> Any:
    """Rounded to 10 bits of mantissa."""
    mantissa, exponent = np.frexp(value)
    return np.ldexp(np.round(mantissa * 2**11) / 2**11, exponent)


@pair("Z", r"TF32|rounding")
def rounded_to_tf32(rng: np.random.Generator) -> Sides:
    A, W, b, _ = volumes(rng)
    A, W, b = (np.asarray(each, np.float32) for each in (A, W, b))
    right = conv.conv_forward(A, W, b, stride=2, pad=1)
    theirs = conv.conv_forward(tf32(A), tf32(W), b, stride=2, pad=1)
    known = {"A_prev": A, "W": W, "b": b}
    return Sides({**known, "Z": right}, {**known, "Z": theirs.astype(np.float32)})


@pair("dZ1", r"slope|g'")
def slope_missing(rng: np.random.Generator) -> Sides:
    _, X, _, mine = stepping(rng)
    wrong = {**mine, "dZ1": mine["dA1"], "dW1": mine["dA1"] @ X / 7, "db1": mine["dA1"].mean(1, keepdims=True)}
    return Sides(wrong, mine)


@pair("dX", r"0 where|zero where")
def zero_where_x_is(rng: np.random.Generator) -> Sides:
    net, X, y = mlp(rng, 4, 5, 3), rng.standard_normal((7, 4)) * (rng.random((7, 4)) < 0.7), classes(rng, 7, 3)
    x = T(X).requires_grad_()
    functional.cross_entropy(copy.deepcopy(net)(x), T(y)).backward()  # type: ignore[no-untyped-call]
    return Sides({"X": X, "dX": numbers(x.grad) * (X != 0)}, None, net, X, y, nn.CrossEntropyLoss())


@pair("1.running_mean", r"momentum")
def running_momentum(rng: np.random.Generator) -> Sides:
    net, X, Z, _ = normalised(rng)
    mine = {"running_mean": 0.9 * Z.mean(0), "running_var": 0.1 + 0.9 * Z.var(0, ddof=1)}
    return Sides({"Z1": Z, **mine}, None, net, X)


@pair("W1_new", r"alpha|0\.99")
def rmsprop_alpha(rng: np.random.Generator) -> Sides:
    net, X, y, mine = stepping(rng)
    for n in NAMES:
        g = mine[f"d{n}"]
        mine[f"{n}_new"] = mine[n] - 0.01 * g / (np.sqrt(0.1 * g**2) + 1e-8)
    return Sides(mine, None, net, X, y, nn.CrossEntropyLoss(), torch.optim.RMSprop(net.parameters(), lr=0.01))


@pair("W1_new", r"lambda/m|divided by m|1/m")
def decay_over_m(rng: np.random.Generator) -> Sides:
    net, X, y, mine = stepping(rng)
    for n in NAMES:
        mine[f"{n}_new"] = mine[n] - 0.1 * (mine[f"d{n}"] + (0.3 / 7) * mine[n])
    step = torch.optim.SGD(net.parameters(), lr=0.1, weight_decay=0.3)
    return Sides(mine, None, net, X, y, nn.CrossEntropyLoss(), step)


def held_out() -> Iterator[Pair]:
    """Every third pair."""
    yield from PAIRS[2::3]
