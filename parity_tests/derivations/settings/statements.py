"""What a reference text says, once it is read: what is drawn, and the statements up to the cost and behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from parity_tests.derivations.settings.setting import Kind, derivation_of


class Given(NamedTuple):
    """A symbol that is drawn as ``draw`` says, or that follows from others by a formula."""

    name: str
    shape: str | None
    draw: str
    formula: str


class Statement(NamedTuple):
    """A symbol with its right side; ``truth`` is a formula on what else is true, "" for the usual, ``own`` too."""

    name: str
    right: str
    right_l2: str
    kind: Kind
    truth: str = ""
    own: str = ""

    def text(self, l2: bool) -> str:
        """The lines that give the symbol its value."""
        return derivation_of(self.name, self.right_l2 if l2 else self.right)

    def computed(self, l2: bool) -> str:
        """The same as the engine runs it."""
        if not self.truth:
            return self.text(l2)
        return f"{self.name} = {self.truth} {self.penalty if l2 else ''}"

    def on_own(self) -> Statement:
        """The same as it is computed on a person's own numbers."""
        return self._replace(truth=self.own or self.truth)

    @property
    def penalty(self) -> str:
        """What the penalty adds."""
        return self.right_l2.removeprefix(self.right)


@dataclass(frozen=True, eq=False)
class Reference:
    """A text that was read: what is drawn, the statements up to the cost and behind it, and the sizes by seed."""

    name: str
    names: tuple[str, ...]
    sizes: tuple[tuple[int, ...], ...]
    given: tuple[Given, ...]
    forward: tuple[Statement, ...]
    backward: tuple[Statement, ...]
    units: Mapping[str, str]
    batch: str
    torch: str = ""
    """The function that says what is true where there is no J, and the text's names for what it returns."""
    further: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Sizes beside those by seed: small ones, and wide ones, of which none is 1."""
