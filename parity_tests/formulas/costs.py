"""Costs on A and on Z, their derivatives, and the L2 penalty."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np
from scipy import special

import manual.costs as by_hand
import torch_ref.costs as torch_side
from manual import network
from manual.activations import identity, sigmoid, softmax
from parity_tests.formulas.activations import BELOW_HALF, one_among
from parity_tests.formulas.case import (
    LAMBDA,
    N_1,
    N_2,
    N_X,
    Case,
    Derivative,
    M,
    binary,
    distributions,
    normal,
    one_hot,
    probabilities,
)
from parity_tests.formulas.formula import ENTRYWISE, EXAMPLES, Formula, Refusal, Sharp, Words, code, probe, refusal
from parity_tests.formulas.planting import fault, instead, largest_moved, result
from parity_tests.judging import bounds
from torch_ref import network as torch_network

Draw = Callable[[np.random.Generator], Any]

OUTPUTS: dict[str, tuple[str, str, Draw, Draw, Any]] = {
    "sigmoid": (
        "binary_cross_entropy",
        "F005 F008 F196 F198",
        lambda rng: probabilities(rng, N_2, M),
        lambda rng: binary(rng, N_2, M),
        special.expit,
    ),
    "softmax": (
        "cross_entropy",
        "F247",
        lambda rng: distributions(rng, N_1, M),
        lambda rng: one_hot(rng, N_1, M),
        lambda Z: special.softmax(Z, axis=0),
    ),
    "identity": (
        "squared_error",
        "F137",
        lambda rng: normal(rng, N_2, M),
        lambda rng: normal(rng, N_2, M),
        lambda Z: Z,
    ),
}
"""By output unit: the cost's name, its formulas, draws of A and Y, and the unit itself by SciPy."""


REAL = "targets and weights are cast to the dtype of the inputs"


def _cases(unit: str) -> tuple[Case, ...]:
    """The cost on A, on Z, on saturated Z, its derivative in A, A - Y, and with weights the cost on Z and A - Y."""
    name, formulas, draw_A, draw_Y, output = OUTPUTS[unit]
    from_A, prime, from_Z = by_hand.OUTPUT_COSTS[unit]
    _, torch_from_A, torch_prime, torch_from_Z = torch_side.OUTPUT_COSTS[unit]
    prime_formulas = {"sigmoid": "F010 F011 F172", "softmax": "F247", "identity": "F137"}[unit]
    g = {"sigmoid": sigmoid, "softmax": softmax, "identity": identity}[unit]

    def logits(rng: np.random.Generator) -> dict[str, Any]:
        Y = draw_Y(rng)
        return {"Z": 3 * normal(rng, *Y.shape), "Y": Y}

    def saturated(rng: np.random.Generator) -> dict[str, Any]:
        Y = draw_Y(rng)
        return {"Z": rng.choice([-1000.0, -40.0, 40.0, 1000.0], Y.shape), "Y": Y}

    def weighed(rng: np.random.Generator) -> dict[str, Any]:
        return {**logits(rng), "weights": rng.uniform(0.5, 2.0, (1, M))}

    def dZ_bound(u: float, at: Any) -> Any:
        return bounds.output_dZ(u, at.dZ, output(at.Z), at.Z, unit)

    def of_logits(u: float, at: Any) -> Any:
        return bounds.cost_from_logits(u, at.J, at.Z, unit)

    def weighed_bound(u: float, at: Any) -> Any:
        """What stands beside the losses may have the largest weight."""
        beside = bounds.cost_from_logits(u, 0 * at.J, at.Z, unit)
        return of_logits(u, at) + (np.maximum(at.weights, 1).max() - 1) * beside

    return (
        Case(
            f"costs.{name}",
            formulas,
            inputs=lambda rng: {"A": draw_A(rng), "Y": draw_Y(rng)},
            manual=from_A,
            loop=None,
            reference=torch_from_A,
            bounds={"J": lambda u, at: bounds.cost_from_A(u, at.J, at.A, unit)},
        ),
        Case(
            f"costs.{name}_from_logits",
            formulas,
            inputs=logits,
            manual=from_Z,
            loop=None,
            reference=torch_from_Z,
            bounds={"J": of_logits},
        ),
        Case(
            f"costs.{name}_from_logits_saturated",
            formulas,
            inputs=saturated,
            manual=from_Z,
            loop=None,
            reference=torch_from_Z,
            bounds={"J": of_logits},
        ),
        Case(
            f"costs.{name}_prime",
            prime_formulas,
            inputs=lambda rng: {"A": draw_A(rng), "Y": draw_Y(rng)},
            manual=prime,
            loop=None,
            reference=torch_prime,
            bounds={"dA": lambda u, at: bounds.output_dA(u, at.dA, at.A, unit)},
            derivatives={"dA": Derivative(of=lambda A, Y: from_A(A, Y) * M, wrt="A")},
        ),
        Case(
            f"costs.output_dZ_{unit}",
            "F014 F050 F098",
            inputs=logits,
            manual=lambda Z, Y: by_hand.output_dZ(g(Z), Y),
            loop=None,
            reference=lambda Z, Y: torch_side.output_dZ(unit, Z, Y),
            bounds={"dZ": dZ_bound},
            derivatives={"dZ": Derivative(of=lambda Z, Y: from_Z(Z, Y) * M, wrt="Z")},
        ),
        Case(
            f"costs.{name}_from_logits_weighted",
            formulas,
            inputs=weighed,
            manual=from_Z,
            loop=lambda Z, Y, s: sum(s[0, i] * from_Z(Z[:, i : i + 1], Y[:, i : i + 1]) for i in range(M)) / M,
            reference=torch_from_Z,
            bounds={"J": weighed_bound},
            stays_real={"Y": REAL, "weights": REAL},
        ),
        Case(
            f"costs.output_dZ_{unit}_weighted",
            "F014 F050 F098",
            inputs=weighed,
            manual=lambda Z, Y, s: by_hand.output_dZ(g(Z), Y, s),
            loop=None,
            reference=lambda Z, Y, s: torch_side.output_dZ(unit, Z, Y, s),
            bounds={"dZ": lambda u, at: np.maximum(at.weights, 1) * dZ_bound(u, at) + u * np.abs(at.dZ)},
            derivatives={"dZ": Derivative(of=lambda Z, Y, weights: from_Z(Z, Y, weights) * M, wrt="Z")},
        ),
    )


def _weights(rng: np.random.Generator) -> dict[str, Any]:
    return {"W1": normal(rng, N_1, N_X), "W2": normal(rng, N_2, N_1), "lambda_": LAMBDA, "m": M}


def _sharp_cost(name: str, unit: str, Z: Callable[[np.random.Generator], Any], Y: Any) -> Case:
    """A cost on logits."""
    return Case(
        f"cost_from_logits, {name}",
        "",
        inputs=lambda rng: {"Z": Z(rng), "Y": np.asarray(Y, np.float64)},
        manual=by_hand.OUTPUT_COSTS[unit].from_Z,
        loop=None,
        reference=torch_side.OUTPUT_COSTS[unit].from_Z,
        bounds={"J": lambda u, at: bounds.cost_from_logits(u, at.J, at.Z, unit)},
    )


def _first(n: int, m: int) -> Any:
    """The first of n classes, for so many examples."""
    return np.eye(n)[:, [0] * m]


A, W = np.full((2, 3), 0.5), np.ones((4, 2))
"""Arrays to be refused."""


WEIGHTS = "weights has shape (1, 2), expected (1, 3): a weight for each example"
WEIGHTED_DZ = "case:costs.output_dZ_softmax_weighted manual"


def _targets(cost: Callable[..., Any], name: str) -> tuple[Refusal, ...]:
    """What a cost says of targets and outputs that do not fit; ``name`` is what it calls its first argument."""
    weighed = (refusal(WEIGHTS, A, A, A[:1, :2], of=cost),) if "weights" in signature(cost).parameters else ()
    return (
        *weighed,
        refusal(f"Y has shape (3, 2), expected (2, 3): Y has the shape of {name}", A, A.T, of=cost),
        refusal(f"{name} has shape (2, 0), {EXAMPLES}", A[:, :0], A[:, :0], of=cost),
        refusal(f"{name} has shape (3,), {EXAMPLES}", A[0], A[0], of=cost),
    )


_SIGMOID, _SOFTMAX, _IDENTITY = (_cases(unit) for unit in OUTPUTS)
"""By output unit: the cost on A, on Z, on saturated Z, its derivative in A, and A - Y."""


FORMULAS = (
    Formula(
        (code(by_hand, torch_side, "binary_cross_entropy", "F005 F006 F008 F196 F198"),),
        Words(
            "Binary cross-entropy",
            r"J = \frac{1}{m} \sum_{i=1}^{m} L(a^{(i)}, y^{(i)})"
            "\n"
            r"\phantom{J} = -\frac{1}{m} \sum_{i=1}^{m} \Bigl( y^{(i)} \log a^{(i)} + (1 - y^{(i)}) \log(1 - a^{(i)}) "
            r"\Bigr)",
            "If $a$ is the probability of $y = 1$, an example has the probability $a^{y} (1-a)^{1-y}$. Its negative "
            "logarithm is the loss, and the mean over the examples is the cost. The brackets matter: the minus and "
            r"the sum belong to both terms. Where $y = 0$ its term is left out, so that $0 \log 0$ counts as 0.",
            "brackets-missing",
            "The second term loses its minus: J is too small, or negative, which no cross-entropy is.",
            see="F007 F009 F021 F022 F023 F197",
            lacks="Entry by entry, then a mean; over the examples it is the loop of logistic_regression.propagate.",
        ),
        cases=(_SIGMOID[0],),
        sharp=(
            Sharp(
                0.1,
                "sure and right",
                lambda rng: {"A": rng.uniform(0, 1e-3, (1, 1)), "Y": np.zeros((1, 1))},
            ),
        ),
        refusals=_targets(by_hand.binary_cross_entropy, "A"),
        uncompared={"F006": "another reading of a formula that has a case"},
    ),
    Formula(
        (code(by_hand, torch_side, "binary_cross_entropy_from_logits", "F005 F008"),),
        Words(
            "Binary cross-entropy from logits",
            r"L(z, y) = \max(z, 0) - y z + \log\bigl(1 + e^{-\left|z\right|}\bigr)",
            r"Put $a = 1/(1 + e^{-z})$ into the loss: $-\log a = \log(1 + e^{-z})$ and $-\log(1-a) = z + \log(1 + "
            r"e^{-z})$, so that $L = (1-y) z + \log(1 + e^{-z})$. Taking $\max(z, 0)$ out keeps the exponent below 0: "
            "nothing overflows, and a saturated unit still has a finite loss.",
            "The loss is computed from a rounded a.",
            "With z = 40 float64 gives a = 1 exactly, log(1 - a) is -inf, and 0 times -inf is NaN.",
            lacks=ENTRYWISE,
        ),
        cases=(*_SIGMOID[1:3], _SIGMOID[5]),
        sharp=(
            Sharp(
                0.1,
                of=_sharp_cost("sigmoid, sure and right", "sigmoid", lambda rng: rng.uniform(-30, -10, (1, 1)), [[0]]),
            ),
            Sharp(0.03, of=_sharp_cost("sigmoid, wrong", "sigmoid", lambda rng: rng.uniform(0.5, 2, (1, 1)), [[0]])),
        ),
        refusals=_targets(by_hand.binary_cross_entropy_from_logits, "Z"),
    ),
    Formula(
        (code(by_hand, torch_side, "binary_cross_entropy_prime", "F010 F011 F172"),),
        Words(
            "Where the backward pass begins: dA",
            r"dA = -\frac{Y}{A} + \frac{1-Y}{1-A} = \frac{A - Y}{A (1 - A)}",
            "The derivative of each example's own loss, entry by entry. No $1/m$: the average is taken once, in $dW$ "
            "and $db$. At $a = 0$ or $a = 1$ it does not exist, which is why networks start from $dZ = A - Y$ "
            "instead.",
            "double-1/m",
            "Everything below is m times too small: 1/m comes in here, and again in dW.",
            lacks=ENTRYWISE,
        ),
        cases=(_SIGMOID[3],),
        sharp=(Sharp(0.1),),
        refusals=_targets(by_hand.binary_cross_entropy_prime, "A"),
    ),
    Formula(
        (
            code(by_hand, torch_side, "cross_entropy", "F247 F248"),
            code(by_hand, torch_side, "cross_entropy_from_logits", "F247"),
        ),
        Words(
            "Cross-entropy",
            r"J = -\frac{1}{m} \sum_{i=1}^{m} \sum_{j} y_j^{(i)} \log a_j^{(i)}, \qquad L(z, y) = \log \sum_k e^{z_k} "
            "- z_{true}",
            "Minus the logarithm of the probability that the right class was given. A network that knows nothing "
            r"gives each of $C$ classes $1/C$: its loss is $\log C$, 2.3026 for ten, which is the recipe's first "
            "check.",
            "sign",
            "The first loss is -2.3026: the minus is missing.",
            lacks="Entry by entry, then a mean over the columns.",
        ),
        cases=(*_SOFTMAX[:3], _SOFTMAX[5]),
        sharp=(
            Sharp(
                0.2,
                of=_sharp_cost(
                    "softmax, a thousand that are lost", "softmax", one_among(1000, BELOW_HALF), _first(1000, 3)
                ),
            ),
            Sharp(
                0.01,
                of=_sharp_cost(
                    "softmax, wrong", "softmax", lambda rng: rng.uniform(5, 50, (2, 1)) * [[-1], [1]], _first(2, 1)
                ),
            ),
        ),
        refusals=(
            *_targets(by_hand.cross_entropy, "A"),
            *_targets(by_hand.cross_entropy_from_logits, "Z"),
        ),
        uncompared={"F248": "a value of a formula that has a case"},
    ),
    Formula(
        (code(by_hand, torch_side, "cross_entropy_prime", "F247"),),
        Words(
            "Derivative of cross-entropy",
            r"dA = -\frac{Y}{A}",
            "Entry by entry, only the true class has one. Through softmax backward it becomes $A - Y$.",
            "double-softmax",
            "torch's cross_entropy takes logits: given probabilities it applies softmax once more.",
            lacks=ENTRYWISE,
        ),
        cases=(_SOFTMAX[3],),
        sharp=(Sharp(0.1),),
        refusals=_targets(by_hand.cross_entropy_prime, "A"),
    ),
    Formula(
        (
            code(by_hand, torch_side, "squared_error", "F137"),
            code(by_hand, torch_side, "squared_error_prime", "F137"),
            code(by_hand, torch_side, "squared_error_from_logits", "F137"),
        ),
        Words(
            "Half the squared error, for regression",
            r"J = \frac{1}{m} \sum_{i=1}^{m} \frac{1}{2} \left\| a^{(i)} - y^{(i)} \right\|^{2}, \qquad dA = A - Y",
            "The half cancels the 2 that comes down, so that $dZ = A - Y$ here as well. Several outputs are summed, "
            "examples are averaged. torch's mse_loss averages over both, and has no half.",
            "extra-factor",
            "Without the half every gradient is twice as large; with torch's mean over outputs, smaller by their "
            "number.",
            lacks=ENTRYWISE,
        ),
        cases=(*_IDENTITY[:4], _IDENTITY[5]),
        sharp=(
            Sharp(0.03, of=_sharp_cost("identity", "identity", lambda rng: normal(rng, 1, 1), [[0.3]])),
            Sharp(0.03, "of one output", lambda rng: {"A": normal(rng, 1, 1), "Y": normal(rng, 1, 1)}),
        ),
        refusals=(
            *_targets(by_hand.squared_error, "A"),
            *_targets(by_hand.squared_error_prime, "A"),
            *_targets(by_hand.squared_error_from_logits, "A"),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "output_dZ", "F014 F050 F098"),),
        Words(
            "The output layer: dZ = A − Y",
            "dZ^{[L]} = A^{[L]} - Y",
            "For sigmoid with binary cross-entropy, softmax with cross-entropy and identity with half the squared "
            "error the slope of the output unit cancels against the derivative of the cost. What is left is the same "
            "for all three: what came out less what should have.",
            "gprime-extra-at-output",
            "The output layer's gradients carry a factor a(1 - a), at most a quarter: learning is slow exactly where "
            "the network is confidently wrong.",
            see="F052 F110",
            lacks=ENTRYWISE,
        ),
        cases=(
            _SIGMOID[4],
            _SOFTMAX[4],
            _IDENTITY[4],
            *(cases[6] for cases in (_SIGMOID, _SOFTMAX, _IDENTITY)),
        ),
        sharp=(
            Sharp(0.1),
            Sharp(0.1, of="costs.output_dZ_softmax"),
            Sharp(0.1, of="costs.output_dZ_identity"),
        ),
        faults=(
            fault("sign of dZ_L", result(lambda dZ, *a: -dZ), "dZ", at="network.output_dZ"),
            fault("1/m already in dZ_L", result(lambda dZ, *a: dZ / M), "dZ", at="network.output_dZ"),
            fault("Y broadcast over the outputs", instead(lambda A, Y: A - Y[:1]), "dZ", at="network.output_dZ"),
            fault("g' again at the output", result(lambda dZ, A, Y: dZ * A * (1 - A)), "dZ", at="network.output_dZ"),
            fault("one entry of dZ_L moved", result(largest_moved), "dZ", at="network.output_dZ"),
            fault("weights forgotten in dZ_L", lambda f: lambda Z, Y, s: f(Z, Y, s) / s, "dZ", at=WEIGHTED_DZ),
            fault("weights of the wrong example", lambda f: lambda Z, Y, s: f(Z, Y, s[:, ::-1]), "dZ", at=WEIGHTED_DZ),
        ),
        refusals=_targets(by_hand.output_dZ, "A"),
    ),
    Formula(
        (code(by_hand, torch_side, "relative_weights"),),
        Words(
            "Weights of examples and classes",
            r"s_i = \frac{m\, w_i}{\sum_j w_j}, \qquad \frac{1}{m} \sum_i s_i L^{(i)} = \frac{\sum_i w_i L^{(i)}}"
            r"{\sum_i w_i}, \qquad dZ^{[L]} = s * (A^{[L]} - Y)",
            "An example of weight 2 counts as if it were there twice, so the sum of the weights takes the place of "
            "$m$: in the mean, and below the penalty. A weight for each class is one for each of its examples. With "
            "weights of mean 1 all formulas stay as they are, the weight comes in once at the output, and the rest of "
            "the way back carries it.",
            "The weighted sum is divided by m and compared with torch's weighted mean.",
            "Off by the mean weight of the batch, another one in every batch, as if the learning rate changed.",
            shapes="w, s and the result are (1, m).",
        ),
        cases=(
            probe(
                lambda rng: {"weights": rng.uniform(0.5, 2.0, (1, M))},
                {"s": lambda u, at: bounds.rounded(u, at.s, M + 3)},
            ),
        ),
        sharp=(Sharp(0.05),),
        faults=(
            fault("the weights as shares", instead(lambda w: w / w.sum()), "s", at="manual"),
            fault("the weights as they are", instead(lambda w: w), "s", at="manual"),
        ),
        refusals=(
            refusal(
                "weights is [[1. 0.]], expected (1, m) finite numbers above 0: one for each example",
                np.array([[1.0, 0.0]]),
            ),
            refusal(
                "weights is [[ 1. inf]], expected (1, m) finite numbers above 0: one for each example",
                np.array([[1.0, np.inf]]),
            ),
            refusal("weights is [1. 1.], expected (1, m) finite numbers above 0: one for each example", np.ones(2)),
            refusal(
                "weights is [[1.]\n [1.]], expected (1, m) finite numbers above 0: one for each example",
                np.ones((2, 1)),
            ),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "l2_penalty", "F199 F206 F207"), code(network, torch_network, "penalty", "F199")),
        Words(
            "The L2 penalty",
            r"\frac{\lambda}{2m} \sum_{l} \left\| W^{[l]} \right\|_F^{2} = \frac{\lambda}{2m} \sum_{l} \sum_{k} "
            r"\sum_{j} \bigl( w_{kj}^{[l]} \bigr)^{2}",
            "The squares of all weights, never of biases. The 2 below is there to cancel: the gradient is "
            r"$\frac{\lambda}{m} W$, and a step becomes $W (1 - \alpha \lambda / m) - \ldots$, which is why it is "
            "also called weight decay.",
            "l2-factor-2",
            "dW - dW_data is a multiple of W, and the multiple is half or twice lambda/m.",
            see="F200 F203 F204 F205",
            shapes="W of any shape; the penalty is one number.",
        ),
        cases=(
            Case(
                "costs.l2_penalty",
                "F199 F206",
                inputs=_weights,
                manual=lambda W1, W2, lambda_, m: by_hand.l2_penalty([W1, W2], lambda_, m),
                loop=lambda W1, W2, lambda_, m: by_hand.l2_penalty_loop([W1, W2], lambda_, m),
                reference=lambda W1, W2, lambda_, m: torch_side.l2_penalty([W1, W2], lambda_, m),
                bounds={"penalty": lambda u, at: bounds.penalty(u, at.penalty, at.W1.size + at.W2.size)},
            ),
            Case(
                "costs.frobenius_norm",
                "F207",
                inputs=lambda rng: {"A": np.array([[1.0, 2.0, 1.0], [-1.0, 2.0, -3.0], [0.0, 1.0, -2.0]])},
                manual=lambda A: by_hand.l2_penalty([A], 2.0, 1),
                loop=lambda A: by_hand.l2_penalty_loop([A], 2.0, 1),
                reference=lambda A: torch_side.l2_penalty([A], 2.0, 1),
                bounds={"norm_squared": lambda u, at: bounds.penalty(u, at.norm_squared, at.A.size)},
            ),
        ),
        sharp=(
            Sharp(
                0.04,
                of=Case(
                    "penalty of one weight",
                    "",
                    lambda rng: {"W": normal(rng, 1, 1)},
                    lambda W: by_hand.l2_penalty([W], 0.7, 3),
                    None,
                    lambda W: torch_side.l2_penalty([W], 0.7, 3),
                    {"J": lambda u, at: bounds.penalty(u, at.J, 1)},
                ),
            ),
        ),
        faults=(
            fault("lambda doubled in J", result(lambda P, *a: 2 * P), "J with L2", at="network.l2_penalty"),
            fault("lambda not over m in J", result(lambda P, *a: M * P), "J with L2", at="network.l2_penalty"),
            fault("lambda missing in J", result(lambda P, *a: 0 * P), "J with L2", at="network.l2_penalty"),
        ),
        refusals=(
            refusal("m is 0, expected at least 1: the penalty is divided by the number of examples", [W], 1.0, 0),
            refusal("lambda_ is -1.0, expected at least 0: the penalty shrinks the weights", [W], -1.0, 3),
        ),
    ),
)
