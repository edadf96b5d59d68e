"""Optimisers against torch.optim step by step and over free runs, schedules, clipping."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.neural_network import _stochastic_optimizers
from torch import nn

from manual import updates
from manual.notation import Array
from manual.optimizers import (
    OPTIMIZERS,
    Adam,
    AdamW,
    ClassicalMomentum,
    GradientDescent,
    Momentum,
    Nesterov,
    RMSprop,
)
from parity_tests.comparison.free_runs import REPEATS, judge_by_spread, moved
from parity_tests.conventions import CONVENTIONS
from parity_tests.formulas.optimizers import run_by_hand, run_by_torch
from parity_tests.formulas.update_bounds import RULES as BOUNDS
from parity_tests.judging import bounds
from parity_tests.judging.judge import Judgement, judge
from parity_tests.tests.slices import sliced
from torch_ref import optimizers as torch_rules
from torch_ref import updates as torch_side
from torch_ref.devices import array, tensor

DTYPES = pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
RULES = [GradientDescent(0.05), Momentum(0.05), RMSprop(0.01), Adam(0.01), Momentum(0.05, 0.3), Adam(0.01, 0.2, 0.9)]
RULES += [ClassicalMomentum(0.05), ClassicalMomentum(0.05, 0.5, 0.3), Nesterov(0.05), AdamW(0.01)]
EACH_RULE = pytest.mark.parametrize("rule", RULES, ids=repr)
STEPS = 500
SHAPE = (5, 3)


def update_by_torch(rule: Any, W: Array, dW: Array, state: Any) -> tuple[Array, ...]:
    """W, then v and s where the rule has them, after torch's step from the rule's state."""
    name = re.sub("(?<=[a-z])(?=[DM])", "_", type(rule).__name__).lower()
    parts = [tensor(part["dW1"]) for part in state[:-1]]
    number = [state.t + 1] if isinstance(rule, Adam | AdamW | ClassicalMomentum) else []
    update = getattr(torch_side, f"{name}_update")
    found = update(tensor(W), tensor(dW), *parts, *number, *vars(rule).values())
    return tuple(array(each) for each in (found if isinstance(found, tuple) else (found,)))


def bounds_of_update(rule: Any, W: Array, dW: Array, state: Any) -> tuple[Any, ...]:
    """One side's bounds, in the order of update_by_torch."""
    u = bounds.unit_roundoff(W.dtype)
    arrays = {"W": W, "dW": dW, **{part: value["dW1"] for part, value in state._asdict().items() if part != "t"}}
    wide = {name: value.astype(np.float64) for name, value in arrays.items()}
    return tuple(BOUNDS[type(rule)](u, rule, state.t + 1, **wide).values())


@DTYPES
@pytest.mark.parametrize("steps", [60, pytest.param(STEPS, marks=pytest.mark.slow)])
@EACH_RULE
def test_every_step_is_torchs_from_the_same_parameters_and_state(rule: Any, steps: int, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    params = {"W1": rng.standard_normal(SHAPE).astype(dtype)}
    state = rule.init(params)
    for _ in range(steps):
        # gradients of all sizes, zero among them
        dW = (rng.standard_normal(SHAPE) * 10 ** rng.uniform(-6, 2, SHAPE) * rng.integers(0, 2, SHAPE)).astype(dtype)
        reference = update_by_torch(rule, params["W1"], dW, state)
        allowed = bounds_of_update(rule, params["W1"], dW, state)
        params, state = rule.step(params, {"dW1": dW}, state)
        got = (params["W1"], *(part["dW1"] for part in state[:-1]))
        for mine, theirs, bound in zip(got, reference, allowed, strict=True):
            floor = bounds.underflow(np.dtype(dtype), mine.size)
            judgement = judge(mine, theirs, 2 * bound + floor, dtype, floor)
            assert not judgement.fails, (state.t, judgement)
    assert state.t == steps


def pulled(rule: Any, W: Array) -> dict[str, Array]:
    """500 free steps on the half squared distance to the ones: dW = W - 1."""
    params, state = {"W1": W}, rule.init({"W1": W})
    for _ in range(STEPS):
        params, state = rule.step(params, {"dW1": params["W1"] - 1}, state)
    return dict(params)


def pulled_by_torch(make: Callable[[nn.Module], torch.optim.Optimizer], W: Array) -> dict[str, Array]:
    """The same by torch."""
    module = nn.ParameterList([tensor(W)])
    rule = make(module)
    for _ in range(STEPS):
        module[0].grad = module[0].detach() - 1
        rule.step()
    return {"W1": array(module[0])}


def judge_free(rule: Any, make: Callable[[nn.Module], torch.optim.Optimizer], dtype: Any) -> Judgement:
    """500 free steps of both, judged by the spread of by-hand runs from starts moved by one rounding."""
    rng = np.random.default_rng(1)
    W = rng.standard_normal(SHAPE).astype(dtype)
    repeats = [pulled(rule, moved({"W1": W}, rng)["W1"]) for _ in range(REPEATS)]
    return judge_by_spread(pulled(rule, W), pulled_by_torch(make, W), repeats, np.dtype(dtype))["W1"]


FREE: dict[str, Any] = {
    "gradient_descent": GradientDescent(0.005),
    "momentum": Momentum(0.005),
    "rmsprop": RMSprop(0.002),
    "adam": Adam(0.002),
    "classical_momentum": ClassicalMomentum(0.0005, 0.9, 0.3),
    "nesterov": Nesterov(0.0005),
    "adamw": AdamW(0.002),
}


@DTYPES
@pytest.mark.parametrize("name", sliced(FREE, 3))
def test_500_free_steps_end_where_torch_ends(name: str, dtype: Any) -> None:
    rule = FREE[name]
    judgement = judge_free(rule, lambda module: torch_rules.OPTIMIZERS[name](module, *vars(rule).values()), dtype)
    assert not judgement.fails, judgement


@DTYPES
def test_500_gradients_at_the_point_ahead_are_torchs_at_its_parameter(dtype: Any) -> None:
    """Nesterov's momentum as Sutskever and others write it, under targets that change in every step."""
    row = next(each for each in CONVENTIONS if each.id == "optimizers.look_ahead")
    rng = np.random.default_rng(0)
    W, targets = rng.standard_normal(SHAPE).astype(dtype), rng.standard_normal((STEPS, *SHAPE)).astype(dtype)
    repeats = [{"path": row.manual(moved({"W": W}, rng)["W"], targets)} for _ in range(REPEATS)]
    path = {"path": row.manual(W, targets)}
    for translated, fails in ((row.exact, False), *((naive, True) for naive in row.naive.values())):
        reference = {"path": array(translated(tensor(W), tensor(targets)))}
        assert judge_by_spread(path, reference, repeats, np.dtype(dtype))["path"].fails == fails


WRONG: dict[str, tuple[str, Callable[[nn.Module], torch.optim.Optimizer]]] = {
    "lr is alpha": ("momentum", lambda net: torch.optim.SGD(net.parameters(), lr=0.005, momentum=0.9)),
    "dampening is beta": (
        "momentum",
        lambda net: torch.optim.SGD(net.parameters(), lr=0.005, momentum=0.9, dampening=0.9),
    ),
    "Nesterov": ("momentum", lambda net: torch.optim.SGD(net.parameters(), lr=0.0005, momentum=0.9, nesterov=True)),
    "alpha of RMSprop left at 0.99": ("rmsprop", lambda net: torch.optim.RMSprop(net.parameters(), lr=0.002)),
    "RMSprop centred": (
        "rmsprop",
        lambda net: torch.optim.RMSprop(net.parameters(), lr=0.002, alpha=0.999, centered=True),
    ),
    "betas swapped": ("adam", lambda net: torch.optim.Adam(net.parameters(), lr=0.002, betas=(0.999, 0.9))),
    "AMSGrad": ("adam", lambda net: torch.optim.Adam(net.parameters(), lr=0.002, amsgrad=True)),
    "AdamW": ("adam", lambda net: torch.optim.AdamW(net.parameters(), lr=0.002)),
}


@DTYPES
@pytest.mark.parametrize("mistake", sliced(WRONG, 4))
def test_a_wrong_translation_ends_elsewhere(mistake: str, dtype: Any) -> None:
    name, make = WRONG[mistake]
    assert judge_free(FREE[name], make, dtype).fails


def test_dampening_is_wrong_in_the_first_step_and_right_in_what_it_adds() -> None:
    W, dW = np.zeros((1, 1)), np.ones((3, 1, 1))
    right = run_by_hand(Momentum(0.1))(W, dW)[:, 0, 0]
    dampened = run_by_torch(lambda net: torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, dampening=0.9))
    path = dampened(tensor(W), tensor(dW))[:, 0, 0]
    np.testing.assert_allclose(right, [-0.01, -0.029, -0.0561], rtol=1e-14)
    np.testing.assert_allclose(path, [-0.1, -0.2, -0.3], rtol=1e-14)


def test_the_first_steps_by_hand() -> None:
    W, dW = np.zeros((1, 1)), np.array([[[2.0]], [[1.0]]])
    path = run_by_hand(RMSprop(0.1, 0.75, 0.5))(W, dW)[:, 0, 0]
    first = -0.1 * 2 / (1 + 0.5)  # s = 1
    np.testing.assert_allclose(path, [first, first - 0.1 / (1 + 0.5)], rtol=1e-14)  # s = 0.75 + 0.25
    path = run_by_hand(Adam(0.1, 0.5, 0.75, 0.5))(W, dW)[:, 0, 0]
    first = -0.1 * 2 / (2 + 0.5)  # v_hat = dW, s_hat = dW^2
    second = 0.1 * (1 / 0.75) / (np.sqrt(1 / 0.4375) + 0.5)  # v = 1, s = 1
    np.testing.assert_allclose(path, [first, first - second], rtol=1e-14)


def test_adams_first_step_is_the_sign_of_the_gradient() -> None:
    dW = np.array([[1e-3, -5.0, 0.0, 1e4]])
    params = {"W1": np.zeros((1, 4))}
    new, _ = Adam(0.1).step(params, {"dW1": dW}, Adam(0.1).init(params))
    np.testing.assert_allclose(new["W1"], -0.1 * np.sign(dW), rtol=1e-4)


def test_scikit_learns_epsilon_is_another_one() -> None:
    def by_scikit_learn(epsilon: float) -> Array:
        W = np.zeros((1, 1))
        _stochastic_optimizers.AdamOptimizer([W], 0.1, epsilon=epsilon).update_params([W], [np.ones((1, 1))])
        return W

    def by_hand(epsilon: float) -> Array:
        path = run_by_hand(Adam(0.1, epsilon=epsilon))(np.zeros((1, 1)), np.ones((1, 1, 1)))
        return path.reshape(1, 1)

    assert abs(by_hand(0.1) - by_scikit_learn(0.1)) > 0.05
    np.testing.assert_allclose(by_hand(0.1), by_scikit_learn(0.1 * np.sqrt(1 - 0.999)), rtol=1e-13)
    np.testing.assert_allclose(by_hand(1e-15), by_scikit_learn(1e-15), rtol=1e-12)


def locked(dtype: Any) -> tuple[dict[str, Array], dict[str, Array]]:
    """Parameters and gradients that nobody can write to."""
    rng = np.random.default_rng(3)
    params = {"W1": rng.standard_normal(SHAPE).astype(dtype), "b1": rng.standard_normal((5, 1)).astype(dtype)}
    grads = {"d" + name: rng.standard_normal(value.shape).astype(dtype) for name, value in params.items()}
    for value in (*params.values(), *grads.values()):
        value.setflags(write=False)
    return params, grads


@DTYPES
@EACH_RULE
def test_a_step_keeps_dtypes_and_arguments_and_shares_no_memory(rule: Any, dtype: Any) -> None:
    params, grads = locked(dtype)
    state = rule.init(params)
    assert state.t == 0
    given = [*params.values(), *grads.values()]
    for t in (1, 2):
        for part in state[:-1]:
            assert {name: value.shape for name, value in part.items()} == {"dW1": SHAPE, "db1": (5, 1)}
            assert t > 1 or not any(value.any() for value in part.values())
            for value in part.values():
                value.setflags(write=False)
                given.append(value)
        params, state = rule.step(params, grads, state)
        made = [*params.values(), *(value for part in state[:-1] for value in part.values())]
        assert all(value.dtype == dtype for value in made)
        assert not any(np.shares_memory(one, other) for one in made for other in given)
        assert not any(np.shares_memory(one, made[k]) for i, one in enumerate(made) for k in range(i))
        assert state.t == t
        for value in params.values():
            value.setflags(write=False)
            given.append(value)


@EACH_RULE
def test_settings_of_numpy_leave_float32_alone(rule: Any) -> None:
    params, grads = locked(np.float32)
    drawn = replace(rule, **{name: np.float64(value) for name, value in vars(rule).items()})
    assert drawn == rule
    assert all(type(value) is float for value in vars(drawn).values())
    moved_params, _ = drawn.step(params, grads, drawn.init(params))
    assert all(value.dtype == np.float32 for value in moved_params.values())


@pytest.mark.parametrize("mixed", ["W", "dW", "v", "s"])
def test_updates_have_the_dtype_that_their_arrays_have_in_common(mixed: str) -> None:
    W, dW, v, s = (np.full((2, 2), 0.5, np.float64 if name == mixed else np.float32) for name in ("W", "dW", "v", "s"))
    found: list[Any] = [*updates.adam_update(W, dW, v, s, 1, 0.1, 0.9, 0.999, 1e-8)]
    if mixed != "s":
        found += updates.momentum_update(W, dW, v, 0.1, 0.9)
    if mixed != "v":
        found += updates.rmsprop_update(W, dW, s, 0.1, 0.999, 1e-8)
    if mixed in ("W", "dW"):
        found.append(updates.gradient_descent_update(W, dW, 0.1))
    assert {value.dtype for value in found} == {np.dtype(np.float64)}


@EACH_RULE
def test_the_learning_rate_may_change_while_the_state_goes_on(rule: Any) -> None:
    params, grads = locked(np.float64)
    state = rule.step(params, grads, rule.init(params))[1]
    long, after_long = rule.step(params, grads, state)
    short, after_short = replace(rule, learning_rate=rule.learning_rate / 4).step(params, grads, state)
    for name, W in params.items():
        np.testing.assert_allclose(W - short[name], (W - long[name]) / 4, rtol=1e-9, atol=1e-15)
    np.testing.assert_equal(after_short, after_long)


def test_names_and_defaults() -> None:
    assert list(OPTIMIZERS) == list(torch_rules.OPTIMIZERS)
    assert OPTIMIZERS["momentum"](0.1) == Momentum(learning_rate=0.1, beta=0.9)
    assert OPTIMIZERS["rmsprop"](0.1) == RMSprop(learning_rate=0.1, beta2=0.999, epsilon=1e-8)
    assert OPTIMIZERS["adam"](0.1) == Adam(learning_rate=0.1, beta1=0.9, beta2=0.999, epsilon=1e-8)
    assert OPTIMIZERS["gradient_descent"](1) == GradientDescent(1.0)


def test_no_weight_for_the_past_is_gradient_descent() -> None:
    params, grads = locked(np.float64)
    plain, momentum = GradientDescent(0.1), Momentum(0.1, beta=0.0)
    expected, _ = plain.step(params, grads, plain.init(params))
    found, _ = momentum.step(params, grads, momentum.init(params))
    np.testing.assert_equal(found, expected)


def test_without_decay_adamw_is_adam() -> None:
    params, grads = {"W": np.array([[1.0, -2.0]])}, {"dW": np.array([[0.5, 3.0]])}
    adam, without = Adam(0.1), AdamW(0.1, weight_decay=0)
    right, found = adam.step(params, grads, adam.init(params)), without.step(params, grads, without.init(params))
    np.testing.assert_array_equal(found[0]["W"], right[0]["W"])
