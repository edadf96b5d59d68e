"""What the engine asks of a program, whether it came from a text or from a Python file: that it can be run again."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from parity_tests.derivations.engine.events import Event, Key, Run
from parity_tests.derivations.engine.formulas import Hook
from parity_tests.derivations.engine.numbers.kinds import PLAIN, Kind


class Round(NamedTuple):
    """The places between which a round of training lies, None where it begins or ends with the program."""

    after: Key | None = None
    last: Key | None = None

    def events(self, events: Sequence[Event]) -> Sequence[Event]:
        """The events of the round."""
        places = {event.key: place for place, event in enumerate(events)}
        start = places.get(self.after, -1) + 1 if self.after is not None else 0
        stop = places.get(self.last, len(events) - 1) + 1 if self.last is not None else len(events)
        return events[start:stop]


class Spelled(NamedTuple):
    """Lines in place of ``rows`` lines of a text, without the indentation of the first."""

    text: str
    rows: int


class Program(Protocol):
    """A source that was read, ready to run; its places have the same keys in every run."""

    tree: ast.Module
    repeats: bool
    """Whether a repair is tried at every place where its statement is reached."""

    def run(
        self,
        given: Mapping[str, Any],
        kind: Kind = PLAIN,
        hook: Hook | None = None,
        until: Key | None = None,
        keep: bool = True,
        capture: tuple[ast.AST, Collection[int]] | None = None,
    ) -> Run:
        """All statements in order on the ``given`` values; up to the place ``until``, where there is one.

        ``captured`` holds the names as they are when a node is reached for some of all times, counted from 0.
        """

    def execute(self, statements: Sequence[ast.stmt], names: Mapping[str, Any], target: str) -> Any:
        """What ``target`` is after some statements, None where one of them fails; what ``names`` holds stays."""

    def editable(
        self, statement: ast.stmt, names: Mapping[str, Any], target: str
    ) -> tuple[ast.stmt, str, Mapping[str, Any]]:
        """A statement in plain names, what its target is called then, and the names that it may use."""

    def replaced(self, statement: ast.stmt, new: Sequence[ast.stmt]) -> Program | None:
        """The program with other statements in place of one; None where it cannot be changed."""

    def rewritten(self, node: ast.expr, new: ast.expr) -> Program | None:
        """The program with another formula in place of one; None where it cannot be changed."""

    def spelled(self, old: ast.stmt | ast.expr, new: Sequence[ast.AST], line: int) -> Spelled | None:
        """The lines of a node with others in its place, as the writer has them; None for a text of formulas."""

    def round_of(self, forward: Collection[Key]) -> Round:
        """The round of training to which a forward pass through these places belongs."""
