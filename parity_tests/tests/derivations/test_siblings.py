"""Programs in several files: what a file imports from beside it is judged with it, each line in its own file."""

from __future__ import annotations

from pathlib import Path

import pytest

from parity_tests.derivations.engine.python.siblings import joined
from parity_tests.derivations.own.program_file import verify_file
from parity_tests.derivations.verdicts import WRONG

LAYERS = """import numpy as np
from units import relu

class Layer:
    def __init__(self, below, above):
        self.W = np.random.randn(below, above)

    def forward(self, X):
        self.X, self.Z = X, X @ self.W
        return relu(self.Z)

    def backward(self, dA):
        dZ = dA * (self.Z > 0)
        self.dW = self.X.T @ dZ
        return dZ @ self.W.T

if __name__ == "__main__":
    print(1 / 0)
"""
UNITS = "import numpy as np\n\ndef relu(Z):\n    return np.maximum(Z, 0)\n"
MAIN = """import numpy as np
{imports}

X, Y = np.random.randn(8, 3), np.random.randn(8, 4)
first, second = {layer}(3, 5), {layer}(5, 4)
A = second.forward(first.forward(X))
loss = 0.5 * np.sum((A - Y) ** 2) / 8
first.backward(second.backward((A - Y) / 8))
for each in (first, second):
    each.W -= 0.1 * each.dW
"""


def program(
    folder: Path, imports: str = "from layers import Layer", layer: str = "Layer", layers: str = LAYERS
) -> Path:
    """Three files, of which the last is to be judged."""
    (folder / "units.py").write_text(UNITS)
    (folder / "layers.py").write_text(layers)
    main = folder / "train.py"
    main.write_text(MAIN.format(imports=imports, layer=layer))
    return main


@pytest.mark.parametrize(
    ("imports", "layer"),
    [
        ("from layers import Layer", "Layer"),
        ("from layers import (\n    Layer as Dense,\n)", "Dense"),
        ("from layers import *", "Layer"),
        ("import layers as L", "L.Layer"),
        ("import layers", "layers.Layer"),
    ],
)
def test_what_is_imported_is_judged_with_the_file(imports: str, layer: str, tmp_path: Path) -> None:
    found = verify_file(program(tmp_path, imports, layer))
    assert found.notes == ("Judged with what it imports from units.py, layers.py.",)
    assert (found.summary.wrong, found.summary.not_judged) == (0, 0)
    places = {each.place for each in found.lines}
    assert {"layers.py, line 14", f"line {10 + imports.count(chr(10))}"} < places
    assert any(f"line {6 + imports.count(chr(10))})" in each.message for each in found.lines)


def test_a_mistake_is_found_in_the_file_where_it_stands(tmp_path: Path) -> None:
    found = verify_file(program(tmp_path, layers=LAYERS.replace("dA * (self.Z > 0)", "dA")))
    (wrong,) = (each for each in found.lines if each.verdict == WRONG)
    assert (wrong.place, wrong.cause, wrong.diff[0].line) == ("layers.py, line 13", "gprime-missing", 13)
    assert "In layers.py:13 it holds with" in wrong.with_diff("train.py")


@pytest.mark.parametrize(
    "layers",
    [
        LAYERS + "\ndef reset():\n    global X\n",  # it changes a name of its own for all
        LAYERS + "\nX = np.ones(3)\n",  # the program has another X
        LAYERS + "\nit is no Python\n",
        f"{LAYERS}\nnumber = {'(' * 1_000}1{')' * 1_000}\n",
        f"{LAYERS}\nnumber = {'-' * 200_000}1\n",
        "import train\n" + LAYERS,  # it imports the file that imports it
        "import layers\n" + LAYERS,
    ],
)
def test_files_that_cannot_stand_in_one_are_left_apart(layers: str, tmp_path: Path) -> None:
    main = program(tmp_path, layers=layers)
    assert joined(main, main.read_text()).begins == ()
