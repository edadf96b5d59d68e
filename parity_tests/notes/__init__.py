"""The five notes, row by row: what each says, what holds, and checks that could tell if it were the other way round.

``row`` (what a row is) - ``checks`` (kinds of check) - ``snippets``, ``descent``, ``training``, ``initial_weights``,
``recipe_runs``, ``optimiser_runs`` (what they run) - ``logistic`` to ``recipe`` (the rows, by chapter) - ``rows`` (all
of them) - ``run`` - ``errata`` (tables) -
``reading`` (the files themselves).
"""
