"""Adam (Kingma & Ba 2015, Algorithm 1)."""

import numpy as np

from optim_core.hypers import BETA1, BETA2, BIAS_CORRECTION, EPS, LR
from optim_core.spec import Look, Optimizer, Point


def clock(h: Point, k: Point) -> Point:
    """β₁ᵗ and β₂ᵗ."""
    _, beta1, beta2, _, _ = h
    power1, power2 = k
    return power1 * beta1, power2 * beta2


def rule(p: float, g: float, s: Point, h: Point, k: Point) -> tuple[float, Point]:
    lr, beta1, beta2, eps, bias_correction = h
    m, v = s
    power1, power2 = k
    m = beta1 * m + (1.0 - beta1) * g
    v = beta2 * v + (1.0 - beta2) * g * g
    # m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ)
    m_hat = m / (1.0 - bias_correction * power1)
    v_hat = v / (1.0 - bias_correction * power2)
    return p - lr * m_hat / (np.sqrt(v_hat) + eps), (m, v)


def limit(curvature: float, h: Point) -> float:
    """A heavy ball of rate η (1 − β₁) (Cohen et al. 2022, arXiv:2207.14484: 38/η at β₁ = 0.9)."""
    beta1 = h[1]
    return 2.0 * (1.0 + beta1) / ((1.0 - beta1) * curvature)


def preconditioner(s: Point, h: Point, k: Point) -> float:
    """(1 − β₁ᵗ)(√v̂ + ε): the correction of m̂ lengthens the step, so it is part of P."""
    _, _, _, eps, bias_correction = h
    _, v = s
    power1, power2 = k
    v_hat = v / (1.0 - bias_correction * power2)
    return float((1.0 - bias_correction * power1) * (np.sqrt(v_hat) + eps))


OPTIMIZER = Optimizer(
    key="adam",
    name="Adam",
    year=2014,
    rule=rule,
    clock=clock,
    clock_start=(1.0, 1.0),
    hypers=(LR, BETA1, BETA2, EPS, BIAS_CORRECTION),
    formula=(
        "m_t = \\beta_1 m_{t-1} + (1 - \\beta_1) g_t\n"
        "v_t = \\beta_2 v_{t-1} + (1 - \\beta_2) g_t^2\n"
        "\\hat m_t = m_t / (1 - \\beta_1^t), \\quad \\hat v_t = v_t / (1 - \\beta_2^t)\n"
        "\\theta_t = \\theta_{t-1} - \\eta\\, \\frac{\\hat m_t}{\\sqrt{\\hat v_t} + \\epsilon}"
    ),
    source="Kingma & Ba 2015, arXiv:1412.6980, Algorithm 1",
    convention=(
        "ε outside the root and after the bias correction, as the paper's Algorithm 1 and "
        "torch.optim.Adam. Keras uses the end of the paper's section 2, with a rescaled ε."
    ),
    look=Look("#009e73", (), "star"),
    pace="length",
    slots=("m", "v"),
    limit=limit,
    limit_formula="2(1+β₁)/((1−β₁)L)",
    preconditioner=preconditioner,
)
