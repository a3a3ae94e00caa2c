"""AdaGrad (Duchi, Hazan & Singer 2011, diagonal form of Fig. 1)."""

import numpy as np

from optim_core.hypers import EPS, LR, default
from optim_core.spec import Look, Optimizer, Point


def rule(p: float, g: float, s: Point, h: Point, k: Point) -> tuple[float, Point]:
    lr, eps = h
    (total,) = s
    total = total + g * g
    return p - lr * g / (np.sqrt(total) + eps), (total,)


def limit(curvature: float, h: Point) -> float:
    """That of gradient descent, in coordinates divided by √P (Cohen et al. 2022)."""
    return 2.0 / curvature


def preconditioner(s: Point, h: Point, k: Point) -> float:
    _, eps = h
    (total,) = s
    return float(np.sqrt(total) + eps)


def reach(s: Point, h: Point, k: Point) -> float:
    return h[0] / preconditioner(s, h, k)


OPTIMIZER = Optimizer(
    key="adagrad",
    name="AdaGrad",
    year=2011,
    rule=rule,
    hypers=(default(LR, 0.01), default(EPS, 1e-10)),
    source="Duchi, Hazan & Singer 2011, jmlr.org/papers/v12/duchi11a.html",
    convention=(
        "ε outside the root, accumulator starts at 0, as torch.optim.Adagrad. "
        "Keras and Optax start it at 0.1, with ε inside the root."
    ),
    look=Look("#b8860b", (2, 2), "up"),
    pace="length",
    factor=5.0,
    reach=reach,
    slots=("s",),
    limit=limit,
    limit_formula="2/L",
    preconditioner=preconditioner,
    counts="t+1",
    scales=("s",),
)
