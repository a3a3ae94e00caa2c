"""Nesterov's accelerated gradient, look-ahead form (Sutskever et al. 2013, eqs. 3-4)."""

from dataclasses import replace

from optim_core.hypers import LR, MOMENTUM, default
from optim_core.spec import Ingredient, Look, Optimizer, Point

AHEAD = replace(
    MOMENTUM,
    about="Momentum: the share of the last step that is kept, and how far along it to look ahead.",
    source="Sutskever et al. 2013, eqs. 3-4",
)


def probe(p: float, s: Point, h: Point, k: Point) -> float:
    _, momentum = h
    (m,) = s
    return p + momentum * m


def rule(p: float, g: float, s: Point, h: Point, k: Point) -> tuple[float, Point]:
    lr, momentum = h
    (m,) = s
    # m ← β m − η g(θ + β m)
    m = momentum * m - lr * g
    return p + m, (m,)


def limit(curvature: float, h: Point) -> float:
    """Where a root of z² − (1 + β)(1 − η λ) z + β (1 − η λ) is −1 (Cohen et al. 2021)."""
    _, momentum = h
    return 2.0 * (1.0 + momentum) / ((1.0 + 2.0 * momentum) * curvature)


def reach(s: Point, h: Point, k: Point) -> float:
    """η, with the memory of `landed`: at rest it is 0."""
    lr, _ = h
    return lr


def landed(d: float, s: Point, h: Point, k: Point) -> Point:
    """m is the whole step, as in FISTA (Beck & Teboulle 2009, eqs. 4.1 and 4.3, β for t's ratio).

    With the gradients alone in m, θ + βm would be off the minimum when θ is on it.
    """
    return (d,)


OPTIMIZER = Optimizer(
    key="nesterov",
    name="Nesterov",
    year=1983,
    rule=rule,
    probe=probe,
    hypers=(default(LR, 0.01), AHEAD),
    source="Nesterov 1983; Sutskever et al. 2013, proceedings.mlr.press/v28, eqs. 3-4",
    convention=(
        "True look-ahead: the gradient at θ + βm, one evaluation a step. "
        "torch.optim.SGD(nesterov=True) stores φ = θ + βm instead: its path is our probes while "
        "η and β are constant."
    ),
    look=Look("#56b4e9", (6, 3), "diamond"),
    pace="curvature",
    factor=0.3,
    reach=reach,
    landed=landed,
    slots=("m",),
    limit=limit,
    limit_formula="2(1+β)/((1+2β)L)",
    symbols=(("probe", r"\phi_t"),),
    counts="t+1",
    ingredients=(
        Ingredient(
            "momentum",
            "Momentum",
            (("momentum", 0.0),),
            "Without it there is no look-ahead, and every step is gradient descent's.",
        ),
    ),
)
