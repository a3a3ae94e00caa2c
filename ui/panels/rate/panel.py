"""Each run's rate under its loss: drawn from the runs of the paths."""

from ui.panel import Panel

PANEL = Panel("rate")
