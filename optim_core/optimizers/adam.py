"""Adam (Kingma & Ba 2015, Algorithm 1)."""

import numpy as np

from optim_core.hypers import BETA1, BETA2, BIAS_CORRECTION, EPS, LR, SCALING
from optim_core.spec import Ingredient, Look, Optimizer, Point


def clock(h: Point, k: Point) -> Point:
    """β₁ᵗ, or Π β₁ᵢ of a β₁ that moves, and β₂ᵗ."""
    _, beta1, beta2, _, _, _ = h
    power1, power2 = k
    return power1 * beta1, power2 * beta2


def rule(p: float, g: float, s: Point, h: Point, k: Point) -> tuple[float, Point]:
    lr, beta1, beta2, eps, bias_correction, scaling = h
    m, v = s
    power1, power2 = k
    m = beta1 * m + (1.0 - beta1) * g
    v = beta2 * v + (1.0 - beta2) * g * g
    m_hat = m / (1.0 - bias_correction * power1)
    v_hat = v / (1.0 - bias_correction * power2)
    # chosen and not multiplied by 0, which would make NaN of a v̂ that overflows
    scale = np.sqrt(v_hat) + eps if scaling else 1.0
    return p - lr * m_hat / scale, (m, v)


def limit(curvature: float, h: Point) -> float:
    """A heavy ball of rate η (1 − β₁) (Cohen et al. 2022, arXiv:2207.14484: 38/η at β₁ = 0.9)."""
    beta1 = h[1]
    return 2.0 * (1.0 + beta1) / ((1.0 - beta1) * curvature)


def preconditioner(s: Point, h: Point, k: Point) -> float:
    """(1 − β₁ᵗ)(√v̂ + ε): the correction of m̂ lengthens the step, so it is part of P.

    1 − β₁ᵗ without scaling: `limit` is that of a heavy ball in any case.
    """
    _, _, _, eps, bias_correction, scaling = h
    _, v = s
    power1, power2 = k
    v_hat = v / (1.0 - bias_correction * power2)
    scale = np.sqrt(v_hat) + eps if scaling else 1.0
    return float((1.0 - bias_correction * power1) * scale)


def reach(s: Point, h: Point, k: Point) -> float:
    """η / (√v̂ + ε), or η without scaling: m̂ of a constant gradient is that gradient."""
    lr, _, _, eps, bias_correction, scaling = h
    _, v = s
    scale = float(np.sqrt(v / (1.0 - bias_correction * k[1])) + eps) if scaling else 1.0
    return lr / scale


SYMBOLS = (
    ("power1", r"\beta_1^t"),
    ("power2", r"\beta_2^t"),
    ("m_hat", r"\hat m_t"),
    ("v_hat", r"\hat v_t"),
)
MOVING = (("power1", r"\prod_{i=1}^{t} \beta_{1,i}"),)


OPTIMIZER = Optimizer(
    key="adam",
    name="Adam",
    year=2014,
    rule=rule,
    clock=clock,
    clock_start=(1.0, 1.0),
    hypers=(LR, BETA1, BETA2, EPS, BIAS_CORRECTION, SCALING),
    source="Kingma & Ba 2015, arXiv:1412.6980, Algorithm 1",
    convention=(
        "ε outside the root and after the bias correction, as the paper's Algorithm 1 and "
        "torch.optim.Adam. Keras uses the end of the paper's section 2, with a rescaled ε."
    ),
    look=Look("#009e73", (), "star"),
    pace="length",
    reach=reach,
    slots=("m", "v"),
    limit=limit,
    limit_formula="2(1+β₁)/((1−β₁)L)",
    preconditioner=preconditioner,
    symbols=SYMBOLS,
    moving=MOVING,
    scales=("v",),
    ingredients=(
        Ingredient(
            "bias_correction",
            "Bias correction",
            (("bias_correction", 0.0),),
            "Without it the first steps are too long: under a constant gradient, with the default "
            "β₁ and β₂, 3.16 times at step 1 and up to 6.6 times, near step 12.",
        ),
        Ingredient(
            "momentum",
            "Momentum",
            (("beta1", 0.0),),
            "Without it every step goes against the newest gradient alone; with bias correction "
            "the first step stays the same.",
        ),
        Ingredient(
            "scaling",
            "Scaling",
            (("scaling", 0.0),),
            "Without it ten times the gradients give ten times the step; with it the step stays "
            "the same, but for ε.",
        ),
    ),
)
