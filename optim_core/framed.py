"""A surface in frame units: each coordinate, from the frame's centre, divided by the frame's side.

The frame is then |u| ≤ 1/2, and the length of a vector is its largest coordinate.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from optim_core import kernels
from optim_core.spec import Surface
from optim_core.words import show

NEAR = 1e-3  # a run no farther than this from a point is at the point
DUST = 1e-12  # less is rounding
ROUNDED = 4e-16  # of the frame's side; what going to frame units and back leaves of a 0


class Framed(NamedTuple):
    """A surface in frame units: d coordinates, k declared points, minima first."""

    surface: Surface
    centre: np.ndarray  # (d, 1), in the surface's own units, as is the next
    span: np.ndarray  # (d, 1)
    steepest: float  # slope on a grid in the frame, loss per frame side
    stride: float  # the longest step of gradient descent there, in frame sides per lr
    points: np.ndarray  # (d, k)
    labels: tuple[tuple[str, int], ...]  # (k,); "minimum", "saddle" or "maximum", and its index

    def units(self, positions: np.ndarray) -> np.ndarray:
        """Positions (n, d) in frame units, (d, n)."""
        units: np.ndarray = (np.ascontiguousarray(positions.T) - self.centre) / self.span
        return units

    def holds(self, point: np.ndarray) -> bool:
        """Whether a point (d,), in the surface's own units, is in the frame."""
        low, high = np.array(self.surface.domain).T
        return bool(((low <= point) & (point <= high)).all())

    def own(self, at: np.ndarray) -> np.ndarray:
        """A point (d,) in the surface's own coordinates."""
        place: np.ndarray = self.centre[:, 0] + self.span[:, 0] * at
        return place

    def show(self, at: np.ndarray) -> str:
        return show(*self.own(at))

    def shape(self, at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Gradient (d,), curvatures (d,) from the lowest up, and their axes (d, d), at (d,).

        Where L1 has a kink it is the subgradient nearest to 0, and the curvature across is inf.
        """
        point = self.own(at)
        on_kink = (np.abs(point) <= ROUNDED * self.span[:, 0]) & (self.surface.penalty[0] > 0.0)
        point = np.where(on_kink, 0.0, point)
        gradient = kernels.subgradient(self.surface, point[None])[0] * self.span[:, 0]
        matrix = self.hessian(point) * self.span * self.span.T
        free = np.flatnonzero(~on_kink | (gradient != 0.0))
        if not np.isfinite(matrix).all():  # which some builds of LAPACK refuse
            return gradient, np.full(len(at), np.nan), np.eye(len(at))
        curvatures, axes = np.full(len(at), np.inf), np.eye(len(at))
        curvatures[: len(free)], inner = np.linalg.eigh(matrix[np.ix_(free, free)])
        axes = axes[:, [*free, *np.setdiff1d(np.arange(len(at)), free)]]
        axes[np.ix_(free, np.arange(len(free)))] = inner
        return gradient, curvatures, axes

    def hessian(self, point: np.ndarray) -> np.ndarray:
        """The Hessian (d, d) at a point (d,), both in the surface's own units."""
        flat = kernels.evaluate(self.surface, "hessian", point[None])[0]
        matrix: np.ndarray = flat[[[0]] if self.surface.dim == 1 else [[0, 1], [1, 2]]]
        return matrix

    def slope(self, at: np.ndarray) -> float:
        """The gradient's norm at (d,), in the surface's own units."""
        return float(np.linalg.norm(self.shape(at)[0] / self.span[:, 0]))

    def encircled(self, u: np.ndarray) -> np.ndarray | None:
        """The declared minimum nearest to the middle of the box around points (d, n), if inside."""
        minima = self.points[:, : len(self.surface.minima)]
        low, high = u.min(axis=1, keepdims=True), u.max(axis=1, keepdims=True)
        off_centre = np.abs(minima - (low + high) / 2.0)
        inside = (off_centre <= (high - low) / 2.0).all(axis=0)
        i = int(np.where(inside, off_centre.max(axis=0), np.inf).argmin()) if inside.any() else -1
        return minima[:, i] if i >= 0 else None

    def stationary(self, end: np.ndarray) -> tuple[str, int | None, np.ndarray] | None:
        """What is within NEAR of a point, its index if it is declared, and where it is, (d,).

        Points that are not declared are found by Newton's method.
        """
        gaps = np.abs(self.points - end[:, None]).max(axis=0)
        if gaps.size and gaps.min() <= NEAR:
            i = int(gaps.argmin())
            return *self.labels[i], self.points[:, i]
        at, sizes = end, []
        for _ in range(3):
            gradient, curvatures, axes = self.shape(at)
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


@lru_cache(maxsize=256)
def framed(surface: Surface) -> Framed:
    low, high = np.array(surface.domain).T
    grid = np.stack(np.meshgrid(*np.linspace(low, high, 33).T)).reshape(surface.dim, -1).T
    whole = replace(surface, penalty=(*surface.penalty[:2], 0.0))  # L1 is in its gradient
    slopes = np.abs(kernels.evaluate(whole, "gradient", grid))
    known = {"minimum": surface.minima, "saddle": surface.saddles, "maximum": surface.maxima}
    points = np.array([p for each in known.values() for p in each]).reshape(-1, surface.dim)
    return Framed(
        surface=surface,
        centre=(low + high)[:, None] / 2.0,
        span=(high - low)[:, None],
        steepest=float((slopes * (high - low)).max()),
        stride=float((slopes / (high - low)).max()),
        points=((points - (low + high) / 2.0) / (high - low)).T,
        labels=tuple((what, i) for what, each in known.items() for i in range(len(each))),
    )
