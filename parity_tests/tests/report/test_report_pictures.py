"""The pictures: what lies on their axes is what was measured, and a fault is seen in them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.text import Text

from manual import __main__ as by_hand
from manual import training as manual_training
from manual.activations import softmax
from manual.architecture import MODELS
from manual.conv import conv_forward
from manual.draws import SCALES
from manual.recipe.run import Plan
from manual.recipe.search import Searched, Trial
from manual.shared.cli import GOOD
from manual.shared.search_ranges import COARSE, FINE, Range
from parity_tests.comparison.models import MODEL_CASES
from parity_tests.measured import measured
from parity_tests.report import make as making
from parity_tests.report.measure import DTYPES, Trace
from parity_tests.report.pictures import PICTURES, filters, readme_picture, searches, training
from parity_tests.report.pictures.errors import LEAST, QUANTITIES, errors
from parity_tests.report.pictures.style import INK, LARGEST_ALONE, WIDTH, Drawn, embedded, panels, standing
from parity_tests.tests.chores import readme
from torch_ref import estimators as torch_estimators
from torch_ref import training as torch_training

CHEAP = ("activations", "graph", "loops", "rates", "spreads")
"""Pictures that no training stands behind, or a short one."""

TRACE = Trace("c", "float64", "dW", 1, (0.1, 0.0))


@pytest.fixture(scope="module")
def drawn() -> dict[str, Drawn]:
    return {name: PICTURES[name](0) for name in CHEAP} | {"errors": errors([TRACE], "deep", "moons")}


@pytest.fixture(scope="module")
def svgs(drawn: dict[str, Drawn]) -> dict[str, str]:
    return {name: embedded(picture, name) for name, picture in drawn.items()}


def axes_of(picture: Drawn) -> list[Axes]:
    """The first axes of every panel."""
    return [part.axes[0] for part in picture.figure.subfigs]


def lines_of(panel: Axes) -> dict[str, np.ndarray[Any, Any]]:
    """What every line shows, by its label."""
    return {str(line.get_label()): np.asarray(line.get_ydata(), float) for line in panel.lines}


@pytest.mark.slow
def test_every_part_of_a_picture_is_named_and_can_be_read(drawn: dict[str, Drawn], svgs: dict[str, str]) -> None:
    for name, picture in drawn.items():
        parts, svg = picture.figure.subfigs, svgs[name]
        roots = list(ElementTree.fromstring(svg))
        labels = [root.get("aria-label") or "" for root in roots]
        assert len(roots) == len(parts) == len(set(labels)), name
        assert all(label.startswith(picture.title) for label in labels), name
        assert picture.caption.endswith("."), name
        assert picture.caption != picture.title
        assert INK not in svg, name
        assert "currentColor" in svg, name
        assert picture.figure.get_figwidth() / len({part.bbox.x0 for part in parts}) <= WIDTH, name
        for part in parts:
            letters = [text for text in part.findobj(Text) if isinstance(text, Text) and text.get_text()]
            assert min(float(text.get_fontsize()) for text in letters) >= 8, name
            for panel in part.axes:
                assert not panel.axison or (panel.get_xlabel() and panel.get_ylabel()) or name == "activations"


@pytest.mark.slow
def test_pictures_keep_their_ids_to_themselves(svgs: dict[str, str]) -> None:
    text = "".join(svgs.values())
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids)) > 0
    assert set(re.findall(r'(?:href="#|url\(#)([^")]+)', text)) <= set(ids)
    assert "scale(0.015625)" in text  # of letters, which no rounding of places may touch


@pytest.mark.slow
def test_panels_come_back_after_the_page_has_them(drawn: dict[str, Drawn], svgs: dict[str, str]) -> None:
    assert all(part.get_visible() for name in svgs for part in drawn[name].figure.subfigs)


def test_a_panel_is_as_wide_as_it_was_drawn() -> None:
    figure, _ = panels(["one"], height=2)
    (root,) = ElementTree.fromstring(embedded(Drawn(figure, "<what>", ""), "name"))
    assert root.get("aria-label") == "<what>: one"
    assert root.get("viewBox") == f"0 0 {72 * WIDTH:g} 144"
    assert f"max-width:{LARGEST_ALONE * 72 * WIDTH:.0f}px" in (root.get("style") or "")


def test_activations_are_drawn_with_their_derivatives(drawn: dict[str, Drawn]) -> None:
    shown = axes_of(drawn["activations"])
    assert [axes.get_title() for axes in shown[:5]] == ["sigmoid", "tanh", "relu", "leaky relu", "identity"]
    z, slope = (np.asarray(part, float) for part in shown[1].lines[1].get_data())
    np.testing.assert_allclose(slope, 1 - np.tanh(z) ** 2, rtol=1e-12)
    step = 1e-200
    Z = np.stack([z + step * 1j, 0 * z, 0 * z])
    lines = lines_of(shown[5])
    np.testing.assert_allclose(lines["a1"], softmax(Z.real)[0], rtol=1e-12)
    np.testing.assert_allclose(lines["da1/dz = a1(1-a1)"], softmax(Z)[0].imag / step, rtol=1e-12)
    np.testing.assert_allclose(lines["da2/dz = -a1 a2"], softmax(Z)[1].imag / step, rtol=1e-12)


def test_spreads_show_each_scale(drawn: dict[str, Drawn]) -> None:
    tanh, relu = axes_of(drawn["spreads"])
    assert tanh.get_yscale() == relu.get_yscale() == "log"
    labels = ["large: 1", *(f"{name}: {SCALES[name](100, 100):.3g}" for name in ("small", "lecun", "xavier", "he"))]
    assert list(lines_of(tanh)) == list(lines_of(relu)) == labels
    by_scale = lines_of(tanh)
    assert by_scale["small: 0.01"][-1] < 1e-6 < 0.1 < by_scale["lecun: 0.1"][-1] < 0.9 < by_scale["large: 1"][-1]
    np.testing.assert_array_equal(by_scale["lecun: 0.1"], by_scale["xavier: 0.1"])
    assert lines_of(relu)["large: 1"][-1] > 1e6
    assert f"{by_scale['small: 0.01'][-1]:.2g} of 1" in drawn["spreads"].caption


def test_loops_are_those_that_the_bench_kept(drawn: dict[str, Drawn]) -> None:
    kept = measured("bench")["loops"]
    for panel in axes_of(drawn["loops"]):
        own = [line for line in kept if line["formula"] == panel.get_title()]
        np.testing.assert_array_equal(panel.lines[0].get_xdata(), [line["m"] for line in own])
        lines = lines_of(panel)
        np.testing.assert_array_equal(lines["loop"], [line["loop_us"] for line in own])
        np.testing.assert_array_equal(lines["array code"], [line["vectorised_us"] for line in own])
        ratios = [text.get_text() for text in panel.texts]
        assert ratios == [f"{line['loop/vectorised']:.0f} times" for line in own]
    assert {panel.get_title() for panel in axes_of(drawn["loops"])} == {line["formula"] for line in kept}
    assert "Not of this run" in drawn["loops"].caption


def test_graph_is_the_one_that_the_command_prints(drawn: dict[str, Drawn], capsys: pytest.CaptureFixture[str]) -> None:
    assert by_hand.main(["graph", "--dataset", "moons", "--json"]) == GOOD
    told = json.loads(capsys.readouterr().out)
    words = [text.get_text().replace("\n", " ") for text in axes_of(drawn["graph"])[0].texts]
    for j in range(2):
        assert f"x{j + 1} = {told['x'][j]:.3f}" in words
        assert f"w{j + 1} = {told['w'][j]:.3f}" in words
        assert f"dw{j + 1} = x{j + 1} dz = {told['dw'][j]:.3f}" in words
    for start, name in (("b", "b"), ("z = w1 x1 + w2 x2 + b", "z"), ("a = sigmoid(z)", "a"), ("L(a, y = 0)", "L"),
                        ("db = dz", "db"), ("dz = a - y", "dz"), ("da = dL/da", "da")):  # fmt: skip
        assert f"{start} = {told[name]:.3f}" in words


def test_rates_are_those_of_the_recipe(drawn: dict[str, Drawn]) -> None:
    panel = axes_of(drawn["rates"])[0]
    assert panel.get_xscale() == panel.get_yscale() == "log"
    by_verdict = {str(line.get_label()): np.asarray(line.get_data(), float) for line in panel.lines}
    rates, costs = np.asarray(panel.lines[0].get_data(), float)
    np.testing.assert_allclose(rates, 10.0 ** np.arange(-6, len(rates) - 6))
    (first,) = {float(value) for value in np.asarray(panel.lines[-1].get_ydata(), float)}
    assert (np.abs(first - by_verdict["too small"][1]) <= 0.1 * first).all()
    assert (by_verdict["learns"][1] < 0.9 * first).all()
    np.testing.assert_array_equal(by_verdict["explodes"], [[rates[-1]], [costs[-1]]])
    assert f"{rates[costs.argmin()]:g} does best, with {costs.min():.2g}" in drawn["rates"].caption


def canned(ranges: tuple[Range, Range], scores: list[float], rates: list[float], reg: float) -> Searched:
    """A search of which everything is known."""
    trials = [Trial(rate, reg, score, 1.0, score < 0) for rate, score in zip(rates, scores, strict=True)]
    return Searched(*ranges, trials)


def test_searches_show_draws_scores_and_the_fine_range(monkeypatch: pytest.MonkeyPatch) -> None:
    coarse = canned(COARSE, [0.9, 0.4, 0.2, -np.inf], [5e-4, 2e-4, 1e-5, 9e-4], 1e-2)
    fine = canned(FINE, [0.95, 0.7], [8e-4, 2e-4], 1e-1)
    monkeypatch.setattr(searches, "searched", lambda seed: (coarse, fine))
    picture = searches.searches(0)
    for panel, found in zip(axes_of(picture), (coarse, fine), strict=True):
        assert panel.get_xscale() == panel.get_yscale() == "log"
        kept = [each for each in found.trials if not each.exploded][::-1]
        points: Any = panel.collections[0]
        np.testing.assert_allclose(points.get_offsets(), [(each.learning_rate, each.reg) for each in kept])
        np.testing.assert_allclose(points.get_array(), [each.score for each in kept])
        (frame,) = panel.patches
        low, high = frame.get_bbox().min, frame.get_bbox().max  # type: ignore[attr-defined]
        np.testing.assert_allclose(np.log10([low, high]), [[-4, -4], [-3, 0]])
        labels = [str(each.get_label()) for each in panel.collections]
        assert f"best: {found.trials[0].score:.1%}" in labels
        assert ("exploded" in labels) == (found is coarse)
    assert picture.figure.subfigs[0].axes[1].get_ylabel() == "validation accuracy"
    assert "which 3 of them hit" in picture.caption
    assert "at best 95.0%" in picture.caption


def test_searches_draw_in_the_notes_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searches, "DRAWS", 4)
    monkeypatch.setattr(searches, "Plan", partial(Plan, epochs=1))
    for found, (reg, rate) in zip(searches.searched(0), (COARSE, FINE), strict=True):
        assert (found.reg, found.learning_rate) == (reg, rate)
        assert len(found.trials) == 4
        scores = [each.score for each in found.trials]
        assert scores == sorted(scores, reverse=True)
        for each in found.trials:
            assert rate.low <= np.log10(each.learning_rate) <= rate.high
            assert reg.low <= np.log10(each.reg) <= reg.high
            assert 0 <= each.score <= 1


def test_cost_curves_lie_on_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    short = tuple((model, dataset, replace(settings, epochs=6)) for model, dataset, settings in training.CURVES)
    monkeypatch.setattr(training, "CURVES", short)
    picture = training.costs(0)
    for panel in axes_of(picture):
        lines = lines_of(panel)
        np.testing.assert_allclose(lines["by hand"], lines["torch"], rtol=1e-9)
        assert lines["by hand"][-1] < lines["by hand"][0]


def test_cost_curves_that_part_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    model, dataset, settings = training.CURVES[0]
    monkeypatch.setattr(training, "CURVES", ((model, dataset, replace(settings, epochs=3)),))
    right = torch_training.fit

    def faster(net: Any, X: Any, Y: Any, settings: Any) -> Any:
        return right(net, X, Y, replace(settings, learning_rate=2 * settings.learning_rate))

    monkeypatch.setattr(torch_training, "fit", faster)
    picture = training.costs(0)
    lines = lines_of(axes_of(picture)[0])
    apart = np.max(np.abs(lines["by hand"] - lines["torch"]) / lines["by hand"])
    assert apart > 0.01
    assert f"at most {apart:.2g} of the cost apart" in picture.caption


class Shifted(torch_estimators.NetworkClassifier):
    """Answers a quarter too much."""

    def predict_proba(self, X: Any) -> Any:
        return super().predict_proba(X) + 0.25


@pytest.mark.parametrize("shifted", [False, True])
def test_boundaries_are_compared(monkeypatch: pytest.MonkeyPatch, shifted: bool) -> None:
    monkeypatch.setattr(training, "PLANES", ("moons",))
    monkeypatch.setattr(training, "GRID", 20)
    monkeypatch.setattr(training, "ON_PLANES", {**training.ON_PLANES, "max_iter": 15})
    if shifted:
        monkeypatch.setitem(training.SIDES, "torch", Shifted)
    picture = training.boundaries(0)
    assert [panel.get_title() for panel in axes_of(picture)] == ["moons, by hand", "moons, torch"]
    said = re.search(r"probabilities are at most (\S+) apart", picture.caption)
    assert said
    if shifted:
        assert float(said[1]) == pytest.approx(0.25, rel=0.02)
    else:
        assert float(said[1]) < 1e-9
    for panel in axes_of(picture):
        examples = [each for each in panel.collections if np.shape(each.get_offsets()) == (training.SHOWN, 2)]
        assert len(examples) == 2
        line: Any = panel.collections[1]
        assert list(line.levels) == [0.5]


def test_filters_and_what_they_make_of_a_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filters, "IMAGES", replace(filters.IMAGES, epochs=1))
    kept = []
    right = manual_training.fit

    def fit(*args: Any) -> Any:
        kept.append(right(*args))
        return kept[0]

    monkeypatch.setattr(manual_training, "fit", fit)
    picture = filters.filters(0)
    params = kept[0].params
    weights, maps = ([image for panel in part.axes for image in panel.images] for part in picture.figure.subfigs)
    digit = values_of(maps[0])
    shown = np.stack([values_of(image) for image in weights], axis=-1)
    np.testing.assert_array_equal(shown[:, :, None], params["W1"])
    low, high = weights[0].get_clim()
    assert low == -np.abs(params["W1"]).max() == -high
    Z = conv_forward(digit[None, :, :, None], params["W1"], params["b1"], pad="same")
    np.testing.assert_allclose(np.stack([values_of(image) for image in maps[1:]], axis=-1), np.maximum(Z[0], 0))
    assert [panel.get_ylabel() for panel in (part.axes[-1] for part in picture.figure.subfigs)] == [
        "weight", "activation",
    ]  # fmt: skip


def values_of(image: AxesImage) -> np.ndarray[Any, Any]:
    return np.asarray(image.get_array(), float)


def test_errors_are_drawn_in_units_of_their_bound() -> None:
    cost = TRACE._replace(dtype="float32", quantity="J", layer=None)
    picture = errors([TRACE, cost], "shallow", "moons")
    one, other = axes_of(picture)
    assert [one.get_title(), other.get_title()] == list(DTYPES)
    assert one.get_yscale() == other.get_yscale() == "log"
    assert set(lines_of(one)) == {"dW[1]", "the bound"}
    np.testing.assert_allclose(lines_of(one)["dW[1]"], [0.1, LEAST])
    assert set(lines_of(other)) == {"the bound"}
    np.testing.assert_array_equal(lines_of(other)["the bound"], 1)
    assert "All 2 points lie below it, the highest at 0.1: dW of layer 1 in float64" in picture.caption
    assert len({mark.marker for mark in QUANTITIES.values()}) == len(QUANTITIES)


@pytest.mark.parametrize("share", [40.0, np.inf, np.nan])
def test_an_error_above_its_bound_is_seen(share: float) -> None:
    picture = errors([TRACE._replace(ratios=(0.5, share))], "shallow", "moons")
    panel = axes_of(picture)[0]
    points, top = lines_of(panel)["dW[1]"], panel.get_ylim()[1]
    assert points[0] == 0.5
    assert 1 < points[1] <= top
    assert "1 of 2 points lie above it: dW of layer 1 in float64." in picture.caption


def test_every_model_has_its_errors_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parity_tests.report.make.embedded", lambda drawn, name: Markup("<svg/>"))
    chosen = [case for case in MODEL_CASES if making.pictured(case)]
    pictures = [making._errors(case, [TRACE._replace(case=case.id)], None) for case in chosen]
    assert [picture.name for picture in pictures] == [f"errors-{case.model}-{case.dataset}" for case in chosen]
    assert {case.model for case in chosen} == set(MODELS)


@pytest.fixture(scope="module")
def compared() -> readme_picture.Compared:
    return readme_picture.compared()


def test_agreement_tells_the_notes_mistake_from_all_else(compared: readme_picture.Compared) -> None:
    assert set(compared.derived) == set(compared.written)
    assert max(compared.derived.values()) <= 1
    assert [where for where, share in compared.written.items() if not share <= 1] == [("dW", 1)]
    assert compared.written["dW", 1] > 1e12
    panel = axes_of(readme_picture.agreement(compared))[0]
    lines = lines_of(panel)
    np.testing.assert_array_equal(lines.pop("the bound"), 1)
    (wrong,) = lines.pop("wrong dW[1]")
    assert wrong == compared.written["dW", 1]
    assert {name: value[0] for name, value in lines.items()} == {
        f"{quantity}[{layer}]": max(share, LEAST) for (quantity, layer), share in compared.derived.items()
    }


def drawing_of(path: Path) -> tuple[list[str], dict[str, list[tuple[float, float]]]]:
    """The words of an SVG, and the places of its marks by colour."""
    text = path.read_text(encoding="utf-8")
    places: dict[str, list[tuple[float, float]]] = {}
    for use in ElementTree.fromstring(text).iter("{http://www.w3.org/2000/svg}use"):
        x, y, style = (use.get(name) for name in ("x", "y", "style"))
        if x and y and style and "fill" in style:
            places.setdefault(style, []).append((float(x), float(y)))
    return re.findall(r"<!-- (.*?) -->", text), places


def test_the_readmes_picture_is_what_the_code_draws(compared: readme_picture.Compared, tmp_path: Path) -> None:
    standing(readme_picture.agreement(compared), tmp_path / "drawn.svg")
    words, places = drawing_of(tmp_path / "drawn.svg")
    kept_words, kept = drawing_of(readme_picture.FILE)
    assert words == kept_words, "draw it anew: python -m parity_tests.tests.chores.readme picture"
    assert any("which lacks 1/m" in each for each in words)
    assert {color: len(found) for color, found in places.items()} == {
        color: len(found) for color, found in kept.items()
    }
    for color, found in places.items():
        # How far below the bound a right quantity lies differs from one processor to the next: a mark has no stroke.
        same = slice(None) if "stroke" in color else slice(1)
        np.testing.assert_allclose(np.array(found)[:, same], np.array(kept[color])[:, same], atol=6)
    assert readme_picture.FILE.stat().st_size < 100_000
    assert INK not in readme_picture.FILE.read_text(encoding="utf-8")


def test_the_script_draws_the_readmes_picture(
    compared: readme_picture.Compared,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(readme_picture, "compared", lambda: compared)
    monkeypatch.setattr(readme_picture, "FILE", tmp_path / "agreement.svg")
    assert readme.main(["picture"]) == 0
    assert capsys.readouterr().out == "written: picture\n"
    assert drawing_of(tmp_path / "agreement.svg")[0]
