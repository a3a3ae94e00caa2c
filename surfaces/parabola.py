"""The parabola f(p) = p²: gradient descent on it stops working at lr = 1 exactly."""

from optim_core.spec import Pace, Point, Surface


def value(p: float) -> float:
    return p * p


def gradient(p: float) -> Point:
    return (2.0 * p,)


def hessian(p: float) -> Point:
    return (2.0,)


SURFACE = Surface(
    key="parabola",
    name="Parabola p²",
    dim=1,
    value=value,
    gradient=gradient,
    hessian=hessian,
    domain=((-12.0, 12.0),),
    start=(10.0,),
    pace=Pace(curvature=0.1, length=0.5),
    formula="f(p) = p^2",
    about="Each GD step multiplies p by 1 − 2·lr, so beyond lr = 1 every step leads farther away.",
    source="Every textbook; the limit is 2/L with L = 2",
    minima=((0.0,),),
)
