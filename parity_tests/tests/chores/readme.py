"""Write what the README shows anew: its sections between two markers, from runs and kept figures, and its picture.

``python -m parity_tests.tests.chores.readme [SECTION ...]``; without a name all sections, and the picture.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from manual.files import replace_file

README = Path(__file__).parents[3] / "README.md"

PICTURE = "picture"


def _markers(name: str) -> tuple[str, str]:
    return f"<!-- {name} -->\n", f"<!-- /{name} -->\n"


def _around(name: str) -> tuple[str, str, str]:
    """What stands before, within and behind the markers of that name, which are not part of it."""
    begin, end = _markers(name)
    text = README.read_text(encoding="utf-8")
    if not text.count(begin) == text.count(end) == 1:
        raise ValueError(f"the README has {text.count(begin)} sections named {name}, expected one")
    before, _, rest = text.partition(begin)
    within, _, behind = rest.partition(end)
    return before, within, behind


def section(name: str) -> str:
    """What stands between the markers of that name; raises ValueError unless they stand there once."""
    return _around(name)[1]


def update(name: str, text: str) -> None:
    """Put the text between the markers of that name; raises ValueError unless they stand there once."""
    before, _, behind = _around(name)
    begin, end = _markers(name)
    replace_file(README, (before + begin + text + end + behind).encode())


def main(argv: Sequence[str] | None = None) -> int:
    """Make the sections and put them between their markers."""
    from parity_tests.report.pictures import readme_picture
    from parity_tests.tests.chores.readme_sections import SECTIONS

    names = [*SECTIONS, PICTURE]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", choices=names, metavar="SECTION", help=", ".join(names))
    for name in parser.parse_args(argv).sections or names:
        if name == PICTURE:
            readme_picture.write()
        else:
            update(name, SECTIONS[name]())
        print(f"written: {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
