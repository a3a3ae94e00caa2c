"""NAdam (Dozat 2016): Adam with Nesterov's look-ahead and a momentum that warms up."""

from dataclasses import replace

import numpy as np

from optim_core.hypers import BETA1, BETA2, EPS, LR, default
from optim_core.spec import Ingredient, Look, Optimizer, Point

# Dozat's schedule is μ_t = β₁ (1 − ½·0.96^(0.004 t)), with these constants as in PyTorch.
DECAY = 0.96**0.004
AHEAD = replace(
    BETA1,
    about=(
        "Decay rate of the running average of gradients, and what the look-ahead's momentum μ "
        "climbs to from about half of it."
    ),
    source="Dozat 2016, Algorithm 8",
)


def clock(h: Point, k: Point) -> Point:
    """0.96^(0.004 t), μ_t, μ_{t+1}, μ_1 ⋯ μ_t and β₂ᵗ."""
    _, beta1, beta2, _ = h
    decay, _, _, product, power2 = k
    decay = decay * DECAY
    next_decay = decay * DECAY
    now = beta1 * (1.0 - 0.5 * decay)
    ahead = beta1 * (1.0 - 0.5 * next_decay)
    return decay, now, ahead, product * now, power2 * beta2


def rule(p: float, g: float, s: Point, h: Point, k: Point) -> tuple[float, Point]:
    lr, beta1, beta2, eps = h
    m, v = s
    _, now, ahead, product, power2 = k
    m = beta1 * m + (1.0 - beta1) * g
    v = beta2 * v + (1.0 - beta2) * g * g
    next_product = product * ahead
    m_bar = ahead * m / (1.0 - next_product) + (1.0 - now) * g / (1.0 - product)
    v_hat = v / (1.0 - power2)
    return p - lr * m_bar / (np.sqrt(v_hat) + eps), (m, v)


def limit(curvature: float, h: Point) -> float:
    """Where a root of (z − 1)(z − β₁) + (1 − β₁) η λ ((1 + β₁) z − β₁) is −1; μ_t → β₁."""
    beta1 = h[1]
    return 2.0 * (1.0 + beta1) / ((1.0 - beta1) * (1.0 + 2.0 * beta1) * curvature)


def preconditioner(s: Point, h: Point, k: Point) -> float:
    """√v̂ + ε, divided by how much longer a step is than at t = ∞: μ warms up slowly.

    It is measured where the limit is met, on a gradient (−1)ᵗ g: there m is (1 − β₁)/(1 + β₁) g.
    """
    _, beta1, _, eps = h
    _, v = s
    _, now, ahead, product, power2 = k
    m, end = (1.0 - beta1) / (1.0 + beta1), (1.0 - beta1) * (1.0 + 2.0 * beta1) / (1.0 + beta1)
    m_bar = ahead * m / (1.0 - product * ahead) + (1.0 - now) / (1.0 - product)
    return float((np.sqrt(v / (1.0 - power2)) + eps) * end / m_bar)


def reach(s: Point, h: Point, k: Point) -> float:
    """η m̄ / (√v̂ + ε) of m = g = 1, as μ_{t+1} > μ_t makes m̄ a little more than the gradient."""
    lr, _, _, eps = h
    _, v = s
    _, now, ahead, product, power2 = k
    m_bar = ahead / (1.0 - product * ahead) + (1.0 - now) / (1.0 - product)
    return lr * m_bar / float(np.sqrt(v / (1.0 - power2)) + eps)


OPTIMIZER = Optimizer(
    key="nadam",
    name="NAdam",
    year=2016,
    rule=rule,
    clock=clock,
    clock_start=(1.0, 0.0, 0.0, 1.0, 1.0),
    hypers=(default(LR, 0.002), AHEAD, BETA2, EPS),
    source="Dozat 2016, openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ",
    convention=(
        "As torch.optim.NAdam with momentum_decay 0.004: the look-ahead gradient is taken at θ "
        "and its effect is folded into m̄. ε outside the root. Keras warms μ up as 0.96^t."
    ),
    look=Look("#e11d48", (1, 2), "cross"),
    pace="length",
    reach=reach,
    slots=("m", "v"),
    limit=limit,
    limit_formula="2(1+β₁)/((1−β₁)(1+2β₁)L)",
    preconditioner=preconditioner,
    symbols=(
        ("decay", "0.96^{0.004 t}"),
        ("next_decay", "0.96^{0.004 (t+1)}"),
        ("now", r"\mu_t"),
        ("ahead", r"\mu_{t+1}"),
        ("product", r"\prod_{i=1}^{t} \mu_i"),
        ("next_product", r"\prod_{i=1}^{t+1} \mu_i"),
        ("power2", r"\beta_2^t"),
        ("m_bar", r"\bar m_t"),
        ("v_hat", r"\hat v_t"),
    ),
    scales=("v",),
    ingredients=(
        Ingredient(
            "momentum",
            "Momentum",
            (("beta1", 0.0),),
            "Without it there is no look-ahead, and every step is that of Adam without momentum, "
            "against the newest gradient alone.",
        ),
    ),
)
