"""The recipe: softmax and its first loss, dropout, optimisers, learning-rate decay: F244 to F266."""

from __future__ import annotations

from parity_tests.report.chapters.formula import ENTRYWISE, ONE_NUMBER, Formula

FORMULAS = (
    Formula(
        "activations.softmax",
        "Softmax",
        r"a_j = \frac{e^{z_j}}{\sum_k e^{z_k}}",
        "Positive numbers that sum to 1 in every column. Adding a number to all $z$ of a column changes nothing, so "
        "the "
        "largest is subtracted first: no exponent is above 0.",
        "db-wrong-axis", "The sum runs over the examples: columns do not sum to 1.",
        lacks="Entry by entry, over a sum of each column, which is the sum of the formula.",
    ),
    Formula(
        "activations.softmax_backward",
        "Softmax backward",
        r"dz_j = a_j \Bigl( da_j - \sum_k a_k\, da_k \Bigr)",
        "$\\frac{\\partial a_k}{\\partial z_j} = a_k (\\delta_{kj} - a_j)$: raising one $z$ lowers all other outputs. "
        "Summed against $da$, that is the line above.",
        "softmax-elementwise", "Only the diagonal a(1 - a) is kept: columns of dZ no longer sum to 0.",
        lacks="Entry by entry, less a sum of each column, which is the sum of the formula.",
    ),
    Formula(
        "costs.cross_entropy costs.cross_entropy_from_logits",
        "Cross-entropy",
        r"J = -\frac{1}{m} \sum_{i=1}^{m} \sum_{j} y_j^{(i)} \log a_j^{(i)}, \qquad "
        r"L(z, y) = \log \sum_k e^{z_k} - z_{true}",
        "Minus the logarithm of the probability that the right class was given. A network that knows nothing gives "
        "each of "
        "$C$ classes $1/C$: its loss is $\\log C$, 2.3026 for ten, which is the recipe's first check.",
        "sign", "The first loss is -2.3026: the minus is missing.",
        cases="costs.cross_entropy costs.cross_entropy_from_logits*",
        lacks="Entry by entry, then a mean over the columns.",
    ),
    Formula(
        "costs.cross_entropy_prime",
        "Derivative of cross-entropy",
        r"dA = -\frac{Y}{A}",
        "Entry by entry, only the true class has one. Through softmax backward it becomes $A - Y$.",
        "double-softmax", "torch's cross_entropy takes logits: given probabilities it applies softmax once more.",
        lacks=ENTRYWISE,
    ),
    Formula(
        "dropout.dropout_forward draws.dropout_mask draws.dropout_masks",
        "Dropout forward",
        r"A \coloneqq \frac{A * D}{keep}, \qquad d_{ji} \sim \mathrm{Bernoulli}(keep)",
        "Each entry is kept with probability $keep$ and divided by it, so that its mean stays. Nothing has to change "
        "when "
        "the network is used.",
        "The division by keep is missing.", "Activations in use are larger than in training by "
        "1/keep per layer.",
        cases="dropout.forward dropout.forward_of_volumes",
    ),
    Formula(
        "dropout.dropout_backward",
        "Dropout backward",
        r"dA \coloneqq \frac{dA * D}{keep}",
        "The mask is a constant factor on the way forward, so it is the same factor on the way back.",
        "The mask is forgotten on the way back.", "dA is not 0 where the mask is 0.",
        cases="dropout.backward dropout.backward_of_volumes",
        shapes="dA, the mask and the result have the shape of A.",
    ),
    Formula(
        "updates.momentum_update optimizers.Momentum",
        "Momentum",
        r"v \coloneqq \beta v + (1 - \beta)\, dW, \qquad W \coloneqq W - \alpha v",
        "$v$ is an average of past gradients that forgets with the factor $\\beta$: what alternates cancels, what "
        "persists "
        "adds up. torch's buffer leaves out $1 - \\beta$, so its learning rate is $\\alpha (1 - \\beta)$.",
        "learning-rate-missing", "With torch's lr set to alpha, steps are 1/(1 - beta) times as long: ten times for "
        "0.9.",
        cases="optimizers.momentum optimizers.momentum_run",
        shapes="dW, v and the result have the shape of W.",
    ),
    Formula(
        "updates.rmsprop_update optimizers.RMSprop",
        "RMSprop",
        r"s \coloneqq \beta_2 s + (1 - \beta_2)\, dW^{2}, \qquad W \coloneqq W - \alpha \frac{dW}{\sqrt{s} + "
        r"\varepsilon}",
        "Each parameter is divided by the recent size of its own gradient: flat directions get longer steps, steep "
        "ones "
        "shorter.",
        "The epsilon stands inside the root.", "Close where gradients are large, far off where they are near 0.",
        cases="optimizers.rmsprop optimizers.rmsprop_run",
        shapes="dW, s and the result have the shape of W.",
    ),
    Formula(
        "updates.adam_update optimizers.Adam",
        "Adam",
        r"v \coloneqq \beta_1 v + (1 - \beta_1)\, dW, \qquad s \coloneqq \beta_2 s + (1 - \beta_2)\, dW^{2}" "\n"
        r"\hat v = \frac{v}{1 - \beta_1^{t}}, \qquad \hat s = \frac{s}{1 - \beta_2^{t}}, \qquad "
        r"W \coloneqq W - \alpha \frac{\hat v}{\sqrt{\hat s} + \varepsilon}",
        "Momentum over RMSprop. Both averages start at 0, so early ones are too small: after $t$ steps their weights "
        "sum "
        "to $1 - \\beta^{t}$, and dividing by that makes up for it.",
        "beta stands where beta to the power t belongs.", "Right at t = 1, wrong from t = 2: a test of one step "
        "passes.",
        cases="optimizers.adam_*",
        shapes="dW, v, s and the result have the shape of W; t is a whole number.",
    ),
    Formula(
        "schedules.exponential",
        "Exponential decay",
        r"\alpha_{epoch} = \alpha_0 \cdot 0.9^{\,epoch}",
        "A tenth less with every epoch, epochs counted from 0.",
        "Stepped after every batch, not every epoch.", "With six batches an epoch, the rate is down by half after one.",
        shapes="One number for each epoch.",
        lacks=ONE_NUMBER,
    ),
    Formula(
        "schedules.inverse_time schedules.staircase schedules.cosine",
        "Other schedules",
        r"\frac{\alpha_0}{1 + rate \cdot epoch}, \qquad \alpha_0\, factor^{\left\lfloor epoch / every \right\rfloor}, "
        r"\qquad "
        r"\frac{\alpha_0}{2} \Bigl( 1 + \cos \frac{\pi\, epoch}{epochs} \Bigr)",
        "The notes name decay and leave its form open. These are the usual ones: a hyperbola, stairs, half a cosine.",
        "The rate of the last epoch is fed back in.", "Decay is applied to what has decayed already: the rate falls "
        "far "
        "too fast.",
        cases="schedules.inverse_time schedules.staircase schedules.cosine schedules.constant",
        shapes="One number for each epoch.",
        lacks=ONE_NUMBER,
    ),
)  # fmt: skip
