"""Keep what bench measured in measured.json, and show it in the README.

``python -m parity_tests bench --json > figures.json``, then
``python -m parity_tests.tests.chores.save_figures bench figures.json``; of ``bench --device cuda`` the section is gpu.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from manual.files import replace_file
from parity_tests import measured
from parity_tests.tests.chores.readme import update
from parity_tests.tests.chores.readme_sections import SECTIONS

SHOWN: dict[str, tuple[str, ...]] = {"bench": ("ratios",), "gpu": ()}
"""Sections of the README that show a section of measured.json."""


def save(section: str, values: Any) -> None:
    """Replace a section of measured.json; the others stay."""
    sections = json.loads(measured.MEASURED.read_text()) if measured.MEASURED.exists() else {}
    text = json.dumps({**sections, section: values}, indent=1, ensure_ascii=False) + "\n"
    replace_file(measured.MEASURED, text.encode())


def main(argv: Sequence[str] | None = None) -> int:
    """Save the figures of one whole run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("section", choices=SHOWN)
    parser.add_argument("figures", type=Path, help="what --json printed")
    args = parser.parse_args(argv)
    values = json.loads(args.figures.read_text())
    if "stopped" in values or not all(values.values()):
        parser.error(
            f"{args.figures} has no figures of a whole run, expected those of bench without --only and --quick"
        )
    save(args.section, values)
    for name in SHOWN[args.section]:
        update(name, SECTIONS[name]())
    return 0


if __name__ == "__main__":
    sys.exit(main())
