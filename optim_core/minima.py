"""The local minima of a penalised loss F, found by Newton's method from many starts at once.

Where coordinates are not 0, F is smooth in them on the side of the axes where they are; where they
are 0 under L1, its subgradients must hold 0. So each start has a sign pattern: its own signs, or
some coordinates held at 0 (Andrew & Gao 2007, doi:10.1145/1273496.1273501, does so per orthant).

Points are (n, 2) throughout: in 1-D the second coordinate is a held 0.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from optim_core import kernels
from optim_core.outcome import NEAR
from optim_core.spec import Point, Surface

GRID = 24  # starts along each side of the frame
ROUNDS = 40  # steps from each of them, each a descent
POLISH = 8  # bare Newton steps after that
ROUGH, FINE = 1e-4, 1e-9  # of the frame's sides: a step so short has as good as arrived, or has
DOUBT = 1e-6  # of the largest curvature, or of l1: nearer to 0 than this, values around it decide
TURN = np.linspace(0.0, 2.0 * np.pi, 32, endpoint=False)
AROUND = {1: np.array([[-1.0], [1.0]]), 2: np.stack([np.cos(TURN), np.sin(TURN)], axis=1)}


class _Task(NamedTuple):
    """For each of n points the smooth problem of its sign pattern, continued across the axes."""

    surface: Surface  # f with the L2 penalty alone
    l1: float
    signs: np.ndarray  # (n, 2)
    free: np.ndarray  # (n, 2), which coordinates are not held

    def take(self, which: np.ndarray) -> _Task:
        return self._replace(signs=self.signs[which], free=self.free[which])

    def value(self, points: np.ndarray) -> np.ndarray:
        heights = kernels.evaluate(self.surface, "value", points[:, : self.surface.dim])
        heights += self.l1 * (self.signs * points).sum(axis=1)
        return heights

    def slopes(self, points: np.ndarray) -> np.ndarray:
        """The gradient (n, 2), 0 in coordinates that are held."""
        return np.where(self.free, _gradient(self.surface, points) + self.l1 * self.signs, 0.0)

    def bends(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The Hessian's f_xx, f_xy and f_yy, (n,) each, with 1 and 0 for what is held."""
        flat = kernels.evaluate(self.surface, "hessian", points[:, : self.surface.dim]).T
        x, y = self.free.T
        return (
            np.where(x, flat[0], 1.0),
            np.where(x & y, flat[len(flat) // 2], 0.0),
            np.where(y, flat[-1], 1.0),
        )


def _gradient(surface: Surface, points: np.ndarray) -> np.ndarray:
    slopes = np.zeros(points.shape)
    slopes[:, : surface.dim] = kernels.evaluate(surface, "gradient", points[:, : surface.dim])
    return slopes


def _curvatures(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lower and the higher eigenvalue of matrices (a b; b c)."""
    middle, spread = 0.5 * (a + c), np.hypot(0.5 * (a - c), b)
    return middle - spread, middle + spread


def _newton(task: _Task, points: np.ndarray, *, repelled: bool) -> np.ndarray:
    """H⁻¹ g (n, 2), or |H|⁻¹ g, which saddles repel (Dauphin et al. 2014, arXiv:1406.2572)."""
    slopes, (a, b, c) = task.slopes(points), task.bends(points)
    g, h = slopes.T
    if repelled:  # |H|⁻¹ = s H + t, by interpolation at the eigenvalues
        low, high = _curvatures(a, b, c)
        one, other = 1.0 / np.abs(low), 1.0 / np.abs(high)
        s = np.where(high > low, (other - one) / (high - low), 0.0)
        t = one - s * low
        x, y = (s * a + t) * g + s * b * h, s * b * g + (s * c + t) * h
    else:
        x, y = (c * g - b * h) / (a * c - b * b), (a * h - b * g) / (a * c - b * b)
    return np.where((slopes == 0.0).all(axis=1, keepdims=True), 0.0, np.stack([x, y], axis=1))


def _descend(task: _Task, points: np.ndarray, span: np.ndarray) -> tuple[_Task, np.ndarray]:
    """Where the points (n, 2) go, and the task of each: steps get shorter where F does not fall."""
    heights, radius = task.value(points), np.full(len(points), 0.125)
    tasks, ends = [], []
    for _ in range(ROUNDS):
        steps = _newton(task, points, repelled=True)
        size = np.abs(steps / span).max(axis=1)
        on = (size > ROUGH) & (radius > ROUGH)
        if not on.all():
            tasks.append(task.take(~on))
            ends.append(points[~on])
            task, points, steps = task.take(on), points[on], steps[on]
            heights, radius, size = heights[on], radius[on], size[on]
        if not len(points):
            break
        trial = points - steps * np.minimum(1.0, radius / size)[:, None]
        there = task.value(trial)
        falls = there < heights
        points = np.where(falls[:, None], trial, points)
        heights = np.where(falls, there, heights)
        radius = np.where(falls, 2.0 * radius, 0.25 * np.minimum(radius, size))
    tasks.append(task)
    signs, free = (np.concatenate([t[i] for t in tasks]) for i in (2, 3))
    return task._replace(signs=signs, free=free), np.concatenate([*ends, points])


def _starts(bare: Surface, held: bool) -> np.ndarray:
    """A grid in the frame and f's stationary points; with `held`, their feet on the axes too."""
    grid = np.meshgrid(*(np.linspace(low, high, GRID) for low, high in bare.domain))
    known = np.array([*bare.minima, *bare.saddles, *bare.maxima]).reshape(-1, bare.dim)
    points = np.concatenate([np.stack(grid).reshape(bare.dim, -1).T, known])
    points = np.pad(points, ((0, 0), (0, 2 - bare.dim)))
    if not held:
        return points
    x, y = (np.unique(np.append(column, 0.0)) for column in points.T)
    feet = [np.stack([x, 0.0 * x], axis=1), np.stack([0.0 * y, y], axis=1)]
    return np.concatenate([points, *feet])


def _arrive(bare: Surface, penalty: Point, span: np.ndarray) -> tuple[_Task, np.ndarray]:
    """Where the smooth problems have no slope, (n, 2), some more than once, and whose they are."""
    l1, l2, _ = penalty
    points = _starts(bare, l1 > 0.0)
    signs = np.sign(points) * (l1 > 0.0)
    free = ((signs != 0.0) | (l1 == 0.0)) & (np.arange(2) < bare.dim)
    task = _Task(replace(bare, penalty=(0.0, l2, 1.0)), l1, signs, free)
    task, points = _descend(task, points, span)
    cells = np.concatenate([task.signs, np.round(points / span / ROUGH)], axis=1)
    first = np.unique(cells, axis=0, return_index=True)[1]
    task, points = task.take(first), points[first]
    for _ in range(POLISH):
        steps = _newton(task, points, repelled=False)
        points = points - steps
    there = np.abs(steps / span).max(axis=1) <= FINE
    there &= (~task.free | (task.signs * points >= 0.0)).all(axis=1)
    return task.take(there), points[there]


def _lasting(surface: Surface, task: _Task, points: np.ndarray, span: np.ndarray) -> np.ndarray:
    """Those of the points where F is higher all around, and f's own kinks if it is around them."""
    l1, dim = task.l1, surface.dim
    low, high = _curvatures(*task.bends(points))
    pull = np.where(task.free, 0.0, np.abs(_gradient(task.surface, points))).max(axis=1)
    sure = (low > DOUBT * np.abs(high)) & (pull <= (1.0 - DOUBT) * l1)
    maybe = ~sure & (low >= -DOUBT * np.abs(high)) & (pull <= (1.0 + DOUBT) * l1)
    kinks = np.array(surface.kinks).reshape(-1, dim)

    def rises(point: np.ndarray) -> bool:
        ring = point + NEAR * span[:dim] * AROUND[dim]
        heights = kernels.evaluate(surface, "value", np.concatenate([point[None], ring]))
        return bool((heights[1:] > heights[0]).all())

    risen = [p for p in (*points[maybe, :dim], *kinks) if rises(p)]
    return np.concatenate([points[sure, :dim], np.array(risen).reshape(-1, dim)]) + 0.0


def find(bare: Surface, penalty: Point) -> tuple[Point, ...]:
    """The minima of f with a penalty, in order of their coordinates.

    bare: f, without penalty. penalty: the values of PENALTY. Those beyond the frame are left out
    if there is one inside; of two nearer than 2 NEAR, which no run tells apart, the lower is kept.
    """
    surface = replace(bare, penalty=penalty)
    low, high = np.array(bare.domain).T
    span = high - low
    with np.errstate(all="ignore"):
        padded = np.append(span, np.ones(2 - bare.dim))
        points = _lasting(surface, *_arrive(bare, penalty, padded), padded)
        inside = ((low <= points) & (points <= high)).all(axis=1)
        points = points[inside] if inside.any() else points
        points = points[np.argsort(kernels.evaluate(surface, "value", points), kind="stable")]
    kept = []
    while len(points):
        kept.append(tuple(points[0].tolist()))
        points = points[np.abs((points - points[0]) / span).max(axis=1) > 2.0 * NEAR]
    return tuple(sorted(kept))
