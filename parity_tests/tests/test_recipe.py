"""The recipe: N3's numbers, both packages alike, every sabotage flagged where an expert would see it, bad usage."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets import load
from manual import activations, costs, dense, initialization, network
from manual.__main__ import main as by_hand
from manual.architecture import Architecture, Dense, Dropout, model
from manual.checks import Parts, parts
from manual.cli import console
from manual.commands.recipe import backend as manual_backend
from manual.learning import Examples, Settings, held_back
from manual.recipe import Plan, steps
from manual.recipe_cli import show_step
from manual.recipe_runs import Backend, cost, slopes, train
from manual.recipe_search import Searched, Trial, chance_of, finer
from manual.recipe_steps import Step, overfitting, small_parameters, turned_up
from manual.search_ranges import COARSE, FINE, Range, range_of
from manual.train_flags import Subject
from torch_ref.__main__ import main as by_torch
from torch_ref.commands.recipe import backend as torch_backend

BACKENDS = [pytest.param(manual_backend(), id="manual"), pytest.param(torch_backend(), id="torch_ref")]
PACKAGES = [pytest.param(by_hand, id="manual"), pytest.param(by_torch, id="torch_ref")]
SHORT = Plan(draws=6, epochs=2, train_epochs=3)


def digits(hidden: tuple[int, ...] = (32, 32)) -> Subject:
    """The default data under a smaller network."""
    data = load("digits", dtype="float32")
    net = model("wide", 64, 10, hidden)
    return Subject(data.name, data.task, data.target_names, parts(net, data), net)


@contextmanager
def silent(title: str, total: int) -> Iterator[Callable[[], None]]:
    """No progress shown."""
    yield lambda: None


def taken(subject: Subject, plan: Plan = SHORT, until: str = "9") -> dict[str, Step]:
    """The steps by number, up to one of them."""
    found = {}
    for step in steps(manual_backend(), subject, plan, silent):
        found[step.number] = step
        if step.number == until:
            break
    return found


def failing(found: dict[str, Step]) -> list[str]:
    """The numbers of the steps that fail."""
    return [number for number, step in found.items() if step.verdict == "fails"]


# N3's own numbers


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_first_losses_of_the_notes(backend: Backend) -> None:
    """2.3026 without regularisation, and 3.0685974 with reg 1e3, on 3072-50-10 and 0.0001 times a normal draw."""
    net = Architecture(3072, (Dense(50, "relu"), Dense(10, "softmax")))
    rng = np.random.default_rng(0)
    data = Examples(rng.standard_normal((3072, 60)), np.eye(10)[:, np.arange(60) % 10])
    params = small_parameters(net, 0)
    assert cost(backend, net, params, data, 0.0) == pytest.approx(math.log(10), abs=1e-4)
    # sum W^2 of n draws is 1e-8 (n, give or take sqrt(2 n)); the notes' own draw lies within four of these deviations
    n = 50 * 3072 + 50 * 10
    raised, deviation = 0.5 * 1e3 * 1e-8 * n, 0.5 * 1e3 * 1e-8 * math.sqrt(2 * n)
    found = cost(backend, net, params, data, 1e3)
    assert found == pytest.approx(math.log(10) + raised, abs=4 * deviation)
    assert pytest.approx(math.log(10) + raised, abs=4 * deviation) == 3.0685974
    assert f"{math.log(10) + raised:.2f}" == "3.07"


@pytest.mark.parametrize("backend", BACKENDS)
def test_reg_is_lambda_over_the_m_of_each_batch(backend: Backend) -> None:
    """With no data term a step of gradient descent shrinks W by 1 - alpha reg on full and short batches alike."""
    net = Architecture(3, (Dense(2, "identity"),))
    data = Examples(np.zeros((3, 7)), np.zeros((2, 7)))
    params = {"W1": np.arange(6.0).reshape(2, 3), "b1": np.zeros((2, 1))}
    settings = Settings(optimizer="gradient_descent", learning_rate=0.1, epochs=1, batch_size=4, shuffle=False)
    done = train(backend, net, data, settings, 0.5, params=params)
    np.testing.assert_allclose(done.params["W1"], params["W1"] * 0.95**2, rtol=1e-14)


def test_the_ranges_of_the_notes() -> None:
    assert Plan().coarse == COARSE == (Range(-5, 5), Range(-6, -3))
    assert (Range(-4, 0), Range(-4, -3)) == FINE
    assert (Plan().draws, Plan().epochs, Plan().batch(5000), Plan().batch(300)) == (100, 5, 100, 30)
    found, said = range_of("lr-range", (-3, -6))
    assert found == Range(-6, -3)
    assert said == "lr-range -3 to -6 is upside down: read as 10^uniform(-6, -3)"
    assert range_of("lr-range", (-6, -3)) == (Range(-6, -3), "")
    drawn = np.log10(found.distribution().rvs(3000, random_state=np.random.default_rng(0)))
    assert np.histogram(drawn, [-6, -5, -4, -3])[0] / 3000 == pytest.approx(1 / 3, abs=4 * math.sqrt(2 / 9 / 3000))


# right networks


@pytest.mark.parametrize(
    ("dataset", "name", "hidden"),
    [
        ("digits", "wide", (32,)),
        ("moons", "deep", (8, 8)),
        ("diabetes", "regression", (8,)),
        ("digits", "convnet", (8,)),
    ],
)
@pytest.mark.parametrize("backend", BACKENDS)
def test_slopes_of_right_gradients(backend: Backend, dataset: str, name: str, hidden: tuple[int, ...]) -> None:
    from manual.architecture import model_for
    from manual.draws import initial_parameters

    data = load(dataset)
    net = model_for(name, data, hidden)
    X, Y = parts(net, data)[:2]
    some = Examples(X[:, :40] if X.ndim == 2 else X[:40], Y[:, :40])
    params = initial_parameters(net, "he", np.random.default_rng(1))
    for reg in (0.0, 10.0):
        found = slopes(backend, net, params, some, reg)
        assert found.keys() == params.keys()
        assert all(abs(ratio - 1) < 1e-4 for ratio in found.values()), found


def test_nothing_fails_on_right_code() -> None:
    found = taken(digits(), replace(SHORT, draws=12, epochs=4, train_epochs=20, coarse=(Range(-5, 0), Range(-4, -2))))
    assert list(found) == ["1", "2", "3", "4", "5", "6", "7", "8A", "8B", "9"]
    assert {step.verdict for step in found.values()} == {"good"}
    assert found["4"].numbers["small"] == pytest.approx(math.log(10), abs=1e-4)
    assert found["5"].numbers["costs"]["its own weights"][1] > 1e4
    assert found["6"].numbers["score"] == 1
    assert found["6"].numbers["cost"] < 0.001
    verdicts = [row["verdict"] for row in found["7"].numbers["rates"]]
    assert (verdicts[0], verdicts[-1]) == ("too small", "explodes")
    assert "learns" in verdicts
    assert found["9"].numbers["test_score"] > 0.9


def test_both_packages_see_the_same() -> None:
    plan = replace(SHORT, draws=3)
    both = [list(steps(backend, digits((16,)), plan, silent)) for backend in (manual_backend(), torch_backend())]
    for one, other in zip(*both, strict=True):
        assert (one.number, one.verdict, one.causes) == (other.number, other.verdict, other.causes)
    for number in (3, 4):  # first loss, regularisation: float64
        one, other = (found[number].numbers for found in both)
        assert json.dumps(one, sort_keys=True) != ""
        for name in one.keys() - {"slopes", "costs", "rises"}:
            assert other[name] == pytest.approx(one[name], rel=1e-12)
    one, other = (found[6].numbers["rates"] for found in both)
    # the scan's last cost is an explosion's, which roundings reach too
    assert [row["cost"] for row in one[:-1]] == pytest.approx([row["cost"] for row in other[:-1]], rel=1e-3)


def test_dropout_is_left_out_of_the_small_piece() -> None:
    subject = digits()
    net = Architecture(64, (Dense(32, "relu"), Dropout(0.3), Dense(10, "softmax")))
    settings = Settings(learning_rate=0.003, epochs=300, batch_size=20)
    assert overfitting(manual_backend(), net, Examples(*subject.parts[:2]), settings).verdict == "good"


# sabotage: each is flagged at the step at which an expert would see it, and no earlier


def test_zero_initialisation_is_flagged_at_initialisation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(initialization, "he", lambda n_prev: 0.0)
    found = taken(digits(), until="7")
    assert failing(found)[0] == "3"
    assert "W1, W2, W3 are alike" in found["3"].causes[0]
    assert "6" in failing(found)
    assert "no rate moves the cost" in found["7"].causes[0]


def test_a_constant_start_is_flagged_at_initialisation() -> None:
    assert failing(taken(digits(), replace(SHORT, initialization="constant"), until="3")) == ["3"]


@pytest.mark.parametrize("unit", ["relu", "tanh", "sigmoid", "leaky_relu"])
def test_a_missing_g_prime_is_flagged_at_the_first_loss(monkeypatch: pytest.MonkeyPatch, unit: str) -> None:
    ones = activations.ACTIVATIONS[unit]._replace(g_prime=np.ones_like)
    monkeypatch.setitem(activations.ACTIVATIONS, unit, ones)
    net = Architecture(64, (Dense(32, unit), Dense(10, "softmax")))
    found = taken(digits()._replace(architecture=net), until="4")
    assert failing(found) == ["4"]
    assert "a missing g'(Z)" in found["4"].causes[0]
    assert "W1" in found["4"].causes[0]
    assert "W2" not in found["4"].causes[0]


def test_the_readme_shows_a_missing_g_prime(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    relu = activations.ACTIVATIONS["relu"]._replace(g_prime=np.ones_like)
    monkeypatch.setitem(activations.ACTIVATIONS, "relu", relu)
    found = taken(digits((64, 64)), until="4")
    assert failing(found) == ["4"]
    show_step(console(), found["4"])
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    assert " ".join(capsys.readouterr().out.split()) in " ".join(readme.split())


SIGNS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "cost": lambda patch: patch.setattr(network, "l2_penalty", lambda W, lambda_, m: -costs.l2_penalty(W, lambda_, m)),
    "gradient": lambda patch: patch.setattr(
        dense, "weight_gradient", lambda dZ, A, W, lambda_=0.0, right=dense.weight_gradient: right(dZ, A, W, -lambda_)
    ),
}


@pytest.mark.parametrize("sides", [("cost",), ("gradient",), ("cost", "gradient")], ids="+".join)
def test_lambda_with_the_wrong_sign_is_flagged_as_regularisation_is_turned_up(
    monkeypatch: pytest.MonkeyPatch, sides: tuple[str, ...]
) -> None:
    for side in sides:
        SIGNS[side](monkeypatch)
    found = taken(digits(), until="5")
    assert failing(found) == ["5"]
    causes = " ".join(found["5"].causes)
    assert ("lambda has the wrong sign" in causes) == ("cost" in sides)
    assert ("the term lambda/m W has the wrong sign" in causes) == (len(sides) == 1)


@pytest.mark.parametrize("factor", [2.0, 0.5, 1 / 7])
def test_a_penalty_of_another_size_is_flagged(monkeypatch: pytest.MonkeyPatch, factor: float) -> None:
    monkeypatch.setattr(network, "l2_penalty", lambda W, lambda_, m: costs.l2_penalty(W, factor * lambda_, m))
    found = taken(digits(), until="5")
    assert failing(found) == ["5"]
    assert "does not rise by 1/2 reg sum W^2" in found["5"].causes[0]


def test_shuffled_labels_are_flagged_at_the_search() -> None:
    subject = digits()
    order = np.random.default_rng(0).permutation(subject.parts.Y_train.shape[1])
    mixed = subject._replace(parts=subject.parts._replace(Y_train=subject.parts.Y_train[:, order]))
    # with learning rates at which right labels are learnt, so that only the labels are to blame
    plan = replace(SHORT, draws=12, coarse=(Range(-5, 0), Range(-4, -2)))
    found = taken(mixed, plan)
    assert failing(found) == ["8A", "8B", "9"]
    assert "labels that do not belong to their inputs" in found["8A"].causes[0]
    assert failing(taken(subject, plan, until="8A")) == []


def test_shuffled_labels_are_flagged_in_the_ranges_of_the_notes() -> None:
    """Rates below the scan's best may be to blame for the coarse draws, but not for the fine ones, which reach it."""
    subject = digits()
    order = np.random.default_rng(0).permutation(subject.parts.Y_train.shape[1])
    mixed = subject._replace(parts=subject.parts._replace(Y_train=subject.parts.Y_train[:, order]))
    found = taken(mixed)
    assert found["8A"].verdict == "doubtful"
    assert "the range ends below" in found["8A"].causes[0]
    assert failing(found) == ["8B", "9"]


@pytest.mark.parametrize("scale", [20.0, 1000.0])
def test_unscaled_inputs_are_flagged_at_preprocessing(scale: float) -> None:
    subject = digits()
    X, Y, X_test, Y_test = subject.parts
    raw = subject._replace(parts=Parts(scale * (X + 1), Y, scale * (X_test + 1), Y_test))
    found = taken(raw, until="4")
    assert failing(found)[0] == "1"
    assert "not normalised" in found["1"].causes[0]
    assert "4" in failing(found)


def test_one_unscaled_feature_is_flagged_at_preprocessing() -> None:
    subject = digits()
    X = subject.parts.X_train.copy()
    X[7] = 40 * X[7] + 300
    assert failing(taken(subject._replace(parts=subject.parts._replace(X_train=X)), until="1")) == ["1"]


def test_a_huge_learning_rate_is_flagged_at_the_small_piece() -> None:
    found = taken(digits(), replace(SHORT, learning_rate=1e3, optimizer="gradient_descent"), until="6")
    assert failing(found) == ["6"]
    assert "a smaller learning rate usually helps" in found["6"].causes[0]


def test_huge_learning_rates_are_flagged_at_the_search() -> None:
    found = taken(digits(), replace(SHORT, coarse=(Range(-5, -4), Range(3, 6))), until="8A")
    assert failing(found) == ["8A"]
    assert found["8A"].causes == (
        "every draw exploded: learning rates too high, inputs not normalised, or weights too large",
    )


def test_a_cost_to_another_base_is_flagged_at_the_first_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    right = costs.OUTPUT_COSTS["softmax"]
    base_2 = right._replace(from_Z=lambda Z, Y: right.from_Z(Z, Y) / math.log(2))
    monkeypatch.setitem(costs.OUTPUT_COSTS, "softmax", base_2)
    found = taken(digits(), until="4")
    assert failing(found) == ["4"]
    assert "another base of the logarithm" in found["4"].causes[0]


def test_a_deep_network_of_small_weights_is_doubtful() -> None:
    net = model("wide", 64, 10, (32,) * 4)
    found = taken(digits()._replace(architecture=net), replace(SHORT, initialization="small"), until="3")
    assert found["3"].verdict == "doubtful"
    assert "vanish or grow" in found["3"].causes[0]


# the search's parts


def test_fine_ranges_surround_the_best_coarse_draws() -> None:
    good = [Trial(10.0**-4.5, 10.0**power, 0.9 - power / 100, 1.0, False) for power in (0, 1, 2)]
    poor = [Trial(1e-6, 1e4, 0.1, 9.0, False)] * 20 + [Trial(1e-3, 1e5, -math.inf, 9.0, True)] * 7
    coarse = Searched(*COARSE, [*good, *poor])
    reg, rate = finer(coarse, 0.01)
    assert (reg.low, reg.high) == pytest.approx((-0.5, 2.5))
    assert (rate.low, rate.high) == pytest.approx((-5.0, -4.0))
    at_edge = Searched(*COARSE, [each._replace(learning_rate=0.0009) for each in good] + poor)
    assert finer(at_edge, 0.01)[1].high == pytest.approx(-2)
    assert finer(coarse, 0.01, chance=0.95)[1].high == pytest.approx(-2)
    assert finer(at_edge)[1].high == pytest.approx(math.log10(0.0009) + 0.5)


def test_what_needs_no_learning() -> None:
    Y = np.eye(10)[:, np.arange(200) % 10]
    assert chance_of("softmax", Y) == pytest.approx(0.1 + 4 * math.sqrt(0.09 / 200))
    assert chance_of("sigmoid", np.array([[0.0] * 90 + [1.0] * 10])) == 0.999
    assert chance_of("sigmoid", np.array([[0.0, 1.0] * 50] * 4)) == pytest.approx(0.5 + 4 * 0.5 / 20)
    assert chance_of("identity", Y) == 0.05


def test_examples_held_back() -> None:
    data = Examples(np.arange(20.0).reshape(2, 10), np.arange(10.0).reshape(1, 10))
    first, last = held_back(data, 0.2)
    np.testing.assert_array_equal(first.Y[0], np.arange(8))
    np.testing.assert_array_equal(last.X, data.X[:, 8:])
    with pytest.raises(ValueError, match="the training part has 1 example, expected at least 2"):
        held_back(Examples(data.X[:, :1], data.Y[:, :1]), 0.2)


def test_regularisation_of_zero_weights_has_nothing_to_say() -> None:
    subject = digits()
    net = subject.architecture
    zeros = {name: np.zeros(shape) for name, shape in net.parameter_shapes.items()}
    X, Y = (value[:, :50].astype(np.float64) for value in subject.parts[:2])
    assert turned_up(manual_backend(), net, zeros, Examples(X, Y), 0).verdict == "good"


# the commands


@pytest.mark.parametrize("main", PACKAGES)
def test_the_report(main: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    words = ["recipe", "--draws", "3", "--hidden", "16", "--jobs", "1", "--train-epochs", "40"]
    assert main([*words, "--lr-range", "-2", "-3", "--reg-range", "-5", "-3"]) == 0
    shown = capsys.readouterr().out
    for text in (
        "lr-range -2 to -3 is upside down: read as 10^uniform(-3, -2)",
        "1  preprocess: good",
        "2.3026 with weights of 0.0001, expected 2.3026 = ln C",
        "accuracy 100.00% after 500 steps",
        "learning rate 1e-06: too small",
        "reg = 10^uniform(-5, -3), learning rate = 10^uniform(-3, -2); 0 exploded",
        "no step fails; test: cost",
    ):
        assert text in shown


def test_json_and_the_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["recipe", "--draws", "2", "--epochs", "1", "--train-epochs", "1", "--hidden", "8", "--jobs", "1"]
    assert by_hand([*words, "--initialization", "zeros", "--fine", "notes", "--json"]) == 1
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    verdicts = {step["number"]: step["verdict"] for step in report["steps"]}
    assert verdicts["3"] == verdicts["6"] == "fails"
    assert report["steps"][8]["numbers"]["reg"] == [-4, 0]
    assert by_hand([*words, "--initialization", "zeros", "--quiet"]) == 1
    shown = capsys.readouterr().out
    assert shown.startswith("fails: 3 initialisation, ")
    assert len(shown.splitlines()) == 1


def test_processes_change_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    reports = []
    for jobs in ("1", "2"):
        by_hand(["recipe", "--draws", "4", "--epochs", "1", "--train-epochs", "1", "--jobs", jobs, "--json"])
        reports.append(json.loads(capsys.readouterr().out)["steps"])
    assert reports[0] == reports[1]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--draws", "0"], "draws is 0, expected at least 1"),
        (["--epochs", "0"], "epochs is 0, expected at least 1"),
        (["--train-epochs", "-1"], "train-epochs is -1, expected at least 1"),
        (["--jobs", "0"], "jobs is 0, expected at least 1"),
        (["--batch-size", "0"], "batch-size is 0, expected at least 1"),
        (["--batch-size", "5000"], "batch-size is 5000, expected at most 1437"),
        (["--learning-rate", "0"], "learning-rate is 0.0, expected a finite number above 0"),
        (["--learning-rate", "inf"], "learning-rate is inf, expected a finite number above 0"),
        (["--lr-range", "-3", "-3"], "lr-range is -3 to -3, expected two different exponents"),
        (["--reg-range", "nan", "1"], "reg-range has the exponent nan, expected a number from -300 to 300"),
        (["--lr-range", "-3", "900"], "lr-range has the exponent 900"),
        (["--optimizer", "sgd"], "optimizer is 'sgd', expected one of gradient_descent, momentum, rmsprop, adam"),
        (["--initialization", "best"], "initialization is 'best', expected one of zeros"),
        (["--model", "vgg"], "model is 'vgg', expected one of logistic"),
        (["--seed", "-1"], "seed is -1, expected"),
    ],
)
@pytest.mark.parametrize("main", PACKAGES)
def test_bad_usage_gets_one_sentence(
    main: Callable[..., int], words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["recipe", *words]) == 2
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert len(captured.err.splitlines()) == 1
    assert captured.out == ""


def test_one_class_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "one.csv"
    path.write_text("a,kind\n" + "".join(f"{i}.5,up\n" for i in range(20)))
    assert by_hand(["recipe", "--data", str(path), "--target", "kind"]) == 2
    assert "Y has the one class 'up', expected at least two" in capsys.readouterr().err
