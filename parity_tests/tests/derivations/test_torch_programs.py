"""Programs in torch with a backward pass by hand: right ones hold, mistakes are found at their lines."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from parity_tests.derivations.engine.numbers.tensor import Tensor
from parity_tests.derivations.verdicts import CANNOT_TELL, HOLDS, WRONG
from parity_tests.tests.derivations.torch_programs import TORCH_PROGRAMS, TRAINED
from parity_tests.tests.derivations.verdicts import of_program, wrong_in
from parity_tests.tests.slices import sliced

MISTAKES = [(name, place) for name, each in TORCH_PROGRAMS.items() for place in range(len(each.mistakes))]
FEW = [("trained", place) for place in range(len(TRAINED.mistakes))] + [("step by step", 0)]


def wrong_lines(name: str, place: int) -> tuple[list[int], int]:
    written = TORCH_PROGRAMS[name]
    text, line = written.wrong(written.mistakes[place])
    judged = of_program(text)
    return [each.line for each in judged.lines if each.verdict == WRONG], line


@pytest.mark.parametrize("name", sliced(TORCH_PROGRAMS, 2))
def test_a_right_program_in_torch_holds_line_by_line(name: str) -> None:
    judged = of_program(TORCH_PROGRAMS[name].text)
    assert {line.verdict for line in judged.lines} == {HOLDS}, [line.message for line in judged.lines]
    assert judged.summary.holds >= 10
    assert judged.referees == ("torch's autograd", "central differences")


@pytest.mark.parametrize(("name", "place"), sliced(FEW, 8))
def test_a_mistake_in_torch_is_found_at_its_line(name: str, place: int) -> None:
    lines, line = wrong_lines(name, place)
    assert lines == [line]


@pytest.mark.bars
def test_all_mistakes_in_torch_are_flagged_and_most_at_their_lines() -> None:
    found = [wrong_lines(*each) for each in MISTAKES]
    assert all(lines for lines, _ in found)
    assert sum(line in lines for lines, line in found) >= 0.9 * len(MISTAKES)


def test_a_step_with_a_repair() -> None:
    text, line = TRAINED.wrong(TRAINED.mistakes[2])
    (wrong,) = wrong_in(of_program(text))
    assert (wrong.line, wrong.repaired) == (line, "grad_b1 = grad_h.sum(dim=0)")


@pytest.mark.slow
def test_a_referee_gone_wrong_is_no_mistake_of_the_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    right = torch.clamp

    class Spoilt(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, value: torch.Tensor) -> torch.Tensor:
            return right(value, min=0)

        @staticmethod
        def backward(context: Any, gradient: torch.Tensor) -> torch.Tensor:
            return 3 * gradient

    spoilt: Any = Spoilt.apply
    monkeypatch.setattr(Tensor, "clamp", lambda self, min: Tensor(spoilt(self.tensor)), raising=False)  # noqa: A006
    judged = of_program(TRAINED.text)
    verdicts = {line.verdict for line in judged.lines}
    assert CANNOT_TELL in verdicts
    assert WRONG not in verdicts
