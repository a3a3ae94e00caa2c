"""What may be taken out of a method: made from the formula's part."""

from ui.panel import Panel

PANEL = Panel("ingredients")
