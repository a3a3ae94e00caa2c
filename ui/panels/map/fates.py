"""What became of each cell of a map, as the few numbers that color and shade it."""

from __future__ import annotations

import numpy as np

from optim_core import Field
from optim_core.outcome import stay

DIVERGED, SETTLED, CYCLE, OTHER, UNDEFINED = range(5)
NOWHERE = 255  # what stands for no minimum
ARRIVED = 65_535  # hundredths of a decade: the loss has come down to the least known, or below
LARGEST_FLOAT = float(np.finfo(float).max)


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
