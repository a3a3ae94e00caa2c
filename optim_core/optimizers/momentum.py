"""Heavy-ball momentum (Polyak 1964, eq. 9): m ← β m − η g, θ ← θ + m."""

from optim_core.hypers import LR, MOMENTUM, default
from optim_core.spec import Look, Optimizer, Point


def rule(p: float, g: float, s: Point, h: Point, k: Point) -> tuple[float, Point]:
    lr, momentum = h
    (m,) = s
    m = momentum * m - lr * g
    return p + m, (m,)


def limit(curvature: float, h: Point) -> float:
    """Where a root of z² − (1 + β − η λ) z + β is −1 (Polyak 1964)."""
    _, momentum = h
    return 2.0 * (1.0 + momentum) / curvature


OPTIMIZER = Optimizer(
    key="momentum",
    name="Momentum",
    year=1964,
    rule=rule,
    hypers=(default(LR, 0.01), MOMENTUM),
    formula="m_{t+1} = \\beta m_t - \\eta\\, g_t\n\\theta_{t+1} = \\theta_t + m_{t+1}",
    source="Polyak 1964, doi:10.1016/0041-5553(64)90137-5, eq. 9",
    convention=(
        "The rate is inside the buffer (m is a step). torch.optim.SGD keeps b = −m/η, with the "
        "rate outside: the same path while η is constant."
    ),
    look=Look("#0072b2", (), "square"),
    pace="curvature",
    factor=0.3,
    slots=("m",),
    limit=limit,
    limit_formula="2(1+β)/L",
)
