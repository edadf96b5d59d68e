"""Several files in one command: a row each whatever they hold, totals, reports for other programs, exit codes."""

from __future__ import annotations

import csv
import json
import os
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from parity_tests.cli import main
from parity_tests.derivations.own.answers import Answer, Options, answers
from parity_tests.derivations.own.flags import Flags
from parity_tests.derivations.own.program_file import verify_file
from parity_tests.derivations.own.reports import write_csv, write_junit
from parity_tests.derivations.own.sources import found, is_file_name
from parity_tests.derivations.verdicts import (
    CANNOT_TELL,
    HOLDS,
    NOT_JUDGED,
    WRONG,
    Cost,
    Judged,
    Verdict,
    not_judged,
    summarised,
)

RIGHT = "dW1 = (1/m) * dZ1 @ X.T\n"
FILES = {
    "right.txt": RIGHT,
    "wrong.md": "dW1 = dZ1 @ X.T\n",
    "sub/unread.txt": "dW1 = dZ1 @@ X.T\n",
    "sub/syntax.py": "def f(:\n",
    "sub/binary.py": "\0\1\2",
    "prose.md": "What I did on my holidays and why\n",
    "data.csv": "1,2\n",
    ".hidden.txt": RIGHT,
    ".git/a.txt": RIGHT,
    "__pycache__/a.txt": RIGHT,
    "env/pyvenv.cfg": "",
    "env/a.txt": RIGHT,
}


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


def test_files_are_found_at_every_depth_and_what_is_left_out_is_counted(tmp_path: Path) -> None:
    written(tmp_path, FILES)
    (tmp_path / "link").symlink_to(tmp_path / "sub", target_is_directory=True)
    files = found([str(tmp_path), str(tmp_path / "right.txt")])
    names = [str(file.relative_to(tmp_path)) for file in files.files]
    assert names == ["right.txt", "wrong.md", "sub/binary.py", "sub/syntax.py"]
    assert files.sentence == (
        "left out: 1 hidden folder, 1 __pycache__, 1 virtual environment, 1 linked folder, 1 hidden file, "
        "1 other file, 2 texts without a formula"
    )


@pytest.mark.parametrize(
    ("name", "is_file"),
    [("net.py", True), ("a/notes.md", True), ("dW1 = dZ1 @ X.T", False), ("J = 1\nx = 2", False), (".", True)],
)
def test_a_file_is_told_from_a_formula(name: str, is_file: bool) -> None:
    assert is_file_name(name) is is_file


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["nowhere"], "the file nowhere was not found"),
        (["nowhere", ".", "neither"], "the file nowhere was not found (and 1 more)"),
        (["empty"], "nothing to judge in empty, expected .py, .ipynb, .txt, .md or .tex files"),
        (
            ["others"],
            "nothing to judge in others, expected .py, .ipynb, .txt, .md or .tex files (left out: 1 other file)",
        ),
    ],
)
def test_what_is_not_there_is_bad_usage(
    names: list[str], sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, {"others/a.csv": ""})
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError) as refused:
        found(names)
    assert str(refused.value) == sentence


def test_a_folder_is_judged_in_one_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, {name: text for name, text in FILES.items() if not name.endswith(".py")})
    monkeypatch.chdir(tmp_path)
    words = [".", "sub/unread.txt", "--jobs", "1", "--setting", "shallow", "--csv", "marks.csv", "--junit", "marks.xml"]
    assert main(["verify", *words]) == 1
    shown = capsys.readouterr().out
    rows = [row.split() for row in shown.splitlines()]
    rows = [row for row in rows if row]
    assert [row[1:] for row in rows if "wrong.md" in row[0]] == [["1", "1", "line", "1:", "missing-1/m"]]
    assert "3 files: 1 hold, 1 do not hold, 1 not judged, or not in full. 2 judged: 1 holds, 1 wrong" in shown
    assert "Left out: " in shown
    assert max(map(len, shown.splitlines()[:-2])) <= 120
    with (tmp_path / "marks.csv").open(encoding="utf-8") as stream:
        marks = {Path(row["file"]).name: row for row in csv.DictReader(stream)}
    assert marks["wrong.md"]["place"] == "line 1"
    assert marks["unread.txt"]["message"].startswith("line 1, column")
    assert ElementTree.parse(tmp_path / "marks.xml").getroot().get("failures") == "1"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x = (1\n", "net.py is no Python: line 1: '(' was never closed"),
        ("x = 1\0\n", "net.py is no Python: source code string cannot contain null bytes"),
        ("-" * 100_000 + "x", "net.py is no Python: "),
    ],
)
def test_what_is_no_python_is_not_run(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError) as refused:
        verify_file(tmp_path / "net.py")
    assert str(refused.value).startswith(sentence)


def test_json_has_every_file_with_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written(tmp_path, {"a.txt": RIGHT, "b.txt": "dW1 = (1/m) * dZ1 @ X.T\ndW2 = 3 * wrong_name\n"})
    assert main(["verify", str(tmp_path), "--json", "--jobs", "1"]) == 3
    found_files = json.loads(capsys.readouterr().out)
    assert [Path(each["source"]).name for each in found_files] == ["a.txt", "b.txt"]
    assert all({"lines", "summary", "problem"} <= each.keys() for each in found_files)


FORWARD = "z = X @ w + c\na = 1 / (1 + np.exp(-z))\n"
BACKWARD = "dz = a - y\ndw = X.T @ dz / m\ndc = np.sum(dz) / m\n"


@pytest.mark.parametrize(
    ("text", "code", "left"),
    [
        (FORWARD + BACKWARD, 3, "whether J is the squared error of a and y"),
        (FORWARD + "J = -np.mean(y * np.log(a) + (1 - y) * np.log(1 - a))\n" + BACKWARD, 0, "none"),
        ("a = X @ w + c\n" + BACKWARD, 0, "none"),
        ("a = X @ w + c\n" + BACKWARD.replace(" / m", ""), 3, "whether J is an average"),
        (
            "dZ2 = (A2 - Y) * g2'(Z2)\ndW2 = (1/m) * dZ2 @ A1.T\ndb2 = dZ2.mean(axis=1, keepdims=True)\n",
            3,
            "whether J is that of setting shallow",
        ),
    ],
)
def test_what_holds_under_one_of_two_usual_costs_is_not_all_that_was_asked(
    text: str, code: int, left: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, {"a.txt": text, "b.txt": RIGHT})
    assert main(["verify", str(tmp_path / "a.txt")]) == code
    assert f"3 judged: 3 hold; not judged: {left}." in " ".join(capsys.readouterr().out.split())
    assert main(["verify", str(tmp_path), "--jobs", "1", "--quiet"]) == code


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--jobs", "0"], "jobs is 0, expected 1 or more"),
        (["--csv", "nowhere/a.csv"], "--csv is nowhere/a.csv, expected a file in a folder that is there"),
        (["--junit", "."], "--junit is ., expected a file in a folder that is there"),
    ],
)
def test_flags_are_refused_before_anything_is_judged(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", RIGHT, *words]) == 2
    assert capsys.readouterr().err == f"python -m parity_tests: {sentence}\n"


class Crashing(type(Path())):  # type: ignore[misc]
    """A file that ends the process that looks at it."""

    @property
    def suffix(self) -> Any:
        os._exit(3)


@pytest.mark.slow
def test_a_crash_ends_no_other_file(tmp_path: Path) -> None:
    unread = [tmp_path / f"{number}.txt" for number in range(3)]
    paths: list[Any] = [unread[0], Crashing(tmp_path / "crash.txt"), *unread[1:]]
    rows = list(answers(paths, Options(), 2))
    assert [Path(row.file).name for row in rows] == ["0.txt", "crash.txt", "1.txt", "2.txt"]
    assert rows[1].problem == "crash.txt ended the process that judged it"
    assert all("No such file" in row.problem for row in (*rows[:1], *rows[2:]))


def line(number: int, verdict: str, message: str = "", cause: str = "") -> Verdict:
    left = not_judged("dW", number, f"dW = line {number}\x00", message)
    return left._replace(verdict=verdict, cause=cause)


def of_lines(*lines: Verdict) -> Judged:
    return Judged("", Cost(""), "", "", (), lines, summarised(lines))


ANSWERS = [
    Answer("a.py", of_lines(line(1, HOLDS), line(2, WRONG, "it is <wrong> & \x01bad\nrepair", "missing-1/m"))),
    Answer("b.py", of_lines(line(1, HOLDS), line(1, HOLDS), line(2, NOT_JUDGED, "why"), line(3, CANNOT_TELL, "x"))),
    Answer("c.py", None, "c.py could not be run"),
]


def test_junit_has_a_case_a_line_and_its_counts_fit(tmp_path: Path) -> None:
    write_junit(ANSWERS, tmp_path / "j.xml")
    root = ElementTree.parse(tmp_path / "j.xml").getroot()
    assert root.tag == "testsuites"
    for each, inside in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped"), ("tests", "testcase")):
        assert [int(suite.get(each, "")) for suite in root] == [len(list(suite.iter(inside))) for suite in root]
        assert root.get(each) == str(len(list(root.iter(inside))))
    cases = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(set(cases)) == len(cases) == 7
    failure = next(root.iter("failure"))
    assert failure.get("message") == "it is <wrong> & ?bad"
    assert failure.text == "it is <wrong> & ?bad\nrepair"
    assert next(root.iter("error")).get("message") == "c.py could not be run"


def test_csv_has_a_row_a_file_with_what_is_wrong_first(tmp_path: Path) -> None:
    write_csv(ANSWERS, tmp_path / "m.csv")
    with (tmp_path / "m.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["file"], row["wrong"], row["place"], row["cause"]) for row in rows] == [
        ("a.py", "1", "line 2", "missing-1/m"),
        ("b.py", "0", "line 3", "cannot tell"),
        ("c.py", "0", "", "c.py could not be run"),
    ]
    assert rows[0]["message"].endswith("\nrepair")


def test_a_cost_in_the_names_of_code_says_nothing_of_the_note_beside_it(tmp_path: Path) -> None:
    note = tmp_path / "note.md"
    note.write_text("$$dZ^{[2]} = A^{[2]} - Y$$")
    notebook = tmp_path / "net.ipynb"
    cell = {"cell_type": "markdown", "metadata": {}, "source": note.read_text()}
    notebook.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    with pytest.raises(ValueError, match=r"cost is 'np\.mean"):
        Flags(cost="np.mean(out)").options([note])
    told = Flags(cost="np.mean(out)").options([notebook])
    assert told.told is not None
    assert (told.cost, told.told.cost) == ("np.mean(out)", "")
    named = Flags(cost="squared_error").options([note])
    assert named.told is not None
    assert named.told.cost == "squared_error"
