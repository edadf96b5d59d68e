"""Small numbers in the logarithms of a cost: a gradient by hand is that of the cost without them."""

from __future__ import annotations

import pytest

from parity_tests.derivations.engine.guards import LEFT_OUT, judged_without_guards, without_guards
from parity_tests.derivations.verdicts import HOLDS, WRONG, Cost, Judged, not_judged, summarised
from parity_tests.derivations.verify import verify
from parity_tests.tests.slices import sliced

TEXT = """\
Z = w @ X + b
A = 1 / (1 + np.exp(-Z))
J = -np.sum(Y * np.log(A + 1e-6) + (1 - Y) * np.log(1 - A + 1e-6)) / m
dZ = A - Y
dw = dZ @ X.T / m
db = np.sum(dZ) / m
"""


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("J = np.log(a + 1e-8).mean()", "J = np.log(a + 0   ).mean()"),
        ("J = math.log(1e-8 + (a))", "J = math.log(0    + (a))"),
        ("J = torch.sum((p + 1e-5).log())", "J = torch.sum((p + 0   ).log())"),
        ("eps = 1e-9\nJ = np.log(1 - a + eps)", "eps = 1e-9\nJ = np.log(1 - a + 0  )"),
        ("J = np.log(a + 1e-3)", "J = np.log(a + 0   )"),
        ("J = log(a + epsilon)", "J = log(a + 0      )"),
        ("def f(a, k=1e-7): return np.log2(a + k)", "def f(a, k=1e-7): return np.log2(a + 0)"),
        ("self.e = 1e-7\nJ = np.log(a + self.e)", "self.e = 1e-7\nJ = np.log(a + 0     )"),
    ],
)
def test_small_numbers_in_logarithms_are_replaced_where_they_stand(text: str, bare: str) -> None:
    assert without_guards(text) == bare


@pytest.mark.parametrize(
    "text",
    [
        "J = np.log(a + 0.1)",  # no small number
        "J = np.log(a - 1e-8)",
        "s = np.sqrt(v + 1e-8)",  # no logarithm: its slope has it
        "k = 1e-8\nk = a\nJ = np.log(p + k)",
        "def f(a, k): return np.log(a + k)",
        "eps = 0.5\nJ = np.log(a + eps)",
        "J = np.log(a + 0.0)",  # nothing to leave out
        "J = f()(a + 1e-8) + log()",
        "J = g1'(Z) + log(a + 1e-8)",  # no Python
    ],
)
def test_what_is_no_guard_stays(text: str) -> None:
    assert without_guards(text) == text


def said(wrong: int, mended: int = 0, holds: int = 1) -> Judged:
    """Of so many lines that are wrong some with a repair, beside those that hold."""
    line = not_judged("dW", 1, "dW = Y", "")
    lines = [line._replace(verdict=WRONG, repaired="dW = X" * (n < mended)) for n in range(wrong)]
    lines += [line._replace(verdict=HOLDS)] * holds
    return Judged("", Cost(""), "", "", (), tuple(lines), summarised(lines))


NONE = Judged("", Cost(""), "", "", (), (), summarised(()))


@pytest.mark.parametrize(
    ("whole", "bare", "left_out"),
    [
        (said(2), said(1), True),
        (said(2), said(2, mended=1), True),
        (said(2), said(2), False),
        (said(1), said(2, mended=2), False),
        (said(2), NONE, False),
        (said(2), None, False),
        (None, said(0), False),
        (said(0), said(0), False),
    ],
)
def test_the_small_number_is_left_out_where_less_is_wrong_then(
    whole: Judged | None, bare: Judged | None, left_out: bool
) -> None:
    text = "J = np.log(a + 1e-8)"

    def judge(asked: str) -> Judged | None:
        return whole and whole._replace(source="as written") if asked == text else bare

    judged = judged_without_guards(judge, text)
    if left_out:
        assert bare is not None
        assert judged == bare._replace(source="as written", notes=(LEFT_OUT,))
    else:
        assert judged == (whole and whole._replace(source="as written"))


def test_a_text_without_small_numbers_is_judged_once() -> None:
    asked: list[str] = []
    assert judged_without_guards(lambda text: asked.append(text) or said(1), "J = a") == said(1)  # type: ignore[func-returns-value]
    assert asked == ["J = a"]


@pytest.mark.slow
def test_a_gradient_holds_for_the_cost_without_its_guard() -> None:
    judged = verify(TEXT)
    assert {line.verdict for line in judged.lines} == {HOLDS}
    assert LEFT_OUT in judged.notes


@pytest.mark.parametrize("guard", sliced(["1e-6", "1e-12"], 2))
def test_a_mistake_beside_a_guard_is_the_only_one(guard: str) -> None:
    judged = verify(TEXT.replace("np.sum(dZ) / m", "np.sum(dZ)").replace("1e-6", guard))
    (wrong,) = [line for line in judged.lines if line.verdict == WRONG]
    assert (wrong.text, wrong.cause) == ("db = np.sum(dZ)", "missing-1/m")
    assert wrong.repaired


def test_gradients_that_have_the_guard_hold_with_it() -> None:
    slope = "dA = -(Y / (A + 1e-6) - (1 - Y) / (1 - A + 1e-6)) / m\ndZ = dA * A * (1 - A)"
    judged = verify(TEXT.replace("dZ = A - Y", slope).replace("X.T / m", "X.T").replace("np.sum(dZ) / m", "np.sum(dZ)"))
    assert {line.verdict for line in judged.lines} == {HOLDS}
    assert LEFT_OUT not in judged.notes
