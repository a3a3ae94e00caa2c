"""The table of outcomes: made from the runs of the paths."""

from ui.panel import Panel

PANEL = Panel("results")
