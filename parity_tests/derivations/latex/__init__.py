"""Derivations in LaTeX: the formulas of a note, read into the language and judged in the settings of the engine.

``documents`` (a file to formulas) - ``tokens``, ``tree``, ``parser`` (what is written) - ``statements`` (rows and
chains of equations) - ``style`` (how a section writes layers and examples) - ``references`` (settings by convention) -
``symbols``, ``values``, ``meaning`` (what it says, in the language) - ``conventions`` (what a section takes for
granted) - ``judge``, ``numbers`` (verdicts) - ``printer`` (a formula as LaTeX) - ``answers`` (a whole file).
"""
