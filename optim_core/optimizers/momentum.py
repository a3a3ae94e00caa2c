"""Heavy-ball momentum (Polyak 1964, eq. 9): m ← β m − η g, θ ← θ + m."""

from optim_core.hypers import LR, MOMENTUM, RATE_INSIDE, default
from optim_core.spec import Ingredient, Look, Optimizer, Point


def rule(p: float, g: float, s: Point, h: Point, k: Point) -> tuple[float, Point]:
    lr, momentum, rate_inside = h
    (m,) = s
    if rate_inside:
        m = momentum * m - lr * g
        return p + m, (m,)
    # m ← β m − g, θ ← θ + η m
    m = momentum * m - g
    return p + lr * m, (m,)


def limit(curvature: float, h: Point) -> float:
    """Where a root of z² − (1 + β − η λ) z + β is −1 (Polyak 1964)."""
    momentum = h[1]
    return 2.0 * (1.0 + momentum) / curvature


def reach(s: Point, h: Point, k: Point) -> float:
    """η, with the memory of `landed`: at rest it is 0."""
    return h[0]


def landed(d: float, s: Point, h: Point, k: Point) -> Point:
    """m is the whole step, as in iPiano (Ochs et al. 2014, arXiv:1404.4805).

    With the gradients alone in m, a rate that falls would leave it too long for the L1 part.
    """
    lr, _, rate_inside = h
    return (d if rate_inside else d / lr,)


OPTIMIZER = Optimizer(
    key="momentum",
    name="Momentum",
    year=1964,
    rule=rule,
    hypers=(default(LR, 0.01), MOMENTUM, RATE_INSIDE),
    source="Polyak 1964, doi:10.1016/0041-5553(64)90137-5, eq. 9",
    convention=(
        "The rate is inside the buffer (m is a step), as in Keras. torch.optim.SGD has it outside, "
        "which rate_inside=False does (m is then −b): the same path while η is constant."
    ),
    look=Look("#0072b2", (), "square"),
    pace="curvature",
    factor=0.3,
    reach=reach,
    landed=landed,
    slots=("m",),
    limit=limit,
    limit_formula="2(1+β)/L",
    counts="t+1",
    ingredients=(
        Ingredient(
            "momentum",
            "Momentum",
            (("momentum", 0.0),),
            "Without it every step is gradient descent's.",
        ),
        Ingredient(
            "rate_inside",
            "Rate inside the buffer",
            (("rate_inside", 0.0),),
            "Without it the rate multiplies the buffer as it leaves, which is the same path while "
            "the rate is constant, and another one as soon as the rate changes.",
            is_convention=True,
        ),
    ),
)
