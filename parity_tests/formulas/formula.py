"""The record of a formula: everything that is known about it, in one place. All else iterates the records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from parity_tests.formulas.case import Bound, Case, Derivative, Inputs
from parity_tests.formulas.planting import Fault

LOOP = "_loop"
"""A loop form is called like its formula, with this behind."""

MATRIX = "expected a matrix with no side of length 0"
EXAMPLES = f"{MATRIX}: examples are columns, at least one"
"""What most refusals of a shape say."""


class Code(NamedTuple):
    """A function, class or module of ``manual`` with its loop form and its counterpart in ``torch_ref``.

    ``notes`` are ids of the notes' formulas, as the docstring has them, separated by spaces. ``torch_name`` is the
    counterpart's name where it is called differently. What nothing calls from here may be None.
    """

    name: str
    notes: str
    manual: Callable[..., Any] | None = None
    loop: Callable[..., Any] | None = None
    torch: Callable[..., Any] | None = None
    torch_name: str = ""

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the notes' formulas."""
        return tuple(self.notes.split())

    @property
    def in_loops(self) -> str:
        """The loop form's name, "" where there is none."""
        return self.name + LOOP if self.loop else ""

    @property
    def in_torch(self) -> str:
        """The counterpart's name, "" where there is none."""
        return (self.torch_name or self.name) if self.torch else ""


def code(by_hand: ModuleType, torch_side: ModuleType | None, name: str, notes: str = "") -> Code:
    """A function of a chapter, with the loop form and the counterpart that the two modules have by its name."""
    function, loop, torch = (
        getattr(by_hand, name),
        getattr(by_hand, name + LOOP, None),
        getattr(torch_side, name, None),
    )
    return Code(f"{by_hand.__name__.removeprefix('manual.')}.{name}", notes, function, loop, torch)


class Sharp(NamedTuple):
    """A probe on which an error comes near its bound, so that a bound ten times wider, or one without a term, is seen.

    ``least`` is the least that the worst error / bound must be; it must also stay below ten times that, and below 1.
    The probe is that of the case ``of``, the record's first by default, or of one that stands here alone; ``inputs``
    take the place of its own, ``bounds`` of its bounds.
    """

    least: float
    name: str = ""
    inputs: Callable[[Any], Inputs] | None = None
    of: str | Case = ""
    bounds: dict[str, Bound] | None = None


class Refusal(NamedTuple):
    """The whole sentence of the ValueError that arguments get from the record's first code, or from ``of``."""

    sentence: str
    arguments: tuple[Any, ...]
    of: Callable[..., Any] | None = None


class Words(NamedTuple):
    """What the page says of a formula.

    ``latex`` has a formula a line; ``derivation`` is text with mathematics between dollar signs. ``mistake`` is the one
    that people make most, an id of the vocabularies or a sentence, and ``symptom`` how it shows. ``see`` are rows of
    the notes that belong here though the code does not name them; ``quantities`` are what the comparison of whole
    models says of it, separated by bars. ``shapes`` stands where the docstrings give none; ``lacks`` says why there is
    no loop form, or nothing in torch.
    """

    title: str
    latex: str
    derivation: str
    mistake: str
    symptom: str
    see: str = ""
    quantities: str = ""
    shapes: str = ""
    lacks: str = ""


ENTRYWISE = "It acts entry by entry: what a loop would do to each number is the formula itself."
COUNTED = "Whole numbers from whole numbers, once for each layer: there is nothing to make faster."
ONE_NUMBER = "One number from another: there is nothing to loop over."
BY_INDEX = "Its indices are the loops: every entry of the result is written out for its own."
"""Why a formula has no loop form."""

SAME_SHAPE = "The result has the shape of Z: (n, m), or (m, n_H, n_W, n_C) in a convolution."


@dataclass(frozen=True)
class Formula:
    """One formula, or a few that belong together.

    ``code`` is what computes it, the one to read first in front. A case, a fault and a refusal that name no code are
    about that one. ``uncompared`` says of ids in ``code``, separated by spaces, why no case has them.
    """

    code: tuple[Code, ...]
    words: Words
    cases: tuple[Case, ...] = ()
    sharp: tuple[Sharp, ...] = ()
    faults: tuple[Fault, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    uncompared: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Fill in what cases, faults and refusals leave to the first code and the first case."""
        first = self.code[0]
        cases = tuple(_completed(case, first) for case in self.cases)
        faults = tuple(each._replace(target=_target(each.target, self.id, cases)) for each in self.faults)
        refusals = tuple(each._replace(of=each.of or first.manual) for each in self.refusals)
        for name, value in (("cases", cases), ("faults", faults), ("refusals", refusals)):
            object.__setattr__(self, name, value)

    @property
    def id(self) -> str:
        """The name of the code to read first."""
        return self.code[0].name

    @property
    def names(self) -> list[str]:
        """The functions, classes and modules of ``manual``."""
        return [code.name for code in self.code]


def probe(
    inputs: Callable[[np.random.Generator], Inputs],
    bounds: Mapping[str, Bound],
    derivatives: Mapping[str, Derivative] | None = None,
    *,
    id: str = "",  # noqa: A002  # as the field is called
    formulas: str = "",
    stays_real: Mapping[str, str] | None = None,
) -> Case:
    """The case of the record's first code: its versions and, unless others are given, its name and its ids."""
    return Case(id, formulas, inputs, _of_the_record, None, _of_the_record, bounds, derivatives or {}, stays_real or {})


def pulled_back(
    forward: Callable[..., Any], upstreams: str, wrt: str, *, per_example: int, m: int = 1
) -> dict[str, Derivative]:
    """What a backward pass claims: the derivatives of sum upstream * output of ``forward``.

    The ``upstreams`` come in the order of the outputs. Of the arguments ``wrt`` the first few are ``per_example``, the
    others divided by m.
    """

    def scaled(divisor: int) -> Callable[..., Any]:
        def of(**arguments: Any) -> Any:
            given = [arguments.pop(name) for name in upstreams.split()]
            found = forward(**arguments)
            outputs = found if isinstance(found, tuple) else (found,)
            return sum(np.sum(dA * A) for dA, A in zip(given, outputs, strict=True)) / divisor

        return of

    return {
        f"d{name}": Derivative(scaled(1 if number < per_example else m), name)
        for number, name in enumerate(wrt.split())
    }


def refusal(sentence: str, *arguments: Any, of: Callable[..., Any] | None = None) -> Refusal:
    """What these arguments get."""
    return Refusal(sentence, arguments, of)


def _of_the_record(*arguments: Any) -> Any:
    """Stands for the versions of the record's first code until the record is made."""
    raise AssertionError("a case stands outside of its record")


def _completed(case: Case, code: Code) -> Case:
    if case.manual is not _of_the_record:
        return case
    assert code.manual is not None
    assert code.torch is not None
    return replace(
        case,
        id=case.id or code.name,
        formulas=case.formulas or code.notes,
        manual=code.manual,
        loop=code.loop,
        reference=code.torch,
    )


def _target(target: str, code: str, cases: tuple[Case, ...]) -> str:
    """The target of a fault: what is written, by default the code; a field is one of the first case."""
    return f"case:{cases[0].id} {target}" if target in Case.__dataclass_fields__ else target or code
