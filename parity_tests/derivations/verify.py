"""Is a derivation right? Each line is judged on true upstream values by both referees; a wrong one is diagnosed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from parity_tests.derivations.settings import Setting
from parity_tests.derivations.text_lines import judge_lines
from parity_tests.derivations.verdicts import Judged

if TYPE_CHECKING:
    from parity_tests.derivations.engine.networks import Network


def verify(
    derivation: str | Path | Callable[..., Any] | object,
    setting: str | Setting | Callable[..., Any] | None = None,
    *,
    l2: bool = False,
    chain: bool = False,
    seed: int = 0,
    strict: bool = False,
    net: Network | None = None,
    x: Any = None,
    call: str = "",
    cost: str = "",
) -> Judged:
    """Judge a derivation, line by line, and account for every line of it.

    ``verify(forward, backward)`` judges functions, ``verify(loss)`` one that returns (J, gradients), ``verify(net)`` an
    object with methods: on the arguments ``x``, a dict or tuple, or as ``call`` says, or on arrays whose sizes are
    found by trying. Functions run in this process, unlimited: give only what you would call yourself. A ``Path``, or
    a file's name, is that of a file of formulas, or of a .py file, which is run apart.

    Else ``derivation`` is one assignment or many, as in notes; ``setting`` says what J is and which symbols exist
    (None: the first that knows every name and in which all lines hold, or else the first that knows every name);
    ``l2`` adds the penalty to J. Each right side is evaluated on true upstream values, so that one mistake does not
    spoil the next line; with ``chain`` the writer's own values are used instead.

    Several lines that keep to another convention than the notes, such as deltas that carry the 1/m or torch's momentum,
    hold in it, and it is named; with ``strict`` they are wrong.

    A name that is built up, in a loop or by lines that read the name itself, is judged by the value it has at the end;
    helpers that a line reads belong to it. An optimiser's state is old before its own line and new behind it, and a
    line of the backward pass that comes behind the update of a parameter sees the new one. Lines that assign nothing
    the setting can judge, and that no judged line reads, are "not judged", with the reason.

    Of a symbol that more than ``MOST_LINES`` lines give a value, none is judged. The search for mistakes counts its
    steps, for all lines together, so that the answer is the same on every machine.

    With ``net`` (``engine.networks.network``) the lines are those of the backward pass of a network that is described
    in words, and no setting is used. ``cost`` is the name of J in a text with a forward pass of its own.

    Raises ValueError (a DerivationSyntaxError points at the character) for text that is not a derivation, for an
    unknown setting, and for functions or a file of which nothing can be judged.
    """
    from parity_tests.derivations.own.sources import is_file_name

    if isinstance(derivation, Path) or (isinstance(derivation, str) and is_file_name(derivation)):
        from parity_tests.derivations.own.answers import Options, verify_path

        name = setting if isinstance(setting, str) else None
        return verify_path(Path(derivation), Options(name, l2, chain, seed, strict, net, call, cost, named=cost))
    if not isinstance(derivation, str):
        from parity_tests.derivations.own.objects import verify_objects

        objects = [derivation] if setting is None else [derivation, setting]
        return verify_objects(objects, x, call=call, seed=seed, strict=strict)
    if setting is not None and not isinstance(setting, str | Setting):
        raise ValueError(f"setting is {setting!r}, expected the name of one, or functions in both places")
    return judge_lines(derivation, setting, l2=l2, chain=chain, seed=seed, strict=strict, net=net, cost=cost)
