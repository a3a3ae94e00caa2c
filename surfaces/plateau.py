"""A well in a plateau: the loss of Geman & McClure, which saturates far from its minimum."""

from optim_core.spec import Pace, Point, Surface


def value(p: float) -> float:
    return p * p / (1.0 + p * p)


def gradient(p: float) -> Point:
    return (2.0 * p / ((1.0 + p * p) * (1.0 + p * p)),)


def hessian(p: float) -> Point:
    return ((2.0 - 6.0 * p * p) / ((1.0 + p * p) * (1.0 + p * p) * (1.0 + p * p)),)


SURFACE = Surface(
    key="plateau",
    name="Plateau",
    dim=1,
    value=value,
    gradient=gradient,
    hessian=hessian,
    domain=((-8.0, 8.0),),
    start=(6.0,),
    pace=Pace(curvature=0.5, length=0.15),
    formula=r"f(p) = \frac{p^2}{1 + p^2}",
    about="Far out the gradient is almost zero: GD crawls, and methods that rescale it walk on.",
    source="Geman & McClure 1985; Barron 2019, arXiv:1701.03077, eq. 1 with α = −2, scaled",
    minima=((0.0,),),
)
