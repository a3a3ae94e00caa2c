"""Of every method the rates that work, out of the same trial runs for each."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from optim_core.tuning import RATES, tune
from ui.panel import Ask, Panel, Part
from ui.runs.conditions import Conditions
from ui.runs.entry import Recipe
from ui.state.schema import State


@lru_cache(maxsize=128)
def tuning(conditions: Conditions, recipe: Recipe) -> dict[str, Any]:
    """The rates that work, of a recipe without one, as the browser draws them."""
    surface = conditions.surface
    found = tune(
        recipe.surface or surface, recipe.optimizer, start=recipe.start or conditions.start,
        steps=conditions.steps, noise=conditions.noise, seed=conditions.seed,
        schedule=recipe.schedule, judged_on=surface, **recipe.values,
    )  # fmt: skip
    fates = np.where(found.works, "w", np.where(np.isfinite(found.excess), ".", "x"))
    return {
        "lr": found.lr,
        "loss": None if found.lr is None else float(found.excess[found.lr == RATES][0]),
        "decades": found.decades,
        "fates": "".join(fates),
    }


def _part(state: State, _: Ask) -> Part | None:
    """For every entry the same trial runs, if they are asked for."""
    if not state["tuned"]:
        return None
    each = []
    if state.surface.best is not None:
        each = [
            {"key": entry.key, **tuning(state.conditions, entry.recipe.without_values("lr"))}
            for entry in state.entries
        ]
    rates = [RATES[0], RATES[-1]]
    return Part({"tuning": {"rates": rates, "trials": len(RATES), "each": each}})


PANEL = Panel("tuning", part=_part)
