"""What a run is doing that has come to no end: it hardly moves, falls, climbs, swings or jumps.

Positions are (T + 1, d), and u (d, T + 1) the same in frame units; see framed.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from optim_core.framed import DUST, NEAR, Framed
from optim_core.spec import Optimizer, Point
from optim_core.words import show, show_apart

STILL = 1e-3  # of NEAR: who moves by less in the last tenth of a run has stopped
FLAT = 2e-2  # of the steepest slope in the frame; a plateau is flatter…
REACH = 5e-2  # …even this far to its sides…
AHEAD = 0.5  # …and at its slope a whole frame leads down less than this much of what is left
CRAWL = 10.0  # times NEAR: a run that would get no farther on the steepest ground is too slow
FALLEN = 1e-2  # a rate that has fallen below this share of its highest has been brought down
BALANCE = 0.1  # a step this much shorter than its decay alone is balanced by the gradient
TREND = 1e-2  # a swing narrower or wider by less is neither


class LastStep(NamedTuple):
    """What the last step of a run was made with; n slots in d dimensions."""

    optimizer: Optimizer
    rates: np.ndarray  # (T,); the rate of each step
    h: Point  # the hyperparameters of the last step
    k: Point  # the clock after it
    gradient: np.ndarray  # (d,)
    before: np.ndarray  # (n, d); the slots before the step
    after: np.ndarray  # (n, d)

    def effective(self) -> np.ndarray:
        """By what each coordinate's step is longer than a steady gradient, (d,)."""
        slots = self.after.T.tolist()
        return np.array([self.optimizer.reach(tuple(s), self.h, self.k) for s in slots])

    def scale(self) -> np.ndarray:
        """P (d,), which the step was divided by; 1 for a method without."""
        own, slots = self.optimizer.preconditioner, self.after.T.tolist()
        if own is None:
            return np.ones(len(slots))
        return np.array([own(tuple(s), self.h, self.k) for s in slots])

    def limit(self, hessian: np.ndarray, error: np.ndarray) -> tuple[float, np.ndarray] | None:
        """The largest stable lr for a Hessian (d, d), with P as it is; None without a formula.

        And the part of an error (d,) that a larger lr makes longer.
        """
        method, root = self.optimizer, np.sqrt(self.scale())
        matrix = hessian / np.outer(root, root)
        if method.limit is None or not np.isfinite(matrix).all():
            return None
        values, axes = np.linalg.eigh(matrix)
        top, axis = float(values[-1]), axes[:, -1]
        if not top > 0.0:
            return None
        return method.limit(top, self.h), axis @ (root * error) * axis / root

    def is_balanced(self, position: np.ndarray) -> bool:
        """Whether a decay, which moves a coordinate by a share of itself, meets its opposite.

        Without one a rule's step does not depend on the position.
        """
        rule, whole, own = self.optimizer.rule, [], []
        for p, g, s in zip(position.tolist(), self.gradient.tolist(), self.before.T, strict=True):
            there, origin = (rule(x, g, tuple(s), self.h, self.k)[0] for x in (p, 0.0))
            whole.append(abs(there - p))
            own.append(abs(there - p - origin))
        size = float(np.abs(position).max())
        return bool(max(own) > max(max(whole) / BALANCE, DUST * size))


def lately(steps: int) -> int:
    """How many of its last steps a run is described by."""
    return min(steps, max(10, steps // 10))


def still(
    f: Framed, positions: np.ndarray, u: np.ndarray, last: LastStep | None
) -> tuple[bool, int, str] | None:
    """Of a run that hardly moves: whether it is on a plateau, since when it stands, a sentence."""
    path = np.cumsum(np.abs(np.diff(u)).max(axis=0)[::-1])[::-1]  # from each row to the end
    count, steps = lately(len(path)), len(path)
    bound = NEAR if path[steps // 2] <= NEAR else STILL * NEAR
    if path[(steps // 2) if bound == NEAR else -count] > bound:
        return None
    step = int((path > bound).sum())
    end = u[:, -1]
    gradient, curvatures, _ = f.shape(end)
    steep, bent = np.abs(gradient).max(), np.abs(curvatures).max()
    flat = steep + REACH * bent <= FLAT * f.steepest
    if f.surface.best is not None:
        flat &= steep <= AHEAD * (f.surface.loss(*positions[-1]) - f.surface.best)
    why = "its steps are tiny" if last is None else _cause(f, positions[-2], last, steps - step)
    is_plateau = bool(flat) and (last is None or why is None)
    here = f"It has hardly moved since step {step} and is at {show(*positions[-1])}"
    slope = show(f.slope(end))
    if is_plateau:
        return (
            True,
            step,
            f"{here}: a flat place, where the gradient's norm is {slope}, but no minimum.",
        )
    if why is None:
        length = float(np.linalg.norm(positions[-1] - positions[-2]))
        why = f"its last step was {show(length)} long"
    return False, step, f"{here}, where the gradient's norm is {slope}: {why}."


def _cause(f: Framed, before: np.ndarray, last: LastStep, count: int) -> str | None:
    """Why the last `count` steps were short, if the ground is not the reason."""
    if last.is_balanced(before):
        return "weight decay balances the gradient there"
    rate, highest = float(last.rates[-1]), float(last.rates.max())
    summed = float((last.rates[-count:] / rate).sum())
    # how far these steps would have led on the steepest ground, and at the most
    effective = float(last.effective().max())
    steep = effective * summed * f.stride
    most = np.inf
    if last.optimizer.preconditioner is not None:
        most = rate * summed / float(f.span.min())
    if min(steep, most) > CRAWL * NEAR:
        return None
    if rate < FALLEN * highest:
        return f"its rate has come down from {show(highest)} to {show(rate)}"
    if most <= CRAWL * NEAR or last.optimizer.preconditioner is None:
        return f"its rate, {show(rate)}, is too small to get anywhere"
    return f"its effective rate, η/P, is only {show(rate / float(last.scale().min()))}"


def describe(
    f: Framed, positions: np.ndarray, u: np.ndarray, losses: np.ndarray, *, noisy: bool
) -> str:
    """One sentence on the last steps of a run that still moves."""
    count = lately(len(losses) - 1)
    tail, recent = losses[-count - 1 :], u[:, -count - 1 :]
    change, minimum = np.diff(tail), f.encircled(recent)
    then, now = show_apart(float(tail[0]), float(tail[-1]))
    over = f"in the last {count} steps its loss" if count > 1 else "in its only step the loss"
    is_out = not f.holds(positions[-1])
    it = f"It is outside the frame, at {show(*positions[-1])}, and" if is_out else "It"
    # of a swing whose ends look alike its being one says more than its direction
    is_swing = minimum is not None and _turns(recent) >= 2 and show(tail[0]) == show(tail[-1])
    if (change <= 0.0).all() and tail[-1] < tail[0] and not is_swing:
        endless = "; this surface has no known minimum" if is_out and not f.surface.minima else ""
        return f"{it} is still going downhill: {over} fell from {then} to {now}{endless}."
    if (change >= 0.0).all() and tail[-1] > tail[0] and not is_swing:
        return f"{it} is going uphill: {over} rose from {then} to {now}."
    if (change == 0.0).all():
        lay = f"stayed at {then}"
    else:
        low, high = show_apart(float(tail.min()), float(tail.max()))
        lay = f"was between {low} and {high}"
    return f"{it} {_gait(f, recent, tail, minimum, noisy=noisy)}: {over} {lay}."


def _gait(
    f: Framed, recent: np.ndarray, tail: np.ndarray, minimum: np.ndarray | None, *, noisy: bool
) -> str:
    """How a run of neither falling nor rising loss moves, as a verb with what belongs to it."""
    if _turns(recent) < 2:
        return "is still on its way"
    moves = np.diff(recent)
    backward = (moves[:, 1:] * moves[:, :-1]).sum(axis=0) < 0.0
    gait = "jumps about" if backward.mean() >= 0.25 else "swings to and fro"
    if minimum is not None:
        gait = f"swings around the minimum at {f.show(minimum)}"
    half = len(tail) // 2
    early, late = (recent[:, : half + 1], tail[: half + 1]), (recent[:, half:], tail[half:])
    if noisy or min(_turns(early[0]), _turns(late[0])) < 2:
        return gait
    wider = np.ptp(late[0], axis=1).max() / np.ptp(early[0], axis=1).max() - 1.0
    higher = late[1].max() - early[1].max()
    if wider < -TREND and higher < 0.0:
        return f"{gait}, calming down"
    if wider > TREND and higher > 0.0:
        return f"{gait}, ever wider"
    return f"{gait}, without settling"


def _turns(u: np.ndarray) -> int:
    """How often one of the coordinates that move most changes its direction."""
    moves = np.diff(u)
    lengths = np.abs(moves).sum(axis=1)
    most = 0
    for row in moves[lengths >= 0.1 * lengths.max()]:
        signs = np.sign(row[np.abs(row) > DUST])
        most = max(most, int((signs[1:] != signs[:-1]).sum()))
    return most
