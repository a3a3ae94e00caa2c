"""Compare: which optimizer gets there, along which way, at what cost?"""

from __future__ import annotations

import streamlit as st

from ui import permalink
from ui.ask import address, asked, wants_exact, window_of
from ui.player.components import race_view, surface_view
from ui.race import race_message, surface_message

KEY = "race"


@st.fragment
def compare() -> None:
    state = st.session_state.get(KEY)
    query, window = asked(state, address(st.query_params))
    exact = wants_exact(state)
    setup, clean, notes = permalink.parse(query)
    surface_view(surface_message(setup.surface, window_of(window, setup.surface.dim), exact))
    race_view(race_message(setup, query, clean, notes, exact=exact), key=KEY)


compare()
