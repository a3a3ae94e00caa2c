"""Compare: which optimizer gets there, along which way, at what cost?"""

from ui.page import Page
from ui.state.common import TUNED, methods, penalty, place, race, schedule, state_schema
from ui.state.schema import Group, number

PAGE = Page(
    key="compare",
    title="Compare",
    icon="flag",
    question="Which optimizer gets there, along which way, at what cost?",
    state=state_schema(
        place(),
        methods(("gd", "momentum", "adam")),
        schedule(),
        penalty(),
        race(),
        Group((number(TUNED),), "actions", {"tune": True}),
    ),
    panels=("surface", "paths", "loss", "rate", "tuning", "results"),
    order=1,
)
