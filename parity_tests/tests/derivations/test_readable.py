"""Lines that cannot be read are not judged; what depends on them is not called wrong, and the others are judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from parity_tests.cli import main
from parity_tests.derivations.language.errors import DerivationSyntaxError
from parity_tests.derivations.readable import assigned_by, readable
from parity_tests.derivations.verify import verify


def verdicts(text: str, setting: str | None = "shallow") -> list[tuple[str, str]]:
    return [(line.target, line.verdict) for line in verify(text, setting).lines]


def test_the_other_lines_are_judged() -> None:
    text = "dZ2 = A2 - Y\nA2 = scipy.expit(Z2)\ndW2 = dZ2 @ A1.T / m\ndb1 = 2 / m * np.sum(dZ1, axis=1, keepdims=True)"
    assert verdicts(text) == [("dZ2", "holds"), ("A2", "not judged"), ("dW2", "holds"), ("db1", "wrong")]
    assert "line 2" not in verify(text, "shallow").lines[3].message


@pytest.mark.parametrize(
    "text",
    [
        "dZ2 = A2 - Y\ndZ2 /= m.astype(float)\ndW2 = dZ2 @ A1.T",  # carries the 1/m
        "d = A2 - Y\nd.fill(3)\ndW2 = d @ A1.T",
        "d = np.asarray(dZ2) / m\ndW2 = d @ A1.T",
        "dZ2 = np.asarray(A2 - Y) / m\ndZ1 = W2.T @ dZ2 * g1'(Z1)\ndW1 = dZ1 @ X.T",
    ],
)
def test_what_depends_on_a_line_that_cannot_be_read_is_not_wrong(text: str) -> None:
    found = verdicts(text)
    assert "wrong" not in dict(found).values()
    assert found[-1][1] == "not judged"


def test_the_setting_is_that_of_the_lines_that_are_read() -> None:
    text = "dZ1 = W2.T.dot(dZ2).copy()\ndA2 = -Y / A2\ndZ2 = A2 - Y"
    judged = verify(text)
    assert "softmax" in judged.layout
    assert [line.verdict for line in judged.lines] == ["not judged", "holds", "holds"]


def test_a_cost_that_cannot_be_read_is_not_that_of_a_setting_which_was_not_named() -> None:
    text = "Z = X @ W\nJ = np.sum(np.diff(Z, axis=1)**2)\ndZ = np.zeros((m, n_C))\ndW = X.T @ dZ"
    assert verdicts(text, None)[-1] == ("dW", "not judged")
    assert verdicts(text, "labels")[-1] == ("dW", "wrong")


@pytest.mark.parametrize(("text", "code"), [("dW1 = dZ1 @ X.T / m\nf(x)", 3), ("dW1 = [X]\ng(", 2), ("f(\ndW1 = X", 1)])
def test_the_exit_code(text: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(text)
    assert main(["verify", str(path), "--setting", "shallow"]) == code


def test_where_no_line_can_be_read_the_first_is_pointed_at() -> None:
    with pytest.raises(DerivationSyntaxError, match=r"^line 1, column"):
        readable("dW = [1, 2]\nimport os")


@pytest.mark.parametrize(
    ("row", "names"),
    [
        ("dW[:, j] += f(x)", ("dW",)),
        ("a, (b, c) = d", ("a", "b", "c")),
        ("grads['W'] = h == 2", ("grads",)),
        ("x.sort()", ("x",)),
        ("if a == b:", ()),
        ("so far so good", ()),
    ],
)
def test_the_names_that_a_line_may_change(row: str, names: tuple[str, ...]) -> None:
    assert assigned_by(row) == names


ADAM = """for l in range(L):
    v["dW" + str(l+1)] = beta1 * v["dW" + str(l+1)] + (1 - beta1) * grads["dW" + str(l+1)]
    v["db" + str(l+1)] = beta1 * v["db" + str(l+1)] + (1 - beta1) * grads["db" + str(l+1)]
    v_corrected[f"dW{l+1}"] = v["dW" + str(l+1)] / (1 - beta1**t)
    s["dW" + str(l + 1)] = beta2 * s["dW" + str(l+1)] + (1 - beta2) * grads["dW" + str(l+1)]**2
    s_corrected["dW" + str(l+1)] = s["dW" + str(l+1)] / (1 - beta2**t)
    params["W" + str(l+1)] -= alpha * v_corrected["dW" + str(l+1)] / (s_corrected["dW" + str(l+1)]**0.5 + epsilon)"""


def test_entries_of_dicts_are_the_symbols_that_their_keys_say() -> None:
    right = [
        ("v", "holds"),
        ("v", "not judged"),
        *((name, "holds") for name in ("v_corrected", "s", "s_corrected", "W")),
    ]
    assert verdicts(ADAM, None) == right
    assert (
        verify(ADAM).lines[1].message
        == "v is not judged: it does for b what the lines above do for W, which are judged."
    )
    assert verdicts(ADAM.replace('s["dW" + str(l+1)] / (1 - beta2', 's["dW" + str(l+1)] / (1 - beta1'), None)[4] == (
        "s_corrected",
        "wrong",
    )
    assert verdicts("grads['dW2'] = 1/m * dZ2 @ cache['A1'].T") == [("dW2", "holds")]
    with pytest.raises(DerivationSyntaxError, match="text in quotes"):
        readable("grads['dA' + str(l-1)] = W['W' + str(l)].T @ dZ")  # of two layers
