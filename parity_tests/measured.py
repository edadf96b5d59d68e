"""Figures that take minutes to measure, kept in measured.json: one section per measurement."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from manual.files import replace_file

MEASURED = Path(__file__).parent / "measured.json"


def measured(section: str) -> Any:
    """A section of measured.json."""
    return json.loads(MEASURED.read_text())[section]


def save(section: str, values: Any) -> None:
    """Replace a section of measured.json; the others stay."""
    sections = json.loads(MEASURED.read_text()) if MEASURED.exists() else {}
    replace_file(MEASURED, (json.dumps({**sections, section: values}, indent=1, ensure_ascii=False) + "\n").encode())
