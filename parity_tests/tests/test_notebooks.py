"""The notebooks that teach: they run from top to bottom, their checks can fail, and no output is kept in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from parity_tests import cli
from parity_tests.tests.slices import sliced

FOLDER = Path(cli.__file__).parent / "notebooks"
NAMES = ("derive_and_check", "from_loops_to_a_gpu", "why_do_they_differ")

SPOILED = {
    "derive_and_check": ('"dW1": dZ1 @ X.T / m', '"dW1": dZ1 @ X.T'),
    "from_loops_to_a_gpu": ("dense.linear_forward(A, W, b)\n", "dense.linear_forward(A, W, b) + 1e-9\n"),
    "why_do_they_differ": ("dZ2 @ W2 * (1 - A1**2)", "dZ2 @ W2"),
}
"""A mistake that one of the notebook's own checks must stop at."""


def cells(name: str, kind: str) -> list[str]:
    data = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
    assert data["nbformat"] == 4
    for cell in data["cells"]:
        assert cell["cell_type"] == "markdown" or (cell["outputs"], cell["execution_count"]) == ([], None)
    return ["".join(cell["source"]) for cell in data["cells"] if cell["cell_type"] == kind]


def run(code: list[str]) -> None:
    """Run the cells as a notebook does: one after the other, among the same names."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(code, 1):
        exec(compile(cell, f"cell {number}", "exec"), names)


def test_every_notebook_is_known_and_short() -> None:
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(NAMES)
    for name in NAMES:
        code, text = cells(name, "code"), cells(name, "markdown")
        assert len(code) + len(text) <= 15
        assert sum(cell.count("\n") + 1 for cell in code) < 90
        assert text[0].startswith("# ")
        assert any(cell.startswith("**Try:**") for cell in text)
        assert any("assert " in cell for cell in code)


@pytest.mark.parametrize("name", sliced(NAMES, 3))
def test_a_notebook_runs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(cells(name, "code"))
    assert capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_a_mistake_in_a_notebook_stops_it(name: str) -> None:
    right, wrong = SPOILED[name]
    code = cells(name, "code")
    assert any(right in cell for cell in code)
    with pytest.raises(AssertionError):
        run([cell.replace(right, wrong) for cell in code])
