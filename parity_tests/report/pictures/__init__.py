"""The pictures by name: functions of a seed that give a figure, each with its caption.

The pictures of a coarse and a fine search, in the plane of learning rate and penalty, belong after ``rates``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from matplotlib.figure import Figure

from parity_tests.report.pictures import formulas, training


class Drawing(NamedTuple):
    """How a picture is drawn, and what it shows."""

    draw: Callable[[int], Figure]
    caption: str


PICTURES: dict[str, Drawing] = {
    "graph": Drawing(
        formulas.graph,
        "The computational graph of logistic regression on one example: values in the boxes, the derivatives of the "
        "loss "
        "in orange below them.",
    ),
    "loops": Drawing(
        formulas.loops,
        "The same formula as a loop and as array code: the loop's time grows with the number of examples from the "
        "first "
        "one on, that of the array code hardly before a hundred.",
    ),
    "boundaries": Drawing(
        training.boundaries,
        "The probability of class 1 over the plane of two features, from networks trained by hand and in torch from "
        "the "
        "same start; the line is a half. Circles are class 0, triangles class 1.",
    ),
    "activations": Drawing(formulas.activations, "Activations, and their derivatives as dashed lines."),
    "spreads": Drawing(
        formulas.spreads,
        "The spread of the activations, layer by layer, from weights as they were drawn: 0.01 starves a deep network, "
        "1/sqrt(n) keeps tanh alive, sqrt(2/n) ReLU.",
    ),
    "costs": Drawing(
        training.costs, "The cost of every epoch by hand (broad) and in torch (narrow): one curve lies on the other."
    ),
    "rates": Drawing(
        training.rates,
        "The cost after a few epochs of gradient descent: too small a rate leaves it where it began, too large a one "
        "makes it explode, which training notices and stops.",
    ),
    "filters": Drawing(
        training.filters,
        "The filters of a convolutional network's first layer, trained on 8 by 8 digits: blue weights are positive, "
        "orange ones negative.",
    ),
    "feature-maps": Drawing(
        training.feature_maps, "One digit, and what each of these filters makes of it after ReLU: bright is large."
    ),
}
"""Those of whole models' errors are drawn from what the run measured: ``errors.errors``."""
