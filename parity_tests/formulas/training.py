"""Mini-batches and training. The free runs of the models compare them."""

from __future__ import annotations

import manual.training as by_hand
import torch_ref.training as torch_side
from parity_tests.formulas.formula import Code, Formula, Words, code

FORMULAS = (
    Formula(
        (code(by_hand, None, "minibatches", "F208 F209 F210 F215"), Code("draws.shuffled", "F208 F215")),
        Words(
            "Mini-batches",
            r"X = \bigl[ X^{\{1\}} \; X^{\{2\}} \cdots X^{\{T\}} \bigr], \qquad T = \left\lceil m / c \right\rceil",
            "Shuffle, cut into pieces of $c$ columns, the last one short. Each piece is a set of examples of its own, "
            "with its own $m$: the mean of the pieces' gradients, weighted by their sizes, is the whole gradient.",
            "wrong-divisor",
            "Divided by c in the last, short batch: its gradient is too small by the share that is missing.",
            lacks="It reorders and cuts, and computes nothing; torch trains on the very same pieces.",
        ),
        uncompared={
            "F208 F215": "an order that is drawn, not computed",
            "F209 F210": "the epochs of training, compared by the free runs of the models",
        },
    ),
    Formula(
        (
            code(
                by_hand,
                torch_side,
                "fit",
                "F181 F206 F207 F208 F209 F210 F211 F212 F213 F214 F215 F216 F217 F218 F253 F258 F259",
            ),
        ),
        Words(
            "Training",
            r"\text{for each epoch, for each batch } t: \qquad (W, b) \coloneqq (W, b) - \alpha\, \nabla J^{\{t\}}(W, "
            "b)",
            r"An epoch passes over all examples once and makes $\left\lceil m / c \right\rceil$ steps. A cost that is "
            "not finite, or above three times its first value, ends the run and says at which step.",
            "wrong-count",
            "Steps per epoch taken for c: it is the number of batches.",
            lacks="It is a loop already: over the epochs, and in each over the batches.",
        ),
        uncompared={
            "F211 F212 F213 F216 F217 F218 F258": "the epochs of training, compared by the free runs of the models"
        },
    ),
)
