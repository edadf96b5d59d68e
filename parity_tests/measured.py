"""Figures that take minutes to measure, kept in measured.json: one section per measurement."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MEASURED = Path(__file__).parent / "measured.json"


def measured(section: str) -> Any:
    """A section of measured.json; None where nobody has measured it."""
    return json.loads(MEASURED.read_text()).get(section)
