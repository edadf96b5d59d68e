"""Data for the comparison and for training: scikit-learn's sets, generated sets, MNIST, your own arrays and files.

``load(name)`` gives one of ``NAMES``; ``from_arrays(...)`` and ``from_file(path)`` give your own the same treatment.
All return a ``Dataset``: split, scaled, and turned so that one example is one column.
scikit-learn is imported by the first call, not by ``import datasets``.
"""

from datasets.catalogue import NAMES, load
from datasets.dataset import Dataset
from datasets.own_file import from_file
from datasets.prepare import from_arrays

__all__ = ["NAMES", "Dataset", "from_arrays", "from_file", "load"]
