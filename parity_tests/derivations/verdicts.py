"""What is said of a line, and of all of them: the numbers, the cause, the repair, in the words of a good teacher."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from html import escape
from typing import Any, NamedTuple

import numpy as np

from parity_tests import html
from parity_tests.derivations.agreement import Agreement
from parity_tests.derivations.changes import Change
from parity_tests.derivations.mistakes.causes import CAUSES

HOLDS, WRONG, CANNOT_TELL, NOT_JUDGED = "holds", "wrong", "cannot tell", "not judged"
DOUBTFUL, NO_CLAIM = "doubtful", "no claim"
"""Of notes: what holds in another convention, or where nobody can tell the mistake; and what claims nothing."""

AMBIGUOUS, UNKNOWN = "ambiguous", "unknown"

REFEREES = ("autograd", "the complex step")
WITH_A_BORDER = "As written, it holds wherever pad > 0."
NEW_LINE = "\n"
CALL = 1_000_000
"""Lines from this one on are those of a call, behind the file."""

COST = 2 * CALL
"""The line of a cost that was said beside the file."""

NOTES_CONVENTION = "the notes': dA and dZ are per example, dW and db carry the 1/m"


class Verdict(NamedTuple):
    """One quantity: judged, or "not judged" with the reason as its ``message``.

    ``line`` counts from 1, 0 where there is none; in a notebook it is that of the code cell ``cell``, and in a module
    that a file imports ``cell`` is its name. A line of the call that was added to a file has a number beyond ``CALL``.

    ``cause`` is an id of the vocabulary, two joined by " + ", "ambiguous", "unknown", or "" where nothing is wrong;
    ``causes`` are the candidates. ``repaired`` is the formula that holds, "" where none was found. ``error``,
    ``bound`` and ``ratio`` = error / bound belong to the worst entry of the first probe on which the line is wrong.
    ``diff`` is the repair in the writer's text, empty where its place there is not known.
    """

    target: str
    line: int
    text: str
    verdict: str
    cause: str
    causes: tuple[str, ...]
    repaired: str
    formula_ids: tuple[str, ...]
    error: float
    bound: float
    ratio: float
    shape_got: tuple[int, ...]
    shape_expected: tuple[int, ...]
    message: str
    cell: int | str = 0
    diff: tuple[Change, ...] = ()

    def __str__(self) -> str:
        """A line with its verdict and cause; below it, where it does not hold, what to do about it."""
        place = f"{self.place}: " if self.place else ""
        cause = f" [{', '.join(self.causes) if self.cause == AMBIGUOUS else self.cause}]" if self.cause else ""
        head = f"{place}{self.text or self.target}  {self.verdict}{cause}"
        rows = [self.condition] * bool(self.condition) if self.verdict == HOLDS else self.message.splitlines()
        return "\n    ".join([head, *rows])

    @property
    def condition(self) -> str:
        """On what it depends that a line holds, "" where on nothing."""
        said = self.message.partition(" holds. ")[2]
        return said if said.startswith("It is right if ") else ""

    @property
    def place(self) -> str:
        """Where it stands: "line 7", "cell 3, line 2", "the call", "" where that is not known."""
        return place_of(self.cell, self.line)

    @property
    def why(self) -> str:
        """The message for where the verdict and what holds are shown beside it: what they say is left out."""
        holding = self.message.partition(" holds, ")[2] or self.condition
        message = self.message if self.verdict != HOLDS else holding
        return message.replace(f" With\n    {self.repaired}\nit holds.", "")

    def as_json(self) -> dict[str, Any]:
        """Plain data; a number that JSON lacks becomes None."""
        changes = [{"line": line, "old": [*old], "new": [*new]} for line, old, new in self.diff]
        data = self._asdict() | {"diff": changes}
        for name in ("error", "bound", "ratio"):
            if not np.isfinite(data[name]):
                data[name] = None
        return data

    def with_diff(self, file: str) -> str:
        """The message with the repair as a diff of the writer's lines in a file, where their place is known."""
        if not self.diff:
            return self.message
        places = ", ".join(dict.fromkeys(str(each.line) for each in self.diff))
        own, cell = (self.cell, 0) if isinstance(self.cell, str) else (file, self.cell)
        where = f"{file}, cell {cell}, line {places}" if cell else f"{own}:{places}"
        shown = "\n".join(f"    {row}" for each in self.diff for row in each.shown)
        written = self.repaired.replace(NEW_LINE, f"{NEW_LINE}    ")
        for inline, instead in ((f" With\n    {written}\nit holds", "With"), (f" {self.repaired} holds", "")):
            before, found, behind = self.message.partition(inline)
            if found and instead == "With":
                rest = behind.removeprefix(".").strip()
                return f"{before} In {where} it holds with\n{shown}{NEW_LINE * bool(rest)}{rest}"
            if found:
                return f"{before} {'in' if before.endswith(',') else 'In'} {where} this holds{behind}\n{shown}"
        return f"{self.message}\nIn {where}:\n{shown}"


class Cost(NamedTuple):
    """J in words: the line of the derivation that says so, 0 where none does, and the costs that fit beside it.

    ``otherwise`` is a usual cost under which it would not hold, where nothing that is written decides between the two.
    """

    text: str
    line: int = 0
    implied: tuple[str, ...] = ()
    cell: int | str = 0
    otherwise: str = ""


class Summary(NamedTuple):
    """How many quantities got each verdict; ``helpers`` are lines that a judged one reads."""

    judged: int
    holds: int
    wrong: int
    cannot_tell: int
    not_judged: int
    helpers: int = 0
    doubtful: int = 0
    no_claims: int = 0

    @property
    def sentence(self) -> str:
        """The counts in words: 7 judged: 6 hold, 1 wrong."""
        counts = ((self.holds, "hold" if self.holds != 1 else "holds"), (self.wrong, WRONG))
        parts = [
            f"{count} {word}"
            for count, word in (*counts, (self.cannot_tell, "cannot be told"), (self.doubtful, DOUBTFUL))
            if count
        ]
        return f"{self.judged} judged" + (f": {', '.join(parts)}" if parts else "")


class Judged(NamedTuple):
    """All that is said of a derivation, a file of functions or a file of numbers.

    ``source`` is what was given; ``cost`` is J; ``convention`` says where the 1/m and the sign stand; ``layout`` the
    network, where the examples are, and how both became known; ``referees`` found the truths. ``lines`` holds a Verdict
    for every quantity, those that were not judged too. ``notes`` are sentences on what was left out or taken from
    elsewhere.
    """

    source: str
    cost: Cost
    convention: str
    layout: str
    referees: tuple[str, ...]
    lines: tuple[Verdict, ...]
    summary: Summary
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """What it was judged against, each line with its verdict, and the counts."""
        lines = [str(line) for line in self.lines if line.verdict != NO_CLAIM]
        return "\n".join([*against(self), *lines, closing(self)])

    def __repr__(self) -> str:
        """What a prompt shows."""
        return str(self)

    def _repr_html_(self) -> str:
        """A table for notebooks: each line with its verdict, and beside a wrong one what would hold."""
        rows: list[tuple[str, tuple[str, ...]]] = []
        for line in self.lines:
            cause = ", ".join(line.causes) if line.cause == AMBIGUOUS else line.cause
            cells = (escape(line.place), html.code(line.text or line.target), html.mark(line.verdict, cause))
            row = line.verdict, (*cells, html.code(line.repaired), html.sentences(line.why))
            if row not in rows:  # the entries of a dict are judged one by one
                rows.append(row)
        heads = ("line", "as it is written", "verdict", "what holds", "why")
        return html.table(heads, rows, len(heads), [*against(self), closing(self)])

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            **self._asdict(),
            "cost": self.cost._asdict(),
            "lines": [line.as_json() for line in self.lines],
            "summary": self.summary._asdict(),
        }


def against(judged: Judged) -> list[str]:
    """J, the network, the layout and the referees, in two sentences."""
    text = judged.cost.text
    symbol, equals, formula = text.partition(" = ")
    rows = [f"{symbol} is {formula}." if equals and symbol.isidentifier() else f"{text}."] if text else []
    if judged.layout:
        rows.append(f"{judged.layout[0].upper()}{judged.layout[1:]}. Referees: {' and '.join(judged.referees)}.")
    if judged.convention not in ("", NOTES_CONVENTION):
        rows.append(f"Convention: {judged.convention}.")
    return [*rows, *judged.notes]


def closing(judged: Judged) -> str:
    """The counts in words: 7 judged: 6 hold, 1 wrong; not judged: 2 (q, dB); 3 helpers."""
    left = [line.place or line.target for line in judged.lines if line.verdict == NOT_JUDGED]
    named = f"{len(left)} ({', '.join(left)})" if left else "" if judged.cost.otherwise else "none"
    if judged.cost.otherwise:
        named += f"{' and ' * bool(left)}whether J is {judged.cost.otherwise}"
    parts = [judged.summary.sentence, f"not judged: {named}"]
    if judged.summary.helpers:
        parts.append(f"{judged.summary.helpers} helper{'s' if judged.summary.helpers > 1 else ''}")
    if judged.summary.no_claims:
        parts.append(f"{judged.summary.no_claims} that claim nothing")
    return "; ".join(parts) + "."


def place_of(cell: int | str, line: int) -> str:
    """A place in words: "line 7", "cell 3, line 2", "the call", "" for line 0; cells below 0 are those of Markdown.

    In place of a cell the name of another file may stand.
    """
    if line > CALL:
        return "the call"
    if isinstance(cell, str):
        return f"{cell}, line {line}"
    if cell < 0:
        return f"Markdown cell {-cell}, line {line}"
    return f"{f'cell {cell}, ' if cell else ''}line {line}" if line else ""


LINES = re.compile(r"\blines? (\d+(?:, \d+)*)")

Places = Callable[[int], tuple[int | str, int]]
"""The cell of a line, or the other file that it stands in, 0 where there is none, and the line in it."""


def located(judged: Judged, places: Places = lambda line: (0, line)) -> Judged:
    """The verdicts with every line where it stands: in a cell of a notebook, or in the call."""
    said = partial(placed, places=places)

    def moved(verdict: Verdict) -> Verdict:
        cell, line = places(verdict.line)
        diff = tuple(each._replace(line=places(each.line)[1]) for each in verdict.diff)
        return verdict._replace(cell=cell, line=line, message=said(verdict.message), diff=diff)

    cell, line = places(judged.cost.line)
    cost = judged.cost._replace(text=said(judged.cost.text), cell=cell, line=0 if line > CALL else line)
    convention, layout = said(judged.convention), said(judged.layout)
    return judged._replace(cost=cost, convention=convention, layout=layout, lines=tuple(map(moved, judged.lines)))


def placed(text: str, places: Places) -> str:
    """A sentence with every line where it stands."""

    def words(match: re.Match[str]) -> str:
        found = [places(int(number)) for number in match[1].split(", ")]
        if all(cell == 0 and line <= CALL for cell, line in found):
            return f"line{'s' * (len(found) > 1)} {', '.join(str(line) for _, line in found)}"
        return "; ".join(dict.fromkeys(place_of(*each) for each in found))

    return LINES.sub(words, text)


def not_judged(target: str, line: int, text: str, reason: str) -> Verdict:
    """The verdict on what nothing was found out about."""
    return Verdict(target, line, text, NOT_JUDGED, "", (), "", (), np.nan, np.nan, np.nan, (), (), reason)


def summarised(lines: Iterable[Verdict], helpers: int = 0) -> Summary:
    """The counts of these verdicts."""
    found = [line.verdict for line in lines]
    kinds = (HOLDS, WRONG, CANNOT_TELL, NOT_JUDGED, DOUBTFUL, NO_CLAIM)
    holds, wrong, untold, left, doubtful, none = (found.count(each) for each in kinds)
    return Summary(len(found) - left - none, holds, wrong, untold, left, helpers, doubtful, none)


def in_order(lines: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """The verdicts as their lines stand; of one line, as they were found."""
    return tuple(sorted(lines, key=lambda each: each.line))


def explain(agreement: Agreement | None, problem: str, sizes: dict[str, Any]) -> str:
    """What the numbers show: a problem in computing them, the shapes, the ratio's pattern, or the worst entry."""
    if agreement is None:
        return problem
    if not agreement.same_shape:
        return f"has shape {agreement.shape_got}, expected {agreement.shape_expected}"
    one = len(agreement.worst_index) == 0 or np.prod(agreement.shape_got) == 1
    if agreement.ratio is not None and not one and _is_usual(agreement.ratio, sizes):
        return f"is {times(agreement.ratio, sizes)} everywhere"
    if agreement.got == 0 and not np.isfinite(agreement.error):
        return "is zero"
    place = f" at {list(agreement.worst_index)}" if agreement.worst_index else ""
    return f"is {agreement.got:.6g}{place}, expected {agreement.expected:.6g}"


def _is_usual(ratio: float, sizes: dict[str, Any]) -> bool:
    """Whether a ratio is one that people bring in: a small whole number, or a size, once or twice."""
    size = max(abs(ratio), 1 / abs(ratio))
    counts = [*range(1, 11), *(count**power for count in sizes.values() if count > 1 for power in (1, 2))]
    return any(np.isclose(size, count, rtol=1e-9, atol=0) for count in counts)


def times(ratio: float, sizes: dict[str, Any]) -> str:
    """The ratio in words: which count it is, too large or too small."""
    if np.isclose(ratio, -1, rtol=1e-9, atol=0):
        return "the negative of what it should be"
    sign = "of the other sign and " if ratio < 0 else ""
    size = abs(ratio)
    for name, count in sizes.items():
        for power, mark in ((1, ""), (2, " squared")):
            if count > 1 and np.isclose(size, count**power, rtol=1e-9, atol=0):
                return f"{sign}{name}{mark} = {count**power} times too large"
            if count > 1 and np.isclose(size, count**-power, rtol=1e-9, atol=0):
                return f"{sign}{name}{mark} = {count**power} times too small"
    return f"{sign}{size:.6g} times too large" if size > 1 else f"{sign}{1 / size:.6g} times too small"


def teach(cause: str) -> str:
    """The cause, or causes, in a sentence."""
    return " and ".join(CAUSES.get(each, each) for each in cause.split(" + "))
