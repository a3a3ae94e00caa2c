"""Everything that the browser must know of optimizers and surfaces, from their declarations."""

from __future__ import annotations

import base64
from typing import Any

from figures.relief import thumbnail
from optim_core import OPTIMIZERS, SCHEDULES
from optim_core.spec import PENALTY, SHARED, Look, Optimizer, Schedule, Surface
from surfaces import SURFACES
from ui import permalink, rate_link, schedule_link, step_link
from ui.mathml import mathml
from ui.permalink import catalog_entry
from ui.race import lowest
from ui.scenes import SCENES


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
        "lowest": lowest(surface),
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


def _declared(one: Optimizer | Schedule) -> dict[str, Any]:
    look: Look = one.look
    return {
        "key": one.key,
        "name": one.name,
        "convention": one.convention,
        "color": look.color,
        "dash": look.dash,
        "marker": look.marker,
        "hypers": [catalog_entry(h) for h in one.hypers],
    }


def _optimizer(optimizer: Optimizer) -> dict[str, Any]:
    ingredients = [{"key": i.key, "name": i.name, "about": i.about} for i in optimizer.ingredients]
    return _declared(optimizer) | {"ingredients": ingredients}


def _schedule(schedule: Schedule) -> dict[str, Any]:
    return _declared(schedule) | {"about": schedule.about, "formula": mathml(schedule.formula)}


def catalog() -> dict[str, Any]:
    """JSON-ready; the same for all sessions."""
    return {
        "foreign": {"names": permalink.FOREIGN, "starts": permalink.FOREIGN_STARTS},
        "surfaces": [_surface(s) for s in SURFACES.values()],
        "optimizers": [_optimizer(o) for o in OPTIMIZERS.values()],
        "schedules": [_schedule(s) for s in SCHEDULES.values()],
        "shared": [catalog_entry(h) for h in SHARED],
        "penalty": [catalog_entry(h) for h in PENALTY],
        "decoupled": catalog_entry(permalink.DECOUPLED),
        "race": [catalog_entry(h) for h in permalink.RACE],
        "stepRace": [catalog_entry(h) for h in step_link.CONTROLS],
        "scheduleRace": [catalog_entry(h) for h in schedule_link.CONTROLS],
        "change": catalog_entry(schedule_link.CHANGE),
        "scenes": [
            {
                "key": s.key,
                "name": s.name,
                "about": s.about,
                "schedule": s.schedule,
                "controls": s.controls,
            }
            for s in SCENES.values()
        ],
        "defaults": {
            "surface": permalink.DEFAULT_SURFACE,
            "opt": permalink.DEFAULT_RACERS,
            "ratesOpt": rate_link.DEFAULT_RACERS,
            "schedule": permalink.DEFAULT_SCHEDULE,
            "stepOf": step_link.DEFAULT_OPTIMIZER,
            "scheduleOf": schedule_link.DEFAULT_OPTIMIZER,
            "scheduleTo": schedule_link.DEFAULT_OTHER,
            "schedules": schedule_link.DEFAULT_SCHEDULES,
            "scene": schedule_link.DEFAULT_SCENE,
        },
    }
