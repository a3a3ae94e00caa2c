"""AdaMax (Kingma & Ba 2015, Algorithm 2): Adam under the infinity norm."""

from dataclasses import replace

from optim_core.hypers import BETA1, BETA2, EPS, LR, default
from optim_core.optimizers import adam
from optim_core.spec import Ingredient, Look, Optimizer, Point

DECAY = replace(
    BETA2,
    about="Decay rate of the running maximum of gradient sizes: the share that each step keeps.",
    source="Kingma & Ba 2015, Algorithm 2",
)
INSIDE = replace(
    EPS,
    about="Small constant added to |g| inside the maximum, so that a zero gradient does not divide "
    "0 by 0.",
)


def clock(h: Point, k: Point) -> Point:
    """β₁ᵗ, or Π β₁ᵢ of a β₁ that moves."""
    _, beta1, _, _ = h
    (power1,) = k
    return (power1 * beta1,)


def rule(p: float, g: float, s: Point, h: Point, k: Point) -> tuple[float, Point]:
    lr, beta1, beta2, eps = h
    m, u = s
    (power1,) = k
    m = beta1 * m + (1.0 - beta1) * g
    # u ← max(β₂ u, |g| + ε); a NaN gradient must stay one, which max() would hide
    size = abs(g) + eps
    decayed = beta2 * u
    u = decayed if decayed > size else size
    return p - lr / (1.0 - power1) * m / u, (m, u)


def limit(curvature: float, h: Point) -> float:
    """As Adam's: a heavy ball of rate η (1 − β₁)."""
    beta1 = h[1]
    return 2.0 * (1.0 + beta1) / ((1.0 - beta1) * curvature)


def preconditioner(s: Point, h: Point, k: Point) -> float:
    """(1 − β₁ᵗ) u: the correction lengthens the step, so it is part of P."""
    _, u = s
    (power1,) = k
    return (1.0 - power1) * u


def reach(s: Point, h: Point, k: Point) -> float:
    """η / u: corrected, m of a constant gradient is that gradient."""
    _, u = s
    return h[0] / u


OPTIMIZER = Optimizer(
    key="adamax",
    name="AdaMax",
    year=2014,
    rule=rule,
    clock=clock,
    clock_start=(1.0,),
    hypers=(default(LR, 0.002), BETA1, DECAY, INSIDE),
    source="Kingma & Ba 2015, arXiv:1412.6980, Algorithm 2",
    convention=(
        "ε is added to |g| inside the maximum, as torch.optim.Adamax; Keras adds it after the "
        "maximum, the paper has none."
    ),
    look=Look("#8b5cf6", (4, 2), "pentagon"),
    pace="length",
    reach=reach,
    slots=("m", "u"),
    limit=limit,
    limit_formula="2(1+β₁)/((1−β₁)L)",
    preconditioner=preconditioner,
    symbols=(("power1", r"\beta_1^t"),),
    moving=adam.MOVING,
    scales=("u",),
    ingredients=(
        Ingredient(
            "momentum",
            "Momentum",
            (("beta1", 0.0),),
            "Without it the first step is the same, and every step goes against the newest "
            "gradient alone.",
        ),
    ),
)
