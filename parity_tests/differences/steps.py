"""What else a step of an optimiser may have been: the rules of SGD, Adam and RMSprop, each with one thing otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np

from manual.notation import Array
from parity_tests.differences.trace import Arrays, Trace
from parity_tests.differences.variants import Cause


@dataclass(frozen=True)
class Rule:
    """An update W - lr * (...), with what may be otherwise.

    ``kind`` is sgd, adam or rmsprop; ``decay`` is added to the gradient, or with ``decoupled`` shrinks W by itself;
    with ``weights_only`` biases have none.
    """

    kind: str
    lr: float
    m: int
    momentum: float = 0.0
    dampening: float = 0.0
    nesterov: bool = False
    averaged: bool = False
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    eps_at: str = "root"
    corrected: bool = True
    decay: float = 0.0
    decoupled: bool = False
    weights_only: bool = False

    def step(self, W: Array, g: Array, state: Mapping[str, Any], weight: bool) -> Any:
        """W after a step; ``state`` is that of torch's optimiser before it."""
        decay = 0.0 if self.weights_only and not weight else self.decay
        if self.decoupled:
            W, decay = W * (1 - self.lr * decay), 0.0
        g = g + decay * W
        if self.kind == "sgd":
            before = state.get("momentum_buffer")
            if self.averaged:
                v = self.momentum * (0 if before is None else (1 - self.momentum) * before) + (1 - self.momentum) * g
                return W - self.lr * v
            v = g if before is None or not self.momentum else self.momentum * before + (1 - self.dampening) * g
            return W - self.lr * (g + self.momentum * v if self.nesterov else v)
        t = float(state.get("step", 0.0)) + 1
        adam = self.kind == "adam"
        v = self._average(self.beta1, g, state, "exp_avg", t) if adam else g
        s = self._average(self.beta2, g**2, state, "exp_avg_sq" if adam else "square_avg", t)
        c1, c2 = (1 - self.beta1**t, 1 - self.beta2**t) if adam and self.corrected else (1.0, 1.0)
        if self.eps_at == "rate":
            return W - self.lr * np.sqrt(c2) / c1 * v / (np.sqrt(s) + self.eps)
        v, s = v / c1, s / c2
        root = np.sqrt(s + self.eps) if self.eps_at == "inside" else np.sqrt(s) + self.eps
        return W - self.lr * v / root

    def _average(self, beta: float, new: Array, state: Mapping[str, Any], name: str, t: float) -> Any:
        """The moving average after this gradient; with another beta than the state's only as far as one step goes."""
        before = state.get(name, 0.0)
        if t == 2:  # after one step the average is (1 - beta) times what came in
            before = before * (1 - beta) / (1 - state[f"{name} beta"])
        return beta * before + (1 - beta) * new


def rule_of(group: Mapping[str, Any], kind: str, m: int) -> Rule | None:
    """The rule of a group of torch's optimiser; None for a kind that is not known by hand."""
    if kind not in ("SGD", "Adam", "AdamW", "RMSprop"):
        return None
    lr, decay = float(group["lr"]), float(group["weight_decay"])
    if kind == "SGD":
        more = {name: group[name] for name in ("momentum", "dampening", "nesterov")}
        return Rule("sgd", lr, m, decay=decay, **more)
    if kind == "RMSprop":
        by_hand = not group["momentum"] and not group["centered"]
        return Rule("rmsprop", lr, m, beta2=group["alpha"], eps=group["eps"], decay=decay) if by_hand else None
    if group["amsgrad"]:
        return None
    beta1, beta2 = group["betas"]
    decoupled = kind == "AdamW" or bool(group.get("decoupled_weight_decay"))
    return Rule("adam", lr, m, beta1=beta1, beta2=beta2, eps=group["eps"], decay=decay, decoupled=decoupled)


def others(r: Rule) -> Iterator[tuple[Cause, Rule]]:
    """Every rule that differs in one thing, the rows of ``conventions`` first."""

    def but(name: str, text: str, row: str = "", **change: Any) -> tuple[Cause, Rule]:
        return Cause(name, text, row), replace(r, **change)

    if r.decay:
        row = "l2.weight_decay"
        yield but("l2-on-bias", "{one} penalises the weights alone, weight_decay reaches the biases too: put them "
                  "in a group without", row, weights_only=True)  # fmt: skip
        yield but("l2-not-over-m", "{one} has lambda/m where {base} has lambda: weight_decay knows no m, so give it "
                  "lambda/m", row, decay=r.decay / r.m)  # fmt: skip
        yield but("l2-not-over-m", "{one} has lambda/m, on weights alone: weight_decay = lambda/m in a group "
                  "without the biases", row, decay=r.decay / r.m, weights_only=True)  # fmt: skip
        yield but("l2-not-over-m", "{one} has lambda where {base} has lambda/m", row, decay=r.decay * r.m)
        yield but(
            "l2-factor-2",
            "{one} has twice the decay: the gradient of 1/2 lambda W^2 is lambda W",
            row,
            decay=2 * r.decay,
        )
        yield but("l2-missing", "{one} has no weight decay", row, decay=0.0)
    if r.kind == "adam":
        if r.decay:
            text = "AdamW shrinks W beside the step (decoupled), {one} adds the decay to the gradient, as Adam does"
            other = (
                "{one} shrinks W beside the step, as AdamW (decoupled); Adam's weight_decay goes through the moments"
            )
            yield but(
                "decoupled-decay", text if r.decoupled else other, "optimizers.adam_l2", decoupled=not r.decoupled
            )
        yield but("epsilon", "{one} has the bias correction in the rate, and epsilon beside the uncorrected root, "
                  "as scikit-learn", "optimizers.adam", eps_at="rate")  # fmt: skip
        yield but("epsilon-inside-root", "{one} adds epsilon (eps) under the root, torch beside it", eps_at="inside")
        yield but("adam-correction-missing", "{one} leaves out the bias correction by 1 - beta**t", corrected=False)
        yield but("beta-swapped", "{one} has beta1 and beta2 swapped", beta1=r.beta2, beta2=r.beta1)
        for beta1, beta2 in ((0.9, 0.99), (0.9, 0.9), (0.5, 0.999), (0.9, 0.95), (0.9, 0.999)):
            yield but("wrong-number", f"{{one}} has betas ({beta1}, {beta2})", beta1=beta1, beta2=beta2)
    if r.kind == "rmsprop":
        for beta in (0.9, 0.99, 0.999):
            text = f"{{one}} has beta2 = {beta}, {{base}} alpha = {r.beta2:g}: torch leaves alpha at 0.99 unless told"
            yield but("wrong-number", text, "optimizers.rmsprop", beta2=beta)
        yield but("epsilon-inside-root", "{one} adds epsilon (eps) under the root, as TensorFlow; torch beside it",
                  "optimizers.rmsprop", eps_at="inside")  # fmt: skip
    if r.kind == "sgd" and r.momentum:
        text = "{one} is the notes' momentum, an average with 1 - beta: right with lr = alpha (1 - beta) in torch"
        yield but("average-weight", text, "optimizers.momentum", averaged=True)
        yield but("dampening", "{one} weighs the gradient by 1 - beta (dampening) from the second step on",
                  "optimizers.momentum", dampening=0.0 if r.dampening else r.momentum)  # fmt: skip
        nesterov = "{base} looks ahead (Nesterov), {one} takes plain momentum"
        yield but(
            "nesterov",
            nesterov if r.nesterov else "{one} looks ahead (Nesterov), {base} does not",
            nesterov=not r.nesterov,
        )
        yield but("momentum-missing", "{one} has no momentum", momentum=0.0, nesterov=False)
    if r.kind != "sgd":
        for eps in (1e-7, 1e-8, 1e-10, 1e-3):
            yield but("epsilon", f"{{one}} has epsilon (eps) = {eps:g}, {{base}} {r.eps:g}", eps=eps)
    yield but("sign", "{one} goes uphill: W - lr * step goes down", lr=-r.lr)
    yield but("learning-rate-missing", "{one} leaves out the learning rate", lr=1.0)
    for factor, words in ((r.m, "m times"), (1 / r.m, "1/m times"), (2.0, "twice"), (0.5, "half")):
        yield but("wrong-number", f"{{one}} makes {words} the step", lr=factor * r.lr)


def step_variants(trace: Trace) -> Iterator[tuple[Cause, Callable[[Arrays], Arrays]]]:
    """For every rule the parameters after a step with the gradients that are given, by name.

    A change that is none for a group of parameters leaves its rule as it is.
    """
    optimizer = trace.optimizer
    if optimizer is None:
        return
    names = {id(value): name for name, value in trace.module.named_parameters()}
    groups = []
    for group in optimizer.param_groups:
        rule = rule_of(group, type(optimizer).__name__, len(trace.X))
        if rule is None:
            return
        states = [(names[id(each)], _plain(optimizer.state.get(each, {}), rule)) for each in group["params"]]
        groups.append((rule, dict(others(rule)), states))
    for cause in dict.fromkeys(chain.from_iterable(changed for _, changed, _ in groups)):

        def stepped(found: Arrays, cause: Cause = cause) -> Arrays:
            new = {}
            for rule, changed, states in groups:
                for name, state in states:
                    if f"d {name}" in found:
                        W, dW = found[name], found[f"d {name}"]
                        new[f"new {name}"] = changed.get(cause, rule).step(W, dW, state, W.ndim > 1)
            return new

        yield cause, stepped


def _plain(state: Mapping[str, Any], rule: Rule) -> dict[str, Any]:
    """A parameter's state as arrays, with the beta that its averages were made with."""
    found = {name: np.asarray(value) for name, value in state.items()}
    return found | {"exp_avg beta": rule.beta1, "exp_avg_sq beta": rule.beta2, "square_avg beta": rule.beta2}
