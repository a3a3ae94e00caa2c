"""A comparison as one message to the player."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from figures.relief import Window, padded, relief
from optim_core import Run, simulate
from optim_core.kernels import evaluate
from optim_core.spec import Surface
from optim_core.tuning import RATES, tune
from ui import permalink
from ui.permalink import Racer, Setup
from ui.player import wire

THRESHOLDS = (1e-3, 1e-6)
MARGIN = 0.3


def steps_within(excess: np.ndarray, tolerance: float) -> int | None:
    """The first step from which the excess loss stays at or below the tolerance, or None."""
    outside = np.flatnonzero(~(excess <= tolerance))
    if outside.size == 0:
        return 0
    first = int(outside[-1]) + 1
    return first if first < excess.size else None


def path_length(positions: np.ndarray) -> float | None:
    """The summed length of all steps, or None if the run left the floats."""
    with np.errstate(all="ignore"):
        length = float(np.sum(np.hypot.reduce(np.diff(positions, axis=0), axis=1)))
    return length if np.isfinite(length) else None


def _finite(value: float) -> float | str:
    return value if np.isfinite(value) else str(value)


def result(run: Run) -> dict[str, Any]:
    """A row of the results table; JSON has no infinity, so what is not finite is its name."""
    best = run.surface.best
    outcome = run.outcome
    with np.errstate(invalid="ignore"):
        excess = None if best is None else run.losses - best
    return {
        "kind": outcome.kind,
        "period": outcome.period,
        "step": outcome.step,
        "reason": outcome.reason,
        "loss": _finite(float(run.losses[-1])),
        "within": [None if excess is None else steps_within(excess, t) for t in THRESHOLDS],
        "length": path_length(run.positions),
        "evaluations": len(run.gradients),
    }


@dataclass(frozen=True)
class Lane:
    """One optimizer's part of a comparison: its run, and what the player shows of it."""

    run: Run
    result: dict[str, Any]
    excess: np.ndarray  # (T + 1,); the loss less the best known, or the loss where there is none
    slopes: np.ndarray  # (T + 1,); the gradient's norm at each position, without noise


# A slider changes one optimizer of nine: the others, and other sessions' same runs, are kept.
@lru_cache(maxsize=128)
def lane(setup: Setup, racer: Racer) -> Lane:
    """Run one optimizer of a setup."""
    surface = setup.surface
    hypers: dict[str, Any] = dict(racer.hypers)
    run = simulate(
        surface,
        racer.optimizer,
        start=setup.start,
        steps=setup.steps,
        noise=setup.noise,
        seed=setup.seed,
        **hypers,
    )
    with np.errstate(all="ignore"):
        excess = run.losses - (surface.best or 0.0)
        slopes = np.hypot.reduce(evaluate(surface, "gradient", run.positions), axis=1)
    for array in (excess, slopes):
        array.flags.writeable = False
    return Lane(run, result(run), excess, slopes)


def race(setup: Setup) -> list[Lane]:
    """The runs of a setup: same start, same number of gradient evaluations, same noise."""
    return [lane(replace(setup, racers=(), tuned=False), racer) for racer in setup.racers]


@lru_cache(maxsize=128)
def tuning(setup: Setup, racer: Racer) -> dict[str, Any]:
    """The rates of one optimizer that work, as the browser draws them."""
    hypers: dict[str, Any] = {name: value for name, value in racer.hypers if name != "lr"}
    found = tune(
        setup.surface, racer.optimizer, start=setup.start, steps=setup.steps,
        noise=setup.noise, seed=setup.seed, **hypers,
    )  # fmt: skip
    fates = np.where(found.works, "w", np.where(np.isfinite(found.excess), ".", "x"))
    return {
        "key": racer.optimizer.key,
        "lr": found.lr,
        "loss": None if found.lr is None else float(found.excess[found.lr == RATES][0]),
        "decades": found.decades,
        "fates": "".join(fates),
    }


def tunings(setup: Setup) -> dict[str, Any]:
    """For every optimizer of a setup the same trial runs; or why there are none."""
    said: dict[str, Any] = {"rates": [RATES[0], RATES[-1]], "trials": len(RATES), "each": []}
    if setup.surface.best is None:
        return said
    bare = replace(setup, racers=(), tuned=False)
    return said | {"each": [tuning(bare, racer) for racer in setup.racers]}


def race_message(
    setup: Setup,
    query: str,
    clean: str,
    notes: list[str],
    header: Mapping[str, Any] | None = None,
    groups: Mapping[str, tuple[str, np.ndarray]] | None = None,
) -> bytes:
    """The runs of a setup as bytes, with what the player says about them; a page may add to it."""
    lanes = race(setup)
    n = setup.steps + 1
    own = {
        "query": query[: permalink.LONGEST],
        "clean": clean,
        "notes": notes,
        "surface": setup.surface.key,
        "base": setup.surface.best,
        "runs": [{"key": lane.run.optimizer.key, **lane.result} for lane in lanes],
        "tuning": tunings(setup) if setup.tuned else None,
    }
    paths = [lane.run.positions.T for lane in lanes]
    return wire.pack(
        own | dict(header or {}),
        {
            "positions": ("f4", np.concatenate([np.empty((0, n)), *paths])),
            "excess": ("lead4", np.array([lane.excess for lane in lanes]).reshape(-1, n)),
            "slopes": ("lead3", np.array([lane.slopes for lane in lanes]).reshape(-1, n)),
        }
        | dict(groups or {}),
    )


@lru_cache(maxsize=64)
def surface_message(surface: Surface, window: Window | None) -> bytes:
    """The surface over a window and a margin around it; None is its own frame."""
    shown = relief(surface, padded(window or surface.domain, MARGIN))
    heights = shown.heights
    header = {
        "surface": surface.key,
        "params": surface.args,
        "window": shown.window,
        "levels": surface.levels,
        "bounded": surface.best is not None,
    }
    return wire.pack(
        header,
        {
            "heights": ("f4", np.atleast_2d(heights)),
            "arrows": ("f4", shown.arrows.T if shown.arrows.size else np.empty((0, 1))),
        },
    )
