"""Derivations in LaTeX: the formulas of a note, read as trees and held against numbers.

``documents`` (a file to formulas) - ``tokens``, ``tree``, ``cursor``, ``marks``, ``structures``, ``parser``,
``patterns`` (what is written) - ``statements``, ``claims``, ``sides``, ``collector`` (rows and chains of equations, and
what they claim), ``declared`` (letters that are functions, primes that are transposes) - ``style``, ``roles`` (how a
section writes layers and examples, and which letters it uses) - ``evaluation`` (what a tree is worth, whatever gives
its letters their values: ``numbers``, ``limits`` and ``identities`` need no more) - ``references``, ``frames``,
``symbols``, ``quantities``, ``derivatives``, ``functions``, ``usual`` (letters by what they usually mean, in the
numbers of a setting) - ``own_examples``, ``own_forward``, ``own_shapes``, ``own_values``, ``own_equations``, ``own``
(letters by the note's own forward pass) - ``kinds``, ``conventions``,
``alternatives`` (what a section takes for granted) - ``targets``, ``judge``, ``sizes`` (whether a claim holds) -
``rewritten``, ``repairs``, ``notation``, ``diagnosis`` (the one change with which it would, in the note's letters) -
``wording``, ``verdict``, ``evidence`` (what is said of it, and what shows it) - ``printer`` (a line of the language as
LaTeX) - ``answers`` (a whole file).
"""
