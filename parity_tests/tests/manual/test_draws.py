"""What is drawn: masks, shuffles, and how a filter's weights count their inputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from manual.architecture import Architecture, Dense, Dropout, Flatten
from manual.draws import SCALES, dropout_mask, dropout_masks, fans, initial_parameters, shuffled


def test_fans_of_a_layer_and_of_filters() -> None:
    assert fans((4, 2)) == (2, 4)
    assert fans((2, 3, 5, 7)) == (2 * 3 * 5, 2 * 3 * 7)


def test_both_dtypes_get_the_same_mask() -> None:
    masks = [dropout_mask((40, 50), 0.8, np.random.default_rng(3), dtype) for dtype in (np.float64, np.float32)]
    assert [mask.dtype for mask in masks] == [np.float64, np.float32]
    assert dropout_mask((1,), 0.8, np.random.default_rng(3)).dtype == np.float64
    np.testing.assert_array_equal(masks[0], masks[1])
    assert set(np.unique(masks[0])) == {0.0, 1.0}
    assert abs(masks[0].mean() - 0.8) < 5 * np.sqrt(0.8 * 0.2 / 2000)  # five standard deviations
    assert dropout_mask((40, 50), 1.0, np.random.default_rng(3)).all()


def test_a_mask_takes_one_number_an_entry_from_the_generator() -> None:
    rng, again = np.random.default_rng(5), np.random.default_rng(5)
    mask = dropout_mask((3, 4), 0.4, rng)
    np.testing.assert_array_equal(mask, again.random((3, 4)) < 0.4)
    assert rng.random() == again.random()


def test_the_probability_to_keep_is_exact() -> None:
    class Quarters:
        """A generator that draws 0, 1/4, 2/4 and 3/4 once each."""

        def random(self, shape: tuple[int, ...]) -> Any:
            return (np.arange(4) / 4).reshape(shape)

    rng: Any = Quarters()
    assert [dropout_mask((4,), keep_prob, rng).sum() for keep_prob in (0.25, 0.5, 0.75, 1.0)] == [1, 2, 3, 4]


def test_a_shuffle_has_every_example_once() -> None:
    order = shuffled(50, np.random.default_rng(0))
    assert sorted(order) == list(range(50))
    assert order.tolist() != list(range(50))
    assert order.tolist() == shuffled(50, np.random.default_rng(0)).tolist()
    assert shuffled(1, np.random.default_rng(0)).tolist() == [0]


def test_no_example_no_shuffle() -> None:
    with pytest.raises(ValueError) as caught:
        shuffled(0, np.random.default_rng(0))
    assert str(caught.value) == "m is 0, expected a whole number of at least 1: the number of examples"


MASKED = Architecture((4, 5, 2), (Dropout(0.75), Flatten(), Dropout(0.25), Dense(3, "tanh"), Dense(1, "sigmoid")))


def test_every_dropout_layer_gets_a_mask_of_the_shape_of_its_values_and_its_own_probability() -> None:
    volumes, columns = dropout_masks(MASKED, 500, np.random.default_rng(0))
    assert (volumes.shape, columns.shape) == ((500, 4, 5, 2), (40, 500))
    assert volumes.dtype == columns.dtype == np.float64
    assert volumes.mean() == pytest.approx(0.75, abs=0.02)
    assert columns.mean() == pytest.approx(0.25, abs=0.02)
    assert dropout_masks(Architecture(2, (Dense(1, "sigmoid"),)), 5, np.random.default_rng(0)) == []


def test_masks_are_drawn_layer_by_layer_and_alike_in_both_dtypes() -> None:
    rng = np.random.default_rng(3)
    expected = [dropout_mask((7, 4, 5, 2), 0.75, rng), dropout_mask((40, 7), 0.25, rng)]
    for dtype in (np.float32, np.float64):
        found = dropout_masks(MASKED, 7, np.random.default_rng(3), dtype)
        for one, other in zip(found, expected, strict=True):
            assert one.dtype == dtype
            np.testing.assert_array_equal(one, other)


def test_a_scheme_that_is_none_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=f"^scheme is 'best', expected one of {', '.join(SCALES)}$"):
        initial_parameters(Architecture(2, (Dense(1, "sigmoid"),)), "best", np.random.default_rng(0))
