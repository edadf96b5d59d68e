"""The bench refuses to time what disagrees, its figures have a schema, and the README shows the figures that are kept.

Nothing here depends on how long anything takes.
"""

from __future__ import annotations

import importlib.util
import json
import math
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from manual.shared.cli import console
from parity_tests import measured as kept
from parity_tests.bench import measure
from parity_tests.bench.growth import BAR, GROWING, TIMES, derivation
from parity_tests.bench.sizes import (
    FIT_SIZES,
    LOOPS,
    MEAN_BARS,
    MEMORY_SIZES,
    SHARED_SIZES,
    SIZES,
    WORST_BAR,
)
from parity_tests.bench.tables import PEERS, conv_means, show, tables
from parity_tests.bench.worker import Worker
from parity_tests.cli import main
from parity_tests.derivations.verdicts import HOLDS
from parity_tests.derivations.verify import verify
from parity_tests.report.evidence import ratios_table
from parity_tests.tests.chores import readme, save_figures


def check_schema(values: dict[str, Any], plan: measure.Plan) -> None:
    """Every size, dtype and number of threads once; numbers where numbers belong."""
    rounds = ("rounds", "conv_rounds", "fit_rounds", "shared_rounds")
    parts = {"steps", "loops", "convolutions", "workspace", "fits", "processes", "growth"}
    assert values.keys() == {"environment", *rounds, *parts}
    assert [(line["task"], line["sizes"]) for line in values["growth"]] == [
        (task, [GROWING[task].least, TIMES * GROWING[task].least]) for task in plan.growing
    ]
    for line in values["growth"]:
        for name, (small, large) in (("exponent", line["us"]), ("memory_exponent", line["bytes"])):
            assert 0 < small < large
            assert line[name] == pytest.approx(math.log(large / small, TIMES), abs=0.02)
    assert values["environment"].keys() >= {
        "date",
        "python",
        "numpy",
        "torch",
        "processor",
        "cores",
        "load",
        "numpy's BLAS",
    }
    assert [values[name] for name in rounds] == [
        plan.rounds,
        plan.conv_rounds,
        plan.fit_rounds,
        plan.shared_rounds,
    ]
    assert [(line["threads"], line["size"], line["dtype"]) for line in values["steps"]] == [
        (threads, str(size), dtype) for threads in plan.threads for size in plan.sizes for dtype in measure.DTYPES
    ]
    for line in values["steps"] + values["convolutions"] + values["fits"]:
        times = [line[name] for name in ("manual_us", "torch_us")]
        assert all(isinstance(time, float) and time > 0 for time in times)
        assert line["manual/torch"] == pytest.approx(times[0] / times[1], rel=0.05, abs=2e-3)
        assert line["quartiles"] == sorted(line["quartiles"])
    for line in values["steps"]:
        ratio = line["manual_us"] / line["products_us"]
        assert line["manual/products"] == pytest.approx(ratio, rel=0.05, abs=2e-3)
        peers = [key.removesuffix("_us") for key in line if key in {f"{peer}_us" for peer in PEERS}]
        assert not peers or line["threads"] == 1
        for peer in peers:
            ratio = line["manual_us"] / line[f"{peer}_us"]
            assert line[f"manual/{peer}"] == pytest.approx(ratio, rel=0.05, abs=2e-3)
        bar = SIZES[next(size for size in SIZES if str(size) == line["size"])]
        assert (line["bar"], line["products_bar"]) == (tuple(bar) if line["threads"] == 1 else (None, None))
    assert [(line["formula"], line["m"]) for line in values["loops"]] == [
        (formula, m) for formula in LOOPS for m in plan.loop_examples
    ]
    assert all(line["loop_us"] > 0 and line["vectorised_us"] > 0 for line in values["loops"])
    assert [(line["threads"], line["size"], line["dtype"], line["bar"]) for line in values["convolutions"]] == [
        (threads, str(size), dtype, WORST_BAR if threads == 1 else None)
        for threads in plan.threads
        for size in plan.convolutions
        for dtype in measure.DTYPES
    ]
    assert [(line["size"], line["dtype"]) for line in values["workspace"]] == [
        (str(size), dtype) for size in plan.convolutions if size in MEMORY_SIZES for dtype in measure.DTYPES
    ]
    for line in values["workspace"]:
        share = line["workspace_bytes"] / line["unrolled_bytes"]
        assert line["workspace/unrolled"] == pytest.approx(share, abs=1e-4)
        assert 0 < share <= line["bar"]


def check_fits(values: dict[str, Any], plan: measure.Plan) -> None:
    """Every training once in each dtype, beside torch and scikit-learn, with the bars of both."""
    expected = [(str(size), dtype, *FIT_SIZES[size]) for size in plan.fits for dtype in measure.DTYPES]
    lines = values["fits"]
    assert [(line["size"], line["dtype"], line["sklearn_bar"], line["bar"]) for line in lines] == expected
    for line in lines:
        ratio = line["manual_us"] / line["sklearn_us"]
        assert line["manual/sklearn"] == pytest.approx(ratio, rel=0.05, abs=2e-3)


def check_processes(values: dict[str, Any], plan: measure.Plan) -> None:
    """Every network whose steps are shared once in each dtype, with its bar."""
    expected = [(str(size), dtype, SHARED_SIZES[size]) for size in plan.shared for dtype in measure.DTYPES]
    assert [(line["size"], line["dtype"], line["bar"]) for line in values["processes"]] == expected
    for line in values["processes"]:
        ratio = line["processes_us"] / line["threads_us"]
        assert line["processes/threads"] == pytest.approx(ratio, rel=0.05, abs=2e-3)
        assert line["quartiles"] == sorted(line["quartiles"])
        assert float(line["load"]) >= 0


@pytest.fixture(scope="module")
def kept_workers() -> Iterator[Callable[[str, int], AbstractContextManager[Worker]]]:
    """Workers that go on for as long as this file: to start one takes longer than to time what is small."""
    with ExitStack() as stack:

        @cache
        def started(side: str, threads: int) -> Worker:
            return stack.enter_context(Worker(side, threads))

        yield lambda side, threads: nullcontext(started(side, threads))


@pytest.fixture
def _kept_workers(kept_workers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bench times in workers that are there already."""
    monkeypatch.setattr(measure, "Worker", kept_workers)


@pytest.mark.slow
@pytest.mark.usefixtures("_kept_workers")
def test_a_quick_run_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["bench", "--quick", "--json"])
    shown = capsys.readouterr()
    assert (code, shown.err) == (0, "")
    values = json.loads(shown.out)
    assert all("formulas_us" in line for line in values["steps"])
    check_schema(values, measure.QUICK)
    check_fits(values, measure.QUICK)
    check_processes(values, measure.QUICK)


def test_peers_that_are_not_there_are_left_out_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    there, why = measure.peers(None)
    assert there == {"compiled": False, "jax": None}
    assert [reason.partition(":")[0] for reason in why] == ["torch.compile", "JAX"]
    assert measure.peers("/some/python")[0]["jax"] == "/some/python"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    assert measure.peers(None)[0]["jax"] == sys.executable


def test_the_kept_figures_have_the_schema() -> None:
    values = kept.measured("bench")
    plan = measure.FULL._replace(fit_rounds=values["fit_rounds"])  # they were as many as the figures say
    check_schema(values, plan)
    check_fits(values, plan)
    check_processes(values, plan)


def test_saving_replaces_one_section_of_figures_and_what_the_readme_shows_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    figures, sections = tmp_path / "figures.json", ("ratios",)
    figures.write_text(json.dumps(kept.measured("bench")))
    monkeypatch.setattr(kept, "MEASURED", tmp_path / "measured.json")
    monkeypatch.setattr(readme, "README", tmp_path / "README.md")
    readme.README.write_text("".join(f"{name}\n<!-- {name} -->\nold\n<!-- /{name} -->\n" for name in sections))
    save_figures.save("other", [1])
    assert save_figures.main(["bench", str(figures)]) == 0
    values = json.loads(figures.read_text())
    assert (kept.measured("other"), kept.measured("bench")) == ([1], values)
    assert readme.section("ratios") == ratios_table(values).markdown()
    figures.write_text(json.dumps({**values, "fits": []}))
    with pytest.raises(SystemExit):
        save_figures.main(["bench", str(figures)])


def test_geometric_means_are_taken_by_dtype_and_number_of_threads() -> None:
    lines = [
        {"threads": threads, "dtype": dtype, "manual/torch": ratio}
        for threads, dtype, ratio in [
            (1, "float32", 2.0),
            (1, "float32", 0.5),
            (1, "float64", 3.0),
            (2, "float32", 4.0),
        ]
    ]
    means = conv_means(lines)
    assert [(mean.dtype, mean.threads, mean.bar) for mean in means] == [
        ("float32", 1, MEAN_BARS["float32"]),
        ("float64", 1, MEAN_BARS["float64"]),
        ("float32", 2, None),
    ]
    assert [mean.ratio for mean in means] == pytest.approx([1.0, 3.0, 4.0])


@pytest.mark.slow
@pytest.mark.usefixtures("_kept_workers")
@pytest.mark.parametrize(
    ("part", "filled"),
    [("steps", {"steps"}), ("loops", {"loops"}), ("conv", {"convolutions"}), ("growth", {"growth"})],
)
def test_a_part_alone(capsys: pytest.CaptureFixture[str], part: str, filled: set[str]) -> None:
    assert main(["bench", "--quick", "--only", part, "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert {name for name in ("steps", "loops", "convolutions", "workspace", "growth") if values[name]} == filled


def test_the_terminal_has_a_table_for_each_part(capsys: pytest.CaptureFixture[str]) -> None:
    show({**kept.measured("bench"), "fits": []}, console())
    shown = capsys.readouterr().out
    for title in ("A training step", "A convolution, forward and backward", "A training step that two processes share"):
        assert f"{title} " in shown
    assert "20 epochs of Adam" not in shown
    assert shown.count(" within") + shown.count(" outside") > 20


def test_the_growth_of_a_square_is_outside() -> None:
    line = {
        "task": "layers",
        "sizes": [4, 16],
        "us": [10.0, 40.0],
        "bytes": [2**20, 2**22],
        "bar": BAR,
        "date": "today",
    }
    of = {"exponent": measure.exponent(10, 40), "memory_exponent": measure.exponent(2**20, 2**22)}
    squared = {"us": [10.0, 160.0], "exponent": measure.exponent(10, 160)}
    assert (of["exponent"], squared["exponent"]) == (1, 2)
    (table,) = tables({"steps": [], "growth": [line | of, line | of | squared, line | of | {"memory_exponent": 1.3}]})
    assert table.within == [True, False, False]
    assert table.rows[1] == ["layers", "4 and 16", "10 µs", "160 µs", "2.00", "1.00 MiB", "4.00 MiB", "1.00", "1.25"]


@pytest.mark.parametrize("wrong", [False, True])
def test_the_text_that_grows_is_right_but_for_one_line(wrong: bool) -> None:
    judged = verify(derivation(3, wrong=wrong))
    found = [line for line in judged.lines if line.verdict != HOLDS]
    assert [line.target for line in found] == ["dZ1"] * wrong
    assert "".join(line.repaired for line in found).endswith("(1 - A1**2)") == wrong


def test_processes_have_no_quick_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--quick", "--only", "processes"]) == 2
    assert "--quick and --only processes were given, expected one of them" in capsys.readouterr().err
