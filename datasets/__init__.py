"""Data for the comparison and for training: scikit-learn's sets, generated sets, MNIST, your own arrays and files.

``load(name)`` gives one of ``NAMES``; ``from_arrays(...)`` and ``from_file(path)`` give your own the same treatment.
All return a ``Dataset``: split, scaled, and turned so that one example is one column. ``examples_from(path)`` gives
examples for a network that was trained on one, by what the Dataset's ``preparation`` says.
scikit-learn is imported by the first call, not by ``import datasets``.
"""

from .catalogue import NAMES, load
from .dataset import Dataset
from .examples import examples_from
from .own_file import from_file
from .preparation import Preparation
from .prepare import from_arrays

__all__ = ["NAMES", "Dataset", "Preparation", "examples_from", "from_arrays", "from_file", "load"]
