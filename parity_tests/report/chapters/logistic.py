"""Logistic regression and its cost: F001 to F033."""

from __future__ import annotations

from parity_tests.report.chapters.formula import ENTRYWISE, Formula

FORMULAS = (
    Formula(
        "logistic_regression.one_example",
        "One unit, one example: the computational graph",
        r"z = w^{T} x + b, \qquad a = \sigma(z), \qquad L(a, y) = -\bigl(y \log a + (1-y)\log(1-a)\bigr)" "\n"
        r"da = -\frac{y}{a} + \frac{1-y}{1-a}, \qquad dz = a - y, \qquad dw = x\, dz, \qquad db = dz",
        "Walk the graph backwards. The loss gives $da$. The sigmoid has slope $a(1-a)$, and $da \\cdot a(1-a)$ "
        "multiplies "
        "out to $-y(1-a) + (1-y)a = a - y$: the fractions are gone. Since $z$ grows by $x_j$ for each unit of $w_j$ "
        "and "
        "by 1 for each unit of $b$, the last two follow.",
        "sign", "dw and db point uphill: with y - a for a - y the loss rises at every step.",
        see="F012 F015 F002 F033 F028",
        lacks="Every node is one number: over all examples they are the body of the loop in propagate.",
    ),
    Formula(
        "costs.binary_cross_entropy",
        "Binary cross-entropy",
        r"J = \frac{1}{m} \sum_{i=1}^{m} L(a^{(i)}, y^{(i)})" "\n"
        r"\phantom{J} = -\frac{1}{m} \sum_{i=1}^{m} "
        r"\Bigl( y^{(i)} \log a^{(i)} + (1 - y^{(i)}) \log(1 - a^{(i)}) \Bigr)",
        "If $a$ is the probability of $y = 1$, an example has the probability $a^{y} (1-a)^{1-y}$. Its negative "
        "logarithm "
        "is the loss, and the mean over the examples is the cost. The brackets matter: the minus and the sum belong to "
        "both terms. Where $y = 0$ its term is left out, so that $0 \\log 0$ counts as 0.",
        "brackets-missing", "The second term loses its minus: J is too small, or negative, which no cross-entropy is.",
        see="F007 F009 F021 F022 F023 F197",
        lacks="Entry by entry, then a mean; over the examples it is the loop of logistic_regression.propagate.",
    ),
    Formula(
        "costs.binary_cross_entropy_from_logits",
        "Binary cross-entropy from logits",
        r"L(z, y) = \max(z, 0) - y z + \log\bigl(1 + e^{-\left|z\right|}\bigr)",
        "Put $a = 1/(1 + e^{-z})$ into the loss: $-\\log a = \\log(1 + e^{-z})$ and $-\\log(1-a) = z + \\log(1 + "
        "e^{-z})$, "
        "so that $L = (1-y) z + \\log(1 + e^{-z})$. Taking $\\max(z, 0)$ out keeps the exponent below 0: nothing "
        "overflows, and a saturated unit still has a finite loss.",
        "The loss is computed from a rounded a.", "With z = 40 float64 gives a = 1 exactly, log(1 - a) is -inf, and "
        "0 times -inf is NaN.",
        cases="costs.binary_cross_entropy_from_logits*",
        lacks=ENTRYWISE,
    ),
    Formula(
        "costs.binary_cross_entropy_prime",
        "Where the backward pass begins: dA",
        r"dA = -\frac{Y}{A} + \frac{1-Y}{1-A} = \frac{A - Y}{A (1 - A)}",
        "The derivative of each example's own loss, entry by entry. No $1/m$: the average is taken once, in $dW$ and "
        "$db$. "
        "At $a = 0$ or $a = 1$ it does not exist, which is why networks start from $dZ = A - Y$ instead.",
        "double-1/m", "Everything below is m times too small: 1/m comes in here, and again in dW.",
        lacks=ENTRYWISE,
    ),
    Formula(
        "costs.output_dZ",
        "The output layer: dZ = A − Y",
        r"dZ^{[L]} = A^{[L]} - Y",
        "For sigmoid with binary cross-entropy, softmax with cross-entropy and identity with half the squared error "
        "the "
        "slope of the output unit cancels against the derivative of the cost. What is left is the same for all three: "
        "what came out less what should have.",
        "gprime-extra-at-output", "The output layer's gradients carry a factor a(1 - a), at most a quarter: learning "
        "is "
        "slow exactly where the network is confidently wrong.",
        cases="costs.output_dZ*", see="F052 F110",
        lacks=ENTRYWISE,
    ),
    Formula(
        "logistic_regression.propagate",
        "Cost and gradients over all examples",
        r"A = \sigma(w^{T} X + b), \qquad dZ = A - Y" "\n"
        r"dw = \frac{1}{m} X\, dZ^{T}, \qquad db = \frac{1}{m} \sum_{i=1}^{m} dz^{(i)}",
        "The cost is a mean of losses, so its derivative is the mean of theirs: $\\frac{1}{m} \\sum_i x^{(i)} "
        "dz^{(i)}$. "
        "Columns of $X$ times entries of $dZ$, added up: that is the product $X\\, dZ^{T}$. The loop over the features "
        "and the loop over the examples both disappear into it.",
        "missing-1/m", "dw and db are m times too large; a smaller learning rate hides it until m changes.",
        see="F018 F019 F020 F025 F031 F032 F043 F049 F054 F055",
    ),
    Formula(
        "updates.gradient_descent_update optimizers.GradientDescent",
        "A step of gradient descent",
        r"W \coloneqq W - \alpha\, dW, \qquad b \coloneqq b - \alpha\, db",
        "To first order $J$ changes by $dW \\cdot \\Delta W$. Among steps of one length the one against $dW$ lowers it "
        "most. $\\alpha$ says how far the first order is trusted.",
        "updated-before-use", "dA_prev is computed from the new W: layers below are off by a term that grows with "
        "alpha.",
        cases="optimizers.gradient_descent optimizers.gradient_descent_run", quantities="W after a step|b after a step",
        see="F030 F092 F180 F214",
        shapes="dW and the result have the shape of W, db that of b.",
    ),
)  # fmt: skip
