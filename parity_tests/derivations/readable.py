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
    rows = source_lines(text)
    left_out: dict[int, Verdict] = {}
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


def assigned_by(row: str) -> tuple[str, ...]:
    """The names that a line may give a value: those left of its ``=``, or what it calls a method of."""
    match = _ASSIGNED.match(row)
    if match is None:
        called = _CALLED.match(row)
        return (plain_name(called[1]),) if called else ()
    return tuple(dict.fromkeys(plain_name(name) for name in _NAME.findall(_INSIDE.sub("", match["left"]))))
