"""What no docstring may do to the notes' notation."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from parity_tests.tests.test_imports import files

SPOILT = re.compile(r"(?!N[0-9])([BCDEFGHIKMNOQRSTUV]'?[0-9]?|D([ABJLWXZ]|[abw-z])[0-9]?)(\b|_)(?![.]\w|-contiguous)")
"""A small symbol in a capital: u, k, g' and dW as U, K, G' and DW. A, J, L, P, W, X, Y and Z are the notes' own, N0 to
N5 are the notes, and F.pad is torch's.
"""


@pytest.mark.parametrize(
    "word", ["U = eps/2.", "K u / (1 - k u)", "DW = (1/m)", "Db: m terms", "G' of", "V := ", "Dw1"]
)
def test_a_small_symbol_in_a_capital_is_seen(word: str) -> None:
    assert SPOILT.match(word)


@pytest.mark.parametrize(
    "word", ["W - alpha dW", "Do it", "N3's derivation", "dW = ", "A of", "J from", "Divide", "Z1"]
)
def test_the_notes_symbols_and_words_are_let_pass(word: str) -> None:
    assert not SPOILT.match(word)


@pytest.mark.parametrize("package", ["datasets", "manual", "parity_tests", "torch_ref"])
def test_no_docstring_begins_with_a_small_symbol_in_a_capital(package: str) -> None:
    spoilt = [f"{path}: {text:.40}" for path in files(package) for text in docstrings(path) if SPOILT.match(text)]
    assert spoilt == []


def docstrings(path: Path) -> list[str]:
    """Those of a module, its classes and its functions."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    found = [ast.get_docstring(node) for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds)]
    return [text for text in found if text]
