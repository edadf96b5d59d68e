"""Who may import whom, how light the import of ``manual`` is, and what no docstring may do to the notes' notation."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from parity_tests.tests.slices import sliced

ROOT = Path(__file__).parents[2]

CALLED = {"__init__", "__main__", "training", "estimators", "files", "graph"}
"""Modules of manual that people call, which are neither formulas nor networks made of them."""

CHAPTERS = {path.stem for path in (ROOT / "manual").glob("*.py")} - CALLED
"""The formulas, and networks out of formulas: every other module at the top of manual."""

SHARED = {"shared", "layers", "architecture", "architecture_json", "draws", "checks", "files"}
"""What torch_ref may import of manual: it holds no formula."""

STANDARD = set(sys.stdlib_module_names)


@cache
def read(path: Path) -> tuple[set[str], list[str]]:
    """What a file imports, and the docstrings of its module, its classes and its functions."""
    found: set[str] = set()
    texts: list[str | None] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            texts.append(ast.get_docstring(node))
    return found, [text for text in texts if text]


def imports(path: Path) -> set[str]:
    """Every module that a file imports, as dotted names; ``from a import b`` counts as a.b and a."""
    return read(path)[0]


def files(package: str) -> list[Path]:
    """The package's source files."""
    return sorted((ROOT / package).rglob("*.py"))


def tops(path: Path) -> set[str]:
    """The packages that a file imports from, the standard library left out."""
    return {name.split(".")[0] for name in imports(path)} - STANDARD


def taken_of_manual(path: Path) -> set[str]:
    """The modules at the top of manual that a file imports from."""
    return {name.split(".")[1] for name in imports(path) if name.startswith("manual.")}


FORBIDDEN = {
    "manual": {"torch", "torch_ref", "parity_tests", "datasets"},
    "torch_ref": {"parity_tests", "datasets"},
    "datasets": {"manual", "torch_ref", "parity_tests", "torch"},
    "parity_tests": {"datasets"},  # by a statement: it is found where the commands run
}
"""What the files of a package import nothing from."""


@pytest.mark.parametrize("package", sliced(FORBIDDEN, 4))
def test_no_file_imports_what_its_package_must_not(package: str) -> None:
    library = [path for path in files(package) if "tests" not in path.parts]
    assert [path for path in library if tops(path) & FORBIDDEN[package]] == []


def test_chapters_import_numpy_and_other_chapters_alone() -> None:
    paths = [ROOT / "manual" / f"{name}.py" for name in sorted(CHAPTERS)]
    assert [path for path in paths if not tops(path) <= {"numpy", "manual"}] == []
    assert [path for path in paths if not taken_of_manual(path) <= CHAPTERS] == []


def test_torch_ref_takes_no_formula_from_manual() -> None:
    assert [path for path in files("torch_ref") if not taken_of_manual(path) <= SHARED] == []


def test_nothing_imports_a_command() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for package in ("manual", "torch_ref", "parity_tests")
        for path in files(package)
        if "tests" not in path.parts and "commands" not in path.parts
        for name in imports(path)
        if ".commands." in f"{name}."
    }
    assert not found


def test_nothing_but_tests_imports_tests() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for package in ("manual", "torch_ref", "datasets", "parity_tests")
        for path in files(package)
        if "tests" not in path.parts and any(name.startswith("parity_tests.tests") for name in imports(path))
    }
    assert not found


@pytest.mark.slow
def test_what_torch_compile_needs_is_not_imported_by_a_comparison() -> None:
    code = (
        "import sys, parity_tests, parity_tests.comparison.compiled; parity_tests.compare('weight_gradient'); "
        "print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_whoever_has_a_file_judged_leaves_torch_to_the_process_that_judges() -> None:
    code = "import sys; import parity_tests.derivations.own.program_file; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_manual_works_with_torch_absent_and_pulls_in_numpy_alone() -> None:
    code = f"""
import sys
sys.modules["torch"] = None
import manual
import importlib
for name in {sorted(CHAPTERS)!r}:
    importlib.import_module("manual." + name)
heavy = [name for name in ("sklearn", "scipy", "rich", "joblib") if name in sys.modules]
assert not heavy, heavy
from manual import architecture, draws, network
import numpy as np
net = architecture.model("shallow", 2, 1)
params = draws.initial_parameters(net, "xavier", np.random.default_rng(0))
print(network.forward(net, params, np.ones((2, 3))).A[-1].shape)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(1, 3)"


def test_what_verify_calls_does_not_call_it() -> None:
    below = [path for part in ("own", "engine", "settings") for path in files(f"parity_tests/derivations/{part}")]
    assert len(below) > 50
    assert not [path for path in below if "parity_tests.derivations.verify" in imports(path)]


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


@pytest.mark.parametrize("package", sliced(["datasets", "manual", "parity_tests", "torch_ref"], 4))
def test_no_docstring_begins_with_a_small_symbol_in_a_capital(package: str) -> None:
    spoilt = [f"{path}: {text:.40}" for path in files(package) for text in read(path)[1] if SPOILT.match(text)]
    assert spoilt == []
