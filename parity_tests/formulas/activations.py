"""Activations and their derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from scipy import special

import manual.activations as by_hand
import torch_ref.activations as torch_side
from parity_tests.formulas.case import N_1, Case, Derivative, M, away_from_zero, normal
from parity_tests.formulas.formula import ENTRYWISE, EXAMPLES, SAME_SHAPE, Formula, Sharp, Words, code, probe, refusal
from parity_tests.formulas.planting import fault, instead, largest_moved, result
from parity_tests.judging import bounds


def _forward(unit: str, formulas: str) -> Case:
    """A = g(Z), the probe away from the kinks."""
    return Case(
        f"activations.{unit}",
        formulas,
        inputs=lambda rng: {"Z": 3 * away_from_zero(rng, N_1, M)},
        manual=by_hand.ACTIVATIONS[unit].g,
        loop=None,
        reference=torch_side.ACTIVATIONS[unit].g,
        bounds={"A": lambda u, at: bounds.activation(u, at.A, unit)},
    )


def _prime(unit: str, formulas: str) -> Case:
    """g'(Z): the derivative of the sum of g(Z), whose Jacobian is diagonal."""
    g = by_hand.ACTIVATIONS[unit].g
    magnitude = {"sigmoid": special.expit, "tanh": np.tanh}.get(unit, np.zeros_like)
    return Case(
        f"activations.{unit}_prime",
        formulas,
        inputs=lambda rng: {"Z": 3 * away_from_zero(rng, N_1, M)},
        manual=by_hand.ACTIVATIONS[unit].g_prime,
        loop=None,
        reference=torch_side.ACTIVATIONS[unit].g_prime,
        bounds={"g_prime": lambda u, at: bounds.derivative(u, at.g_prime, magnitude(at.Z), unit)},
        derivatives={"g_prime": Derivative(of=lambda Z: np.sum(g(Z)), wrt="Z")},
    )


def _at_zero(unit: str, formulas: str) -> Case:
    """The convention at the kink: torch's, exactly."""
    return Case(
        f"activations.{unit}_prime_at_zero",
        formulas,
        inputs=lambda rng: {"Z": np.array([[0.0, -0.0, 1.0, -1.0]])},
        manual=by_hand.ACTIVATIONS[unit].g_prime,
        loop=None,
        reference=torch_side.ACTIVATIONS[unit].g_prime,
        bounds={"g_prime": lambda u, at: bounds.exact(u, at.g_prime)},
    )


def _hidden(unit: str, scale: float = 1.0) -> Case:
    """The derivative dZ = dA * g'(Z), by torch through g with the derivative of the mean over seven examples."""

    def by_torch(dA: torch.Tensor, Z: torch.Tensor) -> torch.Tensor:
        Z = Z.detach().requires_grad_()
        (dZ,) = torch.autograd.grad(torch_side.ACTIVATIONS[unit].g(Z), Z, dA / 7)
        return dZ * 7

    g, g_prime = by_hand.ACTIVATIONS[unit]
    return Case(
        f"hidden_dZ, {unit}, {scale:g}",
        "",
        inputs=lambda rng: {"dA": normal(rng, 5, 7), "Z": scale * normal(rng, 5, 7)},
        manual=lambda dA, Z: dA * g_prime(Z),
        loop=None,
        reference=by_torch,
        bounds={"dZ": lambda u, at: bounds.hidden_dZ(u, at.dZ, at.dA, g(at.Z), unit)},
    )


BELOW_HALF = 16.8
"""A shift d whose e^-d lies just below half a unit in the last place of 1 in float32: added to 1, it is lost."""


def one_among(n: int, shift: float) -> Callable[[np.random.Generator], Any]:
    """Three columns of n logits: the first leads the others by about ``shift``."""

    def column(rng: np.random.Generator) -> Any:
        Z = -shift - 0.03 * rng.uniform(0, 1, (n, 3))
        Z[0] = 0
        return Z

    return column


A = np.full((2, 3), 0.5)

FORMULAS = (
    Formula(
        (code(by_hand, torch_side, "sigmoid", "F003 F048 F139"),),
        Words(
            "Sigmoid",
            r"\sigma(z) = \frac{1}{1 + e^{-z}}",
            r"Maps every number into $(0, 1)$, a half at 0; $\sigma(-z) = 1 - \sigma(z)$. For negative $z$ the form "
            "$e^{z}/(1 + e^{z})$ is used, so that nothing overflows.",
            "limit",
            "g(0) written as a quarter: that is the slope at 0, the value is a half.",
            see="F124 F138 F140",
            shapes=SAME_SHAPE,
            lacks=ENTRYWISE,
        ),
        cases=(_forward("sigmoid", "F003 F048"),),
        sharp=(
            Sharp(0.1),
            Sharp(0.1, "as the output", bounds={"A": lambda u, at: bounds.output(u, at.A, at.Z, "sigmoid")}),
        ),
        uncompared={"F139": "a decision on outputs that have a case, in manual/test_network"},
    ),
    Formula(
        (code(by_hand, torch_side, "sigmoid_prime", "F013 F122"),),
        Words(
            "Slope of the sigmoid",
            r"\sigma'(z) = \sigma(z)\,\bigl(1 - \sigma(z)\bigr) = a (1 - a)",
            r"$\frac{d}{dz} (1 + e^{-z})^{-1} = \frac{e^{-z}}{(1 + e^{-z})^{2}}$, and the second factor "
            r"$\frac{e^{-z}}{1 + e^{-z}}$ is $1 - \sigma(z)$. At most a quarter: ten such layers shrink a gradient a "
            "million times.",
            "g-for-gprime",
            "g times g in place of g times 1 - g: right at 0 only.",
            see="F123",
            shapes=SAME_SHAPE,
            lacks=ENTRYWISE,
        ),
        cases=(_prime("sigmoid", "F013 F122"),),
        sharp=(
            Sharp(0.05),
            Sharp(0.05, of=_hidden("sigmoid")),
        ),
        faults=(
            fault(
                "a (1 + a) for a (1 - a)",
                instead(lambda Z: by_hand.sigmoid(Z) * (1 + by_hand.sigmoid(Z))),
                "dZ",
                at="activations.sigmoid'",
            ),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "tanh", "F125"),),
        Words(
            "Tanh",
            r"\tanh z = \frac{e^{z} - e^{-z}}{e^{z} + e^{-z}} = 2\,\sigma(2z) - 1",
            "A sigmoid stretched to $(-1, 1)$ and centred at 0, which spares the next layer a shift that all its "
            "inputs share.",
            "Numerator and denominator are swapped.",
            "That is coth: it has a pole at 0 and values above 1.",
            see="F126 F129",
            shapes=SAME_SHAPE,
            lacks=ENTRYWISE,
        ),
        cases=(_forward("tanh", "F125"),),
        sharp=(Sharp(0.06),),
        faults=(
            fault("one entry of A moved", result(largest_moved), "A"),
            fault("a referee that returns its own input", instead(lambda Z: Z), "A", at="reference"),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "tanh_prime", "F127 F128"),),
        Words(
            "Slope of tanh",
            r"\tanh'(z) = 1 - \tanh^{2} z = 1 - a^{2}",
            "By the quotient rule the numerator is $(e^{z} + e^{-z})^{2} - (e^{z} - e^{-z})^{2}$ over $(e^{z} + "
            "e^{-z})^{2}$. 1 at 0, falling fast: below $10^{-8}$ at 10.",
            "gprime-at-a",
            "1 - tanh(a)^2 in place of 1 - a^2: the slope is taken of a twice squashed value.",
            shapes=SAME_SHAPE,
            lacks=ENTRYWISE,
        ),
        cases=(_prime("tanh", "F127 F128"),),
        sharp=(
            Sharp(0.05),
            Sharp(0.05, "near 0", lambda rng: {"Z": 1e-4 * normal(rng, 5, 7)}),
            Sharp(0.1, of=_hidden("tanh")),
            Sharp(0.1, of=_hidden("tanh", 1e-4)),
        ),
        faults=(
            fault("g for g'", instead(np.tanh), "dZ", at="activations.tanh'"),
            fault("g' missing", instead(np.ones_like), "dZ", at="activations.tanh'"),
            fault("g' at A", lambda g_prime: lambda Z: g_prime(np.tanh(Z)), "dZ", at="activations.tanh'"),
            fault("one entry of g' moved", result(largest_moved), "dZ", at="activations.tanh'"),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "relu", "F130"),),
        Words(
            "ReLU",
            r"\mathrm{relu}(z) = \max(0, z)",
            "The half of the line that is above 0. No exponential, and a slope of 1 wherever the unit is on.",
            "gprime-for-g",
            "0 and 1 in place of 0 and z: that is the slope, and all size is lost.",
            see="F141",
            shapes=SAME_SHAPE,
            lacks=ENTRYWISE,
        ),
        cases=(_forward("relu", "F130"),),
    ),
    Formula(
        (code(by_hand, torch_side, "relu_prime", "F131 F132"),),
        Words(
            "Slope of ReLU",
            r"\mathrm{relu}'(z) = \begin{cases} 1 & z > 0 \\ 0 & z < 0 \end{cases} \qquad \text{at } 0: \; 0",
            "Two straight lines, two slopes. At 0 there is none; every number from 0 to 1 is a subgradient. This "
            "project and torch's relu take 0, the argument at_zero takes the notes' other choice.",
            "The slope is taken from torch.clamp or maximum.",
            "Where z is exactly 0, as after dropout or with zero weights: clamp has 1 there, maximum a half.",
            shapes=SAME_SHAPE,
            lacks=ENTRYWISE,
        ),
        cases=(
            _prime("relu", "F131 F132"),
            _at_zero("relu", "F132"),
        ),
        sharp=(Sharp(0.1, of=_hidden("relu")),),
    ),
    Formula(
        (code(by_hand, torch_side, "leaky_relu", "F133 F135"),),
        Words(
            "Leaky ReLU",
            r"g(z) = \max(0.01\, z,\; z)",
            "Below 0 a hundredth of $z$ leaks through, so that a unit that is off still has a gradient to come back "
            r"by. $\max$ says it in one word as long as the slope is at most 1.",
            "wrong-number",
            "0.001 for 0.01: a factor of ten, on negative inputs alone.",
            shapes=SAME_SHAPE,
            lacks=ENTRYWISE,
        ),
        cases=(_forward("leaky_relu", "F133"),),
        sharp=(
            Sharp(0.2),
            Sharp(0.2, "as the output", bounds={"A": lambda u, at: bounds.output(u, at.A, at.Z, "leaky_relu")}),
        ),
        uncompared={"F135": "a value of a formula that has a case"},
    ),
    Formula(
        (code(by_hand, torch_side, "leaky_relu_prime", "F134"),),
        Words(
            "Slope of leaky ReLU",
            r"g'(z) = \begin{cases} 1 & z > 0 \\ 0.01 & z < 0 \end{cases} \qquad \text{at } 0: \; 0.01",
            "As for ReLU, with the slope below 0 in place of 0. At 0 torch has the slope, the fourth note has 1.",
            "The comparison at 0 is >= in one place and > in another.",
            "Numbers agree until a z is exactly 0.",
            shapes=SAME_SHAPE,
            lacks=ENTRYWISE,
        ),
        cases=(
            _prime("leaky_relu", "F134"),
            _at_zero("leaky_relu", "F134"),
        ),
        sharp=(
            Sharp(0.05),
            Sharp(0.2, of=_hidden("leaky_relu")),
        ),
        faults=(
            fault(
                "slope of leaky ReLU everywhere",
                instead(lambda Z: np.full_like(Z, 0.01)),
                "dZ",
                at="activations.leaky_relu'",
            ),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "identity", "F136 F137"), code(by_hand, torch_side, "identity_prime", "F136")),
        Words(
            "Identity",
            r"g(z) = z, \qquad g'(z) = 1",
            "For the output of a regression, which may be any number. In hidden layers it adds nothing: see the "
            "collapse of linear layers.",
            "The derivative is returned as the number 1.",
            "It broadcasts, so values are right and shapes are wrong.",
            shapes=SAME_SHAPE,
            lacks=ENTRYWISE,
        ),
        cases=(
            _forward("identity", "F137"),
            _prime("identity", "F136"),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "softmax", "F247"),),
        Words(
            "Softmax",
            r"a_j = \frac{e^{z_j}}{\sum_k e^{z_k}}",
            "Positive numbers that sum to 1 in every column. Adding a number to all $z$ of a column changes nothing, "
            "so the largest is subtracted first: no exponent is above 0.",
            "db-wrong-axis",
            "The sum runs over the examples: columns do not sum to 1.",
            lacks="Entry by entry, over a sum of each column, which is the sum of the formula.",
        ),
        cases=(
            probe(
                lambda rng: {"Z": 3 * normal(rng, N_1, M)},
                {"A": lambda u, at: bounds.softmax(u, at.A, at.Z)},
            ),
        ),
        sharp=(
            Sharp(0.05, "as the output", bounds={"A": lambda u, at: bounds.output(u, at.A, at.Z, "softmax")}),
            Sharp(
                0.05,
                "one class far below",
                lambda rng: {"Z": np.array([[1.0], [-60.0]]) * rng.uniform(0.9, 1, (2, 9))},
            ),
            Sharp(0.2, "a thousand that are lost", lambda rng: {"Z": one_among(1000, BELOW_HALF)(rng)}),
        ),
        faults=(fault("softmax twice", result(lambda A, *a: by_hand.softmax(A)), "A", at="manual"),),
        refusals=(refusal(f"Z has shape (3,), {EXAMPLES}", np.ones(3)),),
    ),
    Formula(
        (code(by_hand, torch_side, "softmax_backward", "F247"),),
        Words(
            "Softmax backward",
            r"dz_j = a_j \Bigl( da_j - \sum_k a_k\, da_k \Bigr)",
            r"$\frac{\partial a_k}{\partial z_j} = a_k (\delta_{kj} - a_j)$: raising one $z$ lowers all other "
            "outputs. Summed against $da$, that is the line above.",
            "softmax-elementwise",
            "Only the diagonal a(1 - a) is kept: columns of dZ no longer sum to 0.",
            lacks="Entry by entry, less a sum of each column, which is the sum of the formula.",
        ),
        cases=(
            Case(
                "activations.softmax_backward",
                "F247",
                inputs=lambda rng: {"dA": normal(rng, N_1, M), "Z": 2 * normal(rng, N_1, M)},
                manual=lambda dA, Z: by_hand.softmax_backward(dA, by_hand.softmax(Z)),
                loop=None,
                reference=lambda dA, Z: torch_side.softmax_backward(dA, torch_side.softmax(Z)),
                bounds={"dZ": lambda u, at: bounds.softmax_backward(u, at.dA, special.softmax(at.Z, axis=0))},
                derivatives={"dZ": Derivative(of=lambda dA, Z: np.sum(dA * by_hand.softmax(Z)), wrt="Z")},
            ),
        ),
        sharp=(Sharp(0.02),),
        faults=(
            fault(
                "diagonal of the softmax alone",
                instead(lambda dA, Z: dA * by_hand.softmax(Z) * (1 - by_hand.softmax(Z))),
                "dZ",
                at="manual",
            ),
            fault("zeros for dZ of the softmax", result(lambda dZ, *a: 0 * dZ), "dZ", at="manual"),
        ),
        refusals=(
            refusal("dA has shape (2, 3), expected (1, 3): dA has the shape of A", A, A[:1]),
            refusal(f"A has shape (3,), {EXAMPLES}", A[0], A[0]),
        ),
    ),
)
