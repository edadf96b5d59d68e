"""The wheel: it is installed away from the clone and used beside folders that have the names of its packages."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "-q"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel installs."""
    made, target = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("site")
    subprocess.run(
        [*PIP, "wheel", "--no-deps", "--no-build-isolation", "-w", str(made), str(ROOT)], check=True, timeout=120
    )
    wheels = list(made.glob("*.whl"))
    subprocess.run([*PIP, "install", "--no-deps", "--target", str(target), str(wheels[0])], check=True, timeout=120)
    return target


def run(site: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The installed command in a folder of the person's own."""
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, str(site / "bin" / "derivation-parity"), *words],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_the_wheel_has_the_data_under_its_own_name_and_no_tests(site: Path) -> None:
    assert {each.name for each in site.iterdir() if each.suffix != ".dist-info"} == {
        "bin", "derivation_datasets", "manual", "parity_tests", "torch_ref",
    }  # fmt: skip
    assert not (site / "parity_tests" / "tests").exists()
    read = ("measured.json", "serve/page/script.js", "report/templates/style.css", "notebooks/derive_and_check.ipynb")
    for file in read:
        assert (site / "parity_tests" / file).is_file()


@pytest.mark.parametrize(
    ("words", "code", "shown"),
    [
        (["verify", "dW1 = dZ1 @ X.T", "--setting", "shallow"], 1, "[missing-1/m]"),
        (["train", "--dataset", "iris", "--epochs", "1"], 0, "1 epochs in"),
        (["verfy", "x"], 2, "did you mean verify?"),
        (["serve", "--port", "70000"], 2, "port is 70000, expected 0 to 65535"),
        (["torch", "train", "--dataset", "no-such-set"], 2, "dataset is 'no-such-set'"),
    ],
)
def test_it_works_beside_folders_that_are_called_like_its_packages(
    site: Path, tmp_path: Path, words: list[str], code: int, shown: str
) -> None:
    for name in ("datasets", "manual"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise ImportError('not this one')\n")
    done = run(site, tmp_path, *words)
    assert done.returncode == code, done.stderr
    assert shown in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_name_that_is_taken_is_said(tmp_path: Path) -> None:
    (tmp_path / "manual.py").write_text("")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(tmp_path), str(ROOT)))}
    done = subprocess.run(
        [sys.executable, "-m", "parity_tests", "index"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith(f"python -m parity_tests: another module named manual was found at {tmp_path}")
    assert done.stderr.count("\n") == 1
