"""Updates of one parameter as frameworks have them: momentum as a sum, Nesterov's, and weight decay beside Adam."""

from __future__ import annotations

import manual.updates as by_hand
import torch_ref.updates as torch_side
from manual.optimizers import AdamW, ClassicalMomentum, Nesterov
from manual.updates import MomentumUpdate
from parity_tests.formulas.case import N_1, N_2, Case, normal
from parity_tests.formulas.formula import Code, Formula, Sharp, Words, code, probe, refusal
from parity_tests.formulas.optimizers import BETA, BETA2, EPSILON, LEARNING_RATE, first_steps, run_by_hand
from parity_tests.formulas.planting import fault, instead, result
from parity_tests.formulas.update_bounds import (
    adamw_bound,
    classical_momentum_bounds,
    mean_square_bound,
    velocity_bound,
)
from parity_tests.formulas.updates import (
    ADAM,
    MOMENTUM,
    NUMBERS,
    W,
    mean_square,
    parameter,
    refused_by,
    with_numbers,
)
from parity_tests.judging.bounds import Bound
from torch_ref import optimizers as torch_rules

DAMPENING, DECAY = 0.4, 0.2

ADAMW = {**ADAM, "weight_decay": DECAY}


def _momentum_case(name: str, ahead: bool, t: int = 0, **settings: float) -> Case:
    """A step of classical momentum, number t, or of Nesterov's, from a drawn velocity."""

    def bound(number: int) -> Bound:
        return lambda u, at: classical_momentum_bounds(u, at.W, at.dW, at.v, at.learning_rate, at.beta, ahead)[number]

    numbered = {"t": t} if t else {}
    return probe(
        with_numbers(lambda rng: {**parameter(rng), "v": normal(rng, N_2, N_1)}, **numbered, **MOMENTUM, **settings),
        {"W": bound(0)} if t == 1 else {"W": bound(0), "v": bound(1)},  # the first v is dW itself
        id=f"optimizers.{name}" + (f"_step_{t}" if t else ""),
        stays_real={"v": "the first step does not look at it"} if t == 1 else {},
    )


def _momentum_steps(name: str, ahead: bool, **settings: float) -> Case:
    """The first steps of either: v comes as the sum of (1 - beta) |dW|."""
    return first_steps(
        name,
        "",
        lambda u, W, dW, v, s, t: classical_momentum_bounds(
            u, W, dW, v / (1 - BETA), LEARNING_RATE, BETA, ahead, steps=t
        )[0],
        beta=BETA,
        **settings,
    )


FORMULAS = (
    Formula(
        (
            code(by_hand, torch_side, "classical_momentum_update"),
            Code("optimizers.ClassicalMomentum", "", ClassicalMomentum, None, torch_rules.classical_momentum,
                 "optimizers.classical_momentum"),
        ),
        Words(
            "Momentum as a sum",
            r"v \coloneqq dW \text{ at first,} \qquad v \coloneqq \beta v + (1 - d)\, dW, \qquad W \coloneqq W - "
            r"\alpha v",
            r"Polyak's heavy ball, as torch writes it: what persists adds up to $1/(1 - \beta)$ gradients, so the same "
            r"$\alpha$ is a longer step than with the notes' average. The dampening $d$ shortens every gradient but "
            "the first.",
            "Dampening is set to beta for the notes' form.",
            "The first step is 1/(1 - beta) times too long, and all others carry it along.",
            shapes="dW, v and the result have the shape of W; t is a whole number.",
        ),
        cases=(
            _momentum_case("classical_momentum", False, t=2, dampening=DAMPENING),
            _momentum_case("classical_momentum", False, t=1, dampening=DAMPENING),
            _momentum_steps("classical_momentum", False, dampening=DAMPENING),
        ),
        sharp=(Sharp(0.1),),
        faults=(
            fault("the notes' factor in classical momentum",
                  instead(lambda W, dW, v, t, alpha, beta, d: MomentumUpdate(
                      W - alpha * (beta * v + (1 - beta) * dW), beta * v + (1 - beta) * dW)), "W", "v", at="manual"),
            fault("the first step dampened", lambda f: lambda W, dW, v, t, *rest: f(W, dW, 0 * v, 2, *rest), "W",
                  at="case:optimizers.classical_momentum_step_1 manual"),
            fault("dampening forgotten", instead(run_by_hand(ClassicalMomentum(LEARNING_RATE, BETA))), "path",
                  at="case:optimizers.classical_momentum_run manual"),
        ),
        refusals=(
            refusal("dampening is 1.0, expected a number in [0, 1): what a gradient loses in v", 0.1, 0.9, 1.0,
                    of=ClassicalMomentum),
            refusal("v has shape (2, 4), expected (4, 2): v has the shape of W", W, W, W.T, 1, 0.1, 0.9),
            refusal("t is 0, expected a whole number of at least 1: the first step is number 1", W, W, W, 0, 0.1, 0.9),
            *refused_by(ClassicalMomentum),
        ),
    ),
    Formula(
        (
            code(by_hand, torch_side, "nesterov_update"),
            Code("optimizers.Nesterov", "", Nesterov, None, torch_rules.nesterov, "optimizers.nesterov"),
        ),
        Words(
            "Nesterov's momentum",
            r"v \coloneqq \beta v + dW, \qquad W \coloneqq W - \alpha\, (dW + \beta v)",
            r"The gradient should be taken where the velocity is about to lead. Sutskever and others do that: $v "
            r"\coloneqq \mu v - \alpha\, dW(W + \mu v)$, $W \coloneqq W + v$. Keep $W + \mu v$ in place of $W$, and "
            "the gradient is that of the parameters at hand: torch's form.",
            "The velocity of before the step is looked along.",
            "It is classical momentum, one step late.",
            shapes="dW, v and the result have the shape of W.",
        ),
        cases=(_momentum_case("nesterov", True), _momentum_steps("nesterov", True)),
        sharp=(Sharp(0.1),),
        faults=(
            fault("no look ahead", lambda f: lambda W, dW, v, alpha, beta: by_hand.classical_momentum_update(
                W, dW, v, 2, alpha, beta), "W", at="manual"),
            fault("ahead along the old velocity", instead(lambda W, dW, v, alpha, beta: MomentumUpdate(
                W - alpha * (dW + beta * v), beta * v + dW)), "W", at="manual"),
        ),
        refusals=(
            refusal("v has shape (2, 4), expected (4, 2): v has the shape of W", W, W, W.T, 0.1, 0.9),
            *refused_by(Nesterov),
        ),
    ),
    Formula(
        (
            code(by_hand, torch_side, "adamw_update"),
            Code("optimizers.AdamW", "", AdamW, None, torch_rules.adamw, "optimizers.adamw"),
        ),
        Words(
            "AdamW",
            r"W \coloneqq W - \alpha \kappa W - \alpha \frac{\hat v}{\sqrt{\hat s} + \varepsilon}",
            r"A penalty in the gradient goes into $v$ and $s$ too, so that parameters with large gradients are "
            r"penalised less. AdamW leaves the gradient alone and lets $W$ shrink beside the step, by the share "
            r"$\alpha \kappa$.",
            "The decay is added to the gradient, as Adam's weight_decay does.",
            "All weights shrink at about the same speed, whatever their size: s divides the decay away.",
            shapes="dW, v, s and the result have the shape of W; t is a whole number.",
        ),
        cases=(
            probe(
                with_numbers(
                    lambda rng: {**parameter(rng), "v": normal(rng, N_2, N_1), "s": mean_square(rng)}, t=3, **ADAMW
                ),
                {
                    "W": lambda u, at: adamw_bound(u, at.W, at.dW, at.v, at.s, at.t, *ADAMW.values()),
                    "v": lambda u, at: velocity_bound(u, at.v, at.dW, at.beta1),
                    "s": lambda u, at: mean_square_bound(u, at.s, at.dW, at.beta2),
                },
                id="optimizers.adamw",
            ),
            first_steps(
                "adamw",
                "",
                lambda u, W, dW, v, s, t: adamw_bound(u, W, dW, v, s, t, *ADAMW.values(), steps=t),
                beta1=BETA,
                beta2=BETA2,
                epsilon=EPSILON,
                weight_decay=DECAY,
            ),
        ),
        sharp=(Sharp(0.1),),
        faults=(
            fault("decay in the gradient",
                  instead(lambda W, dW, v, s, t, *rest: by_hand.adam_update(W, dW + DECAY * W, v, s, t, *rest[:-1])),
                  "W", "v", "s", at="manual"),
            fault("decay not times alpha", result(lambda new, W, *a: new._replace(
                W=new.W - (1 - LEARNING_RATE) * DECAY * W)), "W", at="manual"),
            fault("decay forgotten",
                  instead(lambda W, dW, v, s, t, *rest: by_hand.adam_update(W, dW, v, s, t, *rest[:-1])), "W",
                  at="manual"),
        ),
        refusals=(
            refusal("weight_decay is -0.1, expected a finite number of at least 0: the share of W that a step takes "
                    "off", of=lambda: AdamW(0.1, weight_decay=-0.1)),
            refusal("weight_decay is inf, expected a finite number of at least 0: the share of W that a step takes "
                    "off", of=lambda: AdamW(0.1, weight_decay=float("inf"))),
            refusal("v has shape (1, 2), expected (4, 2): v has the shape of W", W, W, W[:1], W, 1, *NUMBERS, 0.1),
            *refused_by(AdamW),
        ),
    ),
)  # fmt: skip
