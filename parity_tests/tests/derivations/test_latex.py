"""Notes in LaTeX: what is found, read and judged, and what is said of what is not."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from parity_tests.cli import main
from parity_tests.derivations.latex import judge
from parity_tests.derivations.latex.answers import verify_latex, verify_note
from parity_tests.derivations.latex.claims import Claim
from parity_tests.derivations.latex.conventions import Told
from parity_tests.derivations.latex.documents import note_of
from parity_tests.derivations.latex.tree import walk
from parity_tests.derivations.latex.usual import Usual
from parity_tests.derivations.verdicts import DOUBTFUL, HOLDS, NO_CLAIM, NOT_JUDGED, WRONG, Judged
from parity_tests.notes.reading import figures, judged_notes, readings
from parity_tests.notes.row import FORMULA, Check, Finding, Row
from parity_tests.notes.row import HOLDS as HOLDS_IN_NOTES
from parity_tests.notes.row import WRONG as WRONG_IN_NOTES
from parity_tests.tests.slices import sliced

COURSE = r"""
# Forward
$Z^{[1]} = W^{[1]} X + b^{[1]}$ and $$Z^{[2]} = W^{[2]} A^{[1]} + b^{[2]}$$
# Backward
\begin{align}
dZ^{[2]} &= A^{[2]} - Y \\
dW^{[2]} &= \frac{1}{m} dZ^{[2]} A^{[1]T} \\
db^{[2]} &= \frac{1}{m} \sum_{i=1}^{m} dZ^{[2](i)}
\end{align}
"""
NIELSEN = r"""
$$a^l = \sigma(w^l a^{l-1} + b^l)$$ $$C = \frac{1}{2} \|a^L - y\|^2$$
$$\delta^L = (a^L - y) \odot \sigma'(z^L)$$ $$\delta^l = ((w^{l+1})^T \delta^{l+1}) \odot \sigma'(z^l)$$
"""
ROWS = "$$Z^{[1]} = X W^{[1]} + b^{[1]}$$ $$Z^{[2]} = A^{[1]} W^{[2]} + b^{[2]}$$\n"


def lines(text: str, told: Told | None = None) -> Judged:
    return verify_latex(text, told)


def last(text: str, told: Told | None = None) -> tuple[str, str]:
    """Verdict and cause of the last line."""
    judged = lines(text, told).lines[-1]
    return judged.verdict, judged.cause


@pytest.mark.parametrize(
    ("before", "claim"),
    sliced(
        [
            (COURSE, r"dZ^{[1]} = W^{[2]T} dZ^{[2]} * g^{[1]\prime}(Z^{[1]})"),
            (COURSE, r"dZ^{[1]} = (\mathbf{W}^{[2]})^{\top} dZ^{[2]} \circ [g^{[1]}(Z^{[1]})]'"),
            (COURSE, r"db^{[1]} = \frac{1}{m} \text{np.sum}(dZ^{[1]}, \text{axis}=1, \text{keepdims}=True)"),
            (COURSE, r"\frac{\partial J}{\partial W^{[1]}} = \frac1m \underbrace{dZ^{[1]}}_{n \times m} X^T \tag{3}"),
            (COURSE, r"W^{[1]} := W^{[1]} - \alpha \, dW^{[1]}"),
            (COURSE, r"J = -\frac{1}{m}\sum_{i=1}^m [y^{(i)} \log a^{[2](i)} + (1-y^{(i)})\log(1-a^{[2](i)})]"),
            (NIELSEN, r"\delta^l_j = \sum_k w^{l+1}_{kj} \delta^{l+1}_k \sigma'(z^l_j)"),
            (NIELSEN, r"\frac{\partial C}{\partial w^l_{jk}} = a^{l-1}_k \delta^l_j"),
            (NIELSEN, r"\delta^L = \nabla_a C \odot \sigma'(z^L)"),
            (NIELSEN, r"\delta^l = \Sigma'(z^l) (w^{l+1})^T \delta^{l+1}"),
            (ROWS, r"dW^{[2]} = \frac{1}{m} A^{[1]T} dZ^{[2]}"),
            ("", r"\frac{d}{dz} \sigma(z) = \sigma(z)(1 - \sigma(z)) = \frac{e^{-z}}{(1+e^{-z})^2}"),
            ("", r"g'(z) = \begin{cases} 1 & \text{if } z > 0 \\ 0 & z \le 0 \end{cases}"),
            ("", r"\frac{\partial L}{\partial a} = -\frac{y}{a} + \frac{1-y}{1-a}"),
            ("", r"dw = \frac{1}{m} X (A - Y)^T"),
            ("", r"\theta_j := \theta_j - \alpha \frac{1}{m}\sum_{i=1}^m (h_\theta(x^{(i)}) - y^{(i)}) x_j^{(i)}"),
            (
                "",
                r"\frac{\partial J}{\partial \theta_j} = "
                r"\frac{1}{m}\sum_{i=1}^m (h_\theta(x^{(i)}) - y^{(i)}) x_j^{(i)}",
            ),
        ],
        6,
    ),
)
def test_right_formulas_hold(before: str, claim: str) -> None:
    assert last(f"{before}\n$${claim}$$") == (HOLDS, "")


@pytest.mark.parametrize(
    ("before", "claim", "cause"),
    sliced(
        [
            (COURSE, r"dW^{[1]} = dZ^{[1]} X^T", "missing-1/m"),
            (COURSE, r"dZ^{[1]} = W^{[2]T} dZ^{[2]} * g^{[1]}(Z^{[1]})", "g-for-gprime"),
            (COURSE, r"dZ^{[1]} = W^{[2]} dZ^{[2]} * g'(Z^{[1]})", "transpose-missing"),
            (COURSE, r"Z^{[2]} = W^{[2]} X + b^{[2]}", "wrong-layer"),
            (COURSE, r"db^{[1]} = \frac{1}{m} dZ^{[1]}", "db-not-summed"),
            (COURSE, r"dZ^{[1]} = A^{[2]} - Y", "left-side"),
            (NIELSEN, r"\delta^l = (w^{l+1})^T \delta^{l+1}", "gprime-missing"),
            (NIELSEN, r"\delta^L = (y - a^L) \odot \sigma'(z^L)", "sign"),
            ("", r"\tanh(z) = \frac{e^z + e^{-z}}{e^z + e^{-z}}", "sign"),
            ("", r"\frac{\partial L}{\partial a} = -\frac{y}{a} - \frac{1-y}{1-a}", "sign"),
            ("", r"J = -\frac1m \sum_{i=1}^m y^{(i)} \log a^{(i)} + (1-y^{(i)}) \log(1-a^{(i)})", "brackets-missing"),
        ],
        6,
    ),
)
def test_mistakes_are_named(before: str, claim: str, cause: str) -> None:
    found_verdict, found = last(f"{before}\n$${claim}$$")
    assert found_verdict == WRONG
    assert found == cause or (cause == "sign" and found == "wrong-operator")


def test_a_repair_is_in_the_letters_of_the_note_and_holds() -> None:
    text = NIELSEN + r"$$\delta^l = (w^{l+1})^T \delta^{l+1}$$"
    repaired = lines(text).lines[-1].repaired
    assert repaired == r"\delta^{l} = (w^{l+1})^T \delta^{l+1} \odot g'(z^{l})"
    assert last(f"{NIELSEN}$${repaired}$$") == (HOLDS, "")


def test_no_symbol_of_a_repair_has_two_superscripts() -> None:
    hidden = r"$$Z^{[1]} = W^{[1]} X + b^{[1]}, \quad A^{[1]} = \tanh(Z^{[1]})$$" + "\n"
    text = hidden + r"$$dZ^{[1]} = W^{[2]T} dZ^{[2]} \odot (1 - Z^{[1]2})$$"
    repaired = lines(text).lines[-1].repaired
    assert repaired.endswith(r"\odot (1 - (A^{[1]})^{2})")
    assert last(f"{hidden}$${repaired}$$") == (HOLDS, "")


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        (r"$$dW^{[1]} = dZ^{[1]} X^T$$", "is the derivative"),
        (COURSE + r"$$Z^{[2]} = W^{[2]T} A^{[1]} + b^{[2]}$$", "units below, units"),
        (COURSE + r"$$dZ^{[2]} = (A^{[2]} - Y) \odot g'(Z^{[2]})$$", "squared error"),
        (COURSE + r"$$Z^{[1]} = W^{[1]} X$$", "no biases"),
        (r"$$\delta^{(2)} = (\Theta^{(2)})^T \delta^{(3)} .* g'(z^{(2)})$$", "number of the layer below"),
    ],
)
def test_what_holds_in_another_convention_is_no_mistake(claim: str, said: str) -> None:
    judged = lines(claim).lines[-1]
    assert judged.verdict in (DOUBTFUL, HOLDS), judged
    assert judged.verdict == HOLDS or said in judged.message or "for one example" in judged.message


@pytest.mark.parametrize(
    ("text", "verdict", "said"),
    [
        ("$$W \\in \\mathbb{R}$$", NO_CLAIM, "no equation"),
        ("$$W \\in \\mathbb{R}^{n \\times m}$$", NO_CLAIM, "a shape"),
        ("$$A^{[0]} = X$$", NO_CLAIM, "definitions"),
        ("$$dW^{[1]} = \\frac{1}{m} dZ^{[1]} \\clubsuit$$", NOT_JUDGED, "\\clubsuit is not understood here, column 33"),
        ("$$dZ^{[1]} = {W^{[2]T} dZ^{[2]}$$", NOT_JUDGED, "a brace is not closed, column 12"),
        ("$$dZ = Q P$$", NOT_JUDGED, "Q has no meaning"),
        ("\\newcommand{\\x}{\\x\\x} $$dZ = \\x$$", NOT_JUDGED, "\\x expands without end"),
        ("$$" + "{" * 10_000 + "$$", NOT_JUDGED, "brackets are more than 60 deep"),
        ("$$" + "a" * 20_000 + "$$", NOT_JUDGED, "20000 characters"),
    ],
)
def test_what_is_not_judged_is_said(text: str, verdict: str, said: str) -> None:
    (judged,) = lines(text).lines
    assert judged.verdict == verdict
    assert said in judged.message


def test_formulas_beyond_the_most_are_counted() -> None:
    judged = lines("$x$\n" * 1200)
    assert len(judged.lines) == 1001
    assert "200 formulas more" in judged.lines[0].message


def test_macros_of_the_note_and_letters_that_are_said() -> None:
    text = r"\newcommand{\dd}[1]{d#1^{[2]}} " + COURSE + r"$$\dd{Z} = Q - Y$$"
    assert last(text)[0] == NOT_JUDGED
    assert last(text, Told({"Q": "A2"})) == (HOLDS, "")


def test_places_of_formulas() -> None:
    text = "one\n$x$ `$y$`\n```python\n$z$\n```\n\\begin{aligned}\n```math\na\n```\n\\[ b \\]\n at $5 and 6$"
    assert [(each.text, each.line) for each in note_of([(0, text)]).formulas] == [
        ("x", 2), ("a", 8), ("b", 10), ("5 and 6", 11),
    ]  # fmt: skip


@pytest.mark.slow
def test_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = COURSE + r"$$dW^{[1]} = dZ^{[1]} X^T$$"
    (tmp_path / "a.tex").write_text(wrong + "\n% $$dW^{[1]} = dZ^{[2]}$$\n")
    cells = [{"cell_type": "markdown", "source": [wrong]}, {"cell_type": "code", "source": "print(1)"}]
    (tmp_path / "b.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4, "metadata": {}}))
    assert main(["verify", str(tmp_path / "a.tex"), "--json"]) == 1
    summary = json.loads(capsys.readouterr().out)["summary"]
    assert (summary["holds"], summary["wrong"], summary["not_judged"]) == (5, 1, 0)
    assert main(["verify", str(tmp_path / "b.ipynb"), "--quiet"]) == 1
    assert "Markdown cell 1, line 10" in capsys.readouterr().out
    (tmp_path / "c.md").write_text("$$a^{l} = b^{l}$$")
    assert main(["verify", str(tmp_path / "c.md"), "--layout", "diagonal"]) == 2


def test_a_notebook_that_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text("{")
    with pytest.raises(ValueError, match="the notebook is damaged"):
        verify_note(tmp_path / "a.ipynb")


def test_optimizers() -> None:
    assert last(r"$$v_{dW} = \beta v_{dW} + (1 - \beta) dW$$") == (HOLDS, "")
    assert last(r"$$V\delta W^{corrected} = \frac{V \delta W}{1 - \beta^t_1}$$") == (HOLDS, "")
    assert last(r"$$S_{dW} = \beta S_{dW} + (1 - \beta) dW$$") == (WRONG, "square-missing")
    assert last(r"$$s_{dW} = \beta_2 s_{dW} + (1 - \beta_2) dW$$") == (WRONG, "square-missing")
    adam = r"$$m_t = \beta_1 m_{t-1} + (1 - \beta_1) g_t$$ $$v_t = \beta_2 v_{t-1} + (1 - \beta_2) g_t^2$$"
    assert last(adam + r"$$\hat m_t = \frac{m_t}{1 - \beta_1}$$") == (WRONG, "adam-no-power")
    step = r"$$\theta_t = \theta_{t-1} - \alpha \frac{\hat m_t}{@ + \epsilon}$$"
    assert last(adam + step.replace("@", r"\sqrt{\hat v_t}")) == (HOLDS, "")
    assert last(adam + step.replace("@", r"\hat v_t")) == (WRONG, "root-missing")
    repaired = verify_latex(adam + step.replace("@", r"\hat v_t")).lines[-1].repaired
    assert last(f"{adam}$${repaired}$$") == (HOLDS, "")


def test_a_row_times_a_column_is_no_product_of_entries() -> None:
    assert last(NIELSEN + r"$$\frac{\partial C}{\partial w^l} = (a^{l-1})^T \delta^l$$")[0] != HOLDS


def test_a_derivation_as_latex_and_a_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    formula = "dW1 = dZ1 @ X.T"
    assert main(["verify", formula, "--setting", "shallow", "--latex", "--html", str(page)]) == 1
    assert capsys.readouterr().out == "dW^{[1]} = \\frac{1}{m} dZ^{[1]} X^T\n"
    assert "missing-1/m" in page.read_text()


def test_a_page_is_the_text_of_the_note_with_verdicts_in_its_margin(tmp_path: Path) -> None:
    note, page = tmp_path / "a.md", tmp_path / "page.html"
    note.write_text("Some <words>.\n" + COURSE + "$$dW^{[1]} = dZ^{[1]} X^T$$\n")
    assert main(["verify", str(note), "--html", str(page), "--quiet"]) == 1
    rows = page.read_text().split("<tr>")
    assert "Some &lt;words&gt;." in rows[1]
    (wrong,) = (row for row in rows if "missing-1/m" in row)
    assert "$$dW^{[1]} = dZ^{[1]} X^T$$</code>" in wrong
    assert r"dW^{[1]} = \frac{1}{m} dZ^{[1]} X^T" in wrong
    assert sum("holds" in row for row in rows if row is not wrong) == 4


def test_rows_beside_the_text_of_the_notes(tmp_path: Path) -> None:
    texts = [r"$$dW^{[2]} = \frac{1}{m} dZ^{[2]} A^{[1]T}$$", "", COURSE + "$$dW^{[1]} = dZ^{[1]} X^T$$", "$x$", "$x$"]
    for number, text in enumerate(texts):
        (tmp_path / f"00{number}_a.txt").write_text(text or "$y$")
    check = Check(FORMULA, "", lambda seed: Finding(True, ""))
    row = Row("F1", "N0 L1; N2 L10", "", "", HOLDS_IN_NOTES)
    notes = judged_notes(tmp_path)
    found = readings([row, row._replace(verdict=WRONG_IN_NOTES), row._replace(source="N1 L1")], notes)
    assert [each.outcome for each in found] == ["agrees", "agrees", "not read"]
    rows = [row, row._replace(verdict=WRONG_IN_NOTES, right=(check,), false=(check._replace(cause="missing-1/m"),))]
    assert figures(rows, readings(rows, notes)) == (
        "Formulas and identities: 1 of 1 rows read, 0 right ones called wrong; of 1 errata that were read 1 are found, "
        "1 with a cause of the row"
    )
    (alone,) = readings([row], notes)
    assert alone.outcome == "differs"
    (tmp_path / "004_a.txt").unlink()
    with pytest.raises(ValueError, match="4 of the five notes"):
        judged_notes(tmp_path)


@pytest.mark.parametrize("piece", sliced(["\\[", "$", "\\(", "` `` ", "$a "], 5))
def test_damaged_text_is_read_in_bounded_time(piece: str) -> None:
    assert verify_latex(piece * (200_000 // len(piece))).summary.wrong == 0


@pytest.mark.slow
def test_the_changes_of_a_long_formula_that_are_tried_take_no_more_than_those_of_a_short_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nodes = Counter[int]()
    whole = judge.agreement

    def counted(numbers: Usual, claim: Claim) -> bool:
        nodes[count] += sum(1 for _ in walk(claim.right))
        return whole(numbers, claim)

    monkeypatch.setattr(judge, "agreement", counted)
    for count in (24, 48):
        assert verify_latex(f"$$Z = {'W ' * count}$$").lines[-1].verdict == DOUBTFUL
    assert nodes[48] < 1.5 * nodes[24]


def test_ten_megabytes_are_refused() -> None:
    with pytest.raises(ValueError, match="expected at most 1048576"):
        verify_latex("$x$\n" * 2_600_000)


def test_what_holds_has_the_formulas_of_the_notes() -> None:
    note = r"$$dZ^{[2]} = A^{[2]} - Y$$" + "\n\n" + r"$$dW^{[2]} = \frac{1}{m} dZ^{[2]} A^{[1]T}$$"
    assert [line.formula_ids for line in verify_latex(note).lines] == [("F098", "F175"), ("F168",)]
    penalised = r"$$dW^{[1]} = \frac{1}{m} dZ^{[1]} X^T + \frac{\lambda}{m} W^{[1]}$$"
    assert verify_latex(penalised).lines[0].formula_ids == ("F202",)


PENALISED = (
    r"$$J = -\frac{1}{m} \sum_{i=1}^m \left(y^{(i)} \log a^{[2](i)} + (1-y^{(i)}) \log(1-a^{[2](i)})\right) "
    r"+ \frac{\lambda}{2m} SUM$$"
)


@pytest.mark.parametrize(
    "penalty",
    [
        r"\sum_l \|W^{[l]}\|_F^2", r"\sum_{l=1}^{L} \|W^{[l]}\|_F^2", r"\sum_{l=1}^{2} \|W^{[l]}\|^2",
        r"\sum_{l} \sum_j \sum_k (W^{[l]}_{jk})^2",
    ],
)  # fmt: skip
def test_a_penalty_is_a_sum_over_the_layers_of_a_numbered_network(penalty: str) -> None:
    assert [line.verdict for line in verify_latex(PENALISED.replace("SUM", penalty)).lines] == [HOLDS]


@pytest.mark.parametrize("penalty", sliced([r"\sum_{l=1}^{5} \|W^{[l]}\|_F^2", r"\sum_l \|W^{[l]}\|_F"], 2))
def test_another_sum_over_the_layers_does_not_hold(penalty: str) -> None:
    assert verify_latex(PENALISED.replace("SUM", penalty)).summary.holds == 0
