"""Mistakes planted on purpose, each with what must catch it: the comparison is shown to be able to fail.

A fault is caught when exactly the quantities that it names fail, so it is found where it was planted and nowhere else.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from manual import activations
from manual.architecture import Architecture, Conv, Dense, Flatten, Pool
from manual.draws import initial_parameters
from parity_tests.comparison.models import ModelCase, Start
from parity_tests.comparison.snap import run_once
from parity_tests.formulas import CASES, FORMULAS, planted_updates
from parity_tests.formulas.case import LAMBDA, N_1, N_2, N_X, Case, M, binary, normal
from parity_tests.formulas.formula import Fault
from parity_tests.formulas.optimizers import EPSILON, LEARNING_RATE, run_by_hand, run_by_torch
from parity_tests.formulas.planted_networks import biases_penalised, layers_swapped
from parity_tests.formulas.planted_volumes import (
    average_times_size,
    conv_backward_of,
    last_window_only,
    overwriting,
    padding_left,
    rounded_sizes,
    spread_over_window,
    stride_ignored,
    swapped,
)
from parity_tests.formulas.planting import instead, largest_moved, result
from parity_tests.formulas.run import generator, run_case
from parity_tests.formulas.schedules import Pair, clipped_as_torch_does
from parity_tests.judging.judge import FAILS, Result


class Outcome(NamedTuple):
    """What came of a planted fault in one dtype."""

    fault: Fault
    dtype: str
    failed: frozenset[str]
    detail: str

    @property
    def caught(self) -> bool:
        """Whether exactly the named quantities failed."""
        return self.failed == self.fault.caught


def fault(name: str, target: str, change: Any, *caught: str) -> Fault:
    """A row of the table."""
    return Fault(name, target, change, frozenset(caught))


Z, A, DZ, DA, DW, DB, J = "Z", "A", "dZ", "dA", "dW", "db", "J with L2"
OUTPUT_DZ = "network.output_dZ"
CONV, CONV_BACK = "conv.conv_forward", "conv.conv_backward"

FAULTS: tuple[Fault, ...] = (
    *(each for formula in FORMULAS for each in formula.faults),
    # signs and averages
    fault("sign of dZ_L", OUTPUT_DZ, result(lambda dZ, *a: -dZ), DZ),
    fault("1/m already in dZ_L", OUTPUT_DZ, result(lambda dZ, *a: dZ / M), DZ),
    # shapes and axes
    fault("Y broadcast over the outputs", OUTPUT_DZ, instead(lambda A, Y: A - Y[:1]), DZ),
    # the penalty
    fault("lambda doubled in J", "network.l2_penalty", result(lambda P, *a: 2 * P), J),
    fault("lambda not over m in J", "network.l2_penalty", result(lambda P, *a: M * P), J),
    fault("lambda missing in J", "network.l2_penalty", result(lambda P, *a: 0 * P), J),
    fault("lambda on biases in J", "network.cost", result(biases_penalised), J),
    # the chain rule
    fault("g for g'", "activations.tanh'", instead(np.tanh), DZ),
    fault("g' missing", "activations.tanh'", instead(np.ones_like), DZ),
    fault("g' at A", "activations.tanh'", lambda g_prime: lambda Z: g_prime(np.tanh(Z)), DZ),
    fault("a (1 + a) for a (1 - a)", "activations.sigmoid'",
          instead(lambda Z: activations.sigmoid(Z) * (1 + activations.sigmoid(Z))), DZ),
    fault("slope of leaky ReLU everywhere", "activations.leaky_relu'", instead(lambda Z: np.full_like(Z, 0.01)), DZ),
    fault("g' again at the output", OUTPUT_DZ, result(lambda dZ, A, Y: dZ * A * (1 - A)), DZ),
    fault("two layers swapped", "network.forward", layers_swapped, Z),
    fault("diagonal of the softmax alone", "case:activations.softmax_backward manual",
          instead(lambda dA, Z: dA * activations.softmax(Z) * (1 - activations.softmax(Z))), DZ),
    fault("softmax twice", "case:activations.softmax manual", result(lambda A, *a: activations.softmax(A)), A),
    # zeros, NaN, one entry
    fault("zeros for dZ of the softmax", "case:activations.softmax_backward manual", result(lambda dZ, *a: 0 * dZ), DZ),
    fault("one entry of A moved", "activations.tanh", result(largest_moved), A),
    fault("one entry of dZ_L moved", OUTPUT_DZ, result(largest_moved), DZ),
    fault("one entry of g' moved", "activations.tanh'", result(largest_moved), DZ),
    fault("J moved", "network.cost", result(largest_moved), J),
    fault("one entry of the update moved", "case:optimizers.gradient_descent manual", result(largest_moved), "W"),
    # optimisers
    fault("alpha forgotten", "case:optimizers.gradient_descent manual", instead(lambda W, dW, alpha: W - dW), "W"),
    fault("uphill", "case:optimizers.gradient_descent manual", instead(lambda W, dW, alpha: W + alpha * dW), "W"),
    fault("momentum without 1 - beta", "case:optimizers.momentum manual",
          instead(planted_updates.momentum_without_one_minus_beta), "W", "v"),
    fault("momentum looks ahead", "case:optimizers.momentum_run manual",
          instead(run_by_hand(planted_updates.NesterovMomentum(LEARNING_RATE))), "path"),
    fault("torch's lr not times 1 - beta", "case:optimizers.momentum_run reference",
          instead(run_by_torch(partial(planted_updates.torch_momentum, lr=LEARNING_RATE))), "path"),
    fault("dampening for 1 - beta in torch", "case:optimizers.momentum_run reference",
          instead(run_by_torch(partial(planted_updates.torch_momentum, lr=LEARNING_RATE, dampening=0.9))), "path"),
    fault("RMSprop without square", "case:optimizers.rmsprop manual",
          instead(planted_updates.rmsprop_without_square), "W", "s"),
    fault("RMSprop's epsilon inside the root", "case:optimizers.rmsprop manual",
          instead(planted_updates.rmsprop_epsilon_inside), "W"),
    fault("adam-no-power", "case:optimizers.adam_step_2 manual", instead(planted_updates.adam_without_power), "W"),
    fault("adam-no-power, run", "case:optimizers.adam_run manual",
          instead(run_by_hand(planted_updates.ForgetfulAdam(LEARNING_RATE, epsilon=EPSILON))), "path"),
    fault("adam-correction-overwritten", "case:optimizers.adam_run manual",
          instead(run_by_hand(planted_updates.OverwritingAdam(LEARNING_RATE, epsilon=EPSILON))), "path"),
    fault("Adam without correction", "case:optimizers.adam_step_3 manual",
          instead(planted_updates.adam_without_correction), "W"),
    fault("Adam's epsilon inside the root", "case:optimizers.adam_step_1 manual",
          instead(planted_updates.adam_epsilon_inside), "W"),
    fault("Adam's epsilon before the correction", "case:optimizers.adam_step_3 manual",
          instead(planted_updates.adam_epsilon_uncorrected), "W"),
    fault("one entry of Adam's W moved", "case:optimizers.adam_step_3 manual",
          result(lambda new, *a: new._replace(W=largest_moved(new.W))), "W"),
    fault("decay from the first epoch", "case:schedules.exponential manual",
          instead(lambda alpha, epoch: alpha * 0.9 ** (epoch + 1)), "rate"),
    fault("torch's 1e-6 left in", "case:clipping.clip_by_norm reference", instead(clipped_as_torch_does), "dW", "db"),
    fault("clipped array by array", "case:clipping.clip_by_norm manual",
          instead(lambda dW, db, limit: Pair(*(g * limit / np.linalg.norm(g) for g in (dW, db)))), "dW", "db"),
    fault("clipped below the limit", "case:clipping.within_the_limit manual",
          result(lambda pair, *a: Pair(0.5 * pair.dW, 0.5 * pair.db)), "dW", "db"),
    # dropout
    fault("dropout-not-rescaled", "case:dropout.forward manual", instead(lambda A, mask, k: A * mask), "dropped"),
    fault("dropout-mask-forgotten-backward", "case:dropout.backward manual",
          instead(lambda dA, mask, k, A: dA / np.asarray(k, dA.dtype)), "dA_prev"),
    fault("keep_prob for p", "case:dropout.forward reference",
          lambda f: lambda A, mask, k: f(A, mask, 1 - k), "dropped"),
    fault("rescaled twice", "case:dropout.forward_of_volumes manual", result(lambda D, A, mask, k: D / k), "dropped"),
    fault("mask and its complement", "case:dropout.backward_of_volumes manual",
          lambda f: lambda dA, mask, k, A: f(dA, 1 - mask, k, A), "dA_prev"),
    # convolution and pooling
    fault("filters flipped", CONV, lambda f: lambda A_prev, W, b, **how: f(A_prev, W[::-1, ::-1], b, **how), Z),
    fault("filters flipped in conv backward", CONV_BACK, conv_backward_of(lambda W: W[::-1, ::-1].copy()), DA),
    fault("n_C and n_C_prev swapped", CONV, lambda f: lambda A_prev, W, b, **how: f(A_prev, swapped(W), b, **how), Z),
    fault("n_C and n_C_prev swapped in conv backward", CONV_BACK, conv_backward_of(swapped), DA),
    fault("stride ignored in conv backward", CONV_BACK, stride_ignored, DA, DW),
    fault("padding left on dA", CONV_BACK, padding_left, DA),
    fault("= for += in overlapping windows", CONV_BACK, overwriting, DA),
    fault("1/m lost in dW of filters", CONV_BACK, result(lambda g, dZ, *a: g._replace(dW=g.dW * M)), DW),
    fault("1/m lost in db of filters", CONV_BACK, result(lambda g, dZ, *a: g._replace(db=g.db * M)), DB),
    fault("db of filters averaged over positions", CONV_BACK,
          result(lambda g, dZ, *a: g._replace(db=g.db / (dZ.shape[1] * dZ.shape[2]))), DB),
    fault("one entry of a volume moved", CONV, result(largest_moved), Z),
    fault("average not divided", "pooling.pool_forward", average_times_size, A),
    fault("average's gradient not divided", "pooling.pool_backward", average_times_size, DA),
    fault("every cell gets the maximum's gradient", "pooling.pool_backward", spread_over_window, DA),
    fault("= for += in overlapping pooling windows", "pooling.pool_backward", last_window_only, DA),
    fault("flattened channels first", "conv.flatten",
          instead(lambda A: A.transpose(0, 3, 1, 2).reshape(len(A), -1).T), A),
    fault("gradient unflattened channels first", "conv.flatten_backward",
          instead(lambda dA, shape: dA.T.reshape(shape[0], shape[3], *shape[1:3]).transpose(0, 2, 3, 1)), DA),
    fault("round for floor", "case:shapes.conv_output_size manual", result(rounded_sizes), "sizes"),
    # the checker itself
    fault("a referee that returns its own input", "case:activations.tanh reference", instead(lambda Z: Z), A),
)  # fmt: skip

VOLUME_MODULES = ("conv", "pooling", "shapes")
"""Modules of manual whose faults are planted in the probe network over volumes."""

VOLUMES = Architecture(
    (5, 7, 3),
    (
        Conv(3, (2, 3), pad=(1, 0), activation="tanh"),
        Conv(3, 3, pad=1, activation="leaky_relu"),
        Pool(2, 1, "average"),
        Conv(2, 2, stride=2, pad=1, activation="sigmoid"),
        Pool(2, 1, "max"),
        Flatten(),
        Dense(N_1, "tanh"),
        Dense(N_2, "sigmoid"),
    ),
)
"""Filters of as many channels in as out, overlapping windows, a stride with padding, several channels to flatten."""

PROBE = ModelCase("faults", "probe", lambda_=LAMBDA, learning_rate=0.1, steps=1)
NETWORK = Architecture(
    N_X,
    (Dense(N_1, "tanh"), Dense(N_1, "sigmoid"), Dense(N_1, "leaky_relu"), Dense(N_1, "tanh"), Dense(N_2, "sigmoid")),
)
"""Layers 2, 3 and 4 have one shape, so that mixing them up is not given away; all other sizes are distinct."""


def probe(dtype: Any, seed: int = 0, architecture: Architecture = NETWORK) -> Start:
    """The network that the faults of manual are planted in."""
    rng = generator("faults", seed)
    params = initial_parameters(architecture, "xavier", rng)
    params = {name: (value + 0.1 * normal(rng, *value.shape)).astype(dtype) for name, value in params.items()}
    X = normal(rng, *architecture.batch_shape(0, M))
    return Start(architecture, params, X.astype(dtype), binary(rng, N_2, M).astype(dtype))


def run_fault(planted: Fault, dtype: Any, seed: int = 0) -> Outcome:
    """Plant one fault and see which quantities fail; an exception of the by-hand side fails everything."""
    if planted.target.startswith("case:"):
        results = run_case(_spoilt(planted), dtype, seed)
    else:
        begin = probe(dtype, seed, VOLUMES if planted.target.split(".")[0] in VOLUME_MODULES else NETWORK)
        with in_place(planted):
            results = run_once(PROBE, begin)
    failed = [each for each in results if each.verdict == FAILS]
    return Outcome(planted, np.dtype(dtype).name, frozenset(each.quantity for each in failed), _detail(failed))


def healthy(dtype: Any, seed: int = 0) -> list[Result]:
    """What fails without any fault: nothing, or the faults prove nothing."""
    results = [each for network in (NETWORK, VOLUMES) for each in run_once(PROBE, probe(dtype, seed, network))]
    return [each for each in results if each.verdict == FAILS]


def _spoilt(planted: Fault) -> Case:
    """The case with one field replaced."""
    name, field = planted.target.removeprefix("case:").split(" ")
    case = next(case for case in CASES if case.id == name)
    spoilt = replace(case, **{field: planted.change(getattr(case, field))})
    return replace(spoilt, derivatives={}) if field == "bounds" else spoilt


@contextmanager
def in_place(planted: Fault) -> Iterator[None]:
    """The fault in place of the function of manual, for as long as the context lasts."""
    module_name, name = planted.target.split(".")
    module = importlib.import_module(f"manual.{module_name}")
    if module is activations:
        unit, field = name.removesuffix("'"), "g_prime" if name.endswith("'") else "g"
        right = activations.ACTIVATIONS[unit]
        activations.ACTIVATIONS[unit] = right._replace(**{field: planted.change(getattr(right, field))})
        try:
            yield
        finally:
            activations.ACTIVATIONS[unit] = right
    else:
        right_function = getattr(module, name)
        setattr(module, name, planted.change(right_function))
        try:
            yield
        finally:
            setattr(module, name, right_function)


def _detail(failed: list[Result]) -> str:
    """The first failure in a few words."""
    if not failed:
        return ""
    first = failed[0]
    return first.reason or f"error / bound {first.ratio:.2g}"
