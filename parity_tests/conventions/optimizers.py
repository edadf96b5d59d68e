"""The same names, other factors: momentum, RMSprop, Adam, decay."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from manual.notation import Array
from manual.optimizers import Adam
from manual.schedules import exponential
from manual.updates import adam_update
from parity_tests.conventions.convention import Convention
from parity_tests.formulas import CASES
from parity_tests.formulas.case import LAMBDA, N_1, N_2, Case, Inputs, M, normal
from parity_tests.formulas.framework_updates import DAMPENING
from parity_tests.formulas.framework_updates import DECAY as WEIGHT_DECAY
from parity_tests.formulas.optimizers import BETA, BETA2, EPSILON, LEARNING_RATE, run_by_torch
from parity_tests.formulas.schedules import schedule_bound
from parity_tests.formulas.update_bounds import adam_bound
from parity_tests.judging import bounds
from torch_ref.schedules import exponential as torch_exponential

DECAY, CHUNKS = 0.9, 6
"""Decay of the learning rate, and mini-batches of an epoch."""

MOMENTUM, RMSPROP, ADAM, CLASSICAL, NESTEROV, ADAMW = (
    next(case for case in CASES if case.id == f"optimizers.{name}_run")
    for name in ("momentum", "rmsprop", "adam", "classical_momentum", "nesterov", "adamw")
)
"""First steps in a row, with a derived bound for each."""


def _of_case(case: Case) -> dict[str, Any]:
    """The parts that a convention shares with a case."""
    return {
        "formulas": case.formulas,
        "inputs": case.inputs,
        "manual": case.manual,
        "exact": case.reference,
        "bounds": case.bounds,
    }


def _run(make: Callable[..., torch.optim.Optimizer], **settings: Any) -> Callable[[Tensor, Tensor], Tensor]:
    """W after each step of an optimiser of torch.optim with these settings."""
    return run_by_torch(lambda module: make(module.parameters(), **settings))


def _epsilon_inside(W: Tensor, dW: Tensor) -> Tensor:
    """RMSprop as TensorFlow writes it: epsilon under the root."""
    s, path = torch.zeros_like(W), []
    for gradient in dW:
        s = BETA2 * s + (1 - BETA2) * gradient.square()
        W = W - LEARNING_RATE * gradient / (s + EPSILON).sqrt()
        path.append(W)
    return torch.stack(path)


def _correction_in_the_rate(W: Tensor, dW: Tensor) -> Tensor:
    """Adam as scikit-learn and ONNX write it: the correction in the rate, epsilon beside the uncorrected root."""
    v, s, path = torch.zeros_like(W), torch.zeros_like(W), []
    for t, gradient in enumerate(dW, start=1):
        v = BETA * v + (1 - BETA) * gradient
        s = BETA2 * s + (1 - BETA2) * gradient.square()
        rate = LEARNING_RATE * (1 - BETA2**t) ** 0.5 / (1 - BETA**t)
        W = W - rate * v / (s.sqrt() + EPSILON)
        path.append(W)
    return torch.stack(path)


def _regularised_adam(W: Array, dW: Array) -> Array:
    """The first step of Adam on dW + (lambda/m) W, the gradient of the regularised cost."""
    rule = Adam(LEARNING_RATE, BETA, BETA2, EPSILON)
    params, _ = rule.step({"W1": W}, {"dW1": dW + LAMBDA / M * W}, rule.init({"W1": W}))
    return params["W1"]


def _adam_step(make: Callable[..., torch.optim.Optimizer], weight_decay: float) -> Callable[[Tensor, Tensor], Tensor]:
    settings = {"lr": LEARNING_RATE, "betas": (BETA, BETA2), "eps": EPSILON, "weight_decay": weight_decay}

    def step(W: Tensor, dW: Tensor) -> Tensor:
        return _run(make, **settings)(W, dW[None])[0]

    return step


def _regularised_bound(u: float, at: Any) -> Any:
    """Adam's bound on the regularised gradient g, whose error passes through g / (|g| + epsilon)."""
    g, none = at.dW + LAMBDA / M * at.W, np.zeros_like(at.dW)
    error = bounds.gamma(4, u) * (np.abs(at.dW) + LAMBDA / M * np.abs(at.W))
    slope = EPSILON / (np.abs(g) + EPSILON) ** 2
    step = adam_bound(u, at.W, g, none, none, 1, LEARNING_RATE, BETA, BETA2, EPSILON)
    return step + LEARNING_RATE * slope * error


RATES = 0.3, 0.2, 0.05
"""Learning rates that fall from step to step."""


def _path(
    make: Callable[..., torch.optim.Optimizer],
    before: Callable[[torch.optim.Optimizer, Tensor, int], None] = lambda rule, W, t: None,
    gradient: Callable[[Tensor, Tensor], Tensor] = lambda W, dW: dW,
    read: Callable[[torch.optim.Optimizer, Tensor], Tensor] = lambda rule, W: W,
    **settings: Any,
) -> Callable[[Tensor, Tensor], Tensor]:
    """W after each step, the rule or its state altered ``before`` step t; ``gradient`` and ``read`` see W too."""

    def run(W: Tensor, dW: Tensor) -> Tensor:
        module = nn.ParameterList([W.clone()])
        rule, path = make(module.parameters(), **settings), []
        for t, each in enumerate(dW, start=1):
            before(rule, module[0], t)
            module[0].grad = gradient(module[0].detach(), each).clone()
            rule.step()
            path.append(read(rule, module[0]).detach().clone())
        return torch.stack(path)

    return run


def _empty_buffer(rule: torch.optim.Optimizer, W: Tensor, t: int) -> None:
    """A buffer before the first step, which is dampened like the others then."""
    rule.state[W].setdefault("momentum_buffer", torch.zeros_like(W))


def _rate_and_momentum(*momenta: float) -> Callable[[torch.optim.Optimizer, Tensor, int], None]:
    return lambda rule, W, t: rule.param_groups[0].update(lr=RATES[t - 1], momentum=momenta[t - 1])


def _epsilon_in_the_average(rule: torch.optim.Optimizer, W: Tensor, t: int) -> None:
    """An average of squares that starts from epsilon, and gets back what a step takes off that."""
    rule.state[W].update(step=torch.tensor(t - 1.0), square_avg=rule.state[W].get("square_avg", 0 * W + EPSILON))
    rule.state[W]["square_avg"] += (1 - BETA2) / BETA2 * EPSILON


def _epsilon_of_the_step(rule: torch.optim.Optimizer, W: Tensor, t: int) -> None:
    rule.param_groups[0]["eps"] = EPSILON / (1 - BETA2**t) ** 0.5


def _behind(rule: torch.optim.Optimizer, W: Tensor) -> Tensor:
    """The parameter less beta v, where v = -alpha buffer."""
    buffer: Tensor = rule.state[W]["momentum_buffer"]
    return W + BETA * LEARNING_RATE * buffer


def _written_out(step: Callable[..., tuple[Array, ...]]) -> Callable[[Array, Array], Array]:
    """W after each step of a rule in a few lines: from W, v, s, dW and t to W, v and s."""

    def run(W: Array, dW: Array) -> Array:
        v, s, path = 0 * W, 0 * W, []
        for t, gradient in enumerate(dW, start=1):
            W, v, s = step(W, v, s, gradient, t)
            path.append(W)
        return np.stack(path)

    return run


def _sutskever(W: Array, v: Array, s: Array, dW: Array, t: int) -> tuple[Array, ...]:
    v = BETA * v - RATES[t - 1] * dW
    return W + v, v, s


def _at_the_point_ahead(W: Array, v: Array, s: Array, target: Array, t: int) -> tuple[Array, ...]:
    """On half the squared distance from a target, whose gradient is taken at W + beta v."""
    v = BETA * v - LEARNING_RATE * (W + BETA * v - target)
    return W + v, v, s


def _rmsprop_of_tensorflow(W: Array, v: Array, s: Array, dW: Array, t: int) -> tuple[Array, ...]:
    s = BETA2 * s + (1 - BETA2) * dW**2
    return W - LEARNING_RATE * dW / np.sqrt(s + EPSILON), v, s


def _adam_of_tensorflow(W: Array, v: Array, s: Array, dW: Array, t: int) -> tuple[Array, ...]:
    v, s = BETA * v + (1 - BETA) * dW, BETA2 * s + (1 - BETA2) * dW**2
    rate = LEARNING_RATE * (1 - BETA2**t) ** 0.5 / (1 - BETA**t)
    return W - rate * v / (np.sqrt(s) + EPSILON), v, s


def _decoupled(W: Array, v: Array, s: Array, dW: Array, t: int) -> tuple[Array, ...]:
    """AdamW as Loshchilov and Hutter write it: W shrinks by lambda itself, whatever the learning rate."""
    moved = adam_update(W, dW, v, s, t, LEARNING_RATE, BETA, BETA2, EPSILON)
    return moved.W - LAMBDA / M * W, moved.v, moved.s


def _shrinking(W: Array, v: Array, s: Array, dW: Array, t: int) -> tuple[Array, ...]:
    return W - LEARNING_RATE * WEIGHT_DECAY * W - LEARNING_RATE * dW, v, s


def _steps_bound(alpha: float) -> Callable[[float, Any], Any]:
    """Some thirty roundings, each of at most |W| and alpha times all that has been summed."""

    def bound(u: float, at: Any) -> Any:
        size = np.abs(at.W) + np.cumsum(np.abs(at.dW), axis=0)
        return bounds.gamma(30, u) * (np.abs(at.W) + alpha * np.cumsum(size, axis=0))

    return bound


ADAMS: dict[str, Any] = {"lr": LEARNING_RATE, "betas": (BETA, BETA2), "eps": EPSILON}
SGDS: dict[str, Any] = {"lr": LEARNING_RATE, "momentum": BETA}


def _parameter(rng: np.random.Generator) -> Inputs:
    return {"W": normal(rng, N_2, N_1), "dW": normal(rng, N_2, N_1)}


def _stepped(every_epoch: int) -> Callable[[float, int], float]:
    """The rate of an epoch, the scheduler having stepped so many times in each before it."""

    def rate(learning_rate: float, epoch: int) -> float:
        rule = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=learning_rate)
        scheduler = torch_exponential(rule, DECAY)
        for _ in range(epoch * every_epoch):
            rule.step()
            scheduler.step()
        return float(rule.param_groups[0]["lr"])

    return rate


CONVENTIONS = (
    Convention(
        "optimizers.momentum",
        "momentum",
        notes="v = beta v + (1 - beta) dW, W -= alpha v",
        torch="buffer = beta buffer + dW, the first one dW, whatever the dampening",
        translation="SGD(lr = alpha (1 - beta), momentum = beta, dampening = 0)",
        naive={
            "lr = alpha": _run(torch.optim.SGD, lr=LEARNING_RATE, momentum=BETA),
            "lr = alpha, dampening = beta": _run(torch.optim.SGD, lr=LEARNING_RATE, momentum=BETA, dampening=BETA),
        },
        **_of_case(MOMENTUM),
    ),
    Convention(
        "optimizers.rmsprop",
        "RMSprop",
        notes="beta2 = 0.999, epsilon beside the root",
        torch="alpha = 0.99, epsilon beside the root too",
        translation="RMSprop(alpha = beta2)",
        naive={
            "alpha left at 0.99": _run(torch.optim.RMSprop, lr=LEARNING_RATE, eps=EPSILON),
            "epsilon inside the root, as in TensorFlow": _epsilon_inside,
        },
        **_of_case(RMSPROP),
    ),
    Convention(
        "optimizers.adam",
        "Adam",
        notes="epsilon beside the root, after the bias correction",
        torch="the same",
        translation="Adam(betas = (beta1, beta2), eps = epsilon)",
        naive={"the correction in the rate, as in scikit-learn and ONNX": _correction_in_the_rate},
        **_of_case(ADAM),
    ),
    Convention(
        "optimizers.adam_l2",
        "L2 with Adam",
        notes="(lambda/m) W in the gradient, so in v and s too",
        torch="Adam's weight_decay does that; AdamW shrinks W beside the step",
        translation="Adam(weight_decay = lambda/m) for the weights",
        formulas="F202 F266",
        inputs=_parameter,
        manual=_regularised_adam,
        exact=_adam_step(torch.optim.Adam, LAMBDA / M),
        naive={"AdamW(weight_decay = lambda/m)": _adam_step(torch.optim.AdamW, LAMBDA / M)},
        bounds={"W_new": _regularised_bound},
    ),
    Convention(
        "optimizers.classical",
        "momentum as a sum",
        notes="v = beta v + dW, W -= alpha v",
        torch="SGD(momentum = beta) the same; dampening from the second step on",
        translation="SGD(lr = alpha, momentum = beta, dampening = dampening)",
        naive={
            "lr = alpha (1 - beta), as for an average": _run(
                torch.optim.SGD, lr=LEARNING_RATE * (1 - BETA), momentum=BETA, dampening=DAMPENING
            ),
        },
        **_of_case(CLASSICAL),
    ),
    Convention(
        "optimizers.dampening",
        "dampening",
        notes="v = beta v + (1 - beta) dW from the first step on",
        torch="the first gradient is not dampened, for there is no buffer yet",
        translation="momentum_buffer = zeros at first, dampening = beta, lr = alpha",
        naive={"no buffer at first": _run(torch.optim.SGD, **SGDS, dampening=BETA)},
        **{**_of_case(MOMENTUM), "exact": _path(torch.optim.SGD, _empty_buffer, **SGDS, dampening=BETA)},
    ),
    Convention(
        "optimizers.falling_rate",
        "momentum while the rate falls",
        notes="v = beta v - alpha dW, W += v: an old rate stays in v (Sutskever and others)",
        torch="W -= lr buffer: the rate of now counts",
        translation="momentum of step t = beta alpha_(t-1) / alpha_t",
        formulas="",
        inputs=MOMENTUM.inputs,
        manual=_written_out(_sutskever),
        exact=_path(
            torch.optim.SGD,
            _rate_and_momentum(BETA, BETA * RATES[0] / RATES[1], BETA * RATES[1] / RATES[2]),
            **SGDS,
        ),
        naive={"momentum = beta": _path(torch.optim.SGD, _rate_and_momentum(BETA, BETA, BETA), **SGDS)},
        bounds={"path": _steps_bound(max(RATES))},
    ),
    Convention(
        "optimizers.nesterov",
        "Nesterov's momentum",
        notes="v = beta v + dW, W -= alpha (dW + beta v)",
        torch="SGD(nesterov = True) the same",
        translation="SGD(lr = alpha, momentum = beta, nesterov = True)",
        naive={
            "without nesterov": _run(torch.optim.SGD, **SGDS),
            "lr = alpha (1 - beta)": _run(torch.optim.SGD, lr=LEARNING_RATE * (1 - BETA), momentum=BETA, nesterov=True),
        },
        **_of_case(NESTEROV),
    ),
    Convention(
        "optimizers.look_ahead",
        "where Nesterov's gradient is taken",
        notes="v = mu v - alpha dW(W + mu v), W += v (Sutskever and others)",
        torch="at the parameter, which stands for W + mu v",
        translation="W = parameter + mu alpha buffer",
        formulas="",
        inputs=MOMENTUM.inputs,
        manual=_written_out(_at_the_point_ahead),
        exact=_path(torch.optim.SGD, gradient=torch.sub, read=_behind, **SGDS, nesterov=True),
        naive={"the parameter taken for W": _path(torch.optim.SGD, gradient=torch.sub, **SGDS, nesterov=True)},
        bounds={"path": _steps_bound(2 * LEARNING_RATE)},
    ),
    Convention(
        "optimizers.adamw",
        "AdamW",
        notes="W -= alpha weight_decay W, beside Adam's step",
        torch="AdamW the same; Adam(weight_decay) puts it into the gradient",
        translation="AdamW(weight_decay = weight_decay)",
        naive={"Adam(weight_decay)": _run(torch.optim.Adam, **ADAMS, weight_decay=WEIGHT_DECAY)},
        **_of_case(ADAMW),
    ),
    Convention(
        "optimizers.decoupled",
        "decay beside the step",
        notes="W -= lambda W whatever alpha (Loshchilov and Hutter)",
        torch="AdamW takes off lr weight_decay W",
        translation="weight_decay = lambda / alpha",
        formulas="",
        inputs=ADAMW.inputs,
        manual=_written_out(_decoupled),
        exact=_run(torch.optim.AdamW, **ADAMS, weight_decay=LAMBDA / M / LEARNING_RATE),
        naive={"weight_decay = lambda": _run(torch.optim.AdamW, **ADAMS, weight_decay=LAMBDA / M)},
        bounds=ADAMW.bounds,
    ),
    Convention(
        "optimizers.decay_of_descent",
        "weight decay of gradient descent",
        notes="W -= alpha weight_decay W beside the step: the same as an L2 term",
        torch="SGD(weight_decay) adds it to the gradient, so to the buffer where there is momentum",
        translation="SGD(weight_decay = weight_decay) without momentum",
        formulas="F202",
        inputs=MOMENTUM.inputs,
        manual=_written_out(_shrinking),
        exact=_run(torch.optim.SGD, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY),
        naive={"with momentum": _run(torch.optim.SGD, **SGDS, weight_decay=WEIGHT_DECAY)},
        bounds={"path": _steps_bound(LEARNING_RATE)},
    ),
    Convention(
        "optimizers.epsilon_inside",
        "epsilon of TensorFlow's RMSprop",
        notes="W -= alpha dW / sqrt(s + epsilon), as in TensorFlow",
        torch="sqrt(s) + eps",
        translation="eps = 0, square_avg = epsilon at first, and epsilon (1 - beta2) / beta2 more before each step",
        formulas="",
        inputs=RMSPROP.inputs,
        manual=_written_out(_rmsprop_of_tensorflow),
        exact=_path(torch.optim.RMSprop, _epsilon_in_the_average, lr=LEARNING_RATE, alpha=BETA2, eps=0.0),
        naive={
            "eps = epsilon": _run(torch.optim.RMSprop, lr=LEARNING_RATE, alpha=BETA2, eps=EPSILON),
            "eps = sqrt(epsilon)": _run(torch.optim.RMSprop, lr=LEARNING_RATE, alpha=BETA2, eps=EPSILON**0.5),
        },
        bounds={"path": lambda u, at: 3 * RMSPROP.bounds["path"](u, at)},
    ),
    Convention(
        "optimizers.epsilon_hat",
        "epsilon of TensorFlow's Adam",
        notes="epsilon beside sqrt(s), the correction in the rate (Kingma and Ba's efficient form)",
        torch="epsilon beside sqrt(s_hat)",
        translation="eps of step t = epsilon / sqrt(1 - beta2^t)",
        formulas="",
        inputs=ADAM.inputs,
        manual=_written_out(_adam_of_tensorflow),
        exact=_path(torch.optim.Adam, _epsilon_of_the_step, **ADAMS),
        naive={"eps = epsilon": _run(torch.optim.Adam, **ADAMS)},
        bounds={"path": lambda u, at: 3 * ADAM.bounds["path"](u, at)},
    ),
    Convention(
        "optimizers.decay",
        "decay of the learning rate",
        notes="0.9 for each epoch",
        torch="ExponentialLR(gamma) for each call of step()",
        translation="ExponentialLR(0.9), stepped once an epoch",
        formulas="F259 F265",
        inputs=lambda rng: {"learning_rate": float(rng.uniform(0.01, 1)), "epoch": int(rng.integers(2, 9))},
        manual=lambda learning_rate, epoch: exponential(learning_rate, epoch, DECAY),
        exact=_stepped(1),
        naive={"stepped after each of 6 mini-batches": _stepped(CHUNKS)},
        bounds={"rate": lambda u, at: schedule_bound(u, at.rate, at.epoch + 2)},
        dtypes=("float64",),
    ),
)
