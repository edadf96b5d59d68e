"""A teacher's file is the measure of the others: they are called as it is, and judged by its cost."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from parity_tests.cli import main
from parity_tests.derivations.engine.python.judged import judge_program, reference
from parity_tests.derivations.engine.python.rubric import Rubric, call_for, defined_alone
from parity_tests.derivations.engine.python.said_cost import RefusedError
from parity_tests.derivations.own.program_file import rubric_of, verify_file
from parity_tests.derivations.verdicts import HOLDS, WRONG, Judged
from parity_tests.tests.derivations.submissions import STYLES, TEACHER, submissions
from parity_tests.tests.slices import sliced

CROSS_ENTROPY = "the cross-entropy of every output"
ALONE = STYLES["functions alone"][0].lstrip()


@pytest.fixture(scope="module")
def rubric() -> Rubric:
    return reference("solution.py", TEACHER)


def judged(text: str, rubric: Rubric) -> Judged:
    found = judge_program("student.py", text, rubric=rubric)
    assert found is not None
    return found


def wrong_lines(found: Judged) -> list[int]:
    return [line.line for line in found.lines if line.verdict == WRONG]


def test_the_reference_gives_its_call_and_the_kind_of_its_cost(rubric: Rubric) -> None:
    assert rubric.kinds == (CROSS_ENTROPY,)
    assert "grads = backward(parameters, cache, X, Y)" in rubric.call
    assert "import" not in rubric.call
    assert set(rubric.definitions) == {
        "initialize", "sigmoid", "forward", "compute_cost", "backward", "update"
    }  # fmt: skip


@pytest.mark.slow
def test_functions_alone_are_called_as_the_reference_is(rubric: Rubric) -> None:
    found = judged(ALONE, rubric)
    assert {line.verdict for line in found.lines} == {HOLDS}
    assert found.notes == ("Called as solution.py is.",)
    mistaken = ALONE.replace("(1 - A1 ** 2)", "(1 - A1)")
    assert wrong_lines(judged(mistaken, rubric)) == [15]


OTHER = (
    "-np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m",
    "np.sum((A2 - Y) ** 2) / m",
)


@pytest.mark.slow
def test_gradients_are_judged_by_the_cost_of_the_reference_where_the_own_one_is_another(rubric: Rubric) -> None:
    text = TEACHER.replace(*OTHER)
    found = judged(text, rubric)
    assert {line.verdict for line in found.lines} == {HOLDS}
    assert found.notes == (
        "Called as solution.py is.", "J is that of solution.py: the file's own (line 27) is another one."
    )  # fmt: skip
    own = judge_program("student.py", text)
    assert own is not None
    assert wrong_lines(own)
    assert wrong_lines(judged(text.replace("dZ2 = cache", "dZ2 = 2 * cache"), rubric))


@pytest.mark.slow
def test_a_program_of_another_make_runs_by_itself_and_j_is_the_references(rubric: Rubric) -> None:
    found = judged(STYLES["uphill, no cost"][0].lstrip(), rubric)
    assert {line.verdict for line in found.lines} == {HOLDS}
    assert found.notes == (
        "Not called as solution.py is: it has no backward.",
        f"J is that of solution.py, {CROSS_ENTROPY}: the file writes none.",
    )


@pytest.mark.slow
def test_the_gradients_of_another_cost_are_wrong_by_the_reference(rubric: Rubric) -> None:
    text = STYLES["script in columns"][0].lstrip()
    text = text.replace("dZ2 = A2 - Y", "dZ2 = 2 * (A2 - Y) * A2 * (1 - A2)")
    text = text.replace("-np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m", "np.sum((A2 - Y) ** 2) / m")
    own = judge_program("student.py", text)
    assert own is not None
    assert not wrong_lines(own)
    assert wrong_lines(judged(text, rubric))


@pytest.mark.slow
def test_a_reference_that_does_not_hold_is_refused() -> None:
    with pytest.raises(RefusedError) as refused:
        reference("solution.py", TEACHER.replace("(1 - cache", "(2 - cache"))
    assert str(refused.value).startswith("as the reference it must hold, and line 35 does not: dZ1 = ")
    with pytest.raises(RefusedError) as refused:
        reference("solution.py", "import numpy as np\n\ndef f(a):\n    return a\n")
    assert str(refused.value) == "as the reference it must hold, and nothing of it could be judged"


def test_what_a_file_lacks_is_the_references_but_no_gradient() -> None:
    rubric = Rubric("s.py", "f(2)\ng(3)", {"f": "def f(x):\n    return h(x)", "h": "def h(x):\n    return x"})
    assert call_for(rubric, "def g(x):\n    pass\n") == (
        "def h(x):\n    return x\ndef f(x):\n    return h(x)\nf(2)\ng(3)", ""
    )  # fmt: skip
    gradient = rubric._replace(definitions={"f": "def f(x):\n    dW = x\n    return dW"})
    assert call_for(gradient, "def g(x):\n    pass\n") == ("", "f")


def test_of_a_file_that_is_called_only_what_it_defines_is_left_in_its_place() -> None:
    text = "import numpy as np\nrate = 0.1\ndef f(x):\n    return x\nnet = f(3)\nfor i in range(3):\n    f(i)\n"
    assert defined_alone(text) == "import numpy as np\nrate = 0.1\ndef f(x):\n    return x\n\n\n\n"


@pytest.mark.slow
def test_files_are_judged_by_a_reference_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    teacher, student = tmp_path / "solution.py", tmp_path / "student.py"
    teacher.write_text(TEACHER, encoding="utf-8")
    student.write_text(ALONE, encoding="utf-8")
    found = verify_file(student, rubric=rubric_of(teacher))
    assert found.notes == ("Called as solution.py is.",)
    teacher.write_text("x = 1\n", encoding="utf-8")
    assert main(["verify", str(student), "--reference", str(teacher)]) == 2
    sentence = "solution.py: as the reference it must hold, and nothing of it could be judged"
    assert capsys.readouterr().err == f"python -m parity_tests: {sentence}\n"


@pytest.mark.parametrize("number", sliced([2, 5, 9, 46, 53, 67], 6))
def test_submissions_are_graded(number: int) -> None:
    submission = list(submissions(100))[number]
    found = judge_program("student.py", submission.text)
    assert found is not None
    assert found.summary.judged >= 4
    assert bool(wrong_lines(found)) is bool(submission.line), submission


@pytest.mark.bars
def test_a_hundred_submissions_are_graded_in_three_minutes_on_two_cores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = {f"s{number:03d}.py": each for number, each in enumerate(submissions(100))}
    (tmp_path / "all").mkdir()
    for name, submission in key.items():
        (tmp_path / "all" / name).write_text(submission.text, encoding="utf-8")
    (tmp_path / "solution.py").write_text(TEACHER, encoding="utf-8")
    begin = time.monotonic()
    words = [str(tmp_path / "all"), "--reference", str(tmp_path / "solution.py"), "--jobs", "2", "--json"]
    assert main(["verify", *words]) == 1
    seconds = time.monotonic() - begin
    marks = {Path(each["source"]).name: each["summary"] for each in json.loads(capsys.readouterr().out)}
    right = [name for name, each in key.items() if not each.line]
    assert [name for name in right if marks[name]["wrong"] or not marks[name]["judged"]] == []
    flagged = [name for name, each in key.items() if each.line and marks[name]["wrong"]]
    assert len(flagged) >= 0.95 * (len(key) - len(right))
    assert seconds <= 180
