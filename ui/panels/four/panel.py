"""Four learning curves of one method: too low, good, slightly too high, too high."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from optim_core import theory
from ui.panel import Ask, Panel, Part
from ui.runs.conditions import Conditions
from ui.runs.entry import Entry, Recipe
from ui.runs.lane import lane
from ui.state.schema import State


@lru_cache(maxsize=128)
def four(conditions: Conditions, recipe: Recipe) -> tuple[theory.Rate, ...]:
    """Four example rates of a recipe without its own."""
    limit = theory.limit(conditions.surface, recipe.optimizer, recipe.values)
    return theory.four_rates(
        conditions.surface, recipe.optimizer, recipe.values,
        start=recipe.start or conditions.start, steps=conditions.steps, limit=limit.lr,
        schedule=recipe.schedule,
    )  # fmt: skip


def _part(state: State, ask: Ask) -> Part | None:
    """The curves take many trial runs: while a hand moves they stay as they are."""
    if ask.coarse:
        return None
    focus: Entry = state["focus"]
    conditions = state.conditions
    rates = four(conditions, focus.recipe.without_values("lr"))
    header: dict[str, Any] = {
        "focus": {"key": focus.key, "name": focus.name, "color": focus.look.color},
        "four": [{"label": label, "lr": lr} for label, lr in rates],
    }
    curves = [lane(conditions, focus.recipe.with_values(lr=lr)).excess for _, lr in rates]
    rows = np.array(curves).reshape(-1, conditions.steps + 1)
    return Part(header, {"four": ("lead3", rows)})


PANEL = Panel("four", part=_part, has_coarse=True)
