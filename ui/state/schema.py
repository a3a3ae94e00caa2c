"""A page's state: declared as fields, read from a query string, told to the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from optim_core.spec import Hyper, Point, Surface
from ui.runs.conditions import Conditions
from ui.runs.entry import Entry
from ui.state.reader import Reader, choice, keys_of


class State:
    """The values of a page's fields by name; each is read when it is first asked for."""

    def __init__(self, fields: Mapping[str, Field], reader: Reader) -> None:
        self._fields, self._values = fields, dict[str, Any]()
        self.reader = reader
        self.hypers: dict[str, Hyper] = {}  # declarations that depend on other values
        self.clean = ""  # the query without what was wrong in it
        self.notes: list[str] = []  # what was wrong, each one sentence

    def __getitem__(self, name: str) -> Any:
        if name not in self._values:
            self._values[name] = self._fields[name].read(self.reader, self)
        return self._values[name]

    def get(self, name: str) -> Any:
        """A value, or None on a page that has no such field."""
        return self[name] if name in self._fields else None

    def __contains__(self, name: str) -> bool:
        return name in self._fields

    @property
    def surface(self) -> Surface:
        """With its parameters and the penalty."""
        surface: Surface = self["surface"]
        return surface

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The runs that the page shows."""
        entries: tuple[Entry, ...] = self["entries"]
        return entries

    @cached_property
    def conditions(self) -> Conditions:
        """What all runs have in common."""
        start: Point = self["start"]
        return Conditions(self.surface, start, int(self["steps"]), self["noise"], int(self["seed"]))


@dataclass(frozen=True)
class Field:
    """One value of a state.

    read: takes it out of a link; its default may depend on other values of the state.
    shown: for each name that it has in a link, what the browser needs to make a control of it.
    """

    name: str
    read: Callable[[Reader, State], Any]
    shown: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """Fields that belong together, and the controls that the browser makes of them."""

    fields: tuple[Field, ...]
    control: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def number(hyper: Hyper) -> Field:
    """A number with a default of its own."""
    name, entry = hyper.name, {"kind": "number", **control(hyper)}
    return Field(name, lambda reader, _: reader.number(name, hyper), {name: entry})


def one_of(
    name: str,
    options: Mapping[str, str],
    default: str | Callable[[State], str],
    known: Callable[[State], Any] | None = None,
) -> Field:
    """One of some words, by their names for people; `known` are those that go with a state."""

    def read(reader: Reader, state: State) -> str:
        usual = default if isinstance(default, str) else default(state)
        if not isinstance(default, str):
            reader.told[name] = usual
        return reader.take(name, choice(name, options if known is None else known(state)), usual)

    entry = {
        "kind": "choice",
        "options": list(options.items()),
        "default": default if isinstance(default, str) else None,
    }
    return Field(name, read, {name: entry})


def several(name: str, options: Mapping[str, str], default: tuple[str, ...]) -> Field:
    """Some of some words, in the order in which they are declared."""

    def read(reader: Reader, _: State) -> tuple[str, ...]:
        chosen = reader.take(name, keys_of(name, options), default)
        return tuple(key for key in options if key in chosen)

    entry = {"kind": "several", "options": list(options.items()), "default": default}
    return Field(name, read, {name: entry})


def control(hyper: Hyper) -> dict[str, Any]:
    """What the browser needs to make a control of a declared number."""
    low, high = hyper.domain.low, hyper.domain.high
    return {
        "name": hyper.name,
        "low": hyper.low,
        "high": hyper.high,
        "scale": hyper.scale,
        "default": hyper.default,
        "about": hyper.about,
        "domain": str(hyper.domain),
        "min": low if abs(low) != float("inf") else None,
        "max": high if abs(high) != float("inf") else None,
        "openMin": hyper.domain.open_low,
        "openMax": hyper.domain.open_high,
        "whole": hyper.whole,
    }


class Schema:
    """The fields of a page's state, in groups that are the page's controls too."""

    def __init__(self, *groups: Group, ignored: Callable[[str], bool]) -> None:
        """ignored: names that are left out of a link without a word."""
        self.groups = groups
        self.fields = {f.name: f for group in groups for f in group.fields}
        self._ignored = ignored

    def read(self, query: str) -> State:
        """A query string to a state. Never raises on any text.

        Each note is one sentence that names the value and what is allowed.
        """
        reader = Reader(query)
        state = State(self.fields, reader)
        for name in self.fields:
            state[name]
        state.clean, state.notes = reader.finish(self._ignored)
        return state

    def shown(self) -> dict[str, Any]:
        """What the browser needs of every field, by its name in a link."""
        return {name: entry for f in self.fields.values() for name, entry in f.shown.items()}

    def controls(self) -> list[tuple[str, Mapping[str, Any]]]:
        """The browser's builders of controls, in order."""
        return [(group.control, group.options) for group in self.groups if group.control]
