"""The loss against the step: drawn from the runs of the paths."""

from ui.panel import Panel

PANEL = Panel("loss")
