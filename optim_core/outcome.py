"""Why a run ended: one of seven outcomes, told from its recorded positions and losses.

Lengths are in frame units; see framed.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from optim_core import kernels, motion
from optim_core.framed import DUST, Framed, framed
from optim_core.framed import NEAR as NEAR
from optim_core.motion import LastStep
from optim_core.spec import Surface
from optim_core.words import show, show_apart

SAME = 1e-6  # a cycle returns to where it was within this share of its width
CLOSE = 1e-4  # rows this near, of the width, that come nearer by SHRINKS, will be the same
SHRINKS = 0.99
FAINT = 1e-10  # a narrower cycle is at a point
LONGEST = 64  # steps; the longest period looked for
AWAY = 64  # steps; as many of the last are looked at for whether they lead away…
FEWEST = 6  # …a tenth of the run, but no fewer must do so
FLUNG = 5.0  # so far from the frame's centre…
FLIGHT = 4  # …so many steps are enough
WIDE = 10.0  # times NEAR, in frame sides: a rate that surely leads farther away than NEAR
BEYOND = 1.1  # times its limit a rate is surely beyond it: P changes from step to step


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    undefined: without noise, a coordinate is not a number where its gradient was exactly 0: the
        step divided 0 by 0.
    diverged: else a row is not finite; or the run is outside the frame at its end, and each of
        its last steps, a tenth of them but FEWEST to AWAY, was longer than the one before, led
        farther out, and raised the loss by more. FLIGHT are enough where it is FLUNG out.
    cycle: without noise, the last three periods repeat each other to within SAME. Of two periods
        it is the shorter one if rows that far apart are CLOSE and still getting closer.
    minimum: it is within NEAR of a declared minimum, or of a point where Newton's method finds
        no gradient and only positive curvature; it has been there for a fiftieth of the run
        (a tenth under noise), at least 10 steps (half of a shorter run); and it is not moving
        away from it from quarter to quarter of that time. It may leave later.
    saddle: the same with a negative curvature, and not moving away along it; maxima too.
    plateau: its path over the second half of the run is shorter than NEAR, or over its last tenth
        than a thousandth of that, and not because its rate or effective rate is small or a decay
        balances the gradient, but because it is flat there.
    moving: none of these.
    """

    kind: Literal["minimum", "saddle", "plateau", "cycle", "diverged", "undefined", "moving"]
    step: int | None  # since when; its first row that is not finite, if any
    reason: str  # one sentence, with the numbers
    period: int | None = None  # of a cycle, in steps
    rise_step: int | None = None  # of a divergence: the loss was never again as low as here
    target: int | None = None  # index into the surface's minima or saddles, if it is declared


def stay(steps: int, *, noisy: bool) -> int:
    """How many steps a run must have been at a point to be said to rest there; see Outcome."""
    return max(min(10, (steps + 1) // 2), steps // (10 if noisy else 50))


def climb(steps: int) -> int:
    """How many steps must lead away ever faster; see Outcome."""
    return max(FEWEST, min(AWAY, steps // 10))


def judge(
    surface: Surface,
    positions: np.ndarray,
    losses: np.ndarray,
    *,
    noisy: bool,
    last: LastStep | None = None,
) -> Outcome:
    """Judge a run of T ≥ 1 steps from its positions (T + 1, d) and losses (T + 1,).

    noisy: the gradients had noise; no cycle is claimed then, and a drift is taken for chance.
    last: its last step, without which no reason is given for a run that hardly moves.
    """
    with np.errstate(all="ignore"):
        finite = np.isfinite(losses) & np.isfinite(positions).all(axis=1)
        if not finite.all():
            step = int(finite.argmin())
            by_zero = None if noisy else _by_zero(surface, positions, step)
            return by_zero or _overflowed(losses, step)
        f = framed(surface)
        u = f.units(positions)
        return (
            (None if noisy else _cycle(f, positions, u, losses))
            or _diverging(f, positions, u, losses)
            or _at_rest(f, positions, u, losses, noisy, last)
            or _still(f, positions, u, last)
            or Outcome("moving", None, motion.describe(f, positions, u, losses, noisy=noisy))
        )


def _by_zero(surface: Surface, positions: np.ndarray, step: int) -> Outcome | None:
    if step == 0:
        return None
    before = positions[step - 1 : step]
    gradient = kernels.evaluate(surface, "gradient", before)[0]
    lost = np.isnan(positions[step]) & (gradient == 0.0)
    if not lost.any():
        return None
    along = "" if surface.dim == 1 else f" along {' and '.join(np.array(['x', 'y'])[lost])}"
    reason = (
        f"Step {step} divided 0 by 0: at {show(*before[0])} the gradient{along} is exactly 0, "
        "and so is what the method divides it by."
    )
    return Outcome("undefined", step, reason)


def _overflowed(losses: np.ndarray, step: int) -> Outcome:
    if step == 0:
        return Outcome("diverged", 0, "The loss already overflows at the start.")
    if losses[step] == -np.inf:
        reason = f"The loss fell without end and overflowed at step {step}."
        return Outcome("diverged", step, reason)
    low = _last_lowest(losses[:step])
    since = f"its loss was never again as low as at step {low}, {show(losses[low])}"
    if low == step - 1:
        since = f"one step before its loss was {show(losses[low])}"
    return Outcome("diverged", step, f"It overflowed at step {step}; {since}.", rise_step=low)


def _diverging(
    f: Framed, positions: np.ndarray, u: np.ndarray, losses: np.ndarray
) -> Outcome | None:
    if f.holds(positions[-1]):
        return None
    far = np.abs(u[:, -AWAY - 2 :]).max(axis=0)
    length = np.abs(np.diff(u[:, -AWAY - 2 :])).max(axis=0)
    rise = np.diff(losses[-AWAY - 2 :])
    leads = (np.diff(far) > 0.0) & (rise > 0.0)
    faster = leads[1:] & (np.diff(length) > 0.0) & (np.diff(rise) > 0.0)
    count = len(faster) - _since(faster)
    if not (count >= climb(len(losses) - 1) or (count >= FLIGHT and far[-1] >= FLUNG)):
        return None
    rise_step = _last_lowest(losses)
    now, then = show_apart(float(losses[-1]), float(losses[rise_step]))
    reason = (
        f"It is outside the frame, at {show(*positions[-1])}, and gets away ever faster: its loss "
        f"is {now} and was never again as low as at step {rise_step}, {then}."
    )
    return Outcome("diverged", None, reason, rise_step=rise_step)


def _cycle(f: Framed, positions: np.ndarray, u: np.ndarray, losses: np.ndarray) -> Outcome | None:
    back = u[:, : -LONGEST - 2 : -1]  # the last rows, from the end
    widths = np.maximum.accumulate(back, axis=1) - np.minimum.accumulate(back, axis=1)
    width = widths[:, :-1].max(axis=0)  # of the last q rows, for q = 1, 2…
    gap = np.abs(back[:, 1:] - back[:, :1]).max(axis=0)  # between the end and q rows before
    clear = width > max(FAINT, DUST * np.abs(u[:, -1]).max())
    for q in (np.flatnonzero(clear & (gap <= SAME * width)) + 1).tolist():
        repeats = np.abs(u[:, q:] - u[:, :-q]).max(axis=0) <= SAME * width[q - 1]
        step = _since(repeats)
        if len(repeats) - step >= 2 * q:
            period = _shortest(u, q, width[q - 1])
            lap = u[:, -q:]
            apart = np.abs(lap[:, :, None] - lap[:, None, :]).max(axis=0)
            ends = np.unravel_index(apart.argmax(), apart.shape)
            one, other = show_apart(*(positions[i - q].tolist() for i in ends))
            minimum = f.encircled(lap)
            around = "" if minimum is None else f" around the minimum at {f.show(minimum)}"
            reason = (
                f"From step {step} on it repeats itself every {period} steps{around}, between "
                f"{one} and {other}, and the lowest loss there is {show(losses[-q:].min())}."
            )
            return Outcome("cycle", step, reason, period=period)
    return None


def _shortest(u: np.ndarray, q: int, width: float) -> int:
    """The period that a run is coming to whose rows q apart are already the same."""
    for d in (d for d in range(2, q) if q % d == 0):
        gap = np.abs(u[:, d:] - u[:, :-d]).max(axis=0)
        before, now = gap[-2 * q : -q].max(), gap[-q:].max()
        if now <= CLOSE * width and now <= SHRINKS * before:
            return d
    return q


def _at_rest(
    f: Framed,
    positions: np.ndarray,
    u: np.ndarray,
    losses: np.ndarray,
    noisy: bool,
    last: LastStep | None,
) -> Outcome | None:
    found = f.stationary(u[:, -1])
    if found is None:
        return None
    what, index, at = found
    steps, away = len(losses) - 1, np.abs(u - at[:, None])
    step = _since(away.max(axis=0) <= NEAR)
    name = f"the {what} at {f.show(at)}"
    # whoever crosses the frame at a constant pace is within NEAR for 1/500 of the time
    if steps - step < stay(steps, noisy=noisy):
        reason = f"It came to {name} only at step {step}, too late to tell whether it stays."
        return Outcome("moving", None, reason)
    drift, falls = away[:, step:].max(axis=0), "on every side"
    if what == "saddle":
        axis = f.shape(at)[2][:, 0]
        drift = np.abs(axis @ (u[:, step:] - at[:, None]))
        falls = f"along {show(*(axis * f.span[:, 0] / np.hypot(*(axis * f.span[:, 0]))))}"
    quarters = _quarters(drift)
    if not noisy and quarters[-1] > DUST and _rising(quarters):
        there, here = show_apart(f.own(at).tolist(), positions[-1].tolist())
        reason = f"It is moving away from the {what} at {there} and is now at {here}."
        return Outcome("moving", None, reason)
    within = f"It has been within 0.1 % of the frame's side of {name} since step {step}"
    if what == "minimum":
        leaving = "" if index is None else _leaving(f, index, positions[-1], last)
        end = show(*positions[-1])
        reason = f"{within}, and ends at {end} with loss {show(losses[-1])}{leaving}."
        return Outcome("minimum", step, reason, target=index)
    reason = f"{within}: the gradient is zero there, though the surface falls away {falls}."
    return Outcome("saddle", step, reason, target=index if what == "saddle" else None)


def _leaving(f: Framed, index: int, end: np.ndarray, last: LastStep | None) -> str:
    """What to add of a minimum at which the last rate is beyond its limit, or nothing."""
    place = f.surface.minima[index]
    if last is None or place in f.surface.kinks:
        return ""
    at, rate = np.array(place), float(last.rates[-1])
    found = last.limit(f.hessian(at), end - at)
    if found is None:
        return ""
    limit, grows = found
    if rate <= BEYOND * limit or (np.abs(grows) <= DUST * f.span[:, 0]).all():
        return ""
    # a method that divides by the gradient's size swings about as wide as its rate
    if last.optimizer.preconditioner is not None and rate <= WIDE * NEAR * f.span.max():
        return ""
    return (
        f"; its rate, {show(rate)}, is beyond the limit there now, {show(limit)}, and at such a "
        "rate it will not stay"
    )


def _still(
    f: Framed, positions: np.ndarray, u: np.ndarray, last: LastStep | None
) -> Outcome | None:
    found = motion.still(f, positions, u, last)
    if found is None:
        return None
    is_plateau, step, reason = found
    return Outcome("plateau", step, reason) if is_plateau else Outcome("moving", None, reason)


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
