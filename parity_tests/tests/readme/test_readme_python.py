"""Every block of Python in the README runs, and does what the README says."""

from __future__ import annotations

import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from parity_tests.comparison import run as comparison
from parity_tests.comparison.models import MODEL_CASES, Free
from parity_tests.derivations.verdicts import HOLDS, Verdict
from parity_tests.derivations.verify import verify
from parity_tests.judging.judge import FAILS
from parity_tests.tests.readme.readme_text import blocks

Names = dict[str, Any]
RunBlock = Callable[[str, Names], Names]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunBlock:
    """Runs the block with these words in it, in a folder of its own; gives the names that it leaves."""
    monkeypatch.chdir(tmp_path)

    def run_block(words: str, names: Names) -> Names:
        (block,) = (block for block in blocks("python") if words in block)
        script = tmp_path / "block.py"
        script.write_text(block, encoding="utf-8")
        return runpy.run_path(str(script), init_globals=names)

    return run_block


def test_every_block_is_run_here() -> None:
    """By the words that a test asks for."""
    asked = set(re.findall(r'run\(\s*"([^"]+)"', Path(__file__).read_text(encoding="utf-8")))
    assert [sum(words in block for words in asked) for block in blocks("python")] == [1] * len(blocks("python"))


def test_a_test_of_ones_own(run: RunBlock) -> None:
    judged: list[Verdict] = []
    left = run("def test_my_gradients", {})
    left["test_my_gradients"](lambda text, setting: judged.extend(verify(text, setting).lines))
    assert [verdict.verdict for verdict in judged] == [HOLDS]


def test_any_scalar_function(run: RunBlock, capsys: pytest.CaptureFixture[str]) -> None:
    W, b, x = np.array([[1.0, 2.0]]), np.array([0.5]), np.array([3.0, -1.0])
    given = {"f": lambda W, b: np.sum((W @ x + b) ** 2), "W": W, "b": b}
    right = {"dW": 2 * (W @ x + b)[:, None] * x, "db": 2 * (W @ x + b)}
    run("import check_gradient", {**given, **right})
    assert capsys.readouterr().out.count(" holds (complex step)") == 2
    run("import check_gradient", {**given, **right, "db": right["db"] / 2})
    assert "fails" in capsys.readouterr().out


def test_a_comparison(run: RunBlock, monkeypatch: pytest.MonkeyPatch) -> None:
    short = tuple(case._replace(steps=1, free=Free(1, 20)) for case in MODEL_CASES if case.id == "wide/digits/lambda=0")
    monkeypatch.setattr(comparison, "MODEL_CASES", short)
    X, Y = np.random.default_rng(0).standard_normal((10, 4)), np.arange(10) % 3
    left = run("import compare", {"net": nn.Sequential(nn.Linear(4, 3)), "X": X, "Y": Y})
    assert {result.dtype for result in left["results"]} == {"float32"}
    assert 0 < max(result.ratio for result in left["results"]) <= 1
    assert left["own"]
    assert FAILS not in {result.verdict for result in (*left["results"], *left["own"])}


def test_a_training(run: RunBlock) -> None:
    left = run("from manual.training import", {})
    assert len(left["run"].history) == 5


def test_data_of_ones_own(run: RunBlock) -> None:
    rng = np.random.default_rng(0)
    rows = [f"{a},{a / 2},{a + 0.5}" for a in range(40)]
    Path("houses.csv").write_text("\n".join(["rooms,age,price", *rows]))
    images, classes = rng.integers(0, 256, (60, 4, 4)), np.arange(60) % 3
    np.savez("mnist.npz", x_train=images[:40], y_train=classes[:40], x_test=images[40:], y_test=classes[40:])
    np.save("X.npy", images.astype(np.float64))
    np.save("Y.npy", classes)
    data = run("import from_file", {})["data"]
    assert (data.task, data.image_shape) == ("multiclass", (4, 4, 1))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_among_scikit_learns_tools(run: RunBlock) -> None:
    left = run("RandomizedSearchCV", {})
    assert left["search"].best_score_ > 0.9
