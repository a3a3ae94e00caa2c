"""Schedules: what does changing the learning rate over time do to the path?"""

from dataclasses import replace

from optim_core.simulate import NOISE
from ui.page import Page
from ui.panels.scene.state import plans, relay, scenes
from ui.state.common import STEPS, penalty, place, race, state_schema
from ui.state.schema import Group

PAGE = Page(
    key="schedules",
    title="Schedules",
    icon="timeline",
    question="What does changing the learning rate over time do to the path?",
    state=state_schema(
        place(),
        scenes(),
        *relay("momentum", "gd"),
        plans(),
        penalty(decoupled=False),
        race(
            # A run that is resumed has a step before and one after it.
            steps=replace(STEPS, domain=replace(STEPS.domain, low=2.0)),
            noise=replace(NOISE, default=3.0),  # what a constant rate never averages out
        ),
        Group((), "actions"),
    ),
    panels=("surface", "paths", "loss", "rate", "results", "scene"),
    order=4,
)
