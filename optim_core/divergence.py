"""How a run blew up: since when, how fast, in which direction, and why there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from optim_core import theory
from optim_core.simulate import Run, check_run
from optim_core.spec import Optimizer, Point
from optim_core.words import show, show_apart

ROUNDING = 1e-12  # of a factor's logarithm; one that is larger by less has not grown
STEADY = 1e-3  # growth factors of the last half within this share of each other are one factor
SEARCH = 200  # rows after the rise in which a curvature beyond the limit is looked for


@dataclass(frozen=True)
class Report:
    """What became of a run that diverged. Fields are None where they do not apply.

    For a method without preconditioner, `at` is the first row from the rise on whose step went
    mainly along an axis of the Hessian with a curvature beyond the limit. That is `direction`; of
    two such axes, the one nearest to the last step. If there is no such row, `at` is the rise, and
    `direction` the axis nearest to the step out of the frame.
    For a method with one, `direction` is that of the step out of the frame, `at` is the rise, and
    `curvature` the largest eigenvalue of P⁻¹H there.

    Under a schedule a row has the rate and momentum of the step that starts there, and the limit
    that goes with them. `expected` is of the pattern's steps where these share theirs; else it is
    of the row at fault, and the sentence tells how rate and momentum moved during the pattern.
    """

    rise_step: int | None  # the loss was never again as low as at this row
    overflow_step: int | None  # the first row that is not finite
    growth: float | None = None  # each step along `direction` was so many times as long
    first_growth: float | None = None  # the first such factor, where they are not steady
    growth_step: int | None = None  # the row from which the pattern holds
    pattern: Literal["steady", "faster", "irregular"] | None = None  # of those factors
    expected: float | None = None  # theory's factor: with that curvature, or of a decay alone
    direction: Point | None = None  # of length 1, in the surface's own coordinates
    curvature: float | None = None
    at: Point | None = None
    at_step: int | None = None
    limit: float | None = None  # the largest stable lr for `curvature`
    sentence: str = ""  # a few plain sentences, with the numbers


class _Growth(NamedTuple):
    """Factors between consecutive steps along a direction."""

    since: int  # the row from which the pattern holds
    first: float | None
    last: float | None  # if steady, over the last half; if irregular, the mean of all
    pattern: Literal["steady", "faster", "irregular"] | None
    flips: bool  # each step goes to the other side


class _Blowup(NamedTuple):
    """What is seen of a run that diverged before it is explained."""

    run: Run
    fell: bool  # its loss is −inf in the end
    last: int  # the last row that is finite
    since: int  # the rise; of a fall the start
    moves: np.ndarray  # (n, d), the steps that are finite
    leaving: np.ndarray  # (d,), the direction of the step out of the frame; of a fall, the last
    length: float  # of that step
    out: int  # its index
    moved: bool  # whether a schedule moved rate or momentum


def report(run: Run) -> Report | None:
    """How a diverged run blew up; None for a run that did not."""
    if check_run("run", run).outcome.kind != "diverged":
        return None
    with np.errstate(all="ignore"):
        seen = _look(run)
        if seen is None:  # a start beyond the floats, or zero divided by zero
            cause = Report(run.outcome.rise_step, run.outcome.step, sentence=run.outcome.reason)
        elif run.optimizer.preconditioner is None:
            cause = _linear(seen)
        else:
            cause = _rescaled(seen)
    return cause


def _look(run: Run) -> _Blowup | None:
    overflow, last = run.outcome.step, theory.last_finite(run)
    fell = overflow is not None and run.losses[overflow] == -np.inf
    since = 0 if fell else run.outcome.rise_step
    # the position after the last finite loss, which grows as its square, may be finite as well
    rows = run.positions[: last + 2]
    moves = np.diff(rows[np.isfinite(rows).all(axis=1)], axis=0)
    if since is None or len(moves) == 0:
        return None
    low, high = np.array(run.surface.domain).T
    inside = np.flatnonzero(((rows >= low) & (rows <= high)).all(axis=1))
    left = max(since, int(inside[-1]) if inside.size else 0)
    out = len(moves) - 1 if fell else min(left, len(moves) - 1)
    step = moves[out]
    size = float(np.abs(step).max())
    if not 0.0 < size < math.inf:
        return None
    norm = float(np.linalg.norm(step / size))
    length = min(size * norm, float(np.finfo(float).max))
    return _Blowup(
        run, fell, last, since, moves, step / size / norm, length, out, theory.moved(run)
    )


def _sentence(
    seen: _Blowup, growth: _Growth, along: str, why: str, at_step: int, expected: float | None
) -> str:
    parts = [_how(growth, along, expected, _drift(seen, growth)), why]
    if at_step < growth.since:
        parts.reverse()
    if seen.fell:
        parts.append("This surface has no bottom, and the loss fell without end.")
    if seen.run.noisy:
        parts.append("Noise was added to its gradients.")
    if seen.run.outcome.step is None:
        parts.append(f"At step {seen.last} its loss is {show(seen.run.losses[seen.last])}.")
    else:
        parts.append(f"It overflowed at step {seen.run.outcome.step}.")
    return " ".join(part for part in parts if part)


def _growth(moves: np.ndarray, axis: np.ndarray, since: int) -> _Growth:
    """How steps (n, d) grew along an axis (d,), from a row on, or from 0 if that leaves too few."""
    since = since if len(moves) - since >= 3 else 0
    along = moves[since:] @ axis
    before, after = along[:-1], along[1:]
    fair = (before != 0.0) & (after != 0.0) & np.isfinite(before) & np.isfinite(after)
    fair &= np.isfinite(after / before)  # a factor beyond the floats is no number to show
    rows = since + np.flatnonzero(fair)
    flip = np.sign(before[fair]) * np.sign(after[fair]) < 0.0
    logs = np.log(np.abs(after[fair])) - np.log(np.abs(before[fair]))  # no ratio overflows
    if logs.size == 0:
        return _Growth(since, None, None, None, False)
    late = logs[logs.size // 2 :]
    mean = late.mean()
    if np.ptp(late) <= STEADY:
        i = _onset((np.abs(logs - mean) <= STEADY) & (flip == flip[-1]))
        return _Growth(int(rows[i]), _factor(logs[i]), _factor(mean), "steady", bool(flip[-1]))
    i = _onset(np.append(np.diff(logs) > ROUNDING, True) & (logs > 0.0))
    if len(logs) - i >= 3:
        return _Growth(
            int(rows[i]),
            _factor(logs[i]),
            _factor(logs[-1]),
            "faster",
            bool(flip[i:].all()),
        )
    return _Growth(since, _factor(logs[0]), _factor(logs.mean()), "irregular", False)


def _onset(holds: np.ndarray) -> int:
    """The first index from which a condition (n,) holds to the end; n if it does not."""
    broken = np.flatnonzero(~holds)
    return int(broken[-1]) + 1 if broken.size else 0


def _factor(log: float) -> float:
    return float(np.exp(log))


def _drift(seen: _Blowup, growth: _Growth) -> str:
    """How a schedule moved rate and momentum during a pattern; "" if by less than STEADY."""
    told = []
    for name, by_step in seen.run.hypers_by_step.items():
        values = by_step[growth.since : len(seen.moves)]
        if np.ptp(values) > STEADY * values.max():
            what, rise = "the rate" if name == "lr" else name, np.diff(values)
            if (rise >= 0.0).all() or (rise <= 0.0).all():
                first, last = show_apart(float(values[0]), float(values[-1]))
                told.append(f"{what} from {first} to {last}")
            else:
                low, high = show_apart(float(values.min()), float(values.max()))
                told.append(f"{what} between {low} and {high}")
    return " and ".join(told)


def _how(growth: _Growth, along: str, expected: float | None, drift: str) -> str:
    if growth.last is None or growth.first is None:
        return "A single step took it out of range."
    start = f"From step {growth.since} on "
    tail = f", while the schedule moved {drift}." if drift else "."
    if growth.pattern == "steady":
        side = " went to the other side and" if growth.flips else ""
        known = expected is not None and math.isclose(growth.last, expected, rel_tol=STEADY)
        was = f" was {show(growth.last)} times as long as the one before"
        return f"{start}every step{along}{side}{was}{', as theory says' if known else ''}{tail}"
    if growth.pattern == "faster":
        return (
            f"{start}its steps{along} grew ever faster: ×{show(growth.first)} at first, "
            f"×{show(growth.last)} at the end{tail}"
        )
    return (
        f"{start}its steps{along} had no steady factor; on average each was {show(growth.last)} "
        f"times as long as the one before{tail}"
    )


def _have(seen: _Blowup, row: int, rate: str) -> str:
    """The rate of the step from a row, as a clause."""
    return f"the schedule's rate at step {row} is {rate}" if seen.moved else f"you have {rate}"


def _rows(seen: _Blowup) -> range:
    """The rows in which a cause is looked for."""
    return range(seen.since, min(seen.last, seen.since + SEARCH, len(seen.moves) - 1) + 1)


def _where(seen: _Blowup) -> tuple[int, np.ndarray, float]:
    """The row to look at, its axis (d,) and the curvature along it; see Report."""
    run, since, moves, limit = seen.run, seen.since, seen.moves, seen.run.optimizer.limit
    rows = range(0) if seen.fell else _rows(seen)
    hessians = theory.matrices(run.surface, run.positions[rows.start : rows.stop])
    for row, hessian in zip(rows, hessians, strict=True):
        h = run.hypers_at(row)
        values, axes = theory.eigen(hessian)
        share = np.abs(axes.T @ (moves[row] / np.abs(moves[row]).max()))
        beyond = np.array(
            [limit is not None and 0.0 < v < math.inf and h[0] > limit(v, h) for v in values]
        )
        if (beyond & (share >= 0.5 * np.linalg.norm(share))).any():
            end = np.abs(axes.T @ (moves[-1] / np.abs(moves[-1]).max()))
            i = int(np.where(beyond, end, -1.0).argmax())
            return row, axes[:, i], float(values[i])
    values, axes = theory.curvature(run.surface, run.positions[since].tolist())
    i = int(np.abs(axes.T @ seen.leaving).argmax())
    return since, axes[:, i], float(values[i])


def _seen(run: Run, growth: _Growth) -> dict[str, Any]:
    """What a report says of any run, whatever the reason."""
    return {
        "rise_step": run.outcome.rise_step,
        "overflow_step": run.outcome.step,
        "growth": growth.last,
        "first_growth": growth.first,
        "growth_step": growth.since,
        "pattern": growth.pattern,
    }


def _linear(seen: _Blowup) -> Report:
    """Of a method that is linear on a quadratic."""
    run, method = seen.run, seen.run.optimizer
    row, axis, bend = _where(seen)
    step = min(row, len(run.gradients) - 1)  # none starts from the last row
    h, momentum = run.hypers_at(step), theory.with_momentum(run, step)
    lr = h[0]
    growth = _growth(seen.moves, axis, seen.since)
    at = tuple(run.positions[row].tolist())
    along = f" along {show(*axis)}" if run.surface.dim > 1 else ""
    place = f"The curvature{along} at {show(*at)}, where it was at step {row}, is {show(bend)}"
    expected = limit = None
    why = ""
    if math.isfinite(bend):
        shared = run.hypers_at(step if _drift(seen, growth) else growth.since)
        expected = theory.growth_factor(method, shared, bend)
    if method.limit is not None and 0.0 < bend < math.inf:
        limit = method.limit(bend, h)
    if bend < 0.0:
        why = f"{place}: it bends downward, so going downhill leads away."
    elif limit is not None and lr > limit:
        product, edge = show_apart(lr * bend, limit * bend)
        bound, have = show_apart(limit, lr)
        times = f" = {product}" if math.isfinite(lr * bend) else ""
        why = (
            f"{place}, so η·λ{times} is beyond {edge}, where {method.name} stops working "
            f"(limit {bound}{momentum}{';' if seen.moved else ','} {_have(seen, step, have)})."
        )
    elif limit is not None:
        why = (
            f"{place}, which allows an lr up to {show(limit)}{momentum}, and "
            f"{_have(seen, step, show(lr))}: the curvature there does not explain it."
        )
    return Report(
        **_seen(run, growth),
        expected=expected,
        direction=tuple(axis.tolist()),
        curvature=bend if math.isfinite(bend) else None,
        at=at,
        at_step=row,
        limit=limit,
        sentence=_sentence(seen, growth, along, why, row, expected),
    )


def _rescaled(seen: _Blowup) -> Report:
    """Of a method that divides by a scale of its own: a steep place is not enough."""
    run, name = seen.run, seen.run.optimizer.name
    growth = _growth(seen.moves, seen.leaving, seen.since)
    along = f" along {show(*seen.leaving)}" if run.surface.dim > 1 else ""
    row = max(seen.since, 1)
    step = min(row, len(run.gradients) - 1)  # none starts from the last row
    lr, momentum = run.rates[step], theory.with_momentum(run, step)
    rate, of_schedule = run.rates[seen.out], ""
    if seen.moved:
        of_schedule = f", the schedule's rate at step {seen.out}"
    top, limit = float(theory.preconditioned(run, row)[-1]), None
    if run.optimizer.limit is not None and 0.0 < top < math.inf:
        limit = run.optimizer.limit(top, run.hypers_at(step))
    decay = _decay(seen, growth)
    expected = None if decay is None else abs(decay[1])
    if decay is not None:
        when, own = decay
        each, eta = "a step", f"η = {show(run.rates[when])}"
        if seen.moved:
            each, eta = f"at step {when}", f"the schedule's rate there, {show(run.rates[when])},"
        why = (
            f"{name}'s decay alone multiplies the position by {show(own)} {each}, whatever the "
            f"gradient: {eta} times the decay is {show(1.0 - own)}, which is beyond 2."
        )
    elif _divides(run) and 0.01 * rate <= seen.length <= 100.0 * rate:
        why = (
            f"{name} divides by the gradient's own size, so its steps follow η and not the slope: "
            f"the one that left the frame was {show(seen.length)} long, "
            f"with η = {show(rate)}{of_schedule}."
        )
    elif limit is not None and lr > limit:
        bound, have = show_apart(limit, lr)
        why = (
            f"The largest curvature after {name}'s scaling at step {row} is {show(top)}, for which "
            f"the limit is {bound}{momentum}, and {_have(seen, step, have)}."
        )
    else:
        why = (
            f"The step that left the frame was {show(seen.length)} long, "
            f"with η = {show(rate)}{of_schedule}."
        )
    return Report(
        **_seen(run, growth),
        expected=expected,
        direction=tuple(seen.leaving.tolist()),
        curvature=top if math.isfinite(top) else None,
        at=tuple(run.positions[row].tolist()) if np.isfinite(run.positions[row]).all() else None,
        at_step=row,
        limit=limit if limit is not None and math.isfinite(limit) else None,
        sentence=_sentence(seen, growth, along, why, row, expected),
    )


def _divides(run: Run) -> bool:
    """Whether P follows the gradient: Adam's does not with its scaling off."""
    method, h = run.optimizer, run.hypers_at(0)
    assert method.preconditioner is not None
    k, slots = method.clock(h, method.clock_start), len(method.slots)
    one, two = (method.preconditioner((size,) * slots, h, k) for size in (1.0, 2.0))
    return one != two


def _decay(seen: _Blowup, growth: _Growth) -> tuple[int, float] | None:
    """The first row at which a decay alone makes the position longer, and its factor there."""
    rows = _rows(seen) if _drift(seen, growth) else [growth.since]
    for row in rows:
        factor = _own_factor(seen.run.optimizer, seen.run.hypers_at(row))
        if factor is not None and abs(factor) > 1.0 + 1e-9:
            return row, factor
    return None


def _own_factor(method: Optimizer, h: Point) -> float | None:
    """What the rule multiplies the position by when the gradient is the same everywhere."""
    k = method.clock(h, method.clock_start)
    s = (np.float64(0.0),) * max(1, len(method.slots))
    far = np.float64(2.0**60 * max(1.0, h[0]))  # beside which a step is rounded off
    there, back = (float(method.rule(p, np.float64(1.0), s, h, k)[0]) for p in (far, -far))
    factor = (there - back) / (2.0 * float(far))
    return factor if math.isfinite(factor) else None
