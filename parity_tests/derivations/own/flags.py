"""The flags of ``verify`` as a person writes them, on the command line or on the page, and the options they make."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from parity_tests.derivations.own.answers import Options
from parity_tests.derivations.own.sources import PROGRAMS, is_note

if TYPE_CHECKING:
    from parity_tests.derivations.engine.networks import Network
    from parity_tests.derivations.latex.conventions import Told


class Flags(NamedTuple):
    """What is said beside a derivation; "", None and False say nothing. ``verify --help`` says what each means.

    ``l2`` is True for the penalty of a setting, and a formula for that of a network in words.
    """

    setting: str | None = None
    l2: bool | str = False
    net: str | None = None
    cost: str = ""
    layout: str = ""
    let: str = ""
    no_bias: bool = False
    chain: bool = False
    strict: bool = False
    call: str = ""
    grads: str = ""
    reference: str = ""
    seed: int = 0

    def options(self, files: Sequence[Path]) -> Options:
        """How these files, none for a formula, are judged.

        Raises ValueError for a flag that is none of theirs, for two that exclude each other, and for a network, a
        cost, a layout or a letter that is none.
        """
        programs = any(file.suffix in PROGRAMS for file in files)
        notes = any(is_note(file) for file in files)
        self._refuse(programs=programs, notes=notes)
        net = self._network(programs=programs, notes=notes)
        rubric = ""
        if self.reference:
            from parity_tests.derivations.own.program_file import rubric_of

            rubric = rubric_of(Path(self.reference), seed=self.seed)
        told = self._of_notes(programs=programs) if notes else None
        of_programs = (self.call, "" if net else self.cost, self.grads, rubric)
        named = "" if net or programs or notes else self.cost
        return Options(self.setting, bool(self.l2), self.chain, self.seed, self.strict, net, *of_programs, told, named)

    def refuse_with_numbers(self) -> None:
        """ValueError for a flag that says nothing about a file of numbers: a setting, its penalty and a seed do."""
        default = type(self)()
        for flag in set(self._fields) - {"setting", "l2", "seed"}:
            if getattr(self, flag) != getattr(default, flag):
                raise ValueError(f"--{flag.replace('_', '-')} says nothing about numbers, expected --data without it")

    def _refuse(self, *, programs: bool, notes: bool) -> None:
        """Refuse what would say nothing about these files."""
        for flag, value in (("--call", self.call), ("--grads", self.grads), ("--reference", self.reference)):
            if value and not programs:
                raise ValueError(f"{flag} belongs to programs, expected a .py file or a notebook with it")
        if self.let and not notes:
            raise ValueError("--let belongs to notes, expected a file with formulas in LaTeX with it")

    def _network(self, *, programs: bool, notes: bool) -> Network | None:
        """The network in words, None where there is none."""
        if self.net is None:
            cost, layout = not (programs or notes) and _is_of_a_network(self.cost), not notes and self.layout
            flags = {"--cost": cost, "--layout": layout, "--no-bias": self.no_bias}
            flags["--l2 with a formula"] = isinstance(self.l2, str)
            alone = next((flag for flag, value in flags.items() if value), None)
            if alone:
                raise ValueError(f"{alone} says more about a network, expected --net with it")
            return None
        if self.setting or self.chain or self.l2 is True:
            flag = "--setting" if self.setting else "--chain" if self.chain else "--l2 without a formula"
            raise ValueError(f"{flag} belongs to settings, expected --net without it")
        from parity_tests.derivations.engine.networks import network

        return network(self.net, self.cost, self.layout, self.l2 or "", biases=not self.no_bias)

    def _of_notes(self, *, programs: bool) -> Told:
        """What the flags say about a note; a cost in a program's own names says nothing about the note beside it."""
        from parity_tests.derivations.latex.conventions import Told
        from parity_tests.derivations.latex.references import costs_named

        letters = dict(each.split("=", 1) for each in self.let.split(",") if "=" in each)
        if self.let and len(letters) != self.let.count(",") + 1:
            raise ValueError(f"--let is {self.let!r}, expected letters and symbols such as H=A1,S=Z2")
        if self.layout not in ("", "rows", "columns"):
            raise ValueError(f"--layout is {self.layout!r}, expected rows or columns")
        cost = self.cost
        try:
            costs_named(cost)
        except ValueError:
            if not programs:
                raise
            cost = ""
        return Told(letters, self.layout, cost, strict=self.strict)


def _is_of_a_network(cost: str) -> bool:
    """Whether a cost is that of a network in words, and not the name of J in a text."""
    if not cost:
        return False
    from parity_tests.derivations.engine.networks import COSTS

    return not cost.isidentifier() or cost in COSTS
