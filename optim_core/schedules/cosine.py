"""Cosine annealing with warm restarts (Loshchilov & Hutter 2017, SGDR, eq. 5)."""

import numpy as np

from optim_core.spec import Factors, Hyper, Interval, Look, Point, Schedule


def factors(t: np.ndarray, total: float, h: Point) -> Factors:
    period, growth, floor = h
    length = np.full(len(t), period)
    since = t % period if growth == 1.0 else t
    while np.any(since >= length):  # as many times as there are restarts, 17 at most
        since, length = (
            np.where(since >= length, since - length, since),
            np.where(since >= length, growth * length, length),
        )
    # η_t = η_min + ½ (η₀ − η_min)(1 + cos(π T_cur / T_i))
    rate = floor + (1.0 - floor) * (1.0 + np.cos(np.pi * since / length)) / 2.0
    return rate, np.ones(len(t))


SCHEDULE = Schedule(
    key="cosine",
    name="Cosine with restarts",
    hypers=(
        Hyper(
            "period", "T_0", 50.0, Interval(1.0), 1.0, 1000.0, "log",
            "Steps to the first restart.", whole=True,
        ),
        Hyper(
            "growth", "g", 1.0, Interval(1.0), 1.0, 4.0, "linear",
            "How many times as long each period is as the one before.", whole=True,
        ),
        Hyper(
            "floor", r"r_{\min}", 0.0, Interval(0.0, 1.0, open_high=False), 0.0, 1.0, "linear",
            "The share of η₀ that the rate falls towards.",
        ),
    ),
    formula=(
        r"\eta_t = \eta_0 \left(r_{\min} + \tfrac12 (1 - r_{\min})"
        r"(1 + \cos(\pi\, T_{\mathrm{cur}} / T_i))\right), \quad T_{i+1} = g\, T_i,"
        r"\quad T_i = T_0 \text{ at first}"
    ),
    source="Loshchilov & Hutter 2017, arXiv:1608.03983, eq. 5",
    about="Falls along half a wave and jumps back up, so a run may leave one valley for another.",
    convention=(
        "As torch's CosineAnnealingWarmRestarts (T_0, T_mult = g, eta_min = r_min η₀), stepped "
        "once a step: at a restart the rate is η₀ again, so r_min η₀ itself is never reached. The "
        "method's slots are kept."
    ),
    look=Look("#0891b2", (), "pentagon"),
    factors=factors,
)  # fmt: skip
