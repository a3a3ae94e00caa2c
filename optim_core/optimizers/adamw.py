"""AdamW (Loshchilov & Hutter 2019, Algorithm 2): Adam with decoupled weight decay."""

from optim_core.hypers import BETA1, BETA2, EPS, LR, WEIGHT_DECAY
from optim_core.optimizers import adam
from optim_core.spec import Ingredient, Look, Optimizer, Point


def clock(h: Point, k: Point) -> Point:
    """β₁ᵗ, or Π β₁ᵢ of a β₁ that moves, and β₂ᵗ."""
    lr, beta1, beta2, eps, _ = h
    return adam.clock((lr, beta1, beta2, eps, 1.0, 1.0), k)


def rule(p: float, g: float, s: Point, h: Point, k: Point) -> tuple[float, Point]:
    lr, beta1, beta2, eps, weight_decay = h
    # θ ← θ − η λ θ, and then Adam's step
    return adam.rule(p - lr * weight_decay * p, g, s, (lr, beta1, beta2, eps, 1.0, 1.0), k)


def limit(curvature: float, h: Point) -> float:
    """Where a root of (z − 1 + η w)(z − β₁) + (1 − β₁) η λ z is −1, with w the weight decay."""
    _, beta1, _, _, weight_decay = h
    return 2.0 * (1.0 + beta1) / ((1.0 - beta1) * curvature + (1.0 + beta1) * weight_decay)


def preconditioner(s: Point, h: Point, k: Point) -> float:
    """Adam's; the decay is not divided by it."""
    lr, beta1, beta2, eps, _ = h
    return adam.preconditioner(s, (lr, beta1, beta2, eps, 1.0, 1.0), k)


def reach(s: Point, h: Point, k: Point) -> float:
    """Adam's; the decay has no part in it."""
    lr, beta1, beta2, eps, _ = h
    return adam.reach(s, (lr, beta1, beta2, eps, 1.0, 1.0), k)


OPTIMIZER = Optimizer(
    key="adamw",
    name="AdamW",
    year=2017,
    rule=rule,
    clock=clock,
    clock_start=(1.0, 1.0),
    hypers=(LR, BETA1, BETA2, EPS, WEIGHT_DECAY),
    source="Loshchilov & Hutter 2019, arXiv:1711.05101, Algorithm 2",
    convention=(
        "The decay is scaled by lr, as torch.optim.AdamW; the paper scales it by its schedule "
        "multiplier alone."
    ),
    look=Look("#6b7280", (8, 3), "hex"),
    pace="length",
    reach=reach,
    slots=("m", "v"),
    limit=limit,
    limit_formula="2(1+β₁)/((1−β₁)L+(1+β₁)w)",
    preconditioner=preconditioner,
    symbols=adam.SYMBOLS,
    moving=adam.MOVING,
    scales=("v",),
    ingredients=(
        Ingredient(
            "momentum",
            "Momentum",
            (("beta1", 0.0),),
            "Without it the first step is the same, and beside the decay every step goes against "
            "the newest gradient alone.",
        ),
        Ingredient(
            "decay",
            "Weight decay",
            (("weight_decay", 0.0),),
            "Without it every step is Adam's, with no pull towards the origin beside the loss's.",
        ),
    ),
)
