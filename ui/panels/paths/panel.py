"""The runs of a comparison: their paths, losses, slopes and rates, and how each of them ended."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from ui.panel import Ask, Panel, Part
from ui.runs.entry import Entry
from ui.runs.lane import Lane, lane
from ui.state.common import link_of
from ui.state.schema import State


def lanes(state: State) -> list[Lane]:
    """The runs: same start, same number of gradient evaluations, same noise."""
    return [lane(state.conditions, entry.recipe) for entry in state.entries]


def _look(entry: Entry) -> dict[str, object]:
    return {"name": entry.name, **asdict(entry.look)}


def _changing(runs: list[Lane]) -> bool:
    """Whether any run's rate is not the same at every step."""
    return any(bool((one.whole.rates != one.whole.rates[0]).any()) for one in runs)


def _outlived(state: State) -> list[str]:
    """Of each schedule that plans for fewer steps than its run has, what follows the plan."""
    plans = [
        recipe.schedule.outlived(state.conditions.steps - (0 if recipe.keep_count else recipe.at))
        for recipe in (entry.recipe for entry in state.entries)
        if recipe.schedule
    ]
    return [text for text in dict.fromkeys(plans) if text]


def _part(state: State, ask: Ask) -> Part:
    """The runs; if exact, the paths to the bit."""
    runs = lanes(state)
    surface, n = state.surface, state.conditions.steps + 1
    header = {
        "plans": _outlived(state),
        "runs": [
            {
                "key": entry.key,
                "of": entry.recipe.optimizer.key,
                "lr": entry.recipe.values["lr"],
                "link": link_of(state, entry),
                "look": _look(entry),
                **one.result,
            }
            for entry, one in zip(state.entries, runs, strict=True)
        ],
    }
    paths = [one.whole.positions.T for one in runs]
    # The loss is a place in the view of the paths in one dimension only.
    is_curve = surface.dim == 1
    groups = {
        "positions": ("f8" if ask.exact else "f4", np.concatenate([np.empty((0, n)), *paths])),
        "excess": (
            "f8" if ask.exact and is_curve else "lead4",
            np.array([one.excess for one in runs]).reshape(-1, n),
        ),
        "slopes": ("lead3", np.array([one.slopes for one in runs]).reshape(-1, n)),
    }
    if _changing(runs):
        groups["rates"] = ("lead3", np.array([one.whole.rates for one in runs]))
    return Part(header, groups)


PANEL = Panel("paths", part=_part)
