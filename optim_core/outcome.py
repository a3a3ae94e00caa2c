"""Why a run ended: one of six outcomes, told from its recorded positions and losses.

Lengths are in frame units: each coordinate, from the frame's centre, is divided by the frame's
side, so that the frame is |u| ≤ 1/2, and the length of a vector is its largest coordinate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from optim_core import kernels
from optim_core.spec import Surface

NEAR = 1e-3  # a run no farther than this from a point is at the point
SAME = 1e-6  # a cycle returns to where it was within this share of its width
FAINT = 1e-10  # a narrower cycle is at a point
DUST = 1e-12  # drifting by less is rounding
FLAT = 2e-2  # of the steepest slope in the frame; a plateau is flatter…
REACH = 5e-2  # …even this far to its sides
LONGEST = 64  # steps; the longest period looked for


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    diverged: a row is not finite; or the run is outside the frame and gets farther away from
        quarter to quarter of the run, ever faster, with an ever larger loss.
    cycle: without noise, the last three periods repeat each other to within SAME.
    minimum: it is within NEAR of a declared minimum, or of a point where Newton's method finds
        no gradient and only positive curvature; it has been there for a fiftieth of the run
        (a tenth under noise), at least 10 steps (half of a shorter run); and it is not moving
        away from it from quarter to quarter of that time.
    saddle: the same with a negative curvature, and not moving away along it; maxima too.
    plateau: its path over the second half of the run is shorter than NEAR, and it is flat there.
    moving: none of these.
    """

    kind: Literal["minimum", "saddle", "plateau", "cycle", "diverged", "moving"]
    step: int | None  # since when; of a divergence its first row that is not finite, if any
    reason: str  # one sentence, with the numbers
    period: int | None = None  # of a cycle, in steps
    rise_step: int | None = None  # of a divergence: the loss was never again as low as here
    target: int | None = None  # index into the surface's minima or saddles, if it is declared


class _Scene(NamedTuple):
    """A surface in frame units: d coordinates, k declared points, minima first."""

    surface: Surface
    centre: np.ndarray  # (d, 1), in the surface's own units, as is the next
    span: np.ndarray  # (d, 1)
    steepest: float  # slope on a grid in the frame, loss per frame side
    points: np.ndarray  # (d, k)
    labels: tuple[tuple[str, int], ...]  # (k,); "minimum", "saddle" or "maximum", and its index

    def show(self, at: np.ndarray) -> str:
        """A point (d,) as text, in the surface's own coordinates."""
        return _show(*(self.centre[:, 0] + self.span[:, 0] * at))

    def shape(self, at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Gradient (d,), curvatures (d,) from the lowest up, and their axes (d, d), at (d,)."""
        point = (self.centre + self.span * at[:, None]).T
        gradient = kernels.evaluate(self.surface, "gradient", point)[0] * self.span[:, 0]
        hessian = kernels.evaluate(self.surface, "hessian", point)[0]
        matrix = hessian[[[0]] if self.surface.dim == 1 else [[0, 1], [1, 2]]]
        matrix = matrix * self.span * self.span.T
        if not np.isfinite(matrix).all():  # which some builds of LAPACK refuse
            return gradient, np.full(len(at), np.nan), np.eye(len(at))
        return gradient, *np.linalg.eigh(matrix)

    def encircled(self, u: np.ndarray) -> np.ndarray | None:
        """The declared minimum nearest to the middle of the box around points (d, n), if inside."""
        minima = self.points[:, : len(self.surface.minima)]
        low, high = u.min(axis=1, keepdims=True), u.max(axis=1, keepdims=True)
        off_centre = np.abs(minima - (low + high) / 2.0)
        inside = (off_centre <= (high - low) / 2.0).all(axis=0)
        i = int(np.where(inside, off_centre.max(axis=0), np.inf).argmin()) if inside.any() else -1
        return minima[:, i] if i >= 0 else None


@lru_cache(maxsize=256)
def _scene(surface: Surface) -> _Scene:
    low, high = np.array(surface.domain).T
    grid = np.stack(np.meshgrid(*np.linspace(low, high, 33).T)).reshape(surface.dim, -1).T
    surface = replace(surface, penalty=(*surface.penalty[:2], 0.0))  # L1 is in its gradient
    slopes = kernels.evaluate(surface, "gradient", grid) * (high - low)
    known = {"minimum": surface.minima, "saddle": surface.saddles, "maximum": surface.maxima}
    points = np.array([p for each in known.values() for p in each]).reshape(-1, surface.dim)
    return _Scene(
        surface=surface,
        centre=(low + high)[:, None] / 2.0,
        span=(high - low)[:, None],
        steepest=float(np.abs(slopes).max()),
        points=((points - (low + high) / 2.0) / (high - low)).T,
        labels=tuple((what, i) for what, each in known.items() for i in range(len(each))),
    )


def stay(steps: int, *, noisy: bool) -> int:
    """How many steps a run must have been at a point to be said to rest there; see Outcome."""
    return max(min(10, (steps + 1) // 2), steps // (10 if noisy else 50))


def judge(surface: Surface, positions: np.ndarray, losses: np.ndarray, *, noisy: bool) -> Outcome:
    """Judge a run of T ≥ 1 steps from its positions (T + 1, d) and losses (T + 1,).

    noisy: the gradients had noise; no cycle is claimed then, and a drift is taken for chance.
    """
    with np.errstate(all="ignore"):
        finite = np.isfinite(losses) & np.isfinite(positions).all(axis=1)
        if not finite.all():
            return _overflowed(losses, int(finite.argmin()))
        scene = _scene(surface)
        u = (np.ascontiguousarray(positions.T) - scene.centre) / scene.span
        return (
            (None if noisy else _cycle(scene, u, losses))
            or _diverging(scene, u, losses)
            or _at_rest(scene, u, losses, noisy)
            or _hardly_moving(scene, u)
            or _moving(scene, u, losses)
        )


def _overflowed(losses: np.ndarray, step: int) -> Outcome:
    low, rise = _last_lowest(losses[:step]) if step else 0, None
    if step == 0:
        reason = "The start is so far out that its loss already left the floats."
    elif losses[step] == -np.inf:
        reason = f"The loss fell without end and left the floats at step {step}."
    elif low == step - 1 and np.isnan(losses[step]):
        reason = f"Step {step} is not a number: it divided zero by zero, or overflowed."
    else:
        rise = low
        reason = (
            f"It left the floats at step {step}, and its loss was never again "
            f"as low as at step {low}, {_show(losses[low])}."
        )
    return Outcome("diverged", step, reason, rise_step=rise)


def _diverging(scene: _Scene, u: np.ndarray, losses: np.ndarray) -> Outcome | None:
    far = _quarters(np.abs(u).max(axis=0))
    # an overshoot leaves the frame too, but slows down
    if not (
        far[-1] > 0.5 and _rising(far) and _rising(np.diff(far)) and _rising(_quarters(losses))
    ):
        return None
    low = _last_lowest(losses)
    reason = (
        f"It is outside the frame, at {scene.show(u[:, -1])}, and gets away ever faster: its loss "
        f"is {_show(losses[-1])} and was never again as low as at step {low}, {_show(losses[low])}."
    )
    return Outcome("diverged", None, reason, rise_step=low)


def _cycle(scene: _Scene, u: np.ndarray, losses: np.ndarray) -> Outcome | None:
    back = u[:, : -LONGEST - 2 : -1]  # the last rows, from the end
    widths = np.maximum.accumulate(back, axis=1) - np.minimum.accumulate(back, axis=1)
    width = widths[:, :-1].max(axis=0)  # of the last q rows, for q = 1, 2…
    gap = np.abs(back[:, 1:] - back[:, :1]).max(axis=0)  # between the end and q rows before
    clear = width > max(FAINT, DUST * np.abs(u[:, -1]).max())
    for q in (np.flatnonzero(clear & (gap <= SAME * width)) + 1).tolist():
        repeats = np.abs(u[:, q:] - u[:, :-q]).max(axis=0) <= SAME * width[q - 1]
        step = _since(repeats)
        if len(repeats) - step >= 2 * q:
            minimum = scene.encircled(u[:, -q:])
            around = "" if minimum is None else f" around the minimum at {scene.show(minimum)}"
            reason = (
                f"From step {step} on it repeats itself every {q} steps{around}, between "
                f"{scene.show(u[:, -1])} and {scene.show(u[:, -1 - q // 2])}, and its loss never "
                f"gets below {_show(losses[-q:].min())}."
            )
            return Outcome("cycle", step, reason, period=q)
    return None


def _at_rest(scene: _Scene, u: np.ndarray, losses: np.ndarray, noisy: bool) -> Outcome | None:
    found = _stationary(scene, u[:, -1])
    if found is None:
        return None
    what, index, at = found
    steps, away = len(losses) - 1, np.abs(u - at[:, None])
    step = _since(away.max(axis=0) <= NEAR)
    name, here = f"the {what} at {scene.show(at)}", scene.show(u[:, -1])
    # whoever crosses the frame at a constant pace is within NEAR for 1/500 of the time
    if steps - step < stay(steps, noisy=noisy):
        reason = f"It came to {name} at step {step}, too late to tell whether it stays."
        return Outcome("moving", None, reason)
    drift, falls = away[:, step:].max(axis=0), "on every side"
    if what == "saddle":
        axis = scene.shape(at)[2][:, 0]
        drift = np.abs(axis @ (u[:, step:] - at[:, None]))
        falls = f"along {_show(*(axis * scene.span[:, 0] / np.hypot(*(axis * scene.span[:, 0]))))}"
    quarters = _quarters(drift)
    if not noisy and quarters[-1] > DUST and _rising(quarters):
        return Outcome("moving", None, f"It is moving away from {name} and is now at {here}.")
    if what == "minimum":
        reason = f"It reached {name} at step {step} and ends at {here}, loss {_show(losses[-1])}."
        return Outcome("minimum", step, reason, target=index)
    reason = (
        f"It has stood on {name} since step {step}: the gradient is zero there, "
        f"though the surface falls away {falls}."
    )
    return Outcome("saddle", step, reason, target=index if what == "saddle" else None)


def _stationary(scene: _Scene, end: np.ndarray) -> tuple[str, int | None, np.ndarray] | None:
    """What is within NEAR of the end, its index if it is declared, and where it is, (d,)."""
    gaps = np.abs(scene.points - end[:, None]).max(axis=0)
    if gaps.size and gaps.min() <= NEAR:
        i = int(gaps.argmin())
        return *scene.labels[i], scene.points[:, i]
    at, sizes = end, []
    for _ in range(3):
        gradient, curvatures, axes = scene.shape(at)
        newton = axes @ ((axes.T @ gradient) / curvatures)
        at = at - newton
        sizes.append(np.abs(newton).max())
        if not np.abs(at - end).max() <= NEAR:
            return None
    # on a flat tail Newton's steps are short too, but do not get shorter
    if not sizes[-1] <= max(DUST, 0.01 * sizes[0]):
        return None
    bent = "minimum" if curvatures[0] > 0.0 else "maximum" if curvatures[-1] < 0.0 else "saddle"
    return bent, None, at


def _hardly_moving(scene: _Scene, u: np.ndarray) -> Outcome | None:
    left = np.cumsum(np.abs(np.diff(u)).max(axis=0)[::-1])[::-1]  # path from each row to the end
    step = _since(left <= NEAR)
    if 2 * step > len(left):
        return None
    gradient, curvatures, _ = scene.shape(u[:, -1])
    slope = np.abs(gradient).max()
    flat = slope + REACH * np.abs(curvatures).max() <= FLAT * scene.steepest
    reason = (
        f"It has hardly moved since step {step} and is at {scene.show(u[:, -1])}, where the slope "
        f"is {_show(100.0 * slope / scene.steepest)} % of the frame's steepest: "
    )
    if flat:
        return Outcome("plateau", step, reason + "a flat place, but no minimum.")
    return Outcome("moving", None, reason + "its steps are too small, or weight decay holds it.")


def _moving(scene: _Scene, u: np.ndarray, losses: np.ndarray) -> Outcome:
    count = min(len(losses) - 1, max(10, (len(losses) - 1) // 10))
    tail = losses[-count - 1 :]
    change, half = np.diff(tail), len(tail) // 2
    then, now, low, high = (_show(x) for x in (tail[0], tail[-1], tail.min(), tail.max()))
    minimum = scene.encircled(u[:, -count - 1 :])
    lately = f"in the last {count} steps its loss" if count > 1 else "in one step its loss"
    if not scene.surface.minima and tail[-1] < tail[0] and np.abs(u[:, -1]).max() > 0.5:
        here = scene.show(u[:, -1])
        reason = f"It is outside the frame, at {here}, and falls on: this surface has no bottom."
    elif (change <= 0.0).all() and tail[-1] < tail[0] and (now != then or minimum is None):
        reason = f"It is still going downhill: {lately} fell from {then} to {now}."
    elif (change >= 0.0).all() and tail[-1] > tail[0] and (now != then or minimum is None):
        reason = f"It is going uphill: {lately} rose from {then} to {now}."
    else:
        calmer = tail[:half].max() - tail[half:].max() > 0.01 * np.abs(tail[:half]).max()
        around = "" if minimum is None else f"swings around the minimum at {scene.show(minimum)}"
        trend = "calming down" if calmer else "without settling"
        reason = f"It {around or 'jumps about'}, {trend}: {lately} was between {low} and {high}."
    return Outcome("moving", None, reason)


def _quarters(values: np.ndarray) -> np.ndarray:
    """The maxima of the four quarters of a series (n,); zeros if it is shorter than 4."""
    n = len(values)
    starts = [0, n // 4, n // 2, 3 * n // 4]
    return np.maximum.reduceat(values, starts) if n >= 4 else np.zeros(4)


def _rising(values: np.ndarray) -> bool:
    return bool((np.diff(values) > 0.0).all())


def _since(holds: np.ndarray) -> int:
    """The first index from which a condition (n,) holds to the end; n if it does not."""
    broken = np.flatnonzero(~holds)
    return int(broken[-1]) + 1 if broken.size else 0


def _last_lowest(losses: np.ndarray) -> int:
    return len(losses) - 1 - int(losses[::-1].argmin())


def _show(*numbers: float) -> str:
    """A number, or a point, to three digits; adding 0.0 makes −0 a 0."""
    shown = ", ".join(f"{number + 0.0:.3g}" for number in numbers)
    return shown if len(numbers) == 1 else f"({shown})"
