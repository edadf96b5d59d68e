"""Networks of any depth in a note's own letters: layers that are letters, written in any way."""

from __future__ import annotations

import re

import pytest

from parity_tests.derivations.latex.answers import verify_latex
from parity_tests.derivations.verdicts import DOUBTFUL, HOLDS, WRONG
from parity_tests.tests.slices import sliced

FORWARD = r"""
Samples are rows, $H@0@ = X$.

$$U@l@ = H@l-1@ W@l@ + b@l@$$

$$H@l@ = \phi(U@l@)$$

$$\mathcal{L} = \frac{1}{2N} \| H@L@ - Y \|_F^2$$

Let $$\Delta@l@ = \frac{\partial \mathcal{L}}{\partial U@l@}$$
"""
RESIDUAL = FORWARD.replace(r"= \phi(U@l@)", r"= H@l-1@ + \phi(U@l@)")
WAYS = {"brackets": "^{[{}]}", "parentheses": "^{({})}", "bare": "^{{}}", "below": "_{{}}"}
LAST = r"\Delta@L@ = \frac{1}{N} (H@L@ - Y) \odot \phi'(U@L@)"
HIDDEN = r"\Delta@l@ = (\Delta@l+1@ W@l+1@^\top) \odot \phi'(U@l@)"
WEIGHTS = r"\frac{\partial \mathcal{L}}{\partial W@l@} = H@l-1@^\top \Delta@l@"
BIASES = r"\frac{\partial \mathcal{L}}{\partial b@l@} = \mathbf{1}^\top \Delta@l@"


def written(text: str, way: str) -> str:
    """A text with its layers in one of the ways of writing them."""
    marked = re.sub("@([^@]+)@", lambda layer: WAYS[way].replace("{}", layer[1]), text)
    return re.sub(r"\^\{(\S+?)\}\^\\top", r"^{\1 \\top}", marked)


def last_of(before: str, claims: tuple[str, ...], way: str) -> tuple[str, str, str]:
    text = before + "".join(f"\n$${each}$$\n" for each in claims)
    found = verify_latex(written(text, way)).lines[-1]
    return found.verdict, found.cause, found.repaired


@pytest.mark.parametrize("way", WAYS)
def test_right_lines_of_every_layer_hold(way: str) -> None:
    text = FORWARD + "".join(f"\n$${each}$$\n" for each in (LAST, HIDDEN, WEIGHTS, BIASES))
    assert [each.verdict for each in verify_latex(written(text, way)).lines[-4:]] == [HOLDS] * 4


@pytest.mark.parametrize("way", sliced(WAYS, 6))
@pytest.mark.parametrize(
    ("claims", "mistake", "cause"),
    [
        ((WEIGHTS, BIASES), LAST.replace(r"\frac{1}{N} (H@L@ - Y)", "(H@L@ - Y)"), "missing-1/m"),
        ((WEIGHTS, BIASES), HIDDEN.replace("W@l+1@^\\top", "W@l+1@"), "transpose-missing"),
        ((HIDDEN, BIASES), WEIGHTS.replace("H@l-1@", "H@l@"), "wrong-layer"),
        ((WEIGHTS, BIASES), HIDDEN.replace(r"\phi'", r"\phi"), "g-for-gprime"),
    ],
)
def test_mistakes_in_a_line_of_every_layer_are_named(
    claims: tuple[str, ...], mistake: str, cause: str, way: str
) -> None:
    verdict, found, repaired = last_of(FORWARD, (*claims, mistake), way)
    assert (verdict, found) == (WRONG, cause)
    assert last_of(FORWARD, (*claims, repaired), way)[0] == HOLDS


def test_the_layers_of_a_residual_network_lead_to_one_another_twice() -> None:
    above = r"\frac{\partial \mathcal{L}}{\partial H@l-1@} = "
    right = above + r"\frac{\partial \mathcal{L}}{\partial H@l@} + \Delta@l@ W@l@^\top"
    mistake = above + r"\Delta@l@ W@l@^\top"
    assert last_of(RESIDUAL, (WEIGHTS, BIASES, right), "below")[0] == HOLDS
    assert last_of(RESIDUAL, (WEIGHTS, BIASES, mistake), "below")[0] != HOLDS


def test_an_index_l_of_units_is_no_layer() -> None:
    forward = r"$$u_k = \sum_l W_{kl} x_l$$ $$h_k = \tanh(u_k)$$ $$J = \frac12 \sum_k (h_k - y_k)^2$$"
    claim = r"$$\frac{\partial J}{\partial x_l} = \sum_k (h_k - y_k) (1 - h_k^2) W_{kl}$$"
    assert verify_latex(f"{forward} {claim}").lines[-1].verdict == HOLDS


COURSE = r"""
$$Z^{[1]} = W^{[1]} X + b^{[1]}$$ $$A^{[1]} = \tanh(Z^{[1]})$$ $$Z^{[2]} = W^{[2]} A^{[1]} + b^{[2]}$$
$$A^{[2]} = \sigma(Z^{[2]})$$ $$dZ^{[2]} = A^{[2]} - Y$$ $$dW^{[2]} = \frac{1}{m} dZ^{[2]} A^{[1]T}$$
"""


@pytest.mark.parametrize(
    ("claim", "cause", "repaired"),
    sliced(
        [
            (
                r"dZ^{[1]} = W^{[1]T} dZ^{[2]} * g^{[1]}(Z^{[1]})",
                "wrong-layer + g-for-gprime",
                r"dZ^{[1]} = W^{[2] T} dZ^{[2]} \odot g^{[1]'}(Z^{[1]})",
            ),
            (
                r"Compute cost \ J = \frac{1}{1000} \sum_{i=1}^{1000} \mathcal{L}(\hat{y}^{(i)}, y^{(i)})"
                r" + \frac{\lambda}{2 \cdot 1000} \sum_l \|W^{[2]}\|_F^2",
                "wrong-layer",
                r"J = \frac{1}{1000} \sum_{i=1}^{1000} L(\hat{y}^{(i)},y^{(i)})"
                r" + \frac{\lambda}{2 \cdot 1000} \sum_{l} \|W^{[l]}\|^{2}",
            ),
        ],
        2,
    ),
)
def test_two_mistakes_of_a_line_and_one_layer_in_a_sum_over_all(claim: str, cause: str, repaired: str) -> None:
    found = verify_latex(f"{COURSE} $${claim}$$").lines[-1]
    assert (found.verdict, found.cause, found.repaired) == (WRONG, cause, repaired)
    assert verify_latex(f"{COURSE} $${repaired}$$").lines[-1].verdict == HOLDS


def test_two_mistakes_are_not_named_where_no_forward_pass_shows_the_layers() -> None:
    text = r"$$dZ^{[1]} = W^{[1]T} dZ^{[2]} * g^{[1]}(Z^{[1]})$$"
    assert verify_latex(text).lines[-1].verdict == DOUBTFUL


@pytest.mark.parametrize(
    ("claim", "cause"),
    [
        (r"dW^{[l]} = \frac{1}{m} dz^{[l]} \cdot a^{[l-1]}", "transpose-missing"),
        (r"dW^{[l]} = \frac{1}{m} a^{[l-1]} dz^{[l]T}", ""),
    ],
)
def test_a_transpose_is_missing_whatever_the_layout_is(claim: str, cause: str) -> None:
    assert verify_latex(f"$${claim}$$").lines[-1].cause == cause


def test_a_line_is_no_evidence_for_itself_that_weights_are_turned() -> None:
    claim = r"$$dW^{[l]} = \frac{1}{m} A^{[l-1]} dZ^{[l]T}$$"
    found = verify_latex(claim).lines[-1]
    assert found.verdict == DOUBTFUL
    assert "where weights have the shape (units below, units)" in found.message
    assert verify_latex(r"$$Z^{[l]} = W^{[l]T} A^{[l-1]} + b^{[l]}$$" + "\n" + claim).lines[-1].verdict == HOLDS
