"""Repairs in the writer's own lines: shown as a diff, and written into a copy that is verified again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from parity_tests.cli import main
from parity_tests.derivations.changes import Change, change_of, put_in
from parity_tests.derivations.own import fixed
from parity_tests.derivations.own.answers import Options
from parity_tests.derivations.verdicts import HOLDS, WRONG, Judged
from parity_tests.derivations.verify import verify

NET = """# a network of my own
Z1 = X @ W1 + b1   # N rows
H = np.maximum(0, Z1)
scores = H @ W2 + b2
p = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)
loss = -np.mean(np.log(p[range(N), y]))
dscores = p.copy(); dscores[range(N), y] -= 1
dW2 = H^T @ dscores      # weights
db2 = np.sum(dscores, axis=0)/N
dH = dscores @ W2^T
dZ1 = dH * (Z1 < 0)
dW1 = X^T @ dZ1/N
db1 = np.sum(dZ1, axis=0)/N
"""

FIXED = {
    "dW2 = H^T @ dscores      # weights": "dW2 = H^T @ dscores / N      # weights",
    "dZ1 = dH * (Z1 < 0)": "dZ1 = dH * (Z1 > 0)",
}

PROGRAM = '''import numpy as np

class Net:
    """One hidden layer, two mistakes."""

    def __init__(self, n, h, c):
        rng = np.random.default_rng(0)
        self.W1, self.W2 = rng.normal(size=(n, h)), rng.normal(size=(h, c))

    def loss(self, X, y):
        N = X.shape[0]
        self.a1 = np.tanh(X @ self.W1)
        out = self.a1 @ self.W2
        loss = 0.5*np.sum((out - y)**2)/N
        d = (out - y)
        self.dW2 = d.T @ self.a1/N  # turned
        dh = d @ self.W2.T*(1 - self.a1)**2
        self.dW1 = X.T @ dh/N
        return loss

net = Net(3, 5, 4)
X, y = np.random.randn(7, 3), np.random.randn(7, 4)
net.loss(X, y)
'''

SHALLOW = """dZ2 = A2 - Y
dW2 = dZ2 @ A1.T   # no average
dZ1 = W2.T @ dZ2 * (1 - A1)**2
dW1 = (1/m)*dZ1 @ X
"""


def wrong(judged: Judged) -> list[str]:
    return [row for line in judged.lines if line.verdict == WRONG for each in line.diff for row in each.shown]


def copied(path: Path, *flags: str) -> str:
    assert main(["verify", str(path), "--fix", *flags]) == 1
    return fixed.name_of_copy(path).read_text()


def test_a_change_is_of_the_rows_that_it_names() -> None:
    rows = ["a", "    b = 1", "c"]
    change = change_of(rows, 2, "b = 2\nb /= N")
    assert change == Change(2, ("    b = 1",), ("    b = 2", "    b /= N"))
    assert put_in(rows, [change, Change(1, (), ("first",))]) == ["first", "a", "    b = 2", "    b /= N", "c"]
    assert change.shown == ["- b = 1", "+ b = 2", "+ b /= N"]
    assert change_of(rows, 2, "b = 1\nb /= N").shown == ["+ b /= N"]
    for other in ([change, change_of(rows, 2, "b = 3")], [Change(2, ("b = 1",), ())]):
        with pytest.raises(ValueError, match="line 2 is not as it was, or is changed twice"):
            put_in(rows, other)


def test_a_text_keeps_the_notation_of_its_writer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.txt"
    path.write_bytes(NET.replace("\n", "\r\n").encode())
    text = copied(path)
    said = capsys.readouterr().out
    for old, new in FIXED.items():
        text = text.replace(new, old)
        assert f"- {old}\n        + {new}\n" in said
    assert text == NET
    assert path.read_bytes().count(b"\r\n") == NET.count("\n")
    assert "net.txt:8 it holds with" in said.replace(f"{tmp_path}/", "")
    assert "net.fixed.txt is written, with line 8, line 11 repaired and verified again on 3 seeds" in said
    assert fixed.name_of_copy(path).read_bytes().count(b"\r\n") == NET.count("\n")
    assert [each.name for each in tmp_path.iterdir()].count("net.fixed.txt") == len(list(tmp_path.iterdir())) - 1


def test_greek_primes_and_transposes_stay() -> None:
    text = "Z = W @ X + b\nA = tanh(Z)\nJ = 1/2*np.sum((A − Y)²)\nδ = (A − Y) * g'(Z)\ndW = X @ δ^T # of λ"
    assert wrong(verify(text)) == ["- dW = X @ δ^T # of λ", "+ dW = δ @ X.T # of λ"]
    text = text.replace("g'(Z)\ndW = X @ δ^T", "(1 − A)²; q = 2\ndW = δ @ X^T")
    assert wrong(verify(text)) == ["- δ = (A − Y) * (1 − A)²; q = 2", "+ δ = (A − Y) * (1 - A**2); q = 2"]


def test_in_a_setting_each_statement_changes_in_its_own_row(tmp_path: Path) -> None:
    path = tmp_path / "shallow.txt"
    path.write_text(SHALLOW)
    assert copied(path, "--setting", "shallow").splitlines() == [
        "dZ2 = A2 - Y",
        "dW2 = (1/m) * dZ2 @ A1.T   # no average",
        "dZ1 = W2.T @ dZ2 * (1 - A1**2)",
        "dW1 = (1/m)*dZ1 @ X.T",
    ]
    loop = "db1 = np.zeros((n_1, 1))\nfor i in range(m):\n    db1 += dZ2[:, i:i+1]   # added up\ndb1 = db1 / m"
    new = "+ db1 += dZ1[:, i:i+1]   # added up"
    assert wrong(verify(loop, "shallow")) == ["- db1 += dZ2[:, i:i+1]   # added up", new]
    late = "W1 = W1 - alpha * dW1\ndX = W1.T @ dZ1"
    assert verify(late, "shallow").lines[0].verdict == HOLDS


@pytest.mark.slow
def test_two_mistakes_of_a_program_and_the_copy_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.py"
    path.write_text(PROGRAM)
    assert main(["verify", str(path), "--fix", "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    rest = {"repaired": ["line 16", "line 17"], "left": [], "problem": "", "seeds": 3}
    assert data["fixed"] == {"file": str(tmp_path / "net.fixed.py"), **rest}
    changes = [each for line in data["lines"] for each in line["diff"]]
    assert changes[1]["old"] == ["        dh = d @ self.W2.T*(1 - self.a1)**2"]
    text = (tmp_path / "net.fixed.py").read_text()
    for each in changes:
        text = text.replace("\n".join(each["new"]), "\n".join(each["old"]))
    assert text == path.read_text() == PROGRAM
    assert verify(tmp_path / "net.fixed.py").summary.wrong == 0


def test_a_notebook_keeps_its_cells(tmp_path: Path) -> None:
    data = ["import numpy as np\n", "X, y, W = np.random.randn(7, 3), np.random.randn(7, 2), np.random.randn(3, 2)"]
    formulas = "out = X @ W\nJ = np.mean(np.sum((out - y)**2, axis=1))\ndW = X.T @ (out - y)/7"
    cells: list[dict[str, Any]] = [
        {"cell_type": "markdown", "metadata": {}, "source": "Mine: ∂J"},
        {"cell_type": "code", "metadata": {}, "execution_count": 2, "outputs": [], "source": data},
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": formulas},
    ]
    path = tmp_path / "net.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    found = json.loads(copied(path, "--strict"))["cells"]
    assert found[:2] == cells[:2]
    assert found[2]["source"] == formulas.replace("dW = X.T @ (out - y)/7", "dW = 2 * X.T @ (out - y)/7")


def test_a_note_is_repaired_where_its_equation_stands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "n.md"
    path.write_text(
        "$$Z^{[1]} = W^{[1]} X + b^{[1]}, \\quad A^{[1]} = \\tanh(Z^{[1]})$$\n"
        "$$Z^{[2]} = W^{[2]} A^{[1]} + b^{[2]}, \\quad A^{[2]} = \\sigma(Z^{[2]})$$\n"
        "\\begin{align}\ndZ^{[2]} &= A^{[2]} - Y \\\\\ndW^{[2]} &= \\frac{1}{m}\n    dZ^{[2]} A^{[1]} \\\\\n"
        "dW^{[1]} &= dZ^{[1]} X^T\n\\end{align}\n"
    )
    text = copied(path)
    assert "dW^{[2]} &= \\frac{1}{m} dZ^{[2]} A^{[1] T} \\\\\ndW^{[1]} &= \\frac{1}{m} dZ^{[1]} X^T\n" in text
    assert "verified again; nothing is wrong in it" in " ".join(capsys.readouterr().out.split())


def test_what_cannot_be_repaired_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.txt"
    path.write_text("dZ2 = A2 - Y\ndW2 = dZ2 @ A1.T\ndb2 = m")
    assert "(1/m)" in copied(path, "--setting", "shallow")
    said = " ".join(capsys.readouterr().out.split())
    assert said.endswith("wrong in it is still line 3: no repair is known that can be put in its place.")


def test_a_repair_that_does_not_hold_in_the_copy_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "net.txt"
    path.write_text("dZ2 = A2 - Y\ndW2 = dZ2 @ A1.T\ndb2 = m")
    judged = verify(path.read_text(), "shallow")
    rows = [line._replace(diff=(Change(2, (line.text,), ("dW2 = dZ2",)),) * (line.line == 2)) for line in judged.lines]
    found = fixed.fix(path, judged._replace(lines=tuple(rows)), Options("shallow"))
    assert (found.file, found.repaired) == ("", ())
    assert found.left[0] == ("line 2", "its repair does not hold in the copy")
    assert found.sentence.startswith("No copy is written: no repair was verified (line 2: its repair does not hold")
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        (["dW1 = dZ1 @ X.T"], "--fix writes a copy of a file, got the formula 'dW1 = dZ1 @ X.T'"),
        (["--data", "run.npz"], "--fix writes a copy of a derivation, and --data has none"),
        (["net.txt"], "net.fixed.txt, which is there already: move it, no file is written over"),
        (["net.txt", "--latex"], "--latex has none"),
    ],
)
def test_bad_use_is_one_sentence(
    flags: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.txt").write_text(SHALLOW)
    Path("net.fixed.txt").write_text("mine")
    assert main(["verify", *flags, "--fix"]) == 2
    assert says in " ".join(capsys.readouterr().err.split())
    assert Path("net.fixed.txt").read_text() == "mine"


def test_of_several_files_each_has_its_copy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, text in (("a.txt", SHALLOW), ("b.txt", "dZ2 = A2 - Y"), ("c.txt", SHALLOW)):
        (tmp_path / name).write_text(text)
    (tmp_path / "c.fixed.txt").write_text("mine")
    files = [str(tmp_path / name) for name in ("a.txt", "b.txt", "c.txt")]
    assert main(["verify", *files, "--fix", "--setting", "shallow", "--jobs", "1"]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert sorted(each.name for each in tmp_path.glob("*.fixed.*")) == ["a.fixed.txt", "c.fixed.txt"]
    assert "c.fixed.txt is there already, and no file is written over." in said
    assert (tmp_path / "c.fixed.txt").read_text() == "mine"
