"""Gradient descent: θ ← θ − η g (Cauchy 1847)."""

from optim_core.hypers import LR, default
from optim_core.spec import Look, Optimizer, Point


def rule(p: float, g: float, s: Point, h: Point, k: Point) -> tuple[float, Point]:
    (lr,) = h
    return p - lr * g, s


def limit(curvature: float, h: Point) -> float:
    """From |1 − η λ| < 1 (Cohen et al. 2021, arXiv:2103.00065)."""
    return 2.0 / curvature


def reach(s: Point, h: Point, k: Point) -> float:
    (lr,) = h
    return lr


OPTIMIZER = Optimizer(
    key="gd",
    name="GD",
    year=1847,
    rule=rule,
    hypers=(default(LR, 0.01),),
    source="Cauchy 1847, C. R. Acad. Sci. 25, 536-538",
    convention="As torch.optim.SGD without momentum.",
    look=Look("#d55e00", (), "circle"),
    pace="curvature",
    reach=reach,
    limit=limit,
    limit_formula="2/L",
    counts="t+1",
)
