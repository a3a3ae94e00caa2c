"""A tilted plane: the gradient is the same everywhere, so every method shows its bare step."""

from optim_core.spec import Pace, Point, Surface


def value(x: float, y: float) -> float:
    return x + 2.0 * y


def gradient(x: float, y: float) -> Point:
    return 1.0, 2.0


def hessian(x: float, y: float) -> Point:
    return 0.0, 0.0, 0.0


SURFACE = Surface(
    key="plane",
    name="Tilted plane",
    dim=2,
    value=value,
    gradient=gradient,
    hessian=hessian,
    domain=((-10.0, 10.0), (-10.0, 10.0)),
    start=(8.0, 8.0),
    pace=Pace(curvature=0.02, length=0.06),
    formula="f(x, y) = x + 2 y",
    about=(
        "A constant slope: GD's steps stay equal, momentum's grow to ten times the first, and "
        "AdaGrad's shrink."
    ),
    bounded_from=(0.0, 2.0),
    source="Boyd & Vandenberghe 2004, Convex Optimization, section 3.1.1: convex, yet no minimum",
)
