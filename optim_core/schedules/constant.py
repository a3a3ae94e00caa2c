"""The rate as it is: η_t = η₀."""

from optim_core.spec import Look, Schedule

SCHEDULE = Schedule(
    key="constant",
    name="Constant",
    hypers=(),
    formula=r"\eta_t = \eta_0",
    source="Cauchy 1847",
    about="One rate throughout, which is either slow at first or restless in the end.",
    convention="As PyTorch without a scheduler.",
    look=Look("#d55e00", (), "circle"),
)
