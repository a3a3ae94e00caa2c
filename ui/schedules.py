"""The Schedules page as a message: the runs of a scene, and what there is to see in it."""

from __future__ import annotations

from typing import Any

from ui.race import race_message
from ui.schedule_link import View


def schedules_message(
    view: View, query: str, clean: str, notes: list[str], *, serial: int = 0, exact: bool = False
) -> bytes:
    """The runs of a scene; the same as a comparison, with the scene's sentence."""
    header: dict[str, Any] = {
        "serial": serial,
        "scene": {
            "key": view.scene.key,
            "says": view.scene.says(view.cast, view.setup.alone),
            "of": view.cast.racer.optimizer.key,
            "to": view.cast.other.optimizer.key,
            "without": view.cast.ingredient.key if view.cast.ingredient else None,
            "at": view.cast.at,
        },
    }
    return race_message(view.setup, query, clean, notes, header, exact=exact)
