"""Notebooks: what ``%%verify`` says of a cell, and results as tables that show people's text as text."""

from __future__ import annotations

import re
import sys
from html import unescape
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import parity_tests
from parity_tests import check_gradient, html, notebook
from parity_tests.comparison import tables
from parity_tests.comparison.run import Results
from parity_tests.derivations.verdicts import HOLDS, WRONG, against, closing
from parity_tests.judging.judge import CANNOT_TELL, FAILS, Result
from parity_tests.notebook import verify_cell

EARLIER = """
import numpy as np
X = np.random.default_rng(0).standard_normal((20, 3))
y = (X.sum(1, keepdims=True) > 0) * 1.0
W1, b1, W2, b2 = np.zeros((3, 4)), np.zeros((1, 4)), np.zeros((4, 1)), np.zeros((1, 1))

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def backward(A1, A2):
    m = X.shape[0]
    dZ2 = A2 - y
    dW2 = A1.T @ dZ2 / m
    db2 = dZ2.sum(axis=0, keepdims=True)
    dZ1 = dZ2 @ W2.T * (1 - A1**2)
    dW1 = X.T @ dZ1 / m
    return {"dW1": dW1, "dW2": dW2, "db2": db2}
"""

CELL = """%timeit 1
A1 = np.tanh(X @ W1 + b1)
A2 = sigmoid(A1 @ W2 + b2)
J = -np.mean(y * np.log(A2) + (1 - y) * np.log(1 - A2))
grads = backward(A1, A2)
W1 -= 0.1 * grads["dW1"]
"""


def names_of(text: str, file: str) -> dict[str, Any]:
    """What a cell leaves behind, its source where Python looks for that of cells."""
    import linecache

    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    names: dict[str, Any] = {}
    exec(compile(text, file, "exec"), names)
    return names


def test_a_cell_is_judged_among_the_names_of_the_notebook_which_stay() -> None:
    names = names_of(EARLIER, "cell-1")
    judged = verify_cell(CELL, names)
    (wrong,) = [line for line in judged.lines if line.verdict == WRONG]
    assert wrong.text == "db2 = dZ2.sum(axis=0, keepdims=True)"
    assert "dW2 = A1.T @ dZ2 / m" in [line.text for line in judged.lines if line.verdict == HOLDS]
    assert not names["W1"].any()
    assert "grads" not in names
    assert judged.notes == ("Lines from 8 on are those of sigmoid, backward.",)


def test_a_right_cell_holds() -> None:
    judged = verify_cell(CELL, names_of(EARLIER.replace("db2 = dZ2.sum", "db2 = 1 / m * dZ2.sum"), "cell-2"))
    assert {line.verdict for line in judged.lines} == {HOLDS}


def test_formulas_in_a_cell_are_judged_in_a_setting() -> None:
    assert verify_cell("dW1 = dZ1 @ X.T", {}, "shallow").lines[0].cause == "missing-1/m"
    assert verify_cell("dZ1 = W2.T @ dZ2 * g1'(Z1)", {}, "shallow").lines[0].verdict == HOLDS


def test_results_are_tables_that_show_text_as_text() -> None:
    names = names_of(EARLIER, "cell-3")
    shown = verify_cell(
        CELL.replace("J = ", "J = (1 < 2) * ") + 'note = "<script>alert(1)</script>"', names
    )._repr_html_()
    assert "✗ wrong" in shown
    assert html.code("db2 = dZ2.sum(axis=0, keepdims=True) / m") in shown
    assert "(1 &lt; 2)" in shown
    assert "<script>" not in shown
    check = check_gradient(lambda W: np.sum(W**2), {"W": 3 * np.ones(2)}, {"W": np.ones(2)})._repr_html_()
    assert "The gradient fails." in check
    assert "✗ fails" in check


def read(shown: str) -> list[list[str]]:
    """The text of a table as it is seen: the sentences above it, then row by row, each cell with its own text."""
    above = [unescape(each) for each in re.findall(r"<p [^>]*>(.*?)</p>", shown)]
    rows = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", shown)]
    return [above, *[[unescape(re.sub("<[^>]*>", "", cell.replace("<br>", "|"))) for cell in row] for row in rows]]


def aligned(shown: str) -> list[str]:
    """How the columns of a table are aligned, by its heads."""
    return re.findall(r'<th scope="col" style="text-align: (\w+)', shown)


def test_the_table_of_a_check_of_a_gradient() -> None:
    gradient = {"W": np.array([4.0, 4.0]), "b": 2.0}
    check = check_gradient(lambda W, b: np.sum(W**2) + b, gradient, {"W": np.ones(2), "b": 1.0})
    shown = check._repr_html_()
    bad, worst = check.arrays[0], f"{check.arrays[0].ratio:.2g}"
    assert read(shown) == [
        ["The gradient fails."],
        ["array", "verdict", "referee", "why", "worst entry", "got", "expected", "error / bound"],
        ["W", "✗ fails", bad.method, bad.pattern, str(bad.worst_index), "4", "2", worst],
        ["b", "✗ fails", check.arrays[1].method, check.arrays[1].pattern, "", "2", "1", f"{check.arrays[1].ratio:.2g}"],
    ]
    assert bad.pattern
    assert aligned(shown) == ["left"] * 5 + ["right"] * 3
    both = check._replace(arrays=(bad._replace(reason="small <steps>"),), notes=("a note",))._repr_html_()
    assert read(both)[0] == ["The gradient fails.", "a note"]
    assert read(both)[2][3] == f"{bad.pattern}; small <steps>"


def test_the_table_of_a_judged_text() -> None:
    judged = verify_cell("dW1 = dZ1 @ X.T\ndb1 = dZ1.mean(axis=1, keepdims=True)\nq = 1", {}, "shallow")
    twice = judged._replace(lines=(*judged.lines, judged.lines[0]))
    for each in (judged, twice):
        shown = each._repr_html_()
        sentences, *rows = read(shown)
        assert sentences == [*against(judged), closing(judged)]
        assert rows[0] == ["line", "as it is written", "verdict", "what holds", "why"]
        assert [row[0] for row in rows[1:]] == ["line 1", "line 2", "line 3"]
        assert rows[1][1:4] == ["dW1 = dZ1 @ X.T", "✗ wrong|missing-1/m", judged.lines[0].repaired]
        assert rows[1][4] == judged.lines[0].message
        assert rows[2][1:] == ["db1 = dZ1.mean(axis=1, keepdims=True)", "✓ holds", "", ""]
        assert rows[3][1:4] == ["q = 1", "– not judged", ""]
        assert aligned(shown) == ["left"] * 5


def test_no_table_sets_a_ground_or_a_colour_of_its_text() -> None:
    shown = html.table(("a", "b"), [("wrong", ("<i>1</i>", "2"))], 1, ["note < 3"])
    assert "background" not in shown.replace(html.CODE, "")
    assert shown.replace("color: inherit", "").count("color") == 0
    assert "note &lt; 3" in shown
    assert "<i>1</i>" in shown


def test_a_comparison_is_a_table_with_what_fails_first() -> None:
    line = Result(
        "case", "", "", "dW", 1, "float64", "manual/torch", (2,), 1e-16, 1e-15, 0.1, (0,), "holds", 0, 1, "", "derived"
    )
    open_, bad = line._replace(verdict=CANNOT_TELL, reason="too <small>"), line._replace(quantity="<dZ>", layer=None)
    results = Results([line, line._replace(ratio=0.25), open_, bad._replace(verdict=FAILS, ratio=7.0)])
    shown = results._repr_html_()
    assert read(shown) == [
        [tables.closing(results)],
        ["case", "quantity", "layer", "dtype", "pair", "verdict", "error", "bound", "error / bound"],
        ["case", "<dZ>", "", "float64", "manual/torch", "✗ fails", "1e-16", "1e-15", "7"],
        ["case", "dW", "1", "float64", "manual/torch", "? cannot tell|too <small>", "1e-16", "1e-15", "0.1"],
        ["case", "dW", "1", "float64", "manual/torch", "✓ holds", "1e-16", "1e-15", "0.25"],
        ["case", "dW", "1", "float64", "manual/torch", "✓ holds", "1e-16", "1e-15", "0.1"],
    ]
    assert aligned(shown) == ["left"] * 6 + ["right"] * 3
    many = Results([line] * 61)
    assert read(many._repr_html_())[0] == [tables.closing(many), "The 60 worst of 61 lines."]
    assert len(read(many._repr_html_())) == 62
    assert len(read(Results([line] * 60)._repr_html_())[0]) == 1


def test_a_bar_tells_how_much_is_done_in_a_notebook_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert notebook.bar_in_notebook("comparing") is None


def test_the_extension_registers_the_magic() -> None:
    seen: list[Any] = []
    parity_tests.load_ipython_extension(SimpleNamespace(register_magic_function=lambda *given: seen.append(given)))
    assert [(kind, name) for _, kind, name in seen] == [("cell", "verify")]


def test_the_magic_in_a_shell_and_in_a_kernel() -> None:
    pytest.importorskip("IPython", reason="needs IPython: %%verify in a shell")
    from IPython.core.error import UsageError
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "parity_tests")
    shell.run_cell(EARLIER).raise_error()
    judged = shell.run_cell_magic("verify", "", CELL)
    assert [line.text for line in judged.lines if line.verdict == WRONG] == ["db2 = dZ2.sum(axis=0, keepdims=True)"]
    with pytest.raises(UsageError, match="unrecognized arguments: --nonsense"):
        shell.run_cell_magic("verify", "--nonsense", CELL)
    shell.kernel = None
    tell = notebook.bar_in_notebook("comparing")
    assert tell is not None
    tell(1, 2)
