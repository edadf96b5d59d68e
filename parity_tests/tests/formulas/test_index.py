"""The index: every formula has its line, every function its record, every id its case, and stale links are seen."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import manual
import manual.recipe
from parity_tests.cli import main
from parity_tests.commands import index as command
from parity_tests.formulas import FORMULAS, index
from parity_tests.formulas.formula import LOOP, Code, Formula, Words
from parity_tests.formulas.index import entries, problems
from parity_tests.notes.run import ROWS

CODES = [code for formula in FORMULAS for code in formula.code]

WITHOUT_FORMULAS = (
    "__main__",
    "architecture_json",
    "checks",
    "estimators",
    "files",
    "graph",
    "layer_words",
    "workspace",
)
"""Modules at the top of manual that hold no formula of the notes, or none of their own."""

WITHOUT_RECORD = {
    "an addition that saves memory": "notation.plus",
    "the inputs of an experiment": "theory.all_inputs",
    "the step that the optimisers share": "optimizers.Rule",
    "a part of what is given": "architecture.model_for network.example",
    "how a learner keeps examples, parameters and states": "training.Learner training.columns training.flattened "
    "training.gather training.in_rows training.joined training.split training.unflattened training.weighed",
    "a part of a step of the recipe": "recipe.run.activations recipe.run.backend "
    "recipe.search.at_upper_edge recipe.search.chance_of recipe.search.chosen "
    "recipe.search.trial recipe.steps.judged recipe.steps.small_parameters",
    "what the notes leave out, compared beside what they have": "clipping.clip_by_norm schedules.constant",
}
"""Functions without a record, by reason."""

IDS = re.compile(r"Notes:\s+(F\d+(?:-F\d+)?(?:,\s+F\d+(?:-F\d+)?)*)")
"""Ids and ranges of ids, as docstrings have them: F098, F168-F172."""


def ids_in(docstring: str | None) -> tuple[str, ...]:
    """The ids of the formulas that a docstring names, ranges written out."""
    found = IDS.search(docstring or "")
    ids: list[str] = []
    for part in re.split(r",\s+", found[1]) if found else ():
        first, _, last = part.partition("-")
        ids += [f"F{number:03}" for number in range(int(first[1:]), int((last or first)[1:]) + 1)]
    return tuple(ids)


def functions() -> dict[str, Any]:
    """The public functions and the optimisers of the modules that hold formulas, by name."""
    names = [
        f"{package.__name__}.{info.name}"
        for package in (manual, manual.recipe)
        for info in pkgutil.iter_modules(package.__path__)
        if not info.ispkg and info.name not in WITHOUT_FORMULAS
    ]
    found = {}
    for module in map(importlib.import_module, names):
        for name, value in vars(module).items():
            own = getattr(value, "__module__", "") == module.__name__
            if own and not name.startswith(("_", "check_")) and (inspect.isfunction(value) or hasattr(value, "step")):
                found[f"{module.__name__.removeprefix('manual.')}.{name}"] = value
    return found


def test_the_links_are_in_order() -> None:
    assert problems() == []


def test_every_function_has_a_record() -> None:
    found = functions()
    recorded = {name for code in CODES for name in (code.name, code.in_loops)}
    excused = {name for names in WITHOUT_RECORD.values() for name in names.split()}
    loops = {name for name in found if name.removesuffix(LOOP) in found.keys() - {name}}
    assert found.keys() - recorded - loops == excused


def test_every_formula_of_the_notes_has_its_line() -> None:
    assert [row.id for row in ROWS] == [f"F{number:03}" for number in range(1, 267)]
    place = re.compile(r"N[0-4] L\d+(-\d+)?(, \d+(-\d+)?)*")
    for row in ROWS:
        assert all(place.fullmatch(part) for part in row.source.split("; "))
        assert 0 < len(row.topic) <= 60


def test_a_record_names_what_it_calls_and_has_the_ids_of_the_docstring() -> None:
    for code in CODES:
        for field, name in {"manual": code.name, "loop": code.in_loops, "torch": code.in_torch}.items():
            if name:
                package = "torch_ref" if field == "torch" else "manual"
                function = pkgutil.resolve_name(f"{package}.{name}")
                assert getattr(code, field) in (function, None), code.name
        named = pkgutil.resolve_name(f"manual.{code.name}")
        cited = ids_in(inspect.getdoc(named))
        assert set(code.ids) <= set(cited) if inspect.ismodule(named) else code.ids == cited, code.name


@pytest.mark.parametrize(
    ("docstring", "ids"),
    [
        ("Notes: F098, F100-F102.", ("F098", "F100", "F101", "F102")),
        ("Notes: F098,\n    F099. Differs from F100.", ("F098", "F099")),
        ("Notes: F247 (the recipe's p, F248).", ("F247",)),
        ("Formula F098.", ()),
        (None, ()),
    ],
)
def test_ids_are_read_from_docstrings(docstring: str | None, ids: tuple[str, ...]) -> None:
    assert ids_in(docstring) == ids


def test_a_formula_leads_to_its_code_and_cases() -> None:
    by_id = {entry.id: entry for entry in entries()}
    entry = by_id["F053"]
    assert entry.source == "N0 L218-222; N3 L179; N4 L150"
    code = {each.name: each for each in entry.code}
    assert code["dense.weight_gradient"].in_loops == "dense.weight_gradient_loop"
    assert code["dense.weight_gradient"].in_torch == "dense.weight_gradient"
    assert {"dense.weight_gradient", "logistic_regression.propagate"} <= set(entry.cases)
    assert [code.name for code in by_id["F044"].code] == ["notation"]
    assert "optimizers.gradient_descent" in {code.in_torch for code in by_id["F029"].code}
    assert by_id["F100"].code == ()


CASE = FORMULAS[0].cases[0]
RECORD = Formula((Code("chapter.formula", "F001"),), Words("", "", "", "", ""))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda record: record, "F001 of chapter.formula has no case: expected one, or a reason in uncompared"),
        (
            lambda record: replace(record, cases=(replace(CASE, id="a", formulas="F001 F7"),)),
            "a names F7, expected one of F001 to F266: the notes have no other",
        ),
        (
            lambda record: replace(
                record, code=(Code("chapter.formula", "F267"),), cases=(replace(CASE, id="a", formulas="F267"),)
            ),
            "a names F267, expected one of F001 to F266: the notes have no other",
        ),
        (
            lambda record: replace(record, cases=(replace(CASE, formulas="F001"),), uncompared={"F001": "a reason"}),
            "chapter.formula says why F001 has no case, which needs no reason",
        ),
        (
            lambda record: replace(record, uncompared={"F001 F002": "a reason"}),
            "chapter.formula says why F002 has no case, which needs no reason",
        ),
    ],
)
def test_stale_links_are_seen(change: Callable[[Formula], Formula], sentence: str) -> None:
    assert problems([change(RECORD)]) == [sentence]


def test_a_reason_that_names_a_test_file_names_one_that_exists() -> None:
    reasons = [reason for formula in FORMULAS for reason in formula.uncompared.values()]
    named = {word for reason in reasons for word in re.findall(r"[\w/]*test_\w+", reason)}
    assert named
    assert all((Path(__file__).parents[1] / f"{name}.py").exists() for name in named)


def test_the_command_shows_every_formula(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["index"]) == 0
    shown = capsys.readouterr().out
    assert all(row.id in shown for row in ROWS)
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
    }


def test_a_broken_link_gives_exit_code_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "problems", lambda: index.problems([RECORD]))
    for words in (["index", "-k", "F001"], ["index", "-k", "F001", "--json"]):
        assert main(words) == 1
        assert "F001 of chapter.formula has no case" in capsys.readouterr().out


def test_bad_usage_gives_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["index", "-k", "F267"]) == 2
    assert "-k is 'F267', expected part of an id, a text, a function or a case" in capsys.readouterr().err
