"""The runs of a comparison, each computed once for all who look at it, and what is said of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from optim_core import Relay, Run, simulate
from optim_core.kernels import evaluate, subgradient
from optim_core.penalty import zeros
from optim_core.spec import Surface
from ui.runs.conditions import Conditions
from ui.runs.entry import Recipe
from ui.runs.kept import kept

THRESHOLDS = (1e-3, 1e-6)


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


def finite(value: float | None) -> float | str | None:
    """JSON has no infinity and no NaN, so what is not finite is its name."""
    return value if value is None or np.isfinite(value) else str(value)


def result(run: Run, whole: Run | Relay, surface: Surface, losses: np.ndarray) -> dict[str, Any]:
    """A row of the results table.

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
        "loss": finite(float(losses[-1])),
        "within": [None if excess is None else steps_within(excess, t) for t in THRESHOLDS],
        "length": path_length(whole.positions),
        "evaluations": len(whole.positions) - 1,
        "zeros": [zero.text for zero in zeros(run)],
    }


@dataclass(frozen=True)
class Lane:
    """One run of a comparison, and what the player shows of it."""

    run: Run  # its last leg
    whole: Run | Relay  # all legs, one after the other
    result: dict[str, Any]
    excess: np.ndarray  # (T + 1,); the loss less the best known, or the loss where there is none
    slopes: np.ndarray  # (T + 1,); the norm of the (sub)gradient at each position, without noise


def _bytes(lane: Lane) -> int:
    """About eight arrays as large as the positions, and what is around them."""
    return 8 * lane.whole.positions.nbytes + 10_000


# A slider changes one run of nine: the others are kept, those of a whole lecture at 300 steps.
@kept(room=64_000_000, weigh=_bytes)
def lane(conditions: Conditions, recipe: Recipe) -> Lane:
    """Make one run, after those that it goes on after."""
    surface = conditions.surface
    legs = _legs(conditions, recipe)
    whole = legs[0] if len(legs) == 1 else Relay(legs)
    with np.errstate(all="ignore"):
        losses = (
            whole.losses if recipe.surface is None else evaluate(surface, "value", whole.positions)
        )
        excess = losses - (surface.best or 0.0)
        slopes = np.hypot.reduce(subgradient(surface, whole.positions), axis=1)
    for array in (excess, slopes):
        array.flags.writeable = False
    return Lane(legs[-1], whole, result(legs[-1], whole, surface, losses), excess, slopes)


def _legs(conditions: Conditions, recipe: Recipe) -> tuple[Run, ...]:
    before: tuple[Run, ...] = ()
    if recipe.after:
        before = _legs(replace(conditions, steps=recipe.at), recipe.after)
    run = simulate(
        recipe.surface or conditions.surface,
        recipe.optimizer,
        start=None if before else recipe.start or conditions.start,
        steps=conditions.steps - recipe.at,
        noise=conditions.noise,
        seed=conditions.seed,
        schedule=recipe.schedule,
        after=before[-1] if before else None,
        keep_count=recipe.keep_count,
        **recipe.values,
    )
    return (*before, run)


def run_of(conditions: Conditions, recipe: Recipe) -> Run:
    """The run of a recipe that goes on after no other."""
    assert recipe.after is None
    return lane(conditions, recipe).run
