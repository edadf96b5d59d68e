"""A person's functions of layers and optimisers: called as they are written, and their mistakes named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from parity_tests.cli import main

MINE = """\
import numpy as np

def conv_backward(dZ, A_prev, W, *, stride=1, pad=0):
    m, n_H, n_W, _ = A_prev.shape
    f = len(W)
    A = np.pad(A_prev, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    dA, dW, db = np.zeros_like(A), np.zeros_like(W), np.zeros((1, 1, 1, W.shape[3]))
    for i, h, w, c in np.ndindex(dZ.shape):
        window = i, slice(h * stride, h * stride + f), slice(w * stride, w * stride + f)
        dA[window] += W[..., c] * dZ[i, h, w, c]
        dW[..., c] += A[window] * dZ[i, h, w, c]
        db[..., c] += dZ[i, h, w, c]
    return dA[:, pad:pad+n_H, pad:pad+n_W], dW, db / m

def pool_backward(dA, A_prev, size, stride, mode):
    found = np.zeros_like(A_prev)
    for i, h, w, c in np.ndindex(dA.shape):
        window = i, slice(h * stride, h * stride + size), slice(w * stride, w * stride + size), c
        if mode == "max":
            found[window] = (A_prev[window] == A_prev[window].max()) * dA[i, h, w, c]
        else:
            found[window] += dA[i, h, w, c] / size**2
    return found

def dropout_backward(dA, mask, keep_prob):
    return dA / keep_prob

def dropout_forward(A, mask, keep_prob):
    return A * mask / keep

def adam(w, g, v, s, t, rate, beta1, beta2, eps):
    v = beta1 * v + (1 - beta1) * g
    s = beta2 * s + (1 - beta2) * g**2
    return w - rate * (v / (1 - beta1)) / (np.sqrt(s / (1 - beta2)) + eps), v, s / (1 - beta2**t)

def momentum_update(W, dW, v, learning_rate, beta):
    v = beta * v + (1 - beta) * dW
    return W - learning_rate * v
"""


@pytest.mark.slow
def test_own_functions_of_layers_and_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.py"
    path.write_text(MINE)
    assert main(["verify", str(path), "--json"]) == 1
    found = {each["target"]: each for each in json.loads(capsys.readouterr().out)["lines"]}
    assert {name: each["cause"] for name, each in found.items()} == {
        "conv_backward: dA_prev": "",
        "conv_backward: dW": "missing-1/m",
        "conv_backward: db": "",
        "pool_backward (max)": "pool-overwrites",
        "pool_backward (average)": "",
        "dropout_backward": "dropout-mask-forgotten-backward",
        "dropout_forward": "",
        "adam: W": "adam-no-power",
        "adam: v": "",
        "adam: s": "adam-correction-overwritten",
        "momentum_update: W": "",
        "momentum_update: v": "",
    }
    assert found["dropout_forward"]["verdict"] == found["momentum_update: v"]["verdict"] == "not judged"
    assert "dropout_forward is not judged: it raised NameError in line 29" in found["dropout_forward"]["message"]
    assert "returned 1 values, expected 2" in found["momentum_update: v"]["message"]
    assert "\nfor i in range(m):" in found["conv_backward: dW"]["message"]


POOLED = """\
import numpy as np

def pool_forward(A_prev, f, stride{mode}):
    m, n_H, n_W, n_C = A_prev.shape
    A = np.zeros((m, (n_H - f) // stride + 1, (n_W - f) // stride + 1, n_C))
    for i, h, w, c in np.ndindex(A.shape):
        A[i, h, w, c] = A_prev[i, h * stride : h * stride + f, w * stride : w * stride + f, c].{what}()
    return A
"""


@pytest.mark.parametrize(
    ("mode", "what", "code", "verdicts"),
    [
        (", mode", "max", 3, ["holds", "not judged"]),
        (", mode", "mean", 3, ["holds", "not judged"]),
        ("", "mean", 0, ["holds"]),
        (", mode", "min", 1, ["wrong", "wrong"]),
    ],
)
def test_of_a_function_that_knows_one_mode_the_others_are_not_judged(
    mode: str,
    what: str,
    code: int,
    verdicts: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("parity_tests.derivations.own.data.recognise", lambda *_: None)  # verdicts alone
    path = tmp_path / "pooled.py"
    path.write_text(POOLED.format(mode=mode, what=what))
    assert main(["verify", str(path), "--json"]) == code
    lines = json.loads(capsys.readouterr().out)["lines"]
    assert [line["verdict"] for line in lines] == verdicts
    if code == 3:
        assert "pool_forward does not read mode" in lines[1]["message"]
