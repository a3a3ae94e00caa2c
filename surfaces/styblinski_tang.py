"""The Styblinski-Tang function (Styblinski & Tang 1990) in two dimensions."""

from optim_core.spec import Pace, Point, Surface
from surfaces._stationary import pairs, roots


def slope(t: float) -> float:
    return 2.0 * t * t * t - 16.0 * t + 2.5


def bend(t: float) -> float:
    return 6.0 * t * t - 16.0


def value(x: float, y: float) -> float:
    return 0.5 * (x * x * x * x - 16.0 * x * x + 5.0 * x + y * y * y * y - 16.0 * y * y + 5.0 * y)


def gradient(x: float, y: float) -> Point:
    return slope(x), slope(y)


def hessian(x: float, y: float) -> Point:
    return bend(x), 0.0, bend(y)


VALLEYS = roots(slope, bend, (-3.0, 3.0))
PEAKS = roots(slope, bend, (0.0,))

SURFACE = Surface(
    key="styblinski_tang",
    name="Styblinski-Tang",
    dim=2,
    value=value,
    gradient=gradient,
    hessian=hessian,
    domain=((-5.0, 5.0), (-5.0, 5.0)),
    start=(0.6, 4.8),
    pace=Pace(curvature=0.01, length=0.15),
    formula=r"f(x, y) = \tfrac12 (x^4 - 16 x^2 + 5 x + y^4 - 16 y^2 + 5 y)",
    about=(
        "Four minima, one of them the lowest: with the default start and rates only heavy-ball "
        "momentum leaves the first basin, and even it misses the lowest."
    ),
    source="Styblinski & Tang 1990, doi:10.1016/0893-6080(90)90029-K",
    minima=pairs(VALLEYS, VALLEYS),
    saddles=pairs(VALLEYS, PEAKS) + pairs(PEAKS, VALLEYS),
    maxima=pairs(PEAKS, PEAKS),
)
