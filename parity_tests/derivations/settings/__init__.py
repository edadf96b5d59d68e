"""What a formula is judged against: the settings, each with its symbols, its formulas and their true values.

``setting`` (what a setting is) - ``spellings`` (formulas as people write them) - ``problems`` and ``torch_side`` (the
two ways to the true values) - ``draws`` (numbers) - ``logistic``, ``networks``, ``minibatch``, ``layer``,
``functions``, ``convolution``, ``pooling``, ``dropout``, ``optimisers``, ``labels``, ``reshaping``, ``sizes`` (the
settings) - ``volumes`` and ``torch_training`` (what they stand on). Torch is imported when a truth of its side is first
read.
"""

from __future__ import annotations

from parity_tests.derivations.language.errors import close_names, did_you_mean
from parity_tests.derivations.settings.convolution import CONVOLUTION
from parity_tests.derivations.settings.dropout import DROPOUT
from parity_tests.derivations.settings.functions import FUNCTIONS
from parity_tests.derivations.settings.labels import LABELS
from parity_tests.derivations.settings.layer import LAYER
from parity_tests.derivations.settings.logistic import LOGISTIC, LOGISTIC_LOOP, LOGISTIC_ONE
from parity_tests.derivations.settings.minibatch import MINIBATCH
from parity_tests.derivations.settings.networks import DEEP, MULTILABEL, REGRESSION, SHALLOW, SOFTMAX
from parity_tests.derivations.settings.optimisers import OPTIMISERS
from parity_tests.derivations.settings.pooling import AVERAGE_POOL, MAX_POOL
from parity_tests.derivations.settings.reshaping import FLATTEN, SOFTMAX_JACOBIAN
from parity_tests.derivations.settings.setting import Probe, Row, Setting, Symbol, Target, listing
from parity_tests.derivations.settings.sizes import COUNTS

__all__ = ["SETTINGS", "Probe", "Row", "Setting", "Symbol", "Target", "listing", "setting_named"]

_ALL = (
    LOGISTIC_ONE,
    LOGISTIC_LOOP,
    LOGISTIC,
    SHALLOW,
    DEEP,
    MULTILABEL,
    SOFTMAX,
    REGRESSION,
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
    *FUNCTIONS,
)

SETTINGS: dict[str, Setting] = {setting.name: setting for setting in _ALL}
"""Settings by name."""


def setting_named(name: str) -> Setting:
    """The setting of that name; ValueError, with the names it may have been meant for, where there is none."""
    if name not in SETTINGS:
        near = did_you_mean(close_names(name, SETTINGS))
        raise ValueError(f"setting is {name!r}, expected one of {', '.join(SETTINGS)}{near}")
    return SETTINGS[name]
