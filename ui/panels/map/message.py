"""Maps as messages: outcomes over two axes, basins over two starts, orbits over the rate."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from functools import lru_cache
from mmap import mmap
from typing import Any

import numpy as np

from optim_core import Field, sweep, sweep_tiles
from ui import wire
from ui.panels.map.fates import NOWHERE, counts, kinds
from ui.panels.map.places import places
from ui.panels.map.sheet import Sheet, boundary, check_size, first_loss
from ui.server.background import BACKGROUND

SETTLING, VISITED = 500, 200  # steps of an orbit that are not shown, and that are
ROWS = 240  # of the bifurcation diagram
Progress = Callable[[int, int], None]


def message(
    sheet: Sheet,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
    cancel: Callable[[], bool] | None = None,
) -> bytes:
    """Compute a map. ValueError, one sentence, if it is too large; Cancelled if it is stopped.

    While it is computed it has 3 bytes a cell, or two times 4 for basins; 2 more in long runs.
    """
    if sheet.panel == "orbits":
        return _orbits(sheet, cancel)
    check_size(sheet)
    axes = {
        axis.name: places(axis, *window, sheet.cells)
        for axis, window in zip(sheet.axes, sheet.window, strict=True)
    }
    header = _header(sheet) | {
        "places": [v.tolist() for v in axes.values()],
        "boundary": boundary(sheet) if sheet.panel == "map" else None,
        "undefined": False,  # whether there is such a cell
    }
    total, done = sheet.cells**2 * len(sheet.recipes), 0
    groups: dict[str, tuple[str, np.ndarray]] = {}
    for i, recipe in enumerate(sheet.recipes):
        tiles = sweep_tiles(
            sheet.surface, recipe.optimizer, axes=axes, start=sheet.start, steps=sheet.steps,
            noise=sheet.noise, seed=sheet.seed, executor=executor, cancel=cancel,
            schedule=recipe.schedule, **recipe.values,
        )  # fmt: skip
        own = _blank(sheet)
        for place, tile in tiles:
            for name, values in _numbers(sheet, tile).items():
                kind, rows = own[name]
                rows[place] = wire.narrow(name, kind, values) if kind in wire.WHOLE else values
            header["undefined"] |= bool((tile.undefined_step >= 0).any())
            done += tile.final_loss.size
            if progress:
                progress(done, total)
        groups |= {f"{name}{i}": group for name, group in own.items()}
    return wire.pack(header, groups)


def _blank(sheet: Sheet) -> dict[str, tuple[str, np.ndarray]]:
    """A message's rows of one optimizer, to be filled tile by tile."""
    kinds = {"kind": "u1", "count": count_kind(sheet.steps)}
    if sheet.panel == "basins":
        kinds["minimum"] = "u1"
    if sheet.losses:
        kinds["loss"] = "lead3"
    dtypes = {name: np.dtype(kind if kind in wire.WHOLE else float) for name, kind in kinds.items()}
    return {name: (kinds[name], _pages(sheet.cells, dtype)) for name, dtype in dtypes.items()}


def _pages(side: int, dtype: np.dtype[Any]) -> np.ndarray:
    """A square array in memory of its own, which goes back to the system and not to malloc."""
    return np.frombuffer(mmap(-1, side * side * dtype.itemsize), dtype).reshape(side, side)


def count_kind(steps: int) -> str:
    """As many bytes as the largest count needs."""
    return "u2" if steps <= 65_535 else "u4"


def _numbers(sheet: Sheet, tile: Field) -> dict[str, np.ndarray]:
    """What a message says of a tile's cells."""
    kind = kinds(tile, sheet.steps, noisy=sheet.noise > 0.0)
    found = {"kind": kind, "count": counts(tile, kind, first_loss(sheet, list(tile.axes.values())))}
    if sheet.panel == "basins":
        found["minimum"] = np.where(tile.minimum < 0, NOWHERE, tile.minimum)
    if sheet.losses:
        found["loss"] = tile.final_loss
    return found


def _header(sheet: Sheet) -> dict[str, Any]:
    return {
        "panel": sheet.panel,
        "surface": sheet.surface.key,
        "racers": [r.optimizer.key for r in sheet.recipes],
        "axes": [
            {"name": a.name, "scale": a.scale, "low": a.low, "high": a.high} for a in sheet.axes
        ],
        "window": sheet.window,
        "steps": sheet.steps,
        "cells": sheet.cells,
        "scheduled": any(r.schedule is not None for r in sheet.recipes),
    }


def _orbits(sheet: Sheet, cancel: Callable[[], bool] | None) -> bytes:
    """For each lr, where the run is in the steps after it should have settled."""
    (recipe,) = sheet.recipes
    (low, high), (bottom, top) = sheet.window
    rates = places(sheet.axes[0], low, high, 2 * sheet.cells)
    steps = SETTLING + VISITED
    field = sweep(
        sheet.surface, recipe.optimizer, axes={"lr": rates}, start=sheet.start, steps=steps,
        tail=VISITED, noise=sheet.noise, seed=sheet.seed, cancel=cancel,
        schedule=recipe.schedule, **recipe.values,
    )  # fmt: skip
    assert field.tail is not None
    with np.errstate(invalid="ignore", over="ignore"):
        row = np.floor((field.tail[:, :, 0] - bottom) / (top - bottom) * ROWS)
    seen = (row >= 0) & (row < ROWS)
    column = np.broadcast_to(np.arange(rates.size)[:, None], row.shape)
    flat = row[seen].astype(np.intp) * rates.size + column[seen]
    visits = np.bincount(flat, minlength=ROWS * rates.size).reshape(ROWS, rates.size)
    kind = kinds(field, steps, noisy=sheet.noise > 0.0)
    header = _header(sheet) | {
        "places": [rates.tolist(), []],
        "settling": SETTLING,
        "start": sheet.start,
    }
    return wire.pack(
        header,
        {
            "visits": ("u1", visits),
            "kind0": ("u1", kind[None]),
            "count0": (count_kind(steps), counts(field, kind, np.nan)[None]),
        },
    )


@lru_cache(maxsize=24)
def live_message(sheet: Sheet) -> bytes:
    """A map small enough to be computed at once; sessions that look at the same one share it."""
    with BACKGROUND.held_back():
        return message(sheet)
