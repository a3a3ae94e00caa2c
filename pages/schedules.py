"""Schedules: what does changing the learning rate over time do to the path?"""

from __future__ import annotations

import streamlit as st

from ui import schedule_link
from ui.ask import address, asked, wants_exact, window_of
from ui.player.components import schedules_view, surface_view
from ui.race import surface_message
from ui.schedules import schedules_message

KEY = "schedules"


@st.fragment
def schedules() -> None:
    state = st.session_state.get(KEY)
    query, window = asked(state, address(st.query_params))
    exact = wants_exact(state)
    view, clean, notes = schedule_link.parse(query)
    surface = view.setup.surface
    surface_view(surface_message(surface, window_of(window, surface.dim), exact))
    schedules_view(schedules_message(view, query, clean, notes, exact=exact), key=KEY)


schedules()
