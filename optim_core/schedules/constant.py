"""The rate as it is: η_t = η₀."""

from optim_core.spec import Look, Schedule

SCHEDULE = Schedule(
    key="constant",
    name="Constant",
    hypers=(),
    formula=r"\eta_t = \eta_0",
    source="Cauchy 1847",
    about="One rate throughout: a low one is slow at first, a high one stays restless under noise.",
    convention="As PyTorch without a scheduler.",
    look=Look("#d55e00", (), "circle"),
)
