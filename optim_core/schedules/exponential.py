"""Exponential scheduling: the rate falls by r every s steps."""

import numpy as np

from optim_core.spec import Factors, Hyper, Interval, Look, Point, Schedule


def factors(t: np.ndarray, total: float, h: Point) -> Factors:
    span, ratio = h
    return ratio ** (t / span), np.ones(len(t))


SCHEDULE = Schedule(
    key="exponential",
    name="Exponential",
    hypers=(
        Hyper(
            "span", "s", 100.0, Interval(0.0, open_low=True), 1.0, 1000.0, "log",
            "Steps in which the rate falls to r times what it was.",
        ),
        Hyper(
            "ratio", "r", 0.1, Interval(0.0, 1.0, open_low=True, open_high=False), 0.01, 1.0, "log",
            "What the rate is multiplied by every s steps.",
        ),
    ),
    formula=r"\eta_t = \eta_0\, r^{t / s}",
    source="Senior et al. 2013, doi:10.1109/ICASSP.2013.6638963, section 2.1",
    about="Falls by the same share at every step: if r < 1, all rates together have a finite sum.",
    convention="As torch's ExponentialLR with gamma = r^(1/s), and Keras's ExponentialDecay.",
    look=Look("#b8860b", (2, 2), "up"),
    factors=factors,
)  # fmt: skip
