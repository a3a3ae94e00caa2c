"""Piecewise constant: three rates, one after the other."""

import numpy as np

from optim_core.spec import Factors, Hyper, Interval, Look, Point, Schedule

SHARE = Interval(0.0, 1000.0, open_low=True, open_high=False)


def factors(t: np.ndarray, total: float, h: Point) -> Factors:
    first, second, middle, last = h
    return np.where(t < first, 1.0, np.where(t < second, middle, last)), np.ones(len(t))


SCHEDULE = Schedule(
    key="piecewise",
    name="Piecewise constant",
    hypers=(
        Hyper(
            "first", "t_1", 100.0, Interval(0.0), 0.0, 1000.0, "linear",
            "The first step after the first rate.", whole=True,
        ),
        Hyper(
            "second", "t_2", 150.0, Interval(0.0), 0.0, 1000.0, "linear",
            "The first step after the second rate, which is left out if this is not above t₁.",
            whole=True,
        ),
        Hyper("middle", "r_1", 0.1, SHARE, 0.001, 10.0, "log", "The second rate, relative to η₀."),
        Hyper("last", "r_2", 0.01, SHARE, 0.001, 10.0, "log", "The third rate, relative to η₀."),
    ),
    formula=r"\eta_t = \eta_0\, (1 \text{ if } t < t_1 \text{ else } r_1 \text{ if } t < t_2 "
    r"\text{ else } r_2)",
    source="He et al. 2016, doi:10.1109/CVPR.2016.90, section 3.4",
    about="Three rates, each held for steps that are chosen beforehand.",
    convention=(
        "The step t₁ has the new rate, as with torch's MultiStepLR (milestones t₁, t₂; r₁ = gamma, "
        "r₂ = gamma²). Keras's PiecewiseConstantDecay still has the old one there."
    ),
    look=Look("#009e73", (), "diamond"),
    factors=factors,
)  # fmt: skip
