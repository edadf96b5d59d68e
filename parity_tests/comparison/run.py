"""The main job: every formula on probes, every model on its data, both sides beside each other."""

from __future__ import annotations

import multiprocessing
import platform
import signal
import sys
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import date
from functools import cache
from importlib.metadata import version
from typing import Any, NamedTuple, overload

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import nn

from manual.shared.cli import toy_datasets
from parity_tests import html
from parity_tests.comparison.compiled import check_compiler, run_compiled
from parity_tests.comparison.formats import FORMATS, check_rounds, rounded, run_short
from parity_tests.comparison.free_runs import run_free
from parity_tests.comparison.models import MODEL_CASES, start
from parity_tests.comparison.own_module import compare_own, own_module
from parity_tests.comparison.snap import run_steps
from parity_tests.differences.difference import Difference, diff_module
from parity_tests.differences.trace import Trace
from parity_tests.formulas import CASES
from parity_tests.formulas.run import run_case
from parity_tests.judging.judge import CANNOT_TELL, FAILS, HOLDS, Result
from parity_tests.notebook import bar_in_notebook
from torch_ref.devices import device_named
from torch_ref.hardware import products
from torch_ref.optimizers import gradient_descent

DTYPES: dict[str, tuple[str, ...]] = {
    "float64": ("float64",),
    "float32": ("float32",),
    "both": ("float64", "float32"),
}


MOST_SHOWN = 60
"""Lines of a comparison that a notebook shows."""

PRECISIONS = ("ieee", *FORMATS)
"""How torch computes products."""


THE_ALGORITHM = "the algorithm: it holds without cuDNN, which may convolve by transforms"
"""The reason of a line that fails with cuDNN and holds without."""


class Unit(NamedTuple):
    """A piece of the job that one process does: a model case, or all the formula cases named, in one dtype."""

    cases: tuple[str, ...]
    dtype: str
    seed: int
    device: str
    precision: str = "ieee"
    compiled: bool = False


class Results(list[Result]):
    """The lines of a comparison, a table in notebooks."""

    def _repr_html_(self) -> str:
        """What fails, then the lines with the largest error / bound, and the counts of all."""
        from parity_tests.comparison.tables import closing

        order = sorted(self, key=lambda each: (each.verdict != FAILS, each.verdict != CANNOT_TELL, -each.ratio))
        rows = []
        for each in order[:MOST_SHOWN]:
            layer = "" if each.layer is None else str(each.layer)
            words = (html.code(each.case), html.code(each.quantity), layer, each.dtype, each.pair)
            numbers = [f"{value:.2g}" for value in (each.error, each.bound, each.ratio)]
            rows.append((each.verdict, (*words, html.mark(each.verdict, each.reason), *numbers)))
        heads = ("case", "quantity", "layer", "dtype", "pair", "verdict", "error", "bound", "error / bound")
        left = [f"The {MOST_SHOWN} worst of {len(self)} lines."] if len(self) > MOST_SHOWN else []
        return html.table(heads, rows, 6, [closing(self), *left])


@overload
def compare(
    text: str = "",
    *,
    dtype: str = "float64",
    device: str = "cpu",
    precision: str = "ieee",
    compiled: bool = False,
    seed: int = 0,
    jobs: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
    module: nn.Module | None = None,
    X: Any = None,
    Y: Any = None,
    output: str | None = None,
) -> Results: ...


@overload
def compare(
    *,
    module: nn.Module,
    numpy: Mapping[str, Any],
    X: Any,
    Y: Any = None,
    loss: Callable[..., Any] | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    names: Mapping[str, str] | None = None,
) -> Difference: ...


def compare(
    text: str = "",
    *,
    dtype: str = "float64",
    device: str = "cpu",
    precision: str = "ieee",
    compiled: bool = False,
    seed: int = 0,
    jobs: int = 1,
    on_progress: Callable[[int, int], None] | None = None,
    module: nn.Module | None = None,
    X: Any = None,
    Y: Any = None,
    output: str | None = None,
    numpy: Mapping[str, Any] | None = None,
    loss: Callable[..., Any] | None = None,
    optimizer: torch.optim.Optimizer | None = None,
    names: Mapping[str, str] | None = None,
) -> Results | Difference:
    """Compare ``manual`` with ``torch_ref``, with its own loops, and with the complex step.

    ``text`` selects the cases whose id contains it (as ``-k``); ``dtype`` is float64, float32 or both; ``device`` is
    where torch computes; ``seed`` draws probes, splits and initial parameters; ``jobs`` processes share the work;
    ``on_progress`` is called with the pieces done and the number of all; without one, a notebook shows a bar.

    With ``precision`` tf32 or bf16 the models alone run, one step each: torch in float32 with products in that format,
    against float64 by hand, under the format's bounds. Where no product is rounded to the format, ValueError says so; a
    model in which none was cannot be told.

    With ``compiled`` the models alone run, one step each, through torch.compile: every layer by itself under its bound,
    then the whole, judged by a measured spread. Compiling takes many seconds for each model.

    With ``module``, an nn.Sequential of your own, it alone is compared, on X and Y as torch takes them: examples in
    rows, or images (m, n_C, n_H, n_W). See parity_tests.comparison.own_module.

    With ``numpy``, your arrays by name, they are compared with what any ``module`` computes: forward values (Z1, A1, or
    the name of a layer), J and gradients of the ``loss`` (dW1, dZ2, dX), and the parameters after one step of the
    ``optimizer`` (W1_new), after its earlier ones. ``names`` gives the module's name for one of yours.
    The result is the first that differs, its cause, and what follows: see parity_tests.differences.

    Raises ValueError for a text that no case contains, an unknown dtype, an unknown or absent device, a negative seed.
    """
    if numpy is not None:
        if module is None or text:
            raise ValueError("numpy is given, expected module, X, Y, loss and optimizer beside it, and no text")
        return diff_module(numpy, Trace(module, X, Y, loss, optimizer), names)
    if loss is not None or optimizer is not None or names:
        raise ValueError("loss, optimizer or names are given, expected numpy beside them: your arrays by name")
    if module is not None:
        if text:
            raise ValueError(f"text is {text!r}, expected none beside module: it is compared alone")
        if precision != "ieee":
            raise ValueError(f"precision is {precision}, expected ieee beside module: it is compared in its dtype")
        if compiled:
            raise ValueError("compiled is asked for, expected neither a precision nor a module beside it")
        (one, *_) = units("", dtype=dtype, device=device, seed=seed, jobs=jobs)
        own = own_module(module, X, Y, output)
        return Results(on_device(one.device, lambda: compare_own(own, DTYPES[dtype], one.device, seed)))
    work = units(text, dtype=dtype, device=device, precision=precision, compiled=compiled, seed=seed, jobs=jobs)
    results = Results()
    tell = on_progress or bar_in_notebook("comparing")
    for done, part in enumerate(run_all(work, jobs), start=1):
        results += part
        if tell:
            tell(done, len(work))
    return results


def units(
    text: str = "",
    *,
    dtype: str = "float64",
    device: str = "cpu",
    precision: str = "ieee",
    compiled: bool = False,
    seed: int = 0,
    jobs: int = 1,
) -> list[Unit]:
    """The pieces of the job that the arguments of ``compare`` select.

    Raises ValueError as ``compare`` does.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision is {precision!r:.40}, expected one of {', '.join(PRECISIONS)}")
    if precision != "ieee" and dtype != "float64":
        raise ValueError(f"precision is {precision}, expected neither a dtype nor a module beside it")
    if compiled and precision != "ieee":
        raise ValueError("compiled is asked for, expected neither a precision nor a module beside it")
    if dtype not in DTYPES:
        raise ValueError(f"dtype is {dtype!r}, expected one of {', '.join(DTYPES)}")
    for name, value, least in (("seed", seed, 0), ("jobs", jobs, 1)):
        if value < least:
            raise ValueError(f"{name} is {value}, expected {least} or more")
    device = str(device_named(device))
    if compiled:
        check_compiler(device)
    if precision != "ieee":
        check_rounds(precision, device)
    models_alone = precision != "ieee" or compiled
    formulas = tuple(case.id for case in CASES if text in case.id and not models_alone)
    models = tuple(case.id for case in MODEL_CASES if text in case.id)
    if not formulas and not models:
        raise ValueError(f"-k is {text!r}, expected part of a case's id, such as dense or wide/digits: no case has it")
    pieces = ([formulas] if formulas else []) + [(name,) for name in models]
    return [Unit(piece, each, seed, device, precision, compiled) for each in DTYPES[dtype] for piece in pieces]


def run_unit(unit: Unit) -> list[Result]:
    """Do one piece of the job."""
    return on_device(unit.device, lambda: _run(unit))


def on_device(device: str, run: Callable[[], list[Result]]) -> list[Result]:
    """Compare with torch's products in the format of the data, and torch's switches as they were afterwards.

    What fails with cuDNN and holds without is put down to its algorithm: it may convolve by transforms (Winograd, FFT),
    to which the bounds of sums of products do not apply. Such a line cannot be told.
    """
    with one_thread(), products():
        found = run()
        if torch.device(device).type != "cuda" or all(result.verdict != FAILS for result in found):
            return found
        with products(cudnn=False):
            plain = run()
    return [
        line._replace(verdict=CANNOT_TELL, cannot_tell=line.arrays, reason=THE_ALGORITHM)
        if line.verdict == FAILS and without.verdict == HOLDS
        else line
        for line, without in zip(found, plain, strict=True)
    ]


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for torch and for NumPy's BLAS: the arrays are small, and the processes share the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)


@cache
def _loaded(datasets: Any, name: str, seed: int) -> Any:
    """A data set of the package, read once for all cases: none of them changes it."""
    return datasets.load(name, seed=seed)


def _run(unit: Unit) -> list[Result]:
    dtype = np.dtype(unit.dtype).type
    results: list[Result] = []
    for case in CASES:
        if case.id in unit.cases:
            results += run_case(case, dtype, unit.seed, unit.device)
    for model_case in MODEL_CASES:
        if model_case.id in unit.cases:
            data = _loaded(toy_datasets(), model_case.dataset, unit.seed)
            begin = start(model_case, data, dtype, unit.seed)
            if unit.precision != "ieee":
                results += rounded(run_short(model_case, begin, unit.precision, unit.device))
                continue
            if unit.compiled:
                results += run_compiled(model_case, begin, unit.seed, unit.device)
                continue
            results += run_steps(model_case, begin, model_case.steps, unit.seed, unit.device)
            results += run_free(model_case, begin, model_case.free.steps, unit.seed, unit.device)
    return results


def run_all(work: Sequence[Unit], jobs: int) -> Generator[list[Result], None, None]:
    """The results piece by piece, in order."""
    if jobs == 1 or len(work) == 1:
        yield from map(run_unit, work)
        return
    # a forked process has everything imported already, which is a third of the job's time; elsewhere fork is not safe
    safe = sys.platform == "linux" and work[0].device == "cpu" and not work[0].compiled
    method = "fork" if safe else "spawn"
    torch.set_num_threads(1)
    if safe:
        _import_what_is_used_late()
    before = multiprocessing.active_children()
    with ProcessPoolExecutor(jobs, multiprocessing.get_context(method), initializer=_default_signals) as pool:
        futures = [pool.submit(run_unit, unit) for unit in work]
        try:
            for future in futures:
                yield future.result()
        except BaseException:  # Ctrl-C among them: what nobody takes is not waited for
            for process in set(multiprocessing.active_children()) - set(before):
                process.terminate()
            raise


def _import_what_is_used_late() -> None:
    """What torch's first optimiser and the first data set import: a second each, once and not in every process."""
    gradient_descent(nn.Linear(1, 1), learning_rate=1.0)
    toy_datasets().load("iris")


def _default_signals() -> None:
    """A signal ends a process of the pool, whatever it does to the one that started it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def environment(device: str) -> dict[str, str]:
    """What the results were computed with."""
    chosen = device_named(device)
    return {
        "date": date.today().isoformat(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "scikit-learn": version("scikit-learn"),
        "machine": f"{platform.system()} {platform.machine()}",
        "device": torch.cuda.get_device_name(chosen) if chosen.type == "cuda" else str(chosen),
    }
