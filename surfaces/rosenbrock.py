"""Rosenbrock's banana valley (Rosenbrock 1960)."""

from optim_core.spec import Pace, Point, Surface


def value(x: float, y: float) -> float:
    return (1.0 - x) * (1.0 - x) + 100.0 * (y - x * x) * (y - x * x)


def gradient(x: float, y: float) -> Point:
    return -2.0 * (1.0 - x) - 400.0 * x * (y - x * x), 200.0 * (y - x * x)


def hessian(x: float, y: float) -> Point:
    return 2.0 - 400.0 * (y - 3.0 * x * x), -400.0 * x, 200.0


SURFACE = Surface(
    key="rosenbrock",
    name="Rosenbrock",
    dim=2,
    value=value,
    gradient=gradient,
    hessian=hessian,
    domain=((-2.2, 2.2), (-1.2, 3.2)),
    start=(-1.5, 2.0),
    pace=Pace(curvature=0.0015, length=0.05),
    formula="f(x, y) = (1 - x)^2 + 100\\,(y - x^2)^2",
    about=(
        "Reaching the curved valley takes a few dozen steps; following its almost flat floor to "
        "(1, 1) takes hundreds."
    ),
    source="Rosenbrock 1960, doi:10.1093/comjnl/3.3.175",
    minima=((1.0, 1.0),),
    levels="log",
)
