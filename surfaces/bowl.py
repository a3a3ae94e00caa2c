"""An elongated quadratic bowl with a chosen condition number and rotation."""

import numpy as np

from optim_core.spec import Hyper, Interval, Pace, Point, Surface

CONDITION = Hyper(
    "condition", r"\kappa", 50.0, Interval(1.0), 1.0, 1000.0, "log",
    "Condition number: the curvature across the valley divided by the curvature along it.",
)  # fmt: skip
ROTATION = Hyper(
    "rotation", r"\varphi", 0.0, Interval(-np.inf), -90.0, 90.0, "linear",
    "Turns the bowl, in degrees: methods that scale each coordinate by itself do not turn with it, "
    "all others do.",
)  # fmt: skip


def value(x: float, y: float, condition: float, rotation: float) -> float:
    c, s = np.cos(rotation * (np.pi / 180.0)), np.sin(rotation * (np.pi / 180.0))
    u: float = c * x + s * y
    v: float = c * y - s * x
    return condition * u * u + v * v


def gradient(x: float, y: float, condition: float, rotation: float) -> Point:
    c, s = np.cos(rotation * (np.pi / 180.0)), np.sin(rotation * (np.pi / 180.0))
    u, v = c * x + s * y, c * y - s * x
    along_u, along_v = 2.0 * condition * u, 2.0 * v
    return c * along_u - s * along_v, s * along_u + c * along_v


def hessian(x: float, y: float, condition: float, rotation: float) -> Point:
    c, s = np.cos(rotation * (np.pi / 180.0)), np.sin(rotation * (np.pi / 180.0))
    return (
        2.0 * (condition * c * c + s * s),
        2.0 * (condition - 1.0) * c * s,
        2.0 * (condition * s * s + c * c),
    )


SURFACE = Surface(
    key="bowl",
    name="Elongated bowl",
    dim=2,
    value=value,
    gradient=gradient,
    hessian=hessian,
    domain=((-4.0, 4.0), (-12.0, 12.0)),
    start=(1.5, 10.0),
    pace=Pace(curvature=0.017, length=0.3),
    formula=r"f(p) = \kappa\, u^2 + v^2,\quad (u, v) = R(-\varphi)\, p",
    about=(
        "Steep across, flat along: GD zigzags across, momentum overshoots, and Adam's first step "
        "is as long in y as in x."
    ),
    source="Boyd & Vandenberghe 2004, Convex Optimization, section 9.3.2",
    minima=((0.0, 0.0),),
    params=(CONDITION, ROTATION),
    levels="log",
)
