"""The predict commands: a trained network and a file of other examples, in both packages."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import datasets
from datasets.preparation import Preparation
from manual import files
from manual.__main__ import main as by_hand
from manual.network import forward
from parity_tests.tests.training.saved_networks import WIDE, drawn
from torch_ref.__main__ import main as by_torch

PACKAGES = [pytest.param(by_hand, id="manual"), pytest.param(by_torch, id="torch_ref")]
M = 60


def table(path: Path, names: Sequence[str], columns: Sequence[Sequence[Any]]) -> Path:
    """A .csv of these columns."""
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([names, *zip(*columns, strict=True)])
    return path


def drawn_columns() -> dict[str, list[Any]]:
    """Features a and b; a kind that follows from them, labels, and a price far from 0."""
    a, b = np.random.default_rng(0).normal([50, -3], [9, 0.1], (M, 2)).T
    kind = np.where(a > 55, "high", np.where(b > -3, "middle", "low"))
    return {
        "a": a.tolist(),
        "b": b.tolist(),
        "kind": kind.tolist(),
        "left": (a > 50).astype(int).tolist(),
        "right": (b > -3).astype(int).tolist(),
        "price": (1000 + 7 * a).tolist(),
    }


COLUMNS = drawn_columns()


def data(folder: Path, *names: str, **changed: Sequence[Any]) -> Path:
    """Some of the columns, in this order."""
    return table(folder / "data.csv", names, [changed.get(name, COLUMNS.get(name, [])) for name in names])


def trained(folder: Path, target: str, *words: str) -> Path:
    """A network that was trained on a, b and the target, in one epoch."""
    path = folder / "net.safetensors"
    given = data(folder, "a", "b", *target.split(","))
    settings = ["--hidden", "4", "--keep-prob", "1", "--epochs", "1", "--batch-size", "8", "--dtype", "float64"]
    words = ("train", "--data", str(given), "--target", target, *settings, *words, "--save", str(path), "--quiet")
    assert by_hand([*words]) == 0
    return path


def found(main: Callable[..., int], capsys: pytest.CaptureFixture[str], *words: object) -> dict[str, Any]:
    """What predict --json prints."""
    capsys.readouterr()
    assert main(["predict", *map(str, words), "--json"]) == 0
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


def outputs(model: Path, target: str) -> tuple[Any, Preparation]:
    """A[L] for all examples of the data, as the Dataset scales them; its columns are in the order of the file."""
    loaded = datasets.from_file(data(model.parent, "a", "b", *target.split(",")), target=target)
    rows = np.array([COLUMNS["a"], COLUMNS["b"]]).T
    X = (rows - loaded.preparation.mean) / loaded.preparation.deviation
    params, architecture = files.load(model)
    return forward(architecture, params, X.T).A[-1], loaded.preparation


@pytest.mark.parametrize("main", PACKAGES)
def test_classes_of_text(main: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = trained(tmp_path, "kind")
    A_L, preparation = outputs(model, "kind")
    expected = [preparation.target_names[k] for k in A_L.argmax(axis=0)]
    shuffled = found(main, capsys, model, data(tmp_path, "b", "kind", "a"), "--probabilities")
    assert [each["predicted"] for each in shuffled["predictions"]] == expected
    assert [each["row"] for each in shuffled["predictions"]] == list(range(2, M + 2))
    for each, column in zip(shuffled["predictions"], A_L.T, strict=True):
        assert list(each["probabilities"]) == ["high", "low", "middle"]
        np.testing.assert_allclose(list(each["probabilities"].values()), column, rtol=1e-12)
    right = np.mean(np.array(expected) == COLUMNS["kind"])
    assert shuffled["score"] == {"name": "accuracy", "value": right, "unknown": 0, "examples": M}
    alone = found(main, capsys, model, data(tmp_path, "a", "b"))
    assert [each["predicted"] for each in alone["predictions"]] == expected
    assert alone["score"] is None


@pytest.mark.parametrize("main", PACKAGES)
def test_values_on_the_scale_of_the_targets(
    main: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = trained(tmp_path, "price")
    A_L, preparation = outputs(model, "price")
    report = found(main, capsys, model, data(tmp_path, "price", "b", "a"))
    values = np.array([each["predicted"] for each in report["predictions"]])
    training = datasets.from_file(data(tmp_path, "a", "b", "price"), target="price")
    raw = training.Y_train * preparation.target_deviation + preparation.target_mean
    assert set(np.round(raw[0], 9)) <= set(np.round(COLUMNS["price"], 9))  # so are the targets scaled
    np.testing.assert_allclose(values, A_L[0] * preparation.target_deviation + preparation.target_mean, rtol=1e-12)
    missed = np.sum((np.array(COLUMNS["price"]) - values) ** 2)
    assert report["score"]["name"] == "R2"
    assert report["score"]["value"] == pytest.approx(1 - missed / (M * np.var(COLUMNS["price"])))


@pytest.mark.parametrize("main", PACKAGES)
def test_several_targets_and_labels(
    main: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = trained(tmp_path, "left,right")
    A_L, _ = outputs(model, "left,right")
    report = found(main, capsys, model, data(tmp_path, "right", "a", "left", "b"), "--probabilities")
    labels = np.array([[each["predicted"][name] for name in ("left", "right")] for each in report["predictions"]])
    np.testing.assert_array_equal(labels.T, A_L > 0.5)
    truth = np.array([COLUMNS["left"], COLUMNS["right"]])
    assert report["score"]["value"] == pytest.approx(np.mean(truth == labels.T))
    one = found(main, capsys, model, data(tmp_path, "a", "left", "b"))
    assert (one["score"], one["remark"]) == (None, "the file has no column 'right'")
    model = trained(tmp_path, "price,left", "--task", "regression")
    report = found(main, capsys, model, data(tmp_path, "a", "b", "left", "price"))
    assert list(report["predictions"][0]["predicted"]) == ["price", "left"]
    assert report["score"]["name"] == "R2"


@pytest.mark.parametrize("main", PACKAGES)
@pytest.mark.parametrize("words", [["--model", "wide"], ["--layers", "conv2x3 relu pool2 flatten dense3"]])
def test_images_and_a_division_of_ones_own(
    main: Callable[..., int], words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(1)
    Y = rng.integers(0, 3, 90) + 5
    X = rng.normal(100, 9, (90, 6, 6)) + 20 * Y[:, np.newaxis, np.newaxis]
    np.savez(tmp_path / "mine.npz", x_train=X[:60], y_train=Y[:60], x_test=X[60:], y_test=Y[60:])
    model = tmp_path / "net.safetensors"
    assert (
        main(["train", "--data", f"{tmp_path}/mine.npz", *words, "--epochs", "2", "--save", f"{model}", "--json"]) == 0
    )
    score = json.loads(capsys.readouterr().out.splitlines()[-1])["test_score"]
    report = found(main, capsys, model, tmp_path / "mine.npz")
    assert report["score"] == {"name": "accuracy", "value": score, "unknown": 0, "examples": 30}
    assert {each["predicted"] for each in report["predictions"]} <= {"5", "6", "7"}
    np.save(tmp_path / "X.npy", X[60:, :, :, np.newaxis])
    np.save(tmp_path / "Y.npy", Y[60:])
    assert found(main, capsys, model, tmp_path / "X.npy")["predictions"] == report["predictions"]
    again = found(main, capsys, model, tmp_path / "X.npy", "--target", tmp_path / "Y.npy")
    assert again["score"] == report["score"]


def test_the_table_and_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, given = trained(tmp_path, "left"), data(tmp_path, "a", "b", "left")
    report = found(by_hand, capsys, model, given, "--probabilities")
    assert by_hand(["predict", str(model), str(given), "--probabilities"]) == 0
    heads, first, *_, last = capsys.readouterr().out.splitlines()
    assert heads.split() == ["row", "left", "p(0)", "p(1)"]
    assert first.split()[:2] == ["2", report["predictions"][0]["predicted"]]
    assert last == f"accuracy {report['score']['value']:.4f} on {M} examples"
    out = tmp_path / "out.csv"
    assert by_hand(["predict", str(model), str(given), "--probabilities", "--out", str(out)]) == 0
    assert capsys.readouterr().out.splitlines() == [last, f"predictions written to {out}"]
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row, each in zip(rows, report["predictions"], strict=True):
        assert (int(row["row"]), row["left"]) == (each["row"], each["predicted"])
        assert [float(row[f"p({k})"]) for k in "01"] == list(each["probabilities"].values())
    assert by_hand(["predict", str(model), str(given), "--quiet"]) == 0
    assert capsys.readouterr().out.splitlines() == [last]


@pytest.mark.parametrize(
    ("target", "cells", "said"),
    [
        ("kind", ["high"] * (M - 1) + [""], f"{M} examples; no score: column 'kind' is empty at row {M + 1}"),
        ("kind", ["new"] * M, f"accuracy 0.0000 on {M} examples, {M} of a class that the network does not know"),
        ("price", ["cheap"] * M, f"{M} examples; no score: column 'price' has 'cheap' at row 2"),
        ("left", ["0.0", "001"] * (M // 2), None),
    ],
)
def test_targets_that_cannot_be_scored(
    target: str, cells: list[str], said: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = trained(tmp_path, target)
    given = data(tmp_path, "a", "b", target, **{target: cells})
    capsys.readouterr()
    assert by_hand(["predict", str(model), str(given), "--quiet"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line == said if said else line.startswith("accuracy") and "class" not in line


BAD: dict[str, tuple[list[str], dict[str, Any], list[str], str]] = {
    "missing": (
        ["a", "kind"],
        {},
        [],
        "data.csv: it has no column 'b', expected every feature of the training: 'a', 'b'",
    ),
    "unknown": (
        ["a", "b", "c"],
        {"c": [1] * M},
        [],
        "data.csv: it has the column 'c', expected the features of .* alone",
    ),
    "twice": (["a", "b", "a"], {}, [], "data.csv: two columns are named 'a' in row 1"),
    "text": (["a", "b"], {"b": ["x"] * M}, [], "data.csv: it has 'x' at row 2, column 'b', expected a number"),
    "empty": (
        ["a", "b"],
        {"b": [""] * M},
        [],
        "data.csv: it has an empty cell at row 2, column 'b', expected a number",
    ),
    "infinite": (["a", "b"], {"b": ["inf"] * M}, [], "it has inf at row 2, column 'b', expected a finite number"),
    "no examples": (
        ["a", "b"],
        {"a": [], "b": []},
        [],
        "data.csv: it has a header and no examples, expected at least 1",
    ),
    "target": (
        ["a", "b"],
        {},
        ["--target", "sort"],
        "target is 'sort', expected the name of a column that is no feature",
    ),
    "feature": (["a", "b"], {}, ["--target", "a"], "target is 'a', expected the name of a column that is no feature"),
    "out": (["a", "b"], {}, ["--out", "x.txt"], "out is 'x.txt', expected a name that ends in .csv"),
    "folder": (["a", "b"], {}, ["--out", "/nowhere/x.csv"], "expected a folder that can be written to"),
}


@pytest.mark.parametrize("main", PACKAGES)
@pytest.mark.parametrize("case", BAD)
def test_a_file_that_does_not_fit_gets_one_sentence(
    main: Callable[..., int], case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names, changed, words, sentence = BAD[case]
    model = trained(tmp_path, "kind")
    capsys.readouterr()
    assert main(["predict", str(model), str(data(tmp_path, *names, **changed)), *words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert re.search(sentence, line)


def test_models_and_files_that_do_not_go_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, given = trained(tmp_path, "price"), data(tmp_path, "a", "b")
    files.save(tmp_path / "alone.safetensors", drawn(), WIDE)
    params, architecture = files.load(model)
    about = files.load_about(model)
    other = json.dumps({**json.loads(about["preparation"]), "feature_names": ["a"], "mean": [0], "deviation": [1]})
    files.save(tmp_path / "other.safetensors", params, architecture, {**about, "preparation": other})
    files.save(tmp_path / "spoilt.safetensors", params, architecture, {**about, "preparation": "[]"})
    np.save(tmp_path / "X.npy", np.ones((3, 4)))
    np.savez(tmp_path / "X.npz", y=np.ones(3))
    for words, sentence in (
        ([tmp_path / "alone.safetensors", given], "has parameters alone, expected a file that train --save wrote: "),
        ([tmp_path / "other.safetensors", given], "has inputs 2 and 1 outputs, expected 1 and 1, as its data had"),
        ([tmp_path / "spoilt.safetensors", given], "what was done to its data cannot be read, expected"),
        ([tmp_path / "nowhere.safetensors", given], "nowhere.safetensors is not there, expected a .safetensors file"),
        ([given, given], "data.csv is no whole .safetensors file, expected one saved here"),
        ([model, tmp_path / "nowhere.csv"], "nowhere.csv is not there, expected a file"),
        ([model, model], "net.safetensors ends in '.safetensors', expected .csv, .npz, .npy"),
        ([model, given, "--probabilities"], "--probabilities is given, expected classes or labels"),
        ([model, given, "--out", given], "expected another file than the data"),
        ([model, tmp_path / "X.npy"], "X.npy: X has shape (3, 4), expected (m, 2): the features of the training"),
        ([model, tmp_path / "X.npz"], "X.npz: it has no X beside y, expected X, or x_test"),
    ):
        capsys.readouterr()
        assert by_hand(["predict", *map(str, words)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert sentence in line


def test_a_preparation_comes_back_to_the_last_bit() -> None:
    for name in ("diabetes", "linnerud", "digits", "multilabel", "moons"):
        loaded = datasets.load(name).preparation
        back = Preparation.from_json(loaded.to_json())
        assert back == loaded
        for one, other in ((back.mean, loaded.mean), (back.deviation, loaded.deviation)):
            assert one.tobytes() == other.tobytes()
        assert back.target_mean.tobytes() == loaded.target_mean.tobytes()
        assert back.target_deviation.tobytes() == loaded.target_deviation.tobytes()


def test_a_dataset_says_what_was_done_to_it() -> None:
    loaded = datasets.load("linnerud")
    prepared = loaded.preparation
    raw = loaded.X_test.T * prepared.deviation + prepared.mean
    np.testing.assert_allclose(prepared.scaled(raw, np.float64), loaded.X_test, atol=1e-13)
    np.testing.assert_allclose(prepared.values(np.zeros((3, 1))), prepared.target_mean[:, np.newaxis])
    with pytest.raises(ValueError, match=r"^X reaches 1e\+300, expected numbers that float32 holds when scaled$"):
        prepared.scaled(np.full((2, 3), 1e300), np.float32)
