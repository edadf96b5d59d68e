"""Sets drawn from a seed: 400 examples each, all but one of them in the plane."""

from __future__ import annotations

import numpy as np

from .dataset import Raw

EXAMPLES = 400
PLANE = ("x1", "x2")


def moons(seed: int) -> Raw:
    """Two half circles that reach into each other."""
    from sklearn.datasets import make_moons

    X, labels = make_moons(EXAMPLES, noise=0.2, random_state=seed)
    return Raw("binary", X, labels, PLANE, ("upper", "lower"))


def circles(seed: int) -> Raw:
    """A ring around a disc: no line divides them."""
    from sklearn.datasets import make_circles

    X, labels = make_circles(EXAMPLES, noise=0.1, factor=0.5, random_state=seed)
    return Raw("binary", X, labels, PLANE, ("outer", "inner"))


def blobs(seed: int) -> Raw:
    """Three round clouds that touch; the centers stay, so that no seed lays one cloud over another."""
    from sklearn.datasets import make_blobs

    centers = [(-3.0, -2.0), (3.0, -2.0), (0.0, 3.0)]
    X, labels, *_ = make_blobs(EXAMPLES, centers=centers, cluster_std=1.2, random_state=seed)
    return Raw("multiclass", X, labels, PLANE, ("left", "right", "top"))


def multilabel(seed: int) -> Raw:
    """Documents as counts of 20 words, each with any number of 5 topics."""
    from sklearn.datasets import make_multilabel_classification

    X, Y = make_multilabel_classification(EXAMPLES, n_features=20, n_classes=5, random_state=seed)
    words, topics = range(1, 21), range(1, 6)
    return Raw("multilabel", X, Y, tuple(f"word {j}" for j in words), tuple(f"topic {k}" for k in topics))


def flower(seed: int) -> Raw:
    """Eight petals in two colours: radius = 4 sin(4 angle), one colour for each half turn.

    A negative radius lies on the far side of the center, and so the two colours interleave.
    """
    rng = np.random.default_rng(seed)
    half_turn = np.linspace(0, np.pi, EXAMPLES // 2, endpoint=False)
    clean = np.concatenate([half_turn, half_turn + np.pi])
    labels = np.repeat([0, 1], EXAMPLES // 2)
    angle = clean + 0.1 * rng.standard_normal(EXAMPLES)
    radius = 4 * np.sin(4 * clean) + 0.2 * rng.standard_normal(EXAMPLES)
    X = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    return Raw("binary", X, labels, PLANE, ("red", "blue"))
