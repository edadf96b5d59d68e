"""Whole networks: what describes them, and the walks through their layers. The cases of the models compare them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import manual.network as by_hand
import torch_ref.network as torch_side
from manual import architecture
from manual.architecture import Architecture, Dense, model
from manual.draws import initial_parameters
from manual.layers import HIDDEN_UNITS
from manual.notation import Array
from parity_tests.formulas.case import LAMBDA, M
from parity_tests.formulas.formula import EXAMPLES, Formula, Words, code, refusal
from parity_tests.formulas.planting import fault, largest_moved, result


def _layers_swapped(right: Callable[..., Any]) -> Callable[..., Any]:
    """Layers 2 and 3, which have one shape, in the wrong order."""

    def planted(architecture: Architecture, params: dict[str, Array], X: Array, masks: Any = None) -> Any:
        return right(architecture, {**params, "W2": params["W3"], "W3": params["W2"]}, X, masks)

    return planted


def _biases_penalised(J: Any, architecture: Any, params: dict[str, Array], *rest: Any) -> Any:
    """lambda/(2m) sum b^2 on top of the cost."""
    return J + LAMBDA / (2 * M) * sum(np.sum(value**2) for name, value in params.items() if name[0] == "b")


W, B = np.ones((4, 2)), np.zeros((4, 1))
X, Y = np.ones((2, 3)), np.ones((1, 3))
NET = model("shallow", 2, 1)
PARAMS = initial_parameters(NET, "xavier", np.random.default_rng(0))
"""A network and what does not fit it."""


FORMULAS = (
    Formula(
        (code(architecture, None, "model", "F063 F142 F148 F194 F236"),),
        Words(
            "Sizes of a deep network",
            r"W^{[l]}: (n^{[l]}, n^{[l-1]}), \qquad b^{[l]}: (n^{[l]}, 1), \qquad Z^{[l]}, A^{[l]}: (n^{[l]}, m)",
            "The product $W^{[l]} A^{[l-1]}$ fixes the shapes: as many columns as there are units below, as many rows "
            "as there are units here. A gradient has the shape of what it belongs to.",
            "shape",
            "W written as (n[l-1], n[l]): the first product raises, unless two layers are equally wide.",
            see="F149 F153 F154 F158",
            shapes="W (n, n_prev), b (n, 1), Z and A (n, m) of every layer.",
            lacks="It describes a network and computes nothing; torch_ref.network.build makes a torch module of it.",
        ),
        refusals=(
            refusal(
                "model is 'lenet9', expected one of logistic, shallow, deep, deep6, softmax, wide, wide_norm, "
                "wide_residual, regression, convnet, convnet_norm, convnet_residual, strided, lenet5",
                "lenet9",
                2,
                1,
            ),
            refusal("hidden is (5,), expected none: this model has no hidden layer", "softmax", 2, 3, (5,)),
            refusal(
                "inputs is 0, expected a whole number of at least 1: an example has at least one feature or pixel",
                0,
                (Dense(1, "sigmoid"),),
                of=Architecture,
            ),
            refusal("Architecture has no layers, expected at least the output layer", 2, (), of=Architecture),
            refusal(
                "the last layer has activation 'tanh', expected one of sigmoid, softmax, identity: the output unit "
                "decides the cost",
                2,
                (Dense(3, "tanh"),),
                of=Architecture,
            ),
            refusal(
                f"layer 1 has activation 'softmax', expected one of {', '.join(HIDDEN_UNITS)}: softmax is for the last "
                "layer",
                2,
                (Dense(3, "softmax"), Dense(1, "sigmoid")),
                of=Architecture,
            ),
            refusal(
                "units is 0, expected a whole number of at least 1: a layer has at least one unit",
                0,
                "tanh",
                of=Dense,
            ),
            refusal(
                f"activation is 'swish', expected one of {', '.join(HIDDEN_UNITS)}, softmax",
                3,
                "swish",
                of=Dense,
            ),
        ),
        uncompared={"F063 F142 F148 F194": "a description of networks, which computes nothing"},
    ),
    Formula(
        (code(by_hand, torch_side, "forward", "F064 F072 F151 F162 F234"), code(by_hand, None, "forward_loop", "F071")),
        Words(
            "A network forward",
            r"A^{[0]} = X, \qquad Z^{[l]} = W^{[l]} A^{[l-1]} + b^{[l]}, \qquad A^{[l]} = g^{[l]}(Z^{[l]}), \quad l = "
            r"1, \ldots, L",
            "Each layer needs what the one below gave, so the loop over the layers stays; the loop over the examples "
            "goes. The backward pass needs $Z$ and $A$ again: both are kept.",
            "wrong-layer",
            "Off by one in l: the shapes clash, or two layers of equal size swap their weights unnoticed.",
            see="F070 F075 F089 F120 F150",
            quantities="Z|A",
        ),
        faults=(fault("two layers swapped", _layers_swapped, "Z"),),
        refusals=(
            refusal("X has shape (1, 3), expected (2, 3): the network takes 2 features", NET, PARAMS, X[:1]),
            refusal(f"X has shape (2, 0), {EXAMPLES}", NET, PARAMS, X[:, :0]),
            refusal("params has [], expected ['W1', 'W2', 'b1', 'b2']: one W and b per layer", NET, {}, X),
            refusal(
                "W1 has shape (2, 4), expected (4, 2): W is (n_l, n_prev) and b is (n_l, 1)",
                NET,
                {**PARAMS, "W1": W.T},
                X,
            ),
            refusal(
                "b2 has shape (4, 1), expected (1, 1): W is (n_l, n_prev) and b is (n_l, 1)",
                NET,
                {**PARAMS, "b2": B},
                X,
            ),
        ),
        uncompared={
            "F064 F162": "the walk through a network, compared by the cases of the models",
            "F071": "the walk through a network example by example, in manual/test_network",
        },
    ),
    Formula(
        (code(by_hand, torch_side, "predict", "F004 F139"),),
        Words(
            "From probabilities to answers",
            r"\hat y = \begin{cases} 1 & a > 0.5 \\ 0 & a \le 0.5 \end{cases} \qquad \text{or} \qquad \hat y = "
            r"\mathrm{arg}\,\max_j\, a_j",
            "A sigmoid output is read as a probability and compared with a half; of several classes the most probable "
            "one is the answer. A regression's output is the answer itself.",
            "The threshold is put on Z, not on A.",
            "Accuracy looks poor for one class only: z > 0.5 means a > 0.62.",
            lacks="A comparison, or a maximum, for each example: it adds up nothing.",
        ),
        uncompared={"F004": "a decision on outputs that have a case, in manual/test_network"},
    ),
    Formula(
        (code(by_hand, torch_side, "cost", "F008 F090 F199"),),
        Words(
            "The cost of a network",
            r"J = \frac{1}{m} \sum_{i=1}^{m} L(a^{[L](i)}, y^{(i)}) + \frac{\lambda}{2m} \sum_{l} \left\| W^{[l]} "
            r"\right\|_F^{2}",
            "Losses are summed over the outputs and averaged over the examples. It is computed from $Z^{[L]}$, in a "
            "form that never overflows.",
            "l2-averaged-again",
            "J looks right for small lambda: the penalty alone is m times too small.",
            see="F175",
            quantities="J|J with L2",
            lacks="The mean loss and the penalty, added: costs.l2_penalty has the loop of the second.",
        ),
        faults=(
            fault("lambda on biases in J", result(_biases_penalised), "J with L2"),
            fault("J moved", result(largest_moved), "J with L2"),
        ),
        refusals=(
            refusal(
                "Y has shape (3, 1), expected (1, 3): Y has the shape of Z",
                NET,
                PARAMS,
                by_hand.forward(NET, PARAMS, X),
                Y.T,
            ),
        ),
        uncompared={"F090": "the walk through a network, compared by the cases of the models"},
    ),
    Formula(
        (code(by_hand, torch_side, "backward", "F098 F099 F163 F164 F168 F169 F170 F171 F172 F202"),),
        Words(
            "A network backward",
            r"dZ^{[L]} = A^{[L]} - Y, \qquad dZ^{[l]} = W^{[l+1]\,T} dZ^{[l+1]} * g^{[l]\prime}(Z^{[l]})"
            "\n"
            r"dW^{[l]} = \frac{1}{m} dZ^{[l]} A^{[l-1]\,T}, \qquad db^{[l]} = \frac{1}{m} \sum_{i} dz^{[l](i)}",
            "The chain rule from the top: each layer turns the derivative in its output into those in its parameters "
            "and in its input, and the input is the output of the layer below. Every path from a weight to the loss "
            "is counted once, at the cost of about two forward passes.",
            "g-for-gprime",
            "Hidden gradients carry the activation where its slope belongs: for tanh some even change sign.",
            see="F165 F173 F176",
            quantities="dZ|dW|db|dA",
            lacks=(
                "It walks the layers, and they have the loops: dense.linear_backward, conv.conv_backward, "
                "pooling.pool_backward."
            ),
        ),
        refusals=(
            refusal(
                "Y has shape (3, 1), expected (1, 3): Y has the shape of A",
                NET,
                PARAMS,
                by_hand.forward(NET, PARAMS, X),
                Y.T,
            ),
        ),
        uncompared={"F164 F171": "the walk through a network, compared by the cases of the models"},
    ),
)
