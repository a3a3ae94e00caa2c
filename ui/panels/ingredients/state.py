"""Which ingredients a link takes out of the method, and which of the two runs is taken apart."""

from __future__ import annotations

from optim_core.spec import Ingredient
from ui.runs.entry import Entry, without
from ui.state.reader import Reader, keys_of
from ui.state.schema import Field, Group, State, one_of


def ingredients() -> Group:
    """The method as it is, and without some ingredients; both are the page's entries."""
    which = one_of("shown", {"whole": "whole", "without": "without"}, "whole")
    return Group(
        (
            Field("removed", _read_removed, {"without": {"kind": "several", "default": []}}),
            which,
            Field("entries", _read_entries),
            Field("shown_entry", _read_shown),
        )
    )


def _read_removed(reader: Reader, state: State) -> tuple[Ingredient, ...]:
    found = {i.key: i for i in state["method"].recipe.optimizer.ingredients}
    none: tuple[str, ...] = ()
    keys = reader.take("without", keys_of("without", found), none)
    return tuple(ingredient for key, ingredient in found.items() if key in keys)


def _read_entries(_: Reader, state: State) -> tuple[Entry, ...]:
    whole: Entry = state["method"]
    removed = state["removed"]
    return (whole, without(whole, removed)) if removed else (whole,)


def _read_shown(_: Reader, state: State) -> Entry:
    return state.entries[-1] if state["shown"] == "without" else state.entries[0]
