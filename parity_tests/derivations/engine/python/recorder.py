"""What the instrumented program calls: each value gets its key and its name, leaves an event, and may be replaced."""

from __future__ import annotations

import ast
import copy
import inspect
import types
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn

import numpy as np
import torch

from parity_tests.derivations.engine import symbols
from parity_tests.derivations.engine.events import BOUND, ENTRY, NAMED, PART, Event, Key
from parity_tests.derivations.engine.numbers.kinds import (
    Kind,
    is_array,
    is_function,
    is_number,
    like,
    of_torch,
    owner,
    plain,
    put,
)
from parity_tests.derivations.engine.numbers.tape import Tape
from parity_tests.derivations.engine.python.instrument import Site
from parity_tests.derivations.engine.python.statements import is_stepped

MOST_EVENTS = 20_000
MOST_PARTS = 24
MOST_NAMED = 600
"""How often the same place is seen in one run, inside of formulas and as a name."""

MOST_ITEMS = 24
MOST_DEPTH = 3
"""How many entries of lists and dicts are looked at, and how deep: weights of units of layers of a network."""

SILENT = {int, float, str, bool, type(None)}
"""Entries that are no event, as in the lists of numbers and words that data are made of."""

MOST_ENTRIES = 200_000
MOST_WORK = 100_000_000
VALUE = 200
"""How much one run may do: the entries of all values that it comes to, and so many more for each value."""

Hook = Callable[[Key, Any], Any]
Before = Callable[[Key, Event, Any], Any]


class Halted(BaseException):
    """The run has gone far enough: no ``except Exception`` of the program stops it."""


class Recorder:
    """One run's events, and the functions that the instrumented program calls."""

    def __init__(
        self,
        sites: Mapping[int, Site],
        kind: Kind,
        hook: Hook | None,
        until: Key | None,
        keep: bool,
        before: Before | None = None,
        stepped: frozenset[str] = frozenset(),
        capturing: tuple[int, Collection[int]] | None = None,
        only: Collection[Key] | None = None,
    ) -> None:
        """``before`` is asked at all places, or at some ``only``."""
        self.capturing, self.only = capturing, only
        self.sites, self.kind, self.hook, self.until, self.keep = sites, kind, hook, until, keep
        self.before, self.stepped = before, stepped
        self.kept: dict[Key, Event] = {}
        self.built: dict[tuple[int, str], Key] = {}
        self.truncated = False
        self.reached: dict[int, int] = {}
        self.lines: set[int] = set()
        """Where anything was seen, of which only numbers and arrays are events."""
        self.frames = [0]
        self.entered = 0
        self.seen = self.work = 0
        self.over = False
        self.objects: dict[int, tuple[Any, set[str]]] = {}
        self.born: dict[int, int] = {}
        """The function in which an array was seen first."""
        self.lent: dict[int, list[tuple[Any, Any, Any]]] = {}
        """Arrays that were there before a function began, each with its numbers inside of it and before it.

        What happens to an argument in a function is its own: another use of the same array has another derivative.
        """
        self.numbers: dict[str, float] = {}
        self.sums: dict[int, Any] = {}
        self.containers: dict[int, tuple[Any, str]] = {}
        self.holders: dict[int, tuple[Any, str]] = {}
        """Objects, each with the mark and the name by which it was seen first."""
        self.bases: Counter[str] = Counter()
        self.captured: dict[int, dict[str, Any]] = {}

    @property
    def events(self) -> list[Event]:
        """The events in their order."""
        return list(self.kept.values())

    def functions(self) -> dict[str, Callable[..., Any]]:
        """The names that the instrumented program calls."""
        return {
            "__note__": self.note, "__entry__": self.entry, "__part__": self.part, "__item__": self.item,
            "__attribute__": self.attribute, "__enter__": self.enter, "__leave__": self.leave,
            "__before__": self.capture, "__so_far__": self.so_far,
        }  # fmt: skip

    # ---- what is called
    def so_far(self, place: int, value: Any = None) -> Any:
        """The sum that was computed at a place before, J of the examples until then; with a value it is set to that."""
        if value is not None:
            self.sums[place] = value
        return self.sums.get(place, 0.0)

    def enter(self) -> None:
        """A function begins."""
        self.entered += 1
        self.frames.append(self.entered)

    def leave(self) -> None:
        """A function ends: what was lent to it is as it was before, unless the program wrote into it."""
        for value, inside, before in reversed(self.lent.pop(self.frames.pop(), [])):
            if isinstance(value, Tape):
                if value.own is inside:
                    value.own = before
            elif np.array_equal(_numbers(value), inside):
                value[...] = before

    def note(self, value: Any, number: int, holder: Any = None) -> Any:
        """A value that a name gets, or that a function returns; of a list, tuple or dict, each entry."""
        self._captures(number)
        self.lines.add(self.sites[number].line)
        return self._noted(value, number, self.sites[number], holder)

    def attribute(self, value: Any, number: int, holder: Any, key: str) -> Any:
        """A value that an attribute gets whose name is computed."""
        self._captures(number)
        site = self.sites[number]
        return self._noted(value, number, site._replace(name=f"{site.name}.{key}"), holder)

    def _noted(self, value: Any, number: int, site: Site, holder: Any) -> Any:
        value = of_torch(value)
        if isinstance(value, torch.Tensor):  # places and labels stay torch's
            self._record(number, site, self._scoped(site, site.name, holder), np.asarray(value))
            return value
        if isinstance(value, list | tuple | dict):
            if site.role == BOUND:
                return value
            name = self._scoped(site, site.name, holder)
            if site.name and not isinstance(value, tuple):
                name = self.containers.setdefault(id(value), (value, name))[1]
            return self._each(value, number, name)
        if is_number(value):
            return self._record(number, site, self._scoped(site, site.name, holder), value)
        if site.role == NAMED and is_array(getattr(value, "data", None)) and symbols.is_cost(site.name):
            value.data = self._record(number, site, self._scoped(site, site.name, holder), value.data)
        return value  # of a node of a graph J is what it holds

    def part(self, value: Any, number: int) -> Any:
        """A value inside of a formula."""
        value = of_torch(value)
        if not (is_array(value) or isinstance(value, np.floating)) or value.dtype.kind not in "fc":
            return value
        return self._record(number, self.sites[number], "", value)

    def entry(self, base: Any, number: int, key: Callable[[], Any], holder: Any = None) -> None:
        """``base[key]`` has a new value: the entry of a dict or list, or the whole of an array."""
        site = self.sites[number]
        if isinstance(base, dict | list):
            try:
                place = key()
                value = base[place]
            except Exception:
                return
            if isinstance(base, list) and isinstance(place, int) and place < 0:
                place += len(base)
            name = f"{self._container(site, base)}[{place!r}]"
            value = of_torch(value)
            if isinstance(value, list | tuple | dict):
                base[place] = self._each(value, number, name)
            elif is_number(value):
                base[place] = self._record(number, site._replace(role=NAMED), name, value)
        elif is_array(base):
            self._record(number, site, self._scoped(site, site.name, holder), base)

    def item(self, value: Any, number: int, base: Any, place: int | None) -> Any:
        """What is appended to a list, or inserted."""
        self._captures(number)
        site = self.sites[number]
        if not isinstance(base, list):
            return value
        where = len(base) if place is None else place
        value = of_torch(value)
        name = f"{self._container(site, base)}[{where!r}]"
        if isinstance(value, list | tuple | dict):
            return self._each(value, number, name)
        return self._record(number, site, name, value) if is_number(value) else value

    def capture(self, number: int) -> None:
        """The names as they are each time that a statement is reached."""
        count = self.reached[-1 - number] = self.reached.get(-1 - number, -1) + 1
        self._captures_at(number, count, 2)

    def _captures(self, number: int) -> None:
        """The names as they are each time that a formula has its value."""
        self._captures_at(number, self.reached.get(number, -1) + 1, 3)

    def _captures_at(self, number: int, count: int, above: int) -> None:
        if self.capturing is not None and self.capturing[0] == number and count in self.capturing[1]:
            self.captured.setdefault(count, _names_of(inspect.currentframe(), above))

    # ---- names
    def _scoped(self, site: Site, name: str, holder: Any) -> str:
        if not name:
            return ""
        if holder is not None:
            return self._held(name, name.rpartition(".")[0], holder)
        return f"{self.frames[-1]}#{name}" if site.local and self.frames[-1] else name

    def _container(self, site: Site, base: Any) -> str:
        """The name that a list or dict got first, whatever a function calls it."""
        return self.containers.setdefault(id(base), (base, self._scoped(site, site.name, None)))[1]

    def _held(self, name: str, base: str, holder: Any) -> str:
        """A name in an object, whatever it is called here: that of another object of the same name is another name."""
        if id(holder) not in self.holders:
            place = self.bases[base]
            self.bases[base] += 1
            self.holders[id(holder)] = holder, f"o{place}#{base}" if place else base
        return f"{self.holders[id(holder)][1]}.{name.rpartition('.')[2]}"

    def _each(self, value: Any, number: int, name: str, depth: int = 0) -> Any:
        """The entries of a list, tuple or dict, each by its own name."""
        if len(value) > MOST_ITEMS or depth > MOST_DEPTH:
            return value
        steps = is_stepped(self.sites[number].name, self.stepped) or is_stepped(symbols.written(name), self.stepped)
        if not steps and SILENT.issuperset(map(type, value.values() if isinstance(value, dict) else value)):
            return value
        pairs = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
        new: list[Any] = []
        for key, each in pairs:
            own = f"{name}[{key!r}]" if name else ""
            each = of_torch(each)
            if isinstance(each, list | tuple | dict):
                if own and not isinstance(each, tuple):
                    own = self.containers.setdefault(id(each), (each, own))[1]
                each = self._each(each, number, own, depth + 1)
            elif (
                is_array(each) and each.ndim == 0 and symbols.base_of(own) in self.objects.get(id(each), (None, ()))[1]
            ):
                pass  # the same number in the same place
            elif is_array(each) or (steps and is_number(each)):
                each = self._record(number, self.sites[number], own, _as_array(each), kept=bool(depth or new))
            new.append(each)
        if isinstance(value, tuple):
            return value if all(a is b for a, b in zip(new, value, strict=True)) else _like(value, new)
        for (key, old), each in zip(pairs, new, strict=True):
            if each is not old:
                value[key] = each
        return value

    # ---- events
    def _record(self, number: int, site: Site, name: str, value: Any, *, kept: bool = False) -> Any:
        """A value with its event; what a function returns beside its result is ``kept`` for the backward pass."""
        if self.over:
            return value
        self.work += VALUE + (value.size if is_array(value) else 0)
        if self.work > MOST_WORK:
            self._stop()
        count = self.reached[number] = self.reached.get(number, -1) + 1
        if count >= (MOST_PARTS if site.role == PART else MOST_NAMED) and site.role != ENTRY:
            return value
        self.seen += 1
        if self.seen > MOST_EVENTS:
            self._stop()
        key = number, count
        made = self._made(site, value)
        if is_array(made) and (made.dtype.kind not in "fc" or made.size > MOST_ENTRIES):
            return self._kept(site, name, key, made) if made.dtype.kind in "fciub" else made  # of words
        if site.role == NAMED and not _in_place(site) and self._is_alias(name, made):
            site = site._replace(role=BOUND)
        if self.before is not None and (self.only is None or key in self.only):
            made = self.before(key, _event(key, site, name, None), made)
        if self.hook is not None:
            made = self._hooked(self.hook, site, key, made, kept=kept)
        if name and is_array(made):
            self.objects.setdefault(id(made), (made, set()))[1].add(symbols.base_of(name))
            self.born.setdefault(id(made), self.frames[-1])
            self.born.setdefault(id(owner(made)), self.frames[-1])
        return self._kept(site, name, key, made)

    def _stop(self) -> NoReturn:
        """Ends a run that is too long; what it did until then is judged."""
        self.over = self.truncated = True
        raise Halted

    def _hooked(self, hook: Hook, site: Site, key: Key, made: Any, *, kept: bool) -> Any:
        """A value with what the hook puts in its place: everywhere, or in this function alone if it was lent to it."""
        here = self.frames[-1]
        takes = (site.role in (BOUND, NAMED) or kept) and not _in_place(site)
        whole = owner(made) if isinstance(made, Tape) else made
        kept_on = "." in site.name and id(made) not in self.born  # a view that goes on as an attribute
        lent = takes and is_array(made) and not kept_on and self._born(made, here) < here
        before: Any = _numbers(whole) if lent else None
        new = hook(key, made)
        if new is not made:
            new = like(made, new, self.kind)
            return put(made, new) if _in_place(site) and is_array(made) else new
        if lent:
            inside = _numbers(whole)
            if inside is not before if isinstance(whole, Tape) else not np.array_equal(inside, before):
                self.lent.setdefault(self.frames[-1], []).append((whole, inside, before))
        return made

    def _born(self, value: Any, here: int) -> int:
        """The function in which an array was seen first, or else the array that it is a row of; ``here`` for none."""
        return self.born.get(id(value), self.born.get(id(owner(value)), here))

    def _is_alias(self, name: str, value: Any) -> bool:
        """Whether an array is there already under the same symbol, as ``dW1 = grads["dW1"]``."""
        base = symbols.base_of(name)
        if not is_array(value) or value.ndim == 0:
            before = self.numbers.get(base)
            self.numbers[base] = float(value)
            return before is not None and before == float(value)
        known = self.objects.get(id(value))
        return known is not None and base in known[1]

    def _made(self, site: Site, value: Any) -> Any:
        made = self.kind.make(_as_array(value) if is_stepped(site.name, self.stepped) else value)
        if is_array(made) and made.ndim == 0 and site.role != ENTRY:
            return made.copy()  # a single number is never changed in place
        return made

    def _kept(self, site: Site, name: str, key: Key, value: Any) -> Any:
        if self.keep:
            event = _event(key, site, name, plain(value))
            if site.role == ENTRY:  # what is built in place is seen as it is in the end
                self.kept.pop(self.built.get((key[0], name), key), None)
                self.built[key[0], name] = key
            self.kept[key] = event
        if key == self.until:
            self.over = True
            raise Halted
        return value


def _names_of(frame: types.FrameType | None, above: int) -> dict[str, Any]:
    """What the names in a frame hold, ``above`` the given one."""
    for _ in range(above):
        frame = None if frame is None else frame.f_back
    names = {} if frame is None else {**frame.f_globals, **frame.f_locals}
    return {name: snapshot(value) for name, value in names.items()}


def snapshot(value: Any, depth: int = 3) -> Any:
    """A value that stays as it is while the program goes on: arrays, containers and objects are copied."""
    if is_array(value):
        return value.copy()
    if depth == 0 or isinstance(value, types.ModuleType) or is_function(value):
        return value
    if isinstance(value, dict):
        return {key: snapshot(each, depth - 1) for key, each in value.items()}
    if type(value) in (list, tuple):
        return type(value)(snapshot(each, depth - 1) for each in value)
    if hasattr(value, "__dict__"):
        try:
            new = copy.copy(value)
            vars(new).update({name: snapshot(each, depth - 1) for name, each in vars(value).items()})
        except Exception:
            return value
        return new
    return value


def _event(key: Key, site: Site, name: str, value: Any) -> Event:
    return Event(key, site.line, name, site.role, value, site.statement, site.node, site.function)


def _as_array(value: Any) -> Any:
    """A number of Python's as one of NumPy's, which is seen."""
    return np.float64(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _numbers(value: Any) -> Any:
    """What an array holds now: the tensor of a tape, else a copy."""
    return value.own if isinstance(value, Tape) else np.array(value)  # no Step: these are compared by their real parts


def _in_place(site: Site) -> bool:
    """Whether other names may hold the array that has changed."""
    return site.role == ENTRY or isinstance(site.statement, ast.AugAssign)


def _like(value: Any, entries: list[Any]) -> Any:
    return type(value)(*entries) if hasattr(value, "_fields") else tuple(entries)
