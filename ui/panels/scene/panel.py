"""A scene of the Schedules page: its sentence, and who takes part."""

from __future__ import annotations

from ui.panel import Ask, Panel, Part
from ui.panels.scene.scenes import Cast
from ui.state.schema import State


def _part(state: State, _: Ask) -> Part:
    cast: Cast = state["cast"]
    return Part(
        {
            "key": state["scene"].key,
            "says": state["scene"].says(cast, state.conditions),
            "of": cast.method.recipe.optimizer.key,
            "to": cast.other.key,
            "without": cast.ingredient.key if cast.ingredient else None,
            "at": cast.at,
        }
    )


PANEL = Panel("scene", part=_part)
