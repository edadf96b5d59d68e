"""The train commands: one set of flags, two packages, the same report; files, resuming, and bad usage."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_sample_weight

from datasets import load as load_dataset
from manual.__main__ import main as by_hand
from manual.files import exclusive, load, load_checkpoint
from manual.shared.settings import Settings, WeightedExamples, held_back
from manual.training import fit
from parity_tests.tests.chores.interruptions import ending
from torch_ref.__main__ import main as by_torch

PACKAGES = [pytest.param(by_hand, id="manual"), pytest.param(by_torch, id="torch_ref")]
SHORT = ["--epochs", "2", "--hidden", "8"]


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """What --json printed."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("main", PACKAGES)
def test_the_report_and_the_history(main: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--epochs", "3", "--hidden", "16"]) == 0
    shown = capsys.readouterr().out
    for text in (
        "digits (multiclass), 1437 training and 360 test examples",
        "64 - dense16 relu - dropout0.8 - dense10 softmax",
        "adam, learning rate 0.003, cosine decay, 3 epochs of 45 steps",
        "epoch 3  cost",
        "mostly taken for",
        "on 360 examples; 3 epochs in",
    ):
        assert text in shown
    assert main(["train", "--epochs", "3", "--hidden", "16", "--quiet"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_both_packages_report_the_same_run(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "--epochs", "3", "--lambda", "0.1", "--keep-prob", "0.7", "--dtype", "float64", "--json"]
    reports = []
    for main in (by_hand, by_torch):
        assert main([*words, *(["--device", "cpu"] if main is by_torch else [])]) == 0
        reports.append(lines(capsys))
    for one, other in zip(*reports, strict=True):
        assert one.keys() == other.keys()
        for name, value in one.items():
            if isinstance(value, float) and name != "seconds":
                assert other[name] == pytest.approx(value, rel=1e-8)
            elif name != "seconds":
                assert other[name] == value
    assert [line.get("epoch") for line in reports[0]] == [1, 2, 3, None]


@pytest.mark.parametrize(
    ("words", "layers"),
    [
        (["--dataset", "moons"], "2 - dense64 relu - dropout0.8 - dense64 relu - dropout0.8 - dense1 sigmoid"),
        (["--dataset", "moons", "--model", "wide", "--keep-prob", "1"], "2-64-64-1 (relu, relu, sigmoid)"),
        (["--dataset", "diabetes", "--model", "regression", "--keep-prob", "1"], "10-8-1 (leaky_relu, identity)"),
        (["--dataset", "iris", "--model", "softmax"], "4-3 (softmax)"),
        (["--dataset", "linnerud", "--hidden", "", "--batch-size", "4"], "3-3 (identity)"),
        (["--dataset", "multilabel", "--layers", "dense7 tanh dense50"], None),
        (
            ["--layers", "conv4x3 pool2 flatten dense10"],
            "8x8x1 - conv4x3 relu - pool2 - flatten - dense10 softmax",
        ),
        (
            ["--model", "convnet", "--hidden", "9", "--keep-prob", "0.5"],
            "8x8x1 - conv16x3same relu - conv32x3same relu - pool2 - flatten - dense9 relu - dropout0.5 - "
            "dense10 softmax",
        ),
    ],
)
def test_networks_by_flags(words: list[str], layers: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    code = by_hand(["train", *words, "--epochs", "1", "--json"])
    if layers is None:
        assert code == 2
        assert "the network ends in 50 sigmoid units, expected" in capsys.readouterr().err
    else:
        assert code == 0
        assert lines(capsys)[-1]["layers"] == layers


@pytest.mark.parametrize(
    ("words", "given", "patience"),
    [
        (["--dataset", "breast_cancer"], {"malignant": 5, "benign": 1}, None),
        (["--dataset", "breast_cancer"], "balanced", 50),
        (["--dataset", "iris"], {"setosa": 0.25, "virginica": 3}, None),
    ],
)
@pytest.mark.parametrize("main", PACKAGES)
def test_weights_of_classes_are_those_of_scikit_learn(
    main: Callable[..., int], words: list[str], given: Any, patience: int | None, tmp_path: Path
) -> None:
    path, data = tmp_path / "net.safetensors", load_dataset(words[1], dtype="float64")
    named = given if isinstance(given, str) else ",".join(f"{name}={weight}" for name, weight in given.items())
    told = [*SHORT, "--keep-prob", "1", "--dtype", "float64", "--save", str(path), "--quiet", "--class-weight", named]
    assert main(["train", *words, *told, *(["--patience", str(patience)] if patience else [])]) == 0

    Y = data.Y_train
    codes = Y[0].astype(int) if len(Y) == 1 else Y.argmax(axis=0)
    by_code = given if isinstance(given, str) else {k: given.get(x, 1) for k, x in enumerate(data.target_names)}
    weights = compute_sample_weight(by_code, codes)[None, :]
    saved = load(path)
    settings = Settings(
        learning_rate=0.003, epochs=2, batch_size=32, decay="cosine", decay_options={"epochs": 2}, patience=patience
    )
    whole = WeightedExamples(data.X_train, Y, weights)
    train, rest = (whole, None) if patience is None else held_back(whole, 0.1)
    again = fit(saved.architecture, train.X, train.Y, settings, weights=train.weights, validation=rest)
    alike = fit(saved.architecture, train.X, train.Y, settings, validation=rest)
    for name, value in again.params.items():
        np.testing.assert_allclose(saved.params[name], value, rtol=1e-7, atol=1e-9)
        assert not np.allclose(alike.params[name], value, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("main", PACKAGES)
def test_a_run_resumed_is_the_run_undisturbed(
    main: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, words = tmp_path / "kept", ["train", *SHORT, "--decay", "0.9", "--patience", "50", "--quiet"]
    assert main([*words, "--save", str(tmp_path / "whole.safetensors")]) == 0
    assert main([*words, "--checkpoint", str(kept)]) == 0
    assert main([*words, "--checkpoint", str(kept)]) == 2
    assert "holds a checkpoint already, expected --resume" in capsys.readouterr().err
    assert main([*words, "--checkpoint", str(kept), "--resume", "--save", str(tmp_path / "again.safetensors")]) == 0
    whole, again = load(tmp_path / "whole.safetensors").params, load(tmp_path / "again.safetensors").params
    for name, value in whole.items():
        np.testing.assert_array_equal(again[name], value)
    assert main([*words, "--checkpoint", str(kept), "--resume", "--class-weight", "balanced"]) == 2
    assert "class-weight is balanced, expected None as in" in capsys.readouterr().err
    assert main([*words, "--checkpoint", str(kept), "--resume", "--lambda", "3"]) == 2
    assert "lambda is 3.0, expected 0.0 as in" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(("package", "kills"), [("manual", 1), pytest.param("torch_ref", 1, marks=pytest.mark.bars)])
def test_a_run_killed_and_resumed_ends_the_same(package: str, kills: int) -> None:
    found = ending(package, kills, epochs=8, rng=np.random.default_rng(12))  # the first kill comes within the run
    assert found.starts > found.kills == kills
    assert found.good


@pytest.mark.parametrize(("writer", "reader"), [(by_hand, by_torch), (by_torch, by_hand)])
def test_parameters_travel(writer: Callable[..., int], reader: Callable[..., int], tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    assert writer(["train", *SHORT, "--quiet", "--model", "convnet", "--save", str(path)]) == 0
    saved = load(path)
    assert saved.architecture.describe().startswith("8x8x1 - conv16x3same relu")
    assert {value.dtype for value in saved.params.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("main", PACKAGES)
def test_an_explosion_is_said_and_its_history_kept(
    main: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", *SHORT, "--optimizer", "gradient_descent", "--learning-rate", "1000"]
    path, kept = tmp_path / "net.safetensors", tmp_path / "kept"
    assert main([*words, "--save", str(path), "--checkpoint", str(kept)]) == 1
    captured = capsys.readouterr()
    assert "stopped: the cost" in captured.out
    assert "at step" in captured.out
    assert captured.err == ""
    assert not path.exists()
    found = load_checkpoint(kept)
    assert found is not None
    assert found.progress["stopped"] == "exploded"
    assert len(found.progress["run"]["history"]) == 1
    assert main([*words, "--checkpoint", str(kept), "--resume"]) == 2
    assert "has exploded, expected one to go on with" in capsys.readouterr().err


def test_early_stopping_goes_back_to_the_best(capsys: pytest.CaptureFixture[str]) -> None:
    assert by_hand(["train", "--dataset", "breast_cancer", "--epochs", "60", "--patience", "8"]) == 0
    shown = capsys.readouterr().out
    assert "no better for 8 epochs; the best parameters are kept" in shown
    assert "validation" in shown


def test_own_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    X = rng.standard_normal((400, 3))
    table = "a,b,c,kind\n" + "".join(f"{a},{b},{c},{'up' if a > 0 else 'down'}\n" for a, b, c in X)
    path = tmp_path / "own.csv"
    path.write_text(table)
    assert by_hand(["train", "--data", str(path), "--target", "kind", "--epochs", "30", "--json", "--hidden", "8"]) == 0
    report = lines(capsys)[-1]
    assert report["task"] == "binary"
    assert report["test_score"] > 0.8
    assert by_hand(["train", "--data", str(path), "--target", "sort"]) == 2
    assert "sort" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--batch-size", "0"], "batch_size is 0, expected a whole number of at least 1"),
        (["--batch-size", "1438"], "batch-size is 1438, expected at most 1437"),
        (["--epochs", "0"], "epochs is 0, expected a whole number of at least 1"),
        (["--learning-rate", "-1"], "learning_rate is -1.0, expected a finite number above 0"),
        (["--learning-rate", "nan"], "learning_rate is nan, expected a finite number above 0"),
        (["--lambda", "-1"], "lambda is -1.0, expected a finite number of at least 0"),
        (["--class-weight", "0=2,x"], "class-weight is '0=2,x', expected balanced, or a weight for each class"),
        (["--class-weight", "0=2,0=3"], "class-weight is '0=2,0=3', expected balanced, or a weight for each class"),
        (["--class-weight", "ill=3"], "class_weight is {'ill': 3.0}, expected finite numbers above 0 by classes among"),
        (["--class-weight", "0=-1"], "class_weight is {'0': -1.0}, expected finite numbers above 0 by classes among"),
        (["--class-weight", "balanced", "--dataset", "diabetes"], "the task is regression, expected classes"),
        (["--clip", "0"], "clip is 0.0, expected a number above 0"),
        (["--patience", "0"], "patience is 0, expected at least 1 epoch"),
        (["--decay", "linear"], "decay is 'linear', expected a number such as 0.9, or one of constant"),
        (["--decay", "1.5"], "decay is 1.5, expected a number in (0, 1]"),
        (
            ["--optimizer", "sgd"],
            "optimizer is 'sgd', expected one of gradient_descent, momentum, rmsprop, adam, "
            "classical_momentum, nesterov, adamw",
        ),
        (["--keep-prob", "0"], "keep_prob is 0.0, expected a number"),
        (["--hidden", "4,x"], "hidden is '4,x', expected numbers of units with commas between"),
        (["--hidden", "4", "--layers", "dense10"], "--layers is given beside --model or --hidden"),
        (["--layers", "dense9"], "the network ends in 9 softmax units, expected 10 softmax"),
        (["--layers", "conv4x3 dense10"], "layer 2, dense10 softmax, does not fit its input of shape (6, 6, 4)"),
        (["--layers", "conv4x9 flatten dense10"], "layer 1, conv4x9 relu, does not fit its input of shape (8, 8, 1)"),
        (["--layers", "klein"], "word 1 of layers is 'klein', expected dense64, conv8x3"),
        (["--model", "vgg"], "model is 'vgg', expected one of logistic"),
        (["--model", "convnet", "--dataset", "iris"], "iris has no images, expected (n_H, n_W, n_C)"),
        (["--dataset", "nist"], "dataset is 'nist', expected one of breast_cancer"),
        (["--dataset", "iris", "--data", "x.csv"], "--data and --dataset are both given"),
        (["--target", "x"], "--target and --task go with --data"),
        (["--data", "nowhere.csv"], "nowhere.csv is not there, expected a file"),
        (["--resume"], "--resume is given, expected --checkpoint DIR beside it"),
        (["--resume", "--checkpoint", "nowhere"], "nowhere holds no checkpoint, expected one to resume"),
        (["--save", "net.pt"], "save is 'net.pt', expected a name that ends in .safetensors"),
        (["--save", "/nowhere/net.safetensors"], "expected a folder that can be written to"),
        (["--seed", "-1"], "seed is -1, expected"),
    ],
)
@pytest.mark.parametrize("main", PACKAGES)
def test_bad_usage_gets_one_sentence(
    main: Callable[..., int], words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", *words]) == 2
    complaint = capsys.readouterr().err
    assert sentence in complaint
    assert len(complaint.splitlines()) == 1


@pytest.mark.parametrize("main", PACKAGES)
def test_one_run_at_a_time_has_a_checkpoint(
    main: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", *SHORT, "--quiet", "--checkpoint", str(tmp_path)]
    for resume in ([], ["--resume"]):
        with exclusive(tmp_path):
            assert main([*words, *resume]) == 2
        assert f"{tmp_path} is in use by another run, expected one run at a time" in capsys.readouterr().err
        assert list(tmp_path.iterdir()) == []
    assert main(words) == 0


def test_a_damaged_checkpoint_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", *SHORT, "--quiet", "--checkpoint", str(tmp_path)]
    assert by_hand(words) == 0
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-100])
    assert by_hand([*words, "--resume"]) == 2
    assert "is no whole .safetensors file" in capsys.readouterr().err
    file.write_bytes(b"\x80\x04\x95pickled")
    assert by_hand([*words, "--resume"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_checkpoint_of_the_other_package_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", *SHORT, "--quiet", "--checkpoint", str(tmp_path)]
    assert by_hand(words) == 0
    assert by_torch([*words, "--resume"]) == 2
    assert "another optimiser's, or network's" in capsys.readouterr().err


def test_torch_has_flags_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", *SHORT, "--quiet"]
    assert by_torch([*words, "--device", "tpu"]) == 2
    assert "device is 'tpu', expected one of auto, cpu, cuda, mps" in capsys.readouterr().err
    assert by_torch([*words, "--device", "cpu", "--deterministic", "--no-tf32"]) == 0
    torch.use_deterministic_algorithms(False)
    exact = capsys.readouterr().out
    assert by_torch([*words, "--device", "cpu", "--amp"]) == 0
    assert capsys.readouterr().out.split("cost")[1].split()[0] != exact.split("cost")[1].split()[0]
