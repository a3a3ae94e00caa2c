"""The best learning rate of a method, and how far around it others work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from optim_core.checks import check_start, check_surface
from optim_core.hypers import LR
from optim_core.kernels import evaluate
from optim_core.spec import Optimizer, Schedule, Surface
from optim_core.sweep import sweep

A_DECADE = 30
RATES = np.array(
    [
        float(f"{rate:.3g}")
        for rate in np.geomspace(LR.low, LR.high, 1 + round(A_DECADE * np.log10(LR.high / LR.low)))
    ]
)
WITHIN = 10.0  # a working rate's final loss is at most this many times the best one's
SETTLED = 1e-12  # of the first loss; what ends lower has arrived, and the rest is rounding


@dataclass(frozen=True)
class Tuning:
    """What trying all of RATES has shown; arrays of one entry a rate, read-only."""

    lr: float | None  # the best rate; None if all runs diverged
    excess: np.ndarray  # float64; the final loss above the least known, inf or NaN of an overflow
    works: np.ndarray  # bool; within WITHIN times the best

    @property
    def decades(self) -> float:
        """How wide the working rates are, in factors of ten."""
        return float(self.works.sum() / A_DECADE)


def tune(
    surface: Surface,
    optimizer: Optimizer,
    *,
    start: Sequence[float],
    steps: int,
    noise: float = 0.0,
    seed: int = 0,
    schedule: Schedule | None = None,
    judged_on: Surface | None = None,
    **hypers: Any,
) -> Tuning:
    """Run `optimizer` once with each of RATES, and compare the final losses.

    Arguments as in `simulate`, without lr. A loss below SETTLED of the first counts as that much:
    such runs have arrived, and the middle one of their rates is the best.
    judged_on: the surface whose loss is compared, if it is not the one that the runs are on: that
        with the L2 penalty, of a method that takes its λ for a decay of its own. ValueError if it
        has no least value that is known.

    Under a schedule the rates are its η₀, which may work far beyond the limit of a constant rate
    if it falls soon; an η₀ beyond the last of RATES is not tried.
    """
    check_surface(surface)
    if judged_on is not None and check_surface(judged_on, "judged_on").dim != surface.dim:
        raise ValueError(f"judged_on must have {surface.dim} dimension(s), got {judged_on.key}.")
    judge, start = judged_on or surface, check_start(surface, start)
    if judge.best is None:
        raise ValueError(f"{judge.name} has no least loss that is known, so no rate is the best.")
    field = sweep(
        surface, optimizer, axes={"lr": RATES}, start=start, steps=steps, noise=noise, seed=seed,
        schedule=schedule, **hypers,
    )  # fmt: skip
    with np.errstate(all="ignore"):
        excess = evaluate(judge, "value", field.final_positions) - judge.best
        first = judge.loss(*start) - judge.best
    usable = np.isfinite(excess) & (field.escape_step < 0)
    compared = np.where(usable, np.maximum(excess, SETTLED * first), np.inf)
    least = compared.min()
    best = np.flatnonzero(usable & (compared == least))
    works = usable & (compared <= WITHIN * least)
    for array in (excess, works):
        array.flags.writeable = False
    return Tuning(float(RATES[best[len(best) // 2]]) if best.size else None, excess, works)
