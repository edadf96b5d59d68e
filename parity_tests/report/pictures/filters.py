"""What a convolutional network learns: its first filters, and what they make of a digit."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure

from manual import network, training
from manual.architecture import model_for
from manual.notation import Array
from manual.shared.cli import toy_datasets
from manual.shared.settings import Settings
from parity_tests.report.pictures.style import BOTH_SIDES, Drawn, number, panels, styled

IMAGES = Settings(optimizer="adam", learning_rate=0.002, epochs=4, batch_size=64)

ACROSS = 4
"""Filters side by side."""


@styled
def filters(seed: int) -> Drawn:
    """The first layer's filters after training, and the first test image behind each of them."""
    data = toy_datasets().load("digits", seed=seed)
    net = model_for("convnet", data)
    run = training.fit(net, data.images_train, data.Y_train, IMAGES)
    W, image, digit = run.params["W1"][:, :, 0], data.images_test[:1], int(data.Y_test[:, 0].argmax())
    passed = network.forward(net, run.params, data.images_test)
    A = passed.A[1][0]
    right = float(np.mean(passed.A[-1].argmax(axis=0) == data.Y_test.argmax(axis=0)))
    drawn, parts = panels(["filters", f"a {digit}, and what they make of it"], height=4)
    largest = float(np.abs(W).max())
    _grid(parts[0], W, "filters of the first layer", "weight", cmap=BOTH_SIDES, vmin=-largest, vmax=largest)
    _grid(parts[1], A, f"the {digit} behind each filter, after ReLU", "activation", cmap="gray", vmin=0, vmax=A.max(),
          first=image[0, :, :, 0])  # fmt: skip
    mean = A.mean(axis=(0, 1))
    return Drawn(
        drawn, "Filters that a convolutional network learned, and its activations",
        f"The {W.shape[2]} filters of the convnet's first layer after {IMAGES.epochs} epochs on 8 by 8 digits "
        f"({right:.1%} of the test part right): blue weights are positive, orange ones negative, the largest "
        f"{number(largest)}. Beside them, one {digit}, and what each filter makes of it: bright is large, up to "
        f"{number(A.max())}. Filter {mean.argmax() + 1} answers most, filter {mean.argmin() + 1} least.",
    )  # fmt: skip


def _grid(part: SubFigure, values: Array, title: str, unit: str, first: Array | None = None, **look: object) -> None:
    """An image for every channel, (n_H, n_W, n_C), under ``first`` where it is given; and the scale of colours."""
    part.suptitle(title, fontsize=10.5)
    rows = values.shape[2] // ACROSS
    panels_ = part.subplots(rows, ACROSS + (first is not None), squeeze=False)
    if first is not None:
        for panel in panels_[:, 0]:
            panel.set_axis_off()
        panels_[0, 0].imshow(first, cmap="gray")
        panels_[0, 0].set_title("input", fontsize=9, pad=2)
    shown = panels_[:, int(first is not None) :]
    for c, panel in enumerate(shown.flat):
        image = panel.imshow(values[:, :, c], **look)
        _bare(panel, str(c + 1))
    part.colorbar(image, ax=shown, label=unit, shrink=0.8)


def _bare(panel: Axes, title: str) -> None:
    """An image without ticks."""
    panel.set_xticks([])
    panel.set_yticks([])
    panel.grid(visible=False)
    for spine in panel.spines.values():
        spine.set_visible(False)
    panel.set_title(title, fontsize=9, pad=2)
