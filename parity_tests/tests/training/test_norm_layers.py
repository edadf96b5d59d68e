"""Training with batch norm and skips: both packages the same, running statistics kept, predictions by them, resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from manual import files, network, training
from manual.architecture import Architecture, BatchNorm, Conv, Dense, Dropout, Flatten, model
from manual.estimators import NetworkClassifier
from manual.layer_words import layers_from, renumbered, with_dropout
from manual.shared.recipe_runs import without_dropout
from manual.shared.settings import start
from torch_ref import training as by_torch
from torch_ref.distributed import World
from torch_ref.estimators import NetworkClassifier as TorchClassifier

VOLUMES = Architecture(
    (4, 4, 2),
    (
        Conv(3, 3, pad="same", activation="identity"),
        BatchNorm("relu"),
        Flatten(),
        Dropout(0.8),
        Dense(3, "softmax"),
    ),
)
NETWORKS = {
    "columns": model("wide_norm", 6, 3, (5, 4)),
    "skip": model("wide_residual", 6, 3, (5, 5)),
    "volumes": VOLUMES,
}
SETTINGS = training.Settings(optimizer="momentum", epochs=4, batch_size=8, learning_rate=0.05, lambda_=0.3)


def data(net: Architecture, m: int = 30) -> tuple[Any, Any]:
    """Examples, and classes that depend on them."""
    rng = np.random.default_rng(0)
    X = 3 + 2 * rng.standard_normal(net.batch_shape(0, m))
    score = X.sum(axis=0) if X.ndim == 2 else X.sum(axis=(1, 2, 3))
    return X, np.eye(3)[:, np.digitize(score, np.quantile(score, [1 / 3, 2 / 3]))]


@pytest.mark.parametrize("name", NETWORKS)
def test_both_packages_train_to_the_same_parameters_and_statistics(name: str) -> None:
    net = NETWORKS[name]
    X, Y = data(net)
    ours, theirs = (package.fit(net, X, Y, SETTINGS) for package in (training, by_torch))
    assert ours.params.keys() == theirs.params.keys() == net.parameter_shapes.keys()
    for key, value in ours.params.items():
        np.testing.assert_allclose(theirs.params[key], value, rtol=0, atol=1e-10, err_msg=key)
    for l, k in net.remembering:  # they are those of what comes from below, and no longer those of the start
        assert np.abs(ours.params[f"mean{k}"]).max() > 0.05
        assert net.shapes[l] == net.shapes[l - 1]


@pytest.mark.parametrize("package", [training, by_torch], ids=["manual", "torch"])
@pytest.mark.parametrize("name", ["columns", "volumes"])
def test_a_run_that_goes_on_is_that_of_one_that_was_never_stopped(package: Any, name: str, tmp_path: Path) -> None:
    net = NETWORKS[name]
    X, Y = data(net)
    whole = package.fit(net, X, Y, SETTINGS)
    part = package.fit(net, X, Y, training.Settings(**{**vars(SETTINGS), "epochs": 2}))
    files.save_checkpoint(tmp_path, files.Checkpoint(net, part.params, part.state, part.progress))
    kept = files.load_checkpoint(tmp_path)
    assert kept is not None
    again = part._replace(params=kept.params, state=kept.state, progress=kept.progress)
    done = package.fit(net, X, Y, SETTINGS, resume=again)
    for key, value in whole.params.items():
        np.testing.assert_array_equal(done.params[key], value, err_msg=key)


def test_in_use_an_answer_depends_on_no_other_example() -> None:
    net = NETWORKS["columns"]
    X, Y = data(net)
    params = training.fit(net, X, Y, SETTINGS).params
    whole = network.forward(net, params, X)
    np.testing.assert_allclose(network.forward_loop(net, params, X).A[-1], whole.A[-1], rtol=0, atol=1e-13)
    assert np.abs(network.forward(net, params, X, []).A[-1] - whole.A[-1]).max() > 1e-3
    with pytest.raises(ValueError, match=r"layer 2 is batch norm in training, expected no masks"):
        network.forward_loop(net, params, X, [])


def test_what_is_remembered_is_the_moving_average_of_the_batches() -> None:
    net = NETWORKS["columns"]
    X, Y = data(net, m=16)
    settings = training.Settings(epochs=1, batch_size=16, learning_rate=0.01)
    drawn, _ = start(net, settings, X.dtype)
    below = network.forward(net, drawn, X, []).A[1]
    params = training.fit(net, X, Y, settings).params
    np.testing.assert_allclose(params["mean2"], 0.1 * below.mean(axis=1, keepdims=True), atol=1e-14)
    variance = below.var(axis=1, ddof=1, keepdims=True)
    np.testing.assert_allclose(params["variance2"], 0.9 + 0.1 * variance, atol=1e-14)


def test_gamma_starts_at_one_and_is_not_penalised() -> None:
    net = NETWORKS["volumes"]
    params = start(net, SETTINGS, np.float64)[0]
    for name, value in {"W2": 1.0, "b2": 0.0, "mean2": 0.0, "variance2": 1.0}.items():
        np.testing.assert_array_equal(params[name], value)
    assert net.weights == ("W1", "W3")
    more = {**params, "W2": 5 * params["W2"]}
    assert network.penalty(net, more, 0.7, 3) == network.penalty(net, params, 0.7, 3)


@pytest.mark.parametrize(
    ("m", "size", "fits"), [(33, 8, False), (32, 8, True), (34, 8, True), (1, 8, False), (9, 1, False)]
)
def test_a_batch_of_one_example_is_refused_before_training(m: int, size: int, fits: bool) -> None:
    net, settings = NETWORKS["columns"], training.Settings(epochs=1, batch_size=size)
    X, Y = data(net, m)
    for package in (training, by_torch):
        if fits:
            package.fit(net, X, Y, settings)
            continue
        with pytest.raises(ValueError, match=rf"the last batch of {m} examples, {size} at a time has 1 of"):
            package.fit(net, X, Y, settings)


def test_volumes_may_come_one_at_a_time_but_no_share_may_be_empty() -> None:
    X, Y = data(VOLUMES, 3)
    training.fit(VOLUMES, X, Y, training.Settings(epochs=1, batch_size=1))
    with pytest.raises(ValueError, match=r"the last batch of 3 examples, 2 at a time, in 2 shares, has 0 of each"):
        by_torch.fit(VOLUMES, X, Y, training.Settings(epochs=1, batch_size=2), world=World(0, 2))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("kind", [NetworkClassifier, TorchClassifier])
def test_estimators_predict_with_the_running_statistics(kind: Any) -> None:
    net = NETWORKS["columns"]
    X, Y = data(net)
    made = kind(architecture=net, max_iter=30, batch_size=10, learning_rate_init=0.05, random_state=0)
    fitted = made.fit(X.T, Y.argmax(axis=0))
    assert {value.shape for value in fitted.running_statistics_.values()} == {(5, 1), (4, 1)}
    whole = fitted.predict_proba(X.T)
    np.testing.assert_allclose(fitted.predict_proba(X.T[:1]), whole[:1], rtol=1e-6)
    assert fitted.score(X.T, Y.argmax(axis=0)) > 0.8


def test_skips_find_their_sources_again_where_layers_come_and_go() -> None:
    net = NETWORKS["skip"]
    dropped = with_dropout(net.layers, 0.8)
    assert [layer.describe() for layer in dropped] == [
        "dense5 relu", "dropout0.8", "dense5 identity", "layernorm identity", "add1", "relu", "dropout0.8",
        "dense3 softmax",
    ]  # fmt: skip
    assert without_dropout(Architecture(6, dropped)) == net
    behind = Architecture(4, layers_from("dense4 dropout0.5 dense4 add2 dense2", "softmax"))
    assert without_dropout(behind).describe() == "4 - dense4 relu - dense4 relu - add1 - dense2 softmax"
    more = [(0, Dense(4, "relu")), *enumerate(layers_from("dense4 add0 add1 dense2", "softmax"), 1)]
    assert [layer.source for layer in renumbered(more)] == [None, None, 0, 2, None]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("dense4 add2 dense2", r"layer 2, add2, does not fit its input of shape \(4,\): the source is 2, expected a"),
        ("dense4 dense5 add1 dense2", r"layer 3, add1, .*: A\[1\] has shape \(4,\), expected \(5,\): the two that are"),
    ],
)
def test_a_skip_needs_an_earlier_layer_of_the_same_shape(words: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Architecture(3, layers_from(words, "softmax"))
