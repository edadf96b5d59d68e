"""Programs beyond one dense net: two networks in turn, recurrences, attention, windows by strides, long loops."""

from __future__ import annotations

import pytest

from parity_tests.derivations.engine import search
from parity_tests.derivations.engine.claims import Claims
from parity_tests.derivations.engine.locate import Locator
from parity_tests.derivations.engine.python.judged import judge_program
from parity_tests.derivations.engine.python.reading import PythonReading
from parity_tests.derivations.engine.truths import Truths
from parity_tests.tests.derivations.verdicts import line_of, of_program, wrong_in

IN_TURN = """\
import numpy as np
rng = np.random.RandomState(4)
V, bv = rng.randn(3, 2) * 0.5, np.zeros((1, 2))
U, bu = rng.randn(2, 1) * 0.5, np.zeros((1, 1))
lr = 0.05

def judge(x):
    return 1.0 / (1.0 + np.exp(-(x @ U + bu)))

def judge_step(real, fake):
    global U, bu
    p_real, p_fake = judge(real), judge(fake)
    loss = -np.mean(np.log(p_real)) - np.mean(np.log(1 - p_fake))
    d_real = (p_real - 1) / len(real)
    d_fake = p_fake / len(real)
    dU = real.T @ d_real + fake.T @ d_fake
    dbu = d_real.sum(axis=0, keepdims=True) + d_fake.sum(axis=0, keepdims=True)
    U = U - lr * dU
    bu = bu - lr * dbu
    return loss

def make_step(z):
    global V, bv
    fake = z @ V + bv
    p = judge(fake)
    loss = -np.mean(np.log(p))
    dscore = (p - 1) / len(z)
    dfake = dscore @ U.T
    dV = z.T @ dfake
    dbv = dfake.sum(axis=0, keepdims=True)
    V = V - lr * dV
    bv = bv - lr * dbv
    return loss

for it in range(5):
    real, z = rng.randn(6, 2) + 2.0, rng.randn(6, 3)
    print(judge_step(real, z @ V + bv), make_step(rng.randn(6, 3)))
"""


def test_each_of_two_networks_is_judged_by_its_own_cost() -> None:
    """The gradients of the other network are no derivatives of a cost, and ``d_real`` is none in the data."""
    judged = of_program(IN_TURN)
    assert (judged.summary.wrong, judged.summary.not_judged) == (0, 0)
    assert judged.summary.holds >= 10
    assert judged.cost.text.count("loss") == 2


@pytest.mark.parametrize(
    ("written", "mistaken"),
    [
        ("dscore = (p - 1) / len(z)", "dscore = p / len(z)"),
        ("dU = real.T @ d_real + fake.T @ d_fake", "dU = real.T @ d_real"),
    ],
)
def test_a_mistake_in_one_of_two_networks_is_at_its_line(written: str, mistaken: str) -> None:
    """The first in the second network, the second in the first."""
    text = IN_TURN.replace(written, mistaken)
    wrong = wrong_in(of_program(text))
    assert [line.line for line in wrong] == [line_of(mistaken, text)]
    assert wrong[0].repaired


SEQUENCE = """\
import numpy as np
rng = np.random.default_rng(0)
U, W, V = rng.normal(size=(4, 3)) * 0.3, rng.normal(size=(4, 4)) * 0.3, rng.normal(size=(2, 4)) * 0.3
X, Y = rng.normal(size=(4, 3, 5)), rng.normal(size=(4, 2, 5))
for it in range(3):
    h = {-1: np.zeros((4, 5))}
    out = {}
    loss = 0
    for t in range(4):
        h[t] = np.tanh(U @ X[t] + W @ h[t - 1])
        out[t] = V @ h[t]
        loss += 0.5 * np.sum((out[t] - Y[t]) ** 2)
    dU, dW, dV = np.zeros_like(U), np.zeros_like(W), np.zeros_like(V)
    dnext = np.zeros((4, 5))
    for t in reversed(range(4)):
        dout = out[t] - Y[t]
        dV += dout @ h[t].T
        dh = V.T @ dout + dnext
        draw = (1 - h[t] ** 2) * dh
        dU += draw @ X[t].T
        dW += draw @ h[t - 1].T
        dnext = W.T @ draw
    U -= 0.01 * dU
    W -= 0.01 * dW
    V -= 0.01 * dV
"""


def test_what_goes_on_to_the_turn_before_is_the_mistake_and_not_the_sum_that_it_goes_into() -> None:
    """``dnext`` is no derivative of J: of the states only the sum is."""
    text = SEQUENCE.replace("dnext = W.T @ draw", "dnext = W @ draw")
    (wrong,) = wrong_in(of_program(text))
    assert wrong.line == line_of("dnext = W @ draw", text)
    assert "W.T @ draw" in wrong.repaired


ATTENTION = """\
import numpy as np
rng = np.random.default_rng(1)
Wq, Wk, Wv = (rng.normal(size=(4, 6)) * 0.4 for _ in range(3))
X, Y = rng.normal(size=(5, 4)), rng.normal(size=(5, 6))
d_k = 6
mask = np.triu(np.full((5, 5), -1e9), k=1)
for it in range(3):
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    scores = Q @ K.T / np.sqrt(d_k) + mask
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    A = e / e.sum(axis=1, keepdims=True)
    out = A @ V
    loss = 0.5 * np.sum((out - Y) ** 2)
    dout = out - Y
    dV = A.T @ dout
    dA = dout @ V.T
    dscores = A * (dA - (dA * A).sum(axis=1, keepdims=True))
    dscores = dscores / np.sqrt(d_k)
    dQ = dscores @ K
    dK = dscores.T @ Q
    dWq = X.T @ dQ
    dWk = X.T @ dK
    dWv = X.T @ dV
    Wq -= 0.01 * dWq
    Wk -= 0.01 * dWk
    Wv -= 0.01 * dWv
"""


def test_a_factor_that_several_lines_lack_is_one_mistake_where_they_come_from() -> None:
    """What is behind is right as its name says, and yet all that is computed from it lacks the scale."""
    text = ATTENTION.replace("    dscores = dscores / np.sqrt(d_k)\n", "")
    (wrong,) = wrong_in(of_program(text))
    assert wrong.line == line_of("dscores = A * (dA", text)
    assert "np.sqrt(d_k)" in wrong.repaired


STRIDES = """\
import numpy as np
from numpy.lib.stride_tricks import as_strided
rng = np.random.default_rng(0)
K, x, y = rng.normal(size=(2, 2, 3)), rng.normal(size=(4, 5, 5)), rng.normal(size=(4, 4, 4, 3))

def windows(x):
    B, H, W = x.shape
    b, h, w = x.strides
    return as_strided(x, (B, H - 1, W - 1, 2, 2), (b, h, w, h, w))

for it in range(3):
    out = np.tanh(np.einsum("bijkl,klf->bijf", windows(x), K))
    loss = 0.5 * np.sum((out - y) ** 2)
    dz = (out - y) * (1 - out ** 2)
    dK = np.einsum("bijkl,bijf->klf", windows(x), dz)
    K -= 0.01 * dK
"""


def test_windows_by_strides_are_followed_by_both_referees() -> None:
    """``x.strides`` are those of an array whose entries lie one behind the other."""
    judged = of_program(STRIDES)
    assert judged.summary.wrong == judged.summary.not_judged == 0
    assert judged.summary.holds >= 3
    (wrong,) = wrong_in(of_program(STRIDES.replace("(1 - out ** 2)", "(1 - out)")))
    assert wrong.line == line_of("(1 - out)", STRIDES.replace("(1 - out ** 2)", "(1 - out)"))


def test_of_a_long_run_what_puts_a_claim_right_is_tried_first() -> None:
    """The way back is linear in each of its values: one run says what any other value in a place comes to."""
    text = ATTENTION.replace("dA = dout @ V.T", "dA = 2 * dout @ V.T")
    reading = PythonReading("net.py", text)
    trial = reading.trial(0)
    claims = Claims(Truths(*trial, reading.written(trial)[0]))
    locator = Locator(claims, 1.0)
    state = locator.failures.state({})
    claim = next(each for each in state.failing if each.event.name == "dWq")
    own = locator.search.expected(claim)
    suspects = list(locator.suspects.of(state, claim, own, claims.leads_to(claim.event.key, {}) or ()))
    first = locator._promising(suspects, claim, own, {})[:3]
    for each in first:
        mended, _ = locator.search.mended(state, {each.event.key: each.expected})
        assert claim.event.key in mended or each.event.key == claim.event.key
    assert [each.event.name for each in first] != [each.event.name for each in suspects[:3]]


def test_a_search_for_one_slip_under_many_costs_is_no_longer_than_one_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program without a cost whose output is compared with many labels: all guesses share the trials."""
    shares: list[float] = []
    begun = search.Search.__init__

    def begin(self: search.Search, *arguments: object) -> None:
        begun(self, *arguments)  # type: ignore[arg-type]
        shares.append(self.share)

    monkeypatch.setattr(search.Search, "__init__", begin)
    judge_program("net.py", NO_COST)
    assert shares
    assert sum(each for each in shares if each < 1) <= 1 + 1e-9


NO_COST = """\
import numpy as np
rng = np.random.default_rng(0)
W, V = rng.normal(size=(4, 3)), rng.normal(size=(3, 2))
X, y = rng.normal(size=(5, 4)), rng.normal(size=(5, 2))
for it in range(3):
    h = np.tanh(X @ W)
    out = h @ V
    e = y - out
    dV = h.T @ (e * e * e)
    dW = X.T @ ((e * e) @ V.T * h)
    V += 0.1 * dV
    W += 0.1 * dW
"""
