"""What a text says does not depend on its names, its layout or where its lines break; a mistake stays where it is."""

from __future__ import annotations

import re

import pytest

from parity_tests.derivations.engine.texts import verify_text
from parity_tests.derivations.verdicts import HOLDS, WRONG
from parity_tests.tests.derivations.engine_texts import all_texts, network
from parity_tests.tests.slices import sliced

OWN_NAMES = {
    "X": "inputs", "Y": "targets", "m": "n_samples", "J": "total_loss", "W1": "w_in", "b1": "b_in", "W2": "w_out",
    "b2": "b_out", "Z1": "pre", "A1": "act", "Z2": "logits", "A2": "out", "E": "expo", "A0": "batch_in",
}  # fmt: skip
ANYONES_NAMES: list[dict[str, str]] = [
    {"b": "q", "b1": "q1", "b2": "q2", "b3": "q3"},
    {"Y": "wanted", "y": "wanted"},
    {"X": "inp", "Y": "Tgt", "y": "tgt"},
    {"W1": "U", "W2": "V", "b1": "p", "b2": "r"},
    {"W": "theta", "W1": "w1", "W2": "w2", "X": "samples", "x": "sample"},
]
"""Names that tell nothing, or of a kind that is used for something else: p as a bias, V as weights."""

ANYONES_TEXTS = (
    "rows-labels-l2", "columns-course", "columns-chain-of-dA", "no-cost-labels", "no-cost-ascent", "linear-regression",
    "linear-mse-mean", "softmax-regression-onehot", "rnn-three-steps-columns", "layer-norm-gain-named-g",
    "bias-as-a-column-of-ones",
)  # fmt: skip
MISTAKES = {
    "none": ("", ""),
    "sign": ("dZ1 = ", "dZ1 = -"),
    "slope": (" * (1 - A1**2)", ""),
    "square": ("A1**2", "A1"),
    "factor": ("dW1 = ", "dW1 = 2 * "),
    "bias": ("np.sum(dZ2", "np.mean(dZ2"),
}


def renamed(text: str) -> str:
    """The text in a person's own names; a gradient's name follows its symbol's."""
    for old, new in OWN_NAMES.items():
        text = re.sub(rf"\b{old}\b", new, text)
        text = re.sub(rf"\bd{old}\b", f"d_{new}", text)
    return text


def named(text: str, names: dict[str, str]) -> str:
    """The text with other names; those of the gradients follow."""
    for old, new in names.items():
        text = re.sub(rf"\b(d?){old}\b", lambda found, new=new: found[1] + new, text)  # type: ignore[misc]
    return text


def wrong_rows(text: str) -> set[int]:
    """The numbers of the wrong lines."""
    judged = verify_text(text)
    assert judged is not None
    return {line.line for line in judged.lines if line.verdict == WRONG}


@pytest.mark.parametrize(("mistake", "cost"), sliced(zip(MISTAKES, ("squared", "softmax") * 3, strict=True), 6))
def test_names_layout_and_breaks_of_lines_change_no_verdict(mistake: str, cost: str) -> None:
    old, new = MISTAKES[mistake]
    columns = network(False, 2, "tanh", cost)
    rows = network(True, 2, "tanh", cost)
    expected = set()
    for text in (columns, rows):
        spoiled = text.replace(old, new, 1) if old else text
        here = {n for n, (a, b) in enumerate(zip(text.split("\n"), spoiled.split("\n"), strict=True), 1) if a != b}
        expected = here
        assert wrong_rows(spoiled) == here
        assert wrong_rows(renamed(spoiled)) == here
        assert wrong_rows("# a comment\n\n" + spoiled.replace("\n", "\n\n")) == {2 * n + 1 for n in here}
        joined = spoiled.replace("\nA1 = ", "; A1 = ").replace("\ndb2 = ", "; db2 = ")
        assert len(wrong_rows(joined)) == len(here)
    assert len(expected) == (mistake != "none")


@pytest.mark.parametrize("names", ANYONES_NAMES, ids=lambda names: "-".join(names.values()))
@pytest.mark.parametrize("name", sliced(ANYONES_TEXTS, 6))
def test_what_a_name_is_shows_in_its_use(name: str, names: dict[str, str]) -> None:
    text = all_texts()[name]
    other = named(text, names)
    judged, before = verify_text(other), verify_text(text)
    assert judged is not None
    assert before is not None
    assert judged.summary == before.summary, [line.message for line in judged.lines if line.verdict != HOLDS]
    assert before.summary.wrong == before.summary.not_judged == 0


def test_independent_lines_may_change_places() -> None:
    lines = network(True, 2, "relu", "sigmoid").split("\n")
    place = next(n for n, row in enumerate(lines) if row.startswith("dW2"))
    swapped = [*lines[:place], lines[place + 2], lines[place + 1], lines[place], *lines[place + 3 :]]
    assert wrong_rows("\n".join(swapped)) == set()


def test_a_long_formula_may_be_split() -> None:
    text = network(False, 2, "tanh", "squared")
    row = next(each for each in text.split("\n") if each.startswith("dZ1"))
    split = "back = W2.T @ dZ2\nslope = 1 - A1 * A1\ndZ1 = back * slope"
    assert wrong_rows(text.replace(row, split)) == set()
    assert len(wrong_rows(text.replace(row, split.replace("back * slope", "back")))) == 1
