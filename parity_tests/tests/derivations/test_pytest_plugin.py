"""The fixture of the pytest plugin: what it takes, and what a failing test prints."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

PLUGIN = "parity_tests.pytest_plugin"
PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"

TESTS = """
from pathlib import Path
import numpy as np
import pytest

def forward(X, W):
    return X @ W, (X, W)

def backward(dout, cache):
    X, W = cache
    return dout @ W.T, X.T @ dout

def backward_wrong(dout, cache):
    X, W = cache
    return dout @ W.T, X.T @ dout + W

def test_right(verify_derivation):
    verify_derivation("dW1 = (1/m) * dZ1 @ X.T", "shallow")

def test_right_functions(verify_derivation):
    verify_derivation(forward, backward)

def test_wrong_file(verify_derivation, tmp_path):
    file = tmp_path / "mine.txt"
    file.write_text("dZ2 = A2 - Y\\ndW2 = (1/m) * dZ2 @ A1")
    verify_derivation(file, "shallow")

def test_wrong(verify_derivation):
    verify_derivation("dW1 = dZ1 @ X.T", "shallow")

def test_wrong_functions(verify_derivation):
    verify_derivation(forward, backward_wrong)

def test_no_text(verify_derivation):
    verify_derivation("dW1 = (", "shallow")

def test_wrong_file_by_its_name(verify_derivation, tmp_path):
    file = tmp_path / "named.txt"
    file.write_text("dZ2 = Y - A2")
    verify_derivation(str(file), "shallow")

def test_no_file(verify_derivation):
    verify_derivation("nowhere.txt")
"""


def test_the_fixture_fails_a_test_with_line_cause_and_repair_alone(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TESTS)
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", PLUGIN)
    done.assert_outcomes(passed=2, failed=6)
    done.stdout.fnmatch_lines(
        [
            "*line 2: dW2 = (1/m) * dZ2 @ A1  wrong [[]transpose-missing]*",
            "*line 1: dW1 = dZ1 @ X.T  wrong [[]missing-1/m]*",
            "*dW1 is m = * times too large everywhere: the average over the examples is missing*",
            "*line 14: return dout @ W.T, X.T @ dout + W  wrong*",
            "*line 1: dZ2 = Y - A2  wrong [[]sign]*",
            "*No such file or directory: 'nowhere.txt'*",
        ]
    )
    shown = done.stdout.str()
    assert "parity_tests" not in shown
    assert "Error" not in shown


def test_pytest_finds_the_plugin_by_itself_under_the_name_of_its_module() -> None:
    found = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["entry-points"]["pytest11"]
    assert found == {PLUGIN: PLUGIN}
