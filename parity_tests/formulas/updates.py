"""Updates of one parameter, by each rule of the notes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import manual.updates as by_hand
import torch_ref.updates as torch_side
from manual import optimizers as rules
from manual.notation import Array
from manual.optimizers import (
    Adam,
    AdamState,
    GradientDescent,
    Momentum,
    MomentumState,
    RMSprop,
    RMSpropState,
)
from manual.updates import MomentumUpdate, RMSpropUpdate
from parity_tests.formulas.case import N_1, N_2, Case, Inputs, normal
from parity_tests.formulas.formula import Code, Formula, Refusal, Sharp, Words, code, probe, refusal
from parity_tests.formulas.optimizers import (
    BETA,
    BETA2,
    EPSILON,
    LEARNING_RATE,
    ForgetfulAdam,
    NesterovMomentum,
    OverwritingAdam,
    first_steps,
    run_by_hand,
    run_by_torch,
    torch_momentum,
)
from parity_tests.formulas.planting import Change, fault, instead, largest_moved, result
from parity_tests.formulas.update_bounds import (
    adam_bound,
    mean_square_bound,
    momentum_bound,
    rmsprop_bound,
    update_bound,
    velocity_bound,
)
from torch_ref import optimizers as torch_rules


def parameter(rng: np.random.Generator) -> Inputs:
    return {"W": normal(rng, N_2, N_1), "dW": normal(rng, N_2, N_1)}


def mean_square(rng: np.random.Generator) -> Any:
    return rng.uniform(0.1, 2.0, (N_2, N_1))


def _sized(W: float, dW: float, **state: float) -> Callable[[np.random.Generator], Inputs]:
    """A parameter, its gradient and its state, each of its own size."""
    return lambda rng: {
        "W": W * normal(rng, 3, 5),
        "dW": dW * normal(rng, 3, 5),
        **{
            name: size * (np.square(normal(rng, 3, 5)) if name == "s" else normal(rng, 3, 5))
            for name, size in state.items()
        },
    }


def with_numbers(
    draw: Callable[[np.random.Generator], Inputs], **settings: float
) -> Callable[[np.random.Generator], Inputs]:
    """What is drawn, and the numbers of the rule behind it."""
    return lambda rng: {**draw(rng), **settings}


MOMENTUM = {"learning_rate": LEARNING_RATE, "beta": BETA}


RMSPROP = {"learning_rate": LEARNING_RATE, "beta2": BETA2, "epsilon": EPSILON}


ADAM = {"learning_rate": LEARNING_RATE, "beta1": BETA, "beta2": BETA2, "epsilon": EPSILON}


def _adam_step(t: int) -> Case:
    """Step number t of Adam, from a drawn state."""
    return probe(
        with_numbers(lambda rng: {**parameter(rng), "v": normal(rng, N_2, N_1), "s": mean_square(rng)}, t=t, **ADAM),
        {
            "W": lambda u, at: adam_bound(
                u, at.W, at.dW, at.v, at.s, at.t, at.learning_rate, at.beta1, at.beta2, at.epsilon
            ),
            "v": lambda u, at: velocity_bound(u, at.v, at.dW, at.beta1),
            "s": lambda u, at: mean_square_bound(u, at.s, at.dW, at.beta2),
        },
        id=f"optimizers.adam_step_{t}",
    )


def _rmsprop_without_square(W: Array, dW: Array, s: Array, alpha: float, beta2: float, epsilon: float) -> RMSpropUpdate:
    """The mean s := beta2 s + (1 - beta2) dW."""
    s = beta2 * s + (1 - beta2) * dW
    return RMSpropUpdate(W - alpha * dW / (np.sqrt(s) + epsilon), s)


def _rmsprop_epsilon_inside(W: Array, dW: Array, s: Array, alpha: float, beta2: float, epsilon: float) -> RMSpropUpdate:
    """W := W - alpha dW / sqrt(s + epsilon), as TensorFlow has it."""
    s = beta2 * s + (1 - beta2) * dW**2
    return RMSpropUpdate(W - alpha * dW / np.sqrt(s + epsilon), s)


def _stepping(step: Callable[..., Array]) -> Change:
    """Adam with another step: of v and s, which stay right, of what they are divided by, and of epsilon."""
    return result(
        lambda new, W, dW, v, s, t, alpha, beta1, beta2, epsilon: new._replace(
            W=W - alpha * step(new.v, new.s, 1 - beta1**t, 1 - beta2**t, epsilon)
        )
    )


def refused_by(rule: Any) -> tuple[Refusal, ...]:
    """What every rule says of a step of no length, and of gradients that do not fit."""
    step, state = rule(0.1).step, rule(0.1).init({"W1": W})
    return (
        refusal(f"learning_rate is 0.0, {RATE}", 0.0, of=rule),
        refusal(f"the gradient dW1 has none, {GRADIENT}", {"W1": W}, {}, state, of=step),
        refusal(f"the gradient dW1 has shape (2, 4), {GRADIENT}", {"W1": W}, {"dW1": W.T}, state, of=step),
    )


W, RATE, GRADIENT = (
    np.ones((4, 2)),
    "expected a finite number above 0: the length of a step",
    "expected shape (4, 2): a gradient per parameter",
)
"""What is refused, and why."""

NUMBERS = 0.1, 0.9, 0.999, 1e-8
"""Adam's, which it does not refuse."""


FORMULAS = (
    Formula(
        (
            code(by_hand, torch_side, "gradient_descent_update", "F029 F056 F091 F181"),
            Code(
                "optimizers.GradientDescent",
                "F029 F056 F091 F181",
                rules.GradientDescent,
                None,
                torch_rules.gradient_descent,
                "optimizers.gradient_descent",
            ),
        ),
        Words(
            "A step of gradient descent",
            r"W \coloneqq W - \alpha\, dW, \qquad b \coloneqq b - \alpha\, db",
            r"To first order $J$ changes by $dW \cdot \Delta W$. Among steps of one length the one against $dW$ "
            r"lowers it most. $\alpha$ says how far the first order is trusted.",
            "updated-before-use",
            "dA_prev is computed from the new W: layers below are off by a term that grows with alpha.",
            see="F030 F092 F180 F214",
            quantities="W after a step|b after a step",
            shapes="dW and the result have the shape of W, db that of b.",
        ),
        cases=(
            probe(
                lambda rng: {**parameter(rng), "learning_rate": LEARNING_RATE},
                {"W": lambda u, at: update_bound(u, at.W, at.dW, at.learning_rate)},
                id="optimizers.gradient_descent",
                formulas="F029 F056 F091 F181 F214",
            ),
            first_steps(
                "gradient_descent", "F029 F181", lambda u, W, dW, v, s, t: update_bound(u, W, dW, LEARNING_RATE)
            ),
        ),
        sharp=(
            Sharp(0.2),
            Sharp(0.2, "W alone", with_numbers(_sized(1, 1e-4), learning_rate=LEARNING_RATE)),
            Sharp(0.2, "the step alone", with_numbers(_sized(1e-4, 1), learning_rate=LEARNING_RATE)),
        ),
        faults=(
            fault("one entry of the update moved", result(largest_moved), "W", at="manual"),
            fault("alpha forgotten", instead(lambda W, dW, alpha: W - dW), "W", at="manual"),
            fault("uphill", instead(lambda W, dW, alpha: W + alpha * dW), "W", at="manual"),
        ),
        refusals=(
            refusal(f"learning_rate is -1, {RATE}", -1, of=GradientDescent),
            refusal("dW has shape (2, 4), expected (4, 2): dW has the shape of W", W, W.T, 0.1),
            *refused_by(GradientDescent),
        ),
    ),
    Formula(
        (
            code(by_hand, torch_side, "momentum_update", "F263"),
            Code("optimizers.Momentum", "F263", rules.Momentum, None, torch_rules.momentum, "optimizers.momentum"),
        ),
        Words(
            "Momentum",
            r"v \coloneqq \beta v + (1 - \beta)\, dW, \qquad W \coloneqq W - \alpha v",
            r"$v$ is an average of past gradients that forgets with the factor $\beta$: what alternates cancels, what "
            r"persists adds up. torch's buffer leaves out $1 - \beta$, so its learning rate is $\alpha (1 - \beta)$.",
            "learning-rate-missing",
            "With torch's lr set to alpha, steps are 1/(1 - beta) times as long: ten times for 0.9.",
            shapes="dW, v and the result have the shape of W.",
        ),
        cases=(
            probe(
                with_numbers(lambda rng: {**parameter(rng), "v": normal(rng, N_2, N_1)}, **MOMENTUM),
                {
                    "W": lambda u, at: momentum_bound(u, at.W, at.dW, at.v, at.learning_rate, at.beta),
                    "v": lambda u, at: velocity_bound(u, at.v, at.dW, at.beta),
                },
                id="optimizers.momentum",
                formulas="F263",
            ),
            first_steps(
                "momentum",
                "F263",
                lambda u, W, dW, v, s, t: momentum_bound(u, W, dW, v, LEARNING_RATE, BETA, steps=t),
                beta=BETA,
            ),
        ),
        sharp=(
            Sharp(0.1),
            Sharp(0.1, "v alone", with_numbers(_sized(1, 1e-4, v=1), **MOMENTUM)),
            Sharp(0.1, "dW alone", with_numbers(_sized(1e-4, 1, v=1e-4), **MOMENTUM)),
            Sharp(0.1, "W alone", with_numbers(_sized(1, 1e-4, v=1e-4), **MOMENTUM)),
        ),
        faults=(
            fault(
                "momentum without 1 - beta",
                instead(lambda W, dW, v, alpha, beta: MomentumUpdate(W - alpha * (beta * v + dW), beta * v + dW)),
                "W",
                "v",
                at="manual",
            ),
            fault(
                "momentum looks ahead",
                instead(run_by_hand(NesterovMomentum(LEARNING_RATE))),
                "path",
                at="case:optimizers.momentum_run manual",
            ),
            fault(
                "torch's lr not times 1 - beta",
                instead(run_by_torch(partial(torch_momentum, lr=LEARNING_RATE))),
                "path",
                at="case:optimizers.momentum_run reference",
            ),
            fault(
                "dampening for 1 - beta in torch",
                instead(run_by_torch(partial(torch_momentum, lr=LEARNING_RATE, dampening=0.9))),
                "path",
                at="case:optimizers.momentum_run reference",
            ),
        ),
        refusals=(
            refusal("beta is 1.0, expected a number in [0, 1): the weight of the past", 0.1, 1.0, of=Momentum),
            refusal("beta is -0.1, expected a number in [0, 1): the weight of the past", 0.1, -0.1, of=Momentum),
            refusal(
                "v has [], expected ['dW1']: init makes it from the parameters",
                {"W1": W},
                {"dW1": W},
                MomentumState({}, 0),
                of=Momentum(0.1).step,
            ),
            refusal("dW has shape (2, 4), expected (4, 2): dW has the shape of W", W, W.T, W, 0.1, 0.9),
            refusal("v has shape (2, 4), expected (4, 2): v has the shape of W", W, W, W.T, 0.1, 0.9),
            *refused_by(Momentum),
        ),
    ),
    Formula(
        (
            code(by_hand, torch_side, "rmsprop_update", "F264"),
            Code("optimizers.RMSprop", "F264", rules.RMSprop, None, torch_rules.rmsprop, "optimizers.rmsprop"),
        ),
        Words(
            "RMSprop",
            r"s \coloneqq \beta_2 s + (1 - \beta_2)\, dW^{2}, \qquad W \coloneqq W - \alpha \frac{dW}{\sqrt{s} + "
            r"\varepsilon}",
            "Each parameter is divided by the recent size of its own gradient: flat directions get longer steps, "
            "steep ones shorter.",
            "The epsilon stands inside the root.",
            "Close where gradients are large, far off where they are near 0.",
            shapes="dW, s and the result have the shape of W.",
        ),
        cases=(
            probe(
                with_numbers(lambda rng: {**parameter(rng), "s": mean_square(rng)}, **RMSPROP),
                {
                    "W": lambda u, at: rmsprop_bound(u, at.W, at.dW, at.s, at.learning_rate, at.beta2, at.epsilon),
                    "s": lambda u, at: mean_square_bound(u, at.s, at.dW, at.beta2),
                },
                id="optimizers.rmsprop",
                formulas="F264",
            ),
            first_steps(
                "rmsprop",
                "F264",
                lambda u, W, dW, v, s, t: rmsprop_bound(u, W, dW, s, LEARNING_RATE, BETA2, EPSILON, steps=t),
                beta2=BETA2,
                epsilon=EPSILON,
            ),
        ),
        sharp=(
            Sharp(0.1),
            Sharp(0.1, "s alone", with_numbers(_sized(1e-4, 1e-2, s=1), **RMSPROP)),
            Sharp(0.1, "dW alone", with_numbers(_sized(1e-4, 1, s=1e-6), **RMSPROP)),
        ),
        faults=(
            fault("RMSprop without square", instead(_rmsprop_without_square), "W", "s", at="manual"),
            fault("RMSprop's epsilon inside the root", instead(_rmsprop_epsilon_inside), "W", at="manual"),
        ),
        refusals=(
            refusal(
                "beta2 is nan, expected a number in [0, 1): the weight of the past in s",
                0.1,
                float("nan"),
                of=RMSprop,
            ),
            refusal(
                "epsilon is 0.0, expected a finite number above 0: it keeps the quotient finite",
                of=lambda: RMSprop(0.1, epsilon=0.0),
            ),
            refusal(
                "s has ['dW2', 'db2'], expected ['dW1']: init makes it from the parameters",
                {"W1": W},
                {"dW1": W},
                RMSpropState({"dW2": W, "db2": W}, 0),
                of=RMSprop(0.1).step,
            ),
            refusal("dW has shape (2, 4), expected (4, 2): dW has the shape of W", W, W.T, W, 0.1, 0.9, 1e-8),
            refusal("s has shape (1, 2), expected (4, 2): s has the shape of W", W, W, W[:1], 0.1, 0.9, 1e-8),
            *refused_by(RMSprop),
        ),
    ),
    Formula(
        (
            code(by_hand, torch_side, "adam_update", "F266"),
            Code("optimizers.Adam", "F266", rules.Adam, None, torch_rules.adam, "optimizers.adam"),
        ),
        Words(
            "Adam",
            r"v \coloneqq \beta_1 v + (1 - \beta_1)\, dW, \qquad s \coloneqq \beta_2 s + (1 - \beta_2)\, dW^{2}"
            "\n"
            r"\hat v = \frac{v}{1 - \beta_1^{t}}, \qquad \hat s = \frac{s}{1 - \beta_2^{t}}, \qquad W \coloneqq W - "
            r"\alpha \frac{\hat v}{\sqrt{\hat s} + \varepsilon}",
            "Momentum over RMSprop. Both averages start at 0, so early ones are too small: after $t$ steps their "
            r"weights sum to $1 - \beta^{t}$, and dividing by that makes up for it.",
            "beta stands where beta to the power t belongs.",
            "Right at t = 1, wrong from t = 2: a test of one step passes.",
            shapes="dW, v, s and the result have the shape of W; t is a whole number.",
        ),
        cases=(
            _adam_step(1),
            _adam_step(2),
            _adam_step(3),
            first_steps(
                "adam",
                "F266",
                lambda u, W, dW, v, s, t: adam_bound(u, W, dW, v, s, t, LEARNING_RATE, BETA, BETA2, EPSILON, steps=t),
                beta1=BETA,
                beta2=BETA2,
                epsilon=EPSILON,
            ),
        ),
        sharp=(
            Sharp(0.1),
            Sharp(0.1, of="optimizers.adam_step_3"),
            Sharp(
                0.05, "v alone", with_numbers(_sized(1e-4, 1e-4, v=1, s=1), t=2, **ADAM), of="optimizers.adam_step_2"
            ),
            Sharp(
                0.1,
                "dW alone",
                with_numbers(_sized(1e-4, 1, v=1e-4, s=1e-6), t=2, **ADAM),
                of="optimizers.adam_step_2",
            ),
        ),
        faults=(
            fault(
                "adam-no-power",
                lambda right: lambda W, dW, v, s, t, *rest: right(W, dW, v, s, 1, *rest),
                "W",
                at="case:optimizers.adam_step_2 manual",
            ),
            fault(
                "adam-no-power, run",
                instead(run_by_hand(ForgetfulAdam(LEARNING_RATE, epsilon=EPSILON))),
                "path",
                at="case:optimizers.adam_run manual",
            ),
            fault(
                "adam-correction-overwritten",
                instead(run_by_hand(OverwritingAdam(LEARNING_RATE, epsilon=EPSILON))),
                "path",
                at="case:optimizers.adam_run manual",
            ),
            fault(
                "Adam without correction",
                _stepping(lambda v, s, of_v, of_s, epsilon: v / (np.sqrt(s) + epsilon)),
                "W",
                at="case:optimizers.adam_step_3 manual",
            ),
            fault(
                "Adam's epsilon inside the root",
                _stepping(lambda v, s, of_v, of_s, epsilon: v / of_v / np.sqrt(s / of_s + epsilon)),
                "W",
                at="manual",
            ),
            fault(
                "Adam's epsilon before the correction",
                _stepping(lambda v, s, of_v, of_s, epsilon: v / of_v * np.sqrt(of_s) / (np.sqrt(s) + epsilon)),
                "W",
                at="case:optimizers.adam_step_3 manual",
            ),
            fault(
                "one entry of Adam's W moved",
                result(lambda new, *a: new._replace(W=largest_moved(new.W))),
                "W",
                at="case:optimizers.adam_step_3 manual",
            ),
        ),
        refusals=(
            refusal(f"learning_rate is nan, {RATE}", float("nan"), of=Adam),
            refusal(f"learning_rate is inf, {RATE}", float("inf"), of=Adam),
            refusal(f"learning_rate is '0.1', {RATE}", "0.1", of=Adam),
            refusal(
                "beta1 is 1.5, expected a number in [0, 1): the weight of the past in v",
                of=lambda: Adam(0.1, beta1=1.5),
            ),
            refusal(
                "beta2 is 1.0, expected a number in [0, 1): the weight of the past in s",
                of=lambda: Adam(0.1, beta2=1.0),
            ),
            refusal(
                "epsilon is -1e-08, expected a finite number above 0: it keeps the quotient finite",
                of=lambda: Adam(0.1, epsilon=-1e-8),
            ),
            refusal(
                "v has [], expected ['dW1']: init makes it from the parameters",
                {"W1": W},
                {"dW1": W},
                AdamState({}, {"dW1": W}, 0),
                of=Adam(0.1).step,
            ),
            refusal(
                "s has [], expected ['dW1']: init makes it from the parameters",
                {"W1": W},
                {"dW1": W},
                AdamState({"dW1": W}, {}, 0),
                of=Adam(0.1).step,
            ),
            refusal("dW has shape (2, 4), expected (4, 2): dW has the shape of W", W, W.T, W, W, 1, *NUMBERS),
            refusal("v has shape (1, 2), expected (4, 2): v has the shape of W", W, W, W[:1], W, 1, *NUMBERS),
            refusal("s has shape (1, 2), expected (4, 2): s has the shape of W", W, W, W, W[:1], 1, *NUMBERS),
            refusal(
                "t is 0, expected a whole number of at least 1: the first step is number 1", W, W, W, W, 0, *NUMBERS
            ),
            *refused_by(Adam),
        ),
    ),
)
