"""Losses on labels, smoothed and weighted; softmax under the squared error; Huber's loss and the hinge."""

from __future__ import annotations

from typing import Any

import numpy as np

import manual.losses as by_hand
import torch_ref.losses as torch_side
from manual.activations import softmax
from parity_tests.formulas.case import N_1, Derivative, Inputs, M, normal, one_hot
from parity_tests.formulas.formula import EXAMPLES, Formula, Sharp, Words, code, probe, refusal
from parity_tests.formulas.planting import fault, instead, largest_moved, result
from parity_tests.judging.running import Running, running_bounds, stacked


def _log_softmax(Z: Running) -> Running:
    shifted: Running = Z - Z.value.max(axis=0, keepdims=True)
    return shifted - shifted.exp().sum(axis=0).log()


def _softmax(Z: Running) -> Running:
    """By way of the logarithm or not: the former errs more."""
    return _log_softmax(Z).exp()


def _log_softmax_backward(dL: Running, Z: Running) -> Running:
    """One sum per entry, of dl_j and every a_j dl_k: the loop adds them up one after the other."""
    terms = _softmax(Z)[None] * dL[:, None]
    return stacked(dL[None], -terms).sum(axis=0)[0]


def _targets(Z: Running, y: Any, class_weights: Running, sample_weights: Running, smoothing: float) -> Running:
    n = len(Z.value)
    q = Running(Z.u, (1 - smoothing) * np.eye(n)[:, y]) + smoothing / n
    return sample_weights * class_weights * (q * 1.0)


def _terms(Z: Running, y: Any, *weights: Any) -> Running:
    """Both t and log a have one sign; torch adds up the smoothed part apart from the rest."""
    J: Running = (_targets(Z, y, *weights) * _log_softmax(Z)).sum()[0, 0] / Z.value.shape[1]
    return J


def _label_prime(Z: Running, y: Any, *weights: Any) -> Running:
    """As many terms as classes, each with the error of a, and t itself."""
    t = _targets(Z, y, *weights)
    return _softmax(Z) * t.sum(axis=0) - t


def _squared(Z: Running, Y: Running) -> Running:
    d = _softmax(Z) - Y
    J: Running = (d * d).sum()[0, 0] / (2 * Z.value.shape[1])
    return J


def _squared_prime(Z: Running, Y: Running) -> Running:
    A = _softmax(Z)
    dA = A - Y
    return A * (dA - (dA * A).sum(axis=0))


def _huber(A: Running, Y: Running, delta: float) -> Running:
    d = A - Y
    inside, sign = np.abs(d.value) <= delta, np.sign(d.value)
    losses = d * d / 2 * inside + delta * (d * sign - delta / 2) * ~inside
    J: Running = losses.sum()[0, 0] / A.value.shape[1]
    return J


def _huber_prime(A: Running, Y: Running, delta: float) -> Running:
    d = A - Y
    cut: Running = d * (np.abs(d.value) <= delta) + Running(A.u, np.sign(d.value)) * delta * (np.abs(d.value) > delta)
    return cut


def _hinge(Z: Running, y: Any, margin: float) -> Running:
    of_label = np.eye(len(Z.value))[:, y]
    short = Z - (Z * of_label).sum(axis=0) + margin
    J: Running = (short * ((short.value > 0) & (of_label == 0))).sum()[0, 0] / Z.value.shape[1]
    return J


# pragma: no mutate start, for what follows is drawn and planted: the bounds above judge


DELTA, MARGIN, SMOOTHING = 0.8, 0.7, 0.1


def _labels(rng: np.random.Generator) -> list[int]:
    return [int(label) for label in rng.integers(0, N_1, M)]


def _labelled(rng: np.random.Generator, smoothing: float = SMOOTHING) -> Inputs:
    return {
        "Z": normal(rng, N_1, M),
        "y": _labels(rng),
        "class_weights": rng.uniform(0.5, 2.0, (N_1, 1)),
        "sample_weights": rng.uniform(0.5, 2.0, (1, M)),
        "smoothing": smoothing,
    }


def _summed(cost: Any) -> Any:
    """The summed loss, whose derivative is per example."""
    return lambda **arguments: M * cost(**arguments)


def _pair(first: str, second: Any, **settings: float) -> Any:
    return lambda rng: {first: normal(rng, N_1, M), **second(rng), **settings}


LABELLED, OF_LABELLED = "Z y class_weights sample_weights smoothing", {"dZ": "Z"}
ONE_HOT = _pair("Z", lambda rng: {"Y": one_hot(rng, N_1, M)})
DISTANCES = _pair("A", lambda rng: {"Y": normal(rng, N_1, M)}, delta=DELTA)
MARGINS = _pair("Z", lambda rng: {"y": _labels(rng)}, margin=MARGIN)

Z, ONES_N, ONES_M = np.ones((2, 3)), np.ones((2, 1)), np.ones((1, 3))
"""Two classes of three examples, to be refused in parts."""

LABEL = "expected whole numbers from 0 to 1: one of 2 classes"

FORMULAS = (
    Formula(
        (code(by_hand, torch_side, "log_softmax"),),
        Words(
            "Log-softmax",
            r"\log a_j = z_j - \max z - \log \sum_{k} e^{z_k - \max z}",
            "The logarithm of softmax, taken before the quotient: the sum holds a 1, so its logarithm is never that "
            "of 0.",
            "log(softmax(z)) in two steps.",
            "-inf and NaN where a class is very unlikely; equal everywhere else.",
        ),
        cases=(probe(lambda rng: {"Z": 3 * normal(rng, N_1, M)}, running_bounds(_log_softmax, "L", "Z")),),
        sharp=(Sharp(0.1),),
        faults=(
            fault("log-softmax over the examples", instead(lambda Z: by_hand.log_softmax(Z.T).T), "L", at="manual"),
            fault("the shift not given back", result(lambda L, Z: L + Z.max(axis=0)), "L", at="manual"),
        ),
        refusals=(refusal(f"Z has shape (3,), {EXAMPLES}", Z[0]),),
    ),
    Formula(
        (code(by_hand, torch_side, "log_softmax_backward"),),
        Words(
            "Log-softmax backward",
            r"dz_j = dl_j - a_j \sum_{k} dl_k",
            "$\\log a_k$ moves with $z_j$ by $\\delta_{jk} - a_j$. With the loss $-\\log a_y$ it is $A - Y$.",
            "The sum is forgotten: dZ = dL - A.",
            "Right for a plain negative log-likelihood up to its sign, wrong under weights.",
        ),
        cases=(
            probe(
                lambda rng: {"dL": normal(rng, N_1, M), "Z": normal(rng, N_1, M)},
                running_bounds(_log_softmax_backward, "dZ", "dL Z"),
                {"dZ": Derivative(lambda dL, Z: np.sum(dL * by_hand.log_softmax(Z)), "Z")},
            ),
        ),
        sharp=(Sharp(0.1),),
        faults=(
            fault("log-softmax without its sum", instead(lambda dL, Z: dL - np.exp(by_hand.log_softmax(Z))), "dZ",
                  at="manual"),
        ),
        refusals=(refusal("dL has shape (3, 2), expected (2, 3): dL has the shape of Z", Z.T, Z),),
    ),
    Formula(
        (code(by_hand, torch_side, "label_cross_entropy"),),
        Words(
            "Cross-entropy on labels, smoothed and weighted",
            r"q_k = (1 - \epsilon) [k = y] + \frac{\epsilon}{n}, \qquad J = -\frac{1}{m} \sum_{i} s_i \sum_{k} w_k q_k "
            r"\log a_k^{(i)}",
            "A label is the place of the one in a one-hot column, so the sum has one term. Smoothing gives every "
            "class a "
            "small share, the right one too. Weights of classes and of examples multiply what each contributes.",
            "The mean is divided by m, or by the sum of the weights: torch does the latter.",
            "The cost is off by the mean weight of the labels, which changes from batch to batch.",
        ),
        cases=(
            probe(_labelled, running_bounds(_terms, "J", LABELLED)),
            probe(lambda rng: _labelled(rng, 0.0), running_bounds(_terms, "J", LABELLED),
                  id="losses.label_cross_entropy_unsmoothed"),
        ),
        sharp=(Sharp(0.01),),
        faults=(
            fault("smoothing over the others",
                  lambda f: lambda *a: f(*a[:-1], a[-1] * N_1 / (N_1 - 1)), "J", at="manual"),
            fault("class weights forgotten",
                  lambda f: lambda Z, y, w, *a: f(Z, y, np.ones_like(w), *a), "J", at="manual"),
            fault("divided by the weights", result(lambda J, Z, y, w, s, e: J * M / np.sum(w[y, 0] * s[0])), "J",
                  at="manual"),
            fault("J on labels moved", result(largest_moved), "J", at="manual"),
        ),
        refusals=(
            refusal(f"y holds 2, {LABEL}", Z, [0, 1, 2], ONES_N, ONES_M),
            refusal(f"y holds -1, {LABEL}", Z, [0, 1, -1], ONES_N, ONES_M),
            refusal(f"y holds 0.5, {LABEL}", Z, [0, 1, 0.5], ONES_N, ONES_M),
            refusal("y has shape (2,), expected (3,): one label for each column of Z", Z, [0, 1], ONES_N, ONES_M),
            refusal("class_weights has shape (1, 3), expected (2, 1): a weight for each class",
                    Z, [0, 1, 1], ONES_M, ONES_M),
            refusal("sample_weights has shape (2, 1), expected (1, 3): a weight for each example",
                    Z, [0, 1, 1], ONES_N, ONES_N),
            refusal("smoothing is 1.5, expected a number in [0, 1]: the share of all classes",
                    Z, [0, 1, 1], ONES_N, ONES_M, 1.5),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "label_cross_entropy_prime"),),
        Words(
            "Cross-entropy on labels, backward",
            r"dz_j = a_j \sum_{k} t_k - t_j, \qquad t_k = s\, w_k q_k",
            "Log-softmax backward with $dl = -t$. Without weights the $t$ sum to 1, and it is $A - Q$.",
            "A - Y is multiplied by the weights of the classes, row by row.",
            "Rows are scaled, not examples: columns of dZ do not sum to 0.",
        ),
        cases=(
            probe(_labelled, running_bounds(_label_prime, "dZ", LABELLED),
                  {"dZ": Derivative(_summed(by_hand.label_cross_entropy), "Z")}),
        ),
        sharp=(Sharp(0.05),),
        faults=(
            fault("weights on rows", instead(lambda Z, y, w, s, e: s * w * (
                softmax(Z) - ((1 - e) * np.eye(N_1, dtype=Z.dtype)[:, y] + e / N_1))), "dZ", at="manual"),
            fault("1/m in dZ of labels", result(lambda dZ, *a: dZ / M), "dZ", at="manual"),
        ),
        refusals=(refusal(f"y holds 2, {LABEL}", Z, [0, 1, 2], ONES_N, ONES_M),),
    ),
    Formula(
        (code(by_hand, torch_side, "softmax_squared_error"),),
        Words(
            "Softmax under the squared error",
            r"J = \frac{1}{2m} \sum_{i} \bigl\| \mathrm{softmax}(z^{(i)}) - y^{(i)} \bigr\|^{2}",
            "A cost that people pair with softmax though the notes do not. It is bounded, and flat where an answer is "
            "confident and wrong.",
            "The factor is 1/m here and 1/2m in the derivative, or the other way round.",
            "The gradient is off by 2.",
        ),
        cases=(probe(ONE_HOT, running_bounds(_squared, "J", "Z Y")),),
        sharp=(Sharp(0.01),),
        faults=(fault("the half forgotten", result(lambda J, *a: 2 * J), "J", at="manual"),),
        refusals=(refusal("Y has shape (3, 2), expected (2, 3): Y has the shape of Z", Z, Z.T),),
    ),
    Formula(
        (code(by_hand, torch_side, "softmax_squared_error_prime"),),
        Words(
            "Softmax under the squared error, backward",
            r"dA = A - Y, \qquad dz_j = a_j \Bigl( da_j - \sum_{k} da_k\, a_k \Bigr)",
            "Only under cross-entropy do the quotient and the logarithm cancel to $A - Y$. Here the whole Jacobian of "
            "softmax stays.",
            "dZ = A - Y, as under cross-entropy, or only the diagonal of the Jacobian.",
            "Training works, towards another cost; with the diagonal alone columns of dZ do not sum to 0.",
        ),
        cases=(
            probe(ONE_HOT, running_bounds(_squared_prime, "dZ", "Z Y"),
                  {"dZ": Derivative(_summed(by_hand.softmax_squared_error), "Z")}),
        ),
        sharp=(Sharp(0.02),),
        faults=(
            fault("A - Y under the squared error", instead(lambda Z, Y: softmax(Z) - Y), "dZ", at="manual"),
            fault("the diagonal under the squared error", instead(lambda Z, Y: (softmax(Z) - Y) * (
                softmax(Z) * (1 - softmax(Z)))), "dZ", at="manual"),
        ),
        refusals=(refusal("Y has shape (3, 2), expected (2, 3): Y has the shape of Z", Z, Z.T),),
    ),
    Formula(
        (code(by_hand, torch_side, "huber"),),
        Words(
            "Huber's loss",
            r"L = \begin{cases} \frac{1}{2} d^{2} & |d| \le \delta \\ \delta (|d| - \frac{1}{2} \delta) & \text{else} "
            r"\end{cases} \qquad d = a - y",
            "The line continues the parabola with its value and its slope at $\\delta$, so the slope never exceeds it.",
            "smooth_l1_loss is taken for it, which divides by delta.",
            "Off by the factor delta, unless it is 1.",
        ),
        cases=(probe(DISTANCES, running_bounds(_huber, "J", "A Y delta")),),
        sharp=(Sharp(0.02),),
        faults=(
            fault("Huber divided by delta", result(lambda J, A, Y, delta: J / delta), "J", at="manual"),
            fault("delta for half of delta", instead(lambda A, Y, delta: np.sum(np.where(
                abs(A - Y) <= delta, (A - Y) ** 2 / 2, delta * (abs(A - Y) - delta))) / M), "J", at="manual"),
        ),
        refusals=(
            refusal("delta is 0, expected a number above 0: where the straight line begins", Z, Z, 0),
            refusal("Y has shape (3, 2), expected (2, 3): Y has the shape of A", Z, Z.T),
            refusal(f"A has shape (3,), {EXAMPLES}", Z[0], Z[0]),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "huber_prime"),),
        Words(
            "Huber's loss, backward",
            r"dA = \min(\max(A - Y, -\delta), \delta)",
            "The distance itself where it is short, its sign times $\\delta$ where it is long.",
            "The sign is forgotten beyond delta.",
            "Answers far below the target are pushed further down.",
        ),
        cases=(
            probe(DISTANCES, running_bounds(_huber_prime, "dA", "A Y delta"),
                  {"dA": Derivative(_summed(by_hand.huber), "A")}),
        ),
        sharp=(Sharp(0.1),),
        faults=(
            fault("no sign beyond delta", instead(lambda A, Y, delta: np.where(
                  np.abs(A - Y) > delta, delta, A - Y).astype(A.dtype)), "dA", at="manual"),
            fault("not cut off", instead(lambda A, Y, delta: A - Y), "dA", at="manual"),
        ),
        refusals=(refusal("delta is 0, expected a number above 0: where the straight line begins", Z, Z, 0),),
    ),
    Formula(
        (code(by_hand, torch_side, "hinge"),),
        Words(
            "The hinge of several classes",
            r"J = \frac{1}{m} \sum_{i} \sum_{j \ne y_i} \max(0, z_j^{(i)} - z_{y_i}^{(i)} + \Delta)",
            "A wrong class costs nothing once it is a margin below the right one, and what it lacks until then.",
            "The right class is left in the sum.",
            "The cost is too large by one margin, the gradient is right.",
        ),
        cases=(probe(MARGINS, running_bounds(_hinge, "J", "Z y margin")),),
        sharp=(Sharp(0.02),),
        faults=(
            fault("the right class in the sum",
                  result(lambda J, Z, y, margin: J + Z.dtype.type(margin)), "J", at="manual"),
            fault("divided by the classes", result(lambda J, Z, *a: J / len(Z)), "J", at="manual"),
        ),
        refusals=(refusal(f"y holds 2, {LABEL}", Z, [0, 1, 2]),),
    ),
    Formula(
        (code(by_hand, torch_side, "hinge_prime"),),
        Words(
            "The hinge, backward",
            r"dz_j = [z_j - z_y + \Delta > 0] \ (j \ne y), \qquad dz_y = -\sum_{j \ne y} dz_j",
            "Each class that is too near pulls itself down and the right one up by one.",
            "The right class gets -1, however many are too near.",
            "Right with two classes.",
        ),
        cases=(
            probe(MARGINS, {"dZ": lambda u, at: np.where(at.dZ > 0, 0.0, 4 * u * np.abs(at.dZ))},
                  {"dZ": Derivative(_summed(by_hand.hinge), "Z")}),
        ),
        faults=(
            fault("the right class pulled once", result(lambda dZ, *a: np.maximum(dZ, -1)), "dZ", at="manual"),
        ),
        refusals=(refusal(f"y holds 2, {LABEL}", Z, [0, 1, 2]),),
    ),
)  # fmt: skip
# pragma: no mutate end
