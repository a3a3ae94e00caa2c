"""What a step is made of, as arrows: momentum, gradient, decay, the rate, L1's shrinking."""

from __future__ import annotations

import numpy as np

from optim_core.dissection import dissect
from ui.panel import Ask, Panel, Part
from ui.panels.formula.panel import run_shown
from ui.state.schema import State

PARTS = ("memory", "gradient", "decay", "rates", "shrinkage")


def _part(state: State, _: Ask) -> Part:
    found = dissect(run_shown(state))
    rows = np.concatenate([getattr(found, name).T for name in PARTS])
    return Part({}, {"parts": ("f4", rows)})


PANEL = Panel("parts", part=_part)
