"""Rules of an optimiser's step, each with one thing otherwise: torch's own steps, and the notes' formulas by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from parity_tests.differences.steps import Rule, others, rule_of, step_variants
from parity_tests.differences.trace import Trace

M = 8
G = np.random.default_rng(0).uniform(0.5, 2, (4, 2, 3)) * [[1, -1, 1], [-1, 1, 1]]
"""The gradients of four steps."""

OPTIMIZERS: dict[str, Callable[[Any], torch.optim.Optimizer]] = {
    "sgd": lambda p: torch.optim.SGD(p, 0.1),
    "sgd decay": lambda p: torch.optim.SGD(p, 0.1, weight_decay=0.25),
    "momentum": lambda p: torch.optim.SGD(p, 0.1, momentum=0.75, weight_decay=0.25),
    "dampening": lambda p: torch.optim.SGD(p, 0.1, momentum=0.75, dampening=0.5),
    "nesterov": lambda p: torch.optim.SGD(p, 0.1, momentum=0.75, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, 0.1, (0.5, 0.75), 0.125),
    "adam decay": lambda p: torch.optim.Adam(p, 0.1, (0.5, 0.75), 0.125, weight_decay=0.25),
    "adamw": lambda p: torch.optim.AdamW(p, 0.1, (0.5, 0.75), 0.125, weight_decay=0.25),
    "rmsprop": lambda p: torch.optim.RMSprop(p, 0.1, 0.75, 0.125, weight_decay=0.25),
}


class Linear(nn.Module):
    """A dense layer, with a bias or without."""

    def __init__(self, W: Any, b: Any = None) -> None:
        super().__init__()
        self.W = nn.Parameter(torch.tensor(W))
        self.b = None if b is None else nn.Parameter(torch.tensor(b))

    def forward(self, X: Any) -> Any:
        return nn.functional.linear(X, self.W, self.b)


def after(optimizer: torch.optim.Optimizer, module: nn.Module, gradients: Any) -> None:
    """Torch's steps with these gradients."""
    for gradient in gradients:
        for each in module.parameters():
            each.grad = torch.tensor(np.resize(gradient, each.shape))
        optimizer.step()


def ruled(kind: str, count: int) -> tuple[Any, dict[str, Any], Rule, Any]:
    """The parameter and torch's state after so many steps, the rule of it, and the parameter after one step more."""
    module = Linear(G[3] / 2)
    optimizer = OPTIMIZERS[kind](module.parameters())
    after(optimizer, module, G[:count])
    W = module.W.detach().numpy().copy()
    state = {name: value.numpy().copy() for name, value in optimizer.state[module.W].items() if value is not None}
    rule = rule_of(optimizer.param_groups[0], type(optimizer).__name__, M)
    assert rule is not None
    betas = {"exp_avg beta": rule.beta1, "exp_avg_sq beta": rule.beta2, "square_avg beta": rule.beta2}
    after(optimizer, module, G[count : count + 1])
    return W, {**state, **betas}, rule, module.W.detach().numpy()


@pytest.mark.parametrize("kind", OPTIMIZERS)
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_rule_steps_as_torch_does(kind: str, count: int) -> None:
    W, state, rule, new = ruled(kind, count)
    np.testing.assert_allclose(rule.step(W, G[count], state, True), new, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(rule.step(W, G[count], state, False), new, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_momentum_of_the_notes(count: int) -> None:
    """v = beta v + (1 - beta) dW; W = W - alpha v."""
    W, state, rule, _ = ruled("momentum", count)
    averaged = replace(rule, averaged=True).step(W, G[count], state, True)
    v = 0.25 * (G[count] + 0.25 * W) + (0.75 * 0.25 * state["momentum_buffer"] if count else 0)
    np.testing.assert_allclose(averaged, W - 0.1 * v, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(
        replace(rule, momentum=0.0, dampening=0.5).step(W, G[count], state, True), W - 0.1 * (G[count] + 0.25 * W)
    )


def moments(rule: Rule, count: int) -> tuple[Any, Any, int]:
    """Adam's v and s with these betas, and t."""
    v = s = np.zeros((2, 3))
    for g in G[:count]:
        v, s = rule.beta1 * v + (1 - rule.beta1) * g, rule.beta2 * s + (1 - rule.beta2) * g**2
    return v, s, count


@pytest.mark.parametrize("count", [0, 1, 2])
def test_adam_with_one_thing_otherwise(count: int) -> None:
    W, state, rule, _ = ruled("adam", count)
    v, s, t = moments(rule, count + 1)
    c1, c2, root = 1 - 0.5**t, 1 - 0.75**t, np.sqrt(s)
    for change, expected in (
        ({"eps_at": "rate"}, np.sqrt(c2) / c1 * v / (root + 0.125)),
        ({"eps_at": "inside"}, v / c1 / np.sqrt(s / c2 + 0.125)),
        ({"corrected": False}, v / (root + 0.125)),
    ):
        changed = replace(rule, **change)
        np.testing.assert_allclose(changed.step(W, G[count], state, True), W - 0.1 * expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("count", [0, 1])
def test_other_betas_as_far_as_one_step_goes(count: int) -> None:
    W, state, rule, _ = ruled("adam", count)
    other = replace(rule, beta1=0.9, beta2=0.99)
    v, s, t = moments(other, count + 1)
    expected = W - 0.1 * v / (1 - 0.9**t) / (np.sqrt(s / (1 - 0.99**t)) + 0.125)
    np.testing.assert_allclose(other.step(W, G[count], state, True), expected, rtol=1e-14, atol=1e-15)
    W, state, rule, _ = ruled("rmsprop", count)
    other = replace(rule, beta2=0.99, decay=0.0, eps_at="inside")
    s = moments(replace(rule, beta2=0.99), count)[1]
    if count:
        s = s / G[0] ** 2 * (G[0] + 0.25 * G[3] / 2) ** 2  # torch's decay went into it
    expected = W - 0.1 * G[count] / np.sqrt(0.99 * s + 0.01 * G[count] ** 2 + 0.125)
    np.testing.assert_allclose(other.step(W, G[count], state, True), expected, rtol=1e-14, atol=1e-15)


def test_decay_may_be_that_of_weights_alone() -> None:
    W, state, rule, new = ruled("sgd decay", 0)
    weights = replace(rule, weights_only=True)
    np.testing.assert_allclose(weights.step(W, G[0], state, True), new)
    np.testing.assert_allclose(weights.step(W, G[0], state, False), W - 0.1 * G[0])


# --- which rules there are

GROUPS: list[tuple[str, dict[str, Any], Rule | None]] = [
    ("SGD", {"momentum": 0.9, "dampening": 0.1, "nesterov": False}, Rule("sgd", 0.5, M, 0.9, 0.1, decay=0.25)),
    ("SGD", {"momentum": 0.9, "dampening": 0, "nesterov": True}, Rule("sgd", 0.5, M, 0.9, nesterov=True, decay=0.25)),
    ("Adam", {"decoupled_weight_decay": False}, Rule("adam", 0.5, M, beta1=0.1, beta2=0.2, eps=0.3, decay=0.25)),
    ("Adam", {}, Rule("adam", 0.5, M, beta1=0.1, beta2=0.2, eps=0.3, decay=0.25)),
    *[
        (kind, more, Rule("adam", 0.5, M, beta1=0.1, beta2=0.2, eps=0.3, decay=0.25, decoupled=True))
        for kind, more in (("AdamW", {}), ("Adam", {"decoupled_weight_decay": True}))
    ],
    ("RMSprop", {"momentum": 0, "centered": False}, Rule("rmsprop", 0.5, M, beta2=0.4, eps=0.3, decay=0.25)),
    ("RMSprop", {"momentum": 0.9, "centered": False}, None),
    ("RMSprop", {"momentum": 0, "centered": True}, None),
    ("Adam", {"amsgrad": True}, None),
    ("AdamW", {"amsgrad": True}, None),
    ("Adagrad", {}, None),
]


@pytest.mark.parametrize(("kind", "more", "rule"), GROUPS)
def test_the_rule_of_a_group(kind: str, more: dict[str, Any], rule: Rule | None) -> None:
    group = {"lr": 0.5, "weight_decay": 0.25, "betas": (0.1, 0.2), "eps": 0.3, "amsgrad": False, "alpha": 0.4, **more}
    assert rule_of(group, kind, M) == rule


STEPS = [
    ("sign", "mine goes uphill: W - lr * step goes down", "", {"lr": -0.5}),
    ("learning-rate-missing", "mine leaves out the learning rate", "", {"lr": 1.0}),
    ("wrong-number", "mine makes m times the step", "", {"lr": 4.0}),
    ("wrong-number", "mine makes 1/m times the step", "", {"lr": 0.0625}),
    ("wrong-number", "mine makes twice the step", "", {"lr": 1.0}),
    ("wrong-number", "mine makes half the step", "", {"lr": 0.25}),
]
EPSILON = [
    ("epsilon", f"mine has epsilon (eps) = {eps}, theirs 1e-05", "", {"eps": float(eps)})
    for eps in ("1e-07", "1e-08", "1e-10", "0.001")
]
ROW = "l2.weight_decay"


def described(rule: Rule) -> list[tuple[str, str, str, dict[str, Any]]]:
    """What else a step may have been: id, words, row and what is changed."""
    plain = asdict(rule)
    return [
        (
            *(cause.id, cause.text.format(one="mine", base="theirs"), cause.row),
            {name: value for name, value in asdict(other).items() if value != plain[name]},
        )
        for cause, other in others(rule)
    ]


def test_other_steps_of_plain_descent() -> None:
    assert described(Rule("sgd", 0.5, M)) == STEPS


def test_other_decays() -> None:
    assert described(Rule("sgd", 0.5, M, decay=0.25)) == [
        (
            "l2-on-bias",
            "mine penalises the weights alone, weight_decay reaches the biases too: put them in a group without",
            ROW,
            {"weights_only": True},
        ),
        (
            "l2-not-over-m",
            "mine has lambda/m where theirs has lambda: weight_decay knows no m, so give it lambda/m",
            ROW,
            {"decay": 0.03125},
        ),
        (
            "l2-not-over-m",
            "mine has lambda/m, on weights alone: weight_decay = lambda/m in a group without the biases",
            ROW,
            {"decay": 0.03125, "weights_only": True},
        ),
        ("l2-not-over-m", "mine has lambda where theirs has lambda/m", ROW, {"decay": 2.0}),
        ("l2-factor-2", "mine has twice the decay: the gradient of 1/2 lambda W^2 is lambda W", ROW, {"decay": 0.5}),
        ("l2-missing", "mine has no weight decay", ROW, {"decay": 0.0}),
        *STEPS,
    ]


ADAM = [
    (
        "epsilon",
        "mine has the bias correction in the rate, and epsilon beside the uncorrected root, as scikit-learn",
        "optimizers.adam",
        {"eps_at": "rate"},
    ),
    ("epsilon-inside-root", "mine adds epsilon (eps) under the root, torch beside it", "", {"eps_at": "inside"}),
    ("adam-correction-missing", "mine leaves out the bias correction by 1 - beta**t", "", {"corrected": False}),
    ("beta-swapped", "mine has beta1 and beta2 swapped", "", {"beta1": 0.25, "beta2": 0.125}),
    *[
        ("wrong-number", f"mine has betas ({beta1}, {beta2})", "", {"beta1": beta1, "beta2": beta2})
        for beta1, beta2 in ((0.9, 0.99), (0.9, 0.9), (0.5, 0.999), (0.9, 0.95), (0.9, 0.999))
    ],
    *EPSILON,
]


def test_other_steps_of_adam() -> None:
    rule = Rule("adam", 0.5, M, beta1=0.125, beta2=0.25, eps=1e-5)
    assert described(rule) == [*ADAM, *STEPS]
    coupled = (
        *("decoupled-decay", "mine shrinks W beside the step, as AdamW (decoupled); Adam's weight_decay goes through"),
        *("optimizers.adam_l2", {"decoupled": True}),
    )
    found = described(replace(rule, decay=0.25))[6:]
    assert found == [(coupled[0], f"{coupled[1]} the moments", *coupled[2:]), *ADAM, *STEPS]
    text = "AdamW shrinks W beside the step (decoupled), mine adds the decay to the gradient, as Adam does"
    decoupled = ("decoupled-decay", text, "optimizers.adam_l2", {"decoupled": False})
    assert described(replace(rule, decay=0.25, decoupled=True))[6:] == [decoupled, *ADAM, *STEPS]


def test_other_steps_of_rmsprop() -> None:
    row = "optimizers.rmsprop"
    assert described(Rule("rmsprop", 0.5, M, beta2=0.25, eps=1e-5)) == [
        *[
            (
                "wrong-number",
                f"mine has beta2 = {beta}, theirs alpha = 0.25: torch leaves alpha at 0.99 unless told",
                row,
                {"beta2": beta},
            )
            for beta in (0.9, 0.99, 0.999)
        ],
        (
            "epsilon-inside-root",
            "mine adds epsilon (eps) under the root, as TensorFlow; torch beside it",
            row,
            {"eps_at": "inside"},
        ),
        *EPSILON,
        *STEPS,
    ]


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize("dampening", [0.0, 0.5])
def test_other_steps_of_momentum(nesterov: bool, dampening: float) -> None:
    row = "optimizers.momentum"
    assert described(Rule("sgd", 0.5, M, momentum=0.75, dampening=dampening, nesterov=nesterov)) == [
        (
            "average-weight",
            "mine is the notes' momentum, an average with 1 - beta: right with lr = alpha (1 - beta) in torch",
            row,
            {"averaged": True},
        ),
        (
            "dampening",
            "mine weighs the gradient by 1 - beta (dampening) from the second step on",
            row,
            {"dampening": 0.0 if dampening else 0.75},
        ),
        (
            "nesterov",
            "theirs looks ahead (Nesterov), mine takes plain momentum"
            if nesterov
            else "mine looks ahead (Nesterov), theirs does not",
            "",
            {"nesterov": not nesterov},
        ),
        (
            "momentum-missing",
            "mine has no momentum",
            "",
            {"momentum": 0.0, **({"nesterov": False} if nesterov else {})},
        ),
        *STEPS,
    ]


# --- the steps of a module's optimiser

X, Y = np.random.default_rng(1).standard_normal((2, M, 3)), np.random.default_rng(2).standard_normal((M, 2))
B = np.array([0.5, -2.0])


def traced(optimizer: Callable[[Linear], torch.optim.Optimizer | None], steps: int = 0) -> Trace:
    """A module after so many steps."""
    module = Linear(G[3] / 2, B)
    made = optimizer(module)
    if made is not None:
        after(made, module, G[:steps])
    return Trace(module, X[0], Y, nn.MSELoss(), made)


@pytest.mark.parametrize("steps", [0, 1, 2])
def test_every_change_reaches_all_groups_that_know_it(steps: int) -> None:
    """Biases without decay, and before the weights, with a rate of their own."""
    trace = traced(
        lambda net: torch.optim.SGD(
            [{"params": [net.b], "lr": 0.5}, {"params": [net.W], "weight_decay": 0.25}], 0.125, momentum=0.5
        ),
        steps,
    )
    variants = list(step_variants(trace))
    causes = [cause for cause, _ in variants]
    assert len(set(causes)) == len(causes) == 4 + 6 + 6
    found = trace.base
    W, b, dW, db = (found[name] for name in ("W", "b", "d W", "d b"))
    v = dict.fromkeys("Wb", 0.0)
    if steps:
        assert trace.optimizer is not None
        kept = [trace.optimizer.state[each]["momentum_buffer"].numpy() for each in trace.module.parameters()]
        v = {"W": 0.5 * kept[0], "b": 0.5 * kept[1]}
    plain = {"new W": W - 0.125 * (v["W"] + dW + 0.25 * W), "new b": b - 0.5 * (v["b"] + db)}
    expected = {
        "sign": {"new W": 2 * W - plain["new W"], "new b": 2 * b - plain["new b"]},
        "l2-missing": {**plain, "new W": plain["new W"] + 0.125 * 0.25 * W},
        "l2-on-bias": plain,
        "momentum-missing": {"new W": W - 0.125 * (dW + 0.25 * W), "new b": b - 0.5 * db},
    }
    for cause, stepped in variants:
        if cause.id in expected:
            new = stepped(found)
            assert list(new) == ["new b", "new W"]
            for name, value in expected[cause.id].items():
                np.testing.assert_allclose(new[name], value, rtol=1e-12)
    assert list(variants[0][1]({"W": W, "d W": dW, "b": b})) == ["new W"]


def test_a_bias_is_known_by_its_axis() -> None:
    trace = traced(lambda net: torch.optim.SGD(net.parameters(), 0.125, weight_decay=0.25))
    (stepped,) = [stepped for cause, stepped in step_variants(trace) if cause.id == "l2-on-bias"]
    new, found = stepped(trace.base), trace.base
    np.testing.assert_allclose(new["new W"], found["W"] - 0.125 * (found["d W"] + 0.25 * found["W"]))
    np.testing.assert_allclose(new["new b"], B - 0.125 * found["d b"])
    (half,) = [stepped for cause, stepped in step_variants(trace) if "lambda/m in a group" in cause.text]
    np.testing.assert_allclose(half(found)["new W"], found["W"] - 0.125 * (found["d W"] + 0.25 / M * found["W"]))


@pytest.mark.parametrize("kind", ["adam", "rmsprop"])
def test_averages_are_those_before_the_step(kind: str) -> None:
    trace = traced(lambda net: OPTIMIZERS[kind](net.parameters()), 1)
    other = {cause.text: stepped for cause, stepped in step_variants(trace)}[
        "{one} has betas (0.5, 0.999)"
        if kind == "adam"
        else "{one} has beta2 = 0.999, {base} alpha = 0.75: torch leaves alpha at 0.99 unless told"
    ]
    g, W = trace.base["d W"], trace.base["W"]
    before = G[0] + (0 if kind == "adam" else 0.25 * G[3] / 2)
    g = g + (0 if kind == "adam" else 0.25 * W)
    s = 0.999 * 0.001 * before**2 + 0.001 * g**2
    v = (0.25 * before + 0.5 * g) / 0.75 if kind == "adam" else g
    root = np.sqrt(s / (1 - 0.999**2 if kind == "adam" else 1)) + 0.125
    np.testing.assert_allclose(other(trace.base)["new W"], W - 0.1 * v / root, rtol=1e-12)


def test_without_a_rule_there_is_none_otherwise() -> None:
    assert list(step_variants(traced(lambda net: None))) == []
    assert list(step_variants(traced(lambda net: torch.optim.Adagrad(net.parameters())))) == []
    groups = [{"params": [], "amsgrad": False}, {"params": [], "amsgrad": True}]

    def adam(net: Linear) -> torch.optim.Optimizer:
        W, b = net.parameters()
        return torch.optim.Adam([{**groups[0], "params": [W]}, {**groups[1], "params": [b]}])

    assert list(step_variants(traced(adam))) == []
