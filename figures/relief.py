"""A surface as a picture: heights on a grid, a gradient field, a thumbnail."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from optim_core.kernels import evaluate, subgradient
from optim_core.spec import Surface

Window = tuple[tuple[float, float], ...]
GRID = 181
ARROWS = (29, 23)
THUMBNAIL = (36, 24)
ROUNDING = 1e-12  # of the window's sides
# The log scale's floor, as a share of the height shown: deep enough for a valley's floor to show.
FLOOR = 1e-5


@dataclass(frozen=True)
class Relief:
    """Heights over a window: (n,) in 1-D (values of f), (n, n) in 2-D (as the surface wants)."""

    window: Window
    heights: np.ndarray
    arrows: np.ndarray  # (points, 2 * dim): a point and the direction of descent there


def grid(window: Window, counts: tuple[int, ...]) -> np.ndarray:
    """The points of a regular grid, (product of counts, dim); x varies fastest."""
    axes = [np.linspace(low, high, n) for (low, high), n in zip(window, counts, strict=True)]
    return np.stack([a.ravel() for a in np.meshgrid(*axes)], axis=1)


def shade(surface: Surface, values: np.ndarray) -> np.ndarray:
    """Values on the scale that the surface wants to be drawn in."""
    if surface.levels == "linear" or surface.best is None:
        return values
    above = values - surface.best
    top = float(np.max(above, where=np.isfinite(above), initial=0.0))
    return np.log10(np.maximum(above, 0.0) + FLOOR * (top or 1.0))


def padded(window: Window, share: float) -> Window:
    """The window grown by a share of its width on each side, so that a pan shows no edge."""
    return tuple((a - share * (b - a), b + share * (b - a)) for a, b in window)


@lru_cache(maxsize=64)
def relief(surface: Surface, window: Window) -> Relief:
    """Heights and descent directions over a window of the plane (or of the line)."""
    if surface.dim == 1:
        points = grid(window, (4 * GRID,))
        return Relief(window, evaluate(surface, "value", points), np.empty((0, 2)))
    with np.errstate(all="ignore"):
        heights = shade(surface, evaluate(surface, "value", grid(window, (GRID, GRID))))
        feet = grid(window, ARROWS)
        sides = np.array([b - a for a, b in window])
        feet[np.abs(feet) < ROUNDING * sides] = 0.0  # on an axis, where L1 has its kink
        slopes = -subgradient(surface, feet)
    return Relief(window, heights.reshape(GRID, GRID), np.hstack([feet, slopes]))


def thumbnail(surface: Surface) -> np.ndarray:
    """A small picture, uint8: (rows, columns) heights in 2-D, (columns,) of the curve in 1-D."""
    counts = THUMBNAIL[: surface.dim]
    heights = shade(surface, evaluate(surface, "value", grid(surface.domain, counts)))
    low, high = float(heights.min()), float(heights.max())
    return np.round(255 * (heights - low) / (high - low)).astype(np.uint8).reshape(counts[::-1])
