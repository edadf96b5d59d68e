"""Functions of NumPy and SciPy in people's programs: each kind of numbers computes them, with one derivative."""

import numpy as np
import pytest

from parity_tests.derivations.engine.numbers.kinds import PLAIN, STEP, TAPE, plain
from parity_tests.derivations.engine.python import composed
from parity_tests.derivations.engine.python.program import PythonProgram
from parity_tests.derivations.engine.truths import Cost, Truths

BEGIN = """\
import numpy as np
from scipy.special import expit, softmax, log_softmax, logsumexp, erf
from scipy.signal import convolve2d, correlate2d, fftconvolve
from numpy.lib.stride_tricks import sliding_window_view
x = np.array([[0.3, -0.2, 0.5, 0.7], [0.11, 0.4, -0.6, 0.9]])
"""

FORMULAS = (
    "np.nan_to_num(x)", "np.apply_along_axis(lambda r: r * r, 1, x)", "np.dstack([x, x])", "np.block([[x, 2 * x]])",
    "np.select([x > 0.2, x > 0], [x, x * x], 0)", "np.piecewise(x, [x > 0], [lambda t: t * t, lambda t: 3 * t])",
    "np.average(x, weights=np.array([1.0, 3.0]), axis=0)", "np.insert(x, 0, 1, axis=1)", "np.sort(x, axis=0)",
    "np.take_along_axis(x, np.argmax(x, 1)[:, None], 1)", "np.diff(x, axis=1)", "np.ptp(x)", "np.nansum(x)",
    "np.convolve(x[0], x[1])", "np.correlate(x[0], x[1], 'full')", "np.linalg.inv(x[:2, :2])", "np.rollaxis(x, 1)",
    "np.linalg.solve(x[:2, :2], x[:2, 2])", "np.bincount([0, 1], weights=x[0, :2])", "sliding_window_view(x, (2, 2))",
    "np.linalg.multi_dot([x, x.T, x])", "expit(x)", "softmax(x, axis=1)", "log_softmax(x, axis=1)",
    "logsumexp(x, axis=1)", "erf(x)", "convolve2d(x, x[:2, :2])", "fftconvolve(x, x[:2, :2], mode='valid')",
    "correlate2d(x, x[:1, :2], mode='same')", "correlate2d(x[:1, :2], x, mode='valid')",
)  # fmt: skip


@pytest.mark.parametrize("formula", FORMULAS)
def test_every_kind_computes_it_and_both_referees_agree(formula: str) -> None:
    program = PythonProgram(f"{BEGIN}y = {formula}\nJ = np.sum(y * np.cos(np.arange(y.size)).reshape(y.shape))\n")
    program.begin()
    runs = [program.run({}, kind) for kind in (PLAIN, STEP, TAPE)]
    assert not any(run.problems for run in runs)
    values = [next(event.value for event in run.events if event.name == "J") for run in runs]
    np.testing.assert_allclose(values[1:], values[0], rtol=1e-12)
    end = next(event for event in runs[0].events if event.name == "J")
    truths = Truths(program, program.probe(runs[0]), runs[0], Cost(end.key, "J", end.line))
    truth = next(each for each in truths.by_key.values() if each.event.name == "x")
    assert np.any(truth.gradient)
    assert truths.confirmed(truth)


def test_a_wrong_rule_of_one_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(composed.OF_SCIPY, "expit", lambda x: x * (1 / (1 + np.exp(-np.asarray(plain(x))))) / 2)
    with pytest.raises(AssertionError):
        test_every_kind_computes_it_and_both_referees_agree("expit(x)")
