"""The page to try it in: a derivation is typed or a file dropped, and ``verify`` says what it always says.

``server`` (what may be asked, and by whom) - ``work`` (a process apart for every request) - ``given`` (what that
process is given, and what it answers) - ``graph`` - ``examples`` - ``page`` (the page
itself, plain HTML, CSS and JavaScript).
"""
