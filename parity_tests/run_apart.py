"""A person's .py file run in a process of its own, for a limited time; its runner prints one line of JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def run_apart(path: Path, runner: Path, words: Sequence[str], seconds: float) -> dict[str, Any]:
    """What ``runner FILE WORDS...`` reports of the file, beside which it runs. Whatever is printed before is dropped.

    Raises ValueError where the file cannot be run, or not in this time.
    """
    command = [sys.executable, "-P", str(runner), str(path.resolve()), *words]
    search = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    try:
        done = subprocess.run(
            command,
            cwd=path.resolve().parent,
            env={**os.environ, "PYTHONPATH": search},
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ValueError(f"{path.name} ran for more than {seconds} seconds and was ended") from error
    report = done.stdout.splitlines()[-1] if done.stdout.strip() else ""
    if done.returncode or not report.startswith("{"):
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise ValueError(f"{path.name} could not be run: {lines[-1] if lines else f'exit code {done.returncode}'}")
    heard: dict[str, Any] = json.loads(report)
    if "problem" in heard:
        raise ValueError(f"{path.name} could not be run: {heard['problem']}")
    return heard
