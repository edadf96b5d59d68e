"""Backward passes are given what the forward pass beside them kept; dropout that draws its mask is judged by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from parity_tests.derivations.own.program_file import verify_file
from parity_tests.derivations.verdicts import HOLDS, NOT_JUDGED, WRONG
from parity_tests.tests.derivations.verdicts import of_functions

OWN_CACHES = """
def linear_forward(A, W, b):
    return W @ A + b, {"w": W, "input": A}

def linear_backward(dZ, cache):
    m = cache["input"].shape[1]
    return cache["w"].T @ dZ, dZ @ cache["input"].T / m, np.sum(dZ, axis=1, keepdims=True) / m

def sigmoid(Z):
    return 1 / (1 + np.exp(-Z)), {"Z": Z}

def sigmoid_backward(dA, cache):
    s = 1 / (1 + np.exp(-cache["Z"]))
    return dA * s * (1 - s)

def linear_activation_forward(A, W, b, activation):
    Z, linear = linear_forward(A, W, b)
    return (sigmoid(Z)[0] if activation == "sigmoid" else np.maximum(Z, 0)), (Z, linear)

def linear_activation_backward(dA, cache, activation):
    Z, linear = cache
    dZ = sigmoid_backward(dA, {"Z": Z}) if activation == "sigmoid" else dA * (Z > 0)
    return linear_backward(dZ, linear)

def conv_forward(A_prev, W, b, hparameters):
    s, pad, f = hparameters["stride"], hparameters["pad"], len(W)
    P = np.pad(A_prev, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    Z = np.zeros((len(P), (P.shape[1] - f) // s + 1, (P.shape[2] - f) // s + 1, W.shape[3]))
    for h in range(Z.shape[1]):
        for w in range(Z.shape[2]):
            Z[:, h, w] = np.tensordot(P[:, h * s:h * s + f, w * s:w * s + f], W, 3) + b[0, 0, 0]
    return Z, (P, W, s, pad)

def conv_backward(dZ, cache):
    P, W, s, pad = cache
    dP, dW, f, m = np.zeros_like(P), np.zeros_like(W), len(W), len(dZ)
    for h in range(dZ.shape[1]):
        for w in range(dZ.shape[2]):
            at = (slice(None), slice(h * s, h * s + f), slice(w * s, w * s + f))
            dP[at] += np.tensordot(dZ[:, h, w], W, (1, 3))
            dW += np.tensordot(P[at], dZ[:, h, w], (0, 0))
    n_H, n_W = P.shape[1] - 2 * pad, P.shape[2] - 2 * pad
    return dP[:, pad:pad + n_H, pad:pad + n_W], dW / m, dZ.sum(axis=(0, 1, 2), keepdims=True) / m
"""


MISTAKES = {
    "linear_backward": ('cache["w"].T @ dZ', 'cache["w"].T @ -dZ'),
    "sigmoid_backward": ("s * (1 - s)", "s"),
    "linear_activation_backward": ("dA * (Z > 0)", "dA"),
    "conv_backward": ("dW / m", "dW"),
}


@pytest.mark.slow
def test_a_backward_pass_is_given_what_the_forward_pass_beside_it_kept(tmp_path: Path) -> None:
    rows = [row for each in of_functions(OWN_CACHES, tmp_path).values() for row in each]
    assert {row.verdict for row in rows} == {HOLDS}, [row.message for row in rows]
    text = OWN_CACHES
    for right, wrong in MISTAKES.values():
        assert right in text
        text = text.replace(right, wrong)
    found = {name: {row.verdict for row in rows} for name, rows in of_functions(text, tmp_path).items()}
    assert {name for name, verdicts in found.items() if WRONG in verdicts} == MISTAKES.keys()
    assert all(NOT_JUDGED not in verdicts for verdicts in found.values())


SUMMED = """
def linear_forward(A, W, b):
    return W @ A + b, (A, W)

def linear_backward(dZ, cache):
    A, W = cache
    dW = dZ @ A.T
    db = np.sum(dZ, axis=1, keepdims=True)
    dA_prev = W.T @ dZ
    return dA_prev, dW, db
"""


@pytest.mark.slow
def test_a_wrong_backward_pass_is_found_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f"import numpy as np\n{SUMMED.replace('db = np.sum(dZ', 'db = np.mean(dZ')}")
    found = [line.text for line in verify_file(path).lines if line.verdict == WRONG]
    assert found == ["db = np.mean(dZ, axis=1, keepdims=True)"]  # dW lacks the 1/m as the sum would, and holds


def test_what_its_own_forward_pass_cannot_show_stays_wrong(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f"import numpy as np\n{SUMMED.replace('W @ A + b', 'W @ A - b').replace('np.sum', '-np.sum')}")
    rows = {line.target: line.verdict for line in verify_file(path).lines}
    assert rows["linear_forward"] == WRONG
    assert rows["linear_backward: db"] == WRONG  # against the formula, and right for this forward pass


DRAWN = """
def dropout_forward(x, dropout_param):
    p, mode = dropout_param["p"], dropout_param["mode"]
    if "seed" in dropout_param:
        np.random.seed(dropout_param["seed"])
    mask = None
    if mode == "train":
        mask = (np.random.rand(*x.shape) < p) / p
        out = x * mask
    elif mode == "test":
        out = x
    return out.astype(x.dtype, copy=False), (dropout_param, mask)

def dropout_backward(dout, cache):
    dropout_param, mask = cache
    if dropout_param["mode"] == "train":
        dx = dout * mask
    elif dropout_param["mode"] == "test":
        dx = dout
    return dx
"""
UNSEEDED = """
def dropout_forward(A, keep_prob):
    D = np.random.default_rng().random(A.shape) < keep_prob
    return A * D / keep_prob, (D, keep_prob)

def dropout_backward(dA, cache):
    D, keep_prob = cache
    return dA * D / keep_prob
"""
SCALED_IN_USE = (
    DRAWN.replace("< p) / p", "< p)")
    .replace("out = x\n", "out = x * p\n")
    .replace("dx = dout\n", 'dx = dout * dropout_param["p"]\n')
)


@pytest.mark.parametrize(
    ("text", "count", "note"),
    [
        (DRAWN, 4, ""),
        (DRAWN[: DRAWN.index("def dropout_backward")], 2, ""),
        (DRAWN[DRAWN.index("def dropout_backward") :], 2, ""),
        (UNSEEDED, 2, ""),
        (DRAWN.replace("< p) / p", ">= p) / (1 - p)"), 4, "where p is the probability to drop"),
        (SCALED_IN_USE, 4, "where the outputs in use are scaled"),
    ],
)  # fmt: skip
def test_dropout_that_draws_its_mask(text: str, count: int, note: str, tmp_path: Path) -> None:
    rows = [row for each in of_functions(text, tmp_path).values() for row in each]
    assert [row.verdict for row in rows] == [HOLDS] * count, [row.message for row in rows]
    assert note in rows[0].message


KEPT, TRAINING, IN_USE = "< p) / p", "dx = dout * mask", "dx = dout\n"
FORWARD, BACKWARD = "dropout_forward", "dropout_backward"
RESCALED, FORGOTTEN = "dropout-not-rescaled", "dropout-mask-forgotten-backward"


@pytest.mark.parametrize(
    ("text", "mistakes", "causes"),
    [
        (DRAWN, {KEPT: "< p)", TRAINING: "dx = dout"},
         {f"{FORWARD} (train): out": RESCALED, f"{BACKWARD} (train): dx": FORGOTTEN}),
        (DRAWN, {KEPT: "< p) / (1 - p)", TRAINING: "dx = dout * (mask > 0)"},
         {f"{FORWARD} (train): out": "", f"{BACKWARD} (train): dx": RESCALED}),
        (DRAWN, {KEPT: "< 0.9) / 0.9", TRAINING: "dx = dout / 0.9", IN_USE: "dx = 0 * dout\n"},
         {f"{FORWARD} (train): out": "", f"{BACKWARD} (train): dx": FORGOTTEN, f"{BACKWARD} (test): dx": ""}),
        (DRAWN, {KEPT: "- p)", "out = x\n": "out = x * p\n", TRAINING: "dx = -dout * mask"},
         {f"{FORWARD} (train): out": "", f"{FORWARD} (test): out": "", f"{BACKWARD} (train): dx": "",
          f"{BACKWARD} (test): dx": ""}),
        (UNSEEDED, {"< keep_prob": "> keep_prob", "dA * D": "dA"},
         {f"{FORWARD}: out": "", f"{BACKWARD}: dx": FORGOTTEN}),
        (SCALED_IN_USE, {"x * p": "x"}, {f"{FORWARD} (train): out": RESCALED, f"{BACKWARD} (test): dx": ""}),
        (SCALED_IN_USE, {"x * p": "x / p"},
         {f"{FORWARD} (train): out": RESCALED, f"{FORWARD} (test): out": "", f"{BACKWARD} (test): dx": ""}),
    ],
)  # fmt: skip
def test_mistakes_in_dropout_that_draws_its_mask(
    text: str, mistakes: dict[str, str], causes: dict[str, str], tmp_path: Path
) -> None:
    for right, wrong in mistakes.items():
        assert right in text
        text = text.replace(right, wrong)
    rows = [each for rows in of_functions(text, tmp_path).values() for each in rows]
    assert {row.target: row.cause for row in rows if row.verdict == WRONG} == causes, [row.message for row in rows]
    assert NOT_JUDGED not in {each.verdict for each in rows}
