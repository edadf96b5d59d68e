"""One answer a file, whatever the file is: the record that every report is written from, for one file or many."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from manual.shared.cli import in_processes
from parity_tests.derivations.own.sources import PROGRAMS, is_note
from parity_tests.derivations.verdicts import (
    CANNOT_TELL,
    DOUBTFUL,
    NOT_JUDGED,
    WRONG,
    Judged,
    Summary,
    Verdict,
    summarised,
)

if TYPE_CHECKING:
    from parity_tests.derivations.engine.networks import Network
    from parity_tests.derivations.latex.conventions import Told


class Options(NamedTuple):
    """How files are judged; ``verify`` and ``verify_file`` say what each means."""

    setting: str | None = None
    l2: bool = False
    chain: bool = False
    seed: int = 0
    strict: bool = False
    net: Network | None = None
    call: str = ""
    cost: str = ""
    grads: str = ""
    rubric: str = ""
    told: Told | None = None
    named: str = ""


class Answer(NamedTuple):
    """What is said of one file: ``problem`` is why it has no verdicts, "" where it has."""

    file: str
    judged: Judged | None
    problem: str = ""

    @property
    def summary(self) -> Summary:
        """The counts; a file without verdicts is one thing that was not judged."""
        return Summary(0, 0, 0, 0, 1) if self.judged is None else self.judged.summary

    @property
    def depends(self) -> bool:
        """Whether what holds depends on a cost that is not written down."""
        return self.judged is not None and bool(self.judged.cost.otherwise)

    @property
    def lines(self) -> tuple[Verdict, ...]:
        """The verdicts."""
        return () if self.judged is None else self.judged.lines

    @property
    def first(self) -> Verdict | None:
        """The first line that is wrong; or else that cannot be told, or was not judged."""
        order = (WRONG, CANNOT_TELL, DOUBTFUL, NOT_JUDGED)
        return next((line for kind in order for line in self.lines if line.verdict == kind), None)

    def as_json(self) -> dict[str, Any]:
        """Plain data, with the file's name."""
        if self.judged is not None:
            return {**self.judged._replace(source=self.file).as_json(), "problem": ""}
        return {"source": self.file, "problem": self.problem, "lines": [], "summary": self.summary._asdict()}


def verify_path(path: Path, options: Options) -> Judged:
    """Judge one file: a program, or a text.

    A text with formulas in LaTeX is judged by these; so are the Markdown cells of a notebook, beside its code.

    Raises ValueError where it cannot be read or run, or has nothing to judge.
    """
    if path.suffix in PROGRAMS:
        return _program(path, options)
    if is_note(path):
        from parity_tests.derivations.latex.answers import verify_note

        return verify_note(path, options.told)
    from parity_tests.derivations.text_lines import judge_lines

    text = path.read_text(encoding="utf-8", errors="replace")
    judged = judge_lines(
        text,
        options.setting,
        l2=options.l2,
        chain=options.chain,
        seed=options.seed,
        strict=options.strict,
        net=options.net,
        cost=options.named,
    )
    return judged._replace(source=str(path))


def _program(path: Path, options: Options) -> Judged:
    """What is said of a program, and of the formulas of a notebook."""
    from parity_tests.derivations.own.program_file import verify_file

    told = {"call": options.call, "cost": options.cost, "grads": options.grads, "rubric": options.rubric}
    if not is_note(path):
        return verify_file(path, seed=options.seed, strict=options.strict, **told)
    from parity_tests.derivations.latex.answers import verify_note

    note = verify_note(path, options.told)
    try:
        code = verify_file(path, seed=options.seed, strict=options.strict, **told)
    except ValueError as error:
        return note._replace(notes=(*note.notes, f"The code is not judged: {' '.join(str(error).split())}"))
    lines = (*code.lines, *note.lines)
    return code._replace(lines=lines, summary=summarised(lines, code.summary.helpers))


def answer(path: Path, options: Options) -> Answer:
    """The answer on one file; what goes wrong with it is said in it."""
    try:
        return Answer(str(path), verify_path(path, options))
    except (ValueError, OSError) as error:
        return Answer(str(path), None, " ".join(str(error).split()))
    except Exception as error:  # a fault of this package must not end the report on the other files
        return Answer(str(path), None, f"{path.name} could not be judged: {type(error).__name__}: {error}")


def answers(paths: Sequence[Path], options: Options, jobs: int) -> Generator[Answer, None, None]:
    """The answers on several files, in their order, found in so many processes; one that crashes ends no other."""
    from joblib import delayed  # only where several files are judged

    done = 0
    while done < len(paths):
        calls = (delayed(answer)(path, options) for path in paths[done:])
        try:
            for each in in_processes(calls, jobs):
                yield each
                done += 1
        except BrokenProcessPool:
            path = paths[done]  # another file may have been the cause
            try:
                yield from in_processes([delayed(answer)(path, options)], 2)
            except BrokenProcessPool:
                yield Answer(str(path), None, f"{path.name} ended the process that judged it")
            done += 1
