"""Which files to judge: those that are named, and those in folders, with a count of what is left out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from parity_tests.derivations.language.errors import DerivationSyntaxError
from parity_tests.derivations.latex.documents import has_mathematics, markdown_cells
from parity_tests.derivations.readable import readable

PROGRAMS = (".py", ".ipynb")
TEXTS = (".txt", ".md", ".tex")
KINDS = {"__pycache__": "__pycache__", "text without a formula": "texts without a formula"}
"""Plurals that have no s at the end."""

LARGEST_TEXT = 2**20
"""Bytes of a text that may be a derivation."""


class Found(NamedTuple):
    """The files to judge, as they were named, and how many of each kind were left out of the folders."""

    files: tuple[Path, ...]
    left_out: dict[str, int]

    @property
    def sentence(self) -> str:
        """What was left out, in words; "" for nothing."""
        parts = [
            f"{count} {KINDS.get(kind, f'{kind}s') if count > 1 else kind}" for kind, count in self.left_out.items()
        ]
        return f"left out: {', '.join(parts)}" if parts else ""


def is_file_name(name: str) -> bool:
    """Whether an argument names a file or folder, and is no formula."""
    return Path(name).suffix in (*PROGRAMS, *TEXTS) or os.path.exists(name)


def found(names: Sequence[str]) -> Found:
    """The files of these names, in folders at every depth, each file once.

    Hidden files and folders, virtual environments and ``__pycache__`` are left out of folders, and so are files of
    other kinds and texts without a formula.

    Raises ValueError where a name is not there, or nothing is found.
    """
    missing = [name for name in names if not os.path.exists(name)]
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        raise ValueError(f"the file {missing[0]} was not found{more}")
    left_out: Counter[str] = Counter()
    files: dict[Path, Path] = {}
    for name in map(Path, names):
        for file in _inside(name, left_out) if name.is_dir() else [name]:
            files.setdefault(file.resolve(), file)
    if not files:
        left = Found((), dict(left_out)).sentence
        where = ", ".join(names)
        raise ValueError(
            f"nothing to judge in {where}, expected .py, .ipynb, .txt, .md or .tex files{f' ({left})' if left else ''}"
        )
    return Found(tuple(files.values()), dict(left_out))


def _inside(folder: Path, left_out: Counter[str]) -> Iterator[Path]:
    """The files in a folder and below, by name."""
    for place, folders, names in os.walk(folder):
        kept = []
        for each in sorted(folders):
            kind = _left_out(Path(place, each))
            if kind:
                left_out[kind] += 1
            else:
                kept.append(each)
        folders[:] = kept
        for each in sorted(names):
            file = Path(place, each)
            if each.startswith("."):
                left_out["hidden file"] += 1
            elif not file.is_file() or file.suffix not in (*PROGRAMS, *TEXTS):
                left_out["other file"] += 1
            elif file.suffix in TEXTS and not has_formula(file):
                left_out["text without a formula"] += 1
            else:
                yield file


def _left_out(folder: Path) -> str:
    """Why a folder is not looked into, "" where it is."""
    if folder.is_symlink():
        return "linked folder"
    if folder.name == "__pycache__":
        return "__pycache__"
    if folder.name.startswith("."):
        return "hidden folder"
    if (folder / "pyvenv.cfg").exists() or (folder / "conda-meta").exists():
        return "virtual environment"
    return ""


def is_note(file: Path) -> bool:
    """Whether a file holds formulas in LaTeX: a text, or the Markdown cells of a notebook."""
    if file.suffix not in (*TEXTS, ".ipynb"):
        return False
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
        cells = markdown_cells(text) if file.suffix == ".ipynb" else [(0, text)]
    except (ValueError, OSError):
        return False
    return file.suffix == ".tex" or any(has_mathematics(cell) for _, cell in cells)


def has_formula(file: Path) -> bool:
    """Whether a text has a line that the language of derivations reads."""
    try:
        with file.open(encoding="utf-8", errors="replace") as stream:
            text = stream.read(LARGEST_TEXT)
        if has_mathematics(text):
            return True
        return bool(readable(text).program.statements)
    except (DerivationSyntaxError, ValueError, OSError):
        return False
