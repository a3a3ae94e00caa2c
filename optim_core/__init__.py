"""Optimizers as pure rules, and what runs them. No Streamlit, no Plotly, no I/O."""

from optim_core import optimizers
from optim_core.discovery import declared
from optim_core.outcome import Outcome
from optim_core.simulate import Run, simulate
from optim_core.spec import Optimizer
from optim_core.sweep import Cancelled, Field, sweep

OPTIMIZERS: dict[str, Optimizer] = {
    optimizer.key: optimizer
    for optimizer in sorted(
        declared(optimizers, "OPTIMIZER", Optimizer), key=lambda o: (o.year, o.key)
    )
}

__all__ = ["OPTIMIZERS", "Cancelled", "Field", "Outcome", "Run", "simulate", "sweep"]
