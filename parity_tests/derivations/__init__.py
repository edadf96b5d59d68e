"""Derivations as people write them in notes: the language, and what is judged of it.

``front`` (text to Python's own tree) - ``hints``, ``formulas`` and ``syntax`` (to the language's) - ``nodes`` (the
tree) - ``printer`` (tree to text) - ``functions`` (the white list) - ``evaluate`` and ``places`` (tree to numbers) -
``errors``. Nothing a person writes is compiled or carried out by Python.

``settings`` (what is true) - ``lines`` (what a line needs and sees) - ``choice`` (in which setting) - ``verify``,
``line_verdict`` and ``verdicts`` - ``edits`` and its rules (``node_rules``, ``term_rules``, ``program_rules``,
``training_rules``, ``shape_rules``), ``diagnosis``, ``search`` and ``causes`` (which mistake it was) - ``data`` (a
person's numbers) - ``functions_file``, ``tasks``, ``initial``, ``calls``, ``functions_runner``, ``function_verdicts``
(a person's functions) - ``testbed`` and ``matrix`` (how often the mistake is named).
"""
