"""Activations: F122 to F142."""

from __future__ import annotations

from parity_tests.report.chapters.formula import ENTRYWISE, SAME_SHAPE, Formula

FORMULAS = (
    Formula(
        "activations.sigmoid",
        "Sigmoid",
        r"\sigma(z) = \frac{1}{1 + e^{-z}}",
        "Maps every number into $(0, 1)$, a half at 0; $\\sigma(-z) = 1 - \\sigma(z)$. For negative $z$ the form "
        "$e^{z}/(1 + e^{z})$ is used, so that nothing overflows.",
        "limit", "g(0) written as a quarter: that is the slope at 0, the value is a half.",
        see="F124 F138 F140",
        shapes=SAME_SHAPE,
        lacks=ENTRYWISE,
    ),
    Formula(
        "activations.sigmoid_prime",
        "Slope of the sigmoid",
        r"\sigma'(z) = \sigma(z)\,\bigl(1 - \sigma(z)\bigr) = a (1 - a)",
        "$\\frac{d}{dz} (1 + e^{-z})^{-1} = \\frac{e^{-z}}{(1 + e^{-z})^{2}}$, and the second factor "
        "$\\frac{e^{-z}}{1 + e^{-z}}$ is $1 - \\sigma(z)$. At most a quarter: ten such layers shrink a gradient a "
        "million times.",
        "g-for-gprime", "g times g in place of g times 1 - g: right at 0 only.",
        see="F123",
        shapes=SAME_SHAPE,
        lacks=ENTRYWISE,
    ),
    Formula(
        "activations.tanh",
        "Tanh",
        r"\tanh z = \frac{e^{z} - e^{-z}}{e^{z} + e^{-z}} = 2\,\sigma(2z) - 1",
        "A sigmoid stretched to $(-1, 1)$ and centred at 0, which spares the next layer a shift that all its inputs "
        "share.",
        "Numerator and denominator are swapped.", "That is coth: it has a pole at 0 and values above 1.",
        see="F126 F129",
        shapes=SAME_SHAPE,
        lacks=ENTRYWISE,
    ),
    Formula(
        "activations.tanh_prime",
        "Slope of tanh",
        r"\tanh'(z) = 1 - \tanh^{2} z = 1 - a^{2}",
        "By the quotient rule the numerator is $(e^{z} + e^{-z})^{2} - (e^{z} - e^{-z})^{2}$ over $(e^{z} + "
        "e^{-z})^{2}$. "
        "1 at 0, falling fast: below $10^{-8}$ at 10.",
        "gprime-at-a", "1 - tanh(a)^2 in place of 1 - a^2: the slope is taken of a twice squashed value.",
        shapes=SAME_SHAPE,
        lacks=ENTRYWISE,
    ),
    Formula(
        "activations.relu",
        "ReLU",
        r"\mathrm{relu}(z) = \max(0, z)",
        "The half of the line that is above 0. No exponential, and a slope of 1 wherever the unit is on.",
        "gprime-for-g", "0 and 1 in place of 0 and z: that is the slope, and all size is lost.",
        see="F141",
        shapes=SAME_SHAPE,
        lacks=ENTRYWISE,
    ),
    Formula(
        "activations.relu_prime",
        "Slope of ReLU",
        r"\mathrm{relu}'(z) = \begin{cases} 1 & z > 0 \\ 0 & z < 0 \end{cases} \qquad \text{at } 0: \; 0",
        "Two straight lines, two slopes. At 0 there is none; every number from 0 to 1 is a subgradient. This project "
        "and "
        "torch's relu take 0, the argument at_zero takes the notes' other choice.",
        "The slope is taken from torch.clamp or maximum.", "Where z is exactly 0, as after dropout or with zero "
        "weights: "
        "clamp has 1 there, maximum a half.",
        cases="activations.relu_prime activations.relu_prime_at_zero",
        shapes=SAME_SHAPE,
        lacks=ENTRYWISE,
    ),
    Formula(
        "activations.leaky_relu",
        "Leaky ReLU",
        r"g(z) = \max(0.01\, z,\; z)",
        "Below 0 a hundredth of $z$ leaks through, so that a unit that is off still has a gradient to come back by. "
        "$\\max$ says it in one word as long as the slope is at most 1.",
        "wrong-number", "0.001 for 0.01: a factor of ten, on negative inputs alone.",
        shapes=SAME_SHAPE,
        lacks=ENTRYWISE,
    ),
    Formula(
        "activations.leaky_relu_prime",
        "Slope of leaky ReLU",
        r"g'(z) = \begin{cases} 1 & z > 0 \\ 0.01 & z < 0 \end{cases} \qquad \text{at } 0: \; 0.01",
        "As for ReLU, with the slope below 0 in place of 0. At 0 torch has the slope, the fourth note has 1.",
        "The comparison at 0 is >= in one place and > in another.", "Numbers agree until a z is exactly 0.",
        cases="activations.leaky_relu_prime activations.leaky_relu_prime_at_zero",
        shapes=SAME_SHAPE,
        lacks=ENTRYWISE,
    ),
    Formula(
        "activations.identity activations.identity_prime",
        "Identity",
        r"g(z) = z, \qquad g'(z) = 1",
        "For the output of a regression, which may be any number. In hidden layers it adds nothing: see the collapse "
        "of "
        "linear layers.",
        "The derivative is returned as the number 1.", "It broadcasts, so values are right and shapes are wrong.",
        cases="activations.identity activations.identity_prime",
        shapes=SAME_SHAPE,
        lacks=ENTRYWISE,
    ),
    Formula(
        "costs.squared_error costs.squared_error_prime costs.squared_error_from_logits",
        "Half the squared error, for regression",
        r"J = \frac{1}{m} \sum_{i=1}^{m} \frac{1}{2} \left\| a^{(i)} - y^{(i)} \right\|^{2}, \qquad dA = A - Y",
        "The half cancels the 2 that comes down, so that $dZ = A - Y$ here as well. Several outputs are summed, "
        "examples "
        "are averaged. torch's mse_loss averages over both, and has no half.",
        "extra-factor", "Without the half every gradient is twice as large; with torch's mean over outputs, smaller by "
        "their number.",
        cases="costs.squared_error costs.squared_error_from_logits* costs.squared_error_prime",
        lacks=ENTRYWISE,
    ),
    Formula(
        "theory.collapse",
        "Linear layers collapse",
        r"W^{[2]} \bigl( W^{[1]} x + b^{[1]} \bigr) + b^{[2]} = W x + b, \qquad W = W^{[2]} W^{[1]}, \quad "
        r"b = W^{[2]} b^{[1]} + b^{[2]}",
        "Multiply out. However many linear layers there are, they are one; under a sigmoid the whole network is "
        "logistic "
        "regression. It is the bend in $g$ that makes depth worth anything.",
        "bias-missing", "W2 b1 is forgotten: right only while the first biases are 0.",
        cases="theory.collapse theory.collapsed_forward",
    ),
)  # fmt: skip
