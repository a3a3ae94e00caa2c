"""A page: its state, and the panels that it shows. Declared in one file of pages/, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ui import wire
from ui.panel import Ask, Panel
from ui.panels import PANELS
from ui.runs.facts import facts
from ui.state.schema import Schema, control


@dataclass(frozen=True)
class Page:
    """key: the file's name, and the page's address; the first page has the site's own."""

    key: str
    title: str
    icon: str  # of Google's Material symbols
    question: str  # what the page answers
    state: Schema
    panels: tuple[str, ...]  # keys, in the order in which they stand
    order: int = 100  # in the navigation

    def __iter__(self) -> Iterator[Panel]:
        return (PANELS[key] for key in self.panels)

    @property
    def has_coarse(self) -> bool:
        """Whether its message depends on whether a hand moves."""
        return any(panel.has_coarse for panel in self)

    def message(self, query: str) -> bytes:
        """All that the page shows in the state of a query, but what is large."""
        state, ask = self.state.read(query), Ask.of(query)
        parts = {p.key: part for p in self if p.part and (part := p.part(state, ask)) is not None}
        header = {
            "clean": state.clean,
            "notes": state.notes,
            "defaults": state.reader.told,
            "hypers": {name: control(hyper) for name, hyper in state.hypers.items()},
            "surface": facts(state.surface),
            "entries": [
                {
                    "key": entry.key,
                    "of": entry.recipe.optimizer.key,
                    "name": entry.name,
                    "color": entry.look.color,
                    "dash": entry.look.dash,
                    "marker": entry.look.marker,
                }
                for entry in state.entries
            ],
            "panels": {key: part.header for key, part in parts.items()},
        }
        groups = {
            f"{key}.{name}": group
            for key, part in parts.items()
            for name, group in part.groups.items()
        }
        return wire.pack(header, groups)

    def large(self, key: str, query: str) -> bytes:
        """The message of one large panel. KeyError if the page has no such panel."""
        panel = next((p for p in self if p.key == key and p.large), None)
        if panel is None or panel.large is None:
            raise KeyError(key)
        return panel.large(self.state.read(query), Ask.of(query))
