"""What a formula is judged against: the settings, each with its symbols, its formulas and their true values.

``setting`` (what a setting is) - ``spellings`` (formulas as people write them) - ``problems`` and ``torch_side`` (the
two ways to the true values) - ``draws`` (numbers) - ``networks``, ``logistic``, ``layer`` (the settings). Torch is
imported when a truth of its side is first asked for.
"""

from __future__ import annotations

from parity_tests.derivations.errors import close_names, did_you_mean
from parity_tests.derivations.settings.layer import LAYER
from parity_tests.derivations.settings.logistic import LOGISTIC
from parity_tests.derivations.settings.networks import DEEP, SHALLOW
from parity_tests.derivations.settings.setting import Probe, Row, Setting, Symbol, Target, listing

__all__ = ["SETTINGS", "Probe", "Row", "Setting", "Symbol", "Target", "listing", "setting_named"]

SETTINGS: dict[str, Setting] = {setting.name: setting for setting in (LOGISTIC, SHALLOW, DEEP, LAYER)}
"""Settings by name."""


def setting_named(name: str) -> Setting:
    """The setting of that name; ValueError, with the names it may have been meant for, where there is none."""
    if name not in SETTINGS:
        near = did_you_mean(close_names(name, SETTINGS))
        raise ValueError(f"setting is {name!r}, expected one of {', '.join(SETTINGS)}{near}")
    return SETTINGS[name]
