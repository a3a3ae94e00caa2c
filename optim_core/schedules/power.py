"""Power scheduling (Robbins & Monro 1951; Bottou 2012, section 5.2)."""

import numpy as np

from optim_core.spec import Factors, Hyper, Interval, Look, Point, Schedule


def factors(t: np.ndarray, total: float, h: Point) -> Factors:
    span, power = h
    return (1.0 + t / span) ** -power, np.ones(len(t))


SCHEDULE = Schedule(
    key="power",
    name="Power",
    hypers=(
        Hyper(
            "span", "s", 50.0, Interval(0.0, open_low=True), 1.0, 1000.0, "log",
            "Steps after which the rate is halved, if the power is 1.",
        ),
        Hyper(
            "power", "c", 1.0, Interval(0.0), 0.0, 3.0, "linear",
            "How fast it falls; Robbins and Monro's proof needs more than ½ and at most 1.",
            "Robbins & Monro 1951",
        ),
    ),
    formula=r"\eta_t = \eta_0 / (1 + t / s)^c",
    source="Robbins & Monro 1951, doi:10.1214/aoms/1177729586; Bottou 2012, section 5.2",
    about="Falls quickly at first, then ever more slowly: if c ≤ 1, the rates' sum has no bound.",
    convention=(
        "With c = 1 as Keras's InverseTimeDecay; the rate falls at every step. PyTorch has it as a "
        "LambdaLR only."
    ),
    look=Look("#0072b2", (6, 3), "square"),
    factors=factors,
)  # fmt: skip
