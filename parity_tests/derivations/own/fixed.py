"""A copy of a file with the repairs in it: beside the file, never in its place, and only once it was verified."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from parity_tests.derivations.changes import Change, put_in
from parity_tests.derivations.own.answers import Options, verify_path
from parity_tests.derivations.own.sources import PROGRAMS, is_note
from parity_tests.derivations.verdicts import WRONG, Judged, Verdict

SEEDS = 3
"""On how many seeds a copy has to hold before it is written."""

MOST_ROUNDS = 4
"""How often a copy is repaired once more: one mistake may hide another."""


class Fixed(NamedTuple):
    """The copy that was written, "" for none; the places that were repaired in it; those that were not, with why."""

    file: str
    repaired: tuple[str, ...]
    left: tuple[tuple[str, str], ...]
    problem: str = ""
    seeds: int = SEEDS

    @property
    def sentence(self) -> str:
        """What was done, in words."""
        left = "; ".join(f"{place}: {why}" for place, why in self.left)
        if self.problem:
            return f"No copy is written: {self.problem}."
        if not self.file:
            return f"No copy is written: {f'no repair was verified ({left})' if left else 'nothing is wrong'}."
        seeds = f" on {self.seeds} seeds" if self.seeds > 1 else ""
        whole = f"{self.file} is written, with {', '.join(self.repaired)} repaired and verified again{seeds}"
        return f"{whole}; wrong in it is still {left}." if left else f"{whole}; nothing is wrong in it."

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {**self._asdict(), "left": [{"place": place, "why": why} for place, why in self.left]}


def name_of_copy(path: Path) -> Path:
    """The copy of net.py is net.fixed.py."""
    return path.with_name(f"{path.stem}.fixed{path.suffix}")


def fix(path: Path, judged: Judged, options: Options) -> Fixed:
    """Write a copy of a file with all repairs that hold, verified on three seeds; say what was not repaired."""
    copy = name_of_copy(path)
    if os.path.lexists(copy):
        return Fixed("", (), (), f"{copy} is there already, and no file is written over")
    try:
        source = _Source(path)
        repaired, text, left = _repaired(source, judged, options)
        if repaired:
            with copy.open("xb") as stream:
                stream.write(text)
    except OSError as error:
        return Fixed("", (), (), f"{error.filename or copy}: {error.strerror or error}")
    except ValueError as error:
        return Fixed("", (), (), " ".join(str(error).split()))
    return Fixed(str(copy) if repaired else "", tuple(repaired), tuple(left), seeds=source.seeds)


def _repaired(source: _Source, judged: Judged, options: Options) -> tuple[list[str], bytes, list[tuple[str, str]]]:
    """The places that were repaired, the copy, and what is left of the mistakes."""
    repaired: list[str] = []
    refused: dict[Change, str] = {}
    for _ in range(MOST_ROUNDS):
        rows = [each for each in _wrong(judged) if each.diff and not refused.keys() & set(each.diff)]
        step = source.with_all(rows, judged, options) if len(rows) > 1 else None
        if step is not None:
            source, judged = step
            repaired += [_place(each) for each in rows]
            continue
        for each in rows:  # not all of them together: the first that holds by itself
            step = source.with_all([each], judged, options)
            if step is not None:
                source, judged = step
                repaired.append(_place(each))
                break
            refused |= dict.fromkeys(each.diff, "its repair does not hold in the copy")
        if step is None:
            break
    why = [(_place(each), refused.get(each.diff[0], "") if each.diff else "") for each in _wrong(judged)]
    left = [(place, reason or "no repair is known that can be put in its place") for place, reason in why]
    return list(dict.fromkeys(repaired)), source.content, list(dict(left).items())


def _wrong(judged: Judged) -> list[Verdict]:
    return [each for each in judged.lines if each.verdict == WRONG]


def _place(line: Verdict) -> str:
    return line.place or line.target


class _Source:
    """A file's content and the name that it has; a copy of it is judged under a name that is hidden."""

    def __init__(self, path: Path, content: bytes | None = None) -> None:
        self.path = path
        self.content = path.read_bytes() if content is None else content
        try:
            self.text = self.content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{path.name} is not in UTF-8, and a copy would not be the same") from error

    @property
    def seeds(self) -> int:
        """On how many seeds a copy is judged; the values for a note's formulas are always the same."""
        return 1 if self.path.suffix not in PROGRAMS and is_note(self.path) else SEEDS

    def with_all(self, lines: Sequence[Verdict], judged: Judged, options: Options) -> tuple[_Source, Judged] | None:
        """The content with these repairs and what is said of it; None where on one of three seeds they do not hold."""
        try:
            changed = _Source(self.path, self._changed(lines).encode())
        except ValueError:
            return None
        answers = []
        for number in range(self.seeds):
            found = changed.judged(options._replace(seed=options.seed + number))
            if found is None or _is_no_better(found, judged, len(lines)):
                return None
            answers.append(found)
        return changed, max(answers, key=lambda each: each.summary.wrong)

    def _changed(self, lines: Sequence[Verdict]) -> str:
        if any(isinstance(line.cell, str) for line in lines):
            raise ValueError("what is to be changed stands in another file")
        if self.path.suffix == ".ipynb":
            return _in_cells(self.text, lines)
        return _in_rows(self.text, [each for line in lines for each in line.diff])

    def judged(self, options: Options) -> Judged | None:
        """What is said of the content, in the folder of the file, whose other files it may read; None for nothing."""
        hidden = self.path.with_name(f".{self.path.stem}.{os.getpid()}{self.path.suffix}")
        try:
            with hidden.open("xb") as stream:
                stream.write(self.content)
            return verify_path(hidden, options)
        except ValueError:
            return None
        finally:
            hidden.unlink(missing_ok=True)


def _is_no_better(found: Judged, before: Judged, repaired: int) -> bool:
    """Whether something that was repaired is still wrong, or less of it is judged than before."""
    was, here = before.summary, found.summary
    doubted = was.wrong + was.doubtful - repaired
    return here.wrong + here.doubtful > doubted or here.holds < was.holds or here.not_judged > was.not_judged


def _in_rows(text: str, changes: Sequence[Change]) -> str:
    """The text with changes in its lines, which end as they did."""
    ends = "\r\n" if "\r\n" in text else "\n"
    return ends.join(put_in(text.split(ends), changes))


def _in_cells(text: str, lines: Sequence[Verdict]) -> str:
    """A notebook with changes in its cells: code cells are counted from 1, those of Markdown from -1 down."""
    data = json.loads(text)
    sheets = data.get("worksheets", [data])
    cells = [cell for sheet in sheets for cell in sheet["cells"]]
    code = [each for each in cells if each.get("cell_type") == "code"]
    notes = [each for each in cells if each.get("cell_type") == "markdown"]
    for number, some in groupby(sorted(lines, key=lambda each: int(each.cell)), key=lambda each: int(each.cell)):
        cell = code[number - 1] if number > 0 else notes[-number - 1]
        key = "source" if "source" in cell else "input"
        written = "".join(cell[key])
        new = _in_rows(written, [each for line in some for each in line.diff])
        cell[key] = new if isinstance(cell[key], str) else new.splitlines(keepends=True)
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"
