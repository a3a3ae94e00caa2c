"""The surface over a window: its heights, and arrows of steepest descent."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from figures.relief import Window, padded, relief
from optim_core.spec import Surface
from ui import wire
from ui.panel import Ask, Panel
from ui.state.schema import State

MARGIN = 0.3


@lru_cache(maxsize=64)
def message(surface: Surface, window: Window | None, exact: bool = False) -> bytes:
    """The surface over a window and a margin around it; None is its own frame.

    exact: to the bit, for a window in which the rounding would show. The heights of a plane only
    differ in color, so they are told from the lowest on.
    """
    shown = relief(surface, padded(window or surface.domain, MARGIN))
    heights = shown.heights
    if surface.dim == 2:
        with np.errstate(over="ignore"):
            heights = heights - np.min(heights, where=np.isfinite(heights), initial=np.inf)
    kind = "f8" if exact else "f4"
    header = {
        "surface": surface.key,
        "params": surface.args,
        "window": shown.window,
        "levels": surface.levels,
        "bounded": surface.best is not None,
    }
    return wire.pack(
        header,
        {
            "heights": (kind if surface.dim == 1 else "f4", np.atleast_2d(heights)),
            "arrows": (kind, shown.arrows.T if shown.arrows.size else np.empty((0, 1))),
        },
    )


def _large(state: State, ask: Ask) -> bytes:
    return message(state.surface, ask.window_in(state.surface.dim), ask.exact)


PANEL = Panel("surface", large=_large)
