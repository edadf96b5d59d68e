"""Texts with a forward pass of their own are judged by it, whatever their names, layout, depth and cost."""

from __future__ import annotations

import numpy as np
import pytest

from parity_tests.derivations.engine import formulas
from parity_tests.derivations.engine.numbers.kinds import KINDS
from parity_tests.derivations.engine.probes import draw
from parity_tests.derivations.engine.program import TextProgram
from parity_tests.derivations.engine.texts import read_text, verify_text, what_fails
from parity_tests.derivations.language.front import plain_line, read
from parity_tests.derivations.verdicts import HOLDS, NOT_JUDGED, WRONG
from parity_tests.derivations.verify import verify
from parity_tests.tests.derivations.engine_language import NETWORK, UNUSUAL
from parity_tests.tests.derivations.engine_texts import TEXTS, all_texts, network
from parity_tests.tests.derivations.verdicts import of_text, wrong_in
from parity_tests.tests.slices import sliced


@pytest.mark.parametrize("name", sliced(all_texts(), 24))
def test_a_right_text_raises_no_alarm_and_is_judged_whole(name: str) -> None:
    judged = of_text(all_texts()[name])
    assert {line.verdict for line in judged.lines} == {HOLDS}, [line.message for line in judged.lines]
    assert judged.summary.holds >= 1


@pytest.mark.parametrize("line", sliced(UNUSUAL, 8))
def test_numpy_as_people_write_it_is_judged_whole(line: str) -> None:
    judged = of_text(UNUSUAL[line])
    assert {verdict.verdict for verdict in judged.lines} == {HOLDS}, [each.message for each in judged.lines]
    assert judged.summary.holds >= 6


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("dZ1 = np.frobnicate(dA1)", "np.frobnicate is not part of"),
        ("dZ1 = np.fft.fft(dA1)", "np.fft.fft is not part of"),
    ],
)
def test_what_the_language_lacks_is_not_judged_and_never_wrong(row: str, reason: str) -> None:
    judged = of_text(NETWORK.strip().replace("dZ1 = dA1 * (Z1 > 0)", row))
    (line,) = [each for each in judged.lines if each.verdict != HOLDS]
    assert (line.verdict, line.target) == ("not judged", "dZ1")
    assert line.message.startswith(reason)


@pytest.mark.parametrize(
    ("factor", "convention"), [("m", "m * "), ("(-1)", "-1 * "), ("2", "2 * "), ("1/m", "1/m * "), ("1", None)]
)
@pytest.mark.parametrize("rows", [True, False])
def test_a_whole_backward_pass_times_a_usual_factor_is_a_convention(
    factor: str, convention: str | None, rows: bool
) -> None:
    text = network(rows, 3, "tanh", "softmax")
    first = next(row for row in text.splitlines() if row.startswith("dZ3"))
    judged = of_text(text.replace(first, first.replace("= ", f"= {factor} * ")))
    assert {line.verdict for line in judged.lines} == {HOLDS}
    assert judged.convention == (
        "" if convention is None else f"the gradients of the parameters are {convention}dJ/d(parameter), all of them"
    )


def test_strict_knows_no_convention() -> None:
    text = network(True, 2, "tanh", "squared").replace("(A2 - Y) / m", "A2 - Y")
    judged = of_text(text, strict=True)
    (line,) = [line for line in judged.lines if line.verdict != HOLDS]
    assert (line.target, line.causes) == ("dZ2", ("missing-1/m",))


@pytest.mark.parametrize("target", ["dW1", "db1", "dW2", "db2", "dW3", "db3"])
def test_one_line_times_two_is_exactly_that_line(target: str) -> None:
    text = network(True, 3, "relu", "squared")
    row = next(each for each in text.splitlines() if each.startswith(f"{target} "))
    judged = of_text(text.replace(row, row.replace("= ", "= 2 * ")))
    assert [line.target for line in judged.lines if line.verdict != HOLDS] == [target]


def test_without_a_cost_every_cost_that_fits_is_named_and_nothing_is_wrong() -> None:
    judged = of_text(TEXTS["no-cost-ascent"])
    assert judged.cost.implied == ("the squared error of l2 and y",)
    other = of_text(TEXTS["no-cost-ascent"].replace(" * l2 * (1 - l2)", ""))
    assert other.cost.implied == ("the cross-entropy of l2 and y",)
    assert {line.verdict for line in (*judged.lines, *other.lines)} == {HOLDS}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("dw = X.T @ (p - y)", "summed over the examples, not averaged; not the squared error of p and y"),
        ("dw = X.T @ (p - y) / len(X)", "averaged over the examples; not the squared error of p and y"),
        ("w -= 0.1 * X.T @ (p - y)", "taken to be the cross-entropy of p and y; not the squared error of p and y"),
        ("J = np.mean(np.log(p) * -y)\ng = -X.T @ (y * (1 - p))\nw -= lr * g", "parameters are X.shape[0] * dJ/d"),
    ],
)
def test_a_consistent_backward_pass_is_said_to_be_that_of_a_sum_or_of_an_average(rows: str, said: str) -> None:
    judged = of_text(f"p = sigmoid(X.dot(w))\n{rows}")
    assert {line.verdict for line in judged.lines} == {HOLDS}
    assert said in judged.cost.text + judged.convention


LOG_SOFTMAX = "p = np.exp(z - np.max(z)) / np.sum(np.exp(z - np.max(z)))\n{s} = np.log(p)\ndz = {ds}"


# no setting knows s, and one knows a as something else
@pytest.mark.parametrize("s", ["s", pytest.param("a", marks=pytest.mark.bars)])
def test_what_comes_from_above_stands_for_a_cost(s: str) -> None:
    right = verify(LOG_SOFTMAX.format(s=s, ds=f"d{s} - p * np.sum(d{s})"))
    assert right.cost.text == f"J is np.sum(d{s} * {s}), as d{s} comes from above"
    assert right.lines[-1].verdict == HOLDS
    assert verify(LOG_SOFTMAX.format(s=s, ds=f"d{s} + p")).lines[-1].verdict == WRONG


SHAPED = {
    "what comes from above, handed on": "u = X @ W\nv = gamma * u + beta\nJ = np.sum(np.maximum(v, 0) * R)\nda = R\n"
    "dv = R * (v > 0)\ndgamma = (dv * u).sum(axis=0)\ndbeta = dv.sum(axis=0)\ndW = X.T @ (dv * gamma)",
    "a bound": "r = X @ w - y\n"
    "J = np.where(np.abs(r) <= d, 0.5 * r**2, d * (np.abs(r) - 0.5 * d)).sum()\n"
    "dr = np.clip(r, -d, d)\ndw = X.T @ dr",
    "a weight of each example": "r = X @ w - y\nJ = np.sum(s * r**2) / (2 * np.sum(s))\ndw = X.T @ (s * r) / np.sum(s)",
    "a rate of decay that is learned": "D = ((X[:, None, :] - C[None, :, :])**2).sum(axis=2)\nP = np.exp(-gamma * D)\n"
    "J = 0.5 * ((P @ w - y)**2).sum()\ndw = P.T @ (P @ w - y)\ndP = np.outer(P @ w - y, w)\n"
    "dgamma = -(D * P * dP).sum()\n"
    "dC = 2 * gamma * ((P * dP)[:, :, None] * (X[:, None, :] - C[None, :, :])).sum(axis=0)",
    "one output": "n = len(X)\np = np.tanh(X @ W1) @ W2\nloss = np.abs(p - y).mean() + lam * np.sum(W1**2) / 2\n"
    "dp = np.sign(p - y) / n\ndW2 = np.tanh(X @ W1).T @ dp\n"
    "dW1 = X.T @ ((dp @ W2.T) * (1 - np.tanh(X @ W1)**2)) + lam * W1",
    "one bias, several": "h = np.tanh(X @ W + b)\np = h @ u + c\nJ = 0.5 * np.sum((p - y)**2)\n"
    "dp = p - y\ndu = h.T @ dp\ndc = dp.sum()\ndz = np.outer(dp, u) * (1 - h**2)\ndW = X.T @ dz\ndb = dz.sum(axis=0)",
    "a factor with each example": "g = c @ Wg\nJ = np.sum(g * f * U)\ndg = f * U\ndf = g * U\ndWg = c.T @ dg",
    "two vectors of weights": "mu = X @ w + b\ns2 = np.exp(X @ v + c)\n"
    "J = 0.5 * np.sum(np.log(s2) + (y - mu)**2 / s2)\n"
    "dmu = (mu - y) / s2\ndw = X.T @ dmu\ndb = np.sum(dmu)\ndv = X.T @ (0.5 * (1 - (y - mu)**2 / s2))",
    "volumes": "mu = x.mean(axis=(1, 2), keepdims=True)\n"
    "xh = (x - mu) / np.sqrt(x.var(axis=(1, 2), keepdims=True) + eps)\n"
    "y = gamma * xh + beta\nL = np.sum(y * dy)\ndbeta = dy.sum(axis=(0, 1, 2))\ndgamma = (dy * xh).sum(axis=(0, 1, 2))",
    "one word": "h = W1[c]\nu = W2 @ h\np = np.exp(u) / np.sum(np.exp(u))\nL = -np.log(p[o])\ne = p.copy()\ne[o] -= 1\n"
    "dW2 = np.outer(e, h)\ndh = W2.T @ e",
    "targets of another network": "q = np.exp(z / T) / np.sum(np.exp(z / T), axis=1, keepdims=True)\n"
    "loss = -np.sum(p * np.log(q)) * T**2 / len(z)\ndz = (q - p) * T / len(z)",
}


@pytest.mark.parametrize("name", SHAPED)
def test_shapes_follow_from_the_use_of_a_name(name: str) -> None:
    judged = of_text(SHAPED[name])
    assert {line.verdict for line in judged.lines} == {HOLDS}


OUTPUTS = "p = X @ W + b\nloss = {mean}((p - y)**2)\ndp = {dp}\ndW = X.T @ dp\ndb = dp.sum()"


@pytest.mark.parametrize("dp", ["2 * (p - y)", "(p - y)"])
def test_a_bias_as_a_number_is_no_sign_of_one_output(dp: str) -> None:
    hidden = "h = np.tanh(X @ W1 + b1)\n"
    text = hidden + OUTPUTS.format(mean="np.sum", dp=dp).replace("X @ W +", "h @ W +").replace("X.T", "h.T")
    judged = of_text(f"{text}\ndh = (dp @ W.T) * (1 - h**2)\ndW1 = X.T @ dh\ndb1 = dh.sum(axis=0)")
    assert [(line.target, line.cause) for line in judged.lines if line.verdict == WRONG] == [
        ("db", "db-summed-over-all")
    ]


def test_a_wrong_line_does_not_turn_columns_into_flat_arrays() -> None:
    forward = "z2 = w2 @ a1 + b2\na2 = np.tanh(z2)\nz3 = w3 @ a2 + b3\nC = 0.5 * np.sum((z3 - y)**2)\n"
    top = "delta3 = z3 - y\nnabla_w3 = delta3 @ a2.T\ndelta2 = w3.T @ delta3 * (1 - a2**2)\n"
    judged = of_text(f"{forward}{top}nabla_w2 = delta2 @ a2.T")
    assert [(line.line, line.verdict) for line in judged.lines if line.verdict != HOLDS] == [(8, WRONG)]


@pytest.mark.slow
def test_a_count_of_outputs_is_no_mistake_where_there_may_be_one_output() -> None:
    text = SHAPED["one output"].replace("W1).T @ dp", "W1).T @ (2 * dp)")
    judged = of_text(text)
    assert "one output" in judged.layout
    assert [(line.line, line.cause) for line in judged.lines if line.verdict == WRONG] == [(5, "extra-factor")]


UNDEFINED = """Z1 = W1 @ X + b1
A1 = g1(Z1)
Z2 = W2 @ A1 + b2
A2 = g2(Z2)
J = -np.sum({J}) / m
dZ2 = A2 - Y
dW2 = dZ2 @ A1.T / m
dZ1 = W2.T @ dZ2 * {slope}
dW1 = dZ1 @ X.T / m"""
BINARY = "Y * np.log(A2) + (1 - Y) * np.log(1 - A2)"


@pytest.mark.parametrize(
    ("J", "slope", "units"),
    [
        pytest.param(BINARY, "g1'(Z1)", "g1 is taken to be tanh and g2 to be sigmoid", marks=pytest.mark.slow),
        pytest.param(BINARY, "(Z1 > 0)", "g1 is taken to be relu and g2 to be sigmoid", marks=pytest.mark.bars),
        pytest.param(
            "-0.5 * (A2 - Y)**2",
            "A1 * (1 - A1)",
            "g1 is taken to be sigmoid and g2 to be identity",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_activations_that_are_not_defined_are_those_under_which_the_text_holds(J: str, slope: str, units: str) -> None:
    text = UNDEFINED.format(J=J, slope=slope)
    judged = of_text(text)
    assert {line.verdict for line in judged.lines} == {HOLDS}
    assert judged.layout.endswith(f"; g1 and g2 are not defined: {units}")
    if J == BINARY:
        wrong = of_text(text.replace("dW2 = dZ2", "dW2 = 3 * dZ2"))
        assert [line.target for line in wrong.lines if line.verdict != HOLDS] == ["dW2"]
        assert units in wrong.layout
    assert WRONG in {line.verdict for line in of_text(text.replace(f" * {slope}", "")).lines}


def test_of_several_slopes_from_above_none_is_taken_for_all() -> None:
    text = "c = f * c_prev\nh = o * np.tanh(c)\ndo = dh * np.tanh(c)\ndf = (dc + dh * o * (1 - np.tanh(c)**2)) * c_prev"
    assert {line.verdict for line in verify(text).lines} == {"not judged"}


@pytest.mark.slow
def test_a_penalty_in_the_gradients_is_one_in_the_cost_that_is_meant() -> None:
    text = TEXTS["no-cost-labels"].strip().replace("delta3)\n", "delta3) + reg * W2\n", 1)
    text = text.replace("np.dot(X.T, delta2)", "np.dot(X.T, delta2) + reg * W1")
    judged = of_text(text)
    assert {line.verdict for line in judged.lines} == {HOLDS}
    assert "-sum log probs at the labels y with the penalty reg/2 sum of squares" in judged.cost.implied
    other = of_text(text.replace(" + reg * W1", " + 3 * reg * W1"))
    assert [line.target for line in other.lines if line.verdict != HOLDS] in (["dW1"], ["dW2"])


def test_a_delta_is_whatever_derivative_it_is() -> None:
    text = TEXTS["no-cost-ascent"].strip().replace("l1_error * l1 * (1 - l1)", "l1_error * l2 * (1 - l2)")
    judged = of_text(text)
    assert [line.line for line in judged.lines if line.verdict != HOLDS] == [6]


def test_a_state_of_an_optimiser_is_not_judged_and_said() -> None:
    text = (
        TEXTS["linear-mse-mean"].strip() + "\ns = beta * s + (1 - beta) * dW**2\nW = W - lr * dW / (np.sqrt(s) + eps)"
    )
    (left,) = [line for line in of_text(text).lines if line.verdict != HOLDS]
    assert (left.verdict, left.target) == ("not judged", "W")
    assert "name the optimiser with --setting" in left.message


MOMENTUM = """
p = X.dot(W)
J = ((p - y)**2).mean()
grads = {'W': 2 * X.T.dot(p - y) / p.size}
vW = mu * vW - lr * grads['W']
W += vW
"""


@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    [("- lr *", "+ lr *", 4), ("W += vW", "W -= vW", 4), ("2 * X.T", "X.T", None), ("X.T.dot(p - y)", "X.T.dot(p)", 3)],
)
def test_a_step_with_a_state_goes_downhill_from_rest_and_its_gradient_is_judged(
    right: str, wrong: str, line: int | None
) -> None:
    assert {each.verdict for each in of_text(MOMENTUM.strip()).lines} == {HOLDS, "not judged"}
    judged = of_text(MOMENTUM.strip().replace(right, wrong))
    wrong_ones = wrong_in(judged)
    assert [each.line for each in wrong_ones] == ([] if line is None else [line])
    # of the two signs either may be wrong; a repair that forgets the velocity is none
    assert not any(each.repaired for each in wrong_ones if each.line > 3)
    assert bool(judged.convention) == (line is None)


def test_a_derivative_by_heads_is_that_of_what_is_put_together_later() -> None:
    text = """
# X: (5, 6)
# V: (3, 4)
h = (X @ W).reshape(5, 2, 3).transpose(1, 0, 2)
o = (h @ V).transpose(1, 0, 2).reshape(5, 8)
J = np.sum((o @ U - y)**2) / 2
do = ((o @ U - y) @ U.T).reshape(5, 2, 4).transpose(1, 0, 2)
dh = do @ V.T
dW = X.T @ dh.transpose(1, 0, 2).reshape(5, 6)
""".strip()
    assert {each.verdict for each in of_text(text).lines} == {HOLDS}
    judged = of_text(text.replace("do @ V.T", "do @ V.T * (h > 0)"))
    assert [each.line for each in judged.lines if each.verdict == WRONG] == [7]


def test_a_written_cost_is_what_the_gradients_are_held_against() -> None:
    text = TEXTS["functions-defined"].replace("(a2 - y) * sig_grad(a2)", "a2 - y")
    judged = of_text(text)
    assert [line.target for line in judged.lines if line.verdict != HOLDS] == ["delta2"]
    assert judged.convention.endswith("not what the gradients follow: they are right for the cross-entropy of a2 and y")


@pytest.mark.slow
def test_the_order_of_statements_is_real() -> None:
    row = "dA2 = np.dot(W3.T, dZ3)"
    text = TEXTS["columns-chain-of-dA"].replace(row, f"W3 = W3 - alpha * dW3\n{row}")
    judged = of_text(text)
    assert [line.target for line in judged.lines if line.verdict != HOLDS] == ["dA2"]
    kept = text.replace("W3 = W3", "old = W3\nW3 = W3").replace("np.dot(W3.T, dZ3)", "np.dot(old.T, dZ3)")
    assert {line.verdict for line in of_text(kept).lines} == {HOLDS}


def test_writing_into_an_array_changes_its_other_names() -> None:
    text = TEXTS["rows-labels-l2"].replace("dscores /= N", "dscores /= N\ndX = (probs @ W2.T * (hidden > 0)) @ W1.T")
    assert {line.verdict for line in of_text(text).lines} == {HOLDS}
    copied = text.replace("dscores = probs", "dscores = probs.copy()")
    assert [line.target for line in of_text(copied).lines if line.verdict != HOLDS] == ["dX"]


def test_what_cannot_be_read_or_computed_is_not_judged_at_its_own_line() -> None:
    text = TEXTS["residual"].strip() + "\nextra = frobnicate(X)\nthis is no formula"
    judged = of_text(text)
    left = {line.line: line.message for line in judged.lines if line.verdict == "not judged"}
    assert left.keys() == {13, 14}
    assert left[13] == "frobnicate is not known here"
    assert left[14].startswith("this line cannot be read")
    assert judged.summary.holds == 8


@pytest.mark.parametrize(
    ("row", "plain"),
    [
        ("dZ1 = W2ᵀ @ dZ2 ⊙ g1'(Z1)", "dZ1 = W2.T @ dZ2 * g1_prime(Z1)"),
        ("J = λ/2 · ‖", "J = lambda_/2 * ‖"),
        ("f = lambda z: z + lambda", "f = lambda z: z + lambda_"),
        ("a = b^2  # squared", "a = b**2  "),
        ("x = d['it''s']  # text", "x = d['it''s']  "),
        (">>> y := 3", "y = 3"),
    ],
)
def test_a_line_becomes_plain(row: str, plain: str) -> None:
    assert plain_line(row).text == plain


def test_quotients_are_names() -> None:
    tree = read("dL/dW = x\n∂J/∂z = dL/dW * 2\ny = dL / dt").tree
    targets = [each.targets[0].id for each in tree.body]  # type: ignore[attr-defined]
    assert targets == ["dW", "dz", "y"]


@pytest.mark.parametrize("name", sliced(TEXTS, 6))
def test_every_kind_of_number_computes_the_same_text(name: str) -> None:
    reading = read_text(TEXTS[name].strip())
    given = draw(reading.layout, 1).given
    first, *others = (reading.program.run(given, kind) for kind in KINDS)
    values = {event.key: event.value for event in first.events}
    for run in others:
        for event in run.events:
            if event.key in values and not event.missing:
                np.testing.assert_allclose(event.value, values[event.key], 1e-9, 1e-12)


def test_sizes_are_distinct_and_change_with_the_probe() -> None:
    layout = read_text(TEXTS["columns-chain-of-dA"].strip()).layout
    shapes = [{name: np.shape(value) for name, value in draw(layout, seed).given.items()} for seed in range(3)]
    assert len({str(each) for each in shapes}) == 3
    for each in shapes:
        sizes = {size for name in ("W1", "W2", "W3", "X") for size in each[name]}
        assert len(sizes) == 5
        assert not sizes & {1, 2}


HOSTILE = {
    "a power": "x = 9**9**9",
    "squares": "x = 10\nfor i in range(100):\n    x = x * x",
    "a list": "x = [0] * 10**9",
    "a list in place": "x = [0]\nx *= 10**9",
    "doubling": "x = [0, 1]\nfor i in range(60):\n    x = x + x",
    "an array": "x = np.zeros((10**5, 10**5))",
    "an outer product": "x = np.ones(90000)\ny = np.outer(x, x)",
    "a loop": "x = 0\nwhile True:\n    x = x + 1",
    "recursion": "def f(x):\n    return f(x)\ny = f(1)",
    "an attribute": "x = (1).__class__.__mro__",
    "an import": "y = __import__('os').system('true')",
    "a word": "x = np.load('a.npy')\ny = open('a')\nz = eval('1')",
    "a format": "x = '%1000000000d' % 3\ny = '{:>1000000000}'.format(1)",
    "repeated": "x = np.tile(np.ones(10), 10**9)",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_text_ends_and_leaves_nothing(text: str) -> None:
    run = TextProgram(read(text)).run({})
    assert run.problems
    assert all(np.size(event.value) < 10**6 for event in run.events)


def test_verify_uses_the_forward_pass_where_there_is_one_and_no_setting_is_named() -> None:
    text = TEXTS["rows-labels-l2"]
    assert verify(text).cost.text.startswith("loss = -np.sum(")
    assert verify("dW1 = (1/m) * dZ1 @ X.T").layout.startswith(("shallow", "logistic", "one", "the"))


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("A1 @ W2 + b2", "A1 @ W2 + 0 * m", 0, ""),
        ("Z2 = A1 @ W2", "Z2 = Z1 @ W2", 4, "A1 does not reach J: nothing on the way to J reads it"),
        ("A2 = Z2", "A2 = Z2\nextra = A1 @ W3", 7, "W3 does not reach J: it would never be trained"),
        ("J = 0.5", "J = np.log(-1 - m) + 0.5", 9, "J is not finite on the values that are tried: this cannot be told"),
    ],
)
def test_what_never_reaches_j_is_pointed_at(old: str, new: str, line: int, said: str) -> None:
    text = network(True, 2, "tanh", "squared")
    assert old in text
    left = {
        each.line: each.message for each in of_text(text.replace(old, new)).lines if each.verdict not in (HOLDS, WRONG)
    }
    assert left.get(line, "") == said
    assert bool(left) == bool(said)


def test_a_line_of_a_dense_layer_has_the_formulas_of_the_notes() -> None:
    for text in (network(True, 2, "tanh", "softmax"), network(False, 2, "tanh", "softmax")):
        ids = {line.target: line.formula_ids for line in of_text(text).lines}
        assert ids == {
            "dZ2": ("F098", "F175"), "dW2": ("F168",), "db2": ("F169",), "dZ1": ("F164", "F171"),
            "dW1": ("F168",), "db1": ("F169",),
        }  # fmt: skip
    assert {line.formula_ids for line in of_text(TEXTS["attention"]).lines if line.target in ("dS", "dA")} == {()}


def test_a_softmax_over_the_examples_is_pointed_at_and_not_judged() -> None:
    text = """
hidden = np.tanh(X @ V + b)
scores = hidden @ U + c
e = np.exp(scores)
p = e / e.sum(axis={})
loss = -np.sum(Y * np.log(p)) / m
dscores = (p - Y) / m
dU = hidden.T @ dscores
"""
    right, *others = (verify(text.format(axis)) for axis in ("1, keepdims=True", "0", "None"))
    assert right.summary.not_judged == right.summary.wrong == 0
    assert right.summary.holds >= 2
    for wrong in others:
        (said,) = [line for line in wrong.lines if line.verdict == "not judged"]
        assert said.line == 5
        assert "adds up to 1 over the examples" in said.message


@pytest.mark.parametrize(
    ("term", "said"),
    [
        ("np.sum(np.abs(h))", "extra is a sum over the examples, data an average"),
        ("np.sum(np.abs(h)) / len(X)", ""),
        ("reg * np.sum(W**2)", ""),
    ],
)
def test_a_sum_over_the_examples_among_averages_is_pointed_at(term: str, said: str) -> None:
    rows = ["h = np.tanh(X @ W)", "data = np.mean((h @ V - y)**2)", f"extra = {term}", "J = data + extra"]
    judged = of_text("\n".join([*rows, "dp = 2 * (h @ V - y) / y.size", "dV = h.T @ dp"]))
    left = [line for line in judged.lines if line.verdict != HOLDS]
    assert [(line.verdict, line.line) for line in left] == ([("not judged", 3)] if said else [])
    assert all(line.message.startswith(said) for line in left)


OVER_EXAMPLES = """
z1 = x @ w1 + b1
a1 = np.maximum(z1, 0)
z2 = a1 @ w2 + b2
a2 = np.exp(z2) / np.sum(np.exp(z2), axis=0)
d = a2 - onehot
dw2 = a1.T @ d / m
db2 = {db2}
db1 = np.sum(d @ w2.T * (z1 > 0), axis=0) / m
b2 = b2 - 0.1 * db2
"""
"""A softmax over the examples does not change with b2: dJ/db2 is 0, whatever the numbers."""


@pytest.mark.parametrize(
    ("db2", "verdict", "said"),
    [
        ("np.sum(d, axis=0) / m", HOLDS, "db2 holds, it is 0, as dJ/db2 is 0 here."),
        ("np.sum(a2, axis=0) / m", WRONG, "J does not change with b2 here."),
    ],
)
def test_a_claim_whose_truth_is_zero_has_a_row(db2: str, verdict: str, said: str) -> None:
    lines = {line.line: line for line in of_text(OVER_EXAMPLES.format(db2=db2)).lines}
    assert lines[8].verdict == verdict
    assert said in lines[8].message
    assert lines[10].verdict == verdict
    assert lines[7].verdict == lines[9].verdict == HOLDS


@pytest.mark.parametrize(
    ("name", "judged"),
    [("batch-norm-shift-named-beta", 4), ("lstm-gates-as-slices", 12), ("attention-root-of-d", 10), ("gru-step", 18)],
)
def test_every_derivative_that_a_text_names_is_judged(name: str, judged: int) -> None:
    assert of_text(all_texts()[name]).summary.holds == judged


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    sliced(
        [
            ("batch-norm-shift-named-beta", "dbeta = np.sum(dout", "dbeta = np.mean(dout"),
            pytest.param(
                "lstm-gates-as-slices", "df*f*(1-f), do*o*(1-o)", "do*o*(1-o), df*f*(1-f)", marks=pytest.mark.slow
            ),
            ("lstm-rows-concatenated", "dz[:, :h_prev", "dz[:, -h_prev"),
            ("layers-as-entries", "(z[1] > 0)", "(z[2] > 0)"),
            ("layer-norm-gain-named-g", "dg = (dy * xn)", "dg = (dy * x)"),
            ("embedding-mean", "dW = h.T", "dW = 2 * h.T"),
            ("lists-handed-to-a-function", "dbs[l] = delta.sum", "dbs[l] = delta.mean"),
            ("values-written-through-views", "dV.T[...] = dP.T", "dV.T[...] = P.T"),
            ("a-dict-handed-to-a-function", "(p['W2'].T @ dz2) * (z1 > 0)", "p['W2'].T @ dz2"),
        ],
        6,
    ),
)
def test_and_a_mistake_in_it_is_seen_at_its_line(name: str, right: str, wrong: str) -> None:
    text = all_texts()[name]
    row = next(number for number, each in enumerate(text.splitlines(), 1) if right in each)
    judged = of_text(text.replace(right, wrong))
    assert [line.line for line in judged.lines if line.verdict == WRONG] == [row]


def test_logarithms_and_roots_are_tried_above_zero() -> None:
    judged = of_text(
        "u = np.log(x) @ W\nJ = np.sum(np.sqrt(u**2 + c)) / 2\ndu = u / np.sqrt(u**2 + c) / 2\ndW = x.T @ du"
    )
    assert [(line.target, line.verdict) for line in judged.lines] == [("du", HOLDS), ("dW", WRONG)]


def test_a_state_that_a_root_is_taken_of_is_not_below_zero_and_all_else_is_drawn_as_ever() -> None:
    text = """
hid = np.maximum(0.01 * (X @ W1 + b1), X @ W1 + b1)
loss = 0.5 * np.mean((hid @ W2 - y)**2)
dout = (hid @ W2 - y) / y.size
dW2 = hid.T @ dout
dpre = np.where(hid > 0, 1, 0.01) * (dout @ W2.T)
dW1 = X.T @ dpre
cache = decay * cache + (1 - decay) * dW1**2
W1 -= lr * dW1 / (np.sqrt(cache) + 1e-7)
"""
    for slope, verdicts in (("0.01", {HOLDS, "not judged"}), ("0.0", {HOLDS, WRONG})):
        lines = of_text(text.replace("1, 0.01", f"1, {slope}")).lines
        assert {line.verdict for line in lines} == verdicts


def test_margins_are_wide_enough_that_what_is_behind_them_counts() -> None:
    text = all_texts()["a-margin-between-pairs"]
    wrong = of_text(text.replace("ddist = -(1 - y) * hinge / n", "ddist = (1 - y) * hinge / n"))
    assert wrong.summary.wrong >= 1


def test_what_cannot_be_computed_is_said_once_and_the_lines_behind_it_name_it() -> None:
    judged = verify(
        "z = x @ W\nh = np.frobnicate(z)\nJ = np.sum((h - y)**2)\ndh = 2 * (h - y)\ndz = dh * 3\ndW = x.T @ dz"
    )
    assert {line.verdict for line in judged.lines} == {"not judged"}
    reasons = {line.line: line.message for line in judged.lines}
    assert reasons[2] == "np.frobnicate is not part of the language"
    assert reasons[1] == "no J could be computed, since line 2 fails"
    assert sorted(reasons) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("Z1 = W1 X + b1", "this line cannot be read: write * or @ between 'W1' and 'X'"),
        ("dZ2 = 2 (A - Y)", "write * between '2' and '('"),
        ("dZ1 = dA1 * 1[Z1 > 0]", "1 is a number and has no entries: a mask is (Z > 0)"),
    ],
)
def test_mathematics_written_as_on_paper_gets_a_hint(row: str, reason: str) -> None:
    rows = ["J = np.sum(A * Y)", "dA = Y", row]
    (line,) = [each for each in of_text("\n".join(rows)).lines if each.line == 3]
    assert (line.verdict, line.message) == ("not judged", reason)


def test_a_derivative_named_after_the_labels_is_that_of_what_they_are_compared_with() -> None:
    text = TEXTS["linear-mse-mean"].strip()
    dy = next(line for line in of_text(text).lines if line.target == "dy")
    assert dy.message == "dy holds, as dJ/dy_hat (line 1)."
    assert dy.formula_ids == ("F098", "F175")
    (wrong,) = wrong_in(of_text(text.replace("(y_hat - y) /", "(y_hat - y) * y_hat /")))
    assert (wrong.target, wrong.causes) == ("dy", ("extra-factor",))
    assert wrong.repaired == "dy = 2 * (y_hat - y) / y.size"


CLIMBED = """z = X @ theta
p = 1/(1+np.exp(-z))
ll = np.sum(y*np.log(p) + (1-y)*np.log(1-p)) - lam/2*np.sum(theta**2)
grad = X.T @ (y - p) - lam*theta
theta = theta + eta*grad"""


def test_a_step_up_a_likelihood_is_said_to_go_up() -> None:
    assert of_text(CLIMBED).lines[-1].message == "theta holds, as a step along dJ/dtheta."
    (wrong,) = [each for each in of_text(CLIMBED.replace("+ eta", "- eta")).lines if each.verdict == WRONG]
    assert "the step is not along dJ/dtheta." in wrong.message
    assert wrong.repaired == "theta = theta + eta*grad"


REGRESSION = """Z1 = W1 @ X + b1
A1 = np.tanh(Z1)
Z2 = W2 @ A1 + b2
J = np.sum((Z2 - Y)**2) / 2
dZ2 = Z2 - Y
dW2 = dZ2 @ A1.T
dZ1 = W2.T @ dZ2 * (1 - A1**2)
dW1 = dZ1 @ X.T
W1 = W1 - 0.1 * dW1"""


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (f"{REGRESSION}\nW1 = W1 - 0.1 * dW1", 10, "it takes a second step along -dJ/dW1, behind that of line 9"),
        (
            REGRESSION.replace("dZ2 @ A1.T", "np.dot(dZ2, A1.T, W2)"), 6,
            "argument 3 of np.dot is where NumPy writes the result: write C = np.dot(...)",
        ),
        (
            REGRESSION.replace("np.sum((Z2 - Y)**2)", "np.sum(np.square(Z2 - Y, Z2))"), 4,
            "argument 2 of np.square is where NumPy writes the result: write C = np.square(...)",
        ),
    ],
)  # fmt: skip
def test_second_steps_and_results_that_are_written_into_an_argument_are_not_judged(
    text: str, line: int, said: str
) -> None:
    (verdict,) = [each for each in verify(text).lines if each.line == line]
    assert verdict.verdict == NOT_JUDGED
    assert said in verdict.message
    assert verify(REGRESSION).summary.holds == 5


@pytest.mark.parametrize(
    ("J", "dZ2", "wrong"),
    [
        ("-np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m", "A2 - Y", []),
        pytest.param("np.sum(-Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m", "A2 - Y", ["J"], marks=pytest.mark.slow),
        pytest.param(
            "-np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m",
            "(A2 - Y) * A2 * (1 - A2)",
            ["dZ2"],
            marks=pytest.mark.slow,
        ),
        ("np.sum((A2 - Y)**2) / (2 * m)", "A2 - Y", ["dZ2"]),
    ],
    ids=["right", "one bracket too few", "a slope too many", "a slope too few"],
)
def test_a_cost_that_is_none_of_the_usual_ones_is_wrong_where_all_gradients_follow_one(
    J: str, dZ2: str, wrong: list[str]
) -> None:
    text = REGRESSION.replace("J = np.sum((Z2 - Y)**2) / 2", f"A2 = sigmoid(Z2)\nJ = {J}")
    text = text.replace("dZ2 = Z2 - Y", f"dZ2 = {dZ2}").replace("@ A1.T", "@ A1.T / m").replace("@ X.T", "@ X.T / m")
    for written in (text, text.replace("np.tanh(Z1)", "g1(Z1)").replace("(1 - A1**2)", "g1'(Z1)")):
        judged = of_text(written)
        assert [line.target for line in judged.lines if line.verdict == WRONG] == wrong


def test_what_is_computed_from_a_line_that_cannot_be_read_is_not_wrong() -> None:
    text = REGRESSION.replace(
        "dZ1 = W2.T @ dZ2 * (1 - A1**2)", "dA1 = W2.T @@ dZ2\nback = dA1 * 2\ndZ1 = back * (1 - A1**2)"
    )
    judged = verify(text)
    assert judged.summary.wrong == 0
    left = {each.line: each.message for each in judged.lines if each.verdict == NOT_JUDGED}
    assert left == {7: "this line cannot be read: invalid syntax", 8: "it depends on line 7, which cannot be read"}
    (wrong,) = [each for each in verify(text.replace("dZ2 @ A1.T", "dZ2 @ Z1.T")).lines if each.verdict == WRONG]
    assert wrong.target == "dW2"


def test_a_text_that_takes_too_many_steps_is_not_judged_behind_them(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = "for i in range(9):\n    q = Z1 * i\n"
    text = REGRESSION.replace("dZ2 = ", f"{loop}dZ2 = ")
    run = read_text(text).trial(0).run
    assert run.problems == ()
    monkeypatch.setattr(formulas, "MOST_STEPS", 10)
    run = read_text(text).trial(0).run
    assert {message for _, message in run.problems} == {"the text takes more steps than are computed here"}
    assert verify_text(text) is None
    assert {row.message for row in what_fails(text)} == {"the text takes more steps than are computed here"}
    endless = text.replace("range(9)", "range(10**9)")
    place = text.splitlines().index("for i in range(9):") + 1
    monkeypatch.setattr(formulas, "MOST_STEPS", 10_000)
    rows = {row.line: row.message for row in what_fails(endless)}
    assert rows[1] == f"no J could be computed, since line {place} fails"
    assert 0 not in rows
