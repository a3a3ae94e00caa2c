"""Optimizers as pure rules, and what runs them. No Streamlit, no Plotly, no I/O."""

from optim_core import optimizers, schedules
from optim_core.discovery import declared
from optim_core.outcome import Outcome
from optim_core.race import Entrant, race
from optim_core.relay import Relay
from optim_core.simulate import Run, simulate
from optim_core.spec import Optimizer, Schedule
from optim_core.sweep import Cancelled, Field, sweep, sweep_tiles

OPTIMIZERS: dict[str, Optimizer] = {
    optimizer.key: optimizer
    for optimizer in sorted(
        declared(optimizers, "OPTIMIZER", Optimizer), key=lambda o: (o.year, o.key)
    )
}

# From few choices to many.
SCHEDULES: dict[str, Schedule] = {
    schedule.key: schedule
    for schedule in sorted(
        declared(schedules, "SCHEDULE", Schedule), key=lambda s: (len(s.hypers), s.key)
    )
}

__all__ = [
    "OPTIMIZERS",
    "SCHEDULES",
    "Cancelled",
    "Entrant",
    "Field",
    "Outcome",
    "Relay",
    "Run",
    "race",
    "simulate",
    "sweep",
    "sweep_tiles",
]
