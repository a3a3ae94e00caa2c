"""Step by step: what happens inside one step?"""

from dataclasses import replace

from ui.page import Page
from ui.panels.ingredients.state import ingredients
from ui.state.common import SPEED, STEPS, one_method, penalty, place, race, schedule, state_schema
from ui.state.schema import Group

PAGE = Page(
    key="step_by_step",
    title="Step by step",
    icon="function",
    question="What happens inside one step?",
    state=state_schema(
        place(),
        one_method("adam"),
        ingredients(),
        schedule(),
        penalty(),
        race(steps=replace(STEPS, default=100), speed=replace(SPEED, default=5)),
        Group((), "actions"),
    ),
    panels=(
        "surface", "paths", "loss", "rate", "results", "ingredients", "formula", "parts", "table",
    ),
    order=3,
)  # fmt: skip
