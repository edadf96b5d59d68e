"""What the recipe reaches on the digits, in full: 97% on the test part in under 90 s on two cores, for any seed."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from manual.__main__ import main as by_hand
from torch_ref.__main__ import main as by_torch

pytestmark = pytest.mark.bars


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("main", [pytest.param(by_hand, id="manual"), pytest.param(by_torch, id="torch_ref")])
def test_the_recipe_on_the_digits(main: Callable[..., int], seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipe", "--seed", str(seed), "--jobs", "2", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["seconds"] < 90
    assert report["steps"][-1]["numbers"]["test_score"] >= 0.97
    assert {step["verdict"] for step in report["steps"]} == {"good"}


def test_the_notes_own_fine_ranges(capsys: pytest.CaptureFixture[str]) -> None:
    assert by_hand(["recipe", "--fine", "notes", "--jobs", "2", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    fine = next(step["numbers"] for step in report["steps"] if step["number"] == "8B")
    assert (fine["reg"], fine["learning_rate"]) == ([-4, 0], [-4, -3])
    assert fine["best"][0]["score"] > 0.8


def test_gradient_descent_with_ranges_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["recipe", "--optimizer", "gradient_descent", "--lr-range", "-3", "0", "--reg-range", "-5", "1"]
    assert by_hand([*words, "--jobs", "2", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["steps"][-1]["numbers"]["test_score"] >= 0.97
