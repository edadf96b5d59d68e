"""Networks forward, shallow and deep: F063 to F092 and F148 to F162."""

from __future__ import annotations

from parity_tests.report.chapters.formula import Formula, recorded

SHALLOW = (
    *recorded("dense.linear_forward"),
    Formula(
        "network.forward network.forward_loop",
        "A network forward",
        r"A^{[0]} = X, \qquad Z^{[l]} = W^{[l]} A^{[l-1]} + b^{[l]}, \qquad A^{[l]} = g^{[l]}(Z^{[l]}), "
        r"\quad l = 1, \ldots, L",
        "Each layer needs what the one below gave, so the loop over the layers stays; the loop over the examples goes. "
        "The backward pass needs $Z$ and $A$ again: both are kept.",
        "wrong-layer", "Off by one in l: the shapes clash, or two layers of equal size swap their weights unnoticed.",
        quantities="Z|A", see="F070 F075 F089 F120 F150",
    ),
    Formula(
        "network.predict",
        "From probabilities to answers",
        r"\hat y = \begin{cases} 1 & a > 0.5 \\ 0 & a \le 0.5 \end{cases} \qquad \text{or} \qquad "
        r"\hat y = \mathrm{arg}\,\max_j\, a_j",
        "A sigmoid output is read as a probability and compared with a half; of several classes the most probable one "
        "is "
        "the answer. A regression's output is the answer itself.",
        "The threshold is put on Z, not on A.", "Accuracy looks poor for one class only: z > 0.5 means a > 0.62.",
        lacks="A comparison, or a maximum, for each example: it adds up nothing.",
    ),
)  # fmt: skip

DEEP = (
    Formula(
        "architecture.model",
        "Sizes of a deep network",
        r"W^{[l]}: (n^{[l]}, n^{[l-1]}), \qquad b^{[l]}: (n^{[l]}, 1), \qquad Z^{[l]}, A^{[l]}: (n^{[l]}, m)",
        "The product $W^{[l]} A^{[l-1]}$ fixes the shapes: as many columns as there are units below, as many rows as "
        "there "
        "are units here. A gradient has the shape of what it belongs to.",
        "shape", "W written as (n[l-1], n[l]): the first product raises, unless two layers are equally wide.",
        see="F149 F153 F154 F158",
        shapes="W (n, n_prev), b (n, 1), Z and A (n, m) of every layer.",
        lacks="It describes a network and computes nothing; torch_ref.network.build makes a torch module of it.",
    ),
)  # fmt: skip
