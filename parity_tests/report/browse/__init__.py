"""The page as its readers have it: opened in a headless Chromium, and looked at from every side.

``browser`` (Chromium through Selenium) - ``checks`` (what must hold, as a table) - ``scripts`` (what runs in the page).
"""
