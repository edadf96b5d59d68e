"""The mutants: what mutmut writes is read right, and the list of equivalent ones fits the code as it stands."""

from __future__ import annotations

import inspect
import json
import pkgutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from parity_tests.measured import measured
from parity_tests.tests.chores import mutants
from parity_tests.tests.chores.mutants import (
    EQUIVALENT,
    Equivalent,
    Mutant,
    Score,
    as_json,
    entry_for,
    function_of,
    mutant,
    short_name,
    summarise,
)
from parity_tests.tests.test_imports import CHAPTERS, ROOT

DIFF = """\
--- manual/costs.py
+++ manual/costs.py
@@ -1,3 +1,3 @@
 def l2_penalty(weights, lambda_, m):
-    return lambda_ / (2 * m)
+    return lambda_ / (3 * m)
"""

KEY = "manual.costs.x_l2_penalty__mutmut_7"
ENTRY = Equivalent("costs.l2_penalty", "2 * m", "3 * m", "an example")


def results(path: Path, *codes: int | None) -> Path:
    """A folder as mutmut leaves it, with these exit codes."""
    keys = {f"manual.costs.x_l2_penalty__mutmut_{n}": code for n, code in enumerate(codes, start=7)}
    (path / "manual").mkdir()
    (path / "manual" / "costs.py.meta").write_text(json.dumps({"exit_code_by_key": keys}))
    (path / "manual" / "cli.py.meta").write_text(json.dumps({"exit_code_by_key": {}}))
    return path


def test_names_and_diffs_of_mutmut_are_read() -> None:
    assert function_of(KEY) == "manual.costs.l2_penalty"
    assert function_of("manual.costs.x__targets__mutmut_12") == "manual.costs._targets"
    assert (
        function_of("manual.architecture.xǁDenseǁ__post_init____mutmut_1") == "manual.architecture.Dense.__post_init__"
    )
    expected = Mutant("manual.costs.l2_penalty", "return lambda_ / (2 * m)", "return lambda_ / (3 * m)")
    assert mutant(KEY, DIFF) == expected


@pytest.mark.parametrize(
    "entry",
    [
        ENTRY._replace(function="costs.l2_penalty_loop"),
        ENTRY._replace(original="2 / m"),
        ENTRY._replace(mutated="4 * m"),
        ENTRY._replace(original="", mutated=""),
    ],
)
def test_an_entry_lists_one_mutant_and_no_other(entry: Equivalent) -> None:
    assert entry_for(mutant(KEY, DIFF), (ENTRY,)) == ENTRY
    assert entry_for(mutant(KEY, DIFF), (entry,)) is None


def test_a_mutant_that_runs_forever_or_crashes_counts_as_killed_and_survivors_are_told_apart(tmp_path: Path) -> None:
    results(tmp_path, 1, 0, 36, -24, -11)
    scores, unlisted, unmatched = summarise(tmp_path, lambda key: DIFF, (ENTRY,))
    assert scores == {"costs": Score(mutants=5, killed=4, equivalent=1)}
    assert (unlisted, unmatched) == ([], [])
    other = ENTRY._replace(mutated="4 * m")
    elsewhere = ENTRY._replace(function="dense.bias_gradient")
    scores, unlisted, unmatched = summarise(tmp_path, lambda key: DIFF, (other, elsewhere))
    assert scores == {"costs": Score(mutants=5, killed=4, equivalent=0)}
    assert (unlisted, unmatched) == ([mutant(KEY, DIFF)], [other])


def test_judges_are_named_with_their_package() -> None:
    assert short_name("manual/costs.py") == "costs"
    assert short_name("parity_tests/derivations/verdicts.py") == "derivations.verdicts"
    found = mutant("parity_tests.judging.judge.xǁLedgerǁadd__mutmut_3", DIFF)
    entry = ENTRY._replace(function="judging.judge.Ledger.add")
    assert entry_for(found, (entry,)) == entry
    assert entry_for(found, (entry._replace(function="judge.Ledger.add"),)) is None


def test_what_was_measured_before_stays_where_it_is_not_measured_again() -> None:
    new, old = Score(5, 4, 1), {"mutants": 9, "killed": 9, "equivalent": 0}
    section = as_json({"dense": new, "judging.judge": new}, {}, {"costs": old, "dense": old}, (ENTRY,))
    assert section["modules"] == {"costs": old, "dense": new._asdict(), "judging.judge": new._asdict()}
    assert list(section["modules"]) == ["costs", "dense", "judging.judge"]
    assert section["equivalent"] == [ENTRY._asdict()]


def test_of_a_formula_all_mutants_are_killed_or_listed_and_nearly_all_of_a_judge() -> None:
    assert mutants.is_enough("dense", Score(20, 18, 2))
    assert not mutants.is_enough("dense", Score(20, 18, 1))
    assert mutants.is_enough("judging.judge", Score(20, 18, 1))
    assert not mutants.is_enough("judging.judge", Score(20, 18, 0))


@pytest.mark.parametrize("code", [None, 33])
def test_mutants_whose_tests_did_not_run_to_their_end_give_no_score(tmp_path: Path, code: int | None) -> None:
    with pytest.raises(ValueError, match=rf"l2_penalty__mutmut_8 has exit code {code}, expected 0 or 1: run mutmut"):
        summarise(results(tmp_path, 1, code), lambda key: DIFF)


def test_the_script_fails_where_a_survivor_of_a_formula_is_not_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("mutmut.mutation.diff_apply.get_diff_for_mutant", lambda key: DIFF)
    monkeypatch.setattr(mutants, "RESULTS", results(tmp_path, 1, 0))
    assert mutants.main(["--save"]) == 1
    shown = capsys.readouterr().out
    assert "survived: manual.costs.l2_penalty: return lambda_ / (2 * m)  ->  return lambda_ / (3 * m)" in shown
    assert "costs: 2 mutants, 1 killed, 0 equivalent" in shown


FOLDERS = {path.parent.name for path in (ROOT / "parity_tests").glob("*/__init__.py")}


def test_every_listed_mutant_changes_a_function_as_it_stands() -> None:
    for entry in EQUIVALENT:
        package = "parity_tests" if entry.function.split(".")[0] in FOLDERS else "manual"
        function: Any = pkgutil.resolve_name(f"{package}.{entry.function}")
        assert entry.original in inspect.getsource(function), entry
        assert entry.original != entry.mutated, entry
        assert entry.reason, entry


def test_the_saved_figures_cover_every_formula_module() -> None:
    saved = measured("mutation")
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]
    modules = {short_name(path) for path in settings["only_mutate"]}
    assert set(saved["modules"]) == modules
    assert {module for module in modules if "." not in module} <= CHAPTERS
    for module, scores in saved["modules"].items():
        assert mutants.is_enough(module, Score(**scores))
        assert scores["mutants"] >= scores["killed"] + scores["equivalent"] > 0
