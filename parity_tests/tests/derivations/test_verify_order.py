"""What a line is evidence for: never for itself, and only where it stands."""

from __future__ import annotations

import pytest

from parity_tests.derivations.data_flow import follows_from, reads
from parity_tests.derivations.language.syntax import parse
from parity_tests.derivations.settings import SETTINGS, setting_named
from parity_tests.derivations.settings.setting import STATES
from parity_tests.derivations.verdicts import HOLDS, NOT_JUDGED, WRONG
from parity_tests.derivations.verify import verify
from parity_tests.tests.slices import sliced

V = "v = beta * v + (1 - beta) * dW"
ADAM = [
    "v = beta1 * v + (1 - beta1) * dW",
    "s = beta2 * s + (1 - beta2) * dW**2",
    "v_corrected = v / (1 - beta1**t)",
    "s_corrected = s / (1 - beta2**t)",
    "W = W - alpha * v_corrected / (np.sqrt(s_corrected) + epsilon)",
]
BACKWARD = [
    "Z1 = W1 @ X + b1",
    "A1 = np.tanh(Z1)",
    "Z2 = W2 @ A1 + b2",
    "A2 = sigmoid(Z2)",
    "dZ2 = A2 - Y",
    "dW2 = (1/m) * dZ2 @ A1.T",
    "dZ1 = W2.T @ dZ2 * (1 - A1**2)",
    "dW1 = (1/m) * dZ1 @ X.T",
    "W2 = W2 - alpha * dW2",
    "W1 = W1 - alpha * dW1",
]


@pytest.mark.parametrize(
    ("setting", "line", "reason"),
    [
        ("shallow", "dW1 = dW1", "dW1 is read before it is assigned"),
        ("shallow", "J = J", "J is read before it is assigned"),
        ("shallow", "dZ1 = dZ1 + 0*X[0, 0]", "dZ1 is read before it is assigned"),
        ("shallow", "dW1 = (1/m) * dZ1 @ X.T + 0 * dW1", "dW1 is read before it is assigned"),
        ("shallow", "copy = db1\ndb1 = copy", "db1 is read before it is assigned"),
        ("shallow", "dW1 *= 1", "dW1 is read before it is assigned"),
        ("regression", "Z2 = A2", "A2, which it is computed from, follows from Z2 alone"),
        ("regression", "A2 = Z2\nZ2 = A2", "Z2 is read before it is assigned"),
        ("shallow", "Z1 = np.log((1 + A1) / (1 - A1)) / 2", "A1, which it is computed from, follows from Z1 alone"),
        ("shallow", "dZ2 = m * np.sum(db2) * dZ2 / np.sum(dZ2)", "dZ2 is read before it is assigned"),
        ("adam", "v = v_corrected * (1 - beta1**t)", "v_corrected, which it is computed from, follows from v alone"),
        ("relu", "g_prime = 1 * g_prime", "g_prime is read before it is assigned"),
        ("shallow", f"{BACKWARD[9]}\n{BACKWARD[9]}", "it takes a second step, behind that of line 1"),
        ("shallow", f"{BACKWARD[9]}\nW1 -= alpha * dW1", "it takes a second step, behind that of line 1"),
        ("momentum", f"{V}\n{V}", "it takes a second step, behind that of line 1"),
        ("momentum", f"{V}\nW -= alpha * v\nW -= alpha * v", "it takes a second step, behind that of line 2"),
    ],
)
def test_a_line_is_no_evidence_for_itself(setting: str, line: str, reason: str) -> None:
    verdict = verify(line, setting).lines[-1]
    assert verdict.verdict == NOT_JUDGED
    assert reason in verdict.message


def test_a_line_that_reads_itself_and_does_not_hold_is_wrong() -> None:
    (verdict,) = verify("Z2 = W2 @ A2 + b2", "shallow").lines
    assert (verdict.verdict, verdict.cause, verdict.repaired) == (WRONG, "wrong-layer", "Z2 = W2 @ A1 + b2")
    (twice,) = verify("dZ1 = dZ1 * 2", "shallow").lines
    assert (twice.verdict, twice.repaired) == (WRONG, "")  # dZ1 = dZ1 would repair nothing


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("regression", "A2 = W2 @ A1 + b2\nZ2 = A2"),  # it computed A2 from what comes before Z2
        ("shallow", "dA2 = dZ2 / (A2 * (1 - A2))"),  # A2 - Y needs no dA2
        ("momentum", f"v_old = v\n{V.replace('* v +', '* v_old +')}\nW = W - alpha * v"),
        ("momentum", f"W_old = W\n{V}\nW = W_old - alpha * v"),
        ("momentum", "W = W - alpha * v"),
        ("shallow", "W2_old = W2\nW2 = W2 - alpha * dW2\ndZ1 = W2_old.T @ dZ2 * (1 - A1**2)"),
        ("shallow", "back = W2.T @ dZ2\nW2 = W2 - alpha * dW2\ndZ1 = back * (1 - A1**2)"),
        ("adam", "\n".join(ADAM)),
        ("adam", "\n".join(ADAM[each] for each in (1, 0, 3, 2, 4))),
        ("shallow", "\n".join(BACKWARD)),
    ],
)
def test_old_values_that_are_saved_and_any_order_that_can_run_hold(setting: str, text: str) -> None:
    assert {line.verdict for line in verify(text, setting).lines} == {HOLDS}
    assert {line.verdict for line in verify(text, setting, chain=True).lines} == {HOLDS}


def test_equations_may_stand_in_any_order() -> None:
    text = "dZ1 = dA1 * g1'(Z1)\ndA1 = W2.T @ dZ2\ndZ2 = A2 - Y"
    assert {line.verdict for line in verify(text, "shallow").lines} == {HOLDS}


@pytest.mark.parametrize(
    ("setting", "rows"),
    [
        ("shallow", [*BACKWARD[4:], *BACKWARD[:4]]),
        ("shallow", [*BACKWARD, *BACKWARD]),
        ("momentum", ["W_old = W", V, "W = W - alpha * v", "W = W_old - alpha * v"]),
    ],
)
def test_a_step_from_a_saved_value_and_the_next_round_may_follow_an_update(setting: str, rows: list[str]) -> None:
    assert {line.verdict for line in verify("\n".join(rows), setting).lines} == {HOLDS}


@pytest.mark.parametrize(
    ("setting", "text", "cause"),
    sliced([
        ("momentum", f"v_prev = v\n{V}\nW = W - alpha * v_prev", "read-before-assigned"),
        ("momentum", f"W = W - alpha * v\n{V}", "read-before-assigned"),
        ("momentum", f"step = alpha * v\n{V}\nW = W - step", "read-before-assigned"),
        ("adam", "\n".join([ADAM[-1], *ADAM[:-1]]), "read-before-assigned"),
        ("adam", "\n".join(ADAM[each] for each in (0, 2, 3, 1, 4)), "read-before-assigned"),
        ("rmsprop", "W = W - alpha * dW / (np.sqrt(s) + epsilon)\ns = beta2 * s + (1 - beta2) * dW**2",
         "read-before-assigned"),
        ("shallow", "\n".join([BACKWARD[7], *BACKWARD[4:7], BACKWARD[9]]), "read-before-assigned"),
        ("shallow", "\n".join([BACKWARD[1], BACKWARD[0], *BACKWARD[2:]]), "read-before-assigned"),
        ("shallow", "\n".join([BACKWARD[9], *BACKWARD[4:8]]), "read-before-assigned"),
        ("shallow", "\n".join([*BACKWARD[4:6], BACKWARD[8], *BACKWARD[6:8]]), "updated-before-use"),
        ("shallow", f"{BACKWARD[8]}\nW2_old = W2\ndZ1 = W2_old.T @ dZ2 * (1 - A1**2)", "updated-before-use"),
    ], 6),
)  # fmt: skip
def test_the_order_of_the_lines_is_part_of_the_derivation(setting: str, text: str, cause: str) -> None:
    judged = verify(text, setting)
    (wrong,) = (line for line in judged.lines if line.verdict != HOLDS)
    assert (wrong.verdict, wrong.cause) == (WRONG, cause)
    assert {line.verdict for line in verify(wrong.repaired, setting).lines} == {HOLDS}


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("l2", [False, True])
def test_nothing_follows_from_what_is_not_needed(name: str, l2: bool) -> None:
    setting = setting_named(name)
    for symbol, target in setting.targets.items():
        after = follows_from(setting, symbol, l2)
        assert (symbol in after) == (target.kind not in STATES)
        if name in ("shallow", "deep") and symbol == "Z1":
            assert after >= {"A1", "Z2", "A2", "J", "dZ2", "dW1", "dW2"}
        if name == "shallow" and symbol == "dZ2":
            assert after == {"dZ2", "dW2", "db2", "dA1", "dZ1", "dW1", "db1", "dX"}


def test_what_a_statement_reads() -> None:
    program = parse("a = X @ W\nfor i in range(m):\n    d = a[i] * Q\n    S[i] += d + i\nQ = np.zeros_like(U) + i * S")
    assert reads(program.statements) == {"X": 1, "W": 1, "m": 2, "Q": 3, "S": 4, "i": 5}
