"""The update of one method as it is written, and every quantity of every step."""

from __future__ import annotations

from typing import Any

import numpy as np

from optim_core import Run
from optim_core.formula import lines_of, quantities
from ui.mathml import mathml
from ui.panel import Ask, Panel, Part
from ui.runs.lane import run_of
from ui.state.schema import State


def run_shown(state: State) -> Run:
    """The run whose steps are taken apart."""
    return run_of(state.conditions, state["shown_entry"].recipe)


def _lines(run: Run) -> list[dict[str, Any]]:
    return [
        {
            "name": line.name,
            "formula": mathml(line.latex),
            "symbol": mathml(line.symbol),
            "numbers": mathml(line.numbers),
        }
        for line in lines_of(run)
    ]


def _part(state: State, _: Ask) -> Part:
    run = run_shown(state)
    found = quantities(run)
    header = {
        "of": run.optimizer.key,
        "scaled": run.optimizer.preconditioner is not None,
        "without": [ingredient.key for ingredient in state["removed"]],
        "shown": state.entries.index(state["shown_entry"]),
        "lines": _lines(run),
        "columns": [{"name": k, "shared": v.ndim == 1} for k, v in found.items()],
    }
    rows = np.concatenate([np.atleast_2d(v.T) for v in found.values()])
    return Part(header, {"quantities": ("f8", rows)})


PANEL = Panel("formula", part=_part)
