"""What a formula is judged against: the settings, each with its symbols, its formulas and their true values.

``setting`` (what a setting is) - ``statements``, ``reference`` (a setting from a text) - ``problem`` (what follows
from its numbers, by the engine) - ``networks``, ``layer``, ``logistic``, ``functions``, ``volume_layers``, ``rows``
(the texts) - ``optimisers``, ``sizes`` (texts whose truths torch gives, in ``by_torch``) - ``readings``
(other conventions). Torch is imported when numbers are first drawn.
"""

from __future__ import annotations

from parity_tests.derivations.language.errors import close_names, did_you_mean
from parity_tests.derivations.settings.functions import ACTIVATIONS, COST_FUNCTIONS, DROPOUT, SOFTMAX_JACOBIAN
from parity_tests.derivations.settings.layer import LAYER
from parity_tests.derivations.settings.logistic import LABELS, LOGISTIC, LOGISTIC_LOOP, LOGISTIC_ONE
from parity_tests.derivations.settings.networks import MINIBATCH, NETWORKS, OTHER_NETWORKS
from parity_tests.derivations.settings.optimisers import OPTIMISERS
from parity_tests.derivations.settings.rows import OTHER_FORMS
from parity_tests.derivations.settings.setting import Probe, Row, Setting, Symbol, Target, listing
from parity_tests.derivations.settings.sizes import COUNTS, INITIALIZATION
from parity_tests.derivations.settings.volume_layers import AVERAGE_POOL, CONVOLUTION, FLATTEN, MAX_POOL

__all__ = ["SETTINGS", "Probe", "Row", "Setting", "Symbol", "Target", "listing", "setting_named"]

_ALL = (
    LOGISTIC_ONE,
    LOGISTIC_LOOP,
    LOGISTIC,
    *NETWORKS,
    MINIBATCH,
    LAYER,
    CONVOLUTION,
    MAX_POOL,
    AVERAGE_POOL,
    FLATTEN,
    COUNTS,
    SOFTMAX_JACOBIAN,
    LABELS,
    DROPOUT,
    *OPTIMISERS,
    *ACTIVATIONS,
    *COST_FUNCTIONS,
    INITIALIZATION,
    *OTHER_NETWORKS,
    *OTHER_FORMS,
)

SETTINGS: dict[str, Setting] = {setting.name: setting for setting in _ALL}
"""Settings by name."""


def setting_named(name: str) -> Setting:
    """The setting of that name; ValueError, with the names it may have been meant for, where there is none."""
    if name not in SETTINGS:
        near = did_you_mean(close_names(name, SETTINGS))
        raise ValueError(f"setting is {name!r}, expected one of {', '.join(SETTINGS)}{near}")
    return SETTINGS[name]
