"""1cycle (Smith & Topin 2018): up, down, a last drop; momentum the other way round."""

import numpy as np

from optim_core.spec import Factors, Hyper, Interval, Look, Point, Schedule


def factors(t: np.ndarray, total: float, h: Point) -> Factors:
    rise, divide, drop, dip, linear = h
    low, last, least = 1.0 / divide, total - 1.0, 1.0 / divide / drop
    t = np.minimum(t, last)
    top, foot = rise * total - 1.0, 2.0 * rise * total - 2.0

    def between(a: float, b: float, x: np.ndarray) -> np.ndarray:
        return (b - a) * x + a if linear else b + (a - b) / 2.0 * (np.cos(np.pi * x) + 1.0)

    ends = [t <= top, t <= foot]
    up = t / top if top > 0.0 else np.ones(len(t))  # a climb without steps is over at once
    down, out = (t - top) / (foot - top), (t - foot) / (last - foot)
    rate = np.select(
        ends, [between(low, 1.0, up), between(1.0, low, down)], between(low, least, out)
    )
    momentum = np.select(ends, [between(1.0, dip, up), between(dip, 1.0, down)], 1.0)
    return rate, momentum


def base(h: Point) -> float:
    """η₀ / d, which torch's OneCycleLR writes into its optimizer as `initial_lr`."""
    return 1.0 / h[1]


SCHEDULE = Schedule(
    key="one_cycle",
    name="1cycle",
    hypers=(
        Hyper(
            "rise", "p", 0.45, Interval(0.0, 0.5, open_low=True, open_high=False), 0.05, 0.5,
            "linear",
            "The share of the planned steps in which the rate climbs, and again in which it falls.",
            "Smith & Topin 2018, section 3",
        ),
        Hyper(
            "divide", "d", 25.0, Interval(1.0, 1e6), 1.0, 100.0, "log",
            "How many times lower than its peak the rate begins.",
        ),
        Hyper(
            "drop", "q", 1e4, Interval(1.0, 1e12), 1.0, 1e6, "log",
            "How many times lower than it began the rate ends.",
        ),
        Hyper(
            "dip", "b", 0.9, Interval(0.0, 1.0, open_high=False), 0.5, 1.0, "linear",
            "What momentum is multiplied by when the rate is at its peak.",
        ),
        Hyper(
            "linear", "l", 0.0, Interval(0.0, 1.0, open_high=False), 0.0, 1.0, "switch",
            "Go in straight lines, as the paper does, and not along half waves.",
        ),
    ),
    formula=(
        r"\eta_t : \tfrac{\eta_0}{d} \to \eta_0 \to \tfrac{\eta_0}{d} \to \tfrac{\eta_0}{d\, q}, "
        r"\quad \beta_t : \beta \to b\, \beta \to \beta \to \beta, \quad \text{turning at } "
        r"t = p\,T - 1,\ 2 p\,T - 2,\ T - 1"
    ),
    source="Smith & Topin 2018, arXiv:1708.07120; Smith 2018, arXiv:1803.09820",
    about="Climbs to η₀ and ends far below where it began, while momentum goes the other way.",
    convention=(
        "As torch's OneCycleLR with three_phase=True: η₀ is its max_lr, the method's own momentum "
        "(β or β₁) its max_momentum and b its base_momentum / max_momentum. Its defaults are two "
        "phases and p = 0.3. It cannot be stepped past T; here the last rate stays. Where β₁ "
        "moves, Adam here divides by 1 − Π β₁, which is exact, and torch's Adam by 1 − β₁ᵗ."
    ),
    look=Look("#8b5cf6", (4, 2), "star"),
    factors=factors,
    base=base,
    ends="After the last planned step the rate stays where it is, at η₀/(d q).",
)  # fmt: skip
