"""Every quantity of every step: a table on the page, and a file with all digits."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import numpy as np

from optim_core import Run
from optim_core.formula import quantities
from ui.panel import File, Panel
from ui.panels.formula.panel import run_shown
from ui.state.schema import State

PIECE = 16  # rows of a file that are written in some 1 ms, the longest that others wait


def columns(run: Run) -> Iterator[tuple[str, np.ndarray]]:
    """Name and values (T,) of every quantity; what each coordinate has of its own, one by one."""
    for name, values in quantities(run).items():
        if values.ndim == 1:
            yield name, values
        else:
            axes = ["p"] if run.surface.dim == 1 else ["x", "y"]
            for axis, column in zip(axes, values.T, strict=True):
                yield (name if run.surface.dim == 1 else f"{name}.{axis}"), column


def pieces(state: State) -> Iterator[str]:
    """The table of a state as pieces of CSV with all digits."""
    steps = state.conditions.steps
    named = [("step", np.arange(steps)), *columns(run_shown(state))]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(name for name, _ in named)
    for i in range(0, steps, PIECE):
        cells = (values[i : i + PIECE].tolist() for _, values in named)
        writer.writerows(zip(*cells, strict=True))
        yield text.getvalue()
        text.seek(0)
        text.truncate()


PANEL = Panel("table", file=File("step_by_step.csv", "text/csv", pieces))
