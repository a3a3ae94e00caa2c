"""Performance scheduling: cut the rate when the loss has stopped falling."""

import math

from optim_core.spec import Hyper, Interval, Look, Point, Schedule


def react(loss: float, h: Point, m: Point) -> Point:
    cut, patience, threshold, cooldown, floor = h
    factor, best, bad, cooling = m
    better = loss < best * (1.0 - threshold)
    best = loss if better else best
    # steps without progress; those of a cool-down do not count
    bad = 0.0 if better or cooling > 0.0 else bad + 1.0
    cooling = max(cooling - 1.0, 0.0)
    if bad > patience:
        return max(factor * cut, floor), best, 0.0, cooldown
    return factor, best, bad, cooling


SCHEDULE = Schedule(
    key="performance",
    name="Performance",
    hypers=(
        Hyper(
            "factor", "r", 0.5, Interval(0.0, 1.0, open_low=True), 0.05, 0.95, "linear",
            "What the rate is multiplied by at a cut.",
        ),
        Hyper(
            "patience", "n", 10.0, Interval(0.0), 0.0, 100.0, "linear",
            "Steps without progress that are let pass; the one after them cuts the rate.",
            whole=True,
        ),
        Hyper(
            "threshold", r"\tau", 1e-4, Interval(0.0, 1.0), 0.0, 0.1, "linear",
            "Progress is a loss lower than the best one by this share.",
        ),
        Hyper(
            "cooldown", "c", 0.0, Interval(0.0), 0.0, 100.0, "linear",
            "Steps after a cut in which those without progress are not counted.", whole=True,
        ),
        Hyper(
            "floor", r"r_{\min}", 1e-6, Interval(0.0, 1.0, open_low=True, open_high=False),
            1e-8, 1.0, "log", "The rate is never cut below this share of η₀.",
        ),
    ),
    formula=(
        r"\eta_{t+1} = \max(r\, \eta_t, r_{\min} \eta_0) \text{ after more than } n \text{ steps "
        r"without } f(\theta_t) < (1 - \tau) f_{\mathrm{best}}"
    ),
    source="Senior et al. 2013, doi:10.1109/ICASSP.2013.6638963; torch's ReduceLROnPlateau",
    about="Waits for the loss to stop falling and cuts the rate then, so nothing is planned ahead.",
    convention=(
        "As torch's ReduceLROnPlateau in mode min, threshold_mode rel, eps 0, min_lr = r_min η₀, "
        "told after each step the loss that the step started from (the forward pass's; noise is "
        "only on gradients). Its eps of 1e-8 skips smaller cuts. Where the best loss is negative, "
        "1 − τ times it is higher, and any loss below that is progress, in torch as here."
    ),
    look=Look("#cc79a7", (6, 2, 1, 2), "down"),
    react=react,
    memory=(1.0, math.inf, 0.0, 0.0),
)  # fmt: skip
