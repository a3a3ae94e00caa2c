"""Beale's function (Beale 1958): a flat valley floor, a saddle, and walls that grow as y⁶."""

from optim_core.spec import Pace, Point, Surface


def value(x: float, y: float) -> float:
    a, b, c = 1.5 - x + x * y, 2.25 - x + x * y * y, 2.625 - x + x * y * y * y
    return a * a + b * b + c * c


def gradient(x: float, y: float) -> Point:
    a, b, c = 1.5 - x + x * y, 2.25 - x + x * y * y, 2.625 - x + x * y * y * y
    return (
        2.0 * (a * (y - 1.0) + b * (y * y - 1.0) + c * (y * y * y - 1.0)),
        2.0 * x * (a + 2.0 * b * y + 3.0 * c * y * y),
    )


def hessian(x: float, y: float) -> Point:
    a, b, c = 1.5 - x + x * y, 2.25 - x + x * y * y, 2.625 - x + x * y * y * y
    a_x, b_x, c_x = y - 1.0, y * y - 1.0, y * y * y - 1.0
    a_y, b_y, c_y = x, 2.0 * x * y, 3.0 * x * y * y
    return (
        2.0 * (a_x * a_x + b_x * b_x + c_x * c_x),
        2.0 * (a_x * a_y + b_x * b_y + c_x * c_y + a + 2.0 * b * y + 3.0 * c * y * y),
        2.0 * (a_y * a_y + b_y * b_y + c_y * c_y + 2.0 * b * x + 6.0 * c * x * y),
    )


SURFACE = Surface(
    key="beale",
    name="Beale",
    dim=2,
    value=value,
    gradient=gradient,
    hessian=hessian,
    domain=((-4.5, 4.5), (-4.5, 4.5)),
    start=(0.3, 1.1),
    pace=Pace(curvature=0.005, length=0.1),
    formula="f(x, y) = (1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2",
    about="From beside the saddle the loss falls quickly, then slowly along an almost flat valley.",
    source="Beale 1958; Moré, Garbow & Hillstrom 1981, doi:10.1145/355934.355936, problem 5",
    minima=((3.0, 0.5),),
    saddles=((0.0, 1.0), (0.10053793732415826, -2.644513585023126)),
    levels="log",
)
