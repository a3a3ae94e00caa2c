"""What the browser must know of the surface that it draws; it travels with every message."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from optim_core.spec import Surface
from ui.state.schema import control


def lowest(surface: Surface) -> list[bool]:
    """Which of a surface's minima are the lowest: none where the loss falls without end."""
    if surface.best is None:
        return [False] * len(surface.minima)
    values = np.array([surface.loss(*p) for p in surface.minima])
    # Minima of one height differ by the rounding of their coordinates.
    return [bool(v) for v in np.isclose(values, surface.best, rtol=1e-9, atol=1e-9)]


@lru_cache(maxsize=64)
def facts(surface: Surface) -> dict[str, Any]:
    """The surface as it is now, with its parameters and its penalty.

    bare: the minima without the penalty, or None where there is none. A penalty's saddles are not
    known.
    """
    return {
        "key": surface.key,
        "name": surface.name,
        "about": surface.about,
        "dim": surface.dim,
        "domain": surface.domain,
        "start": surface.start,
        "minima": surface.minima,
        "lowest": lowest(surface),
        "saddles": [] if surface.bare else surface.saddles,
        "bare": surface.bare.minima if surface.bare else None,
        "base": surface.best,
        "params": [control(p) for p in surface.params],
    }
