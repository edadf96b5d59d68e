"""The site: every formula of the notes with its derivation, its code, its measured error, and the pictures.

``chapters`` (what is said of each formula) - ``collect`` (rows, sources and cases of each) - ``measure`` (what this run
found) - ``pictures`` - ``mathematics`` and ``sources`` (formulas and code as markup) - ``guides`` (where to begin) -
``search_index`` - ``site`` (the templates).
"""
