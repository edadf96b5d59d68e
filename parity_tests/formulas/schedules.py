"""Learning-rate schedules."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

import manual.schedules as by_hand
import torch_ref.schedules as torch_side
from manual.schedules import SCHEDULES
from parity_tests.formulas.case import Case
from parity_tests.formulas.formula import ONE_NUMBER, Formula, Words, code, refusal
from parity_tests.formulas.planting import fault, instead
from parity_tests.judging.bounds import Bound, gamma
from torch_ref.schedules import SCHEDULES as TORCH_SCHEDULES


def schedule_bound(u: float, rate: float, factors: float) -> Bound:
    """A learning rate after as many factors (or terms, quotients, powers), each with two roundings at most."""
    return gamma(2 * factors, u) * abs(rate)


# pragma: no mutate start, for what follows is drawn and planted: the bounds above judge


EPOCHS = 40


def _schedule(name: str, formulas: str, factors: Callable[[int], float], **settings: float) -> Case:
    """The rate of a drawn epoch, to which torch's schedulers come epoch by epoch, through so many factors."""

    def by_torch(learning_rate: float, epoch: int) -> float:
        rule = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=learning_rate)
        scheduler = TORCH_SCHEDULES[name](rule, **settings)
        for _ in range(epoch):
            rule.step()
            scheduler.step()
        return float(rule.param_groups[0]["lr"])

    return Case(
        f"schedules.{name}",
        formulas,
        inputs=lambda rng: {"learning_rate": float(rng.uniform(0.01, 1.0)), "epoch": int(rng.integers(2, 30))},
        manual=lambda learning_rate, epoch: SCHEDULES[name](learning_rate, epoch, **settings),
        loop=None,
        reference=by_torch,
        bounds={"rate": lambda u, at: schedule_bound(u, at.rate, factors(at.epoch))},
    )


def _cosine_factors(epoch: int) -> float:
    """Torch multiplies by (1 + cos x_k) / (1 + cos x_{k-1}) from epoch to epoch: x is rounded three times and is at
    most pi, so the sum is off by 10 u and a few, and small where x nears pi.
    """
    return sum(2 + 12 / (1 + math.cos(math.pi * k / EPOCHS)) for k in range(epoch + 1))


FRACTION = "expected a number in (0, 1]: the fraction of the rate that is left"
NO_FRACTIONS = (0.0, -0.5, 1.01, float("nan"))
"""What is refused, and why."""


FORMULAS = (
    Formula(
        (code(by_hand, torch_side, "exponential", "F259"),),
        Words(
            "Exponential decay",
            r"\alpha_{epoch} = \alpha_0 \cdot 0.9^{\,epoch}",
            "A tenth less with every epoch, epochs counted from 0.",
            "Stepped after every batch, not every epoch.",
            "With six batches an epoch, the rate is down by half after one.",
            shapes="One number for each epoch.",
            lacks=ONE_NUMBER,
        ),
        cases=(_schedule("exponential", "F259", lambda epoch: epoch + 2, decay=0.9),),
        faults=(
            fault(
                "decay from the first epoch",
                instead(lambda alpha, epoch: alpha * 0.9 ** (epoch + 1)),
                "rate",
                at="case:schedules.exponential manual",
            ),
        ),
        refusals=(
            refusal("epoch is -1, expected a whole number of at least 0: the first epoch is number 0", 0.1, -1),
            *(refusal(f"decay is {decay}, {FRACTION}", 0.1, 1, decay) for decay in NO_FRACTIONS),
        ),
    ),
    Formula(
        (
            code(by_hand, torch_side, "inverse_time", "F265"),
            code(by_hand, torch_side, "staircase", "F265"),
            code(by_hand, torch_side, "cosine", "F265"),
        ),
        Words(
            "Other schedules",
            r"\frac{\alpha_0}{1 + rate \cdot epoch}, \qquad \alpha_0\, factor^{\left\lfloor epoch / every "
            r"\right\rfloor}, \qquad \frac{\alpha_0}{2} \Bigl( 1 + \cos \frac{\pi\, epoch}{epochs} \Bigr)",
            "The notes name decay and leave its form open. These are the usual ones: a hyperbola, stairs, half a "
            "cosine.",
            "The rate of the last epoch is fed back in.",
            "Decay is applied to what has decayed already: the rate falls far too fast.",
            shapes="One number for each epoch.",
            lacks=ONE_NUMBER,
        ),
        cases=(
            _schedule("constant", "F251", lambda epoch: 1),
            _schedule("inverse_time", "F265", lambda epoch: 4, decay=0.2),
            _schedule("staircase", "F265", lambda epoch: epoch + 2, decay=0.5, every=4),
            _schedule("cosine", "F265", _cosine_factors, epochs=EPOCHS),
        ),
        refusals=(
            *(
                refusal(
                    "epoch is -1, expected a whole number of at least 0: the first epoch is number 0",
                    0.1,
                    -1,
                    of=schedule,
                )
                for schedule in (by_hand.inverse_time, by_hand.staircase, by_hand.cosine, by_hand.constant)
            ),
            *(refusal(f"decay is {decay}, {FRACTION}", 0.1, 1, decay, of=by_hand.staircase) for decay in NO_FRACTIONS),
            *(
                refusal(
                    f"decay is {decay}, expected a finite number above 0: what an epoch adds to the divisor",
                    0.1,
                    1,
                    decay,
                )
                for decay in (0.0, float("inf"))
            ),
            refusal(
                "every is 0, expected a whole number of at least 1: the epochs between two steps",
                of=lambda: by_hand.staircase(0.1, 1, every=0),
            ),
            refusal(
                "epoch is 7, expected less than epochs = 7: there the rate is 0",
                of=lambda: by_hand.cosine(0.1, 7, epochs=7),
            ),
        ),
    ),
)
# pragma: no mutate end
