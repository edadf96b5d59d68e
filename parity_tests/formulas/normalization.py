"""Batch norm and layer norm, in columns, rows and volumes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import manual.normalization as by_hand
import torch_ref.normalization as torch_side
from manual import network
from manual.normalization import LAYOUTS, NormBackward, Statistics
from manual.notation import Array
from parity_tests.formulas.case import N_1, N_2, N_X, Case, Inputs, M, normal
from parity_tests.formulas.formula import Formula, Sharp, Words, code, probe, pulled_back, refusal
from parity_tests.formulas.norm_bounds import (
    norm_backward_bounds,
    norm_bound,
    predict_backward_bounds,
    predict_bound,
    running_bounds,
)
from parity_tests.formulas.planting import fault, instead, largest_moved, result
from parity_tests.judging.bounds import Bound

EPSILON = 0.03
"""Large enough to be seen beside the variance: at 1e-5 its place would not matter in float32."""

MOMENTUM = 0.3

SHAPES = {"columns": (N_1, M), "rows": (M, N_1), "volumes": (N_X, N_2, N_2, N_1)}


def kept_axis(norm: str, layout: str) -> int:
    """The axis that is not averaged over."""
    return LAYOUTS[layout].features if norm == "batch_norm" else LAYOUTS[layout].examples


def _axes(norm: str, layout: str) -> tuple[int, ...]:
    return tuple(axis for axis in range(len(SHAPES[layout])) if axis != kept_axis(norm, layout))


def _shape_of_gamma(norm: str, layout: str) -> tuple[int, ...]:
    batch, kept = norm == "batch_norm", kept_axis(norm, layout)
    return tuple(n if (axis == kept) == batch else 1 for axis, n in enumerate(SHAPES[layout]))


def _inputs(
    norm: str, layout: str, offset: float = 1.0, gamma: float = 1.0, beta: float = 1.0
) -> Callable[[Any], Inputs]:
    def draw(rng: np.random.Generator) -> Inputs:
        shape = _shape_of_gamma(norm, layout)
        return {
            "A_prev": offset + normal(rng, *SHAPES[layout]),
            "gamma": gamma * normal(rng, *shape),
            "beta": beta * normal(rng, *shape),
            "layout": layout,
            "epsilon": EPSILON,
        }

    return draw


def _forward_case(norm: str, layout: str) -> Case:
    def bound(u: float, at: Any) -> Bound:
        return norm_bound(u, at.A_prev, at.gamma, at.beta, _axes(norm, layout), at.epsilon)

    return probe(_inputs(norm, layout), {"Z": bound}, id=f"normalization.{norm}_forward_{layout}")


def _without_beta(backward: Callable[..., Any]) -> Callable[..., Any]:
    return lambda dZ, A_prev, gamma, beta, layout, epsilon: backward(dZ, A_prev, gamma, layout, epsilon)


def _backward_case(norm: str, layout: str) -> Case:
    forward = getattr(by_hand, f"{norm}_forward")
    m = SHAPES[layout][LAYOUTS[layout].examples]

    def bound(number: int) -> Callable[[float, Any], Bound]:
        return lambda u, at: norm_backward_bounds(u, at.dZ, at.A_prev, at.gamma, _axes(norm, layout), m, at.epsilon)[
            number
        ]

    return Case(
        f"normalization.{norm}_backward_{layout}",
        "",
        inputs=lambda rng: {"dZ": normal(rng, *SHAPES[layout]), **_inputs(norm, layout)(rng)},
        manual=_without_beta(getattr(by_hand, f"{norm}_backward")),
        loop=_without_beta(getattr(by_hand, f"{norm}_backward_loop")),
        reference=_without_beta(getattr(torch_side, f"{norm}_backward")),
        bounds={name: bound(number) for number, name in enumerate(NormBackward._fields)},
        derivatives=pulled_back(forward, "dZ", "A_prev gamma beta", per_example=1, m=m),
        stays_real={"beta": "the derivatives do not depend on it"},
    )


def _statistics(rng: np.random.Generator, layout: str) -> Inputs:
    shape = _shape_of_gamma("batch_norm", layout)
    return {"mean": normal(rng, *shape), "variance": rng.uniform(0.1, 2.0, shape)}


def _running_case(layout: str) -> Case:
    def bound(number: int) -> Callable[[float, Any], Bound]:
        return lambda u, at: running_bounds(
            u, at.A_prev, at.of_mean, at.of_variance, _axes("batch_norm", layout), at.momentum
        )[number]

    def draw(rng: np.random.Generator) -> Inputs:
        old = _statistics(rng, layout)
        return {
            "A_prev": 1 + normal(rng, *SHAPES[layout]),
            "of_mean": old["mean"],
            "of_variance": old["variance"],
            "layout": layout,
            "momentum": MOMENTUM,
        }

    return probe(
        draw,
        {name: bound(number) for number, name in enumerate(Statistics._fields)},
        id=f"normalization.running_statistics_{layout}",
    )


def _predict_case(layout: str) -> Case:
    def draw(rng: np.random.Generator) -> Inputs:
        arrays = _inputs("batch_norm", layout)(rng)
        del arrays["layout"], arrays["epsilon"]
        return {**arrays, **_statistics(rng, layout), "epsilon": EPSILON}

    return probe(
        draw,
        {"Z": lambda u, at: predict_bound(u, at.A_prev, at.gamma, at.beta, at.mean, at.variance, at.epsilon)},
        id=f"normalization.batch_norm_predict_{layout}",
    )


def _predict_backward_case(layout: str) -> Case:
    m = SHAPES[layout][LAYOUTS[layout].examples]

    def forward(A_prev: Array, gamma: Array, beta: Array, of_mean: Array, of_variance: Array, layout: str) -> Array:
        return by_hand.batch_norm_predict(A_prev, gamma, beta, of_mean, of_variance)

    def without_beta(backward: Callable[..., Any]) -> Callable[..., Any]:
        return lambda dZ, A_prev, gamma, beta, *rest: backward(dZ, A_prev, gamma, *rest)

    def bound(number: int) -> Callable[[float, Any], Bound]:
        return lambda u, at: predict_backward_bounds(
            u, at.dZ, at.A_prev, at.gamma, at.of_mean, at.of_variance, m, by_hand.EPSILON
        )[number]

    def draw(rng: np.random.Generator) -> Inputs:
        arrays, old = _inputs("batch_norm", layout)(rng), _statistics(rng, layout)
        given = {name: arrays[name] for name in ("A_prev", "gamma", "beta")}
        dZ = normal(rng, *SHAPES[layout])
        return {"dZ": dZ, **given, "of_mean": old["mean"], "of_variance": old["variance"], "layout": layout}

    return Case(
        f"normalization.batch_norm_predict_backward_{layout}",
        "",
        inputs=draw,
        manual=without_beta(by_hand.batch_norm_predict_backward),
        loop=without_beta(by_hand.batch_norm_predict_backward_loop),
        reference=without_beta(torch_side.batch_norm_predict_backward),
        bounds={name: bound(number) for number, name in enumerate(NormBackward._fields)},
        derivatives=pulled_back(forward, "dZ", "A_prev gamma beta", per_example=1, m=m),
        stays_real={"beta": "the derivatives do not depend on it"},
    )


def _standardised(A: Array, axis: int, ddof: int = 0, inside: float = EPSILON, beside: float = 0.0) -> Array:
    """A minus its mean, over its deviation, with epsilon where it is said."""
    d = A - A.mean(axis=axis, keepdims=True)
    root = np.sqrt(A.var(axis=axis, keepdims=True, ddof=ddof) + inside) + beside
    return np.asarray(d / root)


def _scaled(**options: Any) -> Any:
    """The forward pass in columns with another way to normalise."""
    return instead(lambda A, gamma, beta, layout, epsilon: gamma * _standardised(A, **options) + beta)


def _slipped(axis: int, *forgotten: str) -> Any:
    """dA_prev in columns without one of its terms."""

    def alter(right: NormBackward, dZ: Array, A: Array, gamma: Array, *rest: Any) -> NormBackward:
        A_hat, g = _standardised(A, axis), gamma * dZ
        mean, variance = g.mean(axis=axis, keepdims=True), A_hat * np.mean(g * A_hat, axis=axis, keepdims=True)
        dA = g - ("mean" not in forgotten) * mean - ("variance" not in forgotten) * variance
        root = np.sqrt(A.var(axis=axis, keepdims=True) + EPSILON)
        return right._replace(dA_prev=dA if "root" in forgotten else dA / root)

    return result(alter)


def _field(name: str, alter: Callable[..., Any]) -> Any:
    """A fault in one of the derivatives."""
    return result(lambda found, *args: found._replace(**{name: alter(getattr(found, name), *args)}))


A, COLUMN = np.arange(6.0).reshape(2, 3), np.ones((2, 1))
"""Two features of three examples, to be refused in parts."""

LAYOUT = "layout is 'nhwc', expected one of columns, rows, volumes"

FORMULAS = (
    Formula(
        (code(by_hand, torch_side, "batch_norm_forward"),),
        Words(
            "Batch norm",
            r"\mu_j = \frac{1}{m} \sum_{i} a_{ji}, \qquad \sigma_j^{2} = \frac{1}{m} \sum_{i} (a_{ji} - \mu_j)^{2}"
            "\n"
            r"z_{ji} = \gamma_j\, \frac{a_{ji} - \mu_j}{\sqrt{\sigma_j^{2} + \epsilon}} + \beta_j",
            "Each feature is brought to mean 0 and variance 1 over the batch, so that the layer above sees the same "
            r"spread whatever the layer below does; $\gamma$ and $\beta$ give back what that takes away. In volumes a "
            "feature is a channel: its sums run over the examples and over all places.",
            "The variance is divided by m - 1, as torch.var and pandas do.",
            "All of Z - beta is too small by one factor, sqrt(1 - 1/m), which large batches hide.",
        ),
        cases=tuple(_forward_case("batch_norm", layout) for layout in LAYOUTS),
        sharp=(
            Sharp(0.05),
            Sharp(0.05, "gamma alone", _inputs("batch_norm", "columns", offset=0.0, beta=1e-3)),
            Sharp(0.1, "beta alone", _inputs("batch_norm", "columns", gamma=1e-4)),
        ),
        faults=(
            fault("variance over m - 1", _scaled(axis=1, ddof=1), "Z", at="manual"),
            fault("epsilon beside the deviation", _scaled(axis=1, inside=0.0, beside=EPSILON), "Z", at="manual"),
            fault("epsilon left out", _scaled(axis=1, inside=0.0), "Z", at="manual"),
            fault("batch norm over the features", _scaled(axis=0), "Z", at="manual"),
            fault("divided by the variance",
                  instead(lambda A, g, b, *a: g * _standardised(A, 1) / np.std(A, axis=1, keepdims=True) + b), "Z",
                  at="manual"),
            fault("beta forgotten", result(lambda Z, A, g, b, *a: Z - b), "Z", at="manual"),
            fault("a channel normalised place by place",
                  instead(lambda A, g, b, *a: g * _standardised(A, 0) + b), "Z",
                  at="case:normalization.batch_norm_forward_volumes manual"),
            fault("one entry of batch norm moved", result(largest_moved), "Z", at="manual"),
        ),
        refusals=(
            refusal(LAYOUT, A, COLUMN, COLUMN, "nhwc"),
            refusal("A_prev has shape (3,), expected a matrix with no side of length 0: it is in columns", A[0], A, A),
            refusal("A_prev has shape (2, 3), expected (m, n_H, n_W, n_C) with no side of length 0: it is in volumes",
                    A, A, A, "volumes"),
            refusal("A_prev has shape (0, 3), expected a matrix with no side of length 0: it is in rows",
                    A[:0], A, A, "rows"),
            refusal("gamma has shape (2,), expected (2, 1): an entry of gamma for each feature",
                    A, COLUMN[:, 0], COLUMN),
            refusal("beta has shape (1, 2), expected (2, 1): beta has the shape of gamma", A, COLUMN, COLUMN.T),
            refusal("A_prev has shape (2, 1), expected two values of each feature: one has no spread",
                    A[:, :1], COLUMN, COLUMN),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "batch_norm_backward"),),
        Words(
            "Batch norm backward",
            r"da_{ji} = \frac{1}{s_j} \Bigl( g_{ji} - \overline{g_j} - \hat a_{ji}\, \overline{g_j \hat a_j} \Bigr), "
            r"\qquad g = \gamma\, dZ, \quad s_j = \sqrt{\sigma_j^{2} + \epsilon}"
            "\n"
            r"d\gamma_j = \frac{1}{m} \sum_i dz_{ji}\, \hat a_{ji}, \qquad d\beta_j = \frac{1}{m} \sum_i dz_{ji}",
            "An entry acts on the loss in three ways: by itself, through the mean and through the variance. "
            r"$\partial \mu / \partial a_{ji}$ is $1/m$; $\partial \sigma^2 / \partial a_{ji}$ is "
            r"$\frac{2}{m} (a_{ji} - \mu_j)$; the mean moves the variance not at all, for the differences sum to 0. "
            "Put together, what $g$ has in common with a shift and with a stretch of the feature is taken out.",
            "Mean and variance are treated as constants.",
            "dA_prev does not sum to 0 over the batch; all below the layer is wrong, dgamma and dbeta are right.",
        ),
        cases=tuple(_backward_case("batch_norm", layout) for layout in LAYOUTS),
        sharp=(Sharp(0.02),),
        faults=(
            fault("statistics as constants", _slipped(1, "mean", "variance"), "dA_prev", at="manual"),
            fault("no way through the mean", _slipped(1, "mean"), "dA_prev", at="manual"),
            fault("no way through the variance", _slipped(1, "variance"), "dA_prev", at="manual"),
            fault("root left out backward", _slipped(1, "root"), "dA_prev", at="manual"),
            fault("gamma forgotten backward",
                  _field("dA_prev", lambda dA, dZ, A, g, *a: dA / g), "dA_prev", at="manual"),
            fault("dgamma by A in place of A_hat",
                  _field("dgamma", lambda d, dZ, A, *a: np.mean(dZ * A, axis=1, keepdims=True)), "dgamma", at="manual"),
            fault("1/m lost in dgamma", _field("dgamma", lambda d, *a: d * M), "dgamma", at="manual"),
            fault("1/m lost in dbeta", _field("dbeta", lambda d, *a: d * M), "dbeta", at="manual"),
            fault("dbeta over everything",
                  _field("dbeta", lambda d, *a: np.full_like(d, d.sum())), "dbeta", at="manual"),
        ),
        refusals=(
            refusal("dZ has shape (3, 2), expected (2, 3): dZ has the shape of A_prev", A.T, A, COLUMN),
            refusal("gamma has shape (1, 2), expected (2, 1): an entry of gamma for each feature", A, A, COLUMN.T),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "running_statistics"), code(network, None, "remembered")),
        Words(
            "The running statistics of batch norm",
            r"\bar\mu_j \coloneqq (1 - p)\, \bar\mu_j + p\, \mu_j, \qquad \bar\sigma_j^{2} \coloneqq (1 - p)\, "
            r"\bar\sigma_j^{2} + p\, \frac{m}{m - 1} \sigma_j^{2}",
            "In use a batch may be one example, so mean and variance of the training batches are remembered as moving "
            "averages. What is remembered is an estimate for all data, hence $m - 1$; what normalises a batch is its "
            "own variance, hence $m$. The momentum $p$ is the weight of the new batch.",
            "The biased variance is averaged, or momentum is taken for the weight of the past, as in TensorFlow.",
            "Training agrees and prediction does not: the variance is too small by 1 - 1/m, or the averages race.",
        ),
        cases=tuple(_running_case(layout) for layout in LAYOUTS),
        sharp=(Sharp(0.05),),
        faults=(
            fault("biased variance in the average",
                  _field("variance", lambda v, A, mean, old, *a: 0.7 * old + MOMENTUM * A.var(1, keepdims=True)),
                  "variance", at="manual"),
            fault("momentum of the past",
                  lambda f: lambda A, mean, variance, layout, p: f(A, mean, variance, layout, 1 - p),
                  "mean", "variance", at="manual"),
            fault("the last batch alone",
                  lambda f: lambda A, mean, variance, layout, p: f(A, mean, variance, layout, 1.0),
                  "mean", "variance", at="manual"),
        ),
        refusals=(
            refusal("mean has shape (1, 2), expected (2, 1): an entry of mean for each feature", A, COLUMN.T, COLUMN),
            refusal("variance has shape (1, 2), expected (2, 1): variance has the shape of mean", A, COLUMN, COLUMN.T),
            refusal("A_prev has shape (2, 1), expected two values of each feature: one has no spread",
                    A[:, :1], COLUMN, COLUMN),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "batch_norm_predict"),),
        Words(
            "Batch norm in use",
            r"z_{ji} = \gamma_j\, \frac{a_{ji} - \bar\mu_j}{\sqrt{\bar\sigma_j^{2} + \epsilon}} + \beta_j",
            "The statistics are constants now, so the layer is one factor and one shift for each feature, and may be "
            "folded into the weights below it.",
            "The network stays in training: the batch's own statistics are used for predictions.",
            "An answer depends on which other examples are asked for, and fails for one alone.",
        ),
        cases=tuple(_predict_case(layout) for layout in LAYOUTS),
        sharp=(Sharp(0.1),),
        faults=(
            fault("batch statistics in use",
                  instead(lambda A, g, b, mean, variance, epsilon: g * _standardised(A, 1) + b), "Z", at="manual"),
            fault("deviation for variance", lambda f: lambda A, g, b, mean, v, e: f(A, g, b, mean, v**2, e), "Z",
                  at="manual"),
        ),
        refusals=tuple(
            refusal(f"{name} has shape (1, 2), expected (2, 1): {name} has the shape of gamma",
                    A, COLUMN, *(COLUMN.T if each == name else COLUMN for each in ("beta", "mean", "variance")))
            for name in ("beta", "mean", "variance")
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "batch_norm_predict_backward"),),
        Words(
            "Batch norm backward, in use",
            r"da_{ji} = \frac{\gamma_j\, dz_{ji}}{\sqrt{\bar\sigma_j^{2} + \epsilon}}, \qquad "
            r"d\gamma_j = \frac{1}{m} \sum_i dz_{ji}\, \frac{a_{ji} - \bar\mu_j}{\sqrt{\bar\sigma_j^{2} + \epsilon}}, "
            r"\qquad d\beta_j = \frac{1}{m} \sum_i dz_{ji}",
            "The running statistics do not depend on the batch, so nothing flows through them: a layer that is frozen, "
            "or differentiated in evaluation, has one factor for each feature.",
            "The formula of training is taken for a network in evaluation.",
            "dA_prev sums to 0 over the batch where it should not.",
        ),
        cases=tuple(_predict_backward_case(layout) for layout in LAYOUTS),
        sharp=(Sharp(0.05),),
        faults=(
            fault("the derivative of training, in use",
                  _field("dA_prev", lambda dA, *a: dA - dA.mean(axis=1, keepdims=True)), "dA_prev", at="manual"),
            fault("root of the batch in use",
                  _field("dA_prev", lambda dA, dZ, A, g, b, mean, v, *a: g * dZ / A.std(axis=1, keepdims=True)),
                  "dA_prev", at="manual"),
            fault("mean forgotten in dgamma in use",
                  _field("dgamma", lambda d, dZ, A, g, b, mean, v, *a: np.mean(
                      dZ * A, axis=1, keepdims=True) / np.sqrt(v + by_hand.EPSILON)), "dgamma", at="manual"),
            fault("1/m lost in dbeta in use", _field("dbeta", lambda d, *a: d * M), "dbeta", at="manual"),
        ),
        refusals=(
            refusal("dZ has shape (3, 2), expected (2, 3): dZ has the shape of A_prev", A.T, A, COLUMN, COLUMN, COLUMN),
            *(
                refusal(f"{name} has shape (1, 2), expected (2, 1): an entry of {name} for each feature",
                        A, A, *(COLUMN.T if each == name else COLUMN for each in ("gamma", "mean", "variance")))
                for name in ("gamma", "mean", "variance")
            ),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "layer_norm_forward"),),
        Words(
            "Layer norm",
            r"\mu_i = \frac{1}{n} \sum_{j} a_{ji}, \qquad \sigma_i^{2} = \frac{1}{n} \sum_{j} (a_{ji} - \mu_i)^{2}"
            "\n"
            r"z_{ji} = \gamma_j\, \frac{a_{ji} - \mu_i}{\sqrt{\sigma_i^{2} + \epsilon}} + \beta_j",
            "The same as batch norm with the two axes changed: each example is normalised over its own features. So "
            r"examples do not see each other, and training and use are the same. $\gamma$ and $\beta$ still belong "
            "to the features.",
            "The sums run over the batch.",
            "An example's output changes with its neighbours.",
        ),
        cases=tuple(_forward_case("layer_norm", layout) for layout in LAYOUTS),
        sharp=(Sharp(0.05),),
        faults=(
            fault("layer norm over the batch", _scaled(axis=1), "Z", at="manual"),
            fault("layer norm over n - 1", _scaled(axis=0, ddof=1), "Z", at="manual"),
            fault("epsilon beside the deviation of a layer", _scaled(axis=0, inside=0.0, beside=EPSILON), "Z",
                  at="manual"),
        ),
        refusals=(
            refusal(LAYOUT, A, COLUMN, COLUMN, "nhwc"),
            refusal("gamma has shape (2,), expected (2, 1): an entry of gamma for each feature of one example",
                    A, COLUMN[:, 0], COLUMN),
            refusal("beta has shape (1, 2), expected (2, 1): beta has the shape of gamma", A, COLUMN, COLUMN.T),
        ),
    ),
    Formula(
        (code(by_hand, torch_side, "layer_norm_backward"),),
        Words(
            "Layer norm backward",
            r"da_{ji} = \frac{1}{s_i} \Bigl( g_{ji} - \overline{g_i} - \hat a_{ji}\, \overline{g_i \hat a_i} \Bigr), "
            r"\qquad g = \gamma\, dZ"
            "\n"
            r"d\gamma_j = \frac{1}{m} \sum_i dz_{ji}\, \hat a_{ji}, \qquad d\beta_j = \frac{1}{m} \sum_i dz_{ji}",
            r"Within one example the derivation of batch norm holds as it is; only $\gamma$ varies along the sum now, "
            "so it has to be multiplied in before the means are taken. Those of the parameters are sums over "
            "examples, not over what was normalised.",
            "The mean of dZ is taken, and gamma multiplied afterwards.",
            "Right as long as gamma is all ones, as it is at the start: the first step agrees, the second does not.",
        ),
        cases=tuple(_backward_case("layer_norm", layout) for layout in LAYOUTS),
        sharp=(Sharp(0.02),),
        faults=(
            fault("statistics of a layer as constants", _slipped(0, "mean", "variance"), "dA_prev", at="manual"),
            fault("gamma after the means",
                  _field("dA_prev", lambda dA, dZ, A, g, b, *a: g * by_hand.layer_norm_backward(
                      dZ, A, np.ones_like(g), *a).dA_prev), "dA_prev", at="manual"),
            fault("dgamma over the features",
                  _field("dgamma", lambda d, dZ, A, *a: np.resize(np.sum(dZ * _standardised(A, 0), 0) / M, d.shape)),
                  "dgamma", at="manual"),
        ),
        refusals=(
            refusal("dZ has shape (3, 2), expected (2, 3): dZ has the shape of A_prev", A.T, A, COLUMN),
            refusal("gamma has shape (3, 1), expected (2, 1): an entry of gamma for each feature of one example",
                    A, A, np.ones((3, 1))),
        ),
    ),
)  # fmt: skip
