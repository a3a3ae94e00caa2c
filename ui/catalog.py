"""What the browser must know of methods, schedules and pages, from their declarations."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from figures.relief import thumbnail
from optim_core import OPTIMIZERS, SCHEDULES
from optim_core.spec import PENALTY, SHARED, Look, Optimizer, Schedule, Surface
from surfaces import SURFACES
from ui.mathml import mathml
from ui.page import Page
from ui.state.common import ALONG
from ui.state.reader import FOREIGN, FOREIGN_STARTS
from ui.state.schema import control


def _surface(surface: Surface) -> dict[str, Any]:
    """For the gallery: what is drawn travels with each answer."""
    picture = thumbnail(surface)
    return {
        "key": surface.key,
        "name": surface.name,
        "dim": surface.dim,
        "about": surface.about,
        "thumbnail": {
            "width": picture.shape[-1],
            "data": base64.b64encode(picture.tobytes()).decode(),
        },
    }


def _declared(one: Optimizer | Schedule) -> dict[str, Any]:
    look: Look = one.look
    return {
        "key": one.key,
        "name": one.name,
        "convention": one.convention,
        "color": look.color,
        "dash": look.dash,
        "marker": look.marker,
        "hypers": [control(h) for h in one.hypers],
    }


def _optimizer(optimizer: Optimizer) -> dict[str, Any]:
    ingredients = [{"key": i.key, "name": i.name, "about": i.about} for i in optimizer.ingredients]
    return _declared(optimizer) | {"ingredients": ingredients}


def _schedule(schedule: Schedule) -> dict[str, Any]:
    return _declared(schedule) | {"about": schedule.about, "formula": mathml(schedule.formula)}


def _page(page: Page, *, is_first: bool) -> dict[str, Any]:
    return {
        "path": "" if is_first else page.key,
        "title": page.title,
        "panels": page.panels,
        "scripts": [panel.key for panel in page if panel.script],
        "styles": [panel.key for panel in page if panel.style],
        "large": [panel.key for panel in page if panel.large],
        "coarse": page.has_coarse,
        "controls": page.state.controls(),
        "fields": page.state.shown(),
    }


def catalog(pages: Mapping[str, Page]) -> dict[str, Any]:
    """JSON-ready; the same for all visitors."""
    first = next(iter(pages))
    return {
        "foreign": {"names": FOREIGN, "starts": FOREIGN_STARTS},
        "along": {"names": ALONG},
        "surfaces": [_surface(s) for s in SURFACES.values()],
        "optimizers": [_optimizer(o) for o in OPTIMIZERS.values()],
        "schedules": [_schedule(s) for s in SCHEDULES.values()],
        "shared": [control(h) for h in SHARED],
        "penalty": [control(h) for h in PENALTY],
        "pages": {key: _page(page, is_first=key == first) for key, page in pages.items()},
    }
