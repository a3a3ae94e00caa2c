"""What theory says about a learning rate: where a method stops working, and how that is measured.

Near a minimum a surface is a quadratic, and there a method without preconditioner is linear: it
works as long as no eigenvalue of its update exceeds 1 in size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np

from optim_core import kernels
from optim_core.checks import (
    check_count,
    check_number,
    check_optimizer,
    check_point,
    check_schedule,
    check_start,
    check_surface,
    listed,
)
from optim_core.simulate import MAX_STEPS, Run, check_run, simulate
from optim_core.spec import Interval, Optimizer, Pace, Point, Schedule, Surface, in_short, resolve
from optim_core.words import show as show
from optim_core.words import show_apart as show_apart

TINY = 1e-9  # of the frame's shortest side: a displacement so small that the surface is quadratic
GONE = 3e-6  # of it: whoever gets this far from TINY grows; transients with β ≤ 0.999 do not
SMALLEST, LARGEST = 1e-280, 1e280  # a curvature or rate beyond is none: its inverse overflows


@dataclass(frozen=True)
class Limit:
    """The largest stable lr that stays as it is, and why.

    closed form: the method's formula with the largest curvature at a minimum.
    preconditioned: with the largest eigenvalue of P⁻¹H, P frozen as it was at the end of a run.
    measured: by `measured_limit`, for a method without a formula.
    none: there is none; the text says why.
    """

    lr: float | None
    kind: Literal["closed form", "preconditioned", "measured", "none"]
    curvature: float | None  # L, the largest eigenvalue
    at: Point | None  # the minimum; of a preconditioned limit the place of H
    text: str  # one sentence, with the numbers; one more if a schedule's rate is beyond it


class Rate(NamedTuple):
    """A learning rate and what it is an example of."""

    label: Literal["too low", "good", "slightly too high", "too high"]
    lr: float


def hypers_of(optimizer: Optimizer, hypers: Mapping[str, Any] | Sequence[float]) -> Point:
    """All hyperparameters in declared order; of a mapping, those missing take their defaults.

    ValueError, one sentence, for an unknown name, a value outside its domain or a wrong number.
    """
    names = [h.name for h in check_optimizer(optimizer).hypers]
    if not isinstance(hypers, Mapping):
        values = listed(hypers)
        if values is None or len(values) != len(names):
            raise ValueError(
                f"hypers must be a mapping, or a list of {', '.join(names)} of {optimizer.key}, "
                f"got {in_short(hypers)}."
            )
        hypers = dict(zip(names, values, strict=True))
    return resolve(optimizer.key, optimizer.hypers, hypers)


def matrices(surface: Surface, points: np.ndarray) -> np.ndarray:
    """The Hessians (n, d, d) at points (n, d)."""
    flat = kernels.evaluate(surface, "hessian", points)
    return flat[:, [[0]] if surface.dim == 1 else [[0, 1], [1, 2]]]


def eigen(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues (d,) in ascending order and axes (d, d), one a column, of a symmetric matrix.

    The largest component of each axis is positive. Eigenvalues are NaN if the matrix is not finite.
    """
    if not np.isfinite(matrix).all():  # which some builds of LAPACK refuse
        return np.full(len(matrix), np.nan), np.eye(len(matrix))
    scale = float(np.abs(matrix).max()) or 1.0  # eigh squares its entries
    values, axes = np.linalg.eigh(matrix / scale)
    largest = np.take_along_axis(axes, np.abs(axes).argmax(axis=0)[None], axis=0)
    return values * scale, axes * np.where(largest < 0.0, -1.0, 1.0)


def curvature(surface: Surface, at: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """Curvatures (d,) in ascending order and their axes (d, d), one a column, at a point (d,).

    In the surface's own coordinates; the eigen-decomposition of its Hessian. See `eigen`.
    """
    place = check_point("at", at, check_surface(surface).dim, finite=False)
    with np.errstate(all="ignore"):
        return eigen(matrices(surface, np.array([place]))[0])


@lru_cache(maxsize=256)
def sharpness(surface: Surface) -> float | None:
    """The largest curvature at the lowest minimum; None where there is none, as on a kink."""
    if surface.best is None:
        return None
    at = min(surface.minima, key=lambda p: surface.loss(*p))
    top = float(curvature(surface, at)[0][-1])
    return top if SMALLEST < top < LARGEST else None


def pace_of(surface: Surface) -> Pace:
    """A surface's suggested rates at its parameters; those declared are at their defaults.

    Where the lowest minimum is c times as sharp, the rates that curvature limits are 1/c of theirs.
    A penalty changes nothing: runs with and without it are to be compared.
    """
    bare = surface.bare or surface
    usual, now = sharpness(replace(bare, given=None)), sharpness(bare)
    if usual is None or now is None:
        return bare.pace
    ratio = float(f"{usual / now:.12g}")  # a turned Hessian's last digits are rounding
    return replace(bare.pace, curvature=bare.pace.curvature * ratio)


def free(surface: Surface, at: Sequence[float]) -> np.ndarray:
    """Which coordinates (d,) a step near a point (d,) moves: not those that L1 holds at 0.

    A proximal step puts a coordinate back to exactly 0 as long as its slope is less than l1.
    """
    point = np.array(check_point("at", at, check_surface(surface).dim, finite=False))
    if not surface.shrinks:
        return np.full(len(point), True)
    slopes = kernels.evaluate(surface, "gradient", point[None])[0]
    held: np.ndarray = (point == 0.0) & (np.abs(slopes) < surface.penalty[0])
    return ~held


def preconditioner(run: Run, row: int) -> np.ndarray:
    """P (d,) of the step that led to a row ≥ 1 of a run; 1 for a method without."""
    method = check_run("run", run).optimizer
    row = check_count("row", row, 1, len(run.gradients))
    if method.preconditioner is None:
        return np.ones(run.surface.dim)
    h, k = run.hypers_at(row - 1), tuple(run.clocks[row - 1].tolist())
    slots = np.array([run.slots[name][row] for name in method.slots])
    with np.errstate(all="ignore"):
        return np.array([method.preconditioner(tuple(s), h, k) for s in slots.T])


def preconditioned(run: Run, row: int, at: Sequence[float] | None = None) -> np.ndarray:
    """The eigenvalues (d,), ascending, of P⁻¹H after the step to a row ≥ 1; NaN if P is not > 0.

    H at the row's position, or at another point. P^−½ H P^−½ has the same eigenvalues and is
    symmetric (Cohen et al. 2022, arXiv:2207.14484).
    """
    check_count("row", row, 1, len(check_run("run", run).gradients))
    place = run.positions[row]
    if at is not None:
        place = np.array(check_point("at", at, run.surface.dim, finite=False))
    return _preconditioned(run, row, place, np.full(run.surface.dim, True))


def _preconditioned(run: Run, row: int, place: np.ndarray, among: np.ndarray) -> np.ndarray:
    """The eigenvalues of P⁻¹H at a place (d,) in some of the coordinates, `among` (d,)."""
    scale = preconditioner(run, row)[among]
    with np.errstate(all="ignore"):
        root = np.sqrt(scale)
        hessian = matrices(run.surface, place[None])[0][np.ix_(among, among)]
        values, _ = eigen(hessian / root[:, None] / root[None, :])
    return values if (scale > 0.0).all() else np.full_like(values, np.nan)


def last_finite(run: Run) -> int:
    """The last row before a run overflows; −1 if its start did."""
    with np.errstate(all="ignore"):
        finite = np.isfinite(run.losses) & np.isfinite(run.positions).all(axis=1)
    return len(finite) - 1 if finite.all() else int(finite.argmin()) - 1


def moved(run: Run) -> bool:
    """Whether a schedule gave a step other hyperparameters than those that were chosen."""
    return any((by_step != run.hypers[name]).any() for name, by_step in run.hypers_by_step.items())


def with_momentum(run: Run, step: int) -> str:
    """Words that name the momentum of a step, if a schedule has moved it there."""
    row = run.optimizer.row("momentum")
    if row < 0 or run.hypers_at(step)[row] == tuple(run.hypers.values())[row]:
        return ""
    return f" with {run.optimizer.hypers[row].name} {show(run.hypers_at(step)[row])}"


def nearest(surface: Surface, point: Sequence[float]) -> int | None:
    """Index of the declared minimum nearest to a point, in frame units; None without minima."""
    at = np.array(check_point("point", point, check_surface(surface).dim, finite=False))
    if not surface.minima:
        return None
    low, high = np.array(surface.domain).T
    gaps = np.abs((np.array(surface.minima) - at) / (high - low))
    return int(gaps.max(axis=1).argmin())


def limit(
    surface: Surface,
    optimizer: Optimizer,
    hypers: Mapping[str, Any] | Sequence[float],
    run: Run | None = None,
) -> Limit:
    """The largest stable lr at the minimum at which `run` ended, else the one nearest its start.

    hypers: as a mapping, with defaults for those missing, or all in order; the lr is ignored.
    run: a run of this optimizer on this surface. Without one the surface's start is taken, and a
    method with a preconditioner has no limit yet. If it has a schedule that moves the rate, the
    text says at which of its steps the rate is beyond the limit that goes with that step's
    momentum. P is of one step only, so a preconditioned limit is compared with that step's rate,
    and taken with its momentum.
    """
    check_surface(surface)
    h = hypers_of(optimizer, hypers)
    if run is not None and not (
        check_run("run", run).surface == surface and run.optimizer == optimizer
    ):
        raise ValueError(
            f"run must be one of {optimizer.key} on {surface.key} with the same parameters and "
            f"penalty, got one of {run.optimizer.key} on {run.surface.key}."
        )
    if optimizer.preconditioner is not None:
        return _preconditioned_limit(optimizer, h, run)
    if not surface.minima:
        return _none("No limit: this surface has no minimum to settle at.")
    target = run.outcome.target if run is not None and run.outcome.kind == "minimum" else None
    which, index = "the minimum", target
    if index is None:
        start = surface.start if run is None else run.positions[0].tolist()
        index = nearest(surface, start)
        which = "the minimum nearest to the start," if len(surface.minima) > 1 else which
    assert index is not None
    at = surface.minima[index]
    where = f"{which} {show(*at)}"
    if _jumps(surface, at):
        return _none(
            f"No limit: at {where} the gradient jumps, so a constant lr never settles there, "
            "however small it is.",
            at,
        )
    moving = free(surface, at)
    if not moving.any():
        return _held(where, at)
    top = float(_among(surface, at, moving)[0][-1])
    if not SMALLEST < top < LARGEST:
        return _none(f"No limit: at {where} the curvature is not a positive number.", at)
    limit_of = optimizer.limit
    if limit_of is not None:
        lr = limit_of(top, h)
        text = (
            f"{optimizer.limit_formula} = {show(lr)}, where L = {show(top)} is the largest "
            f"curvature at {where}{_landing(surface, at, moving)}."
        )
        text += _beyond(run, lr, lambda own: limit_of(top, own))
        return Limit(lr, "closed form", top, at, text)
    found = measured_limit(surface, optimizer, h, minimum=at, low=1e-6 / top, high=1e3 / top)
    if found is None:
        return _none(f"No limit was found at {where} between {1e-6 / top:g} and {1e3 / top:g}.", at)
    text = f"{show(found)}, measured: beyond it a small error at {where} grows."
    return Limit(found, "measured", top, at, text)


def _jumps(surface: Surface, at: Point) -> bool:
    """Whether steps meet a gradient that jumps at a minimum: f's own, or that of L1."""
    bare = surface if surface.bare is None else surface.bare
    return at in (bare.kinks if surface.shrinks else surface.kinks)


def _among(
    surface: Surface, at: Sequence[float], some: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Curvatures in some of the coordinates (d,), and their axes (d, n), one a column."""
    with np.errstate(all="ignore"):
        hessian = matrices(surface, np.array([at], dtype=float))[0]
    values, axes = eigen(hessian[np.ix_(some, some)])
    whole = np.zeros((len(some), len(values)))
    whole[some] = axes
    return values, whole


def _held(where: str, at: Point) -> Limit:
    every = "0" if len(at) == 1 else "0 in both coordinates"
    return _none(f"No limit: near {where} a proximal step ends at exactly {every}, for any lr.", at)


def _landing(surface: Surface, at: Point, moving: np.ndarray) -> str:
    """What to add of a place at a kink on which a proximal step lands, or nothing."""
    if not moving.all():  # one of two
        held, other = ("x", "y") if moving[1] else ("y", "x")
        return f"; the proximal step holds {held} at 0, so L is along {other} alone"
    if at not in surface.kinks:
        return ""
    return "; the proximal step lands on its kink, so L is of the loss without the L1 penalty"


def _none(text: str, at: Point | None = None) -> Limit:
    return Limit(None, "none", None, at, text)


def _beyond(run: Run | None, lr: float, own: Callable[[Point], float]) -> str:
    """Where a schedule's rate is beyond a limit, as a sentence after a space; else "".

    lr: the limit; own(h): that of a step with hyperparameters h, which a moving momentum moves.
    """
    if run is None or not moved(run):
        return ""
    row, momenta = run.optimizer.row("momentum"), np.zeros(len(run.rates))
    if row >= 0:
        momenta = run.hypers_by_step[run.optimizer.hypers[row].name]
    _, having, which = np.unique(momenta, return_index=True, return_inverse=True)
    limits = np.array([own(run.hypers_at(step)) for step in having.tolist()])[which]
    steps = np.flatnonzero(run.rates > limits).tolist()
    if not steps:
        return ""
    first, last = steps[0], steps[-1]
    where = f"from step {first} to {last}" if last > first else f"at step {first}"
    if len(steps) <= last - first:
        where = f"at {len(steps)} of the steps {first} to {last}"
    if (limits == lr).all():
        return f" The schedule's rate is beyond it {where}."
    low, high = show_apart(float(limits.min()), float(limits.max()))
    return (
        f" The schedule moves momentum too, and with it the limit, between {low} and {high}: "
        f"its rate is beyond that of the same step {where}."
    )


def _preconditioned_limit(optimizer: Optimizer, h: Point, run: Run | None) -> Limit:
    name = optimizer.name
    if run is None:
        return _none(
            f"No limit yet: {name} divides each step by a scale of its own, so what is too large "
            "shows only in a run."
        )
    row = last_finite(run)
    if row < 1:
        return _none(f"No limit: {name} overflowed before its first step was done.")
    target = run.outcome.target if run.outcome.kind == "minimum" else None
    at: Point = tuple(run.positions[row].tolist())
    where = f"at {show(*at)}"
    if target is not None:
        at = run.surface.minima[target]
        where = f"at the minimum {show(*at)}"
        if _jumps(run.surface, at):
            return _none(f"No limit: {where} the gradient jumps and there is no curvature.", at)
    moving = free(run.surface, at)
    if not moving.any():
        return _held(where.removeprefix("at "), at)
    top = float(_preconditioned(run, row, np.array(at), moving)[-1])
    after = f"after {name}'s scaling at step {row}"
    if not math.isfinite(top):
        return _none(f"No limit: {where} the curvature {after} is not a number.", at)
    if top <= 0.0:
        return _none(f"No limit: {where} the surface does not curve upward in any direction.", at)
    own, rate = run.hypers_at(row - 1) if moved(run) else h, float(run.rates[row - 1])
    lr = optimizer.limit(top, own) if optimizer.limit is not None else None
    if lr is None or not math.isfinite(lr):
        return _none(f"No limit: there is no formula for {name}, or it overflowed.", at)
    text = (
        f"{optimizer.limit_formula} = {show(lr)}{with_momentum(run, row - 1)}, where L = "
        f"{show(top)} is the largest curvature {where} {after}; it changes from step to step"
        f"{_landing(run.surface, at, moving)}."
    )
    if moved(run) and rate > lr:
        text += f" The schedule's rate in that step, {show_apart(rate, lr)[0]}, is beyond it."
    return Limit(lr, "preconditioned", top, at, text)


def growth_factor(
    optimizer: Optimizer, hypers: Mapping[str, Any] | Sequence[float], curvature: float
) -> float | None:
    """By how much an error grows a step, in the long run, on a quadratic of this curvature.

    The spectral radius of the map (p, slots) -> (p, slots) that the rule is there, taken from the
    rule itself: |1 − η λ| for GD, the largest root of z² − (1 + β − η λ) z + β for the heavy ball
    (Polyak 1964). None if the rule is not linear, changes with time, or overflows.
    """
    h = hypers_of(optimizer, hypers)
    curvature = check_number("curvature", curvature, Interval(-math.inf))
    k = optimizer.clock(h, optimizer.clock_start)
    size = 1 + len(optimizer.slots)

    def step(state: np.ndarray) -> np.ndarray:
        p, slots = state[0], tuple(state[1:]) or (0.0,)
        g = curvature * optimizer.probe(p, slots, h, k)
        p, slots = optimizer.rule(p, g, slots, h, k)
        return np.array([p, *slots][:size])

    with np.errstate(all="ignore"):
        image = np.array([step(unit) for unit in np.eye(size)]).T
        for mix in (np.zeros(size), np.linspace(1.0, 2.0, size), np.linspace(-3.0, 1.0, size)):
            error = np.abs(step(mix) - image @ mix)
            if not (error <= 1e-12 * (np.abs(image) @ np.abs(mix))).all():
                return None
    if optimizer.clock(h, k) != k or not np.isfinite(image).all():
        return None
    factor = float(np.abs(np.linalg.eigvals(image)).max())
    return factor if math.isfinite(factor) else None


def measured_limit(
    surface: Surface,
    optimizer: Optimizer,
    hypers: Mapping[str, Any] | Sequence[float],
    *,
    minimum: Sequence[float],
    low: float,
    high: float,
) -> float | None:
    """The lr between `low` and `high` beyond which a small error at a minimum grows, by bisection.

    A run starts displaced by 1e-9 of the frame along the steepest axis that it is free to move on,
    and has 1000 steps, then 2000, 4000… until the result stays within 1e-8; that is some 70 runs
    in 10 ms. It agrees with 2/L, 2(1 + β)/L and 2(1 + β)/((1 + 2β)L) to 1e-6. None unless errors
    shrink at `low` and grow at `high`, and none for a method that is not linear there: one that
    divides by the gradient's size takes steps of about lr however near it is, so no small error
    ever shrinks by itself.
    """
    minimum = check_point("minimum", minimum, check_surface(surface).dim)
    low, high = _bracket(low, high)
    h = hypers_of(optimizer, hypers)
    names = [hyper.name for hyper in optimizer.hypers]
    short = float(min(b - a for a, b in surface.domain))
    moving = free(surface, minimum)
    if not moving.any():
        return None
    axis = _among(surface, minimum, moving)[1][:, -1]
    origin = np.asarray(minimum, dtype=float)

    def errors(lr: float, steps: int, tiny: float = TINY) -> np.ndarray:
        start = (origin + tiny * short * axis).tolist()
        values: dict[str, Any] = dict(zip(names, h, strict=True)) | {"lr": lr}
        run = simulate(surface, optimizer, start=start, steps=steps, **values)
        away: np.ndarray = run.positions - origin
        return away

    def grows(lr: float, steps: int) -> bool:
        with np.errstate(all="ignore"):
            error = np.abs(errors(lr, steps)).max(axis=1)
            far = not (error <= GONE * short).all()
            half, quarter = steps // 2, steps // 4
            then, now = error[half : half + quarter].max(), error[half + quarter :].max()
        return bool(far or now > then)

    found: float | None = None
    steps = 1000
    while steps <= 64_000:
        a, b = low, high
        if found is not None and not grows(found * 0.99, steps) and grows(found * 1.01, steps):
            a, b = found * 0.99, found * 1.01
        elif grows(a, steps) or not grows(b, steps):
            return None
        while b - a > 1e-10 * b:
            middle = math.sqrt(a * b) if b > 2.0 * a else 0.5 * (a + b)
            a, b = (a, middle) if grows(middle, steps) else (middle, b)
        before, found = found, 0.5 * (a + b)
        if before is not None and abs(found - before) <= 1e-8 * found:
            break
        steps *= 2
    if found is None:
        return None
    whole, half = errors(0.5 * found, 20), errors(0.5 * found, 20, 0.5 * TINY)
    linear = np.abs(2.0 * half - whole).max() <= 1e-3 * np.abs(whole).max()
    return found if linear else None


def _bracket(low: float, high: float) -> tuple[float, float]:
    low = check_number("low", low, Interval(0.0, open_low=True))
    return low, check_number("high", high, Interval(low, open_low=True))


def first_failure(
    surface: Surface,
    optimizer: Optimizer,
    hypers: Mapping[str, Any] | Sequence[float],
    *,
    start: Sequence[float],
    steps: int,
    low: float,
    high: float,
    points: int = 60,
) -> float | None:
    """The lowest lr in `low`…`high` at which the run from `start` is judged diverged.

    The first of `points` geometrically spaced rates that diverges is found, and the boundary
    before it bisected to 1e-9. Where curvature differs from place to place the rates that fail
    are no interval (on Rosenbrock one throw lands in the valley, the next one does not), so
    narrower gaps between `points` may be missed. None if none of them diverges; `low` if it does.
    """
    low, high = _bracket(low, high)
    points = check_count("points", points, 2, MAX_STEPS)
    check_surface(surface)
    fails = _failing(surface, optimizer, hypers_of(optimizer, hypers), start, steps)
    before = low
    for lr in np.geomspace(low, high, points).tolist():
        if fails(lr):
            break
        before = lr
    else:
        return None
    a, b = float(before), float(lr)
    while b - a > 1e-9 * b:
        middle = 0.5 * (a + b)
        a, b = (a, middle) if fails(middle) else (middle, b)
    return b


def _failing(
    surface: Surface, optimizer: Optimizer, h: Point, start: Sequence[float], steps: int
) -> Callable[[float], bool]:
    values: dict[str, Any] = dict(zip((x.name for x in optimizer.hypers), h, strict=True))

    def fails(lr: float) -> bool:
        run = simulate(surface, optimizer, start=start, steps=steps, **(values | {"lr": lr}))
        return run.outcome.kind == "diverged"

    return fails


class _Trial(NamedTuple):
    """One rate, and how its run went."""

    lr: float
    settled: bool  # at a minimum
    diverged: bool
    inside: bool  # it stayed in the frame, or no farther outside than half its side
    end: float  # the largest loss in the last tenth of the run; inf if one is not finite
    losses: np.ndarray

    def peak(self) -> float:
        """The largest loss; inf if one is not finite."""
        with np.errstate(all="ignore"):
            return float(np.nan_to_num(self.losses, nan=np.inf).max())

    def last_above(self, loss: float) -> int:
        """The first row from which the loss stays at or below a value."""
        above = np.flatnonzero(~(self.losses <= loss))
        return int(above[-1]) + 1 if above.size else 0

    def first_above(self, loss: float) -> float:
        above = ~(self.losses <= loss)
        return float(above.argmax()) if above.any() else math.inf


JUST = (1.02, 1.01, 1.005, 1.002, 1.001)  # times the limit; heavy momentum needs the least
BEYOND = (1.04, 1.07, 1.12, 1.2, 1.3, *np.geomspace(1.5, 1e4, 30).tolist())


def four_rates(
    surface: Surface,
    optimizer: Optimizer,
    hypers: Mapping[str, Any] | Sequence[float],
    *,
    start: Sequence[float],
    steps: int,
    limit: float | None,
    schedule: Schedule | None = None,
) -> tuple[Rate, ...]:
    """Four example rates of four digits for a run from `start`, each checked by running it.

    limit: that of `limit()`, which is lowered to a measured failure below it. Without one, for a
        method with a preconditioner, or where a schedule moves the rate, rates over eight decades
        are tried instead.
    schedule: of every run, as in `simulate`; the rates are its η₀. The limit is no edge for them:
        an η₀ far beyond it may be good if the rate falls soon, and one below it too high if not.

    good: of the rates below the limit whose late loss is the least (to a millionth of the drop
        from the first loss), the one that is soonest within a hundredth of it; without a limit,
        of those whose runs stay within half a frame of the frame.
    too low: good, halved until half of the drop or more is missing at the end, at no minimum.
    slightly too high: of 1.02, 1.01… 1.001 times the limit the first that has not grown a
        millionfold at the end, else the first rate beyond, which is not at a minimum and misses a
        fiftieth of the drop at least; without a limit one that is thrown farther out will do.
    too high: the first rate from 1.5 times the limit on that diverges, and sooner; if none does,
        one that ends unsettled and no lower than it began; without a limit one that at some step
        has ten times the drop will do. (Adam finds back to a bowl's bottom from anywhere, and so
        does a rate that falls.)

    Late loss is the largest of the last tenth. () where that cannot be had: a surface without
    a bottom, a start at the minimum, or one from which no rate is too high.
    """
    start = check_start(check_surface(surface), start)
    steps = check_count("steps", steps, 1, MAX_STEPS)
    plan = check_schedule(schedule)
    if limit is not None:
        limit = check_number("limit", limit, Interval(0.0, open_low=True))
    h = hypers_of(optimizer, hypers)
    if surface.best is None:
        return ()
    values: dict[str, Any] = dict(zip((x.name for x in optimizer.hypers), h, strict=True))
    low_end, high_end = np.array(surface.domain).T
    centre, side = (low_end + high_end) / 2.0, high_end - low_end

    def trial(lr: float) -> _Trial:
        rate = min(max(float(f"{lr:.4g}"), SMALLEST), LARGEST)
        run = simulate(
            surface, optimizer, start=start, steps=steps, schedule=schedule,
            **(values | {"lr": rate}),
        )  # fmt: skip
        kind, path = run.outcome.kind, run.positions
        end = float(np.nan_to_num(run.losses[-max(1, steps // 10) :], nan=np.inf).max())
        inside = bool((np.abs(path - centre) <= side).all())
        return _Trial(rate, kind == "minimum", kind == "diverged", inside, end, run.losses)

    moves = plan.watches or bool((plan.scale(0, steps) != 1.0).any())
    edge = None if moves or optimizer.preconditioner is not None else limit
    if edge is not None and not SMALLEST < edge < LARGEST:
        return ()
    if edge is not None:
        failure = first_failure(
            surface, optimizer, h, start=start, steps=steps, low=0.02 * edge, high=edge
        )
        edge = edge if failure is None else failure
        below = [edge * x for x in (*np.geomspace(0.001, 0.3, 12), *np.linspace(0.35, 0.98, 16))]
        tried = [trial(lr) for lr in below]
    else:
        usual = optimizer.factor * float(getattr(pace_of(surface), optimizer.pace))
        tried = [trial(usual * x) for x in np.geomspace(1e-4, 1e4, 65)]

    tame = [t for t in tried if t.inside] if edge is None else tried
    best = min((t.end for t in tame or tried), default=math.nan)
    first = float(tried[0].losses[0])
    drop = first - best
    if not (math.isfinite(first) and drop > 0.0):
        return ()
    good = min(
        (t for t in tame or tried if t.end <= best + 1e-6 * drop),
        key=lambda t: t.last_above(best + 0.01 * drop),
    )
    low = next(
        (
            t
            for t in (trial(good.lr * 0.5**i) for i in range(1, 200))
            if t.end >= best + 0.5 * drop and not t.settled
        ),
        None,
    )

    def loose(t: _Trial) -> bool:
        return not t.settled and t.end >= best + 0.02 * drop

    floor = best - 1e-6 * drop  # so much lower is no higher
    if edge is not None:
        just = [t for t in (trial(edge * x) for x in JUST) if loose(t) and t.lr > good.lr]
        slow = (t for t in just if t.end <= best + 1e6 * drop)
        beyond = [trial(edge * x) for x in BEYOND]
        high = next(slow, None) or (just[-1] if just else next(filter(loose, beyond), None))
    else:
        beyond = [t for t in tried if t.lr > good.lr]
        high = next((t for t in beyond if loose(t) or (not t.inside and t.end >= floor)), None)
    if low is None or high is None:
        return ()
    wall = best + 10.0 * drop
    over = high.first_above(wall)
    more = [t for t in beyond if t.lr >= max(1.4 * high.lr, 1.49 * (edge or 0.0))]
    worse = max(first, high.end if math.isfinite(high.end) else first)
    tests: tuple[Callable[[_Trial], bool], ...] = (
        lambda t: t.diverged and t.first_above(wall) < over and t.lr <= 20.0 * high.lr,
        lambda t: not t.settled and t.end >= worse and t.lr <= 20.0 * high.lr,
        lambda t: edge is None and t.end >= floor and t.peak() >= wall,
        lambda t: not t.settled and t.end >= worse,
    )
    wild = next((t for test in tests for t in more if test(t)), None)
    if wild is None:
        return ()
    return (
        Rate("too low", low.lr),
        Rate("good", good.lr),
        Rate("slightly too high", high.lr),
        Rate("too high", wild.lr),
    )
