"""Right texts as strangers write them, each with the mistakes that are made in it, at their line and with their causes.

``mistaken_texts.txt`` has them one behind the other: ``=== name``, the text, ``--``, and a row for each mistake,
``right => wrong | causes that are a right answer``. With ``!`` before them all gradients get one factor, which is a
convention. Every third text was put aside before anything was tuned on the others.
"""

from __future__ import annotations

import re
import zlib
from functools import cache
from pathlib import Path

from parity_tests.tests.derivations.engine_mistakes import Mistake

FILE = Path(__file__).with_suffix(".txt")


@cache
def right_texts() -> dict[str, str]:
    """The texts by name."""
    return {name: text for name, (text, _) in _read().items()}


@cache
def mistaken_texts() -> list[Mistake]:
    """The texts with one mistake each; ``put_aside`` are those of every third text."""
    texts = _read()
    aside = set(sorted(texts, key=lambda name: zlib.crc32(name.encode()))[::3])
    found = []
    for name, (text, rows) in texts.items():
        for number, row in enumerate(rows):
            change, _, causes = row.rpartition(" | ")
            right, _, wrong = (part.strip() for part in change.partition("=>"))
            place = text.rindex(right)
            mistaken = text[:place] + wrong + text[place + len(right) :]
            if not causes.startswith("!"):
                line = text.count("\n", 0, place) + 1
                found.append(Mistake(f"{name}:{number}", mistaken, line, frozenset(causes.split()), name in aside))
    return found


def _read() -> dict[str, tuple[str, list[str]]]:
    found = {}
    for block in re.split(r"^=== ", FILE.read_text(), flags=re.M)[1:]:
        name, _, rest = block.partition("\n")
        text, _, rows = rest.partition("\n--\n")
        found[name] = text, rows.splitlines()
    return found
