"""What a line of a derivation sees: helpers, loops, states that are old before their line and new behind it."""

from __future__ import annotations

import pytest

from parity_tests.derivations.language.printer import to_text
from parity_tests.derivations.language.syntax import parse
from parity_tests.derivations.line_verdict import TURNED
from parity_tests.derivations.lines import judged_lines
from parity_tests.derivations.settings import setting_named
from parity_tests.derivations.settings.volumes import CORNERS, over_windows
from parity_tests.derivations.verdicts import HOLDS, WRONG
from parity_tests.derivations.verify import verify
from parity_tests.tests.slices import sliced
from parity_tests.tests.work import at_most

MANY = 5_000_000
"""Calls of functions that the slowest refusal may take."""

COURSE = over_windows(
    *CORNERS,
    "a_slice = A_pad[i, vert_start:vert_end, horiz_start:horiz_end, :]",
    "dA_pad[i, vert_start:vert_end, horiz_start:horiz_end, :] += W[:, :, :, c] * dZ[i, h, w, c]",
    "dW[:, :, :, c] += a_slice * dZ[i, h, w, c]",
    "db[:, :, :, c] += dZ[i, h, w, c]",
    before=(
        "dA_pad = np.zeros_like(A_pad)",
        "dW = np.zeros((f, f, n_C_prev, n_C))",
        "db = np.zeros((1, 1, 1, n_C))",
    ),
    after=("dA_prev = dA_pad[:, pad:pad+n_H_prev, pad:pad+n_W_prev, :]", "db = db / m"),
)
ADAM = """\
v = beta1 * v + (1 - beta1) * dW
v_corrected = v / (1 - beta1**t)
s = beta2 * s + (1 - beta2) * dW**2
s_corrected = s / (1 - beta2**t)
W = W - alpha * v_corrected / (np.sqrt(s_corrected) + epsilon)"""


@pytest.mark.slow
def test_a_whole_backward_pass_of_a_convolution() -> None:
    found = {verdict.target: verdict for verdict in verify(COURSE, "convolution").lines}
    assert {name: verdict.cause for name, verdict in found.items()} == {"dA_prev": "", "dW": "missing-1/m", "db": ""}
    assert "With dW /= m it holds" in found["dW"].message


def test_a_line_is_judged_with_the_statements_that_it_needs_and_no_others() -> None:
    lines = {line.target: line for line in judged_lines(parse(COURSE), setting_named("convolution"))}
    dA_prev = to_text(lines["dA_prev"].program)
    assert dA_prev.startswith("dA_pad = np.zeros_like(A_pad)\nfor i in range(m):")
    assert dA_prev.endswith("dA_prev = dA_pad[:, pad:pad+n_H_prev, pad:pad+n_W_prev, :]")
    assert "dW" not in dA_prev
    assert "a_slice" not in dA_prev
    assert to_text(lines["db"].program).count("\n") == 6


def test_a_mistake_in_a_helper_is_named() -> None:
    (_, verdict) = verify("slope = 1 + A1**2\nunused = nothing * 3\ndZ1 = W2.T @ dZ2 * slope", "shallow").lines
    assert (verdict.verdict, verdict.cause, verdict.line) == (WRONG, "sign", 3)
    assert verdict.repaired == "slope = 1 - A1**2\ndZ1 = W2.T @ dZ2 * slope"


def test_what_can_be_judged_is_true_for_the_lines_behind_it() -> None:
    verdicts = verify("s = 1\ndZ2 = Y - A2\nd = dZ2 * s\ndW2 = (1/m) * d @ A1.T", "shallow").lines
    assert [(verdict.target, verdict.verdict) for verdict in verdicts] == [("dZ2", WRONG), ("dW2", HOLDS)]
    chained = verify("s = 1\ndZ2 = Y - A2\nd = dZ2 * s\ndW2 = (1/m) * d @ A1.T", "shallow", chain=True).lines
    assert [verdict.verdict for verdict in chained] == [WRONG, WRONG]


def test_a_state_is_old_before_its_line_and_new_behind_it() -> None:
    assert {verdict.verdict for verdict in verify(ADAM, "adam").lines} == {HOLDS}
    for line in ADAM.splitlines():
        assert verify(line, "adam").lines[0].verdict == HOLDS
    assert verify("v = beta1 * v_corrected + (1 - beta1) * dW", "adam").lines[0].verdict == WRONG


def test_a_corrected_state_that_overwrote_the_state_is_meant_by_the_next_line() -> None:
    text = ADAM.replace("v_corrected", "v").replace("s_corrected", "s")
    verdicts = {verdict.target: verdict for verdict in verify(text, "adam").lines}
    assert {name: verdict.cause for name, verdict in verdicts.items()} == {
        "v": "adam-correction-overwritten",
        "s": "adam-correction-overwritten",
        "W": "",
    }


def test_a_line_for_the_other_axis_holds_on_a_condition_that_is_said() -> None:
    line = "A2 = np.exp(Z2) / np.sum(np.exp(Z2), axis=1, keepdims=True)"
    (alone,) = verify(line, "softmax").lines
    assert str(alone).splitlines()[1:] == [f"    {TURNED}"]
    *_, among_others = verify(f"Z2 = W2 @ A1 + b2\n{line}", "softmax").lines
    assert (among_others.verdict, among_others.cause) == (WRONG, "wrong-axis")


def test_an_unknown_name_with_a_guess_is_one_sentence() -> None:
    (line,) = verify("dW1 = dZl @ X.T", "shallow").lines
    assert line.message == "dZl is not known here; did you mean dZL or dZ2 or dZ1?"


UPDATED = "W2 = W2 - alpha * dW2\n"


@pytest.mark.parametrize("line", ["dA1 = W2.T @ dZ2", "dZ1 = W2.T @ dZ2 * g1'(Z1)", "B = W2.T\ndA1 = B @ dZ2"])
def test_a_parameter_that_is_updated_before_its_use(line: str) -> None:
    first, second = verify(UPDATED + line, "shallow").lines
    assert (first.verdict, second.verdict, second.cause) == (HOLDS, WRONG, "updated-before-use")
    assert "Before the update of W2 it holds." in second.message
    assert {verdict.verdict for verdict in verify(second.repaired, "shallow").lines} == {HOLDS}


def test_a_new_forward_pass_and_other_lines_may_follow_an_update() -> None:
    text = f"dA1 = W2.T @ dZ2\n{UPDATED}dW1 = (1/m) * dZ1 @ X.T\nZ2 = W2 @ A1 + b2\ndA1 = W2.T @ dZ2"
    assert {verdict.verdict for verdict in verify(text, "shallow").lines} == {HOLDS}
    (_, wrong) = verify(f"{UPDATED}dA1 = W2 @ dZ2", "shallow").lines
    assert wrong.cause == "transpose-missing"  # the order is a second mistake: this one is told first


@pytest.mark.parametrize(
    "text",
    sliced(
        [
            "Z = conv_forward(A_prev, W, b, stride, 10**9)",
            "Z = conv_forward(A_prev, W, b, 0, pad)",
            "Z = conv_forward(A_prev, W, b, stride)",
            "A_prev_pad = zero_pad(A_prev, 64)",
            "A_prev_pad = zero_pad(A_prev, -1)",
            "A_prev_pad = zero_pad(A_prev, 0.5)",
            "A_prev_pad = zero_pad(m, pad)",
            "Z = im2col(A_prev, 60, stride, pad)",
            "dA_prev = col2im(dZ, 64, 64, f, stride, pad)",
            "dA_prev = col2im(np.ones((1, 9)), 64, 64, 3, 64, 64)",
            "dW = np.zeros((f, f, 1000, 1000))",
            "for i in range(m):\n  for h in range(10**6):\n    for w in range(10**6):\n      dW[..., 0] += 1",
        ],
        6,
    ),
)
def test_hostile_volumes_are_refused_quickly(text: str) -> None:
    with at_most(MANY):
        judged = verify(text, "convolution")
        assert (len(judged.lines), judged.summary.holds) == (1, 0)


def test_a_comment_that_names_another_cost_leaves_open_what_depends_on_it() -> None:
    backward = "dZ2 = A2 - Y\ndW2 = dZ2 @ A1.T / m\ndA1 = W2.T @ dZ2"
    squared, own = (verify(f"# {words}\n{backward}", "shallow") for words in ("MSE loss", "log loss, not the MSE"))
    assert [line.verdict for line in squared.lines] == ["not judged", "holds", "holds"]
    assert "a comment speaks of the squared error, and J is the cross-entropy" in squared.lines[0].message
    assert [line.verdict for line in own.lines] == ["holds"] * 3
    with_its_slope = verify("# squared error\ndZ2 = (A2 - Y) * A2 * (1 - A2)\nW2 = W2 - dZ2 @ A1.T", "shallow")
    assert with_its_slope.summary.wrong == 0
