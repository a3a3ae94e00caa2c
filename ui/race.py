"""A comparison as one message to the player."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from figures.relief import Window, padded, relief
from optim_core import Relay, Run, simulate
from optim_core.kernels import evaluate, subgradient
from optim_core.penalty import zeros
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
    """The summed length of all steps, or None if the run overflowed."""
    with np.errstate(all="ignore"):
        length = float(np.sum(np.hypot.reduce(np.diff(positions, axis=0), axis=1)))
    return length if np.isfinite(length) else None


def _finite(value: float) -> float | str:
    return value if np.isfinite(value) else str(value)


def result(run: Run, whole: Run | Relay, surface: Surface, losses: np.ndarray) -> dict[str, Any]:
    """A row of the results table; JSON has no infinity, so what is not finite is its name.

    surface, losses (T + 1,): what is compared, which may have a penalty that the run is without.
    """
    best = surface.best
    outcome = whole.outcome
    with np.errstate(invalid="ignore"):
        excess = None if best is None else losses - best
    return {
        "kind": outcome.kind,
        "period": outcome.period,
        "step": outcome.step,
        "reason": outcome.reason,
        "loss": _finite(float(losses[-1])),
        "within": [None if excess is None else steps_within(excess, t) for t in THRESHOLDS],
        "length": path_length(whole.positions),
        "evaluations": len(whole.positions) - 1,
        "zeros": [zero.text for zero in zeros(run)],
    }


@dataclass(frozen=True)
class Lane:
    """One racer's part of a comparison: its run, and what the player shows of it."""

    run: Run  # its last leg
    whole: Run | Relay  # all legs, one after the other
    result: dict[str, Any]
    excess: np.ndarray  # (T + 1,); the loss less the best known, or the loss where there is none
    slopes: np.ndarray  # (T + 1,); the norm of the (sub)gradient at each position, without noise


# A slider changes one racer of nine: the others, and other sessions' same runs, are kept.
@lru_cache(maxsize=128)
def lane(setup: Setup, racer: Racer) -> Lane:
    """Run one racer of a setup, after those that it goes on after."""
    surface = setup.surface
    legs = _legs(setup, racer)
    whole = legs[0] if len(legs) == 1 else Relay(legs)
    with np.errstate(all="ignore"):
        losses = (
            whole.losses if racer.surface is None else evaluate(surface, "value", whole.positions)
        )
        excess = losses - (surface.best or 0.0)
        slopes = np.hypot.reduce(subgradient(surface, whole.positions), axis=1)
    for array in (excess, slopes):
        array.flags.writeable = False
    return Lane(legs[-1], whole, result(legs[-1], whole, surface, losses), excess, slopes)


def _legs(setup: Setup, racer: Racer) -> tuple[Run, ...]:
    before = _legs(replace(setup, steps=racer.at), racer.after) if racer.after else ()
    hypers: dict[str, Any] = dict(racer.hypers)
    run = simulate(
        racer.surface or setup.surface,
        racer.optimizer,
        start=None if before else setup.start,
        steps=setup.steps - racer.at,
        noise=setup.noise,
        seed=setup.seed,
        schedule=racer.schedule,
        after=before[-1] if before else None,
        keep_count=racer.keep_count,
        **hypers,
    )
    return (*before, run)


def solo(setup: Setup, racer: Racer) -> Run:
    """The run of a racer that goes on after no other."""
    assert racer.after is None
    return lane(setup.alone, racer).run


def race(setup: Setup) -> list[Lane]:
    """The runs of a setup: same start, same number of gradient evaluations, same noise."""
    return [lane(setup.alone, racer) for racer in setup.racers]


@lru_cache(maxsize=128)
def tuning(setup: Setup, racer: Racer) -> dict[str, Any]:
    """The rates of one optimizer that work, as the browser draws them."""
    hypers: dict[str, Any] = {name: value for name, value in racer.hypers if name != "lr"}
    found = tune(
        racer.surface or setup.surface, racer.optimizer, start=setup.start, steps=setup.steps,
        noise=setup.noise, seed=setup.seed, schedule=racer.schedule, judged_on=setup.surface,
        **hypers,
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
    return said | {"each": [tuning(setup.alone, racer) for racer in setup.racers]}


def _own(racer: Racer) -> dict[str, Any]:
    """The name and look of a racer that are not its optimizer's."""
    look, optimizer = racer.own_look or racer.optimizer.look, racer.optimizer
    if not racer.own_name and look == optimizer.look:
        return {"key": racer.key}
    return {"key": racer.key, "look": {"name": racer.own_name or optimizer.name, **asdict(look)}}


def _changing(lanes: list[Lane]) -> bool:
    """Whether any run's rate is not the same at every step."""
    return any(bool((lane.whole.rates != lane.whole.rates[0]).any()) for lane in lanes)


def lowest(surface: Surface) -> list[bool]:
    """Which of a surface's minima are the lowest: none where the loss falls without end."""
    if surface.best is None:
        return [False] * len(surface.minima)
    values = np.array([surface.loss(*p) for p in surface.minima])
    # Minima of one height differ by the rounding of their coordinates.
    return [bool(v) for v in np.isclose(values, surface.best, rtol=1e-9, atol=1e-9)]


def _scenery(surface: Surface) -> dict[str, Any] | None:
    """A penalised surface's own minima, which the browser's catalog does not have."""
    if surface.bare is None:
        return None
    return {"minima": surface.minima, "lowest": lowest(surface), "bare": surface.bare.minima}


def _outlived(setup: Setup) -> list[str]:
    """Of each schedule that plans for fewer steps than its run has, what follows the plan."""
    plans = [
        racer.schedule.outlived(setup.steps - (0 if racer.keep_count else racer.at))
        for racer in setup.racers
        if racer.schedule
    ]
    return [text for text in dict.fromkeys(plans) if text]


def race_message(
    setup: Setup,
    query: str,
    clean: str,
    notes: list[str],
    header: Mapping[str, Any] | None = None,
    groups: Mapping[str, tuple[str, np.ndarray]] | None = None,
    *,
    exact: bool = False,
) -> bytes:
    """The runs of a setup as bytes, with what the player says about them; a page may add to it.

    exact: the paths to the bit, for a window in which their rounding would show.
    """
    lanes = race(setup)
    n = setup.steps + 1
    own = {
        "query": query[: permalink.LONGEST],
        "clean": clean,
        "notes": notes,
        "surface": setup.surface.key,
        "base": setup.surface.best,
        "penalised": _scenery(setup.surface),
        "plans": _outlived(setup),
        "defaults": permalink.suggested(setup.surface),
        "runs": [
            {**_own(racer), **lane.result} for racer, lane in zip(setup.racers, lanes, strict=True)
        ],
        "tuning": tunings(setup) if setup.tuned else None,
    }
    paths = [lane.whole.positions.T for lane in lanes]
    # The loss is a place in the view of the paths in one dimension only.
    is_curve = setup.surface.dim == 1
    sent = {
        "positions": ("f8" if exact else "f4", np.concatenate([np.empty((0, n)), *paths])),
        "excess": (
            "f8" if exact and is_curve else "lead4",
            np.array([lane.excess for lane in lanes]).reshape(-1, n),
        ),
        "slopes": ("lead3", np.array([lane.slopes for lane in lanes]).reshape(-1, n)),
    }
    if _changing(lanes):
        sent["rates"] = ("lead3", np.array([lane.whole.rates for lane in lanes]))
    return wire.pack(own | dict(header or {}), sent | dict(groups or {}))


@lru_cache(maxsize=64)
def surface_message(surface: Surface, window: Window | None, exact: bool = False) -> bytes:
    """The surface over a window and a margin around it; None is its own frame.

    exact: to the bit, for a window in which the rounding would show. The heights of a plane only
    differ in color, so they are told from the lowest on.
    """
    shown = relief(surface, padded(window or surface.domain, MARGIN))
    heights = shown.heights
    if surface.dim == 2:
        with np.errstate(over="ignore"):
            heights = heights - np.min(heights, where=np.isfinite(heights), initial=np.inf)
    kind = "f8" if exact else "f4"
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
            "heights": (kind if surface.dim == 1 else "f4", np.atleast_2d(heights)),
            "arrows": (kind, shown.arrows.T if shown.arrows.size else np.empty((0, 1))),
        },
    )
