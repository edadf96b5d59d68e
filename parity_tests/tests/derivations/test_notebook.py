"""Notebooks are read as one program: what is no Python is left out and said, and places are named by cell and line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from parity_tests.cli import main
from parity_tests.derivations.engine.python.judged import judge_notebook
from parity_tests.derivations.own.notebook import Notebook, read_notebook
from parity_tests.derivations.verdicts import HOLDS, NOT_JUDGED, WRONG, Judged

IMPORTS = "%matplotlib inline\nimport numpy as np\n!pip install numpy\nimport matplotlib.pyplot as plt"
FUNCTIONS = "def sigmoid(z):\n    return 1 / (1 + np.exp(-z))\n\ndef broken(z):\n    return z.nothing"
DATA = """\
np.random.seed(2)
X = np.random.randn(3, 8)
Y = (X[:1] > 0) * 1.0
W1, b1 = np.random.randn(5, 3), np.zeros((5, 1))
W2, b2 = np.random.randn(1, 5), np.zeros((1, 1))"""
TRAINING = """\
%%time
for i in range(100):
    Z1 = W1 @ X + b1
    A1 = np.tanh(Z1)
    A2 = sigmoid(W2 @ A1 + b2)
    cost = -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))
    dZ2 = (A2 - Y) / 8
    dW2 = dZ2 @ A1.T
    db2 = dZ2.sum(axis=1, keepdims=True)
    dZ1 = W2.T @ dZ2 * (1 - A1 ** 2)
    dW1 = dZ1 @ X.T
    db1 = dZ1.sum(axis=1, keepdims=True)
    W1, b1, W2, b2 = W1 - dW1, b1 - db1, W2 - dW2, b2 - db2
plt.plot([1, 2])
display(cost)
W1.shape?"""


def cells(*code: str, texts: Sequence[str] = ()) -> dict[str, Any]:
    made: list[dict[str, Any]] = [{"cell_type": "markdown", "source": text} for text in texts]
    made += [
        {"cell_type": "code", "source": each.splitlines(keepends=True), "outputs": [{"data": {"image/png": "xx"}}]}
        for each in code
    ]
    return {"cells": made, "metadata": {"kernelspec": {"language": "python"}}, "nbformat": 4}


def notebook(folder: Path, data: Any) -> Notebook:
    file = folder / "net.ipynb"
    file.write_text(data if isinstance(data, str) else json.dumps(data), encoding="utf-8")
    return read_notebook(file)


def judged(folder: Path, *code: str) -> Judged:
    return judge_notebook("net.ipynb", notebook(folder, cells(*code)))


def test_a_notebook_is_judged_by_its_cells_and_those_that_fail_are_named(tmp_path: Path) -> None:
    wrong = TRAINING.replace(" * (1 - A1 ** 2)", "")
    found = judged(tmp_path, IMPORTS, FUNCTIONS, DATA, "q = 1\nbroken(X)\nr = 2", "no python", "%%bash\nls", wrong)
    left = {(line.cell, line.line): line.message for line in found.lines if line.verdict == NOT_JUDGED}
    assert left == {
        (4, 2): "AttributeError in cell 2, line 5: nothing; the rest of the cell is left out",
        (5, 1): "SyntaxError: invalid syntax; the cell is left out",
    }
    mistakes = [line for line in found.lines if line.verdict == WRONG]
    assert [line.place for line in mistakes] == ["cell 7, line 10"]
    assert mistakes[0].message.endswith("Once it is right, cell 7, line 11; cell 7, line 12 hold too.")
    assert (found.cost.cell, found.cost.line) == (7, 6)
    assert "left out: lines for ipython or the shell in cell 1 (2), cell 7 (2)." in found.notes[0].lower()
    assert found.notes[1] == "Left out: cell 6, not in Python."


def test_a_right_notebook_holds(tmp_path: Path) -> None:
    found = judged(tmp_path, IMPORTS, FUNCTIONS, DATA, TRAINING)
    assert {line.verdict for line in found.lines} == {HOLDS}
    assert found.summary.holds >= 6


def test_functions_alone_are_named_where_nothing_can_be_judged(tmp_path: Path) -> None:
    found = judged(tmp_path, FUNCTIONS)
    assert found.summary.judged == 0
    assert [(line.cell, line.line) for line in found.lines] == [(1, 1), (1, 4)]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("a = 1\n%cd x\nb = 2", "a = 1\npass\nb = 2"),
        ("if a:\n    !ls\nb = 2", "if a:\n    pass\nb = 2"),
        ("files = !ls\nb = 2", "pass\nb = 2"),
        ("np.dot??", "pass"),
        ("?np.dot", "pass"),
        ("%time x = f(3)\n%load_ext a", "x = f(3)\npass"),
        ('text = """\n%d of\n!"""', 'text = """\n%d of\n!"""'),
        ("a = b \\\n  % c", "a = b \\\n  % c"),
        ("%%javascript\nlet a = 1;", "\n"),
        ("%%capture\nx = 1", "pass\nx = 1"),
        ("return 3", ""),
        ("await f()", ""),
        ("from __future__ import division\nx = 1", "\nx = 1"),
    ],
)
def test_lines_for_ipython_are_left_out_in_their_places(source: str, text: str, tmp_path: Path) -> None:
    assert notebook(tmp_path, cells(source)).text == text


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ('{"cells": [', "it is no notebook, expected JSON: "),
        ("[1, 2]", 'it is no notebook, expected JSON with "cells"'),
        ('{"cells": 3}', 'it is no notebook, expected JSON with "cells"'),
        ("[" * 100_000, "it is no notebook, expected JSON: "),
        (cells(), "it has no code cells"),
        ({**cells("x = 1"), "metadata": {"kernelspec": {"language": "R"}}}, "it is a notebook in r, expected Python"),
    ],
)
def test_what_is_no_notebook_is_refused(data: Any, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError) as refused:
        notebook(tmp_path, data)
    assert str(refused.value).startswith(sentence)


def test_the_old_format_is_read(tmp_path: Path) -> None:
    old = {"worksheets": [{"cells": [{"cell_type": "code", "input": ["x = 1\n", "y = 2"]}]}], "nbformat": 3}
    assert notebook(tmp_path, old).text == "x = 1\ny = 2"


def test_markdown_is_counted(tmp_path: Path) -> None:
    assert notebook(tmp_path, cells("x = 1", texts=["# a", "$x$"])).notes == ("2 markdown cells: notes, not read.",)


def test_a_notebook_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "net.ipynb").write_text('{"cells": 3}', encoding="utf-8")
    assert main(["verify", str(tmp_path / "net.ipynb")]) == 2
    assert capsys.readouterr().err == (
        'python -m parity_tests: net.ipynb: it is no notebook, expected JSON with "cells"\n'
    )
