"""Toy data for the comparison: scikit-learn's sets, generated sets, your own arrays.

``load(name)`` gives one of ``NAMES``; ``from_arrays(...)`` gives your own arrays the same treatment.
Both return a ``Dataset``: split, scaled, and turned so that one example is one column.
scikit-learn is imported by the first call, not by ``import datasets``.
"""

from datasets.catalogue import NAMES, load
from datasets.dataset import Dataset
from datasets.prepare import from_arrays

__all__ = ["NAMES", "Dataset", "from_arrays", "load"]
