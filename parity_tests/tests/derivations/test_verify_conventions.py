"""Before "wrong", the convention map is asked: what is right in another convention holds, and it is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from parity_tests.cli import main
from parity_tests.conventions import CONVENTIONS
from parity_tests.derivations.settings import SETTINGS, setting_named
from parity_tests.derivations.settings.optimisers import RULES
from parity_tests.derivations.settings.readings import PAPER, SCALES, readings_of
from parity_tests.derivations.verdicts import HOLDS, NOTES_CONVENTION, WRONG
from parity_tests.derivations.verify import verify
from parity_tests.tests.slices import sliced

V, S = "v = beta1 * v + (1 - beta1) * dW", "s = beta2 * s + (1 - beta2) * dW**2"
CORRECTED = "v_hat = v / (1 - beta1**t)\ns_hat = s / (1 - beta2**t)"
STEP = "W = W - alpha * v_hat / (np.sqrt(s_hat) + epsilon)"
HIDDEN = "dZ1 = W2.T @ dZ2 * (1 - A1**2)\n"
ONCE = "dW2 = dZ2 @ A1.T\ndb2 = np.sum(dZ2, axis=1, keepdims=True)\n"
AVERAGED = "dW2 = dZ2 @ A1.T / m\ndb2 = np.sum(dZ2, axis=1, keepdims=True) / m\n"
TURNED = "dW2 = -dZ2 @ A1.T / m\ndb2 = -np.sum(dZ2, axis=1, keepdims=True) / m\n"
CONV = """\
dW = np.zeros_like(W)
db = np.zeros_like(b)
for i in range(m):
    for h in range(n_H):
        for w in range(n_W):
            for c in range(n_C):
                dW[:, :, :, c] += A_prev_pad[i, h*stride:h*stride+f, w*stride:w*stride+f] * dZ[i, h, w, c]
                db[:, :, :, c] += dZ[i, h, w, c]"""
PAPERS = "m = beta1 * m + (1 - beta1) * g\nv = beta2 * v + (1 - beta2) * g**2\nm_hat = m / (1 - beta1**t)\n"
PAPERS += "v_hat = v / (1 - beta2**t)\nw = w - lr * m_hat / (np.sqrt(v_hat) + eps)"

RIGHT = [
    ("momentum", "v = beta * v - alpha * dW\nW = W + v", "classical momentum"),
    ("momentum", "v = dW + beta * v\nW = W - alpha * v", "torch's momentum"),
    ("momentum", "v_prev = v\nv = beta * v - alpha * dW\nW = W - beta * v_prev + (1 + beta) * v", "as Sutskever"),
    ("momentum", "v = beta * v + dW\nW = W - alpha * (dW + beta * v)", "torch's Nesterov momentum"),
    ("rmsprop", f"{S}\nW = W - alpha * dW / (s + epsilon)**0.5", "TensorFlow's epsilon"),
    ("adam", f"{V}\n{S}\nr = alpha * np.sqrt(1 - beta2**t) / (1 - beta1**t)\nW = W - r * v / (np.sqrt(s) + epsilon)",
     "the correction in the rate"),
    ("adam", f"{V}\n{S}\n{CORRECTED}\nW = W - alpha * v_hat / (np.sqrt(s_hat) + epsilon) - alpha * weight_decay * W",
     "AdamW"),
    ("adam", f"W = W - alpha * weight_decay * W\n{V}\n{S}\n{CORRECTED}\n{STEP}", "AdamW"),
    ("adam", f"W *= 1 - alpha * weight_decay\n{V}\n{S}\n{CORRECTED}\n{STEP}", "AdamW"),
    *(("adam", f"{V}\n{S}\n{CORRECTED}\n{STEP}\nW = W {shrunk}", f"AdamW: the weights shrink after the step{words}")
      for shrunk, words in (("- alpha * weight_decay * W", ""), ("* (1 - weight_decay)", ", not by the rate"))),
    ("adam", f"{V}\n{S}\n{CORRECTED}\n{STEP} - wd * W", "AdamW: the weights shrink beside the step, not by the rate"),
    (None, f"gL2 = dW + wd * W\n{V}\n{S}\n{CORRECTED}\n{STEP}".replace("* dW", "* gL2"), "decay in the gradient"),
    (None, PAPERS.replace(" + eps)", " + eps) - lr * weight_decay * w"), "beside the step; the names are those of the"),
    (None, PAPERS, "names are those of the paper"),
    (None, PAPERS.replace("g", "dW").replace("w", "W").replace("lr", "alpha").replace("ddW", "dW"), "of the paper"),
    ("dropout", "D = (U < keep_prob) / keep_prob\nA_drop = A * D\ndA = dA_drop * D", "D carries 1/keep_prob"),
    ("multilabel", f"dZ2 = (A2 - Y) / m\n{ONCE}{HIDDEN}dW1 = dZ1 @ X.T", "deltas carry the 1/m"),
    ("deep", "dZ3 = (A3 - Y) / m\ndW3 = dZ3 @ A2.T\ndZ2 = W3.T @ dZ3 * (Z2 > 0)\ndW2 = dZ2 @ A1.T", "carry the 1/m"),
    ("logistic", "dZ = (A - Y) / m\ndw = X @ dZ.T\ndb = np.sum(dZ)", "deltas carry the 1/m"),
    ("shallow", f"dZ2 = Y - A2\n{TURNED}{HIDDEN}", "deltas carry a minus"),
    ("shallow", f"dZ2 = (Y - A2) / m\n{TURNED.replace(' / m', '')}", "deltas carry a minus and the 1/m"),
    ("shallow", f"dZ2 = Y - A2\n{AVERAGED}W2 = W2 + alpha * dW2\nb2 += alpha * db2", "and gradients carry a minus"),
    ("shallow", f"dZ2 = (Y - A2) / m\n{ONCE}W2 = W2 + alpha * dW2", "carry a minus, deltas the 1/m"),
    ("regression", f"J = np.mean((A2 - Y)**2)\ndZ2 = 2 * (A2 - Y) / n_2\n{AVERAGED}", "the mean of the squares"),
    ("regression", f"J = np.mean((A2 - Y)**2)\ndZ2 = 2 * (A2 - Y) / (n_2 * m)\n{ONCE}", "and deltas carry its 1/m"),
    ("multilabel", f"J = -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))\ndZ2 = (A2 - Y) / n_2\n{AVERAGED}",
     "a mean over the outputs too"),
    ("labels", "dscores = 1 * probs\ndscores[range(N), y] -= 1\ndW = X.T @ dscores / N", "dscores is per example"),
    ("labels-hidden", "dscores = 1 * probs\ndscores[range(N), y] -= 1\ndZ1 = dscores @ W2.T * (Z1 > 0)\n"
     "dW1 = X.T @ dZ1 / N + reg * W1", "dscores is per example"),
    ("relu-hidden", "dZ2 = (A2 - Y) / m\ndZ1 = W2.T @ dZ2 * (Z1 > 0)\ndW1 = dZ1 @ X.T", "deltas carry the 1/m"),
    ("rows", "dZ2 = (A2 - Y) / m\ndW2 = A1.T @ dZ2", "deltas carry the 1/m"),
    ("sigmoid-squared-error", "J = np.mean((A2 - Y)**2)\ndZ2 = 2 * (A2 - Y) / n_2 * A2 * (1 - A2)\n"
     "dW2 = dZ2 @ A1.T / m", "the mean of the squares"),
    ("logistic-ones", "z = X @ theta\ndz = (h - y) / m\ndtheta = X.T @ dz", "deltas carry the 1/m"),
    ("convolution", CONV, "dZ carries the 1/m"),
    ("shallow", "Z1 = W1 @ X\nA1 = np.tanh(Z1)\nZ2 = W2 @ A1\nA2 = sigmoid(Z2)\ndZ2 = A2 - Y\ndW2 = dZ2 @ A1.T / m",
     "the model has no biases"),
    ("labels", "scores = X @ W\ndscores = 1 * probs\ndscores[range(N), y] -= 1\ndW = X.T @ dscores / N",
     "dscores is per example, and the model has no biases"),
    ("logistic", "A = sigmoid(w.T @ X)\nZ = w.T @ X\ndw = X @ (A - Y).T / m", "the model has no biases"),
]  # fmt: skip


@pytest.mark.parametrize(("setting", "text", "words"), sliced(RIGHT, 16), ids=[f"{row[0]}: {row[2]}" for row in RIGHT])
def test_what_is_right_in_another_convention_holds_in_it(
    setting: str | None, text: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parity_tests.derivations.line_verdict.repair", lambda *given: None)  # verdicts alone
    judged = verify(text, setting)
    assert {line.verdict for line in judged.lines} == {HOLDS}
    assert words in judged.convention
    if setting:
        strict = verify(text, setting, strict=True)
        assert strict.convention == NOTES_CONVENTION
        assert {line.verdict for line in strict.lines} > {HOLDS} or strict.summary.holds == 0


INCONSISTENT = [
    ("multilabel", f"dZ2 = (A2 - Y) / m\n{ONCE}{HIDDEN}dW1 = dZ1 @ X.T / m", "dW1", "double-1/m", "carry the 1/m"),
    ("multilabel", f"dZ2 = (A2 - Y) / m\n{ONCE}{HIDDEN.replace('1 -', '1 +')}", "dZ1", "sign", "carry the 1/m"),
    (
        "shallow",
        f"dZ2 = Y - A2\n{AVERAGED}W2 = W2 + alpha * dW2\nb2 = b2 - alpha * db2",
        "b2",
        "sign",
        "and gradients carry a minus",
    ),
    ("shallow", f"dZ2 = Y - A2\n{TURNED}{HIDDEN.replace('dZ2', '-dZ2')}", "dZ1", "sign", "deltas carry a minus"),
    ("shallow", f"dZ2 = (A2 - Y) / m\n{AVERAGED}", "dZ2", "double-1/m", "the notes'"),
    ("shallow", f"dZ2 = A2 - Y\n{ONCE}", "dW2 db2", "missing-1/m", "the notes'"),
    ("momentum", "v = beta * v + dW\nW = W + v", "v W", "average-weight-missing", "the notes'"),
    (None, PAPERS.replace("beta2**t", "beta2"), "v_hat", "adam-no-power", "names are those of the paper"),
    *(
        ("adam", f"{V}\n{S}\n{CORRECTED}\n{text}", "W", "", "AdamW")
        for text in (f"{STEP}\nW = W - alpha * weight_decay", f"{STEP} - alpha * weight_decay")
    ),
    (None, f"{PAPERS}\nw = w - lr * weight_decay", "w", "", "AdamW"),
    ("convolution", CONV.replace("dZ[i, h, w, c]\n", "dZ[i, h, w, c] / m\n"), "db", "missing-1/m", "the notes'"),
    ("shallow", f"Z1 = W1 @ X\nZ2 = W2 @ A1\ndZ2 = A2 - Y\n{AVERAGED}", "Z1 Z2", "bias-missing", "the notes'"),
    ("shallow", "Z1 = W1 @ X\nZ2 = W2 @ A1 + b2\ndW2 = dZ2 @ A1.T / m", "Z1", "bias-missing", "the notes'"),
    ("shallow", "Z1 = W1 @ X\nZ2 = W2 @ A1", "Z1 Z2", "bias-missing", "the notes'"),
    ("regression", f"J = np.mean((A2 - Y)**2)\ndZ2 = 2 * (A2 - Y)\n{AVERAGED}", "J dZ2", "", "the notes'"),
]


@pytest.mark.parametrize(
    ("setting", "text", "wrong", "cause", "words"),
    sliced(INCONSISTENT, 16),
    ids=[f"{row[0]}: {row[2]}" for row in INCONSISTENT],
)
def test_a_line_that_does_not_keep_to_the_convention_is_wrong(
    setting: str | None, text: str, wrong: str, cause: str, words: str
) -> None:
    judged = verify(text, setting)
    found = [line for line in judged.lines if line.verdict != HOLDS]
    assert [line.target for line in found] == wrong.split()
    assert {line.verdict for line in found} == {WRONG}
    assert not cause or found[0].cause == cause
    assert words in judged.convention


@pytest.mark.parametrize(
    "line", ["v = beta * v + dW", "dZ2 = (A2 - Y) / m", "dZ2 = Y - A2", "D = (U < keep_prob) / keep_prob"]
)
def test_one_line_alone_is_no_convention(line: str) -> None:
    setting = {"v": "momentum", "d": "shallow", "D": "dropout"}[line[0]]
    assert [each.verdict for each in verify(line, setting).lines] == [WRONG]


def test_every_row_is_one_of_the_convention_map() -> None:
    rows = {row.id for row in CONVENTIONS}
    assert {reading.row for setting in SETTINGS.values() for reading in readings_of(setting)} - {""} <= rows
    assert all(set(scale.settings) <= SETTINGS.keys() for scale in SCALES)


@pytest.mark.parametrize("rule", RULES, ids=[rule.id for rule in RULES])
def test_the_right_formulas_of_a_rule_hold_by_both_referees(rule: Any) -> None:
    setting = rule.as_setting
    for seed in range(3):
        probe = setting.probe(seed)
        for name in setting.targets:
            np.testing.assert_allclose(probe.by_torch[name], probe.by_numpy[name], rtol=1e-12)
    text = "\n".join(f"{name} = {right}" for name, right in rule.right.items())
    assert {line.verdict for line in verify(text, setting).lines} == {HOLDS}


def test_the_names_of_the_paper_are_those_of_the_same_rule() -> None:
    for seed in range(3):
        paper, notes = PAPER.probe(seed), setting_named("adam").probe(seed)
        for name, other in {"m": "v", "v": "s", "m_hat": "v_corrected", "v_hat": "s_corrected", "W": "W"}.items():
            np.testing.assert_array_equal(paper.by_torch[name], notes.by_torch[other])
    text = "\n".join(f"{name} = {target.right}" for name, target in PAPER.targets.items())
    assert {line.verdict for line in verify(text, PAPER).lines} == {HOLDS}


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES if rule.id in ("torch", "torch-nesterov", "nesterov", "adam-l2", "adamw")]
)
def test_the_rules_of_torch_are_those_of_torch_optim(rule: Any) -> None:
    probe = rule.as_setting.probe(1)
    at = {name: torch.tensor(np.array(probe.environment[name])) for name in {"W", "dW", *rule.right}}
    rate = float(probe.environment["alpha"])
    W = torch.nn.Parameter(at["W"].clone())
    W.grad = at["dW"]
    optimiser: torch.optim.Optimizer
    if rule.id in ("adam-l2", "adamw"):
        betas = (float(probe.environment["beta1"]), float(probe.environment["beta2"]))
        make = torch.optim.AdamW if rule.id == "adamw" else torch.optim.Adam
        optimiser = make([W], rate, betas, float(probe.environment["epsilon"]), float(probe.environment["lambda_"]))
        t = torch.tensor(float(probe.environment["t"]) - 1)
        optimiser.state[W] = {"step": t, "exp_avg": at["v"].clone(), "exp_avg_sq": at["s"].clone()}
    else:
        optimiser = torch.optim.SGD([W], rate, float(probe.environment["beta"]), nesterov="nesterov" in rule.id)
        buffer = at["v"] / -rate if rule.id == "nesterov" else at["v"].clone()
        optimiser.state[W] = {"momentum_buffer": buffer}
    optimiser.step()
    np.testing.assert_allclose(probe.by_torch["W"], W.detach().numpy(), rtol=1e-12)


def test_the_command_names_the_convention(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["verify", "v = beta * v + dW\nW = W - alpha * v", "--setting", "momentum"]
    assert main(words) == 0
    assert "Convention: torch's momentum (row optimizers.momentum of the conventions)." in capsys.readouterr().out
    assert main([*words, "--strict"]) == 1
    assert "average-weight-missing" in capsys.readouterr().out


def test_a_setting_in_which_everything_holds_goes_before_the_first() -> None:
    judged = verify("A2 = W2 @ A1 + b2\ndZ2 = A2 - Y")
    assert "(setting regression, chosen, not named" in judged.layout
    assert {line.verdict for line in judged.lines} == {HOLDS}


def test_a_setting_that_was_chosen_since_all_holds_in_it_is_not_the_likeliest() -> None:
    judged = verify("dZ2 = (A2 - Y) * g2'(Z2)\ndZ1 = W2.T @ dZ2 * g1'(Z1)")
    assert judged.notes == ("It is chosen since every line holds in it; in setting shallow 1 would be wrong.",)
    assert verify("dZ2 = A2 - Y\ndZ1 = W2.T @ dZ2 * g1'(Z1)").notes == ()
