"""Derivations as people write them in notes: the language, and what is judged of it.

``nodes`` (the tree) - ``tokens`` and ``syntax`` (text to tree) - ``printer`` (tree to text) - ``functions``
(the white list) - ``evaluate`` (tree to numbers) - ``errors``. Nothing a person writes is handed to Python.
"""
