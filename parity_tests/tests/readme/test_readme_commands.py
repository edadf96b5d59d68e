"""Every command in the README is known here: run as it stands, run with less work, or run by a test that is named."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from manual import __main__ as by_hand
from manual.shared import cli as shared
from manual.shared.cli import GOOD, MISMATCH
from parity_tests import cli
from parity_tests.tests.chores.readme import README
from parity_tests.tests.chores.readme_sections import AVERAGE
from parity_tests.tests.derivations.python_programs import PROGRAMS
from parity_tests.tests.derivations.test_verify_data import numbers
from parity_tests.tests.readme.readme_text import commands
from parity_tests.tests.slices import sliced
from torch_ref import __main__ as by_torch

ROOT = README.parent
TESTS = Path(__file__).parents[1]

DOORS: dict[str, Callable[[list[str]], int]] = {
    "manual": by_hand.main,
    "torch_ref": by_torch.main,
    "parity_tests": cli.main,
}


class Here(NamedTuple):
    """Run here, with these words behind it that make it short, and this exit code."""

    more: str = ""
    code: int = GOOD


class There(NamedTuple):
    """Run by a test of this file, perhaps with less work or on another device."""

    test: str


class Installs(NamedTuple):
    """It changes the environment: what it names must be there."""

    named: str


HOW: dict[str, Here | There | Installs] = {
    # to begin with
    "python3 -m venv .venv": Installs(".venv"),
    '.venv/bin/pip install -e ".[pinned]"': Installs("pinned"),
    '.venv/bin/pip install -e ".[pinned,test]"': Installs("pinned,test"),
    ".venv/bin/python -m parity_tests": There("readme/test_main_job.py::test_the_main_job_holds"),
    ".venv/bin/python -m pytest -n auto --dist loadfile": There(
        "readme/test_readme_commands.py::test_every_command_is_known"
    ),
    # derivations
    f'python -m parity_tests verify "{AVERAGE}" --setting shallow': Here(code=MISMATCH),
    "python -m parity_tests verify derivation.txt": Here("--l2"),
    "python -m parity_tests verify derivation.txt --setting shallow --l2": Here(),
    "python -m parity_tests serve": There("serve/test_serve.py::test_it_says_what_verify_says"),
    "python -m parity_tests verify net.ipynb": There(
        "derivations/test_notebook.py::test_a_notebook_on_the_command_line"
    ),
    "python -m parity_tests verify my_network.py": Here(),
    "python -m parity_tests verify submissions --reference solution.py --csv marks.csv --junit marks.xml": There(
        "derivations/test_reference.py::test_files_are_judged_by_a_reference_apart"
    ),
    "python -m parity_tests verify my_backprop.py": There(
        "derivations/test_verify_functions.py::test_own_functions_of_layers_and_steps"
    ),
    "python -m parity_tests verify --data run.npz --setting shallow": Here(),
    "python -m parity_tests verify notes.md": There("derivations/test_latex.py::test_files"),
    "python -m parity_tests diff mine.npz theirs.npz": There("differences/test_differences.py::test_exit_codes"),
    # the comparison
    "python -m parity_tests -k wide/digits --dtype both": There(
        "test_cli.py::test_tables_are_plain_text_in_a_pipe_and_name_what_they_show"
    ),
    "python -m parity_tests --module my_model.py:net --data run.npz": There(
        "torch_ref/test_module_reading.py::test_a_file_on_the_command_line"
    ),
    "python -m parity_tests -k costs": Here("--jobs 1"),
    "python -m parity_tests faults": There("comparison/test_faults.py::test_faults_command"),
    "python -m parity_tests seeds --count 1000": There("comparison/test_faults.py::test_seeds_command"),
    # training
    "python -m manual train": There("training/test_train.py::test_the_report_and_the_history"),
    "python -m manual train --data patients.csv --target outcome --save patients.safetensors": Here("--epochs 2"),
    "python -m manual predict patients.safetensors new.csv --probabilities": There(
        "training/test_predict.py::test_the_table_and_the_file"
    ),
    "python -m torch_ref train --model convnet --device cuda": There(
        "training/test_train.py::test_torch_has_flags_of_its_own"
    ),
    "torchrun --standalone --nproc-per-node 2 -m torch_ref train --checkpoint run1": There(
        "torch_ref/test_distributed.py::test_a_lost_process_ends_the_job_and_another_number_goes_on"
    ),
    # searches
    "python -m manual recipe": There("recipe/test_recipe_command.py::test_the_report"),
    "python -m manual recipe --data houses.csv --target price --hidden 16": Here(
        "--draws 4 --epochs 2 --train-epochs 60 --jobs 1"
    ),
    "python -m torch_ref search": There("torch_ref/test_search.py::test_the_table_shows_the_best"),
    # the notes
    "python -m parity_tests conventions": There(
        "conventions/test_conventions.py::test_the_command_shows_every_convention_in_plain_text"
    ),
    "python -m parity_tests notes --wrong": Here("-k F100 --jobs 1"),
    "python -m parity_tests index -k F103": Here(),
    "python -m parity_tests report --evidence": There("report/test_report.py::test_the_evidence_is_printed"),
    "python -m parity_tests report --site site --pictures pictures": There(
        "report/test_report.py::test_command_writes_the_site"
    ),
    "python -m manual graph --model logistic --example 0": Here(),
    "python -m manual shapes --model lenet5": Here(),
    # figures
    "python -m parity_tests bench": There("bench/test_bench.py::test_a_quick_run_prints_the_schema"),
    # chores
    "python -m parity_tests.tests.chores.readme": There(
        "readme/test_readme.py::test_the_script_writes_a_section_and_no_other"
    ),
}
"""How each command of the README is run."""

RUN_HERE = {line: how for line, how in HOW.items() if isinstance(how, Here)}


def test_every_command_is_known() -> None:
    assert [line for line in commands() if line not in HOW] == [], "a command that no test runs"
    assert [line for line in HOW if line not in commands()] == [], "a command that the README has no more"


def test_no_command_is_overlooked() -> None:
    shell = '```sh\none && two -k 3\nsay "a\nb" --last\n```\n'
    text = f"Say `python -m new` or\n{shell}```text\nnone\n```\nor `pip\ninstall it`."
    assert commands(text) == ["one", "two -k 3", 'say "a\nb" --last', "python -m new", "pip install it"]


def words_of(line: str) -> tuple[str, list[str]]:
    """The package of a command of this project, "" for others, and the words behind it."""
    words = shlex.split(line)
    at = next((place for place, word in enumerate(words) if word == "-m"), len(words) - 1)
    package, *rest = words[at + 1 :] or [""]
    return (package, rest) if package in DOORS else ("", rest)


@pytest.mark.parametrize("line", [line for line in HOW if words_of(line)[0]])
def test_the_parser_takes_every_command(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    package, words = words_of(line)
    monkeypatch.setattr(shared, "execute", lambda _: -1)
    assert DOORS[package](words) == -1


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the README names."""
    (tmp_path / "derivation.txt").write_text(
        "dZ2 = A2 - Y  # the output\ndW2 = (1/m) * dZ2 @ A1.T + λ/m * W2\n", "utf-8"
    )
    (tmp_path / "my_network.py").write_text(next(iter(PROGRAMS.values())).text, "utf-8")
    np.savez(tmp_path / "run.npz", **numbers("shallow", l2=False))
    rng = np.random.default_rng(0)
    rooms, age = rng.integers(1, 9, 300), rng.uniform(0, 90, 300)
    price = 40 * rooms - 0.5 * age + rng.normal(0, 5, 300)
    rows = [f"{r},{a:.1f},{p:.2f}" for r, a, p in zip(rooms, age, price, strict=True)]
    (tmp_path / "houses.csv").write_text("\n".join(["rooms,age,price", *rows]))
    patients = [f"{a:.1f},{r},{'ill' if a > 50 else 'well'}" for r, a in zip(rooms, age, strict=True)]
    (tmp_path / "patients.csv").write_text("\n".join(["age,visits,outcome", *patients]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("line", sliced(list(RUN_HERE), 6))
def test_it_runs(line: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package, words = words_of(line)
    assert DOORS[package]([*words, *RUN_HERE[line].more.split()]) == RUN_HERE[line].code
    shown = capsys.readouterr()
    assert shown.out
    assert shown.err == ""


@pytest.mark.parametrize(("line", "how"), [(line, how) for line, how in HOW.items() if isinstance(how, There)])
def test_the_test_that_runs_it_exists_and_calls_it(line: str, how: There) -> None:
    name, _, function = how.test.partition("::")
    text = (TESTS / name).read_text(encoding="utf-8")
    assert re.search(rf"^def {function}\(", text, re.MULTILINE)
    package, words = words_of(line)
    if package and words and not words[0].startswith("-"):
        assert re.search(rf"\b{words[0]}\b", text)


@pytest.mark.parametrize(
    ("line", "named"), [(line, how.named) for line, how in HOW.items() if isinstance(how, Installs)]
)
def test_what_is_installed_is_defined(line: str, named: str) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert named in line
    if named != ".venv":
        assert f'".[{named}]"' in line
        assert set(named.split(",")) <= set(extras)


def test_the_line_of_the_tests_is_the_one_that_a_fresh_machine_runs() -> None:
    (looked_for,) = re.findall(r"grep -F '(.*)' README.md", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert README.read_text(encoding="utf-8").count(looked_for) == 1


def test_torchrun_starts_the_training_of_the_readme(monkeypatch: pytest.MonkeyPatch) -> None:
    from torch.distributed.run import get_args_parser

    (line,) = (line for line in HOW if line.startswith("torchrun"))
    args = get_args_parser().parse_args(shlex.split(line)[1:])
    assert (args.nproc_per_node, args.module, args.training_script) == ("2", True, "torch_ref")
