"""``python -m manual graph``: values, shapes, JSON, exit codes, plain sentences."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import datasets
from manual import logistic_regression, network
from manual.__main__ import main
from manual.architecture import model
from manual.draws import initial_parameters

ROOT = Path(__file__).parents[3]


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What the command prints; it must go well and say nothing on stderr."""
    assert main(["graph", *words]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out


def expected(dataset: str, example: int, seed: int = 0) -> Any:
    """w, b, x, y and the nodes of the example's graph."""
    data = datasets.load(dataset, seed=seed)
    x, y = data.X_train[:, example : example + 1], float(data.Y_train[0, example])
    w = initial_parameters(model("logistic", len(x), 1), "xavier", np.random.default_rng(seed))["W1"].T
    return w, x, y, logistic_regression.one_example(w, 0.0, x, y)


@pytest.mark.parametrize("example", [0, 7])
@pytest.mark.parametrize("dataset", ["breast_cancer", "moons"])
def test_logistic_prints_every_node_and_its_derivative(
    dataset: str, example: int, capsys: pytest.CaptureFixture[str]
) -> None:
    text = printed(capsys, "--model", "logistic", "--dataset", dataset, "--example", str(example))
    w, x, y, nodes = expected(dataset, example)
    for j in range(min(len(x), 8)):
        assert f"x{j + 1} = {x[j, 0]: .5g} " in text
        assert f"w{j + 1} = {w[j, 0]: .5g} " in text
        assert f"dw{j + 1} = x{j + 1} dz = {nodes.dw[j, 0]: .5g} " in text
    assert f"y = {y:g}," in text
    assert f"db = dz = {nodes.db: .5g} " in text
    lines = text.splitlines()
    ahead = next(place for place, line in enumerate(lines) if "--+--> z = w^T x + b ---> a = sigmoid(z) ---> L" in line)
    values = lines[ahead + 1].partition("--+")[2].split("=")[1:]
    assert [value.strip() for value in values] == [f"{value:.5g}" for value in (nodes.z, nodes.a, nodes.L)]
    back = next(place for place, line in enumerate(lines) if "<-+--- dz = a - y" in line)
    assert lines[back].endswith("<--- da = -y/a + (1-y)/(1-a) <--- L")
    values = lines[back + 1].partition("<-+")[2].split("=")[1:]
    assert [value.strip() for value in values] == [f"{value:.5g}" for value in (nodes.dz, nodes.da)]
    for above, label in (
        (lines[ahead], "z = w"),
        (lines[ahead], "a = s"),
        (lines[back], "dz ="),
        (lines[back], "da ="),
    ):
        below = lines[lines.index(above) + 1]
        assert below[above.rindex(label) + label.index("=")] == "="  # values stand under their nodes
    assert max(map(len, lines)) <= 100
    assert text.isascii()


def test_features_beyond_the_eighth_share_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys)
    w, x, _, nodes = expected("breast_cancer", 0)
    assert "x8 = " in text
    assert "\n  x9 = " not in text
    assert f"w9 x9 + .. + w30 x30 = {np.sum(w[8:] * x[8:]):.5g} " in text
    assert f"dw9..dw30: norm {np.linalg.norm(nodes.dw[8:]):.5g} " in text


def test_json_of_logistic_has_every_value_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    report = json.loads(printed(capsys, "--example", "3", "--seed", "2", "--json"))
    w, x, y, nodes = expected("breast_cancer", 3, seed=2)
    about = {"model": "logistic", "dataset": "breast_cancer", "example": 3, "m": 1, "seed": 2, "lambda": 0.0}
    assert {name: report[name] for name in about} == about
    assert report.keys() - about.keys() == {*"xwbyzaLJ", "sizes", "da", "dz", "dw", "db"}
    assert report["x"] == x[:, 0].tolist()
    assert report["w"] == w[:, 0].tolist()
    assert report["dw"] == nodes.dw[:, 0].tolist()
    assert (report["b"], report["y"]) == (0, y)
    for name in ("z", "a", "L", "da", "dz", "db"):
        assert report[name] == getattr(nodes, name)
    assert report["J"] == report["L"]


def test_lambda_enters_the_cost_and_dw(capsys: pytest.CaptureFixture[str]) -> None:
    w, _, _, nodes = expected("moons", 0)
    words = ["--dataset", "moons", "--lambda", "0.7"]
    report = json.loads(printed(capsys, *words, "--json"))
    assert report["J"] == pytest.approx(nodes.L + 0.35 * float(np.sum(w**2)), rel=1e-14)
    assert report["dw"] == pytest.approx((nodes.dw + 0.7 * w)[:, 0].tolist(), rel=1e-14)
    assert report["db"] == nodes.db
    text = printed(capsys, *words)
    assert f"J = L + (lambda/2m) sum w^2 = {report['J']:.5g} with m = 1" in text
    assert f"dw2 = x2 dz + lambda w2 = {report['dw'][1]: .5g} " in text


@pytest.mark.parametrize(
    ("name", "dataset", "example"),
    [("deep", "breast_cancer", None), ("deep6", "moons", 4), ("wide", "digits", None), ("logistic", "iris", 1)],
)
def test_layers_print_shapes_and_norms_of_arrays_and_gradients(
    name: str, dataset: str, example: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--model", name, "--dataset", dataset, "--lambda", "0.7"]
    words += [] if example is None else ["--example", str(example)]
    text = printed(capsys, *words)
    report = json.loads(printed(capsys, *words, "--json"))
    data = datasets.load(dataset)
    chosen = slice(None) if example is None else slice(example, example + 1)
    X, Y = data.X_train[:, chosen], data.Y_train[:, chosen]
    net = model(name, X.shape[0], Y.shape[0])
    params = initial_parameters(net, "xavier", np.random.default_rng(0))
    passed = network.forward(net, params, X)
    back = network.backward(net, params, passed, Y, 0.7)
    assert report["J"] == network.cost(net, params, passed, Y, 0.7)
    assert f"J = {report['J']:.5g}" in text
    assert (report["example"], report["m"]) == (example, X.shape[1])
    assert [layer["layer"] for layer in report["layers"]] == list(range(len(net.layers) + 1))
    for l, layer in enumerate(report["layers"]):
        arrays: dict[str, Any] = {"A": passed.A[l], "dA": back.dA[l]}
        names = {"A": f"A[{l}]", "dA": f"dA[{l}]"}
        if l:
            arrays |= {"Z": passed.Z[l], "dZ": back.dZ[l], "W": params[f"W{l}"], "b": params[f"b{l}"]}
            arrays |= {"dW": back.grads[f"dW{l}"], "db": back.grads[f"db{l}"]}
            names |= {"Z": f"Z[{l}]", "dZ": f"dZ[{l}]", "W": f"W{l}", "b": f"b{l}", "dW": f"dW{l}", "db": f"db{l}"}
            assert layer["activation"] == net.activations[l]
        assert layer.keys() == {"layer", "activation", *arrays}
        for key, value in arrays.items():
            assert layer[key] == {"shape": list(value.shape), "norm": float(np.linalg.norm(value))}
            node = f"{names[key]}{' = X' if names[key] == 'A[0]' else ''}"
            fields = f"{node} {value.shape} {np.linalg.norm(value):.4g}"
            assert f" {fields} " in " ".join(text.split()) + " "
    assert max(map(len, text.splitlines())) <= 100
    assert text.isascii()


def test_hidden_sizes_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    assert "30-4-2-1 (relu, relu, sigmoid)" in printed(capsys, "--model", "deep", "--hidden", "4", "2")
    # without hidden layers the network is logistic regression, and drawn so
    assert "dz = a - y" in printed(capsys, "--model", "deep", "--hidden")


def test_norms_and_skips_are_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    shown = printed(capsys, "--model", "wide_residual", "--dataset", "wine", "--hidden", "5", "5")
    assert re.search(r"  \| \+ A\[1\] +\^ to dA\[1\] too\n", shown)
    assert "norms:    Z[l] = W * (A[l-1] - mean) / sqrt(variance + epsilon) + b" in shown
    assert "norms:" not in printed(capsys, "--model", "wide", "--dataset", "wine", "--hidden", "5")


def test_a_certain_wrong_answer_is_null_in_json(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = expected("moons", 0)[2] == 0
    monkeypatch.setattr(
        "manual.commands.graph.initial_parameters",
        lambda *args: {"W1": np.zeros((1, 2)), "b1": np.array([[800.0 if wrong else -800.0]])},
    )
    report = json.loads(printed(capsys, "--dataset", "moons", "--json"))
    assert report["da"] is None
    assert abs(report["dz"]) == 1
    assert report["L"] == 800
    assert "inf" in printed(capsys, "--dataset", "moons")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--model", "lenet9"], "model is 'lenet9', expected one of logistic, shallow, deep"),
        (["--dataset", "mars"], "dataset is 'mars', expected one of breast_cancer, iris"),
        (["--example", "455"], "example is 455, expected 0 to 454: breast_cancer has 455 training examples"),
        (["--example", "-1"], "example is -1, expected 0 to 454: breast_cancer has 455 training examples"),
        (["--model", "deep", "--example", "-3"], "example is -3, expected 0 to 454"),
        (["--lambda", "-0.5"], "lambda is -0.5, expected a finite number of at least 0"),
        (["--lambda", "nan"], "lambda is nan, expected a finite number of at least 0"),
        (["--seed", "-1"], "seed is -1, expected"),
        (["--hidden", "4"], "hidden is (4,), expected none: this model has no hidden layer"),
        (["--model", "deep", "--hidden", "0"], "units is 0, expected a whole number of at least 1"),
        (["--dataset", "diabetes"], "Y is "),
        (["--model", "softmax"], "example 0 of Y has 0 classes, expected 1: columns are one-hot"),
    ],
)
def test_bad_usage_gives_exit_code_2_and_one_sentence(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["graph", *words]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"python -m manual: {sentence}")
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize("words", [[], ["graph", "--example", "x"]])
def test_words_that_argparse_refuses_give_exit_code_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert stopped.value.code == 2
    assert "usage: python -m manual" in capsys.readouterr().err


@pytest.mark.slow
def test_it_runs_as_a_module_and_imports_no_torch() -> None:
    code = """
import runpy, sys
sys.argv = ["manual", "graph", "--example", "2000"]
try:
    runpy.run_module("manual", run_name="__main__")
finally:
    assert "torch" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == (
        "python -m manual: example is 2000, expected 0 to 454: breast_cancer has 455 training examples\n"
    )
