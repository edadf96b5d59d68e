"""The index: every formula has its line, every formula function its id, every id its case, and stale links are seen."""

from __future__ import annotations

import inspect
import json
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest

from parity_tests.cli import main
from parity_tests.formulas import CASES, FORMULAS, index
from parity_tests.formulas.formula import Code as RecordedCode
from parity_tests.formulas.index import Code, all_codes, current_problems, entries, ids_in, problems, read_codes
from parity_tests.formulas.index_exceptions import NO_CASE, NO_FORMULA
from parity_tests.notes.lines import LINES

CASED = {case.id: case.formulas for case in CASES}


def by_id(name: str) -> index.Entry:
    """The formula of that id."""
    return next(entry for entry in entries() if entry.id == name)


def test_the_links_are_in_order() -> None:
    assert current_problems() == []


def test_every_formula_of_the_notes_has_its_line() -> None:
    assert list(LINES) == [f"F{number:03}" for number in range(1, 267)]
    place = re.compile(r"N[0-4] L\d+(-\d+)?(, \d+(-\d+)?)*")
    for line in LINES.values():
        assert all(place.fullmatch(part) for part in line.source.split("; "))
        assert 0 < len(line.text) <= 60


def test_a_formula_leads_to_its_code_and_cases() -> None:
    entry = by_id("F053")
    assert entry.source == "N0 L218-222; N3 L179; N4 L150"
    code = {each.name: each for each in entry.code}
    assert code["dense.weight_gradient"].loop == "dense.weight_gradient_loop"
    assert code["dense.weight_gradient"].torch == "dense.weight_gradient"
    assert {"dense.weight_gradient", "logistic_regression.propagate"} <= set(entry.cases)
    assert [code.name for code in by_id("F044").code] == ["notation"]
    assert "optimizers.gradient_descent" in {code.torch for code in by_id("F029").code}
    assert by_id("F100").code == ()


@pytest.mark.parametrize("code", [code for code in all_codes() if "." in code.name], ids=lambda code: code.name)
def test_what_the_index_names_can_be_imported(code: Code) -> None:
    for package, name in (("manual", code.name), ("manual", code.loop), ("torch_ref", code.torch)):
        if name:
            named = pkgutil.resolve_name(f"{package}.{name}")
            assert callable(named) or inspect.ismodule(named)


@pytest.mark.parametrize(
    ("docstring", "ids"),
    [
        ("Notes: F098, F100-F102.", ("F098", "F100", "F101", "F102")),
        ("Notes: F098,\n    F099. Differs from F100.", ("F098", "F099")),
        ("Notes: F247 (the recipe's p, F248).", ("F247",)),
        ("Notes: F7.", ("F7",)),
        ("Formula F098.", ()),
        (None, ()),
    ],
)
def test_ids_are_read_from_docstrings(docstring: str | None, ids: tuple[str, ...]) -> None:
    assert ids_in(docstring) == ids


@pytest.mark.parametrize("code", [code for formula in FORMULAS for code in formula.code], ids=lambda code: code.name)
def test_the_ids_of_a_record_are_those_of_the_docstring(code: RecordedCode) -> None:
    assert code.notes == ids_in(inspect.getdoc(pkgutil.resolve_name(f"manual.{code.name}")))


@pytest.fixture
def packages(tmp_path: Path) -> tuple[Path, Path]:
    """One module by hand and its counterpart."""
    for name in ("by_hand", "in_torch"):
        (tmp_path / name).mkdir()
    (tmp_path / "by_hand" / "chapter.py").write_text(
        '''"""Notes: F001, F002."""
def formula_loop(x):
    """See formula."""
def formula(x):
    """Notes: F001."""
def check_x(x):
    """No formula."""
def forgotten(x):
    """No id."""
def alone_loop(x):
    """The loop form of nothing."""
class Rule:
    """An optimiser."""
    def step(self):
        """One step."""
class Bundle:
    """Data."""
def _inner(x):
    """Private."""
'''
    )
    (tmp_path / "by_hand" / "files.py").write_text("def main():\n    pass\n")
    (tmp_path / "in_torch" / "chapter.py").write_text("formula = print\ndef rule():\n    pass\n_inner = print\n")
    return tmp_path / "by_hand", tmp_path / "in_torch"


def test_code_is_read_from_the_sources(packages: tuple[Path, Path]) -> None:
    codes = {code.name: code for code in read_codes(*packages)}
    assert codes["chapter.formula"] == Code(
        "chapter.formula", ("F001",), "chapter.formula_loop", "chapter.formula", True
    )
    assert codes["chapter.Rule"].torch == "chapter.rule"
    assert codes["chapter"].ids == ("F002",)
    assert {name for name, code in codes.items() if code.needs_id} == {
        "chapter.formula",
        "chapter.forgotten",
        "chapter.alone_loop",
        "chapter.Rule",
    }
    assert "files" not in codes
    assert "chapter._inner" not in codes


def test_a_formula_function_without_an_id_is_seen(packages: tuple[Path, Path]) -> None:
    codes = read_codes(*packages)
    cases = {"a": "F001", "b": "F002"}
    sentences = [
        f"chapter.{name} names no formula: expected Notes: F... in its docstring"
        for name in ("Rule", "alone_loop", "forgotten")
    ]
    assert problems(codes, cases, {}, {}) == sentences
    assert problems(codes, cases, {"no need": "chapter.Rule chapter.alone_loop chapter.forgotten"}, {}) == []


FORMULA = Code("chapter.formula", ("F001",), "", "", True)


@pytest.mark.parametrize(
    ("codes", "cases", "tables", "sentence"),
    [
        ([FORMULA], {}, ({}, {}), "F001 of chapter.formula has no case: expected one, or a reason in NO_CASE"),
        (
            [FORMULA._replace(ids=("F267",))],
            {"a": "F267"},
            ({}, {}),
            "a names F267, expected one of F001 to F266: the notes have no other",
        ),
        ([FORMULA], {"a": "F001 F7"}, ({}, {}), "a names F7, expected one of F001 to F266: the notes have no other"),
        ([FORMULA], {"a": "F001"}, ({}, {"r": "F001"}), "NO_CASE excuses F001, which needs no excuse"),
        ([FORMULA], {"a": "F001"}, ({}, {"r": "F002"}), "NO_CASE excuses F002, which needs no excuse"),
        (
            [FORMULA],
            {"a": "F001"},
            ({"r": "chapter.formula"}, {}),
            "NO_FORMULA excuses chapter.formula, which needs no excuse",
        ),
        (
            [FORMULA],
            {"a": "F001"},
            ({"r": "chapter.gone"}, {}),
            "NO_FORMULA excuses chapter.gone, which needs no excuse",
        ),
    ],
)
def test_stale_links_are_seen(
    codes: list[Code], cases: dict[str, str], tables: tuple[dict[str, str], dict[str, str]], sentence: str
) -> None:
    assert problems(codes, cases, *tables) == [sentence]


def test_every_excuse_is_needed() -> None:
    codes = all_codes()
    for table, place in ((NO_FORMULA, 2), (NO_CASE, 3)):
        for reason, names in table.items():
            for name in names.split():
                less = {**table, reason: " ".join(each for each in names.split() if each != name)}
                tables: list[Any] = [codes, CASED, NO_FORMULA, NO_CASE]
                tables[place] = less
                assert len(problems(*tables)) == 1


def test_an_excuse_that_names_a_test_file_names_one_that_exists() -> None:
    named = {word for reason in NO_CASE for word in re.findall(r"[\w/]*test_\w+", reason)}
    assert named
    assert all((Path(__file__).parents[1] / f"{name}.py").exists() for name in named)


def test_the_command_shows_every_formula(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["index"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in LINES)
    assert "…" not in shown
    assert "\x1b" not in shown
    assert shown.splitlines()[-1].startswith("266 formulas, ")


def test_text_selects_by_id_text_function_and_case(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = {}
    for text in ("F098", "tanh, upside down", "softmax_backward", "theory.parity_tree"):
        assert main(["index", "-k", text, "--json"]) == 0
        chosen[text] = [entry["id"] for entry in json.loads(capsys.readouterr().out)["formulas"]]
    assert chosen == {
        "F098": ["F098"],
        "tanh, upside down": ["F126"],
        "softmax_backward": ["F247"],
        "theory.parity_tree": ["F191", "F192"],
    }


def test_json_has_every_link(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["index", "-k", "F190", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["problems"] == []
    (formula,) = report["formulas"]
    assert formula.keys() == {"id", "source", "text", "code", "cases"}
    assert formula["code"][0] == {
        "name": "dense.input_gradient",
        "ids": ["F099", "F170", "F190"],
        "loop": "dense.input_gradient_loop",
        "torch": "dense.input_gradient",
        "needs_id": True,
    }


def test_a_broken_link_gives_exit_code_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(index, "NO_FORMULA", {})
    for words in (["index", "-k", "F001"], ["index", "-k", "F001", "--json"]):
        assert main(words) == 1
        assert "notation.plus names no formula" in capsys.readouterr().out


def test_bad_usage_gives_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["index", "-k", "F267"]) == 2
    assert "-k is 'F267', expected part of an id, a text, a function or a case" in capsys.readouterr().err


def test_help_has_examples_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["index", "--help"])
    assert stopped.value.code == 0
    shown = capsys.readouterr().out
    assert "examples:" in shown
    assert "exit code: 0" in shown
