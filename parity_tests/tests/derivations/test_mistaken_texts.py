"""Texts of strangers: right ones hold, and a mistake in them is seen, at its line, with its cause and a true repair."""

from __future__ import annotations

import pytest

from parity_tests.tests.derivations.mistaken_texts import mistaken_texts, right_texts
from parity_tests.tests.derivations.test_engine_mistakes import rates, wrong_lines
from parity_tests.tests.derivations.verdicts import of_text
from parity_tests.tests.slices import sliced

UNUSUAL = (
    "softplus-regression",  # one bias is a number, another an array: np.outer says of which weights
    "l2-half-over-m-logistic",  # y.T: a number is not transposed, and J is one number
    "focal-binary",  # an exponent is a number
    "svm-hinge-loops",  # S[i, y[i]]: y holds labels
    "flat-1d-single-example",  # yhat[k]: one label
    "gelu-tanh-approx",  # dinner is the slope of a unit
    "contrastive-margin",  # dd2 is one term of a derivative
)
"""Of the right texts those that were not read, or called wrong."""

FOUND = {
    "sig-squared-depth4:7": ("missing-1/m", "gw2 = delta2 @ a1.T / m"),
    "bn-train-rows:2": ("missing-term", "dx = dxc - dmu / N"),
    "gelu-tanh-approx:3": ("sign", "dpre = dact * (0.5 * (1 + t) + 0.5 * pre * (1 - t ** 2) * dinner)"),
    "gelu-tanh-approx:5": ("missing-factor", "dinner = k * (1 + 0.044715 * (3 * pre ** 2))"),
    "gelu-tanh-approx:6": ("square-missing", "dinner = k * (1 + 3 * 0.044715 * pre ** 2)"),
    "gelu-tanh-approx:8": ("missing-factor", "dinner = ((1 + 3 * 0.044715 * pre ** 2) * k)"),
    "loops-scalar-logistic:5": ("gprime-extra-at-output", "dz = a - y[i]"),
    "contrastive-margin:0": ("sign", "dW = xa.T @ ddiff - xb.T @ ddiff"),
    "focal-binary:3": ("sign", "dneg = -gam * p ** (gam - 1) * np.log(1 - p) + p ** gam / (1 - p)"),
    "triplet-rows:0": ("sign", "ga = 2 * active[:, None] * (fn - fp)"),
    "embedding-bag:7": ("sign", "dlogits[np.arange(n), y] -= 1"),
    "svm-hinge-loops:1": ("overwritten", "dW[:, j] += X[i]"),
    "moe-two-experts:2": ("index", "de1 = dout * g[:, 0:1]"),
    "moe-two-experts:9": ("missing-factor", "dg2 = np.sum(dout * e2, axis=1, keepdims=True)"),
    "logcosh-cols:1": ("wrong-function", "dO = np.tanh(O - Y) / m"),
    "vae-kl:0": ("missing-term", "dmu = dz + mu / n"),
    "label-smoothing:1": ("function-missing", "do = (np.exp(logp) - y_s) / N"),
    "dropout-inverted-cols:4": ("wrong-number", "dZ1 = np.where(Z1 > 0, dA1, 0)"),
}
"""Mistakes of which the line, the cause or the repair was another one, or none."""


@pytest.mark.parametrize("name", UNUSUAL)
def test_an_unusual_right_text_holds(name: str) -> None:
    judged = of_text(right_texts()[name])
    assert judged.summary.holds == judged.summary.judged > 0


@pytest.mark.parametrize("name", sliced(FOUND, 6))
def test_a_mistake_in_it_is_the_one_report(name: str) -> None:
    (mistake,) = (each for each in mistaken_texts() if each.name == name)
    (line,) = wrong_lines(mistake.text)
    cause, repaired = FOUND[name]
    assert (line.line, line.repaired.replace("**", " ** ").replace("  ", " ")) == (mistake.line, repaired)
    assert cause in line.causes


@pytest.mark.slow
def test_what_is_no_derivative_is_not_said_to_hold_as_one() -> None:
    (mistake,) = (each for each in mistaken_texts() if each.name == "contrastive-margin:4")
    judged = of_text(mistake.text)
    assert 9 not in {each.line for each in judged.lines}
    assert judged.summary.helpers == 1
    assert judged.summary.wrong == 1


def test_the_slope_of_a_unit_is_a_helper() -> None:
    judged = of_text(right_texts()["gelu-tanh-approx"])
    assert 13 not in {each.line for each in judged.lines}
    assert judged.summary.helpers == 1


@pytest.mark.parametrize("name", sliced(["dinner", "slope"], 2))
def test_a_wrong_slope_is_one_by_its_own_line(name: str) -> None:
    (mistake,) = (each for each in mistaken_texts() if each.name == "gelu-tanh-approx:6")
    (line,) = wrong_lines(mistake.text.replace("dinner", name))
    assert line.line == 13
    assert f"{name} is " in line.message
    assert "it should be dinner/dpre" in line.message


TWO = {
    "softmax-jacobian-mse": {  # dp is right: it holds as the derivative that its name says
        "ds = p * (dp - np.sum(p * dp, axis=1, keepdims=True))": "ds = dp",
        "dW = x.T @ ds": "dW = x.T @ dp",
    },
    "dropout-inverted-cols": {  # two changes of the second line are no sign that the first is right
        "dA1 = dA1d * D1": "dA1 = dA1d",
        "dZ1 = np.where(Z1 > 0, dA1, 0)": "dZ1 = np.where(Z1 > 0, dA1, 1)",
    },
    "l1-linear": {  # nor are two changes of one line likelier than one change of two
        "db = 2 / n * np.sum(resid)": "db = 1 / n * np.sum(resid)",
        "dw = 2 / n * X.T @ resid + lam * np.sign(w)": "dw = 2 / n * X.T @ resid + 2 * lam * np.sign(w)",
    },
}


@pytest.mark.parametrize("name", sliced(TWO, 3))
def test_of_two_mistakes_each_is_at_its_line_and_no_other_line_is_wrong(name: str) -> None:
    text = right_texts()[name]
    for right, wrong in TWO[name].items():
        assert right in text
        text = text.replace(right, wrong)
    rows = text.splitlines()
    found = {rows[line.line - 1].strip(): line.repaired for line in wrong_lines(text)}
    assert found.keys() == set(TWO[name].values())
    assert {each for each in found.values() if each and "2 * 1" not in each} <= TWO[name].keys()


@pytest.mark.bars
def test_all_right_texts_hold() -> None:
    assert not {name: lines for name, text in right_texts().items() if (lines := wrong_lines(text))}


@pytest.mark.bars
@pytest.mark.parametrize(("put_aside", "cause"), [(False, 0.9), (True, 0.8)])
def test_mistakes_in_texts_of_strangers_are_found_and_mended(put_aside: bool, cause: float) -> None:
    count = rates(each for each in mistaken_texts() if each.put_aside == put_aside)
    total = count["all"]
    assert count["flagged"] >= 0.95 * total, count
    assert count["line"] >= 0.9 * total, count
    assert count["more"] <= 0.03 * total, count
    assert count["cause"] >= cause * total, count
    assert count["repaired"] >= 0.85 * total, count
