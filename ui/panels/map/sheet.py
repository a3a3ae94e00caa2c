"""All that a map depends on: made from a page's state, and a key of what was computed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from optim_core import theory
from optim_core.penalty import with_params
from optim_core.spec import Hyper, Optimizer, Surface
from ui.panels.map.places import Window, places
from ui.runs.entry import Recipe
from ui.state.schema import State

COARSE, FINE = 200, 400  # cells a side while a hand moves, and when it rests…
QUICK, CALM = 12_500_000, 50_000_000  # …but no more than so many cells × steps
LARGEST = 15_000_000_000  # cells × steps of one map, half a minute of two cores
BOUNDARY = 161  # points of the theory's line


@dataclass(frozen=True)
class Sheet:
    """All that a map depends on, and nothing else: what its axes replace is at its default."""

    panel: str
    surface: Surface
    recipes: tuple[Recipe, ...]
    axes: tuple[Hyper, Hyper]
    window: Window
    start: tuple[float, ...]
    steps: int
    noise: float
    seed: int
    cells: int  # a side
    losses: bool  # whether the final losses are sent too


def _beside(surface: Surface) -> tuple[float, ...]:
    """A start near a minimum: from farther out a run may be gone before its cycles double."""
    (low, high), p = surface.domain[0], surface.minima[-1][0]
    return (p - 0.05 * (high - low),)


def live_sheet(state: State, *, fine: bool) -> Sheet:
    """The map that a state shows at once: fewer cells where the runs are longer."""
    most, budget = (FINE, CALM) if fine else (COARSE, QUICK)
    parts = 2 if state["panel"] == "basins" else 1
    cells = min(most, int((budget / state.conditions.steps / parts) ** 0.5))
    return sheet(state, most if state["panel"] == "orbits" else cells, losses=fine)


def sheet(state: State, cells: int, steps: int | None = None, *, losses: bool = False) -> Sheet:
    """The map that a state shows, with so many cells a side."""
    conditions, axes, panel = state.conditions, state["axes"], state["panel"]
    surface = conditions.surface
    recipes = (state["focus"].recipe, state["versus"].recipe)[: 2 if panel == "basins" else 1]
    replaced = {axis.name for axis in axes}
    defaults = {p.name: p.default for p in surface.params if p.name in replaced}
    start = recipes[0].start or conditions.start
    return Sheet(
        panel=panel,
        surface=with_params(surface, **defaults) if defaults else surface,
        recipes=tuple(replace(r, start=None).without_values(*replaced) for r in recipes),
        axes=axes,
        window=state["view"] or ((axes[0].low, axes[0].high), (axes[1].low, axes[1].high)),
        start=_beside(surface)
        if panel == "orbits"
        else tuple(
            0.0 if name in replaced else value for name, value in zip("xy", start, strict=False)
        ),
        steps=steps or conditions.steps,
        noise=conditions.noise,
        seed=conditions.seed,
        cells=cells,
        losses=losses,
    )


def first_loss(sheet: Sheet, values: list[np.ndarray]) -> np.ndarray | float:
    """The loss at the start of every cell, (rows, columns), or of all alike."""
    names = [axis.name for axis in sheet.axes]
    grids = dict(zip(names, np.meshgrid(*values), strict=True))
    surface = sheet.surface
    params = {p.name: v for p, v in zip(surface.params, surface.args, strict=True)} | grids
    at = dict(zip("xy", sheet.start, strict=False)) | grids
    l1, l2, _ = surface.penalty
    start = [at[c] for c in "xy"[: surface.dim]]
    with np.errstate(all="ignore"):
        bare = surface.value(*start, *(params[p.name] for p in surface.params))
        return np.asarray(bare + sum(0.5 * l2 * c * c + l1 * np.abs(c) for c in start))


def boundary(sheet: Sheet) -> list[tuple[float, float]] | None:
    """Points (lr, value of the second axis) of the closed-form limit, where there is one."""
    (recipe,), (_, across) = sheet.recipes, sheet.axes
    if across.name in ("x", "y") and len(sheet.surface.minima) > 1:
        return None  # each start has another minimum, and another limit
    inner = places(across, *sheet.window[1], BOUNDARY).tolist()
    values = [sheet.window[1][0], *inner, sheet.window[1][1]]
    params = {p.name for p in sheet.surface.params}
    own = {h.name for h in recipe.optimizer.hypers}
    found = []
    for value in values:
        hypers = recipe.values | ({across.name: value} if across.name in own else {})
        surface = replace(sheet.surface, start=sheet.start)
        if across.name in params:
            surface = with_params(surface, **{across.name: value})
        limit = _closed_form(surface, recipe.optimizer, tuple(hypers.items()))
        if limit is None:
            return None
        found.append((limit, value))
    return found


@lru_cache(maxsize=4096)
def _closed_form(
    surface: Surface, optimizer: Optimizer, hypers: tuple[tuple[str, float], ...]
) -> float | None:
    found = theory.limit(surface, optimizer, dict(hypers))
    return found.lr if found.kind == "closed form" else None


def check_size(sheet: Sheet) -> None:
    """ValueError, one sentence, if a map would take too long."""
    cells = sheet.cells**2 * len(sheet.recipes)
    if cells * sheet.steps > LARGEST:
        raise ValueError(
            f"{cells:,} cells × {sheet.steps:,} steps = {cells * sheet.steps:,} is more than the "
            f"{LARGEST:,} that a map may have: choose fewer cells or steps."
        )
