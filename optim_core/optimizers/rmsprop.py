"""RMSProp (Hinton 2012, lecture 6e)."""

import numpy as np

from optim_core.hypers import EPS, LR, RHO, default
from optim_core.spec import Look, Optimizer, Point


def rule(p: float, g: float, s: Point, h: Point, k: Point) -> tuple[float, Point]:
    lr, rho, eps = h
    (v,) = s
    v = rho * v + (1.0 - rho) * g * g
    return p - lr * g / (np.sqrt(v) + eps), (v,)


def limit(curvature: float, h: Point) -> float:
    """That of gradient descent, in coordinates divided by √P (Cohen et al. 2022)."""
    return 2.0 / curvature


def preconditioner(s: Point, h: Point, k: Point) -> float:
    _, _, eps = h
    (v,) = s
    return float(np.sqrt(v) + eps)


def reach(s: Point, h: Point, k: Point) -> float:
    return h[0] / preconditioner(s, h, k)


OPTIMIZER = Optimizer(
    key="rmsprop",
    name="RMSProp",
    year=2012,
    rule=rule,
    hypers=(default(LR, 0.01), RHO, EPS),
    source="Tieleman & Hinton 2012, Neural Networks for Machine Learning, lecture 6e",
    convention=(
        "ε outside the root, no bias correction, ρ = 0.99 by default, as torch.optim.RMSprop. "
        "Keras has ρ = 0.9 and ε = 1e-7 inside the root."
    ),
    look=Look("#cc79a7", (6, 2, 1, 2), "down"),
    pace="length",
    reach=reach,
    slots=("v",),
    limit=limit,
    limit_formula="2/L",
    preconditioner=preconditioner,
    scales=("v",),
)
