"""Mine against theirs: pairs with one planted mistake are named, right pairs never differ, doors and refusals."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from parity_tests import compare, diff
from parity_tests.cli import main
from parity_tests.differences.difference import Difference
from parity_tests.differences.judged import AGREES, CANNOT_TELL, DIFFERS, FORMATS, format_of
from parity_tests.differences.names import Name, numbered, read_name
from parity_tests.tests.differences.pairs import PAIRS, Pair, Sides, held_out
from parity_tests.tests.differences.right import right_pair
from parity_tests.tests.slices import sliced


def compared(sides: Sides) -> Difference:
    """The two sides of a pair, as dumps or with the module."""
    if sides.theirs is not None:
        return diff(sides.mine, sides.theirs)
    assert sides.module is not None
    more = {"loss": sides.loss, "optimizer": sides.optimizer}
    return compare(module=sides.module, numpy=sides.mine, X=sides.X, Y=sides.Y, **more)


def is_named(pair: Pair, seed: int) -> bool:
    """Whether the first that differs is found, with its cause."""
    found = compared(pair.make(np.random.default_rng(seed)))
    first = next(iter((*found.roots, *found.conventions)), None)
    return first is not None and first.name == pair.first and re.search(pair.says, first.text) is not None


# --- the bars

SLICE = [
    "mse_mean",
    "zero_grad",
    "flatten_order",
    "gamma_missing",
    "betas_swapped",
    "clipping",
    "schedule",
    "skip_missing",
]


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("pair", sliced([pair for pair in PAIRS if pair.id in SLICE], 6), ids=lambda pair: pair.id)
def test_a_planted_cause_is_named(pair: Pair) -> None:
    assert is_named(pair, seed=0)


@pytest.mark.bars
@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("seed", range(3))
def test_nine_pairs_in_ten_are_named_and_of_those_held_out_too(seed: int) -> None:
    held = {pair.id for pair in held_out()}
    named = {pair.id for pair in PAIRS if is_named(pair, seed)}
    print(
        f"\n{len(named - held)} of {len(PAIRS) - len(held)} named, of those held out {len(named & held)} of {len(held)}"
    )
    assert len(named) >= 0.9 * len(PAIRS)
    assert len(named & held) >= 0.9 * len(held)


def never_differs(seeds: range) -> None:
    """Right pairs agree or cannot be told; 8 times the bound of an array that agrees, in one entry, is seen."""
    with np.errstate(all="ignore"):
        for seed in seeds:
            sides = right_pair(seed)
            found = compared(sides)
            assert found.verdict != DIFFERS, (seed, found)
            agreeing = [e for e in found.entries if e.verdict == AGREES and e.stage != "given"]
            if seed % 5 or not agreeing:
                continue
            entry = agreeing[seed % len(agreeing)]
            wrong = np.array(sides.mine[entry.mine], np.float64)
            per_example = sides.mine["Y"].shape[1] if "times" in entry.note else 1
            wrong.flat[np.argmax(np.abs(wrong))] += 8 * entry.bound * per_example
            planted = compared(sides._replace(mine={**sides.mine, entry.mine: wrong}))
            again = next(each for each in planted.entries if each.name == entry.name)
            assert again.verdict != AGREES, (seed, entry.name)


@pytest.mark.slow
def test_right_pairs_never_differ() -> None:
    never_differs(range(20))


@pytest.mark.bars
def test_a_thousand_right_pairs_never_differ() -> None:
    never_differs(range(1000))


# --- names, formats, doors


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("W1", Name("forward", "W1")),
        ("dW1", Name("gradient", "W1")),
        ("W1_grad", Name("gradient", "W1")),
        ("grad_W1", Name("gradient", "W1")),
        ("dL_dW1", Name("gradient", "W1")),
        ("d_W1", Name("gradient", "W1")),
        ("weights1", Name("forward", "W1")),
        ("d_weights1", Name("gradient", "W1")),
        ("fc1.weight.grad", Name("gradient", "fc1.weight")),
        ("fc1.weight", Name("forward", "fc1.weight")),
        ("W1_new", Name("step", "W1")),
        ("new_b2", Name("step", "b2")),
        ("dropout", Name("forward", "dropout")),
        ("dense.bias", Name("forward", "dense.bias")),
        ("delta", Name("forward", "delta")),
        ("dhidden", Name("gradient", "hidden")),
    ],
)
def test_names_are_read(name: str, read: Name) -> None:
    assert read_name(name, {"hidden"}) == read


def test_parameters_of_torch_are_numbered_by_layer() -> None:
    names = ["conv1.weight", "conv1.bias", "fc.weight", "X", "fc.bias"]
    assert numbered(names) == {"conv1.weight": "W1", "conv1.bias": "b1", "fc.weight": "W2", "fc.bias": "b2"}


def test_the_format_is_that_of_the_digits_and_not_of_the_storage() -> None:
    values = np.random.default_rng(0).standard_normal(9)
    short = torch.from_numpy(values).bfloat16().double().numpy()
    arrays: list[Any] = [short, values.astype(np.float16), values.astype(np.float32), values]
    for kind, array in zip(FORMATS, arrays, strict=True):
        assert format_of(array.astype(np.float64)) == kind
    assert format_of(np.arange(9.0)) == FORMATS[-1]


W, X = np.random.default_rng(1).standard_normal((3, 4)), np.random.default_rng(2).standard_normal((4, 6))


@pytest.mark.parametrize(
    ("mine", "theirs", "code"),
    [
        ({"W1": W}, {"fc.weight": W}, 0),
        ({"W1": W, "X": X}, {"fc.weight": W, "X": X.T}, 0),
        ({"W1": W, "X": X, "A1": W @ X}, {"fc.weight": W, "X": X.T, "A1": W @ X}, 0),  # rows here, columns there
        ({"W1": W, "X": X, "A1": W @ X}, {"fc.weight": W, "X": X.T, "A1": 2 * W @ X}, 1),
        ({"W1": W, "other": X}, {"fc.weight": W}, 3),
        ({"W1": W}, {"fc.weight": 2 * W}, 1),
        ({"W1": W}, {"V": W}, 2),
        ({"W1": W * np.nan}, {"W1": W}, 1),
        ({"Y": np.array([0, 2, 1])}, {"Y": np.eye(3)[:, [0, 2, 1]]}, 0),
    ],
)
def test_exit_codes(mine: dict[str, Any], theirs: dict[str, Any], code: int, tmp_path: Path) -> None:
    np.savez(tmp_path / "mine.npz", **mine)
    np.savez(tmp_path / "theirs.npz", **theirs)
    assert main(["diff", str(tmp_path / "mine.npz"), str(tmp_path / "theirs.npz")]) == code


def test_a_prompt_shows_what_is_printed() -> None:
    found = diff({"W1": W}, {"W1": 2 * W})
    assert repr(found) == str(found)


def test_folders_safetensors_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine").mkdir()
    np.save(tmp_path / "mine" / "hidden.npy", W)
    save_file({"fc.weight": torch.from_numpy(W).bfloat16()}, tmp_path / "theirs.safetensors")
    call = ["diff", str(tmp_path / "mine"), str(tmp_path / "theirs.safetensors"), "--json", "--map", "hidden=fc.weight"]
    assert main(call) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["roots"], found["entries"][0]["name"]) == (AGREES, [], "W1")
    np.save(tmp_path / "mine" / "hidden.npy", W + 0.5)
    assert main(call) == 1
    assert json.loads(capsys.readouterr().out)["roots"][0]["name"] == "W1"


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda p: np.save(p / "a.npy", np.array([{}]), allow_pickle=True), "a.npy is no .npy of numbers"),
        (lambda p: (p / "a.npy").write_bytes(b"no array"), "a.npy is no .npy of numbers"),
        (lambda p: (p / "note.txt").write_text(""), "holds no .npy file"),
    ],
)
def test_what_holds_no_arrays_is_refused(
    write: Any, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path)
    assert main(["diff", str(tmp_path), str(tmp_path)]) == 2
    assert message in capsys.readouterr().err


def test_what_the_module_cannot_do_is_said_in_a_sentence() -> None:
    net = nn.Sequential(nn.Linear(4, 3))
    with pytest.raises(ValueError, match="the module does not run on X and Y: mat1 and mat2"):
        compare(module=net, numpy={"Z1": W}, X=np.ones((2, 5)))
    with pytest.raises(ValueError, match=r"no name of mine \(V\) is one of the module's \(X, W1, b1, Z1\)"):
        compare(module=net, numpy={"V": W}, X=np.ones((2, 4)))
    with pytest.raises(ValueError, match="loss, optimizer or names are given, expected numpy beside them"):
        compare(module=net, X=np.ones((2, 4)), Y=np.ones((2, 3)), loss=nn.MSELoss())  # type: ignore[call-overload]


def test_what_rounding_hides_cannot_be_told() -> None:
    found = diff({"X": X, "dW1": 1e-17 * W}, {"X": X, "dW1": -1e-17 * W})
    assert {entry.name: entry.verdict for entry in found.entries} == {"X": AGREES, "dW1": CANNOT_TELL}
    assert found.exit_code == 3


def test_an_accident_is_no_cause() -> None:
    """One number in float32 that some change of the module happens to give is not evidence enough."""
    net = nn.Sequential(nn.Linear(2, 1), nn.ReLU())
    right = compare(module=net, numpy={"A1": np.zeros((1, 1))}, X=np.array([[0.5, 0.25]]))
    assert all(root.cause in ("unknown", "pattern") for root in right.roots)


@pytest.mark.parametrize("targets", ["Y", "y", "T"])
def test_targets_of_one_side_are_enough_for_a_cause(targets: str) -> None:
    draws = np.random.default_rng(3)
    X, W, y = draws.standard_normal((5, 40)), draws.standard_normal((3, 5)), draws.integers(0, 3, 40)
    weight = torch.tensor(W, requires_grad=True)
    twice = torch.softmax(torch.from_numpy(X.T) @ weight.T, 1)
    (slope,) = torch.autograd.grad(torch.nn.functional.cross_entropy(twice, torch.from_numpy(y)), weight)
    A = twice.detach().numpy().T
    mine = {"X": X, "W1": W, targets: y, "dW1": (A - np.eye(3)[:, y]) @ X.T / 40}
    found = diff(mine, {"X": X.T, "fc.weight": W, "fc.weight.grad": slope.numpy()})
    assert found.mine_alone == (targets,)
    assert found.roots[0].cause == "double-softmax"


@pytest.mark.parametrize(
    ("factor", "means"),
    [
        (2.0, ("mine is accumulated over 2 turns", "theirs has the half")),
        (1 / 4, ("accumulated over 4 turns",)),
        (1 / 3, ("theirs is accumulated over 3 turns", "mine is a mean over the n_L = 3 outputs")),
        (1.5, ("theirs is a mean over the n_L = 3 outputs too (nn.MSELoss), mine has the half",)),
        (0.7, ()),
    ],
)
def test_one_factor_of_all_gradients_has_a_meaning(factor: float, means: tuple[str, ...]) -> None:
    theirs = {"dW2": W, "db2": W[:, 0], "dW1": X, "db1": X[:, 0]}
    text = diff({name: factor * value for name, value in theirs.items()}, theirs).roots[0].text
    meant = text.split("everywhere: ")[1:]
    assert all(each in text for each in means)
    assert bool(meant) == bool(means)
    assert "everywhere: " not in diff({**theirs, "dW1": factor * X}, theirs).roots[0].text
