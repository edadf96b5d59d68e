"""The numbers that formulas are judged on: no size, border, stride or tie lets a wrong formula hold by luck."""

from __future__ import annotations

from functools import cache
from itertools import combinations, product

import pytest

from parity_tests.derivations.setting_lines import PROBES, PROBES_OF_VOLUMES
from parity_tests.derivations.settings import SETTINGS, setting_named
from parity_tests.derivations.settings.setting import derivation_of
from parity_tests.derivations.settings.volumes import CORNERS, over_windows
from parity_tests.derivations.verify import verify
from parity_tests.tests.derivations.right_formulas import rights_of
from parity_tests.tests.slices import sliced

NO_SIZE = {"stride", "pad", "t"}
"""Whole numbers that are no sizes."""

EXCEPTIONS = {
    ("logistic-one", "n_x"): "the notes draw the graph of one example with two features",
    ("shallow", "n_2"): "the shallow network of the notes has one output",
    ("minibatch", "n_2"): "it is the shallow network",
    ("relu-hidden", "n_2"): "one output, as in the shallow network",
    ("sigmoid-hidden", "n_2"): "one output, as in the shallow network",
    ("four-layers", "n_4"): "one output, as in the shallow network",
    ("rows", "n_2"): "one output, as in the shallow network",
    ("dropout-network", "n_2"): "one output, as in the shallow network",
}
"""Sizes that the setting itself fixes."""


BORDERS = (
    ("convolution", "pad", 0),
    ("sizes", "pad", 0),
    ("convolution", "stride", 1),
    ("max-pool", "stride", 1),
    ("average-pool", "stride", 1),
    ("sizes", "stride", 1),
)
"""What is none, and some, among the probes of a setting."""


def count(name: str) -> int:
    """The number of probes that a formula of the setting is judged on."""
    return PROBES_OF_VOLUMES if "small" in setting_named(name).further else PROBES


@cache
def given(name: str, seed: int) -> dict[str, int]:
    """The whole numbers of a probe by symbol."""
    return {each: value for each, value in setting_named(name).draw(seed).given().items() if isinstance(value, int)}


def sizes(name: str, seed: int) -> dict[str, int]:
    """The sizes of a probe by symbol, without what the setting fixes."""
    numbers = given(name, seed)
    return {each: value for each, value in numbers.items() if each not in NO_SIZE and (name, each) not in EXCEPTIONS}


@pytest.mark.parametrize("first", sliced(range(6), 3))
def test_sizes_are_above_two_distinct_and_change_from_probe_to_probe(first: int) -> None:
    for name in SETTINGS:
        probes = [sizes(name, first + number) for number in range(count(name))]
        for probe in probes:
            assert all(size > 2 for size in probe.values()), (name, probe)
            assert len(set(probe.values())) == len(probe), (name, probe)
        for one, other in combinations(probes, 2):
            assert all(one[each] != other[each] for each in one), (name, one, other)


def test_the_settings_with_sizes_are_looked_at() -> None:
    assert {name for name in SETTINGS if not sizes(name, 0)} == {"logistic-one"}
    for name, size in EXCEPTIONS:
        assert size in given(name, 0)


def test_borders_and_strides_are_none_and_some() -> None:
    for (name, symbol, none), first in product(BORDERS, range(5)):
        found = [given(name, seed)[symbol] for seed in range(first, first + count(name))]
        assert none in found, name
        assert len(set(found)) >= 3, name


@pytest.mark.parametrize("name", ["convolution", "max-pool", "average-pool"])
def test_windows_overlap_and_leave_something_over(name: str) -> None:
    for seed in range(PROBES_OF_VOLUMES):
        numbers = given(name, seed)
        pad, stride, f = numbers.get("pad", 0), numbers["stride"], numbers["f"]
        assert stride < f
        left = {(numbers[size] + 2 * pad - f) % stride for size in ("n_H_prev", "n_W_prev")}
        assert stride == 1 or 0 not in left


@pytest.mark.parametrize(
    ("setting", "formula", "cause"),
    [
        ("regression", "J = np.mean((A2 - Y)**2)", None),
        ("squared_error", "J = np.mean((A - Y)**2)", None),
        ("squared_error", "J = np.mean((A - Y)**2) / 2", None),
        ("multilabel", "J = -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))", None),
        ("convolution", "A_prev_pad = A_prev", "padding-ignored"),
        ("convolution", "A_prev_pad = zero_pad(A_prev, 1)", None),
        ("convolution", "A_prev_pad = zero_pad(A_prev, np.square(pad))", None),
        ("sizes", "n_H = n_H_prev - f + 2*pad + 1", "stride-ignored"),
    ],
)
def test_what_held_by_the_luck_of_a_size_is_wrong(setting: str, formula: str, cause: str | None) -> None:
    (verdict,) = verify(formula, setting).lines
    assert verdict.verdict == "wrong"
    assert cause in (None, verdict.cause)


def scattered(*after: str) -> str:
    inside = "dA_prev_pad[i, vert_start:vert_end, horiz_start:horiz_end, :] += W[:, :, :, c] * dZ[i, h, w, c]"
    return over_windows(*CORNERS, inside, before=("dA_prev_pad = np.zeros_like(A_prev_pad)",), after=after)


@pytest.mark.parametrize("pad", ["pad", "p"])
def test_a_slice_that_is_empty_without_a_border_is_named_and_mended(pad: str) -> None:
    verdict = verify(scattered(f"dA_prev = dA_prev_pad[:, {pad}:-{pad}, {pad}:-{pad}, :]"), "convolution").lines[-1]
    assert (verdict.verdict, verdict.cause) == ("wrong", "pad-zero-slice")
    assert "pad = 0" in verdict.message
    assert verdict.repaired.endswith("dA_prev = dA_prev_pad[:, pad:pad+n_H_prev, pad:pad+n_W_prev, :]")
    assert verify(verdict.repaired, "convolution").lines[-1].verdict == "holds"


SHARED = """\
dA_prev = np.zeros_like(A_prev)
for i in range(m):
    for h in range(n_H):
        for w in range(n_W):
            for c in range(n_C):
                a = A_prev[i, h*stride:h*stride+f, w*stride:w*stride+f, c]
                k = a == np.max(a)
                dA_prev[i, h*stride:h*stride+f, w*stride:w*stride+f, c] += k / np.sum(k) * dA[i, h, w, c]"""
"""Right where no two entries tie; where they do, each takes its share."""


def test_ties_are_a_case_of_their_own() -> None:
    setting = setting_named("max-pool")
    said = "dA_prev holds. Ties: the first takes all, or all do; both are used (here: {})."
    for right in rights_of("max-pool", "dA_prev", l2=False):
        assert verify(derivation_of("dA_prev", right), setting).lines[-1].message == said.format("all do")
    assert verify(SHARED, setting).lines[-1].message == said.format("neither")
    assert verify("A = max_pool(A_prev, f, stride)", setting).lines[-1].message == "A holds."
    tied = setting.tied_probe()
    assert tied is not None
    first, every = tied.answers["dA_prev"].values()
    assert tied.sentence("dA_prev", first) == said.format("the first takes all").removeprefix("dA_prev holds. ")
    assert first.sum() != pytest.approx(every.sum())
    assert setting_named("average-pool").tied_probe() is None


SOFTMAX = "{0} = np.exp({1}) / np.sum(np.exp({1}), axis={2}, keepdims=True)"


@pytest.mark.parametrize(("setting", "A", "Z", "axis"), [("softmax", "A2", "Z2", 0), ("labels", "probs", "scores", 1)])
def test_a_softmax_over_the_other_axis_is_right_if_examples_lie_along_it(
    setting: str, A: str, Z: str, axis: int
) -> None:
    other = verify(SOFTMAX.format(A, Z, 1 - axis), setting).lines[0]
    assert other.verdict == "holds"
    assert "right if the examples lie along the other axis" in other.message
    assert verify(SOFTMAX.format(A, Z, axis), setting).lines[0].message == f"{A} holds."
    for wrong in (f"{A} = np.exp({Z})", SOFTMAX.format(A, Z, "None").replace(", keepdims=True", "")):
        assert verify(wrong, setting).lines[0].verdict == "wrong"


@pytest.mark.parametrize(
    ("setting", "beside", "axis", "verdict"),
    [
        ("softmax", "dW2 = dZ2 @ A1.T / m", 1, "wrong"),  # examples are columns, so the classes lie along axis 0
        ("softmax", "A1 = np.tanh(Z1)", 1, "holds"),  # says nothing of where the examples lie
        ("softmax", "dZ1 = dA1 * (1 - A1 * A1)", 1, "holds"),
        ("labels", "scores = X @ W + b", 0, "wrong"),
        ("labels", "dscores = dscores / m", 0, "holds"),
    ],
)
def test_a_softmax_over_the_other_axis_is_wrong_beside_a_line_that_keeps_the_axes(
    setting: str, beside: str, axis: int, verdict: str
) -> None:
    A, Z = ("A2", "Z2") if setting == "softmax" else ("probs", "scores")
    found = verify(f"{SOFTMAX.format(A, Z, axis)}\n{beside}", setting).lines[0]
    assert (found.target, found.verdict) == (A, verdict)
    assert found.cause == ("wrong-axis" if verdict == "wrong" else "")
