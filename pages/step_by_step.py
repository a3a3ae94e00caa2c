"""Step by step: what happens inside one step?"""

from __future__ import annotations

import streamlit as st

from ui import step_link
from ui.ask import address, asked, wants_exact, window_of
from ui.player.components import steps_view, surface_view
from ui.race import surface_message
from ui.steps import steps_message

KEY = "steps"


@st.fragment
def step_by_step() -> None:
    state = st.session_state.get(KEY)
    query, window = asked(state, address(st.query_params))
    exact = wants_exact(state)
    view, clean, notes = step_link.parse(query)
    surface = view.setup.surface
    surface_view(surface_message(surface, window_of(window, surface.dim), exact))
    steps_view(steps_message(view, query, clean, notes, exact=exact), key=KEY)


step_by_step()
