"""The page's maps as messages: outcomes over two axes, basins over two starts, orbits over lr."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from optim_core import Field, sweep, theory
from optim_core.outcome import stay
from optim_core.penalty import with_params
from optim_core.spec import Hyper, Optimizer, Surface
from ui.permalink import Racer, Setup
from ui.player import wire
from ui.rate_link import View, Window, panel_axes

DIVERGED, SETTLED, CYCLE, OTHER = range(4)
NOWHERE = 65_535  # what stands for no minimum
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
        [field.period > 0, field.escape_step >= 0, settled],
        [CYCLE, DIVERGED, SETTLED],
        OTHER,
    ).astype(np.uint8)


def counts(field: Field, kind: np.ndarray, first: np.ndarray | float) -> np.ndarray:
    """The number that shades a cell: the step of leaving or settling, the period, the progress.

    first: the loss at the start. Progress is how far the loss above the least known has come down,
    in hundredths of a decade.
    """
    base = field.surface.best
    fallen = np.zeros(kind.shape)
    if base is not None:
        with np.errstate(all="ignore"):
            fallen = 100.0 * np.log10((first - base) / (field.final_loss - base))
    # A run may diverge and cross the frame in its last step.
    left = np.where(field.leave_step < 0, field.steps, field.leave_step)
    return np.select(
        [kind == DIVERGED, kind == SETTLED, kind == CYCLE],
        [left, field.settle_step, field.period],
        np.nan_to_num(np.maximum(fallen, 0.0)),
    )


def _sent(numbers: np.ndarray) -> tuple[str, np.ndarray]:
    """Whole numbers with as many bytes as the largest needs; steps may be more than 65,535."""
    return ("u4" if numbers.max() > 65_535 else "u2"), numbers


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
    sheet: Sheet, *, progress: Progress | None = None, cancel: Callable[[], bool] | None = None
) -> bytes:
    """Compute a map. ValueError, one sentence, if it is too large; Cancelled if it is stopped."""
    if sheet.panel == "orbits":
        return _orbits(sheet, cancel)
    values = [
        places(axis, *window, sheet.cells)
        for axis, window in zip(sheet.axes, sheet.window, strict=True)
    ]
    axes = {axis.name: v for axis, v in zip(sheet.axes, values, strict=True)}
    fields = []
    for i, racer in enumerate(sheet.racers):
        part = len(sheet.racers)

        def told(done: int, total: int, before: int = i, parts: int = part) -> None:
            if progress:
                progress(before * total + done, parts * total)

        fields.append(
            sweep(
                sheet.surface,
                racer.optimizer,
                axes=axes,
                start=sheet.start,
                steps=sheet.steps,
                noise=sheet.noise,
                seed=sheet.seed,
                budget=LARGEST // part,
                progress=told,
                cancel=cancel,
                **_fixed(racer),
            )
        )
    header = _header(sheet) | {
        "places": [v.tolist() for v in values],
        "boundary": boundary(sheet) if sheet.panel == "map" else None,
    }
    groups: dict[str, tuple[str, np.ndarray]] = {}
    first = first_loss(sheet, values)
    for i, field in enumerate(fields):
        kind = kinds(field, sheet.steps, noisy=sheet.noise > 0.0)
        groups[f"kind{i}"] = ("u1", kind)
        groups[f"count{i}"] = _sent(counts(field, kind, first))
        if sheet.panel == "basins":
            groups[f"minimum{i}"] = ("u2", np.where(field.minimum < 0, NOWHERE, field.minimum))
        if sheet.losses:
            groups[f"loss{i}"] = ("lead3", field.final_loss)
    return wire.pack(header, groups)


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
            "count0": _sent(counts(field, kind, np.nan)[None]),
        },
    )


@lru_cache(maxsize=24)
def live_message(sheet: Sheet) -> bytes:
    """A map small enough to be computed at once; sessions that look at the same one share it."""
    return message(sheet)


def strip(setup: Setup, racer: Racer, rate: Hyper, count: int) -> np.ndarray:
    """What becomes of one optimizer from one start, over a range of rates: (count,) kinds."""
    field = sweep(
        setup.surface, racer.optimizer, axes={"lr": places(rate, rate.low, rate.high, count)},
        start=setup.start, steps=setup.steps, noise=setup.noise, seed=setup.seed,
        **_fixed(racer),
    )  # fmt: skip
    return kinds(field, setup.steps, noisy=setup.noise > 0.0)
