"""One run, with everything recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from numbers import Integral
from typing import Any

import numpy as np

from optim_core import kernels
from optim_core.outcome import Outcome, judge
from optim_core.spec import (
    Hyper,
    Interval,
    Optimizer,
    Point,
    Surface,
    is_finite_number,
    resolve,
)

MAX_STEPS = 100_000
NOISE = Hyper(
    "noise", r"\sigma", 0.0, Interval(0.0), 0.0, 10.0, "linear",
    "Standard deviation of the Gaussian noise added to every gradient, the same for all methods.",
)  # fmt: skip


@dataclass(frozen=True)
class Run:
    """A recorded run of T steps in d dimensions; all arrays are read-only float64.

    From the step on where a run overflows, its rows are inf or NaN.
    """

    surface: Surface
    optimizer: Optimizer
    hypers: dict[str, float]
    positions: np.ndarray  # (T + 1, d); row 0 is the start
    losses: np.ndarray  # (T + 1,); of the surface, without noise
    gradients: np.ndarray  # (T, d); what each step used, noise included
    probes: np.ndarray  # (T, d); where it was taken
    slots: dict[str, np.ndarray]  # name -> (T + 1, d); row 0 is before the first step
    noisy: bool = False

    @cached_property
    def outcome(self) -> Outcome:
        """Why the run ended."""
        return judge(self.surface, self.positions, self.losses, noisy=self.noisy)


def check_start(surface: Surface, start: Sequence[float]) -> Point:
    """The start as floats; ValueError if it is not `surface.dim` finite numbers."""
    sequence = isinstance(start, Iterable) and not isinstance(start, str)
    given = tuple(start) if sequence else ()
    if len(given) != surface.dim or not all(is_finite_number(c) for c in given):
        raise ValueError(f"start must be {surface.dim} finite number(s), got {start!r}.")
    return tuple(float(c) for c in given)


def check_count(name: str, value: Any, low: int, high: int) -> int:
    """An integer in low…high; ValueError otherwise."""
    whole = isinstance(value, Integral) or (is_finite_number(value) and float(value).is_integer())
    if isinstance(value, bool) or not whole or not low <= value <= high:
        raise ValueError(f"{name} must be an integer in [{low}, {high}], got {value!r}.")
    return int(value)


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
    **hypers: Any,
) -> Run:
    """Run `optimizer` on `surface` for `steps` steps, one gradient evaluation a step.

    start: `surface.dim` finite floats; by default the surface's own. steps: 1 to 100,000.
    noise: σ ≥ 0 of the Gaussian noise added to the gradient, drawn from `seed` ≥ 0.
    hypers: any of `optimizer.hypers` by name; those not given take their declared defaults.
    Raises ValueError, one sentence that names the value and what is allowed. Overflow raises
    nothing and prints nothing: the arrays hold inf or NaN from there on.
    """
    values = resolve(optimizer.key, optimizer.hypers, hypers)
    origin = check_start(surface, surface.start if start is None else start)
    steps = check_count("steps", steps, 1, MAX_STEPS)
    seed = check_count("seed", seed, 0, 2**63 - 1)
    sigma = NOISE.check(noise)
    dim = surface.dim
    positions = np.empty((steps + 1, dim))
    positions[0] = origin
    gradients, probes = np.empty((steps, dim)), np.empty((steps, dim))
    slots = np.zeros((max(1, len(optimizer.slots)), steps + 1, dim))
    kernels.recorder(optimizer)(
        kernels.block(surface, "gradient"),
        np.array(surface.args),
        np.array(values),
        np.array(optimizer.clock_start),
        gradient_noise(sigma, seed, steps, dim),
        positions,
        gradients,
        probes,
        slots,
    )
    losses = kernels.evaluate(surface, "value", positions)
    for array in (positions, losses, gradients, probes, slots):
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
    )
