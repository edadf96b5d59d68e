"""Snap and compare: which bound every node gets, what each step starts from, and where things are computed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import torch_ref.network as torch_side
from manual import costs, dense, network
from manual.architecture import Architecture, BatchNorm, Conv, Dense, Dropout, Flatten, LayerNorm, Pool, Unit
from manual.draws import dropout_masks, initial_parameters
from manual.normalization import Statistics
from manual.optimizers import OPTIMIZERS, Adam
from parity_tests.comparison import snap, snap_updates
from parity_tests.comparison.models import ModelCase, Start
from parity_tests.comparison.snap import Step, _Wide, judged_steps, longest_sum, passes, run_once, run_steps
from parity_tests.formulas.case import LAMBDA, binary, normal, one_hot
from parity_tests.formulas.layer_bounds import PLAIN, WEIGHTED, of_running_statistics
from parity_tests.formulas.update_bounds import RULES
from parity_tests.judging import bounds
from parity_tests.judging.bounds import divided, smallest_normal, unit_roundoff
from parity_tests.judging.judge import FAILS, HOLDS, Ledger, Where
from torch_ref.devices import tensor

NETWORKS: dict[str, Architecture] = {
    "dense": Architecture(
        3, (Dense(5, "tanh"), Dropout(0.8), Dense(4, "relu"), Dense(5, "leaky_relu"), Dense(2, "sigmoid"))
    ),
    "classes": Architecture(3, (Dense(5, "sigmoid"), Dense(4, "softmax"))),
    "volumes": Architecture(
        (5, 7, 2),
        (
            Conv(3, (2, 3), pad=(1, 0), activation="tanh"),
            Pool(2, 1, "average"),
            Conv(2, 2, stride=2, pad=1, activation="relu"),
            Pool(2, 1, "max"),
            Flatten(),
            Dropout(0.7),
            Dense(2, "identity"),
        ),
    ),
    "norms": Architecture(
        (5, 4, 2),
        (
            Conv(3, 2, activation="tanh"),
            BatchNorm("sigmoid", epsilon=0.01),
            LayerNorm("relu"),
            Flatten(),
            Unit("tanh"),
            BatchNorm("tanh", momentum=0.3),
            LayerNorm(),
            Dense(2, "identity"),
        ),
    ),
}


def begin(name: str, dtype: Any = np.float64, m: int = 7) -> Start:
    """The start of a network, with masks where it drops out."""
    net, rng = NETWORKS[name], np.random.default_rng(0)
    params = {
        key: value + 0.1 * normal(rng, *value.shape) for key, value in initial_parameters(net, "xavier", rng).items()
    }
    X = normal(rng, *net.batch_shape(0, m))
    Y = {
        "classes": one_hot(rng, 4, m),
        "dense": binary(rng, 2, m),
        "volumes": normal(rng, 2, m),
        "norms": normal(rng, 2, m),
    }[name]
    masks = dropout_masks(net, m, rng, dtype)
    cast = {key: value.astype(dtype) for key, value in params.items()}
    return Start(net, cast, X.astype(dtype), Y.astype(dtype), masks)


class Noting(Ledger):
    """A ledger that keeps the bounds it is given."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self.bounds: dict[tuple[str, int | None], Any] = {}
        self.pairs: dict[tuple[str, int | None], tuple[Any, Any]] = {}
        self.of: dict[tuple[str, int | None], Any] = {}

    def add(self, where: Where, got: Any, reference: Any, bound: Any, of: Any = tuple) -> None:
        """Note it, and judge."""
        key = where.quantity, where.layer
        self.bounds[key], self.pairs[key], self.of[key] = np.array(bound), (got, np.array(reference)), of
        super().add(where, got, reference, bound, of)


CASE = ModelCase("snap", "probe", LAMBDA, 0.1, 1)


def noted(here: Start, case: ModelCase = CASE) -> tuple[Noting, Step]:
    """A step under a noting ledger."""
    ledger = Noting(here.X.dtype, longest_sum(here))
    step = Step(case, here, torch_side.module_with(here.architecture, here.params), ledger, "cpu")
    step.run()
    return ledger, step


@pytest.mark.parametrize("lambda_", [0.0, LAMBDA])
@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("name", NETWORKS)
def test_every_node_has_the_bound_of_its_operation(name: str, dtype: Any, lambda_: float) -> None:
    here = begin(name, dtype)
    net, u, tiny, m = here.architecture, unit_roundoff(np.dtype(dtype)), smallest_normal(np.dtype(dtype)), 7
    ledger, step = noted(here, CASE._replace(lambda_=lambda_))
    assert {line.verdict for line in ledger.results()} == {HOLDS}

    def wide(value: Any) -> Any:
        return np.asarray(value, np.float64)

    def reference(quantity: str, l: int | None) -> Any:
        return wide(ledger.pairs[quantity, l][1])

    passed, back = step.passed, step.back
    expected: dict[tuple[str, int | None], Any] = {}
    weights = sum(here.params[key].size for key in net.weights)
    J = "J with L2" if lambda_ else "J"
    expected[J, None] = bounds.cost_from_logits(
        u, reference(J, None), wide(passed.Z[-1]), net.output_unit, weights if lambda_ else 0
    )
    L = len(net.layers)
    expected["dA", L] = bounds.output_dA(u, reference("dA", L), wide(passed.A[-1]), net.output_unit)
    for l, layer, k in net.numbered():
        A_prev, A = wide(passed.A[l - 1]), reference("A", l)
        if not k:
            expected["A", l] = PLAIN[type(layer)].forward(u, layer, A, A_prev)
            dA = wide(back.dA[l])
            expected["dA", l - 1] = PLAIN[type(layer)].backward(u, layer, reference("dA", l - 1), dA, A_prev)
            continue
        W, b, unit = wide(here.params[f"W{k}"]), wide(here.params[f"b{k}"]), str(net.activations[l])
        given = None  # in training
        if k in dict(net.remembering).values():
            before = Statistics(wide(here.params[f"mean{k}"]), wide(here.params[f"variance{k}"]))
            moved = of_running_statistics(u, layer, A_prev, before)
            expected["running mean", l], expected["running variance", l] = moved
        expected["Z", l] = WEIGHTED[type(layer)].forward(u, layer, A_prev, W, b, given)
        expected["A", l] = bounds.output(u, A, wide(passed.Z[l]), unit)
        dZ = reference("dZ", l)
        if l == L:
            expected["dZ", l] = bounds.output_dZ(u, dZ, A, wide(passed.Z[l]), unit)
        else:
            expected["dZ", l] = bounds.hidden_dZ(u, dZ, wide(back.dA[l]), A, unit, tiny)
        known = divided(wide(back.dZ[l]), m, tiny)
        parts = WEIGHTED[type(layer)].backward(u, layer, known, A_prev, W, lambda_, given)
        expected["dA", l - 1], expected["dW", l], expected["db", l] = parts
    assert set(ledger.bounds) == set(expected)
    for key, bound in expected.items():
        np.testing.assert_allclose(ledger.bounds[key], bound, rtol=1e-12, err_msg=str(key))


def test_units_that_are_certain_have_the_bounds_of_certainty() -> None:
    """Below the smallest normal number torch's sigmoid is 0; where it clamps a (1 - a) nothing can be told."""
    here = begin("classes")
    params = {**here.params, "b1": np.full((5, 1), -1000.0)}
    ledger, step = noted(here._replace(params=params))
    tiny = smallest_normal(np.dtype(np.float64))
    dA: Any = step.back.dA[1]
    np.testing.assert_allclose(ledger.bounds["dZ", 1], np.abs(dA) * tiny, rtol=1e-9)
    here = begin("dense")
    ledger, _ = noted(here._replace(params={**here.params, "b4": np.full((2, 1), 1000.0)}))
    assert np.isposinf(ledger.bounds["dA", 5]).all()


def test_what_began_with_infinity_cannot_be_told() -> None:
    """Each quantity that is computed from what is not finite, and no other."""
    right = begin("classes")
    _, step = noted(right)
    (_, A1, A2), (_, Z1, Z2), _ = step.passed
    dA, dZ = step.back.dA, step.back.dZ
    uses: dict[tuple[str, int | None], list[Any]] = {
        ("Z", 1): [right.X],
        ("Z", 2): [A1],
        ("A", 1): [right.X, Z1],
        ("A", 2): [A1, Z2],
        ("dZ", 2): [A2, Z2],
        ("dZ", 1): [A1, Z1, dA[1]],
        ("dA", 2): [A2],
        ("dA", 1): [A1, dA[2], dZ[2]],
        ("dA", 0): [right.X, dA[1], dZ[1]],
        ("dW", 2): [A1, dZ[2]],
        ("db", 1): [dZ[1]],
        ("J", None): [Z2],
        ("J with L2", None): [Z2],
    }
    for (quantity, layer), values in uses.items():
        found = step._computed_from(quantity, layer)
        assert len(found) == 4 + len(values), (quantity, layer)
        assert all(one is other for one, other in zip(found, [*right.params.values(), *values], strict=True))


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_an_infinite_parameter_makes_no_verdict(value: float) -> None:
    here = begin("classes")
    with np.errstate(all="ignore"):
        ledger, _ = noted(here._replace(params={**here.params, "b2": np.full((4, 1), value)}))
    assert FAILS not in {line.verdict for line in ledger.results()}


def test_a_wide_copy_is_made_once() -> None:
    wide, short, other = _Wide(), np.ones(3, np.float32), np.zeros(3, np.float32)
    assert wide(short) is wide(short)
    assert (wide(short).dtype, wide(short).tolist(), wide(other).tolist()) == (np.float64, [1, 1, 1], [0, 0, 0])
    long = np.ones(3)
    assert wide(long) is long


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_judged_is_the_value_by_hand(name: str) -> None:
    ledger, step = noted(begin(name))
    for (quantity, l), (got, reference) in ledger.pairs.items():
        assert list(map(id, ledger.of[quantity, l]())) == list(map(id, step._computed_from(quantity, l)))
        if l is None:
            assert got is step.J
            continue
        k = {layer: number for layer, _, number in step.here.architecture.numbered()}.get(l)
        if quantity.startswith("running"):
            continue
        values: dict[str, Any] = {
            "Z": step.passed.Z,
            "A": step.passed.A,
            "dZ": step.back.dZ,
            "dA": step.back.dA,
            "dW": {l: step.back.grads.get(f"dW{k}")},
            "db": {l: step.back.grads.get(f"db{k}")},
        }
        right = values[quantity][l]
        assert got is right
        assert reference is not right


@pytest.mark.parametrize("outside", [-0.1, 1.5, np.nan])
def test_where_an_output_is_no_probability_nothing_is_expected_of_its_derivative(outside: float) -> None:
    here = begin("dense", np.float32)
    ledger, step = noted(here)
    L, Y = step.L, step.tensor(here.Y)
    step.passed.A[L][0] = [0, 1] * 3 + [0.5]
    step._output_dA(Y)
    assert np.isfinite(ledger.pairs["dA", L][1]).all()
    assert np.isfinite(ledger.bounds["dA", L]).any()
    step.passed.A[L][0, 0] = outside
    del ledger.pairs["dA", L], ledger.bounds["dA", L]
    step._output_dA(Y)
    got, reference = ledger.pairs["dA", L]
    assert got is step.back.dA[L]
    assert got is not None
    assert (reference.shape, reference.dtype) == (np.shape(got), np.float32)
    assert np.isnan(reference).all()
    assert np.isnan(ledger.bounds["dA", L])


def test_a_node_is_computed_from_what_the_node_before_it_has_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error in the first layer's Z is seen there, and torch goes on from the wrong Z."""
    right = dense.linear_forward
    calls: list[int] = []

    def first_off(A_prev: Any, W: Any, b: Any) -> Any:
        calls.append(1)
        return right(A_prev, W, b) + (0.5 if len(calls) == 1 else 0.0)

    monkeypatch.setattr(dense, "linear_forward", first_off)
    ledger, _ = noted(begin("dense"))
    assert [(line.quantity, line.layer) for line in ledger.results() if line.verdict == FAILS] == [("Z", 1)]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_gradient_is_computed_from_what_the_node_behind_it_has_by_hand(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error in dZ of the output is seen there, and torch goes on from the wrong dZ."""
    monkeypatch.setattr(network, "output_dZ", lambda A, Y: costs.output_dZ(A, Y) + 0.5)
    ledger, step = noted(begin(name))
    assert [(line.quantity, line.layer) for line in ledger.results() if line.verdict == FAILS] == [("dZ", step.L)]


BATCHES = ModelCase("snap", "probe", LAMBDA, 0.1, 3, optimizer="adam", batch_size=3, keep_prob=0.8, every=2)


def test_the_layers_are_compared_every_so_many_steps_and_the_updates_always() -> None:
    here = begin("dense")._replace(masks=None)
    for every, compared in ((1, 5), (2, 3), (3, 2), (4, 2), (5, 1)):
        lines = run_steps(BATCHES._replace(every=every), here, steps=5)
        assert {line.verdict for line in lines} == {HOLDS}
        counts = {line.quantity: line.arrays for line in lines}
        assert (counts["Z"], counts["dW"], counts["W after a step"], counts["v_dW after a step"]) == (
            compared, compared, 5, 5,
        )  # fmt: skip


def test_between_the_steps_compared_the_run_goes_on_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a step is compared makes no difference to its gradients, nor to the parameters of the next."""
    seen: list[list[Any]] = []
    right = snap_updates.Updates.step

    def noting(self: Any, params: Any, grads: Any) -> Any:
        seen[-1].append((params, grads))
        return right(self, params, grads)

    monkeypatch.setattr(snap_updates.Updates, "step", noting)
    for every in (1, 3):
        seen.append([])
        run_steps(BATCHES._replace(every=every), begin("dense")._replace(masks=None), steps=4)
    assert len(seen[0]) == len(seen[1]) == 4
    for (params, grads), (others, of_others) in zip(*seen, strict=True):
        for one, other in ((params, others), (grads, of_others)):
            assert one.keys() == other.keys()
            assert all(np.array_equal(one[key], other[key]) for key in one)
    assert not np.array_equal(seen[0][0][0]["W1"], seen[0][1][0]["W1"])


@pytest.mark.parametrize("run", [lambda here: run_once(CASE, here), lambda here: run_steps(CASE, here, 1)])
def test_a_run_is_judged_in_the_dtype_of_its_start(run: Any) -> None:
    for dtype in (np.float64, np.float32):
        assert {(line.verdict, line.dtype) for line in run(begin("classes", dtype))} == {(HOLDS, np.dtype(dtype).name)}


def test_gradients_alone_are_those_of_the_step() -> None:
    here = begin("dense")
    _, step = noted(here)
    _, alone = passes(CASE, here)
    assert alone.keys() == step.back.grads.keys()
    assert all(np.array_equal(alone[key], step.back.grads[key]) for key in alone)


def test_the_seed_draws_batches_and_masks() -> None:
    here = begin("dense")._replace(masks=None)
    of_seed = [[line.error for line in run_steps(BATCHES, here, 3, seed)] for seed in (0, 1)]
    assert [line.error for line in run_steps(BATCHES, here, 3)] == of_seed[0] != of_seed[1]
    assert [line.error for line in judged_steps(BATCHES, here, 3).results()] == of_seed[0]


def test_torch_computes_on_the_device_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    right_module = torch_side.module_with

    def noting_tensor(value: Any, device: str) -> Any:
        asked.append(device)
        return tensor(value)

    def noting_module(architecture: Any, params: Any, *, device: str) -> Any:
        asked.append(device)
        return right_module(architecture, params)

    monkeypatch.setattr(snap, "tensor", noting_tensor)
    monkeypatch.setattr(torch_side, "module_with", noting_module)
    here, case = begin("classes"), CASE._replace(steps=1)
    for run in (
        lambda *device: run_once(case, here, *device),
        lambda *device: run_steps(case, here, 1, 0, *device),
        lambda *device: judged_steps(case, here, 1, 0, *device),
    ):
        for device, expected in ((("there",), {"there"}), ((), {"cpu"})):
            asked.clear()
            run(*device)
            assert set(asked) == expected


@pytest.mark.parametrize("dtype", [np.float64, np.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_update_has_the_bound_of_its_step(optimizer: str, dtype: Any) -> None:
    here, rng = begin("classes", dtype), np.random.default_rng(1)
    u, tiny = unit_roundoff(np.dtype(dtype)), smallest_normal(np.dtype(dtype))
    ledger = Noting(dtype, longest_sum(here))
    module = torch_side.module_with(here.architecture, here.params)
    updates = snap_updates.Updates(CASE._replace(optimizer=optimizer, learning_rate=0.05), here, module, ledger)
    rule = OPTIMIZERS[optimizer](0.05)
    params, state = here.params, rule.init(here.params)
    for t in (1, 2, 3):
        grads = {f"d{key}": normal(rng, *value.shape).astype(dtype) for key, value in params.items()}
        for gradient in grads.values():
            gradient.flat[0] = tiny / 4
        torch_side.load_params(module, params)
        before = {part: values for part, values in state._asdict().items() if part != "t"}
        moved, state = rule.step(params, grads, state)  # type: ignore[arg-type]
        ledger.bounds.clear()
        found = updates.step(params, grads)
        assert all(np.array_equal(found[key], moved[key]) for key in moved)
        for key, layer in (("W1", 1), ("b2", 2)):
            d = "d" + key
            arrays = {"W": params[key], **{part: values[d] for part, values in before.items()}}
            wide = {name: value.astype(np.float64) for name, value in arrays.items()}
            dW = bounds.divided(grads[d].astype(np.float64), 1, tiny)
            expected = RULES[type(rule)](u, rule, t, dW=dW, **wide)
            for part, bound in expected.items():
                name = f"{key[0]} after a step" if part == "W" else f"{part}_d{key[0]} after a step"
                np.testing.assert_allclose(ledger.bounds[name, layer], bound, rtol=1e-12)
                within = [each.tolist() for each in ledger.of[name, layer]()]
                assert within == [
                    each.tolist() for each in ({**wide, "dW": dW}[symbol] for symbol in ("W", "dW", *before))
                ]
        parts = {name for name, _ in ledger.bounds}
        assert len(parts) == 2 * len(expected)
        params = moved
    assert {line.verdict for line in ledger.results()} == {HOLDS}
    assert {line.arrays for line in ledger.results()} == {3}
    far = updates.largest * np.array([0.5, -0.5, 1, -1, 2])
    assert [each.tolist() for each in updates._within_reach({"W": far})] == [[*far[:2], *[np.inf] * 3]]


@pytest.mark.parametrize("part", ["v", "s"])
def test_an_error_in_a_state_fails_in_its_step_and_torch_goes_on_from_it(
    part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, calls = Adam.step, []

    def once_off(self: Any, params: Any, grads: Any, state: Any) -> Any:
        moved, state = right(self, params, grads, state)
        calls.append(1)
        if len(calls) == 2:
            values = getattr(state, part)
            state = state._replace(**{part: {key: 1.5 * value for key, value in values.items()}})
        return moved, state

    monkeypatch.setattr(Adam, "step", once_off)
    ledger = judged_steps(CASE._replace(optimizer="adam"), begin("classes"), 4)
    failed = {where.quantity: [each.fails for each in judged] for where, judged in ledger.judgements().items()}
    for quantity, fails in failed.items():
        off = quantity in (f"{part}_dW after a step", f"{part}_db after a step")
        assert fails == [False, off, False, False], quantity


def test_the_longest_sum_of_volumes_runs_over_their_positions() -> None:
    assert longest_sum(begin("volumes")) == 7 * 5 * 7
    assert longest_sum(begin("dense")) == 7
    assert longest_sum(begin("dense", m=2)) == 3
