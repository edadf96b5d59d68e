"""What mutmut found: the mutants of each formula and of each judge, and those that no test can tell from the original.

mutmut changes one thing in one function and runs the tests that call it; a mutant that no test fails survives. It
leaves alone what stands outside of functions (tables, constants) and functions under a decorator (properties).

``OMP_NUM_THREADS=1 python -m mutmut run --max-children 1`` makes the mutants and runs their tests, in half an hour;
then ``python -m parity_tests.tests.chores.mutants`` prints the figures by module, and ``--save`` keeps them in
measured.json, beside those of modules that are not in mutants/. Exit code 1: a survivor is not listed as equivalent;
figures are kept nevertheless where every formula's are, and 95 in a hundred of each judge's. A mutant that no test can
tell from the original is listed by hand in measured.json, with the reason: there it stands from then on.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from parity_tests.measured import measured


class Equivalent(NamedTuple):
    """A mutant: in ``function``, ``mutated`` stands where ``original`` stood first in its line.

    Functions of manual are named without their package.
    """

    function: str
    original: str
    mutated: str
    reason: str


EQUIVALENT = tuple(Equivalent(**each) for each in measured("mutation")["equivalent"])
"""Mutants that no test can tell from the original, each with the reason: every other one is killed."""

RESULTS = Path("mutants")
"""Where ``mutmut run`` leaves its results, below the root of the clone."""

KILLED, SURVIVED, TIMEOUT, CRASHED = 1, 0, (24, -24, 36, 152, 255), -11
"""mutmut's exit codes: those of pytest; those of a mutant that runs forever or reads foreign memory count as killed."""


LEAST_OF_JUDGES = 0.95
"""The share of a judge's mutants that are killed or listed at least."""


class Mutant(NamedTuple):
    """A mutant that survived: its function, and what stands in the place of what."""

    function: str
    original: str
    mutated: str


class Score(NamedTuple):
    """A module's mutants: how many there are, how many the tests kill, and how many of the rest are equivalent."""

    mutants: int
    killed: int
    equivalent: int


def is_enough(module: str, score: Score) -> bool:
    """Whether all mutants of a formula's module are killed or listed, or 95 in a hundred of a judge's."""
    least = LEAST_OF_JUDGES if "." in module else 1.0
    return score.killed + score.equivalent >= least * score.mutants


def function_of(key: str) -> str:
    """The function's dotted name from mutmut's: ``manual.dense.x_f__mutmut_3``, ``manual.dense.xǁCǁf__mutmut_3``."""
    module, _, mangled = key.rpartition(".")
    name = re.sub(r"__mutmut_\d+$", "", mangled)
    return f"{module}.{name[2:] if name.startswith('x_') else name[2:].replace('ǁ', '.')}"


def mutant(key: str, diff: str) -> Mutant:
    """A mutant from mutmut's name and its diff, the changed lines of each side joined to one."""
    lines = diff.splitlines()
    original = " ".join(line[1:].strip() for line in lines if line.startswith("-") and not line.startswith("---"))
    mutated = " ".join(line[1:].strip() for line in lines if line.startswith("+") and not line.startswith("+++"))
    return Mutant(function_of(key), original, mutated)


def entry_for(survivor: Mutant, table: Sequence[Equivalent] = EQUIVALENT) -> Equivalent | None:
    """The entry of the table that describes this mutant."""
    for entry in table:
        changed = survivor.original.replace(entry.original, entry.mutated, 1)
        if (
            survivor.function.removeprefix("manual.").removeprefix("parity_tests.") == entry.function
            and survivor.original != changed == survivor.mutated
        ):
            return entry
    return None


def short_name(path: str) -> str:
    """A module by its file: costs for manual/costs.py, judging.judge for parity_tests/judging/judge.py."""
    return path.removesuffix(".py").replace("/", ".").removeprefix("manual.").removeprefix("parity_tests.")


def exit_codes(results: Path = RESULTS) -> Iterator[tuple[str, dict[str, int | None]]]:
    """By module: the exit code of every mutant's tests, None where they have not run."""
    for path in sorted(results.rglob("*.py.meta")):
        codes = json.loads(path.read_text())["exit_code_by_key"]
        if codes:
            yield short_name(path.relative_to(results).as_posix().removesuffix(".meta")), codes


def summarise(
    results: Path, diff: Callable[[str], str], table: Sequence[Equivalent] = EQUIVALENT
) -> tuple[dict[str, Score], list[Mutant], list[Equivalent]]:
    """Scores by module, the survivors that the table does not list, and the entries that no survivor matches.

    ``diff`` gives a mutant's diff by its name. Raises ValueError where a mutant's tests did not run to their end.
    """
    scores: dict[str, Score] = {}
    unlisted: list[Mutant] = []
    used: Counter[Equivalent] = Counter()
    for module, codes in exit_codes(results):
        unfinished = [key for key, code in codes.items() if code not in (KILLED, SURVIVED, CRASHED, *TIMEOUT)]
        if unfinished:
            raise ValueError(f"{unfinished[0]} has exit code {codes[unfinished[0]]}, expected 0 or 1: run mutmut first")
        survivors = [mutant(key, diff(key)) for key, code in codes.items() if code == SURVIVED]
        entries = [entry_for(each, table) for each in survivors]
        used.update(entry for entry in entries if entry)
        unlisted += [each for each, entry in zip(survivors, entries, strict=True) if entry is None]
        scores[module] = Score(len(codes), len(codes) - len(survivors), sum(entry is not None for entry in entries))
    here = tuple(f"{module}." for module in scores)
    return scores, unlisted, [entry for entry in table if not used[entry] and entry.function.startswith(here)]


def as_json(
    scores: dict[str, Score],
    about: dict[str, str],
    before: dict[str, dict[str, int]] | None = None,
    table: Sequence[Equivalent] = EQUIVALENT,
) -> Any:
    """The section ``mutation`` of measured.json: these modules, and those that were measured ``before``."""
    modules = {**(before or {}), **{module: score._asdict() for module, score in scores.items()}}
    return {
        "environment": about,
        "modules": {module: modules[module] for module in sorted(modules, key=lambda name: (name.count("."), name))},
        "equivalent": [entry._asdict() for entry in table],
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Read, match, print."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    from parity_tests.tests.chores.save_figures import save

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--save", action="store_true", help="keep the figures in measured.json")
    args = parser.parse_args(argv)
    scores, unlisted, unmatched = summarise(RESULTS, get_diff_for_mutant)
    if not scores:
        parser.error(f"{RESULTS} has no results of mutmut: run it first")
    for module, (mutants, killed, equivalent) in scores.items():
        print(f"{module}: {mutants} mutants, {killed} killed, {equivalent} equivalent")
    for each in unlisted:
        print(f"survived: {each.function}: {each.original}  ->  {each.mutated}")
    for entry in unmatched:
        print(f"no such survivor: {entry.function}: {entry.original}  ->  {entry.mutated}")
    if args.save and all(map(is_enough, scores, scores.values())):
        about = {
            "date": date.today().isoformat(),
            "python": platform.python_version(),
            "numpy": np.__version__,
            "mutmut": importlib.metadata.version("mutmut"),
        }
        before = measured("mutation")
        save("mutation", as_json(scores, about, before and before["modules"]))
    return 1 if unlisted else 0


if __name__ == "__main__":
    sys.exit(main())
