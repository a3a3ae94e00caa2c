"""Himmelblau's function (Himmelblau 1972): four minima, all of them best, around one hilltop."""

from optim_core.spec import Pace, Point, Surface


def value(x: float, y: float) -> float:
    u, v = x * x + y - 11.0, x + y * y - 7.0
    return u * u + v * v


def gradient(x: float, y: float) -> Point:
    u, v = x * x + y - 11.0, x + y * y - 7.0
    return 4.0 * x * u + 2.0 * v, 2.0 * u + 4.0 * y * v


def hessian(x: float, y: float) -> Point:
    u, v = x * x + y - 11.0, x + y * y - 7.0
    return 4.0 * u + 8.0 * x * x + 2.0, 4.0 * (x + y), 4.0 * v + 8.0 * y * y + 2.0


SURFACE = Surface(
    key="himmelblau",
    name="Himmelblau",
    dim=2,
    value=value,
    gradient=gradient,
    hessian=hessian,
    domain=((-6.0, 6.0), (-6.0, 6.0)),
    start=(-1.0, -0.5),
    pace=Pace(curvature=0.005, length=0.15),
    formula="f(x, y) = (x^2 + y - 11)^2 + (x + y^2 - 7)^2",
    about=(
        "Four equal minima: with the default start and rates, methods that rescale the gradient go "
        "to another one than the rest."
    ),
    source="Himmelblau 1972, Applied Nonlinear Programming, McGraw-Hill",
    minima=(
        (-3.779310253377747, -3.2831859912861696),
        (-2.805118086952745, 3.131312518250573),
        (3.0, 2.0),
        (3.5844283403304917, -1.8481265269644036),
    ),
    saddles=(
        (-3.0730257507643897, -0.08135304428796751),
        (-0.12796134673068005, -1.9537149802445766),
        (0.08667750455539634, 2.884254701174776),
        (3.385154183607021, 0.0738518798377493),
    ),
    maxima=((-0.27084459066734756, -0.9230385564799816),),
    levels="log",
)
