"""The maps beside the runs: computed at once while few cells will do, or as a long job."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_core import sweep
from optim_core.checks import check_count
from optim_core.simulate import MAX_STEPS
from optim_core.spec import Surface
from ui.panel import Ask, Job, Panel, Part
from ui.panels.map.message import live_message, message
from ui.panels.map.places import panels_of
from ui.panels.map.sheet import check_size, live_sheet, sheet
from ui.runs.entry import Entry, Recipe
from ui.runs.lane import run_of
from ui.server.background import BACKGROUND
from ui.state.schema import State

CELLS = 4000  # a side, of the largest map that the page draws
CURVE = 400  # points of the cobweb's update map


def update_map(surface: Surface, recipe: Recipe) -> np.ndarray:
    """p and the next p, (2, CURVE), for a method without a memory in one dimension."""
    (low, high) = surface.domain[0]
    width = high - low
    p = np.linspace(low - width, high + width, CURVE)
    field = sweep(surface, recipe.optimizer, axes={"x": p}, steps=1, **recipe.values)
    return np.array([p, field.final_positions[:, 0]])


def _part(state: State, _: Ask) -> Part:
    """What is mapped; and beside orbits the run and its update, for the cobweb."""
    focus: Entry = state["focus"]
    header: dict[str, Any] = {
        "view": {
            "lr": state["lr"],
            "focus": focus.key,
            "versus": state["versus"].key,
            "names": [focus.name, state["versus"].name],
            "look": {"name": focus.name, "color": focus.look.color},
            "panel": state["panel"],
            "panels": panels_of(state.surface),
            "across": state["across"].name,
            "axes": [axis.name for axis in state["axes"]],
        }
    }
    groups = {}
    if state["panel"] == "orbits":
        groups["focus"] = ("f4", run_of(state.conditions, focus.recipe).positions.T)
        if not focus.recipe.optimizer.slots:
            groups["update"] = ("f4", update_map(state.surface, focus.recipe))
    return Part(header, groups)


def _large(state: State, ask: Ask) -> bytes:
    return live_message(live_sheet(state, fine=not ask.coarse))


def _long(state: State, cells: Any, steps: Any) -> Job:
    """A map of many cells. ValueError, one sentence, if it is too large."""
    wanted = sheet(
        state, check_count("cells", cells, 2, CELLS), check_count("steps", steps, 1, MAX_STEPS)
    )
    check_size(wanted)
    return Job(
        wanted,
        lambda told, left: message(wanted, executor=BACKGROUND, progress=told, cancel=left),
    )


PANEL = Panel("map", part=_part, large=_large, long=_long, is_slow=True, has_coarse=True)
