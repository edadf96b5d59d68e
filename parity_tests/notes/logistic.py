"""Logistic regression: F001 to F033."""

from __future__ import annotations

import numpy as np

from manual import costs
from manual.activations import sigmoid
from parity_tests.notes.check_kinds import At, Value, experiment, formula, same, shaped
from parity_tests.notes.descent import logistic_descent
from parity_tests.notes.row import AMBIGUOUS, CONVENTION, HOLDS, MISPRINT, WRONG, Row

ONE, ALL, LOOP = "logistic-one", "logistic", "logistic-loop"

LOOP_START = "for i in range(m):\n    z = np.dot(w.T, X[:, i:i+1]) + b\n    a = sigmoid(z)\n"
LOSS = "y*np.log(a) + (1 - y)*np.log(1 - a)"
COST_LOOP = f"J = 0\n{LOOP_START}    y = Y[0, i]\n    {{}} {LOSS}\nJ /= m"
GRADIENT_LOOP = f"{{0}} = 0\n{LOOP_START}    dz = a - Y[0, i]\n    {{0}} += {{1}}dz\n{{0}} /= m"
FEATURE_LOOP = (
    f"dw = np.zeros((n_x, 1))\n{LOOP_START}    dz = np.sum(a) - Y[0, i]\n"
    "    for j in range(n_x):\n        dw[j, 0] += X[j, i] * dz\ndw /= m"
)


def losses(at: At) -> Value:
    """What the loss is the negative of, for every example: y log a + (1 - y) log(1 - a)."""
    A = sigmoid(at.w.T @ at.X + at.b)
    return at.Y * np.log(A) + (1 - at.Y) * np.log(1 - A)


ROWS = (
    Row(
        "F001", "N0 L6; N3 L110; N4 L10", "one unit: z = w^T x + b", "z = w^T x + b", HOLDS,
        (formula("z = w.T @ x + b", ONE),),
        (formula("z = w.T @ x", ONE, cause="bias-missing"),),
    ),
    Row(
        "F002", "N4 L7", "one unit, the bias misread", "z = w^T x + i", MISPRINT,
        (formula("z = w.T @ x + b", ONE),),
        (formula("z = w.T @ x + i", ONE),),
        "z = w^T x + b", "misprint",
    ),
    Row(
        "F003", "N0 L8; N3 L110; N4 L12", "sigmoid: a = 1/(1 + e^-z)", "yhat = a = sigma(z) = 1/(1 + e^-z)", HOLDS,
        (formula("a = 1/(1 + np.exp(-z))", ONE), formula("a = sigma(z)", ONE)),
        (same("1/(1 + e^z)", "sigmoid", lambda at: (1 / (1 + np.exp(at.z)), at.a)),),
    ),
    Row(
        "F004", "N3 L107", "the output is a probability", "yhat = P(y = 1 | x)", HOLDS,
        (formula("L = -np.log(a**y * (1 - a)**(1 - y))", ONE),),
        (formula("L = np.log(a**y * (1 - a)**(1 - y))", ONE, cause="sign"),),
    ),
    Row(
        "F005", "N0 L10; N2 L126, 148; N3 L114, 135; N4 L14", "binary cross-entropy of one example",
        "L(a, y) = -(y log a + (1 - y) log(1 - a))", HOLDS,
        (formula("L = -(y*np.log(a) + (1 - y)*np.log(1 - a))", ONE),),
        (formula("L = -(y*np.log(a) + (1 - y)*np.log(1 - a)) / np.log(10)", ONE),),
    ),
    Row(
        "F006", "N3 L114", "the loss is minus the log-likelihood", "L = -log p(y | x)", HOLDS,
        (formula("L = -np.log(np.where(y == 1, a, 1 - a))", ONE),),
        (formula("L = np.log(np.where(y == 1, a, 1 - a))", ONE, cause="sign"),),
    ),
    Row(
        "F007", "N3 L114", "the loss of a negative example",
        "L = -log yhat if y = 1, (1 - y) log(1 - yhat) if y = 0", WRONG,
        (formula("L = np.where(y == 1, -np.log(a), -np.log(1 - a))", ONE),),
        (formula("L = np.where(y == 1, -np.log(a), (1 - y) * np.log(1 - a))", ONE, cause="sign"),),
        "-log(1 - yhat) if y = 0",
    ),
    Row(
        "F008", "N0 L24; N3 L118; N4 L61", "cost: the mean of the losses", "J(w, b) = 1/m sum_i L(a(i), y(i))", HOLDS,
        (formula("J = 1/m * np.sum(-(Y*np.log(A) + (1 - Y)*np.log(1 - A)))", ALL),),
        (formula("J = np.sum(-(Y*np.log(A) + (1 - Y)*np.log(1 - A)))", ALL, cause="missing-1/m"),),
    ),
    Row(
        "F009", "N3 L118", "cost, brackets missing",
        "J = -1/M sum y log yhat + (1 - y) log(1 - yhat), without brackets", AMBIGUOUS,
        (formula("J = -1/m * np.sum(Y*np.log(A) + (1 - Y)*np.log(1 - A))", ALL),),
        (formula("J = -1/m * np.sum(Y*np.log(A)) + np.sum((1 - Y)*np.log(1 - A))", ALL),),
        "the sum takes in both terms: J = -1/m sum [y log yhat + (1 - y) log(1 - yhat)]", "brackets-missing",
    ),
    Row(
        "F010", "N3 L135, 316; N4 L23", "da = -y/a + (1 - y)/(1 - a)",
        "da = -y/a + (1 - y)/(1 - a) = (a - y)/(a - a^2) = -y/a + (y - 1)/(a - 1)", HOLDS,
        (
            formula("da = -y/a + (1 - y)/(1 - a)", ONE),
            formula("da = (a - y)/(a - a**2)", ONE),
            formula("da = -y/a + (y - 1)/(a - 1)", ONE),
        ),
        (formula("da = -y/a - (1 - y)/(1 - a)", ONE, cause="sign"),),
    ),
    Row(
        "F011", "N4 L25", "da in NumPy, output layer", "da = -(np.divide(Y, A) - np.divide(1 - Y, 1 - A))", CONVENTION,
        (formula("dA = -(np.divide(Y, A) - np.divide(1 - Y, 1 - A))", ALL),),
        (formula("dA = -(np.divide(Y, A) - np.divide(1 - Y, 1 - A)) / m", ALL, cause="double-1/m"),),
        "for the output layer, A = A[L], and per example: it is the derivative of L(i), not of J",
    ),
    Row(
        "F012", "N4 L23", "chain rule of dz, unfinished",
        "da = ... = -y/(1 - 1/(1 + e^-z)) + y/(1 - 1/(1 + e^-z)), unfinished", MISPRINT,
        (formula("da = -y/sigmoid(z) + (1 - y)/(1 - sigmoid(z))", ONE),),
        (same("-y/(1 - 1/(1 + e^-z)) + y/(1 - 1/(1 + e^-z))", ONE, lambda at: (
            -at.y / (1 - 1 / (1 + np.exp(-at.z))) + at.y / (1 - 1 / (1 + np.exp(-at.z))), at.da)),),
        "da = -y/sigma(z) + (1 - y)/(1 - sigma(z))", "unfinished",
    ),
    Row(
        "F013", "N3 L137; N4 L29", "da/dz = a (1 - a)", "da/dz = a(1 - a) = e^-z/(1 + e^-z)^2 = e^z/(e^z + 1)^2", HOLDS,
        (
            formula("g_prime = a*(1 - a)", "sigmoid"),
            formula("g_prime = np.exp(-z)/(1 + np.exp(-z))**2", "sigmoid"),
            formula("g_prime = np.exp(z)/(np.exp(z) + 1)**2", "sigmoid"),
        ),
        (formula("g_prime = a*(1 + a)", "sigmoid", cause="sign"),),
    ),
    Row(
        "F014", "N0 L54; N1 L122; N3 L139; N4 L33, 37", "dz = a - y", "dz = a - y", HOLDS,
        (formula("dz = a - y", ONE), formula("dz = da * a*(1 - a)", ONE)),
        (formula("dz = (a - y) * a*(1 - a)", ONE, cause="gprime-extra-at-output"),),
    ),
    Row(
        "F015", "N3 L156", "dz confused with da/dz", "dz(i) = a(i) - y(i) = a(i)(1 - a(i))", WRONG,
        (formula("dz = a - y", ONE),),
        (formula("dz = a*(1 - a)", ONE),),
        "dz = a - y; a(1 - a) is da/dz", "left-side",
    ),
    Row(
        "F016", "N0 L16; N4 L41-43", "dw_j = x_j dz, one example", "dw1 = x1 dz, dw2 = x2 dz", HOLDS,
        (formula("dw1 = x1 * dz\ndw2 = x2 * dz", ONE),),
        (formula("dw1 = x2 * dz", ONE),),
    ),
    Row(
        "F017", "N0 L16; N4 L39", "db = dz, one example", "db = dz, for one example", HOLDS,
        (formula("db = dz", ONE),),
        (formula("db = dz", ALL),),
    ),
    Row(
        "F018", "N0 L32; N4 L65", "dJ/dw is the mean over the examples", "dJ/dw1 = 1/m sum_i dL(i)/dw1", HOLDS,
        (formula("dw1 = 1/m * np.sum(X[0, :] * (sigmoid(w.T @ X + b) - Y))", LOOP),),
        (formula("dw1 = np.sum(X[0, :] * (sigmoid(w.T @ X + b) - Y))", LOOP, cause="missing-1/m"),),
    ),
    Row(
        "F019", "N0 L26-38; N4 L63", "weights are shared by the examples",
        "example i has two weights of its own: (x(i), y(i)) = dw1(i), dw2(i), db(i)", AMBIGUOUS,
        (shaped("w is (n_x, 1), however many examples there are", ALL, lambda at: (at.w, (at.n_x, 1))),),
        (shaped("weights for every example: w is (n_x, m)", ALL, lambda at: (at.w, (at.n_x, at.m))),),
        "an example gives gradients of its own; the weights are shared by all examples", "wording",
    ),
    Row(
        "F020", "N0 L42; N3 L143; N4 L69", "accumulators start at zero",
        "J = 0, dw1 = dw2 = db = 0 before the loop", HOLDS,
        (formula(GRADIENT_LOOP.format("db", ""), LOOP),),
        (formula(GRADIENT_LOOP.format("db", "").replace("db = 0", "db = 1"), LOOP),),
    ),
    Row(
        "F021", "N0 L52", "J accumulates, minus missing", "J += [y log a + (1 - y) log(1 - a)]", WRONG,
        (formula(COST_LOOP.format("J -="), LOOP),),
        (formula(COST_LOOP.format("J +="), LOOP, cause="sign"),),
        "J += -[y log a + (1 - y) log(1 - a)]",
    ),
    Row(
        "F022", "N4 L76", "J accumulates", "J += -[y log a + (1 - y) log(1 - a)]", HOLDS,
        (formula(COST_LOOP.format("J -="), LOOP),),
        (formula(COST_LOOP.format("J -=").replace("\nJ /= m", ""), LOOP, cause="missing-1/m"),),
    ),
    Row(
        "F023", "N3 L151", "J accumulates, misprinted", "J = -y[y log a + (1 - y) log(1 - a)]", MISPRINT,
        (formula(COST_LOOP.format("J -="), LOOP),),
        (
            same("J = -y [...]: the last example is kept, over m", LOOP, lambda at: (
                -at.Y[0, -1] * losses(at)[0, -1] / at.m, at.J)),
            same("J += -y [...]", LOOP, lambda at: (-np.sum(at.Y * losses(at)) / at.m, at.J)),
        ),
        "J += -[y log a + (1 - y) log(1 - a)]", "overwritten",
    ),
    Row(
        "F024", "N0 L56-60; N3 L158-162; N4 L80-84", "dw_j and db accumulate",
        "dw_j += x_j(i) dz(i), db += dz(i)", HOLDS,
        (formula(GRADIENT_LOOP.format("dw1", "X[0, i] * "), LOOP), formula(GRADIENT_LOOP.format("db", ""), LOOP)),
        (formula(GRADIENT_LOOP.format("dw1", "X[1, i] * "), LOOP),),
    ),
    Row(
        "F025", "N3 L166", "dw accumulates, an index too many", "dw(i) += x(i) dz(i), (n_x x 1)(1 x 1)", MISPRINT,
        (formula(FEATURE_LOOP, LOOP),),
        (
            same(
                "dw(i) is an entry of its own for every i: the last one is kept", ALL,
                lambda at: (at.X[:, -1:] * at.dZ[:, -1:] / at.m, at.dw),
            ),
        ),
        "dw += x(i) dz(i): an accumulator carries no (i)", "index",
    ),
    Row(
        "F026", "N0 L69-77; N3 L168; N4 L86-92", "divide J, dw and db by m",
        "J /= m, dw /= m, db /= m after the loop", HOLDS,
        (formula(FEATURE_LOOP, LOOP),),
        (formula(FEATURE_LOOP.replace("\ndw /= m", ""), LOOP, cause="missing-1/m"),),
    ),
    Row(
        "F027", "N0 L62-67, 81; N4 L67", "two loops become array operations",
        "two nested loops, over examples and features, become one matrix product", HOLDS,
        (formula(FEATURE_LOOP, LOOP), formula("dw = 1/m * X @ (sigmoid(w.T @ X + b) - Y).T", LOOP)),
        (formula("dw = X @ (sigmoid(w.T @ X + b) - Y).T", LOOP, cause="missing-1/m"),),
    ),
    Row(
        "F028", "N3 L147-149", "shapes for one example", "z(i): (1 x n_x)(n_x x 1) + (1)", HOLDS,
        (shaped("z(i) is (1, 1)", ALL, lambda at: (at.w.T @ at.X[:, :1] + at.b, (1, 1))),),
        (shaped("the crossed-out w1^T x1 with the whole column: (n_x, 1)", ALL,
                lambda at: (at.w[:1].T @ at.X[:1, :1] + at.b, (at.n_x, 1))),),
    ),
    Row(
        "F029", "N3 L127-129; N4 L47-51, 102-104, 155-157", "update: w := w - alpha dw",
        "w := w - alpha dw, b := b - alpha db", HOLDS,
        (
            formula("w = w - alpha * dw\nb = b - alpha * db", ALL),
            experiment("J falls with a small alpha", logistic_descent, lambda run: run.small < run.first,
                       "J from {first:.4f} to {small:.4f} in a step with alpha = 0.01"),
        ),
        (
            formula("w = w + alpha * dw", ALL, cause="sign"),
            experiment("J falls with any alpha", logistic_descent, lambda run: run.huge < run.first,
                       "J from {first:.4f} to {huge:.4f} in a step with alpha = 1000"),
        ),
    ),
    Row(
        "F030", "N3 L123-125; N4 L106", "updates repeat until J is least",
        "w and b that minimise J come from repeated updates; the page is one step", HOLDS,
        (
            experiment("many steps come close to the least J", logistic_descent,
                lambda run: run.last < run.least + 1e-3,
                       "J = {last:.5f} after 3000 steps, at least {least:.5f}"),
        ),
        (
            experiment("one step does", logistic_descent, lambda run: run.one < run.least + 1e-3,
                       "J = {one:.5f} after a step, at least {least:.5f}"),
        ),
    ),
    Row(
        "F031", "N4 L94-98", "after the division dw = dJ/dw", "after the division dw1 = dJ/dw1", HOLDS,
        (formula(GRADIENT_LOOP.format("dw1", "X[0, i] * "), LOOP),),
        (formula(GRADIENT_LOOP.format("dw1", "X[0, i] * ").replace("\ndw1 /= m", ""), LOOP, cause="missing-1/m"),),
    ),
    Row(
        "F032", "N3 L131, 153-164", "m counts examples, n_x features", "training set m = 1 -> 2 features", AMBIGUOUS,
        (shaped("one example of two features: x is (2, 1)", ONE, lambda at: (at.x, (2, 1))),),
        (shaped("m counts the features: x is (1, 2)", ONE, lambda at: (at.x, (1, 2))),),
        "m is the number of examples, n_x that of features", "name-clash",
    ),
    Row(
        "F033", "N0 L20", "derivatives say how J responds",
        "backward: how much dw1, dw2, db must change to change the loss", AMBIGUOUS,
        (
            same("dw says how the loss answers to w", ALL, lambda at: (
                costs.binary_cross_entropy(sigmoid((at.w + 1e-30j * at.w).T @ at.X + at.b), at.Y).imag / 1e-30,
                np.sum(at.dw * at.w),
            )),
        ),
        (
            same("the loss depends on dw itself", ALL, lambda at: (0.0, np.sum(at.dw * at.w))),
        ),
        "derivatives say how much the loss changes with w1, w2, b", "wording",
    ),
)  # fmt: skip
"""Rows of the errata."""
