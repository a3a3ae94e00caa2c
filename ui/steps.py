"""The Step by step page as a message: every quantity of every step, and the step's parts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import numpy as np

from optim_core import Run
from optim_core.dissection import dissect
from optim_core.formula import lines_of, quantities
from ui.mathml import mathml
from ui.race import race_message, solo
from ui.step_link import View, parse

PARTS = ("memory", "gradient", "decay", "rates", "shrinkage")
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


def table(query: str) -> tuple[Iterator[str], list[str]]:
    """The table of a link as pieces of CSV with all digits; and what was wrong in the link."""
    view, _, notes = parse(query)
    return _pieces(view), notes


def _pieces(view: View) -> Iterator[str]:
    named = [("step", np.arange(view.setup.steps)), *columns(solo(view.setup, view.shown))]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(name for name, _ in named)
    for i in range(0, view.setup.steps, PIECE):
        cells = (values[i : i + PIECE].tolist() for _, values in named)
        writer.writerows(zip(*cells, strict=True))
        yield text.getvalue()
        text.seek(0)
        text.truncate()


def steps_message(
    view: View, query: str, clean: str, notes: list[str], *, serial: int = 0, exact: bool = False
) -> bytes:
    """The runs, and of the one that is shown its formula, quantities and parts by step."""
    run = solo(view.setup, view.shown)
    found = quantities(run)
    header: dict[str, Any] = {
        "serial": serial,
        "step": {
            "of": run.optimizer.key,
            "scaled": run.optimizer.preconditioner is not None,
            "without": [ingredient.key for ingredient in view.removed],
            "shown": view.setup.racers.index(view.shown),
            "lines": [
                {
                    "name": line.name,
                    "formula": mathml(line.latex),
                    "symbol": mathml(line.symbol),
                    "numbers": mathml(line.numbers),
                }
                for line in lines_of(run)
            ],
            "columns": [{"name": k, "shared": v.ndim == 1} for k, v in found.items()],
        },
    }
    parts = dissect(run)
    groups = {
        "quantities": ("f8", np.concatenate([np.atleast_2d(v.T) for v in found.values()])),
        "parts": ("f4", np.concatenate([getattr(parts, name).T for name in PARTS])),
    }
    return race_message(view.setup, query, clean, notes, header, groups, exact=exact)
