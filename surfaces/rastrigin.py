"""Rastrigin's function (Rastrigin 1974): a bowl under a lattice of equal dents."""

import numpy as np

from optim_core.spec import Pace, Point, Surface
from surfaces._stationary import pairs, roots


def slope(t: float) -> float:
    wave: float = 20.0 * np.pi * np.sin(2.0 * np.pi * t)
    return 2.0 * t + wave


def bend(t: float) -> float:
    wave: float = 40.0 * np.pi * np.pi * np.cos(2.0 * np.pi * t)
    return 2.0 + wave


def value(x: float, y: float) -> float:
    waves: float = np.cos(2.0 * np.pi * x) + np.cos(2.0 * np.pi * y)
    return 20.0 + x * x + y * y - 10.0 * waves


def gradient(x: float, y: float) -> Point:
    return slope(x), slope(y)


def hessian(x: float, y: float) -> Point:
    return bend(x), 0.0, bend(y)


VALLEYS = roots(slope, bend, range(-5, 6))
PEAKS = roots(slope, bend, (k + 0.5 for k in range(-5, 5)))

SURFACE = Surface(
    key="rastrigin",
    name="Rastrigin",
    dim=2,
    value=value,
    gradient=gradient,
    hessian=hessian,
    domain=((-5.12, 5.12), (-5.12, 5.12)),
    start=(1.5, -1.8),
    pace=Pace(curvature=0.0015, length=0.15),
    formula=r"f(x, y) = 20 + x^2 + y^2 - 10 \cos 2\pi x - 10 \cos 2\pi y",
    about=(
        "A grid of minima: with the default start and rates most methods are caught by one beside "
        "the start, and none finds the lowest."
    ),
    source="Rastrigin 1974, Systems of Extremal Control (in Russian), Nauka, Moscow",
    minima=pairs(VALLEYS, VALLEYS),
    saddles=pairs(VALLEYS, PEAKS) + pairs(PEAKS, VALLEYS),
    maxima=pairs(PEAKS, PEAKS),
)
