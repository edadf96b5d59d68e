"""Rules of an optimiser's step that differ from the notes': classical, torch's and Nesterov's momentum, and others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from parity_tests.derivations.language.evaluate import run
from parity_tests.derivations.language.syntax import parse
from parity_tests.derivations.settings.optimisers import ADAM, MOMENTUM, RMSPROP
from parity_tests.derivations.settings.setting import STATE, Problem, Setting, Symbol, Target, Values

WEIGHT_DECAY = 0.07
"""Of AdamW and of Adam with a penalty, which have a number that the notes' rules lack."""


class Rule(NamedTuple):
    """A rule by its right formulas, states first; ``id`` names its twin in torch."""

    id: str
    words: str
    row: str
    setting: Setting
    right: Mapping[str, str]
    symbols: tuple[Symbol, ...] = ()

    @property
    def as_setting(self) -> Setting:
        """The rule's setting in place of the notes'."""
        states = tuple(name for name in self.right if name != "W")
        targets = dict(self.setting.targets)
        for name, right in self.right.items():
            after = targets[name].after if name != "W" else states
            targets[name] = Target((), right, right, STATE, (), after)  # W too: it may be updated in two lines
        return replace(
            self.setting,
            summary=f"{self.setting.summary.split(';')[0]}, in another convention: {self.words}",
            cost=f"there is no J: {', '.join(f'{name} = {right}' for name, right in self.right.items())}",
            symbols=self.setting.symbols + self.symbols,
            targets=targets,
            aliases={**self.setting.aliases, **({"weight_decay": "lambda_", "wd": "lambda_"} if self.symbols else {})},
            draw=lambda seed: Ruled(self.setting.draw(seed), self),
        )


@dataclass(frozen=True, eq=False)
class Ruled:
    """A step of a rule from the state that the notes' rule left."""

    problem: Problem
    rule: Rule

    def given(self) -> Values:
        """The notes' symbols, and the rule's own number."""
        return {**self.problem.given(), **({"lambda_": WEIGHT_DECAY} if self.rule.symbols else {})}

    def by_numpy(self, l2: bool) -> Values:
        """The rule's formulas, and else the setting's, one after another, each on the new values of those before."""
        found: Values = dict(self.problem.by_numpy(l2))
        now = {**found, **self.given()}
        of_setting = {name: target.right for name, target in self.rule.setting.targets.items()}
        for name, right in {**of_setting, **self.rule.right}.items():
            found[name] = now[name] = run(parse(f"{name} = {right}"), now)[name]
        return found

    def by_torch(self, l2: bool) -> Values:
        """The same by torch's operations."""
        from parity_tests.derivations.settings import torch_training

        found = self.problem.by_torch(l2)
        return {**found, **torch_training.RULES[self.rule.id](self.given())}


_CLASSICAL, _TORCH = "beta * v - alpha * dW", "beta * v + dW"
_S = "beta2 * s + (1 - beta2) * dW**2"
_V = "beta1 * v + (1 - beta1) * dW"
_ADAM_STEP = "alpha * v / (1 - beta1**t) / (np.sqrt(s / (1 - beta2**t)) + epsilon)"
_DECAYED = "(dW + lambda_ * W)"
_DECAY = Symbol("lambda_", "()", "weight decay")

RULES = (
    Rule("classical", "classical momentum", "optimizers.momentum", MOMENTUM, {"v": _CLASSICAL, "W": "W + v"}),
    Rule("torch", "torch's momentum", "optimizers.momentum", MOMENTUM, {"v": _TORCH, "W": "W - alpha * v"}),
    Rule(
        "nesterov", "Nesterov's momentum as Sutskever writes it", "optimizers.momentum", MOMENTUM,
        {"v": _CLASSICAL, "W": "W + beta * v - alpha * dW"},
    ),
    Rule(
        "torch-nesterov", "torch's Nesterov momentum", "optimizers.momentum", MOMENTUM,
        {"v": _TORCH, "W": "W - alpha * (dW + beta * v)"},
    ),
    Rule(
        "epsilon-inside", "RMSprop with TensorFlow's epsilon, under the root", "optimizers.rmsprop", RMSPROP,
        {"s": _S, "W": "W - alpha * dW / np.sqrt(s + epsilon)"},
    ),
    Rule(
        "epsilon-uncorrected", "Adam with the correction in the rate, epsilon beside the uncorrected root",
        "optimizers.adam", ADAM,
        {"v": _V, "s": _S, "W": "W - alpha * np.sqrt(1 - beta2**t) / (1 - beta1**t) * v / (np.sqrt(s) + epsilon)"},
    ),
    Rule(
        "adam-l2", "Adam with the weight decay in the gradient", "optimizers.adam_l2", ADAM,
        {"v": _V.replace("dW", _DECAYED), "s": _S.replace("dW", _DECAYED), "W": f"W - {_ADAM_STEP}"}, (_DECAY,),
    ),
    *(
        Rule(
            name, f"AdamW: the weights shrink {words}", "optimizers.adam_l2", ADAM,
            {"v": _V, "s": _S, "W": W}, (_DECAY,),
        )
        for name, words, W in (
            ("adamw", "beside the step", f"W - ({_ADAM_STEP} + alpha * lambda_ * W)"),
            ("adamw-after", "after the step", f"(W - {_ADAM_STEP}) * (1 - alpha * lambda_)"),
            ("adamw-no-rate", "beside the step, not by the rate", f"W - ({_ADAM_STEP} + lambda_ * W)"),
            ("adamw-no-rate-after", "after the step, not by the rate", f"(W - {_ADAM_STEP}) * (1 - lambda_)"),
        )
    ),
)  # fmt: skip
"""The rules that people's code follows, by the row of the convention map that explains each."""
