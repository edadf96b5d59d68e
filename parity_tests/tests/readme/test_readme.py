"""What the README says: its tables and answers are those of runs, its numbers and names those of the code."""

from __future__ import annotations

import importlib
import re
import tomllib
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
import pytest

from datasets.own_file import HELD
from manual import __main__ as by_hand
from manual.architecture import Dense, model
from manual.shared.cli import GOOD, MISMATCH, USAGE
from manual.shared.search_ranges import COARSE
from manual.shared.settings import EXPLODED
from parity_tests import cli
from parity_tests.commands.notes import NOTES
from parity_tests.comparison.models import MODEL_CASES
from parity_tests.derivations.own.printed import NOT_ALL
from parity_tests.judging.bounds import ELEMENTARY
from parity_tests.judging.judge import SEEN, Result
from parity_tests.measured import measured
from parity_tests.notes.run import ROWS
from parity_tests.report.evidence import Table, mutants_table
from parity_tests.tests.chores import readme
from parity_tests.tests.chores.readme_sections import SECTIONS
from parity_tests.tests.chores.readme_tables import parity_table
from parity_tests.tests.readme.readme_text import TEXT, inline_code, prose
from torch_ref import __main__ as by_torch

ROOT = readme.README.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


# what is made from runs and kept figures


@pytest.mark.parametrize("name", ["caught", "ratios"])
def test_a_section_shows_what_is_now(name: str) -> None:
    assert readme.section(name) == SECTIONS[name](), "stale: see parity_tests/tests/chores/readme.py"


def test_every_section_has_its_place_and_is_made_from_something() -> None:
    assert re.findall(r"<!-- (\w+) -->", TEXT) == list(SECTIONS)


def result(model: str, quantity: str, ratio: float, **changes: object) -> Result:
    """A line of the comparison."""
    case = f"{model}/moons/lambda=0" if model else "costs.penalty"
    line = Result(
        case, model, "moons", quantity, 1, "float64", "manual/torch", (2, 3), ratio * 1e-15, 1e-15, ratio, (0, 0, 0),
        "holds", 0, 100, "", "derived",
    )  # fmt: skip
    return line._replace(**changes)  # type: ignore[arg-type]


def test_the_parity_table_shows_the_worst_of_each_model() -> None:
    lines = [
        result("", "J", 0.9),
        result("deep", "dW", 0.25),
        result("deep", "dW", 0.5, error=5e-17, bound=1e-16, dataset="digits", cannot_tell=3),
        result("deep", "Z", 0.75),
        result("deep", "W after 100 free steps", 0.99, basis="measured"),
        result("wide", "dW", 2.0, verdict="fails"),
    ]
    table = parity_table(lines).splitlines()
    assert table[2] == "| deep | moons, digits | 300 | 1e-15 | 0.50 | 0.75 | holds |"
    assert table[3] == "| wide | moons | 100 | 1e-14 | 2.00 | 2.00 | fails |"
    assert table[-1].endswith(" 600 arrays in float64: 1 fail, and about 3 cannot be told.")


def test_kept_scores_are_summed_up() -> None:
    dense = measured("mutation")["modules"]["dense"]
    first, table = mutants_table({"a": {"mutants": 5, "killed": 3, "equivalent": 1}, "b": dense})
    assert isinstance(table, Table)
    assert table.markdown().splitlines()[:3:2] == ["| module | mutants | killed | equivalent |", "| a | 5 | 3 | 1 |"]
    assert str(first).endswith(" 1 are left.")


# the script that writes it


def test_the_script_writes_a_section_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(readme, "README", tmp_path / "README.md")
    readme.README.write_text("<!-- errata -->\nold\n<!-- /errata -->\n<!-- caught -->\nold\n<!-- /caught -->\n")
    assert readme.main(["caught"]) == GOOD
    assert capsys.readouterr().out == "written: caught\n"
    assert readme.section("caught") == SECTIONS["caught"]()
    assert readme.section("errata") == "old\n"
    readme.README.write_text(2 * "<!-- caught -->\nold\n<!-- /caught -->\n")
    with pytest.raises(ValueError, match="the README has 2 sections named caught, expected one"):
        readme.update("caught", "new\n")


# numbers in sentences

COARSE_REG, COARSE_RATE = COARSE
HIDDEN, _ = dict.fromkeys(layer.units for layer in model("wide", 64, 10).layers if isinstance(layer, Dense))
COUNTS = ("no", "one", "two", "three", "four", "five")

SAYS = (
    f"Python {PYPROJECT['requires-python'].removeprefix('>=')} or newer",
    f"Exit code {GOOD}: good; {MISMATCH}: something is wrong; {USAGE}: bad usage",
    f"{NOT_ALL}: nothing is wrong, but something was not judged",
    f"a change of {SEEN[np.dtype(np.float64)]:.0e} of the largest entry".replace("e-09", "e-9"),
    f"float32 sees less: a change of {SEEN[np.dtype(np.float32)]} of the largest entry fails or cannot be told",
    f"takes up to {max(case.free.steps for case in MODEL_CASES)} steps alone",
    f"above {COUNTS[int(EXPLODED)]} times its first value",
    f"An ` above {HELD // 2**20} MiB stays in its file",
    f"two hidden layers of {HIDDEN} units",
    f"reg = 10^uniform({COARSE_REG.low}, {COARSE_REG.high}) and learning rate = 10^uniform({COARSE_RATE.high}, "
    f"{COARSE_RATE.low})",
    f"The {len(ROWS)} formulas and claims of the {COUNTS[len(NOTES)]} notes",
    f"elementary functions within {(ELEMENTARY - 2) / 2:.0f} units in the last place",
)
"""Sentences with numbers, the numbers taken from the code."""

NAMES = (
    r"\b(float|bfloat|complex)\d+\b", r"\bConv2d\b|\b(Max|Avg)Pool2d\b|\bTF32\b", r"\bd?[WbZ]1\b", r"\bMNIST\b",
    r"\(1/m\)|\b1/m\b|lambda/\(2m\)|\b1/2 reg\b|n_\{l-1\}", r"of 0 and 1 labels",
    r"W\^2|\(n_l, 1\)",
    r"below 1 where NumPy is faster",
)  # fmt: skip
"""Digits that count nothing."""


def test_every_number_in_a_sentence_comes_from_the_code() -> None:
    text = prose()
    assert [phrase for phrase in SAYS if phrase not in text] == []
    assert [name for name in NAMES if not re.search(name, text)] == [], "needed no more"
    assert _unknown(text) == [], "numbers that no test knows"


@pytest.mark.parametrize("planted", ["right in 97% of them", "some four thousand times", "2.3026", "41 steps alone"])
def test_a_number_of_ones_own_is_seen(planted: str) -> None:
    assert _unknown(f"{prose()} {planted}")


def _unknown(text: str) -> list[str]:
    """What counts something, and is no phrase of the tables above."""
    for phrase in SAYS:
        text = text.replace(phrase, "")
    for name in NAMES:
        text = re.sub(name, " ", text)
    return re.findall(r".{0,40}(?:\d|\b(?:hundred|thousand|million|dozen)s?\b).{0,20}", text)


# names in sentences


def test_every_file_that_is_named_is_there() -> None:
    named = {code for code in inline_code() if re.fullmatch(r"[\w.]+/[\w./]+\.\w+", code)}
    assert len(named) > 6
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_every_picture_is_there_and_says_what_it_shows() -> None:
    shown = re.findall(r"!\[(.+?)\]\((.+?)\)", TEXT)
    assert len(shown) == 1
    for text, path in shown:
        assert f'aria-label="{text}"' in (ROOT / path).read_text(encoding="utf-8")


def test_every_flag_that_is_named_exists() -> None:
    doors = (("manual", by_hand.COMMANDS), ("torch_ref", by_torch.COMMANDS), ("parity_tests", cli.COMMANDS))
    known = {"--help"}
    for package, names in doors:
        for name in names:
            parser = ArgumentParser()
            importlib.import_module(f"{package}.commands.{name}").configure(parser)
            known |= set(re.findall(r"--[a-z][\w-]*", parser.format_help()))
    named = {flag for code in inline_code() for flag in re.findall(r"(?<!\S)--[a-z][\w-]*", code)}
    assert len(named) > 20
    assert named - known == set()
