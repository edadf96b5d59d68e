"""The cost with its penalty, and mini-batches: F196 to F218."""

from __future__ import annotations

from parity_tests.report.chapters.formula import Formula

FORMULAS = (
    Formula(
        "costs.l2_penalty network.penalty",
        "The L2 penalty",
        r"\frac{\lambda}{2m} \sum_{l} \left\| W^{[l]} \right\|_F^{2} = "
        r"\frac{\lambda}{2m} \sum_{l} \sum_{k} \sum_{j} \bigl( w_{kj}^{[l]} \bigr)^{2}",
        "The squares of all weights, never of biases. The 2 below is there to cancel: the gradient is "
        "$\\frac{\\lambda}{m} W$, and a step becomes $W (1 - \\alpha \\lambda / m) - \\ldots$, which is why it is also "
        "called weight decay.",
        "l2-factor-2", "dW - dW_data is a multiple of W, and the multiple is half or twice lambda/m.",
        cases="costs.l2_penalty costs.frobenius_norm", see="F200 F203 F204 F205",
        shapes="W of any shape; the penalty is one number.",
    ),
    Formula(
        "network.cost",
        "The cost of a network",
        r"J = \frac{1}{m} \sum_{i=1}^{m} L(a^{[L](i)}, y^{(i)}) + \frac{\lambda}{2m} \sum_{l} \left\| W^{[l]} "
        r"\right\|_F^{2}",
        "Losses are summed over the outputs and averaged over the examples. It is computed from $Z^{[L]}$, in a form "
        "that "
        "never overflows.",
        "l2-averaged-again", "J looks right for small lambda: the penalty alone is m times too small.",
        quantities="J|J with L2", see="F175",
        lacks="The mean loss and the penalty, added: costs.l2_penalty has the loop of the second.",
    ),
)  # fmt: skip

MINIBATCH = (
    Formula(
        "training.minibatches draws.shuffled",
        "Mini-batches",
        r"X = \bigl[ X^{\{1\}} \; X^{\{2\}} \cdots X^{\{T\}} \bigr], \qquad T = \left\lceil m / c \right\rceil",
        "Shuffle, cut into pieces of $c$ columns, the last one short. Each piece is a set of examples of its own, "
        "with its "
        "own $m$: the mean of the pieces' gradients, weighted by their sizes, is the whole gradient.",
        "wrong-divisor", "Divided by c in the last, short batch: its gradient is too small by the share that is "
        "missing.",
        lacks="It reorders and cuts, and computes nothing; torch trains on the very same pieces.",
    ),
    Formula(
        "training.fit",
        "Training",
        r"\text{for each epoch, for each batch } t: \qquad (W, b) \coloneqq (W, b) - \alpha\, \nabla J^{\{t\}}(W, b)",
        "An epoch passes over all examples once and makes $\\left\\lceil m / c \\right\\rceil$ steps. A cost that is "
        "not finite, or "
        "above three times its first value, ends the run and says at which step.",
        "wrong-count", "Steps per epoch taken for c: it is the number of batches.",
        lacks="It is a loop already: over the epochs, and in each over the batches.",
    ),
    Formula(
        "clipping.gradient_norm",
        "The length of a gradient",
        r"\left\| \nabla J \right\| = \sqrt{\sum_{l} \left\| dW^{[l]} \right\|_F^{2} + \left\| db^{[l]} \right\|^{2}}",
        "All gradients as one vector: the root of the sum of all squares. Clipping shortens the vector where it is "
        "longer "
        "than a limit, and keeps its direction.",
        "Each layer is clipped by itself.", "The direction of the step changes: only the common factor keeps it.",
        cases="clipping.*",
        shapes="Gradients of any shapes; their length is one number.",
    ),
)  # fmt: skip
