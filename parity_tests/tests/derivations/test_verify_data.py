"""A person's own numbers in every setting that takes them: what follows from what, and the causes."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manual.activations import ACTIVATIONS, softmax
from manual.costs import OUTPUT_COSTS
from parity_tests.derivations.own.data import examine, verify_data
from parity_tests.derivations.settings import SETTINGS, setting_named
from parity_tests.derivations.settings.networks import with_hidden
from parity_tests.derivations.settings.setting import probe_of
from parity_tests.derivations.verdicts import CANNOT_TELL, HOLDS, NOTES_CONVENTION, WRONG
from parity_tests.derivations.verify import verify
from parity_tests.tests.derivations.verdicts import verdicts_on
from parity_tests.tests.slices import sliced

Numbers = dict[str, Any]
WAYS = [(name, place) for name, setting in SETTINGS.items() for place in range(len(setting.own))]


def numbers(name: str, place: int = 0, l2: bool = True) -> Numbers:
    """Right numbers of a person: what a way needs and what it judges, off a probe."""
    setting = setting_named(name)
    way, probe = setting.own[place], probe_of(setting, 4, l2)
    extra = ["lambda_"] if "lambda_" in probe.environment else []
    given: Numbers = {each: np.array(probe.environment[each]) for each in (*way.needed, *extra)}
    return given | {each: np.array(probe.by_numpy[each]) for each in way.judged}


@pytest.mark.parametrize(("name", "place"), sliced(WAYS, 6), ids=[f"{name}/{place}" for name, place in WAYS])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_right_numbers_hold(name: str, place: int, dtype: type) -> None:
    given: Numbers = {each: np.asarray(value, dtype) for each, value in numbers(name, place).items()}
    l2 = "lambda_" in given
    verdicts = verdicts_on(given, name, l2=l2)
    assert {verdict.target for verdict in verdicts} == set(setting_named(name).own[place].judged)
    assert {verdict.verdict for verdict in verdicts} == {HOLDS}


@pytest.mark.parametrize(
    ("setting", "place", "target", "spoil", "cause"),
    sliced(
        [
            ("logistic", 0, "dw", lambda n: n["dw"] * n["X"].shape[1], "missing-1/m"),
            ("logistic", 0, "dZ", lambda n: n["Y"] - n["A"], "sign"),
            ("logistic", 0, "dw", lambda n: n["dw"] - n["lambda_"] / n["X"].shape[1] * n["w"], "l2-missing"),
            ("logistic", 0, "Z", lambda n: n["Z"] - n["b"], "bias-missing"),
            ("layer", 0, "dZ", lambda n: n["dA"], "gprime-missing"),
            ("layer", 0, "db", lambda n: n["db"] * n["A_prev"].shape[1], "missing-1/m"),
            ("layer", 1, "dW", lambda n: n["dW"] * n["A_prev"].shape[1], "missing-1/m"),
            ("layer", 1, "db", lambda n: n["db"][:, 0], "keepdims-missing"),
            ("layer", 1, "dA_prev", lambda n: -n["dA_prev"], "sign"),
        ],
        6,
    ),
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_wrong_numbers_name_the_mistake(
    setting: str, place: int, target: str, spoil: Callable[[Numbers], Any], cause: str, dtype: type
) -> None:
    given = numbers(setting, place)
    given[target] = spoil(given)
    given = {name: np.asarray(value, dtype) for name, value in given.items()}
    verdicts = {verdict.target: verdict for verdict in verdicts_on(given, setting, l2=True)}
    assert (verdicts[target].verdict, verdicts[target].cause) == (WRONG, cause)
    assert {verdict.verdict for name, verdict in verdicts.items() if name != target} == {HOLDS}
    assert verify(verdicts[target].repaired, setting, l2=True).lines[0].verdict == HOLDS


def test_a_layer_without_what_stands_above_it_follows_from_its_dZ() -> None:
    given = numbers("layer", 1) | {"A": np.zeros((2, 2))}  # any activation: A is not judged
    assert [verdict.target for verdict in verdicts_on(given, "layer")] == ["Z", "dW", "db", "dA_prev"]


@pytest.mark.slow
def test_numbers_that_do_not_fit_are_refused() -> None:
    given = numbers("layer", 1)
    with pytest.raises(ValueError, match=r"W has shape \(5, 2\), expected \(n, n_prev\), with n_prev = 13"):
        verdicts_on({**given, "W": np.ones((5, 2))}, "layer")
    with pytest.raises(ValueError, match=r"b has shape \(7,\), expected \(n, 1\), with n = 7"):
        verdicts_on({**given, "b": given["b"][:, 0]}, "layer")
    with pytest.raises(ValueError, match=r"lacks W_next, dZ_next: .*, or from A_prev, W, b, dZ"):
        verdicts_on({name: value for name, value in given.items() if name != "dZ"}, "layer")
    with pytest.raises(ValueError, match=r"--data does not work with setting tanh, expected one of logistic, shallow"):
        verdicts_on(given, "tanh")
    with pytest.raises(ValueError, match=r"lambda_ has shape \(2,\), expected a number"):
        verdicts_on({**given, "lambda_": np.ones(2)}, "layer", l2=True)
    with pytest.raises(ValueError, match="the file holds nothing to judge, expected one or more of Z, dW"):
        verdicts_on({name: given[name] for name in ("A_prev", "W", "b", "dZ")}, "layer")
    with pytest.raises(ValueError, match=r"the file lacks w, b: setting logistic follows from X, Y, w, b"):
        verdicts_on({"X": np.ones((3, 2)), "Y": np.ones((1, 2))}, "logistic")
    numbers_of = numbers("logistic")
    assert {each.verdict for each in verdicts_on({**numbers_of, "b": numbers_of["b"].reshape(1, 1)}, "logistic")} <= {
        HOLDS,
        WRONG,  # J and dw carry a penalty here
    }


@pytest.mark.parametrize(
    ("setting", "change", "message"),
    [
        ("convolution", {"stride": 1.5}, "stride is 1.5, expected a whole number from 1 on"),
        ("convolution", {"stride": 0}, "stride is 0, expected a whole number from 1 on"),
        ("convolution", {"pad": -1}, "pad is -1, expected a whole number from 0 on"),
        ("convolution", {"pad": [2]}, r"dZ has shape .*, expected \(m, n_H, n_W, n_C\), here \(4, 7, 8, 3\)"),
        ("max-pool", {"f": 2.5}, "f is 2.5, expected a whole number from 1 on"),
        ("average-pool", {"stride": 65}, r"dA has shape .*, expected \(m, n_H, n_W, n_C\), here \(4, 1, 1, 5\)"),
    ],
)
def test_sizes_that_are_no_sizes_are_refused(setting: str, change: Numbers, message: str) -> None:
    given = numbers(setting) | {name: np.asarray(value) for name, value in change.items()}
    with pytest.raises(ValueError, match=message):
        examine(given, setting_named(setting))


# --- plainly wrong, in either dtype


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", sliced(["logistic", "shallow", "deep", "softmax"], 4))
def test_what_is_off_beyond_the_bound_is_wrong(name: str, dtype: type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parity_tests.derivations.own.data.recognise", lambda *_: None)  # verdicts alone
    given: Numbers = {each: np.asarray(value, dtype) for each, value in numbers(name).items()}
    right = {verdict.target: verdict for verdict in verdicts_on(given, name, l2=True)}
    for target in [each for each in right if each.startswith("d")][:4]:
        bound, verdicts = right[target].bound, []
        for factor in (8, 32):
            spoiled = np.array(given[target], np.float64)
            spoiled.flat[-1] += factor * bound
            judged = verdicts_on({**given, target: spoiled}, name, l2=True)
            verdicts.append(next(each.verdict for each in judged if each.target == target))
        assert verdicts == [CANNOT_TELL, WRONG]
        assert bound < (1e-12 if dtype == np.float64 else 1e-3) * np.abs(given[target]).max()


def saturated(name: str, output: str, scale: float, dtype: type) -> Numbers:
    """Right numbers of a confident network, computed in one format as the notes print them, J from Z."""
    rng, n = np.random.default_rng(0), {"shallow": 1, "softmax": 3}.get(name, 2)
    drawn: list[Any] = [rng.standard_normal(shape).astype(dtype) for shape in ((4, 6), (3, 4), (n, 3))]
    (X, W1, W2), m = drawn, dtype(6)
    b1: Any = np.zeros((3, 1), dtype)
    b2: Any = np.zeros((n, 1), dtype)
    W1, W2 = scale * W1, scale * W2
    A1 = np.tanh(Z1 := W1 @ X + b1)
    Z2 = W2 @ A1 + b2
    unit, cost = ACTIVATIONS.get(output, ACTIVATIONS["tanh"]), OUTPUT_COSTS[output]
    A2 = softmax(Z2) if output == "softmax" else unit.g(Z2)
    Y = (Z2.argmax(axis=0) == np.arange(3)[:, np.newaxis]).astype(dtype) if n == 3 else (Z2 >= 0).astype(dtype)
    dZ2 = A2 - Y
    dA1 = W2.T @ dZ2
    dZ1 = dA1 * (1 - A1**2)
    given = {"X": X, "Y": Y, "W1": W1, "b1": b1, "W2": W2, "b2": b2, "Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
    given |= {"J": np.asarray(cost.from_Z(Z2, Y), dtype), "dA2": cost.prime(A2, Y), "dZ2": dZ2, "dA1": dA1, "dZ1": dZ1}
    for l, dZ, A in ((1, dZ1, X), (2, dZ2, A1)):
        given |= {f"dW{l}": dZ @ A.T / m, f"db{l}": dZ.sum(axis=1, keepdims=True) / m}
    assert {given[each].dtype for each in given} == {np.dtype(dtype)}
    return given


@pytest.mark.parametrize(
    ("name", "output"), [("shallow", "sigmoid"), ("multilabel", "sigmoid"), ("softmax", "softmax")]
)
@pytest.mark.parametrize("scale", sliced([60, 0, 10, 1000], 16))
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_right_numbers_of_a_confident_network_are_not_wrong(
    name: str, output: str, scale: float, dtype: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("parity_tests.derivations.own.data.recognise", lambda *_: None)  # verdicts alone
    given = saturated(name, output, scale, dtype)
    rows = {row.target: row.verdict for row in examine(given, setting_named(name)).rows}
    assert len(rows) == 13
    assert set(rows.values()) <= {HOLDS, CANNOT_TELL}
    assert {rows[each] for each in ("Z1", "A1", "Z2", "A2")} == {HOLDS}
    wrong = {**given, "A1": 2 * given["A1"], "dZ2": given["dZ2"] + given["Y"], "J": given["J"] + dtype(1)}
    rows = {row.target: row.verdict for row in examine(wrong, setting_named(name)).rows}
    assert rows["dZ2"] == WRONG
    assert rows["A1"] == (WRONG if scale else HOLDS)  # 2 * 0
    assert rows["J"] in (WRONG, CANNOT_TELL)


# --- hidden units, rows, conventions


def dump(name: str, hidden: tuple[str, ...], seed: int = 5) -> Numbers:
    """Right numbers of a network with other hidden units."""
    setting = with_hidden(setting_named(name), hidden)
    (way,) = setting.own
    drawn = setting_named(name).draw(seed).given()
    probe = way.problem({each: drawn[each] for each in (*way.needed, "lambda_", "alpha")})
    found = probe.by_numpy(False)
    return {each: np.array(drawn[each]) for each in way.needed} | {each: np.array(found[each]) for each in way.judged}


@pytest.mark.parametrize(
    ("name", "hidden"),
    sliced(
        [
            ("shallow", ("sigmoid",)),
            ("softmax", ("relu",)),
            ("regression", ("leaky_relu",)),
            ("deep", ("sigmoid", "tanh")),
        ],
        4,
    ),
)
def test_hidden_units_are_recognised(name: str, hidden: tuple[str, ...], tmp_path: Path) -> None:
    given = dump(name, hidden)
    np.savez(tmp_path / "run.npz", **given)
    judged = verify_data(tmp_path / "run.npz", name)
    assert {line.verdict for line in judged.lines} == {HOLDS}
    assert f"hidden units {', '.join(hidden)}, recognised from your Z and A" in judged.layout
    assert judged.layout.startswith("one hidden" if len(hidden) == 1 else "3 layers: sigmoid, tanh, several sigmoid")
    wrong = next(
        line for line in examine({**given, "dZ1": 2 * given["dZ1"]}, setting_named(name)).rows if line.target == "dZ1"
    )
    assert wrong.verdict == WRONG


@pytest.mark.slow
def test_hidden_units_are_recognised_from_derivatives_alone(tmp_path: Path) -> None:
    given = {name: value for name, value in dump("shallow", ("relu",)).items() if name[0] not in "AZJ"}
    np.savez(tmp_path / "run.npz", **given)
    judged = verify_data(tmp_path / "run.npz", "shallow")
    assert {line.verdict for line in judged.lines} == {HOLDS}
    assert "hidden units relu, recognised from your derivatives" in judged.layout
    rows = {line.target: line for line in examine({**given, "db1": 3 * given["db1"]}, setting_named("shallow")).rows}
    assert {name for name, row in rows.items() if row.verdict != HOLDS} == {"db1"}
    needed = {name: value for name, value in given.items() if name[0] != "d"}
    nothing_holds = examine({**needed, "dW1": 3 + given["dW1"]}, setting_named("shallow"))
    assert nothing_holds.setting is setting_named("shallow")  # the setting's own units, where no others do better


def in_rows(given: Numbers, *, weights: bool) -> Numbers:
    """The numbers of somebody whose examples are rows."""
    found = {}
    for name, value in given.items():
        if name.removeprefix("d").startswith("b"):
            found[name] = np.ravel(value)
        elif name.removeprefix("d").startswith("W"):
            found[name] = value.T if weights else value
        else:
            found[name] = np.transpose(value)
    return found


@pytest.mark.parametrize("weights", sliced([True, False], 2))
@pytest.mark.parametrize("name", ["shallow", "softmax", "deep"])
def test_examples_in_rows_are_recognised(name: str, weights: bool, tmp_path: Path) -> None:
    given = in_rows(dump(name, ("tanh",) if name != "deep" else ("tanh", "relu")), weights=weights)
    np.savez(tmp_path / "run.npz", **given)
    judged = verify_data(tmp_path / "run.npz", name)
    assert {line.verdict for line in judged.lines} == {HOLDS}
    assert "your examples are rows: read transposed" in judged.layout
    assert ("your weights are (units below, units)" in judged.layout) == weights


def test_where_sizes_do_not_tell_rows_from_columns_values_do() -> None:
    rng, setting = np.random.default_rng(0), setting_named("softmax")
    (way,) = setting.own
    needed = {"X": (3, 3), "Y": (3, 3), "W1": (3, 3), "b1": (3, 1), "W2": (3, 3), "b2": (3, 1)}
    drawn: Numbers = {name: rng.normal(size=shape) for name, shape in needed.items()} | {"Y": np.eye(3)}
    found = way.problem({**drawn, "lambda_": 0.0, "alpha": 0.1}).by_numpy(False)
    given = drawn | {name: np.array(found[name]) for name in way.judged}
    for weights in (True, False):
        examined = examine(in_rows(given, weights=weights) | {"b1": drawn["b1"], "b2": drawn["b2"]}, setting)
        assert examined.layout.rows
        assert examined.layout.weights_turned == weights
    assert not examine(given, setting).layout.text


@pytest.mark.parametrize(
    ("deltas", "gradients", "words"),
    sliced(
        [
            (lambda m: 1 / m, lambda m: 1, "every dA and dZ is 1/m = 1/"),
            (
                lambda m: -1,
                lambda m: -1,
                "every gradient of a parameter is -1 times the notes' and every dA and dZ is -1 times",
            ),
            (lambda m: 1, lambda m: m, "every gradient of a parameter is m = "),
            (lambda m: 2, lambda m: 2, "every gradient of a parameter is 2 times the notes'"),
        ],
        8,
    ),
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_consistent_conventions_are_named(deltas: Any, gradients: Any, words: str, dtype: type) -> None:
    given = dump("softmax", ("tanh",))
    m = given["X"].shape[1]
    for name in [name for name in given if name.startswith("d")]:
        given[name] = given[name] * (gradients(m) if name[1] in "Wb" else deltas(m))
    given = {name: np.asarray(value, dtype) for name, value in given.items()}
    examined = examine(given, setting_named("softmax"))
    assert {row.verdict for row in examined.rows} == {HOLDS}
    assert words in examined.convention
    given["dW1"] = given["dW1"] * 3
    off = examine(given, setting_named("softmax"))
    assert off.convention == NOTES_CONVENTION
    assert {row.target: row.verdict for row in off.rows}["dW1"] == WRONG


# --- what no number follows from


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"W1": np.nan}, r"W1 is nan at \[0, 0\], expected finite numbers"),
        ({"X": np.inf}, r"X is inf at \[0, 0\], expected finite numbers"),
        ({"lambda_": np.nan}, "lambda_ is nan, expected finite numbers"),
    ],
)
def test_what_is_not_finite_is_refused(change: Numbers, message: str) -> None:
    given = numbers("shallow")
    for name, value in change.items():
        given[name] = np.array(given[name], np.float64)
        given[name].flat[0] = value
    with pytest.raises(ValueError, match=message):
        verdicts_on(given, "shallow", l2=True)


@pytest.mark.slow
def test_a_judged_array_with_nan_is_wrong() -> None:
    given = dump("shallow", ("tanh",))
    given["dW1"][0, 1] = np.nan
    assert {row.target: row.verdict for row in examine(given, setting_named("shallow")).rows}["dW1"] == WRONG


def test_half_precision_is_refused() -> None:
    given = dump("shallow", ("tanh",))
    with pytest.raises(ValueError, match="dW1 is float16, expected float64 or float32"):
        verdicts_on({**given, "dW1": given["dW1"].astype(np.float16)}, "shallow")


def test_a_header_that_claims_more_than_there_is(tmp_path: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000), }"
    header += b" " * (118 - len(header) - 1) + b"\n"
    with zipfile.ZipFile(tmp_path / "run.npz", "w") as archive:
        archive.writestr("X.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(80))
    with pytest.raises(ValueError, match=r"run.npz .*: X claims shape \(1000000, 1000000\), .*, and has 80"):
        verify_data(tmp_path / "run.npz", "shallow")


def test_one_layer_of_other_units_than_tanh_follows_from_its_dZ() -> None:
    given = numbers("layer", 1) | {name: np.array(numbers("layer", 0)[name]) for name in ("W_next", "dZ_next")}
    given["A"] = np.maximum(given["Z"], 0)
    rows = {row.target: row for row in examine(given, setting_named("layer")).rows}
    assert rows["A"].message == "A is not judged: the unit of setting layer is tanh, and A is relu of Z."
    with pytest.raises(ValueError, match="the unit of setting layer is tanh, and A is relu of Z, expected dZ too"):
        examine({name: value for name, value in given.items() if name != "dZ"}, setting_named("layer"))
