"""An optimiser's lines behind a network of the text's own: judged in the writer's names, where it is a known one."""

from __future__ import annotations

import pytest

from parity_tests.derivations.engine.texts import verify_text
from parity_tests.derivations.verdicts import HOLDS, NOT_JUDGED, WRONG, Judged
from parity_tests.tests.slices import sliced

NETWORK = "Z = X @ W\nJ = 0.5*np.sum((Z - Y)**2)/N\ndW = X.T @ (Z - Y)/N\n"

ADAM = """mW = b1*mW + (1 - b1)*dW   # of the gradients
vW = b2*vW + (1 - b2)*dW**2
m_hat = mW/(1 - b1**t)
v_hat = vW/(1 - b2**t)
W = W - lr*m_hat/(np.sqrt(v_hat) + eps)"""
MOMENTUM = "vel = mu*vel + (1 - mu)*dW\nW = W - eta*vel"
RMSPROP = "cache = decay*cache + (1 - decay)*dW**2\nW = W - lr*dW/(np.sqrt(cache) + eps)"


def judged(lines: str) -> Judged:
    found = verify_text(NETWORK + lines)
    assert found is not None
    return found


IN_PLACE = MOMENTUM.replace("W = W - eta", "W -= eta")
OTHER_NAME = f"g = X.T @ (Z - Y)/N\n{RMSPROP.replace('dW', 'g')}"


@pytest.mark.parametrize("lines", [ADAM, MOMENTUM, RMSPROP, IN_PLACE, OTHER_NAME])
def test_all_lines_of_an_optimiser_hold(lines: str) -> None:
    found = judged(lines)
    assert [each.verdict for each in found.lines] == [HOLDS] * (2 + lines.count("\n"))
    assert {each.target for each in found.lines} <= {"dW", "mW", "vW", "m_hat", "v_hat", "vel", "cache", "W", "g"}


@pytest.mark.parametrize(
    ("lines", "right", "written", "cause", "diff"),
    sliced([
        (ADAM, "b1**t", "b1*t", "adam-no-power", ["- m_hat = mW/(1 - b1*t)", "+ m_hat = mW/(1 - b1**t)"]),
        (ADAM, "dW   #", "dW**2   #", "square-extra",
         ["- mW = b1*mW + (1 - b1)*dW**2   # of the gradients", "+ mW = b1*mW + (1 - b1)*dW   # of the gradients"]),
        (MOMENTUM, "W - eta", "W + eta", "sign", ["- W = W + eta*vel", "+ W = W - eta * vel"]),
        (IN_PLACE, "W -=", "W +=", "sign", ["- W += eta*vel", "+ W -= eta * vel"]),
    ], 3),
)  # fmt: skip
def test_a_slip_is_repaired_in_the_writers_names(
    lines: str, right: str, written: str, cause: str, diff: list[str]
) -> None:
    assert lines.count(right) == 1
    (line,) = [each for each in judged(lines.replace(right, written)).lines if each.verdict == WRONG]
    assert (line.cause, [row for each in line.diff for row in each.shown]) == (cause, diff)
    assert "beta" not in line.message.replace("beta**t", "")


def test_torchs_momentum_is_a_convention() -> None:
    found = judged(MOMENTUM.replace("(1 - mu)*", ""))
    assert (found.summary.wrong, found.convention[:16]) == (0, "torch's momentum")


@pytest.mark.parametrize(
    "lines",
    sliced(
        [
            "s = s + dW**2\nW = W - lr*dW/(np.sqrt(s) + eps)",
            MOMENTUM.replace("(1 - mu)", "(1 - damp)"),
            ADAM.replace("/(np.sqrt(v_hat) + eps)", "/(np.sqrt(v_hat) + eps) - lr*wd*W"),
            ADAM.replace("m_hat/", "mW/").replace("sqrt(v_hat)", "sqrt(vW)"),
            "v = 0.9*v + 0.1*dW\nW = W - 0.01*v",
            "v = rho*v + (1 - rho)*dW\nu = np.maximum(b2*u, np.abs(dW))\nW = W - lr*v/u",
        ],
        6,
    ),
)
def test_another_optimiser_is_not_judged(lines: str) -> None:
    found = judged(lines)
    assert not found.summary.wrong
    assert found.lines[-1].verdict == NOT_JUDGED
