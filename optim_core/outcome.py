"""Why a run ended: one of six outcomes, told from its recorded positions and losses.

Lengths are measured in frame units: each coordinate divided by its side of the surface's frame,
so that the frame is the box |u| ≤ 1/2, and the largest coordinate counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from optim_core import kernels
from optim_core.spec import Surface

NEAR = 1e-3  # frame units; a run no farther than this from a point, in every coordinate, is there
SAME = 1e-9  # a cycle returns to where it was within this share of its width
FAINT = 1e-10  # frame units; a narrower cycle cannot be told from rounding
DUST = 1e-12  # frame units; drifting away by less is rounding
FLAT = 1e-2  # of the mean slope over the frame; a plateau is flatter
LONGEST = 64  # steps; the longest period looked for


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    minimum: over the last tenth of the run (at least 10 steps; half of a shorter run) it stays
        within NEAR of a declared minimum, or of a point that Newton's method finds from the last
        row with all curvatures positive, and it is not moving away.
    saddle: the same with a negative curvature: a saddle, or a maximum.
    plateau: its path over the second half of the run is shorter than NEAR, it is at none of the
        above, and the slope is below FLAT of the mean slope over the frame.
    cycle: without noise, the last two periods repeat the ones before to within SAME.
    diverged: a row is not finite; or the run is outside the frame, farther from quarter to
        quarter of the run, ever faster, with an ever larger loss.
    moving: none of these.
    """

    kind: Literal["minimum", "saddle", "plateau", "cycle", "diverged", "moving"]
    step: int | None  # since when; of a divergence its first non-finite row, None if there is none
    reason: str  # one sentence, with the numbers
    period: int | None = None  # of a cycle, in steps
    rise_step: int | None = None  # of a divergence: the loss was never again as low as here
    target: int | None = None  # index into the surface's minima or saddles, if it is declared


class _Scene(NamedTuple):
    """What the judge needs of a surface, with d coordinates and k declared stationary points."""

    centre: np.ndarray  # (d,)
    span: np.ndarray  # (d,)
    slope: float  # mean over the frame, loss per frame side
    points: np.ndarray  # (d, k); minima, saddles, maxima
    labels: tuple[tuple[str, int], ...]  # k of (what it is, index among its like)


class _Place(NamedTuple):
    """A stationary point near which a run ends."""

    what: str  # "minimum", "saddle" or "maximum"
    index: int | None
    at: np.ndarray  # (d,)


@lru_cache(maxsize=256)
def _scene(surface: Surface) -> _Scene:
    low, high = np.array(surface.domain).T
    axes = np.linspace(low, high, 33).T
    grid = np.stack([axis.ravel() for axis in np.meshgrid(*axes)], axis=1)
    slopes = np.abs(kernels.evaluate(surface, "gradient", grid) * (high - low)).max(axis=1)
    known = {"minimum": surface.minima, "saddle": surface.saddles, "maximum": surface.maxima}
    points = [point for each in known.values() for point in each]
    return _Scene(
        centre=(low + high) / 2.0,
        span=high - low,
        slope=float(slopes.mean()),
        points=np.array(points).reshape(-1, surface.dim).T,
        labels=tuple((what, i) for what, each in known.items() for i in range(len(each))),
    )


def judge(surface: Surface, positions: np.ndarray, losses: np.ndarray, *, noisy: bool) -> Outcome:
    """Judge a run of T ≥ 1 steps from its positions (T + 1, d) and losses (T + 1,).

    noisy: the gradients had noise; then no cycle is claimed, and a drift is taken for chance.
    """
    with np.errstate(all="ignore"):
        finite = np.isfinite(losses) & np.isfinite(positions).all(axis=1)
        if not finite.all():
            return _left_the_floats(losses, int(finite.argmin()))
        scene = _scene(surface)
        u = np.ascontiguousarray(positions.T)
        u = (u - scene.centre[:, None]) / scene.span[:, None]
        return (
            (None if noisy else _cycle(scene, u, losses))
            or _diverging(scene, u, losses)
            or _at_rest(surface, scene, u, losses, noisy)
            or _hardly_moving(surface, scene, u)
            or _moving(surface, scene, u, losses, noisy)
        )


def _left_the_floats(losses: np.ndarray, step: int) -> Outcome:
    if step == 0:
        return Outcome("diverged", 0, "The loss at the start is already too large for a float.")
    low = _last_lowest(losses[:step])
    if losses[step] == -np.inf:
        reason = f"The loss fell without end and left the floats at step {step}."
        return Outcome("diverged", step, reason)
    if low == step - 1 and np.isnan(losses[step]):
        reason = f"Step {step} is no number: it divided zero by zero, or overflowed."
        return Outcome("diverged", step, reason)
    reason = (
        f"It left the floats at step {step}; the loss was never again "
        f"as low as at step {low}, {_show(losses[low])}."
    )
    return Outcome("diverged", step, reason, rise_step=low)


def _diverging(scene: _Scene, u: np.ndarray, losses: np.ndarray) -> Outcome | None:
    far = _quarters(np.abs(u).max(axis=0))
    # ever faster: an overshoot also leaves the frame, but slows down
    ever_faster = far[-1] > 0.5 and _rising(far) and _rising(np.diff(far))
    if not (ever_faster and _rising(_quarters(losses))):
        return None
    low = _last_lowest(losses)
    reason = (
        f"It is outside the frame, at {_place(scene, u[:, -1])}, and gets away ever faster: the "
        f"loss is {_show(losses[-1])} and was never again as low as at step {low}, "
        f"{_show(losses[low])}."
    )
    return Outcome("diverged", None, reason, rise_step=low)


def _cycle(scene: _Scene, u: np.ndarray, losses: np.ndarray) -> Outcome | None:
    last = u[:, : -LONGEST - 2 : -1]  # backwards from the end
    widths = np.maximum.accumulate(last, axis=1) - np.minimum.accumulate(last, axis=1)
    width = widths.max(axis=0)[:-1]  # of the last q rows, q = 1, 2…
    gap = np.abs(last[:, 1:] - last[:, :1]).max(axis=0)  # from q steps before the end to the end
    clear = width > np.maximum(FAINT, DUST * np.abs(u[:, -1]).max())
    for q in np.flatnonzero(clear & (gap <= SAME * width)).tolist():
        q += 1
        repeats = np.abs(u[:, q:] - u[:, :-q]).max(axis=0) <= SAME * width[q - 1]
        step = _since(repeats)
        if len(repeats) - step < 2 * q:
            continue
        around = _minimum_inside(scene, u[:, -q:])
        about = "" if around is None else f" around the minimum at {_place(scene, around)}"
        lap = losses[-q:]
        reason = (
            f"From step {step} on it repeats itself every {q} steps{about}, between "
            f"{_place(scene, u[:, -1])} and {_place(scene, u[:, -1 - q // 2])}, with a loss of "
            f"{_show(lap.min())} to {_show(lap.max())}."
        )
        return Outcome("cycle", step, reason, period=q)
    return None


def _at_rest(
    surface: Surface, scene: _Scene, u: np.ndarray, losses: np.ndarray, noisy: bool
) -> Outcome | None:
    place = _stationary_point(surface, scene, u[:, -1])
    if place is None:
        return None
    steps = len(losses) - 1
    away = np.abs(u - place.at[:, None])
    step = _since(away.max(axis=0) <= NEAR)
    name = f"the {place.what} at {_place(scene, place.at)}"
    if steps - step < max(min(10, (steps + 1) // 2), steps // 10):
        reason = f"It came to {name} at step {step}, too late to tell whether it stays."
        return Outcome("moving", None, reason)
    within, falls = away[:, step:].max(axis=0), "on every side"
    if place.what == "saddle":
        _, _, axes = _shape(surface, scene, place.at)
        within = np.abs(axes[:, 0] @ (u[:, step:] - place.at[:, None]))
        downhill = axes[:, 0] * scene.span
        falls = f"along {_show(*(downhill / np.hypot(*downhill)))}"
    quarters = _quarters(within)
    if not noisy and quarters[-1] > DUST and _rising(quarters):
        here = _place(scene, u[:, -1])
        return Outcome("moving", None, f"It is moving away from {name} and is now at {here}.")
    if place.what == "minimum":
        radius = _show((away[:, step:].max(axis=1) * scene.span).max())
        reason = (
            f"From step {step} on it stays within {radius} of {name}; "
            f"the loss is {_show(losses[-1])}."
        )
        return Outcome("minimum", step, reason, target=place.index)
    reason = (
        f"From step {step} on it stands on {name}: the gradient is zero there, "
        f"though the surface falls away {falls}."
    )
    return Outcome("saddle", step, reason, target=place.index if place.what == "saddle" else None)


def _hardly_moving(surface: Surface, scene: _Scene, u: np.ndarray) -> Outcome | None:
    left = np.cumsum(np.abs(np.diff(u)).max(axis=0)[::-1])[::-1]  # path from each step to the end
    step = _since(left <= NEAR)
    if 2 * step > len(left):
        return None
    slope = float(np.abs(_shape(surface, scene, u[:, -1])[0]).max())
    here, share = _place(scene, u[:, -1]), _show(100.0 * slope / scene.slope)
    if slope <= FLAT * scene.slope:
        reason = (
            f"It has stood still at {here} since step {step}: no minimum, but the slope there "
            f"is only {share} % of the frame's mean."
        )
        return Outcome("plateau", step, reason)
    reason = (
        f"It has hardly moved since step {step} and is at {here}, though the slope there is "
        f"{share} % of the frame's mean: its steps are too small to get anywhere."
    )
    return Outcome("moving", None, reason)


def _moving(
    surface: Surface, scene: _Scene, u: np.ndarray, losses: np.ndarray, noisy: bool
) -> Outcome:
    steps = len(losses) - 1
    count = min(steps, max(10, steps // 10))
    tail, change = losses[-count - 1 :], np.diff(losses[-count - 1 :])
    lately = f"over the last {count} steps" if count > 1 else "in one step"
    then, now = _show(tail[0]), _show(tail[-1])
    around = _minimum_inside(scene, u[:, -count - 1 :])
    middle = len(tail) // 2
    if surface.best is None and tail[-1] < tail[0] and np.abs(u[:, -1]).max() > 0.5:
        here = _place(scene, u[:, -1])
        reason = f"It has left the frame, is at {here} and falls on: this surface has no bottom."
    elif tail[-1] < tail[0] and not (change > 0.0).any():
        reason = f"It is still going downhill: {lately} the loss fell from {then} to {now}."
    elif tail[-1] > tail[0] and not (change < 0.0).any():
        reason = f"It is going uphill: {lately} the loss rose from {then} to {now}."
    else:
        falling = tail[middle:].max() < tail[:middle].max()
        how = "circles" if around is not None else "is kept moving" if noisy else "jumps about"
        where = "" if around is None else f" the minimum at {_place(scene, around)}"
        trend = "and is still getting lower" if falling else "without settling"
        reason = (
            f"It {how}{where} {trend}: {lately} the loss was between "
            f"{_show(tail.min())} and {_show(tail.max())}."
        )
    return Outcome("moving", None, reason)


def _stationary_point(surface: Surface, scene: _Scene, end: np.ndarray) -> _Place | None:
    """The stationary point within NEAR of `end` (frame units), declared or found by Newton."""
    declared = (scene.points - scene.centre[:, None]) / scene.span[:, None]
    if declared.size:
        gaps = np.abs(declared - end[:, None]).max(axis=0)
        i = int(gaps.argmin())
        if gaps[i] <= NEAR:
            return _Place(*scene.labels[i], declared[:, i])
    at, first = end, np.inf
    for _ in range(3):
        gradient, curvatures, axes = _shape(surface, scene, at)
        step = axes @ ((axes.T @ gradient) / curvatures)
        size = float(np.abs(step).max())
        first = min(first, size)
        at = at - step
        if not np.abs(at - end).max() <= NEAR:
            return None
    # on a flat tail Newton's steps are short too, but they do not get shorter
    if size > max(DUST, 1e-2 * first):
        return None
    rising = int((curvatures > 0.0).sum())
    return _Place({0: "maximum", surface.dim: "minimum"}.get(rising, "saddle"), None, at)


def _shape(
    surface: Surface, scene: _Scene, at: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradient (d,), curvatures (d,) in rising order and their axes (d, d), in frame units."""
    point = (scene.centre + at * scene.span)[None]
    gradient = kernels.evaluate(surface, "gradient", point)[0] * scene.span
    hessian = kernels.evaluate(surface, "hessian", point)[0]
    matrix = hessian[[[0]] if surface.dim == 1 else [[0, 1], [1, 2]]]
    matrix = matrix * np.outer(scene.span, scene.span)
    if not np.isfinite(matrix).all():
        return gradient, np.full(surface.dim, np.nan), np.eye(surface.dim)
    curvatures, axes = np.linalg.eigh(matrix)
    return gradient, curvatures, axes


def _minimum_inside(scene: _Scene, u: np.ndarray) -> np.ndarray | None:
    """The declared minimum nearest to the middle of the box of these points, if one is inside."""
    count = sum(what == "minimum" for what, _ in scene.labels)
    minima = (scene.points[:, :count] - scene.centre[:, None]) / scene.span[:, None]
    low, high = u.min(axis=1)[:, None], u.max(axis=1)[:, None]
    inside = minima[:, ((low <= minima) & (minima <= high)).all(axis=0)]
    if not inside.size:
        return None
    nearest: np.ndarray = inside[:, np.abs(inside - (low + high) / 2.0).max(axis=0).argmin()]
    return nearest


def _quarters(values: np.ndarray) -> np.ndarray:
    """The maxima of the four quarters of a series; of fewer than four, zeros."""
    n = len(values)
    quarters: np.ndarray = (
        np.maximum.reduceat(values, [0, n // 4, n // 2, 3 * n // 4]) if n >= 4 else np.zeros(4)
    )
    return quarters


def _rising(values: np.ndarray) -> bool:
    return bool((np.diff(values) > 0.0).all())


def _since(holds: np.ndarray) -> int:
    """The first index from which a condition holds to the end; the length if it does not."""
    broken = np.flatnonzero(~holds)
    return int(broken[-1]) + 1 if broken.size else 0


def _last_lowest(losses: np.ndarray) -> int:
    return len(losses) - 1 - int(losses[::-1].argmin())


def _show(*numbers: float) -> str:
    shown = [f"{number + 0.0:.3g}" for number in numbers]
    return shown[0] if len(shown) == 1 else f"({', '.join(shown)})"


def _place(scene: _Scene, at: np.ndarray) -> str:
    """A point given in frame units, as text in the surface's own coordinates."""
    return _show(*(scene.centre + at * scene.span))
