"""The symmetric quartic double well: two equal minima and a hilltop between them."""

from optim_core.spec import Pace, Point, Surface


def value(p: float) -> float:
    return (p * p - 1.0) * (p * p - 1.0)


def gradient(p: float) -> Point:
    return (4.0 * p * (p * p - 1.0),)


def hessian(p: float) -> Point:
    return (12.0 * p * p - 4.0,)


SURFACE = Surface(
    key="double_well",
    name="Double well",
    dim=1,
    value=value,
    gradient=gradient,
    hessian=hessian,
    domain=((-2.0, 2.0),),
    start=(1.8,),
    pace=Pace(curvature=0.03, length=0.05),
    formula="f(p) = (p^2 - 1)^2",
    about=(
        "Two equal minima: with the default start and rates only heavy-ball momentum rolls over "
        "the hill into the far one."
    ),
    source="Strogatz 2015, Nonlinear Dynamics and Chaos, example 6.5.2: 4 V(p) + 1",
    minima=((-1.0,), (1.0,)),
    maxima=((0.0,),),
)
