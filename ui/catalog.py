"""Everything that the browser must know of optimizers and surfaces, from their declarations."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from figures.relief import thumbnail
from optim_core import OPTIMIZERS
from optim_core.spec import Optimizer, Surface
from surfaces import SURFACES
from ui import permalink, rate_link
from ui.permalink import catalog_entry


def _lowest(surface: Surface) -> list[bool]:
    values = np.array([surface.value(*p, *surface.args) for p in surface.minima])
    # Minima of one height differ by the rounding of their coordinates.
    return [bool(v) for v in np.isclose(values, surface.best or 0.0, rtol=1e-9, atol=1e-9)]


def _surface(surface: Surface) -> dict[str, Any]:
    picture = thumbnail(surface)
    return {
        "key": surface.key,
        "name": surface.name,
        "dim": surface.dim,
        "about": surface.about,
        "domain": surface.domain,
        "start": surface.start,
        "minima": surface.minima,
        "lowest": _lowest(surface),
        "saddles": surface.saddles,
        "params": [catalog_entry(p) for p in surface.params],
        "rate": catalog_entry(rate_link.rate_hyper(surface)),
        "panels": rate_link.panels_of(surface),
        "lr": {k: permalink.suggested_lr(surface, o) for k, o in OPTIMIZERS.items()},
        "thumbnail": {
            "width": picture.shape[-1],
            "data": base64.b64encode(picture.tobytes()).decode(),
        },
    }


def _optimizer(optimizer: Optimizer) -> dict[str, Any]:
    look = optimizer.look
    return {
        "key": optimizer.key,
        "name": optimizer.name,
        "about": optimizer.convention,
        "color": look.color,
        "dash": look.dash,
        "marker": look.marker,
        "hypers": [catalog_entry(h) for h in optimizer.hypers],
    }


def catalog() -> dict[str, Any]:
    """JSON-ready; the same for all sessions."""
    return {
        "surfaces": [_surface(s) for s in SURFACES.values()],
        "optimizers": [_optimizer(o) for o in OPTIMIZERS.values()],
        "race": [catalog_entry(h) for h in permalink.RACE],
        "defaults": {
            "surface": permalink.DEFAULT_SURFACE,
            "opt": permalink.DEFAULT_RACERS,
            "ratesOpt": rate_link.DEFAULT_RACERS,
        },
    }
