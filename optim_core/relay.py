"""Several runs, one after the other, seen as one: a resumed run, or a change of optimizers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from optim_core.checks import listed
from optim_core.outcome import Outcome, judge
from optim_core.simulate import Run, check_run
from optim_core.spec import Surface, in_short


@dataclass(frozen=True)
class Relay:
    """Runs of T steps altogether, of which each was made with `after=` the one before.

    ValueError if one does not begin where the one before ends. Arrays are read-only float64.
    """

    runs: tuple[Run, ...]

    def __post_init__(self) -> None:
        runs = listed(self.runs)
        if not runs:
            raise ValueError(f"runs must be a list of at least one Run, got {in_short(self.runs)}.")
        for i, run in enumerate(runs):
            check_run(f"runs[{i}]", run)
        for i, (one, other) in enumerate(zip(self.runs, self.runs[1:], strict=False), 1):
            left, taken = one.ended, other.began
            met = left is not None and taken is not None and left.steps == taken.steps
            here = np.array_equal(one.positions[-1], other.positions[0], equal_nan=True)
            if not (met and here and one.surface == other.surface):
                raise ValueError(f"runs[{i}] must go on after runs[{i - 1}], got another.")

    @property
    def surface(self) -> Surface:
        return self.runs[0].surface

    @property
    def starts(self) -> tuple[int, ...]:
        """The row in `positions` at which each run begins."""
        return tuple(np.cumsum([0, *(len(r.gradients) for r in self.runs[:-1])]).tolist())

    @cached_property
    def positions(self) -> np.ndarray:
        """(T + 1, d); row 0 is the start, and a row that two runs share is there once."""
        return _joined([self.runs[0].positions[:1], *(run.positions[1:] for run in self.runs)])

    @cached_property
    def losses(self) -> np.ndarray:
        """(T + 1,); of the surface, without noise."""
        return _joined([self.runs[0].losses[:1], *(run.losses[1:] for run in self.runs)])

    @cached_property
    def rates(self) -> np.ndarray:
        """(T,); the rate of each step."""
        return _joined([run.rates for run in self.runs])

    @cached_property
    def outcome(self) -> Outcome:
        """Why the last run ended, judged by all of them."""
        noisy, last = any(run.noisy for run in self.runs), self.runs[-1].last_step
        if last is not None:
            last = last._replace(rates=self.rates)
        return judge(self.surface, self.positions, self.losses, noisy=noisy, last=last)


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    whole = np.concatenate(parts)
    whole.flags.writeable = False
    return whole
