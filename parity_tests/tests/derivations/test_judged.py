"""Nothing is skipped in silence: every line and every function is judged, helps a judged one, or says why not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from parity_tests import Judged
from parity_tests.cli import main
from parity_tests.derivations.own.answers import Answer
from parity_tests.derivations.own.not_looked_at import not_looked_at
from parity_tests.derivations.own.printed import NOT_ALL, exit_code
from parity_tests.derivations.verdicts import (
    CANNOT_TELL,
    HOLDS,
    NOT_JUDGED,
    WRONG,
    Cost,
    Summary,
    closing,
    not_judged,
    summarised,
)
from parity_tests.derivations.verify import verify
from parity_tests.tests.derivations.test_verify_data import numbers

RIGHT = "dW1 = (1/m) * dZ1 @ X.T"


def said(judged: Judged) -> list[tuple[int, str, str]]:
    return [(line.line, line.target, line.verdict) for line in judged.lines]


def test_every_line_is_judged_a_helper_or_not_judged() -> None:
    judged = verify(f"slope = 1 - A1**2\nunused = 3\ndZ1 = W2.T @ dZ2 * slope\n{RIGHT.replace('X', 'Q')}", "shallow")
    assert said(judged) == [(2, "unused", NOT_JUDGED), (3, "dZ1", HOLDS), (4, "dW1", NOT_JUDGED)]
    assert judged.summary == Summary(1, 1, 0, 0, 2, helpers=1)
    unused, _, unknown = judged.lines
    assert unused.message.startswith("unused is not judged: no judged line reads it")
    assert unknown.message.startswith("Q is not known here")
    assert closing(judged) == "1 judged: 1 holds; not judged: 2 (line 2, line 4); 1 helper."


def test_what_is_built_up_is_one_judged_line_and_its_helpers() -> None:
    judged = verify(
        "dW1 = np.zeros_like(W1)\nfor i in range(m):\n    d = dZ1[:, i:i+1]\n    dW1 += d @ X[:, i:i+1].T / m"
    )
    assert said(judged) == [(4, "dW1", HOLDS)]
    assert judged.summary == Summary(1, 1, 0, 0, 0, helpers=2)


def test_a_text_of_which_nothing_is_known_is_not_judged(capsys: pytest.CaptureFixture[str]) -> None:
    judged = verify("dQ9 = A3 - Y\nhelper = dQ9 * 2")
    assert said(judged) == [(1, "dQ9", NOT_JUDGED), (2, "helper", NOT_JUDGED)]
    assert "the nearest, deep, lacks dQ9, helper" in judged.lines[0].message
    assert said(verify("helper = A2 - Y", "shallow")) == [(1, "helper", NOT_JUDGED)]
    assert main(["verify", "dQ9 = A3 - Y"]) == NOT_ALL
    assert capsys.readouterr().out.endswith("0 judged; not judged: 1 (line 1).\n")


def test_the_answer_says_against_what(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", RIGHT, "--l2"]) == 1
    shown = capsys.readouterr().out
    assert shown.startswith(
        "J is -(1/m) * sum of Y log A2 + (1 - Y) log(1 - A2), over outputs and examples; also + lam"
    )
    assert "One hidden tanh layer, one sigmoid output, m examples; examples in columns (setting shallow, cho" in shown
    assert "Referees: autograd and the complex step." in shown
    assert main(["verify", RIGHT, "--setting", "shallow", "--quiet"]) == 0
    assert capsys.readouterr().out == "1 judged: 1 holds; not judged: none.\n"


def test_the_answer_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", f"{RIGHT}\nq = 1", "--setting", "shallow", "--json"]) == NOT_ALL
    data = json.loads(capsys.readouterr().out)
    assert list(data) == ["source", "cost", "convention", "layout", "referees", "lines", "summary", "notes"]
    assert list(data["cost"]) == ["text", "line", "implied", "cell", "otherwise"]
    assert data["referees"] == ["autograd", "the complex step"]
    assert data["lines"][1]["error"] is None
    counts = {"judged": 1, "holds": 1, "not_judged": 1}
    assert data["summary"] == {name: counts.get(name, 0) for name in Summary._fields}


@pytest.mark.parametrize(
    ("verdicts", "code", "sentence"),
    [
        ([HOLDS, HOLDS], 0, "2 judged: 2 hold"),
        ([HOLDS, NOT_JUDGED], NOT_ALL, "1 judged: 1 holds"),
        ([NOT_JUDGED], NOT_ALL, "0 judged"),
        ([HOLDS, WRONG, NOT_JUDGED], 1, "2 judged: 1 holds, 1 wrong"),
        ([CANNOT_TELL, NOT_JUDGED], 1, "1 judged: 1 cannot be told"),
    ],
)
def test_what_is_wrong_goes_before_what_was_not_judged(verdicts: list[str], code: int, sentence: str) -> None:
    summary = summarised(not_judged("q", 1, "q", "")._replace(verdict=each) for each in verdicts)
    assert exit_code(Answer("", Judged("", Cost(""), "", "", (), (), summary))) == code
    assert summary.sentence == sentence


def test_arrays_that_a_setting_lacks_are_not_judged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.npz"
    np.savez(path, **numbers("shallow"), velocity=np.ones(3))
    assert main(["verify", "--data", str(path), "--setting", "shallow", "--l2"]) == NOT_ALL
    shown = capsys.readouterr().out
    assert "velocity is not judged: it is no symbol of setting shallow." in shown
    assert "not judged: 1 (velocity)." in shown


HELD = """\
import numpy as np

def exp(z):
    return np.exp(z)

def sigmoid(z):
    return 1 / (1 + exp(-z))
"""

FILES = {
    "methods": (
        "class Net:\n    def backward(self, dout):\n        def slope(a):\n            return a\n        return dout\n",
        {"Net.backward": "it is a method"},
    ),
    "another name": ("def backprop(X, Y):\n    return X @ Y.T\n", {"backprop": "no public function has this name"}),
    "a script": (
        "X = np.ones((3, 2))\nfor step in range(3):\n    delta = sigmoid(X) - 1\n    grads['W1'] = delta @ X.T\n"
        "    self.db, n = delta.sum(), 3\n    W1 -= 0.1 * delta\n",
        {"delta": "outside of the functions", "W1": "outside of the functions", "db": "outside of the functions"},
    ),
    "steps alone": (
        "w, n = np.zeros(3), 0\nfor i in range(9):\n    w -= 0.1 * X @ sigmoid(w)\n    b = b - 0.1 * sigmoid(b)\n"
        "    u += Y.dot(sigmoid(u))\n    n += sigmoid(3)\n    k = n - 1\n",
        dict.fromkeys("wbu", "outside of the functions"),
    ),
    "a main block": (
        "if __name__ == '__main__':\n    n = 3 * 4\n    with np.errstate():\n        W1_grad = sigmoid(2 * X)\n",
        {"W1_grad": "outside of the functions"},
    ),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_of_which_only_a_helper_was_judged(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more, left = FILES[kind]
    found, helpers = not_looked_at(HELD + more, ["sigmoid"])
    assert {each.target for each in found} == left.keys()
    assert all(left[each.target] in each.message for each in found)
    assert helpers == 1


def test_a_network_that_was_not_looked_at_never_ends_in_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "net.py"
    path.write_text(HELD + FILES["another name"][0])
    assert main(["verify", str(path)]) == NOT_ALL
    shown = capsys.readouterr().out
    assert "backprop is not judged: no public function has this name." in shown
    assert "1 judged: 1 holds; not judged: 1 (line 8); 1 helper." in shown
    path.write_text(HELD)
    assert main(["verify", str(path)]) == 0


def test_a_file_without_a_public_name_is_not_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "net.py"
    path.write_text("def backprop(X):\n    return X\nraise SystemExit('it was run')\n")
    assert main(["verify", str(path)]) == NOT_ALL
    assert "not judged: 1 (line 1)" in capsys.readouterr().out
