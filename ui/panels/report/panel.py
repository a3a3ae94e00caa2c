"""Why a run blew up, in a sentence and seven facts."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from optim_core import divergence
from ui.panel import Ask, Panel, Part
from ui.panels.bands.panel import limits
from ui.runs.conditions import Conditions
from ui.runs.entry import Recipe
from ui.runs.lane import finite, run_of
from ui.state.schema import State


@lru_cache(maxsize=128)
def report(conditions: Conditions, recipe: Recipe) -> dict[str, Any] | None:
    """How a run blew up, or None if it did not."""
    told = divergence.report(run_of(conditions, recipe))
    if told is None:
        return None
    return {
        "sentence": told.sentence,
        "rise": told.rise_step,
        "overflow": told.overflow_step,
        "growth": finite(told.growth if told.pattern == "steady" else told.first_growth),
        "expected": finite(told.expected),
        "pattern": told.pattern,
        "direction": told.direction,
        "curvature": finite(told.curvature),
        "at": told.at if told.at and np.isfinite(told.at).all() else None,
        "limit": finite(told.limit),
    }


def _part(state: State, _: Ask) -> Part:
    return Part(
        {
            "lr": state["lr"],
            "focus": state["focus"].key,
            "limits": limits(state),
            "reports": [report(state.conditions, entry.recipe) for entry in state.entries],
        }
    )


PANEL = Panel("report", part=_part)
