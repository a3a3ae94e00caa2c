"""The saddle f(x, y) = x² − y²: downhill leads to the saddle first and then away, for ever."""

from optim_core.spec import Pace, Point, Surface


def value(x: float, y: float) -> float:
    return x * x - y * y


def gradient(x: float, y: float) -> Point:
    return 2.0 * x, -2.0 * y


def hessian(x: float, y: float) -> Point:
    return 2.0, 0.0, -2.0


SURFACE = Surface(
    key="saddle",
    name="Saddle",
    dim=2,
    value=value,
    gradient=gradient,
    hessian=hessian,
    domain=((-4.0, 4.0), (-4.0, 4.0)),
    start=(3.5, 0.01),
    pace=Pace(curvature=0.05, length=0.1),
    formula="f(x, y) = x^2 - y^2",
    about=(
        "GD is drawn close to the saddle and lingers there before it slides off; Adam turns away "
        "early."
    ),
    source="Dauphin et al. 2014, arXiv:1406.2572, section 3",
    saddles=((0.0, 0.0),),
    bounded_from=(2.0, 0.0),
)
