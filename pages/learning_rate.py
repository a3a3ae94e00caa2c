"""Learning rate: where does it stop working, and why there?"""

from ui.page import Page
from ui.panels.map.state import maps
from ui.state.common import methods, penalty, place, race, schedule, state_schema
from ui.state.rate import shared_rate
from ui.state.schema import Group

SHOWN = ("gd", "momentum", "nesterov")

PAGE = Page(
    key="learning_rate",
    title="Learning rate",
    icon="speed",
    question="Where does a learning rate stop working, and why there?",
    state=state_schema(
        place(),
        shared_rate(),
        methods(SHOWN, rate=lambda state: state["lr"]),
        maps("momentum", SHOWN),
        schedule(),
        penalty(decoupled=False),
        race(),
        Group((), "actions"),
    ),
    panels=("surface", "paths", "loss", "rate", "results", "bands", "report", "four", "map"),
    order=2,
)
