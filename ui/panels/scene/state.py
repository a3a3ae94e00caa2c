"""What the Schedules page has in a link: a scene, and who takes part in it."""

from __future__ import annotations

from typing import Any

from optim_core import OPTIMIZERS, SCHEDULES
from optim_core.spec import Hyper, Ingredient, Interval, Optimizer
from ui.panels.scene.scenes import SCENES, Cast, Scene
from ui.runs.entry import Entry, entry
from ui.state.common import (
    SCHEDULE_NAMES,
    STEPS,
    chosen_one,
    one_method,
    recipe,
    schedule_of,
)
from ui.state.reader import Reader, choice
from ui.state.schema import Field, Group, State, control, one_of, several

DEFAULT_SCENE = "race"
DEFAULT_SCHEDULES = ("constant", "exponential", "one_cycle", "cosine")
CHANGE = Hyper(
    "at", "k", 200, Interval(1, STEPS.domain.high - 1, open_high=False), 1, 1000, "log",
    "The step at which the run is resumed or handed over.", whole=True,
)  # fmt: skip


def first_ingredient(optimizer: Optimizer) -> str:
    """The convention if it has one, else its first ingredient."""
    conventions = [i.key for i in optimizer.ingredients if i.is_convention]
    return (conventions or [i.key for i in optimizer.ingredients])[0]


def scenes() -> Group:
    """The scene that is shown; its entries are the page's."""
    about = [
        {
            "key": s.key,
            "name": s.name,
            "about": s.about,
            "schedule": s.schedule,
            "controls": s.controls,
        }
        for s in SCENES.values()
    ]
    names = {key: scene.name for key, scene in SCENES.items()}
    shown = one_of("scene", names, DEFAULT_SCENE).shown["scene"] | {"scenes": about}

    def read_scene(reader: Reader, _: State) -> Scene:
        return SCENES[reader.take("scene", choice("scene", SCENES), DEFAULT_SCENE)]

    return Group(
        (
            Field("scene", read_scene, {"scene": shown}),
            Field("ingredient", _read_ingredient, {"without": {"kind": "choice", "default": None}}),
            Field("cast", _read_cast),
            Field("entries", lambda _, state: state["scene"].entries(state["cast"])),
        )
    )


def plans() -> Group:
    """Several schedules that are compared, or the one of a scene."""
    one = one_of("schedule", SCHEDULE_NAMES, lambda state: state["scene"].schedule)
    fields = (several("sched", SCHEDULE_NAMES, DEFAULT_SCHEDULES), one)
    return Group(fields, "schedules")


def relay(default: str, other: str) -> tuple[Group, ...]:
    """The method, and the one that takes over from it at a step."""

    def read_to(reader: Reader, state: State) -> Entry:
        of = state["of"]
        first = next(key for key in (other, default) if key != of)
        reader.told["to"] = first
        to = chosen_one(reader, "to", first)
        if to == of:
            reader.reject("to", f"to must be another method than of, got {to} for both.")
            to = first
        return entry(to, recipe(state, to))

    def read_at(reader: Reader, state: State) -> int:
        steps = int(state["steps"])
        late = max(1, min(int(CHANGE.default), 2 * steps // 3))
        reader.told["at"] = late
        at = int(reader.number("at", CHANGE, late))
        if at >= steps:
            reader.reject("at", f"at must be less than the {steps} steps of the run, got {at}.")
            at = late
        return at

    methods = [(key, optimizer.name) for key, optimizer in OPTIMIZERS.items()]
    to: dict[str, Any] = {"kind": "choice", "options": methods, "default": None}
    at = {"kind": "number", **control(CHANGE), "default": None}
    return (
        one_method(default),
        Group((Field("to", read_to, {"to": to}), Field("at", read_at, {"at": at}))),
    )


def _read_ingredient(reader: Reader, state: State) -> Ingredient | None:
    optimizer: Optimizer = state["method"].recipe.optimizer
    found = {i.key: i for i in optimizer.ingredients}
    if not found:
        return None
    first = first_ingredient(optimizer)
    reader.told["without"] = first
    return found[reader.take("without", choice("without", found), first)]


def _read_cast(_: Reader, state: State) -> Cast:
    return Cast(
        method=state["method"],
        chosen=tuple(schedule_of(state, key) for key in SCHEDULES if key in state["sched"]),
        schedule=schedule_of(state, state["schedule"]),
        other=state["to"],
        ingredient=state["ingredient"],
        at=state["at"],
        steps=int(state["steps"]),
    )
