"""The page's maps as messages: outcomes over two axes, basins over two starts, orbits over lr."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import lru_cache
from mmap import mmap
from typing import Any

import numpy as np

from optim_core import Field, sweep, sweep_tiles, theory
from optim_core.outcome import stay
from optim_core.penalty import with_params
from optim_core.spec import Hyper, Optimizer, Surface
from ui.background import BACKGROUND
from ui.permalink import Racer, Setup
from ui.player import wire
from ui.rate_link import View, Window, panel_axes

DIVERGED, SETTLED, CYCLE, OTHER, UNDEFINED = range(5)
NOWHERE = 255  # what stands for no minimum
ARRIVED = 65_535  # hundredths of a decade: the loss has come down to the least known, or below
LARGEST_FLOAT = float(np.finfo(float).max)
COARSE, FINE = 200, 400  # cells a side while a hand moves, and when it rests…
QUICK, CALM = 12_500_000, 50_000_000  # …but no more than so many cells × steps
LARGEST = 15_000_000_000  # cells × steps of one map, half a minute of two cores
SETTLING, VISITED = 500, 200  # steps of an orbit that are not shown, and that are
ROWS = 240  # of the bifurcation diagram
BOUNDARY = 161  # points of the theory's line
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Sheet:
    """All that a map depends on, and nothing else: what its axes replace is at its default."""

    panel: str
    surface: Surface
    racers: tuple[Racer, ...]
    axes: tuple[Hyper, Hyper]
    window: Window
    start: tuple[float, ...]
    steps: int
    noise: float
    seed: int
    cells: int  # a side
    losses: bool  # whether the final losses are sent too


def places(hyper: Hyper, low: float, high: float, count: int) -> np.ndarray:
    """The middles of `count` cells between two values, on the hyperparameter's scale."""
    u = (np.arange(count) + 0.5) / count
    # expm1 and log1p, so that a window of 1e-12 of the axis still has its cells apart
    if hyper.scale == "log":
        return np.asarray(low + low * np.expm1(u * np.log1p((high - low) / low)))
    if hyper.scale == "one_minus":
        return np.asarray(low - (1.0 - low) * np.expm1(u * np.log1p((low - high) / (1.0 - low))))
    return low + u * (high - low)


def _fixed(racer: Racer) -> dict[str, Any]:
    return {"schedule": racer.schedule, **dict(racer.hypers)}


def _beside(surface: Surface) -> tuple[float, ...]:
    """A start near a minimum: from farther out a run may be gone before its cycles double."""
    (low, high), p = surface.domain[0], surface.minima[-1][0]
    return (p - 0.05 * (high - low),)


def live_sheet(view: View, *, fine: bool) -> Sheet:
    """The map that a view shows at once: fewer cells where the runs are longer."""
    most, budget = (FINE, CALM) if fine else (COARSE, QUICK)
    parts = 2 if view.panel == "basins" else 1
    cells = min(most, int((budget / view.setup.steps / parts) ** 0.5))
    return sheet(view, most if view.panel == "orbits" else cells, losses=fine)


def sheet(view: View, cells: int, steps: int | None = None, *, losses: bool = False) -> Sheet:
    """The map that a view shows, with so many cells a side."""
    setup, axes = view.setup, panel_axes(view)
    racers = (view.focus, view.versus) if view.panel == "basins" else (view.focus,)
    replaced = {axis.name for axis in axes}
    defaults = {p.name: p.default for p in setup.surface.params if p.name in replaced}
    return Sheet(
        panel=view.panel,
        surface=with_params(setup.surface, **defaults) if defaults else setup.surface,
        racers=tuple(
            replace(r, hypers=tuple(pair for pair in r.hypers if pair[0] not in replaced))
            for r in racers
        ),
        axes=axes,
        window=view.window or ((axes[0].low, axes[0].high), (axes[1].low, axes[1].high)),
        start=_beside(setup.surface)
        if view.panel == "orbits"
        else tuple(
            0.0 if name in replaced else value
            for name, value in zip("xy", setup.start, strict=False)
        ),
        steps=steps or setup.steps,
        noise=setup.noise,
        seed=setup.seed,
        cells=cells,
        losses=losses,
    )


def kinds(field: Field, steps: int, *, noisy: bool) -> np.ndarray:
    """What became of each cell, in the order in which a run is judged."""
    enough = stay(steps, noisy=noisy)
    settled = (field.settle_step >= 0) & (steps - field.settle_step >= enough)
    return np.select(
        [field.period > 0, field.escape_step >= 0, field.undefined_step >= 0, settled],
        [CYCLE, DIVERGED, UNDEFINED, SETTLED],
        OTHER,
    ).astype(np.uint8)


def counts(field: Field, kind: np.ndarray, first: np.ndarray | float) -> np.ndarray:
    """The number that shades a cell: the step of its end, the period, or the progress.

    first: the loss at the start. Progress is how far the loss above the least known has come down,
    in hundredths of a decade: below ARRIVED, as floats have some 632 decades.
    """
    # A run may diverge and cross the frame in its last step.
    left = np.where(field.leave_step < 0, field.steps, field.leave_step)
    return np.select(
        [kind == DIVERGED, kind == SETTLED, kind == CYCLE, kind == UNDEFINED],
        [left, field.settle_step, field.period, field.undefined_step],
        _fallen(field, first),
    ).astype(np.int64)


def _fallen(field: Field, first: np.ndarray | float) -> np.ndarray:
    """Progress, rounded down; 0 where it is unknown, or where the start was there already."""
    base = field.surface.best
    if base is None:
        return np.zeros(field.final_loss.shape)
    # A start whose loss is beyond the floats has come down at least from the largest of them.
    before = np.minimum(first, LARGEST_FLOAT) - base
    with np.errstate(invalid="ignore"):
        after = field.final_loss - base
    falls = (before > 0.0) & (after < before)
    arrived = falls & (after <= 0.0)
    # log10 of each, because their quotient may be beyond the floats
    tops, ends = (np.where(falls & ~arrived, v, 1.0) for v in (before, after))
    fallen = np.floor(100.0 * (np.log10(tops) - np.log10(ends)))
    return np.where(arrived, ARRIVED, fallen)


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
    (racer,), (_, across) = sheet.racers, sheet.axes
    if across.name in ("x", "y") and len(sheet.surface.minima) > 1:
        return None  # each start has another minimum, and another limit
    inner = places(across, *sheet.window[1], BOUNDARY).tolist()
    values = [sheet.window[1][0], *inner, sheet.window[1][1]]
    params = {p.name for p in sheet.surface.params}
    own = {h.name for h in racer.optimizer.hypers}
    found = []
    for value in values:
        hypers = dict(racer.hypers) | ({across.name: value} if across.name in own else {})
        surface = replace(sheet.surface, start=sheet.start)
        if across.name in params:
            surface = with_params(surface, **{across.name: value})
        limit = _closed_form(surface, racer.optimizer, tuple(hypers.items()))
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
    total, done = sheet.cells**2 * len(sheet.racers), 0
    groups: dict[str, tuple[str, np.ndarray]] = {}
    for i, racer in enumerate(sheet.racers):
        tiles = sweep_tiles(
            sheet.surface, racer.optimizer, axes=axes, start=sheet.start, steps=sheet.steps,
            noise=sheet.noise, seed=sheet.seed, executor=executor, cancel=cancel, **_fixed(racer),
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


def check_size(sheet: Sheet) -> None:
    """ValueError, one sentence, if a map would take too long."""
    cells = sheet.cells**2 * len(sheet.racers)
    if cells * sheet.steps > LARGEST:
        raise ValueError(
            f"{cells:,} cells × {sheet.steps:,} steps = {cells * sheet.steps:,} is more than the "
            f"{LARGEST:,} that a map may have: choose fewer cells or steps."
        )


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
        "racers": [r.optimizer.key for r in sheet.racers],
        "axes": [
            {"name": a.name, "scale": a.scale, "low": a.low, "high": a.high} for a in sheet.axes
        ],
        "window": sheet.window,
        "steps": sheet.steps,
        "cells": sheet.cells,
        "scheduled": any(r.schedule is not None for r in sheet.racers),
    }


def _orbits(sheet: Sheet, cancel: Callable[[], bool] | None) -> bytes:
    """For each lr, where the run is in the steps after it should have settled."""
    (racer,) = sheet.racers
    (low, high), (bottom, top) = sheet.window
    rates = places(sheet.axes[0], low, high, 2 * sheet.cells)
    steps = SETTLING + VISITED
    field = sweep(
        sheet.surface, racer.optimizer, axes={"lr": rates}, start=sheet.start, steps=steps,
        tail=VISITED, noise=sheet.noise, seed=sheet.seed, cancel=cancel, **_fixed(racer),
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


def strip(setup: Setup, racer: Racer, rate: Hyper, count: int) -> np.ndarray:
    """What becomes of one optimizer from one start, over a range of rates: (count,) kinds."""
    with BACKGROUND.held_back():
        field = sweep(
            setup.surface, racer.optimizer, axes={"lr": places(rate, rate.low, rate.high, count)},
            start=setup.start, steps=setup.steps, noise=setup.noise, seed=setup.seed,
            **_fixed(racer),
        )  # fmt: skip
    return kinds(field, setup.steps, noisy=setup.noise > 0.0)
