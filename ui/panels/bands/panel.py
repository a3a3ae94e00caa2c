"""Under the slider of the one rate: each method's outcome at every rate, and its limit."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from optim_core import sweep, theory
from ui.panel import Ask, Panel, Part
from ui.panels.map.fates import kinds
from ui.panels.map.places import places
from ui.runs.conditions import Conditions
from ui.runs.entry import Recipe
from ui.runs.lane import run_of
from ui.server.background import BACKGROUND
from ui.state.rate import rate_hyper
from ui.state.schema import State

NOTCHES = 500


@lru_cache(maxsize=4096)  # half a kilobyte each
def strip(conditions: Conditions, recipe: Recipe) -> np.ndarray:
    """What becomes of a recipe without a rate over the slider's range of rates, (NOTCHES,)."""
    rate = rate_hyper(conditions.surface)
    with BACKGROUND.held_back():
        field = sweep(
            conditions.surface, recipe.optimizer,
            axes={"lr": places(rate, rate.low, rate.high, NOTCHES)},
            start=recipe.start or conditions.start, steps=conditions.steps,
            noise=conditions.noise, seed=conditions.seed, schedule=recipe.schedule,
            **recipe.values,
        )  # fmt: skip
    return kinds(field, conditions.steps, noisy=conditions.noise > 0.0)


@lru_cache(maxsize=128)
def limit(conditions: Conditions, recipe: Recipe) -> dict[str, Any]:
    """The largest stable rate at the minimum at which a run ended."""
    found = theory.limit(
        conditions.surface, recipe.optimizer, recipe.values, run_of(conditions, recipe)
    )
    return {"lr": found.lr, "kind": found.kind, "text": found.text}


def limits(state: State) -> list[dict[str, Any]]:
    """Of every entry."""
    return [{"key": e.key, **limit(state.conditions, e.recipe)} for e in state.entries]


def _part(state: State, _: Ask) -> Part:
    strips = [strip(state.conditions, e.recipe.without_values("lr")) for e in state.entries]
    rows = np.array(strips, dtype=np.uint8).reshape(-1, NOTCHES)
    return Part({"limits": limits(state)}, {"strips": ("u1", rows)})


PANEL = Panel("bands", part=_part)
