"""What the site's search looks at: the text of every page, cut where something has an anchor."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import NamedTuple

HEADINGS = ("h1", "h2")
LEFT_OUT = ("svg", "table", "pre", "button")
"""Pictures and numbers; code is found by the names above it."""

INLINE = ("a", "code", "span", "strong", "wbr")


INSIDE = re.compile(rf"(<({'|'.join(LEFT_OUT)})\b[^>]*>).*?</\2>", re.DOTALL)
"""What is left out, as a whole: nine tenths of a page. A picture's tag says what it shows."""


class Entry(NamedTuple):
    """A piece of a page: the ids that lead to it, its heading, and its text."""

    page: str
    id: str
    ids: str
    of: str
    title: str
    text: str


def script(pages: Mapping[str, tuple[str, str]]) -> str:
    """A script that gives the pages' entries to the search; of each page its title and its HTML."""
    entries = [entry._asdict() for name, (title, html) in pages.items() for entry in entries_of(name, title, html)]
    return f"window.SEARCH = {json.dumps(entries, ensure_ascii=False, separators=(',', ':'))};\n"


def entries_of(name: str, title: str, html: str) -> list[Entry]:
    """The entries of one page: its beginning, each article, each row of the notes, each part under a heading."""
    reader = _Reader()
    reader.feed(INSIDE.sub(r"\1</\2>", html))
    reader.close()
    found = []
    for ids, heading, words in reader.pieces:
        said = " ".join("".join(words).split())
        called = " ".join("".join(heading).replace("#", "").split())
        if said or called:
            found.append(Entry(name, ids[-1], " ".join(ids), title, called or ids[-1], said))
    return found


class _Reader(HTMLParser):
    """Collects the text of the main part: a new piece begins with an element that has an anchor of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[tuple[list[str], list[str], list[str]]] = []
        self._ids: list[str] = []
        self._inside = False
        self._heading = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._inside |= tag == "main"
        if not self._inside:
            return
        if tag in LEFT_OUT:
            if _is_formula(given):
                self.handle_data(f" {given['aria-label']} ")
            return
        if given.get("id"):
            self._ids.append(str(given["id"]))
            if given.get("class") != "anchor":  # whose article follows
                self.pieces.append((self._ids, [], []))
                self._ids = []
        if tag in HEADINGS and self.pieces and not self.pieces[-1][1]:
            self._heading = tag
        self.handle_data(" " * (tag not in INLINE))

    def handle_endtag(self, tag: str) -> None:
        self._inside &= tag != "main"
        if tag == self._heading:
            self._heading = ""

    def handle_data(self, data: str) -> None:
        if self._inside and self.pieces:
            _, heading, words = self.pieces[-1]
            (heading if self._heading else words).append(data)


def _is_formula(given: dict[str, str | None]) -> bool:
    """Whether a picture is a formula in a line of text: it is aligned there."""
    return "vertical-align" in (given.get("style") or "") and bool(given.get("aria-label"))
