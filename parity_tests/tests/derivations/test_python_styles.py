"""Programs in further styles: right ones raise no alarm, and repairs hold where they are pasted into the file."""

from __future__ import annotations

import io
from functools import cache, partial

import numpy as np
import pytest
from rich.console import Console

from parity_tests.derivations.engine.findings import fits, hits_of
from parity_tests.derivations.engine.numbers.kinds import is_function
from parity_tests.derivations.engine.python.aim import with_repair
from parity_tests.derivations.engine.python.judged import judge_program
from parity_tests.derivations.engine.python.reading import PythonReading
from parity_tests.derivations.engine.python.several import together
from parity_tests.derivations.own.printed import show
from parity_tests.derivations.verdicts import HOLDS, NOT_JUDGED, WRONG, Judged
from parity_tests.tests.derivations.python_styles import STYLES
from parity_tests.tests.slices import sliced

MISTAKES = [
    ("functions, tuples of caches, main block", 0), ("functions, tuples of caches, main block", 2),
    ("class, a velocity and a rate for each layer", 0), ("class, a velocity and a rate for each layer", 1),
    ("layer objects, an optimiser object", 0), ("layer objects, an optimiser object", 1),
    ("ascent on a likelihood", 0), ("ascent on a likelihood", 1), ("einsum", 0), ("einsum", 1), ("einsum", 2),
    ("a small convolutional net, loops", 0), ("autoencoder, tied weights", 0), ("autoencoder, tied weights", 1),
    ("word vectors, np.add.at", 2), ("clipped by norm, Adagrad, a rate that decays", 2),
    ("layers that are called, batch norm, two of a kind", 0), ("layers that are called, batch norm, two of a kind", 1),
    ("layers that are called, batch norm, two of a kind", 2), ("np.matrix", 0), ("np.matrix", 1),
]  # fmt: skip


@cache
def judged_text(text: str) -> Judged | None:
    return judge_program("net.py", text)


@pytest.mark.parametrize("name", sliced(STYLES, 24))
def test_a_right_program_raises_no_alarm(name: str) -> None:
    judged = judged_text(STYLES[name].text)
    assert judged is not None
    assert {line.verdict for line in judged.lines} <= {HOLDS, NOT_JUDGED}, [line.message for line in judged.lines]
    assert judged.summary.holds >= 2


@pytest.mark.parametrize(("name", "number"), sliced(MISTAKES, 12))
def test_a_mistake_is_found_named_and_mended(name: str, number: int) -> None:
    mistake = STYLES[name].mistakes[number]
    text, line = STYLES[name].wrong(mistake)
    judged = judged_text(text)
    assert judged is not None
    (found,) = [each for each in judged.lines if each.verdict == WRONG]
    assert found.line == line
    assert set(found.causes) & set(mistake.causes)
    assert found.repaired


def test_a_repair_is_written_in_the_file_as_it_is() -> None:
    style = STYLES["layer objects, an optimiser object"]
    text, line = style.wrong(style.mistakes[0])
    judged = judged_text(text)
    assert judged is not None
    (found,) = [each for each in judged.lines if each.verdict == WRONG]
    assert with_repair(text, line, found.repaired) == style.text


def test_layers_of_a_kind_are_judged_each_and_shown_once() -> None:
    judged = judged_text(STYLES["layers that are called, batch norm, two of a kind"].text)
    assert judged is not None
    weights = [each for each in judged.lines if each.text == "self.weight_grad = grad.T @ self.x"]
    assert [each.verdict for each in weights] == [HOLDS] * 3
    shown = io.StringIO()
    show(judged, Console(file=shown, width=200))
    assert shown.getvalue().count("self.weight_grad = grad.T @ self.x") == 1
    assert "line 11: self.weight_grad = grad.T @ self.x  holds 3 times, as dJ/dweight (line 5)" in shown.getvalue()


CALLED = STYLES["layers that are called, batch norm, two of a kind"]


def test_a_cost_without_a_gradient_of_its_own_is_not_followed() -> None:
    text, _ = CALLED.wrong(CALLED.mistakes[0])
    reading = PythonReading("net.py", text, "")
    trial = reading.trial(0)
    idle = [each for each in reading.usual(trial) if not hits_of(trial, each)]
    assert idle
    assert not any(fits(trial, each) for each in idle)


def test_conventions_of_several_calls_are_all_said() -> None:
    judged = judged_text(STYLES["einsum"].text)
    assert judged is not None
    one, other = judged._replace(convention="one"), judged._replace(convention="other")
    assert together(one, other, "").convention == "one; other"
    assert together(judged._replace(convention=""), other, "").convention == "other"


def test_an_object_that_is_called_has_values_a_repair_may_use() -> None:
    class Layer:
        def __call__(self) -> None: ...

    assert not is_function(Layer())
    assert all(map(is_function, (Layer, Layer.__call__, Layer().__call__, len, np.tanh, np.sum, partial(len))))


def test_what_is_not_drawn_is_said() -> None:
    text = STYLES["einsum"].text
    judged = judged_text("import matplotlib.pyplot as plt\n" + text + "plt.plot([1, 2])\nplt.show()\n")
    assert judged is not None
    assert judged.layout.endswith("matplotlib replaced: nothing is drawn")
    assert judged.summary.wrong == 0


@pytest.mark.slow
def test_clipped_gradients_follow_a_cost_that_is_not_written_down() -> None:
    text = STYLES["clipped by norm, Adagrad, a rate that decays"].text
    judged = judged_text(text.replace("    loss = np.mean((yhat - y) ** 2)\n", ""))
    assert judged is not None
    assert judged.summary.wrong == 0
    assert judged.cost.implied
