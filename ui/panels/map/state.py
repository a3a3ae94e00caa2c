"""What the maps have in a link: of which method, which kind, over what, and which part of it."""

from __future__ import annotations

import math

from optim_core import OPTIMIZERS
from optim_core.spec import Hyper
from ui.panels.map.places import Window, across_of, axes_of, panels_of
from ui.runs.entry import Entry, entry, named
from ui.state.common import chosen_one, recipe
from ui.state.reader import NUMBER, Reader, choice
from ui.state.schema import Field, Group, State

KINDS = {"map": "Map", "basins": "Basins", "orbits": "Orbits"}


def maps(default_focus: str, defaults: tuple[str, ...]) -> Group:
    """The method that is explained and mapped, another one for basins, and the map's frame."""
    methods = [(key, optimizer.name) for key, optimizer in OPTIMIZERS.items()]

    def of(state: State, key: str, *beside: Entry) -> Entry:
        """The entry of a key, which need not run; then its name tells it from those that do."""
        known = {e.key: e for e in (*state.entries, *beside)}
        if key in known:
            return known[key]
        return named((*known.values(), entry(key, recipe(state, key, state["lr"]))))[-1]

    def read_focus(reader: Reader, state: State) -> Entry:
        keys = [e.key for e in state.entries]
        first = default_focus if default_focus in keys or not keys else keys[0]
        reader.told["of"] = first
        return of(state, chosen_one(reader, "of", first))

    def read_versus(reader: Reader, state: State) -> Entry:
        keys = (*(e.key for e in state.entries), *defaults)
        other = next(key for key in keys if key != state["focus"].key)
        reader.told["versus"] = other
        return of(state, chosen_one(reader, "versus", other), state["focus"])

    def read_panel(reader: Reader, state: State) -> str:
        panels = panels_of(state.surface)
        return reader.take("panel", choice("panel", panels), panels[0])

    dependent = {"kind": "choice", "options": methods, "default": None}
    kinds = {"kind": "choice", "options": list(KINDS.items()), "default": "map"}
    return Group(
        (
            Field("focus", read_focus, {"of": dependent}),
            Field("versus", read_versus, {"versus": dependent}),
            Field("panel", read_panel, {"panel": kinds}),
            Field("across", _read_across, {"across": {"kind": "choice", "default": None}}),
            Field("axes", _read_axes),
            Field("view", _read_view, {"view": {"kind": "text", "default": None}}),
        )
    )


def _read_across(reader: Reader, state: State) -> Hyper:
    options = {h.name: h for h in across_of(state.surface, state["focus"].recipe.optimizer)}
    first = next(iter(options))
    reader.told["across"] = first
    return options[reader.take("across", choice("across", options), first)]


def _read_axes(_: Reader, state: State) -> tuple[Hyper, Hyper]:
    optimizer = state["focus"].recipe.optimizer
    return axes_of(state["panel"], state.surface, optimizer, state["across"])


def _read_view(reader: Reader, state: State) -> Window | None:
    return reader.take("view", lambda text: _window(text, state["axes"]), None)


def _window(text: str, axes: tuple[Hyper, Hyper]) -> Window:
    numbers = text.split(",")
    if len(numbers) != 4 or not all(NUMBER.fullmatch(n) for n in numbers):
        raise ValueError(f"view must be four numbers low,high,low,high, got {text[:40]!r}.")
    a, b, c, d = map(float, numbers)
    for axis, low, high in ((axes[0], a, b), (axes[1], c, d)):
        # A log scale has no zero, and what is wider than the floats has no middle.
        inside = low in axis.domain and high in axis.domain and (axis.scale != "log" or low > 0.0)
        if not (inside and low < high and math.isfinite((high - low) / min(1.0, abs(low) or 1.0))):
            raise ValueError(
                f"view must be low,high,low,high with low < high in {axis.domain} for "
                f"{axis.name}, got {text[:60]!r}."
            )
    return (a, b), (c, d)
