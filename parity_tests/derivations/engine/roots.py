"""One mistake, and what is known of it: the words of the search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from parity_tests.derivations.engine.claims import Claim
from parity_tests.derivations.engine.events import Event, Key
from parity_tests.derivations.engine.truths import Truth, Truths


class Root(NamedTuple):
    """One mistake: the value, the truth that belongs there, its factor, and the lines that come right with it."""

    event: Event
    truth: Truth
    factor: float
    expected: Any
    mends: tuple[int, ...]
    kind: str
    rest_of: Key | None = None
    """The value that this one is a term or a factor of, where the truth belongs there."""
    is_factor: bool = False
    of: Truths | None = None
    """The truths of another value than J, of which it is the slope."""


Values = dict[Key, Any]
"""What is put in place of values."""


class Explanation(NamedTuple):
    """All that is wrong under one convention; ``claims`` are those of the text as it is.

    With ``more`` something is wrong beside the ``roots``, and was not looked for.
    """

    factor: float
    roots: tuple[Root, ...]
    claims: tuple[Claim, ...]
    helpers: tuple[Claim, ...]
    unsettled: tuple[Claim, ...]
    more: bool

    @property
    def wrong(self) -> int:
        """The number of mistakes, or the least that it is."""
        return len(self.roots) + self.more


Repairs = Callable[[Root, "dict[Key, Root]"], "float | None"]
"""The cost of the smallest change of a root's own line that puts it right, None where there is none."""

Reads = Callable[[Root, "dict[Key, Root]"], "frozenset[str]"]
"""The names that a root's line reads once it is put right; none where it cannot be."""

Turned = Callable[[Root, "Values"], "Values"]
"""What a root's line gives in all turns of its loop once it is repaired, with other values put right."""
