"""One run, with everything recorded."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

from optim_core import kernels
from optim_core.checks import (
    UNSCHEDULED,
    check_count,
    check_flag,
    check_instance,
    check_optimizer,
    check_schedule,
    check_start,
    check_surface,
)
from optim_core.motion import LastStep
from optim_core.outcome import Outcome, judge
from optim_core.spec import (
    ROLES,
    Hyper,
    Interval,
    Optimizer,
    Point,
    Schedule,
    Surface,
    in_short,
    resolve,
)

MAX_STEPS = 100_000
NOISE = Hyper(
    "noise", r"\sigma", 0.0, Interval(0.0), 0.0, 10.0, "linear",
    "Standard deviation of the Gaussian noise added to every gradient, the same for all methods.",
)  # fmt: skip


class Checkpoint(NamedTuple):
    """What goes on from step to step, beside position and slots."""

    clock: Point = ()
    memory: Point = UNSCHEDULED.memory  # of the schedule's closed loop
    schedule_step: int = 0  # the next one
    steps: int = 0  # since the first run began; these draws of the noise are used up


@dataclass(frozen=True, eq=False)  # a run is equal to itself alone, and a key of what is made of it
class Run:
    """A recorded run of T steps in d dimensions; all arrays are read-only float64.

    From the step on where a run overflows, its rows are inf or NaN.
    """

    surface: Surface
    optimizer: Optimizer
    hypers: dict[str, float]
    positions: np.ndarray  # (T + 1, d); row 0 is the start
    losses: np.ndarray  # (T + 1,); of the surface, penalty included, without noise
    gradients: np.ndarray  # (T, d); what each step used, noise included; no proximal L1
    probes: np.ndarray  # (T, d); where it was taken
    slots: dict[str, np.ndarray]  # name -> (T + 1, d); row 0 is before the first step
    noisy: bool = False
    schedule: Schedule | None = None
    hypers_by_step: dict[str, np.ndarray] = field(default_factory=dict)  # (T,); if scheduled
    began: Checkpoint | None = None  # None if simulate did not make it
    clock: np.ndarray | None = None  # after the last step
    memory: Point = ()  # of the schedule's closed loop, after the last step

    @property
    def ended(self) -> Checkpoint | None:
        """What a run that goes on after this one begins with."""
        if self.began is None or self.clock is None:
            return None
        made = len(self.gradients)
        return Checkpoint(
            tuple(self.clock.tolist()), self.memory, self.began.schedule_step + made,
            self.began.steps + made,
        )  # fmt: skip

    @property
    def rates(self) -> np.ndarray:
        """The rate of each step (T,), read-only."""
        constant = np.broadcast_to(self.hypers["lr"], len(self.gradients))
        return self.hypers_by_step.get("lr", constant)

    def hypers_at(self, step: int) -> Point:
        """The hyperparameters in declared order that step 0 ≤ t < T used."""
        if not self.hypers_by_step:
            return tuple(self.hypers.values())
        moved = {name: float(values[step]) for name, values in self.hypers_by_step.items()}
        return tuple((self.hypers | moved).values())

    @cached_property
    def clocks(self) -> np.ndarray:
        """The clock as it is in each step, (T, its length), read-only."""
        steps, k = len(self.gradients), self.optimizer.clock_start
        if self.began is not None:
            k = self.began.clock
        rows = []
        if k:
            given: Iterable[Point] = repeat(self.hypers_at(0), steps)
            if self.hypers_by_step:
                columns = (np.broadcast_to(self.hypers_by_step.get(n, v), steps).tolist()
                           for n, v in self.hypers.items())  # fmt: skip
                given = zip(*columns, strict=True)
            for h in given:
                k = self.optimizer.clock(h, k)
                rows.append(k)
        clocks = np.array(rows).reshape(steps, len(k))
        clocks.flags.writeable = False
        return clocks

    @property
    def last_step(self) -> LastStep | None:
        """What the last step was made with; None if simulate did not make the run."""
        if self.clock is None:
            return None
        slots = np.array([self.slots[name][-2:] for name in self.optimizer.slots])
        before, after = slots.swapaxes(0, 1) if len(slots) else np.zeros((2, 1, self.surface.dim))
        return LastStep(
            self.optimizer, self.rates, self.hypers_at(len(self.gradients) - 1),
            tuple(self.clock.tolist()), self.gradients[-1], before, after,
        )  # fmt: skip

    @cached_property
    def outcome(self) -> Outcome:
        """Why the run ended."""
        return judge(
            self.surface, self.positions, self.losses, noisy=self.noisy, last=self.last_step
        )


def check_run(name: str, value: Any) -> Run:
    """A run; ValueError, one sentence, otherwise."""
    return check_instance(name, value, Run)


@lru_cache(maxsize=64)
def gradient_noise(noise: float, seed: int, steps: int, dim: int) -> np.ndarray:
    """Gaussian noise (steps, dim) from a seed; every optimizer of a comparison gets this one."""
    draws = np.zeros((steps, dim))
    if noise > 0.0:
        with np.errstate(over="ignore"):
            draws = noise * np.random.default_rng(seed).standard_normal((steps, dim))
    draws.flags.writeable = False
    return draws


def simulate(
    surface: Surface,
    optimizer: Optimizer,
    *,
    start: Sequence[float] | None = None,
    steps: int = 200,
    noise: float = 0.0,
    seed: int = 0,
    schedule: Schedule | None = None,
    after: Run | None = None,
    keep_count: bool = True,
    **hypers: Any,
) -> Run:
    """Run `optimizer` on `surface` for `steps` steps, one gradient evaluation a step.

    start: `surface.dim` finite floats; by default the surface's own. steps: 1 to 100,000.
    noise: σ ≥ 0 of the Gaussian noise added to the gradient, drawn from `seed` ≥ 0.
    schedule: what multiplies the rate, and for some the momentum, at each step; `lr` is its η₀.
        None is a constant rate, as is SCHEDULES["constant"], to the bit.
    after: a run to go on from, in place of `start`. With its optimizer its slots and clock are
        kept; another optimizer begins with its own, as one that is newly made. The noise of one
        seed goes on where it was. A schedule's closed loop keeps its memory if it is of one key.
    keep_count: whether the schedule goes on at the step that `after` has reached, so that two
        parts are the undivided run to the bit; else its count and memory begin anew, and the rate
        jumps back: Keras's `fit` without `initial_epoch`. A schedule that plans ahead, as 1cycle,
        needs the `total` of all parts for that: without it it plans anew for the steps so far and
        these, the rate jumps, and a UserWarning says from where to where.
    hypers: any of `optimizer.hypers` by name; those not given take their declared defaults, also
        after another run.
    Raises ValueError, one sentence that names the value and what is allowed. Overflow raises
    nothing and prints nothing: the arrays hold inf or NaN from there on.
    """
    check_surface(surface)
    values = resolve(check_optimizer(optimizer).key, optimizer.hypers, hypers)
    keep_count = check_flag("keep_count", keep_count)
    plan = check_schedule(schedule)
    if after is None:
        origin = check_start(surface, surface.start if start is None else start)
        began = Checkpoint(optimizer.clock_start, plan.memory)
    else:
        if start is not None:
            raise ValueError(f"start must not be given beside after, got {in_short(start)}.")
        began = _resumed(surface, optimizer, plan, after, keep_count)
        origin = tuple(after.positions[-1].tolist())
    steps = check_count("steps", steps, 1, MAX_STEPS - began.steps)
    seed = check_count("seed", seed, 0, 2**63 - 1)
    sigma = NOISE.check(noise)
    dim = surface.dim
    positions = np.empty((steps + 1, dim))
    positions[0] = origin
    gradients, probes = np.empty((steps, dim)), np.empty((steps, dim))
    slots = np.zeros((max(1, len(optimizer.slots)), steps + 1, dim))
    if after is not None and after.optimizer == optimizer:
        for slot, name in zip(slots, optimizer.slots, strict=False):
            slot[0] = after.slots[name][-1]
    table = np.array(values)[:, None]  # of one column: constant
    by_step: dict[str, np.ndarray] = {}
    if schedule is not None:
        table = np.repeat(table, steps, axis=1)
        scale = schedule.scale(began.schedule_step, steps)
        for row, hyper in zip(table, optimizer.hypers, strict=True):
            if hyper.role:
                with np.errstate(over="ignore"):
                    row *= scale[:, ROLES.index(hyper.role)]
                by_step[hyper.name] = row
        if after is not None and plan.is_planned_anew(began.schedule_step):
            now = float(table[optimizer.row("rate"), 0])
            _warn_of_jump(plan, began.schedule_step, steps, float(after.rates[-1]), now)
    clock, memory = np.array(began.clock), began.memory
    draws = gradient_noise(sigma, seed, began.steps + steps, dim)
    loop: tuple[Any, ...] = (0,) * len(kernels.CLOSED_LOOP)
    if watches := plan.watches:
        value, react = kernels.block(surface, "value"), kernels.reactor(plan)
        watch = plan.watch(began.schedule_step, steps)
        column = np.array(memory)[:, None]
        loop = value, react, np.array(plan.knobs), watch, column
    kernels.recorder(optimizer, watches)(
        kernels.block(surface, "gradient"),
        np.array(surface.weights),
        table,
        clock,
        draws[began.steps :] if began.steps else draws,
        positions,
        gradients,
        probes,
        slots,
        *loop,
    )
    if watches:
        memory = tuple(column[:, 0].tolist())
    losses = kernels.evaluate(surface, "value", positions)
    for array in (positions, losses, gradients, probes, slots, clock, *by_step.values()):
        array.flags.writeable = False
    return Run(
        surface=surface,
        optimizer=optimizer,
        hypers=dict(zip((h.name for h in optimizer.hypers), values, strict=True)),
        positions=positions,
        losses=losses,
        gradients=gradients,
        probes=probes,
        slots=dict(zip(optimizer.slots, slots, strict=False)),
        noisy=sigma > 0.0,
        schedule=schedule,
        hypers_by_step=by_step,
        began=began,
        clock=clock,
        memory=memory,
    )


def _warn_of_jump(plan: Schedule, count: int, steps: int, before: float, now: float) -> None:
    warnings.warn(
        f"{plan.key} without a total is planned anew for all {count + steps} steps: at step {count}"
        f" the rate goes from {before:.3g} to {now:.3g}; with total={count + steps} in every part "
        "one plan holds for all of them.",
        stacklevel=3,
    )


def _resumed(
    surface: Surface, optimizer: Optimizer, plan: Schedule, after: Run, keep_count: bool
) -> Checkpoint:
    """Where a run begins that goes on after another; ValueError if it cannot."""
    left = after.ended if isinstance(after, Run) else None
    if left is None or after.surface != surface:
        found = f"one on {after.surface.key}" if isinstance(after, Run) else in_short(after)
        raise ValueError(
            f"after must be a run of simulate on {surface.key} with the same parameters, "
            f"got {found}."
        )
    if left.steps >= MAX_STEPS:
        raise ValueError(f"after must have made fewer than {MAX_STEPS} steps, got {left.steps}.")
    same_plan = after.schedule is not None and after.schedule.key == plan.key
    return Checkpoint(
        left.clock if after.optimizer == optimizer else optimizer.clock_start,
        left.memory if keep_count and same_plan else plan.memory,
        left.schedule_step if keep_count else 0,
        left.steps,
    )
