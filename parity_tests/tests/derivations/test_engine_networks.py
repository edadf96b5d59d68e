"""Lines of a backward pass alone, judged against a network that is described on the command line."""

from __future__ import annotations

import pytest

from parity_tests.cli import main
from parity_tests.derivations.engine.networks import NetworkError, network
from parity_tests.derivations.verdicts import HOLDS, WRONG
from parity_tests.derivations.verify import verify
from parity_tests.tests.slices import sliced

CASES = {
    "averaged later": ("dW2 = dZ2 @ A1.T / m", ["4-5-3 relu,softmax"], [], "dJ/d(...), to be averaged later"),
    "averaged above": ("dW2 = dZ2 @ A1.T", ["4-5-3 relu,softmax"], [], ""),
    "rows, summed": (
        "dW2 = A1.T @ dZ2\ndb2 = dZ2.sum(axis=0)\ndZ1 = dZ2 @ W2.T * (A1 > 0)",
        ["4-5-3 relu,softmax", "cross_entropy,sum"], [], "",
    ),
    "its slope": ("dZ1 = W2.T @ dZ2 * (1 - A1)", ["4-5-3 tanh,sigmoid"], ["dZ1"], ""),
    "another unit": ("dZ1 = W2.T @ dZ2 * A1 * (1 - A1)", ["4-5-3 sigmoid,sigmoid"], [], ""),
    "a penalty": (
        "dW1 = dZ1 @ X.T / m + reg * W1",
        ["4-5-3 tanh,linear", "squared_error,half", "", "reg/2*W^2"], [], "averaged later",
    ),
    "its penalty's two": (
        "dW1 = dZ1 @ X.T / m + reg * W1", ["4-5-3 tanh,linear", "squared_error,half", "", "reg*W^2"], ["dW1"], None
    ),
    "in small letters": (
        "delta2 = (a2 - y) * a2 * (1 - a2)\ndw2 = a1.T @ delta2\ndb2 = 2 * delta2.sum(axis=0)",
        ["4-5-3 sigmoid,sigmoid", "squared_error,half,sum", "rows"], ["db2"], "",
    ),
    "a cost of its own": (
        "J = np.sum((A3 - Y)**2) / m\ndZ3 = 2 * (A3 - Y) / m\ndW3 = dZ3 @ A2.T",
        ["4-5-5-3 relu,linear", "", "columns"], [], "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sliced(CASES, 6))
def test_lines_are_judged_against_the_network(name: str) -> None:
    text, described, wrong, convention = CASES[name]
    judged = verify(text, net=network(*described))
    assert {line.verdict for line in judged.lines} <= {HOLDS, WRONG}
    assert [line.target for line in judged.lines if line.verdict == WRONG] == wrong, [x.message for x in judged.lines]
    assert convention is None or judged.convention.endswith(convention)
    assert [line.text for line in judged.lines if line.line == 1] == [text.splitlines()[0]] * (not text.startswith("J"))


@pytest.mark.parametrize(
    ("described", "message"),
    [
        (["x"], "net is 'x', expected sizes and units such as '4-5-3 relu,softmax'"),
        (["4-5-3 relu"], "net has 1 units for 2 layers, expected one each, or hidden,output"),
        (["4-5-3 foo,softmax"], "net has the unit 'foo', expected one of relu, tanh"),
        (["4-5-3 softmax,softmax"], "softmax is the output's alone"),
        (["4-5 softmax", "entropy"], "cost is 'entropy', expected cross_entropy or squared_error"),
        (["4-5 relu", "cross_entropy"], "the output relu, expected softmax or sigmoid with it"),
        (["4-5 relu", "", "diagonal"], "layout is 'diagonal', expected rows or columns"),
        (["4-5 relu", "", "", "W"], "l2 is 'W', expected a factor times W"),
        (["4-5 relu", "", "", "reg*"], "l2 is 'reg\\*', expected a factor times W"),
        (["-".join("3" * 12)], "net has 11 layers, expected at most 9"),
    ],
)
def test_what_is_no_network_is_refused_in_a_sentence(described: list[str], message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        network(*described)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A1 = 3\ndW1 = 2", "line 1 gives A1 a value, expected lines of a backward pass"),
        ("q = 3", "no line gives a derivative of the network a value"),
    ],
)
def test_lines_that_are_no_backward_pass_are_refused(text: str, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        verify(text, net=network("4-5-3 tanh,softmax"))


@pytest.mark.slow
def test_the_network_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    line = ["verify", "dW2 = dZ2 @ A1.T / m + reg * W2", "--net", "4-5-3 relu,softmax", "--layout", "columns"]
    assert main([*line, "--l2", "reg/2*W^2"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "J is the cross-entropy, averaged over the examples, with the penalty (reg / 2) * sum W^2." in shown
    assert "Examples are columns; layers of relu, softmax." in shown
    assert main([*line, "--no-bias"]) == 1
    for flags, message in (
        (["--cost", "squared_error"], "--cost says more about a network, expected --net with it"),
        (["--net", "4-5 relu", "--setting", "deep"], "--setting belongs to settings, expected --net without it"),
        (["--net", "4-5 relu", "--l2"], "--l2 without a formula belongs to settings"),
    ):
        assert main(["verify", "dW1 = 2", *flags]) == 2
        assert message in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("text", "causes"),
    sliced(
        [
            ("dW2 = dZ2 @ A1.T / m", ["l2-missing"]),
            ("dZ2 = A2 - Y\ndW2 = dZ2 @ A1.T / m", ["", "l2-missing"]),  # the first line holds in rows as well
            ("dZ2 = A2 - Y\ndW2 = A1.T @ dZ2 / m", ["", "l2-missing"]),
        ],
        3,
    ),
)
def test_of_readings_in_which_as_many_lines_hold_that_with_the_fewest_mistakes_is_taken(
    text: str, causes: list[str]
) -> None:
    judged = verify(text, net=network("4-5-3 relu,softmax", l2="reg/2*W^2"))
    assert [line.cause for line in judged.lines] == causes
    assert judged.lines[-1].repaired.endswith("+ reg * W2")
