"""One step of one parameter from the state that the steps before left: momentum, RMSprop, Adam, and their relatives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from parity_tests.derivations.settings.reference import reference
from parity_tests.derivations.settings.setting import Setting

SIZES = "n n_prev = 7 5 | 5 11 | 11 7 | 13 17 | 17 13"
SIZES_AND_STEPS = (
    "n n_prev t = 7 5 3 | 5 11 1 | 11 7 2 | 13 17 3 | 17 13 1 | 7 5 2 | 5 11 3 | 11 7 1 | 13 17 2 | 17 13 3 | "
    "7 5 1 | 5 11 2 | 11 7 3 | 13 17 1 | 17 13 2"
)
"""At the first step, where t is 1, the averages are 0: there a bias correction without its power is right."""

_BEFORE = "before {0} = ... the one that the last step left"
_GRADIENTS = f"average of the gradients: {_BEFORE.format('v')}"
_SQUARES = f"average of their squares: {_BEFORE.format('s')}"

MOMENTUM_TEXT = f"""\
momentum: one step of gradient descent with momentum; v is the average of the gradients
cost: there is no J: v = beta v + (1 - beta) dW, and W steps along v; L2 plays no part
sizes: {SIZES}
torch: momentum v = v
also: learning_rate = alpha, v_dW = v, VdW = v
n  # number of rows of W
n_prev  # number of columns of W
alpha ~ rate  # learning rate
beta ~ 0.86..0.92  # decay of the average of the gradients
W (n, n_prev) ~ normal  # parameter before the step, and after W = ... the one after it
dW (n, n_prev) ~ normal  # gradient of this step
v (n, n_prev) ~ normal * 0.2  # {_GRADIENTS}
v = beta * v + (1 - beta) * dW  # F263 [state]
W = W - alpha * v  # F263 [update] after v
"""
RMSPROP_TEXT = f"""\
rmsprop: one step of RMSprop; s is the average of the squared gradients
cost: there is no J: s = beta2 s + (1 - beta2) dW^2, and W steps along dW over the root of s, plus epsilon; L2 plays \
no part
sizes: {SIZES}
torch: rmsprop s = s
also: learning_rate = alpha, s_dW = s, SdW = s, beta_2 = beta2, eps = epsilon
n  # number of rows of W
n_prev  # number of columns of W
alpha ~ rate  # learning rate
beta2 ~ 0.95..0.98  # decay of the average of their squares
epsilon ~ 0.02..0.05  # small number that is added to the root
W (n, n_prev) ~ normal  # parameter before the step, and after W = ... the one after it
dW (n, n_prev) ~ normal  # gradient of this step
s (n, n_prev) ~ squares * 0.1  # {_SQUARES}
s = beta2 * s + (1 - beta2) * dW**2  # F264 [state]
W = W - alpha * dW / (np.sqrt(s) + epsilon)  # F264 [update] after s
"""
ADAM_TEXT = f"""\
adam: step t of Adam: momentum and RMSprop, each corrected for its bias towards 0
cost: there is no J: v and s are the averages of the gradients and of their squares, v_corrected and s_corrected those \
over 1 - beta1^t and 1 - beta2^t, and W steps along v_corrected over the root of s_corrected, plus epsilon; L2 plays \
no part
sizes: {SIZES_AND_STEPS}
torch: adam v = v, s = s, v_corrected = v_corrected, s_corrected = s_corrected
also: learning_rate = alpha, v_dW = v, s_dW = s, VdW = v, SdW = s, beta_1 = beta1, beta_2 = beta2, eps = epsilon, \
v_hat = v_corrected, s_hat = s_corrected
n  # number of rows of W
n_prev  # number of columns of W
alpha ~ rate  # learning rate
t  # number of this step, counted from 1
beta1 ~ 0.86..0.92  # decay of the average of the gradients
beta2 ~ 0.95..0.98  # decay of the average of their squares
epsilon ~ 0.02..0.05  # small number that is added to the root
W (n, n_prev) ~ normal  # parameter before the step, and after W = ... the one after it
dW (n, n_prev) ~ normal  # gradient of this step
v (n, n_prev) ~ normal * (t > 1) * 0.2  # {_GRADIENTS}
s (n, n_prev) ~ squares * (t > 1) * 0.1  # {_SQUARES}
v = beta1 * v + (1 - beta1) * dW  # F266 [state]
s = beta2 * s + (1 - beta2) * dW**2  # F266 [state]
v_corrected (n, n_prev) = v / (1 - beta1**t)  # F266 [function] after v; v without its bias towards 0, also v_hat
s_corrected (n, n_prev) = s / (1 - beta2**t)  # F266 [function] after s; s without its bias towards 0, also s_hat
W = W - alpha * v_corrected / (np.sqrt(s_corrected) + epsilon)  # F266 [update] after v s
"""
MOMENTUM, RMSPROP, ADAM = OPTIMISERS = tuple(map(reference, (MOMENTUM_TEXT, RMSPROP_TEXT, ADAM_TEXT)))

PAPER_NAMES = {"v": "m", "s": "v", "v_corrected": "m_hat", "s_corrected": "v_hat"}
_PAPER_ALIASES = "m_corrected = m_hat, v_corrected = v_hat, mhat = m_hat, vhat = v_hat, g = dW, grad = dW, w = W"
_PAPER_ALIASES += ", theta = W, lr = alpha, eta = alpha, learning_rate = alpha"


def in_the_names_of_the_paper(text: str) -> str:
    """A text of Adam with the symbols of its paper, of torch and of most code."""
    pattern = re.compile(rf"\b({'|'.join(sorted(PAPER_NAMES, key=len, reverse=True))})\b")
    rows = []
    for row in text.splitlines():
        if row.startswith("torch: "):
            row = re.sub(r"= (\w+)", lambda found: f"= {PAPER_NAMES[found[1]]}", row)
        elif row.startswith("also: "):
            kept = [each for each in row.split(", ") if each.rpartition(" = ")[2] not in PAPER_NAMES]
            row = ", ".join([*kept, _PAPER_ALIASES])
        elif not row.startswith("adam: "):
            row = pattern.sub(lambda found: PAPER_NAMES[found[0]], row)
        rows.append(row)
    return "\n".join(rows)


class Rule(NamedTuple):
    """A rule that differs from the notes', by its right formulas, states first; ``id`` names its twin in torch."""

    id: str
    words: str
    row: str
    setting: Setting
    text: str
    right: Mapping[str, str]
    decays: bool = False
    """Whether the weights decay, by a number that the notes' rules lack."""

    def written(self) -> str:
        """The notes' text with the rule's formulas in place of its own."""
        first, rows = self.text.split("\n", 1)
        formulas = ", ".join(f"{name} = {right}" for name, right in self.right.items())
        rows = re.sub("cost: .*", lambda _: f"cost: there is no J: {formulas}", rows)
        rows = re.sub(r"torch: \w+", f"torch: {self.id}", rows)
        states = " ".join(name for name in self.right if name != "W")
        for name, right in self.right.items():
            after = f" after {states}" if name == "W" else ""
            rows = re.sub(rf"(?m)^{name} = .*", f"{name} = {right}  # [state]{after}", rows)
        if self.decays:
            rows = rows.replace("also: ", "also: weight_decay = lambda_, wd = lambda_, ")
            rows += "lambda_ ~ 0.07..0.07  # weight decay\n"
        return f"{first.split(';')[0]}, in another convention: {self.words}\n{rows}"

    @property
    def as_setting(self) -> Setting:
        """The rule's setting in place of the notes'."""
        return reference(self.written())


_CLASSICAL, _TORCH = "beta * v - alpha * dW", "beta * v + dW"
_S = "beta2 * s + (1 - beta2) * dW**2"
_V = "beta1 * v + (1 - beta1) * dW"
_STEP = "alpha * v / (1 - beta1**t) / (np.sqrt(s / (1 - beta2**t)) + epsilon)"
_DECAYED = "(dW + lambda_ * W)"
_MOMENTUM = "optimizers.momentum", MOMENTUM, MOMENTUM_TEXT
_L2 = "optimizers.adam_l2", ADAM, ADAM_TEXT

RULES = (
    Rule("classical", "classical momentum", *_MOMENTUM, {"v": _CLASSICAL, "W": "W + v"}),
    Rule("torch", "torch's momentum", *_MOMENTUM, {"v": _TORCH, "W": "W - alpha * v"}),
    Rule(
        "nesterov", "Nesterov's momentum as Sutskever writes it", *_MOMENTUM,
        {"v": _CLASSICAL, "W": "W + beta * v - alpha * dW"},
    ),
    Rule(
        "torch-nesterov", "torch's Nesterov momentum", *_MOMENTUM, {"v": _TORCH, "W": "W - alpha * (dW + beta * v)"}
    ),
    Rule(
        "epsilon-inside", "RMSprop with TensorFlow's epsilon, under the root", "optimizers.rmsprop", RMSPROP,
        RMSPROP_TEXT, {"s": _S, "W": "W - alpha * dW / np.sqrt(s + epsilon)"},
    ),
    Rule(
        "epsilon-uncorrected", "Adam with the correction in the rate, epsilon beside the uncorrected root",
        "optimizers.adam", ADAM, ADAM_TEXT,
        {"v": _V, "s": _S, "W": "W - alpha * np.sqrt(1 - beta2**t) / (1 - beta1**t) * v / (np.sqrt(s) + epsilon)"},
    ),
    Rule(
        "adam-l2", "Adam with the weight decay in the gradient", *_L2,
        {"v": _V.replace("dW", _DECAYED), "s": _S.replace("dW", _DECAYED), "W": f"W - {_STEP}"}, decays=True,
    ),
    *(
        Rule(name, f"AdamW: the weights shrink {words}", *_L2, {"v": _V, "s": _S, "W": W}, decays=True)
        for name, words, W in (
            ("adamw", "beside the step", f"W - ({_STEP} + alpha * lambda_ * W)"),
            ("adamw-after", "after the step", f"(W - {_STEP}) * (1 - alpha * lambda_)"),
            ("adamw-no-rate", "beside the step, not by the rate", f"W - ({_STEP} + lambda_ * W)"),
            ("adamw-no-rate-after", "after the step, not by the rate", f"(W - {_STEP}) * (1 - lambda_)"),
        )
    ),
)  # fmt: skip
"""The rules that people's code follows, by the row of the convention map that explains each."""
