"""The flags that commands share: what they name exists in both packages, and they mean the same to every command."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import pytest

from manual.commands import recipe, train
from manual.optimizers import OPTIMIZERS
from manual.recipe.steps import RATES
from manual.schedules import SCHEDULES
from manual.shared.class_weights import by_class
from manual.shared.train_flags import DECAYS, FLAGS
from torch_ref.commands import recipe as torch_recipe
from torch_ref.commands import search as torch_search
from torch_ref.commands import train as torch_train
from torch_ref.optimizers import OPTIMIZERS as TORCH_OPTIMIZERS
from torch_ref.schedules import SCHEDULES as TORCH_SCHEDULES

ROWS = {row.name: row for flags in FLAGS.values() for row in flags}

Configure = Callable[[argparse.ArgumentParser], None]


def help_of(configure: Configure) -> dict[str, str | None]:
    """The help of a command's flags, by flag."""
    parser = argparse.ArgumentParser()
    configure(parser)
    return {action.option_strings[-1]: action.help for action in parser._actions}


def test_the_decays_that_can_be_asked_for_are_the_schedules_of_both_packages() -> None:
    assert list(DECAYS) == list(SCHEDULES) == list(TORCH_SCHEDULES)
    assert f"or {', '.join(DECAYS)};" in ROWS["--decay"].text


def test_the_optimisers_that_help_names_are_those_of_both_packages() -> None:
    named, _, default = ROWS["--optimizer"].text.partition("; default: ")
    assert named.split(", ") == list(OPTIMIZERS) == list(TORCH_OPTIMIZERS) == list(RATES)
    assert default == ROWS["--optimizer"].options["default"]


@pytest.mark.parametrize("configure", [train.configure, torch_train.configure], ids=["manual", "torch_ref"])
def test_train_has_every_flag(configure: Configure) -> None:
    found = help_of(configure)
    assert all(found[name] == row.text for name, row in ROWS.items())


@pytest.mark.parametrize(
    ("configure", "without"),
    [
        (recipe.configure, {"--keep-prob"}),
        (torch_recipe.configure, {"--keep-prob"}),
        (torch_search.configure, set()),
    ],
    ids=["recipe", "torch_recipe", "torch_search"],
)
def test_data_and_network_are_named_alike_everywhere(configure: Configure, without: set[str]) -> None:
    expected = {row.name for title in ("data", "network") for row in FLAGS[title]}
    found = help_of(configure)
    assert expected - found.keys() == without
    for name in (expected - without) | {"--seed", "--dtype"}:
        assert found[name] == ROWS[name].text
    parser = argparse.ArgumentParser()
    configure(parser)
    # where dropout is named in --layers alone, nothing else is dropped
    assert parser.parse_args([]).keep_prob == (1.0 if without else None)


def test_a_class_that_does_not_occur_takes_no_part_in_the_balance() -> None:
    codes, weights = np.array([0, 0, 0, 2]), np.array([1.0, 2.0, 1.0, 4.0])
    np.testing.assert_allclose(by_class("balanced", ["a", "b", "c"], codes, weights), [1, 2, 1, 4])
    np.testing.assert_allclose(by_class({"c": 0.5}, ["a", "b", "c"], codes, weights), [1, 2, 1, 2])
