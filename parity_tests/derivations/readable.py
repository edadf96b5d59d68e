"""Of a text with lines that are not of the language, the lines that are; and what the others gave a value."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache
from typing import NamedTuple

from parity_tests.derivations.language import nodes
from parity_tests.derivations.language.errors import DerivationSyntaxError, source_lines
from parity_tests.derivations.language.front import plain_name
from parity_tests.derivations.language.nodes import Program
from parity_tests.derivations.language.syntax import parse
from parity_tests.derivations.verdicts import Verdict, not_judged

MOST_UNREAD = 40
"""Lines that may be left out; a text with more is not read at all."""

_ASSIGNED = re.compile(r"^(?P<left>[^=#]*[^=!<>#])=(?!=)")
_CALLED = re.compile(r"^\s*([^\W\d]\w*)\s*[.\[(]")
_INSIDE = re.compile(r"\[[^\]]*\]")
_NAME = re.compile(r"[^\W\d]\w*'?")


_ENTRY = re.compile(
    r"""(?P<holder>[^\W\d]\w*)\[\s*(?:f(?P<f>["'])(?P<formatted>[^\W\d]\w*?)\{(?P<place>[^{}]*)\}(?P=f)"""
    r"""|(?P<q>["'])(?P<key>[^\W\d]\w*)(?P=q)(?:\s*\+\s*str\((?P<number>[^()]*)\))?)\s*\]"""
)
_HOLDER = re.compile(r"grad|param|cache|weight|self|model|net|layer", re.IGNORECASE)
_LOOP = re.compile(r"^(\s*)for\s+(\w+)\s+in\b.*:\s*(?:#.*)?$")


class Readable(NamedTuple):
    """A text as far as it can be read: its program, the lines left out, and the names that these may have changed."""

    program: Program
    left_out: tuple[Verdict, ...]
    changed: frozenset[str]

    @property
    def doubtful(self) -> frozenset[str]:
        """The names that were changed, and all that is computed from them."""
        found, size = set(self.changed), -1
        while size != len(found):
            size = len(found)
            for _, here in nodes.walk(self.program):
                if isinstance(here, nodes.Assign) and nodes.names(here.value) & found:
                    found |= set(nodes.targets(Program((here,))))
        return frozenset(found)


@lru_cache(maxsize=256)
def readable(text: str, protected: Collection[str] = frozenset()) -> Readable:
    """The lines that can be read.

    Raises DerivationSyntaxError, of the first line that cannot be read, where no line can or too many cannot.
    """
    rows, left_out = _without_keys(source_lines(text))
    changed: set[str] = set()
    first: DerivationSyntaxError | None = None
    while True:
        try:
            program = parse("\n".join(rows), protected=protected)
        except DerivationSyntaxError as error:
            first = first or error
            row = rows[error.line - 1]
            if not row.strip() or len(left_out) == MOST_UNREAD:
                raise first from None
            names = assigned_by(row)
            why = f"this line cannot be read: {error.message}"
            left_out[error.line] = not_judged(names[0] if names else "", error.line, row.strip(), f"{why}.")
            changed.update(names)
            rows[error.line - 1] = ""
            continue
        return Readable(program, tuple(left_out[number] for number in sorted(left_out)), frozenset(changed))


def _without_keys(rows: list[str]) -> tuple[list[str], dict[int, Verdict]]:
    """The rows with names for entries of dicts, and those that do for another symbol what the others do for the first.

    ``grads["dW" + str(l)]`` is dW, and what is kept beside every gradient, as ``v["dW" + str(l)]``, goes by its own
    name. Where the places differ, as l and l - 1 do, the rows stay as they are.
    """
    entries = {number: list(_ENTRY.finditer(row.partition("#")[0])) for number, row in enumerate(rows, 1)}
    found = [entry for each in entries.values() for entry in each]
    places = {re.sub(r"\s", "", entry["place"] or entry["number"] or "") for entry in found}
    if len(places) != 1:
        return rows, {}
    states = [_symbol_of(entry) for entry in found if not _HOLDER.search(entry["holder"])]
    left_out, plain, loops = dict[int, Verdict](), list[str](), list[int]()
    for number, row in enumerate(rows, 1):
        others = sorted({_symbol_of(entry) for entry in entries[number]} - set(states[:1])) if states else []
        loop, depth = _LOOP.match(row), len(row) - len(row.lstrip())
        loops = [each for each in loops if depth > each or not row.strip()]
        if others:
            why = f"it does for {others[0]} what the lines above do for {states[0]}, which are judged"
            holder = entries[number][0]["holder"]
            left_out[number] = not_judged(holder, number, row.strip(), f"{holder} is not judged: {why}.")
            plain.append("")
        elif loop is not None and re.search(rf"\b{loop[2]}\b", next(iter(places))):
            loops.append(depth)
            plain.append("")
        else:
            plain.append(_ENTRY.sub(_named, row)[loops[0] if loops else 0 :].removeprefix("    " * len(loops)))
    return plain, left_out


def _symbol_of(entry: re.Match[str]) -> str:
    return (entry["formatted"] or entry["key"]).removeprefix("d")


def _named(entry: re.Match[str]) -> str:
    """The name for an entry of a dict."""
    return (entry["formatted"] or entry["key"]) if _HOLDER.search(entry["holder"]) else entry["holder"]


def assigned_by(row: str) -> tuple[str, ...]:
    """The names that a line may give a value: those left of its ``=``, or what it calls a method of."""
    match = _ASSIGNED.match(row)
    if match is None:
        called = _CALLED.match(row)
        return (plain_name(called[1]),) if called else ()
    return tuple(dict.fromkeys(plain_name(name) for name in _NAME.findall(_INSIDE.sub("", match["left"]))))
