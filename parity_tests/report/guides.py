"""A short guide for each kind of reader: what they came for, in the fewest steps."""

from __future__ import annotations

from typing import NamedTuple


class Guide(NamedTuple):
    """A reader, and the steps: a sentence, with code between double backquotes, and a command or code, or ""."""

    id: str
    title: str
    steps: tuple[tuple[str, str], ...]


GUIDES: tuple[Guide, ...] = (
    Guide("student", "You derived backpropagation by hand", (
        ("Write your lines as in NumPy and have each judged; a wrong one gets its mistake and what would hold.",
         'python -m parity_tests verify "dW1 = dZ1 @ X.T" --setting shallow'),
        ("A text with its own forward pass needs no setting: J is what it computes.",
         "python -m parity_tests verify derivation.txt"),
        ("Or type, and see the verdicts beside the lines.", "python -m parity_tests serve"),
        ("Every formula with its derivation is in the chapters of this site; ``/`` goes to the search.", ""),
    )),
    Guide("assistant", "You mark what others handed in", (
        ("A folder of programs, notebooks and texts becomes a table, held against your own solution; each file runs "
         "apart and limited.",
         "python -m parity_tests verify submissions --reference solution.py --csv marks.csv --junit marks.xml"),
        ("Exit code 0: all holds; 1: something is wrong; 3: something could not be judged, with the reason.", ""),
    )),
    Guide("lecturer", "You teach it, or write notes about it", (
        ("The formulas of your own notes, in LaTeX, with the convention of each section.",
         "python -m parity_tests verify notes.md"),
        ("What the five notes get wrong, each with what holds; and from a formula to its code.",
         "python -m parity_tests notes --wrong\npython -m parity_tests index -k F103"),
        ("Three notebooks for a lesson lie in ``parity_tests/notebooks``; this site is made by the next line.",
         "python -m parity_tests report --site site --pictures pictures"),
    )),
    Guide("engineer", "You compare a network with PyTorch", (
        ("Every formula and model, by hand beside torch, with the error and the bound of every array.",
         "python -m parity_tests -k wide/digits --dtype both"),
        ("Your own nn.Sequential, layer by layer.", "python -m parity_tests --module my_model.py:net --data run.npz"),
        ("Two dumps of arrays: the first that differs, and why.", "python -m parity_tests diff mine.npz theirs.npz"),
    )),
    Guide("trainer", "You train on data of your own", (
        ("By hand, from a table; the file that is saved predicts.",
         "python -m manual train --data patients.csv --target outcome --save patients.safetensors"),
        ("The same network in PyTorch, on a GPU.", "python -m torch_ref train --model convnet --device cuda"),
        ("Eight steps before it is trusted.", "python -m manual recipe --data houses.csv --target price --hidden 16"),
    )),
    Guide("scikit-learn", "You use scikit-learn", (
        ("Two estimators by hand and two in torch, with the parameters of MLPClassifier and MLPRegressor; they pass "
         "its checks and go into its pipelines and searches.",
         "from manual.estimators import NetworkClassifier\n\nNetworkClassifier((64,), max_iter=15, random_state=0)"),
    )),
    Guide("maintainer", "You keep a gradient right in your own tests", (
        ("pytest finds the fixture by itself once the package is installed.",
         'def test_my_gradients(verify_derivation):\n    verify_derivation("dW1 = (1/m) * dZ1 @ X.T", "shallow")'),
        ("Any scalar function and its gradient, by the complex step.",
         'from parity_tests import check_gradient\n\nprint(check_gradient(f, {"W": dW}, {"W": W}))'),
    )),
    Guide("wheel", "You installed the wheel", (
        ("One command, ``derivation-parity``, for all three packages, in any folder, also beside folders called "
         "``datasets`` or ``manual``; torch's commands follow the word ``torch``.",
         'derivation-parity verify "dW1 = dZ1 @ X.T" --setting shallow'),
    )),
    Guide("notebook", "You work in a notebook", (
        ("A cell that begins with ``%%verify`` is judged among the notebook's variables, as a table.",
         "%load_ext parity_tests"),
        ("A whole notebook, its code and the formulas of its text.", "python -m parity_tests verify net.ipynb"),
    )),
    Guide("versions", "You have another Python, or older packages", (
        ("Python 3.11 or newer, NumPy 2.0, scikit-learn 1.6, torch 2.6 or newer. The next line takes the versions "
         "with which the results were made.",
         'python3 -m venv .venv && .venv/bin/pip install -e ".[pinned]" && .venv/bin/python -m parity_tests'),
    )),
)  # fmt: skip
