"""How the text of a table is written: its encoding, and what stands between its cells. Where two readings are possible,
nothing is guessed.
"""

from __future__ import annotations

import codecs
import csv
from itertools import islice
from pathlib import Path

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""The byte order marks, and the encodings that they stand for."""

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
"""What may stand between cells."""


def encoding_of(path: Path) -> str:
    """The encoding that the byte order mark says; UTF-8 where there is none.

    Raises ValueError for bytes that no text in UTF-8 has.
    """
    with path.open("rb") as file:
        first = file.read(4096)
    for mark, encoding in MARKS.items():
        if first.startswith(mark):
            return encoding
    if b"\0" in first:
        raise ValueError("it holds zero bytes, expected text in UTF-8, or in UTF-16 with its byte order mark")
    return "utf-8"


def undecoded(path: Path, encoding: str) -> ValueError:
    """The error that names the first byte which is no text in this encoding, and its line."""
    whole = path.read_bytes()
    try:
        whole.decode(encoding)
        return ValueError(f"it is no text in {encoding}")
    except UnicodeDecodeError as error:
        name = encoding.removesuffix("-sig").upper()
        line = len((error.object[: error.start].decode(encoding, "replace") + "_").splitlines())
        got = f"byte 0x{error.object[error.start]:02x} in line {line} is no text in {name}"
    return ValueError(f"{got}, expected UTF-8, or UTF-16 with its mark: iconv -f LATIN1 -t UTF-8 converts Latin-1")


def delimiter_of(path: Path, encoding: str) -> str:
    """What stands between the cells: that which divides the first two rows into as many cells, more than one.

    Raises ValueError where two do.
    """
    lengths = {delimiter: _lengths(path, encoding, delimiter) for delimiter in DELIMITERS}
    several = [delimiter for delimiter, found in lengths.items() if found and found[0] > 1]
    alike = [delimiter for delimiter in several if len(set(lengths[delimiter])) == 1]
    if len(alike) > 1:
        ways = " or by ".join(DELIMITERS[delimiter] for delimiter in alike)
        raise ValueError(f"its first rows may be divided by {ways}, expected one of them: put quotes around the others")
    return (alike or several or [","])[0]


def _lengths(path: Path, encoding: str, delimiter: str) -> list[int]:
    """How many cells the first two rows have; nothing where they are too long for one cell."""
    with path.open(newline="", encoding=encoding) as file:
        try:
            return [len(row) for row in islice(filter(None, csv.reader(file, delimiter=delimiter)), 2)]
        except csv.Error:
            return []
