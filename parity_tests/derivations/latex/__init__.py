"""Derivations in LaTeX: the formulas of a note, read into the language and judged in the settings of the engine.

``documents`` (a file to formulas) - ``tokens``, ``tree``, ``cursor``, ``marks``, ``structures``, ``parser``,
``patterns`` (what is written) - ``statements``, ``claims``, ``collector`` (rows and chains of equations, and what
they claim) -
``style``, ``roles`` (how a section writes layers and examples, and which letters it uses) - ``references``, ``frames``
(settings by convention) - ``symbols``, ``values``, ``quantities``, ``functions``, ``meaning`` (what it says, in the
language) - ``conventions`` (what a section takes for granted) - ``judge``, ``entries``, ``identities``, ``numbers``,
``limits``, ``sizes`` (whether it holds) - ``own_forward``, ``own_shapes``, ``own_values``, ``own``, ``repairs`` (the
note's own forward pass under whatever letters, and what holds in it) - ``diagnosis``, ``alternatives``, ``rewritten``,
``verdict``, ``evidence`` (what is wrong, and what shows it) -
``printer``, ``notation`` (a formula as LaTeX) - ``answers`` (a whole file).
"""
