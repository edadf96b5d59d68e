"""Random networks: right code raises no alarm on them, and a mistake at any node is found there and nowhere else."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from manual import activations, dense
from manual.architecture import Architecture, Conv, Dense, Dropout, Pool
from manual.layers import HIDDEN_UNITS, LAYERS, OUTPUT_UNITS, Layer, Unit
from manual.network import forward
from manual.optimizers import NOTES
from parity_tests.commands import seeds
from parity_tests.comparison.models import ModelCase, Start
from parity_tests.comparison.random_networks import draw, drawn, run_random
from parity_tests.comparison.snap import run_once, run_steps
from parity_tests.comparison.snap_updates import Updates
from parity_tests.judging.bounds import divided, smallest_normal, unit_roundoff
from parity_tests.judging.judge import CANNOT_TELL, FAILS, HOLDS, Ledger, Result
from parity_tests.tests.comparison.planted_random import CHANGES, PlantedResult, nodes, run_planted
from torch_ref.network import load_params, module_with
from torch_ref.reading import read

DTYPES = [np.float64, np.float32]
ALL, SLICE = 2000, 50


def alarms(seed: int, dtype: Any) -> list[Result]:
    """What fails of the network of a seed."""
    return [result for result in run_random(seed, dtype) if result.verdict == FAILS]


@pytest.mark.parametrize("dtype", DTYPES)
def test_right_code_raises_no_alarm(dtype: Any) -> None:
    assert [result for seed in range(SLICE) for result in alarms(seed, dtype)] == []


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_mistake_is_found_where_it_was_planted(dtype: Any) -> None:
    assert sum(found(run_planted(seed, dtype)) == FAILS for seed in range(SLICE)) > SLICE / 2


def found(outcome: PlantedResult) -> str:
    """The verdict of a mistake that can be seen, "" of another; either way nothing else fails."""
    assert outcome.others == (), outcome
    if not outcome.seen:
        return ""
    assert outcome.verdict in (FAILS, CANNOT_TELL), outcome
    return outcome.verdict


@pytest.mark.bars
@pytest.mark.parametrize("dtype", DTYPES)
def test_two_thousand_mistakes(dtype: Any) -> None:
    verdicts = Counter(found(run_planted(seed, dtype)) for seed in range(ALL))
    assert verdicts[FAILS] > 0.7 * ALL
    assert verdicts[CANNOT_TELL] < 0.05 * ALL


def test_everything_is_drawn() -> None:
    drawn_ones = [draw(seed) for seed in range(600)]
    layers = [(layer, shape) for _, begin in drawn_ones
              for layer, shape in zip(begin.architecture.layers, begin.architecture.shapes, strict=False)]  # fmt: skip
    hidden = {layer.activation for _, begin in drawn_ones for layer in begin.architecture.layers[:-1]
              if isinstance(layer, Dense | Conv)}  # fmt: skip
    convolutions = [(layer, shape) for layer, shape in layers if isinstance(layer, Conv)]
    assert hidden == set(HIDDEN_UNITS)
    assert {begin.architecture.output_unit for _, begin in drawn_ones} == set(OUTPUT_UNITS)
    assert {case.optimizer for case, _ in drawn_ones} == set(NOTES)
    assert {type(layer) for layer, _ in layers} == set(LAYERS)
    assert {layer.mode for layer, _ in layers if isinstance(layer, Pool)} == {"max", "average"}
    assert {(layer.filters, shape[2]) for layer, shape in convolutions} == {
        (filters, channels) for filters in range(1, 5) for channels in range(1, 5)
    }
    assert {(1, 2), (1, 3), (2, 2), (3, 1)} <= {(layer.sides[0], layer.stride) for layer, _ in convolutions}
    assert {type(layer.pad) for layer, _ in convolutions} == {int, tuple, str}
    assert {begin.Y.shape[1] for _, begin in drawn_ones} >= {1, 2, 3, 400}
    assert any(begin.masks is not None for _, begin in drawn_ones)
    weights = [np.abs(begin.params["W1"]).max() for _, begin in drawn_ones]
    assert min(weights) < 1e-7
    assert max(weights) > 1e7
    assert {case.lambda_ for case, _ in drawn_ones} == {0.0, 0.7, 1e-9, 1e9}


def test_a_seed_is_one_network_in_either_dtype() -> None:
    for seed in range(20):
        case, begin = draw(seed)
        again, of_float32 = drawn(seed, np.float32)
        assert (case, begin.architecture) == (again, of_float32.architecture)
        assert of_float32.X.dtype == of_float32.Y.dtype == np.float32
        np.testing.assert_array_equal(begin.X.astype(np.float32), of_float32.X)
    assert len({draw(seed)[1].architecture for seed in range(20)}) == 20


def test_a_module_of_any_of_them_is_read_back() -> None:
    for seed in range(100):
        _, begin = draw(seed)
        inputs = begin.architecture.shape_of_input
        shape = inputs if len(inputs) == 1 else (inputs[2], *inputs[:2])
        reading = read(module_with(begin.architecture, begin.params), shape)
        if not any(isinstance(layer, Unit) for layer in begin.architecture.layers):  # which may be that of a layer
            assert [as_torch_has_it(layer) for layer in reading.architecture.layers] == [
                as_torch_has_it(layer) for layer in begin.architecture.layers
            ]
        with np.errstate(all="ignore"):
            mine, back = (forward(net, begin.params, begin.X) for net in (begin.architecture, reading.architecture))
        np.testing.assert_array_equal(mine.A[-1], back.A[-1])
        assert reading.params.keys() == begin.params.keys()
        for name, value in begin.params.items():
            np.testing.assert_array_equal(reading.params[name], value)


def as_torch_has_it(layer: Layer) -> Layer:
    """The padding in cells; 1 - p for keep_prob."""
    if isinstance(layer, Dropout):
        return Dropout(1 - (1 - layer.keep_prob))
    return replace(layer, size=layer.sides, pad=layer.padding) if isinstance(layer, Conv) else layer


def test_mistakes_are_planted_at_every_kind_of_node() -> None:
    outcomes = [run_planted(seed, np.float64) for seed in range(SLICE, 3 * SLICE)]
    quantities = {node.quantity for seed in range(5) for node in nodes(draw(seed)[1].architecture)}
    assert {outcome.node.quantity for outcome in outcomes} == quantities
    assert {outcome.change for outcome in outcomes} == CHANGES.keys()
    assert all(found(outcome) is not None for outcome in outcomes)


ONE = ModelCase("one", "probe", 0.0, 0.1, 1)


def network(unit: str, W1: Any, W2: Any, output: str = "identity", dtype: Any = np.float32) -> Start:
    """Two layers and three examples."""
    W1, W2 = np.array(W1, dtype), np.array(W2, dtype)
    params = {"W1": W1, "b1": np.zeros((len(W1), 1), dtype), "W2": W2, "b2": np.zeros((len(W2), 1), dtype)}
    architecture = Architecture(W1.shape[1], (Dense(len(W1), unit), Dense(len(W2), output)))
    X = np.array([[1, 2, 3]] * W1.shape[1], dtype)
    return Start(architecture, params, X, np.ones((len(W2), 3), dtype))


def verdicts(begin: Start, case: ModelCase = ONE) -> dict[tuple[str, int | None], str]:
    """By quantity and layer."""
    with np.errstate(all="ignore"):
        return {(line.quantity, line.layer): line.verdict for line in run_once(case, begin)}


def test_infinity_times_the_flat_side_of_a_relu_cannot_be_told() -> None:
    told = verdicts(network("relu", [[-1.0], [1.0]], [[3e38, 3e38]]))
    assert told["dZ", 1] == told["dW", 1] == CANNOT_TELL
    assert FAILS not in told.values()


def test_a_sigmoid_below_the_smallest_normal_number_raises_no_alarm() -> None:
    told = verdicts(network("sigmoid", [[-88.9], [1.0]], [[1e30, 1.0]]))
    assert told["dZ", 1] != FAILS
    assert FAILS not in told.values()


def test_a_part_of_a_derivative_below_the_smallest_normal_number_raises_no_alarm() -> None:
    begin = network("identity", [[0.0], [1.0]], [[1e20, 1.0]])
    X = np.full((1, 20), 1e-38, np.float32)
    begin = begin._replace(X=X, Y=X + 9 * np.finfo(np.float32).smallest_subnormal)  # of which a twentieth is 0
    told = verdicts(begin)
    assert told["dA", 1] == told["dW", 1] == CANNOT_TELL
    assert FAILS not in told.values()


@pytest.mark.parametrize(
    ("optimizer", "verdict"),
    [("gradient_descent", HOLDS), ("momentum", HOLDS), ("rmsprop", CANNOT_TELL), ("adam", CANNOT_TELL)],
)
def test_an_update_whose_square_overflows_cannot_be_told(optimizer: str, verdict: str) -> None:
    begin = network("identity", [[1e10]], [[1.0]])  # its dW2 is 5e20
    with np.errstate(all="ignore"):
        told = {line.quantity: line.verdict for line in run_steps(ONE._replace(optimizer=optimizer), begin, 1)}
    assert told["W after a step"] == verdict
    assert FAILS not in told.values()


def test_an_update_of_subnormal_gradients_raises_no_alarm() -> None:
    params = {"W1": np.zeros((1, 1), np.float32), "b1": np.zeros((1, 1), np.float32)}
    begin = Start(Architecture(1, (Dense(1, "identity"),)), params, params["W1"], params["W1"])
    module = module_with(begin.architecture, params)
    ledger = Ledger(np.float32, 1)
    updates = Updates(ONE._replace(optimizer="adam", learning_rate=1.0), begin, module, ledger)
    for units in (1, 16, 1):  # v is off by one unit; divided by epsilon that is more than underflow adds to W
        load_params(module, params)
        dW = np.full((1, 1), units * np.finfo(np.float32).smallest_subnormal)
        params = updates.step(params, {"dW1": dW, "db1": dW})
    assert FAILS not in {line.verdict for line in ledger.results()}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("m", [1, 3, 1000])
def test_what_a_division_by_m_takes_from_a_number(dtype: Any, m: int) -> None:
    rng = np.random.default_rng(0)
    x = (2.0 ** rng.uniform(-30, 5, 500) * float(np.finfo(dtype).tiny)).astype(dtype)
    x[:2] = 0, np.finfo(dtype).smallest_subnormal
    u, tiny = unit_roundoff(dtype), smallest_normal(dtype)
    part = (x / dtype(m)).astype(np.longdouble)
    error, allowed = abs(m * part - x), u * divided(x.astype(np.longdouble), m, tiny)
    assert np.all(error <= allowed)
    assert allowed[0] == 0
    assert m == 1 or np.max(error[allowed > 0] / allowed[allowed > 0]) > 0.5


@pytest.mark.parametrize("dtype", DTYPES)
def test_outputs_that_are_no_probabilities_fail_and_nothing_is_raised(
    monkeypatch: pytest.MonkeyPatch, dtype: Any
) -> None:
    g, g_prime = activations.ACTIVATIONS["sigmoid"]
    monkeypatch.setitem(activations.ACTIVATIONS, "sigmoid", activations.Activation(lambda Z: 1.5 + g(Z), g_prime))
    told = verdicts(network("tanh", [[0.1]], [[0.2]], output="sigmoid", dtype=dtype))
    assert told["A", 2] == FAILS
    assert told["dA", 2] == CANNOT_TELL


@pytest.mark.parametrize(
    ("dtype", "depth", "verdict"), [(np.float32, 4, FAILS), (np.float32, 5, CANNOT_TELL), (np.float64, 41, FAILS)]
)
def test_small_weights_in_many_layers_hide_no_mistake(
    monkeypatch: pytest.MonkeyPatch, dtype: Any, depth: int, verdict: str
) -> None:
    rng = np.random.default_rng(0)
    architecture = Architecture(20, (*(Dense(20, "tanh") for _ in range(depth)), Dense(3, "softmax")))
    params = {
        name: ((1e-8 if name[0] == "W" else 0) * rng.standard_normal(shape)).astype(dtype)
        for name, shape in architecture.parameter_shapes.items()
    }
    X, Y = rng.standard_normal((20, 40)).astype(dtype), np.eye(3)[:, rng.integers(0, 3, 40)].astype(dtype)
    begin = Start(architecture, params, X, Y)
    assert FAILS not in verdicts(begin).values()
    right = dense.weight_gradient
    monkeypatch.setattr(dense, "weight_gradient", lambda *of: -3 * right(*of))
    assert {told for (quantity, _), told in verdicts(begin).items() if quantity == "dW"} == {verdict}


@pytest.mark.parametrize("m", [1000, 100_000])
@pytest.mark.parametrize("factor", [1.0011, 1.01])
def test_one_percent_does_not_hold_in_float32_however_long_the_sum(
    monkeypatch: pytest.MonkeyPatch, m: int, factor: float
) -> None:
    rng = np.random.default_rng(0)
    architecture = Architecture(5, (Dense(4, "tanh"), Dense(1, "sigmoid")))
    params = {n: rng.standard_normal(shape).astype(np.float32) for n, shape in architecture.parameter_shapes.items()}
    X, Y = rng.standard_normal((5, m)).astype(np.float32), (rng.random((1, m)) < 0.5).astype(np.float32)
    begin = Start(architecture, params, X, Y)
    assert set(verdicts(begin).values()) == {HOLDS}
    of_W, of_b = dense.weight_gradient, dense.bias_gradient
    monkeypatch.setattr(dense, "weight_gradient", lambda *of: np.float32(factor) * of_W(*of))
    monkeypatch.setattr(dense, "bias_gradient", lambda *of: np.float32(factor) * of_b(*of))
    told = verdicts(begin)
    assert HOLDS not in {told[quantity, l] for quantity in ("dW", "db") for l in (1, 2)}


def test_a_network_that_raises_an_exception_is_an_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(seed: int, dtype: Any) -> list[Result]:
        raise RuntimeError(f"no network {seed}")

    monkeypatch.setattr(seeds, "run_random", raises)
    tally = seeds.run_piece(seeds.Piece("network", seeds.RANDOM, "float32", range(7, 9)))
    assert [(result.case, result.reason) for result in tally.failed] == [
        ("random/7", "RuntimeError: no network 7"), ("random/8", "RuntimeError: no network 8"),
    ]  # fmt: skip


def test_the_command_runs_twice_as_many_networks_as_seeds() -> None:
    pieces = list(seeds.pieces("random networks", 10, 30))
    assert {piece.kind for piece in pieces} == {"network"}
    for dtype in ("float64", "float32"):
        assert [seed for piece in pieces if piece.dtype == dtype for seed in piece.seeds] == list(range(20, 80))
