"""The convention map: every translation exact, every naive one off, and the check able to say otherwise."""

from __future__ import annotations

import inspect
import json
import math
from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch
from torch.nn import functional

from manual import conv, costs
from parity_tests import conventions
from parity_tests.cli import main
from parity_tests.conventions import CONVENTIONS
from parity_tests.conventions.check import check, check_all
from parity_tests.conventions.convention import Convention
from parity_tests.conventions.devices import to_tf32
from parity_tests.conventions.table import percent
from parity_tests.formulas import FORMULAS
from parity_tests.formulas.run import run_case
from parity_tests.report.evidence import conventions_table

LINES = [(convention, dtype) for convention in CONVENTIONS for dtype in convention.dtypes]


BEYOND = {code.name.partition(".")[0] for formula in FORMULAS for code in formula.code if not code.notes}
"""Chapters that go further than the notes."""


def named(name: str) -> Convention:
    """The convention with that id."""
    return next(convention for convention in CONVENTIONS if convention.id == name)


EACH = pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda convention: convention.id)


@EACH
def test_the_translation_is_exact_and_the_naive_ones_are_not(convention: Convention) -> None:
    for dtype, seed in product(convention.dtypes, range(5)):
        outcome = check(convention, dtype, seed)
        assert outcome.exact, outcome.worst
        assert outcome.telling, outcome.gaps
        assert {result.quantity for result in outcome.results} == set(convention.bounds)
        assert all(gap.off > 1e-4 and gap.ratio > 10 for gap in outcome.gaps)


@EACH
def test_exact_and_naive_swapped_are_seen_but_not_where_only_shapes_are_looked_at(convention: Convention) -> None:
    for dtype, (name, naive) in product(convention.dtypes, convention.naive.items()):
        swapped = check(replace(convention, exact=naive, naive={name: convention.exact}), dtype)
        assert not swapped.exact
        assert not swapped.telling
        results = run_case(convention.case(naive), np.dtype(dtype).type, seed=0)
        assert [result.reason for result in results if result.reason] == []


def test_every_convention_says_what_it_is_about() -> None:
    assert max(Counter(convention.id for convention in CONVENTIONS).values()) == 1
    for convention in CONVENTIONS:
        texts = (convention.topic, convention.notes, convention.torch, convention.translation, *convention.naive)
        assert all(texts)
        assert not any("|" in text or "\n" in text for text in texts)
        assert convention.formulas.split() or convention.id.partition(".")[0] in BEYOND
        assert convention.naive
        assert set(convention.dtypes) <= {"float64", "float32"}
        assert convention.id.partition(".")[0] in vars(conventions)


TOPICS = (
    "momentum; RMSprop; Adam; decay of the learning rate; dropout; "
    "examples; dZ; dA; several sigmoid outputs; cost where a is 0 or 1; L2; L2 in mini-batches; ReLU'(0); "
    "reg in the training recipe; leaky ReLU'(0); layout of volumes; layout of filters; the operation; SAME padding; "
    "flatten before a dense layer; ties of max-pooling; padding of max-pooling; padding of average pooling; "
    "variance of a batch; epsilon of batch norm; running variance; momentum of batch norm; batch norm in use; "
    "momentum as a sum; dampening; momentum while the rate falls; Nesterov's momentum; AdamW; decay beside the step; "
    "order of the LSTM's gates; reset gate of the GRU; mask of attention; "
    "class weights; label smoothing; Huber's loss; hinge of several classes; "
    "float32 on a GPU; initial parameters; several processes (DDP)"
)


def test_the_known_traps_have_a_row() -> None:
    assert set(TOPICS.split("; ")) <= {convention.topic for convention in CONVENTIONS}


def test_what_the_texts_say_of_torch_beside_the_numbers() -> None:
    one, zero = torch.ones(1, 1), torch.zeros(1, 1)
    assert functional.binary_cross_entropy(one, zero) == 100
    assert np.isinf(costs.binary_cross_entropy(np.ones((1, 1)), np.zeros((1, 1))))
    with pytest.raises(RuntimeError, match="same"):
        functional.conv2d(torch.ones(1, 1, 6, 6), torch.ones(1, 1, 3, 3), padding="same", stride=2)
    with pytest.raises(ValueError, match="SAME"):
        conv.conv_forward(np.ones((1, 6, 6, 1)), np.ones((2, 2, 1, 1)), np.zeros((1, 1, 1, 1)), pad="same")
    assert isinstance(torch.backends.cudnn.allow_tf32, bool)
    layer = torch.nn.Linear(400, 50)
    values = torch.cat([layer.weight.flatten(), layer.bias])
    assert values.abs().max() <= 1 / math.sqrt(400)
    assert values.std().item() == pytest.approx(1 / math.sqrt(3 * 400), rel=0.03)
    assert layer.bias.abs().max() > 0
    assert torch.optim.RMSprop([one]).defaults["alpha"] == 0.99
    assert inspect.signature(functional.leaky_relu).parameters["negative_slope"].default == 0.01


def test_tf32_keeps_ten_bits_and_rounds_ties_to_even() -> None:
    u = 2.0**-11
    given = torch.tensor([1, 1 + u, 1 + 1.01 * u, 1 + 3 * u, -(1 + 2 * u), 0, 2.0**-100])
    expected = torch.tensor([1, 1, 1 + 2 * u, 1 + 4 * u, -(1 + 2 * u), 0, 2.0**-100])
    assert torch.equal(to_tf32(given), expected)


def test_what_needs_a_gpu_or_several_processes_says_that_it_is_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert {convention.id for convention in CONVENTIONS if convention.model} == {
        "devices.tf32",
        "devices.uneven_shards",
    }
    assert main(["conventions", "-k", "devices"]) == 0
    shown = capsys.readouterr().out
    assert shown.count("is a model, ") == 2


def test_the_command_shows_every_convention_in_plain_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conventions"]) == 0
    shown = capsys.readouterr().out
    assert all(convention.id in shown for convention in CONVENTIONS)
    assert "\x1b" not in shown
    assert "…" not in shown
    assert f"{len(CONVENTIONS)} conventions: every translation is exact" in shown.splitlines()[-1]


def test_json_has_a_line_for_every_convention_and_dtype(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conventions", "-k", "costs", "--json"]) == 0
    lines = json.loads(capsys.readouterr().out)
    assert [(line["id"], line["dtype"]) for line in lines] == [
        (convention.id, dtype) for convention, dtype in LINES if "costs" in convention.id
    ]
    fields = {"id", "topic", "notes", "torch", "translation", "formulas", "model", "dtype", "exact", "results", "naive"}
    assert all(line.keys() == fields and line["exact"] for line in lines)
    assert all(gap["differs"] and gap["off"] > 0 for line in lines for gap in line["naive"])


def test_a_wrong_formula_gives_exit_code_1_and_names_the_entry(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    padded = conv.zero_pad
    monkeypatch.setattr(conv, "zero_pad", lambda A, pad: 2 * padded(A, pad))
    assert main(["conventions", "-k", "average_padding"]) == 1
    shown = capsys.readouterr().out
    assert "not exact" in shown
    assert "fails: conventions.pooling.average_padding, A, float64, manual/torch: entry [" in shown
    assert main(["conventions", "-k", "average_padding", "--json"]) == 1


def test_a_naive_translation_that_agrees_gives_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    flip = named("convolution.flip")
    blunt = replace(flip, naive={"nothing": flip.exact})
    monkeypatch.setattr("parity_tests.commands.conventions.CONVENTIONS", (blunt,))
    assert main(["conventions"]) == 1
    assert "naive agrees" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-k", "nothing such"], "-k is 'nothing such', expected part of a convention's id"),
    ],
)
def test_bad_usage_gives_one_sentence(words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conventions", *words]) == 2
    assert sentence in capsys.readouterr().err


def test_the_page_shows_the_map() -> None:
    table = conventions_table(list(check_all(CONVENTIONS)))
    assert [row[0] for row in table.rows] == [convention.topic for convention in CONVENTIONS]
    assert all(cell for row in table.rows for cell in row)


def test_small_shares_keep_a_digit() -> None:
    assert [percent(off) for off in (6.0, 0.857, 0.1, 0.0289, 0.000345)] == ["600%", "86%", "10%", "3%", "0.03%"]
