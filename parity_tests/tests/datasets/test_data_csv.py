"""Data of one's own in a .csv, the task that it looks like, and a sentence for every table that is none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import datasets
from datasets.dataset import Array
from datasets.prepare import from_arrays
from datasets.targets import infer_task
from parity_tests.tests.datasets.dataset_checks import check_same, rng


def csv(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> Path:
    path.write_text("\n".join(",".join(map(str, row)) for row in [header, *rows]) + "\n")
    return path


def table(m: int = 20) -> tuple[Array, list[list[object]]]:
    """X of two features, and rows with every kind of target: price, count, kind, colour, left, right."""
    X = rng().normal(size=(m, 2))
    rows = [
        [x1, x2, x1 - x2, i % 7, i % 2, "red" if i % 3 else "blue", i % 2, i % 3 % 2] for i, (x1, x2) in enumerate(X)
    ]
    return X, rows


HEADER = ["width", "height", "price", "count", "kind", "colour", "left", "right"]


def columns_of(path: Path, keep: Sequence[str]) -> Path:
    """A .csv of the table with these columns only."""
    _, rows = table()
    places = [HEADER.index(name) for name in keep]
    return csv(path, keep, [[row[j] for j in places] for row in rows])


@pytest.mark.parametrize(
    ("targets", "given", "task", "names"),
    [
        ("price", None, "regression", ("price",)),
        ("price", "regression", "regression", ("price",)),
        ("count", None, "multiclass", tuple("0123456")),
        ("count", "regression", "regression", ("count",)),
        ("kind", None, "binary", ("0", "1")),
        ("colour", None, "binary", ("blue", "red")),
        ("colour", "multiclass", "multiclass", ("blue", "red")),
        ("left,right", None, "multilabel", ("left", "right")),
        ("price, count", None, "regression", ("price", "count")),
        (("count", "left"), None, "regression", ("count", "left")),
    ],
)
def test_a_table_is_its_columns(
    targets: str | tuple[str, ...], given: str | None, task: str, names: tuple[str, ...], tmp_path: Path
) -> None:
    listed = [name.strip() for name in targets.split(",")] if isinstance(targets, str) else list(targets)
    path = columns_of(tmp_path / "mine.csv", [listed[0], "width", *listed[1:], "height"])
    found = datasets.from_file(path, target=targets, task=given, seed=3, test_size=0.4, dtype="float32")
    X, rows = table()
    Y = np.array([[row[HEADER.index(name)] for name in listed] for row in rows])
    Y = Y[:, 0] if len(listed) == 1 else Y
    expected = from_arrays(
        "mine",
        task,
        X,
        Y,
        seed=3,
        test_size=0.4,
        dtype="float32",
        feature_names=("width", "height"),
        target_names=names,
    )
    assert (found.task, found.target_names) == (task, names)
    check_same(found, expected)


def test_a_column_whose_name_has_a_comma(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('x,"size, in m",y\n' + "".join(f'{i},"{i * 0.5}",{i}.5\n' for i in range(6)))
    data = datasets.from_file(tmp_path / "a.csv", target="size, in m")
    assert data.target_names == ("size, in m",)
    assert data.feature_names == ("x", "y")


def test_files_of_spreadsheets(tmp_path: Path) -> None:
    lines = ["﻿x , label", *(f' {i}.5 ,"{"no" if i % 2 else "yes"}"' for i in range(6)), "", ""]
    (tmp_path / "a.CSV").write_text("\r\n".join(lines), encoding="utf-8")
    data = datasets.from_file(tmp_path / "a.CSV", target="label")
    assert (data.feature_names, data.target_names, data.X_train.shape) == (("x",), ("no", "yes"), (1, 4))


GOOD_ROWS = "".join(f"{i},{i * i},{i % 2}\n" for i in range(6))
GOOD_TABLE = "a,b,y\n" + GOOD_ROWS
BAD_TABLES: dict[str, tuple[str, dict[str, Any], str]] = {
    "empty": ("", {}, "it is empty, expected a header and at least 2 examples"),
    "blank": ("\n\n", {}, "it is empty, expected a header and at least 2 examples"),
    "header alone": ("a,b,y\n", {}, "it has a header and no examples, expected at least 2"),
    "one example": ("a,b,y\n1,2,3\n", {}, "X has m = 1, expected at least 2 examples: one to train, one to test"),
    "one column": ("y\n1\n2\n", {}, "it has one column, 'y', expected a target and a feature, separated by commas"),
    "bars": ("a|b|y\n1|2|3\n", {}, "it has one column, 'a|b|y', expected .* separated by commas"),
    "commas or semicolons": ("a,b;y\n1,2;3\n", {}, "its first rows may be divided by commas or by semicolons, .*"),
    "underscores": ("a,b,y\n1,1_0,0\n", {}, "it has '1_0' at row 2, column 'b', expected a number"),
    "decimal commas": (
        "a;b;y\n1,5;2;0\n",
        {},
        "it has '1,5' at row 2, column 'a', expected a number, with a decimal point",
    ),
    "no target": (GOOD_TABLE, {"target": None}, "target is None, expected the name of a column: a, b, y"),
    "another target": (GOOD_TABLE, {"target": "z"}, "target is 'z', expected the name of a column: a, b, y"),
    "one of two targets": (
        GOOD_TABLE,
        {"target": "y,z"},
        "target is 'z', expected the name of a column: .*",
    ),
    "a target twice": (GOOD_TABLE, {"target": "y,y"}, "target is .*, expected every column once"),
    "targets alone": ("a,y\n1,2\n", {"target": "a,y"}, "target is 'a,y', expected fewer than all columns: .*"),
    "no name": (",b,y\n" + GOOD_ROWS, {}, "column 1 has no name in row 1, expected one for each of 3 columns"),
    "a name twice": ("a,a,y\n" + GOOD_ROWS, {}, "two columns are named 'a' in row 1, expected a name of its own .*"),
    "text": (GOOD_TABLE + "7,many,1\n", {}, "it has 'many' at row 8, column 'b', expected a number"),
    "empty cell": (
        GOOD_TABLE + ",7,1\n",
        {},
        "it has an empty cell at row 8, column 'a', expected a number",
    ),
    "NaN": ("a,b,y\n1,nan,0\n" + GOOD_ROWS, {}, "it has nan at row 2, column 'b', expected a finite number"),
    "infinity": ("a,b,y\n\n1,-1e999,0\n" + GOOD_ROWS, {}, "it has -inf at row 3, column 'b', expected .*"),
    "short row": (GOOD_TABLE + "7,1\n", {}, "row 8 has 2 cells, expected 3 as in the header, row 1"),
    "long row": ("a,b,y\n1,2,3,4\n", {}, "row 2 has 4 cells, expected 3 as in the header, row 1"),
    "empty target": (
        GOOD_TABLE + "7,1, \n",
        {},
        "it has an empty cell at row 8, column 'y', expected a target for every example",
    ),
    "text among the targets": (
        GOOD_TABLE + "7,1,many\n",
        {},
        "it has 'many' at row 8, column 'y', expected a number as in other rows, or task multiclass",
    ),
    "text for a regression": (
        "a,b,y\n1,2,low\n1,2,high\n",
        {"task": "regression"},
        "it has 'low' at row 2, column 'y', expected a number",
    ),
    "NaN target": ("a,b,y\n1,2,3.5\n1,2,nan\n", {}, "it has nan at row 3, column 'y', expected a finite number"),
    "two targets of text": (
        "a,b,y\n1,low,1\n2,high,1\n",
        {"target": "b,y"},
        "target column 'b' holds text, expected numbers where there are several targets",
    ),
    "lone class": (
        GOOD_TABLE + "7,1,2\n",
        {"test_size": 0.5},
        r"Y has one example of class 2, expected two, one for each part, or task regression for values: "
        r"it stands at row 8, column 'y'",
    ),
    "lone class of text": (
        "a,b,y\n1,1,yes\n2,2,yes\n\n3,3,perhaps\n4,4,no\n5,5,no\n6,6,no\n",
        {"test_size": 0.5},
        r"Y has one example of class perhaps, expected two, one for each part: it stands at row 5, column 'y'",
    ),
    "one class": ("a,b,y\n1,2,0\n1,2,0\n", {}, "Y has the one class 0, expected at least two for task multiclass"),
    "unknown task": (GOOD_TABLE, {"task": "ranking"}, "task is 'ranking', expected one of binary, .*"),
    "dtype": (GOOD_TABLE, {"dtype": "int8"}, "dtype is 'int8', expected float32 or float64"),
    "long cell": ("a,b,y\n1," + "x" * 200_000 + ",0\n", {}, "it cannot be read as comma-separated values: field .*"),
}


@pytest.mark.parametrize(("text", "options", "sentence"), BAD_TABLES.values(), ids=BAD_TABLES.keys())
def test_a_bad_table_gets_one_sentence(text: str, options: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(text)
    with pytest.raises(ValueError, match=rf"^mine\.csv: {sentence}$") as caught:
        datasets.from_file(tmp_path / "mine.csv", **{"target": "y", **options})
    assert len(str(caught.value)) < 200


TEXT = "größe,y\n" + "".join(f"{i},{'né' if i % 2 else 'ñu'}\n" for i in range(6))


@pytest.mark.parametrize(
    ("encoded", "sentence"),
    [
        (
            TEXT.encode("latin-1"),
            r"byte 0xf6 in line 1 is no text in UTF-8, expected UTF-8, or UTF-16 with its mark: .*",
        ),
        (GOOD_TABLE.encode() + b"7,\xff,1\n", r"byte 0xff in line 8 is no text in UTF-8, expected .* Latin-1"),
        (TEXT.encode("utf-16") + b"\0", r"byte 0x00 in line 8 is no text in UTF-16, expected .*"),
        (TEXT.encode("utf-16-le"), r"it holds zero bytes, expected text in UTF-8, or in UTF-16 with .*"),
        (b"PK\x03\x04" + bytes(100), r"it holds zero bytes, expected text in UTF-8, or in UTF-16 with .*"),
    ],
)
def test_no_text_that_can_be_read(encoded: bytes, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_bytes(encoded)
    with pytest.raises(ValueError, match=rf"^mine\.csv: {sentence}$"):
        datasets.from_file(tmp_path / "mine.csv", target="y")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_one_table_written_in_many_ways(encoding: str, delimiter: str, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_bytes(TEXT.replace(",", delimiter).encode(encoding))
    (tmp_path / "plain.csv").write_text(TEXT, encoding="utf-8")
    found, plain = (datasets.from_file(tmp_path / f"{name}.csv", target="y") for name in ("mine", "plain"))
    check_same(found._replace(name="plain"), plain)
    assert (found.feature_names, found.target_names) == (("größe",), ("né", "ñu"))


def test_other_delimiters_may_stand_in_names_and_cells(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("size; in m,y\n" + "".join(f"{i},{'a;b' if i > 2 else 'c'}\n" for i in range(6)))
    data = datasets.from_file(tmp_path / "mine.csv", target="y")
    assert (data.feature_names, data.target_names) == (("size; in m",), ("a;b", "c"))


@pytest.mark.parametrize("first", [10**15, 10**18, 2**63 - 1, 10**19, 2**64 - 1, 10**40, -(10**18), -(10**30)])
def test_whole_numbers_of_any_size_are_classes_of_their_own(first: int, tmp_path: Path) -> None:
    classes = [first, first + 1, first + 2]
    (tmp_path / "a.csv").write_text("x,y\n" + "".join(f"{i},{classes[i % 3]}\n" for i in range(12)))
    data = datasets.from_file(tmp_path / "a.csv", target="y")
    assert data.task == "multiclass"
    assert set(data.target_names) == set(map(str, classes))
    assert data.Y_train.shape[0] == 3
    values = datasets.from_file(tmp_path / "a.csv", target="y", task="regression")
    assert values.task == "regression"


def test_names_with_underscores_are_no_numbers(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("a,y\n" + "".join(f"{i},{i % 2}_0\n" for i in range(12)))
    assert datasets.from_file(path, target="y").target_names == ("0_0", "1_0")


@pytest.mark.parametrize("n", [2000, 60_000])
def test_a_wide_table(n: int, tmp_path: Path) -> None:
    rows = [[*range(n), i % 2] for i in range(4)]
    data = datasets.from_file(csv(tmp_path / "wide.csv", [*(f"c{j}" for j in range(n)), "y"], rows), target="y")
    assert data.X_train.shape == (n, 3)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("none.csv", r".*none\.csv is not there, expected a file"),
        ("none.xlsx", r"none\.xlsx ends in '\.xlsx', expected \.csv, \.npz, \.npy"),
        ("none", r"none ends in '', expected \.csv, \.npz, \.npy"),
        ("", r".* ends in '.*', expected \.csv, \.npz, \.npy"),
    ],
)
def test_no_file(name: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=rf"^{sentence}$"):
        datasets.from_file(tmp_path / name)


@pytest.mark.parametrize(
    ("Y", "task"),
    [
        ([0, 1, 1], "binary"),
        ([3, 1, 2], "multiclass"),
        ([True, False], "binary"),
        (["a", "b", "c"], "multiclass"),
        (np.array(["a", "b"], object), "binary"),
        (np.array(["a", 1], object), "multiclass"),
        ([[0], [1]], "binary"),
        ([0.0, 1.0], "regression"),
        ([[0.0, 1.0]], "regression"),
        ([[0, 1], [1, 1]], "multilabel"),
        ([[0, 1], [1, 2]], "regression"),
        ([0, 0], "multiclass"),
        (np.array([1, 2], np.uint8), "binary"),
        ([["a", "b"], ["a", "a"]], "regression"),
        (np.zeros((2, 1, 1), int), "regression"),
        (np.zeros(2, "i4,f4"), "multiclass"),
        (np.array([1j, 2j]), "multiclass"),
    ],
)
def test_the_task_that_targets_look_like(Y: Any, task: str) -> None:
    assert infer_task(Y) == task
