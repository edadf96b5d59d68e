"""A person's own module: read back, copied, compared; what cannot be read is named."""

from __future__ import annotations

import json
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from manual import dense
from manual import network as by_hand
from parity_tests import compare
from parity_tests.cli import main
from parity_tests.comparison.own_module import own_module
from torch_ref.reading import read


def convolutional() -> nn.Sequential:
    """All layers that can be read, nested, one without bias."""
    torch.manual_seed(0)
    top = nn.Sequential(nn.Flatten(), nn.Dropout(0.25), nn.Linear(4 * 2 * 1, 5, bias=False), nn.Tanh())
    return nn.Sequential(
        OrderedDict(
            low=nn.Conv2d(2, 3, (3, 1), padding=(1, 0)),
            unit=nn.LeakyReLU(),
            pool=nn.MaxPool2d(2, 1),
            high=nn.Conv2d(3, 4, 2, stride=1, padding="valid"),
            average=nn.AvgPool2d((2, 2)),
            nothing=nn.Identity(),
            top=top,
            out=nn.Linear(5, 3),
        )
    )


IMAGES = np.random.default_rng(1).standard_normal((11, 2, 6, 5)).astype(np.float32)
CLASSES = np.random.default_rng(2).integers(0, 3, 11)


def test_what_is_read_computes_what_the_module_computes() -> None:
    module = convolutional().double()
    own = own_module(module, IMAGES, CLASSES)
    assert own.reading.architecture.describe() == (
        "6x5x2 - conv3x3x1p1x0 leaky_relu - pool2s1 - conv4x2 identity - avgpool2 - flatten - dropout0.75 - "
        "dense5 tanh - dense3 softmax"
    )
    assert own.reading.remarks == (
        "layer 6.2 (Linear) has no bias: a bias of zero stands for it, which changes no value",
    )
    rows = torch.from_numpy(IMAGES).double()
    passed = by_hand.forward(own.reading.architecture, own.reading.params, own.X)
    module.eval()
    logits = module(rows)
    assert passed.Z[-1] is not None
    np.testing.assert_allclose(passed.Z[-1], logits.detach().numpy().T, rtol=0, atol=1e-14)
    nn.functional.cross_entropy(logits, torch.from_numpy(CLASSES)).backward()  # type: ignore[no-untyped-call]
    back = by_hand.backward(own.reading.architecture, own.reading.params, passed, own.Y)
    first = module.low.weight.grad  # type: ignore[union-attr]
    assert isinstance(first, torch.Tensor)
    np.testing.assert_allclose(back.grads["dW1"], first.permute(2, 3, 1, 0).numpy(), rtol=0, atol=1e-14)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_layer_is_compared(dtype: str) -> None:
    results = compare(module=convolutional(), X=IMAGES, Y=CLASSES, dtype=dtype)
    assert {result.verdict for result in results} == {"holds"}
    assert {result.dtype for result in results} == {dtype}
    layers = {(result.quantity, result.layer) for result in results}
    assert layers >= {("Z", 1), ("A", 2), ("A", 5), ("dA", 0), ("dA", 6), ("dW", 3), ("db", 7), ("dZ", 8), ("J", None)}
    assert any(result.quantity == "J with L2" for result in results)


def test_a_mistake_by_hand_is_found_in_a_persons_module(monkeypatch: pytest.MonkeyPatch) -> None:
    right = dense.bias_gradient
    monkeypatch.setattr(dense, "bias_gradient", lambda dZ: right(dZ) * (1 + 1e-9))
    results = compare(module=convolutional(), X=IMAGES, Y=CLASSES)
    assert {(r.quantity, r.layer) for r in results if r.verdict == "fails"} == {("db", 7), ("db", 8)}


def test_in_training_both_sides_drop_the_same_and_in_evaluation_nothing() -> None:
    module = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Dropout(0.5), nn.Linear(6, 1), nn.Sigmoid())
    X, Y = np.random.default_rng(0).standard_normal((9, 4)), np.arange(9) % 2
    dropping = compare(module=module, X=X, Y=Y, seed=3)
    whole = compare(module=module.eval(), X=X, Y=Y, seed=3)
    assert {result.verdict for result in dropping + whole} == {"holds"}
    last = [next(r for r in results if r.quantity == "Z" and r.layer == 3) for results in (dropping, whole)]
    assert last[0].bound != last[1].bound


def test_the_dropout_layers_say_whether_they_drop() -> None:
    module = nn.Sequential(nn.Linear(4, 3), nn.Dropout(), nn.Linear(3, 1)).eval()
    assert not read(module, (4,)).training
    module[1].train()
    assert read(module, (4,)).training


@pytest.mark.parametrize(
    ("outputs", "Y", "unit"),
    [
        (3, np.array([0, 2, 1, 2]), "softmax"),
        (2, np.array([[0, 1], [1, 0], [1, 0], [0, 1]]), "softmax"),
        (2, np.array([[0, 1], [1, 1], [0, 0], [0, 1]]), "sigmoid"),
        (1, np.array([0.0, 1.0, 1.0, 0.0]), "sigmoid"),
        (1, np.array([[0.5], [2.0], [1.0], [0.0]]), "identity"),
        (2, np.array([[0.5, 1], [2.0, 3], [1.0, 1], [0.0, 1]]), "identity"),
    ],
)
def test_logits_get_the_output_unit_that_the_targets_look_like(outputs: int, Y: Any, unit: str) -> None:
    own = own_module(nn.Sequential(nn.Linear(5, outputs)), torch.ones(4, 5), torch.from_numpy(Y))
    assert own.reading.architecture.output_unit == unit
    assert own.Y.shape == (outputs, 4)
    assert f"Y looks like {unit}" in own.describe()


def test_the_output_unit_can_be_said() -> None:
    X, Y = np.ones((4, 5)), np.array([0.0, 1.0, 1.0, 0.0])
    module = nn.Sequential(nn.Linear(5, 1))
    assert own_module(module, X, Y, "identity").reading.architecture.output_unit == "identity"
    with pytest.raises(ValueError, match=r"output is 'relu', expected one of sigmoid, softmax, identity"):
        own_module(module, X, Y, "relu")
    with pytest.raises(ValueError, match=r"output is 'identity', expected 'sigmoid': the module ends in it"):
        own_module(nn.Sequential(nn.Linear(5, 1), nn.Sigmoid()), X, Y, "identity")


def test_images_without_channels_are_flattened_first() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(6, 2))
    for shape in ((4, 3, 2), (4, 6)):
        X = np.arange(24.0).reshape(shape)
        own = own_module(module, X, np.zeros(4, int))
        np.testing.assert_array_equal(own.X, np.arange(24.0).reshape(4, 6).T)
        assert own.reading.architecture.describe() == "6-2 (softmax)"


SHARED = nn.Linear(4, 4)
HOOKED = nn.Linear(4, 1)
HOOKED.register_forward_hook(lambda *_: None)


PULLED = nn.Linear(4, 1)
PULLED.weight.register_hook(torch.neg)  # type: ignore[no-untyped-call]
DOUBLED = nn.Linear(4, 1)
DOUBLED.forward = torch.relu  # type: ignore[method-assign]
MIXED = nn.Sequential(nn.Linear(4, 3), nn.Dropout(), nn.Linear(3, 3), nn.Dropout(), nn.Linear(3, 1))
MIXED[3].eval()


class Scaled(nn.Sequential):
    """A Sequential that computes something else."""

    def forward(self, rows: Any) -> Any:
        """Twice as much."""
        return self[0](rows) * 2


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        (
            nn.Sequential(nn.Linear(4, 3), nn.GroupNorm(1, 3)),
            r"layer 1 \(GroupNorm\) is not known, expected an nn.Seq",
        ),
        (nn.Sequential(nn.Linear(4, 3), nn.Sequential(nn.GELU())), r"layer 1\.0 \(GELU\) is not known"),
        (Scaled(nn.Linear(4, 1)), r"mul in forward is not known, expected torch's layers, add"),
        (nn.Sequential(nn.LazyLinear(3)), r"layer 0 \(LazyLinear\) is not known"),
        (nn.Sequential(HOOKED), r"layer 0 \(Linear\) has hooks, expected none"),
        (nn.Sequential(PULLED), r"layer 0 \(Linear\) has hooks, expected none"),
        (nn.Sequential(DOUBLED), r"layer 0 \(Linear\) has a forward of its own, expected that of its type"),
        (
            MIXED,
            r"layer 1 \(Dropout\) is in training, layer 3 \(Dropout\) is in evaluation, expected all layers of dropout",
        ),
        (
            nn.Sequential(nn.Linear(4, 1, device="meta")),
            r"the weight of layer 0 \(Linear\) is on the meta device, expected one that holds numbers",
        ),
        (nn.Sequential(SHARED, nn.ReLU(), SHARED), r"layer 2 \(Linear\) shares its weight with layer 0 \(Linear\)"),
        (nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Tanh()), "the last layer is Unit, expected Dense"),
        (nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3)), "the last layer is BatchNorm, expected Dense"),
        (
            nn.Sequential(nn.BatchNorm1d(4, momentum=None), nn.Linear(4, 1)),
            r"layer 0 \(BatchNorm1d\) has momentum = None, expected a number",
        ),
        (
            nn.Sequential(nn.BatchNorm1d(4, track_running_stats=False), nn.Linear(4, 1)),
            r"layer 0 \(BatchNorm1d\) has track_running_stats = False, expected True",
        ),
        (nn.Sequential(nn.LayerNorm(3), nn.Linear(4, 1)), r"layer 0 \(LayerNorm\) takes 3 inputs, expected 4"),
        (nn.Sequential(nn.Linear(4, 3), nn.LeakyReLU(0.2)), r"has negative_slope = 0\.2, expected 0\.01"),
        (nn.Sequential(nn.Linear(4, 3), nn.Softmax(0)), r"layer 1 \(Softmax\) has dim = 0, expected 1"),
        (nn.Sequential(nn.Linear(4, 3), nn.Softmax(1), nn.Linear(3, 1)), r"layer 1 has activation 'softmax'"),
        (nn.Sequential(nn.Linear(4, 3), nn.ReLU()), r"the last layer has activation 'relu', expected one of"),
        (nn.Sequential(nn.Linear(4, 3), nn.Dropout(1.0)), r"layer 1 \(Dropout\) has p = 1\.0: keep_prob is 0\.0"),
        (nn.Sequential(nn.Linear(5, 3)), r"layer 0 \(Linear\) takes 5 inputs, expected 4: so many come from below"),
        (nn.Sequential(nn.Flatten(0), nn.Linear(4, 1)), r"layer 0 \(Flatten\) has start_dim = 0, expected 1"),
        (
            nn.Sequential(nn.Linear(4, 3), nn.Conv2d(1, 1, 1), nn.Linear(1, 1)),
            r"layer 2, conv1x1 identity, does not fit its input",
        ),
        (nn.Sequential(), r"Architecture has no layers"),
    ],
)
def test_what_cannot_be_read_is_named(module: nn.Module, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read(module, (4,))


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        (nn.Conv2d(2, 2, 3, dilation=2), r"has dilation = \(2, 2\), expected \(1, 1\)"),
        (nn.Conv2d(2, 2, 3, groups=2), r"has groups = 2, expected 1"),
        (nn.Conv2d(2, 2, 3, padding_mode="reflect"), r"has padding_mode = 'reflect', expected 'zeros'"),
        (nn.Conv2d(2, 2, 3, stride=(1, 2)), r"has stride = \(1, 2\), expected the same number in both directions"),
        (nn.Conv2d(2, 2, 2, padding="same"), r"layer 0 \(Conv2d\) has padding = 'same': "),
        (nn.MaxPool2d(2, ceil_mode=True), r"has ceil_mode = True, expected False"),
        (nn.MaxPool2d(2, padding=1), r"has padding = 1, expected 0"),
        (nn.MaxPool2d(2, dilation=2), r"has dilation = 2, expected 1"),
        (nn.MaxPool2d((2, 3)), r"has kernel_size = \(2, 3\), expected the same number"),
        (nn.MaxPool2d(2, return_indices=True), r"has return_indices = True, expected False"),
        (nn.AvgPool2d(2, padding=1), r"has padding = 1, expected 0"),
        (nn.AvgPool2d(2, divisor_override=3), r"has divisor_override = 3, expected None"),
        (nn.Dropout2d(), r"layer 0 \(Dropout2d\) is not known"),
    ],
)
def test_options_that_the_notes_do_not_have_are_named(layer: nn.Module, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read(nn.Sequential(layer, nn.Flatten(), nn.Linear(8, 1)), (2, 6, 6))


def test_an_odd_filter_may_be_padded_to_the_same_size() -> None:
    own = read(nn.Sequential(nn.Conv2d(1, 2, 3, padding="same"), nn.Flatten(), nn.Linear(32, 1)), (1, 4, 4))
    assert own.architecture.describe() == "4x4x1 - conv2x3same identity - flatten - dense1 identity"
    assert own.logits


def test_parameters_that_are_not_finite_are_refused() -> None:
    layer = nn.Linear(4, 1)
    with torch.no_grad():
        layer.weight[0, 2] = float("nan")
    module = nn.Sequential(layer)
    with pytest.raises(ValueError, match=r"the weight of layer 0 \(Linear\) has entries that are not finite"):
        read(module, (4,))


@pytest.mark.parametrize(
    ("X", "Y", "sentence"),
    [
        (np.ones((4, 5)), np.zeros(3), r"X has 4 rows and Y 3, expected one of each for every example"),
        (np.ones((4, 5)), np.array([0, 1, 2, 3]), r"Y is 3\.0 at example 3, expected a class from 0 to 2"),
        (np.ones((4, 5)), np.ones((4, 2)) / 3, r"Y has 2 targets in a row, expected 3"),
        (np.full((4, 5), np.nan), np.zeros(4), r"X is nan at row 0, example 0, expected a finite number"),
        (np.ones((5, 4)), np.zeros(5), r"layer 0 \(Linear\) takes 5 inputs, expected 4"),
        (np.float64(3), np.zeros(4), r"X has shape \(\), expected an example in every row"),
        (np.array(["a"]), np.zeros(1), r"X has dtype <U1, expected real numbers"),
    ],
)
def test_data_that_do_not_fit_are_refused(X: Any, Y: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        compare(module=nn.Sequential(nn.Linear(5, 3)), X=X, Y=Y)


def test_a_module_is_compared_alone() -> None:
    with pytest.raises(ValueError, match=r"text is 'dense', expected none beside module"):
        compare("dense", module=nn.Sequential(nn.Linear(5, 3)), X=np.ones((4, 5)), Y=np.zeros(4))


FILE = """
import torch
from torch import nn

print("{not the report}")
torch.manual_seed(1)
net = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3))


def made():
    return nn.Sequential(nn.Linear(4, 3), nn.GELU())

"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A person's .py and .npz."""
    script, data = tmp_path / "own.py", tmp_path / "run.npz"
    script.write_text(FILE)
    rng = np.random.default_rng(0)
    np.savez(data, X=rng.standard_normal((10, 4)), Y=rng.integers(0, 3, 10))
    return script, data


@pytest.mark.slow
def test_a_file_on_the_command_line(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    script, data = files
    assert main(["--module", f"{script}:net", "--data", str(data), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["module"].startswith("own.py:net: 4-6-3 (relu, softmax); it ends in logits, and Y looks like softmax")
    assert report["summary"]["holds"] == report["summary"]["lines"] > 20
    assert {result["model"] for result in report["results"]} == {"own.py:net"}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("made", "made cannot be read: layer 1 (GELU) is not known"),
        ("absent", "absent is NoneType, expected an nn.Module"),
    ],
)
def test_a_file_that_cannot_be_used(
    name: str, sentence: str, files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    script, data = files
    assert main(["--module", f"{script}:{name}", "--data", str(data)]) == 2
    complaint = capsys.readouterr().err
    assert f"own.py could not be run: {sentence}" in complaint
    assert len(complaint.splitlines()) == 1


def test_a_file_that_does_not_end_is_ended(
    files: tuple[Path, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    script, data = files
    script.write_text("while True:\n    pass\n")
    monkeypatch.setattr("parity_tests.comparison.own_module.SECONDS", 0.5)
    assert main(["--module", f"{script}:net", "--data", str(data)]) == 2
    assert "own.py ran for more than 0.5 seconds and was ended" in capsys.readouterr().err


def test_bad_usage_of_the_flags(files: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    script, data = files
    pickled = data.with_name("pickled.npz")
    np.savez(pickled, X=np.array([{}], dtype=object), Y=np.zeros(1))
    other = data.with_name("other.npz")
    np.savez(other, X=np.zeros(1))
    for words, sentence in (
        (["--module", f"{script}:net"], "expected --module FILE.py:NAME and --data FILE.npz, both of them"),
        (["--module", f"{script}", "--data", str(data)], "expected FILE.py:NAME"),
        (["--module", "nowhere.py:net", "--data", str(data)], "nowhere.py is not there, expected a file"),
        (["--module", f"{script}:net", "--data", "nowhere.npz"], "nowhere.npz is not there, expected a file"),
        (["--module", f"{script}:net", "--data", str(pickled)], "pickled.npz is not a .npz of plain arrays"),
        (["--module", f"{script}:net", "--data", str(other)], "other.npz has X, expected X and Y"),
        (
            ["--module", f"{script}:net", "--data", str(data), "-k", "x"],
            "expected neither -k, --precision, --compile nor a seed below 0",
        ),
    ):
        assert main(words) == 2
        assert sentence in capsys.readouterr().err
